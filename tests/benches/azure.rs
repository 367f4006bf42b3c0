//! Benches of what speaks Azure and of what stands in for it: a page of Resource Graph decoded, requests a second through the
//! client and the simulated Resource Manager in one process, a large estate loaded.
//! Prints figure, budget and floor of each line; a figure over its budget ends it non-zero. It tests no behaviour.
//!
//! `cargo run --release -p lifeboat-tests --bin bench-azure`
#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use azure_core::http::HttpClient;
use futures::stream::{self, StreamExt as _};
use jiff::SignedDuration;
use lifeboat_azure::access::{Access, Random};
use lifeboat_azure::{ArmClient, ResourceId, graph, machines};
use lifeboat_simulator::azure::{CollectionSeed, MachineSeed, PointSeed};
use lifeboat_simulator::bus::QueueOptions;
use lifeboat_simulator::clock::Clock;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::identity::Identity;
use lifeboat_tests::rig::{EPOCH, GROUP, LOCATION, QUEUE, SUBSCRIPTION};

use lifeboat_tests::lines::{self, Line};

/// Machines on a page of Resource Graph: its maximum.
const PAGE_MACHINES: usize = 1_000;
/// Decodings measured; the median is quoted.
const DECODINGS: usize = 51;
/// Requests to Resource Manager measured, and how many of them are under way together.
const REQUESTS: usize = 20_000;
const TOGETHER: usize = 16;
/// Requests after which the clock is moved on, so that no budget is spent: it is the way of a request that is measured.
const REQUESTS_PER_JUMP: usize = 200;
/// The estate that is loaded.
const ESTATE_MACHINES: usize = 10_000;
const POINTS_PER_MACHINE: i64 = 10;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let lines = runtime.block_on(async {
        let (decode, parse) = page().await;
        let (client, bare) = requests().await;
        let (seconds, megabytes) = estate();
        vec![
            Line::at_most("a page of 1,000 machines decoded, p50", decode, "ms", 5.0)
                .floor(parse, "the same bytes read as JSON and dropped"),
            Line::at_least("requests a second, client and simulator together", client, "/s", 5_000.0)
                .floor(bare, "a refused call to the simulator alone"),
            Line::at_most("10,000 machines and 100,000 points loaded", seconds, "s", 2.0),
            Line::at_most("what they take", megabytes, "MB", 400.0),
        ]
    });
    lines::print(lines)
}

/// A simulated Azure with so many machines, and a client of it.
fn azure(count: usize) -> (Azure, ArmClient, Clock, Arc<dyn HttpClient>) {
    let clock = Clock::starting_at(EPOCH.parse().expect("a time"));
    let azure = Azure::unwatched(&clock, 1);
    for number in 0..count {
        azure.arm.add_machine(&seed(number));
    }
    let (blobs, bus) = azure.store_and_queue(QueueOptions::new(QUEUE));
    let transport = azure.transport(&blobs, &bus);
    let credential = Identity::new(Arc::clone(&transport), azure.identity_header());
    let own = clock.clone();
    let access = Access::new(Arc::clone(&transport), credential, Arc::new(move || own.now()), Random::seeded(1));
    let arm = ArmClient::new("https://management.azure.com".parse().expect("a URL"), &access).expect("a client");
    clock.jump(SignedDuration::from_hours(1));
    azure.arm.clock_jumped();
    (azure, arm, clock, transport)
}

fn seed(number: usize) -> MachineSeed {
    MachineSeed::new(SUBSCRIPTION, GROUP, &format!("machine-{number:05}"), LOCATION).tag("env", "prod")
}

/// Milliseconds for a page through our decoder, and for the same bytes as JSON.
async fn page() -> (f64, f64) {
    let (azure, arm, ..) = azure(PAGE_MACHINES);
    let last: Arc<Mutex<Vec<u8>>> = Arc::default();
    let kept = Arc::clone(&last);
    azure.arm.observe(Arc::new(move |seen| {
        if let Ok(mut kept) = kept.lock() {
            *kept = seen.body.to_vec();
        }
    }));
    let rows = graph::all_machines(&arm, &[SUBSCRIPTION.to_owned()]).await.expect("a page of machines");
    assert_eq!(rows.len(), PAGE_MACHINES, "all on one page");
    let bytes = last.lock().map(|kept| kept.clone()).unwrap_or_default();
    let decode = median((0..DECODINGS).map(|_| {
        let from = Instant::now();
        let rows = graph::decode_machines_page(&bytes).expect("a page");
        assert_eq!(rows.len(), PAGE_MACHINES);
        from.elapsed()
    }));
    let parse = median((0..DECODINGS).map(|_| {
        let from = Instant::now();
        let serde::de::IgnoredAny = serde_json::from_slice(&bytes).expect("JSON");
        from.elapsed()
    }));
    (decode, parse)
}

/// Requests a second through client and simulator, and through the simulator alone.
async fn requests() -> (f64, f64) {
    let (azure, arm, clock, transport) = azure(REQUESTS_PER_JUMP);
    let ids: Vec<ResourceId> = (0..REQUESTS_PER_JUMP).map(|n| seed(n).id().parse().expect("an id")).collect();
    let from = Instant::now();
    for _ in 0..REQUESTS / REQUESTS_PER_JUMP {
        let reads = stream::iter(&ids).map(|id| machines::get(&arm, id)).buffer_unordered(TOGETHER);
        let read = reads.filter(|read| std::future::ready(read.is_ok())).count().await;
        assert_eq!(read, REQUESTS_PER_JUMP, "every machine is read");
        clock.jump(SignedDuration::from_hours(1));
        azure.arm.clock_jumped();
    }
    let through_client = REQUESTS as f64 / from.elapsed().as_secs_f64();
    let from = Instant::now();
    let url = "https://management.azure.com/subscriptions/none?api-version=2022-12-01".parse().expect("a URL");
    let request = azure_core::http::Request::new(url, azure_core::http::Method::Get);
    for _ in 0..REQUESTS {
        let _ = transport.execute_request(&request).await;
    }
    (through_client, REQUESTS as f64 / from.elapsed().as_secs_f64())
}

/// Seconds and megabytes for a large estate.
fn estate() -> (f64, f64) {
    let before = resident();
    let clock = Clock::starting_at(EPOCH.parse().expect("a time"));
    let azure = Azure::unwatched(&clock, 1);
    let from = Instant::now();
    for number in 0..ESTATE_MACHINES {
        let machine = azure.arm.add_machine(&seed(number));
        let made = |day: i64| clock.now().checked_sub(SignedDuration::from_hours(24 * day)).expect("a time");
        let points = (0..POINTS_PER_MACHINE).map(|day| PointSeed { name: format!("point-{day:02}"), made: made(day) });
        azure.arm.add_collection(&CollectionSeed {
            machine,
            group: "rg-points".to_owned(),
            name: format!("collection-{number:05}"),
            tags: BTreeMap::new(),
            points: points.collect(),
        });
    }
    (from.elapsed().as_secs_f64(), resident() - before)
}

fn median(times: impl Iterator<Item = Duration>) -> f64 {
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

/// Resident memory of this process in MB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(f64::MAX) / 1e3
}
