//! The cursor of a policy sweep: which subscriptions it has judged and when each was observed, so that a sweep which is killed, or runs
//! out of its time or of Resource Graph's budget, goes on where it ended.
//!
//! It never keeps Azure's own token of a next page: nobody says how long that holds, and Graph's listing has moved on by then. And it is
//! never needed: one that cannot be read, is too old, or was made under other policies is given up, and the sweep begins anew.
//!
//! ```text
//! subscriptions in a ring, from where the last sweep came to its bound
//!   ▼ part ▼ part ▼ …        each part: observed, judged, queued; then the cursor is saved
//! ```

use std::collections::BTreeMap;

use jiff::Timestamp;
use lifeboat_azure::blobs::{Condition, ETag, Store};
use lifeboat_azure::{Error, ErrorKind};
use lifeboat_planning::sweep::still_counts;
use serde::{Deserialize, Serialize};

use crate::alarms::Tally;
use crate::record::read_up_to;
use crate::sweep_record::SweepRecordError;

/// The cursor's blob. It is beside the sweep's record and not in it: each look reads the record, and the release before this one, which
/// knows no cursor, can still read it.
pub const BLOB: &str = "sweeps/policy-cursor.json";
/// The version of [`Cursor`] that this release writes.
pub const VERSION: u32 = 1;
/// Subscriptions of one part: some ten pages of Resource Graph where each has five hundred machines, so that what is done twice after
/// a kill is seconds of work.
pub const PART_SUBSCRIPTIONS: usize = 20;
/// Subscriptions of one part of a sweep that was interrupted: as small as can be, so that it comes forward however little time it gets.
pub const RESUMED_PART_SUBSCRIPTIONS: usize = 1;

/// How far a sweep has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cursor {
    /// Version of the record.
    pub version: u32,
    /// The sweep's number: the message ids of its looks are made of it, so that a look which was queued before a kill is not queued again.
    pub number: u64,
    /// The bundle of policies that its machines were judged by.
    pub digest: String,
    /// When it began: nothing that it has seen is older.
    pub started_at: Timestamp,
    /// Looks are queued from here on: what comes before had its turn in the sweep before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Place>,
    /// Here the queueing came to its bound; none while it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Place>,
    /// Subscriptions that are judged, in lower case, and when each was observed.
    #[serde(default)]
    pub observed: BTreeMap<String, Timestamp>,
    /// What was found so far.
    #[serde(default)]
    pub found: Found,
}

/// A place in the estate: subscriptions and machines by their ids in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The subscription.
    pub subscription: String,
    /// ARM id of a machine in it; empty for the subscription's beginning.
    #[serde(default)]
    pub machine: String,
}

/// What a sweep has found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Found {
    /// Machines that were created lately.
    pub seen: u64,
    /// Of them, those without a point, for which a look was queued.
    pub created: u64,
    /// Machines that a policy covers.
    pub covered: u64,
    /// Looks that were queued for them.
    pub queued: u64,
    /// Looks that were left to the next sweep.
    pub left: u64,
    /// Subscriptions whose machines it could not be shown to see.
    pub unreadable: Vec<String>,
    /// New machines that need no further look, as in the sweep's record.
    pub settled: BTreeMap<String, Timestamp>,
    /// The oldest creation that still lacks its point.
    pub oldest_open: Option<OpenCreation>,
    /// New machines that several policies of the same highest priority match.
    pub equal: Tally,
    /// Machines without a point young enough, by policy.
    pub breached: BTreeMap<String, Breached>,
}

/// A creation that still lacks its point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenCreation {
    /// ARM id of the machine.
    pub machine: String,
    /// Its identity.
    pub vm_id: String,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Machines of a policy without a point young enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Breached {
    /// Which.
    pub machines: Tally,
    /// Of some it could not be said: the alarm is not closed.
    pub unsure: bool,
}

impl Cursor {
    /// The cursor of a sweep that begins at the first part.
    pub fn new(number: u64, digest: &str, started_at: Timestamp, from: Option<Place>) -> Self {
        let (observed, found) = (BTreeMap::new(), Found::default());
        Self { version: VERSION, number, digest: digest.to_owned(), started_at, from, to: None, observed, found }
    }

    /// Goes on with what is known, or begins anew. `completed` is the number of the last sweep that was completed, `subscriptions` what
    /// is in scope, by [`scope`].
    pub fn resume(
        known: Option<Self>,
        completed: u64,
        digest: &str,
        subscriptions: &[String],
        now: Timestamp,
    ) -> (Self, bool) {
        let Some(known) = known else { return (Self::new(completed + 1, digest, now, None), false) };
        if known.number > completed && known.digest == digest && still_counts(known.started_at, now) {
            return (known, true);
        }
        // Never the same number again: looks queued under it would be taken for those of the sweep that is given up.
        let number = known.number.max(completed) + 1;
        (Self::new(number, digest, now, known.next_from(completed, subscriptions)), false)
    }

    /// Where the sweep after this one begins: where its queueing came to the bound, else where it was given up.
    fn next_from(&self, completed: u64, subscriptions: &[String]) -> Option<Place> {
        if self.to.is_some() || self.number <= completed {
            return self.to.clone();
        }
        let left = self.part(subscriptions, 1).pop()?;
        Some(Place { subscription: left, machine: String::new() })
    }

    /// The next subscriptions to be judged, at most so many; none when all are.
    pub fn part(&self, subscriptions: &[String], at_most: usize) -> Vec<String> {
        let first = match &self.from {
            Some(from) => subscriptions.partition_point(|subscription| *subscription < from.subscription),
            None => 0,
        };
        let (before, after) = subscriptions.split_at(first);
        let ring = after.iter().chain(before);
        ring.filter(|subscription| !self.observed.contains_key(*subscription)).take(at_most).cloned().collect()
    }

    /// Reads the cursor. One that cannot be read is none.
    pub async fn read(store: &Store) -> Result<(Option<Self>, Condition), Error> {
        let Some((bytes, etag)) = store.get(BLOB).await? else { return Ok((None, Condition::IfAbsent)) };
        let cursor = read_up_to(VERSION, BLOB, &bytes)
            .inspect_err(|error| tracing::warn!(error = %error, "the sweep's cursor cannot be read: it begins anew"));
        Ok((cursor.ok(), Condition::IfMatch(etag)))
    }

    /// Saves the cursor. None when another sweep has written it since.
    pub async fn save(&self, store: &Store, condition: Condition) -> Result<Option<ETag>, SweepRecordError> {
        let text = serde_json::to_vec(self).map_err(SweepRecordError::Unwritable)?;
        match store.put(BLOB, text.into(), condition).await {
            Ok(etag) => Ok(Some(etag)),
            Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::AlreadyExists) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The subscriptions in the order in which sweeps visit them: each once, in lower case.
pub fn scope(subscriptions: &[String]) -> Vec<String> {
    let mut all: Vec<String> = subscriptions.iter().map(|one| one.to_lowercase()).collect();
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn place(subscription: &str, machine: &str) -> Place {
        Place { subscription: subscription.into(), machine: machine.into() }
    }

    fn all() -> Vec<String> {
        scope(&["C".into(), "a".into(), "b".into(), "A".into(), "d".into()])
    }

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../golden/sweep-cursor-v1.json");
        let cursor: Cursor = read_up_to(VERSION, BLOB, golden).expect("reads");
        assert_eq!((cursor.number, cursor.observed.len(), cursor.found.queued), (289, 2, 2000));
        let written: serde_json::Value = serde_json::to_value(&cursor).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
    }

    #[test]
    fn parts_go_round_the_subscriptions_once_from_where_the_sweep_begins() {
        let mut cursor = Cursor::new(1, "digest", at("2026-11-22T10:00:00Z"), Some(place("b", "/m")));
        let mut visited = Vec::new();
        loop {
            let part = cursor.part(&all(), 3);
            if part.is_empty() {
                break;
            }
            cursor.observed.extend(part.iter().map(|one| (one.clone(), at("2026-11-22T10:00:00Z"))));
            visited.push(part.concat());
        }
        assert_eq!(visited, ["bcd", "a"]);
    }

    #[test]
    fn a_sweep_goes_on_only_from_a_cursor_that_is_young_and_of_its_own_policies() {
        let (began, now) = (at("2026-11-22T10:00:00Z"), at("2026-11-22T10:05:00Z"));
        let mut known = Cursor::new(7, "digest", began, None);
        known.observed.extend([("a".to_owned(), began), ("b".to_owned(), began)]);
        let resume = |known: &Cursor, completed, digest, now| {
            Cursor::resume(Some(known.clone()), completed, digest, &all(), now)
        };
        assert_eq!(resume(&known, 6, "digest", now), (known.clone(), true));
        assert_eq!(resume(&known, 6, "digest", at("2026-11-22T11:00:00Z")), (known.clone(), true));
        let anew = |number, now, from| (Cursor::new(number, "digest", now, from), false);
        let late = at("2026-11-22T11:00:01Z");
        assert_eq!(resume(&known, 6, "digest", late), anew(8, late, Some(place("c", ""))), "what was left comes first");
        let other = Cursor { digest: "other".into(), ..known.clone() };
        assert_eq!(resume(&other, 6, "digest", now), anew(8, now, Some(place("c", ""))));
        assert_eq!(resume(&known, 7, "digest", now), anew(8, now, None), "it was completed");
        let bound = Cursor { to: Some(place("b", "/m")), ..known.clone() };
        assert_eq!(resume(&bound, 7, "digest", now), anew(8, now, Some(place("b", "/m"))), "what it left comes first");
        assert_eq!(Cursor::resume(None, 6, "digest", &all(), now), anew(7, now, None));
        let ahead = Cursor { started_at: at("2026-11-23T10:00:00Z"), ..known };
        assert_eq!(resume(&ahead, 6, "digest", now).0.number, 8, "by a clock that was wrong");
    }
}
