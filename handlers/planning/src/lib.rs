//! Decides what Lifeboat does: from policy, facts and the time it is told, to effects, verdicts and refusals with reasons.
//! It never reads a clock, never performs IO and never sees Azure's JSON; `no_std` and the bans in `.clippy.toml` hold it to that.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod allowance;
pub mod audit;
pub mod creation;
pub mod declaration;
pub mod effect;
pub mod enforcement;
pub mod expiry;
pub mod facts;
mod follow;
pub mod id;
pub mod look;
pub mod needs;
pub mod points;
pub mod policy;
pub mod recovery;
pub mod refusal;
pub mod retention;
pub mod saga;
pub mod schedule;
pub mod signal;
pub mod sweep;

mod plan;
#[cfg(test)]
mod tests;

pub use follow::{Followed, follow, none_matches};
pub use plan::{Plan, Verdict, VerdictKind, Work, plan};
