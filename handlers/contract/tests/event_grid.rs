//! Every official Event Grid payload, and some composed of them, is taken for what it is.
//! It never holds a copy of them: they are read from the folder that LIFEBOAT_AZURE_DATA names.

use lifeboat_contract::event_grid::{Ignored, MachineHint, Told, events_of, read_event};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Each file and what its event asks for; both schemas are rows of their own.
const OFFICIAL: &[(&str, Result<&str, Ignored>)] = &[
    ("derived/eg-vm-write-success.httpRequest-PATCH.eventgrid.json", Ok("PATCH")),
    ("derived/eg-vm-write-success.no-httpRequest.cloudevents.json", Ok("-")),
    ("derived/eg-vm-write-success.no-httpRequest.eventgrid.json", Ok("-")),
    ("eg-deadletter.cloudevents.json", Err(Ignored::OtherType)),
    ("eg-deadletter.eventgrid.json", Err(Ignored::OtherType)),
    ("eg-health-availability-status-changed.cloudevents.json", Err(Ignored::Health)),
    ("eg-health-availability-status-changed.eventgrid.json", Err(Ignored::Health)),
    ("eg-health-resource-annotated.cloudevents.json", Err(Ignored::Health)),
    ("eg-health-resource-annotated.eventgrid.json", Err(Ignored::Health)),
    ("eg-maintenance-scheduled-event.vm.public-repo.json", Err(Ignored::Maintenance)),
    ("eg-maintenance-scheduled-event.vmss.eventgrid.json", Err(Ignored::Maintenance)),
    ("eg-resource-action-success.cloudevents.json", Err(Ignored::Action)),
    ("eg-resource-action-success.eventgrid.json", Err(Ignored::Action)),
    ("eg-resource-delete-success.cloudevents.json", Err(Ignored::Deleted)),
    ("eg-resource-delete-success.eventgrid.json", Err(Ignored::Deleted)),
    ("eg-resource-write-success.cloudevents.json", Err(Ignored::OtherOperation(Told::Written))),
    ("eg-resource-write-success.eventgrid.json", Err(Ignored::OtherOperation(Told::Written))),
    ("eg-resource-write-success.java-sdk-test.json", Err(Ignored::OtherOperation(Told::Written))),
    ("eg-resources-created-or-updated.cloudevents.json", Err(Ignored::ResourceNotification)),
    ("eg-resources-created-or-updated.eventgrid.json", Err(Ignored::ResourceNotification)),
    ("eg-resources-deleted.cloudevents.json", Err(Ignored::Deleted)),
    ("eg-resources-deleted.eventgrid.json", Err(Ignored::Deleted)),
    ("eg-subscription-validation.request.json", Err(Ignored::SubscriptionValidation)),
    ("eg-subscription-validation.response.json", Err(Ignored::NotAnEvent("type"))),
    ("eg-vm-create.gist-2018.PARTIAL.json", Ok("-")),
];

/// The folder of official payloads, or `None` with the reason told.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment tells a test where the data is; no setting of the product"
)]
fn folder() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/azure");
    let folder = PathBuf::from(std::env::var("LIFEBOAT_AZURE_DATA").unwrap_or(default.into())).join("events");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("LIFEBOAT_AZURE_DATA_REQUIRED").is_none(), "{} is required and absent", folder.display());
    eprintln!("ignored: the official payloads are not at {}; LIFEBOAT_AZURE_DATA names their folder", folder.display());
    None
}

fn read(name: &str, folder: &std::path::Path) -> Value {
    let text = std::fs::read_to_string(folder.join(name)).expect(name);
    serde_json::from_str(&text).expect(name)
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn every_official_payload_is_accepted_or_ignored_with_its_reason() {
    let Some(folder) = folder() else { return };
    for (name, expected) in OFFICIAL {
        let delivery = read(name, &folder);
        let [event] = events_of(&delivery) else { panic!("{name}: not one event") };
        match (read_event(event, Told::Written), expected) {
            (Ok(hint), Ok(method)) => {
                assert_eq!(hint.http_method.as_deref().unwrap_or("-"), *method, "{name}");
                assert_eq!(hint.resource, event["data"]["resourceUri"], "{name}");
                assert_eq!(hint.event_id, event["id"], "{name}");
                assert!(hint.at.is_some(), "{name}");
            }
            (got, expected) => assert_eq!(got.err().as_ref(), expected.as_ref().err(), "{name}"),
        }
    }
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn no_official_payload_is_left_out() {
    let Some(folder) = folder() else { return };
    let listed: BTreeSet<String> = OFFICIAL.iter().map(|(name, _)| (*name).to_string()).collect();
    let mut there = BTreeSet::new();
    for (sub, prefix) in [("", ""), ("derived", "derived/")] {
        for entry in std::fs::read_dir(folder.join(sub)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.starts_with("eg-") {
                there.insert(format!("{prefix}{name}"));
            }
        }
    }
    assert_eq!(listed, there);
}

fn written() -> Value {
    json!({
        "id": "e-1", "eventType": "Microsoft.Resources.ResourceWriteSuccess", "eventTime": "2026-07-19T18:38:04.6117357Z",
        "subject": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm",
        "data": {
            "resourceUri": "/subscriptions/s/resourcegroups/g/providers/Microsoft.Compute/virtualMachines/vm",
            "operationName": "Microsoft.Compute/virtualMachines/write", "status": "Succeeded",
            "claims": { "name": "a person" }, "authorization": { "evidence": [] },
        },
    })
}

fn check(sentence: &str, change: impl Fn(&mut Value), expected: Result<&dyn Fn(&MachineHint) -> bool, Ignored>) {
    let mut event = written();
    change(&mut event);
    match (read_event(&event, Told::Written), expected) {
        (Ok(hint), Ok(holds)) => assert!(holds(&hint), "{sentence}: {hint:?}"),
        (got, expected) => assert_eq!(got.err(), expected.err(), "{sentence}"),
    }
}

#[test]
fn shapes_that_vary_are_borne_and_everything_else_is_ignored() {
    let any: Result<&dyn Fn(&MachineHint) -> bool, Ignored> = Ok(&|_| true);
    check("as it is", |_| {}, any.clone());
    for shape in [json!({}), json!([]), Value::Null, json!("x"), json!({ "method": 7 })] {
        check("no method", |e| e["data"]["httpRequest"] = shape.clone(), Ok(&|h| h.http_method.is_none()));
        check("claims of any shape", |e| e["data"]["claims"] = shape.clone(), any.clone());
        check("authorization of any shape", |e| e["data"]["authorization"] = shape.clone(), any.clone());
    }
    check(
        "another case",
        |e| e["data"]["operationName"] = json!("MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE"),
        any.clone(),
    );
    check("an unreadable time", |e| e["eventTime"] = json!("yesterday"), Ok(&|h| h.at.is_none()));
    check(
        "the subject stands in",
        |e| e["data"]["resourceUri"] = Value::Null,
        Ok(&|h| h.resource.contains("resourceGroups")),
    );
    let operation = |name: &'static str| move |e: &mut Value| e["data"]["operationName"] = json!(name);
    check("a deployment", operation("Microsoft.Resources/deployments/write"), Err(Ignored::Deployment));
    check(
        "an extension",
        operation("Microsoft.Compute/virtualMachines/extensions/write"),
        Err(Ignored::OtherOperation(Told::Written)),
    );
    check("a disk", operation("Microsoft.Compute/disks/write"), Err(Ignored::OtherOperation(Told::Written)));
    check(
        "a scale set",
        operation("Microsoft.Compute/virtualMachineScaleSets/write"),
        Err(Ignored::OtherOperation(Told::Written)),
    );
    check("no data", |e| e["data"] = Value::Null, Err(Ignored::OtherOperation(Told::Written)));
    let kind = |name: &'static str| move |e: &mut Value| e["eventType"] = json!(name);
    check("a failed write", kind("Microsoft.Resources.ResourceWriteFailure"), Err(Ignored::NotSucceeded));
    check("a cancelled one", kind("Microsoft.Resources.ResourceWriteCancel"), Err(Ignored::NotSucceeded));
    check("a failed action", kind("Microsoft.Resources.ResourceActionFailure"), Err(Ignored::NotSucceeded));
    check("a machine's delete", kind("Microsoft.Resources.ResourceDeleteSuccess"), Err(Ignored::Deleted));
    check("a power-off", kind("Microsoft.Resources.ResourceActionSuccess"), Err(Ignored::Action));
    check("a status that contradicts", |e| e["data"]["status"] = json!("Accepted"), Err(Ignored::NotSucceeded));
    check("no id", |e| e["id"] = json!(""), Err(Ignored::NotAnEvent("id")));
    check("no type", |e| e["eventType"] = Value::Null, Err(Ignored::NotAnEvent("type")));
    check("not an object", |e| *e = json!(7), Err(Ignored::NotAnEvent("fields")));
    let elsewhere = |id: &'static str| {
        move |e: &mut Value| {
            e["subject"] = json!(id);
            e["data"]["resourceUri"] = json!(id);
        }
    };
    check("no machine", elsewhere("/subscriptions/s/resourceGroups/g"), Err(Ignored::NoMachine(Told::Written)));
    check(
        "below a machine",
        elsewhere("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v/x/y"),
        Err(Ignored::NoMachine(Told::Written)),
    );
    check(
        "a nameless machine",
        elsewhere("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/"),
        Err(Ignored::NoMachine(Told::Written)),
    );
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn where_a_delete_is_awaited_no_official_payload_is_one_of_a_machine_and_each_says_why() {
    let Some(folder) = folder() else { return };
    for (name, for_writes) in OFFICIAL {
        let delivery = read(name, &folder);
        let got = read_event(&events_of(&delivery)[0], Told::Deleted).unwrap_err();
        let expected = match for_writes {
            Ok(_) | Err(Ignored::OtherOperation(_)) => Ignored::Written,
            Err(Ignored::Deleted) if name.starts_with("eg-resource-delete") => Ignored::OtherOperation(Told::Deleted),
            Err(Ignored::Deleted) => Ignored::ResourceNotification,
            Err(same) => same.clone(),
        };
        assert_eq!(got, expected, "{name}");
    }
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn the_official_delete_made_one_of_a_machine_is_read_in_both_schemas() {
    let Some(folder) = folder() else { return };
    let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm";
    for name in ["eg-resource-delete-success.cloudevents.json", "eg-resource-delete-success.eventgrid.json"] {
        let delivery = read(name, &folder);
        let mut event = events_of(&delivery)[0].clone();
        event["subject"] = json!(id);
        event["data"]["resourceUri"] = json!(id);
        event["data"]["operationName"] = json!("Microsoft.Compute/virtualMachines/delete");
        let hint = read_event(&event, Told::Deleted).expect(name);
        assert_eq!((hint.resource.as_str(), hint.http_method.as_deref()), (id, Some("DELETE")), "{name}");
        assert!(hint.at.is_some() && hint.event_id == event["id"], "{name}");
        assert_eq!(read_event(&event, Told::Written), Err(Ignored::Deleted), "{name}");
        event["data"]["operationName"] = json!("Microsoft.Compute/virtualMachines/extensions/delete");
        assert_eq!(read_event(&event, Told::Deleted), Err(Ignored::OtherOperation(Told::Deleted)), "{name}");
    }
}

#[test]
fn nothing_of_who_caused_it_is_kept() {
    let said = format!("{:?}", read_event(&written(), Told::Written).unwrap());
    assert!(!said.contains("person") && !said.contains("evidence"), "{said}");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z/. ]{0,24}".prop_map(Value::from),
        Just(json!("Microsoft.Resources.ResourceWriteSuccess")),
        Just(json!("Microsoft.Compute/virtualMachines/write")),
    ];
    let key = prop_oneof![
        Just("data".to_string()),
        Just("type".into()),
        Just("id".into()),
        Just("operationName".into()),
        "[a-z]{1,4}"
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(key.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_read_or_ignored_never_a_panic(value in any_json()) {
        for event in events_of(&value) {
            let _ = read_event(event, Told::Written);
            let _ = read_event(event, Told::Deleted);
        }
    }
}
