//! What a declaration is decided on, beside the signals: readiness, points, fence, saga, and people's words.
//! It never fetches anything.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use jiff::Timestamp;

use super::condition::Name;
use crate::signal::Signals;

/// One look.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The signals that stand.
    pub signals: &'a Signals,
    /// Machines known in the region that may be lost.
    pub machines: u64,
    /// Machines known in the region that takes over.
    pub target_machines: u64,
    /// What the last look at readiness said.
    pub readiness: Readiness,
    /// The newest usable point: the oldest of its members' newest ones, because the workload is lost back to that.
    pub point_at: Option<Timestamp>,
    /// What is known of stopping the old side.
    pub fence: FenceSeen,
    /// What is assumed, and approved of.
    pub assumed: &'a Assumed,
    /// A person's no to what is asked; of which incident it is says it.
    pub rejected: Option<Rejected>,
    /// The saga of the recovery plan.
    pub saga: SagaSeen,
    /// When that began; where it is not told, it counts from the first look that sees it.
    pub saga_began_at: Option<Timestamp>,
    /// A person's word that stands: an order to fail over, or as many approvals as the recovery plan asks. Who gave it, on
    /// which digest and when is checked by whoever takes it.
    pub word: Option<&'a Word>,
}

/// What the last look at readiness said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Executable.
    Ready {
        /// When that was looked at.
        at: Timestamp,
    },
    /// Not executable, for reasons that an order may pass.
    NotReady {
        /// When that was looked at.
        at: Timestamp,
    },
    /// A member does not allow failover: no order passes that.
    MemberRefuses {
        /// When that was looked at.
        at: Timestamp,
    },
    /// Never looked at, or it could not be read.
    Unknown,
}

/// What is known of stopping the old side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FenceSeen {
    /// Not tried yet.
    NotTried,
    /// The old machines are stopped.
    Confirmed,
    /// The old region does not answer.
    Impossible,
}

/// The saga of a recovery plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SagaSeen {
    /// There is none.
    None,
    /// It runs.
    Running {
        /// A failover of a member was accepted: there is no way back.
        accepted: bool,
    },
    /// The workload serves from the other region.
    FailedOver,
    /// It was undone.
    Undone,
    /// It serves from its own region again.
    FailedBack,
}

/// The assumed behaviours that a failover rests on, and those that a named person approved of, by their entries' ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assumed {
    /// What it rests on.
    pub entries: BTreeSet<String>,
    /// The list that was approved of; void as soon as it is not the list above.
    pub approved: Option<BTreeSet<String>>,
}

/// A person's no to what a declaration asks in an incident: the rules begin nothing in it any more. A person's own order does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// When the incident opened, which names it.
    pub incident: Timestamp,
    /// When it was said.
    pub at: Timestamp,
}

/// A person's word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// The conditions that it names and passes although they are not met.
    pub passes: BTreeSet<Name>,
}

impl Assumed {
    /// What nobody has approved of: all of it, where another list was.
    pub fn unapproved(&self) -> Vec<String> {
        let approved = self.approved.as_ref() == Some(&self.entries);
        if approved { Vec::new() } else { self.entries.iter().cloned().collect() }
    }
}
