//! Lenient reading of what Azure sends: names of fields without regard to case, numbers for texts and texts for numbers.
//! It never fails: what is not there, or not readable, is none.

use jiff::Timestamp;
use serde_json::Value;

/// The longest text that is read; ids and names of Azure's are below it.
const TEXT_CHARS_MAX: usize = 2_048;

/// A field, without regard to case.
pub fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    object.get(name).or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// A text that is not empty.
pub fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    let text = field(value, name)?.as_str()?.trim();
    (!text.is_empty() && text.chars().count() <= TEXT_CHARS_MAX).then_some(text)
}

/// A text in lower case without blanks, dashes and underscores: `Resource Health` and `ResourceHealth` are one.
pub fn word(value: &Value, name: &str) -> Option<String> {
    text(value, name).map(plain)
}

/// The same of a text.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// A time of RFC 3339.
pub fn time(value: &Value, name: &str) -> Option<Timestamp> {
    text(value, name)?.parse().ok()
}

/// True where a mark is there and does not say that it is false: `"True"`, `true`, `1`.
pub fn is_marked(value: &Value, name: &str) -> bool {
    match field(value, name) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(mark)) => *mark,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !matches!(plain(text).as_str(), "false" | "0" | "no" | ""),
        Some(_) => true,
    }
}

/// The items of a list; none where it is no list.
pub fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    field(value, name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The texts of a list, or one text alone.
pub fn texts<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    match field(value, name) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(text)) => vec![text],
        _ => Vec::new(),
    }
}
