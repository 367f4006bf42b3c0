//! Managed disks, as machines bring them.
//! It never makes a disk without a machine: no caller needs one yet.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::errors::{ArmError, resource_not_found};
use super::graph::{Listed, Table};
use super::ids::{compute_id, guid_of, key, stamp};
use super::machines::{Machine, Os};
use super::state::State;

/// A data disk to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiskSeed {
    /// The name.
    pub name: String,
    /// The size in GiB.
    pub size_gib: u32,
}

/// A machine's mention of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DiskRef {
    pub(crate) name: String,
    /// Where it is attached; none for the OS disk.
    pub(crate) lun: Option<u32>,
    pub(crate) size_gib: u32,
}

/// A disk.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    pub(crate) subscription: String,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) size_gib: u32,
    pub(crate) os: Option<Os>,
    pub(crate) managed_by: Option<String>,
    pub(crate) unique_id: String,
    pub(crate) created: Timestamp,
}

impl DiskRef {
    /// How a machine writes it.
    pub(crate) fn json(&self, machine: &Machine, os: Os) -> Value {
        let mut body = json!({
            "name": self.name,
            "diskSizeGB": self.size_gib,
            "managedDisk": {
                "storageAccountType": "Premium_LRS",
                "id": compute_id(&machine.subscription, &machine.group, "disks", &self.name),
            },
        });
        match self.lun {
            None => {
                body["osType"] = json!(os);
                body["createOption"] = json!("FromImage");
                body["caching"] = json!("ReadWrite");
                body["deleteOption"] = json!("Detach");
            }
            Some(lun) => {
                body["lun"] = json!(lun);
                body["createOption"] = json!("Attach");
                body["caching"] = json!("None");
                body["deleteOption"] = json!("Detach");
            }
        }
        body
    }
}

impl Disk {
    pub(crate) fn id(&self) -> String {
        compute_id(&self.subscription, &self.group, "disks", &self.name)
    }

    fn properties(&self) -> Value {
        let mut properties = json!({
            "creationData": { "createOption": if self.os.is_some() { "FromImage" } else { "Empty" } },
            "diskSizeGB": self.size_gib,
            "encryption": { "type": "EncryptionAtRestWithPlatformKey" },
            "networkAccessPolicy": "AllowAll",
            "publicNetworkAccess": "Enabled",
            "timeCreated": stamp(self.created),
            "provisioningState": "Succeeded",
            "diskState": if self.managed_by.is_some() { "Attached" } else { "Unattached" },
            "diskSizeBytes": u64::from(self.size_gib) << 30,
            "uniqueId": self.unique_id,
        });
        if let Some(os) = self.os {
            properties["osType"] = json!(os);
        }
        properties
    }

    fn json(&self) -> Value {
        let mut body = json!({
            "name": self.name,
            "id": self.id(),
            "type": "Microsoft.Compute/disks",
            "location": self.location,
            "tags": {},
            "sku": { "name": "Premium_LRS", "tier": "Premium" },
            "properties": self.properties(),
        });
        if let Some(machine) = &self.managed_by {
            body["managedBy"] = json!(machine);
        }
        body
    }
}

impl Listed for Disk {
    fn table(&self) -> Table {
        Table::Resources
    }

    fn row(&self) -> Value {
        json!({
            "id": self.id(),
            "name": self.name,
            "type": "microsoft.compute/disks",
            "location": self.location,
            "resourceGroup": self.group.to_ascii_lowercase(),
            "subscriptionId": self.subscription,
            "managedBy": self.managed_by.as_deref().unwrap_or(""),
            "sku": { "name": "Premium_LRS", "tier": "Premium" },
            "tags": {},
            "properties": self.properties(),
        })
    }
}

impl State {
    /// Makes or reattaches the disks that a machine names.
    pub(crate) fn attach_disks(&mut self, machine: &Machine, now: Timestamp) {
        for mention in std::iter::once(&machine.os_disk).chain(&machine.data_disks) {
            let id = compute_id(&machine.subscription, &machine.group, "disks", &mention.name);
            let found = self.disks.get(&key(&id)).map(|disk| (disk.created, disk.unique_id.clone()));
            let (created, unique_id) = found
                .unwrap_or_else(|| (machine.created, guid_of(self.seed, "disk", &format!("{id} {}", machine.vm_id))));
            let disk = Arc::new(Disk {
                subscription: machine.subscription.clone(),
                group: machine.group.clone(),
                name: mention.name.clone(),
                location: machine.location.clone(),
                size_gib: mention.size_gib,
                os: mention.lun.is_none().then_some(machine.os),
                managed_by: Some(machine.id()),
                unique_id,
                created,
            });
            self.list(&id, Some(disk.clone()), now);
            self.disks.insert(key(&id), disk);
        }
    }

    /// Lets go the disks of a machine that is gone: they stay, since their delete option is `Detach`.
    pub(crate) fn detach_disks(&mut self, machine: &Machine, now: Timestamp) {
        for mention in std::iter::once(&machine.os_disk).chain(&machine.data_disks) {
            let id = compute_id(&machine.subscription, &machine.group, "disks", &mention.name);
            if let Some(disk) = self.disks.get_mut(&key(&id)) {
                Arc::make_mut(disk).managed_by = None;
                let row = disk.clone();
                self.list(&id, Some(row), now);
            }
        }
    }
}

/// `GET …/disks/{name}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let id = compute_id(call.param(0), call.param(1), "disks", call.param(2));
    let missing = || resource_not_found("Microsoft.Compute/disks", call.param(2), call.param(1));
    Ok(Answer::new(200, state.disks.get(&key(&id)).ok_or_else(missing)?.json()))
}
