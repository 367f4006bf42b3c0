//! Sending against a scripted Service Bus, in paused time.
//!
//! It never opens a socket.

use super::{MAX_BODY_BYTES, Message, Sender};
use crate::{
    error::ErrorKind,
    scripted::{Reply, Scripted},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

fn sender(base: &str, replies: impl IntoIterator<Item = Reply>) -> (Sender, Arc<Scripted>) {
    let scripted = Scripted::new(replies);
    let access = scripted.access().with_traceparent(|| Some("00-1-2-01".to_owned()));
    (Sender::new(base.parse().unwrap(), &access).unwrap(), scripted)
}

fn message() -> Message {
    Message { message_id: "work-1".to_owned(), body: "{\"a\":\"ü\"}".into(), ..Message::default() }
}

#[tokio::test(start_paused = true)]
async fn a_message_goes_out_as_service_bus_documents_it() {
    for (base, expected) in [
        ("https://ns.servicebus.windows.net", "https://ns.servicebus.windows.net/reconcile/messages"),
        ("http://127.0.0.1:1235/", "http://127.0.0.1:1235/reconcile/messages"),
        ("http://127.0.0.1:1235/bus/", "http://127.0.0.1:1235/bus/reconcile/messages"),
    ] {
        let (out, scripted) = sender(base, [Reply::text(201, "")]);
        let at = "2026-11-22T02:05:07.9Z".parse().unwrap();
        let properties = vec![("Kind".to_owned(), "look \"again\"".to_owned())];
        out.send("reconcile", Message { scheduled_at: Some(at), properties, ..message() }).await.unwrap();
        let asked = &scripted.asked()[0];
        assert_eq!((asked.method.as_str(), asked.url.as_str()), ("POST", expected));
        assert_eq!(asked.header("authorization"), "Bearer token-1", "the library's signature is thrown away");
        assert_eq!(asked.header("content-type"), "application/json");
        assert_eq!(asked.json(), json!({ "a": "ü" }));
        let properties: Value = serde_json::from_str(asked.header("brokerproperties")).unwrap();
        let moment = "Sun, 22 Nov 2026 02:05:08 GMT"; // whole seconds, never earlier
        assert_eq!(properties, json!({ "MessageId": "work-1", "ScheduledEnqueueTimeUtc": moment }));
        assert_eq!((asked.header("kind"), asked.header("diagnostic-id")), ("look \"again\"", "00-1-2-01"));
    }
    let (out, scripted) = sender("https://ns.servicebus.windows.net", [Reply::text(201, "")]);
    out.send("reconcile", message()).await.unwrap();
    assert_eq!(scripted.asked()[0].header("brokerproperties"), "{\"MessageId\":\"work-1\"}");
}

#[tokio::test(start_paused = true)]
async fn a_message_is_sent_again_under_the_same_id() {
    let busy = Reply::text(503, "<Error><Code>503</Code><Detail>busy</Detail></Error>");
    let (out, scripted) = sender("https://ns", [Reply::Broken, busy, Reply::Unreachable, Reply::text(201, "")]);
    out.send("q", message()).await.unwrap();
    let ids: Vec<String> = scripted.asked().iter().map(|asked| asked.header("brokerproperties").to_owned()).collect();
    assert!(ids.len() == 4 && ids.iter().all(|id| *id == ids[0]));
    for (reply, kind) in [
        (Reply::text(401, "<Error><Code>401</Code><Detail>no</Detail></Error>"), ErrorKind::Unauthorized),
        (Reply::text(403, ""), ErrorKind::Forbidden),
        (Reply::text(404, ""), ErrorKind::NotFound),
        (Reply::text(400, ""), ErrorKind::Refused),
        (Reply::text(429, "").with("retry-after", "60"), ErrorKind::Throttled),
        (Reply::text(503, "").with("retry-after", "60"), ErrorKind::Transient),
    ] {
        let (out, _) = sender("https://ns", vec![reply; 4]);
        let error = out.send("q", message()).await.unwrap_err();
        assert_eq!((error.kind, error.operation), (kind, "service bus send"));
        let told = matches!(kind, ErrorKind::Throttled | ErrorKind::Transient).then_some(Duration::from_secs(60));
        assert_eq!(error.retry_after(), told);
    }
    let (out, scripted) = sender("http://ns.servicebus.windows.net", []);
    assert_eq!(out.send("q", message()).await.unwrap_err().kind, ErrorKind::Refused);
    assert_eq!(scripted.count(), 0, "no token over plain http");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_arrive_is_not_sent() {
    let property = |name: &str, value: &str| Message { properties: vec![(name.into(), value.into())], ..message() };
    for (queue, faulty, kind) in [
        ("q", Message { message_id: String::new(), ..message() }, ErrorKind::Refused),
        ("q", Message { message_id: "x".repeat(129), ..message() }, ErrorKind::Refused),
        ("q", Message { message_id: "ü".to_owned(), ..message() }, ErrorKind::Refused),
        ("q", Message { body: vec![b' '; MAX_BODY_BYTES + 1].into(), ..message() }, ErrorKind::Limit),
        ("q", Message { body: vec![0xff].into(), ..message() }, ErrorKind::Refused),
        ("a/b", message(), ErrorKind::Refused),
        ("..", message(), ErrorKind::Refused),
        ("", message(), ErrorKind::Refused),
        ("q", property("a b", "x"), ErrorKind::Refused),
        ("q", property("a", "x\r\ny"), ErrorKind::Refused),
        ("q", property("authorization", "x"), ErrorKind::Refused),
        ("q", property("brokerproperties", "x"), ErrorKind::Refused),
    ] {
        let (out, scripted) = sender("https://ns", []);
        let error = out.send(queue, faulty.clone()).await.unwrap_err();
        assert_eq!((error.kind, scripted.count()), (kind, 0), "{faulty:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_works_from_any_thread() {
    let (out, _) = sender("https://ns", [Reply::text(201, "")]);
    tokio::spawn(async move { out.send("q", message()).await }).await.unwrap().unwrap();
}

proptest! {
    #[test]
    fn any_properties_are_put_right_without_a_panic(text in ".{0,80}", moment in "[ -~]{0,40}(\\+0000)?") {
        let properties = json!({ "MessageId": text, "ScheduledEnqueueTimeUtc": moment }).to_string();
        let right: Value = serde_json::from_str(&super::adapter::with_gmt(&properties)).unwrap();
        prop_assert_eq!(right["MessageId"].as_str(), Some(text.as_str()), "only the moment is touched");
        prop_assert!(!right["ScheduledEnqueueTimeUtc"].as_str().unwrap().ends_with("+0000"));
        super::adapter::with_gmt(&text);
    }
}
