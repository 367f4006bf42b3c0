//! Expiry held to sentences: the points of one machine, what stays, what goes, and that the audit agrees.

use alloc::string::ToString;
use alloc::vec;
use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::audit;
use crate::effect::Place;
use crate::facts::{Collection, CollectionSeen, Point, PointState, Snapshot, SnapshotsSeen, UnknownBecause};
use crate::id::{SlotName, disk_source, machine_source};
use crate::policy::{AtLeast, Case, Glob, Limits, MachineAttributes, Match, PointKind};
use crate::retention::Keep;
use crate::schedule::Slot;

const MACHINE: &str = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-1";
const GROUP: &str = "/subscriptions/s-1/resourceGroups/lifeboat-points-westeurope";

fn owner() -> crate::facts::Owner {
    crate::facts::Owner { deployment: "lb-weu".into(), estate: "e-1".into() }
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a time")
}

fn days_ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days)
}

fn entry(name: &str, kind: PointKind, last: u32) -> PointEntry {
    PointEntry {
        name: name.into(),
        kind,
        at_least: AtLeast::Crash,
        schedule: None,
        on_create: None,
        keep: Some(Keep { last, min: 1, ..Keep::default() }),
        exclude_disks: None,
        when_machine_deleted: WhenMachineDeleted::KeepLast,
    }
}

fn policy(mode: Mode, points: Vec<PointEntry>) -> BackupPolicy {
    BackupPolicy {
        name: "production".into(),
        mode,
        priority: 0,
        matches: Match::Name(Glob::new("vm-1", Case::Insensitive)),
        rpo: None,
        vault: None,
        points,
        limits: Limits::default(),
    }
}

fn enforced() -> Vec<BackupPolicy> {
    vec![policy(Mode::Enforce, vec![entry("daily", PointKind::RestorePoint, 2), entry("sets", PointKind::Snapshot, 1)])]
}

fn machine() -> MachineAttributes {
    MachineAttributes { name: "vm-1".into(), ..MachineAttributes::default() }
}

fn slot(days: i64) -> SlotName {
    SlotName::At(Slot::new(days_ago(days)).expect("a slot"))
}

fn point(days: i64) -> Point {
    let name = PointName::new("production", "daily", slot(days), machine_source("v-1"), 1).to_string();
    let (created_at, consistency) = (Some(days_ago(days)), Some("CrashConsistent".into()));
    Point { name, state: PointState::Succeeded, created_at, consistency, disks: vec!["/disks/os".into()] }
}

fn snapshot(days: i64, disk: &str, of_disks: usize) -> Snapshot {
    let source = disk_source("v-1", disk, "westeurope");
    Snapshot {
        name: PointName::new("production", "sets", slot(days), source, 1).to_string(),
        state: PointState::Succeeded,
        created_at: Some(days_ago(days)),
        disk: Some(disk.into()),
        owner: Some("lb-weu".into()),
        estate: Some("e-1".into()),
        machine: Some(machine_source("v-1")),
        of_disks: Some(of_disks),
        held: false,
        open_access: false,
    }
}

/// What was read; a test changes what its sentence is about.
struct World {
    collection: Collection,
    snapshots: Vec<Snapshot>,
    whereabouts: Whereabouts,
    machine: MachineAttributes,
    locks: LocksSeen,
    deleted_by_hand: Vec<String>,
    disks: Vec<String>,
    incident: bool,
}

fn world(points: Vec<Point>) -> World {
    World {
        collection: Collection {
            location: "westeurope".into(),
            source: MACHINE.into(),
            owner: Some("lb-weu".into()),
            estate: Some("e-1".into()),
            vm_hash: Some(machine_source("v-1")),
            held: Vec::new(),
            points,
        },
        snapshots: Vec::new(),
        whereabouts: Whereabouts::Living,
        machine: machine(),
        locks: LocksSeen::Scopes(Vec::new()),
        deleted_by_hand: Vec::new(),
        disks: Vec::new(),
        incident: false,
    }
}

/// The verdicts as `days kind`, and what goes, oldest first; the audit must agree with all of it.
fn decided(world: &World, policies: &[BackupPolicy]) -> (Vec<String>, Vec<String>) {
    let (collection, snapshots) =
        (CollectionSeen::Present(world.collection.clone()), SnapshotsSeen::Read(world.snapshots.clone()));
    let vm_hash = machine_source("v-1");
    let scope = Scope::of(policies, &world.machine);
    let points = MachinePoints {
        owner: &owner(),
        machine: MACHINE,
        vm_hash: &vm_hash,
        whereabouts: world.whereabouts,
        scope: if world.incident { scope.during_incident() } else { scope },
        place: Place {
            subscription: "s-1".into(),
            group: "lifeboat-points-westeurope".into(),
            collection: "lb-0".into(),
        },
        collection: &collection,
        snapshots: &snapshots,
        disks: Some(world.disks.clone()),
        locks: world.locks.clone(),
        deleted_by_hand: world.deleted_by_hand.clone(),
    };
    let expiry = decide(&points, policies, now());
    assert_eq!(audit::expiry::audit(&expiry.due, &points, policies, now()), vec![]);
    let days = |at: Timestamp| now().duration_since(at).as_hours() / 24;
    let said =
        expiry.verdicts.iter().map(|verdict| alloc::format!("{} {}", verdict.at.map_or(-1, days), verdict.kind.word()));
    let goes = expiry.due.iter().map(|due| alloc::format!("{} ×{}", days(due.at), due.effects.len()));
    (said.collect(), goes.collect())
}

#[test]
fn what_no_rule_keeps_goes_oldest_first() {
    let world = world(vec![point(1), point(4), point(2), point(3)]);
    let (said, goes) = decided(&world, &enforced());
    assert_eq!(said, ["1 keep", "4 expire", "2 keep", "3 expire"]);
    assert_eq!(goes, ["4 ×1", "3 ×1"]);
}

#[test]
fn nothing_goes_by_a_policy_that_reports_is_renamed_or_not_there() {
    let world = world(vec![point(1), point(2), point(3)]);
    assert_eq!(decided(&world, &[]).1, [""; 0]);
    let reports = policy(Mode::Report, vec![entry("daily", PointKind::RestorePoint, 1)]);
    let (said, goes) = decided(&world, &[reports]);
    assert_eq!((said[2].as_str(), goes.len()), ("3 expire", 0));
    let renamed = BackupPolicy { name: "gold".into(), ..enforced()[0].clone() };
    assert_eq!(decided(&world, &[renamed]).1, [""; 0]);
}

#[test]
fn what_is_not_ours_is_foreign_and_never_touched() {
    let mut world = world(vec![point(1), point(2), point(3), point(4)]);
    world.collection.points[3].name = "nightly-2026".into();
    assert_eq!(
        decided(&world, &enforced()),
        (vec!["4 foreign".into(), "1 keep".into(), "2 keep".into(), "3 expire".into()], vec!["3 ×1".into()])
    );
    for change in [
        |world: &mut World| world.collection.owner = Some("another".into()),
        |world: &mut World| world.collection.owner = None,
        |world: &mut World| world.collection.vm_hash = None,
        |world: &mut World| world.collection.source = "/another/machine".into(),
    ] {
        let mut world = super::tests::world(vec![point(1), point(2), point(3)]);
        change(&mut world);
        let (said, goes) = decided(&world, &enforced());
        assert!(said.iter().all(|one| one.ends_with("foreign")) && goes.is_empty(), "{said:?}");
    }
}

#[test]
fn a_hold_a_lock_and_unread_locks_stand_in_the_way() {
    let points = || vec![point(1), point(2), point(3)];
    let mut held = world(points());
    held.collection.held.push(point(3).name);
    assert_eq!(decided(&held, &enforced()).0[2], "3 blocked");
    for scope in ["/subscriptions/S-1", GROUP, "/subscriptions/s-1/resourcegroups/LIFEBOAT-points-westeurope/"] {
        let mut locked = world(points());
        locked.locks = LocksSeen::Scopes(vec![scope.into()]);
        assert_eq!(decided(&locked, &enforced()).0[2], "3 blocked", "{scope}");
    }
    let mut beside = world(points());
    beside.locks = LocksSeen::Scopes(vec![[GROUP, "-2"].concat(), "/subscriptions/s-10".into()]);
    assert_eq!(decided(&beside, &enforced()).0[2], "3 expire");
    let mut unread = world(points());
    unread.locks = LocksSeen::Unknown;
    assert_eq!(decided(&unread, &enforced()).0[2], "3 blocked");
}

#[test]
fn of_a_machine_that_is_gone_all_stay_for_two_weeks_and_then_the_newest() {
    let mut world = world(vec![point(40), point(41), point(42)]);
    for (whereabouts, goes) in [
        (Whereabouts::GoneSince(days_ago(13)), 0),
        (Whereabouts::GoneSince(days_ago(14)), 2),
        (Whereabouts::Unknown, 0),
        (Whereabouts::Living, 1),
    ] {
        world.whereabouts = whereabouts;
        assert_eq!(decided(&world, &enforced()).1.len(), goes, "{whereabouts:?}");
    }
}

#[test]
fn a_set_of_snapshots_is_one_point_and_goes_whole() {
    let mut world = world(Vec::new());
    for days in [1, 2] {
        world.snapshots.extend([snapshot(days, "/disks/os", 2), snapshot(days, "/disks/data", 2)]);
    }
    assert_eq!(decided(&world, &enforced()), (vec!["1 keep".into(), "2 expire".into()], vec!["2 ×2".into()]));
    world.snapshots[3].held = true;
    assert_eq!(decided(&world, &enforced()).0, ["1 keep", "2 blocked"]);
}

#[test]
fn a_set_that_lacks_a_disk_never_stands_in_for_a_whole_one() {
    let mut world = world(Vec::new());
    world.snapshots = vec![snapshot(1, "/disks/os", 2), snapshot(2, "/disks/os", 2), snapshot(2, "/disks/data", 2)];
    let (said, goes) = decided(&world, &enforced());
    assert_eq!((said[1].as_str(), goes.len()), ("2 keep", 0), "the whole one is the only one");
}

#[test]
fn the_last_point_of_a_disk_stays() {
    let mut world = world(vec![point(1), point(2), point(3)]);
    world.disks = vec!["/disks/OLD".into()];
    world.collection.points[2].disks = vec!["/disks/old".into()];
    assert_eq!(decided(&world, &enforced()).0[2], "3 keep");
    world.collection.points.push(Point { disks: vec!["/disks/old".into()], ..point(4) });
    assert_eq!(decided(&world, &enforced()).0[2..], ["3 keep", "4 expire"], "of two that are due the newer");
}

#[test]
fn where_people_deleted_by_hand_two_must_be_read_first() {
    let mut world = world(vec![point(1), Point { state: PointState::Failed, ..point(9) }]);
    assert_eq!(decided(&world, &enforced()).0[1], "9 expire");
    world.deleted_by_hand.push(hash(&["production", "daily"]));
    assert_eq!(decided(&world, &enforced()).0[1], "9 blocked");
    world.collection.points.push(point(2));
    assert_eq!(decided(&world, &enforced()).0[1], "9 expire");
}

/// The points, of which only this one has the OS disk.
fn world_with_disk_in(days: i64, world: &World) -> CollectionSeen {
    let mut collection = world.collection.clone();
    for one in &mut collection.points {
        if one.name != point(days).name {
            one.disks = vec!["/disks/other".into()];
        }
    }
    CollectionSeen::Present(collection)
}

#[test]
fn nothing_of_a_living_machine_goes_where_nothing_may_be_changed_on_it() {
    let mut policies = enforced();
    let mut world = world(vec![point(1), point(2), point(3)]);
    let goes = |world: &World, policies: &[BackupPolicy]| decided(world, policies).1.len();
    assert_eq!(goes(&world, &policies), 1);
    world.machine.name = "vm-2".into();
    assert_eq!(goes(&world, &policies), 0, "no policy matches it any more");
    let why = Scope::of(&policies, &world.machine).bars("production");
    assert_eq!(why, Some(Reason::OutOfScope));
    world.whereabouts = Whereabouts::GoneSince(days_ago(20));
    assert_eq!(goes(&world, &policies), 2, "a machine that is gone follows nothing any more");
    (world.whereabouts, world.machine.name) = (Whereabouts::Living, "vm-1".into());
    policies.push(BackupPolicy { name: "other".into(), ..policy(Mode::Enforce, Vec::new()) });
    assert_eq!(goes(&world, &policies), 0, "two of the same highest priority match it");
    assert_eq!(Scope::of(&policies, &world.machine).bars("production"), Some(Reason::EqualPriorities));
    policies[1].priority = 1;
    assert_eq!(goes(&world, &policies), 1, "it follows another policy now, and this one's points follow their names");
    policies[1].mode = Mode::Report;
    assert_eq!(goes(&world, &policies), 0, "nothing is changed under report");
    assert_eq!(Scope::of(&policies, &world.machine).bars("other"), None, "its own points are told as what would go");
    policies[1].matches = Match::NoConformingPointFor(SignedDuration::from_hours(48));
    policies[1].mode = Mode::Enforce;
    assert_eq!(goes(&world, &policies), 1, "a point of its own does not end what it covers");
    assert_eq!(Scope::unknown().bars("production"), Some(Reason::MachineUnknown));
}

#[test]
fn during_an_incident_nothing_goes_of_a_living_machine_nor_of_one_that_is_gone() {
    let mut world = world(vec![point(40), point(41), point(42)]);
    for (whereabouts, goes) in [(Whereabouts::Living, 1), (Whereabouts::GoneSince(days_ago(20)), 2)] {
        (world.whereabouts, world.incident) = (whereabouts, false);
        assert_eq!(decided(&world, &enforced()).1.len(), goes, "{whereabouts:?}");
        world.incident = true;
        let (said, gone) = decided(&world, &enforced());
        assert!(gone.is_empty() && said.contains(&"42 blocked".to_string()), "{whereabouts:?}: {said:?}");
    }
    assert_eq!(Scope::unknown().during_incident().bars_all(), Some(Reason::Incident));
}

#[test]
fn the_audit_finds_a_deletion_that_must_not_be() {
    use audit::expiry::Finding;
    let world = world(vec![point(1), point(2), point(3)]);
    let collection = CollectionSeen::Present(world.collection.clone());
    let unread = CollectionSeen::Unknown(UnknownBecause::NotPermitted);
    let vm_hash = machine_source("v-1");
    let place =
        Place { subscription: "s-1".into(), group: "lifeboat-points-westeurope".into(), collection: "lb-0".into() };
    let own = owner();
    let all = |collection, whereabouts| MachinePoints {
        owner: &own,
        machine: MACHINE,
        vm_hash: &vm_hash,
        whereabouts,
        scope: Scope::of(&enforced(), &machine()),
        place: place.clone(),
        collection,
        snapshots: &SnapshotsSeen::GroupAbsent,
        disks: None,
        locks: LocksSeen::Scopes(Vec::new()),
        deleted_by_hand: Vec::new(),
    };
    let due = |days: i64| Due {
        policy: "production".into(),
        name: point(days).name,
        at: days_ago(days),
        effects: vec![Effect::Point(PointEffect::ExpireRestorePoint {
            place: place.clone(),
            point: PointName::parse(&point(days).name).expect("ours"),
        })],
    };
    let found = |due: &[Due], points: &MachinePoints<'_>, policies: &[BackupPolicy]| -> Vec<Finding> {
        audit::expiry::audit(due, points, policies, now()).into_iter().map(|(finding, _)| finding).collect()
    };
    let living = all(&collection, Whereabouts::Living);
    assert_eq!(found(&[due(3)], &living, &enforced()), vec![]);
    assert_eq!(found(&[due(1)], &living, &enforced()), vec![Finding::TooFewLeft], "the newest");
    assert_eq!(found(&[due(1), due(2), due(3)], &living, &enforced()), vec![Finding::TooFewLeft], "all");
    assert_eq!(found(&[due(4)], &living, &enforced()), vec![Finding::NotSeen]);
    assert_eq!(found(&[due(3)], &living, &[]), vec![Finding::NoOrder]);
    let scope = living.scope.clone().during_incident();
    let in_incident = MachinePoints { scope, ..all(&collection, Whereabouts::Living) };
    assert_eq!(found(&[due(3)], &in_incident, &enforced()), vec![Finding::NoOrder], "during an incident");
    assert_eq!(found(&[due(3)], &all(&unread, Whereabouts::Living), &enforced()), vec![Finding::NotSeen]);
    assert_eq!(found(&[due(3)], &all(&collection, Whereabouts::Unknown), &enforced()), vec![Finding::Whereabouts]);
    let holds = MachinePoints { disks: Some(vec!["/disks/OS".into()]), ..living.clone() };
    let alone = world_with_disk_in(3, &world);
    let alone = MachinePoints { collection: &alone, ..holds };
    assert_eq!(found(&[due(3)], &alone, &enforced()), vec![Finding::LastOfDisk]);
    let mut within = enforced();
    within[0].points[0].keep = Some(Keep { within: Some(SignedDuration::from_hours(72)), ..Keep::default() });
    assert_eq!(found(&[due(3)], &living, &within), vec![Finding::Within]);
    let gone = all(&collection, Whereabouts::GoneSince(days_ago(15)));
    assert_eq!(found(&[due(2), due(3)], &gone, &within), vec![], "of a machine long gone all but its newest may go");
    assert_eq!(found(&[due(1)], &gone, &within), vec![Finding::TooFewLeft], "but not its newest");
}

proptest! {
    #[test]
    fn whatever_goes_the_newest_restorable_point_stays_and_deciding_again_frees_no_more(
        days in proptest::collection::btree_set(0i64..60, 1..20),
        failed in proptest::collection::vec(any::<bool>(), 20),
        last in 0u32..5,
        gone in proptest::option::of(0i64..40),
    ) {
        let policies = vec![policy(Mode::Enforce, vec![entry("daily", PointKind::RestorePoint, last)])];
        let points = days.iter().zip(failed).map(|(days, failed)| {
            let state = if failed { PointState::Failed } else { PointState::Succeeded };
            Point { state, ..point(*days) }
        });
        let mut world = world(points.collect());
        world.whereabouts = gone.map_or(Whereabouts::Living, |days| Whereabouts::GoneSince(days_ago(days)));
        let newest = world.collection.points.iter().filter(|one| one.state == PointState::Succeeded).map(|one| one.created_at).max();
        let (said, _) = decided(&world, &policies);
        let stays: Vec<bool> = said.iter().map(|one| !one.ends_with("expire")).collect();
        let mut keep = stays.iter();
        world.collection.points.retain(|_| *keep.next().unwrap_or(&true));
        let still = world.collection.points.iter().filter(|one| one.state == PointState::Succeeded).map(|one| one.created_at).max();
        prop_assert_eq!(newest, still);
        prop_assert!(decided(&world, &policies).1.is_empty());
    }
}
