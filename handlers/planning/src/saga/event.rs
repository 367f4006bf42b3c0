//! What reaches a saga, and what it wants: events in, effects out.
//! It never decides; an effect carries a tag, an outcome names it, and an outcome whose tag is not the awaited one changes nothing.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::progress::Question;
use super::table::Runbook;
use super::words::{Choice, End, Why};
use crate::id::{hash, hex};

/// Something that reaches a saga.
#[derive(Clone, Debug)]
pub struct Event<R: Runbook> {
    /// The fencing number of whoever brings it: that of the lease under which it was read or done.
    pub epoch: u64,
    /// What it is.
    pub what: What<R>,
}

/// What reaches a saga.
#[derive(Clone, Debug)]
pub enum What<R: Runbook> {
    /// Time has passed.
    Woken,
    /// A look was answered.
    Observed(Tag, R::Facts),
    /// A look could not be answered.
    NotObserved(Tag),
    /// A change was sent.
    Answered(Tag, Outcome),
    /// A person orders everything to be undone.
    Abort {
        /// Object id of the person.
        by: String,
    },
    /// A person answers a question.
    Answer {
        /// The question's number.
        question: u32,
        /// The answer.
        choice: Choice,
        /// What was picked with it.
        pick: Option<R::Pick>,
        /// Object id of the person.
        by: String,
    },
    /// What the saga was begun for is no longer so: told once for each time that it comes back, because each asks a person.
    Recovered,
}

/// What became of a change that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Azure accepted it.
    Accepted,
    /// Azure refused it, for good.
    Refused(String),
    /// Not now: Azure asks for a pause, or it was dropped before it was sent because its check was too old.
    NotNow(SignedDuration),
    /// No answer came: it may have been accepted or not.
    NoAnswer,
}

/// Forward or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// As the table says.
    Forward,
    /// Undoing it.
    Back,
}

/// What an effect is told apart by: an outcome names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The fencing number under which it was decided.
    pub epoch: u64,
    /// The step.
    pub step: String,
    /// The task.
    pub task: String,
    /// Forward or back.
    pub way: Way,
    /// Counts what is sent for one task in one direction.
    pub number: u32,
}

/// Something that a saga wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect<R: Runbook> {
    /// Read something.
    Look(Tag, R::Look),
    /// Change something.
    Change(Tag, R::Change),
    /// Tell people. Harmless when late or repeated: its id is derived.
    Tell(Notice),
}

/// What people are told.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A step was done.
    StepDone(String),
    /// A step was undone.
    StepUndone(String),
    /// Undoing begins.
    Undoing(Why),
    /// A question stands.
    Asked(Question),
    /// It still stands, at this time.
    Reminded(Question, Timestamp),
    /// A question was answered.
    Answered {
        /// The question.
        question: u32,
        /// The answer.
        choice: Choice,
        /// By whom.
        by: String,
    },
    /// A question stands no more, because what it was about is done.
    Withdrawn(u32),
    /// An order was refused.
    OrderRefused(OrderRefused),
    /// The region came back after the point of no return: the saga goes on.
    GoesOnThoughRecovered,
    /// The saga has ended.
    Ended(End),
}

/// Why an order is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRefused {
    /// The saga has ended.
    Ended,
    /// A failover was accepted, or may have been: it cannot be undone, only gone on with.
    PastNoReturn,
    /// It is being undone already.
    UndoingAlready,
    /// No question of that number stands.
    NoSuchQuestion,
    /// That answer is not among the choices.
    NotOffered,
    /// The answer needs a recovery point with it, of a kind that can be meant.
    PickMissing,
    /// Failing back is not built yet.
    FailbackNotBuilt,
}

impl<R: Runbook> Effect<R> {
    /// What a notice, look or change is told apart by, within its saga.
    pub fn key(&self) -> String {
        match self {
            Self::Look(tag, _) => hash(&["look", &tag.to_string()]),
            Self::Change(tag, _) => hash(&["change", &tag.to_string()]),
            Self::Tell(notice) => hash(&["tell", &notice.to_string()]),
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.way {
            Way::Forward => "",
            Way::Back => "undo ",
        };
        write!(f, "{way}{}: {} #{}.{}", self.step, self.task, self.epoch, self.number)
    }
}

impl<R: Runbook> fmt::Display for Effect<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Look(tag, look) => write!(f, "look [{tag}] {look}"),
            Self::Change(tag, change) => write!(f, "change [{tag}] {change}"),
            Self::Tell(notice) => write!(f, "tell {notice}"),
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StepDone(step) => write!(f, "done: {step}"),
            Self::StepUndone(step) => write!(f, "undone: {step}"),
            Self::Undoing(why) => write!(f, "undoing it, because {why}"),
            Self::Asked(question) => write!(f, "{question}"),
            Self::Reminded(question, at) => write!(f, "still open at {at}: {question}"),
            Self::Answered { question, choice, by } => write!(f, "question {question} answered by {by}: {choice}"),
            Self::Withdrawn(question) => write!(f, "question {question} stands no more"),
            Self::OrderRefused(why) => write!(f, "order refused: {why}"),
            Self::GoesOnThoughRecovered => {
                f.write_str("the region came back after the point of no return; the failover goes on")
            }
            Self::Ended(end) => write!(f, "ended: {end}"),
        }
    }
}

impl fmt::Display for OrderRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ended => "the saga has ended",
            Self::PastNoReturn => {
                "the point of no return is passed: a failover was accepted, or may have been, and cannot be cancelled; go on, take another recovery point, or fail back"
            }
            Self::UndoingAlready => "it is being undone already",
            Self::NoSuchQuestion => "no question of that number stands",
            Self::NotOffered => "that answer is not among the choices",
            Self::PickMissing => "the answer needs a recovery point that can be taken here",
            Self::FailbackNotBuilt => "failing back is not built yet",
        })
    }
}

impl Question {
    /// The digest of what is asked in the saga of this id, SHA-256 in hex: an answer names what was shown to whoever gives it.
    pub fn digest(&self, saga: &str) -> String {
        hex(&Sha256::digest(format!("question/1\nsaga {saga}\n{self}\n").as_bytes()))
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "question {} at step {}: {}", self.number, self.step, self.ask)?;
        if !self.words.is_empty() {
            write!(f, " ({})", self.words)?;
        }
        for (at, choice) in self.choices.iter().enumerate() {
            write!(f, "{}{choice}", if at == 0 { " Choices: " } else { "; " })?;
        }
        Ok(())
    }
}
