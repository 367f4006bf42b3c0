//! What one look saw of a recovery plan, as facts. They never say what follows.

use alloc::string::String;
use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};

use super::leads::{AddressesSeen, EndpointSeen};
use super::locks::LocksSeen;
use super::reason::Place;
use crate::saga::failover::{ItemFacts, Known, PointFacts, ProfileFacts, TargetFacts};

/// What was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Its groups, in order, with their members.
    pub groups: Known<Vec<GroupSeen>>,
    /// Members of the saved copy that are not listed any more and not proven gone, by name.
    pub not_listed: Vec<String>,
    /// Nobody in the region that may be lost answered.
    pub source_silent: bool,
    /// The target's surroundings.
    pub target: TargetFacts,
    /// Where what the path needs lies.
    pub places: Vec<PlaceSeen>,
    /// The profiles.
    pub traffic: Vec<TrafficSeen>,
    /// The public addresses that their endpoints may lead to by name.
    pub addresses: AddressesSeen,
    /// What the identity may do, by scope.
    pub rights: Vec<RightSeen>,
    /// What it may do where the old disks are saved: that comes after the failover, and before the other way is protected.
    pub saving: Vec<RightSeen>,
    /// Locks on what a failover changes, by subscription.
    pub locks: Vec<LocksSeen>,
}

/// A group with its members.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupSeen {
    /// Its name.
    pub name: String,
    /// Its members.
    pub members: Vec<MemberSeen>,
}

/// A member.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberSeen {
    /// What it is called, unique in the recovery plan.
    pub name: String,
    /// Its replicated item.
    pub item: Known<ItemFacts>,
    /// How old its newest point is, by Azure's word.
    pub rpo: Option<Rpo>,
    /// Disks that are replicated.
    pub disks: Vec<DiskSeen>,
    /// How many disks Site Recovery says are not.
    pub left_out: usize,
    /// The disks of the machine itself, by their ids.
    pub machine_disks: Known<Vec<String>>,
    /// Its recovery points.
    pub points: Known<Vec<PointFacts>>,
    /// Its container is mapped to the one of the other region.
    pub mapping: Known<()>,
    /// A machine that has the id of the machine to be: none is there.
    pub target: Known<String>,
    /// The size of the machine to be, where its item names one, and whether Site Recovery offers it for this item; absent where it lists
    /// no size at all, which says nothing.
    pub size: Option<(String, Known<bool>)>,
    /// What the agents of its disks still hold, in KiB; none where that was not told.
    pub pending_kib: Option<u64>,
    /// What the machine has and the machine to be will not, in words.
    pub not_carried: Vec<String>,
}

/// How old a newest point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rpo {
    /// So old it was.
    pub age: SignedDuration,
    /// When that was reckoned.
    pub reckoned_at: Timestamp,
}

/// A disk that is replicated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskSeen {
    /// The disk's id.
    pub id: String,
    /// It is copied, and need not be copied again.
    pub ready: bool,
}

/// Where something lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceSeen {
    /// What.
    pub what: Place,
    /// Its name.
    pub name: String,
    /// Its region.
    pub location: Known<String>,
}

/// A traffic profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficSeen {
    /// Its name.
    pub profile: String,
    /// What was read of it.
    pub facts: Known<ProfileFacts>,
    /// What those of its endpoints name that the recovery plan speaks of.
    pub endpoints: Vec<EndpointSeen>,
}

/// What the identity may do in a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RightSeen {
    /// The scope, as people call it.
    pub scope: String,
    /// It lies in the region that may be lost.
    pub in_from: bool,
    /// Actions of the failover's steps that it is not allowed; `None` where that could not be read.
    pub missing: Option<Vec<String>>,
}
