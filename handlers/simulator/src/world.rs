//! One simulated Azure: ARM, blobs, Service Bus, Event Grid and identities on one clock, reached in this process.
//! It never lets a call out of the process, and never decides by itself that a call dies.
//!
//! ```text
//! the product's HttpClient ─► on_call hook ─┬─ proceed ─► by host: ARM | blobs | bus | topic | identity | directory ─► answer
//!                                           ├─ die before: never answers, nothing was done
//!                                           └─ die after:  never answers, all was done
//! ```

mod transport;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use azure_core::http::HttpClient;
use jiff::SignedDuration;
use tokio::sync::Notify;
use tower::ServiceExt;

use crate::azure::blobs::Blobs;
use crate::azure::{
    Arm, ArmOptions, BUS_AUDIENCE, Directory, EventGrid, EventTopic, Grant, Identity, Latencies, MachineSeed,
    PointView, Principal, RequestCounts, STORAGE_AUDIENCE,
};
use crate::bus::{Bus, QueueOptions};
use crate::clock::Clock;

use self::transport::InProcess;

/// What `IDENTITY_ENDPOINT` is inside the process.
pub const IDENTITY_ENDPOINT: &str = "http://identity.simulated/msi/token";
/// Deliveries of a message before it is dead: what the deployment sets.
const DELIVERIES: u32 = 50;

/// How an Azure is made.
#[derive(Clone, Debug)]
pub struct WorldOptions {
    /// What all identifiers come from.
    pub seed: u64,
    /// The clock.
    pub clock: Clock,
    /// The clock of the bus. It is the same one, but where a process asks for messages by a time of its own, which no jump moves.
    pub bus_clock: Clock,
    /// How long things take, in thousandths of what was recorded.
    pub latency_factor_permille: u32,
    /// How long Resource Graph lags behind.
    pub graph_lag: SignedDuration,
    /// The queues of the namespace.
    pub queues: Vec<QueueOptions>,
}

/// Which service a host name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostKind {
    /// `management.azure.com`.
    Arm,
    /// `*.blob.core.windows.net`.
    Blobs,
    /// `*.servicebus.windows.net`.
    Bus,
    /// The identity endpoint.
    Identity,
    /// `*.eventgrid.azure.net`.
    Topic,
    /// `login.microsoftonline.com`.
    Directory,
}

/// A call that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallInfo {
    /// Its number since the hook was set, from 0.
    pub index: u64,
    /// Where it goes.
    pub host: HostKind,
    /// The method.
    pub method: String,
    /// The path without the query.
    pub path: String,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFate {
    /// It is made and answered.
    Proceed,
    /// Its caller dies before it is made.
    DieBefore,
    /// It is made, and its caller dies before the answer.
    DieAfter,
}

/// Decides the fate of each call.
pub type CallHook = Arc<dyn Fn(&CallInfo) -> CallFate + Send + Sync>;

/// One Azure. Clones are the same one.
#[derive(Clone)]
pub struct World {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    arm: Arm,
    blobs: Blobs,
    bus: Bus,
    identity: Identity,
    directory: Directory,
    event_grid: EventGrid,
    topic: EventTopic,
    routers: [(HostKind, Router); 6],
    calls: Mutex<Calls>,
    died: Notify,
}

#[derive(Default)]
struct Calls {
    hook: Option<CallHook>,
    next: u64,
    deaths: Vec<CallInfo>,
}

impl WorldOptions {
    /// The three queues of a deployment, everything as recorded.
    pub fn new(clock: Clock) -> Self {
        let queue = |name| QueueOptions { max_delivery_count: DELIVERIES, ..QueueOptions::new(name) };
        Self {
            seed: 1,
            bus_clock: clock.clone(),
            clock,
            latency_factor_permille: 1_000,
            graph_lag: SignedDuration::from_secs(10),
            queues: ["reconcile", "commands", "sagas"].map(queue).into(),
        }
    }
}

impl World {
    /// An Azure without subscriptions and principals.
    pub fn new(options: WorldOptions) -> Self {
        let WorldOptions { seed, clock, bus_clock, latency_factor_permille, graph_lag, queues } = options;
        let arm_options = ArmOptions {
            seed,
            latencies: Latencies { factor_permille: latency_factor_permille, ..Latencies::default() },
            graph_lag,
            ..ArmOptions::default()
        };
        let identity = Identity::new(clock.clone(), seed);
        // A token is judged by the clock of the process that it is for, which no jump moves.
        let directory = Directory::new(bus_clock.clone(), seed);
        let event_grid = EventGrid::new(clock.clone(), arm_options.tenant.clone());
        let arm = Arm::new(clock.clone(), identity.clone(), event_grid.clone(), arm_options);
        let blobs = Blobs::new(clock.clone()).with_token_check(identity.token_check(STORAGE_AUDIENCE));
        let bus = Bus::new(bus_clock, queues).with_token_check(identity.token_check(BUS_AUDIENCE));
        let topic = EventTopic::new(clock.clone(), identity.clone());
        let routers = [
            (HostKind::Topic, topic.router()),
            (HostKind::Arm, arm.router()),
            (HostKind::Blobs, blobs.router()),
            (HostKind::Bus, bus.router()),
            (HostKind::Identity, identity.router()),
            (HostKind::Directory, directory.router()),
        ];
        let (calls, died) = (Mutex::default(), Notify::new());
        let inner = Inner { clock, arm, blobs, bus, identity, directory, event_grid, topic, routers, calls, died };
        Self { inner: Arc::new(inner) }
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Azure Resource Manager: faults, regions, seeding, requests.
    pub fn arm(&self) -> &Arm {
        &self.inner.arm
    }

    /// The blob account.
    pub fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    /// The Service Bus namespace.
    pub fn bus(&self) -> &Bus {
        &self.inner.bus
    }

    /// Principals and tokens.
    pub fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    /// The custom topic to which events are published.
    pub fn topic(&self) -> &EventTopic {
        &self.inner.topic
    }

    /// Persons and their tokens.
    pub fn directory(&self) -> &Directory {
        &self.inner.directory
    }

    /// Event Grid.
    pub fn event_grid(&self) -> &EventGrid {
        &self.inner.event_grid
    }

    /// Adds a subscription.
    pub fn add_subscription(&self, id: &str, name: &str) {
        self.arm().add_subscription(id, name);
    }

    /// Adds a principal; the first is the system-assigned identity of the app.
    pub fn add_principal(&self, name: &str, grants: Vec<Grant>) -> Principal {
        self.identity().add_named(name, grants)
    }

    /// A token, for a test's own credential.
    pub fn token(&self, object_id: &str, audience: &str) -> String {
        self.identity().token(object_id, audience)
    }

    /// Takes actions away from a principal, wherever it has them; says whether it exists.
    pub fn deny(&self, object_id: &str, action: &str) -> bool {
        self.identity().change_grants(object_id, |grants| {
            for grant in grants {
                grant.not_actions.push(action.to_owned());
            }
        })
    }

    /// Gives back actions that were taken away; says whether the principal exists.
    pub fn allow(&self, object_id: &str, action: &str) -> bool {
        self.identity().change_grants(object_id, |grants| {
            for grant in grants {
                grant.not_actions.retain(|denied| denied != action);
            }
        })
    }

    /// Puts a machine there as if it had always been: no events. Answers its id.
    pub fn add_machine(&self, seed: &MachineSeed) -> String {
        self.arm().add_machine(seed)
    }

    /// Creates a machine as a deployment does, with both its events. Answers its id. Needs a tokio runtime.
    pub fn create_machine(&self, seed: &MachineSeed) -> Result<String, String> {
        self.arm().create_machine(seed)
    }

    /// The points of a machine over all collections, oldest first.
    pub fn points_of(&self, machine: &str) -> Vec<PointView> {
        self.arm().points_of(machine)
    }

    /// What ARM counted.
    pub fn counts(&self) -> RequestCounts {
        self.arm().counts()
    }

    /// Points that ARM accepted, ever.
    pub fn restore_points_created(&self) -> u64 {
        self.arm().restore_points_created()
    }

    /// Moves the clock, and lets everything notice.
    pub fn jump(&self, by: SignedDuration) {
        self.clock().jump(by);
        self.arm().clock_jumped();
        self.bus().clock_jumped();
    }

    /// The transport inside the process.
    pub fn http_client(&self) -> Arc<dyn HttpClient> {
        Arc::new(InProcess { world: self.clone() })
    }

    /// Lets this decide the fate of every call from now on; numbers begin at 0 again.
    pub fn on_call(&self, hook: CallHook) {
        *self.calls() = Calls { hook: Some(hook), next: 0, deaths: Vec::new() };
    }

    /// Lets every call proceed again.
    pub fn clear_on_call(&self) {
        *self.calls() = Calls::default();
    }

    /// Waits until a caller dies, and says at which call. Each death is told once.
    pub async fn death(&self) -> CallInfo {
        loop {
            let died = self.inner.died.notified();
            tokio::pin!(died);
            died.as_mut().enable();
            if let Some(first) = self.take_death() {
                return first;
            }
            died.await;
        }
    }

    /// How many calls were made since the hook was set.
    pub fn calls_made(&self) -> u64 {
        self.calls().next
    }

    fn take_death(&self) -> Option<CallInfo> {
        let mut calls = self.calls();
        if calls.deaths.is_empty() { None } else { Some(calls.deaths.remove(0)) }
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.inner.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fate of a call. Without a hook calls are counted only.
    fn fate(&self, host: HostKind, method: &str, path: &str) -> (CallInfo, CallFate) {
        let (hook, index) = {
            let mut calls = self.calls();
            calls.next += 1;
            (calls.hook.clone(), calls.next - 1)
        };
        let info = CallInfo { index, host, method: method.to_owned(), path: path.to_owned() };
        let fate = hook.map_or(CallFate::Proceed, |hook| hook(&info));
        (info, fate)
    }

    async fn die(&self, info: CallInfo) -> ! {
        self.calls().deaths.push(info);
        self.inner.died.notify_waiters();
        std::future::pending().await
    }

    async fn dispatch(&self, host: HostKind, request: http::Request<axum::body::Body>) -> axum::response::Response {
        let found = self.inner.routers.iter().find(|(kind, _)| *kind == host).map(|(_, router)| router.clone());
        match found.unwrap_or_default().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
