//! Sends messages to Service Bus queues, now or scheduled, through azure_messaging_servicebus.
//!
//! It never receives: the Functions host does. It never sends a message without an id, so that a repeat is dropped by the
//! queue's duplicate detection.

mod adapter;

use crate::{
    access::{Access, Random},
    error::{Error, ErrorKind},
    retry::{Attempts, Repeat},
};
use adapter::Adapter;
use azure_core::http::Url;
use azure_messaging_servicebus::service_bus::{QueueClient, SendMessageOptions, SettableBrokerProperties};
use bytes::Bytes;
use jiff::Timestamp;
use std::{collections::HashMap, fmt, sync::Arc};

/// The name of this operation.
const OPERATION: &str = "service bus send";
/// The longest message id that Service Bus takes, in characters.
pub const MAX_MESSAGE_ID_CHARS: usize = 128;
/// The largest body that is sent. The Standard tier takes 256 KiB with headers and properties.
pub const MAX_BODY_BYTES: usize = 192 * 1024;
/// How many properties of our own a message takes: headers of a request are bounded as a whole.
const MAX_PROPERTIES: usize = 16;

/// Headers that mean something else than a property.
const TAKEN_HEADERS: [&str; 6] =
    ["authorization", "brokerproperties", "content-length", "content-type", "host", "transfer-encoding"];

/// Sends to the queues of one namespace. Clones share the token.
#[derive(Clone)]
pub struct Sender {
    adapter: Arc<Adapter>,
    random: Random,
}

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Names the work: a second message with this id is dropped for as long as the queue remembers.
    pub message_id: String,
    /// UTF-8 JSON.
    pub body: Bytes,
    /// When it becomes visible; none is now.
    pub scheduled_at: Option<Timestamp>,
    /// Further properties: header names and printable ASCII values.
    pub properties: Vec<(String, String)>,
}

/// Why a message is not sent at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageFault {
    /// The id is empty, too long, or not printable ASCII.
    #[error("the message id is not 1 to {MAX_MESSAGE_ID_CHARS} printable characters")]
    Id,
    /// The body is too large.
    #[error("the body is larger than {MAX_BODY_BYTES} bytes")]
    Size,
    /// The body is not UTF-8.
    #[error("the body is not UTF-8")]
    Text,
    /// The queue's name would change the path.
    #[error("the queue's name is not letters, digits, `.`, `_` and `-`")]
    Queue,
    /// A property that no header can carry.
    #[error("a property cannot be carried in a header")]
    Property,
    /// A moment outside of what the protocol can say.
    #[error("the scheduled moment cannot be written")]
    Moment,
}

impl Sender {
    /// A sender for a namespace, for example `https://ns.servicebus.windows.net`. Nothing is sent.
    pub fn new(base_url: Url, access: &Access) -> Result<Self, Error> {
        if base_url.cannot_be_a_base() || base_url.host().is_none() {
            return Err(Error::new(ErrorKind::Refused, "the address of Service Bus"));
        }
        Ok(Self { adapter: Arc::new(Adapter::new(base_url, access)), random: access.random.clone() })
    }

    /// Sends a message. A repeat is safe within the queue's window of duplicate detection: the id is the message.
    pub async fn send(&self, queue: &str, message: Message) -> Result<(), Error> {
        check(queue, &message).map_err(|fault| Error::because(ErrorKind::Refused, OPERATION, fault)).map_err(
            |error| if message.body.len() > MAX_BODY_BYTES { error.with_kind(ErrorKind::Limit) } else { error },
        )?;
        let text = std::str::from_utf8(&message.body)
            .map_err(|_| Error::because(ErrorKind::Refused, OPERATION, MessageFault::Text))?;
        let client = self.client(queue)?;
        let mut attempts = Attempts::new(Repeat::Safe, None);
        loop {
            let options = options(&message).map_err(|fault| Error::because(ErrorKind::Refused, OPERATION, fault))?;
            match client.send_message(text, Some(options)).await {
                Ok(()) => return Ok(()),
                Err(error) => attempts.again(adapter::error(OPERATION, error), &self.random).await?,
            }
        }
    }

    /// The library's client for a queue. It signs with a key, which the adapter throws away for the bearer token; so any
    /// text serves as the key, and that it signs by the wall clock does no harm.
    fn client(&self, queue: &str) -> Result<QueueClient, Error> {
        let transport: Arc<dyn azure_core_0_21::HttpClient> = Arc::<Adapter>::clone(&self.adapter);
        QueueClient::new(transport, "unused", queue, "unused", "unused")
            .map_err(|error| Error::because(ErrorKind::Refused, OPERATION, error))
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

fn check(queue: &str, message: &Message) -> Result<(), MessageFault> {
    let printable = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let id = &message.message_id;
    if id.is_empty() || id.len() > MAX_MESSAGE_ID_CHARS || !printable(id) {
        return Err(MessageFault::Id);
    }
    if message.body.len() > MAX_BODY_BYTES {
        return Err(MessageFault::Size);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if queue.is_empty() || queue.starts_with('.') || !queue.chars().all(plain) {
        return Err(MessageFault::Queue);
    }
    let carried = |(name, value): &(String, String)| {
        let name = http::HeaderName::try_from(name);
        name.is_ok_and(|name| !TAKEN_HEADERS.contains(&name.as_str())) && printable(value)
    };
    if message.properties.len() > MAX_PROPERTIES || !message.properties.iter().all(carried) {
        return Err(MessageFault::Property);
    }
    Ok(())
}

fn options(message: &Message) -> Result<SendMessageOptions, MessageFault> {
    let moment = |at: Timestamp| {
        // The protocol has whole seconds. Later is kept to, earlier would not be.
        let part = i64::from(at.subsec_nanosecond() > 0);
        let second = Timestamp::from_second(at.as_second().saturating_add(part)).map_err(|_| MessageFault::Moment)?;
        azure_core_0_21::date::parse_rfc3339(&second.to_string()).map_err(|_| MessageFault::Moment)
    };
    let properties: HashMap<String, String> = message.properties.iter().cloned().collect();
    Ok(SendMessageOptions {
        content_type: Some("application/json".to_owned()),
        broker_properties: Some(SettableBrokerProperties {
            message_id: Some(message.message_id.clone()),
            scheduled_enqueue_time_utc: message.scheduled_at.map(moment).transpose()?,
            ..SettableBrokerProperties::default()
        }),
        custom_properties: (!properties.is_empty()).then_some(properties),
    })
}

#[cfg(test)]
mod tests;
