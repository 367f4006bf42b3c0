//! What the runtime tells whoever watches it: an invocation begins, ends, and is about to be answered.
//! It never depends on how that is kept; without a watcher nothing is paid.

use std::time::Duration;

use futures::future::BoxFuture;
use tracing::Span;

use super::invocation::{InvocationId, TraceContext};

tokio::task_local! {
    static CURRENT: About;
}

/// What is known of an invocation from outside.
#[derive(Debug, Clone)]
pub struct About {
    /// The function's name.
    pub function: &'static str,
    /// The host's id of this call.
    pub id: InvocationId,
    /// What woke it.
    pub trigger: Trigger,
    /// The trace that the request belongs to.
    pub request_trace: TraceContext,
    /// The trace that the message's sender was in.
    pub message_trace: TraceContext,
}

impl About {
    /// The trace to go on with: the request's when the host has telemetry, else the sender's.
    #[must_use]
    pub fn trace(&self) -> &TraceContext {
        if self.request_trace.is_empty() { &self.message_trace } else { &self.request_trace }
    }
}

/// What woke a function, in the words of OpenTelemetry's `faas.trigger`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A forwarded HTTP request.
    Http,
    /// A message or an event.
    Pubsub,
    /// A timer.
    Timer,
    /// Anything else.
    Other,
}

impl Trigger {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Pubsub => "pubsub",
            Self::Timer => "timer",
            Self::Other => "other",
        }
    }
}

/// How an invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver did its work.
    Succeeded,
    /// The receiver said that it failed, or the request could not be read.
    Failed,
    /// The receiver panicked.
    Panicked,
    /// The deadline passed and the receiver was dropped.
    DeadlinePassed,
}

impl Outcome {
    /// The word in telemetry and logs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::DeadlinePassed => "deadline_passed",
        }
    }
}

/// A watcher of invocations. Each method must return soon: the invocation waits for it.
pub trait Observe: Send + Sync + 'static {
    /// The span exists and was not entered yet: the moment to give it a parent.
    fn opened(&self, about: &About, span: &Span) {
        let _ = (about, span);
    }

    /// The outcome is known.
    fn closed(&self, about: &About, outcome: Outcome, took: Duration) {
        let _ = (about, outcome, took);
    }

    /// Awaited before the answer is sent; bounds itself.
    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Observe for Quiet {}

/// The invocation that the running task works for; none outside of one, nor in a task that a receiver spawned.
#[must_use]
pub fn current() -> Option<About> {
    CURRENT.try_with(About::clone).ok()
}

/// Runs a future as part of an invocation.
pub(super) async fn within<F: Future>(about: About, work: F) -> F::Output {
    CURRENT.scope(about, work).await
}
