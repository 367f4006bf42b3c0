//! Beliefs about Site Recovery between regions of Azure, and about Traffic Manager.

use super::{
    Entry,
    Grade::{Assumed, Documented, Recorded},
    entry,
};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "replication-fabric",
        Documented,
        "a region is a fabric with its location; fabrics are listed by vault",
        "Site Recovery OpenAPI, ReplicationFabrics_List; one fabric: siterecovery_A2A_scenarios.jsonl 4",
    ),
    entry(
        "replication-container",
        Recorded,
        "containers are listed by vault, `nextLink` null at the end; one that is not mapped says `NotPaired`",
        "siterecovery_vault_scenarios.jsonl 11; siterecovery_A2A_scenarios.jsonl 14",
    ),
    entry(
        "replication-mapping",
        Recorded,
        "a container is mapped to another one for each way, with a policy",
        "siterecovery_vault_scenarios.jsonl 12; siterecovery_A2A_scenarios.jsonl 23 and 27",
    ),
    entry(
        "replication-points",
        Documented,
        "the points of an item: time and kind, in no order that can be relied on",
        "Site Recovery OpenAPI, RecoveryPoints_ListByReplicationProtectedItems",
    ),
    entry(
        "replication-accepted",
        Recorded,
        "an order is 202; the last part of its status URL is the name of its job",
        "siterecovery_vault_scenarios.jsonl 23 and 28; siterecovery_A2A_scenarios.jsonl 65 to 69, 71",
    ),
    entry(
        "replication-job",
        Recorded,
        "a job has the name of its operation; a list leaves tasks out",
        "siterecovery_vault_scenarios.jsonl 27 and 28",
    ),
    entry(
        "replication-job-states",
        Documented,
        "NotStarted, InProgress, Succeeded, Failed, Cancelled, Suspended; any other is not known to have ended",
        "Site Recovery OpenAPI, Job; `Succeeded` in siterecovery_vault_scenarios.jsonl 28",
    ),
    entry(
        "replication-job-errors",
        Documented,
        "a failed job tells code and message; beside success they are warnings",
        "Site Recovery OpenAPI, JobErrorDetails; beside success: siterecovery_V2A_RCMInMage_scenarios.jsonl 26 and 50",
    ),
    entry(
        "replica-target-sizes",
        Documented,
        "the sizes that an item's machine may have in the other region; one with `errors` is not for this item; where none is listed, nothing is said",
        "Site Recovery OpenAPI, TargetComputeSizes_ListByReplicationProtectedItems",
    ),
    entry(
        "replica-list",
        Recorded,
        "items are listed by vault, `nextLink` null at the end",
        "siterecovery_vault_scenarios.jsonl 10",
    ),
    entry(
        "replica-states",
        Recorded,
        "InitialReplicationInProgress, InitialReplicationRecoveryCompletionPending, Protected, with what is allowed in each",
        "siterecovery_A2A_scenarios.jsonl 52 to 55, 74 to 84",
    ),
    entry(
        "replica-states-between",
        Assumed,
        "what an item says between failover and the other way: shown, and never relied on",
        "no tape between regions has it; for machines from elsewhere siterecovery_V2A_RCMInMage_scenarios.jsonl 51",
    ),
    entry(
        "replica-target",
        Recorded,
        "the machine to be: `recoveryAzureVMName` in `recoveryAzureResourceGroupId`",
        "siterecovery_A2A_scenarios.jsonl 55 and 70",
    ),
    entry(
        "replica-networks",
        Recorded,
        "a protected item names the network to be, and with each network card the id of the network that the machine is in",
        "siterecovery_A2A_scenarios.jsonl 55 and 84",
    ),
    entry(
        "replica-group",
        Recorded,
        "a machine alone has an id of a group too, which is `AutoCreated`",
        "siterecovery_A2A_scenarios.jsonl 52 to 84",
    ),
    entry(
        "replica-never-tested",
        Recorded,
        "a healthy item that was never failed over as a test shows the warning 161011",
        "siterecovery_A2A_scenarios.jsonl 55 and 84",
    ),
    entry(
        "failover-call",
        Recorded,
        "`unplannedFailover` with `PrimaryToRecovery` and `NotRequired` is 202, and ends by itself",
        "siterecovery_A2A_scenarios.jsonl 65 to 67, 85 to 87",
    ),
    entry(
        "failover-point",
        Documented,
        "a point is chosen by its id; without one the latest state is taken",
        "Site Recovery OpenAPI, A2AUnplannedFailoverInput; without: siterecovery_A2A_scenarios.jsonl 65",
    ),
    entry(
        "failover-machine",
        Recorded,
        "the machine in the other region is made during the operation, under another `vmId`",
        "siterecovery_A2A_scenarios.jsonl 46 and 70",
    ),
    entry(
        "failover-change-point",
        Documented,
        "another point can be taken until the commit",
        "Site Recovery OpenAPI, ReplicationProtectedItems_ApplyRecoveryPoint; Learn, failover of Azure machines",
    ),
    entry(
        "failover-commit",
        Recorded,
        "`failoverCommit` has no body and is 202",
        "siterecovery_A2A_scenarios.jsonl 68, 69",
    ),
    entry(
        "failover-commit-points",
        Documented,
        "a commit deletes the item's other points",
        "Learn, failover of Azure machines",
    ),
    entry(
        "failover-switch",
        Recorded,
        "sent to the container that holds the item, which also takes it back; then the item lies under the other fabric by the \
         same name",
        "siterecovery_A2A_scenarios.jsonl 71 to 74",
    ),
    entry(
        "failover-switch-deletes",
        Documented,
        "protecting the other way turns the old machine off and deletes it",
        "Learn, re-protect failed over Azure machines",
    ),
    entry(
        "traffic-profile",
        Recorded,
        "a profile tells its endpoints, how they are probed and what is said of the whole",
        "network_traffic_manager.jsonl 3 and 10",
    ),
    entry(
        "traffic-list",
        Documented,
        "the profiles of a subscription come in one list, each with its endpoints",
        "trafficmanager OpenAPI, Profile-GET-BySubscription; of a group: network_traffic_manager.jsonl 5",
    ),
    entry(
        "replica-rpo",
        Recorded,
        "a protected item tells how old its newest point was, and when that was reckoned",
        "siterecovery_A2A_scenarios.jsonl 55",
    ),
    entry(
        "replica-rpo-fresh",
        Assumed,
        "the age of the newest point is reckoned anew at least every quarter of an hour",
        "no source tells how often; an age that was reckoned longer ago is taken for not known, so that a recovery plan is not called ready",
    ),
    entry(
        "address-region",
        Assumed,
        "a public address stays in its region, and what it leads to lies there too: one that lies in a region that is lost answers nobody",
        "the document gives an address a region and no call that changes it; that it holds machines and balancers of that region alone it does not say. A recovery plan whose traffic would be led to one elsewhere is not called ready; one of the tier `Global`, which may answer from other regions, is judged by its region like any other",
    ),
    entry(
        "replica-disks",
        Documented,
        "disks of the machine that are not replicated stand under `unprotectedDisks`, the others with their ids and states",
        "Site Recovery OpenAPI, A2AReplicationDetails; the replicated ones: siterecovery_A2A_scenarios.jsonl 55",
    ),
    entry(
        "traffic-endpoint",
        Recorded,
        "an endpoint is read by kind and name, the kind in any case",
        "network_traffic_manager.jsonl 7 and 9",
    ),
    entry(
        "traffic-endpoint-patch",
        Documented,
        "PATCH of an endpoint with its status alone changes that alone, and answers the endpoint",
        "trafficmanager OpenAPI, Endpoint-PATCH-External-Target",
    ),
    entry(
        "traffic-monitor-states",
        Documented,
        "CheckingEndpoint after enabling, then Online or Degraded; Disabled, Inactive, Stopped, Unmonitored",
        "trafficmanager OpenAPI; Learn, endpoint monitoring; `CheckingEndpoint` in network_traffic_manager.jsonl 6",
    ),
];
