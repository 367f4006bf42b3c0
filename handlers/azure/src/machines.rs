//! Virtual machines with their instance view (Microsoft.Compute 2025-04-01, `ComputeRP.json`).
//!
//! It never makes or deletes one, and never takes an absent instance view for a stopped machine or a dead agent.

use crate::{
    arm::{ArmClient, Call, decode},
    error::{Error, ErrorKind},
    id::ResourceId,
    long_running::{Accepted, Acted},
    operations::{COMPUTE, Harm, Operation},
    retry::Repeat,
    transport::Latest,
};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;

mod reading;

pub(crate) use reading::{listed, read, read_view};

/// Reading a machine.
pub const GET: Operation = Operation {
    action: "Microsoft.Compute/virtualMachines/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/virtualMachines/{vmName}",
    api_version: COMPUTE.0,
    document: COMPUTE.1,
    harm: Harm::Nothing,
    evidence: &["vm-fields", "vm-own", "vm-agent", "vm-agent-absent", "vm-managed-by", "arm-404-gone", "arm-404-group"],
};

/// Listing the machines of a resource group.
pub const LIST_IN_GROUP: Operation = Operation {
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/virtualMachines",
    evidence: &["vm-list", "vm-managed-by", "arm-next-link"],
    ..GET
};

/// Listing the machines of a subscription.
pub const LIST: Operation =
    Operation { path: "/subscriptions/{subscriptionId}/providers/Microsoft.Compute/virtualMachines", ..LIST_IN_GROUP };

/// Reading the instance view of a machine.
pub const INSTANCE_VIEW: Operation = Operation {
    action: "Microsoft.Compute/virtualMachines/instanceView/read",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/virtualMachines/{vmName}/instanceView",
    evidence: &["vm-instance-view", "vm-agent", "vm-agent-absent"],
    ..GET
};

/// Setting the tags of a machine.
pub const SET_TAGS: Operation = Operation {
    action: "Microsoft.Compute/virtualMachines/write",
    method: "PATCH",
    evidence: &["vm-patch", "vm-patch-tags", "vm-etag"],
    ..GET
};

/// Stopping a machine and giving its hardware back.
pub const DEALLOCATE: Operation = Operation {
    action: "Microsoft.Compute/virtualMachines/deallocate/action",
    method: "POST",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/virtualMachines/{vmName}/deallocate",
    harm: Harm::Stops,
    evidence: &["vm-deallocate", "arm-async-body", "arm-async-both"],
    ..GET
};

/// Starting a machine.
pub const START: Operation = Operation {
    action: "Microsoft.Compute/virtualMachines/start/action",
    method: "POST",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/virtualMachines/{vmName}/start",
    evidence: &["vm-start", "vm-act-again", "arm-async-body"],
    ..GET
};

/// Stopping a machine that keeps its hardware.
pub const POWER_OFF: Operation = Operation {
    action: "Microsoft.Compute/virtualMachines/powerOff/action",
    method: "POST",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/virtualMachines/{vmName}/powerOff",
    harm: Harm::Stops,
    evidence: &["vm-power-off", "arm-async-body", "arm-async-both"],
    ..GET
};

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
    /// Its managed identities: `SystemAssigned`, and the names of those that somebody assigned.
    pub identities: Vec<String>,
    /// The names of its extensions.
    pub extensions: Vec<String>,
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

/// What Azure sees of a machine from outside and through its agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceView {
    /// Whether it runs.
    pub power: PowerState,
    /// Whether its agent answers.
    pub agent: AgentState,
    /// The agent's version.
    pub agent_version: Option<String>,
    /// The operating system, by the agent's word.
    pub os_name: Option<String>,
    /// The host's name, by the agent's word.
    pub computer_name: Option<String>,
}

/// One machine with its instance view (`VirtualMachines_Get`). A repeat is safe.
pub async fn get(arm: &ArmClient, id: &ResourceId) -> Result<Machine, Error> {
    let value = arm.get(&GET, &parameters(&GET, id)?, &[("$expand", "instanceView")]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, NO_IDENTITY))
}

/// The machines of a resource group, without their instance views (`VirtualMachines_List`). A repeat is safe.
pub async fn list_in_group(arm: &ArmClient, subscription: &str, group: &str) -> Result<Vec<Machine>, Error> {
    arm.list(&LIST_IN_GROUP, &[subscription, group], &[], listed).await
}

/// The machines of a subscription, without their instance views (`VirtualMachines_ListAll`). A repeat is safe, and costs of
/// a small budget: for a sweep there is Resource Graph.
pub async fn list(arm: &ArmClient, subscription: &str) -> Result<Vec<Machine>, Error> {
    arm.list(&LIST, &[subscription], &[], listed).await
}

/// The instance view of a machine (`VirtualMachines_InstanceView`). A repeat is safe.
pub async fn instance_view(arm: &ArmClient, id: &ResourceId) -> Result<InstanceView, Error> {
    let value = arm.get(&INSTANCE_VIEW, &parameters(&INSTANCE_VIEW, id)?, &[]).await?;
    read_view(&value).ok_or_else(|| Error::malformed(INSTANCE_VIEW.action, "no instance view"))
}

/// Sets the tags of a machine (`VirtualMachines_Update`), under the condition that it is still as it was read. A repeat is
/// safe: it says how the tags shall be. It is undone by setting the tags that were there.
///
/// Give **all** tags that the machine shall have. Whether Azure adds them or puts them in place of all others no source
/// shows: a tag that is left out may stay.
pub async fn set_tags(
    arm: &ArmClient,
    machine: &Machine,
    tags: &BTreeMap<String, String>,
    latest: Latest,
) -> Result<(Machine, Option<Accepted>), Error> {
    let url = arm.url(&SET_TAGS, &parameters(&SET_TAGS, &machine.id)?, &[])?;
    let mut call = Call::change(&SET_TAGS, url, Some(json!({ "tags": tags })), Repeat::Safe, Some(latest));
    call.if_match.clone_from(&machine.etag);
    let answer = arm.send(&call).await?;
    let machine = read(&decode(SET_TAGS.action, &answer)?);
    let machine = machine.ok_or_else(|| Error::malformed(SET_TAGS.action, NO_IDENTITY))?;
    Ok((machine, Accepted::read(&answer, arm.wall_now())))
}

/// Stops a machine and gives its hardware back (`VirtualMachines_Deallocate`). A second order is harmless by what it orders,
/// but what Azure answers to it no source shows: it is repeated here only when the attempt before certainly did nothing.
/// Read the machine's power state before ordering again. It is undone by [`start`], where the hardware is still to be had;
/// its temporary disk is lost.
pub async fn deallocate(arm: &ArmClient, id: &ResourceId, latest: Latest) -> Result<Acted, Error> {
    arm.act(&DEALLOCATE, &parameters(&DEALLOCATE, id)?, &[], Repeat::IfNotDone, latest).await
}

/// Starts a machine (`VirtualMachines_Start`). A repeat is safe: it orders the same state. It is undone by [`deallocate`].
pub async fn start(arm: &ArmClient, id: &ResourceId, latest: Latest) -> Result<Acted, Error> {
    arm.act(&START, &parameters(&START, id)?, &[], Repeat::Safe, latest).await
}

/// Stops a machine that keeps its hardware, and costs (`VirtualMachines_PowerOff`). Repeated like [`deallocate`], and undone
/// by [`start`]. The guest is asked to shut down first.
pub async fn power_off(arm: &ArmClient, id: &ResourceId, latest: Latest) -> Result<Acted, Error> {
    let query = [("skipShutdown", "false")];
    arm.act(&POWER_OFF, &parameters(&POWER_OFF, id)?, &query, Repeat::IfNotDone, latest).await
}

const NO_IDENTITY: &str = "a machine without id, location or vmId";

fn parameters<'a>(operation: &'static Operation, id: &'a ResourceId) -> Result<[&'a str; 3], Error> {
    if !id.is("Microsoft.Compute/virtualMachines") || id.resource_group().is_empty() {
        return Err(Error::because(ErrorKind::Refused, operation.action, "not the id of a machine"));
    }
    Ok([id.subscription(), id.resource_group(), id.name()])
}

#[cfg(test)]
mod tests;
