//! Beliefs about Azure that only tests rest on: what a stand-in for Traffic Manager answers.
//!
//! No call of this crate rests on one of these alone.

use super::super::{
    Entry,
    Grade::{Assumed, Documented, Recorded},
    entry,
};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "tm-sim-list",
        Recorded,
        "profiles are listed by group in one page; by subscription as the document says",
        "network_traffic_manager.jsonl 5",
    ),
    entry(
        "tm-sim-profile",
        Recorded,
        "PUT of a profile is 201, then 200; without endpoints it is `Inactive`, with a new one `CheckingEndpoints`",
        "network_traffic_manager.jsonl 2 to 4, 10; network_traffic_manager2.jsonl 1 to 3",
    ),
    entry(
        "tm-sim-endpoint",
        Recorded,
        "PUT of an endpoint is 201, an update too; new it is `CheckingEndpoint`, always served `Unmonitored`; its kind is taken in any case",
        "network_traffic_manager.jsonl 6 to 9; network_traffic_manager_always_serve.jsonl 2 to 4",
    ),
    entry(
        "tm-sim-patch",
        Documented,
        "PATCH of a profile and of an endpoint is 200 with the whole of it; what is left out stays",
        "trafficmanager OpenAPI, Endpoint-PATCH-External-Target",
    ),
    entry(
        "tm-sim-delete",
        Recorded,
        "DELETE of an endpoint and of a profile is 200 without a body",
        "network_traffic_manager.jsonl 14 and 16",
    ),
    entry("tm-sim-name", Recorded, "whether a DNS name is free", "network_traffic_manager.jsonl 1"),
    entry(
        "tm-sim-first-probe",
        Assumed,
        "the first probe is made an interval after enabling, and a new endpoint tolerates as many failures as a good one",
        "Learn gives the interval, the time-out and the failures, not the beginning",
    ),
    entry(
        "tm-sim-profile-status",
        Assumed,
        "a profile whose endpoints are all unmonitored is online",
        "Learn's table of states does not have the case",
    ),
    entry(
        "tm-sim-put-endpoints",
        Assumed,
        "PUT of a profile without an endpoint takes it away",
        "PUT replaces; the tapes send all endpoints again",
    ),
    entry(
        "tm-sim-target",
        Assumed,
        "the address of a resource that an endpoint names",
        "recorded is that it is told, not how it follows from the resource",
    ),
    entry(
        "tm-sim-refusals",
        Assumed,
        "codes and wordings of refusals: priorities and names are unique",
        "Learn has the rules without their codes",
    ),
    entry(
        "tm-sim-nested",
        Assumed,
        "nested endpoints are refused by the stand-in, because it does not have them",
        "Azure takes them; nothing here uses them",
    ),
    entry(
        "tm-sim-actions",
        Assumed,
        "an endpoint of any kind is read, written and deleted under the right of external ones",
        "the provider has one action for each kind",
    ),
];
