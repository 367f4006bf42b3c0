//! The course of one sweep: looks at the collections (`looks.rs`), then deletes what is due, oldest first over all machines.
//! It never deletes before all of it is decided and audited.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use lifeboat_azure::blobs::Lease;
use lifeboat_planning::allowance::Allowance;
use lifeboat_planning::expiry::{Due, Expiry};

use super::deletion::{self, Became};
use super::looks;
use super::memory::{ACCEPTED, Course, Deletion, Memory};
use super::rest::Rest;
use super::seen::{self, EstateSeen, Subject};
use super::tell;
use super::{ExpiryError, Left, Sweep, Withheld, withheld};
use crate::alarms::{self, Cause};
use crate::breakers;
use crate::counters;
use crate::estate::Estate;
use crate::incident::{self, Incidents};
use crate::lifeboat::{Lifeboat, Report};
use crate::policies::{self, InForce};

/// Deletions of one sweep, at most: each is some ten calls, a second or so, and a function may run for ten minutes.
pub(super) const DELETIONS_MAX: usize = 300;

/// After this a look that had a machine's lease is over, as good as always: machines that were left for it are tried once more in the same
/// sweep. Looks at a slot of every hour and hourly sweeps would otherwise meet each time, and nothing of that machine would ever go.
const LOOK_TAKES: Duration = Duration::from_secs(20);

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
    pub rest: Option<Rest>,
}

/// Runs one sweep, whose lease is held.
pub(super) async fn run(lifeboat: &Lifeboat, estate: &Estate, lease: &mut Lease) -> Result<Report, ExpiryError> {
    let started_at = lifeboat.clock.now();
    let began = tokio::time::Instant::now();
    let in_force = policies::in_force(&lifeboat.store, &lifeboat.policies).await?;
    let mut course = Course::read(&lifeboat.store).await?;
    let mut subjects = seen::subjects(lifeboat).await?;
    let incidents = incident::before_deletions(&lifeboat.store, &in_force.recovery_plans, started_at).await;
    let seen = observed(lifeboat, &subjects, &in_force, incidents).await?;
    let owner = estate.owner();
    subjects.extend(seen.without_collection(&subjects, &owner));
    subjects.sort_by(|one, other| one.collection.key().cmp(other.collection.key()));
    let adopted = estate.adopted_at.is_some();
    let sweep = Sweep { lifeboat, owner, adopted, in_force, seen, number: course.number + 1, began };
    let mut looks = looks::at_all(&sweep, subjects, &mut course, lease).await?;
    let mut report = Report::default();
    let why = withheld(lifeboat, estate, &sweep.in_force).await;
    match &why {
        Some(why) => report.lines.push(format!("nothing is deleted: {why}")),
        None => delete_all(&sweep, &mut looks.read, &mut course, lease).await?,
    }
    if why != Some(Withheld::ClockSkew) {
        alarms::settle(&lifeboat.outbox, Cause::ClockSkew, None, lifeboat.clock.now()).await?;
    }
    alarms::settle(&lifeboat.outbox, Cause::AuditRefused, None, lifeboat.clock.now()).await?;
    tell::of_refused(&sweep, &looks.read).await;
    tell::report(&mut report, &looks, &course, &sweep, why.as_ref());
    course.version = super::memory::VERSION;
    course.number = sweep.number;
    (course.started_at, course.completed_at) = (Some(started_at), Some(lifeboat.clock.now()));
    course.write(&lifeboat.store).await?;
    Ok(report)
}

/// The estate as policies, recovery plans and open incidents have it.
pub(super) async fn observed(
    lifeboat: &Lifeboat,
    subjects: &[seen::Subject],
    in_force: &InForce,
    incidents: Incidents,
) -> Result<EstateSeen, ExpiryError> {
    let about = (incidents, !in_force.recovery_plans.is_empty());
    Ok(EstateSeen::observe(lifeboat, subjects, &in_force.policies, about).await?)
}

/// Deletes what is due, oldest first, as far as the counters grant it; what of it is of one machine goes together.
async fn delete_all(
    sweep: &Sweep<'_>,
    looked: &mut [Looked],
    course: &mut Course,
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
    let dues: Vec<(usize, Vec<Due>)> =
        order.into_iter().map(|at| (at, of_machine.remove(&at).unwrap_or_default())).collect();
    let taken = delete_of_machines(sweep, looked, course, lease, dues).await?;
    if !taken.is_empty() {
        tokio::time::sleep(LOOK_TAKES).await;
        sweep.lifeboat.store.renew(lease).await?;
        delete_of_machines(sweep, looked, course, lease, taken).await?;
    }
    Ok(())
}

/// Deletes what is due of each machine, in this order; those that a look had at that moment come back, with what is due of them.
async fn delete_of_machines(
    sweep: &Sweep<'_>,
    looked: &mut [Looked],
    course: &mut Course,
    lease: &Lease,
    all: Vec<(usize, Vec<Due>)>,
) -> Result<Vec<(usize, Vec<Due>)>, ExpiryError> {
    let mut taken = Vec::new();
    for (at, dues) in all {
        let one = &mut looked[at];
        let before = one.memory.clone();
        let became = deletion::delete(sweep, &one.subject, &mut one.memory, &dues, lease).await?;
        let is_taken = became.contains(&Became::Left(Left::LeaseTaken));
        one.left = one.left.take().filter(|left| *left != Left::LeaseTaken);
        for (due, became) in dues.iter().zip(became) {
            if matches!(became, Became::Gone | Became::Asked) {
                course.one_goes(&due.policy);
            }
            one.note(&due.name, became, &before);
        }
        if is_taken {
            taken.push((at, dues));
        }
    }
    Ok(taken)
}

impl Looked {
    pub fn new(subject: Subject) -> Self {
        let (memory, expiry) = (Memory::default(), Expiry::default());
        let (settled, told) = (Vec::new(), Vec::new());
        Self {
            subject,
            memory,
            expiry,
            settled,
            told,
            gone: 0,
            asked: 0,
            refused: 0,
            left: None,
            unread: None,
            rest: None,
        }
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
    let (outbox, now) = (&sweep.lifeboat.outbox, sweep.lifeboat.clock.now());
    let count = course.count(policy, now);
    let allowance = Allowance::expiry(limits, count.made, count.points);
    let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
    let reserved = breakers::reserve(outbox, policy, counters::Kind::Expiry, wanted, allowance, now).await?;
    Ok(reserved.granted)
}
