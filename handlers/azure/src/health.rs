//! Resource Health: the state of resources and Azure's own events (2025-05-01, `ResourceHealth.json`).
//!
//! It never judges: what counts as evidence is decided elsewhere. It never takes the time of mitigation for an end.

use crate::{
    arm::ArmClient,
    error::Error,
    id::ResourceId,
    json,
    operations::{Harm, Operation, RESOURCE_HEALTH},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::Value;

/// Reading the state of one resource.
pub const CURRENT: Operation = Operation {
    action: "Microsoft.ResourceHealth/AvailabilityStatuses/current/read",
    method: "GET",
    path: "/{resourceUri}/providers/Microsoft.ResourceHealth/availabilityStatuses/current",
    api_version: RESOURCE_HEALTH.0,
    document: RESOURCE_HEALTH.1,
    harm: Harm::Nothing,
    evidence: &["health-status"],
};

/// Listing the states of a subscription's resources.
pub const LIST_STATUSES: Operation = Operation {
    action: "Microsoft.ResourceHealth/AvailabilityStatuses/read",
    path: "/subscriptions/{subscriptionId}/providers/Microsoft.ResourceHealth/availabilityStatuses",
    evidence: &["health-status", "arm-next-link"],
    ..CURRENT
};

/// Listing Azure's events that concern a subscription.
pub const LIST_EVENTS: Operation = Operation {
    action: "Microsoft.ResourceHealth/events/read",
    path: "/subscriptions/{subscriptionId}/providers/Microsoft.ResourceHealth/events",
    evidence: &["health-events", "health-since", "arm-next-link"],
    ..CURRENT
};

/// How a resource is, by Azure's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The status' own id, as Azure writes it.
    pub id: String,
    /// The resource; none where its id cannot be read.
    pub resource: Option<ResourceId>,
    /// Its region.
    pub location: String,
    /// How it is.
    pub state: Availability,
    /// In a word.
    pub title: Option<String>,
    /// In a sentence.
    pub summary: Option<String>,
    /// For example `Unplanned`, `Planned`, `UserInitiated`.
    pub reason: Option<String>,
    /// `Transient` or `Persistent`.
    pub chronicity: Option<String>,
    /// For example `Platform Initiated`, `Customer Initiated`.
    pub context: Option<String>,
    /// `PlatformInitiated` or `UserInitiated`.
    pub cause: Option<String>,
    /// Since when.
    pub occurred: Option<Timestamp>,
    /// When Azure looked.
    pub reported: Option<Timestamp>,
    /// When Azure expects it to be well.
    pub expected_end: Option<Timestamp>,
}

/// How a resource is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It is well.
    Available,
    /// It does not serve.
    Unavailable,
    /// It serves, but not as it should.
    Degraded,
    /// Azure does not know.
    Unknown,
    /// Anything else, or nothing said.
    Other(String),
}

/// Something that Azure tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its tracking id.
    pub tracking_id: String,
    /// `ServiceIssue`, `PlannedMaintenance`, `HealthAdvisory`, `SecurityAdvisory`, …
    pub kind: String,
    /// Who tells it: `ResourceHealth` or `ServiceHealth`.
    pub source: Option<String>,
    /// `Active` or `Resolved`.
    pub status: String,
    /// For people.
    pub title: Option<String>,
    /// `Critical`, `Error`, `Warning`, `Information`, …
    pub level: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it was, or is expected to be, mitigated: it can be set while the event is active.
    pub mitigated: Option<Timestamp>,
    /// When Azure last changed it.
    pub updated: Option<Timestamp>,
    /// Whether it is a high-impact one.
    pub high_impact: Option<bool>,
    /// What it concerns.
    pub impacts: Vec<Impact>,
}

/// A service that an event concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impact {
    /// Its name, for example `Virtual Machines`.
    pub service: String,
    /// Where.
    pub regions: Vec<ImpactedRegion>,
}

/// A region that an event concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpactedRegion {
    /// Its display name, for example `West US`, or `Global`.
    pub name: String,
    /// `Active` or `Resolved`, for this region.
    pub status: Option<String>,
    /// When Azure last changed it.
    pub updated: Option<Timestamp>,
}

/// How one resource is now (`AvailabilityStatuses_GetByResource`). A repeat is safe.
pub async fn current(arm: &ArmClient, id: &ResourceId) -> Result<Status, Error> {
    let value = arm.get(&CURRENT, &[id.as_str()], &[]).await?;
    read_status(&value).ok_or_else(|| Error::malformed(CURRENT.action, "a status without its id"))
}

/// How the resources of a subscription are (`AvailabilityStatuses_ListBySubscriptionId`). A repeat is safe.
pub async fn list_statuses(arm: &ArmClient, subscription: &str) -> Result<Vec<Status>, Error> {
    arm.list(&LIST_STATUSES, &[subscription], &[], read_status).await
}

/// Azure's events that concern a subscription (`Events_ListBySubscriptionId`). A repeat is safe.
///
/// Those changed since that time or later; the parameter is a day, so some older ones come as well.
pub async fn list_events(arm: &ArmClient, subscription: &str, since: Timestamp) -> Result<Vec<Event>, Error> {
    arm.list(&LIST_EVENTS, &[subscription], &[("queryStartTime", &day(since))], read_event).await
}

/// How the resources of a subscription are, as Azure told it: whoever reads evidence reads Azure's own words. A repeat is safe.
pub async fn told_statuses(arm: &ArmClient, subscription: &str) -> Result<Vec<Value>, Error> {
    arm.list(&LIST_STATUSES, &[subscription], &[], |value| Some(value.clone())).await
}

/// Azure's events that concern a subscription, changed since that time or later, as Azure told them. A repeat is safe.
pub async fn told_events(arm: &ArmClient, subscription: &str, since: Timestamp) -> Result<Vec<Value>, Error> {
    let since = day(since);
    arm.list(&LIST_EVENTS, &[subscription], &[("queryStartTime", &since)], |value| Some(value.clone())).await
}

/// The day before, as the document writes days: `7/24/2020`. *Assumed*: the day is UTC's; a day more hides a zone's error.
fn day(time: Timestamp) -> String {
    let before = time.checked_sub(SignedDuration::from_hours(24)).unwrap_or(time);
    let day = before.to_zoned_datetime(TimeZone::UTC);
    format!("{}/{}/{}", day.month(), day.day(), day.year())
}

/// What a status' JSON says; none without its id.
pub(crate) fn read_status(value: &Value) -> Option<Status> {
    let id = json::string(value, "/id")?;
    let at = id.to_ascii_lowercase().rfind("/providers/microsoft.resourcehealth/");
    Some(Status {
        resource: at.and_then(|at| id.get(..at)?.parse().ok()),
        location: json::region(json::text(value, "/location").unwrap_or_default()),
        state: match json::text(value, "/properties/availabilityState").unwrap_or_default() {
            state if state.eq_ignore_ascii_case("Available") => Availability::Available,
            state if state.eq_ignore_ascii_case("Unavailable") => Availability::Unavailable,
            state if state.eq_ignore_ascii_case("Degraded") => Availability::Degraded,
            state if state.eq_ignore_ascii_case("Unknown") => Availability::Unknown,
            other => Availability::Other(other.to_owned()),
        },
        title: json::string(value, "/properties/title"),
        summary: json::string(value, "/properties/summary"),
        reason: json::string(value, "/properties/reasonType"),
        chronicity: json::string(value, "/properties/reasonChronicity"),
        context: json::string(value, "/properties/context"),
        cause: json::string(value, "/properties/healthEventCause"),
        // The document writes it with one r.
        occurred: json::time(value, "/properties/occuredTime")
            .or_else(|| json::time(value, "/properties/occurredTime")),
        reported: json::time(value, "/properties/reportedTime"),
        expected_end: json::time(value, "/properties/resolutionETA"),
        id,
    })
}

/// What an event's JSON says; none without its tracking id.
pub(crate) fn read_event(value: &Value) -> Option<Event> {
    Some(Event {
        tracking_id: json::string(value, "/name")?,
        kind: json::string(value, "/properties/eventType").unwrap_or_default(),
        source: json::string(value, "/properties/eventSource"),
        status: json::string(value, "/properties/status").unwrap_or_default(),
        title: json::string(value, "/properties/title"),
        level: json::string(value, "/properties/level").or_else(|| json::string(value, "/properties/eventLevel")),
        started: json::time(value, "/properties/impactStartTime"),
        mitigated: json::time(value, "/properties/impactMitigationTime"),
        updated: json::time(value, "/properties/lastUpdateTime"),
        high_impact: json::truth(value, "/properties/isHIR"),
        impacts: json::list(value, "/properties/impact").iter().map(impact).collect(),
    })
}

fn impact(value: &Value) -> Impact {
    let region = |region: &Value| ImpactedRegion {
        name: json::string(region, "/impactedRegion").unwrap_or_default(),
        status: json::string(region, "/status"),
        updated: json::time(region, "/lastUpdateTime"),
    };
    Impact {
        service: json::string(value, "/impactedService").unwrap_or_default(),
        regions: json::list(value, "/impactedRegions").iter().map(region).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{current, day, list_events};
    use crate::scripted::{Reply, Scripted};
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn a_resource_and_the_events_since_a_day_are_asked_for() {
        assert_eq!(day("2020-07-25T00:30:00Z".parse().unwrap()), "7/24/2020");
        let machine = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m";
        let status =
            json!({ "id": format!("{machine}/providers/Microsoft.ResourceHealth/availabilityStatuses/current") });
        let replies = [Reply::json(200, &status), Reply::json(200, &json!({ "value": [] }))];
        let scripted = Scripted::new(replies);
        let arm = crate::ArmClient::new("https://management.azure.com".parse().unwrap(), &scripted.access()).unwrap();
        let read = current(&arm, &machine.parse().unwrap()).await.unwrap();
        assert_eq!(read.resource.unwrap().as_str(), machine);
        list_events(&arm, "s", "2020-07-25T00:30:00Z".parse().unwrap()).await.unwrap();
        let asked = scripted.asked();
        assert_eq!(asked[0].url.path(), status["id"].as_str().unwrap());
        assert!(asked[1].url.query().unwrap().starts_with("queryStartTime=7%2F24%2F2020&"));
    }
}
