//! What came of a burst, line by line, beside what it should be.
//! It never takes a handler's word: requests and points are the simulated Azure's, times are the host's, CPU is the kernel's.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use lifeboat_simulator::azure::{PointView, RequestRecord};

use crate::floor::Floor;
use crate::launcher::Pages;
use crate::site::Site;

/// The line of the design: own time of a machine at the 99th percentile, in seconds.
const OWN_P99_S: f64 = 1.0;
/// The line of the design: all done within this many times the floor.
const OVER_FLOOR: f64 = 1.1;
/// The line of the design: refusals in a hundred requests.
const REFUSED_PERCENT: f64 = 1.0;
/// Ticks of the kernel's CPU accounting in a second, on every Linux of this architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// Everything that was seen.
pub struct Seen<'a> {
    /// The site, still running.
    pub site: &'a Site,
    /// What invocations took.
    pub book: &'a Pages,
    /// The machines' ids.
    pub machines: &'a [String],
    /// When the first machine was created.
    pub began_at: Timestamp,
    /// What nobody can beat.
    pub floor: Floor,
}

/// How many machines have a point that succeeded.
pub fn protected(site: &Site, machines: &[String]) -> usize {
    let is_protected = |id: &&String| site.world.points_of(id).iter().any(|point| point.state == "Succeeded");
    machines.iter().filter(is_protected).count()
}

/// Prints every line; says whether all hold.
pub fn tell(seen: &Seen<'_>) -> bool {
    let counts = seen.site.world.counts();
    let of_machines: Vec<Vec<PointView>> = seen.machines.iter().map(|id| seen.site.world.points_of(id)).collect();
    let points: Vec<usize> = of_machines.iter().map(Vec::len).collect();
    let protected = protected(seen.site, seen.machines);
    let last = of_machines.iter().flatten().filter_map(|point| point.ended).max().unwrap_or(Timestamp::MAX);
    let (all, doubled) = (points.iter().sum::<usize>(), points.iter().filter(|points| **points > 1).count());
    let refused = 100.0 * counts.throttled as f64 / (counts.requests as f64).max(1.0);
    let (own, waited) = own_times(seen);
    let (p50, p99) = (percentile(&own, 50), percentile(&own, 99));
    let mut held = true;
    let mut line = |holds: bool, what: &str, figure: String, wanted: &str| {
        held &= holds;
        println!("{what:<46} {figure:>24}   {wanted:<28}{}", if holds { "" } else { "DOES NOT HOLD" });
    };
    let machines = seen.machines.len();
    line(protected == machines, "machines with a succeeded point", format!("{protected} of {machines}"), "all");
    line(
        all == machines && doubled == 0,
        "points in all; machines with more than one",
        format!("{all}; {doubled}"),
        "one a machine",
    );
    let dead = seen.site.dead_letters();
    line(dead == 0, "dead letters", dead.to_string(), "0");
    line(
        true,
        "requests to ARM, a machine",
        format!("{}, {:.1}", counts.requests, counts.requests as f64 / machines as f64),
        "",
    );
    let refusals = format!("{}, {refused:.2} %", counts.throttled);
    line(refused < REFUSED_PERCENT, "refused 429, share", refusals, "below 1 %");
    let early = counts.inside_retry_after;
    line(early == 0, "requests inside a Retry-After", early.to_string(), "0");
    line(true, "own time of a machine, p50", format!("{p50:.3} s"), "");
    line(p99 <= OWN_P99_S, "own time of a machine, p99", format!("{p99:.3} s"), "at most 1 s");
    line(true, "waits inside invocations, all machines", format!("{waited:.1} s"), "");
    let floor = seen.floor.with_azures_work().as_secs_f64();
    let took = last.duration_since(seen.began_at).as_secs_f64();
    let total = format!("{took:.1} s, {:.2} x floor", took / floor);
    if seen.floor.is_made_by_budgets() {
        line(took <= OVER_FLOOR * floor, "all done after", total, "at most 1.1 x floor");
    } else {
        line(true, "all done after", total, "not judged: Azure's own work");
    }
    line(true, "invocations, a machine", format!("{:.1}", invocations(seen.book) / machines as f64), "");
    line(true, "CPU of all handlers, a machine", cpu(&seen.book.pids, machines), "");
    line(true, "lines on stderr of all handlers", seen.book.complaints.len().to_string(), "");
    tell_details(&counts.by_action, &counts.by_error_code, &seen.book.complaints);
    tell_calls(&seen.site.calls.list());
    held
}

fn tell_details(actions: &BTreeMap<String, u64>, errors: &BTreeMap<String, u64>, complaints: &[String]) {
    println!("\nby action:");
    actions.iter().for_each(|(action, count)| println!("  {count:>8}  {action}"));
    println!("by error:");
    errors.iter().for_each(|(code, count)| println!("  {count:>8}  {code}"));
    let mut kinds: BTreeMap<String, (usize, &String)> = BTreeMap::new();
    for line in complaints {
        // Words without digits and slashes tell kinds of lines apart from what they are about.
        let words = line.split_whitespace().filter(|word| !word.contains(|c: char| c.is_ascii_digit() || c == '/'));
        kinds.entry(words.collect::<Vec<_>>().join(" ")).or_insert((0, line)).0 += 1;
    }
    println!("kinds of lines on stderr, one of each:");
    kinds.values().for_each(|(count, line)| println!("  {count:>8}  {line}"));
}

/// What was asked of store, queue and identity, by the folder or the queue.
fn tell_calls(calls: &[String]) {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for call in calls.iter().filter(|call| !call.contains(" /subscriptions/") && !call.contains(" /providers/")) {
        // A blob's folder ends at an escaped slash.
        let folder = call.split("%2F").next().unwrap_or_default();
        let kind: Vec<&str> = folder.split('/').take(3).collect();
        *kinds.entry(kind.join("/")).or_default() += 1;
    }
    println!("by call of store, queue and identity:");
    kinds.iter().for_each(|(kind, count)| println!("  {count:>8}  {kind}"));
}

/// Each machine's time in invocations less the waits that Azure asked for inside them, in seconds; and all those waits.
///
/// Only waits between a refusal and its repeat are seen. One that a handler makes before a first request, because an earlier answer
/// named a time, counts as its own time: the figure is never too good.
fn own_times(seen: &Seen<'_>) -> (Vec<f64>, f64) {
    let waits = waits(&seen.site.world.arm().requests());
    let mut by_machine: HashMap<String, f64> = HashMap::new();
    for (path, wait) in &waits {
        *by_machine.entry(path.clone()).or_default() += wait;
    }
    let mut times = Vec::new();
    for id in seen.machines {
        let key = id.to_lowercase();
        let collections = seen
            .site
            .world
            .points_of(id)
            .into_iter()
            .filter_map(|point| Some(point.id.to_lowercase().split_once("/restorepoints/")?.0.to_owned()));
        let waited: f64 =
            std::iter::once(key.clone()).chain(collections).filter_map(|path| by_machine.get(&path)).sum();
        let time = seen.book.machines.get(&key).map_or(0.0, |(time, _)| time.as_secs_f64());
        times.push((time - waited).max(0.0));
    }
    times.sort_by(f64::total_cmp);
    (times, waits.iter().map(|(_, wait)| wait).sum::<f64>() + 0.0)
}

/// From each refusal to the next request of the same call, by the machine or the collection that it is about.
fn waits(requests: &[RequestRecord]) -> Vec<(String, f64)> {
    let mut refused: HashMap<&str, Timestamp> = HashMap::new();
    let mut waits = Vec::new();
    for request in requests {
        let Some(id) = request.client_request_id.as_deref() else { continue };
        if let Some(at) = refused.remove(id) {
            let path = request.path.to_lowercase();
            let about = path.split("/restorepoints/").next().unwrap_or_default().to_owned();
            waits.push((about, request.at.duration_since(at).as_secs_f64()));
        }
        if request.status == Some(429) {
            refused.insert(id, request.at);
        }
    }
    waits
}

fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or(f64::MAX)
}

fn invocations(book: &Pages) -> f64 {
    book.machines.values().map(|(_, count)| f64::from(*count)).sum()
}

/// CPU that the handlers used so far, by the kernel's count.
fn cpu(pids: &[u32], machines: usize) -> String {
    let seconds = |pid: &u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = text.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let ticks = after_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
        ticks.sum::<f64>() / TICKS_PER_SECOND
    };
    let all: f64 = pids.iter().map(seconds).sum();
    format!("{all:.1} s, {:.1} ms", all * 1e3 / machines as f64)
}
