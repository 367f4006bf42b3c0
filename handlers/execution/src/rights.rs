//! What the handler speaks, and so what its identity must be allowed: the custom roles of `infra/` are drawn from here.
//! It never lists what only people ask with their own sign-in, and never a right that no call of the handler needs.
//!
//! A call that the handler learns gets its line here; the gate of roles finds the ones that are missing or left over.

use std::collections::BTreeMap;

use lifeboat_azure::needs::{self, Need};
use lifeboat_azure::operations::Operation;
use lifeboat_azure::{
    backup_jobs, disks, failover, graph, health, locks, machines, networks, permissions, protectable_items,
    protected_items, protection, protection_status, public_addresses, replicated_items, replication, replication_jobs,
    resource_groups, restore_points, skus, snapshots, subscriptions, tags, target_sizes, traffic_manager, usages,
    vault_policies, vaults,
};

/// One custom role: what a deployment is given for one kind of work.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    /// Its name in `infra/`.
    pub name: &'static str,
    /// The calls that it is for.
    pub speaks: &'static [&'static Operation],
}

/// All roles. Every deployment has the first; the others hold strong rights and are given where policies ask for their work.
pub const ROLES: [Role; 5] = [
    Role {
        name: "points",
        speaks: &[
            &subscriptions::GET,
            &machines::GET,
            &graph::QUERY,
            &resource_groups::CREATE,
            &restore_points::GET_COLLECTION,
            &restore_points::CREATE_COLLECTION,
            &restore_points::GET,
            &restore_points::CREATE,
            &restore_points::DELETE,
            // Expiry reads what lies beside the restore points too, and what stands in the way.
            &snapshots::GET,
            &snapshots::LIST_IN_GROUP,
            &locks::LIST_AT_SUBSCRIPTION,
            &locks::LIST_AT_GROUP,
            // A hold is a tag on the resource first.
            &tags::GET,
            &tags::UPDATE,
        ],
    },
    Role { name: "snapshots", speaks: &[&disks::GET, &snapshots::CREATE, &snapshots::DELETE] },
    Role {
        name: "vaults",
        speaks: &[
            &vaults::LIST,
            &vault_policies::LIST,
            &protected_items::GET,
            &protected_items::LIST,
            &protectable_items::LIST,
            &protectable_items::REFRESH,
            &protection_status::STATUS,
            &protection_status::PRE_CHECK,
            &protection::ENABLE,
            &protection::BACK_UP_NOW,
            &backup_jobs::LIST,
            &backup_jobs::GET,
        ],
    },
    Role { name: "recovery", speaks: &[&health::LIST_EVENTS, &health::LIST_STATUSES] },
    // For the deployment in the region that takes over: its recovery plans also stop, and in undoing start, the members on the other side.
    Role {
        name: "failover",
        speaks: &[
            &replicated_items::LIST,
            &replication::LIST_POINTS,
            &target_sizes::LIST,
            &replication::LIST_MAPPINGS,
            &replication_jobs::LIST,
            &failover::FAIL_OVER,
            &failover::CHANGE_POINT,
            &failover::COMMIT,
            &failover::PROTECT_OTHER_WAY,
            &machines::LIST_IN_GROUP,
            &machines::DEALLOCATE,
            &machines::START,
            &traffic_manager::LIST,
            &traffic_manager::GET,
            &traffic_manager::SET_ENDPOINT,
            &vaults::GET,
            &resource_groups::GET,
            &networks::GET,
            &public_addresses::LIST,
            &public_addresses::GET,
            &skus::LIST,
            &usages::LIST,
            // Readiness asks what the steps are allowed, and tries none.
            &permissions::LIST_FOR_GROUP,
        ],
    },
];

impl Role {
    /// Its actions, each with what it is for.
    pub fn needs(&self) -> BTreeMap<&'static str, Need> {
        needs::of(self.speaks)
    }
}

/// Everything that the handler speaks.
pub fn spoken() -> impl Iterator<Item = &'static Operation> {
    ROLES.iter().flat_map(|role| role.speaks.iter().copied())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lifeboat_azure::evidence;
    use lifeboat_azure::needs::{Linked, Place};
    use lifeboat_azure::operations;
    use serde_json::{Value, json};

    use super::{ROLES, Role, failover, machines, spoken, traffic_manager};

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/app/role-actions.json");

    /// The roles as `infra/` loads them: each action with its reason, so that who reads the file sees why it is there.
    fn document() -> String {
        let roles: Vec<Value> =
            ROLES.iter().map(|role| json!({ "name": role.name, "actions": actions(role) })).collect();
        format!("{:#}\n", Value::Array(roles))
    }

    fn actions(role: &Role) -> Vec<Value> {
        let needs = role.needs().into_iter();
        let entry = |(action, need): (&str, lifeboat_azure::needs::Need)| {
            let calls: Vec<String> = need.calls.iter().map(|call| format!("{} {}", call.method, call.path)).collect();
            let linked: Vec<String> = need.linked.iter().map(|linked| words(linked)).collect();
            json!({ "action": action, "calls": calls, "linked": linked })
        };
        needs.map(entry).collect()
    }

    fn words(linked: &Linked) -> String {
        let place = match linked.place {
            Place::Body(path) => format!("names one at {path}"),
            Place::Expand(part) => format!("expands {part}"),
            Place::Rows => "shows their rows".to_owned(),
        };
        let entry = evidence::find(linked.evidence).unwrap();
        format!("{} {place} ({}, {:?})", linked.of.action, entry.id, entry.grade)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the environment asks a test to write its golden file; no setting of the product"
    )]
    #[test]
    fn the_roles_of_infra_are_the_ones_drawn_from_the_table() {
        let now = document();
        if std::env::var("LIFEBOAT_GOLDEN").as_deref() == Ok("write") {
            std::fs::write(FILE, &now).unwrap();
        }
        let committed = std::fs::read_to_string(FILE).unwrap_or_default();
        assert_eq!(committed, now, "write it again with LIFEBOAT_GOLDEN=write cargo test -p lifeboat-execution rights");
    }

    #[test]
    fn each_call_is_spoken_by_one_role_and_is_one_that_the_client_has() {
        let all: Vec<_> = spoken().collect();
        let distinct: BTreeSet<_> = all.iter().map(|operation| (operation.method, operation.path)).collect();
        assert_eq!(distinct.len(), all.len());
        assert!(all.iter().all(|operation| operations::ALL.contains(operation)));
    }

    /// Strong rights, each with the role that may hold it: whoever adds one says so here.
    #[test]
    fn no_role_holds_a_strong_right_that_is_not_listed_here() {
        let is_strong = |action: &str| {
            let made = action.ends_with("/restorePointCollections/write")
                || action.ends_with("/restorePoints/write")
                || action.ends_with("/snapshots/write")
                || action.ends_with("/resourceGroups/write");
            !action.ends_with("/read") && !made
        };
        let strong: Vec<(&str, &str)> = ROLES
            .iter()
            .flat_map(|role| role.needs().into_keys().map(|action| (role.name, action)))
            .filter(|(_, action)| is_strong(action))
            .collect();
        assert_eq!(
            strong,
            [
                ("points", "Microsoft.Compute/restorePointCollections/restorePoints/delete"),
                ("points", "Microsoft.Resources/tags/write"),
                ("snapshots", "Microsoft.Compute/disks/beginGetAccess/action"),
                ("snapshots", "Microsoft.Compute/snapshots/delete"),
                ("vaults", "Microsoft.Compute/virtualMachines/write"),
                (
                    "vaults",
                    "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/backup/action"
                ),
                ("vaults", "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/write"),
                ("vaults", "Microsoft.RecoveryServices/Vaults/backupFabrics/refreshContainers/action"),
                ("vaults", "Microsoft.RecoveryServices/locations/backupPreValidateProtection/action"),
                ("vaults", "Microsoft.RecoveryServices/locations/backupStatus/action"),
                ("failover", machines::DEALLOCATE.action),
                ("failover", machines::START.action),
                ("failover", traffic_manager::SET_ENDPOINT.action),
                ("failover", failover::CHANGE_POINT.action),
                ("failover", failover::COMMIT.action),
                ("failover", failover::FAIL_OVER.action),
                ("failover", failover::PROTECT_OTHER_WAY.action),
            ]
        );
    }
}
