//! A store as a failover left it, and a handler over it that knows a directory of persons, on a TCP port.
//! The failover runs in virtual time, before anybody looks; the handler never writes.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use lifeboat_execution::orders::READ;
use lifeboat_execution::stop::Stop;
use lifeboat_execution::{Authority, Build, Connections, Event, Lifeboat, Places, Settings, declaration, stop};
use lifeboat_functions::host::RuntimeOptions;
use lifeboat_planning::saga::{Ask, Choice};
use lifeboat_simulator::azure::{Grant, PersonSeed, TokenOrder};
use lifeboat_simulator::clock::Clock;
use lifeboat_simulator::world::{World, WorldOptions};
use lifeboat_tests::failing_over::{OTHER, Stage};
use lifeboat_tests::rig::{CONTAINER, DEPLOYMENT, SUBSCRIPTION};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const HOUR: Duration = Duration::from_secs(3_600);
/// An alert as an action group sends it, of an outage in the region that is lost.
const ALERT: &str = include_str!("../../../handlers/cli/examples/RegionAlert/incident.json");

/// When the failover is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// The old machines cannot be stopped, and a person is asked.
    Fencing,
    /// The workload serves from the other region, and a person is asked whether that is good.
    Committing,
}

/// A store at a moment.
type Kept = (Timestamp, BTreeMap<String, Bytes>);

/// The handler.
pub struct Scene {
    world: World,
    kept: BTreeMap<Moment, Kept>,
    /// Where it answers.
    pub url: String,
    serving: JoinHandle<()>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The handler's principal, signed in.
struct SignedIn {
    world: World,
    object_id: String,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn").finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenCredential for SignedIn {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let audience = scopes.first().copied().unwrap_or_default().trim_end_matches("/.default");
        let token = self.world.token(&self.object_id, audience);
        let ends = OffsetDateTime::from_unix_timestamp(i64::from(u32::MAX)).expect("a time");
        Ok(AccessToken::new(Secret::new(token), ends))
    }
}

impl Scene {
    /// The handler over the store as it was at this moment.
    pub async fn at(moment: Moment) -> Self {
        let kept = tokio::task::spawn_blocking(play).await.expect("the failover is played");
        let (ends, _) = kept[&Moment::Committing].clone();
        let world = World::new(WorldOptions::new(Clock::starting_at(ends)));
        world.add_subscription(SUBSCRIPTION, "production");
        world.blobs().create_container(CONTAINER);
        for (name, roles) in [("reader", vec![READ.to_owned()]), ("stranger", Vec::new())] {
            world.directory().add(PersonSeed { name: name.to_owned(), roles });
        }
        let handler = Arc::new(handler(&world, ends));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        let router = lifeboat_functions::app(handler, RuntimeOptions::below(HOUR)).router();
        let serving = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        let scene = Self { world, kept, url, serving };
        scene.moves_on(moment);
        scene
    }

    /// The store comes to this moment.
    pub fn moves_on(&self, moment: Moment) {
        for (name, bytes) in &self.kept[&moment].1 {
            self.world.blobs().put(CONTAINER, name, bytes.clone());
        }
    }

    /// Somebody stops all changes.
    pub fn stops_changes(&self, reason: &str) {
        let (at, _) = self.kept[&Moment::Fencing];
        let stop = Stop {
            version: stop::VERSION,
            stopped_at: at,
            reason: reason.to_owned(),
            resumed_at: None,
            resumed_by: None,
        };
        self.world.blobs().put(CONTAINER, stop::BLOB, serde_json::to_vec(&stop).expect("a record"));
    }

    /// A token of a person by their name.
    pub fn token(&self, name: &str, order: &TokenOrder) -> String {
        let persons = self.world.directory().persons();
        let (object, _) = persons.iter().find(|(_, seed)| seed.name == name).expect("a person");
        self.world.directory().token(object, order)
    }
}

fn handler(world: &World, now: Timestamp) -> Lifeboat {
    let directory = world.directory();
    let authority = Authority { url: directory.base(), tenant: directory.tenant(), audience: directory.audience() };
    let places = Places {
        arm_url: "https://management.azure.com".to_owned(),
        store_url: format!("https://acct.blob.core.windows.net/{CONTAINER}"),
        bus_namespace: "ns.servicebus.windows.net".to_owned(),
        bus_url: None,
        events_url: None,
        authority: Some(authority),
    };
    let principal = world.add_principal("handler", vec![Grant::owner()]);
    let credential = Arc::new(SignedIn { world: world.clone(), object_id: principal.object_id });
    let clock = lifeboat_execution::clock::Clock::starting_at(now);
    let settings = Settings {
        deployment: DEPLOYMENT.to_owned(),
        owned_regions: vec![OTHER.to_owned()],
        subscriptions: vec![SUBSCRIPTION.to_owned()],
        build: Build { version: "0.0.0".to_owned(), id: "pages".to_owned() },
    };
    let connections = Connections::new(world.http_client(), credential, clock, 11);
    Lifeboat::connect(connections, &places, settings).expect("the places are places")
}

/// Plays the failover in virtual time, on a runtime of its own; the store at each moment.
fn play() -> BTreeMap<Moment, Kept> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let stage = Stage::unwatched(71);
        stage.in_force();
        assert_eq!(stage.look_at_readiness().await, ["shop: ready"]);
        stage.lose(true);
        alert(&stage).await;
        stage.begin(stage.order_of_what_was_saved().await).await;
        stage.until_asked(Ask::FenceImpossible, HOUR).await;
        evaluate(&stage).await;
        let fencing = kept(&stage);
        stage.answer(Ask::FenceImpossible, Choice::GoOn, None).await;
        stage.until_asked(Ask::Commit, 2 * HOUR).await;
        evaluate(&stage).await;
        BTreeMap::from([(Moment::Fencing, fencing), (Moment::Committing, kept(&stage))])
    })
}

async fn evaluate(stage: &Stage) {
    declaration::evaluate_all(&stage.process(), "test").await.expect("it is evaluated");
}

/// Azure tells of the outage, by now.
async fn alert(stage: &Stage) {
    let now = stage.clock.now();
    let before = now.checked_sub(SignedDuration::from_mins(9)).expect("a time");
    let (told, since) = ("2026-03-02T11:40:00Z", "2026-03-02T11:31:00Z");
    let body = ALERT.replace(told, &now.to_string()).replace(since, &before.to_string());
    stage.process().handle(Event::RegionAlert(body.into_bytes())).await.expect("it is kept");
    evaluate(stage).await;
}

fn kept(stage: &Stage) -> Kept {
    let names = stage.blobs.names(CONTAINER);
    let bytes = names.into_iter().filter_map(|name| Some((name.clone(), stage.blobs.bytes(CONTAINER, &name)?)));
    (stage.clock.now(), bytes.collect())
}
