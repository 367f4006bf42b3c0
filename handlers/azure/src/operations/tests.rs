//! The list of operations is whole, and each names what it rests on.
//!
//! It never asks Azure.

use super::{ALL, Harm, RECORDED_ALONE, recorded_alone};
use crate::{evidence, proof::data, recordings};
use serde_json::Value;
use std::{collections::HashSet, fs, path::Path};

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_operation_of_the_sources_is_in_the_list() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut texts = Vec::new();
    sources(folder, &mut texts);
    // An entry begins a line; a text about it, as here, does not.
    let declared: usize = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter(|line| line.starts_with("pub const ") && line.contains(": Operation"))
        .count();
    assert_eq!(declared, ALL.len(), "an operation is not in the list");
    let distinct: HashSet<_> = ALL.iter().map(|operation| (operation.method, operation.path)).collect();
    assert_eq!(distinct.len(), ALL.len(), "an operation stands twice");
}

#[test]
fn every_operation_rests_on_entries_that_are_there() {
    for operation in ALL {
        assert!(!operation.evidence.is_empty(), "{} rests on nothing", operation.action);
        for id in operation.evidence {
            assert!(evidence::find(id).is_some(), "{}: there is no entry `{id}`", operation.action);
        }
    }
}

/// Actions that stop nothing: they ask, start, look again, or make a point.
const HARMLESS_ACTIONS: [&str; 5] = [
    "Microsoft.Compute/virtualMachines/start/action",
    "Microsoft.RecoveryServices/Vaults/backupFabrics/refreshContainers/action",
    "Microsoft.RecoveryServices/locations/backupStatus/action",
    "Microsoft.RecoveryServices/locations/backupPreValidateProtection/action",
    "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/backup/action",
];

/// Actions after which something is gone.
const TAKE_AWAY: [&str; 3] = ["/applyRecoveryPoint/action", "/failoverCommit/action", "/switchprotection/action"];

#[test]
fn what_deletes_or_stops_says_so() {
    for operation in ALL {
        let expected = match operation.action.rsplit('/').next().unwrap() {
            "delete" => Harm::Destroys,
            // A machine runs elsewhere; another point, a commit and the other way take something away for good.
            "action" if operation.action.ends_with("/unplannedFailover/action") => Harm::Moves,
            "action" if TAKE_AWAY.iter().any(|end| operation.action.ends_with(end)) => Harm::Destroys,
            // Turning an endpoint off may turn the only one off.
            _ if operation.action.ends_with("/externalEndpoints/write") => Harm::Stops,
            // Taking a tag away may take a hold away.
            _ if operation.action == "Microsoft.Resources/tags/write" => Harm::Destroys,
            "action" if !HARMLESS_ACTIONS.contains(&operation.action) => Harm::Stops,
            _ => Harm::Nothing,
        };
        assert_eq!(operation.harm, expected, "{}", operation.action);
    }
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn every_operation_stands_in_the_document_of_its_pinned_version() {
    let Some(folder) = data::folder() else { return };
    for operation in ALL.iter().filter(|operation| recorded_alone(operation).is_none()) {
        let text = fs::read_to_string(folder.join("specs").join(operation.document)).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["info"]["version"], operation.api_version, "{}", operation.action);
        let method = document["paths"][operation.path].get(operation.method.to_lowercase());
        assert!(method.is_some(), "{} {} is not in {}", operation.method, operation.path, operation.document);
    }
}

#[test]
fn what_has_no_document_rests_on_a_recording_and_does_no_harm() {
    for operation in ALL {
        let is_listed = recorded_alone(operation).is_some();
        assert_eq!(operation.document.is_empty(), is_listed, "{}: a document or a recording", operation.action);
        assert!(!is_listed || operation.harm == Harm::Nothing, "{} may do harm", operation.action);
    }
    assert!(RECORDED_ALONE.iter().all(|(operation, _)| ALL.contains(operation)));
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn what_rests_on_a_recording_alone_was_asked_there_in_just_this_way_and_answered() {
    if data::folder().is_none() {
        return;
    }
    for (operation, name) in RECORDED_ALONE {
        let asked = recordings::answers_of(operation, name);
        let version = format!("api-version={}", operation.api_version);
        let same = |line: &&data::Recorded| {
            line.path.split_once('?').is_some_and(|(_, query)| query == version) && line.request.is_null()
        };
        assert!(asked.iter().any(|line| same(&line)), "{name} has no answer to {}", operation.action);
    }
}
