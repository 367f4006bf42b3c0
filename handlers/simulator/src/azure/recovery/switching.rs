//! Protection the other way: the item goes to the other fabric, and the old machine is deleted, as Site Recovery does.
//! It never deletes an old machine whose region is lost, and never before the operation has ended well.

use jiff::Timestamp;
use serde_json::Value;

use super::super::call::{Answer, Call, Cause, Failure};
use super::super::errors::ArmError;
use super::super::ids::key;
use super::super::machines::Machine;
use super::super::power::Power;
use super::super::state::State;
use super::item_calls::{self, Given};
use super::items::{self, Phase, Replica};
use super::jobs::Scenario;
use super::operations::Effect;
use super::{RecoveryDenial, above, failover, given, last, own_id};

/// A reversal under way.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    /// The item's key, until then.
    pub(super) at: String,
    /// What it will be.
    next: Replica,
    /// The machine that goes.
    old: String,
}

/// `POST {container}/switchprotection`: 202 (recorded). The container that holds the item is the one that takes it back
/// (recorded), and the other way must be mapped (documented).
pub(crate) fn switch(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let details = given(call, "providerSpecificDetails");
    item_calls::set_up_only(details)?;
    let container = own_id(
        call,
        &format!("/replicationFabrics/{}/replicationProtectionContainers/{}", call.param(3), call.param(4)),
    );
    let name = given(call, "replicationProtectedItemName").as_str().unwrap_or_default();
    let at = key(&format!("{container}/replicationProtectedItems/{name}"));
    let item = state.recovery.items.get(&at).ok_or_else(|| RecoveryDenial::Missing.error(name))?;
    if !matches!(item.phase, Phase::Committed(_)) || item.running.is_some() {
        return Err(RecoveryDenial::NotAllowed.error(name));
    }
    if details["recoveryContainerId"].as_str().map(key) != Some(key(&container)) {
        return Err(RecoveryDenial::OtherContainer.error(call.param(4)));
    }
    item_calls::paired(state, &item.recovery_container, &container)?;
    let next = reversed(state, item, &container, details, call.now)?;
    let (old, region) = (key(&item.machine), item.locations.0.clone());
    let object = (item_calls::entity(state, item), item.machine_name.clone());
    let effect = Effect::Switch(Box::new(Turn { at: at.clone(), next, old: old.clone() }));
    let (operation, answer) = item_calls::begin_on(state, call, &at, Scenario::Switch, object, effect);
    if state.recovery.lost.contains(&region) {
        // *Assumed* (`sr-sim-switch-source`): without the old region it is accepted and fails.
        if let Some(found) = state.recovery.operations.get_mut(&operation) {
            let message = "The region of the virtual machine that is to be replaced does not answer.".to_owned();
            found.failure = found.failure.take().or(Some(Failure { code: "SourceUnreachable".to_owned(), message }));
        }
    } else if let Some(found) = state.machines.get(&old).filter(|_| call.fails.is_none()).cloned() {
        // The old machine is turned off first (documented).
        let off =
            Machine { power: Power::Deallocated, agent_ready: false, view_stands: false, ..Machine::clone(&found) };
        state.keep_machine(off, call.now);
    }
    Ok(answer)
}

fn reversed(
    state: &State,
    item: &Replica,
    container: &str,
    details: &Value,
    now: Timestamp,
) -> Result<Replica, ArmError> {
    let missing = || RecoveryDenial::MachineMissing.error(&item.machine_name);
    let machine = failover::running_machine(state, item).ok_or_else(missing)?;
    let mut disks = item_calls::disks_of(&machine, details)?;
    for disk in &mut disks {
        let old = item.disks.iter().find(|old| old.name == disk.name);
        disk.original = old.map(|old| old.id.clone());
    }
    let policy = details["policyId"].as_str().unwrap_or_default();
    let group = details["recoveryResourceGroupId"].as_str();
    let group = group.unwrap_or(above(&item.machine, 4)).to_owned();
    let fabric = item.recovery_fabric.clone();
    let mut next = Replica::new(Given {
        id: format!("{}/replicationProtectedItems/{}", item.recovery_container, last(&item.id)),
        recovery_network: item_calls::mapped_network(state, &fabric),
        fabric,
        recovery_fabric: item.fabric.clone(),
        recovery_container: container.to_owned(),
        policy: policy.to_owned(),
        pace: item_calls::pace(state, policy)?,
        left_out: item_calls::left_out(&machine, &disks),
        disks,
        zone: details["recoveryAvailabilityZone"].as_str().map(str::to_owned),
        multi_vm_group: item.multi_vm_group.clone(),
        recovery_group: group,
        first_locations: item.first_locations.clone(),
        locations: (item.locations.1.clone(), item.locations.0.clone()),
        reversed: true,
        machine: &machine,
        now,
    });
    next.turn = item.turn;
    // Where it goes back to it bears its old name.
    last(&item.machine).clone_into(&mut next.machine_name);
    Ok(next)
}

/// A reversal has ended well: the item lies under the other fabric by the same name (recorded), its old id answers 404
/// (*assumed*, `sr-sim-old-id`), and the old machine is deleted, its disks are not (documented).
pub(super) fn switched(state: &mut State, turn: Turn, cause: &Cause, now: Timestamp) {
    state.recovery.items.remove(&turn.at);
    let cause = Cause { action: "Microsoft.Compute/virtualMachines/delete", ..cause.clone() };
    state.machine_gone("", &turn.old, &cause, now);
    items::enabled(state, key(&turn.next.id), turn.next, now);
}
