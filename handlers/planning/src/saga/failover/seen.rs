//! What Azure was seen to say, as facts: read whole by whoever performs, judged in `judge`.
//! They never say what follows.

use alloc::string::String;
use alloc::vec::Vec;
use jiff::Timestamp;

use super::memory::Back;
use super::point::PointFacts;

/// What a look was answered with.
#[derive(Clone, Debug, PartialEq)]
pub enum Facts {
    /// A member's item, points, jobs and new machine.
    Member(MemberFacts),
    /// An old machine.
    Old(Known<MachineFacts>),
    /// The target's surroundings.
    Target(TargetFacts),
    /// A traffic profile.
    Profile(Known<ProfileFacts>),
    /// Whether the workload answered as it shall.
    Answer(bool),
    /// The point of an old machine's disks.
    Saved(Known<SavedFacts>, Known<bool>),
    /// What protecting the other way needs.
    Back(BackFacts),
    /// A member on its way to being protected the other way, and what that needs now.
    Turning(MemberFacts, BackFacts),
}

/// Something that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// It is so.
    Is(T),
    /// It is proven not to be there.
    Absent,
    /// It could not be learned.
    Unknown,
}

/// What was read of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberFacts {
    /// Its replicated item, looked for under both fabrics.
    pub item: Known<ItemFacts>,
    /// The machine under the target's id.
    pub target: Known<MachineFacts>,
    /// Machines of the target group that have the target's name with a suffix, and are in the target region.
    pub alike: Vec<MachineFacts>,
    /// Its recovery points, in any order.
    pub points: Vec<PointFacts>,
    /// Jobs of the item, in any order.
    pub jobs: Vec<JobFacts>,
}

/// A replicated item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemFacts {
    /// `protectionState`.
    pub state: String,
    /// `activeLocation` is Primary.
    pub on_primary: bool,
    /// `UnplannedFailover` is among the allowed operations.
    pub allows_failover: bool,
    /// `replicationHealth` is Normal.
    pub healthy: bool,
    /// Codes of failover-health errors, but for "never drilled".
    pub errors: Vec<String>,
    /// It is a member of a multi-VM group with others.
    pub in_multi_vm_group: bool,
    /// It lies under the fabric of the region that took over: protection was turned round.
    pub turned_round: bool,
}

/// A job of Site Recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFacts {
    /// What it does.
    pub kind: JobKind,
    /// How far it is.
    pub state: JobState,
    /// When it began, by Azure's clock.
    pub began_at: Timestamp,
    /// What Azure says beside its success.
    pub warnings: Vec<String>,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// `unplannedFailover`.
    Failover,
    /// `applyRecoveryPoint`.
    ChangePoint,
    /// `failoverCommit`.
    Commit,
    /// `switchprotection`.
    ProtectBack,
    /// Anything else.
    Other,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Not at its end.
    Running,
    /// It succeeded, with or without warnings.
    Succeeded,
    /// It failed or was cancelled: its code.
    Failed(String),
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineFacts {
    /// ARM id.
    pub id: String,
    /// `vmId`.
    pub vm_id: String,
    /// Region.
    pub location: String,
    /// `timeCreated`.
    pub created_at: Timestamp,
    /// Its power state.
    pub power: Power,
    /// `ProvisioningState/succeeded`: nothing is at work on it.
    pub provisioned: bool,
}

/// A machine's power state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// `PowerState/running`.
    Running,
    /// `PowerState/starting`.
    Starting,
    /// `PowerState/deallocating`.
    Deallocating,
    /// `PowerState/deallocated`.
    Deallocated,
    /// `PowerState/stopped`, or stopping: it does not serve, keeps its hardware, and starts again by itself with it.
    Stopped,
    /// Any other, none among them: it may run.
    Other,
}

/// What the target needs besides its machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetFacts {
    /// The vault.
    pub vault: Known<()>,
    /// The target group of every member.
    pub groups: Known<()>,
    /// The target network of every member: all are there; true where none of them lies in the region that may be lost.
    pub networks: Known<bool>,
    /// Whether the quota has room for all of them. Free capacity cannot be read.
    pub quota_has_room: Known<bool>,
}

/// A traffic profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileFacts {
    /// `profileStatus` is Enabled.
    pub enabled: bool,
    /// Its endpoints.
    pub endpoints: Vec<EndpointFacts>,
}

/// An endpoint of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointFacts {
    /// Its name.
    pub name: String,
    /// `endpointStatus` is Enabled.
    pub enabled: bool,
    /// `endpointMonitorStatus`.
    pub monitor: Monitor,
    /// It is nested, or always served: its monitor status says nothing.
    pub unmonitored: bool,
}

/// An endpoint's monitor status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monitor {
    /// `Online`.
    Online,
    /// `CheckingEndpoint`.
    Checking,
    /// `Degraded`.
    Degraded,
    /// Any other.
    Other,
}

/// The point of an old machine's disks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedFacts {
    /// It succeeded and was copied whole, for every disk.
    pub restorable: bool,
    /// It failed.
    pub failed: Option<String>,
}

/// What was read of what protecting the other way needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackFacts {
    /// The old region's group, networks and disks.
    pub old_side: Known<()>,
    /// The old machine stands still, deallocated.
    pub still: Known<bool>,
    /// The reverse mapping of containers, the cache account in the new source region, and the new machine's disks.
    pub back: Known<Back>,
}
