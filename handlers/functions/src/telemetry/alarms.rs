//! Counts alarms by their cause: each event with a field `alarm` is one, whoever writes it.
//! It works where the store does not, and never keeps anything but the cause, of which there are few.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, MeterProvider as _};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::SCOPE;

/// The field that makes an event an alarm; its value is the cause.
const FIELD: &str = "alarm";

/// The layer that counts.
#[derive(Debug)]
pub(super) struct Alarms {
    raised: Counter<u64>,
}

impl Alarms {
    pub(super) fn of(meters: &SdkMeterProvider) -> Self {
        Self { raised: meters.meter(SCOPE).u64_counter("lifeboat.alarms").with_unit("{alarm}").build() }
    }
}

impl<S: Subscriber> Layer<S> for Alarms {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut cause = Cause(None);
        event.record(&mut cause);
        if let Some(cause) = cause.0 {
            self.raised.add(1, &[KeyValue::new("cause", cause)]);
        }
    }
}

struct Cause(Option<String>);

impl Visit for Cause {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == FIELD {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn std::fmt::Debug) {}
}
