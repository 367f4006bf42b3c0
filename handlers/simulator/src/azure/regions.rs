//! The regions that this Azure has, with their pairs.
//! It never decides what happens in a region.

use serde_json::{Value, json};

/// A region.
#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) name: &'static str,
    pub(crate) display: &'static str,
    geography: &'static str,
    group: &'static str,
    pair: &'static str,
    pub(crate) zones: u8,
}

const fn region(
    name: &'static str,
    display: &'static str,
    geography: &'static str,
    group: &'static str,
    pair: &'static str,
    zones: u8,
) -> Region {
    Region { name, display, geography, group, pair, zones }
}

/// All of them.
pub(crate) static REGIONS: [Region; 11] = [
    region("eastus", "East US", "United States", "US", "westus", 3),
    region("westus", "West US", "United States", "US", "eastus", 0),
    region("eastus2", "East US 2", "United States", "US", "centralus", 3),
    region("centralus", "Central US", "United States", "US", "eastus2", 3),
    region("eastus2euap", "East US 2 EUAP", "Canary (US)", "US", "centraluseuap", 3),
    region("centraluseuap", "Central US EUAP", "Canary (US)", "US", "eastus2euap", 3),
    region("northeurope", "North Europe", "Europe", "Europe", "westeurope", 3),
    region("westeurope", "West Europe", "Europe", "Europe", "northeurope", 3),
    region("uksouth", "UK South", "United Kingdom", "Europe", "ukwest", 3),
    region("ukwest", "UK West", "United Kingdom", "Europe", "uksouth", 0),
    // A region without a pair, as newer ones are.
    region("italynorth", "Italy North", "Italy", "Europe", "", 3),
];

impl Region {
    pub(crate) fn json(&self, subscription: &str) -> Value {
        let id = |name: &str| format!("/subscriptions/{subscription}/locations/{name}");
        let pairs: Vec<Value> = Some(self.pair)
            .filter(|pair| !pair.is_empty())
            .map(|pair| json!({ "name": pair, "id": id(pair) }))
            .into_iter()
            .collect();
        let mut body = json!({
            "id": id(self.name),
            "name": self.name,
            "type": "Region",
            "displayName": self.display,
            "regionalDisplayName": format!("({}) {}", self.group, self.display),
            "metadata": {
                "regionType": "Physical",
                "regionCategory": if self.zones > 0 { "Recommended" } else { "Other" },
                "geography": self.geography,
                "geographyGroup": self.group,
                "pairedRegion": pairs,
            },
        });
        if self.zones > 0 {
            let zones: Vec<Value> = (1..=self.zones)
                .map(|zone| json!({ "logicalZone": zone.to_string(), "physicalZone": format!("{}-az{zone}", self.name) }))
                .collect();
            body["availabilityZoneMappings"] = json!(zones);
        }
        body
    }
}

/// A region by its name, or by the name that people read.
pub(crate) fn named(text: &str) -> Option<&'static Region> {
    let text = text.replace(' ', "");
    REGIONS.iter().find(|region| region.name.eq_ignore_ascii_case(&text))
}
