//! Events out: what is told of a creation and of a failover, by the golden file, and that no kill, no trouble of the topic and no missing topic changes it.
//! It never compares an order: none is promised.

mod failover;
mod kills;
mod troubles;

use std::collections::BTreeMap;
use std::time::Duration;

use lifeboat_tests::Rig;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::policy::document;
use serde_json::Value;

/// Longer than an announcement may lead to nothing, and eight sweeps.
const AFTERWARDS: Duration = Duration::from_secs(40 * 60);

/// A rig that tells, with a machine that is being created.
async fn creating() -> Rig {
    let mut rig = Rig::without_host(1);
    rig.write_policy(&document("enforce", "24h"));
    rig.tells_events();
    rig.host_on().await;
    rig.azure.arm.create_machine(&Azure::seed("web-1")).expect("the machine is created");
    rig
}

/// What was told, each event once, by its id.
fn told(rig: &Rig) -> BTreeMap<String, Value> {
    let accepted = rig.azure.topic.accepted().into_iter();
    accepted.map(|one| (one.event["id"].as_str().expect("an id").to_owned(), one.event)).collect()
}

/// The announcements that lie in the store.
fn announced(rig: &Rig) -> Vec<String> {
    let names = rig.blobs.names(lifeboat_tests::rig::CONTAINER);
    names.into_iter().filter(|name| name.starts_with("outbox/")).collect()
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}
