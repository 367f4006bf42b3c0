//! The host's log: what was said, at which level, in which category.
//! It never keeps more lines than its limit, and never writes anywhere but to its sink.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::options::LogSink;
use crate::clock::Clock;

/// Lines kept; the oldest are dropped. A long tour writes some thousands.
const LINES_KEPT: usize = 100_000;

/// How loud a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For the developer of the host.
    Debug,
    /// Information.
    Information,
    /// Warning.
    Warning,
    /// Error.
    Error,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// How loud.
    pub level: LogLevel,
    /// Who speaks, as in `Function.Reconcile` or `Host.Function.Console`.
    pub category: String,
    /// What is said; may have several lines.
    pub text: String,
}

pub(super) struct Logs {
    clock: Clock,
    sink: Option<LogSink>,
    lines: Mutex<VecDeque<LogLine>>,
}

impl LogLevel {
    /// The four letters that the host's console shows.
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Debug => "dbug",
            LogLevel::Information => "info",
            LogLevel::Warning => "warn",
            LogLevel::Error => "fail",
        }
    }
}

impl Logs {
    pub(super) fn new(clock: Clock, sink: Option<LogSink>) -> Self {
        Self { clock, sink, lines: Mutex::default() }
    }

    pub(super) fn write(&self, level: LogLevel, category: impl Into<String>, text: impl Into<String>) {
        let line = LogLine { at: self.clock.now(), level, category: category.into(), text: text.into() };
        if let Some(sink) = &self.sink {
            sink(&line);
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    pub(super) fn all(&self) -> Vec<LogLine> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
