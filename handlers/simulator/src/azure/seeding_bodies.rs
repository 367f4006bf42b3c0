//! Resources seeded from bodies that `GET` answered: of the real Azure, or of this one.
//! It never raises an event, and never refuses a body for what it holds besides id and type.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Arm;
use super::collections::{About, Collection};
use super::disks::DiskRef;
use super::ids::{ResourceId, group_id, guid_of, key};
use super::machine_body::os_of;
use super::machines::{Machine, Provisioning, tags_of};
use super::point::{Point, PointState};
use super::power::Power;
use super::registry::{Found, find};
use super::state::{State, Step};
use super::volume::{Kind, Phase, Progress, Volume};
use super::volume_calls::size_in;

impl Arm {
    /// Puts a resource there as a `GET` answered it, in place of what is there under its id: a resource group, a virtual
    /// machine with its disks, a disk, a snapshot, a restore point collection, a restore point, a vault, a vault policy, a
    /// protectable or protected item, a recovery point.
    pub fn seed_resource(&self, body: &Value) -> Result<(), String> {
        let now = self.clock.now();
        let id = body["id"].as_str().ok_or("the body has no id")?;
        let subscription = id.split('/').nth(2).ok_or_else(|| format!("{id} names no subscription"))?;
        if !self.state().subscriptions.contains_key(&subscription.to_ascii_lowercase()) {
            self.add_subscription(subscription, subscription);
        }
        let mut state = self.state();
        state.settle(now);
        state.seed_body(id, body, now)
    }

    /// Whether a call of this method and path, its query aside, is answered by a resource type that is modelled.
    pub fn models(&self, method: &str, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or(path);
        matches!(find(method, path), Found::Route(..))
    }
}

impl State {
    fn seed_body(&mut self, id: &str, body: &Value, now: Timestamp) -> Result<(), String> {
        // Before the lag of Resource Graph, so that it is listed from the start.
        let listed = now.checked_sub(SignedDuration::from_hours(1)).unwrap_or(now);
        let location = body["location"].as_str().unwrap_or_default();
        let Some(parsed) = ResourceId::parse(id) else {
            return self.seed_group(id, body, listed);
        };
        self.ensure_group(&parsed.subscription, &parsed.group, location, listed);
        match parsed.kind().to_ascii_lowercase().as_str() {
            "microsoft.compute/virtualmachines" => {
                self.seed_machine_body(&parsed, body, listed);
                self.await_agent(id, body, now);
            }
            "microsoft.compute/disks" => self.seed_volume(Kind::Disk, parsed, body, now, listed),
            "microsoft.compute/snapshots" => self.seed_volume(Kind::Snapshot, parsed, body, now, listed),
            "microsoft.compute/restorepointcollections" => self.seed_collection(&parsed, body, listed)?,
            "microsoft.compute/restorepointcollections/restorepoints" => self.seed_point(&parsed, body, listed)?,
            _ => match self.seed_vault_body(&parsed, body, listed) {
                Some(done) => done?,
                None if self.seed_public_address(&parsed, body).is_some() => {}
                None => self.seed_network(&parsed, body)?,
            },
        }
        Ok(())
    }

    fn seed_group(&mut self, id: &str, body: &Value, now: Timestamp) -> Result<(), String> {
        let mut parts = id.trim_matches('/').split('/').skip(1);
        let (Some(subscription), Some(_), Some(name), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(format!("{id} is not an id of a resource"));
        };
        let location = body["location"].as_str().unwrap_or_default();
        self.ensure_group(subscription, name, location, now);
        if let Some(found) = self.groups.get_mut(&key(&group_id(subscription, name))) {
            let group = Arc::make_mut(found);
            group.tags = tags_of(body).map_err(|refusal| refusal.message)?;
            location.clone_into(&mut group.location);
            let row = found.clone();
            self.list(&group_id(subscription, name), Some(row), now);
        }
        Ok(())
    }

    fn seed_machine_body(&mut self, id: &ResourceId, body: &Value, now: Timestamp) {
        let machine = machine_of(id, body, now);
        if let Some(before) = self.machines.get(&key(&machine.id())).cloned() {
            self.detach_disks(&before, false, |old| machine.disks().any(|new| old.id == new.id), now);
        }
        let ids = machine.disks().filter_map(|disk| disk.id.as_deref().map(key));
        let implied: Vec<String> = ids.filter(|id| !self.disks.contains_key(id)).collect();
        self.keep_machine(machine, now);
        for id in implied {
            if let Some(disk) = self.disks.get_mut(&id) {
                Arc::make_mut(disk).implied = true;
            }
        }
    }

    /// An agent that was not heard of when the body was read reports some time later: the body shows a young machine.
    fn await_agent(&mut self, id: &str, body: &Value, now: Timestamp) {
        let code = &body["properties"]["instanceView"]["vmAgent"]["statuses"][0]["code"];
        let silent = self
            .machines
            .get(&key(id))
            .filter(|machine| !machine.agent_ready && code == "ProvisioningState/Unavailable");
        if let Some(vm_id) = silent.map(|machine| machine.vm_id.clone()) {
            self.after(now, self.latencies.agent_ready_ms, Step::AgentReady { machine: key(id), vm_id });
        }
    }

    fn seed_volume(&mut self, kind: Kind, id: ResourceId, body: &Value, now: Timestamp, listed: Timestamp) {
        let properties = &body["properties"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let created = time(&properties["timeCreated"]).unwrap_or(listed);
        let percent = properties["completionPercent"].as_f64().filter(|percent| *percent < 100.0);
        let crosses = properties["creationData"]["createOption"] == "CopyStart";
        let length = self.latencies.scaled(self.latencies.snapshot_copy_ms);
        let mut kept = body.clone();
        if percent.is_some()
            && let Some(fields) = kept["properties"].as_object_mut()
        {
            fields.remove("completionPercent");
        }
        let unique_id = text(&properties["uniqueId"])
            .unwrap_or_else(|| guid_of(self.seed, "seeded", &format!("{}/{}", id.group, id.name())));
        let volume = Volume {
            kind,
            location: text(&body["location"]).unwrap_or_default(),
            sent: Arc::new(Value::Null),
            body: Arc::new(kept),
            phase: Phase::Succeeded,
            size_gib: size_in(body).unwrap_or(1),
            os: serde_json::from_value(properties["osType"].clone()).ok(),
            unique_id,
            created,
            managed_by: text(&body["managedBy"]),
            reserved: properties["diskState"] == "Reserved",
            open_until: (properties["diskState"] == "ActiveSAS").then_some(Timestamp::MAX),
            progress: percent.map(|_| Progress { began: now, length, crosses, lost: None }),
            implied: false,
            id,
        };
        self.keep_volume(volume, listed);
    }

    fn seed_collection(&mut self, id: &ResourceId, body: &Value, now: Timestamp) -> Result<(), String> {
        let source = body["properties"]["source"]["id"].as_str().ok_or("the collection has no source")?;
        let about = Arc::new(About {
            subscription: id.subscription.clone(),
            group: id.group.clone(),
            name: id.name().to_owned(),
            location: body["location"].as_str().unwrap_or_default().to_owned(),
            tags: tags_of(body).map_err(|refusal| refusal.message)?,
            source: source.to_owned(),
            source_key: key(source),
            collection_id: body["properties"]["restorePointCollectionId"].as_str().unwrap_or_default().to_owned(),
            deleting: false,
        });
        self.list(&about.id(), Some(about.clone()), now);
        let (place, points) = (key(&about.id()), BTreeMap::new());
        let kept = self.collections.entry(place).or_insert_with(|| Collection { about: about.clone(), points });
        kept.about = about;
        for point in body["properties"]["restorePoints"].as_array().into_iter().flatten() {
            let id = point["id"].as_str().and_then(ResourceId::parse).ok_or("a point has no id")?;
            self.seed_point(&id, point, now)?;
        }
        Ok(())
    }

    fn seed_point(&mut self, id: &ResourceId, body: &Value, now: Timestamp) -> Result<(), String> {
        let [(_, collection), (_, name)] = id.path.as_slice() else { return Err("not the id of a point".to_owned()) };
        let collection = super::ids::compute_id(&id.subscription, &id.group, "restorePointCollections", collection);
        let found = self.collections.get(&key(&collection)).ok_or_else(|| format!("{collection} is not there"))?;
        let metadata = &body["properties"]["sourceMetadata"];
        let living = self.machines.get(&found.about.source_key);
        let machine = match living.filter(|machine| metadata["vmId"] == machine.vm_id.as_str()) {
            Some(machine) => machine.clone(),
            None => Arc::new(machine_of_metadata(&found.about.source, metadata, now)?),
        };
        let properties = &body["properties"];
        let state = match properties["provisioningState"].as_str() {
            Some("Creating") => PointState::Creating,
            Some("Failed") => PointState::Failed,
            Some("Deleting") => PointState::Deleting,
            _ => PointState::Succeeded,
        };
        let excluded = properties["excludeDisks"].as_array().map_or(&[][..], Vec::as_slice);
        let created = time(&properties["timeCreated"]).unwrap_or(now);
        let point = Point {
            name: name.clone(),
            crash: properties["consistencyMode"] == "CrashConsistent",
            excluded: excluded.iter().filter_map(|disk| disk["id"].as_str().map(str::to_owned)).collect(),
            machine,
            state,
            created,
            ended: (state != PointState::Creating).then_some(created),
            failure: None,
            given: Some(Arc::new(body.clone())),
        };
        if let Some(found) = self.collections.get_mut(&key(&collection)) {
            found.points.insert(name.to_ascii_lowercase(), point);
        }
        Ok(())
    }
}

/// A machine as a body tells of it. What the body does not say is as usual: it runs, and its agent reports.
pub(crate) fn machine_of(id: &ResourceId, body: &Value, now: Timestamp) -> Machine {
    let properties = &body["properties"];
    let view = &properties["instanceView"];
    let statuses = view["statuses"].as_array().map_or(&[][..], Vec::as_slice);
    let codes = || statuses.iter().filter_map(|status| status["code"].as_str());
    let power = codes().find_map(Power::read).unwrap_or(Power::Running);
    let agent = view["vmAgent"]["statuses"][0]["displayStatus"].as_str();
    let agent_ready = power == Power::Running && agent.is_none_or(|status| status == "Ready");
    let created = time(&properties["timeCreated"]).unwrap_or(now);
    let etag = body["etag"].as_str().and_then(|etag| etag.trim_matches('"').parse().ok());
    let mut kept = body.clone();
    if let Some(fields) = kept["properties"].as_object_mut() {
        fields.remove("instanceView");
    }
    let provisioned = statuses.first().and_then(|status| time(&status["time"])).unwrap_or(created);
    let agent_at = time(&view["vmAgent"]["statuses"][0]["time"]).unwrap_or(created);
    let machine = Machine {
        subscription: id.subscription.clone(),
        group: id.group.clone(),
        name: id.name().to_owned(),
        location: String::new(),
        vm_id: properties["vmId"].as_str().unwrap_or_default().to_owned(),
        os: os_of(body),
        size: String::new(),
        tags: BTreeMap::new(),
        os_disk: DiskRef::of(&Value::Null, true),
        data_disks: Vec::new(),
        body: Arc::new(Value::Null),
        coming: Vec::new(),
        view: view.is_object().then(|| Arc::new(view.clone())),
        view_stands: view.is_object(),
        provisioning: provisioning_of(properties["provisioningState"].as_str()),
        provisioned_at: provisioned,
        power,
        generalized: codes().any(|code| code.eq_ignore_ascii_case("OSState/generalized")),
        agent_ready,
        agent_returns: agent_ready,
        agent_at,
        managed_by: body["managedBy"].as_str().map(str::to_owned),
        created,
        etag: etag.unwrap_or(1),
    };
    machine.with_body(kept)
}

/// A machine that is known by a point of it alone.
fn machine_of_metadata(source: &str, metadata: &Value, now: Timestamp) -> Result<Machine, String> {
    let id = ResourceId::parse(source).ok_or_else(|| format!("{source} is not an id of a machine"))?;
    let body = json!({
        "id": source,
        "name": id.name(),
        "type": "Microsoft.Compute/virtualMachines",
        "location": metadata["location"],
        "properties": {
            "vmId": metadata["vmId"],
            "hardwareProfile": metadata["hardwareProfile"],
            "storageProfile": metadata["storageProfile"],
            "osProfile": metadata["osProfile"],
        },
    });
    Ok(machine_of(&id, &body, now))
}

fn provisioning_of(word: Option<&str>) -> Provisioning {
    let all = [Provisioning::Creating, Provisioning::Updating, Provisioning::Failed, Provisioning::Deleting];
    let named = |state: &Provisioning| word.is_some_and(|word| word.eq_ignore_ascii_case(state.word()));
    all.into_iter().find(named).unwrap_or(Provisioning::Succeeded)
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}
