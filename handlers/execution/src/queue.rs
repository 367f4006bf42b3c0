//! Puts messages on the queue `reconcile`, now or for later.
//! It never gives up at the first fault: what cannot be queued is held and tried again, because the host abandons a failed
//! message at once and ten deliveries burn in seconds.

use std::time::Duration;

use jiff::Timestamp;
use lifeboat_azure::Error;
use lifeboat_azure::service_bus::Message;
use lifeboat_azure::service_bus::Sender;
use lifeboat_contract::work::{QUEUE, ReconcileMessage};

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
    /// Service Bus did not take it for as long as the invocation may be held.
    #[error("the queue {QUEUE} did not take the message within {HOLD_SECS_MAX} s")]
    NotTaken(#[source] Error),
}

/// Queues a message, to be seen at `at` or now.
pub async fn send(sender: &Sender, message: &ReconcileMessage, at: Option<Timestamp>) -> Result<(), QueueError> {
    let body = message.encode()?;
    let until = tokio::time::Instant::now() + Duration::from_secs(HOLD_SECS_MAX);
    let mut wait = FIRST_WAIT;
    loop {
        let out = Message {
            message_id: message.message_id(),
            body: body.clone().into(),
            scheduled_at: at,
            properties: Vec::new(),
        };
        let error = match sender.send(QUEUE, out).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if tokio::time::Instant::now() + wait >= until {
            return Err(QueueError::NotTaken(error));
        }
        tracing::warn!(error = %error, "the queue did not take a message; it is tried again");
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
}
