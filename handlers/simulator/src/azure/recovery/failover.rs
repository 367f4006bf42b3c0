//! Failover: a machine in the other region from one of its points, another point while that can be changed, and the commit.
//! It never looks at the old machine but where it is asked to shut it down, and never needs the old region.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::call::{Answer, Call, Cause, Failure};
use super::super::errors::ArmError;
use super::super::ids::{ResourceId, guid_of, key, stamp};
use super::super::machines::{Machine, Provisioning};
use super::super::power::Power;
use super::super::seeding_bodies::machine_of;
use super::super::state::{State, Step};
use super::items::{Failover, Phase, Replica};
use super::jobs::Scenario;
use super::operations::{Effect, Operation};
use super::{RecoveryDenial, RecoveryStep, given, item_calls, last};

/// From the request until the machine is made, in milliseconds (recorded: 105 s).
const MACHINE_MS: u32 = 104_900;

/// `POST …/unplannedFailover`: 202 (recorded). The point is chosen now, the newest where none is named.
pub(crate) fn unplanned(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let item = item_calls::item_of(state, call)?;
    let details = given(call, "providerSpecificDetails");
    item_calls::set_up_only(details)?;
    let direction = given(call, "failoverDirection").as_str().unwrap_or_default();
    if direction != "PrimaryToRecovery" {
        return Err(RecoveryDenial::Direction.error(direction));
    }
    if !item.is_protected() || item.running.is_some() {
        return Err(RecoveryDenial::NotAllowed.error(call.param(5)));
    }
    let point = item.chosen(state.seed, &details["recoveryPointId"])?.name;
    let (at, old, region) = (key(&item.id), key(&item.machine), item.locations.0.clone());
    let object = (item_calls::entity(state, item), item.machine_name.clone());
    let effect = Effect::FailOver { at: at.clone(), point };
    let (operation, answer) = item_calls::begin_on(state, call, &at, Scenario::FailOver, object, effect);
    if given(call, "sourceSiteOperations") == "Required" {
        shut_down(state, &old, &region, call.now);
    }
    let ends = state.recovery.operations.get(&operation).map(|found| (found.ends, found.failure.is_some()));
    let comes = call.now.checked_add(state.latencies.scaled(MACHINE_MS)).unwrap_or(Timestamp::MAX);
    if ends.is_some_and(|(end, fails)| !fails && comes <= end) {
        state.later(comes, Step::Recovery(RecoveryStep::MachineComes { operation }));
    }
    Ok(answer)
}

/// *Assumed* (`sr-sim-source-operations`): the old machine is stopped where its region is there, and failover goes on all the
/// same where it is not.
fn shut_down(state: &mut State, machine: &str, region: &str, now: Timestamp) {
    if state.recovery.lost.contains(region) {
        return;
    }
    if let Some(found) = state.machines.get(machine).cloned() {
        state.keep_machine(Machine { power: Power::Deallocated, agent_ready: false, ..Machine::clone(&found) }, now);
    }
}

/// A failover's machine is there: made, and soon running. A name that is taken gets a tail, with a warning. *Assumed*
/// (`sr-sim-name-taken`): recorded is that for machines from elsewhere.
pub(super) fn machine_comes(state: &mut State, operation: &str, now: Timestamp) {
    let Some(found) = state.recovery.operations.get(operation) else { return };
    let (effect, cause) = (found.effect.clone(), found.cause.clone());
    if let Effect::FailOver { at, .. } = effect {
        bring(state, &at, operation, &cause, now);
    }
}

fn bring(state: &mut State, at: &str, operation: &str, cause: &Cause, now: Timestamp) {
    let Some(item) = state.recovery.items.get(at).cloned() else { return };
    let wanted = format!("{}/providers/Microsoft.Compute/virtualMachines/{}", item.recovery_group, item.machine_name);
    let taken = state.machines.contains_key(&key(&wanted));
    let name = if taken {
        format!("{}-{}", item.machine_name, guid_of(state.seed, "another name", operation))
    } else {
        item.machine_name.clone()
    };
    if taken && let Some(found) = state.recovery.operations.get_mut(operation) {
        let message = format!("The VM name '{}' was modified to '{name}' to avoid name conflicts.", item.machine_name);
        found.warning = Some(Failure { code: "28175".to_owned(), message });
    }
    let made = make_machine(state, &item, &name, cause, now);
    if let Some(item) = state.recovery.items.get_mut(at) {
        item.target = made;
    }
}

/// Makes the machine; answers its id.
fn make_machine(state: &mut State, item: &Replica, name: &str, cause: &Cause, now: Timestamp) -> Option<String> {
    let id = format!("{}/providers/Microsoft.Compute/virtualMachines/{name}", item.recovery_group);
    let parsed = ResourceId::parse(&id)?;
    let vm_id = state.names.guid();
    let body = machine_body(item, &id, &vm_id, now);
    let machine = Machine {
        provisioning: Provisioning::Creating,
        agent_ready: false,
        agent_returns: true,
        ..machine_of(&parsed, &body, now)
    };
    state.ensure_group(&parsed.subscription, &parsed.group, &item.locations.1, now);
    state.keep_machine(machine, now);
    let cause = Cause { action: "Microsoft.Compute/virtualMachines/write", existed: false, ..cause.clone() };
    let done = Step::MachineDone { operation: String::new(), machine: key(&id), cause, failure: None };
    state.after(now, state.latencies.machine_create_ms, done);
    state.after(now, state.latencies.agent_ready_ms, Step::AgentReady { machine: key(&id), vm_id });
    Some(id)
}

/// The machine as Compute tells it then (recorded): no image, no profile of the system, no identity.
fn machine_body(item: &Replica, id: &str, vm_id: &str, now: Timestamp) -> Value {
    let disk = |disk: &super::items::ReplicaDisk| {
        json!({
            "name": disk.name,
            "createOption": "Attach",
            "caching": if disk.is_os { "ReadWrite" } else { "None" },
            "managedDisk": {
                "storageAccountType": disk.sku,
                "id": format!("{}/providers/Microsoft.Compute/disks/{}", disk.group, disk.name),
            },
            "deleteOption": "Detach",
            "diskSizeGB": disk.size_gib,
        })
    };
    let mut os_disk = item.disks.iter().find(|one| one.is_os).map_or(Value::Null, disk);
    if os_disk.is_object() {
        os_disk["osType"] = json!(item.os);
    }
    let data: Vec<Value> = item.disks.iter().filter(|one| !one.is_os).map(disk).zip(0_u32..).map(numbered).collect();
    let nic = item.nic.as_deref().map(last).unwrap_or_default();
    let mut body = json!({
        "name": last(id),
        "id": id,
        "type": "Microsoft.Compute/virtualMachines",
        "location": item.locations.1,
        "properties": {
            "vmId": vm_id,
            "hardwareProfile": { "vmSize": item.size },
            "storageProfile": { "osDisk": os_disk, "dataDisks": data },
            "networkProfile": {
                "networkInterfaces": [{
                    "id": format!("{}/providers/Microsoft.Network/networkInterfaces/{nic}", item.recovery_group),
                    "properties": { "primary": true },
                }],
            },
            "timeCreated": stamp(now),
        },
    });
    if item.tags.as_object().is_some_and(|tags| !tags.is_empty()) {
        body["tags"] = item.tags.clone();
    }
    body
}

fn numbered((disk, lun): (Value, u32)) -> Value {
    let mut disk = disk;
    disk["lun"] = json!(lun);
    disk["toBeDetached"] = json!(false);
    disk
}

/// A failover has ended well.
pub(super) fn failed_over(state: &mut State, at: &str, point: String, (operation, now): (&Operation, Timestamp)) {
    if state.recovery.items.get(at).is_some_and(|item| item.target.is_none()) {
        bring(state, at, &operation.name, &operation.cause, now);
    }
    let asked = operation.started;
    if let Some(item) = state.recovery.items.get_mut(at) {
        item.phase = Phase::FailedOver(Failover { asked, point });
    }
}

/// `POST …/failoverCommit`, without a body: 202 (recorded).
pub(crate) fn commit(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let item = item_calls::item_of(state, call)?;
    if !matches!(item.phase, Phase::FailedOver(_)) || item.running.is_some() {
        return Err(RecoveryDenial::NotAllowed.error(call.param(5)));
    }
    let (at, object) = (key(&item.id), (item_calls::entity(state, item), item.machine_name.clone()));
    let effect = Effect::Commit { at: at.clone() };
    Ok(item_calls::begin_on(state, call, &at, Scenario::Commit, object, effect).1)
}

/// A commit has ended well: the points are gone (documented).
pub(super) fn committed(state: &mut State, at: &str) {
    if let Some(item) = state.recovery.items.get_mut(at)
        && let Phase::FailedOver(failover) = item.phase.clone()
    {
        item.phase = Phase::Committed(failover);
    }
}

/// `POST …/applyRecoveryPoint`: 202 (documented), while the failover is not committed.
pub(crate) fn apply_point(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let item = item_calls::item_of(state, call)?;
    item_calls::set_up_only(given(call, "providerSpecificDetails"))?;
    if !matches!(item.phase, Phase::FailedOver(_)) || item.running.is_some() {
        return Err(RecoveryDenial::NotAllowed.error(call.param(5)));
    }
    let point = item.chosen(state.seed, given(call, "recoveryPointId"))?.name;
    let (at, object) = (key(&item.id), (item_calls::entity(state, item), item.machine_name.clone()));
    let effect = Effect::ChangePoint { at: at.clone(), point };
    Ok(item_calls::begin_on(state, call, &at, Scenario::ChangePoint, object, effect).1)
}

/// Another point was taken. *Assumed* (`sr-sim-change-point`): the machine is made anew under its name, with another `vmId`.
pub(super) fn point_changed(state: &mut State, at: &str, point: String, cause: &Cause, now: Timestamp) {
    let Some(item) = state.recovery.items.get(at).cloned() else { return };
    let Phase::FailedOver(failover) = &item.phase else { return };
    let name = item.target.as_deref().map_or(item.machine_name.as_str(), last).to_owned();
    if let Some(target) = &item.target {
        let cause = Cause { action: "Microsoft.Compute/virtualMachines/delete", ..cause.clone() };
        state.machine_gone("", &key(target), &cause, now);
    }
    let phase = Phase::FailedOver(Failover { point, ..failover.clone() });
    let made = make_machine(state, &item, &name, cause, now);
    if let Some(item) = state.recovery.items.get_mut(at) {
        (item.phase, item.target) = (phase, made);
    }
}

/// The machine that an item runs as now.
pub(super) fn running_machine(state: &State, item: &Replica) -> Option<Arc<Machine>> {
    state.machines.get(&key(item.target.as_deref()?)).cloned()
}
