//! What is believed about subscriptions, resource groups, networks, public addresses, locks and permissions.
//!
//! It never decides anything.

use super::{
    Entry,
    Grade::{Documented, Recorded},
    entry,
};

/// The entries.
pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "subscription-list",
        Documented,
        "`value[]` with `subscriptionId`, `displayName`, `state`, `tenantId`",
        "subscriptions.json",
    ),
    entry(
        "subscription-get",
        Documented,
        "one subscription, with `state` `Enabled` where it may be used",
        "subscriptions.json",
    ),
    entry(
        "subscription-locations",
        Documented,
        "`value[]` with `metadata.pairedRegion[]` and `availabilityZoneMappings[]`",
        "subscriptions.json",
    ),
    entry("group-list", Documented, "`value[]` of groups, paged", "resources.json"),
    entry("group-get", Recorded, "a group with its location, tags and `provisioningState`", "restore_point.jsonl"),
    entry(
        "group-put",
        Documented,
        "200 or 201 at once; a second PUT replaces the tags, another location is a conflict",
        "resources.json",
    ),
    entry(
        "network-get",
        Recorded,
        "a virtual network with its region, asked at api-version 2022-01-01; one that is not there is 404 `ResourceNotFound`; no document of it is at hand, and nothing else of it is read",
        "siterecovery_A2A_scenarios.jsonl 30 and 33 to 35; siterecovery_V2A_RCMInMage_scenarios.jsonl 3 and 5; the 404 (at 2024-03-01): restore_point.jsonl 11",
    ),
    entry(
        "address-get",
        Recorded,
        "a public address with its region, its `ipAddress` where it has one, the name that leads to it under `dnsSettings`, and the configuration that holds it",
        "restore_point.jsonl 19 and gallery_e2e.jsonl 27 (at 2022-01-01, without a name); the name: publicIpAddress OpenAPI, PublicIpAddressListAll",
    ),
    entry(
        "address-list",
        Documented,
        "all public addresses of a subscription, paged, as they are read one by one",
        "publicIpAddress OpenAPI, PublicIPAddresses_ListAll",
    ),
    entry(
        "lock-list",
        Documented,
        "the locks of a scope with `level`; a lock's id begins with what it stands on, and locks are inherited",
        "locks.json; Learn, locking resources",
    ),
    entry(
        "lock-levels",
        Documented,
        "`ReadOnly` forbids every change in its scope, orders by POST among them, for everybody; `CanNotDelete` forbids deletes alone",
        "locks.json, LockLevel; Learn, locking resources: considerations before applying locks (a machine can be neither started nor restarted under a read-only lock)",
    ),
    entry(
        "permission-list",
        Documented,
        "the caller's own rights, an entry for each role: `actions`, `notActions`",
        "authorization-RoleDefinitionsCalls.json",
    ),
    entry(
        "permission-patterns",
        Documented,
        "`*` in a pattern stands for anything; an entry allows its actions less its notActions, and entries add up",
        "Learn, role definitions",
    ),
];
