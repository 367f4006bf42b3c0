//! Recovery points: first a snapshot, then a copy in the vault too, then only that copy.
//! It never takes an item's last point away, and none of an item that is stopped or deleted.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::ArmError;
use super::super::ids::stamp_z;
use super::super::machines::{Machine, Os};
use super::super::paging;
use super::super::power::Power;
use super::super::state::{State, Step};
use super::items::{Item, Protection};
use super::jobs::Job;
use super::runs::Backup;
use super::{Vault, VaultDenial, VaultStep, filter_of, item_calls, jobs, schedules, vault_of};

/// How long after a point its expiry is told, in minutes. *Assumed* (`vault-sim-point-expiry`): it is on the tape that looks two
/// hours later, and on none that looks within three quarters of an hour.
const EXPIRY_TOLD_MINUTES: i64 = 100;

/// A recovery point.
#[derive(Clone, Debug)]
pub(super) struct VaultPoint {
    pub(super) name: String,
    pub(super) time: Timestamp,
    /// Until when it is kept where that was said; else the vault policy says.
    pub(super) expiry: Option<Timestamp>,
    pub(super) consistency: &'static str,
    /// Whether it is in the vault.
    pub(super) hardened: bool,
    /// Whether it is meant to go there.
    pub(super) to_vault: bool,
    pub(super) instant_days: i64,
    generation: String,
    os: &'static str,
    size: String,
    security: String,
    /// The machine's disks: number, name, and whether it is in the point. None where all are.
    disks: Option<Vec<(i64, String, bool)>>,
}

impl VaultPoint {
    /// Until when it is kept, and by which rule.
    pub(super) fn kept_until(&self, policy: Option<&Value>) -> (Timestamp, &'static str) {
        match (self.expiry, self.to_vault, policy) {
            (Some(expiry), ..) => (expiry, "On-Demand"),
            (None, false, _) => (schedules::plus_days(self.time, self.instant_days), "Daily"),
            (None, true, Some(policy)) => schedules::kept_until(policy, self.time),
            (None, true, None) => (Timestamp::MAX, "Daily"),
        }
    }

    /// The tiers that it is in.
    pub(super) fn tiers(&self, now: Timestamp) -> Vec<&'static str> {
        let snapshot_stays = now < schedules::plus_days(self.time, self.instant_days) || !self.hardened;
        let all = [("InstantRP", snapshot_stays), ("HardenedRP", self.hardened)];
        all.into_iter().filter(|(_, there)| *there).map(|(tier, _)| tier).collect()
    }

    /// The names of the disks that are in it, or that are left out, where not all are in it.
    pub(super) fn disk_names(&self, inside: bool) -> Option<String> {
        let own = self.disks.as_ref()?.iter().filter(|(_, _, is_inside)| *is_inside == inside);
        Some(own.map(|(_, name, _)| name.as_str()).collect::<Vec<_>>().join("; "))
    }

    fn json(&self, vault: &Vault, item: &Item, alone: bool, now: Timestamp) -> Value {
        let tiers = self.tiers(now).into_iter().map(|tier| json!({ "type": tier, "status": "Valid" }));
        let mut properties = json!({
            "objectType": "IaasVMRecoveryPoint",
            "recoveryPointType": self.consistency,
            "recoveryPointTime": stamp_z(self.time),
            "recoveryPointAdditionalInfo": "",
            "sourceVMStorageType": "PremiumVMOnPartialPremiumStorage",
            "isSourceVMEncrypted": false,
            "isInstantIlrSessionActive": false,
            "recoveryPointTierDetails": tiers.collect::<Vec<Value>>(),
            "isManagedVirtualMachine": true,
            "virtualMachineSize": self.size,
            "originalStorageAccountOption": false,
            "osType": self.os,
            "recoveryPointMoveReadinessInfo": { "ArchivedRP": {
                "isReadyForMove": false,
                "additionalInfo": "It is not known yet whether this recovery point can be moved.",
            } },
            "securityType": self.security,
            "isPrivateAccessEnabledOnAnyDisk": false,
            "createdWithPolicyType": self.generation,
            "threatStatus": 0,
        });
        if let Some(disks) = &self.disks {
            properties["recoveryPointDiskConfiguration"] = configuration(disks, alone);
        }
        if now >= self.time.checked_add(SignedDuration::from_mins(EXPIRY_TOLD_MINUTES)).unwrap_or(Timestamp::MAX) {
            let (until, rule) = self.kept_until(vault.policy_of(item).map(|policy| &policy.body));
            let mut told = json!({ "ruleName": rule, "isSoftDeleted": item.deleted.is_some() });
            if until < Timestamp::MAX {
                told["expiryTime"] = json!(until.strftime("%Y-%m-%dT%H:%M:%S.0000000").to_string());
            }
            properties["recoveryPointProperties"] = told;
        }
        json!({
            "id": format!("{}/recoveryPoints/{}", item.id(vault), self.name),
            "name": self.name,
            "type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints",
            "properties": properties,
        })
    }
}

/// Which disks are in a point; a list of points tells only how many (recorded).
fn configuration(disks: &[(i64, String, bool)], alone: bool) -> Value {
    let part = |wanted: bool| {
        let own = disks.iter().filter(|(_, _, inside)| *inside == wanted);
        own.map(|(lun, name, _)| json!({ "lun": lun, "name": name })).collect::<Vec<Value>>()
    };
    let mut told = json!({
        "numberOfDisksIncludedInBackup": part(true).len(),
        "numberOfDisksAttachedToVm": disks.len(),
    });
    if alone {
        told["includedDiskList"] = json!(part(true));
        told["excludedDiskList"] = json!(part(false));
    }
    told
}

/// Whether a machine can be backed up from within.
pub(super) fn answers(machine: &Machine) -> bool {
    machine.agent_ready && machine.power == Power::Running
}

/// Adds the point whose snapshot is there now; answers its name.
pub(super) fn add(state: &mut State, vault: &str, job: &Job, backup: &Backup, at: Timestamp) -> Option<String> {
    let name = state.vaults.number(state.seed);
    let found = state.vaults.by_key.get_mut(vault)?;
    let item = found.items.get(&job.item)?;
    let machine = state.machines.get(&item.source_key)?;
    let policy = found.policies.get(item.policy.as_ref()?)?;
    let consistency = match machine.os {
        _ if !answers(machine) => "CrashConsistent",
        Os::Windows => "AppConsistent",
        Os::Linux => "FileSystemConsistent",
    };
    let security = machine.body["properties"]["securityProfile"]["securityType"].as_str().unwrap_or("None");
    let point = VaultPoint {
        name: name.clone(),
        // It is a few seconds younger than its job (recorded).
        time: job.started.checked_add(SignedDuration::from_secs(4)).unwrap_or(at),
        expiry: backup.expiry,
        consistency,
        hardened: false,
        to_vault: backup.to_vault,
        instant_days: policy.instant_days(),
        generation: policy.generation().to_owned(),
        os: if machine.os == Os::Windows { "Windows" } else { "Linux" },
        size: machine.size.clone(),
        security: security.to_owned(),
        disks: item.exclusion.as_ref().map(|exclusion| disks_of(machine, exclusion)),
    };
    found.items.get_mut(&job.item)?.points.push(point);
    plan_expiry(state, vault, &job.item, at);
    Some(name)
}

/// A point that was there before anybody looked.
pub(super) fn of_old(name: String, time: Timestamp, machine: Option<&Machine>, instant_days: i64) -> VaultPoint {
    VaultPoint {
        name,
        time,
        expiry: None,
        consistency: if machine.is_some_and(|one| one.os == Os::Windows) {
            "AppConsistent"
        } else {
            "FileSystemConsistent"
        },
        hardened: true,
        to_vault: true,
        instant_days,
        generation: "V1".to_owned(),
        os: if machine.is_some_and(|one| one.os == Os::Windows) { "Windows" } else { "Linux" },
        size: machine.map(|machine| machine.size.clone()).unwrap_or_default(),
        security: "None".to_owned(),
        disks: None,
    }
}

/// The OS disk is always in it; the list names data disks by their numbers.
fn disks_of(machine: &Machine, exclusion: &Value) -> Vec<(i64, String, bool)> {
    let listed: Vec<i64> =
        exclusion["diskLunList"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    let includes = exclusion["isInclusionList"] == true;
    let mut disks = vec![(-1, machine.os_disk.name.clone(), true)];
    for disk in machine.body["properties"]["storageProfile"]["dataDisks"].as_array().into_iter().flatten() {
        let lun = disk["lun"].as_i64().unwrap_or_default();
        disks.push((lun, disk["name"].as_str().unwrap_or_default().to_owned(), listed.contains(&lun) == includes));
    }
    disks
}

/// The copy is in the vault.
pub(super) fn harden(state: &mut State, vault: &str, item: &str, name: &str) {
    let found = state.vaults.by_key.get_mut(vault).and_then(|found| found.items.get_mut(item));
    if let Some(point) = found.and_then(|item| item.points.iter_mut().find(|point| point.name == name)) {
        point.hardened = true;
    }
}

/// Plans when the next point outlives its retention.
pub(super) fn plan_expiry(state: &mut State, vault: &str, item: &str, now: Timestamp) {
    let Some(found) = state.vaults.by_key.get_mut(vault) else { return };
    let Some(entry) = found.items.get(item) else { return };
    let policy = found.policy_of(entry).map(|policy| &policy.body);
    let ends = entry.points.iter().map(|point| point.kept_until(policy).0).filter(|ends| *ends > now).min();
    let planned = entry.looked_at.filter(|at| *at > now).unwrap_or(Timestamp::MAX);
    // An earlier look plans the next one.
    if let Some(ends) = ends.filter(|ends| *ends < planned) {
        if let Some(entry) = found.items.get_mut(item) {
            entry.looked_at = Some(ends);
        }
        let step = VaultStep::PointsExpire { vault: vault.to_owned(), item: item.to_owned() };
        state.later(ends, Step::Vault(step));
    }
}

/// Takes away what outlived its retention, but the last point (documented). Nothing goes while protection is stopped or the
/// item is deleted (documented).
pub(super) fn expire(state: &mut State, vault: &str, item: &str, at: Timestamp) {
    let Some(found) = state.vaults.by_key.get_mut(vault) else { return };
    let policy = found.items.get(item).and_then(|entry| found.policy_of(entry)).map(|policy| policy.body.clone());
    let Some(entry) = found.items.get_mut(item) else { return };
    if entry.protection == Protection::Stopped || entry.deleted.is_some() {
        return;
    }
    let newest = entry.points.iter().map(|point| point.time).max();
    entry.points.retain(|point| point.kept_until(policy.as_ref()).0 > at || Some(point.time) == newest);
    plan_expiry(state, vault, item, at);
}

/// `GET …/recoveryPoints`, the newest first. *Assumed* (`vault-sim-point-order`): no tape lists two.
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let text = call.query("$filter").unwrap_or_default().to_owned();
    let bound = |name: &str| -> Result<Option<Timestamp>, ArmError> {
        let filter = if text.is_empty() { Vec::new() } else { filter_of(call)? };
        filter.iter().find(|(field, _)| field == name).map(|(_, value)| jobs::time_of(value)).transpose()
    };
    let (from, until) = (bound("startdate")?, bound("enddate")?);
    let size = state.page_size;
    let place = format!("vm;{}", item_calls::native_of(call)?).to_ascii_lowercase();
    let vault = &*vault_of(state, call)?;
    let item = vault.items.get(&place).filter(|item| item.is_there());
    let item = item.ok_or_else(|| VaultDenial::ItemMissing.error(call.param(5)))?;
    let within = |point: &&VaultPoint| {
        from.is_none_or(|from| point.time >= from) && until.is_none_or(|until| point.time <= until)
    };
    let newest_first = |point: &VaultPoint| format!("{:020} {}", i64::MAX - point.time.as_microsecond(), point.name);
    let mut all: Vec<(String, Value)> = item
        .points
        .iter()
        .filter(within)
        .map(|point| (newest_first(point), point.json(vault, item, false, call.now)))
        .collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(paging::listing(call, all.into_iter(), size))
}

/// `GET …/recoveryPoints/{p}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let place = format!("vm;{}", item_calls::native_of(call)?).to_ascii_lowercase();
    let vault = &*vault_of(state, call)?;
    let item = vault.items.get(&place).filter(|item| item.is_there());
    let item = item.ok_or_else(|| VaultDenial::ItemMissing.error(call.param(5)))?;
    let point = item.points.iter().find(|point| point.name == call.param(6));
    let point = point.ok_or_else(|| VaultDenial::PointMissing.error(call.param(6)))?;
    Ok(Answer::new(200, point.json(vault, item, true, call.now)))
}

/// `POST …/recoveryPointsRecommendedForMove`: none is (recorded).
pub(crate) fn recommended(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    vault_of(state, call)?;
    Ok(Answer::new(200, json!({ "value": [] })))
}
