//! What the Authorization provider answers: locks and permissions, at each scope that they can hang on.
//! It never answers anything itself.

use super::super::charges::Spend;
use super::super::{locks, permissions};
use super::{Route, Service, route};

static LOCKS: Service = Service { kind: "locks", versions: &["2020-05-01"] };
static PERMISSIONS: Service = Service { kind: "permissions", versions: &["2022-04-01"] };

const SUBSCRIPTION_LOCKS: &str = "/subscriptions/{}/providers/Microsoft.Authorization/locks";
const SUBSCRIPTION_LOCK: &str = "/subscriptions/{}/providers/Microsoft.Authorization/locks/{}";
const GROUP_LOCKS: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Authorization/locks";
const GROUP_LOCK: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Authorization/locks/{}";
const GROUP_PERMISSIONS: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Authorization/permissions";
const RESOURCE_LOCKS: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/{}/{}/{}/providers/Microsoft.Authorization/locks";
const RESOURCE_LOCK: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/{}/{}/{}/providers/Microsoft.Authorization/locks/{}";
const RESOURCE_PERMISSIONS: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/{}/{}/{}/providers/Microsoft.Authorization/permissions";
const CHILD_LOCKS: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/{}/{}/{}/{}/{}/providers/Microsoft.Authorization/locks";
const CHILD_LOCK: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/{}/{}/{}/{}/{}/providers/Microsoft.Authorization/locks/{}";
const CHILD_PERMISSIONS: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/{}/{}/{}/{}/{}/providers/Microsoft.Authorization/permissions";

/// The routes.
pub(super) static ROUTES: &[Route] = &[
    route(
        "GET",
        SUBSCRIPTION_LOCKS,
        "Microsoft.Authorization/locks/read",
        &LOCKS,
        Spend::Nothing,
        locks::list,
        "lock-list",
    ),
    route(
        "GET",
        SUBSCRIPTION_LOCK,
        "Microsoft.Authorization/locks/read",
        &LOCKS,
        Spend::Nothing,
        locks::get,
        "lock-get",
    ),
    route(
        "PUT",
        SUBSCRIPTION_LOCK,
        "Microsoft.Authorization/locks/write",
        &LOCKS,
        Spend::Nothing,
        locks::put,
        "lock-put",
    ),
    route(
        "DELETE",
        SUBSCRIPTION_LOCK,
        "Microsoft.Authorization/locks/delete",
        &LOCKS,
        Spend::Nothing,
        locks::delete,
        "lock-delete",
    ),
    route("GET", GROUP_LOCKS, "Microsoft.Authorization/locks/read", &LOCKS, Spend::Nothing, locks::list, "lock-list"),
    route("GET", GROUP_LOCK, "Microsoft.Authorization/locks/read", &LOCKS, Spend::Nothing, locks::get, "lock-get"),
    route("PUT", GROUP_LOCK, "Microsoft.Authorization/locks/write", &LOCKS, Spend::Nothing, locks::put, "lock-put"),
    route(
        "DELETE",
        GROUP_LOCK,
        "Microsoft.Authorization/locks/delete",
        &LOCKS,
        Spend::Nothing,
        locks::delete,
        "lock-delete",
    ),
    route(
        "GET",
        RESOURCE_LOCKS,
        "Microsoft.Authorization/locks/read",
        &LOCKS,
        Spend::Nothing,
        locks::list,
        "lock-list",
    ),
    route("GET", RESOURCE_LOCK, "Microsoft.Authorization/locks/read", &LOCKS, Spend::Nothing, locks::get, "lock-get"),
    route("PUT", RESOURCE_LOCK, "Microsoft.Authorization/locks/write", &LOCKS, Spend::Nothing, locks::put, "lock-put"),
    route(
        "DELETE",
        RESOURCE_LOCK,
        "Microsoft.Authorization/locks/delete",
        &LOCKS,
        Spend::Nothing,
        locks::delete,
        "lock-delete",
    ),
    route("GET", CHILD_LOCKS, "Microsoft.Authorization/locks/read", &LOCKS, Spend::Nothing, locks::list, "lock-list"),
    route("GET", CHILD_LOCK, "Microsoft.Authorization/locks/read", &LOCKS, Spend::Nothing, locks::get, "lock-get"),
    route("PUT", CHILD_LOCK, "Microsoft.Authorization/locks/write", &LOCKS, Spend::Nothing, locks::put, "lock-put"),
    route(
        "DELETE",
        CHILD_LOCK,
        "Microsoft.Authorization/locks/delete",
        &LOCKS,
        Spend::Nothing,
        locks::delete,
        "lock-delete",
    ),
    route(
        "GET",
        GROUP_PERMISSIONS,
        "Microsoft.Authorization/permissions/read",
        &PERMISSIONS,
        Spend::Nothing,
        permissions::list,
        "permission-list",
    ),
    route(
        "GET",
        RESOURCE_PERMISSIONS,
        "Microsoft.Authorization/permissions/read",
        &PERMISSIONS,
        Spend::Nothing,
        permissions::list,
        "permission-list",
    ),
    route(
        "GET",
        CHILD_PERMISSIONS,
        "Microsoft.Authorization/permissions/read",
        &PERMISSIONS,
        Spend::Nothing,
        permissions::list,
        "permission-list",
    ),
];
