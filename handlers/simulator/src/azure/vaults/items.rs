//! Protected items: what a vault knows of a machine, from the first `PUT` until it is purged.
//! It never looks at the machine itself: an item stays when its machine goes (documented), and belongs to its name.

use jiff::Timestamp;
use serde_json::Value;

use super::super::ids::key;
use super::super::state::{State, Step};
use super::points::VaultPoint;
use super::{Vault, VaultStep, schedules};

/// How the machine's name begins in the names of container and item.
pub(super) const NATIVE: &str = "iaasvmcontainerv2";

/// How far protection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// Set up, and not backed up yet.
    Pending,
    Protected,
    Stopped,
}

/// An item.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// `iaasvmcontainerv2;{group};{machine}`, as it was first written.
    pub(super) native: String,
    pub(super) friendly: String,
    pub(super) group: String,
    /// The machine, as it was written.
    pub(super) source: String,
    pub(super) source_key: String,
    /// The vault policy, in lower case; none where protection is stopped.
    pub(super) policy: Option<String>,
    pub(super) protection: Protection,
    /// Whether its first job has ended: before that it is not listed.
    pub(super) set_up: bool,
    /// When it was deleted, and for how many days it is kept.
    pub(super) deleted: Option<(Timestamp, i64)>,
    pub(super) number: String,
    /// When the last backup began, and what came of it.
    pub(super) last_backup: Option<(Timestamp, &'static str)>,
    pub(super) exclusion: Option<Value>,
    pub(super) points: Vec<VaultPoint>,
    /// When backups on demand began lately.
    pub(super) on_demand: Vec<Timestamp>,
    /// When its points are looked at next.
    pub(super) looked_at: Option<Timestamp>,
    /// Counts plans of the next scheduled run: an older plan is void.
    pub(super) turn: u64,
}

impl Protection {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Pending => "IRPending",
            Self::Protected => "Protected",
            Self::Stopped => "ProtectionStopped",
        }
    }
}

impl Item {
    /// An item that is being set up.
    pub(super) fn new(native: &str, source: &str, number: String) -> Self {
        let mut parts = native.split(';').skip(1);
        Self {
            native: native.to_owned(),
            group: parts.next().unwrap_or_default().to_owned(),
            friendly: parts.next().unwrap_or_default().to_owned(),
            source: source.to_owned(),
            source_key: key(source),
            policy: None,
            protection: Protection::Pending,
            set_up: false,
            deleted: None,
            number,
            last_backup: None,
            exclusion: None,
            points: Vec::new(),
            on_demand: Vec::new(),
            looked_at: None,
            turn: 0,
        }
    }

    /// What it is found by in its vault.
    pub(super) fn key(&self) -> String {
        format!("vm;{}", self.native).to_ascii_lowercase()
    }

    /// Whether it is listed.
    pub(super) fn is_there(&self) -> bool {
        self.set_up
    }

    /// Whether its vault policy backs it up.
    pub(super) fn is_backed_up(&self) -> bool {
        self.set_up && self.deleted.is_none() && self.protection != Protection::Stopped
    }

    /// The id of its container.
    pub(super) fn container_id(&self, vault: &Vault) -> String {
        format!("{}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{}", vault.id(), self.native)
    }

    /// Its own id.
    pub(super) fn id(&self, vault: &Vault) -> String {
        format!("{}/protectedItems/VM;{}", self.container_id(vault), self.native)
    }
}

impl Vault {
    /// The job that runs for an item, if any.
    pub(super) fn running_job(&self, item: &str) -> Option<&super::Job> {
        self.jobs.get(self.running.get(item)?)
    }

    /// The body of an item's vault policy.
    pub(super) fn policy_of(&self, item: &Item) -> Option<&super::Policy> {
        self.policies.get(item.policy.as_ref()?)
    }
}

/// Plans the next scheduled run of an item, in place of the one that was planned.
pub(super) fn schedule(state: &mut State, vault: &str, item: &str, now: Timestamp) {
    let Some(found) = state.vaults.by_key.get_mut(vault) else { return };
    let policy = found.items.get(item).filter(|item| item.is_backed_up());
    let policy = policy.and_then(|item| found.policy_of(item)).map(|policy| policy.body.clone());
    let Some(entry) = found.items.get_mut(item) else { return };
    entry.turn += 1;
    let turn = entry.turn;
    if let Some(run) = policy.and_then(|policy| schedules::next_run(&policy, now)) {
        let step = VaultStep::RunDue { vault: vault.to_owned(), item: item.to_owned(), turn };
        state.later(run.at, Step::Vault(step));
    }
}

/// Ends what is kept of a deleted item, unless it came back meanwhile.
pub(super) fn purge(state: &mut State, vault: &str, item: &str, (deleted, at): (Timestamp, Timestamp)) {
    let Some(found) = state.vaults.by_key.get_mut(vault) else { return };
    if found.items.get(item).is_some_and(|item| item.deleted.is_some_and(|(at, _)| at == deleted)) {
        found.items.remove(item);
        state.list_item(vault, item, at);
    }
}
