//! Stories of what is owed and by when, and of what stops the clock meanwhile.
//! It never speaks of how a thing is done.

use super::super::history::{About, By, Evidence, Order, OrderKind, Origin, Plan, RegionState, Told, What};
use super::super::wrong::{Promise, Wrong};
use super::story::{DAY, HOUR, MINUTE, Story, asking, plan};
use super::{assert_healthy, assert_wrong};

/// Evidence arrives, this happens, and it is suspected so long after it.
fn suspected_after(seconds: i64, meanwhile: impl FnOnce(&mut Story)) -> Vec<Wrong> {
    let mut story = Story::of(Plan { at_least: 3, ..asking() });
    story.hear(Origin::ServiceHealth, true);
    meanwhile(&mut story);
    story.after(seconds - 30).suspect();
    story.ended()
}

#[test]
fn suspected_is_told_within_two_minutes_of_the_first_evidence() {
    assert_healthy(&suspected_after(120, |_| ()));
    assert_wrong(&suspected_after(121, |_| ()), Promise::SuspectedInTime);
}

#[test]
fn the_clock_of_what_is_owed_stands_still_while_a_fault_stands() {
    let fault = |on: bool| What::Fault { name: "bus".to_owned(), on };
    let faulty = |seconds: i64| {
        suspected_after(120, |story| {
            story.push(fault(true));
            story.after(HOUR).push(fault(false));
            story.after(seconds);
        })
    };
    assert_healthy(&faulty(0));
    assert_wrong(&faulty(1), Promise::SuspectedInTime);
    assert_healthy(&suspected_after(12 * MINUTE, |story| story.push(What::Killed { controller: "A".to_owned() })));
    assert_wrong(
        &suspected_after(13 * MINUTE, |story| story.push(What::Killed { controller: "A".to_owned() })),
        Promise::SuspectedInTime,
    );
    for state in [RegionState::Down, RegionState::Slow, RegionState::Throttled] {
        assert_healthy(&suspected_after(HOUR, |story| story.region("northeurope", state)));
    }
    assert_wrong(
        &suspected_after(HOUR, |story| story.region("westeurope", RegionState::Down)),
        Promise::SuspectedInTime,
    );
}

#[test]
fn a_blip_of_a_probe_or_half_a_fleet_owes_nothing() {
    let probed = |times: i64| {
        let mut story = Story::of(asking());
        story.probe(times);
        story.after(4 * MINUTE);
        story.ended()
    };
    assert_healthy(&probed(2));
    assert_wrong(&probed(3), Promise::SuspectedInTime);
    let fleet = |unavailable: u32| {
        let mut story = Story::of(asking());
        let mut evidence = story.evidence(Origin::ResourceHealth, true);
        evidence.fleet = Some((unavailable, 3));
        story.push(What::Evidence(evidence));
        story.after(4 * MINUTE);
        story.ended()
    };
    assert_healthy(&fleet(2));
    assert_wrong(&fleet(3), Promise::SuspectedInTime);
}

#[test]
fn a_decision_stands_within_two_minutes_of_the_window() {
    let decided = |plan: Plan, with: Option<Told>, minutes: i64| {
        let mut story = Story::of(plan);
        story.region_lost();
        story.hear(Origin::MetricAlert, true);
        story.after(minutes * MINUTE);
        if let Some(told) = with {
            story.tell(told);
        }
        story.after(MINUTE);
        story.ended()
    };
    let (plan_name, incident) = ("shop".to_owned(), "i-1".to_owned());
    let refused = Told::Refused { plan: plan_name.clone(), incident: incident.clone() };
    let confirmed = Told::Confirmed { plan: plan_name, incident };
    for told in [&refused, &confirmed] {
        assert_healthy(&decided(asking(), Some(told.clone()), 12));
        assert_wrong(&decided(asking(), Some(told.clone()), 13), Promise::DecidedInTime);
    }
    assert_wrong(&decided(plan(), None, 13), Promise::DecidedInTime);
    assert_healthy(&decided(Plan { by: By::Person, ..plan() }, None, 60));
}

#[test]
fn the_failed_region_is_not_waited_for_without_a_bound() {
    let waits = |seconds: i64, asks: bool| {
        let mut story = Story::of(plan());
        story.region_lost();
        story.reach_start();
        if asks {
            story.ask("q-fence", About::Fence);
        }
        story.after(seconds).fail_over("db");
        story.ended()
    };
    assert_healthy(&waits(25 * MINUTE, false));
    assert_healthy(&waits(DAY, true));
    assert_wrong(&waits(31 * MINUTE, false), Promise::BoundedWait);
}

#[test]
fn a_saga_goes_on_or_asks() {
    let silent_for = |seconds: i64, asks: bool| {
        let mut story = Story::of(plan());
        story.region_lost();
        story.reach_start();
        story.fail_over("db");
        if asks {
            story.ask("q-failed", About::Failure);
        }
        story.after(seconds);
        story.ended()
    };
    assert_healthy(&silent_for(HOUR, false));
    assert_healthy(&silent_for(7 * DAY, true));
    assert_wrong(&silent_for(3 * HOUR, false), Promise::FinishesOrUndoes);
}

#[test]
fn a_saga_that_only_keeps_moving_has_not_ended() {
    let moving_for = |hours: i64| {
        let mut story = Story::of(plan());
        story.region_lost();
        story.reach_start();
        story.fail_over("db");
        for number in 0..hours {
            let step = Told::Step { saga: "saga-1".to_owned(), step: format!("look-{number}") };
            story.after(HOUR).tell(step);
        }
        story.ended()
    };
    assert_healthy(&moving_for(5));
    assert_wrong(&moving_for(7), Promise::FinishesOrUndoes);
}

#[test]
fn after_commit_the_old_region_is_waited_for_without_a_bound() {
    let back = |answers: bool| {
        let mut story = Story::of(plan());
        story.region_lost();
        story.reach_start();
        story.reach_commit();
        story.reach_committed();
        if answers {
            story.region("westeurope", RegionState::Up);
        }
        story.after(30 * DAY);
        story.ended()
    };
    assert_healthy(&back(false));
    assert_wrong(&back(true), Promise::FinishesOrUndoes);
}

#[test]
fn commit_is_reminded_of_daily() {
    let reminded_after = |seconds: i64| {
        let mut story = Story::of(plan());
        story.region_lost();
        story.reach_start();
        story.reach_commit();
        story.after(seconds).ask("q-commit", About::Commit);
        story.after(seconds);
        story.ended()
    };
    assert_healthy(&reminded_after(DAY));
    assert_wrong(&reminded_after(26 * HOUR), Promise::Reminds);
}

#[test]
fn what_must_be_refused_is_refused_and_said() {
    let sent = |change: fn(&mut Order), refused: bool| {
        let mut story = Story::of(asking());
        story.region_lost();
        story.confirm();
        story.show("digest-1", &[]);
        let mut order = story.order("order", OrderKind::StartFailover, "person-1");
        change(&mut order);
        story.push(What::Order(order));
        if refused {
            story.after(MINUTE).tell(Told::OrderRefused { order: "order".to_owned() });
        }
        story.after(8 * MINUTE);
        story.ended()
    };
    let changes: [fn(&mut Order); 4] = [
        |order| order.role = false,
        |order| order.token = false,
        |order| order.kind = OrderKind::CommitFailover,
        |order| order.digest = "another".to_owned(),
    ];
    for change in changes {
        assert_healthy(&sent(change, true));
        assert_wrong(&sent(change, false), Promise::OrdersAnswered);
    }
    // A good order begins a saga or is refused with the reason; a dry run asks for nothing.
    assert_healthy(&sent(|_| (), true));
    assert_wrong(&sent(|_| (), false), Promise::OrdersAnswered);
    assert_healthy(&sent(|order| order.dry_run = true, false));
}

#[test]
fn that_a_saga_started_and_how_it_ended_is_told() {
    let without = |told: Told| {
        let mut story = super::whole(plan());
        story.events.retain(|event| !matches!(&event.what, What::Told { told: one, .. } if *one == told));
        story.after(10 * MINUTE);
        story.ended()
    };
    assert_healthy(&without(Told::Failed { saga: "saga-1".to_owned() }));
    assert_wrong(&without(Told::Started { saga: "saga-1".to_owned() }), Promise::SaysWhich);
    assert_wrong(&without(Told::Completed { saga: "saga-1".to_owned() }), Promise::SaysWhich);
}

#[test]
fn an_incident_that_is_over_is_closed() {
    let closed_after = |seconds: i64| {
        let mut story = Story::of(asking());
        story.hear(Origin::ServiceHealth, true);
        story.suspect();
        story.hear(Origin::ServiceHealth, false);
        story.after(6 * HOUR + seconds);
        story.tell(Told::Closed { plan: "shop".to_owned(), incident: "i-1".to_owned() });
        story.ended()
    };
    assert_healthy(&closed_after(5 * MINUTE));
    assert_wrong(&closed_after(10 * MINUTE), Promise::IncidentClosed);
}

#[test]
fn a_word_that_aged_out_keeps_no_incident_open_where_another_sender_took_theirs_back() {
    let closed = |taken_back: bool, hours: i64| {
        let mut story = Story::of(asking());
        let mut hear = |origin: Origin, bad: bool, id: &str| {
            let evidence = Evidence { id: id.to_owned(), ..story.evidence(origin, bad) };
            story.push(What::Evidence(evidence));
        };
        ["p-1", "p-2", "p-3"].into_iter().for_each(|id| hear(Origin::Probe, true, id));
        if taken_back {
            hear(Origin::ServiceHealth, true, "s-1");
            hear(Origin::ServiceHealth, false, "s-2");
        }
        story.suspect();
        story.after(hours * HOUR).push(What::HealthRead);
        story.after(6 * HOUR + MINUTE).tell(Told::Closed { plan: "shop".to_owned(), incident: "i-1".to_owned() });
        story.ended()
    };
    assert_healthy(&closed(true, 25));
    assert_wrong(&closed(true, 12), Promise::IncidentClosed);
    assert_wrong(&closed(false, 25), Promise::IncidentClosed);
}

#[test]
fn an_alarm_of_the_past_owes_nothing_and_evidence_of_a_second_plan_is_its_own() {
    let mut story = Story::of(asking());
    let mut evidence = story.evidence(Origin::ServiceHealth, true);
    evidence.said -= HOUR;
    story.push(What::Evidence(evidence));
    story.after(HOUR);
    assert_healthy(&story.ended());

    let mut story = Story::of(asking());
    story.push(What::Plan(Plan { name: "other".to_owned(), ..asking() }));
    story.hear(Origin::ServiceHealth, true);
    story.suspect();
    story.after(3 * MINUTE);
    assert_wrong(&story.ended(), Promise::SuspectedInTime);
}
