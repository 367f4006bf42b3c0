//! The options of a query: the page, and the form of the rows.
//! It never guesses: an option that is not known or not modelled refuses the query.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::ROWS_PER_PAGE;
use super::syntax::time_of;

/// What was asked of the answer's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) skip: usize,
    pub(super) top: usize,
    is_table: bool,
}

impl Options {
    /// Reads the options; `None` when one of them cannot be followed.
    pub(super) fn read(options: &Value) -> Option<Self> {
        let is_table = match &options["resultFormat"] {
            Value::Null => false,
            Value::String(format) if format.eq_ignore_ascii_case("objectArray") => false,
            Value::String(format) if format.eq_ignore_ascii_case("table") => true,
            _ => return None,
        };
        let filter = &options["authorizationScopeFilter"];
        if !filter.is_null() && filter != "AtScopeAndBelow" {
            return None;
        }
        if !matches!(options["allowPartialScopes"], Value::Null | Value::Bool(_)) {
            return None;
        }
        let (skip, top) = window(options)?;
        Some(Self { skip, top, is_table })
    }

    /// Rows as they were asked for: objects, or a table of columns and rows (documented).
    pub(super) fn shape(self, rows: &[&Value], columns: &[String]) -> Value {
        if !self.is_table {
            return json!(rows);
        }
        let kind = |name: &String| {
            let mut values = rows.iter().map(|row| &row[name]).filter(|value| !value.is_null());
            values.next().map_or("string", kind_of)
        };
        let described: Vec<Value> = columns.iter().map(|name| json!({ "name": name, "type": kind(name) })).collect();
        let cells = |row: &&Value| columns.iter().map(|name| row[name].clone()).collect::<Vec<Value>>();
        json!({ "columns": described, "rows": rows.iter().map(cells).collect::<Vec<_>>() })
    }
}

/// *Assumed* (`graph-table`): that a column is of the type of its first value; a text that is a full time is a `datetime`.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(text) if text.contains('T') && time_of(text).is_some() => "datetime",
        Value::Null | Value::String(_) => "string",
        Value::Array(_) | Value::Object(_) => "object",
    }
}

/// Where the page starts and how long it is: `$skip` and `$top` count more than the token's word (documented).
pub(super) fn window(options: &Value) -> Option<(usize, usize)> {
    let number = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
    let given = |name: &str| if options[name].is_null() { Some(None) } else { number(&options[name]).map(Some) };
    let (skip, top) = (given("$skip")?, given("$top")?);
    let (mut from, mut size) = (0, ROWS_PER_PAGE);
    match &options["$skipToken"] {
        Value::Null => {}
        Value::String(token) => {
            let token: Value = serde_json::from_slice(&STANDARD.decode(token).ok()?).ok()?;
            from = number(&token["RowsToSkip"])?;
            size = number(&token["MaxRows"])?;
        }
        _ => return None,
    }
    let (skip, top) = (skip.unwrap_or(from), top.unwrap_or(size));
    (1..=ROWS_PER_PAGE).contains(&top).then_some((skip, top))
}
