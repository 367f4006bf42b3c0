//! Retention over many dates: a golden table of policies over one fixture, properties, and restic beside it on the same dates.
//! It never judges one sentence at a time; `planning::retention` has those tests itself.
//!
//! LIFEBOAT_GOLDEN=write writes the golden files again.

mod against_restic;
mod fixture;
mod golden;
mod naive;
mod properties;
