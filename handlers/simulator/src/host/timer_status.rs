//! What timers remember across hosts: last run, next run, last write.
//! It never decides when a timer runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

/// Stands for the blobs in which timers keep their status; clones share them.
#[derive(Clone, Debug, Default)]
pub struct TimerStatusStore(Arc<Mutex<BTreeMap<String, TimerStatus>>>);

/// The status of one timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerStatus {
    /// When it last ran; `None` before the first run.
    pub last: Option<Timestamp>,
    /// When it is due next.
    pub next: Timestamp,
    /// When this was written; `None` for a status that was never stored.
    pub last_updated: Option<Timestamp>,
}

impl TimerStatusStore {
    /// The status of a function's timer.
    pub fn get(&self, function: &str) -> Option<TimerStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(function).copied()
    }

    /// Sets the status of a function's timer: what a host finds at its start.
    pub fn set(&self, function: &str, status: TimerStatus) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(function.to_owned(), status);
    }
}
