//! When a machine begins with a slot: somewhere in a window after it, by its key, so that not all begin at once.
//! It never goes past the next slot, and the same machine always gets the same place.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{Schedule, Slot};
use crate::id::MachineKey;

/// The part of the time to the next slot that machines may be spread over: what is left is for making the point, a second
/// attempt included, before the next is due.
const WINDOW_PART: i32 = 4;

/// The window over which machines are spread after a slot: the one asked for, or a quarter of the time to the next slot where
/// that is shorter. Never negative.
pub fn opening(schedule: &Schedule, slot: Slot, asked: SignedDuration) -> SignedDuration {
    let asked = asked.max(SignedDuration::ZERO);
    match schedule.next_after(slot.at()) {
        Some(next) => asked.min(next.at().duration_since(slot.at()) / WINDOW_PART),
        None => asked,
    }
}

/// When this machine begins with a slot, to the second; `window` is what [`opening`] gives.
pub fn starts_at(slot: Slot, machine: &MachineKey, window: SignedDuration) -> Timestamp {
    let mut sha = Sha256::new();
    sha.update(b"spread");
    sha.update(machine.as_str().as_bytes());
    let place = sha.finalize().iter().take(8).fold(0u64, |place, byte| place << 8 | u64::from(*byte));
    // The key's place between 0 and 1, times the window: less than the window, because the place is below 2^64.
    let window_secs = u128::from(window.as_secs().max(0).unsigned_abs());
    let secs = (u128::from(place) * window_secs) >> 64;
    let wait = SignedDuration::from_secs(i64::try_from(secs).unwrap_or(0));
    slot.at().checked_add(wait).unwrap_or(slot.at())
}
