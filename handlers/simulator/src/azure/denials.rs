//! The refusals of Compute that rest on a limit or on a state, each with the entry of the evidence register that says how
//! well it is known.
//! It never decides when to refuse.

use super::errors::{ArmError, not_found};

/// Snapshots that only hold changes, of one disk, that may begin in five minutes (documented).
pub(crate) const SNAPSHOTS_PER_WINDOW: usize = 7;
/// The window of that limit, in seconds.
pub(crate) const SNAPSHOT_WINDOW_SECONDS: i64 = 300;
/// Such snapshots of one disk that are alive (documented).
pub(crate) const SNAPSHOTS_ALIVE: usize = 500;
/// Copies from other regions that run at once in a subscription and region (documented).
pub(crate) const COPIES_PER_REGION: usize = 100;
/// Background copies of one Premium v2 or Ultra disk (documented).
pub(crate) const BACKGROUND_PER_DISK: usize = 3;
/// Background copies of such disks in a subscription (documented).
pub(crate) const BACKGROUND_PER_SUBSCRIPTION: usize = 50;
/// Points of a machine over all its collections (documented).
pub(crate) const POINTS_PER_MACHINE: usize = 500;
/// Collections of a subscription in a region (documented).
pub(crate) const COLLECTIONS_PER_REGION: usize = 10_000;

/// What stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    DiskAttached,
    AttachedElsewhere,
    OpenAccess,
    AccessWhileRunning,
    SourceElsewhere,
    SourceUnfinished,
    SnapshotRate,
    SnapshotsAlive,
    CopyWithinRegion,
    CopyNotIncremental,
    CopiesAtOnce,
    CopyOutOfTurn,
    BackgroundCopies,
    VolumeChanged,
    CreationNotModelled,
    MachineBusy,
    MachineUnmade,
    GeneralizedStart,
    GeneralizeRunning,
    PointsAlive,
    CollectionsAlive,
    PointCopy,
}

impl Denial {
    /// All of them.
    pub(crate) const ALL: [Self; 22] = [
        Self::DiskAttached,
        Self::AttachedElsewhere,
        Self::OpenAccess,
        Self::AccessWhileRunning,
        Self::SourceElsewhere,
        Self::SourceUnfinished,
        Self::SnapshotRate,
        Self::SnapshotsAlive,
        Self::CopyWithinRegion,
        Self::CopyNotIncremental,
        Self::CopiesAtOnce,
        Self::CopyOutOfTurn,
        Self::BackgroundCopies,
        Self::VolumeChanged,
        Self::CreationNotModelled,
        Self::MachineBusy,
        Self::MachineUnmade,
        Self::GeneralizedStart,
        Self::GeneralizeRunning,
        Self::PointsAlive,
        Self::CollectionsAlive,
        Self::PointCopy,
    ];

    /// The entry of the register.
    pub(crate) fn evidence(self) -> &'static str {
        match self {
            Self::DiskAttached => "disk-delete-attached",
            Self::AttachedElsewhere => "disk-attach-twice",
            Self::OpenAccess => "snapshot-open-access",
            Self::AccessWhileRunning => "disk-access-running",
            Self::SourceElsewhere => "snapshot-source-region",
            Self::SourceUnfinished => "snapshot-copy-unusable",
            Self::SnapshotRate => "snapshot-rate",
            Self::SnapshotsAlive => "snapshot-alive",
            Self::CopyWithinRegion | Self::CopyNotIncremental => "snapshot-copy-refusals",
            Self::CopiesAtOnce | Self::CopyOutOfTurn => "snapshot-copies-at-once",
            Self::BackgroundCopies => "snapshot-background",
            Self::VolumeChanged => "disk-creation-fixed",
            Self::CreationNotModelled | Self::PointCopy => "simulator-not-modelled",
            Self::MachineBusy | Self::MachineUnmade => "vm-power-busy",
            Self::GeneralizedStart | Self::GeneralizeRunning => "vm-generalize",
            Self::PointsAlive => "point-alive",
            Self::CollectionsAlive => "collection-alive",
        }
    }

    /// The refusal; `name` is the resource that is in the way. Codes are named in the reference or, with status and
    /// wording, *assumed* (`compute-refusal-words`), but for the recorded `NotFound`.
    pub(crate) fn error(self, name: &str) -> ArmError {
        let conflict = |code: &str, message: String| ArmError::new(409, code, message);
        let not_allowed = |message: String| ArmError::new(409, "OperationNotAllowed", message);
        let wrong = |message: String| ArmError::new(400, "InvalidParameter", message);
        match self {
            Self::DiskAttached => not_allowed(format!("Disk {name} is attached to a VM and cannot be deleted.")),
            Self::AttachedElsewhere => not_allowed(format!("Disk {name} is already attached to another VM.")),
            Self::OpenAccess => {
                not_allowed(format!("There is an active shared access signature outstanding for {name}."))
            }
            Self::AccessWhileRunning => not_allowed(format!("Disk {name} is attached to a running VM.")),
            Self::SourceElsewhere => not_found(name),
            Self::SourceUnfinished => not_allowed(format!("The copy of {name} has not completed.")),
            Self::SnapshotRate => conflict(
                "SnapshotsLimitReached",
                "The snapshot count was exceeded for a disk. Please retry the request after sometime".to_owned(),
            ),
            Self::SnapshotsAlive => conflict(
                "SnapshotsLimitReached",
                format!(
                    "The snapshot count was exceeded for a disk: {name} has {SNAPSHOTS_ALIVE} incremental snapshots."
                ),
            ),
            Self::CopyWithinRegion => not_allowed(format!("CopyStart needs a source in another region than {name}.")),
            Self::CopyNotIncremental => wrong(format!("CopyStart needs incremental snapshots; {name} is not one.")),
            Self::CopiesAtOnce => {
                not_allowed(format!("More than {COPIES_PER_REGION} snapshots are being copied to region {name}."))
            }
            Self::CopyOutOfTurn => not_allowed(format!("Another snapshot of the same disk as {name} is being copied.")),
            Self::BackgroundCopies => not_allowed(format!("Too many snapshots of {name} have not completed.")),
            Self::VolumeChanged => {
                conflict("PropertyChangeNotAllowed", format!("Changing property '{name}' is not allowed."))
            }
            Self::CreationNotModelled => wrong(format!("This simulated Azure does not make disks by {name}.")),
            Self::MachineBusy => conflict(
                "AnotherOperationInProgress",
                format!(
                    "Another operation on this or dependent resource '{name}' is in progress. Retry after some time."
                ),
            ),
            Self::MachineUnmade => not_allowed(format!("VM '{name}' is being created or deleted.")),
            Self::GeneralizedStart => {
                not_allowed(format!("Operation 'start' is not allowed on VM '{name}' since the VM is generalized."))
            }
            Self::GeneralizeRunning => {
                not_allowed(format!("Operation 'generalize' is not allowed on VM '{name}' since it is running."))
            }
            Self::PointsAlive => {
                not_allowed(format!("The VM '{name}' has reached the maximum of {POINTS_PER_MACHINE} restore points."))
            }
            Self::CollectionsAlive => not_allowed(format!(
                "The subscription has reached the maximum of {COLLECTIONS_PER_REGION} collections in {name}."
            )),
            Self::PointCopy => wrong(format!("This simulated Azure does not copy restore points such as {name}.")),
        }
    }
}
