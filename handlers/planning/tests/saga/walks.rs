//! Walks a saga at random through a world where anything happens at any time, with people who order and answer anything.
//! It knows no saga. The world says what must never be; here it is only asked whether the saga ends or asks.

use std::rc::Rc;

use lifeboat_planning::saga::{Choice, Phase, Way, What};

use crate::harness::{Driver, Fault, Planted, World, goes_on, silent};

/// Moves during which nothing happens: so that walks begin anywhere in a saga's life.
const CALM_MOVES: usize = 400;
/// Moves during which anything happens.
const WILD_MOVES: usize = 700;

/// How many more questions a person answers once all is well: who went on without something may be asked about it for ever.
const QUESTIONS_MAX: u32 = 12;

/// A generator of numbers that a seed gives again (SplitMix64).
#[derive(Clone)]
pub struct Dice(pub u64);

impl Dice {
    /// The next number.
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of so many.
    pub fn of(&mut self, sides: usize) -> usize {
        usize::try_from(self.throw() % sides as u64).expect("small")
    }
}

/// Which ends were reached.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Clone)]
pub struct Reached(pub String);

/// One walk. Afterwards all is put right, and a person answers: the saga must end, or stand at a question.
pub fn walk<W: World>(world: W, seed: u64) -> Reached {
    let mut dice = Dice(seed);
    let mut driver = Driver::new(world);
    driver.late = true;
    for _ in 0..dice.of(CALM_MOVES) {
        if !driver.moves() {
            break;
        }
    }
    driver.person = Rc::new(silent);
    for _ in 0..WILD_MOVES {
        if driver.saga.ended() {
            break;
        }
        match dice.of(24) {
            0 => {
                let thrown = dice.throw();
                driver.world.happens(thrown, driver.now);
            }
            1 => plant(&mut driver, &mut dice),
            2 if dice.of(3) == 0 => driver.dies(None),
            3 if dice.of(12) == 0 => driver.feed(What::Abort { by: "ops".into() }),
            4 if dice.of(4) == 0 => driver.feed(What::Recovered),
            5 | 6 => answer(&mut driver, &mut dice),
            7 => {
                driver.kill_at = Some(driver.points.len() + 1 + dice.of(8));
            }
            _ => {
                if !driver.moves() {
                    answer(&mut driver, &mut dice);
                }
            }
        }
    }
    driver.planted.clear();
    driver.kill_at = None;
    driver.world.heal(driver.now);
    let patience = driver.saga.progress.questions + QUESTIONS_MAX;
    driver.person = Rc::new(move |question| (question.number < patience).then(|| goes_on(question)).flatten());
    driver.run();
    assert!(driver.saga.ended() || driver.saga.questions().count() > 0, "seed {seed}: {}", driver.saga.to_text());
    Reached(match &driver.saga.progress.phase {
        Phase::Ended(end) => end.to_string(),
        Phase::Forward | Phase::Undoing(..) => "asks".into(),
    })
}

/// Answers a question that stands with any of its choices, or one that does not stand.
fn answer<W: World>(driver: &mut Driver<W>, dice: &mut Dice) {
    let standing: Vec<_> = driver.saga.questions().cloned().collect();
    let question = match standing.get(dice.of(standing.len() + 1)) {
        Some(question) => (question.number, question.choices[dice.of(question.choices.len())]),
        None => (u32::try_from(dice.of(9)).expect("small"), Choice::ALL[dice.of(Choice::ALL.len())]),
    };
    let thrown = dice.throw();
    let pick = (dice.of(5) > 0).then(|| driver.world.pick(thrown));
    driver.feed(What::Answer { question: question.0, choice: question.1, pick, by: "ops".into() });
}

/// Plants a fault in a task of the table.
fn plant<W: World>(driver: &mut Driver<W>, dice: &mut Dice) {
    let table = lifeboat_planning::saga::Runbook::lanes(&driver.saga.runbook);
    let steps: Vec<_> = table.iter().flat_map(|lane| &lane.steps).collect();
    let step = steps[dice.of(steps.len())];
    let tasks: Vec<_> = step.work().into_iter().flat_map(|work| &work.tasks).collect();
    if tasks.is_empty() {
        return;
    }
    let all = [Fault::Refused, Fault::Blind, Fault::Lies, Fault::AnswerLost, Fault::Lost, Fault::NotNow];
    let way = if dice.of(5) == 0 { Way::Back } else { Way::Forward };
    let (task, fault) = (tasks[dice.of(tasks.len())].key.clone(), all[dice.of(all.len())]);
    let times = 1 + u32::try_from(dice.of(5)).expect("small");
    driver.planted.push(Planted { step: step.name.clone(), task, way, fault, times });
}
