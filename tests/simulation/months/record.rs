//! The history of a seed as the reference model is told it: from what the simulator holds, from the calls that reached it, and from
//! what the simulation itself did. It never asks the product what it did.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use lifeboat_planning::id::machine_source;
use lifeboat_simulator::host::Outcome;
use lifeboat_tests::Rig;
use lifeboat_tests::azure::{Azure, MachineView};
use serde_json::Value;

use crate::model::history::{Event, Hand, Slot, Time, What};

/// What has been seen so far.
#[derive(Default)]
pub struct Record {
    /// What was, not in order yet.
    events: Vec<Event>,
    /// The next call to be read.
    pub(super) cursor: usize,
    /// Machines that are there, by `vmId`.
    pub(super) machines: BTreeMap<String, Machine>,
    /// The `vmId`s of all that ever were, by the hash that snapshots say, with how many disks they have.
    hashes: BTreeMap<String, (String, u32)>,
    /// The ids that machines ever had.
    ids: BTreeSet<String>,
    /// Points, by their ids in lower case; a set by the id of its first snapshot.
    points: BTreeMap<String, Seen>,
    /// Of which set a snapshot is.
    sets: BTreeMap<(String, String, Slot), Set>,
    /// Deletions that were sent and not answered.
    pub(super) unanswered: Vec<(String, Timestamp)>,
    vault_points: BTreeSet<String>,
    /// A lock stands over all points.
    locked: bool,
    /// Points that failed.
    pub failed: usize,
    /// Calls that came to no good: not answered, or refused otherwise than as absent, there already or changed.
    pub wrong: usize,
    /// Writes that reached Azure.
    pub writes: usize,
    /// Those that are no deletions: what a limit held up goes when its hour comes, and disturbs no quiet.
    pub changes: usize,
    /// Points deleted by Lifeboat.
    pub deleted: usize,
    /// Points made by Lifeboat, to their end.
    pub made: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Machine {
    /// Its name.
    pub(super) name: String,
    env: String,
    agent: bool,
}

/// A point.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its id, as Azure writes it.
    pub id: String,
    /// `Creating`, `Succeeded` or `Failed`.
    pub state: String,
    /// It is gone.
    pub gone: bool,
    /// Lifeboat made it.
    pub ours: bool,
    /// A snapshot.
    pub is_set: bool,
    /// When it was begun.
    begun: Timestamp,
}

#[derive(Clone, Debug, Default)]
struct Set {
    first: String,
    succeeded: BTreeSet<String>,
    there: BTreeSet<String>,
}

impl Record {
    /// Writes something down.
    pub fn tell(&mut self, at: Timestamp, what: What) {
        self.events.push(Event { at: at.as_second(), what });
    }

    /// A point that was there before.
    pub fn past(&mut self, now: Timestamp, id: &str, vm_id: &str, entry: &str, slot: Timestamp) {
        let (point, vm_id) = (id.to_lowercase(), vm_id.to_owned());
        self.points.insert(
            point.clone(),
            Seen {
                id: id.to_owned(),
                state: "Succeeded".to_owned(),
                gone: false,
                ours: true,
                is_set: false,
                begun: slot,
            },
        );
        let made = slot.as_second();
        let what = What::Past { point, vm_id, entry: entry.to_owned(), slot: Slot::At(made), created: made };
        self.tell(now, what);
    }

    /// A machine of the simulation's own making, with so many disks.
    pub fn disks_of(&mut self, vm_id: &str, disks: u32) {
        self.hashes.insert(machine_source(vm_id), (vm_id.to_owned(), disks));
    }

    /// Points that are there and ended well, by their ids.
    pub fn standing(&self) -> Vec<Seen> {
        self.points.values().filter(|seen| !seen.gone && seen.state == "Succeeded").cloned().collect()
    }

    /// The oldest point that is there and ended well, of those whose id has this in it.
    pub fn oldest_of(&self, part: &str) -> Option<String> {
        let named =
            self.points.values().filter(|seen| seen.ours && !seen.gone && !seen.is_set && seen.id.contains(part));
        named.filter(|seen| seen.state == "Succeeded").min_by_key(|seen| seen.begun).map(|seen| seen.id.clone())
    }

    /// A point that people put there is no point of Lifeboat's.
    pub fn planted(&mut self, id: &str, vm_id: &str, at: Timestamp) {
        let point = id.to_lowercase();
        let begun = What::Begun {
            point: point.clone(),
            vm_id: vm_id.to_owned(),
            by: Hand::Person,
            ours: false,
            entry: String::new(),
            slot: Slot::OnCreate,
            attempt: 0,
        };
        self.tell(at, begun);
        self.tell(at, What::Succeeded { point: point.clone(), crash: false });
        let id = id.to_owned();
        let seen = Seen { id, state: "Succeeded".to_owned(), gone: false, ours: false, is_set: false, begun: at };
        self.points.insert(point, seen);
    }

    /// People took a point away.
    pub fn taken(&mut self, id: &str, at: Timestamp) {
        let point = id.to_lowercase();
        self.tell(at, What::DeleteSent { point: point.clone(), by: Hand::Person, accepted: true });
        if let Some(seen) = self.points.get_mut(&point) {
            seen.gone = true;
        }
        self.tell(at, What::PointGone { point });
    }

    /// A lock stands over all points, or no longer.
    pub fn lock(&mut self, locked: bool, at: Timestamp) {
        self.locked = locked;
        for point in self.points.iter().filter(|(_, seen)| !seen.gone).map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.tell(at, What::Locked { point, locked });
        }
    }

    /// Looks at everything.
    pub fn observe(&mut self, rig: &Rig) {
        let now = rig.clock.now();
        self.see_machines(rig, now);
        self.see_calls(rig, now);
        self.see_points(rig, now);
        self.see_snapshots(rig, now);
        self.see_vaults(rig);
    }

    /// The whole, in order.
    pub fn finish(mut self, rig: &Rig) -> Vec<Event> {
        for one in rig.invocations() {
            let expiry = one.function == "ExpirySweep";
            if one.outcome == Some(Outcome::Succeeded) && (expiry || one.function == "PolicySweep") {
                let at = one.began.checked_add(one.duration).expect("a time");
                self.tell(at, What::Swept { expiry });
            }
        }
        self.events.sort_by_key(|event| event.at);
        self.events
    }

    fn see_machines(&mut self, rig: &Rig, now: Timestamp) {
        let there = rig.azure.machines();
        for machine in &there {
            let env = machine.env.clone().unwrap_or_default();
            match self.machines.get_mut(&machine.vm_id) {
                None => {
                    let known = Machine { name: machine.name.clone(), env: env.clone(), agent: machine.agent_ready };
                    self.machines.insert(machine.vm_id.clone(), known);
                    self.ids.insert(machine.id.clone());
                    let what = self.told(machine);
                    self.tell(machine.created.max(rig.epoch), what);
                }
                Some(known) if known.agent != machine.agent_ready && known.env == env => {
                    known.agent = machine.agent_ready;
                    let what = self.told(machine);
                    self.tell(now, what);
                }
                Some(known) if known.env != env => {
                    known.env.clone_from(&env);
                    self.tell(now, What::Tagged { vm_id: machine.vm_id.clone(), env });
                }
                Some(_) => {}
            }
        }
        let there: BTreeSet<&String> = there.iter().map(|machine| &machine.vm_id).collect();
        let left: Vec<String> = self.machines.keys().filter(|vm_id| !there.contains(vm_id)).cloned().collect();
        for vm_id in left {
            self.machines.remove(&vm_id);
            self.tell(now, What::MachineGone { vm_id });
        }
    }

    fn told(&mut self, machine: &MachineView) -> What {
        let entry = (machine.vm_id.clone(), 1);
        let disks = self.hashes.entry(machine_source(&machine.vm_id)).or_insert(entry).1;
        What::Machine {
            vm_id: machine.vm_id.clone(),
            name: machine.name.clone(),
            subscription: machine.id.split('/').nth(2).unwrap_or_default().to_owned(),
            env: machine.env.clone().unwrap_or_default(),
            created: machine.created.as_second(),
            disks,
            agent: machine.agent_ready,
        }
    }

    fn see_points(&mut self, rig: &Rig, now: Timestamp) {
        let (mut there, mut points) = (BTreeSet::new(), rig.azure.arm.points());
        for machine in self.ids.clone() {
            for point in points.remove(&machine.to_ascii_lowercase()).unwrap_or_default() {
                let id = point.id.to_lowercase();
                there.insert(id.clone());
                // One that is gone may be begun again, under its name.
                if self.points.get(&id).is_none_or(|seen| seen.gone) {
                    self.begun(&id, &point.id, &point.vm_id, point.time_created, &point.name);
                }
                let crash = point.consistency.as_deref().is_some_and(|text| text.contains("Crash"));
                let ended = point.ended.unwrap_or(now);
                self.ended(&id, &point.state, crash, ended);
            }
        }
        self.vanished(|id, seen| !seen.is_set && !there.contains(id), now);
    }

    fn begun(&mut self, point: &str, id: &str, vm_id: &str, at: Timestamp, name: &str) {
        let parts: Vec<&str> = name.split('-').collect();
        let [_, entry, slot, attempt, ..] = parts[..] else { return };
        let what = What::Begun {
            point: point.to_owned(),
            vm_id: vm_id.to_owned(),
            by: Hand::Lifeboat,
            ours: true,
            entry: entry.to_owned(),
            slot: slot_of(slot),
            attempt: attempt.parse().unwrap_or(0),
        };
        self.tell(at, what);
        if self.locked {
            self.tell(at, What::Locked { point: point.to_owned(), locked: true });
        }
        let (id, state) = (id.to_owned(), "Creating".to_owned());
        let is_set = id.to_lowercase().contains("/snapshots/");
        self.points.insert(point.to_owned(), Seen { id, state, gone: false, ours: true, is_set, begun: at });
    }

    fn ended(&mut self, point: &str, state: &str, crash: bool, at: Timestamp) {
        let Some(seen) = self.points.get_mut(point).filter(|seen| seen.state == "Creating") else { return };
        // What says no time of its own yet was begun when it was seen: it did not end before.
        let (point, at) = (point.to_owned(), at.max(seen.begun));
        match state {
            "Succeeded" | "Deleting" => {
                seen.state = "Succeeded".to_owned();
                self.made += 1;
                self.tell(at, What::Succeeded { point, crash });
            }
            "Failed" => {
                seen.state = state.to_owned();
                self.failed += 1;
                self.tell(at, What::Failed { point });
            }
            _ => {}
        }
    }

    fn see_snapshots(&mut self, rig: &Rig, now: Timestamp) {
        let mut there = BTreeSet::new();
        for snapshot in rig.azure.arm.snapshots() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (id, name) = (text(&snapshot["id"]), text(&snapshot["name"]));
            let parts: Vec<&str> = name.split('-').collect();
            let [_, entry, slot, _, _, source] = parts[..] else { continue };
            let hash = text(&snapshot["tags"]["lifeboat-machine"]);
            let Some((vm_id, disks)) = self.hashes.get(&hash).cloned() else { continue };
            let at: Timestamp = text(&snapshot["properties"]["timeCreated"]).parse().unwrap_or(now);
            let key = (vm_id.clone(), entry.to_owned(), slot_of(slot));
            let is_new = !self.sets.contains_key(&key);
            let set = self.sets.entry(key).or_default();
            if is_new {
                set.first = id.to_lowercase();
            }
            set.there.insert(id.to_lowercase());
            let state = text(&snapshot["properties"]["provisioningState"]);
            if state == "Succeeded" {
                set.succeeded.insert(source.to_owned());
            }
            let (first, whole) = (set.first.clone(), set.succeeded.len() >= disks as usize);
            if is_new {
                self.begun(&first, &id, &vm_id, at, &name);
            }
            if whole {
                self.ended(&first, "Succeeded", true, at.max(rig.epoch));
            }
            there.insert(id.to_lowercase());
        }
        // A set of which one is missing restores nothing any more.
        let broken: BTreeSet<String> = self
            .sets
            .values()
            .filter(|set| set.there.iter().any(|one| !there.contains(one)))
            .map(|set| set.first.clone())
            .collect();
        self.vanished(|id, seen| seen.is_set && broken.contains(id), now);
    }

    fn vanished(&mut self, is_gone: impl Fn(&String, &Seen) -> bool, now: Timestamp) {
        let gone: Vec<String> =
            self.points.iter().filter(|(id, seen)| !seen.gone && is_gone(id, seen)).map(|(id, _)| id.clone()).collect();
        for point in gone {
            if let Some(seen) = self.points.get_mut(&point) {
                seen.gone = true;
            }
            self.deleted += 1;
            if let Some(place) = self.unanswered.iter().position(|(id, _)| *id == point) {
                let (point, at) = self.unanswered.remove(place);
                self.tell(at, What::DeleteSent { point, by: Hand::Lifeboat, accepted: true });
            }
            self.tell(now, What::PointGone { point });
        }
    }

    fn see_vaults(&mut self, rig: &Rig) {
        for point in rig.azure.arm.vault_points() {
            let key = format!("{} {}", point.item, point.name);
            if !self.vault_points.insert(key) {
                continue;
            }
            let name = point.machine.rsplit('/').next().unwrap_or_default();
            let known = self
                .machines
                .iter()
                .find(|(_, machine)| Azure::id(&machine.name) == point.machine || machine.name == name);
            if let Some((vm_id, _)) = known {
                let vm_id = vm_id.clone();
                self.tell(point.time, What::VaultPoint { vm_id });
            }
        }
    }

    /// The id of the set that a snapshot is of.
    pub(super) fn set_of(&self, snapshot: &str) -> Option<String> {
        self.sets.values().find(|set| set.there.contains(snapshot)).map(|set| set.first.clone())
    }
}

fn slot_of(text: &str) -> Slot {
    let at: Option<Time> = text.get(..13).and_then(|text| {
        let written = format!("{}-{}-{}T{}:{}:00Z", &text[..4], &text[4..6], &text[6..8], &text[9..11], &text[11..13]);
        Some(written.parse::<Timestamp>().ok()?.as_second())
    });
    at.map_or(Slot::OnCreate, Slot::At)
}
