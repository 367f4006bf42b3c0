//! The words of the points' steps: names, moments and answers as they are told.
//! It never judges anything.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::local::witness::Wrong;

/// The id of the collection that a point is in.
pub(super) fn collection_of(point: &str) -> &str {
    point.split_once("/restorePoints/").map_or(point, |(collection, _)| collection)
}

/// A moment as the names of points have it.
pub(super) fn stamp(slot: Timestamp) -> String {
    slot.strftime("%Y%m%dt%H%Mz").to_string()
}

/// The whole minute that was so long ago.
pub(super) fn minute_of(now: Timestamp, ago: SignedDuration) -> Result<Timestamp> {
    let second = now.checked_sub(ago)?.as_second();
    Ok(Timestamp::from_second(second - second.rem_euclid(60))?)
}

/// What the handler answered to an order, in a few words.
pub(super) fn said(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    match (body["error"]["message"].as_str(), body["confirmedFrom"].as_str()) {
        (Some(error), _) => error.to_owned(),
        (None, Some(from)) => {
            format!("held, because {}, for certain from {from}", body["reason"].as_str().unwrap_or_default())
        }
        (None, None) => body.to_string(),
    }
}

pub(super) fn listed(wrong: &[Wrong]) -> String {
    wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::SLOT_AGO;
    use super::*;

    #[test]
    fn a_moment_is_a_whole_minute_and_stands_in_names_as_lifeboat_writes_it() {
        let now: Timestamp = "2026-01-01T00:04:59.5Z".parse().unwrap();
        let slot = minute_of(now, SLOT_AGO).unwrap();
        assert_eq!(slot.to_string(), "2025-12-31T23:54:00Z");
        assert_eq!(stamp(slot), "20251231t2354z");
    }

    #[test]
    fn answers_to_orders_are_told_in_a_few_words() {
        assert_eq!(said(br#"{"error":{"message":"no"}}"#), "no");
        let held = said(br#"{"reason":"audit","confirmedFrom":"2026-11-25T00:00:00Z"}"#);
        assert_eq!(held, "held, because audit, for certain from 2026-11-25T00:00:00Z");
        assert_eq!(said(b"nonsense"), "null");
    }
}
