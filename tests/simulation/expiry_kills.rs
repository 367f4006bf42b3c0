//! The handler is killed before and after every call of one expiry sweep, one call a run.
//! It never asks the product which point stays: it is the newest.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::tap::{Call, Fate, Service};
use lifeboat_tests::{Rig, past};

use crate::virtual_time::{run, run_all};

/// Ages of the machine's points, in days: the rule keeps one.
const DAYS: [i64; 3] = [40, 30, 20];
/// Longer than the leases that the dead one held.
const LEASES_RUN_OUT: Duration = Duration::from_secs(2 * 60);
/// Longer than the wait before a second attempt.
const BEFORE_THE_NEXT_ATTEMPT: Duration = Duration::from_secs(61 * 60);
/// Longer than Azure takes to delete a point.
const DELETED_WITHIN: Duration = Duration::from_secs(60);

#[test]
fn killed_at_any_call_of_an_expiry_sweep_the_newest_stays_the_others_go_and_the_ledger_is_whole() {
    let (first, calls) = run(undisturbed());
    let points: Vec<(usize, Fate)> =
        (first..calls.len()).flat_map(|number| [(number, Fate::DieBefore), (number, Fate::DieAfter)]).collect();
    let results = run_all(&points, |&(number, fate)| run(killed(number, fate)));
    let (mut failures, mut kinds) = (Vec::new(), BTreeMap::new());
    for ((number, fate), result) in points.iter().zip(results) {
        let call = &calls[*number];
        *kinds.entry((format!("{:?}", call.service), call.method.clone())).or_insert(0) += 1;
        if let Err(why) = result.unwrap_or_else(Err) {
            failures.push(format!("call {number} ({} {}), {fate:?}: {why}", call.method, call.path));
        }
    }
    println!("an expiry sweep: {} calls, {} kills: {kinds:?}", calls.len() - first, points.len());
    assert!(calls[first..].iter().any(|call| call.service == Service::Arm && call.method == "DELETE"), "it deletes");
    assert!(failures.is_empty(), "{} kills went wrong:\n{}", failures.len(), failures.join("\n"));
}

/// A sweep that nobody disturbs: its calls, and the number of the first.
async fn undisturbed() -> (usize, Vec<Call>) {
    let rig = begin().await;
    let first = rig.wire.calls().len();
    rig.expire().await;
    let calls = rig.wire.calls();
    rig.run(DELETED_WITHIN).await;
    rig.expire().await;
    check(&rig, 0).expect("left alone, all is well");
    (first, calls)
}

/// A sweep with one kill, and what comes after it.
async fn killed(number: usize, fate: Fate) -> Result<(), String> {
    let mut rig = begin().await;
    rig.wire.decide(Box::new(move |call| if call.number == number { fate } else { Fate::Live }));
    rig.expire().await;
    rig.run(LEASES_RUN_OUT).await;
    rig.expire().await;
    rig.host_off(false).await;
    rig.run(BEFORE_THE_NEXT_ATTEMPT).await;
    rig.host_on().await;
    for _ in 0..2 {
        rig.expire().await;
        rig.run(DELETED_WITHIN).await;
    }
    check(&rig, 1)
}

async fn begin() -> Rig {
    let rig = Rig::new(1).await;
    past::old_estate(&rig);
    rig.write_policy(&(lifeboat_tests::policy::document("enforce", "24h") + "      keep: { last: 1 }\n"));
    let mut seed = Azure::seed("web-1");
    seed.created_at = rig.epoch.checked_sub(SignedDuration::from_hours(90 * 24)).ok();
    rig.azure.arm.add_machine(&seed);
    let machine = rig.azure.machine("web-1").expect("a machine");
    let ago = DAYS.map(|days| SignedDuration::from_hours(24 * days));
    rig.azure.arm.add_collection(&past::seed(&rig, &machine, &ago)).expect("a collection");
    rig.run(Duration::from_secs(60)).await;
    rig
}

/// What must hold at the end.
fn check(rig: &Rig, deaths: usize) -> Result<(), String> {
    let ensure = |holds: bool, what: String| if holds { Ok(()) } else { Err(what) };
    let machine = rig.azure.machine("web-1").ok_or("the machine is gone")?;
    let newest = past::point(rig, &machine.vm_id, SignedDuration::from_hours(24 * DAYS[DAYS.len() - 1]));
    let left: Vec<String> = rig.azure.points("web-1").into_iter().map(|point| point.name).collect();
    ensure(rig.wire.deaths() == deaths, format!("{} deaths", rig.wire.deaths()))?;
    ensure(left == [newest], format!("points: {left:?}"))?;
    let ledgers = rig.read_ledgers()?;
    ensure(ledgers.len() == 1, format!("{} ledgers", ledgers.len()))?;
    let ledger = &ledgers[0];
    ensure(ledger.unanswered().is_empty(), format!("effects without an outcome: {:?}", ledger.unanswered()))?;
    ensure(ledger.sealed, "the head that is kept apart is behind the last entry".to_owned())?;
    let first_delete =
        rig.wire.calls().into_iter().find(|call| call.service == Service::Arm && call.method == "DELETE");
    let is_count =
        |call: &Call| call.service == Service::Blobs && call.method == "PUT" && call.path.contains("/counters");
    let first_counted = rig.wire.calls().into_iter().find(is_count).map(|call| call.number);
    let counted = first_delete.as_ref().is_some_and(|call| first_counted.is_some_and(|number| number < call.number));
    ensure(counted, "something was deleted before it was counted".to_owned())?;
    let first_entry = ledger.bodies.first().map(|body| body.at);
    let saved = first_delete.is_some_and(|call| first_entry.is_some_and(|at| at <= call.at));
    ensure(saved, "something was deleted before anybody had written down that it was decided".to_owned())
}
