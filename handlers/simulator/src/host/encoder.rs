//! The body of an invocation: `{"Data":{…},"Metadata":{…}}`, each value in the form in which the host sends it.
//! It never knows a trigger, and never sends a metadata name that ends in "trigger".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::dates;
use super::json::{Json, quoted};

/// A value by its .NET kind, which decides how it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Arrives as base64.
    Bytes(Vec<u8>),
    /// `DateTime`: arrives without fraction and zone.
    Time(Timestamp),
    /// `DateTimeOffset`: arrives without fraction.
    TimeOffset(Timestamp),
    /// The last moment that .NET knows, as `DateTime`.
    EndOfTime,
    /// The last moment that .NET knows, as `DateTimeOffset`.
    EndOfTimeOffset,
    /// Arrives as a JSON object.
    Object(Json),
    /// Arrives as a string that holds a JSON string.
    Text(String),
    /// A number, a truth value or a list: arrives as a string that holds its JSON.
    Json(Json),
    /// `"null"` in Data, left out of Metadata.
    Null,
}

/// The binding data of one invocation, in order; names differ in more than case.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Metadata(Vec<(String, Value)>);

impl Value {
    /// A value inside an event or a property bag: objects stay objects, all else is a string with JSON in it.
    pub(super) fn of_json(value: &Json) -> Self {
        match value {
            Json::Null => Value::Null,
            Json::Object(_) => Value::Object(value.clone()),
            Json::Text(text) => Value::Text(text.clone()),
            other => Value::Json(other.clone()),
        }
    }

    /// A text, or nothing.
    pub(super) fn optional(text: Option<&str>) -> Self {
        text.map_or(Value::Null, |text| Value::Text(text.to_owned()))
    }

    /// A whole number.
    pub(super) fn whole(number: u64) -> Self {
        Value::Json(Json::Number(number.to_string()))
    }

    fn encoded(&self) -> Json {
        match self {
            Value::Bytes(bytes) => Json::Text(STANDARD.encode(bytes)),
            Value::Time(at) => Json::Text(dates::seconds(*at)),
            Value::TimeOffset(at) => Json::Text(format!("{}+00:00", dates::seconds(*at))),
            Value::EndOfTime => Json::text("9999-12-31T23:59:59"),
            Value::EndOfTimeOffset => Json::text("9999-12-31T23:59:59+00:00"),
            Value::Object(value) => value.clone(),
            Value::Text(text) => Json::Text(quoted(text)),
            Value::Json(value) => Json::Text(value.to_string()),
            Value::Null => Json::text("null"),
        }
    }
}

impl Metadata {
    /// Puts a value under a name; one that is there, in any case, keeps its place and its spelling.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, known)) => *known = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// The entry of the host itself; under `$sys` when the trigger's data took the name.
    pub(super) fn set_system(&mut self, function: &str, now: Timestamp, guid: &str) {
        let system = Json::object([
            ("MethodName", Json::text(function)),
            ("UtcNow", Json::Text(format!("{}Z", dates::precise(now)))),
            ("RandGuid", Json::text(guid)),
        ]);
        let taken = self.0.iter().any(|(name, _)| name.eq_ignore_ascii_case("sys"));
        self.set(if taken { "$sys" } else { "sys" }, Value::Object(system));
    }

    /// Copies the members of a text that looks like a JSON object over what is there, as the host does.
    pub(super) fn pollute(&mut self, text: &str) {
        let trimmed = text.trim();
        if !(trimmed.starts_with('{') && trimmed.ends_with('}')) {
            return;
        }
        let Ok(Json::Object(members)) = Json::parse(trimmed) else { return };
        for (name, value) in members {
            let value = match value {
                Json::Null | Json::List(_) => continue,
                Json::Object(_) => Value::Object(dates::rewritten_value(&value)),
                Json::Bool(truth) => Value::Text(if truth { "True" } else { "False" }.to_owned()),
                Json::Number(text) => Value::Text(dates::number(&text, false)),
                Json::Text(text) => Value::Text(dates::invariant(&text).unwrap_or(text)),
            };
            self.set(&name, value);
        }
    }
}

/// The whole body.
pub(super) fn body(binding: &str, value: &Value, metadata: &Metadata) -> String {
    let data = Json::Object(vec![(binding.to_owned(), value.encoded())]);
    let entries = metadata
        .0
        .iter()
        .filter(|(name, value)| !matches!(value, Value::Null) && !name.to_ascii_lowercase().ends_with("trigger"));
    let metadata = Json::Object(entries.map(|(name, value)| (name.clone(), value.encoded())).collect());
    Json::object([("Data", data), ("Metadata", metadata)]).to_string()
}

/// Bytes of a message as the text that the host makes of them: byte order marks decide, then UTF-8 with replacement.
pub(super) fn decoded_text(bytes: &[u8]) -> String {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}
