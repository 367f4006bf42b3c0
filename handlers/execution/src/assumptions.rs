//! What failovers rest on that is assumed, and the standing approvals of it: a named person's, one for each recovery plan.
//! It never takes an approval of another list for one of this: where the list changes, nobody has approved.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lifeboat_azure::blobs::Store;
use lifeboat_azure::evidence;
use lifeboat_planning::declaration::Assumed;
use lifeboat_planning::id::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::swap::{self, Change, SwapError};

/// The version of [`Record`] that this release writes.
pub const VERSION: u32 = 1;

/// The standing approval for a recovery plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Version of the record.
    pub version: u32,
    /// The recovery plan.
    pub recovery_plan: String,
    /// Ids of the entries that were approved of; none where the approval was taken back.
    pub entries: Option<BTreeSet<String>>,
    /// Object id of who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Ids of the entries that a failover of this release rests on.
pub fn entries() -> BTreeSet<String> {
    evidence::assumed_by_failovers().map(|entry| entry.id.to_owned()).collect()
}

/// The digest of that list, SHA-256 in hex over its ids, a line each: what an approval of it names.
pub fn digest() -> String {
    let lines: String = entries().iter().map(|id| format!("{id}\n")).collect();
    hex(&Sha256::digest(lines.as_bytes()))
}

/// What is assumed, and what was approved of.
pub async fn read(store: &Store, plan: &str) -> Result<Assumed, SwapError> {
    let approved = standing(store, plan).await?.and_then(|record| record.entries);
    Ok(Assumed { entries: entries(), approved })
}

/// What a person said last of what a recovery plan's rules rest on; none where nobody ever did.
pub async fn standing(store: &Store, plan: &str) -> Result<Option<Record>, SwapError> {
    swap::read(store, &blob_name(plan), VERSION).await
}

/// In words: what the rules rest on, by its digest, and who approved of it.
pub fn told(standing: Option<&Record>) -> String {
    let (entries, digest) = (entries(), digest());
    let rests = format!("rests on {} assumed behaviours (`lifeboat evidence`; digest {digest})", entries.len());
    match standing.filter(|record| record.entries.as_ref() == Some(&entries)) {
        Some(record) => format!("{rests}, approved of by {} at {}", record.by, record.at),
        None => format!("{rests}, which nobody approved of: the rules ask a person"),
    }
}

/// Approves of the list as it is now, or takes that back, by an order taken at that moment. A repeat is safe; an order that was taken after
/// this one stands, and its moment is the error.
pub async fn set(
    store: &Store,
    plan: &str,
    approves: bool,
    by: &str,
    taken_at: Timestamp,
) -> Result<Result<(), Timestamp>, SwapError> {
    let record = Record {
        version: VERSION,
        recovery_plan: plan.to_owned(),
        entries: approves.then(entries),
        by: by.to_owned(),
        at: taken_at,
    };
    swap::swap(store, &blob_name(plan), VERSION, |known: Option<Record>| match known {
        Some(later) if later.at > taken_at => Change::Leave(Err(later.at)),
        _ => Change::Write(record.clone(), Ok(())),
    })
    .await
}

fn blob_name(plan: &str) -> String {
    format!("orders/assumptions/{plan}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../golden/assumptions-v1.json");
        let record: Record = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
        assert_eq!(record.entries.as_ref().map(BTreeSet::len), Some(2));
        let written: serde_json::Value = serde_json::to_value(&record).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
    }

    #[test]
    fn the_list_holds_what_a_failover_is_declared_by_and_what_it_does() {
        let entries = entries();
        for id in ["failover-once", "replica-states-between", "vm-act-again"] {
            assert!(entries.contains(id), "{id}");
        }
        assert_eq!(digest().len(), 64);
    }
}
