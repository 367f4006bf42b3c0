//! The real process is killed at many instants of one creation: before and after what it asked of Azure was done.
//! It never kills by time: the instants are requests, counted as they come in.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::site::{Death, Site};
use crate::{PATIENCE, assert_protected_once, one_process, settle};

/// Instants of one creation at which the process is killed.
const INSTANTS: u64 = 20;
/// Sites at a time: each is mostly waiting for processes to start.
const AT_A_TIME: usize = 4;

/// One creation with at most one death; whether somebody died, and how many requests it took.
async fn create(death: Option<(u64, bool)>) -> (bool, u64) {
    let site = Site::start(&one_process()).await;
    let first = site.hosts[0].handler_pid().expect("a process runs");
    let what = match death {
        None => "not killed".to_owned(),
        Some((at, after)) => format!("killed {} request {at}", if after { "after" } else { "before" }),
    };
    if let Some((at, after)) = death {
        site.calls.order(Death { at, after, pid: first });
    }
    let machine = site.create("vm-1");
    settle(&site, &what).await;
    let died = death.is_some() && !site.calls.awaits_death();
    if died {
        let other = site.wait_until(PATIENCE, |site| site.hosts[0].handler_pid().is_some_and(|pid| pid != first)).await;
        assert!(other, "{what}: the host starts another process");
    }
    assert_protected_once(&site, &machine, &what);
    (died, site.calls.seen())
}

/// One creation with a death at this request, or at the last one where looks happened to be fewer; how many requests it took.
async fn killed(mut at: u64, after: bool) -> u64 {
    loop {
        let (died, requests) = create(Some((at, after))).await;
        if died {
            return requests;
        }
        at = requests.min(at) - 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_killed_at_any_of_twenty_instants_still_makes_exactly_one_point() {
    let (_, requests) = create(None).await;
    assert!(requests >= INSTANTS, "one creation asks {requests} times only");
    let places = Arc::new(Semaphore::new(AT_A_TIME));
    let mut runs = JoinSet::new();
    for instant in 0..INSTANTS {
        // Spread over the whole creation, its first and its last request included, before and after by turns.
        let at = instant * (requests - 1) / (INSTANTS - 1);
        let places = Arc::clone(&places);
        runs.spawn(async move {
            let _place = places.acquire_owned().await;
            killed(at, instant % 2 == 1).await
        });
    }
    let all = runs.join_all().await;
    println!("killed at {} of {requests} requests; every run made one point, in {all:?} requests", all.len());
}
