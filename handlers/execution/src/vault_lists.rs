//! The items of the vaults that policies name, a list a vault: what a sweep knows of protection without asking machine by machine.
//! It never takes a list that could not be read for an empty one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use lifeboat_azure::graph::MachineRow;
use lifeboat_azure::{Error, protected_items, vaults};
use lifeboat_planning::facts::vault::Item;
use lifeboat_planning::needs;
use lifeboat_planning::policy::{self, BackupPolicy, Choice};

use crate::lifeboat::Lifeboat;
use crate::observe::row_attributes;
use crate::observe_vault::item_from_azure;

/// Items of one vault by their machine's ARM id in lower case.
pub type Items = BTreeMap<String, Item>;

/// The lists that were read.
#[derive(Debug, Default)]
pub struct VaultLists {
    by_vault: BTreeMap<(String, String), Items>,
    /// A list, or the list of vaults itself, could not be read.
    pub failed: bool,
}

impl VaultLists {
    /// The items of a vault by its name, where exactly one of that name is in the subscription and was read.
    pub fn of(&self, subscription: &str, vault: &str) -> Option<&Items> {
        self.by_vault.get(&(subscription.to_lowercase(), vault.to_lowercase()))
    }

    /// The newest point of a machine in any of the vaults.
    pub fn newest_point(&self, machine: &str) -> Option<Timestamp> {
        self.by_vault.values().filter_map(|items| items.get(machine)?.newest_point).max()
    }
}

/// Reads the lists of the vaults that the policies of these machines name; of all vaults of their subscriptions where `all` asks for it.
pub async fn read(lifeboat: &Lifeboat, policies: &[BackupPolicy], rows: &[MachineRow], all: bool) -> VaultLists {
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    if all || policies.iter().any(|policy| policy.vault.is_some()) {
        for row in rows {
            let about = row_attributes(row);
            let named = match policy::choose(policies, &about) {
                Choice::One(policy) => needs::vault_of(policy, &about).map(|(vault, _)| vault.to_lowercase()),
                Choice::None | Choice::Equal(_) => None,
            };
            if all || named.is_some() {
                wanted.entry(row.subscription.to_lowercase()).or_default().extend(named);
            }
        }
    }
    let mut lists = VaultLists::default();
    for (subscription, names) in wanted {
        let found = match vaults::list(&lifeboat.arm, &subscription).await {
            Ok(found) => found,
            Err(error) => {
                could_not_be_read(&error, &subscription);
                lists.failed = true;
                continue;
            }
        };
        let of_name = |name: &str| found.iter().filter(|vault| vault.name.eq_ignore_ascii_case(name)).count();
        for vault in found.iter().filter(|vault| all || names.contains(&vault.name.to_lowercase())) {
            if of_name(&vault.name) > 1 && !all {
                continue;
            }
            match protected_items::list(&lifeboat.arm, &vault.id).await {
                Ok(items) => {
                    let by_machine = items.into_iter().filter_map(|item| {
                        let machine = item.source.as_ref()?.machine()?.as_str().to_lowercase();
                        Some((machine, item_from_azure(item)))
                    });
                    lists.by_vault.insert((subscription.clone(), vault.name.to_lowercase()), by_machine.collect());
                }
                Err(error) => {
                    could_not_be_read(&error, vault.id.as_str());
                    lists.failed = true;
                }
            }
        }
    }
    lists
}

/// What could not be read is said, and the sweep goes on with the rest.
fn could_not_be_read(error: &Error, what: &str) {
    if error.is_not_yet() {
        tracing::info!(error = %error, what, "vaults are read by the next sweep");
    } else {
        tracing::error!(error = %error, what, "vaults cannot be read: nothing is concluded about protection in them");
    }
}
