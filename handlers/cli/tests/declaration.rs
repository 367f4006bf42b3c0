//! `lifeboat declaration replay` as a person meets it, on the built executable: its words, its JSON and its exit codes.
//! It never judges decisions: the truth table in `contract` does.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The recovery plan that is shipped: what people begin with.
const EXAMPLE: &str = include_str!("../../contract/examples/recovery-plan.yaml");

/// The same, declared by rules.
fn by_rules() -> String {
    EXAMPLE.replace("by: approval", "by: rules")
}

/// A folder under cargo's own scratch folder for tests, made anew, with a recovery plan and a history.
fn folder(name: &str, plan: &str, history: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _absent = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder for a test");
    std::fs::write(path.join("plan.yaml"), plan).expect("a file");
    std::fs::write(path.join("history.jsonl"), history).expect("a file");
    path
}

fn replay(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
    command.args(["declaration", "replay", "--plan", "plan.yaml", "--history", "history.jsonl"]).args(more);
    command.current_dir(folder).env_remove("LIFEBOAT_KEY").output().expect("the command starts")
}

fn out(run: &Output) -> String {
    String::from_utf8(run.stdout.clone()).expect("UTF-8")
}

/// A region that is lost: an incident and a probe tell of it, and Resource Health answers all the time.
fn outage() -> String {
    let mut text = String::new();
    for minute in 0..=15 {
        let at = format!("2026-11-01T02:{minute:02}:00Z");
        let poll = r#"{"events":{"value":[]},"availabilityStatuses":{"value":[]}}"#;
        writeln!(text, r#"{{"at":"{at}","door":"HealthPoll","body":{poll}}}"#).expect("text");
        let probe = r#"{"probe":"front","region":"westeurope","kind":"http","outcome":"failed"}"#;
        writeln!(text, r#"{{"at":"{at}","door":"probe","body":{probe}}}"#).expect("text");
        if minute == 1 {
            let properties = r#"{"incidentType":"Incident","stage":"Active","trackingId":"NA0F-1","communicationId":"c1","service":"Virtual Machines","region":"West Europe"}"#;
            let alert = format!(
                r#"{{"schemaId":"azureMonitorCommonAlertSchema","data":{{"essentials":{{"monitoringService":"ServiceHealth"}},"alertContext":{{"eventTimestamp":"{at}","level":2,"properties":{properties}}}}}}}"#
            );
            writeln!(text, r#"{{"at":"{at}","door":"RegionAlert","body":{alert}}}"#).expect("text");
        }
    }
    text
}

#[test]
fn each_transition_is_printed_with_its_conditions_and_what_was_supposed() {
    let folder = folder("replay", &by_rules(), &outage());
    let run = replay(&folder, &[]);
    let said = out(&run);
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    for words in [
        "recovery plan `shop`, from westeurope to northeurope, declared by rules",
        "supposed, standing approval: not given",
        "2026-11-01T02:01:00Z  Normal → Suspected  tellSuspected",
        "NOT MET window: not failing together; it takes 10m",
        "2026-11-01T02:11:00Z  Confirmed → AwaitingApproval  ask",
        "met     sources: serviceHealth, probe; it takes 2",
        "NOT MET standingApproval, for rules: not given",
        "4m lost",
        "neither fails back nor drills yet",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
}

#[test]
fn the_shipped_example_is_played_as_it_is_and_asks_for_approval() {
    let folder = folder("replay-example", EXAMPLE, &outage());
    let run = replay(&folder, &["--suppose", "standingApproval=yes"]);
    let said = out(&run);
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("recovery plan `shop`, from westeurope to northeurope, declared by approval"), "{said}");
    assert!(said.contains("2026-11-01T02:11:00Z  Confirmed → AwaitingApproval  ask"), "{said}");
}

#[test]
fn the_same_as_json_and_with_other_suppositions_another_end() {
    let folder = folder("replay-json", &by_rules(), &outage());
    let run = replay(&folder, &["--output", "json", "--suppose", "standingApproval=yes"]);
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let transitions = said["transitions"].as_array().expect("transitions");
    let last = transitions.last().expect("a transition");
    assert_eq!(
        (&last["to"], &last["act"], &last["lossSeconds"]),
        (&"FailingOver".into(), &"start".into(), &240.into())
    );
    for transition in transitions {
        assert_eq!(transition["conditions"].as_array().map(Vec::len), Some(13));
    }
    let run = replay(&folder, &["--output", "json", "--suppose", "newestPoint=2026-11-01T01:00:00Z"]);
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
    assert_eq!(said["end"]["to"], "Suspected");
}

#[test]
fn a_bad_line_is_told_with_its_number_and_nothing_is_played() {
    let history = outage().replacen("\"door\":\"probe\"", "\"door\":\"window\"", 1);
    let folder = folder("replay-bad-line", EXAMPLE, &history);
    let run = replay(&folder, &[]);
    assert_eq!(run.status.code(), Some(1));
    let said = out(&run);
    assert!(said.starts_with("history.jsonl:2: `door` is window; expected one of RegionAlert"), "{said}");
    assert!(!said.contains("Suspected"));
    let run = replay(&folder, &["--output", "json"]);
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
    assert_eq!((run.status.code(), &said["ok"], &said["problems"][0]["line"]), (Some(1), &false.into(), &2.into()));
}

#[test]
fn a_bad_plan_is_told_as_check_tells_it_and_a_bad_supposition_is_no_command() {
    // One reader: misspelt words, and what only a whole recovery plan must have.
    let bad = EXAMPLE.replace("by: approval", "by: aproval").replace("maxDataLoss", "maxDataLos");
    let folder = folder("replay-bad-plan", &bad, &outage());
    for form in ["text", "json"] {
        let run = replay(&folder, &["--output", form]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        command.args(["check", "plan.yaml", "--output", form]).current_dir(&folder);
        let check = command.output().expect("the command starts");
        assert_eq!((run.status.code(), check.status.code()), (Some(1), Some(1)));
        if form == "json" {
            let problems = |run: &Output| {
                serde_json::from_slice::<serde_json::Value>(&run.stdout).expect("JSON")["problems"].clone()
            };
            assert_eq!(problems(&run), problems(&check));
        } else {
            let said = out(&run);
            assert!(said.contains("spec.declaration.by: ") && said.contains("did you mean `maxDataLoss`?"), "{said}");
            assert!(!said.is_empty() && out(&check).starts_with(&said), "{said}\n{}", out(&check));
        }
    }
    assert_eq!(replay(&folder, &["--suppose", "courage=yes"]).status.code(), Some(2));
    std::fs::remove_file(folder.join("history.jsonl")).expect("removed");
    std::fs::write(folder.join("plan.yaml"), EXAMPLE).expect("a file");
    let run = replay(&folder, &[]);
    assert_eq!(run.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&run.stderr).contains("history.jsonl cannot be read"));
}
