//! Endpoints of a profile: what was written, and what is told of them.
//! It never tells a target that is a resource's own name but by that resource's.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::errors::{ArmError, invalid_parameter};
use super::super::ids::key;
use super::probes::Probed;
use super::{KIND, TrafficDenial};

/// Properties that are told only where they were written (recorded).
const OPTIONAL: [&str; 3] = ["customHeaders", "subnets", "geoMapping"];
/// What priorities and weights may be (documented).
const NUMBERS: std::ops::RangeInclusive<i64> = 1..=1_000;

/// Which of the kinds of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndpointKind {
    Azure,
    External,
}

/// An endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(super) kind: EndpointKind,
    pub(super) name: String,
    pub(super) enabled: bool,
    /// The address; of an endpoint in Azure, that of its resource.
    pub(super) target: Option<String>,
    pub(super) resource: Option<String>,
    weight: i64,
    pub(super) priority: i64,
    location: Value,
    always_served: bool,
    other: Map<String, Value>,
    pub(super) probed: Probed,
}

impl EndpointKind {
    /// By the part of the path, in any case (recorded). Nested ones are not built, and are refused.
    pub(super) fn read(part: &str) -> Result<Self, ArmError> {
        match part.to_ascii_lowercase().as_str() {
            "azureendpoints" => Ok(Self::Azure),
            "externalendpoints" => Ok(Self::External),
            _ => Err(TrafficDenial::KindNotModelled.error(part)),
        }
    }

    /// As answers write it (recorded).
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Azure => "azureEndpoints",
            Self::External => "externalEndpoints",
        }
    }
}

impl Endpoint {
    /// What is new; `write` says what it is.
    pub(super) fn fresh(kind: EndpointKind, name: &str, priority: i64, now: Timestamp) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            enabled: true,
            target: None,
            resource: None,
            weight: 1,
            priority,
            location: Value::Null,
            always_served: false,
            other: Map::new(),
            probed: Probed::begin(now),
        }
    }

    /// Takes over what a body says; what it leaves out stays. What is enabled anew, or is another target, is checked anew.
    pub(super) fn write(&mut self, properties: &Value, now: Timestamp) -> Result<(), ArmError> {
        let before = (self.enabled, self.target.clone(), self.resource.clone(), self.always_served);
        let text = |name: &str| properties[name].as_str().filter(|text| !text.is_empty());
        if let Some(target) = text("target") {
            self.target = Some(target.to_owned());
        }
        if let Some(resource) = text("targetResourceId") {
            // *Assumed* (`tm-sim-target`): what address a resource has; recorded is that it is told.
            let name = resource.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
            self.target = text("target").map(str::to_owned).or(Some(format!("{name}.cloudapp.azure.com")));
            self.resource = Some(resource.to_owned());
        }
        self.enabled = switch(properties, "endpointStatus", self.enabled)?;
        self.always_served = switch(properties, "alwaysServe", self.always_served)?;
        self.weight = number(properties, "weight", self.weight)?;
        self.priority = number(properties, "priority", self.priority)?;
        if let Some(location) = text("endpointLocation") {
            self.location = json!(location);
        }
        for name in OPTIONAL.into_iter().filter(|name| !properties[*name].is_null()) {
            self.other.insert(name.to_owned(), properties[name].clone());
        }
        if self.target.is_none() {
            return Err(invalid_parameter("properties.target", "An endpoint needs a target."));
        }
        if before != (self.enabled, self.target.clone(), self.resource.clone(), self.always_served) {
            self.probed = Probed::begin(now);
        }
        Ok(())
    }

    /// The names under which its target may be known.
    pub(super) fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.target.iter().chain(&self.resource).map(|name| key(name))
    }

    /// What is said of it.
    pub(super) fn status(&self, profile_enabled: bool) -> &'static str {
        match (self.enabled, profile_enabled, self.always_served) {
            (false, ..) => "Disabled",
            (true, false, _) => "Inactive",
            (true, true, true) => "Unmonitored",
            (true, true, false) => self.probed.finding.word(),
        }
    }

    pub(super) fn json(&self, profile: &str, profile_enabled: bool) -> Value {
        let kind = self.kind.word();
        let mut properties = json!({
            "endpointStatus": if self.enabled { "Enabled" } else { "Disabled" },
            "endpointMonitorStatus": self.status(profile_enabled),
            "targetResourceId": self.resource,
            "target": self.target,
            "weight": self.weight,
            "priority": self.priority,
            "endpointLocation": self.location,
            "minChildEndpoints": null,
            "alwaysServe": if self.always_served { "Enabled" } else { "Disabled" },
        });
        self.other.iter().for_each(|(name, value)| properties[name] = value.clone());
        json!({
            "id": format!("{profile}/{kind}/{}", self.name),
            "name": self.name,
            "type": format!("{KIND}/{kind}"),
            "properties": properties,
        })
    }
}

/// `Enabled` or `Disabled`; what is left out stays.
pub(super) fn switch(properties: &Value, name: &str, before: bool) -> Result<bool, ArmError> {
    match properties[name].as_str() {
        None => Ok(before),
        Some(word) if word.eq_ignore_ascii_case("Enabled") => Ok(true),
        Some(word) if word.eq_ignore_ascii_case("Disabled") => Ok(false),
        Some(_) => Err(invalid_parameter(name, "Enabled or Disabled is expected.")),
    }
}

fn number(properties: &Value, name: &str, before: i64) -> Result<i64, ArmError> {
    match properties[name].as_i64() {
        None => Ok(before),
        Some(given) if NUMBERS.contains(&given) => Ok(given),
        Some(_) => Err(invalid_parameter(name, "A number from 1 to 1000 is expected.")),
    }
}
