//! Stories of orders and approvals: whose word begins a saga, and for how long.
//! It never goes beyond the start of a saga.

use super::super::history::{By, Condition, Order, OrderKind, Origin, Plan, Told, What};
use super::super::wrong::{Promise, Wrong};
use super::story::{HOUR, MINUTE, Story, asking, plan};
use super::{assert_healthy, assert_wrong};

/// Shown that the fence is impossible, this is sent, and the saga begins.
fn begun_by(plan: Plan, send: impl FnOnce(&mut Story)) -> Vec<Wrong> {
    let mut story = Story::of(plan);
    story.region_lost();
    story.reach_approval(&[Condition::Fence]);
    story.after(MINUTE);
    send(&mut story);
    story.begin(false);
    story.ended()
}

fn by_one(kind: OrderKind, change: impl FnOnce(&mut Order)) -> Vec<Wrong> {
    begun_by(asking(), |story| {
        let mut order = story.order("order", kind, "person-1");
        change(&mut order);
        story.push(What::Order(order));
    })
}

#[test]
fn a_saga_begins_by_one_approval_or_by_the_order_of_a_person_with_the_role() {
    assert_healthy(&by_one(OrderKind::Approve, |_| ()));
    assert_healthy(&by_one(OrderKind::StartFailover, |_| ()));
    assert_wrong(&begun_by(asking(), |_| ()), Promise::Approved);
    assert_wrong(&by_one(OrderKind::CommitFailover, |_| ()), Promise::Approved);
}

#[test]
fn an_order_counts_only_with_a_good_token_a_role_and_a_digest_that_was_shown() {
    for kind in [OrderKind::Approve, OrderKind::StartFailover] {
        assert_wrong(&by_one(kind, |order| order.token = false), Promise::Approved);
        assert_wrong(&by_one(kind, |order| order.role = false), Promise::Approved);
        assert_wrong(&by_one(kind, |order| order.dry_run = true), Promise::Approved);
        assert_wrong(&by_one(kind, |order| order.expires = Some(0)), Promise::Approved);
        assert_wrong(&by_one(kind, |order| order.digest = "digest-0".to_owned()), Promise::Approved);
        assert_wrong(&by_one(kind, |order| order.digest.clear()), Promise::Approved);
    }
}

#[test]
fn an_approval_lapses_after_sixty_minutes() {
    let shown_before = |seconds: i64| {
        begun_by(asking(), |story| {
            story.after(seconds).send("order", OrderKind::Approve, "person-1");
        })
    };
    assert_healthy(&shown_before(58 * MINUTE));
    assert_wrong(&shown_before(HOUR), Promise::Approved);
    let approved_before = |seconds: i64| {
        begun_by(asking(), |story| {
            story.send("order", OrderKind::Approve, "person-1");
            story.after(seconds);
        })
    };
    let late = approved_before(HOUR + 1);
    assert!(late.iter().any(|wrong| wrong.promise == Promise::Approved), "{late:#?}");
}

#[test]
fn an_approval_of_a_closed_incident_does_not_count() {
    let wrongs = begun_by(asking(), |story| {
        story.hear(Origin::ServiceHealth, false);
        story.hear(Origin::Probe, false);
        story.after(6 * HOUR).tell(Told::Closed { plan: "shop".to_owned(), incident: "i-1".to_owned() });
        story.after(MINUTE).send("order", OrderKind::Approve, "person-1");
    });
    assert_wrong(&wrongs, Promise::Approved);
}

#[test]
fn an_unmet_condition_is_passed_only_by_name_and_only_as_it_was_shown() {
    assert_wrong(&by_one(OrderKind::Approve, |order| order.passes.clear()), Promise::Approved);
    let worse = |shown: bool| {
        begun_by(asking(), |story| {
            let mut order = story.order("order", OrderKind::Approve, "person-1");
            order.passes.push(Condition::DataLoss);
            let unmet = [Condition::Fence, Condition::DataLoss];
            if shown {
                story.show("digest-1", &unmet);
            }
            story.push(What::Order(order));
            story.record(&unmet);
        })
    };
    assert_healthy(&worse(true));
    assert_wrong(&worse(false), Promise::Approved);
}

#[test]
fn a_member_that_does_not_allow_failover_is_never_passed() {
    let wrongs = begun_by(asking(), |story| {
        let unmet = [Condition::MembersAllow];
        story.show("digest-2", &unmet);
        let mut order = story.order("order", OrderKind::Approve, "person-1");
        (order.digest, order.passes) = ("digest-2".to_owned(), unmet.to_vec());
        story.push(What::Order(order));
        story.record(&unmet);
    });
    assert!(wrongs.iter().any(|wrong| wrong.promise == Promise::ConditionsMet), "{wrongs:#?}");
}

#[test]
fn two_approvals_are_of_two_persons_and_neither_is_the_requester() {
    let two = || Plan { approvals: 2, ..asking() };
    let approved_by = |requester: Option<&str>, persons: [&str; 2]| {
        begun_by(two(), |story| {
            if let Some(requester) = requester {
                story.send("start", OrderKind::StartFailover, requester);
            }
            for (number, person) in persons.iter().enumerate() {
                story.after(MINUTE).send(&format!("order-{number}"), OrderKind::Approve, person);
            }
        })
    };
    assert_healthy(&approved_by(None, ["person-1", "person-2"]));
    assert_healthy(&approved_by(Some("person-3"), ["person-1", "person-2"]));
    assert_wrong(&approved_by(None, ["person-1", "person-1"]), Promise::Approved);
    assert_wrong(&approved_by(Some("person-1"), ["person-1", "person-2"]), Promise::Approved);
    let alone = begun_by(two(), |story| story.send("order", OrderKind::Approve, "person-1"));
    assert_wrong(&alone, Promise::Approved);
    let start = begun_by(two(), |story| story.send("start", OrderKind::StartFailover, "person-1"));
    assert_wrong(&start, Promise::Approved);
}

#[test]
fn whoever_approves_of_an_order_approves_of_what_it_passes() {
    let approved = |start: fn(&mut Order), second: fn(&mut Order)| {
        begun_by(Plan { approvals: 2, ..asking() }, |story| {
            let mut order = story.order("start", OrderKind::StartFailover, "person-3");
            start(&mut order);
            story.push(What::Order(order));
            for person in ["person-1", "person-2"] {
                let mut order = story.order(&format!("of-{person}"), OrderKind::Approve, person);
                (order.approves, order.passes) = (Some("start".to_owned()), Vec::new());
                if person == "person-2" {
                    second(&mut order);
                }
                story.after(MINUTE).push(What::Order(order));
            }
        })
    };
    assert_healthy(&approved(|_| (), |_| ()));
    assert_wrong(&approved(|order| order.passes.clear(), |_| ()), Promise::Approved);
    assert_wrong(&approved(|order| order.role = false, |_| ()), Promise::Approved);
    assert_wrong(&approved(|_| (), |order| order.approves = Some("another".to_owned())), Promise::Approved);
    assert_wrong(&approved(|_| (), |order| order.approves = None), Promise::Approved);
    assert_wrong(&approved(|_| (), |order| order.by = "person-3".to_owned()), Promise::Approved);
}

#[test]
fn two_approvals_name_one_digest() {
    let second_names = |digest: &str| {
        begun_by(Plan { approvals: 2, ..asking() }, |story| {
            story.show("digest-2", &[Condition::Fence]);
            story.send("order-1", OrderKind::Approve, "person-1");
            let mut order = story.order("order-2", OrderKind::Approve, "person-2");
            order.digest = digest.to_owned();
            story.push(What::Order(order));
        })
    };
    assert_healthy(&second_names("digest-1"));
    assert_wrong(&second_names("digest-2"), Promise::Approved);
}

#[test]
fn a_rejection_or_a_refusal_takes_an_approval_back() {
    let then = |kind: OrderKind, is_done: bool| {
        begun_by(asking(), |story| {
            story.send("order", OrderKind::Approve, "person-1");
            story.after(10).send("then", kind, "person-2");
            if kind != OrderKind::Reject {
                story.tell(Told::OrderRefused { order: "then".to_owned() });
            }
            if is_done {
                story.tell(Told::OrderDone { order: "then".to_owned() });
            }
        })
    };
    assert_healthy(&then(OrderKind::Approve, false));
    assert_healthy(&then(OrderKind::Reject, false));
    assert_wrong(&then(OrderKind::Reject, true), Promise::Approved);
    let refused = begun_by(asking(), |story| {
        story.send("order", OrderKind::Approve, "person-1");
        story.tell(Told::OrderRefused { order: "order".to_owned() });
    });
    assert_wrong(&refused, Promise::Approved);
}

#[test]
fn where_a_person_declares_only_their_order_begins_a_saga() {
    let by =
        |kind: OrderKind| begun_by(Plan { by: By::Person, ..plan() }, |story| story.send("order", kind, "person-1"));
    assert_healthy(&by(OrderKind::StartFailover));
    assert_wrong(&by(OrderKind::Approve), Promise::Approved);
}

#[test]
fn an_order_begins_no_second_saga_however_often_it_arrives() {
    let again = |id: &str| {
        let mut story = Story::of(asking());
        story.region_lost();
        story.reach_approval(&[Condition::Fence]);
        story.send("start", OrderKind::StartFailover, "person-1");
        story.send("start", OrderKind::StartFailover, "person-1");
        story.begin(false);
        story.after(MINUTE).push(What::Ended { saga: "saga-1".to_owned(), undone: true });
        story.tell(Told::Failed { saga: "saga-1".to_owned() });
        story.after(MINUTE).send(id, OrderKind::StartFailover, "person-1");
        story.saga = "saga-2".to_owned();
        story.begin(false);
        story.ended()
    };
    assert_healthy(&again("start-2"));
    assert_wrong(&again("start"), Promise::Approved);
}

#[test]
fn an_order_that_waited_beside_the_one_that_counted_is_used_up_too() {
    let mut story = Story::of(asking());
    story.region_lost();
    story.reach_approval(&[Condition::Fence]);
    story.send("approve", OrderKind::Approve, "person-1");
    story.send("start", OrderKind::StartFailover, "person-2");
    story.begin(false);
    story.push(What::Ended { saga: "saga-1".to_owned(), undone: true });
    story.tell(Told::Failed { saga: "saga-1".to_owned() });
    story.after(10 * MINUTE);
    story.saga = "saga-2".to_owned();
    story.begin(false);
    assert_wrong(&story.ended(), Promise::Approved);
}
