//! Two instances, and one of them stopped between its checks and the transport, at every call by which it would change something,
//! for a shorter time than the latest moment and for longer than its lease; meanwhile the other works on. Then it is let go.
//! It never asks the product what should be there: Azure must end as it does when nobody is stopped.
//!
//! ```text
//! stopped:  check ─┬─ transport ─► late: dropped by the latest moment, or
//! others:          └ lease runs out, look, sweep, expiry     harmless by a derived name, Azure's state, an ETag
//! ```

mod kinds;
mod scenes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lifeboat_execution::{Answer, NotDone};
use lifeboat_tests::Rig;
use lifeboat_tests::instance::{Instance, Place};
use lifeboat_tests::rig::QUEUE;
use lifeboat_tests::tap::Call;

use crate::azure_now::{self, azure_now};
use crate::virtual_time::{run, run_all};
use kinds::{KINDS, Kind};
use scenes::{SCENES, Scene};

/// Shorter than the latest moment of a request (ten seconds), whatever came between its check and the stop.
const SHORT: Duration = Duration::from_secs(5);
/// Longer than a lease (60 s), and than the others take to do the work.
const LONG: Duration = Duration::from_secs(180);
/// When the lease of the stopped one has run out.
const LEASE_RAN_OUT: Duration = Duration::from_secs(70);
/// How long an event takes that nobody disturbs, at most.
const DONE_WITHIN: Duration = Duration::from_secs(600);
/// Until everything that waits was looked at again.
const AFTERWARDS: Duration = Duration::from_secs(15 * 60);
/// Longer than Azure takes to delete a point.
const A_MINUTE: Duration = Duration::from_secs(60);
/// Longer than the wait before a second attempt at a deletion.
const BEFORE_THE_NEXT_ATTEMPT: Duration = Duration::from_secs(61 * 60);

/// How long it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pause {
    Short,
    Long,
}

/// One run.
#[derive(Clone, Copy, Debug)]
struct Stop {
    scene: usize,
    number: usize,
    place: Place,
    pause: Pause,
}

/// A scene without a stop.
struct Undisturbed {
    calls: Vec<Call>,
    azure: BTreeSet<String>,
}

#[test]
fn an_instance_that_is_stopped_before_any_change_and_goes_on_late_does_no_harm() {
    let undisturbed: Vec<Undisturbed> = SCENES.iter().map(|scene| run(left_alone(*scene))).collect();
    let stops = all_stops(&undisturbed);
    let results = run_all(&stops, |stop| run(stopped(stop, &undisturbed[stop.scene])));
    let mut met: BTreeMap<(Kind, Pause, Place), usize> = BTreeMap::new();
    let mut failures = Vec::new();
    for (stop, result) in stops.iter().zip(results) {
        let call = &undisturbed[stop.scene].calls[stop.number];
        let scene = SCENES[stop.scene];
        *met.entry((Kind::of(call, scene), stop.pause, stop.place)).or_default() += 1;
        if let Err(why) = result.unwrap_or_else(Err) {
            let Stop { number, place, pause, .. } = stop;
            failures
                .push(format!("{scene:?}, call {number} ({} {}), {place:?} {pause:?}: {why}", call.method, call.path));
        }
    }
    println!(
        "{} scenes, {} stops; of each: (after the answer that it rests on, at the transport)",
        SCENES.len(),
        stops.len()
    );
    for kind in KINDS {
        let count = |pause, place| met.get(&(kind, pause, place)).copied().unwrap_or_default();
        let counts =
            [Pause::Short, Pause::Long].map(|pause| (count(pause, Place::Answer), count(pause, Place::Transport)));
        println!("  {kind:?}: short {:?}, long {:?}", counts[0], counts[1]);
        let all = counts.iter().all(|(one, other)| *one > 0 && *other > 0);
        assert!(all, "{kind:?}: never stopped there");
    }
    assert!(failures.is_empty(), "{} of {} stops went wrong:\n{}", failures.len(), stops.len(), failures.join("\n"));
}

/// Stops at every change of Azure in each scene, and at each other kind of change in the first scene that has it; at entries of the
/// ledger also where something is deleted.
fn all_stops(undisturbed: &[Undisturbed]) -> Vec<Stop> {
    let (mut stops, mut met) = (Vec::new(), BTreeSet::new());
    for (scene, one) in undisturbed.iter().enumerate() {
        let mut new = BTreeSet::new();
        for call in one.calls.iter().filter(|call| kinds::changes(call) && call.number > 0) {
            let kind = Kind::of(call, SCENES[scene]);
            if kind.is_looked_at_again(SCENES[scene]) || !met.contains(&kind) {
                new.insert(kind);
                for place in [Place::Transport, Place::Answer] {
                    let stop = |pause| Stop { scene, number: call.number, place, pause };
                    stops.extend([Pause::Short, Pause::Long].map(stop));
                }
            }
        }
        met.extend(new);
    }
    stops
}

/// A scene that nobody disturbs: the calls of the instance, and what Azure has at the end.
async fn left_alone(scene: Scene) -> Undisturbed {
    let mut rig = scene.begin().await;
    let instance = Instance::beside(&rig);
    let done = tokio::time::timeout(DONE_WITHIN, instance.handle(scene.event(&rig))).await;
    if let Err(error) = done.expect("it ends").expect("it does not panic") {
        panic!("{scene:?}, left alone: {error}");
    }
    let calls = instance.wire.calls();
    afterwards(&mut rig, scene).await;
    well(&rig).unwrap_or_else(|why| panic!("{scene:?}, left alone: {why}"));
    Undisturbed { calls, azure: azure_now(&rig).await }
}

/// A scene with one stop.
async fn stopped(stop: &Stop, undisturbed: &Undisturbed) -> Result<(), String> {
    let scene = SCENES[stop.scene];
    let call = &undisturbed.calls[stop.number];
    let mut rig = scene.begin().await;
    let instance = Instance::beside(&rig);
    match stop.place {
        Place::Transport => instance.stops_at(stop.number, Place::Transport),
        // What it rests on was answered last.
        Place::Answer => instance.stops_at(stop.number - 1, Place::Answer),
    }
    let handled = instance.handle(scene.event(&rig));
    wait_for(|| instance.is_stopped()).await?;
    let before = rig.wire.count();
    match stop.pause {
        Pause::Short => {
            rig.host_on().await;
            rig.run(SHORT).await;
        }
        Pause::Long => {
            rig.run(LEASE_RAN_OUT).await;
            rig.host_on().await;
            scene.others(&rig).await;
            rig.run(LONG - LEASE_RAN_OUT).await;
        }
    }
    let others = rig.wire.calls_from(before);
    let left = instance.wire.count();
    instance.go_on();
    let answer = tokio::time::timeout(DONE_WITHIN, handled).await.map_err(|_| "it does not end".to_owned())?;
    let answer = answer.map_err(|error| error.to_string())?;
    let late = instance.wire.calls_from(left);
    if stop.pause == Pause::Long {
        kinds::was_harmless(scene, stop.place, call, &late, &others)?;
    }
    afterwards(&mut rig, scene).await;
    well(&rig)?;
    same(scene, &answer, &undisturbed.azure, &azure_now(&rig).await)
}

async fn wait_for(there: impl Fn() -> bool) -> Result<(), String> {
    const STEP: Duration = Duration::from_millis(50);
    let ends = tokio::time::Instant::now() + DONE_WITHIN;
    while !there() {
        if tokio::time::Instant::now() > ends {
            return Err("the call at which it is stopped did not come".to_owned());
        }
        tokio::time::sleep(STEP).await;
    }
    Ok(())
}

/// The others go on until nothing is left to do.
async fn afterwards(rig: &mut Rig, scene: Scene) {
    rig.host_on().await;
    rig.run(AFTERWARDS).await;
    scene.others(rig).await;
    rig.run(AFTERWARDS).await;
    if scene.deletes() {
        rig.host_off(false).await;
        rig.run(BEFORE_THE_NEXT_ATTEMPT).await;
        rig.host_on().await;
        for _ in 0..2 {
            scene.others(rig).await;
            rig.run(A_MINUTE).await;
        }
    }
    rig.host_off(false).await;
}

/// What must hold at the end of each run, whatever was at work.
fn well(rig: &Rig) -> Result<(), String> {
    let ensure = |holds: bool, what: String| if holds { Ok(()) } else { Err(what) };
    for ledger in rig.read_ledgers()? {
        let open = ledger.unanswered();
        ensure(open.is_empty(), format!("{}: effects without an outcome: {open:?}", ledger.name))?;
        ensure(ledger.sealed, format!("{}: the head that is kept apart is not the last entry's", ledger.name))?;
    }
    let dead = rig.bus.counts(QUEUE).dead;
    ensure(dead == 0, format!("{dead} dead letters"))
}

/// Azure ends as it does when nobody is stopped. An order to hold that did not come through may leave its tag out, if it said so.
fn same(
    scene: Scene,
    answer: &Result<Answer, NotDone>,
    expected: &BTreeSet<String>,
    found: &BTreeSet<String>,
) -> Result<(), String> {
    let unheld = |lines: &BTreeSet<String>| -> BTreeSet<String> {
        lines.iter().map(|line| line.replace(azure_now::HELD, "")).collect()
    };
    let refused = scene == Scene::Hold && answer.is_err();
    if expected == found || (refused && unheld(expected) == unheld(found)) {
        return Ok(());
    }
    let missing: Vec<_> = expected.difference(found).collect();
    let more: Vec<_> = found.difference(expected).collect();
    Err(format!("Azure differs: missing {missing:?}, more {more:?}"))
}
