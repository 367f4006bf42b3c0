//! Reads a history: JSON Lines of `{at, door, body}`, in the order in which they arrived.
//! It never guesses: every line that is not understood is told with its number, and then nothing is played.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::fmt;

use crate::signals::Door;

/// Bound on a history's length: a day of an alert storm, each alert at the size that Azure allows at most.
pub const HISTORY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bound on lines: a month of a reading and a probe every minute.
pub const LINES_MAX: usize = 100_000;
/// Bound on the time from the first line to the last: each minute of it is looked at.
pub const SPAN_MAX: SignedDuration = SignedDuration::from_hours(31 * 24);
/// Bound on the problems told: more than a person reads at once.
const PROBLEMS_MAX: usize = 50;
/// Bound on what a message repeats of a line, in characters.
const QUOTE_CHARS_MAX: usize = 40;

/// One thing that arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its number, from 1.
    pub number: usize,
    /// When it arrived.
    pub at: Timestamp,
    /// Where.
    pub door: Door,
    /// As it arrived.
    pub body: Value,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryProblem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: LineFault,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineFault {
    /// It is not JSON; the reader's own words.
    NotJson(String),
    /// It is JSON, but no object.
    NotAnObject,
    /// A field that must be there.
    Missing(&'static str),
    /// A field that there is not.
    UnknownField(String),
    /// `at` is no time.
    NotATime(String),
    /// `door` is none that there is.
    UnknownDoor(String),
    /// It arrived before the line before it.
    BackInTime(Timestamp),
    /// More lines than are played.
    TooManyLines,
    /// More time than is played.
    TooLongASpan,
    /// There is no line.
    Empty,
}

/// Reads a history; empty lines are passed over.
///
/// # Errors
/// Every line that is not understood, in their order; never none.
pub fn read_history(text: &str) -> Result<Vec<Line>, Vec<HistoryProblem>> {
    let (mut lines, mut problems) = (Vec::<Line>::new(), Vec::new());
    for (at, line) in text.lines().enumerate() {
        let number = at + 1;
        if line.trim().is_empty() {
            continue;
        }
        let read = if lines.len() >= LINES_MAX { Err(LineFault::TooManyLines) } else { read_line(line, number) };
        match read.and_then(|line| in_order(line, lines.first(), lines.last())) {
            Ok(line) => lines.push(line),
            Err(fault) => problems.push(HistoryProblem { line: number, fault }),
        }
        if problems.len() >= PROBLEMS_MAX {
            break;
        }
    }
    if lines.is_empty() && problems.is_empty() {
        problems.push(HistoryProblem { line: 1, fault: LineFault::Empty });
    }
    if problems.is_empty() { Ok(lines) } else { Err(problems) }
}

fn read_line(line: &str, number: usize) -> Result<Line, LineFault> {
    let value: Value = serde_json::from_str(line).map_err(|error| LineFault::NotJson(error.to_string()))?;
    let Value::Object(mut object) = value else { return Err(LineFault::NotAnObject) };
    let mut take = |name| object.remove(name).ok_or(LineFault::Missing(name));
    let (at, door, body) = (take("at")?, take("door")?, take("body")?);
    if let Some(name) = object.keys().next() {
        return Err(LineFault::UnknownField(short(name)));
    }
    let written = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let at = written(&at).parse().map_err(|_| LineFault::NotATime(short(&written(&at))))?;
    let door = Door::of(&written(&door)).ok_or_else(|| LineFault::UnknownDoor(short(&written(&door))))?;
    Ok(Line { number, at, door, body })
}

fn in_order(line: Line, first: Option<&Line>, last: Option<&Line>) -> Result<Line, LineFault> {
    if let Some(last) = last.filter(|last| line.at < last.at) {
        return Err(LineFault::BackInTime(last.at));
    }
    if first.is_some_and(|first| line.at.duration_since(first.at) > SPAN_MAX) {
        return Err(LineFault::TooLongASpan);
    }
    Ok(line)
}

fn short(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTE_CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().count() > QUOTE_CHARS_MAX {
        short.push('…');
    }
    short
}

impl std::error::Error for HistoryProblem {}

impl fmt::Display for HistoryProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
    }
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(why) => write!(f, "it is not JSON: {why}"),
            Self::NotAnObject => f.write_str("it is no object; a line is {\"at\", \"door\", \"body\"}"),
            Self::Missing(name) => write!(f, "`{name}` is missing; a line is {{\"at\", \"door\", \"body\"}}"),
            Self::UnknownField(name) => write!(f, "there is no `{name}`; a line is {{\"at\", \"door\", \"body\"}}"),
            Self::NotATime(text) => write!(f, "`at` is {text}; expected a time such as 2026-11-22T02:00:00Z"),
            Self::UnknownDoor(text) => {
                let doors: Vec<&str> = Door::ALL.iter().map(|door| door.word()).collect();
                write!(f, "`door` is {text}; expected one of {}", doors.join(", "))
            }
            Self::BackInTime(last) => write!(f, "it arrived before the line before it, which arrived at {last}"),
            Self::TooManyLines => write!(f, "a history has at most {LINES_MAX} lines"),
            Self::TooLongASpan => write!(f, "a history spans at most {} days", SPAN_MAX.as_hours() / 24),
            Self::Empty => f.write_str("the history has no line"),
        }
    }
}
