//! What a vault knows of that could be protected, and telling it to look again (Microsoft.RecoveryServices 2025-02-01,
//! `bms.json`).
//!
//! It never takes an absence from the list for an absence from Azure: a new machine is listed only after a refresh. It never
//! waits for a refresh.

use crate::{
    arm::{ArmClient, Call},
    error::Error,
    id::ResourceId,
    json,
    long_running::{Acted, OperationState},
    operations::{BACKUP, Harm, Operation},
    protected_items::{self, FABRIC, Source},
    protection_status::{self, Status},
    retry::Repeat,
    transport::Latest,
    vault_operations::OperationId,
    vault_policies::OF_MACHINES,
    vaults,
};
use serde_json::Value;

/// Listing what a vault could protect.
pub const LIST: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/backupProtectableItems/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}/backupProtectableItems",
    api_version: BACKUP.0,
    document: BACKUP.1,
    harm: Harm::Nothing,
    evidence: &["protectable-list", "protectable-after-refresh", "arm-next-link"],
};

/// Telling a vault to look for machines again.
pub const REFRESH: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/backupFabrics/refreshContainers/action",
    method: "POST",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}/backupFabrics/{fabricName}/refreshContainers",
    evidence: &["refresh-containers", "arm-location"],
    ..LIST
};

/// Asking how far a refresh is.
pub const REFRESH_RESULT: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/backupFabrics/operationResults/read",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}/backupFabrics/{fabricName}/operationResults/{operationId}",
    evidence: &["refresh-result", "arm-location"],
    ..LIST
};

/// A machine that a vault knows of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectableItem {
    /// Its id in the vault.
    pub id: ResourceId,
    /// The machine.
    pub source: Option<Source>,
    /// The machine's name.
    pub friendly_name: Option<String>,
    /// Whether it is protected.
    pub status: Status,
}

/// The machines that a vault knows of (`BackupProtectableItems_List`), up to 200 a page. A repeat is safe.
pub async fn list(arm: &ArmClient, vault: &ResourceId) -> Result<Vec<ProtectableItem>, Error> {
    arm.list(&LIST, &vaults::parameters(&LIST, vault)?, &[OF_MACHINES], read).await
}

/// Tells a vault to look for machines again (`ProtectionContainers_Refresh`). A repeat is safe: it only looks. Gives what
/// [`refresh_state`] asks about, if Azure named it. It is never late: what is found later is found all the same.
pub async fn begin_refresh(arm: &ArmClient, vault: &ResourceId, latest: Latest) -> Result<Option<OperationId>, Error> {
    let [subscription, group, vault] = vaults::parameters(&REFRESH, vault)?;
    let url = arm.url(&REFRESH, &[subscription, group, vault, FABRIC], &[])?;
    let answer = arm.send(&Call::change(&REFRESH, url, None, Repeat::Safe, Some(latest))).await?;
    Ok(match Acted::read(&REFRESH, &answer, arm.wall_now()) {
        Acted::Begun(Some(accepted)) => OperationId::of(&accepted),
        _ => None,
    })
}

/// Asks once how far a refresh is (`ProtectionContainerRefreshOperationResults_Get`): 202 while it runs, 204 after it. A
/// repeat is safe.
pub async fn refresh_state(arm: &ArmClient, vault: &ResourceId, id: &OperationId) -> Result<OperationState, Error> {
    let [subscription, group, vault] = vaults::parameters(&REFRESH_RESULT, vault)?;
    let url = arm.url(&REFRESH_RESULT, &[subscription, group, vault, FABRIC, id.as_str()], &[])?;
    arm.state_by_status(&Call::read(&REFRESH_RESULT, url)).await
}

/// What an entry's JSON says; none without its id.
pub(crate) fn read(value: &Value) -> Option<ProtectableItem> {
    Some(ProtectableItem {
        id: json::text(value, "/id")?.parse().ok()?,
        source: protected_items::source(value, "/properties/virtualMachineId"),
        friendly_name: json::filled(value, "/properties/friendlyName"),
        status: protection_status::status(json::text(value, "/properties/protectionState").unwrap_or_default()),
    })
}
