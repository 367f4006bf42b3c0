//! Holds texts of path, query and headers to what a document says of a parameter.
//! It never looks at bodies.

use serde_json::{Value, json};

use super::Specs;
use super::documents::Node;
use super::schema::Direction;

/// What is wrong with the text that stands for this parameter.
pub(super) fn check(specs: &Specs, parameter: &Node, key: &str, text: &str) -> Vec<String> {
    let found = specs.validate(parameter, key, Direction::Answer, &read(&parameter.value, text));
    found.into_iter().map(|(_, expected)| expected).collect()
}

/// The text as a value of the parameter's type; as it is where it cannot be that, so that the type is found wrong.
fn read(parameter: &Value, text: &str) -> Value {
    let as_text = || json!(text);
    match parameter.get("type").and_then(Value::as_str) {
        Some("integer") => text.parse::<i64>().map_or_else(|_| as_text(), |number| json!(number)),
        Some("number") => text.parse::<f64>().map_or_else(|_| as_text(), |number| json!(number)),
        Some("boolean") => match text {
            "true" | "True" => json!(true),
            "false" | "False" => json!(false),
            _ => as_text(),
        },
        Some("array") => {
            let items = parameter.get("items").cloned().unwrap_or_default();
            text.split(',').map(|item| read(&items, item)).collect()
        }
        _ => as_text(),
    }
}

/// A parameter's name.
pub(super) fn name(parameter: &Node) -> &str {
    parameter.value.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// Whether a parameter stands there: `path`, `query`, `header` or `body`.
pub(super) fn is_in(parameter: &Node, place: &str) -> bool {
    parameter.value["in"] == place
}

/// Whether a parameter must be there.
pub(super) fn is_required(parameter: &Node) -> bool {
    parameter.value["required"] == Value::Bool(true)
}
