//! What was met over all seeds: places of the plan by stage of the world, and kills by place.
//! It never lets a combination go by that is neither met nor named among those that cannot happen.

use std::collections::BTreeMap;

use crate::cases::{ATS, Kill, Place, STAGES, Stage, kills, places};
use crate::foreseen;
use crate::played::Played;
use crate::seed::Done;

/// What was met.
#[derive(Default)]
pub struct Tally {
    seeds: usize,
    came: BTreeMap<(Place, Stage), usize>,
    struck: BTreeMap<Kill, usize>,
    failovers: [usize; 3],
    due: [usize; 2],
    played: Played,
    calls: usize,
    hours: i64,
    unforeseen: Vec<String>,
}

impl Tally {
    /// Adds what came of a seed.
    pub fn add(&mut self, seed: u64, done: &Done) {
        let stages = done.came.iter().map(|(case, _)| case).filter(|case| foreseen::stage(case.0, case.1).is_some());
        let kills = done.struck.iter().filter(|kill| foreseen::kill(**kill).is_some());
        let met = stages.map(|case| format!("{case:?}")).chain(kills.map(|kill| format!("{kill:?}")));
        self.unforeseen.extend(met.map(|case| format!("{case} in seed {seed}")));
        self.seeds += 1;
        self.calls += done.calls;
        self.played.add(&done.played);
        self.hours += done.seconds / 3_600;
        for (case, count) in &done.came {
            *self.came.entry(*case).or_default() += count;
        }
        for kill in &done.struck {
            *self.struck.entry(*kill).or_default() += 1;
        }
        self.due.iter_mut().zip(done.due).for_each(|(all, one)| *all += one);
        self.failovers.iter_mut().zip(done.failovers).for_each(|(all, one)| *all += one);
    }

    /// Failovers that were begun, that went through and that were undone.
    pub fn failovers(&self) -> [usize; 3] {
        self.failovers
    }

    /// How often a sweep ended that an incident kept from a point that is due, and points that were due and went.
    pub fn due(&self) -> [usize; 2] {
        self.due
    }

    /// What else was played.
    pub fn played(&self) -> &Played {
        &self.played
    }

    /// Prints the counts.
    pub fn print(&self) {
        let Self { seeds, calls, hours, failovers: [begun, done, undone], .. } = self;
        println!(
            "{seeds} seeds, {hours} hours, {calls} calls: {begun} failovers begun, {done} gone through, {undone} undone"
        );
        let [rested, went] = self.due;
        println!("{rested} times a sweep left what was due in an incident, and {went} points that were due went");
        println!("{}", self.played);
        for place in places() {
            let stages = STAGES.map(|stage| {
                let count = self.came.get(&(place, stage)).copied().unwrap_or(0);
                let cannot = if foreseen::stage(place, stage).is_some() { "-" } else { "" };
                format!("{stage:?} {count}{cannot}")
            });
            let kills = ATS.map(|at| {
                let [before, after] = [false, true].map(|after| {
                    let kill = Kill { place, at, after };
                    let count = self.struck.get(&kill).copied().unwrap_or(0);
                    format!("{count}{}", if foreseen::kill(kill).is_some() { "-" } else { "" })
                });
                format!("{at:?} {before}/{after}")
            });
            println!("  {place:?}: {}; killed before/after {}", stages.join(", "), kills.join(", "));
        }
    }

    /// What was met though it is named among what cannot be.
    pub fn unforeseen(&self) -> &[String] {
        &self.unforeseen
    }

    /// Kills that can happen and did not.
    pub fn kills_left(&self) -> Vec<Kill> {
        kills(places()).filter(|kill| !self.struck.contains_key(kill) && foreseen::kill(*kill).is_none()).collect()
    }

    /// Places in stages that can be come to and were not.
    pub fn stages_left(&self) -> Vec<(Place, Stage)> {
        let all = places().flat_map(|place| STAGES.map(|stage| (place, stage)));
        all.filter(|case| !self.came.contains_key(case) && foreseen::stage(case.0, case.1).is_none()).collect()
    }
}
