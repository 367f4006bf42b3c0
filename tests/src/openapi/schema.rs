//! Turns a part of an OpenAPI 2.0 document into a JSON Schema (draft 7) that is closed: what is not named is not valid.
//! It never validates. Types that extend others are flattened, and those that a discriminator tells apart are branches.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::documents::{Documents, Node};

/// What the schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// A request: what only the service may set must not be there, and is not asked for.
    Request,
    /// An answer.
    Answer,
}

/// A closed schema of this part and of all that it refers to.
pub fn closed(documents: &Documents, direction: Direction, node: &Node) -> Value {
    let mut making = Making { documents, direction, names: BTreeMap::new(), definitions: Map::new() };
    let root = making.node(node);
    // Through `allOf`, because beside a `$ref` nothing else counts in draft 7.
    json!({ "$schema": "http://json-schema.org/draft-07/schema#", "allOf": [root], "definitions": making.definitions })
}

struct Making<'a> {
    documents: &'a Documents,
    direction: Direction,
    names: BTreeMap<(String, String, bool), String>,
    definitions: Map<String, Value>,
}

/// An object type with all that it extends.
#[derive(Default)]
struct Flat {
    properties: BTreeMap<String, Node>,
    required: BTreeSet<String>,
    additional: Option<Node>,
    discriminator: Option<String>,
}

impl Making<'_> {
    fn node(&mut self, node: &Node) -> Value {
        let target = self.documents.resolve(node);
        let own = match node.value.get("$ref") {
            Some(_) if !target.pointer.is_empty() => self.named(&target, false),
            _ => self.inline(node),
        };
        if [&node.value, &target.value].iter().any(|value| value["x-nullable"] == Value::Bool(true)) {
            // Not `anyOf`: its error would not say what is wrong.
            return json!({ "if": { "not": { "type": "null" } }, "then": own });
        }
        own
    }

    /// A reference to a definition's own schema: with its branches, or alone.
    fn named(&mut self, target: &Node, alone: bool) -> Value {
        let key = (target.file.clone(), target.pointer.clone(), alone);
        if let Some(name) = self.names.get(&key) {
            return json!({ "$ref": format!("#/definitions/{name}") });
        }
        let last = target.pointer.rsplit('/').next().unwrap_or_default();
        let plain: String = last.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("{plain}{}", self.names.len());
        self.names.insert(key, name.clone());
        let schema = if alone { self.object(target) } else { self.branches(target) };
        self.definitions.insert(name.clone(), schema);
        json!({ "$ref": format!("#/definitions/{name}") })
    }

    /// A definition that others extend is any of them, told apart by the discriminator's value.
    fn branches(&mut self, target: &Node) -> Value {
        let last = target.pointer.rsplit('/').next().unwrap_or_default();
        let descendants = self.documents.descendants(&target.file, last);
        let discriminator = if descendants.is_empty() { None } else { self.flat(target).discriminator };
        let Some(discriminator) = discriminator else { return self.inline(target) };
        let mut branches = Vec::new();
        let mut values = Vec::new();
        for name in descendants {
            let child = self.documents.follow(&target.file, &format!("#/definitions/{name}"));
            let value = value_of(&child);
            let branch = self.named(&child, true);
            let this =
                json!({ "properties": { discriminator.clone(): { "const": value } }, "required": [discriminator] });
            branches.push(json!({ "if": this, "then": branch }));
            values.push(value);
        }
        let own = self.named(target, true);
        let one = json!({ "properties": { discriminator.clone(): { "enum": values } }, "required": [discriminator] });
        branches.push(json!({ "if": one, "then": {}, "else": own }));
        values.push(value_of(target));
        json!({ "type": "object", "properties": { discriminator: { "enum": values } }, "allOf": branches })
    }

    fn inline(&mut self, node: &Node) -> Value {
        let value = &node.value;
        let parts = value.get("allOf").and_then(Value::as_array);
        if let Some(parts) = parts
            && !parts
                .iter()
                .all(|part| is_object(&self.documents.resolve(&Node { value: part.clone(), ..node.clone() })))
        {
            let parts: Vec<Value> =
                parts.iter().map(|part| self.node(&Node { value: part.clone(), ..node.clone() })).collect();
            return json!({ "allOf": parts });
        }
        match value.get("type").and_then(Value::as_str) {
            _ if is_object(node) => self.object(node),
            Some("array") => {
                let items = value.get("items").cloned().unwrap_or_else(|| json!({}));
                let items = self.node(&Node { value: items, ..node.clone() });
                with(value, json!({ "type": "array", "items": items }), &["minItems", "maxItems", "uniqueItems"])
            }
            Some("file") | None => with(value, json!({}), &["enum"]),
            Some(kind) => scalar(kind, value),
        }
    }

    /// An object type, closed unless it says nothing of its properties or allows more.
    fn object(&mut self, node: &Node) -> Value {
        let flat = self.flat(node);
        let additional = match &flat.additional {
            Some(any) if any.value == Value::Bool(true) => json!(true),
            Some(none) if none.value == Value::Bool(false) => json!(false),
            Some(more) => self.node(more),
            None => json!(flat.properties.is_empty()),
        };
        let (mut properties, mut required) = (Map::new(), flat.required);
        for (name, property) in &flat.properties {
            if self.direction == Direction::Request && self.is_read_only(property) {
                required.remove(name);
                properties.insert(name.clone(), json!({ "not": {} }));
            } else {
                let schema = self.node(property);
                properties.insert(name.clone(), schema);
            }
        }
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": additional })
    }

    fn is_read_only(&self, property: &Node) -> bool {
        let says = |value: &Value| {
            let mutability = value.get("x-ms-mutability").and_then(Value::as_array);
            value["readOnly"] == Value::Bool(true) || mutability.is_some_and(|all| all.iter().all(|one| one == "read"))
        };
        says(&property.value) || says(&self.documents.resolve(property).value)
    }

    fn flat(&self, node: &Node) -> Flat {
        let mut flat = Flat::default();
        let at = |value: &Value| Node { file: node.file.clone(), pointer: String::new(), value: value.clone() };
        for part in node.value.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            let part = self.flat(&self.documents.resolve(&at(part)));
            flat.properties.extend(part.properties);
            flat.required.extend(part.required);
            flat.additional = part.additional.or(flat.additional);
            flat.discriminator = part.discriminator.or(flat.discriminator);
        }
        for (name, property) in node.value.get("properties").and_then(Value::as_object).into_iter().flatten() {
            flat.properties.insert(name.clone(), at(property));
        }
        let required = node.value.get("required").and_then(Value::as_array).into_iter().flatten();
        flat.required.extend(required.filter_map(|name| Some(name.as_str()?.to_owned())));
        flat.additional = node.value.get("additionalProperties").map(at).or(flat.additional);
        let discriminator = node.value.get("discriminator").and_then(Value::as_str).map(str::to_owned);
        flat.discriminator = discriminator.or(flat.discriminator);
        flat
    }
}

/// What a discriminator says for this definition.
fn value_of(definition: &Node) -> Value {
    let name = definition.pointer.rsplit('/').next().unwrap_or_default();
    definition.value.get("x-ms-discriminator-value").cloned().unwrap_or_else(|| json!(name))
}

fn is_object(node: &Node) -> bool {
    let has = |name: &str| node.value.get(name).is_some();
    node.value["type"] == "object" || has("properties") || has("allOf") || has("additionalProperties")
}

/// A text, a number or a boolean. Enums are closed, `modelAsString` or not: what is not listed is not known.
pub(super) fn scalar(kind: &str, value: &Value) -> Value {
    let mut schema = with(
        value,
        json!({ "type": kind }),
        &["enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "multipleOf"],
    );
    for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        // A boolean beside the bound in OpenAPI 2.0, the bound itself in draft 7.
        if value.get(exclusive) == Some(&Value::Bool(true))
            && let Some(limit) = schema.as_object_mut().and_then(|schema| schema.remove(bound))
        {
            schema[exclusive] = limit;
        }
    }
    match value.get("format").and_then(Value::as_str) {
        Some("int32") => {
            schema.as_object_mut().map(|schema| schema.entry("minimum").or_insert(json!(i32::MIN)));
            schema.as_object_mut().map(|schema| schema.entry("maximum").or_insert(json!(i32::MAX)));
        }
        Some(format @ ("date-time" | "uuid" | "duration")) if kind == "string" => schema["format"] = json!(format),
        _ => {}
    }
    schema
}

fn with(from: &Value, mut schema: Value, keywords: &[&str]) -> Value {
    for keyword in keywords {
        if let Some(value) = from.get(keyword) {
            schema[*keyword] = value.clone();
        }
    }
    schema
}
