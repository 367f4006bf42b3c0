//! The keep rules over the restorable points of one machine and entry: each rule keeps the newest point of each of its newest periods.
//! Keep wins: a point goes only where no rule keeps it. It never asks what time it is: `within` counts from the newest point.

use std::fmt;

use super::calendar::{DAY, HOUR, date_of, monday_of, offset, wall};
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
    let rules = entry.keep.as_ref().map(|keep| marks(entry, keep, &times, Hours::Passed)).unwrap_or_default();
    for (place, index) in order.iter().enumerate() {
        let mut reasons = reasons_at(entry, &times, place, &rules, Edge::Keeps);
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
    // What is older than the point changes nothing for it.
    let rules = entry.keep.as_ref().map(|keep| marks(entry, keep, &times[..=place], hours)).unwrap_or_default();
    reasons_at(entry, times, place, &rules, edge)
}

/// Each rule, and which of the times it keeps.
type Marks = Vec<(Reason, Vec<bool>)>;

fn marks(entry: &Entry, keep: &Keep, times: &[Time], hours: Hours) -> Marks {
    let zone = zone_of(entry);
    let of = |(rule, count)| (rule, kept_by(count, times, |at, place| period(rule, at, place, zone, hours)));
    counted(keep).into_iter().map(of).collect()
}

fn reasons_at(entry: &Entry, times: &[Time], place: usize, rules: &Marks, edge: Edge) -> Vec<Reason> {
    let Some(keep) = entry.keep.as_ref().filter(|keep| has_rules(keep)) else {
        return vec![Reason::NoRule];
    };
    let keeps = |(rule, marks): &(Reason, Vec<bool>)| marks[place].then_some(*rule);
    let mut found: Vec<Reason> = rules.iter().filter_map(keeps).collect();
    let age = times[0] - times[place];
    let keeps = |within| match edge {
        Edge::Keeps => age <= within + longer_day(zone_of(entry), within, times[place], times[0]),
        Edge::Frees => age < within,
    };
    if keep.within.is_some_and(keeps) {
        found.push(Reason::Within);
    }
    found
}

/// Seconds by which a span of days is longer where the clocks went back in it: a day may be read as the day of the zone, of 25 hours.
fn longer_day(zone: Zone, within: Time, from: Time, to: Time) -> Time {
    if within < DAY { 0 } else { (offset(zone, from) - offset(zone, to)).max(0) }
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

/// Which of these times, newest first, are the newest of one of the `count` newest periods that have any.
fn kept_by(count: usize, times: &[Time], period: impl Fn(Time, usize) -> i64) -> Vec<bool> {
    let mut kept = vec![false; times.len()];
    let mut periods = 0;
    let mut before = None;
    for (place, time) in times.iter().enumerate() {
        let this = Some(period(*time, place));
        if before != this {
            if periods == count {
                break;
            }
            kept[place] = true;
            periods += 1;
            before = this;
        }
    }
    kept
}

/// A number for the period of a time, the same for all times in it: for `last` each point is a period of its own.
fn period(rule: Reason, at: Time, place: usize, zone: Zone, hours: Hours) -> i64 {
    if rule == Reason::Last {
        return i64::try_from(place).expect("a count fits");
    }
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
