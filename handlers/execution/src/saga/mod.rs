//! Does what the failover saga decides: [`begin`] writes one down, [`run`] takes it further by an event.
//! It never decides (`planning::saga` does), never waits for Azure, and sends no message: whoever calls it schedules the next look
//! (`saga_woken`).
//!
//! ```text
//! begin ─► sagas/<plan>.json       run(plan, event) ─► report, when to look again
//! ```
//! At most one saga of a recovery plan is unfinished, because there is one blob for it; at most one invocation works at it, because it
//! holds the lease; and one that lost the lease unknowingly cannot save, and so performs nothing that it decided after that.

mod book;
mod events;
pub mod followed;
pub(crate) mod looks;
mod old_side;
pub mod order;
mod outcome;
mod perform_failover;
mod perform_traffic;
pub mod record;
pub(crate) mod replica;
pub(crate) mod round;
pub mod shown;
pub(crate) mod target;
pub mod tell;
mod turn;
pub mod warnings;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::blobs::Lease;
use lifeboat_azure::{Error, ErrorKind};
use lifeboat_planning::facts::Owner;
use lifeboat_planning::id::hash;
use lifeboat_planning::saga::failover::{Failover, FailoverOrder, PointChoice};
use lifeboat_planning::saga::{Choice, Effect, Notice, OrderRefused, Unreadable, What, step};

use self::record::{Kept, SagaRecord};
use self::turn::{Through, Turn};
use crate::chain::ChainError;
use crate::estate::{self, EstateError};
use crate::lifeboat::{Lifeboat, Report};
use crate::record::RecordError;

/// How long a lease lasts: the check before a change, the ten seconds in which it may be sent and the time-out of the request
/// pass within it, so that whoever takes over finds everything that was sent.
const LEASE_SECS: u32 = 60;

/// What reaches a saga from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its time has come, or somebody thinks so.
    Woken,
    /// The region came back.
    Recovered,
    /// A person orders everything to be undone. Who that is was verified before.
    Abort {
        /// Object id of the person.
        by: String,
    },
    /// A person answers a question. Who that is was verified before.
    Answer {
        /// The question's number.
        question: u32,
        /// The answer.
        choice: Choice,
        /// The recovery point, where another one is to be taken.
        pick: Option<PointChoice>,
        /// Object id of the person.
        by: String,
    },
}

/// What came of taking a saga further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// What was done and told, in words.
    pub report: Report,
    /// When it is to be taken further; none once it has ended.
    pub look_again_at: Option<Timestamp>,
    /// The number of the last look at it: that of the next one is higher.
    pub looks: u32,
    /// False where nothing was done, because this look or a later one was taken before.
    pub taken: bool,
    /// Why it refused an order.
    pub refused: Option<OrderRefused>,
    /// Whether it has ended.
    pub ended: bool,
}

/// On whose word a failover is begun, and for what: it is told, and decides nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Who declared.
    pub by: Option<DeclaredBy>,
    /// The incident.
    pub incident: Option<String>,
    /// The digest of what was approved.
    pub digest: Option<String>,
    /// Id of the command that gave the word.
    pub command: Option<String>,
    /// What it rests on is too old from then on: it is begun no more.
    pub until: Option<Timestamp>,
}

/// Who declared that a region is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeclaredBy {
    /// The rules of the recovery plan, alone.
    Rules,
    /// People approved what the rules asked them.
    Approval,
    /// A person ordered it.
    Person,
}

/// Whether an order began a saga.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It did; it is to be taken further at once.
    Now,
    /// This very saga was begun before.
    Before,
    /// Another one of this recovery plan is not finished: its id.
    Another(String),
}

/// Why a saga was not begun or not taken further.
#[derive(Debug, thiserror::Error)]
pub enum SagaError {
    /// The store did not take or give something. Repeating is safe.
    #[error("the store did not answer for the saga")]
    Store(#[from] Error),
    /// Somebody else is taking it further. Repeating is safe, after a minute.
    #[error("another invocation is at this saga")]
    LeaseTaken,
    /// Somebody else wrote it since it was read. Nothing that was decided meanwhile was done; repeating is safe.
    #[error("another invocation wrote the saga")]
    Overtaken,
    /// Whoever decided was held up. Repeating is safe: it is decided anew.
    #[error("held up until {0} between the decision and the failover's beginning: it is decided anew")]
    HeldUp(Timestamp),
    /// There is no estate to go by.
    #[error(transparent)]
    Estate(#[from] EstateError),
    /// The ledger cannot be written to.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The record cannot be used. Repeating is pointless until somebody mends it.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The progress in it cannot be read by this release.
    #[error(transparent)]
    Progress(#[from] Unreadable),
    /// It cannot be written as JSON. A bug.
    #[error("the saga cannot be written")]
    Unwritable(#[from] serde_json::Error),
    /// The recovery plan has no saga.
    #[error("this recovery plan has no saga")]
    Missing,
    /// The name of the recovery plan cannot be one.
    #[error("the recovery plan's name is not one that a document can have")]
    Name,
    /// The region that takes over is not this deployment's: it executes recovery plans into its own region only.
    #[error("{0} is not a region of this deployment, which executes recovery plans into its own region only")]
    NotOurs(String),
}

impl SagaError {
    /// Whether it passes by itself: then it is to be tried again, after [`SagaError::wait`].
    pub fn is_not_yet(&self) -> bool {
        match self {
            Self::Store(error) | Self::Chain(ChainError::Store(error)) => {
                error.is_not_yet() || matches!(error.kind, ErrorKind::Conflict | ErrorKind::Malformed)
            }
            Self::LeaseTaken | Self::Overtaken | Self::HeldUp(_) => true,
            Self::Estate(error) => !error.is_hopeless(),
            Self::Chain(_)
            | Self::Record(_)
            | Self::Progress(_)
            | Self::Unwritable(_)
            | Self::Missing
            | Self::Name
            | Self::NotOurs(_) => false,
        }
    }

    /// How long to wait before it is tried again: a lease that nobody gives back runs out in a minute.
    pub fn wait() -> SignedDuration {
        SignedDuration::from_secs(i64::from(LEASE_SECS))
    }
}

impl DeclaredBy {
    /// As it is told.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Approval => "approval",
            Self::Person => "person",
        }
    }
}

impl Event {
    fn what(self) -> What<Failover> {
        match self {
            Self::Woken => What::Woken,
            Self::Recovered => What::Recovered,
            Self::Abort { by } => What::Abort { by },
            Self::Answer { question, choice, pick, by } => What::Answer { question, choice, pick, by },
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Woken => f.write_str("its time had come"),
            Self::Recovered => f.write_str("the region came back"),
            Self::Abort { by } => write!(f, "order to undo it, by {by}"),
            Self::Answer { question, choice, by, .. } => write!(f, "answer to question {question} by {by}: {choice}"),
        }
    }
}

/// Writes a saga down, if no other one of its recovery plan is unfinished. Nothing is done yet. A repeat is safe: it is the same saga.
pub async fn begin(lifeboat: &Lifeboat, order: FailoverOrder) -> Result<Begun, SagaError> {
    begin_declared(lifeboat, order, &Declared::default()).await
}

/// The same, telling on whose word. A person's word is remembered with it by its command's id, so that one that comes again is known to
/// be done.
pub async fn begin_declared(
    lifeboat: &Lifeboat,
    order: FailoverOrder,
    declared: &Declared,
) -> Result<Begun, SagaError> {
    record::check_name(&order.plan)?;
    is_ours(lifeboat, &order)?;
    estate::required(&lifeboat.store, &lifeboat.settings.deployment).await?;
    let known = Kept::read(&lifeboat.store, &order.plan).await?;
    match &known {
        Some(kept) if kept.record.id == order.id => return Ok(Begun::Before),
        Some(kept) if kept.record.ended_at.is_none() => return Ok(Begun::Another(kept.record.id.clone())),
        // It may have been stopped between its last save and its being kept.
        Some(kept) => kept.archive(&lifeboat.store).await?,
        None => {}
    }
    let (plan, id) = (order.plan.clone(), order.id.clone());
    // Read as the last before the write: whoever is held up in a read does not begin on what was so before.
    let now = lifeboat.clock.now();
    if declared.until.is_some_and(|until| now > until) {
        return Err(SagaError::HeldUp(now));
    }
    let mut record = SagaRecord::begins(order, known.as_ref().map(|kept| &kept.record), now);
    if let Some(command) = &declared.command {
        record.took(command);
    }
    let began = events::began(&record, declared);
    match Kept::begin(&lifeboat.outbox, record, known.as_ref(), &began).await {
        Ok(_) => Ok(Begun::Now),
        Err(SagaError::Overtaken) => match Kept::read(&lifeboat.store, &plan).await? {
            Some(kept) if kept.record.id == id => Ok(Begun::Before),
            Some(kept) => Ok(Begun::Another(kept.record.id)),
            None => Err(SagaError::Overtaken),
        },
        Err(error) => Err(error),
    }
}

/// Takes the saga of a recovery plan further by an event. A repeat is safe: what was done is not done again.
pub async fn run(lifeboat: &Lifeboat, plan: &str, event: Event) -> Result<Ran, SagaError> {
    leased(lifeboat, plan, event, Through::Itself).await
}

/// Takes it further because the message of this look came. A look that was taken before is not taken again.
pub async fn look(lifeboat: &Lifeboat, plan: &str, look: u64) -> Result<Ran, SagaError> {
    let look = u32::try_from(look).unwrap_or(u32::MAX);
    leased(lifeboat, plan, Event::Woken, Through::Look(look)).await
}

/// Takes it further by a person's order of this id, which is remembered with what it did ([`SagaRecord::taken`]).
pub async fn obey(lifeboat: &Lifeboat, plan: &str, order: &str, event: Event) -> Result<Ran, SagaError> {
    leased(lifeboat, plan, event, Through::Order(order)).await
}

/// Why a saga would refuse a person's order, if it would. Nothing is changed.
pub fn refuses(record: &SagaRecord, event: Event, now: Timestamp) -> Result<Option<OrderRefused>, SagaError> {
    let saga = record.saga()?;
    let epoch = saga.progress.epoch;
    let (_, effects) = step(saga, lifeboat_planning::saga::Event { epoch, what: event.what() }, now);
    Ok(effects.into_iter().find_map(|effect| match effect {
        Effect::Tell(Notice::OrderRefused(why)) => Some(why),
        _ => None,
    }))
}

async fn leased(lifeboat: &Lifeboat, plan: &str, event: Event, through: Through<'_>) -> Result<Ran, SagaError> {
    record::check_name(plan)?;
    // Before anything is written: a store that is not ours, or is not what it was, is left as it is.
    let owner = estate::required(&lifeboat.store, &lifeboat.settings.deployment).await?.owner();
    let name = format!("leases/saga-{}", hash(&[plan]));
    let lease = match lifeboat.store.lease(&name, LEASE_SECS).await {
        Ok(lease) => lease,
        Err(error) if error.is_lease_taken() => return Err(SagaError::LeaseTaken),
        Err(error) => return Err(error.into()),
    };
    let ran = with_lease(lifeboat, (plan, owner), &lease, (event, through)).await;
    if let Err(error) = lifeboat.store.release(&lease).await {
        // It runs out by itself; whoever comes next finds it taken until then.
        tracing::warn!(error = %error, "the lease could not be released");
    }
    ran
}

async fn with_lease(
    lifeboat: &Lifeboat,
    (plan, owner): (&str, Owner),
    lease: &Lease,
    (event, through): (Event, Through<'_>),
) -> Result<Ran, SagaError> {
    let kept = Kept::read(&lifeboat.store, plan).await?.ok_or(SagaError::Missing)?;
    is_ours(lifeboat, &kept.record.saga()?.runbook.order)?;
    let report = Report::default();
    let told = Vec::new();
    Turn { lifeboat, owner, lease: lease.clone(), kept, report, refused: None, told }.run(event, through).await
}

/// Recovery plans whose saga is not finished and should have been taken further before this moment: their messages were lost.
pub async fn overslept(lifeboat: &Lifeboat, before: Timestamp) -> Result<Vec<SagaRecord>, SagaError> {
    let mut found = Vec::new();
    for plan in record::plans(&lifeboat.store).await? {
        let kept = match Kept::read(&lifeboat.store, &plan).await {
            Ok(Some(kept)) => kept,
            Ok(None) => continue,
            Err(SagaError::Record(error)) => {
                // The others are not to oversleep with it.
                tracing::error!(error = %error, recovery_plan = plan, "the saga cannot be read, and nobody takes it further");
                continue;
            }
            Err(error) => return Err(error),
        };
        if kept.record.look_again_at.is_some_and(|at| at < before) {
            found.push(kept.record);
        }
    }
    Ok(found)
}

/// The saga of a recovery plan, as it is stored; none where there never was one.
pub async fn read(lifeboat: &Lifeboat, plan: &str) -> Result<Option<SagaRecord>, SagaError> {
    record::check_name(plan)?;
    Ok(Kept::read(&lifeboat.store, plan).await?.map(|kept| kept.record))
}

fn is_ours(lifeboat: &Lifeboat, order: &FailoverOrder) -> Result<(), SagaError> {
    let to = lifeboat_azure::region(&order.to);
    if lifeboat.settings.owned_regions.contains(&to) { Ok(()) } else { Err(SagaError::NotOurs(order.to.clone())) }
}
