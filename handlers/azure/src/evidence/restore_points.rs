//! What is believed about restore points and their collections.
//!
//! It never decides anything.

use super::{
    Entry,
    Grade::{Assumed, Documented, Recorded},
    entry,
};

/// The entries.
pub(super) const ENTRIES: &[Entry] = &[
    entry("collection-put", Recorded, "a collection's PUT answers 201 at once", "restore_point_collection.jsonl"),
    entry("collection-put-again", Documented, "a second PUT may change only tags", "ComputeRP.json"),
    entry(
        "collection-expand",
        Recorded,
        "`$expand=restorePoints` gives the points with states and `sourceMetadata.vmId`",
        "restore_point.jsonl",
    ),
    entry(
        "point-put-empty",
        Recorded,
        "`{}` asks for the best consistency the machine gives: `FileSystemConsistent` on Linux",
        "restore_point.jsonl",
    ),
    entry(
        "point-put-again",
        Assumed,
        "what a second PUT of a point answers is not known, so it is not sent unless the first did nothing",
        "an existing point cannot be updated (ComputeRP.json)",
    ),
    entry(
        "point-states",
        Recorded,
        "`Creating`, then `Succeeded`",
        "restore_point.jsonl; the document lists no values",
    ),
    entry(
        "point-failed",
        Assumed,
        "a failed point says `Failed`, keeps its name, and has its reason in the instance view's statuses",
        "ComputeRP.json has the field; no failure is recorded",
    ),
    entry(
        "point-consistency",
        Recorded,
        "`consistencyMode` of a read point is what was reached",
        "restore_point.jsonl",
    ),
    entry(
        "restore-point-refill",
        Assumed,
        "a subscription's 150 restore points a region come back at fifty a minute",
        "the bucket is recorded, its window is in no source; other Compute budgets come back by a third a minute",
    ),
    entry(
        "restore-point-second-at-once",
        Assumed,
        "one restore point of a machine is made at a time; a second one is refused while it runs",
        "Learn's concurrency rule; its code is in no source, so any 409 puts the look off",
    ),
    entry(
        "collection-list",
        Recorded,
        "`value[]` of collections without their points",
        "restore_point_collection.jsonl",
    ),
    entry(
        "collection-delete",
        Recorded,
        "202 with both headers; all points of the collection go",
        "restore_point_collection.jsonl; ComputeRP.json for the points",
    ),
    entry("point-exclude", Documented, "`excludeDisks[].id` leaves data disks out of a point", "ComputeRP.json"),
    entry("point-delete", Recorded, "202 with both headers; the operation ends `Succeeded`", "restore_point.jsonl"),
    entry("point-delete-missing", Documented, "204 where there is none", "ComputeRP.json"),
    entry(
        "point-delete-others",
        Documented,
        "deleting one restore point leaves the other points of its collection whole",
        "DiskRP.json: a disk's restore point is backed by a snapshot of an incremental family (`DiskRestorePointProperties`, `familyId`); Learn, questions about disks: deleting one incremental snapshot does not affect the others; ComputeRP.json: only the collection's delete takes the points along; Learn, issues with agent or extension: to make room, delete points. No sentence says it of restore points themselves, and no tape shows it",
    ),
];
