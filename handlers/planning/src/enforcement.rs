//! Decides a machine's protection in a vault: enable it, back it up for the first time, or leave it alone and say why.
//! It never changes what somebody stopped, deleted, moved to another vault or gave another vault policy: that is reported.
//!
//! ```text
//! no item → (discover) → enable → ConfigureBackup runs → IRPending → back up → Backup runs → Protected, point newer than the machine
//!                          ↑ failed, waits                  ↑ failed, waits      … third failure in a day: alarmed
//! ```

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};

use crate::creation::same_region;
use crate::effect::{Effect, ProtectionEffect};
use crate::facts::vault::{
    Answer, ElsewhereSeen, Item, ItemSeen, ItemState, Job, JobOperation, JobState, JobsSeen, PreCheck, ProtectionFacts,
    Vault, VaultPolicySeen, VaultSeen,
};
use crate::facts::{Machine, Provisioning};
use crate::look;
use crate::policy::{MachineAttributes, Placement, VaultRule};
use crate::refusal::Refusal;

/// Machines that one vault policy protects, at most (azure.md C.2).
pub const MACHINES_PER_VAULT_POLICY_MAX: u32 = 1_000;
/// Attempts at one job in a day: Azure takes three backups on demand a day and machine (azure.md C.3).
pub const JOB_ATTEMPTS_PER_DAY_MAX: usize = 3;
/// The wait after a failed job, doubled with each failure of the day.
const JOB_WAIT: SignedDuration = SignedDuration::from_mins(15);
/// How long a first backup is kept: what Azure keeps one on demand for when nothing is said (azure.md C.3).
const FIRST_BACKUP_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The wait between looks at a job: snapshots take some eight minutes, transfers the better part of an hour.
const JOB_LOOK: SignedDuration = SignedDuration::from_mins(5);
/// The wait after an order to the vault: enabling is recorded to take 30 to 41 seconds.
const ORDER_LOOK: SignedDuration = SignedDuration::from_secs(45);

/// What is to be done for a machine's protection now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// It is protected as the policy says.
    Protected,
    /// Nothing, until somebody changes something.
    Refused(Refusal),
    /// Nothing yet; look again then.
    Wait(Refusal, Timestamp),
    /// This; then look again then.
    Do(Vec<Effect>, Timestamp),
}

/// The placement for a machine: the first for its region.
pub fn placement<'a>(rule: &'a VaultRule, machine: &MachineAttributes) -> Option<&'a Placement> {
    rule.placement.iter().find(|placement| placement.location.is(&machine.location))
}

/// The name of the vault policy that a machine shall have: its tag's value, else the placement's own.
pub fn vault_policy_name<'a>(placement: &'a Placement, machine: &'a MachineAttributes) -> Option<&'a str> {
    let by_tag = placement.vault_policy_from_tag.as_ref().and_then(|key| {
        let tag = machine.tags.iter().find(|(own, _)| own.eq_ignore_ascii_case(key));
        tag.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    });
    by_tag.or(placement.vault_policy.as_deref())
}

/// Decides for one machine that the policy covers.
pub fn decide(
    rule: &VaultRule,
    machine: &Machine,
    facts: &ProtectionFacts,
    look_no: u32,
    now: Timestamp,
) -> Protection {
    let wait = |why| Protection::Wait(why, look::next(look_no, &machine.id, now));
    if placement(rule, &machine.about).is_none() {
        return Protection::Refused(Refusal::NoPlacement);
    }
    match machine.provisioning {
        Provisioning::Settled => {}
        Provisioning::InProgress => return wait(Refusal::MachineInProgress),
        Provisioning::Deleting => return Protection::Refused(Refusal::MachineDeleting),
    }
    let vault = match &facts.vault {
        VaultSeen::Present(vault) if same_region(&vault.location, &machine.about.location) => vault,
        VaultSeen::Present(_) => return Protection::Refused(Refusal::VaultInOtherRegion),
        VaultSeen::Absent => return Protection::Refused(Refusal::NoVault),
        VaultSeen::Several => return Protection::Refused(Refusal::SeveralVaults),
        VaultSeen::Unknown(why) => return wait(Refusal::VaultUnknown(*why)),
    };
    let jobs = match &facts.jobs {
        JobsSeen::Read(jobs) => jobs.as_slice(),
        JobsSeen::Unknown(why) => return wait(Refusal::VaultUnknown(*why)),
    };
    match &facts.item {
        ItemSeen::Unknown(why) => wait(Refusal::VaultUnknown(*why)),
        ItemSeen::Present(item) => of_item(machine, vault, item, facts, jobs, now),
        ItemSeen::Absent => of_none(machine, vault, facts, jobs, look_no, now),
    }
}

/// The vault has an item for the machine.
fn of_item(
    machine: &Machine,
    vault: &Vault,
    item: &Item,
    facts: &ProtectionFacts,
    jobs: &[Job],
    now: Timestamp,
) -> Protection {
    if item.soft_deleted {
        return Protection::Refused(Refusal::ItemSoftDeleted);
    }
    match item.state {
        ItemState::IrPending | ItemState::Protected | ItemState::ProtectionError => {}
        ItemState::ProtectionStopped | ItemState::ProtectionPaused | ItemState::BackupsSuspended => {
            return Protection::Refused(Refusal::ProtectionStopped);
        }
        ItemState::Other => return Protection::Refused(Refusal::ItemStateUnknown),
    }
    // Its name is the machine's, so that a machine made again finds the item of the one before it.
    if item.newest_point.is_some_and(|at| at < machine.created_at) {
        return Protection::Refused(Refusal::ItemOfPredecessor);
    }
    if let VaultPolicySeen::Present(wanted) = &facts.vault_policy
        && item.vault_policy.as_ref().is_some_and(|own| !own.eq_ignore_ascii_case(&wanted.id))
    {
        return Protection::Refused(Refusal::OtherVaultPolicy);
    }
    if item.newest_point.is_some() && item.state == ItemState::Protected {
        return Protection::Protected;
    }
    if item.newest_point.is_some() {
        // A point is listed from its snapshot on; the item says so when its data is in the vault.
        return match standing(jobs, JobOperation::Backup, now) {
            Standing::Runs => Protection::Wait(Refusal::JobInProgress, later(now, JOB_LOOK)),
            Standing::Free if item.state == ItemState::IrPending => {
                Protection::Wait(Refusal::JobInProgress, later(now, JOB_LOOK))
            }
            // The vault's own schedule goes on; what failed is told.
            Standing::Waits(_) | Standing::UsedUp | Standing::Free => {
                Protection::Refused(failed(jobs, JobOperation::Backup))
            }
        };
    }
    match standing(jobs, JobOperation::ConfigureBackup, now) {
        Standing::Runs => return Protection::Wait(Refusal::JobInProgress, later(now, JOB_LOOK)),
        Standing::Free | Standing::Waits(_) | Standing::UsedUp => {}
    }
    match standing(jobs, JobOperation::Backup, now) {
        Standing::Runs => Protection::Wait(Refusal::JobInProgress, later(now, JOB_LOOK)),
        Standing::Waits(at) => Protection::Wait(failed(jobs, JobOperation::Backup), at),
        Standing::UsedUp => Protection::Refused(failed(jobs, JobOperation::Backup)),
        Standing::Free => {
            let (vault, machine) = (vault.id.clone(), machine.id.clone());
            let back_up = ProtectionEffect::BackUp { vault, machine, keep_until: later(now, FIRST_BACKUP_KEPT) };
            Protection::Do(vec![Effect::Protection(back_up)], later(now, ORDER_LOOK))
        }
    }
}

/// The vault has no item for the machine.
fn of_none(
    machine: &Machine,
    vault: &Vault,
    facts: &ProtectionFacts,
    jobs: &[Job],
    look_no: u32,
    now: Timestamp,
) -> Protection {
    let wait = |why| Protection::Wait(why, look::next(look_no, &machine.id, now));
    match standing(jobs, JobOperation::ConfigureBackup, now) {
        Standing::Runs => return Protection::Wait(Refusal::JobInProgress, later(now, ORDER_LOOK)),
        Standing::Waits(at) => return Protection::Wait(failed(jobs, JobOperation::ConfigureBackup), at),
        Standing::UsedUp => return Protection::Refused(failed(jobs, JobOperation::ConfigureBackup)),
        Standing::Free => {}
    }
    match &facts.elsewhere {
        ElsewhereSeen::No => {}
        ElsewhereSeen::Vault(_) => return Protection::Refused(Refusal::ProtectedElsewhere),
        ElsewhereSeen::Unknown(why) => return wait(Refusal::VaultUnknown(*why)),
    }
    let vault_policy = match &facts.vault_policy {
        VaultPolicySeen::Present(policy) if !policy.for_machines => {
            return Protection::Refused(Refusal::VaultPolicyNotForMachines);
        }
        VaultPolicySeen::Present(policy) if policy.protected_items >= MACHINES_PER_VAULT_POLICY_MAX => {
            return Protection::Refused(Refusal::VaultPolicyFull);
        }
        VaultPolicySeen::Present(policy) => policy,
        VaultPolicySeen::Absent => return Protection::Refused(Refusal::NoVaultPolicy),
        VaultPolicySeen::NotNamed => return Protection::Refused(Refusal::VaultPolicyNotNamed),
        VaultPolicySeen::Unknown(why) => return wait(Refusal::VaultUnknown(*why)),
    };
    match &facts.pre_check {
        PreCheck::Passed => {}
        PreCheck::Failed(code) => return Protection::Refused(Refusal::PreCheckFailed(code.clone())),
        PreCheck::Unknown(why) => return wait(Refusal::VaultUnknown(*why)),
    }
    let effect = match facts.listed {
        Answer::Yes => ProtectionEffect::Enable {
            vault: vault.id.clone(),
            machine: machine.id.clone(),
            vault_policy: vault_policy.id.clone(),
        },
        Answer::No => ProtectionEffect::Discover { vault: vault.id.clone() },
        Answer::Unknown(why) => return wait(Refusal::VaultUnknown(why)),
    };
    Protection::Do(vec![Effect::Protection(effect)], later(now, ORDER_LOOK))
}

/// Where the jobs of one kind stand.
enum Standing {
    /// One runs.
    Runs,
    /// The last one failed; the next may begin then.
    Waits(Timestamp),
    /// So many failed within a day that a person's turn has come.
    UsedUp,
    /// None stands in the way.
    Free,
}

fn standing(jobs: &[Job], operation: JobOperation, now: Timestamp) -> Standing {
    let of_kind = || jobs.iter().filter(|job| job.operation == operation);
    if of_kind().any(|job| job.state == JobState::InProgress) {
        return Standing::Runs;
    }
    let day = SignedDuration::from_hours(24);
    let newest_good = of_kind().filter(|job| job.state == JobState::Completed).map(|job| job.started_at).max();
    let failed: Vec<Timestamp> = of_kind()
        .filter(|job| matches!(job.state, JobState::Failed | JobState::Cancelled))
        .map(|job| job.started_at)
        .filter(|at| now.duration_since(*at) < day && newest_good.is_none_or(|good| *at > good))
        .collect();
    let Some(last) = failed.iter().max() else { return Standing::Free };
    if failed.len() >= JOB_ATTEMPTS_PER_DAY_MAX {
        return Standing::UsedUp;
    }
    let wait = JOB_WAIT.checked_mul(1 << (failed.len() - 1)).unwrap_or(day);
    match later(*last, wait) {
        at if at > now => Standing::Waits(at),
        _ => Standing::Free,
    }
}

/// The refusal that names the code of the newest failed job of a kind.
fn failed(jobs: &[Job], operation: JobOperation) -> Refusal {
    let of_kind = jobs.iter().filter(|job| job.operation == operation && job.state == JobState::Failed);
    let code = of_kind.max_by_key(|job| job.started_at).and_then(|job| job.code.clone());
    Refusal::BackupJobFailed(code.unwrap_or_else(|| "no code".to_string()))
}

fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
