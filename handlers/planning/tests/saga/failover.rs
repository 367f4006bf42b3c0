//! What a failover does in cases that a person would ask about.

use std::rc::Rc;
use std::sync::Arc;

use jiff::SignedDuration;
use lifeboat_planning::saga::failover::{
    Action, Failover, OLD_SIDE_LOOK_SECS, OLD_SIDE_STOPPED, PROTECT_BACK, PointChoice, Traffic, VERIFY,
    expects_deletion,
};
use lifeboat_planning::saga::{Ask, At, Choice, End, Notice, Phase, Saga, Way, What, WhyKind, print};

use crate::harness::{Driver, Fault, Person, Planted, goes_on, silent};
use crate::orders::{hundred, lone, shop};
use crate::region::Regions;

type Run = Driver<Regions>;

fn begun(world: Regions) -> Run {
    Driver::new(world)
}

/// Answers all but this.
fn but(ask: Ask) -> Person {
    Rc::new(move |question| if question.ask == ask { None } else { goes_on(question) })
}

fn standing(driver: &Run) -> Vec<Ask> {
    driver.saga.questions().map(|question| question.ask).collect()
}

fn answer(driver: &mut Run, ask: Ask, choice: Choice, pick: Option<PointChoice>) {
    let question = driver.saga.questions().find(|question| question.ask == ask).expect("the question").number;
    driver.feed(What::Answer { question, choice, pick, by: "ops".into() });
}

/// What is committed is what is shown; written again by `LIFEBOAT_GOLDEN=write`.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment says whether goldens are written; no setting of the product"
)]
fn golden(name: &str, committed: &str, shown: &str) {
    if std::env::var("LIFEBOAT_GOLDEN").as_deref() == Ok("write") {
        let path = format!("{}/tests/saga/golden/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, shown).expect("written");
        return;
    }
    assert_eq!(shown, committed, "{shown}");
}

#[test]
fn the_table_reads_as_a_runbook() {
    let shown = print(&Saga::new(Failover::new(shop()), 1));
    golden("runbook.txt", include_str!("golden/runbook.txt"), &shown);
}

#[test]
fn a_running_failover_shows_how_far_it_is() {
    let mut driver = begun(Regions::new(shop()));
    driver.person = but(Ask::Commit);
    driver.run();
    let shown = print(&driver.saga);
    golden("at_commit.txt", include_str!("golden/at_commit.txt"), &shown);
}

#[test]
fn what_it_changes_comes_in_the_order_in_which_an_operator_would_do_it() {
    let mut driver = begun(Regions::new(lone()));
    driver.run();
    assert_eq!(
        driver.world.changes(),
        [
            "deallocate the old machine vm",
            "fail over vm with recovery point point-2",
            "commit the failover of vm, which deletes its other recovery points",
            "make restorable point lb-before-protecting-back-5e661b247060288b of all disks of the old machine vm",
            "protect vm the other way, which deletes its old machine",
        ]
    );
}

#[test]
fn without_the_failed_region_it_comes_to_the_commit_within_bounds() {
    let mut driver = begun(Regions::new(shop()).lost());
    driver.person = but(Ask::Commit);
    let begins = driver.now;
    driver.run_until(|driver| standing(driver).contains(&Ask::Commit));
    let took = driver.now.duration_since(begins);
    println!(
        "to the commit in {} s, the lost side asked {} times in vain",
        took.as_secs(),
        driver.world.asked_in_vain()
    );
    // The fence's bound and its minute more, two failovers of 140 s, two minutes that the plan waits, probes, and looks in between.
    assert!(took < SignedDuration::from_secs(300 + 60 + 2 * 140 + 120 + 30 + 10 * 15), "{took:?}");
    assert!(driver.told.iter().any(|notice| matches!(notice, Notice::Asked(it) if it.ask == Ask::FenceImpossible)));
    assert!(driver.world.asked_in_vain() < 150);
}

#[test]
fn a_word_to_go_on_without_the_fence_tries_it_once_more() {
    let mut driver = begun(Regions::new(shop()).lost());
    driver.person = Rc::new(silent);
    driver.run_until(|driver| standing(driver).contains(&Ask::FenceImpossible));
    // The region is back by the time that somebody answers.
    driver.world.answers_again();
    driver.person = but(Ask::Commit);
    driver.run_until(|driver| standing(driver).contains(&Ask::Commit));
    let changes = driver.world.changes();
    let stops = changes.iter().take_while(|it| it.starts_with("deallocate")).count();
    assert!(stops == 3 && changes[3].starts_with("fail over"), "{changes:?}");
    let asked = |it: &&Notice| matches!(it, Notice::Asked(it) if it.ask == Ask::FenceImpossible);
    assert_eq!(driver.told.iter().filter(asked).count(), 1);
}

#[test]
fn what_the_plan_waits_for_before_its_first_group_is_time_to_try_the_fence_once_more() {
    let mut order = lone();
    order.groups[0].before = vec![Action::Approve("are the licences there?".into())];
    let mut driver = begun(Regions::new(order).lost());
    driver.person = but(Ask::Approve);
    driver.run_until(|driver| standing(driver).contains(&Ask::Approve));
    assert!(driver.world.changes().is_empty(), "the fence was given up, as ordered");
    driver.world.answers_again();
    driver.person = but(Ask::Commit);
    driver.run_until(|driver| standing(driver).contains(&Ask::Commit));
    let changes = driver.world.changes();
    assert!(changes[0].starts_with("deallocate") && changes[1].starts_with("fail over"), "{changes:?}");
}

#[test]
fn when_the_old_side_answers_after_days_its_machines_are_stopped_first_and_soon() {
    let mut driver = begun(Regions::new(shop()).lost());
    driver.person = but(Ask::Commit);
    driver.run_until(|driver| standing(driver).contains(&Ask::Commit));
    driver.patient = true;
    let days = driver.now + SignedDuration::from_hours(50);
    driver.run_until(|driver| driver.now >= days);
    let reminded =
        driver.told.iter().filter(|it| matches!(it, Notice::Reminded(it, _) if it.ask == Ask::Commit)).count();
    assert_eq!(reminded, 2, "daily");
    assert!(standing(&driver).contains(&Ask::OldSideSilent), "the watch can be ended");
    let (sent, answers_at) = (driver.world.changes().len(), driver.now);
    driver.world.answers_again();
    driver.run_until(|driver| driver.over(Way::Forward, OLD_SIDE_STOPPED));
    let stopped = &driver.world.changes()[sent..];
    assert!(stopped.len() == 3 && stopped.iter().all(|it| it.starts_with("deallocate")), "{stopped:?}");
    let took = driver.now.duration_since(answers_at).as_secs();
    assert!(took <= 2 * OLD_SIDE_LOOK_SECS, "{took} s: one look and one deallocation, seen by the next look");
    assert!(!standing(&driver).contains(&Ask::OldSideSilent), "that question stands no more");
    assert!(standing(&driver).contains(&Ask::Commit), "nothing else has moved");
}

#[test]
fn until_the_commit_another_recovery_point_can_be_taken() {
    let mut driver = begun(Regions::new(shop()));
    driver.person = but(Ask::Commit);
    driver.run_until(|driver| standing(driver).contains(&Ask::Commit));
    answer(&mut driver, Ask::Commit, Choice::AnotherPoint, None);
    assert!(standing(&driver).contains(&Ask::Commit), "which one must be said");
    answer(&mut driver, Ask::Commit, Choice::AnotherPoint, Some(PointChoice::Latest));
    assert!(standing(&driver).contains(&Ask::Commit), "the latest state is none of the points");
    for (pick, id) in [(PointChoice::ApplicationConsistent, "point-2"), (PointChoice::LatestProcessed, "point-0")] {
        let sent = driver.world.changes().len();
        answer(&mut driver, Ask::Commit, Choice::AnotherPoint, Some(pick));
        driver.run_until(|driver| standing(driver).contains(&Ask::Commit));
        let changes = &driver.world.changes()[sent..];
        let changed = changes.iter().filter(|it| it.starts_with("take another") && it.ends_with(id)).count();
        assert_eq!((changed, changes.len()), (3, 3), "{changes:?}");
    }
    driver.person = Rc::new(goes_on);
    driver.run();
    assert_eq!(driver.saga.progress.phase, Phase::Ended(End::Done));
}

#[test]
fn between_groups_another_recovery_point_can_be_taken_for_what_was_failed_over_by_then() {
    let mut driver = begun(Regions::new(shop()));
    driver.person = but(Ask::Approve);
    driver.run_until(|driver| standing(driver).contains(&Ask::Approve));
    let offered = driver.saga.questions().next().map(|question| question.choices.clone());
    assert_eq!(offered, Some(vec![Choice::GoOn, Choice::AnotherPoint, Choice::FailBack]));
    answer(&mut driver, Ask::Approve, Choice::AnotherPoint, Some(PointChoice::Latest));
    assert!(standing(&driver).contains(&Ask::Approve), "the latest state is none of the points");
    for (pick, id) in [(PointChoice::ApplicationConsistent, "point-2"), (PointChoice::LatestProcessed, "point-0")] {
        let sent = driver.world.changes().len();
        answer(&mut driver, Ask::Approve, Choice::AnotherPoint, Some(pick));
        driver.run_until(|driver| standing(driver).contains(&Ask::Approve));
        let changes = &driver.world.changes()[sent..];
        let changed = changes.iter().filter(|it| it.starts_with("take another") && it.ends_with(id)).count();
        assert_eq!((changed, changes.len()), (2, 2), "the databases alone: {changes:?}");
    }
    let sent = driver.world.changes().len();
    driver.person = Rc::new(goes_on);
    driver.run();
    assert_eq!(driver.saga.progress.phase, Phase::Ended(End::Done));
    let later = &driver.world.changes()[sent..];
    assert!(later.iter().any(|it| it.starts_with("fail over web-1") && !it.contains("point-")), "{later:?}");
    assert!(!later.iter().any(|it| it.starts_with("take another")), "{later:?}");
}

#[test]
fn each_answer_is_waited_for_as_long_as_its_own_item_of_traffic_says() {
    let mut order = shop();
    let mut other = Traffic::clone(&order.traffic[0]);
    (other.profile, other.verify) =
        ("/profiles/tm-api".into(), Some(("https://api.example/".into(), SignedDuration::from_mins(60))));
    order.traffic.push(Arc::new(other));
    let mut driver = begun(Regions::new(order));
    let (step, task) = (VERIFY.to_owned(), "/profiles/tm-shop/neu".to_owned());
    driver.planted.push(Planted { step, task, way: Way::Forward, fault: Fault::Blind, times: u32::MAX });
    driver.person = but(Ask::Failed);
    driver.run_until(|driver| driver.saga.progress.lanes[0].at == At::Step(VERIFY.into()));
    let began = driver.now;
    driver.run_until(|driver| standing(driver).contains(&Ask::Failed));
    let took = driver.now.duration_since(began).as_secs();
    assert!((300..=360).contains(&took), "{took} s: five minutes and a look, not the hour of the other one");
}

#[test]
fn failing_back_is_refused_because_it_is_not_built() {
    let mut driver = begun(Regions::new(shop()));
    driver.person = but(Ask::Commit);
    driver.run_until(|driver| standing(driver).contains(&Ask::Commit));
    answer(&mut driver, Ask::Commit, Choice::FailBack, None);
    assert!(driver.told.iter().any(|it| it.to_string() == "order refused: failing back is not built yet"));
    assert!(standing(&driver).contains(&Ask::Commit));
}

#[test]
fn more_loss_after_the_fence_than_was_approved_is_asked_about_before_anything_is_failed_over() {
    for (choice, end) in [(Choice::GoOn, End::Done), (Choice::Undo, End::Undone)] {
        let mut driver = begun(Regions::new(shop()));
        driver.person = but(Ask::LossGrew);
        driver.run_until(|driver| driver.saga.progress.lanes[0].at == At::Step("fence".into()));
        driver.world.replication_stalls(SignedDuration::from_mins(40));
        driver.run();
        assert_eq!(standing(&driver), [Ask::LossGrew]);
        assert!(driver.world.changes().iter().all(|it| it.starts_with("deallocate")));
        answer(&mut driver, Ask::LossGrew, choice, None);
        driver.person = Rc::new(goes_on);
        driver.run();
        assert_eq!(driver.saga.progress.phase, Phase::Ended(end));
    }
}

#[test]
fn a_loss_beyond_what_was_approved_refuses_to_begin() {
    let mut world = Regions::new(shop());
    world.replication_stalls(SignedDuration::from_mins(40));
    let mut driver = begun(world);
    driver.run();
    let Some(Notice::Undoing(why)) = driver.told.iter().find(|it| matches!(it, Notice::Undoing(_))) else {
        panic!("{:?}", driver.told)
    };
    assert_eq!((why.kind, why.code.as_deref()), (WhyKind::LossGrew, Some("2460 s")));
    assert!(driver.world.changes().is_empty());
}

#[test]
fn without_a_persons_word_the_old_machines_are_never_deleted() {
    let mut driver = begun(Regions::new(shop()));
    driver.person = but(Ask::ProtectBack);
    driver.run();
    let question = driver.saga.questions().next().expect("it asks");
    assert_eq!((question.ask, question.words.as_str()), (Ask::ProtectBack, "db-1, db 2, web-1"), "it says what goes");
    assert!(!driver.world.changes().iter().any(|it| it.starts_with("protect")));
    assert!(driver.world.changes().iter().filter(|it| it.starts_with("make restorable point")).count() == 3);
}

#[test]
fn the_end_of_an_old_machine_is_expected_once_protection_is_turned_round_and_not_before() {
    let mut driver = begun(Regions::new(lone()));
    driver.run_until(|driver| driver.saga.progress.lanes[1].at == At::Step(PROTECT_BACK.into()));
    assert!(!expects_deletion(&driver.saga, "/old/vm"));
    driver.run();
    assert!(expects_deletion(&driver.saga, "/OLD/VM"));
    assert!(!expects_deletion(&driver.saga, "/old/another"));
}

#[test]
fn a_member_that_is_gone_on_without_is_neither_committed_nor_deleted() {
    let mut driver = begun(Regions::new(shop()));
    let fault = Fault::Refused;
    let (step, task) = ("group web: fail over".into(), "web-1".into());
    driver.planted.push(Planted { step, task, way: Way::Forward, fault, times: u32::MAX });
    driver.person = Rc::new(|question| match question.ask {
        Ask::Failed => Some(Choice::GoOn),
        _ => goes_on(question),
    });
    driver.run();
    assert_eq!(driver.saga.progress.phase, Phase::Ended(End::Done));
    let of_web: Vec<_> = driver.world.changes().iter().filter(|it| it.contains("web-1")).collect();
    assert_eq!(of_web, ["deallocate the old machine web-1"]);
}

#[test]
fn a_hundred_machines_in_four_groups_are_failed_over_group_by_group() {
    let mut driver = begun(Regions::new(hundred()));
    driver.run();
    assert_eq!(driver.saga.progress.phase, Phase::Ended(End::Done));
    let failovers: Vec<_> = driver.world.changes().iter().filter_map(|it| it.strip_prefix("fail over vm-")).collect();
    assert_eq!(failovers.len(), 100);
    let groups: Vec<_> = failovers.iter().map(|it| &it[..1]).collect();
    assert!(groups.is_sorted(), "{groups:?}");
}

#[test]
fn nobody_is_waited_for_who_said_nothing_and_nothing_runs_meanwhile() {
    let mut driver = begun(Regions::new(shop()));
    driver.person = Rc::new(silent);
    driver.run();
    assert_eq!(standing(&driver), [Ask::Approve]);
    assert_eq!(driver.saga.look_again_at, driver.saga.questions().map(|question| question.remind_at).min());
}
