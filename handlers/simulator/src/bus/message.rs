//! A message as a sender hands it over, as the queue keeps it and as a receiver sees it.
//! It never decides when a message is visible: that is the queue's.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// What a sender hands over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// The body.
    pub body: Bytes,
    /// Content-Type.
    pub content_type: Option<String>,
    /// MessageId; the broker makes one when there is none.
    pub message_id: Option<String>,
    /// Label, called Subject in newer clients.
    pub subject: Option<String>,
    /// CorrelationId.
    pub correlation_id: Option<String>,
    /// SessionId.
    pub session_id: Option<String>,
    /// ReplyTo.
    pub reply_to: Option<String>,
    /// ReplyToSessionId.
    pub reply_to_session_id: Option<String>,
    /// To.
    pub to: Option<String>,
    /// PartitionKey.
    pub partition_key: Option<String>,
    /// TimeToLive; `None` leaves it to the queue.
    pub time_to_live: Option<Duration>,
    /// ScheduledEnqueueTimeUtc: not visible before.
    pub scheduled_enqueue_time: Option<Timestamp>,
    /// Custom properties.
    pub application_properties: BTreeMap<String, Value>,
}

/// A message under lock, with everything that a receiver or the Functions host's trigger shows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Locked {
    /// The queue that it came from.
    pub queue: String,
    /// Names the lock; needed to settle the message.
    pub lock_token: String,
    /// When the lock ends.
    pub locked_until: Timestamp,
    /// Deliveries so far, this one included: 1 at the first.
    pub delivery_count: u32,
    /// Place in the queue.
    pub sequence_number: u64,
    /// The sequence number at first acceptance in this queue.
    pub enqueued_sequence_number: u64,
    /// When it became visible.
    pub enqueued_time: Timestamp,
    /// When it expires; `None` means never.
    pub expires_at: Option<Timestamp>,
    /// MessageId, made by the broker if the sender gave none.
    pub message_id: String,
    /// What the sender handed over.
    pub message: Message,
}

/// Why a message is in the dead-letter queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetterReason {
    /// It was delivered as often as the queue allows and never completed.
    MaxDeliveryCountExceeded,
    /// It expired and the queue keeps expired messages.
    TtlExpired,
}

/// A message in the dead-letter queue.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// Why it is here.
    pub reason: DeadLetterReason,
    /// When it came here.
    pub at: Timestamp,
    /// MessageId.
    pub message_id: String,
    /// The sequence number that it had.
    pub sequence_number: u64,
    /// How often it was delivered.
    pub delivery_count: u32,
    /// When it was enqueued.
    pub enqueued_time: Timestamp,
    /// What the sender handed over.
    pub message: Message,
}

/// A message in the queue.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stored {
    pub(super) message: Message,
    pub(super) message_id: String,
    pub(super) sequence_number: u64,
    pub(super) enqueued_sequence_number: u64,
    pub(super) enqueued_time: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) deliveries: u32,
}

impl Message {
    /// A message with this body and nothing else.
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    /// Bytes that count against the queue's limit: body, properties and custom properties.
    pub(super) fn size(&self) -> usize {
        let texts = [
            &self.content_type,
            &self.message_id,
            &self.subject,
            &self.correlation_id,
            &self.session_id,
            &self.reply_to,
            &self.reply_to_session_id,
            &self.to,
            &self.partition_key,
        ];
        let custom = |(key, value): (&String, &Value)| key.len() + value.to_string().len();
        self.body.len()
            + texts.into_iter().flatten().map(String::len).sum::<usize>()
            + self.application_properties.iter().map(custom).sum::<usize>()
    }
}

impl DeadLetterReason {
    /// The value of the property `DeadLetterReason`.
    pub fn name(self) -> &'static str {
        match self {
            DeadLetterReason::MaxDeliveryCountExceeded => "MaxDeliveryCountExceeded",
            DeadLetterReason::TtlExpired => "TTLExpiredException",
        }
    }
}

impl Stored {
    pub(super) fn into_dead(self, reason: DeadLetterReason, at: Timestamp) -> DeadLetter {
        DeadLetter {
            reason,
            at,
            message_id: self.message_id,
            sequence_number: self.sequence_number,
            delivery_count: self.deliveries,
            enqueued_time: self.enqueued_time,
            message: self.message,
        }
    }
}

/// A moment later; stays at the end of time when there is none.
pub(super) fn later(at: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
