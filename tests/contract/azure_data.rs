//! The folder of Azure's data is the one that `tests/azure-data.lock` names, file by file.
//! It never fetches anything: the lock says how.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lifeboat_azure::operations;
use lifeboat_tests::data::azure_data;
use sha2::{Digest, Sha256};

const LOCK: &str = include_str!("../azure-data.lock");

/// The lines of one kind: the last word and the digest before it.
fn listed(kind: &str) -> BTreeMap<&'static str, &'static str> {
    let lines = LOCK.lines().filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' ')?.split_once(' '));
    lines.map(|(digest, name)| (name, digest)).collect()
}

/// The only word of a line.
fn word(kind: &str) -> &'static str {
    let mut lines = LOCK.lines().filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' '));
    lines.next().unwrap_or_else(|| panic!("the lock has no line {kind}"))
}

fn digest(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What of a list is not in the folder, or is another file.
fn differing(folder: &Path, list: &BTreeMap<&str, &str>) -> Vec<String> {
    let wrong = list.iter().filter_map(|(name, locked)| match digest(&folder.join(name)) {
        Ok(found) if found == **locked => None,
        Ok(found) => Some(format!("{name}: {found}, not {locked}")),
        Err(error) => Some(error),
    });
    wrong.collect()
}

#[test]
fn the_lock_names_the_source_and_every_document_or_recording_that_an_operation_follows() {
    let (documents, recordings) = (listed("document"), listed("recording"));
    let missing: BTreeSet<&str> = operations::ALL
        .iter()
        .filter_map(|operation| match operations::recorded_alone(operation) {
            Some(tape) => (!recordings.contains_key(tape)).then_some(tape),
            None => (!documents.contains_key(operation.document)).then_some(operation.document),
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(word("repository").starts_with("https://github.com/") && word("commit").len() == 40);
    let digests = documents.values().chain(recordings.values()).copied().chain([word("sums")]).collect::<Vec<_>>();
    assert!(digests.iter().all(|digest| digest.len() == 64), "a digest is no SHA-256");
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn the_documents_are_those_that_the_lock_names() {
    let Some(data) = azure_data("the documents") else { return };
    let specs = data.join("specs");
    let wrong = differing(&specs, &listed("document"));
    assert!(wrong.is_empty(), "{wrong:#?}");
    // A checkout of the upstream repository has no list of its own.
    if let Ok(sums) = digest(&specs.join("SHA256SUMS")) {
        assert_eq!(sums, word("sums"));
    }
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn the_recordings_are_those_that_the_lock_names() {
    let Some(data) = azure_data("the recordings") else { return };
    let folder = data.join("recordings");
    if folder.is_dir() {
        let wrong = differing(&folder, &listed("recording"));
        assert!(wrong.is_empty(), "{wrong:#?}");
    } else {
        // The documents alone are enough for the gates that hold requests and answers to them.
        println!("there are no recordings in {}", data.display());
    }
}
