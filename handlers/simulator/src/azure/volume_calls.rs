//! What ARM does with disks and snapshots alike when it is called, and what becomes of them later.
//! It never deletes what is attached or open to somebody.
//!
//! ```text
//! PUT ──► Updating ──► Succeeded ──DELETE──► Deleting ──► gone
//!              └─ ordered ──► Failed
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::call::{Answer, Call, Cause, Failure};
use super::denials::Denial;
use super::errors::{ArmError, resource_not_found};
use super::event_grid::{Outcome, Verb};
use super::ids::{ResourceId, compute_id, key};
use super::machine_calls::{next_link, page_start};
use super::machines::{page, tags_of, with_upper_case_group};
use super::state::{State, Step};
use super::volume::{Kind, Phase, Progress, Volume};

impl State {
    /// The disks, or the snapshots.
    pub(crate) fn volumes(&self, kind: Kind) -> &BTreeMap<String, Arc<Volume>> {
        match kind {
            Kind::Disk => &self.disks,
            Kind::Snapshot => &self.snapshots,
        }
    }

    fn volumes_mut(&mut self, kind: Kind) -> &mut BTreeMap<String, Arc<Volume>> {
        match kind {
            Kind::Disk => &mut self.disks,
            Kind::Snapshot => &mut self.snapshots,
        }
    }

    /// Stores a disk or snapshot, and tells Resource Graph.
    pub(crate) fn keep_volume(&mut self, volume: Volume, now: Timestamp) -> Arc<Volume> {
        let (id, kind, volume) = (volume.id(), volume.kind, Arc::new(volume));
        self.list(&id, Some(volume.clone()), now);
        self.volumes_mut(kind).insert(key(&id), volume.clone());
        volume
    }

    /// Removes one.
    pub(crate) fn drop_volume(&mut self, kind: Kind, volume: &str, now: Timestamp) -> Option<Arc<Volume>> {
        let found = self.volumes_mut(kind).remove(volume)?;
        self.list(&found.id(), None, now);
        Some(found)
    }

    /// Accepts a write: 202, both headers, a body of what was sent.
    pub(crate) fn accept_volume(&mut self, volume: Volume, call: &Call, cause: Cause, milliseconds: u32) -> Answer {
        let (kind, body) = (volume.kind, Value::clone(&volume.sent));
        let started = self.start_disk_operation(call, &volume.id.subscription, &volume.location);
        let (operation, volume) = (started.name.clone(), key(&self.keep_volume(volume, call.now).id()));
        match Self::ordered_failure(call) {
            Some((at, failure)) => {
                self.later(at, Step::VolumeDone { operation, kind, volume, cause, failure: Some(failure) });
            }
            None => {
                let step = Step::VolumeDone { operation, kind, volume, cause, failure: None };
                self.after(call.now, milliseconds, step);
            }
        }
        started.both(Answer::new(202, body))
    }

    pub(crate) fn volume_done(
        &mut self,
        operation: &str,
        (kind, volume): (Kind, &str),
        cause: &Cause,
        failure: Option<Failure>,
        at: Timestamp,
    ) {
        let Some(found) = self.volumes(kind).get(volume).filter(|found| found.phase == Phase::Updating) else {
            self.operations.end(operation, failure, at);
            return;
        };
        let phase = if failure.is_some() { Phase::Failed } else { Phase::Succeeded };
        // A copy begins when its creation ends; a later change does not begin it anew.
        let begins = |progress: &Progress| progress.began == found.created;
        let starting = found.progress.filter(begins).map(|progress| Progress { began: at, ..progress });
        let progress = starting.or(found.progress);
        let done = Volume { phase, progress, ..Volume::clone(found) };
        match &failure {
            None => self.operations.end_with(operation, done.output(at), at),
            Some(_) => self.operations.end(operation, failure.clone(), at),
        }
        if let Some(progress) = starting {
            let end = at.checked_add(progress.length).unwrap_or(at);
            self.later(end, Step::SnapshotCopied { snapshot: volume.to_owned() });
        }
        let outcome = if failure.is_some() { Outcome::Failure } else { Outcome::Success };
        let id = self.keep_volume(done, at).id();
        self.raise(Verb::Write, outcome, &id, cause, at);
    }

    pub(crate) fn volume_gone(&mut self, operation: &str, (kind, volume): (Kind, &str), cause: &Cause, at: Timestamp) {
        self.operations.end(operation, None, at);
        let Some(found) = self.drop_volume(kind, volume, at) else { return };
        // A copy whose source goes away stays unfinished (documented: `CopySourceNotFound`).
        let unique = found.unique_id.as_str();
        let waits = |copy: &Volume| {
            copy.source_unique_id() == Some(unique) && copy.progress.is_some_and(|copy| copy.crosses && copy.runs(at))
        };
        let lost: Vec<String> =
            self.snapshots.iter().filter(|(_, copy)| waits(copy)).map(|(copy, _)| copy.clone()).collect();
        for copy in lost {
            if let Some(copy) = self.snapshots.get(&copy).cloned() {
                let progress = copy.progress.map(|progress| Progress { lost: Some(at), ..progress });
                self.keep_volume(Volume { progress, ..Volume::clone(&copy) }, at);
            }
        }
        self.raise(Verb::Delete, Outcome::Success, &found.id(), cause, at);
    }

    /// A copy has come to its end: Resource Graph may know.
    pub(crate) fn snapshot_copied(&mut self, snapshot: &str, at: Timestamp) {
        if let Some(found) = self.snapshots.get(snapshot).cloned() {
            self.list(&found.id(), Some(found.clone()), at);
        }
    }

    pub(crate) fn access_granted(
        &mut self,
        operation: &str,
        kind: Kind,
        volume: &str,
        until: Timestamp,
        at: Timestamp,
    ) {
        // *Assumed* (`snapshot-open-access`): the form of the URL; nothing answers at it.
        let url = self.volumes(kind).get(volume).map(|found| {
            let file = found.unique_id.replace('-', "");
            format!(
                "https://md-{}.z1.blob.storage.azure.net/{file}/abcd?sv=2018-03-28&sr=b&sig=simulated&sp=r",
                &file[..12]
            )
        });
        self.operations.end_with(operation, json!({ "accessSAS": url }), at);
        if let Some(found) = self.volumes(kind).get(volume).cloned() {
            self.keep_volume(Volume { open_until: Some(until), ..Volume::clone(&found) }, at);
            self.later(until, Step::AccessEnds { operation: String::new(), kind, volume: volume.to_owned(), until });
        }
    }

    /// The signed URL is no longer good. An older one's end does not end a newer one.
    pub(crate) fn access_ends(&mut self, operation: &str, kind: Kind, volume: &str, until: Timestamp, at: Timestamp) {
        self.operations.end(operation, None, at);
        let open = |found: &&Arc<Volume>| found.open_until.is_some_and(|open| open <= until);
        if let Some(found) = self.volumes(kind).get(volume).filter(open).cloned() {
            self.keep_volume(Volume { open_until: None, ..Volume::clone(&found) }, at);
        }
    }
}

/// `GET …/{disks|snapshots}/{name}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    Ok(Answer::new(200, found(state, call)?.json(call.now)))
}

/// `GET` of all of a subscription.
pub(crate) fn list_all(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    list(state, call, None)
}

/// `GET` of all of a group.
pub(crate) fn list_in_group(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    list(state, call, Some(call.param(1)))
}

/// `PATCH …/{disks|snapshots}/{name}`: tags are replaced, properties merged. *Assumed* (`disk-patch`): both, and that it
/// is answered with 202 as a `PUT` is.
pub(crate) fn patch(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?;
    let tags = tags_of(body)?;
    let before = found(state, call)?;
    let mut kept = Value::clone(&before.body);
    if body.get("tags").is_some() {
        kept["tags"] = json!(tags);
    }
    for (name, value) in body["properties"].as_object().into_iter().flatten() {
        kept["properties"][name.as_str()] = value.clone();
    }
    let mut sent = kept.clone();
    sent["properties"]["provisioningState"] = json!("Updating");
    let size_gib = size_in(&kept).unwrap_or(before.size_gib);
    let volume = Volume {
        sent: Arc::new(sent),
        body: Arc::new(kept),
        phase: Phase::Updating,
        size_gib,
        ..Volume::clone(&before)
    };
    let wait = state.latencies.disk_create_ms;
    Ok(state.accept_volume(volume, call, call.cause(true), wait))
}

/// `DELETE …/{disks|snapshots}/{name}`: 202, and 204 when there is none.
pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let Ok(before) = found(state, call) else {
        return Ok(Answer::empty(204));
    };
    if before.managed_by.is_some() {
        return Err(Denial::DiskAttached.error(before.name()));
    }
    if before.open_until.is_some() {
        return Err(Denial::OpenAccess.error(before.name()));
    }
    let started = state.start_disk_operation(call, &before.id.subscription, &before.location);
    let (kind, volume) = (before.kind, key(&before.id()));
    state.keep_volume(Volume { phase: Phase::Deleting, ..Volume::clone(&before) }, call.now);
    let step = Step::VolumeGone { operation: started.name.clone(), kind, volume, cause: call.cause(true) };
    state.after(call.now, state.latencies.disk_delete_ms, step);
    Ok(started.both(Answer::empty(202)))
}

/// `POST …/{disks|snapshots}/{name}/beginGetAccess`.
pub(crate) fn begin_access(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?;
    let wrong = |name: &str| super::errors::invalid_parameter(name, "It is required.");
    let access = body["access"].as_str().ok_or_else(|| wrong("access"))?;
    if !["None", "Read", "Write"].iter().any(|known| known.eq_ignore_ascii_case(access)) {
        return Err(super::errors::invalid_parameter("access", "None, Read or Write is expected."));
    }
    let seconds = body["durationInSeconds"].as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    let seconds = seconds.ok_or_else(|| wrong("durationInSeconds"))?;
    let before = found(state, call)?;
    if before.phase != Phase::Succeeded || before.progress.is_some_and(|copy| copy.runs(call.now)) {
        return Err(Denial::SourceUnfinished.error(before.name()));
    }
    if before.managed_by.is_some() && !before.reserved {
        return Err(Denial::AccessWhileRunning.error(before.name()));
    }
    let started = state.start_disk_operation(call, &before.id.subscription, &before.location);
    let until = call.now.checked_add(SignedDuration::from_secs(seconds.into())).unwrap_or(Timestamp::MAX);
    let (operation, volume) = (started.name.clone(), key(&before.id()));
    let step = Step::AccessGranted { operation, kind: before.kind, volume, until };
    state.after(call.now, state.latencies.disk_access_ms, step);
    Ok(started.both(Answer::empty(202)))
}

/// `POST …/{disks|snapshots}/{name}/endGetAccess`.
pub(crate) fn end_access(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let before = found(state, call)?;
    let started = state.start_disk_operation(call, &before.id.subscription, &before.location);
    let (operation, volume) = (started.name.clone(), key(&before.id()));
    let step = Step::AccessEnds { operation, kind: before.kind, volume, until: Timestamp::MAX };
    state.after(call.now, state.latencies.disk_access_ms, step);
    Ok(started.both(Answer::empty(202)))
}

/// The disk or snapshot that a call is about.
pub(crate) fn found(state: &State, call: &Call) -> Result<Arc<Volume>, ArmError> {
    let (kind, group, name) = (kind_of(call), call.param(1), call.param(2));
    let key = key(&compute_id(call.param(0), group, kind.part(), name));
    state.volumes(kind).get(&key).cloned().ok_or_else(|| resource_not_found(kind.word(), name, group))
}

/// The id that a call names, cased as it will stay.
pub(crate) fn id_of(call: &Call) -> ResourceId {
    ResourceId {
        subscription: call.param(0).to_owned(),
        group: call.param(1).to_owned(),
        provider: "Microsoft.Compute".to_owned(),
        path: vec![(kind_of(call).part().to_owned(), call.param(2).to_owned())],
    }
}

/// The size that a body asks for or tells.
pub(crate) fn size_in(body: &Value) -> Option<u32> {
    body["properties"]["diskSizeGB"].as_u64().and_then(|size| u32::try_from(size).ok())
}

/// The region that a body names.
pub(crate) fn location_in(body: &Value) -> Result<String, ArmError> {
    let location = body["location"].as_str().filter(|place| !place.is_empty());
    let missing =
        || ArmError::gateway(400, "LocationRequired", "The location property is required for this definition.");
    Ok(location.ok_or_else(missing)?.to_owned())
}

/// Whether a call is about snapshots or disks, by its path.
fn kind_of(call: &Call) -> Kind {
    let snapshots = call.path.to_ascii_lowercase().contains("/microsoft.compute/snapshots");
    if snapshots { Kind::Snapshot } else { Kind::Disk }
}

fn list(state: &mut State, call: &Call, group: Option<&str>) -> Result<Answer, ArmError> {
    let own = |volume: &Volume| {
        volume.id.subscription.eq_ignore_ascii_case(call.param(0))
            && group.is_none_or(|group| volume.id.group.eq_ignore_ascii_case(group))
    };
    let all = state.volumes(kind_of(call)).iter().filter(|(_, volume)| own(volume));
    let all = all.map(|(key, volume)| (key.clone(), volume.clone()));
    let start = page_start(call);
    let (found, next) = page(all, start.as_deref(), state.page_size);
    let value: Vec<Value> = found
        .iter()
        .map(|(_, volume)| match group {
            Some(_) => volume.json(call.now),
            None => with_upper_case_group(volume.json(call.now), &volume.id(), &volume.id.group),
        })
        .collect();
    let mut body = json!({ "value": value });
    if let Some(next) = next {
        body["nextLink"] = json!(next_link(call, &next));
    }
    Ok(Answer::new(200, body))
}
