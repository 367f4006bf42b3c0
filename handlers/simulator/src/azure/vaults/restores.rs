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

/// How long a restore of unmanaged disks tells nothing of its progress, in milliseconds (recorded: 10.4 to 10.9 min), and how
/// long the rest takes (recorded: 24.8 min).
const PARTS_MS: [u32; 2] = [640_000, 1_500_000];
/// The same of managed disks, which are made from the snapshot (recorded: 43 to 69 s, then 21 to 29 s).
const MANAGED_PARTS_MS: [u32; 2] = [45_000, 25_000];

/// A restore.
#[derive(Clone, Debug)]
pub(super) struct Restore {
    account: String,
    point: Timestamp,
    is_told: bool,
    /// The group of the disks, where they are managed, and the names of those in the point.
    managed: Option<(String, String)>,
}

impl Restore {
    /// How long its two parts take, in milliseconds.
    pub(super) fn parts_ms(&self) -> [u32; 2] {
        if self.managed.is_some() { MANAGED_PARTS_MS } else { PARTS_MS }
    }

    /// What its job tells besides the usual.
    pub(super) fn parts(&self, job: &Job) -> Value {
        let done = job.ended.is_some_and(|(_, outcome)| outcome == Outcome::Completed);
        let mut task = json!({
            "taskId": "Transfer data from vault",
            "duration": "PT0S",
            "status": if self.is_told && self.managed.is_some() { "Completed" } else { job.status() },
            "taskType": "Normal",
        });
        let mut bag = json!({
            "Job Type": "Recover disks",
            "Target VM Name": "vmName",
            "Target Storage Account Name": self.account,
            "Recovery point time ": american(self.point),
        });
        let mut told = json!({ "internalPropertyBag": { "restoreLocationType": "RestoreDisks" } });
        // Of managed disks nothing is told but their end (recorded).
        let is_counted = self.is_told && self.managed.is_none();
        let (share, left, amount) = match (done, is_counted) {
            (true, _) => (100.0, "PT0S", "127 GBs / 127 GBs Transferred"),
            (false, true) => (50.0, "PT10M", "63.5 GBs / 127 GBs Transferred"),
            (false, false) => (1.0, "", ""),
        };
        told["progressPercentage"] = json!(share);
        if done || is_counted {
            told["estimatedRemainingDuration"] = json!(left);
        }
        if is_counted {
            task["taskExecutionDetails"] = json!(amount);
        }
        if let Some((group, disks)) = &self.managed {
            bag["Target resource group"] = json!(group);
            if done {
                (bag["Restored disk(s)"], bag["Backed-up disk(s)"]) = (json!(disks), json!(disks));
            }
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
    let point = item.points.iter().find(|point| point.name == call.param(6));
    let point = point.ok_or_else(|| VaultDenial::PointMissing.error(call.param(6)))?;
    let group = field(call, "targetResourceGroupId").and_then(Value::as_str).and_then(|id| id.rsplit('/').next());
    let managed = group.map(|group| (group.to_owned(), point.disk_names(true).unwrap_or_default()));
    let point = point.time;
    if vault.running_job(&place).is_some() {
        return Err(VaultDenial::ItemBusy.error(call.param(5)));
    }
    let below =
        format!("backupFabrics/Azure/protectionContainers/{}/protectedItems/{}/restore", call.param(4), call.param(5));
    if fails(call) {
        return Ok(state.begin_backup_operation(call, &below, None).accepted());
    }
    let work = Work::Restore(Restore { account, point, is_told: false, managed });
    let job = jobs::start(state, &vault_key(call), &place, work, call.now);
    Ok(state.begin_backup_operation(call, &below, Some(job)).accepted())
}

/// A restore comes to its next part, or to its end.
pub(super) fn moves(state: &mut State, vault: &str, job: &Job, restore: Restore, at: Timestamp) {
    if restore.is_told {
        return jobs::close(state, vault, &job.id, Outcome::Completed, Vec::new(), at);
    }
    let [_, rest] = restore.parts_ms();
    let found = state.vaults.by_key.get_mut(vault).and_then(|found| found.jobs.get_mut(&job.id));
    if let Some(found) = found {
        found.work = Work::Restore(Restore { is_told: true, ..restore });
    }
    let step = VaultStep::JobMoves { vault: vault.to_owned(), job: job.id.clone() };
    state.after(at, rest, Step::Vault(step));
}
