//! Feeds the decoder of invocations what no host ever sent.
//! It never asserts a meaning, only that nothing panics and that encodings agree.

use http::HeaderMap;
use lifeboat_functions::host::{Envelope, Invocation, InvocationId, TraceContext};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;

fn invocation(envelope: Envelope) -> Invocation {
    let Envelope { data, metadata } = envelope;
    let (id, trace) = (InvocationId::of(&HeaderMap::new()), TraceContext::default());
    Invocation { function: "Any", id, trace, data, metadata, deadline: Instant::now() }
}

fn read_everything(body: &[u8]) {
    let Ok(envelope) = Envelope::parse(body) else { return };
    let invocation = invocation(envelope);
    let _ = (invocation.event_grid_events(), invocation.service_bus_body(), invocation.timer());
    let _ = (invocation.delivery_count(), invocation.message_id(), invocation.enqueued_time());
    let _ = TraceContext::of_message(&invocation.application_properties());
}

/// JSON of some depth, with strings that hold JSON again.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "[0-9TZ:+.-]{0,30}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let name = prop_oneof!["[a-zA-Z]{1,8}", Just("IsPastDue".to_owned()), Just("traceparent".to_owned())];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::hash_map(name, inner.clone(), 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_everything(&body);
    }

    #[test]
    fn envelopes_of_anything_never_panic(data in anything(), meta in anything()) {
        read_everything(json!({ "Data": { "msg": data }, "Metadata": {
            "DeliveryCount": meta, "MessageId": meta, "EnqueuedTime": meta, "ApplicationProperties": meta,
        } }).to_string().as_bytes());
    }

    #[test]
    fn a_count_reads_the_same_in_every_encoding(count in any::<u64>()) {
        let plain = json!(count);
        let once = json!(count.to_string());
        let twice = json!(json!(count.to_string()).to_string());
        for encoded in [plain, once, twice] {
            let body = json!({ "Data": { "msg": "" }, "Metadata": { "deliverycount": encoded } }).to_string();
            prop_assert_eq!(invocation(Envelope::parse(body.as_bytes()).unwrap()).delivery_count(), Some(count));
        }
    }

    #[test]
    fn a_text_comes_out_of_the_hosts_encoding_unchanged(text in ".{0,40}") {
        let body = json!({ "Data": { "msg": "" }, "Metadata": { "MessageId": json!(text).to_string() } }).to_string();
        prop_assert_eq!(invocation(Envelope::parse(body.as_bytes()).unwrap()).message_id(), Some(text.clone()));
        let body = json!({ "Data": { "msg": json!(text).to_string() } }).to_string();
        let read = invocation(Envelope::parse(body.as_bytes()).unwrap()).service_bus_body().unwrap();
        prop_assert_eq!(read.as_ref(), text.as_bytes());
    }
}

#[test]
fn times_are_read_as_the_host_writes_them() {
    let cases = [
        ("2026-11-22T10:00:00", Some("2026-11-22T10:00:00Z")),
        ("2026-11-22T10:00:00+00:00", Some("2026-11-22T10:00:00Z")),
        ("2026-11-22T12:00:00.1234567+02:00", Some("2026-11-22T10:00:00.1234567Z")),
        ("0001-01-01T00:00:00+00:00", None),
        ("9999-12-31T23:59:59", None),
        ("01/02/2026 03:04:05", None),
        ("", None),
    ];
    for (written, meant) in cases {
        let body = json!({ "Data": { "msg": "" }, "Metadata": { "EnqueuedTime": written } }).to_string();
        let read = invocation(Envelope::parse(body.as_bytes()).unwrap()).enqueued_time();
        assert_eq!(read, meant.map(|meant| meant.parse().unwrap()), "{written}");
    }
}
