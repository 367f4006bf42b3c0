//! Machines that Site Recovery replicates to another region (Microsoft.RecoveryServices 2025-02-01, `service.json`): its protected
//! items.
//!
//! It never fails one over, and never calls one ready: it says what Site Recovery says, and what of that nobody has seen yet.
//!
//! ```text
//! InitialReplication ─► FirstPointPending ─► Protected ─► FailedOver ─► Committed ─► the same under the other fabric
//! ```

use crate::{
    arm::ArmClient,
    error::{Error, ErrorKind},
    id::ResourceId,
    json, networks,
    operations::{Harm, Operation, SITE_RECOVERY},
    vaults,
};
use jiff::Timestamp;
use serde_json::Value;

/// Reading a replicated machine.
pub const GET: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{resourceName}/replicationFabrics/{fabricName}/replicationProtectionContainers/{protectionContainerName}/replicationProtectedItems/{replicatedProtectedItemName}",
    api_version: SITE_RECOVERY.0,
    document: SITE_RECOVERY.1,
    harm: Harm::Nothing,
    evidence: &["replica-states", "replica-states-between", "replica-target", "replica-group", "replica-never-tested"],
};

/// Listing the replicated machines of a vault.
pub const LIST: Operation = Operation {
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{resourceName}/replicationProtectedItems",
    evidence: &[
        "replica-list",
        "replica-states",
        "replica-states-between",
        "replica-target",
        "replica-networks",
        "replica-group",
        "replica-rpo",
        "replica-rpo-fresh",
        "replica-disks",
        "arm-next-link",
    ],
    ..GET
};

/// The type of a replicated machine.
pub const KIND: &str =
    "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems";
/// What may be done to an item that can be failed over.
pub const UNPLANNED_FAILOVER: &str = "UnplannedFailover";
/// The health error of a machine that was never failed over as a test: a healthy one shows it.
pub const NEVER_TESTED: &str = "161011";

/// A replicated machine.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicatedItem {
    /// Its id. It changes when the other way is protected.
    pub id: ResourceId,
    /// Its name, which stays.
    pub name: String,
    /// The machine's name.
    pub friendly_name: Option<String>,
    /// Where it is in its life.
    pub state: ReplicationState,
    /// Where it is active: `Primary`, `Recovery`.
    pub active: Option<String>,
    /// What may be done now, in Site Recovery's words, for example [`UNPLANNED_FAILOVER`].
    pub allowed: Vec<String>,
    /// `Normal`, `Warning`, `Critical`.
    pub replication_health: Option<String>,
    /// The same of a failover; a healthy machine that was never tested shows `Warning`.
    pub failover_health: Option<String>,
    /// What its health rests on.
    pub health_errors: Vec<HealthError>,
    /// Its policy.
    pub policy: Option<ResourceId>,
    /// What runs for it now; none where nothing does.
    pub running: Option<Scenario>,
    /// The point that the last failover took.
    pub failover_point: Option<String>,
    /// When the last failover was asked for.
    pub last_failover: Option<Timestamp>,
    /// The fabric of the other region.
    pub recovery_fabric: Option<ResourceId>,
    /// The container of the other region.
    pub recovery_container: Option<ResourceId>,
    /// How it is replicated: `A2A` between regions of Azure.
    pub way: Option<String>,
    /// What is known of a machine that is replicated between regions.
    pub details: Details,
}

/// What is known of a machine that is replicated between regions of Azure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// The machine.
    pub machine: Option<ResourceId>,
    /// Where the machine is.
    pub primary_location: Option<String>,
    /// Where it will be.
    pub recovery_location: Option<String>,
    /// The group in which it will be.
    pub recovery_group: Option<ResourceId>,
    /// What it will be called there.
    pub recovery_name: Option<String>,
    /// What size it will have.
    pub recovery_size: Option<String>,
    /// The network that it will be in.
    pub recovery_network: Option<ResourceId>,
    /// The networks that the machine is in, each once.
    pub networks: Vec<ResourceId>,
    /// How old the newest point was when that was last reckoned, in seconds.
    pub rpo_seconds: Option<i64>,
    /// When that was.
    pub rpo_at: Option<Timestamp>,
    /// When the agent in the machine was last heard.
    pub heartbeat: Option<Timestamp>,
    /// The group of machines that it fails over with; a machine alone has one too.
    pub group: Option<String>,
    /// How that came to be: `AutoCreated`, `UserSpecified`.
    pub group_option: Option<String>,
    /// Its disks that are replicated.
    pub disks: Vec<ReplicatedDisk>,
    /// How many of its disks are not.
    pub disks_left_out: usize,
}

/// A disk that is replicated.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicatedDisk {
    /// The disk.
    pub id: Option<ResourceId>,
    /// What it will be called in the other region.
    pub failover_name: Option<String>,
    /// `Protected`, `InitialReplicationPending`.
    pub state: Option<String>,
    /// What its agent still holds, in MiB: it is lost when the machine stops.
    pub pending_mib: Option<f64>,
    /// Whether it must be copied again.
    pub resync: Option<bool>,
}

/// Where a replicated machine is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicationState {
    /// Its disks are copied for the first time.
    InitialReplication,
    /// It waits for its first point.
    FirstPointPending,
    /// It can be failed over.
    Protected,
    /// It runs in the other region; another point can be chosen (`replica-states-between`).
    FailedOver,
    /// It runs in the other region for good, unprotected (`replica-states-between`).
    Committed,
    /// Anything else: shown, never relied on.
    Other(String),
}

/// What runs for a replicated machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// For example `UnplannedFailover`.
    pub name: String,
    /// Its job.
    pub job: Option<ResourceId>,
}

/// A part of a replicated machine's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthError {
    /// Site Recovery's number, for example [`NEVER_TESTED`].
    pub code: Option<String>,
    /// `Warning`, `Error`.
    pub level: Option<String>,
    /// What it is about, for example `TestFailover`.
    pub category: Option<String>,
    /// Bounded and cleaned.
    pub message: Option<String>,
}

impl ReplicatedItem {
    /// Whether something may be done now.
    pub fn allows(&self, operation: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(operation))
    }

    /// The id that the machine will have in the other region (recorded: group and name of the item).
    pub fn target(&self) -> Option<ResourceId> {
        let group = self.details.recovery_group.as_ref()?;
        let name = self.details.recovery_name.as_deref()?;
        let kind = "Microsoft.Compute/virtualMachines";
        ResourceId::of_resource(group.subscription(), group.resource_group(), kind, name).ok()
    }

    /// Whether somebody put it into a group of machines that fail over together.
    pub fn is_in_group_of_others(&self) -> bool {
        self.details.group_option.as_deref().is_some_and(|option| !option.eq_ignore_ascii_case("AutoCreated"))
    }
}

/// The replicated machines of a vault (`ReplicationProtectedItems_List`). A repeat is safe.
pub async fn list(arm: &ArmClient, vault: &ResourceId) -> Result<Vec<ReplicatedItem>, Error> {
    arm.list(&LIST, &vaults::parameters(&LIST, vault)?, &[], read).await
}

/// A replicated machine (`ReplicationProtectedItems_Get`). A repeat is safe.
pub async fn get(arm: &ArmClient, item: &ResourceId) -> Result<ReplicatedItem, Error> {
    let path = ItemPath::of(&GET, item)?;
    let value = arm.get(&GET, &path.parameters(), &[]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, NO_ID))
}

const NO_ID: &str = "a replicated machine without its id";

/// The parts of an item's id.
#[derive(Clone, Debug)]
pub(crate) struct ItemPath {
    pub(crate) container: ContainerPath,
    name: String,
}

/// The parts of a container's id.
#[derive(Clone, Debug)]
pub(crate) struct ContainerPath {
    vault: ResourceId,
    fabric: String,
    name: String,
}

impl ItemPath {
    pub(crate) fn of(operation: &'static Operation, item: &ResourceId) -> Result<Self, Error> {
        let refused = || Error::because(ErrorKind::Refused, operation.action, "not the id of a replicated machine");
        let container = item.parent().filter(|_| item.is(KIND)).ok_or_else(refused)?;
        Ok(Self { container: ContainerPath::of(operation, &container)?, name: item.name().to_owned() })
    }

    pub(crate) fn parameters(&self) -> [&str; 6] {
        let [subscription, group, vault, fabric, container] = self.container.parameters();
        [subscription, group, vault, fabric, container, &self.name]
    }
}

impl ContainerPath {
    pub(crate) fn of(operation: &'static Operation, container: &ResourceId) -> Result<Self, Error> {
        let refused = || Error::because(ErrorKind::Refused, operation.action, "not the id of a container");
        let is_one =
            container.is("Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers");
        let fabric = container.parent().filter(|_| is_one).ok_or_else(refused)?;
        let vault = fabric.parent().ok_or_else(refused)?;
        Ok(Self { vault, fabric: fabric.name().to_owned(), name: container.name().to_owned() })
    }

    pub(crate) fn parameters(&self) -> [&str; 5] {
        [self.vault.subscription(), self.vault.resource_group(), self.vault.name(), &self.fabric, &self.name]
    }
}

/// What an item's JSON says; none without its id.
pub(crate) fn read(value: &Value) -> Option<ReplicatedItem> {
    let id: ResourceId = json::text(value, "/id")?.parse().ok()?;
    Some(ReplicatedItem {
        name: id.name().to_owned(),
        friendly_name: json::filled(value, "/properties/friendlyName"),
        state: state(json::text(value, "/properties/protectionState").unwrap_or_default()),
        active: json::filled(value, "/properties/activeLocation"),
        allowed: json::texts(value, "/properties/allowedOperations"),
        replication_health: json::filled(value, "/properties/replicationHealth"),
        failover_health: json::filled(value, "/properties/failoverHealth"),
        health_errors: json::list(value, "/properties/healthErrors").iter().map(health_error).collect(),
        policy: json::id(value, "/properties/policyId"),
        running: scenario(value),
        failover_point: json::filled(value, "/properties/failoverRecoveryPointId"),
        last_failover: json::time(value, "/properties/lastSuccessfulFailoverTime"),
        recovery_fabric: json::id(value, "/properties/recoveryFabricId"),
        recovery_container: json::id(value, "/properties/recoveryContainerId"),
        way: json::filled(value, "/properties/providerSpecificDetails/instanceType"),
        details: json::at(value, "/properties/providerSpecificDetails").map(details).unwrap_or_default(),
        id,
    })
}

fn details(value: &Value) -> Details {
    Details {
        machine: json::id(value, "/fabricObjectId"),
        primary_location: json::filled(value, "/primaryFabricLocation"),
        recovery_location: json::filled(value, "/recoveryFabricLocation"),
        recovery_group: json::id(value, "/recoveryAzureResourceGroupId"),
        recovery_name: json::filled(value, "/recoveryAzureVMName"),
        recovery_size: json::filled(value, "/recoveryAzureVMSize"),
        recovery_network: json::id(value, "/selectedRecoveryAzureNetworkId"),
        networks: networks::of_cards(json::list(value, "/vmNics")),
        rpo_seconds: json::number(value, "/rpoInSeconds"),
        rpo_at: json::time(value, "/lastRpoCalculatedTime"),
        heartbeat: json::time(value, "/lastHeartbeat"),
        group: json::filled(value, "/multiVmGroupId"),
        group_option: json::filled(value, "/multiVmGroupCreateOption"),
        disks: json::list(value, "/protectedManagedDisks").iter().map(disk).collect(),
        disks_left_out: json::list(value, "/unprotectedDisks").len(),
    }
}

fn disk(value: &Value) -> ReplicatedDisk {
    ReplicatedDisk {
        id: json::id(value, "/diskId"),
        failover_name: json::filled(value, "/failoverDiskName"),
        state: json::filled(value, "/diskState"),
        pending_mib: json::at(value, "/dataPendingAtSourceAgentInMB").and_then(Value::as_f64),
        resync: json::truth(value, "/resyncRequired"),
    }
}

fn scenario(value: &Value) -> Option<Scenario> {
    let name = json::filled(value, "/properties/currentScenario/scenarioName")?;
    let job = json::id(value, "/properties/currentScenario/jobId");
    (!name.eq_ignore_ascii_case("None")).then_some(Scenario { name, job })
}

fn health_error(value: &Value) -> HealthError {
    HealthError {
        code: json::filled(value, "/errorCode"),
        level: json::filled(value, "/errorLevel"),
        category: json::filled(value, "/errorCategory"),
        message: json::words(value, "/errorMessage"),
    }
}

fn state(text: &str) -> ReplicationState {
    match text {
        _ if text.eq_ignore_ascii_case("InitialReplicationInProgress") => ReplicationState::InitialReplication,
        _ if text.eq_ignore_ascii_case("InitialReplicationRecoveryCompletionPending") => {
            ReplicationState::FirstPointPending
        }
        _ if text.eq_ignore_ascii_case("Protected") => ReplicationState::Protected,
        _ if text.eq_ignore_ascii_case("UnplannedFailoverCommitPendingStatesBegin") => ReplicationState::FailedOver,
        _ if text.eq_ignore_ascii_case("UnplannedFailoverCommitted") => ReplicationState::Committed,
        other => ReplicationState::Other(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{ReplicationState, read};
    use serde_json::json;

    const ITEM: &str = "/Subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v/replicationFabrics/f/replicationProtectionContainers/c/replicationProtectedItems/i";

    #[test]
    fn a_state_that_nobody_has_seen_is_shown_and_not_guessed() {
        for (text, state) in [
            ("protected", ReplicationState::Protected),
            ("UnplannedFailoverCommitPendingStatesBegin", ReplicationState::FailedOver),
            ("SomethingNew", ReplicationState::Other("SomethingNew".to_owned())),
            ("", ReplicationState::Other(String::new())),
        ] {
            let read = read(&json!({ "id": ITEM, "properties": { "protectionState": text } })).unwrap();
            assert_eq!(read.state, state, "{text}");
        }
    }

    #[test]
    fn the_machine_to_be_is_named_by_group_and_name_and_nothing_runs_where_azure_says_none() {
        let read = read(&json!({ "id": ITEM, "properties": {
            "allowedOperations": ["UnplannedFailover"],
            "currentScenario": { "scenarioName": "None", "jobId": "/x/None", "startTime": "1753-01-01T01:01:01Z" },
            "providerSpecificDetails": {
                "recoveryAzureResourceGroupId": "/subscriptions/s/resourceGroups/North", "recoveryAzureVMName": "web",
                "multiVmGroupId": "1", "multiVmGroupCreateOption": "AutoCreated",
                "unprotectedDisks": [{ "diskLunId": 1 }],
            },
        } }))
        .unwrap();
        let target = "/subscriptions/s/resourceGroups/North/providers/Microsoft.Compute/virtualMachines/web";
        assert_eq!(read.target(), Some(target.parse().unwrap()));
        assert_eq!((read.running.clone(), read.details.disks_left_out), (None, 1));
        assert!(read.allows("unplannedfailover") && !read.is_in_group_of_others());
    }
}
