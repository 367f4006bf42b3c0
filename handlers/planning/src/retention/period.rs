//! Hours, days, weeks, months and years of a zone, each as a number: two times are in the same one exactly when the numbers
//! are equal. It never compares two times with each other: that is where weeks at New Year and hours at DST go wrong.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

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
    Local::new(at, zone).number(period)
}

/// A time with what the clocks of a zone show at it.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    at: Timestamp,
    offset: Offset,
    seconds: i64,
}

impl Local {
    /// The time in the zone.
    pub fn new(at: Timestamp, zone: &TimeZone) -> Self {
        let offset = zone.to_offset(at);
        // Rounded down: before 1970 the fraction of a second is negative.
        let whole = at.as_second() - i64::from(at.subsec_nanosecond() < 0);
        Self { at, offset, seconds: whole + i64::from(offset.seconds()) }
    }

    /// The number of the period that the time is in.
    pub fn number(self, period: Period) -> i64 {
        match period {
            // The moment at which the hour began, not what clocks showed: so the hour that they show twice is two.
            Period::Hour => self.seconds - self.seconds.rem_euclid(HOUR_SECONDS) - i64::from(self.offset.seconds()),
            Period::Day => self.day(),
            Period::Week => (self.day() + MONDAY_TO_EPOCH_DAYS).div_euclid(7),
            Period::Month => {
                let date = self.offset.to_datetime(self.at).date();
                i64::from(date.year()) * 12 + i64::from(date.month())
            }
            Period::Year => i64::from(self.offset.to_datetime(self.at).date().year()),
        }
    }

    fn day(self) -> i64 {
        self.seconds.div_euclid(DAY_SECONDS)
    }
}
