//! What arrives about a region from outside: alerts of Service Health and of metric rules, and Event Grid's events about machines, each as
//! the payload and as the evidence that the model is told. These payloads are ours, after the documented fields: none is a copy.
//! It never knows what is right to decide.

use jiff::Timestamp;
use lifeboat_execution::Event;
use lifeboat_tests::rig::{LOCATION, SUBSCRIPTION};
use serde_json::{Value, json};

use crate::model::history::{Evidence, Mark, Origin};

/// The tracking id of the outage.
pub const OUTAGE: &str = "NA0F-9Z0";

/// Something that arrives, with what it says.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// As it comes through its door.
    pub event: Event,
    /// What it says.
    pub evidence: Vec<Evidence>,
}

/// An incident as Service Health tells of it.
#[derive(Clone, Debug)]
pub struct Incident {
    /// Its tracking id.
    pub id: String,
    /// `Active`, `Resolved`, `RCA`.
    pub stage: &'static str,
    /// `Incident`, `Maintenance`, `Informational`.
    pub kind: &'static str,
    /// The region as it is shown.
    pub region: &'static str,
    /// Whether Azure only tries out whether alerts arrive.
    pub synthetic: bool,
    /// Since when.
    pub since: Timestamp,
    /// When it was said.
    pub said: Timestamp,
}

impl Incident {
    /// The outage, active.
    pub fn outage(since: Timestamp, said: Timestamp) -> Self {
        Self {
            id: OUTAGE.to_owned(),
            stage: "Active",
            kind: "Incident",
            region: "West Europe",
            synthetic: false,
            since,
            said,
        }
    }

    /// The alert that tells of it.
    pub fn arrival(&self) -> Arrival {
        let (id, said) = (format!("{}-{}-{}", self.id, self.stage, self.said), self.said.to_string());
        let services =
            json!([{ "ServiceName": "Virtual Machines", "ImpactedRegions": [{ "RegionName": self.region }] }]);
        let mut properties = json!({
            "title": "Something happened", "service": "Virtual Machines", "region": self.region, "incidentType": self.kind,
            "trackingId": self.id, "impactStartTime": self.since.to_string(), "impactedServices": services.to_string(),
            "stage": self.stage, "communicationId": id,
        });
        if self.synthetic {
            properties["IsSynthetic"] = json!("True");
        }
        let context = json!({ "eventTimestamp": said, "level": 2, "properties": properties });
        let alert = format!("/subscriptions/{SUBSCRIPTION}/alerts/{id}");
        let body = common(("ServiceHealth", "ActivityLog", "region", &alert), "Fired", self.said, vec![], context);
        let mark = match (self.kind, self.stage) {
            _ if self.id.starts_with("TEST-") => Some(Mark::Test),
            _ if self.synthetic => Some(Mark::Synthetic),
            ("Incident", "RCA") => Some(Mark::Rca),
            ("Incident", _) => None,
            ("Maintenance", _) => Some(Mark::Maintenance),
            _ => Some(Mark::OtherClass),
        };
        let evidence = Evidence {
            origin: Origin::ServiceHealth,
            region: self.region.replace(' ', "").to_lowercase(),
            stream: self.id.to_lowercase(),
            id,
            bad: self.stage == "Active",
            since: self.since.as_second(),
            said: self.said.as_second(),
            marks: mark.into_iter().collect(),
            fleet: None,
        };
        Arrival { event: alert_event(&body), evidence: vec![evidence] }
    }
}

/// A metric rule fired for all these machines, or is resolved: an alert for each, all in the same second. A rule on machines tells of so many
/// of the region's, as their availability does; `of` so many there are.
pub fn metric(machines: &[String], fired: bool, of: usize, said: Timestamp) -> Vec<Arrival> {
    let condition = if fired { "Fired" } else { "Resolved" };
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let tells = |(number, machine): (usize, &String)| {
        let failing = if fired { number + 1 } else { machines.len() - number - 1 };
        let name = machine.rsplit('/').next().unwrap_or_default();
        let alert = format!("/subscriptions/{SUBSCRIPTION}/alerts/metric-{name}");
        let context = json!({ "conditionType": "SingleResourceMultipleMetricCriteria", "properties": null });
        let body = common(("Platform", "Metric", "heartbeat", &alert), condition, said, vec![machine.clone()], context);
        let evidence = Evidence {
            origin: Origin::MetricAlert,
            region: LOCATION.to_owned(),
            stream: alert.clone(),
            id: format!("{alert}-{condition}-{said}"),
            bad: fired,
            since: said.as_second(),
            said: said.as_second(),
            marks: Vec::new(),
            fleet: Some((count(failing), count(of))),
        };
        Arrival { event: alert_event(&body), evidence: vec![evidence] }
    };
    machines.iter().enumerate().map(tells).collect()
}

/// Event Grid tells of machines one by one that they are unavailable by the platform, or available again; `of` so many in the region.
pub fn machines(names: &[String], down: bool, of: usize, said: Timestamp) -> Arrival {
    let (mut events, mut evidence) = (Vec::new(), Vec::new());
    for (number, machine) in names.iter().enumerate() {
        let state = if down { "Unavailable" } else { "Available" };
        events.push(grid(machine, "AvailabilityStatusChanged", said, &[("availabilityState", state)]));
        if down {
            let annotated = [
                ("annotationName", "VirtualMachineHostCrashed"),
                ("context", "Platform Initiated"),
                ("category", "Unplanned"),
            ];
            events.push(grid(machine, "ResourceAnnotated", said, &annotated));
        }
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let failing = if down { number + 1 } else { names.len() - number - 1 };
        evidence.push(Evidence {
            origin: Origin::ResourceHealth,
            region: LOCATION.to_owned(),
            stream: "fleet".to_owned(),
            id: format!("{state}-{said}-{machine}"),
            bad: failing > 0,
            since: said.as_second(),
            said: said.as_second(),
            marks: Vec::new(),
            fleet: Some((count(failing), count(of))),
        });
    }
    Arrival { event: Event::RegionHealthChanged(events), evidence }
}

fn grid(machine: &str, kind: &str, said: Timestamp, more: &[(&str, &str)]) -> Value {
    let annotated = kind == "ResourceAnnotated";
    let part = if annotated { "resourceAnnotations" } else { "availabilityStatuses" };
    let mut properties = json!({
        "targetResourceId": machine, "targetResourceType": "Microsoft.Compute/virtualMachines", "occurredTime": said.to_string(),
    });
    for (name, value) in more {
        properties[*name] = json!(value);
    }
    let id = format!("{machine}/providers/Microsoft.ResourceHealth/{part}/e");
    json!({
        "id": format!("{kind}-{said}-{machine}"), "topic": format!("/subscriptions/{SUBSCRIPTION}"), "subject": machine,
        "eventType": format!("Microsoft.ResourceNotifications.HealthResources.{kind}"), "eventTime": said.to_string(),
        "data": { "resourceInfo": { "id": id, "properties": properties } },
    })
}

fn common(
    (service, signal, rule, id): (&str, &str, &str, &str),
    condition: &str,
    said: Timestamp,
    mut targets: Vec<String>,
    context: Value,
) -> Value {
    if targets.is_empty() {
        targets.push(format!("/subscriptions/{SUBSCRIPTION}"));
    }
    let resolved = if condition == "Resolved" { json!(said.to_string()) } else { Value::Null };
    json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "alertId": id, "alertRule": rule, "signalType": signal, "monitoringService": service, "monitorCondition": condition,
                "alertTargetIDs": targets, "firedDateTime": said.to_string(), "resolvedDateTime": resolved,
            },
            "alertContext": context,
            "customProperties": null,
        },
    })
}

fn alert_event(body: &Value) -> Event {
    Event::RegionAlert(body.to_string().into_bytes())
}
