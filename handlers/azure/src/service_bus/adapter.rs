//! The one place that speaks azure_core 0.21: turns its requests into ours and our answers into its own.
//!
//! It never lets the library's signature or its host through: the token is Entra's, the host is the configured one.
//!
//! One thing of azure_messaging_servicebus 0.21 is put right here: it writes `ScheduledEnqueueTimeUtc` with the offset
//! `+0000`, where Service Bus documents `GMT`.

use crate::{
    access::{Access, TraceParent, WallClock},
    arm::USER_AGENT,
    bearer::Bearer,
    error::{Error, ErrorKind},
    retry,
    transport::Guarded,
};
use async_trait::async_trait;
use azure_core::http::{Method, Request, Url, headers};
use azure_core_0_21::{
    Body, BytesStream, HttpClient, Response, StatusCode, error::ErrorKind as OldErrorKind,
    headers::Headers as OldHeaders,
};
use bytes::Bytes;
use std::{fmt, sync::Arc};

/// The audience of Service Bus' tokens. *Assumed*: known from Microsoft's own libraries, in no document in hand.
const SCOPE: &str = "https://servicebus.azure.net/.default";
/// The name of what fails here, until the operation is known.
const OPERATION: &str = "service bus";
/// The header with the message's own properties.
const BROKER_PROPERTIES: &str = "brokerproperties";
/// Where Microsoft's libraries carry the trace in a message.
const DIAGNOSTIC_ID: &str = "diagnostic-id";

/// azure_core 0.21's transport on top of ours.
pub(super) struct Adapter {
    base: Url,
    guarded: Guarded,
    bearer: Bearer,
    now: WallClock,
    traceparent: Option<TraceParent>,
}

impl Adapter {
    pub fn new(base: Url, access: &Access) -> Self {
        Self {
            base,
            guarded: Guarded::new(Arc::clone(&access.transport)),
            bearer: Bearer::new(access, SCOPE),
            now: Arc::clone(&access.now),
            traceparent: access.traceparent,
        }
    }

    async fn send(&self, old: &azure_core_0_21::Request) -> Result<Response, Error> {
        let mut request = self.request(old)?;
        let mut renewed = false;
        loop {
            let token = self.bearer.token(OPERATION).await?;
            request.insert_header(headers::AUTHORIZATION, token.header());
            let sent = self.guarded.send(&request, None).await;
            let answer = sent.map_err(|failure| Error::from_failure(OPERATION, failure))?;
            if answer.status == 401 && !renewed {
                renewed = true;
                self.bearer.refused(&token).await;
                continue;
            }
            if !answer.is_success() {
                return Err(Error::from_answer(OPERATION, &answer, retry::retry_after(&answer, (self.now)())));
            }
            let status = StatusCode::try_from(answer.status).unwrap_or(StatusCode::Ok);
            return Ok(Response::new(status, OldHeaders::new(), Box::pin(BytesStream::new(answer.body))));
        }
    }

    fn request(&self, old: &azure_core_0_21::Request) -> Result<Request, Error> {
        let refused = |why: &'static str| Error::because(ErrorKind::Refused, OPERATION, why);
        if *old.method() != azure_core_0_21::Method::Post {
            return Err(refused("only sending is spoken"));
        }
        let mut url = self.base.clone();
        let prefix = self.base.path().trim_end_matches('/');
        url.set_path(&format!("{prefix}{}", old.url().path()));
        url.set_query(old.url().query());
        let mut request = Request::new(url, Method::Post);
        for (name, value) in old.headers().iter() {
            match name.as_str() {
                "authorization" => {}
                BROKER_PROPERTIES => request.insert_header(BROKER_PROPERTIES, with_gmt(value.as_str())),
                name => request.insert_header(name.to_owned(), value.as_str().to_owned()),
            }
        }
        request.insert_header(headers::USER_AGENT, USER_AGENT);
        if let Some(trace) = self.traceparent.and_then(|hook| hook()) {
            request.insert_header(DIAGNOSTIC_ID, trace);
        }
        match old.body() {
            Body::Bytes(bytes) => request.set_body(Bytes::clone(bytes)),
            Body::SeekableStream(_) => return Err(refused("a streamed body is not supported")),
        }
        Ok(request)
    }
}

#[async_trait]
impl HttpClient for Adapter {
    async fn execute_request(&self, request: &azure_core_0_21::Request) -> azure_core_0_21::Result<Response> {
        self.send(request).await.map_err(|error| azure_core_0_21::Error::new(OldErrorKind::Other, error))
    }
}

impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter").finish_non_exhaustive()
    }
}

/// The library's error as ours.
pub(super) fn error(operation: &'static str, error: azure_core_0_21::Error) -> Error {
    match error.into_downcast::<Error>() {
        Ok(mut ours) => {
            ours.operation = operation;
            ours
        }
        Err(other) => Error::because(ErrorKind::Refused, operation, other),
    }
}

/// The properties with the scheduled moment as Service Bus documents it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn with_gmt(properties: &str) -> String {
    const MOMENT: &str = "ScheduledEnqueueTimeUtc";
    let Ok(mut read) = serde_json::from_str::<serde_json::Value>(properties) else { return properties.to_owned() };
    if let Some(moment) = read.get_mut(MOMENT)
        && let Some(local) = moment.as_str().and_then(|text| text.strip_suffix("+0000"))
    {
        *moment = format!("{local}GMT").into();
    }
    read.to_string()
}
