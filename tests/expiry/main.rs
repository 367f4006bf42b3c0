//! Expiry in the rig beyond what scenarios show: which collections a sweep reads and which it does not, and what vaults' points are said to go by.
//! It never asks the product which collection must be read: something changed, or nothing did.

mod pauses;
mod rests;
mod taken;
mod vaults;

/// Runs one test in a paused time of its own.
fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}
