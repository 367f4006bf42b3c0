//! What replication between regions rests on (Microsoft.RecoveryServices 2025-02-01, `service.json`): fabrics, containers, and
//! how they are mapped; and the points of a replicated machine.
//!
//! It never sets any of it up: that is done before the day on which it is needed.

use crate::{
    arm::ArmClient,
    error::Error,
    id::ResourceId,
    json,
    operations::{Harm, Operation, SITE_RECOVERY},
    replicated_items::ItemPath,
    vaults,
};
use jiff::Timestamp;
use serde_json::Value;

/// Listing the fabrics of a vault.
pub const LIST_FABRICS: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/replicationFabrics/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{resourceName}/replicationFabrics",
    api_version: SITE_RECOVERY.0,
    document: SITE_RECOVERY.1,
    harm: Harm::Nothing,
    evidence: &["replication-fabric", "arm-next-link"],
};

/// Listing the containers of a vault, over all its fabrics.
pub const LIST_CONTAINERS: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/read",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{resourceName}/replicationProtectionContainers",
    evidence: &["replication-container", "arm-next-link"],
    ..LIST_FABRICS
};

/// Listing how the containers of a vault are mapped.
pub const LIST_MAPPINGS: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectionContainerMappings/read",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{resourceName}/replicationProtectionContainerMappings",
    evidence: &["replication-mapping", "arm-next-link"],
    ..LIST_FABRICS
};

/// Listing the points of a replicated machine.
pub const LIST_POINTS: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/recoveryPoints/read",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{resourceName}/replicationFabrics/{fabricName}/replicationProtectionContainers/{protectionContainerName}/replicationProtectedItems/{replicatedProtectedItemName}/recoveryPoints",
    evidence: &["replication-points", "arm-next-link"],
    ..LIST_FABRICS
};

/// A fabric: a region, as Site Recovery knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fabric {
    /// Its id.
    pub id: ResourceId,
    /// What kind: `Azure` for a region.
    pub kind: Option<String>,
    /// The region.
    pub location: Option<String>,
    /// `Normal`, `Critical`.
    pub health: Option<String>,
}

/// A container of a fabric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its id.
    pub id: ResourceId,
    /// `Azure` for one of a region.
    pub kind: Option<String>,
    /// `Paired`, `NotPaired`.
    pub pairing: Option<String>,
    /// Items in it.
    pub items: Option<i64>,
}

/// How a container is mapped to another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerMapping {
    /// Its id.
    pub id: ResourceId,
    /// The container that it leads to.
    pub target: Option<ResourceId>,
    /// The policy.
    pub policy: Option<ResourceId>,
    /// `Paired`.
    pub state: Option<String>,
    /// `Normal`.
    pub health: Option<String>,
}

/// A point of a replicated machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicationPoint {
    /// Its id, by which it is chosen.
    pub id: ResourceId,
    /// The moment that it stands for.
    pub time: Option<Timestamp>,
    /// `ApplicationConsistent`, `CrashConsistent`.
    pub consistency: Option<String>,
}

/// The fabrics of a vault (`ReplicationFabrics_List`). A repeat is safe.
pub async fn list_fabrics(arm: &ArmClient, vault: &ResourceId) -> Result<Vec<Fabric>, Error> {
    arm.list(&LIST_FABRICS, &vaults::parameters(&LIST_FABRICS, vault)?, &[], read_fabric).await
}

/// The containers of a vault (`ReplicationProtectionContainers_List`). A repeat is safe.
pub async fn list_containers(arm: &ArmClient, vault: &ResourceId) -> Result<Vec<Container>, Error> {
    arm.list(&LIST_CONTAINERS, &vaults::parameters(&LIST_CONTAINERS, vault)?, &[], read_container).await
}

/// How the containers of a vault are mapped (`ReplicationProtectionContainerMappings_List`). A repeat is safe.
pub async fn list_mappings(arm: &ArmClient, vault: &ResourceId) -> Result<Vec<ContainerMapping>, Error> {
    arm.list(&LIST_MAPPINGS, &vaults::parameters(&LIST_MAPPINGS, vault)?, &[], read_mapping).await
}

/// The points of a replicated machine, in no order (`RecoveryPoints_ListByReplicationProtectedItems`). A repeat is safe.
pub async fn list_points(arm: &ArmClient, item: &ResourceId) -> Result<Vec<ReplicationPoint>, Error> {
    arm.list(&LIST_POINTS, &ItemPath::of(&LIST_POINTS, item)?.parameters(), &[], read_point).await
}

/// What a fabric's JSON says; none without its id.
pub(crate) fn read_fabric(value: &Value) -> Option<Fabric> {
    Some(Fabric {
        id: json::text(value, "/id")?.parse().ok()?,
        kind: json::filled(value, "/properties/customDetails/instanceType"),
        location: json::filled(value, "/properties/customDetails/location"),
        health: json::filled(value, "/properties/health"),
    })
}

/// What a container's JSON says; none without its id.
pub(crate) fn read_container(value: &Value) -> Option<Container> {
    Some(Container {
        id: json::text(value, "/id")?.parse().ok()?,
        kind: json::filled(value, "/properties/fabricType"),
        pairing: json::filled(value, "/properties/pairingStatus"),
        items: json::number(value, "/properties/protectedItemCount"),
    })
}

/// What a mapping's JSON says; none without its id.
pub(crate) fn read_mapping(value: &Value) -> Option<ContainerMapping> {
    Some(ContainerMapping {
        id: json::text(value, "/id")?.parse().ok()?,
        target: json::id(value, "/properties/targetProtectionContainerId"),
        policy: json::id(value, "/properties/policyId"),
        state: json::filled(value, "/properties/state"),
        health: json::filled(value, "/properties/health"),
    })
}

/// What a point's JSON says; none without its id.
pub(crate) fn read_point(value: &Value) -> Option<ReplicationPoint> {
    Some(ReplicationPoint {
        id: json::text(value, "/id")?.parse().ok()?,
        time: json::time(value, "/properties/recoveryPointTime"),
        consistency: json::filled(value, "/properties/recoveryPointType"),
    })
}
