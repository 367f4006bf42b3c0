//! Why something is not done: each reason a value, so that it can be recorded, counted and explained.
//! It never decides; the deciding module picks the reason.

use core::fmt;

use crate::facts::UnknownBecause;

/// A reason for doing nothing, or nothing yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The machine's state could not be learned.
    MachineUnknown(UnknownBecause),
    /// The machine does not exist any more.
    MachineGone,
    /// The policy does not match it.
    NoPolicyMatches,
    /// Something else manages it: a scale set, AKS, Databricks.
    ManagedElsewhere,
    /// Several policies of the same highest priority match it: which one is meant nobody says.
    EqualPriorities,
    /// It is in a region that this deployment does not own.
    NotOurRegion,
    /// The policy has no entry with `onCreate`.
    NothingOnCreate,
    /// The policy only reports: what would be done is recorded, nothing is changed.
    ReportOnly,
    /// The store does not say since when we know of every creation, so a creation cannot be told from an update.
    CreationsUnknown,
    /// Created before the time from which creations are ours to protect: an update of an old machine, or found too late.
    NotNew,
    /// It has its point.
    AlreadyProtected,
    /// A point of it is being made.
    PointInProgress,
    /// A point is being made that is not of this entry: one at a time per machine.
    OtherPointInProgress,
    /// ARM is at work on the machine.
    MachineInProgress,
    /// The machine is being deleted.
    MachineDeleting,
    /// The last attempt failed; the next one waits.
    AttemptWaits,
    /// All attempts failed.
    AttemptsUsedUp,
    /// The point's name is taken by something that we cannot have made.
    CollectionForeign,
    /// The collection's state could not be learned.
    CollectionUnknown(UnknownBecause),
    /// Restore points do not support an ephemeral OS disk.
    EphemeralOsDisk,
    /// Its disks allow no crash-consistent point, and the agent that an application-consistent one needs is not ready.
    NeedsAgent,
    /// Looked often enough; the sweep takes over.
    LooksUsedUp,
}

impl Refusal {
    /// True when somebody should be told: nothing will change by itself.
    pub fn alarms(self) -> bool {
        matches!(
            self,
            Self::AttemptsUsedUp
                | Self::CollectionForeign
                | Self::CreationsUnknown
                | Self::EphemeralOsDisk
                | Self::EqualPriorities
                | Self::LooksUsedUp
                | Self::MachineUnknown(_)
                | Self::CollectionUnknown(_)
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MachineUnknown(why) => write!(f, "the machine's state is not known: {why}"),
            Self::MachineGone => f.write_str("the machine does not exist any more"),
            Self::NoPolicyMatches => f.write_str("no policy matches the machine"),
            Self::ManagedElsewhere => f.write_str("something else manages the machine"),
            Self::EqualPriorities => f.write_str("several policies of the same highest priority match the machine"),
            Self::NotOurRegion => f.write_str("the machine is in a region that this deployment does not own"),
            Self::NothingOnCreate => f.write_str("the policy asks for no point on creation"),
            Self::ReportOnly => f.write_str("the policy only reports"),
            Self::CreationsUnknown => f.write_str("the store does not say since when creations are known"),
            Self::NotNew => f.write_str("the machine is not new"),
            Self::AlreadyProtected => f.write_str("the machine has its point"),
            Self::PointInProgress => f.write_str("the point is being made"),
            Self::OtherPointInProgress => f.write_str("another point of the machine is being made"),
            Self::MachineInProgress => f.write_str("Azure is at work on the machine"),
            Self::MachineDeleting => f.write_str("the machine is being deleted"),
            Self::AttemptWaits => f.write_str("the last attempt failed and the next one waits"),
            Self::AttemptsUsedUp => f.write_str("all attempts failed"),
            Self::CollectionForeign => f.write_str("the collection of that name is not ours"),
            Self::CollectionUnknown(why) => write!(f, "the collection's state is not known: {why}"),
            Self::EphemeralOsDisk => f.write_str("restore points do not support an ephemeral OS disk"),
            Self::NeedsAgent => f.write_str("the disks allow no crash-consistent point and the VM agent is not ready"),
            Self::LooksUsedUp => f.write_str("looked often enough; the sweep takes over"),
        }
    }
}

impl fmt::Display for UnknownBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPermitted => "reading it is not permitted",
            Self::SubscriptionNotEnabled => "its subscription is not enabled",
            Self::NotFoundUnproven => "it was not found, in words that prove nothing",
            Self::NotAsked => "it was not asked for",
        })
    }
}
