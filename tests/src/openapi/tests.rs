//! The validator against a document of its own, small enough to read, and against Microsoft's own examples.
//! It never keeps a copy of theirs.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Body, Finding, Specs, Traffic};

const DOCUMENT: &str = "specification/things/things.json";
const THING: &str = "/subscriptions/{subscriptionId}/providers/Microsoft.Things/things/{name}";

/// A document with what ours must understand: `allOf`, a discriminator, read-only members, enums, `x-nullable`.
fn document() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "swagger": "2.0",
        "info": { "version": "2025-01-01" },
        "paths": { THING: { "put": {
            "operationId": "Things_Put",
            "parameters": [
                { "name": "api-version", "in": "query", "required": true, "type": "string" },
                { "name": "subscriptionId", "in": "path", "required": true, "type": "string", "format": "uuid" },
                { "name": "name", "in": "path", "required": true, "type": "string", "pattern": "^[a-z]+$" },
                { "name": "$top", "in": "query", "type": "integer", "maximum": 10 },
                { "name": "body", "in": "body", "required": true, "schema": { "$ref": "#/definitions/Thing" } },
            ],
            "responses": {
                "200": { "schema": { "$ref": "#/definitions/Thing" } },
                "204": {},
                "default": { "schema": { "$ref": "#/definitions/Error" } },
            },
        } } },
        "definitions": {
            "Resource": { "type": "object", "required": ["id"], "properties": { "id": { "type": "string", "readOnly": true } } },
            "Thing": { "allOf": [{ "$ref": "#/definitions/Resource" }], "required": ["kind"], "properties": {
                "kind": { "type": "string", "enum": ["Round", "Square"], "x-ms-enum": { "name": "Kind", "modelAsString": true } },
                "made": { "type": "string", "format": "date-time" },
                "count": { "type": "integer", "format": "int32", "x-nullable": true },
                "tags": { "type": "object", "additionalProperties": text },
                "parts": { "type": "array", "items": { "$ref": "#/definitions/Part" } },
            } },
            "Part": { "type": "object", "discriminator": "type", "required": ["type"], "properties": { "type": text } },
            "Wheel": { "allOf": [{ "$ref": "#/definitions/Part" }], "x-ms-discriminator-value": "wheel",
                "required": ["radius"], "properties": { "radius": { "type": "integer" } } },
            "Error": { "type": "object", "properties": { "error": { "type": "object", "required": ["code"],
                "properties": { "code": text, "message": text } } } },
        },
    })
}

struct Folder(PathBuf);

impl Folder {
    fn of(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("lifeboat-openapi-{name}-{}", std::process::id()));
        let path = folder.join(DOCUMENT);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        std::fs::write(path, document().to_string()).expect("a file can be written");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn good() -> Traffic {
    Traffic {
        method: "PUT".to_owned(),
        path: "/Subscriptions/00000000-0000-4000-8000-00000000000a/providers/microsoft.things/Things/abc".to_owned(),
        query: vec![("api-version".to_owned(), "2025-01-01".to_owned()), ("$top".to_owned(), "3".to_owned())],
        request_headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        request: Body::Json(json!({ "kind": "Round", "count": null, "parts": [{ "type": "wheel", "radius": 1 }] })),
        status: 200,
        answer: Body::Json(
            json!({ "id": "/a", "kind": "Square", "made": "2025-01-01T00:00:00Z", "tags": { "a": "b" } }),
        ),
        ..Traffic::default()
    }
}

fn places(found: &[Finding]) -> Vec<&str> {
    found.iter().map(|finding| finding.place.as_str()).collect()
}

#[test]
fn a_request_that_is_not_as_documented_is_found_with_its_place() {
    let folder = Folder::of("requests");
    let specs = Specs::below(&folder.0);
    let operation = specs.operation(DOCUMENT, "PUT", THING);
    assert_eq!(specs.request(&operation, &good()), []);
    let body = |body: Value| Traffic { request: Body::Json(body), ..good() };
    let query = |pairs: &[(&str, &str)]| Traffic {
        query: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..good()
    };
    let version = ("api-version", "2025-01-01");
    for (traffic, place) in [
        (body(json!({ "kind": "Oval" })), "request/kind"),
        (body(json!({ "kind": "Round", "colour": "red" })), "request/colour"),
        (body(json!({})), "request/kind"),
        (body(json!({ "kind": "Round", "id": "/a" })), "request/id"),
        (body(json!({ "kind": "Round", "made": "yesterday" })), "request/made"),
        (body(json!({ "kind": "Round", "count": 3_000_000_000_u32 })), "request/count"),
        (body(json!({ "kind": "Round", "tags": { "a": 1 } })), "request/tags/a"),
        (body(json!({ "kind": "Round", "parts": [{ "type": "wheel" }] })), "request/parts/0/radius"),
        (body(json!({ "kind": "Round", "parts": [{ "type": "wheel", "radius": 1, "x": 1 }] })), "request/parts/0/x"),
        (body(json!({ "kind": "Round", "parts": [{ "type": "sail" }] })), "request/parts/0/type"),
        (Traffic { request: Body::Empty, ..good() }, "request"),
        (query(&[("api-version", "2024-01-01")]), "query/api-version"),
        (query(&[]), "query/api-version"),
        (query(&[version, ("$skip", "1")]), "query/$skip"),
        (query(&[version, ("$top", "11")]), "query/$top"),
        (query(&[version, ("$top", "many")]), "query/$top"),
        (Traffic { path: good().path.replace("abc", "A1"), ..good() }, "path/name"),
        (Traffic { path: good().path.replace("00000000-", "x-"), ..good() }, "path/subscriptionId"),
        (Traffic { path: "/subscriptions".to_owned(), ..good() }, "path"),
        (Traffic { request_headers: Vec::new(), ..good() }, "header/content-type"),
    ] {
        assert_eq!(places(&specs.request(&operation, &traffic)), [place]);
    }
}

#[test]
fn an_answer_that_is_not_as_documented_is_found_with_its_place() {
    let folder = Folder::of("answers");
    let specs = Specs::below(&folder.0);
    let operation = specs.find("PUT", &good().path, None).expect("the path is documented");
    assert_eq!(specs.answer(&operation, &good()), []);
    let answer = |status: u16, answer: Body| Traffic { status, answer, ..good() };
    let refused = json!({ "error": { "code": "NotFound", "message": "It is not there." } });
    assert_eq!(specs.answer(&operation, &answer(404, Body::Json(refused.clone()))), []);
    assert_eq!(specs.answer(&operation, &answer(204, Body::Empty)), []);
    for (traffic, place) in [
        (answer(202, Body::Json(refused)), "status"),
        (answer(200, Body::Json(json!({ "kind": "Round" }))), "answer/id"),
        (answer(200, Body::Json(json!({ "id": "/a", "kind": "Oval" }))), "answer/kind"),
        (answer(200, Body::Json(json!({ "id": "/a", "kind": "Round", "made": null }))), "answer/made"),
        (answer(200, Body::Empty), "answer"),
        (answer(200, Body::Other), "answer"),
        (answer(204, Body::Json(json!({}))), "answer"),
    ] {
        assert_eq!(places(&specs.answer(&operation, &traffic)), [place]);
    }
    assert!(specs.find("GET", &good().path, None).is_none() && specs.find("PUT", "/subscriptions/s", None).is_none());
}

/// Folders of documents, and how many of the answers in their examples are not as the document itself says. A rule of ours that asks
/// too much shows here at once, and one that asks too little too: Microsoft's own slips (a size or a state that no enum lists, `null`
/// where it is not allowed, an empty text for an object) must be found.
const EXAMPLES: [(&str, usize); 8] = [
    ("specification/resources/resource-manager/Microsoft.Resources/stable/2022-12-01", 0),
    ("specification/resources/resource-manager/Microsoft.Resources/stable/2025-04-01", 0),
    ("specification/resources/resource-manager/Microsoft.Authorization/stable/2020-05-01", 0),
    ("specification/resourcehealth/resource-manager/Microsoft.ResourceHealth/stable/2025-05-01", 0),
    ("specification/compute/resource-manager/Microsoft.Compute/ComputeRP/stable/2025-04-01", 15),
    ("specification/compute/resource-manager/Microsoft.Compute/DiskRP/stable/2025-01-02", 2),
    ("specification/compute/resource-manager/Microsoft.Compute/Skus/stable/2021-07-01", 3),
    ("specification/resourcegraph/resource-manager/Microsoft.ResourceGraph/stable/2024-04-01", 13),
];

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn microsofts_own_examples_are_as_documented_but_for_the_slips_that_are_counted() {
    let Some(data) = crate::data::azure_data("the documents") else { return };
    let specs = Specs::below(&data.join("specs"));
    for (folder, slips) in EXAMPLES {
        let (held, found) = examples(&specs, &data.join("specs"), folder);
        println!("{folder}: {held} answers hold, {} do not", found.len());
        assert_eq!(found.len(), slips, "{folder}: {found:#?}");
    }
}

/// How many answers of a folder's examples hold, and what is found in the others.
fn examples(specs: &Specs, root: &Path, folder: &str) -> (usize, Vec<String>) {
    let (mut held, mut found) = (0, Vec::new());
    for file in std::fs::read_dir(root.join(folder)).expect("a folder").filter_map(Result::ok) {
        let name = file.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".json") {
            continue;
        }
        let document = format!("{folder}/{name}");
        let whole = specs.documents.read(&document);
        for (template, item) in whole["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let operation_of = specs.operation(&document, method, template);
                for example in operation["x-ms-examples"].as_object().into_iter().flat_map(serde_json::Map::values) {
                    let file = root.join(folder).join(example["$ref"].as_str().unwrap_or_default());
                    let example: Value =
                        serde_json::from_str(&std::fs::read_to_string(file).expect("an example")).expect("JSON");
                    for (status, response) in example["responses"].as_object().into_iter().flatten() {
                        let answer = response.get("body").map_or(Body::Empty, |body| Body::Json(body.clone()));
                        let traffic = Traffic { status: status.parse().unwrap_or(0), answer, ..Traffic::default() };
                        let findings = specs.answer(&operation_of, &traffic);
                        held += usize::from(findings.is_empty());
                        found.extend(findings.first().map(ToString::to_string));
                    }
                }
            }
        }
    }
    (held, found)
}
