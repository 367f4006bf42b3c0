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
