//! What holds of every reader, whatever arrives: nothing is lost, nothing that is a test counts, and one fact in several forms is one.
//! It never looks at decisions.

use jiff::Timestamp;
use lifeboat_contract::signals::{
    Door, Known, NotCounted, ProbeKind, ProbeOutcome, ProbeResult, Reading, SERVICES, read,
};
use lifeboat_planning::signal::{Origin, State};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::compose::{at, line};

fn now() -> Timestamp {
    at("00:10")
}

/// The regions and machines of the composed payloads.
fn known() -> Known {
    let mut known = Known::default();
    known.add_region("westeurope", "West Europe");
    known.add_region("northeurope", "North Europe");
    let poll = line(at("00:00"), "poll", 1).expect("a poll");
    for (machine, region) in read(poll.door, &poll.body, &known, poll.at).machines {
        known.add_machine(&machine, &region);
    }
    known.add_named("shop-availability", "westeurope");
    known
}

fn body(text: &str) -> (Door, Value) {
    let line = line(now(), text, 1).expect("a line of the table");
    (line.door, line.body)
}

fn of(text: &str) -> Reading {
    let (door, body) = body(text);
    read(door, &body, &known(), now())
}

/// Something was said of it: it counts, it does not and why, or it stays as it came; only a whole reading may find nothing at all.
fn is_kept(reading: &Reading) -> bool {
    reading.whole || !(reading.signals.is_empty() && reading.uncounted.is_empty() && reading.raw.is_empty())
}

/// One line for each of the forms that arrive.
const FORMS: &[&str] = &[
    "alert service",
    "alert service stage=Resolved form=list",
    "alert service form=none type=Maintenance",
    "alert resource",
    "alert resource status=Available",
    "alert metric",
    "alert log condition=Resolved vm=2",
    "event status",
    "event annotated schema=cloud",
    "poll down=2 event=NA0F-1/Active/West_Europe",
    "poll part=events",
    "probe failed",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["Active", "True", "TEST-1", "Unavailable", "ServiceHealth", "Fired"])
            .prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "data",
        "essentials",
        "alertContext",
        "properties",
        "schemaId",
        "monitoringService",
        "stage",
        "impactedServices",
        "value",
        "events",
        "availabilityStatuses",
        "id",
        "name",
        "type",
        "impact",
        "resourceInfo",
    ]);
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|fields| fields
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect::<Map<_, _>>()
                .into()),
        ]
    })
}

/// All places in a value, as pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            places(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| places(value, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn whatever_arrives_at_whatever_door_is_kept(value in any_json(), door in prop::sample::select(Door::ALL.to_vec())) {
        let reading = read(door, &value, &known(), now());
        prop_assert!(is_kept(&reading), "{door}: {value}");
        prop_assert!(reading.signals.is_empty(), "nothing of this is evidence: {value}");
    }

    #[test]
    fn a_payload_with_anything_put_in_any_place_is_kept(
        form in prop::sample::select(FORMS.to_vec()),
        place in any::<prop::sample::Index>(),
        value in any_json(),
    ) {
        let (door, mut body) = body(form);
        let mut found = Vec::new();
        places(&body, "", &mut found);
        let place = place.get(&found);
        *body.pointer_mut(place).expect("a place") = value;
        prop_assert!(is_kept(&read(door, &body, &known(), now())), "{form} with {body}");
    }

    #[test]
    fn a_payload_without_any_one_of_its_fields_is_kept_and_makes_no_new_evidence(
        form in prop::sample::select(FORMS.to_vec()),
        place in any::<prop::sample::Index>(),
    ) {
        let (door, mut body) = body(form);
        let whole = read(door, &body, &known(), now());
        let mut found = Vec::new();
        places(&body, "", &mut found);
        let place = place.get(&found);
        if let Some((parent, name)) = place.rsplit_once('/')
            && let Some(Value::Object(fields)) = body.pointer_mut(parent)
        {
            fields.remove(name);
        }
        let less = read(door, &body, &known(), now());
        prop_assert!(is_kept(&less), "{form} without {place}");
        let failing = |reading: &Reading| reading.signals.iter().filter(|s| s.state == State::Failing).count();
        prop_assert!(failing(&less) <= failing(&whole), "{form} without {place}");
    }

    #[test]
    fn nothing_with_the_mark_of_a_test_is_ever_a_signal(
        stage in prop::sample::select(vec!["Active", "Resolved", "RCA", "Planned", "x"]),
        kind in prop::sample::select(vec!["Incident", "Security", "Maintenance", "y"]),
        form in prop::sample::select(vec!["string", "list", "none", "broken"]),
        mark in prop::sample::select(vec!["synthetic=True", "synthetic=true", "synthetic=1", "synthetic=yes", "id=TEST-9", "id=Test-x"]),
    ) {
        let reading = of(&format!("alert service stage={stage} type={kind} form={form} {mark}"));
        prop_assert!(reading.signals.is_empty());
        prop_assert_eq!(reading.uncounted.iter().map(|one| one.why).collect::<Vec<_>>(), vec![NotCounted::Test]);
    }

    #[test]
    fn an_incident_tells_one_signal_for_each_service_and_region_whatever_its_form(
        services in prop::sample::subsequence(SERVICES.to_vec(), 1..=SERVICES.len()),
        both in any::<bool>(),
        resolved in any::<bool>(),
    ) {
        let region = if both { "West_Europe+North_Europe" } else { "West_Europe" };
        let stage = if resolved { "Resolved" } else { "Active" };
        let named = services.join("+").replace(' ', "_");
        let text = format!("alert service service={named} region={region} stage={stage}");
        let (a, b) = (of(&text), of(&format!("{text} form=list")));
        prop_assert_eq!(&a.signals, &b.signals);
        prop_assert_eq!(a.signals.len(), services.len() * if both { 2 } else { 1 });
        let state = if resolved { State::Well } else { State::Failing };
        prop_assert!(a.signals.iter().all(|s| s.origin == Origin::ServiceHealth && s.state == state));
    }

    #[test]
    fn an_event_is_the_same_in_both_schemas_alone_or_in_a_list(
        state in prop::sample::select(vec!["Available", "Unavailable", "Degraded", "Unknown", "Sleepy"]),
        vm in 1usize..8,
        annotated in any::<bool>(),
    ) {
        let kind = if annotated { "annotated" } else { "status" };
        let text = format!("event {kind} vm={vm} state={state}");
        let (grid, cloud) = (of(&text), of(&format!("{text} schema=cloud")));
        prop_assert_eq!(&grid.signals, &cloud.signals);
        prop_assert_eq!(&grid.uncounted, &cloud.uncounted);
        let (door, one) = body(&format!("{text} schema=cloud"));
        let twice = read(door, &json!([one.clone(), one]), &known(), now());
        prop_assert_eq!(twice.signals.len(), 2 * grid.signals.len());
    }

    #[test]
    fn pages_tell_the_same_as_one_answer_and_are_whole_only_to_the_last(cut in 0usize..=8, down in 0usize..=5, last in any::<bool>()) {
        let (door, mut body) = body(&format!("poll down={down}"));
        let whole = read(door, &body, &known(), now());
        prop_assert!(whole.whole);
        let items = body["availabilityStatuses"]["value"].as_array().expect("statuses").clone();
        let (first, rest) = items.split_at(cut.min(items.len()));
        let mut pages = vec![json!({ "value": first, "nextLink": "https://management.azure.com/2" })];
        if last {
            pages.push(json!({ "value": rest }));
        }
        body["availabilityStatuses"] = json!(pages);
        let paged = read(door, &body, &known(), now());
        prop_assert_eq!(paged.whole, last);
        if last {
            prop_assert_eq!(&paged.signals, &whole.signals);
        }
    }

    #[test]
    fn a_probes_result_reads_as_it_was_written(
        name in "[a-z-]{1,12}",
        kind in prop::sample::select(vec![ProbeKind::Http, ProbeKind::Tcp]),
        outcome in prop::sample::select(vec![ProbeOutcome::Ok, ProbeOutcome::Failed, ProbeOutcome::NotSent]),
        took_ms in prop::option::of(any::<u64>()),
    ) {
        let result = ProbeResult { probe: name, region: "West Europe".into(), kind, outcome, at: Some(now()), reason: None, took_ms };
        let body = serde_json::to_value(&result).expect("JSON");
        let reading = read(Door::Probe, &body, &known(), now());
        let states: Vec<State> = reading.signals.iter().map(|s| s.state).collect();
        prop_assert_eq!(states, match outcome {
            ProbeOutcome::Ok => vec![State::Well],
            ProbeOutcome::Failed => vec![State::Failing],
            ProbeOutcome::NotSent => vec![],
        });
        prop_assert!(is_kept(&reading));
    }
}

#[test]
fn azures_ways_of_writing_a_sender_are_one_sender() {
    let (door, mut body) = body("alert resource");
    for sender in ["Resource Health", "ResourceHealth", "resource-health", "Activity Log - Resource Health"] {
        body["data"]["essentials"]["monitoringService"] = json!(sender);
        assert_eq!(read(door, &body, &known(), now()).signals.len(), 1, "{sender}");
    }
}

#[test]
fn numbers_texts_and_capitals_are_read_as_azure_mixes_them() {
    let (door, mut body) = body("alert service");
    body["data"]["alertContext"]["level"] = json!("Error");
    body["data"]["alertContext"]["channels"] = json!(1);
    body["data"]["alertContext"]["properties"]["isHIR"] = json!("false");
    body["data"]["alertContext"]["properties"]["issynthetic"] = json!("False");
    assert_eq!(read(door, &body, &known(), now()).signals.len(), 1);
    body["data"]["alertContext"]["properties"]["isSYNTHETIC"] = json!(true);
    body["data"]["alertContext"]["properties"].as_object_mut().unwrap().remove("issynthetic");
    assert_eq!(read(door, &body, &known(), now()).uncounted[0].why, NotCounted::Test);
}

#[test]
fn every_reason_says_what_and_by_which_rule() {
    for form in FORMS {
        for one in of(form).uncounted {
            assert!(!one.why.to_string().is_empty() && one.why.rule().contains(".md"), "{form}");
        }
    }
    for door in Door::ALL {
        assert_eq!(Door::of(door.word()), Some(door));
    }
    assert_eq!(Door::of("window"), None);
}
