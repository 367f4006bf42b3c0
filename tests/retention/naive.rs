//! The rules once more, written from the words alone and as simply as can be: calendar fields in maps, no numbers, no loops over
//! what is left. It shares no code with the product, and is never asked for reasons.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The rules that count periods.
#[derive(Clone, Copy, Debug)]
pub enum Each {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// An ISO week.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// All of them.
pub const EACH: [Each; 5] = [Each::Hour, Each::Day, Each::Week, Each::Month, Each::Year];

/// What the calendar and the clock of the zone show, as far as the period goes.
pub fn shows(each: Each, at: Timestamp, zone: &TimeZone) -> Vec<i32> {
    let local = zone.to_datetime(at);
    let (year, month, day) = (i32::from(local.year()), i32::from(local.month()), i32::from(local.day()));
    match each {
        Each::Hour => vec![year, month, day, i32::from(local.hour()), zone.to_offset(at).seconds()],
        Each::Day => vec![year, month, day],
        Each::Week => {
            let week = local.date().iso_week_date();
            vec![i32::from(week.year()), i32::from(week.week())]
        }
        Each::Month => vec![year, month],
        Each::Year => vec![year],
    }
}

/// The newest of each of the newest so many periods.
pub fn newest_of_each(each: Each, count: usize, times: &[Timestamp], zone: &TimeZone) -> BTreeSet<Timestamp> {
    let mut newest: BTreeMap<Vec<i32>, Timestamp> = BTreeMap::new();
    for at in times {
        let slot = newest.entry(shows(each, *at, zone)).or_insert(*at);
        *slot = (*slot).max(*at);
    }
    let mut newest: Vec<Timestamp> = newest.into_values().collect();
    newest.sort();
    newest.into_iter().rev().take(count).collect()
}
