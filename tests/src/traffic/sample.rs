//! One call with its answer in full, in the form that Microsoft's `oav validate-traffic` reads, and how it is read again.
//! It never holds a token.

use std::collections::BTreeMap;
use std::path::Path;

use lifeboat_simulator::azure::Exchange;
use serde_json::{Map, Value, json};

use crate::openapi::{Body, Traffic};

/// A shape of the run.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its number.
    pub shape: String,
    /// How often it came.
    pub count: u64,
    /// Whether Lifeboat's client sent the request.
    pub is_client: bool,
    /// Whether it was asked only so that each operation is spoken once.
    pub is_exercise: bool,
    /// Whether the answer was damaged on order.
    pub is_ordered: bool,
    /// The action of the simulator's route; empty where none answered.
    pub action: String,
    /// The api-version that the request gave.
    pub api_version: Option<String>,
    /// What went over the wire.
    pub traffic: Traffic,
    /// The same, as `oav` reads it.
    pub live: Value,
}

/// The sample of a shape.
pub fn of(exchange: &Exchange, is_client: bool, is_followed: bool, is_exercise: bool) -> Value {
    let mut request =
        json!({ "method": exchange.method, "url": exchange.url, "headers": members(&exchange.request_headers) });
    let mut response = json!({ "statusCode": exchange.status.to_string(), "headers": members(&exchange.headers) });
    // Where there is no body the pair has no member for it.
    for (pair, bytes) in [(&mut request, &exchange.request_body), (&mut response, &exchange.body)] {
        if !bytes.is_empty() {
            pair["body"] = body(bytes);
        }
    }
    json!({
        "isClient": is_client,
        "isFollowed": is_followed,
        "isExercise": is_exercise,
        "isOrdered": exchange.ordered,
        "action": exchange.action,
        "apiVersion": exchange.api_version,
        "live": { "liveRequest": request, "liveResponse": response },
    })
}

/// All shapes of a run, most frequent first.
pub fn read_all(folder: &Path) -> Vec<Seen> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut samples = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(stem) = name.strip_suffix(".json") else { continue };
        let read = || serde_json::from_slice(&std::fs::read(entry.path()).expect("a readable file")).expect("JSON");
        if stem.starts_with("counts-") {
            let own: BTreeMap<String, u64> = serde_json::from_value(read()).expect("counts");
            own.into_iter().for_each(|(shape, count)| *counts.entry(shape).or_default() += count);
        } else if let Some(shape) = stem.strip_prefix("shape-") {
            samples.push((shape.to_owned(), read()));
        }
    }
    // A shape that was written by a process that died before it counted came once at least.
    let seen = samples.into_iter().map(|(shape, sample)| {
        let count = counts.get(&shape).copied().unwrap_or(1);
        read(shape, count, sample)
    });
    let mut seen: Vec<Seen> = seen.collect();
    seen.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.shape.cmp(&b.shape)));
    seen
}

fn read(shape: String, count: u64, sample: Value) -> Seen {
    let live = sample["live"].clone();
    Seen {
        shape,
        count,
        is_client: sample["isClient"] == Value::Bool(true),
        is_exercise: sample["isExercise"] == Value::Bool(true),
        is_ordered: sample["isOrdered"] == Value::Bool(true),
        action: sample["action"].as_str().unwrap_or_default().to_owned(),
        api_version: sample["apiVersion"].as_str().map(str::to_owned),
        traffic: Traffic { is_followed: sample["isFollowed"] == Value::Bool(true), ..traffic(&live) },
        live,
    }
}

/// A pair of liveRequest and liveResponse, taken apart.
pub fn traffic(live: &Value) -> Traffic {
    let (request, response) = (&live["liveRequest"], &live["liveResponse"]);
    let url = azure_core::http::Url::parse(request["url"].as_str().unwrap_or_default()).expect("a URL");
    let path = percent_decoded(url.path());
    Traffic {
        method: request["method"].as_str().unwrap_or_default().to_owned(),
        path,
        query: url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        is_followed: false,
        request_headers: pairs(&request["headers"]),
        request: body_of(&request["body"]),
        status: response["statusCode"].as_str().and_then(|status| status.parse().ok()).unwrap_or_default(),
        headers: pairs(&response["headers"]),
        answer: body_of(&response["body"]),
    }
}

fn members(headers: &[(String, String)]) -> Map<String, Value> {
    headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect()
}

fn pairs(headers: &Value) -> Vec<(String, String)> {
    let members = headers.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.to_ascii_lowercase(), value.as_str().unwrap_or_default().to_owned())).collect()
}

/// A body; what is no JSON stands as a text under a name of its own.
fn body(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| json!({ NOT_JSON: String::from_utf8_lossy(bytes) }))
}

const NOT_JSON: &str = "(no JSON)";

fn body_of(value: &Value) -> Body {
    match value {
        Value::Null => Body::Empty,
        other if other.get(NOT_JSON).is_some() => Body::Other,
        other => Body::Json(other.clone()),
    }
}

fn percent_decoded(path: &str) -> String {
    let (mut decoded, bytes) = (Vec::new(), path.as_bytes());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%').then(|| path.get(at + 1..at + 3)).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
