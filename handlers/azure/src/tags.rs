//! The tags of any resource, added and taken one by one (Microsoft.Resources 2025-04-01, `resources.json`): a hold on a restore
//! point is a tag of its collection.
//!
//! It never replaces the tags of a resource: what others wrote between a read and a write would be lost.

use crate::{
    arm::{ArmClient, Call, decode},
    error::{Error, ErrorKind},
    id::ResourceId,
    long_running::Accepted,
    operations::{Harm, Operation, RESOURCES},
    retry::Repeat,
    transport::{Answer, Latest},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Reading the tags of a resource.
pub const GET: Operation = Operation {
    action: "Microsoft.Resources/tags/read",
    method: "GET",
    path: "/{scope}/providers/Microsoft.Resources/tags/default",
    api_version: RESOURCES.0,
    document: RESOURCES.1,
    harm: Harm::Nothing,
    evidence: &["tags-get"],
};

/// Adding tags to a resource, or taking some away. If it did not leave the others, holds would be gone: so it counts as harm.
pub const UPDATE: Operation = Operation {
    action: "Microsoft.Resources/tags/write",
    method: "PATCH",
    harm: Harm::Destroys,
    evidence: &["tags-merge", "tags-delete", "tags-limit", "tags-answer", "arm-location"],
    ..GET
};

/// How many tags a resource takes.
pub const MAX_TAGS: usize = 50;

/// What Azure said to a change of tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tagged {
    /// It is done; all tags, as they are now.
    Now(BTreeMap<String, String>),
    /// It was taken and will be finished later; where to ask, if Azure said so. Read the tags.
    Begun(Option<Accepted>),
}

#[derive(Clone, Copy)]
enum Change {
    Merge,
    Delete,
}

/// The tags of a resource (`Tags_GetAtScope`). A repeat is safe.
pub async fn get(arm: &ArmClient, resource: &ResourceId) -> Result<BTreeMap<String, String>, Error> {
    let value = arm.get(&GET, &[resource.as_str()], &[]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, NO_TAGS))
}

/// Adds tags, or gives those that are there these values; the others stay (`Tags_UpdateAtScope`, `Merge`). A repeat is safe.
/// Read back what was written. It is undone by [`remove`]. Harmless when sent late: it only adds.
pub async fn merge(
    arm: &ArmClient,
    resource: &ResourceId,
    tags: &BTreeMap<String, String>,
    latest: Latest,
) -> Result<Tagged, Error> {
    change(arm, resource, Change::Merge, tags, latest).await
}

/// Takes tags away that have exactly these values; the others stay (`Tags_UpdateAtScope`, `Delete`). A repeat is safe. It is
/// undone by [`merge`]. Sent late it takes what was given anew with the same value: give each hold a value of its own.
pub async fn remove(
    arm: &ArmClient,
    resource: &ResourceId,
    tags: &BTreeMap<String, String>,
    latest: Latest,
) -> Result<Tagged, Error> {
    change(arm, resource, Change::Delete, tags, latest).await
}

async fn change(
    arm: &ArmClient,
    resource: &ResourceId,
    change: Change,
    tags: &BTreeMap<String, String>,
    latest: Latest,
) -> Result<Tagged, Error> {
    // What an empty change means no source shows.
    if tags.is_empty() || tags.len() > MAX_TAGS {
        return Err(Error::because(ErrorKind::Refused, UPDATE.action, "between one tag and fifty"));
    }
    let url = arm.url(&UPDATE, &[resource.as_str()], &[])?;
    let operation = match change {
        Change::Merge => "Merge",
        Change::Delete => "Delete",
    };
    let body = json!({ "operation": operation, "properties": { "tags": tags } });
    let answer = arm.send(&Call::change(&UPDATE, url, Some(body), Repeat::Safe, Some(latest))).await?;
    read_tagged(&answer, arm.wall_now())
}

const NO_TAGS: &str = "an answer without tags";

/// What an answer to a change of tags says.
pub(crate) fn read_tagged(answer: &Answer, now: jiff::Timestamp) -> Result<Tagged, Error> {
    if answer.status != 200 {
        return Ok(Tagged::Begun(Accepted::read(answer, now)));
    }
    let tags = read(&decode(UPDATE.action, answer)?);
    tags.map(Tagged::Now).ok_or_else(|| Error::malformed(UPDATE.action, NO_TAGS))
}

/// The tags in an answer; none where one is no text, because a hold that is not seen does not hold.
pub(crate) fn read(value: &Value) -> Option<BTreeMap<String, String>> {
    match value.get("properties")?.as_object()?.get("tags") {
        None | Some(Value::Null) => Some(BTreeMap::new()),
        Some(tags) => {
            tags.as_object()?.iter().map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_TAGS, Tagged, get, merge, remove};
    use crate::{
        ArmClient,
        error::ErrorKind,
        scripted::{Reply, Scripted},
        transport::Latest,
    };
    use serde_json::json;
    use std::{collections::BTreeMap, sync::Arc, time::Duration};

    const COLLECTION: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/restorePointCollections/c";

    fn client(replies: impl IntoIterator<Item = Reply>) -> (ArmClient, Arc<Scripted>) {
        let scripted = Scripted::new(replies);
        (ArmClient::new("https://management.azure.com".parse().unwrap(), &scripted.access()).unwrap(), scripted)
    }

    fn latest() -> Latest {
        Latest::after(Duration::from_secs(10))
    }

    fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_tag_is_merged_or_deleted_and_never_replaces_the_others() {
        let after = Reply::json(200, &json!({ "properties": { "tags": { "a": "1", "hold": "x" } } }));
        let location = Reply::text(202, "").with("location", "https://management.azure.com/operationresults/1");
        let (arm, scripted) = client([after, location]);
        let (id, hold) = (COLLECTION.parse().unwrap(), tags(&[("hold", "x")]));
        let now = merge(&arm, &id, &hold, latest()).await.unwrap();
        assert_eq!(now, Tagged::Now(tags(&[("a", "1"), ("hold", "x")])));
        assert!(matches!(remove(&arm, &id, &hold, latest()).await.unwrap(), Tagged::Begun(Some(_))));
        for (asked, operation) in scripted.asked().iter().zip(["Merge", "Delete"]) {
            assert_eq!(asked.method, "PATCH");
            assert_eq!(asked.url.path(), format!("{COLLECTION}/providers/Microsoft.Resources/tags/default"));
            assert_eq!(asked.json(), json!({ "operation": operation, "properties": { "tags": { "hold": "x" } } }));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_tag_that_cannot_be_read_is_no_absent_tag() {
        let id = COLLECTION.parse().unwrap();
        for (body, expected) in [
            (json!({ "properties": { "tags": { "a": "1" } } }), Some(tags(&[("a", "1")]))),
            (json!({ "properties": { "tags": null } }), Some(BTreeMap::new())),
            (json!({ "properties": {} }), Some(BTreeMap::new())),
            (json!({ "properties": { "tags": { "a": 1 } } }), None),
            (json!({ "properties": { "tags": [] } }), None),
            (json!({}), None),
        ] {
            let (arm, _) = client([Reply::json(200, &body)]);
            assert_eq!(get(&arm, &id).await.ok(), expected, "{body}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn more_tags_than_a_resource_takes_are_refused_before_anything_is_sent() {
        let (arm, scripted) = client([]);
        let many = (0..=MAX_TAGS).map(|number| (number.to_string(), String::new())).collect();
        for wrong in [BTreeMap::new(), many] {
            let error = merge(&arm, &COLLECTION.parse().unwrap(), &wrong, latest()).await.unwrap_err();
            assert_eq!((error.kind, scripted.count()), (ErrorKind::Refused, 0));
        }
    }
}
