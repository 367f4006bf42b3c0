//! The moments of a schedule: the next one, the newest one, and whether a moment may be one at all.
//! Days of 23 and 25 hours give each slot once; where the design leaves open which moment that is, one is expected and others are let pass.

use super::calendar::{DAY, HOUR, MINUTE, moments, offset, wall, weekday};
use super::history::{Entry, Schedule, Time, Zone};

/// Days to look ahead or back: a schedule names a day of the week, so a week and the day that is under way.
const DAYS_LOOKED_AT: i64 = 8;

/// The first slot of the entry strictly after this time; none without a schedule.
pub fn next_slot(entry: &Entry, after: Time) -> Option<Time> {
    next_of(entry.schedule.as_ref()?, after)
}

/// The first slot strictly after this time.
pub fn next_of(schedule: &Schedule, after: Time) -> Option<Time> {
    let today = wall(schedule.zone, after).div_euclid(DAY);
    (today..=today + DAYS_LOOKED_AT).flat_map(|day| slots_of(schedule, day)).find(|slot| *slot > after)
}

/// The newest slot at or before this time.
pub fn newest_of(schedule: &Schedule, at: Time) -> Option<Time> {
    let today = wall(schedule.zone, at).div_euclid(DAY);
    (today - DAYS_LOOKED_AT..=today).rev().find_map(|day| slots_of(schedule, day).into_iter().rfind(|slot| *slot <= at))
}

/// The slots of one day on the zone's clocks, in order, each once.
///
/// A time that the clocks jump over is kept as long after midnight as it would have been (02:30 becomes 03:30 of summer time), and
/// of a time that they show twice the first is taken: what calendars call the compatible reading.
fn slots_of(schedule: &Schedule, day: i64) -> Vec<Time> {
    if !schedule.weekdays.is_empty() && !schedule.weekdays.iter().any(|named| i64::from(*named) == weekday(day)) {
        return Vec::new();
    }
    let mut slots: Vec<Time> = schedule
        .hours
        .iter()
        .map(|hour| {
            let shown = day * DAY + i64::from(*hour) * HOUR + i64::from(schedule.minute) * MINUTE;
            moments(schedule.zone, shown).first().copied().unwrap_or(shown - HOUR)
        })
        .collect();
    slots.sort_unstable();
    slots.dedup();
    slots
}

/// Whether this moment may be a slot: the expected one, the second of a time shown twice, or the moment at which the clocks jump over it.
pub fn may_be_slot(schedule: &Schedule, at: Time) -> bool {
    let shown = wall(schedule.zone, at);
    let day = shown.div_euclid(DAY);
    if slots_of(schedule, day).contains(&at) {
        return true;
    }
    let jumps = offset(schedule.zone, at) > offset(schedule.zone, at - 1);
    let time_matches =
        |hour: &u8| i64::from(*hour) * HOUR + i64::from(schedule.minute) * MINUTE == shown.rem_euclid(DAY);
    let jumped_over = |hour: &u8| i64::from(*hour) == shown.rem_euclid(DAY) / HOUR - 1;
    let day_matches =
        schedule.weekdays.is_empty() || schedule.weekdays.iter().any(|named| i64::from(*named) == weekday(day));
    day_matches && (schedule.hours.iter().any(time_matches) || (jumps && schedule.hours.iter().any(jumped_over)))
}

/// Whether two moments stand for the same slot: the same one, or one time of a day that the clocks show twice.
///
/// A schedule of every hour is read as hours that pass, so its two are two.
pub fn same_slot(schedule: Option<&Schedule>, one: Time, other: Time) -> bool {
    let shown_twice = |schedule: &Schedule| {
        schedule.hours.len() < 24
            && schedule.zone == Zone::Berlin
            && wall(schedule.zone, one) == wall(schedule.zone, other)
    };
    one == other || schedule.is_some_and(shown_twice)
}

/// Whether the clocks of the schedule's zone change within three hours of this moment, where readings differ.
pub fn clocks_change_near(schedule: &Schedule, at: Time) -> bool {
    offset(schedule.zone, at - 3 * HOUR) != offset(schedule.zone, at + 3 * HOUR)
}
