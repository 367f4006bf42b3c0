//! BrokerProperties and custom properties between HTTP headers and messages.
//! It never drops a property that it was given in a form it knows, and never sends one twice.

use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors::BusError;
use super::message::{Locked, Message};
use crate::azure::blobs::wire::{http_date, parse_date};

/// What a message without an end shows as TimeToLive, in seconds: the longest span that .NET can say.
const ENDLESS_SECONDS: f64 = 922_337_203_685.477_5;

/// Headers of HTTP itself; every other one is a custom property. *assumed*: `x-ms-` headers are none either.
const HTTP_HEADERS: [HeaderName; 14] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::AUTHORIZATION,
    header::CACHE_CONTROL,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::DATE,
    header::EXPECT,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::USER_AGENT,
];

/// What a sender may set, as JSON in the header `BrokerProperties`. Further members are ignored, as the service does.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct SentProperties {
    correlation_id: Option<String>,
    session_id: Option<String>,
    message_id: Option<String>,
    label: Option<String>,
    reply_to: Option<String>,
    /// Seconds, with a fraction.
    time_to_live: Option<f64>,
    to: Option<String>,
    /// RFC 2822.
    scheduled_enqueue_time_utc: Option<String>,
    reply_to_session_id: Option<String>,
    partition_key: Option<String>,
}

/// Reads the message of a send.
pub(super) fn read_message(headers: &HeaderMap, body: Bytes) -> Result<Message, BusError> {
    let sent = match headers.get("brokerproperties") {
        Some(value) => serde_json::from_slice(value.as_bytes()).map_err(|_| BusError::BadProperties)?,
        None => SentProperties::default(),
    };
    let time_to_live = sent.time_to_live.map(read_seconds).transpose()?;
    let scheduled = |text: String| parse_date(&text).ok_or(BusError::BadProperties);
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let custom = |(name, value): (&HeaderName, &HeaderValue)| {
        let own =
            !HTTP_HEADERS.contains(name) && name.as_str() != "brokerproperties" && !name.as_str().starts_with("x-ms-");
        own.then(|| Some((name.as_str().to_owned(), read_value(value.to_str().ok()?)))).flatten()
    };
    Ok(Message {
        body,
        content_type: content_type.map(str::to_owned),
        message_id: sent.message_id,
        subject: sent.label,
        correlation_id: sent.correlation_id,
        session_id: sent.session_id,
        reply_to: sent.reply_to,
        reply_to_session_id: sent.reply_to_session_id,
        to: sent.to,
        partition_key: sent.partition_key,
        time_to_live,
        scheduled_enqueue_time: sent.scheduled_enqueue_time_utc.map(scheduled).transpose()?,
        application_properties: headers.iter().filter_map(custom).collect(),
    })
}

/// The headers of a message that is handed out. Without a lock (a destructive read) the lock's members are left out.
pub(super) fn received_headers(locked: &Locked, with_lock: bool) -> HeaderMap {
    let message = &locked.message;
    let ttl = locked.expires_at.map_or(ENDLESS_SECONDS, |at| at.duration_since(locked.enqueued_time).as_secs_f64());
    let mut members = json!({
        "DeliveryCount": locked.delivery_count,
        "EnqueuedSequenceNumber": locked.enqueued_sequence_number,
        "EnqueuedTimeUtc": http_date(locked.enqueued_time),
        "MessageId": locked.message_id,
        "SequenceNumber": locked.sequence_number,
        "State": "Active",
        "TimeToLive": ttl,
    });
    let mut set = |name: &str, value: Option<String>| {
        if let (Some(value), Some(members)) = (value, members.as_object_mut()) {
            members.insert(name.to_owned(), Value::String(value));
        }
    };
    set("LockToken", with_lock.then(|| locked.lock_token.clone()));
    set("LockedUntilUtc", with_lock.then(|| http_date(locked.locked_until)));
    set("Label", message.subject.clone());
    set("CorrelationId", message.correlation_id.clone());
    set("SessionId", message.session_id.clone());
    set("ReplyTo", message.reply_to.clone());
    set("ReplyToSessionId", message.reply_to_session_id.clone());
    set("To", message.to.clone());
    set("PartitionKey", message.partition_key.clone());
    set("ScheduledEnqueueTimeUtc", message.scheduled_enqueue_time.map(http_date));
    let mut headers = HeaderMap::new();
    let mut put = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    };
    for (name, value) in &message.application_properties {
        // A JSON string is the quoted form that the reference asks for.
        put(name, &value.to_string());
    }
    put("brokerproperties", &ascii(&members.to_string()));
    if let Some(content_type) = &message.content_type {
        put("content-type", content_type);
    }
    headers
}

/// A TTL in seconds, as the client libraries send it.
fn read_seconds(seconds: f64) -> Result<Duration, BusError> {
    match Duration::try_from_secs_f64(seconds) {
        Ok(span) if !span.is_zero() => Ok(span),
        // Longer than any clock: as good as no end.
        Err(_) if seconds > 0.0 => Ok(Duration::MAX),
        _ => Err(BusError::BadProperties),
    }
}

/// Strings come in quotes; bare numbers and booleans keep their type. *assumed*: other bare text is a string.
fn read_value(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) => value,
        _ => Value::String(text.to_owned()),
    }
}

/// JSON that fits into a header: what is not ASCII is escaped.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}
