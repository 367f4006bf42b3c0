//! Machines that can be protected: listed once a discovery found them.
//! It never lists a machine that was made since, and none that some vault protects.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::ArmError;
use super::super::paging;
use super::super::state::{State, Step};
use super::items::NATIVE;
use super::{Vault, VaultDenial, VaultStep, asked, filter_of, vault_key, vault_of};

/// A machine that a discovery found.
#[derive(Clone, Debug)]
pub(super) struct Discovered {
    pub(super) source: String,
    pub(super) subscription: String,
    pub(super) group: String,
    pub(super) friendly: String,
    /// None where it was told without its region: then every vault of its subscription lists it.
    pub(super) region: Option<String>,
}

impl Discovered {
    fn native(&self) -> String {
        format!("{NATIVE};{};{}", self.group, self.friendly).to_ascii_lowercase()
    }

    fn json(&self, vault: &Vault) -> Value {
        let native = self.native();
        let container = format!("{}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{native}", vault.id());
        json!({
            "id": format!("{container}/protectableItems/vm;{native}"),
            "name": native,
            "type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectableItems",
            "properties": {
                "virtualMachineId": self.source,
                "virtualMachineVersion": "Compute",
                "resourceGroup": self.group,
                "backupManagementType": "AzureIaasVM",
                "protectableItemType": "Microsoft.Compute/virtualMachines",
                "friendlyName": self.friendly,
                "protectionState": "NotProtected",
            },
        })
    }
}

/// `POST …/backupFabrics/{f}/refreshContainers`: 202 and an operation (recorded).
pub(crate) fn refresh(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    vault_of(state, call)?.heard_of = true;
    let begun = state.begin_backup_operation(call, "backupFabrics/Azure", None);
    if !super::pending::fails(call) {
        let (vault, at) = (vault_key(call), state.ends_of(&begun.name).unwrap_or(call.now));
        state.later(at, Step::Vault(VaultStep::Discovers { vault }));
    }
    Ok(begun.accepted())
}

/// A discovery ends: what it finds is known to all vaults of the region, and machines that are gone are forgotten.
pub(super) fn discovers(state: &mut State, vault: &str) {
    let Some(found) = state.vaults.by_key.get(vault) else { return };
    let (subscription, region) = (found.subscription.clone(), found.location.clone());
    state.discover(&subscription, &region);
}

impl State {
    /// Finds the machines of a subscription in a region.
    pub(super) fn discover(&mut self, subscription: &str, region: &str) {
        let machines = &self.machines;
        self.vaults.discovered.retain(|key, found| found.region.is_none() || machines.contains_key(key));
        let own = self.machines.iter().filter(|(_, machine)| {
            machine.subscription.eq_ignore_ascii_case(subscription) && machine.location.eq_ignore_ascii_case(region)
        });
        for (key, machine) in own {
            let found = Discovered {
                source: machine.id(),
                subscription: machine.subscription.clone(),
                group: machine.group.clone(),
                friendly: machine.name.clone(),
                region: Some(region.to_ascii_lowercase()),
            };
            self.vaults.discovered.insert(key.clone(), found);
        }
    }

    /// When an operation of the backup service ends.
    fn ends_of(&self, operation: &str) -> Option<Timestamp> {
        self.vaults.pending.get(operation).map(super::pending::Pending::ends)
    }
}

/// `GET …/backupProtectableItems`. *Assumed* (`vault-sim-protectable`): that a machine which is soft-deleted in this vault is
/// not listed, and one that is soft-deleted in another is.
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let filter = filter_of(call)?;
    if !asked(&filter, "backupmanagementtype", "AzureIaasVM") {
        return Err(VaultDenial::FilterUnknown.error("backupManagementType"));
    }
    vault_of(state, call)?;
    let own = vault_key(call);
    let Some(vault) = state.vaults.by_key.get(&own) else { return Ok(Answer::empty(404)) };
    let is_free = |source: &str| {
        let here = vault.items.values().any(|item| item.source_key == source);
        !here && state.other_vault(&own, source).is_none()
    };
    let wanted = |(key, found): &(&String, &Discovered)| {
        found.subscription.eq_ignore_ascii_case(&vault.subscription)
            && found.region.as_ref().is_none_or(|region| *region == vault.location)
            && asked(&filter, "friendlyname", &found.friendly)
            && is_free(key)
    };
    let all = state.vaults.discovered.iter().filter(wanted);
    Ok(paging::listing(call, all.map(|(key, found)| (key.clone(), found.json(vault))), state.page_size))
}
