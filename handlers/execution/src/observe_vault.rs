//! Reads what a decision on protection rests on: the vault, the vault policy, the machine's item, its jobs, other vaults.
//! It never concludes: what may not be read, or is not there in words that prove nothing, stays *unknown*.
//!
//! What is asked later rests on what was asked before: Azure's check is asked for only where a machine could be enabled.

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::backup_jobs::{self, JobFilter, JobStatus};
use lifeboat_azure::protected_items::{self, ProtectedItem};
use lifeboat_azure::protection_status::{self, CheckStatus, Status};
use lifeboat_azure::{Error, ErrorKind, ResourceId};
use lifeboat_azure::{protectable_items, vault_policies, vaults};
use lifeboat_planning::enforcement;
use lifeboat_planning::facts::vault::{
    Answer, ElsewhereSeen, Item, ItemSeen, ItemState, Job, JobOperation, JobState, JobsSeen, PreCheck, ProtectionFacts,
    Vault, VaultPolicy, VaultPolicySeen, VaultSeen,
};
use lifeboat_planning::facts::{Machine, UnknownBecause};
use lifeboat_planning::policy::{Placement, VaultRule};

use crate::lifeboat::Lifeboat;

/// How far back jobs are read: attempts are counted over a day, and a job may run for most of another.
const JOBS_READ_BACK: SignedDuration = SignedDuration::from_hours(48);
/// What was not asked, because what it rests on answered otherwise.
const NOT_ASKED: UnknownBecause = UnknownBecause::NotAsked;

/// The facts for one machine; nothing is asked where the policy names no vault for its region. Faults that pass are errors.
pub async fn protection(
    lifeboat: &Lifeboat,
    rule: &VaultRule,
    machine: &Machine,
    now: Timestamp,
) -> Result<ProtectionFacts, Error> {
    let Some(placement) = enforcement::placement(rule, &machine.about) else { return Ok(nothing()) };
    let Ok(id) = machine.id.parse::<ResourceId>() else { return Ok(nothing()) };
    let mut facts = nothing();
    let vault = match the_vault(lifeboat, placement, machine).await? {
        Ok(vault) => vault,
        Err(seen) => return Ok(ProtectionFacts { vault: seen, ..facts }),
    };
    facts.vault = VaultSeen::Present(Vault { id: vault.id.as_str().to_owned(), location: vault.location.clone() });
    facts.vault_policy = vault_policy(lifeboat, placement, machine, &vault.id).await?;
    facts.jobs = jobs(lifeboat, &vault.id, &id, now).await?;
    facts.item = item(lifeboat, &vault.id, &id).await?;
    if facts.item == ItemSeen::Absent {
        facts.elsewhere = elsewhere(lifeboat, &id, &machine.about.location, &vault.id).await?;
        if facts.elsewhere == ElsewhereSeen::No {
            facts.pre_check = pre_check(lifeboat, &id, &machine.about.location, &vault.id).await?;
            facts.listed = listed(lifeboat, &vault.id, &id).await?;
        }
    }
    Ok(facts)
}

/// The newest point of a machine in whichever vault protects it; the outer `None` where that could not be learned.
pub async fn newest_point(lifeboat: &Lifeboat, machine: &Machine) -> Result<Option<Option<Timestamp>>, Error> {
    let Ok(id) = machine.id.parse::<ResourceId>() else { return Ok(None) };
    let status = match protection_status::get(&lifeboat.arm, &id, &machine.about.location).await {
        Ok(status) => status,
        Err(error) => return unknown(error).map(|_| None),
    };
    let vault = match (status.status, status.vault) {
        (Status::NotProtected, _) => return Ok(Some(None)),
        (Status::Protected | Status::Protecting, Some(vault)) => vault,
        _ => return Ok(None),
    };
    match protected_items::get(&lifeboat.arm, &vault, &id).await {
        Ok(item) => Ok(Some(item.last_point)),
        Err(error) => unknown(error).map(|_| None),
    }
}

/// Nothing was asked.
fn nothing() -> ProtectionFacts {
    ProtectionFacts {
        vault: VaultSeen::Unknown(NOT_ASKED),
        vault_policy: VaultPolicySeen::Unknown(NOT_ASKED),
        item: ItemSeen::Unknown(NOT_ASKED),
        elsewhere: ElsewhereSeen::Unknown(NOT_ASKED),
        listed: Answer::Unknown(NOT_ASKED),
        pre_check: PreCheck::Unknown(NOT_ASKED),
        jobs: JobsSeen::Unknown(NOT_ASKED),
    }
}

/// Why an answer says nothing: a right that is missing, or a 404 that proves nothing. Faults that pass are errors.
pub fn unknown(error: Error) -> Result<UnknownBecause, Error> {
    match error.kind {
        ErrorKind::Forbidden | ErrorKind::Unauthorized => Ok(UnknownBecause::NotPermitted),
        ErrorKind::NotFound => Ok(UnknownBecause::NotFoundUnproven),
        _ => Err(error),
    }
}

/// The vault of the placement's name in the machine's subscription.
async fn the_vault(
    lifeboat: &Lifeboat,
    placement: &Placement,
    machine: &Machine,
) -> Result<Result<vaults::Vault, VaultSeen>, Error> {
    let all = match vaults::list(&lifeboat.arm, &machine.about.subscription).await {
        Ok(all) => all,
        Err(error) => return Ok(Err(VaultSeen::Unknown(unknown(error)?))),
    };
    let mut named = all.into_iter().filter(|vault| vault.name.eq_ignore_ascii_case(&placement.vault));
    Ok(match (named.next(), named.next()) {
        (None, _) => Err(VaultSeen::Absent),
        (Some(vault), None) => Ok(vault),
        (Some(_), Some(_)) => Err(VaultSeen::Several),
    })
}

async fn vault_policy(
    lifeboat: &Lifeboat,
    placement: &Placement,
    machine: &Machine,
    vault: &ResourceId,
) -> Result<VaultPolicySeen, Error> {
    let Some(name) = enforcement::vault_policy_name(placement, &machine.about) else {
        return Ok(VaultPolicySeen::NotNamed);
    };
    // A list, because an absent one's own 404 is the provider's, and its code no source shows.
    let all = match vault_policies::list(&lifeboat.arm, vault).await {
        Ok(all) => all,
        Err(error) => return Ok(VaultPolicySeen::Unknown(unknown(error)?)),
    };
    let Some(named) = all.into_iter().find(|policy| policy.name.eq_ignore_ascii_case(name)) else {
        return Ok(VaultPolicySeen::Absent);
    };
    Ok(VaultPolicySeen::Present(VaultPolicy {
        id: named.id.as_str().to_owned(),
        for_machines: named.is_for_machines(),
        // How many is not said where there are none yet.
        protected_items: u32::try_from(named.protected_items.unwrap_or(0)).unwrap_or(u32::MAX),
    }))
}

/// The machine's item: by its name, and where there is none, by the list that has stopped and soft-deleted ones too.
async fn item(lifeboat: &Lifeboat, vault: &ResourceId, machine: &ResourceId) -> Result<ItemSeen, Error> {
    match protected_items::get(&lifeboat.arm, vault, machine).await {
        Ok(read) => return Ok(ItemSeen::Present(item_from_azure(read))),
        Err(error) if error.kind == ErrorKind::NotFound => {}
        Err(error) => return Ok(ItemSeen::Unknown(unknown(error)?)),
    }
    let all = match protected_items::list(&lifeboat.arm, vault).await {
        Ok(all) => all,
        Err(error) => return Ok(ItemSeen::Unknown(unknown(error)?)),
    };
    let own = all.into_iter().find(|item| item.source.as_ref().and_then(|source| source.machine()) == Some(machine));
    Ok(own.map_or(ItemSeen::Absent, |item| ItemSeen::Present(item_from_azure(item))))
}

/// An item as `azure` reads it, in the words of `planning`.
pub fn item_from_azure(read: ProtectedItem) -> Item {
    let state = match read.state {
        protected_items::ItemState::IrPending => ItemState::IrPending,
        protected_items::ItemState::Protected => ItemState::Protected,
        protected_items::ItemState::ProtectionError => ItemState::ProtectionError,
        protected_items::ItemState::ProtectionStopped => ItemState::ProtectionStopped,
        protected_items::ItemState::ProtectionPaused => ItemState::ProtectionPaused,
        protected_items::ItemState::BackupsSuspended => ItemState::BackupsSuspended,
        protected_items::ItemState::Invalid | protected_items::ItemState::Other(_) => ItemState::Other,
    };
    Item {
        id: read.id.as_str().to_owned(),
        state,
        vault_policy: read.policy.map(|policy| policy.as_str().to_owned()),
        soft_deleted: read.soft_deleted,
        newest_point: read.last_point,
    }
}

/// The machine's jobs of the last two days.
async fn jobs(
    lifeboat: &Lifeboat,
    vault: &ResourceId,
    machine: &ResourceId,
    now: Timestamp,
) -> Result<JobsSeen, Error> {
    let from = now.checked_sub(JOBS_READ_BACK).unwrap_or(Timestamp::MIN);
    // To the end of the hour: the filter's end is not to cut off a job of this second.
    let until = now.checked_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX);
    let filter = JobFilter { between: Some((from, until)), ..JobFilter::default() };
    let all = match backup_jobs::list(&lifeboat.arm, vault, &filter).await {
        Ok(all) => all,
        Err(error) => return Ok(JobsSeen::Unknown(unknown(error)?)),
    };
    let mut jobs = Vec::new();
    for job in all.into_iter().filter(|job| job.is_of(machine)) {
        // Tasks and errors are in the job's own answer only.
        let whole = match backup_jobs::get(&lifeboat.arm, vault, &job.name).await {
            Ok(whole) => whole,
            Err(error) => return Ok(JobsSeen::Unknown(unknown(error)?)),
        };
        jobs.extend(job_from_azure(whole));
    }
    Ok(JobsSeen::Read(jobs))
}

/// A job; `None` where Azure does not say when it began, and it has ended.
fn job_from_azure(read: backup_jobs::Job) -> Option<Job> {
    let operation = match read.operation.as_deref() {
        Some(text) if text.eq_ignore_ascii_case(backup_jobs::CONFIGURE_BACKUP) => JobOperation::ConfigureBackup,
        Some(text) if text.eq_ignore_ascii_case(backup_jobs::BACKUP_JOB) => JobOperation::Backup,
        _ => JobOperation::Other,
    };
    let state = match read.status {
        JobStatus::Completed | JobStatus::CompletedWithWarnings => JobState::Completed,
        JobStatus::Failed => JobState::Failed,
        JobStatus::Cancelled => JobState::Cancelled,
        // A word that is not known does not end a job.
        JobStatus::InProgress | JobStatus::Cancelling | JobStatus::Other(_) => JobState::InProgress,
    };
    let takes_snapshot = read.takes_snapshot().unwrap_or(state == JobState::InProgress);
    let code = read.errors.iter().find_map(|error| {
        let title = error.title.clone().filter(|title| !title.contains(' '));
        title.or_else(|| error.code.map(|code| code.to_string()))
    });
    Some(Job { id: read.name, operation, state, takes_snapshot, started_at: read.started?, code })
}

/// Whether another vault protects the machine.
async fn elsewhere(
    lifeboat: &Lifeboat,
    machine: &ResourceId,
    location: &str,
    own: &ResourceId,
) -> Result<ElsewhereSeen, Error> {
    let status = match protection_status::get(&lifeboat.arm, machine, location).await {
        Ok(status) => status,
        Err(error) => return Ok(ElsewhereSeen::Unknown(unknown(error)?)),
    };
    Ok(match (status.status, status.vault) {
        (Status::NotProtected, _) => ElsewhereSeen::No,
        (Status::Protected | Status::Protecting, Some(vault)) if vault != *own => {
            ElsewhereSeen::Vault(vault.as_str().to_owned())
        }
        // In this vault, says Azure, and the vault has no item: the next look will tell.
        _ => ElsewhereSeen::Unknown(UnknownBecause::NotFoundUnproven),
    })
}

async fn pre_check(
    lifeboat: &Lifeboat,
    machine: &ResourceId,
    location: &str,
    vault: &ResourceId,
) -> Result<PreCheck, Error> {
    Ok(match protection_status::pre_check(&lifeboat.arm, machine, location, vault).await {
        Ok(check) => match check.status {
            CheckStatus::Succeeded => PreCheck::Passed,
            CheckStatus::Failed => PreCheck::Failed(check.error_code.unwrap_or_else(|| "no code".to_owned())),
            CheckStatus::Other(_) => PreCheck::Unknown(UnknownBecause::NotFoundUnproven),
        },
        Err(error) => PreCheck::Unknown(unknown(error)?),
    })
}

async fn listed(lifeboat: &Lifeboat, vault: &ResourceId, machine: &ResourceId) -> Result<Answer, Error> {
    Ok(match protectable_items::list(&lifeboat.arm, vault).await {
        Ok(all) => {
            let is_own = |item: &protectable_items::ProtectableItem| {
                item.source.as_ref().and_then(|source| source.machine()) == Some(machine)
            };
            if all.iter().any(is_own) { Answer::Yes } else { Answer::No }
        }
        Err(error) => Answer::Unknown(unknown(error)?),
    })
}
