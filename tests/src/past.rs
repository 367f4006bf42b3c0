//! The past of a machine: a collection of ours with points that were made before the rig started, and an estate record that is old
//! enough for points to expire. It never asks the product for what should be there.

use jiff::{SignedDuration, Timestamp};
use lifeboat_execution::estate::{self, Estate};
use lifeboat_planning::id::{MachineKey, PointName, collection, machine_source, points_group};
use lifeboat_planning::schedule::Slot;
use lifeboat_simulator::azure::{CollectionSeed, PointSeed};

use crate::Rig;
use crate::azure::MachineView;
use crate::rig::{CONTAINER, DEPLOYMENT, ESTATE, LOCATION};

/// How long before the start an old estate record was written.
const OLD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The machine's collection as the product would have made it, with points of the entry `first` that were made so long before the
/// start.
pub fn seed(rig: &Rig, machine: &MachineView, ago: &[SignedDuration]) -> CollectionSeed {
    let made: Vec<Timestamp> = ago.iter().map(|ago| made(rig, *ago)).collect();
    collection_of((&machine.id, &machine.vm_id), LOCATION, &made)
}

/// The same of a machine by its id and `vmId`, wherever it is, with points that were made at these moments.
pub fn collection_of((machine, vm_id): (&str, &str), location: &str, made: &[Timestamp]) -> CollectionSeed {
    let tags = [
        ("lifeboat-owner", DEPLOYMENT.to_owned()),
        ("lifeboat-estate", ESTATE.to_owned()),
        ("lifeboat-machine", machine_source(vm_id)),
    ];
    CollectionSeed {
        machine: machine.to_owned(),
        group: points_group(location),
        name: collection(&MachineKey::new(vm_id, machine)),
        tags: tags.map(|(name, value)| (name.to_owned(), value)).into(),
        points: made.iter().map(|made| PointSeed { name: name(vm_id, *made), made: *made }).collect(),
    }
}

fn name(vm_id: &str, made: Timestamp) -> String {
    let slot = Slot::new(made).expect("a slot");
    PointName::scheduled("production", "first", slot, vm_id, 1).to_string()
}

/// The name of the point that was made so long before the start.
pub fn point(rig: &Rig, vm_id: &str, ago: SignedDuration) -> String {
    name(vm_id, made(rig, ago))
}

/// Puts an old estate record in the place of the one that the rig wrote at its start.
pub fn old_estate(rig: &Rig) {
    rig.blobs.put(CONTAINER, estate::BLOB, Estate::new(DEPLOYMENT, ESTATE, made(rig, OLD)).to_bytes());
}

fn made(rig: &Rig, ago: SignedDuration) -> Timestamp {
    rig.epoch.checked_sub(ago).expect("a time")
}
