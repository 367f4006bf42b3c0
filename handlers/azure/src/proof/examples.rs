//! Gate b: every example answer of every spoken operation is decoded, and nothing that is used is lost.
//!
//! It never chooses examples: all that the document names for the operation are taken, with all their answers of success. Where there
//! is no document, the answers of the recording that stands for it are the examples.

use super::{
    data, decoders,
    kept::{altered, is_in, values},
};
use crate::{
    json,
    operations::{self, Operation},
    recordings,
    transport::Answer,
};
use azure_core::http::headers::Headers;
use serde_json::Value;
use std::{collections::HashMap, fs, path::Path};

/// Operations whose document has no example.
const WITHOUT_EXAMPLES: [(&str, &str); 2] = [
    ("GET", "/subscriptions/{subscriptionId}/resourcegroups/{resourceGroupName}"),
    ("GET", "/subscriptions/{subscriptionId}/resourcegroups"),
];

fn json_of(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The answers of success in the examples of an operation, with the file each is from.
fn answers(folder: &Path, document: &Value, operation: &Operation) -> Vec<(String, Answer)> {
    let beside = folder.join("specs").join(operation.document);
    let method = &document["paths"][operation.path][operation.method.to_lowercase()];
    let mut found = Vec::new();
    for example in method["x-ms-examples"].as_object().into_iter().flat_map(|examples| examples.values()) {
        let name = example["$ref"].as_str().unwrap();
        let example = json_of(&beside.parent().unwrap().join(name));
        for (status, answer) in example["responses"].as_object().unwrap() {
            let status: u16 = status.parse().unwrap();
            if (200..300).contains(&status) {
                let mut headers = Headers::new();
                for (name, value) in answer["headers"].as_object().into_iter().flatten() {
                    headers.insert(name.to_lowercase(), value.as_str().unwrap_or_default().to_owned());
                }
                let body = answer.get("body").map(Value::to_string).unwrap_or_default().into();
                found.push((name.to_owned(), Answer { status, headers, body }));
            }
        }
    }
    found
}

/// All examples of all operations.
fn examples() -> Vec<(&'static Operation, Vec<(String, Answer)>)> {
    let Some(folder) = data::folder() else { return Vec::new() };
    let mut documents: HashMap<&str, Value> = HashMap::new();
    let of = |operation: &&'static Operation| {
        if let Some(tape) = operations::recorded_alone(operation) {
            let recorded = recordings::answers_of(operation, tape);
            let named = |recorded: &data::Recorded| (format!("{tape} {}", recorded.path), recordings::answer(recorded));
            return (*operation, recorded.iter().map(named).collect());
        }
        let path = folder.join("specs").join(operation.document);
        let document = documents.entry(operation.document).or_insert_with(|| json_of(&path));
        (*operation, answers(&folder, document, operation))
    };
    operations::ALL.iter().map(of).collect()
}

#[test]
fn every_operation_has_one_decoder() {
    for operation in operations::ALL {
        decoders::of(operation);
    }
    assert_eq!(decoders::DECODERS.len(), operations::ALL.len());
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn every_example_is_decoded_and_nothing_that_is_used_is_lost() {
    let (mut with, mut responses, mut kept, mut lost) = (0, 0, 0, Vec::new());
    let examples = examples();
    if examples.is_empty() {
        return;
    }
    for (operation, answers) in examples {
        let decoder = decoders::of(operation);
        let known = WITHOUT_EXAMPLES.contains(&(operation.method, operation.path));
        assert_eq!(answers.is_empty(), known, "{} {} has {} examples", operation.method, operation.path, answers.len());
        with += usize::from(!answers.is_empty());
        for (name, answer) in answers {
            let texts = decoder.decode(&answer).unwrap_or_else(|error| panic!("{name}: {error:?}"));
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            responses += 1;
            if let Some(token) = json::text(&body, "/$skipToken") {
                assert!(
                    texts.iter().all(|text| is_in(text, "next", &Value::from(token))),
                    "{name}: the next page is lost"
                );
            }
            for (resource, text) in
                decoder.resources(&body).into_iter().zip(&texts).filter(|pair| decoder.is_ours(pair.0))
            {
                for (pointer, field) in decoder.kept {
                    for value in values(resource, pointer) {
                        kept += 1;
                        if !is_in(text, field, value) {
                            lost.push(format!("{name}: {pointer} = {value} is lost in {text}"));
                        }
                    }
                }
            }
        }
    }
    assert!(lost.is_empty(), "{} values: {lost:#?}", lost.len());
    println!("examples: {with} operations, {responses} responses decoded, {kept} values kept");
    data::count("examples", &serde_json::json!({ "operations": with, "responses": responses, "values": kept }));
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn a_value_that_was_not_read_would_be_missed() {
    let (mut planted, mut unseen) = (0, Vec::new());
    for (operation, answers) in examples() {
        let decoder = decoders::of(operation);
        for (name, answer) in answers {
            let texts = decoder.decode(&answer).unwrap();
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            for (resource, text) in
                decoder.resources(&body).into_iter().zip(&texts).filter(|pair| decoder.is_ours(pair.0))
            {
                for (pointer, field) in decoder.kept {
                    for value in values(resource, pointer).into_iter().filter_map(altered) {
                        planted += 1;
                        if is_in(text, field, &value) {
                            unseen.push(format!("{name} {pointer} {value}"));
                        }
                    }
                }
            }
        }
    }
    println!("examples: {planted} values planted, {} of them not missed", unseen.len());
    assert!(unseen.len() * 50 <= planted, "{} of {planted} are not missed: {unseen:#?}", unseen.len());
}

/// Renames a field wherever it stands.
fn renamed(value: &Value, field: &str) -> Value {
    match value {
        Value::Array(entries) => entries.iter().map(|entry| renamed(entry, field)).collect(),
        Value::Object(fields) => {
            let own = |name: &String| if name == field { format!("{name}Planted") } else { name.clone() };
            Value::Object(fields.iter().map(|(name, value)| (own(name), renamed(value, field))).collect())
        }
        other => other.clone(),
    }
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn a_field_that_is_read_by_another_name_would_be_missed() {
    let (mut planted, mut unseen) = (0, Vec::new());
    for (operation, answers) in examples() {
        let decoder = decoders::of(operation);
        for (name, answer) in answers {
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            for (pointer, field) in decoder.kept {
                let last = pointer.trim_end_matches("/*").rsplit('/').next().unwrap();
                let had: Vec<_> = decoder.resources(&body);
                if last == "0" || !had.iter().any(|resource| !values(resource, pointer).is_empty()) {
                    continue;
                }
                planted += 1;
                let body = renamed(&body, last).to_string().into();
                let other = Answer { status: answer.status, headers: answer.headers.clone(), body };
                // An answer that is not decoded at all is seen, too.
                let Ok(texts) = decoder.decode(&other) else { continue };
                let kept =
                    had.iter().zip(&texts).filter(|pair| decoder.is_ours(pair.0)).all(|(resource, text)| {
                        values(resource, pointer).iter().all(|value| is_in(text, field, value))
                    });
                if kept {
                    unseen.push(format!("{name} {pointer}"));
                }
            }
        }
    }
    println!("examples: {planted} fields renamed, {} of them not missed", unseen.len());
    // A severity stands in two fields, and either is read; a value may stand in another field of the same name.
    unseen.retain(|place| !place.ends_with("/properties/level"));
    assert!(unseen.len() * 20 <= planted, "{} of {planted} are not missed: {unseen:#?}", unseen.len());
}
