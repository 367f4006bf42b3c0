//! Decides the snapshots of one slot: one of each disk, a set. A set is not atomic: its snapshots are taken one after the other.
//! It never counts a set before every disk of it succeeded, and never leaves the OS disk out.
//!
//! How many disks a set has is told by the tag of its snapshots, so that a disk attached later does not make it incomplete.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use jiff::Timestamp;

use super::restore_point::{excluded, make_group, slot_text};
use super::{ATTEMPTS_MAX, Asked, Decision, not_at_rest, snapshots_read};
use crate::creation::region;
use crate::effect::{Effect, PointEffect, SnapshotTags};
use crate::facts::{Facts, Machine, Owner, PointState, Snapshot, SnapshotsSeen, Volume};
use crate::id::{self, MachineKey, PointName, SlotName};
use crate::look;
use crate::policy::{BackupPolicy, PointEntry};
use crate::refusal::Refusal;
use crate::schedule::Slot;

/// Decides for one slot of one entry.
pub(super) fn decide(asked: Asked<'_>, machine: &Machine, facts: &Facts, look_no: u32, now: Timestamp) -> Decision {
    let wait = |why| Decision::Wait(why, look::next(look_no, &machine.id, now));
    let snapshots = match snapshots_read(facts) {
        Ok(snapshots) => snapshots,
        Err(why) => return wait(why),
    };
    let own = of_slot(asked, machine, snapshots, facts);
    if is_whole(&own) {
        return Decision::Settled(Refusal::AlreadyProtected);
    }
    if own.iter().any(|(_, snapshot)| snapshot.state == PointState::InProgress) {
        return wait(Refusal::PointInProgress);
    }
    match not_at_rest(machine) {
        Some((why, true)) => return Decision::Settled(why),
        Some((why, false)) => return wait(why),
        None => {}
    }
    if machine.disks.ephemeral_os || machine.volumes.is_empty() {
        return Decision::Settled(Refusal::DisksWithoutSnapshots);
    }
    let excluded = match excluded(asked.entry, machine) {
        Ok(excluded) => excluded,
        Err(why) => return wait(why),
    };
    let disks: Vec<&Volume> = machine.volumes.iter().filter(|volume| !excluded.contains(&volume.id)).collect();
    let mut effects = match facts.snapshots {
        SnapshotsSeen::GroupAbsent => vec![make_group(machine)],
        SnapshotsSeen::Read(_) | SnapshotsSeen::Unknown(_) => Vec::new(),
    };
    let before = effects.len();
    for disk in &disks {
        match attempt(machine, disk, &own) {
            Attempt::Stands => {}
            Attempt::UsedUp => return Decision::Settled(Refusal::AttemptsUsedUp),
            Attempt::Make(attempt) => effects.push(make(asked, machine, facts, disk, disks.len(), attempt)),
        }
    }
    if effects.len() == before {
        // Each disk that is there now has its snapshot, and one that is not there any more never will.
        return Decision::Settled(Refusal::AlreadyProtected);
    }
    Decision::Make(effects)
}

/// The newest slot whose set is whole.
pub(super) fn last_served(policy: &BackupPolicy, entry: &PointEntry, machine: &Machine, facts: &Facts) -> Option<Slot> {
    let snapshots = snapshots_read(facts).ok()?;
    let slots = snapshots.iter().filter_map(|snapshot| match PointName::parse(&snapshot.name)?.slot {
        SlotName::At(slot) => Some(slot),
        SlotName::OnCreate => None,
    });
    let mut slots: Vec<Slot> = slots.collect();
    slots.sort_unstable();
    slots.dedup();
    slots.into_iter().rev().find(|slot| {
        let asked = Asked { policy: &policy.name, entry, slot: SlotName::At(*slot) };
        is_whole(&of_slot(asked, machine, snapshots, facts))
    })
}

/// The sets of a machine that are whole: the name of the first snapshot of each, and when its last one was taken.
pub fn whole_sets(snapshots: &[Snapshot], owner: &Owner, vm_hash: &str) -> Vec<(String, Option<Timestamp>)> {
    let own = snapshots.iter().filter(|snapshot| {
        owner.is(snapshot.owner.as_deref(), snapshot.estate.as_deref()) && snapshot.machine.as_deref() == Some(vm_hash)
    });
    let mut sets: BTreeMap<(String, SlotName), Vec<(PointName, &Snapshot)>> = BTreeMap::new();
    for (name, snapshot) in own.filter_map(|snapshot| Some((PointName::parse(&snapshot.name)?, snapshot))) {
        sets.entry((name.rule.clone(), name.slot)).or_default().push((name, snapshot));
    }
    let whole = sets.into_values().filter(|set| is_whole(set));
    whole
        .filter_map(|set| {
            let at = set.iter().filter_map(|(_, snapshot)| snapshot.created_at).max();
            set.first().map(|(name, _)| (name.to_string(), at))
        })
        .collect()
}

/// The snapshots of the slot that are ours and of this machine.
fn of_slot<'a>(
    asked: Asked<'_>,
    machine: &Machine,
    snapshots: &'a [Snapshot],
    facts: &Facts,
) -> Vec<(PointName, &'a Snapshot)> {
    let rule = id::hash(&[asked.policy, &asked.entry.name]);
    let vm_hash = id::machine_source(&machine.vm_id);
    let own = snapshots.iter().filter(|snapshot| {
        facts.owner.is(snapshot.owner.as_deref(), snapshot.estate.as_deref())
            && snapshot.machine.as_deref() == Some(&vm_hash)
    });
    own.filter_map(|snapshot| Some((PointName::parse(&snapshot.name)?, snapshot)))
        .filter(|(name, _)| name.slot == asked.slot && name.rule == rule && name.entry == asked.entry.name)
        .collect()
}

/// True when as many disks as the set has succeeded.
fn is_whole(own: &[(PointName, &Snapshot)]) -> bool {
    let mut done: Vec<&str> = own
        .iter()
        .filter(|(_, snapshot)| snapshot.state == PointState::Succeeded)
        .map(|(name, _)| name.source.as_str())
        .collect();
    done.sort_unstable();
    done.dedup();
    let wanted = own.iter().filter_map(|(_, snapshot)| snapshot.of_disks).max();
    wanted.is_some_and(|wanted| wanted > 0 && done.len() >= wanted)
}

enum Attempt {
    Stands,
    UsedUp,
    Make(u32),
}

/// The attempt at one disk that may be made now. Snapshots of a set are tried again at the next look, without a wait: nothing
/// in the guest has to settle, and a set lives by being taken at nearly one time.
fn attempt(machine: &Machine, disk: &Volume, own: &[(PointName, &Snapshot)]) -> Attempt {
    let source = source(machine, disk);
    let of_disk = || own.iter().filter(|(name, _)| name.source == source);
    if of_disk().any(|(_, snapshot)| snapshot.state == PointState::Succeeded) {
        return Attempt::Stands;
    }
    match of_disk().map(|(name, _)| name.attempt).max() {
        None => Attempt::Make(1),
        Some(last) if last >= ATTEMPTS_MAX => Attempt::UsedUp,
        Some(last) => Attempt::Make(last + 1),
    }
}

fn source(machine: &Machine, disk: &Volume) -> String {
    id::disk_source(&machine.vm_id, &disk.id, &region(&machine.about.location))
}

fn make(asked: Asked<'_>, machine: &Machine, facts: &Facts, disk: &Volume, of_disks: usize, attempt: u32) -> Effect {
    let source = source(machine, disk);
    let name = PointName::new(asked.policy, &asked.entry.name, asked.slot, source, attempt);
    Effect::Point(PointEffect::CreateSnapshot {
        subscription: machine.about.subscription.clone(),
        group: id::points_group(&region(&machine.about.location)),
        snapshot: name.to_string(),
        location: machine.about.location.clone(),
        disk: disk.id.clone(),
        tags: SnapshotTags {
            owner: facts.owner.deployment.clone(),
            estate: facts.owner.estate.clone(),
            policy: asked.policy.to_string(),
            entry: asked.entry.name.clone(),
            slot: slot_text(asked.slot),
            machine: id::machine_source(&machine.vm_id),
            key: MachineKey::new(&machine.vm_id, &machine.id).to_string(),
            of_disks,
        },
    })
}
