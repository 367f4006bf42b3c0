//! The real transport: HTTPS on reqwest, rustls with ring, and a resolver that a static binary can use.
//!
//! It never takes a proxy from the environment, never follows a redirect, and is built at the first request, not before.

use crate::transport::{MAX_ANSWER_BYTES, REQUEST_TIMEOUT};
use async_trait::async_trait;
use azure_core::{
    Error,
    error::ErrorKind,
    http::{
        AsyncRawResponse, Body, HttpClient, Request,
        headers::{HeaderName, HeaderValue, Headers},
    },
};
use bytes::{Bytes, BytesMut};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

/// How long making a connection may take: two lost SYN packets (1 s, then 2 s) and the handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an unused connection is kept. Azure's front ends close theirs after some four minutes; ours goes first.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// The transport for Azure. It costs nothing until the first request.
pub fn https() -> Arc<dyn HttpClient> {
    Arc::new(Https { client: OnceLock::new() })
}

/// The answer passed [`MAX_ANSWER_BYTES`].
#[derive(Debug, thiserror::Error)]
#[error("the answer is larger than {MAX_ANSWER_BYTES} bytes")]
pub(crate) struct TooLarge;

#[derive(Debug)]
struct Https {
    client: OnceLock<reqwest::Client>,
}

impl Https {
    fn client(&self) -> azure_core::Result<&reqwest::Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Another part of the process may have chosen a provider already; then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .hickory_dns(true)
            .build()
            .map_err(|error| {
                Error::with_error(ErrorKind::Connection, error.without_url(), "the HTTPS client cannot be built")
            })?;
        Ok(self.client.get_or_init(|| client))
    }
}

#[async_trait]
impl HttpClient for Https {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes())
            .map_err(|error| Error::new(ErrorKind::Connection, error))?;
        let mut outgoing = self.client()?.request(method, request.url().clone());
        for (name, value) in request.headers().iter() {
            outgoing = outgoing.header(name.as_str(), value.as_str());
        }
        let body = match request.body() {
            Body::Bytes(bytes) => bytes.clone(),
            // Nothing of ours streams a body; a stream could not be repeated byte by byte either.
            Body::SeekableStream(_) => {
                return Err(Error::with_message(ErrorKind::Connection, "a streamed body is not supported"));
            }
        };
        let mut answer = outgoing.body(body).send().await.map_err(classified)?;
        let status = answer.status().as_u16();
        let headers = headers(answer.headers());
        let mut whole = BytesMut::new();
        while let Some(part) = answer.chunk().await.map_err(classified)? {
            if whole.len() + part.len() > MAX_ANSWER_BYTES {
                return Err(Error::new(ErrorKind::Io, TooLarge));
            }
            whole.extend_from_slice(&part);
        }
        Ok(AsyncRawResponse::from_bytes(status.into(), headers, Bytes::from(whole)))
    }
}

/// `Connection` promises that nothing was sent; everything else is `Io`. The URL is left out: it may be signed.
fn classified(error: reqwest::Error) -> Error {
    let kind = if error.is_connect() || error.is_builder() { ErrorKind::Connection } else { ErrorKind::Io };
    Error::with_error(kind, error.without_url(), "no answer over HTTPS")
}

fn headers(map: &reqwest::header::HeaderMap) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in map {
        if let Ok(value) = value.to_str() {
            headers.insert(HeaderName::from(name.as_str().to_owned()), HeaderValue::from(value.to_owned()));
        }
    }
    headers
}

#[cfg(test)]
mod tests;
