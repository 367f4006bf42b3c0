//! Whether a point may go, and whether it must: the keep rules, the policy in force and the fourteen days of a gone machine, as of a moment.
//! It never looks at counters, locks or holds: those stand between a verdict and a deletion.

use std::fmt;

use super::calendar::{DAY, written};
use super::history::{Entry, Policy, Time, Zone};
use super::keep::{Edge, Hours, Reason, has_rules, min_of, reasons, zone_of};
use super::scope::{CLOCK_ERROR, InForce, entry_of};
use super::world::{Key, Point, World};

/// All points of a gone machine stay this long after it was first seen gone, in seconds: a floor in code (design §7).
pub const GONE_FLOOR: i64 = 14 * DAY;

/// Why a point had to stay.
#[derive(Clone, Debug, PartialEq)]
pub enum Stays {
    NoBundle,
    Unreadable,
    NoPolicy,
    Report,
    NoEntry,
    NoKeep,
    NotInForce,
    EqualPriorities,
    UnderWay,
    Evidence,
    Kept(Vec<Reason>),
    GoneTooShort { since: Option<Time> },
    NewestOfGone,
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stays::NoBundle => f.write_str("no policy was ever in force"),
            Stays::Unreadable => f.write_str("the bundle of policies could not be read"),
            Stays::NoPolicy => f.write_str("its policy is not there any more"),
            Stays::Report => f.write_str("its policy only reports"),
            Stays::NoEntry => f.write_str("its policy has no such entry any more"),
            Stays::NoKeep => f.write_str("its entry says nothing of what may go"),
            Stays::NotInForce => f.write_str("its policy is not the one in force for the machine"),
            Stays::EqualPriorities => f.write_str("policies of equal top priority match the machine"),
            Stays::UnderWay => f.write_str("it was still being made"),
            Stays::Evidence => f.write_str("it failed and no restorable point came after it"),
            Stays::Kept(reasons) => {
                let words: Vec<String> = reasons.iter().map(Reason::to_string).collect();
                write!(f, "keep rules held it: {}", words.join(", "))
            }
            Stays::GoneTooShort { since: Some(since) } => {
                write!(f, "its machine was gone for less than 14 days, since {}", written(*since))
            }
            Stays::GoneTooShort { since: None } => {
                f.write_str("its machine is not in the history, which is shorter than 14 days")
            }
            Stays::NewestOfGone => f.write_str("it is among the newest that stay of a gone machine"),
        }
    }
}

/// Which time of a point its period and order are taken from: the design says "the newest", not by which clock.
#[derive(Clone, Copy)]
enum Stand {
    Begun,
    Slot,
}

const BOTH_STANDS: [Stand; 2] = [Stand::Begun, Stand::Slot];

impl Stand {
    fn time_of(self, point: &Point) -> Time {
        match self {
            Stand::Begun => point.begun,
            Stand::Slot => point.stands_for(),
        }
    }
}

/// Why the point had to stay in the world as it was at `at`; nothing if it could go by at least one reading of the design.
pub fn why_it_stays(world: &World, point: &Point, key: &Key, at: Time) -> Option<Stays> {
    let entry = match allowing_entry(world, key, at) {
        Ok((_, entry)) => entry,
        Err(stays) => return Some(stays),
    };
    let machine = world.machines.get(&key.0);
    let living = machine.is_some_and(|machine| !machine.gone_at(at));
    if living && let Some(stays) = why_not_in_force(world, key, at) {
        return Some(stays);
    }
    if !living {
        // A machine that the history never shows was first seen gone when the history began, at the earliest.
        let since = machine.and_then(|machine| machine.gone);
        if at - since.unwrap_or(world.start) < GONE_FLOOR - CLOCK_ERROR {
            return Some(Stays::GoneTooShort { since });
        }
    }
    if point.succeeded.is_none_or(|since| since > at) {
        return why_unfinished_stays(world, point, key, at, living);
    }
    if !living {
        let newest = BOTH_STANDS.iter().all(|stand| newer_restorable(world, point, key, at, *stand) < min_of(entry));
        return newest.then_some(Stays::NewestOfGone);
    }
    let kept = |(stand, hours)| held_by(world, point, key, entry, at, stand, hours, Edge::Frees);
    let mut held = Vec::new();
    for reading in all_readings(entry) {
        let reasons = kept(reading);
        if reasons.is_empty() {
            return None;
        }
        held = reasons;
    }
    Some(Stays::Kept(held))
}

/// Whether the point must go, by every reading of the design: restorable, released by all rules, and not among the newest that stay.
pub fn is_surely_due(world: &World, point: &Point, key: &Key, at: Time) -> bool {
    let Ok((_, entry)) = allowing_entry(world, key, at) else { return false };
    let Some(machine) = world.machines.get(&key.0) else { return false };
    let among_newest = |stand: &Stand| newer_restorable(world, point, key, at, *stand) < min_of(entry);
    if !point.restorable_at(at) || BOTH_STANDS.iter().any(among_newest) {
        return false;
    }
    if machine.gone_at(at) {
        // That it was gone is seen later than it was; how much later is for the caller, who knows the faults.
        return machine.gone.is_some_and(|gone| at - gone >= GONE_FLOOR);
    }
    why_not_in_force(world, key, at).is_none()
        && all_readings(entry)
            .all(|(stand, hours)| held_by(world, point, key, entry, at, stand, hours, Edge::Keeps).is_empty())
}

/// All points of a policy that surely had to go at that moment.
pub fn surely_due_of<'a>(world: &'a World, policy: &'a str, at: Time) -> impl Iterator<Item = (&'a Key, &'a Point)> {
    let of_policy = world.keys.iter().filter(move |(key, _)| key.1 == policy);
    of_policy
        .flat_map(move |(key, points)| points.iter().map(move |index| (key, &world.points[*index])))
        .filter(move |(key, point)| is_surely_due(world, point, key, at))
}

/// The policy and the entry that let points of this key go at all.
pub fn allowing_entry<'a>(world: &'a World, key: &Key, at: Time) -> Result<(&'a Policy, &'a Entry), Stays> {
    let bundle = world.bundle_at(at).ok_or(Stays::NoBundle)?;
    if !bundle.readable {
        return Err(Stays::Unreadable);
    }
    let policy = bundle.policies.iter().find(|policy| policy.name == key.1).ok_or(Stays::NoPolicy)?;
    if !policy.enforce {
        return Err(Stays::Report);
    }
    let entry = entry_of(policy, &key.2).ok_or(Stays::NoEntry)?;
    // Without rules everything stays, and `keepLast` is how an entry with rules ends: the strict reading.
    if !entry.keep.as_ref().is_some_and(has_rules) {
        return Err(Stays::NoKeep);
    }
    Ok((policy, entry))
}

/// A living machine's points go only by the policy that is in force for it now; of a gone one there are no tags left to match.
fn why_not_in_force(world: &World, key: &Key, at: Time) -> Option<Stays> {
    let machine = world.machines.get(&key.0)?;
    match world.in_force_at(machine, at) {
        InForce::One(policy) if policy.name == key.1 => None,
        InForce::EqualPriorities => Some(Stays::EqualPriorities),
        InForce::One(_) | InForce::Nothing => Some(Stays::NotInForce),
    }
}

/// A failed point is evidence until a restorable one came after it; one under way has no verdict yet.
fn why_unfinished_stays(world: &World, point: &Point, key: &Key, at: Time, living: bool) -> Option<Stays> {
    if point.failed.is_none_or(|since| since > at) {
        return Some(Stays::UnderWay);
    }
    let newest = BOTH_STANDS.iter().all(|stand| newer_restorable(world, point, key, at, *stand) == 0);
    (living && newest).then_some(Stays::Evidence)
}

/// How many restorable ones of the same key are newer.
fn newer_restorable(world: &World, point: &Point, key: &Key, at: Time, stand: Stand) -> usize {
    let own = stand.time_of(point);
    world.points_of(key).filter(|other| other.restorable_at(at) && stand.time_of(other) > own).count()
}

fn all_readings(entry: &Entry) -> impl Iterator<Item = (Stand, Hours)> {
    // Only where clocks change and hours are counted does it matter how an hour that is shown twice counts.
    let hourly = entry.keep.as_ref().is_some_and(|keep| keep.hourly.is_some());
    let hours =
        if hourly && zone_of(entry) == Zone::Berlin { vec![Hours::Passed, Hours::Shown] } else { vec![Hours::Passed] };
    hours.into_iter().flat_map(|hours| BOTH_STANDS.map(|stand| (stand, hours)))
}

#[expect(clippy::too_many_arguments, reason = "a reading is three choices about one point")]
fn held_by(
    world: &World,
    point: &Point,
    key: &Key,
    entry: &Entry,
    at: Time,
    stand: Stand,
    hours: Hours,
    edge: Edge,
) -> Vec<Reason> {
    let own = stand.time_of(point);
    let mut times: Vec<Time> = world
        .points_of(key)
        .filter(|other| other.id != point.id && other.restorable_at(at))
        .map(|other| stand.time_of(other))
        .collect();
    times.sort_unstable_by(|one, other| other.cmp(one));
    // Of equal times either may be the newer: the doubt goes with the edge.
    let place = match edge {
        Edge::Keeps => times.partition_point(|time| *time > own),
        Edge::Frees => times.partition_point(|time| *time >= own),
    };
    times.insert(place, own);
    reasons(entry, &times, place, hours, edge)
}
