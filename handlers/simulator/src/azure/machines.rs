//! Virtual machines: what they are made of, their states, and how ARM writes them.
//! It never says that an agent is ready before the machine exists, and never changes a machine's `vmId`.
//!
//! ```text
//! PUT ──► Creating ──14.5 s──► Succeeded ──PUT, PATCH──► Updating ──► Succeeded
//!              └─ ordered ──► Failed          └─DELETE──► Deleting ──► gone
//! agent:   Not Ready ──26.7 s after PUT──► Ready
//! power:   see `power`
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::disks::{DiskRef, DiskSeed};
use super::errors::{ArmError, invalid_parameter};
use super::graph::{Listed, Table};
use super::ids::{compute_id, key};
use super::machine_body::os_of;
use super::power::Power;

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
    /// Names of the managed identities that are assigned to it, each of its own group.
    #[serde(default)]
    pub identities: Vec<String>,
    /// Names of its extensions. Heeded only when seeded.
    #[serde(default)]
    pub extensions: Vec<String>,
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

/// A machine. What was written stands in its body; beside it stand the states, and what others ask often.
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
    /// The whole resource, but for its states and its instance view.
    pub(crate) body: Arc<Value>,
    /// Ids of disks that an update brought and that are not there yet.
    pub(crate) coming: Vec<String>,
    /// The instance view that it was seeded with.
    pub(crate) view: Option<Arc<Value>>,
    /// Whether that view tells the states of now.
    pub(crate) view_stands: bool,
    pub(crate) provisioning: Provisioning,
    pub(crate) provisioned_at: Timestamp,
    pub(crate) power: Power,
    pub(crate) generalized: bool,
    pub(crate) agent_ready: bool,
    /// Whether an agent will report when the machine runs again.
    pub(crate) agent_returns: bool,
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
            identities: Vec::new(),
            extensions: Vec::new(),
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
    pub(crate) fn word(self) -> &'static str {
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

    /// Takes a new body, and what stands in it.
    pub(crate) fn with_body(self, body: Value) -> Self {
        let storage = &body["properties"]["storageProfile"];
        let data = storage["dataDisks"].as_array().map_or(&[][..], Vec::as_slice);
        Self {
            location: body["location"].as_str().unwrap_or(&self.location).to_owned(),
            os: os_of(&body),
            size: body["properties"]["hardwareProfile"]["vmSize"].as_str().unwrap_or_default().to_owned(),
            os_disk: DiskRef::of(&storage["osDisk"], true),
            data_disks: data.iter().map(|disk| DiskRef::of(disk, false)).collect(),
            tags: tags_of(&body).unwrap_or_default(),
            body: Arc::new(body),
            ..self
        }
    }

    /// The whole resource; the id's group may be cased otherwise.
    pub(crate) fn json(&self, with_instance_view: bool) -> Value {
        let mut body = Value::clone(&self.body);
        self.lay_states_over(&mut body["properties"]);
        if with_instance_view {
            body["properties"]["instanceView"] = self.instance_view();
        }
        if body["etag"].is_string() {
            body["etag"] = json!(self.etag_text());
        }
        if let Some(manager) = &self.managed_by {
            body["managedBy"] = json!(manager);
        }
        body
    }

    /// The entity tag, where the machine has one.
    pub(crate) fn etag_header(&self) -> Option<String> {
        self.body["etag"].is_string().then(|| self.etag_text())
    }

    fn etag_text(&self) -> String {
        format!("\"{}\"", self.etag)
    }

    fn lay_states_over(&self, properties: &mut Value) {
        properties["provisioningState"] = json!(self.provisioning.word());
        if let Some(storage) = properties.get_mut("storageProfile").and_then(Value::as_object_mut) {
            storage.get_mut("osDisk").into_iter().for_each(|disk| self.as_now(disk));
            let data = storage.get_mut("dataDisks").and_then(Value::as_array_mut);
            data.into_iter().flatten().for_each(|disk| self.as_now(disk));
        }
    }

    /// A disk as it is told now: without its id while it is still coming, without size and account type while the
    /// machine is deallocated (both recorded).
    fn as_now(&self, disk: &mut Value) {
        let Some(managed) = disk.get_mut("managedDisk").and_then(Value::as_object_mut) else { return };
        let id = managed.get("id").and_then(Value::as_str).map(key);
        if id.is_some_and(|id| self.coming.contains(&id)) {
            managed.remove("id");
        } else if self.power == Power::Deallocated {
            managed.remove("storageAccountType");
            disk.as_object_mut().and_then(|fields| fields.remove("diskSizeGB"));
        }
    }
}

impl Listed for Machine {
    fn table(&self) -> Table {
        Table::Resources
    }

    fn row(&self) -> Value {
        let mut properties = self.body["properties"].clone();
        self.lay_states_over(&mut properties);
        properties["extended"] = json!({ "instanceView": { "powerState": self.power_status() } });
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
/// *assumed* for machines, `vm-list-casing`).
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
