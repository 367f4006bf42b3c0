//! The points of an item in a vault (Microsoft.RecoveryServices 2025-02-01, `bms.json`).
//!
//! It never deletes one: no version of the API can. A point goes by its vault policy, or with its item.

use crate::{
    arm::ArmClient,
    backup_jobs::filter_time,
    error::Error,
    id::ResourceId,
    json,
    operations::{BACKUP, Harm, Operation},
    protected_items::{name_of, parameters},
};
use jiff::Timestamp;
use serde_json::Value;

/// Listing the points of an item.
pub const LIST: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}/backupFabrics/{fabricName}/protectionContainers/{containerName}/protectedItems/{protectedItemName}/recoveryPoints",
    api_version: BACKUP.0,
    document: BACKUP.1,
    harm: Harm::Nothing,
    evidence: &[
        "vault-point-list",
        "vault-point-tiers",
        "vault-point-filter",
        "vault-point-deletes",
        "vault-point-newest",
        "arm-next-link",
    ],
};

/// A point in a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultPoint {
    /// Its id.
    pub id: ResourceId,
    /// Its name, a number.
    pub name: String,
    /// The moment that it stands for.
    pub time: Option<Timestamp>,
    /// `AppConsistent`, `FileSystemConsistent`, `CrashConsistent`, as really reached.
    pub consistency: Option<String>,
    /// Where it lies.
    pub tiers: Vec<Tier>,
    /// When it goes. Azure does not say it of every point.
    pub expires: Option<Timestamp>,
    /// Why it stays so long, for example `On-Demand`.
    pub rule: Option<String>,
    /// Whether it was deleted and is kept for some days.
    pub soft_deleted: bool,
}

/// A place where a point lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Which.
    pub kind: TierKind,
    /// Whether the point is there.
    pub status: TierStatus,
}

/// Which tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TierKind {
    /// Snapshots in the machine's subscription.
    InstantRp,
    /// The vault.
    HardenedRp,
    /// The archive: it must be brought back before a restore.
    ArchivedRp,
    /// Anything else.
    Other(String),
}

/// Whether a point is in a tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TierStatus {
    /// It is.
    Valid,
    /// It cannot be used.
    Disabled,
    /// It is not any more.
    Deleted,
    /// Brought back from the archive for a time.
    Rehydrated,
    /// Anything else: not known to be there.
    Other(String),
}

impl VaultPoint {
    /// Whether it lies there and can be used.
    pub fn is_in(&self, kind: &TierKind) -> bool {
        self.tiers.iter().any(|tier| tier.kind == *kind && tier.status == TierStatus::Valid)
    }
}

/// The points of a machine's item, all or between two moments (`RecoveryPoints_List`). A repeat is safe.
///
/// They may be those of another machine that had the same name: a point is this machine's only if it is newer than the machine.
pub async fn list(
    arm: &ArmClient,
    vault: &ResourceId,
    machine: &ResourceId,
    between: Option<(Timestamp, Timestamp)>,
) -> Result<Vec<VaultPoint>, Error> {
    let name = name_of(&LIST, machine)?;
    let filter =
        between.map(|(from, to)| format!("startDate eq '{}' and endDate eq '{}'", filter_time(from), filter_time(to)));
    let query: Vec<(&str, &str)> = filter.iter().map(|filter| ("$filter", filter.as_str())).collect();
    arm.list(&LIST, &parameters(&LIST, vault, &name)?, &query, read).await
}

/// What a point's JSON says; none without its id.
pub(crate) fn read(value: &Value) -> Option<VaultPoint> {
    let id: ResourceId = json::text(value, "/id")?.parse().ok()?;
    Some(VaultPoint {
        name: id.name().to_owned(),
        time: json::time(value, "/properties/recoveryPointTime"),
        consistency: json::filled(value, "/properties/recoveryPointType"),
        tiers: json::list(value, "/properties/recoveryPointTierDetails").iter().map(tier).collect(),
        expires: json::time(value, "/properties/recoveryPointProperties/expiryTime"),
        rule: json::filled(value, "/properties/recoveryPointProperties/ruleName"),
        soft_deleted: json::truth(value, "/properties/recoveryPointProperties/isSoftDeleted").unwrap_or(false),
        id,
    })
}

fn tier(value: &Value) -> Tier {
    let kind = match json::text(value, "/type").unwrap_or_default() {
        text if text.eq_ignore_ascii_case("InstantRP") => TierKind::InstantRp,
        text if text.eq_ignore_ascii_case("HardenedRP") => TierKind::HardenedRp,
        text if text.eq_ignore_ascii_case("ArchivedRP") => TierKind::ArchivedRp,
        other => TierKind::Other(other.to_owned()),
    };
    let status = match json::text(value, "/status").unwrap_or_default() {
        text if text.eq_ignore_ascii_case("Valid") => TierStatus::Valid,
        text if text.eq_ignore_ascii_case("Disabled") => TierStatus::Disabled,
        text if text.eq_ignore_ascii_case("Deleted") => TierStatus::Deleted,
        text if text.eq_ignore_ascii_case("Rehydrated") => TierStatus::Rehydrated,
        other => TierStatus::Other(other.to_owned()),
    };
    Tier { kind, status }
}

#[cfg(test)]
mod tests {
    use super::{TierKind, TierStatus, read};
    use serde_json::json;

    const POINT: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v/backupFabrics/Azure/protectionContainers/c/protectedItems/i/recoveryPoints/22244821112382";

    #[test]
    fn a_point_is_where_its_tier_is_valid() {
        let tiers = json!([
            { "type": "InstantRP", "status": "Deleted" }, { "type": "hardenedrp", "status": "valid" },
            { "type": "ArchivedRP", "status": "Rehydrated" }, { "type": "IA_SNAPSHOT_RP", "status": "Valid" },
        ]);
        let point = read(&json!({ "id": POINT, "properties": { "recoveryPointTierDetails": tiers } })).unwrap();
        assert!(point.is_in(&TierKind::HardenedRp) && point.is_in(&TierKind::Other("IA_SNAPSHOT_RP".to_owned())));
        assert!(!point.is_in(&TierKind::InstantRp) && !point.is_in(&TierKind::ArchivedRp));
        assert_eq!(point.tiers[2].status, TierStatus::Rehydrated);
    }

    #[test]
    fn a_points_expiry_is_read_without_an_offset_and_may_be_missing() {
        let properties = json!({ "recoveryPointProperties": {
            "expiryTime": "2024-05-28T00:00:00.0000000", "ruleName": "On-Demand", "isSoftDeleted": false,
        }});
        let point = read(&json!({ "id": POINT, "properties": properties })).unwrap();
        assert_eq!(point.expires, Some("2024-05-28T00:00:00Z".parse().unwrap()));
        assert_eq!((point.rule.as_deref(), point.soft_deleted), (Some("On-Demand"), false));
        assert_eq!(read(&json!({ "id": POINT })).unwrap().expires, None);
    }
}
