//! One invocation that carries data: its identity, its trace, and typed reading of what the trigger sent.
//! It never runs anything and never changes what was sent.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::decode::{DecodeError, Fields, Wanted, opened, time, unquoted};

/// The header that names an invocation.
pub(super) const ID_HEADER: &str = "x-azure-functions-invocationid";

/// Longest id that is taken: a GUID has 36 characters, anything much longer is not one and would fill the log lines.
const ID_MAX_CHARS: usize = 64;

/// Longest `tracestate` that is taken on: the W3C recommendation asks for at least 512 characters to be passed.
const TRACESTATE_MAX_CHARS: usize = 512;

/// One call of a function, with what its trigger sent.
#[derive(Debug)]
pub struct Invocation {
    /// The function's name, as registered.
    pub function: &'static str,
    /// The host's id of this call.
    pub id: InvocationId,
    /// The trace this call belongs to: the request's, else the message's.
    pub trace: TraceContext,
    /// One value for each input binding, the trigger's first.
    pub data: Fields,
    /// What the trigger says about itself.
    pub metadata: Fields,
    /// When this call is answered with a failure and its receiver dropped.
    pub deadline: Instant,
}

impl Invocation {
    /// The events of an Event Grid trigger: one object, an array, or a string that holds either, in both event schemas.
    pub fn event_grid_events(&self) -> Result<Vec<Value>, DecodeError> {
        let events = match self.trigger(Wanted::Events)? {
            event @ Value::Object(_) => vec![event],
            Value::Array(events) => events,
            _ => return Err(DecodeError::NotWanted(Wanted::Events)),
        };
        events.into_iter().map(event_object).collect()
    }

    /// The bytes of a queue message: base64 with `dataType` binary; text otherwise, and then as UTF-8.
    pub fn service_bus_body(&self) -> Result<Bytes, DecodeError> {
        let raw = self.data.first().ok_or(DecodeError::NoTrigger)?;
        match serde_json::from_str(raw.get()) {
            Ok(Value::String(outer)) => match BASE64.decode(&outer) {
                Ok(bytes) => Ok(bytes.into()),
                Err(_) => Ok(unquoted(outer).into()),
            },
            Ok(Value::Object(_) | Value::Array(_)) => Ok(raw.get().to_owned().into()),
            _ => Err(DecodeError::NotWanted(Wanted::Body)),
        }
    }

    /// The state of a timer.
    pub fn timer(&self) -> Result<TimerFired, DecodeError> {
        let Value::Object(fields) = self.trigger(Wanted::Timer)? else {
            return Err(DecodeError::NotWanted(Wanted::Timer));
        };
        let is_past_due = match member(&fields, "IsPastDue") {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(flag)) if flag.eq_ignore_ascii_case("true") => true,
            Some(Value::String(flag)) if flag.eq_ignore_ascii_case("false") => false,
            _ => return Err(DecodeError::NotWanted(Wanted::Timer)),
        };
        let status = member(&fields, "ScheduleStatus").and_then(Value::as_object);
        let at = |name| status.and_then(|s| member(s, name)).and_then(Value::as_str).and_then(time);
        Ok(TimerFired { is_past_due, last: at("Last"), next: at("Next"), last_updated: at("LastUpdated") })
    }

    /// How often the message was delivered, this time included; none outside a message.
    #[must_use]
    pub fn delivery_count(&self) -> Option<u64> {
        self.metadata.number("DeliveryCount")
    }

    /// The message's id.
    #[must_use]
    pub fn message_id(&self) -> Option<String> {
        self.metadata.text("MessageId")
    }

    /// When the message entered the queue; to the second, as the host drops the rest.
    #[must_use]
    pub fn enqueued_time(&self) -> Option<Timestamp> {
        self.metadata.time("EnqueuedTime").or_else(|| self.metadata.time("EnqueuedTimeUtc"))
    }

    /// What the sender attached to the message; empty when nothing.
    #[must_use]
    pub fn application_properties(&self) -> Map<String, Value> {
        let named = self.metadata.object("ApplicationProperties");
        named.or_else(|| self.metadata.object("UserProperties")).unwrap_or_default()
    }

    fn trigger(&self, wanted: Wanted) -> Result<Value, DecodeError> {
        let raw = self.data.first().ok_or(DecodeError::NoTrigger)?;
        opened(raw).ok_or(DecodeError::NotWanted(wanted))
    }
}

/// What a timer says when it fires. A time is none when the timer keeps no status or has never run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerFired {
    /// The run was due while the host was down.
    pub is_past_due: bool,
    /// The run before this one.
    pub last: Option<Timestamp>,
    /// When this run was due, or the first one missed.
    pub next: Option<Timestamp>,
    /// When the status was written.
    pub last_updated: Option<Timestamp>,
}

/// The host's id of one call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InvocationId(String);

impl InvocationId {
    /// The id of a request. A client can send the header too and is then joined in front: the last element is the host's.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let joined = headers.get_all(ID_HEADER).iter().next_back().and_then(|value| value.to_str().ok());
        let last = joined.and_then(|joined| joined.rsplit(',').next()).map(str::trim).unwrap_or_default();
        let plain = last.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        // "-" stands for a call without a usable id: the line stays readable, and nothing a client wrote gets into it.
        let id = if last.is_empty() || last.len() > ID_MAX_CHARS || !plain { "-" } else { last };
        Self(id.to_owned())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InvocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A W3C trace context; both parts are optional, as the host sends them only with telemetry switched on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceContext {
    /// `00-<trace>-<span>-<flags>`.
    pub traceparent: Option<String>,
    /// Vendors' additions, passed on unread.
    pub tracestate: Option<String>,
}

impl TraceContext {
    /// From the headers of a request.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        Self::checked(text("traceparent"), text("tracestate"))
    }

    /// From what a sender attached to a message: `traceparent`, or `Diagnostic-Id` as Azure's own clients name it.
    #[must_use]
    pub fn of_message(properties: &Map<String, Value>) -> Self {
        let text = |name| member(properties, name).and_then(Value::as_str);
        Self::checked(text("traceparent").or_else(|| text("Diagnostic-Id")), text("tracestate"))
    }

    /// True when there is no trace to go on with.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.traceparent.is_none()
    }

    fn checked(traceparent: Option<&str>, tracestate: Option<&str>) -> Self {
        let Some(traceparent) = traceparent.map(str::trim).filter(|text| is_traceparent(text)) else {
            return Self::default();
        };
        let tracestate = tracestate.filter(|text| text.len() <= TRACESTATE_MAX_CHARS).map(str::to_owned);
        Self { traceparent: Some(traceparent.to_owned()), tracestate }
    }
}

/// Whether a text is `<2>-<32>-<16>-<2>` in lower-case hexadecimal digits, with no part that W3C calls invalid.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, span, flags] = parts.as_slice() else { return false };
    let hex =
        |part: &str, chars: usize| part.len() == chars && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let some = |part: &str| part.bytes().any(|b| b != b'0');
    hex(version, 2) && *version != "ff" && hex(trace, 32) && some(trace) && hex(span, 16) && some(span) && hex(flags, 2)
}

/// One element of a batch: an object, or a string that holds one.
fn event_object(element: Value) -> Result<Value, DecodeError> {
    let element = match element {
        Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::Null),
        other => other,
    };
    if element.is_object() { Ok(element) } else { Err(DecodeError::NotWanted(Wanted::Events)) }
}

/// A member by name; the same case wins over another case.
fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let any_case = || object.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    object.get(name).or_else(any_case)
}
