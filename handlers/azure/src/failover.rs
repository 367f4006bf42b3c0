//! Failing a machine over to another region, and what follows (Microsoft.RecoveryServices 2025-02-01, `service.json`).
//!
//! It never asks Site Recovery to stop the old machine: that goes on even where the stop fails, so it fences nothing. It never
//! repeats an order that may have been taken: read the item, the jobs and the machine to be first.
//!
//! ```text
//! fail_over ─► 202, a job ─► replication_jobs::get: its end ─► change_point, any number of times ─► commit ─► protect_other_way
//! ```

use crate::{
    arm::{ArmClient, Call},
    error::Error,
    id::ResourceId,
    long_running::Acted,
    operations::{Harm, Operation, SITE_RECOVERY},
    replicated_items::{ContainerPath, ItemPath},
    retry::Repeat,
    transport::{Answer, Latest},
    vault_operations::OperationId,
};
use serde_json::{Value, json};

/// Failing over.
pub const FAIL_OVER: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/unplannedFailover/action",
    method: "POST",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{resourceName}/replicationFabrics/{fabricName}/replicationProtectionContainers/{protectionContainerName}/replicationProtectedItems/{replicatedProtectedItemName}/unplannedFailover",
    api_version: SITE_RECOVERY.0,
    document: SITE_RECOVERY.1,
    harm: Harm::Moves,
    evidence: &["failover-call", "failover-point", "failover-machine", "replication-accepted"],
};

/// Taking another point, before the commit.
pub const CHANGE_POINT: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/applyRecoveryPoint/action",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{resourceName}/replicationFabrics/{fabricName}/replicationProtectionContainers/{protectionContainerName}/replicationProtectedItems/{replicatedProtectedItemName}/applyRecoveryPoint",
    harm: Harm::Destroys,
    evidence: &["failover-change-point", "replication-accepted"],
    ..FAIL_OVER
};

/// Making a failover final.
pub const COMMIT: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/failoverCommit/action",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{resourceName}/replicationFabrics/{fabricName}/replicationProtectionContainers/{protectionContainerName}/replicationProtectedItems/{replicatedProtectedItemName}/failoverCommit",
    harm: Harm::Destroys,
    evidence: &["failover-commit", "failover-commit-points", "replication-accepted"],
    ..FAIL_OVER
};

/// Protecting the other way, which deletes the old machine.
pub const PROTECT_OTHER_WAY: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/switchprotection/action",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{resourceName}/replicationFabrics/{fabricName}/replicationProtectionContainers/{protectionContainerName}/switchprotection",
    harm: Harm::Destroys,
    evidence: &["failover-switch", "failover-switch-deletes", "replication-accepted"],
    ..FAIL_OVER
};

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ordered {
    /// It is done.
    Done,
    /// It was taken, as the job of this id, if Azure named it.
    Begun(Option<OperationId>),
}

/// What the other way is protected with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherWay<'a> {
    /// The item, where it lies now. Its container is the one that takes it back.
    pub item: &'a ResourceId,
    /// The policy.
    pub policy: &'a ResourceId,
    /// The group to which the machine would go back.
    pub group: &'a ResourceId,
    /// Its disks, all of them.
    pub disks: &'a [OtherWayDisk],
}

/// A disk of the machine as it runs now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherWayDisk {
    /// The disk.
    pub disk: ResourceId,
    /// The storage account for what changes, in the region where the machine runs now.
    pub cache: ResourceId,
    /// The group to which it would go back.
    pub group: ResourceId,
}

/// Fails a machine over (`ReplicationProtectedItems_UnplannedFailover`): from a point of the item, or from the latest state.
/// The first one that is taken is a point of no return: there is no cancel. The old machine is left as it is.
///
/// **A repeat is not safe.** Sent late it is refused by the item's state, once another order was taken; so it is given a latest
/// moment.
pub async fn fail_over(
    arm: &ArmClient,
    item: &ResourceId,
    point: Option<&ResourceId>,
    latest: Latest,
) -> Result<Ordered, Error> {
    let body = json!({ "properties": {
        "failoverDirection": "PrimaryToRecovery",
        "sourceSiteOperations": "NotRequired",
        "providerSpecificDetails": with_point(json!({ "instanceType": "A2A" }), point),
    }});
    order(arm, &FAIL_OVER, &ItemPath::of(&FAIL_OVER, item)?.parameters(), Some(body), latest).await
}

/// Takes another point of an item that was failed over and not committed (`ReplicationProtectedItems_ApplyRecoveryPoint`).
/// What the machine wrote since is lost. **A repeat is not safe**: read the item and its jobs first.
pub async fn change_point(
    arm: &ArmClient,
    item: &ResourceId,
    point: &ResourceId,
    latest: Latest,
) -> Result<Ordered, Error> {
    let body = json!({ "properties": {
        "recoveryPointId": point.as_str(),
        "providerSpecificDetails": { "instanceType": "A2A" },
    }});
    order(arm, &CHANGE_POINT, &ItemPath::of(&CHANGE_POINT, item)?.parameters(), Some(body), latest).await
}

/// Makes a failover final (`ReplicationProtectedItems_FailoverCommit`): the item's other points go, and with them every other
/// choice. **A repeat is not safe**: read the item and its jobs first.
pub async fn commit(arm: &ArmClient, item: &ResourceId, latest: Latest) -> Result<Ordered, Error> {
    order(arm, &COMMIT, &ItemPath::of(&COMMIT, item)?.parameters(), None, latest).await
}

/// Protects the other way (`ReplicationProtectionContainers_SwitchProtection`): **Site Recovery turns the old machine off, goes
/// over its disks and deletes it**; what it wrote and did not replicate is lost. Nothing undoes it. The item then lies under the
/// other fabric by the same name. **A repeat is not safe**: look for it there first.
pub async fn protect_other_way(arm: &ArmClient, way: &OtherWay<'_>, latest: Latest) -> Result<Ordered, Error> {
    let path = ItemPath::of(&PROTECT_OTHER_WAY, way.item)?;
    // An item's id has a container's above it: that was looked at right before.
    let container = way.item.parent().unwrap_or_else(|| way.item.clone());
    let disks: Vec<Value> = way
        .disks
        .iter()
        .map(|one| {
            json!({
                "diskId": one.disk.as_str(),
                "primaryStagingAzureStorageAccountId": one.cache.as_str(),
                "recoveryResourceGroupId": one.group.as_str(),
            })
        })
        .collect();
    let body = json!({ "properties": {
        "replicationProtectedItemName": way.item.name(),
        "providerSpecificDetails": {
            "instanceType": "A2A",
            "policyId": way.policy.as_str(),
            "recoveryContainerId": container.as_str(),
            "recoveryResourceGroupId": way.group.as_str(),
            "vmManagedDisks": disks,
        },
    }});
    let container: &ContainerPath = &path.container;
    order(arm, &PROTECT_OTHER_WAY, &container.parameters(), Some(body), latest).await
}

fn with_point(details: Value, point: Option<&ResourceId>) -> Value {
    let mut details = details;
    if let Some(point) = point {
        details["recoveryPointId"] = json!(point.as_str());
    }
    details
}

async fn order(
    arm: &ArmClient,
    operation: &'static Operation,
    parameters: &[&str],
    body: Option<Value>,
    latest: Latest,
) -> Result<Ordered, Error> {
    let url = arm.url(operation, parameters, &[])?;
    let answer = arm.send(&Call::change(operation, url, body, Repeat::IfNotDone, Some(latest))).await?;
    Ok(read(operation, &answer, arm.wall_now()))
}

/// What an answer to an order says.
pub(crate) fn read(operation: &'static Operation, answer: &Answer, now: jiff::Timestamp) -> Ordered {
    match Acted::read(operation, answer, now) {
        Acted::Begun(accepted) if answer.status != 200 => Ordered::Begun(accepted.as_ref().and_then(OperationId::of)),
        _ => Ordered::Done,
    }
}
