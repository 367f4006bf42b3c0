//! The course of one sweep: reads and decides for each collection, then deletes what is due, oldest first over all machines.
//! It never deletes before all of it is decided and audited.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::SignedDuration;
use lifeboat_azure::blobs::Lease;
use lifeboat_planning::allowance::Allowance;
use lifeboat_planning::audit;
use lifeboat_planning::creation::region;
use lifeboat_planning::expiry::{self, Due, Expiry, Whereabouts};
use lifeboat_planning::facts::CollectionSeen;
use lifeboat_planning::id::points_group;
use lifeboat_planning::retention::Kind;

use super::deletion::{self, Became};
use super::facts::Facts;
use super::memory::{ACCEPTED, Count, Course, Deletion, Memory};
use super::seen::{self, EstateSeen, Subject};
use super::tell;
use super::{ExpiryError, Left, Sweep, Withheld, withheld};
use crate::alarms::{self, Cause, Machines, Raised};
use crate::breakers;
use crate::budget::{self, Budget};
use crate::counters;
use crate::estate::Estate;
use crate::lifeboat::{Lifeboat, Report};
use crate::policies;
use crate::swap::SwapError;

/// Collections read at a time, as in the other sweep.
const PARALLEL: usize = 8;
/// Deletions of one sweep, at most: each is some ten calls, a second or so, and a function may run for ten minutes.
const DELETIONS_MAX: usize = 300;
/// A sweep reads no longer than this after it began, so that there is time to delete: the next goes on where it ended.
const LOOK_FOR: Duration = Duration::from_secs(4 * 60);
/// Points made within this time are a policy's turnover (design §10).
const TURNOVER_OF: SignedDuration = SignedDuration::from_hours(24);

/// A collection that was looked at.
#[derive(Debug)]
pub(super) struct Looked {
    pub subject: Subject,
    pub memory: Memory,
    pub expiry: Expiry,
    pub settled: Vec<Deletion>,
    pub told: Vec<Deletion>,
    pub gone: usize,
    pub asked: usize,
    pub refused: usize,
    pub left: Option<Left>,
    pub unread: Option<String>,
}

/// Runs one sweep, whose lease is held.
pub(super) async fn run(lifeboat: &Lifeboat, estate: &Estate, lease: &mut Lease) -> Result<Report, ExpiryError> {
    let started_at = lifeboat.clock.now();
    let began = tokio::time::Instant::now();
    let in_force = policies::in_force(&lifeboat.store, &lifeboat.policies).await?;
    let mut course = Course::read(&lifeboat.store).await?;
    let mut subjects = seen::subjects(lifeboat).await?;
    let seen = EstateSeen::observe(lifeboat, &subjects, &in_force.policies).await?;
    let owner = estate.owner();
    subjects.extend(seen.without_collection(&subjects, &owner));
    subjects.sort_by(|one, other| one.collection.key().cmp(other.collection.key()));
    let sweep = Sweep { lifeboat, owner, in_force, seen, number: course.number + 1, began };
    let mut looked = look_at_all(&sweep, subjects, &mut course, lease).await?;
    let mut report = Report::default();
    let why = withheld(lifeboat, estate, &sweep.in_force).await;
    match &why {
        Some(why) => report.lines.push(format!("nothing is deleted: {why}")),
        None => delete_all(&sweep, &mut looked, &course, lease).await?,
    }
    if why != Some(Withheld::ClockSkew) {
        alarms::settle(&lifeboat.store, Cause::ClockSkew, None, lifeboat.clock.now()).await?;
    }
    alarms::settle(&lifeboat.store, Cause::AuditRefused, None, lifeboat.clock.now()).await?;
    tell::of_refused(&sweep, &looked).await;
    tell::report(&mut report, &looked, &course, &sweep, why.as_ref());
    course.version = super::memory::VERSION;
    course.number = sweep.number;
    (course.started_at, course.completed_at) = (Some(started_at), Some(lifeboat.clock.now()));
    course.write(&lifeboat.store).await?;
    Ok(report)
}

/// Looks at the collections, beginning after the one that was read last, for as long as Azure's budget lasts.
async fn look_at_all(
    sweep: &Sweep<'_>,
    mut subjects: Vec<Subject>,
    course: &mut Course,
    lease: &mut Lease,
) -> Result<Vec<Looked>, ExpiryError> {
    match &course.read_to {
        Some(read_to) => {
            let read = subjects.partition_point(|one| one.collection.key() <= read_to.as_str());
            subjects.drain(..read);
        }
        None => course.counting.clear(),
    }
    let (mut all, mut cut) = (Vec::new(), false);
    let looks = stream::iter(subjects).map(|subject| look(sweep, subject)).buffered(PARALLEL);
    let mut looks = std::pin::pin!(looks);
    while let Some(looked) = looks.try_next().await? {
        // The first that was not read ends it: the next sweep goes on there.
        let Some(looked) = looked else {
            cut = true;
            break;
        };
        course.read_to = Some(looked.subject.collection.key().to_owned());
        count(&looked, sweep, &mut course.counting);
        all.push(looked);
        sweep.lifeboat.store.renew(lease).await?;
    }
    if !cut {
        course.read_to = None;
        course.counted = std::mem::take(&mut course.counting);
    }
    Ok(all)
}

/// Looks at one collection. None when Azure's budget of reads is spent, or the time; what fails at this one alone ends nothing else.
async fn look(sweep: &Sweep<'_>, subject: Subject) -> Result<Option<Looked>, ExpiryError> {
    let spent = budget::wait_for(sweep.lifeboat, &Budget::looks(&subject.place.subscription)).await.is_some();
    if spent || sweep.began.elapsed() > LOOK_FOR {
        return Ok(None);
    }
    let mut one = Looked::new(subject);
    match read(sweep, &mut one).await {
        Ok(()) => {}
        Err(ExpiryError::Azure(error)) => one.unread = Some(error.to_string()),
        Err(ExpiryError::Record(SwapError::Record(error))) => {
            let what = format!("nothing of {} is deleted: {error}", one.subject.machine.name());
            let raised = Raised { cause: Cause::StoreUnreadable, policy: None, what, machines: Machines::Also(&[]) };
            alarms::raise(&sweep.lifeboat.store, &raised, sweep.lifeboat.clock.now()).await;
            one.unread = Some(error.to_string());
        }
        Err(error) => return Err(error),
    }
    if one.unread.is_some() {
        one.expiry = Expiry::default();
    }
    Ok(Some(one))
}

/// Reads one collection, remembers what it shows, decides and audits.
async fn read(sweep: &Sweep<'_>, one: &mut Looked) -> Result<(), ExpiryError> {
    let Sweep { lifeboat, owner, seen, .. } = sweep;
    let subject = &one.subject;
    let mut memory = Memory::read(&lifeboat.store, &subject.collection).await?;
    let known = memory.clone();
    let mut facts = seen.facts(lifeboat, subject, &memory).await?;
    take_in(&mut memory, &facts, owner);
    if !memory.deletions.is_empty() {
        one.settled = deletion::settle(sweep, subject, &mut memory, &facts).await?;
    }
    let mut expiry = decide(sweep, subject, &memory, &facts)?;
    if !expiry.due.is_empty() {
        // The disks that still exist, and whether it is still there, are asked only for what would go.
        facts = seen.with_machine(lifeboat, subject, &memory, facts).await?;
        take_in(&mut memory, &facts, owner);
        expiry = decide(sweep, subject, &memory, &facts)?;
    }
    let stays = |deletion: &Deletion| {
        let there = deletion.names.iter().any(|name| facts.lists(subject, name) == Some(true));
        let deleting = deletion.names.iter().any(|name| facts.is_deleting(name));
        let mut due = expiry.due.iter().flat_map(|due| &due.effects).map(deletion::name_of);
        there && !deleting && !due.any(|name| deletion.names.contains(&name))
    };
    let staying: Vec<Deletion> = memory.deletions.iter().filter(|deletion| stays(deletion)).cloned().collect();
    if !staying.is_empty() {
        one.settled.extend(deletion::give_up(sweep, subject, &mut memory, &staying).await?);
    }
    if memory != known {
        memory.write(&lifeboat.store, &subject.collection).await?;
    }
    (one.memory, one.expiry) = (memory, expiry);
    Ok(())
}

/// Remembers what the facts show.
pub(super) fn take_in(memory: &mut Memory, facts: &Facts, owner: &lifeboat_planning::facts::Owner) {
    match facts.whereabouts() {
        Whereabouts::Living => memory.gone_since = None,
        Whereabouts::GoneSince(since) => memory.gone_since = Some(since),
        Whereabouts::Unknown => {}
    }
    if let Some(points) = facts.restorable_points(owner) {
        memory.points_are(points);
    }
    if let Some(snapshots) = facts.restorable_snapshots(owner) {
        memory.snapshots_are(snapshots);
    }
    memory.forgive();
}

/// Decides and audits. Outside the regions that are ours to change, nothing is due.
pub(super) fn decide(
    sweep: &Sweep<'_>,
    subject: &Subject,
    memory: &Memory,
    facts: &Facts,
) -> Result<Expiry, ExpiryError> {
    let (policies, now) = (&sweep.in_force.policies, sweep.lifeboat.clock.now());
    let points = facts.points(subject, &sweep.owner, memory);
    let mut expiry = expiry::decide(&points, policies, now);
    let notes = audit::expiry::audit(&expiry.due, &points, policies, now);
    if !notes.is_empty() {
        return Err(ExpiryError::audit(notes));
    }
    let regions = &sweep.lifeboat.settings.owned_regions;
    let owned = match facts.collection() {
        CollectionSeen::Present(seen) => regions.contains(&region(&seen.location)),
        // Snapshots alone: their group is named after their region.
        CollectionSeen::Absent => {
            regions.iter().any(|own| points_group(own).eq_ignore_ascii_case(&subject.place.group))
        }
        CollectionSeen::GroupAbsent | CollectionSeen::Unknown(_) => false,
    };
    if !owned {
        expiry.due.clear();
        expiry.would.clear();
    }
    Ok(expiry)
}

/// Counts the points of each policy, as its limits ask for them.
fn count(looked: &Looked, sweep: &Sweep<'_>, counts: &mut BTreeMap<String, Count>) {
    let since = sweep.lifeboat.clock.now().checked_sub(TURNOVER_OF).unwrap_or_default();
    for verdict in looked.expiry.verdicts.iter().filter(|verdict| verdict.kind != Kind::Foreign) {
        let Some((policy, _)) = &verdict.made_by else { continue };
        let count = counts.entry(policy.clone()).or_default();
        count.points += 1;
        count.made += u32::from(verdict.at.is_some_and(|at| at >= since));
    }
}

/// Deletes what is due, oldest first, as far as the counters grant it; what of it is of one machine goes together.
async fn delete_all(
    sweep: &Sweep<'_>,
    looked: &mut [Looked],
    course: &Course,
    lease: &Lease,
) -> Result<(), ExpiryError> {
    let queue = queue(sweep, looked);
    let mut granted = BTreeMap::new();
    for (_, due) in &queue {
        if !granted.contains_key(&due.policy) {
            let wanted = queue.iter().filter(|(_, other)| other.policy == due.policy).count();
            granted.insert(due.policy.clone(), allowed(sweep, course, &due.policy, wanted).await?);
        }
    }
    let mut order: Vec<usize> = Vec::new();
    let mut of_machine: HashMap<usize, Vec<Due>> = HashMap::new();
    for (at, due) in queue {
        let left = granted.entry(due.policy.clone()).or_default();
        if *left == 0 {
            looked[at].left = Some(Left::Limit);
            continue;
        }
        *left -= 1;
        of_machine.entry(at).or_insert_with(|| {
            order.push(at);
            Vec::new()
        });
        of_machine.entry(at).or_default().push(due);
    }
    for at in order {
        let (one, dues) = (&mut looked[at], of_machine.remove(&at).unwrap_or_default());
        let before = one.memory.clone();
        let became = deletion::delete(sweep, &one.subject, &mut one.memory, &dues, lease).await?;
        for (due, became) in dues.iter().zip(became) {
            one.note(&due.name, became, &before);
        }
    }
    Ok(())
}

impl Looked {
    fn new(subject: Subject) -> Self {
        let (memory, expiry) = (Memory::default(), Expiry::default());
        let (settled, told) = (Vec::new(), Vec::new());
        Self { subject, memory, expiry, settled, told, gone: 0, asked: 0, refused: 0, left: None, unread: None }
    }

    /// Counts what became of a point, and whether somebody is to be told.
    fn note(&mut self, point: &str, became: Became, before: &Memory) {
        let after = self.memory.deletion(point).filter(|deletion| deletion.is_alarming()).cloned();
        match became {
            Became::Gone => {
                self.gone += 1;
                self.settled.extend(before.deletion(point).cloned());
            }
            Became::Asked => {
                self.asked += 1;
                // Accepted before, and still there: Azure's word alone does not end it.
                let again = before.deletion(point).is_some_and(|deletion| deletion.last == ACCEPTED);
                self.told.extend(after.filter(|_| again));
            }
            Became::Refused(words) => {
                self.refused += 1;
                tracing::warn!(machine = self.subject.machine.as_str(), point, "not deleted: {words}");
                self.told.extend(after);
            }
            Became::Left(why) => self.left = Some(why),
        }
    }
}

/// What is tried now, oldest first over all machines, with the index of its collection: a moved machine's snapshots are found by two
/// of them, and go once.
fn queue(sweep: &Sweep<'_>, looked: &mut [Looked]) -> Vec<(usize, Due)> {
    let now = sweep.lifeboat.clock.now();
    let mut queue = Vec::new();
    for (at, one) in looked.iter_mut().enumerate() {
        for due in &one.expiry.due {
            match one.memory.waits(&due.name, now) {
                true => one.left = Some(Left::Waits),
                false => queue.push((at, due.clone())),
            }
        }
    }
    let mut keys = HashSet::new();
    queue.retain(|(_, due)| due.effects.iter().all(|effect| keys.insert(effect.key())));
    queue.sort_by(|(_, one), (_, other)| one.at.cmp(&other.at).then_with(|| one.name.cmp(&other.name)));
    for (at, _) in queue.iter().skip(DELETIONS_MAX) {
        looked[*at].left = Some(Left::Withheld(Withheld::Enough));
    }
    queue.truncate(DELETIONS_MAX);
    queue
}

/// How many points of a policy may be deleted now. They are counted before the first of them is.
async fn allowed(sweep: &Sweep<'_>, course: &Course, policy: &str, wanted: usize) -> Result<u32, ExpiryError> {
    let Some(limits) = sweep.in_force.policies.iter().find(|one| one.name == policy).map(|one| &one.limits) else {
        return Ok(0);
    };
    let count = course.count(policy);
    let allowance = Allowance::expiry(limits, count.made, count.points);
    let (store, now) = (&sweep.lifeboat.store, sweep.lifeboat.clock.now());
    let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
    let reserved = breakers::reserve(store, policy, counters::Kind::Expiry, wanted, allowance, now).await?;
    Ok(reserved.granted)
}
