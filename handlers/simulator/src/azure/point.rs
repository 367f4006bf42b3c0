//! A restore point: what it holds, and how ARM and tests see it.
//! It never says that a consistency was reached before it was.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::Failure;
use super::collections::About;
use super::disk_points::DiskPoint;
use super::ids::{guid_of, key, region_as_compute_writes_it, stamp};
use super::machines::{Machine, Os};

/// Where a point is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PointState {
    Creating,
    Succeeded,
    Failed,
    Deleting,
}

/// A point.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) name: String,
    pub(crate) crash: bool,
    pub(crate) excluded: Vec<String>,
    /// The machine as it was.
    pub(crate) machine: Arc<Machine>,
    pub(crate) state: PointState,
    pub(crate) created: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) failure: Option<Failure>,
    /// The body that it was seeded with.
    pub(crate) given: Option<Arc<Value>>,
}

/// What a test or the control API sees of a point.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PointView {
    /// Its name.
    pub name: String,
    /// Its whole id.
    pub id: String,
    /// `Creating`, `Succeeded`, `Failed` or `Deleting`.
    pub state: String,
    /// The consistency that was reached, or asked for while it is made.
    pub consistency: Option<String>,
    /// The machine's `vmId`.
    pub vm_id: String,
    /// When it was begun.
    pub time_created: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Why it failed.
    pub error_code: Option<String>,
}

impl Point {
    pub(crate) fn id(&self, about: &About) -> String {
        format!("{}/restorePoints/{}", about.id(), self.name)
    }

    /// The consistency: what was asked at once, what was reached when it is reached (recorded).
    fn consistency(&self) -> Option<&'static str> {
        match (self.crash, self.state) {
            (true, _) => Some("CrashConsistent"),
            (false, PointState::Succeeded | PointState::Deleting) => Some(match self.machine.os {
                Os::Windows => "ApplicationConsistent",
                Os::Linux => "FileSystemConsistent",
            }),
            (false, PointState::Creating | PointState::Failed) => None,
        }
    }

    /// When it was begun, as ARM writes it.
    pub(crate) fn time_created(&self) -> String {
        stamp(self.created)
    }

    pub(crate) fn json(&self, about: &About, seed: u64) -> Value {
        if let Some(given) = &self.given {
            let mut body = Value::clone(given);
            body["properties"]["provisioningState"] = json!(format!("{:?}", self.state));
            return body;
        }
        let mut properties = json!({
            "sourceMetadata": self.source_metadata(about, seed),
            "provisioningState": format!("{:?}", self.state),
            "timeCreated": stamp(self.created),
        });
        if let Some(consistency) = self.consistency() {
            properties["consistencyMode"] = json!(consistency);
        }
        if !self.excluded.is_empty() {
            let excluded: Vec<Value> = self.excluded.iter().map(|id| json!({ "id": id })).collect();
            properties["excludeDisks"] = json!(excluded);
        }
        json!({ "name": self.name, "id": self.id(about), "properties": properties })
    }

    /// The point with its instance view, as Microsoft's example has it. *Assumed* (`point-instance-view`): a point that
    /// was not copied from another region tells one too, once it is made.
    pub(crate) fn json_with_view(&self, about: &About, seed: u64) -> Value {
        let mut body = self.json(about, seed);
        if self.state == PointState::Succeeded {
            let status = json!({ "code": "ReplicationState/succeeded", "level": "Info", "displayStatus": "Succeeded" });
            let disks = DiskPoint::all(&body);
            let disk = |disk: &DiskPoint| json!({ "id": disk.id, "replicationStatus": { "status": status, "completionPercent": 100 } });
            body["properties"]["instanceView"] =
                json!({ "diskRestorePoints": disks.iter().map(disk).collect::<Vec<_>>(), "statuses": [status] });
        }
        body
    }

    pub(crate) fn view(&self, about: &About) -> PointView {
        PointView {
            name: self.name.clone(),
            id: self.id(about),
            state: format!("{:?}", self.state),
            consistency: self.consistency().map(str::to_owned),
            vm_id: self.machine.vm_id.clone(),
            time_created: self.created,
            ended: self.ended,
            error_code: self.failure.as_ref().map(|failure| failure.code.clone()),
        }
    }

    fn source_metadata(&self, about: &About, seed: u64) -> Value {
        let machine = self.machine.json(false);
        let properties = &machine["properties"];
        let storage = &properties["storageProfile"];
        let data = storage["dataDisks"].as_array().map_or(&[][..], Vec::as_slice);
        let kept = data.iter().filter(|disk| !self.leaves_out(disk));
        let generation = self.machine.view.as_ref().map(|view| view["hyperVGeneration"].clone());
        let mut metadata = json!({
            "vmId": self.machine.vm_id,
            "location": region_as_compute_writes_it(&self.machine.location),
            "hardwareProfile": properties["hardwareProfile"],
            "storageProfile": {
                "osDisk": self.disk(&storage["osDisk"], about, seed),
                "dataDisks": kept.map(|disk| self.disk(disk, about, seed)).collect::<Vec<_>>(),
            },
            "hyperVGeneration": generation.filter(Value::is_string).unwrap_or_else(|| json!("V1")),
        });
        for part in ["osProfile", "securityProfile", "diagnosticsProfile", "licenseType"] {
            if let Some(value) = properties.get(part) {
                metadata[part] = value.clone();
            }
        }
        metadata
    }

    /// A disk, with its restore point's id once the point succeeded (recorded).
    fn disk(&self, disk: &Value, about: &About, seed: u64) -> Value {
        let mut body = json!({});
        for part in ["lun", "osType", "name", "diskSizeGB", "caching", "managedDisk", "writeAcceleratorEnabled"] {
            if let Some(value) = disk.get(part) {
                body[part] = value.clone();
            }
        }
        if self.state == PointState::Succeeded {
            let (point, name) = (self.id(about), disk["name"].as_str().unwrap_or_default());
            let suffix = guid_of(seed, "disk restore point", &format!("{point}/{name}"));
            body["diskRestorePoint"] = json!({
                "encryption": { "type": "EncryptionAtRestWithPlatformKey" },
                "id": format!("{point}/diskRestorePoints/{name}_{suffix}"),
            });
        }
        body
    }

    fn leaves_out(&self, disk: &Value) -> bool {
        let id = disk["managedDisk"]["id"].as_str().map(key);
        id.is_some_and(|id| self.excluded.iter().any(|excluded| key(excluded) == id))
    }
}
