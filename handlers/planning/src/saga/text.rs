//! A saga's progress as text, and back: one line each, by names and stored words, so that a later release reads it.
//! It never guesses: a line that is not understood makes the whole unreadable.
//!
//! ```text
//! saga NAME table N epoch N questions N
//! phase forward | phase back STEP, because KIND CODE | phase ended WORD
//! halt abort WHO | halt recovered
//! lane STEP | lane! finished | lane! left         each followed by its question, if one stands
//! question N ASK blocks|beside REMIND CHOICES STEP, words TEXT
//! step forward|back BEGAN open|over NAME          each followed by its tasks
//! task STATE BEGUN ATTEMPTS NUMBER SINCE NEXT FIRST LAST KIND KEY, code CODE
//! remembers LINE
//! ```

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write as _};
use core::str::FromStr;
use jiff::Timestamp;

use super::Saga;
use super::event::Way;
use super::progress::{At, Halt, LanePlace, Phase, Progress, Question, StepProgress, TaskProgress};
use super::table::Runbook;
use super::words::{Ask, Begun, Choice, End, State, Why, WhyKind};

/// What stands for nothing.
const NONE: &str = "-";

/// A line of stored progress that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Which, counted from 1.
    pub line: usize,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the saga's progress is not understood", self.line)
    }
}

impl core::error::Error for Unreadable {}

impl<R: Runbook> Saga<R> {
    /// Its progress and what it has learned, as text. Its order is not in it.
    pub fn to_text(&self) -> String {
        let it = &self.progress;
        let mut text = format!("saga {} table {} epoch {} questions {}\n", R::NAME, it.table, it.epoch, it.questions);
        let mut line = |line: String| {
            text.push_str(&line.replace('\\', "\\\\").replace('\n', "\\n"));
            text.push('\n');
        };
        match &it.phase {
            Phase::Forward => line("phase forward".to_string()),
            Phase::Undoing(why, at) => {
                line(format!("phase back {at}"));
                line(format!("because {}", why_text(why)));
            }
            Phase::Ended(end) => line(format!("phase ended {}", end.word())),
        }
        match &it.halt {
            Some(Halt::Abort(by)) => line(format!("halt abort {by}")),
            Some(Halt::Recovered) => line("halt recovered".to_string()),
            None => {}
        }
        for lane in &it.lanes {
            line(match &lane.at {
                At::Step(name) => format!("lane {name}"),
                At::Finished => "lane! finished".to_string(),
                At::Left => "lane! left".to_string(),
            });
            if let Some(question) = &lane.question {
                line(question_text(question));
                line(format!("words {}", question.words));
            }
        }
        for ((way, name), step) in &it.steps {
            let over = if step.over { "over" } else { "open" };
            line(format!("step {} {} {over} {name}", way_text(*way), step.began_at));
            for (key, task) in &step.tasks {
                line(task_text(key, task));
                if let Some(code) = task.why.as_ref().and_then(|why| why.code.as_ref()) {
                    line(format!("code {code}"));
                }
            }
        }
        for memory in self.runbook.memory() {
            line(format!("remembers {memory}"));
        }
        text
    }

    /// Reads it back over the order that the saga is of. It is to be woken at once.
    ///
    /// # Errors
    /// When a line is not understood, or it is the text of another saga.
    pub fn from_text(runbook: R, text: &str) -> Result<Self, Unreadable> {
        let progress = Progress {
            table: 0,
            epoch: 0,
            phase: Phase::Forward,
            halt: None,
            lanes: Vec::new(),
            steps: BTreeMap::new(),
            questions: 0,
        };
        let mut reading = Reading { saga: Self { runbook, progress, look_again_at: None }, step: None, task: None };
        for (at, line) in text.lines().enumerate() {
            reading.line(at, &unescaped(line)).ok_or(Unreadable { line: at + 1 })?;
        }
        let whole = !reading.saga.progress.lanes.is_empty();
        if whole { Ok(reading.saga) } else { Err(Unreadable { line: text.lines().count() + 1 }) }
    }
}

fn why_text(why: &Why) -> String {
    format!("{} {}", why.kind.word(), why.code.as_deref().unwrap_or(NONE))
}

fn way_text(way: Way) -> &'static str {
    match way {
        Way::Forward => "forward",
        Way::Back => "back",
    }
}

fn question_text(it: &Question) -> String {
    let blocks = if it.blocks { "blocks" } else { "beside" };
    let mut choices = String::new();
    for choice in &it.choices {
        let _ = write!(choices, "{}{}", if choices.is_empty() { "" } else { "," }, choice.word());
    }
    let choices = if choices.is_empty() { NONE.to_string() } else { choices };
    format!("question {} {} {blocks} {} {choices} {}", it.number, it.ask.word(), it.remind_at, it.step)
}

fn task_text(key: &str, it: &TaskProgress) -> String {
    let at = |at: Option<Timestamp>| at.map_or(NONE.to_string(), |at| at.to_string());
    format!(
        "task {} {} {} {} {} {} {} {} {} {key}",
        it.state.word(),
        it.begun.word(),
        it.attempts,
        it.number,
        it.since,
        it.next_at,
        at(it.first_sent),
        at(it.last_sent),
        it.why.as_ref().map_or(NONE, |why| why.kind.word()),
    )
}

/// The line as it was before its breaks and backslashes were spelt.
fn unescaped(line: &str) -> String {
    let (mut text, mut chars) = (String::with_capacity(line.len()), line.chars());
    while let Some(char) = chars.next() {
        match char {
            '\\' if chars.as_str().starts_with('n') => {
                chars.next();
                text.push('\n');
            }
            '\\' => text.extend(chars.next()),
            char => text.push(char),
        }
    }
    text
}

/// What was read so far.
struct Reading<R: Runbook> {
    saga: Saga<R>,
    step: Option<(Way, String)>,
    task: Option<String>,
}

/// The next word of a line.
fn word<'l>(rest: &mut &'l str) -> Option<&'l str> {
    let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
    *rest = after;
    (!word.is_empty()).then_some(word)
}

fn value<T: FromStr>(rest: &mut &str) -> Option<T> {
    word(rest)?.parse().ok()
}

fn moment(rest: &mut &str) -> Option<Option<Timestamp>> {
    match word(rest)? {
        NONE => Some(None),
        text => text.parse().ok().map(Some),
    }
}

impl<R: Runbook> Reading<R> {
    fn line(&mut self, at: usize, line: &str) -> Option<()> {
        let mut rest = line;
        let first = word(&mut rest)?;
        if (at == 0) != (first == "saga") {
            return None;
        }
        let progress = &mut self.saga.progress;
        match first {
            "saga" => {
                let heads = (word(&mut rest)? == R::NAME).then_some(["table", "epoch", "questions"])?;
                let mut numbers = [0u64; 3];
                for (head, number) in heads.iter().zip(&mut numbers) {
                    (word(&mut rest)? == *head).then_some(())?;
                    *number = value(&mut rest)?;
                }
                (progress.table, progress.epoch) = (u32::try_from(numbers[0]).ok()?, numbers[1]);
                progress.questions = u32::try_from(numbers[2]).ok()?;
            }
            "phase" => {
                progress.phase = match word(&mut rest)? {
                    "forward" => Phase::Forward,
                    "back" => Phase::Undoing(WhyKind::AttemptsUsedUp.into(), rest.to_string()),
                    "ended" => Phase::Ended(End::of_word(rest)?),
                    _ => return None,
                }
            }
            "because" => {
                let Phase::Undoing(why, _) = &mut progress.phase else { return None };
                why.kind = WhyKind::of_word(word(&mut rest)?)?;
                why.code = (rest != NONE).then(|| rest.to_string());
            }
            "halt" => {
                progress.halt = Some(match word(&mut rest)? {
                    "abort" => Halt::Abort(rest.to_string()),
                    "recovered" => Halt::Recovered,
                    _ => return None,
                });
            }
            "lane" => progress.lanes.push(LanePlace { at: At::Step(rest.to_string()), question: None }),
            "lane!" => {
                let at =
                    [("finished", At::Finished), ("left", At::Left)].into_iter().find(|(word, _)| *word == rest)?;
                progress.lanes.push(LanePlace { at: at.1, question: None });
            }
            "question" => progress.lanes.last_mut()?.question = Some(question(&mut rest)?),
            "words" => progress.lanes.last_mut()?.question.as_mut()?.words = rest.to_string(),
            "step" => self.step(&mut rest)?,
            "task" => self.task(&mut rest)?,
            "code" => {
                let tasks = &mut progress.steps.get_mut(self.step.as_ref()?)?.tasks;
                tasks.get_mut(self.task.as_ref()?)?.why.as_mut()?.code = Some(rest.to_string());
            }
            "remembers" => self.saga.runbook.remember(rest).then_some(())?,
            _ => return None,
        }
        Some(())
    }

    fn step(&mut self, rest: &mut &str) -> Option<()> {
        let way = match word(rest)? {
            "forward" => Way::Forward,
            "back" => Way::Back,
            _ => return None,
        };
        let mut step = StepProgress::new(value(rest)?);
        step.over = match word(rest)? {
            "over" => true,
            "open" => false,
            _ => return None,
        };
        let key = (way, rest.to_string());
        self.saga.progress.steps.insert(key.clone(), step);
        self.step = Some(key);
        Some(())
    }

    fn task(&mut self, rest: &mut &str) -> Option<()> {
        let mut task = TaskProgress::new(Timestamp::UNIX_EPOCH);
        task.state = State::of_word(word(rest)?)?;
        task.begun = Begun::of_word(word(rest)?)?;
        (task.attempts, task.number) = (value(rest)?, value(rest)?);
        (task.since, task.next_at) = (value(rest)?, value(rest)?);
        (task.first_sent, task.last_sent) = (moment(rest)?, moment(rest)?);
        task.why = match word(rest)? {
            NONE => None,
            kind => Some(WhyKind::of_word(kind)?.into()),
        };
        self.saga.progress.steps.get_mut(self.step.as_ref()?)?.tasks.insert(rest.to_string(), task);
        self.task = Some(rest.to_string());
        Some(())
    }
}

fn question(rest: &mut &str) -> Option<Question> {
    let (number, ask) = (value(rest)?, Ask::of_word(word(rest)?)?);
    let blocks = match word(rest)? {
        "blocks" => true,
        "beside" => false,
        _ => return None,
    };
    let remind_at = value(rest)?;
    let choices = match word(rest)? {
        NONE => Vec::new(),
        words => words.split(',').map(Choice::of_word).collect::<Option<_>>()?,
    };
    Some(Question { number, step: rest.to_string(), ask, words: String::new(), choices, blocks, remind_at })
}
