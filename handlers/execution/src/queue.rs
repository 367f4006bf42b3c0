//! Puts messages on the queues `reconcile` and `sagas`, now or for later.
//! It never gives up at the first fault: what cannot be queued is held and tried again, because the host abandons a failed
//! message at once and ten deliveries burn in seconds.

use std::time::Duration;

use jiff::Timestamp;
use lifeboat_azure::Error;
use lifeboat_azure::service_bus::Message;
use lifeboat_azure::service_bus::Sender;
use lifeboat_contract::sagas::{self, SagasMessage};
use lifeboat_contract::work::{self, ReconcileMessage};

/// How long an invocation is held while its message cannot be queued: then the host gets a 5xx. The design allows 30 s; Event
/// Grid waits 30 s for an answer, so it is told a little earlier.
const HOLD_SECS_MAX: u64 = 25;
/// Wait between two tries; doubles.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Why a message is not on the queue. Repeating is safe: its id names the work.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// It cannot be written down. A bug or an absurd id.
    #[error("the message cannot be written")]
    Unwritable(#[from] lifeboat_contract::work::WorkError),
    /// It cannot be written down. A bug or an absurd name.
    #[error("the message cannot be written")]
    SagasUnwritable(#[from] lifeboat_contract::sagas::SagasError),
    /// Service Bus did not take it for as long as the invocation may be held.
    #[error("the queue {queue} did not take the message within {HOLD_SECS_MAX} s")]
    NotTaken {
        /// The queue.
        queue: &'static str,
        /// What it said last.
        source: Error,
    },
}

/// Queues a message, to be seen at `at` or now.
pub async fn send(sender: &Sender, message: &ReconcileMessage, at: Option<Timestamp>) -> Result<(), QueueError> {
    put(sender, work::QUEUE, (message.message_id(), message.encode()?), at).await
}

/// Queues a message for the sagas, to be seen at `at` or now.
pub async fn send_sagas(sender: &Sender, message: &SagasMessage, at: Option<Timestamp>) -> Result<(), QueueError> {
    put(sender, sagas::QUEUE, (message.message_id(), message.encode()?), at).await
}

async fn put(
    sender: &Sender,
    queue: &'static str,
    (message_id, body): (String, Vec<u8>),
    at: Option<Timestamp>,
) -> Result<(), QueueError> {
    let until = tokio::time::Instant::now() + Duration::from_secs(HOLD_SECS_MAX);
    let mut wait = FIRST_WAIT;
    loop {
        let out = Message {
            message_id: message_id.clone(),
            body: body.clone().into(),
            scheduled_at: at,
            properties: Vec::new(),
        };
        let error = match sender.send(queue, out).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if tokio::time::Instant::now() + wait >= until {
            return Err(QueueError::NotTaken { queue, source: error });
        }
        tracing::warn!(error = %error, "the queue did not take a message; it is tried again");
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
}
