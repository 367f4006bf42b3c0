//! Resource Graph: what ARM knew a while ago, asked in a query language and answered in pages.
//! It never lists a restore point, never answers what it cannot read, and is never newer than its lag.

mod eval;
mod expressions;
mod facets;
mod lexer;
mod options;
mod parser;
mod seeded;
mod syntax;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::access::{Grant, allows, reads_something};
use super::call::{Answer, Call};
use super::errors::{ArmError, invalid_content};
use super::health::first_row;
use super::ids::{key, stamp_z};
use super::state::State;

use self::eval::Rows;
use self::options::Options;

pub(crate) use self::seeded::SeededRow;
pub(crate) use self::syntax::time_of;

/// Most rows of a page, and how many there are when none are asked for (documented).
const ROWS_PER_PAGE: usize = 1_000;
/// Results of queries kept for their next pages.
const RESULTS_KEPT: usize = 8;

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// Resources.
    Resources,
    /// Subscriptions, resource groups, management groups.
    ResourceContainers,
    /// How machines fare.
    HealthResources,
    /// Service health events.
    ServiceHealthResources,
    /// Vaults' items and jobs.
    RecoveryServicesResources,
}

/// A resource that Resource Graph lists.
pub(crate) trait Listed: fmt::Debug + Send + Sync {
    /// The table it is in.
    fn table(&self) -> Table;
    /// Its row. The columns `subscriptionId` and `type` are always there.
    fn row(&self) -> Value;
    /// Whether it is in every scope.
    fn is_everywhere(&self) -> bool {
        false
    }
}

/// What is listed, and what will be once the lag has passed.
#[derive(Clone, Debug)]
pub(crate) struct GraphIndex {
    lag: SignedDuration,
    rows: BTreeMap<String, Arc<dyn Listed>>,
    pending: BTreeMap<(Timestamp, u64), Change>,
    recorded: u64,
    /// Counts changes of `rows`.
    version: u64,
    results: Vec<(Asked, Arc<Rows>)>,
}

/// A resource's key, and its row unless it is gone.
type Change = (String, Option<Arc<dyn Listed>>);

/// What a kept result is the answer to.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    version: u64,
    query: String,
    subscriptions: Vec<String>,
    reader: Vec<Grant>,
    at: Option<Timestamp>,
}

impl Table {
    fn named(name: &str) -> Option<Self> {
        const NAMES: [(&str, Table); 5] = [
            ("resources", Table::Resources),
            ("resourcecontainers", Table::ResourceContainers),
            ("healthresources", Table::HealthResources),
            ("servicehealthresources", Table::ServiceHealthResources),
            ("recoveryservicesresources", Table::RecoveryServicesResources),
        ];
        NAMES.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, table)| table)
    }
}

impl GraphIndex {
    pub(crate) fn new(lag: SignedDuration) -> Self {
        Self { lag, rows: BTreeMap::new(), pending: BTreeMap::new(), recorded: 0, version: 0, results: Vec::new() }
    }

    /// How long changes take from now on.
    pub(crate) fn set_lag(&mut self, lag: SignedDuration) {
        self.lag = lag;
    }

    pub(crate) fn record(&mut self, key: String, row: Option<Arc<dyn Listed>>, now: Timestamp) {
        self.recorded += 1;
        let at = now.checked_add(self.lag).unwrap_or(Timestamp::MAX);
        self.pending.insert((at, self.recorded), (key, row));
    }

    /// Puts a row there as if it had always been.
    pub(crate) fn seed(&mut self, row: &Value) {
        let row = SeededRow::new(row);
        self.version += 1;
        self.rows.insert(row.key(), Arc::new(row));
    }

    pub(crate) fn settle(&mut self, now: Timestamp) {
        while let Some(entry) = self.pending.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let (key, row) = entry.remove();
            self.version += 1;
            match row {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }

    /// The rows of a table that the reader may read: a query answers only those, without a word about others (*assumed*,
    /// `graph-unreadable`: no source here shows it).
    fn rows_of(&self, table: Table, subscriptions: &[String], reader: &[Grant]) -> Vec<Value> {
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let own = |row: &Value| {
            let subscription = text(row, "subscriptionId");
            subscriptions.iter().any(|one| one.eq_ignore_ascii_case(&subscription))
        };
        let readable = |row: &Value| allows(reader, &format!("{}/read", text(row, "type")), &text(row, "id"));
        // A large estate has a hundred thousand resources: their rows are made only where the id can be in scope.
        let wanted: BTreeSet<String> = subscriptions.iter().map(|one| one.to_ascii_lowercase()).collect();
        let apart = |key: &str| match key.strip_prefix("/subscriptions/").and_then(|rest| rest.split('/').next()) {
            Some(subscription) => table == Table::Resources && !wanted.contains(subscription),
            None => false,
        };
        let is_listed = |key: &str, row: &Arc<dyn Listed>| row.table() == table && (row.is_everywhere() || !apart(key));
        let listed = self.rows.iter().filter(|(key, row)| is_listed(key, row)).map(|(_, row)| row);
        let rows = listed.map(|row| (row.is_everywhere(), row.row()));
        let rows = rows.filter(|(everywhere, row)| *everywhere || own(row)).map(|(_, row)| row);
        let rows: Vec<Value> =
            if table == Table::HealthResources { self.with_every_machine(rows) } else { rows.collect() };
        rows.into_iter().filter(|row| readable(row)).filter(|row| row["subscriptionId"].is_null() || own(row)).collect()
    }

    /// Statuses of machines that are listed, also of those of which nothing was said.
    fn with_every_machine(&self, statuses: impl Iterator<Item = Value>) -> Vec<Value> {
        let target = |row: &Value| row["properties"]["targetResourceId"].as_str().map(key);
        let mut told: BTreeMap<String, Value> = BTreeMap::new();
        let mut all = Vec::new();
        for row in statuses {
            match target(&row) {
                Some(target) => {
                    told.insert(target, row);
                }
                None => all.push(row),
            }
        }
        for (id, machine) in self.rows.iter().filter(|(_, row)| row.table() == Table::Resources) {
            if !id.contains("/virtualmachines/") {
                continue;
            }
            let machine = machine.row();
            all.push(told.remove(id).unwrap_or_else(|| first_row(&machine)));
        }
        all
    }
}

/// `POST /providers/Microsoft.ResourceGraph/resources`.
pub(crate) fn resources(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?;
    let text = body["query"].as_str().ok_or_else(|| invalid_content("Required property 'query' not found"))?;
    let read = parser::parse(text).map_err(|token| refused(call, &token))?;
    let subscriptions = scope(state, call, body)?;
    let options = Options::read(&body["options"]).ok_or_else(|| invalid_options(call))?;
    let (skip, top) = (options.skip, options.top);
    let asked = Asked {
        version: state.graph.version,
        query: text.to_owned(),
        subscriptions: subscriptions.clone(),
        reader: call.principal.grants.clone(),
        at: read.uses_time.then_some(call.now),
    };
    let kept = state.graph.results.iter().find(|(found, _)| *found == asked).map(|(_, rows)| rows.clone());
    let found = kept.unwrap_or_else(|| {
        let rows_of = |table| state.graph.rows_of(table, &subscriptions, &call.principal.grants);
        let rows = Arc::new(eval::run(&read.query, &rows_of, call.now));
        state.graph.results.insert(0, (asked, rows.clone()));
        state.graph.results.truncate(RESULTS_KEPT);
        rows
    });
    let data: Vec<&Value> = found.rows.iter().skip(skip).take(top).collect();
    let end = skip.saturating_add(data.len());
    let has_id = data.iter().all(|row| row["id"].is_string());
    // A page can be followed only where rows have an id (documented); else the rest is cut off and said to be.
    let more = end < found.rows.len();
    let shape = |rows: &[&Value], columns: &[String]| options.shape(rows, columns);
    let mut answer = json!({
        "totalRecords": found.rows.len(),
        "count": data.len(),
        "data": shape(&data, &found.columns()),
        "facets": facets::answer(&body["facets"], &found, &shape, call.now),
        "resultTruncated": if more && !has_id { "true" } else { "false" },
    });
    if more && has_id && !data.is_empty() {
        answer["$skipToken"] = json!(skip_token(top, end));
    }
    Ok(Answer::new(200, answer))
}

/// The subscriptions that are asked for, exist, and may be read. *Assumed* (`graph-scope`): that others are left out without a
/// word, the refusal where none is left, and that every management group holds every subscription: there is no tree of them.
fn scope(state: &State, call: &Call, body: &Value) -> Result<Vec<String>, ArmError> {
    let list = body["subscriptions"].as_array();
    let asked: Vec<String> = match list {
        Some(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => state.subscriptions.values().map(|one| one.id.clone()).collect(),
    };
    let readable = |id: &String| {
        let scope = format!("/subscriptions/{id}");
        state.subscriptions.contains_key(&id.to_ascii_lowercase()) && reads_something(&call.principal.grants, &scope)
    };
    let found: Vec<String> = asked.iter().filter(|id| readable(id)).cloned().collect();
    if found.is_empty() && !body["managementGroups"].is_array() {
        let message = format!(
            "There must be at least one subscription that is eligible to contain resources. Given: '{}'.",
            asked.join(",")
        );
        return Err(bad_request(
            call,
            vec![json!({ "code": "NoValidSubscriptionsInQueryRequest", "message": message })],
        ));
    }
    Ok(found)
}

/// The token's recorded form: base64 of this JSON, with these line ends.
fn skip_token(top: usize, skip: usize) -> String {
    STANDARD.encode(format!(
        "{{\r\n  \"$id\": \"1\",\r\n  \"MaxRows\": {top},\r\n  \"RowsToSkip\": {skip},\r\n  \"KustoClusterUrl\": \
         \"https://arg-weu-four-sf.arg.core.windows.net\"\r\n}}"
    ))
}

/// The recorded refusal of a query that cannot be read.
fn refused(call: &Call, token: &lexer::Token) -> ArmError {
    let invalid = json!({
        "code": "InvalidQuery",
        "message": "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the \
                    error before retrying.",
    });
    let failure = json!({
        "code": "ParserFailure",
        "message": "ParserFailure",
        "line": token.line,
        "characterPositionInLine": token.column,
        "token": token.text,
        // What the service printed, one odd letter; nobody can rest on it.
        "expectedToken": "\u{1cf}",
    });
    bad_request(call, vec![invalid, failure])
}

/// *Assumed* (`graph-options`): code and wording.
fn invalid_options(call: &Call) -> ArmError {
    let message = "The query options are invalid: $top must be between 1 and 1000, $skip and $skipToken as answered, \
                   resultFormat table or objectArray, authorizationScopeFilter AtScopeAndBelow.";
    bad_request(call, vec![json!({ "code": "InvalidQueryOptions", "message": message })])
}

fn bad_request(call: &Call, details: Vec<Value>) -> ArmError {
    let message = format!(
        "Please provide below info when asking for support: timestamp = {}, correlationId = {}.",
        stamp_z(call.now),
        call.correlation_id
    );
    ArmError::new(400, "BadRequest", message).with_details(details)
}
