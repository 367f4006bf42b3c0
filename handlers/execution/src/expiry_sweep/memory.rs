//! What expiry remembers from one sweep to the next: a record of its own course, and one for each collection.
//! It never decides: what was seen gone, what vanished and what Azure refuses is written down, and nothing is forgotten by itself.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::ResourceId;
use lifeboat_azure::blobs::{Condition, ETag, Store};
use lifeboat_planning::id::{PointName, hash};
use lifeboat_planning::retention::RESTORABLE_AFTER_DELETION_BY_HAND;
use serde::{Deserialize, Serialize};

use super::rest::TURNOVER_OF;
use crate::record::read_up_to;
use crate::swap::SwapError;

/// The version of [`Memory`] and [`Course`] that this release writes.
pub const VERSION: u32 = 1;
/// The blob of the sweeps' own course.
pub const COURSE: &str = "sweeps/expiry.json";
/// A deletion that did not come through is tried again so long after its first attempt, and twice as long after each one: a little
/// less than the hour between two sweeps, so that the timer's own jitter costs no hour.
const FIRST_WAIT: SignedDuration = SignedDuration::from_mins(55);
/// The longest wait between two attempts: whoever mends the cause sees within a day that it is mended.
const WAIT_MAX: SignedDuration = SignedDuration::from_hours(24);
/// What came of an attempt that Azure accepted.
pub const ACCEPTED: &str = "accepted";
/// Attempts after which somebody is told: the third is some three hours after the first, and what passes by itself is over by then.
pub const ATTEMPTS_UNTOLD_MAX: u32 = 2;

/// The course of the sweeps: one blob, written by whoever holds their lease.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Course {
    /// Version of the record.
    pub version: u32,
    /// Completed sweeps.
    pub number: u64,
    /// Start of the last completed sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// End of the last completed sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// The collection that was read last, in lower case, where not all could be read: the next sweep begins after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_to: Option<String>,
    /// What was counted since the first collection, by policy.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counting: BTreeMap<String, Count>,
    /// What was counted the last time that all collections were read, by policy.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counted: BTreeMap<String, Count>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_at: Option<Timestamp>,
    /// The version of the blob that this was read from; none where there was none.
    #[serde(skip)]
    pub etag: Option<ETag>,
}

/// The points of a policy, as its limits ask for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// Made within 24 hours before they were counted.
    pub made: u32,
    /// All of them.
    pub points: u32,
}

/// What is remembered of one collection and of the snapshots of its machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// Version of the record.
    pub version: u32,
    /// ARM id of the collection.
    pub collection: String,
    /// When its machine was first seen gone; none while it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_since: Option<Timestamp>,
    /// Restorable points that were there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub points: BTreeSet<String>,
    /// Restorable snapshots that were there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub snapshots: BTreeSet<String>,
    /// Rules of which points vanished that Lifeboat did not delete.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deleted_by_hand: BTreeSet<String>,
    /// Where what was remembered before is lost, because the store was adopted: the rules of which enough restorable points were read
    /// since. Of every other rule people may have deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_since_adopted: Option<BTreeSet<String>>,
    /// Deletions that were begun, until what they delete is *gone*.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deletions: Vec<Deletion>,
    /// The version of the blob that this was read from; none where there was none.
    #[serde(skip)]
    pub etag: Option<ETag>,
}

/// A deletion that was begun and is not known to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// The point; of a set of snapshots its first one.
    pub point: String,
    /// What it consists of: the point, or the snapshots of the set.
    pub names: Vec<String>,
    /// The policy.
    pub policy: String,
    /// When it was first tried.
    pub since: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// Not before then again.
    pub again_at: Timestamp,
    /// What came of the last attempt, in Azure's words where it refused.
    pub last: String,
}

impl Course {
    /// Reads it; an empty one before the first sweep.
    pub async fn read(store: &Store) -> Result<Self, SwapError> {
        let Some((bytes, etag)) = store.get(COURSE).await? else { return Ok(Self::default()) };
        let read: Self = read_up_to(VERSION, COURSE, &bytes)?;
        Ok(Self { etag: Some(etag), ..read })
    }

    /// Writes it, if it is still what was read: a sweep that was stopped for longer than its lease finds that another one wrote it.
    pub async fn write(&mut self, store: &Store) -> Result<(), SwapError> {
        self.etag = Some(write(store, COURSE, self, self.etag.clone()).await?);
        Ok(())
    }

    /// What the limits of a policy are held against: the last whole count, or the one under way where that is more already. What was made
    /// in the day before a count that is older than a day was not made in the last one, and is no turnover.
    pub fn count(&self, policy: &str, now: Timestamp) -> Count {
        let of = |counts: &BTreeMap<String, Count>| counts.get(policy).copied().unwrap_or_default();
        let (whole, so_far) = (of(&self.counted), of(&self.counting));
        let fresh = self.counted_at.is_some_and(|at| now.duration_since(at) < TURNOVER_OF);
        let made = if fresh { whole.made.max(so_far.made) } else { 0 };
        Count { made, points: whole.points.max(so_far.points) }
    }

    /// A point of a policy goes: what it was counted in is less by it, because the next whole count may be a day away, or as far as an
    /// outage lasts, and a share of what is not there any more is no share.
    pub fn one_goes(&mut self, policy: &str) {
        for counts in [&mut self.counted, &mut self.counting] {
            if let Some(count) = counts.get_mut(policy) {
                count.points = count.points.saturating_sub(1);
            }
        }
    }
}

impl Memory {
    /// Reads what is remembered of a collection; nothing when it was never seen, as far as the store knows: in one that was `adopted`
    /// it may have been.
    pub async fn read(store: &Store, collection: &ResourceId, adopted: bool) -> Result<Self, SwapError> {
        let name = blob_name(collection);
        let Some((bytes, etag)) = store.get(&name).await? else {
            let collection = collection.as_str().to_owned();
            let read_since_adopted = adopted.then(BTreeSet::new);
            return Ok(Self { version: VERSION, collection, read_since_adopted, ..Self::default() });
        };
        let read: Self = read_up_to(VERSION, &name, &bytes)?;
        Ok(Self { etag: Some(etag), ..read })
    }

    /// Writes it, if it is still what was read: a sweep that was stopped for longer than its lease finds that another one wrote it.
    pub async fn write(&mut self, store: &Store, collection: &ResourceId) -> Result<(), SwapError> {
        self.etag = Some(write(store, &blob_name(collection), self, self.etag.clone()).await?);
        Ok(())
    }

    /// Takes in the restorable points that are there now. What is not there any more and was not ours to delete, somebody deleted.
    pub fn points_are(&mut self, restorable: BTreeSet<String>) {
        let before = std::mem::replace(&mut self.points, restorable);
        self.note_vanished(before.difference(&self.points.clone()));
    }

    /// The same for restorable snapshots.
    pub fn snapshots_are(&mut self, restorable: BTreeSet<String>) {
        let before = std::mem::replace(&mut self.snapshots, restorable);
        self.note_vanished(before.difference(&self.snapshots.clone()));
    }

    fn note_vanished<'a>(&mut self, vanished: impl Iterator<Item = &'a String>) {
        for name in vanished {
            let ours = self.deletions.iter().any(|deletion| deletion.names.contains(name));
            if let Some(name) = PointName::parse(name).filter(|_| !ours) {
                self.deleted_by_hand.insert(name.rule);
            }
        }
    }

    /// Forgets deletions by hand of rules of which enough restorable points were read since.
    pub fn forgive(&mut self) {
        let mut counts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for name in self.points.iter().chain(&self.snapshots).filter_map(|name| PointName::parse(name)) {
            counts.entry(name.rule).or_default().insert(name.slot.to_string());
        }
        counts.retain(|_, slots| slots.len() >= RESTORABLE_AFTER_DELETION_BY_HAND);
        self.deleted_by_hand.retain(|rule| !counts.contains_key(rule));
        if let Some(read) = &mut self.read_since_adopted {
            read.extend(counts.into_keys());
        }
    }

    /// Whether people deleted points of a rule, or may have, and too few restorable ones were read since.
    pub fn doubts(&self, rule: &str) -> bool {
        self.deleted_by_hand.contains(rule) || self.read_since_adopted.as_ref().is_some_and(|read| !read.contains(rule))
    }

    /// The deletion of a point that was begun.
    pub fn deletion(&self, point: &str) -> Option<&Deletion> {
        self.deletions.iter().find(|deletion| deletion.point == point)
    }

    /// True when the deletion of a point is not to be tried yet.
    pub fn waits(&self, point: &str, now: Timestamp) -> bool {
        self.deletion(point).is_some_and(|deletion| deletion.again_at > now)
    }

    /// Notes an attempt before it is made.
    pub fn attempt(&mut self, point: &str, names: Vec<String>, policy: &str, now: Timestamp) {
        let known = self.deletion(point).cloned();
        self.deletions.retain(|deletion| deletion.point != point);
        let attempts = known.as_ref().map_or(0, |known| known.attempts).saturating_add(1);
        self.deletions.push(Deletion {
            point: point.to_owned(),
            names,
            policy: policy.to_owned(),
            since: known.map_or(now, |known| known.since),
            attempts,
            again_at: now.checked_add(wait_after(attempts)).unwrap_or(Timestamp::MAX),
            last: "asked".to_owned(),
        });
    }

    /// Notes what came of an attempt.
    pub fn came_of(&mut self, point: &str, last: &str) {
        for deletion in self.deletions.iter_mut().filter(|deletion| deletion.point == point) {
            last.clone_into(&mut deletion.last);
        }
    }

    /// A point stays after all: nothing of its deletion is under way, and it is not due any more.
    pub fn give_up(&mut self, point: &str) -> Option<Deletion> {
        let at = self.deletions.iter().position(|deletion| deletion.point == point)?;
        Some(self.deletions.remove(at))
    }

    /// A point is *gone*.
    pub fn settle(&mut self, point: &str) -> Option<Deletion> {
        let at = self.deletions.iter().position(|deletion| deletion.point == point)?;
        let deletion = self.deletions.remove(at);
        for name in &deletion.names {
            self.points.remove(name);
            self.snapshots.remove(name);
        }
        Some(deletion)
    }
}

impl Deletion {
    /// True when somebody must be told that it does not come through.
    pub fn is_alarming(&self) -> bool {
        self.attempts > ATTEMPTS_UNTOLD_MAX
    }

    /// True at the first attempt of which somebody must be told.
    pub fn is_first_alarming(&self) -> bool {
        self.attempts == ATTEMPTS_UNTOLD_MAX + 1
    }
}

fn wait_after(attempts: u32) -> SignedDuration {
    let doublings = attempts.saturating_sub(1).min(8);
    FIRST_WAIT.checked_mul(1 << doublings).unwrap_or(WAIT_MAX).min(WAIT_MAX)
}

fn blob_name(collection: &ResourceId) -> String {
    format!("expiry/{}.json", hash(&[&collection.as_str().to_lowercase()]))
}

async fn write(store: &Store, name: &str, record: &impl Serialize, read: Option<ETag>) -> Result<ETag, SwapError> {
    let bytes = serde_json::to_vec(record).map_err(SwapError::Unwritable)?;
    let condition = read.map_or(Condition::IfAbsent, Condition::IfMatch);
    Ok(store.put(name, bytes.into(), condition).await?)
}

#[cfg(test)]
mod tests;
