//! The handler is killed before and after every call of a creation that is told, one call a run: whatever happened is told, once by id.
//! It never kills at a call that it did not see in the run that is left alone.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lifeboat_tests::tap::{Call, Fate, Service};

use crate::{AFTERWARDS, announced, creating, run, told};

/// Threads that runs are spread over.
const THREADS: usize = 2;

#[test]
fn killed_at_any_call_of_a_creation_its_point_is_told_under_the_same_id() {
    let (calls, expected) = run(async {
        let rig = creating().await;
        assert!(rig.settle(Duration::from_secs(600)).await, "the creation settles");
        (rig.wire.calls(), told(&rig).into_keys().collect::<BTreeSet<String>>())
    });
    assert_eq!(expected.len(), 1, "a creation tells of its point alone");
    let tells =
        |call: &Call| call.path.contains("/api/events") || call.path.contains("outbox") || call.path.contains("told");
    let telling = calls.iter().filter(|call| tells(call)).count();
    assert!(telling >= 4, "announced, published, noted, taken out: {telling}");
    let kills: Vec<(usize, Fate)> =
        (0..calls.len()).flat_map(|number| [(number, Fate::DieBefore), (number, Fate::DieAfter)]).collect();
    let (next, faults) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(&(number, fate)) = kills.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = run(killed(number, fate, &calls[number], &expected)) {
                        let call = &calls[number];
                        let fault = format!("call {number} ({} {}), {fate:?}: {why}", call.method, call.path);
                        faults.lock().expect("nobody panics with it").push(fault);
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().expect("nobody panics with it");
    println!("{} calls, {telling} of them tell, {} kills", calls.len(), kills.len());
    assert!(faults.is_empty(), "{} of {} kills went wrong:\n{}", faults.len(), kills.len(), faults.join("\n"));
}

async fn killed(number: usize, fate: Fate, same: &Call, expected: &BTreeSet<String>) -> Result<(), String> {
    let rig = creating().await;
    let same: (Service, String, String) = (same.service, same.method.clone(), same.path.clone());
    rig.wire.decide(Box::new(move |call| {
        if call.number != number {
            return Fate::Live;
        }
        let alike = (call.service, &call.method, &call.path) == (same.0, &same.1, &same.2);
        assert!(alike, "call {number} is {} {}, another one than without the kill", call.method, call.path);
        fate
    }));
    rig.run(AFTERWARDS).await;
    let ensure = |holds: bool, what: String| if holds { Ok(()) } else { Err(what) };
    let (told, left) = (told(&rig).into_keys().collect::<BTreeSet<String>>(), announced(&rig));
    ensure(rig.wire.deaths() == 1, format!("{} deaths", rig.wire.deaths()))?;
    ensure(told == *expected, format!("told: {told:?}, not {expected:?}"))?;
    ensure(left.is_empty(), format!("announcements are left: {left:?}"))
}
