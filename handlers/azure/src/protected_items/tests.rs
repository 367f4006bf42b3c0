//! An item's names, states and times are read as Azure writes them.
//!
//! It never asks Azure.

use super::{ItemName, ItemState, Source, read};
use serde_json::{Value, json};

const ITEM: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;g;m/protectedItems/VM;iaasvmcontainerv2;g;m";

fn item(properties: Value) -> super::ProtectedItem {
    read(&json!({ "id": ITEM, "properties": properties })).unwrap()
}

#[test]
fn an_items_names_are_made_of_group_and_machine_in_lower_case() {
    let machine = "/subscriptions/s/resourceGroups/ZubairRG/providers/Microsoft.Compute/virtualMachines/testPC";
    let name = ItemName::of(&machine.parse().unwrap()).unwrap();
    assert_eq!(name.container, "IaasVMContainer;iaasvmcontainerv2;zubairrg;testpc");
    assert_eq!(name.item, "VM;iaasvmcontainerv2;zubairrg;testpc");
    for (container, is_in) in [
        ("iaasvmcontainerv2;zubairrg;testpc", true),
        ("iaasvmcontainer;iaasvmcontainerv2;ZubairRG;testPC", true),
        ("iaasvmcontainerv2;zubairrg;testpc2", false),
        ("iaasvmcontainer;zubairrg;testpc", false),
        ("", false),
    ] {
        assert_eq!(name.is_in(container), is_in, "{container}");
    }
    for other in ["/subscriptions/s/resourceGroups/g", "/subscriptions/s/resourceGroups/g/providers/a/disks/d"] {
        assert_eq!(ItemName::of(&other.parse().unwrap()), None, "{other}");
    }
}

#[test]
fn an_item_that_was_never_backed_up_has_no_time_of_a_backup() {
    let fresh = item(json!({
        "protectionState": "IRPending", "lastBackupTime": "2001-01-01T00:00:00Z", "lastBackupStatus": "", "policyId": "",
    }));
    assert_eq!((fresh.state, fresh.last_backup, fresh.last_backup_status), (ItemState::IrPending, None, None));
    assert_eq!((fresh.policy, fresh.soft_deleted, fresh.purged_at), (None, false, None));
    let backed_up = item(json!({ "protectionState": "protected", "lastBackupTime": "2024-05-13T10:28:28.8443742Z" }));
    assert_eq!(backed_up.state, ItemState::Protected);
    assert!(backed_up.last_backup.is_some());
}

#[test]
fn a_state_that_is_new_is_kept_as_it_is_written() {
    for (text, state) in [
        ("ProtectionError", ItemState::ProtectionError),
        ("ProtectionStopped", ItemState::ProtectionStopped),
        ("ProtectionPaused", ItemState::ProtectionPaused),
        ("BackupsSuspended", ItemState::BackupsSuspended),
        ("Invalid", ItemState::Invalid),
        ("SomethingNew", ItemState::Other("SomethingNew".to_owned())),
        ("", ItemState::Other(String::new())),
    ] {
        assert_eq!(item(json!({ "protectionState": text })).state, state, "{text}");
    }
}

#[test]
fn a_deleted_item_that_is_kept_says_so_and_until_when() {
    let deleted = item(json!({
        "protectionState": "ProtectionStopped", "isScheduledForDeferredDelete": true,
        "deferredDeleteTimeInUTC": "2026-12-06T02:00:00Z", "deferredDeleteTimeRemaining": "13.23:59:39.9639675",
    }));
    assert!(deleted.soft_deleted);
    assert_eq!(deleted.state, ItemState::ProtectionStopped);
    assert_eq!(deleted.purged_at, Some("2026-12-06T02:00:00Z".parse().unwrap()));
}

#[test]
fn what_an_item_is_of_is_a_machine_or_said_as_it_is_written() {
    let machine = "/subscriptions/s/resourceGroups/g/providers/microsoft.compute/virtualmachines/m";
    let classic = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ClassicCompute/virtualMachines/m";
    for (properties, source) in [
        (json!({ "sourceResourceId": machine }), Some(Source::Machine(machine.parse().unwrap()))),
        (json!({ "virtualMachineId": machine }), Some(Source::Machine(machine.parse().unwrap()))),
        (json!({ "sourceResourceId": classic }), Some(Source::Other(classic.to_owned()))),
        (json!({ "sourceResourceId": "" }), None),
        (json!({}), None),
    ] {
        assert_eq!(item(properties.clone()).source, source, "{properties}");
    }
    assert_eq!(read(&json!({ "properties": {} })), None);
}
