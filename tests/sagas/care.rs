//! With what care changes are sent: saved before, read again right before, and never taken for refused where nobody answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lifeboat_azure::{Latest, ResourceId, traffic_manager};
use lifeboat_execution::saga::record::{self, SagaRecord};
use lifeboat_planning::saga::{Ask, Choice, State};
use lifeboat_simulator::azure::{ArmFault, ArmFaultEffect};
use lifeboat_tests::failing_over::{ENDPOINTS, OTHER, PLAN, Stage};
use lifeboat_tests::rig::CONTAINER;
use lifeboat_tests::tap::{Fate, Service};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test(start_paused = true)]
async fn whatever_is_sent_to_azure_is_in_the_store_before() {
    let stage = Stage::new(21);
    let (sent, unsaved) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (blobs, counts) = (stage.blobs.clone(), (Arc::clone(&sent), Arc::clone(&unsaved)));
    stage.decide(Box::new(move |call| {
        if call.service == Service::Arm && call.writes() {
            counts.0.fetch_add(1, Ordering::Relaxed);
            let bytes = blobs.bytes(CONTAINER, &record::blob_name(PLAN)).expect("a record");
            let record: SagaRecord = serde_json::from_slice(&bytes).expect("a record");
            let saga = record.saga().expect("its progress reads");
            let mut tasks = saga.progress.steps.values().flat_map(|step| step.tasks.values());
            if !tasks.any(|task| task.state == State::Changing) {
                counts.1.fetch_add(1, Ordering::Relaxed);
            }
        }
        Fate::Live
    }));
    stage.begin(stage.order()).await;
    stage.until_asked(Ask::Commit, HOUR).await;
    stage.answer(Ask::Commit, Choice::GoOn, None).await;
    stage.until_asked(Ask::ProtectBack, HOUR).await;
    let counts = (sent.load(Ordering::Relaxed), unsaved.load(Ordering::Relaxed));
    println!("{} changes were sent", counts.0);
    assert!(counts.0 >= 17 && counts.1 == 0, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn the_old_endpoint_is_not_disabled_when_somebody_disabled_the_new_one_after_it_was_looked_at() {
    let stage = Stage::new(22);
    let (blobs, happened) = (stage.blobs.clone(), Arc::new(AtomicUsize::new(0)));
    let once = Arc::clone(&happened);
    // Between the decision, which the ledger has first, and the change the store takes its time.
    stage.decide(Box::new(move |call| {
        let saves = call.service == Service::Blobs && call.method == "PUT" && call.path.ends_with("shop.json");
        let ledger =
            blobs.names(CONTAINER).into_iter().find(|name| name.starts_with("ledger/") && name.ends_with(".jsonl"));
        let text = ledger.and_then(|name| blobs.bytes(CONTAINER, &name)).unwrap_or_default();
        let last = String::from_utf8_lossy(&text).lines().last().unwrap_or_default().to_owned();
        let is_it = saves && last.contains("disable endpoint weu") && once.fetch_add(1, Ordering::Relaxed) == 0;
        if is_it { Fate::Slow(20) } else { Fate::Live }
    }));
    let somebody = stage.process();
    let profile: ResourceId = stage.profile.parse().expect("an id");
    let new_one = profile.child("externalEndpoints", ENDPOINTS.1).expect("an id");
    let latest = || Latest::after(Duration::from_secs(10));
    let meanwhile = async {
        while happened.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        traffic_manager::set_endpoint(&somebody.arm, &new_one, false, latest()).await.expect("it is theirs too");
    };
    stage.begin(stage.order()).await;
    tokio::join!(stage.until(|_| happened.load(Ordering::Relaxed) > 0, HOUR), meanwhile);
    assert_eq!(stage.enabled(), [ENDPOINTS.0], "{}", stage.story());
    traffic_manager::set_endpoint(&somebody.arm, &new_one, true, latest()).await.expect("it is theirs too");
    stage.until_asked(Ask::Commit, HOUR).await;
    assert_eq!(stage.enabled(), [ENDPOINTS.1]);
}

#[tokio::test(start_paused = true)]
async fn a_failover_that_nobody_answered_for_is_looked_for_and_sent_again_only_when_nothing_of_it_is_there() {
    for (effect, asked) in
        [(ArmFaultEffect::ResetBefore, 4), (ArmFaultEffect::ResetAfter, 3), (ArmFaultEffect::Hang, 4)]
    {
        let stage = Stage::new(23);
        stage.azure.arm.fault(ArmFault::new(effect.clone()).on_path("/unplannedFailover"));
        stage.begin(stage.order()).await;
        stage.until_asked(Ask::Commit, HOUR).await;
        let sent = stage.wire.calls().iter().filter(|call| call.path.ends_with("/unplannedFailover")).count();
        assert_eq!(sent, asked, "{effect:?}\n{}", stage.story());
        assert_eq!(stage.running(OTHER).len(), 3);
        let begun = stage.azure.arm.replicas().iter().filter(|item| item.target.is_some()).count();
        assert_eq!(begun, 3);
    }
}
