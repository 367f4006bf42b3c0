//! Reads `evidence.alerts`: the alert rules, and the resources that they watch, whose alerts speak for the region.
//! It never asks whether they are there: an alert may come from any subscription, and what never fires counts for nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::RecoveryFault;
use super::form;
use crate::policy::problem::Fault;
use crate::policy::reader::{Complaint, Reader};
use crate::policy::tree::Node;

const EXPECTED: &str = "the name or ARM id of an alert rule, or the ARM id of the resource that it watches";

/// Reads the list, in lower case as Azure compares names.
pub fn read(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<BTreeSet<String>> {
    let items = reader.list_of_at_most(node, path, form::ALERTS_MAX)?;
    let mut first_lines: BTreeMap<String, u32> = BTreeMap::new();
    let mut is_whole = true;
    for (i, item) in items.iter().enumerate() {
        let path = format!("{path}[{i}]");
        let Some(text) = reader.text(item, &path, EXPECTED, form::ALERT_CHARS_MAX) else {
            is_whole = false;
            continue;
        };
        let alert = text.trim().to_lowercase();
        let fault = match first_lines.get(&alert) {
            _ if !is_alert(&alert) => Some((RecoveryFault::NoAlert, EXPECTED)),
            Some(first_line) => {
                let first_line = *first_line;
                Some((RecoveryFault::AlertTwice { alert: alert.clone(), first_line }, "each once"))
            }
            None => None,
        };
        if let Some((fault, expected)) = fault {
            reader.complain(item.at, &path, Complaint::of(Fault::RecoveryPlan(fault)).expected(expected));
        }
        first_lines.entry(alert).or_insert(item.at.line);
    }
    is_whole.then(|| first_lines.into_keys().collect())
}

/// A name without a slash, or an ARM id: of a rule, a resource or a whole scope that a rule watches.
fn is_alert(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    match parts.as_slice() {
        [name] => !name.is_empty(),
        ["", "subscriptions", rest @ ..] => rest.len() > 1 && rest.iter().all(|part| !part.is_empty()),
        _ => false,
    }
}
