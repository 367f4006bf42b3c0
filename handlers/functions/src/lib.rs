//! Receives: turns what the Functions host sends into events, hands them over, and turns what came of them into answers.
//! It never decides; `host` is a custom-handler runtime that knows nothing of Lifeboat.

mod api;
mod clients;
mod command;
mod expiry_sweep;
mod health_poll;
pub mod host;
pub mod pages;
mod policy_sweep;
mod readiness_sweep;
mod reconcile;
mod region_alert;
mod region_health_changed;
mod saga_woken;
pub mod settings;
pub mod telemetry;
mod vm_deleted;
mod vm_written;

use std::sync::Arc;

use lifeboat_contract::event_grid::{MachineHint, Told, read_event};
use lifeboat_execution::{Answer, Event, Lifeboat};

use host::{App, Done, Failure, Invocation, RuntimeOptions};

pub use clients::lifeboat;

/// What tells this build from others of the same release: a digest over the product's sources.
pub const BUILD_ID: &str = env!("LIFEBOAT_BUILD_ID");

/// The handler's routes: each function's noun and who receives it.
pub fn app(lifeboat: Arc<Lifeboat>, options: RuntimeOptions) -> App {
    let shared = move || Arc::clone(&lifeboat);
    let (written, deleted, look) = (shared(), shared(), shared());
    let (sweep, expiry, asked, ordered) = (shared(), shared(), shared(), shared());
    let (alert, health, poll, woken, ready) = (shared(), shared(), shared(), shared(), shared());
    App::new(options)
        .on("VmWritten", move |invocation| {
            let lifeboat = Arc::clone(&written);
            async move { vm_written::receive(&lifeboat, invocation).await }
        })
        .on("VmDeleted", move |invocation| {
            let lifeboat = Arc::clone(&deleted);
            async move { vm_deleted::receive(&lifeboat, invocation).await }
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
        .on("Command", move |invocation| {
            let lifeboat = Arc::clone(&ordered);
            async move { command::receive(&lifeboat, invocation).await }
        })
        .on("RegionHealthChanged", move |invocation| {
            let lifeboat = Arc::clone(&health);
            async move { region_health_changed::receive(&lifeboat, invocation).await }
        })
        .on("HealthPoll", move |invocation| {
            let lifeboat = Arc::clone(&poll);
            async move { health_poll::receive(&lifeboat, invocation).await }
        })
        .on("ReadinessSweep", move |invocation| {
            let lifeboat = Arc::clone(&ready);
            async move { readiness_sweep::receive(&lifeboat, invocation).await }
        })
        .on("SagaWoken", move |invocation| {
            let lifeboat = Arc::clone(&woken);
            async move { saga_woken::receive(&lifeboat, invocation).await }
        })
        // Before `Api`, whose route takes whatever no other takes.
        .on_http("RegionAlert", "/api/RegionAlert", move |request| {
            let lifeboat = Arc::clone(&alert);
            async move { region_alert::receive(&lifeboat, request).await }
        })
        .on_http("Api", "/api", move |request| {
            let lifeboat = Arc::clone(&asked);
            async move { api::receive(&lifeboat, request).await }
        })
}

/// Receives one delivery of Event Grid; its events are answered for together, so that Event Grid sends all of them again if one failed.
/// What does not tell this of a machine is ignored with its reason.
async fn receive_hints(
    lifeboat: &Lifeboat,
    invocation: Invocation,
    told: Told,
    event: fn(MachineHint) -> Event,
) -> Result<Done, Failure> {
    let mut done = Done::quietly();
    for sent in invocation.event_grid_events()? {
        match read_event(&sent, told) {
            Ok(hint) => done = note(done, lifeboat.handle(event(hint)).await?),
            Err(reason) => {
                tracing::info!(%reason, "an event is ignored");
                done = done.note(format!("ignored: {reason}"));
            }
        }
    }
    Ok(done)
}

/// Adds what was done to what the host logs beside the invocation.
fn note(done: Done, answer: Answer) -> Done {
    match answer {
        Answer::Done(report) => report.lines.into_iter().fold(done, |done, line| {
            tracing::info!("{line}");
            done.note(line)
        }),
        Answer::Ordered(told) => {
            told.lines.into_iter().fold(done, |done, line| done.note(format!("{:?}: {line}", told.verdict)))
        }
        Answer::Status(_) | Answer::Points(_) | Answer::Viewed(_) | Answer::Stopped(_) | Answer::Held(_) => done,
    }
}
