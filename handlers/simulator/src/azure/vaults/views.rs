//! What a test sees of vaults: their items, jobs and points.
//! It never changes anything.

use super::super::Arm;
use super::Vault;
use super::control::{VaultItemView, VaultJobView, VaultPointView};
use super::items::Item;

impl Arm {
    /// All items of all vaults.
    pub fn vault_items(&self) -> Vec<VaultItemView> {
        self.over_items(|vault, item| {
            vec![VaultItemView {
                id: item.id(vault),
                vault: vault.id(),
                machine: item.source.clone(),
                policy: vault.policy_of(item).map(|policy| policy.name.clone()).unwrap_or_default(),
                protection: item.protection.word().to_owned(),
                soft_deleted: item.deleted.is_some(),
                last_backup: item.last_backup.map(|(at, _)| at),
                points: item.points.len(),
            }]
        })
    }

    /// All jobs of all vaults, oldest first.
    pub fn vault_jobs(&self) -> Vec<VaultJobView> {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        let mut jobs: Vec<VaultJobView> = Vec::new();
        for vault in state.vaults.by_key.values() {
            jobs.extend(vault.jobs.values().map(|job| VaultJobView {
                id: job.id.clone(),
                vault: vault.id(),
                machine: job.friendly.clone(),
                operation: job.work.operation(),
                status: job.status().to_owned(),
                started: job.started,
                ended: job.ended.map(|(at, _)| at),
                errors: job.errors.iter().map(|error| error.title.clone()).collect(),
            }));
        }
        jobs.sort_by(|one, other| (one.started, &one.id).cmp(&(other.started, &other.id)));
        jobs
    }

    /// All recovery points of all items.
    pub fn vault_points(&self) -> Vec<VaultPointView> {
        let now = self.clock.now();
        self.over_items(|vault, item| {
            let policy = vault.policy_of(item).map(|policy| &policy.body);
            let view = |point: &super::points::VaultPoint| VaultPointView {
                name: point.name.clone(),
                item: item.id(vault),
                machine: item.source.clone(),
                time: point.time,
                kept_until: point.kept_until(policy).0,
                consistency: point.consistency.to_owned(),
                tiers: point.tiers(now).into_iter().map(str::to_owned).collect(),
            };
            item.points.iter().map(view).collect()
        })
    }

    fn over_items<T>(&self, look: impl Fn(&Vault, &Item) -> Vec<T>) -> Vec<T> {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        let vaults = state.vaults.by_key.values();
        vaults
            .flat_map(|vault| {
                vault
                    .items
                    .values()
                    .filter(|item| item.is_there())
                    .flat_map(|item| look(vault, item))
                    .collect::<Vec<T>>()
            })
            .collect()
    }
}
