//! What would make a point in a vault go, and what keeps it: each a value, told in words.
//! It never decides; what a vault policy says is repeated in its own counts and units.

use alloc::string::String;
use core::fmt;
use jiff::Timestamp;

use crate::facts::UnknownBecause;

/// A reason about a point in a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultReason {
    /// Azure Backup made it.
    NotOurs,
    /// It is of another machine that had the name.
    OlderThanMachine,
    /// It was let go, and is kept for some days.
    PointDeleted {
        /// How many, where known.
        days: Option<i64>,
    },
    /// It lies in the archive.
    Archived,
    /// It can be used in no tier that is known.
    InNoTier,
    /// Its item was deleted.
    ItemDeleted {
        /// When all of it is gone for good, where that is known.
        ends_at: Option<Timestamp>,
    },
    /// Somebody stopped protection and kept the points.
    Stopped,
    /// Somebody paused protection.
    Paused,
    /// Somebody suspended backups.
    Suspended,
    /// The item is in a state that is not known.
    StateUnknown,
    /// Azure says when it goes.
    GoesAt {
        /// When.
        at: Timestamp,
        /// By which rule, in Azure's word.
        rule: Option<String>,
    },
    /// Azure said when it would go, and that has passed.
    Outlived {
        /// When.
        at: Timestamp,
        /// By which rule, in Azure's word.
        rule: Option<String>,
    },
    /// Its snapshot goes by days; the copy in the vault stays.
    SnapshotBeside {
        /// How many.
        days: i64,
    },
    /// It is a snapshot only, and goes by days.
    SnapshotAlone {
        /// How many.
        days: i64,
    },
    /// What the vault policy keeps.
    ByVaultPolicy {
        /// Its name.
        name: String,
        /// How long.
        retention: Retention,
    },
    /// The item has no vault policy.
    NoVaultPolicy,
    /// The vault policy is not known.
    VaultPolicyUnknown(UnknownBecause),
    /// It is the newest of its item.
    Newest,
    /// It goes when somebody deletes its item.
    DeletedWithItem {
        /// Days that the vault keeps what is deleted, where known.
        days: Option<i64>,
    },
    /// The vault lets nothing end early, or it is not known that it does.
    Immutable(Immutability),
}

/// Whether a vault lets anything end early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Immutability {
    /// It does.
    Off,
    /// It does not, and somebody can turn that off.
    Unlocked,
    /// It does not, and nobody can turn that off.
    Locked,
    /// Not read, or in a word that is not known.
    Unknown,
}

/// How long a vault policy keeps points; `None` where it has no such rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// The daily ones.
    pub daily: Option<KeptFor>,
    /// The weekly ones.
    pub weekly: Option<KeptFor>,
    /// The monthly ones.
    pub monthly: Option<KeptFor>,
    /// The yearly ones.
    pub yearly: Option<KeptFor>,
    /// Days that snapshots stay beside what is in the vault.
    pub snapshot_days: Option<i64>,
}

/// A length of time in a vault policy's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFor {
    /// How many.
    pub count: i64,
    /// `Days`, `Weeks`, `Months`, `Years`.
    pub unit: String,
}

impl VaultReason {
    /// The word for it: what programs read. A word once given stays.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotOurs => "notOurs",
            Self::OlderThanMachine => "olderThanMachine",
            Self::PointDeleted { .. } => "pointDeleted",
            Self::Archived => "archived",
            Self::InNoTier => "inNoTier",
            Self::ItemDeleted { .. } => "itemDeleted",
            Self::Stopped => "stopped",
            Self::Paused => "paused",
            Self::Suspended => "suspended",
            Self::StateUnknown => "stateUnknown",
            Self::GoesAt { .. } => "goesAt",
            Self::Outlived { .. } => "outlived",
            Self::SnapshotBeside { .. } => "snapshotBeside",
            Self::SnapshotAlone { .. } => "snapshotAlone",
            Self::ByVaultPolicy { .. } => "byVaultPolicy",
            Self::NoVaultPolicy => "noVaultPolicy",
            Self::VaultPolicyUnknown(_) => "vaultPolicyUnknown",
            Self::Newest => "newest",
            Self::DeletedWithItem { .. } => "deletedWithItem",
            Self::Immutable(_) => "immutable",
        }
    }
}

impl fmt::Display for VaultReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = |rule: &Option<String>| rule.clone().unwrap_or_else(|| String::from("no rule named"));
        match self {
            Self::NotOurs => f.write_str("Azure Backup made it, and nothing of ours lets it go"),
            Self::OlderThanMachine => f.write_str("it is older than the machine: of another one that had its name"),
            Self::PointDeleted { days } => {
                write!(f, "it was let go and is soft-deleted: gone for good after {}", Days(*days))
            }
            Self::Archived => f.write_str("it lies in the archive, and must be brought back before a restore"),
            Self::InNoTier => f.write_str("it is valid in no tier that we know"),
            Self::ItemDeleted { ends_at: Some(at) } => write!(
                f,
                "somebody stopped protection and deleted the item: it gives nothing back, and is gone for good at {at} unless somebody undeletes it"
            ),
            Self::ItemDeleted { ends_at: None } => f.write_str(
                "somebody stopped protection and deleted the item: it gives nothing back, and when it is gone for good is not known",
            ),
            Self::Stopped => f.write_str(
                "somebody stopped protection and kept the points: none goes until it is resumed or the item is deleted",
            ),
            Self::Paused => f.write_str("somebody paused protection: whether points go meanwhile, no source says"),
            Self::Suspended => f.write_str("somebody suspended backups: none is made, and points go all the same"),
            Self::StateUnknown => f.write_str("its item is in a state that we do not know"),
            Self::GoesAt { at, rule } => write!(f, "Azure says that it goes at {at} ({})", by(rule)),
            Self::Outlived { at, rule } => {
                write!(f, "Azure said that it goes at {at} ({}): the next clean-up takes it", by(rule))
            }
            Self::SnapshotBeside { days } => {
                write!(f, "its snapshot goes {} after it was made, the copy in the vault stays", Days(Some(*days)))
            }
            Self::SnapshotAlone { days } => {
                write!(f, "it is a snapshot and not in the vault: it goes {} after it was made", Days(Some(*days)))
            }
            Self::ByVaultPolicy { name, retention } => write!(f, "vault policy {name} {retention}"),
            Self::NoVaultPolicy => f.write_str("its item has no vault policy that would let it go"),
            Self::VaultPolicyUnknown(why) => write!(f, "what its vault policy keeps is not known: {why}"),
            Self::Newest => f.write_str("it is the newest of its item, which Azure Backup keeps"),
            Self::DeletedWithItem { days } => write!(
                f,
                "it goes with its item if somebody stops protection with delete: gone for good after {}",
                Days(*days)
            ),
            Self::Immutable(immutability) => immutability.fmt(f),
        }
    }
}

impl fmt::Display for Immutability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "the vault lets points end early",
            Self::Unlocked => "the vault is immutable: it does not go early unless somebody turns that off",
            Self::Locked => "the vault is immutable, and that is locked: nobody can let it go early",
            Self::Unknown => "whether the vault lets points end early is not known",
        })
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules =
            [("daily", &self.daily), ("weekly", &self.weekly), ("monthly", &self.monthly), ("yearly", &self.yearly)];
        let mut before = "keeps ";
        for (word, rule) in rules {
            if let Some(rule) = rule {
                write!(f, "{before}{word} points for {rule}")?;
                before = ", ";
            }
        }
        if before == "keeps " {
            return f.write_str("has no rule that we know to keep by");
        }
        Ok(())
    }
}

impl fmt::Display for KeptFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.count, self.unit.to_lowercase())
    }
}

/// Days in words.
struct Days(Option<i64>);

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(1) => f.write_str("1 day"),
            Some(days) => write!(f, "{days} days"),
            None => f.write_str("the days that the vault keeps what is deleted"),
        }
    }
}
