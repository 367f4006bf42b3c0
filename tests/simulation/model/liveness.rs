//! What has to be done at the end of the history, when the faults are over for long enough: points made, machines protected, due points gone.
//! It never demands what the counters, a hold, a lock, a person or a doubt in the design can stand in the way of.

use std::collections::BTreeMap;

use super::calendar::{DAY, HOUR, written};
use super::counters::{Allowed, Counters};
use super::history::{Entry, Policy, Schedule, Slot, Time, Wrong};
use super::rounds::sweeps_of_round;
use super::scope::InForce;
use super::slots::{clocks_change_near, newest_of};
use super::verdicts::{GONE_FLOOR, allowing_entry, is_surely_due, surely_due_of};
use super::world::{Key, Machine, Point, World};

/// What became due less than this before the end need not be done, in seconds: the spread of a slot, the sweep that makes it up, and three
/// attempts under the three points an hour that Azure allows a machine.
pub const SETTLE: i64 = 2 * HOUR;

/// An attempt whose last try failed this often is used up, and alarmed instead.
const ATTEMPTS: usize = 3;

/// The expiry sweep that may have begun before a point became due; after it comes one whole round.
const BEGUN_BEFORE: usize = 1;

/// When a machine was gone is seen within this, in seconds; the fourteen days count from then.
const SEEN_GONE: i64 = 2 * DAY;

/// Judges what is missing at the end.
pub fn judge(world: &World, counters: &Counters, calm_from: Time, end: Time, wrongs: &mut Vec<Wrong>) {
    let gates = [&world.gates.stopped, &world.gates.store_lost];
    let calm = gates.iter().all(|gate| gate.off_since(calm_from));
    // Without a calm that is long enough, or with changes forbidden in it, nothing can be demanded.
    if !calm || end < calm_from + SETTLE {
        return;
    }
    let made = by_machine_and_entry(world);
    for (vm_id, machine) in &world.machines {
        // A subscription that is lost excuses its own machines and no others.
        if !world.is_permitted_since(vm_id, calm_from) {
            continue;
        }
        let InForce::One(policy) = world.in_force_at(machine, end) else { continue };
        if !policy.enforce {
            continue;
        }
        let asked = Asked { world, vm_id, machine, policy, calm_from, end };
        for entry in &policy.entries {
            let points = made.get(&(vm_id.as_str(), policy.name.as_str(), entry.name.as_str()));
            let points = points.map_or(&[][..], Vec::as_slice);
            wrongs.extend(asked.missing_slot(entry, points));
            wrongs.extend(asked.missing_on_create(entry, points));
        }
        wrongs.extend(asked.missing_protection(counters));
    }
    judge_due(world, counters, calm_from, end, wrongs);
}

type Made<'a> = BTreeMap<(&'a str, &'a str, &'a str), Vec<&'a Point>>;

fn by_machine_and_entry(world: &World) -> Made<'_> {
    let mut made = Made::new();
    for point in &world.points {
        if let Some(owner) = &point.owner {
            made.entry((&point.vm_id, owner, &point.entry)).or_default().push(point);
        }
    }
    made
}

/// One living machine, and the policy that asks something for it.
struct Asked<'a> {
    world: &'a World,
    vm_id: &'a str,
    machine: &'a Machine,
    policy: &'a Policy,
    calm_from: Time,
    end: Time,
}

impl Asked<'_> {
    /// The newest slot that had its time to settle, or a newer one, has a point, or its attempts are used up.
    fn missing_slot(&self, entry: &Entry, points: &[&Point]) -> Option<Wrong> {
        let schedule = entry.schedule.as_ref()?;
        let slot = newest_of(schedule, self.end - SETTLE)?;
        // No slot is asked for before the machine was there and in scope, with the schedule it has now.
        if self.scheduled_since(entry, schedule)? > slot || !self.can_be_made(entry, slot) {
            return None;
        }
        let from = if clocks_change_near(schedule, slot) { slot - HOUR } else { slot };
        let of_slot = |point: &&&Point| matches!(point.slot, Slot::At(at) if at >= from);
        self.unless_done(
            points.iter().filter(of_slot).copied(),
            || format!("no point for slot {}", written(slot)),
            entry,
        )
    }

    /// A machine that was created while Lifeboat knew, and recently enough when the calm began, has a point of the entry.
    fn missing_on_create(&self, entry: &Entry, points: &[&Point]) -> Option<Wrong> {
        let within = entry.on_create_within?;
        let created = self.machine.created;
        let since = self.world.in_scope_since(self.machine, &self.policy.name, &entry.name, self.end)?;
        // What is due is counted back from the last completed sweep: an outage longer than the window, or a machine that came into
        // scope late, may leave nothing due, so an hour is left for the sweep that sees it.
        let seen_by = self.calm_from.max(since) + HOUR;
        let settled = created.max(since).max(self.calm_from) + SETTLE <= self.end;
        if created < self.world.start
            || created + within < seen_by
            || !settled
            || !self.can_be_made(entry, created.max(since))
        {
            return None;
        }
        // "And has none of that entry": one of a slot is as good.
        self.unless_done(points.iter().copied(), || "no point on creation".to_owned(), entry)
    }

    fn unless_done<'p>(
        &self,
        points: impl Iterator<Item = &'p Point>,
        missing: impl Fn() -> String,
        entry: &Entry,
    ) -> Option<Wrong> {
        let mut failed: BTreeMap<Slot, usize> = BTreeMap::new();
        for point in points {
            let under_way = point.failed.is_none() && point.begun + SETTLE > self.end;
            if point.succeeded.is_some() || under_way {
                return None;
            }
            let count = failed.entry(point.slot).or_default();
            *count += usize::from(point.failed.is_some());
            if *count >= ATTEMPTS {
                return None;
            }
        }
        Some(format!(
            "{}: machine {}, entry {}: {} at the end of a calm of {} hours",
            written(self.end),
            self.vm_id,
            entry.name,
            missing(),
            (self.end - self.calm_from) / HOUR
        ))
    }

    /// Since when the machine is in scope of the entry and the entry has this schedule.
    fn scheduled_since(&self, entry: &Entry, schedule: &Schedule) -> Option<Time> {
        let in_scope = self.world.in_scope_since(self.machine, &self.policy.name, &entry.name, self.end)?;
        let same = |policies: &[Policy]| {
            policies
                .iter()
                .filter(|policy| policy.name == self.policy.name)
                .flat_map(|policy| &policy.entries)
                .any(|known| known.name == entry.name && known.schedule.as_ref() == Some(schedule))
        };
        let bundles = self.world.bundles.iter().rev().take_while(|bundle| same(&bundle.policies));
        Some(bundles.last()?.since.max(in_scope).max(self.machine.created).max(self.machine.first))
    }

    /// An application-consistent point needs the guest's agent, all the time since it was due.
    fn can_be_made(&self, entry: &Entry, since: Time) -> bool {
        entry.crash || self.machine.agent_since.is_some_and(|ready| ready <= since.max(self.calm_from))
    }

    fn missing_protection(&self, counters: &Counters) -> Option<Wrong> {
        let (vault, _) = self.policy.vault.as_ref()?;
        let machine = self.machine;
        if machine.vault.is_some()
            || machine.stopped_by_person.is_some()
            || counters.protections_used_up(self.policy, self.unseen_protections())
        {
            return None;
        }
        let asks = |at: Time| match self.world.in_force_at(machine, at) {
            InForce::One(policy) => policy.enforce && policy.vault.as_ref().is_some_and(|(named, _)| named == vault),
            InForce::Nothing | InForce::EqualPriorities => false,
        };
        let recent = self.end - SETTLE;
        let mut changes = self.world.bundles.iter().map(|bundle| bundle.since);
        let settled = machine.first <= recent && asks(recent) && changes.all(|at| at <= recent || asks(at));
        settled.then(|| format!("{}: machine {}: not protected in vault {vault}", written(self.end), self.vm_id))
    }

    /// Machines that the same policy asks protection for where the permission is lost. The counter is of all subscriptions, and it may
    /// have been reserved for each of them and the request refused, of which the history shows nothing.
    fn unseen_protections(&self) -> usize {
        let waits = |vm_id: &str, machine: &Machine| {
            machine.vault.is_none()
                && machine.stopped_by_person.is_none()
                && !self.world.is_permitted_since(vm_id, self.calm_from)
        };
        let of_policy = |machine: &Machine| match self.world.in_force_at(machine, self.end) {
            InForce::One(policy) => policy.name == self.policy.name,
            InForce::Nothing | InForce::EqualPriorities => false,
        };
        self.world.machines.iter().filter(|(vm_id, machine)| waits(vm_id, machine) && of_policy(machine)).count()
    }
}

/// Each point that had to go before the last whole round of sweeps began is going, where the counters surely let all of them go: two sweeps
/// where each reads every collection.
fn judge_due(world: &World, counters: &Counters, calm_from: Time, end: Time, wrongs: &mut Vec<Wrong>) {
    let sweeps: Vec<Time> = world.expiry_sweeps.iter().copied().filter(|sweep| *sweep >= calm_from).collect();
    let round = sweeps_of_round(world);
    let more = BEGUN_BEFORE + round;
    let Some(due_at) = sweeps.len().checked_sub(more + 1).map(|index| sweeps[index]) else { return };
    // A collection may have its turn at any time of a round, so the counters must have let it go in all of that time.
    let free_from = if round == 1 { end } else { sweeps[sweeps.len() - 1 - round] };
    let swept = sweeps.last().copied().unwrap_or(end);
    let Some(bundle) = world.bundles.last() else { return };
    if !bundle.readable || bundle.since > due_at {
        return;
    }
    for policy in &bundle.policies {
        // The counters are of all subscriptions, so what is due in a lost one is counted, though it is not demanded.
        let due: Vec<(&Key, &Point)> = surely_due_of(world, &policy.name, end).collect();
        let unfinished: Vec<&Point> =
            world.points.iter().filter(|point| is_unfinished(world, point, policy, due_at)).collect();
        let demanded: Vec<&Point> = due
            .iter()
            .filter(|(key, point)| is_surely_due(world, point, key, due_at))
            .filter(|(key, point)| nothing_in_the_way(world, key, point, due_at, end))
            .map(|(_, point)| *point)
            .collect();
        let wrong = |point: &Point, words: &str| {
            format!(
                "{}: point {} of machine {}, entry {}: {words} {}",
                written(end),
                point.id,
                point.vm_id,
                point.entry,
                written(due_at)
            )
        };
        match counters.allow(world, &policy.name, due.len() + unfinished.len(), (free_from, swept, end)) {
            Allowed::All => {
                let calm = unfinished.iter().filter(|point| world.is_calm_since(&point.vm_id, due_at));
                wrongs.extend(calm.map(|point| wrong(point, "its deletion is not finished, begun before")));
                let words = format!("still there after {more} more sweeps, due since");
                wrongs.extend(demanded.iter().map(|point| wrong(point, &words)));
            }
            // Turnover always passes, and is one at least: more than the limits let go is no reason to let nothing go.
            Allowed::SomeAndNoneWent => {
                let words =
                    if round == 1 { "nothing went in 24 hours" } else { "nothing went in a round and 24 hours" };
                wrongs.extend(demanded.first().map(|point| wrong(point, &format!("{words}, due since"))));
            }
            Allowed::Unknown => {}
        }
    }
}

/// Whatever it started, it finishes (design §1): a deletion of Lifeboat's that was accepted before the last whole sweeps, of a point that is
/// still there, though nothing stands in the way of asking again. Such is a set of snapshots of which only some are gone.
fn is_unfinished(world: &World, point: &Point, policy: &Policy, due_at: Time) -> bool {
    let begun = point.by_lifeboat && point.gone.is_none() && point.leaving.is_some_and(|since| since < due_at);
    let free = point.held.off_since(due_at - DAY)
        && point.locked.off_since(due_at - DAY)
        && point.refused.is_none_or(|refused| refused < due_at - DAY);
    let still_goes = || {
        World::key_of(point).is_some_and(|key| {
            let machine = world.machines.get(&key.0).filter(|machine| machine.gone.is_none());
            let in_force = machine.map(|machine| world.in_force_at(machine, due_at));
            let owned = matches!(in_force, Some(InForce::One(owner)) if owner.name == policy.name);
            key.1 == policy.name && owned && allowing_entry(world, &key, due_at).is_ok()
        })
    };
    begun && free && still_goes()
}

fn nothing_in_the_way(world: &World, key: &Key, point: &Point, due_at: Time, end: Time) -> bool {
    // A refused deletion is tried again after a while that the design does not name; a day is waited.
    let free =
        point.is_free_since(due_at.min(end - DAY)) && world.by_hand_is_over(key) && world.is_calm_since(&key.0, due_at);
    let machine = world.machines.get(&key.0);
    free && machine.and_then(|machine| machine.gone).is_none_or(|gone| {
        let counts_from = gone + SEEN_GONE;
        due_at - counts_from >= GONE_FLOOR && world.is_calm_since(&key.0, gone)
    })
}
