//! What all parts of a host share: the app, the worker of the day, the log, what is in flight, what was run.
//! It never talks HTTP.
//!
//! ```text
//! Running ── stop, SIGTERM, third strike, wait too long ──► Stopping ── what is in flight is done ──► Stopped
//!    │ ▲
//!    └─┘ drain and resume, restart: a new worker on a new port
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::definitions::{App, Trigger};
use super::flights::{Cause, Flights};
use super::ids::Ids;
use super::in_process::Routers;
use super::invoke::{Call, Invocation, Outcome};
use super::keys::KeyRing;
use super::link::{Launcher, Start};
use super::logs::{LogLevel, Logs};
use super::options::{HandlerLink, HostOptions, TIMINGS};
use super::process::{Processes, free_port};
use super::worker::{Worker, WorkerPlan};

/// Invocations remembered; the oldest are forgotten.
const INVOCATIONS_KEPT: usize = 100_000;
/// Ports of handlers in this process, which have none, count from here: outside the range that systems give out.
const FIRST_PRETENDED_PORT: u16 = 20_000;

/// What the host is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostState {
    /// It takes triggers.
    Running,
    /// It waits for what is in flight.
    Stopping,
    /// It is gone: nobody listens.
    Stopped,
}

pub(super) struct Core {
    pub(super) options: HostOptions,
    pub(super) app: App,
    pub(super) logs: Arc<Logs>,
    pub(super) ids: Arc<Ids>,
    pub(super) keys: Mutex<KeyRing>,
    pub(super) flights: Flights,
    pub(super) state: watch::Sender<HostState>,
    pub(super) url: OnceLock<String>,
    pub(super) started: Instant,
    pub(super) draining: Mutex<bool>,
    pub(super) timers: Mutex<TimerBoard>,
    /// Told when a timer is to be fired out of turn, or the clock was jumped.
    pub(super) timers_changed: Notify,
    /// The process that was left running by a stop that waited too long.
    pub(super) left_running: Mutex<Option<u32>>,
    launcher: Arc<dyn Launcher>,
    worker: Mutex<Option<Arc<Worker>>>,
    listeners: Mutex<JoinSet<()>>,
    /// Work that outlives its listener or caller, and ends with the host.
    runs: Mutex<JoinSet<()>>,
    invocations: Mutex<VecDeque<Invocation>>,
    stop_wishes: UnboundedSender<()>,
    next_port: Mutex<u16>,
}

/// What control says about timers, and when they are due.
#[derive(Default)]
pub(super) struct TimerBoard {
    pub(super) due: BTreeMap<String, Timestamp>,
    pub(super) fire: BTreeSet<String>,
    /// How many occurrences are dropped.
    pub(super) skip: BTreeMap<String, u32>,
    /// No occurrence before then fires.
    pub(super) held_until: Option<Timestamp>,
}

impl Core {
    pub(super) fn new(options: HostOptions, app: App, stop_wishes: UnboundedSender<()>) -> Arc<Self> {
        let launcher: Arc<dyn Launcher> = match &options.link {
            HandlerLink::Process(process) => Arc::new(Processes(process.clone())),
            HandlerLink::InProcess(factory) => Arc::new(Routers::new(factory.clone())),
            HandlerLink::Custom(launcher) => launcher.clone(),
        };
        Arc::new(Self {
            logs: Arc::new(Logs::new(options.clock.clone(), options.log_sink.clone())),
            ids: Arc::new(Ids::new(options.seed)),
            keys: Mutex::new(KeyRing::new(&options.keys)),
            flights: Flights::new(),
            state: watch::channel(HostState::Running).0,
            url: OnceLock::new(),
            started: Instant::now(),
            draining: Mutex::new(false),
            timers: Mutex::default(),
            timers_changed: Notify::new(),
            left_running: Mutex::default(),
            launcher,
            worker: Mutex::default(),
            listeners: Mutex::default(),
            runs: Mutex::default(),
            invocations: Mutex::default(),
            stop_wishes,
            next_port: Mutex::new(FIRST_PRETENDED_PORT),
            options,
            app,
        })
    }

    /// The worker of the day. There is one from the start on.
    pub(super) fn worker(&self) -> Arc<Worker> {
        let worker = lock(&self.worker);
        worker.clone().unwrap_or_else(|| unreachable!("a host starts its worker before anything else"))
    }

    /// Starts a worker and the listeners; what was there before ends when the new worker has begun.
    pub(super) async fn start_job(self: &Arc<Self>) -> std::io::Result<()> {
        let worker = Worker::new(self.worker_plan().await?, self.logs.clone(), self.ids.clone());
        let before = lock(&self.worker).replace(worker.clone());
        self.stop_listeners();
        // The host starts a process only when there is something to run.
        if self.app.functions.values().any(|function| function.trigger.is_ok()) {
            worker.begin().await;
        }
        if let Some(before) = before {
            before.dispose();
        }
        for function in self.app.functions.values() {
            match &function.trigger {
                Err(reason) => {
                    let text = format!("The '{}' function is in error: {reason}", function.name);
                    self.logs.write(LogLevel::Error, "Host.Startup", text);
                }
                Ok(_) if function.disabled => {}
                Ok(Trigger::Timer { .. }) => self.listen(self.clone().run_timer(function.clone())),
                Ok(Trigger::ServiceBus { .. }) => self.listen(self.clone().run_queue(function.clone())),
                Ok(_) => {}
            }
        }
        *lock(&self.draining) = false;
        Ok(())
    }

    /// Ends what fires timers and takes messages; invocations go on.
    pub(super) fn stop_listeners(&self) {
        lock(&self.listeners).abort_all();
        lock(&self.timers).due.clear();
    }

    /// Stops as the host does on SIGTERM, or by itself.
    pub(super) async fn stop(&self, ordered: bool) {
        let first = self.state.send_if_modified(|state| {
            let running = *state == HostState::Running;
            *state = if running { HostState::Stopping } else { *state };
            running
        });
        if !first {
            self.state.subscribe().wait_for(|state| *state == HostState::Stopped).await.ok();
            return;
        }
        let began = Instant::now();
        if ordered {
            self.logs.write(LogLevel::Information, "(console)", "Application is shutting down...");
        }
        self.stop_listeners();
        // HTTP and Event Grid without a limit, timers and messages ten seconds, admin invocations not at all.
        self.flights.wait(|counts| counts.of(Cause::Http) + counts.of(Cause::EventGrid) == 0).await;
        tokio::time::sleep(TIMINGS.ending).await;
        let others = self.flights.wait(|counts| counts.of(Cause::Timer) + counts.of(Cause::ServiceBus) == 0);
        if tokio::time::timeout_at(began + TIMINGS.stop, others).await.is_ok() {
            self.worker().dispose();
        } else {
            *lock(&self.left_running) = self.worker().abandon();
            // Whoever owns the process must hear of it before the runtime can end.
            tokio::task::yield_now().await;
        }
        lock(&self.runs).abort_all();
        self.state.send_replace(HostState::Stopped);
    }

    /// Runs something that outlives its listener or caller, and ends with the host.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut runs = lock(&self.runs);
        while runs.try_join_next().is_some() {}
        runs.spawn(task);
    }

    /// Stops when a worker asks for it.
    pub(super) async fn obey(self: Arc<Self>, mut wishes: UnboundedReceiver<()>) {
        if wishes.recv().await.is_some() {
            self.stop(false).await;
        }
    }

    /// Ends everything at once, the handler included.
    pub(super) fn end(&self) {
        self.stop_listeners();
        let worker = lock(&self.worker).clone();
        if let Some(worker) = worker.filter(|_| *self.state.borrow() != HostState::Stopped) {
            worker.dispose();
        }
        lock(&self.runs).abort_all();
        self.state.send_replace(HostState::Stopped);
    }

    pub(super) fn record_begin(&self, id: &str, call: &Call) {
        let mut invocations = lock(&self.invocations);
        if invocations.len() == INVOCATIONS_KEPT {
            invocations.pop_front();
        }
        invocations.push_back(Invocation {
            id: id.to_owned(),
            function: call.function.clone(),
            cause: call.cause,
            began: self.options.clock.now(),
            outcome: None,
            duration: std::time::Duration::ZERO,
        });
    }

    pub(super) fn record_end(&self, id: &str, outcome: Outcome, duration: std::time::Duration) {
        let mut invocations = lock(&self.invocations);
        if let Some(invocation) = invocations.iter_mut().rev().find(|invocation| invocation.id == id) {
            (invocation.outcome, invocation.duration) = (Some(outcome), duration);
        }
    }

    pub(super) fn invocations(&self) -> Vec<Invocation> {
        lock(&self.invocations).iter().cloned().collect()
    }

    fn listen(&self, listener: impl Future<Output = ()> + Send + 'static) {
        lock(&self.listeners).spawn(listener);
    }

    async fn worker_plan(&self) -> std::io::Result<WorkerPlan> {
        let port = match &self.options.link {
            HandlerLink::Process(_) => free_port().await?,
            HandlerLink::InProcess(_) | HandlerLink::Custom(_) => {
                let mut next = lock(&self.next_port);
                *next += 1;
                *next
            }
        };
        let mut environment = self.options.settings.clone();
        let root = &self.options.app_root;
        for name in ["FUNCTIONS_CUSTOMHANDLER_PORT", "FUNCTIONS_HTTPWORKER_PORT"] {
            environment.insert(name.to_owned(), port.to_string());
        }
        environment.insert("FUNCTIONS_APP_ROOT_PATH".to_owned(), root.display().to_string());
        if self.options.core_tools {
            environment.insert("FUNCTIONS_CORETOOLS_ENVIRONMENT".to_owned(), "true".to_owned());
        }
        let described = &self.app.handler;
        let full = root.join(&described.executable);
        let executable = if full.is_file() { full } else { PathBuf::from(&described.executable) };
        let start = Start {
            port,
            worker_id: String::new(),
            app_root: root.clone(),
            arguments: described.command_line(&environment),
            working_directory: root.join(&described.working_directory),
            executable: executable.clone(),
            environment,
            output: tokio::sync::mpsc::unbounded_channel().0,
        };
        Ok(WorkerPlan {
            launcher: self.launcher.clone(),
            start,
            file: executable.display().to_string(),
            initialization: self.app.initialization,
            timeout: self.app.timeout,
            telemetry: self.options.telemetry,
            stop_host: self.stop_wishes.clone(),
        })
    }
}

/// Nothing here leaves a value half written, so a panic elsewhere does not make it unusable.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
