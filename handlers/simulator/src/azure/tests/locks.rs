//! Locks, permissions, and rights on what a body names.

use serde_json::json;

use super::calls::{Caller, SUBSCRIPTION, Told, collection_id};
use crate::azure::{ARM_AUDIENCE, Grant, LockLevel};

const VERSION: &str = "api-version=2020-05-01";

async fn send(caller: &Caller, method: &str, id: &str) -> Told {
    let body = matches!(method, "PUT" | "PATCH").then(|| json!({ "location": "westeurope", "tags": {} }));
    caller.send(method, &format!("{id}?api-version=2025-04-01"), body).await
}

/// Each case: where the lock hangs, its level, a call, and whether the lock refuses it.
#[tokio::test(start_paused = true)]
async fn a_lock_is_inherited_and_refuses_what_its_level_says() {
    let (probe, machine) = Caller::with_machine(|seed| seed);
    let group = machine.split("/providers/").next().unwrap().to_owned();
    let (subscription, other) = (format!("/subscriptions/{SUBSCRIPTION}"), collection_id("c"));
    drop(probe);
    let cases = [
        (&subscription, LockLevel::CanNotDelete, "DELETE", &machine, true),
        (&group, LockLevel::CanNotDelete, "DELETE", &machine, true),
        (&machine, LockLevel::CanNotDelete, "DELETE", &machine, true),
        (&machine, LockLevel::CanNotDelete, "DELETE", &group, true),
        (&machine, LockLevel::CanNotDelete, "PATCH", &machine, false),
        (&group, LockLevel::CanNotDelete, "GET", &machine, false),
        (&group, LockLevel::ReadOnly, "PATCH", &machine, true),
        (&group, LockLevel::ReadOnly, "GET", &machine, false),
        (&machine, LockLevel::ReadOnly, "PUT", &group, false),
        (&other, LockLevel::ReadOnly, "PATCH", &machine, false),
        (&group, LockLevel::NotSpecified, "DELETE", &machine, false),
    ];
    for (scope, level, method, id, refused) in cases {
        let (caller, _) = Caller::with_machine(|seed| seed);
        caller.world.arm().add_lock(scope, "keep", level);
        let told = send(&caller, method, id).await;
        assert_eq!(told.code() == "ScopeLocked", refused, "{level:?} at {scope}: {method} {id}: {told:?}");
        if refused {
            assert_eq!(told.status, 409);
            let verb = if method == "DELETE" { "delete" } else { "write" };
            let text = format!("cannot perform {verb} operation because following scope(s) are locked: '{scope}'.");
            assert!(told.body["error"]["message"].as_str().unwrap().contains(&text), "{told:?}");
            assert!(caller.world.arm().remove_lock(scope, "keep"));
            assert_ne!(send(&caller, method, id).await.status, 409);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_made_read_listed_and_taken_away_at_each_scope() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let group = machine.split("/providers/").next().unwrap().to_owned();
    let subscription = format!("/subscriptions/{SUBSCRIPTION}");
    let body = json!({ "properties": { "level": "ReadOnly", "notes": "keep" } });
    for (place, scope) in [&subscription, &group, &machine].into_iter().enumerate() {
        let id = format!("{scope}/providers/Microsoft.Authorization/locks/l{place}");
        let path = format!("{id}?{VERSION}");
        assert_eq!(caller.send("PUT", &path, Some(body.clone())).await.status, 201);
        let again = caller.send("PUT", &path, Some(body.clone())).await;
        assert_eq!(
            (again.status, &again.body["id"], &again.body["properties"]),
            (200, &json!(id), &body["properties"])
        );
        assert_eq!(
            caller.send("GET", &path.to_uppercase().replace("API-VERSION", "api-version"), None).await.status,
            200
        );
    }
    let list = |scope: &str, filter: &str| format!("{scope}/providers/Microsoft.Authorization/locks?{VERSION}{filter}");
    for (scope, filter, count) in
        [(&subscription, "", 3), (&group, "", 2), (&machine, "", 1), (&subscription, "&$filter=atScope()", 1)]
    {
        let told = caller.send("GET", &list(scope, filter), None).await;
        assert_eq!(told.body["value"].as_array().unwrap().len(), count, "{scope}{filter}");
    }
    let path = format!("{machine}/providers/Microsoft.Authorization/locks/l2?{VERSION}");
    assert_eq!(caller.send("DELETE", &path, None).await.status, 200, "a lock does not lock locks");
    assert_eq!(caller.send("DELETE", &path, None).await.status, 204);
    assert_eq!(caller.send("GET", &path, None).await.code(), "LockNotFound");
    for wrong in [json!({}), json!({ "properties": { "level": "Never" } })] {
        assert_eq!(caller.send("PUT", &path, Some(wrong)).await.status, 400);
    }
    let nowhere = path.replace("web-1", "web-9");
    assert_eq!(caller.send("PUT", &nowhere, Some(body)).await.code(), "ResourceNotFound");
}

#[tokio::test(start_paused = true)]
async fn permissions_are_the_grants_that_reach_the_scope() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let group = machine.split("/providers/").next().unwrap().to_owned();
    let grant = |scope: &str, action: &str| Grant {
        scope: scope.to_owned(),
        actions: vec![action.to_owned()],
        not_actions: vec!["Microsoft.Compute/disks/*".to_owned()],
    };
    let grants = vec![
        grant(&format!("/subscriptions/{SUBSCRIPTION}"), "*/read"),
        grant(&machine, "Microsoft.Compute/virtualMachines/write"),
    ];
    let principal = caller.world.add_principal("reader", grants);
    let token = format!("Bearer {}", caller.world.token(&principal.object_id, ARM_AUDIENCE));
    for (scope, count) in [(&group, 1), (&machine, 2)] {
        let path = format!("{scope}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01");
        let told = caller.send_with("GET", &path, None, &[("authorization", &token)]).await;
        let value = told.body["value"].as_array().unwrap();
        assert_eq!(value.len(), count, "{scope}");
        assert_eq!(value[0]["actions"], json!(["*/read"]));
        assert_eq!(value[0]["notActions"], json!(["Microsoft.Compute/disks/*"]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_needs_rights_also_on_what_a_body_names() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let actions = ["Microsoft.Compute/restorePointCollections/*", "Microsoft.Compute/virtualMachines/write"];
    let principal = caller.world.add_principal("linked", vec![Grant::over_subscription(SUBSCRIPTION, &actions)]);
    let token = format!("Bearer {}", caller.world.token(&principal.object_id, ARM_AUDIENCE));
    let put = |id: String, body: serde_json::Value| {
        let (caller, token) = (&caller, &token);
        async move {
            let path = format!("{id}?api-version=2025-04-01");
            caller.send_with("PUT", &path, Some(body), &[("authorization", token)]).await
        }
    };
    let source = json!({ "location": "westeurope", "properties": { "source": { "id": machine } } });
    let told = put(collection_id("c"), source.clone()).await;
    assert_eq!((told.status, told.code()), (403, "LinkedAuthorizationFailed"));
    let message = told.body["error"]["message"].as_str().unwrap();
    assert!(message.contains("has permission to perform action 'Microsoft.Compute/restorePointCollections/write'"));
    assert!(message.contains(&format!("'Microsoft.Compute/virtualMachines/read' on the linked scope(s) '{machine}'")));
    let nic = machine.replace("Microsoft.Compute/virtualMachines", "Microsoft.Network/networkInterfaces");
    let body = json!({
        "location": "westeurope",
        "properties": {
            "hardwareProfile": { "vmSize": "Standard_B2s" },
            "storageProfile": { "osDisk": { "createOption": "FromImage" } },
            "networkProfile": { "networkInterfaces": [{ "id": nic }] },
        },
    });
    let told = put(machine.clone(), body.clone()).await;
    assert!(
        told.body["error"]["message"].as_str().unwrap().contains("Microsoft.Network/networkInterfaces/join/action")
    );
    for action in ["Microsoft.Compute/virtualMachines/read", "Microsoft.Network/networkInterfaces/join/action"] {
        assert!(caller.world.identity().change_grants(&principal.object_id, |grants| {
            grants.push(Grant::over_subscription(SUBSCRIPTION, &[action]));
        }));
    }
    assert_eq!(put(collection_id("c"), source).await.status, 201);
    assert_eq!(put(machine.clone(), body).await.status, 200);
}
