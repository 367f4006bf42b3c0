//! Finds the operation that a method and a path belong to, in any document.
//! It never looks into bodies, and takes a template that names no provider for none that a path names.

use serde_json::Value;

use super::documents::{Documents, Node};

/// A piece of a path's template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Word(String),
    One(String),
    /// A parameter that is written into the path unencoded, and so can stand for several segments.
    Many(String),
}

/// An operation of a document.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The document's path below the folder.
    pub document: String,
    /// The document's `operationId`.
    pub id: String,
    /// The document's version.
    pub version: String,
    /// The HTTP method in capitals.
    pub method: String,
    /// The path as the document writes it.
    pub template: String,
    /// Its parameters, resolved.
    pub parameters: Vec<Node>,
    /// Its answers by status or `default`.
    pub answers: Vec<(String, Node)>,
}

/// Where each path of each document stands.
#[derive(Debug, Default)]
pub struct Paths {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    document: String,
    version: String,
    template: String,
    method: String,
    segments: Vec<Segment>,
}

impl Paths {
    /// Reads all documents.
    pub fn of(documents: &Documents) -> Self {
        let mut entries = Vec::new();
        for file in documents.list() {
            let document = documents.read(&file);
            let version = document.pointer("/info/version").and_then(Value::as_str).unwrap_or_default();
            for (template, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
                for (method, operation) in item.as_object().into_iter().flatten() {
                    let node = Node { file: file.clone(), pointer: String::new(), value: operation.clone() };
                    entries.push(Entry {
                        document: file.clone(),
                        version: version.to_owned(),
                        template: template.clone(),
                        method: method.to_ascii_uppercase(),
                        segments: segments(template, &parameters(documents, &node)),
                    });
                }
            }
        }
        Self { entries }
    }

    /// The operation of this method and path: of several the one that says most literally, then the one of this version.
    pub fn find(&self, documents: &Documents, method: &str, path: &str, version: Option<&str>) -> Option<Operation> {
        let provider = provider_of(path);
        let fits = |entry: &&Entry| {
            entry.method == method
                && bind(&entry.segments, path).is_some()
                && names(&entry.template, provider.as_deref())
        };
        let best = self.entries.iter().filter(fits).max_by_key(|entry| {
            (words(&entry.segments), version == Some(entry.version.as_str()), entry.version.clone())
        })?;
        Some(operation(documents, &best.document, &best.template, &best.method))
    }
}

/// An operation by its place in a document; panics where it is not there.
pub fn operation(documents: &Documents, document: &str, template: &str, method: &str) -> Operation {
    let whole = documents.read(document);
    let value = whole.get("paths").and_then(|paths| paths.get(template)?.get(method.to_ascii_lowercase()));
    let value = value.unwrap_or_else(|| panic!("{document} has no {method} {template}")).clone();
    let node = Node { file: document.to_owned(), pointer: String::new(), value };
    let parameters = parameters(documents, &node);
    let answers = node.value.get("responses").and_then(Value::as_object).into_iter().flatten();
    let answers = answers.map(|(status, value)| {
        let answer = Node { value: value.clone(), ..node.clone() };
        (status.clone(), documents.resolve(&answer))
    });
    Operation {
        document: document.to_owned(),
        id: node.value.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned(),
        version: whole.pointer("/info/version").and_then(Value::as_str).unwrap_or_default().to_owned(),
        method: method.to_ascii_uppercase(),
        template: template.to_owned(),
        answers: answers.collect(),
        parameters,
    }
}

impl Operation {
    /// How many parts of its path are words.
    pub fn words(&self) -> usize {
        words(&segments(&self.template, &self.parameters))
    }

    /// What the path gives for each parameter of the template; none if it is another path.
    pub fn bind(&self, path: &str) -> Option<Vec<(String, String)>> {
        bind(&segments(&self.template, &self.parameters), path)
    }
}

fn words(segments: &[Segment]) -> usize {
    segments.iter().filter(|segment| matches!(segment, Segment::Word(_))).count()
}

fn parameters(documents: &Documents, operation: &Node) -> Vec<Node> {
    let listed = operation.value.get("parameters").and_then(Value::as_array).into_iter().flatten();
    listed.map(|value| documents.resolve(&Node { value: value.clone(), ..operation.clone() })).collect()
}

fn segments(template: &str, parameters: &[Node]) -> Vec<Segment> {
    let unencoded = |name: &str| {
        parameters.iter().any(|parameter| {
            parameter.value["name"] == name && parameter.value["x-ms-skip-url-encoding"] == Value::Bool(true)
        })
    };
    let pieces = template.trim_matches('/').split('/').filter(|piece| !piece.is_empty()).enumerate();
    pieces
        .map(|(at, piece)| match piece.strip_prefix('{').and_then(|piece| piece.strip_suffix('}')) {
            // What stands in front of everything is a scope, even where the document forgets to say so.
            Some(name) if at == 0 || unencoded(name) => Segment::Many(name.to_owned()),
            Some(name) => Segment::One(name.to_owned()),
            None => Segment::Word(piece.to_owned()),
        })
        .collect()
}

fn bind(segments: &[Segment], path: &str) -> Option<Vec<(String, String)>> {
    let pieces: Vec<&str> = path.trim_matches('/').split('/').filter(|piece| !piece.is_empty()).collect();
    let mut bound = Vec::new();
    fit(segments, &pieces, &mut bound).then_some(bound)
}

fn fit(segments: &[Segment], pieces: &[&str], bound: &mut Vec<(String, String)>) -> bool {
    let Some((first, rest)) = segments.split_first() else { return pieces.is_empty() };
    match first {
        Segment::Word(word) => {
            pieces.first().is_some_and(|piece| piece.eq_ignore_ascii_case(word)) && fit(rest, &pieces[1..], bound)
        }
        Segment::One(name) => pieces.first().is_some_and(|piece| {
            let kept = bound.len();
            bound.push((name.clone(), (*piece).to_owned()));
            let fits = fit(rest, &pieces[1..], bound);
            if !fits {
                bound.truncate(kept);
            }
            fits
        }),
        // A parent's path in the middle may be empty; a scope in front may not.
        Segment::Many(name) => (usize::from(bound.is_empty())..=pieces.len()).any(|count| {
            let kept = bound.len();
            bound.push((name.clone(), pieces[..count].join("/")));
            let fits = fit(rest, &pieces[count..], bound);
            if !fits {
                bound.truncate(kept);
            }
            fits
        }),
    }
}

/// The provider that a path names last.
fn provider_of(path: &str) -> Option<String> {
    let lower = path.to_ascii_lowercase();
    let (_, rest) = lower.rsplit_once("/providers/")?;
    Some(rest.split('/').next().unwrap_or_default().to_owned())
}

/// Whether a template names this provider in words: `/{resourceId}` fits every path and says nothing of any.
fn names(template: &str, provider: Option<&str>) -> bool {
    provider.is_none_or(|provider| template.to_ascii_lowercase().contains(&format!("/providers/{provider}")))
}
