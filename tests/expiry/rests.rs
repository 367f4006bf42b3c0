//! A collection of which nothing can become due is not read, and whatever changes has it read by the next sweep.
//! It counts calls on the wire, and looks at what Azure still has.

use std::time::Duration;

use jiff::SignedDuration;
use lifeboat_execution::counters::{self, Counter, Kind};
use lifeboat_planning::id::points_group;
use lifeboat_simulator::azure::{CollectionSeed, LockLevel};
use lifeboat_tests::azure::Azure;
use lifeboat_tests::rig::{CONTAINER, LOCATION, SUBSCRIPTION};
use lifeboat_tests::tap::Service;
use lifeboat_tests::{Rig, past};

use crate::run;

/// Longer than Resource Graph lags.
pub const GRAPH_LAGS: Duration = Duration::from_secs(5 * 60);
/// Machines of a large estate: as many as one call in a hundred of them is more than the few that a subscription costs.
const MANY: usize = 336;
const HOUR: Duration = Duration::from_secs(3600);

fn policy(rest: &str) -> String {
    lifeboat_tests::policy::document("enforce", "24h") + rest
}

/// A rig with an old estate and this rule. Its own timers run too: a sweep an hour, at half past.
pub async fn rig(keep: &str) -> Rig {
    let rig = Rig::without_host(1);
    past::old_estate(&rig);
    rig.write_policy(&policy(keep));
    let mut rig = rig;
    rig.host_on().await;
    rig
}

/// A machine of old with points so many days old.
pub fn machine(rig: &Rig, name: &str, days: &[i64]) -> CollectionSeed {
    let ago: Vec<SignedDuration> = days.iter().map(|days| SignedDuration::from_hours(24 * days)).collect();
    machine_with(rig, name, &ago)
}

fn machine_with(rig: &Rig, name: &str, ago: &[SignedDuration]) -> CollectionSeed {
    let mut seed = Azure::seed(name);
    seed.created_at = rig.epoch.checked_sub(SignedDuration::from_hours(90 * 24)).ok();
    rig.azure.arm.add_machine(&seed);
    let machine = rig.azure.machine(name).expect("a machine");
    let seed = past::seed(rig, &machine, ago);
    rig.azure.arm.add_collection(&seed).expect("a collection");
    seed
}

/// One sweep: how many calls it made about single collections and machines, and how many beside pages in all.
async fn sweep(rig: &Rig) -> (usize, usize) {
    let from = rig.wire.count();
    rig.expire().await;
    let calls = rig.wire.calls_from(from);
    let pages = ["/providers/Microsoft.ResourceGraph/", "/providers/Microsoft.Authorization/locks"];
    let beside = |path: &str| !pages.iter().any(|page| path.contains(page));
    let arm: Vec<String> =
        calls.into_iter().filter(|call| call.service == Service::Arm).map(|call| call.path).collect();
    let single = arm.iter().filter(|path| path.contains("/restorePointCollections/")).count();
    (single, arm.iter().filter(|path| beside(path)).count())
}

/// Sweeps until one reads nothing.
async fn until_all_rest(rig: &Rig) {
    rig.run(GRAPH_LAGS).await;
    for _ in 0..20 {
        if sweep(rig).await.0 == 0 {
            return;
        }
        rig.run(Duration::from_secs(60)).await;
    }
    panic!("there was something to read twenty times in a row");
}

fn points(rig: &Rig, name: &str) -> usize {
    rig.azure.points(name).len()
}

/// One machine whose collection rests, a change, and what comes of it in the very next sweep.
fn after(keep: &str, days: &[i64], change: impl AsyncFnOnce(&Rig, &mut CollectionSeed), left: usize) {
    run(async {
        let rig = rig(keep).await;
        let mut seed = machine(&rig, "web-1", days);
        until_all_rest(&rig).await;
        assert_eq!(points(&rig, "web-1"), days.len(), "nothing was due before");
        change(&rig, &mut seed).await;
        assert!(sweep(&rig).await.0 > 0, "it is read again");
        rig.run(Duration::from_secs(60)).await;
        assert_eq!(points(&rig, "web-1"), left, "{:?}", rig.azure.points("web-1"));
    });
}

#[test]
fn a_sweep_with_nothing_due_reads_pages_and_counts_all_the_same() {
    run(async {
        let mut rig = rig("      keep: { last: 3 }\n").await;
        for number in 0..MANY {
            machine(&rig, &format!("web-{number}"), &[3, 2, 1]);
        }
        until_all_rest(&rig).await;
        let (single, all) = sweep(&rig).await;
        println!("{MANY} machines, nothing due: {single} calls about one collection, {all} beside pages");
        assert_eq!(single, 0);
        assert!(all * 100 < MANY, "{all} calls");
        let course = rig.blobs.bytes(CONTAINER, "sweeps/expiry.json").expect("a course");
        let course: serde_json::Value = serde_json::from_slice(&course).expect("JSON");
        assert_eq!(course["counted"]["production"]["points"], 3 * MANY, "carried, and right");
        // A day later those that were not read for long have their turn, a few at a time. The host fires what it missed, too.
        let from = rig.wire.count();
        rig.host_off(false).await;
        rig.run(24 * HOUR).await;
        rig.host_on().await;
        rig.expire().await;
        let single = about_one(&rig, from);
        println!("a day later, in up to two sweeps: {single} calls about one collection");
        assert!(single > 0 && single * 100 < 2 * MANY, "{single} calls");
    });
}

/// Calls about single collections since then.
fn about_one(rig: &Rig, from: usize) -> usize {
    let calls = rig.wire.calls_from(from).into_iter();
    calls.filter(|call| call.service == Service::Arm && call.path.contains("/restorePointCollections/")).count()
}

#[test]
fn a_new_point_that_a_look_saw_has_its_collection_read_and_what_it_displaces_goes_on_time() {
    run(async {
        let rig = rig("      schedule: { cron: \"0 */6 * * *\", timezone: UTC }\n      keep: { last: 2 }\n").await;
        machine(&rig, "web-1", &[3, 2]);
        until_all_rest(&rig).await;
        // Each slot's point has succeeded within two hours of it: the sweeps of the two hours after that, and no later ones, may find
        // three.
        for _ in 0..24 {
            rig.run(HOUR).await;
            let whole = rig.azure.points("web-1").len();
            assert!(whole <= 3, "{whole} points: {:?}", rig.azure.points("web-1"));
        }
        rig.run(HOUR).await;
        let newest: Vec<String> = rig.azure.points("web-1").into_iter().map(|point| point.name).collect();
        assert_eq!(newest.len(), 2, "{newest:?}");
        assert!(newest.iter().all(|name| name.contains("20261123")), "those of yesterday went: {newest:?}");
    });
}

#[test]
fn another_bundle_has_everything_read() {
    let change = async |rig: &Rig, _: &mut CollectionSeed| rig.write_policy(&policy("      keep: { last: 1 }\n"));
    after("      keep: { last: 2 }\n", &[40, 30], change, 1);
}

#[test]
fn a_hold_that_is_released_has_its_collection_read() {
    run(async {
        let rig = rig("      keep: { last: 1 }\n").await;
        let mut seed = machine(&rig, "web-1", &[40, 30]);
        let machine = rig.azure.machine("web-1").expect("a machine");
        let held = past::point(&rig, &machine.vm_id, SignedDuration::from_hours(24 * 40));
        seed.points.clear();
        seed.tags.insert(format!("lifeboat-hold-{held}"), "a test".to_owned());
        rig.azure.arm.add_collection(&seed).expect("a collection");
        until_all_rest(&rig).await;
        assert_eq!(points(&rig, "web-1"), 2);
        seed.tags.remove(&format!("lifeboat-hold-{held}"));
        rig.azure.arm.add_collection(&seed).expect("a collection");
        rig.run(GRAPH_LAGS).await;
        assert!(sweep(&rig).await.0 > 0);
        rig.run(Duration::from_secs(60)).await;
        assert_eq!(points(&rig, "web-1"), 1);
    });
}

#[test]
fn a_lock_that_is_taken_away_has_its_collections_read() {
    run(async {
        let rig = rig("      keep: { last: 1 }\n").await;
        machine(&rig, "web-1", &[40, 30]);
        let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{}", points_group(LOCATION));
        rig.azure.arm.add_lock(&group, "keep-out", LockLevel::CanNotDelete);
        until_all_rest(&rig).await;
        rig.azure.arm.remove_lock(&group, "keep-out");
        assert!(sweep(&rig).await.0 > 0);
        rig.run(Duration::from_secs(60)).await;
        assert_eq!(points(&rig, "web-1"), 1);
    });
}

#[test]
fn a_point_of_the_future_has_its_collection_read_when_its_time_comes() {
    run(async {
        let rig = rig("      keep: { last: 1 }\n").await;
        machine_with(&rig, "web-1", &[700, -10].map(SignedDuration::from_hours));
        until_all_rest(&rig).await;
        rig.run(9 * HOUR).await;
        assert_eq!(sweep(&rig).await.0, 0, "not before");
        rig.run(2 * HOUR).await;
        assert_eq!(points(&rig, "web-1"), 1, "the rule keeps one, and that is the newest");
    });
}

#[test]
fn a_machine_that_resource_graph_does_not_show_is_always_read() {
    run(async {
        let rig = rig("      keep: { last: 2 }\n").await;
        machine(&rig, "web-1", &[40, 30]);
        until_all_rest(&rig).await;
        rig.azure.arm.delete_machine(&Azure::id("web-1")).expect("it is there");
        rig.run(GRAPH_LAGS).await;
        for _ in 0..3 {
            assert!(sweep(&rig).await.0 > 0);
        }
        let course = rig.blobs.bytes(CONTAINER, "sweeps/expiry.json").expect("a course");
        let course: serde_json::Value = serde_json::from_slice(&course).expect("JSON");
        assert_eq!(course["counted"]["production"]["points"], 2, "a gone machine's points count");
    });
}

#[test]
fn while_a_deletion_is_not_done_or_a_breaker_holds_it_up_every_sweep_reads_the_collection() {
    run(async {
        let rig = rig("      keep: { last: 1 }\n  limits: { expirePerDay: 1, expirePercentPerDay: 1 }\n").await;
        machine(&rig, "web-1", &[80, 70, 60, 50, 40, 30]);
        rig.azure.take_right("Microsoft.Compute/restorePointCollections/restorePoints/delete");
        rig.run(GRAPH_LAGS).await;
        for _ in 0..3 {
            assert!(sweep(&rig).await.0 > 0, "refused, and read again");
        }
        rig.azure.give_rights_back();
        rig.run(25 * HOUR).await;
        assert!(points(&rig, "web-1") > 1, "the breaker is open");
        assert!(sweep(&rig).await.0 > 0, "due, and read again");
        let name = counters::blob_name("production", Kind::Expiry);
        let counter = rig.blobs.bytes(CONTAINER, &name).expect("a counter");
        let mut counter: Counter = serde_json::from_slice(&counter).expect("a counter");
        let breaker = counter.breaker.as_mut().expect("it has been open");
        (breaker.closed_at, breaker.closed_by) = (Some(rig.clock.now()), Some("a person".to_owned()));
        rig.blobs.put(CONTAINER, &name, serde_json::to_vec(&counter).expect("JSON"));
        let before = points(&rig, "web-1");
        rig.run(25 * HOUR).await;
        assert!(points(&rig, "web-1") < before, "closed by a person, and on it goes");
    });
}

#[test]
fn what_vanished_behind_our_back_is_noticed_within_a_day_in_a_small_estate() {
    run(async {
        let rig = rig("      keep: { last: 2 }\n").await;
        let seed = machine(&rig, "web-1", &[40, 30]);
        until_all_rest(&rig).await;
        let machine = rig.azure.machine("web-1").expect("a machine");
        let lost = past::point(&rig, &machine.vm_id, SignedDuration::from_hours(24 * 30));
        let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{}", seed.group);
        let id = format!("{group}/providers/Microsoft.Compute/restorePointCollections/{}", seed.name);
        assert!(rig.azure.arm.lose_point(&id, &lost));
        let from = rig.wire.count();
        rig.run(22 * HOUR).await;
        assert_eq!(about_one(&rig, from), 0);
        rig.run(3 * HOUR).await;
        assert_eq!(about_one(&rig, from), 1, "once a day");
    });
}
