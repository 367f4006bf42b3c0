//! Restore points: made in time, of one machine, all its disks at one moment.
//! It never changes a point that exists, and never claims a consistency that was not reached.
//!
//! ```text
//! PUT ──► Creating ──half way──► Creating ──► Succeeded (CrashConsistent as asked; else ApplicationConsistent on
//!            │          │                                Windows, FileSystemConsistent on Linux)
//!            │          └─ not crash mode, agent not ready: Failed, VMAgentStatusCommunicationError
//!            └─ on order, or the machine gone: Failed                  any ──DELETE──► Deleting ──► gone
//! ```

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::budgets::Charge;
use super::call::{Answer, Call, Cause, Failure};
use super::charges::point_charge;
use super::collections::About;
use super::denials::{Denial, POINTS_PER_MACHINE};
use super::errors::{ArmError, another_operation, invalid_parameter, not_found};
use super::event_grid::{Outcome, Verb};
use super::ids::{compute_id, key};
use super::machines::{Machine, Provisioning};
use super::point::{Point, PointState, PointView};
use super::state::{State, Step};

fn oldest_first(one: &PointView, other: &PointView) -> Ordering {
    (one.time_created, &one.id).cmp(&(other.time_created, &other.id))
}

impl State {
    /// All points of a machine's source id, over all collections.
    pub(crate) fn points_of_source(&self, machine: &str) -> Vec<PointView> {
        let machine = key(machine);
        let own = self.collections.values().filter(|found| found.about.source_key == machine);
        let mut points: Vec<PointView> =
            own.flat_map(|found| found.points.values().map(|point| point.view(&found.about))).collect();
        points.sort_by(oldest_first);
        points
    }

    /// All points by their machine's source id.
    pub(crate) fn points_by_source(&self) -> BTreeMap<String, Vec<PointView>> {
        let mut points: BTreeMap<String, Vec<PointView>> = BTreeMap::new();
        for found in self.collections.values() {
            let of_machine = points.entry(found.about.source_key.clone()).or_default();
            of_machine.extend(found.points.values().map(|point| point.view(&found.about)));
        }
        points.values_mut().for_each(|of_machine| of_machine.sort_by(oldest_first));
        points
    }

    /// Puts a finished point behind everybody's back: no call, no event.
    pub(crate) fn plant_point(&mut self, collection: &str, name: &str, now: Timestamp) -> Option<PointView> {
        let found = self.collections.get(&key(collection))?;
        let machine = self.machines.get(&found.about.source_key)?.clone();
        let point = Point {
            name: name.to_owned(),
            crash: false,
            excluded: Vec::new(),
            machine,
            state: PointState::Succeeded,
            created: now,
            ended: Some(now),
            failure: None,
            given: None,
        };
        let view = point.view(&found.about);
        self.collections.get_mut(&key(collection))?.points.insert(name.to_ascii_lowercase(), point);
        Some(view)
    }

    fn point_mut(&mut self, collection: &str, point: &str) -> Option<&mut Point> {
        self.collections.get_mut(collection)?.points.get_mut(point)
    }
}

/// A point that may be made.
struct Wanted {
    about: Arc<About>,
    machine: Arc<Machine>,
    crash: bool,
    excluded: Vec<String>,
}

/// What a point's `PUT` draws on besides its collection's budgets. *Assumed* (`point-rate`): a call that is refused for another reason
/// does not draw on it.
pub(crate) fn charge(state: &State, call: &Call) -> Option<Charge> {
    let wanted = wanted(state, call).ok()?;
    Some(point_charge(wanted.crash, &wanted.about.source_key))
}

/// `PUT …/restorePoints/{name}`.
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let Wanted { about, machine, crash, excluded } = wanted(state, call)?;
    let (collection, name) = (collection_key(call), call.param(3).to_ascii_lowercase());
    let point = Point {
        name: call.param(3).to_owned(),
        crash,
        excluded,
        machine,
        state: PointState::Creating,
        created: call.now,
        ended: None,
        failure: None,
        given: None,
    };
    let body = point.json(&about, state.seed);
    if let Some(found) = state.collections.get_mut(&collection) {
        found.points.insert(name.clone(), point);
    }
    state.points_created += 1;
    let started = state.start_operation(call, &about.subscription, &about.location);
    let (operation, cause) = (started.name.clone(), call.cause(false));
    match State::ordered_failure(call) {
        Some((at, failure)) => {
            state.later(at, Step::PointDone { operation, collection, point: name, cause, failure: Some(failure) });
        }
        None => {
            let whole = if crash { state.latencies.crash_point_ms } else { state.latencies.application_point_ms };
            state.after(call.now, whole / 2, Step::PointHalfway { operation, collection, point: name, cause });
        }
    }
    Ok(started.status_only(Answer::new(201, body)))
}

/// `GET …/restorePoints/{name}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let found = state.collections.get(&collection_key(call)).ok_or_else(|| not_found(call.param(2)))?;
    // *Assumed* (`point-missing`): that the provider answers for a point that is not there, in its recorded words for a disk.
    let point = found.points.get(&call.param(3).to_ascii_lowercase()).ok_or_else(|| not_found(call.param(3)))?;
    let with_view = call.expands("instanceView");
    let write = if with_view { Point::json_with_view } else { Point::json };
    Ok(Answer::new(200, write(point, &found.about, state.seed)))
}

/// `DELETE …/restorePoints/{name}`: 202, and 204 when there is none.
pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let (collection, point) = (collection_key(call), call.param(3).to_ascii_lowercase());
    let about = state.collections.get(&collection).map(|found| found.about.clone());
    let (Some(about), Some(found)) = (about, state.point_mut(&collection, &point)) else {
        return Ok(Answer::empty(204));
    };
    if found.state == PointState::Creating {
        // *Assumed* (`point-busy`): that a point cannot be deleted while it is made.
        return Err(another_operation(&found.name));
    }
    found.state = PointState::Deleting;
    let started = state.start_operation(call, &about.subscription, &about.location);
    let step = Step::PointGone { operation: started.name.clone(), collection, point, cause: call.cause(true) };
    state.after(call.now, state.latencies.point_delete_ms, step);
    Ok(started.both(Answer::empty(202)))
}

/// Half of the time has passed: the guest was asked to be still, or could not be.
pub(crate) fn halfway(
    state: &mut State,
    operation: String,
    collection: String,
    point: String,
    cause: Cause,
    at: Timestamp,
) {
    let Some(found) = state.point_mut(&collection, &point) else {
        return;
    };
    let (crash, began, machine) = (found.crash, found.created, found.machine.clone());
    let living = state.machines.get(&key(&machine.id())).filter(|living| living.vm_id == machine.vm_id);
    let failure = match living {
        // *Assumed* (`point-machine-gone`): what a point fails with whose machine is deleted meanwhile.
        None => {
            Some(failure("VMRestorePointInternalError", "An internal error occurred while creating the restore point."))
        }
        Some(living) if !crash && !living.agent_ready => Some(failure(
            "VMAgentStatusCommunicationError",
            "VM Agent unable to communicate with compute service. The restore point could not be created.",
        )),
        Some(_) => None,
    };
    match failure {
        Some(failure) => done(state, &operation, &collection, &point, &cause, Some(failure), at),
        None => {
            let end = at.checked_add(at.duration_since(began).max(SignedDuration::ZERO)).unwrap_or(at);
            state.later(end, Step::PointDone { operation, collection, point, cause, failure: None });
        }
    }
}

/// A point ends.
pub(crate) fn done(
    state: &mut State,
    operation: &str,
    collection: &str,
    point: &str,
    cause: &Cause,
    failure: Option<Failure>,
    at: Timestamp,
) {
    state.operations.end(operation, failure.clone(), at);
    let about = state.collections.get(collection).map(|found| found.about.clone());
    let (Some(about), Some(found)) = (about, state.point_mut(collection, point)) else {
        return;
    };
    let outcome = if failure.is_some() { Outcome::Failure } else { Outcome::Success };
    found.state = if failure.is_some() { PointState::Failed } else { PointState::Succeeded };
    (found.failure, found.ended) = (failure, Some(at));
    let id = found.id(&about);
    state.raise(Verb::Write, outcome, &id, cause, at);
}

/// A point is gone.
pub(crate) fn gone(state: &mut State, operation: &str, collection: &str, point: &str, cause: &Cause, at: Timestamp) {
    state.operations.end(operation, None, at);
    let Some(found) = state.collections.get_mut(collection) else {
        return;
    };
    if let Some(point) = found.points.remove(point) {
        let id = point.id(&found.about);
        state.raise(Verb::Delete, Outcome::Success, &id, cause, at);
    }
}

/// What a `PUT` asks for, if it may be.
fn wanted(state: &State, call: &Call) -> Result<Wanted, ArmError> {
    let body = call.object()?;
    if let Some(source) = body["properties"]["sourceRestorePoint"]["id"].as_str() {
        return Err(Denial::PointCopy.error(source.rsplit('/').next().unwrap_or_default()));
    }
    let (crash, excluded) = (is_crash(body)?, excluded_disks(body)?);
    let found = state.collections.get(&collection_key(call)).ok_or_else(|| not_found(call.param(2)))?;
    let about = found.about.clone();
    if found.points.contains_key(&call.param(3).to_ascii_lowercase()) {
        // *Assumed* (`point-put-twice`): that a second PUT is refused whatever the point's state, and with which code and words.
        let message = format!("Restore point '{}' already exists and cannot be updated.", call.param(3));
        return Err(ArmError::new(409, "Conflict", message));
    }
    let missing = || not_found(about.source.rsplit('/').next().unwrap_or_default());
    let machine = state.machines.get(&about.source_key).cloned().ok_or_else(missing)?;
    check_machine(state, &machine, &about.source_key, &excluded)?;
    Ok(Wanted { about, machine, crash, excluded })
}

fn check_machine(state: &State, machine: &Machine, source: &str, excluded: &[String]) -> Result<(), ArmError> {
    if matches!(machine.provisioning, Provisioning::Creating | Provisioning::Deleting) {
        // *Assumed* (`point-busy`): code and wording for a machine that is not yet or no longer there.
        let message = format!("Operation 'restorePoint' is not allowed on VM '{}' in its current state.", machine.name);
        return Err(ArmError::new(409, "OperationNotAllowed", message));
    }
    let own = || state.collections.values().filter(|found| found.about.source_key == source);
    if own().flat_map(|found| found.points.values()).any(|point| point.state == PointState::Creating) {
        return Err(another_operation(&machine.name));
    }
    // *Assumed* (`vault-sim-snapshot-busy`): that a vault's snapshot keeps a restore point waiting as another point does.
    if state.vaults.takes_snapshot_of(source) {
        return Err(another_operation(&machine.name));
    }
    if own().map(|found| found.points.len()).sum::<usize>() >= POINTS_PER_MACHINE {
        return Err(Denial::PointsAlive.error(&machine.name));
    }
    let known = |id: &String| machine.data_disks.iter().any(|disk| disk.is(id));
    // *Assumed* (`point-exclude-disks`): that the OS disk and unknown disks cannot be left out.
    if !excluded.iter().all(known) {
        return Err(invalid_parameter("excludeDisks", "Only data disks of the source can be excluded."));
    }
    Ok(())
}

fn is_crash(body: &Value) -> Result<bool, ArmError> {
    match &body["properties"]["consistencyMode"] {
        Value::Null => Ok(false),
        Value::String(mode) if mode.eq_ignore_ascii_case("CrashConsistent") => Ok(true),
        _ => Err(invalid_parameter("consistencyMode", "The only accepted value is CrashConsistent.")),
    }
}

fn excluded_disks(body: &Value) -> Result<Vec<String>, ArmError> {
    let refused = || invalid_parameter("excludeDisks", "A list of objects with an id is expected.");
    match &body["properties"]["excludeDisks"] {
        Value::Null => Ok(Vec::new()),
        Value::Array(disks) => {
            disks.iter().map(|disk| disk["id"].as_str().map(str::to_owned).ok_or_else(refused)).collect()
        }
        _ => Err(refused()),
    }
}

fn collection_key(call: &Call) -> String {
    key(&compute_id(call.param(0), call.param(1), "restorePointCollections", call.param(2)))
}

fn failure(code: &str, message: &str) -> Failure {
    Failure { code: code.to_owned(), message: message.to_owned() }
}
