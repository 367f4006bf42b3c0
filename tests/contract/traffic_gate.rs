//! Holds the shapes of a run to Microsoft's documents: requests of Lifeboat's client, and all answers of the simulator.
//! It never asks the simulator what it meant; it reads what went over the wire.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lifeboat_azure::operations;
use lifeboat_tests::openapi::{Body, Direction, Finding, Operation, Specs, Traffic};
use lifeboat_tests::traffic::sample::Seen;
use serde_json::{Value, json};

use crate::deviations::DEVIATIONS;
use crate::recorded::{self, Recorded};

/// Where ARM's own shapes are written: of errors, and of what a status URL answers.
const COMMON: &str = "specification/common-types/resource-management/v5/types.json";
/// The lowest status that is a refusal.
const REFUSED: u16 = 400;

/// The documents, and where a call belongs in them.
pub struct Gate {
    /// The documents.
    pub specs: Specs,
    /// What rests on a recording alone.
    recorded: Vec<Recorded>,
}

/// Where a call belongs.
pub enum Place {
    /// To an operation of a document.
    Operation(Box<Operation>),
    /// To an operation that a recording alone shows.
    Recorded,
    /// To a status URL, which no document has.
    Status,
    /// To nothing that is documented.
    Nowhere,
}

/// How many, as distinct shapes and as exchanges.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    pub shapes: u64,
    pub exchanges: u64,
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Operations of the registry that were spoken.
    pub spoken: BTreeSet<usize>,
    /// Requests of the client that were held to a document.
    pub requests: Count,
    /// Requests of the client to status URLs, which are followed as they were given.
    pub polls: Count,
    /// Answers that were held to a document.
    pub answers: Count,
    /// Answers to an older api-version than the pinned one, held to the pinned document.
    pub older: Count,
    /// Refusals of what no document has, held to ARM's own shape.
    pub undocumented: Count,
    /// Answers that were damaged on order, and say nothing about the simulator.
    pub ordered: Count,
    /// Deviations that were met, by their place in the list.
    pub met: BTreeMap<usize, Count>,
    /// What is wrong, with the shape and how often it came.
    pub wrong: Vec<String>,
    /// The samples of documented answers: the document, the pair, and whether a deviation was met in it.
    pub samples: Vec<(String, Value, bool)>,
}

impl Count {
    fn add(&mut self, seen: &Seen) {
        self.shapes += 1;
        self.exchanges += seen.count;
    }

    /// As JSON.
    pub fn json(self) -> Value {
        json!({ "shapes": self.shapes, "exchanges": self.exchanges })
    }
}

impl Gate {
    /// Over the folder of Azure's data.
    pub fn over(data: &Path) -> Self {
        Self { specs: Specs::below(&data.join("specs")), recorded: recorded::all(data) }
    }

    /// Where a call belongs: the client's own registry says it for what the client sends.
    pub fn place(&self, traffic: &Traffic, is_client: bool) -> Place {
        if self.recorded(traffic).is_some() {
            return Place::Recorded;
        }
        if is_client && let Some((_, operation)) = self.spoken(traffic) {
            return Place::Operation(Box::new(operation));
        }
        let version = traffic.query.iter().find(|(name, _)| name == "api-version").map(|(_, version)| version.as_str());
        match self.specs.find(&traffic.method, &traffic.path, version) {
            Some(operation) => Place::Operation(Box::new(operation)),
            None if is_status(traffic) => Place::Status,
            None => Place::Nowhere,
        }
    }

    /// The operation that a call is of, where a recording alone shows it.
    fn recorded(&self, traffic: &Traffic) -> Option<&Recorded> {
        self.recorded.iter().find(|recorded| recorded.is(traffic))
    }

    /// The place in the registry of the operation that a request speaks.
    pub fn spoken_at(&self, traffic: &Traffic) -> Option<usize> {
        self.recorded(traffic).map(|recorded| recorded.at).or_else(|| self.spoken(traffic).map(|(at, _)| at))
    }

    /// The operation of the registry that a request speaks, and its place in the registry, where a document has it: of several the most literal one, since
    /// `/{scope}/…` fits what another operation says in words.
    pub fn spoken(&self, traffic: &Traffic) -> Option<(usize, Operation)> {
        let documented = |spoken: &operations::Operation| operations::recorded_alone(spoken).is_none();
        let of_method = operations::ALL.iter().enumerate();
        let of_method = of_method.filter(|(_, spoken)| spoken.method == traffic.method && documented(spoken));
        let fitting = of_method.filter_map(|(at, spoken)| {
            let operation = self.specs.operation(spoken.document, spoken.method, spoken.path);
            operation.bind(&traffic.path)?;
            Some((at, operation))
        });
        fitting.max_by_key(|(_, operation)| operation.words())
    }

    /// Judges all shapes of a run.
    pub fn judge(&self, run: &[Seen]) -> Verdict {
        let mut verdict = Verdict::default();
        for seen in run {
            if seen.is_client {
                self.request(seen, &mut verdict);
            }
            if seen.is_ordered {
                verdict.ordered.add(seen);
            } else {
                self.answer(seen, &mut verdict);
            }
        }
        verdict
    }

    fn request(&self, seen: &Seen, verdict: &mut Verdict) {
        let traffic = &seen.traffic;
        if let Some(recorded) = self.recorded(traffic) {
            verdict.spoken.insert(recorded.at);
            verdict.requests.add(seen);
            let found = recorded.request(traffic);
            verdict.wrong.extend(found.iter().map(|finding| told("request", seen, &finding.to_string())));
            return;
        }
        match self.spoken(traffic) {
            Some((at, operation)) => {
                verdict.spoken.insert(at);
                verdict.requests.add(seen);
                let found = self.specs.request(&operation, traffic);
                verdict.wrong.extend(found.iter().map(|finding| told("request", seen, &finding.to_string())));
            }
            None if is_status(traffic) && traffic.method == "GET" && traffic.request == Body::Empty => {
                verdict.polls.add(seen);
            }
            None => verdict.wrong.push(told("request", seen, "no operation of the client's registry")),
        }
    }

    fn answer(&self, seen: &Seen, verdict: &mut Verdict) {
        let traffic = &seen.traffic;
        let (found, sample) = match self.place(traffic, seen.is_client) {
            Place::Operation(operation) => {
                let is_older = seen.api_version.as_ref().is_some_and(|version| *version < operation.version);
                if is_older {
                    verdict.older.add(seen);
                }
                let is_pinned = seen.api_version.as_ref() == Some(&operation.version);
                (self.specs.answer(&operation, traffic), is_pinned.then(|| operation.document.clone()))
            }
            Place::Recorded if traffic.status >= REFUSED => (self.refusal(traffic), None),
            Place::Recorded => (self.recorded(traffic).map(|own| own.answer(traffic)).unwrap_or_default(), None),
            Place::Status => (self.status(traffic), None),
            Place::Nowhere => {
                verdict.undocumented.add(seen);
                (self.refusal(traffic), None)
            }
        };
        verdict.answers.add(seen);
        let mut deviates = false;
        for finding in found {
            match DEVIATIONS.iter().position(|deviation| deviation.covers(&finding)) {
                Some(at) => {
                    deviates = true;
                    verdict.met.entry(at).or_default().add(seen);
                }
                None => verdict.wrong.push(told("answer", seen, &finding.to_string())),
            }
        }
        if let Some(document) = sample {
            verdict.samples.push((document, seen.live.clone(), deviates));
        }
    }

    /// What is wrong with the answer of a status URL: ARM's shape, or with `monitor` the end of the operation itself.
    pub fn status(&self, traffic: &Traffic) -> Vec<Finding> {
        let is_monitor =
            is_result(traffic) || traffic.query.iter().any(|(name, value)| name == "monitor" && value == "true");
        match (traffic.status, &traffic.answer) {
            (status, _) if status >= REFUSED => self.refusal(traffic),
            (200, Body::Json(body)) if !is_monitor => self.shaped("OperationStatusResult", body),
            (200, _) if !is_monitor => vec![finding("OperationStatusResult", "answer", "a body of JSON")],
            (200 | 201 | 202 | 204, Body::Empty | Body::Json(_)) if is_monitor => Vec::new(),
            _ => vec![finding("OperationStatusResult", "status", "one that a status URL answers")],
        }
    }

    /// What is wrong with an answer that belongs to no document: it must be a refusal in ARM's own shape.
    fn refusal(&self, traffic: &Traffic) -> Vec<Finding> {
        match &traffic.answer {
            _ if traffic.status < REFUSED => {
                vec![finding("ErrorResponse", "status", "a refusal: no document has this path")]
            }
            Body::Json(body) => self.shaped("ErrorResponse", body),
            _ => vec![finding("ErrorResponse", "answer", "a body of JSON")],
        }
    }

    fn shaped(&self, definition: &str, body: &Value) -> Vec<Finding> {
        let found = self.specs.body(COMMON, definition, Direction::Answer, body);
        let mut found: Vec<Finding> =
            found.into_iter().map(|(at, expected)| finding(definition, &format!("answer{at}"), &expected)).collect();
        if definition == "ErrorResponse" && body.pointer("/error/code").is_none() {
            found.push(finding(definition, "answer/error/code", "it is required and missing"));
        }
        found
    }
}

/// Whether a path is that of a running operation: `…/locations/{region}/…operations/{id}`, or `…/operationresults/{id}`.
fn is_status(traffic: &Traffic) -> bool {
    let parts: Vec<String> = traffic.path.trim_matches('/').split('/').map(str::to_ascii_lowercase).collect();
    let is_providers = parts.len() == 8 && parts[2] == "providers" && parts[4] == "locations";
    (is_providers && parts[6].ends_with("operations")) || is_result(traffic)
}

/// Whether a path is where an operation of ARM itself ends: a subscription's `operationresults`.
fn is_result(traffic: &Traffic) -> bool {
    let parts: Vec<&str> = traffic.path.trim_matches('/').split('/').collect();
    parts.len() == 4 && parts[2].eq_ignore_ascii_case("operationresults")
}

fn finding(definition: &str, place: &str, expected: &str) -> Finding {
    Finding {
        document: COMMON.to_owned(),
        operation: definition.to_owned(),
        place: place.to_owned(),
        expected: expected.to_owned(),
    }
}

fn told(what: &str, seen: &Seen, finding: &str) -> String {
    let traffic = &seen.traffic;
    format!(
        "{what} of {} {} -> {} (shape {}, {} times): {finding}",
        traffic.method, traffic.path, traffic.status, seen.shape, seen.count
    )
}
