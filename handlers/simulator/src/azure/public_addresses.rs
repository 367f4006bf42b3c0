//! Public addresses, as far as a failover looks at them: that one is there, where, what it is called, and what holds it.
//! It never makes one by a call, never leads a request anywhere, and never lets one move.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Arm;
use super::call::{Answer, Call};
use super::errors::{ArmError, resource_not_found};
use super::ids::{ResourceId, group_id, guid_of, key};
use super::paging;
use super::state::State;

/// The provider's name of the resource, as answers write it.
const KIND: &str = "Microsoft.Network/publicIPAddresses";
/// What follows the region in the name of an address (as the document's example has it).
const ZONE: &str = "cloudapp.azure.com";

/// A public address to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicAddressSeed {
    /// The subscription's GUID.
    pub subscription: String,
    /// The resource group; made where there is none.
    pub group: String,
    /// The name.
    pub name: String,
    /// The region.
    pub location: String,
    /// The address itself.
    pub ip: String,
    /// The first part of the name that leads to it.
    #[serde(default)]
    pub label: Option<String>,
    /// ARM id of the configuration that holds it.
    #[serde(default)]
    pub holder: Option<String>,
}

/// A public address.
#[derive(Clone, Debug)]
pub(crate) struct PublicAddress {
    pub(crate) location: String,
    body: Value,
}

impl PublicAddressSeed {
    /// Its ARM id.
    pub fn id(&self) -> String {
        format!("{}/providers/{KIND}/{}", group_id(&self.subscription, &self.group), self.name)
    }

    /// The name that leads to it.
    pub fn fqdn(&self) -> Option<String> {
        self.label.as_ref().map(|label| format!("{label}.{}.{ZONE}", self.location))
    }

    /// As the recorded ones are; with a name as the document's example has it.
    fn body(&self, seed: u64) -> Value {
        let id = self.id();
        let mut properties = json!({
            "provisioningState": "Succeeded",
            "resourceGuid": guid_of(seed, "public-address", &key(&id)),
            "ipAddress": self.ip,
            "publicIPAddressVersion": "IPv4",
            "publicIPAllocationMethod": "Static",
            "idleTimeoutInMinutes": 4,
            "ipTags": [],
        });
        if let Some(fqdn) = self.fqdn() {
            properties["dnsSettings"] = json!({ "domainNameLabel": self.label, "fqdn": fqdn });
        }
        if let Some(holder) = &self.holder {
            properties["ipConfiguration"] = json!({ "id": holder });
        }
        json!({
            "name": self.name,
            "id": id,
            "etag": format!("W/\"{}\"", guid_of(seed, "public-address-etag", &key(&id))),
            "location": self.location,
            "tags": {},
            "properties": properties,
            "type": KIND,
            "sku": { "name": "Standard", "tier": "Regional" },
        })
    }
}

impl Arm {
    /// Puts a public address there, behind everybody's back; answers its id.
    pub fn add_public_address(&self, seed: &PublicAddressSeed) -> String {
        let now = self.clock.now();
        let mut state = self.state();
        state.ensure_group(&seed.subscription, &seed.group, &seed.location, now);
        let (id, body) = (seed.id(), seed.body(state.seed));
        state.public_addresses.insert(key(&id), PublicAddress { location: seed.location.clone(), body });
        id
    }

    /// Takes a public address away, behind everybody's back.
    pub fn remove_public_address(&self, id: &str) {
        self.state().public_addresses.remove(&key(id));
    }
}

impl State {
    /// Takes over the body of a `GET`; nothing where it is no public address's.
    pub(crate) fn seed_public_address(&mut self, id: &ResourceId, body: &Value) -> Option<()> {
        if !id.kind().eq_ignore_ascii_case(KIND) {
            return None;
        }
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let address = PublicAddress { location: text("location"), body: body.clone() };
        self.public_addresses.insert(key(&text("id")), address);
        Some(())
    }
}

/// `GET …/publicIPAddresses/{name}` (recorded); one that is not there is the gateway's 404.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let id = format!("{}/providers/{KIND}/{}", group_id(call.param(0), call.param(1)), call.param(2));
    let address = state.public_addresses.get(&key(&id));
    let body = &address.ok_or_else(|| resource_not_found(KIND, call.param(2), call.param(1)))?.body;
    Ok(Answer::new(200, body.clone()).with_header("etag", body["etag"].as_str().unwrap_or_default()))
}

/// `GET` of a subscription's public addresses, in pages.
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let within = format!("{}/", key(&format!("/subscriptions/{}", call.param(0))));
    let own = state.public_addresses.iter().filter(|(id, _)| id.starts_with(&within));
    let rows = own.map(|(id, address)| (id.clone(), address.body.clone()));
    Ok(paging::listing(call, rows, state.page_size))
}

#[cfg(test)]
mod tests {
    use super::PublicAddressSeed;
    use crate::azure::tests::calls::{Caller, SUBSCRIPTION};

    #[tokio::test(start_paused = true)]
    async fn addresses_are_listed_by_subscription_and_read_and_what_is_not_there_is_the_gateways_404() {
        let caller = Caller::new();
        let seed = |name: &str, label: Option<&str>| PublicAddressSeed {
            subscription: SUBSCRIPTION.to_owned(),
            group: "rg-net".to_owned(),
            name: name.to_owned(),
            location: "northeurope".to_owned(),
            ip: "203.0.113.1".to_owned(),
            label: label.map(str::to_owned),
            holder: None,
        };
        let arm = caller.world.arm();
        let ids =
            [("one", Some("shop")), ("two", None)].map(|(name, label)| arm.add_public_address(&seed(name, label)));
        let get = async |path: &str| caller.send("GET", &format!("{path}?api-version=2024-07-01"), None).await;
        let all = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/publicIPAddresses");
        let listed = get(&all).await.body["value"].clone();
        assert_eq!((&listed[0]["name"], &listed[1]["name"]), (&"one".into(), &"two".into()), "{listed}");
        let read = get(&ids[0].to_uppercase()).await.body["properties"].clone();
        assert_eq!(read["dnsSettings"]["fqdn"], "shop.northeurope.cloudapp.azure.com");
        assert_eq!((&read["ipAddress"], &listed[1]["properties"]["dnsSettings"]), (&"203.0.113.1".into(), &().into()));
        arm.remove_public_address(&ids[0]);
        let gone = get(&ids[0]).await;
        assert_eq!((gone.status, gone.body["error"]["code"].as_str()), (404, Some("ResourceNotFound")));
    }
}
