//! A simulated Azure Resource Manager with Compute's restore points, Resource Graph, Event Grid and the identity
//! endpoint; the blob service stands beside it.
//! It never draws lots, never reads another clock than the simulator's, and knows nothing of who calls it.
//!
//! ```text
//! request ─► passage (faults, gates) ─► registry ─► one file per resource type ─► state ─┬─► answer
//!                                                                                        ├─► graph, after its lag
//!                                                                                        └─► event_grid
//! ```

mod access;
pub mod blobs;
mod budgets;
mod call;
mod charges;
mod collections;
mod credential;
mod denials;
mod directory;
mod disk_points;
mod disks;
mod distortion;
mod errors;
mod event_grid;
mod event_topic;
mod evidence;
mod faults;
mod gates;
mod graph;
mod groups;
mod health;
pub(crate) mod heard;
mod history;
mod identity;
mod ids;
mod latencies;
mod lies;
mod linked_actions;
mod locks;
mod log;
mod machine_body;
mod machine_calls;
mod machine_view;
mod machine_writes;
mod machines;
mod networks;
mod observe;
mod operations;
mod ordering;
mod paging;
pub(crate) mod passage;
mod permissions;
mod point;
mod power;
mod public_addresses;
mod recovery;
mod regions;
mod registry;
mod restore_points;
mod seeding;
mod seeding_bodies;
mod sizes;
mod snapshots;
mod state;
mod subscriptions;
mod tags;
#[cfg(test)]
pub(crate) mod tests;
mod traffic;
mod troubles;
mod usages;
mod vaults;
mod volume;
mod volume_calls;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::clock::Clock;

pub use self::access::Grant;
pub use self::directory::{DIRECTORY_URL, Directory, PersonSeed, TokenOrder};
pub use self::disks::DiskSeed;
pub use self::event_grid::{
    DeliveryOutcome, DeliveryRecord, EventEffect, EventGrid, EventOrder, EventSchema, EventSubscription, EventTarget,
    PublishedEvent,
};
pub use self::event_topic::{Accepted, EVENTS_AUDIENCE, EventTopic, TopicTrouble};
pub use self::evidence::{evidence_ids, route_actions};
pub use self::faults::{ArmFault, ArmFaultEffect, CallMatch, RegionTrouble};
pub use self::health::{
    Availability, AvailabilityState, Chronicity, EventLevel, EventType, HealthCategory, HealthCause, Impact,
    ServiceEvent,
};
pub use self::history::{CollectionSeed, PointSeed};
pub use self::identity::{ARM_AUDIENCE, BUS_AUDIENCE, Identity, Principal, STORAGE_AUDIENCE};
pub use self::latencies::Latencies;
pub use self::linked_actions::{Expanded, Linked, expanded_rights, linked_rights};
pub use self::locks::LockLevel;
pub use self::log::{RequestCounts, RequestRecord};
pub use self::machines::{MachineSeed, Os};
pub use self::observe::{Exchange, Hook};
pub use self::point::PointView;
pub use self::public_addresses::PublicAddressSeed;
pub use self::recovery::{ReplicaSeed, ReplicaView};
pub use self::sizes::{RestrictionReason, SizeRestriction};
pub use self::subscriptions::SubscriptionState;
pub use self::traffic::{EndpointLead, EndpointSeed, ProfileSeed, ServedEndpoint, TargetState};
pub use self::vaults::{
    ItemSeed, ItemState, JobFailure, JobOperation, JobPart, PolicySeed, VaultItemView, VaultJobView, VaultPointView,
    VaultSeed,
};

use self::budgets::Budgets;
use self::faults::Candidate;
use self::log::RequestLog;
use self::state::State;

/// How ARM behaves.
#[derive(Clone, Debug)]
pub struct ArmOptions {
    /// What all identifiers come from.
    pub seed: u64,
    /// How long things take.
    pub latencies: Latencies,
    /// How long Resource Graph lags behind.
    pub graph_lag: SignedDuration,
    /// Resources on a page of a listing. *Assumed* (`arm-page-size`): no source gives Compute's figure.
    pub page_size: usize,
    /// The tenant.
    pub tenant: String,
}

/// Azure Resource Manager. Clones are the same one.
#[derive(Clone)]
pub struct Arm {
    clock: Clock,
    tenant: String,
    identity: Identity,
    event_grid: EventGrid,
    state: Arc<Mutex<State>>,
    budgets: Arc<Mutex<Budgets>>,
    faults: Arc<Mutex<Vec<ArmFault>>>,
    troubles: Arc<Mutex<BTreeMap<String, RegionTrouble>>>,
    log: Arc<Mutex<RequestLog>>,
    observer: observe::Observer,
    /// Wakes who waits for a time, after the clock jumped.
    jumped: Arc<Notify>,
}

impl Default for ArmOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            latencies: Latencies::default(),
            graph_lag: SignedDuration::from_secs(10),
            page_size: 100,
            tenant: "11111111-2222-4333-8444-555555555555".to_owned(),
        }
    }
}

impl Arm {
    /// An empty Azure.
    pub fn new(clock: Clock, identity: Identity, event_grid: EventGrid, options: ArmOptions) -> Self {
        let ArmOptions { seed, latencies, graph_lag, page_size, tenant } = options;
        Self {
            clock,
            tenant,
            identity,
            event_grid,
            state: Arc::new(Mutex::new(State::new(seed, latencies, page_size, graph_lag))),
            budgets: Arc::default(),
            faults: Arc::default(),
            troubles: Arc::default(),
            log: Arc::default(),
            observer: observe::Observer::default(),
            jumped: Arc::default(),
        }
    }

    /// ARM as an HTTP service, for a listener or for calls inside the process.
    pub fn router(&self) -> Router {
        Router::new().fallback(passage::serve).with_state(self.clone())
    }

    /// Orders a fault. Of several that match a call the first ordered one strikes.
    pub fn fault(&self, fault: ArmFault) {
        lock(&self.faults).push(fault);
    }

    /// Takes back all faults that have not struck.
    pub fn clear_faults(&self) {
        lock(&self.faults).clear();
    }

    /// How many ordered faults can still strike.
    pub fn faults_left(&self) -> usize {
        lock(&self.faults).len()
    }

    /// Puts a region in trouble, or out of it.
    pub fn set_region(&self, region: &str, trouble: Option<RegionTrouble>) {
        let (mut troubles, region) = (lock(&self.troubles), region.to_ascii_lowercase());
        let now = self.clock.now();
        {
            let mut state = self.state();
            state.settle(now);
            state.recovery.set_lost(&region, trouble == Some(RegionTrouble::Down));
        }
        match trouble {
            Some(trouble) => troubles.insert(region, trouble),
            None => troubles.remove(&region),
        };
    }

    /// What was counted.
    pub fn counts(&self) -> RequestCounts {
        let counts = self.log().counts();
        RequestCounts { restore_points_created: self.state().points_created, ..counts }
    }

    /// The latest requests, oldest first.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.log().records()
    }

    /// Starts counting anew.
    pub fn forget_requests(&self) {
        self.log().forget();
    }

    /// When something will happen by itself; for a driver that jumps the clock from event to event.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.state().next_due()
    }

    /// Lets everything happen that is due, and wakes who waits for a time: needed after a jump of the clock, which
    /// tokio's timers do not notice.
    pub fn clock_jumped(&self) {
        self.settle();
        self.jumped.notify_waiters();
        self.event_grid.clock_jumped();
    }

    fn settle(&self) {
        let now = self.clock.now();
        self.state().settle(now);
        self.after_change();
    }

    /// Publishes what was raised, and sees to it that what is due later happens then.
    fn after_change(&self) {
        let (raised, fresh) = {
            let mut state = self.state();
            (std::mem::take(&mut state.raised), state.take_fresh())
        };
        for event in raised {
            self.event_grid.publish(event);
        }
        for at in fresh {
            let arm = self.clone();
            tokio::spawn(async move {
                arm.wait_until(at).await;
                arm.settle();
            });
        }
    }

    async fn wait_until(&self, at: Timestamp) {
        loop {
            let jumped = self.jumped.notified();
            tokio::select! {
                () = self.clock.sleep_until(at) => return,
                () = jumped => {}
            }
        }
    }

    fn strike(&self, call: Candidate<'_>) -> Option<ArmFaultEffect> {
        let mut faults = lock(&self.faults);
        let effect = faults.iter_mut().find_map(|fault| fault.strikes(call));
        faults.retain(|fault| !fault.is_spent());
        effect
    }

    fn trouble_in(&self, region: &str) -> Option<RegionTrouble> {
        lock(&self.troubles).get(region).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn budgets(&self) -> MutexGuard<'_, Budgets> {
        lock(&self.budgets)
    }

    fn log(&self) -> MutexGuard<'_, RequestLog> {
        lock(&self.log)
    }
}

impl fmt::Debug for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arm").finish_non_exhaustive()
    }
}

/// A poisoned lock is taken all the same: one test's panic is told by that test.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
