//! Holds the committed schemas of events, their examples, AsyncAPI and the types together.
//! It never writes a committed file unless LIFEBOAT_GOLDEN=write asks for it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lifeboat_contract::command::form::COMMANDS;
use lifeboat_contract::events::{
    self, AlarmRaised, ArmId, EVENT_BYTES_MAX, Event, FailoverRefused, KINDS, Line, List, MACHINES_MAX, Name,
    REASONS_MAX, RegionConfirmed,
};
use serde_json::Value;

const WRITE_AGAIN: &str = "write it again with LIFEBOAT_GOLDEN=write cargo test -p lifeboat-contract --test events";
const AT: &str = "2026-11-22T02:00:00Z";

fn at() -> Timestamp {
    AT.parse().expect("it is there")
}

fn sent(event: &Event) -> Value {
    events::with_source(event.to_json(), &events::source("lb-weu", "00000000-0000-4000-8000-0000000000e5"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment asks a test to write its golden file; no setting of the product"
)]
fn holds_committed(file: &str, now: &Value) {
    let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
    let now = format!("{now:#}\n");
    if std::env::var("LIFEBOAT_GOLDEN").as_deref() == Ok("write") {
        std::fs::write(&path, &now).expect("it is there");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), now, "{file}: {WRITE_AGAIN}");
}

fn files(folder: &str) -> BTreeSet<String> {
    let there = std::fs::read_dir(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"))).expect("it is there");
    there
        .map(|entry| {
            format!("{folder}/{}", entry.expect("it is there").file_name().into_string().expect("it is there"))
        })
        .collect()
}

fn example_file(event: &Event) -> String {
    format!("examples/events/{}.v1.json", event.happening.word())
}

#[test]
fn the_committed_schemas_are_the_ones_that_the_types_give_and_no_other_is_there() {
    for kind in KINDS {
        let schema = events::schema(kind);
        assert!(jsonschema::meta::is_valid(&schema), "{}", kind.word);
        holds_committed(&events::schema_file(kind), &schema);
    }
    assert_eq!(files("schemas/events"), KINDS.iter().map(events::schema_file).collect());
}

#[test]
fn there_is_one_example_of_each_kind_and_it_fits_its_schema() {
    let examples = events::examples(at());
    let words: Vec<&str> = examples.iter().map(|event| event.happening.word()).collect();
    assert_eq!(words, KINDS.iter().map(|kind| kind.word).collect::<Vec<_>>());
    for (kind, event) in KINDS.iter().zip(&examples) {
        let sent = sent(event);
        let validator = jsonschema::validator_for(&events::schema(kind)).unwrap();
        let faults: Vec<String> = validator.iter_errors(&sent).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{}: {faults:?}", kind.word);
        let undescribed: Vec<&String> = sent["data"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|name| !(kind.fields)().iter().any(|field| field.name == **name))
            .collect();
        assert!(undescribed.is_empty(), "{}: {undescribed:?}", kind.word);
        holds_committed(&example_file(event), &sent);
    }
    assert_eq!(files("examples/events"), examples.iter().map(example_file).collect());
    let ids: BTreeSet<&str> = examples.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids.len(), examples.len());
}

#[test]
fn an_event_of_another_kind_or_without_a_field_does_not_fit() {
    let examples = events::examples(at());
    for (kind, event) in KINDS.iter().zip(&examples) {
        let validator = jsonschema::validator_for(&events::schema(kind)).unwrap();
        for other in examples.iter().filter(|other| other.id != event.id) {
            assert!(!validator.is_valid(&sent(other)), "{} takes {}", kind.word, other.happening.word());
        }
        for field in (kind.fields)().into_iter().filter(|field| field.required) {
            let mut without = sent(event);
            without["data"].as_object_mut().unwrap().remove(&field.name);
            assert!(!validator.is_valid(&without), "{} without {}", kind.word, field.name);
        }
    }
}

#[test]
fn the_largest_event_stays_below_its_bound() {
    let long = "ä".repeat(5_000);
    let machines = || List::new((0..MACHINES_MAX * 2).map(|_| ArmId::new(&long)));
    let lines = || List::new((0..REASONS_MAX * 2).map(|_| Line::new(&long)));
    let name = || Name::new(&long);
    let alarm = AlarmRaised {
        cause: name(),
        policy: Some(name()),
        what: Line::new(&long),
        since: at(),
        machines: machines(),
        machines_total: u64::MAX,
    };
    let confirmed = RegionConfirmed {
        recovery_plan: name(),
        region: name(),
        incident: name(),
        since: at(),
        evidence: lines(),
        data_loss_seconds: Some(u64::MAX),
    };
    let refused = FailoverRefused { recovery_plan: name(), incident: Some(name()), unmet: lines() };
    for event in [Event::new(alarm, "1", at()), Event::new(confirmed, "1", at()), Event::new(refused, "1", at())] {
        let bytes = sent(&event).to_string().len();
        assert!(bytes < EVENT_BYTES_MAX, "{}: {bytes}", event.happening.word());
    }
}

#[test]
fn the_committed_asyncapi_is_the_one_that_the_table_gives_and_holds_together() {
    let document = events::asyncapi();
    holds_committed(events::ASYNCAPI_FILE, &document);
    let faults = faults(&document);
    assert!(faults.is_empty(), "{faults:?}");
    let named: BTreeSet<String> = document["components"]["messages"].as_object().unwrap().keys().cloned().collect();
    let commands = COMMANDS.iter().map(|form| format!("io.lifeboat.command.{}.v1", form.name));
    assert_eq!(named, KINDS.iter().map(|kind| kind.event_type()).chain(commands).collect());
}

#[test]
fn asyncapi_takes_each_command_by_the_queue_and_by_http_and_reads_it_by_its_committed_schema() {
    let document = events::asyncapi();
    for (operation, channel, address) in [("obey", "commands", "commands"), ("obeyPosted", "api", "/api/commands")] {
        let operation = &document["operations"][operation];
        assert_eq!(operation["action"], "receive", "{channel}");
        assert_eq!(document["channels"][channel]["address"], address);
        let taken = operation["messages"].as_array().expect("a list");
        assert_eq!((taken.len(), COMMANDS.len()), (12, 12), "{channel}");
        for (form, message) in COMMANDS.iter().zip(taken) {
            let name = format!("io.lifeboat.command.{}.v1", form.name);
            assert_eq!(message["$ref"], format!("#/channels/{channel}/messages/{name}"));
        }
    }
    for form in COMMANDS {
        let mut schema = lifeboat_contract::schema::command(form);
        schema.as_object_mut().expect("a schema").remove("$schema");
        let name = format!("io.lifeboat.command.{}.v1", form.name);
        assert_eq!(document["components"]["schemas"][&name]["schema"], schema, "{name}");
        // What draft 7 does not have would mean nothing to those who read the document.
        for newer in ["$defs", "prefixItems", "unevaluatedProperties", "dependentRequired", "minContains"] {
            assert!(!schema.to_string().contains(newer), "{name}: {newer}");
        }
    }
}

#[test]
fn a_document_that_does_not_hold_together_is_found() {
    let break_at = |pointer: &str, value: Value| {
        let mut document = events::asyncapi();
        *document.pointer_mut(pointer).unwrap() = value;
        faults(&document)
    };
    assert!(!break_at("/asyncapi", "2.6.0".into()).is_empty());
    assert!(!break_at("/operations/tell/action", "publish".into()).is_empty());
    let of_the_topic = "#/channels/events/messages/io.lifeboat.point.created.v1";
    assert!(!break_at("/operations/obey/messages/0/$ref", of_the_topic.into()).is_empty());
    assert!(!break_at("/operations/tell/channel/$ref", "#/channels/other".into()).is_empty());
    assert!(!break_at("/operations/tell/messages/0/$ref", "#/components/messages/x".into()).is_empty());
    assert!(!break_at("/channels/events/messages/io.lifeboat.point.created.v1/$ref", "#/nowhere".into()).is_empty());
}

/// What is wrong with an AsyncAPI 3 document, as far as ours uses the specification.
fn faults(document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut need = |holds: bool, what: String| {
        if !holds {
            faults.push(what);
        }
    };
    need(document["asyncapi"] == "3.0.0", "asyncapi".into());
    need(document["info"]["title"].is_string() && document["info"]["version"].is_string(), "info".into());
    for reference in references(document) {
        let there = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        need(there.is_some(), format!("{reference} leads nowhere"));
    }
    for (name, operation) in document["operations"].as_object().expect("it is there") {
        need(matches!(operation["action"].as_str(), Some("send" | "receive")), format!("{name}: action"));
        let channel = operation["channel"]["$ref"].as_str().unwrap_or_default();
        need(channel.starts_with("#/channels/"), format!("{name}: channel"));
        for message in operation["messages"].as_array().into_iter().flatten() {
            // The specification: a message of an operation is one of its channel's, not of the components.
            let of_channel = message["$ref"].as_str().is_some_and(|to| to.starts_with(&format!("{channel}/messages/")));
            need(of_channel, format!("{name}: {message}"));
        }
    }
    for (name, message) in document["components"]["messages"].as_object().expect("it is there") {
        need(message["payload"]["$ref"].is_string() && message["contentType"].is_string(), name.clone());
    }
    for (name, payload) in document["components"]["schemas"].as_object().expect("it is there") {
        let valid = payload["schema"].is_object() && jsonschema::meta::is_valid(&payload["schema"]);
        need(valid && payload["schemaFormat"].is_string(), name.clone());
    }
    faults
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
