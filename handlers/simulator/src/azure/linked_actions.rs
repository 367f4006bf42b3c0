//! Rights on what a body names or `$expand` asks for: a call that the caller may make is refused when it may not use the resources
//! that it refers to. It never looks whether those resources exist.

use serde_json::Value;

use super::access::allows;
use super::call::Call;
use super::errors::{ArmError, authorization_failed};
use super::ids::ResourceId;

/// A right that a call also needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linked {
    /// The action of the call.
    pub of: &'static str,
    /// Where in the body the id stands; `*` is every element of a list.
    pub path: &'static str,
    /// The type that the id must have, in lower case; empty for any.
    pub kind: &'static str,
    /// What the caller must be allowed on it.
    pub needs: &'static str,
}

/// A right that a call also needs on the resource itself, when `$expand` asks for a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expanded {
    /// The action of the call.
    pub of: &'static str,
    /// What `$expand` names.
    pub part: &'static str,
    /// What the caller must be allowed.
    pub needs: &'static str,
}

const fn linked(of: &'static str, path: &'static str, kind: &'static str, needs: &'static str) -> Linked {
    Linked { of, path, kind, needs }
}

const MACHINE: &str = "Microsoft.Compute/virtualMachines/write";
const SNAPSHOT: &str = "Microsoft.Compute/snapshots/write";
const DISK: &str = "Microsoft.Compute/disks/write";
const ITEM: &str = "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/write";
const ACCESS_DISK: &str = "Microsoft.Compute/disks/beginGetAccess/action";

/// All of them. The first two are named by the reference (`linked-collection-source`, `linked-network-interface`); those of
/// snapshots and disks were quoted from ARM by callers, with the same action for both kinds of source (`linked-disk-copy`).
/// Microsoft's table of roles for backup names the right over the machine to protect (`vault-sim-linked-machine`).
/// *Assumed* are the disk that a machine attaches (`linked-machine-disk`) and the read of the disks that a restore point leaves out
/// (`linked-excluded-disk`); on the others it asks for nothing: other products' roles for it hold no right on disks.
static LINKED: &[Linked] = &[
    linked(
        "Microsoft.Compute/restorePointCollections/write",
        "properties/source/id",
        "microsoft.compute/virtualmachines",
        "Microsoft.Compute/virtualMachines/read",
    ),
    linked(
        "Microsoft.Compute/restorePointCollections/restorePoints/write",
        "properties/excludeDisks/*/id",
        "microsoft.compute/disks",
        "Microsoft.Compute/disks/read",
    ),
    linked(
        MACHINE,
        "properties/networkProfile/networkInterfaces/*/id",
        "microsoft.network/networkinterfaces",
        "Microsoft.Network/networkInterfaces/join/action",
    ),
    linked(MACHINE, "properties/storageProfile/osDisk/managedDisk/id", "microsoft.compute/disks", DISK),
    linked(MACHINE, "properties/storageProfile/dataDisks/*/managedDisk/id", "microsoft.compute/disks", DISK),
    linked(SNAPSHOT, "properties/creationData/sourceResourceId", "microsoft.compute/disks", ACCESS_DISK),
    linked(SNAPSHOT, "properties/creationData/sourceResourceId", "microsoft.compute/snapshots", ACCESS_DISK),
    linked(DISK, "properties/creationData/sourceResourceId", "microsoft.compute/snapshots", ACCESS_DISK),
    linked(DISK, "properties/creationData/sourceResourceId", "microsoft.compute/disks", ACCESS_DISK),
    linked(ITEM, "properties/sourceResourceId", "microsoft.compute/virtualmachines", MACHINE),
];

/// Parts that are checked under a right of their own. *Assumed* (`linked-instance-view`, `linked-expanded-points`): the stricter reading.
static EXPANDED: &[Expanded] = &[
    Expanded {
        of: "Microsoft.Compute/virtualMachines/read",
        part: "instanceView",
        needs: "Microsoft.Compute/virtualMachines/instanceView/read",
    },
    Expanded {
        of: "Microsoft.Compute/restorePointCollections/read",
        part: "restorePoints",
        needs: "Microsoft.Compute/restorePointCollections/restorePoints/read",
    },
];

/// Everything that this ARM checks on what a body names.
pub fn linked_rights() -> &'static [Linked] {
    LINKED
}

/// Everything that this ARM checks on what `$expand` asks for.
pub fn expanded_rights() -> &'static [Expanded] {
    EXPANDED
}

/// Whether the caller may use what the body names and see what it wants expanded. The wording is that which callers of ARM have quoted
/// (`linked-refusal`).
pub(crate) fn check(call: &Call) -> Result<(), ArmError> {
    for right in EXPANDED.iter().filter(|right| right.of == call.action && call.expands(right.part)) {
        if !allows(&call.principal.grants, right.needs, &call.path) {
            let who = &call.principal;
            return Err(authorization_failed(&who.client_id, &who.object_id, right.needs, &call.path));
        }
    }
    let Some(body) = call.body.as_ref().filter(|_| matches!(call.method.as_str(), "PUT" | "PATCH" | "POST")) else {
        return Ok(());
    };
    for right in LINKED.iter().filter(|right| right.of == call.action) {
        let mut ids = Vec::new();
        collect(body, right.path, &mut ids);
        for id in ids {
            let fits = ResourceId::parse(id)
                .is_some_and(|id| right.kind.is_empty() || id.kind().eq_ignore_ascii_case(right.kind));
            if fits && !allows(&call.principal.grants, right.needs, id) {
                return Err(refusal(call, right.needs, id));
            }
        }
    }
    Ok(())
}

fn refusal(call: &Call, needs: &str, scope: &str) -> ArmError {
    let who = &call.principal;
    let message = format!(
        "The client '{}' with object id '{}' has permission to perform action '{}' on scope '{}'; however, it does not have \
         permission to perform action '{needs}' on the linked scope(s) '{scope}' or the linked scope(s) are invalid.",
        who.client_id, who.object_id, call.action, call.path
    );
    ArmError::gateway(403, "LinkedAuthorizationFailed", message)
}

fn collect<'a>(value: &'a Value, path: &str, found: &mut Vec<&'a str>) {
    let Some((first, rest)) = path.split_once('/') else {
        found.extend(value[path].as_str());
        return;
    };
    match value {
        Value::Array(list) if first == "*" => list.iter().for_each(|one| collect(one, rest, found)),
        _ => collect(&value[first], rest, found),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_found_wherever_the_table_says() {
        let body = json!({ "a": { "b": [{ "id": "one" }, { "no": 1 }, { "id": "two" }] }, "c": 5 });
        let found = |path: &str| {
            let mut found = Vec::new();
            collect(&body, path, &mut found);
            found.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(found("a/b/*/id"), ["one", "two"]);
        assert_eq!(found("c/d/*/id"), Vec::<String>::new());
        assert_eq!(found("c"), Vec::<String>::new());
    }
}
