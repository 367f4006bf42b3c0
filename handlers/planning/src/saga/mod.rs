//! Decides the next move of a saga: an operation of several steps that must finish or undo. One engine for every step table.
//! It never waits, never performs and never asks a clock: what has happened comes in as an event, what is wanted goes out as effects.
//!
//! ```text
//!            all lanes over                     point of no return: from here a failure asks a person
//! Forward ───────────────────► Ended(Done)       │
//!    │ failure or Abort before it                ▼
//!    └──► Undoing, from the failed step back ──► Ended(Undone)        a person's "end" ──► Ended(Left)
//! ```
//! * A task looks before it changes anything, and what is there already is not done again: a step may be repeated at any time.
//! * The saga is to be saved before its effects are performed. An attempt is counted in what is saved, so that none is forgotten.
//! * Undoing begins *at* the failed step, so that an undo must be harmless when its step never happened.
//! * Nothing is undone, and nothing more is begun, while it is not known whether something that was sent was accepted.
//! * Every event has the fencing number of who brings it. A lower one than the saga's changes nothing; a higher one takes the saga over,
//!   and all that was in flight is looked at again.

mod event;
pub mod failover;

mod orders;
mod outcome;
mod print;
mod progress;
mod questions;
mod run;
mod table;
mod takes;
mod text;
mod undo;
mod words;

use alloc::rc::Rc;
use alloc::string::ToString;
use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};

pub use event::{Effect, Event, Notice, OrderRefused, Outcome, Tag, Way, What};
pub use print::print;
pub use progress::{At, Halt, LanePlace, Phase, Progress, Question, StepProgress, TaskProgress};
pub use table::{Asked, Does, Lane, Opens, Patience, Runbook, Seen, Sent, Step, Task, Work};
pub use takes::{Takes, takes};
pub use text::Unreadable;
pub use words::{Ask, Begun, Choice, End, State, Why, WhyKind};

/// How often a change is sent at most: one and two repeats; what fails three times wants a person. A watch has no such bound: a machine
/// that is to stand still is stopped whenever it is seen running.
pub const ATTEMPTS_MAX: u32 = 3;
/// How long after a change was sent without an answer what is seen says whether it was accepted: the latest moment of a request
/// (10 s), its time-out (30 s), and a minute for what Azure shows to catch up (*Assumed*: `failover-accepted-is-seen`).
pub const SETTLE_SECS: i64 = 120;
/// How long an answer is waited for before it is looked at again: whoever performs answers within minutes, or is gone.
pub const FLIGHT_SECS_MAX: i64 = 300;
/// How long one task of an undo may take: a start of a machine is a matter of a minute; after a quarter of an hour a person is asked.
pub const UNDO_SECS_MAX: i64 = 900;
/// The longest pause that is taken from Azure: longer ones are looked into again, because the world may have changed.
pub const PAUSE_SECS_MAX: i64 = 600;
/// From one reminder of an open question to the next: daily, whatever is asked.
pub const REMIND_SECS: i64 = 86_400;
/// How many steps one event may end or begin: more than any table has, so that a fault in one cannot run for ever.
const MOVES_MAX: usize = 10_000;

/// A saga: what it is of, and how far it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Saga<R: Runbook> {
    /// Its order, what it has learned, its table.
    pub runbook: R,
    /// How far it is.
    pub progress: Progress,
    /// When it is to be woken, at the latest to remind a person; none once it has ended.
    pub look_again_at: Option<Timestamp>,
}

impl<R: Runbook> Saga<R> {
    /// A saga that has not begun; its first event begins it.
    pub fn new(runbook: R, epoch: u64) -> Self {
        let first = |lane: &Lane<R>| match lane.steps.first() {
            Some(step) => At::Step(step.name.to_string()),
            None => At::Finished,
        };
        let lanes =
            runbook.lanes().iter().map(|lane| LanePlace { at: first(lane), question: None }).collect::<Vec<_>>();
        let progress = Progress {
            table: R::VERSION,
            epoch,
            phase: Phase::Forward,
            halt: None,
            lanes,
            steps: alloc::collections::BTreeMap::new(),
            questions: 0,
        };
        Self { runbook, progress, look_again_at: None }
    }

    /// True once it has ended.
    pub fn ended(&self) -> bool {
        matches!(self.progress.phase, Phase::Ended(_))
    }

    /// The questions that stand.
    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.progress.lanes.iter().filter_map(|lane| lane.question.as_ref())
    }

    /// True when nothing can be undone any more: a change of such a step has begun, or failed without its being known whether it had.
    pub fn past_no_return(&self) -> bool {
        run::passed(&self.runbook.lanes(), &self.progress)
    }
}

/// Takes a saga further by one event. The effects are to be performed after the saga is saved, and not otherwise.
pub fn step<R: Runbook>(saga: Saga<R>, event: Event<R>, now: Timestamp) -> (Saga<R>, Vec<Effect<R>>) {
    steps(saga, event.epoch, [event.what], now)
}

/// The same by several events that came together, as the answers of one invocation do: the table is drawn up once for all of them.
pub fn steps<R: Runbook>(
    mut saga: Saga<R>,
    epoch: u64,
    events: impl IntoIterator<Item = What<R>>,
    now: Timestamp,
) -> (Saga<R>, Vec<Effect<R>>) {
    if epoch < saga.progress.epoch {
        // Somebody who has lost the lease: whoever holds it looks again at all that this one did.
        return (saga, Vec::new());
    }
    let taken_over = epoch > saga.progress.epoch;
    (saga.progress.epoch, saga.progress.table) = (epoch, R::VERSION);
    let mut run = run::Run { table: Rc::new(saga.runbook.lanes()), saga, effects: Vec::new(), now };
    if taken_over {
        run.forget_flights();
    }
    for what in events {
        run.take(what);
        run.advance();
    }
    (run.saga, run.effects)
}

/// Says again what stands open and is due, where nothing else may be done: a person who stopped all changes is asked all the same. What is in
/// flight stays so, for whoever comes next with a number of their own.
pub fn reminded<R: Runbook>(saga: Saga<R>, epoch: u64, now: Timestamp) -> (Saga<R>, Vec<Effect<R>>) {
    let taken_over = epoch > saga.progress.epoch;
    let mut run = run::Run { table: Rc::new(saga.runbook.lanes()), saga, effects: Vec::new(), now };
    if taken_over {
        run.remind();
    }
    if !run.effects.is_empty() {
        run.saga.progress.epoch = epoch;
    }
    (run.saga, run.effects)
}

/// So many seconds.
pub(crate) fn seconds(secs: i64) -> SignedDuration {
    SignedDuration::from_secs(secs)
}

/// A moment so much later; the end of time where there is none.
pub(crate) fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
