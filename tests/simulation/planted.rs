//! Shows that the checks of the simulation can see: what is planted by hand is found, and a run is the same when it runs again.
//! It never plants anything through the product.

use std::time::Duration;

use lifeboat_tests::Rig;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::rig::CONTAINER;

use crate::reference::wrongs;
use crate::virtual_time::run;

/// Long enough for a creation, and short of the first sweep.
const SETTLES_WITHIN: Duration = Duration::from_secs(180);

/// A rig with one machine that has its point.
async fn protected() -> Rig {
    let rig = Rig::new(5).await;
    rig.azure.arm.create_machine(&Azure::seed("web-0")).expect("the machine is created");
    assert!(rig.settle(SETTLES_WITHIN).await);
    rig
}

fn found(rig: &Rig) -> Vec<String> {
    wrongs(rig, &["web-0".to_owned(), "web-1".to_owned()])
}

#[test]
fn what_is_planted_is_found() {
    let check = |what: &str, plant: fn(&Rig), expected: &str| {
        run(async {
            let rig = protected().await;
            assert_eq!(found(&rig), Vec::<String>::new(), "before {what}");
            plant(&rig);
            let wrongs = found(&rig);
            assert!(wrongs.iter().any(|wrong| wrong.contains(expected)), "{what}: {wrongs:?}");
        });
    };
    check(
        "a second point",
        |rig| {
            let collection = rig.azure.arm.collections().remove(0);
            rig.azure.arm.plant_point(&collection, "lb-first-oncreate-2-planted").expect("a point");
        },
        "stand side by side",
    );
    check(
        "a machine without a point",
        |rig| {
            rig.azure.arm.add_machine(&Azure::seed("web-1"));
        },
        "web-1 (created",
    );
    check("a ledger's last line cut off", |rig| rewrite(rig, |lines| drop(lines.pop())), "the end was cut off");
    check("a line of a ledger taken out", |rig| rewrite(rig, |lines| drop(lines.remove(1))), "there is a gap");
    check(
        "a word in a ledger changed",
        |rig| rewrite(rig, |lines| lines[0] = lines[0].replace("production", "generation")),
        "was edited",
    );
    check(
        "a message that nobody takes",
        |rig| {
            let later = rig.clock.now().checked_add(jiff::SignedDuration::from_hours(1)).ok();
            let message = lifeboat_simulator::bus::Message { scheduled_enqueue_time: later, ..Default::default() };
            rig.bus.send(lifeboat_tests::rig::QUEUE, message).expect("a message");
        },
        "the queue is not empty",
    );
}

/// Changes the lines of the only ledger behind everybody's back.
fn rewrite(rig: &Rig, change: fn(&mut Vec<String>)) {
    let name = rig.ledgers().remove(0).name;
    let text = rig.blobs.bytes(CONTAINER, &name).expect("a ledger");
    let mut lines: Vec<String> = String::from_utf8_lossy(&text).lines().map(|line| format!("{line}\n")).collect();
    change(&mut lines);
    rig.blobs.put(CONTAINER, &name, lines.concat());
}
