//! Restores of disks, as far as their jobs go: Lifeboat's tapes hold some, and their jobs stand in the lists.
//! It never makes a disk.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::ArmError;
use super::super::state::{State, Step};
use super::job_body::american;
use super::jobs::{self, Job, Outcome, Work};
use super::pending::{fails, field};
use super::{VaultDenial, VaultStep, item_calls, vault_key, vault_of};

/// How long a restore tells nothing of its progress, in milliseconds (recorded: 10.4 to 10.9 min).
pub(super) const FIRST_PART_MS: u32 = 640_000;
/// How long the rest takes, in milliseconds (recorded: 24.8 min).
const SECOND_PART_MS: u32 = 1_500_000;

/// A restore.
#[derive(Clone, Debug)]
pub(super) struct Restore {
    account: String,
    point: Timestamp,
    is_told: bool,
}

impl Restore {
    /// What its job tells besides the usual.
    pub(super) fn parts(&self, job: &Job) -> Value {
        let done = job.ended.is_some_and(|(_, outcome)| outcome == Outcome::Completed);
        let mut task = json!({
            "taskId": "Transfer data from vault",
            "duration": "PT0S",
            "status": job.status(),
            "taskType": "Normal",
        });
        let mut bag = json!({
            "Job Type": "Recover disks",
            "Target VM Name": "vmName",
            "Target Storage Account Name": self.account,
            "Recovery point time ": american(self.point),
        });
        let mut told = json!({ "internalPropertyBag": { "restoreLocationType": "RestoreDisks" } });
        told["progressPercentage"] = json!(if done {
            100.0
        } else if self.is_told {
            50.0
        } else {
            1.0
        });
        if self.is_told {
            let amount = if done { "127 GBs / 127 GBs Transferred" } else { "63.5 GBs / 127 GBs Transferred" };
            task["taskExecutionDetails"] = json!(amount);
            told["estimatedRemainingDuration"] = json!(if done { "PT0S" } else { "PT10M" });
        }
        if done {
            let (name, place) = (format!("config-{}.json", job.id), format!("{}-restored", job.friendly));
            let uri = |file: &str| format!("https://{}.blob.core.windows.net/{place}/{file}", self.account);
            bag["Config Blob Name"] = json!(name);
            bag["Config Blob Container Name"] = json!(place);
            bag["Config Blob Uri"] = json!(uri(&name));
            bag["Template Blob Uri"] = json!(uri(&format!("azuredeploy{}.json", job.id)));
        } else {
            told["dynamicErrorMessage"] = json!("");
        }
        (told["tasksList"], told["propertyBag"]) = (json!([task]), bag);
        told
    }
}

/// `POST …/recoveryPoints/{p}/restore`: 202 and an operation whose job bears its name (recorded). *Assumed*
/// (`vault-sim-restore`): other kinds of restore than that of disks are refused here.
pub(crate) fn post(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let place = format!("vm;{}", item_calls::native_of(call)?).to_ascii_lowercase();
    if field(call, "recoveryType").is_none_or(|kind| kind != "RestoreDisks") {
        return Err(VaultDenial::BodyUnknown.error("recoveryType"));
    }
    let account = field(call, "storageAccountId").and_then(Value::as_str).and_then(|id| id.rsplit('/').next());
    let account = account.unwrap_or_default().to_owned();
    let vault = vault_of(state, call)?;
    let item = vault.items.get(&place).filter(|item| item.is_there());
    let item = item.ok_or_else(|| VaultDenial::ItemMissing.error(call.param(5)))?;
    if item.deleted.is_some() {
        return Err(VaultDenial::ItemSoftDeleted.error(&item.friendly));
    }
    let point = item.points.iter().find(|point| point.name == call.param(6)).map(|point| point.time);
    let point = point.ok_or_else(|| VaultDenial::PointMissing.error(call.param(6)))?;
    if vault.running_job(&place).is_some() {
        return Err(VaultDenial::ItemBusy.error(call.param(5)));
    }
    let below =
        format!("backupFabrics/Azure/protectionContainers/{}/protectedItems/{}/restore", call.param(4), call.param(5));
    if fails(call) {
        return Ok(state.begin_backup_operation(call, &below, None).accepted());
    }
    let work = Work::Restore(Restore { account, point, is_told: false });
    let job = jobs::start(state, &vault_key(call), &place, work, call.now);
    Ok(state.begin_backup_operation(call, &below, Some(job)).accepted())
}

/// A restore comes to its next part, or to its end.
pub(super) fn moves(state: &mut State, vault: &str, job: &Job, restore: Restore, at: Timestamp) {
    if restore.is_told {
        return jobs::close(state, vault, &job.id, Outcome::Completed, Vec::new(), at);
    }
    let found = state.vaults.by_key.get_mut(vault).and_then(|found| found.jobs.get_mut(&job.id));
    if let Some(found) = found {
        found.work = Work::Restore(Restore { is_told: true, ..restore });
    }
    let step = VaultStep::JobMoves { vault: vault.to_owned(), job: job.id.clone() };
    state.after(at, SECOND_PART_MS, Step::Vault(step));
}
