//! What is believed about disks and snapshots.
//!
//! It never decides anything.

use super::{
    Entry,
    Grade::{Assumed, Documented, Recorded},
    entry,
};

/// The entries.
pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "disk-get",
        Recorded,
        "`diskState`, `uniqueId`, `diskSizeBytes`, `timeCreated`, `managedBy`",
        "snapshot_incremental.jsonl, snapshot_ultra_ssd.jsonl",
    ),
    entry("disk-list", Documented, "`value[]` of disks, paged", "DiskRP.json"),
    entry(
        "snapshot-put",
        Recorded,
        "202 with the snapshot `Updating` and both headers; `Copy` with `incremental: true` of a disk",
        "snapshot_incremental.jsonl",
    ),
    entry(
        "snapshot-put-again",
        Assumed,
        "what a second PUT under a name that is taken does is not known, so it is not sent unless the first did nothing",
        "no source shows; read first",
    ),
    entry(
        "snapshot-limits",
        Documented,
        "7 snapshots of a disk in 5 minutes, 500 alive; `SnapshotsLimitReached`",
        "Learn, incremental snapshots",
    ),
    entry(
        "snapshot-get",
        Recorded,
        "`provisioningState`, `incrementalSnapshotFamilyId`, `uniqueId`, `creationData.sourceUniqueId`",
        "snapshot_incremental.jsonl",
    ),
    entry(
        "snapshot-completion",
        Recorded,
        "`Succeeded` with `completionPercent` 0.0 is not whole; absent or 100 is",
        "snapshot_incremental.jsonl",
    ),
    entry("snapshot-list", Documented, "`value[]` of snapshots, paged", "DiskRP.json"),
    entry("snapshot-delete", Documented, "200, 202 or 204; 204 where there is none", "DiskRP.json"),
    entry(
        "snapshot-family",
        Documented,
        "any incremental snapshot of a disk may be deleted: what the others need moves on",
        "Learn, questions about disks: what happens when one of several incremental snapshots is deleted",
    ),
];
