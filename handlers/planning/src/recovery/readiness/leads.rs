//! Where the endpoints of a traffic profile lead: a public address must lie on the side that its endpoint stands for.
//! It never takes what nobody can know for ready or for unready, and never what could not be read for what is found nowhere.
//!
//! ```text
//! the target's endpoint ─┬─ an address in `to`                          a note: where it leads
//!                        ├─ one in `from` or elsewhere, or one gone     not ready
//!                        ├─ found in no list, all lists read            a note: nobody can know it
//!                        └─ not read                                    not ready, as all that is not read
//! the old endpoint ──────── an address in `to`, or not read             a note
//! ```

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::note::Note;
use super::reason::{Misled, Reason};
use crate::policy::Location;
use crate::recovery::RecoveryPlan;
use crate::saga::failover::{EndpointFacts, Known};

/// A public address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressSeen {
    /// Its name.
    pub name: String,
    /// Its region.
    pub location: String,
    /// The address itself.
    pub ip: Option<String>,
    /// The name that leads to it.
    pub fqdn: Option<String>,
    /// ARM id of what holds it: a network interface, a load balancer.
    pub holder: Option<String>,
}

/// The public addresses in scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressesSeen {
    /// Those that were read.
    pub all: Arc<Vec<AddressSeen>>,
    /// All of them were read.
    pub whole: bool,
}

/// An endpoint, and what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSeen {
    /// Its name.
    pub name: String,
    /// What it names.
    pub target: EndpointTarget,
}

/// What an endpoint names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointTarget {
    /// A public address, by its id.
    Address {
        /// The address's name.
        name: String,
        /// What was read of it.
        read: Known<AddressSeen>,
    },
    /// A resource of another kind, by its id.
    Resource(String),
    /// An address, or a name.
    Name(String),
    /// Neither is told.
    NotTold,
}

/// Where it leads.
enum Lead<'s> {
    /// To this address.
    To(&'s AddressSeen),
    /// To one that is not there.
    Gone(&'s str),
    /// To what no public address in scope is called.
    Nobody(&'s str),
    /// That could not be read.
    Unread,
}

/// What follows from where the endpoints of one profile lead.
pub(super) struct Leads<'s> {
    pub(super) plan: &'s RecoveryPlan,
    pub(super) profile: &'s str,
    pub(super) endpoints: &'s [EndpointSeen],
    pub(super) addresses: &'s AddressesSeen,
}

impl Leads<'_> {
    /// The target's endpoint must not lead to an address that lies elsewhere.
    pub(super) fn target(&self, endpoint: &EndpointFacts, reasons: &mut Vec<Reason>, notes: &mut Vec<Note>) {
        let (profile, name, to) = (String::from(self.profile), endpoint.name.clone(), &self.plan.to);
        let misled = match self.lead(&endpoint.name) {
            Lead::To(address) if to.is(&address.location) => {
                let (address, location) = (address.name.clone(), String::from(to.as_str()));
                return notes.push(Note::Leads { profile, endpoint: name, address, location });
            }
            Lead::To(address) if self.plan.from.is(&address.location) => Misled::InFrom {
                address: address.name.clone(),
                holder: address.holder.clone(),
                to: String::from(to.as_str()),
            },
            Lead::To(address) => Misled::Elsewhere {
                address: address.name.clone(),
                location: address.location.clone(),
                to: String::from(to.as_str()),
            },
            Lead::Gone(address) => Misled::Gone { address: String::from(address), to: String::from(to.as_str()) },
            Lead::Unread => Misled::Unread,
            Lead::Nobody(target) => {
                return notes.push(Note::LeadsNobodyKnows { profile, endpoint: name, target: String::from(target) });
            }
        };
        reasons.push(Reason::Endpoint { profile, endpoint: name, misled });
    }

    /// The old endpoint serves as it does; that it leads to the target side is worth knowing.
    pub(super) fn old(&self, endpoint: &EndpointFacts, notes: &mut Vec<Note>) {
        let (profile, name) = (String::from(self.profile), endpoint.name.clone());
        match self.lead(&endpoint.name) {
            Lead::To(address) if self.plan.to.is(&address.location) => {
                notes.push(Note::OldLeadsToTarget { profile, endpoint: name, address: address.name.clone() });
            }
            Lead::Unread => notes.push(Note::OldLeadUnread { profile, endpoint: name }),
            Lead::To(_) | Lead::Gone(_) | Lead::Nobody(_) => {}
        }
    }

    fn lead(&self, endpoint: &str) -> Lead<'_> {
        let seen = self.endpoints.iter().find(|seen| seen.name.eq_ignore_ascii_case(endpoint));
        match seen.map(|seen| &seen.target) {
            Some(EndpointTarget::Address { read: Known::Is(address), .. }) => Lead::To(address),
            Some(EndpointTarget::Address { name, read: Known::Absent }) => Lead::Gone(name),
            Some(EndpointTarget::Resource(id)) => Lead::Nobody(id),
            Some(EndpointTarget::Name(name)) => match self.addresses.called(name, &self.plan.to) {
                Some(address) => Lead::To(address),
                None if self.addresses.whole => Lead::Nobody(name),
                None => Lead::Unread,
            },
            Some(EndpointTarget::Address { read: Known::Unknown, .. } | EndpointTarget::NotTold) | None => Lead::Unread,
        }
    }
}

impl AddressesSeen {
    /// The address that is called so. Of several the one that does not lie where it should: one of them is enough.
    fn called(&self, target: &str, to: &Location) -> Option<&AddressSeen> {
        let called = |address: &&AddressSeen| {
            let names = address.ip.iter().chain(&address.fqdn);
            names.into_iter().any(|own| same(own, target))
        };
        self.all.iter().filter(called).min_by_key(|address| to.is(&address.location))
    }
}

/// Addresses are the same whatever their spelling, and names without regard to case and to the dot that may end them.
fn same(one: &str, other: &str) -> bool {
    match (one.parse::<IpAddr>(), other.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => one.to_canonical() == other.to_canonical(),
        _ => bare(one).eq_ignore_ascii_case(bare(other)),
    }
}

fn bare(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}
