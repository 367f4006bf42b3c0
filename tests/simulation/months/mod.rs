//! Months of an estate in virtual time: what people do, what goes wrong, where the handler dies, each with each; judged by a reference
//! model that was written by somebody who did not read the product. It never tells the model anything that the product said.
//!
//! LIFEBOAT_SEEDS=n runs so many seeds; LIFEBOAT_SEED=n runs that one and tells what happens; LIFEBOAT_TRIPLES=1 runs every
//! transition with every fault and every kill point.

mod acts;
mod calls;
mod calm;
mod cases;
mod play;
mod policies;
mod record;
mod tally;
mod thousand;
mod troubles;

use jiff::SignedDuration;
use lifeboat_tests::rig::SECOND;

use crate::seeds::asked;
use crate::virtual_time::{run, run_all};

use cases::{At, Fault, Stretch, Transition};
use play::{Play, Wanted};
use policies::Rhythm;
use tally::{Done, READ_OTHERWISE, Tally};

/// Seeds of an ordinary run: the pairs are met in them, each once and more.
const SEEDS: u64 = 200;
/// How often what chance left out is asked for again.
const ROUNDS_MORE_MAX: u64 = 12;
/// Stretches of a seed.
const STRETCHES: u64 = 3;

#[test]
fn over_months_of_faults_nothing_is_lost_that_should_stay_and_everything_due_is_done() {
    let only: Option<u64> = asked("LIFEBOAT_SEED");
    let triples = asked("LIFEBOAT_TRIPLES").is_some();
    let all = if triples { cases::stretches(true).div_ceil(STRETCHES) } else { SEEDS };
    let count = asked("LIFEBOAT_SEEDS").unwrap_or(all);
    let (mut tally, mut failures) = (Tally::default(), Vec::new());
    let mut play = |seeds: &[u64], tally: &mut Tally| {
        let results = run_all(seeds, |&seed| run(one(seed, triples, only.is_some())));
        for (seed, result) in seeds.iter().zip(results) {
            match result {
                Ok(done) => {
                    failures.extend(done.wrongs.iter().map(|wrong| format!("LIFEBOAT_SEED={seed}: {wrong}")));
                    tally.add(done);
                }
                Err(panic) => failures.push(format!("LIFEBOAT_SEED={seed}: {panic}")),
            }
        }
    };
    play(&only.map_or_else(|| (1..=count).collect::<Vec<u64>>(), |seed| vec![seed]), &mut tally);
    if only.is_none() && count >= all {
        // What chance left out is asked for again, by seeds of later rounds.
        let first = (count * STRETCHES).div_ceil(cases::stretches(triples));
        for round in first..first + ROUNDS_MORE_MAX {
            play(&seeds_with(&tally.left(triples), round, triples), &mut tally);
        }
    }
    tally.print();
    if only.is_none() {
        tally.left(triples).iter().for_each(|case| println!("  not met: {case:?}"));
    }
    assert!(
        failures.is_empty(),
        "{} wrongs; each runs again alone with its seed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    if only.is_none() && count >= all {
        tally.assert_all_met(triples);
    }
}

/// The seeds of a round in which one of these cases is played.
fn seeds_with(left: &[cases::Case], round: u64, triples: bool) -> Vec<u64> {
    let of_round = cases::stretches(triples);
    let numbers = (round * of_round..(round + 1) * of_round)
        .filter(|number| cases::stretch(*number, triples).cases().any(|case| left.contains(&case)));
    let seeds: std::collections::BTreeSet<u64> = numbers.map(|number| number / STRETCHES + 1).collect();
    seeds.into_iter().collect()
}

/// One seed.
async fn one(seed: u64, triples: bool, tell: bool) -> Done {
    let began = tally::spent();
    let numbers = (seed - 1) * STRETCHES..seed * STRETCHES;
    let stretches: Vec<Stretch> = numbers.map(|number| cases::stretch(number, triples)).collect();
    let mut play = Play::new(seed, Wanted::by(&stretches), tell).await;
    for stretch in &stretches {
        play.stretch(stretch).await;
    }
    finish(play, began, tell).await
}

/// The calm end of a seed, and what the model says of the whole.
async fn finish(mut play: Play, began: f64, tell: bool) -> Done {
    let epoch = play.rig.epoch;
    let calm_from = play.calm().await;
    play.check(calm_from);
    if tell {
        play.tell_all();
    }
    let Play { rig, record, mut wrongs, met, quiet, skipped, .. } = play;
    let (made, deleted, calls) = (record.made, record.deleted, rig.wire.count());
    let history = record.finish(&rig);
    if tell {
        for event in &history {
            println!("{} {:?}", jiff::Timestamp::from_second(event.at).expect("a time"), event.what);
        }
    }
    let mut otherwise = Vec::new();
    for wrong in crate::model::judge(&history, calm_from.as_second()) {
        match READ_OTHERWISE.iter().position(|(words, _)| wrong.contains(words)) {
            Some(place) => otherwise.push(place),
            None => wrongs.push(wrong),
        }
    }
    let days = rig.clock.now().duration_since(epoch).as_hours() / 24;
    drop(rig);
    Done { wrongs, met, quiet, skipped, made, deleted, calls, days, spent: tally::spent() - began, otherwise }
}

impl Play {
    /// A stretch of time around a slot in which something happens while something goes wrong.
    async fn stretch(&mut self, stretch: &Stretch) {
        let slot = self.next_slot();
        self.skip(slot - SignedDuration::from_mins(9)).await;
        if self.tell {
            println!("{} {stretch:?}", self.rig.clock.now());
        }
        let before = self.seen();
        let at_delete = stretch.kill.is_some_and(|kill| kill.at == At::ArmDelete);
        if at_delete {
            // Something must be due.
            self.tighten();
        }
        let late = |transition: Transition| transition.silences() || (at_delete && transition == Transition::Lock);
        let (loud, silent): (Vec<Transition>, Vec<Transition>) =
            stretch.transitions.iter().copied().partition(|transition| !late(*transition));
        self.trouble(stretch.fault, stretch.kill).await;
        for transition in loud {
            self.act(transition).await;
        }
        // What gives Lifeboat nothing to do is met by another machine that is written, or made.
        self.update();
        if matches!(stretch.fault, Some(Fault::PointsFail | Fault::ResetAfter)) {
            self.create("prod");
        }
        if stretch.needs_vault() {
            self.create("vault");
        }
        if stretch.needs_second() {
            self.create_in("prod", SECOND);
        }
        if self.rhythm == Rhythm::Hourly || !silent.is_empty() || self.dice.below(3) == 0 {
            self.sweep(slot, 20).await;
        }
        if at_delete {
            self.rest_of(slot).await;
        }
        for transition in silent {
            self.act(transition).await;
        }
        if at_delete {
            self.expire().await;
        } else {
            self.rest_of(slot).await;
        }
        let fault = stretch.fault.is_none_or(|fault| self.struck(fault, before));
        if fault && (stretch.kill.is_none() || self.died(before)) {
            // What cannot happen and is met beside what can is that one's doing.
            let explained = stretch.cases().any(|case| tally::cannot(&case).is_none());
            self.met.extend(stretch.cases().filter(|case| !explained || tally::cannot(case).is_none()));
        }
        self.mend(stretch.fault).await;
        for transition in &stretch.transitions {
            self.take_back(*transition).await;
        }
        self.expire().await;
    }

    fn tell_all(&self) {
        for call in self.rig.wire.calls().iter().filter(|call| {
            (call.writes() && call.service == lifeboat_tests::tap::Service::Arm)
                || call.status.is_none_or(|status| status >= 400 && status != 404)
        }) {
            println!(
                "{} {:?} {} {}?{} {:?} {:?}",
                call.at, call.service, call.method, call.path, call.query, call.status, call.refusal
            );
        }
        let mut kinds = std::collections::BTreeMap::new();
        for call in self.rig.wire.calls() {
            let path: Vec<&str> = call.path.split('/').filter(|part| !part.is_empty()).collect();
            let short = match call.service {
                lifeboat_tests::tap::Service::Blobs => path.get(1).copied().unwrap_or_default().to_owned(),
                _ => {
                    path.iter().rev().step_by(2).nth(1).copied().unwrap_or_default().to_owned()
                        + "/"
                        + path.iter().rev().nth(1).copied().unwrap_or_default()
                }
            };
            *kinds
                .entry(format!(
                    "{:?} {} {short} {}",
                    call.service,
                    call.method,
                    if call.query.contains("comp=lease") { "lease" } else { "" }
                ))
                .or_insert(0) += 1;
        }
        println!("KINDS");
        kinds.iter().for_each(|(kind, count)| println!("KIND {count} {kind}"));
        for error in self.rig.errors() {
            println!("{error}");
        }
        println!("{} calls, {} quiet sweeps, {} skipped", self.rig.wire.count(), self.quiet, self.skipped);
    }
}
