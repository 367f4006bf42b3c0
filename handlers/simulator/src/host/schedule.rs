//! Schedules of timers: NCRONTAB with five or six fields, or a TimeSpan.
//! It never reads a clock; a schedule that never comes due says so.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::dates;

/// Days looked at before a schedule counts as never due: the longest gap is 29 February across a skipped leap year.
const DAYS_AHEAD: usize = 8 * 366;
/// Schedules that come due more often than this have no monitor.
const SHORTEST_MONITORED: SignedDuration = SignedDuration::from_mins(1);
/// How many gaps between occurrences are looked at to find the shortest, as the extension does.
const GAPS_LOOKED_AT: usize = 5;

/// When a timer is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Schedule {
    Cron(Cron),
    Every(Duration),
}

/// Allowed values, one bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cron {
    seconds: u64,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
}

/// One field of a cron expression: its bounds and the names of its values.
struct Field {
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

const SIXTY: Field = Field { low: 0, high: 59, names: &[] };
const HOURS: Field = Field { low: 0, high: 23, names: &[] };
const DAYS: Field = Field { low: 1, high: 31, names: &[] };
const MONTHS: Field = Field {
    low: 1,
    high: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAYS: Field = Field { low: 0, high: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Schedule {
    /// Reads an expression; `None` when it is neither a cron expression nor a span.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        match fields.as_slice() {
            [minute, hour, day, month, weekday] => {
                Cron::parse(["0", minute, hour, day, month, weekday]).map(Schedule::Cron)
            }
            [second, minute, hour, day, month, weekday] => {
                Cron::parse([second, minute, hour, day, month, weekday]).map(Schedule::Cron)
            }
            [span] => dates::read_span(span).filter(|span| !span.is_zero()).map(Schedule::Every),
            _ => None,
        }
    }

    /// The first moment after `after` at which it is due.
    pub(super) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            Schedule::Every(span) => after.checked_add(SignedDuration::try_from(*span).ok()?).ok(),
            Schedule::Cron(cron) => cron.next(after),
        }
    }

    /// What `Schedule.AdjustForDST` says.
    pub(super) fn adjusts_for_dst(&self) -> bool {
        matches!(self, Schedule::Cron(_))
    }

    /// Whether a monitor can watch it: not when it comes due more often than once a minute.
    pub(super) fn can_be_monitored(&self, now: Timestamp) -> bool {
        let mut at = now;
        let mut due: Option<Timestamp> = None;
        for _ in 0..=GAPS_LOOKED_AT {
            let Some(next) = self.next(at) else { return true };
            if due.is_some_and(|due| next.duration_since(due) < SHORTEST_MONITORED) {
                return false;
            }
            (at, due) = (next, Some(next));
        }
        true
    }
}

impl Cron {
    fn parse(fields: [&str; 6]) -> Option<Self> {
        let [seconds, minutes, hours, days, months, weekdays] = fields;
        Some(Self {
            seconds: SIXTY.parse(seconds)?,
            minutes: SIXTY.parse(minutes)?,
            hours: HOURS.parse(hours)?,
            days: DAYS.parse(days)?,
            months: MONTHS.parse(months)?,
            weekdays: WEEKDAYS.parse(weekdays)?,
        })
    }

    fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let after = TimeZone::UTC.to_datetime(after);
        let mut date = after.date();
        let mut from = after.time();
        let mut inclusive = false;
        for _ in 0..DAYS_AHEAD {
            if self.has_day(date)
                && let Some(time) = self.time_on_day(from, inclusive)
            {
                return TimeZone::UTC.to_timestamp(DateTime::from_parts(date, time)).ok();
            }
            date = date.checked_add(1.day()).ok()?;
            (from, inclusive) = (Time::midnight(), true);
        }
        None
    }

    fn has_day(&self, date: Date) -> bool {
        let has = |set: u64, value: i8| u32::try_from(value).is_ok_and(|value| set >> value & 1 == 1);
        has(self.months, date.month())
            && has(self.days, date.day())
            && has(self.weekdays, date.weekday().to_sunday_zero_offset())
    }

    /// The first allowed time after `from`, or at it when that is asked for.
    fn time_on_day(&self, from: Time, inclusive: bool) -> Option<Time> {
        let of = |time: Time| i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
        let first = of(from) + i64::from(!inclusive);
        let values = |set: u64| (0..60_i64).filter(move |value| set >> value & 1 == 1);
        for hour in values(self.hours).filter(|hour| hour * 3600 + 3599 >= first) {
            for minute in values(self.minutes).filter(|minute| hour * 3600 + minute * 60 + 59 >= first) {
                let second = values(self.seconds).find(|second| hour * 3600 + minute * 60 + second >= first);
                if let Some(second) = second {
                    let small = |value: i64| i8::try_from(value).ok();
                    return Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok();
                }
            }
        }
        None
    }
}

impl Field {
    fn parse(&self, text: &str) -> Option<u64> {
        text.split(',').try_fold(0, |set, part| Some(set | self.part(part)?))
    }

    fn part(&self, text: &str) -> Option<u64> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, step.parse::<u32>().ok().filter(|step| *step > 0)?),
            None => (text, 1),
        };
        let (low, high) = match range.split_once('-') {
            Some((low, high)) => (self.value(low)?, self.value(high)?),
            None if range == "*" => (self.low, self.high),
            // `5/10` means from five on.
            None if text.contains('/') => (self.value(range)?, self.high),
            None => (self.value(range)?, self.value(range)?),
        };
        if low > high {
            return None;
        }
        let step = usize::try_from(step).ok()?;
        Some((low..=high).step_by(step).fold(0, |set, value| set | 1 << value))
    }

    fn value(&self, text: &str) -> Option<u32> {
        let by_name = || {
            let lower = text.to_ascii_lowercase();
            let place = self.names.iter().position(|name| lower.starts_with(name))?;
            u32::try_from(place).ok().map(|place| place + self.low)
        };
        let value = text.parse::<u32>().ok().or_else(by_name)?;
        (self.low..=self.high).contains(&value).then_some(value)
    }
}
