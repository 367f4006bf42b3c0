//! Every official Event Grid payload, posted to the stand-in host's webhook, is accepted or ignored by the real handler with its reason.
//! It never copies them: they are read where they are.

use axum::body::Body;
use http::Request;
use lifeboat_simulator::host::{Cause, Outcome};
use lifeboat_tests::Rig;
use lifeboat_tests::azure::{Azure, webhook};
use lifeboat_tests::data::azure_data;
use lifeboat_tests::rig::QUEUE;
use serde_json::{Value, json};
use tower::ServiceExt;

/// What is said of an event that is taken.
const TAKEN: &str = "queued a look at";
/// What becomes of a payload, by the start of its name; the first that fits counts.
const EXPECTED: [(&str, &str); 11] = [
    ("eg-vm-create", TAKEN),
    ("eg-resource-write-success", "ignored: it tells of another operation than the write of a machine"),
    ("eg-resource-action-success", "ignored: it tells of an action"),
    ("eg-resource-delete-success", "ignored: it tells of a delete"),
    ("eg-resources-deleted", "ignored: it tells of a delete"),
    ("eg-resources-created-or-updated", "ignored: it is a resource notification"),
    ("eg-health-", "ignored: it tells of health"),
    ("eg-maintenance-", "ignored: it tells of maintenance"),
    ("eg-deadletter", "ignored: it is of another type"),
    ("eg-subscription-validation.request", "ignored: it validates the subscription"),
    ("eg-subscription-validation.response", "ignored: it is not an event: it has no type"),
];
/// The same where the delete of a machine is awaited; what is not here is as above.
const EXPECTED_BY_VM_DELETED: [(&str, &str); 4] = [
    ("eg-vm-create", "ignored: it tells of a write"),
    ("eg-resource-write-success", "ignored: it tells of a write"),
    ("eg-resource-delete-success", "ignored: it tells of another operation than the delete of a machine"),
    ("eg-resources-deleted", "ignored: it is a resource notification"),
];
/// Official payloads of that kind, all with both schemas but for the four that exist in one only.
const PAYLOADS_MIN: usize = 20;

#[tokio::test(start_paused = true)]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn every_official_payload_is_accepted_or_ignored_with_the_right_reason() {
    let Some(folder) = azure_data("official payloads") else { return };
    let rig = Rig::new(3).await;
    let mut names: Vec<String> = std::fs::read_dir(folder.join("events"))
        .expect("the events are there")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("eg-") && name.ends_with(".json"))
        .collect();
    names.sort();
    assert!(names.len() >= PAYLOADS_MIN, "{} payloads", names.len());
    let mut taken = 0;
    for name in &names {
        let text = std::fs::read_to_string(folder.join("events").join(name)).expect("a payload is text");
        let payload: Value = serde_json::from_str(&text).expect("a payload is JSON");
        let among =
            |said: &'static [(&str, &str)]| said.iter().find(|(start, _)| name.starts_with(start)).map(|(_, s)| *s);
        let by_written = among(&EXPECTED).unwrap_or_else(|| panic!("{name}: say what becomes of it"));
        let by_deleted = among(&EXPECTED_BY_VM_DELETED).unwrap_or(by_written);
        for (function, expected) in [("VmWritten", by_written), ("VmDeleted", by_deleted)] {
            deliver(&rig, function, name, &payload, expected).await;
            taken += usize::from(expected == TAKEN);
        }
        // An official write or delete of something else, made one of a machine: the same words in the same schema.
        for (start, function, verb) in
            [("eg-resource-write-success", "VmWritten", "write"), ("eg-resource-delete-success", "VmDeleted", "delete")]
        {
            if name.starts_with(start) {
                deliver(&rig, function, name, &of_a_machine(&payload, verb), TAKEN).await;
                taken += 1;
            }
        }
    }
    println!("{} official payloads: {taken} deliveries taken, the rest ignored with their reasons", names.len());
}

/// Posts a payload, and looks at what the handler said and what is on the queue.
async fn deliver(rig: &Rig, function: &str, name: &str, payload: &Value, expected: &str) {
    let host = rig.gateway.host().expect("the host is on");
    let (logs, sent, events) = (host.logs().len(), rig.wire.count(), payload.as_array().map_or(1, Vec::len));
    let kind = if name.contains("cloudevents") { "application/cloudevents+json" } else { "application/json" };
    let request = Request::post(webhook(function))
        .header("aeg-event-type", "Notification")
        .header("content-type", kind)
        .body(Body::from(payload.to_string()))
        .expect("a request");
    let response = rig.gateway.router().oneshot(request).await.expect("the router answers");
    assert_eq!(response.status(), 202, "{name}: the delivery is taken, so that it does not come again");
    let category = format!("Function.{function}.User");
    let said: Vec<String> = host
        .logs()
        .split_off(logs)
        .into_iter()
        .filter(|line| line.category == category)
        .map(|line| line.text)
        .collect();
    assert_eq!(said.len(), events, "{name}: {said:?}");
    assert!(said.iter().all(|line| line.starts_with(expected)), "{name}: {said:?}, not {expected:?}");
    let first_looks =
        rig.wire.calls_from(sent).into_iter().filter(|call| call.sent.as_ref().is_some_and(|sent| sent["look"] == 1));
    let queued = first_looks.count();
    assert_eq!(queued, if expected == TAKEN { events } else { 0 }, "{name}: messages on the queue");
    let ours = host.invocations().into_iter().filter(|one| one.cause == Cause::EventGrid);
    assert!(ours.clone().count() > 0 && ours.clone().all(|one| one.outcome == Some(Outcome::Succeeded)), "{name}");
    assert_eq!(rig.bus.counts(QUEUE).dead, 0, "{name}");
}

/// The same payload, of a machine.
fn of_a_machine(payload: &Value, verb: &str) -> Value {
    let (mut payload, id) = (payload.clone(), Azure::id("web-1"));
    let events = match &mut payload {
        Value::Array(events) => events.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    for event in events {
        event["subject"] = json!(id);
        event["data"]["operationName"] = json!(format!("Microsoft.Compute/virtualMachines/{verb}"));
        event["data"]["resourceUri"] = json!(id);
    }
    payload
}
