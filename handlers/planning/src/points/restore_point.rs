//! Decides the restore point of one slot: whether it may be made, under which name, how consistent.
//! It never makes one beside another that is being made: Azure makes one at a time and machine.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use jiff::Timestamp;

use super::{ATTEMPTS_MAX, Asked, Decision, Standing, next_attempt, not_at_rest, vault_takes_snapshot};
use crate::creation::{is_ours, region};
use crate::effect::{Consistency, CrashBecause, Effect, Place, PointEffect};
use crate::facts::{Agent, CollectionSeen, DiskTags, Facts, Machine, Point, PointState};
use crate::id::{self, MachineKey, PointName, SlotName};
use crate::look;
use crate::policy::{Case, DiskMatch, Glob, PointEntry};
use crate::refusal::Refusal;

/// Decides for one slot of one entry.
pub(super) fn decide(asked: Asked<'_>, machine: &Machine, facts: &Facts, look_no: u32, now: Timestamp) -> Decision {
    let wait = |why| Decision::Wait(why, look::next(look_no, &machine.id, now));
    let points: &[Point] = match &facts.collection {
        CollectionSeen::Unknown(why) => return wait(Refusal::CollectionUnknown(*why)),
        CollectionSeen::Present(collection) if !is_ours(collection, machine, &facts.owner) => {
            return Decision::Settled(Refusal::CollectionForeign);
        }
        CollectionSeen::Present(collection) => &collection.points,
        CollectionSeen::Absent | CollectionSeen::GroupAbsent => &[],
    };
    let attempt = match attempt(asked, machine, points, now) {
        Ok(attempt) => attempt,
        Err(Standing::Settled(why)) => return Decision::Settled(why),
        Err(Standing::InProgress(why)) => return wait(why),
        Err(Standing::WaitsUntil(at)) => return Decision::Wait(Refusal::AttemptWaits, at),
    };
    match not_at_rest(machine) {
        Some((why, true)) => return Decision::Settled(why),
        Some((why, false)) => return wait(why),
        None => {}
    }
    if machine.disks.ephemeral_os {
        return Decision::Settled(Refusal::EphemeralOsDisk);
    }
    if vault_takes_snapshot(facts) {
        return wait(Refusal::VaultTakesSnapshot);
    }
    let excluded = match excluded(asked.entry, machine) {
        Ok(excluded) => excluded,
        Err(why) => return wait(why),
    };
    match consistency(machine, attempt) {
        Some(consistency) => Decision::Make(effects(asked, machine, facts, attempt, consistency, excluded)),
        None => wait(Refusal::NeedsAgent),
    }
}

/// The number of the attempt that may be made now.
fn attempt(asked: Asked<'_>, machine: &Machine, points: &[Point], now: Timestamp) -> Result<u32, Standing> {
    let wanted = name(asked, machine, 1);
    let same: Vec<(PointName, &Point)> = points
        .iter()
        .filter_map(|point| Some((PointName::parse(&point.name)?, point)))
        .filter(|(name, _)| name.same_slot(&wanted))
        .collect();
    let succeeded = same.iter().any(|(_, point)| point.state == PointState::Succeeded);
    let at_work = |point: &Point| matches!(point.state, PointState::InProgress | PointState::Deleting);
    let own_at_work = same.iter().any(|(_, point)| point.state == PointState::InProgress);
    if !succeeded && !own_at_work && points.iter().any(at_work) {
        return Err(Standing::InProgress(Refusal::OtherPointInProgress));
    }
    next_attempt(&same, now)
}

fn name(asked: Asked<'_>, machine: &Machine, attempt: u32) -> PointName {
    PointName::new(asked.policy, &asked.entry.name, asked.slot, id::machine_source(&machine.vm_id), attempt)
}

/// The data disks that the entry leaves out, by their ids. Whether one is left out is not known where its tags are not.
pub(super) fn excluded(entry: &PointEntry, machine: &Machine) -> Result<Vec<String>, Refusal> {
    let Some(DiskMatch::Tag { key, value }) = &entry.exclude_disks else { return Ok(Vec::new()) };
    let mut excluded = Vec::new();
    for volume in machine.volumes.iter().filter(|volume| !volume.os) {
        let DiskTags::Known(tags) = &volume.tags else { return Err(Refusal::DiskTagsUnknown) };
        let has = |(own, text): (&String, &String)| {
            Glob::new(key, Case::Insensitive).is_literally(own) && value.matches(text)
        };
        if tags.iter().any(has) {
            excluded.push(volume.id.clone());
        }
    }
    Ok(excluded)
}

/// Application-consistent where the agent is ready; otherwise, and in the last attempt, crash-consistent, with the reason.
fn consistency(machine: &Machine, attempt: u32) -> Option<Consistency> {
    let crash_allowed = !machine.disks.no_crash_consistent;
    match machine.agent {
        Agent::Ready if attempt == ATTEMPTS_MAX && crash_allowed => {
            Some(Consistency::Crash(CrashBecause::ApplicationAttemptFailed))
        }
        Agent::Ready => Some(Consistency::Application),
        Agent::NotReady => crash_allowed.then_some(Consistency::Crash(CrashBecause::AgentNotReady)),
    }
}

/// The effects in the order in which they rest on one another: group, collection, point.
fn effects(
    asked: Asked<'_>,
    machine: &Machine,
    facts: &Facts,
    attempt: u32,
    consistency: Consistency,
    excluded: Vec<String>,
) -> Vec<Effect> {
    let name = name(asked, machine, attempt);
    let place = Place {
        subscription: machine.about.subscription.clone(),
        group: id::points_group(&region(&machine.about.location)),
        collection: id::collection(&MachineKey::new(&machine.vm_id, &machine.id)),
    };
    let make_group = make_group(machine);
    let make_collection = Effect::Point(PointEffect::EnsureCollection {
        place: place.clone(),
        location: machine.about.location.clone(),
        machine: machine.id.clone(),
        owner: facts.owner.deployment.clone(),
        estate: facts.owner.estate.clone(),
        vm_hash: name.source.clone(),
    });
    let point = name.to_string();
    let make_point = Effect::Point(PointEffect::CreateRestorePoint { place, point, consistency, excluded });
    match facts.collection {
        CollectionSeen::GroupAbsent => vec![make_group, make_collection, make_point],
        CollectionSeen::Absent => vec![make_collection, make_point],
        CollectionSeen::Present(_) | CollectionSeen::Unknown(_) => vec![make_point],
    }
}

/// The points' group of the machine's region.
pub(super) fn make_group(machine: &Machine) -> Effect {
    Effect::Point(PointEffect::EnsureGroup {
        subscription: machine.about.subscription.clone(),
        group: id::points_group(&region(&machine.about.location)),
        location: machine.about.location.clone(),
    })
}

/// What a slot is called in a tag.
pub(super) fn slot_text(slot: SlotName) -> String {
    slot.to_string()
}
