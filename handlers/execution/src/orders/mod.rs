//! Orders of persons and systems: read, verified, remembered, carried out once, told.
//! It never carries out what needs a name for somebody without one, and never one order twice with another effect than once.
//!
//! ```text
//! body ─► read ─► lapsed? ─► whose? ─► token not used before? ─► id not taken before? ─► carried out ─► remembered ─► told
//!           └────────┴──────────┴──────────────┴───────────────────────┴─────── refused ────────────────────────────► told
//! ```
//!
//! What is refused is over: its message is completed. Where it could not be asked or remembered, a message of its own brings it again;
//! only where that cannot be sent either is it left to the host.

pub mod approvals;
pub mod memory;
mod perform;
mod refusal;
pub mod saga;
mod tell;
mod who;
mod would;

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::blobs::Store;
use lifeboat_azure::service_bus::Message;
use lifeboat_contract::command::{Command, Order, QUEUE, Token};
use lifeboat_planning::id::hash;

use crate::declaration::DeclarationError;
use crate::estate::{self, EstateError};
use crate::holds::HoldError;
use crate::lifeboat::Lifeboat;
use crate::policies::PolicyError;
use crate::queue::QueueError;
use crate::saga::SagaError;
use crate::swap::SwapError;
use memory::{Claim, Key, MemoryError, Outcome};
use perform::Given;

/// How long a command waits that could not be asked about: a directory or a store that is back within minutes.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(60);

pub use refusal::{Concerns, Refusal};
pub use saga::{NotDelivered, Verified};
pub use who::{Author, Door, NotKnown, OPERATE, READ, may_read};

/// What came of an order, for whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The command's id, where it has one.
    pub id: Option<String>,
    /// The command's name, where it is one of ours.
    pub command: Option<&'static str>,
    /// What came of it.
    pub verdict: Verdict,
    /// The field that is at fault, where one is.
    pub field: Option<String>,
    /// In words, one line each.
    pub lines: Vec<String>,
}

/// What came of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was carried out.
    Done,
    /// It would be: it was a try.
    WouldDo,
    /// It was carried out, or refused, when it came before.
    Before,
    /// It could not be asked about now: the same message comes again by itself.
    Later,
    /// It is refused.
    Refused(Concerns),
}

/// Why an order was neither carried out nor refused: it must come again.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// There is no estate to go by.
    #[error(transparent)]
    Estate(#[from] EstateError),
    /// The directory was silent.
    #[error(transparent)]
    NotKnown(#[from] NotKnown),
    /// It could not be remembered.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// A record could not be changed.
    #[error(transparent)]
    Record(#[from] SwapError),
    /// Azure did not take a hold, or did not let go of one.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// The recovery plan's declaration could not be evaluated.
    #[error(transparent)]
    Declaration(DeclarationError),
    /// The saga is busy, or the store was silent.
    #[error(transparent)]
    Saga(SagaError),
    /// The saga took the order, and its next look is not queued.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Which policies and recovery plans are in force is not known.
    #[error(transparent)]
    Policies(#[from] PolicyError),
}

/// What ends the taking of an order before it is carried out.
enum End {
    Refused(Refusal),
    /// It is refused, and what is remembered of it tells so.
    Remembered(Refusal),
    Before(Outcome),
    NotTaken(NotTaken),
}

impl<E: Into<NotTaken>> From<E> for End {
    fn from(error: E) -> Self {
        Self::NotTaken(error.into())
    }
}

/// Takes an order as it came through a door; through `Api` its token stands beside it.
pub async fn take(lifeboat: &Lifeboat, body: &[u8], door: Door, token: Option<&Token>) -> Result<Told, NotTaken> {
    let command = match Command::read(body) {
        Ok(command) => command,
        Err(refused) => {
            let why = Refusal::Form(refused.why);
            // What has no id that can be read is known by what it says: the same again is told once.
            let unnamed = || format!("unnamed-{}", hash(&[&String::from_utf8_lossy(body)]));
            let id = refused.id.clone().unwrap_or_else(unnamed);
            put_refused(lifeboat, &id, refused.command, &why).await;
            return Ok(refusal(refused.id, refused.command, &why));
        }
    };
    let (id, name) = (Some(command.id.clone()), Some(command.order.name()));
    match taken(lifeboat, &command, door, token.or(command.token.as_ref())).await {
        Ok((by, verdict, lines)) => {
            let told = Told { id, command: name, verdict, field: None, lines };
            tell::done(&told, &by);
            Ok(told)
        }
        Err(End::Before(outcome)) => {
            let told = Told { id, command: name, verdict: Verdict::Before, field: None, lines: outcome.lines };
            tell::again(&told);
            Ok(told)
        }
        Err(End::Refused(why)) => {
            put_refused(lifeboat, &command.id, name, &why).await;
            Ok(refusal(id, name, &why))
        }
        Err(End::Remembered(why)) => Ok(refusal(id, name, &why)),
        Err(End::NotTaken(error)) if door == Door::Queue => {
            let told = Told { id, command: name, verdict: Verdict::Later, field: None, lines: vec![error.to_string()] };
            again(lifeboat, &command, error).await?;
            tell::later(&told);
            Ok(told)
        }
        Err(End::NotTaken(error)) => Err(error),
    }
}

/// Has a message that could not be taken care of come again in a while: left to the host, it would come again at once, fifty times.
async fn again(lifeboat: &Lifeboat, command: &Command, error: NotTaken) -> Result<(), NotTaken> {
    let now = lifeboat.clock.now();
    let at = now.checked_add(AGAIN_AFTER).unwrap_or(now);
    // Each time has an id of its own, or it would be dropped as a duplicate of the one before.
    let message_id = hash(&["command", &command.id, &at.to_string()]);
    let body = command.body().to_string().into_bytes().into();
    let message = Message { message_id, body, scheduled_at: Some(at), properties: Vec::new() };
    lifeboat.sender.send(QUEUE, message).await.map_err(|sending| {
        tracing::error!(%sending, "an order cannot be put off");
        error
    })
}

async fn taken(
    lifeboat: &Lifeboat,
    command: &Command,
    door: Door,
    token: Option<&Token>,
) -> Result<(Author, Verdict, Vec<String>), End> {
    let (store, now, key) = (&lifeboat.store, lifeboat.clock.now(), Key::of(command));
    // A stop needs neither the estate nor a memory: where they are lost it is needed most.
    let stops = matches!(command.order, Order::StopChanges(_));
    let readable = estate::read(store, &lifeboat.settings.deployment).await;
    if !stops {
        readable?;
    }
    // A message that comes again long after, when it lapsed and its token ended, was not refused: it was done.
    if door == Door::Queue
        && let Some(outcome) = recalled(store, &key, stops).await?
    {
        return Err(End::Before(outcome));
    }
    command.is_timely(now).map_err(|why| End::Refused(why.into()))?;
    let author = who::author(lifeboat.directory.as_ref(), &command.order, token, door).await?.map_err(End::Refused)?;
    bound(store, &author, &key, now).await?;
    let given = Given { lifeboat, id: &command.id, by: author.record(), given_at: command.time, taken_at: now, now };
    if command.dry_run {
        let lines = would::would(&given, &command.order).await?.map_err(End::Refused)?;
        let event = tell::event_of_done(&command.id, command.order.name(), &lines, true, &author, now);
        lifeboat.outbox.put(&event, now).await;
        return Ok((author, Verdict::WouldDo, lines));
    }
    let taken_at = match memory::claim(store, &key, command, author.record(), now).await {
        Ok(Claim::Ours(at)) => at,
        Ok(Claim::Before(outcome)) => return Err(End::Before(outcome)),
        Ok(Claim::Other) => return Err(End::Refused(Refusal::IdTaken)),
        Err(error) if stops => {
            tracing::error!(%error, "a stop cannot be remembered: it is carried out all the same");
            now
        }
        Err(error) => return Err(error.into()),
    };
    let given = Given { taken_at, ..given };
    let came = perform::perform(&given, &command.order).await?;
    let at = lifeboat.clock.now();
    let name = command.order.name();
    let (done, lines, event) = match &came {
        Ok(lines) => (true, lines.clone(), tell::event_of_done(&command.id, name, lines, false, &author, at)),
        Err(why) => (false, vec![why.to_string()], tell::event_of_refused(&command.id, name, why, Some(&author), at)),
    };
    match memory::remember(&lifeboat.outbox, &key, &Outcome { at, done, lines }, &event).await {
        Err(error) if stops => tracing::error!(%error, "a stop was carried out and cannot be remembered"),
        remembered => remembered?,
    }
    came.map(|lines| (author, Verdict::Done, lines)).map_err(End::Remembered)
}

/// Tells a refusal that nothing remembers.
async fn put_refused(lifeboat: &Lifeboat, id: &str, ordered: Option<&'static str>, why: &Refusal) {
    let now = lifeboat.clock.now();
    let event = tell::event_of_refused(id, ordered.unwrap_or_default(), why, None, now);
    lifeboat.outbox.put(&event, now).await;
}

/// What came of a command before; nothing where a stop cannot be looked up.
async fn recalled(store: &Store, key: &Key, stops: bool) -> Result<Option<Outcome>, End> {
    let seen = match memory::recall(store, key).await {
        Err(_) if stops => None,
        seen => seen?,
    };
    Ok(seen.filter(|seen| seen.digest == key.digest).and_then(|seen| seen.outcome))
}

/// A token is one command's: else whoever reads one on the queue could give an order of their own with it.
async fn bound(store: &Store, author: &Author, key: &Key, now: Timestamp) -> Result<(), End> {
    match author {
        Author::Holder(_) => Ok(()),
        Author::Named { mark, ends, .. } => match memory::bind(store, mark, key, *ends, now).await? {
            true => Ok(()),
            false => Err(End::Refused(Refusal::TokenUsed)),
        },
    }
}

fn refusal(id: Option<String>, command: Option<&'static str>, why: &Refusal) -> Told {
    let field = why.field().map(str::to_owned);
    let told = Told { id, command, verdict: Verdict::Refused(why.concerns()), field, lines: vec![why.to_string()] };
    tell::refused(&told, why);
    told
}
