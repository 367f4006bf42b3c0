//! A recovery point as far as keeping it is decided on: its time, its state, and what stands in the way of its end.
//! It never fetches anything; what could not be read is a value of its own and counts as standing in the way.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use jiff::Timestamp;

use crate::policy::AtLeast;

/// A recovery point of one machine and one entry, or a foreign one beside them. A set of snapshots is one point: its state is
/// the weakest of its members' ([`State::of_set`]), what stands in the way of one stands in the way of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PointSeen<'a> {
    /// Its name, unique among the points that are judged together; it decides between two of the same time.
    pub name: &'a str,
    /// The moment that its content is of.
    pub at: Timestamp,
    /// Its state.
    pub state: State,
    /// The consistency that was really reached; `None` when Azure does not say.
    pub consistency: Option<AtLeast>,
    /// Whose it is.
    pub ownership: Ownership,
    /// A person's order to keep it.
    pub held: Barrier,
    /// A lock on it or on what it lies in, or a vault that is immutable.
    pub locked: Barrier,
    /// What uses it.
    pub in_use: InUse,
    /// It holds the newest restorable part of a disk that still exists and is not excluded ([`newest_of_each_disk`]): the newest
    /// and not only a sole one, because of two that both are due neither would be the last.
    pub last_of_disk: bool,
}

/// The state of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It is being deleted.
    Deleting,
    /// It failed or was cancelled; or it is a set that lost a member, or never got one.
    Failed,
    /// It is being made.
    InProgress,
    /// It succeeded, but is not copied whole yet.
    NotWhole,
    /// It succeeded and is copied whole.
    Restorable,
}

/// What a point holds of one disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskPart<'a> {
    /// The point, as an index into the points that are judged together.
    pub point: usize,
    /// The disk; compared as written, so that a doubt keeps more.
    pub disk: &'a str,
    /// The moment that its content is of.
    pub at: Timestamp,
    /// It succeeded and is copied whole, whatever became of the point's other disks.
    pub restorable: bool,
}

/// Of so many points, which are [`PointSeen::last_of_disk`]. `parts` are those of ours and of disks that still exist and are not
/// excluded; where two parts of a disk are of the same moment, both points are.
pub fn newest_of_each_disk(points: usize, parts: &[DiskPart<'_>]) -> Vec<bool> {
    let mut newest: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for part in parts.iter().filter(|part| part.restorable) {
        let at = newest.entry(part.disk).or_insert(part.at);
        *at = (*at).max(part.at);
    }
    let mut last = vec![false; points];
    for part in parts.iter().filter(|part| part.restorable && newest.get(part.disk) == Some(&part.at)) {
        if let Some(last) = last.get_mut(part.point) {
            *last = true;
        }
    }
    last
}

/// Whose a point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// This deployment made it, by name and tag.
    Ours,
    /// Anything else, also where name or tag could not be read.
    Foreign,
}

/// Whether something stands in the way, as far as it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Barrier {
    /// Read: nothing does.
    #[default]
    Absent,
    /// Read: it does.
    Present,
    /// Not read: taken as if it did.
    Unknown,
}

/// What can use a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InUse {
    /// Somebody has access to its content by a signed address (SAS).
    pub open_access: Barrier,
    /// Something is being copied from it.
    pub copying: Barrier,
    /// A saga works with it: a restore, a failover, a drill.
    pub saga: Barrier,
}

impl Barrier {
    /// What stands in the way of a set: of its members' the strictest.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Present, _) | (_, Self::Present) => Self::Present,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Absent, Self::Absent) => Self::Absent,
        }
    }
}

impl State {
    /// The state of a set: the weakest of its members'. A set without members failed.
    pub fn of_set(members: impl IntoIterator<Item = Self>) -> Self {
        members.into_iter().min().unwrap_or(Self::Failed)
    }
}

impl PointSeen<'_> {
    /// True when it is restorable and at least as consistent as asked: what RPO counts, and keeping does not. A consistency
    /// that Azure does not say is none.
    pub fn conforms(&self, at_least: AtLeast) -> bool {
        self.state == State::Restorable && self.consistency.is_some_and(|reached| reached >= at_least)
    }

    /// True when the rules and `min` count it: ours, restorable, of a time that has come.
    pub fn counts(&self, now: Timestamp) -> bool {
        self.ownership == Ownership::Ours && self.state == State::Restorable && self.at <= now
    }
}
