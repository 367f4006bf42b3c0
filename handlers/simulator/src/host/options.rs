//! What a host is started with.
//! It never reads the environment: the caller says everything.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;

use super::link::Launcher;
use super::logs::LogLine;
use super::timer_status::TimerStatusStore;
use crate::bus::Bus;
use crate::clock::Clock;

/// Everything that a host needs.
#[derive(Clone)]
pub struct HostOptions {
    /// The folder with `host.json` and `<Name>/function.json`.
    pub app_root: PathBuf,
    /// App settings: given to the handler's environment, read for `%Name%`, `AzureWebJobs.<Name>.Disabled`, …
    /// Timers with a monitor need one that begins with `AzureWebJobsStorage`, as in the cloud.
    pub settings: BTreeMap<String, String>,
    /// How the handler is reached.
    pub link: HandlerLink,
    /// The namespace that Service Bus functions listen to.
    pub bus: Option<Bus>,
    /// The clock; also decides when timers are due.
    pub clock: Clock,
    /// The keys that callers show.
    pub keys: Keys,
    /// Which telemetry the host has, which decides about trace headers.
    pub telemetry: Telemetry,
    /// As under `func start`: requests carry a Content-Length.
    pub core_tools: bool,
    /// The version that the host says it has.
    pub version: String,
    /// Makes ids differ between hosts; the same seed gives the same ids.
    pub seed: u64,
    /// Where timers keep their status across hosts, as the storage account does.
    pub timer_status: TimerStatusStore,
    /// Told of every log line.
    pub log_sink: Option<LogSink>,
    /// Whether `host.url()` listens on a free port of 127.0.0.1.
    pub listen: bool,
    /// What a client that does not say its host is taken to have called.
    pub authority: String,
}

/// Told of every log line.
pub type LogSink = Arc<dyn Fn(&LogLine) + Send + Sync>;

/// Makes the handler anew for each start of its process.
pub type HandlerFactory = Arc<dyn Fn() -> Router + Send + Sync>;

/// How the handler is reached: always as HTTP.
#[derive(Clone)]
pub enum HandlerLink {
    /// The executable that host.json names, over TCP.
    Process(ProcessOptions),
    /// A router in this process; each start makes a new one.
    InProcess(HandlerFactory),
    /// Anything else that can be started and spoken to.
    Custom(Arc<dyn Launcher>),
}

/// How the handler's process is started.
#[derive(Clone, Debug, Default)]
pub struct ProcessOptions {
    /// Used instead of `defaultExecutablePath`.
    pub executable: Option<PathBuf>,
    /// Added to the inherited environment after the app settings.
    pub environment: BTreeMap<String, String>,
}

/// The keys of the app.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// Opens everything.
    pub master: String,
    /// The default host key: opens functions of level `function`.
    pub host: String,
    /// The system key `eventgrid_extension`: opens the Event Grid webhook.
    pub event_grid: String,
}

/// Which telemetry the host has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Telemetry {
    /// None: no trace headers of its own.
    #[default]
    None,
    /// Application Insights.
    AppInsights,
    /// OpenTelemetry.
    OpenTelemetry,
}

/// What the host does by itself and when; from its code and the recordings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timings {
    /// Sleep of a poll (25 ms) and what a turn costs besides: the recordings show 28.1 ms a turn.
    pub(super) poll: Duration,
    /// How long one poll counts against a limit that is counted in sleeps.
    pub(super) poll_counted: Duration,
    /// From the time-out of an invocation to the kill of the handler.
    pub(super) grace: Duration,
    /// How long timers and messages in flight hold up a stop.
    pub(super) stop: Duration,
    /// What a stop takes besides: 0.07 to 0.15 s were recorded from the last answer to the kill.
    pub(super) ending: Duration,
}

/// The one set of timings.
pub(super) const TIMINGS: Timings = Timings {
    poll: Duration::from_millis(28),
    poll_counted: Duration::from_millis(25),
    grace: Duration::from_secs(2),
    stop: Duration::from_secs(10),
    ending: Duration::from_millis(140),
};

impl HostOptions {
    /// A host for the app in this folder, with a listener, test keys and no telemetry.
    pub fn new(app_root: impl Into<PathBuf>, link: HandlerLink, clock: Clock) -> Self {
        Self {
            app_root: app_root.into(),
            settings: BTreeMap::new(),
            link,
            bus: None,
            clock,
            keys: Keys::default(),
            telemetry: Telemetry::None,
            core_tools: false,
            version: "4.1037.0.0".to_owned(),
            seed: 0,
            timer_status: TimerStatusStore::default(),
            log_sink: None,
            listen: true,
            authority: "127.0.0.1".to_owned(),
        }
    }

    /// Whether timers can keep a status.
    pub(super) fn has_storage(&self) -> bool {
        self.settings.keys().any(|name| name.starts_with("AzureWebJobsStorage"))
    }
}

impl HandlerLink {
    /// A router in this process that lives on through restarts.
    pub fn in_process(router: Router) -> Self {
        HandlerLink::InProcess(Arc::new(move || router.clone()))
    }
}

impl Default for Keys {
    /// Values for tests; nothing outside trusts them.
    fn default() -> Self {
        Self {
            master: "master-key-for-tests".to_owned(),
            host: "host-key-for-tests".to_owned(),
            event_grid: "eventgrid-key-for-tests".to_owned(),
        }
    }
}

impl std::fmt::Debug for HostOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostOptions").field("app_root", &self.app_root).finish_non_exhaustive()
    }
}
