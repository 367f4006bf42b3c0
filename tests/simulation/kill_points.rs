//! The handler is killed before and after every transport call and store write of one creation, one call a run.
//! It never kills at a call that it did not see in the run that is left alone.

use std::collections::BTreeMap;
use std::time::Duration;

use lifeboat_simulator::azure::{EventEffect, EventOrder};
use lifeboat_tests::Rig;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::rig::QUEUE;
use lifeboat_tests::tap::{Call, Fate};

use crate::virtual_time::{run, run_all};

/// How long each run goes on after the kill: more than the window in which creations are looked for, and a dozen sweeps.
const AFTERWARDS: Duration = Duration::from_secs(65 * 60);
/// How long the sweep's path takes when it is left alone: the sweep that finds the machine and the one that sees its point.
const TWO_SWEEPS: Duration = Duration::from_secs(10 * 60);

/// How a creation comes to our ears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    Event,
    Sweep,
}

/// What sort of call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    ArmRead,
    ArmWrite,
    ArmQuery,
    BlobRead,
    BlobWrite,
    Lease,
    QueueSend,
    Token,
}

#[test]
fn killed_at_any_call_of_a_creation_there_is_one_point_and_a_whole_ledger() {
    use Kind::{ArmRead, ArmWrite, BlobRead, BlobWrite, Lease, QueueSend, Token};
    enumerate(Path::Event, &[ArmRead, ArmWrite, BlobRead, BlobWrite, Lease, QueueSend, Token]);
}

#[test]
fn killed_at_any_call_of_a_sweep_there_is_one_point_and_a_whole_ledger() {
    use Kind::{ArmQuery, ArmRead, ArmWrite, BlobRead, BlobWrite, Lease, QueueSend, Token};
    enumerate(Path::Sweep, &[ArmRead, ArmWrite, ArmQuery, BlobRead, BlobWrite, Lease, QueueSend, Token]);
}

fn enumerate(path: Path, kinds: &[Kind]) {
    let calls = run(undisturbed(path));
    let points: Vec<(usize, Fate)> =
        (0..calls.len()).flat_map(|number| [(number, Fate::DieBefore), (number, Fate::DieAfter)]).collect();
    let results = run_all(&points, |&(number, fate)| run(killed(path, number, fate, &calls)));
    let mut hits: BTreeMap<(Kind, Fate), usize> = BTreeMap::new();
    let mut failures = Vec::new();
    for ((number, fate), result) in points.iter().zip(results) {
        let call = &calls[*number];
        *hits.entry((kind(call), *fate)).or_default() += 1;
        let result = result.unwrap_or_else(Err);
        if let Err(why) = result {
            failures.push(format!("call {number} ({} {}{}), {fate:?}: {why}", call.method, call.path, query(call)));
        }
    }
    println!("{path:?}: {} calls, {} kills", calls.len(), points.len());
    for ((kind, fate), count) in &hits {
        println!("  {kind:?} {fate:?}: {count}");
    }
    for kind in kinds {
        for fate in [Fate::DieBefore, Fate::DieAfter] {
            assert!(hits.contains_key(&(*kind, fate)), "{path:?}: never killed at {kind:?} {fate:?}");
        }
    }
    assert!(
        failures.is_empty(),
        "{path:?}: {} of {} kills went wrong:\n{}",
        failures.len(),
        points.len(),
        failures.join("\n")
    );
}

/// One creation that nobody disturbs: its calls.
async fn undisturbed(path: Path) -> Vec<Call> {
    let rig = begin(path).await;
    match path {
        Path::Event => assert!(rig.settle(TWO_SWEEPS).await, "the creation settles"),
        Path::Sweep => rig.run(TWO_SWEEPS).await,
    }
    if let Err(why) = check(&rig, 0) {
        panic!("left alone, all should be well, but {why}\n{}\n{}", rig.errors().join("\n"), refused(&rig));
    }
    rig.wire.calls()
}

/// One creation with one kill.
async fn killed(path: Path, number: usize, fate: Fate, expected: &[Call]) -> Result<(), String> {
    let rig = begin(path).await;
    let same = expected[number].clone();
    rig.wire.decide(Box::new(move |call| {
        if call.number != number {
            return Fate::Live;
        }
        let alike = (call.service, &call.method, &call.path) == (same.service, &same.method, &same.path);
        assert!(alike, "call {number} is {} {}, another one than without the kill", call.method, call.path);
        fate
    }));
    rig.run(AFTERWARDS).await;
    check(&rig, 1)
}

async fn begin(path: Path) -> Rig {
    let rig = Rig::new(1).await;
    if path == Path::Sweep {
        rig.azure.events.order(EventOrder::machine_write(EventEffect::Drop));
    }
    rig.azure.arm.create_machine(&Azure::seed("web-1")).expect("the machine is created");
    rig
}

/// What must hold at the end.
fn check(rig: &Rig, deaths: usize) -> Result<(), String> {
    let machine = rig.azure.machine("web-1").ok_or("the machine is gone")?;
    let points = rig.azure.points("web-1");
    let states: Vec<&str> = points.iter().map(|point| point.state.as_str()).collect();
    let counts = rig.bus.counts(QUEUE);
    let ledgers = rig.read_ledgers()?;
    let ensure = |holds: bool, what: String| if holds { Ok(()) } else { Err(what) };
    ensure(rig.wire.deaths() == deaths, format!("{} deaths", rig.wire.deaths()))?;
    ensure(states == ["Succeeded"], format!("points: {states:?}"))?;
    ensure(points[0].vm_id == machine.vm_id, "the point is of another machine".to_owned())?;
    ensure(rig.azure.arm.collections().len() == 1, "there is not one collection".to_owned())?;
    ensure(counts.dead == 0, format!("dead letters: {:?}", rig.bus.dead_letters(QUEUE)))?;
    ensure(counts.active + counts.scheduled + counts.locked == 0, format!("the queue is not empty: {counts:?}"))?;
    ensure(ledgers.len() == 1, format!("{} ledgers", ledgers.len()))?;
    let ledger = &ledgers[0];
    let decided = ledger.decided(&points[0].name, points[0].time_created);
    ensure(decided, "the point was begun before anybody had written down that it was decided".to_owned())?;
    ensure(ledger.unanswered().is_empty(), format!("effects without an outcome: {:?}", ledger.unanswered()))?;
    ensure(ledger.verified() == 1, format!("the point was verified {} times", ledger.verified()))?;
    ensure(ledger.sealed, "the head that is kept apart is behind the last entry".to_owned())
}

fn kind(call: &Call) -> Kind {
    use lifeboat_tests::tap::Service;
    match call.service {
        Service::Identity => Kind::Token,
        Service::Bus => Kind::QueueSend,
        Service::Blobs if call.query.contains("comp=lease") => Kind::Lease,
        Service::Blobs if call.writes() => Kind::BlobWrite,
        Service::Blobs => Kind::BlobRead,
        Service::Arm if call.method == "POST" => Kind::ArmQuery,
        Service::Arm if call.writes() => Kind::ArmWrite,
        Service::Arm => Kind::ArmRead,
    }
}

fn refused(rig: &Rig) -> String {
    let calls = rig.wire.calls().into_iter().filter(|call| call.status.is_none_or(|status| status >= 400));
    calls
        .map(|call| format!("{} {} {} {:?} {:?}\n", call.at, call.method, call.path, call.status, call.refusal))
        .collect()
}

fn query(call: &Call) -> String {
    if call.query.is_empty() { String::new() } else { format!("?{}", call.query) }
}
