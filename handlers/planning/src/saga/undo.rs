//! Undoing: from the failed step back to the first, each step's tasks in reverse.
//! It never undoes anything past the point of no return; whoever calls it has asked.

use alloc::rc::Rc;
use alloc::string::ToString;
use alloc::vec;

use super::event::{Notice, Way};
use super::progress::{At, Phase};
use super::run::{Run, Tally};
use super::table::{Runbook, find};
use super::words::{Ask, Choice, End, Why};

impl<R: Runbook> Run<R> {
    /// Turns the saga round, at the step where its first lane stands: what failed there may have begun.
    pub(super) fn begin_undo(&mut self, why: Why) {
        self.withdraw(0);
        self.tell(Notice::Undoing(why.clone()));
        match self.saga.progress.lanes[0].at.clone() {
            At::Step(name) => self.saga.progress.phase = Phase::Undoing(why, name),
            // Past its last step everything was committed: there is no way back, and nobody comes here.
            At::Finished | At::Left => self.end(End::Left),
        }
    }

    /// Takes undoing further; true when it moved and may move again.
    pub(super) fn advance_undo(&mut self) -> bool {
        let Phase::Undoing(why, name) = self.saga.progress.phase.clone() else { return false };
        if self.saga.progress.lanes[0].question.is_some() {
            return false;
        }
        let table = Rc::clone(&self.table);
        let Some((lane, at, step)) = find(&table, &name) else { return false };
        let before = at.checked_sub(1).map(|at| table[lane].steps[at].name.clone());
        if let Some(work) = step.work() {
            match self.advance_work(Way::Back, step, work) {
                Tally::Going => return false,
                Tally::Failed => {
                    let words = self.failures(Way::Back, &name);
                    self.put(0, &name, Ask::UndoFailed, words, vec![Choice::Again, Choice::GoOn], true);
                    return false;
                }
                Tally::Over => {}
            }
            if work.tasks.iter().any(|task| task.undo.is_some()) {
                self.step_mut(Way::Back, &name).over = true;
                self.tell(Notice::StepUndone(name.to_string()));
            }
        }
        match before {
            Some(before) => self.saga.progress.phase = Phase::Undoing(why, before),
            None => self.end(End::Undone),
        }
        true
    }
}
