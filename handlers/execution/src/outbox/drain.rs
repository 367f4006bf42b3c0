//! Publishes what is announced: after each invocation what this process has written, and by the sweep what others could not tell.
//! It never holds up the work for longer than a few seconds, and never takes out what the topic has not accepted.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::blobs::Condition;
use lifeboat_azure::{Error, ErrorKind, event_topic};
use lifeboat_contract::events;
use serde_json::Value;
use tokio::time::Instant;

use super::pending::{Leads, Pending};
use super::{Announced, FOLDER, On, Outbox, told};
use crate::alarms::{self, Cause, Machines, Raised};
use crate::estate::{self, EstateError};
use crate::swap::SwapError;

/// How long an invocation waits for the topic: it answers in a tenth of a second, and what it does not take is the sweep's.
const OWN_WITHIN: Duration = Duration::from_secs(5);
/// How long a sweep waits for it: a fifth of the time until the next one.
const SWEEP_WITHIN: Duration = Duration::from_secs(60);
/// How long a process leaves a topic alone that did not answer, so that not every invocation waits for it: the poll of the next minute is the
/// next to try, because what lies untold may be that a region fails, and that is to be told within two minutes.
const REST: Duration = Duration::from_secs(45);
/// Announcements that a sweep follows, at most: two requests each within its time; the rest is the next one's.
const FOLLOWED_MAX: usize = 1_000;
/// Untold events, at most, before no more are announced: a week without the topic of a thousand machines that each make a point a day
/// would be more than a person wants to hear, and a list call reads so many names.
pub const BACKLOG_MAX: usize = 5_000;
/// Announcements that are younger belong to an invocation at work, which tells them itself. From one poll to the next one is longer, so that
/// what was announced before a poll is told by the one after it.
const LEFT_ALONE_FOR: SignedDuration = SignedDuration::from_secs(45);
/// Untold for longer is an alarm: three sweeps have tried.
const LATE_AFTER: SignedDuration = SignedDuration::from_mins(20);
/// Requests to the store at a time.
const PARALLEL: usize = 8;

/// What a sweep of the outbox came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Events that the topic accepted.
    pub told: usize,
    /// Events that wait on.
    pub left: usize,
    /// Announcements that led to nothing, and are dropped.
    pub dropped: usize,
}

/// What became of some events.
#[derive(Debug, Default)]
struct Delivered {
    told: usize,
    left: Vec<Announced>,
    why: Option<String>,
}

/// What announcements lead to.
#[derive(Debug, Default)]
struct Found {
    open: Vec<Announced>,
    dropped: usize,
    /// Announcements that could not be followed: their events are not told either.
    unread: usize,
}

impl Outbox {
    /// Tells what this process has written since the last time; after trouble with the topic, and where it is asked for, all that lies
    /// untold. What cannot be told now stays in the store for the next invocation after a rest, and for the sweep.
    pub async fn drain_own(&self, now: Timestamp, whole: bool) {
        let Some(on) = &self.on else { return };
        let ready = std::mem::take(&mut *on.ready());
        let rests_until = *on.rests_until();
        let whole = whole || rests_until.is_some();
        if rests_until.is_some_and(|until| Instant::now() < until) || ready.is_empty() && !whole {
            return;
        }
        let (mut more, mut unread) = (false, 0);
        let told = async {
            let mut events = ready;
            if whole {
                let names = match self.store.list(FOLDER).await {
                    Ok(names) => names,
                    Err(error) => return Delivered { left: events, why: Some(error.to_string()), told: 0 },
                };
                // What a long invocation announced at its beginning is among both.
                let own: HashSet<String> = events.iter().map(|one| one.pending.id.clone()).collect();
                let found = self.follow(&names, now).await;
                unread = found.unread;
                events.extend(found.open.into_iter().filter(|one| !own.contains(&one.pending.id)));
                more = names.len() > FOLLOWED_MAX;
            }
            if events.is_empty() {
                return Delivered::default();
            }
            match self.source(on).await {
                Ok(source) => self.deliver(on, &source, events, now).await,
                Err(error) => Delivered { left: events, why: Some(error.to_string()), told: 0 },
            }
        };
        let left = match tokio::time::timeout(OWN_WITHIN, told).await {
            Ok(Delivered { why: None, .. }) if unread > 0 => format!("{unread} announcements could not be read"),
            // The next invocation goes on with what is left; until none is, nothing is well. What could not be listed is left too.
            Ok(Delivered { left, why: None, .. }) if left.is_empty() && more => return,
            Ok(Delivered { left, why: None, .. }) if left.is_empty() => {
                on.is_full.store(false, Ordering::Relaxed);
                if on.rests_until().take().is_some() {
                    self.is_well(on, now).await;
                }
                return;
            }
            Ok(delivered) => delivered.why.unwrap_or_default(),
            Err(_) => format!("the topic did not answer within {} s", OWN_WITHIN.as_secs()),
        };
        tracing::warn!("events are told later: {left}");
        *on.rests_until() = Some(Instant::now() + REST);
        // Asked only while the topic is in trouble: how much lies untold.
        if let Ok(names) = self.store.list(FOLDER).await {
            on.is_full.store(names.len() >= BACKLOG_MAX, Ordering::Relaxed);
        }
    }

    /// Tells what lies untold in the store, oldest announcements or not: one list call where nothing does.
    pub async fn drain_all(&self, now: Timestamp) -> Drained {
        let Some(on) = &self.on else { return Drained::default() };
        let names = match self.store.list(FOLDER).await {
            Ok(names) => names,
            Err(error) => {
                tracing::warn!(error = %error, "what lies untold could not be listed; the next sweep does");
                return Drained::default();
            }
        };
        if names.is_empty() {
            on.is_full.store(false, Ordering::Relaxed);
            return Drained::default();
        }
        // In a store that is not this deployment's nothing is told, and nothing is changed.
        let Ok(source) = self.source(on).await else { return Drained { left: names.len(), ..Drained::default() } };
        let Found { open, dropped, unread } = self.follow(&names, now).await;
        let oldest = open.iter().map(|announced| announced.pending.put_at).min();
        let waiting = open.len() + unread + names.len().saturating_sub(FOLLOWED_MAX);
        let delivered = match tokio::time::timeout(SWEEP_WITHIN, self.deliver(on, &source, open, now)).await {
            Ok(delivered) => delivered,
            // What was accepted is taken out already; nobody counted it.
            Err(_) => Delivered { why: Some("the topic did not answer in time".to_owned()), ..Delivered::default() },
        };
        let drained = Drained { told: delivered.told, left: waiting - delivered.told, dropped };
        on.is_full.store(names.len().saturating_sub(drained.told) >= BACKLOG_MAX, Ordering::Relaxed);
        let late = drained.left > 0 && oldest.is_some_and(|oldest| now.duration_since(oldest) > LATE_AFTER);
        if late {
            self.alarm(on, names.len() - drained.told, delivered.why, now).await;
        } else if drained.told > 0 && drained.left == 0 {
            self.is_well(on, now).await;
        }
        drained
    }

    /// All is told again: the alarm about that closes.
    async fn is_well(&self, on: &On, now: Timestamp) {
        on.lost.store(0, Ordering::Relaxed);
        if let Err(error) = alarms::settle(self, Cause::EventsUntold, None, now).await {
            tracing::warn!(error = %error, "an alarm could not be closed");
        }
    }

    async fn alarm(&self, on: &On, untold: usize, why: Option<String>, now: Timestamp) {
        let why = why.unwrap_or_else(|| "the topic did not take them".to_owned());
        let lost = match on.lost.load(Ordering::Relaxed) {
            0 => String::new(),
            lost => format!(", and {lost} more are lost to whoever listens"),
        };
        let what = format!("{untold} events are not told{lost}: {why}");
        let raised = Raised { cause: Cause::EventsUntold, policy: None, what, machines: Machines::All(&[]) };
        alarms::raise(self, &raised, now).await;
    }

    /// What announcements lead to: events to be told, oldest first; those that lead to nothing are dropped.
    async fn follow(&self, names: &[String], now: Timestamp) -> Found {
        let follow = |name: &String| {
            let name = name.clone();
            async move {
                let pending = Pending::read(&self.store, &name).await?;
                let young = |one: &Pending| now.duration_since(one.put_at) < LEFT_ALONE_FOR;
                let Some(pending) = pending.filter(|pending| !young(pending)) else { return Ok(None) };
                let leads = pending.follow(&self.store, now).await?;
                Ok::<_, SwapError>(Some((pending, leads)))
            }
        };
        let mut followed = stream::iter(names.iter().take(FOLLOWED_MAX)).map(follow).buffered(PARALLEL);
        let mut found = Found::default();
        while let Some(one) = followed.next().await {
            match one {
                Ok(Some((pending, Leads::To(event)))) => found.open.push(Announced { pending, event }),
                Ok(Some((pending, Leads::Nowhere))) => {
                    found.dropped += 1;
                    self.take_out(&[pending]).await;
                }
                Ok(Some((_, Leads::NotYet)) | None) => {}
                Err(error) => {
                    // What is there and cannot be used waits for a person; the next one is not held up by it.
                    found.unread += usize::from(!matches!(error, SwapError::Record(_)));
                    tracing::warn!(error = %error, "an announcement cannot be followed; it stays");
                }
            }
        }
        found.open.sort_by(|one, other| {
            (one.pending.put_at, &one.pending.id).cmp(&(other.pending.put_at, &other.pending.id))
        });
        found
    }

    /// Whose events they are, by the estate record.
    async fn source(&self, on: &On) -> Result<String, EstateError> {
        let estate = estate::required(&self.store, &on.deployment).await?;
        Ok(events::source(&estate.deployment, &estate.id))
    }

    /// Publishes events in batches. What is accepted is noted and taken out; what is not stays.
    async fn deliver(&self, on: &On, source: &str, events: Vec<Announced>, now: Timestamp) -> Delivered {
        let mut delivered = Delivered::default();
        let address = |announced: Announced| {
            let event = events::with_source(announced.event.clone(), source);
            (announced, event)
        };
        let addressed: Vec<(Announced, Value)> = events.into_iter().map(address).collect();
        let mut open = batches(addressed);
        while let Some(mut batch) = open.pop() {
            let bytes: Vec<Bytes> = batch.iter().map(|(_, event)| event.to_string().into()).collect();
            match on.topic.publish(&bytes).await {
                Ok(()) => {
                    delivered.told += batch.len();
                    let sent: Vec<Value> = batch.iter().map(|(_, event)| event.clone()).collect();
                    told::note(&self.store, &sent, now).await;
                    let pending: Vec<Pending> = batch.into_iter().map(|(announced, _)| announced.pending).collect();
                    self.take_out(&pending).await;
                }
                // One of them is at fault: the others are told without it.
                Err(error) if is_of_its_content(&error) && batch.len() > 1 => {
                    let half = batch.split_off(batch.len() / 2);
                    open.extend([half, batch]);
                }
                Err(error) => {
                    let goes_on = is_of_its_content(&error);
                    delivered.why = Some(words(&error));
                    delivered.left.extend(batch.into_iter().map(|(announced, _)| announced));
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        delivered.left.extend(open.into_iter().flatten().map(|(announced, _)| announced));
        self.lift(&delivered.left).await;
        delivered
    }

    /// Puts events into their announcements whose records keep only the newest: what is proven once need not be read there again.
    async fn lift(&self, left: &[Announced]) {
        let of_record = |one: &&Announced| {
            one.pending.event.is_none() && one.pending.proof.as_ref().is_some_and(|proof| proof.position.is_none())
        };
        for one in left.iter().filter(of_record) {
            let lifted = Pending { event: Some(one.event.clone()), ..one.pending.clone() };
            if let Err(error) = lifted.write(&self.store, Condition::Any).await {
                tracing::warn!(error = %error, "an event could not be kept apart from its record");
            }
        }
    }

    async fn take_out(&self, pending: &[Pending]) {
        let delete = |pending: &Pending| {
            let name = pending.blob_name();
            async move {
                if let Err(error) = self.store.delete(&name).await {
                    tracing::warn!(error = %error, "an announcement could not be taken out; it is told again");
                }
            }
        };
        stream::iter(pending).map(delete).buffer_unordered(PARALLEL).collect::<()>().await;
    }
}

/// Events in batches that the topic takes, the first of them last: they are taken from the end.
fn batches(mut addressed: Vec<(Announced, Value)>) -> Vec<Vec<(Announced, Value)>> {
    let mut all = Vec::new();
    while !addressed.is_empty() {
        let bytes: Vec<Bytes> = addressed.iter().map(|(_, event)| event.to_string().into()).collect();
        let rest = addressed.split_off(event_topic::fit(&bytes));
        all.push(std::mem::replace(&mut addressed, rest));
    }
    all.reverse();
    all
}

/// Whether the topic refuses what is sent, and not who sends it or for now.
fn is_of_its_content(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Refused | ErrorKind::Limit)
}

fn words(error: &Error) -> String {
    let chain = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
