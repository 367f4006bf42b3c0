//! What was told last: a few shards of the newest events that the topic accepted, for people who watch.
//! It is never an authority: an entry that could not be written is missing here and nowhere else.

use jiff::Timestamp;
use lifeboat_azure::blobs::Store;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::id_of;
use crate::swap::{self, Change, SwapError};

/// The version of [`Shard`] that this release writes.
pub const VERSION: u32 = 1;
/// Where the shards lie.
pub const FOLDER: &str = "told/";
/// Shards: instances that tell at the same time seldom want the same one, and who watches reads them all.
const SHARDS: u8 = 4;
/// Events in a shard, at most: some hundred in all, an hour of a busy estate.
const EVENTS_MAX: usize = 64;
/// Bytes of a shard, at most; events are a kilobyte, and the largest a hundred.
const BYTES_MAX: usize = 1024 * 1024;

/// An event that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// When the topic had accepted it.
    pub at: Timestamp,
    /// The event as it was sent.
    pub event: Value,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Shard {
    version: u32,
    events: Vec<Told>,
}

/// The events that were told last, oldest first.
pub async fn recent(store: &Store) -> Result<Vec<Told>, SwapError> {
    let mut all = Vec::new();
    for shard in 0..SHARDS {
        let read: Option<Shard> = swap::read(store, &blob_name(shard), VERSION).await?;
        all.extend(read.map(|shard| shard.events).unwrap_or_default());
    }
    let id = |told: &Told| id_of(&told.event).unwrap_or_default().to_owned();
    all.sort_by_cached_key(|told| (told.at, time_of(&told.event), id(told)));
    Ok(all)
}

/// Notes events as told.
pub(super) async fn note(store: &Store, events: &[Value], now: Timestamp) {
    let Some(first) = events.first().and_then(id_of) else { return };
    let shard = first.bytes().fold(0_u8, u8::wrapping_add) % SHARDS;
    let name = blob_name(shard);
    let noted = swap::swap(store, &name, VERSION, |known: Option<Shard>| {
        let mut kept = known.map(|shard| shard.events).unwrap_or_default();
        take_in(&mut kept, events, now);
        Change::Write(Shard { version: VERSION, events: kept }, ())
    });
    if let Err(error) = noted.await {
        tracing::debug!(error = %error, "who watches does not see some events");
    }
}

fn take_in(kept: &mut Vec<Told>, events: &[Value], now: Timestamp) {
    for event in events {
        // Told again is told once: the first time stays.
        if !kept.iter().any(|told| id_of(&told.event) == id_of(event)) {
            kept.push(Told { at: now, event: event.clone() });
        }
    }
    let over = kept.len().saturating_sub(EVENTS_MAX);
    kept.drain(..over);
    let mut bytes: usize = kept.iter().map(|told| told.event.to_string().len()).sum();
    while bytes > BYTES_MAX && !kept.is_empty() {
        bytes -= kept.remove(0).event.to_string().len();
    }
}

fn time_of(event: &Value) -> String {
    event.get("time").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn blob_name(shard: u8) -> String {
    format!("{FOLDER}{shard}.json")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../../golden/told-v1.json");
        let shard: Shard = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
        assert_eq!(shard.events.len(), 1);
        let written: Value = serde_json::to_value(&shard).expect("writes");
        assert_eq!(written, serde_json::from_slice::<Value>(golden).expect("JSON"));
    }

    #[test]
    fn a_shard_keeps_the_newest_and_each_once_within_its_bytes() {
        let event = |n: usize| json!({ "id": n.to_string() });
        let mut kept = Vec::new();
        take_in(&mut kept, &[event(1)], Timestamp::UNIX_EPOCH);
        take_in(&mut kept, &[event(1), event(2)], Timestamp::MAX);
        let ids = |kept: &[Told]| kept.iter().map(|told| told.at).collect::<Vec<_>>();
        assert_eq!(ids(&kept), [Timestamp::UNIX_EPOCH, Timestamp::MAX]);
        take_in(&mut kept, &(10..100).map(event).collect::<Vec<_>>(), Timestamp::MAX);
        assert_eq!((kept.len(), &kept[EVENTS_MAX - 1].event), (EVENTS_MAX, &event(99)));
        let large: Vec<Value> = (0..30).map(|n| json!({ "id": n, "x": "y".repeat(90_000) })).collect();
        take_in(&mut kept, &large, Timestamp::MAX);
        assert!(kept.iter().map(|told| told.event.to_string().len()).sum::<usize>() <= BYTES_MAX);
    }
}
