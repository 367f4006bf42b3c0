//! Beliefs about Azure that only tests rest on: what a stand-in for Resource Graph and Resource Health answers.
//!
//! No call of this crate rests on one of these alone.

use super::super::{
    Entry,
    Grade::{Assumed, Documented},
    entry,
};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "graph-scope",
        Assumed,
        "subscriptions that are not there are left out; a management group holds all subscriptions",
        "the safe reading: the client asks by subscription and probes what it may read",
    ),
    entry(
        "graph-unreadable",
        Assumed,
        "rows that may not be read are left out without a word",
        "the safe reading: nothing is concluded from absence",
    ),
    entry(
        "graph-summarize-order",
        Assumed,
        "groups of `summarize` come in the order of their keys",
        "the documents' examples show it",
    ),
    entry(
        "graph-table",
        Assumed,
        "a column's type in the table format is that of its first value",
        "resourcegraph.json names the types only",
    ),
    entry("graph-options", Assumed, "code and text of refused options", "no source"),
    entry("graph-facet-options", Assumed, "code of a facet's refused option", "no source"),
    entry("graph-query-length", Assumed, "a query over 64 KiB is refused", "no source"),
    entry(
        "graph-quota-refusal",
        Assumed,
        "code `RateLimiting` and text of Graph's 429",
        "without a recording; the client tells by the status",
    ),
    entry(
        "health-current",
        Documented,
        "the current status of a resource, with `recentlyResolved`",
        "ResourceHealth.json",
    ),
    entry("health-list", Documented, "the statuses of a subscription or group, in pages", "ResourceHealth.json"),
    entry("health-impacted", Documented, "the resources that an event hits", "ResourceHealth.json"),
    entry("health-history", Assumed, "ten past statuses are kept, named by their time", "the document does not say"),
    entry("health-texts", Assumed, "the sentences of statuses and events", "no source; nothing reads them"),
    entry(
        "health-filter",
        Assumed,
        "a `$filter` of statuses is refused",
        "the document does not say; the client sends none",
    ),
    entry("health-unsupported", Assumed, "other types than machines are refused with 400", "no source"),
    entry("health-event-missing", Assumed, "an event that is not there is 404 `EventNotFound`", "no source"),
    entry("health-actions", Assumed, "the actions that reading health needs", "general knowledge"),
    entry(
        "health-graph-row",
        Assumed,
        "columns of `HealthResources` besides those of the change event",
        "the official change event shows the others",
    ),
    entry(
        "health-event-row",
        Assumed,
        "names inside `ServiceHealthResources` begin with a capital",
        "Microsoft's pages show both forms; nothing reads them yet",
    ),
];
