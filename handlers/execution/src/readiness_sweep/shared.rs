//! What one sweep of readiness reads once for all recovery plans: machines, subscriptions, vaults with their items, traffic profiles,
//! and the public addresses that their endpoints may lead to.
//! It never judges, and says of each list whether it is whole: what a part of it lacks is not known, and not absent.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use futures::stream;
use lifeboat_azure::graph::{self, MachineRow};
use lifeboat_azure::replicated_items::{self, ReplicatedItem};
use lifeboat_azure::replication::{self, ContainerMapping};
use lifeboat_azure::subscriptions::{self, Subscription};
use lifeboat_azure::traffic_manager::{self, Profile};
use lifeboat_azure::vaults::{self, Vault};
use lifeboat_azure::{ArmClient, Error};
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::recovery::readiness::AddressesSeen;

use super::addresses;
use super::pace::Pace;
use crate::lifeboat::Lifeboat;
use crate::saga::looks::in_time;
use crate::saga::round::{AT_ONCE, say};

/// Vaults that are asked for replicated items, at most: a call each, and ARM takes 25 reads a second.
const VAULTS_MAX: usize = 500;
/// How replication between regions is called.
const BETWEEN_REGIONS: &str = "A2A";

/// What was read.
#[derive(Debug, Default)]
pub struct Shared {
    /// All machines in scope; nothing where they could not be read whole.
    pub rows: Option<Vec<MachineRow>>,
    /// The subscriptions in scope.
    pub subscriptions: BTreeMap<String, Result<Subscription, Error>>,
    /// Vaults that replicate something.
    pub vaults: Vec<VaultSeen>,
    /// All vaults in scope were read.
    pub vaults_whole: bool,
    /// Traffic profiles.
    pub profiles: Vec<Profile>,
    /// All of them were read.
    pub profiles_whole: bool,
    /// Public addresses; none are asked for while no endpoint leads anywhere by name.
    pub addresses: AddressesSeen,
    /// At which pace the rest is read.
    pub pace: Pace,
}

/// A vault.
#[derive(Debug)]
pub struct VaultSeen {
    /// It itself.
    pub vault: Vault,
    /// Machines that it replicates between regions.
    pub items: Vec<ReplicatedItem>,
    /// How its containers are mapped; nothing where that could not be read.
    pub mappings: Option<Vec<ContainerMapping>>,
}

impl Shared {
    /// Reads it. What lies in a region that may be lost is waited for no longer than a read there is worth.
    pub async fn read(lifeboat: &Lifeboat, plans: &[RecoveryPlan]) -> Self {
        let (arm, scope) = (&lifeboat.arm, &lifeboat.settings.subscriptions);
        let froms: BTreeSet<&str> = plans.iter().map(|plan| plan.from.as_str()).collect();
        let (rows, subscriptions, (vaults, vaults_whole), (profiles, profiles_whole)) = futures::join!(
            graph::all_machines(arm, scope),
            held(arm, scope),
            vaults_of(arm, scope, &froms),
            profiles(arm, scope)
        );
        // Machines of a subscription that cannot be read are not listed, and nothing says so.
        let all_read = subscriptions.values().all(|read| read.as_ref().map_err(say).is_ok());
        let rows = rows.map_err(|error| say(&error)).ok().filter(|_| all_read);
        let addresses = match addresses::are_asked_for(plans, &profiles) {
            true => addresses::listed(arm, scope).await,
            false => AddressesSeen::default(),
        };
        Self { rows, subscriptions, vaults, vaults_whole, profiles, profiles_whole, addresses, pace: Pace::default() }
    }

    /// The subscription of something, as it was read.
    pub fn subscription(&self, id: &str) -> Option<&Result<Subscription, Error>> {
        self.subscriptions.get(&id.to_lowercase())
    }
}

async fn held(arm: &ArmClient, scope: &[String]) -> BTreeMap<String, Result<Subscription, Error>> {
    let mut reads = Vec::new();
    for id in scope {
        reads.push(async move { (id.to_lowercase(), subscriptions::get(arm, id).await) });
    }
    stream::iter(reads).buffer_unordered(AT_ONCE).collect().await
}

async fn profiles(arm: &ArmClient, scope: &[String]) -> (Vec<Profile>, bool) {
    let mut reads = Vec::new();
    for id in scope {
        reads.push(traffic_manager::list(arm, id));
    }
    whole(stream::iter(reads).buffered(AT_ONCE).collect().await)
}

/// What several lists say together, and whether all of them were read.
pub(super) fn whole<T>(read: Vec<Result<Vec<T>, Error>>) -> (Vec<T>, bool) {
    let mut all = Vec::new();
    let mut is_whole = true;
    for list in read {
        match list {
            Ok(found) => all.extend(found),
            Err(error) => {
                say(&error);
                is_whole = false;
            }
        }
    }
    (all, is_whole)
}

async fn vaults_of(arm: &ArmClient, scope: &[String], froms: &BTreeSet<&str>) -> (Vec<VaultSeen>, bool) {
    let mut reads = Vec::new();
    for id in scope {
        reads.push(vaults::list(arm, id));
    }
    let (listed, mut is_whole) = whole(stream::iter(reads).buffered(AT_ONCE).collect().await);
    if listed.len() > VAULTS_MAX {
        tracing::error!(
            vaults = listed.len(),
            "{VAULTS_MAX} vaults are asked for replicated items, and more are in scope"
        );
        is_whole = false;
    }
    let mut reads = Vec::new();
    for vault in listed.into_iter().take(VAULTS_MAX) {
        let bounded = froms.contains(vault.location.as_str());
        reads.push(vault_seen(arm, vault, bounded));
    }
    let mut seen = Vec::new();
    for read in stream::iter(reads).buffered(AT_ONCE).collect::<Vec<_>>().await {
        match read {
            Some(vault) if vault.items.is_empty() => {}
            Some(vault) => seen.push(vault),
            None => is_whole = false,
        }
    }
    (seen, is_whole)
}

/// A vault with what it replicates between regions; nothing where that could not be read.
async fn vault_seen(arm: &ArmClient, vault: Vault, bounded: bool) -> Option<VaultSeen> {
    let id = vault.id.clone();
    let items = match bounded {
        true => in_time(replicated_items::list(arm, &id)).await?,
        false => replicated_items::list(arm, &id).await,
    };
    let mut items = items.map_err(|error| say(&error)).ok()?;
    items.retain(|item| item.way.as_deref().is_some_and(|way| way.eq_ignore_ascii_case(BETWEEN_REGIONS)));
    if items.is_empty() {
        return Some(VaultSeen { vault, items, mappings: None });
    }
    let mappings = match bounded {
        true => in_time(replication::list_mappings(arm, &id)).await,
        false => Some(replication::list_mappings(arm, &id).await),
    };
    let mappings = mappings.and_then(|read| read.map_err(|error| say(&error)).ok());
    Some(VaultSeen { vault, items, mappings })
}
