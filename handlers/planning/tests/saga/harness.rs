//! Runs any saga in any world that stands behind it: performs its effects, saves it as text, answers its questions, kills it.
//! It knows no saga: only step tables, looks, changes and what a world says of itself.

use std::collections::VecDeque;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::saga::{Choice, Effect, Event, Notice, Outcome, Question, Runbook, Saga, Tag, Way, What, step};

/// How many moves a run may take: many times what the longest one takes.
const MOVES_MAX: usize = 20_000;
/// How late a request may still be sent by somebody who was paused: the transport's latest moment.
const LATE_SECS: i64 = 10;

/// What a saga runs in. It interprets looks and changes as data, and says itself when something happened that never may.
pub trait World: Clone {
    /// What runs in it.
    type Book: Runbook;
    /// The saga, as ordered.
    fn book(&self) -> Self::Book;
    /// Answers a look; none when it cannot be answered.
    fn see(&mut self, look: &<Self::Book as Runbook>::Look, now: Timestamp) -> Option<<Self::Book as Runbook>::Facts>;
    /// Takes a change.
    fn send(&mut self, change: &<Self::Book as Runbook>::Change, now: Timestamp) -> Outcome;
    /// Hears what people are told.
    fn hear(&mut self, notice: &Notice);
    /// Has something happen, of its own kinds, by a throw of dice.
    fn happens(&mut self, dice: u64, now: Timestamp);
    /// Puts right whatever is out of order.
    fn heal(&mut self, now: Timestamp);
    /// What a person picks, by a throw of dice.
    fn pick(&self, dice: u64) -> <Self::Book as Runbook>::Pick;
    /// All that counts of it, as text.
    fn state(&self) -> String;
    /// What happened that never may.
    fn broken(&self) -> Option<String>;
}

/// What goes wrong with one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its change is refused for good.
    Refused,
    /// Its looks are not answered.
    Blind,
    /// Its change is accepted and nothing happens.
    Lies,
    /// Its change happens and the answer is lost.
    AnswerLost,
    /// Its change is lost on its way.
    Lost,
    /// Its change is not taken for now.
    NotNow,
}

/// A fault, and what of.
#[derive(Clone, Debug)]
pub struct Planted {
    pub step: String,
    pub task: String,
    pub way: Way,
    pub fault: Fault,
    /// How often it strikes.
    pub times: u32,
}

/// How a person answers.
pub type Person = Rc<dyn Fn(&Question) -> Option<Choice>>;

/// A saga at work in a world.
#[derive(Clone)]
pub struct Driver<W: World> {
    pub world: W,
    pub saga: Saga<W::Book>,
    pub now: Timestamp,
    pub epoch: u64,
    pub planted: Vec<Planted>,
    pub person: Person,
    /// Whether time goes on while a question stands that nobody answers.
    pub patient: bool,
    /// At which point it is killed.
    pub kill_at: Option<usize>,
    /// Whether what it was about to send is still sent, late.
    pub late: bool,
    /// The points passed, with their kinds.
    pub points: Vec<&'static str>,
    pub told: Vec<Notice>,
    queue: VecDeque<Effect<W::Book>>,
    delayed: Option<(Effect<W::Book>, Timestamp)>,
    saved: Saga<W::Book>,
}

/// Answers what blocks with the first choice, and leaves a watch alone.
pub fn goes_on(question: &Question) -> Option<Choice> {
    question.blocks.then(|| question.choices[0])
}

/// Answers nothing.
pub fn silent(_: &Question) -> Option<Choice> {
    None
}

impl<W: World> Driver<W> {
    /// A saga that begins now.
    pub fn new(world: W) -> Self {
        let saga = Saga::new(world.book(), 1);
        let saved = saga.clone();
        let now: Timestamp = "2026-11-26T03:00:00Z".parse().expect("a moment");
        Self {
            world,
            saga,
            now,
            epoch: 1,
            planted: Vec::new(),
            person: Rc::new(goes_on),
            patient: false,
            kill_at: None,
            late: false,
            points: Vec::new(),
            told: Vec::new(),
            queue: VecDeque::new(),
            delayed: None,
            saved,
        }
    }

    /// Runs until it ends, or only waits for a person who says nothing.
    pub fn run(&mut self) {
        self.run_until(|_| false);
    }

    /// The same, or until this is so.
    pub fn run_until(&mut self, until: impl Fn(&Self) -> bool) {
        for _ in 0..MOVES_MAX {
            if until(self) || !self.moves() {
                return;
            }
        }
        panic!("it neither ends nor asks:\n{}", self.saga.to_text());
    }

    /// One move; false when there is none.
    pub fn moves(&mut self) -> bool {
        if let Some(broken) = self.world.broken() {
            panic!("{broken}\n{}\n{}", self.saga.to_text(), self.world.state());
        }
        if self.delayed.as_ref().is_some_and(|(_, due)| *due <= self.now || self.queue.is_empty()) {
            let (effect, _) = self.delayed.take().expect("one");
            self.performs_late(effect);
        } else if let Some(effect) = self.queue.pop_front() {
            self.performs(effect);
        } else if self.saga.ended() {
            return false;
        } else if let Some((question, choice)) = self.answers() {
            let pick = Some(self.world.pick(0));
            self.feed(What::Answer { question, choice, pick, by: "ops".into() });
        } else if let Some(at) = self.saga.look_again_at {
            if !self.patient && self.saga.questions().any(|question| question.blocks && question.remind_at <= at) {
                return false;
            }
            self.now = self.now.max(at);
            self.feed(What::Woken);
        } else if self.points.is_empty() {
            self.feed(What::Woken);
        } else {
            panic!("it waits for nothing and nobody:\n{}", self.saga.to_text());
        }
        true
    }

    fn answers(&self) -> Option<(u32, Choice)> {
        self.saga.questions().find_map(|question| Some((question.number, (self.person)(question)?)))
    }

    /// Brings an event, under the fencing number that holds.
    pub fn feed(&mut self, what: What<W::Book>) {
        let (saga, effects) = step(self.saga.clone(), Event { epoch: self.epoch, what }, self.now);
        if self.killed("before the save") {
            return self.dies(None);
        }
        self.saved = saga.clone();
        self.saga = saga;
        // What is told is saved with the saga.
        for effect in effects {
            match effect {
                Effect::Tell(notice) => {
                    self.world.hear(&notice);
                    self.told.push(notice);
                }
                effect => self.queue.push_back(effect),
            }
        }
        if self.killed("after the save") {
            self.dies(None);
        }
    }

    fn performs(&mut self, effect: Effect<W::Book>) {
        if self.killed("before the call") {
            return self.dies(Some(effect));
        }
        let Some(answer) = self.answer_of(effect) else { return };
        if self.killed("after the call") {
            return self.dies(None);
        }
        self.feed(answer);
        self.killed("after the answer").then(|| self.dies(None));
    }

    /// What somebody sends who was paused and has lost the lease: the world gets it, and the saga gets the answer under the old number.
    fn performs_late(&mut self, effect: Effect<W::Book>) {
        let Some(answer) = self.answer_of(effect) else { return };
        let before = self.saga.clone();
        let (after, effects) = step(before.clone(), Event { epoch: self.epoch - 1, what: answer }, self.now);
        assert!(effects.is_empty() && after == before, "a late answer changed the saga");
    }

    fn answer_of(&mut self, effect: Effect<W::Book>) -> Option<What<W::Book>> {
        match effect {
            Effect::Look(tag, look) => {
                let blind = self.strikes(&tag, &[Fault::Blind]).is_some();
                let facts = if blind { None } else { self.world.see(&look, self.now) };
                Some(match facts {
                    Some(facts) => What::Observed(tag, facts),
                    None => What::NotObserved(tag),
                })
            }
            Effect::Change(tag, change) => {
                let faults = [Fault::Refused, Fault::Lies, Fault::AnswerLost, Fault::Lost, Fault::NotNow];
                let outcome = match self.strikes(&tag, &faults) {
                    Some(Fault::Refused) => Outcome::Refused("Planted".into()),
                    Some(Fault::Lies) => Outcome::Accepted,
                    Some(Fault::Lost) => Outcome::NoAnswer,
                    Some(Fault::NotNow) => Outcome::NotNow(SignedDuration::from_secs(17)),
                    Some(Fault::AnswerLost) => {
                        self.world.send(&change, self.now);
                        Outcome::NoAnswer
                    }
                    Some(Fault::Blind) | None => self.world.send(&change, self.now),
                };
                Some(What::Answered(tag, outcome))
            }
            Effect::Tell(_) => None,
        }
    }

    fn strikes(&mut self, tag: &Tag, faults: &[Fault]) -> Option<Fault> {
        let planted = self.planted.iter_mut().find(|it| {
            it.times > 0
                && it.step == tag.step
                && it.task == tag.task
                && it.way == tag.way
                && faults.contains(&it.fault)
        })?;
        planted.times -= 1;
        Some(planted.fault)
    }

    fn killed(&mut self, kind: &'static str) -> bool {
        self.points.push(kind);
        self.kill_at == Some(self.points.len())
    }

    /// All that is in memory is gone; the next one reads what was saved, under a higher number.
    pub fn dies(&mut self, about_to_send: Option<Effect<W::Book>>) {
        self.queue.clear();
        if self.late {
            let due = self.now + SignedDuration::from_secs(LATE_SECS);
            self.delayed = about_to_send.map(|effect| (effect, due));
        }
        self.epoch += 1;
        // All that is saved is text.
        let text = self.saved.to_text();
        let read = Saga::from_text(self.world.book(), &text);
        self.saga = read.unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!((&self.saga.runbook, &self.saga.progress), (&self.saved.runbook, &self.saved.progress), "{text}");
        self.feed(What::Woken);
    }

    /// True when it told this step's end in this direction.
    pub fn over(&self, way: Way, name: &str) -> bool {
        self.told.iter().any(|notice| match (way, notice) {
            (Way::Forward, Notice::StepDone(step)) | (Way::Back, Notice::StepUndone(step)) => step == name,
            _ => false,
        })
    }
}

impl<W: World> Driver<W> {
    /// Goes on from what the saga was made to be by hand, as after a crash.
    pub fn dies_saved(&mut self) {
        self.saved = self.saga.clone();
        self.dies(None);
    }
}
