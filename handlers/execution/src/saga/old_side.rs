//! The old side, once it answers again: the points of its disks, and what protecting the other way needs.
//! It never waits for it longer than a read is worth, and never takes a point for restorable that lacks a disk.

use lifeboat_azure::machines::{Machine, PowerState};
use lifeboat_azure::replicated_items::ReplicatedItem;
use lifeboat_azure::replication::{self, ContainerMapping};
use lifeboat_azure::restore_points::{self, NewCollection, NewPoint, Point, PointState};
use lifeboat_azure::{Error, Latest, ResourceId, machines, networks, resource_groups, vaults};
use lifeboat_planning::facts::Owner;
use lifeboat_planning::id::{MachineKey, collection, machine_source, points_group};
use lifeboat_planning::saga::failover::{Back, BackFacts, Failover, Known, Member, SavedFacts};

use super::looks::in_time;
use super::round::{Round, say};
use crate::lifeboat::Lifeboat;
use crate::perform::{ESTATE_TAG, MACHINE_TAG, OWNER_TAG};

/// The type of restore point collections.
const COLLECTIONS: &str = "Microsoft.Compute/restorePointCollections";
/// The state of containers that are mapped.
const PAIRED: &str = "Paired";

/// Where the points of an old machine's disks are: with its other points, which a release that expires knows not to touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    subscription: String,
    group: String,
    collection: String,
}

impl Place {
    /// Of an old machine in the region that was lost.
    pub fn of(from: &str, machine: &str, vm_id: &str) -> Result<Self, Error> {
        let id: ResourceId = machine.parse().map_err(|error| Error::no_resource("an old machine", error))?;
        let subscription = id.subscription().to_owned();
        let collection = collection(&MachineKey::new(vm_id, machine));
        Ok(Self { subscription, group: points_group(from), collection })
    }

    fn id(&self) -> Result<ResourceId, Error> {
        ResourceId::of_resource(&self.subscription, &self.group, COLLECTIONS, &self.collection)
            .map_err(|error| Error::no_resource("an old machine", error))
    }
}

/// Whether the point of an old machine's disks is there and whole.
pub async fn saved(lifeboat: &Lifeboat, of: &Failover, round: &Round, it: &Member, point: &str) -> Known<SavedFacts> {
    let Ok(place) = Place::of(&of.order.from, &it.old, &it.old_vm_id) else { return Known::Unknown };
    let arm = &lifeboat.arm;
    let read = restore_points::get_collection(arm, &place.subscription, &place.group, &place.collection);
    let (Ok(id), Some(read)) = (place.id(), in_time(read).await) else { return Known::Unknown };
    match round.known(read, &id) {
        Known::Is(collection) => {
            let found = collection.points.iter().find(|own| own.name.eq_ignore_ascii_case(point));
            // A collection that is read whole without the point: it is not there.
            found.map_or(Known::Absent, |found| Known::Is(saved_facts(found, it)))
        }
        Known::Absent => Known::Absent,
        Known::Unknown => Known::Unknown,
    }
}

fn saved_facts(point: &Point, it: &Member) -> SavedFacts {
    let of_it = point.source_vm_id.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(&it.old_vm_id));
    let all_disks = point.whole && point.excluded_disks.is_empty() && of_it;
    let code = point.failure.as_ref().and_then(|failure| failure.code.clone());
    match &point.state {
        PointState::Succeeded if all_disks => SavedFacts { restorable: true, failed: None },
        PointState::Succeeded => SavedFacts { restorable: false, failed: Some("it lacks a disk".to_owned()) },
        PointState::Failed => {
            SavedFacts { restorable: false, failed: Some(code.unwrap_or_else(|| "Failed".to_owned())) }
        }
        PointState::Deleting => SavedFacts { restorable: false, failed: Some("it is being deleted".to_owned()) },
        PointState::Creating | PointState::Other(_) => SavedFacts { restorable: false, failed: None },
    }
}

/// Begins the point of all disks of an old machine, and what it lies in. Each of the three calls says how things shall be.
pub async fn save(
    lifeboat: &Lifeboat,
    (of, owner): (&Failover, &Owner),
    machine: &str,
    point: &str,
    latest: Latest,
) -> Result<(), Error> {
    let vm_id = of.members().find(|it| it.old.eq_ignore_ascii_case(machine)).map(|it| it.old_vm_id.as_str());
    let (arm, from, vm_id) = (&lifeboat.arm, &of.order.from, vm_id.unwrap_or_default());
    let place = Place::of(from, machine, vm_id)?;
    let source = machine_source(vm_id);
    let owned = [(OWNER_TAG, owner.deployment.as_str())];
    resource_groups::create(arm, &place.subscription, &place.group, from, &owned, latest).await?;
    let tags = [(OWNER_TAG, owner.deployment.as_str()), (ESTATE_TAG, &owner.estate), (MACHINE_TAG, &source)];
    let new = NewCollection { location: from, source: machine, tags: &tags };
    restore_points::create_collection(arm, &place.subscription, &place.group, &place.collection, &new, latest).await?;
    // No agent answers in a machine that stands still.
    let new = NewPoint { crash_consistent: true, exclude_disks: &[] };
    restore_points::create(arm, &place.subscription, &place.group, &place.collection, point, &new, latest)
        .await
        .map(drop)
}

/// What protecting a member the other way needs.
pub async fn back(lifeboat: &Lifeboat, of: &Failover, round: &Round, it: &Member) -> BackFacts {
    let unknown = BackFacts { old_side: Known::Unknown, still: Known::Unknown, back: Known::Unknown };
    let Ok(id) = it.item.parse::<ResourceId>() else { return unknown };
    let items = vaults::vault_of(&id).and_then(|vault| round.items(vault.as_str()));
    let Some(item) = items.and_then(|items| items.iter().find(|item| item.id == id)) else { return unknown };
    let (old, back) = futures::join!(old_side(lifeboat, round, item, it), what_is_said(lifeboat, of, item, it));
    let (old_side, still) = old;
    BackFacts { old_side, still, back }
}

/// The old region's group and networks, and the old machine with the disks that are to be the seed; and whether it stands still.
async fn old_side(lifeboat: &Lifeboat, round: &Round, item: &ReplicatedItem, it: &Member) -> (Known<()>, Known<bool>) {
    let unknown = (Known::Unknown, Known::Unknown);
    let Ok(old) = it.old.parse::<ResourceId>() else { return unknown };
    let Ok(group) = ResourceId::of_group(old.subscription(), old.resource_group()) else { return unknown };
    let read = resource_groups::get(&lifeboat.arm, group.subscription(), group.resource_group());
    let Some(read) = in_time(read).await else { return unknown };
    if round.known(read, &group) == Known::Absent {
        return (Known::Absent, Known::Unknown);
    }
    match old_networks(lifeboat, round, it).await {
        Known::Is(()) => {}
        not_there => return (not_there, Known::Unknown),
    }
    let Some(read) = in_time(machines::get(&lifeboat.arm, &old)).await else { return unknown };
    let has = |machine: &Machine, id: &ResourceId| machine.disks.iter().any(|disk| disk.id.as_ref() == Some(id));
    match round.known(read, &old) {
        Known::Is(machine) => {
            let all = item.details.disks.iter().all(|disk| disk.id.as_ref().is_some_and(|id| has(&machine, id)));
            let still = Known::Is(machine.power == PowerState::Deallocated);
            (if all { Known::Is(()) } else { Known::Absent }, still)
        }
        Known::Absent => (Known::Absent, Known::Unknown),
        Known::Unknown => unknown,
    }
}

/// The networks that the old machine was in when its item told them: it goes back to them. Where none was told, which they are is not
/// known.
async fn old_networks(lifeboat: &Lifeboat, round: &Round, it: &Member) -> Known<()> {
    if it.old_networks.is_empty() {
        tracing::error!(machine = it.old, "not known: its item named no network when it was saved");
        return Known::Unknown;
    }
    for network in &it.old_networks {
        let Ok(id) = network.parse::<ResourceId>() else { return Known::Unknown };
        let Some(read) = in_time(networks::get(&lifeboat.arm, &id)).await else { return Known::Unknown };
        match round.known(read, &id) {
            Known::Is(_) => {}
            Known::Absent => return Known::Absent,
            Known::Unknown => return Known::Unknown,
        }
    }
    Known::Is(())
}

/// What is said with the order. The reverse mapping tells the policy, and that there is a way back at all; the cache account in the region
/// that took over is the deployment's setting, because nothing of Site Recovery tells it (*Assumed*: `failover-cache-account`).
async fn what_is_said(lifeboat: &Lifeboat, of: &Failover, item: &ReplicatedItem, it: &Member) -> Known<Back> {
    let Some(cache) = lifeboat.replication_cache.clone() else {
        tracing::error!("no cache account is set for protecting the other way");
        return Known::Absent;
    };
    let (Some(container), Some(vault)) = (item.id.parent(), vaults::vault_of(&item.id)) else { return Known::Unknown };
    let Some(target) = of.memory.of(&it.name).target.and_then(|(id, _)| id.parse::<ResourceId>().ok()) else {
        return Known::Unknown;
    };
    let read = futures::join!(replication::list_mappings(&lifeboat.arm, &vault), machines::get(&lifeboat.arm, &target));
    let (mappings, machine) = match read {
        (Ok(mappings), Ok(machine)) => (mappings, machine),
        (Err(error), _) | (_, Err(error)) => {
            say(&error);
            return Known::Unknown;
        }
    };
    let leads_back = |mapping: &&ContainerMapping| {
        mapping.id.parent() == item.recovery_container
            && mapping.target.as_ref() == Some(&container)
            && mapping.state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case(PAIRED))
    };
    let Some(mapping) = mappings.iter().find(leads_back) else { return Known::Absent };
    let disks: Option<Vec<String>> =
        machine.disks.iter().map(|disk| disk.id.as_ref().map(|id| id.as_str().to_owned())).collect();
    let old: Option<ResourceId> = it.old.parse().ok();
    let group = old.and_then(|old| ResourceId::of_group(old.subscription(), old.resource_group()).ok());
    match (disks, mapping.policy.as_ref().or(item.policy.as_ref()), group) {
        (Some(disks), Some(policy), Some(group)) if !disks.is_empty() => Known::Is(Back {
            container: container.as_str().to_owned(),
            policy: policy.as_str().to_owned(),
            group: group.as_str().to_owned(),
            cache,
            disks,
        }),
        _ => Known::Unknown,
    }
}
