//! Tests of the model itself: for each promise a small story that is healthy, and one that is wrong by one change.
//! They never run the product: a model that calls everything right would be found here.

mod afterwards;
mod approvals;
mod declaring;
mod fences;
mod keeping;
mod moving;
mod order_of_things;
mod points;
mod rules;
mod story;
mod switch;
mod times;

use super::history::{Event, History, Plan, What};
use super::wrong::{Promise, Wrong};
use story::{Story, plan};

#[track_caller]
fn assert_healthy(wrongs: &[Wrong]) {
    assert!(wrongs.is_empty(), "{wrongs:#?}");
}

/// At least one wrong, and each is of this promise.
#[track_caller]
fn assert_wrong(wrongs: &[Wrong], promise: Promise) {
    let only = wrongs.iter().all(|wrong| wrong.promise == promise);
    assert!(only && !wrongs.is_empty(), "not only {promise:?}: {wrongs:#?}");
}

/// The story of this plan from the loss of the region to the end, changed at one place.
fn whole(plan: Plan) -> Story {
    let mut story = Story::of(plan);
    story.region_lost();
    story.reach_start();
    story.reach_commit();
    story.reach_end();
    story
}

#[test]
fn a_whole_failover_by_rules_is_healthy() {
    assert_healthy(&whole(plan()).ended());
}

#[test]
fn a_history_without_an_end_or_out_of_order_is_wrong() {
    let mut events = whole(plan()).events;
    assert_wrong(&super::judge(&History { events: events.clone() }), Promise::InOrderOfTime);
    let (first, last) = (events[0].at, events[events.len() - 1].at);
    for (at, healthy) in [(last, true), (first, false)] {
        events.push(Event { at, what: What::End });
        let wrongs = super::judge(&History { events: events.clone() });
        assert_eq!(wrongs.is_empty(), healthy, "{wrongs:#?}");
    }
}
