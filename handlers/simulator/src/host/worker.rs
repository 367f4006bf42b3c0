//! One handler process after another on one port: start, readiness, exit codes, strikes, restarts.
//! It never ends the host itself; it asks for that.
//!
//! ```text
//! Starting ── GET / reached something ──► Ready ── exit 0 ──► Ready (nobody listens any more)
//!    │ exit ≠ 0, or not in time              │ exit 200: at once, uncounted
//!    ▼                                       │ other exit: a strike     time-out: killed, uncounted
//!  a strike ──► Restarting ◄─────────────────┘◄────────────────────────────────┘
//!    │ third within 30 minutes
//!    ▼
//!  the host stops
//! ```

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::ids::Ids;
use super::link::{Handler, Launcher, OutputLine, Start};
use super::logs::{LogLevel, Logs};
use super::options::{TIMINGS, Telemetry};
use super::trace;
use super::wire::{RawRequest, RawResponse, WireError};

/// Errors that stop the host.
const STRIKES: usize = 3;
/// Older errors are forgotten when a new one comes this long after the newest.
const STRIKES_FORGOTTEN: Duration = Duration::from_secs(30 * 60);
/// Error lines that an exit quotes.
const QUOTED_LINES: usize = 3;
/// An invocation waits this many times the initialization time-out: three starts and one.
const WAIT_FACTOR: u32 = 4;
/// Two time-outs at the same moment restart the handler once, as recorded; 0.9 s apart they restart it twice.
const SAME_MOMENT: Duration = Duration::from_millis(50);
/// A readiness request is given up this long after functionTimeout.
const CLIENT_EXTRA: Duration = Duration::from_secs(60);
/// The exit code that asks for a restart.
const RESTART_CODE: i32 = 200;

/// Whether invocations can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorkerState {
    Starting,
    Ready,
    Restarting,
}

/// What a worker needs to know.
pub(super) struct WorkerPlan {
    pub(super) launcher: Arc<dyn Launcher>,
    /// Without id and output, which differ from start to start.
    pub(super) start: Start,
    /// As host.json names it, for the log.
    pub(super) file: String,
    pub(super) initialization: Duration,
    pub(super) timeout: Option<Duration>,
    pub(super) telemetry: Telemetry,
    /// Takes the wish to end the host.
    pub(super) stop_host: UnboundedSender<()>,
}

pub(super) struct Worker {
    plan: WorkerPlan,
    logs: Arc<Logs>,
    ids: Arc<Ids>,
    state: watch::Sender<WorkerState>,
    current: Mutex<Option<Current>>,
    strikes: Mutex<Vec<Instant>>,
    error_lines: Mutex<VecDeque<String>>,
    last_timeout: Mutex<Option<Instant>>,
    tasks: Mutex<JoinSet<()>>,
}

#[derive(Clone)]
struct Current {
    id: String,
    handler: Option<Arc<dyn Handler>>,
}

impl Worker {
    pub(super) fn new(plan: WorkerPlan, logs: Arc<Logs>, ids: Arc<Ids>) -> Arc<Self> {
        Arc::new(Self {
            plan,
            logs,
            ids,
            state: watch::channel(WorkerState::Starting).0,
            current: Mutex::default(),
            strikes: Mutex::default(),
            error_lines: Mutex::default(),
            last_timeout: Mutex::default(),
            tasks: Mutex::default(),
        })
    }

    /// The port that the handler was told.
    pub(super) fn port(&self) -> u16 {
        self.plan.start.port
    }

    /// The handler that runs, if one was started.
    pub(super) fn handler(&self) -> Option<Arc<dyn Handler>> {
        lock(&self.current).as_ref().and_then(|current| current.handler.clone())
    }

    /// Starts the handler; readiness comes later. Boxed, because what watches the handler starts it again.
    pub(super) fn begin(self: &Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(self.clone().launch())
    }

    async fn launch(self: Arc<Self>) {
        let id = self.ids.guid();
        *lock(&self.current) = Some(Current { id: id.clone(), handler: None });
        let (output, lines) = unbounded_channel();
        let mut start = Start { worker_id: id.clone(), output, ..self.plan.start.clone() };
        for name in ["FUNCTIONS_CUSTOMHANDLER_WORKER_ID", "FUNCTIONS_HTTPWORKER_ID"] {
            start.environment.insert(name.to_owned(), id.clone());
        }
        let directory = start.working_directory.display().to_string();
        self.spawn(self.clone().read_output(lines, id.clone()));
        let handler = match self.plan.launcher.launch(start).await {
            Ok(handler) => handler,
            Err(error) => {
                let (file, errno) = (&self.plan.file, error.raw_os_error().unwrap_or_default());
                self.logs.write(
                    LogLevel::Error,
                    format!("Worker.HttpWorkerProcess.{id}"),
                    format!(
                        "Failed to start Worker Channel. Process fileName: {file}\nSystem.ComponentModel.Win32Exception \
                         ({errno}): An error occurred trying to start process '{file}' with working directory \
                         '{directory}'. {}",
                        reason(&error)
                    ),
                );
                return;
            }
        };
        if let Some(current) = lock(&self.current).as_mut().filter(|current| current.id == id) {
            current.handler = Some(handler.clone());
        }
        self.spawn(self.clone().watch_exit(handler.clone(), id.clone()));
        self.spawn(self.clone().watch_readiness(handler, id));
    }

    /// Waits until invocations can be sent; `false` when it took too long, which also asks for the host's end.
    pub(super) async fn ready(&self) -> bool {
        let mut state = self.state.subscribe();
        let limit = turns(self.plan.initialization * WAIT_FACTOR) * TIMINGS.poll;
        if tokio::time::timeout(limit, state.wait_for(|state| *state == WorkerState::Ready)).await.is_ok() {
            return true;
        }
        let name = match *self.state.borrow() {
            WorkerState::Restarting => "WorkerProcessRestarting",
            WorkerState::Starting | WorkerState::Ready => "Initializing",
        };
        self.logs.write(
            LogLevel::Error,
            "Microsoft.Azure.WebJobs.Script.Description.WorkerFunctionInvoker",
            format!("Final functionDispatcher state: {name}. Initialization timed out and host is shutting down"),
        );
        self.ask_for_stop();
        false
    }

    /// Sends a request to the handler that runs.
    pub(super) async fn send(&self, request: &RawRequest) -> Result<RawResponse, WireError> {
        match self.handler() {
            Some(handler) => handler.send(request).await,
            None => Err(WireError::Refused),
        }
    }

    /// Kills the handler because of an invocation that timed out, and starts it again.
    pub(super) async fn restart_after_timeout(self: &Arc<Self>, invocation: &str) {
        const WHO: &str = "Microsoft.Azure.WebJobs.Script.WebHost.WebScriptHostExceptionHandler";
        self.logs.write(
            LogLevel::Warning,
            WHO,
            format!(
                "A function timeout has occurred. Restarting worker process executing invocationId '{invocation}'."
            ),
        );
        let now = Instant::now();
        let before = lock(&self.last_timeout).replace(now);
        if before.is_some_and(|before| now.duration_since(before) < SAME_MOMENT) {
            return;
        }
        self.restart().await;
        self.logs.write(LogLevel::Warning, WHO, "Restart of language worker process(es) completed.");
    }

    /// Ends the handler and everything that watches it.
    pub(super) fn dispose(&self) {
        lock(&self.tasks).abort_all();
        let Some(Current { id, handler: Some(handler) }) = lock(&self.current).take() else { return };
        // One that ended by itself was reported then.
        if handler.exited().now_or_never().is_none() {
            handler.kill();
            let text = format!("Process {} has exited with code 137.", handler.pid());
            self.logs.write(LogLevel::Debug, format!("Worker.HttpWorkerProcess.{id}"), text);
        }
    }

    /// Ends the host's part and leaves the handler where it is.
    pub(super) fn abandon(&self) -> Option<u32> {
        let handler = lock(&self.current).take()?.handler?;
        handler.leave_running();
        lock(&self.tasks).abort_all();
        Some(handler.pid())
    }

    async fn restart(self: &Arc<Self>) {
        self.state.send_replace(WorkerState::Restarting);
        self.dispatcher("Restarting http invoker channel", LogLevel::Debug);
        self.end_current();
        self.begin().await;
    }

    async fn strike(self: &Arc<Self>) {
        let count = {
            let mut strikes = lock(&self.strikes);
            let now = Instant::now();
            if strikes.last().is_some_and(|newest| now.duration_since(*newest) > STRIKES_FORGOTTEN) {
                strikes.clear();
            }
            strikes.push(now);
            strikes.len()
        };
        if count < STRIKES {
            return self.restart().await;
        }
        self.state.send_replace(WorkerState::Restarting);
        self.end_current();
        self.dispatcher("Exceeded http worker restart retry count. Shutting down Functions Host", LogLevel::Error);
        self.ask_for_stop();
    }

    /// Forgets the handler that runs, so that its end means nothing, and kills it.
    fn end_current(&self) {
        let handler = lock(&self.current).take().and_then(|current| current.handler);
        if let Some(handler) = handler {
            handler.kill();
        }
    }

    async fn watch_exit(self: Arc<Self>, handler: Arc<dyn Handler>, id: String) {
        let code = handler.exited().await;
        let pid = handler.pid();
        let who = format!("Worker.HttpWorkerProcess.{id}");
        self.logs.write(LogLevel::Debug, &*who, format!("Process {pid} has exited with code {code}."));
        if !self.is_current(&id) || code == 0 {
            return;
        }
        if code == RESTART_CODE {
            self.logs.write(LogLevel::Information, who, "Language Worker Process exited and needs to be restarted.");
            return self.restart().await;
        }
        let quoted = lock(&self.error_lines).iter().cloned().collect::<Vec<_>>().join(",");
        let error = format!(
            "Microsoft.Azure.WebJobs.Script.Workers.WorkerProcessExitException: {} exited with code {code} (0x{code:X})\n \
             ---> System.Exception: {quoted}",
            self.plan.start.executable.display()
        );
        self.logs.write(LogLevel::Error, who, format!("Language Worker Process exited. Pid={pid}.\n{error}"));
        let handling = format!("Handling WorkerErrorEvent for workerId:{id}. Failed with: {error}");
        self.dispatcher(&handling, LogLevel::Debug);
        self.strike().await;
    }

    async fn watch_readiness(self: Arc<Self>, handler: Arc<dyn Handler>, id: String) {
        let limit = self.plan.timeout.map(|timeout| timeout + CLIENT_EXTRA);
        for _ in 0..turns(self.plan.initialization) {
            let mut request = RawRequest::new("GET", "/").with("Host", format!("127.0.0.1:{}", self.port()));
            request.headers.extend(trace::headers(self.plan.telemetry, None, &self.ids));
            let answer = match limit {
                Some(limit) => {
                    tokio::time::timeout(limit, handler.send(&request)).await.unwrap_or(Err(WireError::Ended))
                }
                None => handler.send(&request).await,
            };
            // Any answer, and also a broken connection, counts as ready.
            if !matches!(answer, Err(WireError::Refused)) {
                if self.is_current(&id) {
                    self.state.send_replace(WorkerState::Ready);
                    let who = format!("Worker.HttpWorkerChannel.{id}");
                    self.logs.write(LogLevel::Debug, who, "HttpWorker is Initialized.");
                }
                return;
            }
            tokio::time::sleep(TIMINGS.poll).await;
        }
        self.logs.write(
            LogLevel::Error,
            format!("Worker.HttpWorkerChannel.{id}"),
            format!(
                "Failed to start http worker process. workerId:{id}\n\
                 System.TimeoutException: Initializing HttpWorker timed out."
            ),
        );
        // The loop of a handler that was replaced meanwhile runs out too; recorded: that counts for nothing.
        if self.is_current(&id) {
            self.strike().await;
        }
    }

    async fn read_output(self: Arc<Self>, mut lines: UnboundedReceiver<OutputLine>, id: String) {
        const CONSOLE: &str = "Host.Function.Console";
        const SYSTEM: &str = "LanguageWorkerConsoleLog";
        while let Some(line) = lines.recv().await {
            let (text, is_error) = match line {
                OutputLine::Stdout(text) => (text, false),
                OutputLine::Stderr(text) => (text, true),
            };
            if let Some(system) = text.strip_prefix(SYSTEM) {
                self.logs.write(LogLevel::Information, format!("Worker.HttpWorkerProcess.{id}"), system.trim_start());
                continue;
            }
            if text.starts_with("azfuncjsonlog:") {
                self.logs.write(LogLevel::Information, "Host.Function.ToolingConsoleLog", text);
                continue;
            }
            let level = match (is_error, text.to_ascii_lowercase().contains("warn")) {
                (false, _) => LogLevel::Information,
                (true, true) => LogLevel::Warning,
                (true, false) => LogLevel::Error,
            };
            if level == LogLevel::Error {
                let mut quoted = lock(&self.error_lines);
                quoted.push_back(text.clone());
                if quoted.len() > QUOTED_LINES {
                    quoted.pop_front();
                }
            }
            self.logs.write(level, CONSOLE, text);
        }
    }

    fn is_current(&self, id: &str) -> bool {
        lock(&self.current).as_ref().is_some_and(|current| current.id == id)
    }

    fn ask_for_stop(&self) {
        // Nobody listens when the host is ending already.
        self.plan.stop_host.send(()).ok();
    }

    fn dispatcher(&self, text: &str, level: LogLevel) {
        self.logs.write(level, "Microsoft.Azure.WebJobs.Script.Workers.HttpFunctionInvocationDispatcher", text);
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }
}

/// How many polls a limit has that is counted in sleeps.
fn turns(limit: Duration) -> u32 {
    u32::try_from(limit.as_millis() / TIMINGS.poll_counted.as_millis()).unwrap_or(u32::MAX)
}

/// The system's words without the number that Rust adds.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
