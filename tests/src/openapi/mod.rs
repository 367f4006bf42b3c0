//! Holds requests and answers to Microsoft's OpenAPI documents.
//! It never talks to anything, knows nothing of Lifeboat, and takes whatever a document does not name for wrong.
//!
//! ```text
//! documents ─► paths (which operation?) ─┬─► request: version, parameters, query, body
//!                  schema (closed) ──────┴─► answer: status, body
//! ```

mod answer;
mod documents;
mod parameters;
mod paths;
mod request;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::Value;

pub use self::documents::{Documents, Node};
pub use self::paths::{Operation, Paths};
pub use self::schema::Direction;

/// All documents of a folder, and what was made of them so far.
pub struct Specs {
    documents: Documents,
    paths: OnceLock<Paths>,
    compiled: Mutex<BTreeMap<(String, String, Direction), Arc<jsonschema::Validator>>>,
}

/// One request with its answer, as it went over the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traffic {
    /// The method in capitals.
    pub method: String,
    /// The path, percent-decoded.
    pub path: String,
    /// The query, taken apart and decoded.
    pub query: Vec<(String, String)>,
    /// Whether the URL is a link that an answer gave: its parameters are ARM's own.
    pub is_followed: bool,
    /// The request's headers, names in lower case.
    pub request_headers: Vec<(String, String)>,
    /// The request's body.
    pub request: Body,
    /// The status.
    pub status: u16,
    /// The answer's headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The answer's body.
    pub answer: Body,
}

/// A body.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Body {
    /// There is none.
    #[default]
    Empty,
    /// JSON.
    Json(Value),
    /// Anything else.
    Other,
}

/// Something that is not as the document says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The document's path.
    pub document: String,
    /// The operation's id in it.
    pub operation: String,
    /// Where: `answer` or `request`, then a JSON pointer into the body; or `query/…`, `path/…`, `header/…`, `status`.
    pub place: String,
    /// What was expected there.
    pub expected: String,
}

impl Specs {
    /// Over a folder that is laid out as Microsoft's repository, for example `specs`.
    pub fn below(folder: &Path) -> Self {
        Self { documents: Documents::below(folder), paths: OnceLock::new(), compiled: Mutex::default() }
    }

    /// The operation that a document names so; panics where it does not.
    pub fn operation(&self, document: &str, method: &str, template: &str) -> Operation {
        paths::operation(&self.documents, document, template, method)
    }

    /// The operation of any document that this method and path belong to.
    pub fn find(&self, method: &str, path: &str, version: Option<&str>) -> Option<Operation> {
        let paths = self.paths.get_or_init(|| Paths::of(&self.documents));
        paths.find(&self.documents, method, path, version)
    }

    /// Everything about the request that is not as the operation's document says.
    pub fn request(&self, operation: &Operation, traffic: &Traffic) -> Vec<Finding> {
        request::check(self, operation, traffic)
    }

    /// Everything about the answer that is not as the operation's document says.
    pub fn answer(&self, operation: &Operation, traffic: &Traffic) -> Vec<Finding> {
        answer::check(self, operation, traffic)
    }

    /// Everything about a body that is not as a definition of a document says, for what belongs to no operation.
    pub fn body(&self, document: &str, definition: &str, direction: Direction, body: &Value) -> Vec<(String, String)> {
        let node = self.documents.follow(document, &format!("#/definitions/{definition}"));
        self.validate(&node, &format!("#/definitions/{definition}"), direction, body)
    }

    /// Validates a value by a part of a document; `key` names the part within its file.
    fn validate(&self, node: &Node, key: &str, direction: Direction, value: &Value) -> Vec<(String, String)> {
        let validator = self.compiled(node, key, direction);
        validator.iter_errors(value).flat_map(|error| told(&error)).collect()
    }

    fn compiled(&self, node: &Node, key: &str, direction: Direction) -> Arc<jsonschema::Validator> {
        let place = (node.file.clone(), key.to_owned(), direction);
        if let Some(known) = self.compiled.lock().unwrap_or_else(PoisonError::into_inner).get(&place) {
            return Arc::clone(known);
        }
        let schema = schema::closed(&self.documents, direction, node);
        let options = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft7)
            .should_validate_formats(true)
            .with_format("date-time", is_time)
            .with_format("uuid", is_uuid);
        let validator = options.build(&schema).unwrap_or_else(|error| panic!("{}: {key}: {error}", node.file));
        let validator = Arc::new(validator);
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).insert(place, Arc::clone(&validator));
        validator
    }
}

impl fmt::Debug for Specs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Specs").field("documents", &self.documents).finish_non_exhaustive()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let document = self.document.rsplit('/').next().unwrap_or_default();
        write!(f, "{document} {}: {}: {}", self.operation, self.place, self.expected)
    }
}

impl Operation {
    fn finding(&self, place: impl Into<String>, expected: impl Into<String>) -> Finding {
        Finding {
            document: self.document.clone(),
            operation: self.id.clone(),
            place: place.into(),
            expected: expected.into(),
        }
    }
}

/// Where in the value, and what was expected there.
fn told(error: &jsonschema::ValidationError<'_>) -> Vec<(String, String)> {
    use jsonschema::error::ValidationErrorKind as Kind;
    let at = error.instance_path().as_str();
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| (format!("{at}/{name}"), "the document does not name this property".to_owned()))
            .collect(),
        Kind::Required { property } => {
            vec![(format!("{at}/{}", property.as_str().unwrap_or_default()), "it is required and missing".to_owned())]
        }
        Kind::Not { .. } => vec![(at.to_owned(), "only the service may set it".to_owned())],
        _ => vec![(at.to_owned(), error.masked().to_string())],
    }
}

/// A time as RFC 3339 writes it.
fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok() && text.contains('T')
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
