//! What the host makes of a handler's answer to an invocation.
//! It never looks at the body of an answer that is not 2xx, as the host does not.

use super::json::{Json, JsonError};
use super::wire::{self, RawResponse};

/// What an answer means.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// It succeeded.
    Done(Answer),
    /// It failed, with the text of the exception's cause.
    Failed(String),
    /// Nothing will ever complete it: it runs into the time-out.
    Hangs,
    /// Another request is made: method and place.
    Redirected(&'static str, String),
}

/// What a successful handler said.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Answer {
    /// Lines for the function's log.
    pub(super) logs: Vec<String>,
    /// Values for output bindings, with `ReturnValue`'s members on top where it is an object.
    pub(super) outputs: Option<Vec<(String, Json)>>,
    /// The value for `$return`.
    pub(super) return_value: Option<Json>,
}

/// Judges an answer.
pub(super) fn judge(response: &RawResponse) -> Verdict {
    let status = response.status;
    let location = response.header("location").map(str::to_owned);
    match (status, location) {
        (301..=303, Some(place)) => return Verdict::Redirected("GET", place),
        (307 | 308, Some(place)) => return Verdict::Redirected("POST", place),
        (200..=299, _) => {}
        _ => {
            let reason = wire::reason(status);
            let text = format!("Response status code does not indicate success: {status} ({reason}).");
            return Verdict::Failed(format!("System.Net.Http.HttpRequestException: {text}"));
        }
    }
    // An empty body is never looked at, whatever its type.
    if response.body.is_empty() {
        return Verdict::Hangs;
    }
    let media_type = response.header("content-type").unwrap_or_default();
    let (media, parameters) = media_type.split_once(';').unwrap_or((media_type, ""));
    let media = media.trim().to_ascii_lowercase();
    if !matches!(media.as_str(), "application/json" | "text/json") {
        return invalid(&format!("No MediaTypeFormatter is available to read content with media type '{media}'."));
    }
    read(&decode(&response.body, parameters))
}

fn decode(body: &[u8], parameters: &str) -> String {
    let utf16 = parameters.to_ascii_lowercase().contains("utf-16");
    match body {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0xef, 0xbb, 0xbf, ..] => super::encoder::decoded_text(body),
        _ if utf16 => {
            let units: Vec<u16> = body.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        _ => String::from_utf8_lossy(body).into_owned(),
    }
}

fn read(text: &str) -> Verdict {
    let value = match Json::parse_start(text) {
        Ok((Json::Null, _)) | Err(JsonError::Empty) => return Verdict::Hangs,
        // What follows the object is not looked at.
        Ok((value @ Json::Object(_), _)) => value,
        Ok(_) => return invalid("The type requires a JSON object."),
        Err(JsonError::TooDeep) => return invalid("The reader's MaxDepth of 256 has been exceeded."),
        Err(JsonError::Unexpected(at)) => {
            return invalid(&format!("Unexpected character encountered while parsing value at {at}."));
        }
    };
    let logs = match value.get_any_case("Logs") {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::List(items)) => match items.iter().map(log_line).collect::<Option<_>>() {
            Some(lines) => lines,
            None => return invalid("Unexpected character encountered while parsing value. Path 'Logs'."),
        },
        Some(_) => return invalid("Error converting value to a list of strings. Path 'Logs'."),
    };
    let outputs = match value.get_any_case("Outputs") {
        None | Some(Json::Null) => None,
        Some(Json::Object(members)) => Some(members.clone()),
        Some(_) => return invalid("The type requires a JSON object. Path 'Outputs'."),
    };
    let return_value = value.get_any_case("ReturnValue").filter(|value| **value != Json::Null).cloned();
    Verdict::Done(Answer { logs, outputs, return_value })
}

/// Scalars are shown as text, nothing as `[null]`; a list or an object has no place here.
fn log_line(value: &Json) -> Option<String> {
    match value {
        Json::Text(text) => Some(text.clone()),
        Json::Null => Some("[null]".to_owned()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        Json::List(_) | Json::Object(_) => None,
    }
}

fn invalid(reason: &str) -> Verdict {
    Verdict::Failed(format!("System.InvalidOperationException: Invalid HttpResponseMessage:\n ---> {reason}"))
}
