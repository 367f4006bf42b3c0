//! Calls on profiles: read, listed, written, changed, deleted; and whether a name is free. All are synchronous.
//! It never gives two profiles one name.

use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::{ArmError, invalid_parameter};
use super::super::ids::{group_id, key};
use super::super::machines::tags_of;
use super::super::state::State;
use super::endpoints::{Endpoint, EndpointKind, switch};
use super::probes::Probed;
use super::{
    FAST_TIMEOUT_SECONDS, INTERVAL_SECONDS, KIND, Monitor, Profile, TIMEOUT_SECONDS, TOLERATED_FAILURES, TrafficDenial,
};

/// The ways to choose an endpoint (documented); any case is taken and this one told (recorded).
const ROUTING: [&str; 6] = ["Performance", "Priority", "Weighted", "Geographic", "MultiValue", "Subnet"];
/// What of a monitor is told only where it was written.
const OPTIONAL: [&str; 2] = ["customHeaders", "expectedStatusCodeRanges"];
/// The shorter of the two intervals, in seconds (documented).
const FAST_SECONDS: i64 = 10;

/// `GET …/trafficManagerProfiles/{name}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    Ok(Answer::new(200, state.profile(&profile_id(call))?.json()))
}

/// `GET` of a group's profiles.
pub(crate) fn list_in_group(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    Ok(list(state, call.param(0), Some(call.param(1))))
}

/// `GET` of a subscription's profiles.
pub(crate) fn list_all(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    Ok(list(state, call.param(0), None))
}

fn list(state: &State, subscription: &str, group: Option<&str>) -> Answer {
    let own = |profile: &&Profile| {
        profile.subscription.eq_ignore_ascii_case(subscription)
            && group.is_none_or(|group| profile.group.eq_ignore_ascii_case(group))
    };
    let value: Vec<Value> = state.traffic.by_key.values().filter(own).map(listed).collect();
    Answer::new(200, json!({ "value": value }))
}

/// A profile in a list. No tape has one with endpoints (`tm-sim-list`): what they write as null elsewhere is left out here, as the
/// document has it.
fn listed(profile: &Profile) -> Value {
    let mut body = profile.json();
    for endpoint in body["properties"]["endpoints"].as_array_mut().into_iter().flatten() {
        if let Some(properties) = endpoint["properties"].as_object_mut() {
            properties.retain(|_, value| !value.is_null());
        }
    }
    body
}

/// `PUT …/trafficManagerProfiles/{name}`: 201, or 200 where it is there (both recorded).
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?;
    let before = state.traffic.by_key.get(&key(&profile_id(call))).cloned();
    let place = (call.param(0), call.param(1), call.param(2));
    let profile = state.profile_of(place, before.as_ref(), body, call.now)?;
    let answer = Answer::new(if before.is_some() { 200 } else { 201 }, profile.json());
    state.traffic.by_key.insert(key(&profile.id()), profile);
    Ok(answer)
}

/// `PATCH …/trafficManagerProfiles/{name}`: what is left out stays (documented).
pub(crate) fn patch(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?;
    let mut profile = state.profile(&profile_id(call))?.clone();
    if body.get("tags").is_some() {
        profile.tags = tags(body)?;
    }
    let was_enabled = profile.enabled;
    profile.write(&body["properties"])?;
    profile.check_anew(was_enabled, call.now);
    if body["properties"]["endpoints"].is_array() {
        profile.endpoints = endpoints_of(&profile, &body["properties"]["endpoints"], call.now)?;
    }
    let answer = Answer::new(200, profile.json());
    state.traffic.by_key.insert(key(&profile.id()), profile);
    Ok(answer)
}

/// `DELETE …/trafficManagerProfiles/{name}`: 200 without a body (recorded); 204 where there is none (documented).
pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let was_there = state.traffic.by_key.remove(&key(&profile_id(call))).is_some();
    Ok(Answer::empty(if was_there { 200 } else { 204 }))
}

/// `POST …/checkTrafficManagerNameAvailability`.
pub(crate) fn check_name(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?;
    let name = body["name"].as_str().unwrap_or_default();
    let taken = state.traffic.by_key.values().any(|profile| profile.relative_name.eq_ignore_ascii_case(name));
    let message =
        taken.then(|| format!("Domain name {name}.trafficmanager.net already exists. Please choose another."));
    Ok(Answer::new(
        200,
        json!({
            "name": name,
            "type": body["type"],
            "nameAvailable": !taken,
            "reason": taken.then_some("AlreadyExists"),
            "message": message,
        }),
    ))
}

/// The id of the profile that a call names.
pub(super) fn profile_id(call: &Call) -> String {
    format!("{}/providers/{KIND}/{}", group_id(call.param(0), call.param(1)), call.param(2))
}

impl State {
    /// The profile that a body describes, with what is known of the endpoints that stay. *Assumed*
    /// (`tm-sim-put-endpoints`): endpoints that the body leaves out are gone.
    pub(super) fn profile_of(
        &self,
        (subscription, group, name): (&str, &str, &str),
        before: Option<&Profile>,
        body: &Value,
        now: jiff::Timestamp,
    ) -> Result<Profile, ArmError> {
        let given = &body["properties"];
        let relative = given["dnsConfig"]["relativeName"].as_str().unwrap_or_default();
        let taken = |other: &Profile| {
            other.relative_name.eq_ignore_ascii_case(relative) && before.is_none_or(|own| own.id() != other.id())
        };
        if relative.is_empty() {
            return Err(invalid_parameter("dnsConfig.relativeName", "It is required."));
        }
        if self.traffic.by_key.values().any(taken) {
            return Err(TrafficDenial::NameTaken.error(relative));
        }
        let mut profile = Profile {
            subscription: subscription.to_owned(),
            group: group.to_owned(),
            name: before.map_or(name, |before| &before.name).to_owned(),
            tags: tags(body)?,
            enabled: true,
            routing: ROUTING[0].to_owned(),
            relative_name: String::new(),
            ttl: json!(60),
            monitor: Monitor {
                protocol: json!("HTTP"),
                port: json!(80),
                path: json!("/"),
                interval_seconds: INTERVAL_SECONDS,
                timeout_seconds: TIMEOUT_SECONDS,
                tolerated: TOLERATED_FAILURES,
                other: Default::default(),
            },
            max_return: Value::Null,
            traffic_view: "Disabled".to_owned(),
            endpoints: before.map(|before| before.endpoints.clone()).unwrap_or_default(),
        };
        profile.write(given)?;
        profile.endpoints = endpoints_of(&profile, &given["endpoints"], now)?;
        profile.check_anew(before.is_none_or(|before| before.enabled), now);
        Ok(profile)
    }
}

impl Profile {
    /// A profile that was disabled has not been probed meanwhile.
    fn check_anew(&mut self, was_enabled: bool, now: jiff::Timestamp) {
        if self.enabled && !was_enabled {
            self.endpoints.iter_mut().for_each(|endpoint| endpoint.probed = Probed::begin(now));
        }
    }

    /// Takes over what a body says of everything but the endpoints.
    fn write(&mut self, given: &Value) -> Result<(), ArmError> {
        self.enabled = switch(given, "profileStatus", self.enabled)?;
        if let Some(word) = given["trafficRoutingMethod"].as_str() {
            let known = ROUTING.iter().find(|known| known.eq_ignore_ascii_case(word));
            let known = known.ok_or_else(|| invalid_parameter("trafficRoutingMethod", "It is not known."))?;
            (*known).clone_into(&mut self.routing);
        }
        if let Some(name) = given["dnsConfig"]["relativeName"].as_str() {
            name.clone_into(&mut self.relative_name);
        }
        if given["dnsConfig"]["ttl"].is_i64() {
            self.ttl = given["dnsConfig"]["ttl"].clone();
        }
        if let Some(word) = given["trafficViewEnrollmentStatus"].as_str() {
            word.clone_into(&mut self.traffic_view);
        }
        if given["maxReturn"].is_i64() {
            self.max_return = given["maxReturn"].clone();
        }
        self.monitor.write(&given["monitorConfig"])
    }
}

impl Monitor {
    fn write(&mut self, given: &Value) -> Result<(), ArmError> {
        for (own, name) in [(&mut self.protocol, "protocol"), (&mut self.port, "port"), (&mut self.path, "path")] {
            if !given[name].is_null() {
                *own = given[name].clone();
            }
        }
        if let Some(seconds) = given["intervalInSeconds"].as_i64() {
            if ![FAST_SECONDS, INTERVAL_SECONDS].contains(&seconds) {
                return Err(invalid_parameter("intervalInSeconds", "10 or 30 is expected."));
            }
            self.interval_seconds = seconds;
        }
        if self.interval_seconds == FAST_SECONDS {
            self.timeout_seconds = self.timeout_seconds.min(FAST_TIMEOUT_SECONDS);
        }
        self.timeout_seconds = given["timeoutInSeconds"].as_i64().unwrap_or(self.timeout_seconds);
        self.tolerated = given["toleratedNumberOfFailures"].as_i64().unwrap_or(self.tolerated);
        if !(5..=10).contains(&self.timeout_seconds) || !(0..=9).contains(&self.tolerated) {
            return Err(invalid_parameter("monitorConfig", "5 to 10 seconds and 0 to 9 failures are expected."));
        }
        for name in OPTIONAL.into_iter().filter(|name| !given[*name].is_null()) {
            self.other.insert(name.to_owned(), given[name].clone());
        }
        Ok(())
    }
}

fn tags(body: &Value) -> Result<Option<Value>, ArmError> {
    tags_of(body)?;
    Ok(body.get("tags").filter(|tags| !tags.is_null()).cloned())
}

/// The endpoints that a profile's body lists; those that were there keep what is known of them.
fn endpoints_of(profile: &Profile, listed: &Value, now: jiff::Timestamp) -> Result<Vec<Endpoint>, ArmError> {
    let mut found: Vec<Endpoint> = Vec::new();
    for one in listed.as_array().into_iter().flatten() {
        let name = one["name"].as_str().ok_or_else(|| invalid_parameter("endpoints.name", "It is required."))?;
        let kind = EndpointKind::read(one["type"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default())?;
        let before = profile.endpoints.iter().find(|before| before.is(kind, name)).cloned();
        let free = free_priority(&found);
        let mut endpoint = before.unwrap_or_else(|| Endpoint::fresh(kind, name, free, now));
        endpoint.write(&one["properties"], now)?;
        found.push(endpoint);
    }
    unique_priorities(profile, &found)?;
    Ok(found)
}

/// The number that an endpoint gets that names none: behind all others (recorded for the first).
pub(super) fn free_priority(endpoints: &[Endpoint]) -> i64 {
    endpoints.iter().map(|endpoint| endpoint.priority).max().unwrap_or(0) + 1
}

/// No two endpoints of a profile that routes by priority have the same one (documented).
pub(super) fn unique_priorities(profile: &Profile, endpoints: &[Endpoint]) -> Result<(), ArmError> {
    let mut seen = std::collections::BTreeSet::new();
    let twice = endpoints.iter().find(|endpoint| !seen.insert(endpoint.priority));
    match twice.filter(|_| profile.routing == "Priority") {
        Some(endpoint) => Err(TrafficDenial::PriorityTaken.error(&endpoint.priority.to_string())),
        None => Ok(()),
    }
}
