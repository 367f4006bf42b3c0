//! Recovery Services vaults and Azure Backup of machines: vaults, vault policies, protectable and protected items, jobs,
//! recovery points.
//! It never backs a machine up by itself but for the schedule of a vault policy, and never loses an item with its machine.
//!
//! ```text
//! item:  PUT ──30 s──► IRPending ──first backup──► Protected ──stop──► ProtectionStopped
//!                          DELETE ──► deferred delete (or gone, where the vault has no soft delete) ──undelete──► ProtectionStopped
//! job:   Take Snapshot ──7.6 min──► Transfer data to vault ──33.6 min──► Completed
//! point: InstantRP ──► InstantRP + HardenedRP ──► HardenedRP
//! ```

pub(crate) mod configs;
mod control;
mod denials;
mod item_body;
pub(crate) mod item_calls;
mod items;
mod job_body;
pub(crate) mod jobs;
pub(crate) mod pending;
pub(crate) mod points;
pub(crate) mod policies;
mod policy_rules;
pub(crate) mod protectable;
pub(crate) mod restores;
pub(crate) mod runs;
mod schedules;
mod seeded;
pub(crate) mod status;
mod steps;
pub(crate) mod vault_calls;
mod views;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::call::Call;
use super::errors::{ArmError, resource_not_found};
use super::graph::{Listed, Table};
use super::ids::{group_id, key, stamp_z};
use super::state::State;

use self::items::Item;
use self::jobs::Job;
use self::pending::Pending;
use self::policies::Policy;
use self::protectable::Discovered;

pub(crate) use self::denials::VaultDenial;
pub(crate) use self::steps::{VaultStep, happen};

pub use self::control::{
    ItemSeed, ItemState, JobFailure, JobOperation, JobPart, PolicySeed, VaultItemView, VaultJobView, VaultPointView,
    VaultSeed,
};

/// The provider's name of the resource.
pub(crate) const KIND: &str = "Microsoft.RecoveryServices/vaults";

/// All vaults, and what the backup service knows beside them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vaults {
    by_key: BTreeMap<String, Vault>,
    pending: BTreeMap<String, Pending>,
    /// Machines that a discovery found, by their keys: each region's vaults show the same ones (recorded: a fresh vault lists
    /// what others had discovered).
    discovered: BTreeMap<String, Discovered>,
    failures: Vec<JobFailure>,
    /// Identifiers in digits that were given away.
    numbered: u64,
}

/// Where a vault is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Provisioning,
    Succeeded,
    Deleting,
}

/// A vault.
#[derive(Clone, Debug)]
pub(crate) struct Vault {
    subscription: String,
    group: String,
    name: String,
    location: String,
    tags: BTreeMap<String, String>,
    sku: Value,
    identity: Value,
    /// The properties that callers write.
    written: Value,
    life: Life,
    changed: Timestamp,
    soft_delete: SoftDelete,
    redundancy: String,
    cross_region: bool,
    /// Whether the backup service has heard of it: only then does the vault tell of soft delete and storage (recorded).
    heard_of: bool,
    /// Whether it takes no more items.
    full: bool,
    policies: BTreeMap<String, Policy>,
    items: BTreeMap<String, Item>,
    jobs: BTreeMap<String, Job>,
    /// The job that runs for an item: there is one at most.
    running: BTreeMap<String, String>,
}

/// What becomes of deleted items.
#[derive(Clone, Debug)]
struct SoftDelete {
    /// `Enabled`, `Disabled` or `AlwaysON`.
    state: String,
    days: i64,
    enhanced: String,
}

impl Life {
    fn word(self) -> &'static str {
        match self {
            Self::Provisioning => "Provisioning",
            Self::Succeeded => "Succeeded",
            Self::Deleting => "Deleting",
        }
    }
}

impl Vault {
    /// A vault as it is at first, with the three vault policies of a fresh one (recorded).
    fn fresh(subscription: &str, group: &str, name: &str, location: &str, now: Timestamp) -> Self {
        Self {
            subscription: subscription.to_owned(),
            group: group.to_owned(),
            name: name.to_owned(),
            location: location.replace(' ', "").to_ascii_lowercase(),
            tags: BTreeMap::new(),
            sku: json!({ "name": "Standard" }),
            identity: Value::Null,
            written: json!({}),
            life: Life::Succeeded,
            changed: now,
            soft_delete: SoftDelete { state: "Enabled".to_owned(), days: 14, enhanced: "Enabled".to_owned() },
            redundancy: "GeoRedundant".to_owned(),
            cross_region: false,
            heard_of: false,
            full: false,
            policies: policies::of_a_fresh_vault(now),
            items: BTreeMap::new(),
            jobs: BTreeMap::new(),
            running: BTreeMap::new(),
        }
    }

    fn id(&self) -> String {
        format!("{}/providers/{KIND}/{}", group_id(&self.subscription, &self.group), self.name)
    }

    /// Machines in it, those whose protection is being set up too.
    fn items_of_policy(&self, policy: &str) -> usize {
        let name = policy.to_ascii_lowercase();
        self.items.values().filter(|item| item.policy.as_deref() == Some(name.as_str())).count()
    }

    /// Whether deleted items are kept for a while.
    fn keeps_deleted(&self) -> bool {
        self.soft_delete.state != "Disabled"
    }

    fn json(&self) -> Value {
        let mut properties = json!({
            "provisioningState": self.life.word(),
            "privateEndpointStateForBackup": "None",
            "privateEndpointStateForSiteRecovery": "None",
            "secureScore": "None",
            "bcdrSecurityLevel": "Poor",
            "publicNetworkAccess": "Enabled",
            "restoreSettings": { "crossSubscriptionRestoreSettings": { "crossSubscriptionRestoreState": "Enabled" } },
        });
        for (name, value) in self.written.as_object().into_iter().flatten() {
            properties[name] = value.clone();
        }
        properties["redundancySettings"] = json!({
            "standardTierStorageRedundancy": self.redundancy,
            "crossRegionRestore": if self.cross_region { "Enabled" } else { "Disabled" },
        });
        if self.heard_of {
            properties["backupStorageVersion"] = json!(if self.jobs.is_empty() { "Unassigned" } else { "V2" });
            properties["securitySettings"] = json!({
                "immutabilitySettings": null,
                "softDeleteSettings": {
                    "softDeleteRetentionPeriodInDays": self.soft_delete.days,
                    "softDeleteState": self.soft_delete.state,
                    "enhancedSecurityState": self.soft_delete.enhanced,
                },
                "multiUserAuthorization": "Disabled",
            });
        }
        let etag = stamp_z(self.changed).replace(':', "%3A");
        let mut body = json!({
            "location": self.location,
            "name": self.name,
            "etag": format!("W/\"datetime'{etag}'\""),
            "properties": properties,
            "id": self.id(),
            "type": KIND,
            "sku": self.sku,
        });
        if !self.tags.is_empty() {
            body["tags"] = json!(self.tags);
        }
        if !self.identity.is_null() {
            body["identity"] = self.identity.clone();
        }
        body
    }
}

/// A row in Resource Graph: of a vault, or of an item.
#[derive(Clone, Debug)]
struct Row(Table, Value);

impl Listed for Row {
    fn table(&self) -> Table {
        self.0
    }

    fn row(&self) -> Value {
        self.1.clone()
    }
}

impl State {
    /// Keeps a vault and tells Resource Graph of it.
    fn keep_vault(&mut self, vault: Vault, now: Timestamp) {
        let mut row = vault.json();
        row["type"] = json!(KIND.to_ascii_lowercase());
        row["resourceGroup"] = json!(vault.group.to_ascii_lowercase());
        row["subscriptionId"] = json!(vault.subscription);
        let id = vault.id();
        self.list(&id, Some(std::sync::Arc::new(Row(Table::Resources, row))), now);
        self.vaults.by_key.insert(key(&id), vault);
    }

    /// Tells Resource Graph how an item is now, or that it is gone (documented: the table `RecoveryServicesResources`).
    fn list_item(&mut self, vault: &str, item: &str, now: Timestamp) {
        let Some(found) = self.vaults.by_key.get(vault) else { return };
        let row = found.items.get(item).filter(|item| item.is_there()).map(|item| {
            let mut row = item.json(found, now);
            row["type"] = json!(row["type"].as_str().unwrap_or_default().to_ascii_lowercase());
            row["resourceGroup"] = json!(found.group.to_ascii_lowercase());
            row["subscriptionId"] = json!(found.subscription);
            row["location"] = json!(found.location);
            std::sync::Arc::new(Row(Table::RecoveryServicesResources, row)) as std::sync::Arc<dyn Listed>
        });
        let native = item.trim_start_matches("vm;");
        let container = format!("{}/backupfabrics/azure/protectioncontainers/iaasvmcontainer;{native}", key(vault));
        self.list(&format!("{container}/protecteditems/{item}"), row, now);
    }

    /// Writes a vault's tags; says whether it is there.
    pub(crate) fn keep_vault_tags(&mut self, vault: &str, tags: BTreeMap<String, String>, now: Timestamp) -> bool {
        let found = self.vaults.by_key.get(vault).cloned();
        found.map(|found| self.keep_vault(Vault { tags, ..found }, now)).is_some()
    }

    /// Takes away what stands in a group.
    pub(crate) fn forget_vaults_below(&mut self, within: &str, now: Timestamp) {
        let gone: Vec<String> = self.vaults.by_key.keys().filter(|key| key.starts_with(within)).cloned().collect();
        gone.iter().for_each(|vault| self.forget_vault(vault, now));
    }

    /// Takes a vault away with all that it held.
    fn forget_vault(&mut self, vault: &str, now: Timestamp) {
        let items = self.vaults.by_key.get_mut(vault).map(|found| std::mem::take(&mut found.items));
        for item in items.unwrap_or_default().keys() {
            self.list_item(vault, item, now);
        }
        self.vaults.by_key.remove(vault);
        self.recovery.forget_below(&format!("{vault}/"));
        self.list(vault, None, now);
    }
}

impl Vaults {
    /// Whether there is a vault of this key.
    pub(crate) fn has(&self, vault: &str) -> bool {
        self.by_key.contains_key(vault)
    }

    /// Whether a vault keeps its group from being deleted: it holds items, deleted ones too.
    pub(crate) fn holds_items_below(&self, within: &str) -> bool {
        self.by_key.iter().any(|(vault, found)| vault.starts_with(within) && !found.items.is_empty())
    }

    /// A vault's tags.
    pub(crate) fn tags(&self, vault: &str) -> Option<&BTreeMap<String, String>> {
        self.by_key.get(vault).map(|found| &found.tags)
    }

    /// The region of a vault.
    pub(crate) fn region(&self, vault: &str) -> Option<&String> {
        self.by_key.get(vault).map(|found| &found.location)
    }

    /// An identifier of fifteen digits, as recovery points and items have them (recorded).
    fn number(&mut self, seed: u64) -> String {
        self.numbered += 1;
        let digits = super::ids::guid_of(seed, "number", &self.numbered.to_string());
        let hex: String = digits.chars().filter(char::is_ascii_hexdigit).take(12).collect();
        let value = u64::from_str_radix(&hex, 16).unwrap_or_default();
        format!("{}", 100_000_000_000_000 + value % 800_000_000_000_000)
    }
}

/// The vault that a call names; the gate has made sure that it is there.
fn vault_of<'a>(state: &'a mut State, call: &Call) -> Result<&'a mut Vault, ArmError> {
    let id = vault_key(call);
    let missing = || resource_not_found(KIND, call.param(2), call.param(1));
    state.vaults.by_key.get_mut(&id).ok_or_else(missing)
}

fn vault_key(call: &Call) -> String {
    key(&format!("{}/providers/{KIND}/{}", group_id(call.param(0), call.param(1)), call.param(2)))
}

/// A length of time as the backup service writes it: `PT1H56M16.9236672S`, `PT0S` (recorded).
fn iso_duration(length: SignedDuration) -> String {
    let ticks = length.max(SignedDuration::ZERO).as_nanos() / 100;
    let (seconds, fraction) = (ticks / 10_000_000, ticks % 10_000_000);
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let mut text = "PT".to_owned();
    if hours > 0 {
        text.push_str(&format!("{hours}H"));
    }
    if minutes > 0 {
        text.push_str(&format!("{minutes}M"));
    }
    if fraction > 0 {
        text.push_str(&format!("{rest}.{}S", format!("{fraction:07}").trim_end_matches('0')));
    } else if rest > 0 || (hours == 0 && minutes == 0) {
        text.push_str(&format!("{rest}S"));
    }
    text
}

/// What `$filter` asks for: pairs of a field in lower case and its value, joined by `and`. *Assumed*
/// (`vault-sim-filter`): that other operators than `eq` are refused.
fn filter_of(call: &Call) -> Result<Vec<(String, String)>, ArmError> {
    let Some(text) = call.query("$filter").filter(|text| !text.trim().is_empty()) else { return Ok(Vec::new()) };
    let unknown = || VaultDenial::FilterUnknown.error(text);
    text.split(" and ")
        .map(|part| {
            let (field, value) = part.trim().split_once(" eq ").ok_or_else(unknown)?;
            Ok((field.trim().to_ascii_lowercase(), value.trim().trim_matches('\'').to_owned()))
        })
        .collect()
}

/// Whether a field has the value that the filter asks for, if it asks.
fn asked(filter: &[(String, String)], field: &str, value: &str) -> bool {
    filter.iter().filter(|(name, _)| name == field).all(|(_, wanted)| wanted.eq_ignore_ascii_case(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_the_recorded_form() {
        let cases = [
            (0, "PT0S"),
            (1_867_431_400, "PT1.8674314S"),
            (458_000_000_000, "PT7M38S"),
            (6_976_923_667_200, "PT1H56M16.9236672S"),
            (3_600_000_000_000, "PT1H"),
        ];
        for (nanoseconds, written) in cases {
            assert_eq!(iso_duration(SignedDuration::from_nanos(nanoseconds)), written);
        }
    }
}
