//! Holds recovery plans against what is there in Azure, by the very look and judgement of `ReadinessSweep`: each reason stands at the field
//! of the document that it is about. It never keeps anything, and never asks what this person may do: the handler does it, by its own rights.

use std::collections::BTreeMap;

use lifeboat_contract::policy::{CheckedRecoveryPlan, Misfit, Problem};
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::recovery::readiness::{Place, Reason, Seen, judge as judge_readiness};
use lifeboat_planning::saga::failover::{Known, ProfileUnmet};

use crate::lifeboat::Lifeboat;
use crate::readiness_sweep::{Shared, look};

/// How many members each recovery plan has, by its name, where they could be read; and what keeps it from being executed now.
pub async fn judge(
    lifeboat: &Lifeboat,
    checked: &[CheckedRecoveryPlan],
) -> (BTreeMap<String, Option<usize>>, Vec<Problem>) {
    let (mut members, mut problems) = (BTreeMap::new(), Vec::new());
    if checked.is_empty() {
        return (members, problems);
    }
    let plans: Vec<RecoveryPlan> = checked.iter().map(|read| read.plan.clone()).collect();
    let shared = Shared::read(lifeboat, &plans).await;
    for read in checked {
        let seen = look(lifeboat, &read.plan, None, &shared).await.seen;
        let count = match &seen.groups {
            Known::Is(groups) => Some(groups.iter().map(|group| group.members.len()).sum()),
            Known::Absent | Known::Unknown => None,
        };
        members.insert(read.plan.name.clone(), count);
        let reasons = judge_readiness(&read.plan, &seen, lifeboat.clock.now()).reasons.into_iter();
        problems.extend(reasons.filter(is_the_documents).map(|reason| {
            let (field, expected) = (field_of(&read.plan, &seen, &reason), expected(&read.plan, &reason));
            read.misfit(&field, Misfit::NotReady(Box::new(reason)), expected)
        }));
    }
    (members, problems)
}

/// Where the deployment lies and what it may do is not told by who asks here.
fn is_the_documents(reason: &Reason) -> bool {
    !matches!(
        reason,
        Reason::RightMissing { .. }
            | Reason::RightsUnread { .. }
            | Reason::PlaceUnread { what: Place::Controller, .. }
            | Reason::InFrom { what: Place::Controller, .. }
    )
}

/// The field that a reason is about.
fn field_of(plan: &RecoveryPlan, seen: &Seen, reason: &Reason) -> String {
    let group = |name: &str| plan.groups.iter().position(|group| group.name == name);
    let at_group = |index: Option<usize>| match index {
        Some(index) => format!("spec.groups[{index}].members"),
        None => "spec.groups".to_owned(),
    };
    let at_traffic = |profile: &str, field: &str| {
        let index = plan.traffic.iter().position(|traffic| traffic.profile == profile);
        index.map_or_else(|| "spec.traffic".to_owned(), |index| format!("spec.traffic[{index}].{field}"))
    };
    match reason {
        Reason::GroupEmpty { group: name } | Reason::InTwoGroups { groups: (_, name), .. } => at_group(group(name)),
        Reason::Profile { profile, unmet: ProfileUnmet::Unmonitored } | Reason::Endpoint { profile, .. } => {
            at_traffic(profile, "to")
        }
        Reason::Profile { profile, .. } => at_traffic(profile, "profile"),
        Reason::Target(_) | Reason::Locked { .. } | Reason::LocksUnread { .. } => "spec.to".to_owned(),
        Reason::SourceSilent | Reason::InFrom { .. } | Reason::PlaceUnread { .. } => "spec.from".to_owned(),
        _ => {
            let Known::Is(groups) = &seen.groups else { return at_group(None) };
            let is_in = |member: &str| {
                groups.iter().find(|group| group.members.iter().any(|own| own.name == member)).map(|own| &own.name)
            };
            at_group(reason.member().and_then(is_in).and_then(|name| group(name)))
        }
    }
}

/// What was expected instead, where the reason does not say it.
fn expected(plan: &RecoveryPlan, reason: &Reason) -> Option<String> {
    let (from, to) = (plan.from.as_str(), plan.to.as_str());
    Some(match reason {
        Reason::GroupEmpty { .. } => format!("a machine in {from} at least"),
        Reason::InTwoGroups { .. } => "each machine in one group".to_owned(),
        Reason::NotReplicated { .. } | Reason::NotMapped { .. } => {
            format!("machines that Site Recovery replicates from {from} to {to}")
        }
        Reason::DiskNotReplicated { .. } | Reason::DisksLeftOut { .. } => "all disks replicated".to_owned(),
        Reason::InFrom { .. } => format!("one that is not located in {from}"),
        Reason::Profile { unmet: ProfileUnmet::Gone, .. } => "one profile of that name in scope".to_owned(),
        Reason::Profile { profile, unmet: ProfileUnmet::EndpointMissing } => {
            let own = plan.traffic.iter().find(|traffic| traffic.profile == *profile)?;
            format!("a profile with the endpoints {} and {}", own.from, own.to)
        }
        _ => return None,
    })
}
