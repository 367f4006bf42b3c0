//! Holds what no document describes to the recording that it rests on: a request is the recorded one but for its names, and an answer
//! has the shape of a recorded one.
//! It never judges a refusal, which is held to ARM's own shape as any other.

use std::collections::BTreeSet;
use std::path::Path;

use lifeboat_azure::operations::{self, Operation};
use lifeboat_tests::openapi::{Body, Finding, Traffic};
use serde_json::Value;

/// An operation that rests on a recording alone.
pub struct Recorded {
    /// Its place in the client's registry.
    pub at: usize,
    operation: &'static Operation,
    tape: &'static str,
    /// The shapes of its recorded answers: each field's path with the kind of its value.
    shapes: Vec<BTreeSet<String>>,
}

/// All of them, with what their recordings show.
pub fn all(data: &Path) -> Vec<Recorded> {
    let registered = operations::ALL.iter().enumerate();
    let alone = registered.filter_map(|(at, operation)| Some((at, *operation, operations::recorded_alone(operation)?)));
    alone.map(|(at, operation, tape)| Recorded { at, operation, tape, shapes: shapes(data, operation, tape) }).collect()
}

fn shapes(data: &Path, operation: &Operation, tape: &str) -> Vec<BTreeSet<String>> {
    let text = std::fs::read_to_string(data.join("recordings").join(tape)).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of a recording is JSON"));
    let own = lines.filter(|line| {
        let path = line["path"].as_str().and_then(|path| path.split('?').next()).unwrap_or_default();
        line["method"] == operation.method && line["status"] == 200 && fits(operation.path, path)
    });
    own.map(|line| shape(&line["response"])).collect()
}

impl Recorded {
    /// Whether a call is of this operation.
    pub fn is(&self, traffic: &Traffic) -> bool {
        traffic.method == self.operation.method && fits(self.operation.path, &traffic.path)
    }

    /// What of a request is not as recorded.
    pub fn request(&self, traffic: &Traffic) -> Vec<Finding> {
        let mut found = Vec::new();
        if traffic.query != [("api-version".to_owned(), self.operation.api_version.to_owned())] {
            found.push(self.finding("query", "the recorded api-version, and nothing else"));
        }
        if traffic.request != Body::Empty {
            found.push(self.finding("request", "no body"));
        }
        found
    }

    /// What of an answer that is no refusal is not as recorded.
    pub fn answer(&self, traffic: &Traffic) -> Vec<Finding> {
        let is_recorded = match &traffic.answer {
            Body::Json(body) => traffic.status == 200 && self.shapes.contains(&shape(body)),
            Body::Empty | Body::Other => false,
        };
        if is_recorded { Vec::new() } else { vec![self.finding("answer", "the shape of a recorded answer")] }
    }

    fn finding(&self, place: &str, expected: &str) -> Finding {
        Finding {
            document: self.tape.to_owned(),
            operation: self.operation.action.to_owned(),
            place: place.to_owned(),
            expected: expected.to_owned(),
        }
    }
}

/// Whether a path is made by a template of which each parameter is one part.
fn fits(template: &str, path: &str) -> bool {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let is_one = |(word, part): (&&str, &&str)| word.starts_with('{') || word.eq_ignore_ascii_case(part);
    wanted.len() == given.len() && wanted.iter().zip(&given).all(is_one)
}

fn shape(body: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, place: &str, found: &mut BTreeSet<String>) {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "truth",
            Value::Number(_) => "number",
            Value::String(_) => "text",
            Value::Array(_) => "list",
            Value::Object(_) => "object",
        };
        found.insert(format!("{place} {kind}"));
        match value {
            Value::Array(list) => list.iter().for_each(|one| walk(one, &format!("{place}/*"), found)),
            Value::Object(fields) => fields.iter().for_each(|(name, one)| walk(one, &format!("{place}/{name}"), found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(body, "", &mut found);
    found
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn what_a_recording_does_not_show_is_told() {
    let Some(data) = lifeboat_tests::data::azure_data("the recordings") else { return };
    for recorded in all(&data) {
        assert!(!recorded.shapes.is_empty(), "{} answers no {}", recorded.tape, recorded.operation.action);
        let odd = Traffic {
            query: vec![("api-version".to_owned(), "2020-01-01".to_owned())],
            request: Body::Json(Value::Null),
            status: 200,
            answer: Body::Json(serde_json::json!({ "id": "/x", "properties": { "other": true } })),
            ..Traffic::default()
        };
        let told: Vec<String> =
            recorded.request(&odd).into_iter().chain(recorded.answer(&odd)).map(|one| one.place).collect();
        assert_eq!(told, ["query", "request", "answer"]);
    }
}
