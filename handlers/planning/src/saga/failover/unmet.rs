//! What is not met of what a failover rests on, each rule said once: readiness tells all of it, preflight stops at the first.
//! It never takes what is not known for met.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::seen::{EndpointFacts, ItemFacts, Known, ProfileFacts, TargetFacts};

/// The state of an item that may be failed over.
pub(super) const PROTECTED: &str = "Protected";

/// What is not met of a replicated item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemUnmet {
    /// It fails over with others alone.
    InMultiVmGroup,
    /// Its `protectionState` is another, or it is not active on its primary side.
    State(String),
    /// Azure does not allow it to be failed over now.
    NotAllowed,
    /// Its `replicationHealth` is not Normal.
    Health,
    /// An error of its failover's health, by its code.
    Error(String),
}

/// What the target needs besides its machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetPart {
    /// The vault.
    Vault,
    /// The groups of the machines to be.
    Group,
    /// Their networks.
    Network,
    /// Where these lie.
    NetworkPlace,
    /// The quota of cores, and the sizes that are offered.
    Quota,
}

/// What is not met of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetUnmet {
    /// Of what.
    pub part: TargetPart,
    /// It was read; else it is not known.
    pub is_known: bool,
}

/// What is not met of a traffic profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileUnmet {
    /// It is not there.
    Gone,
    /// It could not be read.
    Unread,
    /// It is disabled.
    Disabled,
    /// Its endpoint of the target side is nested or always served: nothing tells when it is online.
    Unmonitored,
    /// It lacks one of the two endpoints.
    EndpointMissing,
}

/// All that is not met of an item, in the order in which it is told.
pub fn item_unmet(item: &ItemFacts) -> Vec<ItemUnmet> {
    let mut unmet = Vec::new();
    if item.in_multi_vm_group {
        unmet.push(ItemUnmet::InMultiVmGroup);
    }
    if item.state != PROTECTED || !item.on_primary {
        unmet.push(ItemUnmet::State(item.state.clone()));
    }
    if !item.allows_failover {
        unmet.push(ItemUnmet::NotAllowed);
    }
    if !item.healthy {
        unmet.push(ItemUnmet::Health);
    }
    unmet.extend(item.errors.iter().cloned().map(ItemUnmet::Error));
    unmet
}

/// All that is not met of the target, in the order in which it is told.
pub fn target_unmet(seen: &TargetFacts) -> Vec<TargetUnmet> {
    let there = [(TargetPart::Vault, &seen.vault), (TargetPart::Group, &seen.groups)];
    let missing = there.into_iter().filter(|(_, known)| **known != Known::Is(()));
    let mut unmet: Vec<TargetUnmet> =
        missing.map(|(part, known)| TargetUnmet { part, is_known: *known == Known::Absent }).collect();
    match seen.networks {
        Known::Is(true) => {}
        Known::Is(false) => unmet.push(TargetUnmet { part: TargetPart::NetworkPlace, is_known: true }),
        Known::Absent => unmet.push(TargetUnmet { part: TargetPart::Network, is_known: true }),
        Known::Unknown => unmet.push(TargetUnmet { part: TargetPart::Network, is_known: false }),
    }
    if seen.quota_has_room != Known::Is(true) {
        unmet.push(TargetUnmet { part: TargetPart::Quota, is_known: seen.quota_has_room != Known::Unknown });
    }
    unmet
}

/// The endpoints of the old and of the target side; else what of the profile is not met.
pub fn endpoints<'p>(
    profile: &'p Known<ProfileFacts>,
    from: &str,
    to: &str,
) -> Result<(&'p EndpointFacts, &'p EndpointFacts), ProfileUnmet> {
    let profile = match profile {
        Known::Is(profile) => profile,
        Known::Absent => return Err(ProfileUnmet::Gone),
        Known::Unknown => return Err(ProfileUnmet::Unread),
    };
    if !profile.enabled {
        return Err(ProfileUnmet::Disabled);
    }
    let endpoint = |name: &str| profile.endpoints.iter().find(|endpoint| endpoint.name.eq_ignore_ascii_case(name));
    match (endpoint(from), endpoint(to)) {
        (Some(from), Some(to)) if from.unmonitored || to.unmonitored => Err(ProfileUnmet::Unmonitored),
        (Some(from), Some(to)) => Ok((from, to)),
        _ => Err(ProfileUnmet::EndpointMissing),
    }
}

impl ItemUnmet {
    /// About health: what an order may name and pass.
    pub fn is_health(&self) -> bool {
        matches!(self, Self::Health | Self::Error(_))
    }
}

impl fmt::Display for ItemUnmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InMultiVmGroup => f.write_str("is in a multi-VM group, which fails over as a whole alone"),
            Self::State(state) if state.is_empty() => f.write_str("is replicated in a state that is not told"),
            Self::State(state) => write!(f, "is not protected on its primary side, but {state}"),
            Self::NotAllowed => f.write_str("may not be failed over now, by Azure's word"),
            Self::Health => f.write_str("is replicated in bad health"),
            Self::Error(code) => write!(f, "has error {code} in its failover's health"),
        }
    }
}

impl TargetPart {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Vault => "vault",
            Self::Group => "group",
            Self::Network => "network",
            Self::NetworkPlace => "where the network lies",
            Self::Quota => "quota",
        }
    }
}

impl fmt::Display for TargetUnmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match (self.part, self.is_known) {
            (TargetPart::Vault, true) => "the vault is not there",
            (TargetPart::Vault, false) => "whether the vault is there could not be read",
            (TargetPart::Group, true) => "a target group is not there",
            (TargetPart::Group, false) => "whether the target groups are there could not be read",
            (TargetPart::Network, true) => "a target network is not there, or a member names none",
            (TargetPart::Network, false) => "whether the target networks are there could not be read",
            (TargetPart::NetworkPlace, true) => "a target network lies in the region that may be lost",
            (TargetPart::NetworkPlace, false) => "where the target networks lie could not be read",
            (TargetPart::Quota, true) => "quota or sizes of the target region do not suffice",
            (TargetPart::Quota, false) => "quota and sizes of the target region could not be read",
        };
        f.write_str(text)
    }
}

impl ProfileUnmet {
    /// In a few words, as a saga tells it.
    pub(super) fn words(self) -> String {
        match self {
            Self::Gone => "gone",
            Self::Unread => "not read",
            Self::Disabled => "disabled",
            Self::Unmonitored => "nested or always served",
            Self::EndpointMissing => "an endpoint is missing",
        }
        .to_owned()
    }
}

impl fmt::Display for ProfileUnmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "is not there",
            Self::Unread => "could not be read",
            Self::Disabled => "is disabled",
            Self::Unmonitored => "has a target endpoint that is nested or always served",
            Self::EndpointMissing => "lacks an endpoint",
        })
    }
}
