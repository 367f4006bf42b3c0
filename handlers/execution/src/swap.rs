//! Changes a record by compare-and-swap: read, change, write if nobody else did, and again if somebody did.
//! It never writes over what it has not read, and never makes a choice about what stands in the record.

use std::time::Duration;

use lifeboat_azure::blobs::{Condition, Store};
use lifeboat_azure::{Error, ErrorKind};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::record::{RecordError, read_up_to};

/// Tries of one swap: forty instances that each want the same record at once still come through, the waits growing.
const TRIES_MAX: u32 = 10;
/// Wait before the second try; doubles up to [`WAIT_MAX`].
const FIRST_WAIT: Duration = Duration::from_millis(20);
/// The longest wait between two tries.
const WAIT_MAX: Duration = Duration::from_millis(500);

/// Why a record was not changed.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    /// The store did not answer. Repeating is safe; whether the change was made is not known.
    #[error("the store did not answer for the record")]
    Store(#[from] Error),
    /// What is there cannot be used. Repeating is pointless until somebody mends it.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// It cannot be written as JSON. A bug.
    #[error("the record cannot be written")]
    Unwritable(#[source] serde_json::Error),
    /// Others changed it each time. Repeating is safe: nothing was changed.
    #[error("others changed the record {TRIES_MAX} times in a row")]
    Busy,
}

/// What a change makes of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<R, T> {
    /// This is written.
    Write(R, T),
    /// Nothing is written.
    Leave(T),
}

/// Reads a record: `None` when there is none.
pub async fn read<R: DeserializeOwned>(store: &Store, name: &str, version: u32) -> Result<Option<R>, SwapError> {
    let Some((bytes, _)) = store.get(name).await? else { return Ok(None) };
    Ok(Some(read_up_to(version, name, &bytes)?))
}

/// Changes a record; `change` is asked again with what is there then when somebody else was faster, so it must rest on its argument
/// alone.
pub async fn swap<R, T>(
    store: &Store,
    name: &str,
    version: u32,
    mut change: impl FnMut(Option<R>) -> Change<R, T>,
) -> Result<T, SwapError>
where
    R: DeserializeOwned + Serialize,
{
    let mut tries = Tries::default();
    loop {
        let (known, condition) = current(store, name, version).await?;
        let (record, result) = match change(known) {
            Change::Leave(result) => return Ok(result),
            Change::Write(record, result) => (record, result),
        };
        if put_if(store, name, &record, condition).await? {
            return Ok(result);
        }
        tries.again().await?;
    }
}

/// What is there now, and the condition under which it is still that.
pub(crate) async fn current<R: DeserializeOwned>(
    store: &Store,
    name: &str,
    version: u32,
) -> Result<(Option<R>, Condition), SwapError> {
    Ok(match store.get(name).await? {
        None => (None, Condition::IfAbsent),
        Some((bytes, etag)) => (Some(read_up_to(version, name, &bytes)?), Condition::IfMatch(etag)),
    })
}

/// Writes it under a condition; false when somebody else was faster.
pub(crate) async fn put_if<R: Serialize>(
    store: &Store,
    name: &str,
    record: &R,
    condition: Condition,
) -> Result<bool, SwapError> {
    let bytes = serde_json::to_vec(record).map_err(SwapError::Unwritable)?;
    match store.put(name, bytes.into(), condition).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::AlreadyExists) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The tries of one swap.
#[derive(Debug)]
pub(crate) struct Tries {
    made: u32,
    wait: Duration,
}

impl Default for Tries {
    fn default() -> Self {
        Self { made: 0, wait: FIRST_WAIT }
    }
}

impl Tries {
    /// Waits for the next try, or says that there are no more.
    pub(crate) async fn again(&mut self) -> Result<(), SwapError> {
        self.made += 1;
        if self.made >= TRIES_MAX {
            return Err(SwapError::Busy);
        }
        tokio::time::sleep(self.wait).await;
        self.wait = (self.wait * 2).min(WAIT_MAX);
        Ok(())
    }
}
