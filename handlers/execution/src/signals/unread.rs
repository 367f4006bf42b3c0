//! What arrived and could not be read: kept as it came, bounded, counted over all, and alarmed.
//! It never counts as evidence, and never pushes out what is kept of another door.

use jiff::Timestamp;
use lifeboat_contract::signals::{Door, Raw};
use lifeboat_planning::id::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::alarms::{self, Cause, Machines, Raised};
use crate::lifeboat::Lifeboat;
use crate::swap::{self, Change, SwapError};

use super::FOLDER;

/// The version of [`Unread`] that this release writes.
pub const VERSION: u32 = 1;
/// Payloads kept of a door: enough to see what changed on the sender's side; the newest stay.
pub const KEPT_MAX: usize = 20;
/// Bytes kept of a payload: the longest alert in the samples has a quarter of it.
pub const BODY_BYTES_MAX: usize = 32 * 1024;

/// What could not be read at one door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unread {
    /// Version of the record.
    pub version: u32,
    /// The door, by its name in a history.
    pub door: String,
    /// How many there were in all; one that was delivered twice counts twice.
    pub total: u64,
    /// The newest of them, newest last, each once.
    pub kept: Vec<Payload>,
}

/// One payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payload {
    /// When it arrived last.
    pub at: Timestamp,
    /// Why it could not be read.
    pub why: String,
    /// How many bytes it has as JSON.
    pub bytes: u64,
    /// The digest of all of them.
    pub digest: String,
    /// As it came, as JSON, up to [`BODY_BYTES_MAX`] bytes.
    pub body: String,
}

/// The blob of a door's unread payloads.
pub fn blob_name(door: Door) -> String {
    format!("{FOLDER}unread-{}.json", door.word())
}

/// Keeps, counts and alarms what could not be read.
pub async fn keep(lifeboat: &Lifeboat, door: Door, raw: &[Raw]) -> Result<(), SwapError> {
    let Some(last) = raw.last() else { return Ok(()) };
    let now = lifeboat.clock.now();
    let payloads: Vec<Payload> = raw.iter().map(|one| Payload::of(one, now)).collect();
    let total = swap::swap(&lifeboat.store, &blob_name(door), VERSION, |known: Option<Unread>| {
        let mut unread = known.unwrap_or_else(|| Unread::none(door));
        unread.add(&payloads);
        let total = unread.total;
        Change::Write(unread, total)
    })
    .await?;
    let what = format!("{total} payloads at {door} could not be read; the last: {}", last.why);
    let raised = Raised { cause: Cause::SignalUnreadable, policy: None, what, machines: Machines::Also(&[]) };
    alarms::raise(&lifeboat.outbox, &raised, now).await;
    Ok(())
}

impl Unread {
    fn none(door: Door) -> Self {
        Self { version: VERSION, door: door.word().to_owned(), total: 0, kept: Vec::new() }
    }

    fn add(&mut self, payloads: &[Payload]) {
        for one in payloads {
            self.total = self.total.saturating_add(1);
            self.kept.retain(|kept| kept.digest != one.digest);
            self.kept.push(one.clone());
        }
        self.kept.drain(..self.kept.len().saturating_sub(KEPT_MAX));
    }
}

impl Payload {
    fn of(raw: &Raw, at: Timestamp) -> Self {
        let text = raw.body.to_string();
        let mut end = text.len().min(BODY_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let (bytes, digest) = (text.len() as u64, hex(&Sha256::digest(text.as_bytes())));
        Self { at, why: raw.why.to_string(), bytes, digest, body: text.get(..end).unwrap_or_default().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifeboat_contract::signals::RawBecause;
    use serde_json::json;

    fn payload(body: serde_json::Value) -> Payload {
        Payload::of(&Raw { why: RawBecause::OtherSchema, body }, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../../golden/unread-v1.json");
        let record: Unread = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
        let written: serde_json::Value = serde_json::to_value(&record).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
    }

    #[test]
    fn all_are_counted_and_the_newest_are_kept_each_once_and_no_longer_than_its_bound() {
        let mut unread = Unread::none(Door::RegionAlert);
        for n in 0..2 * KEPT_MAX {
            unread.add(&[payload(json!({ "n": n })), payload(json!("the same"))]);
        }
        assert_eq!((unread.total, unread.kept.len()), (4 * KEPT_MAX as u64, KEPT_MAX));
        assert_eq!(unread.kept.iter().filter(|one| one.body == "\"the same\"").count(), 1);
        assert!(unread.kept.iter().any(|one| one.body.contains(&format!("{}", 2 * KEPT_MAX - 1))));
        let long = payload(json!("ä".repeat(BODY_BYTES_MAX)));
        assert!(long.body.len() <= BODY_BYTES_MAX && long.bytes > BODY_BYTES_MAX as u64);
        let together = KEPT_MAX * BODY_BYTES_MAX;
        assert!(together * 2 < lifeboat_azure::blobs::MAX_PUT_BYTES, "escaped twice it still fits a blob");
    }
}
