//! What this crate believes about Azure, and on what ground.
//!
//! It never decides anything; it is read by people and by tests.

/// How well something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Seen in a recording of real traffic.
    Recorded,
    /// In a document or a page of Microsoft's, or in the source of its libraries.
    Documented,
    /// Neither: the safe reading was chosen.
    Assumed,
}

/// One belief.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Short and stable.
    pub id: &'static str,
    /// What is believed.
    pub behaviour: &'static str,
    /// How well it is known.
    pub grade: Grade,
    /// Where from, or why this reading is the safe one.
    pub source: &'static str,
}

use Grade::{Assumed, Documented, Recorded};

const fn entry(id: &'static str, grade: Grade, behaviour: &'static str, source: &'static str) -> Entry {
    Entry { id, behaviour, grade, source }
}

/// All of them.
pub const EVIDENCE: &[Entry] = &[
    entry(
        "arm-404-gone",
        Recorded,
        "ARM's gateway answers 404 `ResourceNotFound` for a resource that is not in an existing group",
        "restore_point.jsonl, GET subnet",
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
        "ARM's common text, from general knowledge; where it is worded otherwise nothing is named",
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
        Documented,
        "`Location` answers 202 while running, then 200, 201 or 204; 4xx is failure",
        "Learn, asynchronous operations",
    ),
    entry(
        "arm-status-host",
        Recorded,
        "status URLs are on the host that was asked",
        "restore_point.jsonl; one elsewhere is refused",
    ),
    entry(
        "vm-fields",
        Recorded,
        "`vmId`, `timeCreated`, disks, instance view with `PowerState/…` and the agent's statuses",
        "restore_point.jsonl, GET machine",
    ),
    entry(
        "vm-agent",
        Recorded,
        "the agent is ready when its first status is `ProvisioningState/succeeded`",
        "vm tapes",
    ),
    entry(
        "vm-agent-absent",
        Assumed,
        "without an instance view or statuses of the agent nothing is known of it",
        "the safe reading: unknown is not ready",
    ),
    entry(
        "vm-managed-by",
        Documented,
        "`managedBy` and `virtualMachineScaleSet.id` name what owns a machine",
        "ComputeRP.json",
    ),
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
        "`{}` asks for the best consistency the machine gives",
        "restore_point tapes: `FileSystemConsistent` on Linux",
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
        "graph-paging",
        Recorded,
        "`$skipToken` in the answer means another page; it can come with `resultTruncated` \"false\"",
        "paged_query.jsonl",
    ),
    entry(
        "graph-truncated",
        Documented,
        "`resultTruncated` is a text; \"true\" without `$skipToken` is a cut result",
        "resourcegraph.json",
    ),
    entry(
        "graph-quota",
        Recorded,
        "`x-ms-user-quota-remaining` and `-resets-after` as hh:mm:ss; a page costs one",
        "query.jsonl",
    ),
    entry(
        "graph-scope-cut",
        Documented,
        "`x-ms-tenant-subscription-limit-hit: true` means that the scope was cut",
        "Learn, Resource Graph",
    ),
    entry(
        "graph-subscriptions",
        Assumed,
        "one question takes a thousand subscriptions",
        "no limit is documented in hand; more are asked in groups",
    ),
    entry(
        "graph-null-time",
        Assumed,
        "a machine without `timeCreated` is not after any time",
        "KQL: a comparison with null is null",
    ),
    entry(
        "blob-conditions",
        Documented,
        "`If-Match`, `If-None-Match: *` and `x-ms-blob-condition-appendpos` answer 409 or 412 when they do not hold",
        "Learn, Blob Storage",
    ),
    entry(
        "blob-lease",
        Documented,
        "409 `LeaseAlreadyPresent` while another holds it; acquiring under the same proposed id again succeeds",
        "Learn, Lease Blob",
    ),
    entry(
        "blob-slash",
        Documented,
        "azure_storage_blob 1.1 writes `/` in a blob's name as `%2F`; the service reads it as `/`",
        "its source; Learn, naming blobs",
    ),
    entry(
        "bus-scheduled",
        Documented,
        "`ScheduledEnqueueTimeUtc` is written as `Sun, 06 Nov 1994 08:49:37 GMT`",
        "Learn, message headers and properties",
    ),
    entry(
        "bus-duplicates",
        Documented,
        "a message with an id that was seen within the window is accepted and dropped",
        "Learn, duplicate detection",
    ),
    entry(
        "bus-properties",
        Assumed,
        "a header of ours becomes a property; unquoted text is read as text",
        "Learn's examples show both forms",
    ),
    entry("bus-scope", Assumed, "tokens for `https://servicebus.azure.net/.default`", "Microsoft's libraries"),
    entry("bus-diagnostic-id", Assumed, "`Diagnostic-Id` carries the trace of a message", "Microsoft's libraries"),
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
        "identity-endpoint",
        Documented,
        "the platform gives tokens at `IDENTITY_ENDPOINT` under `X-IDENTITY-HEADER`",
        "Learn, App Service managed identity; azure_identity 1.0",
    ),
];
