//! What Site Recovery answers of replicated machines, their points, jobs and operations.
//! It never answers anything itself.

use super::super::charges::Spend;
use super::super::recovery::{failover, item_calls, jobs, operations, points, target_sizes};
use super::recovery::RECOVERY;
use super::{Route, route};

const ITEMS_OF_VAULT: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationProtectedItems";
const ITEMS: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/replicationProtectedItems";
const ITEM: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/replicationProtectedItems/{}";
const ITEM_REMOVE: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/replicationProtectedItems/{}/remove";
const ITEM_FAILOVER: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/replicationProtectedItems/{}/unplannedFailover";
const ITEM_COMMIT: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/replicationProtectedItems/{}/failoverCommit";
const ITEM_POINT: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/replicationProtectedItems/{}/applyRecoveryPoint";
const POINTS: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/replicationProtectedItems/{}/recoveryPoints";
const TARGET_SIZES: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/replicationProtectedItems/{}/targetComputeSizes";
const POINT: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/replicationProtectedItems/{}/recoveryPoints/{}";
const JOBS: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationJobs";
const JOB: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationJobs/{}";
const STATUS: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationOperationStatus/{}";
const HEALTH_REFRESH: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationVaultHealth/default/refresh";
const FABRIC_RESULT: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/operationresults/{}";
const CONTAINER_RESULT: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/operationresults/{}";
const ITEM_RESULT: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/replicationProtectedItems/{}/operationresults/{}";
const MAPPING_RESULT: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/replicationProtectionContainerMappings/{}/operationresults/{}";
const NETWORK_MAPPING_RESULT: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationNetworks/{}/replicationNetworkMappings/{}/operationresults/{}";
const POLICY_RESULT: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationPolicies/{}/operationresults/{}";
const PLAN_RESULT: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationRecoveryPlans/{}/operationresults/{}";

/// The routes.
pub(super) static ROUTES: &[Route] = &[
    route(
        "GET",
        ITEMS_OF_VAULT,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/read",
        &RECOVERY,
        Spend::Nothing,
        item_calls::list,
        "sr-sim-item",
    ),
    route(
        "GET",
        ITEMS,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/read",
        &RECOVERY,
        Spend::Nothing,
        item_calls::list,
        "sr-sim-item",
    ),
    route(
        "GET",
        ITEM,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/read",
        &RECOVERY,
        Spend::Nothing,
        item_calls::get,
        "sr-sim-item",
    ),
    route(
        "PUT",
        ITEM,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/write",
        &RECOVERY,
        Spend::Nothing,
        item_calls::put,
        "sr-sim-enable",
    ),
    route(
        "DELETE",
        ITEM,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/delete",
        &RECOVERY,
        Spend::Nothing,
        item_calls::disable,
        "sr-sim-disable",
    ),
    route(
        "POST",
        ITEM_REMOVE,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/remove/action",
        &RECOVERY,
        Spend::Nothing,
        item_calls::disable,
        "sr-sim-disable",
    ),
    route(
        "POST",
        ITEM_FAILOVER,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/unplannedFailover/action",
        &RECOVERY,
        Spend::Nothing,
        failover::unplanned,
        "sr-sim-failover",
    ),
    route(
        "POST",
        ITEM_COMMIT,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/failoverCommit/action",
        &RECOVERY,
        Spend::Nothing,
        failover::commit,
        "sr-sim-commit",
    ),
    route(
        "POST",
        ITEM_POINT,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/applyRecoveryPoint/action",
        &RECOVERY,
        Spend::Nothing,
        failover::apply_point,
        "sr-sim-change-point",
    ),
    route(
        "GET",
        POINTS,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/recoveryPoints/read",
        &RECOVERY,
        Spend::Nothing,
        points::list,
        "sr-sim-points",
    ),
    route(
        "GET",
        POINT,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/recoveryPoints/read",
        &RECOVERY,
        Spend::Nothing,
        points::get,
        "sr-sim-points",
    ),
    route(
        "GET",
        TARGET_SIZES,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/targetComputeSizes/read",
        &RECOVERY,
        Spend::Nothing,
        target_sizes::list,
        "sr-sim-target-sizes",
    ),
    route(
        "GET",
        JOBS,
        "Microsoft.RecoveryServices/Vaults/replicationJobs/read",
        &RECOVERY,
        Spend::Nothing,
        jobs::list,
        "sr-sim-jobs",
    ),
    route(
        "GET",
        JOB,
        "Microsoft.RecoveryServices/Vaults/replicationJobs/read",
        &RECOVERY,
        Spend::Nothing,
        jobs::get,
        "sr-sim-job",
    ),
    route(
        "GET",
        STATUS,
        "Microsoft.RecoveryServices/Vaults/replicationOperationStatus/read",
        &RECOVERY,
        Spend::Nothing,
        operations::status,
        "sr-sim-operation",
    ),
    route(
        "POST",
        HEALTH_REFRESH,
        "Microsoft.RecoveryServices/Vaults/replicationVaultHealth/refresh/action",
        &RECOVERY,
        Spend::Nothing,
        jobs::refresh_health,
        "sr-sim-job",
    ),
    route(
        "GET",
        FABRIC_RESULT,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/operationresults/read",
        &RECOVERY,
        Spend::Nothing,
        operations::results,
        "sr-sim-results",
    ),
    route(
        "GET",
        CONTAINER_RESULT,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/operationresults/read",
        &RECOVERY,
        Spend::Nothing,
        operations::results,
        "sr-sim-results",
    ),
    route(
        "GET",
        ITEM_RESULT,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/operationresults/read",
        &RECOVERY,
        Spend::Nothing,
        operations::results,
        "sr-sim-results",
    ),
    route(
        "GET",
        MAPPING_RESULT,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectionContainerMappings/operationresults/read",
        &RECOVERY,
        Spend::Nothing,
        operations::results,
        "sr-sim-results",
    ),
    route(
        "GET",
        NETWORK_MAPPING_RESULT,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings/operationresults/read",
        &RECOVERY,
        Spend::Nothing,
        operations::results,
        "sr-sim-results",
    ),
    route(
        "GET",
        POLICY_RESULT,
        "Microsoft.RecoveryServices/Vaults/replicationPolicies/operationresults/read",
        &RECOVERY,
        Spend::Nothing,
        operations::results,
        "sr-sim-results",
    ),
    route(
        "GET",
        PLAN_RESULT,
        "Microsoft.RecoveryServices/Vaults/replicationRecoveryPlans/operationresults/read",
        &RECOVERY,
        Spend::Nothing,
        operations::results,
        "sr-sim-results",
    ),
];
