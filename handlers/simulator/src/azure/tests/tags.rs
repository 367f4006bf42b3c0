//! Tags at a scope of their own, and what is taken away behind everybody's back.

use serde_json::{Value, json};

use super::calls::{Caller, SUBSCRIPTION, Told};
use crate::azure::{LockLevel, MachineSeed, VaultSeed};

async fn change(caller: &Caller, scope: &str, operation: &str, tags: Value) -> Told {
    let path = format!("{scope}/providers/Microsoft.Resources/tags/default?api-version=2025-04-01");
    let body = json!({ "operation": operation, "properties": { "tags": tags } });
    caller.send("PATCH", &path, Some(body)).await
}

async fn read(caller: &Caller, scope: &str) -> Value {
    caller.get(&format!("{scope}/providers/Microsoft.Resources/tags/default")).await.body["properties"]["tags"].clone()
}

#[tokio::test(start_paused = true)]
async fn tags_are_merged_replaced_and_taken_away_at_any_resource() {
    let (caller, machine) =
        Caller::with_machine(|seed| MachineSeed { tags: [("a".to_owned(), "1".to_owned())].into(), ..seed });
    let collection = caller.collection("points", &machine).await;
    let vault = caller.world.arm().add_vault(&VaultSeed::new(SUBSCRIPTION, "backup", "safe", "westeurope"));
    let disk = caller.get(&machine).await.body["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"].clone();
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/shop");
    for scope in [&machine, &collection, &vault, disk.as_str().unwrap(), &group] {
        change(&caller, scope, "Replace", json!({ "a": "1" })).await;
        let told = change(&caller, scope, "Merge", json!({ "A": "2", "b": "3" })).await;
        assert_eq!((told.status, &told.body["properties"]["tags"]), (200, &json!({ "A": "2", "b": "3" })), "{scope}");
        change(&caller, scope, "Delete", json!({ "a": "other", "b": "" })).await;
        assert_eq!(read(&caller, scope).await, json!({ "A": "2" }), "{scope}");
    }
    assert_eq!(caller.get(&machine).await.body["tags"], json!({ "A": "2" }));
    assert_eq!(caller.get(&collection).await.body["tags"], json!({ "A": "2" }));
    assert_eq!(change(&caller, &machine, "Turn", json!({})).await.status, 400);
    let gone = change(&caller, &machine.replace("web-1", "none"), "Merge", json!({ "a": "1" })).await;
    assert_eq!(gone.code(), "ResourceNotFound");
}

#[tokio::test(start_paused = true)]
async fn a_full_list_of_tags_and_a_read_only_lock_refuse_one_more() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let full: Value =
        (0..50).map(|number| (format!("t{number}"), json!("x"))).collect::<serde_json::Map<_, _>>().into();
    assert_eq!(change(&caller, &machine, "Replace", full).await.status, 200);
    assert_eq!(change(&caller, &machine, "Merge", json!({ "one-more": "x" })).await.status, 400);
    assert_eq!(read(&caller, &machine).await.as_object().unwrap().len(), 50);
    caller.world.arm().add_lock(&machine, "keep", LockLevel::CanNotDelete);
    assert_eq!(change(&caller, &machine, "Merge", json!({ "t1": "y" })).await.status, 200);
    caller.world.arm().add_lock(&machine, "keep", LockLevel::ReadOnly);
    assert_eq!(change(&caller, &machine, "Merge", json!({ "t1": "z" })).await.code(), "ScopeLocked");
}

#[tokio::test(start_paused = true)]
async fn a_point_that_is_taken_away_behind_everybodys_back_is_gone_without_an_event() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let collection = caller.collection("points", &machine).await;
    let arm = caller.world.arm();
    arm.plant_point(&collection, "old").unwrap();
    let events = caller.world.event_grid().events().len();
    let point = format!("{collection}/restorePoints/old");
    assert!(arm.remove_point(&point) && !arm.remove_point(&point));
    assert_eq!(caller.get(&point).await.status, 404);
    assert_eq!(caller.world.event_grid().events().len(), events);
    arm.lie_about("Microsoft.Compute/restorePointCollections/restorePoints/write", "points");
    assert_eq!(caller.put(&point, json!({})).await.status, 201);
    assert!(arm.points_of(&machine).is_empty(), "it was a lie");
}
