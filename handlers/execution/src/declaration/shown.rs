//! What people were shown of a recovery plan within the last hour: an order names the digest of one of these.
//! It never decides what got worse since (`planning::declaration` does).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::declaration::{FenceSeen, Loss, Name, Shown, StoppedBy};
use lifeboat_planning::saga::Takes;
use lifeboat_planning::signal::Origin;
use serde::{Deserialize, Serialize};

use super::record::OriginName;
use crate::orders::approvals::LAPSES_AFTER;

/// How many are kept, at most: one for each minute in which something changed.
const KEPT_MAX: usize = 60;

/// What was shown, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredShown {
    /// Its digest: what an order names.
    pub digest: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when it was so.
    pub until: Timestamp,
    /// The digest of the recovery plan.
    pub plan: String,
    /// When the open incident opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<Timestamp>,
    /// Whether a person is asked.
    pub asked: bool,
    /// Conditions that are not met, by their names.
    pub unmet: Vec<String>,
    /// What is known of stopping the old side.
    #[serde(with = "FenceWord")]
    pub fence: FenceSeen,
    /// When the source stopped serving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Timestamp>,
    /// Whose evidence says so; none where it is the last good answer to a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<OriginName>,
    /// The newest usable point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "FenceSeen", rename_all = "camelCase")]
enum FenceWord {
    NotTried,
    Confirmed,
    Impossible,
}

/// How long a failover would take until the workload serves, without the time that people take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredTakes {
    /// As a rule.
    pub usually_seconds: i64,
    /// After so long it serves, or a person was asked.
    pub at_most_seconds: i64,
    /// Questions on the way that people have to answer.
    pub questions: usize,
}

impl From<Takes> for StoredTakes {
    fn from(takes: Takes) -> Self {
        let Takes { usually, at_most, questions } = takes;
        Self { usually_seconds: usually.as_secs(), at_most_seconds: at_most.as_secs(), questions }
    }
}

impl From<StoredTakes> for Takes {
    fn from(stored: StoredTakes) -> Self {
        let span = SignedDuration::from_secs;
        let (usually, at_most) = (span(stored.usually_seconds), span(stored.at_most_seconds));
        Self { usually, at_most, questions: stored.questions }
    }
}

impl StoredShown {
    fn of(shown: &Shown, now: Timestamp) -> Self {
        let stopped_by = match shown.loss.by {
            StoppedBy::Evidence(origin) => Some(OriginName(origin)),
            StoppedBy::LastGoodProbe => None,
        };
        Self {
            digest: shown.digest(),
            since: now,
            until: now,
            plan: shown.plan.clone(),
            incident: shown.incident,
            asked: shown.asked,
            unmet: shown.unmet.iter().map(|name| name.word().to_owned()).collect(),
            fence: shown.fence,
            stopped_at: shown.loss.stopped_at,
            stopped_by,
            point_at: shown.loss.point_at,
        }
    }

    /// As planning compares it.
    pub fn shown(&self) -> Shown {
        let by = self.stopped_by.map_or(StoppedBy::LastGoodProbe, |OriginName(origin): OriginName| evidence(origin));
        let unmet: BTreeSet<Name> =
            Name::ALL.into_iter().filter(|name| self.unmet.iter().any(|word| word == name.word())).collect();
        Shown {
            plan: self.plan.clone(),
            incident: self.incident,
            asked: self.asked,
            unmet,
            fence: self.fence,
            loss: Loss { stopped_at: self.stopped_at, by, point_at: self.point_at },
        }
    }
}

fn evidence(origin: Origin) -> StoppedBy {
    StoppedBy::Evidence(origin)
}

/// Adds what is shown now to what was shown within the hour.
pub fn add(known: &[StoredShown], shown: &Shown, now: Timestamp) -> Vec<StoredShown> {
    let mut all: Vec<StoredShown> =
        known.iter().filter(|one| now.duration_since(one.until) < LAPSES_AFTER).cloned().collect();
    let next = StoredShown::of(shown, now);
    match all.last_mut().filter(|last| last.digest == next.digest) {
        // What moves with the clock alone is as it is now.
        Some(last) => *last = StoredShown { since: last.since, ..next },
        None => all.push(next),
    }
    all.drain(..all.len().saturating_sub(KEPT_MAX));
    all
}

/// What has this digest and was shown within the hour; the newest, where it came again.
pub fn find<'a>(known: &'a [StoredShown], digest: &str, now: Timestamp) -> Option<&'a StoredShown> {
    known.iter().rev().find(|one| one.digest == digest && now.duration_since(one.until) < LAPSES_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + minute * 60).expect("a time")
    }

    fn shown(unmet: &[Name]) -> Shown {
        let loss = Loss { stopped_at: Some(at(-1)), by: evidence(Origin::ResourceHealth), point_at: Some(at(-9)) };
        let unmet = unmet.iter().copied().collect();
        Shown { plan: "p".to_owned(), incident: Some(at(0)), asked: false, unmet, fence: FenceSeen::NotTried, loss }
    }

    #[test]
    fn what_was_shown_reads_as_it_was_for_an_hour_after_it_was_shown_last() {
        let one = shown(&[Name::Window, Name::Ready]);
        let mut known = add(&[], &one, at(0));
        known = add(&known, &one, at(5));
        assert_eq!((known.len(), known[0].since, known[0].until), (1, at(0), at(5)));
        assert_eq!(known[0].shown(), one);
        known = add(&known, &shown(&[]), at(6));
        assert_eq!(known.len(), 2);
        assert!(find(&known, &one.digest(), at(64)).is_some());
        assert!(find(&known, &one.digest(), at(65)).is_none());
        known = add(&known, &shown(&[]), at(65));
        assert_eq!(known.len(), 1);
    }

    #[test]
    fn as_many_are_kept_as_an_hour_has_minutes() {
        let known = (0..200).fold(Vec::new(), |known, minute| {
            let unmet: &[Name] = if minute % 2 == 0 { &[] } else { &[Name::Ready] };
            add(&known, &shown(unmet), at(minute))
        });
        assert_eq!(known.len(), KEPT_MAX);
    }
}
