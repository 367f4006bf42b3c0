//! What a receiver hands back, and the answer the host gets for it.
//! It never makes an empty answer or a 204: the host would hang on it until it kills the process.

use std::error::Error;
use std::fmt;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

/// Most notes in one answer: each becomes a log record of the host, and a flood of them helps nobody.
const NOTES_MAX_COUNT: usize = 100;

/// Longest note: the host's log cuts a record at 32 KiB; an eighth of it is a long line already.
const NOTE_MAX_BYTES: usize = 4096;

/// A receiver did its work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    notes: Vec<String>,
}

impl Done {
    /// Done, with nothing to say.
    #[must_use]
    pub fn quietly() -> Self {
        Self::default()
    }

    /// Adds a note that the host logs beside the invocation. Notes exist only for success: with a failure the host drops them.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        if self.notes.len() < NOTES_MAX_COUNT {
            self.notes.push(shortened(note.into(), NOTE_MAX_BYTES));
        }
        self
    }

    /// The notes so far.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// A receiver did not do its work; the host counts the invocation as failed and the message comes back.
/// Any error turns into one by `?`, so that a receiver reads as a list of steps.
#[derive(Debug)]
pub struct Failure {
    reason: String,
    status: StatusCode,
}

impl Failure {
    /// A failure for this reason. Repeating is the host's business and always safe for the runtime.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self { reason: reason.to_string(), status: StatusCode::INTERNAL_SERVER_ERROR }
    }

    /// A failure that time may cure: answered with 503, which callers of forwarded functions are told to try again.
    pub fn busy(reason: impl fmt::Display) -> Self {
        Self { reason: reason.to_string(), status: StatusCode::SERVICE_UNAVAILABLE }
    }

    /// Why, with every cause.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The status it is answered with; always 5xx.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(with_causes(&error))
    }
}

/// An error's text followed by those of its causes.
pub(super) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// The answer to a success: at least `{}`, with its media type.
pub(super) fn success(done: &Done) -> Response {
    let body = if done.notes.is_empty() {
        Body::from("{}")
    } else {
        Body::from(serde_json::json!({ "Logs": done.notes }).to_string())
    };
    json(StatusCode::OK, body)
}

/// The answer to a failure. The host reads neither body nor notes of it, and a caller of a forwarded function learns no internals.
pub(super) fn failure(status: StatusCode) -> Response {
    json(status, Body::from(r#"{"error":"the invocation failed; its log lines say why"}"#))
}

/// The answer to a path that no function has; the host counts it as a failure.
pub(super) fn unknown() -> Response {
    json(StatusCode::NOT_FOUND, Body::from(r#"{"error":"no such function"}"#))
}

/// The answer to the host's question whether the handler listens.
pub(super) fn listening() -> Response {
    json(StatusCode::OK, Body::from("{}"))
}

fn json(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A text cut at a character's border.
pub(super) fn shortened(mut text: String, max_bytes: usize) -> String {
    if text.len() > max_bytes {
        let end = (0..=max_bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}
