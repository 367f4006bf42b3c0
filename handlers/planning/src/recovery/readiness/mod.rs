//! Whether a recovery plan can be executed now, by what one look saw of it; and the order of its failover, from what was saved of it.
//! It never reads anything, and never takes what is not known for ready: what could not be read is a reason of its own.
//!
//! ```text
//! seen ─► reasons ─┬─ none                                                 ready
//!                  ├─ a member does not allow it, now or ever              member refuses: no order passes that
//!                  ├─ nothing but what the region's own silence explains   silent: as it was when it was ready last, until that is old
//!                  └─ else                                                 not ready
//! ```

mod leads;
mod locks;
mod note;
mod order;
mod reason;
mod seen;
#[cfg(test)]
mod tests;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};

use super::{RecoveryPlan, Traffic};
use crate::declaration;
use crate::saga::failover::{Known, endpoints, item_unmet, target_unmet};
use leads::Leads;

pub use leads::{AddressSeen, AddressesSeen, EndpointSeen, EndpointTarget};
pub use locks::{LockLevel, LockSeen, Locked, LocksSeen};
pub use note::Note;
pub use order::{OrderRefused, Ordered, SavedGroup, SavedPath, order};
pub use reason::{Misled, Place, Reason};
pub use seen::{DiskSeen, GroupSeen, MemberSeen, PlaceSeen, RightSeen, Rpo, Seen, TrafficSeen};

/// How long ago the age of the newest point may have been reckoned. *Assumed* (`replica-rpo-fresh`): no source tells how often it is.
pub const RPO_FRESH_FOR: SignedDuration = SignedDuration::from_mins(15);
/// Members of a recovery plan, at most: what is saved of each is some kilobytes, and a record is written at once up to 4 MiB.
pub const MEMBERS_MAX: usize = 500;

/// What one look came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Whether it can be executed.
    pub state: State,
    /// What keeps it from that, in the order of the recovery plan.
    pub reasons: Vec<Reason>,
    /// What is told besides, and keeps it from nothing.
    pub notes: Vec<Note>,
}

/// Whether a recovery plan can be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It can.
    Ready,
    /// The region that may be lost does not answer, and nothing is known against it but what that explains.
    Silent,
    /// It cannot, for reasons that an order may pass.
    NotReady,
    /// A member does not allow failover: no order passes that.
    MemberRefuses,
}

/// Judges what was seen of a recovery plan.
pub fn judge(plan: &RecoveryPlan, seen: &Seen, now: Timestamp) -> Judged {
    let mut reasons = Vec::new();
    if seen.source_silent {
        reasons.push(Reason::SourceSilent);
    }
    reasons.extend(seen.not_listed.iter().cloned().map(|member| Reason::NotListed { member }));
    match &seen.groups {
        Known::Is(groups) => groups_reasons(plan, groups, now, &mut reasons),
        Known::Absent | Known::Unknown => reasons.push(Reason::MembersUnread),
    }
    reasons.extend(target_unmet(&seen.target).into_iter().map(Reason::Target));
    reasons.extend(seen.places.iter().filter_map(|place| elsewhere(plan, place)));
    let mut notes = Vec::from([Note::CapacityNotKnown]);
    for traffic in &plan.traffic {
        profile_reasons(plan, traffic, seen, &mut reasons, &mut notes);
    }
    reasons.extend(seen.rights.iter().filter_map(right_reason));
    if let Known::Is(groups) = &seen.groups {
        groups.iter().flat_map(|group| &group.members).for_each(|it| member_notes(it, &mut notes));
    }
    notes.extend(seen.saving.iter().filter_map(saving_note));
    seen.locks.iter().for_each(|own| locks::judge(own, &mut reasons, &mut notes));
    Judged { state: state_of(&reasons), reasons, notes }
}

impl State {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Silent => "silent",
            Self::NotReady => "notReady",
            Self::MemberRefuses => "memberRefuses",
        }
    }

    /// What a declaration rests on. While the region is silent that is the last time when it was ready: whoever is to fail over
    /// because a region is lost cannot be asked to read it first, and what is old is not ready all the same.
    pub fn readiness(self, looked_at: Timestamp, ready_at: Option<Timestamp>) -> declaration::Readiness {
        match (self, ready_at) {
            (Self::Ready, _) => declaration::Readiness::Ready { at: looked_at },
            (Self::Silent, Some(at)) => declaration::Readiness::Ready { at },
            (Self::Silent, None) | (Self::NotReady, _) => declaration::Readiness::NotReady { at: looked_at },
            (Self::MemberRefuses, _) => declaration::Readiness::MemberRefuses { at: looked_at },
        }
    }
}

/// The newest usable point of a workload: the oldest of its members' newest ones. Nothing where a member has none.
pub fn newest_usable(newest: impl IntoIterator<Item = Option<Timestamp>>) -> Option<Timestamp> {
    let all: Option<Vec<Timestamp>> = newest.into_iter().collect();
    all?.into_iter().min()
}

fn state_of(reasons: &[Reason]) -> State {
    let silent = reasons.contains(&Reason::SourceSilent);
    if reasons.is_empty() {
        State::Ready
    } else if reasons.iter().any(Reason::refuses) {
        State::MemberRefuses
    } else if silent && reasons.iter().all(Reason::follows_from_silence) {
        State::Silent
    } else {
        State::NotReady
    }
}

fn groups_reasons(plan: &RecoveryPlan, groups: &[GroupSeen], now: Timestamp, reasons: &mut Vec<Reason>) {
    let members: usize = groups.iter().map(|group| group.members.len()).sum();
    if members > MEMBERS_MAX {
        reasons.push(Reason::TooMany { members, most: MEMBERS_MAX });
    }
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for group in groups {
        if group.members.is_empty() {
            reasons.push(Reason::GroupEmpty { group: group.name.clone() });
        }
        for it in &group.members {
            if let Some(other) = first.insert(&it.name, &group.name) {
                let groups = (String::from(other), group.name.clone());
                reasons.push(Reason::InTwoGroups { member: it.name.clone(), groups });
            }
            member_reasons(plan, it, now, reasons);
        }
    }
}

/// Rules 1, 2 and 3 of readiness, and that every disk is replicated.
fn member_reasons(plan: &RecoveryPlan, it: &MemberSeen, now: Timestamp, reasons: &mut Vec<Reason>) {
    let member = || it.name.clone();
    let item = match &it.item {
        Known::Is(item) => item,
        Known::Absent => return reasons.push(Reason::NotReplicated { member: member() }),
        Known::Unknown => return reasons.push(Reason::ItemUnread { member: member() }),
    };
    reasons.extend(item_unmet(item).into_iter().map(|unmet| Reason::Item { member: member(), unmet }));
    reasons.extend(rpo_reason(plan, it, now));
    disks_reasons(it, reasons);
    match &it.points {
        Known::Is(points) if points.is_empty() => reasons.push(Reason::NoPoint { member: member() }),
        Known::Is(_) => {}
        Known::Absent | Known::Unknown => reasons.push(Reason::PointsUnread { member: member() }),
    }
    match it.mapping {
        Known::Is(()) => {}
        Known::Absent => reasons.push(Reason::NotMapped { member: member() }),
        Known::Unknown => reasons.push(Reason::MappingUnread { member: member() }),
    }
    match &it.target {
        Known::Absent => {}
        Known::Is(id) => reasons.push(Reason::TargetTaken { member: member(), id: id.clone() }),
        Known::Unknown => reasons.push(Reason::TargetUnread { member: member() }),
    }
    match &it.size {
        Some((size, Known::Is(false))) => {
            reasons.push(Reason::SizeNotOffered { member: member(), size: size.clone() });
        }
        Some((_, Known::Unknown)) => reasons.push(Reason::SizesUnread { member: member() }),
        // Where the item names no size, that the quota of its family is not known is told.
        Some((_, Known::Is(true) | Known::Absent)) | None => {}
    }
}

/// What a person is told of a member before it is failed over (rules 3 and 4).
fn member_notes(it: &MemberSeen, notes: &mut Vec<Note>) {
    let member = || it.name.clone();
    notes.extend(it.pending_kib.filter(|kib| *kib > 0).map(|kib| Note::Pending { member: member(), kib }));
    if !it.not_carried.is_empty() {
        notes.push(Note::NotCarried { member: member(), what: it.not_carried.clone() });
    }
}

/// Fresh, and inside the largest loss.
fn rpo_reason(plan: &RecoveryPlan, it: &MemberSeen, now: Timestamp) -> Option<Reason> {
    let member = it.name.clone();
    let Some(Rpo { age, reckoned_at }) = it.rpo else { return Some(Reason::RpoUnread { member }) };
    let since = now.duration_since(reckoned_at).max(SignedDuration::ZERO);
    if since > RPO_FRESH_FOR {
        return Some(Reason::RpoStale { member, reckoned_at });
    }
    let (most, age) = (plan.declaration.max_data_loss, age.saturating_add(since));
    (age > most).then_some(Reason::RpoOver { member, age, most })
}

/// Every disk of the machine is replicated, by the machine's own word; and none is said to be left out, or still to be copied.
fn disks_reasons(it: &MemberSeen, reasons: &mut Vec<Reason>) {
    let member = || it.name.clone();
    let replicated = |id: &str| it.disks.iter().any(|disk| disk.id.eq_ignore_ascii_case(id));
    match &it.machine_disks {
        Known::Is(disks) => {
            let missing: Vec<&String> = disks.iter().filter(|id| !replicated(id)).collect();
            if missing.is_empty() && it.left_out > 0 {
                reasons.push(Reason::DisksLeftOut { member: member(), disks: it.left_out });
            }
            reasons.extend(
                missing.into_iter().map(|disk| Reason::DiskNotReplicated { member: member(), disk: disk.clone() }),
            );
        }
        Known::Absent => reasons.push(Reason::MachineGone { member: member() }),
        Known::Unknown => {
            if it.left_out > 0 {
                reasons.push(Reason::DisksLeftOut { member: member(), disks: it.left_out });
            }
            reasons.push(Reason::MachineUnread { member: member() });
        }
    }
    let unready = it.disks.iter().filter(|disk| !disk.ready);
    reasons.extend(unready.map(|disk| Reason::DiskNotReady { member: member(), disk: disk.id.clone() }));
}

/// What lies in the region that may be lost would be lost with it.
fn elsewhere(plan: &RecoveryPlan, place: &PlaceSeen) -> Option<Reason> {
    let (what, name) = (place.what, place.name.clone());
    match &place.location {
        Known::Is(location) if plan.from.is(location) => Some(Reason::InFrom { what, name }),
        Known::Is(_) => None,
        // That it is not there is told where it is asked for.
        Known::Absent | Known::Unknown => Some(Reason::PlaceUnread { what, name }),
    }
}

fn profile_reasons(
    plan: &RecoveryPlan,
    traffic: &Traffic,
    seen: &Seen,
    reasons: &mut Vec<Reason>,
    notes: &mut Vec<Note>,
) {
    let profile = || traffic.profile.clone();
    let found = seen.traffic.iter().find(|one| one.profile.eq_ignore_ascii_case(&traffic.profile));
    let facts = found.map_or(&Known::Unknown, |found| &found.facts);
    let (from, to) = match endpoints(facts, &traffic.from, &traffic.to) {
        Ok(both) => both,
        Err(unmet) => return reasons.push(Reason::Profile { profile: profile(), unmet }),
    };
    if to.enabled {
        notes.push(Note::TargetServes { profile: profile(), endpoint: to.name.clone() });
    }
    let endpoints = found.map_or(&[][..], |found| &found.endpoints);
    let leads = Leads { plan, profile: &traffic.profile, endpoints, addresses: &seen.addresses };
    leads.target(to, reasons, notes);
    leads.old(from, notes);
}

/// Saving the old disks hinders no failover: it is told now because later it would stop the protection of the other way.
fn saving_note(right: &RightSeen) -> Option<Note> {
    let scope = right.scope.clone();
    match right.missing.as_ref() {
        None => Some(Note::SavingUnread { scope }),
        Some(missing) => missing.first().map(|action| Note::SavingForbidden {
            scope,
            action: action.clone(),
            more: missing.len() - 1,
        }),
    }
}

fn right_reason(right: &RightSeen) -> Option<Reason> {
    let scope = right.scope.clone();
    match right.missing.as_ref() {
        None => Some(Reason::RightsUnread { scope, in_from: right.in_from }),
        Some(missing) => missing.first().map(|action| Reason::RightMissing {
            scope,
            action: action.clone(),
            more: missing.len() - 1,
        }),
    }
}
