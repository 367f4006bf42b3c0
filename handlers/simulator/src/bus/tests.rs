//! Tests of the broker: each rule of Service Bus that Lifeboat leans on, under paused time.
//! They never sleep on wall time.

mod rest;

use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tower::ServiceExt as _;

use super::properties::read_message;
use super::{Bus, BusError, BusFault, BusFaultEffect, Counts, DeadLetterReason, Message, QueueOptions};
use crate::azure::blobs::ConnectionReset;
use crate::azure::blobs::wire::{http_date, parse_date};
use crate::clock::Clock;

const QUEUE: &str = "reconcile";

fn epoch() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn bus_with(change: impl FnOnce(&mut QueueOptions)) -> (Bus, Clock) {
    let clock = Clock::starting_at(epoch());
    let mut options = QueueOptions::new(QUEUE);
    change(&mut options);
    (Bus::new(clock.clone(), vec![options]), clock)
}

fn bus() -> (Bus, Clock) {
    bus_with(|_| {})
}

fn named(id: &str) -> Message {
    Message { message_id: Some(id.to_owned()), ..Message::new(id.to_owned()) }
}

fn after(seconds: i64) -> Timestamp {
    epoch() + SignedDuration::from_secs(seconds)
}

async fn advance(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

/// Posts to the queue as a client does: absolute URL, bearer token, properties in a header.
async fn post(bus: &Bus, properties: &str, body: impl Into<Body>) -> http::Response<Body> {
    let request = Request::post("https://ns.servicebus.windows.net/reconcile/messages")
        .header("authorization", "Bearer t")
        .header("brokerproperties", properties)
        .body(body.into())
        .unwrap();
    bus.router().oneshot(request).await.unwrap()
}

async fn call(bus: &Bus, method: &str, url: &str) -> http::Response<Body> {
    let request =
        Request::builder().method(method).uri(url).header("authorization", "Bearer t").body(Body::empty()).unwrap();
    bus.router().oneshot(request).await.unwrap()
}

async fn text(response: http::Response<Body>) -> String {
    String::from_utf8(axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn messages_come_in_the_order_of_their_acceptance_with_counted_names() {
    let (bus, _) = bus();
    for id in ["a", "b"] {
        bus.send(QUEUE, named(id)).unwrap();
    }
    bus.send(QUEUE, Message::new("no id")).unwrap();
    let received: Vec<_> = std::iter::from_fn(|| bus.try_receive(QUEUE).unwrap()).collect();
    let seen: Vec<_> = received.iter().map(|m| (m.message_id.as_str(), m.sequence_number, m.delivery_count)).collect();
    assert_eq!(seen, [("a", 1, 1), ("b", 2, 1), ("5eb10001-0000-4000-8000-000000000001", 3, 1)]);
    assert_eq!(received[0].lock_token, "5eb20001-0000-4000-8000-000000000001");
    assert_eq!(received[0].locked_until, after(60));
    assert_eq!(received[0].expires_at, None);
    bus.complete(&received[0].lock_token).unwrap();
    assert_eq!(bus.complete(&received[0].lock_token), Err(BusError::LockLost));
    assert_eq!(bus.counts(QUEUE), Counts { locked: 2, completed: 1, ..Counts::default() });
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_runs_out_brings_the_message_back_with_a_higher_delivery_count() {
    let (bus, _) = bus();
    bus.send(QUEUE, named("a")).unwrap();
    bus.send(QUEUE, named("b")).unwrap();
    let first = bus.receive(QUEUE).await;
    advance(30).await;
    assert_eq!(bus.renew(&first.lock_token), Ok(after(90)));
    advance(59).await;
    assert_eq!(bus.try_receive(QUEUE).unwrap().unwrap().message_id, "b");
    assert_eq!(bus.try_receive(QUEUE).unwrap(), None);
    // Nobody moves the clock here: the wait itself lets paused time run to the end of the lock.
    let again = bus.receive(QUEUE).await;
    assert_eq!((again.message_id.as_str(), again.delivery_count, again.sequence_number), ("a", 2, 1));
    assert_eq!(again.locked_until, after(150));
    assert_eq!(bus.complete(&first.lock_token), Err(BusError::LockLost));
    assert_eq!(bus.renew(&first.lock_token), Err(BusError::LockLost));
    bus.complete(&again.lock_token).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_never_completed_is_dead_after_its_last_delivery() {
    let (bus, _) = bus_with(|options| options.max_delivery_count = 3);
    bus.send(QUEUE, named("a")).unwrap();
    for delivery in 1..=3 {
        let locked = bus.receive(QUEUE).await;
        assert_eq!(locked.delivery_count, delivery);
        // The second delivery is lost with its lock, the others are given back.
        match delivery {
            2 => advance(60).await,
            _ => bus.abandon(&locked.lock_token).unwrap(),
        }
    }
    assert_eq!(bus.try_receive(QUEUE).unwrap(), None);
    let dead = bus.dead_letters(QUEUE);
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].reason, dead[0].delivery_count), (DeadLetterReason::MaxDeliveryCountExceeded, 3));
    assert_eq!(dead[0].reason.name(), "MaxDeliveryCountExceeded");
    assert_eq!(bus.counts(QUEUE), Counts { dead: 1, ..Counts::default() });
    assert_eq!(bus.resubmit(QUEUE), 1);
    let again = bus.receive(QUEUE).await;
    assert_eq!((again.delivery_count, &again.message.body[..]), (1, &b"a"[..]));
    assert_ne!(again.message_id, "a", "a new send needs a new id, or duplicate detection drops it");
}

#[tokio::test(start_paused = true)]
async fn duplicates_are_dropped_silently_within_the_window_and_scheduled_messages_count() {
    let (bus, _) = bus();
    let scheduled = Message { scheduled_enqueue_time: Some(after(3600)), ..named("s") };
    bus.send(QUEUE, scheduled.clone()).unwrap();
    bus.send(QUEUE, named("s")).unwrap();
    bus.send(QUEUE, scheduled).unwrap();
    bus.send(QUEUE, named("a")).unwrap();
    bus.complete(&bus.receive(QUEUE).await.lock_token).unwrap();
    bus.send(QUEUE, named("a")).unwrap();
    assert_eq!(bus.counts(QUEUE), Counts { scheduled: 1, completed: 1, duplicates: 3, ..Counts::default() });
    advance(24 * 3600 - 1).await;
    bus.send(QUEUE, named("a")).unwrap();
    assert_eq!(bus.counts(QUEUE).duplicates, 4);
    advance(1).await;
    bus.send(QUEUE, named("a")).unwrap();
    assert_eq!(bus.counts(QUEUE).active, 2, "the window is over: the scheduled one and the new one are there");
    for _ in 0..2 {
        bus.send(QUEUE, Message::new("no id")).unwrap();
    }
    assert_eq!(bus.counts(QUEUE).active, 4, "messages without an id are never duplicates");
}

#[tokio::test(start_paused = true)]
async fn a_scheduled_message_becomes_visible_at_its_time_with_a_new_sequence_number() {
    let (bus, clock) = bus();
    bus.send(QUEUE, Message { scheduled_enqueue_time: Some(after(600)), ..named("later") }).unwrap();
    bus.send(QUEUE, Message { scheduled_enqueue_time: Some(after(-5)), ..named("past") }).unwrap();
    assert_eq!(bus.receive(QUEUE).await.message_id, "past");
    assert_eq!(bus.next_visible(QUEUE), Some(after(60)), "the lock of the first message ends before");
    bus.send(QUEUE, named("soon")).unwrap();
    bus.complete(&bus.receive(QUEUE).await.lock_token).unwrap();
    let mut names = Vec::new();
    while names.last().map(String::as_str) != Some("later") {
        let locked = bus.receive(QUEUE).await;
        assert!(clock.now() <= after(600));
        if locked.message_id == "later" {
            assert_eq!((locked.enqueued_sequence_number, locked.sequence_number), (1, 4));
            assert_eq!((locked.enqueued_time, clock.now()), (after(600), after(600)));
        }
        names.push(locked.message_id);
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_waits_is_woken_by_a_send_and_by_a_jump_of_the_clock() {
    let (bus, clock) = bus();
    let waiting = tokio::spawn({
        let bus = bus.clone();
        async move { (bus.receive(QUEUE).await.message_id, bus.receive(QUEUE).await.message_id) }
    });
    tokio::task::yield_now().await;
    bus.send(QUEUE, named("a")).unwrap();
    bus.send(QUEUE, Message { scheduled_enqueue_time: Some(after(86_400)), ..named("tomorrow") }).unwrap();
    tokio::task::yield_now().await;
    clock.jump(SignedDuration::from_hours(24));
    bus.clock_jumped();
    let (first, second) = waiting.await.unwrap();
    assert_eq!(first, "a");
    // The first message's lock ran out in the jump too; the order is by sequence number.
    assert!(["a", "tomorrow"].contains(&second.as_str()));
}

#[tokio::test(start_paused = true)]
async fn expired_messages_are_dropped_or_kept_as_dead_letters() {
    for keep in [false, true] {
        let (bus, _) = bus_with(|options| {
            options.dead_letter_on_expiration = keep;
            options.default_time_to_live = Some(Duration::from_secs(100));
        });
        bus.send(QUEUE, Message { time_to_live: Some(Duration::from_secs(10)), ..named("short") }).unwrap();
        bus.send(QUEUE, Message { time_to_live: Some(Duration::from_secs(1000)), ..named("long") }).unwrap();
        advance(10).await;
        let locked = bus.receive(QUEUE).await;
        assert_eq!((locked.message_id.as_str(), locked.expires_at), ("long", Some(after(100))));
        let counts = bus.counts(QUEUE);
        assert_eq!((counts.dead, counts.expired), if keep { (1, 0) } else { (0, 1) });
        if keep {
            assert_eq!(bus.dead_letters(QUEUE)[0].reason, DeadLetterReason::TtlExpired);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ordered_faults_strike_as_often_as_ordered() {
    for (effect, status, reset, active) in [
        (BusFaultEffect::ServerBusy, 503, false, 0),
        (BusFaultEffect::TooManyRequests, 429, false, 0),
        (BusFaultEffect::ResetBefore, 502, true, 0),
        (BusFaultEffect::ResetAfter, 502, true, 1),
        (BusFaultEffect::Drop, 201, false, 0),
    ] {
        let (bus, _) = bus();
        bus.fault(BusFault::new(effect).on_queue(QUEUE).after(1));
        assert_eq!(post(&bus, "{}", "first").await.status().as_u16(), 201);
        bus.complete(&bus.receive(QUEUE).await.lock_token).unwrap();
        let struck = post(&bus, r#"{"MessageId":"m"}"#, "second").await;
        assert_eq!(struck.status().as_u16(), status, "{effect:?}");
        assert_eq!(struck.extensions().get::<ConnectionReset>().is_some(), reset, "{effect:?}");
        assert_eq!(bus.counts(QUEUE).active, active, "{effect:?}");
        assert_eq!(post(&bus, r#"{"MessageId":"m"}"#, "second").await.status().as_u16(), 201);
        assert_eq!(bus.counts(QUEUE).active, 1, "{effect:?}: a repeat brings the message exactly once");
    }
    let (bus, _) = bus();
    bus.fault(BusFault::new(BusFaultEffect::Hang));
    let hung = tokio::time::timeout(Duration::from_secs(3600), post(&bus, "{}", "x")).await;
    assert!(hung.is_err());
    bus.drop_next(QUEUE, 2);
    for _ in 0..3 {
        assert_eq!(post(&bus, "{}", "x").await.status().as_u16(), 201);
    }
    assert_eq!(bus.counts(QUEUE).active, 1);
}

#[test]
fn http_dates_are_read_in_both_spellings_of_utc() {
    for text in ["Sun, 22 Nov 2026 10:00:00 GMT", "Sun, 22 Nov 2026 10:00:00 +0000", "Sun, 22 Nov 2026 12:00:00 +0200"]
    {
        assert_eq!(parse_date(text), Some(epoch()), "{text}");
    }
}

proptest! {
    #[test]
    fn reading_any_properties_never_panics(json in ".{0,200}", name in "[a-z-]{1,12}", value in "[ -~]{0,40}", ttl: f64) {
        for properties in [json, format!(r#"{{"TimeToLive":{ttl}}}"#)] {
            let mut headers = http::HeaderMap::new();
            if let Ok(properties) = http::HeaderValue::from_bytes(properties.as_bytes()) {
                headers.insert("brokerproperties", properties);
            }
            headers.insert(http::HeaderName::try_from(&name).unwrap(), value.parse().unwrap());
            drop(read_message(&headers, bytes::Bytes::new()));
        }
    }

    #[test]
    fn no_message_is_lost_or_doubled_whatever_receivers_do(steps in proptest::collection::vec((0_u8..6, 0_u8..8), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (bus, clock) = bus_with(|options| options.max_delivery_count = 3);
            let (mut sent, mut tokens) = (0_usize, Vec::new());
            for (step, detail) in steps {
                match step {
                    0 => {
                        let at = clock.now() + SignedDuration::from_secs(i64::from(detail) * 20);
                        bus.send(QUEUE, Message { scheduled_enqueue_time: Some(at), ..Message::new("x") }).unwrap();
                        sent += 1;
                    }
                    1 => tokens.extend(bus.try_receive(QUEUE).unwrap().map(|locked| locked.lock_token)),
                    2 => drop(tokens.pop().map(|token| bus.complete(&token))),
                    3 => drop(tokens.pop().map(|token| bus.abandon(&token))),
                    4 => drop(tokens.last().map(|token| bus.renew(token))),
                    _ => clock.jump(SignedDuration::from_secs(i64::from(detail) * 15)),
                }
                let counts = bus.counts(QUEUE);
                let kept = counts.active + counts.scheduled + counts.locked + counts.dead;
                assert_eq!(kept + usize::try_from(counts.completed).unwrap(), sent);
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_send_and_an_abandon_wake_a_receiver_at_once() {
    let (bus, clock) = bus();
    let late = |act: Box<dyn FnOnce()>| async move {
        tokio::time::sleep(Duration::from_secs(5)).await;
        act();
    };
    let wait = || tokio::time::timeout(Duration::from_secs(50), bus.receive(QUEUE));
    let sender = bus.clone();
    let (sent, ()) = tokio::join!(wait(), late(Box::new(move || sender.send(QUEUE, named("a")).unwrap())));
    let token = sent.unwrap().lock_token;
    assert_eq!(clock.now(), after(5));
    let holder = bus.clone();
    let (again, ()) = tokio::join!(wait(), late(Box::new(move || holder.abandon(&token).unwrap())));
    assert_eq!((again.unwrap().delivery_count, clock.now()), (2, after(10)));
}

#[tokio::test(start_paused = true)]
async fn the_first_message_that_waits_for_its_time_can_be_brought_forward() {
    let (bus, clock) = bus();
    for (id, wait) in [("later", 90), ("first", 60)] {
        bus.send(QUEUE, Message { scheduled_enqueue_time: Some(after(wait)), ..named(id) }).unwrap();
    }
    assert_eq!(bus.bring_forward(QUEUE), Some(SignedDuration::from_secs(60)));
    assert_eq!(bus.receive(QUEUE).await.message.message_id.as_deref(), Some("first"));
    assert_eq!((bus.counts(QUEUE).scheduled, clock.now()), (1, epoch()));
    assert_eq!(bus.bring_forward(QUEUE), Some(SignedDuration::from_secs(90)));
    assert_eq!(bus.bring_forward(QUEUE), None);
}
