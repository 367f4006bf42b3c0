//! Machines are read from whatever JSON comes.
//!
//! It never asks Azure.

use super::{AgentState, PowerState, read};
use crate::{graph, restore_points};
use proptest::prelude::*;
use serde_json::{Value, json};

const ID: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m";

fn machine(properties: Value) -> Value {
    json!({ "id": ID, "location": "West Europe", "properties": properties })
}

#[test]
fn what_azure_does_not_say_is_not_known() {
    let bare = read(&machine(json!({ "vmId": "v" }))).unwrap();
    assert_eq!((bare.agent, bare.power, bare.time_created), (AgentState::Unknown, PowerState::Unknown, None));
    assert_eq!((&*bare.location, bare.disks.len(), bare.managed_by), ("westeurope", 0, None));
    assert_eq!(read(&machine(json!({}))), None, "without its identity it is no machine");
    assert_eq!(read(&json!({ "location": "x", "properties": { "vmId": "v" } })), None);
}

#[test]
fn the_instance_view_tells_of_agent_and_power() {
    for (agent, power, expected) in [
        ("ProvisioningState/succeeded", "PowerState/running", (AgentState::Ready, PowerState::Running)),
        ("ProvisioningState/Unavailable", "PowerState/deallocated", (AgentState::NotReady, PowerState::Deallocated)),
        ("ProvisioningState/Succeeded", "PowerState/hibernated", (AgentState::Ready, PowerState::Unknown)),
    ] {
        let view = json!({
            "vmAgent": { "statuses": [{ "code": agent }] },
            "statuses": [{ "code": "ProvisioningState/succeeded" }, { "code": power }],
        });
        let read = read(&machine(json!({ "vmId": "v", "instanceView": view }))).unwrap();
        assert_eq!((read.agent, read.power), expected);
    }
}

#[test]
fn what_rules_out_a_restore_point_is_seen() {
    let disks = json!({
        "osDisk": { "name": "o", "osType": "Windows", "diffDiskSettings": { "option": "Local" } },
        "dataDisks": [{ "lun": 3, "name": "d", "writeAcceleratorEnabled": true, "managedDisk": { "storageAccountType": "UltraSSD_LRS" } }],
    });
    let read = read(&machine(json!({ "vmId": "v", "storageProfile": disks }))).unwrap();
    assert!(read.disks[0].ephemeral && read.disks[0].lun.is_none());
    assert!(read.disks[1].write_accelerator && read.disks[1].lun == Some(3));
    assert_eq!(read.disks[1].storage.as_deref(), Some("UltraSSD_LRS"));
}

/// Any JSON whose keys are those that the readers look for.
fn any_json() -> impl Strategy<Value = Value> {
    const KEYS: &str = "(id|location|tags|properties|vmId|storageProfile|osDisk|osType|dataDisks|managedDisk|lun|instanceView|statuses|code|vmAgent|timeCreated|zones|managedBy|restorePoints|sourceMetadata|diskRestorePoint|level|message)";
    let text =
        prop_oneof![Just(ID.to_owned()), Just("PowerState/".to_owned()), Just("9999-99-99T".to_owned()), ".{0,12}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((KEYS, inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_read_without_a_panic(properties in any_json(), other in any_json()) {
        let _ = read(&machine(properties.clone()));
        let _ = restore_points::read_point(&json!({ "id": ID, "properties": properties }));
        let _ = (read(&other), restore_points::read_point(&other));
        let page = json!({ "data": other, "$skipToken": properties }).to_string();
        let _ = graph::Page::read(page.as_bytes(), graph::Row::machine);
    }
}
