//! Which slot is to be made next for a machine, and which were missed.
//! It never makes up more than one: when slots were missed the newest stands for all, and the others are said.

use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};

use super::{Schedule, Slot, opening, starts_at};
use crate::id::MachineKey;

/// Missed slots are counted up to here: the sweep knows them all beforehand, and more of them would tell nobody more.
pub const MISSED_COUNTED_MAX: usize = 100;
/// The least step of time, to turn "from then on" into "after".
const LEAST: SignedDuration = SignedDuration::from_nanos(1);

/// The slot to be made next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The slot.
    pub slot: Slot,
    /// When the machine's turn in the window comes. Until then there is nothing to do but look again.
    pub starts_at: Timestamp,
    /// When the window of the slot ends: a point begun later is late.
    pub closes_at: Timestamp,
    /// Slots before it that have no point and get none any more.
    pub missed: Missed,
}

/// Slots that were passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// How many; at [`MISSED_COUNTED_MAX`] there may be more.
    pub count: usize,
    /// The oldest of those counted.
    pub oldest: Option<Slot>,
    /// The newest of them.
    pub newest: Option<Slot>,
}

impl Due {
    /// True when the point is to be made now.
    pub fn is_now(&self, now: Timestamp) -> bool {
        self.starts_at <= now
    }

    /// True when a point begun now comes after its slot's window.
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.closes_at < now
    }
}

/// The slots of a schedule around a moment: found once for all machines of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    schedule: Schedule,
    /// What the policy asks for.
    asked: SignedDuration,
    /// The newest slots that are not after the moment, the newest first.
    past: Vec<Slot>,
    /// The window of the newest.
    window: SignedDuration,
    /// The first slot after the moment, with its window.
    next: Option<(Slot, SignedDuration)>,
}

impl Around {
    /// The slots around `now`. `window` is what the policy asks for; see [`opening`].
    pub fn new(schedule: &Schedule, now: Timestamp, window: SignedDuration) -> Self {
        let past: Vec<Slot> = schedule.slots_back(now).take(1 + MISSED_COUNTED_MAX).collect();
        Self {
            schedule: schedule.clone(),
            asked: window,
            window: past.first().map_or(SignedDuration::ZERO, |slot| opening(schedule, *slot, window)),
            past,
            next: schedule.next_after(now).map(|slot| (slot, opening(schedule, slot, window))),
        }
    }

    /// The newest slot that is not after the moment; none where the schedule had none yet.
    pub fn newest(&self) -> Option<Slot> {
        self.past.first().copied()
    }

    /// The slot to be made next for a machine: the newest that is not after the moment and has no point, else the next one.
    ///
    /// `last_done` is the newest slot that has its point. `known_since` is since when the schedule holds for the machine, so
    /// that a new policy does not find a year of missed slots. A newest slot whose turn has not come yet is waited for also when
    /// older ones were missed: two points within one window help nobody. `None` only where time itself ends.
    pub fn due(&self, last_done: Option<Slot>, known_since: Timestamp, machine: &MachineKey) -> Option<Due> {
        let after = last_done.map_or(Timestamp::MIN, Slot::at).max(just_before(known_since));
        let is_open = |slot: &Slot| slot.at() > after;
        let open = &self.past[..self.past.partition_point(is_open)];
        if let Some((newest, missed)) = open.split_first() {
            let missed =
                Missed { count: missed.len(), oldest: missed.last().copied(), newest: missed.first().copied() };
            return Some(opened(*newest, self.window, machine, missed));
        }
        let (next, window) = match self.next.filter(|(slot, _)| is_open(slot)) {
            Some(next) => next,
            None => {
                let next = self.schedule.next_after(after)?;
                (next, opening(&self.schedule, next, self.asked))
            }
        };
        Some(opened(next, window, machine, Missed::default()))
    }
}

fn opened(slot: Slot, window: SignedDuration, machine: &MachineKey, missed: Missed) -> Due {
    let closes_at = slot.at().checked_add(window).unwrap_or(Timestamp::MAX);
    Due { slot, starts_at: starts_at(slot, machine, window), closes_at, missed }
}

fn just_before(at: Timestamp) -> Timestamp {
    at.checked_sub(LEAST).unwrap_or(Timestamp::MIN)
}
