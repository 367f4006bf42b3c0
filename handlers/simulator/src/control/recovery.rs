//! Orders about Site Recovery: machines that are replicated, and replication that stalls.
//! It never answers what another part of the control API knows.

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Refusal, Seconds, known};
use crate::azure::ReplicaSeed;
use crate::world::World;

#[derive(Debug, Deserialize)]
struct Stall {
    id: String,
    stalled: bool,
}

/// Carries out an order; what is not about this is handed back.
pub(super) fn act(world: &World, method: &str, path: &str, asked: &Asked) -> Option<Result<Value, Refusal>> {
    let arm = world.arm();
    Some(match (method, path) {
        ("GET", "/replicas") => Ok(json!(arm.replicas())),
        ("POST", "/replicas") => {
            let made = asked.read::<ReplicaSeed>().and_then(|seed| arm.add_replica(&seed).map_err(Refusal::Bad));
            made.map(|id| json!({ "id": id }))
        }
        ("POST", "/replicas/stall") => {
            asked.read::<Stall>().and_then(|Stall { id, stalled }| known(arm.stall_replication(&id, stalled), &id))
        }
        ("POST", "/replicas/age") => asked.read::<Seconds>().map(|Seconds { seconds }| {
            arm.age_replication(SignedDuration::from_secs(seconds));
            json!({})
        }),
        _ => return None,
    })
}
