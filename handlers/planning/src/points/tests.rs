//! Points by schedule and snapshots held to sentences: one machine, one look, what must follow; and planning again changes nothing.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::audit;
use crate::effect::PointEffect;
use crate::facts::{
    Agent, Collection, CollectionSeen, DiskSupport, DiskTags, MachineSeen, Snapshot, UnknownBecause, Volume,
};
use crate::policy::{
    AtLeast, Case, DiskMatch, Glob, Limits, MachineAttributes, Match, Mode, OnCreate, WhenMachineDeleted,
};
use crate::schedule::{Cron, Days, Field, Schedule};
use crate::{Plan, Work, plan};

const ID: &str = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-1";

fn owner() -> crate::facts::Owner {
    crate::facts::Owner { deployment: "lb-weu".into(), estate: "e-1".into() }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Each day at two.
fn daily() -> Schedule {
    let cron =
        Cron::new([0].into_iter().collect(), [2].into_iter().collect(), Days::Every, Field::Month.range().collect());
    Schedule::new(cron.expect("a schedule"), TimeZone::UTC)
}

fn entry(name: &str, kind: PointKind, schedule: Option<Schedule>) -> PointEntry {
    PointEntry {
        name: name.into(),
        kind,
        at_least: AtLeast::Crash,
        schedule,
        on_create: None,
        keep: None,
        exclude_disks: None,
        when_machine_deleted: WhenMachineDeleted::KeepLast,
    }
}

fn policy(points: Vec<PointEntry>) -> BackupPolicy {
    BackupPolicy {
        name: "production".into(),
        mode: Mode::Enforce,
        priority: 0,
        matches: Match::Name(Glob::new("*", Case::Insensitive)),
        rpo: None,
        vault: None,
        points,
        limits: Limits::default(),
    }
}

fn disk(name: &str, os: bool, backup: &str) -> Volume {
    let tags: BTreeMap<String, String> = [("Backup".to_string(), backup.to_string())].into();
    Volume { id: ["/disks/", name].concat(), os, tags: DiskTags::Known(tags) }
}

/// A machine of two disks, made in the first minute of November.
fn facts() -> Facts {
    let machine = Machine {
        id: ID.into(),
        vm_id: "v-1".into(),
        about: MachineAttributes {
            name: "vm-1".into(),
            resource_group: "rg".into(),
            subscription: "s-1".into(),
            location: "westeurope".into(),
            ..MachineAttributes::default()
        },
        created_at: at("2026-11-01T00:00:00Z"),
        provisioning: Provisioning::Settled,
        agent: Agent::Ready,
        disks: DiskSupport::default(),
        volumes: vec![disk("os", true, "no"), disk("data", false, "no")],
    };
    Facts {
        machine: MachineSeen::Present(machine),
        collection: CollectionSeen::GroupAbsent,
        snapshots: SnapshotsSeen::GroupAbsent,
        protection: None,
        known_since: Some(at("2026-11-10T00:00:00Z")),
        owner: owner(),
        owned_regions: vec!["westeurope".into()],
    }
}

fn with_points(points: &[(String, PointState)]) -> Facts {
    let point = |(name, state): &(String, PointState)| Point {
        name: name.clone(),
        state: *state,
        created_at: Some(at("2026-11-22T02:10:00Z")),
        consistency: None,
        disks: Vec::new(),
    };
    let collection = Collection {
        location: "westeurope".into(),
        source: ID.into(),
        owner: Some("lb-weu".into()),
        estate: Some("e-1".into()),
        vm_hash: None,
        held: Vec::new(),
        points: points.iter().map(point).collect(),
    };
    Facts { collection: CollectionSeen::Present(collection), ..facts() }
}

fn point(entry: &str, slot: &str, attempt: u32) -> String {
    let slot = Slot::parse(slot).expect("a slot");
    PointName::scheduled("production", entry, slot, "v-1", attempt).to_string()
}

/// The plan; the audit must find nothing in it.
fn decided(policy: &BackupPolicy, facts: &Facts, now: &str) -> Plan {
    let plan = plan(Work { look: 0 }, policy, facts, at(now));
    assert_eq!(audit::audit(&plan, policy, facts), vec![], "the audit has nothing to say of {plan:?}");
    plan
}

/// What is made, by the slots and attempts in its names.
fn made(plan: &Plan) -> Vec<String> {
    let names = plan.effects.iter().filter_map(|effect| match effect {
        Effect::Point(PointEffect::CreateRestorePoint { point, .. }) => Some(point),
        Effect::Point(PointEffect::CreateSnapshot { snapshot, .. }) => Some(snapshot),
        Effect::Point(_) | Effect::Protection(_) => None,
    });
    let said = names.map(|name| PointName::parse(name).expect("a name of ours"));
    said.map(|name| alloc::format!("{} {} {}", name.entry, name.slot, name.attempt)).collect()
}

#[test]
fn a_slot_is_served_once_within_an_hour_of_it_and_not_before_its_turn() {
    let policy = policy(vec![entry("daily", PointKind::RestorePoint, Some(daily()))]);
    let before = point("daily", "20261121T0200Z", 1);
    let facts = with_points(&[(before.clone(), PointState::Succeeded)]);
    let early = decided(&policy, &facts, "2026-11-22T01:59:00Z");
    assert_eq!((made(&early).len(), early.refusals), (0, vec![Refusal::NothingDue]));
    let turn = decided(&policy, &facts, "2026-11-22T03:00:00Z");
    assert_eq!((made(&turn), turn.late, turn.missed), (vec!["daily 20261122T0200Z 1".to_string()], false, 0));
    let late = decided(&policy, &facts, "2026-11-22T03:00:01Z");
    assert!(late.late);
    let served =
        with_points(&[(before, PointState::Succeeded), (point("daily", "20261122T0200Z", 1), PointState::Succeeded)]);
    assert!(made(&decided(&policy, &served, "2026-11-22T04:00:00Z")).is_empty());
}

#[test]
fn of_missed_slots_the_newest_is_made_up_once_and_the_others_are_said() {
    let policy = policy(vec![entry("daily", PointKind::RestorePoint, Some(daily()))]);
    let facts = with_points(&[(point("daily", "20261118T0200Z", 1), PointState::Succeeded)]);
    let plan = decided(&policy, &facts, "2026-11-22T05:00:00Z");
    assert_eq!((made(&plan), plan.late, plan.missed), (vec!["daily 20261122T0200Z 1".to_string()], true, 3));
    let never = decided(&policy, &with_points(&[]), "2026-11-22T05:00:00Z");
    assert_eq!((made(&never).len(), never.missed), (1, 0), "a policy that is new to the machine missed nothing");
}

#[test]
fn the_point_on_creation_is_not_made_again_when_it_has_expired_beside_points_of_slots() {
    let mut rule = entry("daily", PointKind::RestorePoint, Some(daily()));
    rule.on_create = Some(OnCreate { within: SignedDuration::from_hours(24 * 30) });
    let policy = policy(vec![rule]);
    let mut facts = facts();
    facts.known_since = Some(at("2026-11-01T00:00:00Z"));
    let begun = made(&decided(&policy, &facts, "2026-11-01T01:00:00Z"));
    assert!(begun.len() == 1 && begun[0].contains("on-create"), "{begun:?}");
    let mut served = with_points(&[(point("daily", "20261122T0200Z", 1), PointState::Succeeded)]);
    served.known_since = facts.known_since;
    assert_eq!(made(&decided(&policy, &served, "2026-11-22T04:00:00Z")), Vec::<String>::new());
}

#[test]
fn a_slot_before_the_machine_was_made_is_not_its() {
    let policy = policy(vec![entry("daily", PointKind::RestorePoint, Some(daily()))]);
    assert!(made(&decided(&policy, &facts(), "2026-11-01T01:00:00Z")).is_empty());
}

#[test]
fn a_failed_slot_is_tried_three_times_and_the_next_slot_begins_anew() {
    let policy = policy(vec![entry("daily", PointKind::RestorePoint, Some(daily()))]);
    let failed = |attempts: u32| -> Vec<(String, PointState)> {
        (1..=attempts).map(|n| (point("daily", "20261122T0200Z", n), PointState::Failed)).collect()
    };
    let again = decided(&policy, &with_points(&failed(2)), "2026-11-22T04:00:00Z");
    assert_eq!(made(&again), ["daily 20261122T0200Z 3"]);
    let used_up = decided(&policy, &with_points(&failed(3)), "2026-11-22T04:00:00Z");
    assert_eq!((made(&used_up).len(), used_up.refusals), (0, vec![Refusal::AttemptsUsedUp]));
    let next = decided(&policy, &with_points(&failed(3)), "2026-11-23T04:00:00Z");
    assert_eq!(made(&next), ["daily 20261123T0200Z 1"]);
}

#[test]
fn entries_take_turns_because_azure_makes_one_point_of_a_machine_at_a_time() {
    let new = PointEntry {
        on_create: Some(OnCreate { within: SignedDuration::from_hours(24 * 30) }),
        ..entry("first", PointKind::RestorePoint, None)
    };
    let policy = policy(vec![new, entry("daily", PointKind::RestorePoint, Some(daily()))]);
    let now = "2026-11-22T04:00:00Z";
    assert_eq!(made(&decided(&policy, &facts(), now)), ["first on-create 1"]);
    let first = |state| (PointName::on_create("production", "first", "v-1", 1).to_string(), state);
    let plan = decided(&policy, &with_points(&[first(PointState::InProgress)]), now);
    assert_eq!(plan.refusals, [Refusal::PointInProgress, Refusal::OtherPointInProgress]);
    assert!(plan.effects.is_empty() && plan.look_again_at.is_some());
    let plan = decided(&policy, &with_points(&[first(PointState::Succeeded)]), now);
    assert_eq!(made(&plan), ["daily 20261122T0200Z 1"]);
}

#[test]
fn what_is_not_known_makes_nothing() {
    let unknown = UnknownBecause::NotPermitted;
    let now = "2026-11-22T04:00:00Z";
    let points = policy(vec![entry("daily", PointKind::RestorePoint, Some(daily()))]);
    let blind = Facts { collection: CollectionSeen::Unknown(unknown), ..facts() };
    assert_eq!(decided(&points, &blind, now).refusals, [Refusal::CollectionUnknown(unknown)]);
    let sets = policy(vec![entry("sets", PointKind::Snapshot, Some(daily()))]);
    let blind = Facts { snapshots: SnapshotsSeen::Unknown(unknown), ..facts() };
    assert_eq!(decided(&sets, &blind, now).refusals, [Refusal::SnapshotsUnknown(unknown)]);
    let mut excluding = entry("sets", PointKind::Snapshot, Some(daily()));
    excluding.exclude_disks = Some(DiskMatch::Tag { key: "backup".into(), value: Glob::new("no", Case::Sensitive) });
    let mut blind = facts();
    if let MachineSeen::Present(machine) = &mut blind.machine {
        machine.volumes[1].tags = DiskTags::Unknown;
    }
    assert_eq!(decided(&policy(vec![excluding]), &blind, now).refusals, [Refusal::DiskTagsUnknown]);
}

/// The simplest world that obeys: each snapshot asked for is there, in this state.
fn obey(facts: &Facts, plan: &Plan, state: PointState) -> Facts {
    let mut snapshots = match &facts.snapshots {
        SnapshotsSeen::Read(snapshots) => snapshots.clone(),
        SnapshotsSeen::GroupAbsent | SnapshotsSeen::Unknown(_) => Vec::new(),
    };
    for effect in &plan.effects {
        if let Effect::Point(PointEffect::CreateSnapshot { snapshot, disk, tags, .. }) = effect {
            snapshots.push(Snapshot {
                name: snapshot.clone(),
                state,
                created_at: None,
                disk: Some(disk.clone()),
                owner: Some(tags.owner.clone()),
                estate: Some(tags.estate.clone()),
                machine: Some(tags.machine.clone()),
                of_disks: Some(tags.of_disks),
                held: false,
                open_access: false,
            });
        }
    }
    Facts { snapshots: SnapshotsSeen::Read(snapshots), ..facts.clone() }
}

#[test]
fn a_set_has_a_snapshot_of_each_disk_and_counts_when_all_succeeded() {
    let policy = policy(vec![entry("sets", PointKind::Snapshot, Some(daily()))]);
    let now = "2026-11-22T04:00:00Z";
    let plan = decided(&policy, &facts(), now);
    assert_eq!(made(&plan), ["sets 20261122T0200Z 1", "sets 20261122T0200Z 1"]);
    assert_eq!(plan.effects.len(), 3, "the group comes first");
    assert!(plan.effects[1].to_string().ends_with("of disk os, one of 2 and not atomic"), "{}", plan.effects[1]);
    let done = obey(&facts(), &plan, PointState::Succeeded);
    assert_eq!(decided(&policy, &done, now).refusals, [Refusal::NothingDue]);
    let runs = obey(&facts(), &plan, PointState::InProgress);
    assert_eq!(decided(&policy, &runs, now).refusals, [Refusal::PointInProgress]);
}

#[test]
fn of_a_set_only_the_disk_that_failed_is_tried_again() {
    let policy = policy(vec![entry("sets", PointKind::Snapshot, Some(daily()))]);
    let now = "2026-11-22T04:00:00Z";
    let mut seen = obey(&facts(), &decided(&policy, &facts(), now), PointState::Succeeded);
    if let SnapshotsSeen::Read(snapshots) = &mut seen.snapshots {
        snapshots[1].state = PointState::Failed;
    }
    let again = decided(&policy, &seen, now);
    assert_eq!(made(&again), ["sets 20261122T0200Z 2"]);
    let twice = obey(&seen, &again, PointState::Failed);
    let thrice = obey(&twice, &decided(&policy, &twice, now), PointState::Failed);
    assert_eq!(decided(&policy, &thrice, now).refusals, [Refusal::AttemptsUsedUp]);
}

#[test]
fn a_data_disk_is_left_out_by_its_tag_and_the_os_disk_never() {
    let mut entry = entry("sets", PointKind::Snapshot, Some(daily()));
    entry.exclude_disks = Some(DiskMatch::Tag { key: "BACKUP".into(), value: Glob::new("no", Case::Sensitive) });
    let mut restore_point = entry.clone();
    restore_point.kind = PointKind::RestorePoint;
    let now = "2026-11-22T04:00:00Z";
    let plan = decided(&policy(vec![entry]), &facts(), now);
    assert_eq!(made(&plan).len(), 1);
    assert!(plan.effects[1].to_string().ends_with("of disk os, one of 1 and not atomic"), "{}", plan.effects[1]);
    let plan = decided(&policy(vec![restore_point]), &facts(), now);
    let excluded = plan.effects.iter().find_map(|effect| match effect {
        Effect::Point(PointEffect::CreateRestorePoint { excluded, .. }) => Some(excluded.clone()),
        _ => None,
    });
    assert_eq!(excluded, Some(vec!["/disks/data".to_string()]));
}

proptest! {
    #[test]
    fn planning_again_makes_nothing_more(hours in 0i64..200, states in proptest::collection::vec(0u8..3, 0..6)) {
        let policy = policy(vec![entry("sets", PointKind::Snapshot, Some(daily()))]);
        let now = at("2026-11-18T03:00:00Z") + SignedDuration::from_hours(hours);
        let mut seen = facts();
        for state in states {
            let plan = crate::plan(Work { look: 0 }, &policy, &seen, now);
            prop_assert_eq!(audit::audit(&plan, &policy, &seen), vec![]);
            let state = [PointState::Succeeded, PointState::Failed, PointState::InProgress][usize::from(state)];
            seen = obey(&seen, &plan, state);
            if state != PointState::Failed {
                let again = crate::plan(Work { look: 0 }, &policy, &seen, now);
                prop_assert!(plan.effects.is_empty() || again.effects.is_empty());
            }
        }
    }
}
