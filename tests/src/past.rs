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
    let tags = [
        ("lifeboat-owner", DEPLOYMENT.to_owned()),
        ("lifeboat-estate", ESTATE.to_owned()),
        ("lifeboat-machine", machine_source(&machine.vm_id)),
    ];
    let point = |ago: &SignedDuration| PointSeed { name: point(rig, &machine.vm_id, *ago), made: made(rig, *ago) };
    CollectionSeed {
        machine: machine.id.clone(),
        group: points_group(LOCATION),
        name: collection(&MachineKey::new(&machine.vm_id, &machine.id)),
        tags: tags.map(|(name, value)| (name.to_owned(), value)).into(),
        points: ago.iter().map(point).collect(),
    }
}

/// The name of the point that was made so long before the start.
pub fn point(rig: &Rig, vm_id: &str, ago: SignedDuration) -> String {
    let slot = Slot::new(made(rig, ago)).expect("a slot");
    PointName::scheduled("production", "first", slot, vm_id, 1).to_string()
}

/// Puts an old estate record in the place of the one that the rig wrote at its start.
pub fn old_estate(rig: &Rig) {
    rig.blobs.put(CONTAINER, estate::BLOB, Estate::new(DEPLOYMENT, ESTATE, made(rig, OLD)).to_bytes());
}

fn made(rig: &Rig, ago: SignedDuration) -> Timestamp {
    rig.epoch.checked_sub(ago).expect("a time")
}
