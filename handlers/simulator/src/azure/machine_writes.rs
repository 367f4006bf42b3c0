//! What becomes of machines: created, changed, moved, gone, each in its time.
//! It never changes a machine's `vmId`, and takes no call apart.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::call::{Answer, Call, Cause, Failure};
use super::disks::DiskRef;
use super::errors::ArmError;
use super::event_grid::{Outcome, Verb};
use super::ids::{compute_id, key};
use super::machine_body::{self, Facts};
use super::machines::{Machine, MachineSeed, Os, Provisioning};
use super::power::Power;
use super::state::{State, Step};
use super::volume::Kind;

/// A machine that is to be.
pub(crate) struct Wanted<'a> {
    pub(crate) subscription: &'a str,
    pub(crate) group: &'a str,
    pub(crate) name: &'a str,
    pub(crate) given: &'a Value,
    /// Whether an agent will report.
    pub(crate) agent: bool,
    pub(crate) vm_id: Option<String>,
    pub(crate) managed_by: Option<String>,
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
        let mut machine = self.machine_from(&wanted, created, Provisioning::Succeeded);
        if !seed.extensions.is_empty() {
            let mut body = Value::clone(&machine.body);
            body["resources"] = Value::Array(machine_body::extensions(seed));
            machine = machine.with_body(body);
        }
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
    pub(crate) fn put_machine(&mut self, wanted: &Wanted<'_>, call: &Call) -> Result<Answer, ArmError> {
        let key = key(&compute_id(wanted.subscription, wanted.group, "virtualMachines", wanted.name));
        let before = self.machines.get(&key).cloned();
        let location = wanted.given["location"].as_str().unwrap_or_default();
        if let Some(before) = before.as_ref().filter(|before| !before.location.eq_ignore_ascii_case(location)) {
            // *Assumed* (`compute-refusal-words`): code and wording.
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

    pub(crate) fn end_machine_later(
        &mut self,
        call: &Call,
        operation: String,
        machine: String,
        cause: Cause,
        wait: u32,
    ) {
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
    /// *Assumed* (`vm-event-deployment`): that it comes when the deployment is accepted, and that every creation is a deployment's.
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
            size: String::new(),
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
