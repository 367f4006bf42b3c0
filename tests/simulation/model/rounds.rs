//! How many expiry sweeps it may take until each collection has had its turn, by how many there are.
//! It never says what is due: only by when it must have been seen that it is.

use std::collections::BTreeSet;

use super::world::World;

/// Collections that have their turn within a day of sweeps, at least.
///
/// Nothing lists restore points: each collection costs a call, and what is known of all of them is "rebuilt from Azure at a bounded
/// rate" (design §7), so that one sweep need not read a crowded estate whole. The design names no rate. It counts limits by the day
/// (§10): where a collection had no turn within a day, the day's allowance would lapse unused, and the true limit would be a lower one
/// than the policy says. So a day is the bound, for as many as the promises name for one day: a thousand machines deleted at once.
/// That asks for 42 calls an hour, below a third of the 150 that Azure recorded as the budget of such reads, even if that were the
/// budget of a whole hour. Larger estates have a day for each thousand.
const TURNS_A_DAY_MIN: usize = 1_000;

/// Expiry sweeps of a day: they come each hour.
const SWEEPS_A_DAY: usize = 24;

/// Expiry sweeps in which each collection has its turn: one in an estate of up to 41 collections, 24 where there are a thousand.
///
/// A machine that has or had a point has a collection; it stays when the machine and the last of its points are gone.
pub fn sweeps_of_round(world: &World) -> usize {
    let collections: BTreeSet<&str> = world.points.iter().map(|point| point.vm_id.as_str()).collect();
    (collections.len() * SWEEPS_A_DAY).div_ceil(TURNS_A_DAY_MIN).max(1)
}
