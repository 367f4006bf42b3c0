//! The sweep's record in the store: read, made at the first start, replaced under its ETag.
//! It never guesses: where the record cannot be read, nobody knows since when creations are known.

use jiff::Timestamp;
use lifeboat_azure::blobs::{Condition, ETag, Store};
use lifeboat_azure::{Error, ErrorKind};

use crate::record::{RecordError, SweepRecord};

/// The record's blob.
pub const BLOB: &str = "sweeps/policy.json";

/// Why the record is not at hand.
#[derive(Debug, thiserror::Error)]
pub enum SweepRecordError {
    /// The store did not answer. Repeating is safe.
    #[error("the store did not answer for the sweep's record")]
    Store(#[from] Error),
    /// It cannot be used. Repeating is pointless until somebody mends it.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// It cannot be written as JSON. A bug.
    #[error("the sweep's record cannot be written")]
    Unwritable(#[source] serde_json::Error),
    /// It went away between two reads.
    #[error("the sweep's record went away while it was read")]
    Vanished,
}

/// Reads the record; at the very first start it is made, and says so by its time.
pub async fn read_or_start(store: &Store, now: Timestamp) -> Result<(SweepRecord, ETag), SweepRecordError> {
    if let Some(found) = read(store).await? {
        return Ok(found);
    }
    match write(store, &SweepRecord::first(now), Condition::IfAbsent).await {
        // Somebody else started at the same moment: theirs counts.
        Ok(_) | Err(SweepRecordError::Store(Error { kind: ErrorKind::Conflict, .. })) => {}
        Err(error) => return Err(error),
    }
    read(store).await?.ok_or(SweepRecordError::Vanished)
}

/// Reads the record.
pub async fn read(store: &Store) -> Result<Option<(SweepRecord, ETag)>, SweepRecordError> {
    let Some((bytes, etag)) = store.get(BLOB).await? else { return Ok(None) };
    Ok(Some((SweepRecord::read(BLOB, &bytes)?, etag)))
}

/// Writes the record.
pub async fn write(store: &Store, record: &SweepRecord, condition: Condition) -> Result<ETag, SweepRecordError> {
    let text = serde_json::to_vec(record).map_err(SweepRecordError::Unwritable)?;
    Ok(store.put(BLOB, text.into(), condition).await?)
}
