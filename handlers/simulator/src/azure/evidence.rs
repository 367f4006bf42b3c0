//! Which entries of the evidence register this Azure rests on.
//! It never says how well something is known: that stands in the register.

use std::collections::BTreeSet;

use super::charges::BUDGETS;
use super::denials::Denial;
use super::recovery::RecoveryDenial;
use super::registry::routes;
use super::state::Step;
use super::traffic::TrafficDenial;
use super::vaults::VaultDenial;

/// The actions that this ARM has a route for: what may be held to a table of rights.
pub fn route_actions() -> BTreeSet<&'static str> {
    routes().map(|route| route.action).collect()
}

/// The ids of all entries that routes, later steps, limits and budgets name, each once, in order.
pub fn evidence_ids() -> Vec<&'static str> {
    let routes = routes().map(|route| route.evidence);
    let denials = Denial::ALL.into_iter().map(Denial::evidence);
    let budgets = BUDGETS.iter().map(|rule| rule.evidence);
    let denials = denials.chain(VaultDenial::entries()).chain(TrafficDenial::EVIDENCE).chain(RecoveryDenial::EVIDENCE);
    let steps = Step::entries();
    let beliefs = BELIEFS.iter().copied();
    let all: BTreeSet<&str> = routes.chain(denials).chain(budgets).chain(steps).chain(beliefs).collect();
    all.into_iter().collect()
}

/// Entries that comments beside the code name in backticks: wordings, figures and smaller choices.
const BELIEFS: &[&str] = &[
    "arm-400-wording",
    "arm-401",
    "arm-429-words",
    "arm-5xx-words",
    "arm-body-limit",
    "arm-empty-segments",
    "arm-operation-kept",
    "arm-operation-url",
    "arm-page-size",
    "arm-parent-missing",
    "arm-retry-after-value",
    "arm-unknown-route",
    "arm-version-refusal",
    "blob-body-limit",
    "blob-empty-block",
    "blob-if-match-free",
    "blob-lease-foreign",
    "blob-order",
    "collection-tags",
    "compute-refusal-words",
    "disk-creation-fixed",
    "disk-latencies",
    "disk-patch",
    "disk-performance",
    "disk-size",
    "eventgrid-action",
    "eventgrid-latency",
    "eventgrid-structured",
    "topic-refusals",
    "topic-right",
    "topic-scope",
    "graph-facet-options",
    "graph-options",
    "graph-query-length",
    "graph-quota-refusal",
    "graph-scope",
    "graph-summarize-order",
    "graph-table",
    "graph-unreadable",
    "group-being-deleted",
    "group-refusals",
    "health-actions",
    "health-event-missing",
    "health-event-row",
    "health-filter",
    "health-graph-row",
    "health-history",
    "health-texts",
    "health-unsupported",
    "identity-refusals",
    "linked-collection-source",
    "linked-disk-copy",
    "linked-excluded-disk",
    "linked-expanded-points",
    "linked-instance-view",
    "linked-machine-disk",
    "linked-network-interface",
    "linked-refusal",
    "lock-list",
    "lock-missing",
    "lock-not-specified",
    "lock-refusal",
    "machine-busy",
    "permission-list",
    "permission-merged",
    "point-budget-scope",
    "point-busy",
    "point-exclude-disks",
    "point-instance-view",
    "point-machine-gone",
    "point-missing",
    "point-put-twice",
    "region-of-a-call",
    "size-table",
    "snapshot-copy-duration",
    "snapshot-copy-source-deleted",
    "snapshot-family",
    "sr-sim-actions",
    "sr-sim-enabling",
    "sr-sim-failed-over",
    "sr-sim-health",
    "sr-sim-list-nulls",
    "sr-sim-name-taken",
    "sr-sim-old-id",
    "sr-sim-pairing",
    "sr-sim-point-order",
    "sr-sim-source-operations",
    "sr-sim-stall",
    "sr-sim-switch-source",
    "subscription-missing",
    "subscription-next-link",
    "subscription-read-only",
    "subscription-states",
    "tags-at-once",
    "tm-sim-actions",
    "tm-sim-first-probe",
    "tm-sim-profile-status",
    "tm-sim-put-endpoints",
    "tm-sim-target",
    "usage-limits",
    "usage-names",
    "vault-sim-deferred-time",
    "vault-sim-group",
    "vault-sim-job-errors",
    "vault-sim-latencies",
    "vault-sim-linked-machine",
    "vault-sim-operation-length",
    "vault-sim-point-expiry",
    "vault-sim-point-order",
    "vault-sim-protectable",
    "vault-sim-snapshot-busy",
    "vault-sim-time-zone",
    "vm-event-deployment",
    "vm-generalized-view",
    "vm-latencies",
    "vm-list-casing",
    "vm-patch-tags",
    "vm-power-view",
    "vm-put-completion",
    "vm-put-tags",
    "vm-skip-shutdown",
    "vm-start-time",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_belief_is_named_where_it_is_relied_on() {
        fn texts(folder: &std::path::Path, found: &mut String) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    texts(&path, found);
                } else if !path.ends_with("evidence.rs") {
                    found.push_str(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
        let mut found = String::new();
        texts(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/azure")), &mut found);
        for id in BELIEFS {
            assert!(
                found.contains(&format!("`{id}`")) || found.contains(&format!("\"{id}\"")),
                "{id} is named nowhere"
            );
        }
    }
}
