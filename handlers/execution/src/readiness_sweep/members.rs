//! The members of a recovery plan: the machines in `from` that its groups ask for, each with what replicates it.
//! It never takes a machine for gone because nobody lists it.

use std::collections::BTreeMap;

use lifeboat_azure::ResourceId;
use lifeboat_azure::graph::MachineRow;
use lifeboat_azure::replicated_items::ReplicatedItem;
use lifeboat_planning::policy::matches;
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::saga::failover::Known;

use super::shared::{Shared, VaultSeen};
use crate::observe::row_attributes;
use crate::readiness::record::{MemberCopy, Record};

/// A member.
#[derive(Clone, Debug)]
pub struct Candidate<'s> {
    /// What it is called, unique in the recovery plan.
    pub name: String,
    /// Its group, by its place.
    pub group: usize,
    /// Its id.
    pub id: ResourceId,
    /// What replicates it.
    pub found: Known<Found<'s>>,
}

/// What replicates a machine.
#[derive(Clone, Copy, Debug)]
pub struct Found<'s> {
    /// The vault.
    pub vault: &'s VaultSeen,
    /// The item.
    pub item: &'s ReplicatedItem,
}

/// The members, group by group; nothing where they could not be read.
pub fn of<'s>(plan: &RecoveryPlan, shared: &'s Shared) -> Option<Vec<Candidate<'s>>> {
    let rows = shared.rows.as_ref()?;
    let here = rows.iter().filter(|row| plan.from.is(&row.location));
    let here: Vec<(&MachineRow, ResourceId)> = here.filter_map(|row| Some((row, row.id.parse().ok()?))).collect();
    let mut members = Vec::new();
    for (group, asked) in plan.groups.iter().enumerate() {
        for (row, id) in &here {
            if matches(&asked.members, &row_attributes((*row).clone())) {
                members.push((group, *row, id.clone()));
            }
        }
    }
    let names = names(&members);
    let candidate = |(group, row, id): (usize, &MachineRow, ResourceId)| {
        let name = names.get(id.key()).cloned().unwrap_or_else(|| row.name.to_lowercase());
        Candidate { name, group, found: found(shared, &id), id }
    };
    Some(members.into_iter().map(candidate).collect())
}

/// Machines are called by their own names, and where two bear one, by their groups' too.
fn names(members: &[(usize, &MachineRow, ResourceId)]) -> BTreeMap<String, String> {
    let mut by_name: BTreeMap<String, Vec<&ResourceId>> = BTreeMap::new();
    for (_, row, id) in members {
        let all = by_name.entry(row.name.to_lowercase()).or_default();
        if !all.contains(&id) {
            all.push(id);
        }
    }
    let called = |(name, ids): (&String, &Vec<&ResourceId>)| -> Vec<(String, String)> {
        let alone = ids.len() == 1;
        let of = |id: &&ResourceId| {
            let group = id.resource_group().to_lowercase();
            (id.key().to_owned(), if alone { name.clone() } else { format!("{name}.{group}.{}", id.subscription()) })
        };
        ids.iter().map(of).collect()
    };
    by_name.iter().flat_map(called).collect()
}

/// The one item of a machine. Of two nobody knows which is meant.
fn found<'s>(shared: &'s Shared, machine: &ResourceId) -> Known<Found<'s>> {
    let all = shared.vaults.iter().flat_map(|vault| vault.items.iter().map(move |item| Found { vault, item }));
    let mut own = all.filter(|found| found.item.details.machine.as_ref() == Some(machine));
    match (own.next(), own.next()) {
        (Some(found), None) => Known::Is(found),
        (Some(_), Some(_)) => {
            tracing::error!(
                machine = machine.as_str(),
                "two items replicate the machine: which one is meant is not known"
            );
            Known::Unknown
        }
        (None, _) if shared.vaults_whole => Known::Absent,
        (None, _) => Known::Unknown,
    }
}

/// Members of the saved copy that are not listed at all any more. Who is listed, and is no member now, was taken out by somebody.
pub fn not_listed<'r>(record: Option<&'r Record>, shared: &Shared) -> Vec<(&'r MemberCopy, ResourceId)> {
    let (Some(saved), Some(rows)) = (record.and_then(|record| record.saved.as_ref()), &shared.rows) else {
        return Vec::new();
    };
    let listed = |it: &&MemberCopy| rows.iter().any(|row| row.id.eq_ignore_ascii_case(&it.of.old));
    let members = saved.groups.iter().flat_map(|group| &group.members);
    members.filter(|it| !listed(it)).filter_map(|it| Some((it, it.of.old.parse().ok()?))).collect()
}
