//! Whether a value of an answer is found again in what was decoded of it.
//!
//! It never asks how a value was read; it compares texts: what Azure wrote, and what the decoded resource says of itself.

use crate::json;
use jiff::Timestamp;
use serde_json::Value;

/// Words of Azure's that the client has words of its own for.
const WORDS: [(&str, &str); 4] = [("physical", "true"), ("logical", "false"), ("local", "true"), ("", "none")];

/// The values at a pointer; `*` stands for every entry of a list or a map.
pub fn values<'a>(root: &'a Value, pointer: &str) -> Vec<&'a Value> {
    let mut found = vec![root];
    for part in pointer.split('/').skip(1) {
        found = found
            .into_iter()
            .flat_map(|value| match (part, value) {
                ("*", Value::Array(entries)) => entries.iter().collect(),
                ("*", Value::Object(fields)) => fields.values().collect(),
                (name, value) => json::at(value, &format!("/{name}")).into_iter().collect::<Vec<_>>(),
            })
            .collect();
    }
    found.retain(|value| !value.is_null());
    found
}

/// Whether a decoded text has a value in a field; any field if it is the empty name.
pub fn is_in(text: &str, field: &str, value: &Value) -> bool {
    let text = text.to_lowercase();
    if field == "agent" {
        // One code says ready; any other, new ones included, does not.
        let ready = value.as_str().is_some_and(|code| code.eq_ignore_ascii_case("ProvisioningState/succeeded"));
        return stands_in(&text, if ready { "agent: ready" } else { "agent: notready" });
    }
    let name = if field.is_empty() { String::new() } else { format!("{field}: ") };
    spellings(value).iter().any(|spelling| {
        let spelling = spelling.to_lowercase();
        let as_written = [
            format!("{name}{spelling}"),
            format!("{name}some({spelling})"),
            format!("{name}{spelling})"),
            // A word that the client does not know yet.
            format!("{name}other({spelling})"),
        ];
        as_written.iter().any(|sought| stands_in(&text, sought))
    })
}

/// Whether it stands there as a whole: `1` is not in `11`.
fn stands_in(text: &str, sought: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(sought).any(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(part);
        let after = text[at + sought.len()..].chars().next().is_some_and(|c| part(c) && sought.ends_with(part));
        !(after || before && sought.starts_with(part))
    })
}

/// How the client may write a value: as it is, as a region, an id, a time, or a word of its own.
fn spellings(value: &Value) -> Vec<String> {
    let Value::String(text) = value else {
        let whole = value.as_i64().map(|number| format!("{number}.0"));
        return std::iter::once(value.to_string()).chain(whole).collect();
    };
    let word = text.rsplit('/').next().unwrap_or_default();
    let mut all = vec![
        format!("{text:?}"),
        format!("{:?}", crate::said::clean(text)),
        format!("{:?}", json::region(text)),
        format!("resourceid({text})"),
        format!("resourceid(/{text})"),
        word.chars().filter(char::is_ascii_alphanumeric).collect(),
    ];
    if let Some(time) = json::time(&Value::Array(vec![value.clone()]), "/0") {
        all.push(time.to_string());
    }
    let own = WORDS.iter().filter(|(azures, _)| text.eq_ignore_ascii_case(azures));
    all.extend(own.map(|(_, ours)| (*ours).to_owned()));
    all.retain(|spelling| !spelling.is_empty());
    // What Azure writes for "never" is no time, with an offset and without.
    let is_time = [text.clone(), format!("{text}Z")].iter().any(|text| text.parse::<Timestamp>().is_ok());
    if is_time && json::time(&Value::Array(vec![value.clone()]), "/0").is_none() {
        all.push("none".to_owned());
    }
    all
}

/// The same value made another one, which must then not be found.
pub fn altered(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => {
            if let Ok(time) = text.parse::<Timestamp>() {
                return Some(Value::from((time + jiff::SignedDuration::from_secs(61)).to_string()));
            }
            Some(Value::from(format!("{text}-planted")))
        }
        Value::Bool(truth) => Some(Value::from(!truth)),
        Value::Number(number) => Some(Value::from(number.as_i64().unwrap_or(0) + 77_777)),
        _ => None,
    }
}
