//! What is known of regions, machines and rules when a payload is read: whose word is about what.
//! It never guesses a region: a name that is not in it is none.

use std::collections::{BTreeMap, BTreeSet};

/// Regions by all their names, machines and what recovery plans name, each with its region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    regions: BTreeMap<String, String>,
    machines: BTreeMap<String, String>,
    named: BTreeMap<String, BTreeSet<String>>,
}

impl Known {
    /// Adds a region: `westeurope`, `West Europe`. The list of a subscription's locations has both.
    pub fn add_region(&mut self, name: &str, display_name: &str) {
        let region = folded(name);
        self.regions.insert(region.clone(), region.clone());
        self.regions.insert(folded(display_name), region);
    }

    /// Adds a machine of the estate.
    pub fn add_machine(&mut self, id: &str, region: &str) {
        self.machines.insert(id.trim().to_lowercase(), folded(region));
    }

    /// Adds an alert rule or a resource that a recovery plan names, by name or id: its alerts speak for that region.
    pub fn add_named(&mut self, name: &str, region: &str) {
        self.named.entry(name.trim().to_lowercase()).or_default().insert(folded(region));
    }

    /// The region of that name, as Service Health displays it or as ARM writes it.
    ///
    /// *Assumed*, `region-display-name`: a display name without blanks and capitals is no *other* region's name.
    pub fn region(&self, name: &str) -> Option<&str> {
        self.regions.get(&folded(name)).map(String::as_str)
    }

    /// The region of a machine of the estate.
    pub fn machine(&self, id: &str) -> Option<&str> {
        self.machines.get(&id.trim().to_lowercase()).map(String::as_str)
    }

    /// What recovery plans name by this name, in lower case, with the regions for which it speaks.
    pub fn named(&self, name: &str) -> Option<(&str, &BTreeSet<String>)> {
        self.named.get_key_value(&name.trim().to_lowercase()).map(|(name, regions)| (name.as_str(), regions))
    }

    /// How many machines are known in a region.
    pub fn machines_in(&self, region: &str) -> u64 {
        self.machines.values().filter(|at| *at == region).count() as u64
    }
}

/// A name without blanks and capitals.
pub(super) fn folded(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}
