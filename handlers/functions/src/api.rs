//! `Api`: people and programs ask over HTTP; the host has checked the function key before we are asked.
//! `/api/status` answers a browser with a page and everybody else with JSON; `/api/points` is JSON, `/api/pages` are pages. What only adds safety is taken from
//! any holder of the key: POST `/api/stop` and `/api/hold`, and such commands at POST `/api/commands`. All else needs a person with a
//! name, by an access token in the header `Authorization`; it is never logged. Only what adds safety is taken by the key alone.

use http::{Method, StatusCode, header};
use jiff::Timestamp;
use lifeboat_contract::command::Token;
use lifeboat_execution::orders::{self, Concerns, Door, Verdict};
use lifeboat_execution::{Answer, Api, Command, Event, Lifeboat, NotDone, StatusError};
use serde::Deserialize;

use crate::host::{Failure, HttpInvocation, HttpReply};
use crate::pages;

/// Answers one request. Never a failure: what goes wrong is an answer with its status.
pub async fn receive(lifeboat: &Lifeboat, request: HttpInvocation) -> Result<HttpReply, Failure> {
    Ok(answer(lifeboat, request).await)
}

async fn answer(lifeboat: &Lifeboat, request: HttpInvocation) -> HttpReply {
    let token = bearer(&request);
    if is_commands(&request) {
        return ordered(lifeboat, request.body.to_vec(), token).await;
    }
    let question = match question(&request) {
        Ok(question) => question,
        Err(NotAsked(status, what)) => return problem(status, what),
    };
    if matches!(question, Api::Status | Api::Points { .. } | Api::View(_))
        && let Some(refused) = may_not_read(lifeboat, token.as_ref()).await
    {
        return refused;
    }
    let still = request.query.get("still") == Some("1");
    let view = if let Api::View(view) = &question { Some(view.clone()) } else { None };
    let accepts = request.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match lifeboat.handle(Event::Api(question)).await {
        Ok(Answer::Viewed(viewed)) => pages::reply(&viewed, still),
        Ok(Answer::Status(status)) if accepts.contains("text/html") => pages::reply_status(&status),
        Ok(Answer::Status(status)) => json(&*status),
        Ok(Answer::Points(points)) => json(&*points),
        Ok(Answer::Stopped(stop)) => accepted(&stop, stop.confirmed_from()),
        Ok(Answer::Held(hold)) => accepted(&hold, hold.confirmed_from()),
        Err(NotDone::Hold(error)) if error.is_refusal() => problem(StatusCode::CONFLICT, &error.to_string()),
        Ok(Answer::Done(_) | Answer::Ordered(_)) => {
            problem(StatusCode::INTERNAL_SERVER_ERROR, "a question was answered with a deed")
        }
        Err(NotDone::Status(StatusError::NotAMachine(text))) => {
            problem(StatusCode::BAD_REQUEST, &format!("{text} is not the ARM id of a machine"))
        }
        Err(error) => {
            let reason = Failure::from(error).reason().to_owned();
            tracing::error!(%reason, "a question could not be answered");
            match view {
                Some(view) => pages::reply_unread(&view, &reason),
                None => problem(StatusCode::SERVICE_UNAVAILABLE, &reason),
            }
        }
    }
}

/// Whether a command is posted.
fn is_commands(request: &HttpInvocation) -> bool {
    request.method == Method::POST && request.path.trim_end_matches('/').eq_ignore_ascii_case("/api/commands")
}

/// The access token beside a request.
fn bearer(request: &HttpInvocation) -> Option<Token> {
    let (scheme, token) = request.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Token::new(token.trim()))
}

/// Answers a command: what came of it, or why it is refused.
async fn ordered(lifeboat: &Lifeboat, body: Vec<u8>, token: Option<Token>) -> HttpReply {
    let command = Command { body, door: Door::Api, token };
    let told = match lifeboat.handle(Event::Command(command)).await {
        Ok(Answer::Ordered(told)) => told,
        Ok(_) => return problem(StatusCode::INTERNAL_SERVER_ERROR, "an order was answered with something else"),
        Err(error) => {
            let reason = Failure::from(error).reason().to_owned();
            tracing::error!(%reason, "an order could be neither carried out nor refused");
            return problem(StatusCode::SERVICE_UNAVAILABLE, &reason);
        }
    };
    let (status, came) = match told.verdict {
        Verdict::Done => (StatusCode::OK, "done"),
        Verdict::WouldDo => (StatusCode::OK, "wouldDo"),
        Verdict::Before => (StatusCode::OK, "before"),
        Verdict::Later => (StatusCode::SERVICE_UNAVAILABLE, "later"),
        Verdict::Refused(concerns) => (refused(concerns), "refused"),
    };
    let mut answer = serde_json::json!({ "id": told.id, "command": told.command, "came": came, "lines": told.lines });
    if status != StatusCode::OK {
        answer["error"] = serde_json::json!({ "message": told.lines.join("; "), "field": told.field });
    }
    HttpReply::json(status, &answer)
}

fn refused(concerns: Concerns) -> StatusCode {
    match concerns {
        Concerns::Form => StatusCode::BAD_REQUEST,
        Concerns::Name => StatusCode::UNAUTHORIZED,
        Concerns::Right => StatusCode::FORBIDDEN,
        Concerns::State => StatusCode::CONFLICT,
    }
}

/// The answer to somebody who may not read.
async fn may_not_read(lifeboat: &Lifeboat, token: Option<&Token>) -> Option<HttpReply> {
    match orders::may_read(lifeboat.directory.as_ref(), token).await {
        Ok(Ok(())) => None,
        Ok(Err(why)) => Some(problem(refused(why.concerns()), &why.to_string())),
        Err(error) => Some(problem(StatusCode::SERVICE_UNAVAILABLE, Failure::from(error).reason())),
    }
}

/// Why a request is not answered.
struct NotAsked(StatusCode, &'static str);

/// What is asked.
fn question(request: &HttpInvocation) -> Result<Api, NotAsked> {
    const THERE_IS: &str = "there is /api/status, /api/points?machine=<ARM id>, /api/pages, and POST /api/commands, /api/stop and /api/hold";
    const NAME: &str = "this needs a person with a name: post the command to /api/commands, with an access token";
    let path = request.path.trim_end_matches('/').to_ascii_lowercase();
    match (&request.method, path.strip_prefix("/api").unwrap_or(&path)) {
        (&Method::GET, "/status") => Ok(Api::Status),
        (&Method::GET, "/points") => Ok(Api::Points { machine: request.query.get("machine").map(str::to_owned) }),
        (&Method::GET, _) if let Some(view) = pages::asked(&request.path) => Ok(Api::View(view)),
        (&Method::POST, "/stop") => Ok(Api::Stop { reason: order(request)?.reason }),
        (&Method::POST, "/hold") => {
            let Order { reason, point } = order(request)?;
            let point = point.ok_or(NotAsked(StatusCode::BAD_REQUEST, "`point` is missing: its ARM id"))?;
            Ok(Api::Hold { point, reason })
        }
        (&Method::POST, "/resume" | "/release" | "/breaker") => Err(NotAsked(StatusCode::FORBIDDEN, NAME)),
        (_, "/status" | "/points" | "/commands" | "/stop" | "/hold") => {
            Err(NotAsked(StatusCode::METHOD_NOT_ALLOWED, "this method is not answered here"))
        }
        _ if pages::asked(&request.path).is_some() => {
            Err(NotAsked(StatusCode::METHOD_NOT_ALLOWED, "pages only show: GET is answered here"))
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
