//! Step tables: what a saga does, in an order that reads as a runbook.
//! They never say how far a saga is (`progress`) and never do anything; what is read and changed are values of the saga's own types.
//!
//! ```text
//! table ─ lanes ─ steps ─ tasks: look ─► change ─► look … done        undo: look ─► change ─► look … undone
//! ```
//! A task always looks first. What is there already is not done again, so that each step may be repeated, also after a crash.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use jiff::{SignedDuration, Timestamp};

use super::words::{Ask, Choice, Why};

/// What a saga is of: its order and what it has learned, its table, and how it reads what it sees.
pub trait Runbook: Clone + fmt::Debug + PartialEq {
    /// A question to the world.
    type Look: Clone + fmt::Debug + PartialEq + fmt::Display;
    /// A change to the world.
    type Change: Clone + fmt::Debug + PartialEq + fmt::Display;
    /// What the world answers to a look.
    type Facts: Clone + fmt::Debug;
    /// What a person picks with [`Choice::AnotherPoint`].
    type Pick: Clone + fmt::Debug + PartialEq;

    /// The saga's name.
    const NAME: &'static str;
    /// The table's version: raised whenever a step's name or meaning changes.
    const VERSION: u32;

    /// The table. Its steps' names never depend on what was learned; its tasks' changes may.
    fn lanes(&self) -> Vec<Lane<Self>>;
    /// What facts mean for a look. What must be remembered of them is kept in `self`.
    fn judge(&mut self, look: &Self::Look, sent: Sent, facts: &Self::Facts, now: Timestamp) -> Seen;
    /// Takes what a person picked at a step, for these tasks of it that failed; for none, at a question of the table's. False when it cannot
    /// be meant here.
    fn pick(&mut self, pick: &Self::Pick, step: &str, tasks: &[String]) -> bool;
    /// A person, on whom the saga had waited, answered before its first point of no return.
    fn heard(&mut self);
    /// A person goes on without the task of this look.
    fn gave_up(&mut self, look: &Self::Look);
    /// What was learned, a line each, in a form that stays.
    fn memory(&self) -> Vec<String>;
    /// Learns such a line again. False when it is not understood.
    fn remember(&mut self, line: &str) -> bool;
}

/// What was sent for a task before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// How often its change was sent.
    pub attempts: u32,
    /// When first.
    pub first_at: Option<Timestamp>,
}

/// What a look has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It is as it shall be.
    Done,
    /// It is under way.
    Going,
    /// Nothing of it has begun: the change may be sent.
    NotBegun,
    /// It cannot become as it shall be without a person.
    Failed(Why),
    /// It could not be learned.
    Unknown,
}

/// Steps one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane<R: Runbook> {
    /// What it is for.
    pub name: &'static str,
    /// When it begins.
    pub opens: Opens,
    /// Its steps.
    pub steps: Vec<Step<R>>,
}

/// When a lane begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opens {
    /// With the saga. Only this lane is undone.
    AtOnce,
    /// When the saga has passed its first point of no return.
    PastNoReturn,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<R: Runbook> {
    /// Its name, under which progress is stored.
    pub name: String,
    /// Whether nothing can be undone once one of its changes has begun.
    pub no_return: bool,
    /// Steps of any lane that must have been done before it begins.
    pub needs: Vec<String>,
    /// What is done in it.
    pub does: Does<R>,
}

/// What is done in a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Does<R: Runbook> {
    /// Tasks, several at once.
    Work(Work<R>),
    /// Waiting so long.
    Wait(SignedDuration),
    /// Asking a person.
    Ask(Asked),
}

/// A question that the table itself puts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What is asked.
    pub ask: Ask,
    /// The recovery plan's own words, where it has some.
    pub words: String,
    /// What may be answered.
    pub choices: Vec<Choice>,
    /// The step of the same lane to which [`Choice::AnotherPoint`] leads.
    pub another: Option<String>,
    /// Who has answered [`Choice::GoOn`] already, with the order.
    pub answered_by: Option<String>,
}

/// Tasks of one step, which do not wait for each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Work<R: Runbook> {
    /// The tasks, in the order in which they are begun.
    pub tasks: Vec<Task<R>>,
    /// How many may be unfinished at once.
    pub at_once: usize,
    /// From one look at a task to the next.
    pub every: SignedDuration,
    /// How long a task takes as a rule, as it was recorded; none where no source tells.
    pub usually: Option<SignedDuration>,
    /// How long a task may take.
    pub patience: Patience,
    /// What a person may answer when it fails where nothing can be undone.
    pub choices: Vec<Choice>,
    /// What is asked when it fails for these reasons alone before that, in place of undoing.
    pub asks: Option<(Vec<super::words::WhyKind>, Ask)>,
}

/// How long a task may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// So long, from its beginning; then it has failed.
    Fails(SignedDuration),
    /// So long; then it is given up, which was accepted when the saga was ordered, and the saga goes on.
    GivesUp(SignedDuration),
    /// Without an end, because nothing else waits for it; after so long a person is asked whether to end it, while it goes on.
    Watches(SignedDuration, Ask),
}

/// One thing to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Task<R: Runbook> {
    /// Of what, unique in its step.
    pub key: String,
    /// How it is seen whether it is done.
    pub look: R::Look,
    /// What does it; none where it is only verified.
    pub change: Option<R::Change>,
    /// How it is undone; none where there is nothing to undo.
    pub undo: Option<(R::Look, R::Change)>,
    /// How long it may take, where that is less than its step has for any of its tasks; then it has failed.
    pub within: Option<SignedDuration>,
}

impl<R: Runbook> From<Work<R>> for Does<R> {
    fn from(work: Work<R>) -> Self {
        Self::Work(work)
    }
}

impl<R: Runbook> Step<R> {
    /// The step's work; none for waits and questions.
    pub fn work(&self) -> Option<&Work<R>> {
        match &self.does {
            Does::Work(work) => Some(work),
            Does::Wait(_) | Does::Ask(_) => None,
        }
    }
}

impl<R: Runbook> Task<R> {
    /// One that only verifies.
    pub fn verify(key: &str, look: R::Look) -> Self {
        Self { key: key.to_string(), look, change: None, undo: None, within: None }
    }

    /// One that changes.
    pub fn change(key: &str, look: R::Look, change: R::Change) -> Self {
        Self { key: key.to_string(), look, change: Some(change), undo: None, within: None }
    }

    /// The same, with what undoes it.
    pub fn undone_by(mut self, look: R::Look, change: R::Change) -> Self {
        self.undo = Some((look, change));
        self
    }
}

/// The place of a step in a table.
pub(super) fn find<'t, R: Runbook>(table: &'t [Lane<R>], name: &str) -> Option<(usize, usize, &'t Step<R>)> {
    table.iter().enumerate().find_map(|(lane, it)| {
        it.steps.iter().enumerate().find(|(_, step)| step.name == name).map(|(at, step)| (lane, at, step))
    })
}
