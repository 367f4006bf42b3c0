//! What readiness reads besides members and their replication, over the simulated Azure: what keeps a recovery plan from being ready, and
//! what is told beside that.

use std::time::Duration;

use jiff::SignedDuration;
use lifeboat_azure::{resource_groups, restore_points};
use lifeboat_execution::readiness::record::Record;
use lifeboat_execution::saga::followed;
use lifeboat_planning::recovery::readiness::State;
use lifeboat_planning::saga::Ask;
use lifeboat_simulator::azure::{ArmFault, ArmFaultEffect, DiskSeed, LockLevel, MachineSeed};
use lifeboat_tests::azure::Azure;
use lifeboat_tests::failing_over::{OTHER, OTHER_GROUP, PLAN, Stage};
use lifeboat_tests::rig::{CONTAINER, GROUP, LOCATION, SUBSCRIPTION};

use crate::checked::replicated;

const HOUR: Duration = Duration::from_secs(3_600);

/// A stage whose recovery plan is in force and was looked at.
async fn looked_at(seed: u64) -> Stage {
    let stage = Stage::new(seed);
    stage.in_force();
    assert_eq!(stage.look_at_readiness().await, ["shop: ready"]);
    stage
}

fn told(record: &Record) -> Vec<&str> {
    record.reasons.iter().map(|reason| reason.text.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_forbids_changes_keeps_it_from_being_ready_and_one_that_forbids_deletes_is_told() {
    let stage = looked_at(61).await;
    let subscription = format!("/subscriptions/{SUBSCRIPTION}");
    let north = format!("{subscription}/resourceGroups/{OTHER_GROUP}");
    let west = format!("{subscription}/resourceGroups/{GROUP}");
    let old = stage.members().next().expect("a member").old.clone();
    let of_target = "the machines to be, the replicated items and the endpoints of traffic";
    for (scope, called, over) in [
        (
            &subscription,
            format!("subscription {SUBSCRIPTION}"),
            "the machines to be, the replicated items, the endpoints of traffic and the old machines",
        ),
        (&north, format!("group {OTHER_GROUP}"), of_target),
        (&stage.vault, "rsv-north".to_owned(), "the replicated items"),
        (&stage.profile, "tm-shop".to_owned(), "the endpoints of traffic"),
        (&west, format!("group {GROUP}"), "the old machines"),
        (&old, "db-1".to_owned(), "the old machines"),
    ] {
        stage.azure.arm.add_lock(scope, "keep", LockLevel::ReadOnly);
        stage.look_at_readiness().await;
        let record = stage.readiness();
        assert_eq!(
            (record.state, told(&record)),
            (State::NotReady, vec![&*format!("lock keep (ReadOnly) on {called} forbids changes of {over}")])
        );
        assert!(stage.azure.arm.remove_lock(scope, "keep"));
    }
    for (scope, tail) in [
        (&north, format!("group {OTHER_GROUP} hinders no failover, and forbids deleting {of_target}")),
        (
            &west,
            format!(
                "group {GROUP} hinders no failover, and forbids deleting the old machines, as protecting the other way does with \
                 the old ones"
            ),
        ),
    ] {
        stage.azure.arm.add_lock(scope, "keep", LockLevel::CanNotDelete);
        assert_eq!(stage.look_at_readiness().await, ["shop: ready"]);
        let notes = stage.readiness().notes;
        assert!(notes.contains(&format!("lock keep (CanNotDelete) on {tail}")), "{notes:?}");
        assert!(stage.azure.arm.remove_lock(scope, "keep"));
    }
    // One that stands beside it all is nobody's.
    stage.azure.arm.add_lock(&format!("{subscription}/resourceGroups/rg-other"), "keep", LockLevel::ReadOnly);
    assert_eq!(stage.look_at_readiness().await, ["shop: ready"]);
}

#[tokio::test(start_paused = true)]
async fn what_agents_still_hold_and_what_is_not_carried_over_is_told_before_a_failover_and_in_it() {
    let stage = looked_at(62).await;
    let mut seed = Azure::seed("db-3");
    seed.identities = vec!["id-shop".to_owned()];
    seed.extensions = vec!["AzureMonitorLinuxAgent".to_owned(), "SiteRecovery-Linux".to_owned()];
    let replica = replicated(&stage, stage.azure.arm.add_machine(&seed));
    stage.azure.arm.add_replica(&replica).expect("an item");
    assert_eq!(stage.look_at_readiness().await, ["shop: ready"]);
    let record = stage.readiness();
    let lacks = "identity id-shop, extension AzureMonitorLinuxAgent";
    let held = "db-3: its agent still holds 1.25 MiB, which is lost where the old machine stops before it is sent";
    for text in [format!("db-3: not carried over to the machine to be: {lacks}"), held.to_owned()] {
        assert!(record.notes.contains(&text), "{text} is not in {:?}", record.notes);
    }
    let copy = record.saved.as_ref().and_then(|saved| saved.member("db-3")).expect("it is saved");
    assert_eq!((copy.of.not_carried.join(", "), copy.replica.pending_kib), (lacks.to_owned(), Some(1_280)));
    // It goes into the order with the member, so that the failover tells it while the old region is silent.
    stage.begin(stage.order_of_what_was_saved().await).await;
    let followed = followed::read(&stage.process().store, PLAN).await.expect("it reads").expect("a failover");
    let line = format!("told      db-3: not carried over to the new machine: {lacks}");
    assert!(followed.lines.contains(&line), "{:?}", followed.lines);
}

#[tokio::test(start_paused = true)]
async fn a_warning_beside_success_is_told_by_record_ledger_and_lines_and_holds_up_nothing() {
    let stage = Stage::new(63);
    stage.begin(stage.order()).await;
    assert!(stage.until(|_| stage.accepted("/unplannedFailover") > 0, HOUR).await, "{}", stage.story());
    // Somebody makes a machine of the name, so that Site Recovery takes another one, and says so beside its success.
    let hour = SignedDuration::from_hours(1);
    let created_at = stage.clock.now().checked_sub(hour).ok();
    let taken = MachineSeed { created_at, ..MachineSeed::new(SUBSCRIPTION, OTHER_GROUP, "db-1", OTHER) };
    stage.azure.arm.add_machine(&taken);
    stage.until_asked(Ask::Commit, 2 * HOUR).await;
    let memory = stage.saga().expect("a saga").runbook.memory;
    let begins = "failover: 28175: The VM name 'db-1' was modified to 'db-1-";
    let heard = &memory.of("db-1").warnings;
    assert!(heard.len() == 1 && heard[0].starts_with(begins), "{heard:?}");
    assert!(memory.of("db-2").warnings.is_empty());
    let words = format!("db-1: a warning beside success: {begins}");
    assert!(stage.story().contains(&words), "{}", stage.story());
    let followed = followed::read(&stage.process().store, PLAN).await.expect("it reads").expect("a failover");
    assert_eq!(followed.lines.iter().filter(|line| line.starts_with(&format!("told      {words}"))).count(), 1);
    let written = |name: &String| {
        let bytes = stage.blobs.bytes(CONTAINER, name).unwrap_or_default();
        String::from_utf8_lossy(&bytes).matches(&words).count()
    };
    let ledgers: usize = stage.blobs.names(CONTAINER).iter().filter(|name| name.contains("ledger")).map(written).sum();
    assert_eq!(ledgers, 1, "it is written down once");
}

#[tokio::test(start_paused = true)]
async fn a_right_that_saving_the_old_disks_needs_is_told_and_hinders_no_failover() {
    // No document has an answer for what is broken, so that it is not held against them.
    let stage = Stage::unwatched(64);
    stage.in_force();
    assert_eq!(stage.look_at_readiness().await, ["shop: ready"]);
    let told = |stage: &Stage| stage.readiness().notes.into_iter().find(|note| note.contains("old disks"));
    // The group is not there yet: what the subscription hands down is held in it, once the step has made it.
    assert_eq!(told(&stage), None, "all of it is allowed");
    stage.azure.take_right(resource_groups::CREATE.action);
    stage.look_at_readiness().await;
    assert!(told(&stage).is_some_and(|note| note.starts_with(resource_groups::CREATE.action)), "{:?}", told(&stage));
    stage.azure.give_rights_back();
    stage.azure.arm.add_group(SUBSCRIPTION, "lifeboat-points-westeurope", LOCATION);
    stage.azure.take_right(restore_points::CREATE.action);
    assert_eq!(stage.look_at_readiness().await, ["shop: ready"]);
    let group = "group lifeboat-points-westeurope";
    let forbidden = format!(
        "{} is not allowed in {group}: after a failover the old disks could not be saved, nor the other way be protected",
        restore_points::CREATE.action
    );
    assert_eq!(told(&stage), Some(forbidden));
    stage.azure.give_rights_back();
    let of_points = "/lifeboat-points-westeurope/providers/Microsoft.Authorization/permissions";
    stage.azure.arm.fault(ArmFault::new(ArmFaultEffect::InternalServerError).on_path(of_points).always());
    assert_eq!(stage.look_at_readiness().await, ["shop: ready"]);
    let unread =
        format!("what is allowed in {group}, where the old disks are saved after a failover, could not be read");
    assert_eq!(told(&stage), Some(unread));
}

#[tokio::test(start_paused = true)]
async fn a_size_that_site_recovery_does_not_offer_the_machine_keeps_it_from_being_ready() {
    let stage = looked_at(65).await;
    // Offered by Compute in that region, and with fewer data disks than the machine has.
    let disk = |number: usize| DiskSeed { name: format!("db-3-data-{number}"), size_gib: 32 };
    let seed =
        MachineSeed { size: "Standard_B1s".to_owned(), disks: (0..3).map(disk).collect(), ..Azure::seed("db-3") };
    let machine = stage.azure.arm.add_machine(&seed);
    stage.azure.arm.add_replica(&replicated(&stage, machine)).expect("an item");
    let not_offered = "db-3: Standard_B1s is not among the sizes that Site Recovery offers for it";
    assert_eq!(stage.look_at_readiness().await, [format!("shop: not ready: {not_offered}")]);
    let record = stage.readiness();
    assert_eq!((record.state, record.reasons[0].member.as_deref()), (State::NotReady, Some("db-3")));
}
