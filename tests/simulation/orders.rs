//! Orders to the Api by whoever has the key: what only adds safety is taken, what takes it away is not.
//! It never looks into the handler: answers, the store and Azure are what is seen.

use std::time::Duration;

use lifeboat_execution::estate::{BLOB, Estate};
use lifeboat_tests::Rig;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::rig::{CONTAINER, DEPLOYMENT};
use serde_json::json;

use crate::virtual_time::run;

#[test]
fn a_stop_is_taken_by_the_key_and_says_from_when_on_it_is_certain() {
    run(async {
        let rig = Rig::new(1).await;
        let (status, answer) = rig.order("/api/stop", &json!({ "reason": "disks are moved" })).await;
        assert_eq!((status, &answer["stoppedAt"]), (202, &json!("2026-11-22T10:01:00Z")));
        assert_eq!(answer["confirmedFrom"], json!("2026-11-22T10:01:40Z"));
        let (status, again) = rig.order("/api/stop", &json!({ "reason": "another" })).await;
        assert_eq!((status, &again["reason"]), (202, &json!("disks are moved")), "the first reason stands");
    });
}

#[test]
fn a_hold_is_a_tag_on_the_points_collection_before_it_is_a_record_and_holds_only_what_is_ours() {
    run(async {
        let rig = Rig::new(1).await;
        rig.azure.arm.create_machine(&Azure::seed("web-1")).expect("a machine");
        rig.settle(Duration::from_secs(1_800)).await;
        let point = rig.azure.points("web-1").remove(0);
        let (status, hold) = rig.order("/api/hold", &json!({ "reason": "evidence", "point": point.id })).await;
        assert_eq!((status, &hold["reason"]), (202, &json!("evidence")), "{hold}");
        let calls = rig.wire.calls();
        let tagged = calls.iter().position(|call| call.method == "PATCH" && call.path.contains("tags/default"));
        let recorded = calls.iter().position(|call| call.method == "PUT" && call.path.contains("holds"));
        assert!(tagged.is_some() && tagged < recorded, "the tag first: {tagged:?}, {recorded:?}");
        let other = Estate::new(DEPLOYMENT, "00000000-0000-4000-8000-0000000000ff", rig.epoch);
        rig.blobs.put(CONTAINER, BLOB, other.to_bytes());
        let (status, answer) = rig.order("/api/hold", &json!({ "reason": "evidence", "point": point.id })).await;
        assert_eq!(status, 409, "of another estate: {answer}");
    });
}

#[test]
fn an_order_without_a_reason_or_of_something_else_is_refused_with_what_was_expected() {
    run(async {
        let rig = Rig::new(1).await;
        for (path, body, expected) in [
            ("/api/stop", json!({}), 400),
            ("/api/stop", json!({ "reason": " " }), 400),
            ("/api/stop", json!({ "reason": "why", "for": "ever" }), 400),
            ("/api/hold", json!({ "reason": "why" }), 400),
            ("/api/hold", json!({ "reason": "why", "point": "nonsense" }), 409),
            ("/api/hold", json!({ "reason": "why", "point": Azure::id("web-1") }), 409),
            ("/api/status", json!({ "reason": "why" }), 405),
            ("/api/nothing", json!({ "reason": "why" }), 404),
            // What takes safety away needs a person with a name.
            ("/api/resume", json!({ "reason": "why" }), 403),
            ("/api/release", json!({ "reason": "why" }), 403),
            ("/api/breaker", json!({ "reason": "why" }), 403),
        ] {
            let (status, answer) = rig.order(path, &body).await;
            assert_eq!(status, expected, "{path} {body}: {answer}");
        }
    });
}
