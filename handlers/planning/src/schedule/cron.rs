//! The local times of a schedule: five fields as sets of numbers, and their one spelling.
//! It never reads a text and knows no zone.

use core::fmt;
use core::ops::RangeInclusive;
use jiff::civil::Date;

/// The hours of a day.
const HOURS: Numbers = Numbers::span(0, 23);
/// Days of each month in the year that has most of them.
const MONTH_DAYS_MAX: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/// A run of this many numbers is spelt as a range; a pair is shorter as a list.
const RANGE_NUMBERS_MIN: u8 = 3;

/// A field of a cron expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 1 to 31.
    DayOfMonth,
    /// 1 to 12.
    Month,
    /// 0 to 6, from Sunday.
    DayOfWeek,
}

/// A set of numbers below 64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers(u64);

/// On which days of its months a schedule fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    /// On all.
    Every,
    /// On these days of the month.
    OfMonth(Numbers),
    /// On these days of the week.
    OfWeek(Numbers),
    /// On a day that is one of these of the month *or* one of these of the week, as cron has always had it.
    Either {
        /// Days of the month.
        of_month: Numbers,
        /// Days of the week.
        of_week: Numbers,
    },
}

/// The local times of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: Numbers,
    hours: Numbers,
    days: Days,
    months: Numbers,
}

/// Why fields are no schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CronFault {
    /// A field without a number, or with one out of its range.
    Field(Field),
    /// No year has such a day, as 30 February.
    NeverFires,
}

impl Field {
    /// The numbers that the field takes.
    pub fn range(self) -> RangeInclusive<u8> {
        match self {
            Self::Minute => 0..=59,
            Self::Hour => 0..=23,
            Self::DayOfMonth => 1..=31,
            Self::Month => 1..=12,
            Self::DayOfWeek => 0..=6,
        }
    }

    fn all(self) -> Numbers {
        Numbers::span(*self.range().start(), *self.range().end())
    }
}

impl Numbers {
    const fn span(first: u8, last: u8) -> Self {
        Self((u64::MAX >> (63 - last)) & (u64::MAX << first))
    }

    /// True when the number is in it.
    pub fn contains(self, number: u8) -> bool {
        number < 64 && self.0 >> number & 1 == 1
    }

    /// Its numbers, from the least.
    pub fn iter(self) -> impl Iterator<Item = u8> + Clone {
        (0..64).filter(move |number| self.contains(*number))
    }

    fn is_within(self, all: Self) -> bool {
        self.0 != 0 && self.0 & !all.0 == 0
    }
}

/// Numbers from 64 on are not kept: no field has them, and the field's own range is checked when a [`Cron`] is made.
impl FromIterator<u8> for Numbers {
    fn from_iter<I: IntoIterator<Item = u8>>(numbers: I) -> Self {
        Self(numbers.into_iter().filter(|number| *number < 64).fold(0, |bits, number| bits | 1 << number))
    }
}

impl Cron {
    /// A schedule's local times; `days` with all days of the month or of the week are [`Days::Every`].
    pub fn new(minutes: Numbers, hours: Numbers, days: Days, months: Numbers) -> Result<Self, CronFault> {
        let check = |field: Field, numbers: Numbers| {
            if numbers.is_within(field.all()) { Ok(numbers == field.all()) } else { Err(CronFault::Field(field)) }
        };
        check(Field::Minute, minutes)?;
        check(Field::Hour, hours)?;
        check(Field::Month, months)?;
        let all_days = match days {
            Days::Every => true,
            Days::OfMonth(of_month) => check(Field::DayOfMonth, of_month)?,
            Days::OfWeek(of_week) => check(Field::DayOfWeek, of_week)?,
            Days::Either { of_month, of_week } => {
                check(Field::DayOfMonth, of_month)? | check(Field::DayOfWeek, of_week)?
            }
        };
        let days = if all_days { Days::Every } else { days };
        let cron = Self { minutes, hours, days, months };
        if cron.fires() { Ok(cron) } else { Err(CronFault::NeverFires) }
    }

    fn fires(self) -> bool {
        let Days::OfMonth(days) = self.days else { return true };
        let Some(least) = days.iter().next() else { return false };
        self.months.iter().any(|month| MONTH_DAYS_MAX.get(usize::from(month) - 1).is_some_and(|most| least <= *most))
    }

    /// True when it fires on this day.
    pub fn is_on(self, date: Date) -> bool {
        // Both are small positive numbers by their types' own bounds.
        let in_month = |days: Numbers| days.contains(date.day().unsigned_abs());
        let in_week = |days: Numbers| days.contains(date.weekday().to_sunday_zero_offset().unsigned_abs());
        self.months.contains(date.month().unsigned_abs())
            && match self.days {
                Days::Every => true,
                Days::OfMonth(days) => in_month(days),
                Days::OfWeek(days) => in_week(days),
                Days::Either { of_month, of_week } => in_month(of_month) || in_week(of_week),
            }
    }

    /// The times of a day at which it fires, as hours and minutes, from the earliest.
    pub fn times(self) -> impl Iterator<Item = (u8, u8)> + Clone {
        self.hours.iter().flat_map(move |hour| self.minutes.iter().map(move |minute| (hour, minute)))
    }

    /// True when it is meant by the hour rather than at times of the day.
    pub fn is_every_hour(self) -> bool {
        self.hours == HOURS
    }
}

/// The one spelling of a set of times: numbers from the least, runs as ranges, all as `*`.
impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (of_month, of_week) = match self.days {
            Days::Every => (None, None),
            Days::OfMonth(days) => (Some(days), None),
            Days::OfWeek(days) => (None, Some(days)),
            Days::Either { of_month, of_week } => (Some(of_month), Some(of_week)),
        };
        let fields = [
            (Field::Minute, Some(self.minutes)),
            (Field::Hour, Some(self.hours)),
            (Field::DayOfMonth, of_month),
            (Field::Month, Some(self.months)),
            (Field::DayOfWeek, of_week),
        ];
        for (field, numbers) in fields {
            if field != Field::Minute {
                f.write_str(" ")?;
            }
            match numbers {
                Some(numbers) if numbers != field.all() => spell(numbers, f)?,
                _ => f.write_str("*")?,
            }
        }
        Ok(())
    }
}

fn spell(numbers: Numbers, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut comma = "";
    let mut next = 0;
    while let Some(first) = (next..64).find(|number| numbers.contains(*number)) {
        let last = (first..64).take_while(|number| numbers.contains(*number)).last().unwrap_or(first);
        if last - first + 1 >= RANGE_NUMBERS_MIN {
            write!(f, "{comma}{first}-{last}")?;
            next = last + 1;
        } else {
            write!(f, "{comma}{first}")?;
            next = first + 1;
        }
        comma = ",";
    }
    Ok(())
}

/// As it is said to people.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day of the month",
            Self::Month => "month",
            Self::DayOfWeek => "day of the week",
        })
    }
}

impl fmt::Display for CronFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => {
                write!(f, "the {field} is out of {} to {}", field.range().start(), field.range().end())
            }
            Self::NeverFires => f.write_str("no year has such a day"),
        }
    }
}
