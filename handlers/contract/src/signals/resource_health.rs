//! Reads Resource Health's word on one machine: alerts, and with them the causes that its other forms tell.
//! It never counts what a user did, and never takes *degraded* or *unknown* for unavailable.

use lifeboat_planning::signal::{About, Origin, Signal, State, Told};
use serde_json::Value;

use super::alert::Alert;
use super::fields::{text, texts, time, word};
use super::reason::{NotCounted, RawBecause};
use super::{Known, Reading};

/// Who is to blame, as far as counting goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The platform, and nobody planned it.
    Platform,
    /// A user, or the machine itself.
    User,
    /// The platform, as planned.
    Planned,
    /// Not told.
    Untold,
}

/// Who is to blame, by the words of any of the forms. A category counts only beside the platform's own blame, and then it has to be
/// unplanned: where Azure leaves the word out, as alerts do, the blame is enough.
pub(super) fn cause(properties: &Value) -> Cause {
    let any = |names: &[&str], wanted: &[&str]| {
        names.iter().filter_map(|name| word(properties, name)).any(|word| wanted.contains(&word.as_str()))
    };
    let blame = &["cause", "healthEventCause", "context", "reasonType"];
    let category = &["category", "healthEventCategory"];
    if any(blame, &["userinitiated", "customerinitiated", "vminitiated"]) {
        Cause::User
    } else if any(&["reasonType"], &["planned"]) || any(category, &["planned"]) {
        Cause::Planned
    } else if any(category, &["notapplicable", "unknown"]) {
        Cause::Untold
    } else if any(blame, &["platforminitiated", "unplanned", "outage"]) {
        Cause::Platform
    } else {
        Cause::Untold
    }
}

/// Reads an alert.
pub(super) fn read(alert: &Alert<'_>, known: &Known) -> Reading {
    let properties = alert.properties;
    let target = texts(alert.essentials, "alertTargetIDs").into_iter().find_map(|id| Some((id, known.machine(id)?)));
    let name = texts(alert.essentials, "alertTargetIDs").first().copied().unwrap_or_else(|| alert.name());
    let health = word(properties, "currentHealthStatus").or_else(|| word(properties, "healthStatus"));
    let state = match health.as_deref() {
        Some("available") => State::Well,
        Some("unavailable") => match cause(properties) {
            Cause::Platform => State::Failing,
            Cause::User => return Reading::uncounted(name, NotCounted::UserInitiated),
            Cause::Planned => return Reading::uncounted(name, NotCounted::Maintenance),
            Cause::Untold => State::Unavailable,
        },
        Some("degraded") => return Reading::uncounted(name, NotCounted::Degraded),
        Some("unknown") => return Reading::uncounted(name, NotCounted::HealthUnknown),
        _ => return Reading::raw(RawBecause::UnknownState, alert.body),
    };
    let Some((machine, region)) = target else { return Reading::uncounted(name, NotCounted::UnknownTarget) };
    let id = text(alert.context, "eventDataId").or_else(|| text(alert.essentials, "alertId"));
    let Some(id) = id else { return Reading::raw(RawBecause::NoId, alert.body) };
    let said_at = time(alert.context, "eventTimestamp").or_else(|| time(alert.essentials, "firedDateTime"));
    let signal = Signal {
        origin: Origin::ResourceHealth,
        region: region.to_owned(),
        about: About::Machine(machine.to_lowercase()),
        state,
        since: said_at,
        said_at: said_at.unwrap_or(alert.at),
        told: Told::Message(id.to_owned()),
    };
    Reading { signals: vec![signal], ..Reading::default() }
}
