//! Counts what was done in the last 24 hours, in the store, by compare-and-swap *before* it is done; the breaker lies beside the count.
//! It never counts less than was done, and never closes a breaker by itself.
//!
//! What is counted and not done, because somebody was stopped between, stays counted: a counter may only err to the safe side. So
//! counts leave it late: when a whole slice of time is over, and the clocks of all instances agree that it is.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::blobs::Store;
use lifeboat_planning::allowance::{Allowance, Breaker, Grant};
use lifeboat_planning::id::hash;
use serde::{Deserialize, Serialize};

use crate::swap::{self, Change, SwapError};

/// The version of [`Counter`] that this release writes.
pub const VERSION: u32 = 1;
/// Where the records lie.
pub const FOLDER: &str = "counters/";
/// Counts of one slice are one number: 5 minutes keep a record at some 300 numbers, and cost a day as much in exactness.
pub const SLICE: SignedDuration = SignedDuration::from_mins(5);
/// The window of the limits, with what two instances' clocks may differ by: each up to 5 minutes from Azure's (design §10).
pub const WINDOW: SignedDuration = SignedDuration::from_mins(24 * 60 + 10);
/// A person who closed a breaker is not asked again for so long.
const CLOSED_LATELY: SignedDuration = SignedDuration::from_hours(24);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Points deleted.
    Expiry,
    /// Machines whose protection in a vault was begun.
    Protection,
}

/// The counter of a policy and kind, with its breaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counter {
    /// Version of the record.
    pub version: u32,
    /// What is counted.
    pub kind: Kind,
    /// Of which policy.
    pub policy: String,
    /// What was granted, a slice each, oldest first.
    pub slices: Vec<Slice>,
    /// The breaker, once it has been open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerRecord>,
}

/// What was granted in a slice of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Slice {
    /// Its end.
    pub until: Timestamp,
    /// How many.
    pub count: u32,
}

/// A breaker that has been open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakerRecord {
    /// When it opened last.
    pub opened_at: Timestamp,
    /// How many were wanted then.
    pub wanted: u32,
    /// How many had been granted in the 24 hours before, and with that request.
    pub granted: u32,
    /// When a person closed it; none while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Who closed it: a person's object id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<String>,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// So many may be done, and are counted already.
    pub granted: u32,
    /// The breaker, where it is open, with this request or before.
    pub open: Option<BreakerRecord>,
    /// It opened with this request: somebody must be told.
    pub opened_now: bool,
}

/// Counts up to `wanted` before they are done. An error grants nothing: whether it was counted is not known, and that errs to the
/// safe side.
pub async fn reserve(
    store: &Store,
    policy: &str,
    kind: Kind,
    wanted: u32,
    allowance: Allowance,
    now: Timestamp,
) -> Result<Reserved, SwapError> {
    swap::swap(store, &blob_name(policy, kind), VERSION, |known: Option<Counter>| {
        let mut counter = known.unwrap_or_else(|| Counter::new(policy, kind));
        let before = counter.clone();
        let reserved = counter.reserve(wanted, allowance, now);
        if counter == before { Change::Leave(reserved) } else { Change::Write(counter, reserved) }
    })
    .await
}

/// The blob of a counter. A policy's name may hold what a blob's may not, and is hashed.
pub fn blob_name(policy: &str, kind: Kind) -> String {
    format!("{FOLDER}{kind}-{}.json", hash(&[policy]))
}

impl BreakerRecord {
    /// True until a person closes it.
    pub fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expiry => "expiry",
            Self::Protection => "protection",
        })
    }
}

impl Counter {
    /// A counter that has counted nothing.
    pub fn new(policy: &str, kind: Kind) -> Self {
        Self { version: VERSION, kind, policy: policy.to_owned(), slices: Vec::new(), breaker: None }
    }

    /// What was granted in the 24 hours before `now`. What lies in the future, by an instance whose clock is ahead, counts.
    pub fn used(&self, now: Timestamp) -> u32 {
        let from = now.checked_sub(WINDOW).unwrap_or(Timestamp::MIN);
        let within = self.slices.iter().filter(|slice| slice.until >= from);
        within.fold(0, |sum, slice| sum.saturating_add(slice.count))
    }

    /// The state of the breaker.
    pub fn breaker_at(&self, now: Timestamp) -> Breaker {
        match self.breaker.as_ref().map(|breaker| breaker.closed_at) {
            None => Breaker::Closed,
            Some(None) => Breaker::Open,
            Some(Some(at)) if now.duration_since(at) < CLOSED_LATELY => Breaker::ClosedLately,
            Some(Some(_)) => Breaker::Closed,
        }
    }

    /// Counts up to `wanted`, and opens the breaker where that is too many.
    pub fn reserve(&mut self, wanted: u32, allowance: Allowance, now: Timestamp) -> Reserved {
        let used = self.used(now);
        let Grant { granted, opens } = allowance.grant(used, wanted, self.breaker_at(now));
        if granted > 0 {
            self.count(granted, now);
        }
        if opens {
            let granted = used.saturating_add(granted);
            self.breaker = Some(BreakerRecord { opened_at: now, wanted, granted, closed_at: None, closed_by: None });
        }
        let open = self.breaker.clone().filter(BreakerRecord::is_open);
        Reserved { granted, open, opened_now: opens }
    }

    fn count(&mut self, granted: u32, now: Timestamp) {
        let from = now.checked_sub(WINDOW).unwrap_or(Timestamp::MIN);
        self.slices.retain(|slice| slice.until >= from);
        let until = end_of_slice(now);
        match self.slices.binary_search_by_key(&until, |slice| slice.until) {
            Ok(at) => self.slices[at].count = self.slices[at].count.saturating_add(granted),
            Err(at) => self.slices.insert(at, Slice { until, count: granted }),
        }
    }
}

/// The end of the slice that a moment is in: never before the moment, so that a count never leaves the window early.
fn end_of_slice(now: Timestamp) -> Timestamp {
    let length = SLICE.as_secs();
    let end = now.as_second().div_euclid(length).saturating_add(1).saturating_mul(length);
    Timestamp::from_second(end).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).expect("a time")
    }

    const DAY: i64 = 86_400;

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../golden/counter-v1.json");
        let counter: Counter = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
        assert_eq!((counter.kind, counter.slices.len()), (Kind::Expiry, 2));
        let written: serde_json::Value = serde_json::to_value(&counter).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
    }

    #[test]
    fn a_breaker_stays_open_until_a_person_closes_it() {
        let allowance = Allowance { turnover: 2, beyond: 3 };
        let mut counter = Counter::new("p", Kind::Expiry);
        let first = counter.reserve(9, allowance, at(0));
        assert_eq!((first.granted, first.opened_now), (5, true));
        assert_eq!(counter.used(at(DAY)), 5, "a day is counted whole");
        for days in 1..400 {
            let later = counter.reserve(9, allowance, at(days * (DAY + 7200)));
            assert_eq!(
                (later.granted, later.opened_now, later.open.is_some()),
                (2, false, true),
                "only turnover passes"
            );
        }
        let now = at(500 * DAY);
        counter.breaker.as_mut().expect("a breaker").closed_at = Some(now);
        assert_eq!(counter.reserve(5, allowance, now).granted, 5);
        let seen = counter.reserve(9, allowance, at(500 * DAY + 3600));
        assert_eq!((seen.granted, seen.opened_now), (0, false), "the person has just seen it");
        assert!(counter.reserve(9, allowance, at(502 * DAY)).opened_now);
    }

    /// One request, by an instance whose clock is this much ahead.
    #[derive(Clone, Debug)]
    struct Request {
        after: i64,
        ahead: i64,
        wanted: u32,
        closes: bool,
    }

    fn requests() -> impl Strategy<Value = Vec<Request>> {
        let one = (0i64..40_000, -300i64..=300, 0u32..12, any::<bool>())
            .prop_map(|(after, ahead, wanted, closes)| Request { after, ahead, wanted, closes });
        proptest::collection::vec(one, 1..60)
    }

    proptest! {
        /// The model keeps every grant with its true time and adds up each window by itself.
        #[test]
        fn over_any_24_hours_no_more_is_granted_than_the_limit_whatever_the_clocks_say(
            requests in requests(), turnover in 1u32..5, beyond in 0u32..9,
        ) {
            let allowance = Allowance { turnover, beyond };
            let (mut counter, mut grants, mut true_time) = (Counter::new("p", Kind::Expiry), Vec::new(), 0);
            for request in requests {
                true_time += request.after;
                let now = at(true_time + request.ahead);
                if request.closes && let Some(breaker) = &mut counter.breaker {
                    breaker.closed_at = Some(now);
                }
                let reserved = counter.reserve(request.wanted, allowance, now);
                prop_assert!(reserved.granted <= request.wanted);
                grants.push((true_time, reserved.granted));
                prop_assert!(counter.slices.len() <= 300);
            }
            for (start, _) in &grants {
                let window = grants.iter().filter(|(when, _)| (*start..=start + DAY).contains(when));
                let sum: u32 = window.map(|(_, granted)| granted).sum();
                prop_assert!(sum <= turnover + beyond, "{sum} within 24 h of {start}");
            }
        }

        /// A day's work at about the hour of the day before is done within the day and opens no breaker, with hourly requests and as
        /// little beyond turnover as a tenth.
        #[test]
        fn normal_turnover_passes_every_day(jitters in proptest::collection::vec(0i64..240, 40), tenths in 1u32..30) {
            let mut counter = Counter::new("p", Kind::Expiry);
            let allowance = Allowance { turnover: tenths * 10, beyond: tenths };
            let mut left = 0;
            for (day, jitter) in (1i64..).zip(jitters) {
                left += allowance.turnover;
                for hour in 0..24 {
                    let reserved = counter.reserve(left, allowance, at(day * DAY + hour * 3_600 + jitter));
                    prop_assert!(!reserved.opened_now, "day {} hour {}", day, hour);
                    left -= reserved.granted;
                }
                prop_assert_eq!(left, 0, "day {}", day);
            }
        }
    }
}
