//! A saga in the store: one blob for each recovery plan, which is what keeps a second one from being begun beside it.
//! It never decides, and is never written over unread: each write names the version that it was read with.
//!
//! ```text
//! sagas/<plan>.json               the one that is unfinished, or the last that ended
//! sagas/done/<plan>/<began>.json  those that ended
//! ```

use bytes::Bytes;
use jiff::Timestamp;
use lifeboat_azure::blobs::{Condition, ETag, Store};
use lifeboat_azure::{Error, ErrorKind};
use lifeboat_contract::events::Event;
use lifeboat_planning::saga::failover::{COMMIT, Failover, FailoverOrder};
use lifeboat_planning::saga::{Saga, Way};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SagaError;
use super::order::OrderRecord;
use crate::outbox::{self, Outbox, Proof, Tells};
use crate::record::read_up_to;

/// The version of [`SagaRecord`] that this release writes.
pub const VERSION: u32 = 1;
/// So far the numbers of a saga's looks lie from those of the one before it: a look of that one may still be queued, and one with its number
/// would be dropped as its duplicate. Further than a week of minutes, which is what one that overslept is numbered by.
const LOOKS_APART: u32 = 10_000;
/// What the names of all sagas begin with.
const PREFIX: &str = "sagas/";
/// What the names of those that ended begin with.
const DONE: &str = "sagas/done/";
/// Orders that are remembered: a failover has some ten, and one comes again within minutes.
const TAKEN_KEPT_MAX: usize = 50;
/// Events that a record keeps, at most: a saga tells some in each of its turns, seconds apart, and the sweep that tells what a killed
/// process could not comes minutes later. More than the steps and questions of a failover of ten groups.
const OUTBOX_KEPT_MAX: usize = 64;
/// The longest name of a recovery plan that is taken, as documents have them.
const NAME_CHARS_MAX: usize = 63;

/// A saga, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SagaRecord {
    /// Version of the record.
    pub version: u32,
    /// The saga's id, derived from recovery plan and incident.
    pub id: String,
    /// The recovery plan.
    pub recovery_plan: String,
    /// When it was begun.
    pub began_at: Timestamp,
    /// The fencing number of who wrote it last.
    pub epoch: u64,
    /// The number of the last look at it; each later one has a higher one, those of the recovery plan's next saga too.
    pub looks: u32,
    /// When it is to be taken further; none once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_again_at: Option<Timestamp>,
    /// When it ended; none while it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Ids of the last orders that it took: one that comes again, because its sender was cut off, is done and not refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<String>,
    /// What was ordered.
    pub order: OrderRecord,
    /// How far it is and what it has learned, by the names of steps, as `planning` writes it.
    pub progress: String,
    /// What its changes tell other systems: the newest events, those of the recovery plan's saga before it too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outbox: Vec<Value>,
}

impl Tells for SagaRecord {
    fn outbox(&mut self) -> &mut Vec<Value> {
        &mut self.outbox
    }
}

/// A saga as it was read, with the version that a write must name.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What was read.
    pub record: SagaRecord,
    etag: ETag,
}

/// The blob of a recovery plan's saga.
pub fn blob_name(plan: &str) -> String {
    format!("{PREFIX}{plan}.json")
}

/// The blob of one that ended.
pub fn done_name(plan: &str, began_at: Timestamp) -> String {
    format!("{DONE}{plan}/{}.json", began_at.strftime("%Y%m%dT%H%M%SZ"))
}

/// Refuses a name that would be another blob's.
pub fn check_name(plan: &str) -> Result<(), SagaError> {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let fits = (1..=NAME_CHARS_MAX).contains(&plan.len()) && plan.chars().all(is_sign) && !plan.starts_with('.');
    if fits { Ok(()) } else { Err(SagaError::Name) }
}

/// The recovery plans that have a saga, ended or not.
pub async fn plans(store: &Store) -> Result<Vec<String>, Error> {
    let names = store.list(PREFIX).await?;
    let own = names.iter().filter(|name| !name.starts_with(DONE));
    Ok(own.filter_map(|name| Some(name.strip_prefix(PREFIX)?.strip_suffix(".json")?.to_owned())).collect())
}

impl SagaRecord {
    /// Whether its failover is committed. What cannot be read is not.
    pub fn is_committed(&self) -> bool {
        let commit = (Way::Forward, COMMIT.to_owned());
        self.saga().is_ok_and(|saga| saga.progress.steps.get(&commit).is_some_and(|step| step.over))
    }

    /// One that begins.
    ///
    /// Its looks are counted on from those of the one before it: a queue drops a number for a day after it had it.
    pub fn begins(order: FailoverOrder, before: Option<&Self>, now: Timestamp) -> Self {
        const FIRST_EPOCH: u64 = 1;
        let (id, recovery_plan, written) = (order.id.clone(), order.plan.clone(), OrderRecord::of(&order));
        let saga = Saga::new(Failover::new(order), FIRST_EPOCH);
        Self {
            version: VERSION,
            id,
            recovery_plan,
            began_at: now,
            epoch: FIRST_EPOCH,
            looks: before.map_or(0, |before| before.looks.saturating_add(LOOKS_APART)),
            look_again_at: Some(now),
            ended_at: None,
            taken: Vec::new(),
            order: written,
            progress: saga.to_text(),
            outbox: before.map(|before| before.outbox.clone()).unwrap_or_default(),
        }
    }

    /// The saga that it is of.
    pub fn saga(&self) -> Result<Saga<Failover>, SagaError> {
        let order = self.order.order(&self.id, &self.recovery_plan);
        Ok(Saga::from_text(Failover::new(order), &self.progress)?)
    }

    /// Takes over how far the saga is now.
    pub fn take(&mut self, saga: &Saga<Failover>, now: Timestamp) {
        self.epoch = saga.progress.epoch;
        self.look_again_at = saga.look_again_at;
        self.ended_at = saga.ended().then(|| self.ended_at.unwrap_or(now));
        self.progress = saga.to_text();
    }

    /// Remembers an order that it took.
    pub fn took(&mut self, order: &str) {
        self.taken.push(order.to_owned());
        self.taken.drain(..self.taken.len().saturating_sub(TAKEN_KEPT_MAX));
    }

    fn bytes(&self) -> Result<Bytes, SagaError> {
        Ok(serde_json::to_vec_pretty(self)?.into())
    }
}

impl Kept {
    /// The saga of a recovery plan; none where there never was one.
    pub async fn read(store: &Store, plan: &str) -> Result<Option<Self>, SagaError> {
        let name = blob_name(plan);
        let Some((bytes, etag)) = store.get(&name).await? else { return Ok(None) };
        Ok(Some(Self { record: read_up_to(VERSION, &name, &bytes)?, etag }))
    }

    /// Writes the first record of a saga, and in the same write that it began: where none is, or over one that has ended.
    pub async fn begin(
        outbox: &Outbox,
        mut record: SagaRecord,
        over: Option<&Self>,
        began: &Event,
    ) -> Result<Self, SagaError> {
        let condition = over.map_or(Condition::IfAbsent, |ended| Condition::IfMatch(ended.etag.clone()));
        let now = record.began_at;
        let etag = put_telling(outbox, &mut record, condition, std::slice::from_ref(began), now).await?;
        Ok(Self { record, etag })
    }

    /// Writes what it is now, and in the same write what that tells, if nobody else wrote since it was read.
    pub async fn save(&mut self, outbox: &Outbox, events: &[Event], now: Timestamp) -> Result<(), SagaError> {
        let condition = Condition::IfMatch(self.etag.clone());
        self.etag = put_telling(outbox, &mut self.record, condition, events, now).await?;
        Ok(())
    }

    /// Keeps one that ended where nothing is written over it. A repeat is safe: it is the same.
    pub async fn archive(&self, store: &Store) -> Result<(), SagaError> {
        let name = done_name(&self.record.recovery_plan, self.record.began_at);
        match store.put(&name, self.record.bytes()?, Condition::IfAbsent).await {
            Err(error) if error.kind == ErrorKind::Conflict => Ok(()),
            kept => Ok(kept.map(drop)?),
        }
    }
}

/// Writes a record with what it tells. An announcement of what nobody wrote leads to nothing, and is dropped when it is old; one of what was
/// written without our knowing leads the sweep to it.
async fn put_telling(
    outbox: &Outbox,
    record: &mut SagaRecord,
    condition: Condition,
    events: &[Event],
    now: Timestamp,
) -> Result<ETag, SagaError> {
    let events: Vec<Value> = events.iter().filter(|_| outbox.is_on()).map(Event::to_json).collect();
    outbox::carry_up_to(OUTBOX_KEPT_MAX, record.outbox(), &events);
    let announcement = outbox.announce(&Proof::record(&blob_name(&record.recovery_plan)), &events, now).await;
    let etag = put(outbox.store(), record, condition).await?;
    outbox.written(announcement);
    Ok(etag)
}

/// Writes under a condition. Where no answer came, what is there tells whether it was ours that was written.
async fn put(store: &Store, record: &SagaRecord, condition: Condition) -> Result<ETag, SagaError> {
    let (name, bytes) = (blob_name(&record.recovery_plan), record.bytes()?);
    match store.put(&name, bytes.clone(), condition).await {
        Ok(etag) => Ok(etag),
        Err(error) if error.maybe_done() => match store.get(&name).await? {
            Some((there, etag)) if there == bytes => Ok(etag),
            _ => Err(error.into()),
        },
        Err(error) if error.kind == ErrorKind::Conflict => Err(SagaError::Overtaken),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../../golden/saga-v1.json");
        let mut record: SagaRecord = read_up_to(VERSION, "golden", golden).expect("reads");
        let written: serde_json::Value = serde_json::to_value(&record).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
        let mut saga = record.saga().expect("its progress reads");
        assert_eq!(saga.runbook.members().count(), 3);
        assert!(saga.past_no_return() && !saga.ended());
        assert_eq!(record.order, OrderRecord::of(&saga.runbook.order));
        // Reading leaves open when it is to be taken further; all else is as it was.
        saga.look_again_at = record.look_again_at;
        let before = record.clone();
        record.take(&saga, Timestamp::UNIX_EPOCH);
        assert_eq!(record, before);
    }

    #[test]
    fn a_name_that_would_lead_elsewhere_is_refused() {
        for name in ["shop", "shop-2", "a.b_c", "X"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "done/shop", "../shop", ".shop", "shop\n", &"a".repeat(64)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
