//! Tests of schedules: clock changes as a table, and for any schedule and zone an enumerator that goes minute by minute.
//! The enumerator shares no code with the product: it walks real time and asks what the clock on the wall shows.

mod walk;

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::id::MachineKey;

/// Cases of each property: few, because each walks through six days of minutes, and an edit's tests must not take long.
const CASES: u32 = 48;

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn slot(text: &str) -> Slot {
    Slot::parse(text).unwrap()
}

/// `2,14` and `*`; enough of cron to write tables of it.
fn numbers(text: &str, field: Field) -> Numbers {
    match text {
        "*" => field.range().collect(),
        _ => text.split(',').map(|number| number.parse::<u8>().unwrap()).collect(),
    }
}

fn schedule(text: &str) -> Schedule {
    let fields: Vec<&str> = text.split(' ').collect();
    let of_month = numbers(fields[2], Field::DayOfMonth);
    let of_week = numbers(fields[4], Field::DayOfWeek);
    let days = match (fields[2], fields[4]) {
        ("*", "*") => Days::Every,
        (_, "*") => Days::OfMonth(of_month),
        ("*", _) => Days::OfWeek(of_week),
        _ => Days::Either { of_month, of_week },
    };
    let months = numbers(fields[3], Field::Month);
    let cron = Cron::new(numbers(fields[0], Field::Minute), numbers(fields[1], Field::Hour), days, months).unwrap();
    Schedule::new(cron, zone(fields[5]))
}

/// The slots of a span as one line, without the year when it stays the same.
fn slots(schedule: &Schedule, after: &str, up_to: &str) -> String {
    let slots = schedule.slots_between(at(after), at(up_to)).map(|slot| slot.to_string()[4..13].to_string());
    slots.collect::<Vec<_>>().join(" ")
}

/// What is due for a machine at a moment.
fn due(
    schedule: &Schedule,
    last_done: Option<Slot>,
    known_since: Timestamp,
    key: &MachineKey,
    now: Timestamp,
    window: SignedDuration,
) -> Option<Due> {
    Around::new(schedule, now, window).due(last_done, known_since, key)
}

fn check(sentence: &str, text: &str, after: &str, up_to: &str, expected: &str) {
    assert_eq!(slots(&schedule(text), after, up_to), expected, "{sentence}");
}

#[test]
fn days_of_23_and_25_hours_give_each_slot_exactly_once() {
    let berlin = ("2026-03-28T00:00Z", "2026-03-30T12:00Z");
    check(
        "spring: 02:30 is not there, 03:30 stands for it",
        "30 2 * * * Europe/Berlin",
        berlin.0,
        berlin.1,
        "0328T0130 0329T0130 0330T0030",
    );
    check(
        "spring: beside the gap nothing moves",
        "0 4 * * * Europe/Berlin",
        berlin.0,
        berlin.1,
        "0328T0300 0329T0200 0330T0200",
    );
    check(
        "spring: two local times on one moment are one slot",
        "0 2,3 * * * Europe/Berlin",
        berlin.0,
        berlin.1,
        "0328T0100 0328T0200 0329T0100 0330T0000 0330T0100",
    );
    check(
        "spring: quarters of the lost hour stay apart",
        "0,15,30,45 2 29 * * Europe/Berlin",
        berlin.0,
        berlin.1,
        "0329T0100 0329T0115 0329T0130 0329T0145",
    );
    let berlin = ("2026-10-24T00:00Z", "2026-10-27T00:00Z");
    check(
        "autumn: 02:30 is there twice, the first counts",
        "30 2 * * * Europe/Berlin",
        berlin.0,
        berlin.1,
        "1024T0030 1025T0030 1026T0130",
    );
    check(
        "autumn: the time after is there once",
        "0 3 * * * Europe/Berlin",
        berlin.0,
        berlin.1,
        "1024T0100 1025T0200 1026T0200",
    );
    let new_york = ("2026-03-07T12:00Z", "2026-03-09T12:00Z");
    check("spring in New York", "30 2 * * * America/New_York", new_york.0, new_york.1, "0308T0730 0309T0630");
    let new_york = ("2026-10-31T12:00Z", "2026-11-02T12:00Z");
    check("autumn in New York", "30 1 * * * America/New_York", new_york.0, new_york.1, "1101T0530 1102T0630");
    let howe = ("2026-10-02T20:00Z", "2026-10-05T10:00Z");
    check("a gap of half an hour", "15 2 * * * Australia/Lord_Howe", howe.0, howe.1, "1003T1545 1004T1515");
    let howe = ("2026-04-03T20:00Z", "2026-04-06T10:00Z");
    check("half an hour twice", "45 1 * * * Australia/Lord_Howe", howe.0, howe.1, "0404T1445 0405T1515");
    check(
        "a zone without summer time",
        "30 2 * * * Asia/Kolkata",
        "2026-03-28T00:00Z",
        "2026-03-30T00:00Z",
        "0328T2100 0329T2100",
    );
    check(
        "a gap at midnight",
        "0 0 * * * Africa/Cairo",
        "2026-04-22T12:00Z",
        "2026-04-25T12:00Z",
        "0422T2200 0423T2200 0424T2100",
    );
}

#[test]
fn a_date_that_a_zone_skipped_loses_no_slot_and_doubles_none() {
    let apia = ("2011-12-29T00:00Z", "2012-01-01T10:00Z");
    check(
        "daily: the skipped day and the next share a moment",
        "0 2 * * * Pacific/Apia",
        apia.0,
        apia.1,
        "1229T1200 1230T1200 1231T1200",
    );
    check("the skipped day alone fires a day later", "0 2 30 12 * Pacific/Apia", apia.0, apia.1, "1230T1200");
}

#[test]
fn every_hour_means_each_real_hour() {
    let hourly = "0 * * * * Europe/Berlin";
    let count = |from, to| schedule(hourly).slots_between(at(from), at(to)).count();
    check(
        "spring: no hour is doubled",
        hourly,
        "2026-03-28T23:59Z",
        "2026-03-29T03:00Z",
        "0329T0000 0329T0100 0329T0200 0329T0300",
    );
    check("autumn: both hours", hourly, "2026-10-24T23:59Z", "2026-10-25T02:00Z", "1025T0000 1025T0100 1025T0200");
    assert_eq!(count("2026-03-28T22:59Z", "2026-03-29T21:59Z"), 23, "the short day has 23");
    assert_eq!(count("2026-10-24T21:59Z", "2026-10-25T22:59Z"), 25, "the long day has 25");
    check(
        "every other hour is times of the day: the second 02:00 does not fire",
        "0 0,2,4 * * * Europe/Berlin",
        "2026-10-24T21:59Z",
        "2026-10-25T04:00Z",
        "1024T2200 1025T0000 1025T0300",
    );
}

#[test]
fn leap_days_ends_of_years_and_either_field_of_days() {
    let leap = schedule("0 12 29 2 * UTC");
    assert_eq!(leap.next_after(at("2024-02-29T12:00Z")), Some(slot("20280229T1200Z")));
    assert_eq!(leap.next_after(at("2096-02-29T12:00Z")), Some(slot("21040229T1200Z")), "1900, 2100: eight years");
    assert_eq!(leap.last_at_or_before(at("2104-02-29T11:59Z")), Some(slot("20960229T1200Z")));
    check("year's end", "59 23 31 12 * UTC", "2025-01-01T00:00Z", "2027-01-01T00:00Z", "1231T2359 1231T2359");
    check("year's end, elsewhere", "0 0 1 1 * Pacific/Apia", "2026-12-01T00:00Z", "2027-01-02T00:00Z", "1231T1100");
    check(
        "the 31st, in months that have one",
        "0 0 31 * * UTC",
        "2026-01-01T00:00Z",
        "2026-07-01T00:00Z",
        "0131T0000 0331T0000 0531T0000",
    );
    check(
        "Friday or the 13th",
        "0 0 13 * 5 UTC",
        "2026-03-01T00:00Z",
        "2026-03-21T00:00Z",
        "0306T0000 0313T0000 0320T0000",
    );
    check("Sundays", "0 0 * * 0 UTC", "2026-11-01T00:00Z", "2026-11-16T00:00Z", "1108T0000 1115T0000");
}

#[test]
fn the_ends_of_time_end_the_search() {
    let daily = schedule("0 2 * * * Europe/Berlin");
    assert_eq!(daily.last_at_or_before(Timestamp::MIN), None);
    assert_eq!(daily.last_at_or_before(at("1970-01-01T00:30Z")), None, "a slot is never before 1970");
    assert_eq!(daily.last_at_or_before(at("1970-01-01T01:00Z")), Some(slot("19700101T0100Z")));
    assert_eq!(daily.next_after(Timestamp::MAX), None);
    assert!(daily.last_at_or_before(Timestamp::MAX).is_some());
    assert_eq!(daily.slots_between(at("2026-01-02T00:00Z"), at("2026-01-01T00:00Z")).count(), 0);
    assert_eq!(schedule("0 12 29 2 * UTC").next_after(at("9997-01-01T00:00Z")), None);
}

#[test]
fn what_never_fires_or_is_out_of_range_is_no_schedule() {
    let set = |numbers: &[u8]| numbers.iter().copied().collect::<Numbers>();
    let all = |field: Field| field.range().collect::<Numbers>();
    let cron = |minutes, days, months| Cron::new(minutes, all(Field::Hour), days, months);
    let zero = set(&[0]);
    assert_eq!(cron(zero, Days::OfMonth(set(&[30, 31])), set(&[2])), Err(CronFault::NeverFires));
    assert_eq!(cron(zero, Days::OfMonth(set(&[31])), set(&[2, 4, 6, 9, 11])), Err(CronFault::NeverFires));
    assert!(cron(zero, Days::OfMonth(set(&[29])), set(&[2])).is_ok());
    let either = Days::Either { of_month: set(&[30]), of_week: set(&[1]) };
    assert!(cron(zero, either, set(&[2])).is_ok(), "Mondays in February fire");
    assert_eq!(cron(set(&[]), Days::Every, all(Field::Month)), Err(CronFault::Field(Field::Minute)));
    assert_eq!(cron(set(&[60]), Days::Every, all(Field::Month)), Err(CronFault::Field(Field::Minute)));
    assert_eq!(cron(zero, Days::OfMonth(zero), all(Field::Month)), Err(CronFault::Field(Field::DayOfMonth)));
    assert_eq!(cron(zero, Days::OfWeek(set(&[7])), all(Field::Month)), Err(CronFault::Field(Field::DayOfWeek)));
}

#[test]
fn a_schedule_has_one_spelling() {
    assert_eq!(schedule("0,1,2,3,30 2 * * * Europe/Berlin").to_string(), "0-3,30 2 * * * Europe/Berlin");
    assert_eq!(schedule("0 2 1,2 * 0 UTC").to_string(), "0 2 1,2 * 0 UTC");
    let of_all_days = Days::OfWeek(Field::DayOfWeek.range().collect());
    let set = |number: u8| core::iter::once(number).collect::<Numbers>();
    let cron = Cron::new(set(0), set(2), of_all_days, Field::Month.range().collect()).unwrap();
    assert_eq!(cron, schedule("0 2 * * * UTC").cron());
}

#[test]
fn gaps_and_counts_are_those_of_the_calendar() {
    let hours = SignedDuration::from_hours;
    for (text, shortest, longest) in [
        ("0 2 * * * UTC", 24, 24),
        ("0 * * * * UTC", 1, 1),
        ("0 2,8 * * * UTC", 6, 18),
        ("0 2 * * 1 UTC", 168, 168),
        ("0 2 1 * * UTC", 28 * 24, 31 * 24),
        ("0 2 29 2 * UTC", 1461 * 24, 1461 * 24),
        ("0 2 * * 1,2,3,4,5 UTC", 24, 72),
    ] {
        let schedule = schedule(text);
        assert_eq!((schedule.shortest_gap(), schedule.longest_gap()), (hours(shortest), hours(longest)), "{text}");
    }
    for (text, span, most) in [
        ("0 2 * * * UTC", 0, 1),
        ("0 2 * * * UTC", 48, 3),
        ("0 2 * * * UTC", 47, 2),
        ("0 * * * * UTC", 48, 49),
        ("0 * * * * UTC", 23, 24),
        ("0 2,8 * * * UTC", 6, 2),
        ("0 2,8 * * * UTC", 30, 4),
        ("0 2 * * 1,2,3,4,5 UTC", 24 * 7, 6),
        ("0 2 1 * * UTC", 24 * 365, 13),
        ("0 2 29 2 * UTC", 24 * 365 * 28, 7),
        ("* * * * * UTC", 24, 1441),
    ] {
        assert_eq!(schedule(text).most_within(hours(span)), most, "{text} within {span} h");
    }
}

#[test]
fn missed_slots_are_made_up_once_by_the_newest_and_said() {
    let daily = schedule("0 2 * * * UTC");
    let key = MachineKey::new("v", "/vm");
    let known = at("2026-11-01T00:00Z");
    let due_at = |done: Option<&str>, now: &str| {
        due(&daily, done.map(slot), known, &key, at(now), SignedDuration::ZERO).unwrap()
    };
    let first = due_at(Some("20261119T0200Z"), "2026-11-22T09:00Z");
    assert_eq!(first.slot, slot("20261122T0200Z"), "the newest");
    assert_eq!(
        first.missed,
        Missed { count: 2, oldest: Some(slot("20261120T0200Z")), newest: Some(slot("20261121T0200Z")) }
    );
    assert!(first.is_now(at("2026-11-22T09:00Z")) && first.is_late(at("2026-11-22T09:00Z")));
    let next = due_at(Some("20261122T0200Z"), "2026-11-22T09:00Z");
    assert_eq!((next.slot, next.missed), (slot("20261123T0200Z"), Missed::default()), "once");
    assert!(!next.is_now(at("2026-11-22T09:00Z")));
    let new = due_at(None, "2026-11-01T01:00Z");
    assert_eq!((new.slot, new.missed), (slot("20261101T0200Z"), Missed::default()), "a new policy missed nothing");
    let on_time = due_at(None, "2026-11-01T02:00Z");
    assert!(on_time.is_now(at("2026-11-01T02:00Z")) && !on_time.is_late(at("2026-11-01T02:00Z")));
    let clock_back = due_at(Some("20261122T0200Z"), "2026-11-20T09:00Z");
    assert_eq!(clock_back.slot, slot("20261123T0200Z"), "a clock that went back makes nothing again");
    let known_at_a_slot =
        due(&daily, None, at("2026-11-05T02:00Z"), &key, at("2026-11-05T03:00Z"), SignedDuration::ZERO);
    assert_eq!(known_at_a_slot.map(|due| due.slot), Some(slot("20261105T0200Z")), "from then on, that moment included");
    let minutely = due(&schedule("* * * * * UTC"), None, known, &key, at("2026-11-22T00:00Z"), SignedDuration::ZERO);
    assert_eq!(minutely.map(|due| due.missed.count), Some(MISSED_COUNTED_MAX));
}

#[test]
fn a_thousand_machines_begin_evenly_in_the_window_and_never_past_the_next_slot() {
    for (text, asked, window) in
        [("0 * * * * UTC", 3600, 900), ("0 2 * * * UTC", 3600, 3600), ("* * * * * UTC", 3600, 15)]
    {
        let schedule = schedule(text);
        let slot = schedule.last_at_or_before(at("2026-11-22T02:00Z")).unwrap();
        let opening = opening(&schedule, slot, SignedDuration::from_secs(asked));
        assert_eq!(opening.as_secs(), window, "{text}");
        let next = schedule.next_after(slot.at()).unwrap();
        let mut parts = [0; 10];
        for machine in 0..1000 {
            let key = MachineKey::new(&machine.to_string(), "/vm");
            let starts = starts_at(slot, &key, opening);
            assert_eq!(starts, starts_at(slot, &key, opening), "the same place each time");
            let waits = starts.duration_since(slot.at()).as_secs();
            assert!((0..window).contains(&waits) && starts < next.at(), "{text}: {waits}");
            parts[usize::try_from(waits * 10 / window).unwrap()] += 1;
        }
        // Seconds of a short window do not part into ten alike; elsewhere each tenth has a hundred, give or take.
        assert!(window < 100 || parts.iter().all(|count| (60..=140).contains(count)), "{text}: {parts:?}");
    }
    let daily = schedule("0 2 * * * UTC");
    assert_eq!(opening(&daily, slot("20261122T0200Z"), SignedDuration::from_secs(-5)), SignedDuration::ZERO);
}
