//! How often a schedule fires: what retention and RPO are judged by before anything is made.
//! It counts on the calendar and the clock on the wall; a clock change may move a slot by what the clock is moved by.

use alloc::vec::Vec;
use jiff::SignedDuration;
use jiff::civil::{Date, date};

use super::{Cron, Schedule};

/// The first of the days that are counted over.
const FIRST: Date = date(2024, 1, 1);
/// Days of 28 years, after which the days of the week fall on the same dates again: the longest span that is counted.
const CYCLE_DAYS: usize = 28 * 365 + 7;
/// The days that are counted over: spans of a whole cycle from each day of one.
const DAYS: usize = 2 * CYCLE_DAYS;
const DAY_MINS: usize = 24 * 60;
const MIN_SECS: i64 = 60;

impl Schedule {
    /// The shortest time from one slot to the next.
    pub fn shortest_gap(&self) -> SignedDuration {
        let (within_day, across) = self.gaps();
        minutes(within_day.chain(across).min().unwrap_or(0))
    }

    /// The longest time from one slot to the next: no RPO below it can be met.
    pub fn longest_gap(&self) -> SignedDuration {
        let (within_day, across) = self.gaps();
        minutes(within_day.chain(across).max().unwrap_or(0))
    }

    /// The most slots that lie within `span` of one another, both ends counted: what a rule that keeps everything within a
    /// span comes to. Spans are counted up to 28 years.
    pub fn most_within(&self, span: SignedDuration) -> usize {
        let span_mins = usize::try_from(span.as_secs() / MIN_SECS).unwrap_or(0).min(CYCLE_DAYS * DAY_MINS);
        let times = times(self.cron);
        let at_most = |minute: usize| times.iter().filter(|time| **time <= minute).count();
        let mut most = 0;
        let mut full: Option<(usize, FullDays)> = None;
        for (before, start) in times.iter().enumerate() {
            let (days, end) = ((start + span_mins) / DAY_MINS, (start + span_mins) % DAY_MINS);
            if days == 0 {
                most = most.max(at_most(end) - before);
                continue;
            }
            // There are two lengths at the most: those of starts before and after the end's time of the day.
            let found = match full {
                Some((length, found)) if length == days => found,
                _ => FullDays::of(self.cron, days),
            };
            full = Some((days, found));
            let first_day = times.len() - before;
            let open = found.end_off.map(|between| first_day + between * times.len());
            let closed = found.end_on.map(|between| first_day + between * times.len() + at_most(end));
            most = most.max(open.unwrap_or(0)).max(closed.unwrap_or(0));
        }
        most
    }

    /// Minutes from one slot to the next: within a day, and from a day's last to the first of the next day that has any.
    fn gaps(&self) -> (impl Iterator<Item = usize>, impl Iterator<Item = usize>) {
        let times = times(self.cron);
        let within_day: Vec<usize> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let night = times.first().zip(times.last()).map_or(0, |(first, last)| DAY_MINS - (last - first));
        let days: Vec<usize> = days(self.cron).enumerate().filter_map(|(day, on)| on.then_some(day)).collect();
        let across: Vec<usize> = days.windows(2).map(|pair| (pair[1] - pair[0] - 1) * DAY_MINS + night).collect();
        (within_day.into_iter(), across.into_iter())
    }
}

/// The most days with slots between a day with slots and the day so many days later, by whether that one has slots.
#[derive(Clone, Copy, Default)]
struct FullDays {
    end_on: Option<usize>,
    end_off: Option<usize>,
}

impl FullDays {
    fn of(cron: Cron, days_later: usize) -> Self {
        let on: Vec<bool> = days(cron).collect();
        let mut found = Self::default();
        // The days strictly between are counted by moving along with both ends.
        let mut between = on.iter().skip(1).take(days_later - 1).filter(|on| **on).count();
        for start in 0..on.len().saturating_sub(days_later) {
            let end = start + days_later;
            if on[start] {
                let best = if on[end] { &mut found.end_on } else { &mut found.end_off };
                *best = Some(best.map_or(between, |most: usize| most.max(between)));
            }
            between += usize::from(on[end]);
            between -= usize::from(on[start + 1]);
        }
        found
    }
}

/// Whether each day of the counted years has slots.
fn days(cron: Cron) -> impl Iterator<Item = bool> {
    core::iter::successors(Some(FIRST), |date| date.tomorrow().ok()).take(DAYS).map(move |date| cron.is_on(date))
}

/// The minutes of the day at which it fires.
fn times(cron: Cron) -> Vec<usize> {
    cron.times().map(|(hour, minute)| usize::from(hour) * 60 + usize::from(minute)).collect()
}

fn minutes(count: usize) -> SignedDuration {
    SignedDuration::from_mins(i64::try_from(count).unwrap_or(i64::MAX / MIN_SECS))
}
