//! The one seam: what every request passes, whoever makes it, before it leaves.
//!
//! It never retries, never follows a redirect, never sends a token over plain HTTP to another machine, and never sends a
//! request after its [`Latest`] moment.

use azure_core::http::{AsyncRawResponse, HttpClient, Request, Url, headers, headers::Headers};
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

pub use crate::https::https;

/// How long one attempt may take, from sending to the last byte of the answer.
///
/// ARM answers most calls in under two seconds and gives up itself after sixty. Whoever must know that a request can no
/// longer act waits for [`Latest`] and then for this long.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The largest answer that is read. A Resource Graph page of 1,000 machines with their tags stays below 4 MiB.
pub const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// The moment after which a request must not be sent, on the clock that does not jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Latest(pub Instant);

impl Latest {
    /// So long from now on.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// Whether it is over.
    pub fn is_past(self) -> bool {
        Instant::now() > self.0
    }
}

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the latest moment for this request was over; it was not sent")]
    TooLate,
    #[error("a token is not sent over plain http to another machine; the request was not sent")]
    PlainHttp,
    #[error("no connection could be made; the request was not sent")]
    Unreachable(#[source] azure_core::Error),
    #[error("no answer within {} s", REQUEST_TIMEOUT.as_secs())]
    TimedOut,
    #[error("the connection broke before the answer was complete")]
    Broken(#[source] azure_core::Error),
    #[error("the answer is larger than {MAX_ANSWER_BYTES} bytes")]
    TooLarge,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Headers,
    pub body: Bytes,
}

impl Answer {
    pub fn header(&self, name: &'static str) -> Option<&str> {
        self.headers.get_optional_str(&headers::HeaderName::from_static(name))
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The transport with its guards.
#[derive(Clone, Debug)]
pub(crate) struct Guarded {
    inner: Arc<dyn HttpClient>,
}

impl Guarded {
    pub fn new(inner: Arc<dyn HttpClient>) -> Self {
        Self { inner }
    }

    /// Sends once, if it is allowed and not too late, and reads the whole answer.
    pub async fn send(&self, request: &Request, latest: Option<Latest>) -> Result<Answer, Failure> {
        if request.headers().get_optional_str(&headers::AUTHORIZATION).is_some() && !may_carry_token(request.url()) {
            return Err(Failure::PlainHttp);
        }
        if latest.is_some_and(Latest::is_past) {
            return Err(Failure::TooLate);
        }
        match tokio::time::timeout(REQUEST_TIMEOUT, self.attempt(request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::TimedOut),
        }
    }

    async fn attempt(&self, request: &Request) -> Result<Answer, Failure> {
        let answer = self.inner.execute_request(request).await.map_err(failure)?;
        collect(answer).await
    }
}

async fn collect(answer: AsyncRawResponse) -> Result<Answer, Failure> {
    let (status, headers, mut body) = answer.deconstruct();
    let mut whole = BytesMut::new();
    while let Some(part) = body.next().await {
        let part = part.map_err(failure)?;
        if whole.len() + part.len() > MAX_ANSWER_BYTES {
            return Err(Failure::TooLarge);
        }
        whole.extend_from_slice(&part);
    }
    Ok(Answer { status: u16::from(status), headers, body: whole.freeze() })
}

fn failure(error: azure_core::Error) -> Failure {
    match error.downcast_ref::<crate::https::TooLarge>() {
        Some(_) => Failure::TooLarge,
        // azure_core documents its kind `Connection` as "never sent".
        None if *error.kind() == azure_core::error::ErrorKind::Connection => Failure::Unreachable(error),
        None => Failure::Broken(error),
    }
}

/// Whether a bearer token may go there: TLS, or this very machine.
pub(crate) fn may_carry_token(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(url::Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(url::Host::Ipv6(address))) => address.is_loopback(),
        ("http", Some(url::Host::Domain(name))) => name.eq_ignore_ascii_case("localhost"),
        _ => false,
    }
}
