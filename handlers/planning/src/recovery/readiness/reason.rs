//! Why a recovery plan is not ready: each reason tells its member. It never says what to do about it,
//! but where an endpoint must be led elsewhere: whoever reads that it leads to the old side needs to know where else.

use alloc::string::String;
use core::fmt;
use jiff::{SignedDuration, Timestamp};

use super::locks::LockSeen;
use crate::saga::failover::{ItemUnmet, ProfileUnmet, TargetUnmet};

/// A reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are what the text of each reason names")]
pub enum Reason {
    /// Nobody in the region that may be lost answered.
    SourceSilent,
    /// Which machines are members could not be read.
    MembersUnread,
    /// It has more members than are looked after.
    TooMany { members: usize, most: usize },
    /// A group has no member.
    GroupEmpty { group: String },
    /// A machine is in two groups.
    InTwoGroups { member: String, groups: (String, String) },
    /// A member of the saved copy is not listed any more, and not proven gone.
    NotListed { member: String },
    /// No vault in scope replicates it.
    NotReplicated { member: String },
    /// Its item could not be read, or cannot be told from another's.
    ItemUnread { member: String },
    /// A rule of its item.
    Item { member: String, unmet: ItemUnmet },
    /// How old its newest point is, is not told.
    RpoUnread { member: String },
    /// That was reckoned too long ago.
    RpoStale { member: String, reckoned_at: Timestamp },
    /// It is older than may be lost.
    RpoOver { member: String, age: SignedDuration, most: SignedDuration },
    /// A disk of the machine is not replicated.
    DiskNotReplicated { member: String, disk: String },
    /// Disks are not replicated, by Site Recovery's word.
    DisksLeftOut { member: String, disks: usize },
    /// A disk is not copied yet, or must be copied again.
    DiskNotReady { member: String, disk: String },
    /// The machine could not be read: which disks it has is not known.
    MachineUnread { member: String },
    /// The machine is gone.
    MachineGone { member: String },
    /// Its recovery points could not be read.
    PointsUnread { member: String },
    /// It has no recovery point.
    NoPoint { member: String },
    /// Its container is not mapped to the other region's.
    NotMapped { member: String },
    /// Whether it is could not be read.
    MappingUnread { member: String },
    /// A machine has the id of the machine to be.
    TargetTaken { member: String, id: String },
    /// Whether one has could not be read.
    TargetUnread { member: String },
    /// Site Recovery does not offer it the size of the machine to be.
    SizeNotOffered { member: String, size: String },
    /// Which sizes it is offered could not be read.
    SizesUnread { member: String },
    /// A rule of the target.
    Target(TargetUnmet),
    /// A rule of a profile.
    Profile { profile: String, unmet: ProfileUnmet },
    /// An endpoint of the target side does not lead there.
    Endpoint { profile: String, endpoint: String, misled: Misled },
    /// Something that the path needs lies in the region that may be lost.
    InFrom { what: Place, name: String },
    /// Where it lies could not be read.
    PlaceUnread { what: Place, name: String },
    /// The identity may not do a step.
    RightMissing { scope: String, action: String, more: usize },
    /// What it may do could not be read.
    RightsUnread { scope: String, in_from: bool },
    /// A lock forbids a step, or may.
    Locked { lock: LockSeen },
    /// Which locks there are could not be read.
    LocksUnread { subscription: String, in_from: bool },
}

/// What the path needs, and where it may not lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The vault.
    Vault,
    /// The group of the vault.
    VaultGroup,
    /// A group of machines to be.
    TargetGroup,
    /// The group of their network.
    NetworkGroup,
    /// The group of a traffic profile.
    ProfileGroup,
    /// This deployment itself.
    Controller,
}

/// Where an endpoint of the target side leads, if not there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are what the text of each names")]
pub enum Misled {
    /// To an address in the region that may be lost: an old machine's, or an old balancer's.
    InFrom { address: String, holder: Option<String>, to: String },
    /// To one in a third region.
    Elsewhere { address: String, location: String, to: String },
    /// To one that is not there.
    Gone { address: String, to: String },
    /// That could not be read.
    Unread,
}

impl Reason {
    /// The member that it is about.
    pub fn member(&self) -> Option<&str> {
        match self {
            Self::InTwoGroups { member, .. }
            | Self::NotListed { member }
            | Self::NotReplicated { member }
            | Self::ItemUnread { member }
            | Self::Item { member, .. }
            | Self::RpoUnread { member }
            | Self::RpoStale { member, .. }
            | Self::RpoOver { member, .. }
            | Self::DiskNotReplicated { member, .. }
            | Self::DisksLeftOut { member, .. }
            | Self::DiskNotReady { member, .. }
            | Self::MachineUnread { member }
            | Self::MachineGone { member }
            | Self::PointsUnread { member }
            | Self::NoPoint { member }
            | Self::NotMapped { member }
            | Self::MappingUnread { member }
            | Self::TargetTaken { member, .. }
            | Self::TargetUnread { member }
            | Self::SizeNotOffered { member, .. }
            | Self::SizesUnread { member } => Some(member),
            Self::SourceSilent
            | Self::MembersUnread
            | Self::TooMany { .. }
            | Self::GroupEmpty { .. }
            | Self::Target(_)
            | Self::Profile { .. }
            | Self::Endpoint { .. }
            | Self::InFrom { .. }
            | Self::PlaceUnread { .. }
            | Self::RightMissing { .. }
            | Self::RightsUnread { .. }
            | Self::Locked { .. }
            | Self::LocksUnread { .. } => None,
        }
    }

    /// It stands until somebody changes the recovery plan or what it needs: it is not of the moment, and it was read.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::SourceSilent
            | Self::MembersUnread
            | Self::NotListed { .. }
            | Self::ItemUnread { .. }
            | Self::RpoUnread { .. }
            | Self::RpoStale { .. }
            | Self::RpoOver { .. }
            | Self::DiskNotReady { .. }
            | Self::MachineUnread { .. }
            | Self::PointsUnread { .. }
            | Self::NoPoint { .. }
            | Self::MappingUnread { .. }
            | Self::TargetUnread { .. }
            | Self::SizesUnread { .. }
            | Self::PlaceUnread { .. }
            | Self::RightsUnread { .. }
            | Self::LocksUnread { .. } => false,
            Self::Item { unmet, .. } => matches!(unmet, ItemUnmet::InMultiVmGroup),
            Self::Target(unmet) => unmet.is_known,
            Self::Profile { unmet, .. } => !matches!(unmet, ProfileUnmet::Unread),
            Self::Endpoint { misled, .. } => !matches!(misled, Misled::Unread),
            Self::TooMany { .. }
            | Self::GroupEmpty { .. }
            | Self::InTwoGroups { .. }
            | Self::NotReplicated { .. }
            | Self::DiskNotReplicated { .. }
            | Self::DisksLeftOut { .. }
            | Self::MachineGone { .. }
            | Self::NotMapped { .. }
            | Self::TargetTaken { .. }
            | Self::SizeNotOffered { .. }
            | Self::InFrom { .. }
            | Self::RightMissing { .. }
            | Self::Locked { .. } => true,
        }
    }

    /// A member does not allow failover, by what was read of it.
    pub(super) fn refuses(&self) -> bool {
        match self {
            Self::NotReplicated { .. } => true,
            Self::Item { unmet, .. } => !unmet.is_health(),
            _ => false,
        }
    }

    /// Nothing but the silence of the region that may be lost may be behind it: replication from there stands still, and nobody there
    /// can be read.
    pub(super) fn follows_from_silence(&self) -> bool {
        match self {
            Self::SourceSilent
            | Self::NotListed { .. }
            | Self::MachineUnread { .. }
            | Self::RpoStale { .. }
            | Self::RpoOver { .. } => true,
            Self::Item { unmet, .. } => unmet.is_health(),
            Self::RightsUnread { in_from, .. } | Self::LocksUnread { in_from, .. } => *in_from,
            _ => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SourceSilent => f.write_str("nobody answers in the region that may be lost"),
            Self::MembersUnread => f.write_str("which machines are members could not be read"),
            Self::TooMany { members, most } => write!(f, "it has {members} members, and {most} are looked after"),
            Self::GroupEmpty { group } => write!(f, "group {group} has no member"),
            Self::InTwoGroups { member, groups: (one, other) } => {
                write!(f, "{member} is in group {one} and in group {other}")
            }
            Self::NotListed { member } => write!(f, "{member} is not listed any more, and not proven gone"),
            Self::NotReplicated { member } => write!(f, "{member} is not replicated by any vault in scope"),
            Self::ItemUnread { member } => write!(f, "{member}: its replicated item could not be read"),
            Self::Item { member, unmet } => write!(f, "{member} {unmet}"),
            Self::RpoUnread { member } => write!(f, "{member}: how old its newest point is, is not told"),
            Self::RpoStale { member, reckoned_at } => {
                write!(f, "{member}: how old its newest point is, was last reckoned at {reckoned_at}")
            }
            Self::RpoOver { member, age, most } => {
                write!(
                    f,
                    "{member}: its newest point is {} s old, at most {} s may be lost",
                    age.as_secs(),
                    most.as_secs()
                )
            }
            Self::DiskNotReplicated { member, disk } => write!(f, "{member}: disk {} is not replicated", last(disk)),
            Self::DisksLeftOut { member, disks } => {
                write!(f, "{member}: {disks} of its disks are not replicated, by Site Recovery's word")
            }
            Self::DiskNotReady { member, disk } => write!(f, "{member}: disk {} is not copied whole", last(disk)),
            Self::MachineUnread { member } => {
                write!(f, "{member}: the machine could not be read, so which disks it has is not known")
            }
            Self::MachineGone { member } => write!(f, "{member}: the machine is gone"),
            Self::PointsUnread { member } => write!(f, "{member}: its recovery points could not be read"),
            Self::NoPoint { member } => write!(f, "{member} has no recovery point"),
            Self::NotMapped { member } => write!(f, "{member}: its container is not mapped to the other region"),
            Self::MappingUnread { member } => write!(f, "{member}: how its container is mapped could not be read"),
            Self::TargetTaken { member, id } => write!(f, "{member}: {} has the id of the machine to be", last(id)),
            Self::TargetUnread { member } => {
                write!(f, "{member}: whether a machine has the id of the machine to be could not be read")
            }
            Self::SizeNotOffered { member, size } => {
                write!(f, "{member}: {size} is not among the sizes that Site Recovery offers for it")
            }
            Self::SizesUnread { member } => {
                write!(f, "{member}: which sizes Site Recovery offers for it could not be read")
            }
            Self::Target(unmet) => unmet.fmt(f),
            Self::Profile { profile, unmet } => write!(f, "profile {profile} {unmet}"),
            Self::Endpoint { profile, endpoint, misled: Misled::Unread } => {
                write!(f, "where endpoint {endpoint} of profile {profile} leads could not be read")
            }
            Self::Endpoint { profile, endpoint, misled } => {
                write!(f, "endpoint {endpoint} of profile {profile} leads to {misled}")
            }
            Self::InFrom { what, name } => write!(f, "{what} {name} lies in the region that may be lost"),
            Self::PlaceUnread { what, name } => write!(f, "where {what} {name} lies is not known"),
            Self::RightMissing { scope, action, more: 0 } => write!(f, "{action} is not allowed in {scope}"),
            Self::RightMissing { scope, action, more } => {
                write!(f, "{action} and {more} more actions are not allowed in {scope}")
            }
            Self::RightsUnread { scope, .. } => write!(f, "what is allowed in {scope} could not be read"),
            Self::Locked { lock } => write!(f, "{lock} forbids changes of {}", lock.over()),
            Self::LocksUnread { subscription, .. } => {
                write!(f, "which locks stand in subscription {subscription} could not be read")
            }
        }
    }
}

impl fmt::Display for Misled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = match self {
            Self::InFrom { address, holder, to } => {
                write!(f, "public address {address}")?;
                if let Some(holder) = holder {
                    write!(f, ", held by {},", last(holder))?;
                }
                f.write_str(" in the region that may be lost")?;
                to
            }
            Self::Elsewhere { address, location, to } => {
                write!(f, "public address {address} in {location}")?;
                to
            }
            Self::Gone { address, to } => {
                write!(f, "public address {address}, which is not there")?;
                to
            }
            Self::Unread => return f.write_str("what could not be read"),
        };
        write!(f, ": lead it to an address or a balancer in {to}")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vault => "the vault",
            Self::VaultGroup => "the vault's group",
            Self::TargetGroup => "the target group",
            Self::NetworkGroup => "the target network's group",
            Self::ProfileGroup => "the profile's group",
            Self::Controller => "the deployment",
        })
    }
}

/// The last part of an ARM id: the name.
pub(super) fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}
