//! What holds of every estate of points and every policy: keep wins, nothing in use goes, `min` holds on every way there.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use lifeboat_contract::keep::{
    AtLeast, Barrier, Keep, Kind, Ownership, PointSeen, Presence, Question, Reason, State, TimeZone, Verdict,
    WhenMachineDeleted, due_oldest_first, verdicts, zone,
};
use lifeboat_planning::retention::{InUse, Period, number};
use proptest::prelude::*;

use crate::fixture::time;
use crate::naive::{EACH, Each, newest_of_each, shows};

/// The days around which points are made: a year's end with ISO week 53, a leap day, and changes of clocks both ways.
const AROUND: [&str; 6] = [
    "2020-12-31T12:00:00Z",
    "2021-10-31T00:30:00Z",
    "2024-02-29T12:00:00Z",
    "2024-03-31T01:00:00Z",
    "2024-10-27T01:00:00Z",
    "2024-12-31T23:00:00Z",
];
/// Zones with changes of an hour, of half an hour, over midnight, and none.
const ZONES: [&str; 6] =
    ["Europe/Berlin", "UTC", "Australia/Lord_Howe", "America/St_Johns", "America/New_York", "Asia/Kathmandu"];
/// After all points but those that are in the future.
const NOW: &str = "2025-06-01T00:00:00Z";
/// Points of one estate: enough for each rule to run out.
const POINTS_MAX: usize = 40;
/// Names, so that each point has one of its own.
const NAMES: [&str; POINTS_MAX] = [
    "00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16", "17", "18",
    "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31", "32", "33", "34", "35", "36", "37",
    "38", "39",
];

fn any_time() -> impl Strategy<Value = Timestamp> {
    let around = prop::sample::select(AROUND.as_slice());
    let seconds = prop_oneof![
        4 => -3 * 3_600..3 * 3_600_i64,
        4 => -10 * 86_400..10 * 86_400_i64,
        2 => -120 * 86_400..120 * 86_400_i64,
        // On the quarter of an hour: where clocks change and periods begin, to the second.
        2 => (-24..24_i64).prop_map(|quarters| quarters * 900),
    ];
    (around, seconds).prop_map(|(around, seconds)| time(around) + SignedDuration::from_secs(seconds))
}

fn any_point() -> impl Strategy<Value = PointSeen<'static>> {
    let state = prop_oneof![
        8 => Just(State::Restorable),
        1 => Just(State::Failed),
        1 => prop::sample::select(vec![State::InProgress, State::NotWhole, State::Deleting]),
    ];
    let reached =
        prop::sample::select(vec![None, Some(AtLeast::Crash), Some(AtLeast::FileSystem), Some(AtLeast::Application)]);
    let barrier = || prop_oneof![12 => Just(Barrier::Absent), 1 => Just(Barrier::Present), 1 => Just(Barrier::Unknown)];
    let ownership = prop_oneof![9 => Just(Ownership::Ours), 1 => Just(Ownership::Foreign)];
    let in_use =
        (barrier(), barrier(), barrier()).prop_map(|(open_access, copying, saga)| InUse { open_access, copying, saga });
    let future = prop::bool::weighted(0.03);
    (any_time(), state, reached, ownership, (barrier(), barrier(), in_use), prop::bool::weighted(0.05), future)
        .prop_map(|(at, state, consistency, ownership, (held, locked, in_use), last_of_disk, future)| PointSeen {
            name: "",
            at: if future { at + SignedDuration::from_hours(24 * 365 * 20) } else { at },
            state,
            consistency,
            ownership,
            held,
            locked,
            in_use,
            last_of_disk,
        })
}

fn any_points() -> impl Strategy<Value = Vec<PointSeen<'static>>> {
    prop::collection::vec(any_point(), 0..POINTS_MAX).prop_map(|mut points| {
        for (point, name) in points.iter_mut().zip(NAMES) {
            point.name = name;
        }
        points
    })
}

fn any_keep() -> impl Strategy<Value = Keep> {
    let count = || prop_oneof![2 => Just(0), 3 => 1..6_u32, 1 => Just(100)];
    let within = prop::option::of(prop_oneof![1..72_i64, Just(24 * 30), Just(24 * 365),]);
    (count(), count(), count(), count(), count(), count(), within, 0..5_u32).prop_map(
        |(last, hourly, daily, weekly, monthly, yearly, within, min)| Keep {
            last,
            hourly,
            daily,
            weekly,
            monthly,
            yearly,
            within: within.map(SignedDuration::from_hours),
            min,
        },
    )
}

fn any_zone() -> impl Strategy<Value = TimeZone> {
    prop::sample::select(ZONES.as_slice()).prop_map(|name| zone(name).expect("a zone"))
}

fn any_machine() -> impl Strategy<Value = Presence> {
    prop_oneof![
        6 => Just(Presence::Living),
        1 => Just(Presence::Unknown),
        1 => (0..40_i64).prop_map(|days| Presence::GoneSince(time(NOW) - SignedDuration::from_hours(24 * days))),
    ]
}

/// A question without its rules and zone, which it borrows.
#[derive(Clone, Copy, Debug)]
struct About {
    machine: Presence,
    deleted_by_hand: bool,
    at_least: AtLeast,
}

const LIVING: About = About { machine: Presence::Living, deleted_by_hand: false, at_least: AtLeast::Crash };

fn any_about() -> impl Strategy<Value = About> {
    let at_least = prop::sample::select(vec![AtLeast::Crash, AtLeast::FileSystem, AtLeast::Application]);
    (any_machine(), prop::bool::weighted(0.2), at_least).prop_map(|(machine, deleted_by_hand, at_least)| About {
        machine,
        deleted_by_hand,
        at_least,
    })
}

fn ask(keep: Option<&Keep>, zone: &TimeZone, about: About, now: Timestamp, points: &[PointSeen<'_>]) -> Vec<Verdict> {
    let About { machine, deleted_by_hand, at_least } = about;
    let when_gone = WhenMachineDeleted::KeepLast;
    verdicts(&Question { keep, zone, at_least, machine, when_gone, deleted_by_hand, now }, points)
}

fn kinds(verdicts: &[Verdict]) -> Vec<Kind> {
    verdicts.iter().map(|verdict| verdict.kind).collect()
}

/// The rules one by one: what each alone asks for, and the reason it gives.
fn alone(keep: &Keep) -> Vec<(Keep, Reason)> {
    let none = Keep::default();
    let rules = [
        (Keep { last: keep.last, ..none }, Reason::Last),
        (Keep { hourly: keep.hourly, ..none }, Reason::Hourly),
        (Keep { daily: keep.daily, ..none }, Reason::Daily),
        (Keep { weekly: keep.weekly, ..none }, Reason::Weekly),
        (Keep { monthly: keep.monthly, ..none }, Reason::Monthly),
        (Keep { yearly: keep.yearly, ..none }, Reason::Yearly),
        (Keep { within: keep.within, ..none }, Reason::Within),
    ];
    rules.into_iter().filter(|(rule, _)| !rule.is_empty()).collect()
}

fn restorable_of_ours(points: &[PointSeen<'_>]) -> usize {
    points.iter().filter(|point| point.counts(time(NOW))).count()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_kept_set_contains_what_each_rule_alone_keeps(points in any_points(), keep in any_keep(), zone in any_zone()) {
        let all = ask(Some(&keep), &zone, LIVING, time(NOW), &points);
        for (rule, reason) in alone(&keep) {
            for (single, both) in ask(Some(&rule), &zone, LIVING, time(NOW), &points).iter().zip(&all) {
                prop_assert_eq!(single.reasons.has(reason), both.reasons.has(reason), "{:?}", reason);
                prop_assert!(!single.reasons.has(reason) || both.kind == Kind::Keep);
            }
        }
    }

    #[test]
    fn each_rule_keeps_what_the_naive_reading_of_its_words_keeps(points in any_points(), count in 1..8_u32, zone in any_zone()) {
        // Two points of the same moment are told apart by their names, of which the naive reading knows nothing.
        let mut seen = BTreeSet::new();
        let points: Vec<PointSeen<'_>> = points.into_iter().filter(|point| seen.insert(point.at)).collect();
        let counted: Vec<Timestamp> =
            points.iter().filter(|point| point.counts(time(NOW))).map(|point| point.at).collect();
        let none = Keep::default();
        for each in EACH {
            let (keep, reason) = match each {
                Each::Hour => (Keep { hourly: count, ..none }, Reason::Hourly),
                Each::Day => (Keep { daily: count, ..none }, Reason::Daily),
                Each::Week => (Keep { weekly: count, ..none }, Reason::Weekly),
                Each::Month => (Keep { monthly: count, ..none }, Reason::Monthly),
                Each::Year => (Keep { yearly: count, ..none }, Reason::Yearly),
            };
            let verdicts = ask(Some(&keep), &zone, LIVING, time(NOW), &points);
            let kept: BTreeSet<Timestamp> = points
                .iter()
                .zip(&verdicts)
                .filter(|(_, verdict)| verdict.reasons.has(reason))
                .map(|(point, _)| point.at)
                .collect();
            prop_assert_eq!(kept, newest_of_each(each, count as usize, &counted, &zone), "{:?}", each);
        }
    }

    #[test]
    fn two_times_of_one_period_are_closer_than_its_length(a in any_time(), b in any_time(), near in -7_200..7_200_i64, zone in any_zone()) {
        const HOURS: [(Each, Period, i64); 5] = [
            (Each::Hour, Period::Hour, 1),
            // The longest there are: a day, a week, a month and a leap year in which clocks go back.
            (Each::Day, Period::Day, 25),
            (Each::Week, Period::Week, 7 * 24 + 1),
            (Each::Month, Period::Month, 31 * 24 + 1),
            (Each::Year, Period::Year, 366 * 24),
        ];
        for b in [b, a + SignedDuration::from_secs(near)] {
            let apart = a.duration_since(b).abs();
            for (each, period, hours) in HOURS {
                let same = number(period, a, &zone) == number(period, b, &zone);
                prop_assert!(!same || apart < SignedDuration::from_hours(hours), "{:?} {} {}", each, a, b);
                prop_assert_eq!(same, shows(each, a, &zone) == shows(each, b, &zone), "{:?} {} {}", each, a, b);
            }
        }
    }

    #[test]
    fn nothing_foreign_held_locked_in_use_or_last_of_a_disk_goes(points in any_points(), keep in any_keep(), zone in any_zone(), about in any_about()) {
        let verdicts = ask(Some(&keep), &zone, about, time(NOW), &points);
        for (point, verdict) in points.iter().zip(&verdicts) {
            prop_assert!(verdict.reasons.iter().next().is_some(), "{:?} has no reason", point);
            let free = |barrier| barrier == Barrier::Absent;
            let in_use = [point.held, point.locked, point.in_use.open_access, point.in_use.copying, point.in_use.saga];
            let may_go = point.ownership == Ownership::Ours
                && in_use.into_iter().all(free)
                && !point.last_of_disk
                && point.at <= time(NOW)
                && !matches!(point.state, State::InProgress | State::Deleting);
            prop_assert!(may_go || verdict.kind != Kind::Expire, "{:?} {:?}", point, verdict);
            prop_assert_eq!(point.ownership == Ownership::Foreign, verdict.kind == Kind::Foreign);
        }
        prop_assert!(about.machine != Presence::Unknown || !kinds(&verdicts).contains(&Kind::Expire));
    }

    #[test]
    fn every_order_of_arrival_respects_min(points in any_points(), keep in any_keep(), zone in any_zone(), about in any_about(), stop in 1..4_usize, order in any::<prop::sample::Index>()) {
        let mut arriving = points;
        // Any rotation of any half, reversed: orders that no clock would give.
        let middle = order.index(arriving.len() + 1);
        arriving[..middle].reverse();
        arriving.rotate_left(middle / 2);
        let mut there: Vec<PointSeen<'_>> = Vec::new();
        let floor = keep.min.max(1) as usize;
        for point in arriving {
            there.push(point);
            let before = restorable_of_ours(&there);
            let verdicts = ask(Some(&keep), &zone, about, time(NOW), &there);
            let due = due_oldest_first(&there, &verdicts);
            // Stopped after some of them, as limits would: then what is left is judged again at the next arrival.
            let gone: Vec<&str> = due.iter().take(stop * 2).map(|index| there[*index].name).collect();
            for name in gone {
                there.retain(|point| point.name != name);
                let left = restorable_of_ours(&there);
                prop_assert!(left >= floor.min(before), "{} of {} left", left, before);
            }
        }
    }

    #[test]
    fn asking_for_more_consistency_frees_nothing(points in any_points(), keep in any_keep(), zone in any_zone(), about in any_about()) {
        let of = |at_least| kinds(&ask(Some(&keep), &zone, About { at_least, ..about }, time(NOW), &points));
        prop_assert_eq!(of(AtLeast::Crash), of(AtLeast::FileSystem));
        prop_assert_eq!(of(AtLeast::Crash), of(AtLeast::Application));
    }

    #[test]
    fn no_policy_and_no_rules_free_nothing(points in any_points(), zone in any_zone(), about in any_about(), min in 0..5_u32) {
        let empty = Keep { min, ..Keep::default() };
        for keep in [None, Some(&empty)] {
            prop_assert!(!kinds(&ask(keep, &zone, about, time(NOW), &points)).contains(&Kind::Expire));
        }
    }

    #[test]
    fn a_later_look_without_new_points_frees_nothing(points in any_points(), keep in any_keep(), zone in any_zone(), days in 0..5_000_i64) {
        let points: Vec<PointSeen<'_>> = points.into_iter().filter(|point| point.at <= time(NOW)).collect();
        let later = time(NOW) + SignedDuration::from_hours(24 * days);
        prop_assert_eq!(
            ask(Some(&keep), &zone, LIVING, later, &points),
            ask(Some(&keep), &zone, LIVING, time(NOW), &points)
        );
    }

    #[test]
    fn the_order_in_which_points_are_listed_changes_no_verdict(points in any_points(), keep in any_keep(), zone in any_zone(), about in any_about(), at in any::<prop::sample::Index>()) {
        let verdicts = ask(Some(&keep), &zone, about, time(NOW), &points);
        let middle = at.index(points.len() + 1);
        let mut listed: Vec<(PointSeen<'_>, Verdict)> = points.into_iter().zip(verdicts).collect();
        listed.rotate_left(middle);
        listed[..middle / 2].reverse();
        let (points, wanted): (Vec<PointSeen<'_>>, Vec<Verdict>) = listed.into_iter().unzip();
        prop_assert_eq!(ask(Some(&keep), &zone, about, time(NOW), &points), wanted);
    }

    #[test]
    fn what_goes_goes_oldest_first_and_planning_again_changes_nothing(points in any_points(), keep in any_keep(), zone in any_zone(), about in any_about()) {
        let verdicts = ask(Some(&keep), &zone, about, time(NOW), &points);
        let due = due_oldest_first(&points, &verdicts);
        prop_assert!(due.iter().is_sorted_by_key(|index| points[*index].at));
        prop_assert_eq!(due.len(), kinds(&verdicts).iter().filter(|kind| **kind == Kind::Expire).count());
        let left: Vec<PointSeen<'_>> =
            points.iter().zip(&verdicts).filter(|(_, verdict)| verdict.kind != Kind::Expire).map(|(point, _)| *point).collect();
        prop_assert!(!kinds(&ask(Some(&keep), &zone, about, time(NOW), &left)).contains(&Kind::Expire));
    }
}
