//! Azure Resource Graph (2024-04-01, `resourcegraph.json`): finds resources over subscriptions. The queries are the `.kql` files.
//!
//! It never says what is not there: Graph lags behind, so it is for finding. It gives a whole listing or an error, never a
//! part. Only times are put into a query.

use crate::{
    arm::{ArmClient, Call},
    error::{Error, ErrorKind},
    machines::Os,
    operations::{Harm, Operation, RESOURCE_GRAPH},
    quota,
    retry::Repeat,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, HashSet};

mod row;

use row::Loose;
pub(crate) use row::Row;

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
        "graph-items",
        "graph-token-life",
    ],
};

const MACHINES: &str = include_str!("machines.kql");
const COLLECTIONS: &str = include_str!("collections.kql");
const ITEMS: &str = include_str!("items.kql");
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

/// The item of a machine in a vault, as Graph knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRow {
    /// Its ARM id, which begins with the vault's.
    pub id: String,
    /// The machine's ARM id; empty where Graph does not say.
    pub machine: String,
}

/// The machines in the subscriptions, page by page; with a time, only those made at that time or later.
///
/// Machines without a time, made before Azure kept one, are not after any.
pub fn machines<'a>(
    arm: &'a ArmClient,
    subscriptions: &'a [String],
    since: Option<Timestamp>,
) -> Pages<'a, MachineRow> {
    Pages::new(arm, subscriptions, machines_query(since), Row::machine)
}

/// The items of vaults that are of machines, page by page: which machine is in which vault. Graph lags behind the vault, whose own
/// list says how the item is.
pub fn items<'a>(arm: &'a ArmClient, subscriptions: &'a [String]) -> Pages<'a, ItemRow> {
    Pages::new(arm, subscriptions, without_comments(ITEMS), Row::item)
}

/// All machines in the subscriptions. A repeat is safe and costs a query a page.
pub async fn all_machines(arm: &ArmClient, subscriptions: &[String]) -> Result<Vec<MachineRow>, Error> {
    machines(arm, subscriptions, None).all().await
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
    let mut found = all_collections(arm, subscriptions).await?;
    found.retain(|row| row.tags.iter().any(|(name, own)| name.eq_ignore_ascii_case(tag) && own == value));
    Ok(found)
}

/// All restore point collections in the subscriptions, whosever they are. A repeat is safe and costs a query a page.
pub async fn all_collections(arm: &ArmClient, subscriptions: &[String]) -> Result<Vec<CollectionRow>, Error> {
    Pages::new(arm, subscriptions, without_comments(COLLECTIONS), Row::collection).all().await
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

/// A listing, read page by page. A part of it is no listing: nothing is concluded before [`Pages::next`] has said that it is whole.
///
/// The token of a next page is used at once and never kept: how long it holds is nowhere said.
pub struct Pages<'a, T> {
    arm: &'a ArmClient,
    query: String,
    read: fn(Row) -> Option<T>,
    /// The groups of subscriptions still to be asked about; the first is under way.
    groups: std::slice::Chunks<'a, String>,
    group: Option<&'a [String]>,
    skip_token: Option<String>,
    /// The tokens that this group's pages have named.
    named: HashSet<String>,
    read_pages: usize,
}

impl<'a, T> Pages<'a, T> {
    fn new(arm: &'a ArmClient, subscriptions: &'a [String], query: String, read: fn(Row) -> Option<T>) -> Self {
        let mut groups = subscriptions.chunks(MAX_SUBSCRIPTIONS);
        let group = groups.next();
        Self { arm, query, read, groups, group, skip_token: None, named: HashSet::new(), read_pages: 0 }
    }

    /// The rows of the next page; none when all have been given. After an error there is nothing more. A repeat begins anew.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>, Error> {
        let Some(group) = self.group else { return Ok(None) };
        let page = self.page(group).await;
        self.group = None;
        let page = page?;
        self.read_pages += 1;
        match page.next {
            Some(next) if !self.named.insert(next.clone()) => {
                return Err(Error::malformed(QUERY.action, "the same page was named twice"));
            }
            Some(_) if self.read_pages >= MAX_PAGES => return Err(Error::new(ErrorKind::Limit, QUERY.action)),
            Some(next) => (self.group, self.skip_token) = (Some(group), Some(next)),
            None if page.truncated => {
                return Err(Error::because(ErrorKind::Limit, QUERY.action, "Resource Graph cut the result"));
            }
            None => {
                self.named.clear();
                (self.group, self.skip_token, self.read_pages) = (self.groups.next(), None, 0);
            }
        }
        Ok(Some(page.rows))
    }

    /// All rows, or an error.
    pub async fn all(mut self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while let Some(rows) = self.next().await? {
            all.extend(rows);
        }
        Ok(all)
    }

    async fn page(&self, group: &[String]) -> Result<Page<T>, Error> {
        let mut options = json!({ "$top": PAGE_ROWS, "resultFormat": "objectArray", "allowPartialScopes": false });
        if let Some(token) = &self.skip_token {
            options["$skipToken"] = json!(token);
        }
        let body = json!({ "subscriptions": group, "query": self.query, "options": options });
        self.arm.wait_for_graph().await;
        let url = self.arm.url(&QUERY, &[], &[])?;
        let answer = self.arm.send(&Call::change(&QUERY, url, Some(body), Repeat::Safe, None)).await?;
        if answer.header("x-ms-tenant-subscription-limit-hit").is_some_and(|hit| hit.eq_ignore_ascii_case("true")) {
            return Err(Error::because(ErrorKind::Limit, QUERY.action, "Resource Graph cut the scope"));
        }
        self.arm.note_graph(quota::graph_wait(&answer).filter(|wait| *wait <= crate::RETRY_BUDGET));
        Page::read(&answer.body, self.read)
    }
}

impl<T> std::fmt::Debug for Pages<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").field("read_pages", &self.read_pages).finish_non_exhaustive()
    }
}

/// Reads the body of one page of machines, as [`all_machines`] does. For measuring.
#[doc(hidden)]
pub fn decode_machines_page(body: &[u8]) -> Result<Vec<MachineRow>, Error> {
    Page::read(body, Row::machine).map(|page| page.rows)
}

/// One page of an answer.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub rows: Vec<T>,
    pub truncated: bool,
    pub next: Option<String>,
}

/// An answer as the document has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    data: Vec<Row>,
    #[serde(default)]
    result_truncated: Loose,
    #[serde(default, rename = "$skipToken")]
    skip_token: Loose,
}

impl<T> Page<T> {
    /// Reads a page, or fails if it has no rows' array, or a row without what it must have.
    pub(crate) fn read(body: &[u8], read: fn(Row) -> Option<T>) -> Result<Self, Error> {
        let wire: Wire = serde_json::from_slice(body).map_err(|error| Error::malformed(QUERY.action, error))?;
        let rows: Option<Vec<T>> = wire.data.into_iter().map(read).collect();
        Ok(Self {
            rows: rows.ok_or_else(|| Error::malformed(QUERY.action, "a row without its id"))?,
            truncated: wire.result_truncated.says_true(),
            next: wire.skip_token.text().filter(|token| !token.is_empty()),
        })
    }
}
