//! Snapshots: whole ones and those that only hold changes, of a disk in the same region, and copies from other regions.
//! It never says that a copy is whole before it is.
//!
//! ```text
//! Copy       PUT ──0.8 s──► Succeeded (Ultra and Premium v2: completionPercent counts up)
//! CopyStart  PUT ──1.7 s──► Succeeded, completionPercent 0.0 ──counts up──► 100.0
//!                                              └─ source deleted ──► copyCompletionError
//! ```

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;

use super::call::{Answer, Call};
use super::denials::{
    BACKGROUND_PER_DISK, BACKGROUND_PER_SUBSCRIPTION, COPIES_PER_REGION, Denial, SNAPSHOT_WINDOW_SECONDS,
    SNAPSHOTS_ALIVE, SNAPSHOTS_PER_WINDOW,
};
use super::errors::{ArmError, invalid_parameter};
use super::ids::{ResourceId, guid_of, key};
use super::machines::tags_of;
use super::state::State;
use super::volume::{Added, Kind, Phase, Progress, Volume, sent_body, whole_body};
use super::volume_calls::{id_of, location_in};

/// `PUT …/snapshots/{name}`.
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?;
    let location = location_in(body)?;
    tags_of(body)?;
    let id = id_of(call);
    let creation = &body["properties"]["creationData"];
    let option = creation["createOption"].as_str();
    let option = option.ok_or_else(|| invalid_parameter("creationData.createOption", "It is required."))?;
    let crosses = match option.to_ascii_lowercase().as_str() {
        "copy" => false,
        "copystart" => true,
        _ => return Err(Denial::CreationNotModelled.error(option)),
    };
    let source = source_of(state, creation)?;
    let incremental = body["properties"]["incremental"].as_bool().unwrap_or(false);
    if let Some(before) = state.snapshots.get(&key(&name_of(&id))).cloned() {
        return again(state, call, &before, &source);
    }
    if crosses {
        check_crossing(state, call, &source, &location, incremental)?;
    } else {
        check_copy(state, call, &source, &location, incremental)?;
    }
    let snapshot = made(state, call, (id, location), &source, crosses);
    let latencies = &state.latencies;
    let wait = if crosses { latencies.snapshot_copy_start_ms } else { latencies.snapshot_create_ms };
    Ok(state.accept_volume(snapshot, call, call.cause(false), wait))
}

/// The disk or snapshot that is to be copied; one that is not there is the provider's own 404 (recorded).
fn source_of(state: &State, creation: &Value) -> Result<Arc<Volume>, ArmError> {
    let text = creation["sourceResourceId"].as_str();
    let text = text.ok_or_else(|| invalid_parameter("creationData.sourceResourceId", "It is required."))?;
    let name = text.rsplit('/').next().unwrap_or_default();
    let found = state.disks.get(&key(text)).or_else(|| state.snapshots.get(&key(text)));
    found.cloned().ok_or_else(|| Denial::SourceElsewhere.error(name))
}

/// A second `PUT`: *assumed* (`disk-creation-fixed`) to be an update, and refused when it names another source.
fn again(state: &mut State, call: &Call, before: &Volume, source: &Volume) -> Result<Answer, ArmError> {
    let told = before.body["properties"]["creationData"]["sourceResourceId"].as_str();
    if told.is_none_or(|told| key(told) != key(&source.id())) {
        return Err(Denial::VolumeChanged.error("creationData"));
    }
    super::volume_calls::patch(state, call)
}

fn check_copy(
    state: &mut State,
    call: &Call,
    source: &Volume,
    location: &str,
    incremental: bool,
) -> Result<(), ArmError> {
    if !source.location.eq_ignore_ascii_case(location) {
        // Recorded: a disk of another region is not found.
        return Err(Denial::SourceElsewhere.error(source.name()));
    }
    if source.phase != Phase::Succeeded || source.progress.is_some_and(|copy| copy.runs(call.now)) {
        return Err(Denial::SourceUnfinished.error(source.name()));
    }
    if incremental {
        check_rate(state, call, source)?;
    }
    if source.kind == Kind::Disk && source.is_ultra() {
        check_background(state, call, source)?;
    }
    Ok(())
}

/// Seven in five minutes and five hundred alive (documented), of one disk.
fn check_rate(state: &mut State, call: &Call, source: &Volume) -> Result<(), ArmError> {
    let own = |one: &&Arc<Volume>| one.is_incremental() && one.source_unique_id() == Some(source.unique_id.as_str());
    if state.snapshots.len() >= SNAPSHOTS_ALIVE && state.snapshots.values().filter(own).count() >= SNAPSHOTS_ALIVE {
        return Err(Denial::SnapshotsAlive.error(source.name()));
    }
    let window = SignedDuration::from_secs(SNAPSHOT_WINDOW_SECONDS);
    let times = state.snapshot_times.entry(source.unique_id.clone()).or_default();
    times.retain(|&at| call.now.duration_since(at) < window);
    if times.len() >= SNAPSHOTS_PER_WINDOW {
        return Err(Denial::SnapshotRate.error(source.name()));
    }
    times.push(call.now);
    Ok(())
}

/// Three background copies of a disk and fifty of a subscription (documented).
fn check_background(state: &State, call: &Call, source: &Volume) -> Result<(), ArmError> {
    let running = || {
        let runs = |one: &&Arc<Volume>| one.progress.is_some_and(|copy| !copy.crosses && copy.runs(call.now));
        state.snapshots.values().filter(runs)
    };
    let of_disk = running().filter(|one| one.source_unique_id() == Some(source.unique_id.as_str())).count();
    let subscription = call.param(0);
    let of_all = running().filter(|one| one.id.subscription.eq_ignore_ascii_case(subscription)).count();
    if of_disk >= BACKGROUND_PER_DISK || of_all >= BACKGROUND_PER_SUBSCRIPTION {
        return Err(Denial::BackgroundCopies.error(source.name()));
    }
    Ok(())
}

fn check_crossing(
    state: &State,
    call: &Call,
    source: &Volume,
    location: &str,
    incremental: bool,
) -> Result<(), ArmError> {
    if source.kind == Kind::Disk {
        return Err(Denial::SourceElsewhere.error(source.name()));
    }
    if !incremental || !source.is_incremental() {
        return Err(Denial::CopyNotIncremental.error(source.name()));
    }
    if source.location.eq_ignore_ascii_case(location) {
        return Err(Denial::CopyWithinRegion.error(location));
    }
    if source.phase != Phase::Succeeded || source.progress.is_some_and(|copy| copy.runs(call.now)) {
        return Err(Denial::SourceUnfinished.error(source.name()));
    }
    let family = |one: &Volume| one.body["properties"]["incrementalSnapshotFamilyId"].as_str().map(str::to_owned);
    let wanted = copied_family(state, source, location);
    let mut at_once = 0;
    for one in state.snapshots.values() {
        let runs = one.progress.is_some_and(|copy| copy.crosses && copy.runs(call.now)) && one.phase != Phase::Failed;
        if runs && one.location.eq_ignore_ascii_case(location) {
            if family(one) == Some(wanted.clone()) {
                return Err(Denial::CopyOutOfTurn.error(source.name()));
            }
            at_once += usize::from(one.id.subscription.eq_ignore_ascii_case(call.param(0)));
        }
    }
    if at_once >= COPIES_PER_REGION { Err(Denial::CopiesAtOnce.error(location)) } else { Ok(()) }
}

/// The family of a copy: another one than its source's (recorded), one for each region (*assumed*, `snapshot-family`).
fn copied_family(state: &State, source: &Volume, location: &str) -> String {
    let family = source.body["properties"]["incrementalSnapshotFamilyId"].as_str().unwrap_or_default();
    guid_of(state.seed, "copied family", &format!("{family} {}", location.to_ascii_lowercase()))
}

fn made(
    state: &mut State,
    call: &Call,
    (id, location): (ResourceId, String),
    source: &Volume,
    crosses: bool,
) -> Volume {
    let given = call.body.as_ref().unwrap_or(&Value::Null);
    let text = name_of(&id);
    let unique_id = state.names.guid();
    let size_gib = super::volume_calls::size_in(given).unwrap_or(source.size_gib);
    let added = Added {
        size_gib,
        os: source.os,
        unique_id: &unique_id,
        source_unique_id: Some(&source.unique_id),
        created: call.now,
    };
    let mut body = whole_body(Kind::Snapshot, &text, id.name(), given, &added);
    if given["properties"]["incremental"] == true {
        let family = match (crosses, source.body["properties"]["incrementalSnapshotFamilyId"].as_str()) {
            (true, _) => copied_family(state, source, &location),
            (false, Some(family)) => family.to_owned(),
            (false, None) => guid_of(state.seed, "snapshot family", &source.unique_id),
        };
        body["properties"]["incrementalSnapshotFamilyId"] = family.into();
    }
    let sector = &source.body["properties"]["creationData"]["logicalSectorSize"];
    if sector.is_number() {
        body["properties"]["creationData"]["logicalSectorSize"] = sector.clone();
    }
    // *Assumed* (`snapshot-copy-duration`): how long a copy takes, and that the faster speed halves it.
    let fast = given["properties"]["creationData"]["provisionedBandwidthCopySpeed"] == "Enhanced";
    let whole = state.latencies.scaled(state.latencies.snapshot_copy_ms);
    let length =
        if fast { SignedDuration::from_micros(i64::try_from(whole.as_micros() / 2).unwrap_or(0)) } else { whole };
    let background = source.kind == Kind::Disk && source.is_ultra();
    let progress = (crosses || background).then_some(Progress { began: call.now, length, crosses, lost: None });
    Volume {
        kind: Kind::Snapshot,
        sent: Arc::new(sent_body(Kind::Snapshot, &text, id.name(), given)),
        body: Arc::new(body),
        id,
        location,
        phase: Phase::Updating,
        size_gib,
        os: source.os,
        unique_id,
        created: call.now,
        managed_by: None,
        reserved: false,
        open_until: None,
        progress,
        implied: false,
    }
}

fn name_of(id: &ResourceId) -> String {
    super::ids::compute_id(&id.subscription, &id.group, Kind::Snapshot.part(), id.name())
}
