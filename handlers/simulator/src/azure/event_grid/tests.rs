//! Events against the official samples, deliveries over time, and orders.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use serde_json::{Value, json};

use super::*;
use crate::azure::tests::calls::{Caller, SUBSCRIPTION, seconds};
use crate::azure::{Arm, MachineSeed};

type Heard = Arc<Mutex<Vec<(http::HeaderMap, Value)>>>;

/// A subscriber that answers with these statuses in turn, then 200.
fn subscriber(statuses: &[u16]) -> (EventTarget, Heard) {
    let heard: Heard = Arc::default();
    let left = Arc::new(Mutex::new(statuses.iter().rev().copied().collect::<Vec<u16>>()));
    let take = |State((heard, left)): State<(Heard, Arc<Mutex<Vec<u16>>>)>, headers: http::HeaderMap, body: Bytes| async move {
        heard.lock().unwrap().push((headers, serde_json::from_slice(&body).unwrap()));
        let status = left.lock().unwrap().pop().unwrap_or(200);
        http::StatusCode::from_u16(status).unwrap()
    };
    let router = Router::new().route("/hook", post(take)).with_state((heard.clone(), left));
    (EventTarget::InProcess(router, "/hook?code=x".to_owned()), heard)
}

fn create(arm: &Arm, name: &str) -> String {
    arm.create_machine(&MachineSeed::new(SUBSCRIPTION, "Shop", name, "westeurope")).unwrap()
}

fn official(name: &str) -> Option<Value> {
    let default = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/azure"));
    #[expect(clippy::disallowed_methods, reason = "a test's data folder is no setting of the product")]
    let (folder, required) =
        (std::env::var_os("LIFEBOAT_AZURE_DATA"), std::env::var_os("LIFEBOAT_AZURE_DATA_REQUIRED").is_some());
    let path = folder.map_or(default, PathBuf::from).join("events").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(!required, "LIFEBOAT_AZURE_DATA_REQUIRED is set and {} is absent", path.display());
        eprintln!("ignored: {} is absent; LIFEBOAT_AZURE_DATA names the folder of payloads", path.display());
        return None;
    };
    Some(serde_json::from_str::<Value>(&text).unwrap()[0].take())
}

/// All paths, but what depends on who acts: the claims and the evidence.
fn paths(value: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, at: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) if at != "/data/claims" && at != "/data/authorization/evidence" => {
                for (name, inner) in fields {
                    walk(inner, &format!("{at}/{name}"), found);
                }
            }
            _ => {
                found.insert(at.to_owned());
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(value, "", &mut found);
    found
}

#[tokio::test(start_paused = true)]
async fn a_creation_raises_two_events_an_update_one_and_a_deletion_one() {
    let caller = Caller::new();
    let (arm, grid) = (caller.world.arm(), caller.world.event_grid());
    let id = create(arm, "new");
    seconds(60).await;
    arm.tag_machine(&id, json!({ "a": "b" })).unwrap();
    seconds(60).await;
    arm.delete_machine(&id).unwrap();
    seconds(60).await;
    let events = grid.events();
    let names: Vec<(&str, &str)> = events
        .iter()
        .map(|event| (event.event_type.rsplit('.').next().unwrap(), event.operation_name.as_str()))
        .collect();
    let machine = "Microsoft.Compute/virtualMachines";
    assert_eq!(
        names,
        [
            ("ResourceWriteSuccess", "Microsoft.Resources/deployments/write"),
            ("ResourceWriteSuccess", format!("{machine}/write").as_str()),
            ("ResourceWriteSuccess", format!("{machine}/write").as_str()),
            ("ResourceDeleteSuccess", format!("{machine}/delete").as_str()),
        ]
    );
    assert_eq!(events[0].correlation_id, events[1].correlation_id);
    assert_ne!(events[1].correlation_id, events[2].correlation_id);
    let request = |place: usize| {
        grid.event_body(&events[place].id, EventSchema::EventGridSchema).unwrap()["data"]["httpRequest"].clone()
    };
    assert_eq!(request(1), Value::Null, "a creation's event has no request");
    assert_eq!(request(2)["method"], "PATCH");
}

#[tokio::test(start_paused = true)]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn events_have_the_fields_of_the_official_samples_in_both_schemas() {
    let caller = Caller::new();
    let id = create(caller.world.arm(), "new");
    seconds(30).await;
    caller.world.arm().delete_machine(&id).unwrap();
    seconds(30).await;
    let events = caller.world.event_grid().events();
    let body = |place: usize, schema| caller.world.event_grid().event_body(&events[place].id, schema).unwrap();
    let cases = [
        (1, EventSchema::EventGridSchema, "eg-resource-write-success.eventgrid.json"),
        (1, EventSchema::CloudEventSchemaV1_0, "eg-resource-write-success.cloudevents.json"),
        (2, EventSchema::EventGridSchema, "eg-resource-delete-success.eventgrid.json"),
        (2, EventSchema::CloudEventSchemaV1_0, "eg-resource-delete-success.cloudevents.json"),
    ];
    for (place, schema, sample) in cases {
        if let Some(theirs) = official(sample) {
            assert_eq!(paths(&body(place, schema)), paths(&theirs), "{sample}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_gets_what_it_asked_for_with_the_headers_of_a_notification() {
    let caller = Caller::new();
    let (grid, arm) = (caller.world.event_grid(), caller.world.arm());
    let (target, heard) = subscriber(&[]);
    grid.subscribe(EventSubscription::machine_writes("lifeboat", target));
    let (target, cloud) = subscriber(&[]);
    grid.subscribe(EventSubscription::machine_writes("cloud", target).in_schema(EventSchema::CloudEventSchemaV1_0));
    create(arm, "new");
    seconds(60).await;
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 1, "the deployment's event is filtered out");
    let (headers, body) = &heard[0];
    assert_eq!(headers["aeg-event-type"], "Notification");
    assert_eq!(headers["aeg-delivery-count"], "0");
    assert_eq!(body.as_array().unwrap().len(), 1);
    assert_eq!(cloud.lock().unwrap()[0].1["specversion"], "1.0");
}

/// Each case: what the subscriber answers in turn, and the seconds at which it is called, after the first.
#[tokio::test(start_paused = true)]
async fn what_is_not_taken_is_tried_again_on_the_documented_schedule() {
    let cases: [(&[u16], &[i64]); 6] = [
        (&[204], &[]),
        (&[500, 500, 500, 200], &[10, 40, 100]),
        (&[503, 200], &[30]),
        (&[404, 200], &[300]),
        (&[400], &[]),
        (&[500, 413], &[10]),
    ];
    for (statuses, expected) in cases {
        let caller = Caller::new();
        let grid = caller.world.event_grid();
        let (target, _) = subscriber(statuses);
        grid.subscribe(EventSubscription::machine_writes("lifeboat", target));
        create(caller.world.arm(), "new");
        seconds(2_000).await;
        let times: Vec<Timestamp> = grid.deliveries().iter().map(|record| record.at).collect();
        let seconds: Vec<i64> = times.iter().skip(1).map(|at| at.duration_since(times[0]).as_secs()).collect();
        assert_eq!(seconds, expected, "{statuses:?}");
        let last = grid.deliveries().last().unwrap().outcome;
        let given_up = matches!(statuses.last(), Some(400 | 413));
        assert_eq!(last == DeliveryOutcome::GivenUp, given_up, "{statuses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_nobody_takes_is_given_up_within_a_day() {
    let caller = Caller::new();
    let grid = caller.world.event_grid();
    let (target, heard) = subscriber(&[500; 40]);
    grid.subscribe(EventSubscription::machine_writes("lifeboat", target));
    create(caller.world.arm(), "new");
    seconds(1).await;
    seconds(48 * 3_600).await;
    let last = grid.deliveries().pop().unwrap();
    assert_eq!((last.outcome, heard.lock().unwrap().len()), (DeliveryOutcome::GivenUp, 11));
    assert_eq!(grid.under_way(), 0);
}

#[tokio::test(start_paused = true)]
async fn orders_lose_repeat_delay_and_overtake() {
    let caller = Caller::new();
    let (grid, arm) = (caller.world.event_grid(), caller.world.arm());
    let (target, _) = subscriber(&[]);
    grid.subscribe(EventSubscription::machine_writes("lifeboat", target));
    grid.order(EventOrder::machine_write(EventEffect::Drop).about("lost"));
    grid.order(EventOrder::machine_write(EventEffect::Duplicate { copies: 50 }).about("many"));
    grid.order(EventOrder::machine_write(EventEffect::Delay { seconds: 3_600 }).about("late"));
    grid.order(EventOrder::machine_write(EventEffect::Reorder).about("first"));
    for name in ["lost", "many", "late", "first"] {
        create(arm, name);
    }
    seconds(5).await;
    create(arm, "second");
    seconds(100).await;
    let of =
        |name: &str| grid.deliveries().iter().filter(|one| one.subject.ends_with(name)).cloned().collect::<Vec<_>>();
    assert_eq!((of("lost").len(), of("many").len(), of("late").len()), (0, 50, 0));
    let order: Vec<String> = grid.deliveries().iter().map(|one| one.subject.clone()).collect();
    let place = |name: &str| order.iter().position(|subject| subject.ends_with(name)).unwrap();
    assert!(place("many") < place("first"), "held until another was delivered");
    seconds(3_600).await;
    assert_eq!(of("late").len(), 1);
    let event = grid.events().into_iter().find(|event| event.subject.ends_with("second")).unwrap();
    assert!(grid.send_again(&event.id, 2, SignedDuration::from_secs(60)));
    seconds(61).await;
    assert_eq!(of("second").len(), 3);
}
