//! What Site Recovery rests on: fabrics, containers, policies, and how containers and networks are mapped to each other.
//! It never maps to what is not there, and never takes what another provider needs.

use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::{ArmError, invalid_parameter};
use super::super::ids::{guid_of, key};
use super::super::regions;
use super::super::state::State;
use super::item_calls::set_up_only;
use super::jobs::Scenario;
use super::operations::Effect;
use super::{KIND, RecoveryDenial, above, below_vault, display, given, last, listed, own_id, whole_list};

/// How often crash-consistent points are made when nothing is said, in minutes (recorded).
const CRASH_MINUTES: i64 = 5;

/// `GET` of one thing.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let id = own_id(call, below_vault(call));
    let found = state.recovery.things.get(&key(&id)).ok_or_else(|| RecoveryDenial::Missing.error(last(&id)))?;
    Ok(Answer::new(200, as_now(state, &key(&id), found)))
}

/// `GET` of all things of a type that lie below a vault, a fabric or a container: whole, `nextLink` null (recorded).
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let id = key(&own_id(call, below_vault(call)));
    let (within, kind) = (format!("{}/", above(&id, 1)), last(&id));
    let own = |(place, body): &(&String, &Value)| {
        place.starts_with(&within) && last(&body["type"].as_str().unwrap_or_default().to_ascii_lowercase()) == kind
    };
    let shown = |(place, body): (&String, &Value)| {
        let mut body = as_now(state, place, body);
        // A list of plans does not show what is in them (recorded).
        if kind == "replicationrecoveryplans" {
            body["properties"]["groups"] = json!([]);
            return body;
        }
        listed(body)
    };
    let value = state.recovery.things.iter().filter(own).map(shown).collect();
    Ok(Answer::new(200, whole_list(value)))
}

/// A thing with what follows from others. *Assumed* (`sr-sim-pairing`): a container that is mapped says `Paired`.
fn as_now(state: &State, place: &str, body: &Value) -> Value {
    let (mut body, below) = (body.clone(), format!("{place}/"));
    let recovery = &state.recovery;
    match last(body["type"].as_str().unwrap_or_default()) {
        "replicationFabrics" => {
            let has = recovery.things.iter().any(|(id, one)| {
                id.starts_with(&below)
                    && one["type"].as_str().is_some_and(|kind| kind.ends_with("ProtectionContainers"))
            });
            // The cloud's own container, by another name than those that were made (recorded).
            let id = body["id"].as_str().unwrap_or_default();
            let own = format!("{id}/replicationProtectionContainers/{}", guid_of(state.seed, "cloud", place));
            body["properties"]["customDetails"]["containerIds"] = if has { json!([own]) } else { json!([]) };
        }
        "replicationProtectionContainers" => {
            let items = recovery.items.keys().filter(|id| id.starts_with(&below)).count();
            let mapped = recovery.things.keys().any(|id| id.starts_with(&below));
            body["properties"]["protectedItemCount"] = json!(items);
            body["properties"]["pairingStatus"] = json!(if mapped { "Paired" } else { "NotPaired" });
        }
        _ => {}
    }
    body
}

/// Begins to make what the call names.
fn make(state: &mut State, call: &Call, scenario: Scenario, kind: &str, properties: Value) -> Answer {
    let id = own_id(call, below_vault(call));
    let body = json!({ "id": id, "name": last(&id), "type": format!("{KIND}/{kind}"), "properties": properties });
    let object = (guid_of(state.seed, "object", &id), last(&id).to_owned());
    let effect = Effect::Make { at: key(&id), body };
    state.begin_recovery(call, scenario, below_vault(call), object, effect).1
}

/// Begins to take away what the call names; `remove` may follow in its path.
fn take_away(state: &mut State, call: &Call, scenario: Scenario) -> Result<Answer, ArmError> {
    let below = below_vault(call);
    let below = if call.method == "POST" { above(below, 1) } else { below };
    let id = own_id(call, below);
    if !state.recovery.things.contains_key(&key(&id)) {
        return Err(RecoveryDenial::Missing.error(last(&id)));
    }
    let object = (guid_of(state.seed, "object", &id), last(&id).to_owned());
    Ok(state.begin_recovery(call, scenario, below, object, Effect::Drop { at: key(&id) }).1)
}

/// `PUT …/replicationFabrics/{name}`: a region, as Site Recovery knows it.
pub(crate) fn put_fabric(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let details = given(call, "customDetails");
    set_up_only(details)?;
    let location = details["location"].as_str().unwrap_or_default();
    let region = regions::named(location).ok_or_else(|| invalid_parameter("location", "It is not a region."))?;
    let id = own_id(call, below_vault(call));
    let none = json!({ "kekState": "None", "kekCertThumbprint": null });
    let properties = json!({
        "friendlyName": region.display,
        "encryptionDetails": none,
        "rolloverEncryptionDetails": none,
        "internalIdentifier": guid_of(state.seed, "fabric", &id),
        "bcdrState": "Valid",
        "customDetails": { "instanceType": "Azure", "location": region.name, "containerIds": [], "zones": [] },
        "healthErrorDetails": [],
        "health": "Normal",
    });
    Ok(make(state, call, Scenario::CreateFabric, "replicationFabrics", properties))
}

/// `DELETE …/replicationFabrics/{name}`, with all below it.
pub(crate) fn delete_fabric(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    take_away(state, call, Scenario::DeleteFabric)
}

/// `PUT …/replicationProtectionContainers/{name}`.
pub(crate) fn put_container(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    set_up_only(&given(call, "providerSpecificInput")[0])?;
    let fabric = own_id(call, above(below_vault(call), 2));
    if !state.recovery.things.contains_key(&key(&fabric)) {
        return Err(RecoveryDenial::Missing.error(last(&fabric)));
    }
    let properties = json!({
        "fabricFriendlyName": state.recovery.friendly(&fabric),
        "friendlyName": call.param(4),
        "fabricType": "Azure",
        "protectedItemCount": 0,
        "pairingStatus": "NotPaired",
        "role": "",
        "fabricSpecificDetails": null,
    });
    let kind = "replicationFabrics/replicationProtectionContainers";
    Ok(make(state, call, Scenario::CreateContainer, kind, properties))
}

/// `POST …/replicationProtectionContainers/{name}/remove`.
pub(crate) fn remove_container(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    take_away(state, call, Scenario::RemoveContainer)
}

/// `PUT …/replicationPolicies/{name}`.
pub(crate) fn put_policy(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let input = given(call, "providerSpecificInput");
    set_up_only(input)?;
    let sync = input["multiVmSyncStatus"].as_str();
    let sync = sync.ok_or_else(|| invalid_parameter("multiVmSyncStatus", "It is required."))?;
    let number = |name: &str, usual: i64| json!(input[name].as_i64().unwrap_or(usual));
    let properties = json!({
        "friendlyName": call.param(3),
        "providerSpecificDetails": {
            "instanceType": "A2A",
            "recoveryPointThresholdInMinutes": 0,
            "recoveryPointHistory": number("recoveryPointHistory", 0),
            "appConsistentFrequencyInMinutes": number("appConsistentFrequencyInMinutes", 0),
            // Asked for as `Enable`, told as `Enabled` (recorded).
            "multiVmSyncStatus": format!("{}d", sync.trim_end_matches('d')),
            "crashConsistentFrequencyInMinutes": number("crashConsistentFrequencyInMinutes", CRASH_MINUTES),
        },
    });
    Ok(make(state, call, Scenario::CreatePolicy, "replicationPolicies", properties))
}

/// `DELETE …/replicationPolicies/{name}`.
pub(crate) fn delete_policy(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    take_away(state, call, Scenario::DeletePolicy)
}

/// `PUT …/replicationProtectionContainerMappings/{name}`.
pub(crate) fn put_mapping(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let input = given(call, "providerSpecificInput");
    set_up_only(input)?;
    let container = own_id(call, above(below_vault(call), 2));
    let text = |name: &str| given(call, name).as_str().unwrap_or_default();
    let (target, policy) = (text("targetProtectionContainerId"), text("policyId"));
    let things = &state.recovery.things;
    if !things.contains_key(&key(policy)) {
        return Err(RecoveryDenial::PolicyMissing.error(policy));
    }
    if let Some(missing) = [container.as_str(), target].into_iter().find(|id| !things.contains_key(&key(id))) {
        return Err(RecoveryDenial::ContainerMissing.error(missing));
    }
    let properties = json!({
        "targetProtectionContainerId": target,
        "targetProtectionContainerFriendlyName": last(target),
        "providerSpecificDetails": {
            "instanceType": "A2A",
            "agentAutoUpdateStatus": input["agentAutoUpdateStatus"].as_str().unwrap_or("Disabled"),
            "automationAccountAuthenticationType": "RunAsAccount",
            "automationAccountArmId": null,
            "scheduleName": null,
            "jobScheduleName": null,
        },
        "health": "Normal",
        "healthErrorDetails": [],
        "policyId": policy,
        "state": "Paired",
        "sourceProtectionContainerFriendlyName": last(&container),
        "sourceFabricFriendlyName": state.recovery.friendly(above(&container, 2)),
        "targetFabricFriendlyName": state.recovery.friendly(above(target, 2)),
        "policyFriendlyName": last(policy),
    });
    let kind = "replicationFabrics/replicationProtectionContainers/replicationProtectionContainerMappings";
    Ok(make(state, call, Scenario::PairContainers, kind, properties))
}

/// `DELETE …/{mapping}` and `POST …/{mapping}/remove`.
pub(crate) fn remove_mapping(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    take_away(state, call, Scenario::UnpairContainers)
}

/// `PUT …/replicationNetworkMappings/{name}`: ids are told in lower case (recorded).
pub(crate) fn put_network_mapping(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let details = given(call, "fabricSpecificDetails");
    set_up_only(details)?;
    let fabric = own_id(call, above(below_vault(call), 4));
    let recovery = given(call, "recoveryFabricName").as_str().unwrap_or_default();
    let recovery = own_id(call, &format!("/replicationFabrics/{recovery}"));
    let location = |id: &str| {
        let found = state.recovery.property(id, "/properties/customDetails/location");
        found.map(str::to_owned).ok_or_else(|| RecoveryDenial::Missing.error(last(id)))
    };
    let (own, other) = (location(&fabric)?, location(&recovery)?);
    let network = |value: &Value| value.as_str().unwrap_or_default().to_ascii_lowercase();
    let (primary, target) = (network(&details["primaryNetworkId"]), network(given(call, "recoveryNetworkId")));
    let properties = json!({
        "state": "Paired",
        "primaryNetworkFriendlyName": last(&primary),
        "primaryNetworkId": primary,
        "primaryFabricFriendlyName": display(&own),
        "recoveryNetworkFriendlyName": last(&target),
        "recoveryNetworkId": target,
        "recoveryFabricArmId": recovery,
        "recoveryFabricFriendlyName": display(&other),
        "fabricSpecificSettings": {
            "instanceType": "AzureToAzure", "primaryFabricLocation": own, "recoveryFabricLocation": other,
        },
    });
    let kind = "replicationFabrics/replicationNetworks/replicationNetworkMappings";
    Ok(make(state, call, Scenario::PairNetworks, kind, properties))
}

/// `DELETE …/replicationNetworkMappings/{name}`.
pub(crate) fn delete_network_mapping(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    take_away(state, call, Scenario::UnpairNetworks)
}

/// `DELETE …/replicationRecoveryPlans/{name}`.
pub(crate) fn delete_plan(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    take_away(state, call, Scenario::DeletePlan)
}

/// Begins to make a plan.
pub(super) fn make_plan(state: &mut State, call: &Call, properties: Value) -> Answer {
    make(state, call, Scenario::CreatePlan, "replicationRecoveryPlans", properties)
}
