//! `Api`: people and programs ask over HTTP; the host has checked the function key before we are asked.
//! It changes nothing. `/api/status` answers a browser with a page and everybody else with JSON; `/api/points` is JSON.

use http::{Method, StatusCode, header};
use lifeboat_execution::{Answer, Api, Event, Lifeboat, NotDone, StatusError};

use crate::host::{Failure, HttpInvocation, HttpReply};
use crate::pages;

/// Answers one request. Never a failure: what goes wrong is an answer with its status.
pub async fn receive(lifeboat: &Lifeboat, request: HttpInvocation) -> Result<HttpReply, Failure> {
    Ok(answer(lifeboat, request).await)
}

async fn answer(lifeboat: &Lifeboat, request: HttpInvocation) -> HttpReply {
    if request.method != Method::GET {
        return problem(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here");
    }
    let path = request.path.trim_end_matches('/').to_ascii_lowercase();
    let question = match path.strip_prefix("/api").unwrap_or(&path) {
        "/status" => Api::Status,
        "/points" => Api::Points { machine: request.query.get("machine").map(str::to_owned) },
        _ => return problem(StatusCode::NOT_FOUND, "there is /api/status and /api/points?machine=<ARM id>"),
    };
    let accepts = request.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match lifeboat.handle(Event::Api(question)).await {
        Ok(Answer::Status(status)) if accepts.contains("text/html") => {
            HttpReply::html(StatusCode::OK, pages::status(&status).into_string())
        }
        Ok(Answer::Status(status)) => json(&*status),
        Ok(Answer::Points(points)) => json(&*points),
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

fn json(body: &impl serde::Serialize) -> HttpReply {
    match serde_json::to_value(body) {
        Ok(body) => HttpReply::json(StatusCode::OK, &body),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn problem(status: StatusCode, what: &str) -> HttpReply {
    HttpReply::json(status, &serde_json::json!({ "error": { "message": what } }))
}
