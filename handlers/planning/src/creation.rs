//! Decides the restore point that a new machine gets: whether it is due, under which name, how consistent.
//! It never takes an update for a creation, and never makes a second point where one stands or is being made.
//!
//! ```text
//! none → in progress → succeeded (settled)
//!  ↑          ↓
//!  └─ waits ─ failed … the last attempt (settled, alarmed)
//! ```

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};

use crate::effect::{Consistency, CrashBecause, Effect, Place, PointEffect};
use crate::facts::{Agent, Collection, CollectionSeen, Facts, Machine, Owner, Point, PointState, Provisioning};
use crate::id::{self, MachineKey, OnCreateName};
use crate::look;
use crate::policy::OnCreate;
use crate::refusal::Refusal;

/// Attempts at one point: Azure grants three application-consistent points an hour and machine, and one that failed three
/// times needs a person.
pub const ATTEMPTS_MAX: u32 = 3;
/// The wait before the second attempt; the third waits twice as long. The guest's VSS or scripts need time to settle.
const ATTEMPT_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// A creation is looked for this far back at least, whatever `within` says: Resource Graph lags, events come late.
pub const WINDOW_MIN: SignedDuration = SignedDuration::from_hours(1);

/// What is to be done for the entry now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing, for good.
    Settled(Refusal),
    /// Nothing yet; look again then.
    Wait(Refusal, Timestamp),
    /// Make the point.
    Make(Vec<Effect>),
}

/// The entry that is asked for: its policy's name, its own, and its rule.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Name of the policy.
    pub policy: &'a str,
    /// Name of the entry.
    pub entry: &'a str,
    /// The rule.
    pub on_create: OnCreate,
}

/// True when the machine was created so late that nobody has dealt with it yet: after the time from which every creation is
/// known, less the policy's window.
pub fn is_new(created_at: Timestamp, known_since: Timestamp, on_create: OnCreate) -> bool {
    match known_since.checked_sub(on_create.within.max(WINDOW_MIN)) {
        Ok(from) => created_at >= from,
        Err(_) => true,
    }
}

/// True when the point comes later than the policy wants it.
pub fn is_late(created_at: Timestamp, on_create: OnCreate, now: Timestamp) -> bool {
    created_at.checked_add(on_create.within).is_ok_and(|until| now > until)
}

/// Decides for one entry of a policy that matches the machine.
pub fn decide(asked: Asked<'_>, machine: &Machine, facts: &Facts, look_no: u32, now: Timestamp) -> Decision {
    let wait = |why| Decision::Wait(why, look::next(look_no, &machine.id, now));
    let Some(known_since) = facts.known_since else { return wait(Refusal::CreationsUnknown) };
    if !is_new(machine.created_at, known_since, asked.on_create) {
        return Decision::Settled(Refusal::NotNew);
    }
    let points: &[Point] = match &facts.collection {
        CollectionSeen::Unknown(why) => return wait(Refusal::CollectionUnknown(*why)),
        CollectionSeen::Present(collection) if !is_ours(collection, machine, &facts.owner) => {
            return Decision::Settled(Refusal::CollectionForeign);
        }
        CollectionSeen::Present(collection) => &collection.points,
        CollectionSeen::Absent | CollectionSeen::GroupAbsent => &[],
    };
    let attempt = match next_attempt(asked, machine, points, now) {
        Ok(attempt) => attempt,
        Err(Standing::Settled(why)) => return Decision::Settled(why),
        Err(Standing::InProgress(why)) => return wait(why),
        Err(Standing::WaitsUntil(at)) => return Decision::Wait(Refusal::AttemptWaits, at),
    };
    match machine.provisioning {
        Provisioning::Deleting => return Decision::Settled(Refusal::MachineDeleting),
        Provisioning::InProgress => return wait(Refusal::MachineInProgress),
        Provisioning::Settled => {}
    }
    if machine.disks.ephemeral_os {
        return Decision::Settled(Refusal::EphemeralOsDisk);
    }
    match consistency(machine, attempt) {
        Some(consistency) => Decision::Make(effects(asked, machine, facts, attempt, consistency)),
        None => wait(Refusal::NeedsAgent),
    }
}

/// Where the entry stands when no attempt may be made now.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Settled(Refusal),
    InProgress(Refusal),
    WaitsUntil(Timestamp),
}

/// The number of the attempt that may be made now.
fn next_attempt(asked: Asked<'_>, machine: &Machine, points: &[Point], now: Timestamp) -> Result<u32, Standing> {
    let wanted = OnCreateName::new(asked.policy, asked.entry, &machine.vm_id, 1);
    let ours = |point: &&Point| OnCreateName::parse(&point.name).is_some_and(|name| name.same_slot(&wanted));
    let any = |state| points.iter().filter(ours).any(|point| point.state == state);
    if any(PointState::Succeeded) {
        return Err(Standing::Settled(Refusal::AlreadyProtected));
    }
    if any(PointState::InProgress) {
        return Err(Standing::InProgress(Refusal::PointInProgress));
    }
    if points.iter().any(|point| matches!(point.state, PointState::InProgress | PointState::Deleting)) {
        return Err(Standing::InProgress(Refusal::OtherPointInProgress));
    }
    let made = points.iter().filter(ours).filter_map(|point| OnCreateName::parse(&point.name)).map(|name| name.attempt);
    let Some(last) = made.max() else { return Ok(1) };
    if last >= ATTEMPTS_MAX {
        return Err(Standing::Settled(Refusal::AttemptsUsedUp));
    }
    let failed_at = points.iter().filter(ours).filter_map(|point| point.created_at).max().unwrap_or(now);
    let wait = ATTEMPT_WAIT.checked_mul(1 << (last - 1).min(8)).unwrap_or(ATTEMPT_WAIT);
    match failed_at.checked_add(wait) {
        Ok(at) if at > now => Err(Standing::WaitsUntil(at)),
        _ => Ok(last + 1),
    }
}

/// Ours by the tags of owner and estate, and of this machine in this region by what Azure keeps fixed.
pub(crate) fn is_ours(collection: &Collection, machine: &Machine, owner: &Owner) -> bool {
    owner.has_made(collection)
        && collection.source.eq_ignore_ascii_case(&machine.id)
        && same_region(&collection.location, &machine.about.location)
}

/// Azure writes regions as `westeurope` and as `West Europe`.
pub(crate) fn same_region(a: &str, b: &str) -> bool {
    let plain = |text: &str| -> Vec<char> { text.chars().filter(|c| *c != ' ').flat_map(char::to_lowercase).collect() };
    plain(a) == plain(b)
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
fn effects(asked: Asked<'_>, machine: &Machine, facts: &Facts, attempt: u32, consistency: Consistency) -> Vec<Effect> {
    let name = OnCreateName::new(asked.policy, asked.entry, &machine.vm_id, attempt);
    let place = Place {
        subscription: machine.about.subscription.clone(),
        group: id::points_group(&region(&machine.about.location)),
        collection: id::collection(&MachineKey::new(&machine.vm_id, &machine.id)),
    };
    let make_group = Effect::Point(PointEffect::EnsureGroup {
        subscription: place.subscription.clone(),
        group: place.group.clone(),
        location: machine.about.location.clone(),
    });
    let make_collection = Effect::Point(PointEffect::EnsureCollection {
        place: place.clone(),
        location: machine.about.location.clone(),
        machine: machine.id.clone(),
        owner: facts.owner.deployment.clone(),
        estate: facts.owner.estate.clone(),
        vm_hash: name.machine.clone(),
    });
    let make_point = Effect::Point(PointEffect::CreateRestorePoint { place, point: name.to_string(), consistency });
    match facts.collection {
        CollectionSeen::GroupAbsent => vec![make_group, make_collection, make_point],
        CollectionSeen::Absent => vec![make_collection, make_point],
        CollectionSeen::Present(_) | CollectionSeen::Unknown(_) => vec![make_point],
    }
}

/// A region in the form that names take.
pub fn region(location: &str) -> alloc::string::String {
    location.chars().filter(|c| *c != ' ').flat_map(char::to_lowercase).collect()
}
