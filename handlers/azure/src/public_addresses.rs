//! Public addresses (Microsoft.Network 2024-07-01, `publicIpAddress.json`): where each lies, what it is called, and what holds it.
//!
//! It never makes, changes or deletes one, and says nothing of what answers there.

use crate::{
    arm::ArmClient,
    error::{Error, ErrorKind},
    id::ResourceId,
    json,
    operations::{Harm, Operation, PUBLIC_ADDRESSES},
};
use serde_json::Value;

/// The type of a public address.
pub const KIND: &str = "Microsoft.Network/publicIPAddresses";

/// Reading a public address.
pub const GET: Operation = Operation {
    action: "Microsoft.Network/publicIPAddresses/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network/publicIPAddresses/{publicIpAddressName}",
    api_version: PUBLIC_ADDRESSES.0,
    document: PUBLIC_ADDRESSES.1,
    harm: Harm::Nothing,
    evidence: &["address-get", "address-region", "arm-404-gone", "arm-404-group"],
};

/// Listing the public addresses of a subscription.
pub const LIST: Operation = Operation {
    path: "/subscriptions/{subscriptionId}/providers/Microsoft.Network/publicIPAddresses",
    evidence: &["address-list", "address-region"],
    ..GET
};

/// A public address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicAddress {
    /// Its id.
    pub id: ResourceId,
    /// Its region.
    pub location: String,
    /// The address itself; none while it has none.
    pub ip: Option<String>,
    /// The name that leads to it.
    pub fqdn: Option<String>,
    /// The configuration that holds it: of a network interface, of a load balancer.
    pub holder: Option<ResourceId>,
}

/// One public address (`PublicIPAddresses_Get`). A repeat is safe.
pub async fn get(arm: &ArmClient, address: &ResourceId) -> Result<PublicAddress, Error> {
    if !address.is(KIND) || address.resource_group().is_empty() {
        return Err(Error::because(ErrorKind::Refused, GET.action, "not the id of a public address"));
    }
    let value = arm.get(&GET, &[address.subscription(), address.resource_group(), address.name()], &[]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, "a public address without its id or its region"))
}

/// The public addresses of a subscription (`PublicIPAddresses_ListAll`). A repeat is safe.
pub async fn list(arm: &ArmClient, subscription: &str) -> Result<Vec<PublicAddress>, Error> {
    arm.list(&LIST, &[subscription], &[], read).await
}

/// What a public address's JSON says; none without its id, nor without its region: where it lies is why it is read.
pub(crate) fn read(value: &Value) -> Option<PublicAddress> {
    Some(PublicAddress {
        id: json::text(value, "/id")?.parse().ok()?,
        location: json::region(&json::filled(value, "/location")?),
        ip: json::filled(value, "/properties/ipAddress"),
        fqdn: json::filled(value, "/properties/dnsSettings/fqdn"),
        holder: json::id(value, "/properties/ipConfiguration/id"),
    })
}

#[cfg(test)]
mod tests {
    use super::{GET, get, read};
    use crate::scripted::{Reply, Scripted};
    use serde_json::json;

    const ID: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/a";

    #[test]
    fn a_public_address_whose_region_is_not_told_is_none_and_one_that_nothing_holds_is_one() {
        let address = read(&json!({ "id": ID, "location": "West Europe", "properties": {} })).unwrap();
        assert_eq!((address.id.as_str(), address.location.as_str()), (ID, "westeurope"));
        assert_eq!((address.ip, address.fqdn, address.holder), (None, None, None));
        for body in [json!({ "id": ID }), json!({ "id": ID, "location": "" }), json!({ "location": "westeurope" })] {
            assert_eq!(read(&body), None, "{body}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_id_of_a_public_address_is_asked_for() {
        let scripted = Scripted::new([Reply::text(200, "{}")]);
        let arm = crate::ArmClient::new("https://management.azure.com".parse().unwrap(), &scripted.access()).unwrap();
        let balancer = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/loadBalancers/l";
        let refused = get(&arm, &balancer.parse().unwrap()).await.unwrap_err();
        assert_eq!((refused.kind, scripted.count()), (crate::ErrorKind::Refused, 0), "{}", GET.action);
    }
}
