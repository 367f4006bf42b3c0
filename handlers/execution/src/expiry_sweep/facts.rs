//! The facts of one collection, and what is asked of them: what planning judges, what is restorable, what is still listed.
//! It never asks Azure.

use std::collections::BTreeSet;

use lifeboat_planning::expiry::{LocksSeen, MachinePoints, Scope, Whereabouts};
use lifeboat_planning::facts::{CollectionSeen, Owner, PointState, SnapshotsSeen};
use lifeboat_planning::id::PointName;

use super::memory::Memory;
use super::seen::Subject;
use crate::account;

/// The facts of one collection.
#[derive(Clone, Debug)]
pub struct Facts {
    pub(super) whereabouts: Whereabouts,
    pub(super) scope: Scope,
    pub(super) collection: CollectionSeen,
    pub(super) snapshots: SnapshotsSeen,
    pub(super) disks: Option<Vec<String>>,
    pub(super) locks: LocksSeen,
}

impl Facts {
    /// As planning asks for them.
    pub fn points<'a>(&'a self, subject: &'a Subject, owner: &'a Owner, memory: &Memory) -> MachinePoints<'a> {
        MachinePoints {
            owner,
            machine: subject.machine.as_str(),
            vm_hash: &subject.vm_hash,
            whereabouts: self.whereabouts,
            scope: self.scope.clone(),
            place: subject.place.clone(),
            collection: &self.collection,
            snapshots: &self.snapshots,
            disks: self.disks.clone(),
            locks: self.locks.clone(),
            deleted_by_hand: self.rules().into_iter().filter(|rule| memory.doubts(rule)).collect(),
        }
    }

    /// The rules of all points and snapshots of ours that are listed.
    fn rules(&self) -> BTreeSet<String> {
        let points = match &self.collection {
            CollectionSeen::Present(seen) => seen.points.as_slice(),
            CollectionSeen::Absent | CollectionSeen::GroupAbsent | CollectionSeen::Unknown(_) => &[],
        };
        let snapshots = match &self.snapshots {
            SnapshotsSeen::Read(all) => all.as_slice(),
            SnapshotsSeen::GroupAbsent | SnapshotsSeen::Unknown(_) => &[],
        };
        let names = points.iter().map(|point| &point.name).chain(snapshots.iter().map(|one| &one.name));
        names.filter_map(|name| Some(PointName::parse(name)?.rule)).collect()
    }

    /// What answers for deletions that have no outcome.
    pub fn account(&self) -> account::Seen<'_> {
        account::Seen { collection: &self.collection, snapshots: &self.snapshots, protection: None }
    }

    /// Where the machine is.
    pub fn whereabouts(&self) -> Whereabouts {
        self.whereabouts
    }

    /// The collection.
    pub fn collection(&self) -> &CollectionSeen {
        &self.collection
    }

    /// Names of our restorable points; `None` where the collection was not read.
    pub fn restorable_points(&self, owner: &Owner) -> Option<BTreeSet<String>> {
        match &self.collection {
            CollectionSeen::Unknown(_) => None,
            CollectionSeen::Absent | CollectionSeen::GroupAbsent => Some(BTreeSet::new()),
            CollectionSeen::Present(seen) if !owner.has_made(seen) => None,
            CollectionSeen::Present(seen) => {
                let restorable = seen.points.iter().filter(|point| point.state == PointState::Succeeded);
                Some(restorable.map(|point| point.name.clone()).filter(|name| is_ours(name)).collect())
            }
        }
    }

    /// Names of our restorable snapshots of the machine; `None` where they were not read.
    pub fn restorable_snapshots(&self, owner: &Owner) -> Option<BTreeSet<String>> {
        match &self.snapshots {
            SnapshotsSeen::Unknown(_) => None,
            SnapshotsSeen::GroupAbsent => Some(BTreeSet::new()),
            SnapshotsSeen::Read(all) => {
                let restorable = all.iter().filter(|one| one.state == PointState::Succeeded);
                let ours = restorable.filter(|one| owner.is(one.owner.as_deref(), one.estate.as_deref()));
                Some(ours.map(|one| one.name.clone()).filter(|name| is_ours(name)).collect())
            }
        }
    }

    /// Whether a point or a snapshot of this name is listed; `None` where its list was not read.
    pub fn lists(&self, subject: &Subject, name: &str) -> Option<bool> {
        if is_restore_point(subject, name) {
            return match &self.collection {
                CollectionSeen::Present(seen) => Some(seen.points.iter().any(|point| point.name == name)),
                CollectionSeen::Absent | CollectionSeen::GroupAbsent => Some(false),
                CollectionSeen::Unknown(_) => None,
            };
        }
        match &self.snapshots {
            SnapshotsSeen::Read(all) => Some(all.iter().any(|one| one.name == name)),
            SnapshotsSeen::GroupAbsent => Some(false),
            SnapshotsSeen::Unknown(_) => None,
        }
    }

    /// Whether a point or a snapshot of this name is being deleted.
    pub fn is_deleting(&self, name: &str) -> bool {
        let point = match &self.collection {
            CollectionSeen::Present(seen) => seen.points.iter().find(|point| point.name == name).map(|one| one.state),
            CollectionSeen::Absent | CollectionSeen::GroupAbsent | CollectionSeen::Unknown(_) => None,
        };
        let snapshot = match &self.snapshots {
            SnapshotsSeen::Read(all) => all.iter().find(|one| one.name == name).map(|one| one.state),
            SnapshotsSeen::GroupAbsent | SnapshotsSeen::Unknown(_) => None,
        };
        point.or(snapshot) == Some(PointState::Deleting)
    }
}

/// Whether a name of ours is that of a restore point of the machine: its source is the machine, that of a snapshot is a disk.
pub fn is_restore_point(subject: &Subject, name: &str) -> bool {
    PointName::parse(name).is_some_and(|name| name.source == subject.vm_hash)
}

fn is_ours(name: &str) -> bool {
    PointName::parse(name).is_some()
}
