//! The lines of scenarios about regions: what tells of their health, at each door, and what is declared on it.
//! It never writes a declaration through the product, and never tells how a region is by asking it.
//!
//! ```text
//! polls                               from now on the timers of recovery plans fire: HealthPoll every minute, ReadinessSweep every half hour
//! outage ID REGION | outage over ID REGION        Azure's own incident, by Resource Health
//! health NAME platform|user|well      how a machine is, by Resource Health
//! workload up|down                    what answers where recovery plans' traffic is verified
//! alert incident|resolved|test ID REGION          an action group posts it
//! alert rule|rule-over NAME ID        … of a metric rule, fired or resolved
//! alert nonsense                      … something of another schema
//! health-event NAME unavailable|annotated [TIMES] Event Grid delivers it, each time with an id of its own
//! step PLAN                           a message asks for a step of the recovery plan's saga
//! declaration PLAN | decisions PLAN   what is kept of it, and its ledger
//! readiness PLAN                      what the last look at it left
//! declaration PLAN broken             somebody spoils what is kept
//! sagas                               the queue
//! said FUNCTION                       what its invocations said last
//! ```

use lifeboat_contract::sagas::{QUEUE, SagasMessage};
use lifeboat_execution::declaration::{ledger_subject, record};
use lifeboat_execution::ledger::Entry;
use lifeboat_execution::readiness;
use lifeboat_simulator::azure::{Availability, AvailabilityState, ServiceEvent};
use lifeboat_simulator::bus::Message;
use lifeboat_simulator::host::RawRequest;
use lifeboat_tests::Rig;
use lifeboat_tests::azure::{Azure, webhook};
use lifeboat_tests::rig::{CONTAINER, SUBSCRIPTION};
use serde_json::{Value, json};

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Regions {
    Polls,
    Outage {
        id: String,
        region: String,
        over: bool,
    },
    Health {
        name: String,
        how: String,
    },
    Workload {
        up: bool,
    },
    /// The last is the region, or the rule.
    Alert {
        what: String,
        id: String,
        region: String,
    },
    HealthEvent {
        name: String,
        what: String,
        times: usize,
    },
    Step(String),
    Declaration(String),
    Readiness(String),
    Spoil(String),
    Decisions(String),
    Sagas,
    Said(String),
}

/// Reads a line; none when it is about something else.
pub fn read(words: &[&str]) -> Option<Result<Regions, String>> {
    let owned = |word: &&str| (*word).to_owned();
    Some(Ok(match words {
        ["polls"] => Regions::Polls,
        ["outage", "over", id, region] => Regions::Outage { id: owned(id), region: owned(region), over: true },
        ["outage", id, region] => Regions::Outage { id: owned(id), region: owned(region), over: false },
        ["health", name, how @ ("platform" | "user" | "well")] => {
            Regions::Health { name: owned(name), how: owned(how) }
        }
        ["workload", way @ ("up" | "down")] => Regions::Workload { up: *way == "up" },
        ["alert", "nonsense"] => {
            Regions::Alert { what: "nonsense".to_owned(), id: String::new(), region: String::new() }
        }
        ["alert", what @ ("incident" | "resolved" | "test"), id, region] => {
            Regions::Alert { what: owned(what), id: owned(id), region: owned(region) }
        }
        ["alert", what @ ("rule" | "rule-over"), rule, id] => {
            Regions::Alert { what: owned(what), id: owned(id), region: owned(rule) }
        }
        ["health-event", name, what @ ("unavailable" | "annotated"), times @ ..] => {
            let times = times.first().map_or(Ok(1), |times| times.parse());
            let Ok(times) = times else { return Some(Err(format!("{} is no number", words.join(" ")))) };
            Regions::HealthEvent { name: owned(name), what: owned(what), times }
        }
        ["step", plan] => Regions::Step(owned(plan)),
        ["declaration", plan, "broken"] => Regions::Spoil(owned(plan)),
        ["declaration", plan] => Regions::Declaration(owned(plan)),
        ["readiness", plan] => Regions::Readiness(owned(plan)),
        ["decisions", plan] => Regions::Decisions(owned(plan)),
        ["sagas"] => Regions::Sagas,
        ["said", function] => Regions::Said(owned(function)),
        _ => return None,
    }))
}

/// Does what the line asks for; the lines that show what came of it.
pub async fn act(rig: &mut Rig, line: &Regions) -> Result<Vec<String>, String> {
    let arm = &rig.azure.arm;
    match line {
        Regions::Polls => rig.poll_every_minute().await,
        Regions::Outage { id, region, over: false } => arm.raise_service_event(ServiceEvent::outage(id, region)),
        Regions::Outage { id, region, over: true } => {
            let known = arm.resolve_service_event(id, "It is over.", &[region.as_str()]);
            return if known { Ok(Vec::new()) } else { Err(format!("no outage {id}")) };
        }
        Regions::Health { name, how } => {
            let how = match how.as_str() {
                "platform" => Availability::platform_fault(),
                "user" => Availability::stopped_by_user(),
                _ => Availability::new(AvailabilityState::Available),
            };
            let known = arm.set_availability(&Azure::id(name), how);
            return if known { Ok(Vec::new()) } else { Err(format!("no machine {name}")) };
        }
        Regions::Workload { up } => rig.azure.workload_is(*up),
        Regions::Alert { what, id, region } => {
            let body = alert(rig, what, id, region);
            let (status, answer) = rig.order("/api/RegionAlert", &body).await;
            let said = answer["lines"].as_array().cloned().unwrap_or_default();
            let said = said.iter().filter_map(Value::as_str).map(|line| format!("    {line}"));
            return Ok(std::iter::once(format!("  RegionAlert answers {status}")).chain(said).collect());
        }
        Regions::HealthEvent { name, what, times } => {
            for number in 0..*times {
                deliver(rig, &health_event(rig, name, what, number)).await;
            }
        }
        Regions::Step(plan) => {
            let message = SagasMessage::step(plan.as_str());
            let body = message.encode().map_err(|error| error.to_string())?;
            let sent = Message { message_id: Some(message.message_id()), ..Message::new(body) };
            rig.bus.send(QUEUE, sent).map_err(|error| error.to_string())?;
        }
        Regions::Spoil(plan) => rig.blobs.put(CONTAINER, &record::blob_name(plan), b"{".to_vec()),
        Regions::Declaration(plan) => return declaration(rig, plan),
        Regions::Readiness(plan) => return readiness(rig, plan),
        Regions::Decisions(plan) => return decisions(rig, plan),
        Regions::Sagas => {
            let counts = rig.bus.counts(QUEUE);
            return Ok(vec![format!(
                "  {} visible, {} scheduled, {} dead, {} dropped as duplicates",
                counts.active, counts.scheduled, counts.dead, counts.duplicates
            )]);
        }
        Regions::Said(function) => {
            let said = rig.said_by(function);
            let last = said.iter().rev().find(|line| line.contains('"') || !line.is_empty());
            return Ok(last.map(|line| format!("  {line}")).into_iter().collect());
        }
    }
    Ok(Vec::new())
}

/// An alert as an action group posts it; its words are ours, after the documented fields.
fn alert(rig: &Rig, what: &str, id: &str, region: &str) -> Value {
    if what == "nonsense" {
        return json!({ "schemaId": "AzureMonitorMetricAlert", "data": { "version": "2.0" } });
    }
    if what.starts_with("rule") {
        return of_rule(rig, region, id, what == "rule-over");
    }
    let now = rig.clock.now().to_string();
    let stage = if what == "resolved" { "Resolved" } else { "Active" };
    let services = json!([{ "ServiceName": "Virtual Machines", "ImpactedRegions": [{ "RegionName": region }] }]);
    let mut properties = json!({
        "title": "Something happened", "incidentType": "Incident", "trackingId": id, "impactStartTime": now,
        "impactedServices": services.to_string(), "stage": stage, "communicationId": format!("{id}-{now}"),
    });
    if what == "test" {
        properties["IsSynthetic"] = json!("True");
    }
    json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "alertId": format!("/subscriptions/{SUBSCRIPTION}/alerts/{now}"), "alertRule": "service-health",
                "signalType": "Activity Log", "monitoringService": "ServiceHealth", "monitorCondition": "Fired",
                "alertTargetIDs": [format!("/subscriptions/{SUBSCRIPTION}")], "firedDateTime": now,
            },
            "alertContext": { "eventTimestamp": now, "level": 2, "properties": properties },
        },
    })
}

/// An alert of a metric rule on something that is no machine.
fn of_rule(rig: &Rig, rule: &str, id: &str, is_over: bool) -> Value {
    let now = rig.clock.now().to_string();
    let target =
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Insights/components/shop");
    let mut essentials = json!({
        "alertId": format!("/subscriptions/{SUBSCRIPTION}/alerts/{id}"), "alertRule": rule, "signalType": "Metric",
        "monitoringService": "Platform", "monitorCondition": if is_over { "Resolved" } else { "Fired" },
        "alertTargetIDs": [target], "firedDateTime": now,
    });
    if is_over {
        essentials["resolvedDateTime"] = json!(now);
    }
    json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": { "essentials": essentials, "alertContext": { "conditionType": "WebtestLocationAvailabilityCriteria" } },
    })
}

fn health_event(rig: &Rig, name: &str, what: &str, number: usize) -> Value {
    let (now, machine) = (rig.clock.now().to_string(), Azure::id(name));
    let mut properties = json!({
        "targetResourceId": machine, "targetResourceType": "Microsoft.Compute/virtualMachines", "occurredTime": now,
    });
    let kind = if what == "annotated" {
        properties["context"] = json!("Platform Initiated");
        properties["category"] = json!("Unplanned");
        "ResourceAnnotated"
    } else {
        properties["availabilityState"] = json!("Unavailable");
        "AvailabilityStatusChanged"
    };
    json!([{
        "id": format!("{kind}-{name}-{now}-{number}"), "topic": format!("/subscriptions/{SUBSCRIPTION}"), "subject": machine,
        "eventType": format!("Microsoft.ResourceNotifications.HealthResources.{kind}"), "eventTime": now,
        "dataVersion": "1", "metadataVersion": "1",
        "data": { "resourceInfo": { "properties": properties } },
    }])
}

/// Delivers events to the function as Event Grid does.
async fn deliver(rig: &Rig, events: &Value) {
    let Some(host) = rig.gateway.host() else { return };
    let body = events.to_string();
    let mut request = RawRequest::new("POST", webhook("RegionHealthChanged"))
        .with("Host", "127.0.0.1")
        .with("Content-Type", "application/json")
        .with("Content-Length", body.len().to_string())
        .with("aeg-event-type", "Notification");
    request.body = body.into_bytes().into();
    host.call(&request).await;
}

fn declaration(rig: &Rig, plan: &str) -> Result<Vec<String>, String> {
    let Some(bytes) = rig.blobs.bytes(CONTAINER, &record::blob_name(plan)) else {
        return Ok(vec!["  never evaluated".to_owned()]);
    };
    let kept: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let incident = match kept["incident"].is_object() {
        false => "no incident".to_owned(),
        true => {
            let names: Vec<&str> = kept["incident"]["senders"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|one| one["name"].as_str())
                .collect();
            let recovered = if kept["incident"]["recoveredAt"].is_string() { ", recovered" } else { "" };
            format!("an incident is open{recovered}, told of by: {}", names.join(", "))
        }
    };
    let mut lines = vec![format!("  {}; {incident}", kept["phase"].as_str().unwrap_or("?"))];
    for one in kept["last"]["conditions"].as_array().into_iter().flatten() {
        let mark = if one["met"] == json!(true) { "met    " } else { "NOT MET" };
        let text = |name: &str| one[name].as_str().unwrap_or("?").to_owned();
        lines.push(format!("    {mark} {}: {}", text("name"), text("value")));
    }
    Ok(lines)
}

fn readiness(rig: &Rig, plan: &str) -> Result<Vec<String>, String> {
    let Some(bytes) = rig.blobs.bytes(CONTAINER, &readiness::record::blob_name(plan)) else {
        return Ok(vec!["  never looked at".to_owned()]);
    };
    let record: readiness::record::Record = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let reasons = record.reasons.iter().map(|reason| format!("    {}", reason.text));
    Ok(std::iter::once(format!("  {}, looked at {}", record.state.word(), record.looked_at)).chain(reasons).collect())
}

fn decisions(rig: &Rig, plan: &str) -> Result<Vec<String>, String> {
    let subject = ledger_subject(plan);
    let mut lines = Vec::new();
    for ledger in rig.read_ledgers()?.iter().filter(|ledger| ledger.machine() == subject) {
        for body in &ledger.bodies {
            if let Entry::Decision(decision) = &body.entry {
                lines.push(format!("  {} {}; not met: {}", body.seq, decision.cause, decision.refusals.len()));
            }
        }
    }
    Ok(lines)
}
