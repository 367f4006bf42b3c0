//! Management locks (Microsoft.Authorization 2020-05-01, `locks.json`).
//!
//! It never makes or removes one.

use crate::{
    arm::ArmClient,
    error::Error,
    id::ResourceId,
    json,
    operations::{Harm, LOCKS, Operation},
};
use serde_json::Value;

/// Listing the locks on a resource, with those that it inherits.
pub const LIST_AT_RESOURCE: Operation = Operation {
    action: "Microsoft.Authorization/locks/read",
    method: "GET",
    path: "/{scope}/providers/Microsoft.Authorization/locks",
    api_version: LOCKS.0,
    document: LOCKS.1,
    harm: Harm::Nothing,
    evidence: &["lock-list", "lock-levels", "arm-next-link"],
};

/// Listing the locks in a resource group.
pub const LIST_AT_GROUP: Operation = Operation {
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Authorization/locks",
    ..LIST_AT_RESOURCE
};

/// Listing the locks in a subscription.
pub const LIST_AT_SUBSCRIPTION: Operation =
    Operation { path: "/subscriptions/{subscriptionId}/providers/Microsoft.Authorization/locks", ..LIST_AT_RESOURCE };

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Its id, as Azure writes it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it forbids.
    pub level: Level,
    /// Why it is there, in somebody's words.
    pub notes: Option<String>,
    /// What it stands on; none where that cannot be read from its id.
    pub scope: Option<ResourceId>,
}

/// What a lock forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Level {
    /// Deleting.
    CanNotDelete,
    /// Changing and deleting.
    ReadOnly,
    /// Nothing is said.
    NotSpecified,
    /// Anything else.
    Other(String),
}

impl Lock {
    /// Whether it stands in the way of what it forbids of that: locks are inherited. One that cannot be placed stands in every way.
    pub fn blocks(&self, id: &ResourceId) -> bool {
        self.scope.as_ref().is_none_or(|scope| {
            id.key().strip_prefix(scope.key()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// The locks on a resource (`ManagementLocks_ListByScope`). A repeat is safe.
pub async fn list_at_resource(arm: &ArmClient, id: &ResourceId) -> Result<Vec<Lock>, Error> {
    arm.list(&LIST_AT_RESOURCE, &[id.as_str()], &[], read).await
}

/// The locks in a resource group (`ManagementLocks_ListAtResourceGroupLevel`). A repeat is safe.
pub async fn list_at_group(arm: &ArmClient, subscription: &str, group: &str) -> Result<Vec<Lock>, Error> {
    arm.list(&LIST_AT_GROUP, &[subscription, group], &[], read).await
}

/// The locks in a subscription (`ManagementLocks_ListAtSubscriptionLevel`). A repeat is safe.
pub async fn list_at_subscription(arm: &ArmClient, subscription: &str) -> Result<Vec<Lock>, Error> {
    arm.list(&LIST_AT_SUBSCRIPTION, &[subscription], &[], read).await
}

/// What a lock's JSON says; none without its id, because a lock that is not seen does not protect.
pub(crate) fn read(value: &Value) -> Option<Lock> {
    let id = json::string(value, "/id")?;
    Some(Lock {
        name: json::string(value, "/name").unwrap_or_default(),
        level: match json::text(value, "/properties/level").unwrap_or_default() {
            level if level.eq_ignore_ascii_case("CanNotDelete") => Level::CanNotDelete,
            level if level.eq_ignore_ascii_case("ReadOnly") => Level::ReadOnly,
            level if level.eq_ignore_ascii_case("NotSpecified") => Level::NotSpecified,
            other => Level::Other(other.to_owned()),
        },
        notes: json::string(value, "/properties/notes"),
        scope: scope(&id),
        id,
    })
}

/// What stands before `/providers/Microsoft.Authorization/locks/`. Lower case of ASCII keeps the places of all bytes.
fn scope(id: &str) -> Option<ResourceId> {
    let at = id.to_ascii_lowercase().rfind("/providers/microsoft.authorization/locks/")?;
    id.get(..at)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::read;
    use serde_json::json;

    #[test]
    fn a_lock_blocks_what_is_in_its_scope() {
        let machine =
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m".parse().unwrap();
        for (scope, blocks) in [
            ("/subscriptions/S", true),
            ("/subscriptions/s/resourcegroups/G", true),
            ("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/M", true),
            ("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m2", false),
            ("/subscriptions/s/resourceGroups/g2", false),
            ("/subscriptions/s2", false),
            ("/providers/Microsoft.Management/managementGroups/m", true),
            ("nonsense", true),
        ] {
            let lock = read(&json!({ "id": format!("{scope}/providers/Microsoft.Authorization/locks/l") })).unwrap();
            assert_eq!(lock.blocks(&machine), blocks, "{scope}");
        }
        assert_eq!(read(&json!({ "name": "l" })), None);
    }
}
