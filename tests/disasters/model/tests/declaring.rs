//! Stories of evidence, and of the incident that it opens, confirms and closes.
//! It never goes beyond the start of a saga.

use super::super::history::{Evidence, Mark, OrderKind, Origin, Plan, Told, What};
use super::super::wrong::Promise;
use super::story::{DAY, HOUR, MINUTE, Story, asking};
use super::{assert_healthy, assert_wrong};

/// The region is suspected on this one message.
fn suspected_on(change: impl FnOnce(&mut Evidence)) -> Vec<super::Wrong> {
    let mut story = Story::of(asking());
    let mut evidence = story.evidence(Origin::ResourceHealth, true);
    change(&mut evidence);
    story.push(What::Evidence(evidence));
    story.suspect();
    story.ended()
}

#[test]
fn no_message_that_marks_itself_as_no_evidence_opens_an_incident() {
    assert_healthy(&suspected_on(|_| ()));
    let marks = [
        Mark::Test,
        Mark::Synthetic,
        Mark::UserInitiated,
        Mark::Maintenance,
        Mark::Rca,
        Mark::OtherClass,
        Mark::Unknown,
    ];
    for mark in marks {
        assert_wrong(&suspected_on(|evidence| evidence.marks = vec![mark]), Promise::RealEvidence);
    }
}

#[test]
fn evidence_of_another_region_or_an_origin_that_is_not_asked_for_opens_nothing() {
    assert_healthy(&suspected_on(|evidence| evidence.region = "WestEurope".to_owned()));
    for region in ["northeurope", "Global"] {
        assert_wrong(&suspected_on(|evidence| evidence.region = region.to_owned()), Promise::RealEvidence);
    }
    assert_wrong(&suspected_on(|evidence| evidence.origin = Origin::Other), Promise::RealEvidence);
    let mut story = Story::of(Plan { origins: vec![Origin::Probe], ..asking() });
    story.hear(Origin::ServiceHealth, true);
    story.suspect();
    assert_wrong(&story.ended(), Promise::RealEvidence);
}

#[test]
fn one_unavailable_machine_is_no_share_of_the_fleet() {
    assert_healthy(&suspected_on(|evidence| evidence.fleet = Some((2, 3))));
    assert_wrong(&suspected_on(|evidence| evidence.fleet = Some((1, 3))), Promise::RealEvidence);
}

#[test]
fn what_was_said_too_long_ago_is_stale() {
    assert_healthy(&suspected_on(|evidence| evidence.said -= HOUR));
    assert_wrong(&suspected_on(|evidence| evidence.said -= DAY + 1), Promise::RealEvidence);
}

#[test]
fn an_incident_rests_on_what_stood_shortly_before_it_was_told() {
    let recovered_for = |seconds: i64| {
        let mut story = Story::of(asking());
        story.hear(Origin::Probe, true);
        story.after(MINUTE).hear(Origin::Probe, false);
        story.after(seconds).suspect();
        story.ended()
    };
    assert_healthy(&recovered_for(MINUTE));
    assert_wrong(&recovered_for(HOUR), Promise::RealEvidence);
}

#[test]
fn no_second_incident_is_opened_while_one_is() {
    let suspected_as = |incident: &str| {
        let mut story = Story::of(asking());
        story.hear(Origin::ServiceHealth, true);
        story.suspect();
        if incident == "i-1" {
            // The same event once more is no second one: at least once is what is promised.
            let event = story.events[story.events.len() - 1].what.clone();
            story.push(event);
        } else {
            story.tell(Told::Suspected { plan: "shop".to_owned(), incident: incident.to_owned() });
        }
        story.ended()
    };
    assert_healthy(&suspected_as("i-1"));
    assert_wrong(&suspected_as("i-2"), Promise::OncePerIncident);
}

#[test]
fn an_incident_is_confirmed_after_the_window_only() {
    let confirmed_after = |minutes: i64| {
        let mut story = Story::of(asking());
        story.region_lost();
        story.probe(minutes);
        story.record(&[]);
        story.tell(Told::Confirmed { plan: "shop".to_owned(), incident: "i-1".to_owned() });
        story.ended()
    };
    assert_healthy(&confirmed_after(11));
    assert_wrong(&confirmed_after(9), Promise::WholeWindow);
}

#[test]
fn the_conditions_are_read_again_when_an_order_arrives() {
    let read = |again: bool| {
        let mut story = Story::of(asking());
        story.region_lost();
        story.reach_approval(&[]);
        story.after(10 * MINUTE).send("order", OrderKind::Approve, "person-1");
        if again {
            story.begin(false);
        } else {
            story.begin_without_reading(false);
        }
        story.ended()
    };
    assert_healthy(&read(true));
    assert_wrong(&read(false), Promise::ConditionsRecorded);
}

#[test]
fn an_incident_is_closed_after_recovery_and_cool_down() {
    let closed_after = |resolved: bool, seconds: i64| {
        let mut story = Story::of(asking());
        story.hear(Origin::ServiceHealth, true);
        story.suspect();
        if resolved {
            story.after(MINUTE).hear(Origin::ServiceHealth, false);
        }
        story.after(seconds);
        story.tell(Told::Closed { plan: "shop".to_owned(), incident: "i-1".to_owned() });
        // Whatever comes after it, the silence between is no story of this test.
        story.push(What::End);
        super::super::judge(&super::History { events: story.events })
    };
    assert_healthy(&closed_after(true, 6 * HOUR));
    assert_wrong(&closed_after(true, 5 * HOUR), Promise::IncidentClosed);
    let wrongs = closed_after(false, 6 * HOUR);
    assert!(wrongs.iter().any(|wrong| wrong.promise == Promise::IncidentClosed), "absence is not recovery");
}
