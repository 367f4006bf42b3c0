//! Sweeps of several parts: killed at any call, paused while another one works, held up by Azure's budget, out of time, and over more
//! machines than one sweep has looks for. It never asks the product what is due: every machine of these estates is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use lifeboat_simulator::azure::{ArmFault, ArmFaultEffect};
use lifeboat_tests::estate::{Estate, seed, sweep, until_death};
use lifeboat_tests::tap::{Call, Fate, Service};

use crate::virtual_time::{run, run_all};

/// Two parts.
const SUBSCRIPTIONS: usize = 23;
/// Subscriptions of the first part.
const FIRST_PART: usize = 20;
/// The lease of a dead sweep is over by then.
const NEXT_TICK: Duration = Duration::from_secs(5 * 60);
/// Every machine lacks the point of last night, and none was ever read.
const POLICY: &str = "apiVersion: lifeboat/v1
kind: BackupPolicy
metadata: { name: production }
spec:
  mode: enforce
  match: { tag: { env: prod } }
  points:
    - name: daily
      kind: restorePoint
      schedule: { cron: \"0 2 * * *\", timezone: Europe/Berlin }
      keep: { last: 3 }
";

/// The machines that were queued, each as often as the queue took it.
fn counted(looks: Vec<String>) -> BTreeMap<String, usize> {
    looks.into_iter().fold(BTreeMap::new(), |mut all, machine| {
        *all.entry(machine.to_lowercase()).or_default() += 1;
        all
    })
}

/// Whether every machine was queued once.
fn each_once(estate: &Estate, machines: usize) -> Result<(), String> {
    each(estate, machines, 1)
}

/// Whether every machine was queued so often.
fn each(estate: &Estate, machines: usize, times: usize) -> Result<(), String> {
    let counts = counted(estate.take_looks());
    for id in &estate.subscriptions {
        for number in 0..machines {
            let machine = seed(id, number).id().to_lowercase();
            let found = counts.get(&machine).copied().unwrap_or_default();
            if found != times {
                return Err(format!("{machine} was queued {found} times"));
            }
        }
    }
    Ok(())
}

/// The subscriptions whose machines were asked for by these calls: the sweep shows for each that it may see them.
fn visited(calls: &[Call]) -> BTreeSet<String> {
    let probes = calls.iter().filter(|call| call.service == Service::Arm && call.path.contains("lifeboat-probe"));
    probes.filter_map(|call| call.path.split('/').nth(2).map(str::to_owned)).collect()
}

#[test]
fn a_sweep_killed_at_any_call_is_gone_on_with_and_everything_due_is_queued_once() {
    let calls = run(async {
        let estate = Estate::new(SUBSCRIPTIONS, 1, POLICY);
        let said = estate.sweep().await.expect("a sweep");
        assert_eq!(said[1], "23 machines are covered, 23 need a look and are queued, 0 are left");
        each_once(&estate, 1).expect("left alone, all is well");
        estate.wire.calls()
    });
    let points: Vec<(usize, Fate)> =
        (0..calls.len()).flat_map(|number| [(number, Fate::DieBefore), (number, Fate::DieAfter)]).collect();
    let record = record_written(&calls);
    let results = run_all(&points, |&(number, fate)| {
        // Once the record is written the sweep is completed, and everything is due for the next one, since nobody has looked yet.
        let completed = number > record || (number == record && fate == Fate::DieAfter);
        run(killed(number, fate, completed))
    });
    let mut went_on = 0;
    for (point, result) in points.iter().zip(results) {
        match result.unwrap_or_else(Err) {
            Ok(skipped) => went_on += usize::from(skipped >= FIRST_PART),
            Err(why) => panic!("{point:?} ({}): {why}", calls[point.0].path),
        }
    }
    println!(
        "a sweep of two parts: {} calls, {} kills, {went_on} gone on with after the first part",
        calls.len(),
        points.len()
    );
    assert!(went_on > 10, "only {went_on} sweeps went on where the one before ended");
}

/// The call that completes a sweep.
fn record_written(calls: &[Call]) -> usize {
    let record = |call: &Call| call.method == "PUT" && call.path.ends_with("sweeps%2Fpolicy.json");
    calls.iter().rposition(record).expect("a record is written")
}

/// A sweep with one kill, and the one after it; how many subscriptions that did not have to visit again.
async fn killed(number: usize, fate: Fate, completed: bool) -> Result<usize, String> {
    let estate = Estate::new(SUBSCRIPTIONS, 1, POLICY);
    estate.wire.decide(Box::new(move |call| if call.number == number { fate } else { Fate::Live }));
    if until_death(&estate.wire, estate.sweep()).await.is_some() {
        return Err("it was not killed".to_owned());
    }
    estate.wire.stop_deciding();
    tokio::time::sleep(NEXT_TICK).await;
    let before = estate.wire.count();
    let said = estate.sweep().await.map_err(|error| error.to_string())?;
    let (next, times) = if completed { ("sweep 2: ", 2) } else { ("sweep 1: ", 1) };
    if !said[0].starts_with(next) || said[0].contains("judged") {
        return Err(format!("the sweep after it did not come to its end: {said:?}"));
    }
    let again = visited(&estate.wire.calls_from(before));
    each(&estate, 1, times)?;
    Ok(SUBSCRIPTIONS - again.len())
}

#[test]
fn a_sweep_that_was_paused_while_another_one_worked_stops_and_nothing_is_queued_twice() {
    let paused = |number: usize| {
        run(async move {
            let mut estate = Estate::new(SUBSCRIPTIONS, 1, POLICY);
            estate.slow_down(Duration::from_millis(20));
            let reached = Arc::new(tokio::sync::Notify::new());
            let tell = Arc::clone(&reached);
            estate.wire.decide(Box::new(move |call| {
                if call.number == number {
                    tell.notify_one();
                }
                Fate::Live
            }));
            let slow = estate.process();
            let mut first = Box::pin(sweep(&slow));
            tokio::select! {
                ended = &mut first => return Err(format!("it ended first: {ended:?}")),
                () = reached.notified() => {}
            }
            estate.wire.stop_deciding();
            let early = estate.sweep().await.map_err(|error| error.to_string())?;
            let held = early == ["another sweep is under way"];
            tokio::time::sleep(NEXT_TICK).await;
            estate.sweep().await.map_err(|error| error.to_string())?;
            let ended = first.await;
            each_once(&estate, 1)?;
            Ok((held, ended.is_err()))
        })
    };
    let calls = run(async {
        let estate = Estate::new(SUBSCRIPTIONS, 1, POLICY);
        estate.sweep().await.expect("a sweep");
        estate.wire.calls()
    });
    // The first thing that it does with its lease.
    let begun = calls.iter().position(|call| call.path.ends_with("sweeps%2Fpolicy.json")).expect("a record is read");
    let numbers: Vec<usize> = (begun..record_written(&calls)).collect();
    for (number, result) in numbers.iter().zip(run_all(&numbers, |number| paused(*number))) {
        match result.unwrap_or_else(Err) {
            Ok((true, true)) => {}
            other => panic!("paused at {number} ({}): {other:?}", calls[*number].path),
        }
    }
}

#[test]
fn a_sweep_out_of_graphs_quota_goes_on_when_there_is_some() {
    run(async {
        let estate = Estate::new(SUBSCRIPTIONS, 1, POLICY);
        let spent = ArmFaultEffect::TooManyRequests { retry_after_seconds: Some(60) };
        estate.azure.arm.fault(ArmFault::new(spent).on_path("ResourceGraph").after(1).times(1));
        let said = estate.sweep().await.expect("what was to be expected is no failure");
        assert_eq!(said, ["sweep 1: 20 of 23 subscriptions are judged, the next one goes on"]);
        tokio::time::sleep(NEXT_TICK).await;
        let before = estate.wire.count();
        let said = estate.sweep().await.expect("a sweep");
        assert_eq!(said[1], "23 machines are covered, 23 need a look and are queued, 0 are left");
        assert_eq!(visited(&estate.wire.calls_from(before)).len(), SUBSCRIPTIONS - FIRST_PART);
        each_once(&estate, 1).expect("everything is queued once");
    });
}

#[test]
fn a_sweep_ends_before_the_host_would_kill_it_and_the_next_one_goes_on() {
    run(async {
        let mut estate = Estate::new(3 * FIRST_PART, 1, POLICY);
        estate.slow_down(Duration::from_secs(12));
        let from = tokio::time::Instant::now();
        let said = estate.sweep().await.expect("a sweep");
        assert!(said[0].ends_with("of 60 subscriptions are judged, the next one goes on"), "{said:?}");
        assert!(from.elapsed() < Duration::from_secs(570), "the host waits ten minutes, not {:?}", from.elapsed());
        estate.slow_down(Duration::ZERO);
        tokio::time::sleep(NEXT_TICK).await;
        let said = estate.sweep().await.expect("a sweep");
        assert_eq!(said[1], "60 machines are covered, 60 need a look and are queued, 0 are left");
        each_once(&estate, 1).expect("everything is queued once");
    });
}

#[test]
fn machines_judged_by_other_policies_or_too_long_ago_are_judged_again() {
    run(async {
        for wait in [NEXT_TICK, Duration::from_secs(61 * 60)] {
            let estate = Estate::new(SUBSCRIPTIONS, 1, POLICY);
            let spent = ArmFaultEffect::TooManyRequests { retry_after_seconds: Some(60) };
            estate.azure.arm.fault(ArmFault::new(spent).on_path("ResourceGraph").after(1).times(1));
            estate.sweep().await.expect("a sweep");
            estate.take_looks();
            if wait == NEXT_TICK {
                let other = POLICY.replace("0 2 * * *", "0 3 * * *");
                lifeboat_tests::rig::push(&estate.blobs, &[("policy.yaml", &other)], estate.clock.now());
            }
            tokio::time::sleep(wait).await;
            let before = estate.wire.count();
            let said = estate.sweep().await.expect("a sweep");
            assert!(said[0].starts_with("sweep 2: "), "{said:?}");
            assert_eq!(visited(&estate.wire.calls_from(before)).len(), SUBSCRIPTIONS);
            each_once(&estate, 1).expect("what was judged before is judged again, under another number");
        }
    });
}

#[test]
fn every_machine_gets_its_turn_however_many_need_one() {
    const EACH: usize = 168;
    run(async {
        let estate = Estate::new(25, EACH, POLICY);
        let mut turns: BTreeMap<String, usize> = BTreeMap::new();
        for number in 1..=3 {
            let said = estate.sweep().await.expect("a sweep");
            assert!(said[0].starts_with(&format!("sweep {number}: ")), "it is completed: {said:?}");
            let looks = counted(estate.take_looks());
            assert!(looks.len() <= 2_000, "{} looks", looks.len());
            assert!(looks.values().all(|count| *count == 1));
            looks.into_keys().for_each(|machine| *turns.entry(machine).or_default() += 1);
            tokio::time::sleep(NEXT_TICK).await;
        }
        assert_eq!(turns.len(), 25 * EACH, "4,200 machines that need a look all the time have one within three sweeps");
        assert!(turns.values().all(|count| *count <= 2), "nobody gets many looks while others wait");
    });
}
