//! Questions to people: when one is put, what it says, when it is repeated.
//! It never answers one.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write as _;
use jiff::Timestamp;

use super::event::{Notice, Way};
use super::progress::{At, Phase, Question};
use super::run::Run;
use super::table::{Asked, Patience, Runbook, Step, Work, find};
use super::words::{Ask, Choice, State, Why};
use super::{REMIND_SECS, later, seconds};

impl<R: Runbook> Run<R> {
    /// Puts a question in a lane, in place of one that stands.
    pub(super) fn put(&mut self, lane: usize, step: &str, ask: Ask, words: String, choices: Vec<Choice>, blocks: bool) {
        self.withdraw(lane);
        self.saga.progress.questions += 1;
        let number = self.saga.progress.questions;
        let remind_at = later(self.now, seconds(REMIND_SECS));
        let question = Question { number, step: step.to_string(), ask, words, choices, blocks, remind_at };
        self.saga.progress.lanes[lane].question = Some(question.clone());
        self.tell(Notice::Asked(question));
    }

    /// Takes back the question of a lane.
    pub(super) fn withdraw(&mut self, lane: usize) {
        if let Some(question) = self.saga.progress.lanes[lane].question.take() {
            self.tell(Notice::Withdrawn(question.number));
        }
    }

    /// Puts the table's own question. It is the lane's only move.
    pub(super) fn put_asked(&mut self, lane: usize, step: &str, asked: &Asked) -> bool {
        let mut choices = asked.choices.clone();
        let passed = self.passed();
        choices.retain(|choice| match choice {
            Choice::Undo => !passed,
            Choice::AnotherPoint | Choice::FailBack => passed,
            Choice::GoOn | Choice::Again | Choice::End => true,
        });
        self.put(lane, step, asked.ask, asked.words.clone(), choices, true);
        false
    }

    /// Asks whether to go on though the region came back.
    pub(super) fn put_recovered(&mut self, step: &str) {
        self.put(0, step, Ask::Recovered, String::new(), vec![Choice::GoOn, Choice::Undo], true);
    }

    /// What a failed step comes to: undoing before the point of no return, else a question. True when the saga turned round.
    pub(super) fn step_failed(&mut self, lane: usize, step: &Step<R>, work: &Work<R>) -> bool {
        let words = self.failures(Way::Forward, &step.name);
        if lane > 0 || self.passed() {
            self.put(lane, &step.name, Ask::Failed, words, work.choices.clone(), true);
            return false;
        }
        let whys = self.whys(Way::Forward, &step.name);
        match &work.asks {
            Some((kinds, ask)) if whys.iter().all(|why| kinds.contains(&why.kind)) => {
                self.put(lane, &step.name, *ask, words, vec![Choice::GoOn, Choice::Again, Choice::Undo], true);
                false
            }
            _ => {
                let why = whys.into_iter().next().unwrap_or_else(|| super::WhyKind::AttemptsUsedUp.into());
                self.begin_undo(why);
                true
            }
        }
    }

    /// Asks about a watch that has gone on for long, while it goes on.
    pub(super) fn asks_meanwhile(&mut self, lane: usize, step: &str, work: &Work<R>, began_at: Timestamp) -> bool {
        if let Patience::Watches(after, ask) = work.patience
            && self.saga.progress.lanes[lane].question.is_none()
            && self.now >= later(began_at, after)
        {
            self.put(lane, step, ask, String::new(), vec![Choice::End], false);
        }
        false
    }

    /// Waits for the steps that a step needs. Where one is over without having been done, that would be for ever: a person is told.
    pub(super) fn asks_about_needs(&mut self, lane: usize, step: &Step<R>) -> bool {
        let missing = step.needs.iter().find(|need| self.is_over(need) && !self.is_done(need)).cloned();
        if let Some(missing) = missing {
            self.put(lane, &step.name, Ask::NeedMissing, missing, vec![Choice::End], true);
        }
        false
    }

    /// Why tasks of a step failed, in the tasks' order.
    fn whys(&self, way: Way, step: &str) -> Vec<Why> {
        let step = self.saga.progress.steps.get(&(way, step.to_string()));
        let failed = step.into_iter().flat_map(|step| step.tasks.values()).filter(|task| task.state == State::Failed);
        failed.filter_map(|task| task.why.clone()).collect()
    }

    /// The same as words.
    pub(super) fn failures(&self, way: Way, step: &str) -> String {
        let mut words = String::new();
        let step = self.saga.progress.steps.get(&(way, step.to_string()));
        for (key, task) in step.into_iter().flat_map(|step| &step.tasks) {
            if let (State::Failed, Some(why)) = (task.state, &task.why) {
                let _ = write!(words, "{}{key}: {why}", if words.is_empty() { "" } else { "; " });
            }
        }
        words
    }

    /// Says again what stands open, daily.
    pub(super) fn remind(&mut self) {
        let (now, mut due) = (self.now, Vec::new());
        for question in self.saga.progress.lanes.iter_mut().filter_map(|lane| lane.question.as_mut()) {
            if now >= question.remind_at {
                question.remind_at = later(now, seconds(REMIND_SECS));
                due.push(question.clone());
            }
        }
        for question in due {
            self.tell(Notice::Reminded(question, now));
        }
    }

    /// True when the progress names steps that the table does not have: a person is asked, and nothing is done meanwhile.
    pub(super) fn asks_about_unknown_steps(&mut self) -> bool {
        let progress = &self.saga.progress;
        if matches!(progress.phase, Phase::Ended(_)) {
            return false;
        }
        let lanes = progress.lanes.iter().filter_map(|lane| match &lane.at {
            At::Step(name) => Some(name),
            At::Finished | At::Left => None,
        });
        let back = match &progress.phase {
            Phase::Undoing(_, name) => Some(name),
            Phase::Forward | Phase::Ended(_) => None,
        };
        let named = progress.steps.keys().map(|(_, name)| name).chain(lanes).chain(back);
        let unknown = named.into_iter().find(|name| find(&self.table, name).is_none()).cloned();
        let fits = progress.lanes.len() == self.table.len();
        let asked = progress
            .lanes
            .iter()
            .position(|lane| lane.question.as_ref().is_some_and(|question| question.ask == Ask::UnknownStep));
        match (unknown, asked) {
            (None, None) if fits => return false,
            (None, Some(lane)) if fits => {
                self.withdraw(lane);
                return false;
            }
            (_, Some(_)) => {}
            (name, None) => {
                let name = name.unwrap_or_default();
                self.put(0, &name, Ask::UnknownStep, name.clone(), vec![Choice::Again, Choice::End], true);
            }
        }
        true
    }
}
