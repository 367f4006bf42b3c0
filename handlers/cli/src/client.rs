//! One HTTP client for everything that the command asks: the handler, a Functions host, the stand-ins.
//! It never follows a redirect, so that a key goes only where it was meant to, and never waits without an end.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::HeaderMap;
use reqwest::{Client, redirect};

/// How long an answer may take: the host's own limit for one HTTP call is 230 s, and a host that answers at all does so before.
const ANSWERED_WITHIN: Duration = Duration::from_secs(240);

/// The longest answer that is read, in bytes: what the handler's own bound lets out.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Whether the status says success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as text, for people.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).trim().to_owned()
    }
}

/// A client. What is on this machine is asked directly, whatever proxy the environment names.
pub fn client(loopback_only: bool) -> Result<Client> {
    let builder = Client::builder().redirect(redirect::Policy::none()).timeout(ANSWERED_WITHIN);
    let builder = if loopback_only { builder.no_proxy() } else { builder };
    builder.build().context("the HTTP client cannot be set up")
}

/// Sends a request and reads the answer whole, within bounds.
pub async fn ask(request: reqwest::RequestBuilder) -> Result<Answer> {
    let mut response = request.send().await?;
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        ensure!(body.len() + chunk.len() <= ANSWER_BYTES_MAX, "the answer has more than {ANSWER_BYTES_MAX} bytes");
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

/// True when a URL is of this machine.
pub fn is_loopback(url: &str) -> bool {
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// An error without the URL in it, whose query may hold a key.
pub fn without_url(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<reqwest::Error>() {
        Ok(error) => error.without_url().into(),
        Err(other) => other,
    }
}
