//! The JSON Schema of each kind of event, from the table of kinds.
//! It never decides what is told.

use serde_json::{Map, Value, json};

use super::SPEC_VERSION;
use super::bounded::ARM_ID_CHARS_MAX;
use super::kinds::Kind;

/// The committed file of a kind's schema, beside this crate's manifest.
pub fn file(kind: &Kind) -> String {
    format!("schemas/events/{}{}.schema.json", kind.word, super::TYPE_VERSION)
}

/// The schema of a whole event of this kind, as it is sent. A later release may add fields, so that more of them are no error.
pub fn schema(kind: &Kind) -> Value {
    let text = |chars_max: usize| json!({ "type": "string", "minLength": 1, "maxLength": chars_max });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.event_type(),
        "description": says(kind),
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"],
        "properties": {
            "specversion": { "const": SPEC_VERSION },
            "id": { "description": "Names the work: one told twice is one.", "type": "string", "pattern": "^[0-9a-f]{64}$" },
            "source": { "description": "The deployment and its estate.", "type": "string", "pattern": "^/lifeboat/[^/]+/[^/]+$" },
            "type": { "const": kind.event_type() },
            "subject": text(ARM_ID_CHARS_MAX),
            "time": { "type": "string", "format": "date-time" },
            "datacontenttype": { "const": "application/json" },
            "data": data(kind),
        },
    })
}

/// What a kind tells, as one text.
pub(super) fn says(kind: &Kind) -> String {
    kind.says.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

fn data(kind: &Kind) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for field in (kind.fields)() {
        let mut schema = field.schema;
        schema["description"] = json!(field.says);
        if field.required {
            required.push(field.name.clone());
        }
        properties.insert(field.name, schema);
    }
    json!({ "type": "object", "required": required, "properties": properties })
}
