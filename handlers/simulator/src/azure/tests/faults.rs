//! Faults on order and regions in trouble.

use std::time::Duration;

use serde_json::json;

use super::calls::{Caller, collection_id, crash, seconds};
use crate::azure::{ArmFault, ArmFaultEffect, RegionTrouble};

#[tokio::test(start_paused = true)]
async fn a_refusing_fault_answers_as_ordered_and_does_nothing() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let body = || json!({ "location": "westeurope", "properties": { "source": { "id": machine } } });
    let cases = [
        (ArmFaultEffect::TooManyRequests { retry_after_seconds: Some(17) }, 429, "17"),
        (ArmFaultEffect::TooManyRequests { retry_after_seconds: None }, 429, ""),
        (ArmFaultEffect::InternalServerError, 500, ""),
        (ArmFaultEffect::ServiceUnavailable, 503, "5"),
        (ArmFaultEffect::AnotherOperation, 409, ""),
    ];
    for (effect, status, retry_after) in cases {
        caller.world.arm().fault(ArmFault::new(effect.clone()).on_path("restorePointCollections"));
        let told = caller.put(&collection_id("c"), body()).await;
        assert_eq!((told.status, told.header("retry-after")), (status, retry_after), "{effect:?}");
        assert_eq!(caller.world.arm().collections(), Vec::<String>::new(), "{effect:?}");
        seconds(20).await;
    }
    assert_eq!(caller.put(&collection_id("c"), body()).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn a_reset_before_does_nothing_and_a_reset_after_does_all() {
    for (effect, made) in [(ArmFaultEffect::ResetBefore, 0), (ArmFaultEffect::ResetAfter, 1)] {
        let (caller, machine) = Caller::with_machine(|seed| seed);
        let collection = caller.collection("c", &machine).await;
        caller.world.arm().fault(ArmFault::new(effect).on_method("PUT"));
        assert!(caller.put(&format!("{collection}/restorePoints/p"), crash()).await.reset);
        assert_eq!(caller.world.points_of(&machine).len(), made);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_write_is_acknowledged_succeeds_and_is_not_there() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let collection = caller.collection("c", &machine).await;
    caller.world.arm().fault(ArmFault::new(ArmFaultEffect::AcknowledgedButDropped).on_action("*/restorePoints/write"));
    let point = format!("{collection}/restorePoints/p");
    let told = caller.put(&point, json!({})).await;
    assert_eq!(told.status, 201);
    seconds(60).await;
    assert_eq!(caller.poll(&told, "azure-asyncoperation").await.body["status"], "Succeeded");
    assert_eq!(caller.get(&point).await.status, 404);
    assert_eq!(caller.world.restore_points_created(), 0);
}

#[tokio::test(start_paused = true)]
async fn down_slow_and_throttled_are_three_things_and_touch_one_region() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let elsewhere = crate::azure::MachineSeed::new(super::calls::SUBSCRIPTION, "shop", "north", "northeurope");
    let elsewhere = caller.world.add_machine(&elsewhere);
    let arm = caller.world.arm();
    let within = |id: String| {
        let caller = &caller;
        async move { tokio::time::timeout(Duration::from_secs(100), caller.get(&id)).await.map(|told| told.status).ok() }
    };
    arm.set_region("WestEurope", Some(RegionTrouble::Down));
    assert_eq!((within(machine.clone()).await, within(elsewhere.clone()).await), (None, Some(200)));
    arm.set_region("westeurope", Some(RegionTrouble::Slow { milliseconds: 30_000 }));
    let begun = tokio::time::Instant::now();
    assert_eq!(within(machine.clone()).await, Some(200));
    assert_eq!(begun.elapsed().as_secs(), 30);
    arm.set_region("westeurope", Some(RegionTrouble::Throttled { retry_after_seconds: 9 }));
    assert_eq!((within(machine.clone()).await, within(elsewhere).await), (Some(429), Some(200)));
    arm.set_region("westeurope", None);
    seconds(10).await;
    assert_eq!(within(machine).await, Some(200));
}

#[tokio::test(start_paused = true)]
async fn a_status_url_that_was_changed_is_refused() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let collection = caller.collection("c", &machine).await;
    let told = caller.put(&format!("{collection}/restorePoints/p"), crash()).await;
    let url = told.header("azure-asyncoperation").replace("https://management.azure.com", "");
    assert_eq!(caller.send("GET", &url, None).await.status, 200);
    assert_eq!(caller.send("GET", &format!("{url}0"), None).await.status, 400);
}

/// Each case: a fault, and what the answer to a listing of machines is: status, whether its body is JSON, content type.
#[tokio::test(start_paused = true)]
async fn an_answer_is_spoiled_as_ordered() {
    let json_type = "application/json; charset=utf-8";
    let cases = [
        (ArmFaultEffect::BadGateway, 502, true, json_type),
        (ArmFaultEffect::GatewayTimeout, 504, true, json_type),
        (ArmFaultEffect::TokenRevoked, 401, true, json_type),
        (ArmFaultEffect::TruncatedBody, 200, false, json_type),
        (ArmFaultEffect::HtmlErrorPage { status: 502 }, 502, false, "text/html"),
        (ArmFaultEffect::HtmlErrorPage { status: 200 }, 200, false, "text/html"),
        (ArmFaultEffect::WrongContentType { content_type: "text/plain".to_owned() }, 200, true, "text/plain"),
    ];
    let (caller, _) = Caller::with_machine(|seed| seed);
    let list = format!("/subscriptions/{}/providers/Microsoft.Compute/virtualMachines", super::calls::SUBSCRIPTION);
    for (effect, status, is_json, kind) in cases {
        caller.world.arm().fault(ArmFault::new(effect.clone()));
        let told = caller.get(&list).await;
        assert_eq!((told.status, told.header("content-type")), (status, kind), "{effect:?}");
        assert_eq!(told.body.is_object(), is_json, "{effect:?}");
        assert_eq!(caller.get(&list).await.status, 200);
    }
    caller.world.arm().fault(ArmFault::new(ArmFaultEffect::TokenRevoked));
    assert!(caller.get(&list).await.header("www-authenticate").contains("invalid_token"));
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_to_a_call_that_was_carried_out_at_once() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let fault = ArmFault::new(ArmFaultEffect::SlowAnswer { milliseconds: 20_000 });
    caller.world.arm().fault(fault.on_method("PUT"));
    let begun = tokio::time::Instant::now();
    let body = json!({ "location": "westeurope", "properties": { "source": { "id": machine } } });
    let answer = tokio::time::timeout(Duration::from_secs(10), caller.put(&collection_id("c"), body)).await;
    assert!(answer.is_err() && begun.elapsed().as_secs() == 10);
    assert_eq!(caller.world.arm().collections().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_listing_leads_elsewhere_or_never_ends_as_ordered() {
    let (caller, _) = Caller::with_machine(|seed| seed);
    let arm = caller.world.arm();
    let list = format!("/subscriptions/{}/providers/Microsoft.Compute/virtualMachines", super::calls::SUBSCRIPTION);
    arm.fault(ArmFault::new(ArmFaultEffect::NextLinkElsewhere { host: "attacker.example".to_owned() }));
    let next = caller.get(&list).await.body["nextLink"].as_str().unwrap().to_owned();
    assert!(next.starts_with("https://attacker.example/subscriptions/"), "{next}");
    arm.fault(ArmFault::new(ArmFaultEffect::EndlessPaging).always());
    let (mut path, mut seen) = (format!("{list}?api-version=2025-04-01"), std::collections::BTreeSet::new());
    for _ in 0..20 {
        let told = caller.send("GET", &path, None).await;
        assert_eq!(told.body["value"].as_array().unwrap().len(), 1);
        let next = told.body["nextLink"].as_str().unwrap();
        assert!(seen.insert(next.to_owned()), "every link is another one");
        path = next.strip_prefix("https://management.azure.com").unwrap().to_owned();
    }
    let graph = "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01";
    let told = caller.send("POST", graph, Some(json!({ "query": "Resources | project id" }))).await;
    assert!(told.body["$skipToken"].is_string());
}
