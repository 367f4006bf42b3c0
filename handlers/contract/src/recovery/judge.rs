//! Judges what recovery plans ask for by their text alone: what can never be met, or hardly.
//! It never asks Azure and refuses nothing that only a look at the estate could tell.

use lifeboat_planning::recovery::RecoveryPlan;

use super::fault::RecoveryFault;
use super::overlap::{Overlap, is_elsewhere, overlap};
use super::url::{self, Reached};
use crate::policy::problem::{Fault, Problem};
use crate::policy::reader::Complaint;
use crate::policy::set::Placed;

/// Everything that these recovery plans ask for and can never have, or hardly.
pub fn judge(plans: &[Placed<RecoveryPlan>]) -> Vec<Problem> {
    plans.iter().flat_map(|placed| [in_two_groups(placed), elsewhere(placed), asked_inside(placed)].concat()).collect()
}

/// A machine fails over once: it cannot do so with two groups.
fn in_two_groups(placed: &Placed<RecoveryPlan>) -> Vec<Problem> {
    let groups = &placed.document.groups;
    let mut problems = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let before = groups[..index].iter().enumerate();
        let mut found = before.filter_map(|(i, other)| Some((i, other, overlap(&group.members, &other.members)?)));
        let Some((first, other, how)) = found.next() else { continue };
        let first = placed.first(&path(first), &placed.file);
        let fault = RecoveryFault::InTwoGroups { group: other.name.clone(), first, same: how == Overlap::Same };
        let complaint = Complaint::of(Fault::RecoveryPlan(fault)).expected("each machine in one group");
        problems.push(placed.problem(&path(index), complaint));
    }
    problems
}

/// Members are machines of the region that may be lost.
fn elsewhere(placed: &Placed<RecoveryPlan>) -> Vec<Problem> {
    let RecoveryPlan { from, groups, .. } = &placed.document;
    let never = groups.iter().enumerate().filter(|(_, group)| is_elsewhere(&group.members, from));
    never
        .map(|(index, _)| {
            let fault = RecoveryFault::MembersElsewhere { from: from.as_str().to_string() };
            let complaint = Complaint::of(Fault::RecoveryPlan(fault)).expected("machines in the region of `from`");
            placed.problem(&path(index), complaint)
        })
        .collect()
}

/// What moved the traffic is verified from outside, as whoever uses the workload reaches it.
fn asked_inside(placed: &Placed<RecoveryPlan>) -> Vec<Problem> {
    let inside = |url: &str| url::check(url) == Ok(Reached::Inside);
    let items = placed.document.traffic.iter().enumerate().filter(|(_, traffic)| inside(&traffic.verify.url));
    items
        .map(|(index, _)| {
            let complaint =
                Complaint::of(Fault::RecoveryPlan(RecoveryFault::AskedInside)).expected("a public name or address");
            placed.problem(&format!("spec.traffic[{index}].verify.url"), complaint)
        })
        .collect()
}

fn path(group: usize) -> String {
    format!("spec.groups[{group}].members")
}
