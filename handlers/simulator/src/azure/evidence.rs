//! Which entries of the evidence register this Azure rests on.
//! It never says how well something is known: that stands in the register.

use std::collections::BTreeSet;

use super::charges::BUDGETS;
use super::denials::Denial;
use super::registry::routes;
use super::state::Step;

/// The ids of all entries that routes, later steps, limits and budgets name, each once, in order.
pub fn evidence_ids() -> Vec<&'static str> {
    let routes = routes().map(|route| route.evidence);
    let denials = Denial::ALL.into_iter().map(Denial::evidence);
    let budgets = BUDGETS.iter().map(|rule| rule.evidence);
    let steps = Step::EVIDENCE.iter().copied();
    let assumed = ASSUMED.iter().copied();
    let all: BTreeSet<&str> = routes.chain(denials).chain(budgets).chain(steps).chain(assumed).collect();
    all.into_iter().collect()
}

/// Entries of grade assumed that comments beside the code name, about wordings, figures and smaller choices.
const ASSUMED: &[&str] = &[
    "arm-429-words",
    "arm-operation-kept",
    "arm-operation-url",
    "arm-page-size",
    "arm-retry-after-value",
    "collection-tags",
    "compute-refusal-words",
    "disk-creation-fixed",
    "disk-latencies",
    "disk-patch",
    "disk-performance",
    "disk-size",
    "eventgrid-action",
    "point-budget-scope",
    "point-busy",
    "point-exclude-disks",
    "point-instance-view",
    "point-machine-gone",
    "point-missing",
    "point-put-twice",
    "snapshot-copy-duration",
    "snapshot-copy-source-deleted",
    "snapshot-family",
    "vm-event-deployment",
    "vm-generalized-view",
    "vm-latencies",
    "vm-list-casing",
    "vm-patch",
    "vm-power-view",
    "vm-put-completion",
    "vm-put-tags",
];
