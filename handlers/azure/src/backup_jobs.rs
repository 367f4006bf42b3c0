//! The jobs of a vault (Microsoft.RecoveryServices 2025-02-01, `bms.json`): what a backup does, in two phases, and how it ends.
//!
//! It never cancels one, and never takes `actionsInfo` for the phase: it says `Cancellable` to the end.
//!
//! ```text
//! Backup: "Take Snapshot" ─► "Transfer data to vault" ─► Completed | CompletedWithWarnings | Failed | Cancelled
//! ```

use crate::{
    arm::ArmClient,
    error::Error,
    id::ResourceId,
    json,
    operations::{BACKUP, Harm, Operation},
    protected_items::ItemName,
    said, vaults,
};
use jiff::Timestamp;
use serde_json::Value;

/// Reading a job.
pub const GET: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/backupJobs/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}/backupJobs/{jobName}",
    api_version: BACKUP.0,
    document: BACKUP.1,
    harm: Harm::Nothing,
    evidence: &[
        "job-get",
        "job-phases",
        "job-states",
        "job-errors",
        "backup-codes-documented",
        "backup-codes-reported",
        "arm-never",
    ],
};

/// Listing the jobs of a vault, without their tasks.
pub const LIST: Operation = Operation {
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}/backupJobs",
    evidence: &["job-list", "job-filter", "job-states", "arm-next-link"],
    ..GET
};

/// The job of enabling.
pub const CONFIGURE_BACKUP: &str = "ConfigureBackup";
/// The job of a backup.
pub const BACKUP_JOB: &str = "Backup";
/// The task that takes snapshots: no restore point is made beside it.
pub const TAKE_SNAPSHOT: &str = "Take Snapshot";
/// The task that copies to the vault.
pub const TRANSFER: &str = "Transfer data to vault";

/// Which jobs are asked for; those of machines in any case.
#[derive(Clone, Copy, Debug, Default)]
pub struct JobFilter<'a> {
    /// For example [`BACKUP_JOB`].
    pub operation: Option<&'a str>,
    /// For example `InProgress`.
    pub status: Option<&'a str>,
    /// Between these two moments.
    pub between: Option<(Timestamp, Timestamp)>,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: ResourceId,
    /// Its name: what an operation calls its job.
    pub name: String,
    /// For example [`BACKUP_JOB`], `Restore`, `DisableBackup`, `DeleteBackupData`, `Undelete`.
    pub operation: Option<String>,
    /// Where it stands.
    pub status: JobStatus,
    /// The container of the item that it works on.
    pub container: Option<String>,
    /// The machine's name.
    pub friendly_name: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Its tasks in their order; empty in lists, and in jobs that have none.
    pub tasks: Vec<Task>,
    /// Why it failed, or what it warns of.
    pub errors: Vec<JobError>,
    /// What else it says of its errors, bounded and cleaned.
    pub message: Option<String>,
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// It runs.
    InProgress,
    /// Ended well.
    Completed,
    /// Ended well, with something to say: often a point that is only crash-consistent.
    CompletedWithWarnings,
    /// Ended badly.
    Failed,
    /// Somebody stops it.
    Cancelling,
    /// Somebody stopped it.
    Cancelled,
    /// Anything else: not known to have ended.
    Other(String),
}

/// A task of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// For example [`TAKE_SNAPSHOT`].
    pub name: String,
    /// `NotStarted`, `InProgress`, `Completed`, `Failed`, …
    pub status: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

/// Why a job failed, in Azure's words. What to do: [`crate::backup_errors`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobError {
    /// Azure's number.
    pub code: Option<i64>,
    /// Azure's word for it, or what it is about.
    pub title: Option<String>,
    /// Bounded and cleaned.
    pub text: Option<String>,
    /// Azure's advice, bounded and cleaned.
    pub recommendations: Vec<String>,
}

impl JobStatus {
    /// Whether nothing comes after it.
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Completed | Self::CompletedWithWarnings | Self::Failed | Self::Cancelled)
    }
}

impl Job {
    /// Whether it is of that machine's item. The name does not tell a machine from another that had the same name.
    pub fn is_of(&self, machine: &ResourceId) -> bool {
        let name = ItemName::of(machine);
        name.zip(self.container.as_deref()).is_some_and(|(name, container)| name.is_in(container))
    }

    /// Whether it is a backup that still takes snapshots; none where that is not known, as in lists.
    pub fn takes_snapshot(&self) -> Option<bool> {
        let is_backup = self.operation.as_deref().is_some_and(|operation| operation.eq_ignore_ascii_case(BACKUP_JOB));
        if !is_backup || self.status.is_ended() {
            return Some(false);
        }
        let task = self.tasks.iter().find(|task| task.name.eq_ignore_ascii_case(TAKE_SNAPSHOT))?;
        let status = task.status.as_deref()?;
        Some(["NotStarted", "InProgress"].iter().any(|running| running.eq_ignore_ascii_case(status)))
    }
}

/// The jobs of a vault about machines, without their tasks (`BackupJobs_List`). A repeat is safe.
pub async fn list(arm: &ArmClient, vault: &ResourceId, filter: &JobFilter<'_>) -> Result<Vec<Job>, Error> {
    let filter = filter.text();
    arm.list(&LIST, &vaults::parameters(&LIST, vault)?, &[("$filter", &filter)], read).await
}

/// One job with its tasks (`JobDetails_Get`). A repeat is safe.
pub async fn get(arm: &ArmClient, vault: &ResourceId, name: &str) -> Result<Job, Error> {
    let [subscription, group, vault] = vaults::parameters(&GET, vault)?;
    let value = arm.get(&GET, &[subscription, group, vault, name], &[]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, "a job without its id"))
}

impl JobFilter<'_> {
    fn text(&self) -> String {
        let mut parts = Vec::new();
        if let Some((from, to)) = self.between {
            parts.push(format!("startTime eq '{}'", filter_time(from)));
            parts.push(format!("endTime eq '{}'", filter_time(to)));
        }
        parts.extend(self.operation.map(|operation| format!("operation eq '{}'", quoted(operation))));
        parts.push("backupManagementType eq 'AzureIaasVM'".to_owned());
        parts.extend(self.status.map(|status| format!("status eq '{}'", quoted(status))));
        parts.join(" and ")
    }
}

/// A time as the filters of Backup want it: UTC, twelve hours, `AM` or `PM`.
pub(crate) fn filter_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %I:%M:%S %p").to_string()
}

/// A text inside the quotes of a filter.
fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}

/// What a job's JSON says; none without its id.
pub(crate) fn read(value: &Value) -> Option<Job> {
    let id: ResourceId = json::text(value, "/id")?.parse().ok()?;
    Some(Job {
        name: id.name().to_owned(),
        operation: json::filled(value, "/properties/operation"),
        status: status(json::text(value, "/properties/status").unwrap_or_default()),
        container: json::filled(value, "/properties/containerName"),
        friendly_name: json::filled(value, "/properties/entityFriendlyName"),
        started: json::time(value, "/properties/startTime"),
        ended: json::time(value, "/properties/endTime"),
        tasks: json::list(value, "/properties/extendedInfo/tasksList").iter().map(task).collect(),
        errors: json::list(value, "/properties/errorDetails").iter().map(error).collect(),
        message: json::words(value, "/properties/extendedInfo/dynamicErrorMessage"),
        id,
    })
}

fn status(text: &str) -> JobStatus {
    match text {
        _ if text.eq_ignore_ascii_case("InProgress") => JobStatus::InProgress,
        _ if text.eq_ignore_ascii_case("Completed") => JobStatus::Completed,
        _ if text.eq_ignore_ascii_case("CompletedWithWarnings") => JobStatus::CompletedWithWarnings,
        _ if text.eq_ignore_ascii_case("Failed") => JobStatus::Failed,
        _ if text.eq_ignore_ascii_case("Cancelling") => JobStatus::Cancelling,
        _ if text.eq_ignore_ascii_case("Cancelled") => JobStatus::Cancelled,
        other => JobStatus::Other(other.to_owned()),
    }
}

fn task(value: &Value) -> Task {
    Task {
        name: json::string(value, "/taskId").unwrap_or_default(),
        status: json::filled(value, "/status"),
        started: json::time(value, "/startTime"),
        ended: json::time(value, "/endTime"),
    }
}

fn error(value: &Value) -> JobError {
    JobError {
        code: json::number(value, "/errorCode"),
        title: json::words(value, "/errorTitle"),
        text: json::words(value, "/errorString"),
        recommendations: json::texts(value, "/recommendations").iter().map(|text| said::clean(text)).collect(),
    }
}

#[cfg(test)]
mod tests;
