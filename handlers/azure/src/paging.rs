//! Paging, once for all listings: `{"value": […], "nextLink": "…"}`; null, empty and absent links end it.
//!
//! It never gives a part for a whole, never follows a link to another host (the token would go with it), never reads the
//! same page twice, and never reads without end.

use crate::{
    arm::{ArmClient, Call, decode},
    error::{Error, ErrorKind},
    json,
    operations::Operation,
    transport::Answer,
};
use serde_json::Value;
use std::collections::HashSet;

/// How many pages of one listing are read; 1,000 entries a page are 200,000 resources.
const MAX_PAGES: usize = 200;

/// One page.
#[derive(Debug)]
pub(crate) struct Page {
    pub entries: Vec<Value>,
    /// The next page, verbatim.
    pub next: Option<String>,
}

impl Page {
    /// Reads an answer as a page.
    pub fn read(action: &'static str, answer: &Answer) -> Result<Self, Error> {
        let mut page = decode(action, answer)?;
        let next = json::string(&page, "/nextLink").filter(|link| !link.is_empty());
        match page.get_mut("value").map(Value::take) {
            Some(Value::Array(entries)) => Ok(Self { entries, next }),
            _ => Err(Error::malformed(action, "a page without `value`")),
        }
    }

    /// Reads every entry, or none where one of them lacks what it must have.
    pub fn each<T>(&self, action: &'static str, read: fn(&Value) -> Option<T>) -> Result<Vec<T>, Error> {
        let all: Option<Vec<T>> = self.entries.iter().map(read).collect();
        all.ok_or_else(|| Error::malformed(action, "an entry without what identifies it"))
    }
}

impl ArmClient {
    /// Reads all pages of a listing, or fails: half a listing is none. A repeat is safe.
    pub(crate) async fn list<T>(
        &self,
        operation: &'static Operation,
        parameters: &[&str],
        query: &[(&str, &str)],
        read: fn(&Value) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let mut url = self.url(operation, parameters, query)?;
        let mut all = Vec::new();
        let mut seen = HashSet::new();
        for _ in 0..MAX_PAGES {
            seen.insert(url.as_str().to_owned());
            let page = Page::read(operation.action, &self.send(&Call::read(operation, url)).await?)?;
            all.extend(page.each(operation.action, read)?);
            let Some(link) = page.next else { return Ok(all) };
            url = self.followed(operation.action, &link)?;
            if seen.contains(url.as_str()) {
                return Err(Error::malformed(operation.action, "the same page was named twice"));
            }
        }
        Err(Error::new(ErrorKind::Limit, operation.action))
    }
}
