//! Judges each point that Lifeboat began, each protection and each backup: for whom, for which slot, how often, and whether it was allowed.
//! It never asks whether something should have been made: that is for the end of the history.

use std::fmt;

use super::calendar::{HOUR, written};
use super::calls::no_changes;
use super::history::{Entry, Event, Hand, Schedule, Slot, Time, What, Wrong};
use super::scope::{CLOCK_ERROR, DECISION_AGE, IN_FLIGHT, InForce, entry_of};
use super::slots::{may_be_slot, next_of, same_slot};
use super::world::{Machine, World};

/// Points of a slot are spread in a window, so the slot before may be tried again until then, in seconds; the design gives no length.
const SPREAD: i64 = HOUR;

/// Why nothing was to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unasked {
    NoMachine,
    NoPolicy,
    EqualPriorities,
    Report,
    NoEntry,
    NoVault,
    NotOnCreate,
    CreatedUnknown,
    NotScheduled,
    NoSuchSlot,
    TooEarly,
    NewerMissed,
}

impl fmt::Display for Unasked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unasked::NoMachine => "the machine was not there",
            Unasked::NoPolicy => "no policy was in force for the machine",
            Unasked::EqualPriorities => "policies of equal top priority match the machine",
            Unasked::Report => "the policy in force only reports",
            Unasked::NoEntry => "the policy in force has no such entry",
            Unasked::NoVault => "the policy in force names no such vault",
            Unasked::NotOnCreate => "the entry asks for no point on creation",
            Unasked::CreatedUnknown => "the machine was created before the time that the window reaches back to",
            Unasked::NotScheduled => "the entry has no schedule",
            Unasked::NoSuchSlot => "the schedule has no such slot",
            Unasked::TooEarly => "the slot's time had not come",
            Unasked::NewerMissed => "a newer slot had been missed, and only the newest is made up",
        })
    }
}

/// Judges the event, if it makes something by Lifeboat's hand, in the world as it was before it.
pub fn judge(world: &World, event: &Event, wrongs: &mut Vec<Wrong>) {
    let at = event.at;
    let (vm_id, subject, found) = match &event.what {
        What::Begun { point, vm_id, by: Hand::Lifeboat, ours, entry, slot, .. } => {
            if world.point(point).is_some_and(|known| known.gone.is_none()) {
                return; // The same PUT once more.
            }
            let mut found = point_wrongs(world, vm_id, entry, *slot, at);
            if !ours {
                found.push("begun without being marked as Lifeboat's own".to_owned());
            }
            (vm_id, format!("point {point} of machine {vm_id}, entry {entry}"), found)
        }
        What::Protected { vm_id, vault, by: Hand::Lifeboat } => {
            (vm_id, format!("machine {vm_id}"), protection_wrongs(world, vm_id, vault, at))
        }
        What::BackupBegun { vm_id, by: Hand::Lifeboat } => {
            (vm_id, format!("machine {vm_id}"), backup_wrongs(world, vm_id, at))
        }
        What::ProtectionStopped { vm_id, by: Hand::Lifeboat } => (
            vm_id,
            format!("machine {vm_id}"),
            vec!["its protection was stopped by Lifeboat, which nobody asks it to".to_owned()],
        ),
        _ => return,
    };
    let subscription = world.machines.get(vm_id).and_then(|machine| machine.subscription_at(at));
    let permission_lost = world.is_permission_lost(subscription, at, IN_FLIGHT);
    let forbidden = no_changes(world, permission_lost, at).into_iter().map(str::to_owned);
    wrongs.extend(forbidden.chain(found).map(|words| format!("{}: {subject}: {words}", written(at))));
}

fn point_wrongs(world: &World, vm_id: &str, entry: &str, slot: Slot, at: Time) -> Vec<String> {
    let asked_for =
        in_every_world(world, vm_id, at, |machine, then| why_no_point(world, machine, entry, slot, at, then));
    let mut found: Vec<String> = asked_for.map(|unasked| format!("begun although {unasked}")).into_iter().collect();
    let standing = world.keys.iter().filter(|(key, _)| key.0 == vm_id && key.2 == entry).flat_map(|(key, points)| {
        let schedule = schedule_of(world, &key.1, entry);
        points.iter().map(move |index| (&world.points[*index], schedule))
    });
    for (other, schedule) in standing {
        let same = match (slot, other.slot) {
            (Slot::OnCreate, Slot::OnCreate) => true,
            (Slot::At(one), Slot::At(other)) => same_slot(schedule, one, other),
            _ => false,
        };
        if same && other.failed.is_none() && other.leaving.is_none() {
            found.push(format!("begun although {} stands for the same slot and has not failed", other.id));
        }
        // Design §5: due when the machine "has none of that entry". One that is just over may not have been seen.
        if slot == Slot::OnCreate && !same && other.leaving.is_none() && other.restorable_at(at - DECISION_AGE) {
            found.push(format!("begun on creation although {} of the same entry is restorable", other.id));
        }
    }
    found
}

fn schedule_of<'a>(world: &'a World, policy: &str, entry: &str) -> Option<&'a Schedule> {
    let policy = world.bundles.last()?.policies.iter().find(|known| known.name == policy)?;
    entry_of(policy, entry)?.schedule.as_ref()
}

/// The newest of the reasons why not, if there is one in every world of the last ten minutes.
fn in_every_world(
    world: &World,
    vm_id: &str,
    at: Time,
    why_not: impl Fn(&Machine, Time) -> Option<Unasked>,
) -> Option<Unasked> {
    let Some(machine) = world.machines.get(vm_id) else { return Some(Unasked::NoMachine) };
    let mut newest = None;
    for then in world.readings(vm_id, std::iter::empty(), at) {
        let unasked = why_not(machine, then)?;
        newest = newest.or(Some(unasked));
    }
    newest
}

fn why_no_point(world: &World, machine: &Machine, name: &str, slot: Slot, at: Time, then: Time) -> Option<Unasked> {
    let policy = match enforcing(world, machine, then) {
        Ok(policy) => policy,
        Err(unasked) => return Some(unasked),
    };
    let Some(entry) = entry_of(policy, name) else { return Some(Unasked::NoEntry) };
    match slot {
        Slot::OnCreate => {
            let since = world.in_scope_since(machine, &policy.name, name, then).unwrap_or(then);
            why_not_on_create(world, machine, entry, since)
        }
        Slot::At(slot) => match &entry.schedule {
            None => Some(Unasked::NotScheduled),
            Some(schedule) => why_not_slot(world, schedule, slot, at),
        },
    }
}

fn enforcing<'a>(world: &'a World, machine: &Machine, then: Time) -> Result<&'a super::history::Policy, Unasked> {
    if machine.first > then || machine.gone_at(then) {
        return Err(Unasked::NoMachine);
    }
    match world.in_force_at(machine, then) {
        InForce::Nothing => Err(Unasked::NoPolicy),
        InForce::EqualPriorities => Err(Unasked::EqualPriorities),
        InForce::One(policy) if !policy.enforce => Err(Unasked::Report),
        InForce::One(policy) => Ok(policy),
    }
}

/// Design §5: due when created after the last completed sweep less the window, as it was when the machine came into scope of the entry.
fn why_not_on_create(world: &World, machine: &Machine, entry: &Entry, in_scope_since: Time) -> Option<Unasked> {
    let Some(within) = entry.on_create_within else { return Some(Unasked::NotOnCreate) };
    let seen = in_scope_since - DECISION_AGE;
    let swept = world.policy_sweeps[..world.policy_sweeps.partition_point(|sweep| *sweep <= seen)].last();
    let reaches_back_to = swept.copied().unwrap_or(world.start) - within;
    (machine.created < reaches_back_to).then_some(Unasked::CreatedUnknown)
}

fn why_not_slot(world: &World, schedule: &Schedule, slot: Time, at: Time) -> Option<Unasked> {
    if !may_be_slot(schedule, slot) {
        return Some(Unasked::NoSuchSlot);
    }
    // While clocks are apart ours is not known to the model, and only deletions are forbidden then.
    if !world.gates.clocks_apart.off_since(at - DECISION_AGE) {
        return None;
    }
    if slot > at + CLOCK_ERROR {
        return Some(Unasked::TooEarly);
    }
    let next = next_of(schedule, slot)?;
    let after_next = next_of(schedule, next)?;
    (at - DECISION_AGE >= next + SPREAD.min(after_next - next)).then_some(Unasked::NewerMissed)
}

fn protection_wrongs(world: &World, vm_id: &str, vault: &str, at: Time) -> Vec<String> {
    let unasked = in_every_world(world, vm_id, at, |machine, then| match enforcing(world, machine, then) {
        Err(unasked) => Some(unasked),
        Ok(policy) => policy.vault.as_ref().is_none_or(|(named, _)| named != vault).then_some(Unasked::NoVault),
    });
    let mut found: Vec<String> = unasked.map(|unasked| format!("protected although {unasked}")).into_iter().collect();
    if let Some(machine) = world.machines.get(vm_id) {
        // Stopped by somebody is reported and left alone, whatever `onDrift` will say later.
        if machine.stopped_by_person.is_some_and(|stopped| at > stopped + IN_FLIGHT) {
            found.push("protected again although a person had stopped its protection".to_owned());
        }
        if machine.vault.as_ref().is_some_and(|known| known != vault) {
            found.push("protected although another vault protects it".to_owned());
        }
    }
    found
}

fn backup_wrongs(world: &World, vm_id: &str, at: Time) -> Vec<String> {
    let unasked = in_every_world(world, vm_id, at, |machine, then| match enforcing(world, machine, then) {
        Err(unasked) => Some(unasked),
        Ok(policy) => policy.vault.is_none().then_some(Unasked::NoVault),
    });
    let mut found: Vec<String> = unasked.map(|unasked| format!("backed up although {unasked}")).into_iter().collect();
    if let Some(machine) = world.machines.get(vm_id) {
        if machine.vault.is_none() && machine.stopped_by_person.is_none_or(|stopped| at > stopped + IN_FLIGHT) {
            found.push("backed up in a vault although nothing protects it".to_owned());
        }
        // The vault policy's schedule makes the others.
        if machine.vault_point.is_some_and(|made| at > made + DECISION_AGE) {
            found.push("backed up although only the first backup is Lifeboat's and it had been made".to_owned());
        }
    }
    found
}
