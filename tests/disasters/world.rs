//! The world that a disaster is played in: machines in two regions, the simulated Azure around them, and two controllers with the real
//! handler's hands, over doors at which the recorder listens. Time is virtual.
//! It never decides what happens (`script` does), and never tells the recorder what the product thinks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use azure_core::http::HttpClient;
use lifeboat_execution::{
    Answer, Authority, Build, Connections, Event, Lifeboat, NotDone, Places, Settings, assumptions,
};
use lifeboat_planning::saga::failover::Member;
use lifeboat_simulator::azure::blobs::Blobs;
use lifeboat_simulator::azure::{Directory, PersonSeed, VaultSeed};
use lifeboat_simulator::bus::{Bus, QueueOptions};
use lifeboat_simulator::clock::Clock;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::failing_over::scenery::{profile, replicated};
use lifeboat_tests::failing_over::{OTHER, OTHER_GROUP, PLAN, lock};
use lifeboat_tests::identity::Identity;
use lifeboat_tests::instance::Stopper;
use lifeboat_tests::policy;
use lifeboat_tests::rig::{self, CONTAINER, DEPLOYMENT, EPOCH, LOCATION, QUEUE, SUBSCRIPTION};
use lifeboat_tests::tap::Wire;
use tokio::sync::Notify;

use crate::door::{Door, POLLS};
use crate::play::after;
use crate::points;
use crate::record::Record;
use crate::shape::Shape;

/// The app role that gives orders.
const OPERATE: &str = "Lifeboat.Operate";
/// Where events are published to.
const TOPIC: &str = "https://lb-events.westeurope-1.eventgrid.azure.net/api/events";
/// Persons with the role, and one without.
const PERSONS: [(&str, bool); 5] = [("one", true), ("two", true), ("three", true), ("four", true), ("guest", false)];
/// How old the estate record is.
const ESTATE_SECS: i64 = 30 * 24 * 3_600;
/// Starts of one controller, at most, so that no two throw the same dice.
const STARTS_MAX: u64 = 10_007;

/// The world.
pub struct World {
    /// The one clock.
    pub clock: Clock,
    /// Azure.
    pub azure: Azure,
    /// The store.
    pub blobs: Blobs,
    /// The queues.
    pub bus: Bus,
    /// Persons and their tokens.
    pub directory: Directory,
    /// Their object ids, in the order of their names; the last one has no role.
    pub persons: Vec<String>,
    /// The recovery plan.
    pub shape: Shape,
    /// Machines of the old region, members or not.
    pub machines: Vec<String>,
    /// The history in the making.
    pub record: Record,
    /// The two controllers.
    pub controllers: [Arc<Controller>; 2],
}

/// A handler process by its name, which is started again after a kill.
pub struct Controller {
    /// Its name.
    pub name: &'static str,
    /// Every call that it made.
    pub wire: Wire,
    /// Stops it as a process is stopped from outside.
    pub stopper: Stopper,
    lifeboat: Mutex<Arc<Lifeboat>>,
    dead: Arc<Notify>,
    started: AtomicU64,
    makes: Box<dyn Fn(u64) -> Lifeboat + Send + Sync>,
}

/// What an invocation came to.
#[derive(Debug)]
pub enum Came {
    /// To an end.
    Done(Answer),
    /// To none: it comes again.
    NotDone(NotDone),
    /// The process was killed in it.
    Killed,
}

impl World {
    /// A world in which all is well, told to the recorder from its beginning.
    pub async fn new(seed: u64, shape: Shape) -> Arc<Self> {
        let clock = Clock::starting_at(EPOCH.parse().expect("a time"));
        let azure = Azure::unwatched(&clock, seed);
        let queue =
            QueueOptions { duplicate_window: QueueOptions::new(QUEUE).duplicate_window, ..QueueOptions::new(QUEUE) };
        let (blobs, bus) = azure.store_and_queue(queue);
        blobs.create_container(CONTAINER);
        // Older than the day for which nothing expires after it.
        rig::init(&blobs, after(clock.now(), -ESTATE_SECS));
        let directory = Directory::new(clock.clone(), seed);
        let persons = PERSONS.iter().map(|(name, may)| {
            let roles = may.then(|| OPERATE.to_owned()).into_iter().collect();
            directory.add(PersonSeed { name: (*name).to_owned(), roles })
        });
        let persons = persons.collect();
        let vault = azure.arm.add_vault(&VaultSeed::new(SUBSCRIPTION, OTHER_GROUP, "rsv-north", OTHER));
        let names: Vec<String> = shape.groups.iter().flat_map(|group| group.names().collect::<Vec<_>>()).collect();
        let members: Vec<Member> = names.iter().map(|name| replicated(&azure.arm, &vault, name)).collect();
        let bystanders =
            (1..=shape.bystanders).map(|number| azure.arm.add_machine(&Azure::seed(&format!("by-{number}"))));
        let machines: Vec<String> = members.iter().map(|one| one.old.clone()).chain(bystanders).collect();
        let first_of_last = names.len() - shape.groups.last().map_or(0, |group| group.machines);
        let profile = profile(&azure.arm, &members[first_of_last]);
        let mut text = policy::document(if shape.keeps { "enforce" } else { "report" }, "24h");
        if shape.keeps {
            text.push_str(points::KEEP);
        }
        rig::push(&blobs, &[("production.yaml", &text), ("shop.yaml", &shape.document())], clock.now());
        let record = Record::new(&clock, &azure, &blobs, &shape, (&profile, &members));
        let outer = Door::new(&azure, &blobs, &bus, &directory, &record);
        let make = |name, number: u64| {
            controller(name, seed.wrapping_mul(2).wrapping_add(number), &clock, &azure, &directory, &outer)
        };
        let controllers = [make("one", 0), make("two", 1)];
        let world =
            Arc::new(Self { clock, azure, blobs, bus, directory, persons, shape, machines, record, controllers });
        world.begin().await;
        world
    }

    async fn begin(&self) {
        self.record.begin();
        if self.shape.standing_approval {
            let store = &self.controllers[0].lifeboat().store;
            let (by, now) = (&self.persons[0], self.clock.now());
            let set = assumptions::set(store, PLAN, true, by, now).await.expect("a store");
            assert_eq!(set, Ok(()), "no other order came after it");
            self.record.standing_approval();
        }
    }
}

fn controller(
    name: &'static str,
    seed: u64,
    clock: &Clock,
    azure: &Azure,
    directory: &Directory,
    outer: &Door,
) -> Arc<Controller> {
    let wire = Wire::new(clock.clone());
    let stopper = Stopper::default();
    let transport: Arc<dyn HttpClient> = wire.tap(outer.of(name));
    let transport = stopper.transport(transport);
    let dead = Arc::new(Notify::new());
    let dying = Arc::clone(&dead);
    wire.kills_by(Arc::new(move || dying.notify_waiters()));
    let authority = Authority { url: directory.base(), tenant: directory.tenant(), audience: directory.audience() };
    let (header, clock) = (azure.identity_header(), clock.clone());
    let makes = move |number: u64| {
        // Each process throws its own dice: one that drew the dead one's lease id again would walk into its lease.
        let dice = seed.wrapping_mul(STARTS_MAX).wrapping_add(number);
        let credential = Identity::new(Arc::clone(&transport), header.clone());
        let own = lifeboat_execution::clock::Clock::starting_at(clock.now());
        let connections = Connections::new(Arc::clone(&transport), credential, own, dice);
        let mut lifeboat =
            Lifeboat::connect(connections, &places(authority.clone()), settings()).expect("the places are places");
        lifeboat.replication_cache = Some(format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/{OTHER_GROUP}/providers/Microsoft.Storage/storageAccounts/cache"
        ));
        lifeboat.region = Some(OTHER.to_owned());
        lifeboat
    };
    let lifeboat = Mutex::new(Arc::new(makes(0)));
    let started = AtomicU64::new(1);
    Arc::new(Controller { name, wire, stopper, lifeboat, dead, started, makes: Box::new(makes) })
}

fn places(authority: Authority) -> Places {
    Places {
        arm_url: "https://management.azure.com".to_owned(),
        store_url: format!("https://acct.blob.core.windows.net/{CONTAINER}"),
        bus_namespace: "ns.servicebus.windows.net".to_owned(),
        bus_url: None,
        events_url: Some(TOPIC.to_owned()),
        authority: Some(authority),
    }
}

fn settings() -> Settings {
    Settings {
        deployment: DEPLOYMENT.to_owned(),
        owned_regions: vec![LOCATION.to_owned(), OTHER.to_owned()],
        subscriptions: vec![SUBSCRIPTION.to_owned()],
        build: Build { version: "0.0.0".to_owned(), id: "disasters".to_owned() },
    }
}

impl Controller {
    /// The process that runs now.
    pub fn lifeboat(&self) -> Arc<Lifeboat> {
        Arc::clone(&lock(&self.lifeboat))
    }

    /// The process with this number was killed; the first of its invocations that sees that begins another one.
    fn is_dead(&self, number: u64, record: &Record) {
        let next = self.started.compare_exchange(number, number + 1, Ordering::Relaxed, Ordering::Relaxed);
        if next.is_ok() {
            record.killed(self.name);
            *lock(&self.lifeboat) = Arc::new((self.makes)(number));
        }
    }

    /// Takes care of an event; `polls` says whether it asks how regions are.
    pub async fn handle(&self, event: Event, record: &Record, polls: bool) -> Came {
        let (lifeboat, died, number) = (self.lifeboat(), self.dead.notified(), self.started.load(Ordering::Relaxed));
        let work = POLLS.scope(polls, async move { lifeboat.handle(event).await });
        let mut work = tokio::spawn(self.stopper.over(Box::pin(work)));
        tokio::select! {
            biased;
            () = died => {
                work.abort();
                let _ = work.await;
                self.is_dead(number, record);
                Came::Killed
            }
            done = &mut work => match done.expect("the handler does not panic") {
                Ok(answer) => Came::Done(answer),
                Err(error) => Came::NotDone(error),
            },
        }
    }
}
