//! Who may depend on whom: the edges of the house, exactly, and what must not be in a tree.
//! It reads `cargo metadata` and `cargo tree`, never sources.

use std::collections::{BTreeMap, BTreeSet};

use crate::{output, read, root};

/// The edges of the design: each crate, and all of ours that it depends on.
const EDGES: &[(&str, &[&str])] = &[
    ("planning", &[]),
    ("contract", &["planning"]),
    ("azure", &[]),
    ("execution", &["azure", "contract", "planning"]),
    ("functions", &["contract", "execution", "planning"]),
    ("simulator", &[]),
    ("cli", &["contract", "execution", "functions", "simulator"]),
    ("tests", &["azure", "contract", "execution", "functions", "planning", "simulator"]),
];

/// All that `planning` may rest on: hashing and time zones, neither of which does IO in `no_std`.
const PLANNING_TREE: &[&str] = &[
    "lifeboat-planning",
    "block-buffer",
    "cfg-if",
    "cpufeatures",
    "crypto-common",
    "digest",
    "generic-array",
    "jcore",
    "jiff",
    "jiff-core",
    "libc",
    "sha2",
    "typenum",
    "version_check",
    "portable-atomic",
    "portable-atomic-util",
];

#[test]
fn the_edges_between_crates_are_exactly_those_of_the_design() {
    let metadata: serde_json::Value =
        serde_json::from_str(&output(env!("CARGO"), &["metadata", "--no-deps", "--format-version", "1"]))
            .expect("JSON");
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let short =
            |name: &serde_json::Value| name.as_str().expect("a name").trim_start_matches("lifeboat-").to_owned();
        let ours = package["dependencies"]
            .as_array()
            .expect("dependencies")
            .iter()
            .filter(|d| d["name"].as_str().is_some_and(|name| name.starts_with("lifeboat-")));
        seen.insert(short(&package["name"]), ours.map(|d| short(&d["name"])).collect());
    }
    let wanted =
        EDGES.iter().map(|(name, to)| ((*name).to_owned(), to.iter().map(|t| (*t).to_owned()).collect())).collect();
    assert_eq!(seen, wanted);
}

#[test]
fn planning_rests_on_nothing_that_could_ask_the_world() {
    let tree = output(
        env!("CARGO"),
        &["tree", "-p", "lifeboat-planning", "-e", "normal", "--prefix", "none", "--format", "{lib}|{p}"],
    );
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split('|').nth(1)?.split(' ').next()).collect();
    let strangers: Vec<_> = names.iter().filter(|name| !PLANNING_TREE.contains(name)).collect();
    assert!(strangers.is_empty(), "planning must not rest on {strangers:?}");
    assert!(read(root().join("handlers/planning/src/lib.rs")).contains("no_std"));
}

#[test]
fn the_handler_does_not_contain_the_simulator() {
    let tree = output(env!("CARGO"), &["tree", "-p", "lifeboat-functions", "-e", "normal", "--prefix", "none"]);
    assert!(!tree.contains("lifeboat-simulator"));
}

#[test]
fn every_package_obeys_the_workspaces_lints() {
    for manifest in crate::files(&root(), "toml").iter().filter(|path| path.ends_with("Cargo.toml")) {
        let text = read(manifest);
        assert!(
            text.contains("[workspace]") || text.contains("[lints]\nworkspace = true"),
            "{}: [lints] workspace = true is missing",
            manifest.display()
        );
    }
}

#[test]
fn the_packaged_binary_survives_a_panic_and_needs_no_library() {
    let manifest = read(root().join("Cargo.toml"));
    let dist = manifest.split("[profile.dist]").nth(1).expect("a profile named dist");
    for setting in ["panic = \"unwind\"", "lto = \"fat\"", "codegen-units = 1", "strip = true"] {
        assert!(dist.contains(setting), "profile dist lacks {setting}");
    }
    assert!(!manifest.contains("panic = \"abort\""), "a panic in one invocation must not end the process");
}
