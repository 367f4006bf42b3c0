//! Reads the snapshots of a points' group, and the tags of a machine's disks where a policy leaves disks out by them.
//! It never takes a list that was refused for an empty one.

use std::collections::BTreeMap;

use lifeboat_azure::error::Gone;
use lifeboat_azure::{Error, ResourceId, disks, snapshots};
use lifeboat_planning::creation::region;
use lifeboat_planning::facts::{DiskTags, Machine, PointState, Snapshot, SnapshotsSeen, UnknownBecause};
use lifeboat_planning::id;

use crate::lifeboat::Lifeboat;
use crate::observe::tag;
use crate::perform::{ESTATE_TAG, HOLD_TAG, MACHINE_TAG, OWNER_TAG, SET_TAG};

/// The snapshots in the points' group of the machine's region.
pub async fn of_machine(lifeboat: &Lifeboat, machine: &Machine) -> Result<SnapshotsSeen, Error> {
    in_group(lifeboat, &machine.about.subscription, &id::points_group(&region(&machine.about.location))).await
}

/// The snapshots of a group.
pub async fn in_group(lifeboat: &Lifeboat, subscription: &str, group: &str) -> Result<SnapshotsSeen, Error> {
    match snapshots::list_in_group(&lifeboat.arm, subscription, group).await {
        Ok(all) => Ok(SnapshotsSeen::Read(all.into_iter().map(from_azure).collect())),
        Err(error) if error.is_permission() => Ok(SnapshotsSeen::Unknown(UnknownBecause::NotPermitted)),
        Err(error) => match error.gone() {
            Some(Gone::ResourceGroup) => Ok(SnapshotsSeen::GroupAbsent),
            Some(Gone::Resource | Gone::Unproven) => Ok(SnapshotsSeen::Unknown(UnknownBecause::NotFoundUnproven)),
            None => Err(error),
        },
    }
}

/// Fills in the tags of the machine's disks. Those that may not be read stay unknown.
pub async fn disk_tags(lifeboat: &Lifeboat, machine: &mut Machine) -> Result<(), Error> {
    for volume in machine.volumes.iter_mut().filter(|volume| !volume.os) {
        let Ok(id) = volume.id.parse::<ResourceId>() else { continue };
        volume.tags = match disks::get(&lifeboat.arm, &id).await {
            Ok(disk) => DiskTags::Known(disk.tags),
            Err(error) if error.is_permission() || error.gone().is_some() => DiskTags::Unknown,
            Err(error) => return Err(error),
        };
    }
    Ok(())
}

fn from_azure(read: snapshots::Snapshot) -> Snapshot {
    let says = |text: &str| read.provisioning_state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case(text));
    let state = match () {
        () if read.is_restorable() => PointState::Succeeded,
        () if says("Failed") || says("Canceled") || read.copy_error.is_some() => PointState::Failed,
        () if says("Deleting") => PointState::Deleting,
        () => PointState::InProgress,
    };
    let open_access = read.state.as_deref().is_some_and(|state| state.to_ascii_lowercase().starts_with("activesas"));
    Snapshot {
        state,
        created_at: read.time_created,
        disk: read.source.map(|disk| disk.as_str().to_owned()),
        owner: tag(&read.tags, OWNER_TAG),
        estate: tag(&read.tags, ESTATE_TAG),
        machine: tag(&read.tags, MACHINE_TAG),
        of_disks: tag(&read.tags, SET_TAG).and_then(|text| text.parse().ok()),
        held: is_held(&read.tags),
        open_access,
        name: read.name,
    }
}

fn is_held(tags: &BTreeMap<String, String>) -> bool {
    tags.keys().any(|name| name.to_ascii_lowercase().starts_with(HOLD_TAG))
}
