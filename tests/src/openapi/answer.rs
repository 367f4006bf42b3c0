//! Holds one answer to its operation: status and body.
//! It never demands headers of long-running operations: the documents leave most of them out.

use serde_json::Value;

use super::documents::Node;
use super::schema::Direction;
use super::{Body, Finding, Operation, Specs, Traffic};

/// Where the shape of errors that ARM itself gives is written.
const COMMON: &str = "specification/common-types/resource-management/v5/types.json";
/// The name of that shape.
const ERROR: &str = "ErrorResponse";
/// The lowest status that is a refusal.
const REFUSED: u16 = 400;

/// Everything that is not as the document says.
pub(super) fn check(specs: &Specs, operation: &Operation, traffic: &Traffic) -> Vec<Finding> {
    let status = traffic.status.to_string();
    let documented = operation.answers.iter().find(|(own, _)| *own == status);
    let otherwise = || operation.answers.iter().find(|(own, _)| own == "default" && traffic.status >= REFUSED);
    let Some((own, answer)) = documented.or_else(otherwise) else {
        let known: Vec<&str> = operation.answers.iter().map(|(status, _)| status.as_str()).collect();
        if traffic.status >= REFUSED && is_the_gateways(traffic) {
            return common(specs, operation, traffic);
        }
        return vec![operation.finding("status", format!("one of {}, not {status}", known.join(", ")))];
    };
    let schema = answer.value.get("schema");
    let found = match (schema, &traffic.answer) {
        (None, Body::Empty) => Vec::new(),
        (None, _) => vec![operation.finding("answer", "no body")],
        (Some(_), Body::Empty) => vec![operation.finding("answer", "a body")],
        (Some(_), Body::Other) => vec![operation.finding("answer", "a body of JSON")],
        (Some(schema), Body::Json(value)) => {
            let node = Node { value: schema.clone(), ..answer.clone() };
            let key = format!("{} {} {own}", operation.document, operation.id);
            let found = specs.validate(&node, &key, Direction::Answer, value);
            found.into_iter().map(|(at, expected)| operation.finding(format!("answer{at}"), expected)).collect()
        }
    };
    // The gateway refuses before the provider is asked, in its own shape, which no provider's document tells.
    if !found.is_empty() && traffic.status >= REFUSED && common(specs, operation, traffic).is_empty() {
        return Vec::new();
    }
    found
}

/// Whether ARM itself refused, not the provider.
fn is_the_gateways(traffic: &Traffic) -> bool {
    traffic.headers.iter().any(|(name, value)| name == "x-ms-failure-cause" && value == "gateway")
}

/// Everything that is not in the shape of ARM's own errors.
fn common(specs: &Specs, operation: &Operation, traffic: &Traffic) -> Vec<Finding> {
    let Body::Json(value) = &traffic.answer else {
        return vec![operation.finding("answer", "an error of ARM's shape")];
    };
    let found = error(specs, value);
    found.into_iter().map(|(at, expected)| operation.finding(format!("answer{at}"), expected)).collect()
}

/// Everything about an error that is not in the shape of ARM's own.
pub(super) fn error(specs: &Specs, value: &Value) -> Vec<(String, String)> {
    specs.body(COMMON, ERROR, Direction::Answer, value)
}
