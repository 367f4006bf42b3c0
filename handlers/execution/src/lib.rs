//! Does: observe, plan, audit, save, perform, report. One entry, [`Lifeboat::handle`], for everything that can wake it.
//! It never decides about policy (`planning` does) and never speaks Azure's wire (`azure` does).
#![forbid(unsafe_code)]

mod account;
mod against_budgets;
mod against_estate;
mod against_recovery;
pub mod alarms;
pub mod assumptions;
pub mod breakers;
pub mod budget;
pub mod bundle;
pub mod catalogue;
mod chain;
pub mod clock;
mod connect;
pub mod counters;
mod decided;
pub mod declaration;
pub mod estate;
pub mod estate_judge;
mod estate_sweep;
mod event;
mod expiry_sweep;
mod foresee;
pub mod freeze;
mod health_poll;
pub mod holds;
pub mod incident;
pub mod ledger;
mod lifeboat;
mod limits;
pub mod modes;
mod noted;
mod observe;
mod observe_snapshots;
mod observe_vault;
mod onlooker;
pub mod operator;
pub mod orders;
pub mod outbox;
mod perform;
pub mod policies;
mod policy_sweep;
mod predecessor;
mod queue;
pub mod readiness;
mod readiness_sweep;
mod reconcile;
pub mod record;
pub mod rights;
pub mod saga;
mod saga_woken;
mod said_of;
mod settings;
pub mod signals;
mod status;
pub mod stop;
pub mod story;
pub mod swap;
mod sweep_cursor;
mod sweep_record;
pub mod vault_lists;
pub mod vault_verdicts;
pub mod views;
mod watch;

pub use against_estate::HeldAgainst;
pub use connect::{ARM_URL, ConnectError, Connections, Places};
/// Where tokens come from and whom they must be for.
pub use lifeboat_azure::entra::Authority;
/// What is believed about Azure, and on what ground: the register of the crate that speaks it.
pub use lifeboat_azure::evidence;

/// What would be decided of each point now, for people who ask.
pub use expiry_sweep::verdicts;

pub use event::{Api, Command, Event, ExpirySweep, HealthPoll, PolicySweep, ReadinessSweep, VmDeleted, VmWritten};
pub use foresee::{Asked, ForeseeError};
pub use lifeboat::{Answer, Lifeboat, NotDone, Report};
pub use onlooker::Onlooker;
pub use settings::{Build, Settings};
pub use status::StatusError;
