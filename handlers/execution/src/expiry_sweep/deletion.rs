//! Deletes one point that is due: lease, all facts again, decide and audit again, save, delete, save the outcome, read back.
//! It never deletes what the first decision said alone, and never takes Azure's acceptance for *gone*.
//!
//! ```text
//! due ─► machine's lease ─► facts again ─► still due? ─► audit ─► memory, ledger: decision ─► DELETE ─► ledger: outcome
//!                                            └ no: left                                          └► read back ─► gone │ asked │ refused
//! ```

use std::time::Duration;

use lifeboat_azure::blobs::Lease;
use lifeboat_azure::presence::{self, Presence};
use lifeboat_azure::{Error, Latest, ResourceId, restore_points, snapshots, subscriptions};
use lifeboat_planning::effect::{Effect, PointEffect};
use lifeboat_planning::expiry::{self, Due};
use lifeboat_planning::id::hash;
use lifeboat_planning::{audit, retention::Kind};

use super::memory::Memory;
use super::seen::{Facts, Subject};
use super::{ExpiryError, Left, Sweep};
use crate::account;
use crate::chain::{Chain, ChainError};
use crate::ledger::{Decision, Entry, OutcomeResult, PlannedEffect};
use crate::perform::{self, Outcome};

/// How long a machine's lease lasts, as for a look: the check, the ten seconds and the request's time-out pass within it.
const LEASE_SECS: u32 = 60;
/// How long after the check that it rests on a request may be sent (design §4).
const LATEST: Duration = Duration::from_secs(10);

/// What became of a point that was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// It is *gone*.
    Gone,
    /// Azure accepted the deletion; the next sweep reads what came of it.
    Asked,
    /// Azure refused, or did not answer; in its words.
    Refused(String),
    /// It was left alone.
    Left(Left),
}

/// Deletes one point, if it is still due.
pub async fn delete(
    sweep: &Sweep<'_>,
    subject: &Subject,
    memory: &mut Memory,
    due: &Due,
) -> Result<Became, ExpiryError> {
    let store = &sweep.lifeboat.store;
    let Some(mut lease) = machine_lease(sweep, subject).await? else { return Ok(Became::Left(Left::LeaseTaken)) };
    let became = with_lease(sweep, subject, memory, due, &mut lease).await;
    if let Err(error) = store.release(&lease).await {
        tracing::warn!(error = %error, "the machine's lease could not be released; it runs out by itself");
    }
    became
}

/// The lease of the machine, as looks take it; none when a look has it.
async fn machine_lease(sweep: &Sweep<'_>, subject: &Subject) -> Result<Option<Lease>, ExpiryError> {
    let name = format!("leases/{}", hash(&[&subject.machine.as_str().to_lowercase()]));
    match sweep.lifeboat.store.lease(&name, LEASE_SECS).await {
        Ok(lease) => Ok(Some(lease)),
        Err(error) if error.is_lease_taken() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn with_lease(
    sweep: &Sweep<'_>,
    subject: &Subject,
    memory: &mut Memory,
    due: &Due,
    lease: &mut Lease,
) -> Result<Became, ExpiryError> {
    let lifeboat = sweep.lifeboat;
    let mut chain = match open(sweep, subject).await? {
        Some(chain) => chain,
        None => return Ok(Became::Left(Left::LedgerBroken)),
    };
    let facts = match sweep.seen.fresh(lifeboat, subject, memory).await {
        Ok(facts) => facts,
        Err(error) => return Ok(Became::Left(Left::NotRead(error.to_string()))),
    };
    super::sweep::take_in(memory, &facts, &sweep.owner);
    let points = facts.points(subject, &sweep.owner, memory);
    let again = expiry::decide(&points, &sweep.in_force.policies, lifeboat.clock.now());
    let notes = audit::expiry::audit(&again.due, &points, &sweep.in_force.policies, lifeboat.clock.now());
    if !notes.is_empty() {
        return Err(ExpiryError::audit(notes));
    }
    let verdict = again.verdicts.iter().find(|verdict| verdict.name == due.name);
    let Some(still) = again.due.iter().find(|one| one.name == due.name && one.policy == due.policy) else {
        let why = verdict.map_or("it is not there any more".to_owned(), |verdict| verdict.reasons.to_string());
        return Ok(Became::Left(Left::NoLongerDue(why)));
    };
    let reasons = verdict.filter(|one| one.kind == Kind::Expire).map(|one| one.reasons.to_string()).unwrap_or_default();
    account::settle_deletions(&mut chain, &facts.account()).await?;
    let names = still.effects.iter().map(name_of).collect();
    memory.attempt(&due.name, names, &due.policy, lifeboat.clock.now());
    memory.write(&lifeboat.store, &subject.collection).await?;
    chain.add(Entry::Decision(decision(sweep, still, &reasons))).await?;
    let outcomes = perform_all(sweep, still, &mut chain, lease).await?;
    chain.seal().await?;
    let became = match outcomes.iter().find(|outcome| !is_through(outcome)) {
        Some(failed) => Became::Refused(words(failed)),
        None if are_gone(sweep, subject, still).await => Became::Gone,
        None => Became::Asked,
    };
    match &became {
        Became::Gone => drop(memory.settle(&due.name)),
        Became::Asked => memory.came_of(&due.name, "accepted"),
        Became::Refused(words) => memory.came_of(&due.name, words),
        Became::Left(_) => {}
    }
    memory.write(&lifeboat.store, &subject.collection).await?;
    Ok(became)
}

/// The machine's chain; none when it is broken, which only a person mends.
async fn open<'a>(sweep: &Sweep<'a>, subject: &Subject) -> Result<Option<Chain<'a>>, ExpiryError> {
    let lifeboat = sweep.lifeboat;
    match Chain::open(&lifeboat.store, lifeboat.clock, &subject.key, subject.machine.as_str()).await {
        Ok(chain) => Ok(Some(chain)),
        Err(error @ ChainError::Broken { .. }) => {
            tracing::error!(machine = subject.machine.as_str(), error = %error, "nothing of it is deleted");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Answers for deletions of the sweeps before: those without an outcome, by what is there now, and those that are done.
pub async fn settle(
    sweep: &Sweep<'_>,
    subject: &Subject,
    memory: &mut Memory,
    facts: &Facts,
) -> Result<Vec<super::memory::Deletion>, ExpiryError> {
    let store = &sweep.lifeboat.store;
    let Some(lease) = machine_lease(sweep, subject).await? else { return Ok(Vec::new()) };
    let settled = async {
        if let Some(mut chain) = open(sweep, subject).await? {
            account::settle_deletions(&mut chain, &facts.account()).await?;
            chain.seal().await?;
        }
        let mut settled = Vec::new();
        for deletion in memory.deletions.clone() {
            let absent = deletion.names.iter().all(|name| facts.lists(subject, name) == Some(false));
            if absent && all_gone(sweep, subject, &deletion.names).await {
                settled.extend(memory.settle(&deletion.point));
            }
        }
        Ok(settled)
    }
    .await;
    if let Err(error) = store.release(&lease).await {
        tracing::warn!(error = %error, "the machine's lease could not be released; it runs out by itself");
    }
    settled
}

fn decision(sweep: &Sweep<'_>, due: &Due, reasons: &str) -> Decision {
    let planned = |effect: &Effect| PlannedEffect { key: effect.key(), what: format!("{effect}, because {reasons}") };
    Decision {
        cause: format!("ExpirySweep {}", sweep.number),
        look: 1,
        policy: due.policy.clone(),
        policy_digest: sweep.in_force.digest.clone(),
        effects: due.effects.iter().map(planned).collect(),
        ..Decision::default()
    }
}

/// Each effect gets its outcome in the ledger; the first that does not get through ends it.
async fn perform_all(
    sweep: &Sweep<'_>,
    due: &Due,
    chain: &mut Chain<'_>,
    lease: &mut Lease,
) -> Result<Vec<Outcome>, ExpiryError> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for effect in &due.effects {
        let outcome = match outcomes.iter().all(is_through) {
            false => Outcome::not_sent(effect),
            true => {
                let checked = tokio::time::Instant::now();
                sweep.lifeboat.store.renew(lease).await?;
                perform::perform(sweep.lifeboat, effect, Latest(checked + LATEST)).await
            }
        };
        let (key, detail) = (outcome.effect.clone(), outcome.detail.clone());
        chain.add(Entry::Outcome { effect: key, result: outcome.result, detail }).await?;
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn is_through(outcome: &Outcome) -> bool {
    matches!(outcome.result, OutcomeResult::Done | OutcomeResult::AlreadyThere)
}

fn words(outcome: &Outcome) -> String {
    if outcome.detail.is_empty() { format!("{:?}", outcome.result) } else { outcome.detail.clone() }
}

/// The name of the point or snapshot that an effect deletes.
pub(super) fn name_of(effect: &Effect) -> String {
    match effect {
        Effect::Point(PointEffect::ExpireRestorePoint { point, .. }) => point.to_string(),
        Effect::Point(PointEffect::ExpireSnapshot { snapshot, .. }) => snapshot.to_string(),
        Effect::Point(_) | Effect::Protection(_) => String::new(),
    }
}

async fn are_gone(sweep: &Sweep<'_>, subject: &Subject, due: &Due) -> bool {
    all_gone(sweep, subject, &due.effects.iter().map(name_of).collect::<Vec<_>>()).await
}

/// Reads back: all of them are *gone*, and Azure says so.
async fn all_gone(sweep: &Sweep<'_>, subject: &Subject, names: &[String]) -> bool {
    for name in names {
        let gone = match super::seen::is_restore_point(subject, name) {
            true => point_gone(sweep, subject, name).await,
            false => snapshot_gone(sweep, subject, name).await,
        };
        match gone {
            Ok(true) => {}
            Ok(false) => return false,
            Err(error) => {
                tracing::warn!(name, error = %error, "whether it is gone could not be read");
                return false;
            }
        }
    }
    true
}

async fn point_gone(sweep: &Sweep<'_>, subject: &Subject, name: &str) -> Result<bool, Error> {
    let (arm, place) = (&sweep.lifeboat.arm, &subject.place);
    let id = subject.collection.child("restorePoints", name).map_err(|error| Error::no_resource("a point", error))?;
    let read = restore_points::get(arm, &place.subscription, &place.group, &place.collection, name).await;
    if read.is_ok() {
        return Ok(false);
    }
    let collection = restore_points::get_collection(arm, &place.subscription, &place.group, &place.collection).await;
    Ok(matches!(presence::of_point(read, &id, &collection), Presence::Gone))
}

async fn snapshot_gone(sweep: &Sweep<'_>, subject: &Subject, name: &str) -> Result<bool, Error> {
    let (arm, place) = (&sweep.lifeboat.arm, &subject.place);
    let id = ResourceId::of_resource(&place.subscription, &place.group, "Microsoft.Compute/snapshots", name)
        .map_err(|error| Error::no_resource("a snapshot", error))?;
    let read = snapshots::get(arm, &place.subscription, &place.group, name).await;
    if read.is_ok() {
        return Ok(false);
    }
    let subscription = subscriptions::get(arm, &place.subscription).await;
    Ok(matches!(presence::of(read, &id, &subscription), Presence::Gone))
}
