//! The JSON Schema of each command, from the tables that their reader follows.
//! It never says what only the reader can: which fields have no meaning beside another, and when a command lapses.

use serde_json::{Map, Value, json};

use crate::command::form::{
    ARM_ID_CHARS_MAX, DIGEST_CHARS, ENVELOPE, Field, Form, Holds, ID_CHARS_MAX, NAME_CHARS_MAX, TYPE_PREFIX,
    TYPE_VERSION,
};

/// The committed file of a command's schema, beside this crate's manifest.
pub fn command_file(form: &Form) -> String {
    format!("schemas/commands/{}.schema.json", form.name)
}

/// The schema of a command, envelope and all.
pub fn command(form: &Form) -> Value {
    let mut schema = mapping(ENVELOPE, form.data);
    schema["properties"]["type"] = json!({ "const": format!("{TYPE_PREFIX}{}.{TYPE_VERSION}", form.name) });
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(format!("Lifeboat command {}", form.name));
    schema["description"] = json!(form.says);
    schema
}

fn mapping(fields: &[Field], data: &[Field]) -> Value {
    let mut schema = json!({ "type": "object", "additionalProperties": false, "properties": properties(fields, data) });
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn properties(fields: &[Field], data: &[Field]) -> Map<String, Value> {
    let of = |field: &Field| {
        let mut schema = holds(field.holds, data);
        schema["description"] = json!(field.says);
        (field.name.to_owned(), schema)
    };
    fields.iter().map(of).collect()
}

fn holds(what: Holds, data: &[Field]) -> Value {
    let shaped = |pattern: &str, most: usize| json!({ "type": "string", "pattern": pattern, "maxLength": most });
    match what {
        Holds::Text(most) => shaped("\\S", most),
        Holds::Name => shaped("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", NAME_CHARS_MAX),
        Holds::Digest => shaped(&format!("^[0-9a-f]{{{DIGEST_CHARS}}}$"), DIGEST_CHARS),
        Holds::ArmId => shaped("^/[sS][uU][bB][sS][cC][rR][iI][pP][tT][iI][oO][nN][sS]/", ARM_ID_CHARS_MAX),
        Holds::Id => shaped("^[A-Za-z0-9._:-]+$", ID_CHARS_MAX),
        Holds::Number => json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX }),
        Holds::Truth => json!({ "type": "boolean" }),
        Holds::Yes => json!({ "const": true }),
        Holds::Moment => json!({ "type": "string", "format": "date-time", "maxLength": ID_CHARS_MAX }),
        Holds::Word([only]) => json!({ "const": only }),
        Holds::Word(words) => json!({ "enum": words }),
        Holds::Words(words) => json!({ "type": "array", "items": { "enum": words }, "uniqueItems": true }),
        Holds::Point(words) => json!({ "anyOf": [{ "enum": words }, { "type": "string", "format": "date-time" }] }),
        Holds::OneOf(fields) => json!({
            "type": "object",
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
            "properties": properties(fields, data),
        }),
        Holds::Data => mapping(data, &[]),
    }
}
