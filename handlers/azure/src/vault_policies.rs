//! The policies of a vault (Microsoft.RecoveryServices 2025-02-01, `bms.json`): Azure's own, called vault policies here.
//!
//! It never writes one, and reads of one only what tells whether it suits a machine.

use crate::{
    arm::ArmClient,
    error::Error,
    id::ResourceId,
    json,
    operations::{BACKUP, Harm, Operation},
    vaults,
};
use serde_json::Value;

/// Reading a vault policy.
pub const GET: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/backupPolicies/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}/backupPolicies/{policyName}",
    api_version: BACKUP.0,
    document: BACKUP.1,
    harm: Harm::Nothing,
    evidence: &["vault-policy-get", "vault-policy-kind", "backup-limits"],
};

/// Listing the vault policies of a vault.
pub const LIST: Operation = Operation {
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}/backupPolicies",
    evidence: &["vault-policy-list", "vault-policy-kind", "arm-next-link"],
    ..GET
};

/// How many machines a vault policy takes. See `backup-limits`.
pub const MAX_MACHINES_PER_POLICY: u32 = 1000;
/// What a vault's lists are narrowed to: virtual machines.
pub(crate) const OF_MACHINES: (&str, &str) = ("$filter", "backupManagementType eq 'AzureIaasVM'");

/// A vault policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultPolicy {
    /// Its id.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// What it is for; `AzureIaasVM` is virtual machines.
    pub workload: Option<String>,
    /// `V1`, `V2`; absent in policies from before there were two: [`VaultPolicy::is_enhanced`].
    pub policy_type: Option<String>,
    /// How many items it has.
    pub protected_items: Option<i64>,
    /// How many days its snapshots stay.
    pub instant_days: Option<i64>,
    /// The zone that its times are in, by Windows' name.
    pub time_zone: Option<String>,
    /// `OnlyCrashConsistent`, where it asks the machine for nothing.
    pub snapshot_consistency: Option<String>,
    /// When it backs up.
    pub schedule: Schedule,
    /// How long its points stay.
    pub retention: Retention,
}

/// When a vault policy backs up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// `SimpleSchedulePolicy`, `SimpleSchedulePolicyV2`.
    pub kind: Option<String>,
    /// `Daily`, `Weekly`, `Hourly`.
    pub frequency: Option<String>,
    /// For `Hourly`: hours between two backups.
    pub interval_hours: Option<i64>,
    /// For `Hourly`: hours of the day's window.
    pub window_hours: Option<i64>,
}

/// How long a vault policy's points stay; none where no such rule is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Daily points.
    pub daily: Option<Span>,
    /// Weekly points.
    pub weekly: Option<Span>,
    /// Monthly points.
    pub monthly: Option<Span>,
    /// Yearly points.
    pub yearly: Option<Span>,
}

/// A length of time as a vault policy says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// How many.
    pub count: i64,
    /// `Days`, `Weeks`, `Months`, `Years`.
    pub unit: String,
}

impl VaultPolicy {
    /// Whether it is of the enhanced kind, which trusted launch, several backups a day and Ultra or Premium v2 disks want.
    pub fn is_enhanced(&self) -> bool {
        let by_type = self.policy_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("V2"));
        let by_schedule = self.schedule.kind.as_deref().is_some_and(|kind| kind.ends_with("V2"));
        by_type || by_schedule
    }

    /// Whether machines can have it.
    pub fn is_for_machines(&self) -> bool {
        self.workload.as_deref().is_some_and(|workload| workload.eq_ignore_ascii_case("AzureIaasVM"))
    }
}

/// One vault policy (`ProtectionPolicies_Get`). A repeat is safe.
pub async fn get(arm: &ArmClient, vault: &ResourceId, name: &str) -> Result<VaultPolicy, Error> {
    let [subscription, group, vault] = vaults::parameters(&GET, vault)?;
    let value = arm.get(&GET, &[subscription, group, vault, name], &[]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, "a vault policy without its id"))
}

/// The vault policies of a vault for machines (`BackupPolicies_List`). A repeat is safe.
pub async fn list(arm: &ArmClient, vault: &ResourceId) -> Result<Vec<VaultPolicy>, Error> {
    arm.list(&LIST, &vaults::parameters(&LIST, vault)?, &[OF_MACHINES], read).await
}

/// What a vault policy's JSON says; none without its id.
pub(crate) fn read(value: &Value) -> Option<VaultPolicy> {
    let id: ResourceId = json::text(value, "/id")?.parse().ok()?;
    let schedule = "/properties/schedulePolicy";
    Some(VaultPolicy {
        name: id.name().to_owned(),
        workload: json::string(value, "/properties/backupManagementType"),
        policy_type: json::string(value, "/properties/policyType"),
        protected_items: json::number(value, "/properties/protectedItemsCount"),
        instant_days: json::number(value, "/properties/instantRpRetentionRangeInDays"),
        time_zone: json::string(value, "/properties/timeZone"),
        snapshot_consistency: json::string(value, "/properties/snapshotConsistencyType"),
        schedule: Schedule {
            kind: json::string(value, &format!("{schedule}/schedulePolicyType")),
            frequency: json::string(value, &format!("{schedule}/scheduleRunFrequency")),
            interval_hours: json::number(value, &format!("{schedule}/hourlySchedule/interval")),
            window_hours: json::number(value, &format!("{schedule}/hourlySchedule/scheduleWindowDuration")),
        },
        retention: Retention {
            daily: span(value, "daily"),
            weekly: span(value, "weekly"),
            monthly: span(value, "monthly"),
            yearly: span(value, "yearly"),
        },
        id,
    })
}

fn span(value: &Value, rule: &str) -> Option<Span> {
    let duration = json::at(value, &format!("/properties/retentionPolicy/{rule}Schedule/retentionDuration"))?;
    Some(Span { count: json::number(duration, "/count")?, unit: json::string(duration, "/durationType")? })
}

#[cfg(test)]
mod tests {
    use super::read;
    use serde_json::json;

    #[test]
    fn a_vault_policy_is_enhanced_by_its_type_or_by_its_schedule() {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v/backupPolicies/p";
        for (properties, enhanced) in [
            (json!({}), false),
            (json!({ "policyType": "V1", "schedulePolicy": { "schedulePolicyType": "SimpleSchedulePolicy" } }), false),
            (json!({ "policyType": "V2" }), true),
            (json!({ "policyType": "v2" }), true),
            (json!({ "schedulePolicy": { "schedulePolicyType": "SimpleSchedulePolicyV2" } }), true),
        ] {
            let policy = read(&json!({ "id": id, "properties": properties })).unwrap();
            assert_eq!(policy.is_enhanced(), enhanced, "{properties}");
        }
    }
}
