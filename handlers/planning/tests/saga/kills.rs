//! Kills a saga at every point where it can be killed: before and after each save, call and answer.
//! It knows no saga. What was about to be sent is lost in one pass, and sent late in another.

use std::collections::BTreeMap;

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
    let mut whole = begun();
    whole.run();
    assert!(whole.saga.ended(), "{}", whole.saga.to_text());
    for at in 1..=whole.points.len() {
        let mut driver = begun();
        driver.kill_at = Some(at);
        driver.run();
        let kind = driver.points[at - 1];
        assert_eq!(driver.saga.progress.phase, whole.saga.progress.phase, "killed {kind}, at point {at}");
        assert_eq!(driver.world.state(), whole.world.state(), "killed {kind}, at point {at}");
        *count.entry(kind).or_default() += 1;
    }
}
