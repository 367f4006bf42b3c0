//! The account of what was begun for a machine: outcomes that were never saved because we were stopped, and points that came to
//! their end. It never does anything; what is there now answers for what was decided then.

use lifeboat_planning::facts::vault::{ItemSeen, JobOperation, JobsSeen, ProtectionFacts};
use lifeboat_planning::facts::{CollectionSeen, Facts, PointState, SnapshotsSeen};
use lifeboat_planning::id::PointName;

use crate::chain::{Chain, ChainError};
use crate::ledger::{Entry, OutcomeResult};
use crate::lifeboat::Report;

/// How effects begin, in the words of the ledger: what they were about is read from there.
const GROUP: &str = "make resource group ";
const COLLECTION: &str = "make restore point collection ";
const POINT: &str = "make restore point ";
const SNAPSHOT: &str = "make snapshot ";
/// See above; what became of it is told.
pub const PROTECT: &str = "protect the machine ";
const BACK_UP: &str = "back the machine up ";
/// See above; what became of it is told.
pub const DELETE_POINT: &str = "delete restore point ";
/// See above; what became of it is told.
pub const DELETE_SNAPSHOT: &str = "delete snapshot ";

/// What answers.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The machine's collection.
    pub collection: &'a CollectionSeen,
    /// The snapshots of its points' group.
    pub snapshots: &'a SnapshotsSeen,
    /// Its protection in a vault, where it was looked at.
    pub protection: Option<&'a ProtectionFacts>,
}

impl<'a> Seen<'a> {
    /// What was read in one look.
    pub fn of(facts: &'a Facts) -> Self {
        Self { collection: &facts.collection, snapshots: &facts.snapshots, protection: facts.protection.as_ref() }
    }
}

/// True when only the snapshots of the points' group can answer for an effect.
pub fn asks_for_snapshots(what: &str) -> bool {
    what.starts_with(SNAPSHOT) || what.starts_with(DELETE_SNAPSHOT)
}

/// Answers for effects without an outcome, and says which points came to an end.
pub async fn settle(chain: &mut Chain<'_>, seen: &Seen<'_>, report: &mut Report) -> Result<(), ChainError> {
    for effect in chain.unanswered() {
        // What is not known now is asked again by the next look.
        let Some(result) = answer(&effect.what, seen) else { continue };
        chain.add(Entry::Outcome { effect: effect.key, result, detail: String::new(), read: None }).await?;
    }
    say_what_ended(chain, seen.collection, report).await
}

/// Answers for deletions without an outcome alone: what else was begun, a look answers for, which reads more.
pub async fn settle_deletions(chain: &mut Chain<'_>, seen: &Seen<'_>) -> Result<(), ChainError> {
    let deletes = |what: &str| what.starts_with(DELETE_POINT) || what.starts_with(DELETE_SNAPSHOT);
    for effect in chain.unanswered().into_iter().filter(|effect| deletes(&effect.what)) {
        let Some(result) = answer(&effect.what, seen) else { continue };
        chain.add(Entry::Outcome { effect: effect.key, result, detail: String::new(), read: None }).await?;
    }
    Ok(())
}

/// What is there now of what an effect wanted; `None` while it is not known.
fn answer(what: &str, seen: &Seen<'_>) -> Option<OutcomeResult> {
    let found = |there: bool| Some(if there { OutcomeResult::FoundAfterStop } else { OutcomeResult::AbsentAfterStop });
    let about = |start: &str| what.strip_prefix(start).map(|rest| rest.split([' ', ',']).next().unwrap_or_default());
    if let Some(name) = about(DELETE_POINT) {
        return point_there(name, seen.collection).and_then(|there| found(!there));
    }
    if let Some(name) = about(SNAPSHOT) {
        return snapshot_there(name, seen.snapshots).and_then(found);
    }
    if let Some(name) = about(DELETE_SNAPSHOT) {
        return snapshot_there(name, seen.snapshots).and_then(|there| found(!there));
    }
    if what.starts_with(GROUP) {
        return match (seen.collection, seen.snapshots) {
            (CollectionSeen::GroupAbsent, _) | (_, SnapshotsSeen::GroupAbsent) => found(false),
            (CollectionSeen::Present(_) | CollectionSeen::Absent, _) | (_, SnapshotsSeen::Read(_)) => found(true),
            (CollectionSeen::Unknown(_), SnapshotsSeen::Unknown(_)) => None,
        };
    }
    if what.starts_with(COLLECTION) {
        return match seen.collection {
            CollectionSeen::Present(_) => found(true),
            CollectionSeen::Absent | CollectionSeen::GroupAbsent => found(false),
            CollectionSeen::Unknown(_) => None,
        };
    }
    if let Some(name) = about(POINT) {
        return point_there(name, seen.collection).and_then(found);
    }
    of_protection(what, seen.protection).map_or(Some(OutcomeResult::UnknownAfterStop), |there| there.and_then(found))
}

fn point_there(name: &str, seen: &CollectionSeen) -> Option<bool> {
    match seen {
        CollectionSeen::Present(collection) => Some(collection.points.iter().any(|point| point.name == name)),
        CollectionSeen::Absent | CollectionSeen::GroupAbsent => Some(false),
        CollectionSeen::Unknown(_) => None,
    }
}

fn snapshot_there(name: &str, seen: &SnapshotsSeen) -> Option<bool> {
    match seen {
        SnapshotsSeen::Read(snapshots) => Some(snapshots.iter().any(|snapshot| snapshot.name == name)),
        SnapshotsSeen::GroupAbsent => Some(false),
        SnapshotsSeen::Unknown(_) => None,
    }
}

/// Whether a change of protection is there: the inner `None` while it is not known, the outer one where nothing will ever tell.
fn of_protection(what: &str, seen: Option<&ProtectionFacts>) -> Option<Option<bool>> {
    let seen = seen?;
    if what.starts_with(PROTECT) {
        return Some(match &seen.item {
            ItemSeen::Present(_) => Some(true),
            ItemSeen::Absent => Some(false),
            ItemSeen::Unknown(_) => None,
        });
    }
    if what.starts_with(BACK_UP) {
        return Some(match &seen.jobs {
            JobsSeen::Read(jobs) => Some(jobs.iter().any(|job| job.operation == JobOperation::Backup)),
            JobsSeen::Unknown(_) => None,
        });
    }
    None
}

/// Points of ours that came to an end since the last look, said once each.
async fn say_what_ended(chain: &mut Chain<'_>, seen: &CollectionSeen, report: &mut Report) -> Result<(), ChainError> {
    let CollectionSeen::Present(collection) = seen else { return Ok(()) };
    for point in collection.points.iter().filter(|point| PointName::parse(&point.name).is_some()) {
        let succeeded = match point.state {
            PointState::Succeeded => true,
            PointState::Failed => false,
            PointState::InProgress | PointState::Deleting => continue,
        };
        let said =
            chain.entries().any(|entry| matches!(entry, Entry::Verified { point: name, .. } if *name == point.name));
        // Only what this chain decided is told in it: of older points its end, which is all that is read, may not speak any more.
        if said || !chain.has_decided(&point.name) {
            continue;
        }
        let (name, consistency) = (point.name.clone(), point.consistency.clone());
        report.lines.push(format!("point {name} {}", if succeeded { "succeeded" } else { "failed" }));
        chain.add(Entry::Verified { point: name, succeeded, consistency }).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use lifeboat_planning::facts::{Collection, Point, UnknownBecause};

    use super::*;

    const UNKNOWN: UnknownBecause = UnknownBecause::NotPermitted;

    #[test]
    fn what_is_there_answers_and_what_is_not_known_does_not() {
        let point = Point {
            name: "lb-a".into(),
            state: PointState::Succeeded,
            created_at: None,
            consistency: None,
            disks: Vec::new(),
        };
        let collection = CollectionSeen::Present(Collection {
            location: String::new(),
            source: String::new(),
            owner: None,
            estate: None,
            vm_hash: None,
            held: Vec::new(),
            points: vec![point],
        });
        let snapshots = SnapshotsSeen::Read(Vec::new());
        let there = Seen { collection: &collection, snapshots: &snapshots, protection: None };
        let (none, blind) = (CollectionSeen::Unknown(UNKNOWN), SnapshotsSeen::Unknown(UNKNOWN));
        let unknown = Seen { collection: &none, snapshots: &blind, protection: None };
        use OutcomeResult::{AbsentAfterStop, FoundAfterStop, UnknownAfterStop};
        for (what, now, later) in [
            ("make resource group g in westeurope", FoundAfterStop, None),
            ("make restore point collection lb-c in westeurope", FoundAfterStop, None),
            ("make restore point lb-a, application-consistent", FoundAfterStop, None),
            ("make restore point lb-b, crash-consistent because x", AbsentAfterStop, None),
            ("make snapshot lb-s of disk os, one of 2 and not atomic", AbsentAfterStop, None),
            ("delete restore point lb-a", AbsentAfterStop, None),
            ("delete restore point lb-b", FoundAfterStop, None),
            ("delete snapshot lb-s", FoundAfterStop, None),
            ("have vault v look for machines", UnknownAfterStop, Some(UnknownAfterStop)),
            ("protect the machine in vault v by vault policy p", UnknownAfterStop, Some(UnknownAfterStop)),
        ] {
            assert_eq!(answer(what, &there), Some(now), "{what}");
            assert_eq!(answer(what, &unknown), later, "{what}");
        }
    }
}
