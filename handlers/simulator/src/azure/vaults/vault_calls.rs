//! Calls on vaults themselves: created, read, listed, changed, deleted, counted.
//! It never deletes a vault that holds an item.

use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::{ArmError, invalid_parameter, resource_not_found};
use super::super::machines::tags_of;
use super::super::paging;
use super::super::state::{State, Step};
use super::{KIND, Life, Vault, VaultDenial, VaultStep, vault_key, vault_of};

/// How long ARM still knows a deleted vault's name after its deletion succeeded, in milliseconds. *Assumed*
/// (`vault-sim-delete`): recorded is that the same poll is answered 200 by some tapes and 404 by others.
const FORGOTTEN_AFTER_MS: u32 = 5_000;

/// `PUT …/vaults/{name}`: 201 and an operation (recorded); 200 for one that is there (documented).
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?.clone();
    // *Assumed* (`arm-400-wording`): code and wording.
    let location = body["location"].as_str().filter(|place| !place.is_empty());
    let missing =
        || ArmError::gateway(400, "LocationRequired", "The location property is required for this definition.");
    let location = location.ok_or_else(missing)?;
    let sku = body["sku"]["name"].as_str().filter(|name| ["Standard", "RS0"].contains(name));
    sku.ok_or_else(|| invalid_parameter("sku.name", "Standard or RS0 is expected."))?;
    let tags = tags_of(&body)?;
    let before = state.vaults.by_key.get(&vault_key(call)).cloned();
    let existed = before.is_some();
    if let Some(before) = before.as_ref().filter(|one| one.life != Life::Succeeded) {
        return Err(VaultDenial::VaultNotMade.error(&before.name));
    }
    let fresh = || Vault::fresh(call.param(0), call.param(1), call.param(2), location, call.now);
    let mut vault = before.unwrap_or_else(fresh);
    if vault.location != location.replace(' ', "").to_ascii_lowercase() {
        return Err(invalid_parameter("location", "The location of a vault cannot be changed."));
    }
    (vault.tags, vault.sku, vault.changed) = (tags, body["sku"].clone(), call.now);
    write(&mut vault, &body)?;
    if existed {
        let answer = Answer::new(200, vault.json());
        state.keep_vault(vault, call.now);
        return Ok(answer);
    }
    vault.life = Life::Provisioning;
    let length = state.latencies.vault_create_ms;
    let begun = state.begin_vault_operation(call, length);
    let answer = begun.status_only(Answer::new(201, vault.json()));
    state.keep_vault(vault, call.now);
    state.after(call.now, length, Step::Vault(VaultStep::Made { vault: vault_key(call) }));
    Ok(answer)
}

/// `PATCH …/vaults/{name}`: 202 and an operation (recorded for the redundancy).
pub(crate) fn patch(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?.clone();
    let mut vault = vault_of(state, call)?.clone();
    if vault.life != Life::Succeeded {
        return Err(VaultDenial::VaultNotMade.error(&vault.name));
    }
    if body.get("tags").is_some() {
        vault.tags = tags_of(&body)?;
    }
    write(&mut vault, &body)?;
    vault.changed = call.now;
    let begun = state.begin_vault_operation(call, state.latencies.vault_create_ms);
    state.keep_vault(vault, call.now);
    Ok(begun.accepted())
}

/// `GET …/vaults/{name}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    Ok(Answer::new(200, vault_of(state, call)?.json()))
}

/// `DELETE …/vaults/{name}`: 202 and an operation (recorded); refused while it holds items, deleted ones too unless its soft
/// delete is always on (documented).
pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let vault = vault_of(state, call)?;
    if vault.life != Life::Succeeded {
        return Err(VaultDenial::VaultNotMade.error(&vault.name));
    }
    let always_on = vault.soft_delete.state == "AlwaysON";
    if vault.items.values().any(|item| item.deleted.is_none() || !always_on) {
        return Err(VaultDenial::VaultNotEmpty.error(&vault.name));
    }
    if !super::pending::fails(call) {
        vault.life = Life::Deleting;
    }
    let length = state.latencies.vault_create_ms;
    let begun = state.begin_vault_operation(call, length);
    if !super::pending::fails(call) {
        state.after(call.now, length, Step::Vault(VaultStep::Deleted { vault: vault_key(call) }));
        let forgotten = Step::Vault(VaultStep::Forgotten { vault: vault_key(call) });
        state.after(call.now, length + FORGOTTEN_AFTER_MS, forgotten);
    }
    Ok(begun.accepted())
}

/// `GET` of a group's vaults.
pub(crate) fn list_in_group(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    Ok(list(state, call, Some(call.param(1))))
}

/// `GET` of a subscription's vaults.
pub(crate) fn list_all(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    Ok(list(state, call, None))
}

fn list(state: &State, call: &Call, group: Option<&str>) -> Answer {
    let own = |vault: &Vault| {
        vault.subscription.eq_ignore_ascii_case(call.param(0))
            && group.is_none_or(|group| vault.group.eq_ignore_ascii_case(group))
    };
    let all = state.vaults.by_key.iter().filter(|(_, vault)| own(vault));
    let listed = |vault: &Vault| {
        let mut body = vault.json();
        // No tape lists vaults, and the document has no null here.
        if let Some(settings) = body.pointer_mut("/properties/securitySettings").and_then(Value::as_object_mut) {
            settings.remove("immutabilitySettings");
        }
        body
    };
    paging::listing(call, all.map(|(key, vault)| (key.clone(), listed(vault))), state.page_size)
}

/// `GET …/vaults/{name}/usages`: *assumed* (`vault-sim-usages`) which of the documented counts are there.
pub(crate) fn usages(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let vault = vault_of(state, call)?;
    let items = vault.items.values().filter(|item| item.is_there()).count();
    let running = vault.running.len();
    let count = |name: &str, shown: &str, value: usize| {
        json!({
            "unit": "Count",
            "currentValue": value,
            "limit": -1,
            "name": { "value": name, "localizedValue": shown },
        })
    };
    let value = [
        count("ProtectedItemCount", "Backup items/Azure virtual machine backup", items),
        count("IaaSVMProtectedItemCount", "Azure Virtual Machines", items),
        count("InProgressJobsCount", "In progress", running),
        count("ManagedInstances", "Protected Instances", items),
    ];
    Ok(Answer::new(200, json!({ "value": value })))
}

/// `GET …/backupResourceGuardProxies`: no vault here has any (recorded).
pub(crate) fn guards(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    vault_of(state, call)?;
    Ok(Answer::new(200, json!({ "value": [] })))
}

/// Takes over what a body says of a vault's properties.
fn write(vault: &mut Vault, body: &Value) -> Result<(), ArmError> {
    let given = &body["properties"];
    if let Some(redundancy) = given["redundancySettings"]["standardTierStorageRedundancy"].as_str() {
        if vault.redundancy != redundancy && vault.items.values().any(|item| item.is_there()) {
            return Err(VaultDenial::StorageLocked.error(&vault.name));
        }
        redundancy.clone_into(&mut vault.redundancy);
    }
    if let Some(crosses) = given["redundancySettings"]["crossRegionRestore"].as_str() {
        vault.cross_region = crosses == "Enabled";
    }
    let soft = &given["securitySettings"]["softDeleteSettings"];
    if let Some(state) = soft["softDeleteState"].as_str() {
        state.clone_into(&mut vault.soft_delete.state);
    }
    if let Some(days) = soft["softDeleteRetentionPeriodInDays"].as_i64() {
        vault.soft_delete.days = super::configs::days_of_soft_delete(days)?;
    }
    for name in ["publicNetworkAccess", "monitoringSettings", "restoreSettings"] {
        if !given[name].is_null() {
            vault.written[name] = given[name].clone();
        }
    }
    if body.get("identity").is_some() {
        vault.identity = body["identity"].clone();
    }
    Ok(())
}

/// The refusal of a vault that is not there, for calls whose path does not name it.
pub(super) fn missing(name: &str, group: &str) -> ArmError {
    resource_not_found(KIND, name, group)
}
