//! What expiry rests on: one observation of all machines by Resource Graph, our collections, locks, snapshots, and the facts of one
//! collection read from Azure.
//! It never takes what was not seen for *gone*, and what could not be read for nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use lifeboat_azure::graph::{self, CollectionRow};
use lifeboat_azure::locks::{self, Lock};
use lifeboat_azure::{Error, ResourceId};
use lifeboat_planning::effect::Place;
use lifeboat_planning::expiry::{LocksSeen, Scope, Whereabouts};
use lifeboat_planning::facts::{Machine, MachineSeen, Owner, Snapshot, SnapshotsSeen, UnknownBecause};
use lifeboat_planning::id::{MachineKey, collection, machine_source, points_group};
use lifeboat_planning::policy::{BackupPolicy, MachineAttributes, PointKind};

use super::basis;
use super::facts::Facts;
use super::memory::Memory;
use crate::catalogue;
use crate::incident::{self, Incidents};
use crate::lifeboat::Lifeboat;
use crate::observe::{self, tag};
use crate::perform::{MACHINE_TAG, OWNER_TAG};
use crate::{observe_snapshots, policy_sweep};

/// The type of restore point collections.
const COLLECTIONS: &str = "Microsoft.Compute/restorePointCollections";

/// The estate, as one sweep saw it.
#[derive(Debug)]
pub struct EstateSeen {
    /// Machines, by the hash of their `vmId`.
    machines: HashMap<String, Living>,
    /// All subscriptions in scope showed their machines: only then a machine that is not among them is nowhere.
    whole: bool,
    /// Locks, by subscription in lower case.
    locks: HashMap<String, LocksSeen>,
    /// Snapshots, by group in lower case.
    snapshots: HashMap<String, SnapshotsOfGroup>,
    /// The open incidents.
    incidents: Incidents,
}

/// A machine that Resource Graph shows.
#[derive(Debug)]
pub struct Living {
    /// Its ARM id.
    pub id: String,
    /// Its shard in the catalogue.
    pub shard: usize,
    key: MachineKey,
    scope: Scope,
    /// What tells whether it is a recovery plan's member; kept only where one is in force or an incident is open.
    about: Option<Box<MachineAttributes>>,
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
    /// What its row shows of what decisions rest on; empty where there is no row.
    pub shows: String,
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
        let (machine, vm_hash) = (row.source.parse().ok()?, tag(&row.tags, MACHINE_TAG)?);
        Some(Self { place, key, machine, vm_hash, collection, shows: basis::shown_by(row) })
    }

    /// ARM id of the group that it is in, with its slash at the end.
    pub fn group_id(&self) -> String {
        format!("/subscriptions/{}/resourceGroups/{}/", self.place.subscription, self.place.group)
    }

    fn group_key(&self) -> String {
        group_key(&self.place.subscription, &self.place.group)
    }
}

fn group_key(subscription: &str, group: &str) -> String {
    format!("{subscription}/{group}").to_lowercase()
}

/// The collections that carry this deployment's tag.
pub async fn subjects(lifeboat: &Lifeboat) -> Result<Vec<Subject>, Error> {
    let settings = &lifeboat.settings;
    let rows =
        graph::collections_tagged(&lifeboat.arm, &settings.subscriptions, OWNER_TAG, &settings.deployment).await?;
    Ok(rows.iter().filter_map(Subject::of).collect())
}

impl EstateSeen {
    /// Observes the estate: a few pages and lists, no machine by itself.
    pub async fn observe(
        lifeboat: &Lifeboat,
        subjects: &[Subject],
        policies: &[BackupPolicy],
        (incidents, has_recovery_plans): (Incidents, bool),
    ) -> Result<Self, Error> {
        let keeps_about = has_recovery_plans || !incidents.is_none();
        let rows = graph::all_machines(&lifeboat.arm, &lifeboat.settings.subscriptions).await?;
        let rows = rows.into_iter().filter(|row| !row.vm_id.is_empty());
        let machines = rows
            .map(|row| {
                let (key, shard) = (MachineKey::new(&row.vm_id, &row.id), catalogue::shard_of(&row.vm_id));
                let (source, id) = (machine_source(&row.vm_id), row.id.clone());
                let about = observe::row_attributes(row);
                let scope = Scope::of(policies, &about);
                (source, Living { id, shard, key, scope, about: keeps_about.then(|| Box::new(about)) })
            })
            .collect();
        // Resource Graph leaves out what one may not read: a machine may have moved to where it is not seen.
        let whole = policy_sweep::unreadable(lifeboat).await.is_empty();
        let settings = &lifeboat.settings;
        let of_snapshots = policies.iter().flat_map(|policy| &policy.points).any(|one| one.kind == PointKind::Snapshot);
        let mut subscriptions: BTreeSet<String> =
            subjects.iter().map(|one| one.place.subscription.to_lowercase()).collect();
        if of_snapshots {
            subscriptions.extend(settings.subscriptions.iter().map(|subscription| subscription.to_lowercase()));
        }
        let mut locks = HashMap::new();
        for subscription in subscriptions {
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
        if of_snapshots {
            let of_regions = |subscription: &String| {
                let subscription = subscription.clone();
                settings.owned_regions.iter().map(move |region| (subscription.clone(), points_group(region)))
            };
            let own = subjects.iter().map(|one| (one.place.subscription.clone(), one.place.group.clone()));
            let groups: BTreeMap<String, (String, String)> = own
                .chain(settings.subscriptions.iter().flat_map(of_regions))
                .map(|(subscription, group)| (group_key(&subscription, &group), (subscription, group)))
                .collect();
            for (key, (subscription, group)) in groups {
                let seen = observe_snapshots::in_group(lifeboat, &subscription, &group).await?;
                snapshots.insert(key, SnapshotsOfGroup::from(seen));
            }
        }
        Ok(Self { machines, whole, locks, snapshots, incidents })
    }

    /// Living machines that have snapshots of ours and no collection, as if they had the one that would be theirs. Of one that is
    /// gone nothing but its snapshots says which machine it was: they stay.
    pub fn without_collection(&self, subjects: &[Subject], owner: &Owner) -> Vec<Subject> {
        let known: HashSet<(String, &str)> =
            subjects.iter().map(|one| (one.group_key(), one.vm_hash.as_str())).collect();
        let mut more = Vec::new();
        for (group, seen) in &self.snapshots {
            let (SnapshotsOfGroup::Read(of_machines), Some((subscription, name))) = (seen, group.split_once('/'))
            else {
                continue;
            };
            for (vm_hash, snapshots) in of_machines {
                let ours = snapshots.iter().any(|one| owner.is(one.owner.as_deref(), one.estate.as_deref()));
                if ours && !known.contains(&(group.clone(), vm_hash.as_str())) {
                    more.extend(self.subject_of(subscription, name, vm_hash));
                }
            }
        }
        more
    }

    fn subject_of(&self, subscription: &str, group: &str, vm_hash: &str) -> Option<Subject> {
        let Living { id: machine, key, .. } = self.machines.get(vm_hash)?;
        let name = collection(key);
        let id = ResourceId::of_resource(subscription, group, COLLECTIONS, &name).ok()?;
        let place = Place { subscription: subscription.to_owned(), group: group.to_owned(), collection: name };
        let (vm_hash, key) = (vm_hash.to_owned(), key.clone());
        Some(Subject { collection: id, place, machine: machine.parse().ok()?, vm_hash, key, shows: String::new() })
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
        let (snapshots, locks) = (self.snapshots_of(subject), self.locks_of(subject).clone());
        Ok(Facts { whereabouts, scope: self.scope_of(subject), collection, snapshots, disks, locks })
    }

    /// What the policies say of a machine, and open incidents. Of one that Resource Graph does not show yet nothing is known.
    fn scope_of(&self, subject: &Subject) -> Scope {
        let scope = self.machines.get(&subject.vm_hash).map_or_else(Scope::unknown, |living| living.scope.clone());
        match self.concerned(&self.incidents, subject) {
            None => scope,
            Some(_) => scope.during_incident(),
        }
    }

    /// Why one of these incidents concerns the machine of a collection.
    pub fn concerned(&self, incidents: &Incidents, subject: &Subject) -> Option<incident::Why> {
        let about = self.machines.get(&subject.vm_hash).and_then(|living| living.about.as_deref());
        let (name, points_in) = (subject.machine.name(), subject.place.group.as_str());
        incidents.about(incident::Machine { name, region: None, points_in, about })
    }

    /// The open incidents as they were when the estate was observed.
    pub fn incidents(&self) -> &Incidents {
        &self.incidents
    }

    /// The snapshots of a machine, as the observation has them.
    pub fn snapshots_of(&self, subject: &Subject) -> SnapshotsSeen {
        match self.snapshots.get(&subject.group_key()) {
            None => SnapshotsSeen::Unknown(UnknownBecause::NotAsked),
            Some(SnapshotsOfGroup::Absent) => SnapshotsSeen::GroupAbsent,
            Some(SnapshotsOfGroup::Unknown(why)) => SnapshotsSeen::Unknown(*why),
            Some(SnapshotsOfGroup::Read(all)) => {
                SnapshotsSeen::Read(all.get(&subject.vm_hash).cloned().unwrap_or_default())
            }
        }
    }

    /// The machine of a collection, where Resource Graph shows it.
    pub fn living(&self, subject: &Subject) -> Option<&Living> {
        self.machines.get(&subject.vm_hash)
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
        let Place { subscription, group, collection: name } = &subject.place;
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
        let locks = both(self.locks_of(subject).clone(), at_group);
        // Last, because the tags that say that points are held are its own.
        let collection = observe::collection(lifeboat, subscription, group, name).await?;
        Ok(Facts { whereabouts, scope: self.scope_of(subject), collection, snapshots, disks, locks })
    }

    /// The locks of a collection's subscription, as the observation has them.
    pub fn locks_of(&self, subject: &Subject) -> &LocksSeen {
        self.locks.get(&subject.place.subscription.to_lowercase()).unwrap_or(&LocksSeen::Unknown)
    }

    /// Where a machine is, by reading it: under the id that the observation has, or under the one that its collection has.
    async fn whereabouts(
        &self,
        lifeboat: &Lifeboat,
        subject: &Subject,
        memory: &Memory,
    ) -> Result<(Whereabouts, Option<Vec<String>>), Error> {
        let observed = self.machines.get(&subject.vm_hash).map(|living| living.id.parse::<ResourceId>());
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
