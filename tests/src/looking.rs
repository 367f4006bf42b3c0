//! Watches somebody who only looks: what they send, and what is in the store before and after.
//! It never asks the product whether it changed anything.

use std::collections::BTreeMap;
use std::future::Future;

use crate::Rig;
use crate::rig::CONTAINER;
use crate::tap::{Call, Service};

/// The questions that Azure has put as a POST, by the end of their paths.
const ASKED_BY_POST: [&str; 3] =
    ["/providers/microsoft.resourcegraph/resources", "/backupstatus", "/backupprevalidateprotection"];

/// What is in the store, by name.
pub type Content = BTreeMap<String, Vec<u8>>;

/// What is in the store now.
pub fn content(rig: &Rig) -> Content {
    let names = rig.blobs.names(CONTAINER).into_iter();
    names.filter_map(|name| rig.blobs.bytes(CONTAINER, &name).map(|bytes| (name, bytes.to_vec()))).collect()
}

/// Does it, and says what it changed: nothing, if all is well.
pub async fn watched<T>(rig: &Rig, work: impl Future<Output = T>) -> (T, Vec<String>) {
    let (before, from) = (content(rig), rig.wire.count());
    let done = work.await;
    let after = content(rig);
    let calls = rig.wire.calls_from(from);
    let mut changes: Vec<String> =
        calls.iter().filter(|call| !asks(call)).map(|call| format!("{} {}", call.method, call.path)).collect();
    let names = before.keys().chain(after.keys());
    let mut other: Vec<&String> = names.filter(|name| before.get(*name) != after.get(*name)).collect();
    other.dedup();
    changes.extend(other.into_iter().map(|name| format!("{name} in the store")));
    (done, changes)
}

fn asks(call: &Call) -> bool {
    let path = call.path.to_ascii_lowercase();
    match (call.service, call.method.as_str()) {
        (Service::Bus, _) => false,
        (Service::Identity, _) | (_, "GET" | "HEAD") => true,
        (Service::Arm, "POST") => ASKED_BY_POST.iter().any(|end| path.ends_with(end)),
        (Service::Arm | Service::Blobs, _) => false,
    }
}
