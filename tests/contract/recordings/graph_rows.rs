//! What a recorded answer of Resource Graph presupposes: the rows that it shows, and as many that it does not show as it
//! says there are. It is compared all the same: how many rows a page has, which columns, and what stands around them is
//! the simulator's work.
//! It never says what an unseen row holds: each is a copy of a shown one under another id.

use serde_json::{Value, json};

use crate::tape::{Line, Tape};

/// Unseen rows that are made up at most: far more than pages of the tapes pass over.
const UNSEEN_MAX: u64 = 5_000;

/// The rows that the answers of a tape presuppose.
pub fn of(tape: &Tape) -> Vec<Value> {
    tape.lines.iter().filter(|line| is_query(line) && line.answer.status == 200).flat_map(rows).collect()
}

fn is_query(line: &Line) -> bool {
    line.method == "POST" && line.key() == "/providers/microsoft.resourcegraph/resources"
}

fn rows(line: &Line) -> Vec<Value> {
    let shown = line.answer.body["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut rows = shown.to_vec();
    let total = line.answer.body["totalRecords"].as_u64().unwrap_or_default().min(UNSEEN_MAX);
    let unseen = usize::try_from(total).unwrap_or_default().saturating_sub(rows.len());
    let copies: Vec<Value> = rows.iter().cycle().take(unseen).enumerate().map(|(at, row)| copy(row, at)).collect();
    rows.extend(copies);
    rows
}

fn copy(row: &Value, number: usize) -> Value {
    let mut copy = row.clone();
    if let Some(id) = row["id"].as_str() {
        copy["id"] = json!(format!("{id}-unseen-{number}"));
    }
    copy
}
