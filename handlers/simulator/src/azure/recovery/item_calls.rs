//! Calls on replicated machines: listed, read, enabled, disabled.
//! It never replicates a machine that is not there, and never takes a disk for one of another machine.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::{ArmError, invalid_parameter};
use super::super::ids::{guid_of, key};
use super::super::machines::Machine;
use super::super::state::State;
use super::items::{Pace, Phase, Replica, ReplicaDisk, Running, Stage};
use super::jobs::Scenario;
use super::operations::Effect;
use super::{RecoveryDenial, above, below_vault, given, last, listed, own_id, whole_list};

/// How many parts of an item's path lie below its vault.
const ITEM_PARTS: usize = 6;

/// `GET …/replicationProtectedItems`, of a vault or of a container.
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let within = format!("{}/", above(&key(&own_id(call, below_vault(call))), 1));
    let own = state.recovery.items.iter().filter(|(id, _)| id.starts_with(&within));
    Ok(Answer::new(200, whole_list(own.map(|(_, item)| in_list(item.json(state, call.now))).collect())))
}

/// An item in a list: without nulls, and without the time that the item alone tells in no documented form.
fn in_list(body: Value) -> Value {
    let mut body = listed(body);
    let details = body["properties"]["providerSpecificDetails"].as_object_mut();
    details.into_iter().for_each(|fields| drop(fields.remove("agentExpiryDate")));
    body
}

/// `GET …/replicationProtectedItems/{name}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let item = item_of(state, call)?;
    Ok(Answer::new(200, item.json(state, call.now)))
}

/// `PUT …/replicationProtectedItems/{name}`: 202, and the item is there when the operation ends. *Assumed*
/// (`sr-sim-enabling`): not before, and that an item that is there is refused.
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let details = given(call, "providerSpecificDetails");
    set_up_only(details)?;
    let place = key(&item_id(call));
    if state.recovery.items.contains_key(&place) {
        return Err(RecoveryDenial::AlreadyThere.error(call.param(5)));
    }
    let item = replica(state, call, details)?;
    let object = (entity(state, &item), item.machine_name.clone());
    let effect = Effect::Enable { at: place, item: Box::new(item) };
    Ok(state.begin_recovery(call, Scenario::Enable, &item_path(call), object, effect).1)
}

/// `DELETE …/{name}` and `POST …/{name}/remove`: 202; the machine stays as it is, wherever it runs.
pub(crate) fn disable(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let item = item_of(state, call)?;
    if item.running.is_some() {
        return Err(RecoveryDenial::NotAllowed.error(call.param(5)));
    }
    let (at, object) = (key(&item.id), (entity(state, item), item.machine_name.clone()));
    let effect = Effect::Disable { at: at.clone() };
    Ok(begin_on(state, call, &at, Scenario::Disable, object, effect).1)
}

/// Begins an operation that an item waits for.
pub(super) fn begin_on(
    state: &mut State,
    call: &Call,
    at: &str,
    scenario: Scenario,
    object: (String, String),
    effect: Effect,
) -> (String, Answer) {
    let path = if scenario == Scenario::Switch { container_path(call) } else { item_path(call) };
    let (operation, answer) = state.begin_recovery(call, scenario, &path, object, effect);
    if let Some(item) = state.recovery.items.get_mut(at) {
        item.running = Some(Running { operation: operation.clone(), scenario: scenario.names().0, started: call.now });
    }
    (operation, answer)
}

/// The item that a call names, whatever follows in its path.
pub(super) fn item_of<'a>(state: &'a State, call: &Call) -> Result<&'a Replica, ArmError> {
    let found = state.recovery.items.get(&key(&item_id(call)));
    found.ok_or_else(|| RecoveryDenial::Missing.error(call.param(5)))
}

/// What jobs call an item.
pub(super) fn entity(state: &State, item: &Replica) -> String {
    guid_of(state.seed, "entity", &format!("{} {}", item.id, item.turn))
}

fn item_id(call: &Call) -> String {
    own_id(call, &item_path(call))
}

fn item_path(call: &Call) -> String {
    first_parts(call, ITEM_PARTS)
}

fn container_path(call: &Call) -> String {
    first_parts(call, 4)
}

/// The first parts of a call's path below its vault, with its own casing.
fn first_parts(call: &Call, parts: usize) -> String {
    let below = below_vault(call);
    let end = below.match_indices('/').nth(parts).map_or(below.len(), |(at, _)| at);
    below[..end].to_owned()
}

/// Only replication between regions of Azure is built.
pub(super) fn set_up_only(details: &Value) -> Result<(), ArmError> {
    match details["instanceType"].as_str().unwrap_or_default() {
        "A2A" | "Azure" | "AzureToAzure" => Ok(()),
        other => Err(RecoveryDenial::OtherProvider.error(other)),
    }
}

fn replica(state: &State, call: &Call, details: &Value) -> Result<Replica, ArmError> {
    let machine = machine_of(state, details)?;
    let policy = given(call, "policyId").as_str().unwrap_or_default();
    let text = |name: &str| details[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let recovery_container = text("recoveryContainerId").unwrap_or_default();
    let id = item_id(call);
    let fabric = above(&id, 4).to_owned();
    let recovery_fabric = above(&recovery_container, 2).to_owned();
    let place = |fabric: &str| {
        let location = state.recovery.property(fabric, "/properties/customDetails/location");
        location.map(str::to_owned).ok_or_else(|| RecoveryDenial::ContainerMissing.error(fabric))
    };
    let locations = (place(&fabric)?, place(&recovery_fabric)?);
    if !state.recovery.things.contains_key(&key(above(&id, 2))) {
        return Err(RecoveryDenial::ContainerMissing.error(last(above(&id, 2))));
    }
    paired(state, above(&id, 2), &recovery_container)?;
    let group = text("recoveryResourceGroupId");
    let group = group.ok_or_else(|| invalid_parameter("recoveryResourceGroupId", "It is required."))?;
    let disks = disks_of(&machine, details)?;
    Ok(Replica::new(Given {
        id,
        fabric,
        recovery_fabric,
        recovery_container,
        policy: policy.to_owned(),
        pace: pace(state, policy)?,
        left_out: left_out(&machine, &disks),
        disks,
        recovery_network: text("recoveryAzureNetworkId")
            .or_else(|| mapped_network(state, above(&own_id(call, &item_path(call)), 4))),
        zone: text("recoveryAvailabilityZone"),
        multi_vm_group: text("multiVmGroupName"),
        recovery_group: group,
        first_locations: locations.clone(),
        locations,
        reversed: false,
        machine: &machine,
        now: call.now,
    }))
}

/// What an item is made of.
pub(super) struct Given<'a> {
    pub(super) id: String,
    pub(super) fabric: String,
    pub(super) recovery_fabric: String,
    pub(super) recovery_container: String,
    pub(super) policy: String,
    pub(super) pace: Pace,
    pub(super) left_out: Vec<usize>,
    pub(super) disks: Vec<ReplicaDisk>,
    pub(super) recovery_network: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) multi_vm_group: Option<String>,
    pub(super) recovery_group: String,
    pub(super) first_locations: (String, String),
    pub(super) locations: (String, String),
    pub(super) reversed: bool,
    pub(super) machine: &'a Machine,
    pub(super) now: jiff::Timestamp,
}

impl Replica {
    pub(super) fn new(given: Given<'_>) -> Self {
        let machine = given.machine;
        let nic = machine.body["properties"]["networkProfile"]["networkInterfaces"][0]["id"].as_str();
        Self {
            id: given.id,
            fabric: given.fabric,
            recovery_fabric: given.recovery_fabric,
            recovery_container: given.recovery_container,
            machine: machine.id(),
            machine_name: machine.name.clone(),
            os: machine.os,
            size: machine.size.clone(),
            tags: json!(machine.tags),
            nic: nic.map(str::to_owned),
            disks: given.disks,
            left_out: given.left_out,
            policy: given.policy,
            pace: given.pace,
            recovery_group: given.recovery_group,
            recovery_network: given.recovery_network,
            zone: given.zone,
            multi_vm_group: given.multi_vm_group,
            locations: given.locations,
            first_locations: given.first_locations,
            reversed: given.reversed,
            phase: Phase::Replicating(Stage::Begun),
            turn: 0,
            began: given.now,
            heard: given.now,
            protected_since: None,
            alive: Vec::new(),
            open: false,
            advanced: given.now,
            stalled: false,
            running: None,
            target: None,
        }
    }
}

/// The machine to replicate: by its id, which the recorder left out; then by its disks.
fn machine_of(state: &State, details: &Value) -> Result<Arc<Machine>, ArmError> {
    let id = details["fabricObjectId"].as_str();
    let id = id.ok_or_else(|| invalid_parameter("fabricObjectId", "It is required."))?;
    let disk = details["vmManagedDisks"][0]["diskId"].as_str().unwrap_or_default();
    let by_id = state.machines.get(&key(id));
    let by_disk = || state.machines.values().find(|machine| machine.disks().any(|one| one.is(disk)));
    by_id.or_else(by_disk).cloned().ok_or_else(|| RecoveryDenial::MachineMissing.error(id))
}

/// The disks that a body names, which must be the machine's own.
pub(super) fn disks_of(machine: &Machine, details: &Value) -> Result<Vec<ReplicaDisk>, ArmError> {
    let listed = details["vmManagedDisks"].as_array().map(Vec::as_slice).unwrap_or_default();
    if listed.is_empty() {
        return Err(invalid_parameter("vmManagedDisks", "At least one disk is expected."));
    }
    let one = |wanted: &Value| {
        let id = wanted["diskId"].as_str().unwrap_or_default();
        let found = machine.disks().find(|disk| disk.is(id)).ok_or_else(|| RecoveryDenial::DiskMissing.error(id))?;
        let group = wanted["recoveryResourceGroupId"].as_str();
        let staging = &wanted["primaryStagingAzureStorageAccountId"];
        if group.is_none() || !staging.is_string() {
            return Err(invalid_parameter("vmManagedDisks", "Each disk needs a group and a storage account."));
        }
        Ok(ReplicaDisk {
            id: id.to_owned(),
            name: found.name.clone(),
            size_gib: found.size_gib,
            sku: found.sku.clone(),
            is_os: found.is_os,
            staging: staging.clone(),
            group: group.unwrap_or_default().to_owned(),
            original: None,
        })
    };
    listed.iter().map(one).collect()
}

/// The numbers of the machine's data disks that are not among these.
pub(super) fn left_out(machine: &Machine, disks: &[ReplicaDisk]) -> Vec<usize> {
    let is_out = |id: &Option<String>| !disks.iter().any(|disk| id.as_deref().map(key) == Some(key(&disk.id)));
    machine.data_disks.iter().enumerate().filter(|(_, disk)| is_out(&disk.id)).map(|(lun, _)| lun).collect()
}

/// How often and how long, by the policy.
pub(super) fn pace(state: &State, policy: &str) -> Result<Pace, ArmError> {
    let missing = || RecoveryDenial::PolicyMissing.error(policy);
    let found = state.recovery.things.get(&key(policy)).ok_or_else(missing)?;
    let number = |name: &str| found["properties"]["providerSpecificDetails"][name].as_i64().unwrap_or(0);
    Ok(Pace {
        crash: number("crashConsistentFrequencyInMinutes"),
        application: number("appConsistentFrequencyInMinutes"),
        kept: number("recoveryPointHistory"),
    })
}

/// Whether a container is mapped to another one.
pub(super) fn paired(state: &State, container: &str, to: &str) -> Result<(), ArmError> {
    let within = format!("{}/replicationprotectioncontainermappings/", key(container));
    let leads = |body: &Value| body["properties"]["targetProtectionContainerId"].as_str().map(key) == Some(key(to));
    let found = state.recovery.things.iter().any(|(id, body)| id.starts_with(&within) && leads(body));
    if found { Ok(()) } else { Err(RecoveryDenial::NotPaired.error(last(container))) }
}

/// The network that a fabric's networks are mapped to.
pub(super) fn mapped_network(state: &State, fabric: &str) -> Option<String> {
    let within = format!("{}/replicationnetworks/", key(fabric));
    let mut found = state.recovery.things.iter().filter(|(id, _)| id.starts_with(&within));
    found.find_map(|(_, body)| body["properties"]["recoveryNetworkId"].as_str()).map(str::to_owned)
}
