//! Whole failovers, from the order to the protection the other way, and what turns back before the point of no return.

use std::time::Duration;

use lifeboat_execution::saga::{Begun, Event, begin};
use lifeboat_planning::saga::failover::PointChoice;
use lifeboat_planning::saga::{Ask, At, Choice, End};
use lifeboat_simulator::azure::RegionTrouble;
use lifeboat_tests::failing_over::{ENDPOINTS, OTHER, PERSON, Stage, lock};
use lifeboat_tests::rig::{CONTAINER, LOCATION};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test(start_paused = true)]
async fn a_lost_region_serves_from_the_other_one_until_its_old_side_is_protected_the_other_way() {
    let stage = Stage::new(1);
    stage.lose(true);
    stage.begin(stage.order()).await;
    stage.until_asked(Ask::FenceImpossible, HOUR).await;
    stage.answer(Ask::FenceImpossible, Choice::GoOn, None).await;
    stage.until_asked(Ask::Commit, HOUR).await;
    assert_eq!(stage.running(OTHER).len(), 3, "{}", stage.story());
    assert_eq!(stage.enabled(), [ENDPOINTS.1]);
    stage.answer(Ask::Commit, Choice::GoOn, None).await;
    // The old side comes back: what ran there is stopped, and its disks are saved before anybody is asked to let it go.
    assert_eq!(stage.accepted("/deallocate"), 0);
    stage.lose(false);
    stage.until_asked(Ask::ProtectBack, 3 * HOUR).await;
    assert_eq!(stage.accepted("/deallocate"), 3);
    assert!(stage.running(LOCATION).is_empty());
    let points: Vec<usize> = stage.members().map(|it| stage.azure.arm.points_of(&it.old).len()).collect();
    assert_eq!(points, [1, 1, 1]);
    stage.answer(Ask::ProtectBack, Choice::GoOn, None).await;
    stage.until_ended(End::Done, 4 * HOUR).await;
    for (call, times) in [("/unplannedFailover", 3), ("/failoverCommit", 3), ("/switchprotection", 3)] {
        assert_eq!(stage.accepted(call), times, "{call}\n{}", stage.story());
    }
    assert!(stage.azure.machine("db-1").is_some_and(|machine| machine.id.contains("rg-north")), "the old one is gone");
    let done = stage.blobs.names(CONTAINER).into_iter().filter(|name| name.starts_with("sagas/done/shop/")).count();
    assert_eq!(done, 1);
    ledger_is_whole(&stage);
}

#[tokio::test(start_paused = true)]
async fn another_recovery_point_can_be_taken_until_the_commit() {
    let stage = Stage::new(2);
    stage.begin(stage.order()).await;
    stage.until_asked(Ask::Commit, HOUR).await;
    stage.answer(Ask::Commit, Choice::AnotherPoint, Some(PointChoice::LatestProcessed)).await;
    stage.until_asked(Ask::Commit, HOUR).await;
    assert_eq!(stage.accepted("/applyRecoveryPoint"), 3, "{}", stage.story());
    assert_eq!(stage.running(OTHER).len(), 3);
    // The old side answered all the time: its machines were stopped first, and stay so.
    assert!(stage.running(LOCATION).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_order_to_undo_before_the_point_of_no_return_starts_what_the_saga_stopped() {
    let stage = Stage::new(3);
    stage.begin(stage.order()).await;
    let past_fence =
        |saga: &lifeboat_planning::saga::Saga<_>| saga.progress.lanes[0].at != At::Step("preflight".into());
    stage.until(past_fence, HOUR).await;
    stage.until(|_| stage.running(LOCATION).is_empty(), HOUR).await;
    stage.bring(Event::Abort { by: PERSON.to_owned() }).await;
    stage.until_ended(End::Undone, HOUR).await;
    assert_eq!(stage.running(LOCATION).len(), 3, "{}", stage.story());
    assert_eq!((stage.accepted("/start"), stage.accepted("/unplannedFailover")), (3, 0));
    ledger_is_whole(&stage);
}

#[tokio::test(start_paused = true)]
async fn a_recovery_plan_has_one_unfinished_saga_and_another_one_after_it() {
    let stage = Stage::new(4);
    stage.begin(stage.order()).await;
    let mut other = stage.order();
    other.id = "shop/2".to_owned();
    assert_eq!(begin(&stage.process(), other.clone()).await.unwrap(), Begun::Another("shop/1".to_owned()));
    assert_eq!(begin(&stage.process(), stage.order()).await.unwrap(), Begun::Before);
    stage.bring(Event::Abort { by: PERSON.to_owned() }).await;
    stage.until_ended(End::Undone, HOUR).await;
    assert_eq!(begin(&stage.process(), other.clone()).await.unwrap(), Begun::Now);
    other.to = "uksouth".to_owned();
    assert!(begin(&stage.process(), other).await.is_err(), "it fails over into its own region only");
}

#[tokio::test(start_paused = true)]
async fn while_all_changes_are_stopped_it_rests_and_says_in_which_state() {
    let stage = Stage::new(5);
    stage.begin(stage.order()).await;
    lifeboat_execution::stop::stop(&stage.process().store, "we look first", stage.clock.now()).await.unwrap();
    assert!(!stage.until(|saga| saga.ended(), HOUR).await);
    assert_eq!((stage.accepted("/deallocate"), stage.accepted("/unplannedFailover")), (0, 0));
    let told = stage.story();
    assert!(told.contains("all changes are stopped; it rests, failing over at step preflight"), "{told}");
    assert!(told.contains("before the point of no return, with nothing under way in Azure"), "{told}");
    stage.blobs.remove(CONTAINER, lifeboat_execution::stop::BLOB);
    stage.until_asked(Ask::Commit, HOUR).await;
}

#[tokio::test(start_paused = true)]
async fn what_stands_open_is_asked_daily_also_while_all_changes_are_stopped() {
    let stage = Stage::new(5);
    stage.tells_events();
    stage.begin(stage.order()).await;
    stage.until_asked(Ask::Commit, 2 * HOUR).await;
    lifeboat_execution::stop::stop(&stage.process().store, "we look first", stage.clock.now()).await.unwrap();
    assert!(!stage.until(|saga| saga.ended(), 73 * HOUR).await);
    let reminded = stage.story().matches("still open at").count();
    let told: Vec<_> = stage.accepted_events().into_values().flatten().collect();
    let told = told.iter().filter(|event| event["data"]["state"] == "reminded").count();
    assert_eq!((reminded, told), (3, 3), "daily, each told once:\n{}", stage.story());
    assert_eq!(stage.accepted("/failoverCommit"), 0);
    stage.blobs.remove(CONTAINER, lifeboat_execution::stop::BLOB);
    stage.answer(Ask::Commit, Choice::GoOn, None).await;
    stage.until_asked(Ask::ProtectBack, 3 * HOUR).await;
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_not_listed_is_not_known_and_without_it_nothing_is_begun() {
    let stage = Stage::new(6);
    let mut order = stage.order();
    let group = &mut order.groups[0].members[0];
    let mut stranger = lifeboat_planning::saga::failover::Member::clone(group);
    stranger.item = stranger.item.replace("db-1", "db-9");
    *group = stranger.into();
    stage.begin(order).await;
    stage.until_ended(End::Undone, HOUR).await;
    assert_eq!(stage.accepted("/deallocate"), 0, "{}", stage.story());
    assert!(stage.story().contains("the time for it has passed"), "{}", stage.story());
}

#[tokio::test(start_paused = true)]
async fn a_region_that_hangs_costs_each_look_its_bound_and_no_more() {
    let stage = Stage::new(7);
    stage.azure.arm.set_region(LOCATION, Some(RegionTrouble::Down));
    stage.begin(stage.order()).await;
    stage.until_asked(Ask::FenceImpossible, HOUR).await;
    stage.answer(Ask::FenceImpossible, Choice::GoOn, None).await;
    stage.until_asked(Ask::Commit, HOUR).await;
    let took = lock(&stage.took).clone();
    let longest = took.iter().max().copied().unwrap_or_default();
    let all: Duration = took.iter().sum();
    println!(
        "{} invocations, {all:?} in all, the longest {longest:?}: all of it is the lost region's silence",
        took.len()
    );
    // An order to stop is waited for longer than a look; the region never takes one.
    assert!(longest <= Duration::from_secs(30), "{longest:?}");
}

/// Every decision has its outcome, and the chain verifies.
pub fn ledger_is_whole(stage: &Stage) {
    let ledgers =
        lifeboat_tests::ledgers::read_all(&stage.blobs).unwrap_or_else(|(name, fault)| panic!("{name}: {fault}"));
    assert_eq!(ledgers.len(), 1);
    assert!(ledgers[0].unanswered().is_empty(), "{:?}", ledgers[0].unanswered());
    assert!(ledgers[0].sealed);
}
