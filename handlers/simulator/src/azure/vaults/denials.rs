//! The refusals of the backup service, each with the entry of the evidence register that says how well it is known.
//! It never decides when to refuse.

use super::super::errors::ArmError;

/// Vault policies of a vault (documented).
pub(super) const POLICIES_PER_VAULT: usize = 200;
/// Machines of a vault policy (documented, by a check of the command line).
pub(super) const ITEMS_PER_POLICY: usize = 1_000;
/// Machines of a vault (documented).
pub(super) const ITEMS_PER_VAULT: usize = 1_000;
/// Backups of a machine on demand in a day (documented).
pub(super) const ON_DEMAND_PER_DAY: usize = 3;

/// What stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VaultDenial {
    BackupRunning,
    ItemBusy,
    OnDemandUsedUp,
    ItemSoftDeleted,
    ItemNotBackedUp,
    ItemNotDeleted,
    ItemMissing,
    ProtectedElsewhere,
    OtherRegion,
    VaultFull,
    PolicyFull,
    PoliciesFull,
    PolicyInUse,
    PolicyMissing,
    PolicyUnfit,
    PolicyInvalid,
    RetentionInvalid,
    VaultNotEmpty,
    VaultNotMade,
    StorageLocked,
    MachineMissing,
    MachineInTransit,
    ContainerName,
    JobMissing,
    JobNotCancellable,
    PointMissing,
    SuspendDenied,
    FilterUnknown,
    BodyUnknown,
}

/// What a refusal says: `{}` in the text is what it is about.
struct Words {
    what: VaultDenial,
    status: u16,
    code: &'static str,
    text: &'static str,
    evidence: &'static str,
}

const fn words(
    what: VaultDenial,
    status: u16,
    code: &'static str,
    text: &'static str,
    evidence: &'static str,
) -> Words {
    Words { what, status, code, text, evidence }
}

/// All of them. Codes that the reference names are its; all others, every status and every wording are *assumed*
/// (`vault-sim-refusal-words`).
static WORDS: [Words; 29] = [
    words(
        VaultDenial::BackupRunning,
        400,
        "UserErrorBackupOperationInProgress",
        "Unable to initiate backup as another backup operation is currently in progress.",
        "vault-sim-backup-running",
    ),
    words(
        VaultDenial::ItemBusy,
        400,
        "UserErrorBackupOperationInProgress",
        "Another operation is in progress on {}.",
        "vault-sim-refusal-words",
    ),
    words(
        VaultDenial::OnDemandUsedUp,
        400,
        "UserErrorOnDemandBackupLimitReached",
        "{} had its three on-demand backups of the day.",
        "vault-sim-on-demand",
    ),
    words(
        VaultDenial::ItemSoftDeleted,
        400,
        "UserErrorItemSoftDeleted",
        "{} is in soft-deleted state. Undelete it first.",
        "vault-sim-soft-delete",
    ),
    words(
        VaultDenial::ItemNotBackedUp,
        400,
        "UserErrorProtectionStopped",
        "Protection of {} is stopped.",
        "vault-sim-refusal-words",
    ),
    words(
        VaultDenial::ItemNotDeleted,
        400,
        "UserErrorItemNotSoftDeleted",
        "{} is not in soft-deleted state.",
        "vault-sim-soft-delete",
    ),
    words(
        VaultDenial::ItemMissing,
        404,
        "ProtectedItemNotFound",
        "The protected item {} is not found.",
        "vault-sim-refusal-words",
    ),
    words(
        VaultDenial::ProtectedElsewhere,
        400,
        "VirtualMachineAlreadyProtected",
        "The virtual machine is already protected in the vault {}.",
        "vault-sim-one-vault",
    ),
    words(
        VaultDenial::OtherRegion,
        400,
        "UserErrorVaultInOtherRegion",
        "The virtual machine {} and the vault are in different regions.",
        "vault-sim-region",
    ),
    words(
        VaultDenial::VaultFull,
        400,
        "UserErrorVaultItemLimitReached",
        "The vault {} takes no more virtual machines.",
        "vault-sim-counts",
    ),
    words(
        VaultDenial::PolicyFull,
        400,
        "UserErrorPolicyItemLimitReached",
        "The policy {} has 1000 virtual machines.",
        "vault-sim-counts",
    ),
    words(
        VaultDenial::PoliciesFull,
        400,
        "UserErrorPolicyLimitReached",
        "The vault {} has 200 policies.",
        "vault-sim-counts",
    ),
    words(
        VaultDenial::PolicyInUse,
        400,
        "BMSUserErrorPolicyObjectInUse",
        "The policy {} is used by protected items.",
        "vault-sim-policy-refusals",
    ),
    words(VaultDenial::PolicyMissing, 404, "PolicyNotFound", "The policy {} is not found.", "vault-sim-refusal-words"),
    words(
        VaultDenial::PolicyUnfit,
        400,
        "BMSUserErrorInvalidInput",
        "The policy {} is not for virtual machines.",
        "vault-sim-refusal-words",
    ),
    words(
        VaultDenial::PolicyInvalid,
        400,
        "BMSUserErrorInvalidPolicyInput",
        "Input for create or update policy is not in proper format: {}.",
        "vault-sim-policy-refusals",
    ),
    words(
        VaultDenial::RetentionInvalid,
        400,
        "BMSUserErrorPolicyRetentionInvalid",
        "The retention duration provided in the backup policy is not supported: {}.",
        "vault-sim-policy-refusals",
    ),
    words(
        VaultDenial::VaultNotEmpty,
        400,
        "BMSUserErrorVaultDeletionNotAllowed",
        "Vault {} cannot be deleted as there are existing resources within the vault.",
        "vault-sim-delete-refused",
    ),
    words(
        VaultDenial::VaultNotMade,
        409,
        "OperationNotAllowed",
        "The vault {} is being created or deleted.",
        "vault-sim-refusal-words",
    ),
    words(
        VaultDenial::StorageLocked,
        400,
        "BMSUserErrorStorageTypeLocked",
        "The storage type of the vault {} can no longer be changed.",
        "vault-sim-storage-locked",
    ),
    words(
        VaultDenial::MachineMissing,
        400,
        "BCMV2VMNotFound",
        "The virtual machine {} could not be found.",
        "vault-sim-machine-state",
    ),
    words(
        VaultDenial::MachineInTransit,
        400,
        "UserErrorVmNotInDesirableState",
        "The virtual machine {} is not in a state that allows backups.",
        "vault-sim-machine-state",
    ),
    words(
        VaultDenial::ContainerName,
        400,
        "BMSUserErrorContainerNameIncorrectFormat",
        "The name {} is not in the right format.",
        "vault-sim-names",
    ),
    words(VaultDenial::JobMissing, 404, "JobNotFound", "The job {} is not found.", "vault-sim-refusal-words"),
    words(
        VaultDenial::JobNotCancellable,
        400,
        "UserErrorJobNotCancellable",
        "The job {} cannot be cancelled now.",
        "vault-sim-cancel",
    ),
    words(
        VaultDenial::PointMissing,
        404,
        "RecoveryPointNotFound",
        "The recovery point {} is not found.",
        "vault-sim-refusal-words",
    ),
    words(
        VaultDenial::SuspendDenied,
        400,
        "UserErrorOperationDeniedOnImmutableItem",
        "Backups of {} can only be suspended in an immutable vault.",
        "vault-sim-suspend",
    ),
    words(
        VaultDenial::FilterUnknown,
        400,
        "BMSUserErrorInvalidInput",
        "The filter '{}' is not known.",
        "vault-sim-filter",
    ),
    words(
        VaultDenial::BodyUnknown,
        400,
        "BMSUserErrorInvalidInput",
        "Input provided for the call is invalid: {}.",
        "vault-sim-refusal-words",
    ),
];

impl VaultDenial {
    /// The entries that refusals rest on.
    pub(crate) fn entries() -> impl Iterator<Item = &'static str> {
        WORDS.iter().map(|words| words.evidence)
    }

    /// The refusal; `name` is what it is about.
    pub(crate) fn error(self, name: &str) -> ArmError {
        let words = self.words();
        ArmError::new(words.status, words.code, words.text.replace("{}", name))
    }

    /// The code alone, as a pre-check tells it.
    pub(super) fn code(self) -> &'static str {
        self.words().code
    }

    fn words(self) -> &'static Words {
        // Every kind has its words: the test below holds it. The first would stand in.
        WORDS.iter().find(|words| words.what == self).unwrap_or(&WORDS[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_words_of_its_own() {
        for (at, words) in WORDS.iter().enumerate() {
            assert!(std::ptr::eq(words.what.words(), words), "{:?}", words.what);
            assert_eq!(words.what as usize, at, "{:?} stands where the enum has it", words.what);
        }
        assert_eq!(VaultDenial::BodyUnknown as usize + 1, WORDS.len(), "one for each");
    }
}
