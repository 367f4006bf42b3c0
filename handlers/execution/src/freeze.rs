//! The freeze: deletions, repairs and vault policy writes rest, points are made all the same. A person orders it and ends it.
//! It never ends by itself, and a freeze that cannot be read counts as one.

use jiff::Timestamp;
use lifeboat_azure::blobs::Store;
use serde::{Deserialize, Serialize};

use crate::stop::REASON_CHARS_MAX;
use crate::swap::{self, Change, SwapError};

/// The version of [`Freeze`] that this release writes.
pub const VERSION: u32 = 1;
/// The record's blob.
pub const BLOB: &str = "freeze.json";

/// The freeze.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Freeze {
    /// Version of the record.
    pub version: u32,
    /// Whether it is in force.
    pub frozen: bool,
    /// Since when it is as it is.
    pub at: Timestamp,
    /// Object id of the person who ordered it so.
    pub by: String,
    /// Why, in their words.
    pub reason: String,
}

/// True when nothing may be deleted, repaired or written into vault policies: also where the record cannot be read.
pub async fn is_frozen(store: &Store) -> bool {
    match swap::read::<Freeze>(store, BLOB, VERSION).await {
        Ok(freeze) => freeze.is_some_and(|freeze| freeze.frozen),
        Err(error) => {
            tracing::error!(%error, "the freeze cannot be read: nothing is deleted");
            true
        }
    }
}

/// Freezes, or ends the freeze, by an order taken at that moment. False when it was so already: then the moment and the person of the first
/// order stay. An order that was taken after this one is not undone: its moment is the error.
pub async fn set(
    store: &Store,
    frozen: bool,
    by: &str,
    reason: &str,
    taken_at: Timestamp,
) -> Result<Result<bool, Timestamp>, SwapError> {
    let reason: String = reason.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect();
    swap::swap(store, BLOB, VERSION, |known: Option<Freeze>| {
        if known.as_ref().map_or(!frozen, |known| known.frozen == frozen) {
            return Change::Leave(Ok(false));
        }
        if let Some(later) = known.map(|known| known.at).filter(|at| *at > taken_at) {
            return Change::Leave(Err(later));
        }
        let record = Freeze { version: VERSION, frozen, at: taken_at, by: by.to_owned(), reason: reason.clone() };
        Change::Write(record, Ok(true))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../golden/freeze-v1.json");
        let freeze: Freeze = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
        let written: serde_json::Value = serde_json::to_value(&freeze).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
    }
}
