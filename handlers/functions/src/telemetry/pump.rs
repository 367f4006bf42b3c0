//! One task that sends what waits, when an invocation is about to be answered.
//! It never lets an answer wait longer than the bound, and lets none wait at all while the target does not answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use super::buffer::{Logs, Reader, Spans};
use super::target::Target;

/// How long an answer waits for its telemetry: a collector in the region answers within 50 ms, and the host waits for this too.
pub const FLUSH_MAX: Duration = Duration::from_millis(500);

/// How long one sending may take: beyond it the target is as good as down.
pub(super) const EXPORT_MAX: Duration = Duration::from_secs(10);

/// How long answers do not wait after a flush failed: a target that is down costs one bound every half minute, not one each call.
const NO_WAIT_AFTER_FAILURE: Duration = Duration::from_secs(30);

/// Most requests for a flush that wait; one more is served by the flush already asked for.
const REQUESTS_MAX_COUNT: usize = 1024;

/// What the pump takes from.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) spans: Spans,
    pub(super) logs: Logs,
    pub(super) reader: Reader,
}

/// The asking side of the pump.
#[derive(Debug)]
pub(super) struct Pump {
    requests: mpsc::Sender<oneshot::Sender<()>>,
    health: Arc<Health>,
}

impl Pump {
    /// Starts the task; inside the event loop.
    pub(super) fn start(sources: Sources, target: Target) -> Self {
        let (requests, asked) = mpsc::channel(REQUESTS_MAX_COUNT);
        let health = Arc::new(Health::default());
        tokio::spawn(run(sources, target, asked, Arc::clone(&health)));
        Self { requests, health }
    }

    /// Asks for a flush and waits for it, at most the bound.
    pub(super) async fn flush(&self) {
        let (sent, done) = oneshot::channel();
        if self.requests.try_send(sent).is_err() || !self.health.is_good() {
            return;
        }
        if timeout(FLUSH_MAX, done).await.is_err() {
            self.health.failed("it did not answer in time");
        }
    }
}

/// Whether the target answers.
#[derive(Debug, Default)]
struct Health {
    bad_until: std::sync::Mutex<Option<Instant>>,
    said: AtomicBool,
}

impl Health {
    fn is_good(&self) -> bool {
        self.bad_until().is_none_or(|until| Instant::now() >= until)
    }

    fn failed(&self, reason: &str) {
        *self.bad_until() = Some(Instant::now() + NO_WAIT_AFTER_FAILURE);
        // Said once for each time it goes bad: a line a call would bury the rest.
        if !self.said.swap(true, Ordering::Relaxed) {
            tracing::warn!("telemetry cannot be sent: {reason}");
        }
    }

    fn succeeded(&self) {
        *self.bad_until() = None;
        if self.said.swap(false, Ordering::Relaxed) {
            tracing::info!("telemetry is sent again");
        }
    }

    fn bad_until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.bad_until.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

async fn run(sources: Sources, target: Target, mut asked: mpsc::Receiver<oneshot::Sender<()>>, health: Arc<Health>) {
    while let Some(first) = asked.recv().await {
        // Calls that end together share one sending.
        let mut waiting = vec![first];
        while let Ok(next) = asked.try_recv() {
            waiting.push(next);
        }
        // Sending must not make telemetry of its own.
        let sending = send(&sources, &target).with_subscriber(NoSubscriber::default());
        match timeout(EXPORT_MAX, sending).await {
            Ok(Ok(())) => health.succeeded(),
            Ok(Err(reason)) => health.failed(&reason),
            Err(_) => health.failed("it did not answer in time"),
        }
        for one in waiting {
            // Whoever gave up waiting is not told.
            let _ = one.send(());
        }
        let dropped = sources.spans.dropped() + sources.logs.dropped();
        if dropped > 0 {
            tracing::warn!(dropped, "telemetry was dropped for lack of room");
        }
    }
}

async fn send(sources: &Sources, target: &Target) -> Result<(), String> {
    let (spans, logs, metrics) = (sources.spans.take(), sources.logs.take(), sources.reader.read());
    let spans = async { if spans.is_empty() { Ok(()) } else { target.spans(spans).await } };
    let logs = async { if logs.is_empty() { Ok(()) } else { target.logs(&logs).await } };
    let metrics = async {
        match &metrics {
            Some(metrics) => target.metrics(metrics).await,
            None => Ok(()),
        }
    };
    let (spans, logs, metrics) = futures::join!(spans, logs, metrics);
    spans.and(logs).and(metrics).map_err(|error| error.to_string())
}
