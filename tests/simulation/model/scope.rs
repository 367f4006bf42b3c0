//! Which policy is in force for a machine, and since when: the highest priority that matches, or none where two are equally high.
//! It never guesses: without a bundle, a machine or a tag there is no policy.

use super::history::{Entry, Policy, Time};
use super::world::{Machine, Point, World};

/// A decision may rest on a world this old, in seconds: the design gives sweeps no shorter age of what they saw.
pub const DECISION_AGE: i64 = 600;

/// Seconds that a request may reach Azure after the check it rests on: the latest moment, 10 s, and the request's time-out, 30 s.
pub const IN_FLIGHT: i64 = 40;

/// Seconds that our clock may be wrong unnoticed (design §10): what is counted by it may come so much too early.
pub const CLOCK_ERROR: i64 = 300;

/// Policies that are in force from a moment on.
pub struct Bundle {
    pub since: Time,
    pub policies: Vec<Policy>,
    /// False while the newest pushed bundle cannot be read: then these are the last good ones.
    pub readable: bool,
}

/// Which policy holds for a machine.
pub enum InForce<'a> {
    Nothing,
    /// Two of the highest priority: nothing may be changed.
    EqualPriorities,
    One(&'a Policy),
}

/// The policy in force among these for a machine with this tag.
pub fn in_force<'a>(policies: &'a [Policy], env: &str) -> InForce<'a> {
    let matching = || policies.iter().filter(|policy| policy.env == env);
    let Some(highest) = matching().map(|policy| policy.priority).max() else { return InForce::Nothing };
    let mut top = matching().filter(|policy| policy.priority == highest);
    match (top.next(), top.next()) {
        (Some(one), None) => InForce::One(one),
        _ => InForce::EqualPriorities,
    }
}

/// The entry of this name.
pub fn entry_of<'a>(policy: &'a Policy, name: &str) -> Option<&'a Entry> {
    policy.entries.iter().find(|entry| entry.name == name)
}

impl World {
    /// The bundle in force then.
    pub fn bundle_at(&self, at: Time) -> Option<&Bundle> {
        self.bundles.iter().rfind(|bundle| bundle.since <= at)
    }

    /// The policy in force for a living machine then.
    pub fn in_force_at(&self, machine: &Machine, at: Time) -> InForce<'_> {
        match (self.bundle_at(at), machine.env_at(at)) {
            (Some(bundle), Some(env)) if !machine.gone_at(at) => in_force(&bundle.policies, env),
            _ => InForce::Nothing,
        }
    }

    /// The moments of the last ten minutes at which the world that a decision of now rests on may have been read, newest first.
    pub fn readings<'a>(&'a self, vm_id: &str, points: impl Iterator<Item = &'a Point>, now: Time) -> Vec<Time> {
        let mut moments = vec![now, now - DECISION_AGE];
        moments.extend(
            self.bundles.iter().rev().map_while(|bundle| (bundle.since > now - DECISION_AGE).then_some(bundle.since)),
        );
        if let Some(machine) = self.machines.get(vm_id) {
            moments.extend(machine.envs.iter().map(|(since, _)| *since));
            moments.extend(machine.gone);
        }
        moments.extend(points.flat_map(|point| [point.succeeded, point.leaving]).flatten());
        moments.retain(|at| (now - DECISION_AGE..=now).contains(at));
        moments.sort_unstable();
        moments.dedup();
        moments.reverse();
        moments
    }

    /// Since when the machine has been, without a break until `until`, in scope of this entry of this enforcing policy.
    pub fn in_scope_since(&self, machine: &Machine, policy: &str, entry: &str, until: Time) -> Option<Time> {
        let mut changes: Vec<Time> = self.bundles.iter().map(|bundle| bundle.since).collect();
        changes.extend(machine.envs.iter().map(|(since, _)| *since));
        changes.retain(|at| *at <= until);
        changes.sort_unstable();
        let holds = |at: &Time| match self.in_force_at(machine, *at) {
            InForce::One(one) => one.enforce && one.name == policy && entry_of(one, entry).is_some(),
            InForce::Nothing | InForce::EqualPriorities => false,
        };
        changes.into_iter().rev().take_while(holds).last()
    }

    /// The policy that a point of this entry belongs to: the one in force for its machine that has the entry, else any that has it.
    /// Entries of two policies are best named differently: the history tells no more than the entry's name.
    pub fn owner_for(&self, vm_id: &str, entry: &str, begun: Time) -> Option<String> {
        let has = |policy: &&Policy| entry_of(policy, entry).is_some();
        let machine = self.machines.get(vm_id);
        let now = self.bundles.last()?.since.max(begun);
        let of_machine = machine.and_then(|machine| {
            self.readings(vm_id, std::iter::empty(), now).into_iter().find_map(|at| {
                match self.in_force_at(machine, at) {
                    InForce::One(policy) => Some(policy).filter(has),
                    InForce::Nothing | InForce::EqualPriorities => None,
                }
            })
        });
        of_machine.or_else(|| self.bundles.last()?.policies.iter().find(has)).map(|policy| policy.name.clone())
    }
}
