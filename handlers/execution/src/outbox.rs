//! The outbox: what is told to other systems is put down in the same write as the state it tells of, and published afterwards, so that
//! no crash loses an event. It never holds up what it tells of, promises no order, and costs nothing where no topic is set.
//!
//! ```text
//! announce: outbox/<id>.json says where to look ─► the state is written, the event inside it ─► written: may be told
//!                                                                                                      │
//!      told/<n>.json: the last of them, for people ◄─ accepted ◄─ published after the invocation ◄─────┤
//!      outbox/<id>.json deleted                                   or by the sweep, from the store ◄────┘
//! ```
//!
//! Killed before the state is written, an announcement leads to a state without the event, and is dropped when it is old: nothing
//! happened. Killed after it, the sweep finds the announcement, reads the event in the state and publishes it. Killed after the
//! publication, it is published again, under the same id. Whoever has no record of their own to write puts the event alone ([`Outbox::put`]):
//! then the announcement is the state.

mod drain;
mod pending;
mod tell;
mod told;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use lifeboat_azure::blobs::{Condition, Store};
use lifeboat_azure::event_topic::Topic;
use lifeboat_contract::events::Event;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use crate::swap::{self, Change, SwapError, Tries};

pub use drain::Drained;
pub use pending::{Pending, Proof};
pub use tell::{of_alarm, of_entry};
pub use told::{Told, recent};

/// Where announcements lie: one list call says that there are none.
pub const FOLDER: &str = "outbox/";
/// Events that a record keeps, at most: the newest. Those before were told, or lie in their announcements, hours before so many more.
pub const KEPT_MAX: usize = 16;

/// What is to be told, and how. Clones share what they know.
#[derive(Clone, Debug)]
pub struct Outbox {
    store: Store,
    on: Option<Arc<On>>,
}

/// What an outbox with a topic knows.
struct On {
    topic: Topic,
    deployment: String,
    /// Written, and not told yet; of this process alone. All of it is in the store too.
    ready: Mutex<Vec<Announced>>,
    /// The topic did not answer: until then only the sweep tries, and then the next invocation tries with all that lies untold.
    rests_until: Mutex<Option<Instant>>,
    /// So much lies untold that no more is announced.
    is_full: AtomicBool,
    /// Events that were not announced because of it.
    lost: AtomicU64,
}

/// Events that are announced; they are told once their state is written and [`Outbox::written`] has heard so.
#[must_use = "nothing is told by this process before `written` has it"]
#[derive(Debug, Default)]
pub struct Announcement(Vec<Announced>);

#[derive(Clone, Debug)]
struct Announced {
    pending: Pending,
    event: Value,
}

/// A record that carries the events of its own changes.
pub trait Tells {
    /// Events that it keeps, at most.
    const KEPT_MAX: usize = KEPT_MAX;

    /// Its field `outbox`.
    fn outbox(&mut self) -> &mut Vec<Value>;
}

impl Outbox {
    /// An outbox without a topic: nothing is put into it.
    pub fn off(store: Store) -> Self {
        Self { store, on: None }
    }

    /// An outbox that tells this topic what this deployment does.
    pub fn on(store: Store, topic: Topic, deployment: &str) -> Self {
        let on = On {
            topic,
            deployment: deployment.to_owned(),
            ready: Mutex::default(),
            rests_until: Mutex::default(),
            is_full: AtomicBool::new(false),
            lost: AtomicU64::new(0),
        };
        Self { store, on: Some(Arc::new(on)) }
    }

    /// Whether anybody is told.
    pub fn is_on(&self) -> bool {
        self.on.is_some()
    }

    /// The store, for whoever writes what is told.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Says where to look for events, before the state that carries them is written at this place. It never fails: what cannot be
    /// announced is still in the state, and told by this process.
    pub async fn announce(&self, proof: &Proof, events: &[Value], now: Timestamp) -> Announcement {
        let Some(on) = self.on.as_ref().filter(|_| !events.is_empty()) else { return Announcement::default() };
        let mut announced = Vec::new();
        for event in events {
            let Some(id) = id_of(event) else { continue };
            let pending = Pending::of_state(id, proof.clone(), now);
            if on.refuses(1) {
                continue;
            }
            self.keep(&pending).await;
            announced.push(Announced { pending, event: event.clone() });
        }
        Announcement(announced)
    }

    /// The state of these events is in the store: they are told after this invocation.
    pub fn written(&self, announcement: Announcement) {
        if let Some(on) = &self.on {
            on.ready().extend(announcement.0);
        }
    }

    /// Puts an event that no record carries: its announcement holds it. Where there is a record, its own write must carry the event
    /// instead ([`Outbox::swap`], [`Outbox::announce`]), or a stop between the two writes loses one of them.
    pub async fn put(&self, event: &Event, now: Timestamp) {
        let Some(on) = self.on.as_ref().filter(|on| !on.refuses(1)) else { return };
        let event = event.to_json();
        let Some(id) = id_of(&event) else { return };
        let pending = Pending::of_event(id, event.clone(), now);
        self.keep(&pending).await;
        on.ready().push(Announced { pending, event });
    }

    /// Changes a record by compare-and-swap, as [`swap::swap`] does; the events that `change` gives beside are in the same write.
    pub async fn swap<R, T>(
        &self,
        name: &str,
        version: u32,
        now: Timestamp,
        mut change: impl FnMut(Option<R>) -> (Change<R, T>, Vec<Event>),
    ) -> Result<T, SwapError>
    where
        R: DeserializeOwned + Serialize + Tells,
    {
        if !self.is_on() {
            return swap::swap(&self.store, name, version, |known| change(known).0).await;
        }
        let mut tries = Tries::default();
        loop {
            let (known, condition) = swap::current(&self.store, name, version).await?;
            let (mut record, result, events) = match change(known) {
                (Change::Leave(result), _) => return Ok(result),
                (Change::Write(record, result), events) => (record, result, events),
            };
            let events: Vec<Value> = events.iter().map(Event::to_json).collect();
            carry_up_to(R::KEPT_MAX, record.outbox(), &events);
            let announcement = self.announce(&Proof::record(name), &events, now).await;
            if swap::put_if(&self.store, name, &record, condition).await? {
                self.written(announcement);
                return Ok(result);
            }
            // Somebody else was faster. An announcement of what nobody wrote leads to nothing, and is dropped when it is old.
            tries.again().await?;
        }
    }

    /// Writes an announcement; what fails is said.
    async fn keep(&self, pending: &Pending) {
        if let Err(error) = pending.write(&self.store, Condition::Any).await {
            tracing::warn!(error = %error, id = pending.id, "an event could not be announced; it is in what it tells of");
        }
    }
}

impl On {
    /// True where so much lies untold that this is not announced; the oldest are kept, and the loss is said.
    fn refuses(&self, events: u64) -> bool {
        let full = self.is_full.load(Ordering::Relaxed);
        if full {
            let lost = self.lost.fetch_add(events, Ordering::Relaxed) + events;
            tracing::error!(lost, "the outbox is full: an event is not told");
        }
        full
    }

    fn ready(&self) -> MutexGuard<'_, Vec<Announced>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until when the topic is left alone, or was, since it last did not answer.
    fn rests_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.rests_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("On").field("topic", &self.topic).finish_non_exhaustive()
    }
}

/// Puts events into a record's outbox, and lets the oldest go that are over the bound.
pub fn carry(outbox: &mut Vec<Value>, events: &[Value]) {
    carry_up_to(KEPT_MAX, outbox, events);
}

/// The same with a bound of the record's own.
pub fn carry_up_to(kept_max: usize, outbox: &mut Vec<Value>, events: &[Value]) {
    outbox.extend(events.iter().cloned());
    let over = outbox.len().saturating_sub(kept_max);
    outbox.drain(..over);
}

fn id_of(event: &Value) -> Option<&str> {
    event.get("id")?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_carries_its_newest_events() {
        let mut outbox = Vec::new();
        for number in 0..20 {
            carry(&mut outbox, &[json!({ "id": number })]);
        }
        assert_eq!(outbox.len(), KEPT_MAX);
        assert_eq!((outbox.first(), outbox.last()), (Some(&json!({ "id": 4 })), Some(&json!({ "id": 19 }))));
    }
}
