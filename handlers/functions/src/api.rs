//! `Api`: people and programs ask over HTTP; the host has checked the function key before we are asked.
//! `/api/status` answers a browser with a page and everybody else with JSON; `/api/points` is JSON. What only adds safety is taken from
//! any holder of the key: POST `/api/stop` and `/api/hold`. What takes it away needs a person with a name, and is refused.

use http::{Method, StatusCode, header};
use jiff::Timestamp;
use lifeboat_execution::{Answer, Api, Event, Lifeboat, NotDone, StatusError};
use serde::Deserialize;

use crate::host::{Failure, HttpInvocation, HttpReply};
use crate::pages;

/// Answers one request. Never a failure: what goes wrong is an answer with its status.
pub async fn receive(lifeboat: &Lifeboat, request: HttpInvocation) -> Result<HttpReply, Failure> {
    Ok(answer(lifeboat, request).await)
}

async fn answer(lifeboat: &Lifeboat, request: HttpInvocation) -> HttpReply {
    let question = match question(&request) {
        Ok(question) => question,
        Err(NotAsked(status, what)) => return problem(status, what),
    };
    let accepts = request.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match lifeboat.handle(Event::Api(question)).await {
        Ok(Answer::Status(status)) if accepts.contains("text/html") => {
            HttpReply::html(StatusCode::OK, pages::status(&status).into_string())
        }
        Ok(Answer::Status(status)) => json(&*status),
        Ok(Answer::Points(points)) => json(&*points),
        Ok(Answer::Stopped(stop)) => accepted(&stop, stop.confirmed_from()),
        Ok(Answer::Held(hold)) => accepted(&hold, hold.confirmed_from()),
        Err(NotDone::Hold(error)) if error.is_refusal() => problem(StatusCode::CONFLICT, &error.to_string()),
        Ok(Answer::Done(_)) => problem(StatusCode::INTERNAL_SERVER_ERROR, "a question was answered with a deed"),
        Err(NotDone::Status(StatusError::NotAMachine(text))) => {
            problem(StatusCode::BAD_REQUEST, &format!("{text} is not the ARM id of a machine"))
        }
        Err(error) => {
            let reason = Failure::from(error).reason().to_owned();
            tracing::error!(%reason, "a question could not be answered");
            problem(StatusCode::SERVICE_UNAVAILABLE, &reason)
        }
    }
}

/// Why a request is not answered.
struct NotAsked(StatusCode, &'static str);

/// What is asked.
fn question(request: &HttpInvocation) -> Result<Api, NotAsked> {
    const THERE_IS: &str = "there is /api/status, /api/points?machine=<ARM id>, and POST /api/stop and /api/hold";
    const NAME: &str = "this needs a person with a name: orders with a name are not taken yet";
    let path = request.path.trim_end_matches('/').to_ascii_lowercase();
    match (&request.method, path.strip_prefix("/api").unwrap_or(&path)) {
        (&Method::GET, "/status") => Ok(Api::Status),
        (&Method::GET, "/points") => Ok(Api::Points { machine: request.query.get("machine").map(str::to_owned) }),
        (&Method::POST, "/stop") => Ok(Api::Stop { reason: order(request)?.reason }),
        (&Method::POST, "/hold") => {
            let Order { reason, point } = order(request)?;
            let point = point.ok_or(NotAsked(StatusCode::BAD_REQUEST, "`point` is missing: its ARM id"))?;
            Ok(Api::Hold { point, reason })
        }
        (&Method::POST, "/resume" | "/release" | "/breaker") => Err(NotAsked(StatusCode::FORBIDDEN, NAME)),
        (_, "/status" | "/points" | "/stop" | "/hold") => {
            Err(NotAsked(StatusCode::METHOD_NOT_ALLOWED, "this method is not answered here"))
        }
        _ => Err(NotAsked(StatusCode::NOT_FOUND, THERE_IS)),
    }
}

/// The body of an order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    reason: String,
    point: Option<String>,
}

fn order(request: &HttpInvocation) -> Result<Order, NotAsked> {
    let read = serde_json::from_slice::<Order>(&request.body).ok().filter(|order| !order.reason.trim().is_empty());
    let expected = r#"the body is JSON: {"reason": "why"}, and for a hold "point" with its ARM id"#;
    read.ok_or(NotAsked(StatusCode::BAD_REQUEST, expected))
}

/// An order that is written down, and from when on it is certain that nothing sent before it can act any more.
fn accepted(record: &impl serde::Serialize, confirmed_from: Timestamp) -> HttpReply {
    match serde_json::to_value(record) {
        Ok(mut body) => {
            body["confirmedFrom"] = confirmed_from.to_string().into();
            HttpReply::json(StatusCode::ACCEPTED, &body)
        }
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn json(body: &impl serde::Serialize) -> HttpReply {
    match serde_json::to_value(body) {
        Ok(body) => HttpReply::json(StatusCode::OK, &body),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn problem(status: StatusCode, what: &str) -> HttpReply {
    HttpReply::json(status, &serde_json::json!({ "error": { "message": what } }))
}
