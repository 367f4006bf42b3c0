//! What is kept of the answers of vaults and of Azure Backup, and how those are decoded that are more than a resource.
//!
//! It never decides what is right.

use super::Texts;
use crate::{
    error::Error, long_running::OperationState, operations::Operation, protection, tags, transport::Answer,
    vault_operations,
};
use jiff::Timestamp;

pub const VAULT: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/location", "location"),
    ("/tags/*", ""),
    ("/properties/provisioningState", "provisioning_state"),
    ("/properties/redundancySettings/standardTierStorageRedundancy", "redundancy"),
    ("/properties/securitySettings/immutabilitySettings/state", "immutability"),
    ("/properties/securitySettings/softDeleteSettings/softDeleteState", "soft_delete"),
    ("/properties/securitySettings/softDeleteSettings/softDeleteRetentionPeriodInDays", "soft_delete_days"),
    ("/properties/securitySettings/multiUserAuthorization", "multi_user_authorization"),
];
pub const VAULT_USAGE: &[(&str, &str)] = &[("/name/value", "name"), ("/currentValue", "current"), ("/unit", "unit")];
pub const VAULT_POLICY: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/properties/backupManagementType", "workload"),
    ("/properties/policyType", "policy_type"),
    ("/properties/protectedItemsCount", "protected_items"),
    ("/properties/instantRpRetentionRangeInDays", "instant_days"),
    ("/properties/timeZone", "time_zone"),
    ("/properties/snapshotConsistencyType", "snapshot_consistency"),
    ("/properties/schedulePolicy/schedulePolicyType", "kind"),
    ("/properties/schedulePolicy/scheduleRunFrequency", "frequency"),
    ("/properties/schedulePolicy/hourlySchedule/interval", "interval_hours"),
    ("/properties/schedulePolicy/hourlySchedule/scheduleWindowDuration", "window_hours"),
    ("/properties/retentionPolicy/dailySchedule/retentionDuration/count", "count"),
    ("/properties/retentionPolicy/dailySchedule/retentionDuration/durationType", "unit"),
    ("/properties/retentionPolicy/weeklySchedule/retentionDuration/count", "count"),
    ("/properties/retentionPolicy/weeklySchedule/retentionDuration/durationType", "unit"),
    ("/properties/retentionPolicy/monthlySchedule/retentionDuration/count", "count"),
    ("/properties/retentionPolicy/monthlySchedule/retentionDuration/durationType", "unit"),
    ("/properties/retentionPolicy/yearlySchedule/retentionDuration/count", "count"),
    ("/properties/retentionPolicy/yearlySchedule/retentionDuration/durationType", "unit"),
];
pub const PROTECTABLE_ITEM: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/properties/virtualMachineId", ""),
    ("/properties/friendlyName", "friendly_name"),
    ("/properties/protectionState", "status"),
];
pub const PROTECTED_ITEM: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/properties/sourceResourceId", ""),
    ("/properties/friendlyName", "friendly_name"),
    ("/properties/protectionState", "state"),
    ("/properties/protectionStatus", "status"),
    ("/properties/healthStatus", "health"),
    ("/properties/healthDetails/*/code", "code"),
    ("/properties/healthDetails/*/title", "title"),
    ("/properties/healthDetails/*/message", "message"),
    ("/properties/healthDetails/*/recommendations/*", ""),
    ("/properties/lastBackupTime", "last_backup"),
    ("/properties/lastBackupStatus", "last_backup_status"),
    ("/properties/lastRecoveryPoint", "last_point"),
    ("/properties/policyId", "policy"),
    ("/properties/policyName", "policy_name"),
    ("/properties/isScheduledForDeferredDelete", "soft_deleted"),
    ("/properties/deferredDeleteTimeInUTC", "purged_at"),
];
pub const PROTECTION_STATUS: &[(&str, &str)] = &[
    ("/protectionStatus", "status"),
    ("/vaultId", "vault"),
    ("/policyName", "policy_name"),
    ("/containerName", "container"),
    ("/protectedItemName", "item"),
    ("/errorCode", "error_code"),
    ("/errorMessage", "error_message"),
];
pub const PRE_CHECK: &[(&str, &str)] = &[
    ("/status", "status"),
    ("/errorCode", "error_code"),
    ("/errorMessage", "error_message"),
    ("/recommendation", "recommendation"),
    ("/containerName", "container"),
    ("/protectedItemName", "item"),
];
pub const JOB: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/properties/operation", "operation"),
    ("/properties/status", "status"),
    ("/properties/containerName", "container"),
    ("/properties/entityFriendlyName", "friendly_name"),
    ("/properties/startTime", "started"),
    ("/properties/endTime", "ended"),
    ("/properties/extendedInfo/tasksList/*/taskId", "name"),
    ("/properties/extendedInfo/tasksList/*/status", "status"),
    ("/properties/extendedInfo/tasksList/*/startTime", "started"),
    ("/properties/extendedInfo/tasksList/*/endTime", "ended"),
    ("/properties/errorDetails/*/errorCode", "code"),
    ("/properties/errorDetails/*/errorTitle", "title"),
    ("/properties/errorDetails/*/errorString", "text"),
    ("/properties/errorDetails/*/recommendations/*", ""),
    ("/properties/extendedInfo/dynamicErrorMessage", "message"),
];
pub const VAULT_POINT: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/properties/recoveryPointTime", "time"),
    ("/properties/recoveryPointType", "consistency"),
    ("/properties/recoveryPointTierDetails/*/type", "kind"),
    ("/properties/recoveryPointTierDetails/*/status", "status"),
    ("/properties/recoveryPointProperties/expiryTime", "expires"),
    ("/properties/recoveryPointProperties/ruleName", "rule"),
    ("/properties/recoveryPointProperties/isSoftDeleted", "soft_deleted"),
];
pub const VAULT_OPERATION: &[(&str, &str)] = &[("/properties/jobId", "job")];
pub const TAGS: &[(&str, &str)] = &[("/properties/tags/*", "")];

pub fn enabled(_: &'static Operation, answer: &Answer) -> Texts {
    Ok(vec![format!("{:?}", protection::read_enabled(answer, Timestamp::MIN)?)])
}

pub fn tagged(_: &'static Operation, answer: &Answer) -> Texts {
    Ok(vec![format!("{:?}", tags::read_tagged(answer, Timestamp::MIN)?)])
}

pub fn operation(operation: &'static Operation, answer: &Answer) -> Texts {
    let value = crate::arm::decode(operation.action, answer)?;
    let read = vault_operations::read(&value, OperationState::Running { retry_after: None });
    read.map(|read| vec![format!("{read:?}")]).ok_or_else(|| Error::malformed(operation.action, "no operation"))
}
