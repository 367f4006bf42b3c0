//! Decides how many of what is wanted may be done now, by what was done in the last 24 hours, and when a breaker opens.
//! It never closes a breaker: a person does.
//!
//! ```text
//! done in 24 h    0 ───────── turnover ───────── turnover + beyond
//! closed          granted     granted            refused; the breaker opens when it is more than another turnover
//! open            granted     refused            refused
//! ```

use crate::policy::Limits;

/// What may be done over any 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Normal turnover: passes always.
    pub turnover: u32,
    /// What may be done beyond it before the breaker opens.
    pub beyond: u32,
}

/// The state of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaker {
    /// Closed: the limit was not reached.
    Closed,
    /// Closed by a person within the last 24 hours: they have seen that more is wanted, and are not asked for the same again. The
    /// limit holds all the same.
    ClosedLately,
    /// Open.
    Open,
}

/// What is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// So many may be done.
    pub granted: u32,
    /// The breaker opens with this.
    pub opens: bool,
}

impl Allowance {
    /// For expiring points of a policy that had `made` points made in the last 24 hours and has `points` in all.
    pub fn expiry(limits: &Limits, made: u32, points: u32) -> Self {
        let share = u64::from(points) * u64::from(limits.expire_percent_per_day.min(100)) / 100;
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        // At least one: a policy that makes a point a week must be able to let one go.
        Self { turnover: made.max(1), beyond: limits.expire_per_day.max(share) }
    }

    /// For beginning protection in vaults, of which there is no turnover.
    pub fn protection(limits: &Limits) -> Self {
        Self { turnover: 0, beyond: limits.new_protections_per_day }
    }

    /// What of `wanted` is granted when `used` was done in the last 24 hours.
    ///
    /// A day's normal work at a slightly earlier hour than yesterday's lies within 24 hours of it: what is over the limit by that
    /// alone waits for a later hour, and opens no breaker. What is more than that opens it.
    pub fn grant(self, used: u32, wanted: u32, breaker: Breaker) -> Grant {
        let ceiling = match breaker {
            Breaker::Open => self.turnover,
            Breaker::Closed | Breaker::ClosedLately => self.turnover.saturating_add(self.beyond),
        };
        let granted = wanted.min(ceiling.saturating_sub(used));
        let too_many = used.saturating_add(wanted) > ceiling.saturating_add(self.turnover);
        Grant { granted, opens: too_many && breaker == Breaker::Closed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turnover_always_passes_and_beyond_it_the_breaker_opens() {
        let limits = Limits { expire_per_day: 20, expire_percent_per_day: 10, new_protections_per_day: 5 };
        let few = Allowance::expiry(&limits, 0, 100);
        assert_eq!(few, Allowance { turnover: 1, beyond: 20 });
        assert_eq!(Allowance::expiry(&limits, 300, 1_000), Allowance { turnover: 300, beyond: 100 });
        assert_eq!(
            Allowance::expiry(&Limits { expire_percent_per_day: 1_000, ..limits }, 0, u32::MAX).beyond,
            u32::MAX
        );
        let grant = |used, wanted, breaker| few.grant(used, wanted, breaker);
        assert_eq!(grant(0, 21, Breaker::Closed), Grant { granted: 21, opens: false });
        assert_eq!(grant(0, 22, Breaker::Closed), Grant { granted: 21, opens: false }, "one waits");
        assert_eq!(grant(0, 23, Breaker::Closed), Grant { granted: 21, opens: true });
        assert_eq!(grant(21, 1, Breaker::Closed), Grant { granted: 0, opens: false });
        assert_eq!(grant(21, 2, Breaker::Closed), Grant { granted: 0, opens: true });
        assert_eq!(grant(21, 1, Breaker::ClosedLately), Grant { granted: 0, opens: false });
        assert_eq!(grant(0, 5, Breaker::Open), Grant { granted: 1, opens: false });
        assert_eq!(grant(1, 5, Breaker::Open), Grant { granted: 0, opens: false });
        assert_eq!(Allowance::protection(&limits).grant(0, 9, Breaker::Closed), Grant { granted: 5, opens: true });
    }
}
