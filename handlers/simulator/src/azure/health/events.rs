//! Service health events: raised, told more of, resolved region by region.
//! It never changes a machine: that a region is in trouble and that an event says so are two things.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::{ArmError, invalid_content};
use super::super::graph::{Listed, Table, time_of};
use super::super::ids::{guid_of, stamp_z};
use super::super::paging;
use super::super::regions::named;
use super::super::state::State;
use super::filter::Filter;

/// How far back a listing looks when it is not told, in hours (documented: 3 days).
const LOOK_BACK_HOURS: i64 = 72;

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the document's words, of which it explains none")]
pub enum EventType {
    ServiceIssue,
    PlannedMaintenance,
    HealthAdvisory,
    RCA,
    EmergingIssues,
    SecurityAdvisory,
    Billing,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the document's words, of which it explains none")]
pub enum EventLevel {
    Critical,
    Error,
    Warning,
    Informational,
}

/// A service and the regions in which it is touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// The service's name, as `Virtual Machines`.
    pub service: String,
    /// The regions, as `westeurope`.
    pub regions: Vec<String>,
}

/// A service health event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceEvent {
    /// The tracking id.
    pub tracking_id: String,
    /// The kind.
    pub event_type: EventType,
    /// The title.
    pub title: String,
    /// The text.
    pub summary: String,
    /// How bad it is.
    pub level: EventLevel,
    /// The stage, as `Active` or `Resolved`; told as `hirStage`.
    #[serde(default)]
    pub stage: Option<String>,
    /// What is touched.
    pub impacts: Vec<Impact>,
    /// Subscriptions that are told; none means all.
    #[serde(default)]
    pub subscriptions: Vec<String>,
    /// Ids of what is touched; none means all machines in the regions.
    #[serde(default)]
    pub impacted_resources: Vec<String>,
    /// A drill of Azure's own. The interface has no such property (documented): it is here for who sends alerts.
    #[serde(default)]
    pub is_synthetic: bool,
}

/// An event and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) event: ServiceEvent,
    started: Timestamp,
    mitigated: Option<Timestamp>,
    updated: Timestamp,
    /// The latest last.
    updates: Vec<(Timestamp, String)>,
    /// Regions in which it is over, in lower case.
    over: BTreeSet<String>,
}

/// All events, by tracking id in lower case.
#[derive(Clone, Debug, Default)]
pub(super) struct Events(BTreeMap<String, Arc<Told>>);

/// An event as Resource Graph lists it for one subscription.
#[derive(Debug)]
struct EventRow {
    told: Arc<Told>,
    subscription: String,
    seed: u64,
}

impl ServiceEvent {
    /// Virtual machines in a region are down.
    pub fn outage(tracking_id: &str, region: &str) -> Self {
        let shown = shown(region);
        Self {
            tracking_id: tracking_id.to_owned(),
            event_type: EventType::ServiceIssue,
            title: format!("ACTIVE: Virtual machines in {shown}"),
            summary: "An outage alert is being investigated. More information will be provided as it is known."
                .to_owned(),
            level: EventLevel::Warning,
            stage: Some("active".to_owned()),
            impacts: vec![Impact { service: "Virtual Machines".to_owned(), regions: vec![region.to_owned()] }],
            subscriptions: Vec::new(),
            impacted_resources: Vec::new(),
            is_synthetic: false,
        }
    }

    pub(super) fn regions(&self) -> BTreeSet<String> {
        self.impacts.iter().flat_map(|impact| &impact.regions).map(|region| region.to_ascii_lowercase()).collect()
    }

    fn tells(&self, subscription: &str) -> bool {
        self.subscriptions.is_empty() || self.subscriptions.iter().any(|one| one.eq_ignore_ascii_case(subscription))
    }
}

fn shown(region: &str) -> &str {
    named(region).map_or(region, |region| region.display)
}

impl Told {
    fn status(&self) -> &'static str {
        if self.mitigated.is_some() { "Resolved" } else { "Active" }
    }

    fn impact(&self, subscription: &str, seed: u64) -> Vec<Value> {
        let updates: Vec<Value> = self
            .updates
            .iter()
            .rev()
            .map(|(at, summary)| json!({ "summary": summary, "updateDateTime": stamp_z(*at), "eventTags": [] }))
            .collect();
        let region = |region: &String| {
            json!({
                "impactedRegion": shown(region),
                "status": if self.over.contains(&region.to_ascii_lowercase()) { "Resolved" } else { "Active" },
                "impactedSubscriptions": [subscription],
                "impactedTenants": [],
                "lastUpdateTime": stamp_z(self.updated),
                "updates": updates,
            })
        };
        let service = |impact: &Impact| {
            json!({
                "impactedService": impact.service,
                "impactedServiceGuid": service_guid(&impact.service, seed),
                "impactedRegions": impact.regions.iter().map(region).collect::<Vec<_>>(),
            })
        };
        self.event.impacts.iter().map(service).collect()
    }

    fn properties(&self, subscription: &str, seed: u64) -> Value {
        let event = &self.event;
        let mut properties = json!({
            "eventType": event.event_type,
            "eventSource": "ServiceHealth",
            "status": self.status(),
            "title": event.title,
            "summary": event.summary,
            "header": "Your service might have been impacted by an Azure service issue",
            "level": if event.level == EventLevel::Critical { "Critical" } else { "Warning" },
            "eventLevel": event.level,
            "isEventSensitive": false,
            "article": { "articleContent": format!("<html>{}</html>", event.summary) },
            "links": [],
            "impactStartTime": stamp_z(self.started),
            "impact": self.impact(subscription, seed),
            "eventTags": [],
            "isHIR": false,
            "enableMicrosoftSupport": true,
            "enableChatWithUs": false,
            "platformInitiated": true,
            "lastUpdateTime": stamp_z(self.updated),
        });
        if let Some(at) = self.mitigated {
            properties["impactMitigationTime"] = json!(stamp_z(at));
        }
        if let Some(stage) = &event.stage {
            properties["hirStage"] = json!(stage);
        }
        properties
    }

    /// The id and the type are those of the document's examples, which leave out the subscription.
    fn json(&self, subscription: &str, seed: u64) -> Value {
        let id = &self.event.tracking_id;
        json!({
            "id": format!("/providers/Microsoft.ResourceHealth/events/{id}"),
            "name": id,
            "type": "/providers/Microsoft.ResourceHealth/events",
            "properties": self.properties(subscription, seed),
        })
    }
}

/// The example's for machines; others have one made up.
fn service_guid(service: &str, seed: u64) -> String {
    match service {
        "Virtual Machines" => "fd8065f5-ffd0-4756-8788-e6a11bf36257".to_owned(),
        _ => guid_of(seed, "service", service),
    }
}

impl Listed for EventRow {
    fn table(&self) -> Table {
        Table::ServiceHealthResources
    }

    /// *Assumed* (`health-event-row`): that the names of the properties begin with a capital, as in Microsoft's samples of
    /// queries, and that those are the interface's otherwise. Names are found by their exact casing only.
    fn row(&self) -> Value {
        let id = &self.told.event.tracking_id;
        let properties = self.told.properties(&self.subscription, self.seed);
        let capital = |(name, value): (&String, &Value)| {
            let mut letters = name.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            (first.into_iter().chain(letters).collect::<String>(), value.clone())
        };
        let mut properties: serde_json::Map<String, Value> =
            properties.as_object().into_iter().flatten().map(capital).collect();
        properties.insert("TrackingId".to_owned(), json!(id));
        json!({
            "id": format!("/subscriptions/{}/providers/Microsoft.ResourceHealth/events/{id}", self.subscription),
            "name": id,
            "type": "microsoft.resourcehealth/events",
            "location": "global",
            "resourceGroup": "",
            "subscriptionId": self.subscription,
            "tags": {},
            "properties": properties,
        })
    }
}

impl State {
    /// Raises an event, or tells it anew: then what was told before stays told.
    pub(crate) fn raise_service_event(&mut self, event: ServiceEvent, now: Timestamp) {
        let id = event.tracking_id.to_ascii_lowercase();
        let before = self.health.events.0.get(&id);
        let mut updates = before.map(|before| before.updates.clone()).unwrap_or_default();
        updates.push((now, event.summary.clone()));
        let started = before.map_or(now, |before| before.started);
        self.keep_event(Told { event, started, mitigated: None, updated: now, updates, over: BTreeSet::new() }, now);
    }

    /// Tells more of an event; says whether it is known.
    pub(crate) fn update_service_event(
        &mut self,
        id: &str,
        summary: &str,
        stage: Option<&str>,
        now: Timestamp,
    ) -> bool {
        let Some(before) = self.health.events.0.get(&id.to_ascii_lowercase()) else { return false };
        let mut told = Told::clone(before);
        told.event.summary = summary.to_owned();
        told.event.stage = stage.map(str::to_owned).or(told.event.stage);
        told.updated = now;
        told.updates.push((now, summary.to_owned()));
        self.keep_event(told, now);
        true
    }

    /// Says that an event is over in these regions, or in all; says whether it is known.
    pub(crate) fn resolve_service_event(&mut self, id: &str, summary: &str, regions: &[&str], now: Timestamp) -> bool {
        if !self.update_service_event(id, summary, None, now) {
            return false;
        }
        let Some(before) = self.health.events.0.get(&id.to_ascii_lowercase()) else { return false };
        let mut told = Told::clone(before);
        let all = told.event.regions();
        let over = if regions.is_empty() {
            all.clone()
        } else {
            regions.iter().map(|region| region.to_ascii_lowercase()).collect()
        };
        told.over.extend(over);
        if all.is_subset(&told.over) {
            told.mitigated = Some(now);
            told.event.stage = Some("resolved".to_owned());
            told.event.title = told.event.title.replace("ACTIVE:", "RESOLVED:");
        }
        self.keep_event(told, now);
        true
    }

    /// An event as it was told last.
    pub(crate) fn service_event(&self, id: &str) -> Option<ServiceEvent> {
        self.health.events.0.get(&id.to_ascii_lowercase()).map(|told| told.event.clone())
    }

    fn keep_event(&mut self, told: Told, now: Timestamp) {
        let (told, seed) = (Arc::new(told), self.seed);
        let id = told.event.tracking_id.clone();
        let subscriptions: Vec<String> = self.subscriptions.values().map(|one| one.id.clone()).collect();
        for subscription in subscriptions.into_iter().filter(|one| told.event.tells(one)) {
            let row = format!("/subscriptions/{subscription}/providers/Microsoft.ResourceHealth/events/{id}");
            self.list(&row, Some(Arc::new(EventRow { told: told.clone(), subscription, seed })), now);
        }
        self.health.events.0.insert(id.to_ascii_lowercase(), told);
    }
}

/// `GET /subscriptions/{id}/…/events`: those that were told since `queryStartTime`, which is three days ago when left out
/// (documented).
pub(crate) fn list_events(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let since = match call.query("queryStartTime") {
        Some(text) => start_time(text).ok_or_else(|| invalid_content("queryStartTime is not a date"))?,
        None => call.now.checked_sub(SignedDuration::from_hours(LOOK_BACK_HOURS)).unwrap_or(Timestamp::MIN),
    };
    let names = ["service", "region", "status", "eventType"];
    let filter = call.query("$filter").map(|filter| Filter::parse(filter, &names)).transpose()?;
    let (subscription, seed) = (call.param(0), state.seed);
    let has = |told: &Told, name: &str, value: &str| {
        let any = |mut values: Box<dyn Iterator<Item = String> + '_>| values.any(|one| one.eq_ignore_ascii_case(value));
        let impacts = &told.event.impacts;
        match name {
            "service" => any(Box::new(impacts.iter().map(|impact| impact.service.clone()))),
            "region" => any(Box::new(told.event.regions().into_iter().map(|region| shown(&region).to_owned()))),
            "status" => told.status().eq_ignore_ascii_case(value),
            _ => json!(told.event.event_type).as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(value)),
        }
    };
    let wanted = |told: &Told| {
        told.event.tells(subscription)
            && told.updated >= since
            && filter.as_ref().is_none_or(|filter| filter.holds(|name, value| has(told, name, value)))
    };
    let events = state.health.events.0.iter().filter(|(_, told)| wanted(told));
    let rows = events.map(|(id, told)| (id.clone(), told.json(subscription, seed)));
    Ok(paging::listing(call, rows, state.page_size))
}

/// `GET /subscriptions/{id}/…/events/{tracking id}`.
pub(crate) fn get_event(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    Ok(Answer::new(200, event_of(state, call)?.json(call.param(0), state.seed)))
}

/// *Assumed* (`health-event-missing`): code and wording of an event that is not known.
pub(super) fn event_of(state: &State, call: &Call) -> Result<Arc<Told>, ArmError> {
    let id = call.param(1);
    let found = state.health.events.0.get(&id.to_ascii_lowercase()).filter(|told| told.event.tells(call.param(0)));
    let missing = || ArmError::new(404, "EventNotFound", format!("The event '{id}' could not be found."));
    found.cloned().ok_or_else(missing)
}

/// `7/24/2020` (documented), or a time as it is written elsewhere.
fn start_time(text: &str) -> Option<Timestamp> {
    let parts: Vec<u16> = text.split('/').filter_map(|part| part.parse().ok()).collect();
    if let [month, day, year] = parts[..] {
        return time_of(&format!("{year:04}-{month:02}-{day:02}"));
    }
    time_of(text)
}
