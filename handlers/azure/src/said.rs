//! Azure's own word on a refusal: both shapes of ARM's error body, Storage's header, and whatever a gateway sends instead.
//!
//! It never fails and never panics: what cannot be read is absent. It lets no token and no signed query through.

use azure_core::http::headers::{HeaderName, Headers};
use serde_json::Value;
use std::fmt;

/// How much of a message is kept, in characters: enough for a permission message with its scope.
const MAX_MESSAGE_CHARS: usize = 800;
/// How much of a code or an id is kept, in characters.
const MAX_CODE_CHARS: usize = 128;
/// How many details are looked at; Azure sends one or two.
const MAX_DETAILS: usize = 8;
/// How much of an error body is looked at, in bytes. ARM's are a few hundred.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// What Azure said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub code: Option<String>,
    pub message: Option<String>,
    /// The details' codes with their targets, in order.
    pub details: Vec<(String, Option<String>)>,
    pub request_id: Option<String>,
    pub correlation_id: Option<String>,
}

impl Said {
    /// Reads headers and body of a refusal.
    pub fn read(headers: &Headers, body: &[u8]) -> Self {
        let mut said = Self::read_body(body);
        let header = |name: &'static str| {
            headers.get_optional_str(&HeaderName::from_static(name)).map(|value| cut(value, MAX_CODE_CHARS))
        };
        said.code = said.code.or_else(|| header("x-ms-error-code"));
        said.request_id = header("x-ms-request-id");
        said.correlation_id = header("x-ms-correlation-request-id");
        said
    }

    /// Reads a body: `{"error":{…}}`, `{"code","message"}`, Storage's and Service Bus' XML, or nothing of these.
    pub fn read_body(body: &[u8]) -> Self {
        let body = &body[..body.len().min(MAX_BODY_BYTES)];
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}').trim();
        match serde_json::from_str::<Value>(text) {
            Ok(value) => Self::read_json(&value),
            Err(_) => Self {
                code: element(text, "Code").map(|code| cut(code, MAX_CODE_CHARS)),
                message: element(text, "Message").or_else(|| element(text, "Detail")).map(clean),
                ..Self::default()
            },
        }
    }

    fn read_json(value: &Value) -> Self {
        // OAuth's shape has a text under `error`; then the text is the code.
        let inner = value.get("error").filter(|inner| inner.is_object()).unwrap_or(value);
        let code = inner.get("code").or_else(|| value.get("error")).and_then(Value::as_str);
        let message = inner.get("message").or_else(|| value.get("error_description")).and_then(Value::as_str);
        let details = inner.get("details").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let detail = |detail: &Value| {
            let code = cut(detail.get("code")?.as_str()?, MAX_CODE_CHARS);
            let target = detail.get("target").and_then(Value::as_str).map(str::to_owned);
            Some((code, target.or_else(|| operation_group(detail)).map(|target| cut(&target, MAX_CODE_CHARS))))
        };
        Self {
            code: code.map(|code| cut(code, MAX_CODE_CHARS)),
            message: message.map(clean),
            details: details.iter().take(MAX_DETAILS).filter_map(detail).collect(),
            ..Self::default()
        }
    }

    /// The code and those of the details.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.code.as_deref().into_iter().chain(self.details.iter().map(|(code, _)| code.as_str()))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, &self.message) {
            (Some(code), Some(message)) => write!(f, "{code}: {message}"),
            (Some(one), None) | (None, Some(one)) => f.write_str(one),
            (None, None) => f.write_str("Azure gave no reason"),
        }
    }
}

impl std::error::Error for Said {}

/// Compute names the budget that is spent a second time, in JSON inside the text of a message.
fn operation_group(detail: &Value) -> Option<String> {
    let inner: Value = serde_json::from_str(detail.get("message")?.as_str()?).ok()?;
    Some(inner.get("operationGroup")?.as_str()?.to_owned())
}

/// A text without tokens and without the queries of URLs, cut to a bound.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_MESSAGE_CHARS));
    for word in text.split_inclusive(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')')) {
        let secret_from =
            [word.find("://").and_then(|at| word[at..].find('?').map(|q| at + q)), word.find("eyJ"), word.find("sig=")];
        match secret_from.into_iter().flatten().min() {
            Some(at) => {
                out.push_str(&word[..at]);
                out.push('…');
                let end = word.chars().last().filter(|c| !c.is_alphanumeric());
                out.extend(end);
            }
            None => out.push_str(word),
        }
        if out.len() > MAX_MESSAGE_CHARS * 4 {
            break;
        }
    }
    cut(&out, MAX_MESSAGE_CHARS)
}

/// The action and the scope in ARM's permission message:
/// `… does not have authorization to perform action 'A' over scope 'S' …`.
pub(crate) fn missing_right(message: &str) -> Option<(&str, &str)> {
    let (_, rest) = message.split_once("action '")?;
    let (action, rest) = rest.split_once('\'')?;
    let (_, rest) = rest.split_once("scope '")?;
    let (scope, _) = rest.split_once('\'')?;
    Some((action, scope))
}

fn cut(text: &str, max_chars: usize) -> String {
    // A line break would forge a line of a log.
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(max_chars).collect()
}

/// The text of an XML element, if there is one.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    Some(inner)
}

#[cfg(test)]
mod tests;
