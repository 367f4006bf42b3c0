//! Runs seeds, each in a runtime and a time of its own, and says which went wrong and how to run it again.
//! It never hides a wrong.

use crate::dice::{Dice, asked};
use crate::seed::{drawn, play};

/// Seeds of an ordinary run.
const SEEDS: u64 = 200;

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

#[test]
fn in_disasters_every_promise_is_kept() {
    let only = asked("LIFEBOAT_SEED");
    let seeds: Vec<u64> =
        only.map_or_else(|| (1..=asked("LIFEBOAT_SEEDS").unwrap_or(SEEDS)).collect(), |seed| vec![seed]);
    let mut failures = Vec::new();
    let mut all = std::collections::BTreeMap::new();
    for seed in &seeds {
        let mut dice = Dice(*seed);
        let drawn = drawn(&mut dice);
        if only.is_some() {
            println!("{drawn:#?}");
        }
        let began = std::time::Instant::now();
        let done =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(play(*seed, drawn, dice, only.is_some())).0));
        match done {
            Ok(done) => {
                println!("seed {seed}: {:?} {} s, {:?}", done.failovers, done.seconds, began.elapsed());
                failures.extend(done.wrongs.iter().map(|wrong| format!("LIFEBOAT_SEED={seed}: {wrong}")));
                for (case, count) in done.came {
                    *all.entry(case).or_insert(0) += count;
                }
            }
            Err(_) => failures.push(format!("LIFEBOAT_SEED={seed}: it panicked")),
        }
    }
    println!("{all:?}");
    assert!(failures.is_empty(), "{} wrongs:\n{}", failures.len(), failures.join("\n"));
}
