//! Protection held to sentences: one machine, one vault, one look, what must follow.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::audit::{self, Finding};
use crate::facts::vault::VaultPolicy;
use crate::facts::{Agent, CollectionSeen, DiskSupport, Facts, MachineSeen, UnknownBecause};
use crate::policy::{BackupPolicy, Case, Glob, Limits, Location, Match, Mode, OnDrift};
use crate::{Work, plan};

const ID: &str = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-1";
const VAULT: &str = "/subscriptions/s-1/resourceGroups/rg-v/providers/Microsoft.RecoveryServices/vaults/rsv-weu";
const UNKNOWN: UnknownBecause = UnknownBecause::NotPermitted;

fn owner() -> crate::facts::Owner {
    crate::facts::Owner { deployment: "lb-weu".into(), estate: "e-1".into() }
}

fn at(minutes: i64) -> Timestamp {
    "2026-11-22T10:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_mins(minutes)
}

fn policy_id(name: &str) -> String {
    [VAULT, "/backupPolicies/", name].concat()
}

fn rule() -> VaultRule {
    let placement = |location: &str, vault: &str| Placement {
        location: Location::new(location),
        vault: vault.into(),
        vault_policy_from_tag: Some("backup-policy".into()),
        vault_policy: Some("EnhancedPolicy".into()),
    };
    VaultRule {
        placement: vec![placement("northeurope", "rsv-neu"), placement("westeurope", "rsv-weu")],
        on_drift: OnDrift::Report,
    }
}

fn policy() -> BackupPolicy {
    BackupPolicy {
        name: "production".into(),
        mode: Mode::Enforce,
        priority: 0,
        matches: Match::Name(Glob::new("*", Case::Insensitive)),
        rpo: None,
        vault: Some(rule()),
        points: Vec::new(),
        limits: Limits::default(),
    }
}

fn machine() -> Machine {
    Machine {
        id: ID.into(),
        vm_id: "v-1".into(),
        about: MachineAttributes {
            name: "vm-1".into(),
            location: "West Europe".into(),
            subscription: "s-1".into(),
            ..MachineAttributes::default()
        },
        created_at: at(0),
        provisioning: Provisioning::Settled,
        agent: Agent::Ready,
        disks: DiskSupport::default(),
        volumes: Vec::new(),
    }
}

/// A machine that no vault protects, and everything ready for it.
fn unprotected() -> ProtectionFacts {
    ProtectionFacts {
        vault: VaultSeen::Present(Vault { id: VAULT.into(), location: "westeurope".into() }),
        vault_policy: VaultPolicySeen::Present(VaultPolicy {
            id: policy_id("EnhancedPolicy"),
            for_machines: true,
            protected_items: 12,
        }),
        item: ItemSeen::Absent,
        elsewhere: ElsewhereSeen::No,
        listed: Answer::Yes,
        pre_check: PreCheck::Passed,
        jobs: JobsSeen::Read(Vec::new()),
    }
}

fn item(state: ItemState, newest_point: Option<i64>) -> Item {
    Item {
        id: [VAULT, "/item"].concat(),
        state,
        vault_policy: Some(policy_id("enhancedpolicy")),
        soft_deleted: false,
        newest_point: newest_point.map(at),
    }
}

fn with_item(item: Item) -> ProtectionFacts {
    ProtectionFacts { item: ItemSeen::Present(item), ..unprotected() }
}

fn job(operation: JobOperation, state: JobState, minutes: i64) -> Job {
    let code = (state == JobState::Failed).then(|| "UserErrorFsFreezeFailed".into());
    Job { id: "j".into(), operation, state, takes_snapshot: false, started_at: at(minutes), code }
}

fn facts(protection: ProtectionFacts) -> Facts {
    Facts {
        machine: MachineSeen::Present(machine()),
        collection: CollectionSeen::GroupAbsent,
        snapshots: crate::facts::SnapshotsSeen::Unknown(UnknownBecause::NotAsked),
        protection: Some(protection),
        known_since: Some(at(-60)),
        owner: owner(),
        owned_regions: vec!["westeurope".into()],
    }
}

/// What is decided; the audit must find nothing in it.
fn decided(protection: ProtectionFacts) -> Protection {
    let seen = facts(protection.clone());
    let plan = plan(Work { look: 0 }, &policy(), &seen, at(100));
    assert_eq!(audit::audit(&plan, &policy(), &seen), vec![], "the audit has nothing to say of {plan:?}");
    decide(&rule(), &machine(), &protection, 0, at(100))
}

fn refused(sentence: &str, protection: ProtectionFacts, why: Refusal) {
    match decided(protection) {
        Protection::Refused(found) => assert_eq!(found, why, "{sentence}"),
        other => panic!("{sentence}: {other:?}"),
    }
}

fn waits(sentence: &str, protection: ProtectionFacts, why: Refusal) {
    match decided(protection) {
        Protection::Wait(found, look) => {
            assert_eq!(found, why, "{sentence}");
            assert!(look > at(100), "{sentence}");
        }
        other => panic!("{sentence}: {other:?}"),
    }
}

fn does(sentence: &str, protection: ProtectionFacts, text: &str) {
    match decided(protection) {
        Protection::Do(effects, _) => {
            let said: Vec<String> = effects.iter().map(ToString::to_string).collect();
            assert_eq!(said, [text], "{sentence}");
        }
        other => panic!("{sentence}: {other:?}"),
    }
}

#[test]
fn an_unprotected_machine_is_discovered_enabled_and_backed_up() {
    does(
        "not listed: the vault looks for it first",
        ProtectionFacts { listed: Answer::No, ..unprotected() },
        "have vault rsv-weu look for machines",
    );
    does("listed", unprotected(), "protect the machine in vault rsv-weu by vault policy EnhancedPolicy");
    let running = |operation| JobsSeen::Read(vec![job(operation, JobState::InProgress, 99)]);
    waits(
        "its first job runs",
        ProtectionFacts { jobs: running(JobOperation::ConfigureBackup), ..unprotected() },
        Refusal::JobInProgress,
    );
    let enabled = with_item(item(ItemState::IrPending, None));
    does(
        "enabled, and never backed up",
        enabled.clone(),
        "back the machine up into vault rsv-weu, kept until 2026-12-22T11:40:00Z",
    );
    waits(
        "the backup runs",
        ProtectionFacts { jobs: running(JobOperation::Backup), ..enabled },
        Refusal::JobInProgress,
    );
    let protected = with_item(item(ItemState::Protected, Some(50)));
    assert_eq!(decided(protected), Protection::Protected);
}

#[test]
fn what_somebody_changed_is_reported_and_left_alone() {
    for state in [ItemState::ProtectionStopped, ItemState::ProtectionPaused, ItemState::BackupsSuspended] {
        refused("stopped by somebody", with_item(item(state, Some(50))), Refusal::ProtectionStopped);
    }
    let deleted = Item { soft_deleted: true, ..item(ItemState::ProtectionStopped, Some(50)) };
    refused("soft-deleted", with_item(deleted), Refusal::ItemSoftDeleted);
    let other = Item { vault_policy: Some(policy_id("Gold")), ..item(ItemState::Protected, Some(50)) };
    refused("another vault policy", with_item(other), Refusal::OtherVaultPolicy);
    refused("an item of before", with_item(item(ItemState::Protected, Some(-10))), Refusal::ItemOfPredecessor);
    refused("a state of another word", with_item(item(ItemState::Other, None)), Refusal::ItemStateUnknown);
    let elsewhere = ElsewhereSeen::Vault("/other".into());
    refused("elsewhere", ProtectionFacts { elsewhere, ..unprotected() }, Refusal::ProtectedElsewhere);
}

#[test]
fn a_vault_or_a_vault_policy_that_cannot_serve_is_a_refusal() {
    let with = |vault| ProtectionFacts { vault, ..unprotected() };
    let other = Vault { id: VAULT.into(), location: "northeurope".into() };
    refused("another region", with(VaultSeen::Present(other)), Refusal::VaultInOtherRegion);
    refused("no vault", with(VaultSeen::Absent), Refusal::NoVault);
    refused("two of that name", with(VaultSeen::Several), Refusal::SeveralVaults);
    let with = |vault_policy| ProtectionFacts { vault_policy, ..unprotected() };
    let read = |for_machines, protected_items| {
        with(VaultPolicySeen::Present(VaultPolicy { id: policy_id("p"), for_machines, protected_items }))
    };
    refused("no such policy", with(VaultPolicySeen::Absent), Refusal::NoVaultPolicy);
    refused("none named", with(VaultPolicySeen::NotNamed), Refusal::VaultPolicyNotNamed);
    refused("one for databases", read(false, 0), Refusal::VaultPolicyNotForMachines);
    refused("one that is full", read(true, 1_000), Refusal::VaultPolicyFull);
    does("one with a place left", read(true, 999), "protect the machine in vault rsv-weu by vault policy p");
    let pre_check = PreCheck::Failed("UserErrorUnsupportedDiskSize".into());
    refused(
        "Azure's check",
        ProtectionFacts { pre_check, ..unprotected() },
        Refusal::PreCheckFailed("UserErrorUnsupportedDiskSize".into()),
    );
}

#[test]
fn a_failed_job_is_tried_again_later_and_three_times_a_day() {
    let code = || Refusal::BackupJobFailed("UserErrorFsFreezeFailed".into());
    for (operation, base) in [
        (JobOperation::Backup, with_item(item(ItemState::IrPending, None))),
        (JobOperation::ConfigureBackup, unprotected()),
    ] {
        let failed = |minutes: &[i64]| {
            let jobs = minutes.iter().map(|at| job(operation, JobState::Failed, *at)).collect();
            ProtectionFacts { jobs: JobsSeen::Read(jobs), ..base.clone() }
        };
        waits("a quarter of an hour after the first", failed(&[90]), code());
        assert!(matches!(decided(failed(&[85])), Protection::Do(..)), "then again");
        waits("half an hour after the second", failed(&[60, 75]), code());
        refused("the third of a day is the last", failed(&[10, 40, 75]), code());
        assert!(matches!(decided(failed(&[-1400, 10, 40])), Protection::Do(..)), "yesterday's do not count");
        let mut mended = failed(&[10, 20, 30]);
        if let JobsSeen::Read(jobs) = &mut mended.jobs {
            jobs.push(job(operation, JobState::Completed, 40));
        }
        assert!(matches!(decided(mended), Protection::Do(..)), "one that succeeded ends the count");
    }
}

#[test]
fn the_vault_policy_is_named_by_the_tag_first() {
    let mut machine = machine();
    let placement = rule().placement[1].clone();
    let name = |machine: &Machine| vault_policy_name(&placement, &machine.about).map(ToString::to_string);
    assert_eq!(name(&machine).as_deref(), Some("EnhancedPolicy"));
    machine.about.tags.insert("Backup-Policy".into(), "Gold".into());
    assert_eq!(name(&machine).as_deref(), Some("Gold"));
    machine.about.tags.insert("Backup-Policy".into(), String::new());
    assert_eq!(name(&machine).as_deref(), Some("EnhancedPolicy"));
}

fn unknown_somewhere() -> impl Strategy<Value = ProtectionFacts> {
    (0..7usize, any::<bool>()).prop_map(|(place, enabled)| {
        let mut facts = match enabled {
            true => with_item(item(ItemState::IrPending, None)),
            false => unprotected(),
        };
        match place {
            0 => facts.vault = VaultSeen::Unknown(UNKNOWN),
            1 => facts.item = ItemSeen::Unknown(UNKNOWN),
            2 => facts.jobs = JobsSeen::Unknown(UNKNOWN),
            3 => facts = ProtectionFacts { vault_policy: VaultPolicySeen::Unknown(UNKNOWN), ..unprotected() },
            4 => facts = ProtectionFacts { elsewhere: ElsewhereSeen::Unknown(UNKNOWN), ..unprotected() },
            5 => facts = ProtectionFacts { listed: Answer::Unknown(UNKNOWN), ..unprotected() },
            _ => facts = ProtectionFacts { pre_check: PreCheck::Unknown(UNKNOWN), ..unprotected() },
        }
        facts
    })
}

proptest! {
    #[test]
    fn what_is_not_known_changes_nothing(facts in unknown_somewhere()) {
        let waits = matches!(decided(facts), Protection::Wait(Refusal::VaultUnknown(UNKNOWN), _));
        prop_assert!(waits);
    }
}

#[test]
fn the_audit_finds_protection_that_is_not_due() {
    let enable = |vault: &str, vault_policy: &str| ProtectionEffect::Enable {
        vault: vault.into(),
        machine: ID.into(),
        vault_policy: vault_policy.into(),
    };
    let back_up = ProtectionEffect::BackUp { vault: VAULT.into(), machine: ID.into(), keep_until: at(1_000) };
    let found = |effect: ProtectionEffect, protection: ProtectionFacts| -> Vec<Finding> {
        let plan = crate::Plan { effects: vec![Effect::Protection(effect)], ..crate::Plan::default() };
        audit::audit(&plan, &policy(), &facts(protection)).into_iter().map(|note| note.finding).collect()
    };
    let right = || enable(VAULT, &policy_id("EnhancedPolicy"));
    assert_eq!(found(right(), unprotected()), vec![]);
    assert_eq!(found(enable(VAULT, &policy_id("Gold")), unprotected()), vec![Finding::NotAsked]);
    assert_eq!(found(enable("/v/rsv-other", &policy_id("EnhancedPolicy")), unprotected()), vec![Finding::NotAsked]);
    let stopped = with_item(item(ItemState::ProtectionStopped, None));
    assert_eq!(found(right(), stopped.clone()), vec![Finding::ProtectionThere]);
    assert_eq!(found(back_up.clone(), stopped), vec![Finding::BackupNotDue]);
    assert_eq!(found(back_up.clone(), unprotected()), vec![Finding::BackupNotDue]);
    let mut runs = with_item(item(ItemState::IrPending, None));
    assert_eq!(found(back_up.clone(), runs.clone()), vec![]);
    runs.jobs = JobsSeen::Read(vec![job(JobOperation::Backup, JobState::InProgress, 99)]);
    assert_eq!(found(back_up, runs), vec![Finding::BackupNotDue]);
    let plan = crate::Plan { effects: vec![Effect::Protection(right())], ..crate::Plan::default() };
    let without = BackupPolicy { vault: None, ..policy() };
    let notes = audit::audit(&plan, &without, &facts(unprotected()));
    assert_eq!(notes.first().map(|note| note.finding), Some(Finding::NotAsked));
}
