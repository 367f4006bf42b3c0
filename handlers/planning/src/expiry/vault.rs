//! Decides what would make the points of a machine in a vault go, and says all of it for each point.
//! It never lets one go: they are Azure Backup's, no call deletes a single one, and Lifeboat sends nothing that ends protection.
//!
//! ```text
//! item protected        vault policy, a day of its own, the snapshot's days   ─┐
//! item stopped          nothing by itself                                      ├─► and always: whoever deletes the item
//! item suspended        vault policy                                           │   (not in an immutable vault)
//! item soft-deleted     all of it, at the end of the vault's days             ─┘
//! ```

mod reason;
#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};

pub use reason::{Immutability, KeptFor, Retention, VaultReason};

use crate::facts::UnknownBecause;
use crate::facts::vault::ItemState;
use crate::retention::Kind;

/// A machine's item in a vault with its points, as they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultItem {
    /// ARM id of the item.
    pub id: String,
    /// How far its protection is.
    pub state: ItemState,
    /// It was deleted, and Azure told this time of it; the inner `None` where it told none.
    pub deleted: Option<Option<Timestamp>>,
    /// Days that the vault keeps what is deleted; `None` where that is not known.
    pub deleted_kept_days: Option<i64>,
    /// Whether the vault lets anything end early.
    pub immutability: Immutability,
    /// What its vault policy says.
    pub policy: VaultPolicyRead,
    /// When the machine was created; `None` where it is gone or was not read.
    pub machine_created_at: Option<Timestamp>,
    /// Its points, in any order.
    pub points: Vec<VaultPoint>,
}

/// A vault policy, as far as it tells when points go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultPolicyRead {
    /// Read.
    Read {
        /// Its name.
        name: String,
        /// How long it keeps points.
        retention: Retention,
    },
    /// The item has none.
    NotSet,
    /// Nothing may be concluded.
    Unknown(UnknownBecause),
}

/// A point in a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultPoint {
    /// Its name, a number.
    pub name: String,
    /// The moment that it stands for.
    pub at: Option<Timestamp>,
    /// When it goes, where Azure says it of this point.
    pub expires_at: Option<Timestamp>,
    /// The rule that Azure names for that, in its word.
    pub rule: Option<String>,
    /// It was let go and is kept for some days.
    pub soft_deleted: bool,
    /// Where it can be used.
    pub tiers: Tiers,
}

/// The tiers in which a point is valid. Tiers of other names count as none: nothing is known of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tiers {
    /// Snapshots in the machine's subscription.
    pub snapshot: bool,
    /// The vault.
    pub vault: bool,
    /// The archive, or brought back from it for a time.
    pub archive: bool,
}

/// The verdict on a point in a vault: foreign, with all that would make it go and all that keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultVerdict {
    /// Its name in the vault.
    pub name: String,
    /// The moment that it stands for.
    pub at: Option<Timestamp>,
    /// Always foreign: reported, never touched.
    pub kind: Kind,
    /// Every reason, those of the point before those of its item; never none.
    pub reasons: Vec<VaultReason>,
}

/// A verdict for each point of an item, in the order of its points.
pub fn verdicts(item: &VaultItem, now: Timestamp) -> Vec<VaultVerdict> {
    let newest = item.points.iter().filter_map(|point| point.at).max();
    let verdict = |point: &VaultPoint| VaultVerdict {
        name: point.name.clone(),
        at: point.at,
        kind: Kind::Foreign,
        reasons: reasons(item, point, point.at.is_some() && point.at == newest, now),
    };
    item.points.iter().map(verdict).collect()
}

fn reasons(item: &VaultItem, point: &VaultPoint, newest: bool, now: Timestamp) -> Vec<VaultReason> {
    let mut reasons = Vec::from([VaultReason::NotOurs]);
    if let (Some(at), Some(created_at)) = (point.at, item.machine_created_at)
        && at < created_at
    {
        reasons.push(VaultReason::OlderThanMachine);
    }
    if point.soft_deleted && item.deleted.is_none() {
        reasons.push(VaultReason::PointDeleted { days: item.deleted_kept_days });
    }
    let tiers = point.tiers;
    if tiers.archive {
        reasons.push(VaultReason::Archived);
    }
    if !(tiers.snapshot || tiers.vault || tiers.archive) {
        reasons.push(VaultReason::InNoTier);
    }
    of_item(item, &mut reasons, now);
    if prunes(item) {
        by_time(item, point, now, &mut reasons);
        if newest {
            reasons.push(VaultReason::Newest);
        }
    }
    if item.deleted.is_none() {
        reasons.push(match item.immutability {
            Immutability::Off => VaultReason::DeletedWithItem { days: item.deleted_kept_days },
            immutability => VaultReason::Immutable(immutability),
        });
    }
    reasons
}

/// Whether the item's points go by time: not while it is stopped or deleted.
fn prunes(item: &VaultItem) -> bool {
    let stands = matches!(item.state, ItemState::ProtectionStopped | ItemState::ProtectionPaused | ItemState::Other);
    item.deleted.is_none() && !stands
}

/// What the state of the item means for all of its points.
fn of_item(item: &VaultItem, reasons: &mut Vec<VaultReason>, now: Timestamp) {
    if let Some(told) = item.deleted {
        reasons.push(VaultReason::ItemDeleted { ends_at: ends_at(told, item.deleted_kept_days, now) });
        return;
    }
    match item.state {
        ItemState::ProtectionStopped => reasons.push(VaultReason::Stopped),
        ItemState::ProtectionPaused => reasons.push(VaultReason::Paused),
        ItemState::BackupsSuspended => reasons.push(VaultReason::Suspended),
        ItemState::Other => reasons.push(VaultReason::StateUnknown),
        ItemState::IrPending | ItemState::Protected | ItemState::ProtectionError => {}
    }
}

/// When a deleted item is gone for good. *Assumed* (`item-deleted-time`): no source says whether the time that Azure tells is that of
/// the deletion or of the end; one that is past is the former, one to come the latter.
fn ends_at(told: Option<Timestamp>, kept_days: Option<i64>, now: Timestamp) -> Option<Timestamp> {
    let told = told?;
    if told > now {
        return Some(told);
    }
    let kept = SignedDuration::from_hours(24).checked_mul(i32::try_from(kept_days?).ok()?)?;
    told.checked_add(kept).ok()
}

/// What lets the point go when its time has come.
fn by_time(item: &VaultItem, point: &VaultPoint, now: Timestamp, reasons: &mut Vec<VaultReason>) {
    if let Some(at) = point.expires_at {
        let rule = point.rule.clone();
        reasons.push(match at > now {
            true => VaultReason::GoesAt { at, rule },
            false => VaultReason::Outlived { at, rule },
        });
    }
    match &item.policy {
        VaultPolicyRead::Read { name, retention } => {
            if point.tiers.snapshot
                && let Some(days) = retention.snapshot_days
            {
                reasons.push(match point.tiers.vault {
                    true => VaultReason::SnapshotBeside { days },
                    false => VaultReason::SnapshotAlone { days },
                });
            }
            reasons.push(VaultReason::ByVaultPolicy { name: name.clone(), retention: retention.clone() });
        }
        VaultPolicyRead::NotSet => reasons.push(VaultReason::NoVaultPolicy),
        VaultPolicyRead::Unknown(why) => reasons.push(VaultReason::VaultPolicyUnknown(*why)),
    }
}
