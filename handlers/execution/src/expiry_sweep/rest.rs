//! Which collections need not be read now: a record of when each was read, what the decision rested on, and until when nothing of it
//! can become due by itself (planning says that).
//!
//! It never lets anything be deleted without reading, and is a cache: what is lost or cannot be read is read from Azure again.
//!
//! ```text
//! machine seen by Graph ─► same basis as when it was read? ─► before `until`? ─► not read for long? ─► rests: its counts are carried
//!                             └ no                              └ no                └ yes, and its turn ─► read
//! basis: build, estate, bundle, regions · the collection's tags as Graph shows them · locks · snapshots · the catalogue's points
//! ```

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::blobs::{Condition, Store};
use lifeboat_azure::{Error, ResourceId};
use lifeboat_planning::expiry::Expiry;
use lifeboat_planning::id::hash;
use lifeboat_planning::retention::Kind;
use serde::{Deserialize, Serialize};

use super::memory::Count;
use super::seen::Subject;
use crate::record::read_up_to;
use crate::swap::SwapError;

/// The version of a shard that this release writes.
pub const VERSION: u32 = 1;
/// Shards: 100,000 collections are then some 3,000 a shard, less than a megabyte.
const SHARDS: usize = 32;
/// Shards read or written at a time.
const PARALLEL: usize = 8;
/// Points made within this time are a policy's turnover (design §10).
pub const TURNOVER_OF: SignedDuration = SignedDuration::from_hours(24);
/// A collection that rests is read anyway once nobody has read it for so long: a little less than a day, so that the timer's own
/// jitter costs no hour.
const ANYWAY_AFTER: SignedDuration = SignedDuration::from_mins(23 * 60 + 30);
/// Of so many collections one is read anyway by a sweep, at most, and at least one: a day of hourly sweeps reads 24, and an estate of
/// any size within two weeks. All within a day would be four calls an hour for a hundred machines, and one is the budget (design §16).
const ANYWAY_ONE_OF: usize = 168;

/// What is known of a collection that need not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rest {
    /// When it was read.
    pub read_at: Timestamp,
    /// Nothing of it becomes due by itself before; none where time alone never makes anything due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// A hash of what the decision rested on beside the points.
    pub basis: String,
    /// Its points, by policy.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, Counted>,
    /// How many would go if their policies did more than report.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub would: usize,
}

/// Points of a policy in one collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    /// All of them.
    pub points: u32,
    /// When those were made that were younger than a day (seconds since 1970): which of them still are is asked when they are counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A shard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shard {
    version: u32,
    /// By the hash of the collection's ARM id.
    rests: BTreeMap<String, Rest>,
}

/// What is known of the collections of one sweep. Its lease is held, so nobody else writes it.
#[derive(Debug, Default)]
pub struct Rests {
    shards: BTreeMap<usize, Shard>,
    changed: BTreeSet<usize>,
}

/// A collection of this sweep.
#[derive(Debug)]
pub struct Asked {
    /// The collection.
    pub subject: Subject,
    /// What a decision on it rests on now; none where nothing may be skipped, because its machine was not seen.
    pub basis: Option<String>,
    /// It need not be read.
    pub rests: Option<Rest>,
}

impl Rests {
    /// Reads what is known of these collections, and forgets the others. What cannot be understood is not known.
    pub async fn read(store: &Store, subjects: &[Subject]) -> Result<Self, Error> {
        let keys: HashSet<String> = subjects.iter().map(|subject| key_of(&subject.collection)).collect();
        let numbers: BTreeSet<usize> = keys.iter().map(|key| shard_of(key)).collect();
        let reads: Vec<_> = numbers.into_iter().map(|number| read_shard(store, number)).collect();
        let shards: Vec<(usize, Shard)> = stream::iter(reads).buffer_unordered(PARALLEL).try_collect().await?;
        let mut all = Self { shards: shards.into_iter().collect(), changed: BTreeSet::new() };
        for (number, shard) in &mut all.shards {
            let before = shard.rests.len();
            shard.rests.retain(|key, _| keys.contains(key));
            if shard.rests.len() != before {
                all.changed.insert(*number);
            }
        }
        Ok(all)
    }

    /// Which of the collections rest now, each given with what a decision on it rests on.
    pub fn ask(&self, subjects: Vec<(Subject, Option<String>)>, now: Timestamp) -> Vec<Asked> {
        let mut all: Vec<Asked> = subjects
            .into_iter()
            .map(|(subject, basis)| {
                let known = self.of(&subject.collection).filter(|known| known.holds(basis.as_deref(), now)).cloned();
                Asked { subject, basis, rests: known }
            })
            .collect();
        let mut long_unread: Vec<(Timestamp, usize)> = all
            .iter()
            .enumerate()
            .filter_map(|(at, one)| Some((one.rests.as_ref()?.read_at, at)))
            .filter(|(read_at, _)| now.duration_since(*read_at) >= ANYWAY_AFTER)
            .collect();
        long_unread.sort_unstable();
        for (_, at) in long_unread.into_iter().take((all.len() / ANYWAY_ONE_OF).max(1)) {
            all[at].rests = None;
        }
        all
    }

    fn of(&self, collection: &ResourceId) -> Option<&Rest> {
        let key = key_of(collection);
        self.shards.get(&shard_of(&key))?.rests.get(&key)
    }

    /// Notes that a collection was read: whether it rests from now on.
    pub fn note(&mut self, collection: &ResourceId, rest: Option<Rest>) {
        let key = key_of(collection);
        let number = shard_of(&key);
        let shard = self.shards.entry(number).or_default();
        let changed = match rest {
            Some(rest) => shard.rests.insert(key, rest.clone()) != Some(rest),
            None => shard.rests.remove(&key).is_some(),
        };
        if changed {
            self.changed.insert(number);
        }
    }

    /// Writes what changed. Before anything is deleted: what is stopped half way is read again.
    pub async fn write(&mut self, store: &Store) -> Result<(), SwapError> {
        let mut writes = Vec::new();
        for number in std::mem::take(&mut self.changed) {
            let Some(shard) = self.shards.get_mut(&number) else { continue };
            shard.version = VERSION;
            let bytes = serde_json::to_vec(shard).map_err(SwapError::Unwritable)?;
            writes.push(async move { store.put(&blob_name(number), bytes.into(), Condition::Any).await.map(drop) });
        }
        stream::iter(writes).buffer_unordered(PARALLEL).try_collect::<()>().await?;
        Ok(())
    }
}

impl Rest {
    /// Whether what it rested on is what is there now, and its time has not come.
    fn holds(&self, basis: Option<&str>, now: Timestamp) -> bool {
        basis == Some(self.basis.as_str()) && self.until.is_none_or(|until| now < until) && self.read_at <= now
    }
}

impl Counted {
    /// Adds them to a policy's count, as of now.
    pub fn add_to(&self, count: &mut Count, now: Timestamp) {
        let since = now.checked_sub(TURNOVER_OF).unwrap_or_default().as_second();
        count.points = count.points.saturating_add(self.points);
        let made = self.made.iter().filter(|at| **at >= since).count();
        count.made = count.made.saturating_add(u32::try_from(made).unwrap_or(u32::MAX));
    }
}

/// The points of each policy, as its limits ask for them.
pub fn counted(expiry: &Expiry, now: Timestamp) -> BTreeMap<String, Counted> {
    let since = now.checked_sub(TURNOVER_OF).unwrap_or_default();
    let mut counts: BTreeMap<String, Counted> = BTreeMap::new();
    for verdict in expiry.verdicts.iter().filter(|verdict| verdict.kind != Kind::Foreign) {
        let Some((policy, _)) = &verdict.made_by else { continue };
        let counted = counts.entry(policy.clone()).or_default();
        counted.points += 1;
        counted.made.extend(verdict.at.filter(|at| *at >= since).map(Timestamp::as_second));
    }
    counts
}

async fn read_shard(store: &Store, number: usize) -> Result<(usize, Shard), Error> {
    let name = blob_name(number);
    let Some((bytes, _)) = store.get(&name).await? else { return Ok((number, Shard::default())) };
    let shard = read_up_to(VERSION, &name, &bytes).unwrap_or_else(|error| {
        tracing::warn!(error = %error, name, "which collections rest cannot be read: they are read again");
        Shard::default()
    });
    Ok((number, shard))
}

fn key_of(collection: &ResourceId) -> String {
    hash(&[&collection.as_str().to_lowercase()])
}

fn shard_of(key: &str) -> usize {
    usize::from_str_radix(key.get(..2).unwrap_or("00"), 16).unwrap_or(0) % SHARDS
}

fn blob_name(number: usize) -> String {
    format!("sweeps/expiry-rests-{number:02}.json")
}

#[cfg(test)]
mod tests;
