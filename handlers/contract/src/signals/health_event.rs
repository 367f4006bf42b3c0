//! Reads HealthResources events, in Event Grid's schema and as CloudEvents, one or several in a delivery.
//! It never takes `Unavailable` alone for a failure: the event does not say who did it. The annotation, or the next reading of
//! Resource Health, does.

use jiff::Timestamp;
use lifeboat_planning::signal::{About, Origin, Signal, State, Told};
use serde_json::Value;

use super::fields::{field, text, time, word};
use super::reason::{NotCounted, RawBecause};
use super::resource_health::{Cause, cause};
use super::{Known, Reading};
use crate::event_grid::events_of;

/// What the types of these events begin with.
const HEALTH: &str = "microsoft.resourcenotifications.healthresources.";

/// Reads a delivery.
pub(super) fn read(body: &Value, known: &Known, at: Timestamp) -> Reading {
    let events = events_of(body);
    if events.is_empty() {
        return Reading::raw(RawBecause::NotOfThisDoor, body);
    }
    let mut reading = Reading::default();
    for event in events {
        reading.add(one(event, known, at));
    }
    reading
}

fn one(event: &Value, known: &Known, at: Timestamp) -> Reading {
    let Some(kind) = text(event, "eventType").or_else(|| text(event, "type")) else {
        return Reading::raw(RawBecause::NotOfThisDoor, event);
    };
    let kind = kind.to_ascii_lowercase();
    let name = text(event, "subject").unwrap_or("an event");
    if kind.starts_with("microsoft.resourcenotifications.maintenanceresources.") {
        return Reading::uncounted(name, NotCounted::Maintenance);
    }
    let Some(kind) = kind.strip_prefix(HEALTH) else { return Reading::uncounted(name, NotCounted::OtherEvent) };
    let data = field(event, "data").unwrap_or(&Value::Null);
    // The wire says resourceInfo where the models of Microsoft's libraries say resourceDetails.
    let resource = field(data, "resourceInfo").or_else(|| field(data, "resourceDetails")).unwrap_or(&Value::Null);
    let properties = field(resource, "properties").unwrap_or(&Value::Null);
    let state = match state(kind, properties) {
        Ok(state) => state,
        Err(Without::Counting(why)) => return Reading::uncounted(name, why),
        Err(Without::Reading(why)) => return Reading::raw(why, event),
    };
    let Some(id) = text(event, "id") else { return Reading::raw(RawBecause::NoId, event) };
    let Some(machine) = text(properties, "targetResourceId") else { return Reading::raw(RawBecause::NoId, event) };
    let Some(region) = known.machine(machine) else { return Reading::uncounted(machine, NotCounted::UnknownTarget) };
    let occurred = time(properties, "occurredTime");
    let said_at = occurred.or_else(|| time(event, "eventTime")).or_else(|| time(event, "time"));
    let signal = Signal {
        origin: Origin::ResourceHealth,
        region: region.to_owned(),
        about: About::Machine(machine.to_lowercase()),
        state,
        since: occurred,
        said_at: said_at.unwrap_or(at),
        told: Told::Message(id.to_owned()),
    };
    Reading { signals: vec![signal], ..Reading::default() }
}

/// Why an event is no signal.
enum Without {
    Counting(NotCounted),
    Reading(RawBecause),
}

fn state(kind: &str, properties: &Value) -> Result<State, Without> {
    match kind {
        // An older preview wrote the plural.
        "availabilitystatuschanged" | "availabilitystatuseschanged" => {
            match word(properties, "availabilityState").as_deref() {
                Some("available") => Ok(State::Well),
                Some("unavailable") => Ok(State::Unavailable),
                Some("degraded") => Err(Without::Counting(NotCounted::Degraded)),
                Some("unknown") => Err(Without::Counting(NotCounted::HealthUnknown)),
                _ => Err(Without::Reading(RawBecause::UnknownState)),
            }
        }
        "resourceannotated" => match cause(properties) {
            Cause::Platform => Ok(State::PlatformFault),
            Cause::User => Err(Without::Counting(NotCounted::UserInitiated)),
            Cause::Planned => Err(Without::Counting(NotCounted::Maintenance)),
            Cause::Untold => Err(Without::Counting(NotCounted::CauseUnknown)),
        },
        _ => Err(Without::Counting(NotCounted::OtherEvent)),
    }
}
