//! Traffic Manager: profiles, their endpoints, what probes find out about these, and who is served.
//! It never forwards a request: it answers names, as the real one does, and knows a target only by whether it answers.
//!
//! ```text
//! endpoint: PUT, enabled ──► CheckingEndpoint ──one good probe──► Online
//!                                   └──tolerated + 1 bad ones──► Degraded ──one good one──► Online
//!           disabled ──► Disabled       profile disabled ──► Inactive       always served ──► Unmonitored
//! ```

pub(crate) mod calls;
mod control;
mod denials;
pub(crate) mod endpoint_calls;
mod endpoints;
mod probes;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::errors::ArmError;
use super::ids::{group_id, key};
use super::state::State;

use self::endpoints::Endpoint;
use self::probes::Target;

pub use self::control::{EndpointLead, EndpointSeed, ProfileSeed, ServedEndpoint, TargetState};
pub(crate) use self::denials::TrafficDenial;

/// The provider's name of the resource, as answers write it.
pub(crate) const KIND: &str = "Microsoft.Network/trafficManagerProfiles";
/// What follows a profile's own name in its address.
const ZONE: &str = "trafficmanager.net";
/// What a profile is probed by when it says nothing else (recorded): every so many seconds, waiting so long, tolerating so many.
const INTERVAL_SECONDS: i64 = 30;
const TIMEOUT_SECONDS: i64 = 10;
const TOLERATED_FAILURES: i64 = 3;
/// How long a fast probe waits at most, in seconds (documented).
const FAST_TIMEOUT_SECONDS: i64 = 9;

/// All profiles, and what is known of the targets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic {
    by_key: BTreeMap<String, Profile>,
    /// What stands behind a target, by its name or its resource's key; what is not named answers.
    targets: BTreeMap<String, Target>,
}

/// A profile.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    subscription: String,
    group: String,
    name: String,
    tags: Option<Value>,
    enabled: bool,
    routing: String,
    relative_name: String,
    ttl: Value,
    monitor: Monitor,
    max_return: Value,
    traffic_view: String,
    /// In the order in which they were made.
    endpoints: Vec<Endpoint>,
}

/// How endpoints are probed.
#[derive(Clone, Debug, PartialEq)]
struct Monitor {
    protocol: Value,
    port: Value,
    path: Value,
    interval_seconds: i64,
    timeout_seconds: i64,
    tolerated: i64,
    /// What is told only where it was written.
    other: BTreeMap<String, Value>,
}

impl Monitor {
    fn json(&self, status: &str) -> Value {
        let mut body = json!({
            "profileMonitorStatus": status,
            "protocol": self.protocol,
            "port": self.port,
            "path": self.path,
            "intervalInSeconds": self.interval_seconds,
            "toleratedNumberOfFailures": self.tolerated,
            "timeoutInSeconds": self.timeout_seconds,
        });
        self.other.iter().for_each(|(name, value)| body[name] = value.clone());
        body
    }
}

impl Profile {
    fn id(&self) -> String {
        format!("{}/providers/{KIND}/{}", group_id(&self.subscription, &self.group), self.name)
    }

    /// The address that clients look up.
    fn fqdn(&self) -> String {
        format!("{}.{ZONE}", self.relative_name)
    }

    fn enabled_endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().filter(|endpoint| endpoint.enabled)
    }

    /// What is said of the profile as a whole: *Disabled*, *Inactive* and *CheckingEndpoints* are recorded or documented.
    /// *Assumed* (`tm-sim-profile-status`): one whose endpoints are all unmonitored is online.
    fn status(&self) -> &'static str {
        let any = |word: &str| self.enabled_endpoints().any(|endpoint| endpoint.status(self.enabled) == word);
        if !self.enabled {
            "Disabled"
        } else if self.enabled_endpoints().next().is_none() {
            "Inactive"
        } else if any("Degraded") {
            "Degraded"
        } else if any("Online") || !any("CheckingEndpoint") {
            "Online"
        } else {
            "CheckingEndpoints"
        }
    }

    /// Who is answered by priority: the enabled endpoint of the lowest number that is not known to be bad; where all are, the
    /// lowest of all enabled ones (documented). Nobody, where the profile is disabled or none is enabled.
    fn served(&self) -> Option<&Endpoint> {
        if !self.enabled {
            return None;
        }
        let good = self.enabled_endpoints().filter(|endpoint| endpoint.status(true) != "Degraded");
        good.min_by_key(|endpoint| endpoint.priority)
            .or_else(|| self.enabled_endpoints().min_by_key(|endpoint| endpoint.priority))
    }

    fn json(&self) -> Value {
        let id = self.id();
        let endpoints: Vec<Value> = self.endpoints.iter().map(|one| one.json(&id, self.enabled)).collect();
        let mut body = json!({
            "id": id,
            "name": self.name,
            "type": KIND,
            "location": "global",
            "properties": {
                "profileStatus": if self.enabled { "Enabled" } else { "Disabled" },
                "trafficRoutingMethod": self.routing,
                "dnsConfig": { "relativeName": self.relative_name, "fqdn": self.fqdn(), "ttl": self.ttl },
                "monitorConfig": self.monitor.json(self.status()),
                "endpoints": endpoints,
                "trafficViewEnrollmentStatus": self.traffic_view,
                "maxReturn": self.max_return,
            },
        });
        if let Some(tags) = &self.tags {
            body["tags"] = tags.clone();
        }
        body
    }
}

impl Traffic {
    /// Whether there is a profile of this key.
    pub(crate) fn has(&self, profile: &str) -> bool {
        self.by_key.contains_key(profile)
    }

    /// Takes away what stands in a group.
    pub(crate) fn forget_below(&mut self, within: &str) {
        self.by_key.retain(|profile, _| !profile.starts_with(within));
    }
}

impl State {
    /// Lets every probe be made that is due. It is called before anything happens, so that a probe meets its target as it was.
    pub(crate) fn probe(&mut self, now: Timestamp) {
        let Traffic { by_key, targets } = &mut self.traffic;
        let lost = self.recovery.lost_regions();
        for profile in by_key.values_mut() {
            let Profile { monitor, endpoints, enabled, .. } = profile;
            for endpoint in endpoints.iter_mut().filter(|endpoint| *enabled && endpoint.enabled) {
                let answers =
                    endpoint.names().filter_map(|name| targets.get(&name)).all(|one| one.answers(&self.machines, lost));
                endpoint.probed.up_to(now, answers, monitor);
            }
        }
    }

    fn profile(&mut self, id: &str) -> Result<&mut Profile, ArmError> {
        let name = id.rsplit('/').next().unwrap_or_default().to_owned();
        self.traffic.by_key.get_mut(&key(id)).ok_or_else(|| TrafficDenial::ProfileMissing.error(&name))
    }
}
