//! Writes tracing events as lines that the host understands: notes to stdout, warnings and errors to stderr, the invocation in each.
//! It never writes more than one line for an event, and never a span's other fields: these belong to telemetry.
//!
//! The host makes of stdout Information, of stderr Error, and of a stderr line that has "warn" in it Warning.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

pub use super::stdio::Stdio;

/// The name of the span that `run` opens for each call; its fields name the invocation.
const SPAN_NAME: &str = "invocation";

/// Where a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The host logs it as Information.
    Out,
    /// The host logs it as Error, or as Warning when it has the word in it.
    Err,
}

/// Takes lines. A line has no end and no control characters.
pub trait Sink: Send + Sync + 'static {
    /// Writes one line, or drops it; never fails, never blocks for long.
    fn line(&self, stream: Stream, line: &str);
}

/// The layer that writes lines.
#[derive(Debug)]
pub struct Lines<S> {
    sink: S,
}

impl<S: Sink> Lines<S> {
    /// A layer over this sink; `Stdio` in a process.
    pub fn to(sink: S) -> Self {
        Self { sink }
    }
}

impl<S: Sink, R: Subscriber + for<'a> LookupSpan<'a>> Layer<R> for Lines<S> {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, R>) {
        if attributes.metadata().name() != SPAN_NAME {
            return;
        }
        let mut call = Call::default();
        attributes.record(&mut call);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(call);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, R>) {
        let level = *event.metadata().level();
        let mut line = String::with_capacity(160);
        line.push_str(word(level));
        let scope = context.event_scope(event).into_iter().flatten();
        for span in scope {
            if let Some(call) = span.extensions().get::<Call>() {
                push(&mut line, format_args!(" {} {}", call.function, call.invocation));
                break;
            }
        }
        event.record(&mut Text { line: &mut line });
        let stream = if level <= Level::WARN { Stream::Err } else { Stream::Out };
        self.sink.line(stream, &line);
    }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// Which call a span stands for.
#[derive(Debug, Default)]
struct Call {
    function: String,
    invocation: String,
}

impl Visit for Call {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "function" => value.clone_into(&mut self.function),
            "invocation" => value.clone_into(&mut self.invocation),
            _ => {}
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn fmt::Debug) {}
}

/// The message and the fields of an event, after one another.
struct Text<'a> {
    line: &'a mut String,
}

impl Visit for Text<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => push(self.line, format_args!(" {value}")),
            name => push(self.line, format_args!(" {name}={value}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => push(self.line, format_args!(" {value:?}")),
            name => push(self.line, format_args!(" {name}={value:?}")),
        }
    }
}

/// Adds text with its control characters escaped: one event is one line, and no text can pretend to be another line.
fn push(line: &mut String, text: fmt::Arguments<'_>) {
    struct Plain<'a>(&'a mut String);
    impl fmt::Write for Plain<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for c in text.chars() {
                if c.is_control() { self.0.extend(c.escape_default()) } else { self.0.push(c) }
            }
            Ok(())
        }
    }
    // Writing to a String cannot fail; a Debug that fails leaves its part out.
    let _ = Plain(line).write_fmt(text);
}
