//! Decides which of a machine's points expire: a verdict with all its reasons for each of them, and the deletions that are due.
//! It never names a collection, a vault or a group to be deleted: the types have no such thing. Keep wins.
//!
//! ```text
//! points of the collection ─┐   by rule (policy and entry)      retention      enforce → due, oldest first
//! snapshots, set by set ────┴─► not ours → foreign              verdicts ────► report  → would be due
//!                               no policy has the rule → keep
//! ```

mod rest;
mod scope;
mod seen;
#[cfg(test)]
mod tests;
pub mod vault;

use alloc::string::String;
use alloc::vec::Vec;
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use rest::rests_until;
pub use scope::Scope;
pub use seen::{LocksSeen, MachinePoints, Whereabouts, state, state_of_set};

use crate::effect::{Effect, PointEffect};
use crate::id::{PointName, hash};
use crate::policy::{BackupPolicy, Mode, PointEntry, WhenMachineDeleted};
use crate::retention::{self, Kind, PointSeen, Question, Reason, Reasons};
use seen::{Member, Seen};

/// What becomes of the points of one machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expiry {
    /// A verdict for every point that was seen, foreign ones included.
    pub verdicts: Vec<PointVerdict>,
    /// The points that go, oldest first; only of policies that are enforced.
    pub due: Vec<Due>,
    /// The points that would go if their policies did more than report.
    pub would: Vec<Due>,
}

/// The verdict on one point; a set of snapshots is one.
#[derive(Clone, Debug, PartialEq)]
pub struct PointVerdict {
    /// Its name; of a set the name of its first snapshot.
    pub name: String,
    /// The moment that its content is of.
    pub at: Option<Timestamp>,
    /// Policy and entry, where one in force made it.
    pub made_by: Option<(String, String)>,
    /// What becomes of it.
    pub kind: Kind,
    /// Every reason for it.
    pub reasons: Reasons,
}

/// A point that goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// The policy whose counters it counts against.
    pub policy: String,
    /// Its name; of a set the name of its first snapshot.
    pub name: String,
    /// The moment that its content is of.
    pub at: Timestamp,
    /// What is deleted: one restore point, or each snapshot of a set.
    pub effects: Vec<Effect>,
}

/// Verdicts for all points of one machine.
pub fn decide(points: &MachinePoints<'_>, policies: &[BackupPolicy], now: Timestamp) -> Expiry {
    let seen = seen::all(points);
    let mut expiry = Expiry::default();
    let (ours, foreign): (Vec<Seen>, Vec<Seen>) = seen.into_iter().partition(|one| one.name.is_some());
    for one in foreign {
        let reasons = Reasons::NONE.with(Reason::NotOurs);
        let (name, at) = (one.text, one.at);
        expiry.verdicts.push(PointVerdict { name, at, made_by: None, kind: Kind::Foreign, reasons });
    }
    let mut rules: Vec<String> = ours.iter().filter_map(|one| Some(one.name.as_ref()?.rule.clone())).collect();
    rules.sort();
    rules.dedup();
    for rule in rules {
        let of_rule: Vec<&Seen> =
            ours.iter().filter(|one| one.name.as_ref().is_some_and(|name| name.rule == rule)).collect();
        of_entry(points, entry_of(policies, &rule), &of_rule, now, &mut expiry);
    }
    expiry.due.sort_by(|one, other| one.at.cmp(&other.at).then_with(|| one.name.cmp(&other.name)));
    expiry.would.sort_by(|one, other| one.at.cmp(&other.at).then_with(|| one.name.cmp(&other.name)));
    expiry
}

/// The policy and the entry that a rule in a name stands for, where they are in force.
fn entry_of<'a>(policies: &'a [BackupPolicy], rule: &str) -> Option<(&'a BackupPolicy, &'a PointEntry)> {
    policies.iter().find_map(|policy| {
        let entry = policy.points.iter().find(|entry| hash(&[&policy.name, &entry.name]) == rule)?;
        Some((policy, entry))
    })
}

/// Verdicts for the points of one entry.
fn of_entry(
    machine: &MachinePoints<'_>,
    entry: Option<(&BackupPolicy, &PointEntry)>,
    points: &[&Seen],
    now: Timestamp,
    expiry: &mut Expiry,
) {
    let zone = entry.and_then(|(_, entry)| Some(entry.schedule.as_ref()?.zone().clone())).unwrap_or(TimeZone::UTC);
    let first = points.first().and_then(|one| one.name.as_ref());
    let question = Question {
        keep: entry.and_then(|(_, entry)| entry.keep.as_ref()),
        zone: &zone,
        at_least: entry.map(|(_, entry)| entry.at_least).unwrap_or_default(),
        machine: machine.whereabouts.presence(),
        when_gone: entry.map_or(WhenMachineDeleted::KeepLast, |(_, entry)| entry.when_machine_deleted),
        deleted_by_hand: first.is_some_and(|name| machine.deleted_by_hand.contains(&name.rule)),
        now,
    };
    let judged: Vec<PointSeen<'_>> = points.iter().map(|one| one.judged()).collect();
    let mut verdicts = retention::verdicts(&question, &judged);
    let living = entry.filter(|_| machine.whereabouts == Whereabouts::Living);
    let bar = living.and_then(|(policy, _)| machine.scope.bars(&policy.name));
    if let Some(reason) = machine.scope.bars_all().or(bar) {
        for verdict in verdicts.iter_mut().filter(|verdict| verdict.kind == Kind::Expire) {
            verdict.reasons.add(reason);
            verdict.kind = Kind::Blocked;
        }
    }
    for (one, verdict) in points.iter().zip(&verdicts) {
        let made_by = entry.map(|(policy, entry)| (policy.name.clone(), entry.name.clone()));
        let (name, at) = (one.text.clone(), one.at);
        expiry.verdicts.push(PointVerdict { name, at, made_by, kind: verdict.kind, reasons: verdict.reasons });
    }
    let Some((policy, _)) = entry else { return };
    for index in retention::due_oldest_first(&judged, &verdicts) {
        let (one, Some(at)) = (points[index], points[index].at) else { continue };
        let effects = one.members.iter().map(|member| delete(machine, member)).collect();
        let due = Due { policy: policy.name.clone(), name: one.text.clone(), at, effects };
        match policy.mode {
            Mode::Enforce => expiry.due.push(due),
            Mode::Report => expiry.would.push(due),
        }
    }
}

fn delete(machine: &MachinePoints<'_>, member: &Member) -> Effect {
    Effect::Point(match member {
        Member::RestorePoint(name) => {
            PointEffect::ExpireRestorePoint { place: machine.place.clone(), point: name.clone() }
        }
        Member::Snapshot(name) => PointEffect::ExpireSnapshot {
            subscription: machine.place.subscription.clone(),
            group: machine.place.group.clone(),
            snapshot: name.clone(),
        },
    })
}

/// True when both names are of one entry and one slot: snapshots of one set.
fn is_same_set(one: &PointName, other: &PointName) -> bool {
    one.slot == other.slot && one.rule == other.rule && one.entry == other.entry
}
