//! Which requests the client speaks: those of its registry of operations, method and path, in any case.
//! It never knows an operation of its own.

use lifeboat_azure::operations::{ALL, Operation};

/// Parameters that stand for a whole id, several parts of the path long.
const WHOLE_IDS: [&str; 4] = ["{scope}", "{resourceuri}", "{resourceid}", "{parentresourcepath}"];

/// The operation that a request is of, if the client speaks it.
pub fn operation(method: &str, path: &str) -> Option<&'static Operation> {
    ALL.iter().copied().find(|operation| operation.method == method && fits(operation.path, path))
}

/// Whether a path is one of a template.
pub fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.to_lowercase(), path.to_lowercase());
    let wanted: Vec<&str> = template.trim_matches('/').split('/').collect();
    let given: Vec<&str> = path.trim_matches('/').split('/').collect();
    parts_fit(&wanted, &given)
}

fn parts_fit(wanted: &[&str], given: &[&str]) -> bool {
    match (wanted.split_first(), given.split_first()) {
        (None, None) => true,
        (Some((&whole, rest)), Some(_)) if WHOLE_IDS.contains(&whole) => {
            (1..=given.len()).any(|taken| parts_fit(rest, &given[taken..]))
        }
        (Some((&word, rest)), Some((&part, others))) => {
            (word == part || (word.starts_with('{') && !part.is_empty())) && parts_fit(rest, others)
        }
        _ => false,
    }
}
