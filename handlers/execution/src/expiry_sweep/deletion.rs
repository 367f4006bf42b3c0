//! Deletes the points of one machine that are due: lease, all facts again, decide and audit again, save, delete, save the outcome, read back.
//! It never deletes what the first decision says alone, and never takes Azure's acceptance for *gone*.
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
use lifeboat_planning::expiry::{Due, Expiry};
use lifeboat_planning::id::hash;

use super::ends;
use super::facts::{self, Facts};
use super::memory::{ACCEPTED, Deletion, Memory};
use super::seen::Subject;
use super::{ExpiryError, Left, Sweep};
use crate::account;
use crate::chain::{Chain, ChainError};
use crate::ledger::{Decision, EXPIRY_CAUSE, Entry, OutcomeResult, PlannedEffect, ReadBack};
use crate::perform::{self, Outcome};

/// How long a machine's lease lasts, as for a look: the check, the ten seconds and the request's time-out pass within it.
const LEASE_SECS: u32 = 60;
/// How long after the check that it rests on a request may be sent (design §4).
const LATEST: Duration = Duration::from_secs(10);
/// How long what was read again stands for the next points of the machine: what is saved before a request takes a second or so, and
/// then it is still before its latest moment.
const GOOD_FOR: Duration = Duration::from_secs(4);

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

/// What was read and decided right before deletions.
struct Checked {
    at: tokio::time::Instant,
    expiry: Expiry,
}

/// Deletes points of one machine, as far as they are still due; what became of each, in their order.
pub async fn delete(
    sweep: &Sweep<'_>,
    subject: &Subject,
    memory: &mut Memory,
    dues: &[Due],
    sweeps_lease: &Lease,
) -> Result<Vec<Became>, ExpiryError> {
    let all_left = |why: Left| Ok(dues.iter().map(|_| Became::Left(why.clone())).collect());
    let Some(lease) = machine_lease(sweep, subject).await? else { return all_left(Left::LeaseTaken) };
    let became = match open(sweep, subject).await {
        Ok(Some(mut chain)) => {
            let became = with_lease(sweep, subject, memory, dues, (&lease, sweeps_lease), &mut chain).await;
            // Whatever happened, what was added is sealed where the store takes it; else the next who opens it does.
            match chain.seal().await {
                Err(error) if became.is_ok() => Err(error.into()),
                _ => became,
            }
        }
        Ok(None) => all_left(Left::LedgerBroken),
        Err(error) => Err(error),
    };
    release(sweep, &lease).await;
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

async fn release(sweep: &Sweep<'_>, lease: &Lease) {
    if let Err(error) = sweep.lifeboat.store.release(lease).await {
        tracing::warn!(error = %error, "the machine's lease could not be released; it runs out by itself");
    }
}

async fn with_lease(
    sweep: &Sweep<'_>,
    subject: &Subject,
    memory: &mut Memory,
    dues: &[Due],
    (lease, sweeps_lease): (&Lease, &Lease),
    chain: &mut Chain<'_>,
) -> Result<Vec<Became>, ExpiryError> {
    let mut all: Vec<Became> = Vec::new();
    let mut checked: Option<Checked> = None;
    for due in dues {
        // The age of what is read counts from before it was asked for, also that nothing stands in the way: whoever is held up between the
        // question and the deletion deletes nothing.
        let asked_at = tokio::time::Instant::now();
        if let Some(Became::Left(why @ Left::Withheld(_))) = all.last() {
            let why = why.clone();
            all.push(Became::Left(why));
            continue;
        }
        if let Some(why) = sweep.stopped().await {
            all.push(Became::Left(Left::Withheld(why)));
            continue;
        }
        if let Some(why) = sweep.concerned(subject).await {
            all.push(Became::Left(Left::Incident(why)));
            continue;
        }
        sweep.lifeboat.store.renew(sweeps_lease).await?;
        sweep.lifeboat.store.renew(lease).await?;
        let good = match checked.take().filter(|checked| checked.at.elapsed() < GOOD_FOR) {
            Some(good) => good,
            None => match check(sweep, subject, memory, (asked_at, chain)).await? {
                Ok(good) => good,
                Err(why) => {
                    all.push(Became::Left(why));
                    continue;
                }
            },
        };
        let latest = Latest(good.at.min(asked_at) + LATEST);
        all.push(delete_one(sweep, subject, memory, (due, latest), &good, (lease, chain)).await?);
        checked = Some(good);
    }
    Ok(all)
}

/// Reads all facts again, decides and audits again, and answers for what was begun before.
async fn check(
    sweep: &Sweep<'_>,
    subject: &Subject,
    memory: &mut Memory,
    (at, chain): (tokio::time::Instant, &mut Chain<'_>),
) -> Result<Result<Checked, Left>, ExpiryError> {
    let facts = match sweep.seen.fresh(sweep.lifeboat, subject, memory).await {
        Ok(facts) => facts,
        Err(error) => return Ok(Err(Left::NotRead(error.to_string()))),
    };
    super::looks::take_in(memory, &facts, &sweep.owner);
    account::settle_deletions(chain, &facts.account()).await?;
    Ok(Ok(Checked { at, expiry: super::looks::decide(sweep, subject, memory, &facts)? }))
}

async fn delete_one(
    sweep: &Sweep<'_>,
    subject: &Subject,
    memory: &mut Memory,
    (due, latest): (&Due, Latest),
    checked: &Checked,
    (lease, chain): (&Lease, &mut Chain<'_>),
) -> Result<Became, ExpiryError> {
    let store = &sweep.lifeboat.store;
    let verdict = checked.expiry.verdicts.iter().find(|verdict| verdict.name == due.name);
    let reasons = verdict.map(|verdict| verdict.reasons.to_string());
    let is_same = |one: &&Due| one.name == due.name && one.policy == due.policy;
    let Some(still) = checked.expiry.due.iter().find(is_same) else {
        let why = reasons.unwrap_or_else(|| "it is not there any more".to_owned());
        return Ok(Became::Left(Left::NoLongerDue(why)));
    };
    let names: Vec<String> = still.effects.iter().map(name_of).collect();
    memory.attempt(&due.name, names.clone(), &due.policy, sweep.lifeboat.clock.now());
    memory.write(store, &subject.collection).await?;
    chain.add(Entry::Decision(decision(sweep, still, &reasons.unwrap_or_default()))).await?;
    let outcomes = perform_all(sweep, still, (lease, chain), latest).await?;
    let became = match outcomes.iter().find(|outcome| !is_through(outcome)) {
        Some(failed) => Became::Refused(words(failed)),
        None if all_gone(sweep, subject, &names).await => Became::Gone,
        None => Became::Asked,
    };
    let told_now = memory.deletion(&due.name).is_some_and(Deletion::is_first_alarming);
    match &became {
        Became::Gone => ends::say(chain, subject, &names, ReadBack::Gone).await?,
        Became::Asked | Became::Refused(_) if told_now => {
            ends::say(chain, subject, &names, ReadBack::StillThere).await?;
        }
        Became::Asked | Became::Refused(_) | Became::Left(_) => {}
    }
    match &became {
        Became::Gone => drop(memory.settle(&due.name)),
        Became::Asked => memory.came_of(&due.name, ACCEPTED),
        Became::Refused(words) => memory.came_of(&due.name, words),
        Became::Left(_) => {}
    }
    memory.write(store, &subject.collection).await?;
    Ok(became)
}

/// The machine's chain; none when it is broken, which only a person mends.
async fn open<'a>(sweep: &Sweep<'a>, subject: &Subject) -> Result<Option<Chain<'a>>, ExpiryError> {
    let lifeboat = sweep.lifeboat;
    match Chain::open(&lifeboat.outbox, lifeboat.clock, &subject.key, subject.machine.as_str()).await {
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
) -> Result<Vec<Deletion>, ExpiryError> {
    let Some(lease) = machine_lease(sweep, subject).await? else { return Ok(Vec::new()) };
    let settled = async {
        let mut chain = open(sweep, subject).await?;
        if let Some(chain) = &mut chain {
            account::settle_deletions(chain, &facts.account()).await?;
        }
        let mut settled = Vec::new();
        for deletion in memory.deletions.clone() {
            let absent = deletion.names.iter().all(|name| facts.lists(subject, name) == Some(false));
            if absent && all_gone(sweep, subject, &deletion.names).await {
                if let Some(chain) = &mut chain {
                    ends::say(chain, subject, &deletion.names, ReadBack::Gone).await?;
                }
                settled.extend(memory.settle(&deletion.point));
            }
        }
        if let Some(chain) = &mut chain {
            chain.seal().await?;
        }
        Ok(settled)
    }
    .await;
    release(sweep, &lease).await;
    settled
}

/// Gives up deletions of points that stay after all, and says so in the ledger. While a look is under way the next sweep does.
pub async fn give_up(
    sweep: &Sweep<'_>,
    subject: &Subject,
    memory: &mut Memory,
    staying: &[Deletion],
) -> Result<Vec<Deletion>, ExpiryError> {
    let Some(lease) = machine_lease(sweep, subject).await? else { return Ok(Vec::new()) };
    let given_up = async {
        if let Some(mut chain) = open(sweep, subject).await? {
            for deletion in staying {
                ends::say(&mut chain, subject, &deletion.names, ReadBack::Stays).await?;
            }
            chain.seal().await?;
        }
        Ok(staying.iter().filter_map(|deletion| memory.give_up(&deletion.point)).collect())
    }
    .await;
    release(sweep, &lease).await;
    given_up
}

fn decision(sweep: &Sweep<'_>, due: &Due, reasons: &str) -> Decision {
    let planned = |effect: &Effect| PlannedEffect { key: effect.key(), what: format!("{effect}, because {reasons}") };
    Decision {
        cause: format!("{EXPIRY_CAUSE} {}", sweep.number),
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
    (lease, chain): (&Lease, &mut Chain<'_>),
    latest: Latest,
) -> Result<Vec<Outcome>, ExpiryError> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for effect in &due.effects {
        let outcome = match outcomes.iter().all(is_through) {
            false => Outcome::not_sent(effect),
            true => {
                sweep.lifeboat.store.renew(lease).await?;
                perform::perform(sweep.lifeboat, effect, latest).await
            }
        };
        let (key, detail) = (outcome.effect.clone(), outcome.detail.clone());
        chain.add(Entry::Outcome { effect: key, result: outcome.result, detail, read: None }).await?;
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

/// Reads back: all of them are *gone*, and Azure says so.
async fn all_gone(sweep: &Sweep<'_>, subject: &Subject, names: &[String]) -> bool {
    for name in names {
        let gone = match facts::is_restore_point(subject, name) {
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
