//! Scenarios: text in (`*.txt`), golden out (`*.out`); each runs the real handler against the simulated Azure in virtual time.
//! It never compares times of day: all times are relative to the scenario's start.
//!
//! LIFEBOAT_GOLDEN=write writes the golden files again; LIFEBOAT_SCENARIO=name runs one and prints what it shows.

mod disks;
mod expiry;
mod language;
mod onlook;
mod payloads;
mod people;
mod play;
mod regions;
mod show;
mod topic;
mod vaults;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads that scenarios are spread over.
const THREADS: usize = 4;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios"))
}

fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder()).expect("the scenarios are there").filter_map(Result::ok);
    let texts = files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|kind| kind == "txt"));
    let mut names: Vec<String> = texts.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

fn run(name: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.txt"))).map_err(|error| error.to_string())?;
    let lines = language::read(&text)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.map_err(|error| error.to_string())?.block_on(play::play(&lines))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment asks a test to write its golden files; no setting of the product"
)]
fn asked(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[test]
fn every_scenario_shows_what_its_golden_file_says() {
    let write = asked("LIFEBOAT_GOLDEN").as_deref() == Some("write");
    let only = asked("LIFEBOAT_SCENARIO");
    let names: Vec<String> = names().into_iter().filter(|name| only.as_ref().is_none_or(|only| only == name)).collect();
    assert!(only.is_some() || names.len() >= 20, "{} scenarios", names.len());
    let (next, problems) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(problem) = check(name, write, only.is_some()) {
                        problems.lock().expect("nobody panics with it").push(format!("--- {name}\n{problem}"));
                    }
                }
            });
        }
    });
    let mut problems = problems.into_inner().expect("nobody panics with it");
    problems.sort();
    println!("{} scenarios, {} differ", names.len(), problems.len());
    assert!(problems.is_empty(), "{}\nLIFEBOAT_GOLDEN=write writes the golden files again", problems.join("\n"));
}

fn check(name: &str, write: bool, tell: bool) -> Result<(), String> {
    let shown = run(name)?;
    if tell {
        println!("{shown}");
    }
    let golden = folder().join(format!("{name}.out"));
    if write {
        return std::fs::write(&golden, &shown).map_err(|error| error.to_string());
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    if expected == shown { Ok(()) } else { Err(difference(&expected, &shown)) }
}

/// The lines around the first that differ: `-` as the golden file has it, `+` as it is.
fn difference(expected: &str, shown: &str) -> String {
    const AROUND: usize = 4;
    let (expected, shown): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), shown.lines().collect());
    let same = expected.iter().zip(&shown).take_while(|(one, other)| one == other).count();
    let before = shown[same.saturating_sub(AROUND)..same].iter().map(|line| format!("  {line}"));
    let golden = expected.iter().skip(same).take(AROUND * 2).map(|line| format!("- {line}"));
    let actual = shown.iter().skip(same).take(AROUND * 2).map(|line| format!("+ {line}"));
    let lines: Vec<String> = before.chain(golden).chain(actual).collect();
    format!("line {} differs:\n{}", same + 1, lines.join("\n"))
}

#[test]
fn an_unknown_command_is_an_error_with_its_line() {
    for (text, said) in [
        ("# only words\ndance", "line 2: unknown command: dance"),
        ("create", "line 1: create <machine>"),
        ("create web-1 purple", "line 1: purple is no property of a machine"),
        ("run soon", "line 1: soon is no length of time"),
        ("fault arm purple", "line 1: purple is no fault"),
        ("policy enforce within", "line 1: within <time>"),
    ] {
        let refused = language::read(text).err().unwrap_or_default();
        assert!(refused.starts_with(said), "{text:?}: {refused:?}");
    }
}
