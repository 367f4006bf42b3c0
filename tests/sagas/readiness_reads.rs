//! What readiness reads besides members and their replication, over the simulated Azure: what keeps a recovery plan from being ready, and
//! what is told beside that.

use lifeboat_execution::readiness::record::Record;
use lifeboat_planning::recovery::readiness::State;
use lifeboat_simulator::azure::LockLevel;
use lifeboat_tests::failing_over::{OTHER_GROUP, Stage};
use lifeboat_tests::rig::{GROUP, SUBSCRIPTION};

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
