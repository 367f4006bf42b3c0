//! Benches of the verdicts on recovery points, every rule and every reason: of one machine with very many points, and of very
//! many machines. Prints figure, budget and floor of each line; a figure over its budget ends it non-zero.
//!
//! `cargo run --release -p lifeboat-tests --bin bench-retention`
#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use lifeboat_contract::keep::{
    AtLeast, Barrier, Keep, Kind, Ownership, PointSeen, Presence, Question, State, TimeZone, WhenMachineDeleted,
    due_oldest_first, verdicts, zone,
};
use lifeboat_planning::retention::InUse;

use lifeboat_tests::lines::{self, Line};

/// Runs measured of each; the median is quoted.
const RUNS: usize = 31;
/// Points of a machine in an estate: what the design's example keeps, and what is due.
const POINTS_PER_MACHINE: usize = 100;
/// Between two points: an hour and a bit, so that every minute and every day of the week comes up.
const APART_SECONDS: i64 = 3_607;
/// The step by which points are listed out of order: prime, so that each comes up once.
const STEP: usize = 7_919;

/// The example of the design.
const KEEP: Keep = Keep {
    last: 3,
    hourly: 24,
    daily: 7,
    weekly: 4,
    monthly: 12,
    yearly: 3,
    within: Some(SignedDuration::from_hours(48)),
    min: 1,
};

fn main() -> ExitCode {
    let zone = zone("Europe/Berlin").expect("a zone");
    let now: Timestamp = "2026-11-25T12:00:00Z".parse().expect("a time");
    let names: Vec<String> = (0..100_000).map(|at| format!("lb-daily-{at:06}")).collect();
    let all = points(&names, now);
    let (ten, hundred) = (listed(&all[..10_000]), listed(&all));
    print_what_is_decided(&zone, now, &hundred);
    let each = median_ms(|| decide(&hundred, POINTS_PER_MACHINE, &zone, now));
    lines::print(vec![
        line("10,000 points of one machine, any order", &ten, 10_000, 1.0, &zone, now),
        line("10,000 points of 100 machines", &ten, POINTS_PER_MACHINE, 1.0, &zone, now),
        line("100,000 points of one machine, any order", &hundred, 100_000, 20.0, &zone, now),
        line("100,000 points of 1,000 machines", &hundred, POINTS_PER_MACHINE, 20.0, &zone, now),
        line("100,000 points of one machine, as made", &all, 100_000, 20.0, &zone, now),
        Line::at_least("points a microsecond, 1,000 machines", hundred.len() as f64 / (each * 1_000.0), "/us", 5.0),
    ])
}

/// Verdicts on all of them, so many of one machine, beside sorting the times alone.
fn line(what: &'static str, all: &[PointSeen<'_>], each: usize, budget: f64, zone: &TimeZone, now: Timestamp) -> Line {
    let decided = median_ms(|| decide(all, each, zone, now));
    let sorted = median_ms(|| {
        for machine in all.chunks(each) {
            let mut times: Vec<Timestamp> = black_box(machine).iter().map(|point| point.at).collect();
            times.sort_unstable();
            black_box(times);
        }
    });
    Line::at_most(what, decided, "ms", budget).floor(sorted, "the times sorted and dropped")
}

fn decide(all: &[PointSeen<'_>], each: usize, zone: &TimeZone, now: Timestamp) {
    for machine in all.chunks(each) {
        black_box(verdicts(&question(zone, now), black_box(machine)));
    }
}

/// The figures mean nothing unless most points go and some stay.
fn print_what_is_decided(zone: &TimeZone, now: Timestamp, points: &[PointSeen<'_>]) {
    let verdicts = verdicts(&question(zone, now), points);
    let due = due_oldest_first(points, &verdicts).len();
    let count = |kind| verdicts.iter().filter(|verdict| verdict.kind == kind).count();
    let (keep, blocked, foreign) = (count(Kind::Keep), count(Kind::Blocked), count(Kind::Foreign));
    println!("of {} points: {keep} keep, {blocked} blocked, {foreign} foreign, {due} expire", points.len());
}

fn question<'a>(zone: &'a TimeZone, now: Timestamp) -> Question<'a> {
    Question {
        keep: Some(&KEEP),
        zone,
        at_least: AtLeast::FileSystem,
        machine: Presence::Living,
        when_gone: WhenMachineDeleted::KeepLast,
        deleted_by_hand: false,
        now,
    }
}

/// Points from the newest back, some failed, some held, some foreign.
fn points(names: &[String], now: Timestamp) -> Vec<PointSeen<'_>> {
    let mut at = now;
    let mut points = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        at -= SignedDuration::from_secs(APART_SECONDS);
        points.push(PointSeen {
            name,
            at,
            state: if index % 29 == 0 { State::Failed } else { State::Restorable },
            consistency: Some(if index % 2 == 0 { AtLeast::Crash } else { AtLeast::Application }),
            ownership: if index % 31 == 0 { Ownership::Foreign } else { Ownership::Ours },
            held: if index % 37 == 0 { Barrier::Present } else { Barrier::Absent },
            locked: Barrier::Absent,
            in_use: InUse::default(),
            last_of_disk: false,
        });
    }
    points
}

/// The same in an order that has nothing to do with time.
fn listed<'a>(points: &[PointSeen<'a>]) -> Vec<PointSeen<'a>> {
    (0..points.len()).map(|index| points[index * STEP % points.len()]).collect()
}

fn median_ms(mut work: impl FnMut()) -> f64 {
    let mut figures: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    figures.sort_by(f64::total_cmp);
    figures[RUNS / 2]
}
