//! What was seen of a machine's points, brought into the form that retention judges: snapshots of one slot are one set.
//! It never drops one: what is not ours, or not understood, is foreign.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use jiff::Timestamp;

use super::{Scope, is_same_set};
use crate::effect::Place;
use crate::facts::{Collection, CollectionSeen, Owner, Point, PointState, Snapshot, SnapshotsSeen};
use crate::id::PointName;
use crate::policy::AtLeast;
use crate::retention::{Barrier, InUse, Ownership, PointSeen, Presence, State};

/// The points of one machine, living or gone, as they were read.
#[derive(Clone, Debug)]
pub struct MachinePoints<'a> {
    /// The deployment that acts: what another one made is foreign.
    pub owner: &'a Owner,
    /// The machine's ARM id, as its collection has it.
    pub machine: &'a str,
    /// The hash of its `vmId`.
    pub vm_hash: &'a str,
    /// Whether it is still there.
    pub whereabouts: Whereabouts,
    /// What the policies in force say of it, while it is there.
    pub scope: Scope,
    /// Where its collection is.
    pub place: Place,
    /// Its collection.
    pub collection: &'a CollectionSeen,
    /// The snapshots of the points' group.
    pub snapshots: &'a SnapshotsSeen,
    /// Its managed disks that an entry does not exclude, by ARM id; `None` where they are not known.
    pub disks: Option<Vec<String>>,
    /// Locks of the subscription.
    pub locks: LocksSeen,
    /// Rules of which somebody other than Lifeboat deleted points.
    pub deleted_by_hand: Vec<String>,
}

/// Whether a machine is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// It was read under this id, with this identity.
    Living,
    /// It is gone, and was first seen so at this time.
    GoneSince(Timestamp),
    /// Nothing may be concluded.
    Unknown,
}

/// Management locks, as the scopes that they stand on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocksSeen {
    /// Read.
    Scopes(Vec<String>),
    /// Not read: everything counts as locked.
    Unknown,
}

/// One point, or one set of snapshots.
pub(super) struct Seen {
    /// Its name in Azure.
    pub text: String,
    /// Its name as ours; `None` when it is not.
    pub name: Option<PointName>,
    /// What there is to delete.
    pub members: Vec<Member>,
    /// The moment of its content: of a set that of its last snapshot.
    pub at: Option<Timestamp>,
    state: State,
    consistency: Option<AtLeast>,
    held: bool,
    locked: Barrier,
    open_access: bool,
    disks: Vec<String>,
    last_of_disk: bool,
}

/// One resource of a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Member {
    RestorePoint(PointName),
    Snapshot(PointName),
}

impl Whereabouts {
    pub(super) fn presence(self) -> Presence {
        match self {
            Self::Living => Presence::Living,
            Self::GoneSince(since) => Presence::GoneSince(since),
            Self::Unknown => Presence::Unknown,
        }
    }
}

impl Seen {
    /// As retention judges it. A point whose time Azure does not say counts as one of the future: it stays.
    pub(super) fn judged(&self) -> PointSeen<'_> {
        let barrier = |present: bool| if present { Barrier::Present } else { Barrier::Absent };
        PointSeen {
            name: &self.text,
            at: self.at.unwrap_or(Timestamp::MAX),
            state: self.state,
            consistency: self.consistency,
            ownership: Ownership::Ours,
            held: barrier(self.held),
            locked: self.locked,
            in_use: InUse { open_access: barrier(self.open_access), ..InUse::default() },
            last_of_disk: self.last_of_disk,
        }
    }
}

/// All points of a machine, sets of snapshots put together.
pub(super) fn all(points: &MachinePoints<'_>) -> Vec<Seen> {
    let mut seen = Vec::new();
    if let CollectionSeen::Present(collection) = points.collection {
        seen.extend(collection.points.iter().map(|point| restore_point(points, collection, point)));
    }
    if let SnapshotsSeen::Read(snapshots) = points.snapshots {
        for snapshot in snapshots.iter().filter(|one| one.machine.as_deref() == Some(points.vm_hash)) {
            add_snapshot(points, snapshot, &mut seen);
        }
        for one in &mut seen {
            finish_set(one, snapshots);
        }
    }
    mark_last_of_disks(points, &mut seen);
    seen
}

fn restore_point(points: &MachinePoints<'_>, collection: &Collection, point: &Point) -> Seen {
    let ours = points.owner.has_made(collection)
        && collection.source.eq_ignore_ascii_case(points.machine)
        && collection.vm_hash.as_deref() == Some(points.vm_hash);
    let name = PointName::parse(&point.name).filter(|name| ours && name.source == points.vm_hash);
    let path = ["/providers/Microsoft.Compute/restorePointCollections/", &points.place.collection].concat();
    let id = [&group_id(&points.place), path.as_str(), "/restorePoints/", &point.name].concat();
    Seen {
        text: point.name.clone(),
        members: name.iter().cloned().map(Member::RestorePoint).collect(),
        name,
        at: point.created_at,
        state: state(point.state),
        consistency: point.consistency.as_deref().and_then(consistency),
        held: collection.held.contains(&point.name),
        locked: points.locks.on(&id),
        open_access: false,
        disks: point.disks.clone(),
        last_of_disk: false,
    }
}

fn add_snapshot(points: &MachinePoints<'_>, snapshot: &Snapshot, seen: &mut Vec<Seen>) {
    let ours = points.owner.is(snapshot.owner.as_deref(), snapshot.estate.as_deref());
    let name = PointName::parse(&snapshot.name).filter(|_| ours);
    let id = [&group_id(&points.place), "/providers/Microsoft.Compute/snapshots/", &snapshot.name].concat();
    let locked = points.locks.on(&id);
    let set = name.as_ref().and_then(|name| {
        seen.iter_mut().find(|one| {
            one.name.as_ref().is_some_and(|own| is_same_set(own, name))
                && matches!(one.members.first(), Some(Member::Snapshot(_)))
        })
    });
    let members: Vec<Member> = name.iter().cloned().map(Member::Snapshot).collect();
    let disks: Vec<String> = snapshot.disk.iter().cloned().collect();
    match set {
        Some(set) => {
            set.members.extend(members);
            set.at = set.at.max(snapshot.created_at);
            set.held |= snapshot.held;
            set.open_access |= snapshot.open_access;
            set.locked = set.locked.or(locked);
            set.disks.extend(disks);
        }
        None => seen.push(Seen {
            text: snapshot.name.clone(),
            name,
            members,
            at: snapshot.created_at,
            state: state(snapshot.state),
            consistency: Some(AtLeast::Crash),
            held: snapshot.held,
            locked,
            open_access: snapshot.open_access,
            disks,
            last_of_disk: false,
        }),
    }
}

/// The state of a set: restorable when each of its disks has a snapshot that succeeded, whatever attempts failed before.
fn finish_set(set: &mut Seen, snapshots: &[Snapshot]) {
    let names: Vec<&PointName> = set.members.iter().filter_map(Member::as_snapshot).collect();
    if names.is_empty() {
        return;
    }
    let texts: Vec<String> = names.iter().map(ToString::to_string).collect();
    let own: Vec<&Snapshot> = snapshots.iter().filter(|one| texts.contains(&one.name)).collect();
    set.state = state_of_set(&own);
}

/// The state of the set that these snapshots are.
pub fn state_of_set(own: &[&Snapshot]) -> State {
    let wanted = own.iter().filter_map(|one| one.of_disks).max().unwrap_or(usize::MAX);
    let mut done: Vec<String> = own
        .iter()
        .filter(|one| one.state == PointState::Succeeded)
        .filter_map(|one| Some(PointName::parse(&one.name)?.source))
        .collect();
    done.sort();
    done.dedup();
    let any = |state| own.iter().any(|one| one.state == state);
    match () {
        () if any(PointState::Deleting) => State::Deleting,
        () if done.len() >= wanted => State::Restorable,
        () if any(PointState::InProgress) => State::InProgress,
        () => State::Failed,
    }
}

/// Marks of each disk that still exists the newest restorable point: not only where it is the only one, because all could be due at
/// once.
fn mark_last_of_disks(points: &MachinePoints<'_>, seen: &mut [Seen]) {
    for disk in points.disks.iter().flatten() {
        let has = |one: &Seen| {
            let of_disk = one.disks.iter().any(|own| own.eq_ignore_ascii_case(disk));
            one.name.is_some() && one.state == State::Restorable && of_disk
        };
        let newest = seen.iter_mut().filter(|one| has(one)).max_by(|one, other| one.at.cmp(&other.at));
        if let Some(newest) = newest {
            newest.last_of_disk = true;
        }
    }
}

impl Member {
    fn as_snapshot(&self) -> Option<&PointName> {
        match self {
            Self::Snapshot(name) => Some(name),
            Self::RestorePoint(_) => None,
        }
    }
}

impl LocksSeen {
    /// Whether a lock stands on the resource or on anything that it lies in.
    fn on(&self, id: &str) -> Barrier {
        let Self::Scopes(scopes) = self else { return Barrier::Unknown };
        let id = id.to_lowercase();
        let above = |scope: &String| {
            let scope = scope.trim_end_matches('/').to_lowercase();
            id.strip_prefix(&scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if scopes.iter().any(above) { Barrier::Present } else { Barrier::Absent }
    }
}

fn group_id(place: &Place) -> String {
    ["/subscriptions/", &place.subscription, "/resourceGroups/", &place.group].concat()
}

/// The state of one resource.
pub fn state(state: PointState) -> State {
    match state {
        PointState::Succeeded => State::Restorable,
        PointState::Failed => State::Failed,
        PointState::Deleting => State::Deleting,
        PointState::InProgress => State::InProgress,
    }
}

/// Azure's word for a consistency; another word is none.
fn consistency(text: &str) -> Option<AtLeast> {
    match text {
        _ if text.eq_ignore_ascii_case("ApplicationConsistent") => Some(AtLeast::Application),
        _ if text.eq_ignore_ascii_case("FileSystemConsistent") => Some(AtLeast::FileSystem),
        _ if text.eq_ignore_ascii_case("CrashConsistent") => Some(AtLeast::Crash),
        _ => None,
    }
}
