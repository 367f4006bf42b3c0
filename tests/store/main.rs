//! The store's blob code against a real listener: our simulated blobs, or Azurite when `LIFEBOAT_AZURITE` names its blob endpoint.
//! The cases are the same for both, and never ask which one answers; where Azurite itself leaves the service's way, a list says so.
//!
//! These are tests of real processes in real time; a case that must outwait a lease moves the simulator's clock, and waits for Azurite's.

mod appending;
mod content;
mod leases;
mod listing;
mod records;
mod shared;
mod target;
mod wire;
