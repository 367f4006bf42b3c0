//! What the backup service answers: protectable and protected items, jobs, recovery points, operations.
//! It never answers anything itself.

use super::super::charges::Spend;
use super::super::vaults::{item_calls, jobs, pending, points, protectable, restores, runs, status};
use super::{Route, Service, route};

/// The third is that of the status URLs of what is no item (recorded).
pub(super) static BACKUP: Service =
    Service { kind: "vaults/backupJobs", versions: &["2025-02-01", "2024-04-01", "2019-05-13-preview"] };

const BACKUP_PROTECTABLE_ITEMS: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupProtectableItems";
const BACKUP_FABRICS_ONE_REFRESH_CONTAINERS: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupFabrics/{}/refreshContainers";
const BACKUP_FABRICS_ONE_OPERATION_RESULTS_ONE: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupFabrics/{}/operationResults/{}";
const BACKUP_FABRICS_ONE_OPERATIONS_STATUS_ONE: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupFabrics/{}/operationsStatus/{}";
const BACKUP_PROTECTED_ITEMS: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupProtectedItems";
const BACKUP_PROTECTION_CONTAINERS: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupProtectionContainers";
const ITEM: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupFabrics/{}/protectionContainers/{}/protectedItems/{}";
const ITEM_BACKUP: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupFabrics/{}/protectionContainers/{}/protectedItems/{}/backup";
const ITEM_OPERATIONS_STATUS_ONE: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupFabrics/{}/protectionContainers/{}/protectedItems/{}/operationsStatus/{}";
const ITEM_OPERATION_RESULTS_ONE: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupFabrics/{}/protectionContainers/{}/protectedItems/{}/operationResults/{}";
const ITEM_RECOVERY_POINTS: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupFabrics/{}/protectionContainers/{}/protectedItems/{}/recoveryPoints";
const ITEM_RECOVERY_POINTS_ONE: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupFabrics/{}/protectionContainers/{}/protectedItems/{}/recoveryPoints/{}";
const ITEM_RECOVERY_POINTS_ONE_RESTORE: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupFabrics/{}/protectionContainers/{}/protectedItems/{}/recoveryPoints/{}/restore";
const BACKUP_OPERATIONS_ONE: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupOperations/{}";
const BACKUP_OPERATION_RESULTS_ONE: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupOperationResults/{}";
const BACKUP_JOBS: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupJobs";
const BACKUP_JOBS_ONE: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupJobs/{}";
const BACKUP_JOBS_ONE_CANCEL: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupJobs/{}/cancel";
const BACKUP_JOBS_ONE_OPERATIONS_STATUS_ONE: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupJobs/{}/operationsStatus/{}";
const BACKUP_JOBS_ONE_OPERATION_RESULTS_ONE: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupJobs/{}/operationResults/{}";
const BACKUP_STATUS: &str = "/subscriptions/{}/providers/Microsoft.RecoveryServices/locations/{}/backupStatus";
const BACKUP_PRE_VALIDATE_PROTECTION: &str =
    "/subscriptions/{}/providers/Microsoft.RecoveryServices/locations/{}/backupPreValidateProtection";

const ITEM_RECOVERY_POINTS_RECOMMENDED: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.RecoveryServices/vaults/{}/backupFabrics/{}/protectionContainers/{}/protectedItems/{}/recoveryPointsRecommendedForMove";

/// The routes.
pub(super) static ROUTES: &[Route] = &[
    route(
        "POST",
        ITEM_RECOVERY_POINTS_RECOMMENDED,
        "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/recoveryPointsRecommendedForMove/action",
        &BACKUP,
        Spend::Nothing,
        points::recommended,
        "vault-sim-points",
    ),
    route(
        "GET",
        BACKUP_PROTECTABLE_ITEMS,
        "Microsoft.RecoveryServices/Vaults/backupProtectableItems/read",
        &BACKUP,
        Spend::BackupGet,
        protectable::list,
        "vault-sim-discovery",
    ),
    route(
        "POST",
        BACKUP_FABRICS_ONE_REFRESH_CONTAINERS,
        "Microsoft.RecoveryServices/Vaults/backupFabrics/refreshContainers/action",
        &BACKUP,
        Spend::Nothing,
        protectable::refresh,
        "vault-sim-discovery",
    ),
    route(
        "GET",
        BACKUP_FABRICS_ONE_OPERATION_RESULTS_ONE,
        "Microsoft.RecoveryServices/Vaults/backupFabrics/operationResults/read",
        &BACKUP,
        Spend::BackupGet,
        pending::backup_results,
        "vault-sim-discovery",
    ),
    route(
        "GET",
        BACKUP_FABRICS_ONE_OPERATIONS_STATUS_ONE,
        "Microsoft.RecoveryServices/Vaults/backupFabrics/operationsStatus/read",
        &BACKUP,
        Spend::BackupGet,
        pending::backup_status,
        "vault-sim-discovery",
    ),
    route(
        "GET",
        BACKUP_PROTECTED_ITEMS,
        "Microsoft.RecoveryServices/Vaults/backupProtectedItems/read",
        &BACKUP,
        Spend::BackupGet,
        item_calls::list,
        "vault-sim-items",
    ),
    route(
        "GET",
        BACKUP_PROTECTION_CONTAINERS,
        "Microsoft.RecoveryServices/Vaults/backupProtectionContainers/read",
        &BACKUP,
        Spend::BackupGet,
        item_calls::containers,
        "vault-sim-containers",
    ),
    route(
        "GET",
        ITEM,
        "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/read",
        &BACKUP,
        Spend::BackupGet,
        item_calls::get,
        "vault-sim-items",
    ),
    route(
        "PUT",
        ITEM,
        "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/write",
        &BACKUP,
        Spend::Nothing,
        item_calls::put,
        "vault-sim-enable",
    ),
    route(
        "DELETE",
        ITEM,
        "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/delete",
        &BACKUP,
        Spend::Nothing,
        item_calls::delete,
        "vault-sim-item-delete",
    ),
    route(
        "POST",
        ITEM_BACKUP,
        "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/backup/action",
        &BACKUP,
        Spend::Nothing,
        runs::on_demand,
        "vault-sim-backup",
    ),
    route(
        "GET",
        ITEM_OPERATIONS_STATUS_ONE,
        "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/operationsStatus/read",
        &BACKUP,
        Spend::BackupGet,
        pending::backup_status,
        "vault-sim-job",
    ),
    route(
        "GET",
        ITEM_OPERATION_RESULTS_ONE,
        "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/operationResults/read",
        &BACKUP,
        Spend::BackupGet,
        pending::backup_results,
        "vault-sim-job",
    ),
    route(
        "GET",
        ITEM_RECOVERY_POINTS,
        "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/read",
        &BACKUP,
        Spend::BackupGet,
        points::list,
        "vault-sim-points",
    ),
    route(
        "GET",
        ITEM_RECOVERY_POINTS_ONE,
        "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/read",
        &BACKUP,
        Spend::BackupGet,
        points::get,
        "vault-sim-points",
    ),
    route(
        "POST",
        ITEM_RECOVERY_POINTS_ONE_RESTORE,
        "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/restore/action",
        &BACKUP,
        Spend::Nothing,
        restores::post,
        "vault-sim-restore",
    ),
    route(
        "GET",
        BACKUP_OPERATIONS_ONE,
        "Microsoft.RecoveryServices/Vaults/backupOperations/read",
        &BACKUP,
        Spend::BackupGet,
        pending::backup_status,
        "vault-sim-job",
    ),
    route(
        "GET",
        BACKUP_OPERATION_RESULTS_ONE,
        "Microsoft.RecoveryServices/Vaults/backupOperationResults/read",
        &BACKUP,
        Spend::BackupGet,
        pending::backup_results,
        "vault-sim-job",
    ),
    route(
        "GET",
        BACKUP_JOBS,
        "Microsoft.RecoveryServices/Vaults/backupJobs/read",
        &BACKUP,
        Spend::BackupJobs,
        jobs::list,
        "vault-sim-jobs",
    ),
    route(
        "GET",
        BACKUP_JOBS_ONE,
        "Microsoft.RecoveryServices/Vaults/backupJobs/read",
        &BACKUP,
        Spend::BackupJobs,
        jobs::get,
        "vault-sim-jobs",
    ),
    route(
        "POST",
        BACKUP_JOBS_ONE_CANCEL,
        "Microsoft.RecoveryServices/Vaults/backupJobs/cancel/action",
        &BACKUP,
        Spend::Nothing,
        jobs::cancel,
        "vault-sim-cancel",
    ),
    route(
        "GET",
        BACKUP_JOBS_ONE_OPERATIONS_STATUS_ONE,
        "Microsoft.RecoveryServices/Vaults/backupJobs/operationsStatus/read",
        &BACKUP,
        Spend::BackupGet,
        pending::backup_status,
        "vault-sim-cancel",
    ),
    route(
        "GET",
        BACKUP_JOBS_ONE_OPERATION_RESULTS_ONE,
        "Microsoft.RecoveryServices/Vaults/backupJobs/operationResults/read",
        &BACKUP,
        Spend::BackupGet,
        pending::backup_results,
        "vault-sim-cancel",
    ),
    route(
        "POST",
        BACKUP_STATUS,
        "Microsoft.RecoveryServices/locations/backupStatus/action",
        &BACKUP,
        Spend::Nothing,
        status::status,
        "vault-sim-status",
    ),
    route(
        "POST",
        BACKUP_PRE_VALIDATE_PROTECTION,
        "Microsoft.RecoveryServices/locations/backupPreValidateProtection/action",
        &BACKUP,
        Spend::Nothing,
        status::prevalidate,
        "vault-sim-prevalidate",
    ),
];
