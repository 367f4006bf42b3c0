//! Sagas in small worlds: the trio over every step table, kills at every point, walks at random, and what the engine promises.
//! The harness (`harness`, `trio`, `kills`, `walks`) knows no saga; `trial` and `region` are the worlds.

mod engine;
mod failover;
mod fences;
mod harness;
mod judged;
mod kills;
mod orders;
mod region;
mod trial;
mod trio;
mod walks;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use lifeboat_planning::saga::Way;
use lifeboat_planning::saga::failover::{FailoverOrder, PointChoice};

use harness::{Fault, Planted, World};
use kills::{Count, killed_everywhere};
use orders::{lone, shop};
use region::Regions;
use trial::Switches;

/// How many walks: each is a saga's whole life.
const SEEDS: u64 = 200;

fn worlds() -> [Regions; 5] {
    let all_is_there = Regions::new(shop());
    let one_was_down = Regions::new(shop()).stopped_before("db 2");
    let comes_back = Regions::new(shop()).lost_for(SignedDuration::from_mins(45));
    let another_point =
        Regions::new(FailoverOrder { point: PointChoice::ApplicationConsistent, ..shop() }).with_another_point();
    [all_is_there, one_was_down, Regions::new(lone()), comes_back, another_point]
}

fn trio<W: World>(world: &W) {
    trio::names_are_stable(world);
    let repeated = trio::each_step_repeated(world);
    let (undone, asked) = trio::each_step_failed(world);
    let undos = trio::each_undo_repeated(world);
    println!("{repeated} steps repeated, {undone} failures undone, {asked} asked, {undos} undos repeated");
    assert!(repeated > 0 && undone > 0 && asked > 0 && undos > 0);
}

#[test]
fn the_trial_stands_the_trio() {
    trio(&Switches::default());
}

#[test]
fn the_failover_stands_the_trio_in_every_shape() {
    worlds().iter().for_each(trio);
}

/// Runs that nobody kills, each with faults that send it through other states.
fn faults() -> Vec<Vec<Planted>> {
    let planted = |step: &str, task: &str, fault, times| {
        vec![Planted { step: step.into(), task: task.into(), way: Way::Forward, fault, times }]
    };
    vec![
        Vec::new(),
        planted("fence", "db-1", Fault::AnswerLost, 1),
        planted("fence", "db 2", Fault::Refused, 1),
        planted("group data: fail over", "db 2", Fault::AnswerLost, 1),
        planted("group data: fail over", "db 2", Fault::Lost, 2),
        planted("newest points", "web-1", Fault::Blind, u32::MAX),
    ]
}

fn shown(count: &Count) {
    println!("killed: {count:?}");
    let kinds = ["before the save", "after the save", "before the call", "after the call", "after the answer"];
    for kind in kinds {
        assert!(count.get(kind).is_some_and(|count| *count > 0), "never killed {kind}");
    }
}

#[test]
fn a_trial_that_is_killed_anywhere_ends_as_if_it_had_not_been() {
    let mut count = Count::new();
    for late in [false, true] {
        killed_everywhere(&Switches::default(), &[], late, &mut count);
    }
    shown(&count);
}

#[test]
fn a_failover_that_is_killed_anywhere_ends_as_if_it_had_not_been() {
    let mut count = Count::new();
    for planted in faults() {
        killed_everywhere(&Regions::new(shop()), &planted, false, &mut count);
    }
    let another_point = worlds().into_iter().next_back().expect("one");
    killed_everywhere(&another_point, &[], false, &mut count);
    shown(&count);
}

#[test]
fn what_a_killed_failover_was_about_to_send_may_arrive_late() {
    let mut count = Count::new();
    killed_everywhere(&Regions::new(shop()), &[], true, &mut count);
    shown(&count);
}

#[test]
fn whatever_happens_a_failover_ends_or_asks_and_breaks_nothing() {
    let mut reached = BTreeMap::new();
    for seed in 0..SEEDS {
        let worlds = worlds();
        let world = worlds[usize::try_from(seed % 5).expect("small")].clone();
        let world = if seed % 8 < 3 { world.lost() } else { world };
        *reached.entry(walks::walk(world, seed)).or_insert(0) += 1;
    }
    println!("{SEEDS} walks: {reached:?}");
    assert!(reached.len() >= 3, "the walks reach too few ends: {reached:?}");
}

#[test]
fn whatever_happens_a_trial_ends_or_asks() {
    for seed in 0..SEEDS {
        walks::walk(Switches::default(), seed);
    }
}
