//! Whether a machine is protected anywhere, and whether it could be (Microsoft.RecoveryServices 2025-02-01, `bms.json`).
//!
//! It never proves that there is a point to restore from: Azure says `Protected` of a machine before its first backup, and
//! of a machine that has the name of one.

use crate::{
    arm::{ArmClient, Call, decode},
    error::{Error, ErrorKind},
    id::ResourceId,
    json,
    operations::{BACKUP, Harm, Operation},
    retry::Repeat,
    vaults,
};
use serde_json::{Value, json};

/// Asking whether a machine is protected in any vault. A POST that changes nothing.
pub const STATUS: Operation = Operation {
    action: "Microsoft.RecoveryServices/locations/backupStatus/action",
    method: "POST",
    path: "/Subscriptions/{subscriptionId}/providers/Microsoft.RecoveryServices/locations/{azureRegion}/backupStatus",
    api_version: BACKUP.0,
    document: BACKUP.1,
    harm: Harm::Nothing,
    evidence: &["backup-status", "backup-status-early"],
};

/// Asking whether a machine could be protected in a vault. A POST that changes nothing.
pub const PRE_CHECK: Operation = Operation {
    action: "Microsoft.RecoveryServices/locations/backupPreValidateProtection/action",
    path: "/Subscriptions/{subscriptionId}/providers/Microsoft.RecoveryServices/locations/{azureRegion}/backupPreValidateProtection",
    evidence: &["backup-pre-check", "backup-codes-documented"],
    ..STATUS
};

/// Whether a machine is protected, in Azure's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// In no vault.
    NotProtected,
    /// It is being enabled.
    Protecting,
    /// In a vault; also before its first backup.
    Protected,
    /// Enabling failed.
    ProtectionFailed,
    /// Anything else.
    Other(String),
}

/// Where and how a machine is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectionStatus {
    /// Whether it is.
    pub status: Status,
    /// The vault.
    pub vault: Option<ResourceId>,
    /// The name of the vault policy.
    pub policy_name: Option<String>,
    /// The container's name.
    pub container: Option<String>,
    /// The item's name.
    pub item: Option<String>,
    /// Azure's code, where it gives one; `Success` is one.
    pub error_code: Option<String>,
    /// Bounded and cleaned.
    pub error_message: Option<String>,
}

/// What the pre-check says. It knows a machine by its name and group only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreCheck {
    /// How it ended.
    pub status: CheckStatus,
    /// For example `VirtualMachineAlreadyProtected`.
    pub error_code: Option<String>,
    /// Bounded and cleaned.
    pub error_message: Option<String>,
    /// Azure's advice, bounded and cleaned.
    pub recommendation: Option<String>,
    /// The container's name.
    pub container: Option<String>,
    /// The item's name.
    pub item: Option<String>,
}

/// How a pre-check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckStatus {
    /// Nothing was found that forbids it.
    Succeeded,
    /// It would be refused.
    Failed,
    /// Anything else: not known to be possible.
    Other(String),
}

/// Asks whether a machine is protected in any vault (`BackupStatus_Get`). A repeat is safe.
pub async fn get(arm: &ArmClient, machine: &ResourceId, location: &str) -> Result<ProtectionStatus, Error> {
    let body = json!({ "resourceType": "VM", "resourceId": machine.as_str() });
    let value = ask(arm, &STATUS, machine, location, body).await?;
    read(&value).ok_or_else(|| Error::malformed(STATUS.action, "no status"))
}

/// Asks whether a machine could be protected in a vault (`ProtectionIntent_Validate`). A repeat is safe.
pub async fn pre_check(
    arm: &ArmClient,
    machine: &ResourceId,
    location: &str,
    vault: &ResourceId,
) -> Result<PreCheck, Error> {
    vaults::parameters(&PRE_CHECK, vault)?;
    let body = json!({
        "resourceType": "VM", "resourceId": machine.as_str(), "vaultId": vault.as_str(), "properties": "",
    });
    let value = ask(arm, &PRE_CHECK, machine, location, body).await?;
    read_check(&value).ok_or_else(|| Error::malformed(PRE_CHECK.action, "no status"))
}

async fn ask(
    arm: &ArmClient,
    operation: &'static Operation,
    machine: &ResourceId,
    location: &str,
    body: Value,
) -> Result<Value, Error> {
    if !machine.is("Microsoft.Compute/virtualMachines") || machine.resource_group().is_empty() {
        return Err(Error::because(ErrorKind::Refused, operation.action, "not the id of a machine"));
    }
    let url = arm.url(operation, &[machine.subscription(), &json::region(location)], &[])?;
    let answer = arm.send(&Call::change(operation, url, Some(body), Repeat::Safe, None)).await?;
    decode(operation.action, &answer)
}

/// What an answer about a machine's protection says; none without the status.
pub(crate) fn read(value: &Value) -> Option<ProtectionStatus> {
    Some(ProtectionStatus {
        status: status(json::text(value, "/protectionStatus")?),
        vault: json::id(value, "/vaultId"),
        policy_name: json::filled(value, "/policyName"),
        container: json::filled(value, "/containerName"),
        item: json::filled(value, "/protectedItemName"),
        error_code: json::filled(value, "/errorCode"),
        error_message: json::words(value, "/errorMessage"),
    })
}

/// What a pre-check's answer says; none without the status.
pub(crate) fn read_check(value: &Value) -> Option<PreCheck> {
    Some(PreCheck {
        status: match json::text(value, "/status")? {
            text if text.eq_ignore_ascii_case("Succeeded") => CheckStatus::Succeeded,
            text if text.eq_ignore_ascii_case("Failed") => CheckStatus::Failed,
            other => CheckStatus::Other(other.to_owned()),
        },
        error_code: json::filled(value, "/errorCode"),
        error_message: json::words(value, "/errorMessage"),
        recommendation: json::words(value, "/recommendation"),
        container: json::filled(value, "/containerName"),
        item: json::filled(value, "/protectedItemName"),
    })
}

pub(crate) fn status(text: &str) -> Status {
    match text {
        _ if text.eq_ignore_ascii_case("NotProtected") => Status::NotProtected,
        _ if text.eq_ignore_ascii_case("Protecting") => Status::Protecting,
        _ if text.eq_ignore_ascii_case("Protected") => Status::Protected,
        _ if text.eq_ignore_ascii_case("ProtectionFailed") => Status::ProtectionFailed,
        other => Status::Other(other.to_owned()),
    }
}
