//! Facets: rows of an answer counted by a column.
//! It never fails the query: a facet that cannot be read is answered as a facet's error, as the documents' example has it.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::eval::{Rows, sort, value};
use super::parser::{parse_condition, parse_expression};
use super::syntax::Expr;

/// Most rows of a facet (documented).
const ROWS: usize = 1_000;

/// The answers to all facets that were asked for.
pub(super) fn answer(
    asked: &Value,
    found: &Rows,
    shape: &dyn Fn(&[&Value], &[String]) -> Value,
    now: Timestamp,
) -> Value {
    let facets = asked.as_array().map_or(&[][..], Vec::as_slice);
    facets.iter().map(|facet| one(facet, found, shape, now)).collect()
}

fn one(facet: &Value, found: &Rows, shape: &dyn Fn(&[&Value], &[String]) -> Value, now: Timestamp) -> Value {
    let (text, options) = (facet["expression"].as_str().unwrap_or_default(), &facet["options"]);
    let (known, wanted) = (found.columns(), columns(text));
    let unknown: Vec<&String> = wanted.iter().filter(|column| !known.contains(column)).collect();
    if !unknown.is_empty() || wanted.is_empty() {
        let names: Vec<&str> = text.split(',').map(str::trim).collect();
        let errors = [
            json!({ "code": "NoValidColumns", "message": "No valid columns in facet expression." }),
            json!({ "code": "InvalidColumnNames", "message": format!("Invalid column names: [{}].", names.join(", ")) }),
        ];
        return json!({ "expression": text, "resultType": "FacetError", "errors": errors });
    }
    match rows(&wanted, options, found, now) {
        Ok(all) => {
            let page: Vec<&Value> = all.iter().take(top(options)).collect();
            let columns: Vec<String> = wanted.into_iter().chain(["count".to_owned()]).collect();
            json!({
                "expression": text,
                "resultType": "FacetResult",
                "totalRecords": all.len(),
                "count": page.len(),
                "data": shape(&page, &columns),
            })
        }
        // *Assumed* (`graph-facet-options`): code and wording.
        Err(option) => json!({
            "expression": text,
            "resultType": "FacetError",
            "errors": [{ "code": "InvalidFacetOptions", "message": format!("The option '{option}' is invalid.") }],
        }),
    }
}

/// The rows of a facet, or the option that cannot be read.
fn rows(wanted: &[String], options: &Value, found: &Rows, now: Timestamp) -> Result<Vec<Value>, &'static str> {
    let read = |name: &'static str| match options[name].as_str() {
        None => Ok(None),
        Some(text) if name == "filter" => parse_condition(text).map(Some).map_err(|_| name),
        Some(text) => parse_expression(text).map(Some).map_err(|_| name),
    };
    let (filter, sort_by) = (read("filter")?, read("sortBy")?);
    let descends = match options["sortOrder"].as_str() {
        None | Some("desc") => true,
        Some("asc") => false,
        Some(_) => return Err("sortOrder"),
    };
    let passes = |row: &&Value| filter.as_ref().is_none_or(|filter| value(filter, row, now) == json!(true));
    let mut counted: Vec<(Map<String, Value>, u64)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for row in found.rows.iter().filter(passes) {
        let key: Map<String, Value> = wanted.iter().map(|name| (name.clone(), row[name].clone())).collect();
        let place = *places.entry(Value::Object(key.clone()).to_string()).or_insert_with(|| {
            counted.push((key, 0));
            counted.len() - 1
        });
        counted[place].1 += 1;
    }
    let row = |(mut key, count): (Map<String, Value>, u64)| {
        key.insert("count".to_owned(), json!(count));
        Value::Object(key)
    };
    let mut rows: Vec<Value> = counted.into_iter().map(row).collect();
    sort(&mut rows, &sort_by.unwrap_or_else(|| Expr::Path(vec!["count".to_owned()])), descends, now);
    Ok(rows)
}

fn top(options: &Value) -> usize {
    options["$top"].as_u64().and_then(|top| usize::try_from(top).ok()).map_or(ROWS, |top| top.clamp(1, ROWS))
}

/// The columns that an expression names: paths, which are columns by their parts.
fn columns(text: &str) -> Vec<String> {
    let column = |part: &str| match parse_expression(part).ok()? {
        Expr::Path(path) => Some(path.join("_")),
        _ => None,
    };
    text.split(',').map(column).collect::<Option<Vec<_>>>().unwrap_or_default()
}
