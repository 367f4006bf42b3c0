//! Restore point collections and restore points (Microsoft.Compute 2025-04-01, `ComputeRP.json`).
//!
//! It never deletes a collection, and never updates a restore point: Azure has no such thing.

use crate::{
    arm::{ArmClient, Call, decode},
    error::{Error, ErrorKind},
    id::ResourceId,
    json,
    long_running::{Accepted, Acted},
    operations::{COMPUTE, Harm, Operation},
    retry::Repeat,
    said,
    transport::Latest,
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Making a collection.
pub const CREATE_COLLECTION: Operation = Operation {
    action: "Microsoft.Compute/restorePointCollections/write",
    method: "PUT",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/restorePointCollections/{restorePointCollectionName}",
    api_version: COMPUTE.0,
    document: COMPUTE.1,
    harm: Harm::Nothing,
    evidence: &["collection-put", "collection-put-again"],
};

/// Reading a collection with its points.
pub const GET_COLLECTION: Operation = Operation {
    action: "Microsoft.Compute/restorePointCollections/read",
    method: "GET",
    evidence: &["collection-expand", "point-states", "arm-404-gone", "arm-404-group"],
    ..CREATE_COLLECTION
};

/// Listing the collections of a subscription, without their points.
pub const LIST_COLLECTIONS: Operation = Operation {
    path: "/subscriptions/{subscriptionId}/providers/Microsoft.Compute/restorePointCollections",
    evidence: &["collection-list", "arm-next-link"],
    ..GET_COLLECTION
};

/// Making a restore point.
pub const CREATE: Operation = Operation {
    action: "Microsoft.Compute/restorePointCollections/restorePoints/write",
    method: "PUT",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/restorePointCollections/{restorePointCollectionName}/restorePoints/{restorePointName}",
    api_version: COMPUTE.0,
    document: COMPUTE.1,
    harm: Harm::Nothing,
    evidence: &["point-put-empty", "point-put-again", "point-exclude", "arm-async-header"],
};

/// Reading a restore point.
pub const GET: Operation = Operation {
    action: "Microsoft.Compute/restorePointCollections/restorePoints/read",
    method: "GET",
    evidence: &["point-states", "point-failed", "point-consistency"],
    ..CREATE
};

/// Deleting a restore point.
pub const DELETE: Operation = Operation {
    action: "Microsoft.Compute/restorePointCollections/restorePoints/delete",
    method: "DELETE",
    harm: Harm::Destroys,
    evidence: &["point-delete", "point-delete-missing", "point-delete-others", "arm-async-body"],
    ..CREATE
};

/// A collection to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewCollection<'a> {
    /// The machine's region.
    pub location: &'a str,
    /// The machine's id; fixed for the collection's life.
    pub source: &'a str,
    /// Its tags. A second call replaces them.
    pub tags: &'a [(&'a str, &'a str)],
}

/// A restore point to be made.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewPoint<'a> {
    /// Without help from inside the machine; otherwise its agent makes file systems, or applications, consistent.
    pub crash_consistent: bool,
    /// Disks to leave out. Never the OS disk.
    pub exclude_disks: &'a [ResourceId],
}

/// A collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Its id.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// Its region.
    pub location: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The machine, or for copies the collection, that its points are of.
    pub source: Option<ResourceId>,
    /// For example `Succeeded`.
    pub provisioning_state: Option<String>,
    /// Its points; empty where they were not asked for.
    pub points: Vec<Point>,
}

/// A restore point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// Its id.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// Whether it is finished.
    pub state: PointState,
    /// The consistency that was really reached: `ApplicationConsistent`, `FileSystemConsistent`, `CrashConsistent`.
    pub consistency: Option<String>,
    /// The moment that it stands for.
    pub time_created: Option<Timestamp>,
    /// The identity of the machine that it is of.
    pub source_vm_id: Option<String>,
    /// The disks that were left out on demand.
    pub excluded_disks: Vec<ResourceId>,
    /// The managed disks that it has, as they were called when it was made.
    pub disks: Vec<ResourceId>,
    /// The restore points of its disks.
    pub disk_points: Vec<ResourceId>,
    /// Whether every disk that the point describes has its disk restore point.
    pub whole: bool,
    /// Azure's reason, where it gives one. *Assumed* to stand in the instance view's statuses: no failed point is recorded.
    pub failure: Option<PointFailure>,
}

/// Whether a restore point is finished. The document lists no values; recorded are `Creating` and `Succeeded`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PointState {
    /// Being made.
    Creating,
    /// Finished.
    Succeeded,
    /// Failed; it keeps its name.
    Failed,
    /// Being deleted.
    Deleting,
    /// Anything else: not known to be finished.
    Other(String),
}

/// Why a point failed, in Azure's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointFailure {
    /// For example `VMAgentStatusCommunicationError`.
    pub code: Option<String>,
    /// Bounded and cleaned.
    pub message: Option<String>,
}

/// A point whose making Azure has begun.
#[derive(Clone, Debug)]
pub struct Created {
    /// The point as it is now.
    pub point: Point,
    /// Where its progress can be asked for. Reading the point tells the same.
    pub operation: Option<Accepted>,
}

/// Makes a collection (`RestorePointCollections_CreateOrUpdate`), or replaces the tags of the one that is there. A repeat is safe: twice is once.
///
/// Harmless when sent late: it holds nothing yet, and its name and source are one machine's for ever.
pub async fn create_collection(
    arm: &ArmClient,
    subscription: &str,
    group: &str,
    name: &str,
    new: &NewCollection<'_>,
    latest: Latest,
) -> Result<Collection, Error> {
    let url = arm.url(&CREATE_COLLECTION, &[subscription, group, name], &[])?;
    let mut body = json!({ "location": new.location, "properties": { "source": { "id": new.source } } });
    if !new.tags.is_empty() {
        body["tags"] = json!(new.tags.iter().copied().collect::<BTreeMap<_, _>>());
    }
    let call = Call::change(&CREATE_COLLECTION, url, Some(body), Repeat::Safe, Some(latest));
    let value = decode(CREATE_COLLECTION.action, &arm.send(&call).await?)?;
    read_collection(&value).ok_or_else(|| Error::malformed(CREATE_COLLECTION.action, NO_ID))
}

/// A collection with its points (`RestorePointCollections_Get`). A repeat is safe.
pub async fn get_collection(arm: &ArmClient, subscription: &str, group: &str, name: &str) -> Result<Collection, Error> {
    let query = [("$expand", "restorePoints")];
    let value = arm.get(&GET_COLLECTION, &[subscription, group, name], &query).await?;
    read_collection(&value).ok_or_else(|| Error::malformed(GET_COLLECTION.action, NO_ID))
}

/// The collections of a subscription, without their points (`RestorePointCollections_ListAll`). A repeat is safe.
pub async fn list_collections(arm: &ArmClient, subscription: &str) -> Result<Vec<Collection>, Error> {
    arm.list(&LIST_COLLECTIONS, &[subscription], &[], read_collection).await
}

/// Begins a restore point (`RestorePoints_Create`).
///
/// **A repeat is not safe without reading first**: an existing point cannot be updated, and what Azure answers to the second
/// request no source shows. So it is only repeated here when the attempt before it certainly did nothing. Harmless when
/// sent late by its name, which is one attempt's for ever. It is undone by deleting it.
pub async fn create(
    arm: &ArmClient,
    subscription: &str,
    group: &str,
    collection: &str,
    point: &str,
    new: &NewPoint<'_>,
    latest: Latest,
) -> Result<Created, Error> {
    let url = arm.url(&CREATE, &[subscription, group, collection, point], &[])?;
    let mut properties = Map::new();
    if new.crash_consistent {
        properties.insert("consistencyMode".to_owned(), json!("CrashConsistent"));
    }
    if !new.exclude_disks.is_empty() {
        let disks: Vec<Value> = new.exclude_disks.iter().map(|id| json!({ "id": id.as_str() })).collect();
        properties.insert("excludeDisks".to_owned(), Value::Array(disks));
    }
    // Recorded with `{}` where nothing is asked for, not with empty properties.
    let body = if properties.is_empty() { json!({}) } else { json!({ "properties": properties }) };
    let answer = arm.send(&Call::change(&CREATE, url, Some(body), Repeat::IfNotDone, Some(latest))).await?;
    let point = read_point(&decode(CREATE.action, &answer)?)
        .ok_or_else(|| Error::malformed(CREATE.action, "a restore point without its id"))?;
    Ok(Created { point, operation: Accepted::read(&answer, arm.wall_now()) })
}

/// One restore point with its instance view (`RestorePoints_Get`). A repeat is safe.
pub async fn get(
    arm: &ArmClient,
    subscription: &str,
    group: &str,
    collection: &str,
    point: &str,
) -> Result<Point, Error> {
    let query = [("$expand", "instanceView")];
    let value = arm.get(&GET, &[subscription, group, collection, point], &query).await?;
    read_point(&value).ok_or_else(|| Error::malformed(GET.action, "a restore point without its id"))
}

/// Deletes a restore point (`RestorePoints_Delete`). A repeat is safe: what is not there is not deleted twice. Nothing
/// undoes it.
///
/// Read it first: an open access to a disk's point or a lock is for us to refuse. It is done when the point is *gone*, not
/// when Azure accepted it.
pub async fn delete(arm: &ArmClient, id: &ResourceId, latest: Latest) -> Result<Acted, Error> {
    let collection = id.parent().filter(|_| id.is("Microsoft.Compute/restorePointCollections/restorePoints"));
    let Some(collection) = collection.filter(|_| !id.resource_group().is_empty()) else {
        return Err(Error::because(ErrorKind::Refused, DELETE.action, "not the id of a restore point"));
    };
    let parameters = [id.subscription(), id.resource_group(), collection.name(), id.name()];
    arm.act(&DELETE, &parameters, &[], Repeat::Safe, latest).await
}

const NO_ID: &str = "a collection or a point without its id";

/// What a collection's JSON says; none without its id, or where a point of it has none.
pub(crate) fn read_collection(value: &Value) -> Option<Collection> {
    let id: ResourceId = json::text(value, "/id")?.parse().ok()?;
    let points = json::list(value, "/properties/restorePoints").iter().map(read_point).collect::<Option<Vec<_>>>();
    Some(Collection {
        name: id.name().to_owned(),
        location: json::region(json::text(value, "/location").unwrap_or_default()),
        tags: json::tags(value),
        source: json::id(value, "/properties/source/id"),
        provisioning_state: json::string(value, "/properties/provisioningState"),
        points: points?,
        id,
    })
}

/// What a point's JSON says; none without its id.
pub(crate) fn read_point(value: &Value) -> Option<Point> {
    let id: ResourceId = json::text(value, "/id")?.parse().ok()?;
    let os = || json::at(value, "/properties/sourceMetadata/storageProfile/osDisk").into_iter();
    let data = json::list(value, "/properties/sourceMetadata/storageProfile/dataDisks");
    let per_disk: Vec<Option<ResourceId>> =
        os().chain(data).map(|disk| json::text(disk, "/diskRestorePoint/id").and_then(|id| id.parse().ok())).collect();
    Some(Point {
        name: id.name().to_owned(),
        state: state(json::text(value, "/properties/provisioningState").unwrap_or_default()),
        consistency: json::string(value, "/properties/consistencyMode"),
        time_created: json::time(value, "/properties/timeCreated"),
        source_vm_id: json::string(value, "/properties/sourceMetadata/vmId"),
        excluded_disks: json::list(value, "/properties/excludeDisks")
            .iter()
            .filter_map(|one| json::id(one, "/id"))
            .collect(),
        disks: os().chain(data).filter_map(|disk| json::id(disk, "/managedDisk/id")).collect(),
        whole: !per_disk.is_empty() && per_disk.iter().all(Option::is_some),
        disk_points: per_disk.into_iter().flatten().collect(),
        failure: failure(json::list(value, "/properties/instanceView/statuses")),
        id,
    })
}

fn state(text: &str) -> PointState {
    match text {
        _ if text.eq_ignore_ascii_case("Creating") => PointState::Creating,
        _ if text.eq_ignore_ascii_case("Succeeded") => PointState::Succeeded,
        _ if text.eq_ignore_ascii_case("Failed") => PointState::Failed,
        _ if text.eq_ignore_ascii_case("Deleting") => PointState::Deleting,
        other => PointState::Other(other.to_owned()),
    }
}

fn failure(statuses: &[Value]) -> Option<PointFailure> {
    let failed = statuses.iter().find(|status| json::text(status, "/level").is_some_and(|level| level == "Error"))?;
    Some(PointFailure { code: json::string(failed, "/code"), message: json::text(failed, "/message").map(said::clean) })
}
