//! Calls on protected items: set up, changed, stopped, deleted, brought back, read, listed.
//! It never sets up an item that another vault, another region or a limit forbids.

use serde_json::Value;

use super::super::call::{Answer, Call};
use super::super::errors::ArmError;
use super::super::ids::{ResourceId, key};
use super::super::machines::Provisioning;
use super::super::paging;
use super::super::state::State;
use super::denials::{ITEMS_PER_POLICY, ITEMS_PER_VAULT};
use super::items::{Item, NATIVE, Protection};
use super::jobs::{self, Work};
use super::pending::{fails, field};
use super::{Life, Vault, VaultDenial, asked, filter_of, vault_key, vault_of};

/// `PUT …/protectedItems/{i}`: 202 and an operation whose job does it (recorded).
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let native = native_of(call)?;
    let source = field(call, "sourceResourceId").and_then(Value::as_str).unwrap_or_default().to_owned();
    check_source(&native, &source)?;
    if field(call, "protectedItemType").is_none_or(|kind| kind != "Microsoft.Compute/virtualMachines") {
        return Err(VaultDenial::BodyUnknown.error("protectedItemType"));
    }
    let place = format!("vm;{native}").to_ascii_lowercase();
    let vault = vault_of(state, call)?;
    if vault.life != Life::Succeeded {
        return Err(VaultDenial::VaultNotMade.error(&vault.name));
    }
    if vault.running_job(&place).is_some() {
        return Err(VaultDenial::ItemBusy.error(&native));
    }
    let deleted = vault.items.get(&place).is_some_and(|item| item.deleted.is_some());
    let there = vault.items.get(&place).is_some_and(Item::is_there);
    let rehydrates = field(call, "isRehydrate").is_some_and(|yes| yes == true);
    let work = match (rehydrates, field(call, "protectionState").and_then(Value::as_str)) {
        (true, _) if !deleted => return Err(VaultDenial::ItemNotDeleted.error(&native)),
        (true, _) => Work::Undelete,
        _ if deleted => return Err(VaultDenial::ItemSoftDeleted.error(&native)),
        (false, Some("ProtectionStopped")) if there => Work::Disable,
        (false, Some("ProtectionStopped")) => return Err(VaultDenial::ItemMissing.error(&native)),
        (false, Some("BackupsSuspended")) => return Err(VaultDenial::SuspendDenied.error(&native)),
        _ => match set_up(state, call, &place, &source)? {
            Wanted::AsItIs(body) => return Ok(Answer::new(200, body)),
            Wanted::Change(work) => work,
        },
    };
    let below = format!("backupFabrics/Azure/protectionContainers/{}/protectedItems/{}", call.param(4), call.param(5));
    if fails(call) {
        return Ok(state.begin_backup_operation(call, &below, None).accepted());
    }
    if matches!(work, Work::Configure { is_new: true, .. }) {
        let number = state.vaults.number(state.seed);
        let item = Item::new(&native, &source, number);
        vault_of(state, call)?.items.insert(place.clone(), item);
    }
    let job = jobs::start(state, &vault_key(call), &place, work, call.now);
    Ok(state.begin_backup_operation(call, &below, Some(job)).accepted())
}

/// What a `PUT` with a vault policy comes to.
enum Wanted {
    /// Nothing: the item is so already.
    AsItIs(Value),
    Change(Work),
}

fn set_up(state: &mut State, call: &Call, place: &str, source: &str) -> Result<Wanted, ArmError> {
    let wanted = field(call, "policyId").and_then(Value::as_str).unwrap_or_default().to_owned();
    let exclusion = field(call, "extendedProperties").map(|all| all["diskExclusionProperties"].clone());
    let exclusion = exclusion.filter(|one| !one.is_null());
    let elsewhere = state.other_vault(&vault_key(call), source);
    let machine = state.machines.get(&key(source)).cloned();
    let vault = &*vault_of(state, call)?;
    let (own, name) = wanted.rsplit_once("/backupPolicies/").unwrap_or(("", ""));
    let policy = vault.policies.get(&name.to_ascii_lowercase()).filter(|_| key(own) == key(&vault.id()));
    let policy = policy.ok_or_else(|| VaultDenial::PolicyMissing.error(&wanted))?;
    if !policy.is_for_machines() {
        return Err(VaultDenial::PolicyUnfit.error(&policy.name));
    }
    let place_of_policy = policy.name.to_ascii_lowercase();
    let item = vault.items.get(place);
    if let Some(item) = item
        && item.is_backed_up()
        && item.policy.as_ref() == Some(&place_of_policy)
        && (exclusion.is_none() || item.exclusion == exclusion)
    {
        return Ok(Wanted::AsItIs(item.json(vault, call.now)));
    }
    let joins = item.is_none_or(|item| item.policy.as_ref() != Some(&place_of_policy));
    if joins && vault.items_of_policy(&policy.name) >= ITEMS_PER_POLICY {
        return Err(VaultDenial::PolicyFull.error(&policy.name));
    }
    if item.is_none() {
        let refused = forbidden(vault, machine.as_deref(), elsewhere.as_deref());
        if let Some((denial, about)) = refused {
            return Err(denial.error(about.as_deref().unwrap_or(source)));
        }
    }
    Ok(Wanted::Change(Work::Configure { policy: place_of_policy, exclusion, is_new: item.is_none() }))
}

/// Why a machine cannot be protected in a vault, and what is in the way where that is not the machine.
pub(super) fn forbidden(
    vault: &Vault,
    machine: Option<&super::super::machines::Machine>,
    elsewhere: Option<&str>,
) -> Option<(VaultDenial, Option<String>)> {
    let Some(machine) = machine else { return Some((VaultDenial::MachineMissing, None)) };
    if let Some(other) = elsewhere {
        return Some((VaultDenial::ProtectedElsewhere, Some(other.to_owned())));
    }
    if !machine.location.eq_ignore_ascii_case(&vault.location) {
        return Some((VaultDenial::OtherRegion, None));
    }
    if matches!(machine.provisioning, Provisioning::Creating | Provisioning::Deleting) {
        return Some((VaultDenial::MachineInTransit, None));
    }
    (vault.full || vault.items.len() >= ITEMS_PER_VAULT).then(|| (VaultDenial::VaultFull, Some(vault.name.clone())))
}

impl State {
    /// Another vault that has the machine as an item. One that only keeps a deleted item does not count (documented).
    pub(super) fn other_vault(&self, own: &str, source: &str) -> Option<String> {
        let source = key(source);
        let others = self.vaults.by_key.iter().filter(|(vault, _)| *vault != own).map(|(_, vault)| vault);
        others
            .filter(|vault| vault.items.values().any(|item| item.source_key == source && item.deleted.is_none()))
            .map(Vault::id)
            .next()
    }
}

/// `GET …/protectedItems/{i}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let place = format!("vm;{}", native_of(call)?).to_ascii_lowercase();
    let vault = &*vault_of(state, call)?;
    let found = vault.items.get(&place).filter(|item| item.is_there());
    let found = found.ok_or_else(|| VaultDenial::ItemMissing.error(call.param(5)))?;
    Ok(Answer::new(200, found.json(vault, call.now)))
}

/// `DELETE …/protectedItems/{i}`: 202 and an operation whose job does it (recorded); 204 where there is none (documented).
pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let place = format!("vm;{}", native_of(call)?).to_ascii_lowercase();
    let vault = vault_of(state, call)?;
    let Some(found) = vault.items.get(&place).filter(|item| item.is_there()) else {
        return Ok(Answer::empty(204));
    };
    if found.deleted.is_some() {
        return Err(VaultDenial::ItemSoftDeleted.error(&found.friendly));
    }
    if vault.running_job(&place).is_some() {
        return Err(VaultDenial::ItemBusy.error(call.param(5)));
    }
    if fails(call) {
        return Ok(state.begin_backup_operation(call, "", None).accepted());
    }
    let job = jobs::start(state, &vault_key(call), &place, Work::Delete, call.now);
    Ok(state.begin_backup_operation(call, "", Some(job)).accepted())
}

/// `GET …/backupProtectedItems`, deleted ones that are kept included.
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let filter = filter_of(call)?;
    let size = state.page_size;
    let vault = &*vault_of(state, call)?;
    let wanted = |item: &Item| {
        let policy = vault.policy_of(item).map_or("", |policy| policy.name.as_str());
        item.is_there()
            && asked(&filter, "backupmanagementtype", "AzureIaasVM")
            && asked(&filter, "itemtype", "VM")
            && asked(&filter, "friendlyname", &item.friendly)
            && asked(&filter, "policyname", policy)
            && asked(&filter, "containername", &item.native)
            && asked(&filter, "fabricname", "Azure")
            && asked(&filter, "healthstate", "Passed")
    };
    let all = vault.items.iter().filter(|(_, item)| wanted(item));
    Ok(paging::listing(call, all.map(|(key, item)| (key.clone(), item.json(vault, call.now))), size))
}

/// `GET …/backupProtectionContainers`.
pub(crate) fn containers(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let filter = filter_of(call)?;
    let size = state.page_size;
    let vault = &*vault_of(state, call)?;
    let wanted = |item: &Item| {
        item.is_there()
            && item.deleted.is_none()
            && asked(&filter, "backupmanagementtype", "AzureIaasVM")
            && asked(&filter, "friendlyname", &item.friendly)
            && asked(&filter, "status", "Registered")
    };
    let all = vault.items.iter().filter(|(_, item)| wanted(item));
    Ok(paging::listing(call, all.map(|(key, item)| (key.clone(), item.container(vault))), size))
}

/// The machine's name in the path: container and item must name the same one.
pub(super) fn native_of(call: &Call) -> Result<String, ArmError> {
    let (container, item) = (call.param(4), call.param(5));
    let wrong = || VaultDenial::ContainerName.error(container);
    let native = rest(container, "iaasvmcontainer;").ok_or_else(wrong)?;
    let own = rest(item, "vm;").ok_or_else(|| VaultDenial::ContainerName.error(item))?;
    let parts: Vec<&str> = native.split(';').collect();
    let fits = parts.len() == 3 && parts[0].eq_ignore_ascii_case(NATIVE) && parts.iter().all(|part| !part.is_empty());
    if fits && native.eq_ignore_ascii_case(own) { Ok(native.to_owned()) } else { Err(wrong()) }
}

fn rest<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    let head = text.get(..beginning.len())?;
    head.eq_ignore_ascii_case(beginning).then(|| &text[beginning.len()..])
}

/// Whether the machine of the body is the one of the path.
fn check_source(native: &str, source: &str) -> Result<(), ArmError> {
    let parsed =
        ResourceId::parse(source).filter(|id| id.kind().eq_ignore_ascii_case("Microsoft.Compute/virtualMachines"));
    let parsed = parsed.ok_or_else(|| VaultDenial::BodyUnknown.error("sourceResourceId"))?;
    let named = format!("{NATIVE};{};{}", parsed.group, parsed.name());
    if named.eq_ignore_ascii_case(native) { Ok(()) } else { Err(VaultDenial::ContainerName.error(native)) }
}

/// Whether an item is protected as far as a status call tells: *assumed* (`vault-sim-status`) for one that is stopped.
pub(super) fn status_word(item: &Item) -> &'static str {
    match item.protection {
        _ if !item.set_up => "Protecting",
        Protection::Pending | Protection::Protected | Protection::Stopped => "Protected",
    }
}
