//! What became of points, by the simulated Azure's own record alone: which are there, and which somebody asked it to delete.
//! It never asks the handler what it did, and never takes one point for another of the same name elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::control::{PointSeen, RequestSeen};

/// The points of machines, as they were at a moment.
#[derive(Clone, Debug, Default)]
pub struct Record {
    points: BTreeMap<String, PointSeen>,
}

/// Something about a point that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is gone, and nobody asked Azure to delete it.
    Vanished {
        /// Its name, short.
        point: String,
        /// Lifeboat made it.
        ours: bool,
    },
    /// Azure was asked to delete it, and it was to stay.
    Deleted {
        /// Its name, short.
        point: String,
        /// Lifeboat made it.
        ours: bool,
    },
    /// It is there, and nothing should have made it.
    New {
        /// Its name, short.
        point: String,
    },
    /// It was to go and is there.
    StillThere {
        /// Its name, short.
        point: String,
    },
}

impl Record {
    /// These points.
    pub fn of(points: impl IntoIterator<Item = PointSeen>) -> Self {
        Self { points: points.into_iter().map(|point| (point.id.to_lowercase(), point)).collect() }
    }

    /// The points of Lifeboat's, newest first.
    pub fn ours(&self) -> Vec<&PointSeen> {
        let mut ours: Vec<&PointSeen> = self.points.values().filter(|point| is_ours(point)).collect();
        ours.sort_by_key(|point| std::cmp::Reverse(point.time_created));
        ours
    }

    /// The points of others.
    pub fn others(&self) -> Vec<&PointSeen> {
        self.points.values().filter(|point| !is_ours(point)).collect()
    }

    /// How many points others made.
    pub fn foreign(&self) -> usize {
        self.others().len()
    }

    /// What is not as it should be now, when these were to go; what is not yet as it should be comes last.
    pub fn held_against(&self, now: &Self, due: &BTreeSet<String>, deletes: &[RequestSeen]) -> Vec<Wrong> {
        let asked = |id: &str| deletes.iter().any(|one| one.path.to_lowercase() == id);
        let (mut wrong, mut not_yet) = (Vec::new(), Vec::new());
        for (id, point) in &self.points {
            let (name, ours, is_there) = (short(&point.name), is_ours(point), now.points.contains_key(id));
            match (due.contains(id), is_there, asked(id)) {
                (false, true, false) | (true, false, true) => {}
                (_, false, false) => wrong.push(Wrong::Vanished { point: name, ours }),
                (false, _, true) => wrong.push(Wrong::Deleted { point: name, ours }),
                (true, true, _) => not_yet.push(Wrong::StillThere { point: name }),
            }
        }
        let new = now.points.iter().filter(|(id, _)| !self.points.contains_key(*id));
        wrong.extend(new.map(|(_, point)| Wrong::New { point: short(&point.name) }));
        wrong.extend(not_yet);
        wrong
    }
}

/// Whether Lifeboat made it: its name, in a group that is Lifeboat's.
pub fn is_ours(point: &PointSeen) -> bool {
    point.name.starts_with("lb-") && point.id.to_lowercase().contains("/resourcegroups/lifeboat-points-")
}

/// The name of a point without its hashes: `lb-daily-20261125t2200z-1`.
pub fn short(name: &str) -> String {
    let parts: Vec<&str> = name.split('-').collect();
    match parts.as_slice() {
        ["lb", rest @ .., _, _] if rest.len() > 2 => format!("lb-{}", rest.join("-")),
        _ => name.to_owned(),
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = |ours: &bool| if *ours { "" } else { ", which is not Lifeboat's," };
        match self {
            Self::Vanished { point, ours } => {
                write!(f, "{point}{} is gone, and nobody asked Azure to delete it", whose(ours))
            }
            Self::Deleted { point, ours } => {
                write!(f, "{point}{} was to stay, and its deletion was asked", whose(ours))
            }
            Self::New { point } => write!(f, "{point} is there, and was not before"),
            Self::StillThere { point } => write!(f, "{point} was to go, and is there"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str = "/subscriptions/s/resourceGroups/lifeboat-points-x/providers/Microsoft.Compute";

    fn point(name: &str, created: &str) -> PointSeen {
        PointSeen {
            name: name.to_owned(),
            id: format!("{GROUP}/restorePointCollections/c/restorePoints/{name}"),
            time_created: created.parse().unwrap(),
            state: "Succeeded".to_owned(),
            consistency: None,
        }
    }

    fn delete(point: &PointSeen) -> RequestSeen {
        RequestSeen { method: "DELETE".to_owned(), path: point.id.to_uppercase(), status: Some(202) }
    }

    #[test]
    fn a_point_may_be_gone_only_when_it_was_due_and_azure_was_asked() {
        let (old, new) = (
            point("lb-daily-20261101t0000z-1-0123-4567", "2026-11-01T00:00:00Z"),
            point("lb-daily-20261102t0000z-1-0123-4567", "2026-11-02T00:00:00Z"),
        );
        let by_hand = point("before-upgrade", "2026-10-01T00:00:00Z");
        let before = Record::of([old.clone(), new.clone(), by_hand.clone()]);
        assert_eq!((before.ours()[0].name.as_str(), before.foreign()), (new.name.as_str(), 1));
        let due = BTreeSet::from([old.id.to_lowercase()]);
        let found = |there: &[&PointSeen], asked: &[&PointSeen]| {
            let deletes: Vec<RequestSeen> = asked.iter().map(|point| delete(point)).collect();
            before.held_against(&Record::of(there.iter().map(|one| (*one).clone())), &due, &deletes)
        };
        let name = |point: &PointSeen| short(&point.name);
        assert_eq!(found(&[&new, &by_hand], &[&old]), []);
        assert_eq!(found(&[&old, &new, &by_hand], &[]), [Wrong::StillThere { point: name(&old) }]);
        assert_eq!(found(&[&by_hand], &[&old]), [Wrong::Vanished { point: name(&new), ours: true }]);
        assert_eq!(found(&[&by_hand], &[&old, &new]), [Wrong::Deleted { point: name(&new), ours: true }]);
        assert_eq!(found(&[&new], &[&old]), [Wrong::Vanished { point: "before-upgrade".to_owned(), ours: false }]);
        let deleted = found(&[&new], &[&old, &by_hand]);
        assert_eq!(deleted, [Wrong::Deleted { point: "before-upgrade".to_owned(), ours: false }]);
        assert_eq!(
            found(&[&new, &by_hand], &[]),
            [Wrong::Vanished { point: name(&old), ours: true }],
            "due, not asked"
        );
        let other = point("lb-daily-20261103t0000z-1-0123-4567", "2026-11-03T00:00:00Z");
        assert_eq!(found(&[&new, &by_hand, &other], &[&old]), [Wrong::New { point: name(&other) }]);
    }

    #[test]
    fn a_name_is_shown_without_its_hashes_and_one_that_is_not_ours_whole() {
        assert_eq!(short("lb-daily-2-20261125t2200z-1-6e1b-91f0"), "lb-daily-2-20261125t2200z-1");
        assert_eq!(short("before-upgrade"), "before-upgrade");
        assert!(!is_ours(&PointSeen {
            id: "/subscriptions/s/resourceGroups/x".to_owned(),
            ..point("lb-a-b-1-c-d", "2026-11-01T00:00:00Z")
        }));
    }
}
