//! Disk restore points: what a restore point holds of each disk.
//! It never tells of one before its restore point succeeded.

use std::sync::Arc;

use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::collections::About;
use super::errors::{ArmError, not_found};
use super::ids::{ResourceId, compute_id, guid_of, key};
use super::machines::Os;
use super::point::{Point, PointState};
use super::state::State;

/// What a point holds of a disk.
#[derive(Clone, Debug)]
pub(crate) struct DiskPoint {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The disk's id, where it is managed.
    pub(crate) disk: Option<String>,
    pub(crate) size_gib: u32,
    pub(crate) os: Option<Os>,
}

impl DiskPoint {
    /// The disk points that a point's answer names.
    pub(crate) fn all(point: &Value) -> Vec<Self> {
        let storage = &point["properties"]["sourceMetadata"]["storageProfile"];
        let data = storage["dataDisks"].as_array().map_or(&[][..], Vec::as_slice);
        std::iter::once(&storage["osDisk"]).chain(data).filter_map(Self::of).collect()
    }

    fn of(disk: &Value) -> Option<Self> {
        let id = disk["diskRestorePoint"]["id"].as_str()?.to_owned();
        Some(Self {
            name: id.rsplit('/').next().unwrap_or_default().to_owned(),
            id,
            disk: disk["managedDisk"]["id"].as_str().map(str::to_owned),
            size_gib: disk["diskSizeGB"].as_u64().and_then(|size| u32::try_from(size).ok()).unwrap_or(1),
            os: serde_json::from_value(disk["osType"].clone()).ok(),
        })
    }

    /// As Microsoft's example has it.
    fn json(&self, point: &Point, state: &State) -> Value {
        let disk = self.disk.as_deref().unwrap_or_default();
        let unique = state.disks.get(&key(disk)).map(|disk| disk.unique_id.clone());
        let unique = unique.unwrap_or_else(|| guid_of(state.seed, "disk", &format!("{disk} {}", point.machine.vm_id)));
        let mut properties = json!({
            "timeCreated": point.time_created(),
            "sourceResourceId": disk,
            "familyId": guid_of(state.seed, "disk point family", &unique),
            "sourceUniqueId": unique,
            "encryption": { "type": "EncryptionAtRestWithPlatformKey" },
            "networkAccessPolicy": "AllowAll",
            "publicNetworkAccess": "Enabled",
        });
        if let Some(os) = self.os {
            properties["osType"] = json!(os);
            properties["hyperVGeneration"] = json!("V1");
        }
        json!({ "id": self.id, "name": self.name, "properties": properties })
    }
}

impl State {
    /// The disk point of an id, with the collection that it is in.
    pub(crate) fn disk_point(&self, id: &str) -> Option<(Arc<About>, DiskPoint)> {
        let parsed = ResourceId::parse(id)?;
        let [(_, collection), (_, point), (_, _)] = parsed.path.as_slice() else { return None };
        let collection = compute_id(&parsed.subscription, &parsed.group, "restorePointCollections", collection);
        let found = self.collections.get(&key(&collection))?;
        let point = found.points.get(&point.to_ascii_lowercase())?;
        let own =
            DiskPoint::all(&point.json(&found.about, self.seed)).into_iter().find(|one| key(&one.id) == key(id))?;
        Some((found.about.clone(), own))
    }
}

/// `GET …/diskRestorePoints`.
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let value: Vec<Value> = of_point(state, call)?;
    Ok(Answer::new(200, json!({ "value": value })))
}

/// `GET …/diskRestorePoints/{name}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let name = call.param(4);
    let own = |one: &Value| one["name"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(name));
    let found = of_point(state, call)?.into_iter().find(own);
    Ok(Answer::new(200, found.ok_or_else(|| not_found(name))?))
}

fn of_point(state: &State, call: &Call) -> Result<Vec<Value>, ArmError> {
    let id = compute_id(call.param(0), call.param(1), "restorePointCollections", call.param(2));
    let found = state.collections.get(&key(&id)).ok_or_else(|| not_found(call.param(2)))?;
    let point = found.points.get(&call.param(3).to_ascii_lowercase()).ok_or_else(|| not_found(call.param(3)))?;
    if point.state != PointState::Succeeded {
        return Ok(Vec::new());
    }
    let all = DiskPoint::all(&point.json(&found.about, state.seed));
    Ok(all.iter().map(|one| one.json(point, state)).collect())
}
