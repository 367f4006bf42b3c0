//! Jobs of the backup service: what each does when it comes to its next part, and what came of it.
//! It never fails a job that nobody ordered to fail, but for a machine that is gone or in no state for it.

use jiff::Timestamp;
use serde_json::Value;

use super::super::call::{Answer, Call};
use super::super::errors::ArmError;
use super::super::paging;
use super::super::state::{State, Step};
use super::control::{JobOperation, JobPart};
use super::items::{self, Protection};
use super::restores::Restore;
use super::runs::{self, Backup};
use super::{VaultDenial, VaultStep, asked, filter_of, restores, vault_key, vault_of};

/// What a job does.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// Protection is set up or changed.
    Configure {
        policy: String,
        exclusion: Option<Value>,
        is_new: bool,
    },
    /// Protection is stopped, and the points are kept.
    Disable,
    /// The item is deleted.
    Delete,
    /// A deleted item comes back, stopped.
    Undelete,
    Backup(Backup),
    Restore(Restore),
}

/// What came of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Completed,
    WithWarnings,
    Failed,
    Cancelled,
}

/// An error as a job tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JobError {
    pub(super) code: i64,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) cures: Vec<String>,
}

/// A job.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) item: String,
    pub(super) native: String,
    pub(super) friendly: String,
    pub(super) activity: String,
    pub(super) started: Timestamp,
    pub(super) ended: Option<(Timestamp, Outcome)>,
    pub(super) errors: Vec<JobError>,
    /// The vault policy's name, as it was written.
    pub(super) policy: String,
    /// Points that the item had when the job began.
    pub(super) points: usize,
    pub(super) work: Work,
}

impl Outcome {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Completed => "Completed",
            Self::WithWarnings => "CompletedWithWarnings",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }
}

impl Work {
    pub(super) fn operation(&self) -> JobOperation {
        match self {
            Self::Configure { .. } => JobOperation::ConfigureBackup,
            Self::Disable => JobOperation::DisableBackup,
            Self::Delete => JobOperation::DeleteBackupData,
            Self::Undelete => JobOperation::Undelete,
            Self::Backup(_) => JobOperation::Backup,
            Self::Restore(_) => JobOperation::Restore,
        }
    }
}

impl Job {
    pub(super) fn is_running(&self) -> bool {
        self.ended.is_none()
    }

    pub(super) fn status(&self) -> &'static str {
        self.ended.map_or("InProgress", |(_, outcome)| outcome.word())
    }
}

/// Starts a job; answers its id.
pub(super) fn start(state: &mut State, vault: &str, item: &str, work: Work, now: Timestamp) -> String {
    let (id, activity) = (state.names.guid(), state.names.guid());
    let latencies = state.latencies.clone();
    let Some(found) = state.vaults.by_key.get_mut(vault) else { return id };
    let Some(entry) = found.items.get(item) else { return id };
    let named = match &work {
        Work::Configure { policy, .. } => found.policies.get(policy),
        _ => None,
    };
    let length = match &work {
        Work::Configure { is_new: true, .. } => latencies.backup_configure_ms,
        Work::Configure { .. } | Work::Disable => latencies.backup_change_ms,
        Work::Delete => latencies.backup_delete_ms,
        Work::Undelete => latencies.backup_undelete_ms,
        Work::Backup(_) => latencies.backup_snapshot_ms,
        Work::Restore(restore) => restore.parts_ms()[0],
    };
    let job = Job {
        id: id.clone(),
        item: item.to_owned(),
        native: entry.native.clone(),
        friendly: entry.friendly.clone(),
        activity,
        started: now,
        ended: None,
        errors: Vec::new(),
        policy: named.map(|policy| policy.name.clone()).unwrap_or_default(),
        points: entry.points.len(),
        work,
    };
    if let Work::Configure { policy, is_new: true, .. } = &job.work {
        // It counts for its policy from the start.
        let policy = policy.clone();
        if let Some(entry) = found.items.get_mut(item) {
            entry.policy = Some(policy);
        }
    }
    found.heard_of = true;
    found.running.insert(item.to_owned(), id.clone());
    found.jobs.insert(id.clone(), job);
    let step = VaultStep::JobMoves { vault: vault.to_owned(), job: id.clone() };
    state.after(now, length, Step::Vault(step));
    id
}

/// A job comes to its next part, or to its end.
pub(super) fn moves(state: &mut State, vault: &str, job: &str, at: Timestamp) {
    let found = state.vaults.by_key.get(vault).and_then(|found| found.jobs.get(job));
    let Some(job) = found.filter(|job| job.is_running()).cloned() else { return };
    match job.work.clone() {
        Work::Backup(backup) => runs::moves(state, vault, &job, backup, at),
        Work::Restore(restore) => restores::moves(state, vault, &job, restore, at),
        work => ends(state, vault, &job, work, at),
    }
}

/// The end of a job of one part.
fn ends(state: &mut State, vault: &str, job: &Job, work: Work, at: Timestamp) {
    if let Some((error, outcome)) = state.vaults.ordered(vault, job, JobPart::Whole) {
        let is_new = matches!(work, Work::Configure { is_new: true, .. });
        if let Some(found) = state.vaults.by_key.get_mut(vault).filter(|_| is_new) {
            found.items.remove(&job.item);
        }
        close(state, vault, &job.id, outcome, vec![error], at);
        return;
    }
    let Some(found) = state.vaults.by_key.get_mut(vault) else { return };
    let (keeps, days) = (found.keeps_deleted(), found.soft_delete.days);
    let Some(item) = found.items.get_mut(&job.item) else {
        // Somebody took it away meanwhile.
        return close(state, vault, &job.id, Outcome::Failed, Vec::new(), at);
    };
    match work {
        Work::Configure { policy, exclusion, .. } => {
            (item.policy, item.set_up) = (Some(policy), true);
            item.exclusion = exclusion.or(item.exclusion.take());
            item.protection = if item.points.is_empty() { Protection::Pending } else { Protection::Protected };
        }
        Work::Disable | Work::Undelete => {
            (item.policy, item.protection, item.deleted) = (None, Protection::Stopped, None);
        }
        Work::Delete if keeps => {
            (item.policy, item.protection, item.deleted) = (None, Protection::Stopped, Some((at, days)));
            let step = VaultStep::Purged { vault: vault.to_owned(), item: job.item.clone(), deleted: at };
            state.later(super::schedules::plus_days(at, days), Step::Vault(step));
        }
        _ => {
            found.items.remove(&job.item);
        }
    }
    close(state, vault, &job.id, Outcome::Completed, Vec::new(), at);
    items::schedule(state, vault, &job.item, at);
    super::points::plan_expiry(state, vault, &job.item, at);
}

/// Writes down what came of a job.
pub(super) fn close(state: &mut State, vault: &str, job: &str, outcome: Outcome, errors: Vec<JobError>, at: Timestamp) {
    let Some(found) = state.vaults.by_key.get_mut(vault) else { return };
    if let Some(job) = found.jobs.get_mut(job) {
        job.ended = Some((at, outcome));
        job.errors = errors;
        let item = job.item.clone();
        found.running.remove(&item);
        state.list_item(vault, &item, at);
    }
}

/// `GET …/backupJobs`: the newest first (recorded).
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let filter = filter_of(call)?;
    let size = state.page_size;
    let vault = &*vault_of(state, call)?;
    let bound = |field: &str| filter.iter().find(|(name, _)| name == field).map(|(_, text)| time_of(text)).transpose();
    let (from, until) = (bound("starttime")?, bound("endtime")?);
    let wanted = |job: &Job| {
        asked(&filter, "status", job.status())
            && asked(&filter, "backupmanagementtype", "AzureIaasVM")
            && asked(&filter, "operation", job.work.operation().word())
            && asked(&filter, "jobid", &job.id)
            && from.is_none_or(|from| job.started >= from)
            && until.is_none_or(|until| job.started <= until)
    };
    let newest_first = |job: &Job| format!("{:020} {}", i64::MAX - job.started.as_microsecond(), job.id);
    let mut all: Vec<(String, &Job)> =
        vault.jobs.values().filter(|job| wanted(job)).map(|job| (newest_first(job), job)).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(paging::listing(call, all.into_iter().map(|(key, job)| (key, job.json(vault, false, call.now))), size))
}

/// `GET …/backupJobs/{id}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let vault = &*vault_of(state, call)?;
    let found = vault.jobs.get(&call.param(3).to_ascii_lowercase());
    let found = found.ok_or_else(|| VaultDenial::JobMissing.error(call.param(3)))?;
    Ok(Answer::new(200, found.json(vault, true, call.now)))
}

/// `POST …/backupJobs/{id}/cancel`: a backup only while its snapshot is taken (documented). *Assumed* (`vault-sim-cancel`):
/// that it has ended at once.
pub(crate) fn cancel(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let vault = &*vault_of(state, call)?;
    let found = vault.jobs.get(&call.param(3).to_ascii_lowercase());
    let found = found.ok_or_else(|| VaultDenial::JobMissing.error(call.param(3)))?;
    let may = match &found.work {
        Work::Backup(backup) => backup.takes_snapshot(),
        Work::Restore(_) => true,
        _ => false,
    };
    if !may || !found.is_running() {
        return Err(VaultDenial::JobNotCancellable.error(&found.id));
    }
    let id = found.id.clone();
    close(state, &vault_key(call), &id, Outcome::Cancelled, Vec::new(), call.now);
    Ok(state.begin_backup_operation(call, &format!("backupJobs/{id}"), None).accepted())
}

/// A time of a filter: `2026-11-25 07:30:00 PM` (documented) or as JSON writes it.
pub(super) fn time_of(text: &str) -> Result<Timestamp, ArmError> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let read = jiff::civil::DateTime::strptime("%Y-%m-%d %I:%M:%S %p", text);
    let read = read.and_then(|time| jiff::tz::TimeZone::UTC.to_timestamp(time));
    read.map_err(|_| VaultDenial::FilterUnknown.error(text))
}
