//! What is kept between invocations besides the ledger: versioned records, each with a golden file per version.
//! It never decides; it reads what its predecessor wrote and refuses what its successor wrote.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The version of [`SweepRecord`] that this release writes.
pub const SWEEP_VERSION: u32 = 1;
/// The version of [`MachineRecord`] that this release writes.
pub const MACHINE_VERSION: u32 = 1;
/// Settled machines kept in a sweep record: ten thousand creations within one window; over it the oldest are read again.
pub const SETTLED_MAX: usize = 10_000;

/// The memory of the policy sweep: one blob, written with `If-Match`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SweepRecord {
    /// Version of the record.
    pub version: u32,
    /// When this deployment first ran: stands for the last sweep until one is completed.
    pub first_started_at: Timestamp,
    /// Up to here every creation is dealt with.
    pub known_since: Timestamp,
    /// Completed sweeps.
    pub number: u64,
    /// Start of the last completed sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// End of the last completed sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// Machines that the last sweep saw.
    #[serde(default)]
    pub seen: u64,
    /// New machines among them that had no point yet.
    #[serde(default)]
    pub open: u64,
    /// Subscriptions whose machines it could not be shown to see: while there are any, `known_since` stays where it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
    /// New machines that need no further look, by machine key, with their creation: read once, not every sweep.
    #[serde(default)]
    pub settled: BTreeMap<String, Timestamp>,
}

/// The machine that an ARM id last stood for: the way to its ledger and its points when the id is gone or another's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MachineRecord {
    /// Version of the record.
    pub version: u32,
    /// The ARM id.
    pub machine: String,
    /// The identity of the machine.
    pub vm_id: String,
    /// Its region, which names the group of its points.
    pub region: String,
    /// Machines that had the id before and of which something was still under way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<FormerMachine>,
}

/// A machine that had an id before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FormerMachine {
    /// The identity of the machine.
    pub vm_id: String,
    /// Its region.
    pub region: String,
}

/// Why a record cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not such a record. Repeating is pointless until somebody mends it.
    #[error("the record {name} cannot be read")]
    Malformed {
        /// Its blob.
        name: String,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// Written by a later release. Repeating is pointless with this one.
    #[error("the record {name} has version {found}, this release reads up to {known}")]
    TooNew {
        /// Its blob.
        name: String,
        /// Its version.
        found: u32,
        /// What this release reads.
        known: u32,
    },
}

impl SweepRecord {
    /// The record of a deployment that runs for the first time.
    pub fn first(now: Timestamp) -> Self {
        Self {
            version: SWEEP_VERSION,
            first_started_at: now,
            known_since: now,
            number: 0,
            started_at: None,
            completed_at: None,
            seen: 0,
            open: 0,
            unreadable: Vec::new(),
            settled: BTreeMap::new(),
        }
    }

    /// Reads a record of this version or an earlier one.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, RecordError> {
        read_up_to(SWEEP_VERSION, name, bytes)
    }

    /// Forgets settled machines created before `from`, and the oldest over the bound.
    pub fn forget_settled_before(&mut self, from: Timestamp) {
        self.settled.retain(|_, created_at| *created_at >= from);
        while self.settled.len() > SETTLED_MAX {
            let oldest = self.settled.iter().min_by_key(|(_, at)| **at).map(|(key, _)| key.clone());
            oldest.map(|key| self.settled.remove(&key));
        }
    }
}

impl MachineRecord {
    /// Reads a record of this version or an earlier one.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, RecordError> {
        read_up_to(MACHINE_VERSION, name, bytes)
    }
}

/// The version is looked at first: a later release may have given the other fields another form.
pub(crate) fn read_up_to<T: DeserializeOwned>(known: u32, name: &str, bytes: &[u8]) -> Result<T, RecordError> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let malformed = |source| RecordError::Malformed { name: name.to_owned(), source };
    let Versioned { version } = serde_json::from_slice(bytes).map_err(malformed)?;
    if version > known {
        return Err(RecordError::TooNew { name: name.to_owned(), found: version, known });
    }
    serde_json::from_slice(bytes).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../golden/sweep-v1.json");
        let record = SweepRecord::read("sweeps/policy.json", golden).expect("reads");
        assert_eq!((record.version, record.number, record.settled.len()), (1, 288, 1));
        let written: serde_json::Value = serde_json::to_value(&record).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
    }

    #[test]
    fn version_1_of_a_machines_record_reads_as_it_was_written() {
        let golden = include_bytes!("../golden/machine-v1.json");
        let record = MachineRecord::read("machines/x.json", golden).expect("reads");
        assert_eq!((record.version, record.region.as_str()), (1, "westeurope"));
        let written: serde_json::Value = serde_json::to_value(&record).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
    }

    #[test]
    fn a_record_of_a_later_release_is_refused() {
        let later =
            r#"{"version":2,"firstStartedAt":"2026-11-22T10:00:00Z","knownSince":"2026-11-22T10:00:00Z","number":1}"#;
        assert!(matches!(SweepRecord::read("x", later.as_bytes()), Err(RecordError::TooNew { found: 2, .. })));
        assert!(matches!(SweepRecord::read("x", b"{"), Err(RecordError::Malformed { .. })));
    }
}
