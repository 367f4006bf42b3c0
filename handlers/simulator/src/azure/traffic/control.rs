//! What a test or the tour does to Traffic Manager past HTTP, and what it sees of it.
//! It never changes what a probe found out: it changes what the probes find.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::Arm;
use super::super::ids::key;
use super::endpoints::EndpointKind;
use super::probes::Target;

/// A profile to be, routed by priority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileSeed {
    /// The subscription's GUID.
    pub subscription: String,
    /// The resource group; made where there is none.
    pub group: String,
    /// The name, which is also the first part of its address.
    pub name: String,
    /// Where its group is, if it must be made.
    pub location: String,
    /// Its endpoints, in their order of priority.
    pub endpoints: Vec<EndpointSeed>,
    /// Seconds between probes: 30, or 10.
    #[serde(default = "thirty")]
    pub interval_seconds: u32,
    /// How long answers are kept by who asked, in seconds.
    #[serde(default = "thirty")]
    pub ttl_seconds: u32,
}

/// An external endpoint to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSeed {
    /// The name.
    pub name: String,
    /// The address.
    pub target: String,
    /// Whether it is enabled.
    pub enabled: bool,
}

/// Whether what stands behind a target answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TargetState {
    /// It answers.
    Answers,
    /// It does not.
    Silent,
    /// It answers while this machine runs and its region is not down: its id.
    Machine(String),
}

/// Where an endpoint leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EndpointLead {
    /// To an address or a name: it is an external one.
    Target(String),
    /// To a resource, by its id: it is one in Azure.
    Resource(String),
}

/// Who is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServedEndpoint {
    /// The endpoint's name.
    pub name: String,
    /// The address.
    pub target: String,
}

impl Arm {
    /// Puts a profile there as if it had always been, its endpoints probed for an hour; answers its id.
    pub fn add_profile(&self, seed: &ProfileSeed) -> Result<String, String> {
        let now = self.clock.now();
        let since = now.checked_sub(jiff::SignedDuration::from_hours(1)).unwrap_or(now);
        let mut state = self.state();
        state.settle(now);
        state.ensure_group(&seed.subscription, &seed.group, &seed.location, since);
        let place = (seed.subscription.as_str(), seed.group.as_str(), seed.name.as_str());
        let profile = state.profile_of(place, None, &body_of(seed), since).map_err(|refusal| refusal.message)?;
        let id = profile.id();
        state.traffic.by_key.insert(key(&id), profile);
        state.probe(now);
        Ok(id)
    }

    /// Says what stands behind a target, an address or a resource's id; from now on probes find that.
    pub fn set_target(&self, target: &str, is: &TargetState) {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        let target_state = match is {
            TargetState::Answers => Target::Is(true),
            TargetState::Silent => Target::Is(false),
            TargetState::Machine(machine) => Target::Machine(key(machine)),
        };
        state.traffic.targets.insert(key(target), target_state);
    }

    /// Leads an endpoint elsewhere, behind everybody's back; its kind follows from where.
    pub fn lead(&self, profile: &str, endpoint: &str, to: &EndpointLead) -> Result<(), String> {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        let found = state.traffic.by_key.get_mut(&key(profile)).ok_or_else(|| format!("{profile} is not there"))?;
        let found = found.endpoints.iter_mut().find(|one| one.name.eq_ignore_ascii_case(endpoint));
        let found = found.ok_or_else(|| format!("{profile} has no endpoint {endpoint}"))?;
        (found.resource, found.target) = (None, None);
        let (kind, written) = match to {
            EndpointLead::Target(target) => (EndpointKind::External, json!({ "target": target })),
            EndpointLead::Resource(id) => (EndpointKind::Azure, json!({ "targetResourceId": id })),
        };
        found.kind = kind;
        found.write(&written, now).map_err(|refusal| refusal.message)
    }

    /// Whether what stands behind a target answers now; what was never named does.
    pub fn answers(&self, target: &str) -> bool {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        let found = state.traffic.targets.get(&key(target));
        found.is_none_or(|found| found.answers(&state.machines, state.recovery.lost_regions()))
    }

    /// Whom a profile's address leads to now, for one who asks anew; nobody, where it leads nowhere.
    pub fn served(&self, profile: &str) -> Option<ServedEndpoint> {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        let endpoint = state.traffic.by_key.get(&key(profile))?.served()?;
        Some(ServedEndpoint { name: endpoint.name.clone(), target: endpoint.target.clone().unwrap_or_default() })
    }

    /// All profiles, as `GET` answers them.
    pub fn profiles(&self) -> Vec<Value> {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        state.traffic.by_key.values().map(super::Profile::json).collect()
    }
}

fn body_of(seed: &ProfileSeed) -> Value {
    let endpoints: Vec<Value> = seed
        .endpoints
        .iter()
        .map(|one| {
            json!({
                "name": one.name,
                "type": "Microsoft.Network/trafficManagerProfiles/externalEndpoints",
                "properties": {
                    "target": one.target,
                    "endpointStatus": if one.enabled { "Enabled" } else { "Disabled" },
                },
            })
        })
        .collect();
    json!({
        "location": "global",
        "properties": {
            "profileStatus": "Enabled",
            "trafficRoutingMethod": "Priority",
            "dnsConfig": { "relativeName": seed.name, "ttl": seed.ttl_seconds },
            "monitorConfig": { "protocol": "HTTP", "port": 80, "path": "/", "intervalInSeconds": seed.interval_seconds },
            "endpoints": endpoints,
        },
    })
}

fn thirty() -> u32 {
    30
}
