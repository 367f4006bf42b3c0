//! The rules of the replay on tapes that were made up for them: what is seeded, what is renamed, when the clock moves, and
//! what the comparison sees.
//! It never needs the recordings.

use serde_json::{Value, json};

use crate::compare::{compare, told};
use crate::names::Names;
use crate::plan::Plan;
use crate::replay;
use crate::report::Outcome;
use crate::tape::{self, Said, Tape};
use crate::time::has_ended;
use crate::world::World;

const GROUP: &str = "/subscriptions/s/resourceGroups/g";

fn machine() -> String {
    format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/m")
}

/// A tape of lines, each a method, a target, a request, a status, headers and an answer.
fn tape_of(lines: &[(&str, &str, Value, u16, Value, Value)]) -> Tape {
    let texts: Vec<String> = lines
        .iter()
        .map(|(method, path, request, status, headers, response)| {
            json!({ "method": method, "path": path, "request": request, "status": status, "headers": headers,
                    "response": response })
            .to_string()
        })
        .collect();
    tape::read("made-up.jsonl", &texts.join("\n")).expect("a tape")
}

fn get(path: &str) -> (&str, &str, Value, u16, Value, Value) {
    ("GET", path, Value::Null, 200, json!({}), json!({ "id": path }))
}

fn said(status: u16, headers: Value, body: Value) -> Said {
    Said { status, headers: serde_json::from_value(headers).expect("headers"), body }
}

#[test]
fn the_first_get_of_what_is_never_written_is_presupposed_and_the_next_is_compared() {
    let id = machine();
    let plan = Plan::of(&tape_of(&[get(&id), get(GROUP), get(&id)]), &[true, true, true]);
    let seeded: Vec<bool> = plan.roles.iter().map(|role| role.seeded).collect();
    assert_eq!(seeded, [true, true, false]);
    assert_eq!(plan.presupposed, [json!({ "id": id }), json!({ "id": GROUP })]);
}

#[test]
fn what_the_tape_writes_or_first_misses_is_not_presupposed() {
    let id = machine();
    let put = ("PUT", id.as_str(), json!({}), 201, json!({}), json!({ "id": id }));
    let missing = ("GET", id.as_str(), Value::Null, 404, json!({}), json!({ "error": {} }));
    for lines in [vec![put, get(&id)], vec![missing, get(GROUP), get(&id)]] {
        let plan = Plan::of(&tape_of(&lines), &[true, true, true][..lines.len()]);
        assert!(plan.presupposed.iter().all(|one| one["id"] != json!(id)), "{:?}", plan.presupposed);
        assert!(!plan.roles[lines.len() - 1].seeded);
    }
}

#[test]
fn what_an_operation_that_is_not_modelled_names_is_seeded_again_once() {
    let id = machine();
    let template = json!({ "resources": [{ "type": "Microsoft.Compute/virtualMachines", "name": "m" }] });
    let deployments = format!("{GROUP}/providers/Microsoft.Resources/deployments/d");
    let deploy = ("PUT", deployments.as_str(), template, 201, json!({}), json!({}));
    let acts = format!("{id}/generalize");
    let act = ("POST", acts.as_str(), Value::Null, 200, json!({}), Value::Null);
    let lines = [deploy, get(&id), get(GROUP), get(&id), act, get(&id)];
    let plan = Plan::of(&tape_of(&lines), &[false, true, true, true, false, true]);
    let planted: Vec<usize> = plan.roles.iter().map(|role| role.planted_before.len()).collect();
    assert_eq!(planted, [0, 1, 0, 0, 0, 1]);
    let seeded: Vec<bool> = plan.roles.iter().map(|role| role.seeded).collect();
    assert_eq!(seeded, [false, true, true, false, false, true]);
}

#[test]
fn a_poll_belongs_to_the_operation_that_handed_its_url_out_and_asks_the_simulators_own() {
    let (id, url) = (machine(), "/subscriptions/s/providers/Microsoft.Compute/locations/l/operations/o");
    let told = |query: &str| json!({ "Azure-AsyncOperation": format!("https://management.azure.com{url}?{query}") });
    let poll = format!("{url}?t=REDACTED");
    let delete = ("DELETE", id.as_str(), Value::Null, 202, told("t=REDACTED"), Value::Null);
    let tape = tape_of(&[delete, ("GET", &poll, Value::Null, 200, json!({}), json!({ "status": "InProgress" }))]);
    let plan = Plan::of(&tape, &[true, false]);
    assert_eq!(plan.roles[1].polls, Some(0));
    assert!(plan.roles[1].modelled, "it is modelled as the operation is");

    let mut names = Names::default();
    assert!(!names.knows(&tape.lines[1]));
    let own = json!({ "azure-asyncoperation": "https://management.azure.com/own/operations/1?s=signed" });
    names.learn(&tape.lines[0].answer, &said(202, own, Value::Null));
    assert_eq!(names.request(&tape.lines[1]).target, "/own/operations/1?s=signed");
}

#[test]
fn what_came_with_something_that_the_tape_made_is_not_presupposed_but_for_what_stands_for_a_machine() {
    let vault = format!("{GROUP}/providers/P/vaults/v");
    let (policy, listed) = (format!("{vault}/policies/p"), format!("{vault}/found"));
    let element = json!({ "id": format!("{vault}/found/1"), "properties": { "virtualMachineId": machine() } });
    let put = ("PUT", vault.as_str(), json!({}), 201, json!({}), json!({ "id": vault }));
    let list = |value: Value| ("GET", listed.as_str(), Value::Null, 200, json!({}), json!({ "value": value }));
    let plan = Plan::of(&tape_of(&[put.clone(), get(&policy), list(json!([element]))]), &[true; 3]);
    assert_eq!(plan.presupposed, std::slice::from_ref(&element));

    let plan = Plan::of(&tape_of(&[put, list(json!([])), list(json!([element]))]), &[true; 3]);
    assert_eq!(plan.presupposed, Vec::<Value>::new(), "the first list did not show it");
    assert_eq!(plan.roles[2].planted_before, [element]);
}

#[test]
fn what_bears_the_name_of_an_operation_or_of_its_job_belongs_to_it_and_a_last_poll_gives_up() {
    let (operation, job) = ("11111111-2222-4333-8444-555555555555", "66666666-7777-4888-9999-aaaaaaaaaaaa");
    let id = machine();
    let location = json!({ "Location": format!("https://management.azure.com{id}/results/{operation}?t=1") });
    let post = ("POST", id.as_str(), Value::Null, 202, location, Value::Null);
    let (status, own) = (format!("/other/operations/{operation}"), format!("/other/jobs/{job}"));
    let told = json!({ "status": "InProgress", "properties": { "jobId": job } });
    let poll = ("GET", status.as_str(), Value::Null, 200, json!({}), told);
    let running = json!({ "properties": { "status": "InProgress" } });
    let plan = Plan::of(&tape_of(&[post, poll, ("GET", &own, Value::Null, 200, json!({}), running)]), &[true; 3]);
    let polls: Vec<Option<usize>> = plan.roles.iter().map(|role| role.polls).collect();
    assert_eq!(polls, [None, Some(0), Some(0)]);
    let gives_up: Vec<bool> = plan.roles.iter().map(|role| role.gives_up).collect();
    assert_eq!(gives_up, [false, false, true], "the tape never shows the end");
}

#[test]
fn a_path_is_the_same_with_its_semicolons_escaped() {
    assert_eq!(tape::key("/A/Vm%3BB%3bC/"), tape::key("/a/vm;b;c"));
}

#[test]
fn an_id_that_was_handed_out_is_replaced_in_paths_and_bodies() {
    let theirs = format!("{GROUP}/providers/P/points/p/diskRestorePoints/theirs");
    let mut names = Names::default();
    let ours = theirs.replace("theirs", "ours");
    names.learn(&said(200, json!({}), json!({ "id": theirs })), &said(200, json!({}), json!({ "id": ours })));
    let upper = theirs.to_uppercase();
    let below = format!("{theirs}/beginGetAccess?api-version=1");
    let tape = tape_of(&[("POST", &below, json!({ "source": [upper] }), 200, json!({}), Value::Null)]);
    let asked = names.request(&tape.lines[0]);
    assert_eq!(asked.target, format!("{ours}/beginGetAccess?api-version=1"));
    assert_eq!(asked.body, json!({ "source": [ours] }));
}

#[test]
fn an_equal_get_in_a_row_counts_once() {
    let id = machine();
    let plan = Plan::of(&tape_of(&[get(&id), get(&id), get(GROUP), get(&id)]), &[true; 4]);
    let repeated: Vec<bool> = plan.roles.iter().map(|role| role.repeated).collect();
    assert_eq!(repeated, [false, true, false, false]);
}

#[test]
fn an_operation_has_ended_when_its_answer_says_so() {
    let cases = [
        (200, json!({ "status": "InProgress" }), false),
        (200, json!({ "status": "Succeeded" }), true),
        (202, Value::Null, false),
        (204, Value::Null, true),
        (200, json!({ "properties": { "provisioningState": "Updating" } }), false),
        (200, json!({ "properties": { "status": "InProgress" } }), false),
        (200, json!({ "properties": { "status": "CompletedWithWarnings" } }), true),
        (404, json!({ "error": { "code": "ResourceNotFound" } }), true),
    ];
    for (status, body, ended) in cases {
        assert_eq!(has_ended(&said(status, json!({}), body.clone())), ended, "{status} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_tape_that_nobody_knows_runs_as_it_is() {
    let (id, sql) = (machine(), format!("{GROUP}/providers/Microsoft.Sql/servers/q"));
    let version = |path: &str| format!("{path}?api-version=2022-09-01");
    let (group, missing, other) = (version(GROUP), format!("{id}?api-version=2024-07-01"), version(&sql));
    let body = json!({
        "id": GROUP, "name": "g", "type": "Microsoft.Resources/resourceGroups", "location": "westeurope",
        "properties": { "provisioningState": "Succeeded" },
    });
    let refusal = json!({ "error": { "code": "ResourceNotFound", "message": "It is not there." } });
    fn ask(target: &str, status: u16, answer: Value) -> (&str, &str, Value, u16, Value, Value) {
        ("GET", target, Value::Null, status, json!({}), answer)
    }
    let tape = tape_of(&[
        ask(&group, 200, body.clone()),
        ask(&missing, 404, refusal),
        ask(&group, 200, body),
        ask(&other, 200, json!({ "id": sql })),
    ]);
    let played = replay::run(&tape, &World::models(&tape)).await;
    let outcomes: Vec<Outcome> = played.lines.iter().map(|line| line.outcome.clone()).collect();
    assert_eq!(outcomes, [Outcome::Seeded, Outcome::Equal, Outcome::Equal, Outcome::NotModelled]);
    assert_eq!(played.notes, Vec::<String>::new());
    assert!(played.lines[0].spoken && !played.lines[3].spoken);
}

#[test]
fn the_comparison_sees_status_shape_states_and_whose_answer_it_is() {
    let id = machine();
    let theirs =
        said(200, json!({}), json!({ "id": id, "properties": { "provisioningState": "Creating", "size": 1 } }));
    let differs = |change: &dyn Fn(&mut Said)| {
        let mut ours = theirs.clone();
        change(&mut ours);
        told(&compare((&id, &id), &theirs, &ours))
    };
    assert_eq!(differs(&|ours| ours.body["properties"]["size"] = json!(7)), "", "values are the simulator's own");
    assert_eq!(differs(&|ours| ours.status = 201), "status 200, ours 201");
    assert_eq!(differs(&|ours| ours.body["more"] = json!({ "a": 1 })), "added $.more: object");
    let absent = differs(&|ours| drop(ours.body["properties"].as_object_mut().map(|fields| fields.remove("size"))));
    assert_eq!(absent, "missing $.properties.size: number");
    let skipped = differs(&|ours| ours.body["properties"]["provisioningState"] = json!("Succeeded"));
    assert!(skipped.starts_with("state $.properties.provisioningState = Creating, ours"), "{skipped}");
    assert!(differs(&|ours| ours.body["id"] = json!("/other")).starts_with("another resource"));
    let header = differs(&|ours| drop(ours.headers.insert("location".to_owned(), "https://x/y".to_owned())));
    assert_eq!(header, "added header location");
}

const VAULT: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v";

#[test]
fn what_is_replicated_in_another_way_is_neither_spoken_nor_modelled_and_neither_is_what_names_it() {
    let (fabric, plan) = (format!("{VAULT}/replicationFabrics/f"), format!("{VAULT}/replicationRecoveryPlans/p"));
    let (item, own) = (format!("{fabric}/replicationProtectedItems/i"), format!("{VAULT}/replicationFabrics/own"));
    let of_other = json!({ "id": fabric, "properties": { "customDetails": { "instanceType": "InMageRcm" } } });
    let lines = [
        ("GET", fabric.as_str(), Value::Null, 200, json!({}), of_other),
        ("PUT", plan.as_str(), json!({ "items": [item] }), 202, json!({}), Value::Null),
        get(&item),
        get(&own),
    ];
    let plan = Plan::of(&tape_of(&lines), &[true; 4]);
    assert_eq!(plan.roles.iter().map(|role| role.modelled).collect::<Vec<_>>(), [false, false, false, true]);
}

#[test]
fn a_vault_that_paths_go_through_was_there_unless_the_tape_makes_it() {
    let fabric = format!("{VAULT}/replicationFabrics/f");
    let plan = Plan::of(&tape_of(&[get(&fabric), get(&fabric)]), &[true; 2]);
    assert_eq!(plan.presupposed[0]["id"], VAULT);
    let put = ("PUT", VAULT, json!({}), 201, json!({}), json!({ "id": VAULT }));
    let plan = Plan::of(&tape_of(&[put, get(&fabric)]), &[true; 2]);
    assert!(plan.presupposed.iter().all(|one| one["id"] != VAULT), "{:?}", plan.presupposed);
}

#[test]
fn a_machine_that_was_created_while_the_tape_ran_is_not_presupposed() {
    let url = "/subscriptions/s/providers/Microsoft.Compute/locations/l/operations/o";
    let id = machine();
    let made = |at: &str| json!({ "id": id, "properties": { "vmId": "1", "timeCreated": at } });
    let started = json!({ "Azure-AsyncOperation": format!("https://management.azure.com{url}") });
    let post = ("POST", "/subscriptions/s/x", Value::Null, 202, started, Value::Null);
    let told = json!({ "status": "Succeeded", "startTime": "2026-01-01T10:00:00Z" });
    let poll = ("GET", url, Value::Null, 200, json!({}), told);
    for (at, seeded) in [("2026-01-01T09:00:00Z", true), ("2026-01-01T10:05:00+00:00", false)] {
        let shown = ("GET", id.as_str(), Value::Null, 200, json!({}), made(at));
        let plan = Plan::of(&tape_of(&[post.clone(), poll.clone(), shown]), &[true; 3]);
        assert_eq!(plan.roles[2].seeded, seeded, "{at}");
    }
}
