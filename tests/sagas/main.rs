//! Sagas as the executor performs them: whole failovers over the simulated Azure, in virtual time.
//! It never judges the step table: `planning` has its own tests for that.

mod budget;
mod care;
mod checked;
mod endpoints;
mod failover;
mod kills;
mod messages;
mod networks;
mod readiness;
mod readiness_reads;
mod refused;
mod suspected;
mod words;

/// A sixth of a simulation's time goes to the usual allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
