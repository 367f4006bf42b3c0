//! What the stage's executor tells: each invocation tells what it wrote, as the host's do, and a sweep tells what a killed one could not.
//! It never tells anything where a test did not ask for a topic.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lifeboat_execution::Lifeboat;
use serde_json::Value;

use super::{Stage, lock};

/// From one sweep to the next, as its timer has it.
const SWEEP_EVERY: Duration = Duration::from_secs(300);

/// Does a piece of work, and tells what came of it.
pub(super) async fn after<T>(process: &Lifeboat, work: impl Future<Output = T>) -> T {
    let done = work.await;
    process.outbox.drain_own(process.clock.now(), false).await;
    done
}

impl Stage {
    /// Processes that start from now on have a topic.
    pub fn tells_events(&self) {
        self.tells.store(true, Ordering::Relaxed);
    }

    /// Lets so much time pass in which nothing but the outbox is swept, each time by a process of its own.
    pub async fn sweep_outbox(&self, for_so_long: Duration) {
        let until = tokio::time::Instant::now() + for_so_long;
        while tokio::time::Instant::now() < until {
            tokio::time::sleep(SWEEP_EVERY).await;
            let process = self.process();
            let work = tokio::spawn(async move { process.outbox.drain_all(process.clock.now()).await });
            if let Some(drained) = self.or_killed(work).await {
                lock(&self.told).push(format!("{} swept: {drained:?}", self.clock.now()));
            }
        }
    }

    /// What the topic accepted, by id: each body that came under it, once.
    pub fn accepted_events(&self) -> BTreeMap<String, Vec<Value>> {
        let mut by_id: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for one in self.azure.topic.accepted() {
            let bodies = by_id.entry(one.event["id"].as_str().expect("an id").to_owned()).or_default();
            if !bodies.contains(&one.event) {
                bodies.push(one.event);
            }
        }
        by_id
    }
}
