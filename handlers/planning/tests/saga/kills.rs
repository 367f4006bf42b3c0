//! Kills a saga at every point where it can be killed: before and after each save, call and answer.
//! It knows no saga. What was about to be sent is lost in one pass, and sent late in another.

use std::collections::BTreeMap;

use lifeboat_planning::saga::{End, Phase};

use crate::harness::{Driver, Planted, World};

/// How often it was killed at each kind of point.
pub type Count = BTreeMap<&'static str, usize>;

/// Kills a run with these faults at every point of it: it must end as the run that nobody killed.
pub fn killed_everywhere<W: World>(world: &W, planted: &[Planted], late: bool, count: &mut Count) {
    let begun = || {
        let mut driver = Driver::new(world.clone());
        driver.planted = planted.to_vec();
        driver.late = late;
        driver
    };
    let mut clean = Driver::new(world.clone());
    clean.run();
    let mut whole = begun();
    let mut struck_at = 0;
    while whole.moves() {
        if whole.planted.iter().zip(planted).all(|(now, begun)| now.times == begun.times) {
            // Until a fault strikes it is the run without faults, which is killed by itself.
            struck_at = whole.points.len();
        }
    }
    let from = if planted.is_empty() { 1 } else { struck_at + 1 };
    assert!(whole.saga.ended(), "{}", whole.saga.to_text());
    // The run again, move by move; from before each move that has points, one run is killed at each of them.
    let mut before = begun();
    let mut passed = 0;
    for at in from..=whole.points.len() {
        while passed < at {
            let mut after = before.clone();
            after.moves();
            if after.points.len() >= at {
                break;
            }
            (passed, before) = (after.points.len(), after);
        }
        let mut driver = before.clone();
        driver.kill_at = Some(at);
        driver.run();
        let kind = driver.points[at - 1];
        // Where a refusal was lost with the one who heard it, the second attempt may succeed: then all is done.
        let wanted = match driver.saga.progress.phase {
            Phase::Ended(End::Done) => clean.world.state(),
            Phase::Ended(End::Undone) if !planted.is_empty() => world.state(),
            _ => panic!("killed {kind}, at point {at}: {}", driver.saga.to_text()),
        };
        assert_eq!(driver.world.state(), wanted, "killed {kind}, at point {at}");
        *count.entry(kind).or_default() += 1;
    }
}
