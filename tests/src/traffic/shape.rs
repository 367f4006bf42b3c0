//! Reduces a call with its answer to its shape: operation, status, api-version, JSON paths with types, values of enums.
//! It never keeps a value that could be a name, an id, a time or a token; what differs by those alone has one shape.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use lifeboat_simulator::azure::Exchange;
use serde_json::Value;

/// Longer texts are no values of an enum.
const WORD_MAX: usize = 40;
/// Longer names of members are ids that somebody put there.
const NAME_MAX: usize = 60;
/// Members whose texts are a person's or a resource's own.
const FREE: [&str; 5] = ["name", "id", "message", "location", "displayname"];
/// Parts of a path that are longer than this are no words.
const PART_MAX: usize = 40;

/// What was read out of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The shape as one number: equal for equal shapes in every process of one build.
    pub number: u64,
    /// The link to a next page that the answer gives.
    pub link: Option<String>,
}

/// Reduces an exchange: who asked, and whether by a link that an earlier answer gave.
pub fn of(exchange: &Exchange, is_client: bool, is_followed: bool) -> Shape {
    let mut hasher = DefaultHasher::new();
    (is_client, is_followed, exchange.ordered, &exchange.method, exchange.status, &exchange.api_version)
        .hash(&mut hasher);
    match exchange.pattern {
        "" => place(&exchange.url).hash(&mut hasher),
        pattern => pattern.hash(&mut hasher),
    }
    if !is_followed {
        // A link's own parameters are ARM's affair.
        query(&exchange.url).hash(&mut hasher);
    }
    for name in ["content-type", "if-match", "if-none-match"] {
        header(&exchange.request_headers, name).is_some().hash(&mut hasher);
    }
    for name in ["content-type", "x-ms-failure-cause"] {
        header(&exchange.headers, name).hash(&mut hasher);
    }
    let mut link = None;
    body(&exchange.request_body, &mut None).hash(&mut hasher);
    body(&exchange.body, &mut link).hash(&mut hasher);
    Shape { number: hasher.finish(), link }
}

/// A header's value.
pub fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
}

/// A path that no route answers, with its names taken out.
fn place(url: &str) -> Vec<String> {
    let path = url.split('?').next().unwrap_or_default().split('/').skip(3);
    let is_word =
        |part: &str| part.len() <= PART_MAX && part.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'.');
    path.map(|part| if is_word(part) { part.to_ascii_lowercase() } else { String::new() }).collect()
}

/// The query's names, each with what could be a value of an enum.
fn query(url: &str) -> BTreeSet<(String, Option<String>)> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // Signatures of status URLs are under names of one letter.
            let is_free = name.len() == 1;
            (name.to_owned(), (!is_free && is_word(value)).then(|| value.to_owned()))
        })
        .collect()
}

/// The hashes of all paths in a body, sorted, each once.
fn body(bytes: &[u8], link: &mut Option<String>) -> Vec<u64> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => {
            *link = value.get("nextLink").and_then(Value::as_str).map(str::to_owned);
            walk(&value, 0, false, &mut found);
        }
        Err(_) => found.push(1),
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn walk(value: &Value, at: u64, is_free: bool, found: &mut Vec<u64>) {
    match value {
        Value::Null => found.push(step(at, "null")),
        Value::Bool(value) => found.push(step(at, if *value { "true" } else { "false" })),
        Value::Number(number) if number.is_f64() => found.push(step(at, "number")),
        Value::Number(_) => found.push(step(at, "integer")),
        Value::String(text) if !is_free && is_word(text) => found.push(step(step(at, "text"), text)),
        Value::String(_) => found.push(step(at, "text")),
        Value::Array(items) => {
            let inside = step(at, "[]");
            found.push(inside);
            items.iter().for_each(|item| walk(item, inside, is_free, found));
        }
        Value::Object(members) => {
            let inside = step(at, "{}");
            found.push(inside);
            for (name, member) in members {
                let is_key = name.len() <= NAME_MAX && !name.contains('/');
                // The names of tags are people's own, and so are their values.
                let is_tags = name == "tags";
                if is_tags {
                    found.push(step(inside, if member.is_object() { "tags" } else { "no tags" }));
                    continue;
                }
                let is_free = FREE.iter().any(|free| name.eq_ignore_ascii_case(free));
                walk(member, step(inside, if is_key { name } else { "*" }), is_free, found);
            }
        }
    }
}

fn step(at: u64, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (at, name).hash(&mut hasher);
    hasher.finish()
}

/// Whether a text could be a value of an enum: one word, of letters, begun by one.
fn is_word(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= WORD_MAX
        && bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| {
            byte.is_ascii_alphabetic()
                || matches!(byte, b'_' | b'/' | b'.')
                // `Standard_D2s_v5` is a value, `vm1` a name.
                || (byte.is_ascii_digit() && text.as_bytes()[0].is_ascii_uppercase())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(url: &str, body: &'static str) -> Exchange {
        Exchange {
            method: "GET".to_owned(),
            url: url.to_owned(),
            request_headers: Vec::new(),
            request_body: bytes::Bytes::new(),
            api_version: Some("2025-04-01".to_owned()),
            action: "",
            pattern: "/subscriptions/{}",
            status: 200,
            headers: Vec::new(),
            body: bytes::Bytes::from_static(body.as_bytes()),
            ordered: false,
        }
    }

    #[test]
    fn names_ids_and_times_make_no_new_shape_and_states_types_and_members_do() {
        let url = "https://management.azure.com/subscriptions/a?api-version=2025-04-01";
        let shape = |url: &str, body| of(&exchange(url, body), true, false);
        let one = shape(url, r#"{"id":"/a/b1","name":"vm1","state":"Succeeded","list":[{"n":1}],"tags":{"a":"b"}}"#);
        let same = r#"{"list":[{"n":7},{"n":9}],"id":"/c","name":"other","state":"Succeeded","tags":{"c":"d"}}"#;
        assert_eq!(one, shape(url, same));
        for other in [
            r#"{"id":"/a/b1","name":"vm1","state":"Failed","list":[{"n":1}],"tags":{"a":"b"}}"#,
            r#"{"id":"/a/b1","name":"vm1","state":"Succeeded","list":[{"n":"1"}],"tags":{"a":"b"}}"#,
            r#"{"id":"/a/b1","name":"vm1","state":"Succeeded","list":[{"n":1}]}"#,
        ] {
            assert_ne!(one, shape(url, other), "{other}");
        }
        assert_ne!(one, shape(&format!("{url}&$expand=instanceView"), same));
    }
}
