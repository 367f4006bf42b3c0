//! Holds one request to its operation: version, path, query, headers, body.
//! It never looks at the answer.

use super::documents::Node;
use super::parameters::{check as check_text, is_in, is_required, name};
use super::schema::Direction;
use super::{Body, Finding, Operation, Specs, Traffic};

/// What the document writes as a parameter and the operation's own version answers.
const VERSION: &str = "api-version";

/// Everything that is not as the document says.
pub(super) fn check(specs: &Specs, operation: &Operation, traffic: &Traffic) -> Vec<Finding> {
    let mut found = Vec::new();
    path(specs, operation, traffic, &mut found);
    query(specs, operation, traffic, &mut found);
    headers(specs, operation, traffic, &mut found);
    body(specs, operation, traffic, &mut found);
    found
}

fn path(specs: &Specs, operation: &Operation, traffic: &Traffic, found: &mut Vec<Finding>) {
    let Some(bound) = operation.bind(&traffic.path) else {
        return found.push(operation.finding("path", format!("a path like {}", operation.template)));
    };
    for (given, text) in &bound {
        match operation.parameters.iter().find(|parameter| is_in(parameter, "path") && name(parameter) == given) {
            Some(parameter) => {
                for expected in check_text(specs, parameter, &key(operation, parameter), text) {
                    found.push(operation.finding(format!("path/{given}"), expected));
                }
            }
            None => found.push(operation.finding(format!("path/{given}"), "the document does not say what this is")),
        }
    }
}

fn query(specs: &Specs, operation: &Operation, traffic: &Traffic, found: &mut Vec<Finding>) {
    let known: Vec<&Node> = operation.parameters.iter().filter(|parameter| is_in(parameter, "query")).collect();
    for (given, text) in &traffic.query {
        let place = || format!("query/{given}");
        if given == VERSION {
            if *text != operation.version {
                found.push(operation.finding(place(), format!("{}, not {text}", operation.version)));
            }
        } else if let Some(parameter) = known.iter().find(|parameter| name(parameter) == given) {
            for expected in check_text(specs, parameter, &key(operation, parameter), text) {
                found.push(operation.finding(place(), expected));
            }
        } else if !traffic.is_followed {
            found.push(operation.finding(place(), "the document does not name this parameter"));
        }
    }
    let given = |wanted: &str| traffic.query.iter().any(|(name, _)| name == wanted);
    if !given(VERSION) {
        found.push(operation.finding(format!("query/{VERSION}"), "it is required and missing"));
    }
    for parameter in known.into_iter().filter(|parameter| is_required(parameter) && name(parameter) != VERSION) {
        if !given(name(parameter)) {
            found.push(operation.finding(format!("query/{}", name(parameter)), "it is required and missing"));
        }
    }
}

fn headers(specs: &Specs, operation: &Operation, traffic: &Traffic, found: &mut Vec<Finding>) {
    for parameter in operation.parameters.iter().filter(|parameter| is_in(parameter, "header")) {
        let wanted = name(parameter);
        match traffic.request_headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(wanted)) {
            Some((_, text)) => {
                for expected in check_text(specs, parameter, &key(operation, parameter), text) {
                    found.push(operation.finding(format!("header/{wanted}"), expected));
                }
            }
            None if is_required(parameter) => {
                found.push(operation.finding(format!("header/{wanted}"), "it is required and missing"));
            }
            None => {}
        }
    }
}

fn body(specs: &Specs, operation: &Operation, traffic: &Traffic, found: &mut Vec<Finding>) {
    let parameter = operation.parameters.iter().find(|parameter| is_in(parameter, "body"));
    match (parameter, &traffic.request) {
        (None, Body::Empty) => {}
        (None, _) => found.push(operation.finding("request", "no body")),
        (Some(parameter), Body::Empty) => {
            if is_required(parameter) {
                found.push(operation.finding("request", "a body"));
            }
        }
        (Some(_), Body::Other) => found.push(operation.finding("request", "a body of JSON")),
        (Some(parameter), Body::Json(value)) => {
            let kind = traffic.request_headers.iter().find(|(name, _)| name == "content-type");
            if !kind.is_some_and(|(_, kind)| kind.starts_with("application/json")) {
                found.push(operation.finding("header/content-type", "application/json"));
            }
            let schema = parameter.value.get("schema").cloned().unwrap_or_default();
            let node = Node { value: schema, ..parameter.clone() };
            for (at, expected) in specs.validate(&node, &key(operation, parameter), Direction::Request, value) {
                found.push(operation.finding(format!("request{at}"), expected));
            }
        }
    }
}

/// A name for a parameter's schema: the operation's own parameters stand in no place that a pointer names.
fn key(operation: &Operation, parameter: &Node) -> String {
    format!("{} {} {} {}", operation.document, operation.id, parameter.value["in"], name(parameter))
}
