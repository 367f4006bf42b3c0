//! The moments of a schedule: local times put into a zone, in order, each once.
//! It never searches without end: what does not come within the bound is not there.

use alloc::vec::Vec;
use jiff::civil::Date;
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{Schedule, Slot};

/// How far the next or the last slot is looked for. 29 February comes after eight years at the most, from 2096 to 2104.
pub const SEARCH_DAYS_MAX: i64 = 8 * 366;
const SEARCH: SignedDuration = SignedDuration::from_hours(24 * SEARCH_DAYS_MAX);
/// A piece of time whose slots are put in order at once begins with a day, because the next slot is mostly near, and grows while
/// the search goes on, because around each piece [`REACH_DAYS`] are looked at twice.
const PIECE_DAYS_MAX: i64 = 32;
/// Slots of a piece, about: a schedule of each minute must not cost a month's work for the next one.
const PIECE_SLOTS: usize = 256;
/// Local dates before and after a piece that can have moments in it: a clock change moves a time by up to a day (a zone that
/// crosses the date line), and the date may step back with it.
const REACH_DAYS: i64 = 2;

impl Schedule {
    /// The slots after `after` up to and including `up_to`, from the earliest; nothing is computed before it is asked for.
    pub fn slots_between(&self, after: Timestamp, up_to: Timestamp) -> impl Iterator<Item = Slot> + '_ {
        let mut from = after;
        let pieces = self.piece_lengths().map_while(move |length| {
            let piece = (from, from.checked_add(length).unwrap_or(Timestamp::MAX).min(up_to));
            from = piece.1;
            (piece.0 < piece.1).then_some(piece)
        });
        pieces.flat_map(|(from, to)| self.piece(from, to))
    }

    /// The slots up to and including `now`, from the newest, as far back as is looked.
    pub fn slots_back(&self, now: Timestamp) -> impl Iterator<Item = Slot> + '_ {
        let mut to = now;
        let bound = now.checked_sub(SEARCH).unwrap_or(Timestamp::MIN).max(Timestamp::UNIX_EPOCH);
        let pieces = self.piece_lengths().map_while(move |length| {
            let piece = (to.checked_sub(length).unwrap_or(Timestamp::MIN), to);
            to = piece.0;
            (bound <= piece.1 && piece.0 < piece.1).then_some(piece)
        });
        pieces.flat_map(|(from, to)| self.piece(from, to).into_iter().rev())
    }

    /// The newest slot that is not after `now`.
    pub fn last_at_or_before(&self, now: Timestamp) -> Option<Slot> {
        self.slots_back(now).next()
    }

    /// The first slot after `now`; `None` only where time itself ends.
    pub fn next_after(&self, now: Timestamp) -> Option<Slot> {
        self.slots_between(now, now.checked_add(SEARCH).unwrap_or(Timestamp::MAX)).next()
    }

    fn piece_lengths(&self) -> impl Iterator<Item = SignedDuration> + use<> {
        let most = i64::try_from(PIECE_SLOTS / self.cron.times().count().max(1)).unwrap_or(1).clamp(1, PIECE_DAYS_MAX);
        let days = core::iter::successors(Some(1), move |days: &i64| Some((2 * days).min(most)));
        days.map(|days| SignedDuration::from_hours(24 * days))
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
