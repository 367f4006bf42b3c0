//! The whole in virtual time: killed at every call of one creation, and under random faults, with invariants checked at the end.
//! It never asks the product what should be there: that is computed from the simulator's own record.
//!
//! LIFEBOAT_SEEDS=n runs so many random seeds; LIFEBOAT_SEED=n runs that one and tells what happens; LIFEBOAT_TRIPLES=1 lets `months` run
//! every transition with every fault and every kill point.

mod azure_now;
mod expiry_kills;
mod foreseen;
mod kill_points;
mod model;
mod months;
mod orders;
mod paused;
mod planted;
mod random;
mod reference;
mod seeds;
mod store_conditions;
mod sweeps;
mod virtual_time;

/// A sixth of a simulation's time goes to the usual allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
