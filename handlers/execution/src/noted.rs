//! Notes in the catalogue what a look read of a machine, and until when a sweep need not ask for another.
//! It never holds up a look: what could not be noted is read again.

use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::facts::{CollectionSeen, Facts, MachineSeen, PointState, SnapshotsSeen};
use lifeboat_planning::refusal::Refusal;
use lifeboat_planning::{Plan, id};

use crate::catalogue::{self, Consistency, Entry, Reading, Seen, State};
use crate::lifeboat::Lifeboat;

/// What only reports, waits for a person, or for an incident's end, is looked at again after so long: the sweep would else ask every five minutes.
const SETTLED_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Notes one look. What is not known of the machine's points is not noted: absence would follow from it.
pub async fn note(lifeboat: &Lifeboat, facts: &Facts, plan: &Plan, next: Option<Timestamp>, now: Timestamp) {
    let Some(entry) = entry(facts, plan, next, now) else { return };
    if let Err(error) = catalogue::note(&lifeboat.store, &[Reading::Seen(entry)]).await {
        tracing::warn!(error = %error, "what was read of a machine could not be noted in the catalogue");
    }
}

fn entry(facts: &Facts, plan: &Plan, next: Option<Timestamp>, now: Timestamp) -> Option<Entry> {
    let MachineSeen::Present(machine) = &facts.machine else { return None };
    let mut points: Vec<Seen> = match &facts.collection {
        CollectionSeen::Present(seen) if facts.owner.has_made(seen) => seen.points.iter().map(point).collect(),
        CollectionSeen::Present(_) | CollectionSeen::Absent | CollectionSeen::GroupAbsent => Vec::new(),
        CollectionSeen::Unknown(_) => return None,
    };
    if let SnapshotsSeen::Read(seen) = &facts.snapshots {
        points.extend(whole_sets(facts, &machine.vm_id, seen));
    }
    let collection = match &facts.collection {
        CollectionSeen::Present(_) => {
            let key = id::MachineKey::new(&machine.vm_id, &machine.id);
            let group = id::points_group(&lifeboat_planning::creation::region(&machine.about.location));
            let (subscription, name) = (&machine.about.subscription, id::collection(&key));
            format!(
                "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/restorePointCollections/{name}"
            )
        }
        CollectionSeen::Absent | CollectionSeen::GroupAbsent | CollectionSeen::Unknown(_) => String::new(),
    };
    Some(Entry {
        vm_id: machine.vm_id.clone(),
        machine: machine.id.clone(),
        collection,
        read_at: now,
        look_at: next.unwrap_or_else(|| look_at(plan, now)),
        total: u32::try_from(points.len()).unwrap_or(u32::MAX),
        points,
    })
}

/// With nothing to wait for a sweep may ask at once; what only reports or was refused for good is left alone for a while.
fn look_at(plan: &Plan, now: Timestamp) -> Timestamp {
    let waits =
        |refusal: &Refusal| matches!(refusal, Refusal::ReportOnly | Refusal::ProtectionsCounted | Refusal::Incident);
    let settled = plan.refusals.iter().any(|refusal| refusal.alarms() || waits(refusal));
    if settled { now.checked_add(SETTLED_FOR).unwrap_or(now) } else { now }
}

fn point(seen: &lifeboat_planning::facts::Point) -> Seen {
    let consistency = match seen.consistency.as_deref() {
        Some("ApplicationConsistent") => Consistency::Application,
        Some("FileSystemConsistent") => Consistency::FileSystem,
        Some("CrashConsistent") => Consistency::Crash,
        _ => Consistency::NotSaid,
    };
    Seen(seen.name.clone(), seen.created_at.map_or(0, Timestamp::as_second), state(seen.state), consistency)
}

/// Of each set of snapshots that is whole one line, under the name of its first.
fn whole_sets<'a>(
    facts: &'a Facts,
    vm_id: &str,
    snapshots: &'a [lifeboat_planning::facts::Snapshot],
) -> impl Iterator<Item = Seen> + use<'a> {
    let vm_hash = id::machine_source(vm_id);
    lifeboat_planning::points::whole_sets(snapshots, &facts.owner, &vm_hash)
        .into_iter()
        .map(|(name, at)| Seen(name, at.map_or(0, Timestamp::as_second), State::Succeeded, Consistency::Crash))
}

fn state(state: PointState) -> State {
    match state {
        PointState::Succeeded => State::Succeeded,
        PointState::Failed => State::Failed,
        PointState::InProgress => State::InProgress,
        PointState::Deleting => State::Deleting,
    }
}
