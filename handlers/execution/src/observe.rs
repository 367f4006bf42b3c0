//! Reads what a decision rests on: the machine, its collection with its points, its subscription where something is missing.
//! It never concludes: what Azure says becomes *present*, *gone* or *unknown*, as the words of the design have it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lifeboat_azure::Error;
use lifeboat_azure::ResourceId;
use lifeboat_azure::error::Gone;
use lifeboat_azure::machines::AgentState;
use lifeboat_azure::presence::{self, Presence};
use lifeboat_azure::{machines, restore_points, subscriptions};
use lifeboat_planning::creation::region;
use lifeboat_planning::facts::vault::ProtectionFacts;
use lifeboat_planning::facts::{
    Agent, Collection, CollectionSeen, DiskSupport, DiskTags, Facts, Machine, MachineSeen, Owner, Point, PointState,
    Provisioning, SnapshotsSeen, UnknownBecause, Volume,
};
use lifeboat_planning::id::{self, MachineKey};
use lifeboat_planning::policy::{self, BackupPolicy, Choice, Conforming, MachineAttributes, Os, PointKind};

use crate::lifeboat::Lifeboat;
use crate::observe_snapshots;
use crate::observe_vault;
use crate::perform::{ESTATE_TAG, HOLD_TAG, MACHINE_TAG, OWNER_TAG};

/// What a look at a machine is held against.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Whose things are ours.
    pub owner: &'a Owner,
    /// The policies in force: what they ask for is read, and nothing else.
    pub policies: &'a [BackupPolicy],
    /// Since when creations are known.
    pub known_since: Timestamp,
    /// The time.
    pub now: Timestamp,
}

/// The facts for one machine. Faults that pass are errors: the look is put off.
pub async fn facts(lifeboat: &Lifeboat, id: &ResourceId, asked: Asked<'_>) -> Result<Facts, Error> {
    let mut seen = machine(lifeboat, id).await?;
    let unasked = (CollectionSeen::Unknown(UnknownBecause::NotAsked), SnapshotsSeen::Unknown(UnknownBecause::NotAsked));
    let ((collection, snapshots), protection) = match &mut seen {
        MachineSeen::Present(machine) => of_present(lifeboat, machine, asked).await?,
        MachineSeen::Gone | MachineSeen::Unknown(_) => (unasked, None),
    };
    let (owner, owned_regions) = (asked.owner.clone(), lifeboat.settings.owned_regions.clone());
    let known_since = Some(asked.known_since);
    Ok(Facts { machine: seen, collection, snapshots, protection, known_since, owner, owned_regions })
}

type OfPresent = ((CollectionSeen, SnapshotsSeen), Option<ProtectionFacts>);

/// What the machine's policy asks for is read: its points, its disks' tags, its protection.
async fn of_present(lifeboat: &Lifeboat, machine: &mut Machine, asked: Asked<'_>) -> Result<OfPresent, Error> {
    let collection = of_machine(lifeboat, machine).await?;
    if policy::ask_age(asked.policies) {
        machine.about.conforming = conforming(lifeboat, machine, &collection, asked).await?;
    }
    let policy = match policy::choose(asked.policies, &machine.about) {
        Choice::One(policy) => policy,
        Choice::None | Choice::Equal(_) => {
            return Ok(((collection, SnapshotsSeen::Unknown(UnknownBecause::NotAsked)), None));
        }
    };
    let snapshots = match policy.points.iter().any(|entry| entry.kind == PointKind::Snapshot) {
        true => observe_snapshots::of_machine(lifeboat, machine).await?,
        false => SnapshotsSeen::Unknown(UnknownBecause::NotAsked),
    };
    if policy.points.iter().any(|entry| entry.exclude_disks.is_some()) {
        observe_snapshots::disk_tags(lifeboat, machine).await?;
    }
    let protection = match &policy.vault {
        Some(rule) => Some(observe_vault::protection(lifeboat, rule, machine, asked.now).await?),
        None => None,
    };
    Ok(((collection, snapshots), protection))
}

/// How old the newest point of a machine is, ours or a vault's. What is not read leaves it unknown.
async fn conforming(
    lifeboat: &Lifeboat,
    machine: &Machine,
    collection: &CollectionSeen,
    asked: Asked<'_>,
) -> Result<Conforming, Error> {
    let own = match collection {
        CollectionSeen::Present(seen) if asked.owner.has_made(seen) => {
            let whole = seen.points.iter().filter(|point| point.state == PointState::Succeeded);
            whole.filter_map(|point| point.created_at).max()
        }
        CollectionSeen::Present(_) | CollectionSeen::Absent | CollectionSeen::GroupAbsent => None,
        CollectionSeen::Unknown(_) => return Ok(Conforming::Unknown),
    };
    let Some(in_vault) = observe_vault::newest_point(lifeboat, machine).await? else { return Ok(Conforming::Unknown) };
    Ok(match own.max(in_vault) {
        Some(at) => Conforming::Age(asked.now.duration_since(at)),
        None => Conforming::Never,
    })
}

/// A machine. *Gone* needs ARM's own 404 while the subscription answers `Enabled`; anything else is not known.
pub async fn machine(lifeboat: &Lifeboat, id: &ResourceId) -> Result<MachineSeen, Error> {
    let read = machines::get(&lifeboat.arm, id).await;
    let subscription = match &read {
        Err(error) if error.is_permission() => return Ok(MachineSeen::Unknown(UnknownBecause::NotPermitted)),
        Err(error) if error.gone() == Some(Gone::Unproven) => {
            return Ok(MachineSeen::Unknown(UnknownBecause::NotFoundUnproven));
        }
        Err(error) if error.gone().is_some() => subscriptions::get(&lifeboat.arm, id.subscription()).await,
        // Read, or a fault that passes.
        _ => return read.map(|machine| MachineSeen::Present(from_azure(machine))),
    };
    match (presence::of(read, id, &subscription), subscription) {
        (Presence::There(machine), _) => Ok(MachineSeen::Present(from_azure(machine))),
        (Presence::Gone, _) => Ok(MachineSeen::Gone),
        (Presence::Unknown(_), Ok(_)) => Ok(MachineSeen::Unknown(UnknownBecause::SubscriptionNotEnabled)),
        (Presence::Unknown(_), Err(error)) if error.is_permission() => {
            Ok(MachineSeen::Unknown(UnknownBecause::NotPermitted))
        }
        (Presence::Unknown(_), Err(error)) => Err(error),
    }
}

/// The collection of a machine, by its derived name.
async fn of_machine(lifeboat: &Lifeboat, machine: &Machine) -> Result<CollectionSeen, Error> {
    let group = id::points_group(&region(&machine.about.location));
    let name = id::collection(&MachineKey::new(&machine.vm_id, &machine.id));
    collection(lifeboat, &machine.about.subscription, &group, &name).await
}

/// A collection with its points.
pub async fn collection(
    lifeboat: &Lifeboat,
    subscription: &str,
    group: &str,
    name: &str,
) -> Result<CollectionSeen, Error> {
    match restore_points::get_collection(&lifeboat.arm, subscription, group, name).await {
        Ok(read) => Ok(CollectionSeen::Present(collection_from_azure(read))),
        Err(error) if error.is_permission() => Ok(CollectionSeen::Unknown(UnknownBecause::NotPermitted)),
        Err(error) => match error.gone() {
            Some(Gone::ResourceGroup) => Ok(CollectionSeen::GroupAbsent),
            Some(Gone::Resource) => Ok(CollectionSeen::Absent),
            Some(Gone::Unproven) => Ok(CollectionSeen::Unknown(UnknownBecause::NotFoundUnproven)),
            None => Err(error),
        },
    }
}

/// A machine as `azure` reads it, in the words of `planning`.
fn from_azure(read: machines::Machine) -> Machine {
    let about = MachineAttributes {
        name: read.id.name().to_owned(),
        resource_group: read.id.resource_group().to_owned(),
        subscription: read.id.subscription().to_owned(),
        location: read.location,
        os: read.os.map(os),
        size: read.size.unwrap_or_default(),
        tags: read.tags,
        managed_by: read.managed_by.or(read.scale_set.map(|id| id.as_str().to_owned())),
        conforming: Conforming::Unknown,
    };
    let volumes = read.disks.iter().filter_map(|disk| {
        let id = disk.id.as_ref()?.as_str().to_owned();
        Some(Volume { id, os: disk.lun.is_none(), tags: DiskTags::Unknown })
    });
    let volumes = volumes.collect();
    let provisioning = match read.provisioning_state.as_deref().unwrap_or_default() {
        "Succeeded" | "Failed" | "Canceled" => Provisioning::Settled,
        "Deleting" => Provisioning::Deleting,
        _ => Provisioning::InProgress,
    };
    let agent = match read.agent {
        AgentState::Ready => Agent::Ready,
        AgentState::NotReady | AgentState::Unknown => Agent::NotReady,
    };
    let ephemeral_os = read.disks.iter().any(|disk| disk.ephemeral);
    let no_crash_consistent = read.disks.iter().any(|disk| {
        let kind = disk.storage.as_deref().unwrap_or_default();
        disk.write_accelerator || ["UltraSSD_LRS", "PremiumV2_LRS"].iter().any(|sku| kind.eq_ignore_ascii_case(sku))
    });
    Machine {
        id: read.id.as_str().to_owned(),
        vm_id: read.vm_id,
        about,
        // A machine without a time was made before Azure kept one: it is not new.
        created_at: read.time_created.unwrap_or(Timestamp::MIN),
        provisioning,
        agent,
        disks: DiskSupport { ephemeral_os, no_crash_consistent },
        volumes,
    }
}

fn os(read: machines::Os) -> Os {
    match read {
        machines::Os::Windows => Os::Windows,
        machines::Os::Linux => Os::Linux,
    }
}

fn collection_from_azure(read: restore_points::Collection) -> Collection {
    Collection {
        location: read.location,
        source: read.source.map(|id| id.as_str().to_owned()).unwrap_or_default(),
        owner: tag(&read.tags, OWNER_TAG),
        vm_hash: tag(&read.tags, MACHINE_TAG),
        held: held(&read.tags),
        estate: tag(&read.tags, ESTATE_TAG),
        points: read.points.into_iter().map(point_from_azure).collect(),
    }
}

fn point_from_azure(read: restore_points::Point) -> Point {
    let state = match read.state {
        restore_points::PointState::Succeeded if read.whole => PointState::Succeeded,
        restore_points::PointState::Failed => PointState::Failed,
        restore_points::PointState::Deleting => PointState::Deleting,
        _ => PointState::InProgress,
    };
    let disks = read.disks.iter().map(|disk| disk.as_str().to_owned()).collect();
    Point { name: read.name, state, created_at: read.time_created, consistency: read.consistency, disks }
}

/// The points that tags of their collection say are held: the tag's name ends with the point's.
pub fn held(tags: &BTreeMap<String, String>) -> Vec<String> {
    let prefix = [HOLD_TAG, "-"].concat();
    tags.keys().filter_map(|name| name.to_ascii_lowercase().strip_prefix(&prefix).map(ToOwned::to_owned)).collect()
}

/// A tag's value; Azure compares tag names without regard to case.
pub fn tag(tags: &BTreeMap<String, String>, name: &str) -> Option<String> {
    tags.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
}

/// What policies match on, from a row of Resource Graph.
pub fn row_attributes(row: lifeboat_azure::graph::MachineRow) -> MachineAttributes {
    MachineAttributes {
        name: row.name,
        resource_group: row.resource_group,
        subscription: row.subscription,
        location: row.location,
        os: row.os.map(os),
        size: row.size.unwrap_or_default(),
        tags: row.tags,
        managed_by: row.managed_by.or(row.scale_set),
        conforming: Conforming::Unknown,
    }
}
