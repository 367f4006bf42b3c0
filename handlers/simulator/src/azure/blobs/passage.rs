//! One request to the blob service from the wire to the answer: token, faults, operation, common headers.
//! It never holds the store's lock while it waits.

use std::sync::PoisonError;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request};

use super::answer::Answer;
use super::errors::ErrorCode;
use super::faults::{BlobFaultEffect, Candidate};
use super::request::Call;
use super::wire::{bearer, http_date, reset_response};
use super::{Blobs, operations};

/// Largest body, in bytes: what Append Block takes since version 2022-11-02. Put Blob takes more in the service;
/// *assumed* (`blob-body-limit`) to be the same, since nobody sends that much.
const BODY_BYTES: usize = 100 * 1024 * 1024;
/// Longest client request id that is sent back, in bytes, from the reference.
const CLIENT_REQUEST_ID_BYTES: usize = 1024;
/// The version answered to a client that names none: the one of the client library.
const DEFAULT_VERSION: &str = "2026-04-06";

/// Answers one request.
pub(super) async fn serve(State(blobs): State<Blobs>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES).await else {
        return finish(&blobs, &parts, Err(ErrorCode::RequestBodyTooLarge));
    };
    let call = match blobs.authorize(&parts).and_then(|()| blobs.read_call(&parts)) {
        Ok(call) => call,
        Err(code) => return finish(&blobs, &parts, Err(code)),
    };
    let fault = blobs.strike(Candidate {
        method: &parts.method,
        blob: &call.blob,
        writes_content: call.operation.writes_content(),
    });
    match fault {
        None => finish(&blobs, &parts, blobs.perform(&call, body)),
        Some(BlobFaultEffect::InternalError) => finish(&blobs, &parts, Err(ErrorCode::InternalError)),
        Some(BlobFaultEffect::ServerBusy) => finish(&blobs, &parts, Err(ErrorCode::ServerBusy)),
        Some(BlobFaultEffect::Hang) => std::future::pending().await,
        Some(BlobFaultEffect::ResetBefore) => reset_response(),
        Some(BlobFaultEffect::ResetAfter) => {
            // The answer is lost on the way, whatever it was.
            drop(blobs.perform(&call, body));
            reset_response()
        }
        Some(BlobFaultEffect::AcknowledgedButDropped) => finish(&blobs, &parts, blobs.perform_and_forget(&call, body)),
    }
}

impl Blobs {
    fn authorize(&self, parts: &Parts) -> Result<(), ErrorCode> {
        let token = bearer(&parts.headers);
        match &self.token_check {
            Some(check) if !check(token) => Err(match token {
                Some(_) => ErrorCode::InvalidAuthenticationInfo,
                None => ErrorCode::NoAuthenticationInformation,
            }),
            _ => Ok(()),
        }
    }

    fn read_call(&self, parts: &Parts) -> Result<Call, ErrorCode> {
        Call::read(&parts.method, &parts.uri, &parts.headers, self.account.as_deref())
    }

    fn strike(&self, request: Candidate<'_>) -> Option<BlobFaultEffect> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let effect = faults.iter_mut().find_map(|fault| fault.strikes(request));
        faults.retain(|fault| !fault.is_spent());
        effect
    }

    fn perform(&self, call: &Call, body: Bytes) -> Result<Answer, ErrorCode> {
        operations::perform(&mut self.store(), call, body, self.clock.now())
    }

    /// Carries a write out, answers it and puts back what was there before.
    fn perform_and_forget(&self, call: &Call, body: Bytes) -> Result<Answer, ErrorCode> {
        let mut store = self.store();
        let before = store.container(&call.container)?.blobs.get(&call.blob).cloned();
        let answer = operations::perform(&mut store, call, body, self.clock.now())?;
        let blobs = &mut store.container_mut(&call.container)?.blobs;
        match before {
            Some(blob) => blobs.insert(call.blob.clone(), blob),
            None => blobs.remove(&call.blob),
        };
        Ok(answer)
    }
}

/// Adds the headers that every answer has.
fn finish(blobs: &Blobs, parts: &Parts, outcome: Result<Answer, ErrorCode>) -> Response {
    let now = blobs.clock.now();
    let request_id = blobs.store().new_request_id();
    let mut answer = match outcome {
        Ok(answer) => answer,
        Err(code) => {
            tracing::debug!(method = %parts.method, path = parts.uri.path(), code = code.name(), "blob request refused");
            Answer::refusal(code, parts.method != Method::HEAD, &request_id, now)
        }
    };
    let given = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    answer = answer
        .header("server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0")
        .header("date", http_date(now))
        .header("x-ms-request-id", &request_id)
        .header("x-ms-version", given("x-ms-version").unwrap_or(DEFAULT_VERSION));
    if let Some(id) = given("x-ms-client-request-id").filter(|id| id.len() <= CLIENT_REQUEST_ID_BYTES) {
        answer = answer.header("x-ms-client-request-id", id);
    }
    answer.into_response()
}
