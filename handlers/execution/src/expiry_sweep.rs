//! The sweep that alone deletes: holds every point of ours against the rules that keep it, and lets go of what is due, oldest first.
//! It never decides which points (planning does), never deletes without the counters and a second look, and never names anything but
//! points: no collection, no group, no vault.
//!
//! ```text
//! lease ─► estate, policies ─► observation (Graph, locks, snapshots) ─► each collection that does not rest: facts ─► decide ─► audit
//!                                                                           fatal note: nothing at all is deleted ┘
//!       ─► counters of each policy ─► each point, oldest first: deletion.rs ─► course, report
//! ```

mod basis;
mod deletion;
mod ends;
mod facts;
pub mod foresee;
mod looks;
mod memory;
mod rest;
mod seen;
mod sweep;
mod tell;
pub mod verdicts;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lifeboat_azure::Error;
use lifeboat_planning::audit::expiry::Finding;
use lifeboat_planning::facts::Owner;

use crate::alarms::{self, Cause, Machines, Raised};
use crate::chain::ChainError;
use crate::estate::{self, Estate, EstateError};
use crate::event::ExpirySweep;
use crate::freeze;
use crate::incident::{self, Why};
use crate::lifeboat::{Lifeboat, Report};
use crate::policies::{self, InForce, PolicyError};
use crate::stop;
use crate::swap::SwapError;
use crate::watch;
use seen::{EstateSeen, Subject};

/// The lease that keeps two sweeps apart.
const LEASE: &str = "leases/expiry-sweep";
/// How long it lasts: it is renewed after each collection and before each deletion.
const LEASE_SECS: u32 = 60;
/// A sweep deletes no longer than this after it began: a function may run for ten minutes.
const RUN_FOR: Duration = Duration::from_secs(7 * 60);

/// Why a sweep was not completed. Repeating is safe; the next one starts where this one started.
#[derive(Debug, thiserror::Error)]
pub enum ExpiryError {
    /// Azure or the store did not answer.
    #[error("the sweep could not read what it needs")]
    Azure(#[from] Error),
    /// There is no estate to go by.
    #[error(transparent)]
    Estate(#[from] EstateError),
    /// No policy can be followed.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A record of the sweeps.
    #[error(transparent)]
    Record(#[from] SwapError),
    /// A ledger cannot be written to.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The audit refused what was decided. A bug: repeating is pointless, and nothing more is deleted.
    #[error("the audit refused what was decided: {}", notes.join("; "))]
    Audit {
        /// One line each.
        notes: Vec<String>,
    },
}

/// Why a sweep deletes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Withheld {
    /// The store is new, or was adopted: what was deleted in the day before is not known.
    YoungStore { until: Timestamp },
    /// A newer bundle of policies cannot be read; the one in force may let go of what the newer one keeps.
    PoliciesUnread { document: String },
    /// A person stopped all changes, or whether one did cannot be read.
    Stopped,
    /// A person froze deletions.
    Frozen,
    /// Azure's clock and ours differ, or Azure's is not known.
    ClockSkew,
    /// The policies changed while the sweep ran.
    PoliciesChanged,
    /// As many were tried as one sweep may.
    Enough,
    /// The sweep ran for as long as one may.
    Late,
}

/// Why a point that was due was left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Left {
    /// A look at the machine is under way.
    LeaseTaken,
    /// Read again, it is not due; with the reasons.
    NoLongerDue(String),
    /// Something that it rests on could not be read.
    NotRead(String),
    /// The machine's ledger is broken.
    LedgerBroken,
    /// The policy's limit is reached.
    Limit,
    /// It was tried lately.
    Waits,
    /// An incident that concerns the machine was opened, or whether one was could not be read.
    Incident(Why),
    /// Nothing is deleted at all.
    Withheld(Withheld),
}

/// One sweep under way.
#[derive(Debug)]
struct Sweep<'a> {
    lifeboat: &'a Lifeboat,
    owner: Owner,
    /// Whether the store was adopted, so that it may have lost what was remembered.
    adopted: bool,
    in_force: Arc<InForce>,
    seen: EstateSeen,
    number: u64,
    began: tokio::time::Instant,
}

/// Runs one sweep.
pub async fn run(lifeboat: &Lifeboat, event: ExpirySweep) -> Result<Report, ExpiryError> {
    // Before anything is written: a store that is not ours, or is not what it was, is left as it is.
    let estate = estate::required(&lifeboat.store, &lifeboat.settings.deployment).await?;
    let mut lease = match lifeboat.store.lease(LEASE, LEASE_SECS).await {
        Ok(lease) => lease,
        Err(error) if error.is_lease_taken() => return Ok(Report::line("another expiry sweep is under way")),
        Err(error) => return Err(error.into()),
    };
    if event.past_due {
        tracing::warn!(last = ?event.last, "the expiry sweep is past due");
    }
    let done = sweep::run(lifeboat, &estate, &mut lease).await;
    if let Err(error) = lifeboat.store.release(&lease).await {
        tracing::warn!(error = %error, "the expiry sweep's lease could not be released; it runs out by itself");
    }
    if let Err(ExpiryError::Audit { notes }) = &done {
        let what = format!("the expiry sweep stopped: {}", notes.join("; "));
        let raised = Raised { cause: Cause::AuditRefused, policy: None, what, machines: Machines::Also(&[]) };
        alarms::raise(&lifeboat.outbox, &raised, lifeboat.clock.now()).await;
    }
    done
}

impl Sweep<'_> {
    /// What keeps the sweep from going on, asked before each deletion.
    async fn stopped(&self) -> Option<Withheld> {
        if self.began.elapsed() > RUN_FOR {
            return Some(Withheld::Late);
        }
        still_withheld(self.lifeboat, &self.in_force).await
    }

    /// Why an incident concerns a machine, read before each deletion. Where no recovery plan is in force and no declaration was in the
    /// store when the sweep began, none can open while the same policies are in force, which is asked as well.
    async fn concerned(&self, subject: &Subject) -> Option<Why> {
        if self.in_force.recovery_plans.is_empty() && self.seen.incidents().is_none() {
            return None;
        }
        let (store, now) = (&self.lifeboat.store, self.lifeboat.clock.now());
        self.seen.concerned(&incident::before_deletions(store, &self.in_force.recovery_plans, now).await, subject)
    }
}

/// What keeps the whole sweep from deleting, before its first deletion.
async fn withheld(lifeboat: &Lifeboat, estate: &Estate, in_force: &InForce) -> Option<Withheld> {
    match withheld_from_the_start(lifeboat, estate, in_force) {
        Some(why) => Some(why),
        None => still_withheld(lifeboat, in_force).await,
    }
}

/// What keeps a sweep from deleting whatever comes up while it runs: a store that is too young, policies that could not be read.
fn withheld_from_the_start(lifeboat: &Lifeboat, estate: &Estate, in_force: &InForce) -> Option<Withheld> {
    let until = estate.expiry_allowed_from();
    if lifeboat.clock.now() < until {
        return Some(Withheld::YoungStore { until });
    }
    let not_read = in_force.not_read.as_ref()?;
    Some(Withheld::PoliciesUnread { document: not_read.document.clone() })
}

/// What may come up while a sweep runs.
async fn still_withheld(lifeboat: &Lifeboat, in_force: &InForce) -> Option<Withheld> {
    if stop::is_stopped(&lifeboat.store).await {
        return Some(Withheld::Stopped);
    }
    if freeze::is_frozen(&lifeboat.store).await {
        return Some(Withheld::Frozen);
    }
    // Ages are by our clock and the points' times by Azure's: where they differ, or Azure's is not known, nothing goes.
    if !watch::clocks_agree(lifeboat) {
        let what = "Azure's clock and ours differ by more than five minutes: nothing is deleted".to_owned();
        let raised = Raised { cause: Cause::ClockSkew, policy: None, what, machines: Machines::Also(&[]) };
        alarms::raise(&lifeboat.outbox, &raised, lifeboat.clock.now()).await;
        return Some(Withheld::ClockSkew);
    }
    match policies::in_force(&lifeboat.store, &lifeboat.policies).await {
        Ok(now) if now.is_as(in_force) && now.not_read.is_none() => None,
        Ok(_) | Err(_) => Some(Withheld::PoliciesChanged),
    }
}

impl ExpiryError {
    fn audit(notes: Vec<(Finding, String)>) -> Self {
        Self::Audit { notes: notes.into_iter().map(|(finding, about)| format!("{about}: {finding}")).collect() }
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::YoungStore { until } => write!(f, "the store is new or was adopted: nothing expires before {until}"),
            Self::PoliciesUnread { document } => {
                write!(f, "the policies at {document} cannot be read, and may keep what the ones in force let go")
            }
            Self::Stopped => f.write_str("changes are stopped"),
            Self::Frozen => f.write_str("a person froze deletions"),
            Self::ClockSkew => f.write_str("Azure's clock and ours differ"),
            Self::PoliciesChanged => f.write_str("the policies changed while the sweep ran"),
            Self::Enough => f.write_str("one sweep tries no more"),
            Self::Late => f.write_str("one sweep runs no longer"),
        }
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeaseTaken => f.write_str("a look at the machine is under way"),
            Self::NoLongerDue(why) => write!(f, "read again, it stays: {why}"),
            Self::NotRead(why) => write!(f, "what it rests on could not be read again: {why}"),
            Self::LedgerBroken => f.write_str("the machine's ledger is broken"),
            Self::Limit => f.write_str("the policy's limit for a day is reached"),
            Self::Waits => f.write_str("it was tried lately and is tried again later"),
            Self::Incident(why) => why.fmt(f),
            Self::Withheld(why) => why.fmt(f),
        }
    }
}
