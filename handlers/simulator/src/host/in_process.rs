//! The handler as a router in this process: each request is a task, and a kill drops all of them where they stand.
//! It never opens a socket, so it runs under paused time.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::link::{Handler, Launcher, Start};
use super::options::HandlerFactory;
use super::wire::{RawRequest, RawResponse, WireError};

/// Ids of processes that are none begin here, above what Linux gives out by default.
const FIRST_PID: u32 = 5_000_000;
/// How a killed process ends: 128 + SIGKILL.
const KILLED: i32 = 137;

/// Starts routers.
pub(super) struct Routers {
    factory: HandlerFactory,
    next_pid: AtomicU32,
}

struct Running {
    pid: u32,
    router: Router,
    requests: Mutex<JoinSet<()>>,
    exit: watch::Sender<Option<i32>>,
}

impl Routers {
    pub(super) fn new(factory: HandlerFactory) -> Self {
        Self { factory, next_pid: AtomicU32::new(FIRST_PID) }
    }
}

#[async_trait]
impl Launcher for Routers {
    async fn launch(&self, _start: Start) -> io::Result<Arc<dyn Handler>> {
        let pid = self.next_pid.fetch_add(1, Ordering::Relaxed);
        let (exit, _) = watch::channel(None);
        Ok(Arc::new(Running { pid, router: (self.factory)(), requests: Mutex::default(), exit }))
    }
}

#[async_trait]
impl Handler for Running {
    fn pid(&self) -> u32 {
        self.pid
    }

    async fn send(&self, request: &RawRequest) -> Result<RawResponse, WireError> {
        let request = to_http(request).ok_or(WireError::Invalid)?;
        let router = self.router.clone();
        let (answered, answer) = tokio::sync::oneshot::channel();
        {
            let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
            if self.exit.borrow().is_some() {
                return Err(WireError::Refused);
            }
            while requests.try_join_next().is_some() {}
            requests.spawn(async move {
                let Ok(response) = router.oneshot(request).await;
                // Nobody waits any more when the invocation has timed out.
                answered.send(from_http(response).await).ok();
            });
        }
        // The sender is gone when the task was dropped or panicked: the connection broke.
        answer.await.unwrap_or(Err(WireError::Ended))
    }

    async fn exited(&self) -> i32 {
        let mut exit = self.exit.subscribe();
        let code = exit.wait_for(Option::is_some).await.ok().and_then(|code| *code);
        code.unwrap_or(KILLED)
    }

    fn kill(&self) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.abort_all();
        self.exit.send_if_modified(|code| code.replace(KILLED).is_none());
    }
}

/// A request for a router; `None` when a part of it is not HTTP.
pub(super) fn to_http(request: &RawRequest) -> Option<http::Request<Body>> {
    let mut builder = http::Request::builder().method(request.method.as_str()).uri(request.target.as_str());
    for (name, value) in &request.headers {
        builder = builder.header(name.as_str(), value.as_str());
    }
    builder.body(Body::from(request.body.clone())).ok()
}

async fn from_http(response: http::Response<Body>) -> Result<RawResponse, WireError> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|_| WireError::BrokenBody)?.to_bytes();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| (title_case(name.as_str()), text(value))).collect();
    Ok(RawResponse { status: parts.status.as_u16(), headers, body })
}

/// `content-type` as `Content-Type`: the usual spelling of names that have lost theirs.
pub(super) fn title_case(name: &str) -> String {
    let mut start = true;
    let spell = |c: char| {
        let spelled = if start { c.to_ascii_uppercase() } else { c };
        start = c == '-';
        spelled
    };
    name.chars().map(spell).collect()
}
