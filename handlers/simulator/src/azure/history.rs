//! The past of a simulated estate: finished restore points that were there before anybody looked.
//! It never raises an event, spends a budget, or leaves anything that Azure could not have come to by itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Arm;
use super::collections::About;
use super::ids::{compute_id, key};
use super::point::PointView;

/// A finished restore point of the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PointSeed {
    /// The name.
    pub name: String,
    /// When it was made.
    pub made: Timestamp,
}

/// A collection of the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CollectionSeed {
    /// The id of the machine that its points are of.
    pub machine: String,
    /// The resource group, in the machine's subscription and region; it is made where it is not there.
    pub group: String,
    /// The name.
    pub name: String,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Its points.
    pub points: Vec<PointSeed>,
}

impl Arm {
    /// Puts a collection with its points there as if it had always been. Answers its id; none where there is no such machine.
    pub fn add_collection(&self, seed: &CollectionSeed) -> Option<String> {
        let now = self.clock.now();
        let mut state = self.state();
        let machine = state.machines.get(&key(&seed.machine))?.clone();
        state.ensure_group(&machine.subscription, &seed.group, &machine.location, now);
        let about = About {
            subscription: machine.subscription.clone(),
            group: seed.group.clone(),
            name: seed.name.clone(),
            location: machine.location.clone(),
            tags: seed.tags.clone(),
            source: machine.id(),
            source_key: key(&machine.id()),
            collection_id: state.names.guid(),
            deleting: false,
        };
        let id = compute_id(&about.subscription, &about.group, "restorePointCollections", &about.name);
        state.keep_collection(about, now);
        for point in &seed.points {
            state.plant_point(&id, &point.name, point.made);
        }
        Some(id)
    }

    /// Puts a finished point of the past into a collection that is there; none where there is no such collection, or its machine is
    /// not there.
    pub fn add_past_point(&self, collection: &str, seed: &PointSeed) -> Option<PointView> {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        state.plant_point(collection, &seed.name, seed.made)
    }
}
