//! Whole recordings against this Azure, as far as Compute goes: the recorded requests in their order, each answer with the
//! recorded status, JSON paths and states.
//! The recordings are read where LIFEBOAT_AZURE_DATA says; nothing of them is kept here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::SignedDuration;
use serde_json::Value;

use super::calls::{Caller, Told};

/// Texts that say where something is in its life.
const STATES: [&str; 6] =
    ["provisioningState", "diskState", "status", "createOption", "consistencyMode", "completionPercent"];
/// Lines that cannot be equal: the tape, its line, why.
const KNOWN: [(&str, usize, &str); 1] =
    [("backup_scenario", 22, "Azure itself changed the machine's patch settings between two reads")];
/// Longest time that a recorded operation is waited for, in steps of three seconds.
const WAITS: usize = 30;

#[derive(Default)]
struct Report {
    equal: usize,
    seeded: usize,
    not_modelled: usize,
    different: Vec<String>,
}

struct Line {
    method: String,
    path: String,
    body: Option<Value>,
    status: u16,
    headers: Value,
    response: Value,
}

fn tapes() -> Vec<(String, Vec<Line>)> {
    let default = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/azure"));
    #[expect(clippy::disallowed_methods, reason = "a test's data folder is no setting of the product")]
    let (folder, required) =
        (std::env::var_os("LIFEBOAT_AZURE_DATA"), std::env::var_os("LIFEBOAT_AZURE_DATA_REQUIRED").is_some());
    let folder = folder.map_or(default, PathBuf::from).join("recordings");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        assert!(!required, "LIFEBOAT_AZURE_DATA_REQUIRED is set and {} is absent", folder.display());
        eprintln!("ignored: {} is absent; LIFEBOAT_AZURE_DATA names the folder of recordings", folder.display());
        return Vec::new();
    };
    let mut all: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    all.sort();
    let read = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap().lines().map(line).collect())
    };
    all.iter().map(read).collect()
}

fn line(text: &str) -> Line {
    let mut one: Value = serde_json::from_str(text).unwrap();
    Line {
        method: one["method"].as_str().unwrap().to_owned(),
        path: one["path"].as_str().unwrap().to_owned(),
        body: Some(one["request"].take()).filter(|body| !body.is_null()),
        status: one["status"].as_u64().unwrap().try_into().unwrap(),
        headers: one["headers"].take(),
        response: one["response"].take(),
    }
}

/// What a line is about, its query aside.
fn about(line: &Line) -> String {
    line.path.split('?').next().unwrap().to_ascii_lowercase()
}

fn is_compute(line: &Line) -> bool {
    about(line).contains("/providers/microsoft.compute/")
}

/// All paths with their types, and the states in order.
fn shape(value: &Value) -> (BTreeSet<String>, Vec<String>) {
    fn walk(value: &Value, at: &str, found: &mut (BTreeSet<String>, Vec<String>)) {
        let kind = match value {
            Value::Object(fields) => {
                for (name, inner) in fields {
                    if STATES.contains(&name.as_str()) {
                        found.1.push(format!("{at}/{name}={inner}"));
                    }
                    walk(inner, &format!("{at}/{name}"), found);
                }
                "object"
            }
            Value::Array(list) => {
                list.iter().for_each(|inner| walk(inner, &format!("{at}/*"), found));
                "list"
            }
            Value::String(_) => "text",
            Value::Number(_) => "number",
            Value::Bool(_) => "truth",
            Value::Null => "null",
        };
        found.0.insert(format!("{at}:{kind}"));
    }
    let mut found = (BTreeSet::new(), Vec::new());
    walk(value, "", &mut found);
    found
}

/// Names that Azure chose, against those that we chose, from the same places of both answers.
fn names(theirs: &Value, ours: &Value, found: &mut BTreeMap<String, String>) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            theirs.iter().for_each(|(name, value)| names(value, ours.get(name).unwrap_or(&Value::Null), found));
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            theirs.iter().zip(ours).for_each(|(theirs, ours)| names(theirs, ours, found));
        }
        (Value::String(theirs), Value::String(ours)) if theirs != ours && theirs.starts_with("/subscriptions/") => {
            found.insert(theirs.clone(), ours.clone());
        }
        _ => {}
    }
}

/// The budgets that a header names, without what is left of them.
fn budgets(header: &str) -> Vec<&str> {
    header.split(',').map(|part| part.split(';').next().unwrap_or_default()).collect()
}

fn differs(line: &Line, told: &Told) -> Option<String> {
    if told.status != line.status {
        return Some(format!("status {} for {}: {}", told.status, line.status, told.body));
    }
    for name in ["azure-asyncoperation", "location", "etag", "x-ms-failure-cause", "x-ms-ratelimit-remaining-resource"]
    {
        let theirs = line.headers[name].as_str().unwrap_or_default();
        if theirs.is_empty() != told.header(name).is_empty() {
            return Some(format!("header {name}: {:?} for {theirs:?}", told.header(name)));
        }
        // Early in 2024 machines still had the budgets of three and of thirty minutes.
        let older = theirs.contains("3Min") && about(line).contains("/virtualmachines/");
        if name.starts_with("x-ms-ratelimit") && !older && budgets(theirs) != budgets(told.header(name)) {
            return Some(format!("budgets {:?} for {theirs:?}", told.header(name)));
        }
    }
    let (theirs, ours) = (shape(&line.response), shape(&told.body));
    if theirs.0 != ours.0 {
        let lacks: Vec<_> = theirs.0.difference(&ours.0).collect();
        let adds: Vec<_> = ours.0.difference(&theirs.0).collect();
        return Some(format!("lacks {lacks:?}, adds {adds:?}"));
    }
    (theirs.1 != ours.1).then(|| format!("states {:?} for {:?}", ours.1, theirs.1))
}

/// Seeds what the tape reads and never writes.
fn seed_ahead(caller: &Caller, tape: &[Line]) -> BTreeSet<String> {
    let mut seeded = BTreeSet::new();
    let mut seen: BTreeSet<String> =
        tape.iter().filter(|line| line.method != "GET" && line.method != "POST").map(about).collect();
    for line in tape.iter().filter(|line| line.method == "GET" && line.status == 200 && line.response["id"].is_string())
    {
        if seen.insert(about(line)) {
            let _ = caller.world.arm().seed_resource(&line.response);
            seeded.insert(about(line));
        }
    }
    seeded
}

async fn replay(name: &str, tape: &[Line], ahead: bool) -> Report {
    let caller = Caller::new();
    let arm = caller.world.arm().clone();
    caller.world.add_subscription("00000000-0000-0000-0000-000000000000", "Recorded");
    let mut report = Report::default();
    // A group that no line asks for was there before.
    for line in tape {
        if let Some(group) = line.path.split('/').nth(4).filter(|_| line.path.contains("/resourceGroups/")) {
            arm.add_group("00000000-0000-0000-0000-000000000000", group, "westus");
        }
    }
    // What is read before it is written was there before.
    let mut touched = if ahead { seed_ahead(&caller, tape) } else { BTreeSet::new() };
    let mut stale: BTreeSet<String> = BTreeSet::new();
    let (mut urls, mut renamed): (BTreeMap<String, String>, BTreeMap<String, String>) = Default::default();
    for (number, line) in tape.iter().enumerate() {
        let first = touched.insert(about(line));
        let there = first && line.method == "GET" && line.status == 200 && line.response["id"].is_string();
        if there || (line.method == "GET" && stale.remove(&about(line))) {
            report.seeded += usize::from(arm.seed_resource(&line.response).is_ok() && is_compute(line));
        }
        let poll = line.path.to_ascii_lowercase().contains("operations/");
        let url = urls.get(&line.path).cloned();
        if !is_compute(line) || !arm.models(&line.method, &line.path) || (poll && url.is_none()) {
            report.not_modelled += usize::from(is_compute(line));
            if line.method != "GET" {
                stale = touched.clone();
            }
            continue;
        }
        let mut text = line.body.as_ref().map(Value::to_string);
        for (theirs, ours) in &renamed {
            text = text.map(|text: String| text.replace(theirs, ours));
        }
        let body = text.map(|text| serde_json::from_str(&text).unwrap());
        let mut told = caller.send(&line.method, url.as_ref().unwrap_or(&line.path), body.clone()).await;
        for _ in 0..WAITS {
            let runs = told.status == 202 || told.body["status"] == "InProgress";
            let wanted = line.status == 202 || line.response["status"] == "InProgress";
            if !poll || !runs || wanted {
                break;
            }
            caller.world.jump(SignedDuration::from_secs(3));
            told = caller.send(&line.method, url.as_ref().unwrap_or(&line.path), body.clone()).await;
        }
        for name in ["azure-asyncoperation", "location"] {
            let strip = |url: &str| url.trim_start_matches("https://management.azure.com").to_owned();
            if let Some(theirs) = line.headers[name].as_str().filter(|_| !told.header(name).is_empty()) {
                urls.insert(strip(theirs), strip(told.header(name)));
            }
        }
        names(&line.response, &told.body, &mut renamed);
        match differs(line, &told) {
            None => report.equal += 1,
            Some(_) if KNOWN.iter().any(|known| (known.0, known.1) == (name, number)) => {}
            Some(why) => report.different.push(format!("{number} {} {}: {why}", line.method, about(line))),
        }
    }
    report
}

/// Whether it is seeded before the first line or just before it is read makes no difference.
#[tokio::test(start_paused = true)]
async fn compute_answers_every_recording_as_azure_did() {
    let mut wrong = Vec::new();
    for (name, tape) in tapes() {
        for ahead in [false, true] {
            let Report { equal, seeded, not_modelled, different } = replay(&name, &tape, ahead).await;
            let count = different.len();
            println!("{name}: {equal} equal, {count} different, {seeded} seeded, {not_modelled} not modelled");
            wrong.extend(different.into_iter().map(|why| format!("{name} {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
