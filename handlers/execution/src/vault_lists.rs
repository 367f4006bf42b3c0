//! The items of vaults, a list a vault: what a sweep knows of protection without asking machine by machine.
//! It never takes a list that could not be read for an empty one.
//!
//! Vaults that policies name are found by the list of their subscription. Who has no young point by those may be protected in a vault
//! that no policy names: Resource Graph says in which, and that vault's own list says how.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use lifeboat_azure::{Error, ResourceId, graph, protected_items, vaults};
use lifeboat_planning::facts::vault::Item;

use crate::lifeboat::Lifeboat;
use crate::observe_vault::item_from_azure;

/// Lists read at a time: as many as looks at machines are.
const PARALLEL: usize = 8;

/// Items of one vault by their machine's ARM id in lower case.
pub type Items = BTreeMap<String, Item>;

/// The lists that were read.
#[derive(Debug, Default)]
pub struct VaultLists {
    /// The vaults of each subscription that was asked; none where it did not answer.
    vaults: BTreeMap<String, Option<Vec<vaults::Vault>>>,
    /// The items of each vault that was asked, by its id in lower case; none where it did not answer.
    items: BTreeMap<String, Option<Items>>,
    /// Subscriptions of which something could not be read.
    failed: BTreeSet<String>,
}

/// Which vaults have items of a machine, by its ARM id in lower case, as Resource Graph knows it.
#[derive(Debug, Default)]
pub struct Discovered {
    vaults: Vec<ResourceId>,
    by_machine: HashMap<String, Vec<usize>>,
}

impl VaultLists {
    /// The items of a vault by its name, where exactly one of that name is in the subscription and was read.
    pub fn of(&self, subscription: &str, vault: &str) -> Option<&Items> {
        let [vault] = self.named(&subscription.to_lowercase(), vault)[..] else { return None };
        self.items.get(&vault.as_str().to_lowercase())?.as_ref()
    }

    /// True when the vaults of the subscription, or the items of one of them, could not be read.
    pub fn failed(&self, subscription: &str) -> bool {
        !self.failed.is_empty() && self.failed.contains(&subscription.to_lowercase())
    }

    /// The newest point of a machine in any of the vaults.
    pub fn newest_point(&self, machine: &str) -> Option<Timestamp> {
        self.items.values().flatten().filter_map(|items| items.get(machine)?.newest_point).max()
    }

    /// Reads the lists of vaults by subscription and name, both in lower case.
    pub async fn read_named(&mut self, lifeboat: &Lifeboat, wanted: &BTreeSet<(String, String)>) {
        self.read_vaults(lifeboat, wanted.iter().map(|(subscription, _)| subscription.clone()).collect()).await;
        let only = |(subscription, name): &(String, String)| match self.named(subscription, name)[..] {
            [vault] => Some(vault.clone()),
            _ => None,
        };
        self.read_items(lifeboat, wanted.iter().filter_map(only).collect()).await;
    }

    /// Reads the lists of all vaults of these subscriptions.
    pub async fn read_all(&mut self, lifeboat: &Lifeboat, subscriptions: BTreeSet<String>) {
        self.read_vaults(lifeboat, subscriptions.clone()).await;
        let found = subscriptions.iter().filter_map(|subscription| self.vaults.get(subscription)?.as_ref());
        let all = found.flatten().map(|vault| vault.id.clone()).collect();
        self.read_items(lifeboat, all).await;
    }

    /// Reads the lists of the vaults that have items of these machines, by their ARM ids in lower case.
    pub async fn read_holding(&mut self, lifeboat: &Lifeboat, discovered: &Discovered, machines: &BTreeSet<String>) {
        let places = machines.iter().filter_map(|machine| discovered.by_machine.get(machine)).flatten();
        let holding: BTreeSet<usize> = places.copied().collect();
        self.read_items(lifeboat, holding.into_iter().map(|place| discovered.vaults[place].clone()).collect()).await;
    }

    /// The newest point of a machine in any vault, by its ARM id in lower case. An error when one that has it could not be read.
    pub fn newest_anywhere(&self, discovered: &Discovered, machine: &str) -> Result<Option<Timestamp>, VaultNotRead> {
        let places = discovered.by_machine.get(machine).map(Vec::as_slice).unwrap_or_default();
        let read = |place: &usize| {
            let vault = discovered.vaults[*place].as_str().to_lowercase();
            self.items.get(&vault).is_some_and(Option::is_some)
        };
        if places.iter().all(read) { Ok(self.newest_point(machine)) } else { Err(VaultNotRead) }
    }

    fn named(&self, subscription: &str, name: &str) -> Vec<&ResourceId> {
        let all = self.vaults.get(subscription).and_then(Option::as_ref).into_iter().flatten();
        all.filter(|vault| vault.name.eq_ignore_ascii_case(name)).map(|vault| &vault.id).collect()
    }

    async fn read_vaults(&mut self, lifeboat: &Lifeboat, mut wanted: BTreeSet<String>) {
        wanted.retain(|subscription| !self.vaults.contains_key(subscription));
        let reads = wanted.into_iter().map(|subscription| async move {
            let found = vaults::list(&lifeboat.arm, &subscription).await;
            (found.inspect_err(|error| could_not_be_read(error, &subscription)).ok(), subscription)
        });
        // Collected first: as a lazy iterator its closure would tie the future to one lifetime, and no handler could be spawned with it.
        let reads: Vec<_> = reads.collect();
        let read: Vec<_> = stream::iter(reads).buffer_unordered(PARALLEL).collect().await;
        for (found, subscription) in read {
            if found.is_none() {
                self.failed.insert(subscription.clone());
            }
            self.vaults.insert(subscription, found);
        }
    }

    async fn read_items(&mut self, lifeboat: &Lifeboat, mut wanted: Vec<ResourceId>) {
        wanted.retain(|vault| !self.items.contains_key(&vault.as_str().to_lowercase()));
        let reads = wanted.into_iter().map(|vault| async move {
            let items = protected_items::list(&lifeboat.arm, &vault).await;
            (items.inspect_err(|error| could_not_be_read(error, vault.as_str())).ok(), vault)
        });
        let reads: Vec<_> = reads.collect();
        let read: Vec<_> = stream::iter(reads).buffer_unordered(PARALLEL).collect().await;
        for (items, vault) in read {
            let items = items.map(|items| {
                let by_machine = items.into_iter().filter_map(|item| {
                    let machine = item.source.as_ref()?.machine()?.as_str().to_lowercase();
                    Some((machine, item_from_azure(item)))
                });
                by_machine.collect()
            });
            if items.is_none() {
                self.failed.insert(vault.subscription().to_lowercase());
            }
            self.items.insert(vault.as_str().to_lowercase(), items);
        }
    }
}

/// A vault that has an item of the machine could not be read: nobody knows how old its newest point is. The next sweep asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a vault that has an item of the machine could not be read")]
pub struct VaultNotRead;

impl Discovered {
    /// Asks Resource Graph in which vaults of the scope machines are: a question for each thousand items. What it does not show, because
    /// it lags or the right to read a vault is missing, is as if it were not there: then there is an alarm too many and not one too few.
    pub async fn read(lifeboat: &Lifeboat) -> Result<Self, Error> {
        let mut found = Self::default();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut pages = graph::items(&lifeboat.arm, &lifeboat.settings.subscriptions);
        while let Some(rows) = pages.next().await? {
            for row in rows {
                let vault = row.id.parse().ok().and_then(|item: ResourceId| vaults::vault_of(&item));
                let Some(vault) = vault.filter(|_| !row.machine.is_empty()) else { continue };
                let place = *places.entry(vault.as_str().to_lowercase()).or_insert_with(|| {
                    found.vaults.push(vault);
                    found.vaults.len() - 1
                });
                found.by_machine.entry(row.machine.to_lowercase()).or_default().push(place);
            }
        }
        Ok(found)
    }
}

/// What could not be read is said, and the sweep goes on with the rest.
fn could_not_be_read(error: &Error, what: &str) {
    if error.is_not_yet() {
        tracing::info!(error = %error, what, "vaults are read by the next sweep");
    } else {
        tracing::error!(error = %error, what, "vaults cannot be read: nothing is concluded about protection in them");
    }
}
