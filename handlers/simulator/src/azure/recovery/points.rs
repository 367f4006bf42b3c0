//! Recovery points of a replicated machine: which there are follows from when it was replicated and from its policy.
//! It never shows a point of a time in which the machine did not run or its region was lost.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::ArmError;
use super::super::ids::{guid_of, key};
use super::super::state::State;
use super::items::{Phase, Replica, Stage};
use super::{KIND, RecoveryDenial, item_calls};

/// How points are thinned out (documented): up to an age in hours, one for each so many minutes.
const DENSITY: [(i64, i64); 4] = [(2, 5), (24, 60), (7 * 24, 120), (15 * 24, 240)];

/// A point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecoveryPoint {
    pub(super) name: String,
    pub(super) at: Timestamp,
    pub(super) application: bool,
}

impl Replica {
    /// Its points, newest first. After a failover they stay as they were; a commit takes them away (documented).
    pub(super) fn points(&self, seed: u64) -> Vec<RecoveryPoint> {
        let kept = matches!(self.phase, Phase::Replicating(Stage::Protected) | Phase::FailedOver(_));
        let Some(since) = self.protected_since.filter(|_| kept) else { return Vec::new() };
        let every = SignedDuration::from_mins(self.pace.crash.max(1));
        let now = self.alive.last().map_or(since, |last| last.1).max(match &self.phase {
            Phase::Replicating(_) => self.advanced,
            _ => since,
        });
        let mut found: Vec<RecoveryPoint> = Vec::new();
        for &(from, to) in self.alive.iter().rev() {
            let number = |at: Timestamp| at.duration_since(since).as_secs() / every.as_secs().max(1);
            let first = number(from) + i64::from(since + every * i32::try_from(number(from)).unwrap_or(0) < from);
            for count in (first..=number(to)).rev() {
                let at = since + every * i32::try_from(count).unwrap_or(i32::MAX);
                let age = now.duration_since(at);
                let newest = found.is_empty();
                if !newest && (age > SignedDuration::from_mins(self.pace.kept) || age.as_hours() >= DENSITY[3].0) {
                    return found;
                }
                if newest || self.is_dense(count, age) {
                    found.push(self.point(seed, count, at));
                }
            }
        }
        found
    }

    /// The newest one.
    pub(super) fn newest(&self, seed: u64) -> Option<RecoveryPoint> {
        let kept = matches!(self.phase, Phase::Replicating(Stage::Protected) | Phase::FailedOver(_));
        let since = self.protected_since.filter(|_| kept)?;
        let every = SignedDuration::from_mins(self.pace.crash.max(1));
        let in_time = |&(from, to): &(Timestamp, Timestamp)| {
            let count = to.duration_since(since).as_secs() / every.as_secs().max(1);
            let at = since + every * i32::try_from(count).unwrap_or(i32::MAX);
            (at >= from).then(|| self.point(seed, count, at))
        };
        self.alive.iter().rev().find_map(in_time)
    }

    fn is_dense(&self, count: i64, age: SignedDuration) -> bool {
        let step =
            DENSITY.iter().find(|(hours, _)| age < SignedDuration::from_hours(*hours)).map_or(240, |found| found.1);
        let minutes = self.pace.crash.max(1);
        step <= minutes || count % (step / minutes).max(1) == 0
    }

    fn point(&self, seed: u64, count: i64, at: Timestamp) -> RecoveryPoint {
        let (crash, application) = (self.pace.crash.max(1), self.pace.application);
        let application = application > 0 && count % (application / crash).max(1) == 0;
        RecoveryPoint {
            name: guid_of(seed, "recovery point", &format!("{} {} {count}", self.id, self.turn)),
            at,
            application,
        }
    }

    /// A point's id.
    pub(super) fn point_id(&self, name: &str) -> String {
        format!("{}/recoveryPoints/{name}", self.id)
    }

    fn point_json(&self, point: &RecoveryPoint) -> Value {
        let disks: Vec<&str> = self.disks.iter().map(|disk| disk.id.as_str()).collect();
        json!({
            "id": self.point_id(&point.name),
            "name": point.name,
            "type": format!(
                "{KIND}/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/recoveryPoints"
            ),
            "properties": {
                "recoveryPointTime": super::operations::seven(point.at),
                "recoveryPointType": if point.application { "ApplicationConsistent" } else { "CrashConsistent" },
                "providerSpecificDetails": {
                    "instanceType": "A2A", "recoveryPointSyncType": "PerVmRecoveryPoint", "disks": disks,
                },
            },
        })
    }

    /// The point that an id names, in any case; the newest one, where it names none.
    pub(super) fn chosen(&self, seed: u64, id: &Value) -> Result<RecoveryPoint, ArmError> {
        let Some(id) = id.as_str().filter(|id| !id.is_empty()) else {
            return self.newest(seed).ok_or_else(|| RecoveryDenial::PointMissing.error("latest"));
        };
        let wanted = |point: &RecoveryPoint| key(&self.point_id(&point.name)) == key(id);
        self.points(seed).into_iter().find(wanted).ok_or_else(|| RecoveryDenial::PointMissing.error(id))
    }
}

/// `GET …/recoveryPoints`. *Assumed* (`sr-sim-point-order`): newest first, and not paged.
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let seed = state.seed;
    let item = item_calls::item_of(state, call)?;
    let value: Vec<Value> = item.points(seed).iter().map(|point| item.point_json(point)).collect();
    Ok(Answer::new(200, json!({ "value": value })))
}

/// `GET …/recoveryPoints/{name}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let seed = state.seed;
    let item = item_calls::item_of(state, call)?;
    let found = item.points(seed).into_iter().find(|point| point.name.eq_ignore_ascii_case(call.param(6)));
    let found = found.ok_or_else(|| RecoveryDenial::Missing.error(call.param(6)))?;
    Ok(Answer::new(200, item.point_json(&found)))
}
