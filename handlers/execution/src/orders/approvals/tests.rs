//! Two persons approve, neither of them the one who ordered, within the hour, who saw the same.

use super::*;
use lifeboat_contract::command::Point;
use std::collections::BTreeSet;

const DIGEST: &str = "3f0c6a1de1d14bd0f1fae2c8c8f5f2f3f0c4a3dbb7a9c7a54fd6e7c1a2b3c4d5";

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + minute * 60).expect("a moment")
}

fn order(id: &str, needs: u8) -> OrderRecord {
    let says = StartFailover {
        recovery_plan: "shop".to_owned(),
        digest: DIGEST.to_owned(),
        point: Point::default(),
        passes: BTreeSet::new(),
        reason: "the region is lost".to_owned(),
        protect_back: false,
    };
    let (id, by, approvals) = (id.to_owned(), "one".to_owned(), Vec::new());
    OrderRecord { id, incident: None, by, at: at(0), says, needs, approvals, ended: None }
}

fn by(person: &str, minute: i64) -> Approval {
    Approval { by: person.to_owned(), at: at(minute), id: format!("a-{person}-{minute}") }
}

fn waiting() -> OrdersRecord {
    let mut orders = OrdersRecord::new("shop");
    assert_eq!(orders.begin(order("o", 2), at(0)).expect("taken"), Next::Waits(2, at(60)));
    orders
}

#[test]
fn an_order_that_needs_nobody_is_handed_on_at_once_and_again_when_it_comes_again() {
    let mut orders = OrdersRecord::new("shop");
    for minute in [0, 1] {
        let next = orders.begin(order("o", 0), at(minute)).expect("taken");
        assert!(matches!(next, Next::Deliver(order) if order.id == "o"));
    }
    assert_eq!(orders.orders.len(), 1);
}

#[test]
fn two_other_persons_approve_and_then_it_is_handed_on_with_their_names() {
    let mut orders = waiting();
    assert_eq!(orders.approve("o", DIGEST, by("two", 1)).expect("taken"), Next::Waits(1, at(60)));
    let Next::Deliver(order) = orders.approve("o", DIGEST, by("three", 2)).expect("taken") else { panic!("it waits") };
    let names: Vec<&str> = order.approvals.iter().map(|approval| approval.by.as_str()).collect();
    assert_eq!(names, ["two", "three"]);
    assert!(matches!(orders.approve("o", DIGEST, by("four", 3)), Err(Refusal::NoOrder(_))), "it is handed on once");
}

#[test]
fn who_ordered_it_does_not_approve_it() {
    assert!(matches!(waiting().approve("o", DIGEST, by("one", 1)), Err(Refusal::OwnOrder)));
}

#[test]
fn one_person_counts_once_also_when_the_same_command_comes_again() {
    let mut orders = waiting();
    for _ in 0..3 {
        assert_eq!(orders.approve("o", DIGEST, by("two", 1)).expect("taken"), Next::Waits(1, at(60)));
    }
    assert!(matches!(orders.approve("o", DIGEST, by("two", 2)), Err(Refusal::SamePerson)));
}

#[test]
fn an_approval_of_something_else_than_was_ordered_is_refused() {
    let mut orders = waiting();
    assert!(matches!(orders.approve("o", &DIGEST.replace('3', "4"), by("two", 1)), Err(Refusal::OtherDigest)));
    assert!(matches!(orders.approve("x", DIGEST, by("two", 1)), Err(Refusal::NoOrder(id)) if id == "x"));
    assert!(orders.orders[0].approvals.is_empty());
}

#[test]
fn an_order_lapses_after_an_hour_and_only_then_another_one_is_taken() {
    let mut orders = waiting();
    orders.approve("o", DIGEST, by("two", 1)).expect("taken");
    assert!(matches!(orders.begin(order("p", 2), at(59)), Err(Refusal::OrderWaits { id, .. }) if id == "o"));
    assert!(orders.approve("o", DIGEST, by("three", 59)).is_ok(), "a minute before the end");
    let mut orders = waiting();
    orders.approve("o", DIGEST, by("two", 1)).expect("taken");
    assert!(matches!(orders.approve("o", DIGEST, by("three", 60)), Err(Refusal::OrderLapsed { .. })));
    let later = OrderRecord { at: at(60), ..order("p", 2) };
    assert_eq!(orders.begin(later, at(60)).expect("taken"), Next::Waits(2, at(120)));
    assert!(matches!(orders.orders[0].ended, Some(Ended { how: How::Lapsed, .. })));
}

#[test]
fn a_rejected_order_is_over_whoever_rejects_it() {
    for person in ["one", "two"] {
        let mut orders = waiting();
        orders.reject("o", person, at(1)).expect("taken");
        assert!(matches!(orders.approve("o", DIGEST, by("three", 2)), Err(Refusal::NoOrder(_))));
        assert!(orders.begin(order("p", 0), at(2)).is_ok(), "and another one may be given");
    }
}

#[test]
fn the_newest_orders_are_kept_and_no_more() {
    let mut orders = OrdersRecord::new("shop");
    for number in 0..KEPT_MAX + 5 {
        orders.begin(order(&format!("o-{number}"), 0), at(0)).expect("taken");
    }
    assert_eq!((orders.orders.len(), orders.orders[0].id.as_str()), (KEPT_MAX, "o-5"));
}

#[test]
fn a_no_in_an_incident_is_kept_and_found_however_many_orders_come_after_it() {
    let mut orders = OrdersRecord::new("shop");
    assert_eq!(orders.rejected(), None);
    orders.reject_incident("2026-11-22T02:00:00Z", "no", of_incident("shop", "a drill"), "one", at(0));
    for number in 0..KEPT_MAX + 5 {
        orders.begin(order(&format!("o-{number}"), 0), at(1)).expect("taken");
    }
    assert_eq!(orders.orders.len(), KEPT_MAX);
    assert_eq!(orders.rejected(), Some(("2026-11-22T02:00:00Z", at(0))));
}

#[test]
fn version_1_reads_as_it_was_written() {
    let golden = include_bytes!("../../../golden/orders-plan-v1.json");
    let orders: OrdersRecord = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
    let written: serde_json::Value = serde_json::to_value(&orders).expect("writes");
    assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
}
