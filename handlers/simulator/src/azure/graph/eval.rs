//! Carries out a query over rows.
//! It never fails: what does not fit is null or false, as the language has it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::ids::stamp_z;
use super::Table;
use super::syntax::{Compare, Expr, Function, JoinKind, Query, Stage, time_of};

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

/// Rows on their way, and the order of their columns where a stage gave one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rows {
    pub(super) rows: Vec<Value>,
    columns: Option<Vec<String>>,
}

/// Carries out a query over tables.
pub(super) fn run(query: &Query, rows_of: &dyn Fn(Table) -> Vec<Value>, now: Timestamp) -> Rows {
    let mut found = Rows { rows: rows_of(query.table), columns: None };
    for stage in &query.stages {
        found.pass(stage, rows_of, now);
    }
    found
}

impl Rows {
    /// The columns in order: as a stage named them, or by name.
    pub(super) fn columns(&self) -> Vec<String> {
        let by_name = || {
            let names: BTreeSet<&String> =
                self.rows.iter().filter_map(Value::as_object).flat_map(|row| row.keys()).collect();
            names.into_iter().cloned().collect()
        };
        self.columns.clone().unwrap_or_else(by_name)
    }

    fn pass(&mut self, stage: &Stage, rows_of: &dyn Fn(Table) -> Vec<Value>, now: Timestamp) {
        match stage {
            Stage::Where(condition) => self.rows.retain(|row| eval(condition, row, now) == Item::Bool(true)),
            Stage::Project(columns) => {
                let pick = |row: &Value| {
                    columns.iter().map(|(name, expr)| (name.clone(), eval(expr, row, now).into_json())).collect()
                };
                self.rows = self.rows.iter().map(|row| Value::Object(pick(row))).collect();
                self.columns = Some(columns.iter().map(|(name, _)| name.clone()).collect());
            }
            Stage::Extend(columns) => {
                for row in &mut self.rows {
                    extend(row, columns, now);
                }
                if let Some(known) = &mut self.columns {
                    known.extend(columns.iter().map(|(name, _)| name.clone()));
                }
            }
            Stage::Order(keys) => self.order(keys, now),
            Stage::Take(count) => self.rows.truncate(*count),
            Stage::Top(count, key, descends) => {
                self.order(&[(key.clone(), *descends)], now);
                self.rows.truncate(*count);
            }
            Stage::Count => {
                self.rows = vec![json!({ "Count": self.rows.len() })];
                self.columns = Some(vec!["Count".to_owned()]);
            }
            Stage::Summarize { count, by } => self.summarize(count.as_deref(), by, now),
            Stage::Join { kind, right, on } => self.join(*kind, run(right, rows_of, now), on),
        }
    }

    fn order(&mut self, keys: &[(Expr, bool)], now: Timestamp) {
        self.rows.sort_by(|one, other| {
            keys.iter().fold(Ordering::Equal, |so_far, (key, descends)| {
                so_far.then_with(|| {
                    let found = order(&eval(key, one, now), &eval(key, other, now));
                    if *descends { found.reverse() } else { found }
                })
            })
        });
    }

    /// *Assumed* (`graph-summarize-order`): that the groups come in the order of their keys, as in the documents' examples.
    fn summarize(&mut self, count: Option<&str>, by: &[(String, Expr)], now: Timestamp) {
        let mut groups: BTreeMap<String, (Vec<Value>, u64)> = BTreeMap::new();
        if by.is_empty() {
            groups.insert(String::new(), (Vec::new(), 0));
        }
        for row in &self.rows {
            let keys: Vec<Value> = by.iter().map(|(_, expr)| eval(expr, row, now).into_json()).collect();
            let name = if by.is_empty() { String::new() } else { json!(keys).to_string() };
            groups.entry(name).or_insert_with(|| (keys, 0)).1 += 1;
        }
        let row = |(keys, rows): (Vec<Value>, u64)| {
            let names = by.iter().map(|(name, _)| name.clone());
            let counted = count.map(|count| (count.to_owned(), json!(rows)));
            Value::Object(names.zip(keys).chain(counted).collect())
        };
        self.rows = groups.into_values().map(row).collect();
        let names = by.iter().map(|(name, _)| name.clone());
        self.columns = Some(names.chain(count.map(str::to_owned)).collect());
    }

    /// Columns of both sides stay; one of the right side whose name the left side has is numbered. Nulls match nothing.
    fn join(&mut self, kind: JoinKind, right: Self, on: &[(String, String)]) {
        let key = |row: &Value, side: &dyn Fn(&(String, String)) -> String| {
            let values: Vec<&Value> = on.iter().map(|pair| &row[side(pair)]).collect();
            (!values.iter().any(|value| value.is_null())).then(|| json!(values).to_string())
        };
        let mut pairs: HashMap<String, Vec<&Value>> = HashMap::new();
        for row in &right.rows {
            if let Some(key) = key(row, &|(_, right)| right.clone()) {
                pairs.entry(key).or_default().push(row);
            }
        }
        let (left_columns, right_columns) = (self.columns(), right.columns());
        let named = |name: &String| if left_columns.contains(name) { format!("{name}1") } else { name.clone() };
        let beside = |left: &Value, right: Option<&Value>| {
            let mut row = left.clone();
            for name in &right_columns {
                let value = right.and_then(|right| right.get(name)).cloned().unwrap_or(Value::Null);
                row[named(name)] = value;
            }
            row
        };
        let (mut joined, mut seen) = (Vec::new(), HashSet::new());
        for left in &self.rows {
            let key = key(left, &|(left, _)| left.clone());
            if kind == JoinKind::InnerUnique && key.as_ref().is_some_and(|key| !seen.insert(key.clone())) {
                continue;
            }
            match key.and_then(|key| pairs.get(&key)) {
                Some(found) => joined.extend(found.iter().map(|right| beside(left, Some(right)))),
                None if kind == JoinKind::LeftOuter => joined.push(beside(left, None)),
                None => {}
            }
        }
        self.columns = Some(left_columns.iter().cloned().chain(right_columns.iter().map(named)).collect());
        self.rows = joined;
    }
}

fn extend(row: &mut Value, columns: &[(String, Expr)], now: Timestamp) {
    for (name, expr) in columns {
        let value = eval(expr, row, now).into_json();
        if let Some(fields) = row.as_object_mut() {
            fields.insert(name.clone(), value);
        }
    }
}

/// What an expression is in a row, as JSON.
pub(super) fn value(expr: &Expr, row: &Value, now: Timestamp) -> Value {
    eval(expr, row, now).into_json()
}

/// Sorts rows by an expression.
pub(super) fn sort(rows: &mut [Value], key: &Expr, descends: bool, now: Timestamp) {
    rows.sort_by(|one, other| {
        let found = order(&eval(key, one, now), &eval(key, other, now));
        if descends { found.reverse() } else { found }
    });
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
