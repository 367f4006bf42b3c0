//! Orders about Traffic Manager's profiles, public addresses and what stands behind targets, and the question who is served.
//! It never answers what another part of the control API knows.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Refusal};
use crate::azure::{EndpointLead, ProfileSeed, PublicAddressSeed, TargetState};
use crate::world::World;

#[derive(Debug, Deserialize)]
struct Behind {
    target: String,
    is: TargetState,
}

#[derive(Debug, Deserialize)]
struct Led {
    profile: String,
    endpoint: String,
    to: EndpointLead,
}

/// Carries out an order; what is not about this is handed back.
pub(super) fn act(world: &World, method: &str, path: &str, asked: &Asked) -> Option<Result<Value, Refusal>> {
    let arm = world.arm();
    Some(match (method, path) {
        ("GET", "/traffic/profiles") => Ok(json!(arm.profiles())),
        ("GET", "/traffic/served") => {
            asked.parameter("profile").map(|profile| json!({ "served": arm.served(profile) }))
        }
        ("POST", "/traffic/profiles") => {
            let made = asked.read::<ProfileSeed>().and_then(|seed| arm.add_profile(&seed).map_err(Refusal::Bad));
            made.map(|id| json!({ "id": id }))
        }
        ("POST", "/traffic/targets") => asked.read::<Behind>().map(|Behind { target, is }| {
            arm.set_target(&target, &is);
            json!({})
        }),
        ("POST", "/traffic/addresses") => {
            asked.read::<PublicAddressSeed>().map(|seed| json!({ "id": arm.add_public_address(&seed) }))
        }
        ("POST", "/traffic/leads") => asked.read::<Led>().and_then(|Led { profile, endpoint, to }| {
            arm.lead(&profile, &endpoint, &to).map_err(Refusal::Bad).map(|()| json!({}))
        }),
        _ => return None,
    })
}
