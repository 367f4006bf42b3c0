//! Stories of groups and of traffic.
//! It never speaks of what comes after commit.

use super::super::history::{About, Call, Hand, Job, Monitor, OrderKind, Plan, Power, What};
use super::super::wrong::{Promise, Wrong};
use super::story::{HOUR, MINUTE, Story, plan};
use super::{assert_healthy, assert_wrong};

fn started(plan: Plan) -> Story {
    let mut story = Story::of(plan);
    story.region_lost();
    story.reach_start();
    story
}

#[test]
fn nothing_of_a_later_group_is_failed_over_before_the_earlier_one_runs() {
    let state_of_db = |power: Power| {
        let mut story = started(plan());
        story.fail_over("db");
        story.after(3 * MINUTE).arrive("db");
        story.power("/neu/db", power);
        story.fail_over("web-1");
        story.ended()
    };
    assert_healthy(&state_of_db(Power::Running));
    assert_wrong(&state_of_db(Power::Dead), Promise::GroupsInOrder);
}

#[test]
fn waits_and_approvals_of_groups_are_kept() {
    let second = |approve: bool, wait: i64, before: fn(&mut Story)| {
        let mut plan = plan();
        (plan.groups[1].approve, plan.groups[1].wait) = (approve, wait);
        let mut story = started(plan);
        story.fail_over("db");
        story.after(3 * MINUTE).arrive("db");
        story.after(MINUTE);
        before(&mut story);
        story.fail_over("web-1");
        story.ended()
    };
    assert_healthy(&second(false, MINUTE, |_| ()));
    assert_wrong(&second(false, 2 * MINUTE, |_| ()), Promise::GroupsInOrder);
    assert_wrong(&second(true, 0, |_| ()), Promise::GroupsInOrder);
    let answered = |story: &mut Story| {
        story.ask("q-group", About::Group(1));
        story.after(MINUTE).answer("q-group", OrderKind::Approve);
    };
    assert_healthy(&second(true, 0, answered));
    // An answer that came before the question is none.
    let early = |story: &mut Story| {
        story.answer("q-group", OrderKind::Approve);
        story.ask("q-group", About::Group(1));
    };
    assert_wrong(&second(true, 0, early), Promise::GroupsInOrder);
}

#[test]
fn the_failover_of_a_member_is_accepted_once_unless_it_failed() {
    let twice = |ok: bool| {
        let mut story = started(plan());
        story.fail_over("db");
        story.after(MINUTE).push(What::JobEnded { item: "db".to_owned(), job: Job::Failover, ok });
        story.fail_over("DB");
        story.ended()
    };
    assert_healthy(&twice(false));
    assert_wrong(&twice(true), Promise::FailoverOnce);
}

#[test]
fn the_target_is_enabled_only_when_all_members_run() {
    let state_of_web = |power: Power| {
        let mut story = started(plan());
        story.move_groups();
        story.power("/neu/web-2", power);
        story.enable_target();
        story.ended()
    };
    assert_healthy(&state_of_web(Power::Running));
    assert_wrong(&state_of_web(Power::Dead), Promise::MembersFirst);
}

/// All runs and the target is enabled; then this.
fn enabled(then: impl FnOnce(&mut Story)) -> Vec<Wrong> {
    let mut story = started(plan());
    story.move_groups();
    story.enable_target();
    then(&mut story);
    story.ended()
}

#[test]
fn the_old_endpoint_is_disabled_only_when_the_target_is_online() {
    assert_healthy(&enabled(Story::disable_old));
    let offline_for = |seconds: i64| {
        enabled(|story| {
            story.endpoint("neu", true, Monitor::NotOnline);
            story.after(seconds);
            story.disable_old();
        })
    };
    // What was read just before may be rested on.
    assert_healthy(&offline_for(0));
    assert_wrong(&offline_for(MINUTE), Promise::OnlineFirst);
}

#[test]
fn an_enabling_that_was_acknowledged_and_not_done_moves_nothing() {
    let mut story = started(plan());
    story.move_groups();
    story.after(10).set_endpoint("neu", true);
    story.after(MINUTE).set_endpoint("weu", false);
    let promises: Vec<Promise> = story.ended().into_iter().map(|wrong| wrong.promise).collect();
    assert_eq!(promises, [Promise::AnEndpointEnabled, Promise::OnlineFirst]);
}

#[test]
fn traffic_is_never_without_an_enabled_endpoint() {
    let last_out = |by: Hand| {
        let mut story = Story::of(plan());
        let (profile, endpoint) = ("tm-shop".to_owned(), "weu".to_owned());
        story.push(What::Accepted { by, call: Call::Endpoint { profile, endpoint, enabled: false } });
        story.endpoint("weu", false, Monitor::NotOnline);
        story.ended()
    };
    assert_healthy(&last_out(Hand::Person));
    let wrongs = last_out(Hand::Controller("A".to_owned()));
    assert!(wrongs.iter().any(|wrong| wrong.promise == Promise::AnEndpointEnabled), "{wrongs:#?}");
}

#[test]
fn the_old_endpoint_never_takes_traffic_again() {
    let then = |endpoint: &str, enables: bool| {
        enabled(|story| {
            story.disable_old();
            story.after(MINUTE).set_endpoint(endpoint, enables);
        })
    };
    assert_healthy(&then("neu", true));
    assert_wrong(&then("weu", true), Promise::OldTakesNoTraffic);
}

#[test]
fn the_target_is_not_disabled_after_the_point_of_no_return() {
    let disabled = |endpoint: &str| {
        enabled(|story| {
            story.after(MINUTE).set_endpoint(endpoint, false);
        })
    };
    assert_healthy(&disabled("weu"));
    assert_wrong(&disabled("neu"), Promise::NoUndo);
}

#[test]
fn traffic_moves_once_the_target_is_online() {
    let after = |seconds: i64, asks: bool| {
        enabled(|story| {
            if asks {
                story.ask("q-traffic", About::Failure);
            }
            story.after(seconds);
        })
    };
    assert_healthy(&after(9 * MINUTE, false));
    assert_healthy(&after(HOUR, true));
    assert_wrong(&after(11 * MINUTE, false), Promise::TrafficMoves);
}
