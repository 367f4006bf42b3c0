//! What a machine's JSON says.
//!
//! It never asks Azure, and never fills in what Azure does not say.

use super::{AgentState, Disk, InstanceView, Machine, Os, PowerState};
use crate::{id::ResourceId, json};
use serde_json::Value;

/// How many disks of a machine are read; the largest sizes take 64 and the OS disk.
const MAX_DISKS: usize = 256;
/// How many identities, and how many extensions, of a machine are read. No source says how many there may be.
const MAX_OWN: usize = 100;
/// How the identity is called that a machine has for itself alone.
const OWN_IDENTITY: &str = "SystemAssigned";

/// What a machine's JSON says; none without what identifies it.
pub(crate) fn read(value: &Value) -> Option<Machine> {
    listed(value).filter(|machine| !machine.vm_id.is_empty())
}

/// What a listing says of a machine. It may lack the machine's identity, which is empty then.
pub(crate) fn listed(value: &Value) -> Option<Machine> {
    let id: ResourceId = json::text(value, "/id")?.parse().ok()?;
    Some(Machine {
        name: id.name().to_owned(),
        location: json::region(json::text(value, "/location")?),
        vm_id: json::string(value, "/properties/vmId").unwrap_or_default(),
        tags: json::tags(value),
        os: json::text(value, "/properties/storageProfile/osDisk/osType").and_then(Os::read),
        size: json::string(value, "/properties/hardwareProfile/vmSize"),
        provisioning_state: json::string(value, "/properties/provisioningState"),
        power: power(json::list(value, "/properties/instanceView/statuses")),
        agent: agent(json::list(value, "/properties/instanceView/vmAgent/statuses")),
        time_created: json::time(value, "/properties/timeCreated"),
        managed_by: json::filled(value, "/managedBy"),
        scale_set: json::id(value, "/properties/virtualMachineScaleSet/id"),
        security_type: json::string(value, "/properties/securityProfile/securityType"),
        zones: json::texts(value, "/zones"),
        disks: disks(value),
        identities: identities(value),
        extensions: extensions(value),
        etag: json::string(value, "/etag"),
        id,
    })
}

/// What an instance view's JSON says; none where it is no object.
pub(crate) fn read_view(value: &Value) -> Option<InstanceView> {
    value.is_object().then(|| InstanceView {
        power: power(json::list(value, "/statuses")),
        agent: agent(json::list(value, "/vmAgent/statuses")),
        agent_version: json::string(value, "/vmAgent/vmAgentVersion"),
        os_name: json::string(value, "/osName"),
        computer_name: json::string(value, "/computerName"),
    })
}

impl Os {
    /// Azure's word, case aside.
    pub(crate) fn read(text: &str) -> Option<Self> {
        match text {
            _ if text.eq_ignore_ascii_case("Linux") => Some(Self::Linux),
            _ if text.eq_ignore_ascii_case("Windows") => Some(Self::Windows),
            _ => None,
        }
    }
}

fn power(statuses: &[Value]) -> PowerState {
    let code = statuses
        .iter()
        .filter_map(|status| json::text(status, "/code"))
        .find_map(|code| code.strip_prefix("PowerState/"));
    match code.map(str::to_ascii_lowercase).as_deref() {
        Some("running") => PowerState::Running,
        Some("starting") => PowerState::Starting,
        Some("stopping") => PowerState::Stopping,
        Some("stopped") => PowerState::Stopped,
        Some("deallocating") => PowerState::Deallocating,
        Some("deallocated") => PowerState::Deallocated,
        _ => PowerState::Unknown,
    }
}

fn agent(statuses: &[Value]) -> AgentState {
    let Some(code) = statuses.first().and_then(|status| json::text(status, "/code")) else {
        return AgentState::Unknown;
    };
    if code.eq_ignore_ascii_case("ProvisioningState/succeeded") { AgentState::Ready } else { AgentState::NotReady }
}

/// The identities: the machine's own, then those that are assigned to it, by the last parts of their ids.
fn identities(value: &Value) -> Vec<String> {
    let kinds = json::text(value, "/identity/type").unwrap_or_default();
    let own = kinds.split(',').any(|kind| kind.trim().eq_ignore_ascii_case(OWN_IDENTITY));
    let given = json::at(value, "/identity/userAssignedIdentities").and_then(Value::as_object);
    let names = given.into_iter().flat_map(|all| all.keys()).map(|id| last(id));
    own.then_some(OWN_IDENTITY.to_owned()).into_iter().chain(names).take(MAX_OWN).collect()
}

/// The extensions that lie under the machine.
fn extensions(value: &Value) -> Vec<String> {
    let names = json::list(value, "/resources").iter().filter_map(|one| json::text(one, "/name"));
    names.map(last).take(MAX_OWN).collect()
}

fn last(id: &str) -> String {
    id.rsplit('/').next().unwrap_or(id).to_owned()
}

fn disks(value: &Value) -> Vec<Disk> {
    let os = json::at(value, "/properties/storageProfile/osDisk").into_iter();
    let data = json::list(value, "/properties/storageProfile/dataDisks").iter();
    os.map(|disk| (None, disk)).chain(data.map(|disk| (Some(lun(disk)), disk))).take(MAX_DISKS).map(disk).collect()
}

fn lun(disk: &Value) -> u32 {
    disk.get("lun").and_then(Value::as_u64).and_then(|lun| u32::try_from(lun).ok()).unwrap_or_default()
}

fn disk((lun, value): (Option<u32>, &Value)) -> Disk {
    Disk {
        lun,
        name: json::string(value, "/name").unwrap_or_default(),
        id: json::id(value, "/managedDisk/id"),
        storage: json::string(value, "/managedDisk/storageAccountType"),
        write_accelerator: value.get("writeAcceleratorEnabled").and_then(Value::as_bool).unwrap_or(false),
        ephemeral: json::text(value, "/diffDiskSettings/option").is_some(),
    }
}
