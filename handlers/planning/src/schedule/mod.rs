//! Schedules: which moments a cron expression in a time zone stands for, which of them is due, and when each machine begins.
//! It never reads a clock and never parses cron; whoever reads documents does.
//!
//! ```text
//! clock goes forward   a local time that does not exist fires once, as much after the gap as it lies in it (02:30 → 03:30);
//!                      where another local time of the schedule is the same moment, both are one slot
//! clock goes back      a local time that is there twice fires once, the first time
//! every hour (`*`)     both times: who asks for each hour means each real one, and gets 25 on the long day
//! missed slots         are made up once, by the newest; the others are said
//! ```

mod cron;
mod due;
mod frequency;
mod slot;
mod slots;
mod spread;
#[cfg(test)]
mod tests;

use core::fmt;
use jiff::tz::TimeZone;

pub use cron::{Cron, CronFault, Days, Field, Numbers};
pub use due::{Around, Due, MISSED_COUNTED_MAX, Missed};
pub use slot::Slot;
pub use slots::SEARCH_DAYS_MAX;
pub use spread::{opening, starts_at};

/// When points are made: a cron expression in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    cron: Cron,
    zone: TimeZone,
}

impl Schedule {
    /// A schedule of these local times in this zone.
    pub fn new(cron: Cron, zone: TimeZone) -> Self {
        Self { cron, zone }
    }

    /// Its local times.
    pub fn cron(&self) -> Cron {
        self.cron
    }

    /// Its zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

/// The one form to be shown and hashed, `0 2 * * * Europe/Berlin`: the same for two schedules exactly when they ask for the same.
///
/// A zone is meant by its name: what its rules say may change with its database, and the order stays the same.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.cron, self.zone.iana_name().unwrap_or("?"))
    }
}
