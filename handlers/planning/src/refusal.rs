//! Why something is not done: each reason a value, so that it can be recorded, counted and explained.
//! It never decides; the deciding module picks the reason.

use alloc::string::String;
use core::fmt;

use crate::facts::UnknownBecause;

/// A reason for doing nothing, or nothing yet.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// A person has stopped all changes.
    ChangesStopped,
    /// Its region, or the recovery plan that it belongs to, has an open incident, or whether it has is not known.
    Incident,
    /// It is in a region that this deployment does not own.
    NotOurRegion,
    /// No entry of the policy wants a point now.
    NothingDue,
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
    /// A backup of the vault takes its snapshot at this moment.
    VaultTakesSnapshot,
    /// The snapshots of its region could not be read.
    SnapshotsUnknown(UnknownBecause),
    /// The tags of its disks, which say what is left out, could not be read.
    DiskTagsUnknown,
    /// It has no managed disk that a snapshot could be taken of.
    DisksWithoutSnapshots,
    /// Its disks allow no crash-consistent point, and the agent that an application-consistent one needs is not ready.
    NeedsAgent,
    /// Looked often enough; the sweep takes over.
    LooksUsedUp,
    /// The policy names no vault for the machine's region.
    NoPlacement,
    /// The subscription has no vault of that name.
    NoVault,
    /// Several resource groups have a vault of that name.
    SeveralVaults,
    /// The vault is in another region than the machine.
    VaultInOtherRegion,
    /// The vault, or something in it, could not be read.
    VaultUnknown(UnknownBecause),
    /// The vault has no vault policy of that name.
    NoVaultPolicy,
    /// Neither the machine's tag nor the policy names a vault policy.
    VaultPolicyNotNamed,
    /// The vault policy is not for virtual machines.
    VaultPolicyNotForMachines,
    /// The vault policy protects as many machines as it may.
    VaultPolicyFull,
    /// Another vault protects the machine.
    ProtectedElsewhere,
    /// Somebody stopped, paused or suspended its protection.
    ProtectionStopped,
    /// Its item was deleted and waits to be gone.
    ItemSoftDeleted,
    /// Its item is in a state that nothing is known of.
    ItemStateUnknown,
    /// The item under its name is that of a machine that was there before.
    ItemOfPredecessor,
    /// Its item has another vault policy.
    OtherVaultPolicy,
    /// Azure's check before protection stands against it: its code.
    PreCheckFailed(String),
    /// The day's counter grants no further beginning of protection.
    ProtectionsCounted,
    /// A job of the vault is at work on it.
    JobInProgress,
    /// A job of the vault failed: its code.
    BackupJobFailed(String),
}

impl Refusal {
    /// True when somebody should be told: nothing will change by itself.
    pub fn alarms(&self) -> bool {
        matches!(
            self,
            Self::AttemptsUsedUp
                | Self::CollectionForeign
                | Self::CreationsUnknown
                | Self::EphemeralOsDisk
                | Self::DisksWithoutSnapshots
                | Self::SnapshotsUnknown(_)
                | Self::EqualPriorities
                | Self::LooksUsedUp
                | Self::MachineUnknown(_)
                | Self::CollectionUnknown(_)
                | Self::NoPlacement
                | Self::NoVault
                | Self::SeveralVaults
                | Self::VaultInOtherRegion
                | Self::NoVaultPolicy
                | Self::VaultPolicyNotNamed
                | Self::VaultPolicyNotForMachines
                | Self::VaultPolicyFull
                | Self::ProtectedElsewhere
                | Self::ProtectionStopped
                | Self::ItemSoftDeleted
                | Self::ItemStateUnknown
                | Self::ItemOfPredecessor
                | Self::OtherVaultPolicy
                | Self::PreCheckFailed(_)
                | Self::BackupJobFailed(_)
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
            Self::ChangesStopped => f.write_str("a person has stopped all changes"),
            Self::Incident => f.write_str(
                "its region or its recovery plan has an open incident, or whether it has could not be read: nothing is begun on it",
            ),
            Self::NotOurRegion => f.write_str("the machine is in a region that this deployment does not own"),
            Self::NothingDue => f.write_str("no point is due"),
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
            Self::VaultTakesSnapshot => f.write_str("a backup of the vault takes its snapshot at this moment"),
            Self::SnapshotsUnknown(why) => write!(f, "the snapshots of its region are not known: {why}"),
            Self::DiskTagsUnknown => f.write_str("the tags of its disks are not known"),
            Self::DisksWithoutSnapshots => f.write_str("it has no disk that a snapshot could be taken of"),
            Self::NeedsAgent => f.write_str("the disks allow no crash-consistent point and the VM agent is not ready"),
            Self::LooksUsedUp => f.write_str("looked often enough; the sweep takes over"),
            Self::NoPlacement => f.write_str("the policy names no vault for the machine's region"),
            Self::NoVault => f.write_str("the subscription has no vault of that name"),
            Self::SeveralVaults => f.write_str("several resource groups have a vault of that name"),
            Self::VaultInOtherRegion => f.write_str("the vault is in another region than the machine"),
            Self::VaultUnknown(why) => write!(f, "the vault's state is not known: {why}"),
            Self::NoVaultPolicy => f.write_str("the vault has no vault policy of that name"),
            Self::VaultPolicyNotNamed => f.write_str("neither the machine's tag nor the policy names a vault policy"),
            Self::VaultPolicyNotForMachines => f.write_str("the vault policy is not for virtual machines"),
            Self::VaultPolicyFull => f.write_str("the vault policy protects as many machines as it may"),
            Self::ProtectedElsewhere => f.write_str("another vault protects the machine"),
            Self::ProtectionStopped => f.write_str("somebody stopped its protection"),
            Self::ItemSoftDeleted => f.write_str("its item in the vault is soft-deleted"),
            Self::ItemStateUnknown => f.write_str("its item in the vault is in a state that nothing is known of"),
            Self::ItemOfPredecessor => f.write_str("the item of its name in the vault is that of a machine before it"),
            Self::OtherVaultPolicy => f.write_str("its item has another vault policy"),
            Self::PreCheckFailed(code) => write!(f, "Azure's check before protection says {code}"),
            Self::ProtectionsCounted => f.write_str("the day's counter grants no further beginning of protection"),
            Self::JobInProgress => f.write_str("a job of the vault is at work on the machine"),
            Self::BackupJobFailed(code) => write!(f, "a job of the vault failed with {code}"),
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
