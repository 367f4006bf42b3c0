//! Checks effects of protection in a vault with other code than decided them.
//! It never asks `enforcement`: each rule is read from the facts again.

use alloc::vec::Vec;

use super::Finding;
use crate::effect::ProtectionEffect;
use crate::facts::Machine;
use crate::facts::vault::{
    Answer, ElsewhereSeen, ItemSeen, ItemState, JobOperation, JobState, JobsSeen, PreCheck, ProtectionFacts,
    VaultPolicySeen, VaultSeen,
};
use crate::facts::{Facts, Provisioning};
use crate::policy::BackupPolicy;

/// What is wrong with one effect.
pub(super) fn about(
    effect: &ProtectionEffect,
    machine: &Machine,
    policy: &BackupPolicy,
    facts: &Facts,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut unless = |holds: bool, finding| {
        if !holds {
            found.push(finding);
        }
    };
    let (Some(_), Some(seen)) = (&policy.vault, &facts.protection) else {
        return alloc::vec![Finding::NotAsked];
    };
    let (vault, of) = match effect {
        ProtectionEffect::Discover { vault } => (vault, None),
        ProtectionEffect::Enable { vault, machine, .. } | ProtectionEffect::BackUp { vault, machine, .. } => {
            (vault, Some(machine))
        }
    };
    unless(of.is_none_or(|of| *of == machine.id), Finding::NotAsked);
    unless(is_vault_of(vault, machine, policy, seen), Finding::NotAsked);
    unless(machine.provisioning == Provisioning::Settled, Finding::MachineNotAtRest);
    match effect {
        ProtectionEffect::Discover { .. } => unless(seen.listed == Answer::No, Finding::ProtectionThere),
        ProtectionEffect::Enable { vault_policy, .. } => {
            unless(seen.item == ItemSeen::Absent, Finding::ProtectionThere);
            unless(seen.elsewhere == ElsewhereSeen::No, Finding::ProtectionThere);
            unless(seen.pre_check == PreCheck::Passed, Finding::ProtectionThere);
            let named = matches!(&seen.vault_policy, VaultPolicySeen::Present(read) if read.id == *vault_policy);
            unless(named, Finding::NotAsked);
        }
        ProtectionEffect::BackUp { .. } => {
            let ItemSeen::Present(item) = &seen.item else { return alloc::vec![Finding::BackupNotDue] };
            let waits = item.newest_point.is_none() && !item.soft_deleted;
            let alive = matches!(item.state, ItemState::IrPending | ItemState::Protected | ItemState::ProtectionError);
            unless(waits && alive && is_idle(seen), Finding::BackupNotDue);
        }
    }
    found
}

/// The vault was read, lies where the machine does, and the policy names it for that region.
fn is_vault_of(vault: &str, machine: &Machine, policy: &BackupPolicy, seen: &ProtectionFacts) -> bool {
    let VaultSeen::Present(read) = &seen.vault else { return false };
    let plain = |text: &str| text.to_lowercase().replace(' ', "");
    let here = plain(&machine.about.location);
    let name = vault.rsplit('/').next().unwrap_or_default().to_lowercase();
    let placements = policy.vault.iter().flat_map(|rule| &rule.placement);
    let mut of_region = placements.filter(|placement| plain(placement.location.as_str()) == here);
    let named = of_region.next().is_some_and(|placement| placement.vault.to_lowercase() == name);
    read.id == vault && plain(&read.location) == here && named
}

/// Its jobs were read, and none that matters runs.
fn is_idle(seen: &ProtectionFacts) -> bool {
    let JobsSeen::Read(jobs) = &seen.jobs else { return false };
    !jobs.iter().any(|job| {
        job.state == JobState::InProgress
            && matches!(job.operation, JobOperation::Backup | JobOperation::ConfigureBackup)
    })
}
