//! The jobs of Site Recovery (Microsoft.RecoveryServices 2025-02-01, `service.json`): an order that was taken is one, under the id
//! that its answer named.
//!
//! It never cancels, resumes or restarts one.

use crate::{
    arm::ArmClient,
    error::Error,
    id::ResourceId,
    json,
    operations::{Harm, Operation, SITE_RECOVERY},
    vault_operations::OperationId,
    vaults,
};
use jiff::Timestamp;
use serde_json::Value;

/// Reading a job.
pub const GET: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/replicationJobs/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{resourceName}/replicationJobs/{jobName}",
    api_version: SITE_RECOVERY.0,
    document: SITE_RECOVERY.1,
    harm: Harm::Nothing,
    evidence: &["replication-job", "replication-job-states", "replication-job-errors"],
};

/// Listing the jobs of a vault, without their tasks.
pub const LIST: Operation = Operation {
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{resourceName}/replicationJobs",
    evidence: &["replication-job", "replication-job-states", "arm-next-link"],
    ..GET
};

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicationJob {
    /// Its id.
    pub id: ResourceId,
    /// Its name: the id of the order.
    pub name: String,
    /// For example `UnplannedFailover`.
    pub scenario: Option<String>,
    /// Where it stands.
    pub state: ReplicationJobState,
    /// More of that, for example `CompletedWithInformation`.
    pub description: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The name of what it is about.
    pub object: Option<String>,
    /// Its steps.
    pub tasks: Vec<ReplicationTask>,
    /// What went wrong, also where it succeeded: then they are warnings.
    pub errors: Vec<ReplicationError>,
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicationJobState {
    /// Not yet.
    NotStarted,
    /// Under way.
    InProgress,
    /// It did what it was to do.
    Succeeded,
    /// It did not.
    Failed,
    /// Somebody stopped it.
    Cancelled,
    /// It waits for a person.
    Suspended,
    /// Anything else: not known to have ended.
    Other(String),
}

/// A step of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicationTask {
    /// Its name.
    pub name: String,
    /// Where it stands, in Site Recovery's word.
    pub state: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

/// What went wrong in a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicationError {
    /// Site Recovery's number, for example `150097`.
    pub code: Option<String>,
    /// Bounded and cleaned.
    pub message: Option<String>,
    /// `Error`, `Warning`.
    pub level: Option<String>,
}

impl ReplicationJobState {
    /// Whether nothing comes after it.
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// The jobs of a vault, without their tasks (`ReplicationJobs_List`). A repeat is safe.
pub async fn list(arm: &ArmClient, vault: &ResourceId) -> Result<Vec<ReplicationJob>, Error> {
    arm.list(&LIST, &vaults::parameters(&LIST, vault)?, &[], read).await
}

/// One job with its tasks (`ReplicationJobs_Get`). A repeat is safe.
pub async fn get(arm: &ArmClient, vault: &ResourceId, id: &OperationId) -> Result<ReplicationJob, Error> {
    let [subscription, group, vault] = vaults::parameters(&GET, vault)?;
    let value = arm.get(&GET, &[subscription, group, vault, id.as_str()], &[]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, "a job without its id"))
}

/// What a job's JSON says; none without its id.
pub(crate) fn read(value: &Value) -> Option<ReplicationJob> {
    let id: ResourceId = json::text(value, "/id")?.parse().ok()?;
    Some(ReplicationJob {
        name: id.name().to_owned(),
        scenario: json::filled(value, "/properties/scenarioName"),
        state: state(json::text(value, "/properties/state").unwrap_or_default()),
        description: json::filled(value, "/properties/stateDescription"),
        started: json::time(value, "/properties/startTime"),
        ended: json::time(value, "/properties/endTime"),
        object: json::filled(value, "/properties/targetObjectName"),
        tasks: json::list(value, "/properties/tasks").iter().map(task).collect(),
        errors: json::list(value, "/properties/errors").iter().map(error).collect(),
        id,
    })
}

fn task(value: &Value) -> ReplicationTask {
    ReplicationTask {
        name: json::string(value, "/name").unwrap_or_default(),
        state: json::filled(value, "/state"),
        started: json::time(value, "/startTime"),
        ended: json::time(value, "/endTime"),
    }
}

fn error(value: &Value) -> ReplicationError {
    ReplicationError {
        code: json::filled(value, "/serviceErrorDetails/code"),
        message: json::words(value, "/serviceErrorDetails/message"),
        level: json::filled(value, "/errorLevel"),
    }
}

fn state(text: &str) -> ReplicationJobState {
    match text {
        _ if text.eq_ignore_ascii_case("NotStarted") => ReplicationJobState::NotStarted,
        _ if text.eq_ignore_ascii_case("InProgress") => ReplicationJobState::InProgress,
        _ if text.eq_ignore_ascii_case("Succeeded") => ReplicationJobState::Succeeded,
        _ if text.eq_ignore_ascii_case("Failed") => ReplicationJobState::Failed,
        _ if text.eq_ignore_ascii_case("Cancelled") || text.eq_ignore_ascii_case("Canceled") => {
            ReplicationJobState::Cancelled
        }
        _ if text.eq_ignore_ascii_case("Suspended") => ReplicationJobState::Suspended,
        other => ReplicationJobState::Other(other.to_owned()),
    }
}
