//! What is told of a recovery plan besides, and keeps it from nothing. It never says what to do about it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::locks::{LockSeen, Locked};
use super::reason::last;

/// What is told besides.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are what the text of each note names")]
pub enum Note {
    /// No call tells whether the target region has room.
    CapacityNotKnown,
    /// The target's endpoint is enabled already: Traffic Manager moves by itself.
    TargetServes { profile: String, endpoint: String },
    /// It leads to a public address of the target side.
    Leads { profile: String, endpoint: String, address: String, location: String },
    /// It leads to what no public address in scope is called, or to a resource that is none.
    LeadsNobodyKnows { profile: String, endpoint: String, target: String },
    /// The old side's endpoint leads to the target side.
    OldLeadsToTarget { profile: String, endpoint: String, address: String },
    /// Where the old side's leads could not be read.
    OldLeadUnread { profile: String, endpoint: String },
    /// An agent still holds what is lost when the old machine stops.
    Pending { member: String, kib: u64 },
    /// The machine to be lacks what the machine has.
    NotCarried { member: String, what: Vec<String> },
    /// The identity may not save the old disks, which comes before the other way is protected.
    SavingForbidden { scope: String, action: String, more: usize },
    /// Whether it may could not be read.
    SavingUnread { scope: String },
    /// A lock forbids deleting alone.
    DeletesLocked { lock: LockSeen },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CapacityNotKnown => {
                f.write_str("whether the target region has free capacity, no call of Azure tells")
            }
            Self::TargetServes { profile, endpoint } => {
                write!(
                    f,
                    "endpoint {endpoint} of profile {profile} is enabled in normal times: traffic moves there by itself"
                )
            }
            Self::Leads { profile, endpoint, address, location } => {
                write!(f, "endpoint {endpoint} of profile {profile} leads to public address {address} in {location}")
            }
            Self::LeadsNobodyKnows { profile, endpoint, target } => write!(
                f,
                "endpoint {endpoint} of profile {profile} leads to {}, which is no public address in scope: nothing tells where that is",
                last(target)
            ),
            Self::OldLeadsToTarget { profile, endpoint, address } => write!(
                f,
                "endpoint {endpoint} of profile {profile}, the old side's, leads to public address {address} on the target side"
            ),
            Self::OldLeadUnread { profile, endpoint } => {
                write!(f, "where endpoint {endpoint} of profile {profile}, the old side's, leads could not be read")
            }
            Self::Pending { member, kib } => write!(
                f,
                "{member}: its agent still holds {}.{:02} MiB, which is lost where the old machine stops before it is sent",
                kib / 1024,
                kib % 1024 * 100 / 1024
            ),
            Self::NotCarried { member, what } => {
                write!(f, "{member}: not carried over to the machine to be: {}", what.join(", "))
            }
            Self::SavingForbidden { scope, action, more } => {
                write!(f, "{action}")?;
                match more {
                    0 => f.write_str(" is")?,
                    more => write!(f, " and {more} more actions are")?,
                }
                write!(
                    f,
                    " not allowed in {scope}: after a failover the old disks could not be saved, nor the other way be protected"
                )
            }
            Self::SavingUnread { scope } => {
                write!(
                    f,
                    "what is allowed in {scope}, where the old disks are saved after a failover, could not be read"
                )
            }
            Self::DeletesLocked { lock } => {
                write!(f, "{lock} hinders no failover, and forbids deleting {}", lock.over())?;
                let turning = lock.over.contains(&Locked::OldMachines);
                f.write_str(if turning { ", as protecting the other way does with the old ones" } else { "" })
            }
        }
    }
}
