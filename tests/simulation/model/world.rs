//! What the estate was at each moment of the history, as far as the promises need it: machines, points, policies and what forbids changes.
//! It never judges. What lies before a moment can be asked as it was then, because a decision may rest on the world of minutes ago.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::DAY;
use super::gates::{Gate, Gates};
use super::history::{Event, Hand, Policy, Slot, Time, What};
use super::scope::Bundle;

/// A machine, told by its `vm_id`.
pub struct Machine {
    /// Its tag `env` and since when, oldest first.
    pub envs: Vec<(Time, String)>,
    /// The subscriptions that it lived in, by their ids in lower case, and since when, oldest first.
    pub subscriptions: Vec<(Time, String)>,
    pub created: Time,
    /// When it is first in the history.
    pub first: Time,
    pub gone: Option<Time>,
    /// Since when its agent is ready without a break, if it is.
    pub agent_since: Option<Time>,
    /// The vault that protects it, and whether a vault point came since.
    pub vault: Option<String>,
    pub vault_point: Option<Time>,
    /// When a person stopped its protection; a person's protecting it again ends it.
    pub stopped_by_person: Option<Time>,
}

impl Machine {
    /// Its tag then; none before it was there.
    pub fn env_at(&self, at: Time) -> Option<&str> {
        self.envs.iter().rfind(|(since, _)| *since <= at).map(|(_, env)| env.as_str())
    }

    pub fn gone_at(&self, at: Time) -> bool {
        self.gone.is_some_and(|gone| gone <= at)
    }
}

/// A point, or a set of snapshots.
pub struct Point {
    pub id: String,
    pub vm_id: String,
    pub entry: String,
    /// The name of the policy that it was made for; none until a policy with its entry is known, and for what is not ours.
    pub owner: Option<String>,
    pub ours: bool,
    pub slot: Slot,
    /// When it was begun, which is its time.
    pub begun: Time,
    pub succeeded: Option<Time>,
    pub failed: Option<Time>,
    pub held: Gate,
    pub locked: Gate,
    /// When its deletion was first accepted, or it was not there any more: from then on it is not counted as standing.
    pub leaving: Option<Time>,
    /// Whether that was Lifeboat's hand.
    pub by_lifeboat: bool,
    /// When Azure last refused to delete it.
    pub refused: Option<Time>,
    pub gone: Option<Time>,
}

impl Point {
    pub fn restorable_at(&self, at: Time) -> bool {
        self.succeeded.is_some_and(|since| since <= at) && self.leaving.is_none_or(|since| since > at)
    }

    /// Whether it stands, and nothing was in the way of its deletion since then: no hold, no lock, no refusal.
    pub fn is_free_since(&self, at: Time) -> bool {
        self.leaving.is_none()
            && self.held.off_since(at)
            && self.locked.off_since(at)
            && self.refused.is_none_or(|refused| refused <= at)
    }

    /// The moment that it stands for: its slot's, or when it was begun.
    pub fn stands_for(&self) -> Time {
        match self.slot {
            Slot::OnCreate => self.begun,
            Slot::At(at) => at,
        }
    }
}

/// Machine, policy and entry: what `min` and the rules count by.
pub type Key = (String, String, String);

/// All of it.
pub struct World {
    /// When the history begins: the moment of first start.
    pub start: Time,
    pub bundles: Vec<Bundle>,
    pub machines: BTreeMap<String, Machine>,
    pub points: Vec<Point>,
    pub by_id: BTreeMap<String, usize>,
    /// The points of each key that stand, or are gone for less than a day.
    pub keys: BTreeMap<Key, Vec<usize>>,
    pub gates: Gates,
    /// When people removed restorable points of a key of which no two were seen since.
    pub by_hand: BTreeMap<Key, Time>,
    /// Since the store came back without its memory: the keys of which two restorable points stood at some time. Of any other one
    /// Lifeboat cannot know whether people had deleted, and may keep what it has.
    pub two_seen_since_back: Option<BTreeSet<Key>>,
    /// Policy sweeps that ended while the clocks agreed.
    pub policy_sweeps: Vec<Time>,
    pub expiry_sweeps: Vec<Time>,
    /// Older points of which no policy is known yet.
    unowned: Vec<usize>,
}

impl World {
    pub fn new(start: Time) -> Self {
        World {
            start,
            bundles: Vec::new(),
            machines: BTreeMap::new(),
            points: Vec::new(),
            by_id: BTreeMap::new(),
            keys: BTreeMap::new(),
            gates: Gates::default(),
            by_hand: BTreeMap::new(),
            two_seen_since_back: None,
            policy_sweeps: Vec::new(),
            expiry_sweeps: Vec::new(),
            unowned: Vec::new(),
        }
    }

    pub fn point(&self, id: &str) -> Option<&Point> {
        self.by_id.get(id).map(|index| &self.points[*index])
    }

    /// What the point is counted by; none while no policy is known for it.
    pub fn key_of(point: &Point) -> Option<Key> {
        Some((point.vm_id.clone(), point.owner.clone()?, point.entry.clone()))
    }

    /// The points that are counted together, gone ones of the last day included.
    pub fn points_of(&self, key: &Key) -> impl Iterator<Item = &Point> {
        self.keys.get(key).into_iter().flatten().map(|index| &self.points[*index])
    }

    /// The world as it is after this event.
    pub fn apply(&mut self, event: &Event) {
        let at = event.at;
        match &event.what {
            What::Policies(policies) => self.push_bundle(at, Some(policies.clone())),
            What::PoliciesUnreadable => self.push_bundle(at, None),
            What::Machine { .. }
            | What::Tagged { .. }
            | What::MachineGone { .. }
            | What::Protected { .. }
            | What::ProtectionStopped { .. }
            | What::VaultPoint { .. } => self.apply_machine(at, &event.what),
            What::Stopped { stopped } => self.gates.stopped.turn(*stopped, at),
            What::StoreLost => self.gates.store_lost.turn(true, at),
            What::StoreBack => {
                self.gates.store_lost.turn(false, at);
                self.gates.store_back = Some(at);
                self.two_seen_since_back =
                    Some(self.keys.keys().filter(|key| self.two_stand(key, at)).cloned().collect());
            }
            What::PermissionLost { subscription, lost } => {
                self.gates.permission_lost.entry(subscription.to_lowercase()).or_default().turn(*lost, at);
            }
            What::ClocksApart { apart } => self.gates.clocks_apart.turn(*apart, at),
            What::Swept { expiry: true } => self.expiry_sweeps.push(at),
            What::Swept { expiry: false } => {
                if self.gates.clocks_apart.off_since(at) {
                    self.policy_sweeps.push(at);
                }
            }
            What::BackupBegun { .. } | What::OtherChange { .. } | What::BreakerClosed { .. } => {}
            _ => self.apply_point(at, &event.what),
        }
        if matches!(event.what, What::Policies(_) | What::Machine { .. } | What::Begun { .. } | What::Past { .. }) {
            self.find_owners();
        }
    }

    fn push_bundle(&mut self, since: Time, policies: Option<Vec<Policy>>) {
        let readable = policies.is_some();
        let in_force = self.bundles.last().map(|last| last.policies.clone()).unwrap_or_default();
        self.bundles.push(Bundle { since, policies: policies.unwrap_or(in_force), readable });
    }

    fn apply_machine(&mut self, at: Time, what: &What) {
        if let What::Machine { vm_id, subscription, env, created, agent, .. } = what {
            let machine = self.machines.entry(vm_id.clone()).or_insert_with(|| Machine {
                envs: Vec::new(),
                subscriptions: Vec::new(),
                created: *created,
                first: at,
                gone: None,
                agent_since: None,
                vault: None,
                vault_point: None,
                stopped_by_person: None,
            });
            machine.gone = None;
            machine.agent_since = if *agent { machine.agent_since.or(Some(at)) } else { None };
            if machine.envs.last().is_none_or(|(_, last)| last != env) {
                machine.envs.push((at, env.clone()));
            }
            let subscription = subscription.to_lowercase();
            if machine.subscriptions.last().is_none_or(|(_, last)| *last != subscription) {
                machine.subscriptions.push((at, subscription));
            }
            return;
        }
        let (What::Tagged { vm_id, .. }
        | What::MachineGone { vm_id }
        | What::Protected { vm_id, .. }
        | What::ProtectionStopped { vm_id, .. }
        | What::VaultPoint { vm_id }) = what
        else {
            return;
        };
        let Some(machine) = self.machines.get_mut(vm_id) else { return };
        match what {
            What::Tagged { env, .. } => machine.envs.push((at, env.clone())),
            What::MachineGone { .. } => machine.gone = machine.gone.or(Some(at)),
            What::Protected { vault, .. } => {
                if machine.vault.replace(vault.clone()).is_none() {
                    machine.vault_point = None;
                }
                machine.stopped_by_person = None;
            }
            What::ProtectionStopped { by, .. } => {
                machine.vault = None;
                machine.stopped_by_person = machine.stopped_by_person.or((*by == Hand::Person).then_some(at));
            }
            _ => machine.vault_point = machine.vault.is_some().then_some(at),
        }
    }

    fn apply_point(&mut self, at: Time, what: &What) {
        match what {
            What::Begun { point, vm_id, ours, entry, slot, .. } => {
                self.add_point(point, vm_id, *ours, entry, *slot, at, None)
            }
            What::Past { point, vm_id, entry, slot, created } => {
                self.add_point(point, vm_id, true, entry, *slot, *created, Some(*created));
            }
            What::Succeeded { point, .. } => {
                self.change(point, at, |point| point.succeeded = point.succeeded.or(Some(at)))
            }
            What::Failed { point } => self.change(point, at, |point| point.failed = Some(at)),
            What::Held { point, held } => self.change(point, at, |point| point.held.turn(*held, at)),
            What::Locked { point, locked } => self.change(point, at, |point| point.locked.turn(*locked, at)),
            What::DeleteSent { point, by, accepted } => self.change(point, at, |point| match (accepted, by) {
                (true, by) if point.leaving.is_none() => {
                    point.leaving = Some(at);
                    point.by_lifeboat = *by == Hand::Lifeboat;
                }
                (false, Hand::Lifeboat) => point.refused = Some(at),
                _ => {}
            }),
            What::PointGone { point } => self.change(point, at, |point| {
                point.leaving = point.leaving.or(Some(at));
                point.gone = point.gone.or(Some(at));
            }),
            _ => {}
        }
    }

    fn change(&mut self, id: &str, at: Time, how: impl FnOnce(&mut Point)) {
        let Some(index) = self.by_id.get(id).copied() else { return };
        how(&mut self.points[index]);
        let point = &self.points[index];
        let removed_by_hand = point.gone == Some(at) && !point.by_lifeboat && point.succeeded.is_some();
        let Some(key) = Self::key_of(point) else { return };
        if removed_by_hand {
            self.by_hand.insert(key.clone(), at);
        }
        // "Until it has read two restorable points": where two stand, the next look reads them.
        let asked = self.by_hand.contains_key(&key)
            || self.two_seen_since_back.as_ref().is_some_and(|seen| !seen.contains(&key));
        if asked && self.two_stand(&key, at) {
            self.by_hand.remove(&key);
            self.two_seen_since_back.iter_mut().for_each(|seen| _ = seen.insert(key.clone()));
        }
    }

    fn two_stand(&self, key: &Key, at: Time) -> bool {
        self.points_of(key).filter(|point| point.restorable_at(at)).count() >= 2
    }

    /// Whether Lifeboat can know that nobody deleted points of a key by hand, or two were seen since.
    pub fn by_hand_is_over(&self, key: &Key) -> bool {
        !self.by_hand.contains_key(key) && self.two_seen_since_back.as_ref().is_none_or(|seen| seen.contains(key))
    }

    #[expect(clippy::too_many_arguments, reason = "two kinds of events say the same of a point")]
    fn add_point(
        &mut self,
        id: &str,
        vm_id: &str,
        ours: bool,
        entry: &str,
        slot: Slot,
        begun: Time,
        succeeded: Option<Time>,
    ) {
        if self.point(id).is_some_and(|known| known.gone.is_none()) {
            return; // The same PUT once more: the name is derived, so nothing was made.
        }
        self.by_id.insert(id.to_owned(), self.points.len());
        if ours {
            self.unowned.push(self.points.len());
        }
        self.points.push(Point {
            id: id.to_owned(),
            vm_id: vm_id.to_owned(),
            entry: entry.to_owned(),
            owner: None,
            ours,
            slot,
            begun,
            succeeded,
            failed: None,
            held: Gate::default(),
            locked: Gate::default(),
            leaving: None,
            by_lifeboat: false,
            refused: None,
            gone: None,
        });
    }

    /// Names the policy of each point that has none: the history tells the entry alone.
    fn find_owners(&mut self) {
        for index in std::mem::take(&mut self.unowned) {
            let point = &self.points[index];
            let Some(owner) = self.owner_for(&point.vm_id, &point.entry, point.begun) else {
                self.unowned.push(index);
                continue;
            };
            let key = (point.vm_id.clone(), owner.clone(), point.entry.clone());
            let long_ago = point.begun.max(self.start) - DAY;
            self.points[index].owner = Some(owner);
            let points = &self.points;
            let known = self.keys.entry(key).or_default();
            known.retain(|known| points[*known].gone.is_none_or(|gone| gone > long_ago));
            known.push(index);
        }
    }
}
