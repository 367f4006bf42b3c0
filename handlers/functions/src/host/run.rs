//! Runs one call: reads it, lets the receiver work until its deadline, writes why it failed, and only then answers.
//! It never lets a panic or a bad body end the process, and never answers a failure before its error line is written.
//!
//! ```text
//! body ─▶ envelope ─▶ span opened ─▶ receiver ─┬▶ done ───────────────▶ closed ─▶ flush ─▶ 200
//!   └───────┴── cannot be read ────────────────┴▶ error line ─────────▶ closed ─▶ flush ─▶ 5xx
//! ```

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::request::Parts;
use http::{StatusCode, header};
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument as _, Span};

use super::answer::{self, Failure};
use super::app::{Functions, HttpReceiver, Receiver};
use super::bodies::{BodyError, Held};
use super::decode::Envelope;
use super::forwarded::{HttpInvocation, address, without_key};
use super::invocation::{Invocation, InvocationId, TraceContext};
use super::observe::{self, About, Outcome, Trigger};

/// Largest timer value that is looked into to name the trigger; a real one has about 250 bytes.
const TIMER_VALUE_MAX_BYTES: usize = 1024;

/// Why a call has no result.
enum Stopped {
    Failed(Failure),
    Panicked(String),
    DeadlinePassed,
}

impl Stopped {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Failed(_) => Outcome::Failed,
            Self::Panicked(_) => Outcome::Panicked,
            Self::DeadlinePassed => Outcome::DeadlinePassed,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Failed(failure) => failure.status(),
            Self::Panicked(_) | Self::DeadlinePassed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Runs a function that gets its data in an envelope.
pub(super) async fn receive(
    functions: &Functions,
    receiver: &Receiver,
    parts: &Parts,
    body: Body,
    started: Instant,
) -> Response {
    let mut about = About {
        function: receiver.function,
        id: InvocationId::of(&parts.headers),
        trigger: Trigger::Other,
        request_trace: TraceContext::of(&parts.headers),
        message_trace: TraceContext::default(),
    };
    let deadline = started + functions.deadline;
    let read = read_body(functions, parts, body, deadline).await.and_then(|(bytes, held)| {
        let envelope = Envelope::parse(&bytes).map_err(|error| Stopped::Failed(Failure::from(error)))?;
        Ok((envelope, held))
    });
    let (envelope, _held) = match read {
        Ok((envelope, held)) => (Ok(envelope), held),
        Err(stopped) => (Err(stopped), Held::default()),
    };
    if let Ok(Envelope { data, metadata }) = &envelope {
        about.trigger = trigger_of(data, metadata);
    }
    let invocation = envelope.map(|Envelope { data, metadata }| Invocation {
        function: receiver.function,
        id: about.id.clone(),
        trace: TraceContext::default(),
        data,
        metadata,
        deadline,
    });
    if let Ok(invocation) = &invocation {
        about.message_trace = TraceContext::of_message(&invocation.application_properties());
    }
    let trace = about.trace().clone();
    let work = async {
        let invocation = Invocation { trace, ..invocation? };
        guarded(|| (receiver.receive)(invocation), deadline).await
    };
    match finished(functions, about, started, work).await {
        Ok(done) => answer::success(&done),
        Err(status) => answer::failure(status),
    }
}

/// Runs a function whose HTTP requests are forwarded.
pub(super) async fn reply(
    functions: &Functions,
    receiver: &HttpReceiver,
    parts: Parts,
    body: Body,
    started: Instant,
) -> Response {
    let about = About {
        function: receiver.function,
        id: InvocationId::of(&parts.headers),
        trigger: Trigger::Http,
        request_trace: TraceContext::of(&parts.headers),
        message_trace: TraceContext::default(),
    };
    let deadline = started + functions.deadline;
    let read = read_body(functions, &parts, body, deadline).await;
    let (path, query) = address(&parts.uri);
    let (function, id, trace) = (receiver.function, about.id.clone(), about.request_trace.clone());
    let work = async {
        let (body, _held) = read?;
        let headers = without_key(parts.headers);
        let method = parts.method;
        let invocation = HttpInvocation { function, id, trace, method, path, query, headers, body, deadline };
        guarded(|| (receiver.reply)(invocation), deadline).await
    };
    match finished(functions, about, started, work).await {
        Ok(reply) => reply.into_response(),
        Err(status) => answer::failure(status),
    }
}

/// Answers a path that no function has. The path is the caller's, so it is written without its query.
pub(super) fn unknown(parts: &Parts) -> Response {
    let id = InvocationId::of(&parts.headers);
    tracing::error!(%id, method = %parts.method, path = parts.uri.path(), "no function has this path");
    answer::unknown()
}

async fn read_body(
    functions: &Functions,
    parts: &Parts,
    body: Body,
    deadline: Instant,
) -> Result<(Bytes, Held), Stopped> {
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    match timeout_at(deadline, functions.bodies.read(body, announced)).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error @ (BodyError::TooLarge { .. } | BodyError::AllFull { .. }))) => {
            Err(Stopped::Failed(Failure::busy(error)))
        }
        Ok(Err(error @ BodyError::Cut)) => Err(Stopped::Failed(Failure::from(error))),
        Err(_) => Err(Stopped::DeadlinePassed),
    }
}

/// Runs a receiver until it ends, panics, or the deadline passes.
async fn guarded<T>(
    start: impl FnOnce() -> BoxFuture<'static, Result<T, Failure>>,
    deadline: Instant,
) -> Result<T, Stopped> {
    // The receiver is called inside the future, so that a panic before its first await is caught too.
    let mut work = Box::pin(AssertUnwindSafe(async move { start().await }).catch_unwind());
    match timeout_at(deadline, &mut work).await {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(failure))) => Err(Stopped::Failed(failure)),
        Ok(Err(panic)) => Err(Stopped::Panicked(panic_text(panic.as_ref()))),
        Err(_) => {
            // What the receiver holds is dropped here, and a panic while dropping is caught like any other.
            match catch_unwind(AssertUnwindSafe(|| drop(work))) {
                Ok(()) => Err(Stopped::DeadlinePassed),
                Err(panic) => Err(Stopped::Panicked(panic_text(panic.as_ref()))),
            }
        }
    }
}

/// Runs the work of a call inside its span, writes why it failed, tells the observer, and waits for the flush.
async fn finished<T>(
    functions: &Functions,
    about: About,
    started: Instant,
    work: impl Future<Output = Result<T, Stopped>>,
) -> Result<T, StatusCode> {
    let span = span_of(&about);
    functions.observer.opened(&about, &span);
    let result = observe::within(about.clone(), work).instrument(span.clone()).await;
    let took = started.elapsed();
    let outcome = result.as_ref().map_or_else(Stopped::outcome, |_| Outcome::Succeeded);
    span.record("outcome", outcome.word());
    if let Err(stopped) = &result {
        span.record("otel.status_code", "ERROR");
        span.in_scope(|| say_why(stopped, functions));
    }
    functions.observer.closed(&about, outcome, took);
    // The span ends here, before the flush, so that the flush carries it.
    drop(span);
    functions.observer.flush().await;
    result.map_err(|stopped| stopped.status())
}

fn say_why(stopped: &Stopped, functions: &Functions) {
    match stopped {
        Stopped::Failed(failure) => tracing::error!("failed: {}", failure.reason()),
        Stopped::Panicked(text) => tracing::error!("panicked: {text}"),
        Stopped::DeadlinePassed => {
            tracing::error!("stopped: not done at its deadline of {} s", functions.deadline.as_secs_f64());
        }
    }
}

fn span_of(about: &About) -> Span {
    let kind = if about.trigger == Trigger::Http { "server" } else { "consumer" };
    tracing::info_span!(
        "invocation",
        otel.name = about.function,
        otel.kind = kind,
        otel.status_code = tracing::field::Empty,
        function = about.function,
        invocation = about.id.as_str(),
        faas.name = about.function,
        faas.invocation_id = about.id.as_str(),
        faas.trigger = about.trigger.word(),
        outcome = tracing::field::Empty,
    )
}

/// What woke a function, by what only that trigger sends.
fn trigger_of(data: &super::decode::Fields, metadata: &super::decode::Fields) -> Trigger {
    let timer = |value: &str| value.len() <= TIMER_VALUE_MAX_BYTES && value.contains("\"IsPastDue\"");
    if metadata.raw("DeliveryCount").is_some() || metadata.raw("data").is_some() {
        Trigger::Pubsub
    } else if data.first().is_some_and(|value| timer(value.get())) {
        Trigger::Timer
    } else {
        Trigger::Other
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}
