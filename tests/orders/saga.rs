//! Orders about a failover: verified, approved by those who must, recorded, and handed to the declaration or the saga of the recovery plan.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::blobs::Condition;
use lifeboat_contract::command::{Abort, Approve, CommitFailover, Of, Order, Point, Reject, StartFailover};
use lifeboat_execution::orders::approvals::OrdersRecord;
use lifeboat_execution::orders::{Concerns, Told, Verdict};
use lifeboat_execution::{Answer, Event, assumptions, declaration};

use serde_json::json;

use lifeboat_simulator::azure::TokenOrder;

use crate::stage::{DIGEST, SUBSCRIPTION, Stage};

const NOT_SHOWN: &str = "nothing with this digest was shown within the last hour";

pub fn start() -> Order {
    Order::StartFailover(StartFailover {
        recovery_plan: "shop".to_owned(),
        digest: DIGEST.to_owned(),
        point: Point::default(),
        passes: BTreeSet::new(),
        reason: "the region is lost".to_owned(),
        protect_back: false,
    })
}

pub fn approve_with(of: Of, digest: &str) -> Order {
    Order::Approve(Approve {
        recovery_plan: "shop".to_owned(),
        digest: digest.to_owned(),
        of,
        choice: None,
        point: Point::default(),
        passes: BTreeSet::new(),
        reason: None,
        protect_back: false,
    })
}

fn approve() -> Order {
    approve_with(Of::Order("start".to_owned()), DIGEST)
}

fn reject() -> Order {
    let of = Of::Order("start".to_owned());
    Order::Reject(Reject { recovery_plan: "shop".to_owned(), of, choice: None, reason: "it comes back".to_owned() })
}

pub fn refused(told: &Told, expected: &str) {
    assert!(matches!(told.verdict, Verdict::Refused(_)), "{told:?}");
    assert!(told.lines[0].contains(expected), "{expected}: {told:?}");
}

async fn record(stage: &Stage) -> OrdersRecord {
    let (bytes, _) = stage.lifeboat.store.get("orders/plans/shop.json").await.expect("read").expect("there");
    serde_json::from_slice(&bytes).expect("a record")
}

#[tokio::test(start_paused = true)]
async fn the_order_of_a_person_is_itself_the_approval_where_the_recovery_plan_asks_for_no_second() {
    let stage = Stage::new(1).await;
    refused(&stage.orders("one", "start", start()).await, NOT_SHOWN);
    let record = record(&stage).await;
    assert_eq!((record.orders.len(), record.orders[0].says.digest.as_str()), (1, DIGEST), "it is recorded");
    let again = stage.orders("one", "start-2", start()).await;
    refused(&again, NOT_SHOWN);
}

#[tokio::test(start_paused = true)]
async fn where_it_asks_for_two_the_order_waits_until_two_others_approve_it() {
    let stage = Stage::new(2).await;
    let told = stage.orders("one", "start", start()).await;
    assert!(told.verdict == Verdict::Done && told.lines[0].contains("2 others must approve it"), "{told:?}");
    refused(&stage.orders("one", "a-0", approve()).await, "is not one of those who approve it");
    refused(
        &stage.orders("two", "a-1", approve_with(Of::Order("start".to_owned()), &DIGEST.replace('3', "4"))).await,
        "digest",
    );
    refused(
        &stage.orders("two", "a-2", approve_with(Of::Order("other".to_owned()), DIGEST)).await,
        "no order of this id",
    );
    let told = stage.orders("two", "a-3", approve()).await;
    assert!(told.verdict == Verdict::Done && told.lines[0].contains("1 others must approve it"), "{told:?}");
    refused(&stage.orders("two", "a-4", approve()).await, "two approvals are two persons");
    refused(&stage.orders("one", "start-2", start()).await, "another order for this recovery plan waits");
    refused(&stage.orders("three", "a-5", approve()).await, NOT_SHOWN);
    let record = record(&stage).await;
    assert_eq!(record.orders[0].approvals.len(), 2);
    refused(&stage.orders("three", "a-6", approve()).await, "no order of this id");
}

#[tokio::test(start_paused = true)]
async fn an_order_that_would_wait_for_others_is_refused_where_nothing_like_it_was_shown_or_the_incident_is_closed() {
    let golden = include_str!("../../handlers/execution/golden/declaration-v1.json");
    let closed = Some("the incident 2026-11-22T10:00:00Z is not open");
    for (open, shown, expected) in
        [(true, DIGEST, None), (false, DIGEST, closed), (true, &DIGEST.replace('3', "4"), Some(NOT_SHOWN))]
    {
        let stage = Stage::new(2).await;
        let mut record: serde_json::Value = serde_json::from_str(golden).expect("a record");
        record["recoveryPlan"] = json!("shop");
        record["shown"][0]["digest"] = json!(shown);
        match open {
            true => record["incident"]["openedAt"] = record["shown"][0]["incident"].clone(),
            false => record["incident"] = serde_json::Value::Null,
        }
        let (name, bytes) = (declaration::record::blob_name("shop"), record.to_string().into_bytes().into());
        stage.lifeboat.store.put(&name, bytes, Condition::IfAbsent).await.expect("written");
        let dry = stage.tries("one", "try", start()).await;
        let told = stage.orders("one", "start", start()).await;
        let incident = approve_with(Of::Incident("2026-11-22T10:00:00Z".to_owned()), DIGEST);
        match expected {
            Some(expected) => {
                refused(&dry, expected);
                refused(&told, expected);
                refused(&stage.orders("one", "answer", incident).await, expected);
            }
            None => assert!(told.lines[0].contains("2 others must approve it"), "{told:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_lapses_after_an_hour_and_a_rejected_one_is_over() {
    let stage = Stage::new(2).await;
    stage.orders("one", "start", start()).await;
    stage.orders("two", "a-1", approve()).await;
    stage.passes(SignedDuration::from_mins(60)).await;
    refused(&stage.orders("three", "a-2", approve()).await, "the order lapsed at");
    let stage = Stage::new(2).await;
    stage.orders("one", "start", start()).await;
    assert_eq!(stage.orders("two", "r-1", reject()).await.verdict, Verdict::Done);
    refused(&stage.orders("three", "a-1", approve()).await, "no order of this id");
}

#[tokio::test(start_paused = true)]
async fn all_else_about_a_failover_is_verified_and_handed_on_for_recovery_plans_in_force_alone() {
    let stage = Stage::new(1).await;
    let of = |recovery_plan: &str| {
        let recovery_plan = recovery_plan.to_owned();
        let abort = Abort { recovery_plan: recovery_plan.clone(), reason: "the wrong one".to_owned() };
        let commit = CommitFailover { recovery_plan, digest: DIGEST.to_owned(), reason: None };
        [Order::Abort(abort), Order::CommitFailover(commit)]
    };
    let to_a_saga = of("shop").into_iter().chain([approve_with(Of::Question(1), DIGEST)]);
    for (number, order) in to_a_saga.enumerate() {
        refused(&stage.orders("one", &format!("c-{number}"), order).await, "this recovery plan has no saga");
    }
    let of_incident = approve_with(Of::Incident("i-1".to_owned()), DIGEST);
    refused(&stage.orders("one", "b-1", of_incident).await, NOT_SHOWN);
    for (number, order) in of("other").into_iter().enumerate() {
        let told = stage.orders("one", &format!("d-{number}"), order).await;
        refused(&told, "no recovery plan of this name is in force");
        assert_eq!(told.verdict, Verdict::Refused(Concerns::State));
    }
}

fn rejects(of: Of) -> Order {
    Order::Reject(Reject { recovery_plan: "shop".to_owned(), of, choice: None, reason: "it comes back".to_owned() })
}

#[tokio::test(start_paused = true)]
async fn a_declaration_that_asks_is_answered_by_as_many_persons_as_the_recovery_plan_says() {
    let stage = Stage::new(2).await;
    let answer = |digest: &str| approve_with(Of::Incident("i-1".to_owned()), digest);
    let told = stage.orders("one", "a-1", answer(DIGEST)).await;
    assert!(told.verdict == Verdict::Done && told.lines[0].contains("1 others must approve it"), "{told:?}");
    refused(&stage.orders("one", "a-2", answer(DIGEST)).await, "two approvals are two persons");
    refused(&stage.orders("two", "a-3", answer(&DIGEST.replace('3', "4"))).await, "digest");
    refused(&stage.orders("two", "a-4", answer(DIGEST)).await, NOT_SHOWN);
    let record = record(&stage).await;
    assert_eq!((record.orders.len(), record.orders[0].incident.as_deref()), (1, Some("i-1")));
}

/// A Service Health alert that names the region, as an action group posts it.
fn alert(now: Timestamp) -> Vec<u8> {
    let services = json!([{ "ServiceName": "Virtual Machines", "ImpactedRegions": [{ "RegionName": "West Europe" }] }]);
    let properties = json!({
        "incidentType": "Incident", "trackingId": "AB12-3CD", "impactStartTime": now.to_string(), "stage": "Active",
        "impactedServices": services.to_string(), "communicationId": "1",
    });
    let essentials = json!({
        "alertId": format!("/subscriptions/{SUBSCRIPTION}/alerts/1"), "alertRule": "health", "signalType": "Activity Log",
        "monitoringService": "ServiceHealth", "monitorCondition": "Fired", "firedDateTime": now.to_string(),
    });
    let context = json!({ "eventTimestamp": now.to_string(), "level": 2, "properties": properties });
    let data = json!({ "essentials": essentials, "alertContext": context });
    json!({ "schemaId": "azureMonitorCommonAlertSchema", "data": data }).to_string().into_bytes()
}

#[tokio::test(start_paused = true)]
async fn a_no_to_the_open_incident_holds_the_rules_up_and_one_to_another_is_refused() {
    let stage = Stage::by_rules().await;
    let handed = stage.lifeboat.handle(Event::RegionAlert(alert(stage.lifeboat.clock.now()))).await;
    assert!(matches!(handed, Ok(Answer::Done(_))), "{handed:?}");
    let unmet = async || {
        declaration::evaluate_all(&stage.lifeboat, "test").await.expect("it is evaluated");
        let (record, _) =
            declaration::record::read(&stage.lifeboat.store, "shop").await.expect("read").expect("evaluated");
        let last = record.last.expect("a decision");
        let unmet = last["conditions"].as_array().expect("conditions").iter().filter(|one| one["met"] == false);
        let names: Vec<String> = unmet.filter_map(|one| one["name"].as_str()).map(ToOwned::to_owned).collect();
        (names, record.incident.expect("an incident").opened_at.to_string())
    };
    let (names, incident) = unmet().await;
    assert!(!names.contains(&"notRejected".to_owned()), "{names:?}");
    refused(&stage.orders("one", "r-1", rejects(Of::Incident("i-2".to_owned()))).await, "is not open");
    assert!(!unmet().await.0.contains(&"notRejected".to_owned()));
    assert_eq!(stage.orders("one", "r-2", rejects(Of::Incident(incident.clone()))).await.verdict, Verdict::Done);
    let of_rejected = approve_with(Of::Incident(incident), DIGEST);
    refused(&stage.orders("two", "a-1", of_rejected).await, "a person said no");
    let (names, _) = unmet().await;
    assert!(names.contains(&"notRejected".to_owned()), "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_assumed_is_approved_of_by_the_digest_of_its_list_and_taken_back() {
    let stage = Stage::new(1).await;
    let store = &stage.lifeboat.store;
    let unapproved = async || assumptions::read(store, "shop").await.expect("read").unapproved().len();
    let all = unapproved().await;
    assert!(all > 10, "{all}");
    let approve = |digest: &str| approve_with(Of::Assumptions(true), digest);
    refused(&stage.orders("one", "a-1", approve(DIGEST)).await, &assumptions::digest());
    assert_eq!(unapproved().await, all);
    let told = stage.orders("one", "a-2", approve(&assumptions::digest())).await;
    assert_eq!(told.verdict, Verdict::Done, "{told:?}");
    assert_eq!(unapproved().await, 0);
    assert_eq!(stage.orders("two", "r-1", rejects(Of::Assumptions(true))).await.verdict, Verdict::Done);
    assert_eq!(unapproved().await, all);
}

#[tokio::test(start_paused = true)]
async fn an_order_or_approval_that_was_held_up_for_an_hour_is_refused_though_its_sender_gave_it_longer() {
    let stage = Stage::new(2).await;
    let long = |id: &str, order: Order| {
        let mut command = stage.command(id, order);
        command.lapses_at = command.time + SignedDuration::from_hours(12);
        command
    };
    let (start_late, start_soon) = (long("start-late", start()), long("start", start()));
    let approval = long("a-1", approve());
    let token = |name: &str| Some(stage.token(name, &TokenOrder { seconds: Some(43_200), ..TokenOrder::default() }));
    let (one, other, two) = (token("one"), token("one"), token("two"));
    stage.passes(SignedDuration::from_mins(59)).await;
    let told = stage.queued(&start_soon, one).await.expect("taken");
    assert_eq!(told.verdict, Verdict::Done, "within the hour it is taken: {told:?}");
    stage.passes(SignedDuration::from_mins(1)).await;
    for (command, token) in [(start_late, other), (approval, two)] {
        let told = stage.queued(&command, token).await.expect("refused");
        refused(&told, "the order lapsed at");
    }
}

#[tokio::test(start_paused = true)]
async fn where_a_declaration_only_shows_nobody_approves_of_it_and_an_order_is_what_it_takes() {
    let stage = Stage::by_person().await;
    let incident = approve_with(Of::Incident("2026-11-22T10:00:00Z".to_owned()), DIGEST);
    refused(&stage.orders("one", "a-1", incident).await, "only shows, and asks nobody");
    refused(&stage.orders("one", "start", start()).await, NOT_SHOWN);
}
