//! Which sizes a subscription is offered where (Microsoft.Compute 2021-07-01, `skus.json`).
//!
//! It never says that there is free capacity: no call does.

use crate::{
    arm::ArmClient,
    error::Error,
    json,
    operations::{Harm, Operation, SKUS},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Listing what is offered.
pub const LIST: Operation = Operation {
    action: "Microsoft.Compute/skus/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/providers/Microsoft.Compute/skus",
    api_version: SKUS.0,
    document: SKUS.1,
    harm: Harm::Nothing,
    evidence: &["sku-list", "sku-filter", "arm-next-link"],
};

/// Something that is offered: a size of machines, a kind of disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sku {
    /// For example `virtualMachines` or `disks`.
    pub resource_type: String,
    /// For example `Standard_D2s_v5`.
    pub name: String,
    /// For example `Standard`.
    pub tier: Option<String>,
    /// Its name without the tier.
    pub size: Option<String>,
    /// Its quota's name.
    pub family: Option<String>,
    /// The regions of this entry.
    pub locations: Vec<String>,
    /// Its zones, by region.
    pub zones: BTreeMap<String, Vec<String>>,
    /// What it can do: `vCPUs`, `MemoryGB`, …
    pub capabilities: BTreeMap<String, String>,
    /// Why it cannot be used, and where; none where it can.
    pub restrictions: Vec<Restriction>,
}

/// Why something cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// `Location` or `Zone`.
    pub kind: String,
    /// For example `NotAvailableForSubscription` or `QuotaId`.
    pub reason: Option<String>,
    /// The regions.
    pub locations: Vec<String>,
    /// The zones.
    pub zones: Vec<String>,
}

impl Sku {
    /// Whether nothing forbids it in a region as a whole. Zones may be forbidden all the same.
    pub fn is_offered_in(&self, location: &str) -> bool {
        let here = |regions: &[String]| regions.iter().any(|own| *own == json::region(location));
        here(&self.locations)
            && !self.restrictions.iter().any(|one| !one.kind.eq_ignore_ascii_case("Zone") && here(&one.locations))
    }
}

/// What is offered in a region (`ResourceSkus_List`). A repeat is safe; the answer has some thousand entries.
pub async fn list(arm: &ArmClient, subscription: &str, location: &str) -> Result<Vec<Sku>, Error> {
    let location = json::region(location);
    // A quote would end the text in the filter; no region has one.
    let filter = format!("location eq '{}'", location.replace('\'', "''"));
    arm.list(&LIST, &[subscription], &[("$filter", &filter)], read).await
}

/// What an entry's JSON says; none without its name.
pub(crate) fn read(value: &Value) -> Option<Sku> {
    let capabilities = json::list(value, "/capabilities").iter();
    Some(Sku {
        resource_type: json::string(value, "/resourceType").unwrap_or_default(),
        name: json::string(value, "/name")?,
        tier: json::string(value, "/tier"),
        size: json::string(value, "/size"),
        family: json::string(value, "/family"),
        locations: regions(value, "/locations"),
        zones: zones(value),
        capabilities: capabilities
            .filter_map(|one| Some((json::string(one, "/name")?, json::string(one, "/value")?)))
            .collect(),
        restrictions: json::list(value, "/restrictions").iter().map(restriction).collect(),
    })
}

/// The zones by region. A region stands twice where it has extended locations.
fn zones(value: &Value) -> BTreeMap<String, Vec<String>> {
    let mut zones: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for info in json::list(value, "/locationInfo") {
        let own = zones.entry(json::region(json::text(info, "/location").unwrap_or_default())).or_default();
        own.extend(json::texts(info, "/zones"));
        own.sort();
        own.dedup();
    }
    zones
}

fn restriction(value: &Value) -> Restriction {
    let mut locations = regions(value, "/restrictionInfo/locations");
    if locations.is_empty() {
        locations = regions(value, "/values");
    }
    Restriction {
        kind: json::string(value, "/type").unwrap_or_default(),
        reason: json::string(value, "/reasonCode"),
        locations,
        zones: json::texts(value, "/restrictionInfo/zones"),
    }
}

fn regions(value: &Value, pointer: &str) -> Vec<String> {
    json::texts(value, pointer).iter().map(|name| json::region(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::read;
    use serde_json::json;

    #[test]
    fn a_size_is_offered_unless_the_whole_region_forbids_it() {
        let sku = |kind: &str, region: &str| {
            let info = json!({ "locations": [region], "zones": ["1"] });
            let forbids = json!({ "type": kind, "reasonCode": "NotAvailableForSubscription", "restrictionInfo": info });
            read(&json!({ "name": "n", "locations": ["WestEurope"], "restrictions": [forbids] })).unwrap()
        };
        assert!(sku("Zone", "westeurope").is_offered_in("West Europe"));
        assert!(!sku("Location", "westeurope").is_offered_in("West Europe"));
        assert!(sku("Location", "northeurope").is_offered_in("westeurope"));
        assert!(!sku("Zone", "westeurope").is_offered_in("northeurope"), "it is not listed there");
    }
}
