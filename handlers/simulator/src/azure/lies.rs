//! What happens behind everybody's back: points and snapshots that are suddenly not there, and writes that are acknowledged
//! and not done.
//! It never raises an event, and never tells who did it.

use super::Arm;
use super::faults::{ArmFault, ArmFaultEffect};
use super::ids::{ResourceId, key};
use super::volume::Kind;

impl Arm {
    /// Takes a restore point away, without a call or an event; says whether it was there.
    pub fn remove_point(&self, point: &str) -> bool {
        let now = self.clock.now();
        let Some(id) = ResourceId::parse(point).filter(|id| id.path.len() == 2) else { return false };
        let collection = key(point).split("/restorepoints/").next().unwrap_or_default().to_owned();
        let mut state = self.state();
        state.settle(now);
        let found = state.collections.get_mut(&collection);
        found.and_then(|found| found.points.remove(&id.name().to_ascii_lowercase())).is_some()
    }

    /// Takes a snapshot away, without a call or an event; says whether it was there.
    pub fn remove_snapshot(&self, snapshot: &str) -> bool {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        state.drop_volume(Kind::Snapshot, &key(snapshot), now).is_some()
    }

    /// Lets the next write of this ARM action to a path that contains this be acknowledged, its operation too, and not done.
    pub fn lie_about(&self, action: &str, path: &str) {
        self.fault(ArmFault::new(ArmFaultEffect::AcknowledgedButDropped).on_action(action).on_path(path));
    }
}
