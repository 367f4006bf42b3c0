//! Judges what policies ask for by their text alone: what can never be met, or hardly.
//! It never asks Azure and refuses nothing that only a look at the estate could tell.
//!
//! Sums of points are a floor: what rules have in common is taken off generously, so that no policy is refused that fits.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::policy::{AtLeast, BackupPolicy, PointEntry, PointKind};
use lifeboat_planning::retention::Keep;
use lifeboat_planning::schedule::Schedule;

use super::form;
use super::problem::{Fault, Problem};
use super::reader::Complaint;
use super::set::Placed;
use super::unmet::{Rule, Share, Unmet};

/// How many restore points a machine has at most, and incremental snapshots a disk: 500 of each (azure.md C.4).
const HELD_MAX: u64 = 500;
/// How many restore points Azure makes of a machine in an hour (azure.md C.4).
const MADE_PER_HOUR_MAX: usize = 3;
/// An hour without its end, as slots at both ends of a time are counted.
const WITHIN_AN_HOUR: SignedDuration = SignedDuration::from_mins(59);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long slots of several schedules are laid beside each other: a year and a month, so that each month has met each other.
const LAID_OUT: SignedDuration = SignedDuration::from_hours(24 * 400);
/// Where that begins, in seconds: 2024-01-01, of a leap year. What stands there does not depend on when it is asked.
const LAID_OUT_FROM_SECS: i64 = 1_704_067_200;
/// Bound on the slots of each that are laid out: one a minute for two weeks.
const LAID_OUT_SLOTS_MAX: usize = 20_000;

/// Everything that these policies ask for and can never have, or hardly.
pub fn judge(policies: &[Placed<BackupPolicy>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for placed in policies {
        for (index, entry) in placed.document.points.iter().enumerate() {
            let path = |field: &str| format!("spec.points[{index}].{field}");
            for (field, unmet, expected) in entry_unmet(entry) {
                problems.push(problem(placed, &path(field), unmet, expected));
            }
        }
        for kind in [PointKind::RestorePoint, PointKind::Snapshot] {
            problems.extend(too_many_points(placed, kind));
        }
        if let Some((unmet, expected)) = rpo(placed) {
            problems.push(problem(placed, "spec.rpo", unmet, expected));
        }
    }
    problems.extend(same_matches(policies));
    problems
}

fn problem(placed: &Placed<BackupPolicy>, field: &str, unmet: Unmet, expected: Option<String>) -> Problem {
    let complaint = Complaint::of(Fault::Unmet(unmet));
    placed.problem(field, Complaint { expected, ..complaint })
}

/// What one entry alone can never have, with the field that asks for it.
fn entry_unmet(entry: &PointEntry) -> Vec<(&'static str, Unmet, Option<String>)> {
    let mut unmet = Vec::new();
    // No command is run in guests: only a restore point asks them to write out what they hold.
    if entry.kind == PointKind::Snapshot && entry.at_least > AtLeast::Crash {
        let expected = Some("crash, or kind restorePoint".to_string());
        unmet.push(("consistency.atLeast", Unmet::NeverConsistent(entry.kind), expected));
    }
    let Some(schedule) = &entry.schedule else { return unmet };
    let slots = schedule.most_within(WITHIN_AN_HOUR);
    if entry.kind == PointKind::RestorePoint && slots > MADE_PER_HOUR_MAX {
        let expected = Some(format!("at most {MADE_PER_HOUR_MAX} in an hour"));
        unmet.push(("schedule.cron", Unmet::TooOften { slots, most: MADE_PER_HOUR_MAX }, expected));
    }
    let Some(keep) = &entry.keep else {
        let days = days_until(schedule, HELD_MAX);
        let expected = Some(format!("a rule of {}", super::reader::one_of(form::KEEP_NEEDS.iter().copied())));
        unmet.push(("schedule", Unmet::NothingExpires { kind: entry.kind, most: HELD_MAX, days }, expected));
        return unmet;
    };
    let gap = schedule.shortest_gap();
    for (rule, count, _, longest) in periods(keep) {
        if count > 0 && gap > longest {
            let expected = "a schedule that fires in each such period, or a longer period".to_string();
            unmet.push((path_of(rule), Unmet::FinerThanSchedule { rule, gap }, Some(expected)));
        }
    }
    unmet
}

/// The rules of periods from the finest: rule, count, the shortest and the longest that its period is.
fn periods(keep: &Keep) -> [(Rule, u32, SignedDuration, SignedDuration); 5] {
    [
        (Rule::Hourly, keep.hourly, HOUR, HOUR),
        (Rule::Daily, keep.daily, DAY - HOUR, DAY),
        (Rule::Weekly, keep.weekly, DAY * 7 - HOUR, DAY * 7),
        (Rule::Monthly, keep.monthly, DAY * 28 - HOUR, DAY * 31),
        (Rule::Yearly, keep.yearly, DAY * 365, DAY * 366),
    ]
}

fn path_of(rule: Rule) -> &'static str {
    match rule {
        Rule::Last => "keep.last",
        Rule::Within => "keep.within",
        Rule::Hourly => "keep.hourly",
        Rule::Daily => "keep.daily",
        Rule::Weekly => "keep.weekly",
        Rule::Monthly => "keep.monthly",
        Rule::Yearly => "keep.yearly",
        Rule::Min => "keep.min",
    }
}

/// More points of a kind than Azure holds, over all entries: the machine and its disks are the same.
fn too_many_points(placed: &Placed<BackupPolicy>, kind: PointKind) -> Option<Problem> {
    let entries = placed.document.points.iter().enumerate().filter(|(_, entry)| entry.kind == kind);
    let shares: Vec<(usize, Share)> = entries
        .filter_map(|(index, entry)| {
            let parts = parts(entry.schedule.as_ref()?, entry.keep.as_ref()?);
            Some((index, Share { entry: entry.name.clone(), parts }))
        })
        .collect();
    let total: u64 = shares.iter().map(|(_, share)| share.total()).sum();
    if total <= HELD_MAX {
        return None;
    }
    // It is told where most of them are.
    let (largest, _) = shares.iter().max_by_key(|(_, share)| share.total())?;
    let field = format!("spec.points[{largest}].keep");
    let shares = shares.into_iter().map(|(_, share)| share).collect();
    let unmet = Unmet::TooManyPoints { kind, most: HELD_MAX, shares };
    Some(problem(placed, &field, unmet, Some(format!("at most {HELD_MAX}"))))
}

/// What an entry's rules keep at least, once enough time has passed: each rule with what it adds to the finer ones.
fn parts(schedule: &Schedule, keep: &Keep) -> Vec<(Rule, u64)> {
    let apart = schedule.longest_gap();
    let within = keep.within.map_or(0, |span| schedule.most_within(span) as u64);
    let last = u64::from(keep.last);
    let (rule, newest) = if within > last { (Rule::Within, within) } else { (Rule::Last, last) };
    let mut parts = vec![(rule, newest)];
    // How far back the finer rules reach at most: what a coarser one keeps in that time may be theirs already.
    let mut reach = times(apart, keep.last).max(keep.within.unwrap_or_default());
    for (rule, count, shortest, longest) in periods(keep) {
        let in_common = if reach.is_zero() { 0 } else { reach.as_secs() / shortest.as_secs() + 2 };
        let added = u64::from(count).saturating_sub(in_common.unsigned_abs());
        parts.push((rule, added));
        reach = reach.max(times(longest.max(apart), count));
    }
    parts.retain(|(_, count)| *count > 0);
    let sum: u64 = parts.iter().map(|(_, count)| count).sum();
    if u64::from(keep.min) > sum { vec![(Rule::Min, u64::from(keep.min))] } else { parts }
}

fn times(span: SignedDuration, count: u32) -> SignedDuration {
    span.checked_mul(i32::try_from(count).unwrap_or(i32::MAX)).unwrap_or(SignedDuration::MAX)
}

/// After how many days a schedule has had so many slots, by a year's average.
fn days_until(schedule: &Schedule, slots: u64) -> u64 {
    let a_year = (schedule.most_within(DAY * 365) as u64).max(1);
    (slots * 365).div_ceil(a_year)
}

/// An RPO that points cannot meet.
fn rpo(placed: &Placed<BackupPolicy>) -> Option<(Unmet, Option<String>)> {
    let asked = placed.document.rpo?;
    let vault = placed.document.vault.is_some();
    let schedules: Vec<&Schedule> = placed.document.points.iter().filter_map(|entry| entry.schedule.as_ref()).collect();
    if schedules.is_empty() {
        return (!vault)
            .then_some((Unmet::RpoWithoutSchedule, Some("an entry with a schedule, or a vault".to_string())));
    }
    let (shortest, longest) = gaps(&schedules);
    let unmet = Unmet::RpoBelowGap { gap: longest, always: asked < shortest, vault };
    let expected = format!("at least {}", super::unmet::Time(longest));
    (asked < longest).then_some((unmet, Some(expected)))
}

/// The shortest and the longest time from one slot of any of the schedules to the next.
fn gaps(schedules: &[&Schedule]) -> (SignedDuration, SignedDuration) {
    let least = |gap: fn(&Schedule) -> SignedDuration| schedules.iter().map(|schedule| gap(schedule)).min();
    let shortest = least(Schedule::shortest_gap).unwrap_or_default();
    // Together they are never further apart than the closest of them alone.
    let longest = least(Schedule::longest_gap).unwrap_or_default();
    if schedules.len() < 2 {
        return (shortest, longest);
    }
    // As one schedule alone is counted: by the clock on the wall, so that no hour of spring or autumn breaches an RPO. With
    // several zones there is no such clock.
    let one_zone = schedules.windows(2).all(|pair| pair[0].zone() == pair[1].zone());
    let on_the_wall = |schedule: &Schedule| match one_zone {
        true => Schedule::new(schedule.cron(), TimeZone::UTC),
        false => schedule.clone(),
    };
    let Ok(from) = Timestamp::from_second(LAID_OUT_FROM_SECS) else { return (shortest, longest) };
    let mut up_to = from.saturating_add(LAID_OUT).unwrap_or(from);
    let mut slots: Vec<Timestamp> = Vec::new();
    for schedule in schedules {
        let schedule = on_the_wall(schedule);
        let found = schedule.slots_between(from, up_to).take(LAID_OUT_SLOTS_MAX).map(|slot| slot.at());
        let found: Vec<Timestamp> = found.collect();
        if let (LAID_OUT_SLOTS_MAX, Some(last)) = (found.len(), found.last()) {
            up_to = *last;
        }
        slots.extend(found);
    }
    slots.retain(|slot| *slot <= up_to);
    slots.sort_unstable();
    slots.dedup();
    let between = || slots.windows(2).map(|pair| pair[0].duration_until(pair[1]));
    (between().min().unwrap_or(shortest).min(shortest), between().max().unwrap_or(longest).min(longest))
}

/// Policies of equal priority for the very same machines: each would be left alone by both.
fn same_matches(policies: &[Placed<BackupPolicy>]) -> Vec<Problem> {
    let field = "spec.match";
    let conditions: Vec<(i32, String)> =
        policies.iter().map(|placed| (placed.document.priority, placed.document.matches.canonical())).collect();
    let mut problems = Vec::new();
    for (index, placed) in policies.iter().enumerate() {
        let Some(first) = conditions[..index].iter().position(|before| *before == conditions[index]) else { continue };
        let other = &policies[first];
        let unmet = Unmet::SameMatch {
            policy: other.document.name.clone(),
            first: other.first(field, &placed.file),
            priority: placed.document.priority,
        };
        problems.push(problem(placed, field, unmet, Some("priorities that differ".to_string())));
    }
    problems
}
