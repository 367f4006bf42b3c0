//! The gate of the whole test run: every request that Lifeboat's client sent and every answer that the simulator gave, in any test of
//! this package, is as Microsoft's documents say.
//! It never runs before the others: cargo runs a package's tests by name. Run alone it speaks every operation itself.

#[path = "deviations.rs"]
mod deviations;
#[path = "traffic_exercises.rs"]
mod exercises;
#[path = "traffic_gate.rs"]
mod gate;
#[path = "traffic_recorded.rs"]
mod recorded;
#[path = "traffic_roles.rs"]
mod roles;

use std::collections::BTreeMap;

use lifeboat_azure::operations;
use lifeboat_tests::data::azure_data;
use lifeboat_tests::gates;
use lifeboat_tests::traffic::{self, sample};
use serde_json::{Value, json};

use crate::deviations::DEVIATIONS;
use crate::gate::{Count, Gate, Verdict};

/// Wrong shapes that are told one by one.
const TOLD_MAX: usize = 40;

#[tokio::test(start_paused = true)]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn every_request_and_every_answer_of_the_run_is_as_microsofts_documents_say() {
    let Some(data) = azure_data("the traffic of the run") else { return };
    traffic::sweep();
    exercises::all().await;
    traffic::flush();
    let run = sample::read_all(&traffic::of_this_run());
    assert!(!run.is_empty(), "nothing was recorded in {}", traffic::of_this_run().display());
    let verdict = Gate::over(&data).judge(&run);
    let silent: Vec<String> = operations::ALL
        .iter()
        .enumerate()
        .filter(|(at, operation)| verdict.spoken.contains(at) == exercises::REFUSED.contains(operation))
        .map(|(_, operation)| format!("{} {}", operation.method, operation.path))
        .collect();
    let unmet: Vec<_> = DEVIATIONS.iter().enumerate().filter(|(at, _)| !verdict.met.contains_key(at)).collect();
    report(&verdict);
    write_samples(&verdict);
    assert!(verdict.wrong.is_empty(), "{} deviate:\n{}", verdict.wrong.len(), first(&verdict.wrong));
    assert!(
        silent.is_empty(),
        "operations that no request spoke, or that were spoken though the client refuses them:\n{}",
        silent.join("\n")
    );
    assert!(unmet.is_empty(), "deviations that nothing in the run needs: {unmet:#?}");
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn each_deviation_that_is_allowed_is_proven_by_its_recording() {
    let Some(data) = azure_data("the recordings") else { return };
    let gate = Gate::over(&data);
    let unproven: Vec<_> = DEVIATIONS
        .iter()
        .filter_map(|deviation| {
            Some(format!("{} {}: {}", deviation.operation, deviation.place, deviation.unproven(&data, &gate)?))
        })
        .collect();
    assert!(unproven.is_empty(), "{unproven:#?}");
}

fn first(wrong: &[String]) -> String {
    let told: Vec<&str> = wrong.iter().take(TOLD_MAX).map(String::as_str).collect();
    told.join("\n")
}

/// Prints the counts, and writes them where the gates' counts go.
fn report(verdict: &Verdict) {
    let line = |what: &str, count: Count| println!("{what}: {} shapes, {} exchanges", count.shapes, count.exchanges);
    println!("operations spoken: {} of {}", verdict.spoken.len(), operations::ALL.len());
    line("requests validated", verdict.requests);
    line("status URLs followed", verdict.polls);
    line("answers validated", verdict.answers);
    line("of these to an older api-version", verdict.older);
    line("of these refusals of what no document has", verdict.undocumented);
    line("answers damaged on order", verdict.ordered);
    for (at, count) in &verdict.met {
        let deviation = &DEVIATIONS[*at];
        line(
            &format!("deviation {} {} ({} {})", deviation.operation, deviation.place, deviation.tape, deviation.line),
            *count,
        );
    }
    println!("wrong: {}", verdict.wrong.len());
    gates::write(
        "traffic.json",
        &json!({
            "operationsSpoken": verdict.spoken.len(),
            "operations": operations::ALL.len(),
            "requests": verdict.requests.json(),
            "polls": verdict.polls.json(),
            "answers": verdict.answers.json(),
            "older": verdict.older.json(),
            "undocumented": verdict.undocumented.json(),
            "ordered": verdict.ordered.json(),
            "deviations": verdict.met.len(),
            "wrong": verdict.wrong.len(),
        }),
    );
}

/// Writes the pairs for Microsoft's own validator: one folder a document, and a list of which folder is of which. Where real Azure
/// deviates, that validator would rightly complain: those stand apart.
fn write_samples(verdict: &Verdict) {
    let Some(folder) = gates::folder() else { return };
    let mut documents: BTreeMap<String, Value> = BTreeMap::new();
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for (document, live, deviates) in &verdict.samples {
        let slug = slug(document);
        let kind = if *deviates { "oav-deviating" } else { "oav" };
        let number = numbers.entry(format!("{kind}/{slug}")).or_default();
        *number += 1;
        gates::write_to(
            &folder.join(kind).join(&slug).join(format!("{number:03}.json")),
            &format!("{:#}\n", for_oav(live)),
        );
        documents.insert(slug, json!(document));
    }
    gates::write("oav-documents.json", &json!(documents));
}

/// A pair as Microsoft's validator can find its operation. It takes one part of a path for each parameter, where `{parentResourcePath}`
/// is none or several; that the real path fits, our own validator has seen.
fn for_oav(live: &Value) -> Value {
    const PERMISSIONS: &str = "/providers/Microsoft.Authorization/permissions";
    let mut live = live.clone();
    let url = live["liveRequest"]["url"].as_str().unwrap_or_default().to_owned();
    let resource = url.split_once(PERMISSIONS).and_then(|(id, query)| Some((id.split_once("/providers/")?, query)));
    if let Some(((group, resource), query)) = resource {
        let parts: Vec<&str> = resource.split('/').filter(|part| !part.is_empty()).collect();
        if let [provider, .., kind, name] = parts[..] {
            live["liveRequest"]["url"] =
                json!(format!("{group}/providers/{provider}/parent/{kind}/{name}{PERMISSIONS}{query}"));
        }
    }
    live
}

/// `…/stable/2025-04-01/ComputeRP.json` as `ComputeRP-2025-04-01`.
fn slug(document: &str) -> String {
    let mut parts = document.rsplit('/');
    let name = parts.next().unwrap_or_default().trim_end_matches(".json");
    format!("{name}-{}", parts.next().unwrap_or_default())
}
