//! How long a saga takes from here to one of its steps: as a rule, and at most before a person is asked.
//! It never counts the time that people take to answer, and never what is done already.

use jiff::SignedDuration;

use super::Saga;
use super::event::Way;
use super::progress::Phase;
use super::table::{Does, Patience, Runbook, Step, Work};

/// How long it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Takes {
    /// As a rule: by what was recorded of each step.
    pub usually: SignedDuration,
    /// By the bounds of its steps: after this it is there, or a person was asked.
    pub at_most: SignedDuration,
    /// Questions on the way that people have to answer. Their time is not counted.
    pub questions: usize,
}

/// How long it takes until this step is over; none where it is over, where nobody goes there any more, or where there is no such step.
pub fn takes<R: Runbook>(saga: &Saga<R>, until: &str) -> Option<Takes> {
    if saga.progress.phase != Phase::Forward {
        return None;
    }
    let is_over = |step: &Step<R>| {
        let key = (Way::Forward, step.name.clone());
        saga.progress.steps.get(&key).is_some_and(|begun| begun.over)
    };
    let lanes = saga.runbook.lanes();
    let lane = lanes.iter().find(|lane| lane.steps.iter().any(|step| step.name == until))?;
    let to = lane.steps.iter().position(|step| step.name == until)?;
    let left = lane.steps.get(..=to)?.iter().filter(|step| !is_over(step));
    let each = left.map(of_step);
    each.reduce(|sum, step| Takes {
        usually: sum.usually.saturating_add(step.usually),
        at_most: sum.at_most.saturating_add(step.at_most),
        questions: sum.questions + step.questions,
    })
}

fn of_step<R: Runbook>(step: &Step<R>) -> Takes {
    match &step.does {
        Does::Wait(wait) => Takes { usually: *wait, at_most: *wait, questions: 0 },
        Does::Ask(asked) => Takes { questions: usize::from(asked.answered_by.is_none()), ..Takes::default() },
        Does::Work(work) => of_work(work),
    }
}

fn of_work<R: Runbook>(work: &Work<R>) -> Takes {
    let rounds = i32::try_from(work.tasks.len().div_ceil(work.at_once.max(1))).unwrap_or(i32::MAX);
    let bound = match work.patience {
        Patience::Fails(bound) | Patience::GivesUp(bound) | Patience::Watches(bound, _) => bound,
    };
    Takes { usually: seen_after(work).saturating_mul(rounds), at_most: bound.saturating_mul(rounds), questions: 0 }
}

/// When it is seen that a task is done: at the first look after. Where no source tells how long it takes: at the second look.
fn seen_after<R: Runbook>(work: &Work<R>) -> SignedDuration {
    let (every, usually) = (work.every.as_secs().max(1), work.usually.unwrap_or(work.every).as_secs());
    SignedDuration::from_secs((usually + every - 1) / every * every)
}
