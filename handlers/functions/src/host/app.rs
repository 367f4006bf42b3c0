//! The functions of an application and the router that finds them.
//! It never listens by itself: the router is called in process by tests, or served by `run`.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::serve::ListenerExt as _;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Method, StatusCode};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::answer::{self, Done, Failure};
use super::bodies::{BODIES_MAX_BYTES, BODY_MAX_BYTES, Bodies};
use super::forwarded::{HttpInvocation, HttpReply, is_under};
use super::invocation::Invocation;
use super::observe::{Observe, Quiet};
use super::run;

/// Share of `functionTimeout` that an invocation may use: the host fails it at the whole and kills the process two seconds later, and
/// with it every other call in flight; a twentieth is room for the flush and for a slow machine.
const DEADLINE_SHARE: (u32, u32) = (19, 20);

/// What an application can choose.
#[derive(Clone)]
pub struct RuntimeOptions {
    /// When a receiver is dropped and its call answered with 500; below `functionTimeout`.
    pub deadline: Duration,
    /// Largest body.
    pub body_max_bytes: usize,
    /// All bodies in work together.
    pub bodies_max_bytes: usize,
    /// Who watches.
    pub observer: Arc<dyn Observe>,
}

impl RuntimeOptions {
    /// The usual bounds, for a host with this `functionTimeout`.
    #[must_use]
    pub fn below(function_timeout: Duration) -> Self {
        Self {
            deadline: function_timeout * DEADLINE_SHARE.0 / DEADLINE_SHARE.1,
            body_max_bytes: BODY_MAX_BYTES,
            bodies_max_bytes: BODIES_MAX_BYTES,
            observer: Arc::new(Quiet),
        }
    }

    /// The same, watched.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn Observe>) -> Self {
        self.observer = observer;
        self
    }
}

impl fmt::Debug for RuntimeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeOptions")
            .field("deadline", &self.deadline)
            .field("body_max_bytes", &self.body_max_bytes)
            .field("bodies_max_bytes", &self.bodies_max_bytes)
            .finish_non_exhaustive()
    }
}

type Receive = Box<dyn Fn(Invocation) -> BoxFuture<'static, Result<Done, Failure>> + Send + Sync>;
type Reply = Box<dyn Fn(HttpInvocation) -> BoxFuture<'static, Result<HttpReply, Failure>> + Send + Sync>;

/// A function that gets its data in an envelope.
pub(super) struct Receiver {
    pub(super) function: &'static str,
    pub(super) receive: Receive,
}

/// A function whose HTTP requests are forwarded.
pub(super) struct HttpReceiver {
    pub(super) function: &'static str,
    prefix: &'static str,
    pub(super) reply: Reply,
}

/// Everything a call needs.
pub(super) struct Functions {
    receivers: Vec<Receiver>,
    http: Vec<HttpReceiver>,
    pub(super) deadline: Duration,
    pub(super) bodies: Bodies,
    pub(super) observer: Arc<dyn Observe>,
}

/// An application: its functions by name.
pub struct App {
    functions: Functions,
}

impl App {
    /// An application without functions yet.
    #[must_use]
    pub fn new(options: RuntimeOptions) -> Self {
        let bodies = Bodies::new(options.body_max_bytes, options.bodies_max_bytes);
        let RuntimeOptions { deadline, observer, .. } = options;
        Self { functions: Functions { receivers: Vec::new(), http: Vec::new(), deadline, bodies, observer } }
    }

    /// Adds a function that a timer, a message or an event wakes. The name is its folder's, case kept.
    #[must_use]
    pub fn on<H, F>(mut self, function: &'static str, receiver: H) -> Self
    where
        H: Fn(Invocation) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Done, Failure>> + Send + 'static,
    {
        let receive: Receive = Box::new(move |invocation| Box::pin(receiver(invocation)));
        self.functions.receivers.push(Receiver { function, receive });
        self
    }

    /// Adds a function whose HTTP requests arrive forwarded, under this path prefix (the host's route prefix and the function's route).
    #[must_use]
    pub fn on_http<H, F>(mut self, function: &'static str, prefix: &'static str, receiver: H) -> Self
    where
        H: Fn(HttpInvocation) -> F + Send + Sync + 'static,
        F: Future<Output = Result<HttpReply, Failure>> + Send + 'static,
    {
        let reply: Reply = Box::new(move |invocation| Box::pin(receiver(invocation)));
        self.functions.http.push(HttpReceiver { function, prefix, reply });
        self
    }

    /// The names of all functions, in the order they were added.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        let receivers = self.functions.receivers.iter().map(|receiver| receiver.function);
        receivers.chain(self.functions.http.iter().map(|receiver| receiver.function))
    }

    /// The application as a router.
    pub fn router(self) -> Router {
        Router::new().fallback(called).with_state(Arc::new(self.functions))
    }

    /// Serves the application until the listener fails.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        // Answers are small and the host waits for each: sending them at once saves the delay of Nagle's algorithm.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        axum::serve(listener, self.router()).await
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// Every request comes here. A panic of the runtime's own, or of whoever watches, is a 500 as a receiver's is: without it the
/// connection would just break, and the host would learn nothing.
async fn called(State(functions): State<Arc<Functions>>, request: Request) -> Response {
    let answered = AssertUnwindSafe(answered(functions, request)).catch_unwind().await;
    answered.unwrap_or_else(|_| answer::failure(StatusCode::INTERNAL_SERVER_ERROR))
}

/// Names are the host's business, so there is nothing to route by but the path itself.
async fn answered(functions: Arc<Functions>, request: Request) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if path == "/" {
        return answer::listening();
    }
    let name = path.strip_prefix('/').filter(|_| parts.method == Method::POST);
    if let Some(receiver) = name.and_then(|name| functions.receivers.iter().find(|r| r.function == name)) {
        return run::receive(&functions, receiver, &parts, body, started).await;
    }
    if let Some(receiver) = functions.http.iter().find(|http| is_under(path, http.prefix)) {
        return run::reply(&functions, receiver, parts, body, started).await;
    }
    run::unknown(&parts)
}
