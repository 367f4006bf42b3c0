//! A stand-in for the Azure Functions host with a custom handler: it reproduces the wire of the real one, as recorded.
//! It never imports anything of Lifeboat, knows the handler only as HTTP, and never asks the machine for time or randomness.
//!
//! ```text
//! timers ──────┐                                ┌── TCP to the handler's process
//! Bus ─────────┼► invoke ► worker ► link (HTTP) ┼── a router in this process
//! HTTP clients ┘   │                            └── anything else that a test puts there
//!                  └► log, list of invocations
//! ```

mod admin;
mod answers;
mod core;
mod dates;
mod definitions;
mod encoder;
mod event_grid;
mod flights;
mod http;
mod http_json;
mod ids;
mod in_process;
mod invoke;
mod json;
mod kestrel;
mod keys;
mod link;
mod logs;
mod options;
mod process;
mod routes;
mod schedule;
mod server;
mod service_bus;
mod target;
#[cfg(test)]
mod tests;
mod timer_status;
mod timers;
mod trace;
mod wire;
mod worker;

use std::io;
use std::sync::Arc;

use axum::Router;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;

pub use self::core::HostState;
pub use self::definitions::AppError;
pub use self::flights::Cause;
pub use self::invoke::{Invocation, Outcome};
pub use self::link::{Connect, Connections, Handler, HandlerStream, Launcher, OutputLine, Start};
pub use self::logs::{LogLevel, LogLine};
pub use self::options::{HandlerFactory, HandlerLink, HostOptions, Keys, LogSink, ProcessOptions, Telemetry};
pub use self::timer_status::{TimerStatus, TimerStatusStore};
pub use self::wire::{RawRequest, RawResponse, WireError, read_request};

use self::core::{Core, lock};
use self::definitions::{App, Trigger};

/// Why a host did not start. A repeat fails the same way until what it names has changed.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The app's folder is not an app.
    #[error("the app cannot be read")]
    App(#[from] AppError),
    /// No port could be had.
    #[error("no port on 127.0.0.1")]
    Port(#[from] io::Error),
}

/// A host that runs. Dropping it ends it and the handler at once.
pub struct Host {
    core: Arc<Core>,
    tasks: JoinSet<()>,
}

/// How a stop went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The handler that was left running because something was in flight for too long.
    pub handler_left_running: Option<u32>,
}

impl Host {
    /// Starts a host: reads the app, starts the handler, starts to listen. The handler becomes ready later.
    pub async fn start(options: HostOptions) -> Result<Self, HostError> {
        let app = App::read(&options.app_root, &options.settings)?;
        let listener = match options.listen {
            true => Some(TcpListener::bind(("127.0.0.1", 0)).await?),
            false => None,
        };
        let (wishes, granted) = unbounded_channel();
        let core = Core::new(options, app, wishes);
        let mut tasks = JoinSet::new();
        core.start_job().await?;
        tasks.spawn(core.clone().obey(granted));
        if let Some(listener) = listener {
            core.url.get_or_init(|| format!("http://127.0.0.1:{}", listener.local_addr().map_or(0, |at| at.port())));
            tasks.spawn(server::serve(core.clone(), listener));
        }
        Ok(Self { core, tasks })
    }

    /// Where it listens; empty without a listener.
    pub fn url(&self) -> &str {
        self.core.url.get().map_or("", String::as_str)
    }

    /// The host as a router, for callers in this process.
    pub fn router(&self) -> Router {
        server::router(self.core.clone())
    }

    /// Answers a request as the listener would; `None` when it does not listen any more.
    pub async fn call(&self, request: &RawRequest) -> Option<RawResponse> {
        self.core.call(request).await
    }

    /// Stops as on SIGTERM: no new triggers; HTTP and Event Grid in flight are waited for, timers and messages for
    /// ten seconds; then the handler is killed, or left running where something still was in flight.
    pub async fn stop(&self) -> Stopped {
        self.core.stop(true).await;
        Stopped { handler_left_running: *lock(&self.core.left_running) }
    }

    /// What it is doing.
    pub fn state(&self) -> HostState {
        *self.core.state.borrow()
    }

    /// Waits until it has stopped, by itself or by order.
    pub async fn stopped(&self) {
        // The sender lives as long as self.
        self.core.state.subscribe().wait_for(|state| *state == HostState::Stopped).await.ok();
    }

    /// Waits until the handler can be sent invocations; `false` when that took too long, which stops the host.
    pub async fn ready(&self) -> bool {
        self.core.worker().ready().await
    }

    /// Waits until nothing is in flight.
    pub async fn idle(&self) {
        self.core.flights.wait(|counts| counts.all() == 0).await;
    }

    /// How many invocations are in flight.
    pub fn in_flight(&self) -> usize {
        self.core.flights.now().all()
    }

    /// Everything that was run, oldest first.
    pub fn invocations(&self) -> Vec<Invocation> {
        self.core.invocations()
    }

    /// The log, oldest first.
    pub fn logs(&self) -> Vec<LogLine> {
        self.core.logs.all()
    }

    /// The id of the handler's process.
    pub fn handler_pid(&self) -> Option<u32> {
        self.core.worker().handler().map(|handler| handler.pid())
    }

    /// The port that the handler was told to listen to.
    pub fn handler_port(&self) -> u16 {
        self.core.worker().port()
    }

    /// Kills the handler as something from outside would; the host counts it and starts it again. Says whether
    /// there was one.
    pub fn kill_handler(&self) -> bool {
        let handler = self.core.worker().handler();
        handler.map(|handler| handler.kill()).is_some()
    }

    /// Fires a timer now, besides its schedule, and waits until it has run; `None` for what is no timer that listens.
    pub async fn fire_timer(&self, function: &str) -> Option<Invocation> {
        let known = self.core.app.function(function)?;
        if known.disabled || !matches!(known.trigger, Ok(Trigger::Timer { .. })) || self.state() != HostState::Running {
            return None;
        }
        let ours = |invocation: &Invocation| invocation.function == function && invocation.cause == Cause::Timer;
        let before: Vec<String> = self.invocations().into_iter().filter(ours).map(|invocation| invocation.id).collect();
        lock(&self.core.timers).fire.insert(function.to_owned());
        self.core.timers_changed.notify_waiters();
        let ended = || {
            let mut all = self.invocations().into_iter().filter(ours);
            all.find(|invocation| invocation.outcome.is_some() && !before.contains(&invocation.id))
        };
        tokio::select! {
            () = self.core.flights.wait(|_| ended().is_some()) => ended(),
            () = self.stopped() => None,
        }
    }

    /// When a timer is due next.
    pub fn next_due(&self, function: &str) -> Option<Timestamp> {
        lock(&self.core.timers).due.get(function).copied()
    }

    /// The next `occurrences` of a timer are dropped, without a word: a fault to plant.
    pub fn skip_timer(&self, function: &str, occurrences: u32) {
        *lock(&self.core.timers).skip.entry(function.to_owned()).or_default() += occurrences;
    }

    /// No timer's occurrence before `at` fires: quiet time, in which nobody wants to pay for runs that find nothing.
    pub fn hold_timers_until(&self, at: Timestamp) {
        lock(&self.core.timers).held_until = Some(at);
        self.core.timers_changed.notify_waiters();
    }

    /// Lets timers look at the clock again: needed after [`crate::clock::Clock::jump`].
    pub fn clock_jumped(&self) {
        self.core.timers_changed.notify_waiters();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.core.end();
        self.tasks.abort_all();
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("url", &self.url()).field("state", &self.state()).finish_non_exhaustive()
    }
}
