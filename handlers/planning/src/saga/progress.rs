//! How far a saga is: plain values, stored by the names of steps.
//! It never decides. Its form as text is in `text`.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use jiff::Timestamp;

use super::event::Way;
use super::words::{Ask, Begun, Choice, End, State, Why};

/// How far a saga is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The version of the table under which it was last written.
    pub table: u32,
    /// The fencing number of who wrote it.
    pub epoch: u64,
    /// Forward, back, or ended.
    pub phase: Phase,
    /// What was ordered and is not yet decided, because something sent is not answered for.
    pub halt: Option<Halt>,
    /// Each lane's place.
    pub lanes: Vec<LanePlace>,
    /// What was begun, by direction and name of step.
    pub steps: BTreeMap<(Way, String), StepProgress>,
    /// How many questions were put.
    pub questions: u32,
}

/// Which way a saga goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// On.
    Forward,
    /// Back, because of this; at this step.
    Undoing(Why, String),
    /// Nowhere any more.
    Ended(End),
}

/// What stops a saga before its point of no return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// This person's order.
    Abort(String),
    /// The region came back.
    Recovered,
}

/// Where a lane is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanePlace {
    /// The step it is at.
    pub at: At,
    /// The question that stands.
    pub question: Option<Question>,
}

/// The step that a lane is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// This one.
    Step(String),
    /// Past its last.
    Finished,
    /// A person ended it.
    Left,
}

/// A question that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its number in the saga.
    pub number: u32,
    /// At which step.
    pub step: String,
    /// What is asked.
    pub ask: Ask,
    /// More about it.
    pub words: String,
    /// What may be answered.
    pub choices: Vec<Choice>,
    /// False when the lane goes on meanwhile.
    pub blocks: bool,
    /// When a person is next reminded.
    pub remind_at: Timestamp,
}

/// How far a step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepProgress {
    /// When it began.
    pub began_at: Timestamp,
    /// Whether it is over.
    pub over: bool,
    /// Its tasks that were begun.
    pub tasks: BTreeMap<String, TaskProgress>,
}

/// How far a task is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskProgress {
    /// How far.
    pub state: State,
    /// Whether its change has begun.
    pub begun: Begun,
    /// How often the change was sent.
    pub attempts: u32,
    /// How much was sent, looks too.
    pub number: u32,
    /// Since when its time counts.
    pub since: Timestamp,
    /// When it is next looked at; while something is in flight, until when an answer is waited for.
    pub next_at: Timestamp,
    /// When the change was first sent.
    pub first_sent: Option<Timestamp>,
    /// And last.
    pub last_sent: Option<Timestamp>,
    /// Why it failed, or what the last attempt was refused for.
    pub why: Option<Why>,
}

impl StepProgress {
    /// One that begins now.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { began_at: now, over: false, tasks: BTreeMap::new() }
    }
}

impl TaskProgress {
    /// One that begins now, with a look.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            state: State::Look,
            begun: Begun::No,
            attempts: 0,
            number: 0,
            since: now,
            next_at: now,
            first_sent: None,
            last_sent: None,
            why: None,
        }
    }

    /// True when nothing more happens to it by itself.
    pub fn finished(&self) -> bool {
        matches!(self.state, State::Done | State::Failed | State::GivenUp)
    }

    /// True while something sent is not answered.
    pub fn in_flight(&self) -> bool {
        matches!(self.state, State::Looking | State::Changing)
    }
}
