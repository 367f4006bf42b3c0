//! What ARM does with machines when it is called, and what becomes of them later.
//! It never answers a write before the state says so.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::call::{Answer, Call, Cause, Failure};
use super::denials::Denial;
use super::disks::DiskRef;
use super::errors::{ArmError, invalid_parameter, resource_not_found};
use super::event_grid::{Outcome, Verb};
use super::ids::{compute_id, key, stamp};
use super::machine_body::{self, Facts};
use super::machines::{Machine, MachineSeed, Os, Provisioning, page, tags_of, with_upper_case_group, within};
use super::power::Power;
use super::state::{State, Step};
use super::volume::Kind;

/// A machine that is to be.
struct Wanted<'a> {
    subscription: &'a str,
    group: &'a str,
    name: &'a str,
    given: &'a Value,
    /// Whether an agent will report.
    agent: bool,
    vm_id: Option<String>,
    managed_by: Option<String>,
}

impl State {
    /// Puts a machine there as if it had always been: no events, nothing to wait for, in Resource Graph at once.
    pub(crate) fn seed_machine(&mut self, seed: &MachineSeed, now: Timestamp) -> String {
        let created = seed.created_at.unwrap_or(now);
        let wanted = Wanted {
            subscription: &seed.subscription,
            group: &seed.group,
            name: &seed.name,
            given: &machine_body::of_seed(seed),
            agent: seed.agent_ready,
            vm_id: seed.vm_id.clone(),
            managed_by: seed.managed_by.clone(),
        };
        let machine = self.machine_from(&wanted, created, Provisioning::Succeeded);
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

    /// Creates a machine as a deployment does.
    pub(crate) fn write_machine(&mut self, seed: &MachineSeed, call: &Call) -> Result<Answer, ArmError> {
        let wanted = Wanted {
            subscription: &seed.subscription,
            group: &seed.group,
            name: &seed.name,
            given: &machine_body::of_seed(seed),
            agent: seed.agent_ready,
            vm_id: seed.vm_id.clone(),
            managed_by: seed.managed_by.clone(),
        };
        self.put_machine(&wanted, call)
    }

    /// Creates or replaces a machine as `PUT` does.
    fn put_machine(&mut self, wanted: &Wanted<'_>, call: &Call) -> Result<Answer, ArmError> {
        let key = key(&compute_id(wanted.subscription, wanted.group, "virtualMachines", wanted.name));
        let before = self.machines.get(&key).cloned();
        let location = wanted.given["location"].as_str().unwrap_or_default();
        if let Some(before) = before.as_ref().filter(|before| !before.location.eq_ignore_ascii_case(location)) {
            // *Assumed*: code and wording.
            let message = format!(
                "The resource '{}' already exists in location '{}' in resource group '{}'. A resource with the same name \
                 cannot be created in location '{location}'. Please select a new resource name.",
                before.name, before.location, before.group
            );
            return Err(ArmError::gateway(409, "InvalidResourceLocation", message));
        }
        let cause = call.cause(before.is_some());
        let (machine, wait) = match &before {
            Some(before) => self.updated(before, wanted.given, call.now),
            None => (self.machine_from(wanted, call.now, Provisioning::Creating), self.latencies.machine_create_ms),
        };
        if before.is_none() {
            self.raise_deployment(&machine, &cause, call.now);
            if wanted.agent {
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

    /// A machine as a `PUT` changes it, and how long that takes: longer when disks come (recorded).
    fn updated(&mut self, before: &Arc<Machine>, given: &Value, now: Timestamp) -> (Machine, u32) {
        let mut body = machine_body::merged(&before.body, given);
        if given.get("tags").is_none()
            && let Some(fields) = body.as_object_mut()
        {
            // *Assumed* (`vm-put-tags`): tags that a `PUT` leaves out are gone.
            fields.remove("tags");
        }
        if let Some(data) = body["properties"]["storageProfile"]["dataDisks"].as_array_mut() {
            data.retain(|disk| disk["toBeDetached"] != true);
        }
        let facts = Facts {
            seed: self.seed,
            subscription: &before.subscription,
            group: &before.group,
            name: &before.name,
            vm_id: &before.vm_id,
            created: before.created,
        };
        machine_body::complete(&mut body, &facts);
        let machine = Machine {
            provisioning: Provisioning::Updating,
            etag: before.etag + 1,
            view_stands: false,
            ..Machine::clone(before)
        }
        .with_body(body);
        let there = |disk: &&DiskRef| before.disks().any(|old| disk.id.as_ref().is_some_and(|id| old.is(id)));
        let known = |disk: &&DiskRef| disk.id.as_ref().is_some_and(|id| self.disks.contains_key(&key(id)));
        let fresh = machine.disks().filter(|disk| !there(disk) && !known(disk));
        let coming: Vec<String> = fresh.filter_map(|disk| disk.id.as_ref().map(|id| key(id))).collect();
        self.detach_disks(before, false, |old| machine.disks().any(|new| old.id.is_none() || old.id == new.id), now);
        let some = !coming.is_empty() || machine.disks().count() != before.disks().count();
        let wait = if some { self.latencies.machine_attach_ms } else { self.latencies.machine_update_ms };
        (Machine { coming, ..machine }, wait)
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
            let machine =
                Machine { provisioning, provisioned_at: at, agent_at: at, coming: Vec::new(), ..Machine::clone(found) };
            let id = machine.id();
            self.keep_machine(machine, at);
            self.raise(Verb::Write, outcome, &id, cause, at);
        }
    }

    pub(crate) fn agent_reports(&mut self, machine: &str, vm_id: &str, at: Timestamp) {
        let runs = |found: &&mut Arc<Machine>| found.vm_id == vm_id && found.power == Power::Running;
        if let Some(found) = self.machines.get_mut(machine).filter(runs) {
            let found = Arc::make_mut(found);
            (found.agent_ready, found.agent_at, found.view_stands) = (true, at, false);
        }
    }

    pub(crate) fn machine_gone(&mut self, operation: &str, machine: &str, cause: &Cause, at: Timestamp) {
        self.operations.end(operation, None, at);
        if let Some(found) = self.machines.remove(machine) {
            self.detach_disks(&found, true, |_| false, at);
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
        let mut body = Value::clone(&found.body);
        for disk in found.disks().filter_map(|disk| disk.id.as_ref()) {
            self.drop_volume(Kind::Disk, &key(disk), now);
        }
        let storage = &mut body["properties"]["storageProfile"];
        let moved_disk = |disk: &mut Value| {
            let name = disk["name"].as_str().unwrap_or_default().to_owned();
            if disk["managedDisk"]["id"].is_string() {
                disk["managedDisk"]["id"] = json!(compute_id(&found.subscription, group, "disks", &name));
            }
        };
        moved_disk(&mut storage["osDisk"]);
        storage["dataDisks"].as_array_mut().into_iter().flatten().for_each(moved_disk);
        self.list(id, None, now);
        body["id"] = json!(compute_id(&found.subscription, group, "virtualMachines", &found.name));
        let moved = Machine { group: group.to_owned(), ..Machine::clone(&found) }.with_body(body);
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

    fn machine_from(&mut self, wanted: &Wanted<'_>, created: Timestamp, provisioning: Provisioning) -> Machine {
        let vm_id = wanted.vm_id.clone().unwrap_or_else(|| self.names.guid());
        let facts = Facts {
            seed: self.seed,
            subscription: wanted.subscription,
            group: wanted.group,
            name: wanted.name,
            vm_id: &vm_id,
            created,
        };
        let mut body = machine_body::merged(&json!({ "properties": {} }), wanted.given);
        machine_body::complete(&mut body, &facts);
        body["etag"] = json!("\"1\"");
        let bare = Machine {
            subscription: wanted.subscription.to_owned(),
            group: wanted.group.to_owned(),
            name: wanted.name.to_owned(),
            location: String::new(),
            os: Os::Linux,
            tags: Default::default(),
            os_disk: DiskRef::of(&Value::Null, true),
            data_disks: Vec::new(),
            body: Arc::new(Value::Null),
            coming: Vec::new(),
            view: None,
            view_stands: false,
            provisioning,
            provisioned_at: created,
            power: Power::Running,
            generalized: false,
            agent_ready: false,
            agent_returns: wanted.agent,
            agent_at: created,
            managed_by: wanted.managed_by.clone(),
            created,
            etag: 1,
            vm_id,
        };
        bare.with_body(body)
    }
}

/// `GET …/virtualMachines/{name}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let (found, with_view) = (found(state, call)?, call.expands("instanceView"));
    let answer = Answer::new(200, found.json(with_view));
    // The header is not sent with an instance view (recorded).
    Ok(match found.etag_header().filter(|_| !with_view) {
        Some(etag) => answer.with_header("etag", etag),
        None => answer,
    })
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
    let given = call.object()?;
    super::volume_calls::location_in(given)?;
    tags_of(given)?;
    let properties = &given["properties"];
    let before = found(state, call).ok();
    if !properties["hardwareProfile"]["vmSize"].is_string() {
        return Err(invalid_parameter("hardwareProfile", "A size is expected."));
    }
    if !properties["storageProfile"]["osDisk"].is_object() {
        return Err(invalid_parameter("storageProfile.osDisk", "An object is expected."));
    }
    let given = with_sources(state, given, before.as_deref())?;
    let own = |part: &str| properties["osProfile"][part]["provisionVMAgent"].as_bool();
    let agent = own("windowsConfiguration").or_else(|| own("linuxConfiguration")).unwrap_or(true);
    let wanted = Wanted {
        subscription: call.param(0),
        group: call.param(1),
        name: call.param(2),
        given: &given,
        agent,
        vm_id: None,
        managed_by: None,
    };
    state.put_machine(&wanted, call)
}

/// The body with the sizes of disks that are attached or copied; such a disk must be there, and nobody else's.
fn with_sources(state: &State, given: &Value, before: Option<&Machine>) -> Result<Value, ArmError> {
    let mut given = given.clone();
    let owner = before.map(|machine| key(&machine.id()));
    let storage = &mut given["properties"]["storageProfile"];
    let check = |disk: &mut Value| -> Result<(), ArmError> {
        let option = disk["createOption"].as_str().unwrap_or_default().to_ascii_lowercase();
        let text = match option.as_str() {
            "attach" => disk["managedDisk"]["id"].as_str(),
            "copy" | "restore" => disk["sourceResource"]["id"].as_str(),
            _ => None,
        };
        let Some(text) = text.map(str::to_owned) else { return Ok(()) };
        let missing = || Denial::SourceElsewhere.error(text.rsplit('/').next().unwrap_or_default());
        let size = if option == "restore" {
            state.disk_point(&text).ok_or_else(missing)?.1.size_gib
        } else {
            let found = state.disks.get(&key(&text)).or_else(|| state.snapshots.get(&key(&text)));
            let found = found.ok_or_else(missing)?;
            let taken = found.managed_by.as_ref().is_some_and(|other| Some(key(other)) != owner);
            if option == "attach" && taken {
                return Err(Denial::AttachedElsewhere.error(found.name()));
            }
            found.size_gib
        };
        if disk["diskSizeGB"].is_null() {
            disk["diskSizeGB"] = json!(size);
        }
        Ok(())
    };
    if storage["osDisk"].is_object() {
        check(&mut storage["osDisk"])?;
    }
    storage["dataDisks"].as_array_mut().into_iter().flatten().try_for_each(check)?;
    Ok(given)
}

/// `PATCH …/virtualMachines/{name}`: tags are replaced, properties merged. *Assumed* (`vm-patch`): both.
pub(crate) fn patch(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let given = call.object()?;
    let tags = tags_of(given)?;
    let before = found(state, call)?;
    let mut body = machine_body::merged(&before.body, given);
    if given.get("tags").is_some() {
        body["tags"] = json!(tags);
    }
    let machine = Machine {
        provisioning: Provisioning::Updating,
        etag: before.etag + 1,
        view_stands: false,
        ..Machine::clone(&before)
    }
    .with_body(body);
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

/// The machine that a call is about.
pub(crate) fn found(state: &State, call: &Call) -> Result<Arc<Machine>, ArmError> {
    let (subscription, group, name) = (call.param(0), call.param(1), call.param(2));
    let key = key(&compute_id(subscription, group, "virtualMachines", name));
    let missing = || resource_not_found("Microsoft.Compute/virtualMachines", name, group);
    state.machines.get(&key).cloned().ok_or_else(missing)
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
