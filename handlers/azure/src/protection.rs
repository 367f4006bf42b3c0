//! Protecting a machine in a vault, and backing it up now (Microsoft.RecoveryServices 2025-02-01, `bms.json`).
//!
//! It never stops protection and never waits for anything: each call gives the operation that [`crate::vault_operations`]
//! asks about, and that the job.

use crate::{
    arm::{ArmClient, Call, decode},
    error::{Error, ErrorKind},
    id::ResourceId,
    long_running::Accepted,
    operations::{BACKUP, Harm, Operation},
    protected_items::{self, NO_ID, ProtectedItem, name_of, parameters},
    retry::Repeat,
    transport::{Answer, Latest},
    vault_operations::OperationId,
};
use jiff::Timestamp;
use serde_json::json;

/// Protecting a machine.
pub const ENABLE: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/write",
    method: "PUT",
    path: protected_items::GET.path,
    api_version: BACKUP.0,
    document: BACKUP.1,
    harm: Harm::Nothing,
    evidence: &[
        "backup-enable",
        "backup-enable-again",
        "backup-enable-linked",
        "backup-enable-resumes",
        "item-name",
        "backup-operation-id",
    ],
};

/// Backing a machine up now.
pub const BACK_UP_NOW: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/backup/action",
    method: "POST",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}/backupFabrics/{fabricName}/protectionContainers/{containerName}/protectedItems/{protectedItemName}/backup",
    evidence: &["backup-now", "backup-now-one-at-a-time", "backup-now-budget", "item-name", "backup-operation-id"],
    ..ENABLE
};

/// Azure's word for a backup that runs already. It answers 400 or 409 with it, so the status does not tell.
const RUNS_ALREADY: &str = "UserErrorBackupOperationInProgress";

/// What Azure said to an order to protect a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enabled {
    /// It is as it was asked for; nothing was begun.
    Already(Box<ProtectedItem>),
    /// It was begun; what to ask about, if Azure named it. Without it the item tells.
    Begun(Option<OperationId>),
}

/// Begins to protect a machine by a vault policy (`ProtectedItems_CreateOrUpdate`). A repeat is safe: by its name, twice is
/// once. It is undone by stopping, which is a person's.
///
/// Read the item first: the same order **resumes** what somebody stopped, and moves an item to another vault policy. Sent late it
/// could do that to an item that was stopped meanwhile; so it is given a latest moment. Enabling makes no backup.
pub async fn begin_enable(
    arm: &ArmClient,
    vault: &ResourceId,
    machine: &ResourceId,
    policy: &ResourceId,
    latest: Latest,
) -> Result<Enabled, Error> {
    let name = name_of(&ENABLE, machine)?;
    let url = arm.url(&ENABLE, &parameters(&ENABLE, vault, &name)?, &[])?;
    if policy.parent().as_ref() != Some(vault) || !policy.is("Microsoft.RecoveryServices/vaults/backupPolicies") {
        return Err(Error::because(ErrorKind::Refused, ENABLE.action, "not a vault policy of that vault"));
    }
    let body = json!({ "properties": {
        "protectedItemType": "Microsoft.Compute/virtualMachines",
        "sourceResourceId": machine.as_str(),
        "policyId": policy.as_str(),
    }});
    let answer = arm.send(&Call::change(&ENABLE, url, Some(body), Repeat::Safe, Some(latest))).await?;
    read_enabled(&answer, arm.wall_now())
}

/// Begins a backup whose point stays until then (`Backups_Trigger`); gives what to ask about, if Azure named it. Nothing
/// stops it once its data goes to the vault.
///
/// **A repeat is not safe without reading first**: it is another backup of the few that a day has. Look for a running `Backup` job
/// of the machine; Azure refuses a second one while one runs, which is [`ErrorKind::Busy`] here. Sent late it makes a point too
/// many, which goes by itself.
pub async fn begin_backup(
    arm: &ArmClient,
    vault: &ResourceId,
    machine: &ResourceId,
    keep_until: Timestamp,
    latest: Latest,
) -> Result<Option<OperationId>, Error> {
    let name = name_of(&BACK_UP_NOW, machine)?;
    let url = arm.url(&BACK_UP_NOW, &parameters(&BACK_UP_NOW, vault, &name)?, &[])?;
    let body = json!({ "properties": {
        "objectType": "IaasVMBackupRequest",
        // Recorded to the millisecond. Left out, Azure takes a default that no policy of ours says.
        "recoveryPointExpiryTimeInUTC": format!("{keep_until:.3}"),
    }});
    let sent = arm.send(&Call::change(&BACK_UP_NOW, url, Some(body), Repeat::IfNotDone, Some(latest))).await;
    let answer =
        sent.map_err(|error| if error.mentions(RUNS_ALREADY) { error.with_kind(ErrorKind::Busy) } else { error })?;
    Ok(Accepted::read(&answer, arm.wall_now()).as_ref().and_then(OperationId::of))
}

/// What an answer to an order to protect a machine says.
pub(crate) fn read_enabled(answer: &Answer, now: Timestamp) -> Result<Enabled, Error> {
    if answer.status == 200 {
        let item = protected_items::read(&decode(ENABLE.action, answer)?);
        return item.map(Box::new).map(Enabled::Already).ok_or_else(|| Error::malformed(ENABLE.action, NO_ID));
    }
    Ok(Enabled::Begun(Accepted::read(answer, now).as_ref().and_then(OperationId::of)))
}

#[cfg(test)]
mod tests;
