//! A recovery plan's machines in two regions, and an executor that fails them over: the real clients over the simulated Azure, in virtual
//! time, each invocation by a process that knows nothing of the one before. It never writes the saga's record.

mod messages;
mod readiness;
pub mod scenery;
mod telling;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use azure_core::http::HttpClient;
use jiff::SignedDuration;
use lifeboat_execution::saga::record::{self, SagaRecord};
use lifeboat_execution::saga::{self, Event, Ran, SagaError};
use lifeboat_execution::{Connections, Lifeboat, Places, Settings};
use lifeboat_planning::saga::failover::{Action, Failover, FailoverOrder, Fence, Group, Member, PointChoice, Traffic};
use lifeboat_planning::saga::{Ask, Choice, End, Phase, Saga};
use lifeboat_simulator::azure::blobs::Blobs;
use lifeboat_simulator::azure::{RegionTrouble, VaultSeed};
use lifeboat_simulator::bus::{Bus, QueueOptions};
use lifeboat_simulator::clock::Clock;
use tokio::sync::Notify;

use crate::azure::Azure;
use crate::identity::Identity;
use crate::rig::handlers::{TOPIC, places, settings};
use crate::rig::{self, CONTAINER, EPOCH, LOCATION, QUEUE, SUBSCRIPTION};
use crate::tap::{Decide, Wire};
pub use readiness::{DOCUMENT, recovery_plan};
use scenery::{Outside, profile, replicated};

/// The region that takes over.
pub const OTHER: &str = "northeurope";
/// The group in it.
pub const OTHER_GROUP: &str = "rg-north";
/// The recovery plan.
pub const PLAN: &str = "shop";
/// What is asked from outside.
pub const URL: &str = "https://shop.example/healthz";
/// The endpoint of the old side, and of the new one.
pub const ENDPOINTS: (&str, &str) = ("weu", "neu");
/// Who orders and answers.
pub const PERSON: &str = "00000000-0000-4000-8000-0000000000aa";
/// From one try to the next where the store does not answer or the lease is taken: how often a queue brings a message back.
const AGAIN: Duration = Duration::from_secs(20);
/// Invocations of one failover, at most: a failover that goes round for ever ends the test.
const RUNS_MAX: usize = 5_000;

/// A virtual network's id.
pub fn network(group: &str, name: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{name}")
}

/// Machines of the groups, by name.
pub type Groups = [(&'static str, Vec<String>)];

/// Everything around the executor.
pub struct Stage {
    /// The one clock.
    pub clock: Clock,
    /// Azure.
    pub azure: Azure,
    /// The store.
    pub blobs: Blobs,
    /// The queues.
    pub bus: Bus,
    /// Every call that the executor made.
    pub wire: Wire,
    /// The profile's id.
    pub profile: String,
    /// The vault, in the region that takes over.
    pub vault: String,
    members: Vec<Vec<Arc<Member>>>,
    names: Vec<&'static str>,
    transport: Arc<dyn HttpClient>,
    killed: Arc<Notify>,
    seed: u64,
    started: AtomicU64,
    tells: AtomicBool,
    epochs: Mutex<Vec<(String, u64, u32)>>,
    /// Reports, one line each.
    pub told: Mutex<Vec<String>>,
    /// How long each invocation took.
    pub took: Mutex<Vec<Duration>>,
}

/// What an invocation came to.
#[derive(Debug)]
pub enum Came {
    /// To an end.
    Ran(Ran),
    /// To none: it is to be tried again.
    NotYet(SagaError),
    /// The process was killed in it.
    Killed,
}

fn shop() -> [(&'static str, Vec<String>); 2] {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    [("data", names(&["db-1", "db-2"])), ("web", names(&["web-1"]))]
}

impl Stage {
    /// Two machines of a database and a web server, protected for a day, served by the old side.
    pub fn new(seed: u64) -> Self {
        Self::of(seed, &shop(), true)
    }

    /// The same, of whose calls no shape is recorded.
    pub fn unwatched(seed: u64) -> Self {
        Self::of(seed, &shop(), false)
    }

    /// The same with other groups; of the calls each shape is recorded where that is asked for.
    pub fn of(seed: u64, groups: &Groups, recorded: bool) -> Self {
        let clock = Clock::starting_at(EPOCH.parse().expect("a time"));
        let azure = if recorded { Azure::new(&clock, seed) } else { Azure::unwatched(&clock, seed) };
        let (blobs, bus) = azure.store_and_queue(QueueOptions::new(QUEUE));
        blobs.create_container(CONTAINER);
        rig::init(&blobs, clock.now());
        let arm = &azure.arm;
        let vault = arm.add_vault(&VaultSeed::new(SUBSCRIPTION, OTHER_GROUP, "rsv-north", OTHER));
        let member = |name: &String| Arc::new(replicated(arm, &vault, name));
        let members: Vec<Vec<Arc<Member>>> =
            groups.iter().map(|(_, names)| names.iter().map(member).collect()).collect();
        let front = members.last().and_then(|group| group.first()).cloned().expect("a machine");
        let profile = profile(arm, &front);
        let wire = Wire::new(clock.clone());
        let killed = Arc::new(Notify::new());
        let dying = Arc::clone(&killed);
        wire.kills_by(Arc::new(move || dying.notify_one()));
        let outside = Outside { arm: arm.clone(), profile: profile.clone(), inner: azure.transport(&blobs, &bus) };
        let transport: Arc<dyn HttpClient> = wire.tap(Arc::new(outside));
        let names = groups.iter().map(|(name, _)| *name).collect();
        let (epochs, told, took) = (Mutex::default(), Mutex::default(), Mutex::default());
        let started = AtomicU64::new(0);
        Self {
            clock,
            azure,
            blobs,
            bus,
            wire,
            profile,
            vault,
            members,
            names,
            transport,
            killed,
            seed,
            started,
            tells: AtomicBool::new(false),
            epochs,
            told,
            took,
        }
    }

    /// The order of a person: the old side is to be stopped, or it is asked; everything is verified.
    pub fn order(&self) -> FailoverOrder {
        let group = |(name, members): (&&'static str, &Vec<Arc<Member>>)| Group {
            name: (*name).to_owned(),
            before: Vec::new(),
            members: members.clone(),
            after: vec![Action::Wait(SignedDuration::from_mins(1))],
        };
        let (from, to) = ENDPOINTS;
        FailoverOrder {
            id: format!("{PLAN}/1"),
            plan: PLAN.to_owned(),
            from: LOCATION.to_owned(),
            to: OTHER.to_owned(),
            ordered_at: self.clock.now(),
            groups: self.names.iter().zip(&self.members).map(group).collect(),
            traffic: vec![Arc::new(Traffic {
                profile: self.profile.clone(),
                from: from.to_owned(),
                to: to.to_owned(),
                verify: Some((URL.to_owned(), SignedDuration::from_mins(5))),
            })],
            point: PointChoice::Latest,
            fence: Fence::Required,
            stopped_serving_at: self.clock.now(),
            loss_max: SignedDuration::from_mins(15),
            passed: Vec::new(),
            protect_back: None,
        }
    }

    /// All members.
    pub fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.iter().flatten()
    }

    /// The old region is lost, or back.
    pub fn lose(&self, lost: bool) {
        self.azure.arm.set_region(LOCATION, lost.then_some(RegionTrouble::Down));
    }

    /// Decides about calls from now on.
    pub fn decide(&self, decide: Decide) {
        self.wire.decide(decide);
    }

    /// A process that begins with nothing.
    pub fn process(&self) -> Lifeboat {
        // Each throws its own dice: one that drew the dead one's lease id again would walk into its lease.
        let dice = self.seed.wrapping_mul(1_000_003).wrapping_add(self.started.fetch_add(1, Ordering::Relaxed));
        let credential = Identity::new(Arc::clone(&self.transport), self.azure.identity_header());
        let own = lifeboat_execution::clock::Clock::starting_at(self.clock.now());
        let connections = Connections::new(Arc::clone(&self.transport), credential, own, dice);
        let events_url = self.tells.load(Ordering::Relaxed).then(|| TOPIC.to_owned());
        let places = Places { events_url, ..places() };
        let settings = Settings { owned_regions: vec![LOCATION.to_owned(), OTHER.to_owned()], ..settings() };
        let mut lifeboat = Lifeboat::connect(connections, &places, settings).expect("the places are places");
        let cache = format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/{OTHER_GROUP}/providers/Microsoft.Storage/storageAccounts/cache"
        );
        lifeboat.replication_cache = Some(cache);
        lifeboat.region = Some(OTHER.to_owned());
        lifeboat
    }

    /// Begins the saga of an order; tried again until the store takes it.
    pub async fn begin(&self, order: FailoverOrder) {
        for _ in 0..RUNS_MAX {
            let (process, order) = (self.process(), order.clone());
            let work = tokio::spawn(async move { telling::after(&process, saga::begin(&process, order)).await });
            match self.or_killed(work).await {
                Some(Ok(_)) => return,
                Some(Err(error)) => assert!(error.is_not_yet(), "{error:?}"),
                None => {}
            }
            tokio::time::sleep(AGAIN).await;
        }
        panic!("it was never begun");
    }

    /// One invocation, by a process of its own.
    pub async fn invoke(&self, event: Event) -> Came {
        let process = self.process();
        let began = tokio::time::Instant::now();
        let work = tokio::spawn(async move { telling::after(&process, saga::run(&process, PLAN, event)).await });
        let came = match self.or_killed(work).await {
            Some(Ok(ran)) => {
                lock(&self.told).extend(ran.report.lines.iter().map(|line| format!("{} {line}", self.clock.now())));
                Came::Ran(ran)
            }
            Some(Err(error)) => Came::NotYet(error),
            None => Came::Killed,
        };
        lock(&self.took).push(began.elapsed());
        came
    }

    /// Brings an event until an invocation came to an end with it.
    pub async fn bring(&self, event: Event) -> Ran {
        for _ in 0..RUNS_MAX {
            match self.invoke(event.clone()).await {
                Came::Ran(ran) => return ran,
                Came::NotYet(error) => assert!(error.is_not_yet(), "{error:?}"),
                Came::Killed => {}
            }
            tokio::time::sleep(AGAIN).await;
        }
        panic!("{event} was never taken");
    }

    /// Takes the saga further as its looks come due, until this holds or so long has passed; says whether it came to that.
    pub async fn until(&self, holds: impl Fn(&Saga<Failover>) -> bool, at_most: Duration) -> bool {
        let until = tokio::time::Instant::now() + at_most;
        for _ in 0..RUNS_MAX {
            let ran = self.bring(Event::Woken).await;
            self.invariants();
            if self.saga().is_some_and(|saga| holds(&saga)) {
                return true;
            }
            let Some(at) = ran.look_again_at.filter(|_| tokio::time::Instant::now() < until) else { return false };
            let wait = at.duration_since(self.clock.now());
            tokio::time::sleep(Duration::try_from(wait).unwrap_or_default().max(Duration::from_secs(1))).await;
        }
        panic!("it goes round for ever:\n{}", self.story());
    }

    /// Loses the region and fails over: it is asked about the fence, serves from the other region, and a person commits.
    pub async fn until_committing(&self) {
        const HOUR: Duration = Duration::from_secs(3_600);
        self.lose(true);
        self.begin(self.order()).await;
        self.until_asked(Ask::FenceImpossible, HOUR).await;
        self.answer(Ask::FenceImpossible, Choice::GoOn, None).await;
        self.until_asked(Ask::Commit, 2 * HOUR).await;
        self.answer(Ask::Commit, Choice::GoOn, None).await;
    }

    /// The same, until this is asked.
    pub async fn until_asked(&self, ask: Ask, at_most: Duration) {
        let asked = self.until(|saga| saga.questions().any(|question| question.ask == ask), at_most).await;
        assert!(asked, "nobody asked: {ask}\n{}", self.story());
    }

    /// The same, until it has ended so.
    pub async fn until_ended(&self, end: End, at_most: Duration) {
        self.until(Saga::ended, at_most).await;
        let phase = self.saga().map(|saga| saga.progress.phase);
        assert_eq!(phase, Some(Phase::Ended(end)), "{}", self.story());
    }

    /// What is stored of the saga, as anybody could read it.
    pub fn record(&self) -> Option<SagaRecord> {
        let bytes = self.blobs.bytes(CONTAINER, &record::blob_name(PLAN))?;
        Some(serde_json::from_slice(&bytes).expect("a record"))
    }

    /// The saga that is stored.
    pub fn saga(&self) -> Option<Saga<Failover>> {
        Some(self.record()?.saga().expect("its progress reads"))
    }

    /// Answers a question that stands.
    pub async fn answer(&self, ask: Ask, choice: Choice, pick: Option<PointChoice>) {
        let saga = self.saga().expect("a saga");
        let question = saga.questions().find(|question| question.ask == ask).expect("it stands").number;
        self.bring(Event::Answer { question, choice, pick, by: PERSON.to_owned() }).await;
        self.invariants();
    }

    /// What holds after every invocation: somebody is served, and whoever wrote last has a number of its own in its saga; looks are
    /// counted on from one saga to the next.
    fn invariants(&self) {
        assert!(!self.enabled().is_empty(), "no endpoint is enabled\n{}", self.story());
        let Some(record) = self.record() else { return };
        let mut seen = lock(&self.epochs);
        let holds = seen.last().is_none_or(|(saga, epoch, looks)| {
            let (is_this, later) = (*saga == record.id, *epoch < record.epoch && *looks < record.looks);
            let same = *epoch == record.epoch && *looks == record.looks;
            if is_this { same || later } else { *looks <= record.looks }
        });
        assert!(holds, "{seen:?} and then {} {}", record.epoch, record.looks);
        seen.push((record.id, record.epoch, record.looks));
    }

    /// All that was told.
    pub fn story(&self) -> String {
        lock(&self.told).join("\n")
    }

    /// Machines in the region that takes over, which run.
    pub fn running(&self, location: &str) -> Vec<String> {
        let machines = self.azure.arm.machines();
        let there = machines.iter().filter(|one| one["location"] == location && one["powerState"] == "running");
        there.map(|one| one["name"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Endpoints of the profile that are enabled.
    pub fn enabled(&self) -> Vec<String> {
        let profiles = self.azure.arm.profiles();
        let endpoints =
            profiles.iter().flat_map(|profile| profile["properties"]["endpoints"].as_array().into_iter().flatten());
        let on = endpoints.filter(|one| one["properties"]["endpointStatus"] == "Enabled");
        on.map(|one| one["name"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// How often ARM accepted a call whose path ends so.
    pub fn accepted(&self, end: &str) -> usize {
        let fits = |record: &&lifeboat_simulator::azure::RequestRecord| {
            record.method == "POST"
                && record.path.to_ascii_lowercase().ends_with(&end.to_ascii_lowercase())
                && record.status == Some(202)
        };
        self.azure.arm.requests().iter().filter(fits).count()
    }

    /// What a piece of work came to; nothing when its process was killed.
    async fn or_killed<T>(&self, work: tokio::task::JoinHandle<T>) -> Option<T> {
        let mut work = work;
        tokio::select! {
            biased;
            () = self.killed.notified() => {
                work.abort();
                let _ = work.await;
                None
            }
            done = &mut work => Some(done.expect("the executor does not panic")),
        }
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// A value that nobody panics with.
pub fn lock<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
