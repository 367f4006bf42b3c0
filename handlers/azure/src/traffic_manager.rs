//! Traffic Manager (Microsoft.Network 2022-04-01, `trafficmanager.json`): profiles, their endpoints, and turning these on and off.
//!
//! It never disables the last enabled endpoint of its own accord nor stops anybody from it: there is no conditional write, so who
//! turns one off reads the profile right before, in the same breath.
//!
//! ```text
//! enable ─► CheckingEndpoint ─► Online | Degraded        disable ─► Disabled, and answers lead there no more once they are old
//! ```

use crate::{
    arm::{ArmClient, Call, decode},
    error::{Error, ErrorKind},
    id::ResourceId,
    json,
    operations::{Harm, Operation, TRAFFIC_MANAGER},
    retry::Repeat,
    transport::Latest,
};
use serde_json::{Value, json};

/// Reading a profile with its endpoints.
pub const GET: Operation = Operation {
    action: "Microsoft.Network/trafficManagerProfiles/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network/trafficmanagerprofiles/{profileName}",
    api_version: TRAFFIC_MANAGER.0,
    document: TRAFFIC_MANAGER.1,
    harm: Harm::Nothing,
    evidence: &["traffic-profile", "traffic-monitor-states"],
};

/// Listing the profiles of a subscription.
pub const LIST: Operation = Operation {
    path: "/subscriptions/{subscriptionId}/providers/Microsoft.Network/trafficmanagerprofiles",
    evidence: &["traffic-list", "traffic-profile", "traffic-monitor-states"],
    ..GET
};

/// Reading an endpoint.
pub const GET_ENDPOINT: Operation = Operation {
    action: "Microsoft.Network/trafficManagerProfiles/externalEndpoints/read",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network/trafficmanagerprofiles/{profileName}/{endpointType}/{endpointName}",
    evidence: &["traffic-endpoint", "traffic-monitor-states"],
    ..GET
};

/// Turning an endpoint on or off.
pub const SET_ENDPOINT: Operation = Operation {
    action: "Microsoft.Network/trafficManagerProfiles/externalEndpoints/write",
    method: "PATCH",
    harm: Harm::Stops,
    evidence: &["traffic-endpoint-patch", "traffic-monitor-states"],
    ..GET_ENDPOINT
};

/// The type of a profile.
pub const PROFILE: &str = "Microsoft.Network/trafficManagerProfiles";

/// A profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its id.
    pub id: ResourceId,
    /// Whether it answers at all: `Enabled`, `Disabled`.
    pub status: Option<String>,
    /// How endpoints are chosen, for example `Priority`.
    pub routing: Option<String>,
    /// Its address.
    pub fqdn: Option<String>,
    /// How long answers are kept by who asked, in seconds.
    pub ttl_seconds: Option<i64>,
    /// What is said of the whole: `Online`, `Degraded`, `CheckingEndpoints`, `Inactive`, `Disabled`.
    pub monitor: Option<String>,
    /// Seconds between probes.
    pub interval_seconds: Option<i64>,
    /// Seconds that a probe waits.
    pub timeout_seconds: Option<i64>,
    /// Failures that are tolerated.
    pub tolerated: Option<i64>,
    /// Its endpoints.
    pub endpoints: Vec<Endpoint>,
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: ResourceId,
    /// Whether it is turned on.
    pub enabled: Switch,
    /// What its probes say.
    pub monitor: MonitorState,
    /// Its address.
    pub target: Option<String>,
    /// The resource that it stands for.
    pub resource: Option<ResourceId>,
    /// The lowest number is served.
    pub priority: Option<i64>,
    /// Whether it is served whatever its probes say: `Enabled`, `Disabled`.
    pub always_serve: Option<String>,
}

/// Whether something is turned on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Switch {
    /// It is.
    Enabled,
    /// It is not.
    Disabled,
    /// Azure says something else: neither is known.
    Other(String),
}

/// What the probes of an endpoint say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MonitorState {
    /// Not known yet; it may be served.
    CheckingEndpoint,
    /// It answers.
    Online,
    /// It does not.
    Degraded,
    /// It is turned off.
    Disabled,
    /// Its profile is turned off.
    Inactive,
    /// What it stands for is turned off.
    Stopped,
    /// It is not probed.
    Unmonitored,
    /// Anything else: not known to be online.
    Other(String),
}

/// The profiles of a subscription with their endpoints (`Profiles_ListBySubscription`). A repeat is safe.
pub async fn list(arm: &ArmClient, subscription: &str) -> Result<Vec<Profile>, Error> {
    arm.list(&LIST, &[subscription], &[], read).await
}

/// A profile with its endpoints (`Profiles_Get`). A repeat is safe.
pub async fn get(arm: &ArmClient, profile: &ResourceId) -> Result<Profile, Error> {
    let value = arm.get(&GET, &profile_parameters(&GET, profile)?, &[]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, "a profile without its id"))
}

/// An endpoint (`Endpoints_Get`). A repeat is safe.
pub async fn get_endpoint(arm: &ArmClient, endpoint: &ResourceId) -> Result<Endpoint, Error> {
    let path = EndpointPath::of(&GET_ENDPOINT, endpoint)?;
    let value = arm.get(&GET_ENDPOINT, &path.parameters(), &[]).await?;
    read_endpoint(&value).ok_or_else(|| Error::malformed(GET_ENDPOINT.action, NO_ID))
}

/// Turns an endpoint on or off (`Endpoints_Update`); nothing else of it changes. A repeat is safe: it says how it shall be. It is
/// undone by the opposite. Sent late it undoes what was ordered meanwhile; so it is given a latest moment, a short one.
pub async fn set_endpoint(
    arm: &ArmClient,
    endpoint: &ResourceId,
    enabled: bool,
    latest: Latest,
) -> Result<Endpoint, Error> {
    let path = EndpointPath::of(&SET_ENDPOINT, endpoint)?;
    let url = arm.url(&SET_ENDPOINT, &path.parameters(), &[])?;
    let status = if enabled { "Enabled" } else { "Disabled" };
    let body = json!({ "properties": { "endpointStatus": status } });
    let answer = arm.send(&Call::change(&SET_ENDPOINT, url, Some(body), Repeat::Safe, Some(latest))).await?;
    let value = decode(SET_ENDPOINT.action, &answer)?;
    read_endpoint(&value).ok_or_else(|| Error::malformed(SET_ENDPOINT.action, NO_ID))
}

const NO_ID: &str = "an endpoint without its id";

fn profile_parameters<'a>(operation: &'static Operation, profile: &'a ResourceId) -> Result<[&'a str; 3], Error> {
    if !profile.is(PROFILE) || profile.resource_group().is_empty() {
        return Err(Error::because(ErrorKind::Refused, operation.action, "not the id of a profile"));
    }
    Ok([profile.subscription(), profile.resource_group(), profile.name()])
}

/// The parts of an endpoint's id.
struct EndpointPath {
    profile: ResourceId,
    /// As the document's enumeration writes it: answers write it otherwise.
    kind: &'static str,
    name: String,
}

impl EndpointPath {
    fn of(operation: &'static Operation, endpoint: &ResourceId) -> Result<Self, Error> {
        let refused = || Error::because(ErrorKind::Refused, operation.action, "not the id of an endpoint");
        let kinds = ["AzureEndpoints", "ExternalEndpoints", "NestedEndpoints"];
        let kind = kinds.into_iter().find(|kind| endpoint.is(&format!("{PROFILE}/{kind}"))).ok_or_else(refused)?;
        let profile = endpoint.parent().ok_or_else(refused)?;
        profile_parameters(operation, &profile)?;
        Ok(Self { profile, kind, name: endpoint.name().to_owned() })
    }

    fn parameters(&self) -> [&str; 5] {
        let profile = &self.profile;
        [profile.subscription(), profile.resource_group(), profile.name(), self.kind, &self.name]
    }
}

/// What a profile's JSON says; none without its id.
pub(crate) fn read(value: &Value) -> Option<Profile> {
    Some(Profile {
        id: json::text(value, "/id")?.parse().ok()?,
        status: json::filled(value, "/properties/profileStatus"),
        routing: json::filled(value, "/properties/trafficRoutingMethod"),
        fqdn: json::filled(value, "/properties/dnsConfig/fqdn"),
        ttl_seconds: json::number(value, "/properties/dnsConfig/ttl"),
        monitor: json::filled(value, "/properties/monitorConfig/profileMonitorStatus"),
        interval_seconds: json::number(value, "/properties/monitorConfig/intervalInSeconds"),
        timeout_seconds: json::number(value, "/properties/monitorConfig/timeoutInSeconds"),
        tolerated: json::number(value, "/properties/monitorConfig/toleratedNumberOfFailures"),
        endpoints: json::list(value, "/properties/endpoints").iter().filter_map(read_endpoint).collect(),
    })
}

/// What an endpoint's JSON says; none without its id.
pub(crate) fn read_endpoint(value: &Value) -> Option<Endpoint> {
    Some(Endpoint {
        id: json::text(value, "/id")?.parse().ok()?,
        enabled: switch(json::text(value, "/properties/endpointStatus").unwrap_or_default()),
        monitor: monitor(json::text(value, "/properties/endpointMonitorStatus").unwrap_or_default()),
        target: json::filled(value, "/properties/target"),
        resource: json::id(value, "/properties/targetResourceId"),
        priority: json::number(value, "/properties/priority"),
        always_serve: json::filled(value, "/properties/alwaysServe"),
    })
}

fn switch(text: &str) -> Switch {
    match text {
        _ if text.eq_ignore_ascii_case("Enabled") => Switch::Enabled,
        _ if text.eq_ignore_ascii_case("Disabled") => Switch::Disabled,
        other => Switch::Other(other.to_owned()),
    }
}

fn monitor(text: &str) -> MonitorState {
    match text {
        _ if text.eq_ignore_ascii_case("CheckingEndpoint") => MonitorState::CheckingEndpoint,
        _ if text.eq_ignore_ascii_case("Online") => MonitorState::Online,
        _ if text.eq_ignore_ascii_case("Degraded") => MonitorState::Degraded,
        _ if text.eq_ignore_ascii_case("Disabled") => MonitorState::Disabled,
        _ if text.eq_ignore_ascii_case("Inactive") => MonitorState::Inactive,
        _ if text.eq_ignore_ascii_case("Stopped") => MonitorState::Stopped,
        _ if text.eq_ignore_ascii_case("Unmonitored") => MonitorState::Unmonitored,
        other => MonitorState::Other(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{MonitorState, SET_ENDPOINT, Switch, read_endpoint, set_endpoint};
    use crate::scripted::{Reply, Scripted};
    use serde_json::json;

    const ENDPOINT: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/trafficManagerProfiles/p/externalEndpoints/e";

    #[test]
    fn a_monitor_status_that_is_not_known_is_not_online() {
        for (text, state) in [
            ("online", MonitorState::Online),
            ("Unmonitored", MonitorState::Unmonitored),
            ("Fine", MonitorState::Other("Fine".to_owned())),
        ] {
            let properties = json!({ "endpointMonitorStatus": text, "endpointStatus": "Enabled" });
            let read = read_endpoint(&json!({ "id": ENDPOINT, "properties": properties })).unwrap();
            assert_eq!((read.monitor, read.enabled), (state, Switch::Enabled));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_id_of_an_endpoint_is_turned_on_or_off() {
        let scripted = Scripted::new([Reply::text(200, "{}")]);
        let arm = crate::ArmClient::new("https://management.azure.com".parse().unwrap(), &scripted.access()).unwrap();
        let profile = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/trafficManagerProfiles/p";
        let latest = crate::Latest::after(std::time::Duration::from_secs(10));
        let refused = set_endpoint(&arm, &profile.parse().unwrap(), true, latest).await.unwrap_err();
        assert_eq!((refused.kind, scripted.count()), (crate::ErrorKind::Refused, 0), "{}", SET_ENDPOINT.action);
    }
}
