//! What is believed about Resource Graph.
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
        "graph-rows-readable",
        Documented,
        "a query shows the rows that the caller may read, by the read right of their type, and leaves the others out unsaid",
        "Learn, Resource Graph, permissions",
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
        "graph-items",
        Documented,
        "`RecoveryServicesResources` has the protected items of vaults, with `sourceResourceId`; they lag behind the vault",
        "Learn, Resource Graph, supported tables and sample queries",
    ),
    entry(
        "graph-token-life",
        Assumed,
        "a `$skipToken` holds for the next question only",
        "no source says how long it holds; it is used at once and never kept",
    ),
];
