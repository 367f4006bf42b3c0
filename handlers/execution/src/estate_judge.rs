//! Holds machines against the policies by what is known of them without reading them: who needs a look, who lacks a young point.
//! It asks nobody and changes nothing: what was observed goes in, one machine at a time, and what it comes to goes out.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use lifeboat_azure::graph::MachineRow;
use lifeboat_planning::id::{MachineKey, hash};
use lifeboat_planning::needs::{self, Known, Need, Sweep};
use lifeboat_planning::policy::{self, AtLeast, BackupPolicy, Choice, Conforming, MachineAttributes};
use lifeboat_planning::schedule::Slot;

use crate::alarms::Cause;
use crate::catalogue::{Consistency, Entry, Shard, State};
use crate::observe::row_attributes;
use crate::vault_lists::VaultLists;

/// A machine younger than this is not held against `rpo`: Resource Graph lags, and its first point has its own window.
const YOUNG: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);
/// The consistencies that a point can have, from least to most.
const CONSISTENCIES: usize = 3;

/// A machine as Resource Graph shows it.
#[derive(Clone, Debug)]
pub struct SeenMachine {
    /// Its ARM id.
    pub id: String,
    /// Its identity.
    pub vm_id: String,
    /// Its key.
    pub key: MachineKey,
    /// When it was created, where Azure says.
    pub created_at: Option<Timestamp>,
    /// What policies match on.
    pub about: MachineAttributes,
}

/// What the catalogue says of all machines, no more of it than a sweep asks: the whole catalogue of a large estate is hundreds of
/// megabytes, this is some tens.
#[derive(Debug, Default)]
pub struct Remembered {
    rules: HashSet<String>,
    machines: HashMap<MachineKey, Points>,
}

/// What a sweep asks of a machine's points.
#[derive(Debug)]
struct Points {
    look_at: Timestamp,
    /// The newest slot that has its point, by the rule that it is of.
    served: Vec<(String, Slot)>,
    /// When the newest succeeded point was made, by its consistency.
    newest: [Option<Timestamp>; CONSISTENCIES],
}

/// Judges the machines of one sweep.
#[derive(Debug)]
pub struct Judge<'a> {
    policies: &'a [BackupPolicy],
    sweep: Sweep<'a>,
    asks_conforming: bool,
    now: Timestamp,
    /// Alarms about protection that are open, and close with it: cause, policy, machine.
    alarmed: HashSet<(Cause, String, String)>,
}

/// What a machine comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged<'a> {
    /// The one policy that it follows.
    pub policy: Option<&'a BackupPolicy>,
    /// It needs a look.
    pub needs_look: bool,
    /// It has no point young enough, as far as is known.
    pub breached: bool,
    /// Alarms about it that are over.
    pub over: Vec<Cause>,
}

impl From<MachineRow> for SeenMachine {
    fn from(mut row: MachineRow) -> Self {
        let (id, vm_id) = (std::mem::take(&mut row.id), std::mem::take(&mut row.vm_id));
        let (key, created_at) = (MachineKey::new(&vm_id, &id), row.time_created);
        Self { id, vm_id, key, created_at, about: row_attributes(row) }
    }
}

impl Remembered {
    /// Nothing yet; of slots, only those of these policies' entries are kept.
    pub fn of(policies: &[BackupPolicy]) -> Self {
        let rule = |policy: &BackupPolicy| {
            let scheduled = policy.points.iter().filter(|entry| entry.schedule.is_some());
            scheduled.map(|entry| hash(&[&policy.name, &entry.name])).collect::<Vec<_>>()
        };
        Self { rules: policies.iter().flat_map(rule).collect(), machines: HashMap::new() }
    }

    /// Takes what a shard says.
    pub fn add(&mut self, shard: Shard) {
        for (key, entry) in shard.machines {
            let points = Points::of(&entry, &self.rules);
            self.machines.insert(key, points);
        }
    }
}

impl Points {
    fn of(entry: &Entry, rules: &HashSet<String>) -> Self {
        let mut served: Vec<(String, Slot)> = Vec::new();
        let mut newest = [None; CONSISTENCIES];
        for point in entry.points.iter().filter(|point| point.2 == State::Succeeded) {
            let reached = match point.3 {
                Consistency::Application => Some(AtLeast::Application),
                Consistency::FileSystem => Some(AtLeast::FileSystem),
                Consistency::Crash => Some(AtLeast::Crash),
                Consistency::NotSaid => None,
            };
            if let (Some(reached), Ok(made)) = (reached, Timestamp::from_second(point.1)) {
                let known = &mut newest[reached as usize];
                *known = (*known).max(Some(made));
            }
            // Newest first: once each rule has its slot the older names need no reading.
            if served.len() == rules.len() {
                continue;
            }
            let Some((rule, slot)) = needs::slot_of(&point.0).filter(|(rule, _)| rules.contains(rule)) else {
                continue;
            };
            match served.iter_mut().find(|(own, _)| *own == rule) {
                Some((_, known)) => *known = (*known).max(slot),
                None => served.push((rule, slot)),
            }
        }
        Self { look_at: entry.look_at, served, newest }
    }

    /// When the newest point was made that succeeded and is at least so consistent.
    fn newest(&self, at_least: AtLeast) -> Option<Timestamp> {
        self.newest[at_least as usize..].iter().copied().max().flatten()
    }
}

impl<'a> Judge<'a> {
    /// A judge by these policies at this moment. `alarmed` are the open alarms about protection: cause, policy, machine.
    pub fn new(policies: &'a [BackupPolicy], now: Timestamp, alarmed: HashSet<(Cause, String, String)>) -> Self {
        let asks_conforming = policy::ask_age(policies);
        Self { policies, sweep: Sweep::new(policies, now), asks_conforming, now, alarmed }
    }

    /// True when a machine can come to anything under these policies.
    pub fn has_work(&self) -> bool {
        self.sweep.has_work() || self.policies.iter().any(|policy| policy.rpo.is_some())
    }

    /// True when a policy asks how old the newest point is, of whoever made it: then all vaults must be read.
    pub fn asks_conforming(&self) -> bool {
        self.asks_conforming
    }

    /// The vault that the machine's policy names, where vaults are named at all.
    pub fn vault_of(&self, machine: &SeenMachine) -> Option<String> {
        if self.policies.iter().all(|policy| policy.vault.is_none()) {
            return None;
        }
        let Choice::One(policy) = policy::choose(self.policies, &machine.about) else { return None };
        needs::vault_of(policy, &machine.about).map(|(vault, _)| vault.to_lowercase())
    }

    /// Judges a machine that was observed at `seen_at`.
    pub fn judge(
        &self,
        machine: &mut SeenMachine,
        seen_at: Timestamp,
        remembered: &Remembered,
        lists: &VaultLists,
    ) -> Judged<'a> {
        let points = remembered.machines.get(&machine.key);
        machine.about.conforming = self.conforming(machine, points, lists);
        // Of a machine whose points were never read nobody knows whether a condition on their age holds: a look tells.
        if self.asks_conforming && points.is_none() {
            return Judged { needs_look: true, ..Judged::default() };
        }
        let Choice::One(policy) = policy::choose(self.policies, &machine.about) else { return Judged::default() };
        let mut judged = Judged { policy: Some(policy), ..Judged::default() };
        let vault = needs::vault_of(policy, &machine.about);
        let of_vault = vault.and_then(|(name, _)| lists.of(&machine.about.subscription, name));
        let created_at = machine.created_at.unwrap_or(Timestamp::MIN);
        let known = Known {
            key: &machine.key,
            seen_at,
            created_at,
            succeeded: points.map(|points| points.served.as_slice()),
            look_at: points.map(|points| points.look_at),
            item: of_vault.and_then(|items| items.get(&machine.id.to_lowercase())),
            vault_policy: vault.and_then(|(_, policy)| policy),
        };
        match self.sweep.need(policy, known) {
            None if known.item.is_some() && policy.vault.is_some() && self.sweep.is_protected(known) => {
                judged.over = self.over(policy, &machine.id);
            }
            None => {}
            // A vault whose list could not be read says nothing of who is protected in it.
            Some(Need::Protection)
                if vault.is_some() && of_vault.is_none() && lists.failed(&machine.about.subscription) => {}
            Some(Need::Slot | Need::Protection) => judged.needs_look = true,
        }
        judged.breached = self.is_breached(policy, created_at, points, known);
        judged
    }

    /// How old the newest point is, of whoever made it: by the catalogue, and by the lists of vaults where all of them were read.
    fn conforming(&self, machine: &SeenMachine, points: Option<&Points>, lists: &VaultLists) -> Conforming {
        let wanted = self.asks_conforming && !lists.failed(&machine.about.subscription);
        let Some(points) = points.filter(|_| wanted) else { return Conforming::Unknown };
        match points.newest(AtLeast::Crash).max(lists.newest_point(&machine.id.to_lowercase())) {
            Some(at) => Conforming::Age(self.now.duration_since(at)),
            None => Conforming::Never,
        }
    }

    /// True when the newest conforming point is older than `rpo`. What was never read is not taken for breached; the look that reads
    /// it is queued by the same sweep.
    fn is_breached(
        &self,
        policy: &BackupPolicy,
        created_at: Timestamp,
        points: Option<&Points>,
        known: Known<'_>,
    ) -> bool {
        let young = self.now.duration_since(created_at) < YOUNG;
        if policy.rpo.is_none() || young || (points.is_none() && !policy.points.is_empty()) {
            return false;
        }
        let at_least = policy.points.iter().map(|entry| entry.at_least).min().unwrap_or_default();
        let own = points.and_then(|points| points.newest(at_least));
        !self.is_young_enough(policy, own.max(known.item.and_then(|item| item.newest_point)))
    }

    /// True when a point of that time is young enough for the policy's `rpo`.
    pub fn is_young_enough(&self, policy: &BackupPolicy, newest: Option<Timestamp>) -> bool {
        policy.rpo.is_none_or(|rpo| newest.is_some_and(|at| self.now.duration_since(at) <= rpo))
    }

    /// The open alarms about a machine that are over once it is protected as asked: no look closes them, since none is needed then.
    fn over(&self, policy: &BackupPolicy, machine: &str) -> Vec<Cause> {
        let causes = [Cause::BackupJobFailed, Cause::ProtectionChanged].into_iter();
        if self.alarmed.is_empty() {
            return Vec::new();
        }
        causes.filter(|cause| self.alarmed.contains(&(*cause, policy.name.clone(), machine.to_owned()))).collect()
    }
}
