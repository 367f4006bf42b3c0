//! An estate of many subscriptions with the product's own hands over it, and no host: sweeps are woken by a call and can be dropped at
//! any of theirs. It never reads the wall clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use jiff::SignedDuration;
use lifeboat_execution::{Answer, Connections, Event, Lifeboat, NotDone, PolicySweep, Settings};
use lifeboat_simulator::azure::blobs::Blobs;
use lifeboat_simulator::azure::{Grant, MachineSeed};
use lifeboat_simulator::bus::{Bus, QueueOptions};
use lifeboat_simulator::clock::Clock;

use crate::azure::Azure;
use crate::identity::Identity;
use crate::rig::handlers::{places, settings};
use crate::rig::{self, CONTAINER, EPOCH, GROUP, LOCATION, QUEUE};
use crate::tap::Wire;

/// The estate.
pub struct Estate {
    /// The one clock.
    pub clock: Clock,
    /// ARM and Resource Graph.
    pub azure: Azure,
    /// The store.
    pub blobs: Blobs,
    /// The queue.
    pub bus: Bus,
    /// Every call that was made.
    pub wire: Wire,
    /// Its subscriptions.
    pub subscriptions: Vec<String>,
    transport: Arc<dyn HttpClient>,
    processes: AtomicU64,
}

/// Lets each call take its time, and measures what the other side takes of the real one.
#[derive(Debug)]
pub struct Slow {
    inner: Arc<dyn HttpClient>,
    each: Duration,
    /// Nanoseconds that the simulated services have worked.
    pub worked: AtomicU64,
}

/// The id of a subscription by its number.
pub fn subscription(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

impl Estate {
    /// So many subscriptions with so many machines each, which were there for a day, and this policy in force.
    pub fn new(subscriptions: usize, machines: usize, policy: &str) -> Self {
        let clock = Clock::starting_at(EPOCH.parse().expect("a time"));
        let azure = Azure::unwatched(&clock, 1);
        azure.identity.change_grants(&azure.principal.object_id, |grants| *grants = vec![Grant::owner()]);
        let (blobs, bus) = azure.store_and_queue(QueueOptions::new(QUEUE));
        blobs.create_container(CONTAINER);
        rig::init(&blobs, clock.now());
        rig::push(&blobs, &[("policy.yaml", policy)], clock.now());
        let subscriptions: Vec<String> = (1..=subscriptions).map(subscription).collect();
        for id in &subscriptions {
            azure.arm.add_subscription(id, id);
            azure.arm.add_group(id, GROUP, LOCATION);
            (0..machines).for_each(|number| drop(azure.arm.add_machine(&seed(id, number))));
        }
        let wire = Wire::new(clock.clone());
        let transport: Arc<dyn HttpClient> = wire.tap(azure.transport(&blobs, &bus));
        clock.jump(SignedDuration::from_hours(24));
        azure.arm.clock_jumped();
        Self { clock, azure, blobs, bus, wire, subscriptions, transport, processes: AtomicU64::new(0) }
    }

    /// Every call takes so long from now on; what is given back measures the other side.
    pub fn slow_down(&mut self, each: Duration) -> Arc<Slow> {
        let inner = self.azure.transport(&self.blobs, &self.bus);
        let slow = Arc::new(Slow { inner, each, worked: AtomicU64::new(0) });
        self.transport = self.wire.tap(Arc::clone(&slow) as Arc<dyn HttpClient>);
        slow
    }

    /// A process of the handler: nothing is kept from the one before.
    pub fn process(&self) -> Lifeboat {
        let dice = self.processes.fetch_add(1, Ordering::Relaxed) + 1;
        let credential = Identity::new(Arc::clone(&self.transport), self.azure.identity_header());
        let own = lifeboat_execution::clock::Clock::starting_at(self.clock.now());
        let connections = Connections::new(Arc::clone(&self.transport), credential, own, dice);
        let settings = Settings { subscriptions: self.subscriptions.clone(), ..settings() };
        Lifeboat::connect(connections, &places(), settings).expect("the places are places")
    }

    /// A sweep by a process of its own, in words.
    pub async fn sweep(&self) -> Result<Vec<String>, NotDone> {
        sweep(&self.process()).await
    }

    /// The machines that messages on the queue are about, oldest first; they are taken from it.
    pub fn take_looks(&self) -> Vec<String> {
        let mut machines = Vec::new();
        while let Ok(Some(locked)) = self.bus.try_receive(QUEUE) {
            let body: serde_json::Value = serde_json::from_slice(&locked.message.body).unwrap_or_default();
            machines.push(body["machine"].as_str().unwrap_or_default().to_owned());
            self.bus.complete(&locked.lock_token).expect("it is ours");
        }
        machines
    }
}

/// A sweep, in words.
pub async fn sweep(lifeboat: &Lifeboat) -> Result<Vec<String>, NotDone> {
    let fired = Event::PolicySweep(PolicySweep { past_due: false, last: None });
    match lifeboat.handle(fired).await? {
        Answer::Done(report) => Ok(report.lines),
        other => panic!("a sweep answers with a report: {other:?}"),
    }
}

/// A machine of a subscription by its number.
pub fn seed(subscription: &str, number: usize) -> MachineSeed {
    MachineSeed::new(subscription, GROUP, &format!("vm-{number:05}"), LOCATION).tag("env", "prod")
}

/// Runs work until it ends or the handler dies at a call; none then.
pub async fn until_death<T>(wire: &Wire, work: impl Future<Output = T>) -> Option<T> {
    let dead = Arc::new(tokio::sync::Notify::new());
    let dying = Arc::clone(&dead);
    wire.kills_by(Arc::new(move || dying.notify_one()));
    tokio::select! {
        done = work => Some(done),
        () = dead.notified() => None,
    }
}

#[async_trait]
impl HttpClient for Slow {
    #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        tokio::time::sleep(self.each).await;
        let from = std::time::Instant::now();
        let answer = self.inner.execute_request(request).await;
        let nanoseconds = u64::try_from(from.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.worked.fetch_add(nanoseconds, Ordering::Relaxed);
        answer
    }
}
