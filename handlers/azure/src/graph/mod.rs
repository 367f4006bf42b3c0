//! Azure Resource Graph (2024-04-01, `resourcegraph.json`): finds resources over subscriptions. The queries are the `.kql` files.
//!
//! It never says what is not there: Graph lags behind, so it is for finding. It gives a whole listing or an error, never a
//! part. Only times are put into a query.

use crate::{
    arm::{ArmClient, Call},
    error::{Error, ErrorKind},
    json,
    machines::Os,
    operations::{Harm, Operation, RESOURCE_GRAPH},
    quota,
    retry::Repeat,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};

/// Asking Resource Graph. What it answers depends on the read rights on what is asked for.
pub const QUERY: Operation = Operation {
    action: "Microsoft.ResourceGraph/resources/read",
    method: "POST",
    path: "/providers/Microsoft.ResourceGraph/resources",
    api_version: RESOURCE_GRAPH.0,
    document: RESOURCE_GRAPH.1,
    harm: Harm::Nothing,
    evidence: &[
        "graph-paging",
        "graph-truncated",
        "graph-quota",
        "graph-scope-cut",
        "graph-subscriptions",
        "graph-null-time",
    ],
};

const MACHINES: &str = include_str!("machines.kql");
const COLLECTIONS: &str = include_str!("collections.kql");
/// Where the only parameter goes.
const CREATED_SINCE: &str = "{created_since}";

/// Rows a page; the document's maximum. Each page costs one of fifteen queries in five seconds.
const PAGE_ROWS: u32 = 1000;
/// Pages of one listing: 200,000 rows.
const MAX_PAGES: usize = 200;
/// Subscriptions of one question. *Assumed*: more than this are asked in groups of this size.
const MAX_SUBSCRIPTIONS: usize = 1000;

/// A machine as Graph knows it. Graph lags: read the machine before acting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineRow {
    /// Its ARM id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub location: String,
    /// Its resource group.
    pub resource_group: String,
    /// Its subscription.
    pub subscription: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its identity; empty where Graph has none yet.
    pub vm_id: String,
    /// When it was made.
    pub time_created: Option<Timestamp>,
    /// What owns it.
    pub managed_by: Option<String>,
    /// The scale set that it is in.
    pub scale_set: Option<String>,
    /// The family of its operating system.
    pub os: Option<Os>,
    /// Its size.
    pub size: Option<String>,
}

/// A restore point collection as Graph knows it. Its points are not in Graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionRow {
    /// Its ARM id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub location: String,
    /// Its resource group.
    pub resource_group: String,
    /// Its subscription.
    pub subscription: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The machine that its points are of; empty where Graph does not say.
    pub source: String,
}

/// All machines in the subscriptions. A repeat is safe and costs a query a page.
pub async fn all_machines(arm: &ArmClient, subscriptions: &[String]) -> Result<Vec<MachineRow>, Error> {
    rows(arm, subscriptions, &machines_query(None), machine).await
}

/// The machines made at that time or later. A repeat is safe and costs a query a page.
///
/// Machines without a time, made before Azure kept one, are not among them.
pub async fn machines_created_since(
    arm: &ArmClient,
    subscriptions: &[String],
    since: Timestamp,
) -> Result<Vec<MachineRow>, Error> {
    rows(arm, subscriptions, &machines_query(Some(since)), machine).await
}

/// The restore point collections with that tag and value; the tag's name without regard to case, as Azure has it.
///
/// All collections in scope are read: nothing but times is put into a query. A repeat is safe.
pub async fn collections_tagged(
    arm: &ArmClient,
    subscriptions: &[String],
    tag: &str,
    value: &str,
) -> Result<Vec<CollectionRow>, Error> {
    let mut found = rows(arm, subscriptions, &without_comments(COLLECTIONS), collection).await?;
    found.retain(|row| row.tags.iter().any(|(name, own)| name.eq_ignore_ascii_case(tag) && own == value));
    Ok(found)
}

fn machines_query(since: Option<Timestamp>) -> String {
    let query = without_comments(MACHINES);
    match since {
        Some(since) => query.replace(CREATED_SINCE, &since.to_string()),
        None => query.lines().filter(|line| !line.contains(CREATED_SINCE)).collect::<Vec<_>>().join("\n"),
    }
}

fn without_comments(query: &str) -> String {
    query.lines().filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Reads all pages, one group of subscriptions after the other.
async fn rows<T>(
    arm: &ArmClient,
    subscriptions: &[String],
    query: &str,
    read: fn(&Value) -> Option<T>,
) -> Result<Vec<T>, Error> {
    let mut all = Vec::new();
    for group in subscriptions.chunks(MAX_SUBSCRIPTIONS) {
        pages(arm, group, query, read, &mut all).await?;
    }
    Ok(all)
}

async fn pages<T>(
    arm: &ArmClient,
    subscriptions: &[String],
    query: &str,
    read: fn(&Value) -> Option<T>,
    all: &mut Vec<T>,
) -> Result<(), Error> {
    let url = arm.url(&QUERY, &[], &[])?;
    let (mut skip_token, mut seen): (Option<String>, HashSet<String>) = Default::default();
    for _ in 0..MAX_PAGES {
        let mut options = json!({ "$top": PAGE_ROWS, "resultFormat": "objectArray", "allowPartialScopes": false });
        if let Some(token) = &skip_token {
            options["$skipToken"] = json!(token);
        }
        let body = json!({ "subscriptions": subscriptions, "query": query, "options": options });
        let answer = arm.send(&Call::change(&QUERY, url.clone(), Some(body), Repeat::Safe, None)).await?;
        if answer.header("x-ms-tenant-subscription-limit-hit").is_some_and(|hit| hit.eq_ignore_ascii_case("true")) {
            return Err(Error::because(ErrorKind::Limit, QUERY.action, "Resource Graph cut the scope"));
        }
        let page = read_page(&answer.body, read)?;
        all.extend(page.rows);
        match page.next {
            Some(next) if !seen.insert(next.clone()) => {
                return Err(Error::malformed(QUERY.action, "the same page was named twice"));
            }
            Some(next) => skip_token = Some(next),
            None if page.truncated => {
                return Err(Error::because(ErrorKind::Limit, QUERY.action, "Resource Graph cut the result"));
            }
            None => return Ok(()),
        }
        if let Some(wait) = quota::graph_wait(&answer).filter(|wait| *wait <= crate::RETRY_BUDGET) {
            tokio::time::sleep(wait).await;
        }
    }
    Err(Error::new(ErrorKind::Limit, QUERY.action))
}

fn read_page<T>(body: &[u8], read: fn(&Value) -> Option<T>) -> Result<Page<T>, Error> {
    let value = serde_json::from_slice(body).map_err(|error| Error::malformed(QUERY.action, error))?;
    Page::read(&value, read).ok_or_else(|| Error::malformed(QUERY.action, "an answer without rows"))
}

/// Reads the body of one page of machines, as [`all_machines`] does. For measuring.
#[doc(hidden)]
pub fn decode_machines_page(body: &[u8]) -> Result<Vec<MachineRow>, Error> {
    read_page(body, machine).map(|page| page.rows)
}

/// One page of an answer.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub rows: Vec<T>,
    pub truncated: bool,
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Reads a page; none if it has no rows' array, or a row without what it must have.
    pub(crate) fn read(value: &Value, read: fn(&Value) -> Option<T>) -> Option<Self> {
        let rows = value.get("data")?.as_array()?.iter().map(read).collect::<Option<Vec<T>>>()?;
        // The document has the texts "true" and "false", not booleans; either is read.
        let truncated = match value.get("resultTruncated") {
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            Some(Value::Bool(truncated)) => *truncated,
            _ => false,
        };
        let next = json::string(value, "/$skipToken").filter(|token| !token.is_empty());
        Some(Self { rows, truncated, next })
    }
}

/// A machine's row; none without its id. KQL's `tostring` of nothing is the empty text.
pub(crate) fn machine(row: &Value) -> Option<MachineRow> {
    Some(MachineRow {
        id: json::string(row, "/id")?,
        name: json::string(row, "/name").unwrap_or_default(),
        location: json::region(json::text(row, "/location").unwrap_or_default()),
        resource_group: json::string(row, "/resourceGroup").unwrap_or_default(),
        subscription: json::string(row, "/subscriptionId").unwrap_or_default(),
        tags: json::tags(row),
        vm_id: json::string(row, "/vmId").unwrap_or_default(),
        time_created: json::time(row, "/timeCreated"),
        managed_by: json::filled(row, "/managedBy"),
        scale_set: json::filled(row, "/scaleSet"),
        os: json::text(row, "/osType").and_then(Os::read),
        size: json::filled(row, "/vmSize"),
    })
}

pub(crate) fn collection(row: &Value) -> Option<CollectionRow> {
    Some(CollectionRow {
        id: json::string(row, "/id")?,
        name: json::string(row, "/name").unwrap_or_default(),
        location: json::region(json::text(row, "/location").unwrap_or_default()),
        resource_group: json::string(row, "/resourceGroup").unwrap_or_default(),
        subscription: json::string(row, "/subscriptionId").unwrap_or_default(),
        tags: json::tags(row),
        source: json::string(row, "/source").unwrap_or_default(),
    })
}
