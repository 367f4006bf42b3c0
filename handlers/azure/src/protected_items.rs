//! The items of a vault: machines that are, were or will be protected in it (Microsoft.RecoveryServices 2025-02-01,
//! `bms.json`).
//!
//! It never stops, deletes or revives one, and never calls a machine protected: an item of a machine that had the same name
//! protects nothing, and one without a point neither.
//!
//! ```text
//! enable ─► IRPending ─► Protected ─► ProtectionStopped, BackupsSuspended, ProtectionPaused (a person's doing)
//!                        ProtectionError       └─► soft-deleted: the state stays, a flag is added
//! ```

use crate::{
    arm::ArmClient,
    error::{Error, ErrorKind},
    id::ResourceId,
    json,
    operations::{BACKUP, Harm, Operation},
    said, vaults,
};
use jiff::Timestamp;
use serde_json::Value;

/// Reading an item.
pub const GET: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}/backupFabrics/{fabricName}/protectionContainers/{containerName}/protectedItems/{protectedItemName}",
    api_version: BACKUP.0,
    document: BACKUP.1,
    harm: Harm::Nothing,
    evidence: &["item-get", "item-name", "item-states", "item-times", "item-soft-deleted", "arm-never"],
};

/// Listing the items of a vault.
pub const LIST: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/backupProtectedItems/read",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}/backupProtectedItems",
    evidence: &[
        "item-list",
        "item-states",
        "item-times",
        "item-soft-deleted",
        "item-deleted-time",
        "arm-next-link",
        "arm-never",
    ],
    ..GET
};

/// The fabric of everything that is in Azure.
pub(crate) const FABRIC: &str = "Azure";
const FILTER: (&str, &str) = ("$filter", "backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'");

/// The names that a machine's item has in every vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemName {
    /// The container's.
    pub container: String,
    /// The item's.
    pub item: String,
}

/// What an item is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A machine.
    Machine(ResourceId),
    /// Something else, for example a machine of the classic kind.
    Other(String),
}

/// An item. Azure's times for *never* are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedItem {
    /// Its id.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// What it is of.
    pub source: Option<Source>,
    /// The machine's name.
    pub friendly_name: Option<String>,
    /// Where it is in its life.
    pub state: ItemState,
    /// `Healthy` or not, of the last backup.
    pub status: Option<String>,
    /// `Passed`, `ActionRequired`, `ActionSuggested`.
    pub health: Option<String>,
    /// What its health rests on.
    pub health_details: Vec<HealthDetail>,
    /// When the last backup began, well or not.
    pub last_backup: Option<Timestamp>,
    /// For example `Completed`.
    pub last_backup_status: Option<String>,
    /// The moment that its newest point stands for.
    pub last_point: Option<Timestamp>,
    /// Its vault policy; none while it is stopped.
    pub policy: Option<ResourceId>,
    /// The vault policy's name.
    pub policy_name: Option<String>,
    /// Whether it is deleted and kept for some days: it takes no backup and gives none back until a person undeletes it.
    pub soft_deleted: bool,
    /// The time that Azure tells of its deletion or of its end: `item-deleted-time`.
    pub purged_at: Option<Timestamp>,
}

/// Where an item is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// Enabled, without a backup yet.
    IrPending,
    /// Enabled, with a backup.
    Protected,
    /// Enabled; backups fail.
    ProtectionError,
    /// Stopped by somebody; its points stay.
    ProtectionStopped,
    /// Paused.
    ProtectionPaused,
    /// Suspended in an immutable vault: its points go by the vault policy.
    BackupsSuspended,
    /// Azure says that it does not know.
    Invalid,
    /// Anything else: not known to be protected.
    Other(String),
}

/// What a part of an item's health is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthDetail {
    /// Its number, for example 400239.
    pub code: Option<i64>,
    /// For example `IaasVmHealthGreenDefault`.
    pub title: Option<String>,
    /// Bounded and cleaned.
    pub message: Option<String>,
    /// Azure's advice, bounded and cleaned.
    pub recommendations: Vec<String>,
}

impl ItemName {
    /// The names of a machine's container and item; none if it is no machine in a group. Azure writes group and machine in
    /// lower case, whatever their case is.
    pub fn of(machine: &ResourceId) -> Option<Self> {
        if !machine.is("Microsoft.Compute/virtualMachines") || machine.resource_group().is_empty() {
            return None;
        }
        let unique = format!("iaasvmcontainerv2;{};{}", machine.resource_group(), machine.name()).to_lowercase();
        Some(Self { container: format!("IaasVMContainer;{unique}"), item: format!("VM;{unique}") })
    }

    /// Whether a container's name, as items, jobs and statuses write it, is the one of this item. Some leave its first part out.
    pub fn is_in(&self, container: &str) -> bool {
        let unique = |name: &str| {
            let name = name.to_lowercase();
            name.strip_prefix("iaasvmcontainer;").map(str::to_owned).unwrap_or(name)
        };
        unique(&self.container) == unique(container)
    }
}

impl Source {
    /// The machine, if it is one.
    pub fn machine(&self) -> Option<&ResourceId> {
        match self {
            Self::Machine(id) => Some(id),
            Self::Other(_) => None,
        }
    }
}

/// The items of a vault for machines, the stopped and soft-deleted ones among them (`BackupProtectedItems_List`). A repeat is
/// safe.
pub async fn list(arm: &ArmClient, vault: &ResourceId) -> Result<Vec<ProtectedItem>, Error> {
    arm.list(&LIST, &vaults::parameters(&LIST, vault)?, &[FILTER], read).await
}

/// A machine's item in a vault (`ProtectedItems_Get`). A repeat is safe.
///
/// The name knows no machine from another that had the same name: [`ProtectedItem::source`] does not either.
pub async fn get(arm: &ArmClient, vault: &ResourceId, machine: &ResourceId) -> Result<ProtectedItem, Error> {
    let name = name_of(&GET, machine)?;
    let value = arm.get(&GET, &parameters(&GET, vault, &name)?, &[]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, NO_ID))
}

pub(crate) const NO_ID: &str = "an item without its id";

pub(crate) fn name_of(operation: &'static Operation, machine: &ResourceId) -> Result<ItemName, Error> {
    let refused = || Error::because(ErrorKind::Refused, operation.action, "not the id of a machine");
    ItemName::of(machine).ok_or_else(refused)
}

/// The parameters of an operation on an item.
pub(crate) fn parameters<'a>(
    operation: &'static Operation,
    vault: &'a ResourceId,
    name: &'a ItemName,
) -> Result<[&'a str; 6], Error> {
    let [subscription, group, vault] = vaults::parameters(operation, vault)?;
    Ok([subscription, group, vault, FABRIC, &name.container, &name.item])
}

/// What an item's JSON says; none without its id.
pub(crate) fn read(value: &Value) -> Option<ProtectedItem> {
    let id: ResourceId = json::text(value, "/id")?.parse().ok()?;
    let source_of = |pointer| source(value, pointer);
    Some(ProtectedItem {
        name: id.name().to_owned(),
        source: source_of("/properties/sourceResourceId").or_else(|| source_of("/properties/virtualMachineId")),
        friendly_name: json::filled(value, "/properties/friendlyName"),
        state: state(json::text(value, "/properties/protectionState").unwrap_or_default()),
        status: json::filled(value, "/properties/protectionStatus"),
        health: json::filled(value, "/properties/healthStatus"),
        health_details: json::list(value, "/properties/healthDetails").iter().map(health_detail).collect(),
        last_backup: json::time(value, "/properties/lastBackupTime"),
        last_backup_status: json::filled(value, "/properties/lastBackupStatus"),
        last_point: json::time(value, "/properties/lastRecoveryPoint"),
        policy: json::id(value, "/properties/policyId"),
        policy_name: json::filled(value, "/properties/policyName"),
        soft_deleted: json::truth(value, "/properties/isScheduledForDeferredDelete").unwrap_or(false),
        purged_at: json::time(value, "/properties/deferredDeleteTimeInUTC"),
        id,
    })
}

/// What stands at a pointer as the source of an item; none where nothing stands there.
pub(crate) fn source(value: &Value, pointer: &str) -> Option<Source> {
    let text = json::filled(value, pointer)?;
    let machine = text.parse().ok().filter(|id: &ResourceId| id.is("Microsoft.Compute/virtualMachines"));
    Some(machine.map_or(Source::Other(text), Source::Machine))
}

fn state(text: &str) -> ItemState {
    match text {
        _ if text.eq_ignore_ascii_case("IRPending") => ItemState::IrPending,
        _ if text.eq_ignore_ascii_case("Protected") => ItemState::Protected,
        _ if text.eq_ignore_ascii_case("ProtectionError") => ItemState::ProtectionError,
        _ if text.eq_ignore_ascii_case("ProtectionStopped") => ItemState::ProtectionStopped,
        _ if text.eq_ignore_ascii_case("ProtectionPaused") => ItemState::ProtectionPaused,
        _ if text.eq_ignore_ascii_case("BackupsSuspended") => ItemState::BackupsSuspended,
        _ if text.eq_ignore_ascii_case("Invalid") => ItemState::Invalid,
        other => ItemState::Other(other.to_owned()),
    }
}

fn health_detail(value: &Value) -> HealthDetail {
    HealthDetail {
        code: json::number(value, "/code"),
        title: json::string(value, "/title"),
        message: json::words(value, "/message"),
        recommendations: json::texts(value, "/recommendations").iter().map(|text| said::clean(text)).collect(),
    }
}

#[cfg(test)]
mod tests;
