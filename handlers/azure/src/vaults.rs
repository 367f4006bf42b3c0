//! Recovery Services vaults (Microsoft.RecoveryServices 2025-02-01, `openapi.json`).
//!
//! It never makes, changes or deletes one, and never says that there is room in one: it counts what is there.

use crate::{
    arm::ArmClient,
    error::{Error, ErrorKind},
    id::ResourceId,
    json,
    operations::{Harm, Operation, VAULTS},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Reading a vault.
pub const GET: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}",
    api_version: VAULTS.0,
    document: VAULTS.1,
    harm: Harm::Nothing,
    evidence: &["vault-get", "vault-immutable", "arm-404-gone", "arm-404-group"],
};

/// Listing the vaults of a subscription.
pub const LIST: Operation = Operation {
    path: "/subscriptions/{subscriptionId}/providers/Microsoft.RecoveryServices/vaults",
    evidence: &["vault-list", "arm-next-link"],
    ..GET
};

/// Counting what is in a vault.
pub const LIST_USAGES: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/usages/read",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}/usages",
    evidence: &["vault-usages", "backup-limits"],
    ..GET
};

/// How many machines a vault takes; Azure's usages give no limit of their own (it says -1). See `backup-limits`.
pub const MAX_MACHINES_PER_VAULT: u32 = 1000;
/// How many vault policies a vault takes. See `backup-limits`.
pub const MAX_POLICIES_PER_VAULT: u32 = 200;

/// The count of protected machines among a vault's usages.
pub const PROTECTED_MACHINES: &str = "IaaSVMProtectedItemCount";

/// A vault. What Azure leaves out is not known, not off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vault {
    /// Its id.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// Its region; the machines that it protects are there too.
    pub location: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// For example `Succeeded`.
    pub provisioning_state: Option<String>,
    /// For example `GeoRedundant`; it cannot be changed after the first backup.
    pub redundancy: Option<String>,
    /// `Disabled`, `Unlocked`, `Locked`: an immutable vault lets nothing end early.
    pub immutability: Option<String>,
    /// `Enabled`, `Disabled`, `AlwaysON`: what is deleted stays for some days.
    pub soft_delete: Option<String>,
    /// For how many days it stays.
    pub soft_delete_days: Option<i64>,
    /// `Enabled` where a Resource Guard must agree to what could lose data.
    pub multi_user_authorization: Option<String>,
}

/// How much of something there is in a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultUsage {
    /// For example [`PROTECTED_MACHINES`]; empty where Azure does not say.
    pub name: String,
    /// How much.
    pub current: i64,
    /// For example `Count`, `Bytes`.
    pub unit: Option<String>,
}

/// The vaults of a subscription (`Vaults_ListBySubscriptionId`). A repeat is safe.
pub async fn list(arm: &ArmClient, subscription: &str) -> Result<Vec<Vault>, Error> {
    arm.list(&LIST, &[subscription], &[], read).await
}

/// One vault (`Vaults_Get`). A repeat is safe.
pub async fn get(arm: &ArmClient, vault: &ResourceId) -> Result<Vault, Error> {
    let value = arm.get(&GET, &parameters(&GET, vault)?, &[]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, "a vault without its id"))
}

/// What is in a vault, counted (`Usages_ListByVaults`). A repeat is safe.
pub async fn list_usages(arm: &ArmClient, vault: &ResourceId) -> Result<Vec<VaultUsage>, Error> {
    arm.list(&LIST_USAGES, &parameters(&LIST_USAGES, vault)?, &[], read_usage).await
}

/// The vault that an item, a job, a vault policy or a point is in; none for what is in none.
pub fn vault_of(id: &ResourceId) -> Option<ResourceId> {
    let mut within = Some(id.clone());
    while let Some(id) = within {
        if id.is("Microsoft.RecoveryServices/vaults") {
            return Some(id);
        }
        within = id.parent();
    }
    None
}

/// The parameters of an operation on a vault, if it is one.
pub(crate) fn parameters<'a>(operation: &'static Operation, vault: &'a ResourceId) -> Result<[&'a str; 3], Error> {
    if !vault.is("Microsoft.RecoveryServices/vaults") || vault.resource_group().is_empty() {
        return Err(Error::because(ErrorKind::Refused, operation.action, "not the id of a vault"));
    }
    Ok([vault.subscription(), vault.resource_group(), vault.name()])
}

/// What a vault's JSON says; none without its id.
pub(crate) fn read(value: &Value) -> Option<Vault> {
    let id: ResourceId = json::text(value, "/id")?.parse().ok()?;
    let soft_delete = "/properties/securitySettings/softDeleteSettings";
    Some(Vault {
        name: id.name().to_owned(),
        location: json::region(json::text(value, "/location").unwrap_or_default()),
        tags: json::tags(value),
        provisioning_state: json::string(value, "/properties/provisioningState"),
        redundancy: json::string(value, "/properties/redundancySettings/standardTierStorageRedundancy"),
        immutability: json::string(value, "/properties/securitySettings/immutabilitySettings/state"),
        soft_delete: json::string(value, &format!("{soft_delete}/softDeleteState")),
        soft_delete_days: json::number(value, &format!("{soft_delete}/softDeleteRetentionPeriodInDays")),
        multi_user_authorization: json::string(value, "/properties/securitySettings/multiUserAuthorization"),
        id,
    })
}

/// What a count's JSON says; none without the number.
pub(crate) fn read_usage(value: &Value) -> Option<VaultUsage> {
    Some(VaultUsage {
        name: json::string(value, "/name/value").unwrap_or_default(),
        current: json::number(value, "/currentValue")?,
        unit: json::string(value, "/unit"),
    })
}

#[cfg(test)]
mod tests {
    use super::vault_of;

    #[test]
    fn what_is_in_a_vault_tells_its_vault() {
        let vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/Vaults/v";
        let container = "backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;g;m";
        let item = format!("{vault}/{container}/protectedItems/VM;iaasvmcontainerv2;g;m");
        for inside in [vault, &item, &format!("{item}/recoveryPoints/1"), &format!("{vault}/backupJobs/j")] {
            assert_eq!(vault_of(&inside.parse().unwrap()), Some(vault.parse().unwrap()), "{inside}");
        }
        for outside in ["/subscriptions/s", "/subscriptions/s/resourceGroups/g/providers/a/vaults/v"] {
            assert_eq!(vault_of(&outside.parse().unwrap()), None, "{outside}");
        }
    }
}
