//! Virtual machines: what they are made of, their states, and how ARM writes them.
//! It never says that an agent is ready before the machine exists, and never changes a machine's `vmId`.
//!
//! ```text
//! PUT ──► Creating ──14.5 s──► Succeeded ──PUT, PATCH──► Updating ──► Succeeded
//!              └─ ordered ──► Failed          └─DELETE──► Deleting ──► gone
//! agent:   Not Ready ──26.7 s after PUT──► Ready
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::disks::{DiskRef, DiskSeed};
use super::errors::{ArmError, invalid_parameter};
use super::graph::{Listed, Table};
use super::ids::{compute_id, stamp};

/// Most tags on a resource (documented).
const TAGS: usize = 50;

/// The guest's operating system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Os {
    /// Linux: restore points are file-system-consistent.
    #[default]
    Linux,
    /// Windows: restore points are application-consistent.
    Windows,
}

/// A machine to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MachineSeed {
    /// The subscription's GUID.
    pub subscription: String,
    /// The resource group.
    pub group: String,
    /// The name.
    pub name: String,
    /// The region.
    pub location: String,
    /// The guest's operating system.
    #[serde(default)]
    pub os: Os,
    /// The size.
    #[serde(default = "default_size")]
    pub size: String,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Data disks; the OS disk is there anyway.
    #[serde(default)]
    pub disks: Vec<DiskSeed>,
    /// Whether the guest agent reports, at once when seeded, after its time when created.
    #[serde(default = "yes")]
    pub agent_ready: bool,
    /// The id of what manages the machine, as a scale set.
    #[serde(default)]
    pub managed_by: Option<String>,
    /// When it was created; now when left out. Heeded only when seeded.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// Its identity; made when left out.
    #[serde(default)]
    pub vm_id: Option<String>,
}

/// Where a machine is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provisioning {
    Creating,
    Updating,
    Succeeded,
    Failed,
    Deleting,
}

/// A machine.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) subscription: String,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) vm_id: String,
    pub(crate) os: Os,
    pub(crate) size: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) os_disk: DiskRef,
    pub(crate) data_disks: Vec<DiskRef>,
    pub(crate) provisioning: Provisioning,
    pub(crate) provisioned_at: Timestamp,
    pub(crate) agent_ready: bool,
    /// When the agent's state was last told.
    pub(crate) agent_at: Timestamp,
    pub(crate) managed_by: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) etag: u64,
}

impl MachineSeed {
    /// A small Linux machine with an agent.
    pub fn new(subscription: &str, group: &str, name: &str, location: &str) -> Self {
        Self {
            subscription: subscription.to_owned(),
            group: group.to_owned(),
            name: name.to_owned(),
            location: location.to_owned(),
            os: Os::Linux,
            size: default_size(),
            tags: BTreeMap::new(),
            disks: Vec::new(),
            agent_ready: true,
            managed_by: None,
            created_at: None,
            vm_id: None,
        }
    }

    /// With one more tag.
    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.tags.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The id that ARM gives it.
    pub fn id(&self) -> String {
        compute_id(&self.subscription, &self.group, "virtualMachines", &self.name)
    }
}

impl Provisioning {
    fn word(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Updating => "Updating",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Deleting => "Deleting",
        }
    }
}

impl Machine {
    pub(crate) fn id(&self) -> String {
        compute_id(&self.subscription, &self.group, "virtualMachines", &self.name)
    }

    /// The whole resource; the id's group may be cased otherwise.
    pub(crate) fn json(&self, with_instance_view: bool) -> Value {
        let mut properties = self.properties();
        if with_instance_view {
            properties["instanceView"] = self.instance_view();
        }
        let mut body = json!({
            "name": self.name,
            "id": self.id(),
            "type": "Microsoft.Compute/virtualMachines",
            "location": self.location,
            "properties": properties,
            "etag": format!("\"{}\"", self.etag),
        });
        if !self.tags.is_empty() {
            body["tags"] = json!(self.tags);
        }
        if let Some(manager) = &self.managed_by {
            body["managedBy"] = json!(manager);
        }
        body
    }

    fn properties(&self) -> Value {
        let data: Vec<Value> = self.data_disks.iter().map(|disk| self.disk_json(disk)).collect();
        json!({
            "hardwareProfile": { "vmSize": self.size },
            "provisioningState": self.provisioning.word(),
            "vmId": self.vm_id,
            "storageProfile": {
                "imageReference": self.image(),
                "osDisk": self.disk_json(&self.os_disk),
                "dataDisks": data,
            },
            "osProfile": self.os_profile(),
            "networkProfile": { "networkInterfaces": [{ "id": self.nic() }] },
            "timeCreated": stamp(self.created),
        })
    }

    /// The instance view, with the agent's state as recorded.
    pub(crate) fn instance_view(&self) -> Value {
        let provisioned = stamp(self.provisioned_at);
        let (code, level) = match self.provisioning {
            Provisioning::Failed => ("ProvisioningState/failed", "Error"),
            Provisioning::Succeeded => ("ProvisioningState/succeeded", "Info"),
            Provisioning::Creating => ("ProvisioningState/creating", "Info"),
            Provisioning::Updating => ("ProvisioningState/updating", "Info"),
            Provisioning::Deleting => ("ProvisioningState/deleting", "Info"),
        };
        let done = self.provisioning != Provisioning::Creating;
        let disk = |disk: &DiskRef| {
            json!({
                "name": disk.name,
                "statuses": [{
                    "code": "ProvisioningState/succeeded", "level": "Info",
                    "displayStatus": "Provisioning succeeded", "time": provisioned,
                }],
            })
        };
        let disks: Vec<Value> = std::iter::once(&self.os_disk).chain(&self.data_disks).map(disk).collect();
        let status = match code {
            "ProvisioningState/succeeded" => "Provisioning succeeded",
            "ProvisioningState/failed" => "Provisioning failed",
            _ => self.provisioning.word(),
        };
        let mut statuses = vec![json!({ "code": code, "level": level, "displayStatus": status, "time": provisioned })];
        if done {
            statuses.push(json!({ "code": "PowerState/running", "level": "Info", "displayStatus": "VM running" }));
        }
        let mut view = json!({ "disks": disks, "hyperVGeneration": "V1", "statuses": statuses });
        if done {
            view["vmAgent"] = self.agent();
        }
        if self.agent_ready {
            view["computerName"] = json!(self.name);
            let (system, version) = match self.os {
                Os::Linux => ("ubuntu", "18.04"),
                Os::Windows => ("Windows Server 2022 Datacenter", "10.0.20348"),
            };
            view["osName"] = json!(system);
            view["osVersion"] = json!(version);
        }
        view
    }

    fn agent(&self) -> Value {
        let at = stamp(self.agent_at);
        if !self.agent_ready {
            return json!({
                "vmAgentVersion": "Unknown",
                "statuses": [{
                    "code": "ProvisioningState/Unavailable", "level": "Warning", "displayStatus": "Not Ready",
                    "message": "VM status blob is found but not yet populated.", "time": at,
                }],
            });
        }
        let (version, message) = match self.os {
            Os::Linux => ("2.11.1.12", "Guest Agent is running"),
            Os::Windows => ("2.7.41491.1095", "GuestAgent is running and processing the extensions."),
        };
        let mut agent = json!({
            "vmAgentVersion": version,
            "statuses": [{
                "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready",
                "message": message, "time": at,
            }],
        });
        if self.os == Os::Linux {
            agent["extensionHandlers"] = json!([]);
        }
        agent
    }

    fn image(&self) -> Value {
        let (publisher, offer, sku) = match self.os {
            Os::Linux => ("Canonical", "UbuntuServer", "18.04-LTS"),
            Os::Windows => ("MicrosoftWindowsServer", "WindowsServer", "2022-Datacenter"),
        };
        json!({ "publisher": publisher, "offer": offer, "sku": sku, "version": "latest" })
    }

    pub(crate) fn os_profile(&self) -> Value {
        let mut profile = json!({
            "computerName": self.name,
            "adminUsername": "vmtest",
            "secrets": [],
            "allowExtensionOperations": true,
            "requireGuestProvisionSignal": true,
        });
        let own = json!({ "provisionVMAgent": true, "enableVMAgentPlatformUpdates": true });
        match self.os {
            Os::Linux => profile["linuxConfiguration"] = own,
            Os::Windows => profile["windowsConfiguration"] = own,
        }
        profile
    }

    pub(crate) fn disk_json(&self, disk: &DiskRef) -> Value {
        disk.json(self, self.os)
    }

    fn nic(&self) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/networkInterfaces/{}VMNic",
            self.subscription, self.group, self.name
        )
    }
}

impl Listed for Machine {
    fn table(&self) -> Table {
        Table::Resources
    }

    fn row(&self) -> Value {
        let mut properties = self.properties();
        properties["extended"] = json!({
            "instanceView": {
                "powerState": { "code": "PowerState/running", "displayStatus": "VM running", "level": "Info" },
            },
        });
        json!({
            "id": self.id(),
            "name": self.name,
            "type": "microsoft.compute/virtualmachines",
            "location": self.location,
            "resourceGroup": self.group.to_ascii_lowercase(),
            "subscriptionId": self.subscription,
            "managedBy": self.managed_by.as_deref().unwrap_or(""),
            "tags": self.tags,
            "properties": properties,
        })
    }
}

/// The tags in a body: an object of texts, fifty at most.
pub(crate) fn tags_of(body: &Value) -> Result<BTreeMap<String, String>, ArmError> {
    let Some(tags) = body.get("tags").filter(|tags| !tags.is_null()) else {
        return Ok(BTreeMap::new());
    };
    let entries = tags.as_object().ok_or_else(|| invalid_parameter("tags", "An object of texts is expected."))?;
    if entries.len() > TAGS {
        return Err(invalid_parameter("tags", "A resource has at most 50 tags."));
    }
    let texts = entries.iter().map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    texts.collect::<Option<_>>().ok_or_else(|| invalid_parameter("tags", "An object of texts is expected."))
}

/// A page of `value` and where the next one starts.
pub(crate) fn page<T>(
    all: impl Iterator<Item = (String, T)>,
    after: Option<&str>,
    size: usize,
) -> (Vec<(String, T)>, Option<String>) {
    let mut rest = all.filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
    let taken: Vec<(String, T)> = rest.by_ref().take(size).collect();
    let last = taken.last().map(|(key, _)| key.clone());
    (taken, rest.next().and(last))
}

/// A machine as the listing of a whole subscription writes it: its group upper-cased (recorded for collections,
/// *assumed* for machines).
pub(crate) fn with_upper_case_group(mut body: Value, id: &str, group: &str) -> Value {
    body["id"] = json!(id.replacen(
        &format!("/resourceGroups/{group}/"),
        &format!("/resourceGroups/{}/", group.to_uppercase()),
        1
    ));
    body
}

/// All machines of a map that are in a subscription, and in a group where one is given.
pub(crate) fn within<'a>(
    machines: &'a BTreeMap<String, Arc<Machine>>,
    subscription: &'a str,
    group: Option<&'a str>,
) -> impl Iterator<Item = (String, Arc<Machine>)> + 'a {
    machines
        .iter()
        .filter(move |(_, machine)| {
            machine.subscription.eq_ignore_ascii_case(subscription)
                && group.is_none_or(|group| machine.group.eq_ignore_ascii_case(group))
        })
        .map(|(key, machine)| (key.clone(), machine.clone()))
}

fn default_size() -> String {
    "Standard_DS1_v2".to_owned()
}

fn yes() -> bool {
    true
}
