//! What the Resource Health provider answers: statuses of machines, service health events and what those touch.
//! It never answers anything itself.

use super::super::charges::Spend;
use super::super::health;
use super::{Route, Service, route};

static HEALTH: Service = Service { kind: "availabilityStatuses", versions: &["2025-05-01"] };

const EVENTS: &str = "/subscriptions/{}/providers/Microsoft.ResourceHealth/events";
const EVENT: &str = "/subscriptions/{}/providers/Microsoft.ResourceHealth/events/{}";
const IMPACTED: &str = "/subscriptions/{}/providers/Microsoft.ResourceHealth/events/{}/impactedResources";
const IMPACTED_ONE: &str = "/subscriptions/{}/providers/Microsoft.ResourceHealth/events/{}/impactedResources/{}";

/// The routes. *Assumed* (`health-actions`): the actions, of which no source here has a list.
pub(super) static ROUTES: &[Route] = &[
    route(
        "GET",
        "/subscriptions/{}/providers/Microsoft.ResourceHealth/availabilityStatuses",
        "Microsoft.ResourceHealth/AvailabilityStatuses/read",
        &HEALTH,
        Spend::Nothing,
        health::of_subscription,
        "health-list",
    ),
    route(
        "GET",
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.ResourceHealth/availabilityStatuses",
        "Microsoft.ResourceHealth/AvailabilityStatuses/read",
        &HEALTH,
        Spend::Nothing,
        health::of_group,
        "health-list",
    ),
    route(
        "GET",
        "/subscriptions/{}/resourceGroups/{}/providers/{}/{}/{}/providers/Microsoft.ResourceHealth/availabilityStatuses",
        "Microsoft.ResourceHealth/AvailabilityStatuses/read",
        &HEALTH,
        Spend::Nothing,
        health::history,
        "health-history",
    ),
    route(
        "GET",
        "/subscriptions/{}/resourceGroups/{}/providers/{}/{}/{}/providers/Microsoft.ResourceHealth/availabilityStatuses/current",
        "Microsoft.ResourceHealth/AvailabilityStatuses/current/read",
        &HEALTH,
        Spend::Nothing,
        health::current,
        "health-current",
    ),
    route(
        "GET",
        EVENTS,
        "Microsoft.ResourceHealth/events/read",
        &HEALTH,
        Spend::Nothing,
        health::list_events,
        "health-events",
    ),
    route(
        "GET",
        EVENT,
        "Microsoft.ResourceHealth/events/read",
        &HEALTH,
        Spend::Nothing,
        health::get_event,
        "health-events",
    ),
    route(
        "GET",
        IMPACTED,
        "Microsoft.ResourceHealth/impactedResources/read",
        &HEALTH,
        Spend::Nothing,
        health::impacted_resources,
        "health-impacted",
    ),
    route(
        "GET",
        IMPACTED_ONE,
        "Microsoft.ResourceHealth/impactedResources/read",
        &HEALTH,
        Spend::Nothing,
        health::impacted_resource,
        "health-impacted",
    ),
];
