//! Long-running operations: their signed status URLs and what those answer.
//! It never answers a URL that was changed on the way: it must come back exactly as it was given.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::call::{Answer, Call, Failure};
use super::errors::ArmError;
use super::ids::{guid_of, region_as_compute_writes_it, stamp};
use super::state::State;

/// How long an ended operation can still be asked for, in hours. *Assumed* (`arm-operation-kept`): no source says it.
const KEPT_HOURS: i64 = 24;
/// Length of the filler in a status URL, in characters: real ones are over 4 KB.
const FILLER_CHARACTERS: usize = 3_900;
/// What callers are told to wait between polls, in seconds. *Assumed* (`arm-retry-after-value`): the recorder left the header out.
const RETRY_AFTER_SECONDS: u32 = 10;

/// All operations by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operations {
    by_name: BTreeMap<String, Operation>,
}

#[derive(Clone, Debug)]
struct Operation {
    place: Place,
    /// The query string of the status URL and of the one with `monitor=true`.
    queries: [String; 2],
    started: Timestamp,
    ended: Option<(Timestamp, Option<Failure>)>,
    /// What it made, where it tells that.
    output: Option<Value>,
}

/// Which part of the provider keeps an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Machines and restore points: the region is cased as Compute writes it.
    Compute,
    /// Disks and snapshots: the region is in lower case (recorded).
    Disks,
}

/// How a call says that it goes on.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    /// The operation's name.
    pub(crate) name: String,
    /// The value of `Azure-AsyncOperation`.
    pub(crate) status_url: String,
    /// The value of `Location`, where it is sent.
    pub(crate) location: String,
}

impl Operations {
    /// Ends an operation. One that was forgotten stays so.
    pub(crate) fn end(&mut self, name: &str, failure: Option<Failure>, at: Timestamp) {
        if let Some(operation) = self.by_name.get_mut(name)
            && operation.ended.is_none()
        {
            operation.ended = Some((at, failure));
        }
    }

    /// Ends an operation well, with what it made.
    pub(crate) fn end_with(&mut self, name: &str, output: Value, at: Timestamp) {
        if let Some(operation) = self.by_name.get_mut(name).filter(|operation| operation.ended.is_none()) {
            operation.output = Some(output);
        }
        self.end(name, None, at);
    }

    /// Forgets what ended long ago.
    pub(crate) fn forget_old(&mut self, now: Timestamp) {
        let old = |at: Timestamp| now.duration_since(at) > SignedDuration::from_hours(KEPT_HOURS);
        // Names are in no order of time, so look only when there is much to gain.
        if self.by_name.len() > 10_000 {
            self.by_name.retain(|_, operation| operation.ended.as_ref().is_none_or(|&(at, _)| !old(at)));
        }
    }

    /// Takes over operations that another state started: for writes that are acknowledged and dropped.
    pub(crate) fn adopt(&mut self, other: &Self, seconds_ms: SignedDuration, now: Timestamp) {
        for (name, operation) in &other.by_name {
            self.by_name.entry(name.clone()).or_insert_with(|| {
                let ended = now.checked_add(seconds_ms).unwrap_or(Timestamp::MAX);
                Operation { ended: Some((ended, None)), ..operation.clone() }
            });
        }
    }
}

impl State {
    /// Starts an operation of machines or restore points in a region.
    pub(crate) fn start_operation(&mut self, call: &Call, subscription: &str, region: &str) -> Started {
        self.start(call, subscription, region, Place::Compute)
    }

    /// Starts an operation of disks or snapshots in a region.
    pub(crate) fn start_disk_operation(&mut self, call: &Call, subscription: &str, region: &str) -> Started {
        self.start(call, subscription, region, Place::Disks)
    }

    fn start(&mut self, call: &Call, subscription: &str, region: &str, place: Place) -> Started {
        let name = self.names.guid();
        let version = call.query("api-version").unwrap_or_default();
        let signature = guid_of(self.seed, "signature", &name).replace('-', "");
        let filler: String = signature.chars().cycle().take(FILLER_CHARACTERS).collect();
        let query = |monitor: &str| {
            let ticks = call.now.as_microsecond();
            format!("p={name}&{monitor}api-version={version}&t={ticks}&c={filler}&s={signature}&h={}", &signature[..16])
        };
        let queries = [query(""), query("monitor=true&")];
        let (region, kind) = match place {
            Place::Compute => (region_as_compute_writes_it(region), "operations"),
            Place::Disks => (region.to_ascii_lowercase(), "DiskOperations"),
        };
        let url = |query: &str| {
            format!(
                "{}/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{region}/{kind}/{name}?{query}",
                call.base
            )
        };
        let started = Started { name: name.clone(), status_url: url(&queries[0]), location: url(&queries[1]) };
        self.operations
            .by_name
            .insert(name, Operation { place, queries, started: call.now, ended: None, output: None });
        started
    }
}

impl Started {
    /// The headers of most answers.
    pub(crate) fn both(&self, answer: Answer) -> Answer {
        self.status_only(answer).with_header("location", &self.location)
    }

    /// The header of a restore point's `PUT`, which has no `Location` (recorded).
    pub(crate) fn status_only(&self, answer: Answer) -> Answer {
        answer
            .with_header("azure-asyncoperation", &self.status_url)
            .with_header("retry-after", RETRY_AFTER_SECONDS.to_string())
    }
}

/// `GET …/locations/{region}/operations/{name}`.
pub(crate) fn poll(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    answer(state, call, Place::Compute)
}

/// `GET …/locations/{region}/DiskOperations/{name}`.
pub(crate) fn poll_disks(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    answer(state, call, Place::Disks)
}

fn answer(state: &State, call: &Call, place: Place) -> Result<Answer, ArmError> {
    let name = call.param(2);
    // *Assumed* (`arm-operation-kept`): code and wording of an operation that is not known.
    let missing = || ArmError::new(404, "NotFound", format!("The operation '{name}' is not found."));
    let operation = state.operations.by_name.get(name).filter(|found| found.place == place);
    let operation = operation.ok_or_else(missing)?;
    let monitor = call.query("monitor").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if call.raw_query != operation.queries[usize::from(monitor)] {
        // *Assumed* (`arm-operation-url`): that a changed URL is refused, and how.
        return Err(ArmError::new(400, "InvalidOperationUrl", "The signature of the operation's URL does not match."));
    }
    let ended = operation.ended.as_ref().filter(|(at, _)| *at <= call.now);
    let answer = match (monitor, ended) {
        (false, _) => Answer::new(200, status_body(name, operation, ended)),
        (true, None) => {
            Answer::empty(202).with_header("location", format!("{}{}?{}", call.base, call.path, call.raw_query))
        }
        (true, Some((_, None))) => match &operation.output {
            Some(output) => Answer::new(200, output.clone()),
            None => Answer::empty(200),
        },
        (true, Some((_, Some(failure)))) => return Err(ArmError::new(409, &failure.code, failure.message.clone())),
    };
    Ok(if ended.is_none() { answer.with_header("retry-after", RETRY_AFTER_SECONDS.to_string()) } else { answer })
}

fn status_body(name: &str, operation: &Operation, ended: Option<&(Timestamp, Option<Failure>)>) -> Value {
    let mut body = Map::new();
    body.insert("startTime".to_owned(), json!(stamp(operation.started)));
    body.insert("name".to_owned(), json!(name));
    let status = match ended {
        None => "InProgress",
        Some((at, failure)) => {
            body.insert("endTime".to_owned(), json!(stamp(*at)));
            if let Some(failure) = failure {
                body.insert("error".to_owned(), json!({ "code": failure.code, "message": failure.message }));
            }
            if let Some(output) = &operation.output {
                body.insert("properties".to_owned(), json!({ "output": output }));
            }
            if failure.is_some() { "Failed" } else { "Succeeded" }
        }
    };
    body.insert("status".to_owned(), json!(status));
    Value::Object(body)
}
