//! Reads what Resource Health answered: `{"events": …, "availabilityStatuses": …}`, each an answer or a list of its pages.
//! It never takes an answer for whole that has a next page, and never an incident that is not listed for one that is over.
//!
//! The state is each region's own `status`, else the event's; never the presence of a time of mitigation.

use jiff::Timestamp;
use lifeboat_planning::signal::{About, Origin, Signal, State, Told};
use serde_json::Value;

use super::fields::{field, is_marked, items, text, time, word};
use super::known::folded;
use super::reason::{NotCounted, RawBecause};
use super::resource_health::{Cause, cause};
use super::service_health::{Said, is_test_id, one};
use super::{Known, Reading};

/// Where a status' own part of its id begins.
const STATUS_PART: &str = "/providers/microsoft.resourcehealth/";
/// The type of what counts, as its id has it.
const MACHINE_PART: &str = "/providers/microsoft.compute/virtualmachines/";

/// Reads the body.
pub(super) fn read(body: &Value, known: &Known, at: Timestamp) -> Reading {
    let (events, statuses) = (field(body, "events"), field(body, "availabilityStatuses"));
    if events.is_none() && statuses.is_none() {
        return Reading::raw(RawBecause::NotOfThisDoor, body);
    }
    let mut reading = Reading::default();
    let events = part("events", events, &mut reading, &mut |item| event(item, known, at));
    let statuses = part("availabilityStatuses", statuses, &mut reading, &mut |item| status(item, at));
    reading.whole = events && statuses;
    reading
}

/// Reads one part; true when it was answered to its last page.
fn part(name: &str, answers: Option<&Value>, reading: &mut Reading, read: &mut dyn FnMut(&Value) -> Reading) -> bool {
    let pages: &[Value] = match answers {
        Some(Value::Array(pages)) => pages,
        Some(page) => std::slice::from_ref(page),
        None => &[],
    };
    let answered = |page: &Value| field(page, "value").is_some_and(Value::is_array);
    let ended = pages.last().is_some_and(|page| text(page, "nextLink").is_none());
    for page in pages {
        items(page, "value").iter().for_each(|item| reading.add(read(item)));
    }
    let whole = ended && pages.iter().all(answered);
    if !whole {
        reading.add(Reading::uncounted(name, NotCounted::NotAnswered));
    }
    whole
}

fn event(item: &Value, known: &Known, at: Timestamp) -> Reading {
    let Some(tracking_id) = text(item, "name") else { return Reading::raw(RawBecause::NoId, item) };
    let properties = field(item, "properties").unwrap_or(&Value::Null);
    if is_test_id(tracking_id) || is_marked(properties, "isSynthetic") {
        return Reading::uncounted(tracking_id, NotCounted::Test);
    }
    let without = |why| Reading::uncounted(tracking_id, why);
    match word(properties, "eventType").as_deref() {
        Some("serviceissue") => {}
        Some("plannedmaintenance") => return without(NotCounted::Maintenance),
        Some("healthadvisory" | "emergingissues") => return without(NotCounted::Advisory),
        Some("securityadvisory") => return without(NotCounted::Security),
        Some("rca") => return without(NotCounted::Rca),
        Some("billing") => return without(NotCounted::Advisory),
        _ => return Reading::raw(RawBecause::UnknownKind, item),
    }
    let low = matches!(word(properties, "level").as_deref(), Some("informational" | "information"));
    let whole = state_of(properties);
    let changed = time(properties, "lastUpdateTime");
    let mut reading = Reading::default();
    for impact in items(properties, "impact") {
        for region in items(impact, "impactedRegions") {
            let Some(state) = state_of(region).or(whole) else {
                return Reading::raw(RawBecause::UnknownState, item);
            };
            let name = text(region, "impactedRegion").unwrap_or_default();
            if low && state == State::Failing {
                reading.add(without(NotCounted::LowLevel));
                continue;
            }
            let said_at = time(region, "lastUpdateTime").max(changed).unwrap_or(at);
            let since = time(properties, "impactStartTime");
            let said = Said { tracking_id, state, since, said_at: said_at.min(at), told: Told::Reading };
            reading.add(one(&said, text(impact, "impactedService").unwrap_or_default(), name, known));
        }
    }
    let nothing = reading.signals.is_empty() && reading.uncounted.is_empty();
    if nothing { without(NotCounted::UnknownRegion) } else { reading }
}

fn state_of(value: &Value) -> Option<State> {
    match word(value, "status")?.as_str() {
        "active" => Some(State::Failing),
        "resolved" => Some(State::Well),
        _ => None,
    }
}

fn status(item: &Value, at: Timestamp) -> Reading {
    let Some(id) = text(item, "id").map(str::to_lowercase) else { return Reading::raw(RawBecause::NoId, item) };
    let machine = id.rfind(STATUS_PART).and_then(|end| id.get(..end)).unwrap_or(&id);
    if !machine.contains(MACHINE_PART) {
        return Reading::uncounted(machine, NotCounted::NotAMachine);
    }
    let region = text(item, "location").map(folded).unwrap_or_default();
    if region.is_empty() {
        return Reading::uncounted(machine, NotCounted::UnknownRegion);
    }
    let properties = field(item, "properties").unwrap_or(&Value::Null);
    let mut reading = match word(properties, "availabilityState").as_deref() {
        Some("available") => signal(machine, &region, properties, State::Well, at),
        Some("unavailable") => match cause(properties) {
            Cause::Platform => signal(machine, &region, properties, State::Failing, at),
            Cause::User => excused(machine, &region, properties, NotCounted::UserInitiated, at),
            Cause::Planned => excused(machine, &region, properties, NotCounted::Maintenance, at),
            Cause::Untold => signal(machine, &region, properties, State::Unavailable, at),
        },
        Some("degraded") => Reading::uncounted(machine, NotCounted::Degraded),
        Some("unknown") => Reading::uncounted(machine, NotCounted::HealthUnknown),
        _ => Reading::raw(RawBecause::UnknownState, item),
    };
    reading.machines.push((machine.to_owned(), region));
    reading
}

/// Does not count, and neither does what was said of the machine before: who fails and is then stopped is stopped.
fn excused(machine: &str, region: &str, properties: &Value, why: NotCounted, at: Timestamp) -> Reading {
    let mut reading = signal(machine, region, properties, State::Excused, at);
    reading.add(Reading::uncounted(machine, why));
    reading
}

fn signal(machine: &str, region: &str, properties: &Value, state: State, at: Timestamp) -> Reading {
    // The document writes it with one r.
    let occurred = time(properties, "occuredTime").or_else(|| time(properties, "occurredTime"));
    let signal = Signal {
        origin: Origin::ResourceHealth,
        region: region.to_owned(),
        about: About::Machine(machine.to_owned()),
        state,
        since: occurred,
        said_at: occurred.unwrap_or(at).min(at),
        told: Told::Reading,
    };
    Reading { signals: vec![signal], ..Reading::default() }
}
