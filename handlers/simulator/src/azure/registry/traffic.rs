//! What the network provider answers of Traffic Manager.
//! It never answers anything itself.

use super::super::charges::Spend;
use super::super::traffic::{calls, endpoint_calls};
use super::{Route, Service, route};

static PROFILES: Service = Service { kind: "trafficManagerProfiles", versions: &["2022-04-01"] };

const OF_SUBSCRIPTION: &str = "/subscriptions/{}/providers/Microsoft.Network/trafficManagerProfiles";
const OF_GROUP: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/trafficManagerProfiles";
const PROFILE: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/trafficManagerProfiles/{}";
const ENDPOINT: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/trafficManagerProfiles/{}/{}/{}";
const NAME: &str = "/providers/Microsoft.Network/checkTrafficManagerNameAvailability";

const READ: &str = "Microsoft.Network/trafficManagerProfiles/read";
const WRITE: &str = "Microsoft.Network/trafficManagerProfiles/write";

/// The routes. *Assumed* (`tm-sim-actions`): an endpoint is read and written under one right for all kinds.
pub(super) static ROUTES: &[Route] = &[
    route("GET", OF_SUBSCRIPTION, READ, &PROFILES, Spend::Nothing, calls::list_all, "tm-sim-list"),
    route("GET", OF_GROUP, READ, &PROFILES, Spend::Nothing, calls::list_in_group, "tm-sim-list"),
    route("GET", PROFILE, READ, &PROFILES, Spend::Nothing, calls::get, "tm-sim-profile"),
    route("PUT", PROFILE, WRITE, &PROFILES, Spend::Nothing, calls::put, "tm-sim-profile"),
    route("PATCH", PROFILE, WRITE, &PROFILES, Spend::Nothing, calls::patch, "tm-sim-patch"),
    route(
        "DELETE",
        PROFILE,
        "Microsoft.Network/trafficManagerProfiles/delete",
        &PROFILES,
        Spend::Nothing,
        calls::delete,
        "tm-sim-delete",
    ),
    route(
        "GET",
        ENDPOINT,
        "Microsoft.Network/trafficManagerProfiles/externalEndpoints/read",
        &PROFILES,
        Spend::Nothing,
        endpoint_calls::get,
        "tm-sim-endpoint",
    ),
    route(
        "PUT",
        ENDPOINT,
        "Microsoft.Network/trafficManagerProfiles/externalEndpoints/write",
        &PROFILES,
        Spend::Nothing,
        endpoint_calls::put,
        "tm-sim-endpoint",
    ),
    route(
        "PATCH",
        ENDPOINT,
        "Microsoft.Network/trafficManagerProfiles/externalEndpoints/write",
        &PROFILES,
        Spend::Nothing,
        endpoint_calls::patch,
        "tm-sim-patch",
    ),
    route(
        "DELETE",
        ENDPOINT,
        "Microsoft.Network/trafficManagerProfiles/externalEndpoints/delete",
        &PROFILES,
        Spend::Nothing,
        endpoint_calls::delete,
        "tm-sim-delete",
    ),
    route(
        "POST",
        NAME,
        "Microsoft.Network/checkTrafficManagerNameAvailability/action",
        &PROFILES,
        Spend::Nothing,
        calls::check_name,
        "tm-sim-name",
    ),
];
