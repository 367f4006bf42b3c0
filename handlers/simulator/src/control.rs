//! The control API: what happens to the simulated Azure, and what happened in it, as JSON over HTTP.
//! It never is reached through the services it controls, and asks for no token: it listens on this machine only.

mod directory;
mod orders;
mod recovery;
mod traffic;
mod vaults;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use http_body_util::{BodyExt, Limited};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::azure::blobs::{BlobFault, BlobFaultEffect};
use crate::azure::passage::json_response;
use crate::azure::{
    ArmFault, EventEffect, EventOrder, EventSchema, EventSubscription, EventTarget, MachineSeed, PointSeed,
    RegionTrouble, SubscriptionState,
};
use crate::world::World;

/// Largest body of a control request, in bytes.
const BODY_BYTES: usize = 1024 * 1024;

/// What went wrong with a control request.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    /// The path or the thing it names is not known.
    Unknown(String),
    /// The body or the query is wrong.
    Bad(String),
}

struct Asked {
    query: BTreeMap<String, String>,
    body: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewMachine {
    #[serde(flatten)]
    seed: MachineSeed,
    /// Put there without events, as if it had always been.
    #[serde(default)]
    seeded: bool,
}

#[derive(Debug, Deserialize)]
struct NewSubscription {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    state: Option<SubscriptionState>,
}

#[derive(Debug, Deserialize)]
struct Agent {
    id: String,
    ready: bool,
}

#[derive(Debug, Deserialize)]
struct Tags {
    id: String,
    tags: Value,
}

#[derive(Debug, Deserialize)]
struct Move {
    id: String,
    group: String,
}

#[derive(Debug, Deserialize)]
struct Region {
    region: String,
    #[serde(default)]
    trouble: Option<RegionTrouble>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rights {
    object_id: String,
    action: String,
    allowed: bool,
}

#[derive(Debug, Deserialize)]
struct Plant {
    /// The machine into whose first collection the point goes, where no collection is named.
    machine: String,
    name: String,
    /// The id of the collection.
    #[serde(default)]
    collection: Option<String>,
    /// When it was made; now where it is not said.
    #[serde(default)]
    made: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct Again {
    id: String,
    #[serde(default = "one")]
    copies: u32,
    #[serde(default)]
    seconds: u32,
}

#[derive(Debug, Deserialize)]
struct Which {
    /// A part of the machine's id.
    #[serde(default)]
    machine: Option<String>,
    #[serde(default = "one")]
    times: u32,
    /// With `duplicate`.
    #[serde(default = "two")]
    copies: u32,
    /// With `delay`.
    #[serde(default)]
    seconds: u32,
}

#[derive(Debug, Deserialize)]
struct Subscribe {
    name: String,
    url: String,
    #[serde(default)]
    schema: EventSchema,
}

#[derive(Debug, Deserialize)]
struct Seconds {
    seconds: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DroppedWrites {
    #[serde(default)]
    name_prefix: String,
    #[serde(default = "one")]
    times: u32,
}

/// The control API of a world.
pub fn router(world: World) -> Router {
    Router::new().fallback(serve).with_state(world)
}

async fn serve(Shared(world): Shared<World>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let outcome = match Limited::new(body, BODY_BYTES).collect().await {
        Err(_) => Err(Refusal::Bad("the body is too large".to_owned())),
        Ok(bytes) => {
            let bytes = bytes.to_bytes();
            let body = if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&bytes) };
            let query = parts.uri.query().unwrap_or_default();
            let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            body.map_err(|error| Refusal::Bad(error.to_string()))
                .and_then(|body| answer(&world, parts.method.as_str(), parts.uri.path(), &Asked { query, body }))
        }
    };
    match outcome {
        Ok(body) => json_response(200, &[], Some(&body)),
        Err(Refusal::Unknown(what)) => json_response(404, &[], Some(&json!({ "error": what }))),
        Err(Refusal::Bad(why)) => json_response(400, &[], Some(&json!({ "error": why }))),
    }
}

fn answer(world: &World, method: &str, path: &str, asked: &Asked) -> Result<Value, Refusal> {
    match (method, path) {
        ("GET", "/state") => Ok(state(world)),
        ("GET", "/machines") => Ok(json!(world.arm().machines())),
        ("GET", "/points") => Ok(json!(world.points_of(asked.parameter("machine")?))),
        ("GET", "/counts") => Ok(json!(world.counts())),
        ("GET", "/requests") => Ok(json!(world.arm().requests())),
        ("GET", "/events") => Ok(json!(world.event_grid().events())),
        ("GET", "/deliveries") => Ok(json!(world.event_grid().deliveries())),
        ("GET", "/queues") => Ok(queue(world, asked.parameter("name")?)),
        ("GET", "/topic") => Ok(json!(world.topic().accepted().iter().map(|one| &one.event).collect::<Vec<_>>())),
        ("GET", "/blobs") => Ok(json!(world.blobs().names(asked.parameter("container")?))),
        _ => act(world, method, path, asked),
    }
}

fn act(world: &World, method: &str, path: &str, asked: &Asked) -> Result<Value, Refusal> {
    match (method, path) {
        ("POST", "/machines") => create_machine(world, asked.read()?),
        ("DELETE", "/machines") => done(world.arm().delete_machine(asked.parameter("id")?)),
        ("POST", "/machines/agent") => {
            let Agent { id, ready } = asked.read()?;
            known(world.arm().set_agent(&id, ready), &id)
        }
        ("POST", "/machines/tags") => {
            let Tags { id, tags } = asked.read()?;
            done(world.arm().tag_machine(&id, tags))
        }
        ("POST", "/machines/move") => {
            let Move { id, group } = asked.read()?;
            let moved = world.arm().move_machine(&id, &group);
            moved.map(|id| json!({ "id": id })).ok_or(Refusal::Unknown(id))
        }
        ("POST", "/subscriptions") => {
            let NewSubscription { id, name, state } = asked.read()?;
            world.add_subscription(&id, name.as_deref().unwrap_or(&id));
            if let Some(state) = state {
                world.arm().set_subscription_state(&id, state);
            }
            Ok(json!({}))
        }
        ("POST", "/points/plant") => plant(world, &asked.read()?),
        ("POST", "/faults") => {
            world.arm().fault(asked.read::<ArmFault>()?);
            Ok(json!({ "left": world.arm().faults_left() }))
        }
        ("DELETE", "/faults") => {
            world.arm().clear_faults();
            world.blobs().clear_faults();
            world.bus().clear_faults();
            Ok(json!({}))
        }
        ("POST", "/regions") => {
            let Region { region, trouble } = asked.read()?;
            world.arm().set_region(&region, trouble);
            Ok(json!({}))
        }
        ("POST", "/rights") => {
            let Rights { object_id, action, allowed } = asked.read()?;
            let found = if allowed { world.allow(&object_id, &action) } else { world.deny(&object_id, &action) };
            known(found, &object_id)
        }
        ("POST", "/blobs/drop") => {
            let DroppedWrites { name_prefix, times } = asked.read()?;
            let effect = BlobFaultEffect::AcknowledgedButDropped;
            world.blobs().fault(BlobFault::new(effect).on_names(name_prefix).times(times));
            Ok(json!({}))
        }
        ("POST", "/clock/jump") => {
            world.jump(SignedDuration::from_secs(asked.read::<Seconds>()?.seconds));
            Ok(json!({ "now": world.clock().now() }))
        }
        ("POST", "/graph/lag") => {
            world.arm().set_graph_lag(SignedDuration::from_secs(asked.read::<Seconds>()?.seconds));
            Ok(json!({}))
        }
        _ => act_on_events(world, method, path, asked),
    }
}

fn act_on_events(world: &World, method: &str, path: &str, asked: &Asked) -> Result<Value, Refusal> {
    let grid = world.event_grid();
    let effect = |which: &Which| match path {
        "/events/drop" => Some(EventEffect::Drop),
        "/events/duplicate" => Some(EventEffect::Duplicate { copies: which.copies }),
        "/events/delay" => Some(EventEffect::Delay { seconds: which.seconds }),
        "/events/reorder" => Some(EventEffect::Reorder),
        _ => None,
    };
    match (method, path) {
        ("POST", "/events/drop" | "/events/duplicate" | "/events/delay" | "/events/reorder") => {
            let which: Which = asked.read()?;
            if let Some(effect) = effect(&which) {
                let order = EventOrder::machine_write(effect).times(which.times);
                grid.order(match which.machine {
                    Some(machine) => order.about(machine),
                    None => order,
                });
            }
            Ok(json!({}))
        }
        ("DELETE", "/events/orders") => {
            grid.clear_orders();
            Ok(json!({}))
        }
        ("POST", "/events/again") => {
            let Again { id, copies, seconds } = asked.read()?;
            known(grid.send_again(&id, copies, SignedDuration::from_secs(seconds.into())), &id)
        }
        ("POST", "/event-subscriptions") => {
            let Subscribe { name, url, schema } = asked.read()?;
            grid.subscribe(EventSubscription::machine_writes(&name, EventTarget::Url(url)).in_schema(schema));
            Ok(json!({}))
        }
        _ => orders::act(world, method, path, asked),
    }
}

fn create_machine(world: &World, machine: NewMachine) -> Result<Value, Refusal> {
    let id = if machine.seeded {
        world.add_machine(&machine.seed)
    } else {
        world.create_machine(&machine.seed).map_err(Refusal::Bad)?
    };
    Ok(json!({ "id": id }))
}

fn plant(world: &World, plant: &Plant) -> Result<Value, Refusal> {
    let first = world.points_of(&plant.machine).first().map(|point| point.id.clone());
    let first = first.as_deref().and_then(|id| id.split_once("/restorePoints/")).map(|(collection, _)| collection);
    let made = plant.made.unwrap_or_else(|| world.clock().now());
    let seed = PointSeed { name: plant.name.clone(), made };
    let collection = plant.collection.as_deref().or(first);
    let planted = collection.and_then(|collection| world.arm().add_past_point(collection, &seed));
    planted.map(|point| json!(point)).ok_or_else(|| Refusal::Unknown(format!("no collection of {}", plant.machine)))
}

fn state(world: &World) -> Value {
    json!({
        "now": world.clock().now(),
        "machines": world.arm().machines().len(),
        "collections": world.arm().collections(),
        "counts": world.counts(),
        "eventsUnderWay": world.event_grid().under_way(),
        "faultsLeft": world.arm().faults_left(),
        "nextDue": world.arm().next_due(),
    })
}

fn queue(world: &World, name: &str) -> Value {
    let counts = world.bus().counts(name);
    json!({
        "active": counts.active, "scheduled": counts.scheduled, "locked": counts.locked, "dead": counts.dead,
        "duplicates": counts.duplicates, "completed": counts.completed, "expired": counts.expired,
    })
}

fn known(found: bool, what: &str) -> Result<Value, Refusal> {
    if found { Ok(json!({})) } else { Err(Refusal::Unknown(what.to_owned())) }
}

fn done(outcome: Result<(), String>) -> Result<Value, Refusal> {
    outcome.map(|()| json!({})).map_err(Refusal::Bad)
}

fn one() -> u32 {
    1
}

fn two() -> u32 {
    2
}

impl Asked {
    fn parameter(&self, name: &str) -> Result<&str, Refusal> {
        self.query.get(name).map(String::as_str).ok_or_else(|| Refusal::Bad(format!("the query lacks {name}")))
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_value(self.body.clone()).map_err(|error| Refusal::Bad(error.to_string()))
    }
}
