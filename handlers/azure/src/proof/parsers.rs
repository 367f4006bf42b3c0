//! No decoder panics, whatever comes: any bytes, any JSON, and answers of the right shape with the wrong things in them.
//!
//! It never asks whether what is read is right.

use super::decoders::{DECODERS, Decoder, Layout};
use crate::{error::Error, graph, json, long_running, pace::Spends, permissions, said::Said, transport::Answer};
use azure_core::http::{Method, headers::Headers};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRng, TestRunner},
};
use serde_json::{Map, Value, json};

/// Cases of the gate, over all decoders.
const CASES: usize = 50_000;

const TEXTS: &[&str] = &[
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m",
    "/subscriptions/s",
    "//",
    "",
    "PowerState/",
    "ProvisioningState/succeeded",
    "Succeeded",
    "0001-01-01T00:00:00",
    "9999-99-99T",
    "2026-11-22T02:00:00.1234567890123Z",
    "-9999-01-01T00:00:00Z",
    "https://management.azure.com/x?s=1",
    "{\"operationGroup\":7}",
    "{\"operationGroup\":\"g\"}",
    "İ/providers/Microsoft.Authorization/locks/ß",
    "true",
];

/// Anything that may stand where something else should.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(TEXTS).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec(("(id|value|name|properties|code|status)", inner), 0..3)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Puts a value at a pointer, making what is on the way.
fn put(root: &mut Value, pointer: &str, value: Value) {
    let mut place = root;
    for part in pointer.split('/').skip(1) {
        place = if part == "*" || part == "0" {
            if !place.is_array() {
                *place = json!([Value::Null]);
            }
            &mut place[0]
        } else {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            &mut place[part]
        };
    }
    *place = value;
}

/// An answer of the decoder's shape, in which anything stands at every place that is read.
fn shaped(decoder: &Decoder, values: &[Value]) -> Value {
    let mut resource = json!({});
    for ((pointer, _), value) in decoder.kept.iter().zip(values.iter().cycle()) {
        put(&mut resource, pointer, value.clone());
    }
    match decoder.layout {
        Layout::One | Layout::Nothing => resource,
        Layout::Page => json!({ "value": [resource], "nextLink": values[0] }),
        Layout::Rows => json!({ "data": [resource], "$skipToken": values[0], "resultTruncated": values[1] }),
    }
}

fn answer(status: u16, body: Vec<u8>, headers: &[(&'static str, String)]) -> Answer {
    let mut map = Headers::new();
    headers.iter().for_each(|(name, value)| map.insert(*name, value.clone()));
    Answer { status, headers: map, body: body.into() }
}

#[test]
fn no_decoder_panics_whatever_comes() {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(Default::default()));
    let many = proptest::collection::vec(anything(), 8..24);
    let bytes = proptest::collection::vec(any::<u8>(), 0..64);
    let mut cases = 0;
    while cases < CASES {
        let values = many.new_tree(&mut runner).unwrap().current();
        let noise = bytes.new_tree(&mut runner).unwrap().current();
        for (at, decoder) in DECODERS.iter().enumerate() {
            let whole = shaped(decoder, &values[at % 4..]).to_string().into_bytes();
            let cut = whole.len() * (cases % 97) / 97;
            let bodies = [whole.clone(), whole[..cut].to_vec(), values[0].to_string().into_bytes(), noise.clone()];
            let headers = [("location", values[1].to_string()), ("retry-after", values[2].to_string())];
            for body in bodies {
                let _ = decoder.decode(&answer(200 + (cases % 7) as u16, body, &headers));
                cases += 1;
            }
        }
    }
    println!("parsers: {} decoders, {cases} cases", DECODERS.len());
}

proptest! {
    #[test]
    fn no_other_reader_panics(status in 100u16..=999, value in anything(), text in ".{0,40}", pattern in "[a*/]{0,9}") {
        let body = json!({ "error": { "code": value, "message": text, "details": [{ "code": "c", "message": text }, value] } });
        let error = Error::from_answer("test", &answer(status, body.to_string().into_bytes(), &[]), None);
        let _ = (error.to_string(), error.gone(), error.missing().map(|missing| missing.to_string()), error.code_is(&text));
        let _ = Said::read_body(value.to_string().as_bytes());
        let _ = long_running::read_body(&json!({ "status": value, "error": value }), long_running::OperationState::Canceled);
        let _ = (json::id(&value, "/0"), json::time(&json!([text]), "/0"), json::at(&value, &text));
        let _ = graph::decode_machines_page(value.to_string().as_bytes());
        let _ = Spends::new(Method::Post, "test", &text);
        let allowed = permissions::read(&json!({ "actions": [pattern] })).unwrap();
        let _ = (allowed.allows(&text), allowed.allows("a/a"));
    }
}
