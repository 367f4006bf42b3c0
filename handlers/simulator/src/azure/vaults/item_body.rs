//! How items and containers are written.
//! It never tells of an item what only its jobs know.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::ids::stamp_z;
use super::items::Item;
use super::{Vault, schedules};

/// The time that stands for none (recorded).
const NO_TIME: &str = "2001-01-01T00:00:00Z";
const ITEM_KIND: &str = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems";
const CONTAINER_KIND: &str = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers";
const MACHINE_KIND: &str = "Microsoft.Compute/virtualMachines";

impl Item {
    /// The item as a `GET` answers it.
    pub(super) fn json(&self, vault: &Vault, now: Timestamp) -> Value {
        let policy = vault.policy_of(self);
        let policy_id = policy.map(|policy| format!("{}/backupPolicies/{}", vault.id(), policy.name));
        let mut properties = json!({
            "friendlyName": self.friendly,
            "virtualMachineId": self.source,
            "protectionStatus": "Healthy",
            "protectionState": self.protection.word(),
            "healthStatus": "Passed",
            "lastBackupStatus": self.last_backup.map_or("", |(_, word)| word),
            "lastBackupTime": self.last_backup.map_or_else(|| NO_TIME.to_owned(), |(at, _)| stamp_z(at)),
            "protectedItemDataId": self.number,
            "sourceSideScanning": 0,
            "protectedItemType": MACHINE_KIND,
            "backupManagementType": "AzureIaasVM",
            "workloadType": "VM",
            "containerName": self.native,
            "sourceResourceId": self.source,
            "policyId": policy_id.unwrap_or_default(),
            "policyName": policy.map_or("", |policy| policy.name.as_str()),
            "vaultId": format!("https://management.azure.com{}", vault.id()),
            "isArchiveEnabled": false,
            "softDeleteRetentionPeriod": 0,
        });
        if let Some(exclusion) = &self.exclusion {
            properties["extendedProperties"] = json!({ "diskExclusionProperties": exclusion });
        }
        if self.last_backup.is_some() {
            properties["healthDetails"] = json!([{
                "code": 400_239,
                "title": "IaasVmHealthGreenDefault",
                "message": "Backup pre-check status of this virtual machine is OK.",
                "recommendations": [],
            }]);
        }
        if let Some(point) = self.points.last() {
            properties["lastRecoveryPoint"] = json!(stamp_z(point.time));
        }
        // *Assumed* (`vault-sim-deferred-time`): the time is that of the deletion, not of the end.
        if let Some((at, days)) = self.deleted {
            let ends = schedules::plus_days(at, days);
            properties["isScheduledForDeferredDelete"] = json!(true);
            properties["deferredDeleteTimeInUTC"] = json!(stamp_z(at));
            properties["deferredDeleteTimeRemaining"] = json!(timespan(ends.duration_since(now)));
            properties["isDeferredDeleteScheduleUpcoming"] = json!(false);
            properties["softDeleteRetentionPeriod"] = json!(days);
            properties["softDeleteRetentionPeriodInDays"] = json!(days);
        }
        json!({
            "id": self.id(vault),
            "name": format!("VM;{}", self.native),
            "type": ITEM_KIND,
            "properties": properties,
        })
    }

    /// Its container.
    pub(super) fn container(&self, vault: &Vault) -> Value {
        json!({
            "id": self.container_id(vault),
            "name": format!("IaasVMContainer;{}", self.native),
            "type": CONTAINER_KIND,
            "properties": {
                "virtualMachineId": self.source,
                "virtualMachineVersion": "Compute",
                "resourceGroup": self.group,
                "friendlyName": self.friendly,
                "backupManagementType": "AzureIaasVM",
                "registrationStatus": if self.deleted.is_some() { "SoftDeleted" } else { "Registered" },
                "healthStatus": "Healthy",
                "containerType": MACHINE_KIND,
                "protectableObjectType": MACHINE_KIND,
            },
        })
    }
}

/// A length of time as .NET writes it: `13.23:59:39.9639675` (recorded).
fn timespan(length: SignedDuration) -> String {
    let ticks = length.max(SignedDuration::ZERO).as_nanos() / 100;
    let (seconds, fraction) = (ticks / 10_000_000, ticks % 10_000_000);
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let clock = format!("{hours:02}:{:02}:{:02}", seconds / 60 % 60, seconds % 60);
    let whole = if days > 0 { format!("{days}.{clock}") } else { clock };
    if fraction > 0 { format!("{whole}.{fraction:07}") } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_a_deleted_item_has_left_is_written_as_recorded() {
        let length = SignedDuration::from_nanos((13 * 86_400 + 86_379) * 1_000_000_000 + 963_967_500);
        assert_eq!(timespan(length), "13.23:59:39.9639675");
        assert_eq!(timespan(SignedDuration::from_secs(61)), "00:01:01");
    }
}
