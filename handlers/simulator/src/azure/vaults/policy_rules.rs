//! What a vault policy must be like.
//! It never judges one for other things than machines.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::errors::ArmError;
use super::super::ids::stamp_z;
use super::VaultDenial;

/// Days that daily points may be kept (documented).
const DAILY_DAYS: std::ops::RangeInclusive<i64> = 7..=9_999;
/// Days that a snapshot may stay, for the simple and the enhanced kind (documented).
const INSTANT_DAYS: [(&str, std::ops::RangeInclusive<i64>); 2] = [("V1", 1..=5), ("V2", 1..=30)];
/// Days that it stays where nothing is said (documented).
const INSTANT_USUAL: [(&str, i64); 2] = [("V1", 2), ("V2", 7)];
/// Hours between runs of the enhanced kind (documented).
const INTERVALS: [i64; 5] = [4, 6, 8, 12, 24];

/// The properties of a vault policy as they are kept; refused where a rule is broken.
pub(super) fn checked(given: &Value) -> Result<Value, ArmError> {
    let invalid = |why: &str| VaultDenial::PolicyInvalid.error(why);
    if given["backupManagementType"] != "AzureIaasVM" {
        return Err(invalid("backupManagementType"));
    }
    let mut body = given.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("protectedItemsCount");
    }
    normalise(&mut body);
    let generation = body["policyType"].as_str().unwrap_or("V1").to_owned();
    let times = run_times(&body["schedulePolicy"], &generation).ok_or_else(|| invalid("schedulePolicy"))?;
    check_retention(&body, &times)?;
    let (range, usual) = match generation.as_str() {
        "V2" => (INSTANT_DAYS[1].1.clone(), INSTANT_USUAL[1].1),
        _ => (INSTANT_DAYS[0].1.clone(), INSTANT_USUAL[0].1),
    };
    let instant = body["instantRpRetentionRangeInDays"].as_i64().unwrap_or(usual);
    if !range.contains(&instant) {
        return Err(invalid("instantRpRetentionRangeInDays"));
    }
    body["instantRpRetentionRangeInDays"] = json!(instant);
    for (name, usual) in [("timeZone", json!("UTC")), ("instantRPDetails", json!({}))] {
        if body[name].is_null() {
            body[name] = usual;
        }
    }
    Ok(body)
}

/// When it runs, as it is written; none where the schedule cannot be read.
fn run_times(schedule: &Value, generation: &str) -> Option<Vec<String>> {
    let kind = schedule["schedulePolicyType"].as_str()?;
    let texts = |value: &Value| -> Option<Vec<String>> {
        let found: Vec<String> = value.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let all_times = found.iter().all(|time| time.parse::<Timestamp>().is_ok());
        (found.len() == 1 && all_times).then_some(found)
    };
    match (kind, generation, schedule["scheduleRunFrequency"].as_str()?) {
        ("SimpleSchedulePolicy", "V1", "Daily") => texts(&schedule["scheduleRunTimes"]),
        ("SimpleSchedulePolicy", "V1", "Weekly") => {
            schedule["scheduleRunDays"].as_array().filter(|days| !days.is_empty())?;
            texts(&schedule["scheduleRunTimes"])
        }
        ("SimpleSchedulePolicyV2", "V2", "Daily") => texts(&schedule["dailySchedule"]["scheduleRunTimes"]),
        ("SimpleSchedulePolicyV2", "V2", "Weekly") => texts(&schedule["weeklySchedule"]["scheduleRunTimes"]),
        ("SimpleSchedulePolicyV2", "V2", "Hourly") => {
            let hourly = &schedule["hourlySchedule"];
            let (interval, length) = (hourly["interval"].as_i64()?, hourly["scheduleWindowDuration"].as_i64()?);
            let start = hourly["scheduleWindowStartTime"].as_str().filter(|time| time.parse::<Timestamp>().is_ok())?;
            let fits = INTERVALS.contains(&interval) && (4..=24).contains(&length) && length % interval == 0;
            fits.then(|| vec![start.to_owned()])
        }
        _ => None,
    }
}

fn check_retention(body: &Value, times: &[String]) -> Result<(), ArmError> {
    let retention = &body["retentionPolicy"];
    let schedules = ["dailySchedule", "weeklySchedule", "monthlySchedule", "yearlySchedule"];
    let given: Vec<&Value> = schedules.iter().map(|name| &retention[*name]).filter(|one| !one.is_null()).collect();
    if retention["retentionPolicyType"] != "LongTermRetentionPolicy" || given.is_empty() {
        return Err(VaultDenial::PolicyInvalid.error("retentionPolicy"));
    }
    for one in given {
        let own = one["retentionTimes"].as_array().map(|all| all.iter().filter_map(Value::as_str).collect::<Vec<_>>());
        if own.is_some_and(|own| own != times.iter().map(String::as_str).collect::<Vec<_>>()) {
            return Err(VaultDenial::PolicyInvalid.error("retentionTimes"));
        }
        if one["retentionDuration"]["count"].as_i64().is_none_or(|count| !(1..=9_999).contains(&count)) {
            return Err(VaultDenial::RetentionInvalid.error("retentionDuration"));
        }
    }
    let is_weekly = body["schedulePolicy"]["scheduleRunFrequency"] == "Weekly";
    let daily = &retention["dailySchedule"];
    if is_weekly != daily.is_null() {
        return Err(VaultDenial::PolicyInvalid.error("dailySchedule"));
    }
    let days = daily["retentionDuration"]["count"].as_i64();
    if days.is_some_and(|days| !DAILY_DAYS.contains(&days)) {
        return Err(VaultDenial::RetentionInvalid.error("dailySchedule"));
    }
    let weekly = &retention["weeklySchedule"];
    let run_days = &body["schedulePolicy"]["scheduleRunDays"];
    if is_weekly && !run_days.is_null() && weekly["daysOfTheWeek"] != *run_days {
        return Err(VaultDenial::PolicyInvalid.error("daysOfTheWeek"));
    }
    Ok(())
}

/// Times are answered without fractions of a second that are zero (recorded).
fn normalise(value: &mut Value) {
    match value {
        Value::String(text) => {
            let is_time = text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T');
            if let Some(time) = text.parse::<Timestamp>().ok().filter(|_| is_time) {
                *text = stamp_z(time);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(normalise),
        Value::Object(fields) => fields.values_mut().for_each(normalise),
        _ => {}
    }
}
