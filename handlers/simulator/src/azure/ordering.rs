//! What a test orders past HTTP beyond machines and points: health, events, locks, sizes, quotas, rows of Resource Graph.
//! It never does what Azure could not have come to by itself.

use std::sync::Arc;

use serde_json::Value;

use super::Arm;
use super::health::{Availability, ServiceEvent};
use super::ids::key;
use super::locks::{Lock, LockLevel};
use super::sizes::SizeRestriction;

impl Arm {
    /// Says how a machine fares from now on; says whether there is one.
    pub fn set_availability(&self, machine: &str, availability: Availability) -> bool {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        state.set_availability(machine, availability, now)
    }

    /// Raises a service health event, or tells a known one anew.
    pub fn raise_service_event(&self, event: ServiceEvent) {
        let now = self.clock.now();
        self.state().raise_service_event(event, now);
    }

    /// Tells more of an event; says whether it is known.
    pub fn update_service_event(&self, tracking_id: &str, summary: &str, stage: Option<&str>) -> bool {
        let now = self.clock.now();
        self.state().update_service_event(tracking_id, summary, stage, now)
    }

    /// Says that an event is over in these regions, or everywhere when none is named; says whether it is known.
    pub fn resolve_service_event(&self, tracking_id: &str, summary: &str, regions: &[&str]) -> bool {
        let now = self.clock.now();
        self.state().resolve_service_event(tracking_id, summary, regions, now)
    }

    /// An event as it was told last.
    pub fn service_event(&self, tracking_id: &str) -> Option<ServiceEvent> {
        self.state().service_event(tracking_id)
    }

    /// Puts a lock on a subscription, a group or a resource.
    pub fn add_lock(&self, scope: &str, name: &str, level: LockLevel) {
        let lock = Lock::new(scope, name, level);
        self.state().locks.insert(key(&lock.id()), Arc::new(lock));
    }

    /// Takes a lock away; says whether it was there.
    pub fn remove_lock(&self, scope: &str, name: &str) -> bool {
        self.state().locks.remove(&key(&Lock::new(scope, name, LockLevel::NotSpecified).id())).is_some()
    }

    /// Says that a size is not to be had in a region, or is again.
    pub fn restrict_size(&self, size: &str, region: &str, restriction: Option<SizeRestriction>) {
        self.state().sizes.restrict(size, region, restriction);
    }

    /// How much of something a subscription may use in a region, as `cores` or `standardDSv5Family`.
    pub fn set_usage_limit(&self, subscription: &str, region: &str, usage: &str, limit: u32) {
        self.state().sizes.limit(subscription, region, usage, limit);
    }

    /// Puts rows into Resource Graph's tables that ARM itself does not hold. The table follows from the row's type, which is
    /// read off the id when it is missing. A row without `subscriptionId` is in every scope.
    pub fn seed_graph_rows(&self, rows: &[Value]) {
        let mut state = self.state();
        rows.iter().for_each(|row| state.graph.seed(row));
    }
}
