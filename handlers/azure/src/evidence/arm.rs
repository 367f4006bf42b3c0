//! What is believed about Resource Manager's own habits.
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
        "arm-404-gone",
        Recorded,
        "ARM's gateway answers 404 `ResourceNotFound` for a resource that is not in an existing group",
        "restore_point.jsonl, GET subnet; snapshot_incremental.jsonl, GET snapshot",
    ),
    entry(
        "arm-404-group",
        Documented,
        "ARM answers 404 `ResourceGroupNotFound` for anything in a group that is not there",
        "Learn, common ARM errors",
    ),
    entry("arm-error-shape", Recorded, "errors are `{error:{code,message,details[]}}`", "query_error.jsonl"),
    entry(
        "arm-error-flat",
        Documented,
        "some providers put `code` and `message` at the top",
        "ComputeRP 429 body on Learn; Recovery Services",
    ),
    entry(
        "arm-403-names",
        Assumed,
        "a permission message names the action and the scope in quotes",
        "ARM's common text, from general knowledge; where it is worded otherwise the operation's own action is named",
    ),
    entry(
        "arm-409-passing",
        Assumed,
        "`AnotherOperationInProgress` and its like pass by themselves and changed nothing",
        "ARM's common codes; a later look reads before it repeats",
    ),
    entry(
        "arm-429-retry-after",
        Documented,
        "a 429 carries `Retry-After`; a repeat before it is refused and prolongs the wait",
        "Learn, request limits",
    ),
    entry(
        "arm-429-width",
        Assumed,
        "`SubscriptionRequestsThrottled` concerns the subscription, a target with `Subscription` or `Min` the operation, another 429 the one resource",
        "one 429 body is documented; too narrow a reading costs a refused request, no more",
    ),
    entry(
        "arm-quota-headers",
        Recorded,
        "`x-ms-ratelimit-remaining-*`, with `name;left` pairs in `…-resource`",
        "restore_point.jsonl",
    ),
    entry(
        "arm-next-link",
        Documented,
        "`nextLink` is followed verbatim and stays on the host; null and absent both end",
        "Learn; a link elsewhere is refused, because the token would go with it",
    ),
    entry("arm-5xx", Assumed, "after 408, 500, 502, 503, 504 a change may have been made", "the safe reading"),
    entry(
        "arm-async-header",
        Recorded,
        "a restore point's PUT answers 201 with `Azure-AsyncOperation` only",
        "restore_point.jsonl",
    ),
    entry(
        "arm-async-body",
        Recorded,
        "the status URL answers 200 with `status`: `InProgress`, `Succeeded`",
        "restore_point.jsonl",
    ),
    entry(
        "arm-async-failed",
        Documented,
        "a failed operation answers `Failed` with `error{code,message}`, a canceled one `Canceled`",
        "Learn, asynchronous operations",
    ),
    entry(
        "arm-location",
        Recorded,
        "`Location` answers 202 while running, then 200, 201 or 204; 4xx is failure",
        "backup_scenario.jsonl for 202, vm_generalize.jsonl for 200; Learn, asynchronous operations, for the rest",
    ),
    entry(
        "arm-status-host",
        Recorded,
        "status URLs are on the host that was asked",
        "restore_point.jsonl; one elsewhere is refused",
    ),
    entry(
        "arm-async-both",
        Recorded,
        "deletes, disks, snapshots and orders to machines answer 202 with `Azure-AsyncOperation` and `Location`, the latter with `monitor=true`",
        "restore_point.jsonl, vm_generalize.jsonl, gallery_e2e.jsonl, snapshot_incremental.jsonl",
    ),
    entry(
        "arm-async-disk",
        Recorded,
        "a disk's or snapshot's operation answers under `DiskOperations`, in the same form",
        "snapshot_incremental.jsonl",
    ),
    entry(
        "arm-async-lies",
        Assumed,
        "a status URL may answer 200 without a status, 404 after the end, or `Succeeded` before the resource is there",
        "the safe reading: the resource is read; a status alone proves nothing",
    ),
    entry(
        "arm-never",
        Recorded,
        "`0001-01-01` and `2001-01-01` are written for times that are not",
        "backup_protection.jsonl for both, siterecovery_V2A_RCMInMage_scenarios.jsonl for the first",
    ),
    entry(
        "arm-ids-any-case",
        Recorded,
        "ids come back in another case than they were asked for in",
        "restore_point.jsonl, backup_scenario.jsonl",
    ),
];
