//! What the caller itself may do (Microsoft.Authorization 2022-04-01, `authorization-RoleDefinitionsCalls.json`).
//!
//! It never changes a right. It knows nothing of linked actions, deny assignments, locks and Azure Policy: its yes is a
//! *probably*.

use crate::{
    arm::ArmClient,
    error::{Error, ErrorKind},
    id::ResourceId,
    json,
    operations::{Harm, Operation, PERMISSIONS},
};
use serde_json::Value;

/// Asking what the caller may do in a resource group.
pub const LIST_FOR_GROUP: Operation = Operation {
    action: "Microsoft.Authorization/permissions/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourcegroups/{resourceGroupName}/providers/Microsoft.Authorization/permissions",
    api_version: PERMISSIONS.0,
    document: PERMISSIONS.1,
    harm: Harm::Nothing,
    evidence: &["permission-list", "permission-patterns", "arm-next-link"],
};

/// Asking what the caller may do with a resource.
pub const LIST_FOR_RESOURCE: Operation = Operation {
    path: "/subscriptions/{subscriptionId}/resourcegroups/{resourceGroupName}/providers/{resourceProviderNamespace}/{parentResourcePath}/{resourceType}/{resourceName}/providers/Microsoft.Authorization/permissions",
    ..LIST_FOR_GROUP
};

/// What one role allows: its patterns less those that it leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Patterns of what is allowed.
    pub actions: Vec<String>,
    /// Patterns of what of it is left out.
    pub not_actions: Vec<String>,
    /// Patterns of what is allowed on data.
    pub data_actions: Vec<String>,
    /// Patterns of what of it is left out.
    pub not_data_actions: Vec<String>,
}

impl Permission {
    /// Whether this entry allows an action.
    pub fn allows(&self, action: &str) -> bool {
        let fits = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, action));
        fits(&self.actions) && !fits(&self.not_actions)
    }
}

/// Whether any entry allows an action: what one role leaves out another may give.
pub fn allows(permissions: &[Permission], action: &str) -> bool {
    permissions.iter().any(|permission| permission.allows(action))
}

/// What the caller may do in a resource group (`Permissions_ListForResourceGroup`). A repeat is safe.
pub async fn list_for_group(arm: &ArmClient, subscription: &str, group: &str) -> Result<Vec<Permission>, Error> {
    arm.list(&LIST_FOR_GROUP, &[subscription, group], &[], read).await
}

/// What the caller may do with a resource in a group (`Permissions_ListForResource`). A repeat is safe.
pub async fn list_for_resource(arm: &ArmClient, id: &ResourceId) -> Result<Vec<Permission>, Error> {
    let refused =
        || Error::because(ErrorKind::Refused, LIST_FOR_RESOURCE.action, "not the id of a resource in a group");
    let parts: Vec<&str> = id.segments().collect();
    // `subscriptions/s/resourceGroups/g/providers/N`, what it is inside of, its type and its name.
    let [_, _, _, _, _, namespace, parents @ .., kind, name] = parts.as_slice() else { return Err(refused()) };
    if id.resource_group().is_empty() || id.provider() != Some(namespace) {
        return Err(refused());
    }
    let parents = parents.join("/");
    let parameters = [id.subscription(), id.resource_group(), namespace, &parents, kind, name];
    arm.list(&LIST_FOR_RESOURCE, &parameters, &[], read).await
}

/// What an entry's JSON says. What is absent allows nothing.
pub(crate) fn read(value: &Value) -> Option<Permission> {
    value.is_object().then(|| Permission {
        actions: json::texts(value, "/actions"),
        not_actions: json::texts(value, "/notActions"),
        data_actions: json::texts(value, "/dataActions"),
        not_data_actions: json::texts(value, "/notDataActions"),
    })
}

/// Whether a pattern with `*` for anything fits an action; case aside.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_lowercase(), action.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = action.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{allows, list_for_resource, matches, read};
    use crate::scripted::{Reply, Scripted};
    use serde_json::json;

    #[test]
    fn patterns_fit_by_their_stars_and_without_regard_to_case() {
        for (pattern, action, expected) in [
            ("*", "Microsoft.Compute/virtualMachines/read", true),
            ("*/read", "Microsoft.Compute/virtualMachines/read", true),
            ("*/read", "Microsoft.Compute/virtualMachines/write", false),
            ("microsoft.compute/*", "Microsoft.Compute/disks/write", true),
            ("Microsoft.Compute/*/read", "Microsoft.Compute/disks/read", true),
            ("Microsoft.Compute/disks/read", "Microsoft.Compute/disks/read", true),
            ("Microsoft.Compute/disks/rea", "Microsoft.Compute/disks/read", false),
            ("Microsoft.Compute/disks/read*", "Microsoft.Compute/disks/read", true),
            ("a*a", "a", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, action), expected, "{pattern} {action}");
        }
    }

    #[test]
    fn what_one_role_leaves_out_another_may_give() {
        let entry = |actions: &[&str], not: &[&str]| read(&json!({ "actions": actions, "notActions": not })).unwrap();
        let contributor = entry(&["*"], &["Microsoft.Authorization/*/write"]);
        let lock = "Microsoft.Authorization/locks/write";
        assert!(contributor.allows("Microsoft.Compute/disks/write") && !contributor.allows(lock));
        assert!(allows(&[contributor, entry(&["Microsoft.Authorization/locks/*"], &[])], lock));
        assert!(!allows(&[], lock) && !allows(&[read(&json!({})).unwrap()], lock));
    }

    #[tokio::test(start_paused = true)]
    async fn a_resource_inside_another_is_asked_about_by_its_whole_path() {
        let group = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute";
        // Without a parent the part for it is empty, as Azure's own clients send it.
        for (inside, sent) in [
            ("virtualMachines/m", "/virtualMachines/m"),
            ("restorePointCollections/c/restorePoints/p", "restorePointCollections/c/restorePoints/p"),
        ] {
            let scripted = Scripted::new([Reply::json(200, &json!({ "value": [] }))]);
            let arm = crate::ArmClient::new("https://management.azure.com".parse().unwrap(), &scripted.access());
            list_for_resource(&arm.unwrap(), &format!("{group}/{inside}").parse().unwrap()).await.unwrap();
            let expected = format!("{}/{sent}/providers/Microsoft.Authorization/permissions", group.to_lowercase());
            assert_eq!(scripted.asked()[0].url.path().to_lowercase(), expected.to_lowercase());
        }
    }
}
