//! Gate d, the client's half: every recorded answer that belongs to a spoken operation is decoded, whatever recordings the
//! folder has.
//!
//! It never chooses: what is spoken is told by the list of operations, a recorded line belongs to the operation whose method
//! and path fit, in any case and at any api-version. It copies none of the recordings.

mod backup;
mod requests;

use crate::{
    error::{Error, ErrorKind},
    long_running::{Accepted, OperationState, read_body},
    operations::{self, Operation},
    proof::{
        data::{self, Recorded, tapes},
        decoders,
        kept::{is_in, values},
    },
    transport::Answer,
};
use azure_core::http::headers::Headers;
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;

pub(crate) fn answer(recorded: &Recorded) -> Answer {
    let mut headers = Headers::new();
    for (name, value) in &recorded.headers {
        headers.insert(name.to_lowercase(), value.clone());
    }
    let body = if recorded.response.is_null() { String::new() } else { recorded.response.to_string() };
    Answer { status: recorded.status, headers, body: body.into() }
}

/// Whether a path is made by a template. A placeholder for a whole path takes one part or more.
pub(crate) fn fits(template: &str, path: &str) -> bool {
    fn rest(template: &[&str], path: &[&str]) -> bool {
        match (template, path) {
            ([], []) => true,
            (["{resourceUri}" | "{scope}", after @ ..], path) => {
                (1..=path.len()).any(|taken| rest(after, &path[taken..]))
            }
            (["{parentResourcePath}", after @ ..], path) => (0..=path.len()).any(|taken| rest(after, &path[taken..])),
            ([part, after @ ..], [own, others @ ..]) => {
                (part.starts_with('{') || part.eq_ignore_ascii_case(own)) && rest(after, others)
            }
            _ => false,
        }
    }
    let template: Vec<&str> = template.split('/').skip(1).collect();
    let path: Vec<&str> = path.trim_end_matches('/').split('/').skip(1).filter(|part| !part.is_empty()).collect();
    rest(&template, &path)
}

/// The lines of a recording that answer an operation with success.
pub(crate) fn answers_of(operation: &Operation, tape: &str) -> Vec<Recorded> {
    let is_own = |line: &Recorded| line.method == operation.method && fits(operation.path, line.bare_path());
    data::tape(tape).into_iter().filter(|line| is_own(line) && (200..300).contains(&line.status)).collect()
}

/// The operation that a recorded request is of; a more exact path before one with placeholders for whole paths.
fn spoken(recorded: &Recorded) -> Option<&'static Operation> {
    let placeholders = |operation: &&&Operation| operation.path.matches("{scope}").count();
    operations::ALL
        .iter()
        .filter(|operation| operation.method == recorded.method && fits(operation.path, recorded.bare_path()))
        .min_by_key(placeholders)
        .copied()
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn every_recorded_answer_of_an_operation_that_is_spoken_is_decoded() {
    let tapes = tapes();
    let (mut counts, mut refusals, mut kept): (BTreeMap<String, usize>, usize, usize) = (BTreeMap::new(), 0, 0);
    for (tape, lines) in &tapes {
        for (line, recorded) in lines.iter().enumerate() {
            let Some(operation) = spoken(recorded) else { continue };
            let answer = answer(recorded);
            let place = format!("{tape}:{} {} {}", line + 1, recorded.method, recorded.path);
            if answer.is_success() {
                let decoder = decoders::of(operation);
                let texts = decoder.decode(&answer).unwrap_or_else(|error| panic!("{place}: {error:?}"));
                for (resource, text) in decoder.resources(&recorded.response).into_iter().zip(&texts) {
                    if !decoder.is_ours(resource) {
                        continue;
                    }
                    for (pointer, field) in decoder.kept {
                        for value in values(resource, pointer) {
                            assert!(is_in(text, field, value), "{place}: {pointer} = {value} is lost in {text}");
                            kept += 1;
                        }
                    }
                }
            } else {
                let error = Error::from_answer(operation.action, &answer, None);
                let has_code = recorded.response.to_string().contains("\"code\"");
                assert!(error.kind != ErrorKind::Malformed, "{place}: {error:?}");
                assert!(error.code().is_some() || !has_code, "{place}: {error:?}");
                refusals += 1;
            }
            *counts.entry(format!("{} {}", operation.method, operation.action)).or_default() += 1;
        }
    }
    if tapes.is_empty() {
        return;
    }
    for (operation, count) in &counts {
        println!("{count:5} {operation}");
    }
    let answers: usize = counts.values().sum();
    println!(
        "recordings: {} tapes, {} operations, {answers} answers decoded ({refusals} refusals), {kept} values kept",
        tapes.len(),
        counts.len()
    );
    let counted = json!({ "tapes": tapes.len(), "operations": counts.len(), "answers": answers, "refusals": refusals, "values": kept });
    data::count("decoded", &counted);
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn every_recorded_operation_that_takes_time_is_followed_to_its_end() {
    let (mut followed, mut ended) = (0, 0);
    for (tape, lines) in tapes() {
        for (line, recorded) in lines.iter().enumerate() {
            // Whoever moved a long answer's address is asked at, is told by the answer itself.
            let Some(accepted) = Accepted::read(&answer(recorded), Timestamp::MIN) else { continue };
            assert!(!format!("{accepted:?}").contains("://"), "a signed address is shown");
            let place = format!("{tape}:{}", line + 1);
            let asked_at = bare(&accepted.status_url);
            let polls = lines[line + 1..].iter().filter(|poll| poll.method == "GET" && bare(&poll.path) == asked_at);
            let states: Vec<OperationState> = polls
                .filter(|poll| poll.status == 200 && poll.response.get("status").is_some())
                .map(|poll| read_body(&poll.response, OperationState::Running { retry_after: None }))
                .collect();
            let Some((last, before)) = states.split_last() else { continue };
            followed += 1;
            let running = |state: &OperationState| matches!(state, OperationState::Running { .. });
            assert!(before.iter().all(|state| running(state) || state == last), "{place}: it ended and went on");
            assert!(*last != OperationState::Unclear, "{place}");
            ended += usize::from(*last == OperationState::Succeeded);
        }
    }
    println!("recordings: {followed} operations followed, {ended} of them to their success");
}

/// The path of an address, without host and query, in lower case.
fn bare(address: &str) -> String {
    let path = address.strip_prefix("https://management.azure.com").unwrap_or(address);
    path.split('?').next().unwrap_or_default().to_lowercase()
}

#[test]
fn a_path_belongs_to_the_template_that_makes_it() {
    let machine = "/subscriptions/s/RESOURCEGROUPS/g/providers/microsoft.compute/virtualMachines/m";
    let health = format!("{machine}/providers/Microsoft.ResourceHealth/availabilityStatuses/current");
    for (template, path, expected) in [
        (operations_path("Microsoft.Compute/virtualMachines/read"), machine, true),
        ("/{resourceUri}/providers/Microsoft.ResourceHealth/availabilityStatuses/current", &*health, true),
        ("/{resourceUri}/providers/Microsoft.ResourceHealth/availabilityStatuses/current", machine, false),
        ("/subscriptions/{subscriptionId}", "/subscriptions/s/", true),
        ("/subscriptions/{subscriptionId}", "/subscriptions/s/locations", false),
    ] {
        assert_eq!(fits(template, path), expected, "{template} {path}");
    }
}

fn operations_path(action: &str) -> &'static str {
    operations::ALL.iter().find(|operation| operation.action == action).unwrap().path
}
