//! Shares Azure's budgets between processes: each moment at which one may spend is reserved in the store, by compare-and-swap.
//! It never lets more through than Azure grants, and never stops work: where the store does not take a reservation, Azure's
//! own refusal and its `Retry-After` are what is left.
//!
//! A budget is a bucket that refills steadily. Its record holds one time, the moment at which the bucket would be full of
//! debts; a reservation moves it on by one interval for each spending.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::ErrorKind;
use lifeboat_azure::blobs::Condition;
use serde::{Deserialize, Serialize};

use crate::lifeboat::Lifeboat;

/// The version of [`Record`] that this release writes.
const VERSION: u32 = 1;
/// Tries of one compare-and-swap: eight processes, each with one reservation at a time, rarely lose more often.
const TRIES_MAX: u32 = 6;
/// Wait before the second try; doubles.
const FIRST_WAIT: Duration = Duration::from_millis(20);
/// A reserved moment is good for this long; later it is given up, so that a quiet process hoards nothing.
const GOOD_FOR: SignedDuration = SignedDuration::from_secs(10);
/// A moment this close counts as now: a message would take longer.
const NOW_ENOUGH: SignedDuration = SignedDuration::from_millis(500);

/// One of Azure's budgets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    blob: String,
    /// What may be spent at once.
    burst: i64,
    /// What comes back.
    per_minute: i64,
    /// What a process reserves at once for itself.
    block: i64,
}

/// What a process has reserved and not spent yet, by budget. Lost with the process: then it is not spent at all.
#[derive(Debug, Default)]
pub struct Reserved {
    moments: Mutex<HashMap<String, VecDeque<Timestamp>>>,
    /// One reservation at a time in a process: whoever waited for it finds the block that the one before has brought.
    one_at_a_time: tokio::sync::Mutex<()>,
}

/// The record of a budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    version: u32,
    /// Everything before this moment is spent.
    spent_until: Timestamp,
}

impl Budget {
    /// Looks at machines of a subscription: each reads the machine and its collection. The collection's budget is the tighter one:
    /// 600 at once by the recorded header (`LowCostGetRestorePointSubscriptionMaximum`), refilled by a third a minute (*assumed*);
    /// the looks that come with a restore point's turn draw on it besides. No more than 80 at once, so that what they write fits
    /// the 200 writes that Resource Manager grants.
    pub fn looks(subscription: &str) -> Self {
        Self {
            blob: format!("budgets/looks-{}.json", subscription.to_lowercase()),
            burst: 80,
            per_minute: 170,
            block: 4,
        }
    }

    /// Restore points of a subscription and region: 150 at once by the recorded header (`PutRestorePointSubscriptionMaximum`),
    /// refilled by a third a minute (*assumed*: no source gives the window). A fifth of the bucket is left for others.
    pub fn restore_points(subscription: &str, region: &str) -> Self {
        let blob = format!("budgets/restore-points-{}-{region}.json", subscription.to_lowercase());
        Self { blob, burst: 120, per_minute: 50, block: 4 }
    }

    /// What it gives in a time that begins with a full bucket.
    pub fn within(&self, time: SignedDuration) -> u64 {
        let back = self.per_minute.saturating_mul(time.as_secs().max(0)) / 60;
        u64::try_from(self.burst.saturating_add(back)).unwrap_or_default()
    }

    fn interval(&self) -> SignedDuration {
        SignedDuration::from_millis(60_000 / self.per_minute)
    }

    /// The moments that `count` spendings get, and what is spent until then.
    fn reserve(&self, spent_until: Timestamp, count: i64, now: Timestamp) -> (Vec<Timestamp>, Timestamp) {
        let interval = self.interval();
        let full = now.checked_sub(interval * i32::try_from(self.burst).unwrap_or(i32::MAX)).unwrap_or(Timestamp::MIN);
        let mut at = spent_until.max(full);
        let mut moments = Vec::new();
        for _ in 0..count {
            at = at.checked_add(interval).unwrap_or(Timestamp::MAX);
            moments.push(at.max(now));
        }
        (moments, at)
    }
}

/// The moment at which one may be spent: `None` for now.
pub async fn wait_for(lifeboat: &Lifeboat, budget: &Budget) -> Option<Timestamp> {
    let now = lifeboat.clock.now();
    let moment = match lifeboat.reserved.take(&budget.blob, now) {
        Some(moment) => moment,
        None => {
            let _alone = lifeboat.reserved.one_at_a_time.lock().await;
            match lifeboat.reserved.take(&budget.blob, now) {
                Some(moment) => moment,
                None => reserve_block(lifeboat, budget, now).await?,
            }
        }
    };
    (moment.duration_since(now) > NOW_ENOUGH).then_some(moment)
}

/// Reserves a block, keeps all but the first for later, and gives the first. `None` when the store does not take it.
async fn reserve_block(lifeboat: &Lifeboat, budget: &Budget, now: Timestamp) -> Option<Timestamp> {
    let mut wait = FIRST_WAIT;
    for _ in 0..TRIES_MAX {
        let read = lifeboat.store.get(&budget.blob).await.ok()?;
        let known = read.as_ref().and_then(|(bytes, _)| serde_json::from_slice::<Record>(bytes).ok());
        let spent_until = known.map_or(Timestamp::MIN, |record| record.spent_until);
        let (moments, spent_until) = budget.reserve(spent_until, budget.block, now);
        let text = serde_json::to_vec(&Record { version: VERSION, spent_until }).ok()?;
        let condition = read.map_or(Condition::IfAbsent, |(_, etag)| Condition::IfMatch(etag));
        match lifeboat.store.put(&budget.blob, text.into(), condition).await {
            Ok(_) => return lifeboat.reserved.keep(&budget.blob, moments),
            Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::AlreadyExists) => {
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            Err(error) => {
                tracing::warn!(error = %error, "no share of a budget could be reserved");
                return None;
            }
        }
    }
    None
}

impl Reserved {
    /// The next reserved moment, those that were not used in time dropped.
    fn take(&self, budget: &str, now: Timestamp) -> Option<Timestamp> {
        let mut all = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.get_mut(budget)?;
        while own.front().is_some_and(|moment| now.duration_since(*moment) > GOOD_FOR) {
            own.pop_front();
        }
        own.pop_front()
    }

    /// Keeps moments; gives the first.
    fn keep(&self, budget: &str, moments: Vec<Timestamp>) -> Option<Timestamp> {
        let mut all = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(budget.to_owned()).or_default();
        own.extend(moments);
        own.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_bucket_is_spent_at_once_and_the_rest_comes_steadily() {
        let budget = Budget { blob: String::new(), burst: 3, per_minute: 60, block: 1 };
        let now = Timestamp::UNIX_EPOCH;
        let (moments, spent) = budget.reserve(Timestamp::MIN, 5, now);
        let after = |secs| now + SignedDuration::from_secs(secs);
        assert_eq!(moments, vec![now, now, now, after(1), after(2)]);
        let (moments, _) = budget.reserve(spent, 1, now);
        assert_eq!(moments, vec![after(3)], "a second process goes on where the first ended");
        let (moments, _) = budget.reserve(spent, 2, after(60));
        assert_eq!(moments, vec![after(60), after(60)], "a bucket fills again, and never over its brim");
        assert_eq!([0, 30, 60].map(|secs| budget.within(SignedDuration::from_secs(secs))), [3, 33, 63]);
    }

    #[test]
    fn over_any_minute_no_more_is_granted_than_burst_and_refill() {
        let budget = Budget::restore_points("s", "westeurope");
        let (moments, _) = budget.reserve(Timestamp::MIN, 1_000, Timestamp::UNIX_EPOCH);
        for (at, first) in moments.iter().enumerate() {
            let within = moments[at..].iter().filter(|moment| moment.duration_since(*first).as_secs() < 60).count();
            assert!(within <= 170, "{within} within a minute of {first}");
        }
        let last = moments.last().expect("moments").duration_since(Timestamp::UNIX_EPOCH);
        assert_eq!(last.as_secs(), 880 * 60 / 50);
    }
}
