//! The verdict on every point, for a person who asks: what the sweep of due points would decide now, and why.
//! It never changes anything, neither in Azure nor in the store, and never decides otherwise than the sweep: the facts are gathered by
//! the same code, and `planning` decides.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use lifeboat_azure::graph::{self, CollectionRow};
use lifeboat_azure::{Error, ResourceId};
use lifeboat_planning::creation::region;
use lifeboat_planning::expiry::{self, PointVerdict};
use lifeboat_planning::facts::{CollectionSeen, Owner, Point, Snapshot, SnapshotsSeen};
use lifeboat_planning::id::PointName;
use lifeboat_planning::policy::BackupPolicy;
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::retention::{Kind, Reason, Reasons, State};

use super::facts::Facts;
use super::looks::take_in;
use super::memory::{Deletion, Memory};
use super::seen::{EstateSeen, Subject};
use crate::connect::{ConnectError, Connections};
use crate::estate::{self, Estate, EstateError};
use crate::lifeboat::Lifeboat;
use crate::observe::{self, tag};
use crate::onlooker::Onlooker;
use crate::perform::OWNER_TAG;
use crate::policies::{self, PolicyError};
use crate::settings::{Build, Settings};
use crate::vault_verdicts::{ItemVerdicts, VaultReader};
use crate::{incident, policy_sweep, stop};

/// Collections read at a time, as in the sweep.
const PARALLEL: usize = 8;
/// The type of machines.
const MACHINES: &str = "Microsoft.Compute/virtualMachines";

/// Whose points are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those of all machines.
    All,
    /// Those of a machine, by its ARM id.
    Machine(ResourceId),
    /// Those of all machines of a name.
    Named(String),
}

/// What would be decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdicts {
    /// When.
    pub at: Timestamp,
    /// The deployment whose store it is.
    pub deployment: String,
    /// The digest of the policies that it rests on; none where there are none.
    pub digest: Option<String>,
    /// Every point that was seen, machine by machine, newest first.
    pub points: Vec<Told>,
    /// Why nothing is deleted for now, whatever the verdicts; one line each.
    pub withheld: Vec<String>,
    /// The points in vaults, machine by machine; none where they were not asked for.
    pub in_vaults: Vec<(String, ItemVerdicts)>,
    /// What could not be read, one line each: points may be missing, and verdicts may be kinder than with it.
    pub unread: Vec<String>,
}

/// One point, or one set of snapshots, with its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// ARM id of the machine that it is of, as its collection says.
    pub machine: String,
    /// ARM id of the point; of a set that of its first snapshot.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Snapshots of the set; none for a restore point.
    pub snapshots: Option<usize>,
    /// The moment that its content is of.
    pub at: Option<Timestamp>,
    /// How far it is.
    pub state: State,
    /// Its consistency, in Azure's word.
    pub consistency: Option<String>,
    /// The policy and the entry that made it, where they are in force.
    pub made_by: Option<(String, String)>,
    /// What becomes of it.
    pub kind: Kind,
    /// Its policy only reports: what is due stays.
    pub only_reported: bool,
    /// Every reason.
    pub reasons: Reasons,
    /// What came of attempts to delete it.
    pub deletion: Option<String>,
}

/// Why the points cannot be told. Asking again is safe.
#[derive(Debug, thiserror::Error)]
pub enum VerdictsError {
    /// What was asked for is no machine.
    #[error("{0} is neither the ARM id of a machine nor a name")]
    NotAMachine(String),
    /// The addresses are none.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Without an estate record nothing is known to be ours.
    #[error(transparent)]
    Estate(#[from] EstateError),
    /// The store did not give the policies.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Azure did not answer.
    #[error("Azure did not say which points there are")]
    Azure(#[from] Error),
}

/// What a person reads with: the hands of a handler, as that person, that are only looked with.
#[derive(Debug)]
pub struct Reader {
    lifeboat: Lifeboat,
    estate: Estate,
}

impl Reader {
    /// Reads whose store it is. The subscriptions should be all that are in scope: a machine that moved out of them looks gone.
    pub async fn open(
        connections: Connections,
        arm_url: &str,
        store_url: &str,
        subscriptions: &[String],
    ) -> Result<Self, VerdictsError> {
        let build = Build { version: env!("CARGO_PKG_VERSION").to_owned(), id: String::new() };
        let (deployment, subscriptions) = (String::new(), subscriptions.to_vec());
        let settings = Settings { deployment, owned_regions: Vec::new(), subscriptions, build };
        let mut lifeboat = Onlooker::connect(&connections, arm_url, Some(store_url), settings)?.lifeboat;
        let estate = estate::of_store(&lifeboat.store).await?;
        lifeboat.settings.deployment.clone_from(&estate.deployment);
        Ok(Self { lifeboat, estate })
    }

    /// The verdicts; those on points in vaults, which cost some calls a machine, where they are asked for.
    pub async fn verdicts(mut self, whose: &Whose, with_vaults: bool) -> Result<Verdicts, VerdictsError> {
        let subscriptions = self.lifeboat.settings.subscriptions.clone();
        // Snapshots lie in a group of each region that has machines; which regions the deployment owns only its settings say.
        let machines = graph::all_machines(&self.lifeboat.arm, &subscriptions).await?;
        let regions: BTreeSet<String> = machines.iter().map(|row| region(&row.location)).collect();
        self.lifeboat.settings.owned_regions = regions.into_iter().collect();
        let lifeboat = &self.lifeboat;
        let InForceNow { policies, recovery_plans, digest, not_read } = in_force(lifeboat).await?;
        let rows = graph::all_collections(&lifeboat.arm, &subscriptions).await?;
        let (ours, foreign): (Vec<_>, Vec<_>) =
            rows.into_iter().filter(|row| whose.includes(&row.source)).partition(|row| self.is_judged(row));
        let mut subjects: Vec<Subject> = ours.iter().filter_map(Subject::of).collect();
        let incidents = incident::before_deletions(&lifeboat.store, &recovery_plans, lifeboat.clock.now()).await;
        let about = (incidents, !recovery_plans.is_empty());
        let seen = EstateSeen::observe(lifeboat, &subjects, &policies, about).await?;
        let owner = self.estate.owner();
        subjects.extend(seen.without_collection(&subjects, &owner));
        subjects.retain(|subject| whose.includes(subject.machine.as_str()));
        let question = Question { lifeboat, estate: &self.estate, owner: &owner, policies: &policies, seen: &seen };
        let own = stream::iter(&subjects).map(|subject| question.of_subject(subject)).buffered(PARALLEL);
        let mut all: Vec<Result<Vec<Told>, String>> = own.collect().await;
        let others = stream::iter(&foreign).map(|row| of_foreign(lifeboat, row)).buffered(PARALLEL);
        all.extend(others.collect::<Vec<_>>().await);
        let mut verdicts = Verdicts {
            at: lifeboat.clock.now(),
            deployment: self.estate.deployment.clone(),
            digest,
            points: Vec::new(),
            withheld: self.withheld(not_read).await,
            in_vaults: Vec::new(),
            unread: policy_sweep::unreadable(lifeboat).await.iter().map(|one| unread_scope(one)).collect(),
        };
        if with_vaults {
            let living = machines.iter().filter_map(|row| row.id.parse::<ResourceId>().ok());
            let gone = subjects.iter().map(|subject| subject.machine.clone());
            let named: BTreeMap<String, ResourceId> = living
                .chain(gone)
                .filter(|machine| whose.includes(machine.as_str()))
                .map(|machine| (machine.key().to_owned(), machine))
                .collect();
            let (found, unread) = VaultReader::new(&lifeboat.arm).of_all(named.values(), verdicts.at).await?;
            verdicts.in_vaults = found;
            verdicts.unread.extend(unread);
        }
        for one in all {
            match one {
                Ok(points) => verdicts.points.extend(points),
                Err(unread) => verdicts.unread.push(unread),
            }
        }
        verdicts.points.sort_by(|one, other| {
            let machine = |told: &Told| told.machine.to_lowercase();
            machine(one)
                .cmp(&machine(other))
                .then_with(|| other.at.cmp(&one.at))
                .then_with(|| one.name.cmp(&other.name))
        });
        Ok(verdicts)
    }

    /// A collection that the sweep would take for one of this deployment's.
    fn is_judged(&self, row: &CollectionRow) -> bool {
        tag(&row.tags, OWNER_TAG).is_some_and(|owner| owner == self.estate.deployment) && Subject::of(row).is_some()
    }

    async fn withheld(&self, not_read: Option<String>) -> Vec<String> {
        let mut lines: Vec<String> = not_read.into_iter().collect();
        let from = self.estate.expiry_allowed_from();
        if self.lifeboat.clock.now() < from {
            lines.push(format!("the store is new or was adopted: nothing expires before {from}"));
        }
        match stop::in_force(&self.lifeboat.store).await {
            Ok(None) => {}
            Ok(Some(stop)) => lines.push(format!("all changes are stopped since {}: {}", stop.stopped_at, stop.reason)),
            Err(error) => lines.push(format!("whether changes are stopped is not known: {error}")),
        }
        lines
    }
}

fn unread_scope(subscription: &str) -> String {
    format!("machines of the subscription {subscription} may not all be seen, so that none counts as gone")
}

/// What is in force.
#[derive(Default)]
struct InForceNow {
    policies: Vec<BackupPolicy>,
    recovery_plans: Vec<RecoveryPlan>,
    digest: Option<String>,
    /// Why nothing is let go by the policies, where a newer bundle cannot be read.
    not_read: Option<String>,
}

async fn in_force(lifeboat: &Lifeboat) -> Result<InForceNow, VerdictsError> {
    match policies::read(&lifeboat.store).await {
        Ok(found) => {
            let not_read = found.not_read.as_ref().map(|not_read| {
                format!(
                    "the policies at {} cannot be read, and may keep what the ones in force let go",
                    not_read.document
                )
            });
            let (policies, recovery_plans) = (found.policies.clone(), found.recovery_plans.clone());
            Ok(InForceNow { policies, recovery_plans, digest: Some(found.digest.clone()), not_read })
        }
        Err(PolicyError::Store { document, source }) => Err(PolicyError::Store { document, source }.into()),
        Err(error @ (PolicyError::Missing { .. } | PolicyError::Unreadable { .. })) => {
            Ok(InForceNow { not_read: Some(error.to_string()), ..InForceNow::default() })
        }
    }
}

/// What the points of each machine are held against.
struct Question<'a> {
    lifeboat: &'a Lifeboat,
    estate: &'a Estate,
    owner: &'a Owner,
    policies: &'a [BackupPolicy],
    seen: &'a EstateSeen,
}

impl Question<'_> {
    async fn of_subject(&self, subject: &Subject) -> Result<Vec<Told>, String> {
        let unread = |what: String| format!("the points of {} could not be judged: {what}", subject.machine.as_str());
        let lifeboat = self.lifeboat;
        let adopted = self.estate.adopted_at.is_some();
        let read = Memory::read(&lifeboat.store, &subject.collection, adopted).await;
        let mut memory = read.map_err(|error| unread(error.to_string()))?;
        let of_azure = |error: Error| unread(error.to_string());
        let mut facts = self.seen.facts(lifeboat, subject, &memory).await.map_err(of_azure)?;
        if let CollectionSeen::Unknown(why) = facts.collection() {
            return Err(unread(format!("{why:?}")));
        }
        let mut judged = self.decide(subject, &mut memory, &facts);
        if judged.verdicts.iter().any(|verdict| verdict.kind == Kind::Expire) {
            // As in the sweep, what still exists of the machine is asked only for what would go.
            facts = self.seen.with_machine(lifeboat, subject, &memory, facts).await.map_err(of_azure)?;
            judged = self.decide(subject, &mut memory, &facts);
        }
        let reported: BTreeSet<&str> = judged.would.iter().map(|due| due.name.as_str()).collect();
        let told =
            |verdict: &PointVerdict| told(subject, &facts, &memory, verdict, reported.contains(verdict.name.as_str()));
        Ok(judged.verdicts.iter().map(told).collect())
    }

    /// What is remembered is taken in as the sweep does, and never written.
    fn decide(&self, subject: &Subject, memory: &mut Memory, facts: &Facts) -> expiry::Expiry {
        take_in(memory, facts, self.owner);
        expiry::decide(&facts.points(subject, self.owner, memory), self.policies, self.lifeboat.clock.now())
    }
}

fn told(subject: &Subject, facts: &Facts, memory: &Memory, verdict: &PointVerdict, only_reported: bool) -> Told {
    let point = restore_point(facts.collection(), &verdict.name);
    let set = if point.is_some() { Vec::new() } else { set_of(facts, &verdict.name) };
    let (group, name) = (&subject.place.group, &verdict.name);
    let id = match point {
        Some(_) => format!("{}/restorePoints/{name}", subject.collection.as_str()),
        None => format!(
            "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.Compute/snapshots/{name}",
            subject.place.subscription
        ),
    };
    let deletion = memory.deletion(&verdict.name).map(|deletion| {
        let Deletion { attempts, since, last, again_at, .. } = deletion;
        format!("{attempts} attempts to delete it since {since}, the last: {last}; again from {again_at} on")
    });
    Told {
        machine: subject.machine.as_str().to_owned(),
        id,
        name: name.clone(),
        snapshots: point.is_none().then_some(set.len()),
        at: verdict.at,
        state: point.map_or_else(|| expiry::state_of_set(&set), |point| expiry::state(point.state)),
        consistency: point.and_then(|point| point.consistency.clone()),
        made_by: verdict.made_by.clone(),
        kind: verdict.kind,
        only_reported,
        reasons: verdict.reasons,
        deletion,
    }
}

fn restore_point<'a>(collection: &'a CollectionSeen, name: &str) -> Option<&'a Point> {
    match collection {
        CollectionSeen::Present(seen) => seen.points.iter().find(|point| point.name == name),
        CollectionSeen::Absent | CollectionSeen::GroupAbsent | CollectionSeen::Unknown(_) => None,
    }
}

/// The snapshots of a set, by the name of its first one.
fn set_of<'a>(facts: &'a Facts, first: &str) -> Vec<&'a Snapshot> {
    let SnapshotsSeen::Read(all) = &facts.snapshots else { return Vec::new() };
    let Some(own) = PointName::parse(first) else {
        return all.iter().filter(|one| one.name == first).collect();
    };
    let is_same = |name: &PointName| name.slot == own.slot && name.rule == own.rule && name.entry == own.entry;
    all.iter().filter(|one| PointName::parse(&one.name).as_ref().is_some_and(is_same)).collect()
}

/// Points of a collection that is not ours, or of which nobody knows the machine.
async fn of_foreign(lifeboat: &Lifeboat, row: &CollectionRow) -> Result<Vec<Told>, String> {
    let unread = |what: String| format!("the points of the collection {} could not be read: {what}", row.id);
    let id: ResourceId = row.id.parse().map_err(|_| unread("its id is none".to_owned()))?;
    let seen = observe::collection(lifeboat, id.subscription(), id.resource_group(), id.name()).await;
    let points = match seen.map_err(|error| unread(error.to_string()))? {
        CollectionSeen::Present(seen) => seen.points,
        CollectionSeen::Absent | CollectionSeen::GroupAbsent => Vec::new(),
        CollectionSeen::Unknown(why) => return Err(unread(format!("{why:?}"))),
    };
    let foreign = |point: Point| Told {
        machine: row.source.clone(),
        id: format!("{}/restorePoints/{}", row.id, point.name),
        name: point.name,
        snapshots: None,
        at: point.created_at,
        state: expiry::state(point.state),
        consistency: point.consistency,
        made_by: None,
        kind: Kind::Foreign,
        only_reported: false,
        reasons: Reasons::NONE.with(Reason::NotOurs),
        deletion: None,
    };
    Ok(points.into_iter().map(foreign).collect())
}

impl Whose {
    /// Reads what a person wrote: an ARM id, or the name of a machine.
    pub fn parse(text: &str) -> Result<Self, VerdictsError> {
        let none = || VerdictsError::NotAMachine(text.to_owned());
        if !text.contains('/') {
            return if text.trim().is_empty() { Err(none()) } else { Ok(Self::Named(text.to_owned())) };
        }
        text.parse::<ResourceId>().ok().filter(|id| id.is(MACHINES)).map(Self::Machine).ok_or_else(none)
    }

    /// Whether the machine of this ARM id is meant.
    pub fn includes(&self, machine: &str) -> bool {
        match self {
            Self::All => true,
            Self::Machine(id) => id.as_str().eq_ignore_ascii_case(machine),
            Self::Named(name) => machine.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(name)),
        }
    }
}
