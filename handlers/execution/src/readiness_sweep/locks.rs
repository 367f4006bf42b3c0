//! Locks on what a failover changes: which of its things each lock stands over.
//! It never makes or removes a lock, and never says what one keeps: the judge of readiness does.

use std::collections::{BTreeMap, BTreeSet};

use lifeboat_azure::ResourceId;
use lifeboat_azure::locks::{Level, Lock};
use lifeboat_azure::replicated_items::ReplicatedItem;
use lifeboat_azure::traffic_manager::Profile;
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::recovery::readiness::{LockLevel, LockSeen, Locked, LocksSeen};
use lifeboat_planning::saga::failover::Known;

use super::addresses::spoken_of;
use super::look::item_of;
use super::members::Candidate;
use super::reads::Told;

/// Everything that a failover changes, each with what it is; a machine to be whose name is not told stands for its group.
pub type Changed = Vec<(Locked, ResourceId)>;

/// What the failover of a recovery plan changes.
pub fn changed(plan: &RecoveryPlan, candidates: &[Candidate<'_>], profiles: &[(String, Known<&Profile>)]) -> Changed {
    let mut all = Changed::new();
    for it in candidates {
        all.push((Locked::OldMachines, it.id.clone()));
        let Some(item) = item_of(it) else { continue };
        all.push((Locked::Items, item.id.clone()));
        all.extend(to_be(item).map(|id| (Locked::TargetMachines, id)));
    }
    for (_, profile) in profiles {
        let Known::Is(profile) = profile else { continue };
        all.extend(spoken_of(plan, profile).map(|endpoint| (Locked::Endpoints, endpoint.id.clone())));
    }
    all
}

fn to_be(item: &ReplicatedItem) -> Option<ResourceId> {
    item.target().or_else(|| item.details.recovery_group.clone())
}

/// The subscriptions that have any of it: true where that is nothing but old machines.
pub fn subscriptions(changed: &Changed) -> BTreeMap<String, bool> {
    let mut all = BTreeMap::new();
    for (what, id) in changed {
        *all.entry(id.subscription().to_lowercase()).or_insert(true) &= *what == Locked::OldMachines;
    }
    all
}

/// The locks that stand over any of it, by subscription.
pub fn seen(changed: &Changed, source: &Told, told: &Told) -> Vec<LocksSeen> {
    let of = |(subscription, in_from): (String, bool)| {
        let read = if in_from { source } else { told }.locks(&subscription);
        let over = |lock: &Lock| LockSeen {
            name: lock.name.clone(),
            at: at(lock),
            level: level(&lock.level),
            over: over(lock, changed, &subscription),
        };
        let locks = read.map(|all| all.iter().map(over).filter(|lock| !lock.over.is_empty()).collect());
        LocksSeen { subscription, in_from, locks }
    };
    subscriptions(changed).into_iter().map(of).collect()
}

/// What of a subscription a lock stands over.
fn over(lock: &Lock, changed: &Changed, subscription: &str) -> Vec<Locked> {
    let here = changed.iter().filter(|(_, id)| id.subscription().eq_ignore_ascii_case(subscription));
    let all: BTreeSet<Locked> = here.filter(|(_, id)| lock.blocks(id)).map(|(what, _)| *what).collect();
    all.into_iter().collect()
}

fn level(level: &Level) -> LockLevel {
    match level {
        Level::ReadOnly => LockLevel::ReadOnly,
        Level::CanNotDelete => LockLevel::CanNotDelete,
        Level::NotSpecified => LockLevel::Other("NotSpecified".to_owned()),
        Level::Other(word) => LockLevel::Other(word.clone()),
    }
}

/// What a lock stands on, as people call it.
fn at(lock: &Lock) -> String {
    let Some(scope) = &lock.scope else { return lock.id.clone() };
    match (scope.provider(), scope.resource_group()) {
        (Some(_), _) => scope.name().to_owned(),
        (None, "") => format!("subscription {}", scope.subscription()),
        (None, group) => format!("group {group}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(scope: &str) -> Lock {
        Lock {
            id: format!("{scope}/providers/Microsoft.Authorization/locks/keep"),
            name: "keep".to_owned(),
            level: Level::ReadOnly,
            notes: None,
            scope: scope.parse().ok(),
        }
    }

    #[test]
    fn a_lock_stands_over_what_lies_in_its_scope_and_is_told_by_where_it_stands() {
        let id = |text: &str| text.parse::<ResourceId>().expect("an id");
        let changed = vec![
            (
                Locked::OldMachines,
                id("/subscriptions/a/resourceGroups/west/providers/Microsoft.Compute/virtualMachines/web-1"),
            ),
            (
                Locked::TargetMachines,
                id("/subscriptions/a/resourceGroups/north/providers/Microsoft.Compute/virtualMachines/web-1"),
            ),
            (
                Locked::Endpoints,
                id(
                    "/subscriptions/b/resourceGroups/north/providers/Microsoft.Network/trafficManagerProfiles/tm/azureEndpoints/neu",
                ),
            ),
        ];
        let profile = "/subscriptions/b/resourceGroups/north/providers/Microsoft.Network/trafficManagerProfiles/tm";
        for (scope, subscription, over, called) in [
            ("/subscriptions/a", "a", &[Locked::TargetMachines, Locked::OldMachines][..], "subscription a"),
            ("/subscriptions/A/resourcegroups/NORTH", "a", &[Locked::TargetMachines], "group NORTH"),
            ("/subscriptions/a/resourceGroups/nor", "a", &[], "group nor"),
            ("/subscriptions/b/resourceGroups/north", "a", &[], "group north"),
            (profile, "b", &[Locked::Endpoints], "tm"),
            (
                "nonsense",
                "a",
                &[Locked::TargetMachines, Locked::OldMachines],
                "nonsense/providers/Microsoft.Authorization/locks/keep",
            ),
        ] {
            let lock = lock(scope);
            assert_eq!(super::over(&lock, &changed, subscription), over, "{scope}");
            assert_eq!(at(&lock), called);
        }
        let asked: Vec<(String, bool)> = subscriptions(&changed).into_iter().collect();
        assert_eq!(asked, [("a".to_owned(), false), ("b".to_owned(), false)]);
        assert_eq!(subscriptions(&changed[..1].to_vec()), [("a".to_owned(), true)].into());
    }
}
