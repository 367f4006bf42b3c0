//! Which machines are known in a region: the fleet that a share is counted of, and whose health messages are understood.
//! It never takes a fleet that could not be read for a small one, and forgets none because Azure does not answer.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::blobs::Store;
use lifeboat_azure::graph::{self, MachineRow};
use lifeboat_planning::policy::Reach;
use lifeboat_planning::policy::reach;
use lifeboat_planning::recovery::RecoveryPlan;
use serde::{Deserialize, Serialize};

use super::FOLDER;
use crate::lifeboat::Lifeboat;
use crate::observe::row_attributes;
use crate::swap::{self, Change, SwapError};

/// The version of [`Fleet`] that this release writes.
pub const VERSION: u32 = 1;
/// How old what is known of a fleet may be before it is asked again: machines come and go slower than this, and Resource Graph's
/// budget is the sweeps'.
pub const FRESH_FOR: SignedDuration = SignedDuration::from_mins(10);
/// Machines named of a fleet: some 180 bytes each, and a blob is written at once up to 4 MiB. All are counted; of one that is not
/// named the messages do not count, and the reading of Resource Health does.
pub const NAMED_MAX: usize = 15_000;
/// The size of a fleet that is not known: larger than any estate, so that no share of it is large.
pub const UNKNOWN: u64 = 1_000_000;
/// Names of a recovery plan's members that are kept, to know them on the other side: a recovery plan of Azure's has at most 100.
pub const MEMBERS_MAX: usize = 1_000;

/// The machines of one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fleet {
    /// Version of the record.
    pub version: u32,
    /// The region.
    pub region: String,
    /// When Resource Graph said so.
    pub at: Timestamp,
    /// How many there are.
    pub machines: u64,
    /// Their ARM ids in lower case, as far as they are named.
    pub named: Vec<String>,
    /// The names of each recovery plan's members in the region, in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<String, Vec<String>>,
}

/// The blob of a region's fleet.
pub fn blob_name(region: &str) -> String {
    format!("{FOLDER}{region}-fleet.json")
}

/// What is known of a region's fleet; none where it was never read.
pub async fn read(store: &Store, region: &str) -> Result<Option<Fleet>, SwapError> {
    swap::read(store, &blob_name(region), VERSION).await
}

/// Reads the fleets of the recovery plans' regions anew where they are old, with one listing for all. What Azure does not answer
/// leaves the fleets as they were known last.
pub async fn refresh(lifeboat: &Lifeboat, plans: &[RecoveryPlan], now: Timestamp) -> Result<Option<String>, SwapError> {
    let regions = regions(plans);
    let mut old = false;
    for region in &regions {
        let known = read(&lifeboat.store, region).await?;
        let fresh = known.as_ref().is_some_and(|known| now.duration_since(known.at) <= FRESH_FOR);
        let plans_known = known.is_some_and(|known| {
            let here = plans.iter().filter(|plan| plan.from.as_str() == *region);
            here.map(|plan| &plan.name).all(|plan| known.members.contains_key(plan))
        });
        old |= !fresh || !plans_known;
    }
    if !old {
        return Ok(None);
    }
    let rows = match graph::all_machines(&lifeboat.arm, &lifeboat.settings.subscriptions).await {
        Ok(rows) => rows,
        Err(error) => return Ok(Some(format!("which machines there are could not be read: {error}"))),
    };
    for region in regions {
        let fleet = Fleet::of(region, plans, &rows, now);
        swap::swap(&lifeboat.store, &blob_name(region), VERSION, |known: Option<Fleet>| match known {
            // Another process has read it since.
            Some(newer) if newer.at > now => Change::Leave(()),
            _ => Change::Write(fleet.clone(), ()),
        })
        .await?;
    }
    Ok(None)
}

/// The regions that recovery plans name, each once.
pub fn regions(plans: &[RecoveryPlan]) -> std::collections::BTreeSet<&str> {
    plans.iter().flat_map(|plan| [plan.from.as_str(), plan.to.as_str()]).collect()
}

impl Fleet {
    /// The fleet of a region by the rows of a whole listing.
    pub fn of(region: &str, plans: &[RecoveryPlan], rows: &[MachineRow], now: Timestamp) -> Self {
        let here: Vec<&MachineRow> =
            rows.iter().filter(|row| lifeboat_azure::region(&row.location) == region).collect();
        let members = plans.iter().filter(|plan| plan.from.as_str() == region).map(|plan| {
            let is_member = |row: &&&MachineRow| {
                let about = row_attributes((**row).clone());
                plan.groups.iter().any(|group| reach(&group.members, &about) != Reach::Outside)
            };
            let names = here.iter().filter(is_member).take(MEMBERS_MAX).map(|row| row.name.to_lowercase()).collect();
            (plan.name.clone(), names)
        });
        Self {
            version: VERSION,
            region: region.to_owned(),
            at: now,
            machines: here.len() as u64,
            named: here.iter().take(NAMED_MAX).map(|row| row.id.to_lowercase()).collect(),
            members: members.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../../golden/fleet-v1.json");
        let record: Fleet = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
        let written: serde_json::Value = serde_json::to_value(&record).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
    }
}
