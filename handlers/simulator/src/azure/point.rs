//! A restore point: what it holds, and how ARM and tests see it.
//! It never says that a consistency was reached before it was.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::Failure;
use super::collections::About;
use super::disks::DiskRef;
use super::ids::{compute_id, guid_of, key, region_as_compute_writes_it, stamp};
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

    pub(crate) fn json(&self, about: &About, seed: u64) -> Value {
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
        let machine = &self.machine;
        let data = machine.data_disks.iter().filter(|disk| !self.leaves_out(disk));
        json!({
            "vmId": machine.vm_id,
            "location": region_as_compute_writes_it(&machine.location),
            "hardwareProfile": { "vmSize": machine.size },
            "storageProfile": {
                "osDisk": self.disk(&machine.os_disk, about, seed),
                "dataDisks": data.map(|disk| self.disk(disk, about, seed)).collect::<Vec<_>>(),
            },
            "osProfile": machine.os_profile(),
            "hyperVGeneration": "V1",
        })
    }

    /// A disk, with its restore point's id once the point succeeded (recorded).
    fn disk(&self, disk: &DiskRef, about: &About, seed: u64) -> Value {
        let mut body = self.machine.disk_json(disk);
        if let Some(fields) = body.as_object_mut() {
            fields.remove("createOption");
            fields.remove("deleteOption");
        }
        if self.state == PointState::Succeeded {
            let point = self.id(about);
            let suffix = guid_of(seed, "disk restore point", &format!("{point}/{}", disk.name));
            body["diskRestorePoint"] = json!({
                "encryption": { "type": "EncryptionAtRestWithPlatformKey" },
                "id": format!("{point}/diskRestorePoints/{}_{suffix}", disk.name),
            });
        }
        body
    }

    fn leaves_out(&self, disk: &DiskRef) -> bool {
        let id = key(&compute_id(&self.machine.subscription, &self.machine.group, "disks", &disk.name));
        self.excluded.iter().any(|excluded| key(excluded) == id)
    }
}
