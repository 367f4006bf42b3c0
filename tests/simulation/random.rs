//! Random mixtures of what happens to an estate and of what goes wrong meanwhile; then the faults stop, time runs, and all must be well.
//! It never draws from anything but its seed: a failing seed is told, and fails again.

mod what;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use lifeboat_simulator::azure::blobs::{BlobFault, BlobFaultEffect};
use lifeboat_simulator::azure::{ArmFault, ArmFaultEffect, EventEffect, EventOrder};
use lifeboat_simulator::bus::{BusFault, BusFaultEffect};
use lifeboat_tests::Rig;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::policy::document;
use lifeboat_tests::rig::QUEUE;
use lifeboat_tests::tap::{Fate, Service};

use self::what::{TRANSITIONS, TROUBLES, Transition, Trouble};
use crate::reference;
use crate::seeds::{Dice, asked};
use crate::virtual_time::{run, run_all};

/// Seeds of an ordinary run: each trouble then strikes beside each transition several times.
const SEEDS: u64 = 200;
/// Seeds that once found a fault which is rare: they run every time.
const SEEDS_KEPT: [u64; 3] = [605, 610, 1735];
/// What happens to the estate in one run.
const STEPS: usize = 10;
/// Names of machines: few, so that they are made again.
const NAMES: usize = 4;
/// The longest pause between two steps, in seconds.
const PAUSE_SECS_MAX: u64 = 240;
/// How long the last looks and attempts may take: three attempts, the waits between them, the longest wait between looks.
const WORK_ENDS_WITHIN: Duration = Duration::from_secs(120 * 60);
/// Two sweeps.
const TWO_SWEEPS: Duration = Duration::from_secs(11 * 60);

/// How often each trouble struck beside each transition, and how it ended.
#[derive(Default)]
struct Tally {
    pairs: BTreeMap<(Transition, Trouble), usize>,
    protected: usize,
    used_up: usize,
}

#[test]
fn whatever_happens_each_new_machine_has_exactly_its_point_once_it_is_calm_again() {
    let only: Option<u64> = asked("LIFEBOAT_SEED");
    let count = asked("LIFEBOAT_SEEDS").unwrap_or(SEEDS);
    let kept = SEEDS_KEPT.into_iter().filter(|seed| *seed > count);
    let seeds: Vec<u64> = only.map_or_else(|| (1..=count).chain(kept).collect(), |seed| vec![seed]);
    let results = run_all(&seeds, |&seed| run(one(seed, only.is_some())));
    let (mut tally, mut failures) = (Tally::default(), Vec::new());
    for (seed, result) in seeds.iter().zip(results) {
        match result {
            Ok((found, wrongs)) => {
                tally.add(found);
                failures.extend(wrongs.into_iter().map(|wrong| format!("LIFEBOAT_SEED={seed}: {wrong}")));
            }
            Err(panic) => failures.push(format!("LIFEBOAT_SEED={seed}: {panic}")),
        }
    }
    println!("{} seeds: {} machines with their point, {} used up", seeds.len(), tally.protected, tally.used_up);
    for trouble in TROUBLES {
        let by: Vec<String> = TRANSITIONS.iter().map(|one| format!("{one:?} {}", tally.of(*one, trouble))).collect();
        println!("  {trouble:?} struck with {}", by.join(", "));
    }
    assert!(
        failures.is_empty(),
        "{} wrongs; each runs again alone with its seed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    if only.is_none() && count >= SEEDS {
        for trouble in TROUBLES {
            for transition in TRANSITIONS {
                assert!(tally.of(transition, trouble) > 0, "{transition:?} never met {trouble:?}");
            }
        }
        assert!(tally.protected > 0 && tally.used_up > 0, "both ends of an attempt are met");
    }
}

#[test]
fn the_same_seed_runs_the_same_way_again() {
    for seed in [11, 12] {
        let calls = || run(async { play(seed, false).await.rig.wire.calls() });
        let (one, other) = (calls(), calls());
        assert!(one.len() > 100, "seed {seed} makes calls");
        for (one, other) in one.iter().zip(&other) {
            assert_eq!(one, other, "seed {seed}");
        }
        assert_eq!(one.len(), other.len(), "seed {seed}");
    }
}

/// One seed: what was met, and what was wrong at the end.
async fn one(seed: u64, tell: bool) -> (Tally, Vec<String>) {
    let mut play = play(seed, tell).await;
    let mut names: Vec<String> = (0..NAMES).map(name).collect();
    names.extend(["old-1".to_owned(), "dev-1".to_owned()]);
    let wrongs = reference::wrongs(&play.rig, &names);
    for machine in play.rig.azure.machines().iter().filter(|machine| names[..NAMES].contains(&machine.name)) {
        let points = play.rig.azure.points(&machine.name);
        let protected = points.iter().any(|point| point.vm_id == machine.vm_id && point.state == "Succeeded");
        *(if protected { &mut play.tally.protected } else { &mut play.tally.used_up }) += 1;
    }
    if tell {
        play.tell_all();
    }
    (play.tally, wrongs)
}

/// Plays one seed to its calm end.
async fn play(seed: u64, tell: bool) -> Play {
    let mut play = Play { rig: Rig::new(seed).await, dice: Dice(seed), tally: Tally::default(), tell, lost: false };
    if seed.is_multiple_of(2) {
        play.rig.write_policy(&document("enforce", "1h"));
    }
    play.rig.azure.arm.add_machine(&old("old-1", &play.rig));
    play.rig.azure.arm.create_machine(&Azure::seed("dev-1").tag("env", "dev")).expect("a machine out of scope");
    for _ in 0..STEPS {
        play.step().await;
    }
    play.calm().await;
    play
}

#[derive(Clone, Copy)]
struct Seen {
    deaths: usize,
    wrong: usize,
    told: usize,
    points: u64,
}

struct Play {
    rig: Rig,
    dice: Dice,
    tally: Tally,
    tell: bool,
    lost: bool,
}

impl Play {
    async fn step(&mut self) {
        let transition = TRANSITIONS[self.dice.below(TRANSITIONS.len() as u64) as usize];
        let trouble = (self.dice.below(4) > 0).then(|| TROUBLES[self.dice.below(TROUBLES.len() as u64) as usize]);
        let name = name(self.dice.below(NAMES as u64) as usize);
        if self.tell {
            println!("{} {transition:?} {name}, {trouble:?}", self.rig.clock.now());
        }
        let at_once = match trouble {
            Some(trouble) => self.order(trouble).await,
            None => false,
        };
        let before = self.seen();
        self.change(transition, &name);
        if matches!(transition, Transition::Delete | Transition::Agent) && trouble.is_some() {
            // Neither gives Lifeboat anything to do: beside it another machine is written, which meets the trouble.
            self.change(Transition::Update, &self.other(&name));
        }
        let pause = self.dice.below(PAUSE_SECS_MAX);
        self.rig.run(Duration::from_secs(pause)).await;
        if let Some(trouble) = trouble.filter(|trouble| at_once || self.struck(*trouble, before)) {
            *self.tally.pairs.entry((transition, trouble)).or_default() += 1;
        }
        if self.lost && self.dice.below(2) == 0 {
            self.lost = false;
            self.rig.host_on().await;
        }
    }

    /// Another machine's name than this.
    fn other(&self, not: &str) -> String {
        (0..NAMES).map(name).find(|name| name != not).unwrap_or_default()
    }

    /// What tells whether a trouble struck.
    fn seen(&self) -> Seen {
        let events = self.rig.azure.events.events();
        Seen {
            deaths: self.rig.wire.deaths(),
            wrong: self.rig.wire.wrong(),
            told: events.iter().filter(|event| event.operation_name.ends_with("virtualMachines/write")).count(),
            points: self.rig.azure.arm.restore_points_created(),
        }
    }

    /// Whether a trouble that was ordered has struck since.
    fn struck(&self, trouble: Trouble, before: Seen) -> bool {
        let now = self.seen();
        match trouble {
            Trouble::EventDropped | Trouble::EventTwice | Trouble::EventLate | Trouble::EventOvertaken => {
                now.told > before.told
            }
            Trouble::KilledBefore | Trouble::KilledAfter | Trouble::KilledWithLease => now.deaths > before.deaths,
            Trouble::PointFails => now.points > before.points,
            Trouble::Killed | Trouble::HostLost => false,
            Trouble::Throttled
            | Trouble::ThrottledFor
            | Trouble::Error500
            | Trouble::ResetBefore
            | Trouble::ResetAfter
            | Trouble::StoreError
            | Trouble::StoreReset
            | Trouble::QueueError
            | Trouble::QueueReset => now.wrong > before.wrong,
        }
    }

    fn change(&mut self, transition: Transition, name: &str) {
        let (arm, id) = (&self.rig.azure.arm, Azure::id(name));
        let there = self.rig.azure.machine(name);
        match (transition, there) {
            (Transition::Create | Transition::Recreate | Transition::Update, None) => {
                let mut seed = Azure::seed(name);
                seed.agent_ready = self.dice.below(4) > 0;
                arm.create_machine(&seed).expect("a name that is free");
            }
            (Transition::Update | Transition::Create, Some(_)) => {
                let tags = serde_json::json!({ "env": "prod", "round": self.dice.below(100).to_string() });
                // A machine that is being deleted takes no change.
                let _refused = arm.tag_machine(&id, tags);
            }
            (Transition::Delete | Transition::Recreate, Some(_)) => {
                let _deleted_already = arm.delete_machine(&id);
            }
            (Transition::Agent, Some(machine)) => {
                arm.set_agent(&id, !machine.agent_ready);
            }
            (Transition::Delete | Transition::Agent, None) => {}
        }
    }

    /// Orders a trouble; says whether it struck at once.
    async fn order(&mut self, trouble: Trouble) -> bool {
        let times = 1 + u32::try_from(self.dice.below(6)).unwrap_or(0);
        let (arm, events) = (&self.rig.azure.arm, &self.rig.azure.events);
        match trouble {
            Trouble::EventDropped => events.order(EventOrder::machine_write(EventEffect::Drop)),
            Trouble::EventTwice => {
                events.order(EventOrder::machine_write(EventEffect::Duplicate { copies: 1 + times }))
            }
            Trouble::EventLate => events.order(EventOrder::machine_write(EventEffect::Delay { seconds: times * 300 })),
            Trouble::EventOvertaken => events.order(EventOrder::machine_write(EventEffect::Reorder)),
            Trouble::Killed => {
                self.rig.run(Duration::from_secs(u64::from(times))).await;
                return self.rig.kill_handler();
            }
            Trouble::KilledBefore => self.kill_at(Fate::DieBefore),
            Trouble::KilledAfter => self.kill_at(Fate::DieAfter),
            Trouble::KilledWithLease => self.kill_with_lease(),
            Trouble::Throttled => {
                arm.fault(ArmFault::new(ArmFaultEffect::TooManyRequests { retry_after_seconds: None }).times(times))
            }
            Trouble::ThrottledFor => {
                let effect = ArmFaultEffect::TooManyRequests { retry_after_seconds: Some(times * 20) };
                arm.fault(ArmFault::new(effect));
            }
            Trouble::Error500 => arm.fault(ArmFault::new(ArmFaultEffect::InternalServerError).times(times)),
            Trouble::ResetBefore => arm.fault(ArmFault::new(ArmFaultEffect::ResetBefore).times(times)),
            Trouble::ResetAfter => arm.fault(ArmFault::new(ArmFaultEffect::ResetAfter).on_method("PUT").times(times)),
            Trouble::PointFails => {
                let effect = ArmFaultEffect::OperationFails {
                    after_seconds: times * 60,
                    code: "VMRestorePointInternalError".to_owned(),
                };
                arm.fault(ArmFault::new(effect).on_method("PUT").on_path("/restorePoints/").times(times + 2));
            }
            Trouble::StoreError => self.rig.blobs.fault(BlobFault::new(BlobFaultEffect::InternalError).times(times)),
            Trouble::StoreReset => {
                let effect = if times % 2 == 0 { BlobFaultEffect::ResetAfter } else { BlobFaultEffect::ResetBefore };
                self.rig.blobs.fault(BlobFault::new(effect).after(times).times(times));
            }
            Trouble::QueueError => self.rig.bus.fault(BusFault::new(BusFaultEffect::ServerBusy).times(times)),
            Trouble::QueueReset => {
                let effect = if times % 2 == 0 { BusFaultEffect::ResetAfter } else { BusFaultEffect::ResetBefore };
                self.rig.bus.fault(BusFault::new(effect).times(times));
            }
            Trouble::HostLost => {
                let was_on = !std::mem::replace(&mut self.lost, true);
                self.rig.host_off(true).await;
                return was_on;
            }
        }
        false
    }

    /// The handler dies at one of its next calls.
    fn kill_at(&mut self, fate: Fate) {
        let at = self.rig.wire.count() + usize::try_from(self.dice.below(30)).unwrap_or(0);
        self.rig.wire.decide(Box::new(move |call| if call.number == at { fate } else { Fate::Live }));
    }

    /// The handler dies right after it was given a lease, which nobody releases.
    fn kill_with_lease(&self) {
        let mut done = false;
        self.rig.wire.decide(Box::new(move |call| {
            let lease = call.service == Service::Blobs && call.query.contains("comp=lease");
            if done || !lease {
                return Fate::Live;
            }
            done = true;
            Fate::DieAfter
        }));
    }

    /// Everything is mended, and time runs.
    async fn calm(&mut self) {
        self.rig.wire.stop_deciding();
        self.rig.azure.arm.clear_faults();
        self.rig.blobs.clear_faults();
        self.rig.bus.clear_faults();
        self.rig.azure.events.clear_orders();
        self.rig.host_on().await;
        // What the faults kept from the last sweep is found; then late events come, and the looks and attempts under way end.
        self.rig.run(TWO_SWEEPS).await;
        self.rig.settle(WORK_ENDS_WITHIN).await;
        // What a look left to the sweep is found by it, and by the next one what that came to.
        self.rig.run(TWO_SWEEPS).await;
        self.rig.settle(WORK_ENDS_WITHIN).await;
    }

    fn tell_all(&self) {
        for call in
            self.rig.wire.calls().iter().filter(|call| call.writes() || call.status.is_none_or(|status| status >= 400))
        {
            let look = call.sent.as_ref().map_or(String::new(), |sent| format!(" {sent}"));
            println!(
                "{} {:?} {} {}?{} {:?} {:?}{look}",
                call.at, call.service, call.method, call.path, call.query, call.status, call.refusal
            );
        }
        for error in self.rig.errors() {
            println!("{error}");
        }
        for dead in self.rig.bus.dead_letters(QUEUE) {
            println!("{dead:?}");
        }
        println!("{:#?}", self.rig.azure.machines());
        println!("{:#?}", self.rig.read_ledgers());
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        for (pair, count) in other.pairs {
            *self.pairs.entry(pair).or_default() += count;
        }
        self.protected += other.protected;
        self.used_up += other.used_up;
    }

    fn of(&self, transition: Transition, trouble: Trouble) -> usize {
        self.pairs.get(&(transition, trouble)).copied().unwrap_or(0)
    }
}

fn name(number: usize) -> String {
    format!("web-{number}")
}

/// A machine that is a month old.
fn old(name: &str, rig: &Rig) -> lifeboat_simulator::azure::MachineSeed {
    let mut seed = Azure::seed(name);
    seed.created_at = rig.epoch.checked_sub(SignedDuration::from_hours(30 * 24)).ok();
    seed
}
