//! What ARM itself answers: subscriptions, their locations, resource groups.
//! It never answers anything itself.

use super::super::charges::Spend;
use super::super::subscriptions;
use super::{Route, Service, route};

static SUBSCRIPTIONS: Service =
    Service { kind: "subscriptions", versions: &["2022-12-01", "2022-09-01", "2021-01-01"] };
static GROUPS: Service = Service { kind: "resourceGroups", versions: &["2025-04-01", "2022-09-01"] };

const GROUP: &str = "/subscriptions/{}/resourceGroups/{}";

/// The routes.
pub(super) static ROUTES: &[Route] = &[
    route(
        "GET",
        "/subscriptions",
        "Microsoft.Resources/subscriptions/read",
        &SUBSCRIPTIONS,
        Spend::Nothing,
        subscriptions::list,
        "subscription-list",
    ),
    route(
        "GET",
        "/subscriptions/{}",
        "Microsoft.Resources/subscriptions/read",
        &SUBSCRIPTIONS,
        Spend::Nothing,
        subscriptions::get,
        "subscription-get",
    ),
    route(
        "GET",
        "/subscriptions/{}/locations",
        "Microsoft.Resources/subscriptions/locations/read",
        &SUBSCRIPTIONS,
        Spend::Nothing,
        subscriptions::locations,
        "subscription-locations",
    ),
    route(
        "GET",
        "/subscriptions/{}/resourceGroups",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        &GROUPS,
        Spend::Nothing,
        subscriptions::list_groups,
        "group-list",
    ),
    route(
        "GET",
        GROUP,
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        &GROUPS,
        Spend::Nothing,
        subscriptions::get_group,
        "group-get",
    ),
    route(
        "PUT",
        GROUP,
        "Microsoft.Resources/subscriptions/resourceGroups/write",
        &GROUPS,
        Spend::Nothing,
        subscriptions::put_group,
        "group-put",
    ),
];
