//! Event Grid: takes the events that ARM raises to whoever subscribed, as often as it must.
//! It never promises order, and never delivers what an order told it to lose.

mod delivery;
mod orders;
mod payload;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;

use crate::clock::Clock;

pub use self::delivery::{DeliveryOutcome, DeliveryRecord};
pub use self::orders::{EventEffect, EventOrder};
pub use self::payload::EventSchema;

pub(crate) use self::payload::{Outcome, Raised, Verb};

/// From an event to its first delivery, in milliseconds. *Assumed* (`eventgrid-latency`): usual, no source gives a figure.
const LATENCY_MS: i64 = 500;
/// Published events that are kept, to be looked at and sent again.
const EVENTS_KEPT: usize = 20_000;
/// Records of deliveries that are kept.
const RECORDS_KEPT: usize = 100_000;

/// Where events go.
#[derive(Clone)]
pub enum EventTarget {
    /// A webhook.
    Url(String),
    /// A router in this process, and the path with its query.
    InProcess(Router, String),
}

/// Who gets which events, and how.
#[derive(Clone, Debug)]
pub struct EventSubscription {
    /// Its name.
    pub name: String,
    /// The subscription whose events it gets; all of them when `None`.
    pub source: Option<String>,
    /// Event types; all when empty.
    pub included_event_types: Vec<String>,
    /// `StringIn data.operationName`, whatever the casing; all when empty.
    pub operation_names: Vec<String>,
    /// The schema.
    pub schema: EventSchema,
    /// Where to.
    pub target: EventTarget,
    /// Attempts before an event is given up (documented: 30).
    pub max_attempts: u32,
    /// How long an event is tried (documented: a day).
    pub time_to_live: SignedDuration,
}

/// An event that was published.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishedEvent {
    /// Its id.
    pub id: String,
    /// When it was raised.
    pub at: Timestamp,
    /// Its type.
    pub event_type: String,
    /// What was done, as `Microsoft.Compute/virtualMachines/write`.
    pub operation_name: String,
    /// The resource.
    pub subject: String,
    /// What ties events of one cause together.
    pub correlation_id: String,
}

/// The service. Clones are the same one.
#[derive(Clone)]
pub struct EventGrid {
    clock: Clock,
    tenant: String,
    grid: Arc<Mutex<Grid>>,
    /// Wakes who waits for a time, after the clock jumped.
    jumped: Arc<Notify>,
    /// Wakes events that were held to be overtaken.
    passed: Arc<Notify>,
    /// Wakes who waits for deliveries.
    delivered: Arc<Notify>,
}

#[derive(Default)]
struct Grid {
    subscriptions: Vec<EventSubscription>,
    orders: Vec<EventOrder>,
    events: VecDeque<Raised>,
    records: VecDeque<DeliveryRecord>,
    under_way: usize,
    http: Option<reqwest::Client>,
}

impl EventSubscription {
    /// All successful writes of virtual machines, in Event Grid's schema.
    pub fn machine_writes(name: &str, target: EventTarget) -> Self {
        Self {
            name: name.to_owned(),
            source: None,
            included_event_types: vec!["Microsoft.Resources.ResourceWriteSuccess".to_owned()],
            operation_names: vec!["Microsoft.Compute/virtualMachines/write".to_owned()],
            schema: EventSchema::EventGridSchema,
            target,
            max_attempts: 30,
            time_to_live: SignedDuration::from_hours(24),
        }
    }

    /// All successful deletes of virtual machines, in Event Grid's schema.
    pub fn machine_deletes(name: &str, target: EventTarget) -> Self {
        Self {
            included_event_types: vec!["Microsoft.Resources.ResourceDeleteSuccess".to_owned()],
            operation_names: vec!["Microsoft.Compute/virtualMachines/delete".to_owned()],
            ..Self::machine_writes(name, target)
        }
    }

    /// In another schema.
    pub fn in_schema(mut self, schema: EventSchema) -> Self {
        self.schema = schema;
        self
    }

    fn wants(&self, event: &Raised) -> bool {
        let is = |one: &String, other: &str| one.eq_ignore_ascii_case(other);
        let (kind, types, operations) = (event.event_type(), &self.included_event_types, &self.operation_names);
        self.source.as_ref().is_none_or(|source| is(source, event.subscription()))
            && (types.is_empty() || types.iter().any(|one| is(one, &kind)))
            && (operations.is_empty() || operations.iter().any(|one| is(one, &event.operation_name)))
    }
}

impl EventGrid {
    /// Without subscriptions: events are kept, and go nowhere.
    pub fn new(clock: Clock, tenant: impl Into<String>) -> Self {
        Self {
            clock,
            tenant: tenant.into(),
            grid: Arc::default(),
            jumped: Arc::default(),
            passed: Arc::default(),
            delivered: Arc::default(),
        }
    }

    /// Adds a subscription, or replaces the one of that name.
    pub fn subscribe(&self, subscription: EventSubscription) {
        let mut grid = self.grid();
        grid.subscriptions.retain(|one| one.name != subscription.name);
        grid.subscriptions.push(subscription);
    }

    /// Removes a subscription; says whether it was there.
    pub fn unsubscribe(&self, name: &str) -> bool {
        let mut grid = self.grid();
        let before = grid.subscriptions.len();
        grid.subscriptions.retain(|one| one.name != name);
        grid.subscriptions.len() < before
    }

    /// Gives an order about events to come. Of several that match an event the first strikes.
    pub fn order(&self, order: EventOrder) {
        self.grid().orders.push(order);
    }

    /// Takes back all orders.
    pub fn clear_orders(&self) {
        self.grid().orders.clear();
    }

    /// What was published, oldest first.
    pub fn events(&self) -> Vec<PublishedEvent> {
        self.grid().events.iter().map(published).collect()
    }

    /// The whole body of a published event.
    pub fn event_body(&self, id: &str, schema: EventSchema) -> Option<Value> {
        self.grid().events.iter().find(|event| event.id == id).map(|event| event.json(schema, &self.tenant))
    }

    /// Delivers a published event again, this often, so much later; says whether it is known.
    pub fn send_again(&self, id: &str, copies: u32, delay: SignedDuration) -> bool {
        let found = self.grid().events.iter().find(|event| event.id == id).cloned();
        let known = found.is_some();
        if let Some(event) = found {
            self.start(&event, copies, delay, false);
        }
        known
    }

    /// All deliveries so far, oldest first.
    pub fn deliveries(&self) -> Vec<DeliveryRecord> {
        self.grid().records.iter().cloned().collect()
    }

    /// Deliveries that are still being tried.
    pub fn under_way(&self) -> usize {
        self.grid().under_way
    }

    /// Waits until nothing is being tried any more.
    pub async fn idle(&self) {
        loop {
            let delivered = self.delivered.notified();
            tokio::pin!(delivered);
            delivered.as_mut().enable();
            if self.under_way() == 0 {
                return;
            }
            delivered.await;
        }
    }

    /// Lets who waits for a time look at the clock again.
    pub fn clock_jumped(&self) {
        self.jumped.notify_waiters();
    }

    /// Takes an event, and delivers it as the orders say.
    pub(crate) fn publish(&self, event: Raised) {
        let effect = {
            let mut grid = self.grid();
            let effect = grid.orders.iter_mut().find_map(|order| order.strikes(&event));
            grid.orders.retain(|order| !order.is_spent());
            grid.events.push_back(event.clone());
            if grid.events.len() > EVENTS_KEPT {
                grid.events.pop_front();
            }
            effect
        };
        match effect {
            None => self.start(&event, 1, SignedDuration::ZERO, false),
            Some(EventEffect::Drop) => {}
            Some(EventEffect::Duplicate { copies }) => self.start(&event, copies, SignedDuration::ZERO, false),
            Some(EventEffect::Delay { seconds }) => {
                self.start(&event, 1, SignedDuration::from_secs(seconds.into()), false)
            }
            Some(EventEffect::Reorder) => self.start(&event, 1, SignedDuration::ZERO, true),
        }
    }

    fn grid(&self) -> MutexGuard<'_, Grid> {
        self.grid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for EventGrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventGrid").finish_non_exhaustive()
    }
}

impl fmt::Debug for EventTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The query of a webhook holds its key.
            Self::Url(url) => f.debug_tuple("Url").field(&url.split('?').next()).finish(),
            Self::InProcess(..) => f.write_str("InProcess"),
        }
    }
}

fn published(event: &Raised) -> PublishedEvent {
    PublishedEvent {
        id: event.id.clone(),
        at: event.at,
        event_type: event.event_type(),
        operation_name: event.operation_name.clone(),
        subject: event.subject(),
        correlation_id: event.cause.correlation_id.clone(),
    }
}
