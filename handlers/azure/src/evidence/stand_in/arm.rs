//! Beliefs about Azure that only tests rest on: what a stand-in for Resource Manager, groups, locks, rights and sizes answers.
//!
//! No call of this crate rests on one of these alone.

use super::super::{
    Entry,
    Grade::{Assumed, Documented},
    entry,
};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "arm-429-words",
        Assumed,
        "the interval in the text of ARM's 429",
        "the code is documented, the text is not; nothing reads it",
    ),
    entry(
        "arm-buckets",
        Documented,
        "250 reads and 25 a second, 200 writes or deletes and 10 a second, a subscription and principal; fifteen times that for all principals",
        "Learn, request limits and throttling",
    ),
    entry(
        "arm-operation-kept",
        Assumed,
        "an operation that ended can be asked for 24 hours, then it is 404 `NotFound`",
        "no source; the client takes a 404 after the end for unclear and reads the resource",
    ),
    entry(
        "arm-operation-url",
        Assumed,
        "a status URL that was changed is refused with 400",
        "no source; the client follows it verbatim",
    ),
    entry(
        "arm-page-size",
        Assumed,
        "a hundred resources on a page of a listing",
        "no source gives the figure; the client reads pages of any size",
    ),
    entry(
        "arm-retry-after-value",
        Assumed,
        "`Retry-After` of a running operation is 10 s",
        "the recorder left the header out; the client obeys any",
    ),
    entry(
        "arm-400-wording",
        Assumed,
        "codes and texts of `InvalidParameter` and `InvalidRequestContent`",
        "general knowledge; the client tells by the status",
    ),
    entry("arm-401", Assumed, "the texts of 401", "the codes are ARM's common ones; the client tells by the status"),
    entry(
        "arm-body-limit",
        Assumed,
        "a request body over 4 MB is refused with 413",
        "general knowledge; no request of ours comes near it",
    ),
    entry(
        "arm-parent-missing",
        Assumed,
        "a child written under a parent that is not there is 404 `ParentResourceNotFound`",
        "general knowledge; the client takes it for unproven, not for gone",
    ),
    entry(
        "arm-unknown-route",
        Assumed,
        "a method or type that ARM does not know is 405, or 404 `InvalidResourceType`",
        "general knowledge; the client takes it for refused, not for gone",
    ),
    entry(
        "arm-version-refusal",
        Assumed,
        "the texts of refused api-versions",
        "the codes are ARM's common ones, without a recording",
    ),
    entry(
        "arm-5xx-words",
        Assumed,
        "codes and texts of 500, 502, 503 and 504, and `Retry-After` of 5 s with 503",
        "general knowledge; the client tells by the status",
    ),
    entry(
        "region-of-a-call",
        Assumed,
        "locks, permissions and health are answered outside the region of what they are about; a group's end needs its region",
        "the safe reading: less is reachable than hoped",
    ),
    entry(
        "subscription-next-link",
        Assumed,
        "the last page of the listing of subscriptions has an empty `nextLink`",
        "subscriptions.json requires the field; the client takes empty, null and absent for the end",
    ),
    entry(
        "subscription-states",
        Assumed,
        "`PastDue` takes writes, `Deleted` only reads",
        "the safe reading; only `Enabled` lets the client conclude anything",
    ),
    entry(
        "subscription-missing",
        Assumed,
        "a subscription that is not there is 404 `SubscriptionNotFound`",
        "general knowledge; the client takes it for unproven, not for gone",
    ),
    entry(
        "subscription-read-only",
        Assumed,
        "a disabled subscription refuses writes with 409 `ReadOnlyDisabledSubscription`",
        "general knowledge",
    ),
    entry("group-head", Documented, "`HEAD` of a group answers 204, or 404", "resources.json"),
    entry(
        "group-delete",
        Documented,
        "a group's delete answers 202 with `Location` only, and takes all that is in it",
        "resources.json; its time, `Retry-After` and the form of the URL are assumed",
    ),
    entry(
        "group-being-deleted",
        Assumed,
        "a write into a group that is being deleted is 409 `ResourceGroupBeingDeleted`",
        "ARM's common code; the wording has no source",
    ),
    entry(
        "group-refusals",
        Assumed,
        "`LocationRequired` and `InvalidResourceGroupLocation` with their texts",
        "general knowledge",
    ),
    entry("lock-get", Documented, "the shape of a lock", "locks.json"),
    entry(
        "lock-put",
        Documented,
        "a lock's PUT answers 201 when new and 200 again; notes have 512 characters at most",
        "locks.json",
    ),
    entry("lock-delete", Documented, "a lock's delete answers 200, or 204 where there is none", "locks.json"),
    entry("lock-missing", Assumed, "a lock that is not there is 404 `LockNotFound`", "no source"),
    entry(
        "lock-not-specified",
        Assumed,
        "the level `NotSpecified` forbids nothing",
        "locks.json does not say; the client treats any lock it does not know as one that forbids",
    ),
    entry(
        "lock-refusal",
        Assumed,
        "a locked scope refuses with 409 `ScopeLocked`, inherited from above, and a parent's delete while something in it is locked",
        "quoted in public issue threads; a lock is never removed by the client",
    ),
    entry(
        "linked-collection-source",
        Documented,
        "a collection's PUT needs `virtualMachines/read` on its source",
        "Learn, restore points; reference of roles",
    ),
    entry(
        "linked-network-interface",
        Documented,
        "a machine's PUT needs `networkInterfaces/join/action`",
        "Learn, linked access checks",
    ),
    entry(
        "linked-disk-copy",
        Assumed,
        "a snapshot's or disk's PUT from a source needs `disks/beginGetAccess/action` on it",
        "quoted in public issue threads; the safe reading asks for the right",
    ),
    entry(
        "linked-machine-disk",
        Assumed,
        "a machine that attaches a disk needs `disks/write` on it",
        "the safe reading asks for the right",
    ),
    entry(
        "linked-refusal",
        Assumed,
        "the wording of 403 `LinkedAuthorizationFailed`",
        "quoted in public issue threads",
    ),
    entry(
        "usage-names",
        Assumed,
        "`cores`, `virtualMachines` and the family are the names of usages",
        "general knowledge",
    ),
    entry(
        "usage-limits",
        Assumed,
        "1,000 cores, 500 of a family, 25,000 machines",
        "defaults of the stand-in; a test sets others",
    ),
    entry(
        "size-table",
        Assumed,
        "cores, memory and family of fourteen sizes",
        "general knowledge; nothing rests on a figure",
    ),
    entry(
        "simulator-not-modelled",
        Assumed,
        "creation options, point copies and resource types that are not modelled are refused with 400 or 404",
        "the stand-in's own limit: it refuses instead of pretending",
    ),
];
