//! One change to the world, as data: what a plan asks for and what an outcome answers.
//! It never performs anything. Families are added with the work that needs them: today `Point`.

use alloc::string::String;
use core::fmt;

use crate::id::hash;

/// A change to the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Something about recovery points.
    Point(PointEffect),
}

/// Changes about recovery points. None of these can delete anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PointEffect {
    /// Make the points' resource group. Harmless when late: the name is derived, and a group that is there is left as it is
    /// (it is read before it is written).
    EnsureGroup {
        /// Subscription id.
        subscription: String,
        /// Group.
        group: String,
        /// Region.
        location: String,
    },
    /// Make a machine's collection. Harmless when late: the name is derived, the source is fixed, so a repeat is the same PUT.
    EnsureCollection {
        /// Where.
        place: Place,
        /// Region.
        location: String,
        /// ARM id of the machine.
        machine: String,
        /// Whose it is.
        owner: String,
        /// The id of the estate record under which it is made.
        estate: String,
        /// What of the machine goes into the collection's tags: the hash of its `vmId`.
        vm_hash: String,
    },
    /// Make a restore point. Harmless when late: the name is derived, and an existing point cannot be updated.
    CreateRestorePoint {
        /// Where.
        place: Place,
        /// Name of the point.
        point: String,
        /// Consistency asked for.
        consistency: Consistency,
    },
}

/// Where a collection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Subscription id.
    pub subscription: String,
    /// Resource group.
    pub group: String,
    /// Collection.
    pub collection: String,
}

/// The consistency that a point is asked to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// As the guest's agent can: application-consistent (Windows) or file-system-consistent (Linux).
    Application,
    /// Crash-consistent over all disks; needs no agent.
    Crash(CrashBecause),
}

/// Why a point is only crash-consistent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashBecause {
    /// The agent in the guest is not ready.
    AgentNotReady,
    /// An application-consistent attempt failed before.
    ApplicationAttemptFailed,
}

impl fmt::Display for CrashBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AgentNotReady => "the VM agent is not ready",
            Self::ApplicationAttemptFailed => "an application-consistent attempt failed before",
        })
    }
}

impl Effect {
    /// What this effect is told apart by: an outcome names it.
    pub fn key(&self) -> String {
        match self {
            Self::Point(PointEffect::EnsureGroup { subscription, group, .. }) => hash(&["group", subscription, group]),
            Self::Point(PointEffect::EnsureCollection { place, .. }) => {
                hash(&["collection", &place.subscription, &place.group, &place.collection])
            }
            Self::Point(PointEffect::CreateRestorePoint { place, point, .. }) => {
                hash(&["point", &place.subscription, &place.group, &place.collection, point])
            }
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point(PointEffect::EnsureGroup { group, location, .. }) => {
                write!(f, "make resource group {group} in {location}")
            }
            Self::Point(PointEffect::EnsureCollection { place, location, .. }) => {
                write!(f, "make restore point collection {} in {location}", place.collection)
            }
            Self::Point(PointEffect::CreateRestorePoint { point, consistency: Consistency::Application, .. }) => {
                write!(f, "make restore point {point}, application-consistent")
            }
            Self::Point(PointEffect::CreateRestorePoint {
                point, consistency: Consistency::Crash(because), ..
            }) => {
                write!(f, "make restore point {point}, crash-consistent because {because}")
            }
        }
    }
}
