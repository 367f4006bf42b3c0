//! The moments of a schedule: local times put into a zone, in order, each once.
//! It never searches without end: what does not come within the bound is not there.

use alloc::vec::Vec;
use jiff::civil::Date;
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{Schedule, Slot};

/// How far the next or the last slot is looked for. 29 February comes after eight years at the most, from 2096 to 2104.
pub const SEARCH_DAYS_MAX: i64 = 8 * 366;
/// The piece of time whose slots are put in order at once: a slot an hour or a minute must not cost a month's work.
const PIECE: SignedDuration = SignedDuration::from_hours(24);
/// Local dates before and after a piece that can have moments in it: a clock change moves a time by up to a day (a zone that
/// crosses the date line), and the date may step back with it.
const REACH_DAYS: i64 = 2;

impl Schedule {
    /// The slots after `after` up to and including `up_to`, from the earliest; nothing is computed before it is asked for.
    pub fn slots_between(&self, after: Timestamp, up_to: Timestamp) -> impl Iterator<Item = Slot> + '_ {
        let pieces = core::iter::successors(Some(after), move |from| Some(from.checked_add(PIECE).ok()?.min(up_to)))
            .take_while(move |from| *from < up_to);
        pieces.flat_map(move |from| self.piece(from, later(from, PIECE).min(up_to)))
    }

    /// The newest slot that is not after `now`.
    pub fn last_at_or_before(&self, now: Timestamp) -> Option<Slot> {
        let mut up_to = now;
        for _ in 0..SEARCH_DAYS_MAX {
            let from = up_to.checked_sub(PIECE).ok()?;
            if let Some(slot) = self.piece(from, up_to).pop() {
                return Some(slot);
            }
            if from < Timestamp::UNIX_EPOCH {
                return None;
            }
            up_to = from;
        }
        None
    }

    /// The first slot after `now`; `None` only where time itself ends.
    pub fn next_after(&self, now: Timestamp) -> Option<Slot> {
        self.slots_between(now, later(now, SignedDuration::from_hours(24 * SEARCH_DAYS_MAX))).next()
    }

    /// The slots of one piece, in order, each once.
    fn piece(&self, after: Timestamp, up_to: Timestamp) -> Vec<Slot> {
        let local_date = |at: Timestamp| self.zone.to_datetime(at).date();
        let first = local_date(after).saturating_sub(REACH_DAYS.days());
        let last = local_date(up_to).saturating_add(REACH_DAYS.days());
        let dates = core::iter::successors(Some(first), |date| date.tomorrow().ok()).take_while(|date| *date <= last);
        let mut slots = Vec::new();
        for date in dates.filter(|date| self.cron.is_on(*date)) {
            self.moments(date, |at| slots.extend(Slot::new(at).filter(|slot| after < slot.at() && slot.at() <= up_to)));
        }
        // A time in a gap comes out after times that follow it on the clock, and may be the same moment as one of them.
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// The moments that stand for the local times of one date.
    fn moments(&self, date: Date, mut found: impl FnMut(Timestamp)) {
        for (hour, minute) in self.cron.times() {
            // Both are below 60.
            let civil = date.at(hour as i8, minute as i8, 0, 0);
            let ambiguous = self.zone.to_ambiguous_timestamp(civil);
            let is_twice = matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. });
            // At either end of time there is no such moment.
            if let Ok(at) = ambiguous.compatible() {
                found(at);
            }
            if let Ok(at) = ambiguous.later()
                && is_twice
                && self.cron.is_every_hour()
            {
                found(at);
            }
        }
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
