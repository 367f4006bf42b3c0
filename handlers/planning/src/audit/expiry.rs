//! Checks deletions of points with other code than decided them: a fatal note stops the whole run.
//! It never asks `retention` or `expiry`: it counts what would be left, from the facts alone.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use jiff::{SignedDuration, Timestamp};

use crate::effect::{Effect, PointEffect};
use crate::expiry::{Due, LocksSeen, MachinePoints, Whereabouts};
use crate::facts::{CollectionSeen, PointState, SnapshotsSeen};
use crate::id::{PointName, hash};
use crate::policy::{BackupPolicy, Mode, PointEntry};

/// A machine has been gone for at least so many hours before anything of it goes (design §7).
const GONE_HOURS_MIN: i64 = 14 * 24;

/// Something that the audit found in deletions. All of these are fatal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// An effect that deletes no point.
    NotADeletion,
    /// A point that was not read, or is not at rest.
    NotSeen,
    /// A point of somebody else, or of another machine.
    Foreign,
    /// A point that is held, locked, or to which somebody has access.
    Blocked,
    /// A point that no policy in force made, that has no rule to go by, whose policy only reports, or whose machine nothing may be
    /// changed on.
    NoOrder,
    /// A point of a machine of which nothing is known, or that is not gone for long enough.
    Whereabouts,
    /// Fewer restorable points would be left than must be, or not the newest.
    TooFewLeft,
    /// The last restorable point of a disk that still exists.
    LastOfDisk,
    /// A point within the time that is kept before the newest.
    Within,
}

/// What is wrong with the deletions decided for one machine.
pub fn audit(
    due: &[Due],
    points: &MachinePoints<'_>,
    policies: &[BackupPolicy],
    now: Timestamp,
) -> Vec<(Finding, String)> {
    let going: BTreeSet<String> = due.iter().flat_map(|one| &one.effects).filter_map(name_of).collect();
    let mut notes = Vec::new();
    for effect in due.iter().flat_map(|one| &one.effects) {
        for finding in about(effect, points, policies, now) {
            notes.push((finding, effect.to_string()));
        }
    }
    for (rule, left) in what_is_left(points, &going, now) {
        let Some(entry) = entry(policies, &rule) else { continue };
        let gone = matches!(points.whereabouts, Whereabouts::GoneSince(_));
        notes.extend(left.wrong(entry, gone).into_iter().map(|finding| (finding, entry.name.clone())));
    }
    for disk in points.disks.iter().flatten() {
        let (stay, go) = with_disk(disk, points, &going);
        if go > 0 && stay == 0 {
            notes.push((Finding::LastOfDisk, disk.clone()));
        }
    }
    notes
}

/// How many restorable points with this disk stay, and how many go; of snapshots each counts by itself.
fn with_disk(disk: &str, points: &MachinePoints<'_>, going: &BTreeSet<String>) -> (usize, usize) {
    let disk = disk.to_lowercase();
    let mut names: Vec<&String> = Vec::new();
    if let CollectionSeen::Present(seen) = points.collection {
        let whole = seen.points.iter().filter(|one| one.state == PointState::Succeeded);
        names.extend(whole.filter(|one| one.disks.iter().any(|own| own.to_lowercase() == disk)).map(|one| &one.name));
    }
    if let SnapshotsSeen::Read(seen) = points.snapshots {
        let whole = seen.iter().filter(|one| one.state == PointState::Succeeded);
        names.extend(
            whole.filter(|one| one.disk.as_ref().is_some_and(|own| own.to_lowercase() == disk)).map(|one| &one.name),
        );
    }
    let go = names.iter().filter(|name| going.contains(**name)).count();
    (names.len() - go, go)
}

fn name_of(effect: &Effect) -> Option<String> {
    match effect {
        Effect::Point(PointEffect::ExpireRestorePoint { point, .. }) => Some(point.to_string()),
        Effect::Point(PointEffect::ExpireSnapshot { snapshot, .. }) => Some(snapshot.to_string()),
        Effect::Point(_) | Effect::Protection(_) => None,
    }
}

/// What is wrong with one deletion by itself.
fn about(effect: &Effect, points: &MachinePoints<'_>, policies: &[BackupPolicy], now: Timestamp) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut unless = |holds: bool, finding| {
        if !holds {
            found.push(finding);
        }
    };
    let group = ["/subscriptions/", &points.place.subscription, "/resourcegroups/", &points.place.group].concat();
    let (name, id) = match effect {
        Effect::Point(PointEffect::ExpireRestorePoint { place, point }) => {
            let CollectionSeen::Present(seen) = points.collection else { return alloc::vec![Finding::NotSeen] };
            let by_us = seen.owner.as_deref() == Some(points.owner.deployment.as_str())
                && seen.estate.as_deref() == Some(points.owner.estate.as_str());
            let ours = by_us
                && seen.source.to_lowercase() == points.machine.to_lowercase()
                && seen.vm_hash.as_deref() == Some(points.vm_hash);
            unless(ours && *place == points.place && point.source == points.vm_hash, Finding::Foreign);
            let text = point.to_string();
            let read = seen.points.iter().find(|one| one.name == text);
            unless(read.is_some_and(|one| is_at_rest(one.state)), Finding::NotSeen);
            unless(!seen.held.contains(&text), Finding::Blocked);
            let path = "/providers/microsoft.compute/restorepointcollections/";
            (point, [&group, path, &place.collection, "/restorepoints/", &text].concat())
        }
        Effect::Point(PointEffect::ExpireSnapshot { snapshot, .. }) => {
            let SnapshotsSeen::Read(seen) = points.snapshots else { return alloc::vec![Finding::NotSeen] };
            let text = snapshot.to_string();
            let Some(read) = seen.iter().find(|one| one.name == text) else { return alloc::vec![Finding::NotSeen] };
            let ours = read.owner.as_deref() == Some(points.owner.deployment.as_str())
                && read.estate.as_deref() == Some(points.owner.estate.as_str())
                && read.machine.as_deref() == Some(points.vm_hash);
            unless(ours, Finding::Foreign);
            unless(is_at_rest(read.state), Finding::NotSeen);
            unless(!read.held && !read.open_access, Finding::Blocked);
            (snapshot, [&group, "/providers/microsoft.compute/snapshots/", &text].concat())
        }
        Effect::Point(_) | Effect::Protection(_) => return alloc::vec![Finding::NotADeletion],
    };
    unless(is_free(&points.locks, &id), Finding::Blocked);
    let ordered = policies.iter().any(|policy| {
        let of_policy = |entry: &PointEntry| hash(&[&policy.name, &entry.name]) == name.rule && entry.keep.is_some();
        let living = points.whereabouts == Whereabouts::Living;
        let barred = points.scope.bars_all().is_some() || (living && points.scope.bars(&policy.name).is_some());
        policy.mode == Mode::Enforce && !barred && policy.points.iter().any(of_policy)
    });
    unless(ordered, Finding::NoOrder);
    unless(
        match points.whereabouts {
            Whereabouts::Living => true,
            Whereabouts::Unknown => false,
            Whereabouts::GoneSince(since) => now.duration_since(since) >= SignedDuration::from_hours(GONE_HOURS_MIN),
        },
        Finding::Whereabouts,
    );
    found
}

fn is_at_rest(state: PointState) -> bool {
    matches!(state, PointState::Succeeded | PointState::Failed)
}

/// True when no lock stands on anything that the id begins with.
fn is_free(locks: &LocksSeen, id: &str) -> bool {
    let LocksSeen::Scopes(scopes) = locks else { return false };
    let parts: Vec<String> = id.to_lowercase().split('/').map(ToString::to_string).collect();
    !scopes.iter().any(|scope| {
        let scope: Vec<String> =
            scope.to_lowercase().trim_end_matches('/').split('/').map(ToString::to_string).collect();
        parts.starts_with(&scope)
    })
}

fn entry<'a>(policies: &'a [BackupPolicy], rule: &str) -> Option<&'a PointEntry> {
    let entries = policies.iter().flat_map(|policy| policy.points.iter().map(move |entry| (policy, entry)));
    entries.filter(|(policy, entry)| hash(&[&policy.name, &entry.name]) == rule).map(|(_, entry)| entry).next()
}

/// Restorable points of one rule: those that stay and those that go, by their times.
#[derive(Default)]
struct Left {
    stay: Vec<Timestamp>,
    go: Vec<Timestamp>,
}

/// A set of snapshots: which disks have one, how many it needs, when it was taken, and whether any of it goes.
#[derive(Default)]
struct SetLeft {
    disks: BTreeSet<String>,
    wanted: usize,
    at: Option<Timestamp>,
    goes: bool,
}

impl Left {
    fn wrong(&self, entry: &PointEntry, gone: bool) -> Option<Finding> {
        let (Some(newest_gone), keep) = (self.go.iter().max(), entry.keep.as_ref()) else { return None };
        let least = keep.map_or(1, |keep| usize::try_from(keep.min).unwrap_or(usize::MAX).max(1));
        let newest = self.stay.iter().max();
        if self.stay.len() < least || newest.is_none_or(|newest| newest < newest_gone) {
            return Some(Finding::TooFewLeft);
        }
        // Of a machine that is gone for long enough all but its newest may go (design §7, `keepLast`), however close to it they are.
        if gone {
            return None;
        }
        let within = keep.and_then(|keep| keep.within)?;
        let from = newest?.checked_sub(within).ok()?;
        (*newest_gone >= from).then_some(Finding::Within)
    }
}

/// For each rule the restorable points of this machine and deployment, restore points and sets alike.
fn what_is_left(points: &MachinePoints<'_>, going: &BTreeSet<String>, now: Timestamp) -> BTreeMap<String, Left> {
    let mut left: BTreeMap<String, Left> = BTreeMap::new();
    let mut count = |rule: &str, at: Timestamp, goes: bool| {
        let own = left.entry(rule.to_string()).or_default();
        if goes { own.go.push(at) } else { own.stay.push(at) }
    };
    if let CollectionSeen::Present(seen) = points.collection {
        for one in seen.points.iter().filter(|one| one.state == PointState::Succeeded) {
            let (Some(name), Some(at)) = (PointName::parse(&one.name), one.created_at) else { continue };
            if at <= now {
                count(&name.rule, at, going.contains(&one.name));
            }
        }
    }
    if let SnapshotsSeen::Read(seen) = points.snapshots {
        let mut sets: BTreeMap<(String, String), SetLeft> = BTreeMap::new();
        for one in seen.iter().filter(|one| one.machine.as_deref() == Some(points.vm_hash)) {
            let Some(name) = PointName::parse(&one.name) else { continue };
            let set = sets.entry((name.rule.clone(), name.slot.to_string())).or_default();
            if one.state == PointState::Succeeded {
                set.disks.insert(name.source.clone());
            }
            set.wanted = set.wanted.max(one.of_disks.unwrap_or(usize::MAX));
            set.at = set.at.max(one.created_at);
            set.goes |= going.contains(&one.name);
        }
        for ((rule, _), set) in sets {
            if let Some(at) = set.at.filter(|at| set.disks.len() >= set.wanted && *at <= now) {
                count(&rule, at, set.goes);
            }
        }
    }
    left
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotADeletion => "an effect that deletes no point",
            Self::NotSeen => "a point that was not read, or is not at rest",
            Self::Foreign => "a point that is not ours, or of another machine",
            Self::Blocked => "a point that is held, locked or in use",
            Self::NoOrder => "a point that no enforced policy in force lets go",
            Self::Whereabouts => "a point of a machine that is not known, or not gone for long enough",
            Self::TooFewLeft => "fewer restorable points left than must be, or not the newest",
            Self::LastOfDisk => "the last restorable point of a disk that still exists",
            Self::Within => "a point that is close enough to the newest to be kept",
        })
    }
}
