//! What is wrong with a document: where, what, what was expected, and what to do about it.
//! It never draws: `Display` is one plain line, and whoever shows it to a person has the parts.

use std::fmt;

use super::cron::CronProblem;
use super::misfit::Misfit;
use super::unmet::Unmet;
use crate::recovery::RecoveryFault;

/// The longest piece of a document that a message repeats, in characters: enough to know it again in a line of a terminal.
const QUOTE_CHARS_MAX: usize = 40;

/// The longest path that a message repeats, in characters: the deepest of the form are below 100.
const FIELD_CHARS_MAX: usize = 160;
/// The longest sentence about something of Azure's that a message has, in characters: three of its names are 80 each.
const SENTENCE_CHARS_MAX: usize = 400;

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The document's name, as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// The field's path, as `spec.points[0].kind`; empty for the document as a whole.
    pub field: String,
    /// What is wrong.
    pub fault: Fault,
    /// What is expected there instead.
    pub expected: Option<String>,
    /// The known name that is nearest to the one written.
    pub nearest: Option<String>,
    /// What to do.
    pub advice: Option<Advice>,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The document is longer than any policy needs.
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// There is nothing in it.
    EmptyDocument,
    /// There is more than one document in the file.
    SeveralDocuments,
    /// It is not YAML; the reader's own words.
    NotYaml(String),
    /// An anchor, an alias or a merge key.
    Reference,
    /// A tag of YAML, as `!!binary`.
    YamlTag,
    /// Lists and mappings are nested deeper than any policy needs.
    TooDeep,
    /// There are more values than any policy needs.
    TooManyValues,
    /// A value of another type than expected.
    WrongType(Found),
    /// A field that there is not.
    UnknownField(String),
    /// A field that is there twice.
    DuplicateField {
        /// Its name.
        name: String,
        /// The line of the first.
        first_line: u32,
    },
    /// A field that must be there.
    Missing(String),
    /// A field or value of the agreed form that this release does not act on.
    NotBuiltYet(String),
    /// A text that is none of those allowed.
    WrongValue(String),
    /// A text longer than allowed.
    TooLong {
        /// Its length in characters.
        chars: usize,
    },
    /// A duration outside its bounds.
    OutOfBounds(String),
    /// A condition without a part.
    EmptyCondition,
    /// A condition with several parts, of which only one is allowed.
    SeveralConditions(usize),
    /// A list without anything in it.
    EmptyList,
    /// A list with more than is allowed.
    TooManyItems(usize),
    /// More conditions than any policy needs.
    TooManyConditions,
    /// None of the fields of which at least one is needed.
    NoneOf(&'static [&'static str]),
    /// A name that something before it has.
    NameTaken {
        /// The name.
        name: String,
        /// Where the first is.
        first: First,
    },
    /// A second placement for a region, which would never count.
    RegionTwice {
        /// The region.
        region: String,
        /// The line of the first.
        first_line: u32,
    },
    /// A text that is no cron expression or names no time zone.
    NoSchedule(CronProblem),
    /// More documents in a file than any has.
    TooManyDocuments,
    /// More files than any folder of policies has.
    TooManyFiles(usize),
    /// More policies than any estate has.
    TooManyPolicies(usize),
    /// The files are longer together than any folder of policies.
    FilesTooLarge {
        /// Their length together.
        bytes: usize,
    },
    /// Of a recovery plan alone.
    RecoveryPlan(RecoveryFault),
    /// More recovery plans than any estate has.
    TooManyRecoveryPlans(usize),
    /// It is understood, and can never be met.
    Unmet(Unmet),
    /// The machines and vaults that are there do not allow it.
    Misfit(Misfit),
}

/// Where the first of two is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum First {
    /// In the same file.
    Line(u32),
    /// In another file.
    File(String, u32),
}

/// How much a problem weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The document is refused.
    Error,
    /// It can be meant so; a person should know.
    Warning,
}

/// The type of a value in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing, or `null`.
    Nothing,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A list.
    List,
    /// A mapping.
    Mapping,
}

/// What to do about a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Correct the spelling.
    Spell,
    /// Take the field out until a release acts on it.
    Remove,
    /// Take one of the two out.
    RemoveOne,
    /// Add the field.
    Add,
    /// Put the value in quotes.
    Quote,
    /// Write the value out where it is used.
    WriteOut,
    /// Put conditions under `all` or `any`.
    Combine,
    /// Give each document a file of its own.
    Split,
    /// Write a whole number and a unit.
    WriteDuration,
    /// Give one of them another name.
    Rename,
    /// Make what is not there, or name another.
    MakeOrName,
    /// Give each another priority, or let one of them not match.
    Prefer,
    /// Give the others a schedule or a subscription of their own.
    SpreadOut,
    /// Give each action an item of its own.
    SplitItem,
    /// See to it that it can be read.
    LetRead,
}

impl Problem {
    /// How much it weighs.
    pub fn weight(&self) -> Weight {
        match &self.fault {
            Fault::Unmet(unmet) => unmet.weight(),
            Fault::Misfit(misfit) => misfit.weight(),
            Fault::RecoveryPlan(fault) => fault.weight(),
            _ => Weight::Error,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", one_line(&self.file), self.line, self.column)?;
        if self.weight() == Weight::Warning {
            f.write_str("warning: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", short(&self.field, FIELD_CHARS_MAX))?;
        }
        write!(f, "{}", self.fault)?;
        if let Some(expected) = &self.expected {
            write!(f, "; expected {expected}")?;
        }
        if let Some(nearest) = &self.nearest {
            write!(f, "; did you mean `{nearest}`?")?;
        }
        match self.advice {
            Some(advice) => write!(f, " ({advice})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes } => write!(f, "the document has {bytes} bytes"),
            Self::EmptyDocument => f.write_str("there is nothing in the document"),
            Self::SeveralDocuments => f.write_str("there is more than one document in the file"),
            Self::NotYaml(words) => write!(f, "this is not YAML: {}", one_line(words)),
            Self::Reference => f.write_str("anchors, aliases and merge keys are not allowed"),
            Self::YamlTag => f.write_str("YAML tags are not read here"),
            Self::TooDeep => f.write_str("this is nested too deeply"),
            Self::TooManyValues => f.write_str("the document has too many values"),
            Self::WrongType(found) => write!(f, "this is {found}"),
            Self::UnknownField(name) => write!(f, "there is no field `{}`", quoted(name)),
            Self::DuplicateField { name, first_line } => {
                write!(f, "the field `{}` is there twice, first in line {first_line}", quoted(name))
            }
            Self::Missing(name) => write!(f, "the field `{name}` is missing"),
            Self::NotBuiltYet(name) => write!(f, "`{name}` is not built yet in this release"),
            Self::WrongValue(value) => write!(f, "`{}` is not allowed here", quoted(value)),
            Self::TooLong { chars } => write!(f, "this text has {chars} characters"),
            Self::OutOfBounds(value) => write!(f, "`{}` is out of bounds", quoted(value)),
            Self::EmptyCondition => f.write_str("this condition says nothing"),
            Self::SeveralConditions(count) => write!(f, "there are {count} conditions in one place"),
            Self::EmptyList => f.write_str("this list is empty"),
            Self::TooManyItems(count) => write!(f, "this list has {count} items"),
            Self::TooManyConditions => f.write_str("there are too many conditions"),
            Self::NoneOf(names) => match names {
                [one, other] => write!(f, "neither `{one}` nor `{other}` is there"),
                _ => f.write_str("no rule is there"),
            },
            Self::NameTaken { name, first } => write!(f, "the name `{}` is taken, first {first}", quoted(name)),
            Self::RegionTwice { region, first_line } => {
                write!(f, "the region `{}` is there twice, first in line {first_line}", quoted(region))
            }
            Self::NoSchedule(problem) => problem.fmt(f),
            Self::TooManyDocuments => f.write_str("there are too many documents in the file"),
            Self::TooManyFiles(count) => write!(f, "there are {count} files"),
            Self::TooManyPolicies(count) => write!(f, "there are {count} policies"),
            Self::FilesTooLarge { bytes } => write!(f, "the files have {bytes} bytes together"),
            Self::RecoveryPlan(fault) => fault.fmt(f),
            Self::TooManyRecoveryPlans(count) => write!(f, "there are {count} recovery plans"),
            Self::Unmet(unmet) => unmet.fmt(f),
            Self::Misfit(misfit) => misfit.fmt(f),
        }
    }
}

impl fmt::Display for First {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "in line {line}"),
            Self::File(file, line) => write!(f, "in {}:{line}", short(file, FIELD_CHARS_MAX)),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Mapping => "a mapping",
        })
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spell => "correct the spelling",
            Self::Remove => "take it out until a release acts on it",
            Self::RemoveOne => "take one of them out",
            Self::Add => "add it",
            Self::Quote => "put it in quotes",
            Self::WriteOut => "write the value out where it is used",
            Self::Combine => "put them under `all` or `any`",
            Self::Split => "give each document a file of its own",
            Self::Rename => "give one of them another name",
            Self::MakeOrName => "make it, or name another",
            Self::Prefer => "give each another priority, or take the machines out of one of them",
            Self::SpreadOut => "give some of the machines another schedule, or spread them over subscriptions",
            Self::SplitItem => "give each an item of the list of its own",
            Self::LetRead => "sign in as somebody who may read it",
            Self::WriteDuration => "write a whole number and m, h or d, as in 24h",
        })
    }
}

/// A piece of a document, made safe for a line of a message.
pub(crate) fn quoted(text: &str) -> String {
    short(text, QUOTE_CHARS_MAX)
}

/// A sentence that names things of Azure's, made safe in the same way; it is never longer than what Azure's names make of it.
pub(crate) fn sentence(text: &str) -> String {
    short(text, SENTENCE_CHARS_MAX)
}

fn short(text: &str, chars_max: usize) -> String {
    let mut short: String = text.chars().take(chars_max).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    one_line(&short)
}

/// Without line breaks and other control characters, which could pass for lines of ours in a log.
fn one_line(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c {
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => c.escape_debug().collect::<Vec<_>>(),
            c => vec![c],
        })
        .collect()
}
