//! Virtual networks, as far as a failover looks at them: that one is there, and where.
//! It never makes one by a call: what a write is answered with, the recordings show in two ways and do not tell when which.

use serde_json::{Value, json};

use super::Arm;
use super::call::{Answer, Call};
use super::errors::{ArmError, resource_not_found};
use super::ids::{ResourceId, group_id, guid_of, key};
use super::state::State;

/// The provider's name of the resource, as answers write it.
const KIND: &str = "Microsoft.Network/virtualNetworks";

/// A virtual network.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) location: String,
    body: Value,
}

impl Network {
    /// One in which there is nothing (as recorded).
    fn empty(seed: u64, id: &str, location: &str) -> Self {
        let body = json!({
            "name": id.rsplit('/').next(),
            "id": id,
            "etag": format!("W/\"{}\"", guid_of(seed, "network-etag", &key(id))),
            "type": KIND,
            "location": location,
            "properties": {
                "provisioningState": "Succeeded",
                "resourceGuid": guid_of(seed, "network", &key(id)),
                "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
                "subnets": [],
                "virtualNetworkPeerings": [],
                "enableDdosProtection": false,
            },
        });
        Self { location: location.to_owned(), body }
    }
}

impl Arm {
    /// Puts a virtual network there, moves it to another region, or takes it away; behind everybody's back.
    pub fn set_network(&self, id: &str, location: Option<&str>) {
        let mut state = self.state();
        state.networks.remove(&key(id));
        if let Some(location) = location {
            state.ensure_network(id, location);
        }
    }
}

impl State {
    /// Makes sure that a network exists.
    pub(crate) fn ensure_network(&mut self, id: &str, location: &str) {
        let seed = self.seed;
        self.networks.entry(key(id)).or_insert_with(|| Network::empty(seed, id, location));
    }

    /// Takes over the body of a `GET`.
    pub(crate) fn seed_network(&mut self, id: &ResourceId, body: &Value) -> Result<(), String> {
        if !id.kind().eq_ignore_ascii_case(KIND) {
            return Err(format!("{} is not modelled", id.kind()));
        }
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        self.networks.insert(key(text("id")), Network { location: text("location").to_owned(), body: body.clone() });
        Ok(())
    }
}

/// `GET …/virtualNetworks/{name}`; one that is not there is the gateway's 404 (recorded).
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let id = format!("{}/providers/{KIND}/{}", group_id(call.param(0), call.param(1)), call.param(2));
    let network = state.networks.get(&key(&id));
    let body = &network.ok_or_else(|| resource_not_found(KIND, call.param(2), call.param(1)))?.body;
    Ok(Answer::new(200, body.clone()).with_header("etag", body["etag"].as_str().unwrap_or_default()))
}
