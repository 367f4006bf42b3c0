//! Decodes the JSON envelope of an invocation and the tolerant values inside it.
//! It never panics, never decodes what nobody asks for, and never trusts Metadata beyond its type.
//!
//! A value may be an object, a string that holds JSON, or a plain string: the host encodes by the .NET type, older bundles and
//! copied message properties by another. So each reader here says which type it wants, and takes any encoding of it.

use std::fmt;

use jiff::{Timestamp, civil, tz::TimeZone};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// How many strings in strings are opened: recordings show two (`"\"99\""`); one more costs nothing and forgives a relay.
const STRING_LAYERS_MAX: usize = 3;

/// What was wrong with an invocation. A repeat of the same bytes fails the same way, but the message is not lost: the host delivers it
/// again and at last dead-letters it, where a person sees it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The body is not JSON of the envelope's shape, or nested deeper than the parser goes.
    #[error("the body is not an invocation envelope (line {line}, column {column})")]
    NotAnEnvelope {
        /// Line in the body, from 1.
        line: usize,
        /// Column in that line.
        column: usize,
    },
    /// The envelope has no `Data`, or nothing in it.
    #[error("the envelope has no trigger value under Data")]
    NoTrigger,
    /// The trigger's value is none of the encodings of what was wanted.
    #[error("the trigger's value is not {0}")]
    NotWanted(Wanted),
}

/// What a reader wanted the trigger's value to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// One event or an array of events.
    Events,
    /// The body of a message.
    Body,
    /// The state of a timer.
    Timer,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Events => "an event or an array of events",
            Self::Body => "the body of a message",
            Self::Timer => "the state of a timer",
        })
    }
}

/// `{"Data":{…},"Metadata":{…}}`, names in any case.
#[derive(Debug, Default)]
pub struct Envelope {
    /// One entry for each input binding, the trigger's first.
    pub data: Fields,
    /// What the trigger says about itself; can hold properties copied out of a message.
    pub metadata: Fields,
}

impl Envelope {
    /// Reads the body of `POST /<Function>`.
    pub fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let envelope: Self = serde_json::from_slice(body)
            .map_err(|error| DecodeError::NotAnEnvelope { line: error.line(), column: error.column() })?;
        if envelope.data.is_empty() { Err(DecodeError::NoTrigger) } else { Ok(envelope) }
    }
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts;
        impl<'de> Visitor<'de> for Parts {
            type Value = Envelope;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with Data and Metadata")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope, A::Error> {
                let mut envelope = Envelope::default();
                while let Some(name) = map.next_key::<String>()? {
                    if name.eq_ignore_ascii_case("Data") {
                        envelope.data = map.next_value::<Option<Fields>>()?.unwrap_or_default();
                    } else if name.eq_ignore_ascii_case("Metadata") {
                        envelope.metadata = map.next_value::<Option<Fields>>()?.unwrap_or_default();
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(envelope)
            }
        }
        deserializer.deserialize_map(Parts)
    }
}

/// Named values in the order they came, each decoded only when asked for: an event's data comes twice, and only one copy is read.
#[derive(Debug, Default)]
pub struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    /// True when there is no value at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The first value: in Data, the trigger's.
    #[must_use]
    pub fn first(&self) -> Option<&RawValue> {
        self.0.first().map(|(_, value)| value.as_ref())
    }

    /// The JSON text of a value. A name in the same case wins over one in another case.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&RawValue> {
        let exact = self.0.iter().find(|(own, _)| own == name);
        let found = exact.or_else(|| self.0.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)));
        found.map(|(_, value)| value.as_ref())
    }

    /// A text, in whichever encoding; an empty text counts as one.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        text(self.raw(name)?)
    }

    /// A whole number that is not negative.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        match opened(self.raw(name)?)? {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A time; one without a zone is UTC. .NET's "never" (year 1) and "always" (year 9999) are none.
    #[must_use]
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        time(&self.text(name)?)
    }

    /// An object, or a string that holds one.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<serde_json::Map<String, Value>> {
        match opened(self.raw(name)?)? {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of named values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry::<String, Box<RawValue>>()? {
                    entries.push(entry);
                }
                Ok(Fields(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// A value with its strings in strings opened as far as they hold JSON; what holds none stays a string.
pub(super) fn opened(raw: &RawValue) -> Option<Value> {
    let mut value: Value = serde_json::from_str(raw.get()).ok()?;
    for _ in 0..STRING_LAYERS_MAX {
        let Value::String(inner) = &value else { break };
        let Ok(next) = serde_json::from_str::<Value>(inner) else { break };
        value = next;
    }
    (!value.is_null()).then_some(value)
}

/// A text: the host puts a string into a string, so exactly one layer of quotes goes.
pub(super) fn text(raw: &RawValue) -> Option<String> {
    match serde_json::from_str(raw.get()).ok()? {
        Value::String(outer) => Some(unquoted(outer)),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The content of a JSON string, or the text itself when it is none.
pub(super) fn unquoted(outer: String) -> String {
    if outer.starts_with('"') { serde_json::from_str(&outer).unwrap_or(outer) } else { outer }
}

/// A time as .NET writes it, with or without a zone and sub-seconds.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => TimeZone::UTC.to_timestamp(text.parse::<civil::DateTime>().ok()?).ok()?,
    };
    // `DateTimeOffset.MinValue` stands for "never"; `MaxValue` is out of range above and already none.
    (TimeZone::UTC.to_datetime(at).year() > 1).then_some(at)
}
