//! What people do to an estate, and what becomes of its machines. Each is written into the history by what the simulator shows
//! afterwards, or here where it shows nothing. It never asks the product for anything but what people ask it: a hold, and a stop.

use jiff::SignedDuration;
use lifeboat_execution::counters::{self, Counter, Kind};
use lifeboat_execution::stop::{BLOB as STOP, Stop};
use lifeboat_planning::id::points_group;
use lifeboat_simulator::azure::{ItemState, LockLevel, MachineSeed};
use lifeboat_tests::azure::MachineView;
use lifeboat_tests::rig::{CONTAINER, GROUP, LOCATION, SUBSCRIPTION};
use serde_json::json;

use crate::model::history::{Hand, Keep, What};

use super::cases::Transition;
use super::play::Play;

/// The name of every lock.
const LOCK: &str = "keep-out";
/// Who closes breakers and lets changes go on.
const PERSON: &str = "00000000-0000-4000-8000-0000000000aa";

impl Play {
    /// Does what the case asks for.
    pub async fn act(&mut self, transition: Transition) {
        match transition {
            Transition::Create => self.create("prod"),
            Transition::Delete => self.delete(|machine| machine.env.as_deref() == Some("prod"), 1),
            Transition::Recreate => self.recreate(),
            Transition::Update => self.update(),
            Transition::IntoScope => self.tag("dev", "prod"),
            Transition::OutOfScope => self.tag("prod", "dev"),
            Transition::AgentOff => self.agents(false),
            Transition::AgentOn => {
                self.agents(false);
                self.agents(true);
            }
            Transition::RetentionChanged => self.change_retention(),
            Transition::PoliciesEmptied => {
                // No documents, or one without a word, are a bundle that cannot be read: the last good one stays in force.
                let nothing = self.dice.below(2) == 0;
                self.rig.write_policies(if nothing { &[] } else { &[("production.yaml", "# nothing\n")] });
                self.record.tell(self.rig.clock.now(), What::PoliciesUnreadable);
            }
            Transition::BundleUnreadable => {
                self.rig.write_policies(&[("production.yaml", "apiVersion: lifeboat/v1\nkind: Nonsense\n")]);
                self.record.tell(self.rig.clock.now(), What::PoliciesUnreadable);
            }
            Transition::BreakerClosed => self.close_breakers(true),
            Transition::Hold => {
                self.hold().await;
                // What is held would go, but for the hold.
                self.tighten();
            }
            Transition::Release => {
                if self.held.is_none() {
                    self.hold().await;
                }
                self.release();
            }
            Transition::Lock => self.lock(true),
            Transition::Unlock => {
                self.lock(true);
                self.rig.run(std::time::Duration::from_secs(60)).await;
                self.lock(false);
            }
            Transition::PointByHand => self.plant(),
            Transition::PointTakenByHand => self.take(),
            Transition::ProtectionStopped => self.stop_protection(),
            Transition::MassDeletion => self.delete(|machine| machine.env.as_deref() != Some("watch"), usize::MAX),
            Transition::Stop => self.stop().await,
        }
        self.record.observe(&self.rig);
    }

    /// What was done to the whole estate is taken back, so that the next stretch begins as usual.
    pub async fn take_back(&mut self, transition: Transition) {
        match transition {
            Transition::PoliciesEmptied | Transition::BundleUnreadable => self.push(),
            Transition::Lock => self.lock(false),
            Transition::Stop => self.resume(),
            Transition::Delete | Transition::MassDeletion => {
                // Somebody needs new ones.
                self.create("prod");
            }
            Transition::OutOfScope => self.tag("dev", "prod"),
            Transition::AgentOff => self.agents(true),
            Transition::RetentionChanged | Transition::BreakerClosed => self.close_breakers(false),
            _ => {}
        }
        self.record.observe(&self.rig);
    }

    /// A new machine.
    pub fn create(&mut self, env: &str) {
        self.create_in(env, SUBSCRIPTION);
    }

    /// A new machine in a subscription.
    pub fn create_in(&mut self, env: &str, subscription: &str) {
        let mut seed = self.machine_seed(env, subscription);
        seed.agent_ready = self.dice.below(5) > 0;
        self.rig.azure.arm.create_machine(&seed).expect("a name that is free");
        if let Some(machine) = self.rig.azure.machine(&seed.name) {
            self.record.disks_of(&machine.vm_id, 1 + u32::try_from(seed.disks.len()).unwrap_or(0));
        }
    }

    fn living(&self, which: impl Fn(&MachineView) -> bool) -> Vec<MachineView> {
        self.rig.azure.machines().into_iter().filter(|machine| machine.state != "Deleting" && which(machine)).collect()
    }

    fn one_of(&mut self, env: &str) -> Option<MachineView> {
        let all = self.living(|machine| machine.env.as_deref() == Some(env));
        let at = self.dice.below(all.len() as u64) as usize;
        all.into_iter().nth(at)
    }

    fn delete(&mut self, which: impl Fn(&MachineView) -> bool, at_most: usize) {
        let all = self.living(which);
        // Most at once, and one stays.
        let count = all.len().saturating_sub(1).min(at_most);
        for machine in &all[..count] {
            let _locked_or_gone = self.rig.azure.arm.delete_machine(&machine.id);
        }
    }

    fn recreate(&mut self) {
        let Some(machine) = self.one_of("prod") else { return };
        let _locked_or_gone = self.rig.azure.arm.delete_machine(&machine.id);
        let subscription = machine.id.split('/').nth(2).unwrap_or_default();
        let seed = MachineSeed::new(subscription, GROUP, &machine.name, LOCATION).tag("env", "prod");
        if self.rig.azure.arm.create_machine(&seed).is_err() {
            // Its name is free once it is gone; then it is made again by the next case.
            self.create("prod");
        }
    }

    /// Somebody writes a machine, and nothing changes for Lifeboat.
    pub fn update(&mut self) {
        let Some(machine) = self.one_of("prod") else { return };
        let tags = json!({ "env": "prod", "round": self.dice.below(1000).to_string() });
        let _gone = self.rig.azure.arm.tag_machine(&machine.id, tags);
    }

    fn tag(&mut self, from: &str, to: &str) {
        let Some(machine) = self.one_of(from) else { return };
        let _gone = self.rig.azure.arm.tag_machine(&machine.id, json!({ "env": to }));
    }

    fn agents(&mut self, ready: bool) {
        for machine in self.living(|machine| machine.env.as_deref() == Some("prod")) {
            self.rig.azure.arm.set_agent(&machine.id, ready);
        }
    }

    fn change_retention(&mut self) {
        if self.dice.below(2) == 0 {
            return self.tighten();
        }
        let loose = super::policies::keep(&mut self.dice);
        self.keep(&loose);
    }

    /// Only the newest point stays.
    pub fn tighten(&mut self) {
        self.keep(&Keep { last: Some(1), ..Keep::default() });
    }

    fn keep(&mut self, keep: &Keep) {
        for entry in self.policies.iter_mut().flat_map(|policy| &mut policy.entries) {
            entry.keep = Some(keep.clone());
        }
        self.push();
    }

    /// A person closes breakers; where none is open and one is asked for, one that opened before is there to be closed.
    pub fn close_breakers(&mut self, must: bool) {
        let now = self.rig.clock.now();
        for policy in self.policies.clone() {
            let blob = counters::blob_name(&policy.name, Kind::Expiry);
            let known = self.rig.blobs.bytes(CONTAINER, &blob);
            let counter: Option<Counter> = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let mut counter = match counter {
                Some(counter) => counter,
                None if must && policy.env == "prod" => Counter::new(&policy.name, Kind::Expiry),
                None => continue,
            };
            let open = counter.breaker.as_ref().is_some_and(counters::BreakerRecord::is_open);
            if open || (must && policy.env == "prod") {
                let opened_at = now - SignedDuration::from_hours(1);
                let before = counter.breaker.take();
                let wanted = before.as_ref().map_or(5, |breaker| breaker.wanted);
                counter.breaker = Some(counters::BreakerRecord {
                    opened_at: before.as_ref().map_or(opened_at, |breaker| breaker.opened_at),
                    wanted,
                    granted: before.as_ref().map_or(0, |breaker| breaker.granted),
                    closed_at: Some(now),
                    closed_by: Some(PERSON.to_owned()),
                });
                self.rig.blobs.put(CONTAINER, &blob, serde_json::to_vec(&counter).expect("JSON"));
                self.record.tell(now, What::BreakerClosed { policy: policy.name });
            }
        }
    }

    async fn hold(&mut self) {
        self.release();
        let Some(point) = self.record.oldest_of("/lb-first-") else { return };
        let body = json!({ "reason": "evidence", "point": point });
        let (status, _) = self.rig.order("/api/hold", &body).await;
        self.held = Some(point.clone());
        if status != 202 {
            // The tag may be there all the same: whoever was not answered takes it back, and orders it anew another day.
            self.take_tag();
        } else {
            self.rig.run(std::time::Duration::from_secs(41)).await;
            let what = What::Held { point: point.to_lowercase(), held: true };
            self.record.tell(self.rig.clock.now(), what);
        }
    }

    /// A person takes the tag away.
    pub fn release(&mut self) {
        if let Some(point) = self.take_tag() {
            self.record.tell(self.rig.clock.now(), What::Held { point: point.to_lowercase(), held: false });
        }
    }

    fn take_tag(&mut self) -> Option<String> {
        let point = self.held.take()?;
        let (collection, name) = point.rsplit_once("/restorePoints/")?;
        let tag = format!("lifeboat-hold-{}", name.to_lowercase());
        self.rig.azure.arm.set_tag(collection, &tag, None);
        Some(point)
    }

    /// A lock on the groups of the points.
    pub fn lock(&mut self, locked: bool) {
        if locked == self.locked {
            return;
        }
        for subscription in &self.subscriptions {
            let scope = format!("/subscriptions/{subscription}/resourceGroups/{}", points_group(LOCATION));
            match locked {
                true => self.rig.azure.arm.add_lock(&scope, LOCK, LockLevel::CanNotDelete),
                false => drop(self.rig.azure.arm.remove_lock(&scope, LOCK)),
            }
        }
        self.locked = locked;
        self.record.observe(&self.rig);
        self.record.lock(locked, self.rig.clock.now());
    }

    fn plant(&mut self) {
        let collections = self.rig.azure.arm.collections();
        let Some(collection) = collections.first() else { return };
        self.made += 1;
        let name = format!("manual-{}", self.made);
        if let Some(point) = self.rig.azure.arm.plant_point(collection, &name) {
            self.record.planted(&point.id, &point.vm_id, self.rig.clock.now());
        }
    }

    fn take(&mut self) {
        self.record.observe(&self.rig);
        let points = self.record.standing();
        let at = self.dice.below(points.len() as u64) as usize;
        let Some(point) = points.into_iter().filter(|seen| !seen.is_set).nth(at) else { return };
        let Some((collection, name)) = point.id.rsplit_once("/restorePoints/") else { return };
        if self.rig.azure.arm.lose_point(collection, name) {
            self.record.taken(&point.id, self.rig.clock.now());
        }
    }

    fn stop_protection(&mut self) {
        let now = self.rig.clock.now();
        let machines = self.rig.azure.machines();
        let items = self.rig.azure.arm.vault_items().into_iter();
        for item in items.filter(|item| item.protection == "Protected" && !item.soft_deleted) {
            let machine = machines.iter().find(|machine| machine.id.eq_ignore_ascii_case(&item.machine));
            let stopped = self.rig.azure.arm.set_item_state(&item.id, ItemState::Stopped, None);
            if let (Ok(()), Some(machine)) = (stopped, machine) {
                let vm_id = machine.vm_id.clone();
                self.record.tell(now, What::ProtectionStopped { vm_id, by: Hand::Person });
            }
        }
    }

    async fn stop(&mut self) {
        let (status, _) = self.rig.order("/api/stop", &json!({ "reason": "disks are moved" })).await;
        if status == 202 {
            self.rig.run(std::time::Duration::from_secs(41)).await;
            self.record.observe(&self.rig);
            self.record.tell(self.rig.clock.now(), What::Stopped { stopped: true });
            self.stopped = true;
        }
    }

    /// A person with a name lets changes go on: by the record, as long as there are no orders for it.
    pub fn resume(&mut self) {
        // A stop whose answer was lost stands all the same.
        let told = std::mem::take(&mut self.stopped);
        let now = self.rig.clock.now();
        let known = self.rig.blobs.bytes(CONTAINER, STOP);
        let stop: Option<Stop> = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if let Some(stop) = stop.filter(|stop| stop.resumed_at.is_none()) {
            let resumed = Stop { resumed_at: Some(now), resumed_by: Some(PERSON.to_owned()), ..stop };
            self.rig.blobs.put(CONTAINER, STOP, serde_json::to_vec(&resumed).expect("JSON"));
        }
        if !told {
            return;
        }
        self.record.tell(now, What::Stopped { stopped: false });
    }
}
