//! Calendar, slots, keep rules and the document: on days of 23 and 25 hours, in ISO week 53, on a leap day.
//! They never judge a history.

use super::super::calendar::{date_of, moments, monday_of, offset, weekday, written};
use super::super::keep::{Freed, Reason, Verdict};
use super::super::slots::{may_be_slot, newest_of, next_of, same_slot};
use super::super::{keep_verdicts, next_slot};
use super::*;

#[test]
fn every_day_of_eight_hundred_years_has_a_date_that_has_its_number() {
    let first = day_number(Date { year: 1600, month: 1, day: 1 });
    let mut before = date_of(first - 1);
    for day in first..first + 2 * 146_097 {
        let date = date_of(day);
        assert_eq!(day_number(date), day);
        assert!(date > before, "{date:?} follows {before:?}");
        before = date;
    }
}

#[test]
fn known_days_have_their_dates() {
    assert_eq!(day_number(Date { year: 1970, month: 1, day: 1 }), 0);
    assert_eq!(day_number(Date { year: 2000, month: 2, day: 29 }), 11_016);
    assert_eq!(day_number(Date { year: 2026, month: 11, day: 25 }), 20_782);
    assert_eq!(written(1_709_210_096), "2024-02-29T12:34:56Z");
    assert_eq!(written(T0), "2026-01-05T00:00:00Z");
    assert_eq!(weekday(day_number(Date { year: 2026, month: 11, day: 25 })), 3);
    assert_eq!(weekday(day_number(Date { year: 1969, month: 12, day: 28 })), 0);
}

#[test]
fn iso_week_53_goes_over_the_end_of_the_year() {
    let monday = day_number(Date { year: 2026, month: 12, day: 28 });
    assert_eq!(monday_of(day_number(Date { year: 2027, month: 1, day: 3 })), monday);
    assert_eq!(monday_of(monday), monday);
    assert_eq!(monday_of(day_number(Date { year: 2026, month: 12, day: 27 })), monday - 7);
    assert_eq!(monday_of(day_number(Date { year: 2027, month: 1, day: 4 })), monday + 7);
}

#[test]
fn berlin_changes_its_clocks_on_the_last_sundays_of_march_and_october() {
    assert_eq!(offset(Zone::Berlin, at(2026, 3, 29, 1, 0) - 1), HOUR);
    assert_eq!(offset(Zone::Berlin, at(2026, 3, 29, 1, 0)), 2 * HOUR);
    assert_eq!(offset(Zone::Berlin, at(2026, 10, 25, 1, 0) - 1), 2 * HOUR);
    assert_eq!(offset(Zone::Berlin, at(2026, 10, 25, 1, 0)), HOUR);
    assert_eq!(offset(Zone::Utc, at(2026, 7, 1, 0, 0)), 0);
    assert!(moments(Zone::Berlin, at(2026, 3, 29, 2, 30)).is_empty());
    let twice = [at(2026, 10, 25, 0, 30), at(2026, 10, 25, 1, 30)];
    assert_eq!(moments(Zone::Berlin, at(2026, 10, 25, 2, 30)), twice);
}

#[test]
fn days_of_23_and_25_hours_have_a_daily_slot_once() {
    let schedule = schedule(30, &[2], Zone::Berlin);
    let slots = |mut from: Time, count: usize| -> Vec<String> {
        (0..count)
            .map(|_| {
                from = next_of(&schedule, from).unwrap();
                written(from)
            })
            .collect()
    };
    let march = slots(at(2026, 3, 28, 0, 0), 3);
    assert_eq!(march, ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]);
    let october = slots(at(2026, 10, 24, 0, 0), 3);
    assert_eq!(october, ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
}

#[test]
fn the_newest_slot_is_the_one_before_the_next() {
    for schedule in [
        schedule(15, &[0, 6, 23], Zone::Utc),
        schedule(59, &[1, 2, 3], Zone::Berlin),
        Schedule { weekdays: vec![0, 3], ..schedule(0, &[2], Zone::Berlin) },
    ] {
        let mut before = next_of(&schedule, at(2026, 3, 1, 0, 0)).unwrap();
        for _ in 0..200 {
            let next = next_of(&schedule, before).unwrap();
            assert_eq!(newest_of(&schedule, next - 1), Some(before));
            assert_eq!(newest_of(&schedule, next), Some(next));
            assert!(may_be_slot(&schedule, next) && !may_be_slot(&schedule, next + 61));
            before = next;
        }
    }
}

#[test]
fn both_readings_of_an_hour_shown_twice_may_be_the_slot_but_they_are_one() {
    let daily = schedule(30, &[2], Zone::Berlin);
    let (first, second) = (at(2026, 10, 25, 0, 30), at(2026, 10, 25, 1, 30));
    assert!(may_be_slot(&daily, first) && may_be_slot(&daily, second));
    assert!(same_slot(Some(&daily), first, second));
    let hourly = schedule(30, &(0..24).collect::<Vec<u8>>(), Zone::Berlin);
    assert!(!same_slot(Some(&hourly), first, second));
    assert!(may_be_slot(&daily, at(2026, 3, 29, 1, 30)) && may_be_slot(&daily, at(2026, 3, 29, 1, 0)));
    assert!(!may_be_slot(&daily, at(2026, 3, 30, 1, 0)));
}

#[test]
fn an_entry_without_a_schedule_has_no_next_slot() {
    assert_eq!(next_slot(&Entry { schedule: None, ..daily() }, T0), None);
    assert_eq!(next_slot(&daily(), T0), Some(T0 + 2 * HOUR));
    assert_eq!(next_slot(&daily(), T0 + 2 * HOUR), Some(T0 + 26 * HOUR));
}

/// Which of these times, given as (year, month, day, hour, minute), stay.
fn stay(keep: Keep, zone: Zone, times: &[(i64, i64, i64, i64, i64)]) -> Vec<usize> {
    let entry = Entry { keep: Some(keep), schedule: Some(schedule(0, &[2], zone)), ..daily() };
    let points: Vec<(Time, bool)> = times.iter().map(|(y, m, d, h, min)| (at(*y, *m, *d, *h, *min), true)).collect();
    let verdicts = keep_verdicts(&entry, &points);
    (0..times.len()).filter(|index| matches!(verdicts[*index], Verdict::Kept(_))).collect()
}

#[test]
fn each_rule_keeps_the_newest_of_its_newest_periods_that_have_points() {
    let times = [(2026, 1, 1, 1, 0), (2026, 1, 1, 2, 0), (2026, 1, 5, 2, 0), (2026, 2, 9, 2, 0), (2026, 2, 9, 2, 1)];
    let rule = |keep: Keep| stay(keep, Zone::Utc, &times);
    assert_eq!(rule(Keep { last: Some(2), ..Keep::default() }), [3, 4]);
    assert_eq!(rule(Keep { hourly: Some(3), ..Keep::default() }), [1, 2, 4]);
    assert_eq!(rule(Keep { daily: Some(3), ..Keep::default() }), [1, 2, 4]);
    assert_eq!(rule(Keep { weekly: Some(2), ..Keep::default() }), [2, 4]);
    assert_eq!(rule(Keep { monthly: Some(5), ..Keep::default() }), [2, 4]);
    assert_eq!(rule(Keep { yearly: Some(1), ..Keep::default() }), [4]);
    assert_eq!(rule(Keep { within: Some(60), ..Keep::default() }), [3, 4]);
    assert_eq!(rule(Keep { last: Some(1), min: Some(3), ..Keep::default() }), [2, 3, 4]);
    assert_eq!(rule(Keep { last: Some(1), yearly: Some(1), monthly: Some(2), ..Keep::default() }), [2, 4]);
}

#[test]
fn a_day_of_within_may_be_the_25_hours_of_its_zone() {
    let times = [(2026, 10, 24, 23, 59), (2026, 10, 25, 0, 0), (2026, 10, 26, 1, 0)];
    let day = Keep { within: Some(DAY), ..Keep::default() };
    assert_eq!(stay(day.clone(), Zone::Berlin, &times), [1, 2]);
    assert_eq!(stay(day, Zone::Utc, &times), [2]);
}

#[test]
fn rules_that_say_nothing_free_nothing() {
    let times = [(2020, 1, 1, 0, 0), (2026, 1, 1, 0, 0)];
    assert_eq!(stay(Keep::default(), Zone::Utc, &times), [0, 1]);
    assert_eq!(stay(Keep { last: Some(0), min: Some(1), ..Keep::default() }, Zone::Utc, &times), [0, 1]);
}

#[test]
fn periods_are_those_of_the_zone_and_weeks_those_of_iso() {
    // 23:30 UTC of the last of January is February in Berlin.
    let times = [(2026, 1, 31, 22, 30), (2026, 1, 31, 23, 30), (2026, 2, 1, 3, 0)];
    let monthly = Keep { monthly: Some(2), ..Keep::default() };
    assert_eq!(stay(monthly.clone(), Zone::Berlin, &times), [0, 2]);
    assert_eq!(stay(monthly, Zone::Utc, &times), [1, 2]);
    let over_the_year = [(2026, 12, 27, 2, 0), (2026, 12, 31, 2, 0), (2027, 1, 3, 2, 0), (2027, 1, 4, 2, 0)];
    assert_eq!(stay(Keep { weekly: Some(3), ..Keep::default() }, Zone::Utc, &over_the_year), [0, 2, 3]);
    let leap = [(2028, 2, 28, 23, 0), (2028, 2, 29, 0, 0), (2028, 2, 29, 23, 0), (2028, 3, 1, 0, 0)];
    assert_eq!(stay(Keep { daily: Some(3), ..Keep::default() }, Zone::Utc, &leap), [0, 2, 3]);
}

#[test]
fn a_failed_point_counts_for_nothing_and_is_evidence_until_a_restorable_one_follows() {
    let points = [(T0, false), (T0 + 60, true), (T0 + 120, false)];
    let verdicts = keep_verdicts(&daily(), &points);
    assert_eq!(verdicts[0], Verdict::Due(Freed::FailedBefore));
    assert_eq!(verdicts[1], Verdict::Kept(vec![Reason::Daily, Reason::Min]));
    assert_eq!(verdicts[2], Verdict::Kept(vec![Reason::Evidence]));
}

#[test]
fn the_document_says_what_the_policy_means() {
    let mut policy = policy();
    policy.vault = Some(("rsv-1".to_owned(), "EnhancedPolicy".to_owned()));
    policy.entries[0].keep = Some(Keep { last: Some(3), within: Some(2 * DAY), min: Some(1), ..Keep::default() });
    policy.entries.push(Entry {
        name: "hourly".to_owned(),
        kind: Kind::Snapshot,
        crash: false,
        schedule: Some(Schedule { weekdays: vec![1, 5], ..schedule(30, &(0..24).collect::<Vec<u8>>(), Zone::Berlin) }),
        on_create_within: None,
        keep: None,
    });
    let expected = r#"apiVersion: lifeboat/v1
kind: BackupPolicy
metadata: { name: production }
spec:
  mode: enforce
  priority: 100
  match:
    all: [ { tag: { env: "prod" } } ]
  vault:
    placement:
      - { location: westeurope, vaults: [rsv-1], vaultPolicy: EnhancedPolicy }
  points:
    - name: daily
      kind: restorePoint
      consistency: { atLeast: crash }
      schedule: { cron: "0 2 * * *", timezone: Etc/UTC }
      onCreate: { within: 24h }
      keep: { last: 3, min: 1, within: 48h }
      whenMachineDeleted: keepLast
    - name: hourly
      kind: snapshot
      consistency: { atLeast: application }
      schedule: { cron: "30 * * * 1,5", timezone: Europe/Berlin }
  limits: { expirePerDay: 10, expirePercentPerDay: 10, newProtectionsPerDay: 5 }
"#;
    assert_eq!(policy.yaml(), expected);
}
