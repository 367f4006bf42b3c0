//! When to look again: the plan's and the performer's answer to "not yet".
//! It never waits; times are values, and no two machines look at the same moment.

use jiff::{SignedDuration, Timestamp};

use crate::effect::Consistency;
use crate::id::hash;

/// The first look after a start: most restore points are recorded to end within 7 to 46 seconds.
const FIRST_LOOK_SECS: u64 = 10;
/// The longest wait between two looks: a point that takes hours is seen soon enough, and polls cost reads.
const LOOK_SECS_MAX: u64 = 600;
/// After so many looks (about a day) the chain of messages ends; the sweep starts a new one while the point is missing.
pub const LOOKS_MAX: u32 = 150;

/// The next look of a chain: 10 s, 20 s, 40 s … 10 min, with up to a quarter more by machine, so that a burst spreads.
pub fn next(look: u32, machine: &str, now: Timestamp) -> Timestamp {
    let base = FIRST_LOOK_SECS.checked_shl(look.min(16)).unwrap_or(LOOK_SECS_MAX).min(LOOK_SECS_MAX);
    after(SignedDuration::from_secs(i64::try_from(base).unwrap_or(i64::MAX)), look, machine, now)
}

/// The first look after a point was begun: when most of its kind are recorded to have ended (13 s and 46 s), not before, because
/// each look costs reads.
pub fn after_begin(consistency: Consistency, machine: &str, now: Timestamp) -> Timestamp {
    let wait = match consistency {
        Consistency::Crash(_) => SignedDuration::from_secs(14),
        Consistency::Application => SignedDuration::from_secs(48),
    };
    after(wait, 0, machine, now)
}

/// A look after a wait that somebody else asked for (`Retry-After`), never before it, with up to a quarter more.
pub fn after(wait: SignedDuration, look: u32, machine: &str, now: Timestamp) -> Timestamp {
    let seed = hash(&[machine, look_text(look).as_str()]);
    let share = u64::from_str_radix(&seed[..4], 16).unwrap_or(0);
    let base_ms = u64::try_from(wait.as_millis()).unwrap_or(0);
    let extra_ms = base_ms / 4 * share / 0xffff;
    let wait_ms = i64::try_from(base_ms.saturating_add(extra_ms)).unwrap_or(i64::MAX);
    now.checked_add(SignedDuration::from_millis(wait_ms)).unwrap_or(Timestamp::MAX)
}

fn look_text(look: u32) -> alloc::string::String {
    alloc::format!("{look}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_get_rarer_up_to_the_bound_and_never_come_early() {
        let now = Timestamp::UNIX_EPOCH;
        for look in 0..LOOKS_MAX {
            let wait = next(look, "vm", now).duration_since(now).as_secs();
            let base = i64::try_from((FIRST_LOOK_SECS << look.min(16)).min(LOOK_SECS_MAX)).expect("small");
            assert!((base..=base + base / 4).contains(&wait), "look {look}: {wait}");
        }
    }
}
