//! Ten malformed commands of every kind and more, through the door as they arrive: each is refused, names the field, and does nothing.
//! What is malformed is made of the examples that ship.

use lifeboat_contract::command::form::COMMANDS;
use lifeboat_execution::orders::{Concerns, Door, Verdict};
use lifeboat_execution::{Answer, Command, Event};
use serde_json::{Value, json};

use crate::stage::Stage;

/// Of each kind at least.
const CASES_MIN: usize = 10;

fn example(name: &str) -> Value {
    let path = format!("{}/../handlers/contract/examples/commands/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).expect("an example")).expect("JSON")
}

/// The fields of an example, as pointers, with the names that a refusal gives them.
fn fields(example: &Value) -> Vec<(String, String)> {
    let of = |value: &Value, before: &str, named: &str| -> Vec<(String, String)> {
        let names = value.as_object().into_iter().flatten().map(|(name, _)| name);
        names.map(|name| (format!("{before}/{name}"), format!("{named}{name}"))).collect()
    };
    [of(example, "", ""), of(&example["data"], "/data", "data.")].concat()
}

#[tokio::test(start_paused = true)]
async fn ten_malformed_commands_of_every_kind_are_refused_by_the_field_that_is_wrong() {
    let stage = Stage::new(1).await;
    let wrong = [json!(null), json!(17), json!([]), json!(""), json!("x".repeat(20_000))];
    // Examples are as old as they say: they come at once.
    let now = stage.lifeboat.clock.now().to_string();
    let before = stage.world.blobs().names("lifeboat").len();
    for form in COMMANDS {
        let mut cases = 0;
        let mut example = example(form.name);
        example["time"] = now.clone().into();
        example.as_object_mut().expect("an object").remove("expirytime");
        let fields = fields(&example);
        for (place, name) in &fields {
            for value in &wrong {
                let mut changed = example.clone();
                *changed.pointer_mut(place).expect("a field") = value.clone();
                let body = changed.to_string().into_bytes();
                let answer =
                    stage.lifeboat.handle(Event::Command(Command { body, door: Door::Queue, token: None })).await;
                let Ok(Answer::Ordered(told)) = answer else { panic!("{}: {place}: {answer:?}", form.name) };
                // Some fields may be empty lists: what is well-formed is refused because nobody signed it, or is done.
                if value == &json!([]) && told.verdict != Verdict::Refused(Concerns::Form) {
                    continue;
                }
                assert_eq!(told.verdict, Verdict::Refused(Concerns::Form), "{}: {place}: {value}: {told:?}", form.name);
                let field = told.field.unwrap_or_default();
                assert!(field.starts_with(name.as_str()), "{}: {value} in {place} is told as {field:?}", form.name);
                cases += 1;
            }
        }
        assert!(cases >= CASES_MIN, "{}: {cases} cases", form.name);
        println!("{}: {cases} malformed ones refused", form.name);
    }
    assert_eq!(stage.world.blobs().names("lifeboat").len(), before, "nothing of them is kept");
}
