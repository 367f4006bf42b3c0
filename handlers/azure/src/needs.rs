//! Which rights a call needs: its own action, and what ARM checks besides, on what the request names or its answer shows.
//!
//! It never says who makes a call, and never asks Azure. The one table of rights: roles are drawn from it, refusals are read
//! with it, and a simulated access check is held to it.

use crate::{graph, machines, operations::Operation, protected_items, protection, restore_points, snapshots};
use std::collections::BTreeMap;

/// Where the request says what the right is checked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An id in the body: the path to it, `*` for every element of a list.
    Body(&'static str),
    /// A part that `$expand` asks for, of the resource itself.
    Expand(&'static str),
    /// The rows of the answer: those that may not be read are left out, and nothing is refused.
    Rows,
}

/// A right that a call needs besides its own action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linked {
    /// The call.
    pub of: &'static Operation,
    /// What makes ARM ask for it.
    pub place: Place,
    /// The type of what it is checked on.
    pub on: &'static str,
    /// The RBAC action.
    pub needs: &'static str,
    /// The entry of the evidence register that says how well this is known.
    pub evidence: &'static str,
}

/// A right, and what it is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Calls whose own action it is.
    pub calls: Vec<&'static Operation>,
    /// Calls for which it is checked besides.
    pub linked: Vec<&'static Linked>,
}

const MACHINE: &str = "Microsoft.Compute/virtualMachines";
const COLLECTION: &str = "Microsoft.Compute/restorePointCollections";
const ITEM: &str = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems";
const DISK: &str = "Microsoft.Compute/disks";

const fn linked(
    of: &'static Operation,
    place: Place,
    on: &'static str,
    needs: &'static str,
    evidence: &'static str,
) -> Linked {
    Linked { of, place, on, needs, evidence }
}

/// All that is known or assumed. What no source names and would cost a right that changes something is left out: ARM's
/// refusal names the action.
pub const LINKED: &[Linked] = &[
    linked(
        &machines::GET,
        Place::Expand("instanceView"),
        MACHINE,
        machines::INSTANCE_VIEW.action,
        "linked-instance-view",
    ),
    linked(
        &restore_points::GET_COLLECTION,
        Place::Expand("restorePoints"),
        COLLECTION,
        restore_points::GET.action,
        "linked-expanded-points",
    ),
    linked(
        &restore_points::CREATE_COLLECTION,
        Place::Body("properties/source/id"),
        MACHINE,
        machines::GET.action,
        "linked-collection-source",
    ),
    linked(
        &restore_points::CREATE,
        Place::Body("properties/excludeDisks/*/id"),
        DISK,
        crate::disks::GET.action,
        "linked-excluded-disk",
    ),
    linked(
        &snapshots::CREATE,
        Place::Body("properties/creationData/sourceResourceId"),
        DISK,
        "Microsoft.Compute/disks/beginGetAccess/action",
        "linked-disk-copy",
    ),
    linked(
        &protection::ENABLE,
        Place::Body("properties/sourceResourceId"),
        MACHINE,
        machines::SET_TAGS.action,
        "backup-enable-linked",
    ),
    linked(&graph::QUERY, Place::Rows, MACHINE, machines::GET.action, "graph-rows-readable"),
    linked(&graph::QUERY, Place::Rows, COLLECTION, restore_points::GET_COLLECTION.action, "graph-rows-readable"),
    linked(&graph::QUERY, Place::Rows, ITEM, protected_items::GET.action, "graph-rows-readable"),
];

/// A right to data, which a built-in role grants on the resource itself: no custom role of ours holds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataRight {
    /// The RBAC data action.
    pub needs: &'static str,
    /// What it is for.
    pub call: &'static str,
    /// The built-in role.
    pub role: &'static str,
    /// The role's id in Azure.
    pub role_id: &'static str,
    /// The entry of the evidence register that says how well this is known.
    pub evidence: &'static str,
}

/// Rights to data that are given where their resource is made in `infra/`, each by one role that holds nothing else.
pub const DATA: &[DataRight] = &[DataRight {
    needs: "Microsoft.EventGrid/events/send/action",
    call: "POST /api/events",
    role: "EventGrid Data Sender",
    role_id: "d5a91429-5739-47e2-a06b-3470a27159e7",
    evidence: "topic-right",
}];

/// Every right that these calls need, by its action.
pub fn of(spoken: &[&'static Operation]) -> BTreeMap<&'static str, Need> {
    let mut needs: BTreeMap<&'static str, Need> = BTreeMap::new();
    for operation in spoken {
        needs.entry(operation.action).or_default().calls.push(operation);
    }
    for linked in LINKED.iter().filter(|linked| spoken.contains(&linked.of)) {
        needs.entry(linked.needs).or_default().linked.push(linked);
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::{DATA, LINKED, of};
    use crate::{evidence, operations, restore_points};

    #[test]
    fn every_linked_right_is_of_a_spoken_operation_and_names_its_entry() {
        for linked in LINKED {
            assert!(operations::ALL.contains(&linked.of), "{} is not spoken", linked.of.action);
            assert!(
                evidence::find(linked.evidence).is_some(),
                "{}: there is no entry `{}`",
                linked.needs,
                linked.evidence
            );
        }
    }

    #[test]
    fn every_right_to_data_names_its_entry_and_is_given_in_infra() {
        let infra = include_str!("../../../infra/app/event_topic.bicep");
        for right in DATA {
            assert!(evidence::find(right.evidence).is_some(), "{}", right.needs);
            assert!(infra.contains(right.role_id) && infra.contains(right.role), "{}", right.needs);
        }
    }

    #[test]
    fn what_a_call_needs_is_its_own_action_and_what_it_is_linked_to() {
        let needs = of(&[&restore_points::CREATE_COLLECTION]);
        let actions: Vec<&str> = needs.keys().copied().collect();
        assert_eq!(
            actions,
            ["Microsoft.Compute/restorePointCollections/write", "Microsoft.Compute/virtualMachines/read"]
        );
        assert!(needs["Microsoft.Compute/virtualMachines/read"].calls.is_empty());
        assert!(of(&[]).is_empty());
    }
}
