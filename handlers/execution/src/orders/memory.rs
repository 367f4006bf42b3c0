//! What is remembered of orders: which ids were taken and what came of them, and with which command a token came.
//! It never keeps a token, and never forgets an id while its command could still come again.
//!
//! Records are shards, each changed by compare-and-swap: a burst of ten thousand commands is some forty a shard. What is old leaves a
//! shard with each write, so that nothing has to be cleaned up.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::blobs::Store;
use lifeboat_contract::command::{Command, LIFE_MAX};
use lifeboat_contract::events::Event;
use lifeboat_planning::id::hex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::outbox::{Outbox, Tells};
use crate::swap::{self, Change, SwapError};

/// The version of both records that this release writes.
pub const VERSION: u32 = 1;
/// How long an id is remembered: a command lives for a day at most, and a person who sends it again after a week-end is told.
pub const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Entries of one shard at most: half a million commands a week, and a blob below a megabyte.
const ENTRIES_MAX: usize = 2_000;
/// Lines of an outcome that are kept.
const LINES_MAX: usize = 20;

const _: () = assert!(REMEMBERED_FOR.as_secs() > 2 * LIFE_MAX.as_secs(), "no command outlives the memory of it");

/// Events that a shard keeps, at most: of ten thousand commands sent at once it has some forty, told within seconds of each other, and what
/// a killed process could not tell is told minutes later.
const OUTBOX_KEPT_MAX: usize = 64;

/// A shard of ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenRecord {
    /// Version of the record.
    pub version: u32,
    /// By the digest of the id.
    pub seen: BTreeMap<String, Seen>,
    /// What its changes tell other systems: the newest events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outbox: Vec<Value>,
}

impl Tells for SeenRecord {
    const KEPT_MAX: usize = OUTBOX_KEPT_MAX;

    fn outbox(&mut self) -> &mut Vec<Value> {
        &mut self.outbox
    }
}

/// A command that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub command: String,
    /// The digest of what it says, its token left out.
    pub digest: String,
    /// Whose it is: an object id, or through which door it came where nobody is named.
    pub by: String,
    /// What came of it; none while it is being carried out, or where that was cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// When.
    pub at: Timestamp,
    /// True when it was done, false when it was refused.
    pub done: bool,
    /// In words, one line each.
    pub lines: Vec<String>,
}

/// A shard of tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokensRecord {
    /// Version of the record.
    pub version: u32,
    /// By the digest of what was signed.
    pub bound: BTreeMap<String, Bound>,
}

/// A token's command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bound {
    /// The digest of the command's id.
    pub to: String,
    /// When the token ends: from then on it is refused anyway.
    pub until: Timestamp,
}

/// What a claim of an id came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nobody took it before, or who did was cut off: carry it out as of the moment in which it was taken first.
    Ours(Timestamp),
    /// It was carried out before.
    Before(Outcome),
    /// It stands for another command.
    Other,
}

/// What a command is told apart by: the digests of its id and of what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Of the id.
    pub id: String,
    /// Of what it says.
    pub digest: String,
}

/// Why nothing was remembered.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The record could not be changed.
    #[error(transparent)]
    Swap(#[from] SwapError),
    /// More came than are remembered. Repeating is safe: later there is room.
    #[error("more than {ENTRIES_MAX} orders of this shard are remembered: there is no room for another")]
    Full,
}

impl Key {
    /// The key of a command.
    pub fn of(command: &Command) -> Self {
        let said = Command { token: None, ..command.clone() }.body().to_string();
        Self { id: sha256(&command.id), digest: sha256(&said) }
    }
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// The shard of a digest: 256 of each kind.
fn shard(folder: &str, digest: &str) -> String {
    format!("orders/{folder}/{}.json", digest.get(..2).unwrap_or("00"))
}

/// What is remembered of a command.
pub async fn recall(store: &Store, key: &Key) -> Result<Option<Seen>, SwapError> {
    let record: Option<SeenRecord> = swap::read(store, &shard("seen", &key.id), VERSION).await?;
    Ok(record.and_then(|mut record| record.seen.remove(&key.id)))
}

/// Claims an id for a command. Who was cut off after it claims again: carrying an order out twice does no harm, and as of the first time,
/// so that a copy that was held up never undoes what another order did in between.
pub async fn claim(
    store: &Store,
    key: &Key,
    command: &Command,
    by: &str,
    now: Timestamp,
) -> Result<Claim, MemoryError> {
    let seen = Seen {
        at: now,
        command: command.order.name().to_owned(),
        digest: key.digest.clone(),
        by: by.to_owned(),
        outcome: None,
    };
    swap::swap(store, &shard("seen", &key.id), VERSION, |known: Option<SeenRecord>| {
        let mut record = known.unwrap_or(SeenRecord { version: VERSION, seen: BTreeMap::new(), outbox: Vec::new() });
        record.seen.retain(|_, seen| now.duration_since(seen.at) <= REMEMBERED_FOR);
        match record.seen.get(&key.id) {
            Some(known) if known.digest != key.digest => return Change::Leave(Ok(Claim::Other)),
            Some(Seen { outcome: Some(outcome), .. }) => return Change::Leave(Ok(Claim::Before(outcome.clone()))),
            Some(known) => return Change::Leave(Ok(Claim::Ours(known.at))),
            None => {}
        }
        if record.seen.len() >= ENTRIES_MAX {
            return Change::Leave(Err(MemoryError::Full));
        }
        record.seen.insert(key.id.clone(), seen.clone());
        Change::Write(record, Ok(Claim::Ours(now)))
    })
    .await?
}

/// Remembers what came of a command, and tells it in the same write.
pub async fn remember(outbox: &Outbox, key: &Key, outcome: &Outcome, event: &Event) -> Result<(), SwapError> {
    let mut outcome = outcome.clone();
    outcome.lines.truncate(LINES_MAX);
    let at = outcome.at;
    outbox
        .swap(&shard("seen", &key.id), VERSION, at, |known: Option<SeenRecord>| {
            let Some(mut record) = known else { return (Change::Leave(()), Vec::new()) };
            let Some(seen) = record.seen.get_mut(&key.id).filter(|seen| seen.outcome.is_none()) else {
                return (Change::Leave(()), Vec::new());
            };
            seen.outcome = Some(outcome.clone());
            (Change::Write(record, ()), vec![event.clone()])
        })
        .await
}

/// Binds a token to a command, for as long as the token lives. False when it came with another command before.
pub async fn bind(store: &Store, mark: &str, key: &Key, until: Timestamp, now: Timestamp) -> Result<bool, MemoryError> {
    swap::swap(store, &shard("tokens", mark), VERSION, |known: Option<TokensRecord>| {
        let mut record = known.unwrap_or(TokensRecord { version: VERSION, bound: BTreeMap::new() });
        record.bound.retain(|_, bound| now < bound.until);
        if let Some(bound) = record.bound.get(mark) {
            return Change::Leave(Ok(bound.to == key.id));
        }
        if record.bound.len() >= ENTRIES_MAX {
            return Change::Leave(Err(MemoryError::Full));
        }
        record.bound.insert(mark.to_owned(), Bound { to: key.id.clone(), until });
        Change::Write(record, Ok(true))
    })
    .await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_of_both_records_reads_as_it_was_written() {
        let golden = include_bytes!("../../golden/orders-seen-v1.json");
        let seen: SeenRecord = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
        assert_eq!(
            serde_json::to_value(&seen).expect("writes"),
            serde_json::from_slice::<serde_json::Value>(golden).expect("JSON")
        );
        let golden = include_bytes!("../../golden/orders-tokens-v1.json");
        let tokens: TokensRecord = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
        assert_eq!(
            serde_json::to_value(&tokens).expect("writes"),
            serde_json::from_slice::<serde_json::Value>(golden).expect("JSON")
        );
    }
}
