//! Keeps ended spans, log records and counters until the pump takes them.
//! It never sends, never waits, and never grows beyond its bounds: what is over is counted and dropped.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord};
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{InstrumentKind, ManualReader, Pipeline, Temporality};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::target::Target;

/// Most spans or records that wait: the batch size OpenTelemetry's own processors hold (2048), about 2 MB at the worst.
const WAITING_MAX_COUNT: usize = 2048;

/// Items in the order they came, and how many found no room.
#[derive(Debug)]
struct Waiting<T> {
    items: Mutex<Vec<T>>,
    dropped: AtomicU64,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { items: Mutex::new(Vec::new()), dropped: AtomicU64::new(0) }
    }
}

impl<T> Waiting<T> {
    fn push(&self, item: T) {
        // A panic while the lock was held left a whole vector behind: only pushes and takes happen under it.
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        if items.len() < WAITING_MAX_COUNT {
            items.push(item);
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn take(&self) -> Vec<T> {
        mem::take(&mut *self.items.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Ended spans.
#[derive(Debug, Clone, Default)]
pub(super) struct Spans(Arc<Waiting<SpanData>>);

impl Spans {
    pub(super) fn take(&self) -> Vec<SpanData> {
        self.0.take()
    }

    /// How many were dropped since the last question.
    pub(super) fn dropped(&self) -> u64 {
        self.0.dropped.swap(0, Ordering::Relaxed)
    }
}

impl SpanProcessor for Spans {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            self.0.push(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Log records.
#[derive(Debug, Clone, Default)]
pub(super) struct Logs(Arc<Waiting<(SdkLogRecord, InstrumentationScope)>>);

impl Logs {
    pub(super) fn take(&self) -> Vec<(SdkLogRecord, InstrumentationScope)> {
        self.0.take()
    }

    /// How many were dropped since the last question.
    pub(super) fn dropped(&self) -> u64 {
        self.0.dropped.swap(0, Ordering::Relaxed)
    }
}

impl LogProcessor for Logs {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        self.0.push((record.clone(), scope.clone()));
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Reads the counters when asked.
#[derive(Debug, Clone)]
pub(super) struct Reader(Arc<ManualReader>);

impl Reader {
    /// A reader that counts as this target wants it.
    pub(super) fn of(target: &Target) -> Self {
        Self(Arc::new(ManualReader::builder().with_temporality(target.temporality()).build()))
    }

    /// All counters now; nothing when there is none yet.
    pub(super) fn read(&self) -> Option<ResourceMetrics> {
        let mut metrics = ResourceMetrics::default();
        self.0.collect(&mut metrics).ok()?;
        let some = metrics.scope_metrics().next().is_some();
        some.then_some(metrics)
    }
}

impl MetricReader for Reader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}
