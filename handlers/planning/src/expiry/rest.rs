//! Decides until when the points of a machine need not be read again: nothing of them can become due before, unless something changes.
//! It never says what could change: whoever skips a reading has to see that nothing did. In doubt the points do not rest.
//!
//! ```text
//! something is due, is made, is deleted, or was not read    no rest
//! a point of the future                                     until its time comes: then the rules count it
//! else                                                      by time alone nothing ever becomes due: the rules go by the points
//! ```

use jiff::Timestamp;

use super::{Expiry, LocksSeen, MachinePoints, Whereabouts};
use crate::facts::{CollectionSeen, PointState, SnapshotsSeen, UnknownBecause};

/// Until when nothing can become due by itself, after this decision on these points; `None` when they must be read again.
///
/// A machine that is gone never rests: how long it has been is the clock's.
pub fn rests_until(points: &MachinePoints<'_>, expiry: &Expiry, now: Timestamp) -> Option<Timestamp> {
    if points.whereabouts != Whereabouts::Living || !expiry.due.is_empty() || points.locks == LocksSeen::Unknown {
        return None;
    }
    let of_collection = match points.collection {
        CollectionSeen::Present(seen) => first_time(seen.points.iter().map(|one| (one.state, one.created_at)), now)?,
        CollectionSeen::Absent => Timestamp::MAX,
        CollectionSeen::GroupAbsent | CollectionSeen::Unknown(_) => return None,
    };
    let of_snapshots = match points.snapshots {
        SnapshotsSeen::Read(all) => {
            let own = all.iter().filter(|one| one.machine.as_deref() == Some(points.vm_hash));
            first_time(own.map(|one| (one.state, one.created_at)), now)?
        }
        SnapshotsSeen::GroupAbsent | SnapshotsSeen::Unknown(UnknownBecause::NotAsked) => Timestamp::MAX,
        SnapshotsSeen::Unknown(_) => return None,
    };
    Some(of_collection.min(of_snapshots))
}

/// The first time of a point that is still to come; `None` where one is on its way to another state, or Azure does not say its time.
fn first_time(points: impl Iterator<Item = (PointState, Option<Timestamp>)>, now: Timestamp) -> Option<Timestamp> {
    let mut first = Timestamp::MAX;
    for (state, at) in points {
        match state {
            PointState::Succeeded | PointState::Failed => {}
            PointState::InProgress | PointState::Deleting => return None,
        }
        let at = at?;
        if at > now {
            first = first.min(at);
        }
    }
    Some(first)
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    use super::*;
    use crate::effect::Place;
    use crate::expiry::{Scope, decide};
    use crate::facts::{Collection, Owner, Point};
    use crate::id::{PointName, SlotName, machine_source};
    use crate::policy::{
        AtLeast, BackupPolicy, Case, Glob, Limits, MachineAttributes, Match, Mode, PointEntry, PointKind,
        WhenMachineDeleted,
    };
    use crate::retention::Keep;
    use crate::schedule::Slot;

    const MACHINE: &str = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm";

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 / 60 * 60 + hours * 3600).expect("a time")
    }

    fn point(hours: i64, state: PointState) -> Point {
        let slot = SlotName::At(Slot::new(at(hours)).expect("a slot"));
        let name = PointName::new("production", "daily", slot, machine_source("v"), 1).to_string();
        Point { name, state, created_at: Some(at(hours)), consistency: None, disks: Vec::new() }
    }

    fn policies(last: u32, mode: Mode) -> Vec<BackupPolicy> {
        let entry = PointEntry {
            name: "daily".into(),
            kind: PointKind::RestorePoint,
            at_least: AtLeast::Crash,
            schedule: None,
            on_create: None,
            keep: Some(Keep { last, min: 1, ..Keep::default() }),
            exclude_disks: None,
            when_machine_deleted: WhenMachineDeleted::KeepLast,
        };
        vec![BackupPolicy {
            name: "production".into(),
            mode,
            priority: 0,
            matches: Match::Name(Glob::new("vm", Case::Insensitive)),
            rpo: None,
            vault: None,
            points: vec![entry],
            limits: Limits::default(),
        }]
    }

    /// What is due at some time, and until when the points rest after that.
    fn judged(
        points: &[Point],
        policies: &[BackupPolicy],
        hours: i64,
        change: impl FnOnce(&mut MachinePoints<'_>),
    ) -> (usize, Option<Timestamp>) {
        let owner = Owner { deployment: "lb".into(), estate: "e".into() };
        let vm_hash: String = machine_source("v");
        let collection = CollectionSeen::Present(Collection {
            location: "westeurope".into(),
            source: MACHINE.into(),
            owner: Some("lb".into()),
            estate: Some("e".into()),
            vm_hash: Some(vm_hash.clone()),
            held: Vec::new(),
            points: points.to_vec(),
        });
        let mut all = MachinePoints {
            owner: &owner,
            machine: MACHINE,
            vm_hash: &vm_hash,
            whereabouts: Whereabouts::Living,
            scope: Scope::of(policies, &MachineAttributes { name: "vm".into(), ..MachineAttributes::default() }),
            place: Place { subscription: "s".into(), group: "g".into(), collection: "lb-0".into() },
            collection: &collection,
            snapshots: &SnapshotsSeen::GroupAbsent,
            disks: None,
            locks: LocksSeen::Scopes(Vec::new()),
            deleted_by_hand: Vec::new(),
        };
        change(&mut all);
        let expiry = decide(&all, policies, at(hours));
        (expiry.due.len(), rests_until(&all, &expiry, at(hours)))
    }

    #[test]
    fn points_rest_for_ever_until_the_first_of_the_future_or_not_at_all() {
        use PointState::{Deleting, Failed, InProgress, Succeeded};
        let rest = |points: &[Point]| judged(points, &policies(2, Mode::Enforce), 0, |_| {}).1;
        assert_eq!(rest(&[]), Some(Timestamp::MAX));
        assert_eq!(rest(&[point(-9, Succeeded), point(-5, Failed)]), Some(Timestamp::MAX));
        assert_eq!(rest(&[point(-9, Succeeded), point(7, Succeeded), point(5, Succeeded)]), Some(at(5)));
        assert_eq!(rest(&[point(-9, Succeeded), point(-8, Succeeded), point(-7, Succeeded)]), None, "one is due");
        assert_eq!(rest(&[point(-9, InProgress)]), None);
        assert_eq!(rest(&[point(-9, Deleting)]), None);
        assert_eq!(rest(&[Point { created_at: None, ..point(-9, Succeeded) }]), None, "its time may yet be said");
    }

    #[test]
    fn what_was_not_read_does_not_rest_nor_does_a_machine_that_is_gone() {
        let points = [point(-9, PointState::Succeeded)];
        let rest = |change: fn(&mut MachinePoints<'_>)| judged(&points, &policies(2, Mode::Enforce), 0, change).1;
        assert_eq!(rest(|_| {}), Some(Timestamp::MAX));
        assert_eq!(rest(|all| all.locks = LocksSeen::Unknown), None);
        assert_eq!(rest(|all| all.whereabouts = Whereabouts::Unknown), None);
        assert_eq!(rest(|all| all.whereabouts = Whereabouts::GoneSince(at(-9000))), None);
        assert_eq!(rest(|all| all.snapshots = &SnapshotsSeen::Unknown(UnknownBecause::NotPermitted)), None);
        assert_eq!(rest(|all| all.snapshots = &SnapshotsSeen::Unknown(UnknownBecause::NotAsked)), Some(Timestamp::MAX));
        assert_eq!(rest(|all| all.collection = &CollectionSeen::Unknown(UnknownBecause::NotPermitted)), None);
        assert_eq!(rest(|all| all.collection = &CollectionSeen::Absent), Some(Timestamp::MAX));
    }

    #[test]
    fn what_only_would_go_rests_too() {
        let points = [-9, -8, -7].map(|hours| point(hours, PointState::Succeeded));
        assert_eq!(judged(&points, &policies(2, Mode::Report), 0, |_| {}), (0, Some(Timestamp::MAX)));
    }

    proptest! {
        #[test]
        fn while_points_rest_nothing_of_them_becomes_due(
            hours in proptest::collection::btree_set(-2000i64..2000, 0..20),
            failed in proptest::collection::vec(any::<bool>(), 20),
            last in 0u32..12,
            later in proptest::collection::vec(0i64..5000, 1..8),
        ) {
            let state = |failed| if failed { PointState::Failed } else { PointState::Succeeded };
            let points: Vec<Point> = hours.iter().zip(failed).map(|(at, failed)| point(*at, state(failed))).collect();
            let policies = policies(last, Mode::Enforce);
            if let Some(until) = judged(&points, &policies, 0, |_| {}).1 {
                for hours in later.into_iter().filter(|hours| at(*hours) < until) {
                    prop_assert_eq!(judged(&points, &policies, hours, |_| {}).0, 0, "after {} hours", hours);
                }
            }
        }
    }
}
