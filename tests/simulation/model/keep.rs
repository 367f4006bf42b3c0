//! The keep rules over the restorable points of one machine and entry: each rule keeps the newest point of each of its newest periods.
//! Keep wins: a point goes only where no rule keeps it. It never asks what time it is: `within` counts from the newest point.

use std::fmt;

use super::calendar::{DAY, HOUR, date_of, monday_of, wall};
use super::history::{Entry, Keep, Time, Zone};

/// What keeps a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Last,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
    Within,
    /// The newest restorable ones, which stay whatever the rules say.
    Min,
    /// The entry has no rule, and an empty policy keeps everything.
    NoRule,
    /// It failed and no restorable one came after it: evidence.
    Evidence,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Last => "last",
            Reason::Hourly => "hourly",
            Reason::Daily => "daily",
            Reason::Weekly => "weekly",
            Reason::Monthly => "monthly",
            Reason::Yearly => "yearly",
            Reason::Within => "within",
            Reason::Min => "min",
            Reason::NoRule => "no rule",
            Reason::Evidence => "evidence of a failure",
        })
    }
}

/// Why a point goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freed {
    /// It is restorable, and no rule keeps it.
    NoRuleKeepsIt,
    /// It is not restorable, and a restorable one came after it.
    FailedBefore,
}

/// What the rules say of a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Kept(Vec<Reason>),
    Due(Freed),
}

/// How hours count on the day on which the clocks show one hour twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hours {
    /// As the clocks show them: the two are one period.
    Shown,
    /// As they pass: the two are two periods.
    Passed,
}

/// What happens to a point that is exactly as old as `within` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    Keeps,
    Frees,
}

/// At least this many stay, whatever the file says (design §7).
pub fn min_of(entry: &Entry) -> usize {
    let asked = entry.keep.as_ref().and_then(|keep| keep.min).unwrap_or(1);
    usize::try_from(asked.max(1)).expect("a count fits")
}

/// The zone whose periods count: the schedule's, which is the only one that an entry names.
pub fn zone_of(entry: &Entry) -> Zone {
    entry.schedule.as_ref().map_or(Zone::Utc, |schedule| schedule.zone)
}

/// What the entry's rules say of each point, given by its time and whether it is restorable, in the order given.
/// Of two of one time the one given first counts as the newer.
pub fn keep_verdicts(entry: &Entry, points: &[(Time, bool)]) -> Vec<Verdict> {
    let mut order: Vec<usize> = (0..points.len()).filter(|index| points[*index].1).collect();
    order.sort_by_key(|index| std::cmp::Reverse(points[*index].0));
    let times: Vec<Time> = order.iter().map(|index| points[*index].0).collect();
    let mut verdicts: Vec<Verdict> = points.iter().map(|(time, _)| failed_verdict(&times, *time)).collect();
    for (place, index) in order.iter().enumerate() {
        let mut reasons = reasons(entry, &times, place, Hours::Passed, Edge::Keeps);
        if place < min_of(entry) {
            reasons.push(Reason::Min);
        }
        verdicts[*index] = if reasons.is_empty() { Verdict::Due(Freed::NoRuleKeepsIt) } else { Verdict::Kept(reasons) };
    }
    verdicts
}

fn failed_verdict(restorable: &[Time], time: Time) -> Verdict {
    match restorable.first() {
        Some(newest) if *newest > time => Verdict::Due(Freed::FailedBefore),
        _ => Verdict::Kept(vec![Reason::Evidence]),
    }
}

/// What keeps the point at `place` of these times, newest first; without `min`, which is a floor and not a rule.
pub fn reasons(entry: &Entry, times: &[Time], place: usize, hours: Hours, edge: Edge) -> Vec<Reason> {
    let Some(keep) = entry.keep.as_ref().filter(|keep| has_rules(keep)) else {
        return vec![Reason::NoRule];
    };
    let zone = zone_of(entry);
    let mut found: Vec<Reason> = counted(keep)
        .into_iter()
        .filter(|(rule, count)| kept_by(*rule, *count, times, place, |at| period(*rule, at, zone, hours)))
        .map(|(rule, _)| rule)
        .collect();
    let age = times[0] - times[place];
    if keep.within.is_some_and(|within| age < within || (age == within && edge == Edge::Keeps)) {
        found.push(Reason::Within);
    }
    found
}

/// Whether anything is asked to stay. Rules that are all missing or nought free nothing: an empty policy keeps everything.
pub fn has_rules(keep: &Keep) -> bool {
    keep.within.is_some() || !counted(keep).is_empty()
}

fn counted(keep: &Keep) -> Vec<(Reason, usize)> {
    [
        (Reason::Last, keep.last),
        (Reason::Hourly, keep.hourly),
        (Reason::Daily, keep.daily),
        (Reason::Weekly, keep.weekly),
        (Reason::Monthly, keep.monthly),
        (Reason::Yearly, keep.yearly),
    ]
    .into_iter()
    .filter_map(|(rule, count)| Some((rule, usize::try_from(count?).ok()?)))
    .filter(|(_, count)| *count > 0)
    .collect()
}

/// Whether the point at `place` is the newest of one of the `count` newest periods that have points.
fn kept_by(rule: Reason, count: usize, times: &[Time], place: usize, period: impl Fn(Time) -> i64) -> bool {
    if rule == Reason::Last {
        return place < count;
    }
    let own = period(times[place]);
    if place > 0 && period(times[place - 1]) == own {
        return false;
    }
    let mut newer = 0;
    let mut before = None;
    for time in &times[..place] {
        let this = period(*time);
        newer += usize::from(before != Some(this));
        before = Some(this);
        if newer >= count {
            return false;
        }
    }
    true
}

/// A number for the period of a time, the same for all times in it; they grow with time.
fn period(rule: Reason, at: Time, zone: Zone, hours: Hours) -> i64 {
    let shown = wall(zone, at);
    let day = shown.div_euclid(DAY);
    match (rule, hours) {
        (Reason::Hourly, Hours::Shown) => shown.div_euclid(HOUR),
        (Reason::Hourly, Hours::Passed) => at.div_euclid(HOUR),
        (Reason::Daily, _) => day,
        (Reason::Weekly, _) => monday_of(day),
        (Reason::Monthly, _) => date_of(day).year * 12 + date_of(day).month,
        (Reason::Yearly, _) => date_of(day).year,
        (Reason::Last | Reason::Within | Reason::Min | Reason::NoRule | Reason::Evidence, _) => at,
    }
}
