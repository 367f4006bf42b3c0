//! Sizes of machines: what each can do, in which regions and zones it is offered, and to whom it is not.
//! It never counts what is in use: that is `usages`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::errors::{ArmError, invalid_parameter};
use super::regions::{REGIONS, Region, named};
use super::state::State;

/// A size. *Assumed* (`size-table`): its figures and its family, from general knowledge; no document lists them.
#[derive(Debug)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    pub(crate) family: &'static str,
    pub(crate) cores: u32,
    /// In MiB, since the smallest have half a GiB.
    pub(crate) memory_mib: u32,
    pub(crate) data_disks: u32,
    pub(crate) premium: bool,
}

const fn size(
    name: &'static str,
    family: &'static str,
    cores: u32,
    memory_mib: u32,
    data_disks: u32,
    premium: bool,
) -> Size {
    Size { name, family, cores, memory_mib, data_disks, premium }
}

/// All of them.
pub(crate) static SIZES: [Size; 14] = [
    size("Standard_B1s", "standardBSFamily", 1, 1_024, 2, true),
    size("Standard_B2s", "standardBSFamily", 2, 4_096, 4, true),
    size("Standard_B2ms", "standardBSFamily", 2, 8_192, 4, true),
    size("Standard_D2_v3", "standardDv3Family", 2, 8_192, 4, false),
    size("Standard_DS1_v2", "standardDSv2Family", 1, 3_584, 4, true),
    size("Standard_DS2_v2", "standardDSv2Family", 2, 7_168, 8, true),
    size("Standard_DS3_v2", "standardDSv2Family", 4, 14_336, 16, true),
    size("Standard_D2s_v3", "standardDSv3Family", 2, 8_192, 4, true),
    size("Standard_D4s_v3", "standardDSv3Family", 4, 16_384, 8, true),
    size("Standard_D2s_v5", "standardDSv5Family", 2, 8_192, 4, true),
    size("Standard_D4s_v5", "standardDSv5Family", 4, 16_384, 8, true),
    size("Standard_D8s_v5", "standardDSv5Family", 8, 32_768, 16, true),
    size("Standard_E2s_v5", "standardESv5Family", 2, 16_384, 4, true),
    size("Standard_F2s_v2", "standardFSv2Family", 2, 4_096, 4, true),
];

/// Why a size is not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestrictionReason {
    /// The offer's quota id does not include it.
    QuotaId,
    /// The subscription has no access to it.
    NotAvailableForSubscription,
}

/// Where a size is not to be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeRestriction {
    /// Why.
    pub reason: RestrictionReason,
    /// In these zones only; none means the whole region.
    #[serde(default)]
    pub zones: Vec<String>,
}

/// What a test changed about sizes and quotas.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sizes {
    /// By size and region, both in lower case.
    restrictions: BTreeMap<(String, String), SizeRestriction>,
    /// By subscription, region and name of the usage, all in lower case.
    limits: BTreeMap<(String, String, String), u32>,
}

impl Sizes {
    pub(crate) fn restrict(&mut self, size: &str, region: &str, restriction: Option<SizeRestriction>) {
        let key = (size.to_ascii_lowercase(), region.to_ascii_lowercase());
        match restriction {
            Some(restriction) => self.restrictions.insert(key, restriction),
            None => self.restrictions.remove(&key),
        };
    }

    pub(crate) fn limit(&mut self, subscription: &str, region: &str, usage: &str, limit: u32) {
        let key = (subscription.to_ascii_lowercase(), region.to_ascii_lowercase(), usage.to_ascii_lowercase());
        self.limits.insert(key, limit);
    }

    /// The limit that was set for a usage.
    pub(crate) fn limit_of(&self, subscription: &str, region: &str, usage: &str) -> Option<u32> {
        let key = (subscription.to_ascii_lowercase(), region.to_ascii_lowercase(), usage.to_ascii_lowercase());
        self.limits.get(&key).copied()
    }

    /// Whether a size is not to be had in a whole region.
    pub(crate) fn is_restricted(&self, size: &Size, region: &Region) -> bool {
        let found = self.restrictions.get(&(size.name.to_ascii_lowercase(), region.name.to_owned()));
        found.is_some_and(|restriction| restriction.zones.is_empty())
    }

    fn restrictions(&self, size: &Size, region: &Region) -> Vec<Value> {
        let found = self.restrictions.get(&(size.name.to_ascii_lowercase(), region.name.to_owned()));
        let entry = |restriction: &SizeRestriction| {
            let mut place = json!({ "locations": [region.name] });
            if !restriction.zones.is_empty() {
                place["zones"] = json!(restriction.zones);
            }
            json!({
                "type": if restriction.zones.is_empty() { "Location" } else { "Zone" },
                "values": [region.name],
                "restrictionInfo": place,
                "reasonCode": restriction.reason,
            })
        };
        found.map(entry).into_iter().collect()
    }
}

impl Size {
    /// The size of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        SIZES.iter().find(|size| size.name.eq_ignore_ascii_case(name))
    }

    fn json(&self, region: &Region, sizes: &Sizes) -> Value {
        let capability = |name: &str, value: String| json!({ "name": name, "value": value });
        let zones: Vec<String> = (1..=region.zones).map(|zone| zone.to_string()).collect();
        let memory = f64::from(self.memory_mib) / 1024.0;
        json!({
            "resourceType": "virtualMachines",
            "name": self.name,
            "tier": "Standard",
            "size": self.name.trim_start_matches("Standard_"),
            "family": self.family,
            "locations": [region.name],
            "locationInfo": [{ "location": region.name, "zones": zones, "zoneDetails": [] }],
            "capabilities": [
                capability("vCPUs", self.cores.to_string()),
                capability("vCPUsAvailable", self.cores.to_string()),
                capability("MemoryGB", memory.to_string()),
                capability("MaxDataDiskCount", self.data_disks.to_string()),
                capability("PremiumIO", if self.premium { "True" } else { "False" }.to_owned()),
                capability("HyperVGenerations", "V1,V2".to_owned()),
            ],
            "restrictions": sizes.restrictions(self, region),
        })
    }
}

/// `GET /subscriptions/{id}/providers/Microsoft.Compute/skus`: one entry for each size and region. Only a filter by location
/// is known (documented).
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let unknown = || invalid_parameter("$filter", "Only location eq '…' is supported.");
    let wanted = match call.query("$filter") {
        None => None,
        Some(filter) => {
            let (name, value) = filter.split_once(" eq ").ok_or_else(unknown)?;
            if !name.trim().eq_ignore_ascii_case("location") {
                return Err(unknown());
            }
            Some(value.trim().trim_matches('\''))
        }
    };
    let regions: Vec<&Region> = match wanted {
        None => REGIONS.iter().collect(),
        Some(place) => named(place).into_iter().collect(),
    };
    let entries = |region: &&Region| SIZES.iter().map(|size| size.json(region, &state.sizes)).collect::<Vec<_>>();
    let value: Vec<Value> = regions.iter().flat_map(entries).collect();
    Ok(Answer::new(200, json!({ "value": value })))
}
