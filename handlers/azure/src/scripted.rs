//! A transport that answers from a script and remembers what it was asked, for tests.
//!
//! It never opens a socket; waiting goes by tokio's clock.

use crate::access::{Access, Random};
use async_trait::async_trait;
use azure_core::{
    Error,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{AsyncRawResponse, Body, HttpClient, Request, Url, headers::Headers},
};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// What the transport does with one request.
#[derive(Clone, Debug)]
pub enum Reply {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: Bytes,
    },
    /// No connection: never sent.
    Unreachable,
    /// The connection breaks after sending.
    Broken,
    /// No answer at all.
    Hang,
    /// The reply comes later.
    After(Duration, Box<Self>),
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, &body.to_string())
    }

    pub fn text(status: u16, body: &str) -> Self {
        Self::Answer { status, headers: Vec::new(), body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// What the transport was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub url: Url,
    pub headers: Headers,
    pub body: Bytes,
    pub at: Instant,
}

impl Asked {
    pub fn header(&self, name: &'static str) -> &str {
        self.headers.get_optional_str(&name.into()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

#[derive(Debug, Default)]
pub struct Scripted {
    replies: Mutex<VecDeque<Reply>>,
    asked: Mutex<Vec<Asked>>,
    /// How many tokens were given.
    pub tokens: AtomicUsize,
}

/// The wall time of the tests.
pub const NOW: &str = "2026-11-22T02:00:00Z";

impl Scripted {
    pub fn new(replies: impl IntoIterator<Item = Reply>) -> Arc<Self> {
        Arc::new(Self { replies: Mutex::new(replies.into_iter().collect()), ..Self::default() })
    }

    pub fn access(self: &Arc<Self>) -> Access {
        let now: Timestamp = NOW.parse().unwrap();
        let credential = Arc::new(Counted(Arc::clone(self)));
        Access::new(Arc::<Self>::clone(self), credential, Arc::new(move || now), Random::seeded(1))
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait]
impl HttpClient for Scripted {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let body = match request.body() {
            Body::Bytes(bytes) => bytes.clone(),
            Body::SeekableStream(_) => panic!("a stream"),
        };
        self.asked.lock().unwrap().push(Asked {
            method: request.method().to_string(),
            url: request.url().clone(),
            headers: request.headers().clone(),
            body,
            at: Instant::now(),
        });
        let mut reply = self.replies.lock().unwrap().pop_front().expect("the script has no answer to this request");
        loop {
            match reply {
                Reply::After(wait, next) => {
                    tokio::time::sleep(wait).await;
                    reply = *next;
                }
                Reply::Unreachable => return Err(Error::with_message(ErrorKind::Connection, "refused")),
                Reply::Broken => return Err(Error::with_message(ErrorKind::Io, "reset")),
                Reply::Hang => std::future::pending().await,
                Reply::Answer { status, headers, body } => {
                    let mut map = Headers::new();
                    headers.into_iter().for_each(|(name, value)| map.insert(name, value));
                    return Ok(AsyncRawResponse::from_bytes(status.into(), map, body));
                }
            }
        }
    }
}

/// Gives `token-1`, `token-2`, …, each good for an hour.
#[derive(Debug)]
struct Counted(Arc<Scripted>);

#[async_trait]
impl TokenCredential for Counted {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let number = self.0.tokens.fetch_add(1, Ordering::Relaxed) + 1;
        let ends = azure_core::time::parse_rfc3339("2026-11-22T03:00:00Z")?;
        Ok(AccessToken::new(format!("token-{number}"), ends))
    }
}
