//! Site Recovery's own recovery plans: written, read and deleted. They are set up here and not run.
//! It never puts an item into a plan that is not there.

use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::{ArmError, invalid_parameter};
use super::super::ids::key;
use super::super::state::State;
use super::{RecoveryDenial, given, item_calls, last, set_up};

/// Most groups of machines (documented).
const GROUPS: usize = 7;

/// `PUT …/replicationRecoveryPlans/{name}`: the groups for shutdown and failover are added (recorded).
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let fabric = |name: &str| given(call, name).as_str().unwrap_or_default().to_owned();
    let (primary, recovery) = (fabric("primaryFabricId"), fabric("recoveryFabricId"));
    for id in [&primary, &recovery] {
        if !state.recovery.things.contains_key(&key(id)) {
            return Err(RecoveryDenial::Missing.error(last(id)));
        }
    }
    let listed = given(call, "groups").as_array().cloned();
    let listed = listed.ok_or_else(|| invalid_parameter("groups", "They are required."))?;
    if listed.len() > GROUPS {
        return Err(invalid_parameter("groups", "A plan has at most seven groups."));
    }
    let mut groups = vec![empty("Shutdown"), empty("Failover")];
    for group in &listed {
        groups.push(of_group(state, group)?);
    }
    let properties = json!({
        "friendlyName": call.param(3),
        "primaryFabricId": primary,
        "primaryFabricFriendlyName": state.recovery.friendly(&primary),
        "recoveryFabricId": recovery,
        "recoveryFabricFriendlyName": state.recovery.friendly(&recovery),
        "failoverDeploymentModel": given(call, "failoverDeploymentModel"),
        "replicationProviders": ["A2A"],
        "allowedOperations": ["UnplannedFailover", "TestFailover"],
        "currentScenario": null,
        "currentScenarioStatus": null,
        "currentScenarioStatusDescription": null,
        "groups": groups,
        "providerSpecificDetails": [],
    });
    Ok(set_up::make_plan(state, call, properties))
}

fn of_group(state: &State, group: &Value) -> Result<Value, ArmError> {
    let mut items = Vec::new();
    for item in group["replicationProtectedItems"].as_array().into_iter().flatten() {
        let id = item["id"].as_str().unwrap_or_default();
        let found = state.recovery.items.get(&key(id)).ok_or_else(|| RecoveryDenial::Missing.error(last(id)))?;
        items.push(json!({ "id": id, "virtualMachineId": item_calls::entity(state, found) }));
    }
    let actions = |name: &str| if group[name].is_array() { group[name].clone() } else { json!([]) };
    Ok(json!({
        "groupType": group["groupType"],
        "replicationProtectedItems": items,
        "startGroupActions": actions("startGroupActions"),
        "endGroupActions": actions("endGroupActions"),
    }))
}

fn empty(kind: &str) -> Value {
    json!({ "groupType": kind, "replicationProtectedItems": [], "startGroupActions": [], "endGroupActions": [] })
}
