//! Decisions held to sentences: one machine, one look, what must follow. Facts are data; `decided` is the one check.

mod any;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::audit::{self, Finding};
use crate::effect::{Consistency, CrashBecause, Effect, PointEffect};
use crate::facts::*;
use crate::id::{MachineKey, PointName, collection};
use crate::policy::{
    AtLeast, BackupPolicy, Glob, Limits, Match, Mode, OnCreate, PointEntry, PointKind, WhenMachineDeleted,
};
use crate::refusal::Refusal;
use crate::{Plan, VerdictKind, Work, creation, look, plan, sweep};

const ID: &str = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-1";
const VM_ID: &str = "0a8d2b7e-0000-4000-8000-000000000001";

const ESTATE: &str = "00000000-0000-4000-8000-0000000000e5";

fn owner(deployment: &str, estate: &str) -> Owner {
    Owner { deployment: deployment.into(), estate: estate.into() }
}

pub(crate) fn at(minutes: i64) -> Timestamp {
    "2026-11-22T10:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_mins(minutes)
}

pub(crate) fn policy() -> BackupPolicy {
    BackupPolicy {
        name: "production".into(),
        mode: Mode::Enforce,
        priority: 0,
        rpo: None,
        vault: None,
        limits: Limits::default(),
        matches: Match::Name(Glob::new("*", crate::policy::Case::Insensitive)),
        points: vec![PointEntry {
            name: "daily".into(),
            kind: PointKind::RestorePoint,
            at_least: AtLeast::Crash,
            schedule: None,
            keep: None,
            exclude_disks: None,
            when_machine_deleted: WhenMachineDeleted::KeepLast,
            on_create: Some(OnCreate { within: SignedDuration::from_hours(24) }),
        }],
    }
}

/// A machine created at 0, known since −60, looked at now.
pub(crate) fn facts() -> Facts {
    let about = crate::policy::MachineAttributes {
        name: "vm-1".into(),
        resource_group: "rg".into(),
        subscription: "s-1".into(),
        location: "westeurope".into(),
        ..Default::default()
    };
    Facts {
        machine: MachineSeen::Present(Machine {
            id: ID.into(),
            vm_id: VM_ID.into(),
            about,
            created_at: at(0),
            provisioning: Provisioning::Settled,
            agent: Agent::Ready,
            disks: DiskSupport::default(),
            volumes: Vec::new(),
        }),
        collection: CollectionSeen::GroupAbsent,
        snapshots: SnapshotsSeen::Unknown(UnknownBecause::NotAsked),
        protection: None,
        known_since: Some(at(-60)),
        owner: owner("lb-weu", ESTATE),
        owned_regions: vec!["westeurope".into()],
    }
}

pub(crate) fn with_machine(change: impl FnOnce(&mut Machine)) -> Facts {
    let mut facts = facts();
    if let MachineSeen::Present(machine) = &mut facts.machine {
        change(machine);
    }
    facts
}

fn name(attempt: u32) -> String {
    PointName::on_create("production", "daily", VM_ID, attempt).to_string()
}

fn with_points(points: &[(String, PointState, i64)]) -> Facts {
    let point = |(name, state, made): &(String, PointState, i64)| Point {
        name: name.clone(),
        state: *state,
        created_at: Some(at(*made)),
        consistency: None,
        disks: Vec::new(),
    };
    let collection = Collection {
        location: "West Europe".into(),
        source: ID.to_uppercase(),
        owner: Some("lb-weu".into()),
        vm_hash: None,
        held: Vec::new(),
        estate: Some(ESTATE.into()),
        points: points.iter().map(point).collect(),
    };
    Facts { collection: CollectionSeen::Present(collection), ..facts() }
}

/// Plans at `now` (minutes) and holds every plan to its audit.
fn decided(facts: &Facts, now: i64) -> Plan {
    let plan = plan(Work { look: 0 }, &policy(), facts, at(now));
    assert_eq!(audit::audit(&plan, &policy(), facts), vec![], "the audit accepts what is planned");
    plan
}

fn refused(facts: &Facts, now: i64, why: Refusal) -> Plan {
    let plan = decided(facts, now);
    assert_eq!((plan.effects.len(), plan.refusals.as_slice()), (0, [why].as_slice()));
    plan
}

fn made(plan: &Plan) -> Option<(String, Consistency)> {
    plan.effects.iter().find_map(|effect| match effect {
        Effect::Point(PointEffect::CreateRestorePoint { point, consistency, .. }) => {
            Some((point.clone(), *consistency))
        }
        Effect::Point(_) | Effect::Protection(_) => None,
    })
}

#[test]
fn a_new_machine_gets_group_collection_and_point_in_this_order_and_a_look() {
    let plan = decided(&facts(), 1);
    assert_eq!(plan.effects.len(), 3);
    assert_eq!(made(&plan), Some((name(1), Consistency::Application)));
    assert!(plan.look_again_at > Some(at(1)) && !plan.late);
}

#[test]
fn without_a_ready_agent_the_point_is_crash_consistent_and_says_why() {
    let plan = decided(&with_machine(|m| m.agent = Agent::NotReady), 1);
    assert_eq!(made(&plan), Some((name(1), Consistency::Crash(CrashBecause::AgentNotReady))));
}

#[test]
fn disks_that_allow_no_crash_consistent_point_wait_for_the_agent() {
    let facts = with_machine(|m| {
        m.agent = Agent::NotReady;
        m.disks.no_crash_consistent = true;
    });
    assert!(refused(&facts, 1, Refusal::NeedsAgent).look_again_at.is_some());
    refused(&with_machine(|m| m.disks.ephemeral_os = true), 1, Refusal::EphemeralOsDisk);
}

#[test]
fn an_update_of_an_old_machine_makes_nothing() {
    // Known since −60 with a window of 24 h: created before −25 h is old.
    refused(&with_machine(|m| m.created_at = at(-25 * 60 - 1)), 1, Refusal::NotNew);
    assert!(made(&decided(&with_machine(|m| m.created_at = at(-25 * 60)), 1)).is_some());
}

#[test]
fn a_point_missed_by_an_outage_of_ours_is_made_late_and_marked() {
    let facts = Facts { known_since: Some(at(-60)), ..facts() };
    let plan = decided(&facts, 25 * 60);
    assert!(made(&plan).is_some() && plan.late);
}

#[test]
fn unknown_changes_nothing() {
    use UnknownBecause::{NotPermitted, SubscriptionNotEnabled};
    let machine = |seen| Facts { machine: seen, ..facts() };
    refused(&machine(MachineSeen::Gone), 1, Refusal::MachineGone);
    refused(&machine(MachineSeen::Unknown(SubscriptionNotEnabled)), 1, Refusal::MachineUnknown(SubscriptionNotEnabled));
    let collection = Facts { collection: CollectionSeen::Unknown(NotPermitted), ..facts() };
    assert!(refused(&collection, 1, Refusal::CollectionUnknown(NotPermitted)).look_again_at.is_some());
    refused(&Facts { known_since: None, ..facts() }, 1, Refusal::CreationsUnknown);
}

#[test]
fn machines_managed_by_something_else_are_left_alone_unless_they_are_named() {
    let facts = with_machine(|m| m.about.managed_by = Some("aks".into()));
    refused(&facts, 1, Refusal::ManagedElsewhere);
    let named = BackupPolicy { matches: Match::Name(Glob::new("vm-1", crate::policy::Case::Insensitive)), ..policy() };
    let plan = plan(Work { look: 0 }, &named, &facts, at(1));
    assert_eq!((made(&plan).is_some(), plan.refusals), (true, vec![]));
}

#[test]
fn under_report_the_effects_are_told_and_none_is_done() {
    let report = BackupPolicy { mode: Mode::Report, ..policy() };
    let plan = plan(Work { look: 0 }, &report, &facts(), at(1));
    assert_eq!((plan.effects.len(), plan.would.len(), plan.look_again_at), (0, 3, None));
}

#[test]
fn a_standing_or_running_point_is_never_doubled() {
    let done = refused(&with_points(&[(name(1), PointState::Succeeded, 1)]), 2, Refusal::AlreadyProtected);
    assert_eq!(done.look_again_at, None);
    let running = refused(&with_points(&[(name(1), PointState::InProgress, 1)]), 2, Refusal::PointInProgress);
    assert!(running.look_again_at.is_some());
    let other = with_points(&[("someone-elses".into(), PointState::InProgress, 1)]);
    let plan = refused(&other, 2, Refusal::OtherPointInProgress);
    assert_eq!(plan.verdicts[0].kind, VerdictKind::Foreign);
}

#[test]
fn failed_attempts_are_followed_by_new_names_later_and_rarer_up_to_the_bound() {
    let first = (name(1), PointState::Failed, 1);
    let waits = refused(&with_points(std::slice::from_ref(&first)), 2, Refusal::AttemptWaits);
    assert_eq!(waits.look_again_at, Some(at(6)));
    let second = decided(&with_points(std::slice::from_ref(&first)), 6);
    assert_eq!(made(&second), Some((name(2), Consistency::Application)));
    let third = with_points(&[first.clone(), (name(2), PointState::Failed, 6)]);
    assert_eq!(made(&decided(&third, 16)), Some((name(3), Consistency::Crash(CrashBecause::ApplicationAttemptFailed))));
    let used_up = with_points(&[first, (name(3), PointState::Failed, 16)]);
    refused(&used_up, 600, Refusal::AttemptsUsedUp);
}

#[test]
fn a_collection_of_somebody_else_is_never_written_to() {
    let mut facts = with_points(&[]);
    for change in [
        (|c: &mut Collection| c.owner = None) as fn(&mut Collection),
        |c| c.owner = Some("lb-neu".into()),
        |c| c.estate = None,
        |c| c.estate = Some("00000000-0000-4000-8000-0000000000ff".into()),
        |c| c.source = "/subscriptions/s-1/other".into(),
        |c| c.location = "northeurope".into(),
    ] {
        let mut other = facts.clone();
        if let CollectionSeen::Present(collection) = &mut other.collection {
            change(collection);
        }
        refused(&other, 1, Refusal::CollectionForeign);
    }
    facts.owner = owner("lb-neu", ESTATE);
    refused(&facts, 1, Refusal::CollectionForeign);
}

#[test]
fn a_machine_in_a_region_of_others_is_left_alone() {
    let elsewhere = Facts { owned_regions: vec!["northeurope".into()], ..facts() };
    refused(&elsewhere, 1, Refusal::NotOurRegion);
    assert_eq!(decided(&with_machine(|m| m.about.location = "West Europe".into()), 1).refusals, vec![]);
}

#[test]
fn a_machine_made_again_under_its_name_gets_its_own_point() {
    let old = decided(&facts(), 1);
    let new = decided(&with_machine(|m| m.vm_id = "0a8d2b7e-0000-4000-8000-000000000002".into()), 1);
    assert_ne!(made(&old), made(&new));
    assert_ne!(old.effects[1].key(), new.effects[1].key());
}

#[test]
fn a_chain_of_looks_ends_and_says_so() {
    let busy = with_machine(|m| m.provisioning = Provisioning::InProgress);
    let last = plan(Work { look: look::LOOKS_MAX }, &policy(), &busy, at(1));
    assert_eq!((last.look_again_at, last.refusals.last()), (None, Some(&Refusal::LooksUsedUp)));
}

#[test]
fn the_audit_finds_what_a_wrong_plan_would_do() {
    let good = decided(&facts(), 1);
    let finds = |plan: &Plan, facts: &Facts, policy: &BackupPolicy, finding: Finding| {
        let found: Vec<_> = audit::audit(plan, policy, facts).into_iter().map(|note| note.finding).collect();
        assert!(found.contains(&finding), "{finding:?} not in {found:?}");
    };
    finds(&good, &facts(), &BackupPolicy { mode: Mode::Report, ..policy() }, Finding::ChangeUnderReport);
    finds(&good, &Facts { machine: MachineSeen::Gone, ..facts() }, &policy(), Finding::MachineNotSeen);
    finds(&good, &with_machine(|m| m.created_at = at(-25 * 60 - 1)), &policy(), Finding::NotACreation);
    finds(&good, &Facts { known_since: None, ..facts() }, &policy(), Finding::NotACreation);
    finds(&good, &with_machine(|m| m.provisioning = Provisioning::Deleting), &policy(), Finding::MachineNotAtRest);
    finds(&good, &with_machine(|m| m.about.managed_by = Some("aks".into())), &policy(), Finding::Managed);
    finds(&good, &with_machine(|m| m.agent = Agent::NotReady), &policy(), Finding::Consistency);
    finds(&good, &with_machine(|m| m.vm_id = "other".into()), &policy(), Finding::Name);
    finds(&good, &with_machine(|m| m.about.location = "northeurope".into()), &policy(), Finding::Place);
    finds(&good, &Facts { owner: owner("lb-neu", ESTATE), ..facts() }, &policy(), Finding::Foreign);
    finds(&good, &Facts { owner: owner("lb-weu", "another"), ..facts() }, &policy(), Finding::Foreign);
    finds(&good, &Facts { owned_regions: vec!["northeurope".into()], ..facts() }, &policy(), Finding::NotOurRegion);
    for state in [PointState::Succeeded, PointState::InProgress, PointState::Failed] {
        finds(&good, &with_points(&[(name(1), state, 1)]), &policy(), Finding::SecondPoint);
    }
    finds(&good, &with_points(&[(name(2), PointState::Succeeded, 1)]), &policy(), Finding::SecondPoint);
    let reversed = Plan { effects: good.effects.iter().rev().cloned().collect(), ..good.clone() };
    finds(&reversed, &facts(), &policy(), Finding::Order);
    let twice = Plan { effects: [good.effects.clone(), good.effects.clone()].concat(), ..good };
    finds(&twice, &facts(), &policy(), Finding::TwoPoints);
}

#[test]
fn a_sweep_moves_on_to_its_start_but_never_past_an_open_creation() {
    let open = |created| sweep::Candidate { id: ID.into(), vm_id: VM_ID.into(), created_at: at(created) };
    assert_eq!(sweep::known_since_after(at(10), at(0), &[]), at(10));
    let held = sweep::known_since_after(at(10), at(0), &[open(7), open(5)]);
    assert!(held < at(5) && held > at(0));
    assert_eq!(sweep::known_since_after(at(10), at(0), &[open(-30)]), at(0), "never backwards");
    let week = 7 * 24 * 60;
    assert_eq!(
        sweep::known_since_after(at(week + 6), at(0), &[open(5)]),
        at(week + 6),
        "given up after a week, alarmed"
    );
    let rule = policy().points[0].on_create.expect("a rule");
    assert!(creation::is_new(at(5), held, rule), "an open creation stays new");
}

#[test]
fn a_sweep_leaves_alone_what_is_protected_or_used_up() {
    let candidate = sweep::Candidate { id: ID.into(), vm_id: VM_ID.into(), created_at: at(0) };
    let standing = |facts: Facts| sweep::standing("production", "daily", &candidate, &facts.collection, &facts.owner);
    let foreign = Facts { owner: owner("lb-weu", "another"), ..with_points(&[(name(2), PointState::Succeeded, 1)]) };
    assert_eq!(standing(foreign), sweep::Standing::Open, "what was made under another estate record is not ours");
    assert_eq!(standing(facts()), sweep::Standing::Open);
    assert_eq!(standing(with_points(&[(name(1), PointState::InProgress, 1)])), sweep::Standing::Open);
    assert_eq!(standing(with_points(&[(name(2), PointState::Succeeded, 1)])), sweep::Standing::Protected);
    assert_eq!(standing(with_points(&[(name(3), PointState::Failed, 1)])), sweep::Standing::UsedUp);
    assert_eq!(standing(with_points(&[(name(2), PointState::Failed, 1)])), sweep::Standing::Open);
}

#[test]
fn a_collections_name_is_of_the_machine() {
    let plan = decided(&facts(), 1);
    let Effect::Point(PointEffect::EnsureCollection { place, .. }) = &plan.effects[1] else { panic!("a collection") };
    assert_eq!(place.collection, collection(&MachineKey::new(VM_ID, ID)));
}
