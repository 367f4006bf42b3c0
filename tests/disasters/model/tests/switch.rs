//! Stories of the switch that stops all changes: what may still be accepted, whose order it takes, and what is owed when changes go on.
//! It never speaks of what a failover does otherwise.

use super::super::bounds::UNDER_WAY_SECONDS_MAX;
use super::super::history::{About, Call, Order, OrderKind, Told, What};
use super::super::wrong::Promise;
use super::story::{HOUR, MINUTE, Story, plan};
use super::{assert_healthy, assert_wrong};

fn started() -> Story {
    let mut story = Story::of(plan());
    story.region_lost();
    story.reach_start();
    story
}

/// Changes go on, on a person's order.
fn go_on(story: &mut Story) {
    story.send("resume", OrderKind::ResumeChanges, "person-1");
    story.push(What::ChangesStopped { stopped: false });
}

#[test]
fn nothing_is_sent_while_all_changes_are_stopped() {
    let stopped = |after: i64, resumed: bool, call: Call| {
        let mut story = started();
        story.push(What::ChangesStopped { stopped: true });
        // Nothing is owed meanwhile.
        story.after(after);
        if resumed {
            go_on(&mut story);
        }
        story.call(call);
        story.ended()
    };
    let failover = || Call::Failover { item: "db".to_owned() };
    assert_healthy(&stopped(MINUTE * 60, true, failover()));
    assert_wrong(&stopped(MINUTE * 60, false, failover()), Promise::ChangesStopped);
    // What was under way may still be accepted, until the stop is certain.
    assert_healthy(&stopped(UNDER_WAY_SECONDS_MAX, false, failover()));
    assert_wrong(&stopped(UNDER_WAY_SECONDS_MAX + 1, false, failover()), Promise::ChangesStopped);
    // Whatever it is, and of whatever plan.
    let other = || Call::Other { path: "/neu/a-group".to_owned() };
    assert_healthy(&stopped(MINUTE * 60, true, other()));
    assert_wrong(&stopped(MINUTE * 60, false, other()), Promise::ChangesStopped);
    let (point, machine, region) = ("p".to_owned(), "/uks/other".to_owned(), "uksouth".to_owned());
    assert_wrong(&stopped(MINUTE * 60, false, Call::DeletePoint { point, machine, region }), Promise::ChangesStopped);
}

#[test]
fn an_order_to_stop_is_taken_from_whoever_may_send_and_one_to_go_on_from_a_person_with_the_role() {
    let ordered = |kind: OrderKind, named: bool, before: Option<bool>, became: Option<bool>, refused: bool| {
        let mut story = started();
        if let Some(stopped) = before {
            story.push(What::ChangesStopped { stopped });
        }
        let order = story.order("switch", kind, "person-1");
        story.push(What::Order(Order { token: named, role: named, digest: String::new(), ..order }));
        if let Some(stopped) = became {
            story.after(MINUTE).push(What::ChangesStopped { stopped });
        }
        if refused {
            story.tell(Told::OrderRefused { order: "switch".to_owned() });
        }
        story.ask("q-fence", About::Fence);
        story.after(20 * MINUTE);
        story.ended()
    };
    let (stop, resume) = (OrderKind::StopChanges, OrderKind::ResumeChanges);
    assert_healthy(&ordered(stop, false, None, Some(true), false));
    assert_healthy(&ordered(stop, false, Some(true), None, false));
    assert_wrong(&ordered(stop, false, None, None, false), Promise::OrdersAnswered);
    assert_healthy(&ordered(resume, true, Some(true), Some(false), false));
    assert_wrong(&ordered(resume, true, Some(true), None, false), Promise::OrdersAnswered);
    assert_wrong(&ordered(resume, false, Some(true), None, false), Promise::OrdersAnswered);
    assert_healthy(&ordered(resume, false, Some(true), None, true));
    // Changes that go on by an order that names nobody.
    assert_wrong(&ordered(resume, false, Some(true), Some(false), true), Promise::ChangesStopped);
}

#[test]
fn a_saga_goes_on_when_changes_do() {
    let goes_on_after = |after: i64| {
        let mut story = started();
        story.fail_over("db");
        story.push(What::ChangesStopped { stopped: true });
        story.after(3 * MINUTE).arrive("db");
        go_on(story.after(4 * HOUR));
        story.after(after).fail_over("web-1");
        story.ended()
    };
    assert_healthy(&goes_on_after(MINUTE));
    assert_wrong(&goes_on_after(3 * HOUR), Promise::FinishesOrUndoes);
}
