//! Stories of the fence, of the old side that comes back, and of what turns a saga back before the point of no return.
//! It never speaks of traffic.

use super::super::bounds::OLD_SIDE_LOOK_SECONDS;
use super::super::history::{About, Call, Condition, Hand, OrderKind, Origin, Plan, Power, RegionState, Told, What};
use super::super::wrong::{Promise, Wrong};
use super::story::{HOUR, MINUTE, Story, asking, names, plan};
use super::{assert_healthy, assert_wrong};

fn required() -> Plan {
    Plan { fence_required: true, ..plan() }
}

/// The region is ill and still answers: it is reported and probed as lost.
fn ill(plan: Plan) -> Story {
    let mut story = Story::of(plan);
    story.after(MINUTE).hear(Origin::ServiceHealth, true);
    story.suspect();
    story.reach_start();
    story
}

#[test]
fn with_fence_required_rules_fail_over_only_what_is_stopped() {
    let mut story = ill(required());
    story.stop_old();
    story.move_groups();
    assert_healthy(&story.ended());

    let mut story = ill(required());
    story.stop_old();
    // The stop was acknowledged, and one machine runs on.
    story.power("/weu/web-1", Power::Running);
    story.move_groups();
    assert!(story.ended().iter().any(|wrong| wrong.promise == Promise::FenceRequired));

    let mut story = Story::of(required());
    story.region_lost();
    story.reach_start();
    story.move_groups();
    assert_wrong(&story.ended(), Promise::FenceRequired);
}

#[test]
fn a_person_may_go_on_without_the_fence_when_asked() {
    let answered = |kind: OrderKind| {
        let mut story = Story::of(required());
        story.region_lost();
        story.reach_start();
        story.ask("q-fence", About::Fence);
        story.after(MINUTE).answer("q-fence", kind);
        story.move_groups();
        story.ended()
    };
    assert_healthy(&answered(OrderKind::Approve));
    assert_wrong(&answered(OrderKind::Reject), Promise::FenceRequired);
}

#[test]
fn an_approval_names_that_the_fence_is_impossible() {
    let passing = |passes: Vec<Condition>| {
        let mut story = Story::of(asking());
        story.region_lost();
        // When it was shown the old side could still be reached.
        story.reach_approval(&[]);
        let mut order = story.order("order", OrderKind::Approve, "person-1");
        order.passes = passes;
        story.push(What::Order(order));
        story.begin(false);
        story.move_groups();
        story.ended()
    };
    assert_healthy(&passing(vec![Condition::Fence]));
    assert_wrong(&passing(Vec::new()), Promise::FenceNamed);
}

#[test]
fn a_fence_that_is_possible_is_tried() {
    let reached = |stops: bool| {
        let mut story = ill(plan());
        story.after(10 * MINUTE);
        if stops {
            story.stop_old();
        }
        story.fail_over("db");
        story.ended()
    };
    assert_healthy(&reached(true));
    assert_wrong(&reached(false), Promise::FenceFirst);
}

/// The database is failed over without a fence, then the old side is back.
fn back_half_way() -> Story {
    let mut story = Story::of(plan());
    story.region_lost();
    story.reach_start();
    story.fail_over("db");
    story.after(MINUTE).old_side_back();
    story
}

#[test]
fn the_stop_is_the_first_that_the_old_side_hears() {
    let first = |call: Option<Call>| {
        let mut story = back_half_way();
        story.after(MINUTE);
        if let Some(call) = call {
            story.call(call);
        }
        story.stop_old();
        story.ended()
    };
    let (point, machine, region) = ("p".to_owned(), "/weu/other".to_owned(), "westeurope".to_owned());
    assert_healthy(&first(None));
    let wrongs = first(Some(Call::DeletePoint { point, machine, region }));
    assert!(wrongs.iter().any(|wrong| wrong.promise == Promise::StopFirst), "{wrongs:#?}");
}

#[test]
fn no_old_machine_runs_longer_than_one_look_and_one_deallocation() {
    let stopped_after = |seconds: i64| {
        let mut story = back_half_way();
        story.after(seconds).stop_old();
        story.ended()
    };
    assert_healthy(&stopped_after(OLD_SIDE_LOOK_SECONDS));
    assert_wrong(&stopped_after(OLD_SIDE_LOOK_SECONDS + 1), Promise::StopInTime);
}

#[test]
fn a_machine_that_starts_by_itself_later_is_stopped_again() {
    let again = |stops: bool| {
        let mut story = back_half_way();
        story.after(MINUTE).stop_old();
        story.after(MINUTE).power("/weu/db", Power::Running);
        if stops {
            story.after(MINUTE).stop_old();
        }
        story.after(8 * MINUTE);
        story.ended()
    };
    assert_healthy(&again(true));
    assert_wrong(&again(false), Promise::StopInTime);
}

#[test]
fn a_stop_that_was_acknowledged_and_not_done_is_sent_again_or_asked_about() {
    let lied = |then: fn(&mut Story)| {
        let mut story = back_half_way();
        story.after(MINUTE);
        for name in names() {
            story.call(Call::Deallocate { machine: format!("/weu/{name}") });
        }
        story.after(4 * MINUTE);
        then(&mut story);
        story.after(3 * MINUTE);
        story.ended()
    };
    assert_healthy(&lied(Story::stop_old));
    assert_healthy(&lied(|story| story.ask("q-lie", About::Failure)));
    assert_wrong(&lied(|_| ()), Promise::StopInTime);
}

#[test]
fn nothing_is_owed_where_arm_does_not_answer_or_a_person_started_the_machine() {
    for state in [RegionState::Throttled, RegionState::Down] {
        let mut story = back_half_way();
        story.after(MINUTE).region("westeurope", state);
        story.after(HOUR);
        assert_healthy(&story.ended());
    }
    let started_by = |by: Hand| {
        let mut story = back_half_way();
        story.after(MINUTE).stop_old();
        story.after(MINUTE).push(What::Accepted { by, call: Call::Start { machine: "/weu/db".to_owned() } });
        story.power("/weu/db", Power::Running);
        story.after(HOUR);
        story.ended()
    };
    assert_healthy(&started_by(Hand::Person));
    let wrongs = started_by(Hand::Controller("A".to_owned()));
    assert!(wrongs.iter().any(|wrong| wrong.promise == Promise::StopInTime), "{wrongs:#?}");
}

#[test]
fn nothing_is_undone_after_the_first_accepted_failover() {
    let undone = |failed_over: bool| {
        let mut story = ill(plan());
        story.stop_old();
        if failed_over {
            story.fail_over("db");
        }
        for name in names() {
            story.after(10).call(Call::Start { machine: format!("/weu/{name}") });
            // The machine is still starting: what is wrong here is the request alone.
            story.power(&format!("/weu/{name}"), Power::Dead);
        }
        story.ended()
    };
    assert_healthy(&undone(false));
    let wrongs = undone(true);
    assert_wrong(&wrongs, Promise::NoUndo);
    assert_eq!(wrongs.len(), 3);
}

#[test]
fn a_failover_that_failed_and_left_nothing_is_no_point_of_no_return() {
    let failed = |ok: bool| {
        let mut story = ill(plan());
        story.stop_old();
        story.fail_over("db");
        let (item, job) = ("db".to_owned(), super::super::history::Job::Failover);
        story.after(MINUTE).push(What::JobEnded { item, job, ok });
        story.after(10).call(Call::Start { machine: "/weu/db".to_owned() });
        story.ended()
    };
    assert_healthy(&failed(false));
    assert_wrong(&failed(true), Promise::NoUndo);
}

/// The region recovers while the saga still waits.
fn recovered(then: impl FnOnce(&mut Story)) -> Vec<Wrong> {
    let mut story = Story::of(plan());
    story.region_lost();
    story.reach_start();
    story.hear(Origin::ServiceHealth, false);
    story.hear(Origin::Probe, false);
    then(&mut story);
    story.ended()
}

#[test]
fn a_region_that_recovers_before_the_first_failover_stops_the_saga() {
    assert_healthy(&recovered(|story| {
        story.after(MINUTE).move_groups();
    }));
    assert_wrong(
        &recovered(|story| {
            story.after(3 * MINUTE).move_groups();
        }),
        Promise::RecoveryStops,
    );
    let answered = |kind: OrderKind| {
        recovered(|story| {
            story.after(3 * MINUTE).ask("q-back", About::Recovered);
            story.after(HOUR).answer("q-back", kind);
            story.after(MINUTE).move_groups();
        })
    };
    assert_healthy(&answered(OrderKind::Approve));
    assert_wrong(&answered(OrderKind::Reject), Promise::RecoveryStops);
}

#[test]
fn a_saga_whose_region_recovered_asks() {
    let asked_after = |seconds: i64| {
        recovered(|story| {
            story.after(seconds).ask("q-back", About::Recovered);
        })
    };
    assert_healthy(&asked_after(6 * MINUTE));
    assert_wrong(&asked_after(8 * MINUTE), Promise::RecoveryStops);
}

#[test]
fn a_region_that_recovers_after_the_first_failover_stops_nothing() {
    let mut story = Story::of(plan());
    story.region_lost();
    story.reach_start();
    story.fail_over("db");
    story.hear(Origin::ServiceHealth, false);
    story.hear(Origin::Probe, false);
    story.after(3 * MINUTE).arrive("db");
    story.fail_over("web-1");
    assert_healthy(&story.ended());
}

#[test]
fn an_abort_stops_what_is_not_failed_over_and_is_refused_after_it() {
    let aborted = |refused: bool| {
        let mut story = Story::of(plan());
        story.region_lost();
        story.reach_start();
        story.send("abort", OrderKind::Abort, "person-1");
        if refused {
            story.tell(Told::OrderRefused { order: "abort".to_owned() });
        }
        story.after(8 * MINUTE).fail_over("db");
        story.ended()
    };
    assert_healthy(&aborted(true));
    assert_wrong(&aborted(false), Promise::Abort);

    let late = |refused: bool| {
        let mut story = Story::of(plan());
        story.region_lost();
        story.reach_start();
        story.fail_over("db");
        story.send("abort", OrderKind::Abort, "person-1");
        if refused {
            story.after(MINUTE).tell(Told::OrderRefused { order: "abort".to_owned() });
        }
        story.after(8 * MINUTE);
        story.ended()
    };
    assert_healthy(&late(true));
    assert_wrong(&late(false), Promise::OrdersAnswered);
}
