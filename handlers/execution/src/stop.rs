//! The switch that stops all changes: a record that anybody with the key may write, and that is read again before each effect.
//! It never resumes by itself, and a switch that cannot be read counts as stopped.
//!
//! A request that was on its way when the switch was turned may still be answered, or be sent within ten seconds of its check
//! (design §4). So a stop is confirmed only when that and the request's time-out have passed.

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::blobs::Store;
use serde::{Deserialize, Serialize};

use crate::swap::{self, Change, SwapError};

/// The version of [`Stop`] that this release writes.
pub const VERSION: u32 = 1;
/// The record's blob.
pub const BLOB: &str = "stop.json";
/// A stop is confirmed so long after it was written: the latest moment of a request (10 s) and its time-out (30 s) have passed.
pub const CONFIRMED_AFTER: SignedDuration = SignedDuration::from_secs(40);
/// The longest reason that is kept, in characters: what a person reads.
pub const REASON_CHARS_MAX: usize = 400;

/// The switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    /// Version of the record.
    pub version: u32,
    /// When changes were stopped last.
    pub stopped_at: Timestamp,
    /// Why, in the words of whoever did.
    pub reason: String,
    /// When a person let them go on; none while they are stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_at: Option<Timestamp>,
    /// Who did: their object id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_by: Option<String>,
}

/// The stop that is in force, if one is.
pub async fn in_force(store: &Store) -> Result<Option<Stop>, SwapError> {
    Ok(swap::read::<Stop>(store, BLOB, VERSION).await?.filter(Stop::is_in_force))
}

/// True when nothing may be changed: also where the switch cannot be read.
pub async fn is_stopped(store: &Store) -> bool {
    match in_force(store).await {
        Ok(stop) => stop.is_some(),
        Err(error) => {
            tracing::error!(error = %error, "the switch that stops changes cannot be read: nothing is changed");
            true
        }
    }
}

/// Stops all changes. A second stop keeps the moment and the reason of the first.
pub async fn stop(store: &Store, reason: &str, now: Timestamp) -> Result<Stop, SwapError> {
    swap::swap(store, BLOB, VERSION, |known: Option<Stop>| match known.filter(Stop::is_in_force) {
        Some(stop) => Change::Leave(stop),
        None => {
            let stop = Stop::new(reason, now);
            Change::Write(stop.clone(), stop)
        }
    })
    .await
}

/// Lets changes go on, on the order of the person with this object id, taken at that moment. False when they were not stopped; a stop that
/// came after the order stands, and its moment is the error.
pub async fn resume(store: &Store, person: &str, taken_at: Timestamp) -> Result<Result<bool, Timestamp>, SwapError> {
    swap::swap(store, BLOB, VERSION, |known: Option<Stop>| match known.filter(Stop::is_in_force) {
        Some(stop) if stop.stopped_at > taken_at => Change::Leave(Err(stop.stopped_at)),
        Some(mut stop) => {
            (stop.resumed_at, stop.resumed_by) = (Some(taken_at), Some(person.to_owned()));
            Change::Write(stop, Ok(true))
        }
        None => Change::Leave(Ok(false)),
    })
    .await
}

impl Stop {
    /// A stop from now on.
    pub fn new(reason: &str, now: Timestamp) -> Self {
        let reason = reason.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect();
        Self { version: VERSION, stopped_at: now, reason, resumed_at: None, resumed_by: None }
    }

    /// True until a person lets changes go on.
    pub fn is_in_force(&self) -> bool {
        self.resumed_at.is_none()
    }

    /// From then on nothing that was on its way can act any more.
    pub fn confirmed_from(&self) -> Timestamp {
        self.stopped_at.checked_add(CONFIRMED_AFTER).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../golden/stop-v1.json");
        let stop: Stop = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
        assert!(!stop.is_in_force());
        let written: serde_json::Value = serde_json::to_value(&stop).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
        assert_eq!(Stop::new("a\nb", Timestamp::UNIX_EPOCH).reason, "ab");
    }
}
