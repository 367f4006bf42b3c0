//! A site for real handler processes: the simulated Azure on TCP ports, and one stand-in host for each process, on one queue and one
//! Event Grid, as the platform runs many instances of an app.
//! It never asks a handler what it did, and never waits by the wall: it waits for states, each with a deadline.
//!
//! ```text
//! World ── events ──► one address, the hosts in turn ──► host 0 ──► process 0 ─┐
//!   ▲        queue ─────────────────────────────────────► host n ──► process n ─┤
//!   └──────────────── counted, one after another ◄─── ARM, blobs, bus, identity ◄┘
//! ```

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use lifeboat_simulator::azure::{EventSubscription, EventTarget, Grant, MachineSeed};
use lifeboat_simulator::bus::QueueOptions;
use lifeboat_simulator::clock::Clock;
use lifeboat_simulator::host::{HandlerLink, Host, HostOptions, TimerStatusStore};
use lifeboat_simulator::world::{World, WorldOptions};
use lifeboat_tests::azure::webhook;
use lifeboat_tests::rig::{CONTAINER, DEPLOYMENT, GROUP, LOCATION, QUEUE, SUBSCRIPTION, actions};
use lifeboat_tests::{policy, rig, stage};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::ServiceExt;

/// Between two looks at a state that nothing announces: short beside an invocation, long beside a look.
pub const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How a site is made.
pub struct SiteOptions {
    /// Handler processes, each behind a host of its own.
    pub processes: usize,
    /// How long things take in Azure, in thousandths of what was recorded.
    pub latency_permille: u32,
    /// Deliveries of a message before it is dead.
    pub deliveries: u32,
    /// Largest message that the queue takes, in bytes.
    pub message_bytes: usize,
    /// Whether the sweep's timer runs, at the first host as the platform's lock has it.
    pub sweeps: bool,
    /// Whether what is done is told at the simulated topic.
    pub tells: bool,
    /// Settings of the app beside those that the site itself gives.
    pub settings: Vec<(String, String)>,
    /// How each host reaches its handler.
    pub link: Arc<dyn Fn() -> HandlerLink + Send + Sync>,
}

/// A running site; dropped, all of it ends.
pub struct Site {
    /// The simulated Azure.
    pub world: World,
    /// The hosts, whose handlers are ready.
    pub hosts: Vec<Arc<Host>>,
    /// What the handlers asked of Azure.
    pub calls: Calls,
    _serving: JoinSet<()>,
}

/// Counts requests to Azure, and kills a handler at one of them. Clones count together.
#[derive(Clone, Default)]
pub struct Calls(Arc<Counted>);

#[derive(Default)]
struct Counted {
    seen: AtomicU64,
    list: Mutex<Vec<String>>,
    death: Mutex<Option<Death>>,
}

/// When a process dies.
#[derive(Clone, Copy, Debug)]
pub struct Death {
    /// At which request, from 0.
    pub at: u64,
    /// After what was asked is done, and before it is answered; else before it is done.
    pub after: bool,
    /// Who dies.
    pub pid: u32,
}

#[derive(Clone)]
struct Ports {
    arm: SocketAddr,
    identity: SocketAddr,
    blobs: SocketAddr,
    bus: SocketAddr,
    topic: SocketAddr,
}

impl Calls {
    /// Requests so far.
    pub fn seen(&self) -> u64 {
        self.0.seen.load(Ordering::SeqCst)
    }

    /// What was asked, in order.
    pub fn list(&self) -> Vec<String> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Orders a death.
    pub fn order(&self, death: Death) {
        *self.0.death.lock().unwrap_or_else(PoisonError::into_inner) = Some(death);
    }

    /// Whether an ordered death did not happen yet.
    pub fn awaits_death(&self) -> bool {
        self.0.death.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn next(&self, what: String) -> Option<Death> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner).push(what);
        let index = self.0.seen.fetch_add(1, Ordering::SeqCst);
        self.0.death.lock().unwrap_or_else(PoisonError::into_inner).take_if(|death| death.at == index)
    }
}

impl Site {
    /// Starts everything, with an enforcing policy in the store, and waits until every handler is ready.
    pub async fn start(options: &SiteOptions) -> Self {
        let clock = Clock::wall();
        let queue = QueueOptions {
            max_delivery_count: options.deliveries,
            max_message_bytes: options.message_bytes,
            ..QueueOptions::new(QUEUE)
        };
        let world = World::new(WorldOptions {
            latency_factor_permille: options.latency_permille,
            queues: vec![QueueOptions { name: "commands".to_owned(), ..queue.clone() }, queue],
            ..WorldOptions::new(clock)
        });
        // The burst measures, and its calls are those of the tests.
        #[cfg(test)]
        lifeboat_tests::traffic::record(world.arm());
        world.add_subscription(SUBSCRIPTION, "production");
        world.arm().add_group(SUBSCRIPTION, GROUP, LOCATION);
        let principal = world.add_principal("lifeboat", vec![Grant::over_subscription(SUBSCRIPTION, actions())]);
        world.topic().allow(&principal.object_id);
        world.blobs().create_container(CONTAINER);
        rig::init(world.blobs(), world.clock().now());
        rig::push(world.blobs(), &[("production.yaml", &policy::document("enforce", "24h"))], world.clock().now());
        let (calls, mut serving) = (Calls::default(), JoinSet::new());
        let ports = serve(&world, &calls, &mut serving).await;
        let timers = TimerStatusStore::default();
        let mut hosts = Vec::new();
        for place in 0..options.processes {
            let sweeps = options.sweeps && place == 0;
            hosts.push(start_host(&world, &ports, options, &timers, place, sweeps).await);
        }
        for host in &hosts {
            assert!(host.ready().await, "a handler did not become ready: {:?}", host.logs());
        }
        let app = in_turn(hosts.clone());
        let target = |function| EventTarget::InProcess(app.clone(), webhook(function));
        let written = EventSubscription::machine_writes("lifeboat-vm-written", target("VmWritten"));
        let deleted = EventSubscription::machine_deletes("lifeboat-vm-deleted", target("VmDeleted"));
        world.event_grid().subscribe(written);
        world.event_grid().subscribe(deleted);
        Self { world, hosts, calls, _serving: serving }
    }

    /// Creates a machine in scope; its id.
    pub fn create(&self, name: &str) -> String {
        let seed = MachineSeed::new(SUBSCRIPTION, GROUP, name, LOCATION).tag("env", "prod");
        self.world.create_machine(&seed).expect("the machine can be created")
    }

    /// Messages that nobody can take any more.
    pub fn dead_letters(&self) -> usize {
        self.world.bus().dead_letters(QUEUE).len()
    }

    /// Waits until a state is reached; says whether it was before the deadline.
    pub async fn wait_until(&self, within: Duration, reached: impl Fn(&Self) -> bool) -> bool {
        let looks = async {
            let mut looks = tokio::time::interval(LOOK_EVERY);
            while !reached(self) {
                looks.tick().await;
            }
        };
        tokio::time::timeout(within, looks).await.is_ok()
    }

    /// Invocations so far, of all hosts.
    pub fn invocations(&self) -> usize {
        self.hosts.iter().map(|host| host.invocations().len()).sum()
    }

    /// Whether no invocation runs and no message could be taken now.
    pub fn is_idle(&self) -> bool {
        let counts = self.world.bus().counts(QUEUE);
        self.hosts.iter().all(|host| host.in_flight() == 0) && counts.active + counts.locked == 0
    }

    /// Whether nothing will happen any more by itself.
    pub fn is_quiet(&self) -> bool {
        let world = &self.world;
        self.is_idle()
            && world.bus().counts(QUEUE).scheduled == 0
            && world.event_grid().under_way() == 0
            && world.arm().next_due().is_none()
    }
}

async fn start_host(
    world: &World,
    ports: &Ports,
    options: &SiteOptions,
    timers: &TimerStatusStore,
    place: usize,
    sweeps: bool,
) -> Arc<Host> {
    let mut host = HostOptions::new(stage::app_root(), (options.link)(), world.clock().clone());
    host.settings = settings(world, ports, options, sweeps);
    host.bus = Some(world.bus().clone());
    host.seed = place as u64;
    host.timer_status = timers.clone();
    Arc::new(Host::start(host).await.expect("the staged app is an app"))
}

fn settings(world: &World, ports: &Ports, options: &SiteOptions, sweeps: bool) -> BTreeMap<String, String> {
    let own = [
        ("AzureWebJobsStorage__accountName", "acct".to_owned()),
        ("AzureWebJobs.PolicySweep.Disabled", (!sweeps).to_string()),
        ("LIFEBOAT_DEPLOYMENT", DEPLOYMENT.to_owned()),
        ("LIFEBOAT_STORE_URL", format!("http://{}/{CONTAINER}", ports.blobs)),
        ("LIFEBOAT_OWNED_REGIONS", LOCATION.to_owned()),
        ("LIFEBOAT_SUBSCRIPTIONS", SUBSCRIPTION.to_owned()),
        ("LIFEBOAT_ARM_URL", format!("http://{}", ports.arm)),
        ("ServiceBus__fullyQualifiedNamespace", "ns.servicebus.windows.net".to_owned()),
        ("LIFEBOAT_SERVICEBUS_URL", format!("http://{}", ports.bus)),
        ("IDENTITY_ENDPOINT", format!("http://{}/msi/token", ports.identity)),
        ("IDENTITY_HEADER", world.identity().header()),
        ("LIFEBOAT_AUTHORITY_URL", world.directory().base()),
        ("LIFEBOAT_TENANT_ID", world.directory().tenant()),
        ("LIFEBOAT_AUDIENCE", world.directory().audience()),
    ];
    let told = options.tells.then(|| ("LIFEBOAT_EVENTS_URL", format!("http://{}", ports.topic)));
    let own = own.into_iter().chain(told).map(|(name, value)| (name.to_owned(), value));
    own.chain(options.settings.iter().cloned()).collect()
}

async fn serve(world: &World, calls: &Calls, serving: &mut JoinSet<()>) -> Ports {
    let mut listen = async |router: Router| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let router = router.layer(from_fn_with_state(calls.clone(), count));
        // Ends with the set; axum itself goes on after what a connection can do.
        serving.spawn(async move { drop(axum::serve(listener, router).await) });
        address
    };
    let directory = listen(world.directory().router()).await;
    world.directory().set_base(format!("http://{directory}"));
    Ports {
        arm: listen(world.arm().router()).await,
        identity: listen(world.identity().router()).await,
        blobs: listen(world.blobs().router()).await,
        bus: listen(world.bus().router()).await,
        topic: listen(world.topic().router()).await,
    }
}

/// Lets a request through; at the ordered one its sender dies.
async fn count(State(calls): State<Calls>, request: Request, next: Next) -> Response {
    match calls.next(format!("{} {}", request.method(), request.uri().path())) {
        None => next.run(request).await,
        Some(death) => {
            if death.after {
                drop(next.run(request).await);
            }
            kill(death.pid).await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// SIGKILL; when this returns, the process runs no more.
async fn kill(pid: u32) {
    let killed = tokio::task::spawn_blocking(move || {
        Command::new("kill").args(["-KILL", &pid.to_string()]).stdin(Stdio::null()).status()
    });
    assert!(killed.await.is_ok_and(|status| status.is_ok_and(|status| status.success())), "{pid} cannot be killed");
}

/// The app's address: the platform gives each request to one of the instances.
fn in_turn(hosts: Vec<Arc<Host>>) -> Router {
    let turn = Arc::new(AtomicUsize::new(0));
    Router::new().fallback(move |request: Request| {
        let host = Arc::clone(&hosts[turn.fetch_add(1, Ordering::Relaxed) % hosts.len()]);
        async move { host.router().oneshot(request).await.unwrap_or_else(|never| match never {}) }
    })
}
