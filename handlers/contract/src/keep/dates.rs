//! Points as lines of text: time, kind, state, and what is to be known beside them.
//! It never guesses: a word or a time that is not understood is a problem with its line.
//!
//! ```text
//! # a comment
//! 2026-11-22T02:00:00Z   restorePoint  restorable
//! 2026-11-23T02:00       restorePoint  restorable  held crash     a time without an offset is the zone's own
//! 2026-11-24T02:00+01:00 restorePoint  failed
//! ```

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use lifeboat_planning::policy::{AtLeast, PointKind};
use lifeboat_planning::retention::{Barrier, InUse, Ownership, PointSeen, State};

/// Bound on the points of one file: a hundred times what Azure keeps of a machine, and judged in some milliseconds.
pub const DATES_MAX: usize = 100_000;
/// Bound on what a message repeats of a line, in characters.
const QUOTE_CHARS_MAX: usize = 40;

/// The words of a state, and what they mean.
const STATES: [(&str, State); 5] = [
    ("restorable", State::Restorable),
    ("inProgress", State::InProgress),
    ("failed", State::Failed),
    ("deleting", State::Deleting),
    ("notWhole", State::NotWhole),
];
/// The words of a kind.
const KINDS: [(&str, PointKind); 2] = [("restorePoint", PointKind::RestorePoint), ("snapshot", PointKind::Snapshot)];
/// What may stand after the state.
const MARKS: [(&str, Mark); 10] = [
    ("foreign", Mark::Foreign),
    ("held", Mark::Held),
    ("locked", Mark::Locked),
    ("openAccess", Mark::OpenAccess),
    ("copying", Mark::Copying),
    ("saga", Mark::Saga),
    ("lastOfDisk", Mark::LastOfDisk),
    ("crash", Mark::Reached(AtLeast::Crash)),
    ("fileSystem", Mark::Reached(AtLeast::FileSystem)),
    ("application", Mark::Reached(AtLeast::Application)),
];

/// A point as a line tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatedPoint {
    /// The line, from 1, as it stands for the point: a name that sorts by the line.
    pub name: String,
    /// The line, from 1.
    pub line: usize,
    /// Its time.
    pub when: When,
    /// What it is.
    pub kind: PointKind,
    /// Its state.
    pub state: State,
    marks: Vec<Mark>,
}

/// A time as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// With its offset.
    At(Timestamp),
    /// As clocks show it.
    Local(DateTime),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Foreign,
    Held,
    Locked,
    OpenAccess,
    Copying,
    Saga,
    LastOfDisk,
    Reached(AtLeast),
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatesProblem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: LineFault,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineFault {
    /// More points than are judged at once.
    TooMany,
    /// No time stands at its beginning.
    NoTime(String),
    /// There is no kind.
    NoKind,
    /// There is no state.
    NoState,
    /// The kind is none of those there are.
    Kind(String),
    /// The state is none of those there are.
    State(String),
    /// A word after the state that is none of those there are.
    Mark(String),
    /// In the zone's year clocks skip this time.
    Skipped,
    /// In the zone's year clocks show this time twice.
    Twice,
}

/// Reads points from lines; empty ones and what follows a `#` are passed over.
///
/// # Errors
/// The first line that is not understood.
pub fn read_dates(text: &str) -> Result<Vec<DatedPoint>, DatesProblem> {
    let mut points = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line_no = at + 1;
        let code = line.split('#').next().unwrap_or_default();
        if code.trim().is_empty() {
            continue;
        }
        let problem = |fault| DatesProblem { line: line_no, fault };
        if points.len() == DATES_MAX {
            return Err(problem(LineFault::TooMany));
        }
        points.push(read_line(code, line_no).map_err(problem)?);
    }
    Ok(points)
}

fn read_line(code: &str, line: usize) -> Result<DatedPoint, LineFault> {
    let mut words = code.split_whitespace();
    let time = words.next().unwrap_or_default();
    let when = read_time(time).ok_or_else(|| LineFault::NoTime(quote(time)))?;
    let kind = words.next().ok_or(LineFault::NoKind)?;
    let kind = meaning(&KINDS, kind).ok_or_else(|| LineFault::Kind(quote(kind)))?;
    let state = words.next().ok_or(LineFault::NoState)?;
    let state = meaning(&STATES, state).ok_or_else(|| LineFault::State(quote(state)))?;
    let marks = words
        .map(|word| meaning(&MARKS, word).ok_or_else(|| LineFault::Mark(quote(word))))
        .collect::<Result<Vec<Mark>, LineFault>>()?;
    // Lines have at most six digits in a file that is bounded, so that names sort as lines do.
    Ok(DatedPoint { name: format!("{line:06}"), line, when, kind, state, marks })
}

/// A time with an offset or `Z`, or one as clocks show it.
fn read_time(text: &str) -> Option<When> {
    text.parse().map(When::At).or_else(|_| text.parse().map(When::Local)).ok()
}

fn meaning<T: Copy>(words: &[(&str, T)], word: &str) -> Option<T> {
    words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
}

impl DatedPoint {
    /// When the point is of, in a zone.
    ///
    /// # Errors
    /// A time without an offset that clocks of the zone skip or show twice.
    pub fn at(&self, zone: &TimeZone) -> Result<Timestamp, DatesProblem> {
        let problem = |fault| DatesProblem { line: self.line, fault };
        match self.when {
            When::At(at) => Ok(at),
            When::Local(local) => {
                let ambiguous = zone.to_ambiguous_timestamp(local);
                let fault = match ambiguous.offset() {
                    AmbiguousOffset::Gap { .. } => LineFault::Skipped,
                    AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => LineFault::Twice,
                };
                ambiguous.unambiguous().map_err(|_| problem(fault))
            }
        }
    }

    /// The point as it is judged.
    pub fn seen(&self, at: Timestamp) -> PointSeen<'_> {
        let marked = |mark| if self.marks.contains(&mark) { Barrier::Present } else { Barrier::Absent };
        let reached = self.marks.iter().find_map(|mark| match mark {
            Mark::Reached(reached) => Some(*reached),
            _ => None,
        });
        PointSeen {
            name: &self.name,
            at,
            state: self.state,
            consistency: reached.or(Some(AtLeast::Application)),
            ownership: if self.marks.contains(&Mark::Foreign) { Ownership::Foreign } else { Ownership::Ours },
            held: marked(Mark::Held),
            locked: marked(Mark::Locked),
            in_use: InUse {
                open_access: marked(Mark::OpenAccess),
                copying: marked(Mark::Copying),
                saga: marked(Mark::Saga),
            },
            last_of_disk: self.marks.contains(&Mark::LastOfDisk),
        }
    }

    /// The word of its kind.
    pub fn kind_word(&self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(word, _)| word)
    }

    /// The word of its state.
    pub fn state_word(&self) -> &'static str {
        STATES.iter().find(|(_, state)| *state == self.state).map_or("", |(word, _)| word)
    }
}

fn quote(word: &str) -> String {
    word.chars().map(|c| if c.is_control() { ' ' } else { c }).take(QUOTE_CHARS_MAX).collect()
}

fn list<T>(words: &[(&str, T)]) -> String {
    words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for DatesProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
    }
}

impl std::error::Error for DatesProblem {}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => write!(f, "more than {DATES_MAX} points"),
            Self::NoTime(word) => {
                write!(f, "`{word}` is no time such as 2026-11-22T02:00:00Z, or 2026-11-22T02:00 in the policy's zone")
            }
            Self::NoKind => write!(f, "after the time its kind is missing: {}", list(&KINDS)),
            Self::NoState => write!(f, "after the kind its state is missing: {}", list(&STATES)),
            Self::Kind(word) => write!(f, "`{word}` is no kind of point: {}", list(&KINDS)),
            Self::State(word) => write!(f, "`{word}` is no state: {}", list(&STATES)),
            Self::Mark(word) => write!(f, "after the state `{word}` means nothing: {}", list(&MARKS)),
            Self::Skipped => f.write_str("clocks skip this time; write it with its offset"),
            Self::Twice => f.write_str("clocks show this time twice; write it with its offset"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_time_kind_state_and_what_else_is_known() {
        let text = "# all of one machine\n\n2026-11-22T02:00:00Z restorePoint restorable\n\
                    2026-11-23T02:00 snapshot failed held crash # by the operator\n";
        let points = read_dates(text).unwrap();
        assert_eq!((points.len(), points[0].line, points[1].line), (2, 3, 4));
        assert_eq!((points[1].kind, points[1].state), (PointKind::Snapshot, State::Failed));
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let at = points[1].at(&zone).unwrap();
        assert_eq!(at, "2026-11-23T01:00:00Z".parse().unwrap());
        let seen = points[1].seen(at);
        assert_eq!((seen.held, seen.consistency), (Barrier::Present, Some(AtLeast::Crash)));
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_line() {
        for (text, said) in [
            ("yesterday", "line 1: `yesterday` is no time"),
            ("\n2026-11-22", "line 2: after the time its kind is missing"),
            ("2026-11-22T02:00Z restorePoint", "line 1: after the kind its state is missing: restorable,"),
            ("2026-11-22T02:00Z vault restorable", "line 1: `vault` is no kind of point: restorePoint, snapshot"),
            ("2026-11-22T02:00Z restorePoint ok", "line 1: `ok` is no state"),
            ("2026-11-22T02:00Z restorePoint restorable kept", "line 1: after the state `kept` means nothing"),
        ] {
            let problem = read_dates(text).unwrap_err().to_string();
            assert!(problem.starts_with(said), "{problem}");
        }
    }

    #[test]
    fn a_time_that_clocks_skip_or_show_twice_needs_its_offset() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        for (time, fault) in [("2026-03-29T02:30", LineFault::Skipped), ("2026-10-25T02:30", LineFault::Twice)] {
            let points = read_dates(&format!("{time} restorePoint restorable")).unwrap();
            assert_eq!(points[0].at(&zone), Err(DatesProblem { line: 1, fault }));
        }
    }
}
