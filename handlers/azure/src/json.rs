//! Reads what Azure answered: leniently, because it says more, less and in another case than its documents.
//!
//! It never panics, and a missing or misshapen optional field is an absent one.

use crate::{id::ResourceId, said};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// What stands at a JSON pointer. Pointers here are our own and have no escapes, which spares two copies a part: a page of
/// Resource Graph is read by some ten thousand of them.
pub(crate) fn at<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer.split('/').skip(1).try_fold(value, |value, part| match value {
        Value::Object(fields) => fields.get(part),
        Value::Array(entries) => entries.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The text at a JSON pointer.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    at(value, pointer)?.as_str()
}

/// The text at a JSON pointer, if there is something in it.
pub(crate) fn filled(value: &Value, pointer: &str) -> Option<String> {
    string(value, pointer).filter(|text| !text.is_empty())
}

/// What Azure says to people at a JSON pointer, if there is something in it: bounded, without tokens and signed queries.
pub(crate) fn words(value: &Value, pointer: &str) -> Option<String> {
    text(value, pointer).filter(|text| !text.is_empty()).map(said::clean)
}

/// The id at a JSON pointer; what is no id of ours is absent. Some documents leave the first slash out.
pub(crate) fn id(value: &Value, pointer: &str) -> Option<ResourceId> {
    let text = text(value, pointer)?;
    text.parse().ok().or_else(|| format!("/{text}").parse().ok())
}

/// The texts in the list at a JSON pointer.
pub(crate) fn texts(value: &Value, pointer: &str) -> Vec<String> {
    list(value, pointer).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The whole number at a JSON pointer.
pub(crate) fn number(value: &Value, pointer: &str) -> Option<i64> {
    at(value, pointer)?.as_i64()
}

/// The truth at a JSON pointer.
pub(crate) fn truth(value: &Value, pointer: &str) -> Option<bool> {
    at(value, pointer)?.as_bool()
}

/// An owned copy of the text at a JSON pointer.
pub(crate) fn string(value: &Value, pointer: &str) -> Option<String> {
    text(value, pointer).map(str::to_owned)
}

/// The list at a JSON pointer; none is an empty one.
pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    at(value, pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What Azure writes for "never": .NET's first moment, and Azure Backup's.
const NEVER: [&str; 2] = ["0001-01-01", "2001-01-01"];

/// The time at a JSON pointer. Resource Graph leaves the offset out at times; Azure's times are UTC. *Never* is no time.
pub(crate) fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    moment(text(value, pointer)?)
}

/// The time that a text says, if it is one of Azure's.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    if NEVER.iter().any(|never| text.starts_with(never)) {
        return None;
    }
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

#[cfg(test)]
mod tests {
    use super::time;
    use serde_json::json;

    #[test]
    fn azures_ways_to_write_never_are_no_times() {
        for never in
            ["0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00", "2001-01-01T00:00:00Z"]
        {
            assert_eq!(time(&json!({ "t": never }), "/t"), None, "{never}");
        }
        for known in ["2001-01-02T00:00:00Z", "2026-11-22T02:00:00", "2024-03-12T08:18:50.3662257+00:00"] {
            assert!(time(&json!({ "t": known }), "/t").is_some(), "{known}");
        }
    }
}
