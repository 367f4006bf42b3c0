//! A calendar of its own: civil dates of UTC and of Europe/Berlin, weeks that begin on Monday, and what a time is called.
//! It never asks what time it is, knows no other zone, and rests on no library, so that a mistake of one cannot hide here.

use super::history::{Time, Zone};

/// Seconds.
pub const MINUTE: i64 = 60;
/// Seconds.
pub const HOUR: i64 = 60 * MINUTE;
/// Seconds of a day of UTC.
pub const DAY: i64 = 24 * HOUR;

/// A date of the Gregorian calendar, of the year 1 or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
}

/// Days of the year before each month begins, in a year without a leap day.
const BEFORE_MONTH: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from 1970-01-01 to the first of January of this year.
fn year_begins(year: i64) -> i64 {
    let before = year - 1;
    let leap_days = before / 4 - before / 100 + before / 400;
    // 1970 years less one had 477 leap days.
    (year - 1970) * 365 + leap_days - 477
}

/// Days from the first of January to the first of this month.
fn month_begins(year: i64, month: i64) -> i64 {
    let leap = i64::from(month > 2 && is_leap(year));
    BEFORE_MONTH[usize::try_from(month - 1).expect("months are 1 to 12")] + leap
}

/// The day of a date, counted from 1970-01-01.
pub fn day_number(date: Date) -> i64 {
    year_begins(date.year) + month_begins(date.year, date.month) + date.day - 1
}

/// The date of a day that is counted from 1970-01-01.
pub fn date_of(day: i64) -> Date {
    // The mean year has 365.2425 days, so the guess is wrong by one at most.
    let mut year = 1970 + day * 10_000 / 3_652_425;
    while year_begins(year) > day {
        year -= 1;
    }
    while year_begins(year + 1) <= day {
        year += 1;
    }
    let of_year = day - year_begins(year);
    // No month has more than 31 days and none many fewer, so the guess is too early by one at most.
    let guess = of_year / 31 + 1;
    let month = guess + i64::from(guess < 12 && month_begins(year, guess + 1) <= of_year);
    Date { year, month, day: of_year - month_begins(year, month) + 1 }
}

/// The day of the week: 0 is Sunday.
pub fn weekday(day: i64) -> i64 {
    (day + 4).rem_euclid(7)
}

/// The Monday that begins the ISO week of a day: one number for each ISO week, across the end of the year too.
pub fn monday_of(day: i64) -> i64 {
    day - (weekday(day) + 6) % 7
}

fn last_sunday(year: i64, month: i64) -> i64 {
    let last = day_number(Date { year, month, day: 31 });
    last - weekday(last)
}

/// Seconds that the zone's clocks are ahead of UTC at this time.
pub fn offset(zone: Zone, at: Time) -> i64 {
    match zone {
        Zone::Utc => 0,
        Zone::Berlin => {
            let date = date_of(at.div_euclid(DAY));
            let change = || last_sunday(date.year, date.month) * DAY + HOUR;
            let summer = match date.month {
                3 => at >= change(),
                10 => at < change(),
                month => (4..10).contains(&month),
            };
            if summer { 2 * HOUR } else { HOUR }
        }
    }
}

/// What the zone's clocks show, as if it were UTC.
pub fn wall(zone: Zone, at: Time) -> i64 {
    at + offset(zone, at)
}

/// The moments at which the zone's clocks show this: none where they jump over it, two where they show it twice, earlier first.
pub fn moments(zone: Zone, wall: i64) -> Vec<Time> {
    let offsets: &[i64] = match zone {
        Zone::Utc => &[0],
        Zone::Berlin => &[2 * HOUR, HOUR],
    };
    offsets.iter().filter(|ahead| offset(zone, wall - **ahead) == **ahead).map(|ahead| wall - ahead).collect()
}

/// A time for people, `2026-11-22T02:00:00Z`.
pub fn written(at: Time) -> String {
    let Date { year, month, day } = date_of(at.div_euclid(DAY));
    let second = at.rem_euclid(DAY);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / HOUR, second / MINUTE % 60, second % MINUTE)
}
