//! What a test or the tour does to Site Recovery past HTTP, and what it sees of it.
//! It never fails a machine over: that is asked for through ARM.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::Arm;
use super::super::ids::{group_id, key};
use super::super::machines::Machine;
use super::super::state::State;
use super::item_body;
use super::item_calls::{self, Given};
use super::items::{Pace, Replica, ReplicaDisk};
use super::{VAULTS, above, display, last};

/// A machine to be replicated, and how long it has been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaSeed {
    /// The machine's id.
    pub machine: String,
    /// The vault's id; it should lie in the other region.
    pub vault: String,
    /// The other region.
    pub recovery_location: String,
    /// The group in the other region; made where there is none.
    pub recovery_group: String,
    /// Since when it is protected; since a day ago when left out.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Data disks that are not replicated, by name.
    #[serde(default)]
    pub without_disks: Vec<String>,
    /// The group of machines that fail over together, which somebody put it into.
    #[serde(default)]
    pub multi_vm_group: Option<String>,
}

/// A replicated machine, as it is seen past HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaView {
    /// The item's id.
    pub id: String,
    /// The machine that is, or was, replicated.
    pub machine: String,
    /// The machine that a failover made.
    pub target: Option<String>,
    /// `protectionState`.
    pub state: String,
    /// Its points, newest first.
    pub points: Vec<Timestamp>,
    /// How old the newest is, in seconds, while it is protected.
    pub rpo_seconds: Option<i64>,
    /// Whether something is done with it just now.
    pub busy: bool,
}

impl Arm {
    /// Lets a machine be replicated as if it had been for long: with fabrics, containers mapped both ways and a policy of a day,
    /// all named after the regions, and the networks of both sides, where they are not there. Answers the item's id.
    pub fn add_replica(&self, seed: &ReplicaSeed) -> Result<String, String> {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        if !state.vaults.has(&key(&seed.vault)) {
            return Err(format!("{} is not there", seed.vault));
        }
        let machine = state.machines.get(&key(&seed.machine)).cloned();
        let machine = machine.ok_or_else(|| format!("{} is not there", seed.machine))?;
        let (from, to) = (machine.location.to_ascii_lowercase(), seed.recovery_location.to_ascii_lowercase());
        state.set_up(&seed.vault, (&from, &to));
        state.ensure_network(&item_body::network_of(above(&machine.id(), 4)), &from);
        state.ensure_group(&machine.subscription, &seed.recovery_group, &to, now);
        let item = state.seeded_replica(seed, &machine, (from, to), now)?;
        if let Some(network) = &item.recovery_network {
            state.ensure_network(network, &item.locations.1);
        }
        let id = item.id.clone();
        state.recovery.items.insert(key(&id), item);
        state.replicate(now);
        Ok(id)
    }

    /// Lets the replication of an item stall, or go on; says whether the item is there.
    pub fn stall_replication(&self, item: &str, stalled: bool) -> bool {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        let found = state.recovery.items.get_mut(&key(item));
        found.map(|item| item.stalled = stalled).is_some()
    }

    /// Makes all that was replicated so much older, as if nothing had come since: an outage that has lasted longer than anybody waited.
    pub fn age_replication(&self, by: SignedDuration) {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        state.recovery.items.values_mut().for_each(|item| item.age(by));
    }

    /// All replicated machines.
    pub fn replicas(&self) -> Vec<ReplicaView> {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        let view = |item: &Replica| {
            let body = item.json(&state, now);
            ReplicaView {
                id: item.id.clone(),
                machine: item.machine.clone(),
                target: item.target.clone(),
                state: body["properties"]["protectionState"].as_str().unwrap_or_default().to_owned(),
                points: item.points(state.seed).iter().map(|point| point.at).collect(),
                rpo_seconds: item.rpo_seconds(state.seed, now),
                busy: item.running.is_some(),
            }
        };
        state.recovery.items.values().map(view).collect()
    }
}

impl State {
    fn set_up(&mut self, vault: &str, (from, to): (&str, &str)) {
        let vault = canonical(vault);
        let policy = format!("{vault}/replicationPolicies/a-day");
        let details = json!({
            "instanceType": "A2A", "recoveryPointThresholdInMinutes": 0, "recoveryPointHistory": 1440,
            "appConsistentFrequencyInMinutes": 60, "multiVmSyncStatus": "Enabled", "crashConsistentFrequencyInMinutes": 5,
        });
        self.put_thing(&policy, json!({ "friendlyName": "a-day", "providerSpecificDetails": details }));
        for (own, other) in [(from, to), (to, from)] {
            let (fabric, container) = (fabric_of(&vault, own), container_of(&vault, own));
            let none = json!({ "kekState": "None", "kekCertThumbprint": null });
            self.put_thing(
                &fabric,
                json!({
                    "friendlyName": display(own), "encryptionDetails": none, "rolloverEncryptionDetails": none,
                    "internalIdentifier": super::super::ids::guid_of(self.seed, "fabric", &fabric), "bcdrState": "Valid",
                    "customDetails": { "instanceType": "Azure", "location": own, "containerIds": [], "zones": [] },
                    "healthErrorDetails": [], "health": "Normal",
                }),
            );
            self.put_thing(
                &container,
                json!({
                    "fabricFriendlyName": display(own), "friendlyName": last(&container), "fabricType": "Azure",
                    "protectedItemCount": 0, "pairingStatus": "Paired", "role": "", "fabricSpecificDetails": null,
                }),
            );
            let mapping = format!("{container}/replicationProtectionContainerMappings/to-{other}");
            self.put_thing(&mapping, mapping_of(&vault, (own, other), &policy));
        }
    }

    fn put_thing(&mut self, id: &str, properties: Value) {
        let parts: Vec<&str> = id.split('/').skip(9).step_by(2).collect();
        let kind = format!("{}/{}", super::KIND, parts.join("/"));
        let body = json!({ "id": id, "name": last(id), "type": kind, "properties": properties });
        self.recovery.things.entry(key(id)).or_insert(body);
    }

    fn seeded_replica(
        &self,
        seed: &ReplicaSeed,
        machine: &Machine,
        (from, to): (String, String),
        now: Timestamp,
    ) -> Result<Replica, String> {
        let vault = canonical(&seed.vault);
        let group = group_id(&machine.subscription, &seed.recovery_group);
        let staging = format!("{}/providers/Microsoft.Storage/storageAccounts/cache", above(&machine.id(), 4));
        let is_in = |name: &str| !seed.without_disks.iter().any(|out| out.eq_ignore_ascii_case(name));
        let disks: Vec<ReplicaDisk> = machine
            .disks()
            .filter(|disk| is_in(&disk.name))
            .filter_map(|disk| {
                Some(ReplicaDisk {
                    id: disk.id.clone()?,
                    name: disk.name.clone(),
                    size_gib: disk.size_gib,
                    sku: disk.sku.clone(),
                    is_os: disk.is_os,
                    staging: json!(staging),
                    group: group.clone(),
                    original: None,
                })
            })
            .collect();
        let policy = format!("{vault}/replicationPolicies/a-day");
        let pace: Pace = item_calls::pace(self, &policy).map_err(|refusal| refusal.message)?;
        let mut item = Replica::new(Given {
            id: format!("{}/replicationProtectedItems/{}", container_of(&vault, &from), machine.name),
            fabric: fabric_of(&vault, &from),
            recovery_fabric: fabric_of(&vault, &to),
            recovery_container: container_of(&vault, &to),
            policy,
            pace,
            left_out: item_calls::left_out(machine, &disks),
            disks,
            recovery_network: Some(format!("{group}/providers/Microsoft.Network/virtualNetworks/{to}-vnet")),
            zone: None,
            multi_vm_group: seed.multi_vm_group.clone(),
            recovery_group: group,
            first_locations: (from.clone(), to.clone()),
            locations: (from, to),
            reversed: false,
            machine,
            now,
        });
        let day = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(now);
        item.began = seed.since.unwrap_or(day);
        item.protect(item.began, now);
        Ok(item)
    }
}

/// A vault's id as Site Recovery writes it.
fn canonical(vault: &str) -> String {
    let parts: Vec<&str> = vault.split('/').collect();
    let part = |at: usize| parts.get(at).copied().unwrap_or_default();
    format!("/Subscriptions/{}/resourceGroups/{}/{VAULTS}/{}", part(2), part(4), part(8))
}

fn fabric_of(vault: &str, location: &str) -> String {
    format!("{vault}/replicationFabrics/{location}")
}

fn container_of(vault: &str, location: &str) -> String {
    format!("{}/replicationProtectionContainers/{location}-machines", fabric_of(vault, location))
}

fn mapping_of(vault: &str, (own, other): (&str, &str), policy: &str) -> Value {
    let target = container_of(vault, other);
    json!({
        "targetProtectionContainerId": target,
        "targetProtectionContainerFriendlyName": last(&target),
        "providerSpecificDetails": {
            "instanceType": "A2A", "agentAutoUpdateStatus": "Disabled",
            "automationAccountAuthenticationType": "RunAsAccount", "automationAccountArmId": null,
            "scheduleName": null, "jobScheduleName": null,
        },
        "health": "Normal",
        "healthErrorDetails": [],
        "policyId": policy,
        "state": "Paired",
        "sourceProtectionContainerFriendlyName": last(&container_of(vault, own)),
        "sourceFabricFriendlyName": display(own),
        "targetFabricFriendlyName": display(other),
        "policyFriendlyName": last(policy),
    })
}
