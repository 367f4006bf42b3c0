//! The networks that a failover rests on: those of the machines to be, before anything is begun, and those of the old machines, before
//! the other way is protected.
//! It never looks at what is in one.

use std::time::Duration;

use lifeboat_azure::networks;
use lifeboat_planning::recovery::readiness::State;
use lifeboat_planning::saga::{Ask, Choice, End};
use lifeboat_simulator::azure::{ArmFault, ArmFaultEffect, RegionTrouble};
use lifeboat_tests::failing_over::{OTHER, OTHER_GROUP, Stage, lock, network};
use lifeboat_tests::rig::{GROUP, LOCATION};

const HOUR: Duration = Duration::from_secs(3_600);
const GONE: &str = "a target network is not there, or a member names none";
const LIES_THERE: &str = "a target network lies in the region that may be lost";
const UNREAD: &str = "whether the target networks are there could not be read";

/// The network that the machines will be in.
fn target() -> String {
    network(OTHER_GROUP, &format!("{OTHER}-vnet"))
}

/// The network that the old machines are in.
fn old() -> String {
    network(GROUP, &format!("{GROUP}-vnet"))
}

#[tokio::test(start_paused = true)]
async fn a_recovery_plan_is_ready_only_while_its_networks_are_there_and_not_in_the_region_that_may_be_lost() {
    let stage = Stage::new(61);
    stage.in_force();
    let arm = &stage.azure.arm;
    for (location, fault, reason) in [
        (Some(OTHER), None, None),
        (None, None, Some(GONE)),
        (Some(LOCATION), None, Some(LIES_THERE)),
        (Some(OTHER), Some(ArmFaultEffect::InternalServerError), Some(UNREAD)),
        (Some(OTHER), None, None),
    ] {
        arm.set_network(&target(), location);
        if let Some(effect) = fault {
            arm.fault(ArmFault::new(effect).on_path("/virtualNetworks/").always());
        }
        stage.look_at_readiness().await;
        let record = stage.readiness();
        let told: Vec<&str> = record.reasons.iter().map(|reason| reason.text.as_str()).collect();
        assert_eq!(told, reason.into_iter().collect::<Vec<_>>(), "{location:?}");
        assert_eq!(record.state == State::Ready, reason.is_none());
        arm.clear_faults();
    }
    stage.azure.take_right(networks::GET.action);
    stage.look_at_readiness().await;
    let record = stage.readiness();
    let missing = |group: &str| format!("{} is not allowed in group {group}", networks::GET.action);
    for text in [UNREAD, &missing(GROUP), &missing(OTHER_GROUP)] {
        assert!(record.reasons.iter().any(|reason| reason.text == text), "{text}: {:?}", record.reasons);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_begun_towards_a_network_that_is_gone_or_lies_in_the_region_that_is_lost() {
    for (seed, location, word) in [(62, None, "network"), (63, Some(LOCATION), "where the network lies")] {
        let stage = Stage::new(seed);
        stage.azure.arm.set_network(&target(), location);
        stage.begin(stage.order()).await;
        stage.until_ended(End::Undone, HOUR).await;
        assert_eq!((stage.accepted("/deallocate"), stage.accepted("/unplannedFailover")), (0, 0), "{location:?}");
        assert!(stage.story().contains(word), "{}", stage.story());
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_of_the_region_that_hangs_costs_a_look_its_bound_and_is_not_taken_for_there() {
    let stage = Stage::new(64);
    stage.azure.arm.set_network(&target(), Some(LOCATION));
    stage.azure.arm.set_region(LOCATION, Some(RegionTrouble::Down));
    stage.begin(stage.order()).await;
    stage.until_ended(End::Undone, HOUR).await;
    assert_eq!(stage.accepted("/unplannedFailover"), 0, "{}", stage.story());
    let longest = lock(&stage.took).iter().max().copied().unwrap_or_default();
    assert!(longest <= Duration::from_secs(6), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn the_other_way_is_protected_only_while_the_old_networks_are_there() {
    let stage = Stage::new(65);
    let mut order = stage.order();
    order.protect_back = Some("the order".to_owned());
    stage.begin(order).await;
    stage.until_asked(Ask::Commit, HOUR).await;
    stage.azure.arm.set_network(&old(), None);
    stage.answer(Ask::Commit, Choice::GoOn, None).await;
    stage.until_asked(Ask::Failed, 3 * HOUR).await;
    assert_eq!(stage.accepted("/switchprotection"), 0, "{}", stage.story());
    assert!(stage.story().contains("the old group, networks or disks"), "{}", stage.story());
    stage.azure.arm.set_network(&old(), Some(LOCATION));
    // Each member asks for itself.
    while stage.saga().is_some_and(|saga| saga.questions().any(|question| question.ask == Ask::Failed)) {
        stage.answer(Ask::Failed, Choice::Again, None).await;
    }
    stage.until_ended(End::Done, 4 * HOUR).await;
    assert_eq!(stage.accepted("/switchprotection"), 3, "{}", stage.story());
}
