//! The tests: the replay of the folder, that a falsified tape is noticed, and that a broken one is told.
//! It never judges a difference itself: each is told with its reason, and counts.

#[path = "rules.rs"]
mod rules;

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::compare::{Difference, is_about, shape, states};
use crate::report::{Outcome, Played, Totals, text};
use crate::tape::{self, Said, Tape};
use crate::world::World;
use crate::{replay, spoken};

/// How many of the spoken requests that are compared must be equal, in thousandths.
pub const EQUAL_PERMILLE: usize = 950;
/// How many swaps of each tape are tried, at most: nearly all that the short tapes have.
const SWAPS: usize = 64;
/// How many lines of a tape are sent for its swaps, at most: a long tape has fewer tried, evenly spread, so that all tapes
/// together take a minute.
const LINES_SENT: usize = 6_000;

/// What the comparison looks at in an answer.
type Print = (u16, BTreeSet<String>, Vec<String>, [bool; 2]);

/// All tapes, where there is a data folder.
pub fn tapes(test: &str) -> Option<Vec<Tape>> {
    let folder = lifeboat_tests::data::azure_data(test)?.join("recordings");
    match tape::read_all(&folder) {
        Ok(tapes) => Some(tapes),
        Err(broken) => panic!("{broken}"),
    }
}

#[tokio::test(start_paused = true)]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn the_simulator_answers_as_azure_answered() {
    let Some(tapes) = tapes("recordings") else { return };
    let mut played = Vec::new();
    for tape in &tapes {
        played.push(replay::run(tape, &World::models(tape)).await);
    }
    eprintln!("{}", text(&played));
    let totals = Totals::of(&played);
    lifeboat_tests::gates::write("recordings.json", &totals.json());
    assert!(totals.tapes > 0 && totals.compared() > 0, "nothing was compared: {totals:?}");
    assert!(
        totals.equal_permille() >= EQUAL_PERMILLE,
        "{} of {} spoken requests are answered as Azure answered",
        totals.spoken_equal,
        totals.compared()
    );
}

#[tokio::test(start_paused = true)]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn every_operation_runs_and_ends_as_recorded() {
    let Some(tapes) = tapes("recordings") else { return };
    let (mut looked_at, mut other) = (0, Vec::new());
    for tape in &tapes {
        let played = replay::run(tape, &World::models(tape)).await;
        for line in played.lines.iter().filter(|line| line.of_operation) {
            looked_at += usize::from(matches!(line.outcome, Outcome::Equal | Outcome::Different(_)));
            let Outcome::Different(differences) = &line.outcome else { continue };
            let of_state = |one: &&Difference| !matches!(one, Difference::Missing(_) | Difference::Added(_));
            let told: Vec<String> = differences.iter().filter(of_state).map(ToString::to_string).collect();
            if !told.is_empty() {
                other.push(format!("{}:{}: {}", tape.name, line.number, told.join("; ")));
            }
        }
    }
    assert!(other.is_empty(), "operations that take another course than in Azure:\n{}", other.join("\n"));
    assert!(looked_at > 0, "no operation was polled");
}

/// What the comparison looks at in an answer to a path.
fn fingerprint(path: &str, said: &Said) -> Print {
    (said.status, shape(said), states(&said.body), is_about(said, path))
}

fn differing(played: &Played) -> usize {
    played.lines.iter().filter(|line| matches!(line.outcome, Outcome::Different(_))).count()
}

/// Pairs of lines of one kind whose answers would not stand for each other: both answered equally, or one of them a seed.
/// Of pairs that look alike, as those of a job that is asked for again and again, the first stands for all.
fn swaps(tape: &Tape, played: &Played) -> Vec<(usize, usize)> {
    let outcome = |at: usize| &played.lines[at].outcome;
    let is_usable = |at: &usize| matches!(outcome(*at), Outcome::Equal | Outcome::Seeded);
    let usable: Vec<usize> = (0..tape.lines.len()).filter(is_usable).collect();
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for (place, &one) in usable.iter().enumerate() {
        for &other in &usable[place + 1..] {
            let (first, second) = (&tape.lines[one], &tape.lines[other]);
            let same_kind = played.lines[one].kind == played.lines[other].kind;
            let is_compared = [one, other].iter().any(|&at| *outcome(at) == Outcome::Equal);
            let print = |said: &Said| fingerprint(first.path(), said);
            let prints = (print(&first.answer), print(&second.answer));
            let differ = same_kind && is_compared && prints.0 != prints.1;
            if differ && seen.insert((played.lines[one].kind.clone(), prints)) {
                found.push((one, other));
            }
        }
    }
    let most = SWAPS.min(LINES_SENT / tape.lines.len().max(1)).max(1);
    let step = found.len().div_ceil(most).max(1);
    found.into_iter().step_by(step).collect()
}

#[tokio::test(start_paused = true)]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn swapped_answers_are_noticed() {
    let Some(tapes) = tapes("recordings") else { return };
    let (mut tried, mut unnoticed) = (0, Vec::new());
    for tape in &tapes {
        let modelled = World::models(tape);
        let played = replay::run(tape, &modelled).await;
        for (one, other) in swaps(tape, &played) {
            let mut swapped = tape.clone();
            let answer = swapped.lines[one].answer.clone();
            swapped.lines[one].answer = std::mem::replace(&mut swapped.lines[other].answer, answer);
            tried += 1;
            if differing(&replay::run(&swapped, &modelled).await) <= differing(&played) {
                unnoticed.push(format!("{}: lines {} and {}", tape.name, one + 1, other + 1));
            }
        }
    }
    eprintln!("swaps tried: {tried}");
    assert!(unnoticed.is_empty(), "swaps that nobody notices:\n{}", unnoticed.join("\n"));
    assert!(tried > 0, "there was nothing to swap");
}

/// The same answer with a state that comes too early.
fn too_early(said: &Said) -> Option<Said> {
    fn skip(value: &mut Value) -> bool {
        const PASSING: [&str; 5] = ["Creating", "Updating", "Deleting", "InProgress", "Running"];
        match value {
            Value::Object(fields) => {
                let mut skipped = false;
                for (name, inner) in fields.iter_mut() {
                    let passes = inner.as_str().is_some_and(|state| PASSING.contains(&state));
                    if passes && matches!(name.as_str(), "provisioningState" | "status") {
                        *inner = json!("Succeeded");
                        skipped = true;
                    }
                    skipped |= skip(inner);
                }
                skipped
            }
            Value::Array(list) => list.iter_mut().map(skip).filter(|&skipped| skipped).count() > 0,
            _ => false,
        }
    }
    let mut early = said.clone();
    skip(&mut early.body).then_some(early)
}

#[tokio::test(start_paused = true)]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn a_state_that_is_skipped_is_noticed() {
    let Some(tapes) = tapes("recordings") else { return };
    let (mut tried, mut unnoticed) = (0, Vec::new());
    for tape in &tapes {
        let modelled = World::models(tape);
        let played = replay::run(tape, &modelled).await;
        for (at, line) in tape.lines.iter().enumerate() {
            let Some(early) = too_early(&line.answer).filter(|_| played.lines[at].outcome == Outcome::Equal) else {
                continue;
            };
            // Of a job that is asked for again and again, the first of the answers that look alike stands for all.
            let print = |line: &tape::Line| fingerprint(line.path(), &line.answer);
            if at > 0 && tape.lines[at - 1].target == line.target && print(&tape.lines[at - 1]) == print(line) {
                continue;
            }
            let mut skipping = tape.clone();
            skipping.lines[at].answer = early;
            tried += 1;
            if differing(&replay::run(&skipping, &modelled).await) <= differing(&played) {
                unnoticed.push(format!("{}: line {}", tape.name, line.number));
            }
        }
    }
    eprintln!("skipped states tried: {tried}");
    assert!(unnoticed.is_empty(), "skipped states that nobody notices:\n{}", unnoticed.join("\n"));
    assert!(tried > 0, "there was no state to skip");
}

#[test]
fn a_request_is_spoken_whatever_the_case_of_its_path() {
    let path = "/SUBSCRIPTIONS/s/resourcegroups/g/providers/microsoft.compute/VirtualMachines/m";
    assert!(spoken::operation("GET", path).is_some());
    assert!(
        spoken::operation("PUT", path).is_none() || spoken::operation("GET", path) != spoken::operation("PUT", path)
    );
    assert!(spoken::operation("GET", "/subscriptions/s/providers/Microsoft.Sql/servers").is_none());
    assert!(spoken::fits("/{scope}/providers/P/locks/{name}", "/subscriptions/s/resourceGroups/g/providers/p/locks/l"));
    assert!(!spoken::fits("/{scope}/providers/P/locks/{name}", "/providers/p/locks/l"));
}

#[test]
fn a_tape_that_nobody_knows_is_read_as_it_is() {
    let line = json!({ "method": "GET", "path": "/subscriptions?api-version=1", "request": null, "status": 200,
        "headers": { "ETag": "1" }, "response": { "value": [] } });
    let read = tape::read("new.jsonl", &format!("{line}\n\n{line}\n")).expect("two lines");
    assert_eq!(read.lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(read.lines[0].path(), "/subscriptions");
    assert_eq!(read.lines[0].answer.headers["etag"], "1");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_broken_line_is_told_with_file_and_line(
        good in 0usize..5,
        broken in prop_oneof![
            "[^\\s\\{][^\\n]{0,40}",
            "\\{[^\\n\\}]{0,40}",
            Just(json!({ "method": "LOOK", "path": "/", "status": 200 }).to_string()),
            Just(json!({ "method": "GET", "path": "subscriptions", "status": 200 }).to_string()),
            Just(json!({ "method": "GET", "path": "/", "status": 99 }).to_string()),
            Just(json!({ "method": "GET", "path": "/" }).to_string()),
        ],
    ) {
        let line = json!({ "method": "GET", "path": "/subscriptions", "status": 200 }).to_string();
        let mut lines = vec![line; good];
        lines.push(broken.replace(['\r', '\u{85}'], " "));
        let told = tape::read("some.jsonl", &lines.join("\n")).expect_err("the last line is broken");
        prop_assert_eq!((told.file.as_str(), told.line), ("some.jsonl", good + 1));
        let start = format!("some.jsonl:{}: ", good + 1);
        prop_assert!(told.to_string().starts_with(&start) && told.what.len() > 3, "{}", told);
    }
}
