//! Checks what points are made for, and snapshots by themselves, with other code than decided them.
//! It never asks `points`: which entries make points of which kind is read from the policy again.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::Finding;
use crate::effect::{Effect, PointEffect, SnapshotTags};
use crate::facts::{Facts, Machine, PointState, SnapshotsSeen};
use crate::id::{MachineKey, PointName, SlotName, disk_source, hash, points_group};
use crate::policy::{BackupPolicy, PointKind};

/// The slot that an effect makes a point of, if it makes one.
pub(super) fn slot(effect: &Effect) -> Option<(PointName, PointKind)> {
    let (name, kind) = match effect {
        Effect::Point(PointEffect::CreateRestorePoint { point, .. }) => (point, PointKind::RestorePoint),
        Effect::Point(PointEffect::CreateSnapshot { snapshot, .. }) => (snapshot, PointKind::Snapshot),
        Effect::Point(
            PointEffect::EnsureGroup { .. }
            | PointEffect::EnsureCollection { .. }
            | PointEffect::ExpireRestorePoint { .. }
            | PointEffect::ExpireSnapshot { .. },
        )
        | Effect::Protection(_) => return None,
    };
    PointName::parse(name).map(|name| (name, kind))
}

/// True when an entry of the policy makes such points for such slots.
pub(super) fn is_asked(name: &PointName, kind: PointKind, policy: &BackupPolicy) -> bool {
    policy.points.iter().any(|entry| {
        let for_slot = match name.slot {
            SlotName::OnCreate => entry.on_create.is_some(),
            SlotName::At(_) => entry.schedule.is_some(),
        };
        for_slot && entry.kind == kind && entry.name == name.entry && name.rule == hash(&[&policy.name, &entry.name])
    })
}

/// True when all that is made is of one slot of one entry, and restore points are one at most.
pub(super) fn is_one_slot(effects: &[Effect]) -> bool {
    let made: Vec<(PointName, PointKind)> = effects.iter().filter_map(slot).collect();
    let restore_points = made.iter().filter(|(_, kind)| *kind == PointKind::RestorePoint).count();
    let Some((first, kind)) = made.first() else { return true };
    let same = made.iter().all(|(name, other)| name.slot == first.slot && name.rule == first.rule && other == kind);
    same && restore_points <= 1
}

/// True when disks that are left out are data disks of the machine.
pub(super) fn are_data_disks(excluded: &[alloc::string::String], machine: &Machine) -> bool {
    excluded.iter().all(|id| machine.volumes.iter().any(|volume| volume.id == *id && !volume.os))
}

/// What is wrong with one snapshot.
pub(super) fn about_snapshot(effect: &PointEffect, machine: &Machine, facts: &Facts) -> Vec<Finding> {
    let PointEffect::CreateSnapshot { subscription, group, snapshot, location, disk, tags } = effect else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut unless = |holds: bool, finding| {
        if !holds {
            found.push(finding);
        }
    };
    let region = machine.about.location.to_lowercase().replace(' ', "");
    unless(*subscription == machine.about.subscription && *group == points_group(&region), Finding::Place);
    unless(*location == machine.about.location, Finding::Place);
    unless(machine.volumes.iter().any(|volume| volume.id == *disk), Finding::Place);
    let name = PointName::parse(snapshot);
    let source = disk_source(&machine.vm_id, disk, &region);
    unless(name.as_ref().is_some_and(|name| name.source == source), Finding::Name);
    unless(name.as_ref().is_some_and(|name| says(tags, name, machine, facts)), Finding::Foreign);
    match &facts.snapshots {
        SnapshotsSeen::Unknown(_) => unless(false, Finding::SecondPoint),
        SnapshotsSeen::GroupAbsent => {}
        SnapshotsSeen::Read(seen) => {
            let second = seen.iter().any(|other| {
                let same = |read: &PointName| name.as_ref().is_some_and(|name| read.same_slot(name));
                let stands =
                    other.state != PointState::Failed && PointName::parse(&other.name).is_some_and(|n| same(&n));
                other.name == *snapshot || stands
            });
            unless(!second, Finding::SecondPoint);
        }
    }
    found
}

/// The tags say whose it is, and what the name says.
fn says(tags: &SnapshotTags, name: &PointName, machine: &Machine, facts: &Facts) -> bool {
    let owner = tags.owner == facts.owner.deployment && tags.estate == facts.owner.estate && !tags.estate.is_empty();
    let of = owner && tags.machine == hash(&[&machine.vm_id.to_lowercase()]);
    let key = MachineKey::new(&machine.vm_id, &machine.id).to_string();
    let set = (1..=machine.volumes.len()).contains(&tags.of_disks);
    of && tags.key == key && set && tags.entry == name.entry && tags.slot == name.slot.to_string()
}
