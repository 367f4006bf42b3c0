//! A deployment over a simulated Azure with a directory of persons, all in this process and in virtual time.
//! It never signs a token itself: the simulated directory does, right or wrong as ordered.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::http::HttpClient;
use azure_core::time::OffsetDateTime;
use jiff::{SignedDuration, Timestamp};
use lifeboat_contract::command::{self, Order, Token};
use lifeboat_execution::bundle::{Bundle, File};
use lifeboat_execution::operator::Operator;
use lifeboat_execution::orders::{Door, OPERATE, Told};
use lifeboat_execution::{Answer, Authority, Build, Command, Connections, Event, Lifeboat, NotDone, Places, Settings};
use lifeboat_simulator::azure::{Grant, PersonSeed, TokenOrder};
use lifeboat_simulator::clock::Clock;
use lifeboat_simulator::world::{World, WorldOptions};

/// The subscription in scope.
pub const SUBSCRIPTION: &str = "aaaaaaaa-0000-4000-8000-000000000001";
/// The deployment.
pub const DEPLOYMENT: &str = "lb-test";
/// What the recovery plan of the stage was shown as.
pub const DIGEST: &str = "3f0c6a1de1d14bd0f1fae2c8c8f5f2f3f0c4a3dbb7a9c7a54fd6e7c1a2b3c4d5";
const BEGINS: &str = "2026-11-22T09:00:00Z";
const ARM: &str = "https://management.azure.com";
const STORE: &str = "https://acct.blob.core.windows.net/lifeboat";
const RECOVERY_PLAN: &str = include_str!("../../handlers/contract/examples/recovery-plan.yaml");

/// The deployment and all around it.
pub struct Stage {
    pub world: World,
    pub lifeboat: Lifeboat,
    connections: Connections,
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

/// A person with an app role.
pub fn person(world: &World, name: &str, roles: &[&str]) -> String {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    world.directory().add(PersonSeed { name: name.to_owned(), roles })
}

impl Stage {
    /// With a policy `production` and a recovery plan `shop` that so many others must approve.
    pub async fn new(approvals: u8) -> Self {
        Self::over(approvals, |transport| transport).await
    }

    /// The same, over a transport that stands before the simulated Azure's.
    pub async fn over(approvals: u8, over: impl FnOnce(Arc<dyn HttpClient>) -> Arc<dyn HttpClient>) -> Self {
        Self::with(&RECOVERY_PLAN.replace("approvals: 1 ", &format!("approvals: {approvals} ")), over).await
    }

    /// The same, where the rules may act.
    pub async fn by_rules() -> Self {
        Self::with(&RECOVERY_PLAN.replace("by: approval ", "by: rules "), |transport| transport).await
    }

    /// The same, where evidence is only shown.
    pub async fn by_person() -> Self {
        Self::with(&RECOVERY_PLAN.replace("by: approval ", "by: person "), |transport| transport).await
    }

    async fn with(plan: &str, over: impl FnOnce(Arc<dyn HttpClient>) -> Arc<dyn HttpClient>) -> Self {
        let epoch: Timestamp = BEGINS.parse().expect("a moment");
        let world = World::new(WorldOptions::new(Clock::starting_at(epoch)));
        world.add_subscription(SUBSCRIPTION, "Production");
        let principal = world.add_principal("handler", vec![Grant::owner()]);
        let credential = Arc::new(SignedIn { world: world.clone(), object_id: principal.object_id });
        let clock = lifeboat_execution::clock::Clock::starting_at(epoch);
        let connections = Connections::new(over(world.http_client()), credential, clock, 7);
        let lifeboat = hands(&world, &connections);
        lifeboat.store.ensure_container().await.expect("a container");
        let operator = Operator::connect(&connections, ARM, STORE).expect("the places are places");
        operator.init(DEPLOYMENT).await.expect("a new store");
        let file = |name: &str, text: String| File { name: name.to_owned(), text };
        let policy = lifeboat_tests::policy::document("enforce", "24h");
        let files = vec![file("production.yaml", policy), file("shop.yaml", plan.to_owned())];
        operator.push(&Bundle::new(files)).await.expect("pushed");
        for name in ["one", "two", "three"] {
            person(&world, name, &[OPERATE]);
        }
        Self { world, lifeboat, connections }
    }

    /// Another process of the same deployment: it remembers nothing.
    pub fn another(&self) -> Lifeboat {
        hands(&self.world, &self.connections)
    }

    /// A token of a person by its name.
    pub fn token(&self, name: &str, order: &TokenOrder) -> String {
        let persons = self.world.directory().persons();
        let (object, _) = persons.iter().find(|(_, seed)| seed.name == name).expect("a person");
        self.world.directory().token(object, order)
    }

    /// A command that is given now.
    pub fn command(&self, id: &str, order: Order) -> command::Command {
        command::Command::new(id, "/tests", order, self.lifeboat.clock.now())
    }

    /// Sends a command with a token, through the queue.
    pub async fn queued(&self, command: &command::Command, token: Option<String>) -> Result<Told, NotDone> {
        let command = command::Command { token: token.map(Token::new), ..command.clone() };
        let body = command.body().to_string().into_bytes();
        told(self.lifeboat.handle(Event::Command(Command { body, door: Door::Queue, token: None })).await)
    }

    /// Posts a command with a token beside it.
    pub async fn posted(&self, command: &command::Command, token: Option<String>) -> Result<Told, NotDone> {
        let body = command.body().to_string().into_bytes();
        let token = token.map(Token::new);
        told(self.lifeboat.handle(Event::Command(Command { body, door: Door::Api, token })).await)
    }

    /// A person orders something by a good token of their own, through the queue.
    pub async fn orders(&self, person: &str, id: &str, order: Order) -> Told {
        let token = self.token(person, &TokenOrder::default());
        self.queued(&self.command(id, order), Some(token)).await.expect("it is taken or refused")
    }

    /// A person tries an order, with a good token.
    pub async fn tries(&self, person: &str, id: &str, order: Order) -> Told {
        let token = self.token(person, &TokenOrder::default());
        let command = command::Command { dry_run: true, ..self.command(id, order) };
        self.queued(&command, Some(token)).await.expect("it is tried or refused")
    }

    /// Time passes, for all.
    pub async fn passes(&self, by: SignedDuration) {
        tokio::time::advance(by.try_into().expect("forward")).await;
    }
}

fn told(answer: Result<Answer, NotDone>) -> Result<Told, NotDone> {
    match answer? {
        Answer::Ordered(told) => Ok(told),
        other => panic!("{other:?}"),
    }
}

fn hands(world: &World, connections: &Connections) -> Lifeboat {
    let directory = world.directory();
    let authority = Authority { url: directory.base(), tenant: directory.tenant(), audience: directory.audience() };
    let places = Places {
        arm_url: ARM.to_owned(),
        store_url: STORE.to_owned(),
        bus_namespace: "ns.servicebus.windows.net".to_owned(),
        bus_url: None,
        events_url: None,
        authority: Some(authority),
    };
    let settings = Settings {
        deployment: DEPLOYMENT.to_owned(),
        owned_regions: vec!["westeurope".to_owned()],
        subscriptions: vec![SUBSCRIPTION.to_owned()],
        build: Build { version: "0.0.0".to_owned(), id: "orders".to_owned() },
    };
    Lifeboat::connect(connections.clone(), &places, settings).expect("the places are places")
}
