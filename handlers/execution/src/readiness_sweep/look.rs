//! One look at one recovery plan: what is asked, and the facts that the answers make.
//! It never judges them, and takes what was not answered for not known.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use lifeboat_azure::machines::Machine;
use lifeboat_azure::replicated_items::ReplicatedItem;
use lifeboat_azure::traffic_manager::Profile;
use lifeboat_azure::{
    ArmClient, ResourceId, failover, machines, networks, permissions, replication_jobs, traffic_manager,
};
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::recovery::readiness::{
    DiskSeen, GroupSeen, MEMBERS_MAX, MemberSeen, Place, PlaceSeen, RightSeen, Rpo, Seen, TrafficSeen,
};
use lifeboat_planning::saga::failover::{Known, PointFacts};

use super::addresses;
use super::copy;
use super::locks::{self, Changed};
use super::members::{self, Candidate, Found};
use super::reads::{self, Ask, Told};
use super::saving;
use super::shared::Shared;
use crate::lifeboat::Lifeboat;
use crate::readiness::record::{NewestPoints, Record, SavedCopy};
use crate::saga::looks::{mapped, profile_facts};
use crate::saga::{replica, target};

/// The state of a disk that is replicated, and of containers that are mapped.
const PROTECTED: &str = "Protected";
const PAIRED: &str = "Paired";
/// What the identity must be allowed in the vault's group, at the old machines, and at a profile: the steps' own actions. Of linked
/// rights the permissions API says nothing.
const IN_VAULT: [&str; 5] = [
    failover::FAIL_OVER.action,
    failover::CHANGE_POINT.action,
    failover::COMMIT.action,
    failover::PROTECT_OTHER_WAY.action,
    replication_jobs::LIST.action,
];
const AT_OLD: [&str; 3] = [machines::GET.action, machines::DEALLOCATE.action, machines::START.action];
const AT_TARGET: [&str; 2] = [machines::GET.action, machines::LIST_IN_GROUP.action];
const AT_NETWORK: [&str; 1] = [networks::GET.action];
const AT_PROFILE: [&str; 2] = [traffic_manager::GET.action, traffic_manager::SET_ENDPOINT.action];

/// Items of one recovery plan that are asked for the sizes that they are offered, at most: a call each, for all its members that count.
const SIZES_READ_MAX: usize = MEMBERS_MAX;

/// What a look brought.
#[derive(Debug)]
pub struct Looked {
    /// What was seen.
    pub seen: Seen,
    /// The copy of what the path needs, where all of it was read.
    pub copy: Option<SavedCopy>,
    /// The newest points, by member, where they were read.
    pub newest: BTreeMap<String, NewestPoints>,
}

/// A group of resources, and what must be allowed in it.
type Groups = BTreeMap<(String, String), Needed>;

#[derive(Debug, Default)]
struct Needed {
    places: BTreeSet<Place>,
    actions: BTreeSet<&'static str>,
    in_from: bool,
}

/// What was read of a member.
#[derive(Debug)]
pub struct Member<'s> {
    /// Who.
    pub candidate: Candidate<'s>,
    /// The old machine.
    pub machine: Known<Machine>,
    /// Its points; nothing where they could not be read.
    pub points: Option<Vec<PointFacts>>,
    /// Whether its container is mapped to the other region's.
    pub mapping: Known<()>,
    /// The size of the machine to be, and whether it is offered.
    pub size: Option<(String, Known<bool>)>,
}

/// Looks at a recovery plan.
pub async fn look(lifeboat: &Lifeboat, plan: &RecoveryPlan, known: Option<&Record>, shared: &Shared) -> Looked {
    let found = members::of(plan, shared);
    let candidates = found.clone().unwrap_or_default();
    let missing = members::not_listed(known, shared);
    let profiles = profiles_of(plan, shared);
    let groups = groups_of(&candidates, &profiles);
    let changed = locks::changed(plan, &candidates, &profiles);
    // Of a vault that would be lost too nothing is asked but with a bound; that it lies there is a reason of its own.
    let lost_too =
        |it: &Candidate<'_>| matches!(&it.found, Known::Is(found) if plan.from.is(&found.vault.vault.location));
    let outlasts = candidates.iter().filter(|it| !lost_too(it));
    let items: Vec<ReplicatedItem> = outlasts.filter_map(item_of).cloned().collect();
    let (mut in_source, asked) = asks(&candidates, lost_too, missing.iter().map(|(_, id)| id), (&groups, &changed));
    in_source.extend(saving::asks(plan, &candidates));
    let (mut source, mut told, target, traffic) = futures::join!(
        reads::in_source(&lifeboat.arm, &in_source, &shared.pace),
        reads::elsewhere(&lifeboat.arm, &asked, &shared.pace),
        target::of_items(lifeboat, (plan.from.as_str(), plan.to.as_str()), &items),
        traffic_seen(&lifeboat.arm, plan, &profiles),
    );
    let saving = saving::seen(plan, &candidates, (&source, &told));
    let source_silent = source.is_silent();
    let not_listed = missing.iter().filter(|(_, id)| source.machine(id, shared) != Known::Absent);
    let not_listed: Vec<String> = not_listed.map(|(it, _)| it.of.name.clone()).collect();
    let read: Vec<Member<'_>> =
        candidates.into_iter().map(|candidate| member(candidate, (&mut source, &told), shared)).collect();
    let now = lifeboat.clock.now();
    let newest = read.iter().filter_map(|it| {
        let item = item_of(&it.candidate)?;
        Some((it.candidate.name.clone(), NewestPoints::of(item.id.as_str(), it.points.as_deref()?, now)))
    });
    let newest = newest.collect();
    let whole = found.is_some() && not_listed.is_empty();
    let copy = if whole { copy::of(plan, &read, &profiles, now) } else { None };
    let seen_members: Vec<(usize, MemberSeen)> =
        read.iter().map(|it| (it.candidate.group, member_seen(it, &mut told, shared))).collect();
    let seen = Seen {
        groups: if found.is_some() { Known::Is(by_group(plan, seen_members)) } else { Known::Unknown },
        not_listed,
        source_silent,
        target,
        places: places(lifeboat, &read, &groups, &told),
        traffic,
        addresses: shared.addresses.clone(),
        rights: rights(&groups, &source, &told),
        saving,
        locks: locks::seen(&changed, &source, &told),
    };
    Looked { seen, copy, newest }
}

/// What replicates a member, where that is known.
pub fn item_of<'s>(it: &Candidate<'s>) -> Option<&'s ReplicatedItem> {
    match &it.found {
        Known::Is(Found { item, .. }) => Some(item),
        Known::Absent | Known::Unknown => None,
    }
}

/// What is asked in the region that may be lost, and what elsewhere.
fn asks<'a>(
    candidates: &[Candidate<'_>],
    lost_too: impl Fn(&Candidate<'_>) -> bool,
    missing: impl Iterator<Item = &'a ResourceId>,
    (groups, changed): (&Groups, &Changed),
) -> (BTreeSet<Ask>, BTreeSet<Ask>) {
    let machine = |id: &ResourceId| Ask::Machine(id.as_str().to_owned());
    let mut source: BTreeSet<Ask> = candidates.iter().map(|it| machine(&it.id)).chain(missing.map(machine)).collect();
    let mut elsewhere = BTreeSet::new();
    for it in candidates.iter().take(SIZES_READ_MAX) {
        let Some(item) = item_of(it).filter(|item| item.details.recovery_size.is_some()) else { continue };
        let asked = if lost_too(it) { &mut source } else { &mut elsewhere };
        asked.insert(Ask::Sizes(item.id.as_str().to_owned()));
    }
    for it in candidates {
        let Some(item) = item_of(it) else { continue };
        let asked = if lost_too(it) { &mut source } else { &mut elsewhere };
        asked.insert(Ask::Points(item.id.as_str().to_owned()));
        elsewhere.extend(item.target().as_ref().map(machine));
    }
    for ((subscription, group), needed) in groups {
        let (subscription, group) = (subscription.clone(), group.clone());
        if !needed.places.is_empty() {
            elsewhere.insert(Ask::Group(subscription.clone(), group.clone()));
        }
        let asked = if needed.in_from { &mut source } else { &mut elsewhere };
        asked.insert(Ask::Rights(subscription, group));
    }
    for (subscription, in_from) in locks::subscriptions(changed) {
        if in_from { &mut source } else { &mut elsewhere }.insert(Ask::Locks(subscription));
    }
    (source, elsewhere)
}

/// The groups that the path needs.
fn groups_of(candidates: &[Candidate<'_>], profiles: &[(String, Known<&Profile>)]) -> Groups {
    let mut groups = Groups::new();
    let mut need = |id: &ResourceId, place: Option<Place>, actions: &[&'static str], in_from: bool| {
        let key = (id.subscription().to_lowercase(), id.resource_group().to_lowercase());
        let needed = groups.entry(key).or_insert_with(|| Needed { in_from: true, ..Needed::default() });
        needed.places.extend(place);
        needed.actions.extend(actions);
        // A group that anything else is needed of is asked with all else.
        needed.in_from &= in_from;
    };
    for it in candidates {
        need(&it.id, None, &AT_OLD, true);
        let Known::Is(Found { vault, item }) = &it.found else { continue };
        need(&vault.vault.id, Some(Place::VaultGroup), &IN_VAULT, false);
        if let Some(group) = &item.details.recovery_group {
            need(group, Some(Place::TargetGroup), &AT_TARGET, false);
        }
        if let Some(network) = &item.details.recovery_network {
            need(network, Some(Place::NetworkGroup), &AT_NETWORK, false);
        }
        // Before the other way is protected the old side's are read too.
        for network in &item.details.networks {
            need(network, None, &AT_NETWORK, true);
        }
    }
    for (_, profile) in profiles {
        if let Known::Is(profile) = profile {
            need(&profile.id, Some(Place::ProfileGroup), &AT_PROFILE, false);
        }
    }
    groups
}

/// The profiles that the recovery plan names, each the one of its name.
fn profiles_of<'s>(plan: &RecoveryPlan, shared: &'s Shared) -> Vec<(String, Known<&'s Profile>)> {
    let named = |name: &str| {
        let mut own = shared.profiles.iter().filter(|profile| profile.id.name().eq_ignore_ascii_case(name));
        match (own.next(), own.next()) {
            (Some(profile), None) => Known::Is(profile),
            (Some(_), Some(_)) => {
                tracing::error!(profile = name, "two profiles in scope have one name: which one is meant is not known");
                Known::Unknown
            }
            (None, _) if shared.profiles_whole => Known::Absent,
            (None, _) => Known::Unknown,
        }
    };
    plan.traffic.iter().map(|traffic| (traffic.profile.clone(), named(&traffic.profile))).collect()
}

/// The profiles as they were listed, with what their endpoints name.
async fn traffic_seen(
    arm: &ArmClient,
    plan: &RecoveryPlan,
    profiles: &[(String, Known<&Profile>)],
) -> Vec<TrafficSeen> {
    let mut reads = Vec::new();
    for (name, profile) in profiles {
        reads.push(async move {
            let endpoints = match profile {
                Known::Is(profile) => addresses::of_endpoints(arm, plan, profile).await,
                Known::Absent | Known::Unknown => Vec::new(),
            };
            TrafficSeen { profile: name.clone(), facts: mapped(profile.clone(), profile_facts), endpoints }
        });
    }
    futures::future::join_all(reads).await
}

fn member<'s>(candidate: Candidate<'s>, (source, told): (&mut Told, &Told), shared: &Shared) -> Member<'s> {
    let machine = source.machine(&candidate.id, shared);
    let points = item_of(&candidate).and_then(|item| told.points(&item.id).or_else(|| source.points(&item.id)));
    let points = points.map(|points| points.iter().filter_map(replica::point_facts).collect());
    let mapping = mapped_to_the_other(&candidate);
    let size = item_of(&candidate).and_then(|item| size(item, source, told));
    Member { candidate, machine, points, mapping, size }
}

/// The size of the machine to be, where its item names one, and whether Site Recovery offers it.
fn size(item: &ReplicatedItem, source: &Told, told: &Told) -> Option<(String, Known<bool>)> {
    let name = item.details.recovery_size.clone()?;
    let offered = match told.sizes(&item.id).or_else(|| source.sizes(&item.id)) {
        None => Known::Unknown,
        Some([]) => Known::Absent,
        Some(all) => Known::Is(all.iter().any(|one| one.is_offered() && one.name.eq_ignore_ascii_case(&name))),
    };
    Some((name, offered))
}

/// Whether the container of a member's item leads to the one of the other region.
fn mapped_to_the_other(it: &Candidate<'_>) -> Known<()> {
    let Known::Is(Found { vault, item }) = &it.found else { return Known::Unknown };
    let Some(mappings) = &vault.mappings else { return Known::Unknown };
    let leads = mappings.iter().any(|mapping| {
        mapping.id.parent() == item.id.parent()
            && mapping.target.is_some()
            && mapping.target == item.recovery_container
            && mapping.state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case(PAIRED))
    });
    if leads { Known::Is(()) } else { Known::Absent }
}

fn member_seen(it: &Member<'_>, told: &mut Told, shared: &Shared) -> MemberSeen {
    let item = item_of(&it.candidate);
    let details = item.map(|item| &item.details);
    let machine_disks = |machine: &Machine| {
        let called =
            |disk: &machines::Disk| disk.id.as_ref().map_or_else(|| disk.name.clone(), |id| id.as_str().to_owned());
        machine.disks.iter().map(called).collect()
    };
    let disks = details.into_iter().flat_map(|details| &details.disks).filter_map(|disk| {
        let ready = disk.state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case(PROTECTED));
        Some(DiskSeen { id: disk.id.as_ref()?.as_str().to_owned(), ready: ready && disk.resync != Some(true) })
    });
    let target = item.and_then(ReplicatedItem::target);
    let target = target.map_or(Known::Unknown, |id| told.machine(&id, shared));
    MemberSeen {
        name: it.candidate.name.clone(),
        item: mapped(it.candidate.found.clone(), |found| replica::item_facts(&found.vault.items, found.item)),
        rpo: details.and_then(|details| {
            Some(Rpo { age: SignedDuration::from_secs(details.rpo_seconds?), reckoned_at: details.rpo_at? })
        }),
        disks: disks.collect(),
        left_out: details.map_or(0, |details| details.disks_left_out),
        machine_disks: match &it.machine {
            Known::Is(machine) => Known::Is(machine_disks(machine)),
            Known::Absent => Known::Absent,
            Known::Unknown => Known::Unknown,
        },
        points: it.points.clone().map_or(Known::Unknown, Known::Is),
        mapping: it.mapping.clone(),
        target: mapped(target, |machine| machine.id.as_str().to_owned()),
        size: it.size.clone(),
        pending_kib: item.and_then(copy::pending_kib),
        not_carried: match &it.machine {
            Known::Is(machine) => copy::not_carried(machine),
            Known::Absent | Known::Unknown => Vec::new(),
        },
    }
}

fn by_group(plan: &RecoveryPlan, members: Vec<(usize, MemberSeen)>) -> Vec<GroupSeen> {
    let mut groups: Vec<GroupSeen> =
        plan.groups.iter().map(|group| GroupSeen { name: group.name.clone(), members: Vec::new() }).collect();
    for (group, member) in members {
        if let Some(group) = groups.get_mut(group) {
            group.members.push(member);
        }
    }
    groups
}

/// Where vaults, groups and this deployment lie.
fn places(lifeboat: &Lifeboat, members: &[Member<'_>], groups: &Groups, told: &Told) -> Vec<PlaceSeen> {
    let known = |location: Option<&str>| location.map_or(Known::Unknown, |own| Known::Is(own.to_owned()));
    let mut places = vec![PlaceSeen {
        what: Place::Controller,
        name: lifeboat.settings.deployment.clone(),
        location: known(lifeboat.region.as_deref()),
    }];
    let mut vaults: BTreeMap<&str, &str> = BTreeMap::new();
    for it in members {
        if let Known::Is(Found { vault, .. }) = &it.candidate.found {
            vaults.insert(&vault.vault.name, &vault.vault.location);
        }
    }
    places.extend(vaults.into_iter().map(|(name, location)| PlaceSeen {
        what: Place::Vault,
        name: name.to_owned(),
        location: known(Some(location)),
    }));
    for ((subscription, group), needed) in groups {
        let location = told.location(subscription, group);
        places.extend(needed.places.iter().map(|what| PlaceSeen {
            what: *what,
            name: group.clone(),
            location: known(location),
        }));
    }
    places
}

/// What of the steps is not allowed, group by group.
fn rights(groups: &Groups, source: &Told, told: &Told) -> Vec<RightSeen> {
    let of = |((subscription, group), needed): (&(String, String), &Needed)| {
        let read = if needed.in_from { source } else { told }.rights(subscription, group);
        let missing = |held: &[permissions::Permission]| {
            let is_missing = |action: &&&'static str| !permissions::allows(held, action);
            needed.actions.iter().filter(is_missing).map(|action| (*action).to_owned()).collect()
        };
        RightSeen { scope: format!("group {group}"), in_from: needed.in_from, missing: read.map(missing) }
    };
    groups.iter().map(of).collect()
}
