//! Restore points and machines over time.

use serde_json::{Value, json};

use super::calls::{Caller, SUBSCRIPTION, crash, seconds};
use crate::azure::{ArmFault, ArmFaultEffect, DiskSeed, MachineSeed, Os};

struct Case {
    what: &'static str,
    os: Os,
    agent: bool,
    body: Value,
    fault: Option<ArmFaultEffect>,
    /// The state and when it is reached, in milliseconds.
    ends: (&'static str, u64),
    consistency: Option<&'static str>,
    error: Option<&'static str>,
}

async fn check(case: Case) {
    let (caller, machine) = Caller::with_machine(|seed| MachineSeed { os: case.os, agent_ready: case.agent, ..seed });
    let collection = caller.collection("c", &machine).await;
    let point = format!("{collection}/restorePoints/P");
    if let Some(effect) = case.fault {
        caller.world.arm().fault(ArmFault::new(effect).on_action("*/restorePoints/write"));
    }
    let told = caller.put(&point, case.body.clone()).await;
    assert_eq!(told.status, 201, "{}: {told:?}", case.what);
    assert_eq!(told.body["properties"]["provisioningState"], "Creating", "{}", case.what);
    let asked = case.body["properties"]["consistencyMode"].clone();
    assert_eq!(told.body["properties"]["consistencyMode"], asked, "{}: only what was asked", case.what);
    assert_eq!(told.header("location"), "", "{}: a point has no Location", case.what);
    let (state, after) = case.ends;
    tokio::time::sleep(std::time::Duration::from_millis(after - 2)).await;
    assert_eq!(caller.poll(&told, "azure-asyncoperation").await.body["status"], "InProgress", "{}", case.what);
    tokio::time::sleep(std::time::Duration::from_millis(4)).await;
    let operation = caller.poll(&told, "azure-asyncoperation").await;
    assert_eq!(operation.body["status"], state, "{}: {operation:?}", case.what);
    assert_eq!(operation.body["error"]["code"], json!(case.error), "{}", case.what);
    let seen = caller.get(&point).await;
    assert_eq!(seen.body["properties"]["provisioningState"], state, "{}", case.what);
    assert_eq!(seen.body["properties"]["consistencyMode"], json!(case.consistency), "{}", case.what);
    let disk = &seen.body["properties"]["sourceMetadata"]["storageProfile"]["osDisk"]["diskRestorePoint"]["id"];
    assert_eq!(disk.is_string(), state == "Succeeded", "{}: a disk has its point when it is made", case.what);
    let again = caller.put(&point, case.body).await;
    assert_eq!((again.status, again.code()), (409, "Conflict"), "{}: a point keeps its name", case.what);
}

#[tokio::test(start_paused = true)]
async fn a_point_ends_as_its_machine_and_its_mode_allow() {
    let base =
        |what, os, agent, body, ends| Case { what, os, agent, body, fault: None, ends, consistency: None, error: None };
    let lost = Some("VMAgentStatusCommunicationError");
    let fails = ArmFaultEffect::OperationFails { after_seconds: 3_600, code: "VMRestorePointInternalError".to_owned() };
    let cases = [
        Case {
            consistency: Some("FileSystemConsistent"),
            ..base("Linux", Os::Linux, true, json!({}), ("Succeeded", 45_688))
        },
        Case {
            consistency: Some("ApplicationConsistent"),
            ..base("Windows", Os::Windows, true, json!({}), ("Succeeded", 45_688))
        },
        Case {
            consistency: Some("CrashConsistent"),
            ..base("crash", Os::Linux, false, crash(), ("Succeeded", 12_844))
        },
        Case { error: lost, ..base("no agent", Os::Windows, false, json!({}), ("Failed", 22_844)) },
        Case {
            fault: Some(fails),
            error: Some("VMRestorePointInternalError"),
            ..base("after an hour", Os::Linux, true, json!({}), ("Failed", 3_600_000))
        },
    ];
    for case in cases {
        check(case).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_lost_half_way_fails_the_point_and_one_found_saves_it() {
    for (first, then, state) in [(true, false, "Failed"), (false, true, "Succeeded")] {
        let (caller, machine) = Caller::with_machine(|seed| MachineSeed { agent_ready: first, ..seed });
        let collection = caller.collection("c", &machine).await;
        caller.put(&format!("{collection}/restorePoints/p"), json!({})).await;
        seconds(10).await;
        caller.world.arm().set_agent(&machine, then);
        seconds(60).await;
        assert_eq!(caller.world.points_of(&machine)[0].state, state);
    }
}

#[tokio::test(start_paused = true)]
async fn one_machine_has_one_point_at_a_time_over_all_its_collections() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let (one, other) = (caller.collection("one", &machine).await, caller.collection("other", &machine).await);
    assert_eq!(caller.put(&format!("{one}/restorePoints/a"), json!({})).await.status, 201);
    let refused = caller.put(&format!("{other}/restorePoints/b"), crash()).await;
    assert_eq!((refused.status, refused.code()), (409, "AnotherOperationInProgress"));
    seconds(60).await;
    assert_eq!(caller.put(&format!("{other}/restorePoints/b"), crash()).await.status, 201);
    assert_eq!(caller.world.restore_points_created(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_machine_has_five_hundred_points_and_no_more() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let collection = caller.collection("c", &machine).await;
    for number in 0..500 {
        assert!(caller.world.arm().plant_point(&collection, &format!("p{number}")).is_some());
    }
    let refused = caller.put(&format!("{collection}/restorePoints/one-more"), json!({})).await;
    assert_eq!((refused.status, refused.code()), (409, "OperationNotAllowed"));
}

#[tokio::test(start_paused = true)]
async fn the_machine_deleted_meanwhile_fails_the_point_which_still_names_it() {
    let (caller, machine) = Caller::with_machine(|seed| MachineSeed { vm_id: Some("the-machine".to_owned()), ..seed });
    let collection = caller.collection("c", &machine).await;
    caller.put(&format!("{collection}/restorePoints/p"), json!({})).await;
    caller.world.arm().delete_machine(&machine).unwrap();
    seconds(60).await;
    let point = &caller.world.points_of(&machine)[0];
    assert_eq!((point.state.as_str(), point.vm_id.as_str()), ("Failed", "the-machine"));
    assert_eq!(caller.get(&machine).await.code(), "ResourceNotFound");
    let recreated = MachineSeed::new(SUBSCRIPTION, "shop", "WEB-1", "westeurope");
    let again = caller.world.create_machine(&recreated).unwrap();
    seconds(60).await;
    assert_ne!(caller.get(&again).await.body["properties"]["vmId"], "the-machine");
}

#[tokio::test(start_paused = true)]
async fn points_and_collections_are_deleted_in_their_time() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let collection = caller.collection("c", &machine).await;
    let point = format!("{collection}/restorePoints/p");
    caller.put(&point, crash()).await;
    seconds(20).await;
    let told = caller.send("DELETE", &format!("{point}?api-version=2025-04-01"), None).await;
    assert_eq!(told.status, 202);
    assert_eq!(caller.poll(&told, "location").await.status, 202);
    assert_eq!(caller.get(&point).await.body["properties"]["provisioningState"], "Deleting");
    seconds(6).await;
    assert_eq!(caller.poll(&told, "location").await.status, 200);
    assert_eq!(caller.get(&point).await.code(), "NotFound");
    assert_eq!(caller.send("DELETE", &format!("{point}?api-version=2025-04-01"), None).await.status, 204);
    let told = caller.send("DELETE", &format!("{collection}?api-version=2025-04-01"), None).await;
    assert_eq!(told.status, 202);
    seconds(1).await;
    assert_eq!(caller.get(&collection).await.code(), "ResourceNotFound");
    assert_eq!(caller.send("DELETE", &format!("{collection}?api-version=2025-04-01"), None).await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn a_machine_is_created_in_its_time_and_its_agent_reports_later() {
    let caller = Caller::new();
    caller.world.arm().add_group(SUBSCRIPTION, "shop", "westeurope");
    let id = MachineSeed::new(SUBSCRIPTION, "shop", "new", "westeurope").id();
    let body = json!({
        "location": "westeurope",
        "tags": { "backup": "gold" },
        "properties": {
            "hardwareProfile": { "vmSize": "Standard_D2s_v5" },
            "storageProfile": { "osDisk": { "createOption": "FromImage" }, "dataDisks": [{ "lun": 0, "name": "data" }] },
        },
    });
    assert_eq!(caller.put(&id, body.clone()).await.status, 201);
    let seen = caller.get(&format!("{id}?$expand=instanceView")).await.body;
    assert_eq!(seen["properties"]["provisioningState"], "Creating");
    assert_eq!(seen["properties"]["instanceView"]["vmAgent"], Value::Null);
    seconds(15).await;
    let seen = caller.get(&format!("{id}?$expand=instanceView")).await.body;
    assert_eq!(seen["properties"]["provisioningState"], "Succeeded");
    assert_eq!(seen["properties"]["instanceView"]["vmAgent"]["statuses"][0]["displayStatus"], "Not Ready");
    seconds(12).await;
    let seen = caller.get(&format!("{id}/instanceView")).await.body;
    assert_eq!(seen["vmAgent"]["statuses"][0]["displayStatus"], "Ready");
    assert_eq!(caller.put(&id, body).await.status, 200, "an update");
    let disk = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Compute/disks/data");
    let disk = caller.send("GET", &format!("{disk}?api-version=2025-01-02"), None).await.body;
    assert_eq!((&disk["properties"]["diskState"], &disk["managedBy"]), (&json!("Attached"), &json!(id)));
}

#[tokio::test(start_paused = true)]
async fn only_data_disks_of_the_machine_can_be_left_out() {
    let disks =
        vec![DiskSeed { name: "data".to_owned(), size_gib: 8 }, DiskSeed { name: "log".to_owned(), size_gib: 8 }];
    let (caller, machine) = Caller::with_machine(|seed| MachineSeed { disks, ..seed });
    let collection = caller.collection("c", &machine).await;
    let id = |name: &str| {
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/SHOP/providers/Microsoft.Compute/disks/{name}")
    };
    let without = |name: &str| json!({ "properties": { "excludeDisks": [{ "id": id(name) }] } });
    let refused = caller.put(&format!("{collection}/restorePoints/p"), without("other")).await;
    assert_eq!((refused.status, refused.code()), (400, "InvalidParameter"));
    let told = caller.put(&format!("{collection}/restorePoints/p"), without("log")).await;
    let named = told.body["properties"]["sourceMetadata"]["storageProfile"]["dataDisks"].as_array().unwrap().clone();
    assert_eq!(named.len(), 1);
    assert_eq!(named[0]["name"], "data");
}

#[tokio::test(start_paused = true)]
async fn a_moved_machine_has_another_id_and_the_same_identity() {
    let (caller, machine) = Caller::with_machine(|seed| MachineSeed { vm_id: Some("same".to_owned()), ..seed });
    let moved = caller.world.arm().move_machine(&machine, "elsewhere").unwrap();
    assert_eq!(caller.get(&machine).await.code(), "ResourceNotFound");
    assert_eq!(caller.get(&moved).await.body["properties"]["vmId"], "same");
}
