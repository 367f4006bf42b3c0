//! What came of a burst of commands: what is remembered, what each of them left in the store and in Azure, and what was told of each.
//! It never asks a handler.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use lifeboat_execution::holds::Hold;
use lifeboat_execution::orders::memory::SeenRecord;
use lifeboat_execution::stop::{self, Stop};
use lifeboat_simulator::azure::{ARM_AUDIENCE, Grant};
use lifeboat_tests::rig::CONTAINER;
use serde_json::Value;
use tower::ServiceExt;

use crate::site::Site;

/// Where the commands that were taken are remembered, and where holds lie.
const SEEN: &str = "orders/seen/";
const HOLDS: &str = "holds/";
/// The tag of a hold on a machine's collection begins so; the point's name follows.
const HOLD_TAG: &str = "lifeboat-hold-";
/// The version in which collections are read.
const COMPUTE: &str = "2025-04-01";
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// What was sent.
#[derive(Default)]
pub struct Sent {
    /// Commands that are to be done: their ids, each with the key under which it is remembered.
    pub good: BTreeMap<String, String>,
    /// Commands that are to be refused.
    pub expired: BTreeSet<String>,
    /// Points that are to be held, in lower case.
    pub held: BTreeSet<String>,
    /// The reasons of those that turn the switch.
    pub reasons: BTreeSet<String>,
}

/// What was told of the commands.
#[derive(Default)]
pub struct Told {
    /// Commands that were told of as they should be, once each.
    pub once: usize,
    /// Commands of which nothing was told.
    pub missing: usize,
    /// Commands that were told of under several ids, or otherwise than they should be, and events of others.
    pub wrong: usize,
    /// Events that came more than once under their id: that is promised of none, and harms nobody.
    pub again: usize,
}

/// Tells line by line what came of them, beside what it should be.
pub async fn tell(site: &Site, sent: &Sent, line: &mut impl FnMut(bool, &str, String, &str)) {
    let (done, others) = remembered(site, sent);
    line(done == sent.good.len(), "commands done, each once", format!("{done} of {}", sent.good.len()), "all");
    line(others == 0, "others remembered as done", others.to_string(), "0");
    let (once, doubled, foreign) = holds(site, sent);
    line(once == sent.held.len(), "points with one hold in the store", format!("{once} of {}", sent.held.len()), "all");
    line(doubled + foreign == 0, "points with several; holds of others", format!("{doubled}; {foreign}"), "0; 0");
    let tagged = tagged(site).await;
    line(
        tagged == sent.held.len(),
        "points whose tag in Azure names that hold",
        format!("{tagged} of {}", sent.held.len()),
        "all",
    );
    let turned = site.world.blobs().bytes(CONTAINER, stop::BLOB);
    let turned: Option<Stop> = turned.map(|bytes| serde_json::from_slice(&bytes).expect("a stop"));
    let by_one = turned.is_some_and(|stop| stop.resumed_at.is_none() && sent.reasons.contains(&stop.reason));
    line(by_one, "the switch is turned, by one of them", by_one.to_string(), "true");
    let told = told(site, sent);
    let all = sent.good.len() + sent.expired.len();
    line(told.once == all, "commands told once, done or refused", format!("{} of {all}", told.once), "all");
    line(
        told.missing + told.wrong == 0,
        "not told; told otherwise",
        format!("{}; {}", told.missing, told.wrong),
        "0; 0",
    );
    line(true, "of them refused: expired ones", sent.expired.len().to_string(), "");
    line(true, "events that came again under their id", told.again.to_string(), "");
}

/// How many of these commands, by the keys of their ids, are remembered as done, and how many others are.
fn remembered(site: &Site, sent: &Sent) -> (usize, usize) {
    let keys: BTreeSet<&String> = sent.good.values().collect();
    let (mut done, mut others) = (0, 0);
    for bytes in records(site, SEEN) {
        let record: SeenRecord = serde_json::from_slice(&bytes).expect("a record");
        for (id, seen) in record.seen {
            if !seen.outcome.is_some_and(|outcome| outcome.done) {
                continue;
            }
            if keys.contains(&id) { done += 1 } else { others += 1 }
        }
    }
    (done, others)
}

fn records(site: &Site, folder: &str) -> Vec<Vec<u8>> {
    let blobs = site.world.blobs();
    let names = blobs.names(CONTAINER).into_iter().filter(|name| name.starts_with(folder));
    names.map(|name| blobs.bytes(CONTAINER, &name).expect("it was listed").to_vec()).collect()
}

fn stored_holds(site: &Site) -> Vec<Hold> {
    records(site, HOLDS).iter().map(|bytes| serde_json::from_slice(bytes).expect("a hold")).collect()
}

/// How many points have one hold, how many have several, and how many holds are of points that nobody named.
fn holds(site: &Site, sent: &Sent) -> (usize, usize, usize) {
    let mut of_points: BTreeMap<String, usize> = BTreeMap::new();
    for hold in stored_holds(site) {
        *of_points.entry(hold.point.to_lowercase()).or_default() += 1;
    }
    let foreign = of_points.keys().filter(|point| !sent.held.contains(*point)).count();
    let once = of_points.values().filter(|count| **count == 1).count();
    (once, of_points.len() - once, foreign)
}

/// How many points bear the tag of a hold that is in the store.
async fn tagged(site: &Site) -> usize {
    let engineer = site.world.add_principal("engineer", vec![Grant::owner()]);
    let holds: BTreeMap<String, String> =
        stored_holds(site).into_iter().map(|hold| (hold.id, hold.point.to_lowercase())).collect();
    let mut tagged = 0;
    for collection in site.world.arm().collections() {
        let token = site.world.token(&engineer.object_id, ARM_AUDIENCE);
        let request = http::Request::get(format!("https://management.azure.com{collection}?api-version={COMPUTE}"))
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .expect("a request");
        let answer = site.world.arm().router().oneshot(request).await.unwrap_or_else(|never| match never {});
        let bytes = axum::body::to_bytes(answer.into_body(), ANSWER_BYTES_MAX).await.expect("an answer");
        let said: Value = serde_json::from_slice(&bytes).expect("JSON");
        let tags = said["tags"].as_object().into_iter().flatten();
        let names_hold = |(name, value): &(&String, &Value)| {
            let point = name.to_lowercase().strip_prefix(HOLD_TAG).map(str::to_owned);
            let held = value.as_str().and_then(|id| holds.get(id));
            point.zip(held).is_some_and(|(point, held)| held.ends_with(&format!("/{point}")))
        };
        tagged += tags.filter(names_hold).count();
    }
    tagged
}

/// What the topic was told of the commands.
pub fn told(site: &Site, sent: &Sent) -> Told {
    let mut of_commands: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    let (mut ids, mut told) = (BTreeSet::new(), Told::default());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for one in site.world.topic().accepted() {
        let (id, kind) = (text(&one.event["id"]), text(&one.event["type"]));
        if !kind.contains(".command.") {
            continue;
        }
        told.again += usize::from(!ids.insert(id.clone()));
        of_commands.entry(text(&one.event["data"]["command"])).or_default().insert((id, kind));
    }
    let good = sent.good.keys().map(|id| (id, ".command.done."));
    for (command, kind) in good.chain(sent.expired.iter().map(|id| (id, ".command.refused."))) {
        match of_commands.remove(command) {
            None => told.missing += 1,
            Some(events) if events.len() == 1 && events.iter().all(|(_, own)| own.contains(kind)) => told.once += 1,
            Some(_) => told.wrong += 1,
        }
    }
    told.wrong += of_commands.len();
    told
}
