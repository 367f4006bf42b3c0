//! The rig: simulated Azure, queue, store and Functions host in one process and one virtual time, with the real handler in the
//! middle. It never reads the wall clock, and never tells what is protected by asking the product.
//!
//! ```text
//! World (ARM, events) ──► gateway ──► stand-in host ──► handler's router, made anew at each start
//!   ▲       Bus ─────────────────────────┘                     │
//!   └──────── Blobs ◄──────────────── tap ◄────────────────────┘
//! ```

mod app;
pub(crate) mod handlers;
mod stored;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use azure_core::http::HttpClient;
use jiff::Timestamp;
use lifeboat_execution::policies;
use lifeboat_execution::{Connections, Onlooker, Settings};
use lifeboat_simulator::azure::blobs::Blobs;
use lifeboat_simulator::bus::{Bus, QueueOptions};
use lifeboat_simulator::clock::Clock;
use lifeboat_simulator::host::{Invocation, Keys, LogLevel, RawRequest, RawResponse, TimerStatusStore};

use crate::azure::Azure;
use crate::gateway::Gateway;
use crate::identity::Identity;
use crate::ledgers::{self, Ledger};
use crate::tap::Wire;
use app::App;
use handlers::{handlers, settings};
pub use stored::{init, push};

/// When every rig starts: a Sunday morning, a minute past a sweep's time.
pub const EPOCH: &str = "2026-11-22T10:01:00Z";
/// The subscription in scope.
pub const SUBSCRIPTION: &str = "00000000-0000-4000-8000-00000000000a";
/// Another subscription, in scope only where a rig is made over it.
pub const SECOND: &str = "00000000-0000-4000-8000-00000000000b";
/// The group of the machines.
pub const GROUP: &str = "rg-app";
/// The region of the machines.
pub const LOCATION: &str = "westeurope";
/// The container that is the store.
pub const CONTAINER: &str = "lifeboat";
/// The id of the estate record that the rig begins with.
pub const ESTATE: &str = "00000000-0000-4000-8000-0000000000e5";
/// The queue.
pub const QUEUE: &str = "reconcile";
/// The deployment's id.
pub const DEPLOYMENT: &str = "lb-weu";
/// As `infra` sets it: ten deliveries burn in seconds.
const DELIVERIES_MAX: u32 = 50;
/// Starts of handlers in one run, at most, so that no two of two runs throw the same dice.
const STARTS_MAX: u64 = 1_000_003;
/// `functionTimeout` of host.json.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(600);

/// What the identity may do: the actions of all roles that `infra/app/roles.bicep` loads.
pub fn actions() -> &'static [&'static str] {
    static ACTIONS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
        let roles: serde_json::Value =
            serde_json::from_str(include_str!("../../infra/app/role-actions.json")).expect("the roles are JSON");
        let actions =
            roles.as_array().into_iter().flatten().flat_map(|role| role["actions"].as_array().into_iter().flatten());
        let actions = actions.map(|entry| entry["action"].as_str().expect("an action").to_owned());
        let actions: std::collections::BTreeSet<String> = actions.collect();
        actions.into_iter().map(|action| &*action.leak()).collect()
    });
    &ACTIONS
}

/// The rig.
pub struct Rig {
    /// The one clock.
    pub clock: Clock,
    /// When the rig started.
    pub epoch: Timestamp,
    /// ARM, Resource Graph, Event Grid, identities.
    pub azure: Azure,
    /// The store.
    pub blobs: Blobs,
    /// The queue.
    pub bus: Bus,
    /// Every call that the handler made.
    pub wire: Wire,
    /// The app's address.
    pub gateway: Gateway,
    settings: Settings,
    skew: Arc<AtomicI64>,
    tells: Arc<AtomicBool>,
    app: App,
    transport: Arc<dyn HttpClient>,
    guard: Option<tokio::task::JoinHandle<()>>,
    past: Vec<Invocation>,
}

impl Rig {
    /// A rig with an enforcing policy in its store, a subscription, an identity, and the host switched on.
    pub async fn new(seed: u64) -> Self {
        let rig = Self::without_host(seed);
        rig.write_policy(&crate::policy::document("enforce", "24h"));
        let mut rig = rig;
        rig.host_on().await;
        rig
    }

    /// The same, with nothing but the estate record in the store and the host off.
    pub fn without_host(seed: u64) -> Self {
        Self::starting_at(EPOCH.parse().expect("a time"), seed)
    }

    /// The same, at another time.
    pub fn starting_at(epoch: Timestamp, seed: u64) -> Self {
        Self::over(&[SUBSCRIPTION], epoch, seed)
    }

    /// The same, with these subscriptions in scope.
    pub fn over(subscriptions: &[&str], epoch: Timestamp, seed: u64) -> Self {
        let clock = Clock::starting_at(epoch);
        let gateway = Gateway::default();
        let azure = Azure::over(subscriptions, &clock, seed);
        let subscriptions = subscriptions.iter().map(|id| (*id).to_owned()).collect();
        let settings = Settings { subscriptions, ..settings() };
        let (blobs, bus) =
            azure.store_and_queue(QueueOptions { max_delivery_count: DELIVERIES_MAX, ..QueueOptions::new(QUEUE) });
        blobs.create_container(CONTAINER);
        init(&blobs, epoch);
        let wire = Wire::new(clock.clone());
        let dying = gateway.clone();
        wire.kills_by(Arc::new(move || {
            if let Some(host) = dying.host() {
                host.kill_handler();
            }
        }));
        azure.subscribe_events(&gateway, false);
        let transport: Arc<dyn HttpClient> = wire.tap(azure.transport(&blobs, &bus));
        let skew = Arc::new(AtomicI64::new(0));
        let own = (clock.clone(), Arc::clone(&skew));
        let tells = Arc::new(AtomicBool::new(false));
        let told = (settings.clone(), Arc::clone(&tells));
        let factory = handlers(Arc::clone(&transport), azure.identity_header(), own, seed, told, azure.authority());
        let timers = TimerStatusStore::default();
        let app = App {
            clock: clock.clone(),
            bus: bus.clone(),
            factory,
            timers,
            gateway: gateway.clone(),
            seed,
            polls: false,
        };
        Self {
            clock,
            epoch,
            azure,
            blobs,
            bus,
            wire,
            gateway,
            settings,
            skew,
            tells,
            app,
            transport,
            guard: None,
            past: Vec::new(),
        }
    }

    /// Puts a bundle with one policy document in force, whether it can be read or not.
    pub fn write_policy(&self, text: &str) {
        self.write_policies(&[("production.yaml", text)]);
    }

    /// Puts a bundle with these documents in force, whether they can be read or not.
    pub fn write_policies(&self, documents: &[(&str, &str)]) {
        push(&self.blobs, documents, self.clock.now());
    }

    /// Takes the pointer to the policies out of the store.
    pub fn remove_policy(&self) {
        self.blobs.remove(CONTAINER, policies::CURRENT);
    }

    /// How a person reaches the simulated Azure from their own machine, with all rights that the handler has.
    pub fn connections(&self) -> Connections {
        let credential = Identity::new(Arc::clone(&self.transport), self.azure.identity_header());
        let own = lifeboat_execution::clock::Clock::starting_at(self.clock.now());
        Connections::new(Arc::clone(&self.transport), credential, own, self.app.seed)
    }

    /// A person's eyes on the deployment.
    pub fn onlooker(&self) -> Onlooker {
        let places = handlers::places();
        Onlooker::connect(&self.connections(), &places.arm_url, Some(&places.store_url), self.settings.clone())
            .expect("the places are places")
    }

    /// Lets the timer of the poll fire every minute from now on, and that of readiness every half hour. Elsewhere they are switched off: with
    /// no recovery plan in force they do nothing, and a month of that nothing would be most of what a simulation does.
    pub async fn poll_every_minute(&mut self) {
        self.app.polls = true;
        if self.gateway.host().is_some() {
            self.host_off(false).await;
            self.host_on().await;
        }
    }

    /// Switches the host on; the platform starts it again when it ends by itself.
    pub async fn host_on(&mut self) {
        if self.gateway.host().is_none() {
            self.app.start().await;
            let app = self.app.clone();
            self.guard = Some(tokio::spawn(app.watch()));
        }
    }

    /// Switches the host off: at once, as a lost machine, or after what is in flight was waited for.
    pub async fn host_off(&mut self, at_once: bool) {
        if let Some(guard) = self.guard.take() {
            guard.abort();
        }
        if let Some(host) = self.gateway.put(None) {
            if !at_once {
                host.stop().await;
            }
            self.past.extend(host.invocations());
        }
    }

    /// Kills the handler; the host starts it again.
    pub fn kill_handler(&self) -> bool {
        self.gateway.host().is_some_and(|host| host.kill_handler())
    }

    /// Fires the sweep's timer, and waits until what it started has ended.
    pub async fn sweep(&self) {
        if let Some(host) = self.gateway.host() {
            host.fire_timer("PolicySweep").await;
            host.idle().await;
        }
    }

    /// Fires the timer of expiry, and waits until what it started has ended.
    pub async fn expire(&self) {
        if let Some(host) = self.gateway.host() {
            host.fire_timer("ExpirySweep").await;
            host.idle().await;
        }
    }

    /// What the host that runs has logged for a function, oldest first.
    pub fn said_by(&self, function: &str) -> Vec<String> {
        let category = format!("Function.{function}");
        let logs = self.gateway.host().map(|host| host.logs()).unwrap_or_default();
        logs.into_iter().filter(|line| line.category.starts_with(&category)).map(|line| line.text).collect()
    }

    /// Asks the Api as a person does who has the function key and may read.
    pub async fn ask(&self, path: &str) -> (u16, serde_json::Value) {
        let Some(host) = self.gateway.host() else { return (503, serde_json::Value::Null) };
        let request = RawRequest::new("GET", path)
            .with("Host", "127.0.0.1")
            .with("Accept", "application/json")
            .with("Authorization", format!("Bearer {}", self.azure.reads()))
            .with("x-functions-key", Keys::default().host);
        let answer: Option<RawResponse> = host.call(&request).await;
        answer.map_or((503, serde_json::Value::Null), |answer| {
            (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
        })
    }

    /// Orders something of the Api as whoever has the function key does.
    pub async fn order(&self, path: &str, body: &serde_json::Value) -> (u16, serde_json::Value) {
        let Some(host) = self.gateway.host() else { return (503, serde_json::Value::Null) };
        let body = body.to_string();
        let mut request = RawRequest::new("POST", path)
            .with("Host", "127.0.0.1")
            .with("Content-Type", "application/json")
            .with("Content-Length", body.len().to_string())
            .with("x-functions-key", Keys::default().host);
        request.body = body.into_bytes().into();
        let answer: Option<RawResponse> = host.call(&request).await;
        answer.map_or((503, serde_json::Value::Null), |answer| {
            (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
        })
    }

    /// Lets time pass.
    pub async fn run(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Lets quiet time pass, in which no timer fires.
    pub async fn skip_to(&self, at: Timestamp) {
        if let Some(host) = self.gateway.host() {
            host.hold_timers_until(at);
        }
        self.clock.sleep_until(at).await;
    }

    /// Handlers that start from now on have a clock that is so much ahead of Azure's.
    pub fn set_skew(&self, seconds: i64) {
        self.skew.store(seconds, Ordering::Relaxed);
    }

    /// Handlers that start from now on have a topic to tell what they do; the rig begins without one.
    pub fn tells_events(&self) {
        self.tells.store(true, Ordering::Relaxed);
    }

    /// Lets time pass until nothing waits and nothing is under way, for so long at most; says whether it came to that.
    pub async fn settle(&self, at_most: Duration) -> bool {
        const STEP: Duration = Duration::from_secs(1);
        let until = tokio::time::Instant::now() + at_most;
        while tokio::time::Instant::now() < until {
            tokio::time::sleep(STEP).await;
            if self.is_quiet() {
                return true;
            }
        }
        false
    }

    /// Whether nothing waits and nothing is under way.
    pub fn is_quiet(&self) -> bool {
        let waits = |queue| {
            let counts = self.bus.counts(queue);
            counts.active + counts.scheduled + counts.locked
        };
        let in_flight = self.gateway.host().map_or(0, |host| host.in_flight());
        waits(QUEUE) + waits(lifeboat_contract::sagas::QUEUE) + in_flight == 0 && self.azure.is_quiet()
    }

    /// What the host that runs has logged as an error, oldest first.
    pub fn errors(&self) -> Vec<String> {
        let logs = self.gateway.host().map(|host| host.logs()).unwrap_or_default();
        let errors = logs.into_iter().filter(|line| matches!(line.level, LogLevel::Error | LogLevel::Warning));
        errors.map(|line| format!("{} {}", line.at, line.text)).collect()
    }

    /// All invocations, oldest first, over all hosts.
    pub fn invocations(&self) -> Vec<Invocation> {
        let now = self.gateway.host().map(|host| host.invocations()).unwrap_or_default();
        self.past.iter().cloned().chain(now).collect()
    }

    /// The store's ledgers; panics with the fault when one does not verify.
    pub fn ledgers(&self) -> Vec<Ledger> {
        match ledgers::read_all(&self.blobs) {
            Ok(ledgers) => ledgers,
            Err((name, fault)) => panic!("{name}: {fault}"),
        }
    }

    /// The store's ledgers, or the first one's fault.
    pub fn read_ledgers(&self) -> Result<Vec<Ledger>, String> {
        ledgers::read_all(&self.blobs).map_err(|(name, fault)| format!("{name}: {fault}"))
    }

    /// How long after the start that was.
    pub fn since_start(&self, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(self.epoch)).unwrap_or_default()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(guard) = self.guard.take() {
            guard.abort();
        }
        self.gateway.put(None);
    }
}
