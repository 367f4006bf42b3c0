//! What happens to vaults and in them at a later moment.
//! It never decides anything: each step is handed to the file of what it is about.

use jiff::Timestamp;

use super::super::state::State;
use super::{Life, items, jobs, points, protectable, runs};

/// A later step, with the keys of what it is about.
#[derive(Clone, Debug)]
pub(crate) enum VaultStep {
    /// A vault is there.
    Made { vault: String },
    /// A vault's deletion has succeeded, and ARM still knows its name.
    Deleted { vault: String },
    /// ARM no longer knows a vault.
    Forgotten { vault: String },
    /// An operation has ended: nothing else happens, but a driver that jumps from event to event stops here.
    OperationEnds,
    /// A discovery of machines ends.
    Discovers { vault: String },
    /// A job comes to its next part, or to its end.
    JobMoves { vault: String, job: String },
    /// The vault policy's time has come for an item.
    RunDue { vault: String, item: String, turn: u64 },
    /// Points of an item may have outlived their retention.
    PointsExpire { vault: String, item: String },
    /// A deleted item's time is over.
    Purged { vault: String, item: String, deleted: Timestamp },
}

impl VaultStep {
    /// The entries that steps rest on.
    pub(crate) const EVIDENCE: [&'static str; 7] = [
        "vault-sim-discovery",
        "vault-sim-put",
        "vault-sim-delete",
        "vault-sim-job",
        "vault-sim-schedule",
        "vault-sim-retention",
        "vault-sim-soft-delete",
    ];

    /// The entry that this one rests on.
    pub(crate) fn evidence(&self) -> &'static str {
        match self {
            Self::Made { .. } => "vault-sim-put",
            Self::Deleted { .. } | Self::Forgotten { .. } => "vault-sim-delete",
            Self::Discovers { .. } => "vault-sim-discovery",
            Self::OperationEnds | Self::JobMoves { .. } => "vault-sim-job",
            Self::RunDue { .. } => "vault-sim-schedule",
            Self::PointsExpire { .. } => "vault-sim-retention",
            Self::Purged { .. } => "vault-sim-soft-delete",
        }
    }
}

/// Lets a step happen.
pub(crate) fn happen(state: &mut State, step: VaultStep, at: Timestamp) {
    match step {
        VaultStep::Made { vault } => {
            if let Some(mut found) =
                state.vaults.by_key.get(&vault).filter(|one| one.life == Life::Provisioning).cloned()
            {
                (found.life, found.changed, found.heard_of) = (Life::Succeeded, at, true);
                state.keep_vault(found, at);
            }
        }
        VaultStep::Deleted { vault } => {
            if state.vaults.has(&vault) {
                state.list(&vault, None, at);
            }
        }
        VaultStep::Forgotten { vault } => {
            if state.vaults.by_key.get(&vault).is_some_and(|found| found.life == Life::Deleting) {
                state.forget_vault(&vault, at);
            }
        }
        VaultStep::OperationEnds => {}
        VaultStep::Discovers { vault } => protectable::discovers(state, &vault),
        VaultStep::JobMoves { vault, job } => jobs::moves(state, &vault, &job, at),
        VaultStep::RunDue { vault, item, turn } => runs::due(state, &vault, &item, turn, at),
        VaultStep::PointsExpire { vault, item } => points::expire(state, &vault, &item, at),
        VaultStep::Purged { vault, item, deleted } => items::purge(state, &vault, &item, (deleted, at)),
    }
}
