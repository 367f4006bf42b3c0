//! What ARM does with machines when it is called, and what becomes of them later.
//! It never answers a write before the state says so.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::call::{Answer, Call, Cause, Failure};
use super::disks::{DiskRef, DiskSeed};
use super::errors::{ArmError, invalid_parameter, resource_not_found};
use super::event_grid::{Outcome, Verb};
use super::ids::{compute_id, guid_of, key, stamp};
use super::machines::{Machine, MachineSeed, Os, Provisioning, page, tags_of, with_upper_case_group, within};
use super::state::{State, Step};

/// Size of an OS disk in GiB when none is asked for: that of the recorded image.
const OS_DISK_GIB: u32 = 30;

impl State {
    /// Puts a machine there as if it had always been: no events, nothing to wait for, in Resource Graph at once.
    pub(crate) fn seed_machine(&mut self, seed: &MachineSeed, now: Timestamp) -> String {
        let created = seed.created_at.unwrap_or(now);
        let machine = self.machine_from(seed, created, Provisioning::Succeeded);
        let at = created.checked_add(self.latencies.scaled(self.latencies.machine_create_ms)).unwrap_or(created);
        let agent_at = created.checked_add(self.latencies.scaled(self.latencies.agent_ready_ms)).unwrap_or(created);
        let machine = Machine {
            agent_ready: seed.agent_ready,
            provisioned_at: at.min(now),
            agent_at: agent_at.min(now),
            ..machine
        };
        let id = machine.id();
        // Before the lag, so that an estate with history is listed from the start.
        let long_ago = now.checked_sub(SignedDuration::from_hours(1)).unwrap_or(now);
        self.ensure_group(&seed.subscription, &seed.group, &seed.location, long_ago);
        self.keep_machine(machine, long_ago);
        id
    }

    /// Creates or replaces a machine as `PUT` does.
    pub(crate) fn write_machine(&mut self, seed: &MachineSeed, call: &Call) -> Result<Answer, ArmError> {
        let key = key(&seed.id());
        let before = self.machines.get(&key).cloned();
        if let Some(before) = before.as_ref().filter(|before| !before.location.eq_ignore_ascii_case(&seed.location)) {
            // *Assumed*: code and wording.
            let message = format!(
                "The resource '{}' already exists in location '{}' in resource group '{}'. A resource with the same name \
                 cannot be created in location '{}'. Please select a new resource name.",
                before.name, before.location, before.group, seed.location
            );
            return Err(ArmError::gateway(409, "InvalidResourceLocation", message));
        }
        let cause = call.cause(before.is_some());
        let (machine, wait) = match &before {
            Some(before) => (changed(before, seed), self.latencies.machine_update_ms),
            None => (self.machine_from(seed, call.now, Provisioning::Creating), self.latencies.machine_create_ms),
        };
        if before.is_none() {
            self.raise_deployment(&machine, &cause, call.now);
            if seed.agent_ready {
                let step = Step::AgentReady { machine: key.clone(), vm_id: machine.vm_id.clone() };
                self.after(call.now, self.latencies.agent_ready_ms, step);
            }
        }
        let body = machine.json(false);
        let started = self.start_operation(call, &machine.subscription, &machine.location);
        self.keep_machine(machine, call.now);
        self.end_machine_later(call, started.name.clone(), key, cause, wait);
        Ok(started.status_only(Answer::new(if before.is_some() { 200 } else { 201 }, body)))
    }

    pub(crate) fn machine_done(
        &mut self,
        operation: &str,
        machine: &str,
        cause: &Cause,
        failure: Option<Failure>,
        at: Timestamp,
    ) {
        let outcome = if failure.is_some() { Outcome::Failure } else { Outcome::Success };
        self.operations.end(operation, failure.clone(), at);
        if let Some(found) = self.machines.get(machine).filter(|found| found.provisioning != Provisioning::Deleting) {
            let provisioning = if failure.is_some() { Provisioning::Failed } else { Provisioning::Succeeded };
            let machine = Machine { provisioning, provisioned_at: at, agent_at: at, ..Machine::clone(found) };
            let id = machine.id();
            self.keep_machine(machine, at);
            self.raise(Verb::Write, outcome, &id, cause, at);
        }
    }

    pub(crate) fn agent_reports(&mut self, machine: &str, vm_id: &str, at: Timestamp) {
        if let Some(found) = self.machines.get_mut(machine).filter(|found| found.vm_id == vm_id) {
            let found = Arc::make_mut(found);
            (found.agent_ready, found.agent_at) = (true, at);
        }
    }

    pub(crate) fn machine_gone(&mut self, operation: &str, machine: &str, cause: &Cause, at: Timestamp) {
        self.operations.end(operation, None, at);
        if let Some(found) = self.machines.remove(machine) {
            self.detach_disks(&found, at);
            self.list(&found.id(), None, at);
            self.raise(Verb::Delete, Outcome::Success, &found.id(), cause, at);
        }
    }

    /// Stores a machine, attaches its disks and tells Resource Graph.
    pub(crate) fn keep_machine(&mut self, machine: Machine, now: Timestamp) {
        self.attach_disks(&machine, now);
        let (id, machine) = (machine.id(), Arc::new(machine));
        self.list(&id, Some(machine.clone()), now);
        self.machines.insert(key(&id), machine);
    }

    /// Moves a machine to another group: another id, the same `vmId`. Its disks move with it.
    pub(crate) fn move_machine(&mut self, id: &str, group: &str, now: Timestamp) -> Option<String> {
        let found = self.machines.remove(&key(id))?;
        for mention in std::iter::once(&found.os_disk).chain(&found.data_disks) {
            let disk = compute_id(&found.subscription, &found.group, "disks", &mention.name);
            self.disks.remove(&key(&disk));
            self.list(&disk, None, now);
        }
        self.list(id, None, now);
        let moved = Machine { group: group.to_owned(), ..Machine::clone(&found) };
        self.ensure_group(&moved.subscription, group, &moved.location, now);
        let id = moved.id();
        self.keep_machine(moved, now);
        Some(id)
    }

    fn end_machine_later(&mut self, call: &Call, operation: String, machine: String, cause: Cause, wait: u32) {
        match Self::ordered_failure(call) {
            Some((at, failure)) => {
                self.later(at, Step::MachineDone { operation, machine, cause, failure: Some(failure) });
            }
            None => {
                self.after(call.now, wait, Step::MachineDone { operation, machine, cause, failure: None });
            }
        }
    }

    /// The first of a creation's two events: that of the deployment, with the same correlation id (documented).
    /// *Assumed*: that it comes when the deployment is accepted, and that every creation is a deployment's.
    fn raise_deployment(&mut self, machine: &Machine, cause: &Cause, now: Timestamp) {
        let id = format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Resources/deployments/vm_deploy_{}",
            machine.subscription,
            machine.group,
            &machine.vm_id[..8]
        );
        let cause = Cause { action: "Microsoft.Resources/deployments/write", ..cause.clone() };
        self.raise(Verb::Write, Outcome::Success, &id, &cause, now);
    }

    fn machine_from(&mut self, seed: &MachineSeed, created: Timestamp, provisioning: Provisioning) -> Machine {
        let vm_id = seed.vm_id.clone().unwrap_or_else(|| self.names.guid());
        let suffix = guid_of(self.seed, "os disk", &vm_id).replace('-', "");
        let data = seed.disks.iter().zip(0_u32..);
        Machine {
            subscription: seed.subscription.clone(),
            group: seed.group.clone(),
            name: seed.name.clone(),
            location: seed.location.clone(),
            os: seed.os,
            size: seed.size.clone(),
            tags: seed.tags.clone(),
            os_disk: DiskRef { name: format!("{}_disk1_{suffix}", seed.name), lun: None, size_gib: OS_DISK_GIB },
            data_disks: data
                .map(|(disk, lun)| DiskRef { name: disk.name.clone(), lun: Some(lun), size_gib: disk.size_gib })
                .collect(),
            provisioning,
            provisioned_at: created,
            agent_ready: false,
            agent_at: created,
            managed_by: seed.managed_by.clone(),
            created,
            etag: 1,
            vm_id,
        }
    }
}

/// `GET …/virtualMachines/{name}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    Ok(Answer::new(200, found(state, call)?.json(call.expands("instanceView"))))
}

/// `GET …/virtualMachines/{name}/instanceView`.
pub(crate) fn instance_view(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    Ok(Answer::new(200, found(state, call)?.instance_view()))
}

/// `GET` of all machines of a subscription.
pub(crate) fn list_all(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    list(state, call, None)
}

/// `GET` of a group's machines.
pub(crate) fn list_in_group(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    list(state, call, Some(call.param(1)))
}

/// `PUT …/virtualMachines/{name}`.
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let seed = seed_of(call)?;
    state.write_machine(&seed, call)
}

/// `PATCH …/virtualMachines/{name}`: only tags, which are replaced. *Assumed*: that they are not merged.
pub(crate) fn patch(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let tags = tags_of(call.object()?)?;
    let before = found(state, call)?;
    let machine =
        Machine { tags, provisioning: Provisioning::Updating, etag: before.etag + 1, ..Machine::clone(&before) };
    let body = machine.json(false);
    let started = state.start_operation(call, &machine.subscription, &machine.location);
    let key = key(&machine.id());
    state.keep_machine(machine, call.now);
    let wait = state.latencies.machine_update_ms;
    state.end_machine_later(call, started.name.clone(), key, call.cause(true), wait);
    Ok(started.status_only(Answer::new(200, body)))
}

/// `DELETE …/virtualMachines/{name}`.
pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let Ok(before) = found(state, call) else {
        return Ok(Answer::empty(204));
    };
    let started = state.start_operation(call, &before.subscription, &before.location);
    let machine = Machine { provisioning: Provisioning::Deleting, ..Machine::clone(&before) };
    let key = key(&machine.id());
    state.keep_machine(machine, call.now);
    let step = Step::MachineGone { operation: started.name.clone(), machine: key, cause: call.cause(true) };
    state.after(call.now, state.latencies.machine_delete_ms, step);
    Ok(started.both(Answer::empty(202)))
}

/// The link to the next page of a listing.
pub(crate) fn next_link(call: &Call, after: &str) -> String {
    let version = call.query("api-version").unwrap_or_default();
    format!("{}{}?api-version={version}&$skiptoken={}", call.base, call.path, URL_SAFE_NO_PAD.encode(after))
}

/// Where a page starts: what [`next_link`] wrote.
pub(crate) fn page_start(call: &Call) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(call.query("$skiptoken")?).ok()?).ok()
}

fn list(state: &mut State, call: &Call, group: Option<&str>) -> Result<Answer, ArmError> {
    let all = within(&state.machines, call.param(0), group);
    let start = page_start(call);
    let (machines, next) = page(all, start.as_deref(), state.page_size);
    let with_view = call.expands("instanceView");
    let value: Vec<Value> = machines
        .iter()
        .map(|(_, machine)| match group {
            Some(_) => machine.json(with_view),
            None => with_upper_case_group(machine.json(false), &machine.id(), &machine.group),
        })
        .collect();
    let mut body = json!({ "value": value });
    if let Some(next) = next {
        body["nextLink"] = json!(next_link(call, &next));
    }
    Ok(Answer::new(200, body))
}

fn found(state: &State, call: &Call) -> Result<Arc<Machine>, ArmError> {
    let (subscription, group, name) = (call.param(0), call.param(1), call.param(2));
    let key = key(&compute_id(subscription, group, "virtualMachines", name));
    let missing = || resource_not_found("Microsoft.Compute/virtualMachines", name, group);
    state.machines.get(&key).cloned().ok_or_else(missing)
}

fn changed(before: &Machine, seed: &MachineSeed) -> Machine {
    Machine {
        size: seed.size.clone(),
        tags: seed.tags.clone(),
        provisioning: Provisioning::Updating,
        etag: before.etag + 1,
        ..before.clone()
    }
}

fn seed_of(call: &Call) -> Result<MachineSeed, ArmError> {
    let body = call.object()?;
    let properties = &body["properties"];
    let location = body["location"].as_str().filter(|place| !place.is_empty());
    let missing =
        || ArmError::gateway(400, "LocationRequired", "The location property is required for this definition.");
    let mut seed = MachineSeed::new(call.param(0), call.param(1), call.param(2), location.ok_or_else(missing)?);
    let size = properties["hardwareProfile"]["vmSize"].as_str();
    seed.size = size.ok_or_else(|| invalid_parameter("hardwareProfile", "A size is expected."))?.to_owned();
    let storage = &properties["storageProfile"];
    if !storage["osDisk"].is_object() {
        return Err(invalid_parameter("storageProfile.osDisk", "An object is expected."));
    }
    let windows = storage["osDisk"]["osType"].as_str().is_some_and(|os| os.eq_ignore_ascii_case("windows"))
        || properties["osProfile"]["windowsConfiguration"].is_object()
        || storage["imageReference"]["publisher"].as_str().is_some_and(|name| name.starts_with("MicrosoftWindows"));
    seed.os = if windows { Os::Windows } else { Os::Linux };
    seed.tags = tags_of(body)?;
    let data = storage["dataDisks"].as_array().map_or(&[][..], Vec::as_slice);
    let disk = |(disk, place): (&Value, u32)| DiskSeed {
        name: disk["name"].as_str().map_or_else(|| format!("{}_data{place}", call.param(2)), str::to_owned),
        size_gib: disk["diskSizeGB"].as_u64().and_then(|size| u32::try_from(size).ok()).unwrap_or(1),
    };
    seed.disks = data.iter().zip(0_u32..).map(disk).collect();
    let configuration = if windows { "windowsConfiguration" } else { "linuxConfiguration" };
    seed.agent_ready = properties["osProfile"][configuration]["provisionVMAgent"].as_bool().unwrap_or(true);
    Ok(seed)
}

/// A machine as the control API shows it.
pub(crate) fn shown(machine: &Machine) -> Value {
    json!({
        "id": machine.id(),
        "name": machine.name,
        "group": machine.group,
        "subscription": machine.subscription,
        "location": machine.location,
        "vmId": machine.vm_id,
        "os": machine.os,
        "tags": machine.tags,
        "provisioningState": format!("{:?}", machine.provisioning),
        "agentReady": machine.agent_ready,
        "managedBy": machine.managed_by,
        "timeCreated": stamp(machine.created),
    })
}
