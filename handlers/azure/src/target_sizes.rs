//! Sizes that Site Recovery offers for the machine that a failover makes (Microsoft.RecoveryServices 2025-02-01, `service.json`).
//!
//! It never says that there is room for one: no call does.

use crate::{
    arm::ArmClient,
    error::Error,
    id::ResourceId,
    json,
    operations::{Harm, Operation, SITE_RECOVERY},
    replicated_items::ItemPath,
};
use serde_json::Value;

/// Listing the sizes that a replicated machine may have in the other region.
pub const LIST: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/targetComputeSizes/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{resourceName}/replicationFabrics/{fabricName}/replicationProtectionContainers/{protectionContainerName}/replicationProtectedItems/{replicatedProtectedItemName}/targetComputeSizes",
    api_version: SITE_RECOVERY.0,
    document: SITE_RECOVERY.1,
    harm: Harm::Nothing,
    evidence: &["replica-target-sizes", "arm-next-link"],
};

/// A size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSize {
    /// Its name, for example `Standard_D2s_v5`.
    pub name: String,
    /// Why this machine cannot have it; none where it can. Bounded and cleaned.
    pub errors: Vec<String>,
}

impl TargetSize {
    /// Whether the machine can have it.
    pub fn is_offered(&self) -> bool {
        self.errors.is_empty()
    }
}

/// The sizes that a replicated machine may have there (`TargetComputeSizes_ListByReplicationProtectedItems`). A repeat is safe.
pub async fn list(arm: &ArmClient, item: &ResourceId) -> Result<Vec<TargetSize>, Error> {
    arm.list(&LIST, &ItemPath::of(&LIST, item)?.parameters(), &[], read).await
}

/// What a size's JSON says; none without its name. What keeps the machine from it counts also where it has no words.
pub(crate) fn read(value: &Value) -> Option<TargetSize> {
    let name = json::filled(value, "/properties/name").or_else(|| json::filled(value, "/name"))?;
    let errors = json::list(value, "/properties/errors").iter();
    Some(TargetSize { name, errors: errors.map(|one| json::words(one, "/message").unwrap_or_default()).collect() })
}

#[cfg(test)]
mod tests {
    use super::read;
    use serde_json::json;

    #[test]
    fn a_size_with_a_reason_against_it_is_not_offered() {
        let size = |errors| read(&json!({ "name": "B1s", "properties": { "name": "Standard_B1s", "errors": errors } }));
        let offered = size(json!(null)).unwrap();
        assert_eq!((offered.name.as_str(), offered.is_offered()), ("Standard_B1s", true));
        assert!(size(json!([])).unwrap().is_offered());
        assert!(!size(json!([{ "message": "too few data disks", "severity": "Error" }])).unwrap().is_offered());
        assert!(!size(json!([{}])).unwrap().is_offered());
        assert_eq!(read(&json!({ "properties": {} })), None);
    }
}
