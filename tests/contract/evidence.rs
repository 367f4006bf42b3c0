//! Every behaviour of Azure that the simulator shows stands in the client's register of evidence, and what is assumed is said to be.
//! It never judges whether an entry is true; it finds what has none. It reads the simulator's sources, which import nothing of ours.
//!
//! The rule for *assumed*: a file with that mark names, up to twelve lines from one of its marks, an entry of that grade: the id as a
//! text in code, or in backticks in a comment. How many marks have their entry beside them is printed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use lifeboat_azure::evidence::{EVIDENCE, Entry, Grade};

/// How far from the word the entry may be named: a comment and the item under it.
const NEAR_LINES: usize = 12;
/// The word that marks an assumption.
const MARK: &str = "*Assumed*";
/// The folder of the simulated Azure.
const SIMULATOR: &str = "../handlers/simulator/src/azure";

/// The register.
fn entries() -> impl Iterator<Item = &'static Entry> {
    EVIDENCE.iter()
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(SIMULATOR)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("the simulator's sources").filter_map(Result::ok) {
            let path = entry.path();
            let is_test = entry.file_name().to_string_lossy().contains("tests");
            if path.is_dir() && !is_test {
                open.push(path);
            } else if path.is_file() && path.extension().is_some_and(|extension| extension == "rs") && !is_test {
                found.push((path.clone(), std::fs::read_to_string(path).expect("a source")));
            }
        }
    }
    found.sort();
    found
}

fn is_mark(line: &str) -> bool {
    line.to_ascii_lowercase().contains(&MARK.to_ascii_lowercase())
}

/// The ids that the routes name: in the registry's files, the last text of each route stands alone on its line.
fn named_by_routes() -> BTreeMap<String, String> {
    let mut named = BTreeMap::new();
    for (path, text) in sources() {
        if !path.to_string_lossy().contains("/registry/") {
            continue;
        }
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate() {
            let ends = lines.get(at + 1).is_some_and(|next| next.starts_with(')'));
            let id = line.strip_prefix('"').and_then(|line| line.trim_end_matches(',').strip_suffix('"'));
            if let (true, Some(id)) = (ends, id) {
                named.insert(id.to_owned(), format!("{}:{}", path.display(), at + 1));
            }
        }
    }
    named
}

#[test]
fn every_entry_that_a_route_of_the_simulator_rests_on_is_in_the_register() {
    let known: BTreeSet<&str> = entries().map(|entry| entry.id).collect();
    let named = named_by_routes();
    assert!(named.len() > 5, "the rule that finds the entries of routes finds {named:?}");
    let missing: Vec<String> =
        named.iter().filter(|(id, _)| !known.contains(id.as_str())).map(|(id, at)| format!("{id} ({at})")).collect();
    println!("{} entries are named by routes", named.len());
    assert!(missing.is_empty(), "not in the register:\n{}", missing.join("\n"));
}

#[test]
fn every_file_of_the_simulator_that_assumes_something_names_the_entry_that_it_assumes() {
    let assumed: Vec<String> = entries()
        .filter(|entry| entry.grade == Grade::Assumed)
        .flat_map(|entry| [format!("\"{}\"", entry.id), format!("`{}`", entry.id)])
        .collect();
    let (mut marks, mut named, mut silent) = (0, 0, Vec::new());
    for (path, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        let own: Vec<usize> = (0..lines.len()).filter(|at| is_mark(lines[*at])).collect();
        let names = |at: &&usize| {
            let near = &lines[at.saturating_sub(NEAR_LINES)..lines.len().min(**at + NEAR_LINES + 1)];
            near.iter().any(|line| assumed.iter().any(|id| line.contains(id)))
        };
        let with = own.iter().filter(names).count();
        (marks, named) = (marks + own.len(), named + with);
        if !own.is_empty() && with == 0 {
            silent.push(format!("{}: {} assumptions, first at line {}", path.display(), own.len(), own[0] + 1));
        }
    }
    println!("{marks} assumptions in the simulator, {named} with their entry beside them");
    assert!(silent.is_empty(), "no entry is named near an assumption:\n{}", silent.join("\n"));
}

#[test]
fn no_entry_of_the_register_stands_twice_or_without_its_source() {
    let mut seen = BTreeSet::new();
    for entry in entries() {
        assert!(seen.insert(entry.id), "{} stands twice", entry.id);
        assert!(!entry.source.is_empty() && !entry.behaviour.is_empty(), "{} says nothing", entry.id);
    }
}
