//! Orders about health, events, locks, sizes, quotas and Resource Graph's rows.
//! It never answers what another part of the control API knows.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Refusal, directory, known, recovery, traffic, vaults};
use crate::azure::{Availability, LockLevel, ServiceEvent, SizeRestriction};
use crate::world::World;

#[derive(Debug, Deserialize)]
struct Health {
    id: String,
    #[serde(flatten)]
    availability: Availability,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Telling {
    tracking_id: String,
    summary: String,
    /// With an update.
    #[serde(default)]
    stage: Option<String>,
    /// With an end: where; everywhere when left out.
    #[serde(default)]
    regions: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Locked {
    scope: String,
    name: String,
    level: LockLevel,
}

#[derive(Debug, Deserialize)]
struct Restricted {
    size: String,
    region: String,
    #[serde(default)]
    restriction: Option<SizeRestriction>,
}

#[derive(Debug, Deserialize)]
struct Limited {
    subscription: String,
    region: String,
    usage: String,
    limit: u32,
}

/// Carries out an order.
pub(super) fn act(world: &World, method: &str, path: &str, asked: &Asked) -> Result<Value, Refusal> {
    let arm = world.arm();
    match (method, path) {
        ("POST", "/machines/health") => {
            let Health { id, availability } = asked.read()?;
            known(arm.set_availability(&id, availability), &id)
        }
        ("POST", "/service-events") => {
            arm.raise_service_event(asked.read::<ServiceEvent>()?);
            Ok(json!({}))
        }
        ("POST", "/service-events/update") => {
            let told: Telling = asked.read()?;
            let found = arm.update_service_event(&told.tracking_id, &told.summary, told.stage.as_deref());
            known(found, &told.tracking_id)
        }
        ("POST", "/service-events/resolve") => {
            let told: Telling = asked.read()?;
            let regions: Vec<&str> = told.regions.iter().map(String::as_str).collect();
            known(arm.resolve_service_event(&told.tracking_id, &told.summary, &regions), &told.tracking_id)
        }
        ("POST", "/locks") => {
            let Locked { scope, name, level } = asked.read()?;
            arm.add_lock(&scope, &name, level);
            Ok(json!({}))
        }
        ("DELETE", "/locks") => {
            let (scope, name) = (asked.parameter("scope")?, asked.parameter("name")?);
            known(arm.remove_lock(scope, name), name)
        }
        ("POST", "/sizes") => {
            let Restricted { size, region, restriction } = asked.read()?;
            arm.restrict_size(&size, &region, restriction);
            Ok(json!({}))
        }
        ("POST", "/usages") => {
            let Limited { subscription, region, usage, limit } = asked.read()?;
            arm.set_usage_limit(&subscription, &region, &usage, limit);
            Ok(json!({}))
        }
        ("POST", "/graph/rows") => {
            arm.seed_graph_rows(&asked.read::<Vec<Value>>()?);
            Ok(json!({}))
        }
        _ => traffic::act(world, method, path, asked)
            .or_else(|| recovery::act(world, method, path, asked))
            .or_else(|| directory::act(world, method, path, asked))
            .unwrap_or_else(|| vaults::act(world, method, path, asked)),
    }
}
