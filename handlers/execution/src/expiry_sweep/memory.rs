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
    /// Reads what is remembered of a collection; nothing when it was never seen.
    pub async fn read(store: &Store, collection: &ResourceId) -> Result<Self, SwapError> {
        let name = blob_name(collection);
        let Some((bytes, etag)) = store.get(&name).await? else {
            let collection = collection.as_str().to_owned();
            return Ok(Self { version: VERSION, collection, ..Self::default() });
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
        self.deleted_by_hand
            .retain(|rule| counts.get(rule).is_none_or(|slots| slots.len() < RESTORABLE_AFTER_DELETION_BY_HAND));
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
mod tests {
    use super::*;

    fn name(day: u8) -> String {
        format!("lb-daily-202611{day:02}t0200z-1-1111111111111111-2222222222222222")
    }

    fn names(days: &[u8]) -> BTreeSet<String> {
        days.iter().map(|day| name(*day)).collect()
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + hours * 3600).expect("a time")
    }

    #[test]
    fn version_1_of_what_is_remembered_reads_as_it_was_written() {
        let golden = include_bytes!("../../golden/expiry-v1.json");
        let memory: Memory = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
        assert_eq!((memory.points.len(), memory.deletions.len()), (1, 1));
        let written: serde_json::Value = serde_json::to_value(&memory).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
    }

    #[test]
    fn version_1_of_the_course_reads_as_it_was_written() {
        let golden = include_bytes!("../../golden/expiry-course-v1.json");
        let course: Course = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
        assert_eq!((course.number, course.counted["production"].made), (7, 30));
        let written: serde_json::Value = serde_json::to_value(&course).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
    }

    #[test]
    fn what_vanishes_and_was_not_ours_to_delete_was_deleted_by_hand_until_two_are_read() {
        let mut memory = Memory::default();
        memory.points_are(names(&[1, 2, 3]));
        memory.attempt(&name(1), vec![name(1)], "production", at(0));
        memory.points_are(names(&[2, 3]));
        memory.forgive();
        assert!(memory.deleted_by_hand.is_empty(), "that was ours");
        memory.points_are(names(&[3]));
        memory.forgive();
        assert_eq!(memory.deleted_by_hand.len(), 1);
        memory.points_are(names(&[3]));
        memory.forgive();
        assert_eq!(memory.deleted_by_hand.len(), 1, "not by itself");
        memory.points_are(names(&[3, 4]));
        memory.forgive();
        assert!(memory.deleted_by_hand.is_empty());
    }

    #[test]
    fn one_that_was_ours_and_is_gone_is_no_deletion_by_hand_later() {
        let mut memory = Memory::default();
        memory.points_are(names(&[1, 2]));
        memory.attempt(&name(1), vec![name(1)], "production", at(0));
        assert!(memory.settle(&name(1)).is_some());
        memory.points_are(names(&[2]));
        assert!(memory.deleted_by_hand.is_empty());
    }

    #[test]
    fn a_count_older_than_a_day_grants_no_turnover() {
        let counted = BTreeMap::from([("production".to_owned(), Count { made: 9, points: 30 })]);
        let course = Course { counted, counted_at: Some(Timestamp::UNIX_EPOCH), ..Course::default() };
        let after = |hours: i64| course.count("production", Timestamp::from_second(hours * 3_600).expect("a time"));
        assert_eq!(after(23), Count { made: 9, points: 30 });
        assert_eq!(after(24), Count { made: 0, points: 30 });
        let unknown = Course { counted_at: None, ..course.clone() };
        assert_eq!(
            unknown.count("production", Timestamp::UNIX_EPOCH).made,
            0,
            "what does not say when is no count of today"
        );
    }

    #[test]
    fn what_went_is_in_no_share() {
        let of = |points| BTreeMap::from([("production".to_owned(), Count { made: 0, points })]);
        let mut course = Course { counted: of(30), counting: of(1), ..Course::default() };
        course.one_goes("production");
        course.one_goes("production");
        course.one_goes("another");
        assert_eq!(course.count("production", Timestamp::UNIX_EPOCH), Count { made: 0, points: 28 });
        assert_eq!(course.counting, of(0), "never below none");
        assert_eq!(course.count("another", Timestamp::UNIX_EPOCH), Count::default());
    }

    #[test]
    fn attempts_are_counted_and_come_at_growing_distances_up_to_a_day() {
        let mut memory = Memory::default();
        let mut waits = Vec::new();
        for attempt in 1..=9 {
            memory.attempt("p", vec!["p".into()], "production", at(100 * attempt));
            let deletion = memory.deletion("p").expect("noted");
            assert_eq!((i64::from(deletion.attempts), deletion.since), (attempt, at(100)));
            assert_eq!(deletion.is_alarming(), attempt > 2);
            waits.push(deletion.again_at.duration_since(at(100 * attempt)).as_mins());
        }
        assert_eq!(waits, [55, 110, 220, 440, 880, 1440, 1440, 1440, 1440]);
        assert!(memory.waits("p", at(920)) && !memory.waits("p", at(930)) && !memory.waits("q", at(0)));
    }
}
