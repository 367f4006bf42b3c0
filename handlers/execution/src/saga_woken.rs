//! What a message on the queue `sagas` asks for: an evaluation, or a look at a saga, after which the next look is queued.
//! It never decides, and never takes one look twice: each has a number of its own, and one that was taken only sees to the next.
//!
//! ```text
//! look n ─► the saga's last is below n? ─┬─ yes ─► taken further; the last is n ─► look n + 1, when the saga says
//!                                        ├─ it is n: whoever took it may have been killed ─► look n + 1, now (a duplicate, if he was not)
//!                                        └─ it is above: whoever took that one sees to the next
//! ```

use jiff::{SignedDuration, Timestamp};
use lifeboat_contract::sagas::{Ask, SagasError, SagasMessage, VERSION};

use crate::declaration::{self, DeclarationError};
use crate::lifeboat::{Lifeboat, Report};
use crate::queue::{self, QueueError};
use crate::saga::{self, SagaError};

/// How long after its time a look counts as lost. An invocation goes on for two minutes, a lease of one that was killed runs out
/// after one more, and then the message comes again.
const OVERSLEPT_MINS: i64 = 5;

/// Why a message was not taken care of.
#[derive(Debug, thiserror::Error)]
pub enum WokenError {
    /// It is not one that this release reads: it stays on the queue until it is dead-lettered and seen.
    #[error("the message was not understood")]
    NotUnderstood(#[from] SagasError),
    /// The region could not be evaluated. The message comes again.
    #[error(transparent)]
    Declaration(#[from] DeclarationError),
    /// The saga cannot be taken further until somebody mends what is wrong: the message stays until it is dead-lettered and seen.
    #[error("look {look} at the saga of the recovery plan {recovery_plan} cannot be taken")]
    Saga {
        /// The recovery plan.
        recovery_plan: String,
        /// The look.
        look: u64,
        /// Why.
        source: SagaError,
    },
    /// The next look could not be queued. The message comes again.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// Takes care of one message.
pub async fn run(lifeboat: &Lifeboat, body: &[u8]) -> Result<Report, WokenError> {
    match SagasMessage::decode(body)?.ask {
        Ask::Evaluate { region, .. } => {
            Ok(declaration::evaluate(lifeboat, &region, &format!("SagaWoken {region}")).await?)
        }
        Ask::Step { recovery_plan, look } => step(lifeboat, recovery_plan, look).await,
    }
}

/// Takes one look at a saga.
async fn step(lifeboat: &Lifeboat, plan: String, look: u64) -> Result<Report, WokenError> {
    let now = lifeboat.clock.now();
    let ran = match saga::look(lifeboat, &plan, look).await {
        Ok(ran) => ran,
        Err(SagaError::Missing) => {
            return Ok(Report::line(format!("{plan}: it has no saga; look {look} is nobody's")));
        }
        Err(error) if error.is_not_yet() => {
            tracing::warn!(error = %error, recovery_plan = plan, look, "the look is put off");
            let at = later(now, SagaError::wait());
            put(lifeboat, &plan, look.saturating_add(1), at).await?;
            return Ok(Report::line(format!("{plan}: look {look} is put off until {at}: {error}")));
        }
        Err(source) => return Err(WokenError::Saga { recovery_plan: plan, look, source }),
    };
    if ran.taken {
        queue_next(lifeboat, &plan, ran.looks, ran.look_again_at).await?;
        return Ok(ran.report);
    }
    if look == u64::from(ran.looks) {
        queue_next(lifeboat, &plan, ran.looks, Some(now)).await?;
    }
    Ok(Report::line(format!("{plan}: look {look} was taken before; the last is {}", ran.looks)))
}

/// Queues the look after the last one, at its time; none for a saga that has ended.
pub async fn queue_next(
    lifeboat: &Lifeboat,
    plan: &str,
    last: u32,
    look_again_at: Option<Timestamp>,
) -> Result<(), QueueError> {
    let Some(at) = look_again_at else { return Ok(()) };
    put(lifeboat, plan, u64::from(last) + 1, at).await
}

/// Wakes the sagas that should have been looked at some minutes ago: their messages were lost. What was queued, one line each.
///
/// Each minute that one oversleeps has a number of its own, because the one that was lost is dropped as a duplicate.
pub async fn wake_overslept(lifeboat: &Lifeboat) -> Vec<String> {
    let now = lifeboat.clock.now();
    let before = now.checked_sub(SignedDuration::from_mins(OVERSLEPT_MINS)).unwrap_or(now);
    let overslept = match saga::overslept(lifeboat, before).await {
        Ok(overslept) => overslept,
        Err(error) => {
            tracing::error!(error = %error, "whether a saga overslept is not known");
            return Vec::new();
        }
    };
    let mut lines = Vec::new();
    for record in overslept {
        let late = record.look_again_at.map_or(0, |at| now.duration_since(at).as_mins());
        let look = u64::from(record.looks) + 1 + u64::try_from(late).unwrap_or_default();
        let plan = &record.recovery_plan;
        match put(lifeboat, plan, look, now).await {
            Ok(()) => {
                tracing::error!(recovery_plan = plan, look, "the saga overslept by {late} minutes and is woken");
                lines.push(format!("{plan}: the saga overslept by {late} minutes; look {look} is queued"));
            }
            Err(error) => {
                tracing::error!(error = %error, recovery_plan = plan, "the saga overslept and cannot be woken")
            }
        }
    }
    lines
}

async fn put(lifeboat: &Lifeboat, plan: &str, look: u64, at: Timestamp) -> Result<(), QueueError> {
    let message = SagasMessage { version: VERSION, ask: Ask::Step { recovery_plan: plan.to_owned(), look } };
    queue::send_sagas(&lifeboat.sender, &message, (at > lifeboat.clock.now()).then_some(at)).await
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
