//! Every Resource Manager operation that is spoken, with the right it needs, the document that it follows, the harm that
//! it can do and the beliefs that it rests on.
//!
//! It never sends anything. What is not listed here is not called: a call needs an [`Operation`].

use crate::{
    backup_jobs, disks, failover, graph, health, locks, machines, networks, permissions, protectable_items,
    protected_items, protection, protection_status, public_addresses, replicated_items, replication, replication_jobs,
    resource_groups, restore_points, skus, snapshots, subscriptions, tags, target_sizes, traffic_manager, usages,
    vault_operations, vault_points, vault_policies, vaults,
};

/// One operation. Its entry stands beside the call that makes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// The RBAC action it needs, which is also its name in errors and traces.
    pub action: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path as its document writes it.
    pub path: &'static str,
    /// The pinned api-version.
    pub api_version: &'static str,
    /// The document, in Microsoft's repository of specifications; empty for one of [`RECORDED_ALONE`].
    pub document: &'static str,
    /// What it can do to what is there.
    pub harm: Harm,
    /// The entries of the evidence register that the call and the reading of its answer rest on.
    pub evidence: &'static [&'static str],
}

/// What an operation can do to what is there, if a belief about Azure is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// It reads, makes something new, starts something, or says again how something shall be.
    Nothing,
    /// Something that was there is gone afterwards.
    Destroys,
    /// Something that served no longer does.
    Stops,
    /// What served in one place serves in another.
    Moves,
}

/// The pinned version of the Compute provider, and its document.
pub const COMPUTE: (&str, &str) = (
    "2025-04-01",
    "specification/compute/resource-manager/Microsoft.Compute/ComputeRP/stable/2025-04-01/ComputeRP.json",
);
/// The pinned version of disks and snapshots, and its document.
pub const DISKS: (&str, &str) =
    ("2025-01-02", "specification/compute/resource-manager/Microsoft.Compute/DiskRP/stable/2025-01-02/DiskRP.json");
/// The pinned version of the list of sizes, and its document.
pub const SKUS: (&str, &str) =
    ("2021-07-01", "specification/compute/resource-manager/Microsoft.Compute/Skus/stable/2021-07-01/skus.json");
/// The pinned version of permissions, and its document.
pub const PERMISSIONS: (&str, &str) = (
    "2022-04-01",
    "specification/authorization/resource-manager/Microsoft.Authorization/stable/2022-04-01/authorization-RoleDefinitionsCalls.json",
);
/// The pinned version of management locks, and its document.
pub const LOCKS: (&str, &str) =
    ("2020-05-01", "specification/resources/resource-manager/Microsoft.Authorization/stable/2020-05-01/locks.json");
/// The pinned version of Resource Health, and its document.
pub const RESOURCE_HEALTH: (&str, &str) = (
    "2025-05-01",
    "specification/resourcehealth/resource-manager/Microsoft.ResourceHealth/stable/2025-05-01/ResourceHealth.json",
);
/// The pinned version of Recovery Services vaults, and its document.
pub const VAULTS: (&str, &str) = (
    "2025-02-01",
    "specification/recoveryservices/resource-manager/Microsoft.RecoveryServices/RecoveryServices/stable/2025-02-01/openapi.json",
);
/// The pinned version of Azure Backup, and its document.
pub const BACKUP: (&str, &str) = (
    "2025-02-01",
    "specification/recoveryservicesbackup/resource-manager/Microsoft.RecoveryServices/stable/2025-02-01/bms.json",
);
/// The pinned version of Site Recovery, and its document.
pub const SITE_RECOVERY: (&str, &str) = (
    "2025-02-01",
    "specification/recoveryservicessiterecovery/resource-manager/Microsoft.RecoveryServices/stable/2025-02-01/service.json",
);
/// The pinned version of public addresses, and its document.
pub const PUBLIC_ADDRESSES: (&str, &str) =
    ("2024-07-01", "specification/network/resource-manager/Microsoft.Network/stable/2024-07-01/publicIpAddress.json");
/// The pinned version of Traffic Manager, and its document.
pub const TRAFFIC_MANAGER: (&str, &str) = (
    "2022-04-01",
    "specification/trafficmanager/resource-manager/Microsoft.Network/stable/2022-04-01/trafficmanager.json",
);
/// The pinned version of Resource Graph, and its document.
pub const RESOURCE_GRAPH: (&str, &str) = (
    "2024-04-01",
    "specification/resourcegraph/resource-manager/Microsoft.ResourceGraph/stable/2024-04-01/resourcegraph.json",
);
/// The pinned version of resource groups and tags, and its document.
pub const RESOURCES: (&str, &str) =
    ("2025-04-01", "specification/resources/resource-manager/Microsoft.Resources/stable/2025-04-01/resources.json");
/// The pinned version of subscriptions, and its document.
pub const SUBSCRIPTIONS: (&str, &str) =
    ("2022-12-01", "specification/resources/resource-manager/Microsoft.Resources/stable/2022-12-01/subscriptions.json");

/// All of them.
pub const ALL: &[&Operation] = &[
    &subscriptions::GET,
    &subscriptions::LIST,
    &subscriptions::LOCATIONS,
    &resource_groups::CREATE,
    &resource_groups::GET,
    &resource_groups::LIST,
    &locks::LIST_AT_RESOURCE,
    &locks::LIST_AT_GROUP,
    &locks::LIST_AT_SUBSCRIPTION,
    &permissions::LIST_FOR_GROUP,
    &permissions::LIST_FOR_RESOURCE,
    &machines::GET,
    &machines::LIST_IN_GROUP,
    &machines::LIST,
    &machines::INSTANCE_VIEW,
    &machines::SET_TAGS,
    &machines::DEALLOCATE,
    &machines::START,
    &machines::POWER_OFF,
    &networks::GET,
    &public_addresses::LIST,
    &public_addresses::GET,
    &usages::LIST,
    &skus::LIST,
    &disks::GET,
    &disks::LIST_IN_GROUP,
    &disks::LIST,
    &snapshots::CREATE,
    &snapshots::GET,
    &snapshots::LIST_IN_GROUP,
    &snapshots::LIST,
    &snapshots::DELETE,
    &restore_points::CREATE_COLLECTION,
    &restore_points::GET_COLLECTION,
    &restore_points::LIST_COLLECTIONS,
    &restore_points::CREATE,
    &restore_points::GET,
    &restore_points::DELETE,
    &tags::GET,
    &tags::UPDATE,
    &vaults::LIST,
    &vaults::GET,
    &vaults::LIST_USAGES,
    &vault_policies::GET,
    &vault_policies::LIST,
    &protectable_items::LIST,
    &protectable_items::REFRESH,
    &protectable_items::REFRESH_RESULT,
    &protection_status::STATUS,
    &protection_status::PRE_CHECK,
    &protected_items::LIST,
    &protected_items::GET,
    &protection::ENABLE,
    &protection::BACK_UP_NOW,
    &vault_operations::GET,
    &backup_jobs::LIST,
    &backup_jobs::GET,
    &vault_points::LIST,
    &replication::LIST_FABRICS,
    &replication::LIST_CONTAINERS,
    &replication::LIST_MAPPINGS,
    &replication::LIST_POINTS,
    &target_sizes::LIST,
    &replicated_items::LIST,
    &replicated_items::GET,
    &failover::FAIL_OVER,
    &failover::CHANGE_POINT,
    &failover::COMMIT,
    &failover::PROTECT_OTHER_WAY,
    &replication_jobs::LIST,
    &replication_jobs::GET,
    &traffic_manager::LIST,
    &traffic_manager::GET,
    &traffic_manager::GET_ENDPOINT,
    &traffic_manager::SET_ENDPOINT,
    &health::CURRENT,
    &health::LIST_STATUSES,
    &health::LIST_EVENTS,
    &graph::QUERY,
];

/// Operations of which no document is at hand, each with the recording that shows how it is asked and answered. It holds them to that
/// recording, and to its api-version, as the others are held to their documents; what it does not show is not believed. None of them
/// can do harm.
pub const RECORDED_ALONE: &[(&Operation, &str)] = &[(&networks::GET, "siterecovery_A2A_scenarios.jsonl")];

/// The recording of an operation that rests on one alone.
pub fn recorded_alone(operation: &Operation) -> Option<&'static str> {
    RECORDED_ALONE.iter().find(|(own, _)| *own == operation).map(|(_, tape)| *tape)
}

#[cfg(test)]
mod tests;
