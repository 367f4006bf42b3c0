//! The looks of a sweep: which collections are read, what they show, what is decided about them and remembered.
//! It never deletes, and never skips a collection of which it does not know that reading it now would say nothing new.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use lifeboat_azure::blobs::Lease;
use lifeboat_planning::audit;
use lifeboat_planning::creation::region;
use lifeboat_planning::expiry::{self, Expiry, Whereabouts};
use lifeboat_planning::facts::{CollectionSeen, Owner};
use lifeboat_planning::id::points_group;

use super::basis::{self, Bases};
use super::deletion;
use super::facts::Facts;
use super::memory::{Count, Course, Deletion, Memory};
use super::rest::{self, Asked, Counted, Rest, Rests};
use super::seen::Subject;
use super::sweep::Looked;
use super::{ExpiryError, Sweep};
use crate::alarms::{self, Cause, Machines, Raised};
use crate::budget::{self, Budget};
use crate::swap::SwapError;

/// Collections read at a time, as in the other sweep.
const PARALLEL: usize = 8;
/// A sweep reads no longer than this after it began, so that there is time to delete: the next goes on where it ended.
const LOOK_FOR: Duration = Duration::from_secs(4 * 60);
/// The sweep's lease is renewed this often while nothing is read: a sixth of its length.
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// What the looks came to.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// The collections that were read.
    pub read: Vec<Looked>,
    /// How many needed no reading.
    pub resting: usize,
    /// Machines among those of which points would go if their policies did more than report, and how many.
    pub would: Vec<(String, usize)>,
}

/// What became of one collection.
enum Step {
    /// It was read.
    Read(Box<Looked>),
    /// It needed no reading.
    Rests(Box<(Subject, Rest)>),
    /// Azure's budget of reads is spent, or the time.
    Spent,
}

/// Looks at the collections, beginning after the one that was read last, for as long as Azure's budget lasts.
pub(super) async fn at_all(
    sweep: &Sweep<'_>,
    subjects: Vec<Subject>,
    course: &mut Course,
    lease: &mut Lease,
) -> Result<Looks, ExpiryError> {
    let (store, began_at) = (&sweep.lifeboat.store, sweep.lifeboat.clock.now());
    let mut rests = Rests::read(store, &subjects).await?;
    let bases = Bases::read(sweep.lifeboat, &sweep.owner, &sweep.in_force, (&sweep.seen, &subjects)).await?;
    let with_basis = |subject| {
        let basis = bases.of(&sweep.seen, &subject);
        (subject, basis)
    };
    let mut asked = rests.ask(subjects.into_iter().map(with_basis).collect(), began_at);
    match &course.read_to {
        Some(read_to) => {
            let read = asked.partition_point(|one| one.subject.collection.key() <= read_to.as_str());
            asked.drain(..read);
        }
        None => course.counting.clear(),
    }
    let (mut all, mut cut, mut renewed) = (Looks::default(), false, tokio::time::Instant::now());
    let mut asked = asked.into_iter();
    while !cut {
        let together: Vec<Asked> = asked.by_ref().take(PARALLEL).collect();
        if together.is_empty() {
            break;
        }
        // All of them to their end before anything else is awaited: one that is not polled meanwhile may have been given its turn at a
        // token, which the lease's renewal and every other sweep of the process would then wait for until the host ends us.
        let steps = stream::iter(together).map(|one| look(sweep, one)).buffered(PARALLEL);
        let steps: Vec<Step> = steps.try_collect().await?;
        // The first that was not read ends it: the next sweep goes on there.
        cut = take_steps(sweep, steps, (course, &mut rests, &mut all));
        if renewed.elapsed() > RENEW_EVERY {
            sweep.lifeboat.store.renew(lease).await?;
            renewed = tokio::time::Instant::now();
        }
    }
    if !cut {
        course.read_to = None;
        course.counted = std::mem::take(&mut course.counting);
        course.counted_at = Some(began_at);
    }
    // Before anything is deleted: whoever is stopped after this reads again what was about to change.
    rests.write(store).await?;
    Ok(all)
}

/// Takes what came of some collections, in their order; true when one was not read.
fn take_steps(
    sweep: &Sweep<'_>,
    steps: Vec<Step>,
    (course, rests, all): (&mut Course, &mut Rests, &mut Looks),
) -> bool {
    for step in steps {
        match step {
            Step::Read(looked) => {
                course.read_to = Some(looked.subject.collection.key().to_owned());
                count(&rest::counted(&looked.expiry, sweep.lifeboat.clock.now()), sweep, &mut course.counting);
                rests.note(&looked.subject.collection, looked.rest.clone());
                all.read.push(*looked);
            }
            Step::Rests(one) => {
                let (subject, rest) = *one;
                course.read_to = Some(subject.collection.key().to_owned());
                count(&rest.counts, sweep, &mut course.counting);
                all.resting += 1;
                all.would.extend((rest.would > 0).then(|| (subject.machine.name().to_owned(), rest.would)));
            }
            Step::Spent => return true,
        }
    }
    false
}

/// One collection; what fails at this one alone ends nothing else.
async fn look(sweep: &Sweep<'_>, asked: Asked) -> Result<Step, ExpiryError> {
    let Asked { subject, basis, rests } = asked;
    if let Some(rest) = rests {
        return Ok(Step::Rests(Box::new((subject, rest))));
    }
    let spent = budget::wait_for(sweep.lifeboat, &Budget::looks(&subject.place.subscription)).await.is_some();
    if spent || sweep.began.elapsed() > LOOK_FOR {
        return Ok(Step::Spent);
    }
    let mut one = Looked::new(subject);
    match read(sweep, &mut one, basis).await {
        Ok(()) => {}
        Err(ExpiryError::Azure(error)) => one.unread = Some(error.to_string()),
        Err(ExpiryError::Record(SwapError::Record(error))) => {
            let what = format!("nothing of {} is deleted: {error}", one.subject.machine.name());
            let raised = Raised { cause: Cause::StoreUnreadable, policy: None, what, machines: Machines::Also(&[]) };
            alarms::raise(&sweep.lifeboat.outbox, &raised, sweep.lifeboat.clock.now()).await;
            one.unread = Some(error.to_string());
        }
        Err(error) => return Err(error),
    }
    if one.unread.is_some() {
        (one.expiry, one.rest) = (Expiry::default(), None);
    }
    Ok(Step::Read(Box::new(one)))
}

/// Reads one collection, remembers what it shows, decides and audits.
async fn read(sweep: &Sweep<'_>, one: &mut Looked, basis: Option<String>) -> Result<(), ExpiryError> {
    let Sweep { lifeboat, owner, seen, .. } = sweep;
    let (subject, read_at) = (&one.subject, lifeboat.clock.now());
    let mut memory = Memory::read(&lifeboat.store, &subject.collection, sweep.adopted).await?;
    let known = memory.clone();
    let mut facts = seen.facts(lifeboat, subject, &memory).await?;
    take_in(&mut memory, &facts, owner);
    if !memory.deletions.is_empty() {
        one.settled = deletion::settle(sweep, subject, &mut memory, &facts).await?;
    }
    let mut expiry = decide(sweep, subject, &memory, &facts)?;
    // What a disk of the machine keeps may go when the machine loses the disk, which no page shows.
    let rests_on_pages = expiry.due.is_empty();
    if !rests_on_pages {
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
    let basis = basis.filter(|_| rests_on_pages && memory.deletions.is_empty());
    one.rest = basis.and_then(|basis| rest_of(sweep, subject, (&memory, &facts, &expiry), basis, read_at));
    (one.memory, one.expiry) = (memory, expiry);
    Ok(())
}

/// Whether a collection rests after it was read, and until when.
fn rest_of(
    sweep: &Sweep<'_>,
    subject: &Subject,
    (memory, facts, expiry): (&Memory, &Facts, &Expiry),
    basis: String,
    read_at: Timestamp,
) -> Option<Rest> {
    let as_shown = match facts.collection() {
        CollectionSeen::Present(seen) => basis::shown_by_reading(seen) == subject.shows,
        CollectionSeen::Absent => subject.shows.is_empty(),
        CollectionSeen::GroupAbsent | CollectionSeen::Unknown(_) => false,
    };
    if !as_shown {
        return None;
    }
    let until = expiry::rests_until(&facts.points(subject, &sweep.owner, memory), expiry, read_at)?;
    let (counts, would) = (rest::counted(expiry, read_at), expiry.would.len());
    Some(Rest { read_at, until: (until < Timestamp::MAX).then_some(until), basis, counts, would })
}

/// Remembers what the facts show.
pub(super) fn take_in(memory: &mut Memory, facts: &Facts, owner: &Owner) {
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

/// Adds the points of one collection to the counts of their policies.
fn count(of_one: &BTreeMap<String, Counted>, sweep: &Sweep<'_>, counts: &mut BTreeMap<String, Count>) {
    let now = sweep.lifeboat.clock.now();
    for (policy, counted) in of_one {
        counted.add_to(counts.entry(policy.clone()).or_default(), now);
    }
}
