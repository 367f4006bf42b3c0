//! A page for a browser on this machine: forwards `GET /status` and `GET /api/…`, pages among them, to the Functions host, and adds the
//! function key and a token.
//! It never listens beyond 127.0.0.1, never forwards anything but GET, never answers a page of another site that asks through a
//! name of its own, and never shows the key.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, Method, Request, StatusCode, header};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::client;

/// What of an answer is passed on: enough to show it, and what the handler says about how it may be shown.
const PASSED_ON: [http::HeaderName; 3] = [header::CONTENT_TYPE, header::CONTENT_SECURITY_POLICY, header::REFRESH];

/// Where questions go.
#[derive(Clone)]
pub struct Upstream {
    /// The Functions host.
    pub url: String,
    /// A key that opens functions.
    pub key: String,
    /// Gives an access token of whoever looks at the page.
    pub token: Arc<dyn Fn() -> String + Send + Sync>,
}

/// A running relay; it ends when this is dropped.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    task: JoinHandle<()>,
}

struct Shared {
    upstream: Upstream,
    client: reqwest::Client,
    port: u16,
}

impl Relay {
    /// Starts on this port, 0 for a free one.
    pub async fn start(port: u16, upstream: Upstream) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = listener.with_context(|| format!("127.0.0.1:{port} cannot be listened on"))?;
        let address = listener.local_addr()?;
        let client = client::client(true)?;
        let shared = Arc::new(Shared { upstream, client, port: address.port() });
        let router = Router::new().fallback(answer).with_state(shared);
        let task = tokio::spawn(async move {
            // Ends with the listener; axum itself retries what can be retried.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }

    /// The page's URL.
    pub fn url(&self) -> String {
        format!("http://{}/status", self.address)
    }

    /// The URL of the page of a recovery plan's failover.
    pub fn failover_url(&self, plan: &str) -> String {
        format!("http://{}/api/pages/failover/{plan}", self.address)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    if !is_local(request.headers(), shared.port) {
        return (StatusCode::FORBIDDEN, "this page answers to 127.0.0.1 and localhost only\n").into_response();
    }
    if request.method() != Method::GET {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")], "only GET is forwarded\n").into_response();
    }
    let path = match request.uri().path() {
        "/" => return Redirect::temporary("/status").into_response(),
        "/status" => "/api/status".to_owned(),
        path if path.starts_with("/api/") => path.to_owned(),
        _ => return (StatusCode::NOT_FOUND, "there is /status and /api/…\n").into_response(),
    };
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let accept = request.headers().get(header::ACCEPT).cloned();
    forward(&shared, &format!("{}{path}{query}", shared.upstream.url.trim_end_matches('/')), accept).await
}

async fn forward(shared: &Shared, url: &str, accept: Option<http::HeaderValue>) -> Response {
    let asked = shared.client.get(url).header("x-functions-key", &shared.upstream.key);
    let mut asked = asked.bearer_auth((shared.upstream.token)());
    if let Some(accept) = accept {
        asked = asked.header(header::ACCEPT, accept);
    }
    match client::ask(asked).await {
        Ok(answer) => {
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
            let mut headers = HeaderMap::new();
            for name in PASSED_ON {
                if let Some(value) = answer.headers.get(&name) {
                    headers.insert(name, value.clone());
                }
            }
            headers.insert(header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
            (status, headers, answer.body).into_response()
        }
        Err(_) => (StatusCode::BAD_GATEWAY, "the Functions host does not answer\n").into_response(),
    }
}

/// Whether the browser asked for this machine by an address of its own: a name that somebody else's DNS points here is not.
fn is_local(headers: &HeaderMap, port: u16) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    host == format!("127.0.0.1:{port}") || host == format!("localhost:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::any;

    /// A host that says what it was asked.
    async fn host() -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let echo = |request: Request<Body>| async move {
            let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            let (key, token) = (header("x-functions-key"), header("authorization"));
            let (key, token) = (key.unwrap_or_default(), token.unwrap_or_default());
            let body = format!("{} {} {key} {token}", request.method(), request.uri());
            ([(header::CONTENT_TYPE, "text/html"), (header::SET_COOKIE, "a=b")], body)
        };
        let router = Router::new().fallback(any(echo));
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    #[tokio::test]
    async fn only_questions_from_this_machine_are_forwarded_with_the_key() {
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let upstream = Upstream { url: host().await, key: "k".to_owned(), token: Arc::new(|| "t".to_owned()) };
        let relay = Relay::start(0, upstream).await.unwrap();
        let base = relay.url().replace("/status", "");
        let client = client::client(true).unwrap();
        let check = async |method: Method, path: &str, host: Option<&str>, status: u16, body: &str| {
            let mut request = client.request(method, format!("{base}{path}"));
            if let Some(host) = host {
                request = request.header(header::HOST, host);
            }
            let answer = client::ask(request).await.unwrap();
            assert_eq!((answer.status, answer.text().starts_with(body)), (status, true), "{path}: {}", answer.text());
            assert!(!answer.headers.contains_key(header::SET_COOKIE));
        };
        check(Method::GET, "/status", None, 200, "GET /api/status k Bearer t").await;
        check(Method::GET, "/api/points?machine=%2Fa", None, 200, "GET /api/points?machine=%2Fa k Bearer t").await;
        check(Method::GET, "/", None, 307, "").await;
        check(Method::GET, "/admin/host/status", None, 404, "there is").await;
        check(Method::POST, "/api/status", None, 405, "only GET").await;
        check(Method::GET, "/status", Some("evil.example"), 403, "this page").await;
        let localhost = base.replace("http://127.0.0.1", "localhost");
        check(Method::GET, "/status", Some(&localhost), 200, "GET /api/status k").await;
    }
}
