//! Reads Service Health's alerts. The state is the `stage`, never `monitorCondition`, which says `Fired` of a resolved incident
//! too: each communication is a new alert.
//! It never counts tests, maintenance, advisories, security, causes told afterwards, or a service that machines do not rest on.

use jiff::Timestamp;
use lifeboat_planning::signal::{About, Origin, Signal, State, Told};
use serde_json::Value;

use super::alert::Alert;
use super::fields::{field, is_marked, items, plain, text, time, word};
use super::reason::{NotCounted, RawBecause};
use super::{Known, Reading};

/// The services that machines rest on, by Azure's names for them.
///
/// *Assumed*, `health-services`: no source lists the names; one that is missing here costs evidence, and never makes any.
pub const SERVICES: [&str; 6] = [
    "Virtual Machines",
    "Virtual Machine Scale Sets",
    "Azure Managed Disks",
    "Storage",
    "Virtual Network",
    "Network Infrastructure",
];

/// What is told, whatever vocabulary it came in.
pub(super) struct Said<'a> {
    /// The sender's name of the incident.
    pub tracking_id: &'a str,
    /// Whether it fails.
    pub state: State,
    /// Since when.
    pub since: Option<Timestamp>,
    /// When it was said.
    pub said_at: Timestamp,
    /// How it came.
    pub told: Told,
}

/// Reads an alert.
pub(super) fn read(alert: &Alert<'_>, known: &Known) -> Reading {
    let properties = alert.properties;
    let tracking_id = text(properties, "trackingId");
    let name = tracking_id.unwrap_or_else(|| alert.name());
    let synthetic = is_marked(properties, "IsSynthetic") || is_marked(alert.context, "IsSynthetic");
    if synthetic || is_test_id(name) {
        return Reading::uncounted(name, NotCounted::Test);
    }
    match word(properties, "incidentType").as_deref() {
        Some("incident") => {}
        Some("maintenance") => return Reading::uncounted(name, NotCounted::Maintenance),
        Some("informational" | "information") => return Reading::uncounted(name, NotCounted::Advisory),
        Some("actionrequired") => return Reading::uncounted(name, NotCounted::ActionRequired),
        Some("security") => return Reading::uncounted(name, NotCounted::Security),
        Some("rca") => return Reading::uncounted(name, NotCounted::Rca),
        _ => return Reading::raw(RawBecause::UnknownKind, alert.body),
    }
    let state = match word(properties, "stage").as_deref() {
        Some("active") => State::Failing,
        Some("resolved") => State::Well,
        Some("rca") => return Reading::uncounted(name, NotCounted::Rca),
        _ => return Reading::raw(RawBecause::UnknownState, alert.body),
    };
    if state == State::Failing && is_low(alert.context) {
        return Reading::uncounted(name, NotCounted::LowLevel);
    }
    let Some(tracking_id) = tracking_id else { return Reading::raw(RawBecause::NoId, alert.body) };
    let message = text(properties, "communicationId").or_else(|| text(alert.context, "eventDataId"));
    let Some(message) = message else { return Reading::raw(RawBecause::NoId, alert.body) };
    let Some(impacts) = impacts(properties) else {
        return Reading::raw(RawBecause::UnreadableServices, alert.body);
    };
    let said_at = time(alert.context, "eventTimestamp").or_else(|| time(alert.essentials, "firedDateTime"));
    let said = Said {
        tracking_id,
        state,
        since: time(properties, "impactStartTime"),
        said_at: said_at.unwrap_or(alert.at),
        told: Told::Message(message.to_owned()),
    };
    let mut reading = Reading::default();
    for (service, regions) in &impacts {
        for region in regions {
            reading.add(one(&said, service, region, known));
        }
    }
    reading
}

/// One region and service of an incident.
pub(super) fn one(said: &Said<'_>, service: &str, region: &str, known: &Known) -> Reading {
    if !SERVICES.iter().any(|known| plain(known) == plain(service)) {
        return Reading::uncounted(&about(said.tracking_id, service, region), NotCounted::OtherService);
    }
    let Some(region) = known.region(region) else {
        return Reading::uncounted(&about(said.tracking_id, service, region), NotCounted::UnknownRegion);
    };
    let signal = Signal {
        origin: Origin::ServiceHealth,
        region: region.to_owned(),
        about: About::Region { matter: said.tracking_id.to_owned(), service: service.to_owned() },
        state: said.state,
        since: said.since,
        said_at: said.said_at,
        told: said.told.clone(),
    };
    Reading { signals: vec![signal], ..Reading::default() }
}

fn about(tracking_id: &str, service: &str, region: &str) -> String {
    format!("{tracking_id} ({service}, {region})")
}

/// A tracking id that Azure gives to tests.
pub(super) fn is_test_id(id: &str) -> bool {
    id.get(..5).is_some_and(|begin| begin.eq_ignore_ascii_case("TEST-"))
}

/// True where the level says that nothing is unavailable: in words, or as a number.
///
/// *Assumed*, `alert-level-numbers`: 4 stands for informational, as in .NET's levels; read so, such an incident makes no evidence.
fn is_low(context: &Value) -> bool {
    match field(context, "level") {
        Some(Value::Number(number)) => number.as_i64() == Some(4),
        Some(Value::String(text)) => matches!(plain(text).as_str(), "informational" | "information" | "4"),
        _ => false,
    }
}

/// The services with their regions: of a list, of a text that holds one, or where there is none of `service` and `region`.
fn impacts(properties: &Value) -> Option<Vec<(String, Vec<String>)>> {
    let written;
    let list = match field(properties, "impactedServices") {
        Some(Value::Array(list)) => list,
        Some(Value::String(text)) if !text.trim().is_empty() => {
            written = serde_json::from_str::<Value>(text).ok()?;
            written.as_array()?
        }
        Some(Value::Null | Value::String(_)) | None => {
            let (service, region) = (text(properties, "service")?, text(properties, "region")?);
            return Some(vec![(service.to_owned(), vec![region.to_owned()])]);
        }
        Some(_) => return None,
    };
    let mut impacts = Vec::with_capacity(list.len());
    for item in list {
        let regions = items(item, "ImpactedRegions").iter().map(|region| text(region, "RegionName").map(str::to_owned));
        let regions: Vec<String> = regions.collect::<Option<_>>()?;
        if regions.is_empty() {
            return None;
        }
        impacts.push((text(item, "ServiceName")?.to_owned(), regions));
    }
    (!impacts.is_empty()).then_some(impacts)
}
