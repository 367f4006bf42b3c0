//! HTTP functions that are not forwarded: the request as a JSON payload, the answer out of `Outputs`.
//! It never sends bytes back: this host's JSON answers carry text or JSON, which is all that Lifeboat's kind needs.

use super::answers::Answer;
use super::encoder::{self, Metadata, Value};
use super::invoke::Payload;
use super::json::Json;
use super::target::Target;
use super::wire::{RawRequest, RawResponse};

/// The identity of a caller that nobody authenticated.
const NOBODY: &str = r#"[{"AuthenticationType":null,"IsAuthenticated":false,"Actor":null,"BootstrapContext":null,"Claims":[],"Label":null,"Name":null,"NameClaimType":"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name","RoleClaimType":"http://schemas.microsoft.com/ws/2008/06/identity/claims/role"}]"#;

/// The payload of a request.
pub(super) fn payload(
    binding: &str,
    request: &RawRequest,
    target: &Target,
    authority: &str,
    parameters: &[(String, String)],
) -> Payload {
    let query = target.raw_query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let texts = |pairs: &[(String, String)]| {
        Json::Object(pairs.iter().map(|(name, value)| (name.clone(), Json::text(&**value))).collect())
    };
    let joined: Vec<(String, String)> =
        target.query.iter().map(|(name, values)| (name.clone(), values.join(","))).collect();
    let last: Vec<(String, String)> =
        target.query.iter().map(|(name, values)| (name.clone(), values.last().cloned().unwrap_or_default())).collect();
    let lists = headers_by_name(request);
    let body = body(request);
    let mut members = vec![
        ("Url".to_owned(), Json::Text(format!("http://{authority}{}{query}", target.encoded_path()))),
        ("Method".to_owned(), Json::text(&*request.method)),
        ("Query".to_owned(), texts(&joined)),
        ("Headers".to_owned(), Json::Object(lists.iter().map(|(name, values)| (name.clone(), list(values))).collect())),
        ("Params".to_owned(), texts(parameters)),
        ("Identities".to_owned(), Json::parse(NOBODY).unwrap_or(Json::Null)),
    ];
    if let Some(body) = &body {
        members.push(("Body".to_owned(), body.clone()));
    }
    let mut metadata = Metadata::default();
    if let Some(Json::Text(text)) = &body {
        metadata.pollute(text);
    }
    for (name, value) in last.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("code")).chain(parameters) {
        metadata.set(name, Value::Text(value.clone()));
    }
    metadata.set("Query", Value::Object(texts(&last)));
    let flat: Vec<(String, String)> = lists.into_iter().map(|(name, values)| (name, values.join(", "))).collect();
    metadata.set("Headers", Value::Object(texts(&flat)));
    Payload { binding: binding.to_owned(), value: Value::Object(Json::Object(members)), metadata, polluting: None }
}

/// The answer to the caller, out of the binding `output` or, without one, the return value.
pub(super) fn response(answer: &Answer, output: Option<&str>) -> RawResponse {
    let Some(output) = output else {
        return match &answer.return_value {
            Some(value) => json(200, value),
            None => RawResponse::new(204),
        };
    };
    // Members of an object that was returned win over outputs.
    let returned = answer.return_value.as_ref().and_then(Json::members).unwrap_or_default();
    let outputs = answer.outputs.as_deref().unwrap_or_default();
    if answer.outputs.is_none() && returned.is_empty() {
        return RawResponse::new(204);
    }
    let named =
        |members: &[(String, Json)]| members.iter().find(|(name, _)| name == output).map(|(_, value)| value.clone());
    match named(returned).or_else(|| named(outputs)) {
        None => json(200, &Json::Object(Vec::new())),
        Some(value @ Json::Object(_)) => from_object(&value),
        Some(_) => RawResponse::new(500),
    }
}

fn from_object(value: &Json) -> RawResponse {
    let status = value.get_any_case("statusCode").or_else(|| value.get_any_case("status"));
    let status = match status {
        Some(Json::Number(text) | Json::Text(text)) => text.parse().unwrap_or(500),
        _ => 200,
    };
    let mut response = RawResponse::new(status);
    response = match value.get_any_case("body") {
        None | Some(Json::Null) => response,
        Some(Json::Text(text)) => response
            .with("Content-Type", "text/plain; charset=utf-8")
            .with("Transfer-Encoding", "chunked")
            .with_body(text.clone()),
        Some(other) => json(status, other),
    };
    for (name, value) in value.get_any_case("headers").and_then(Json::members).unwrap_or_default() {
        let text = value.as_text().map_or_else(|| value.to_string(), str::to_owned);
        response.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        response.headers.push((name.clone(), text));
    }
    response
}

fn json(status: u16, value: &Json) -> RawResponse {
    RawResponse::new(status).with("Content-Type", "application/json; charset=utf-8").with_body(value.to_string())
}

/// A body is there only with a length; octets and forms of files go as base64.
fn body(request: &RawRequest) -> Option<Json> {
    if request.body.is_empty() || request.is_chunked() {
        return None;
    }
    let kind = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if kind.starts_with("application/octet-stream") || kind.starts_with("multipart/") {
        use base64::Engine;
        return Some(Json::Text(base64::engine::general_purpose::STANDARD.encode(&request.body)));
    }
    Some(Json::Text(encoder::decoded_text(&request.body)))
}

fn headers_by_name(request: &RawRequest) -> Vec<(String, Vec<String>)> {
    let mut lists: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in &request.headers {
        match lists.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, values)) => values.push(value.clone()),
            None => lists.push((name.clone(), vec![value.clone()])),
        }
    }
    lists
}

fn list(values: &[String]) -> Json {
    Json::List(values.iter().map(|value| Json::text(&**value)).collect())
}
