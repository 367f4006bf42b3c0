//! Managed disks (Microsoft.Compute 2025-01-02, `DiskRP.json`).
//!
//! It never makes, changes or deletes one.

use crate::{
    arm::ArmClient,
    error::{Error, ErrorKind},
    id::ResourceId,
    json,
    operations::{DISKS, Harm, Operation},
};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// Reading a disk.
pub const GET: Operation = Operation {
    action: "Microsoft.Compute/disks/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/disks/{diskName}",
    api_version: DISKS.0,
    document: DISKS.1,
    harm: Harm::Nothing,
    evidence: &["disk-get", "arm-404-gone", "arm-404-group"],
};

/// Listing the disks of a resource group.
pub const LIST_IN_GROUP: Operation = Operation {
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/disks",
    evidence: &["disk-list", "arm-next-link"],
    ..GET
};

/// Listing the disks of a subscription.
pub const LIST: Operation =
    Operation { path: "/subscriptions/{subscriptionId}/providers/Microsoft.Compute/disks", ..LIST_IN_GROUP };

/// A managed disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Its id.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// Its region.
    pub location: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// For example `Premium_LRS`.
    pub sku: Option<String>,
    /// For example `Succeeded`.
    pub provisioning_state: Option<String>,
    /// For example `Attached`, `Unattached`, `ActiveSAS`.
    pub state: Option<String>,
    /// Its identity: another disk under the same name has another one.
    pub unique_id: Option<String>,
    /// Its size in GiB.
    pub size_gb: Option<i64>,
    /// Its size in bytes.
    pub size_bytes: Option<i64>,
    /// When it was made.
    pub time_created: Option<Timestamp>,
    /// The machine that it is attached to.
    pub managed_by: Option<ResourceId>,
    /// The zones that it is pinned to.
    pub zones: Vec<String>,
    /// What it was made from.
    pub source: Option<ResourceId>,
}

/// One disk (`Disks_Get`). A repeat is safe.
pub async fn get(arm: &ArmClient, id: &ResourceId) -> Result<Disk, Error> {
    if !id.is("Microsoft.Compute/disks") || id.resource_group().is_empty() {
        return Err(Error::because(ErrorKind::Refused, GET.action, "not the id of a disk"));
    }
    let value = arm.get(&GET, &[id.subscription(), id.resource_group(), id.name()], &[]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, "a disk without its id"))
}

/// The disks of a resource group (`Disks_ListByResourceGroup`). A repeat is safe.
pub async fn list_in_group(arm: &ArmClient, subscription: &str, group: &str) -> Result<Vec<Disk>, Error> {
    arm.list(&LIST_IN_GROUP, &[subscription, group], &[], read).await
}

/// The disks of a subscription (`Disks_List`). A repeat is safe, and costs of a small budget.
pub async fn list(arm: &ArmClient, subscription: &str) -> Result<Vec<Disk>, Error> {
    arm.list(&LIST, &[subscription], &[], read).await
}

/// What a disk's JSON says; none without its id.
pub(crate) fn read(value: &Value) -> Option<Disk> {
    let id: ResourceId = json::text(value, "/id")?.parse().ok()?;
    Some(Disk {
        name: id.name().to_owned(),
        location: json::region(json::text(value, "/location").unwrap_or_default()),
        tags: json::tags(value),
        sku: json::string(value, "/sku/name"),
        provisioning_state: json::string(value, "/properties/provisioningState"),
        state: json::string(value, "/properties/diskState"),
        unique_id: json::string(value, "/properties/uniqueId"),
        size_gb: json::number(value, "/properties/diskSizeGB"),
        size_bytes: json::number(value, "/properties/diskSizeBytes"),
        time_created: json::time(value, "/properties/timeCreated"),
        managed_by: json::id(value, "/managedBy"),
        zones: json::texts(value, "/zones"),
        source: json::id(value, "/properties/creationData/sourceResourceId"),
        id,
    })
}
