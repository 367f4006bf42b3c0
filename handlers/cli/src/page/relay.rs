//! Serves the handler's pages to browsers on this machine: asks the handler with key and token, and passes on the page alone.
//! It never listens beyond 127.0.0.1, never asks for anything but a page, and never answers another site, whatever name that site gave
//! this machine.
//!
//! ```text
//! browser ─► Host? ─► Origin? ─► another site's part? ─► GET or HEAD? ─► a page? ─► handler, with key and token ─► the page
//!             403      403             403                   405            404
//! ```

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use lifeboat_execution::Connections;
use lifeboat_execution::views::View;
use lifeboat_functions::pages;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::client::Answer;
use crate::handler_api::{self, HandlerArgs};
use crate::settings::Settings;

/// How long a page may take: it rests on a few records of the store, and a person waits for it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
/// How long a token of the sign-in is used before another one is asked for: tokens last an hour, and asking takes `az` a second.
const TOKEN_USED_FOR: Duration = Duration::from_secs(300);
/// The page of policies, points and holds, which the others link to.
const STATUS: &str = "/api/status";
/// What a browser may do with an answer that says nothing of it: nothing but show it.
const NOTHING_ELSE: &str = "default-src 'none'; frame-ancestors 'none'";

/// The handler, as it is asked for pages.
pub struct Upstream {
    handler: HandlerArgs,
    settings: Settings,
    audience: Option<String>,
    token: Mutex<Option<(String, Instant)>>,
}

/// What the handler, or its host, answered.
#[derive(Debug)]
pub struct Page {
    /// Its status.
    pub status: u16,
    answer: Answer,
}

/// A running relay; it ends when this is dropped.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    task: JoinHandle<()>,
}

struct Shared {
    upstream: Upstream,
    port: u16,
}

impl Upstream {
    /// Nothing is asked yet.
    pub fn new(handler: HandlerArgs, settings: Settings, audience: Option<String>) -> Self {
        Self { handler, settings, audience, token: Mutex::new(None) }
    }

    /// Asks for a page, by its path and query. A token that is refused is asked for once more: it may have ended.
    pub async fn page(&self, path: &str) -> Result<Page> {
        let asked = async {
            let answer = self.ask(path, false).await?;
            let again = answer.status == 401 && self.settings.token.is_none() && self.audience().is_some();
            if again { self.ask(path, true).await } else { Ok(answer) }
        };
        let answer = tokio::time::timeout(ANSWERED_WITHIN, asked).await;
        let answer = answer.with_context(|| format!("no answer within {} s", ANSWERED_WITHIN.as_secs()))??;
        Ok(Page { status: answer.status, answer })
    }

    async fn ask(&self, path: &str, anew: bool) -> Result<Answer> {
        let token = self.token(anew).await?;
        self.handler.page(&self.settings, path, token.as_deref()).await
    }

    fn audience(&self) -> Option<&String> {
        self.audience.as_ref().or(self.settings.audience.as_ref())
    }

    /// The token of whoever is signed in, where it is known what it is for; one that was got in another way goes before.
    async fn token(&self, anew: bool) -> Result<Option<String>> {
        if let Some(token) = &self.settings.token {
            return Ok(Some(token.clone()));
        }
        let Some(audience) = self.audience() else { return Ok(None) };
        let mut kept = self.token.lock().await;
        if let Some((token, got_at)) = kept.as_ref().filter(|_| !anew)
            && got_at.elapsed() < TOKEN_USED_FOR
        {
            return Ok(Some(token.clone()));
        }
        let got = Connections::signed_in().token_for(audience).await;
        let token = got.context("your sign-in gives no token for the handler: `az login`")?.secret().to_owned();
        *kept = Some((token.clone(), Instant::now()));
        Ok(Some(token))
    }
}

impl Page {
    /// Whether it is a page of the handler's, and no other answer.
    pub fn is_page(&self) -> bool {
        let media = self.answer.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let guarded = self.answer.headers.contains_key(header::CONTENT_SECURITY_POLICY);
        guarded && media.is_some_and(|media| media.starts_with("text/html"))
    }

    /// Why there is nothing to show, in a sentence.
    pub fn refused(&self) -> String {
        match self.status {
            404 if self.is_page() => "the handler has nothing of this name".to_owned(),
            503 if self.is_page() => "the handler could not read what the page shows".to_owned(),
            200..300 => "what answered is no handler of this release: it has no pages".to_owned(),
            _ => handler_api::refusal(&self.answer),
        }
    }
}

impl Relay {
    /// Starts on this port, 0 for a free one.
    pub async fn start(port: u16, upstream: Upstream) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = listener.with_context(|| format!("127.0.0.1:{port} cannot be listened on"))?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(answer).with_state(Arc::new(Shared { upstream, port: address.port() }));
        let task = tokio::spawn(async move {
            // Ends with the listener; axum itself retries what can be retried.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let path = match allowed(&request, shared.port) {
        Ok(Asked::Page(path)) => path,
        Ok(Asked::Root) => return Redirect::temporary(pages::PAGES).into_response(),
        Err((status, why)) => return refused(status, why),
    };
    let mut response = match shared.upstream.page(&path).await {
        Ok(page) if page.is_page() => passed_on(page),
        Ok(page) => not_read(page.status, &path, &page.refused()),
        Err(error) => not_read(StatusCode::BAD_GATEWAY.as_u16(), &path, &crate::output::with_causes(&error)),
    };
    if request.method() == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// Nothing in particular.
    Root,
    /// This page: path and query, as the handler is asked for it.
    Page(String),
}

/// What is asked for, where it may be.
fn allowed(request: &Request<Body>, port: u16) -> Result<Asked, (StatusCode, &'static str)> {
    const HOST: &str = "this page answers to 127.0.0.1 and localhost only\n";
    const ORIGIN: &str = "this page answers no other site\n";
    const METHOD: &str = "pages only show: GET and HEAD are answered here\n";
    const PATH: &str = "there are pages below /api/pages, and /api/status\n";
    let headers = request.headers();
    let own = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let is_own = |name: &str| own.iter().any(|own| own == name);
    let host = single(headers, &header::HOST).is_some_and(is_own);
    if !host || !request.uri().authority().is_none_or(|authority| is_own(authority.as_str())) {
        return Err((StatusCode::FORBIDDEN, HOST));
    }
    let origin = headers.contains_key(header::ORIGIN).then(|| single(headers, &header::ORIGIN).unwrap_or_default());
    if !origin.is_none_or(|origin| origin.strip_prefix("http://").is_some_and(is_own)) || is_part_of_another(headers) {
        return Err((StatusCode::FORBIDDEN, ORIGIN));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err((StatusCode::METHOD_NOT_ALLOWED, METHOD));
    }
    page_of(request.uri()).ok_or((StatusCode::NOT_FOUND, PATH))
}

/// The value of a header that stands there once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether a browser asks for a part of another site's page: a picture, a frame, a script. A link there that a person follows is none.
fn is_part_of_another(headers: &HeaderMap) -> bool {
    let of = |name: &'static str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let foreign = of("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let followed = of("sec-fetch-mode") == Some("navigate") && of("sec-fetch-dest") == Some("document");
    foreign && !followed
}

/// The page that an address names. Of its query only whether the page stays still is passed on.
fn page_of(uri: &Uri) -> Option<Asked> {
    let path = match uri.path() {
        "/" => return Some(Asked::Root),
        STATUS => STATUS.to_owned(),
        // Drawn up anew from what it asks for: nothing of an address goes on as it came.
        path => pages::path(&pages::asked(path)?),
    };
    let still = uri.query().is_some_and(|query| query.split('&').any(|part| part == "still=1"));
    Some(Asked::Page(if still { format!("{path}?still=1") } else { path }))
}

/// The handler's page, with what it says about how it may be shown, and nothing else that came with it.
fn passed_on(page: Page) -> Response {
    let status = StatusCode::from_u16(page.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let policy = page.answer.headers.get(header::CONTENT_SECURITY_POLICY).cloned();
    shown(status, "text/html; charset=utf-8", policy, page.answer.body)
}

/// A page that says why there is none, and asks again by itself: whoever watches a failover goes on watching it when the handler is back.
fn not_read(status: u16, path: &str, why: &str) -> Response {
    let view = pages::asked(path.split('?').next().unwrap_or_default()).unwrap_or(View::Start);
    let page = pages::reply_unread(&view, why);
    let status = StatusCode::from_u16(status).ok().filter(|status| !status.is_success());
    let policy = page.headers.get(header::CONTENT_SECURITY_POLICY).cloned();
    shown(status.unwrap_or(StatusCode::BAD_GATEWAY), "text/html; charset=utf-8", policy, page.body.to_vec())
}

fn refused(status: StatusCode, why: &'static str) -> Response {
    let mut response = shown(status, "text/plain; charset=utf-8", None, why.as_bytes().to_vec());
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

fn shown(status: StatusCode, media: &'static str, policy: Option<HeaderValue>, body: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media)),
        (header::CONTENT_SECURITY_POLICY, policy.unwrap_or(HeaderValue::from_static(NOTHING_ELSE))),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    ];
    (status, headers, body).into_response()
}

#[cfg(test)]
mod tests;
