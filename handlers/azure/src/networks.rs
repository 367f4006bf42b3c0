//! Virtual networks (Microsoft.Network 2022-01-01). No document of them is at hand: what is asked and read is what a recording shows.
//!
//! It never makes, changes or deletes one, and says nothing of what is in one.

use crate::{
    arm::ArmClient,
    error::{Error, ErrorKind},
    id::ResourceId,
    json,
    operations::{Harm, Operation},
};
use serde_json::Value;

/// The type of a virtual network.
const KIND: &str = "Microsoft.Network/virtualNetworks";

/// Reading a virtual network.
pub const GET: Operation = Operation {
    action: "Microsoft.Network/virtualNetworks/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network/virtualNetworks/{virtualNetworkName}",
    api_version: "2022-01-01",
    document: "",
    harm: Harm::Nothing,
    evidence: &["network-get", "arm-404-gone", "arm-404-group"],
};

/// A virtual network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its id.
    pub id: ResourceId,
    /// Its region.
    pub location: String,
}

/// One virtual network. A repeat is safe.
pub async fn get(arm: &ArmClient, network: &ResourceId) -> Result<Network, Error> {
    if !network.is(KIND) {
        return Err(Error::because(ErrorKind::Refused, GET.action, "not the id of a virtual network"));
    }
    let value = arm.get(&GET, &[network.subscription(), network.resource_group(), network.name()], &[]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, "a virtual network without its id or its region"))
}

/// The networks that a replicated machine's cards are in, each once. What is called a name there is an id (recorded).
pub(crate) fn of_cards(cards: &[Value]) -> Vec<ResourceId> {
    let ids = cards.iter().filter_map(|card| json::id(card, "/vMNetworkName"));
    let mut networks: Vec<ResourceId> = ids.filter(|id| id.is(KIND)).collect();
    networks.sort_by(|one, other| one.key().cmp(other.key()));
    networks.dedup();
    networks
}

/// What a network's JSON says; none without its id, nor without its region: where it lies is why it is read.
pub(crate) fn read(value: &Value) -> Option<Network> {
    let id: ResourceId = json::text(value, "/id")?.parse().ok()?;
    Some(Network { location: json::region(&json::filled(value, "/location")?), id })
}

#[cfg(test)]
mod tests {
    use super::{of_cards, read};
    use serde_json::json;

    const ID: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n";

    #[test]
    fn a_network_whose_region_is_not_told_is_none() {
        let network = read(&json!({ "id": ID, "location": "West Europe" })).unwrap();
        assert_eq!((network.id.as_str(), network.location.as_str()), (ID, "westeurope"));
        for body in [json!({ "id": ID }), json!({ "id": ID, "location": "" }), json!({ "location": "westeurope" })] {
            assert_eq!(read(&body), None, "{body}");
        }
    }

    #[test]
    fn cards_name_each_network_once_and_what_is_no_id_of_one_is_left_out() {
        let card = |name: serde_json::Value| json!({ "vMNetworkName": name });
        let cards = [ID.into(), ID.to_lowercase().into(), "n".into(), serde_json::Value::Null].map(card);
        assert_eq!(of_cards(&cards), [ID.parse().unwrap()]);
        assert_eq!(of_cards(&[card("/subscriptions/s/resourceGroups/g".into())]), []);
    }
}
