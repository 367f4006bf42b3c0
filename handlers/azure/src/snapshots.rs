//! Incremental snapshots of disks (Microsoft.Compute 2025-01-02, `DiskRP.json`).
//!
//! It never makes a full one, never changes one, and never makes several disks consistent with each other: restore points do.

use crate::{
    arm::{ArmClient, Call, decode},
    error::{Error, ErrorKind},
    id::ResourceId,
    json,
    long_running::{Accepted, Acted},
    operations::{DISKS, Harm, Operation},
    retry::Repeat,
    said,
    transport::Latest,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Making a snapshot.
pub const CREATE: Operation = Operation {
    action: "Microsoft.Compute/snapshots/write",
    method: "PUT",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/snapshots/{snapshotName}",
    api_version: DISKS.0,
    document: DISKS.1,
    harm: Harm::Nothing,
    evidence: &["snapshot-put", "snapshot-put-again", "snapshot-limits", "arm-async-disk"],
};

/// Reading a snapshot.
pub const GET: Operation = Operation {
    action: "Microsoft.Compute/snapshots/read",
    method: "GET",
    evidence: &["snapshot-get", "snapshot-completion", "arm-404-gone", "arm-404-group"],
    ..CREATE
};

/// Listing the snapshots of a resource group.
pub const LIST_IN_GROUP: Operation = Operation {
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/snapshots",
    evidence: &["snapshot-list", "snapshot-completion", "arm-next-link"],
    ..GET
};

/// Listing the snapshots of a subscription.
pub const LIST: Operation =
    Operation { path: "/subscriptions/{subscriptionId}/providers/Microsoft.Compute/snapshots", ..LIST_IN_GROUP };

/// Deleting a snapshot.
pub const DELETE: Operation = Operation {
    action: "Microsoft.Compute/snapshots/delete",
    method: "DELETE",
    harm: Harm::Destroys,
    evidence: &["snapshot-delete", "snapshot-family", "arm-async-disk"],
    ..CREATE
};

/// A snapshot to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewSnapshot<'a> {
    /// The disk's region.
    pub location: &'a str,
    /// The disk.
    pub disk: &'a ResourceId,
    /// Its tags.
    pub tags: &'a [(&'a str, &'a str)],
}

/// A snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Its id.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// Its region.
    pub location: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Where it is kept, for example `Standard_LRS`.
    pub sku: Option<String>,
    /// For example `Succeeded`. For copies it says so long before they are whole: [`Snapshot::is_restorable`].
    pub provisioning_state: Option<String>,
    /// The disk, or for copies the snapshot, that it is of.
    pub source: Option<ResourceId>,
    /// The identity of the source.
    pub source_unique_id: Option<String>,
    /// Whether it holds only what changed.
    pub incremental: bool,
    /// The same for all incremental snapshots of a disk.
    pub family: Option<String>,
    /// Its own identity.
    pub unique_id: Option<String>,
    /// The moment that it stands for.
    pub time_created: Option<Timestamp>,
    /// The disk's size in GiB.
    pub size_gb: Option<i64>,
    /// The disk's size in bytes.
    pub size_bytes: Option<i64>,
    /// For example `Unattached`, `ActiveSAS`: with an open access it cannot be deleted.
    pub state: Option<String>,
    /// How much of it is copied, of 100; none where nothing is copied.
    pub completion: Option<f64>,
    /// Why copying failed.
    pub copy_error: Option<CopyError>,
}

/// Why copying failed, in Azure's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyError {
    /// Its code.
    pub code: Option<String>,
    /// Bounded and cleaned.
    pub message: Option<String>,
}

impl Snapshot {
    /// Whether a disk can be made from it: it succeeded, and is copied whole where it is a copy.
    pub fn is_restorable(&self) -> bool {
        self.provisioning_state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("Succeeded"))
            && self.completion.is_none_or(|percent| percent >= 100.0)
            && self.copy_error.is_none()
    }
}

/// A snapshot whose making Azure has begun.
#[derive(Clone, Debug)]
pub struct Created {
    /// As it is now.
    pub snapshot: Snapshot,
    /// Where its progress can be asked for. Reading the snapshot tells the same.
    pub operation: Option<Accepted>,
}

/// Begins an incremental snapshot of a disk (`Snapshots_CreateOrUpdate`).
///
/// **A repeat is not safe without reading first**: what Azure does with a second request under a name that is taken no source
/// shows. So it is only repeated here when the attempt before it certainly did nothing. Harmless when sent late by its name,
/// which is one attempt's for ever. It is undone by deleting it.
pub async fn create(
    arm: &ArmClient,
    subscription: &str,
    group: &str,
    name: &str,
    new: &NewSnapshot<'_>,
    latest: Latest,
) -> Result<Created, Error> {
    let url = arm.url(&CREATE, &[subscription, group, name], &[])?;
    let tags: BTreeMap<_, _> = new.tags.iter().copied().collect();
    let body = json!({
        "location": new.location,
        "tags": tags,
        // Incremental snapshots always lie on standard storage, whatever the disk.
        "sku": { "name": "Standard_LRS" },
        "properties": {
            "creationData": { "createOption": "Copy", "sourceResourceId": new.disk.as_str() },
            "incremental": true,
        },
    });
    let answer = arm.send(&Call::change(&CREATE, url, Some(body), Repeat::IfNotDone, Some(latest))).await?;
    let snapshot = read(&decode(CREATE.action, &answer)?).ok_or_else(|| Error::malformed(CREATE.action, NO_ID))?;
    Ok(Created { snapshot, operation: Accepted::read(&answer, arm.wall_now()) })
}

/// One snapshot (`Snapshots_Get`). A repeat is safe.
pub async fn get(arm: &ArmClient, subscription: &str, group: &str, name: &str) -> Result<Snapshot, Error> {
    let value = arm.get(&GET, &[subscription, group, name], &[]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, NO_ID))
}

/// The snapshots of a resource group (`Snapshots_ListByResourceGroup`). A repeat is safe.
pub async fn list_in_group(arm: &ArmClient, subscription: &str, group: &str) -> Result<Vec<Snapshot>, Error> {
    arm.list(&LIST_IN_GROUP, &[subscription, group], &[], read).await
}

/// The snapshots of a subscription (`Snapshots_List`). A repeat is safe, and costs of a small budget.
pub async fn list(arm: &ArmClient, subscription: &str) -> Result<Vec<Snapshot>, Error> {
    arm.list(&LIST, &[subscription], &[], read).await
}

/// Deletes a snapshot (`Snapshots_Delete`). A repeat is safe: what is not there is not deleted twice. Nothing undoes it.
///
/// Read it first: an open access (`ActiveSAS`), an unfinished copy made from it, or a lock is for us to refuse. It is done
/// when the snapshot is *gone*, not when Azure accepted it.
pub async fn delete(arm: &ArmClient, id: &ResourceId, latest: Latest) -> Result<Acted, Error> {
    if !id.is("Microsoft.Compute/snapshots") || id.resource_group().is_empty() {
        return Err(Error::because(ErrorKind::Refused, DELETE.action, "not the id of a snapshot"));
    }
    arm.act(&DELETE, &[id.subscription(), id.resource_group(), id.name()], &[], Repeat::Safe, latest).await
}

const NO_ID: &str = "a snapshot without its id";

/// What a snapshot's JSON says; none without its id.
pub(crate) fn read(value: &Value) -> Option<Snapshot> {
    let id: ResourceId = json::text(value, "/id")?.parse().ok()?;
    let copy_error = json::at(value, "/properties/copyCompletionError").filter(|error| error.is_object());
    Some(Snapshot {
        name: id.name().to_owned(),
        location: json::region(json::text(value, "/location").unwrap_or_default()),
        tags: json::tags(value),
        sku: json::string(value, "/sku/name"),
        provisioning_state: json::string(value, "/properties/provisioningState"),
        source: json::id(value, "/properties/creationData/sourceResourceId"),
        source_unique_id: json::string(value, "/properties/creationData/sourceUniqueId"),
        incremental: json::truth(value, "/properties/incremental").unwrap_or(false),
        family: json::string(value, "/properties/incrementalSnapshotFamilyId"),
        unique_id: json::string(value, "/properties/uniqueId"),
        time_created: json::time(value, "/properties/timeCreated"),
        size_gb: json::number(value, "/properties/diskSizeGB"),
        size_bytes: json::number(value, "/properties/diskSizeBytes"),
        state: json::string(value, "/properties/diskState"),
        completion: json::at(value, "/properties/completionPercent").and_then(Value::as_f64),
        copy_error: copy_error.map(|error| CopyError {
            code: json::string(error, "/errorCode"),
            message: json::text(error, "/errorMessage").map(said::clean),
        }),
        id,
    })
}

#[cfg(test)]
mod tests {
    use super::read;
    use serde_json::json;

    const ID: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/snapshots/n";

    #[test]
    fn a_snapshot_is_restorable_when_it_succeeded_and_is_whole() {
        for (properties, restorable) in [
            (json!({ "provisioningState": "Succeeded" }), true),
            (json!({ "provisioningState": "Succeeded", "completionPercent": 100.0 }), true),
            (json!({ "provisioningState": "Succeeded", "completionPercent": 100 }), true),
            (json!({ "provisioningState": "Succeeded", "completionPercent": 0.0 }), false),
            (json!({ "provisioningState": "Updating" }), false),
            (json!({ "provisioningState": "Succeeded", "copyCompletionError": { "errorCode": "x" } }), false),
            (json!({}), false),
        ] {
            let snapshot = read(&json!({ "id": ID, "properties": properties })).unwrap();
            assert_eq!(snapshot.is_restorable(), restorable, "{properties}");
        }
    }
}
