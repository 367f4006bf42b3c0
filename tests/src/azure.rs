//! The simulated Azure of a rig: ARM, Event Grid and the identity endpoint, the store and the queue beside them, and one transport to
//! all of them. What the tests do to Azure and see of it stands here, past HTTP, tokens and budgets.
//! It never opens a socket.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use axum::Router;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request, StatusCode};
use jiff::Timestamp;
use lifeboat_contract::sagas::QUEUE as SAGAS;
use lifeboat_execution::Authority;
use lifeboat_execution::orders::READ;
use lifeboat_simulator::azure::blobs::{Blobs, ConnectionReset};
use lifeboat_simulator::azure::{
    Arm, ArmOptions, BUS_AUDIENCE, DIRECTORY_URL, Directory, EventGrid, EventSchema, EventSubscription, EventTarget,
    EventTopic, Grant, Identity, MachineSeed, PersonSeed, PointView, Principal, STORAGE_AUDIENCE, SubscriptionState,
    TokenOrder,
};
use lifeboat_simulator::bus::{Bus, QueueOptions};
use lifeboat_simulator::clock::Clock;
use lifeboat_simulator::host::Keys;
use tower::ServiceExt;

use crate::gateway::Gateway;
use crate::rig::{GROUP, LOCATION, SUBSCRIPTION, actions};
use crate::traffic;

/// The largest answer that is carried: far above any that the simulator gives.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// ARM and what belongs to it.
pub struct Azure {
    /// Resource Manager and Resource Graph.
    pub arm: Arm,
    /// Events.
    pub events: EventGrid,
    /// The topic that the handler publishes to, where a rig has it do so.
    pub topic: EventTopic,
    /// Principals and tokens.
    pub identity: Identity,
    /// The handler's principal.
    pub principal: Principal,
    /// Persons.
    pub directory: Directory,
    /// Object id of somebody who may read.
    reader: String,
    subscriptions: Vec<String>,
    clock: Clock,
    /// Whether the workload answers to whoever asks from outside.
    workload: Arc<AtomicBool>,
}

/// A machine, as the simulator shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineView {
    /// ARM id.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it is told apart by.
    pub vm_id: String,
    /// Where it is in its life.
    pub state: String,
    /// When it was created.
    pub created: Timestamp,
    /// Its tag `env`.
    pub env: Option<String>,
    /// What manages it.
    pub managed_by: Option<String>,
    /// Whether its agent reports.
    pub agent_ready: bool,
}

impl Azure {
    /// A subscription with one group, and the handler's identity with the rights of `infra` in it; what is asked of it is held to
    /// Microsoft's documents.
    pub fn new(clock: &Clock, seed: u64) -> Self {
        Self::over(&[SUBSCRIPTION], clock, seed)
    }

    /// The same with several subscriptions, each with a group of that name.
    pub fn over(subscriptions: &[&str], clock: &Clock, seed: u64) -> Self {
        let azure = Self::unwatched_over(subscriptions, clock, seed);
        traffic::record(&azure.arm);
        azure
    }

    /// The same, for calls that are made only so that each operation is spoken once.
    pub fn exercised(clock: &Clock, seed: u64) -> Self {
        let azure = Self::unwatched(clock, seed);
        traffic::record_exercises(&azure.arm);
        azure
    }

    /// The same, for benches: nobody looks at what is asked.
    pub fn unwatched(clock: &Clock, seed: u64) -> Self {
        Self::unwatched_over(&[SUBSCRIPTION], clock, seed)
    }

    fn unwatched_over(subscriptions: &[&str], clock: &Clock, seed: u64) -> Self {
        let subscriptions: Vec<String> = subscriptions.iter().map(|id| (*id).to_owned()).collect();
        let identity = Identity::new(clock.clone(), seed);
        let principal = identity.add_named("lifeboat", rights(&subscriptions));
        let options = ArmOptions { seed, ..ArmOptions::default() };
        let events = EventGrid::new(clock.clone(), options.tenant.clone());
        let arm = Arm::new(clock.clone(), identity.clone(), events.clone(), options);
        for subscription in &subscriptions {
            arm.add_subscription(subscription, "production");
            arm.add_group(subscription, GROUP, LOCATION);
        }
        let topic = EventTopic::new(clock.clone(), identity.clone());
        topic.allow(&principal.object_id);
        let workload = Arc::new(AtomicBool::new(true));
        let directory = Directory::new(clock.clone(), seed);
        let reader = directory.add(PersonSeed { name: "reader".to_owned(), roles: vec![READ.to_owned()] });
        Self {
            arm,
            events,
            topic,
            identity,
            principal,
            directory,
            reader,
            subscriptions,
            clock: clock.clone(),
            workload,
        }
    }

    /// A store and the queues, alike but for their names, that take this directory's tokens.
    pub fn store_and_queue(&self, queue: QueueOptions) -> (Blobs, Bus) {
        let blobs = Blobs::new(self.clock.clone()).with_token_check(self.identity.token_check(STORAGE_AUDIENCE));
        let named = |name: &str| QueueOptions { name: name.to_owned(), ..queue.clone() };
        let queues = vec![named("commands"), named(SAGAS), queue];
        let bus = Bus::new(self.clock.clone(), queues).with_token_check(self.identity.token_check(BUS_AUDIENCE));
        (blobs, bus)
    }

    /// One transport to ARM, store, queue and identity endpoint, told apart by the host that is called.
    pub fn transport(&self, blobs: &Blobs, bus: &Bus) -> Arc<dyn HttpClient> {
        Arc::new(InProcess {
            arm: self.arm.router(),
            blobs: blobs.router(),
            bus: bus.router(),
            topic: self.topic.router(),
            identity: self.identity.router(),
            directory: self.directory.router(),
            workload: Arc::clone(&self.workload),
        })
    }

    /// What answers at the hosts of workloads, those under `.example`, does so from now on, or nobody does.
    pub fn workload_is(&self, up: bool) {
        self.workload.store(up, Ordering::Relaxed);
    }

    /// Whose tokens the handler takes.
    pub fn authority(&self) -> Authority {
        let directory = &self.directory;
        Authority { url: directory.base(), tenant: directory.tenant(), audience: directory.audience() }
    }

    /// A token of somebody who may read.
    pub fn reads(&self) -> String {
        self.directory.token(&self.reader, &TokenOrder::default())
    }

    /// The secret that the platform gives to the app's process.
    pub fn identity_header(&self) -> String {
        self.identity.header()
    }

    /// Sends the writes and deletes of machines to the app's webhook.
    pub fn subscribe_events(&self, gateway: &Gateway, cloud_events: bool) {
        let schema = if cloud_events { EventSchema::CloudEventSchemaV1_0 } else { EventSchema::EventGridSchema };
        let target = |function| EventTarget::InProcess(gateway.router(), webhook(function));
        let written = EventSubscription::machine_writes("lifeboat-vm-written", target("VmWritten"));
        let deleted = EventSubscription::machine_deletes("lifeboat-vm-deleted", target("VmDeleted"));
        self.events.subscribe(written.in_schema(schema));
        self.events.subscribe(deleted.in_schema(schema));
    }

    /// A machine in scope, not there yet.
    pub fn seed(name: &str) -> MachineSeed {
        MachineSeed::new(SUBSCRIPTION, GROUP, name, LOCATION).tag("env", "prod")
    }

    /// The ARM id of a machine of this name.
    pub fn id(name: &str) -> String {
        Self::seed(name).id()
    }

    /// All machines.
    pub fn machines(&self) -> Vec<MachineView> {
        let shown = self.arm.machines();
        shown.iter().map(view).collect()
    }

    /// A machine by its name.
    pub fn machine(&self, name: &str) -> Option<MachineView> {
        self.machines().into_iter().find(|machine| machine.name == name)
    }

    /// The points of a machine's name, oldest first, over all that ever bore it.
    pub fn points(&self, name: &str) -> Vec<PointView> {
        self.arm.points_of(&Self::id(name))
    }

    /// The ids of the writes of a machine that were told of, oldest first.
    pub fn writes_of(&self, name: &str) -> Vec<String> {
        let id = Self::id(name).to_ascii_lowercase();
        let events = self.events.events().into_iter();
        events
            .filter(|event| event.subject.to_ascii_lowercase() == id && event.event_type.ends_with("WriteSuccess"))
            .map(|event| event.id)
            .collect()
    }

    /// Whether nothing will happen by itself and no event is on its way.
    pub fn is_quiet(&self) -> bool {
        self.arm.next_due().is_none() && self.events.under_way() == 0
    }

    /// Disables or enables the subscription.
    pub fn set_enabled(&self, enabled: bool) {
        let state = if enabled { SubscriptionState::Enabled } else { SubscriptionState::Disabled };
        self.arm.set_subscription_state(SUBSCRIPTION, state);
    }

    /// Takes an action from the handler's rights.
    pub fn take_right(&self, action: &str) {
        self.identity.change_grants(&self.principal.object_id, |grants| {
            grants.iter_mut().for_each(|grant| grant.not_actions.push(action.to_owned()));
        });
    }

    /// Takes all rights in one subscription from the handler.
    pub fn take_rights_in(&self, subscription: &str) {
        let left: Vec<String> = self.subscriptions.iter().filter(|id| *id != subscription).cloned().collect();
        self.identity.change_grants(&self.principal.object_id, |grants| *grants = rights(&left));
    }

    /// Gives all rights back.
    pub fn give_rights_back(&self) {
        self.identity.change_grants(&self.principal.object_id, |grants| *grants = rights(&self.subscriptions));
    }
}

/// The webhook's path, with the function and the key.
pub fn webhook(function: &str) -> String {
    format!("/runtime/webhooks/eventgrid?functionName={function}&code={}", Keys::default().event_grid)
}

fn rights(subscriptions: &[String]) -> Vec<Grant> {
    subscriptions.iter().map(|id| Grant::over_subscription(id, actions())).collect()
}

fn view(shown: &serde_json::Value) -> MachineView {
    let text = |name: &str| shown[name].as_str().unwrap_or_default().to_owned();
    MachineView {
        id: text("id"),
        name: text("name"),
        vm_id: text("vmId"),
        state: text("provisioningState"),
        created: text("timeCreated").parse().unwrap_or_default(),
        env: shown["tags"]["env"].as_str().map(str::to_owned),
        managed_by: shown["managedBy"].as_str().map(str::to_owned),
        agent_ready: shown["agentReady"].as_bool().unwrap_or_default(),
    }
}

/// Calls the simulator's routers without a socket.
struct InProcess {
    arm: Router,
    blobs: Router,
    bus: Router,
    topic: Router,
    identity: Router,
    directory: Router,
    workload: Arc<AtomicBool>,
}

impl InProcess {
    fn of(&self, host: &str) -> &Router {
        match host {
            "management.azure.com" => &self.arm,
            "acct.blob.core.windows.net" => &self.blobs,
            "ns.servicebus.windows.net" => &self.bus,
            _ if host.ends_with(".eventgrid.azure.net") => &self.topic,
            _ if !host.is_empty() && DIRECTORY_URL.ends_with(host) => &self.directory,
            _ => &self.identity,
        }
    }
}

#[async_trait]
impl HttpClient for InProcess {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let unusable = |what: &str| Error::with_message(ErrorKind::Io, what.to_owned());
        let url = request.url();
        if url.host_str().is_some_and(|host| host.ends_with(".example")) {
            return match self.workload.load(Ordering::Relaxed) {
                true => Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, Headers::new(), Vec::new())),
                false => Err(unusable("nobody answers")),
            };
        }
        let Body::Bytes(bytes) = request.body() else { return Err(unusable("only bytes are carried")) };
        let mut copy = http::Request::new(axum::body::Body::from(bytes.clone()));
        *copy.method_mut() = request.method().as_str().parse().map_err(|_| unusable("a method that is none"))?;
        *copy.uri_mut() = url.as_str().parse().map_err(|_| unusable("a URL that is none"))?;
        for (name, value) in request.headers().iter() {
            let name: http::HeaderName = name.as_str().parse().map_err(|_| unusable("a header that is none"))?;
            let value = http::HeaderValue::from_str(value.as_str()).map_err(|_| unusable("a header of no text"))?;
            copy.headers_mut().append(name, value);
        }
        let router = self.of(url.host_str().unwrap_or_default()).clone();
        let response = router.oneshot(copy).await.unwrap_or_else(|error| match error {});
        if response.extensions().get::<ConnectionReset>().is_some() {
            return Err(unusable("the simulated connection broke"));
        }
        let (parts, body) = response.into_parts();
        let headers: HashMap<HeaderName, _> = parts
            .headers
            .iter()
            .map(|(name, value)| {
                let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (HeaderName::from(name.as_str().to_owned()), text.into())
            })
            .collect();
        let bytes = axum::body::to_bytes(body, ANSWER_BYTES_MAX).await.map_err(|error| unusable(&error.to_string()))?;
        Ok(AsyncRawResponse::from_bytes(StatusCode::from(parts.status.as_u16()), Headers::from(headers), bytes))
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}
