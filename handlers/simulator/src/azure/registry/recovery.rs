//! What Site Recovery answers of fabrics, containers, policies, mappings and plans.
//! It never answers anything itself.

use super::super::charges::Spend;
use super::super::recovery::{plans, set_up, switching};
use super::{Route, Service, route};

/// *Assumed* (`sr-sim-actions`): some of the actions' names; the provider's list is not in hand.
pub(super) static RECOVERY: Service =
    Service { kind: "vaults/replicationFabrics", versions: &["2025-02-01", "2022-08-01"] };

const FABRICS: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics";
const FABRIC: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}";
const CONTAINERS_OF_VAULT: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationProtectionContainers";
const CONTAINERS: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers";
const CONTAINER: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}";
const CONTAINER_REMOVE: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/remove";
const CONTAINER_SWITCH: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/switchprotection";
const POLICIES: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationPolicies";
const POLICY: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationPolicies/{}";
const MAPPINGS_OF_VAULT: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationProtectionContainerMappings";
const MAPPINGS: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/replicationProtectionContainerMappings";
const MAPPING: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/replicationProtectionContainerMappings/{}";
const MAPPING_REMOVE: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationProtectionContainers/{}/replicationProtectionContainerMappings/{}/remove";
const NETWORK_MAPPINGS_OF_VAULT: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationNetworkMappings";
const NETWORK_MAPPINGS: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationNetworks/{}/replicationNetworkMappings";
const NETWORK_MAPPING: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationFabrics/{}/replicationNetworks/{}/replicationNetworkMappings/{}";
const PLANS: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationRecoveryPlans";
const PLAN: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/replicationRecoveryPlans/{}";

/// The routes.
pub(super) static ROUTES: &[Route] = &[
    route(
        "GET",
        FABRICS,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/read",
        &RECOVERY,
        Spend::Nothing,
        set_up::list,
        "sr-sim-lists",
    ),
    route(
        "GET",
        FABRIC,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/read",
        &RECOVERY,
        Spend::Nothing,
        set_up::get,
        "sr-sim-fabric",
    ),
    route(
        "PUT",
        FABRIC,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/write",
        &RECOVERY,
        Spend::Nothing,
        set_up::put_fabric,
        "sr-sim-fabric",
    ),
    route(
        "DELETE",
        FABRIC,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/remove/action",
        &RECOVERY,
        Spend::Nothing,
        set_up::delete_fabric,
        "sr-sim-removal",
    ),
    route(
        "GET",
        CONTAINERS_OF_VAULT,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/read",
        &RECOVERY,
        Spend::Nothing,
        set_up::list,
        "sr-sim-lists",
    ),
    route(
        "GET",
        CONTAINERS,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/read",
        &RECOVERY,
        Spend::Nothing,
        set_up::list,
        "sr-sim-lists",
    ),
    route(
        "GET",
        CONTAINER,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/read",
        &RECOVERY,
        Spend::Nothing,
        set_up::get,
        "sr-sim-container",
    ),
    route(
        "PUT",
        CONTAINER,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/write",
        &RECOVERY,
        Spend::Nothing,
        set_up::put_container,
        "sr-sim-container",
    ),
    route(
        "POST",
        CONTAINER_REMOVE,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/remove/action",
        &RECOVERY,
        Spend::Nothing,
        set_up::remove_container,
        "sr-sim-removal",
    ),
    route(
        "POST",
        CONTAINER_SWITCH,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/switchprotection/action",
        &RECOVERY,
        Spend::Nothing,
        switching::switch,
        "sr-sim-switch",
    ),
    route(
        "GET",
        POLICIES,
        "Microsoft.RecoveryServices/Vaults/replicationPolicies/read",
        &RECOVERY,
        Spend::Nothing,
        set_up::list,
        "sr-sim-lists",
    ),
    route(
        "GET",
        POLICY,
        "Microsoft.RecoveryServices/Vaults/replicationPolicies/read",
        &RECOVERY,
        Spend::Nothing,
        set_up::get,
        "sr-sim-policy",
    ),
    route(
        "PUT",
        POLICY,
        "Microsoft.RecoveryServices/Vaults/replicationPolicies/write",
        &RECOVERY,
        Spend::Nothing,
        set_up::put_policy,
        "sr-sim-policy",
    ),
    route(
        "DELETE",
        POLICY,
        "Microsoft.RecoveryServices/Vaults/replicationPolicies/delete",
        &RECOVERY,
        Spend::Nothing,
        set_up::delete_policy,
        "sr-sim-removal",
    ),
    route(
        "GET",
        MAPPINGS_OF_VAULT,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectionContainerMappings/read",
        &RECOVERY,
        Spend::Nothing,
        set_up::list,
        "sr-sim-lists",
    ),
    route(
        "GET",
        MAPPINGS,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectionContainerMappings/read",
        &RECOVERY,
        Spend::Nothing,
        set_up::list,
        "sr-sim-lists",
    ),
    route(
        "GET",
        MAPPING,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectionContainerMappings/read",
        &RECOVERY,
        Spend::Nothing,
        set_up::get,
        "sr-sim-mapping",
    ),
    route(
        "PUT",
        MAPPING,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectionContainerMappings/write",
        &RECOVERY,
        Spend::Nothing,
        set_up::put_mapping,
        "sr-sim-mapping",
    ),
    route(
        "DELETE",
        MAPPING,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectionContainerMappings/delete",
        &RECOVERY,
        Spend::Nothing,
        set_up::remove_mapping,
        "sr-sim-removal",
    ),
    route(
        "POST",
        MAPPING_REMOVE,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectionContainerMappings/remove/action",
        &RECOVERY,
        Spend::Nothing,
        set_up::remove_mapping,
        "sr-sim-removal",
    ),
    route(
        "GET",
        NETWORK_MAPPINGS_OF_VAULT,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings/read",
        &RECOVERY,
        Spend::Nothing,
        set_up::list,
        "sr-sim-lists",
    ),
    route(
        "GET",
        NETWORK_MAPPINGS,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings/read",
        &RECOVERY,
        Spend::Nothing,
        set_up::list,
        "sr-sim-lists",
    ),
    route(
        "GET",
        NETWORK_MAPPING,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings/read",
        &RECOVERY,
        Spend::Nothing,
        set_up::get,
        "sr-sim-network-mapping",
    ),
    route(
        "PUT",
        NETWORK_MAPPING,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings/write",
        &RECOVERY,
        Spend::Nothing,
        set_up::put_network_mapping,
        "sr-sim-network-mapping",
    ),
    route(
        "DELETE",
        NETWORK_MAPPING,
        "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings/delete",
        &RECOVERY,
        Spend::Nothing,
        set_up::delete_network_mapping,
        "sr-sim-removal",
    ),
    route(
        "GET",
        PLANS,
        "Microsoft.RecoveryServices/Vaults/replicationRecoveryPlans/read",
        &RECOVERY,
        Spend::Nothing,
        set_up::list,
        "sr-sim-lists",
    ),
    route(
        "GET",
        PLAN,
        "Microsoft.RecoveryServices/Vaults/replicationRecoveryPlans/read",
        &RECOVERY,
        Spend::Nothing,
        set_up::get,
        "sr-sim-plan",
    ),
    route(
        "PUT",
        PLAN,
        "Microsoft.RecoveryServices/Vaults/replicationRecoveryPlans/write",
        &RECOVERY,
        Spend::Nothing,
        plans::put,
        "sr-sim-plan",
    ),
    route(
        "DELETE",
        PLAN,
        "Microsoft.RecoveryServices/Vaults/replicationRecoveryPlans/delete",
        &RECOVERY,
        Spend::Nothing,
        set_up::delete_plan,
        "sr-sim-removal",
    ),
];
