//! Resource groups (Microsoft.Resources 2025-04-01, `resources.json`).
//!
//! It never deletes one.

use crate::{
    arm::{ArmClient, Call, decode},
    error::Error,
    id::ResourceId,
    json,
    operations::{Harm, Operation, RESOURCES},
    retry::Repeat,
    transport::Latest,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Reading a resource group.
pub const GET: Operation = Operation {
    action: "Microsoft.Resources/subscriptions/resourceGroups/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourcegroups/{resourceGroupName}",
    api_version: RESOURCES.0,
    document: RESOURCES.1,
    harm: Harm::Nothing,
    evidence: &["group-get", "arm-404-gone", "arm-404-group"],
};

/// Making a resource group, or setting the tags of one.
pub const CREATE: Operation = Operation {
    action: "Microsoft.Resources/subscriptions/resourceGroups/write",
    method: "PUT",
    evidence: &["group-put"],
    ..GET
};

/// Listing the groups of a subscription.
pub const LIST: Operation = Operation {
    path: "/subscriptions/{subscriptionId}/resourcegroups",
    evidence: &["group-list", "arm-next-link"],
    ..GET
};

/// A resource group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceGroup {
    /// Its id.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// Where its metadata is; what is in it may be elsewhere.
    pub location: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// For example `Succeeded` or `Deleting`.
    pub provisioning_state: Option<String>,
}

/// Makes a group (`ResourceGroups_CreateOrUpdate`), or **replaces the tags** of the one that is there, whosever it is: read first. A repeat is safe.
///
/// Harmless when sent late, because it only says how a group of that name shall be; in another location than the one that
/// is there it is a conflict.
pub async fn create(
    arm: &ArmClient,
    subscription: &str,
    group: &str,
    location: &str,
    tags: &[(&str, &str)],
    latest: Latest,
) -> Result<ResourceGroup, Error> {
    let url = arm.url(&CREATE, &[subscription, group], &[])?;
    let tags: BTreeMap<_, _> = tags.iter().copied().collect();
    let body = json!({ "location": location, "tags": tags });
    let answer = arm.send(&Call::change(&CREATE, url, Some(body), Repeat::Safe, Some(latest))).await?;
    read(&decode(CREATE.action, &answer)?).ok_or_else(|| Error::malformed(CREATE.action, NO_ID))
}

/// One group (`ResourceGroups_Get`). A repeat is safe.
pub async fn get(arm: &ArmClient, subscription: &str, group: &str) -> Result<ResourceGroup, Error> {
    let value = arm.get(&GET, &[subscription, group], &[]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, NO_ID))
}

/// The groups of a subscription (`ResourceGroups_List`). A repeat is safe.
pub async fn list(arm: &ArmClient, subscription: &str) -> Result<Vec<ResourceGroup>, Error> {
    arm.list(&LIST, &[subscription], &[], read).await
}

const NO_ID: &str = "a resource group without its id";

/// What a group's JSON says; none without its id.
pub(crate) fn read(value: &Value) -> Option<ResourceGroup> {
    let id: ResourceId = json::text(value, "/id")?.parse().ok()?;
    Some(ResourceGroup {
        name: id.name().to_owned(),
        location: json::region(json::text(value, "/location").unwrap_or_default()),
        tags: json::tags(value),
        provisioning_state: json::string(value, "/properties/provisioningState"),
        id,
    })
}
