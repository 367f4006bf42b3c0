//! Where azure_storage_blob's pipeline ends in our guarded transport, and where its errors become ours.
//!
//! It never repeats, but for one refused token.

use crate::{
    access::{Access, TraceParent},
    arm::USER_AGENT,
    bearer::Bearer,
    error::{Error, ErrorKind},
    retry,
    transport::{Answer, Guarded, Latest},
};
use async_trait::async_trait;
use azure_core::{
    error::ErrorKind as SdkErrorKind,
    http::{
        AsyncRawResponse, Context, Request, headers,
        policies::{Policy, PolicyResult},
    },
};
use jiff::Timestamp;
use std::sync::Arc;

/// The audience of the store's tokens.
const SCOPE: &str = "https://storage.azure.com/.default";
/// The name of what fails here, until the operation is known.
const OPERATION: &str = "the store";

/// The last policy of the pipeline.
#[derive(Debug)]
pub(super) struct Wire {
    guarded: Guarded,
    bearer: Bearer,
    traceparent: Option<TraceParent>,
}

impl Wire {
    pub fn new(access: &Access) -> Self {
        let guarded = Guarded::new(Arc::clone(&access.transport));
        Self { guarded, bearer: Bearer::new(access, SCOPE), traceparent: access.traceparent }
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait's own declaration leaves it out, and async_trait needs the same form"
)]
#[async_trait]
impl Policy for Wire {
    async fn send(&self, ctx: &Context, request: &mut Request, _next: &[Arc<dyn Policy>]) -> PolicyResult {
        let latest = ctx.value::<Latest>().copied();
        request.insert_header(headers::USER_AGENT, USER_AGENT);
        let mut renewed = false;
        loop {
            let token = self.bearer.token(OPERATION).await.map_err(carried)?;
            request.insert_header(headers::AUTHORIZATION, token.header());
            if let Some(trace) = self.traceparent.and_then(|hook| hook()) {
                request.insert_header("traceparent", trace);
            }
            let sent = self.guarded.send(request, latest).await;
            let answer = sent.map_err(|failure| carried(Error::from_failure(OPERATION, failure)))?;
            if answer.status == 401 && !renewed {
                renewed = true;
                self.bearer.refused(&token).await;
                continue;
            }
            // What the status means is the library's to judge: it expects some refusals.
            return Ok(AsyncRawResponse::from_bytes(answer.status.into(), answer.headers, answer.body));
        }
    }
}

/// Our error, carried through the library.
fn carried(error: Error) -> azure_core::Error {
    azure_core::Error::new(SdkErrorKind::Other, error)
}

/// The library's error as ours.
pub(super) fn error(operation: &'static str, error: azure_core::Error, now: Timestamp) -> Error {
    if let SdkErrorKind::HttpResponse { raw_response: Some(raw), .. } = error.kind() {
        let answer = Answer {
            status: u16::from(raw.status()),
            headers: raw.headers().clone(),
            body: raw.body().as_ref().to_vec().into(),
        };
        return Error::from_answer(operation, &answer, retry::retry_after(&answer, now));
    }
    match error.into_downcast::<Error>() {
        Ok(mut ours) => {
            ours.operation = operation;
            ours
        }
        // An answer that the library could not read: it may have been done.
        Err(other) if *other.kind() == SdkErrorKind::DataConversion => Error::malformed(operation, other),
        Err(other) => Error::because(ErrorKind::Malformed, operation, other).mark_maybe_done(true),
    }
}
