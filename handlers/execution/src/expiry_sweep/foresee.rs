//! Says what the next sweep of expiry would delete: the same facts, decision, audit and counters, up to the first deletion.
//! It never deletes, and never writes: what the facts show is taken in for this answer alone.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use lifeboat_contract::plan::{ExpiryPlan, PlannedStep, PointDue};
use lifeboat_planning::allowance::Allowance;
use lifeboat_planning::effect::Effect;
use lifeboat_planning::expiry::{Due, Expiry};

use super::looks::{decide, take_in};
use super::memory::{Course, Memory};
use super::seen::{self, Subject};
use super::sweep::{DELETIONS_MAX, observed};
use super::{ExpiryError, Left, Sweep, Withheld, withheld_from_the_start};
use crate::breakers;
use crate::counters::Kind;
use crate::estate::Estate;
use crate::foresee::with_causes;
use crate::lifeboat::Lifeboat;
use crate::policies::InForce;
use crate::{freeze, incident, stop, watch};

/// Collections read at a time, as by the sweep.
const PARALLEL: usize = 8;
/// Of a policy that only reports nothing is deleted.
const REPORTS_ONLY: &str = "its policy only reports";

/// What was decided on the points of one collection.
struct Judged {
    subject: Subject,
    memory: Memory,
    expiry: Expiry,
}

/// What the next sweep would delete, of the machines that `of` names; so many collections are read at most.
pub async fn foresee(
    lifeboat: &Lifeboat,
    estate: &Estate,
    in_force: Arc<InForce>,
    of: impl Fn(&str) -> bool,
    at_most: usize,
) -> Result<ExpiryPlan, ExpiryError> {
    let course = Course::read(&lifeboat.store).await?;
    let mut subjects = seen::subjects(lifeboat).await?;
    let incidents = incident::before_deletions(&lifeboat.store, &in_force.recovery_plans, lifeboat.clock.now()).await;
    let observed = observed(lifeboat, &subjects, &in_force, incidents).await?;
    let owner = estate.owner();
    subjects.extend(observed.without_collection(&subjects, &owner));
    subjects.retain(|one| of(one.machine.as_str()));
    subjects.sort_by(|one, other| one.collection.key().cmp(other.collection.key()));
    let mut said = ExpiryPlan { not_read: subjects.len().saturating_sub(at_most), ..ExpiryPlan::default() };
    subjects.truncate(at_most);
    let (began, number) = (tokio::time::Instant::now(), course.number + 1);
    let sweep =
        Sweep { lifeboat, owner, adopted: estate.adopted_at.is_some(), in_force, seen: observed, number, began };
    said.withheld = withheld(&sweep, estate).await.map(|why| why.to_string());
    let looks = stream::iter(subjects).map(|subject| judge(&sweep, subject)).buffered(PARALLEL);
    let looked: Vec<_> = looks.collect().await;
    let mut judged = Vec::new();
    for (subject, read) in looked {
        match read {
            Ok((memory, expiry)) => judged.push(Judged { subject, memory, expiry }),
            // As in the sweep: what one collection's decision has wrong holds up all of them.
            Err(error @ ExpiryError::Audit { .. }) => said.withheld = Some(error.to_string()),
            Err(error) => {
                let why = if let ExpiryError::Azure(error) = &error { error.to_string() } else { with_causes(&error) };
                said.unread.insert(subject.machine.as_str().to_owned(), why);
            }
        }
    }
    for verdict in judged.iter().flat_map(|one| &one.expiry.verdicts) {
        *said.verdicts.entry(verdict.kind.word().to_owned()).or_default() += 1;
    }
    let left = left(&sweep, &course, &judged).await?;
    said.points = points(&judged, &left);
    Ok(said)
}

/// What keeps the whole sweep from deleting, asked as the sweep asks it; told to nobody but whoever asked.
async fn withheld(sweep: &Sweep<'_>, estate: &Estate) -> Option<Withheld> {
    let lifeboat = sweep.lifeboat;
    if let Some(why) = withheld_from_the_start(lifeboat, estate, &sweep.in_force) {
        return Some(why);
    }
    if stop::is_stopped(&lifeboat.store).await {
        return Some(Withheld::Stopped);
    }
    if freeze::is_frozen(&lifeboat.store).await {
        return Some(Withheld::Frozen);
    }
    (!watch::clocks_agree(lifeboat)).then_some(Withheld::ClockSkew)
}

/// Reads one collection, decides and audits; what is remembered of it is read and not written.
async fn judge(sweep: &Sweep<'_>, subject: Subject) -> (Subject, Result<(Memory, Expiry), ExpiryError>) {
    let read = judged(sweep, &subject).await;
    (subject, read)
}

async fn judged(sweep: &Sweep<'_>, subject: &Subject) -> Result<(Memory, Expiry), ExpiryError> {
    let Sweep { lifeboat, owner, seen, .. } = sweep;
    let mut memory = Memory::read(&lifeboat.store, &subject.collection, sweep.adopted).await?;
    let mut facts = seen.facts(lifeboat, subject, &memory).await?;
    take_in(&mut memory, &facts, owner);
    let mut expiry = decide(sweep, subject, &memory, &facts)?;
    if !expiry.due.is_empty() || !expiry.would.is_empty() {
        // The disks that still exist, and whether it is still there, as the sweep asks them before it deletes.
        facts = seen.with_machine(lifeboat, subject, &memory, facts).await?;
        take_in(&mut memory, &facts, owner);
        expiry = decide(sweep, subject, &memory, &facts)?;
    }
    Ok((memory, expiry))
}

/// Points that are due and would stay all the same, by their name, as the sweep would leave them: oldest first over all machines.
async fn left(
    sweep: &Sweep<'_>,
    course: &Course,
    judged: &[Judged],
) -> Result<BTreeMap<String, Option<Left>>, ExpiryError> {
    let (store, now) = (&sweep.lifeboat.store, sweep.lifeboat.clock.now());
    let mut left = BTreeMap::new();
    let mut queue: Vec<&Due> = Vec::new();
    for one in judged {
        for due in &one.expiry.due {
            match one.memory.waits(&due.name, now) {
                true => drop(left.insert(due.name.clone(), Some(Left::Waits))),
                false => queue.push(due),
            }
        }
    }
    let mut keys = HashSet::new();
    queue.retain(|due| due.effects.iter().all(|effect| keys.insert(effect.key())));
    queue.sort_by(|one, other| one.at.cmp(&other.at).then_with(|| one.name.cmp(&other.name)));
    for due in queue.iter().skip(DELETIONS_MAX) {
        left.insert(due.name.clone(), Some(Left::Withheld(Withheld::Enough)));
    }
    queue.truncate(DELETIONS_MAX);
    let mut granted: BTreeMap<&str, u32> = BTreeMap::new();
    for due in &queue {
        let policy = due.policy.as_str();
        if !granted.contains_key(policy) {
            let wanted = queue.iter().filter(|other| other.policy == policy).count();
            let limits = sweep.in_force.policies.iter().find(|one| one.name == policy).map(|one| &one.limits);
            let count = course.count(policy, sweep.lifeboat.clock.now());
            let would = match limits.map(|limits| Allowance::expiry(limits, count.made, count.points)) {
                Some(allowance) => {
                    let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
                    breakers::would_grant(store, policy, Kind::Expiry, wanted, allowance, now).await?
                }
                None => 0,
            };
            granted.insert(policy, would);
        }
        let rest = granted.entry(policy).or_default();
        left.insert(due.name.clone(), (*rest == 0).then_some(Left::Limit));
        *rest = rest.saturating_sub(1);
    }
    Ok(left)
}

/// What is said of each point that goes, oldest first.
fn points(judged: &[Judged], left: &BTreeMap<String, Option<Left>>) -> Vec<PointDue> {
    let mut points = Vec::new();
    for one in judged {
        for due in &one.expiry.due {
            // One that two collections find goes once.
            let why = left.get(&due.name).cloned().flatten().map(|left| left.to_string());
            points.push(said(one, due, why));
        }
        points.extend(one.expiry.would.iter().map(|due| said(one, due, Some(REPORTS_ONLY.to_owned()))));
    }
    points.sort_by(|one, other| one.at.cmp(&other.at).then_with(|| one.point.cmp(&other.point)));
    points.dedup_by(|one, other| one.point == other.point);
    points
}

fn said(one: &Judged, due: &Due, left: Option<String>) -> PointDue {
    let verdict = one.expiry.verdicts.iter().find(|verdict| verdict.name == due.name);
    let reasons: Vec<String> =
        verdict.map(|verdict| verdict.reasons.iter().map(|reason| reason.to_string()).collect()).unwrap_or_default();
    let step = |effect: &Effect| PlannedStep {
        key: effect.key(),
        what: effect.to_string(),
        why: reasons.join("; "),
        instead: None,
    };
    PointDue {
        machine: one.subject.machine.as_str().to_owned(),
        point: due.name.clone(),
        at: due.at,
        policy: due.policy.clone(),
        effects: due.effects.iter().map(step).collect(),
        reasons,
        left,
    }
}
