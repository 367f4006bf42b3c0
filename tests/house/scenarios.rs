//! The table of scenarios: each file that it names is there, and each scenario is named.
//! It never judges what a scenario shows.

use std::collections::BTreeSet;

use crate::{files, read, root};

/// What the table names, between backticks in its rows: a scenario, or a file of the repository.
fn named() -> BTreeSet<String> {
    let table = read(root().join("tests/scenarios/README.md"));
    let held_by = table.lines().filter(|line| line.starts_with("| ")).filter_map(|line| line.rsplit('|').nth(1));
    let names = held_by.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>());
    names.collect()
}

#[test]
fn every_file_that_the_table_of_scenarios_names_is_there() {
    let path = |name: &String| match name.contains('/') {
        true => root().join(name),
        false => root().join(format!("tests/scenarios/{name}.txt")),
    };
    let names = named();
    assert!(names.len() > 60, "{} names", names.len());
    let missing: Vec<_> = names.iter().filter(|name| !path(name).is_file()).collect();
    assert!(missing.is_empty(), "not there: {missing:?}");
}

#[test]
fn every_scenario_stands_in_the_table() {
    let names = named();
    let scenarios = files(&root().join("tests/scenarios"), "txt");
    let stems = scenarios.iter().filter_map(|path| path.file_stem()?.to_str());
    let untold: Vec<_> = stems.filter(|name| !names.contains(*name)).collect();
    assert!(untold.is_empty(), "not in the table: {untold:?}");
}
