//! Whether a machine is protected anywhere, and whether it could be: asked without a vault.
//! It never tells of a vault in another subscription.

use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::ArmError;
use super::super::ids::{ResourceId, key};
use super::super::state::State;
use super::items::{Item, NATIVE};
use super::{Vault, VaultDenial, item_calls, vault_calls};

/// `POST …/locations/{region}/backupStatus`: `Protected` from the item's creation on, before any backup (recorded). *Assumed*
/// (`vault-sim-status`): `Protecting` while it is set up, `Protected` where it was stopped, `NotProtected` where it was deleted.
pub(crate) fn status(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let (id, text) = machine_of(call)?;
    let mut body = names(&id);
    let found = item_of(state, call.param(0), &text, |item| item.deleted.is_none());
    body["protectionStatus"] = json!(found.map_or("NotProtected", |(_, item)| item_calls::status_word(item)));
    if let Some((vault, item)) = found {
        body["vaultId"] = json!(vault.id());
        body["policyName"] = json!(vault.policy_of(item).map_or("", |policy| policy.name.as_str()));
    }
    for (name, value) in [("fabricName", json!("Azure")), ("protectedItemsCount", json!(0))] {
        body[name] = value;
    }
    body["objectType"] = json!("BackupStatusResponse");
    Ok(Answer::new(200, body))
}

/// `POST …/locations/{region}/backupPreValidateProtection`: it tells machines by name and group (documented by an example).
/// *Assumed* (`vault-sim-prevalidate`): which other reasons it knows, and that success has no code.
pub(crate) fn prevalidate(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let (id, text) = machine_of(call)?;
    let wanted = call.object()?["vaultId"].as_str().map(key).unwrap_or_default();
    let missing = || {
        let (name, group) =
            (wanted.rsplit('/').next().unwrap_or_default(), wanted.split('/').nth(4).unwrap_or_default());
        vault_calls::missing(name, group)
    };
    let vault = state.vaults.by_key.get(&wanted).ok_or_else(missing)?;
    let machine = state.machines.get(&key(&text)).map(std::sync::Arc::as_ref);
    let refused = match item_of(state, call.param(0), &text, |_| true) {
        Some((found, _)) => Some((VaultDenial::ProtectedElsewhere, Some(found.name.clone()))),
        None => item_calls::forbidden(vault, machine, None),
    };
    let mut body = names(&id);
    match refused {
        None => body["status"] = json!("Succeeded"),
        Some((denial, about)) => {
            body["status"] = json!("Failed");
            body["errorCode"] = json!(denial.code());
            body["errorMessage"] = json!(denial.error(about.as_deref().unwrap_or(id.name())).message);
            body["recommendation"] = json!("Remove what is in the way, then enable protection.");
        }
    }
    Ok(Answer::new(200, body))
}

fn machine_of(call: &Call) -> Result<(ResourceId, String), ArmError> {
    let body = call.object()?;
    if body["resourceType"] != "VM" {
        return Err(VaultDenial::BodyUnknown.error("resourceType"));
    }
    let text = body["resourceId"].as_str().unwrap_or_default();
    let id = ResourceId::parse(text).ok_or_else(|| VaultDenial::BodyUnknown.error("resourceId"))?;
    Ok((id, text.to_owned()))
}

/// The names that container and item have or would have.
fn names(id: &ResourceId) -> Value {
    let native = format!("{NATIVE};{};{}", id.group, id.name());
    json!({ "containerName": format!("iaasvmcontainer;{native}"), "protectedItemName": format!("vm;{native}") })
}

fn item_of<'a>(
    state: &'a State,
    subscription: &str,
    machine: &str,
    wanted: impl Fn(&Item) -> bool,
) -> Option<(&'a Vault, &'a Item)> {
    let source = key(machine);
    let own = state.vaults.by_key.values().filter(|vault| vault.subscription.eq_ignore_ascii_case(subscription));
    own.flat_map(|vault| vault.items.values().map(move |item| (vault, item)))
        .find(|(_, item)| item.source_key == source && wanted(item))
}
