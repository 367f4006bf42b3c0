//! The rules by which points are kept, as a policy's entry gives them.
//! It never reads them from a document and never applies them.

use jiff::SignedDuration;

/// Of each machine and entry so many restorable points stay, whatever the policy says: the last one is never let go.
pub const MIN_FLOOR: u32 = 1;

/// What an entry keeps. A point stays when any of the rules keeps it; a count of 0 is a rule that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The newest so many.
    pub last: u32,
    /// The newest of each hour that has one, for so many hours.
    pub hourly: u32,
    /// The newest of each day that has one, for so many days.
    pub daily: u32,
    /// The newest of each ISO week that has one, for so many weeks.
    pub weekly: u32,
    /// The newest of each month that has one, for so many months.
    pub monthly: u32,
    /// The newest of each year that has one, for so many years.
    pub yearly: u32,
    /// All that are at most so much older than the newest. Each 24 hours of it are taken as such and as a day of the policy's
    /// zone, whichever reaches further back: after a change of the clocks one of the two would be an hour short.
    pub within: Option<SignedDuration>,
    /// Of each machine and entry at least so many stay; below [`MIN_FLOOR`] that counts.
    pub min: u32,
}

impl Keep {
    /// True when there is no rule to keep by; `min` is a floor under the rules, not one of them. Then everything stays.
    pub fn is_empty(&self) -> bool {
        let counts = [self.last, self.hourly, self.daily, self.weekly, self.monthly, self.yearly];
        self.within.is_none() && counts.iter().all(|count| *count == 0)
    }

    /// How many restorable points stay at least.
    pub fn at_least(&self) -> usize {
        usize::try_from(self.min.max(MIN_FLOOR)).unwrap_or(usize::MAX)
    }
}
