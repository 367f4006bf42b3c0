//! Checks a plan with other code than made it: each rule is derived again from the facts alone.
//! It never repairs a plan; a fatal note stops the run.

pub mod expiry;
mod made_for;
mod protection;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use jiff::SignedDuration;

use crate::effect::{Consistency, Effect, PointEffect};
use crate::facts::{Agent, Collection, CollectionSeen, Facts, Machine, MachineSeen, PointState, Provisioning};
use crate::id::{MachineKey, NAME_CHARS_MAX, PointName, SlotName, collection, hash, points_group};
use crate::plan::Plan;
use crate::policy::{self, BackupPolicy, Mode, Reach};

/// Something that the audit found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What.
    pub finding: Finding,
    /// The effect that it is about.
    pub effect: String,
}

/// What an audit can find. All of these are fatal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A change under a policy that only reports.
    ChangeUnderReport,
    /// A change for a machine that was not read.
    MachineNotSeen,
    /// A change for a machine that ARM is at work on or deletes.
    MachineNotAtRest,
    /// A change for a machine that something else manages and the policy does not name.
    Managed,
    /// A change without knowing since when creations are known, or for a machine older than that less the policy's window.
    NotACreation,
    /// A point where one stands, is being made, or has this name already.
    SecondPoint,
    /// More than one point in a plan.
    TwoPoints,
    /// A change in a collection that is not this deployment's, or of another machine.
    Foreign,
    /// A name that is too long, has other characters, or is not derived from this machine.
    Name,
    /// A place that is not the machine's subscription and the points' group of its region.
    Place,
    /// A point before its collection, or a collection before its group.
    Order,
    /// An application-consistent point without a ready agent.
    Consistency,
    /// A deletion: a look at a machine makes points and never deletes one.
    Deletes,
    /// A disk left out that is the OS disk, or none of the machine's data disks.
    OsDisk,
    /// A vault, a vault policy, a point or a machine that is not the one asked for, or that the policy does not ask for.
    NotAsked,
    /// A change where protection is there already, was stopped, deleted or moved by somebody, or is not known.
    ProtectionThere,
    /// A backup while another job runs, or without an item that waits for its first one.
    BackupNotDue,
    /// A change for a machine in a region that is not this deployment's.
    NotOurRegion,
    /// A change by a policy while another one that matches has as high a priority.
    NotTheHighest,
}

/// Audits a plan against the facts that it was made from.
pub fn audit(plan: &Plan, policy: &BackupPolicy, facts: &Facts) -> Vec<Note> {
    let Some(first) = plan.effects.first() else { return Vec::new() };
    let mut notes = Vec::new();
    let mut note = |finding, effect: &Effect| notes.push(Note { finding, effect: effect.to_string() });
    if policy.mode != Mode::Enforce {
        note(Finding::ChangeUnderReport, first);
    }
    let MachineSeen::Present(machine) = &facts.machine else {
        note(Finding::MachineNotSeen, first);
        return notes;
    };
    if machine.provisioning != Provisioning::Settled {
        note(Finding::MachineNotAtRest, first);
    }
    if crate::plan::in_scope(policy, machine).is_err() {
        note(Finding::Managed, first);
    }
    let location = machine.about.location.replace(' ', "");
    if !facts.owned_regions.iter().any(|owned| owned.eq_ignore_ascii_case(&location)) {
        note(Finding::NotOurRegion, first);
    }
    for effect in &plan.effects {
        let Some((name, kind)) = made_for::slot(effect) else { continue };
        if !made_for::is_asked(&name, kind, policy) {
            note(Finding::NotAsked, effect);
        }
        if name.slot == SlotName::OnCreate && !is_recent(machine, policy, facts) {
            note(Finding::NotACreation, effect);
        }
    }
    if !made_for::is_one_slot(&plan.effects) {
        note(Finding::TwoPoints, first);
    }
    let (mut group, mut stands) = match &facts.collection {
        CollectionSeen::Present(_) => (true, true),
        CollectionSeen::Absent => (true, false),
        CollectionSeen::GroupAbsent | CollectionSeen::Unknown(_) => (false, false),
    };
    for effect in &plan.effects {
        let point = match effect {
            Effect::Point(point) => point,
            Effect::Protection(protection) => {
                for finding in protection::about(protection, machine, policy, facts) {
                    note(finding, effect);
                }
                continue;
            }
        };
        match point {
            PointEffect::EnsureGroup { .. } => group = true,
            PointEffect::EnsureCollection { .. } if !group => note(Finding::Order, effect),
            PointEffect::EnsureCollection { .. } => stands = true,
            PointEffect::CreateRestorePoint { .. } if !stands => note(Finding::Order, effect),
            PointEffect::CreateRestorePoint { .. } | PointEffect::CreateSnapshot { .. } => {}
            PointEffect::ExpireRestorePoint { .. } | PointEffect::ExpireSnapshot { .. } => {
                note(Finding::Deletes, effect)
            }
        }
        for finding in about(point, machine, facts) {
            note(finding, effect);
        }
    }
    notes
}

/// Audits whose turn it was: of all policies that match the machine, the one that was followed stands alone at the top.
pub fn audit_choice(plan: &Plan, policies: &[BackupPolicy], followed: &BackupPolicy, facts: &Facts) -> Option<Note> {
    let first = plan.effects.first()?;
    let MachineSeen::Present(machine) = &facts.machine else { return None };
    let rivals = policies.iter().filter(|other| other.name != followed.name && other.priority >= followed.priority);
    let mut rivals = rivals.filter(|other| policy::reach(&other.matches, &machine.about) != Reach::Outside);
    let rival = rivals.next()?;
    let of_rival = format!("{first}, while the policy {} matches as well", rival.name);
    Some(Note { finding: Finding::NotTheHighest, effect: of_rival })
}

/// Created within the longest window of the policy's entries, counted back from the time since when creations are known.
fn is_recent(machine: &Machine, policy: &BackupPolicy, facts: &Facts) -> bool {
    let windows = policy.points.iter().filter_map(|entry| entry.on_create).map(|rule| rule.within.as_secs().max(3600));
    let Some(since) = facts.known_since else { return false };
    windows
        .max()
        .is_some_and(|window_secs| since.duration_since(machine.created_at) <= SignedDuration::from_secs(window_secs))
}

/// What is wrong with one effect by itself.
fn about(effect: &PointEffect, machine: &Machine, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut unless = |holds: bool, finding| {
        if !holds {
            found.push(finding);
        }
    };
    let region: String = machine.about.location.to_lowercase().replace(' ', "");
    let key = MachineKey::new(&machine.vm_id, &machine.id);
    match effect {
        PointEffect::EnsureGroup { subscription, group, location } => {
            unless(*subscription == machine.about.subscription && *group == points_group(&region), Finding::Place);
            unless(*location == machine.about.location, Finding::Place);
        }
        PointEffect::EnsureCollection { place, location, machine: source, owner, estate, vm_hash } => {
            unless(
                place.subscription == machine.about.subscription && place.group == points_group(&region),
                Finding::Place,
            );
            unless(*location == machine.about.location && *source == machine.id, Finding::Place);
            unless(place.collection == collection(&key), Finding::Name);
            unless(
                *owner == facts.owner.deployment && *estate == facts.owner.estate && !estate.is_empty(),
                Finding::Foreign,
            );
            unless(*vm_hash == hash(&[&machine.vm_id.to_lowercase()]), Finding::Name);
        }
        PointEffect::CreateRestorePoint { place, point, consistency, excluded } => {
            unless(made_for::are_data_disks(excluded, machine), Finding::OsDisk);
            unless(
                place.subscription == machine.about.subscription && place.group == points_group(&region),
                Finding::Place,
            );
            unless(place.collection == collection(&key) && is_name(point, machine), Finding::Name);
            unless(*consistency != Consistency::Application || machine.agent == Agent::Ready, Finding::Consistency);
            if let CollectionSeen::Present(collection) = &facts.collection {
                unless(collection.owner.as_deref() == Some(facts.owner.deployment.as_str()), Finding::Foreign);
                unless(collection.estate.as_ref().is_some_and(|id| *id == facts.owner.estate), Finding::Foreign);
                unless(collection.source.to_lowercase() == machine.id.to_lowercase(), Finding::Foreign);
                unless(!is_second(point, collection), Finding::SecondPoint);
            }
        }
        PointEffect::CreateSnapshot { .. } => return made_for::about_snapshot(effect, machine, facts),
        // Noted already: nothing of it is right here.
        PointEffect::ExpireRestorePoint { .. } | PointEffect::ExpireSnapshot { .. } => {}
    }
    found
}

fn is_name(point: &str, machine: &Machine) -> bool {
    let plain = point.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let of_machine = PointName::parse(point).is_some_and(|name| name.source == hash(&[&machine.vm_id.to_lowercase()]));
    plain && of_machine && point.len() <= NAME_CHARS_MAX
}

/// The same slot succeeded or is at work, or the name is taken.
fn is_second(point: &str, collection: &Collection) -> bool {
    let Some(wanted) = PointName::parse(point) else { return true };
    collection.points.iter().any(|seen| {
        let same = PointName::parse(&seen.name).is_some_and(|name| name.same_slot(&wanted));
        seen.name == point || (same && seen.state != PointState::Failed) || seen.state == PointState::InProgress
    })
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ChangeUnderReport => "a change under a policy that only reports",
            Self::MachineNotSeen => "a change for a machine that was not read",
            Self::MachineNotAtRest => "a change for a machine that is not at rest",
            Self::Managed => "a change for a machine out of the policy's scope",
            Self::NotACreation => "a point on creation for a machine that is not new",
            Self::SecondPoint => "a second point for one slot",
            Self::TwoPoints => "two points in one plan",
            Self::Foreign => "a change in a collection that is not ours",
            Self::Name => "a name that is not derived from the machine",
            Self::Place => "a place that is not the points' place of the machine",
            Self::Order => "an effect before the one that it rests on",
            Self::NotOurRegion => "a change in a region that is not this deployment's",
            Self::NotTheHighest => "a change by a policy that is not alone at the highest priority",
            Self::Consistency => "an application-consistent point without a ready agent",
            Self::Deletes => "a deletion, which a look at a machine never does",
            Self::OsDisk => "a disk left out that is no data disk of the machine",
            Self::NotAsked => "a change that the policy does not ask for",
            Self::ProtectionThere => "a change where protection is there, or was changed by somebody, or is not known",
            Self::BackupNotDue => "a backup that is not due",
        })
    }
}
