//! Why a command is refused as it stands, whoever sent it. None of these becomes right by repeating it.
//! It never quotes what stands in a field: a token may stand in the wrong one.

use std::fmt;

use jiff::Timestamp;

use super::form::{BODY_BYTES_MAX, TYPE_PREFIX, TYPE_VERSION};

/// Characters of a field's name that are told: a name of ours is far shorter, and a text of somebody else's may be anything.
const NAME_CHARS_TOLD: usize = 40;

/// Why a command is refused as it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Longer than any command.
    #[error("the command has {bytes} bytes, more than the {BODY_BYTES_MAX} that are read")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not JSON, or a name stands in it twice.
    #[error("the command is not JSON: {reason}, at line {line}, column {column}")]
    NotJson {
        /// What kind of fault it is.
        reason: JsonFault,
        /// Its line, from 1.
        line: usize,
        /// Its column, from 1.
        column: usize,
    },
    /// A field is not as it must be.
    #[error("the field {path} {fault}")]
    Field {
        /// Which: a path from the envelope on, as `data.reason`.
        path: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// No command of that name.
    #[error("the field type names no command: expected {TYPE_PREFIX}<Name>.{TYPE_VERSION}{}", meant(*nearest))]
    UnknownCommand {
        /// The known one that is nearest.
        nearest: Option<&'static str>,
    },
    /// A command of another version.
    #[error("the field type asks for another version of {command}: this release reads {TYPE_VERSION}")]
    OtherVersion {
        /// The command.
        command: &'static str,
    },
    /// A command that is agreed and not built.
    #[error("{command} is not taken by this release: it is agreed and not built yet")]
    NotBuilt {
        /// The command.
        command: &'static str,
    },
    /// It lapsed.
    #[error("it lapsed at {at}")]
    Lapsed {
        /// When.
        at: Timestamp,
    },
    /// It was given in the future.
    #[error("the field time lies in the future, at {at}: a clock is wrong")]
    OfTheFuture {
        /// When it says that it was given.
        at: Timestamp,
    },
}

/// What keeps a body from being JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// It ends too early.
    #[error("it ends in the middle")]
    Ends,
    /// It is not written as JSON is.
    #[error("it is not written as JSON is")]
    Syntax,
    /// A name stands twice in one mapping, or a number is none.
    #[error("a name stands twice, or a number cannot be read")]
    Value,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not there.
    Missing,
    /// There is no such field; the known one that is nearest.
    Unknown(Option<&'static str>),
    /// It holds something else.
    Expected(Expected),
    /// It holds none of these words; the nearest.
    NoWord(&'static [&'static str], Option<&'static str>),
    /// It is longer than so many characters.
    TooLong(usize),
    /// Nothing stands in it.
    Blank,
    /// Not exactly one of these stands in it.
    NotOne(&'static [super::form::Field]),
    /// A word stands in it twice.
    Twice,
    /// It is not allowed beside another.
    NotBeside(&'static str),
    /// It lies before `time`, or more than a day after it.
    NotWithinADay,
}

/// What a field should hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A mapping.
    Mapping,
    /// A text.
    Text,
    /// A list of words.
    Words,
    /// A whole number from 1.
    Number,
    /// `true` or `false`.
    Truth,
    /// `true`.
    Yes,
    /// A moment.
    Moment,
    /// A digest.
    Digest,
    /// A document's name.
    Name,
    /// An ARM id.
    ArmId,
    /// An id without blanks.
    Id,
    /// A kind of recovery point, or a moment.
    Point(&'static [&'static str]),
}

impl Refusal {
    /// A field is not as it must be.
    pub(super) fn field(path: impl Into<String>, fault: Fault) -> Self {
        Self::Field { path: path.into(), fault }
    }

    /// The field that is at fault, where it is one.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Field { path, .. } => Some(path),
            Self::UnknownCommand { .. } | Self::OtherVersion { .. } | Self::NotBuilt { .. } => Some("type"),
            Self::Lapsed { .. } => Some("expirytime"),
            Self::OfTheFuture { .. } => Some("time"),
            Self::TooLarge { .. } | Self::NotJson { .. } => None,
        }
    }
}

/// A path one step further. A name that is not ours is told in part, and without what a terminal would obey.
pub(super) fn below(path: &str, name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(NAME_CHARS_TOLD).collect();
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::Unknown(nearest) => write!(f, "is not known{}", meant(*nearest)),
            Self::Expected(expected) => write!(f, "holds something else: expected {expected}"),
            Self::NoWord(words, nearest) => {
                write!(f, "holds something else: expected one of {}{}", words.join(", "), meant(*nearest))
            }
            Self::TooLong(most) => write!(f, "is longer than {most} characters"),
            Self::Blank => f.write_str("is empty"),
            Self::NotOne(fields) => {
                let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
                write!(f, "needs exactly one of {}", names.join(", "))
            }
            Self::Twice => f.write_str("names one word twice"),
            Self::NotBeside(other) => write!(f, "has no meaning beside {other}"),
            Self::NotWithinADay => f.write_str("is not within a day after time"),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mapping => "a mapping",
            Self::Text => "a text",
            Self::Words => "a list of words",
            Self::Number => "a whole number from 1",
            Self::Truth => "true or false",
            Self::Yes => "true",
            Self::Moment => "a moment, as 2026-11-22T09:40:00Z",
            Self::Digest => "a digest: 64 hexadecimal digits, lower-case",
            Self::Name => "a document's name: lower-case letters, digits and hyphens",
            Self::ArmId => "an ARM id: it begins with /subscriptions/",
            Self::Id => "letters, digits and - . _ : alone",
            Self::Point(words) => return write!(f, "one of {}, or a moment as 2026-11-22T09:40:00Z", words.join(", ")),
        })
    }
}
