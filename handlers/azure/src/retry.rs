//! When the same request is sent again within a call, and after how long.
//!
//! It never repeats what may already have been done unless the call says that doing it twice is doing it once, never
//! before the time that Azure names, and never past the call's budget: a longer wait is for whoever schedules work.

use crate::{
    access::Random,
    error::{Error, ErrorKind},
    transport::{Answer, Latest},
};
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// How long one call may take over its attempts and waits before it gives its error back. An invocation makes some ten
/// calls and must end within minutes; whatever takes longer is looked at again later.
pub const RETRY_BUDGET: Duration = Duration::from_secs(6);

/// How many attempts a call makes. Together with [`RETRY_BUDGET`] it bounds the load on a service that is in trouble.
const MAX_ATTEMPTS: u32 = 4;
/// The first wait without Azure's word: longer than a failover of a front end's connection.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait without Azure's word.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How much later than Azure's word a repeat may be, so that many callers do not come back at once.
const SPREAD: Duration = Duration::from_millis(500);
/// The longest `Retry-After` that is believed. ARM's hourly budgets are the longest known.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether the same request may be sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Twice is once: reads, and changes that say only how things shall be.
    Safe,
    /// Only when it is certain that the attempt before did nothing.
    IfNotDone,
}

/// The attempts of one call.
#[derive(Debug)]
pub(crate) struct Attempts {
    repeat: Repeat,
    started: Instant,
    made: u32,
    latest: Option<Latest>,
    unsure: Option<Error>,
}

impl Attempts {
    pub fn new(repeat: Repeat, latest: Option<Latest>) -> Self {
        Self { repeat, started: Instant::now(), made: 0, latest, unsure: None }
    }

    /// Waits for the next attempt, or gives back the error to end with.
    pub async fn again(&mut self, error: Error, random: &Random) -> Result<(), Error> {
        self.made += 1;
        match self.wait(&error, random) {
            Some(wait) => {
                tracing::debug!(operation = error.operation, kind = %error.kind, wait_ms = wait.as_millis() as u64, "repeats");
                if error.maybe_done() {
                    self.unsure = Some(error);
                }
                tokio::time::sleep(wait).await;
                Ok(())
            }
            None => Err(self.last(error)),
        }
    }

    /// How long a wait still fits into the budget.
    pub fn left(&self) -> Duration {
        RETRY_BUDGET.saturating_sub(self.started.elapsed())
    }

    /// An attempt that nobody knows the end of colours the whole call.
    pub fn last(&mut self, error: Error) -> Error {
        match self.unsure.take() {
            // "Not sent" would be a lie about the attempts before.
            Some(unsure) if matches!(error.kind, ErrorKind::TooLate | ErrorKind::Connection) => unsure,
            Some(_) => error.mark_maybe_done(true),
            None => error,
        }
    }

    fn wait(&self, error: &Error, random: &Random) -> Option<Duration> {
        let worthwhile = match error.kind {
            ErrorKind::Throttled => true,
            ErrorKind::Transient | ErrorKind::Connection => self.repeat == Repeat::Safe || !error.maybe_done(),
            _ => false,
        };
        if !worthwhile || self.made >= MAX_ATTEMPTS {
            return None;
        }
        let wait = match error.retry_after() {
            Some(asked) => asked + SPREAD.mul_f64(random.fraction()),
            None => {
                let doubled = FIRST_WAIT.saturating_mul(1 << (self.made - 1).min(16)).min(LONGEST_WAIT);
                doubled.mul_f64(0.5 + random.fraction() / 2.0)
            }
        };
        let in_time = self.latest.is_none_or(|latest| Instant::now() + wait <= latest.0);
        (wait <= self.left() && in_time).then_some(wait)
    }
}

/// When Azure says to come back: `Retry-After` in seconds or as an HTTP date, or the `-ms` headers of some services.
pub(crate) fn retry_after(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let milliseconds = ["retry-after-ms", "x-ms-retry-after-ms"].into_iter().find_map(|name| answer.header(name));
    if let Some(value) = milliseconds.and_then(|text| text.trim().parse().ok()) {
        return Some(Duration::from_millis(value).min(LONGEST_RETRY_AFTER));
    }
    let text = answer.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER));
    }
    let until = http_date(text)?.duration_since(now);
    Some(Duration::try_from(until).unwrap_or(Duration::ZERO).min(LONGEST_RETRY_AFTER))
}

/// Reads an HTTP date, as in `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    static PARSER: jiff::fmt::rfc2822::DateTimeParser = jiff::fmt::rfc2822::DateTimeParser::new();
    PARSER.parse_timestamp(text).ok()
}
