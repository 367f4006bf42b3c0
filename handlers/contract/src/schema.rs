//! JSON Schemas of the documents that people write, for their editors.
//! It never decides what is valid: the reader does, from the same tables, and tests hold both together. What a schema cannot
//! say, as the bounds of a duration, the reader says alone.

use serde_json::{Map, Value, json};

use crate::policy::form::{self, Field, Standing};

/// The committed file of [`backup_policy`], beside this crate's manifest.
pub const BACKUP_POLICY_FILE: &str = "schemas/backup-policy.schema.json";

/// The schema of a backup policy, as far as this release acts on it.
pub fn backup_policy() -> Value {
    let metadata = mapping(form::METADATA, |_| {
        described(name(form::POLICY_NAME_CHARS_MAX), "Part of every point's name in Azure.")
    });
    let spec = mapping(form::SPEC, |field| match field {
        "mode" => json!({
            "description": "report: plan and tell, change nothing. enforce: plan and perform.",
            "enum": form::MODES,
            "default": form::MODES[0],
        }),
        "match" => json!({ "$ref": "#/$defs/condition", "description": "The machines that the policy covers." }),
        _ => json!({
            "description": "Lifeboat's own points.",
            "type": "array",
            "minItems": 1,
            "maxItems": form::POINTS_MAX,
            "items": { "$ref": "#/$defs/point" },
        }),
    });
    let mut schema = mapping(form::DOCUMENT, |field| match field {
        "apiVersion" => json!({ "const": form::API_VERSION }),
        "kind" => json!({ "const": form::BACKUP_POLICY }),
        "metadata" => metadata.clone(),
        _ => spec.clone(),
    });
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Lifeboat backup policy");
    schema["$defs"] = json!({ "condition": condition(), "point": point() });
    schema
}

/// The text of the committed file.
pub fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

fn point() -> Value {
    mapping(form::POINT, |field| match field {
        "name" => {
            described(name(form::ENTRY_NAME_CHARS_MAX), "Unique in the policy; part of the point's name in Azure.")
        }
        "kind" => json!({
            "description": "restorePoint: atomic over the machine's disks.",
            "enum": form::POINT_KINDS,
        }),
        _ => {
            let within = json!({
                "description": "How old a machine may be and still count as new: 1m to 30d.",
                "type": "string",
                "pattern": "^[0-9]{1,6}[mhd]$",
            });
            described(mapping(form::ON_CREATE, |_| within.clone()), "A point for each machine that is created.")
        }
    })
}

fn condition() -> Value {
    let several = json!({ "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/condition" } });
    let pattern = json!({
        "description": "* is any run of characters, ? is one; upper and lower case are the same.",
        "type": "string",
        "minLength": 1,
        "maxLength": form::PATTERN_CHARS_MAX,
    });
    let one = mapping(form::CONDITIONS, |field| match field {
        "all" => described(several.clone(), "Every one holds."),
        "any" => described(several.clone(), "At least one holds."),
        "not" => json!({ "$ref": "#/$defs/condition" }),
        "tag" => json!({
            "description": "A tag's key and what its value looks like; values with regard to case.",
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "propertyNames": { "minLength": 1, "maxLength": form::TAG_KEY_CHARS_MAX },
            "additionalProperties": { "type": "string", "maxLength": form::PATTERN_CHARS_MAX },
        }),
        "subscription" => {
            json!({ "type": "string", "pattern": "^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$" })
        }
        "location" => {
            json!({ "type": "string", "pattern": "^[A-Za-z0-9 ]*[A-Za-z0-9][A-Za-z0-9 ]*$", "maxLength": form::PATTERN_CHARS_MAX })
        }
        "os" => json!({ "enum": form::SYSTEMS }),
        _ => pattern.clone(),
    });
    let mut one = described(
        one,
        "A machine that something else manages is covered only where a name without wildcards names it.",
    );
    one["minProperties"] = json!(1);
    one["maxProperties"] = json!(1);
    one
}

/// A mapping of the fields that this release acts on, and of nothing else.
fn mapping(form: &[Field], of: impl Fn(&str) -> Value) -> Value {
    let now = || form.iter().filter(|field| field.standing != Standing::Later);
    let properties: Map<String, Value> = now().map(|field| (field.name.to_string(), of(field.name))).collect();
    let mut schema = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    let required: Vec<&str> =
        now().filter(|field| field.standing == Standing::Required).map(|field| field.name).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn name(chars_max: usize) -> Value {
    json!({ "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "maxLength": chars_max })
}

fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = json!(description);
    schema
}
