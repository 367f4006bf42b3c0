//! Breakers: told of when they open, listed while they are open, closed by a person.
//! It never closes one by itself, and the count beside it stays as it is when a person closes it.

use jiff::Timestamp;
use lifeboat_azure::blobs::Store;
use lifeboat_planning::allowance::Allowance;

use crate::alarms::{self, Cause, Machines, Raised};
use crate::counters::{self, BreakerRecord, Counter, FOLDER, Kind, Reserved, VERSION, blob_name};
use crate::outbox::Outbox;
use crate::swap::{self, Change, SwapError};

/// Counters read for one listing, at most: two for each of some hundred policies.
const LISTED_MAX: usize = 1_000;

/// Counts up to `wanted` before they are done, and raises the alarm where the breaker opens with it.
pub async fn reserve(
    outbox: &Outbox,
    policy: &str,
    kind: Kind,
    wanted: u32,
    allowance: Allowance,
    now: Timestamp,
) -> Result<Reserved, SwapError> {
    let reserved = counters::reserve(outbox.store(), policy, kind, wanted, allowance, now).await?;
    if reserved.opened_now {
        let what = format!(
            "{wanted} were wanted, {} of them granted; {} in 24 h is the limit ({kind} of the policy {policy})",
            reserved.granted,
            u64::from(allowance.turnover) + u64::from(allowance.beyond),
        );
        let raised = Raised { cause: Cause::BreakerOpen, policy: Some(policy), what, machines: Machines::Also(&[]) };
        alarms::raise(outbox, &raised, now).await;
    }
    Ok(reserved)
}

/// How many of `wanted` would be granted now. Nothing is counted and nothing opens.
pub async fn would_grant(
    store: &Store,
    policy: &str,
    kind: Kind,
    wanted: u32,
    allowance: Allowance,
    now: Timestamp,
) -> Result<u32, SwapError> {
    let known: Option<Counter> = swap::read(store, &blob_name(policy, kind), VERSION).await?;
    let mut counter = known.unwrap_or_else(|| Counter::new(policy, kind));
    Ok(counter.reserve(wanted, allowance, now).granted)
}

/// The breakers that are open, with their counters.
pub async fn open(store: &Store) -> Result<Vec<Counter>, SwapError> {
    let mut open = Vec::new();
    for name in store.list(FOLDER).await?.iter().take(LISTED_MAX) {
        let read: Option<Counter> = swap::read(store, name, VERSION).await?;
        open.extend(read.filter(|counter| counter.breaker.as_ref().is_some_and(BreakerRecord::is_open)));
    }
    Ok(open)
}

/// Closes a breaker on the order of the person with this object id, taken at that moment. False when it was not open, or opened since.
pub async fn close(
    outbox: &Outbox,
    policy: &str,
    kind: Kind,
    person: &str,
    taken_at: Timestamp,
) -> Result<bool, SwapError> {
    let store = outbox.store();
    let closed = swap::swap(store, &blob_name(policy, kind), VERSION, |known: Option<Counter>| {
        let Some(mut counter) = known else { return Change::Leave(false) };
        match counter.breaker.as_mut().filter(|breaker| breaker.is_open() && breaker.opened_at <= taken_at) {
            None => Change::Leave(false),
            Some(breaker) => {
                breaker.closed_at = Some(taken_at);
                breaker.closed_by = Some(person.to_owned());
                Change::Write(counter, true)
            }
        }
    })
    .await?;
    let others = open(store).await?.iter().any(|counter| counter.policy == policy);
    if !others {
        alarms::settle(outbox, Cause::BreakerOpen, Some(policy), taken_at).await?;
    }
    Ok(closed)
}
