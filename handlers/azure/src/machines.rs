//! Virtual machines with their instance view (Microsoft.Compute 2025-04-01, `ComputeRP.json`).
//!
//! It never changes one, and never takes an absent instance view for a stopped machine or a dead agent.

use crate::{
    arm::ArmClient,
    error::{Error, ErrorKind},
    id::ResourceId,
    json,
    operations::{COMPUTE, Operation},
};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// Reading a machine.
pub const GET: Operation = Operation {
    action: "Microsoft.Compute/virtualMachines/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/virtualMachines/{vmName}",
    api_version: COMPUTE.0,
    document: COMPUTE.1,
};

/// How many disks of a machine are read; the largest sizes take 64 and the OS disk.
const MAX_DISKS: usize = 256;

/// A machine as Azure describes it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Its id, as Azure writes it.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// Its region, in lower case without spaces.
    pub location: String,
    /// Its identity: another machine under the same name has another one.
    pub vm_id: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The family of its operating system.
    pub os: Option<Os>,
    /// Its size, for example `Standard_D2s_v5`.
    pub size: Option<String>,
    /// For example `Succeeded`, `Creating`, `Deleting`.
    pub provisioning_state: Option<String>,
    /// Whether it runs.
    pub power: PowerState,
    /// Whether its agent answers.
    pub agent: AgentState,
    /// When it was made. Azure does not say it of machines from before it kept this.
    pub time_created: Option<Timestamp>,
    /// What owns it, where something does: a scale set, another service.
    pub managed_by: Option<String>,
    /// The scale set that it is in.
    pub scale_set: Option<ResourceId>,
    /// `TrustedLaunch`, `ConfidentialVM`, or none.
    pub security_type: Option<String>,
    /// The zones that it is pinned to.
    pub zones: Vec<String>,
    /// The OS disk first, then the data disks.
    pub disks: Vec<Disk>,
    /// Changes with each change of the machine.
    pub etag: Option<String>,
}

/// The family of an operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Os {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
}

/// Whether a machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerState {
    /// It runs.
    Running,
    /// It is being started.
    Starting,
    /// It is being stopped.
    Stopping,
    /// Stopped, and still holding its hardware.
    Stopped,
    /// It is giving its hardware back.
    Deallocating,
    /// Stopped, without hardware.
    Deallocated,
    /// Azure does not say, or says something new.
    Unknown,
}

/// Whether the agent inside a machine answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentState {
    /// It reported itself ready.
    Ready,
    /// Azure says that it is not.
    NotReady,
    /// Azure says nothing: no agent, no instance view, or the machine does not run.
    Unknown,
}

/// A disk of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Where it is attached; none for the OS disk.
    pub lun: Option<u32>,
    /// Its name.
    pub name: String,
    /// Its id, if it is a managed disk.
    pub id: Option<ResourceId>,
    /// For example `Premium_LRS`, `UltraSSD_LRS`.
    pub storage: Option<String>,
    /// Write accelerator rules out crash-consistent restore points.
    pub write_accelerator: bool,
    /// An OS disk on the host, which no restore point can hold.
    pub ephemeral: bool,
}

/// One machine with its instance view. A repeat is safe.
pub async fn get(arm: &ArmClient, id: &ResourceId) -> Result<Machine, Error> {
    if !id.is("Microsoft.Compute/virtualMachines") || id.resource_group().is_empty() {
        return Err(Error::because(ErrorKind::Refused, GET.action, "not the id of a machine"));
    }
    let parameters = [id.subscription(), id.resource_group(), id.name()];
    let value = arm.get(&GET, &parameters, &[("$expand", "instanceView")]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, "a machine without id, location or vmId"))
}

/// What a machine's JSON says; none without what identifies it.
pub(crate) fn read(value: &Value) -> Option<Machine> {
    let id: ResourceId = json::text(value, "/id")?.parse().ok()?;
    Some(Machine {
        name: id.name().to_owned(),
        location: json::region(json::text(value, "/location")?),
        vm_id: json::string(value, "/properties/vmId")?,
        tags: json::tags(value),
        os: json::text(value, "/properties/storageProfile/osDisk/osType").and_then(Os::read),
        size: json::string(value, "/properties/hardwareProfile/vmSize"),
        provisioning_state: json::string(value, "/properties/provisioningState"),
        power: power(json::list(value, "/properties/instanceView/statuses")),
        agent: agent(json::list(value, "/properties/instanceView/vmAgent/statuses")),
        time_created: json::time(value, "/properties/timeCreated"),
        managed_by: json::string(value, "/managedBy").filter(|owner| !owner.is_empty()),
        scale_set: json::text(value, "/properties/virtualMachineScaleSet/id").and_then(|id| id.parse().ok()),
        security_type: json::string(value, "/properties/securityProfile/securityType"),
        zones: json::list(value, "/zones").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        disks: disks(value),
        etag: json::string(value, "/etag"),
        id,
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

fn disks(value: &Value) -> Vec<Disk> {
    let os = value.pointer("/properties/storageProfile/osDisk").into_iter();
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
        id: json::text(value, "/managedDisk/id").and_then(|id| id.parse().ok()),
        storage: json::string(value, "/managedDisk/storageAccountType"),
        write_accelerator: value.get("writeAcceleratorEnabled").and_then(Value::as_bool).unwrap_or(false),
        ephemeral: json::text(value, "/diffDiskSettings/option").is_some(),
    }
}

#[cfg(test)]
mod tests;
