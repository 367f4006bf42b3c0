//! Holds the committed schemas of commands, an example of each, and their reader together.
//! It never writes a file unless LIFEBOAT_GOLDEN=write asks for it.

use std::collections::BTreeSet;

use lifeboat_contract::command::Command;
use lifeboat_contract::command::form::{COMMANDS, Form};
use lifeboat_contract::schema;
use serde_json::{Value, json};

fn path(file: &str) -> String {
    format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn example(form: &Form) -> Value {
    let text = std::fs::read_to_string(path(&format!("examples/commands/{}.json", form.name))).expect(form.name);
    serde_json::from_str(&text).expect(form.name)
}

fn files(folder: &str) -> BTreeSet<String> {
    let folder = std::fs::read_dir(path(folder)).expect("a folder of ours");
    folder.map(|entry| entry.expect("a folder of ours").file_name().into_string().expect("a folder of ours")).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment asks a test to write its golden file; no setting of the product"
)]
#[test]
fn the_committed_schemas_are_those_that_the_code_gives() {
    let write = std::env::var("LIFEBOAT_GOLDEN").as_deref() == Ok("write");
    for form in COMMANDS {
        let (file, now) = (path(&schema::command_file(form)), schema::text(&schema::command(form)));
        if write {
            std::fs::write(&file, &now).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(
            committed, now,
            "write them again with LIFEBOAT_GOLDEN=write cargo test -p lifeboat-contract --test commands"
        );
    }
    let listed = COMMANDS.iter().map(|form| format!("{}.schema.json", form.name)).collect();
    assert_eq!(files("schemas/commands"), listed, "a schema for each command and no other");
}

#[test]
fn each_schema_is_valid_and_takes_its_example_and_no_others() {
    for form in COMMANDS {
        let schema = schema::command(form);
        assert!(jsonschema::meta::is_valid(&schema), "{}", form.name);
        let schema = jsonschema::validator_for(&schema).unwrap();
        for other in COMMANDS {
            assert_eq!(schema.is_valid(&example(other)), other.name == form.name, "{} by {}", other.name, form.name);
        }
    }
}

#[test]
fn every_command_has_an_example_and_it_is_read_as_that_command() {
    for form in COMMANDS {
        let command = Command::read(example(form).to_string().as_bytes()).expect(form.name);
        assert_eq!(command.order.name(), form.name);
        assert_eq!(command.token, None, "{}: no example carries a token", form.name);
    }
    let listed = COMMANDS.iter().map(|form| format!("{}.json", form.name)).collect();
    assert_eq!(files("examples/commands"), listed);
}

#[test]
fn schema_and_reader_refuse_the_same_in_every_field() {
    let strange = [
        json!(null),
        json!(""),
        json!("x y"),
        json!(0),
        json!(-1),
        json!([]),
        json!({}),
        json!({ "zebra": 1 }),
        json!("X".repeat(20_000)),
        json!(true),
        json!(["zebra"]),
        json!({ "question": 0 }),
        json!({ "order": "a b" }),
        json!("/subscriptions/s"),
        json!("ab"),
        json!("report"),
        json!("c-1"),
        json!(["ready", "ready"]),
    ];
    let mut asked = 0;
    for form in COMMANDS {
        let schema = jsonschema::validator_for(&schema::command(form)).unwrap();
        let example = example(form);
        for place in places(&example) {
            // When it lapses, and what may stand beside what, the reader alone says; `date-time` is no more than a remark.
            if ["/time", "/expirytime", "/data/point"].contains(&place.as_str()) {
                continue;
            }
            for value in &strange {
                let mut changed = example.clone();
                *changed.pointer_mut(&place).unwrap() = value.clone();
                let read = Command::read(changed.to_string().as_bytes());
                let alone = read.as_ref().is_err_and(|refused| refused.to_string().contains("no meaning beside"));
                assert_eq!(
                    schema.is_valid(&changed),
                    read.is_ok() || alone,
                    "{place} of {}: {value}: {read:?}",
                    form.name
                );
                asked += 1;
            }
        }
    }
    assert!(asked > 1_000, "{asked}");
}

fn places(example: &Value) -> Vec<String> {
    let names = |value: &Value, before: &str| -> Vec<String> {
        value.as_object().into_iter().flatten().map(|(name, _)| format!("{before}/{name}")).collect()
    };
    [names(example, ""), names(&example["data"], "/data")].concat()
}
