//! What the Recovery Services provider answers of vaults, their configuration and their policies.
//! It never answers anything itself.

use super::super::charges::Spend;
use super::super::vaults::{configs, pending, policies, vault_calls};
use super::backups::BACKUP;
use super::{Route, Service, route};

static VAULTS: Service = Service { kind: "vaults", versions: &["2025-02-01", "2024-04-01", "2023-02-01"] };

const VAULTS_OF_SUBSCRIPTION: &str = "/subscriptions/{}/providers/Microsoft.RecoveryServices/vaults";
const VAULTS_OF_GROUP: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults";
const VAULT: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}";
const OPERATION_STATUS_ONE: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/operationStatus/{}";
const OPERATION_RESULTS_ONE: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/operationResults/{}";
const USAGES: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/usages";
const BACKUP_RESOURCE_GUARD_PROXIES: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupResourceGuardProxies";
const BACKUPCONFIG_VAULTCONFIG: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupconfig/vaultconfig";
const BACKUPSTORAGECONFIG_VAULTSTORAGECONFIG: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupstorageconfig/vaultstorageconfig";
const BACKUP_POLICIES: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupPolicies";
const BACKUP_POLICIES_ONE: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupPolicies/{}";

/// The routes of vaults.
pub(super) static ROUTES: &[Route] = &[
    route(
        "GET",
        VAULTS_OF_SUBSCRIPTION,
        "Microsoft.RecoveryServices/Vaults/read",
        &VAULTS,
        Spend::Nothing,
        vault_calls::list_all,
        "vault-sim-list",
    ),
    route(
        "GET",
        VAULTS_OF_GROUP,
        "Microsoft.RecoveryServices/Vaults/read",
        &VAULTS,
        Spend::Nothing,
        vault_calls::list_in_group,
        "vault-sim-list",
    ),
    route(
        "GET",
        VAULT,
        "Microsoft.RecoveryServices/Vaults/read",
        &VAULTS,
        Spend::Nothing,
        vault_calls::get,
        "vault-sim-fields",
    ),
    route(
        "PUT",
        VAULT,
        "Microsoft.RecoveryServices/Vaults/write",
        &VAULTS,
        Spend::VaultWrite,
        vault_calls::put,
        "vault-sim-put",
    ),
    route(
        "PATCH",
        VAULT,
        "Microsoft.RecoveryServices/Vaults/write",
        &VAULTS,
        Spend::VaultWrite,
        vault_calls::patch,
        "vault-sim-patch",
    ),
    route(
        "DELETE",
        VAULT,
        "Microsoft.RecoveryServices/Vaults/delete",
        &VAULTS,
        Spend::VaultDelete,
        vault_calls::delete,
        "vault-sim-delete",
    ),
    route(
        "GET",
        OPERATION_STATUS_ONE,
        "Microsoft.RecoveryServices/Vaults/operationStatus/read",
        &VAULTS,
        Spend::Nothing,
        pending::vault_status,
        "vault-sim-operation",
    ),
    route(
        "GET",
        OPERATION_RESULTS_ONE,
        "Microsoft.RecoveryServices/Vaults/operationResults/read",
        &VAULTS,
        Spend::Nothing,
        pending::vault_results,
        "vault-sim-operation",
    ),
    route(
        "GET",
        USAGES,
        "Microsoft.RecoveryServices/Vaults/usages/read",
        &VAULTS,
        Spend::Nothing,
        vault_calls::usages,
        "vault-sim-usages",
    ),
    route(
        "GET",
        BACKUP_RESOURCE_GUARD_PROXIES,
        "Microsoft.RecoveryServices/Vaults/backupResourceGuardProxies/read",
        &BACKUP,
        Spend::Nothing,
        vault_calls::guards,
        "vault-sim-guards",
    ),
    route(
        "GET",
        BACKUPCONFIG_VAULTCONFIG,
        "Microsoft.RecoveryServices/Vaults/backupconfig/read",
        &BACKUP,
        Spend::BackupGet,
        configs::get_vault_config,
        "vault-sim-config",
    ),
    route(
        "PUT",
        BACKUPCONFIG_VAULTCONFIG,
        "Microsoft.RecoveryServices/Vaults/backupconfig/write",
        &BACKUP,
        Spend::Nothing,
        configs::write_vault_config,
        "vault-sim-config",
    ),
    route(
        "PATCH",
        BACKUPCONFIG_VAULTCONFIG,
        "Microsoft.RecoveryServices/Vaults/backupconfig/write",
        &BACKUP,
        Spend::Nothing,
        configs::write_vault_config,
        "vault-sim-config",
    ),
    route(
        "GET",
        BACKUPSTORAGECONFIG_VAULTSTORAGECONFIG,
        "Microsoft.RecoveryServices/Vaults/backupstorageconfig/read",
        &BACKUP,
        Spend::BackupGet,
        configs::get_storage_config,
        "vault-sim-storage",
    ),
    route(
        "PUT",
        BACKUPSTORAGECONFIG_VAULTSTORAGECONFIG,
        "Microsoft.RecoveryServices/Vaults/backupstorageconfig/write",
        &BACKUP,
        Spend::Nothing,
        configs::write_storage_config,
        "vault-sim-storage",
    ),
    route(
        "PATCH",
        BACKUPSTORAGECONFIG_VAULTSTORAGECONFIG,
        "Microsoft.RecoveryServices/Vaults/backupstorageconfig/write",
        &BACKUP,
        Spend::Nothing,
        configs::write_storage_config,
        "vault-sim-storage",
    ),
    route(
        "GET",
        BACKUP_POLICIES,
        "Microsoft.RecoveryServices/Vaults/backupPolicies/read",
        &BACKUP,
        Spend::BackupGet,
        policies::list,
        "vault-sim-policies",
    ),
    route(
        "GET",
        BACKUP_POLICIES_ONE,
        "Microsoft.RecoveryServices/Vaults/backupPolicies/read",
        &BACKUP,
        Spend::BackupGet,
        policies::get,
        "vault-sim-policies",
    ),
    route(
        "PUT",
        BACKUP_POLICIES_ONE,
        "Microsoft.RecoveryServices/Vaults/backupPolicies/write",
        &BACKUP,
        Spend::Nothing,
        policies::put,
        "vault-sim-policy-put",
    ),
    route(
        "DELETE",
        BACKUP_POLICIES_ONE,
        "Microsoft.RecoveryServices/Vaults/backupPolicies/delete",
        &BACKUP,
        Spend::Nothing,
        policies::delete,
        "vault-sim-policy-refusals",
    ),
];
