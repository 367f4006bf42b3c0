//! What an answer means for the task that it answers.
//! It never begins anything new but the change of the task that was looked at, and takes no answer that is not awaited.

use alloc::rc::Rc;
use jiff::Timestamp;

use super::event::{Effect, Outcome, Tag, Way, What};
use super::progress::{Phase, TaskProgress};
use super::run::Run;
use super::table::{Lane, Patience, Runbook, Seen, Sent, Step, Task, find};
use super::words::{Begun, State, Why, WhyKind};
use super::{ATTEMPTS_MAX, FLIGHT_SECS_MAX, PAUSE_SECS_MAX, SETTLE_SECS, UNDO_SECS_MAX, later, seconds};

/// How often a task is looked at, or sent, before its time can have passed: one look after a long sleep says nothing of the time between.
const LOOKS_MIN: u32 = 3;

impl<R: Runbook> Run<R> {
    /// Takes an event in.
    pub(super) fn take(&mut self, what: What<R>) {
        match what {
            What::Woken => {}
            What::Observed(tag, facts) => self.observed(&tag, Some(&facts)),
            What::NotObserved(tag) => self.observed(&tag, None),
            What::Answered(tag, outcome) => self.answered(&tag, outcome),
            What::Abort { by } => self.abort(by),
            What::Answer { question, choice, pick, by } => self.answer(question, choice, pick.as_ref(), by),
            What::Recovered => self.recovered(),
        }
    }

    /// The task that awaits this tag in this state.
    fn awaited(&mut self, tag: &Tag, state: State) -> Option<&mut TaskProgress> {
        let forward = match self.saga.progress.phase {
            Phase::Forward => true,
            Phase::Undoing(..) => false,
            Phase::Ended(_) => return None,
        };
        if tag.epoch != self.saga.progress.epoch || (tag.way == Way::Forward) != forward {
            return None;
        }
        let task = self.saga.progress.steps.get_mut(&(tag.way, tag.step.clone()))?.tasks.get_mut(&tag.task)?;
        (task.state == state && task.number == tag.number).then_some(task)
    }

    fn answered(&mut self, tag: &Tag, outcome: Outcome) {
        let now = self.now;
        let every = find(&self.table, &tag.step).and_then(|(_, _, step)| step.work()).map(|work| work.every);
        let Some(task) = self.awaited(tag, State::Changing) else { return };
        task.state = State::Look;
        task.next_at = now;
        // Of a repeat a refusal says nothing about the attempts before it: the look does.
        let refused = if task.attempts > 1 { Begun::Perhaps } else { Begun::No };
        match outcome {
            Outcome::Accepted => {
                task.begun = Begun::Yes;
                task.next_at = every.map_or(now, |every| later(now, every));
            }
            Outcome::Refused(code) => {
                task.begun = refused;
                task.why = Some(Why::with(WhyKind::Refused, &code));
            }
            Outcome::NotNow(pause) => {
                task.begun = refused;
                // It was not sent, so it is no attempt; the step's time bounds how long this may go on.
                task.attempts = task.attempts.saturating_sub(1);
                task.next_at = later(now, pause.clamp(seconds(1), seconds(PAUSE_SECS_MAX)));
            }
            Outcome::NoAnswer => {}
        }
    }

    fn observed(&mut self, tag: &Tag, facts: Option<&R::Facts>) {
        let table = Rc::clone(&self.table);
        let Some((step, task)) = step_and_task(&table, tag) else { return };
        let Some(progress) = self.awaited(tag, State::Looking) else { return };
        let sent = Sent { attempts: progress.attempts, first_at: progress.first_sent };
        let look = match (tag.way, &task.undo) {
            (Way::Back, Some((look, _))) => look,
            _ => &task.look,
        };
        let now = self.now;
        let before = self.saga.runbook.clone();
        let seen = facts.map_or(Seen::Unknown, |facts| self.saga.runbook.judge(look, sent, facts, now));
        if self.saga.runbook != before {
            // What was learned may be in the changes that are still to be sent.
            self.relearn();
        }
        let patience = match (tag.way, task.within) {
            (Way::Back, _) => Patience::Fails(seconds(UNDO_SECS_MAX)),
            (Way::Forward, Some(within)) => Patience::Fails(within),
            (Way::Forward, None) => match step.work() {
                Some(work) => work.patience,
                None => return,
            },
        };
        self.settle(tag, step, (seen, patience));
    }

    /// What was seen, told to the task.
    fn settle(&mut self, tag: &Tag, step: &Step<R>, (seen, patience): (Seen, Patience)) {
        let (now, held) = (self.now, tag.way == Way::Forward && self.held(&step.name));
        let Some(work) = step.work() else { return };
        let Some(task) = self.awaited(tag, State::Looking) else { return };
        task.state = State::Look;
        task.next_at = later(now, work.every);
        match seen {
            Seen::Done => {
                (task.state, task.begun) = (State::Done, Begun::Yes);
                return;
            }
            Seen::Failed(why) => {
                (task.state, task.why) = (State::Failed, Some(why));
                return;
            }
            Seen::Going => task.begun = Begun::Yes,
            Seen::NotBegun => {
                let settles_at = task.last_sent.map_or(Timestamp::MIN, |sent| later(sent, seconds(SETTLE_SECS)));
                if task.begun != Begun::No && now < settles_at {
                    task.next_at = task.next_at.min(settles_at);
                } else {
                    task.begun = Begun::No;
                    // Past its time only what was never tried is still tried.
                    let tried = task.first_sent.is_some() && overdue(patience, task, now);
                    let at_most = if matches!(patience, Patience::Watches(..)) { u32::MAX } else { ATTEMPTS_MAX };
                    if self.send(tag, held || tried, at_most) {
                        return;
                    }
                }
            }
            Seen::Unknown => {}
        }
        let Some(task) = self.awaited_again(tag) else { return };
        if overdue(patience, task, now) {
            task.state = if matches!(patience, Patience::GivesUp(_)) { State::GivenUp } else { State::Failed };
            task.why = Some(WhyKind::BoundPassed.into());
        }
    }

    /// Sends the change of a task of which nothing has begun. True when it was sent, or when it has failed instead.
    fn send(&mut self, tag: &Tag, held: bool, at_most: u32) -> bool {
        let (now, epoch) = (self.now, self.saga.progress.epoch);
        // The table after what was just learned.
        let change = step_and_task(&self.table, tag).and_then(|(_, task)| match tag.way {
            Way::Forward => task.change.clone(),
            Way::Back => task.undo.as_ref().map(|(_, change)| change.clone()),
        });
        let Some(task) = self.awaited_again(tag) else { return false };
        let Some(change) = change else { return false };
        if let Some(why) = task.why.clone().filter(|why| why.kind == WhyKind::Refused) {
            (task.state, task.why) = (State::Failed, Some(why));
            return true;
        }
        if task.attempts >= at_most {
            (task.state, task.why) = (State::Failed, Some(WhyKind::AttemptsUsedUp.into()));
            return true;
        }
        if held {
            return false;
        }
        task.state = State::Changing;
        task.begun = Begun::Perhaps;
        task.attempts += 1;
        task.number += 1;
        task.first_sent = task.first_sent.or(Some(now));
        task.last_sent = Some(now);
        task.next_at = later(now, seconds(FLIGHT_SECS_MAX));
        let number = task.number;
        self.effects.push(Effect::Change(Tag { epoch, number, ..tag.clone() }, change));
        true
    }

    /// The task of a tag that was just awaited.
    fn awaited_again(&mut self, tag: &Tag) -> Option<&mut TaskProgress> {
        self.saga.progress.steps.get_mut(&(tag.way, tag.step.clone()))?.tasks.get_mut(&tag.task)
    }
}

/// True when a task's time has passed. Whoever overslept looks some times more before concluding that from one look.
fn overdue(patience: Patience, task: &TaskProgress, now: Timestamp) -> bool {
    match patience {
        Patience::Fails(bound) | Patience::GivesUp(bound) => {
            task.number >= LOOKS_MIN && now >= later(task.since, bound)
        }
        Patience::Watches(..) => false,
    }
}

fn step_and_task<'t, R: Runbook>(table: &'t [Lane<R>], tag: &Tag) -> Option<(&'t Step<R>, &'t Task<R>)> {
    let (_, _, step) = find(table, &tag.step)?;
    Some((step, step.work()?.tasks.iter().find(|task| task.key == tag.task)?))
}
