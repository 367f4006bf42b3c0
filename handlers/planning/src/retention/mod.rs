//! Decides which recovery points of one machine and one entry of a policy stay, and which are due to go.
//! It never deletes, never reads a clock and never fails: what cannot be judged stays, with that reason.
//!
//! Keep wins: a point is due only when no rule keeps it, and it goes only when nothing stands in the way either.
//!
//! ```text
//! not ours                                        foreign    reported, never touched
//! a rule, or its state, keeps it                  keep       with every rule that does
//! nothing keeps it, something stands in the way   blocked    by a hold, a lock, a use, a machine that is not known, …
//! nothing keeps it, nothing stands in the way     expire     oldest first
//! ```
//!
//! What counts is a point of ours that is restorable and whose time is not in the future. Consistency plays no role: asking
//! for more of it later frees nothing. No rule looks at the clock but two: a time in the future, and how long a machine is gone.

mod keep;
mod period;
mod point;
mod reason;
mod rules;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use keep::{Keep, MIN_FLOOR};
pub use period::{Period, number};
pub use point::{Barrier, DiskPart, InUse, Ownership, PointSeen, State, newest_of_each_disk};
pub use reason::{Reason, Reasons, Role};

use crate::policy::{AtLeast, WhenMachineDeleted};

/// All points of a machine stay for so long after it was first seen gone: whoever deleted it by mistake is back from two weeks
/// of absence, and no setting makes it shorter.
pub const GONE_KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);
/// A failed point is evidence. It is due once a restorable point of the same entry is newer by so much: a week, so that whoever
/// looks after the machine saw a failure of the weekend. Counted from that point, not from the clock: while nothing succeeds,
/// the evidence of why stays.
pub const FAILED_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Where people deleted by hand, nothing goes until so many restorable points are read: one could be the next to be deleted.
pub const RESTORABLE_AFTER_DELETION_BY_HAND: usize = 2;

/// What the verdicts on the points of one machine and one entry rest on, beside the points.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The entry's rules. `None` when the policy is empty, unreadable or not there: then everything stays.
    pub keep: Option<&'a Keep>,
    /// The policy's zone: its days, weeks, months and years are counted.
    pub zone: &'a TimeZone,
    /// The consistency that is asked for. It is only told; it keeps and frees nothing.
    pub at_least: AtLeast,
    /// The machine.
    pub machine: Presence,
    /// What becomes of its points when it is gone.
    pub when_gone: WhenMachineDeleted,
    /// Somebody other than Lifeboat deleted points of this machine and entry.
    pub deleted_by_hand: bool,
    /// The time.
    pub now: Timestamp,
}

/// Whether the machine is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It was read.
    Living,
    /// It is gone, and was first seen so at this time.
    GoneSince(Timestamp),
    /// Nothing may be concluded.
    Unknown,
}

/// What becomes of a point, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of it.
    pub kind: Kind,
    /// Every reason for it; never none.
    pub reasons: Reasons,
}

/// What becomes of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It stays: at least one rule or its own state keeps it.
    Keep,
    /// It is due.
    Expire,
    /// Nothing keeps it, but something stands in the way: it stays.
    Blocked,
    /// Not ours: never touched.
    Foreign,
}

impl Kind {
    /// The word for it, as people and programs read it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Expire => "expire",
            Self::Blocked => "blocked",
            Self::Foreign => "foreign",
        }
    }
}

/// A verdict for each point, in the order of `points`. The order in which points come changes no verdict.
pub fn verdicts(question: &Question<'_>, points: &[PointSeen<'_>]) -> Vec<Verdict> {
    rules::reasons(question, points).into_iter().map(|reasons| Verdict { kind: kind(reasons), reasons }).collect()
}

/// The points that are due, as indexes into `points`, oldest first: who stops half way has deleted what was needed least.
pub fn due_oldest_first(points: &[PointSeen<'_>], verdicts: &[Verdict]) -> Vec<usize> {
    let mut due: Vec<usize> = verdicts
        .iter()
        .enumerate()
        .filter(|(_, verdict)| verdict.kind == Kind::Expire)
        .map(|(index, _)| index)
        .collect();
    due.sort_by(|a, b| {
        let (a, b) = (&points[*a], &points[*b]);
        a.at.cmp(&b.at).then_with(|| a.name.cmp(b.name))
    });
    due
}

/// Keep wins, then what stands in the way; only what has a reason to go and none against it is due.
fn kind(reasons: Reasons) -> Kind {
    if reasons.any(Role::Foreign) {
        Kind::Foreign
    } else if reasons.any(Role::Keeps) {
        Kind::Keep
    } else if reasons.any(Role::Blocks) || !reasons.any(Role::Due) {
        Kind::Blocked
    } else {
        Kind::Expire
    }
}
