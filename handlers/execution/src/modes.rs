//! Modes that persons ordered for policies, beside what their documents say. The order holds until another one takes it back.
//! It never decides what a mode means, and without its record, or with one that cannot be read, nothing is followed.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use lifeboat_azure::blobs::Store;
use lifeboat_planning::policy::Mode;
use serde::{Deserialize, Serialize};

use crate::policies::InForce;
use crate::swap::{self, Change, SwapError};

/// The version of [`Modes`] that this release writes.
pub const VERSION: u32 = 1;
/// The record's blob.
pub const BLOB: &str = "policies/modes.json";

/// Which policies are followed in another mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Modes {
    /// Version of the record.
    pub version: u32,
    /// By the policy's name.
    pub modes: BTreeMap<String, Ordered>,
    /// When the orders for policies that are followed as written again were taken back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lifted: BTreeMap<String, Timestamp>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ordered {
    /// True when the policy's plans are performed, false when they are only told.
    pub enforce: bool,
    /// When it was ordered.
    pub at: Timestamp,
    /// Object id of the person.
    pub by: String,
}

/// The policies as they are followed: in the modes that were ordered.
pub async fn apply(store: &Store, read: Arc<InForce>) -> Result<Arc<InForce>, SwapError> {
    let Some(ordered) = swap::read::<Modes>(store, BLOB, VERSION).await? else { return Ok(read) };
    let mode_of =
        |name: &str| ordered.modes.get(name).map(|ordered| if ordered.enforce { Mode::Enforce } else { Mode::Report });
    if read.policies.iter().all(|policy| mode_of(&policy.name).is_none_or(|mode| mode == policy.mode)) {
        return Ok(read);
    }
    let mut changed = InForce::clone(&read);
    for policy in &mut changed.policies {
        if let Some(mode) = mode_of(&policy.name) {
            policy.mode = mode;
        }
    }
    Ok(Arc::new(changed))
}

/// Orders a mode for a policy, by an order taken at that moment, or takes the order back where there is none. Orders for policies that are
/// gone leave with it. An order that was taken after this one stands, and its moment is the error.
pub async fn set(
    store: &Store,
    in_force: &InForce,
    policy: &str,
    ordered: Option<Ordered>,
    taken_at: Timestamp,
) -> Result<Result<(), Timestamp>, SwapError> {
    swap::swap(store, BLOB, VERSION, |known: Option<Modes>| {
        let none = || Modes { version: VERSION, modes: BTreeMap::new(), lifted: BTreeMap::new() };
        let mut record = known.unwrap_or_else(none);
        let last = record.modes.get(policy).map(|ordered| ordered.at).max(record.lifted.get(policy).copied());
        if let Some(later) = last.filter(|at| *at > taken_at) {
            return Change::Leave(Err(later));
        }
        let is_there = |name: &String| in_force.policies.iter().any(|policy| policy.name == *name);
        record.modes.retain(|name, _| is_there(name));
        record.lifted.retain(|name, _| is_there(name));
        match &ordered {
            Some(ordered) => {
                record.modes.insert(policy.to_owned(), ordered.clone());
                record.lifted.remove(policy);
            }
            None => {
                record.modes.remove(policy);
                record.lifted.insert(policy.to_owned(), taken_at);
            }
        }
        Change::Write(record, Ok(()))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../golden/modes-v1.json");
        let modes: Modes = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
        let written: serde_json::Value = serde_json::to_value(&modes).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
    }
}
