//! What stands in for the cloud: the simulated Azure over TCP, the stand-in Functions host, the staged app with the real handler.
//! It never gives the handler a setting that a deployment would not give it, but for the addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::Method;
use jiff::SignedDuration;
use lifeboat_execution::bundle::{Bundle, File};
use lifeboat_execution::clock::Clock as Wall;
use lifeboat_execution::estate::{self, Estate};
use lifeboat_execution::operator::Operator;
use lifeboat_execution::orders::OPERATE;
use lifeboat_execution::policies::{self, Pointer};
use lifeboat_execution::{ARM_URL, Connections};
use lifeboat_simulator::azure::{
    EventSubscription, EventTarget, Grant, PersonSeed, STORAGE_AUDIENCE, TargetState, TokenOrder,
};
use lifeboat_simulator::clock::Clock;
use lifeboat_simulator::host::{HandlerLink, Host, HostOptions, LogLine, LogSink, ProcessOptions};
use lifeboat_simulator::serve::{Served, serve};
use lifeboat_simulator::world::{World, WorldOptions};
use serde_json::Value;
use tokio::time::timeout;

use super::control::{CONTAINER, Control};
use super::estate as seeded;
use super::policies as documents;
use super::shop::Shop;
use crate::client::{self, Answer};
use crate::handler_api::HandlerArgs;
use crate::output::tell;
use crate::scratch::Scratch;
use crate::send;
use crate::settings::Settings;
use crate::stage;

/// The deployment's id.
const DEPLOYMENT: &str = "local";
/// The id of its estate record: the same in every run.
const ESTATE: &str = "00000000-0000-4000-8000-00000000e57a";
/// The store's address by the name of its account, as whoever is signed in to Azure reaches it.
const STORE: &str = "https://local.blob.core.windows.net";
/// The regions of the seeded estate.
const REGIONS: &str = "westeurope,northeurope";
/// Where it lies: in the region that takes over, as a deployment that executes recovery plans does.
const REGION: &str = "northeurope";

/// Who gives orders: two others are there to approve what the first one orders.
pub const PERSONS: [&str; 3] = ["operator", "second", "third"];

/// How long ago the store was begun.
const BEGUN: SignedDuration = SignedDuration::from_hours(100 * 24);

/// How long things take, in thousandths of what was recorded: a machine is there in about a second, a point in three. Slower would
/// bore, faster would leave no moment in which to kill the handler.
const LATENCY_PERMILLE: u32 = 60;

/// How long the host may take to end by itself, its handler included, before it is dropped.
const STOPS_WITHIN: Duration = Duration::from_secs(3);

/// The functions that timers fire.
const TIMERS: [&str; 4] = ["PolicySweep", "ExpirySweep", "HealthPoll", "ReadinessSweep"];

/// The rights of the handler's identity: those of all roles that can be deployed.
const ROLES: &str = include_str!("../../../../infra/app/role-actions.json");

/// Everything that runs.
pub struct StandIns {
    /// The simulated Azure.
    pub world: World,
    /// Its addresses.
    pub served: Served,
    /// The Functions host.
    pub host: Host,
    /// What is asked for the truth.
    pub control: Control,
    /// Keys of the host.
    pub keys: Keys,
    /// The shop's front.
    pub shop: Shop,
    /// What a person who is signed in reads of the store.
    pub operator: Arc<Operator>,
    /// The same person's connections.
    pub signed_in: Connections,
    /// This machine's time, which is the handler's.
    pub wall: Clock,
    _app: Scratch,
}

/// Keys of the stand-in host. They are the same in every run, and open nothing but what is simulated.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Opens everything.
    pub master: String,
    /// Opens functions.
    pub function: String,
    /// Opens the webhook of Event Grid.
    pub event_grid: String,
}

impl StandIns {
    /// Starts them around this handler, with the estate and a policy in place.
    pub async fn start(handler: &Path, shows_log: bool) -> Result<Self> {
        let app = Scratch::new("local").context("no temporary folder")?;
        stage::write_folder(&stage::app_folder(handler), app.path())?;
        let wall = Clock::wall();
        let options = WorldOptions {
            latency_factor_permille: LATENCY_PERMILLE,
            // The handler says by its own clock when it wants to look again, and that one is not put forward.
            bus_clock: wall.clone(),
            ..WorldOptions::new(Clock::wall())
        };
        let world = World::new(options);
        let profile = seed(&world)?;
        let shop = Shop::open(&world, profile).await?;
        let served = serve(&world).await.context("the simulated Azure cannot be served")?;
        let operator = world.add_principal("operator", vec![Grant::owner()]);
        let token = world.token(&operator.object_id, STORAGE_AUDIENCE);
        let credential = world.identity().credential(&operator.object_id);
        let signed_in = Connections::new(world.http_client(), credential, Wall::wall(), 1);
        let operator = Arc::new(Operator::connect(&signed_in, ARM_URL, &format!("{STORE}/{CONTAINER}"))?);
        let address = |address| format!("http://{address}");
        let control = Control::new(address(served.control), address(served.blobs), token)?;
        let mut options =
            HostOptions::new(app.path(), HandlerLink::Process(ProcessOptions::default()), world.clock().clone());
        options.settings = settings(&world, &served);
        options.bus = Some(world.bus().clone());
        options.log_sink = shows_log.then(|| -> LogSink { Arc::new(|line: &LogLine| tell(shown(line))) });
        let keys = Keys {
            master: options.keys.master.clone(),
            function: options.keys.host.clone(),
            event_grid: options.keys.event_grid.clone(),
        };
        let host = Host::start(options).await.context("the stand-in host does not start")?;
        let stand_ins = Self { world, served, host, control, keys, shop, operator, signed_in, wall, _app: app };
        ensure!(stand_ins.host.ready().await, "the handler does not become ready:\n{}", stand_ins.last_lines(20));
        stand_ins.subscribe();
        Ok(stand_ins)
    }

    /// The end of the host's log, for whoever looks for what went wrong.
    pub fn last_lines(&self, lines: usize) -> String {
        let all = self.host.logs();
        let from = all.len().saturating_sub(lines);
        all[from..].iter().map(shown).collect::<Vec<_>>().join("\n")
    }

    /// Puts the simulated time forward, and lets everything notice.
    pub fn jump(&self, by: SignedDuration) {
        self.world.jump(by);
        self.host.clock_jumped();
    }

    /// Puts policies in force, as `lifeboat policies push` does, past HTTP. Answers the digest of their bundle.
    pub fn push(&self, files: Vec<File>) -> String {
        push(&self.world, files)
    }

    /// Gives an order with a person's name, as `lifeboat send` does.
    pub async fn order(&self, person: &str, name: &str, data: Value) -> Result<Answer> {
        let command = self.signed_in.command(None, "/lifeboat/cli", name, data, false)?;
        let handler = HandlerArgs::of(self.host.url(), &self.keys.function);
        send::post(&handler, &Settings::default(), &command, Some(&token_of(&self.world, person))).await
    }

    /// Lets Azure tell a webhook of the handler's, as an action group does.
    pub async fn alert(&self, function: &str, body: &Value) -> Result<Answer> {
        let url = format!("{}/api/{function}?code={}", self.host.url(), self.keys.function);
        let request = client::client(true)?.post(url).header("content-type", "application/json");
        client::ask(request.body(serde_json::to_vec(body)?)).await.context("the host does not answer")
    }

    /// Asks the handler's own `Api`, as somebody who holds its key.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        let url = format!("{}/api/{path}", self.host.url());
        let request = client::client(true)?.request(method, url).header("x-functions-key", &self.keys.function);
        let request = request.bearer_auth(token(&self.world));
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(serde_json::to_vec(body)?),
            None => request,
        };
        client::ask(request).await.context("the host does not answer")
    }

    /// Lets timers that were held fire again by their schedules, each once at the beginning.
    pub async fn timers_go_on(&self) {
        self.host.hold_timers_until(self.world.clock().now());
        for name in TIMERS {
            let _fired = self.host.fire_timer(name).await;
        }
    }

    /// Ends all of it.
    pub async fn stop(self) {
        // What is still in flight then is ended with the host.
        let _stopped = timeout(STOPS_WITHIN, self.host.stop()).await;
    }

    /// Azure sends its events to the host's webhook.
    fn subscribe(&self) {
        let (url, key) = (self.host.url(), &self.keys.event_grid);
        let target = |function: &str| {
            EventTarget::Url(format!("{url}/runtime/webhooks/eventgrid?functionName={function}&code={key}"))
        };
        let written = EventSubscription::machine_writes("lifeboat-vm-written", target("VmWritten"));
        let deleted = EventSubscription::machine_deletes("lifeboat-vm-deleted", target("VmDeleted"));
        self.world.event_grid().subscribe(written);
        self.world.event_grid().subscribe(deleted);
    }
}

/// A new access token of the first person.
pub fn token(world: &World) -> String {
    token_of(world, PERSONS[0])
}

/// A new access token of a person.
fn token_of(world: &World, name: &str) -> String {
    let persons = world.directory().persons();
    let found = persons.iter().find(|(_, seed)| seed.name == name);
    world.directory().token(found.map(|(object, _)| object.as_str()).unwrap_or_default(), &TokenOrder::default())
}

/// The estate, who the handler is there, who gives orders, and the policy. Answers the id of the shop's profile.
fn seed(world: &World) -> Result<String> {
    let subscriptions = [(seeded::SHOP, "Shop"), (seeded::OFFICE, "Office")];
    for (id, name) in subscriptions {
        world.add_subscription(id, name);
    }
    let actions = role_actions();
    let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
    // The first principal is the system-assigned identity of the app.
    let lifeboat = world.add_principal(
        "lifeboat",
        subscriptions.iter().map(|(id, _)| Grant::over_subscription(id, &actions)).collect(),
    );
    world.topic().allow(&lifeboat.object_id);
    for name in PERSONS {
        world.directory().add(PersonSeed { name: name.to_owned(), roles: vec![OPERATE.to_owned()] });
    }
    for machine in seeded::machines(world.clock().now()) {
        world.add_machine(&machine);
    }
    for collection in seeded::history(world.clock().now()) {
        world.arm().add_collection(&collection);
    }
    for vault in seeded::vaults() {
        world.arm().add_vault(&vault);
    }
    world.blobs().create_container(CONTAINER);
    // What `lifeboat init` wrote, long ago: in the day after it nothing would expire.
    let begun = world.clock().now().checked_sub(BEGUN).unwrap_or_default();
    world.blobs().put(CONTAINER, estate::BLOB, Estate::new(DEPLOYMENT, ESTATE, begun).to_bytes());
    push(world, documents::at_start());
    replicate(world)
}

/// Site Recovery replicates the shop, and Traffic Manager leads its customers to where it runs. Answers the profile's id.
fn replicate(world: &World) -> Result<String> {
    for replica in seeded::replicas(world.clock().now()) {
        world.arm().add_replica(&replica).map_err(anyhow::Error::msg)?;
    }
    for address in seeded::addresses() {
        world.arm().add_public_address(&address);
    }
    for (target, machine) in seeded::targets() {
        world.arm().set_target(&target, &TargetState::Machine(machine));
    }
    world.arm().add_profile(&seeded::profile()).map_err(anyhow::Error::msg)
}

/// What `lifeboat policies push` writes.
fn push(world: &World, files: Vec<File>) -> String {
    let put = |name: &str, bytes: Vec<u8>| world.blobs().put(CONTAINER, name, bytes);
    let (bytes, digest) = Bundle::new(files).to_bytes();
    put(&Bundle::blob_name(&digest), bytes);
    let pointer =
        Pointer { version: policies::VERSION, digest: digest.clone(), previous: None, at: world.clock().now() };
    put(policies::CURRENT, pointer.to_bytes());
    digest
}

/// The actions of all roles of `infra/`.
fn role_actions() -> BTreeSet<String> {
    let roles: Value = serde_json::from_str(ROLES).unwrap_or_default();
    let roles = roles.as_array().into_iter().flatten();
    let actions = roles.flat_map(|role| role["actions"].as_array().into_iter().flatten());
    actions.filter_map(|entry| Some(entry["action"].as_str()?.to_owned())).collect()
}

/// The handler's settings, as in a deployment but for the addresses.
fn settings(world: &World, served: &Served) -> BTreeMap<String, String> {
    let settings = [
        ("LIFEBOAT_DEPLOYMENT", DEPLOYMENT.to_owned()),
        ("LIFEBOAT_STORE_URL", format!("http://{}/{CONTAINER}", served.blobs)),
        ("LIFEBOAT_OWNED_REGIONS", REGIONS.to_owned()),
        ("LIFEBOAT_REGION", REGION.to_owned()),
        ("LIFEBOAT_SUBSCRIPTIONS", format!("{},{}", seeded::SHOP, seeded::OFFICE)),
        ("LIFEBOAT_ARM_URL", format!("http://{}", served.arm)),
        ("ServiceBus__fullyQualifiedNamespace", "local.servicebus.windows.net".to_owned()),
        ("LIFEBOAT_SERVICEBUS_URL", format!("http://{}", served.bus)),
        ("LIFEBOAT_EVENTS_URL", format!("http://{}", served.topic)),
        // The shop's front is on this machine.
        ("LIFEBOAT_PROBE_HOSTS", "127.0.0.1".to_owned()),
        ("LIFEBOAT_REPLICATION_CACHE", seeded::replication_cache()),
        ("LIFEBOAT_AUTHORITY_URL", world.directory().base()),
        ("LIFEBOAT_TENANT_ID", world.directory().tenant()),
        ("LIFEBOAT_AUDIENCE", world.directory().audience()),
        ("IDENTITY_ENDPOINT", served.identity_endpoint()),
        ("IDENTITY_HEADER", world.identity().header()),
        // The host keeps the timers' status by it.
        ("AzureWebJobsStorage__accountName", "local".to_owned()),
        // What a developer's shell may hold for something else would otherwise reach the handler.
        ("AZURE_CLIENT_ID", String::new()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", String::new()),
        ("APPLICATIONINSIGHTS_CONNECTION_STRING", String::new()),
        ("NO_PROXY", "127.0.0.1,localhost".to_owned()),
        ("no_proxy", "127.0.0.1,localhost".to_owned()),
    ];
    settings.map(|(name, value)| (name.to_owned(), value)).into()
}

fn shown(line: &LogLine) -> String {
    format!("{} {} {}: {}", line.at.strftime("%H:%M:%S%.3f"), line.level.name(), line.category, line.text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handler_has_the_rights_of_the_deployed_roles_and_deletes_nothing_but_points() {
        let actions = role_actions();
        assert!(actions.contains("Microsoft.Compute/restorePointCollections/restorePoints/write"), "{actions:?}");
        assert!(actions.contains("Microsoft.Compute/virtualMachines/read"));
        let deletes: Vec<&String> =
            actions.iter().filter(|action| action.ends_with("/delete") || action.contains('*')).collect();
        assert_eq!(
            deletes,
            ["Microsoft.Compute/restorePointCollections/restorePoints/delete", "Microsoft.Compute/snapshots/delete"]
        );
    }
}
