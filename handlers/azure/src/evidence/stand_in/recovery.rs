//! Beliefs about Azure that only tests rest on: what a stand-in for Site Recovery between regions answers.
//!
//! No call of this crate rests on one of these alone.

use super::super::{
    Entry,
    Grade::{Assumed, Documented, Recorded},
    entry,
};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "sr-sim-operation",
        Recorded,
        "a write is 202 with both headers; `replicationOperationStatus` is 200, `InProgress`, then `Succeeded`, with null fields",
        "siterecovery_A2A_scenarios.jsonl 1 to 3, 10, 65 to 67",
    ),
    entry(
        "sr-sim-results",
        Assumed,
        "`operationresults` is 202 while the operation runs, then 204",
        "its address is recorded, its answer is not",
    ),
    entry(
        "sr-sim-job",
        Recorded,
        "an operation is a job of the same name, with tasks and null details where it is listed",
        "siterecovery_vault_scenarios.jsonl 23 to 28",
    ),
    entry(
        "sr-sim-jobs",
        Assumed,
        "the order of jobs, and what scenarios are called that no example has",
        "one job is recorded; the examples have failover, commit and reversal",
    ),
    entry(
        "sr-sim-lists",
        Recorded,
        "lists of a vault are whole, with `nextLink` null",
        "siterecovery_vault_scenarios.jsonl 9 to 12; siterecovery_A2A_scenarios.jsonl 61 and 64",
    ),
    entry(
        "sr-sim-list-nulls",
        Assumed,
        "lists leave out what is null in the resource itself",
        "no tape lists such a resource, and the document has no nulls",
    ),
    entry(
        "sr-sim-fabric",
        Recorded,
        "a fabric is a region, by the name that people read; it tells of containers once there are some",
        "siterecovery_A2A_scenarios.jsonl 1 to 8, 56",
    ),
    entry("sr-sim-container", Recorded, "a container that is not mapped", "siterecovery_A2A_scenarios.jsonl 12 to 19"),
    entry("sr-sim-pairing", Assumed, "a container that is mapped says `Paired`", "recorded is `NotPaired` before it"),
    entry(
        "sr-sim-policy",
        Recorded,
        "a policy's defaults, and `Enable` told as `Enabled`",
        "siterecovery_A2A_scenarios.jsonl 9 to 11",
    ),
    entry(
        "sr-sim-mapping",
        Recorded,
        "containers are mapped one way each",
        "siterecovery_A2A_scenarios.jsonl 20 to 27",
    ),
    entry(
        "sr-sim-network-mapping",
        Recorded,
        "networks are mapped one way each; their ids are told in lower case",
        "siterecovery_A2A_scenarios.jsonl 36 to 41",
    ),
    entry(
        "sr-sim-plan",
        Recorded,
        "a plan gains the groups for shutdown and failover",
        "siterecovery_A2A_scenarios.jsonl 58 to 64",
    ),
    entry(
        "sr-sim-removal",
        Recorded,
        "mappings, containers, policies and fabrics are taken away by 202",
        "siterecovery_A2A_scenarios.jsonl 91 to 104",
    ),
    entry(
        "sr-sim-item",
        Recorded,
        "a replicated machine: its fields at each stage of initial replication and when it is protected",
        "siterecovery_A2A_scenarios.jsonl 52 to 55, 74 to 84",
    ),
    entry("sr-sim-enable", Recorded, "enabling takes seven minutes", "siterecovery_A2A_scenarios.jsonl 49 to 52"),
    entry(
        "sr-sim-enabling",
        Assumed,
        "an item is not there before its enabling ends; a second PUT of it is refused",
        "nobody asks for it meanwhile on the tapes",
    ),
    entry(
        "sr-sim-initial",
        Assumed,
        "how long each stage of initial replication lasts, and that it waits for a machine that is away",
        "recorded are the stages and their order; siterecovery_A2A_scenarios.jsonl 52 to 55, 74 to 84",
    ),
    entry("sr-sim-disable", Recorded, "disabling is 202", "siterecovery_A2A_scenarios.jsonl 88 to 90"),
    entry(
        "sr-sim-points",
        Documented,
        "points: one each five minutes, thinned out with their age",
        "Learn, replication policies; Site Recovery OpenAPI, RecoveryPoints_ListByReplicationProtectedItems",
    ),
    entry(
        "sr-sim-point-order",
        Assumed,
        "points are listed newest first, and not paged",
        "the example has two in no order",
    ),
    entry(
        "sr-sim-target-sizes",
        Assumed,
        "the sizes of the other region are listed for an item, those that take too few data disks with a reason, and those that are restricted in the region not",
        "the example has two sizes without a reason; the shape: Site Recovery OpenAPI, TargetComputeSizes_ListByReplicationProtectedItems",
    ),
    entry(
        "sr-sim-stall",
        Assumed,
        "a machine that does not run, or whose region is lost, makes no points",
        "the agent in the machine makes them",
    ),
    entry(
        "sr-sim-health",
        Assumed,
        "replication is called critical when the newest point is older than an hour",
        "recorded is `Normal`",
    ),
    entry(
        "sr-sim-failover",
        Recorded,
        "failover takes 139 s; the machine is made 105 s after the request, without image and profile of the system",
        "siterecovery_A2A_scenarios.jsonl 65 to 70, 85 to 87",
    ),
    entry(
        "sr-sim-source-operations",
        Assumed,
        "with `Required` the old machine is stopped where its region answers",
        "recorded is `NotRequired` alone",
    ),
    entry(
        "sr-sim-name-taken",
        Assumed,
        "a name that is taken gets a tail, and the operation the warning 28175",
        "recorded for machines from elsewhere: siterecovery_V2A_RCMInMage_scenarios.jsonl 50",
    ),
    entry(
        "sr-sim-failed-over",
        Assumed,
        "what an item says between failover and reversal",
        "recorded for machines from elsewhere: siterecovery_V2A_RCMInMage_scenarios.jsonl 51",
    ),
    entry(
        "sr-sim-change-point",
        Assumed,
        "another point: the machine is made anew under its name, in the time of a failover",
        "the call is documented, its effect on the machine is not",
    ),
    entry("sr-sim-commit", Recorded, "a commit takes 8 s", "siterecovery_A2A_scenarios.jsonl 68 and 69"),
    entry(
        "sr-sim-switch",
        Recorded,
        "reversal: sent to the container that holds the item, 505 s; then the item lies under the other fabric by the same name",
        "siterecovery_A2A_scenarios.jsonl 71 to 74",
    ),
    entry("sr-sim-switch-source", Assumed, "reversal without the old region is accepted and fails", "no source has it"),
    entry("sr-sim-old-id", Assumed, "after reversal the item's old id answers 404", "no tape asks it"),
    entry("sr-sim-refusals", Assumed, "statuses, codes and wordings of refusals", "no tape has a refused call"),
    entry(
        "sr-sim-providers",
        Assumed,
        "other sources of machines are refused by the stand-in, because it does not have them",
        "Azure takes them; nothing here uses them",
    ),
    entry(
        "sr-sim-actions",
        Assumed,
        "the names of the rights for some of the calls",
        "they follow the paths; the provider's own list is not in hand",
    ),
];
