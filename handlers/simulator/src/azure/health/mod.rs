//! Resource Health: how machines are said to fare, and service health events.
//! It never finds out anything itself: a test says how a machine fares, and a machine that runs is said to be available.

mod events;
mod filter;
mod impacted;
mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::events::{EventLevel, EventType, Impact, ServiceEvent};
pub(crate) use self::events::{get_event, list_events};
pub(crate) use self::impacted::{impacted_resource, impacted_resources};
pub(crate) use self::rows::first_row;

use self::rows::StatusRow;

use self::events::Events;
use super::call::{Answer, Call};
use super::errors::{ArmError, invalid_content};
use super::ids::{ResourceId, key, stamp_z};
use super::machines::Machine;
use super::paging;
use super::state::State;

/// Past statuses that are kept for a machine. *Assumed* (`health-history`).
const STATUSES_KEPT: usize = 10;
/// What stands in `type` (documented).
const KIND: &str = "Microsoft.ResourceHealth/AvailabilityStatuses";

/// How a machine fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AvailabilityState {
    /// It runs as far as the platform can tell.
    Available,
    /// It does not.
    Unavailable,
    /// It runs badly.
    Degraded,
    /// The platform has not heard of it for a while.
    Unknown,
}

/// Who brought a change of health about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HealthCause {
    /// Azure.
    PlatformInitiated,
    /// Somebody with rights on the machine.
    UserInitiated,
}

/// Whether it was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HealthCategory {
    /// Maintenance.
    Planned,
    /// A fault.
    Unplanned,
}

/// Whether it goes over by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Chronicity {
    /// It does.
    Transient,
    /// It does not.
    Persistent,
}

/// What a test says of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Availability {
    /// How it fares.
    pub state: AvailabilityState,
    /// The sentence for people.
    #[serde(default)]
    pub summary: Option<String>,
    /// More of it.
    #[serde(default)]
    pub detailed_status: Option<String>,
    /// `Unplanned`, `Planned`, `UserInitiated`: a free text.
    #[serde(default)]
    pub reason_type: Option<String>,
    /// Who brought it about.
    #[serde(default)]
    pub cause: Option<HealthCause>,
    /// Whether the platform meant it.
    #[serde(default)]
    pub category: Option<HealthCategory>,
    /// `Downtime`, `Lifecycle`, …: a free text.
    #[serde(default)]
    pub event_type: Option<String>,
    /// Whether it goes over by itself.
    #[serde(default)]
    pub chronicity: Option<Chronicity>,
    /// When it is expected to be over.
    #[serde(default)]
    pub resolution_eta: Option<Timestamp>,
}

/// A status since a moment.
#[derive(Clone, Debug)]
struct Status {
    availability: Availability,
    since: Timestamp,
}

/// What is known of health.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    /// By the machine's key, oldest first.
    statuses: BTreeMap<String, Vec<Status>>,
    events: Events,
}

impl Availability {
    /// Without any reason.
    pub fn new(state: AvailabilityState) -> Self {
        Self {
            state,
            summary: None,
            detailed_status: None,
            reason_type: None,
            cause: None,
            category: None,
            event_type: None,
            chronicity: None,
            resolution_eta: None,
        }
    }

    /// Down by a fault of the platform.
    pub fn platform_fault() -> Self {
        Self {
            reason_type: Some("Unplanned".to_owned()),
            cause: Some(HealthCause::PlatformInitiated),
            category: Some(HealthCategory::Unplanned),
            event_type: Some("Downtime".to_owned()),
            chronicity: Some(Chronicity::Persistent),
            ..Self::new(AvailabilityState::Unavailable)
        }
    }

    /// Down because somebody stopped it.
    pub fn stopped_by_user() -> Self {
        Self {
            reason_type: Some("UserInitiated".to_owned()),
            cause: Some(HealthCause::UserInitiated),
            ..Self::new(AvailabilityState::Unavailable)
        }
    }

    /// *Assumed* (`health-texts`): the sentences.
    fn summary(&self) -> &str {
        self.summary.as_deref().unwrap_or(match self.state {
            AvailabilityState::Available => {
                "There aren't any known Azure platform problems affecting this virtual machine"
            }
            AvailabilityState::Unavailable => "We're sorry, your virtual machine isn't available",
            AvailabilityState::Degraded => "We're sorry, your virtual machine's performance is degraded",
            AvailabilityState::Unknown => "We're currently unable to determine the health of this virtual machine",
        })
    }
}

impl Health {
    /// Forgets what is in a group that is gone.
    pub(crate) fn forget_below(&mut self, within: &str) {
        self.statuses.retain(|key, _| !key.starts_with(within));
    }

    fn of(&self, machine: &Machine) -> Vec<Status> {
        let found = self.statuses.get(&key(&machine.id())).filter(|found| !found.is_empty());
        found.cloned().unwrap_or_else(|| vec![untold(machine)])
    }
}

/// A machine of which nothing was said.
fn untold(machine: &Machine) -> Status {
    Status { availability: Availability::new(AvailabilityState::Available), since: machine.created }
}

impl Status {
    fn json(&self, id: &str, name: &str, place: &str, before: Option<&Self>, call: &Call) -> Value {
        let told = &self.availability;
        let mut properties = json!({
            "availabilityState": told.state,
            "title": told.state,
            "summary": told.summary(),
            "reasonChronicity": told.chronicity.unwrap_or(Chronicity::Persistent),
            "occuredTime": stamp_z(self.since),
            "reportedTime": stamp_z(call.now),
        });
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                properties[name] = value;
            }
        };
        put("detailedStatus", told.detailed_status.as_ref().map(|text| json!(text)));
        put("reasonType", told.reason_type.as_ref().map(|text| json!(text)));
        put("healthEventCause", told.cause.map(|cause| json!(cause)));
        put("healthEventCategory", told.category.map(|category| json!(category)));
        put("healthEventType", told.event_type.as_ref().map(|text| json!(text)));
        put("context", told.cause.map(|cause| json!(context(cause))));
        put("category", told.category.map(|category| json!(category)));
        put("resolutionETA", told.resolution_eta.map(|at| json!(stamp_z(at))));
        let down = told.state == AvailabilityState::Unavailable;
        put("rootCauseAttributionTime", down.then(|| json!(stamp_z(self.since))));
        // Documented: said of what is available again after an unplanned time in which it was not.
        let resolved = before.filter(|before| {
            told.state == AvailabilityState::Available
                && before.availability.state == AvailabilityState::Unavailable
                && before.availability.reason_type.as_deref() == Some("Unplanned")
        });
        put(
            "recentlyResolved",
            resolved.map(|before| {
                json!({
                    "unavailableOccuredTime": stamp_z(before.since),
                    "resolvedTime": stamp_z(self.since),
                    "unavailableSummary": before.availability.summary(),
                })
            }),
        );
        put("recommendedActions", call.expands("recommendedactions").then(|| recommended(down)));
        json!({
            "id": format!("{id}/providers/Microsoft.ResourceHealth/availabilityStatuses/{name}"),
            "name": name,
            "type": KIND,
            "location": place,
            "properties": properties,
        })
    }
}

fn context(cause: HealthCause) -> &'static str {
    match cause {
        HealthCause::PlatformInitiated => "Platform Initiated",
        HealthCause::UserInitiated => "Customer Initiated",
    }
}

fn recommended(down: bool) -> Value {
    if !down {
        return json!([]);
    }
    json!([{
        "action": "If you are experiencing problems you believe are caused by Azure, contact support",
        "actionUrl": "<#SupportCase>",
        "actionUrlText": "contact support",
    }])
}

impl State {
    /// Says how a machine fares from now on; says whether there is one.
    pub(crate) fn set_availability(&mut self, machine: &str, availability: Availability, now: Timestamp) -> bool {
        let Some(found) = self.machines.get(&key(machine)).cloned() else { return false };
        let mut statuses = self.health.of(&found);
        let before = statuses.last().map_or(AvailabilityState::Available, |last| last.availability.state);
        let status = Status { availability, since: now };
        statuses.push(status.clone());
        let old = statuses.len().saturating_sub(STATUSES_KEPT);
        statuses.drain(..old);
        self.health.statuses.insert(key(machine), statuses);
        let id = format!("{}/providers/Microsoft.ResourceHealth/availabilityStatuses/current", found.id());
        self.list(&id, Some(Arc::new(StatusRow { machine: found, status, before })), now);
        true
    }
}

/// `GET {resource}/…/availabilityStatuses/current`.
pub(crate) fn current(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let machine = machine_of(state, call)?;
    let statuses = state.health.of(&machine);
    let (before, last) = last_two(&statuses);
    let last = last.cloned().unwrap_or_else(|| untold(&machine));
    Ok(Answer::new(200, last.json(&machine.id(), "current", &machine.location, before, call)))
}

/// `GET {resource}/…/availabilityStatuses`: all statuses, the latest first. *Assumed* (`health-history`): how the past ones
/// are named.
pub(crate) fn history(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let machine = machine_of(state, call)?;
    let statuses = state.health.of(&machine);
    let place = |at: usize| {
        let name = if at + 1 == statuses.len() { "current".to_owned() } else { stamp_z(statuses[at].since) };
        let before = at.checked_sub(1).and_then(|at| statuses.get(at));
        statuses[at].json(&machine.id(), &name, &machine.location, before, call)
    };
    let rows = (0..statuses.len()).rev().map(place).enumerate().map(|(number, row)| (format!("{number:03}"), row));
    Ok(paging::listing(call, rows, state.page_size))
}

/// `GET /subscriptions/{id}/…/availabilityStatuses`.
pub(crate) fn of_subscription(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    all(state, call, None)
}

/// `GET …/resourceGroups/{name}/…/availabilityStatuses`.
pub(crate) fn of_group(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    all(state, call, Some(call.param(1)))
}

/// *Assumed* (`health-filter`): which filters there are no document says, so each is refused.
fn all(state: &State, call: &Call, group: Option<&str>) -> Result<Answer, ArmError> {
    if call.query("$filter").is_some() {
        return Err(invalid_content("No filter of statuses is supported"));
    }
    let rows = super::machines::within(&state.machines, call.param(0), group).map(|(key, machine)| {
        let statuses = state.health.of(&machine);
        let (before, last) = last_two(&statuses);
        let last = last.cloned().unwrap_or_else(|| untold(&machine));
        (key, last.json(&machine.id(), "current", &machine.location, before, call))
    });
    Ok(paging::listing(call, rows, state.page_size))
}

fn last_two(statuses: &[Status]) -> (Option<&Status>, Option<&Status>) {
    (statuses.len().checked_sub(2).and_then(|at| statuses.get(at)), statuses.last())
}

/// The machine that the path names. *Assumed* (`health-unsupported`): the refusal of other types, which really have health
/// in part.
fn machine_of(state: &State, call: &Call) -> Result<Arc<Machine>, ArmError> {
    let at = call.path.to_ascii_lowercase().rfind("/providers/microsoft.resourcehealth/");
    let scope = &call.path[..at.unwrap_or(call.path.len())];
    if let Some(machine) = state.machines.get(&key(scope)) {
        return Ok(machine.clone());
    }
    let kind = ResourceId::parse(scope).map(|id| id.kind()).unwrap_or_default();
    let message = format!("The resource type '{kind}' is not supported.");
    Err(ArmError::new(400, "UnsupportedResourceType", message))
}
