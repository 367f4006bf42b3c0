//! One noun per function: its folder, its receiver, its route, its event, its scenario and the infra that feeds it.
//! It reads text; the wire itself is tested elsewhere.

use std::path::Path;

use crate::{files, read, root};

fn nouns() -> Vec<String> {
    let folder = root().join("function-definitions");
    let mut nouns: Vec<String> = std::fs::read_dir(folder)
        .expect("function-definitions")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    nouns.sort();
    nouns
}

/// `VmWritten` as a file's name: `vm_written`.
fn snake(noun: &str) -> String {
    let mut text = String::new();
    for c in noun.chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}

#[test]
fn every_function_has_a_receiver_a_route_an_event_a_scenario_and_infra_under_one_noun() {
    let nouns = nouns();
    let wanted = [
        "Api",
        "Command",
        "ExpirySweep",
        "HealthPoll",
        "PolicySweep",
        "ReadinessSweep",
        "Reconcile",
        "RegionAlert",
        "RegionHealthChanged",
        "SagaWoken",
        "VmDeleted",
        "VmWritten",
    ];
    assert_eq!(nouns, wanted);
    let router = read(root().join("handlers/functions/src/lib.rs"));
    let events = read(root().join("handlers/execution/src/event.rs"));
    // A timer and an HTTP function need nothing but the app; the operator's book names what feeds each.
    let bicep: String = files(&root().join("infra"), "bicep").iter().map(read).collect();
    let infra = bicep + &read(root().join("infra/README.md"));
    for noun in &nouns {
        assert!(
            Path::new(&root()).join(format!("handlers/functions/src/{}.rs", snake(noun))).is_file(),
            "{noun}: no receiver"
        );
        assert!(router.contains(&format!("\"{noun}\"")), "{noun}: no route");
        assert!(
            events.contains(&format!("    {noun}(")) || events.contains(&format!("    {noun},")),
            "{noun}: no event"
        );
        let scenario =
            files(&root().join("tests/scenarios"), "txt").iter().any(|path| read(path).contains(noun.as_str()));
        assert!(scenario, "{noun}: no scenario");
        assert!(infra.contains(noun.as_str()), "{noun}: the infrastructure does not know it");
    }
}
