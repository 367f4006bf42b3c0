//! The AsyncAPI 3 document: what Lifeboat says on its topic, from the same table as types and schemas.
//! It never describes what is not built: commands enter it with their own table.

use serde_json::{Map, Value, json};

use super::kinds::{KINDS, Kind};
use super::schemas::{says, schema};

/// The committed file, beside this crate's manifest.
pub const FILE: &str = "schemas/asyncapi.json";

/// The name of the channel that events leave by.
const EVENTS: &str = "events";

/// The document.
pub fn document() -> Value {
    let messages: Map<String, Value> = KINDS.iter().map(|kind| (kind.event_type(), message(kind))).collect();
    let schemas: Map<String, Value> = KINDS.iter().map(|kind| (kind.event_type(), payload(kind))).collect();
    let of_channel: Map<String, Value> = KINDS
        .iter()
        .map(|kind| (kind.event_type(), reference(&["components", "messages", &kind.event_type()])))
        .collect();
    let sent: Vec<Value> =
        KINDS.iter().map(|kind| reference(&["channels", EVENTS, "messages", &kind.event_type()])).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Lifeboat",
            "version": super::TYPE_VERSION.trim_start_matches(".v"),
            "description": "Keeps Azure virtual machines restorable. Events are told at least once and in no order; an id told twice is one event.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            EVENTS: {
                "description": "The Event Grid custom topic of a deployment, in the CloudEvents 1.0 schema.",
                "messages": of_channel,
            },
        },
        "operations": {
            "tell": {
                "action": "send",
                "summary": "What Lifeboat decided and did.",
                "channel": reference(&["channels", EVENTS]),
                "messages": sent,
            },
        },
        "components": { "messages": messages, "schemas": schemas },
    })
}

fn message(kind: &Kind) -> Value {
    json!({
        "name": kind.event_type(),
        "summary": says(kind),
        "contentType": "application/cloudevents+json",
        "payload": reference(&["components", "schemas", &kind.event_type()]),
    })
}

/// The schema as a part of the document. What it uses means the same in draft 7, which is the one that AsyncAPI's own tools read.
fn payload(kind: &Kind) -> Value {
    let mut schema = schema(kind);
    schema.as_object_mut().map(|fields| fields.remove("$schema"));
    json!({ "schemaFormat": "application/schema+json;version=draft-07", "schema": schema })
}

fn reference(path: &[&str]) -> Value {
    let parts: Vec<String> = path.iter().map(|part| part.replace('~', "~0").replace('/', "~1")).collect();
    json!({ "$ref": format!("#/{}", parts.join("/")) })
}
