//! Speaks Azure: Resource Manager, Resource Graph, blobs, Service Bus and credentials, all over one HTTP seam.
//!
//! It never decides what should be done, knows no policy, and never asks for the wall clock, the environment or
//! randomness of its own accord: whoever builds an [`Access`] gives them.
//!
//! ```text
//! ArmClient ─┐
//! Store ─────┼─► retries, bearer token ─► Guarded (latest moment, no token over plain http) ─► HttpClient
//! Sender ────┤
//! Topic ─────┘
//! ```
//!
//! What could destroy, stop or move something is not sent while it rests on an assumed belief: [`operations`] names the
//! beliefs of each call, [`evidence`] their grades.
//!
//! A change is given a [`Latest`] moment: none of its attempts is sent after it. No call waits longer than
//! [`RETRY_BUDGET`]; what Azure asks to wait longer for comes back as an error that says how long.

pub mod access;
pub mod arm;
mod assumptions;
pub mod backup_errors;
pub mod backup_jobs;
mod bearer;
pub mod blobs;
pub mod credentials;
pub mod disks;
pub mod entra;
pub mod error;
pub mod event_topic;
pub mod evidence;
pub mod failover;
pub mod graph;
pub mod health;
mod https;
pub mod id;
mod json;
pub mod locks;
pub mod long_running;
pub mod machines;
pub mod needs;
pub mod networks;
pub mod operations;
mod pace;
mod paging;
pub mod permissions;
pub mod presence;
pub mod probe;
pub mod protectable_items;
pub mod protected_items;
pub mod protection;
pub mod protection_status;
pub mod public_addresses;
pub mod quota;
pub mod reading;
pub mod replicated_items;
pub mod replication;
pub mod replication_jobs;
pub mod resource_groups;
pub mod restore_points;
mod retry;
pub mod rights;
mod said;
pub mod service_bus;
pub mod skus;
pub mod snapshots;
pub mod subscriptions;
pub mod tags;
pub mod target_sizes;
pub mod traffic_manager;
pub mod transport;
pub mod usages;
pub mod vault_operations;
pub mod vault_points;
pub mod vault_policies;
pub mod vaults;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod proof;
#[cfg(test)]
mod recordings;
#[cfg(test)]
mod scripted;

pub use access::Access;
pub use arm::ArmClient;
pub use error::{Error, ErrorKind};
pub use id::ResourceId;
pub use json::region;
pub use retry::RETRY_BUDGET;
pub use transport::Latest;

/// What this crate says with.
pub type Result<T> = std::result::Result<T, Error>;
