//! The sizes that a replicated machine may have in the other region.
//! It never counts what is in use there.

use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::ArmError;
use super::super::regions::{Region, named};
use super::super::sizes::{SIZES, Size};
use super::super::state::State;
use super::items::Replica;
use super::{KIND, item_calls};

/// `GET …/targetComputeSizes`. *Assumed* (`sr-sim-target-sizes`): which there are, and which have a reason against them.
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let item = item_calls::item_of(state, call)?.clone();
    let region = named(&item.locations.1);
    let offered = |size: &&Size| region.is_some_and(|region: &Region| !state.sizes.is_restricted(size, region));
    let value: Vec<Value> = SIZES.iter().filter(offered).map(|size| item.size_json(size)).collect();
    Ok(Answer::new(200, json!({ "value": value })))
}

impl Replica {
    fn size_json(&self, size: &Size) -> Value {
        let data = self.disks.iter().filter(|disk| !disk.is_os).count();
        let fits = data <= usize::try_from(size.data_disks).unwrap_or(usize::MAX);
        let error = json!([{ "message": "The size does not take as many data disks.", "severity": "Error" }]);
        json!({
            "id": format!("{}/targetComputeSizes/{}", self.id, size.name),
            "name": size.name,
            "type": format!(
                "{KIND}/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/targetComputeSizes"
            ),
            "properties": {
                "name": size.name,
                "friendlyName": size.name,
                "cpuCoresCount": size.cores,
                "vCPUsAvailable": size.cores,
                "memoryInGB": f64::from(size.memory_mib) / 1024.0,
                "maxDataDiskCount": size.data_disks,
                "maxNicsCount": 2,
                "errors": if fits { json!([]) } else { error },
                "highIopsSupported": if size.premium { "Supported" } else { "NotSupported" },
                "hyperVGenerations": ["V1", "V2"],
            },
        })
    }
}
