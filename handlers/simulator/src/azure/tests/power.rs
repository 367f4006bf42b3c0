//! Machines: their power, what generalizing does, and bodies that are kept.

use serde_json::{Value, json};

use super::calls::{Caller, SUBSCRIPTION, Told, seconds};
use crate::azure::{DiskSeed, MachineSeed};

async fn act(caller: &Caller, machine: &str, action: &str) -> Told {
    caller.send("POST", &format!("{machine}/{action}?api-version=2025-04-01"), None).await
}

async fn statuses(caller: &Caller, machine: &str) -> (Vec<String>, Value) {
    let view = caller.get(&format!("{machine}/instanceView")).await.body;
    let codes = view["statuses"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap().to_owned());
    (codes.collect(), view["vmAgent"]["statuses"][0]["displayStatus"].clone())
}

fn disk(name: &str) -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/Shop/providers/Microsoft.Compute/disks/{name}?api-version=2025-01-02"
    )
}

#[tokio::test(start_paused = true)]
async fn power_goes_through_its_passing_states_and_back() {
    let disks = vec![DiskSeed { name: "data".to_owned(), size_gib: 8 }];
    let (caller, machine) = Caller::with_machine(|seed| MachineSeed { disks, ..seed });
    let state = async |name: &str| caller.send("GET", &disk(name), None).await.body["properties"]["diskState"].clone();
    let cases = [
        ("powerOff?skipShutdown=true&", "stopping", "stopped", 18, "Attached"),
        ("start", "starting", "running", 20, "Attached"),
        ("restart", "running", "running", 20, "Attached"),
        ("deallocate", "deallocating", "deallocated", 21, "Reserved"),
        ("start", "starting", "running", 20, "Attached"),
    ];
    for (action, passing, end, length, disk_state) in cases {
        let (name, query) = action.split_once('?').unwrap_or((action, ""));
        let path = format!("{machine}/{name}?{query}api-version=2025-04-01");
        let told = caller.send("POST", &path, None).await;
        assert_eq!((told.status, &told.body), (202, &Value::Null), "{action}");
        let (codes, _) = statuses(&caller, &machine).await;
        assert_eq!(codes, ["ProvisioningState/updating".to_owned(), format!("PowerState/{passing}")], "{action}");
        assert_eq!(caller.poll(&told, "azure-asyncoperation").await.body["status"], "InProgress");
        assert_eq!(caller.poll(&told, "location").await.status, 202);
        seconds(length).await;
        let (codes, agent) = statuses(&caller, &machine).await;
        assert_eq!(codes, ["ProvisioningState/succeeded".to_owned(), format!("PowerState/{end}")], "{action}");
        assert_eq!(agent.is_null(), end != "running", "{action}");
        assert_eq!(state("data").await, disk_state, "{action}");
        let ended = caller.poll(&told, "location").await;
        assert_eq!((ended.status, ended.body), (200, Value::Null), "{action}");
        let size = &caller.get(&machine).await.body["properties"]["storageProfile"]["osDisk"]["diskSizeGB"].clone();
        assert_eq!(size.is_null(), end == "deallocated", "{action}: a deallocated machine does not tell sizes");
    }
    seconds(20).await;
    assert_eq!(statuses(&caller, &machine).await.1, "Ready", "the agent reports again");
    let events = caller.world.event_grid().events();
    let actions: Vec<_> = events.iter().filter(|event| event.event_type.ends_with("ResourceActionSuccess")).collect();
    assert_eq!(actions.len(), 5);
    assert_eq!(actions[0].operation_name, "Microsoft.Compute/virtualMachines/powerOff/action");
}

#[tokio::test(start_paused = true)]
async fn a_machine_is_generalized_when_it_does_not_run_and_never_starts_again() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let refused = act(&caller, &machine, "generalize").await;
    assert_eq!((refused.status, refused.code()), (409, "OperationNotAllowed"));
    act(&caller, &machine, "deallocate").await;
    let busy = act(&caller, &machine, "start").await;
    assert_eq!((busy.status, busy.code()), (409, "AnotherOperationInProgress"));
    seconds(21).await;
    let told = act(&caller, &machine, "generalize").await;
    assert_eq!((told.status, &told.body), (200, &Value::Null));
    assert!(statuses(&caller, &machine).await.0.contains(&"OSState/generalized".to_owned()));
    for action in ["start", "restart"] {
        let refused = act(&caller, &machine, action).await;
        assert_eq!((refused.status, refused.code()), (409, "OperationNotAllowed"), "{action}");
    }
    assert_eq!(act(&caller, &format!("{machine}x"), "start").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_machine_keeps_what_it_was_given_but_no_password() {
    let caller = Caller::new();
    caller.world.arm().add_group(SUBSCRIPTION, "Shop", "westeurope");
    let id = MachineSeed::new(SUBSCRIPTION, "Shop", "web", "westeurope").id();
    let body = json!({
        "location": "westeurope",
        "tags": { "env": "prod" },
        "zones": ["1"],
        "properties": {
            "hardwareProfile": { "vmSize": "Standard_D2s_v5" },
            "securityProfile": { "securityType": "TrustedLaunch" },
            "storageProfile": { "osDisk": { "createOption": "FromImage", "deleteOption": "Delete" },
                "dataDisks": [{ "lun": 4, "createOption": "Empty", "diskSizeGB": 16 }] },
            "osProfile": { "computerName": "web", "adminUsername": "a", "adminPassword": "Tr0ub4dor" },
        },
    });
    assert_eq!(caller.put(&id, body.clone()).await.status, 201);
    seconds(30).await;
    let seen = caller.get(&id).await;
    let properties = &seen.body["properties"];
    assert_eq!(properties["securityProfile"]["securityType"], "TrustedLaunch");
    assert_eq!((&seen.body["zones"], &properties["storageProfile"]["dataDisks"][0]["lun"]), (&json!(["1"]), &json!(4)));
    assert!(!seen.body.to_string().contains("Tr0ub4dor"));
    assert_eq!(seen.header("etag"), seen.body["etag"].as_str().unwrap());
    let os = properties["storageProfile"]["osDisk"]["name"].as_str().unwrap().to_owned();
    let data = properties["storageProfile"]["dataDisks"][0]["name"].as_str().unwrap().to_owned();
    let mut taken = body.clone();
    taken["properties"]["storageProfile"]["dataDisks"] = json!([{
        "lun": 0, "createOption": "Attach", "managedDisk": { "id": disk(&data).split('?').next() },
    }]);
    let refused = caller.put(&id.replace("/web", "/other"), taken.clone()).await;
    assert_eq!((refused.status, refused.code()), (409, "OperationNotAllowed"), "a disk has one machine");
    let mut gone = caller.get(&id).await.body;
    gone["properties"]["storageProfile"]["dataDisks"] = json!([]);
    assert_eq!(caller.put(&id, gone).await.status, 200);
    seconds(10).await;
    assert_eq!(caller.send("GET", &disk(&data), None).await.body["properties"]["diskState"], "Unattached");
    assert_eq!(caller.put(&id.replace("/web", "/other"), taken).await.status, 201, "a free disk can be attached");
    assert_eq!(caller.send("DELETE", &format!("{id}?api-version=2025-04-01"), None).await.status, 202);
    seconds(30).await;
    assert_eq!(caller.send("GET", &disk(&os), None).await.status, 404, "a disk that goes along is gone");
}
