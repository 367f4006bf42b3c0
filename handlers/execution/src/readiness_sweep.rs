//! The sweep of readiness: can every recovery plan that this deployment executes be executed now? What it finds, and a saved copy of what
//! the path needs, go into the store, where declarations, orders and people take them from while the region that may be lost is silent.
//! It never changes anything in Azure, never begins a failover, and never waits for the region that may be lost longer than its bound.
//!
//! ```text
//! lease ─► machines, vaults with items, profiles, public addresses: once for all ─► each recovery plan, the longest unlooked-at first:
//!          members, disks (the region that may be lost, bounded) ─┐
//!          points, targets, groups, quota, rights ────────────────┴─► judge ─► readiness/<plan>.json
//! ```

mod addresses;
mod copy;
mod locks;
mod look;
mod members;
mod pace;
mod points;
mod reads;
mod saving;
mod shared;

use std::time::Duration;

use jiff::Timestamp;
use lifeboat_azure::blobs::Lease;
use lifeboat_azure::{Error, ErrorKind};
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::recovery::readiness::{State, judge};
use tokio::time::Instant;

use crate::alarms::{self, Cause, Machines, Raised};
use crate::estate::{self, EstateError};
use crate::event::ReadinessSweep;
use crate::foresee::with_causes;
use crate::lifeboat::{Lifeboat, Report};
use crate::policies::PolicyError;
use crate::readiness::record::{self, Left, Record};
use crate::signals::doors;
use crate::swap::{self, Change, SwapError};

pub(crate) use look::look;
pub(crate) use points::refresh;
pub(crate) use shared::Shared;

/// The lease that keeps two sweeps apart. Who lost it unknowingly does no harm: a record is written over what was read alone, and never
/// over that of a later look.
const LEASE: &str = "leases/readiness-sweep";
/// How long it lasts: it is renewed before each recovery plan.
const LEASE_SECS: u32 = 60;
/// No look is begun later than this after the sweep began: a function may run for ten minutes.
const RUN_FOR: Duration = Duration::from_secs(7 * 60);
/// Reasons that a sweep says of a recovery plan; the record has all.
const REASONS_SAID_MAX: usize = 5;

/// Why a sweep was not completed. The next one comes in half an hour; records that it did not write say how old they are.
#[derive(Debug, thiserror::Error)]
pub enum ReadinessError {
    /// The store did not answer.
    #[error("the store did not answer for the sweep of readiness")]
    Store(#[from] Error),
    /// Without an estate record nothing is written.
    #[error(transparent)]
    Estate(#[from] EstateError),
    /// Which recovery plans there are is not known.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A record could not be read or written.
    #[error("the readiness of a recovery plan could not be read or written")]
    Record(#[from] SwapError),
}

/// Runs one sweep.
pub async fn run(lifeboat: &Lifeboat, event: ReadinessSweep) -> Result<Report, ReadinessError> {
    let owns = |plan: &RecoveryPlan| lifeboat.settings.owned_regions.iter().any(|region| plan.to.is(region));
    let (mine, others): (Vec<_>, Vec<_>) = doors::recovery_plans(lifeboat).await?.into_iter().partition(owns);
    let mut report = Report { lines: others.iter().map(not_ours).collect() };
    if mine.is_empty() {
        return Ok(report);
    }
    // Before anything is written: a store that is not ours, or is not what it was, is left as it is.
    estate::required(&lifeboat.store, &lifeboat.settings.deployment).await?;
    if event.past_due {
        tracing::info!(last = ?event.last, "the sweep of readiness is past due");
    }
    let lease = match lifeboat.store.lease(LEASE, LEASE_SECS).await {
        Ok(lease) => lease,
        Err(error) if error.is_lease_taken() => {
            report.lines.push("another sweep of readiness is at work".to_owned());
            return Ok(report);
        }
        Err(error) => return Err(error.into()),
    };
    let swept = sweep(lifeboat, &mine, &lease, &mut report).await;
    if let Err(error) = lifeboat.store.release(&lease).await {
        // It runs out by itself.
        tracing::warn!(error = %error, "the lease could not be released");
    }
    swept.map(|()| report)
}

fn not_ours(plan: &RecoveryPlan) -> String {
    format!("{}: not looked at, because {} is another deployment's", plan.name, plan.to.as_str())
}

async fn sweep(
    lifeboat: &Lifeboat,
    plans: &[RecoveryPlan],
    lease: &Lease,
    report: &mut Report,
) -> Result<(), ReadinessError> {
    let began = Instant::now();
    let mut failed = None;
    let mut known = Vec::new();
    for plan in plans {
        match record::read(&lifeboat.store, &plan.name).await {
            Ok(record) => known.push((plan, record)),
            // What is there is not written over; somebody has to see it.
            Err(error) => failed = Some(cannot(lifeboat, plan, error).await),
        }
    }
    known.sort_by_key(|(_, record)| record.as_ref().map(|record| record.looked_at));
    let shared = Shared::read(lifeboat, plans).await;
    for (plan, record) in &known {
        if began.elapsed() >= RUN_FOR {
            report.lines.push(format!("{}: left to the next sweep", plan.name));
            continue;
        }
        match lifeboat.store.renew(lease).await {
            Ok(()) => {}
            Err(Error { kind: ErrorKind::Conflict | ErrorKind::Busy, .. }) => {
                report.lines.push("another sweep of readiness took over".to_owned());
                break;
            }
            Err(error) => return Err(error.into()),
        }
        match one(lifeboat, plan, record.as_ref(), &shared).await {
            Ok(line) => report.lines.push(line),
            Err(error) => failed = Some(cannot(lifeboat, plan, error).await),
        }
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// Tells of a recovery plan whose record cannot be read or written, and holds up no other.
async fn cannot(lifeboat: &Lifeboat, plan: &RecoveryPlan, error: SwapError) -> SwapError {
    let text = with_causes(&error);
    tracing::error!(recovery_plan = plan.name, "its readiness could not be kept: {text}");
    if matches!(error, SwapError::Record(_)) {
        let what = format!("the readiness of the recovery plan {} cannot be kept: {text}", plan.name);
        let raised = Raised { cause: Cause::StoreUnreadable, policy: None, what, machines: Machines::Also(&[]) };
        alarms::raise(&lifeboat.outbox, &raised, lifeboat.clock.now()).await;
    }
    error
}

/// Looks at one recovery plan, and keeps what that came to.
async fn one(
    lifeboat: &Lifeboat,
    plan: &RecoveryPlan,
    known: Option<&Record>,
    shared: &Shared,
) -> Result<String, SwapError> {
    let looked = look(lifeboat, plan, known, shared).await;
    let at: Timestamp = lifeboat.clock.now();
    let left = Left {
        recovery_plan: plan.name.clone(),
        regions: (plan.from.as_str().to_owned(), plan.to.as_str().to_owned()),
        digest: plan.digest(),
        at,
        judged: judge(plan, &looked.seen, at),
        copy: looked.copy,
        newest: looked.newest,
    };
    let name = record::blob_name(&plan.name);
    let line = swap::swap(&lifeboat.store, &name, record::VERSION, |before: Option<Record>| match before {
        Some(newer) if newer.looked_at > at => Change::Leave(format!("{}: somebody has looked since", plan.name)),
        before => Change::Write(Record::after(before, &left), said(&left)),
    })
    .await?;
    tell(lifeboat, known, &left).await?;
    Ok(line)
}

/// Whoever relies on a recovery plan hears that it cannot be executed, from the second look on that says so, or the first one of all: one
/// answer of Azure's that failed is no news.
async fn tell(lifeboat: &Lifeboat, known: Option<&Record>, left: &Left) -> Result<(), SwapError> {
    let (cause, policy) = (Cause::RecoveryNotReady, Some(left.recovery_plan.as_str()));
    match left.judged.state {
        State::Ready => alarms::settle(&lifeboat.outbox, cause, policy, left.at).await,
        State::Silent => Ok(()),
        State::NotReady | State::MemberRefuses => {
            if known.is_none_or(|known| known.state != State::Ready) {
                let raised = Raised { cause, policy, what: said(left), machines: Machines::Also(&[]) };
                alarms::raise(&lifeboat.outbox, &raised, left.at).await;
            }
            Ok(())
        }
    }
}

fn said(left: &Left) -> String {
    let (name, reasons) = (&left.recovery_plan, &left.judged.reasons);
    let state = match left.judged.state {
        State::Ready => return format!("{name}: ready"),
        State::Silent => "as it was when it was ready last, because its region is silent",
        State::NotReady => "not ready",
        State::MemberRefuses => "not ready, and a member does not allow failover",
    };
    let told: Vec<String> = reasons.iter().take(REASONS_SAID_MAX).map(ToString::to_string).collect();
    let more = reasons.len().saturating_sub(REASONS_SAID_MAX);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{name}: {state}: {}{more}", told.join("; "))
}
