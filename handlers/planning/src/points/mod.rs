//! Decides the next point of a machine: which slots want one, which of them are served, and what is made for the first that is not.
//! It never makes a second point for a slot that stands or is being made, and never takes an update for a creation.
//!
//! ```text
//! slot wanted ─ none → in progress → succeeded (settled)
//!                ↑          ↓
//!                └─ waits ─ failed … the last attempt (settled, alarmed; the next slot begins anew)
//! ```

mod restore_point;
mod snapshots;

use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};

pub use snapshots::whole_sets;

use crate::creation;
use crate::effect::Effect;
use crate::facts::{CollectionSeen, Facts, Machine, Point, PointState, Provisioning, SnapshotsSeen};
use crate::id::{MachineKey, PointName, SlotName};
use crate::policy::{BackupPolicy, PointEntry, PointKind};
use crate::refusal::Refusal;
use crate::schedule::{Around, Missed, Slot};

/// Attempts at one point: Azure grants three application-consistent points an hour and machine, and one that failed three
/// times needs a person.
pub const ATTEMPTS_MAX: u32 = 3;
/// The wait before the second attempt; the third waits twice as long. The guest's VSS or scripts need time to settle.
const ATTEMPT_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// Over how long after a slot machines begin, so that not all ask at once; never past a quarter of the way to the next slot.
pub const SPREAD: SignedDuration = SignedDuration::from_hours(1);

/// What is to be done for a slot now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing, for good.
    Settled(Refusal),
    /// Nothing yet; look again then.
    Wait(Refusal, Timestamp),
    /// Make the point.
    Make(Vec<Effect>),
}

/// A slot that an entry wants a point for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want<'a> {
    /// The entry.
    pub entry: &'a PointEntry,
    /// What the point stands for.
    pub slot: SlotName,
    /// A point begun now comes later than the policy wants it.
    pub late: bool,
    /// Slots before it that have no point and get none any more.
    pub missed: Missed,
}

/// The slots that want a point now, in the order of the entries, on creation first; with why an entry wants none.
pub fn wants<'a>(
    policy: &'a BackupPolicy,
    machine: &Machine,
    facts: &Facts,
    now: Timestamp,
) -> (Vec<Want<'a>>, Vec<Refusal>) {
    let (mut wants, mut refusals) = (Vec::new(), Vec::new());
    for entry in &policy.points {
        match creation_wanted(entry, machine, facts, now) {
            // A point of a slot is as good, and the one on creation may have expired: it is not made again, under the same name, as
            // the newest of all.
            Some(Ok(_)) if last_served(policy, entry, machine, facts).is_some() => {
                refusals.push(Refusal::AlreadyProtected);
            }
            Some(Ok(want)) => wants.push(want),
            // Where the entry makes points by schedule too, an old machine lacks nothing.
            Some(Err(Refusal::NotNew)) if entry.schedule.is_some() => {}
            Some(Err(refusal)) => refusals.push(refusal),
            None => {}
        }
        wants.extend(scheduled(policy, entry, machine, facts, now));
    }
    (wants, refusals)
}

/// Decides for one slot.
pub fn decide(
    policy: &BackupPolicy,
    want: &Want<'_>,
    machine: &Machine,
    facts: &Facts,
    look_no: u32,
    now: Timestamp,
) -> Decision {
    let asked = Asked { policy: &policy.name, entry: want.entry, slot: want.slot };
    match want.entry.kind {
        PointKind::RestorePoint => restore_point::decide(asked, machine, facts, look_no, now),
        PointKind::Snapshot => snapshots::decide(asked, machine, facts, look_no, now),
    }
}

/// What a point is made for.
#[derive(Clone, Copy, Debug)]
struct Asked<'a> {
    policy: &'a str,
    entry: &'a PointEntry,
    slot: SlotName,
}

fn creation_wanted<'a>(
    entry: &'a PointEntry,
    machine: &Machine,
    facts: &Facts,
    now: Timestamp,
) -> Option<Result<Want<'a>, Refusal>> {
    let on_create = entry.on_create?;
    let Some(known_since) = facts.known_since else { return Some(Err(Refusal::CreationsUnknown)) };
    if !creation::is_new(machine.created_at, known_since, on_create) {
        return Some(Err(Refusal::NotNew));
    }
    let late = creation::is_late(machine.created_at, on_create, now);
    Some(Ok(Want { entry, slot: SlotName::OnCreate, late, missed: Missed::default() }))
}

/// The newest slot of the entry's schedule whose turn has come. The machine's own creation is where its slots begin.
fn scheduled<'a>(
    policy: &BackupPolicy,
    entry: &'a PointEntry,
    machine: &Machine,
    facts: &Facts,
    now: Timestamp,
) -> Option<Want<'a>> {
    let schedule = entry.schedule.as_ref()?;
    let key = MachineKey::new(&machine.vm_id, &machine.id);
    let last = last_served(policy, entry, machine, facts);
    let due = Around::new(schedule, now, SPREAD).due(last, machine.created_at, &key)?;
    if !due.is_now(now) || due.slot.at() > now {
        return None;
    }
    // Without any point there is no saying which slots were missed and which were never asked for.
    let missed = if last.is_some() { due.missed } else { Missed::default() };
    Some(Want { entry, slot: SlotName::At(due.slot), late: due.is_late(now), missed })
}

/// The newest slot that needs no more attempts: it has its point, or all its attempts failed. `None` too where nothing was seen:
/// then the newest slot is wanted, and the decision on it says what is not known.
fn last_served(policy: &BackupPolicy, entry: &PointEntry, machine: &Machine, facts: &Facts) -> Option<Slot> {
    let names: Vec<(PointName, PointState)> = match entry.kind {
        PointKind::RestorePoint => match &facts.collection {
            CollectionSeen::Present(collection) => {
                collection.points.iter().filter_map(|p| Some((PointName::parse(&p.name)?, p.state))).collect()
            }
            CollectionSeen::Absent | CollectionSeen::GroupAbsent | CollectionSeen::Unknown(_) => Vec::new(),
        },
        PointKind::Snapshot => return snapshots::last_served(policy, entry, machine, facts),
    };
    let like = PointName::on_create(&policy.name, &entry.name, &machine.vm_id, 1);
    let served = |(name, state): &(PointName, PointState)| match (name.slot, state) {
        (SlotName::At(slot), PointState::Succeeded) if name.same_entry(&like) => Some(slot),
        _ => None,
    };
    names.iter().filter_map(served).max()
}

/// Where a slot stands when no attempt may be made now.
enum Standing {
    Settled(Refusal),
    InProgress(Refusal),
    WaitsUntil(Timestamp),
}

/// The number of the attempt that may be made now, by the points whose names stand for the same slot and source.
fn next_attempt(same: &[(PointName, &Point)], now: Timestamp) -> Result<u32, Standing> {
    let any = |state| same.iter().any(|(_, point)| point.state == state);
    if any(PointState::Succeeded) {
        return Err(Standing::Settled(Refusal::AlreadyProtected));
    }
    if any(PointState::InProgress) {
        return Err(Standing::InProgress(Refusal::PointInProgress));
    }
    let Some(last) = same.iter().map(|(name, _)| name.attempt).max() else { return Ok(1) };
    if last >= ATTEMPTS_MAX {
        return Err(Standing::Settled(Refusal::AttemptsUsedUp));
    }
    let failed_at = same.iter().filter_map(|(_, point)| point.created_at).max().unwrap_or(now);
    let wait = ATTEMPT_WAIT.checked_mul(1 << (last - 1).min(8)).unwrap_or(ATTEMPT_WAIT);
    match failed_at.checked_add(wait) {
        Ok(at) if at > now => Err(Standing::WaitsUntil(at)),
        _ => Ok(last + 1),
    }
}

/// Why the machine takes no point now, or for good.
fn not_at_rest(machine: &Machine) -> Option<(Refusal, bool)> {
    match machine.provisioning {
        Provisioning::Deleting => Some((Refusal::MachineDeleting, true)),
        Provisioning::InProgress => Some((Refusal::MachineInProgress, false)),
        Provisioning::Settled => None,
    }
}

/// True when a backup of the vault takes its snapshot now: restore points wait for it (runbooks: the safe reading).
fn vault_takes_snapshot(facts: &Facts) -> bool {
    use crate::facts::vault::{JobState, JobsSeen};
    let jobs = facts.protection.as_ref().map(|protection| &protection.jobs);
    matches!(jobs, Some(JobsSeen::Read(jobs)) if jobs.iter().any(|job| job.takes_snapshot && job.state == JobState::InProgress))
}

/// True when the snapshots were read.
fn snapshots_read(facts: &Facts) -> Result<&[crate::facts::Snapshot], Refusal> {
    match &facts.snapshots {
        SnapshotsSeen::Read(snapshots) => Ok(snapshots),
        SnapshotsSeen::GroupAbsent => Ok(&[]),
        SnapshotsSeen::Unknown(why) => Err(Refusal::SnapshotsUnknown(*why)),
    }
}

#[cfg(test)]
mod tests;
