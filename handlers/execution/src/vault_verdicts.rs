//! Reads a machine's points in vaults, and has it decided what would make each of them go.
//! It never changes anything, and no sweep calls it: it costs some calls for each item, so it is asked for machines that somebody
//! asks about. What may not be read is said, and never taken for *none*.
//!
//! ```text
//! machine ─► vaults of its subscription and region ─► items of each (a list, kept) ─► vault, vault policy, points ─► planning
//! ```

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use lifeboat_azure::error::Gone;
use lifeboat_azure::protected_items::{self, ProtectedItem};
use lifeboat_azure::vault_points::{self, TierKind, TierStatus};
use lifeboat_azure::vaults::Vault;
use lifeboat_azure::{ArmClient, Error, ResourceId, machines, vault_policies, vaults};
use lifeboat_planning::creation::region;
use lifeboat_planning::expiry::vault::{
    self, Immutability, KeptFor, Retention, Tiers, VaultItem, VaultPoint, VaultPolicyRead,
};
pub use lifeboat_planning::expiry::vault::{VaultReason, VaultVerdict};
use lifeboat_planning::facts::UnknownBecause;

use crate::observe_vault::{item_from_azure, unknown};

/// What was read of a machine's points in vaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VaultVerdicts {
    /// Its items, each with a verdict for every point. None: no vault that was read has an item of the machine.
    pub items: Vec<ItemVerdicts>,
    /// What could not be read, so that points may be missing above.
    pub unread: Vec<Unread>,
}

/// A machine's item with a verdict for every point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemVerdicts {
    /// ARM id of the vault.
    pub vault: String,
    /// ARM id of the item.
    pub item: String,
    /// A verdict for every point, as Azure lists them.
    pub verdicts: Vec<VaultVerdict>,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// ARM id of the vault, the item or the machine, or `/subscriptions/<id>` for the list of its vaults.
    pub what: String,
    /// Why.
    pub why: UnknownBecause,
}

/// Reads for one machine after another; lists of vaults and items are read once.
#[derive(Debug)]
pub struct VaultReader<'a> {
    arm: &'a ArmClient,
    vaults: HashMap<String, Result<Vec<Vault>, UnknownBecause>>,
    items: HashMap<String, Result<Vec<ProtectedItem>, UnknownBecause>>,
}

/// The verdicts for one machine, living or gone. Faults that pass are errors; a repeat is safe.
pub async fn of_machine(arm: &ArmClient, machine: &ResourceId, now: Timestamp) -> Result<VaultVerdicts, Error> {
    VaultReader::new(arm).of_machine(machine, now).await
}

impl<'a> VaultReader<'a> {
    /// Nothing is read yet.
    pub fn new(arm: &'a ArmClient) -> Self {
        Self { arm, vaults: HashMap::new(), items: HashMap::new() }
    }

    /// The verdicts for one machine, living or gone. Faults that pass are errors; a repeat is safe.
    pub async fn of_machine(&mut self, machine: &ResourceId, now: Timestamp) -> Result<VaultVerdicts, Error> {
        let mut answer = VaultVerdicts::default();
        // A vault is in its machines' region (documented); of one that is gone every vault of the subscription may have points.
        let (location, created_at) = match machines::get(self.arm, machine).await {
            Ok(read) => (Some(region(&read.location)), read.time_created),
            Err(error) if error.gone().is_some_and(|gone| gone != Gone::Unproven) => (None, None),
            Err(error) => {
                answer.note(machine.as_str(), unknown(error)?);
                (None, None)
            }
        };
        let vaults = match self.vaults(machine.subscription()).await? {
            Ok(vaults) => vaults,
            Err(why) => {
                answer.note(&format!("/subscriptions/{}", machine.subscription()), why);
                return Ok(answer);
            }
        };
        let near = |vault: &&Vault| location.as_ref().is_none_or(|location| region(&vault.location) == *location);
        for vault in vaults.iter().filter(near) {
            let own: Vec<ProtectedItem> = match self.items(&vault.id).await? {
                Ok(all) => all.iter().filter(|item| is_of(item, machine)).cloned().collect(),
                Err(why) => {
                    answer.note(vault.id.as_str(), why);
                    continue;
                }
            };
            for item in own {
                self.of_item(vault, machine, item, (created_at, now), &mut answer).await?;
            }
        }
        Ok(answer)
    }

    /// The verdicts for several machines, each item beside its machine's id; and what could not be read, one line each.
    pub async fn of_all(
        &mut self,
        machines: impl Iterator<Item = &ResourceId>,
        now: Timestamp,
    ) -> Result<(Vec<(String, ItemVerdicts)>, BTreeSet<String>), Error> {
        let (mut found, mut unread) = (Vec::new(), BTreeSet::new());
        for machine in machines {
            let read = self.of_machine(machine, now).await?;
            found.extend(read.items.into_iter().map(|item| (machine.as_str().to_owned(), item)));
            let line = |one: Unread| format!("points in vaults may be missing: {} was not read: {}", one.what, one.why);
            unread.extend(read.unread.into_iter().map(line));
        }
        Ok((found, unread))
    }

    async fn of_item(
        &self,
        vault: &Vault,
        machine: &ResourceId,
        item: ProtectedItem,
        (machine_created_at, now): (Option<Timestamp>, Timestamp),
        answer: &mut VaultVerdicts,
    ) -> Result<(), Error> {
        // The list of vaults has few of their properties.
        let whole = match vaults::get(self.arm, &vault.id).await {
            Ok(whole) => Some(whole),
            Err(error) => unknown(error).map(|_| None)?,
        };
        let policy = self.policy(&vault.id, &item).await?;
        let points = match vault_points::list(self.arm, &vault.id, machine, None).await {
            Ok(points) => points,
            Err(error) => {
                answer.note(item.id.as_str(), unknown(error)?);
                return Ok(());
            }
        };
        let deleted = item.soft_deleted.then_some(item.purged_at);
        let read = item_from_azure(item);
        let seen = VaultItem {
            state: read.state,
            deleted,
            deleted_kept_days: whole.as_ref().and_then(|whole| whole.soft_delete_days),
            immutability: whole.map_or(Immutability::Unknown, |whole| immutability(whole.immutability.as_deref())),
            policy,
            machine_created_at,
            points: points.into_iter().map(point).collect(),
            id: read.id,
        };
        let verdicts = vault::verdicts(&seen, now);
        answer.items.push(ItemVerdicts { vault: vault.id.as_str().to_owned(), item: seen.id, verdicts });
        Ok(())
    }

    async fn policy(&self, vault: &ResourceId, item: &ProtectedItem) -> Result<VaultPolicyRead, Error> {
        let Some(id) = &item.policy else { return Ok(VaultPolicyRead::NotSet) };
        let read = match vault_policies::get(self.arm, vault, id.name()).await {
            Ok(read) => read,
            Err(error) => return Ok(VaultPolicyRead::Unknown(unknown(error)?)),
        };
        let kept = |span: Option<vault_policies::Span>| span.map(|span| KeptFor { count: span.count, unit: span.unit });
        let retention = Retention {
            daily: kept(read.retention.daily),
            weekly: kept(read.retention.weekly),
            monthly: kept(read.retention.monthly),
            yearly: kept(read.retention.yearly),
            snapshot_days: read.instant_days,
        };
        Ok(VaultPolicyRead::Read { name: read.name, retention })
    }

    async fn vaults(&mut self, subscription: &str) -> Result<Result<Vec<Vault>, UnknownBecause>, Error> {
        let key = subscription.to_lowercase();
        if let Some(known) = self.vaults.get(&key) {
            return Ok(known.clone());
        }
        let read = match vaults::list(self.arm, subscription).await {
            Ok(all) => Ok(all),
            Err(error) => Err(unknown(error)?),
        };
        self.vaults.insert(key, read.clone());
        Ok(read)
    }

    /// The items of a vault, the stopped and soft-deleted ones among them.
    async fn items(&mut self, vault: &ResourceId) -> Result<Result<&[ProtectedItem], UnknownBecause>, Error> {
        let key = vault.as_str().to_lowercase();
        if !self.items.contains_key(&key) {
            let read = match protected_items::list(self.arm, vault).await {
                Ok(all) => Ok(all),
                Err(error) => Err(unknown(error)?),
            };
            self.items.insert(key.clone(), read);
        }
        Ok(match self.items.get(&key) {
            Some(Ok(all)) => Ok(all.as_slice()),
            Some(Err(why)) => Err(*why),
            None => Err(UnknownBecause::NotAsked),
        })
    }
}

impl VaultVerdicts {
    fn note(&mut self, what: &str, why: UnknownBecause) {
        self.unread.push(Unread { what: what.to_owned(), why });
    }
}

fn is_of(item: &ProtectedItem, machine: &ResourceId) -> bool {
    item.source.as_ref().and_then(|source| source.machine()) == Some(machine)
}

/// A vault where it was never set says nothing (recorded).
fn immutability(word: Option<&str>) -> Immutability {
    match word {
        None => Immutability::Off,
        Some(word) if word.eq_ignore_ascii_case("Disabled") => Immutability::Off,
        Some(word) if word.eq_ignore_ascii_case("Unlocked") => Immutability::Unlocked,
        Some(word) if word.eq_ignore_ascii_case("Locked") => Immutability::Locked,
        Some(_) => Immutability::Unknown,
    }
}

fn point(read: vault_points::VaultPoint) -> VaultPoint {
    let archive = |tier: &vault_points::Tier| {
        tier.kind == TierKind::ArchivedRp && matches!(tier.status, TierStatus::Valid | TierStatus::Rehydrated)
    };
    let tiers = Tiers {
        snapshot: read.is_in(&TierKind::InstantRp),
        vault: read.is_in(&TierKind::HardenedRp),
        archive: read.tiers.iter().any(archive),
    };
    VaultPoint {
        name: read.name,
        at: read.time,
        expires_at: read.expires,
        rule: read.rule,
        soft_deleted: read.soft_deleted,
        tiers,
    }
}
