//! Whether the identity may save the old disks: what the saga's step says to Azure, asked of the permissions API, and tried never.
//! It never keeps a recovery plan from being ready: that step comes after the failover.

use std::collections::{BTreeMap, BTreeSet};

use lifeboat_azure::needs::{self, Need, Place};
use lifeboat_azure::operations::Operation;
use lifeboat_azure::permissions::{self, Permission};
use lifeboat_azure::{resource_groups, restore_points};
use lifeboat_planning::id::points_group;
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::recovery::readiness::RightSeen;

use super::members::Candidate;
use super::reads::{Ask, Told};

/// What the step says in the group of the points, which lies in the region that may be lost.
const SAYS: &[&Operation] = &[
    &resource_groups::CREATE,
    &restore_points::CREATE_COLLECTION,
    &restore_points::CREATE,
    &restore_points::GET_COLLECTION,
];

/// The subscriptions in which the old disks of members are saved, each with the groups of its old machines.
type Subscriptions = BTreeMap<String, BTreeSet<String>>;

fn subscriptions(candidates: &[Candidate<'_>]) -> Subscriptions {
    let mut all = Subscriptions::new();
    for it in candidates {
        let groups = all.entry(it.id.subscription().to_lowercase()).or_default();
        groups.insert(it.id.resource_group().to_lowercase());
    }
    all
}

/// What is asked in the region that may be lost.
pub fn asks(plan: &RecoveryPlan, candidates: &[Candidate<'_>]) -> BTreeSet<Ask> {
    let group = points_group(plan.from.as_str());
    subscriptions(candidates).into_keys().map(|subscription| Ask::Rights(subscription, group.clone())).collect()
}

/// What of it is not allowed, subscription by subscription.
pub fn seen(plan: &RecoveryPlan, candidates: &[Candidate<'_>], (source, told): (&Told, &Told)) -> Vec<RightSeen> {
    let group = points_group(plan.from.as_str());
    let of = |(subscription, machines): (String, BTreeSet<String>)| {
        let held = held((&subscription, &group), &machines, (source, told));
        let lacks = |action: &&'static str| held.iter().flatten().any(|own| !permissions::allows(own, action));
        let missing = held.is_some().then(|| actions().filter(lacks).map(str::to_owned).collect());
        RightSeen { scope: format!("group {group}"), in_from: true, missing }
    };
    subscriptions(candidates).into_iter().map(of).collect()
}

/// What is held in the group of the points; nothing where that is not known. The step makes a group that is not there yet, in which only
/// what the subscription hands down is held then: that is held in each of its groups, and so where the old machines are.
fn held<'t>(
    (subscription, group): (&str, &str),
    machines: &BTreeSet<String>,
    (source, told): (&'t Told, &'t Told),
) -> Option<Vec<&'t [Permission]>> {
    if !source.lacks_group(subscription, group) {
        return source.rights(subscription, group).map(|held| vec![held]);
    }
    let own = |group: &String| source.rights(subscription, group).or_else(|| told.rights(subscription, group));
    machines.iter().map(own).collect()
}

/// The calls' own actions, and what is checked besides on the same things. On the machine, elsewhere, reading is asked of it anyway.
fn actions() -> impl Iterator<Item = &'static str> {
    let in_group = |need: &Need| {
        !need.calls.is_empty() || need.linked.iter().any(|linked| matches!(linked.place, Place::Expand(_)))
    };
    needs::of(SAYS).into_iter().filter(move |(_, need)| in_group(need)).map(|(action, _)| action)
}

#[cfg(test)]
mod tests {
    use super::actions;

    #[test]
    fn what_saving_needs_is_drawn_from_the_table_of_rights() {
        let all: Vec<&str> = actions().collect();
        assert_eq!(
            all,
            [
                "Microsoft.Compute/restorePointCollections/read",
                "Microsoft.Compute/restorePointCollections/restorePoints/read",
                "Microsoft.Compute/restorePointCollections/restorePoints/write",
                "Microsoft.Compute/restorePointCollections/write",
                "Microsoft.Resources/subscriptions/resourceGroups/write",
            ]
        );
    }
}
