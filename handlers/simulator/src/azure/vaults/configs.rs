//! What a vault says of its soft delete and of its storage.
//! It never lets the storage change once an item is there.

use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::{ArmError, invalid_parameter};
use super::super::state::State;
use super::{Vault, VaultDenial, vault_of};

/// Days that deleted items may be kept (documented).
const SOFT_DELETE_DAYS: std::ops::RangeInclusive<i64> = 14..=180;

/// `GET …/backupconfig/vaultconfig`.
pub(crate) fn get_vault_config(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let vault = vault_of(state, call)?;
    vault.heard_of = true;
    Ok(Answer::new(200, vault_config(vault)))
}

/// `PUT` and `PATCH …/backupconfig/vaultconfig`: synchronous (recorded). Soft delete can be turned off, as in the recordings,
/// unless it is always on.
pub(crate) fn write_vault_config(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let given = call.object()?["properties"].clone();
    let vault = vault_of(state, call)?;
    vault.heard_of = true;
    if let Some(wanted) = given["softDeleteFeatureState"].as_str() {
        if vault.soft_delete.state == "AlwaysON" && wanted != "AlwaysON" {
            return Err(VaultDenial::BodyUnknown.error("softDeleteFeatureState"));
        }
        wanted.clone_into(&mut vault.soft_delete.state);
    }
    if let Some(days) = given["softDeleteRetentionPeriodInDays"].as_i64() {
        vault.soft_delete.days = days_of_soft_delete(days)?;
    }
    if let Some(enhanced) = given["enhancedSecurityState"].as_str() {
        enhanced.clone_into(&mut vault.soft_delete.enhanced);
    }
    Ok(Answer::new(200, vault_config(vault)))
}

/// `GET …/backupstorageconfig/vaultstorageconfig`.
pub(crate) fn get_storage_config(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    Ok(Answer::new(200, storage_config(vault_of(state, call)?)))
}

/// `PUT` and `PATCH …/backupstorageconfig/vaultstorageconfig`: 200 and 204 (documented); refused once an item is there.
pub(crate) fn write_storage_config(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let given = call.object()?["properties"].clone();
    let vault = vault_of(state, call)?;
    let wanted = given["storageModelType"].as_str().or_else(|| given["storageType"].as_str());
    if let Some(wanted) = wanted.filter(|wanted| *wanted != vault.redundancy) {
        if vault.items.values().any(|item| item.is_there()) {
            return Err(VaultDenial::StorageLocked.error(&vault.name));
        }
        wanted.clone_into(&mut vault.redundancy);
    }
    if let Some(crosses) = given["crossRegionRestoreFlag"].as_bool() {
        vault.cross_region = crosses;
    }
    let body = storage_config(vault);
    Ok(if call.method == "PATCH" { Answer::empty(204) } else { Answer::new(200, body) })
}

/// A number of days, if deleted items may be kept so long.
pub(super) fn days_of_soft_delete(days: i64) -> Result<i64, ArmError> {
    let wrong = || invalid_parameter("softDeleteRetentionPeriodInDays", "From 14 to 180 days are expected.");
    SOFT_DELETE_DAYS.contains(&days).then_some(days).ok_or_else(wrong)
}

fn vault_config(vault: &Vault) -> Value {
    json!({
        "id": format!("{}/backupconfig/vaultconfig", vault.id()),
        "name": "vaultconfig",
        "type": "Microsoft.RecoveryServices/vaults/backupconfig",
        "properties": {
            "enhancedSecurityState": vault.soft_delete.enhanced,
            "softDeleteFeatureState": vault.soft_delete.state,
            "softDeleteRetentionPeriodInDays": vault.soft_delete.days,
            "isSoftDeleteFeatureStateEditable": vault.soft_delete.state != "AlwaysON",
        },
    })
}

fn storage_config(vault: &Vault) -> Value {
    let locked = vault.items.values().any(|item| item.is_there());
    json!({
        "id": format!("{}/backupstorageconfig/vaultstorageconfig", vault.id()),
        "name": "vaultstorageconfig",
        "type": "Microsoft.RecoveryServices/vaults/backupstorageconfig",
        "properties": {
            "storageModelType": vault.redundancy,
            "storageType": vault.redundancy,
            "storageTypeState": if locked { "Locked" } else { "Unlocked" },
            "crossRegionRestoreFlag": vault.cross_region,
        },
    })
}
