//! What ARM itself answers: subscriptions, their locations, resource groups; and what Compute says of a subscription as a
//! whole: its usages and the sizes it may have.
//! It never answers anything itself.

use super::super::charges::Spend;
use super::super::{groups, sizes, subscriptions, usages};
use super::{Route, Service, route};

static SUBSCRIPTIONS: Service =
    Service { kind: "subscriptions", versions: &["2022-12-01", "2022-09-01", "2021-01-01"] };
static GROUPS: Service = Service { kind: "resourceGroups", versions: &["2025-04-01", "2022-09-01"] };

static USAGES: Service = Service { kind: "locations/usages", versions: &["2025-04-01"] };
static SKUS: Service = Service { kind: "skus", versions: &["2021-07-01"] };

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
        groups::list,
        "group-list",
    ),
    route(
        "GET",
        GROUP,
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        &GROUPS,
        Spend::Nothing,
        groups::get,
        "group-get",
    ),
    route(
        "PUT",
        GROUP,
        "Microsoft.Resources/subscriptions/resourceGroups/write",
        &GROUPS,
        Spend::Nothing,
        groups::put,
        "group-put",
    ),
    route(
        "HEAD",
        GROUP,
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        &GROUPS,
        Spend::Nothing,
        groups::head,
        "group-head",
    ),
    route(
        "DELETE",
        GROUP,
        "Microsoft.Resources/subscriptions/resourceGroups/delete",
        &GROUPS,
        Spend::Nothing,
        groups::delete,
        "group-delete",
    ),
    route(
        "GET",
        "/subscriptions/{}/operationresults/{}",
        "Microsoft.Resources/subscriptions/operationresults/read",
        &GROUPS,
        Spend::Nothing,
        groups::poll,
        "group-delete",
    ),
    route(
        "GET",
        "/subscriptions/{}/providers/Microsoft.Compute/locations/{}/usages",
        "Microsoft.Compute/locations/usages/read",
        &USAGES,
        Spend::Nothing,
        usages::list,
        "usage-list",
    ),
    route(
        "GET",
        "/subscriptions/{}/providers/Microsoft.Compute/skus",
        "Microsoft.Compute/skus/read",
        &SKUS,
        Spend::Nothing,
        sizes::list,
        "sku-list",
    ),
];
