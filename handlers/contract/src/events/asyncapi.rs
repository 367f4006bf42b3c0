//! The AsyncAPI 3 document: what Lifeboat says on its topic and which commands it takes, from the tables that types, reader and schemas
//! come from. It never describes what is not built.

use serde_json::{Map, Value, json};

use crate::command::QUEUE;
use crate::command::form::{COMMANDS, Form, TYPE_PREFIX, TYPE_VERSION};
use crate::schema::command;

use super::kinds::{KINDS, Kind};
use super::schemas::{says, schema};

/// The committed file, beside this crate's manifest.
pub const FILE: &str = "schemas/asyncapi.json";

/// The name of the channel that events leave by.
const EVENTS: &str = "events";
/// The name of the channel that commands come by: that of the queue.
const COMMANDS_QUEUE: &str = QUEUE;
/// The name of the channel that the same commands come by over HTTP.
const API: &str = "api";
/// Where commands are posted to.
const API_PATH: &str = "/api/commands";
/// How each message is written.
const CLOUD_EVENT: &str = "application/cloudevents+json";

/// The document.
pub fn document() -> Value {
    let told: Vec<String> = KINDS.iter().map(Kind::event_type).collect();
    let taken: Vec<String> = COMMANDS.iter().map(command_type).collect();
    let of_events = KINDS.iter().map(|kind| (kind.event_type(), message(&kind.event_type(), &says(kind))));
    let of_commands = COMMANDS.iter().map(|form| (command_type(form), message(&command_type(form), form.says)));
    let messages: Map<String, Value> = of_events.chain(of_commands).collect();
    let of_events = KINDS.iter().map(|kind| (kind.event_type(), payload(schema(kind))));
    let of_commands = COMMANDS.iter().map(|form| (command_type(form), payload(command(form))));
    let schemas: Map<String, Value> = of_events.chain(of_commands).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Lifeboat",
            "version": super::TYPE_VERSION.trim_start_matches(".v"),
            "description": "Keeps Azure virtual machines restorable. Events are told at least once and in no order; an id told twice is one event. A command's id is its idempotency key: one that was taken before does nothing again.",
        },
        "defaultContentType": CLOUD_EVENT,
        "channels": {
            EVENTS: {
                "description": "The Event Grid custom topic of a deployment, in the CloudEvents 1.0 schema.",
                "messages": of_channel(&told),
            },
            COMMANDS_QUEUE: {
                "address": QUEUE,
                "description": "The Service Bus queue of a deployment for commands. What is consequential carries an access token in the extension attribute `token`; it is dropped once it is verified. A command that is refused is told as an event, and not tried again.",
                "messages": of_channel(&taken),
            },
            API: {
                "address": API_PATH,
                "description": "The same commands by HTTP POST to the function `Api`, with its key. What is consequential carries an access token in the header `Authorization`.",
                "messages": of_channel(&taken),
            },
        },
        "operations": {
            "tell": {
                "action": "send",
                "summary": "What Lifeboat decided and did.",
                "channel": reference(&["channels", EVENTS]),
                "messages": of_operation(EVENTS, &told),
            },
            "obey": {
                "action": "receive",
                "summary": "What people and other systems order, by the queue.",
                "channel": reference(&["channels", COMMANDS_QUEUE]),
                "messages": of_operation(COMMANDS_QUEUE, &taken),
            },
            "obeyPosted": {
                "action": "receive",
                "summary": "What people and other systems order, by HTTP.",
                "channel": reference(&["channels", API]),
                "messages": of_operation(API, &taken),
            },
        },
        "components": { "messages": messages, "schemas": schemas },
    })
}

/// The type of a command, which names its message.
fn command_type(form: &Form) -> String {
    format!("{TYPE_PREFIX}{}.{TYPE_VERSION}", form.name)
}

/// The messages of a channel.
fn of_channel(types: &[String]) -> Map<String, Value> {
    types.iter().map(|name| (name.clone(), reference(&["components", "messages", name]))).collect()
}

/// The messages of an operation: those of its channel.
fn of_operation(channel: &str, types: &[String]) -> Vec<Value> {
    types.iter().map(|name| reference(&["channels", channel, "messages", name])).collect()
}

fn message(name: &str, says: &str) -> Value {
    json!({
        "name": name,
        "summary": says,
        "contentType": CLOUD_EVENT,
        "payload": reference(&["components", "schemas", name]),
    })
}

/// The schema as a part of the document. What it uses means the same in draft 7, which is the one that AsyncAPI's own tools read.
fn payload(mut schema: Value) -> Value {
    schema.as_object_mut().map(|fields| fields.remove("$schema"));
    json!({ "schemaFormat": "application/schema+json;version=draft-07", "schema": schema })
}

fn reference(path: &[&str]) -> Value {
    let parts: Vec<String> = path.iter().map(|part| part.replace('~', "~0").replace('/', "~1")).collect();
    json!({ "$ref": format!("#/{}", parts.join("/")) })
}
