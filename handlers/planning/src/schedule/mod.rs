//! Schedules: which moments a cron expression in a time zone stands for.
//! It never reads a clock and never parses cron; whoever reads documents does.

mod slot;

pub use slot::Slot;
