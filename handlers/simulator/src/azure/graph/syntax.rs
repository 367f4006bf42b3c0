//! What a query is once it is read: stages, expressions, functions, comparisons.
//! It never holds a word that the evaluator does not know.

use jiff::Timestamp;

use super::Table;

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Query {
    pub(super) table: Table,
    pub(super) stages: Vec<Stage>,
}

/// One step of a query.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    Where(Expr),
    Project(Vec<(String, Expr)>),
    Extend(Vec<(String, Expr)>),
    /// Keys, each with whether it descends.
    Order(Vec<(Expr, bool)>),
    Take(usize),
    Count,
    /// The first so many by a key, and whether it descends.
    Top(usize, Expr, bool),
    /// Rows counted by these columns; the name of the count, where one is asked for.
    Summarize {
        count: Option<String>,
        by: Vec<(String, Expr)>,
    },
    /// Rows of another query beside those of this one, by columns of each.
    Join {
        kind: JoinKind,
        right: Box<Query>,
        on: Vec<(String, String)>,
    },
}

/// Which rows a join answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JoinKind {
    /// Every pair.
    Inner,
    /// Every pair, of the left rows with the same key only the first.
    InnerUnique,
    /// Every pair, and the left rows that have none.
    LeftOuter,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// A column and what is inside it.
    Path(Vec<String>),
    Text(String),
    Number(f64),
    Bool(bool),
    Span(f64),
    Time(Timestamp),
    Null,
    Call(Function, Vec<Expr>),
    Compare(Box<Expr>, Compare, Box<Expr>),
    In {
        value: Box<Expr>,
        list: Vec<Expr>,
        any_case: bool,
        negated: bool,
    },
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
}

/// Functions that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    ToLower,
    ToUpper,
    ToString,
    ToDateTime,
    Ago,
    Now,
    IsNull,
    IsNotNull,
    IsEmpty,
    IsNotEmpty,
    Coalesce,
}

/// Comparisons that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    EqualAnyCase,
    NotEqualAnyCase,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
    NotContains,
    StartsWith,
    EndsWith,
    Has,
}

impl JoinKind {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "inner" => Self::Inner,
            "innerunique" => Self::InnerUnique,
            "leftouter" => Self::LeftOuter,
            _ => return None,
        })
    }
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "tolower" => Self::ToLower,
            "toupper" => Self::ToUpper,
            "tostring" => Self::ToString,
            "todatetime" => Self::ToDateTime,
            "ago" => Self::Ago,
            "now" => Self::Now,
            "isnull" => Self::IsNull,
            "isnotnull" => Self::IsNotNull,
            "isempty" => Self::IsEmpty,
            "isnotempty" => Self::IsNotEmpty,
            "coalesce" => Self::Coalesce,
            _ => return None,
        })
    }
}

/// A time in the forms that the language takes: with or without a time of day, with or without an offset.
pub(crate) fn time_of(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let candidates = [text.to_owned(), format!("{text}Z"), format!("{text}T00:00:00Z")];
    candidates.iter().find_map(|candidate| candidate.parse().ok())
}
