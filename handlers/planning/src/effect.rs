//! One change to the world, as data: what a plan asks for and what an outcome answers.
//! It never performs anything. Families are added with the work that needs them: today `Point` and `Protection`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use jiff::Timestamp;

use crate::id::{PointName, hash};

/// A change to the world.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a plan has a handful, and none is kept in numbers")]
pub enum Effect {
    /// Something about recovery points.
    Point(PointEffect),
    /// Something about protection in a vault.
    Protection(ProtectionEffect),
}

/// Changes about protection in a vault. None of these can delete, stop or change protection that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtectionEffect {
    /// Have the vault look for machines anew. Harmless when late: it changes nothing but the vault's list of what it could protect.
    Discover {
        /// ARM id of the vault.
        vault: String,
    },
    /// Protect a machine. Harmless when late: the item's name is derived from the machine, so a repeat is the same PUT; it is
    /// only decided where the vault has no item of that name, stopped and soft-deleted ones included.
    Enable {
        /// ARM id of the vault.
        vault: String,
        /// ARM id of the machine.
        machine: String,
        /// ARM id of the vault policy.
        vault_policy: String,
    },
    /// Back a protected machine up now. Harmless when late: Azure refuses a second one while one runs, and three a day are its bound.
    BackUp {
        /// ARM id of the vault.
        vault: String,
        /// ARM id of the machine.
        machine: String,
        /// How long the vault keeps the point.
        keep_until: Timestamp,
    },
}

/// Changes about recovery points. What expires is one point, by a name of ours: none of these can name a collection, a vault or a
/// group to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PointEffect {
    /// Make the points' resource group. Harmless when late: the name is derived, and a group that is there is left as it is
    /// (it is read before it is written).
    EnsureGroup {
        /// Subscription id.
        subscription: String,
        /// Group.
        group: String,
        /// Region.
        location: String,
    },
    /// Make a machine's collection. Harmless when late: the name is derived, the source is fixed, so a repeat is the same PUT.
    EnsureCollection {
        /// Where.
        place: Place,
        /// Region.
        location: String,
        /// ARM id of the machine.
        machine: String,
        /// Whose it is.
        owner: String,
        /// The id of the estate record under which it is made.
        estate: String,
        /// What of the machine goes into the collection's tags: the hash of its `vmId`.
        vm_hash: String,
    },
    /// Make a restore point. Harmless when late: the name is derived, and an existing point cannot be updated.
    CreateRestorePoint {
        /// Where.
        place: Place,
        /// Name of the point.
        point: String,
        /// Consistency asked for.
        consistency: Consistency,
        /// ARM ids of data disks that are left out.
        excluded: Vec<String>,
    },
    /// Make an incremental snapshot of one disk. Harmless when late: the name is derived and is one attempt's for ever.
    CreateSnapshot {
        /// Subscription id.
        subscription: String,
        /// Resource group.
        group: String,
        /// Name of the snapshot.
        snapshot: String,
        /// Region.
        location: String,
        /// ARM id of the disk.
        disk: String,
        /// What its tags say.
        tags: SnapshotTags,
    },
    /// Delete a restore point that is due. Harmless when late: a name is one attempt's at one slot for ever, so that it never
    /// comes to mean another point; holds, locks and the other points are read again right before.
    ExpireRestorePoint {
        /// Where.
        place: Place,
        /// Its name.
        point: PointName,
    },
    /// Delete a snapshot that is due. Harmless when late for the same reason.
    ExpireSnapshot {
        /// Subscription id.
        subscription: String,
        /// Resource group.
        group: String,
        /// Its name.
        snapshot: PointName,
    },
}

/// What the tags of a snapshot say: never a whole ARM id, which has no room in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotTags {
    /// The deployment that made it.
    pub owner: String,
    /// The estate record that it goes by.
    pub estate: String,
    /// The policy's name.
    pub policy: String,
    /// The entry's name.
    pub entry: String,
    /// What it stands for.
    pub slot: String,
    /// The hash of the machine's `vmId`.
    pub machine: String,
    /// The machine's key.
    pub key: String,
    /// Disks of its set.
    pub of_disks: usize,
}

/// Where a collection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Subscription id.
    pub subscription: String,
    /// Resource group.
    pub group: String,
    /// Collection.
    pub collection: String,
}

/// The consistency that a point is asked to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// As the guest's agent can: application-consistent (Windows) or file-system-consistent (Linux).
    Application,
    /// Crash-consistent over all disks; needs no agent.
    Crash(CrashBecause),
}

/// Why a point is only crash-consistent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashBecause {
    /// The agent in the guest is not ready.
    AgentNotReady,
    /// An application-consistent attempt failed before.
    ApplicationAttemptFailed,
}

impl fmt::Display for CrashBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AgentNotReady => "the VM agent is not ready",
            Self::ApplicationAttemptFailed => "an application-consistent attempt failed before",
        })
    }
}

impl Effect {
    /// What this effect is told apart by: an outcome names it.
    pub fn key(&self) -> String {
        match self {
            Self::Point(PointEffect::EnsureGroup { subscription, group, .. }) => hash(&["group", subscription, group]),
            Self::Point(PointEffect::EnsureCollection { place, .. }) => {
                hash(&["collection", &place.subscription, &place.group, &place.collection])
            }
            Self::Point(PointEffect::CreateRestorePoint { place, point, .. }) => {
                hash(&["point", &place.subscription, &place.group, &place.collection, point])
            }
            Self::Point(PointEffect::CreateSnapshot { subscription, group, snapshot, .. }) => {
                hash(&["snapshot", subscription, group, snapshot])
            }
            Self::Point(PointEffect::ExpireRestorePoint { place, point }) => {
                hash(&["expire", &place.subscription, &place.group, &place.collection, &point.to_string()])
            }
            Self::Point(PointEffect::ExpireSnapshot { subscription, group, snapshot }) => {
                hash(&["expire snapshot", subscription, group, &snapshot.to_string()])
            }
            Self::Protection(ProtectionEffect::Discover { vault }) => hash(&["discover", vault]),
            Self::Protection(ProtectionEffect::Enable { vault, machine, .. }) => hash(&["enable", vault, machine]),
            Self::Protection(ProtectionEffect::BackUp { vault, machine, keep_until }) => {
                hash(&["back up", vault, machine, &keep_until.to_string()])
            }
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point(PointEffect::EnsureGroup { group, location, .. }) => {
                write!(f, "make resource group {group} in {location}")
            }
            Self::Point(PointEffect::EnsureCollection { place, location, .. }) => {
                write!(f, "make restore point collection {} in {location}", place.collection)
            }
            Self::Point(PointEffect::CreateRestorePoint { point, consistency: Consistency::Application, .. }) => {
                write!(f, "make restore point {point}, application-consistent")
            }
            Self::Point(PointEffect::CreateRestorePoint {
                point, consistency: Consistency::Crash(because), ..
            }) => {
                write!(f, "make restore point {point}, crash-consistent because {because}")
            }
            Self::Point(PointEffect::CreateSnapshot { snapshot, disk, tags, .. }) => {
                write!(f, "make snapshot {snapshot} of disk {}, one of {} and not atomic", last(disk), tags.of_disks)
            }
            Self::Point(PointEffect::ExpireRestorePoint { point, .. }) => write!(f, "delete restore point {point}"),
            Self::Point(PointEffect::ExpireSnapshot { snapshot, .. }) => write!(f, "delete snapshot {snapshot}"),
            Self::Protection(ProtectionEffect::Discover { vault }) => {
                write!(f, "have vault {} look for machines", last(vault))
            }
            Self::Protection(ProtectionEffect::Enable { vault, vault_policy, .. }) => {
                write!(f, "protect the machine in vault {} by vault policy {}", last(vault), last(vault_policy))
            }
            Self::Protection(ProtectionEffect::BackUp { vault, keep_until, .. }) => {
                write!(f, "back the machine up into vault {}, kept until {keep_until}", last(vault))
            }
        }
    }
}

/// The last part of an ARM id: the name.
fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}
