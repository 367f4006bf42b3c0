//! The policies of a simulated estate, drawn by its seed, and the moments that their schedules name.
//! It never asks the product which moments those are: it goes through the hours of the days on the zone's own clock.

use jiff::civil::Time as Clock;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::history::{Entry, Keep, Kind, Policy, Schedule, Zone};

use crate::seeds::Dice;

/// The vault of all estates.
pub const VAULT: &str = "rsv-weu";
/// Its vault policy.
const VAULT_POLICY: &str = "EnhancedPolicy";
/// How far a slot is looked for: schedules have one a week.
const DAYS_AHEAD: i32 = 9;
const HOUR: i64 = 3_600;

/// How often the schedule of an estate names a moment, and so how much time its seed covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rhythm {
    /// A seed is a month and more.
    Weekly,
    /// A seed is a week.
    Daily,
    /// A seed is a day.
    Hourly,
}

impl Rhythm {
    /// Months are dear: a tenth of the seeds are, and over all of them are many.
    pub fn drawn(dice: &mut Dice) -> Self {
        match dice.below(10) {
            0 => Self::Weekly,
            1..=3 => Self::Hourly,
            _ => Self::Daily,
        }
    }
}

/// The policies of a seed.
pub fn drawn(dice: &mut Dice, rhythm: Rhythm) -> Vec<Policy> {
    let entry = |name: &str, kind, schedule, keep| Entry {
        name: name.to_owned(),
        kind,
        crash: false,
        schedule: Some(schedule),
        on_create_within: None,
        keep: Some(keep),
    };
    let schedule = schedule(dice, rhythm);
    let mut first = entry("first", Kind::RestorePoint, schedule.clone(), keep(dice));
    first.on_create_within = (dice.below(3) > 0).then_some(24 * HOUR);
    let mut production = policy("production", "prod", vec![first]);
    if dice.below(3) == 0 {
        production.expire_per_day = 2;
        production.expire_percent_per_day = 10;
    }
    let sets = entry("sets", Kind::Snapshot, schedule.clone(), keep(dice));
    let watched = entry("seen", Kind::RestorePoint, schedule, Keep { last: Some(1), ..Keep::default() });
    let mut watching = policy("watching", "watch", vec![watched]);
    watching.enforce = false;
    let mut vaulted = policy("vaulted", "vault", Vec::new());
    vaulted.vault = Some((VAULT.to_owned(), VAULT_POLICY.to_owned()));
    vec![production, policy("discs", "snap", vec![sets]), watching, vaulted]
}

fn policy(name: &str, env: &str, entries: Vec<Entry>) -> Policy {
    Policy {
        name: name.to_owned(),
        enforce: true,
        priority: 100,
        env: env.to_owned(),
        vault: None,
        entries,
        expire_per_day: 100,
        expire_percent_per_day: 10,
        new_protections_per_day: 50,
    }
}

fn schedule(dice: &mut Dice, rhythm: Rhythm) -> Schedule {
    let minute = [0, 5, 45][dice.below(3) as usize];
    let hour = [1, 2, 3, 13, 22][dice.below(5) as usize];
    let (hours, weekdays) = match rhythm {
        Rhythm::Weekly => (vec![hour], vec![u8::try_from(dice.below(7)).unwrap_or(0)]),
        Rhythm::Daily => (vec![hour], Vec::new()),
        Rhythm::Hourly => ((0..24).collect(), Vec::new()),
    };
    let zone = if dice.below(3) == 0 { Zone::Utc } else { Zone::Berlin };
    Schedule { minute, hours, weekdays, zone }
}

/// Rules of which each new point makes about one old one due.
pub fn keep(dice: &mut Dice) -> Keep {
    let none = Keep::default();
    match dice.below(5) {
        0 => Keep { last: Some(2), weekly: Some(2), ..none },
        1 => Keep { daily: Some(2), min: Some(2), ..none },
        2 => Keep { last: Some(1), within: Some(24 * HOUR), ..none },
        3 => Keep { last: Some(3), monthly: Some(1), ..none },
        _ => Keep { last: Some(2), ..none },
    }
}

/// The first moment after `after` that the schedule names.
pub fn next(schedule: &Schedule, after: Timestamp) -> Timestamp {
    let zone = zone(schedule.zone);
    let first = zone.to_datetime(after).date().yesterday().expect("a day before");
    let mut found: Vec<Timestamp> = Vec::new();
    for days in 0..DAYS_AHEAD {
        let day = first.checked_add(SignedDuration::from_hours(24 * i64::from(days))).expect("a day");
        let weekday = u8::try_from(day.weekday().to_sunday_zero_offset()).unwrap_or(0);
        if !schedule.weekdays.is_empty() && !schedule.weekdays.contains(&weekday) {
            continue;
        }
        if schedule.hours.len() == 24 {
            // Each real hour: on the clocks of both zones a minute of the hour is the same minute of the hour in UTC.
            let from = TimeZone::UTC.to_timestamp(day.to_datetime(Clock::midnight())).expect("a time");
            let minute = SignedDuration::from_mins(i64::from(schedule.minute));
            found.extend((0..24).map(|hour| from + SignedDuration::from_hours(hour) + minute));
        } else {
            let at = |hour: &u8| {
                let clock = Clock::constant(i8::try_from(*hour).unwrap_or(0), schedule.minute.cast_signed(), 0, 0);
                zone.to_timestamp(day.to_datetime(clock)).expect("a time")
            };
            found.extend(schedule.hours.iter().map(at));
        }
    }
    found.into_iter().filter(|at| *at > after).min().expect("a schedule names a moment each week")
}

/// The `count` moments before `before`, oldest first.
pub fn last(schedule: &Schedule, before: Timestamp, count: usize) -> Vec<Timestamp> {
    let weeks = if schedule.weekdays.is_empty() && schedule.hours.len() < 24 { 2 } else { 1 + count as i64 };
    let weeks = if schedule.hours.len() == 24 { 1 } else { weeks };
    let mut at = before - SignedDuration::from_hours(24 * 7 * weeks);
    let mut all = Vec::new();
    loop {
        at = next(schedule, at);
        if at >= before {
            return all.split_off(all.len().saturating_sub(count));
        }
        all.push(at);
    }
}

fn zone(zone: Zone) -> TimeZone {
    match zone {
        Zone::Utc => TimeZone::UTC,
        Zone::Berlin => TimeZone::get("Europe/Berlin").expect("the zones are built in"),
    }
}
