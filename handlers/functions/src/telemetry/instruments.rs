//! Counts invocations, how they end, and how long they take, by the names of OpenTelemetry's conventions for functions.
//! It never keeps an attribute with many values: no ids, no machines.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, MeterProvider as _};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use super::SCOPE;
use crate::host::{About, Outcome};

/// Bounds of the histogram: from a forwarded request answered out of memory to an invocation at its deadline.
const DURATION_BOUNDS_SECONDS: [f64; 13] =
    [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0];

/// The counters of a process.
#[derive(Debug)]
pub(super) struct Instruments {
    invocations: Counter<u64>,
    errors: Counter<u64>,
    timeouts: Counter<u64>,
    duration: Histogram<f64>,
}

impl Instruments {
    pub(super) fn of(meters: &SdkMeterProvider) -> Self {
        let meter = meters.meter(SCOPE);
        Self {
            invocations: meter.u64_counter("faas.invocations").with_unit("{invocation}").build(),
            errors: meter.u64_counter("faas.errors").with_unit("{error}").build(),
            timeouts: meter.u64_counter("faas.timeouts").with_unit("{timeout}").build(),
            duration: meter
                .f64_histogram("faas.invoke_duration")
                .with_unit("s")
                .with_boundaries(DURATION_BOUNDS_SECONDS.to_vec())
                .build(),
        }
    }

    /// An invocation ended.
    pub(super) fn ended(&self, about: &About, outcome: Outcome, took: Duration) {
        let attributes = [
            KeyValue::new("faas.name", about.function),
            KeyValue::new("faas.trigger", about.trigger.word()),
            KeyValue::new("outcome", outcome.word()),
        ];
        self.invocations.add(1, &attributes);
        self.duration.record(took.as_secs_f64(), &attributes);
        match outcome {
            Outcome::Succeeded => {}
            Outcome::Failed | Outcome::Panicked => self.errors.add(1, &attributes),
            Outcome::DeadlinePassed => {
                self.errors.add(1, &attributes);
                self.timeouts.add(1, &attributes);
            }
        }
    }
}
