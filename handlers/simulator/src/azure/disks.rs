//! Managed disks: made by themselves, or with the machine that names them.
//! It never moves a disk from one machine to another: that one must let it go first.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::denials::Denial;
use super::errors::{ArmError, invalid_parameter};
use super::ids::{ResourceId, guid_of, key};
use super::machines::{Machine, Os, tags_of};
use super::power::Power;
use super::state::State;
use super::volume::{Added, Kind, Phase, Volume, sent_body, whole_body};
use super::volume_calls::{id_of, location_in, size_in};

/// A data disk to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiskSeed {
    /// The name.
    pub name: String,
    /// The size in GiB.
    pub size_gib: u32,
}

/// A machine's mention of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DiskRef {
    pub(crate) name: String,
    /// None for a disk that is a blob: those are nobody's concern here.
    pub(crate) id: Option<String>,
    pub(crate) size_gib: u32,
    /// Whether the machine runs from it.
    pub(crate) is_os: bool,
    /// Whether it goes with the machine.
    pub(crate) goes_along: bool,
    pub(crate) sku: String,
}

/// What a new disk is made of.
struct Source {
    unique_id: Option<String>,
    size_gib: Option<u32>,
    os: Option<Os>,
}

impl DiskRef {
    /// What a machine's storage profile says about a disk.
    pub(crate) fn of(disk: &Value, is_os: bool) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Self {
            name: text(&disk["name"]).unwrap_or_default(),
            id: text(&disk["managedDisk"]["id"]),
            size_gib: disk["diskSizeGB"].as_u64().and_then(|size| u32::try_from(size).ok()).unwrap_or(1),
            is_os,
            goes_along: disk["deleteOption"].as_str().is_some_and(|option| option.eq_ignore_ascii_case("Delete")),
            sku: text(&disk["managedDisk"]["storageAccountType"]).unwrap_or_else(|| "Premium_LRS".to_owned()),
        }
    }

    /// Whether it is the disk of this id.
    pub(crate) fn is(&self, id: &str) -> bool {
        self.id.as_ref().is_some_and(|own| key(own) == key(id))
    }
}

impl Machine {
    /// All disks that it names, the one it runs from first.
    pub(crate) fn disks(&self) -> impl Iterator<Item = &DiskRef> {
        std::iter::once(&self.os_disk).chain(&self.data_disks)
    }
}

impl State {
    /// Makes or attaches the disks that a machine names.
    pub(crate) fn attach_disks(&mut self, machine: &Machine, now: Timestamp) {
        let reserved = machine.power == Power::Deallocated;
        let owner = machine.id();
        for mention in machine.disks() {
            let Some(id) = &mention.id else { continue };
            let volume = match self.disks.get(&key(id)) {
                Some(found) if found.reserved == reserved && found.managed_by.as_ref() == Some(&owner) => continue,
                Some(found) => Volume { managed_by: Some(owner.clone()), reserved, ..Volume::clone(found) },
                None => {
                    let Some(made) = self.disk_of(machine, mention, id) else { continue };
                    Volume { managed_by: Some(owner.clone()), reserved, ..made }
                }
            };
            self.keep_volume(volume, now);
        }
    }

    /// A disk that comes to be with its machine.
    fn disk_of(&self, machine: &Machine, mention: &DiskRef, id: &str) -> Option<Volume> {
        let parsed = ResourceId::parse(id)?;
        let option = if mention.is_os { "FromImage" } else { "Empty" };
        let given = json!({
            "location": machine.location,
            "tags": {},
            "sku": { "name": mention.sku },
            "properties": { "creationData": { "createOption": option } },
        });
        let unique_id = guid_of(self.seed, "disk", &format!("{id} {}", machine.vm_id));
        let os = mention.is_os.then_some(machine.os);
        let added = Added {
            size_gib: mention.size_gib,
            os,
            unique_id: &unique_id,
            source_unique_id: None,
            created: machine.created,
        };
        let body = whole_body(Kind::Disk, id, parsed.name(), &given, &added);
        Some(Volume {
            kind: Kind::Disk,
            id: parsed,
            location: machine.location.clone(),
            sent: Arc::new(Value::Null),
            body: Arc::new(body),
            phase: Phase::Succeeded,
            size_gib: mention.size_gib,
            os,
            unique_id,
            created: machine.created,
            managed_by: None,
            reserved: false,
            open_until: None,
            progress: None,
            implied: false,
        })
    }

    /// Lets go the disks of a machine: they stay, but for those whose delete option is `Delete` when it is gone.
    pub(crate) fn detach_disks(
        &mut self,
        machine: &Machine,
        gone: bool,
        keep: impl Fn(&DiskRef) -> bool,
        now: Timestamp,
    ) {
        let owner = key(&machine.id());
        for mention in machine.disks().filter(|mention| !keep(mention)) {
            let Some(id) = &mention.id else { continue };
            let own = |found: &&Arc<Volume>| found.managed_by.as_ref().is_some_and(|other| key(other) == owner);
            let Some(found) = self.disks.get(&key(id)).filter(own).cloned() else { continue };
            if gone && mention.goes_along {
                self.drop_volume(Kind::Disk, &key(id), now);
            } else {
                self.keep_volume(Volume { managed_by: None, reserved: false, ..Volume::clone(&found) }, now);
            }
        }
    }
}

/// `PUT …/disks/{name}`.
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?;
    let location = location_in(body)?;
    tags_of(body)?;
    let id = id_of(call);
    let text = super::ids::compute_id(&id.subscription, &id.group, Kind::Disk.part(), id.name());
    let creation = &body["properties"]["creationData"];
    let option = creation["createOption"].as_str();
    let option = option.ok_or_else(|| invalid_parameter("creationData.createOption", "It is required."))?;
    if let Some(before) = state.disks.get(&key(&text)).filter(|found| !found.implied).cloned() {
        // *Assumed* (`disk-creation-fixed`): a second `PUT` is an update, and what it is made of stays.
        let told = &before.body["properties"]["creationData"];
        let same = |name: &str| creation[name].as_str().map(key) == told[name].as_str().map(key);
        if !same("createOption") || !same("sourceResourceId") || !before.location.eq_ignore_ascii_case(&location) {
            return Err(Denial::VolumeChanged.error("creationData"));
        }
        return super::volume_calls::patch(state, call);
    }
    let source = source_of(state, call, option, creation, &location)?;
    let size_gib = size_in(body).or(source.size_gib);
    let size_gib = size_gib.ok_or_else(|| invalid_parameter("diskSizeGB", "It is required."))?;
    if source.size_gib.is_some_and(|least| size_gib < least) {
        // *Assumed* (`disk-size`): a disk is at least as large as what it is made from.
        return Err(invalid_parameter("diskSizeGB", "It is smaller than the source."));
    }
    let unique_id = state.names.guid();
    let source_unique_id = source.unique_id.as_deref();
    let added = Added { size_gib, os: source.os, unique_id: &unique_id, source_unique_id, created: call.now };
    let disk = Volume {
        kind: Kind::Disk,
        location,
        sent: Arc::new(sent_body(Kind::Disk, &text, id.name(), body)),
        body: Arc::new(whole_body(Kind::Disk, &text, id.name(), body, &added)),
        id,
        phase: Phase::Updating,
        size_gib,
        os: source.os,
        unique_id,
        created: call.now,
        managed_by: None,
        reserved: false,
        open_until: None,
        progress: None,
        implied: false,
    };
    let empty = option.eq_ignore_ascii_case("Empty");
    let wait = if empty { state.latencies.disk_create_ms } else { state.latencies.disk_copy_ms };
    Ok(state.accept_volume(disk, call, call.cause(false), wait))
}

fn source_of(state: &State, call: &Call, option: &str, creation: &Value, location: &str) -> Result<Source, ArmError> {
    let wanted = || invalid_parameter("creationData.sourceResourceId", "It is required.");
    match option.to_ascii_lowercase().as_str() {
        "empty" => Ok(Source { unique_id: None, size_gib: None, os: None }),
        "copy" => {
            let text = creation["sourceResourceId"].as_str().ok_or_else(wanted)?;
            let found = state.disks.get(&key(text)).or_else(|| state.snapshots.get(&key(text)));
            let missing = || Denial::SourceElsewhere.error(text.rsplit('/').next().unwrap_or_default());
            let found = found.filter(|found| found.location.eq_ignore_ascii_case(location)).ok_or_else(missing)?;
            if found.phase != Phase::Succeeded || found.progress.is_some_and(|copy| copy.runs(call.now)) {
                return Err(Denial::SourceUnfinished.error(found.name()));
            }
            let (unique_id, size_gib) = (Some(found.unique_id.clone()), Some(found.size_gib));
            Ok(Source { unique_id, size_gib, os: found.os })
        }
        "restore" => {
            let text = creation["sourceResourceId"].as_str().ok_or_else(wanted)?;
            let missing = || Denial::SourceElsewhere.error(text.rsplit('/').next().unwrap_or_default());
            let (about, disk) = state.disk_point(text).ok_or_else(missing)?;
            if !about.location.eq_ignore_ascii_case(location) {
                return Err(missing());
            }
            // Its unique id is not told (recorded).
            Ok(Source { unique_id: None, size_gib: Some(disk.size_gib), os: disk.os })
        }
        _ => Err(Denial::CreationNotModelled.error(option)),
    }
}
