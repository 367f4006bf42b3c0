//! Tests with real handler processes in real time, before the simulated Azure on TCP ports: what a test inside one process cannot
//! show. They wait for events and states, each with a deadline, and never for time to pass.

mod bodies;
mod command;
mod executables;
mod kills;
mod package;
mod pages;
mod panics;
mod people;
mod site;
mod switches;

use std::sync::Arc;
use std::time::Duration;

use lifeboat_simulator::host::{HandlerLink, ProcessOptions};

use crate::site::{LOOK_EVERY, Site, SiteOptions};

/// What does not come within this is a failure, not a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How far the clock is moved when nothing happens: the first wait of every chain of looks.
const STEP: jiff::SignedDuration = jiff::SignedDuration::from_secs(10);

/// One real process behind one host; things in Azure take as long as they do, but the clock is moved.
fn one_process() -> SiteOptions {
    let executable = executables::handler();
    SiteOptions {
        processes: 1,
        latency_permille: 1_000,
        // How often a message comes again while a process starts is the stand-in's speed, not Azure's: it must not decide.
        deliveries: 5_000,
        message_bytes: 256 * 1024,
        sweeps: false,
        tells: false,
        settings: Vec::new(),
        link: Arc::new(move || {
            let executable = Some(executable.clone());
            HandlerLink::Process(ProcessOptions { executable, ..ProcessOptions::default() })
        }),
    }
}

/// Moves the simulated clock on whenever nothing happens before it does, until nothing will happen at all.
async fn settle(site: &Site, what: &str) {
    let settled = tokio::time::timeout(PATIENCE, async {
        let (mut looks, mut before) = (tokio::time::interval(LOOK_EVERY), None);
        while !site.is_quiet() {
            looks.tick().await;
            let now = site.is_idle().then(|| (site.calls.seen(), site.invocations()));
            // Only what is idle from one look to the next waits for the clock; else what the last move woke has not come to run yet.
            if now.is_some() && now == before {
                site.world.jump(STEP);
                before = None;
            } else {
                before = now;
            }
        }
    });
    assert!(settled.await.is_ok(), "{what}: it does not settle; calls: {:#?}", site.calls.list());
}

/// One creation came to its end: one point, which succeeded, nothing lost, a whole ledger.
fn assert_protected_once(site: &Site, machine: &str, what: &str) {
    let points = site.world.points_of(machine);
    let states: Vec<_> = points.iter().map(|point| point.state.as_str()).collect();
    assert_eq!(site.dead_letters(), 0, "{what}");
    assert_eq!(states, ["Succeeded"], "{what}: {points:#?}\n{:#?}", site.calls.list());
    let ledgers = lifeboat_tests::ledgers::read_all(site.world.blobs()).expect("every ledger verifies");
    assert_eq!(ledgers.len(), 1, "{what}");
    assert_eq!((ledgers[0].unanswered(), ledgers[0].verified()), (Vec::new(), 1), "{what}: {ledgers:#?}");
}
