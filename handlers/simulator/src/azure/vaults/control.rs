//! What a test or the tour does to vaults past HTTP, tokens and budgets, and what it sees of them.
//! It never does what somebody with rights in Azure could not have done, but for jobs that fail on order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::Arm;
use super::super::ids::{ResourceId, key};
use super::items::{self, Item, NATIVE, Protection};
use super::jobs::{Job, JobError, Outcome};
use super::points::{self, of_old};
use super::{Policy, Vault, Vaults, policy_rules, seeded};

/// A vault to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VaultSeed {
    /// The subscription's GUID.
    pub subscription: String,
    /// The resource group; made where there is none.
    pub group: String,
    /// The name.
    pub name: String,
    /// The region.
    pub location: String,
    /// Whether deleted items are kept for 14 days.
    pub keeps_deleted: bool,
}

/// A vault policy to be: daily, in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicySeed {
    /// The name.
    pub name: String,
    /// When it runs, as `02:00`.
    pub time: String,
    /// Days that points are kept.
    pub days: u32,
    /// Days that snapshots stay beside the copies in the vault.
    pub instant_days: u32,
}

/// Where an item is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ItemState {
    /// Set up and not backed up yet: `IRPending`.
    Pending,
    /// Backed up.
    Protected,
    /// Stopped by somebody, with its points.
    Stopped,
    /// Deleted and kept for a while.
    SoftDeleted,
}

/// An item to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemSeed {
    /// The machine's id; the machine need not be there.
    pub machine: String,
    /// The vault policy's name; `DefaultPolicy` in a fresh vault.
    pub policy: String,
    /// Where it is in its life.
    pub state: ItemState,
    /// When its points were made.
    #[serde(default)]
    pub points: Vec<Timestamp>,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobOperation {
    /// Sets protection up or changes it.
    ConfigureBackup,
    /// Stops protection and keeps the points.
    DisableBackup,
    /// Deletes an item.
    DeleteBackupData,
    /// Brings a deleted item back.
    Undelete,
    /// Backs a machine up.
    Backup,
    /// Restores disks.
    Restore,
}

/// A part of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobPart {
    /// Jobs that have one part.
    Whole,
    /// "Take Snapshot".
    Snapshot,
    /// "Transfer data to vault".
    Transfer,
}

/// An order: jobs that match fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobFailure {
    /// The machine's id; any where left out.
    #[serde(default)]
    pub machine: Option<String>,
    /// Which jobs.
    pub operation: JobOperation,
    /// In which part.
    pub part: JobPart,
    /// The number in `errorCode`.
    pub code: i64,
    /// The name in `errorTitle`, as `UserErrorGuestAgentStatusUnavailable`.
    pub title: String,
    /// The text in `errorString`.
    pub message: String,
    /// The texts in `recommendations`.
    #[serde(default)]
    pub recommendations: Vec<String>,
    /// Whether the job goes on and ends as `CompletedWithWarnings`. Only backups do.
    #[serde(default)]
    pub only_warns: bool,
    /// How many jobs; all where left out.
    #[serde(default)]
    pub times: Option<u32>,
}

/// An item as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VaultItemView {
    /// Its id.
    pub id: String,
    /// The vault's id.
    pub vault: String,
    /// The machine's id, as it was written.
    pub machine: String,
    /// The vault policy's name; empty where it has none.
    pub policy: String,
    /// `IRPending`, `Protected` or `ProtectionStopped`.
    pub protection: String,
    /// Whether it is deleted and kept for a while.
    pub soft_deleted: bool,
    /// When its last backup began.
    pub last_backup: Option<Timestamp>,
    /// How many points it has.
    pub points: usize,
}

/// A job as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VaultJobView {
    /// Its name.
    pub id: String,
    /// The vault's id.
    pub vault: String,
    /// The machine's name.
    pub machine: String,
    /// What it does.
    pub operation: JobOperation,
    /// `InProgress`, `Completed`, `CompletedWithWarnings`, `Failed` or `Cancelled`.
    pub status: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The titles of its errors.
    pub errors: Vec<String>,
}

/// A recovery point as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VaultPointView {
    /// Its name, in digits.
    pub name: String,
    /// The item's id.
    pub item: String,
    /// The machine's id.
    pub machine: String,
    /// When it was made.
    pub time: Timestamp,
    /// Until when it is kept as things stand.
    pub kept_until: Timestamp,
    /// `AppConsistent`, `FileSystemConsistent` or `CrashConsistent`.
    pub consistency: String,
    /// The tiers that it is in: `InstantRP`, `HardenedRP`.
    pub tiers: Vec<String>,
}

impl JobOperation {
    /// As a job writes it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::ConfigureBackup => "ConfigureBackup",
            Self::DisableBackup => "DisableBackup",
            Self::DeleteBackupData => "DeleteBackupData",
            Self::Undelete => "Undelete",
            Self::Backup => "Backup",
            Self::Restore => "Restore",
        }
    }
}

impl VaultSeed {
    /// A vault that keeps deleted items, as Azure's are at first.
    pub fn new(subscription: &str, group: &str, name: &str, location: &str) -> Self {
        Self {
            subscription: subscription.to_owned(),
            group: group.to_owned(),
            name: name.to_owned(),
            location: location.to_owned(),
            keeps_deleted: true,
        }
    }
}

impl Vaults {
    /// The failure on order that strikes a job in this part, and what comes of the job.
    pub(super) fn ordered(&mut self, vault: &str, job: &Job, part: JobPart) -> Option<(JobError, Outcome)> {
        let source = self.by_key.get(vault)?.items.get(&job.item)?.source_key.clone();
        let strikes = |one: &&mut JobFailure| {
            one.operation == job.work.operation()
                && one.part == part
                && one.times != Some(0)
                && one.machine.as_ref().is_none_or(|machine| key(machine) == source)
        };
        let order = self.failures.iter_mut().find(strikes)?;
        order.times = order.times.map(|left| left.saturating_sub(1));
        let outcome = if order.only_warns { Outcome::WithWarnings } else { Outcome::Failed };
        let (title, text, cures) = (order.title.clone(), order.message.clone(), order.recommendations.clone());
        Some((JobError { code: order.code, title, text, cures }, outcome))
    }
}

impl Arm {
    /// Puts a vault there, with the three vault policies of a fresh one. Answers its id.
    pub fn add_vault(&self, seed: &VaultSeed) -> String {
        let now = self.clock.now();
        let mut state = self.state();
        state.ensure_group(&seed.subscription, &seed.group, &seed.location, now);
        let mut vault = Vault::fresh(&seed.subscription, &seed.group, &seed.name, &seed.location, now);
        if !seed.keeps_deleted {
            "Disabled".clone_into(&mut vault.soft_delete.state);
        }
        vault.heard_of = true;
        let id = vault.id();
        state.keep_vault(vault, now);
        id
    }

    /// Puts a vault policy into a vault, in place of one of its name. Answers its id.
    pub fn add_vault_policy(&self, vault: &str, seed: &PolicySeed) -> Result<String, String> {
        let body = seeded::policy_body(&seed.time, seed.days, seed.instant_days);
        self.write_vault_policy(vault, &seed.name, &body)
    }

    /// Puts a vault policy of these properties into a vault, under the rules for a `PUT`.
    pub fn write_vault_policy(&self, vault: &str, name: &str, properties: &Value) -> Result<String, String> {
        let body = policy_rules::checked(properties).map_err(|refusal| refusal.message)?;
        let now = self.clock.now();
        let mut state = self.state();
        let found = state.vaults.by_key.get_mut(&key(vault)).ok_or_else(|| format!("{vault} is not there"))?;
        let place = name.to_ascii_lowercase();
        found.policies.insert(place.clone(), Policy { name: name.to_owned(), body });
        let using = |item: &&Item| item.policy.as_ref() == Some(&place);
        let affected: Vec<String> = found.items.values().filter(using).map(Item::key).collect();
        let id = format!("{}/backupPolicies/{name}", found.id());
        for item in affected {
            items::schedule(&mut state, &key(vault), &item, now);
            points::plan_expiry(&mut state, &key(vault), &item, now);
        }
        drop(state);
        self.after_change();
        Ok(id)
    }

    /// Puts an item into a vault, in place of the one that is there. Answers its id. Needs a tokio runtime.
    pub fn seed_item(&self, vault: &str, seed: &ItemSeed) -> Result<String, String> {
        let now = self.clock.now();
        let machine = ResourceId::parse(&seed.machine).ok_or_else(|| format!("{} is no id", seed.machine))?;
        let mut state = self.state();
        state.settle(now);
        let numbers: Vec<String> = (0..=seed.points.len())
            .map(|_| {
                let base = state.seed;
                state.vaults.number(base)
            })
            .collect();
        let living = state.machines.get(&key(&seed.machine)).cloned();
        let found = state.vaults.by_key.get_mut(&key(vault)).ok_or_else(|| format!("{vault} is not there"))?;
        let policy = found.policies.get(&seed.policy.to_ascii_lowercase());
        let instant = policy.ok_or_else(|| format!("{} is not there", seed.policy))?.instant_days();
        let native = format!("{NATIVE};{};{}", machine.group, machine.name());
        let mut item = Item::new(&native, &seed.machine, numbers[0].clone());
        (item.set_up, item.policy) = (true, Some(seed.policy.to_ascii_lowercase()));
        for (time, name) in seed.points.iter().zip(&numbers[1..]) {
            item.points.push(of_old(name.clone(), *time, living.as_deref(), instant));
            item.last_backup = Some((*time, "Completed"));
        }
        let (id, place) = (item.id(found), item.key());
        found.items.insert(place.clone(), item);
        let days = found.soft_delete.days;
        if let Some(item) = found.items.get_mut(&place) {
            enter(item, seed.state, (now, days));
        }
        items::schedule(&mut state, &key(vault), &place, now);
        points::plan_expiry(&mut state, &key(vault), &place, now);
        state.list_item(&key(vault), &place, now);
        drop(state);
        self.after_change();
        Ok(id)
    }

    /// Somebody stops, deletes or brings back an item, at once and without a job. Needs a tokio runtime.
    pub fn set_item_state(&self, item: &str, wanted: ItemState, policy: Option<&str>) -> Result<(), String> {
        let now = self.clock.now();
        let (vault, place) = self.place_of(item)?;
        {
            let mut state = self.state();
            state.settle(now);
            let found = state.vaults.by_key.get_mut(&vault).ok_or_else(|| format!("{vault} is not there"))?;
            let days = found.soft_delete.days;
            let entry = found.items.get_mut(&place).ok_or_else(|| format!("{item} is not there"))?;
            if let Some(policy) = policy {
                entry.policy = Some(policy.to_ascii_lowercase());
            }
            enter(entry, wanted, (now, days));
            items::schedule(&mut state, &vault, &place, now);
            state.list_item(&vault, &place, now);
        }
        self.after_change();
        Ok(())
    }

    /// Takes an item away behind everybody's back, with its points.
    pub fn remove_item(&self, item: &str) -> Result<(), String> {
        let (vault, place) = self.place_of(item)?;
        let now = self.clock.now();
        let mut state = self.state();
        let removed = state.vaults.by_key.get_mut(&vault).and_then(|found| found.items.remove(&place));
        state.list_item(&vault, &place, now);
        removed.map(drop).ok_or_else(|| format!("{item} is not there"))
    }

    /// Orders jobs to fail. Of several orders that match a job the first one strikes.
    pub fn order_job_failure(&self, failure: JobFailure) {
        self.state().vaults.failures.push(failure);
    }

    /// Takes back all orders for jobs to fail.
    pub fn clear_job_failures(&self) {
        self.state().vaults.failures.clear();
    }

    /// Says whether a vault takes no more items; answers whether it is there.
    pub fn set_vault_full(&self, vault: &str, full: bool) -> bool {
        let mut state = self.state();
        state.vaults.by_key.get_mut(&key(vault)).map(|found| found.full = full).is_some()
    }

    /// Lets the backup service find the machines of a subscription in a region, as it does on its own some time.
    pub fn discover_machines(&self, subscription: &str, region: &str) {
        self.state().discover(subscription, region);
    }

    fn place_of(&self, item: &str) -> Result<(String, String), String> {
        let parsed = ResourceId::parse(item).filter(|id| id.path.len() == 4);
        let parsed = parsed.ok_or_else(|| format!("{item} is not the id of an item"))?;
        let vault = key(item).split("/backupfabrics/").next().unwrap_or_default().to_owned();
        Ok((vault, parsed.name().to_ascii_lowercase()))
    }
}

/// Brings an item into a state.
fn enter(item: &mut Item, state: ItemState, deleted: (Timestamp, i64)) {
    item.deleted = (state == ItemState::SoftDeleted).then_some(deleted);
    item.protection = match state {
        ItemState::Pending => Protection::Pending,
        ItemState::Protected => Protection::Protected,
        ItemState::Stopped | ItemState::SoftDeleted => Protection::Stopped,
    };
    if item.protection == Protection::Stopped {
        item.policy = None;
    }
}
