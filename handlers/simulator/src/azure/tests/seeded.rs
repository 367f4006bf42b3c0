//! Seeding from bodies, what is modelled, and what all of it rests on.

use std::collections::BTreeSet;

use serde_json::json;

use super::calls::{Caller, SUBSCRIPTION, crash, seconds};
use crate::azure::{MachineSeed, evidence_ids};

#[tokio::test(start_paused = true)]
async fn a_resource_that_was_seeded_from_its_own_answer_answers_the_same() {
    let (one, machine) = Caller::with_machine(|seed| seed);
    let collection = one.collection("c", &machine).await;
    let point = format!("{collection}/restorePoints/p");
    assert_eq!(one.put(&point, crash()).await.status, 201);
    seconds(20).await;
    let disk = one.get(&machine).await.body["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"].clone();
    let disk = format!("{}?api-version=2025-01-02", disk.as_str().unwrap());
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourcegroups/Shop?api-version=2025-04-01");
    let paths = [
        group,
        format!("{machine}?$expand=instanceView&api-version=2025-04-01"),
        disk,
        format!("{collection}?api-version=2025-04-01"),
        format!("{point}?api-version=2025-04-01"),
    ];
    let other = Caller::new();
    for path in &paths {
        let body = one.send("GET", path, None).await.body;
        other.world.arm().seed_resource(&body).unwrap();
        assert_eq!(other.send("GET", path, None).await.body, body, "{path}");
    }
    for path in &paths {
        assert_eq!(other.send("GET", path, None).await.body, one.send("GET", path, None).await.body, "again {path}");
    }
    let second = other.put(&format!("{collection}/restorePoints/q"), crash()).await;
    assert_eq!(second.status, 201, "a seeded machine can be saved: {second:?}");
    assert_eq!(other.world.arm().points_of(&machine).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_body_without_an_id_or_of_another_type_is_refused_and_one_of_another_subscription_brings_it() {
    let caller = Caller::new();
    let arm = caller.world.arm().clone();
    assert!(arm.seed_resource(&json!({})).is_err());
    assert!(arm.seed_resource(&json!({ "id": "/subscriptions/s/nothing" })).is_err());
    let sql = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Sql/servers/s");
    assert!(arm.seed_resource(&json!({ "id": sql, "location": "westeurope" })).unwrap_err().contains("not modelled"));
    let machine = MachineSeed::new("0f0f0f0f-0000-4000-8000-000000000000", "g", "m", "uksouth").id();
    let storage = json!({ "osDisk": { "osType": "Windows", "name": "os",
        "managedDisk": { "id": machine.replace("virtualMachines/m", "disks/os") } } });
    let body = json!({ "id": machine, "name": "m", "location": "uksouth",
        "properties": { "vmId": "v", "storageProfile": storage } });
    arm.seed_resource(&body).unwrap();
    let disk = format!("{}?api-version=2025-01-02", machine.replace("virtualMachines/m", "disks/os"));
    assert_eq!(caller.send("GET", &disk, None).await.body["managedBy"], json!(machine), "its disk comes with it");
}

#[tokio::test(start_paused = true)]
async fn what_is_modelled_is_what_has_a_route() {
    let arm = Caller::new().world.arm().clone();
    let machine = MachineSeed::new(SUBSCRIPTION, "g", "m", "westeurope").id();
    assert!(arm.models("POST", &format!("{machine}/deallocate?api-version=2022-11-01")));
    assert!(arm.models("GET", &machine.to_uppercase()));
    assert!(!arm.models("POST", &format!("{machine}/capture")));
    assert!(!arm.models("DELETE", &format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/disks")));
}

#[test]
fn every_entry_of_the_register_that_is_named_is_listed_once() {
    let all = evidence_ids();
    let once: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(once.len(), all.len());
    let fits = |id: &str| {
        id.len() < 40 && id.chars().all(|one| one.is_ascii_lowercase() || one == '-' || one.is_ascii_digit())
    };
    assert!(all.iter().all(|id| fits(id)), "{all:?}");
    for id in ["vm-fields", "snapshot-rate", "point-rate", "snapshot-copy-start", "vm-power-view"] {
        assert!(all.contains(&id), "{id}");
    }
}

/// A finished point of a collection, as small as a body can be.
fn point(collection: &str, name: &str) -> serde_json::Value {
    json!({ "name": name, "id": format!("{collection}/restorePoints/{name}"),
        "properties": { "provisioningState": "Succeeded", "sourceMetadata": { "vmId": "gone" } } })
}

#[tokio::test(start_paused = true)]
async fn a_machine_has_five_hundred_points_and_a_region_ten_thousand_collections() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let arm = caller.world.arm().clone();
    let collection = caller.collection("c", &machine).await;
    for number in 0..500 {
        let refused = number == 499;
        if refused {
            assert_eq!(caller.put(&format!("{collection}/restorePoints/last"), crash()).await.status, 201);
            seconds(20).await;
        } else {
            arm.seed_resource(&point(&collection, &format!("p{number}"))).unwrap();
        }
    }
    let told = caller.put(&format!("{collection}/restorePoints/more"), crash()).await;
    assert_eq!((told.status, told.code()), (409, "OperationNotAllowed"));
    for number in 1..10_000 {
        let name = format!("c{number}");
        let id = super::calls::collection_id(&name);
        let source = json!({ "source": { "id": machine } });
        arm.seed_resource(&json!({ "name": name, "id": id, "location": "westeurope", "properties": source })).unwrap();
    }
    let body = json!({ "location": "westeurope", "properties": { "source": { "id": machine } } });
    let told = caller.put(&super::calls::collection_id("more"), body.clone()).await;
    assert_eq!((told.status, told.code()), (409, "OperationNotAllowed"));
    assert_eq!(caller.put(&collection, body).await.status, 200, "one that is there can still be written");
}
