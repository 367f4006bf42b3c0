//! Carries out a query over rows.
//! It never fails: what does not fit is null or false, as the language has it.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::ids::stamp_z;
use super::syntax::{Compare, Expr, Function, Stage, time_of};

/// A value on its way.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Time(Timestamp),
    Span(f64),
    Json(Value),
}

/// All stages over all rows.
pub(super) fn run(stages: &[Stage], mut rows: Vec<Value>, now: Timestamp) -> Vec<Value> {
    for stage in stages {
        match stage {
            Stage::Where(condition) => rows.retain(|row| eval(condition, row, now) == Item::Bool(true)),
            Stage::Project(columns) => {
                let pick = |row: &Value| {
                    columns.iter().map(|(name, expr)| (name.clone(), eval(expr, row, now).into_json())).collect()
                };
                rows = rows.iter().map(|row| Value::Object(pick(row))).collect();
            }
            Stage::Extend(columns) => {
                for row in &mut rows {
                    extend(row, columns, now);
                }
            }
            Stage::Order(keys) => {
                let by = |one: &Value, other: &Value| {
                    keys.iter().fold(Ordering::Equal, |so_far, (key, descends)| {
                        so_far.then_with(|| {
                            let found = order(&eval(key, one, now), &eval(key, other, now));
                            if *descends { found.reverse() } else { found }
                        })
                    })
                };
                rows.sort_by(by);
            }
            Stage::Take(count) => rows.truncate(*count),
            Stage::Count => rows = vec![json!({ "Count": rows.len() })],
        }
    }
    rows
}

fn extend(row: &mut Value, columns: &[(String, Expr)], now: Timestamp) {
    for (name, expr) in columns {
        let value = eval(expr, row, now).into_json();
        if let Some(fields) = row.as_object_mut() {
            fields.insert(name.clone(), value);
        }
    }
}

fn eval(expr: &Expr, row: &Value, now: Timestamp) -> Item {
    match expr {
        Expr::Path(path) => Item::of(find(row, path)),
        Expr::Text(text) => Item::Text(text.clone()),
        Expr::Number(number) => Item::Number(*number),
        Expr::Bool(yes) => Item::Bool(*yes),
        Expr::Span(seconds) => Item::Span(*seconds),
        Expr::Time(at) => Item::Time(*at),
        Expr::Null => Item::Null,
        Expr::Call(function, arguments) => {
            let values: Vec<Item> = arguments.iter().map(|argument| eval(argument, row, now)).collect();
            call(*function, &values, now)
        }
        Expr::Compare(left, how, right) => Item::Bool(compare(&eval(left, row, now), *how, &eval(right, row, now))),
        Expr::In { value, list, any_case, negated } => {
            let value = eval(value, row, now);
            let how = if *any_case { Compare::EqualAnyCase } else { Compare::Equal };
            let found = list.iter().any(|one| compare(&value, how, &eval(one, row, now)));
            Item::Bool(found != *negated)
        }
        Expr::And(left, right) => Item::Bool(is_true(left, row, now) && is_true(right, row, now)),
        Expr::Or(left, right) => Item::Bool(is_true(left, row, now) || is_true(right, row, now)),
        Expr::Not(inner) => Item::Bool(!is_true(inner, row, now)),
    }
}

fn is_true(expr: &Expr, row: &Value, now: Timestamp) -> bool {
    eval(expr, row, now) == Item::Bool(true)
}

/// A column is found by its exact name first: names inside objects are cased as ARM cases them.
fn find<'a>(row: &'a Value, path: &[String]) -> &'a Value {
    path.iter().fold(row, |inside, part| match inside {
        Value::Array(list) => part.parse::<usize>().ok().and_then(|place| list.get(place)).unwrap_or(&Value::Null),
        Value::Object(fields) => fields.get(part).unwrap_or(&Value::Null),
        _ => &Value::Null,
    })
}

fn call(function: Function, values: &[Item], now: Timestamp) -> Item {
    let first = values.first().unwrap_or(&Item::Null);
    match function {
        Function::ToLower => Item::Text(first.text().to_lowercase()),
        Function::ToUpper => Item::Text(first.text().to_uppercase()),
        Function::ToString => Item::Text(first.text()),
        Function::ToDateTime => first.time().map_or(Item::Null, Item::Time),
        Function::Now => Item::Time(now),
        Function::Ago => match first {
            Item::Span(seconds) => {
                let span = SignedDuration::try_from_secs_f64(*seconds).unwrap_or(SignedDuration::ZERO);
                now.checked_sub(span).map_or(Item::Null, Item::Time)
            }
            _ => Item::Null,
        },
        Function::IsNull => Item::Bool(*first == Item::Null),
        Function::IsNotNull => Item::Bool(*first != Item::Null),
        Function::IsEmpty => Item::Bool(first.text().is_empty()),
        Function::IsNotEmpty => Item::Bool(!first.text().is_empty()),
        Function::Coalesce => values.iter().find(|value| **value != Item::Null).cloned().unwrap_or(Item::Null),
    }
}

fn compare(left: &Item, how: Compare, right: &Item) -> bool {
    let texts = || (left.text(), right.text());
    let lower = || (left.text().to_lowercase(), right.text().to_lowercase());
    match how {
        Compare::Equal => equal(left, right),
        Compare::NotEqual => !equal(left, right),
        Compare::EqualAnyCase => lower().0 == lower().1,
        Compare::NotEqualAnyCase => lower().0 != lower().1,
        Compare::Less => ordered(left, right) == Some(Ordering::Less),
        Compare::LessOrEqual => matches!(ordered(left, right), Some(Ordering::Less | Ordering::Equal)),
        Compare::Greater => ordered(left, right) == Some(Ordering::Greater),
        Compare::GreaterOrEqual => matches!(ordered(left, right), Some(Ordering::Greater | Ordering::Equal)),
        Compare::Contains => lower().0.contains(&lower().1),
        Compare::NotContains => !lower().0.contains(&lower().1),
        Compare::StartsWith => lower().0.starts_with(&lower().1),
        Compare::EndsWith => lower().0.ends_with(&lower().1),
        Compare::Has => {
            let (text, term) = texts();
            let (text, term) = (text.to_lowercase(), term.to_lowercase());
            let mut terms = text.split(|c: char| !c.is_alphanumeric());
            terms.any(|one| one == term) || (term.contains(|c: char| !c.is_alphanumeric()) && text.contains(&term))
        }
    }
}

fn equal(left: &Item, right: &Item) -> bool {
    match (left, right) {
        (Item::Null, Item::Null) => true,
        // A missing text is the empty text.
        (Item::Null, Item::Text(text)) | (Item::Text(text), Item::Null) => text.is_empty(),
        (Item::Number(one), Item::Number(other)) => one == other,
        _ => left == right,
    }
}

/// Only like goes with like: a text is not a time until `todatetime` makes it one.
fn ordered(left: &Item, right: &Item) -> Option<Ordering> {
    match (left, right) {
        (Item::Number(one), Item::Number(other)) => one.partial_cmp(other),
        (Item::Time(one), Item::Time(other)) => Some(one.cmp(other)),
        (Item::Text(one), Item::Text(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

/// Nulls come first where the order ascends.
fn order(left: &Item, right: &Item) -> Ordering {
    match (left, right) {
        (Item::Null, Item::Null) => Ordering::Equal,
        (Item::Null, _) => Ordering::Less,
        (_, Item::Null) => Ordering::Greater,
        _ => ordered(left, right).unwrap_or_else(|| left.text().cmp(&right.text())),
    }
}

impl Item {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(yes) => Self::Bool(*yes),
            Value::Number(number) => number.as_f64().map_or(Self::Null, Self::Number),
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(_) | Value::Object(_) => Self::Json(value.clone()),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(yes) => yes.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Time(at) => stamp_z(*at),
            Self::Span(seconds) => format!("{seconds}s"),
            Self::Json(value) => value.to_string(),
        }
    }

    fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(at) => Some(*at),
            Self::Text(text) => time_of(text),
            _ => None,
        }
    }

    fn into_json(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(yes) => json!(yes),
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => json!(number as i64),
            Self::Number(number) => json!(number),
            Self::Json(value) => value,
            other => json!(other.text()),
        }
    }
}
