//! When a vault policy runs next, and how long it keeps a point.
//! It never reads another zone than UTC: *assumed* (`vault-sim-time-zone`), whatever zone a vault policy names.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::Value;

/// Days that are looked ahead for the next run: a week and one.
const DAYS_AHEAD: i64 = 8;
/// Days that a point is kept where no rule of the policy says.
const KEPT_DAYS: i64 = 30;

/// A run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) at: Timestamp,
    /// Whether the point goes to the vault: of several runs a day only the last one does (documented).
    pub(super) to_vault: bool,
}

/// The first run after a time.
pub(super) fn next_run(policy: &Value, after: Timestamp) -> Option<Run> {
    let today = TimeZone::UTC.to_datetime(after).date();
    (-1..DAYS_AHEAD).find_map(|ahead| {
        let day = today.checked_add(Span::new().days(ahead)).ok()?;
        runs_of(&policy["schedulePolicy"], day).into_iter().find(|run| run.at > after)
    })
}

/// The runs of a day, in order.
fn runs_of(schedule: &Value, day: Date) -> Vec<Run> {
    let frequency = schedule["scheduleRunFrequency"].as_str().unwrap_or_default();
    let is_v2 = schedule["schedulePolicyType"] == "SimpleSchedulePolicyV2";
    if frequency == "Hourly" {
        let hourly = &schedule["hourlySchedule"];
        let (interval, length) = (number(&hourly["interval"]).max(1), number(&hourly["scheduleWindowDuration"]));
        let Some(start) = on_day(&hourly["scheduleWindowStartTime"], day) else { return Vec::new() };
        // The window's end is a run too, but for one that lasts the whole day.
        let count = if length >= 24 { 24 / interval } else { length / interval + 1 };
        let at = |number: i64| start.checked_add(Span::new().hours(number * interval)).ok();
        return (0..count).filter_map(|number| Some(Run { at: at(number)?, to_vault: number + 1 == count })).collect();
    }
    let own = match (is_v2, frequency) {
        (true, "Daily") => &schedule["dailySchedule"],
        (true, _) => &schedule["weeklySchedule"],
        (false, _) => schedule,
    };
    let is_its_day = frequency == "Daily" || names_day(&own["scheduleRunDays"], day.weekday());
    let times = own["scheduleRunTimes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let runs = times.iter().filter(|_| is_its_day).filter_map(|time| on_day(time, day));
    runs.map(|at| Run { at, to_vault: true }).collect()
}

/// Until when a vault policy keeps a scheduled point, and the name of the rule: the longest that holds for it.
pub(super) fn kept_until(policy: &Value, at: Timestamp) -> (Timestamp, &'static str) {
    let (rules, day) = (&policy["retentionPolicy"], TimeZone::UTC.to_datetime(at).date());
    let holds = [
        ("dailySchedule", "Daily", true),
        ("weeklySchedule", "Weekly", names_day(&rules["weeklySchedule"]["daysOfTheWeek"], day.weekday())),
        ("monthlySchedule", "Monthly", falls_in_month(&rules["monthlySchedule"], day)),
        ("yearlySchedule", "Yearly", falls_in_year(&rules["yearlySchedule"], day)),
    ];
    let ends = holds.into_iter().filter(|(field, _, holds)| *holds && !rules[*field].is_null());
    let ends = ends.filter_map(|(field, name, _)| Some((add(at, &rules[field]["retentionDuration"])?, name)));
    ends.max_by_key(|(until, _)| *until).unwrap_or_else(|| (plus_days(at, KEPT_DAYS), "Daily"))
}

/// So many days later.
pub(super) fn plus_days(at: Timestamp, days: i64) -> Timestamp {
    at.checked_add(Span::new().hours(days.saturating_mul(24))).unwrap_or(Timestamp::MAX)
}

fn add(at: Timestamp, duration: &Value) -> Option<Timestamp> {
    let count = duration["count"].as_i64()?;
    let span = match duration["durationType"].as_str()? {
        "Days" => Span::new().days(count),
        "Weeks" => Span::new().weeks(count),
        "Months" => Span::new().months(count),
        "Years" => Span::new().years(count),
        _ => return None,
    };
    let later = TimeZone::UTC.to_datetime(at).checked_add(span).ok()?;
    TimeZone::UTC.to_timestamp(later).ok()
}

fn falls_in_month(rule: &Value, day: Date) -> bool {
    if rule["retentionScheduleFormatType"] == "Daily" {
        let days = rule["retentionScheduleDaily"]["daysOfTheMonth"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_last = day.day() == day.days_in_month();
        return days
            .iter()
            .any(|one| one["date"].as_i64() == Some(i64::from(day.day())) || (one["isLast"] == true && is_last));
    }
    let weekly = &rule["retentionScheduleWeekly"];
    let week = ["First", "Second", "Third", "Fourth", "Fifth"][usize::try_from((day.day() - 1) / 7).unwrap_or(0)];
    let is_last = day.day() + 7 > day.days_in_month();
    let weeks = weekly["weeksOfTheMonth"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_its_week = weeks.iter().any(|one| one == week || (one == "Last" && is_last));
    is_its_week && names_day(&weekly["daysOfTheWeek"], day.weekday())
}

fn falls_in_year(rule: &Value, day: Date) -> bool {
    let month = day.strftime("%B").to_string();
    let months = rule["monthsOfYear"].as_array().map(Vec::as_slice).unwrap_or_default();
    months.iter().any(|one| one == month.as_str()) && falls_in_month(rule, day)
}

fn names_day(days: &Value, day: Weekday) -> bool {
    let name = match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    };
    days.as_array().is_some_and(|days| days.iter().any(|one| one == name))
}

/// A time of day as a policy writes it, on another day.
fn on_day(time: &Value, day: Date) -> Option<Timestamp> {
    let time = TimeZone::UTC.to_datetime(time.as_str()?.parse::<Timestamp>().ok()?).time();
    TimeZone::UTC.to_timestamp(day.to_datetime(time)).ok()
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_daily_policy_runs_once_a_day_at_its_time() {
        let policy = json!({ "schedulePolicy": { "schedulePolicyType": "SimpleSchedulePolicy",
            "scheduleRunFrequency": "Daily", "scheduleRunTimes": ["2026-01-01T02:00:00Z"] } });
        let next = |after: &str| next_run(&policy, at(after)).map(|run| run.at);
        assert_eq!(next("2026-11-23T01:00:00Z"), Some(at("2026-11-23T02:00:00Z")));
        assert_eq!(next("2026-11-23T02:00:00Z"), Some(at("2026-11-24T02:00:00Z")));
    }

    #[test]
    fn an_hourly_policy_runs_up_to_the_end_of_its_window_and_only_the_last_run_goes_to_the_vault() {
        let policy = json!({ "schedulePolicy": { "schedulePolicyType": "SimpleSchedulePolicyV2",
            "scheduleRunFrequency": "Hourly", "hourlySchedule": { "interval": 4,
            "scheduleWindowStartTime": "2026-01-01T08:00:00Z", "scheduleWindowDuration": 12 } } });
        let mut after = at("2026-11-23T00:00:00Z");
        let runs: Vec<String> = (0..5)
            .map(|_| {
                let run = next_run(&policy, after).unwrap();
                after = run.at;
                format!("{} {}", run.at, run.to_vault)
            })
            .collect();
        let wanted = ["23T08 false", "23T12 false", "23T16 false", "23T20 true", "24T08 false"];
        for (run, wanted) in runs.iter().zip(wanted) {
            let (hour, vault) = wanted.split_once(' ').unwrap();
            assert_eq!(*run, format!("2026-11-{hour}:00:00Z {vault}"));
        }
    }

    #[test]
    fn the_longest_rule_that_holds_keeps_a_point() {
        let policy = json!({ "retentionPolicy": {
            "dailySchedule": { "retentionDuration": { "count": 7, "durationType": "Days" } },
            "weeklySchedule": { "daysOfTheWeek": ["Sunday"], "retentionDuration": { "count": 4, "durationType": "Weeks" } },
            "monthlySchedule": { "retentionScheduleFormatType": "Weekly", "retentionScheduleWeekly": {
                "daysOfTheWeek": ["Sunday"], "weeksOfTheMonth": ["First"] },
                "retentionDuration": { "count": 6, "durationType": "Months" } },
        } });
        let kept = |text: &str| {
            let (until, rule) = kept_until(&policy, at(text));
            format!("{until} {rule}")
        };
        assert_eq!(kept("2026-11-23T02:00:00Z"), "2026-11-30T02:00:00Z Daily");
        assert_eq!(kept("2026-11-22T02:00:00Z"), "2026-12-20T02:00:00Z Weekly");
        assert_eq!(kept("2026-11-01T02:00:00Z"), "2027-05-01T02:00:00Z Monthly");
    }
}
