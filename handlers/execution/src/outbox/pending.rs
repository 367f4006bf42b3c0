//! An announcement: an event that may have to be told, and where the state lies that carries it.
//! It never concludes from one alone that something happened: the state says so.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::blobs::{Condition, Store};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FOLDER, id_of};
use crate::ledger;
use crate::record::read_up_to;
use crate::swap::SwapError;

/// The version of [`Pending`] that this release writes.
pub const VERSION: u32 = 1;
/// The longest line of a ledger that is read for its events: a decision of hundreds of effects and the largest event fit.
const LINE_BYTES_MAX: usize = 512 * 1024;
/// An invocation lasts ten minutes at most: a state that is not written after this, and the clocks' difference, never will be.
pub const ABANDONED_AFTER: SignedDuration = SignedDuration::from_mins(20);

/// Where the state is that carries an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// Its blob.
    pub blob: String,
    /// Where the line begins, in a blob that is appended to; none for a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
}

/// An announcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// Version of the record.
    pub version: u32,
    /// The event's id.
    pub id: String,
    /// When it was announced.
    pub put_at: Timestamp,
    /// Where the state is; none where the event stands alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// The event, where it stands alone, or where its state is proven and it could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Value>,
}

/// What an announcement leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    /// To an event that is to be told.
    To(Value),
    /// Not yet to a state that carries it: whoever announced it may be about to write it.
    NotYet,
    /// To nothing: its state was never written.
    Nowhere,
}

impl Proof {
    /// A record.
    pub fn record(name: &str) -> Self {
        Self { blob: name.to_owned(), position: None }
    }

    /// A line of a blob that is appended to.
    pub fn line(name: &str, position: u64) -> Self {
        Self { blob: name.to_owned(), position: Some(position) }
    }

    /// The event of this id in the state, if it is there.
    async fn find(&self, store: &Store, id: &str) -> Result<Option<Value>, SwapError> {
        let outbox = match self.position {
            Some(position) => match store.part(&self.blob, position, LINE_BYTES_MAX).await? {
                Some(bytes) => of_line(&bytes),
                None => Vec::new(),
            },
            None => match store.get(&self.blob).await? {
                Some((bytes, _)) => of_record(&bytes),
                None => Vec::new(),
            },
        };
        Ok(outbox.into_iter().find(|event| id_of(event) == Some(id)))
    }
}

/// The events of the line that a part of a ledger begins with; none where it is another's line, cut, or edited.
fn of_line(bytes: &Bytes) -> Vec<Value> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let line = end.and_then(|end| std::str::from_utf8(&bytes[..end]).ok()).unwrap_or_default();
    let (bodies, _) = ledger::read(line).unwrap_or_else(|_| (Vec::new(), ledger::Head::empty()));
    bodies.into_iter().flat_map(|body| body.outbox).collect()
}

/// The events of a record, whichever it is.
fn of_record(bytes: &[u8]) -> Vec<Value> {
    #[derive(Deserialize)]
    struct Carries {
        #[serde(default)]
        outbox: Vec<Value>,
    }
    serde_json::from_slice(bytes).map(|Carries { outbox }| outbox).unwrap_or_default()
}

impl Pending {
    /// The announcement of an event that a state carries.
    pub(super) fn of_state(id: &str, proof: Proof, now: Timestamp) -> Self {
        Self { version: VERSION, id: id.to_owned(), put_at: now, proof: Some(proof), event: None }
    }

    /// The announcement of an event that stands alone.
    pub(super) fn of_event(id: &str, event: Value, now: Timestamp) -> Self {
        Self { version: VERSION, id: id.to_owned(), put_at: now, proof: None, event: Some(event) }
    }

    /// Its blob.
    pub fn blob_name(&self) -> String {
        format!("{FOLDER}{}.json", self.id)
    }

    /// Reads one; none where it is told meanwhile.
    pub(super) async fn read(store: &Store, name: &str) -> Result<Option<Self>, SwapError> {
        let Some((bytes, _)) = store.get(name).await? else { return Ok(None) };
        Ok(Some(read_up_to(VERSION, name, &bytes)?))
    }

    pub(super) async fn write(&self, store: &Store, condition: Condition) -> Result<(), SwapError> {
        let bytes = serde_json::to_vec(self).map_err(SwapError::Unwritable)?;
        store.put(&self.blob_name(), bytes.into(), condition).await?;
        Ok(())
    }

    /// What it leads to now.
    pub(super) async fn follow(&self, store: &Store, now: Timestamp) -> Result<Leads, SwapError> {
        if let Some(event) = &self.event {
            return Ok(Leads::To(event.clone()));
        }
        let found = match &self.proof {
            Some(proof) => proof.find(store, &self.id).await?,
            None => None,
        };
        Ok(match found {
            Some(event) => Leads::To(event),
            None if now.duration_since(self.put_at) > ABANDONED_AFTER => Leads::Nowhere,
            None => Leads::NotYet,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ledger::{Entry, Head};

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../../golden/outbox-v1.json");
        let pending: Pending = read_up_to(VERSION, "golden", golden).expect("reads");
        assert_eq!(pending.proof, Some(Proof::line("ledger/0123456789abcdef.jsonl", 4_096)));
        let written: Value = serde_json::to_value(&pending).expect("writes");
        assert_eq!(written, serde_json::from_slice::<Value>(golden).expect("JSON"));
    }

    #[test]
    fn the_events_of_a_line_are_read_where_it_is_whole() {
        let entry = Entry::Verified { point: "p".into(), succeeded: true, consistency: None };
        let event = json!({ "id": "a" });
        let (line, _) =
            Head::empty().next_telling(Timestamp::UNIX_EPOCH, "/vm/1", entry, vec![event.clone()]).expect("a line");
        assert_eq!(of_line(&Bytes::from(line.clone() + "{\"next\":1}\n")), [event]);
        assert_eq!(of_line(&Bytes::from(line.trim_end().to_owned())), [Value::Null; 0], "it may be cut");
        assert_eq!(of_line(&Bytes::from(line.replace("/vm/1", "/vm/2"))), [Value::Null; 0], "it was edited");
        assert_eq!(of_line(&Bytes::from_static(b"\xff\n")), [Value::Null; 0]);
    }

    #[test]
    fn a_record_without_an_outbox_carries_nothing() {
        assert_eq!(of_record(b"{\"version\":1}"), [Value::Null; 0]);
        assert_eq!(of_record(b"{\"version\":1,\"outbox\":[{\"id\":\"a\"}]}"), [json!({ "id": "a" })]);
        assert_eq!(of_record(b"{"), [Value::Null; 0]);
    }
}
