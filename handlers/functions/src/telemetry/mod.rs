//! Traces, metrics and logs of a handler, sent by OpenTelemetry to a collector or to Application Insights, or nowhere.
//! It never costs anything when no target is configured, never ends the handler, and never holds an answer longer than its bound.
//!
//! ```text
//!  spans, logs ─▶ buffers (bounded) ─┐                        ┌▶ OTLP collector
//!  counters ─────────────────────────┴▶ pump (one task) ──────┴▶ Application Insights
//!                 flush before each answer ─┘ asks, and waits at most its bound
//! ```

mod alarms;
mod buffer;
mod client;
mod instruments;
mod pump;
mod target;

use std::collections::HashMap;
use std::time::Duration;

use futures::future::BoxFuture;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{SpanContext, TraceContextExt as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::host::log::{Lines, Sink, Stdio};
use crate::host::{About, Observe, Outcome, TraceContext, current};
use alarms::Alarms;
use instruments::Instruments;
use pump::Pump;

pub use pump::FLUSH_MAX;
pub use target::TargetError;

/// The name under which spans, logs and metrics are recorded.
const SCOPE: &str = "lifeboat-handler";

/// Libraries below the calls: their own notes about connections are noise, and those of the exporters would feed themselves.
const QUIET_LIBRARIES: [&str; 8] =
    ["hyper", "hyper_util", "reqwest", "rustls", "hickory_net", "hickory_resolver", "opentelemetry", "tower"];

/// Where telemetry goes and what it says of itself.
#[derive(Clone, Default)]
pub struct Settings {
    /// `service.name`.
    pub service: String,
    /// More attributes of the resource, such as the deployment's id.
    pub attributes: Vec<(&'static str, String)>,
    /// OTEL_EXPORTER_OTLP_ENDPOINT; wins when both are set, since Azure sets the other one for the host.
    pub otlp_endpoint: Option<String>,
    /// APPLICATIONINSIGHTS_CONNECTION_STRING.
    pub application_insights: Option<String>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Both targets can hold keys.
        f.debug_struct("Settings").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Settings {
    /// The settings that `get` knows, usually of the environment.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let named = [
            ("service.namespace", "LIFEBOAT_DEPLOYMENT"),
            // A new id for each start of the process, given by the host.
            ("service.instance.id", "FUNCTIONS_CUSTOMHANDLER_WORKER_ID"),
        ];
        Self {
            service: SCOPE.to_owned(),
            attributes: named.into_iter().filter_map(|(attribute, name)| Some((attribute, get(name)?))).collect(),
            otlp_endpoint: get("OTEL_EXPORTER_OTLP_ENDPOINT"),
            application_insights: get("APPLICATIONINSIGHTS_CONNECTION_STRING"),
        }
    }
}

/// The telemetry of the handler's process, as the settings that `get` knows say, with lines to stdout and stderr.
pub fn observer(get: impl Fn(&str) -> Option<String>) -> Telemetry {
    Telemetry::start(&Settings::read(get), Stdio::default())
}

/// The telemetry of a process: give it to `RuntimeOptions::observed_by`.
#[derive(Debug)]
pub struct Telemetry {
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    instruments: Instruments,
    pump: Pump,
    /// Kept: a tracer or logger whose provider is gone records nothing.
    _providers: (SdkTracerProvider, SdkLoggerProvider, SdkMeterProvider),
}

impl Telemetry {
    /// Starts telemetry and sets the process's subscriber, with lines to `sink`. Called inside the event loop, after the port is
    /// bound. A target that cannot be used is said in a line, and the handler goes on without it.
    pub fn start(settings: &Settings, sink: impl Sink) -> Self {
        let lines = Lines::to(sink).with_filter(heard());
        let registry = tracing_subscriber::registry();
        match target::of(settings, &resource(settings)) {
            Ok(None) => {
                // Somebody else's subscriber stays: in a test process there can be only one.
                let _ = registry.with(lines).try_init();
                Self { running: None }
            }
            Err(error) => {
                let _ = registry.with(lines).try_init();
                tracing::error!("telemetry is off: {error}");
                Self { running: None }
            }
            Ok(Some(target)) => {
                let pipes = Pipes::over(target, resource(settings));
                let tracer = pipes.tracers.tracer(SCOPE);
                let heard_spans = heard();
                let spans = tracing_opentelemetry::layer()
                    .with_tracer(tracer)
                    .with_location(false)
                    .with_threads(false)
                    .with_tracked_inactivity(false)
                    // Events are logs already; as events of spans they would be sent twice.
                    .with_filter(filter_fn(move |about| {
                        about.is_span() && heard_spans.would_enable(about.target(), about.level())
                    }));
                let logs = OpenTelemetryTracingBridge::new(&pipes.loggers).with_filter(heard());
                let alarms = Alarms::of(&pipes.meters).with_filter(heard());
                let _ = registry.with(lines).with(spans).with(logs).with(alarms).try_init();
                Self { running: Some(pipes.running()) }
            }
        }
    }

    /// Whether anything is sent.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.running.is_some()
    }
}

impl Observe for Telemetry {
    fn opened(&self, about: &About, span: &Span) {
        if self.running.is_none() {
            return;
        }
        let parent = remote(about.trace());
        let (request, message) = (remote(&about.request_trace), remote(&about.message_trace));
        if let (Some(request), Some(message)) = (request, message)
            && request.trace_id() != message.trace_id()
        {
            // The host's trace is the parent, and the sender's is not lost.
            span.add_link(message);
        }
        if let Some(parent) = parent {
            // Fails only when the span was entered before, or is not recorded; then there is nothing to join.
            let _ = span.set_parent(Context::new().with_remote_span_context(parent));
        }
    }

    fn closed(&self, about: &About, outcome: Outcome, took: Duration) {
        if let Some(running) = &self.running {
            running.instruments.ended(about, outcome, took);
        }
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        match &self.running {
            Some(running) => Box::pin(running.pump.flush()),
            None => Box::pin(std::future::ready(())),
        }
    }
}

/// The `traceparent` for a call or a message that goes out now: of the running span, or, without telemetry of our own, the one that
/// came in, so that the trace of others is not cut here.
#[must_use]
pub fn traceparent() -> Option<String> {
    outgoing().traceparent
}

/// The same with its `tracestate`.
#[must_use]
pub fn outgoing() -> TraceContext {
    let context = Span::current().context();
    let own = context.span().span_context().clone();
    if !own.is_valid() {
        return current().map(|about| about.trace().clone()).unwrap_or_default();
    }
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut carrier);
    let tracestate = carrier.remove("tracestate").filter(|state| !state.is_empty());
    TraceContext { traceparent: carrier.remove("traceparent"), tracestate }
}

/// Providers over one target, all of one resource.
struct Pipes {
    tracers: SdkTracerProvider,
    loggers: SdkLoggerProvider,
    meters: SdkMeterProvider,
    pump: Pump,
}

impl Pipes {
    fn over(target: target::Target, resource: Resource) -> Self {
        let spans = buffer::Spans::default();
        let logs = buffer::Logs::default();
        let reader = buffer::Reader::of(&target);
        let tracers =
            SdkTracerProvider::builder().with_resource(resource.clone()).with_span_processor(spans.clone()).build();
        let loggers =
            SdkLoggerProvider::builder().with_resource(resource.clone()).with_log_processor(logs.clone()).build();
        let meters = SdkMeterProvider::builder().with_resource(resource).with_reader(reader.clone()).build();
        let pump = Pump::start(pump::Sources { spans, logs, reader }, target);
        Self { tracers, loggers, meters, pump }
    }

    fn running(self) -> Running {
        let Self { tracers, loggers, meters, pump } = self;
        Running { instruments: Instruments::of(&meters), pump, _providers: (tracers, loggers, meters) }
    }
}

fn heard() -> Targets {
    let quiet = QUIET_LIBRARIES.map(|library| (library, LevelFilter::ERROR));
    Targets::new().with_default(LevelFilter::INFO).with_targets(quiet)
}

fn resource(settings: &Settings) -> Resource {
    let attributes = settings.attributes.iter().map(|(name, value)| KeyValue::new(*name, value.clone()));
    Resource::builder().with_service_name(settings.service.clone()).with_attributes(attributes).build()
}

/// A trace context as OpenTelemetry's own type.
fn remote(trace: &TraceContext) -> Option<SpanContext> {
    let traceparent = trace.traceparent.clone()?;
    let mut carrier = HashMap::from([("traceparent".to_owned(), traceparent)]);
    if let Some(tracestate) = &trace.tracestate {
        carrier.insert("tracestate".to_owned(), tracestate.clone());
    }
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    let span = context.span().span_context().clone();
    span.is_valid().then_some(span)
}
