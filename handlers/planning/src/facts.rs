//! What was seen, with how sure we are of it: the input of every decision.
//! It never fetches anything; absence and ignorance are different values and are never turned into one another.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use jiff::Timestamp;

use crate::policy::MachineAttributes;

pub mod vault;

/// One look at the world for one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The machine.
    pub machine: MachineSeen,
    /// Its restore point collection, by its derived name.
    pub collection: CollectionSeen,
    /// The snapshots in the points' group of its region.
    pub snapshots: SnapshotsSeen,
    /// Its protection in a vault; `None` where the policy asks for none.
    pub protection: Option<vault::ProtectionFacts>,
    /// Since when we know of every creation: see [`crate::sweep`]. `None` when the store could not tell.
    pub known_since: Option<Timestamp>,
    /// The deployment that acts and the estate record that it goes by: what was made by another one, or under another record,
    /// is foreign.
    pub owner: Owner,
    /// The regions that are this deployment's to change, in the form of [`crate::creation::region`].
    pub owned_regions: Vec<String>,
}

/// A machine as Azure told it, or why it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one for each look, never kept in numbers")]
pub enum MachineSeen {
    /// Read.
    Present(Machine),
    /// ARM says that it does not exist, while its subscription answers `Enabled`.
    Gone,
    /// Anything else: nothing may be concluded.
    Unknown(UnknownBecause),
}

/// Why something is not known. Unknown changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownBecause {
    /// We may not read it (401, 403).
    NotPermitted,
    /// Its subscription is not enabled.
    SubscriptionNotEnabled,
    /// A 404 that is not ARM's own word for a resource or group that is not there.
    NotFoundUnproven,
    /// Not asked, because what it rests on is not known.
    NotAsked,
}

/// A virtual machine, as far as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// ARM id, as Azure writes it.
    pub id: String,
    /// Identity of the machine: stays when it moves, changes when it is made again.
    pub vm_id: String,
    /// What policies match on: name, group, subscription, region, tags, system, size, manager.
    pub about: MachineAttributes,
    /// When it was created.
    pub created_at: Timestamp,
    /// Provisioning state.
    pub provisioning: Provisioning,
    /// The VM agent in the guest.
    pub agent: Agent,
    /// What of its disks decides which kind of point is possible.
    pub disks: DiskSupport,
    /// Its managed disks, the OS disk first.
    pub volumes: Vec<Volume>,
}

/// A managed disk of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// ARM id.
    pub id: String,
    /// It is the OS disk.
    pub os: bool,
    /// Its tags, where a policy asks for them.
    pub tags: DiskTags,
}

/// The tags of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskTags {
    /// Read.
    Known(BTreeMap<String, String>),
    /// Not asked, or not answered.
    Unknown,
}

/// Provisioning state of a machine, as far as decisions tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provisioning {
    /// `Succeeded`, `Failed`, `Canceled`: the machine stands still.
    Settled,
    /// `Creating`, `Updating`, `Migrating`: ARM is at work on it.
    InProgress,
    /// `Deleting`.
    Deleting,
}

/// The VM agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// `ProvisioningState/succeeded`, displayed `Ready`.
    Ready,
    /// Reported as anything else, or not at all: a machine that is off reports nothing.
    NotReady,
}

/// Which kinds of point the machine's disks allow (support matrix of restore points).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskSupport {
    /// An ephemeral OS disk: no restore points at all.
    pub ephemeral_os: bool,
    /// Ultra, Premium SSD v2 or write-accelerated disks: no crash-consistent restore points.
    pub no_crash_consistent: bool,
}

/// A restore point collection, or why it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CollectionSeen {
    /// Read, with its points.
    Present(Collection),
    /// The group exists (or the collection's absence was told by the group), the collection does not.
    Absent,
    /// Not even the points' resource group exists.
    GroupAbsent,
    /// Nothing may be concluded.
    Unknown(UnknownBecause),
}

/// A collection and its points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Region.
    pub location: String,
    /// ARM id of the machine that it is of.
    pub source: String,
    /// The tag that says whose it is.
    pub owner: Option<String>,
    /// The tag with the hash of the machine's `vmId`.
    pub vm_hash: Option<String>,
    /// Names of points that a tag says are held.
    pub held: Vec<String>,
    /// The tag that says under which estate record it was made.
    pub estate: Option<String>,
    /// Its points, in any order.
    pub points: Vec<Point>,
}

/// Whose something is that can carry tags: the deployment that made it, under the id of its estate record then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The deployment.
    pub deployment: String,
    /// The estate record's id.
    pub estate: String,
}

impl Owner {
    /// True when a collection carries both tags of this owner.
    pub fn has_made(&self, collection: &Collection) -> bool {
        self.is(collection.owner.as_deref(), collection.estate.as_deref())
    }

    /// True when the two tags are those of this owner.
    pub fn is(&self, owner: Option<&str>, estate: Option<&str>) -> bool {
        owner == Some(self.deployment.as_str()) && estate == Some(self.estate.as_str()) && !self.estate.is_empty()
    }
}

/// A restore point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// Name.
    pub name: String,
    /// State.
    pub state: PointState,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Consistency as really reached, in Azure's word.
    pub consistency: Option<String>,
    /// ARM ids of the managed disks that it has.
    pub disks: Vec<String>,
}

/// The snapshots of a points' group, or why they are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotsSeen {
    /// All of the group.
    Read(Vec<Snapshot>),
    /// The group does not exist.
    GroupAbsent,
    /// Nothing may be concluded.
    Unknown(UnknownBecause),
}

/// An incremental snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Name.
    pub name: String,
    /// State; `Succeeded` only when it is copied whole.
    pub state: PointState,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// ARM id of the disk that it is of.
    pub disk: Option<String>,
    /// The tag that says whose it is.
    pub owner: Option<String>,
    /// The tag that says under which estate record it was made.
    pub estate: Option<String>,
    /// The tag with the hash of the machine's `vmId`.
    pub machine: Option<String>,
    /// The tag that says of how many disks its set is.
    pub of_disks: Option<usize>,
    /// A tag says that it is held.
    pub held: bool,
    /// Somebody holds an open access to it.
    pub open_access: bool,
}

/// State of a point, as far as decisions tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointState {
    /// `Succeeded`.
    Succeeded,
    /// `Failed` or `Canceled`: final, kept as evidence.
    Failed,
    /// `Deleting`.
    Deleting,
    /// Anything else: still at work.
    InProgress,
}
