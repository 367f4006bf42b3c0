//! Hours, days, weeks, months and years of a zone, each as a number: two times are in the same one exactly when the numbers
//! are equal. It never compares two times with each other: that is where weeks at New Year and hours at DST go wrong.

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

const HOUR_SECONDS: i64 = 60 * 60;
const DAY_SECONDS: i64 = 24 * HOUR_SECONDS;
/// Days from the Monday before 1970-01-01, which was a Thursday.
const MONDAY_TO_EPOCH_DAYS: i64 = 3;

/// A period of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// An hour as clocks show it; the one that they show twice in autumn is two.
    Hour,
    /// A day from midnight to midnight: of 23 or 25 hours when clocks change.
    Day,
    /// A week from Monday to Sunday (ISO 8601), across New Year too.
    Week,
    /// A month.
    Month,
    /// A calendar year.
    Year,
}

/// The number of the period that a time is in: greater for later ones.
pub fn number(period: Period, at: Timestamp, zone: &TimeZone) -> i64 {
    Calendar::new(zone).at(at).number(period)
}

/// The calendar of a zone, asked for one time after the other. It remembers the last change of the clocks and the last day:
/// of times that are near each other most are on the same side of the one, and many on the other.
pub struct Calendar<'z> {
    zone: &'z TimeZone,
    offset: Offset,
    /// The offset is that of all times from here to there.
    from: Timestamp,
    to: Timestamp,
    date: Date,
}

/// A day with the numbers of its month and year.
#[derive(Clone, Copy)]
struct Date {
    day: i64,
    month: i64,
    year: i64,
}

/// A time with what clocks show at it.
pub struct Local<'c, 'z> {
    calendar: &'c mut Calendar<'z>,
    at: Timestamp,
    seconds: i64,
}

impl<'z> Calendar<'z> {
    /// The calendar of a zone.
    pub fn new(zone: &'z TimeZone) -> Self {
        // No time is between these two, and no day has this number: the first question is always asked.
        let (from, to) = (Timestamp::MAX, Timestamp::MIN);
        Self { zone, offset: Offset::UTC, from, to, date: Date { day: i64::MIN, month: 0, year: 0 } }
    }

    /// A time in it.
    pub fn at<'c>(&'c mut self, at: Timestamp) -> Local<'c, 'z> {
        if at < self.from || at > self.to {
            self.offset = self.zone.to_offset(at);
            // Changes before a time are asked for, and one at the very time counts too.
            let after = at.checked_add(SignedDuration::from_nanos(1)).unwrap_or(at);
            self.from = self.zone.preceding(after).next().map_or(Timestamp::MIN, |change| change.timestamp());
            self.to = at;
        }
        // Rounded down: before 1970 the fraction of a second is negative.
        let whole = at.as_second() - i64::from(at.subsec_nanosecond() < 0);
        let seconds = whole + i64::from(self.offset.seconds());
        Local { calendar: self, at, seconds }
    }
}

impl Local<'_, '_> {
    /// The number of the period that the time is in.
    pub fn number(&mut self, period: Period) -> i64 {
        match period {
            // The moment at which the hour began, not what clocks showed: so the hour that they show twice is two.
            Period::Hour => {
                let offset = i64::from(self.calendar.offset.seconds());
                self.seconds - self.seconds.rem_euclid(HOUR_SECONDS) - offset
            }
            Period::Day => self.day(),
            Period::Week => (self.day() + MONDAY_TO_EPOCH_DAYS).div_euclid(7),
            Period::Month => self.date().month,
            Period::Year => self.date().year,
        }
    }

    fn day(&self) -> i64 {
        self.seconds.div_euclid(DAY_SECONDS)
    }

    fn date(&mut self) -> Date {
        let day = self.day();
        if self.calendar.date.day != day {
            let date = self.calendar.offset.to_datetime(self.at).date();
            let year = i64::from(date.year());
            self.calendar.date = Date { day, month: year * 12 + i64::from(date.month()), year };
        }
        self.calendar.date
    }
}
