//! The copy of what the path needs, as it is saved: only of a look that read all of it.
//! It never fills a gap from an earlier look: what is there together was there together.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use lifeboat_azure::ResourceId;
use lifeboat_azure::machines::Machine;
use lifeboat_azure::replicated_items::ReplicatedItem;
use lifeboat_azure::traffic_manager::Profile;
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::recovery::readiness::MEMBERS_MAX;
use lifeboat_planning::saga::failover::Known;

use super::look::Member;
use super::members::Found;
use crate::readiness::record::{DiskCopy, GroupCopy, MachineCopy, MappingCopy, MemberCopy, ReplicaCopy, SavedCopy};
use crate::saga::order::MemberRecord;

/// How the names of Site Recovery's own extensions begin.
const SITE_RECOVERYS: &str = "SiteRecovery-";
/// Names of identities, and of extensions, that are told of a machine, at most.
const NAMES_MAX: usize = 20;

/// The copy; nothing where something of it was not read, or a group has no member.
pub fn of(
    plan: &RecoveryPlan,
    members: &[Member<'_>],
    profiles: &[(String, Known<&Profile>)],
    now: Timestamp,
) -> Option<SavedCopy> {
    let names: BTreeSet<&str> = members.iter().map(|it| it.candidate.name.as_str()).collect();
    if names.len() != members.len() || members.len() > MEMBERS_MAX {
        return None;
    }
    let group = |(place, group): (usize, &lifeboat_planning::recovery::Group)| {
        let own = members.iter().filter(|it| it.candidate.group == place);
        let copied: Option<Vec<MemberCopy>> = own.map(member).collect();
        Some(GroupCopy { name: group.name.clone(), members: copied.filter(|copied| !copied.is_empty())? })
    };
    let groups: Option<Vec<GroupCopy>> = plan.groups.iter().enumerate().map(group).collect();
    let profile = |(name, profile): &(String, Known<&Profile>)| match profile {
        Known::Is(profile) => Some((name.to_lowercase(), profile.id.as_str().to_owned())),
        Known::Absent | Known::Unknown => None,
    };
    let profiles: Option<BTreeMap<String, String>> = profiles.iter().map(profile).collect();
    let (groups, profiles) = (groups?, profiles?);
    Some(SavedCopy { at: now, digest: plan.digest(), groups, mappings: mappings(members), profiles })
}

fn member(it: &Member<'_>) -> Option<MemberCopy> {
    let (Known::Is(Found { item, .. }), Known::Is(machine)) = (&it.candidate.found, &it.machine) else { return None };
    it.points.as_ref()?;
    if it.mapping == Known::Unknown {
        return None;
    }
    Some(MemberCopy {
        of: MemberRecord {
            name: it.candidate.name.clone(),
            item: item.id.as_str().to_owned(),
            old: machine.id.as_str().to_owned(),
            old_vm_id: machine.vm_id.clone(),
            old_networks: item.details.networks.iter().map(|id| id.as_str().to_owned()).collect(),
            target: item.target()?.as_str().to_owned(),
            not_carried: not_carried(machine),
        },
        machine: machine_copy(machine, item),
        replica: replica_copy(item),
    })
}

/// What the machine to be will lack (`vm-own`), in words, some of each kind at most.
pub fn not_carried(machine: &Machine) -> Vec<String> {
    let words = |kind: &'static str, names: &[String]| -> Vec<String> {
        let more = names.len().saturating_sub(NAMES_MAX);
        let told = names.iter().take(NAMES_MAX).map(|name| format!("{kind} {name}"));
        told.chain((more > 0).then(|| format!("{more} more of the kind {kind}"))).collect()
    };
    // Site Recovery's own comes with protection (`vm-own`).
    let others =
        machine.extensions.iter().filter(|name| !name.starts_with(SITE_RECOVERYS)).cloned().collect::<Vec<_>>();
    [words("identity", &machine.identities), words("extension", &others)].concat()
}

/// What the agents of all its disks still hold, in KiB; nothing where no disk tells it.
pub fn pending_kib(item: &ReplicatedItem) -> Option<u64> {
    let told: Vec<f64> = item.details.disks.iter().filter_map(|disk| disk.pending_mib).collect();
    let kib = told.iter().filter(|mib| mib.is_finite()).sum::<f64>().max(0.0) * 1024.0;
    // What is larger than the number holds stays the largest.
    let kib = kib.ceil() as u64;
    (!told.is_empty()).then_some(kib)
}

fn machine_copy(machine: &Machine, item: &ReplicatedItem) -> MachineCopy {
    let replicated =
        |id: Option<&ResourceId>| id.is_some() && item.details.disks.iter().any(|own| own.id.as_ref() == id);
    let disks = machine.disks.iter().map(|disk| DiskCopy {
        name: disk.name.clone(),
        id: disk.id.as_ref().map(|id| id.as_str().to_owned()),
        lun: disk.lun,
        storage: disk.storage.clone(),
        replicated: replicated(disk.id.as_ref()),
    });
    MachineCopy {
        size: machine.size.clone(),
        tags: machine.tags.clone(),
        zones: machine.zones.clone(),
        security_type: machine.security_type.clone(),
        disks: disks.collect(),
    }
}

fn replica_copy(item: &ReplicatedItem) -> ReplicaCopy {
    let text = |id: &Option<ResourceId>| id.as_ref().map(|id| id.as_str().to_owned());
    ReplicaCopy {
        recovery_container: text(&item.recovery_container),
        policy: text(&item.policy),
        size: item.details.recovery_size.clone(),
        network: text(&item.details.recovery_network),
        rpo_seconds: item.details.rpo_seconds,
        rpo_at: item.details.rpo_at,
        pending_kib: pending_kib(item),
    }
}

/// The mappings of all vaults that members are in: both directions, because the way back needs the other one.
fn mappings(members: &[Member<'_>]) -> Vec<MappingCopy> {
    let mut all = BTreeSet::new();
    for it in members {
        let Known::Is(Found { vault, .. }) = &it.candidate.found else { continue };
        for mapping in vault.mappings.iter().flatten() {
            let text = |id: &Option<ResourceId>| id.as_ref().map(|id| id.as_str().to_owned());
            all.insert(MappingCopy {
                id: mapping.id.as_str().to_owned(),
                target: text(&mapping.target),
                policy: text(&mapping.policy),
                state: mapping.state.clone(),
            });
        }
    }
    all.into_iter().collect()
}
