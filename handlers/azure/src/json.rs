//! Reads what Azure answered: leniently, because it says more, less and in another case than its documents.
//!
//! It never panics, and a missing or misshapen optional field is an absent one.

use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// The text at a JSON pointer.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

/// An owned copy of the text at a JSON pointer.
pub(crate) fn string(value: &Value, pointer: &str) -> Option<String> {
    text(value, pointer).map(str::to_owned)
}

/// The list at a JSON pointer; none is an empty one.
pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The time at a JSON pointer. Resource Graph leaves the offset out at times; Azure's times are UTC.
pub(crate) fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    let text = text(value, pointer)?;
    text.parse().ok().or_else(|| format!("{text}Z").parse().ok())
}

/// The tags of a resource. A value that is not a text is left out.
pub(crate) fn tags(value: &Value) -> BTreeMap<String, String> {
    let Some(tags) = value.get("tags").and_then(Value::as_object) else {
        return BTreeMap::new();
    };
    tags.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// The name of a region as ARM writes it: `West Europe`, `WestEurope` and `westeurope` are one.
pub fn region(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}
