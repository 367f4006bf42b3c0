//! Site Recovery between two regions of Azure: what is set up for it, replicated machines, their points, and failover.
//! It never fails over by itself, and never touches the old machine of a failover but where it is told to protect the other way.
//!
//! ```text
//! PUT ──7 min──► InitialReplicationInProgress ──► …RecoveryCompletionPending ──► Protected ──┐
//!   Protected ──unplannedFailover──► UnplannedFailoverCommitPending ──failoverCommit──► …Committed
//!   …Committed ──switchprotection, 8.4 min──► InitialReplicationInProgress under the other fabric; the old machine is deleted
//! ```

mod control;
mod denials;
pub(crate) mod failover;
mod item_body;
pub(crate) mod item_calls;
mod items;
pub(crate) mod jobs;
pub(crate) mod operations;
pub(crate) mod plans;
pub(crate) mod points;
pub(crate) mod set_up;
mod steps;
pub(crate) mod switching;
pub(crate) mod target_sizes;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::call::Call;
use super::ids::key;
use super::regions;
use super::state::State;

use self::items::Replica;
use self::operations::Operation;

pub(crate) use self::denials::RecoveryDenial;
pub(crate) use self::steps::{RecoveryStep, happen};

pub use self::control::{ReplicaSeed, ReplicaView};

/// What follows a vault's id in the ids of everything here. Ids begin with a capital letter (recorded).
const VAULTS: &str = "providers/Microsoft.RecoveryServices/vaults";
/// What all types here begin with.
const KIND: &str = "Microsoft.RecoveryServices/vaults";

/// All that Site Recovery knows, over all vaults.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recovery {
    /// Fabrics, containers, policies, mappings and plans by key, each as `GET` answers it but for what follows from others.
    things: BTreeMap<String, Value>,
    items: BTreeMap<String, Replica>,
    operations: BTreeMap<String, Operation>,
    /// Regions that are lost: their machines replicate no more.
    lost: BTreeSet<String>,
}

impl Recovery {
    /// Says that a region is lost, or no longer.
    pub(crate) fn set_lost(&mut self, region: &str, lost: bool) {
        let region = region.to_ascii_lowercase();
        if lost {
            self.lost.insert(region)
        } else {
            self.lost.remove(&region)
        };
    }

    /// Regions that are lost.
    pub(crate) fn lost_regions(&self) -> &BTreeSet<String> {
        &self.lost
    }

    /// Takes over operations that another state started: for writes that are acknowledged and dropped.
    pub(crate) fn adopt(&mut self, other: &Self) {
        for (name, operation) in &other.operations {
            self.operations.entry(name.clone()).or_insert_with(|| operation.without_effect());
        }
    }

    /// Takes away what stands in a group, or in a vault.
    pub(crate) fn forget_below(&mut self, within: &str) {
        self.things.retain(|id, _| !id.starts_with(within));
        self.items.retain(|id, _| !id.starts_with(within));
    }

    /// A property of a thing.
    fn property(&self, id: &str, pointer: &str) -> Option<&str> {
        self.things.get(&key(id))?.pointer(pointer)?.as_str()
    }

    /// What a fabric is called: its region, as people read it.
    fn friendly(&self, id: &str) -> String {
        self.property(id, "/properties/friendlyName").unwrap_or_else(|| last(id)).to_owned()
    }
}

/// The id of what a call is about, as Site Recovery writes it (recorded).
fn own_id(call: &Call, below: &str) -> String {
    let (subscription, group, vault) = (call.param(0), call.param(1), call.param(2));
    format!("/Subscriptions/{subscription}/resourceGroups/{group}/{VAULTS}/{vault}{below}")
}

/// The part of a call's path that lies below its vault, with its own casing.
fn below_vault(call: &Call) -> &str {
    let end = call.path.match_indices('/').nth(8).map_or(call.path.len(), |(at, _)| at);
    &call.path[end..]
}

/// The id without its last so many parts.
fn above(id: &str, parts: usize) -> &str {
    let end = id.rmatch_indices('/').nth(parts.saturating_sub(1)).map_or(0, |(at, _)| at);
    &id[..end]
}

fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or_default()
}

/// How people read a region.
fn display(location: &str) -> String {
    regions::named(location).map_or_else(|| location.to_owned(), |region| region.display.to_owned())
}

/// Nothing of Site Recovery answers pages here: a list is whole, and says so (recorded).
fn whole_list(value: Vec<Value>) -> Value {
    json!({ "value": value, "nextLink": null })
}

/// A body as a list shows it. *Assumed* (`sr-sim-list-nulls`): no list that is on a tape shows what has nulls elsewhere, and the
/// document has none.
fn listed(body: Value) -> Value {
    match body {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, inner)| !inner.is_null())
            .map(|(name, inner)| (name, listed(inner)))
            .collect(),
        Value::Array(list) => list.into_iter().map(listed).collect(),
        other => other,
    }
}

/// The value of a field of the body's properties.
fn given<'a>(call: &'a Call, name: &str) -> &'a Value {
    call.body.as_ref().map_or(&Value::Null, |body| &body["properties"][name])
}

impl State {
    /// Lets replication go on until now. It is called before anything happens, so that a machine counts as it was.
    pub(crate) fn replicate(&mut self, now: jiff::Timestamp) {
        let Recovery { items, lost, .. } = &mut self.recovery;
        for item in items.values_mut() {
            item.advance(now, &self.machines, lost);
        }
    }
}
