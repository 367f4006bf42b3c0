//! What the target needs besides its machines: vault, groups, networks, quota.
//! It never says that there is capacity: no call does.

use std::collections::{BTreeMap, BTreeSet};

use lifeboat_azure::replicated_items::{self, ReplicatedItem};
use lifeboat_azure::{Error, ErrorKind, ResourceId, networks, resource_groups, skus, usages, vaults};
use lifeboat_planning::saga::failover::{Failover, Known, TargetFacts};

use super::looks::in_time;
use super::round::say;
use crate::lifeboat::Lifeboat;

/// The quota that counts all cores of a region.
const ALL_CORES: &str = "cores";
/// What a size says of its cores.
const CORES: &str = "vCPUs";

/// All of them.
pub async fn facts(lifeboat: &Lifeboat, of: &Failover) -> TargetFacts {
    match items(lifeboat, of).await {
        Ok(items) => of_items(lifeboat, (&of.order.from, &of.order.to), &items).await,
        Err(error) => {
            let vault = absent(&error);
            TargetFacts { vault, groups: Known::Unknown, networks: Known::Unknown, quota_has_room: Known::Unknown }
        }
    }
}

/// What the target region needs for these items.
pub async fn of_items(lifeboat: &Lifeboat, (from, to): (&str, &str), items: &[ReplicatedItem]) -> TargetFacts {
    let vault = all(lifeboat, ids(items, |item| vaults::vault_of(&item.id)));
    let groups = all(lifeboat, ids(items, |item| item.details.recovery_group.clone()));
    let networks = elsewhere(lifeboat, from, ids(items, |item| item.details.recovery_network.clone()));
    let quota = quota_has_room(lifeboat, to, items);
    let (vault, groups, networks, quota_has_room) = futures::join!(vault, groups, networks, quota);
    TargetFacts { vault, groups, networks, quota_has_room }
}

/// The items of all members.
async fn items(lifeboat: &Lifeboat, of: &Failover) -> Result<Vec<ReplicatedItem>, Error> {
    let mut by_vault: BTreeMap<String, ResourceId> = BTreeMap::new();
    for it in of.members() {
        let id: ResourceId = it.item.parse().map_err(|error| Error::no_resource("a look", error))?;
        by_vault.extend(vaults::vault_of(&id).map(|vault| (vault.key().to_owned(), vault)));
    }
    let mut items = Vec::new();
    for vault in by_vault.values() {
        items.extend(replicated_items::list(&lifeboat.arm, vault).await?);
    }
    items.retain(|item| of.members().any(|it| it.item.eq_ignore_ascii_case(item.id.as_str())));
    Ok(items)
}

/// One id of each item, each once; nothing where an item names none.
fn ids(
    items: &[ReplicatedItem],
    of: impl Fn(&ReplicatedItem) -> Option<ResourceId>,
) -> Option<BTreeMap<String, ResourceId>> {
    items.iter().map(|item| of(item).map(|id| (id.key().to_owned(), id))).collect()
}

/// Whether all of them are there: one that is not is enough.
async fn all(lifeboat: &Lifeboat, ids: Option<BTreeMap<String, ResourceId>>) -> Known<()> {
    let Some(ids) = ids else { return Known::Absent };
    let mut known = Known::Is(());
    for id in ids.into_values() {
        let read = match id.provider() {
            Some(_) => vaults::get(&lifeboat.arm, &id).await.map(drop),
            None => resource_groups::get(&lifeboat.arm, id.subscription(), id.resource_group()).await.map(drop),
        };
        match read.as_ref().map_err(absent) {
            Ok(()) => {}
            Err(Known::Absent) => return Known::Absent,
            Err(_) => known = Known::Unknown,
        }
    }
    known
}

/// Whether all of these networks are there, and none lies in the region that may be lost.
async fn elsewhere(lifeboat: &Lifeboat, from: &str, ids: Option<BTreeMap<String, ResourceId>>) -> Known<bool> {
    let Some(ids) = ids else { return Known::Absent };
    let mut known = Known::Is(true);
    for id in ids.into_values() {
        // One that lies there although it must not may never answer; nobody waits for a second one then.
        let Some(read) = in_time(networks::get(&lifeboat.arm, &id)).await else {
            tracing::error!(network = id.as_str(), "not known: the network does not answer");
            return Known::Unknown;
        };
        match read.as_ref().map_err(absent) {
            Ok(network) if network.location.eq_ignore_ascii_case(from) => {
                tracing::error!(network = id.as_str(), from, "the network of the machines to be lies there");
                return Known::Is(false);
            }
            Ok(_) => {}
            Err(Known::Absent) => return Known::Absent,
            Err(_) => known = Known::Unknown,
        }
    }
    known
}

/// Before a failover is begun, a 404 is enough to refuse it: nothing is destroyed by that.
fn absent(error: &Error) -> Known<()> {
    say(error);
    if error.kind == ErrorKind::NotFound { Known::Absent } else { Known::Unknown }
}

/// Whether quotas of cores have room for all machines at once, in all and by family, and all sizes are offered.
async fn quota_has_room(lifeboat: &Lifeboat, to: &str, items: &[ReplicatedItem]) -> Known<bool> {
    let subscriptions: BTreeSet<&str> =
        items.iter().filter_map(|item| Some(item.details.recovery_group.as_ref()?.subscription())).collect();
    let mut room = true;
    for subscription in subscriptions {
        let own = items.iter().filter(|item| {
            item.details.recovery_group.as_ref().is_some_and(|group| group.subscription() == subscription)
        });
        let sizes: Option<Vec<&str>> = own.map(|item| item.details.recovery_size.as_deref()).collect();
        let Some(sizes) = sizes else { return Known::Unknown };
        match has_room(lifeboat, subscription, to, &sizes).await {
            Ok(has) => room &= has,
            Err(error) => {
                say(&error);
                return Known::Unknown;
            }
        }
    }
    Known::Is(room)
}

async fn has_room(lifeboat: &Lifeboat, subscription: &str, to: &str, sizes: &[&str]) -> Result<bool, Error> {
    let offered = skus::list(&lifeboat.arm, subscription, to).await?;
    let usages = usages::list(&lifeboat.arm, subscription, to).await?;
    let mut wanted: BTreeMap<String, i64> = BTreeMap::new();
    for size in sizes {
        let is_it = |sku: &&skus::Sku| {
            sku.resource_type.eq_ignore_ascii_case("virtualMachines") && sku.name.eq_ignore_ascii_case(size)
        };
        let Some(sku) = offered.iter().find(is_it).filter(|sku| sku.is_offered_in(to)) else {
            tracing::error!(size, to, "the size is not offered there");
            return Ok(false);
        };
        let Some(cores) = sku.capabilities.get(CORES).and_then(|cores| cores.parse::<i64>().ok()) else {
            tracing::error!(size, "Azure does not say how many cores the size has");
            return Ok(false);
        };
        *wanted.entry(ALL_CORES.to_owned()).or_default() += cores;
        *wanted.entry(sku.family.clone().unwrap_or_default().to_lowercase()).or_default() += cores;
    }
    let fits = |(name, cores): (&String, &i64)| {
        let quota = usages.iter().find(|usage| usage.name.eq_ignore_ascii_case(name));
        // A family without a quota of its own is bounded by the region's.
        quota.is_none_or(|quota| quota.left() >= *cores)
    };
    Ok(wanted.iter().all(fits))
}
