//! Composes what arrives in a case from few words. These payloads are ours, after the documented fields: none is a copy.
//! It never knows what is right to decide.
//!
//! ```text
//! poll [down=N] [of=N] [target-down=N] [state=…] [cause=user|planned|none] [event=ID/Status/Region[/Type[/Service]]] [part=events|statuses] [more]
//! alert service [id=…] [stage=…] [type=…] [region=…] [service=…] [synthetic=…] [level=…] [comm=…] [form=string|none] [said=hh:mm]
//! alert resource [vm=N] [status=…] [cause=…] [said=hh:mm]
//! alert metric|log|webtest [rule=…] [id=…] [condition=…] [vm=N]
//! event status|annotated [vm=N] [state=…] [context=…] [category=…] [schema=cloud] [id=…] [said=hh:mm]
//! probe ok|failed|notSent [name=…] [region=…] [said=hh:mm]
//! official <door> <file> [pointer=value …]     {now} stands for the moment of arrival
//! raw <door> <JSON>
//! ```
//! `_` in a value stands for a blank.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use lifeboat_contract::declaration::Line;
use lifeboat_contract::signals::Door;
use serde_json::{Value, json};

const SUBSCRIPTION: &str = "/subscriptions/00000000-0000-0000-0000-000000000007";
/// How many machines there are in the region that may be lost, where a case does not say.
const MACHINES: usize = 5;
/// How many there are in the other.
const TARGET_MACHINES: usize = 3;

/// The moment `hh:mm` or `hh:mm:ss` of the table; hours go beyond 24.
pub fn at(text: &str) -> Timestamp {
    let base: Timestamp = "2026-11-01T00:00:00Z".parse().expect("a time");
    let seconds = text.split(':').map(|part| part.parse::<i64>().unwrap_or_else(|_| panic!("{text} is no moment")));
    let seconds = seconds.zip([3600, 60, 1]).map(|(part, each)| part * each).sum();
    base.checked_add(SignedDuration::from_secs(seconds)).expect("a time")
}

/// The moments of `hh:mm`, or of every minute of `hh:mm..hh:mm`, the last included.
pub fn moments(text: &str) -> Vec<Timestamp> {
    let Some((from, to)) = text.split_once("..") else { return vec![at(text)] };
    let (mut now, to) = (at(from), at(to));
    let mut moments = Vec::new();
    while now <= to {
        moments.push(now);
        now = now.checked_add(SignedDuration::from_mins(1)).expect("a time");
    }
    moments
}

/// The folder of official payloads, or `None` with the reason told.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment tells a test where the data is; no setting of the product"
)]
pub fn folder() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/azure");
    let folder = PathBuf::from(std::env::var("LIFEBOAT_AZURE_DATA").unwrap_or(default.into())).join("events");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("LIFEBOAT_AZURE_DATA_REQUIRED").is_none(), "{} is required and absent", folder.display());
    eprintln!("ignored: the official payloads are not at {}; LIFEBOAT_AZURE_DATA names their folder", folder.display());
    None
}

struct Words<'a> {
    at: Timestamp,
    /// Of the moments of one row, from 1.
    number: usize,
    bare: Vec<&'a str>,
    named: BTreeMap<&'a str, String>,
}

impl Words<'_> {
    fn get(&self, name: &str, default: &str) -> String {
        self.named.get(name).cloned().unwrap_or_else(|| default.to_owned())
    }

    fn count(&self, name: &str, default: usize) -> usize {
        self.named.get(name).map_or(default, |text| text.parse().expect("a number"))
    }

    fn said(&self) -> String {
        self.named.get("said").map_or(self.at, |text| at(text)).to_string()
    }
}

/// The line of what arrives.
pub fn line(at: Timestamp, text: &str, number: usize) -> Result<Line, String> {
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    let line = |door, body| Ok(Line { number: 1, at, door, body });
    let door = |word: &str| Door::of(word).ok_or_else(|| format!("no door {word}"));
    if verb == "raw" {
        let (word, body) = rest.split_once(' ').ok_or("raw <door> <JSON>")?;
        return line(door(word)?, serde_json::from_str(body).map_err(|error| error.to_string())?);
    }
    let (named, bare): (Vec<&str>, Vec<&str>) = rest.split_whitespace().partition(|word| word.contains('='));
    let named =
        named.iter().filter_map(|word| word.split_once('=')).map(|(name, value)| (name, value.replace('_', " ")));
    let words = Words { at, number, bare, named: named.collect() };
    match verb {
        "poll" => line(Door::HealthPoll, poll(&words)),
        "alert" => line(Door::RegionAlert, alert(&words)?),
        "event" => line(Door::RegionHealthChanged, event(&words)),
        "probe" => line(Door::Probe, probe(&words)),
        "official" => {
            let [word, file] = words.bare[..] else { return Err("official <door> <file>".to_owned()) };
            line(door(word)?, official(&words, file))
        }
        _ => Err(format!("nothing arrives as {verb}")),
    }
}

fn machine(number: usize, region: &str) -> String {
    format!("{SUBSCRIPTION}/resourceGroups/rg-{region}/providers/Microsoft.Compute/virtualMachines/vm{number}")
}

fn poll(words: &Words<'_>) -> Value {
    let (down, of, target_down) = (words.count("down", 0), words.count("of", MACHINES), words.count("target-down", 0));
    let mut statuses = Vec::new();
    for (region, of, down) in [("westeurope", of, down), ("northeurope", TARGET_MACHINES, target_down)] {
        for number in 1..=of {
            let (state, cause) = (words.get("state", "Unavailable"), words.get("cause", "platform"));
            let mut properties = if number > down {
                json!({ "availabilityState": "Available" })
            } else {
                match cause.as_str() {
                    "user" => {
                        json!({ "availabilityState": state, "reasonType": "UserInitiated", "context": "Customer Initiated" })
                    }
                    "planned" => {
                        json!({ "availabilityState": state, "reasonType": "Planned", "context": "Platform Initiated" })
                    }
                    "none" => json!({ "availabilityState": state }),
                    _ => {
                        json!({ "availabilityState": state, "reasonType": "Unplanned", "context": "Platform Initiated" })
                    }
                }
            };
            properties["occuredTime"] = json!(words.said());
            let id =
                format!("{}/providers/Microsoft.ResourceHealth/availabilityStatuses/current", machine(number, region));
            statuses.push(json!({ "id": id, "name": "current", "location": region, "properties": properties }));
        }
    }
    let events: Vec<Value> =
        words.named.get("event").map(|event| rest_event(event, &words.said())).into_iter().collect();
    let part = words.get("part", "both");
    let mut body = json!({});
    if part != "statuses" {
        body["events"] = json!({ "value": events });
    }
    if part != "events" {
        body["availabilityStatuses"] = json!({ "value": statuses });
    }
    if words.bare.contains(&"more") {
        body["availabilityStatuses"]["nextLink"] = json!("https://management.azure.com/next");
    }
    body
}

/// `ID/Status/Region[/Type[/Service]]`.
fn rest_event(event: &str, said: &str) -> Value {
    let parts: Vec<&str> = event.split('/').collect();
    let part = |at: usize, default: &'static str| parts.get(at).map_or(default.to_owned(), |part| (*part).to_owned());
    let region =
        json!({ "impactedRegion": part(2, "West Europe"), "status": part(1, "Active"), "lastUpdateTime": said });
    json!({
        "name": parts[0],
        "properties": {
            "eventType": part(3, "ServiceIssue"),
            "status": "Active",
            "level": "Warning",
            "impactStartTime": said,
            "impactMitigationTime": said,
            "lastUpdateTime": said,
            "impact": [{ "impactedService": part(4, "Virtual Machines"), "impactedRegions": [region] }],
        },
    })
}

fn alert(words: &Words<'_>) -> Result<Value, String> {
    let (said, kind) = (words.said(), words.bare.first().copied().unwrap_or_default());
    let essentials = |service: &str, signal: &str, rule: &str, id: &str, targets: Vec<String>| {
        json!({
            "alertId": id,
            "alertRule": rule,
            "signalType": signal,
            "monitoringService": service,
            "monitorCondition": words.get("condition", "Fired"),
            "alertTargetIDs": targets,
            "firedDateTime": said,
            "resolvedDateTime": if words.get("condition", "Fired") == "Resolved" { json!(said) } else { Value::Null },
        })
    };
    let (essentials, context) = match kind {
        "service" => {
            let id = format!("{SUBSCRIPTION}/alerts/{}", words.number);
            (essentials("ServiceHealth", "ActivityLog", "region", &id, vec![SUBSCRIPTION.to_owned()]), incident(words))
        }
        "resource" => {
            let vm = machine(words.count("vm", 1), "westeurope");
            let context = json!({
                "eventDataId": format!("{said}-{vm}"),
                "eventTimestamp": said,
                "properties": {
                    "currentHealthStatus": words.get("status", "Unavailable"),
                    "previousHealthStatus": "Available",
                    "type": "Downtime",
                    "cause": words.get("cause", "PlatformInitiated"),
                },
            });
            (essentials("Resource Health", "Activity Log", "machines", &vm, vec![vm.clone()]), context)
        }
        "metric" | "log" | "webtest" => {
            let service = if kind == "log" { "Log Alerts V2" } else { "Platform" };
            let target = match words.named.get("vm") {
                Some(_) => machine(words.count("vm", 1), "westeurope"),
                None => format!("{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Insights/components/shop"),
            };
            let id = format!("{SUBSCRIPTION}/alerts/{}", words.get("id", "m-1"));
            let signal = if kind == "log" { "Log" } else { "Metric" };
            let context = json!({ "conditionType": "SingleResourceMultipleMetricCriteria", "properties": null });
            (essentials(service, signal, &words.get("rule", "shop-availability"), &id, vec![target]), context)
        }
        _ => return Err(format!("no alert {kind}")),
    };
    Ok(json!({
        "data": { "essentials": essentials, "alertContext": context, "customProperties": null },
        "schemaId": "azureMonitorCommonAlertSchema",
    }))
}

fn incident(words: &Words<'_>) -> Value {
    let (region, service) = (words.get("region", "West Europe"), words.get("service", "Virtual Machines"));
    let regions: Vec<Value> = region.split('+').map(|name| json!({ "RegionName": name })).collect();
    let services: Vec<Value> =
        service.split('+').map(|name| json!({ "ServiceName": name, "ImpactedRegions": regions })).collect();
    let services = match words.get("form", "string").as_str() {
        "list" => json!(services),
        "none" => Value::Null,
        "broken" => json!("[{\"ServiceName\":"),
        _ => json!(serde_json::to_string(&services).expect("JSON")),
    };
    let stage = words.get("stage", "Active");
    let mut properties = json!({
        "title": "Something happened",
        "service": service.split('+').next(),
        "region": region.split('+').next(),
        "incidentType": words.get("type", "Incident"),
        "trackingId": words.get("id", "NA0F-1"),
        "impactStartTime": words.said(),
        "impactedServices": services,
        "stage": stage,
        "communicationId": words.get("comm", &format!("{}-{stage}", words.said())),
    });
    if let Some(mark) = words.named.get("synthetic") {
        properties["IsSynthetic"] = json!(mark);
    }
    let level = words.get("level", "2");
    let level = level.parse::<u32>().map_or_else(|_| json!(level), |number| json!(number));
    json!({ "eventTimestamp": words.said(), "level": level, "properties": properties })
}

fn event(words: &Words<'_>) -> Value {
    let (said, vm) = (words.said(), machine(words.count("vm", 1), "westeurope"));
    let annotated = words.bare.first() == Some(&"annotated");
    let (kind, part) = if annotated {
        ("ResourceAnnotated", "resourceAnnotations")
    } else {
        ("AvailabilityStatusChanged", "availabilityStatuses")
    };
    let mut properties = json!({ "targetResourceId": vm, "targetResourceType": "Microsoft.Compute/virtualMachines", "occurredTime": said });
    if annotated {
        properties["annotationName"] = json!("VirtualMachineHostCrashed");
        properties["context"] = json!(words.get("context", "Platform Initiated"));
        properties["category"] = json!(words.get("category", "Unplanned"));
    } else {
        properties["availabilityState"] = json!(words.get("state", "Unavailable"));
    }
    let id = words.get("id", &format!("{kind}-{said}-{vm}"));
    let data = json!({ "resourceInfo": { "id": format!("{vm}/providers/Microsoft.ResourceHealth/{part}/e"), "properties": properties } });
    let kind = format!("Microsoft.ResourceNotifications.HealthResources.{kind}");
    if words.get("schema", "grid") == "cloud" {
        json!({ "specversion": "1.0", "id": id, "source": SUBSCRIPTION, "subject": vm, "type": kind, "time": said, "data": data })
    } else {
        json!([{ "id": id, "topic": SUBSCRIPTION, "subject": vm, "eventType": kind, "eventTime": said, "data": data }])
    }
}

fn probe(words: &Words<'_>) -> Value {
    json!({
        "probe": words.get("name", "shop-front"),
        "region": words.get("region", "westeurope"),
        "kind": "http",
        "outcome": words.bare.first(),
        "at": words.said(),
    })
}

/// An official payload, with values put in place; `{now}` is the moment of arrival. Of an example of the documents its answer.
fn official(words: &Words<'_>, file: &str) -> Value {
    let folder = folder().expect("asked for before");
    let text = std::fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut body: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    if let Some(answer) = body.pointer("/responses/200/body") {
        body = answer.clone();
    }
    if file.ends_with(".alertcontext.json") {
        body = json!({ "schemaId": "azureMonitorCommonAlertSchema", "data": {
            "essentials": { "alertId": "a", "monitoringService": words.get("service", ""), "monitorCondition": "Fired" },
            "alertContext": body["alertContext"],
        } });
    }
    match words.get("as", "").as_str() {
        // Records of the activity log, put into the envelope in which an alert brings them.
        "activity" => {
            body = json!({ "schemaId": "azureMonitorCommonAlertSchema", "data": {
                "essentials": {
                    "alertId": "a", "monitoringService": words.get("service", ""), "monitorCondition": "Fired",
                    "alertTargetIDs": [body["resourceId"]],
                },
                "alertContext": body,
            } });
        }
        "events" => body = json!({ "events": body, "availabilityStatuses": { "value": [] } }),
        "event" => body = json!({ "events": { "value": [body] }, "availabilityStatuses": { "value": [] } }),
        "statusList" => body = json!({ "events": { "value": [] }, "availabilityStatuses": body }),
        "statuses" => body = json!({ "events": { "value": [] }, "availabilityStatuses": { "value": [body] } }),
        _ => {}
    }
    for (pointer, value) in words.named.iter().filter(|(name, _)| name.starts_with('/')) {
        let value = value.replace("{now}", &words.at.to_string()).replace("{vm}", &machine(1, "westeurope"));
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = body.pointer_mut(parent).unwrap_or_else(|| panic!("{file}: nothing at {pointer}"));
        match parent {
            Value::Array(items) => items[name.parse::<usize>().expect("an index")] = json!(value),
            other => other[name] = json!(value),
        }
    }
    body
}
