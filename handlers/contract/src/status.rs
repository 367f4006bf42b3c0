//! The answers of `Api`: `/api/status` and `/api/points`, as versioned JSON.
//! It never gathers what they say; whoever answers fills them in. They hold no secret, no token and no caller's identity.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of both answers; a field is added without a new one, a changed meaning needs one.
pub const VERSION: u32 = 1;

/// The answer of `/api/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The version of this form.
    pub version: u32,
    /// When it was put together.
    pub at: Timestamp,
    /// The deployment's id.
    pub deployment: String,
    /// What is running.
    pub build: Build,
    /// The policy in force, or why there is none.
    pub policy: PolicyStatus,
    /// The last sweep that was completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sweep: Option<SweepStatus>,
    /// What is known of the machines in scope.
    pub machines: MachineCounts,
    /// What is known of the points made.
    pub points: PointCounts,
    /// Holds that were ordered, newest first; at most as many as a person reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HeldPoint>,
    /// How many there are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub holds_total: u64,
    /// Where each recovery plan in force stands, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery_plans: Vec<RecoveryPlanStatus>,
    /// What a person should look at, most urgent first; empty when all is well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attention: Vec<Attention>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A person's order that a point stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldPoint {
    /// ARM id of the point.
    pub point: String,
    /// When it was ordered.
    pub since: Timestamp,
    /// Why, in a person's words.
    pub reason: String,
}

/// Where a recovery plan stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryPlanStatus {
    /// Its name.
    pub name: String,
    /// The region that may be lost.
    pub from: String,
    /// The region that takes over.
    pub to: String,
    /// Its phase; none where it was never evaluated, or where that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// When it was evaluated last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluated_at: Option<Timestamp>,
    /// Since when an incident is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_since: Option<Timestamp>,
}

/// The program that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Build {
    /// Its release.
    pub version: String,
    /// What tells this build from others of the same release.
    pub id: String,
    /// When this process started.
    pub started: Timestamp,
}

/// The policy in force, or what keeps it from being so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum PolicyStatus {
    /// They were read and are followed.
    InForce {
        /// The name of the one with the highest priority.
        name: String,
        /// Its mode: `report` or `enforce`.
        mode: PolicyMode,
        /// The digest of the bundle.
        digest: String,
        /// The other policies of the bundle, highest priority first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        others: Vec<NamedPolicy>,
        /// Why a newer bundle is not in force, one line each; empty when there is none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        not_read: Vec<String>,
    },
    /// It could not be read, so that nothing is changed.
    Unreadable {
        /// Its place in the store.
        document: String,
        /// What is wrong, one line each.
        problems: Vec<String>,
    },
    /// There is none.
    Missing {
        /// The place in the store where it would be named.
        document: String,
    },
}

/// A policy, named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedPolicy {
    /// Its name.
    pub name: String,
    /// `report` or `enforce`.
    pub mode: PolicyMode,
}

/// How a policy is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PolicyMode {
    /// Plan and tell, change nothing.
    Report,
    /// Plan and perform.
    Enforce,
}

/// One completed sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SweepStatus {
    /// Its number, from 1.
    pub number: u64,
    /// When it began; machines created before are covered.
    pub started: Timestamp,
    /// When it ended.
    pub completed: Timestamp,
    /// Machines that it found in scope.
    pub found: u64,
    /// Machines for which it queued work.
    pub queued: u64,
}

/// Counts of machines, as of the last sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MachineCounts {
    /// In scope.
    pub seen: u64,
    /// Covered by the policy; absent while it is not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<u64>,
}

/// Counts of points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PointCounts {
    /// Read as succeeded.
    pub succeeded: u64,
    /// Being made.
    pub in_progress: u64,
    /// Failed and kept as evidence.
    pub failed: u64,
}

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attention {
    /// Since when.
    pub since: Timestamp,
    /// One line in plain words.
    pub what: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// The answer of `/api/points`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Points {
    /// The version of this form.
    pub version: u32,
    /// When it was put together.
    pub at: Timestamp,
    /// The points, newest first.
    pub points: Vec<Point>,
    /// True when there are more than the answer holds.
    #[serde(default)]
    pub truncated: bool,
}

/// One recovery point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// The machine's ARM id.
    pub machine: String,
    /// The point's name in Azure.
    pub name: String,
    /// The policy's entry that it stands for; none for a foreign point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The moment that it stands for: `on-create` for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<String>,
    /// Which attempt at that slot it is.
    pub attempt: u32,
    /// How far it is.
    pub state: PointState,
    /// What the machine's data is like in it, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consistency: Option<Consistency>,
    /// When Azure made it, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// True when it was made later than the policy asks, because Lifeboat was away. Told where one machine is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<bool>,
    /// Why it is there and as it is, one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// How far a point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PointState {
    /// Decided, and not done because the policy only reports.
    Planned,
    /// Azure is making it.
    InProgress,
    /// Read as succeeded.
    Succeeded,
    /// Failed; kept as evidence.
    Failed,
}

/// What a machine's data is like in a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Consistency {
    /// As after a power cut.
    Crash,
    /// File systems are whole.
    FileSystem,
    /// Applications wrote out what they held.
    Application,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_answers_read_back_from_their_golden_files() {
        let status = include_str!("../golden/status.v1.json");
        let read: Status = serde_json::from_str(status).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::from_str::<serde_json::Value>(status).unwrap());
        let points = include_str!("../golden/points.v1.json");
        let read: Points = serde_json::from_str(points).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::from_str::<serde_json::Value>(points).unwrap());
    }

    #[test]
    fn each_state_of_the_policy_is_told_apart() {
        for (status, state) in [
            (PolicyStatus::Missing { document: "p.yaml".into() }, "missing"),
            (PolicyStatus::Unreadable { document: "p.yaml".into(), problems: vec![] }, "unreadable"),
            (
                PolicyStatus::InForce {
                    name: "p".into(),
                    mode: PolicyMode::Report,
                    digest: "d".into(),
                    others: vec![],
                    not_read: vec![],
                },
                "inForce",
            ),
        ] {
            assert_eq!(serde_json::to_value(status).unwrap()["state"], state);
        }
    }
}
