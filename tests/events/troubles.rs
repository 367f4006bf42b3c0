//! A topic that refuses, is slow, or is not there: nothing waits for it, nothing is lost, and a quiet sweep costs one list call.
//! It never looks at how the outbox keeps what it keeps.

use std::time::Duration;

use http::Method;
use lifeboat_contract::events::{KINDS, schema};
use lifeboat_simulator::azure::TopicTrouble;
use lifeboat_simulator::azure::blobs::{BlobFault, BlobFaultEffect};
use lifeboat_simulator::bus::Message;
use lifeboat_tests::Rig;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::rig::CONTAINER;
use lifeboat_tests::tap::Service;
use serde_json::{Value, json};

use crate::{announced, creating, run, told};

const MINUTE: Duration = Duration::from_secs(60);

fn words(rig: &Rig) -> Vec<String> {
    let short = |event: &Value| event["type"].as_str().expect("a type").to_owned();
    let mut words: Vec<String> = told(rig).values().map(short).collect();
    words.sort();
    words
}

/// Whether an alarm says that events lie untold.
fn is_alarmed(rig: &Rig) -> bool {
    let alarm = rig.blobs.bytes(CONTAINER, "alarms/eventsUntold.json");
    alarm.is_some_and(|alarm| !String::from_utf8_lossy(&alarm).contains("settledAt"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment asks a test to write its golden file; no setting of the product"
)]
#[test]
fn what_is_told_of_a_creation_is_what_the_golden_file_says_and_fits_its_schema() {
    let events = run(async {
        let rig = creating().await;
        assert!(rig.settle(10 * MINUTE).await, "the creation settles");
        told(&rig).into_values().collect::<Vec<Value>>()
    });
    for event in &events {
        let kind = KINDS.iter().find(|kind| event["type"] == kind.event_type()).expect("a kind of ours");
        let validator = jsonschema::validator_for(&schema(kind)).expect("a schema");
        assert!(validator.is_valid(event), "{event:#}");
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/events/created.json");
    let now = format!("{:#}\n", Value::Array(events));
    if std::env::var("LIFEBOAT_GOLDEN").as_deref() == Ok("write") {
        std::fs::write(path, &now).expect("it is written");
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(golden, now, "write it again with LIFEBOAT_GOLDEN=write");
}

#[test]
fn without_a_topic_nothing_is_put_and_nothing_is_called() {
    run(async {
        let rig = Rig::new(1).await;
        rig.azure.arm.create_machine(&Azure::seed("web-1")).expect("the machine is created");
        rig.run(20 * MINUTE).await;
        assert_eq!((rig.azure.topic.asked(), announced(&rig)), (0, Vec::new()));
        let names = rig.blobs.names(CONTAINER);
        assert!(names.iter().all(|name| !name.starts_with("told/")), "{names:?}");
        let lists = |call: &&lifeboat_tests::tap::Call| call.query.contains("outbox");
        assert_eq!(rig.wire.calls().iter().filter(lists).count(), 0);
    });
}

#[test]
fn a_quiet_sweep_costs_one_list_call_more() {
    let of_a_sweep = |tells: bool| {
        run(async move {
            let mut rig = Rig::without_host(1);
            rig.write_policy(&lifeboat_tests::policy::document("enforce", "24h"));
            if tells {
                rig.tells_events();
            }
            rig.host_on().await;
            rig.run(20 * MINUTE).await;
            let before = rig.wire.count();
            rig.sweep().await;
            rig.wire.calls_from(before).len()
        })
    };
    assert_eq!(of_a_sweep(true), of_a_sweep(false) + 1);
}

#[test]
fn a_topic_that_is_down_holds_up_nothing_and_all_is_told_when_it_is_well() {
    for trouble in [TopicTrouble::Unavailable, TopicTrouble::Throttled { seconds: 120 }, TopicTrouble::Hang] {
        run(async {
            let rig = creating().await;
            rig.azure.topic.trouble(trouble, None);
            rig.run(50 * MINUTE).await;
            assert_eq!(rig.azure.points("web-1").len(), 1, "{trouble:?}");
            assert_eq!(words(&rig), [""; 0], "{trouble:?}");
            assert!(is_alarmed(&rig), "{trouble:?}: an alarm says so");
            rig.azure.topic.clear_troubles();
            rig.run(20 * MINUTE).await;
            let all = ["io.lifeboat.alarm.closed.v1", "io.lifeboat.alarm.raised.v1", "io.lifeboat.point.created.v1"];
            assert_eq!(words(&rig), all, "{trouble:?}");
            assert_eq!(announced(&rig), [""; 0], "{trouble:?}");
        });
    }
}

#[test]
fn while_what_lies_untold_cannot_be_listed_or_read_nothing_counts_as_told() {
    let listing = BlobFault::new(BlobFaultEffect::ServerBusy).on_method(Method::GET).on_containers().always();
    let reading = BlobFault::new(BlobFaultEffect::ServerBusy).on_method(Method::GET).on_names("outbox/").always();
    for (what, fault) in [("listed", listing), ("read", reading)] {
        run(async {
            let rig = creating().await;
            rig.azure.topic.trouble(TopicTrouble::Unavailable, None);
            rig.run(50 * MINUTE).await;
            assert!(is_alarmed(&rig), "{what}: an alarm says so");
            rig.azure.topic.clear_troubles();
            rig.blobs.fault(fault);
            rig.run(20 * MINUTE).await;
            assert!(is_alarmed(&rig), "{what}: it stands until all is told");
            assert_eq!(words(&rig).iter().filter(|word| word.contains("alarm.closed")).count(), 0, "{what}");
            rig.blobs.clear_faults();
            rig.run(20 * MINUTE).await;
            assert_eq!(announced(&rig), [""; 0], "{what}");
            assert!(words(&rig).iter().any(|word| word.contains("alarm.closed")), "{what}: all is told");
        });
    }
}

#[test]
fn more_than_a_sweep_follows_is_told_by_the_next_ones_and_the_alarm_stands_until_then() {
    const UNTOLD: usize = 2_300;
    run(async {
        let rig = creating().await;
        rig.azure.topic.trouble(TopicTrouble::Unavailable, None);
        rig.run(50 * MINUTE).await;
        let like: Vec<Value> = serde_json::from_str(include_str!("created.json")).expect("events");
        for number in 0..UNTOLD {
            let mut event = like[0].clone();
            event["id"] = format!("of-a-week-{number:05}").into();
            let pending = json!({ "version": 1, "id": event["id"], "putAt": event["time"], "event": event });
            let name = format!("outbox/of-a-week-{number:05}.json");
            rig.blobs.put(CONTAINER, &name, pending.to_string());
        }
        let told = || rig.azure.topic.accepted().len();
        rig.azure.topic.clear_troubles();
        let mut steps = 0;
        while told() < UNTOLD {
            assert!(steps < 60, "{} are told in {steps} minutes", told());
            assert!(is_alarmed(&rig), "{} are told, and the others not", told());
            rig.run(MINUTE).await;
            steps += 1;
        }
        rig.run(20 * MINUTE).await;
        assert!(!is_alarmed(&rig) && announced(&rig).is_empty(), "all is told");
        let ids: std::collections::HashSet<String> =
            rig.azure.topic.accepted().iter().map(|one| one.event["id"].to_string()).collect();
        assert_eq!(ids.len(), told(), "each once");
    });
}

#[test]
fn an_answer_that_is_lost_doubles_an_event_and_never_its_id() {
    run(async {
        let rig = creating().await;
        rig.azure.topic.trouble(TopicTrouble::ResetAfter, Some(2));
        rig.run(20 * MINUTE).await;
        let accepted = rig.azure.topic.accepted().len();
        assert_eq!((accepted, words(&rig)), (3, vec!["io.lifeboat.point.created.v1".to_owned()]));
    });
}

#[test]
fn who_has_no_right_at_the_topic_keeps_the_events() {
    run(async {
        let rig = creating().await;
        rig.azure.topic.disallow(&rig.azure.principal.object_id);
        rig.run(20 * MINUTE).await;
        assert_eq!((words(&rig).len(), announced(&rig).len()), (0, 1));
        assert!(rig.wire.calls().iter().any(|call| call.service == Service::Bus && call.status == Some(403)));
        rig.azure.topic.allow(&rig.azure.principal.object_id);
        rig.run(10 * MINUTE).await;
        assert_eq!((words(&rig).len(), announced(&rig).len()), (1, 0));
    });
}

#[test]
fn a_store_that_is_not_the_deployments_tells_nobody_anything() {
    run(async {
        let rig = creating().await;
        rig.azure.topic.trouble(TopicTrouble::Unavailable, None);
        rig.run(10 * MINUTE).await;
        rig.blobs.remove(CONTAINER, lifeboat_execution::estate::BLOB);
        rig.azure.topic.clear_troubles();
        rig.run(30 * MINUTE).await;
        assert_eq!((words(&rig).len(), announced(&rig).len()), (0, 1));
    });
}

#[test]
fn what_has_no_id_that_can_be_read_is_refused_with_an_event_once_for_each_that_says_the_same() {
    run(async {
        let rig = creating().await;
        for body in ["nonsense", "nonsense", "{}", "[1]"] {
            rig.bus.send("commands", Message { body: body.into(), ..Message::default() }).expect("queued");
        }
        rig.settle(10 * MINUTE).await;
        let refused: Vec<Value> =
            told(&rig).into_values().filter(|event| event["type"] == "io.lifeboat.command.refused.v1").collect();
        assert_eq!(refused.len(), 3, "{refused:#?}");
        for event in refused {
            let (named, field) = (event["data"]["command"].as_str(), event["data"].get("field"));
            assert!(named.is_some_and(|id| id.starts_with("unnamed-")), "{event:#}");
            assert!(event["data"]["reason"].as_str().is_some_and(|why| !why.is_empty()), "{event:#} {field:?}");
        }
    });
}
