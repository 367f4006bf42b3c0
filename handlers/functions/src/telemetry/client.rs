//! The HTTP client of the exporters: asynchronous, TLS by ring, made when the first export needs it.
//! It never follows a redirect, never reads an answer without a bound, and never blocks the event loop.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError, ResponseBodyTooLarge};
use reqwest::redirect::Policy;
use tokio::sync::OnceCell;

use super::pump::EXPORT_MAX;

/// A target that does not accept a connection this long is down; much shorter than an export, so that a retry by hand is possible.
const CONNECT_MAX: Duration = Duration::from_secs(3);

/// Largest answer: targets send a count and at most a list of refused items.
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

/// Clones share one pool of connections.
#[derive(Debug, Clone, Default)]
pub(super) struct Client {
    made: Arc<OnceCell<reqwest::Client>>,
    plain: bool,
}

impl Client {
    /// A client that sends without TLS whatever its exporter wrote: only for a target on this machine.
    pub(super) fn plain() -> Self {
        Self { plain: true, ..Self::default() }
    }

    async fn made(&self) -> Result<&reqwest::Client, HttpError> {
        // Reading the system's certificates takes milliseconds of the processor: not on the thread that answers the host.
        self.made.get_or_try_init(|| async { Ok(tokio::task::spawn_blocking(make).await??) }).await
    }
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut request = reqwest::Request::try_from(request)?;
        if self.plain {
            request.url_mut().set_scheme("http").map_err(|()| "the target's address has no scheme")?;
        }
        let mut answer = self.made().await?.execute(request).await?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > ANSWER_MAX_BYTES {
                return Err(Box::new(ResponseBodyTooLarge::new()));
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

fn make() -> Result<reqwest::Client, reqwest::Error> {
    // Fails when another part of the process chose before; it is the same choice.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(EXPORT_MAX).connect_timeout(CONNECT_MAX).redirect(Policy::none()).build()
}
