//! Backups: on demand and when the vault policy says, in two parts.
//! It never runs two of one machine at a time, and never more on demand than a day allows.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::super::call::{Answer, Call};
use super::super::errors::ArmError;
use super::super::machines::Provisioning;
use super::super::state::{State, Step};
use super::control::JobPart;
use super::denials::ON_DEMAND_PER_DAY;
use super::items::{self, Protection};
use super::jobs::{self, Job, JobError, Outcome, Work};
use super::pending::{fails, field};
use super::schedules::{self, Run};
use super::{VaultDenial, VaultStep, item_calls, points, vault_key, vault_of};

/// Days that a point on demand is kept where nothing is said (documented).
const ON_DEMAND_DAYS: i64 = 30;
/// The time in which backups on demand are counted, in hours. *Assumed* (`vault-sim-on-demand`): that any 24 hours count, not
/// the day of the calendar.
const ON_DEMAND_HOURS: i64 = 24;
/// The code of a machine that is gone (documented).
const MACHINE_GONE: i64 = 400_094;
/// The code of a machine that could not be backed up from within (documented).
const MACHINE_OFFLINE: i64 = 380_008;
/// Stands where no source gives a number beside the name of an error (*assumed*, `vault-sim-job-errors`).
const NO_NUMBER: i64 = 0;

/// How far a backup has come; the time is when the snapshot was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Snapshot,
    Taken(Timestamp),
    Transfer(Timestamp),
}

/// A backup.
#[derive(Clone, Debug)]
pub(super) struct Backup {
    pub(super) stage: Stage,
    /// Until when its point is kept; none where the vault policy says.
    pub(super) expiry: Option<Timestamp>,
    /// Whether its point goes to the vault.
    pub(super) to_vault: bool,
    /// Its point, once there is one.
    pub(super) point: Option<String>,
    /// What went wrong and did not stop it.
    pub(super) warnings: Vec<JobError>,
}

impl Backup {
    /// Whether the snapshot is still taken.
    pub(super) fn takes_snapshot(&self) -> bool {
        self.stage == Stage::Snapshot
    }

    fn new(expiry: Option<Timestamp>, to_vault: bool) -> Self {
        Self { stage: Stage::Snapshot, expiry, to_vault, point: None, warnings: Vec::new() }
    }
}

impl super::Vaults {
    /// Whether the backup service takes a snapshot of a machine just now.
    pub(crate) fn takes_snapshot_of(&self, machine: &str) -> bool {
        self.by_key.values().any(|vault| {
            vault.running.iter().any(|(item, job)| {
                let own = vault.items.get(item).is_some_and(|item| item.source_key == machine);
                let work = vault.jobs.get(job).map(|job| &job.work);
                own && matches!(work, Some(Work::Backup(backup)) if backup.takes_snapshot())
            })
        })
    }
}

/// `POST …/protectedItems/{i}/backup`: 202 and an operation with a job (recorded).
pub(crate) fn on_demand(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let place = format!("vm;{}", item_calls::native_of(call)?).to_ascii_lowercase();
    if field(call, "objectType").is_none_or(|kind| kind != "IaasVMBackupRequest") {
        return Err(VaultDenial::BodyUnknown.error("objectType"));
    }
    let expiry = match field(call, "recoveryPointExpiryTimeInUTC").and_then(Value::as_str) {
        None => schedules::plus_days(call.now, ON_DEMAND_DAYS),
        Some(text) => {
            let wrong = || VaultDenial::BodyUnknown.error("recoveryPointExpiryTimeInUTC");
            text.parse::<Timestamp>().map_err(|_| wrong())?
        }
    };
    let vault = vault_of(state, call)?;
    let found = vault.items.get(&place).filter(|item| item.is_there());
    let found = found.ok_or_else(|| VaultDenial::ItemMissing.error(call.param(5)))?;
    if found.deleted.is_some() {
        return Err(VaultDenial::ItemSoftDeleted.error(&found.friendly));
    }
    if found.protection == Protection::Stopped {
        return Err(VaultDenial::ItemNotBackedUp.error(&found.friendly));
    }
    match vault.running_job(&place).map(|job| matches!(job.work, Work::Backup(_))) {
        Some(true) => return Err(VaultDenial::BackupRunning.error(call.param(5))),
        Some(false) => return Err(VaultDenial::ItemBusy.error(call.param(5))),
        None => {}
    }
    let day_ago = call.now.checked_sub(SignedDuration::from_hours(ON_DEMAND_HOURS)).unwrap_or(Timestamp::MIN);
    let (friendly, source) = (found.friendly.clone(), found.source_key.clone());
    if found.on_demand.iter().filter(|at| **at > day_ago).count() >= ON_DEMAND_PER_DAY {
        return Err(VaultDenial::OnDemandUsedUp.error(&friendly));
    }
    let provisioning = state.machines.get(&source).map(|machine| machine.provisioning);
    if matches!(provisioning, Some(Provisioning::Creating | Provisioning::Deleting)) {
        return Err(VaultDenial::MachineInTransit.error(&friendly));
    }
    let below = format!("backupFabrics/Azure/protectionContainers/{}/protectedItems/{}", call.param(4), call.param(5));
    if fails(call) {
        return Ok(state.begin_backup_operation(call, &below, None).accepted());
    }
    if let Some(item) = vault_of(state, call)?.items.get_mut(&place) {
        item.on_demand.retain(|at| *at > day_ago);
        item.on_demand.push(call.now);
    }
    let job = jobs::start(state, &vault_key(call), &place, Work::Backup(Backup::new(Some(expiry), true)), call.now);
    Ok(state.begin_backup_operation(call, &below, Some(job)).accepted())
}

/// The vault policy's time has come. *Assumed* (`vault-sim-schedule`): that it begins at its time and not up to two hours
/// later, and that a run which finds another one at work is left out.
pub(super) fn due(state: &mut State, vault: &str, item: &str, turn: u64, at: Timestamp) {
    let Some(found) = state.vaults.by_key.get(vault) else { return };
    let Some(entry) = found.items.get(item).filter(|entry| entry.turn == turn && entry.is_backed_up()) else { return };
    let before = at.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(at);
    let run = found.policy_of(entry).and_then(|policy| schedules::next_run(&policy.body, before));
    let to_vault = run.is_none_or(|Run { to_vault, .. }| to_vault);
    if found.running_job(item).is_none() {
        jobs::start(state, vault, item, Work::Backup(Backup::new(None, to_vault)), at);
    }
    items::schedule(state, vault, item, at);
}

/// A backup comes to its next part, or to its end.
pub(super) fn moves(state: &mut State, vault: &str, job: &Job, mut backup: Backup, at: Timestamp) {
    match backup.stage {
        Stage::Snapshot => {
            if let Some((error, outcome)) = state.vaults.ordered(vault, job, JobPart::Snapshot) {
                if outcome == Outcome::Failed {
                    return failed(state, vault, job, error, at);
                }
                backup.warnings.push(error);
            }
            match machine_trouble(state, vault, job) {
                Some((error, true)) => return failed(state, vault, job, error, at),
                Some((error, false)) => backup.warnings.push(error),
                None => {}
            }
            backup.point = points::add(state, vault, job, &backup, at);
            backup.stage = Stage::Taken(at);
            if !backup.to_vault {
                return succeeded(state, vault, job, backup, at);
            }
            let wait = state.latencies.backup_transfer_told_ms;
            later(state, vault, job, backup, (wait, at));
        }
        Stage::Taken(taken) => {
            backup.stage = Stage::Transfer(taken);
            let latencies = &state.latencies;
            let wait = latencies.backup_transfer_ms.saturating_sub(latencies.backup_transfer_told_ms);
            later(state, vault, job, backup, (wait, at));
        }
        Stage::Transfer(_) => {
            if let Some((error, outcome)) = state.vaults.ordered(vault, job, JobPart::Transfer) {
                if outcome == Outcome::Failed {
                    return failed(state, vault, job, error, at);
                }
                backup.warnings.push(error);
            }
            if let Some(name) = &backup.point {
                points::harden(state, vault, &job.item, name);
            }
            succeeded(state, vault, job, backup, at);
        }
    }
}

fn later(state: &mut State, vault: &str, job: &Job, backup: Backup, (wait, at): (u32, Timestamp)) {
    keep(state, vault, job, backup);
    let step = VaultStep::JobMoves { vault: vault.to_owned(), job: job.id.clone() };
    state.after(at, wait, Step::Vault(step));
}

fn keep(state: &mut State, vault: &str, job: &Job, backup: Backup) {
    let found = state.vaults.by_key.get_mut(vault).and_then(|found| found.jobs.get_mut(&job.id));
    if let Some(found) = found {
        found.work = Work::Backup(backup);
    }
}

fn succeeded(state: &mut State, vault: &str, job: &Job, backup: Backup, at: Timestamp) {
    let outcome = if backup.warnings.is_empty() { Outcome::Completed } else { Outcome::WithWarnings };
    let warnings = backup.warnings.clone();
    keep(state, vault, job, backup);
    jobs::close(state, vault, &job.id, outcome, warnings, at);
    if let Some(item) = item_of(state, vault, job) {
        item.last_backup = Some((job.started, outcome.word()));
        if item.protection == Protection::Pending {
            item.protection = Protection::Protected;
        }
    }
    points::expire(state, vault, &job.item, at);
    state.list_item(vault, &job.item, at);
}

fn failed(state: &mut State, vault: &str, job: &Job, error: JobError, at: Timestamp) {
    jobs::close(state, vault, &job.id, Outcome::Failed, vec![error], at);
    if let Some(item) = item_of(state, vault, job) {
        item.last_backup = Some((job.started, Outcome::Failed.word()));
    }
    state.list_item(vault, &job.item, at);
}

fn item_of<'a>(state: &'a mut State, vault: &str, job: &Job) -> Option<&'a mut super::Item> {
    state.vaults.by_key.get_mut(vault)?.items.get_mut(&job.item)
}

/// What is wrong with the machine, and whether that stops the backup.
fn machine_trouble(state: &State, vault: &str, job: &Job) -> Option<(JobError, bool)> {
    let source = &state.vaults.by_key.get(vault)?.items.get(&job.item)?.source_key;
    let error = |code: i64, title: &str, text: &str| JobError {
        code,
        title: title.to_owned(),
        text: text.to_owned(),
        cures: Vec::new(),
    };
    let Some(machine) = state.machines.get(source) else {
        return Some((error(MACHINE_GONE, "BCMV2VMNotFound", "The virtual machine could not be found."), true));
    };
    if machine.provisioning == Provisioning::Failed {
        let title = "UserErrorVmProvisioningStateFailed";
        return Some((error(NO_NUMBER, title, "The virtual machine is in failed provisioning state."), true));
    }
    let answers = points::answers(machine);
    (!answers).then(|| {
        let text = "The virtual machine does not run or its agent does not answer: the point is crash-consistent.";
        (error(MACHINE_OFFLINE, "AzureVmOffline", text), false)
    })
}
