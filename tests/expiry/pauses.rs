//! A sweep that is held up at any of its calls to the store: a deletion rests on what was asked for ten seconds before it at the latest.
//! Incidents are among it: whoever was held up while one opened deletes nothing.

use jiff::SignedDuration;
use lifeboat_tests::failing_over::DOCUMENT;
use lifeboat_tests::rig::push;
use lifeboat_tests::tap::{Call, Fate, Service};

use crate::rests::{GRAPH_LAGS, machine, rig};
use crate::run;

/// Longer than what is read may be old at a deletion.
const HELD_UP_SECS: u32 = 12;
/// How old it may be.
const AGE_MAX: SignedDuration = SignedDuration::from_secs(10);

/// A sweep that has two points to delete, held up at one of its calls.
fn swept(held_up_at: Option<usize>) -> Vec<Call> {
    run(async {
        let keep = "      keep: { last: 1 }\n";
        let rig = rig(keep).await;
        // With a recovery plan in force an incident may open at any time.
        let policy = lifeboat_tests::policy::document("enforce", "24h") + keep;
        push(&rig.blobs, &[("production.yaml", &policy), ("shop.yaml", DOCUMENT)], rig.clock.now());
        machine(&rig, "web-1", &[3, 2, 1]);
        rig.run(GRAPH_LAGS).await;
        let from = rig.wire.count();
        if let Some(at) = held_up_at.map(|at| from + at) {
            rig.wire
                .decide(Box::new(move |call| if call.number == at { Fate::Slow(HELD_UP_SECS) } else { Fate::Live }));
        }
        rig.expire().await;
        rig.wire.calls_from(from)
    })
}

fn is_delete(call: &Call) -> bool {
    call.service == Service::Arm && call.method == "DELETE"
}

fn asks_for_incidents(call: &Call) -> bool {
    call.service == Service::Blobs && call.query.contains("declarations")
}

#[test]
fn a_sweep_that_is_held_up_anywhere_deletes_nothing_on_what_it_knew_before() {
    let clean = swept(None);
    assert_eq!(clean.iter().filter(|call| is_delete(call)).count(), 2, "it has something to delete");
    let places: Vec<usize> = (0..clean.len()).filter(|at| clean[*at].service == Service::Blobs).collect();
    let (mut held, mut deleted) = (0, 0);
    for place in places {
        let calls = swept(Some(place));
        for (at, call) in calls.iter().enumerate().filter(|(_, call)| is_delete(call)) {
            let asked = calls[..at].iter().rfind(|call| asks_for_incidents(call)).expect("it asks before");
            let age = call.at.duration_since(asked.at);
            assert!(age <= AGE_MAX, "held up at call {place} it deleted {age:#} after it had asked");
            deleted += 1;
        }
        held += 1;
    }
    println!("held up at {held} calls to the store; {deleted} deletions");
    assert!(held > 20 && deleted > 0);
}
