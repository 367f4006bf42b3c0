//! Receives: turns what the Functions host sends into events, hands them over, and turns what came of them into answers.
//! It never decides; `host` is a custom-handler runtime that knows nothing of Lifeboat.

mod api;
mod clients;
mod expiry_sweep;
pub mod host;
mod pages;
mod policy_sweep;
mod reconcile;
pub mod settings;
pub mod telemetry;
mod vm_written;

use std::sync::Arc;

use lifeboat_execution::{Answer, Lifeboat};

use host::{App, Done, RuntimeOptions};

pub use clients::lifeboat;

/// What tells this build from others of the same release: a digest over the product's sources.
pub const BUILD_ID: &str = env!("LIFEBOAT_BUILD_ID");

/// The handler's routes: each function's noun and who receives it.
pub fn app(lifeboat: Arc<Lifeboat>, options: RuntimeOptions) -> App {
    let shared = move || Arc::clone(&lifeboat);
    let (written, look, sweep, expiry, asked) = (shared(), shared(), shared(), shared(), shared());
    App::new(options)
        .on("VmWritten", move |invocation| {
            let lifeboat = Arc::clone(&written);
            async move { vm_written::receive(&lifeboat, invocation).await }
        })
        .on("Reconcile", move |invocation| {
            let lifeboat = Arc::clone(&look);
            async move { reconcile::receive(&lifeboat, invocation).await }
        })
        .on("PolicySweep", move |invocation| {
            let lifeboat = Arc::clone(&sweep);
            async move { policy_sweep::receive(&lifeboat, invocation).await }
        })
        .on("ExpirySweep", move |invocation| {
            let lifeboat = Arc::clone(&expiry);
            async move { expiry_sweep::receive(&lifeboat, invocation).await }
        })
        .on_http("Api", "/api", move |request| {
            let lifeboat = Arc::clone(&asked);
            async move { api::receive(&lifeboat, request).await }
        })
}

/// Adds what was done to what the host logs beside the invocation.
fn note(done: Done, answer: Answer) -> Done {
    match answer {
        Answer::Done(report) => report.lines.into_iter().fold(done, |done, line| {
            tracing::info!("{line}");
            done.note(line)
        }),
        Answer::Status(_) | Answer::Points(_) | Answer::Stopped(_) | Answer::Held(_) => done,
    }
}
