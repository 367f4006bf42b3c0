//! What an answer hands out, an id, a GUID, a token or a status URL, is Azure's in the tape and the simulator's own here:
//! requests that come later in the tape carry the simulator's.
//! It never replaces what a request brought itself.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::tape::{Line, Said, key};

/// The headers that hand out the URL of an operation.
pub const URL_HEADERS: [&str; 2] = ["azure-asyncoperation", "location"];
/// Fields whose value is an opaque token for the next page.
const TOKENS: [&str; 3] = ["$skiptoken", "skiptoken", "nextlink"];
/// Length of a GUID as it is written, in characters.
const GUID_CHARACTERS: usize = 36;

/// What was handed out so far: the tape's words and what the simulator said in their stead.
#[derive(Debug, Default)]
pub struct Names {
    urls: BTreeMap<UrlKey, String>,
    words: BTreeMap<String, String>,
}

/// A URL of an operation without what the recorder struck out of its query: the path, and whether it is the one that
/// answers with the result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UrlKey {
    /// The path in lower case.
    pub path: String,
    monitor: bool,
}

/// A request as it is sent to the simulator.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Path and query.
    pub target: String,
    /// The body; null where there is none.
    pub body: Value,
}

impl UrlKey {
    /// Of a URL, or of a path with its query.
    pub fn of(url: &str) -> Self {
        let target = without_host(url);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self { path: key(path), monitor: query.to_lowercase().split('&').any(|pair| pair == "monitor=true") }
    }
}

impl Names {
    /// Learns from an answer of the tape and the simulator's answer to the same request.
    pub fn learn(&mut self, theirs: &Said, ours: &Said) {
        for name in URL_HEADERS {
            if let (Some(theirs), Some(ours)) = (theirs.headers.get(name), ours.headers.get(name)) {
                self.urls.insert(UrlKey::of(theirs), without_host(ours).to_owned());
                let (name, own) = (operation_in(theirs), operation_in(ours));
                if is_guid(name) {
                    self.words.insert(name.to_lowercase(), own.to_owned());
                }
            }
        }
        self.learn_body("", &theirs.body, &ours.body);
    }

    fn learn_body(&mut self, field: &str, theirs: &Value, ours: &Value) {
        match (theirs, ours) {
            (Value::Object(theirs), Value::Object(ours)) => {
                for (name, value) in theirs {
                    if let Some(own) = ours.get(name) {
                        self.learn_body(name, value, own);
                    }
                }
            }
            (Value::Array(theirs), Value::Array(ours)) => {
                for (value, own) in paired(theirs, ours) {
                    self.learn_body(field, value, own);
                }
            }
            (Value::String(theirs), Value::String(ours)) if !theirs.eq_ignore_ascii_case(ours) => {
                let is_token = TOKENS.contains(&field.to_lowercase().as_str());
                if is_token || is_guid(theirs) || theirs.to_lowercase().starts_with("/subscriptions/") {
                    self.words.insert(key(theirs), ours.clone());
                }
            }
            _ => {}
        }
    }

    /// Whether the URL that a line polls was handed out here too, or the name of the operation or job that it asks for.
    pub fn knows(&self, line: &Line) -> bool {
        self.urls.contains_key(&UrlKey::of(&line.target)) || self.words.contains_key(last_part(&line.key()))
    }

    /// The line's request with the simulator's names in it.
    pub fn request(&self, line: &Line) -> Asked {
        if let Some(url) = self.urls.get(&UrlKey::of(&line.target)) {
            return Asked { target: url.clone(), body: line.request.clone() };
        }
        if let Some(link) = self.words.iter().find(|(word, _)| without_host(word) == line.target.to_lowercase()) {
            return Asked { target: without_host(link.1).to_owned(), body: line.request.clone() };
        }
        let (path, query) = line.target.split_once('?').unwrap_or((&line.target, ""));
        let mark = if query.is_empty() { "" } else { "?" };
        Asked { target: format!("{}{mark}{query}", self.in_text(path)), body: self.in_body(&line.request) }
    }

    fn in_body(&self, body: &Value) -> Value {
        match body {
            Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), self.in_body(value))).collect(),
            Value::Array(list) => list.iter().map(|value| self.in_body(value)).collect(),
            Value::String(text) => Value::String(self.in_text(text)),
            other => other.clone(),
        }
    }

    /// The text, or what stands for it; an id that goes on below a replaced one keeps what goes on.
    fn in_text(&self, text: &str) -> String {
        if let Some(own) = self.words.get(&key(text)) {
            return own.clone();
        }
        for (end, _) in text.rmatch_indices('/') {
            if let Some(own) = self.words.get(&key(&text[..end])).filter(|_| end > 0) {
                return format!("{own}{}", self.in_parts(&text[end..]));
            }
        }
        self.in_parts(text)
    }

    fn in_parts(&self, text: &str) -> String {
        if !text.contains('/') {
            return text.to_owned();
        }
        let own = |part: &str| self.words.get(&part.to_lowercase()).cloned().unwrap_or_else(|| part.to_owned());
        text.split('/').map(own).collect::<Vec<_>>().join("/")
    }
}

/// The elements of two lists that stand for each other: those with one id, then the others in their order.
fn paired<'a>(theirs: &'a [Value], ours: &'a [Value]) -> Vec<(&'a Value, &'a Value)> {
    let same = |one: &Value, other: &Value| {
        let id = one["id"].as_str().map(key);
        id.is_some() && id == other["id"].as_str().map(key)
    };
    let has = |list: &[Value], one: &Value| list.iter().any(|other| same(one, other));
    let both = theirs.iter().filter_map(|value| Some((value, ours.iter().find(|own| same(value, own))?)));
    let rest = theirs.iter().filter(|value| !has(ours, value)).zip(ours.iter().filter(|own| !has(theirs, own)));
    both.chain(rest).collect()
}

/// The name of the operation in its URL.
pub fn operation_in(url: &str) -> &str {
    last_part(url.split('?').next().unwrap_or_default())
}

/// The last part of a path.
pub fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Whether a text is a GUID.
pub fn is_guid(text: &str) -> bool {
    text.len() == GUID_CHARACTERS
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Path and query of a URL; a path stays as it is.
pub fn without_host(url: &str) -> &str {
    match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => url,
    }
}
