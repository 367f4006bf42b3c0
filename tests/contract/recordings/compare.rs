//! Compares an answer of the simulator with the recorded one: the status, the shape, the states, and whose answer it is.
//! It never compares other values: identifiers, times and sizes are the simulator's own.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::names::URL_HEADERS;
use crate::tape::{Said, key};

/// Paths that are left out of the shape, each with its reason: beginnings, in the notation of [`shape`].
pub const VOLATILE: &[(&str, &str)] = &[("$.tags.Creator:", BY_POLICY), ("$.tags.DateCreated:", BY_POLICY)];

/// Tags that no request of any tape writes, and that groups bear from some moment on.
const BY_POLICY: &str =
    "a policy of the subscription in which the tapes were recorded tags groups some time after they were made";

/// Fields that say where something is in its life, or what was refused and why. Their values are compared, in order.
pub const STATES: &[&str] = &[
    "provisioningState",
    "status",
    "code",
    "level",
    "diskState",
    "powerState",
    "protectionState",
    "protectionStatus",
    "operationalState",
    "availabilityState",
    "replicationState",
    "healthStatus",
    "state",
    "consistencyMode",
    "completionPercent",
    "incremental",
    "endpointStatus",
    "endpointMonitorStatus",
    "profileStatus",
    "profileMonitorStatus",
    "activeLocation",
    "replicationHealth",
    "failoverHealth",
    "allowedOperations",
];

/// How many differences of one answer are told; the rest is counted.
const TOLD: usize = 6;

/// A difference between the recorded answer and ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// Another status; the code of our refusal, where there is one.
    Status { theirs: u16, ours: u16, code: String },
    /// A path with its type that Azure answers and the simulator does not.
    Missing(String),
    /// A path with its type that the simulator answers and Azure does not.
    Added(String),
    /// A state that differs.
    State { theirs: String, ours: String },
    /// One of the two is about the resource of the request, the other is not.
    OtherResource(String),
    /// The tape polls what the simulator never handed out.
    NoStatusUrl,
    /// The client speaks it, and the simulator does not know it.
    NoRoute,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { theirs, ours, code } if code.is_empty() => write!(f, "status {theirs}, ours {ours}"),
            Self::Status { theirs, ours, code } => write!(f, "status {theirs}, ours {ours} {code}"),
            Self::Missing(path) => write!(f, "missing {path}"),
            Self::Added(path) => write!(f, "added {path}"),
            Self::State { theirs, ours } => write!(f, "state {theirs}, ours {ours}"),
            Self::OtherResource(id) => write!(f, "another resource: {id}"),
            Self::NoStatusUrl => write!(f, "the simulator handed out no status URL for it"),
            Self::NoRoute => write!(f, "the simulator has no route for it"),
        }
    }
}

/// All differences between a recorded answer to a path and ours to the same one with our names. Empty: they are equal.
pub fn compare((path, own_path): (&str, &str), theirs: &Said, ours: &Said) -> Vec<Difference> {
    if theirs.status != ours.status {
        let code = ours.body.pointer("/error/code").and_then(Value::as_str).unwrap_or_default().to_owned();
        return vec![Difference::Status { theirs: theirs.status, ours: ours.status, code }];
    }
    let (wanted, given) = (shape(theirs), shape(ours));
    let mut found: Vec<Difference> = Vec::new();
    found.extend(outermost(&wanted, &given).into_iter().map(Difference::Missing));
    found.extend(outermost(&given, &wanted).into_iter().map(Difference::Added));
    found.extend(state_difference(&states(&theirs.body), &states(&ours.body)));
    let own = is_about(theirs, path);
    if own != is_about(ours, own_path) {
        let told = |said: &Said| format!("{} {}", said.body["id"], said.body["name"]);
        found.push(Difference::OtherResource(format!("{}, ours {}", told(theirs), told(ours))));
    }
    found
}

/// Whether the body's id is the path that was asked for, and its name the path's last part: a tape in which the answers
/// about two things changed places is told by that.
pub fn is_about(said: &Said, path: &str) -> [bool; 2] {
    let last = key(path).rsplit('/').next().unwrap_or_default().to_owned();
    let is = |field: &str, wanted: &str| said.body[field].as_str().is_some_and(|text| key(text) == wanted);
    [is("id", &key(path)), is("name", &last)]
}

/// The differences as one text.
pub fn told(differences: &[Difference]) -> String {
    let mut texts: Vec<String> = differences.iter().take(TOLD).map(ToString::to_string).collect();
    if differences.len() > TOLD {
        texts.push(format!("and {} more", differences.len() - TOLD));
    }
    texts.join("; ")
}

/// Every JSON path with its type, elements of lists under `[]`, and the headers that say an operation goes on.
pub fn shape(said: &Said) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for name in URL_HEADERS.iter().filter(|name| said.headers.contains_key(**name)) {
        found.insert(format!("header {name}"));
    }
    walk("$", &said.body, &mut found);
    found.retain(|path| !VOLATILE.iter().any(|(beginning, _)| path.starts_with(beginning)));
    found
}

fn walk(at: &str, value: &Value, found: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    };
    found.insert(format!("{at}: {kind}"));
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, inner)| walk(&format!("{at}.{name}"), inner, found)),
        Value::Array(list) => list.iter().for_each(|inner| walk(&format!("{at}[]"), inner, found)),
        _ => {}
    }
}

/// What one shape has and the other lacks, without what lies below something that is told already.
fn outermost(all: &BTreeSet<String>, less: &BTreeSet<String>) -> Vec<String> {
    let lacking: Vec<&String> = all.difference(less).collect();
    let bare = |path: &str| path.split(": ").next().unwrap_or_default().to_owned();
    let below = |path: &String| {
        lacking.iter().any(|other| {
            let rest = path.strip_prefix(&bare(other)).unwrap_or_default();
            *other != path && (rest.starts_with('.') || rest.starts_with('['))
        })
    };
    lacking.iter().filter(|path| !below(path)).map(|&path| path.clone()).collect()
}

/// The states of a body in order, each with the place of its field.
pub fn states(body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect_states("$", body, &mut found);
    found
}

fn collect_states(at: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                let place = format!("{at}.{name}");
                let text = match inner {
                    Value::String(text) => Some(text.clone()),
                    Value::Bool(yes) => Some(yes.to_string()),
                    Value::Number(number) => Some(in_class(number.as_f64().unwrap_or_default())),
                    // What may be done next is one state of several words.
                    Value::Array(words) if words.iter().all(Value::is_string) => {
                        Some(words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
                    }
                    _ => None,
                };
                if let Some(text) = text.filter(|_| STATES.contains(&name.as_str())) {
                    found.push(format!("{place} = {text}"));
                }
                collect_states(&place, inner, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| collect_states(&format!("{at}[]"), inner, found)),
        _ => {}
    }
}

/// How far something is: not begun, under way, done. How fast it went is no state.
fn in_class(percent: f64) -> String {
    let class = match percent {
        done if done >= 100.0 => "done",
        begun if begun > 0.0 => "under way",
        _ => "not begun",
    };
    class.to_owned()
}

/// The first state that differs.
fn state_difference(theirs: &[String], ours: &[String]) -> Option<Difference> {
    let at = theirs.iter().zip(ours).position(|(theirs, ours)| theirs != ours);
    let at = at.or_else(|| (theirs.len() != ours.len()).then(|| theirs.len().min(ours.len())))?;
    let text = |states: &[String]| states.get(at).cloned().unwrap_or_else(|| "none".to_owned());
    Some(Difference::State { theirs: text(theirs), ours: text(ours) })
}
