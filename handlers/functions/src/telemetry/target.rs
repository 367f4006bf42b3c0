//! The two places telemetry can go to, behind one set of calls.
//! It never retries: what could not be sent is lost, and the next flush sends what is new.

use std::error::Error;

use opentelemetry::InstrumentationScope;
use opentelemetry_application_insights::Exporter as InsightsExporter;
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter as OtlpLogs, MetricExporter as OtlpMetrics, Protocol, RetryPolicy,
    SpanExporter as OtlpSpans, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter as _, SdkLogRecord};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter as _;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};

use super::Settings;
use super::client::Client;
use super::pump::EXPORT_MAX;

/// Why a configured target cannot be used. A repeat fails the same way: the setting must change.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// OTEL_EXPORTER_OTLP_ENDPOINT is no usable address.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT is not an address of a collector")]
    Otlp(#[source] ExporterBuildError),
    /// APPLICATIONINSIGHTS_CONNECTION_STRING is no connection string.
    #[error("APPLICATIONINSIGHTS_CONNECTION_STRING is not a connection string")]
    Insights(#[source] Box<dyn Error + Send + Sync>),
}

/// One target.
#[derive(Debug)]
pub(super) enum Target {
    Otlp(Box<Otlp>),
    Insights(Box<InsightsExporter<Client>>),
}

#[derive(Debug)]
pub(super) struct Otlp {
    spans: OtlpSpans,
    logs: OtlpLogs,
    metrics: OtlpMetrics,
}

/// The target that the settings name, if any.
pub(super) fn of(settings: &Settings, resource: &Resource) -> Result<Option<Target>, TargetError> {
    let set = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    if let Some(endpoint) = set(&settings.otlp_endpoint) {
        let otlp = otlp(&endpoint, &Client::default(), resource).map_err(TargetError::Otlp)?;
        return Ok(Some(Target::Otlp(Box::new(otlp))));
    }
    let Some(connection) = set(&settings.application_insights) else { return Ok(None) };
    // The exporter refuses a closing semicolon, and makes https of an http address; the latter is undone for this machine alone.
    let connection = connection.trim_end_matches(';');
    let client = if is_plain_loopback(connection) { Client::plain() } else { Client::default() };
    let mut exporter =
        InsightsExporter::new_from_connection_string(connection, client).map_err(TargetError::Insights)?;
    opentelemetry_sdk::trace::SpanExporter::set_resource(&mut exporter, resource);
    opentelemetry_sdk::logs::LogExporter::set_resource(&mut exporter, resource);
    Ok(Some(Target::Insights(Box::new(exporter))))
}

impl Target {
    /// A collector adds up by itself; Application Insights wants what is new.
    pub(super) fn temporality(&self) -> Temporality {
        match self {
            Self::Otlp(_) => Temporality::Cumulative,
            Self::Insights(_) => Temporality::Delta,
        }
    }

    pub(super) async fn spans(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        match self {
            Self::Otlp(otlp) => otlp.spans.export(spans).await,
            Self::Insights(insights) => opentelemetry_sdk::trace::SpanExporter::export(insights.as_ref(), spans).await,
        }
    }

    pub(super) async fn logs(&self, records: &[(SdkLogRecord, InstrumentationScope)]) -> OTelSdkResult {
        let borrowed: Vec<_> = records.iter().map(|(record, scope)| (record, scope)).collect();
        let batch = LogBatch::new(&borrowed);
        match self {
            Self::Otlp(otlp) => otlp.logs.export(batch).await,
            Self::Insights(insights) => opentelemetry_sdk::logs::LogExporter::export(insights.as_ref(), batch).await,
        }
    }

    pub(super) async fn metrics(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        match self {
            Self::Otlp(otlp) => otlp.metrics.export(metrics).await,
            Self::Insights(insights) => {
                opentelemetry_sdk::metrics::exporter::PushMetricExporter::export(insights.as_ref(), metrics).await
            }
        }
    }
}

/// Whether a connection string names a target on this machine, without TLS.
fn is_plain_loopback(connection: &str) -> bool {
    connection.split(';').filter_map(|part| part.split_once('=')).any(|(name, value)| {
        let host = value.strip_prefix("http://").and_then(|rest| rest.split(['/', ':']).next());
        name.trim().eq_ignore_ascii_case("IngestionEndpoint") && matches!(host, Some("127.0.0.1" | "localhost"))
    })
}

/// The exporters to a collector, without their own retry: it would sleep on the event loop's only thread.
fn otlp(endpoint: &str, client: &Client, resource: &Resource) -> Result<Otlp, ExporterBuildError> {
    let at = |signal: &str| format!("{}/v1/{signal}", endpoint.trim_end_matches('/'));
    let mut spans = OtlpSpans::builder()
        .with_http()
        .with_http_client(client.clone())
        .with_retry_policy(RetryPolicy::disabled())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(EXPORT_MAX)
        .with_endpoint(at("traces"))
        .build()?;
    let mut logs = OtlpLogs::builder()
        .with_http()
        .with_http_client(client.clone())
        .with_retry_policy(RetryPolicy::disabled())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(EXPORT_MAX)
        .with_endpoint(at("logs"))
        .build()?;
    let metrics = OtlpMetrics::builder()
        .with_http()
        .with_http_client(client.clone())
        .with_retry_policy(RetryPolicy::disabled())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(EXPORT_MAX)
        .with_endpoint(at("metrics"))
        .with_temporality(Temporality::Cumulative)
        .build()?;
    spans.set_resource(resource);
    logs.set_resource(resource);
    Ok(Otlp { spans, logs, metrics })
}
