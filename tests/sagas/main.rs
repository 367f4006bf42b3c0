//! Sagas as the executor performs them: whole failovers over the simulated Azure, in virtual time.
//! It never judges the step table: `planning` has its own tests for that.

mod budget;
mod care;
mod failover;
mod kills;
mod messages;
mod readiness;
mod words;
