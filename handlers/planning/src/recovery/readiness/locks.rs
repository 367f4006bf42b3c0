//! Locks on what a failover changes: what forbids changes keeps it from being done, what forbids deletes alone is told.
//! It never takes locks that could not be read for none, nor a level that no document explains for harmless.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::note::Note;
use super::reason::Reason;

/// The locks of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocksSeen {
    /// The subscription.
    pub subscription: String,
    /// Nothing but old machines is in it: whatever is lost with their region may keep it from answering.
    pub in_from: bool,
    /// Locks that stand over something that a failover changes; `None` where they could not be read.
    pub locks: Option<Vec<LockSeen>>,
}

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockSeen {
    /// Its name.
    pub name: String,
    /// What it stands on, as people call it.
    pub at: String,
    /// What it forbids.
    pub level: LockLevel,
    /// What it stands over, each once.
    pub over: Vec<Locked>,
}

/// What a lock forbids (`lock-levels`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockLevel {
    /// Everything but reads.
    ReadOnly,
    /// Deletes alone.
    CanNotDelete,
    /// What no document explains, in Azure's word.
    Other(String),
}

/// What a failover changes, and a lock may stand over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Locked {
    /// The machines to be, which are made.
    TargetMachines,
    /// The replicated items, which are ordered to fail over and to commit.
    Items,
    /// The endpoints of traffic, which are enabled and disabled.
    Endpoints,
    /// The old machines, which are stopped, and deleted when the other way is protected.
    OldMachines,
}

/// What the locks of a subscription keep, and what is told of them besides.
pub(super) fn judge(seen: &LocksSeen, reasons: &mut Vec<Reason>, notes: &mut Vec<Note>) {
    let Some(locks) = &seen.locks else {
        let (subscription, in_from) = (seen.subscription.clone(), seen.in_from);
        return reasons.push(Reason::LocksUnread { subscription, in_from });
    };
    for lock in locks.iter().filter(|lock| !lock.over.is_empty()) {
        match lock.level {
            LockLevel::CanNotDelete => notes.push(Note::DeletesLocked { lock: lock.clone() }),
            LockLevel::ReadOnly | LockLevel::Other(_) => reasons.push(Reason::Locked { lock: lock.clone() }),
        }
    }
}

impl LockSeen {
    /// What it stands over, in words.
    pub(super) fn over(&self) -> String {
        let mut words = String::new();
        for (place, one) in self.over.iter().enumerate() {
            words.push_str(match place {
                0 => "",
                _ if place + 1 == self.over.len() => " and ",
                _ => ", ",
            });
            words.push_str(one.words());
        }
        words
    }
}

impl fmt::Display for LockSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match &self.level {
            LockLevel::ReadOnly => "ReadOnly",
            LockLevel::CanNotDelete => "CanNotDelete",
            LockLevel::Other(word) => word,
        };
        write!(f, "lock {} ({level}) on {}", self.name, self.at)
    }
}

impl Locked {
    fn words(self) -> &'static str {
        match self {
            Self::TargetMachines => "the machines to be",
            Self::Items => "the replicated items",
            Self::Endpoints => "the endpoints of traffic",
            Self::OldMachines => "the old machines",
        }
    }
}
