//! What was seen of a machine's protection in a vault of Azure Backup, with how sure we are of it.
//! It never fetches anything, and never turns ignorance into absence.

use alloc::string::String;
use alloc::vec::Vec;
use jiff::Timestamp;

use super::UnknownBecause;

/// What was read for one machine of the vault that its policy names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectionFacts {
    /// The vault.
    pub vault: VaultSeen,
    /// The vault policy that the machine shall have.
    pub vault_policy: VaultPolicySeen,
    /// The machine's item in the vault.
    pub item: ItemSeen,
    /// Whether another vault protects it.
    pub elsewhere: ElsewhereSeen,
    /// Whether the vault lists it as one that it could protect.
    pub listed: Answer,
    /// Azure's own check before protection.
    pub pre_check: PreCheck,
    /// Jobs of the machine in the vault, of the last two days, in any order.
    pub jobs: JobsSeen,
}

/// A vault by its name in the machine's subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultSeen {
    /// Read.
    Present(Vault),
    /// None of that name is in the subscription.
    Absent,
    /// Several resource groups have one of that name.
    Several,
    /// Nothing may be concluded.
    Unknown(UnknownBecause),
}

/// A Recovery Services vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vault {
    /// ARM id.
    pub id: String,
    /// Region, in any spelling.
    pub location: String,
}

/// A vault policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultPolicySeen {
    /// Read.
    Present(VaultPolicy),
    /// The vault has none of that name.
    Absent,
    /// Neither the machine's tag nor the policy names one.
    NotNamed,
    /// Nothing may be concluded.
    Unknown(UnknownBecause),
}

/// A vault policy, as far as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultPolicy {
    /// ARM id.
    pub id: String,
    /// It is for virtual machines (`AzureIaasVM`).
    pub for_machines: bool,
    /// Items that it protects already.
    pub protected_items: u32,
}

/// A machine's item in a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemSeen {
    /// Read.
    Present(Item),
    /// The vault has none for the machine, stopped and soft-deleted ones included.
    Absent,
    /// Nothing may be concluded.
    Unknown(UnknownBecause),
}

/// A protected item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// ARM id.
    pub id: String,
    /// How far its protection is.
    pub state: ItemState,
    /// ARM id of its vault policy; none when it is stopped.
    pub vault_policy: Option<String>,
    /// It was deleted and can still be brought back.
    pub soft_deleted: bool,
    /// The moment of its newest recovery point.
    pub newest_point: Option<Timestamp>,
}

/// State of an item, in Azure's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// Enabled, not yet backed up.
    IrPending,
    /// Backed up.
    Protected,
    /// Its last backup failed.
    ProtectionError,
    /// Somebody stopped it.
    ProtectionStopped,
    /// Somebody paused it.
    ProtectionPaused,
    /// Somebody suspended it: points go by the vault policy.
    BackupsSuspended,
    /// Another word: nothing is concluded from it.
    Other,
}

/// Whether another vault protects the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElsewhereSeen {
    /// Azure says that no vault does.
    No,
    /// The ARM id of the vault that does.
    Vault(String),
    /// Not asked yet, or not answered.
    Unknown(UnknownBecause),
}

/// Yes, no, or not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Nothing may be concluded.
    Unknown(UnknownBecause),
}

/// Azure's check before protection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreCheck {
    /// Nothing stands against it.
    Passed,
    /// This stands against it: Azure's code.
    Failed(String),
    /// Not asked, or not answered.
    Unknown(UnknownBecause),
}

/// Jobs of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobsSeen {
    /// Read.
    Read(Vec<Job>),
    /// Nothing may be concluded.
    Unknown(UnknownBecause),
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its name in the vault.
    pub id: String,
    /// What it does.
    pub operation: JobOperation,
    /// How far it is.
    pub state: JobState,
    /// Its task "Take Snapshot" runs.
    pub takes_snapshot: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// Azure's code, where it failed.
    pub code: Option<String>,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobOperation {
    /// `ConfigureBackup`.
    ConfigureBackup,
    /// `Backup`.
    Backup,
    /// Anything else.
    Other,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It runs, or is being cancelled.
    InProgress,
    /// It did what it should, perhaps with warnings.
    Completed,
    /// It failed.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}
