//! What expiry rests on: one observation of all machines by Resource Graph, our collections, locks, snapshots, and the facts of one
//! collection read from Azure.
//! It never takes what was not seen for *gone*, and what could not be read for nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lifeboat_azure::graph::{self, CollectionRow};
use lifeboat_azure::locks::{self, Lock};
use lifeboat_azure::{Error, ResourceId};
use lifeboat_planning::effect::Place;
use lifeboat_planning::expiry::{LocksSeen, MachinePoints, Whereabouts};
use lifeboat_planning::facts::{
    CollectionSeen, Machine, MachineSeen, Owner, PointState, Snapshot, SnapshotsSeen, UnknownBecause,
};
use lifeboat_planning::id::{MachineKey, PointName, machine_source};
use lifeboat_planning::policy::{BackupPolicy, PointKind};

use super::memory::Memory;
use crate::lifeboat::Lifeboat;
use crate::observe::{self, tag};
use crate::perform::{MACHINE_TAG, OWNER_TAG};
use crate::{account, observe_snapshots, policy_sweep};

/// The estate, as one sweep saw it.
#[derive(Debug)]
pub struct EstateSeen {
    /// ARM ids of machines, by the hash of their `vmId`.
    machines: HashMap<String, String>,
    /// All subscriptions in scope showed their machines: only then a machine that is not among them is nowhere.
    whole: bool,
    /// Locks, by subscription in lower case.
    locks: HashMap<String, LocksSeen>,
    /// Snapshots, by group in lower case.
    snapshots: HashMap<String, SnapshotsOfGroup>,
}

/// The snapshots of a group by the machine that their tag names: a machine's own are a few of thousands.
#[derive(Debug)]
enum SnapshotsOfGroup {
    Read(HashMap<String, Vec<Snapshot>>),
    Absent,
    Unknown(UnknownBecause),
}

/// A collection of ours, as Resource Graph names it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// ARM id of the collection.
    pub collection: ResourceId,
    /// Where it is.
    pub place: Place,
    /// ARM id of the machine that its points are of.
    pub machine: ResourceId,
    /// The hash of the machine's `vmId`, by its tag.
    pub vm_hash: String,
    /// The machine's key, by its name.
    pub key: MachineKey,
}

/// The facts of one collection.
#[derive(Clone, Debug)]
pub struct Facts {
    whereabouts: Whereabouts,
    collection: CollectionSeen,
    snapshots: SnapshotsSeen,
    disks: Option<Vec<String>>,
    locks: LocksSeen,
}

impl Subject {
    /// What a row names; `None` when it is not one of ours whose machine is known.
    pub fn of(row: &CollectionRow) -> Option<Self> {
        let collection: ResourceId = row.id.parse().ok()?;
        let place = Place {
            subscription: collection.subscription().to_owned(),
            group: collection.resource_group().to_owned(),
            collection: collection.name().to_owned(),
        };
        let key = MachineKey::of_collection(collection.name())?;
        Some(Self { place, key, machine: row.source.parse().ok()?, vm_hash: tag(&row.tags, MACHINE_TAG)?, collection })
    }

    fn group_key(&self) -> String {
        format!("{}/{}", self.place.subscription, self.place.group).to_lowercase()
    }
}

/// The collections that carry this deployment's tag, in the order of their ids.
pub async fn subjects(lifeboat: &Lifeboat) -> Result<Vec<Subject>, Error> {
    let settings = &lifeboat.settings;
    let rows =
        graph::collections_tagged(&lifeboat.arm, &settings.subscriptions, OWNER_TAG, &settings.deployment).await?;
    let mut subjects: Vec<Subject> = rows.iter().filter_map(Subject::of).collect();
    subjects.sort_by(|one, other| one.collection.key().cmp(other.collection.key()));
    Ok(subjects)
}

impl EstateSeen {
    /// Observes the estate: a few pages and lists, no machine by itself.
    pub async fn observe(lifeboat: &Lifeboat, subjects: &[Subject], policies: &[BackupPolicy]) -> Result<Self, Error> {
        let rows = graph::all_machines(&lifeboat.arm, &lifeboat.settings.subscriptions).await?;
        let machines =
            rows.into_iter().filter(|row| !row.vm_id.is_empty()).map(|row| (machine_source(&row.vm_id), row.id));
        let machines = machines.collect();
        // Resource Graph leaves out what one may not read: a machine may have moved to where it is not seen.
        let whole = policy_sweep::unreadable(lifeboat).await.is_empty();
        let mut locks = HashMap::new();
        for subscription in subjects.iter().map(|one| one.place.subscription.to_lowercase()).collect::<BTreeSet<_>>() {
            let seen = match locks::list_at_subscription(&lifeboat.arm, &subscription).await {
                Ok(list) => scopes(list),
                Err(error) => {
                    tracing::error!(subscription, error = %error, "the locks cannot be read: all counts as locked");
                    LocksSeen::Unknown
                }
            };
            locks.insert(subscription, seen);
        }
        let mut snapshots = HashMap::new();
        if policies.iter().flat_map(|policy| &policy.points).any(|entry| entry.kind == PointKind::Snapshot) {
            let groups: BTreeMap<String, &Subject> = subjects.iter().map(|one| (one.group_key(), one)).collect();
            for (key, one) in groups {
                let seen = observe_snapshots::in_group(lifeboat, &one.place.subscription, &one.place.group).await?;
                snapshots.insert(key, SnapshotsOfGroup::from(seen));
            }
        }
        Ok(Self { machines, whole, locks, snapshots })
    }

    /// The facts of a collection as of the start of the sweep, but for the collection itself, which is read. A machine that the
    /// observation shows is not read again.
    pub async fn facts(&self, lifeboat: &Lifeboat, subject: &Subject, memory: &Memory) -> Result<Facts, Error> {
        let Subject { place, vm_hash, .. } = subject;
        let collection = observe::collection(lifeboat, &place.subscription, &place.group, &place.collection).await?;
        let (whereabouts, disks) = match self.machines.contains_key(vm_hash) {
            true => (Whereabouts::Living, None),
            false => self.whereabouts(lifeboat, subject, memory).await?,
        };
        let snapshots = match self.snapshots.get(&subject.group_key()) {
            None => SnapshotsSeen::Unknown(UnknownBecause::NotAsked),
            Some(SnapshotsOfGroup::Absent) => SnapshotsSeen::GroupAbsent,
            Some(SnapshotsOfGroup::Unknown(why)) => SnapshotsSeen::Unknown(*why),
            Some(SnapshotsOfGroup::Read(all)) => SnapshotsSeen::Read(all.get(vm_hash).cloned().unwrap_or_default()),
        };
        Ok(Facts { whereabouts, collection, snapshots, disks, locks: self.locks_of(subject) })
    }

    /// The facts with the machine read from Azure.
    pub async fn with_machine(
        &self,
        lifeboat: &Lifeboat,
        subject: &Subject,
        memory: &Memory,
        facts: Facts,
    ) -> Result<Facts, Error> {
        let (whereabouts, disks) = self.whereabouts(lifeboat, subject, memory).await?;
        Ok(Facts { whereabouts, disks, ..facts })
    }

    /// The facts right before a deletion: all of it is read again.
    pub async fn fresh(&self, lifeboat: &Lifeboat, subject: &Subject, memory: &Memory) -> Result<Facts, Error> {
        let Place { subscription, group, collection } = &subject.place;
        let (whereabouts, disks) = self.whereabouts(lifeboat, subject, memory).await?;
        let snapshots = match self.snapshots.contains_key(&subject.group_key()) {
            true => match SnapshotsOfGroup::from(observe_snapshots::in_group(lifeboat, subscription, group).await?) {
                SnapshotsOfGroup::Read(mut all) => {
                    SnapshotsSeen::Read(all.remove(&subject.vm_hash).unwrap_or_default())
                }
                SnapshotsOfGroup::Absent => SnapshotsSeen::GroupAbsent,
                SnapshotsOfGroup::Unknown(why) => SnapshotsSeen::Unknown(why),
            },
            false => SnapshotsSeen::Unknown(UnknownBecause::NotAsked),
        };
        let at_group = match locks::list_at_group(&lifeboat.arm, subscription, group).await {
            Ok(list) => scopes(list),
            Err(error) => {
                tracing::error!(group, error = %error, "the locks cannot be read: all counts as locked");
                LocksSeen::Unknown
            }
        };
        let locks = both(self.locks_of(subject), at_group);
        // Last, because the tags that say that points are held are its own.
        let collection = observe::collection(lifeboat, subscription, group, collection).await?;
        Ok(Facts { whereabouts, collection, snapshots, disks, locks })
    }

    fn locks_of(&self, subject: &Subject) -> LocksSeen {
        self.locks.get(&subject.place.subscription.to_lowercase()).cloned().unwrap_or(LocksSeen::Unknown)
    }

    /// Where a machine is, by reading it: under the id that the observation has, or under the one that its collection has.
    async fn whereabouts(
        &self,
        lifeboat: &Lifeboat,
        subject: &Subject,
        memory: &Memory,
    ) -> Result<(Whereabouts, Option<Vec<String>>), Error> {
        let observed = self.machines.get(&subject.vm_hash).map(|id| id.parse::<ResourceId>());
        let id = match &observed {
            Some(Ok(id)) => id,
            Some(Err(_)) => return Ok((Whereabouts::Unknown, None)),
            None => &subject.machine,
        };
        Ok(match observe::machine(lifeboat, id).await? {
            MachineSeen::Present(machine) if machine_source(&machine.vm_id) == subject.vm_hash => {
                (Whereabouts::Living, Some(disks(&machine)))
            }
            // Nowhere by Azure's own word, and nowhere else in an observation that shows every subscription. An observation that
            // shows it somewhere is older than this answer, and nothing is concluded from the two.
            MachineSeen::Gone if observed.is_none() && self.whole => {
                (Whereabouts::GoneSince(memory.gone_since.unwrap_or(lifeboat.clock.now())), None)
            }
            // Another machine has its id: nobody says what became of it.
            MachineSeen::Present(_) | MachineSeen::Gone | MachineSeen::Unknown(_) => (Whereabouts::Unknown, None),
        })
    }
}

impl Facts {
    /// As planning asks for them.
    pub fn points<'a>(&'a self, subject: &'a Subject, owner: &'a Owner, memory: &Memory) -> MachinePoints<'a> {
        MachinePoints {
            owner,
            machine: subject.machine.as_str(),
            vm_hash: &subject.vm_hash,
            whereabouts: self.whereabouts,
            place: subject.place.clone(),
            collection: &self.collection,
            snapshots: &self.snapshots,
            disks: self.disks.clone(),
            locks: self.locks.clone(),
            deleted_by_hand: memory.deleted_by_hand.iter().cloned().collect(),
        }
    }

    /// What answers for deletions that have no outcome.
    pub fn account(&self) -> account::Seen<'_> {
        account::Seen { collection: &self.collection, snapshots: &self.snapshots, protection: None }
    }

    /// Where the machine is.
    pub fn whereabouts(&self) -> Whereabouts {
        self.whereabouts
    }

    /// The collection.
    pub fn collection(&self) -> &CollectionSeen {
        &self.collection
    }

    /// Names of our restorable points; `None` where the collection was not read.
    pub fn restorable_points(&self, owner: &Owner) -> Option<BTreeSet<String>> {
        match &self.collection {
            CollectionSeen::Unknown(_) => None,
            CollectionSeen::Absent | CollectionSeen::GroupAbsent => Some(BTreeSet::new()),
            CollectionSeen::Present(seen) if !owner.has_made(seen) => None,
            CollectionSeen::Present(seen) => {
                let restorable = seen.points.iter().filter(|point| point.state == PointState::Succeeded);
                Some(restorable.map(|point| point.name.clone()).filter(|name| is_ours(name)).collect())
            }
        }
    }

    /// Names of our restorable snapshots of the machine; `None` where they were not read.
    pub fn restorable_snapshots(&self, owner: &Owner) -> Option<BTreeSet<String>> {
        match &self.snapshots {
            SnapshotsSeen::Unknown(_) => None,
            SnapshotsSeen::GroupAbsent => Some(BTreeSet::new()),
            SnapshotsSeen::Read(all) => {
                let restorable = all.iter().filter(|one| one.state == PointState::Succeeded);
                let ours = restorable.filter(|one| owner.is(one.owner.as_deref(), one.estate.as_deref()));
                Some(ours.map(|one| one.name.clone()).filter(|name| is_ours(name)).collect())
            }
        }
    }

    /// Whether a point or a snapshot of this name is listed; `None` where its list was not read.
    pub fn lists(&self, subject: &Subject, name: &str) -> Option<bool> {
        if is_restore_point(subject, name) {
            return match &self.collection {
                CollectionSeen::Present(seen) => Some(seen.points.iter().any(|point| point.name == name)),
                CollectionSeen::Absent | CollectionSeen::GroupAbsent => Some(false),
                CollectionSeen::Unknown(_) => None,
            };
        }
        match &self.snapshots {
            SnapshotsSeen::Read(all) => Some(all.iter().any(|one| one.name == name)),
            SnapshotsSeen::GroupAbsent => Some(false),
            SnapshotsSeen::Unknown(_) => None,
        }
    }

    /// Whether a point or a snapshot of this name is being deleted.
    pub fn is_deleting(&self, name: &str) -> bool {
        let point = match &self.collection {
            CollectionSeen::Present(seen) => seen.points.iter().find(|point| point.name == name).map(|one| one.state),
            CollectionSeen::Absent | CollectionSeen::GroupAbsent | CollectionSeen::Unknown(_) => None,
        };
        let snapshot = match &self.snapshots {
            SnapshotsSeen::Read(all) => all.iter().find(|one| one.name == name).map(|one| one.state),
            SnapshotsSeen::GroupAbsent | SnapshotsSeen::Unknown(_) => None,
        };
        point.or(snapshot) == Some(PointState::Deleting)
    }
}

/// Whether a name of ours is that of a restore point of the machine: its source is the machine, that of a snapshot is a disk.
pub fn is_restore_point(subject: &Subject, name: &str) -> bool {
    PointName::parse(name).is_some_and(|name| name.source == subject.vm_hash)
}

fn is_ours(name: &str) -> bool {
    PointName::parse(name).is_some()
}

/// All managed disks of a machine. Those that an entry leaves out are among them: a point too many stays, never one too few.
fn disks(machine: &Machine) -> Vec<String> {
    machine.volumes.iter().map(|volume| volume.id.clone()).collect()
}

/// The scopes that locks stand on, whatever their level. One that cannot be placed stands in every way.
fn scopes(list: Vec<Lock>) -> LocksSeen {
    let scopes: Option<Vec<String>> =
        list.into_iter().map(|lock| lock.scope.map(|scope| scope.as_str().to_owned())).collect();
    scopes.map_or(LocksSeen::Unknown, LocksSeen::Scopes)
}

fn both(one: LocksSeen, other: LocksSeen) -> LocksSeen {
    match (one, other) {
        (LocksSeen::Scopes(mut all), LocksSeen::Scopes(more)) => {
            all.extend(more);
            LocksSeen::Scopes(all)
        }
        (LocksSeen::Unknown, _) | (_, LocksSeen::Unknown) => LocksSeen::Unknown,
    }
}

impl From<SnapshotsSeen> for SnapshotsOfGroup {
    fn from(seen: SnapshotsSeen) -> Self {
        match seen {
            SnapshotsSeen::GroupAbsent => Self::Absent,
            SnapshotsSeen::Unknown(why) => Self::Unknown(why),
            SnapshotsSeen::Read(all) => {
                let mut of_machines: HashMap<String, Vec<Snapshot>> = HashMap::new();
                for one in all {
                    of_machines.entry(one.machine.clone().unwrap_or_default()).or_default().push(one);
                }
                Self::Read(of_machines)
            }
        }
    }
}
