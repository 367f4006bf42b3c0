//! Which lines of a tape are about a way of replication that neither the client speaks nor the simulator has: Site Recovery
//! answers all of them under the same paths, and only bodies tell them apart.
//! It never leaves a line out for another reason.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::tape::{Tape, key};

/// How the names of other ways begin: machines from elsewhere. Azure to Azure is the one that is built.
const OTHER_WAYS: [&str; 4] = ["InMage", "HyperV", "VMware", "VMM"];

/// Of each line, whether it is about another way: its bodies name one, or it lies below what was found to be, or its bodies
/// name that.
pub fn of_others(tape: &Tape) -> Vec<bool> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    loop {
        let before = found.len();
        for line in &tape.lines {
            let bodies = [&line.request, &line.answer.body];
            if bodies.into_iter().any(|body| names_other_way(body) || names_one_of(body, &found)) {
                found.insert(line.key());
            }
        }
        if found.len() == before {
            break;
        }
    }
    tape.lines.iter().map(|line| lies_below(&line.key(), &found)).collect()
}

fn names_other_way(body: &Value) -> bool {
    match body {
        Value::Object(fields) => fields.iter().any(|(name, inner)| {
            let word = inner.as_str().filter(|_| name == "instanceType");
            word.is_some_and(|word| OTHER_WAYS.iter().any(|way| word.starts_with(way))) || names_other_way(inner)
        }),
        Value::Array(list) => list.iter().any(names_other_way),
        _ => false,
    }
}

fn names_one_of(body: &Value, found: &BTreeSet<String>) -> bool {
    match body {
        Value::Object(fields) => fields.values().any(|inner| names_one_of(inner, found)),
        Value::Array(list) => list.iter().any(|inner| names_one_of(inner, found)),
        Value::String(text) => text.to_lowercase().starts_with("/subscriptions/") && lies_below(&key(text), found),
        _ => false,
    }
}

fn lies_below(id: &str, found: &BTreeSet<String>) -> bool {
    let ends = id.match_indices('/').map(|(at, _)| at).chain([id.len()]);
    ends.filter(|&end| end > 0).any(|end| found.contains(&id[..end]))
}
