//! What Azure Backup's codes mean, and what to do about them: code → cause → cure, for whoever is woken at night.
//!
//! It never guesses: a code that is not in the table is shown as Azure said it. It never repeats anything by itself.

use crate::backup_jobs::JobError;
use std::fmt;

/// What is known about a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupError {
    /// The codes that mean this: Azure's words and, where it has one, its number.
    pub codes: &'static [&'static str],
    /// What happened.
    pub cause: &'static str,
    /// What to do.
    pub cure: &'static str,
    /// Whether it may pass without a person.
    pub passes: bool,
    /// Where this is from.
    pub source: Source,
}

/// Where the meaning of a code is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Microsoft's page on failing backups of machines.
    LearnFailures,
    /// Microsoft's page on the agent and the extension.
    LearnAgent,
    /// An example in Microsoft's document.
    Example,
    /// Reports of its use; no text of Microsoft's is in hand.
    Reports,
}

/// A job's error with what is known about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explained<'a> {
    /// In the table.
    Known(&'static BackupError, &'a JobError),
    /// Not in it.
    Unknown(&'a JobError),
}

use Source::{Example, LearnAgent, LearnFailures, Reports};

/// All codes that are known.
pub const BACKUP_ERRORS: &[BackupError] = &[
    BackupError {
        codes: &["UserErrorBackupOperationInProgress"],
        cause: "another backup of this machine is running",
        cure: "wait until that job has ended; cancel it only while it still takes its snapshot",
        passes: true,
        source: LearnAgent,
    },
    BackupError {
        codes: &["UserErrorVmNotInDesirableState", "VmNotInDesirableState"],
        cause: "the machine is failed, or is just being started or stopped",
        cure: "let it come to rest as running, stopped or deallocated, then back up again; with SELinux, exempt /var/lib/waagent",
        passes: true,
        source: LearnFailures,
    },
    BackupError {
        codes: &["UserErrorGuestAgentStatusUnavailable", "GuestAgentSnapshotTaskStatusError"],
        cause: "Azure cannot reach the agent inside the machine",
        cure: "see that the agent's service runs (WindowsAzureGuestAgent, walinuxagent), is current and reaches the network; restart it",
        passes: true,
        source: LearnAgent,
    },
    BackupError {
        codes: &["UserErrorVmProvisioningStateFailed"],
        cause: "the machine's provisioning state is failed, most often because of an extension",
        cure: "look at the machine's extensions, repair or remove the failed one, then back up again",
        passes: false,
        source: LearnAgent,
    },
    BackupError {
        codes: &["UserErrorRpCollectionLimitReached"],
        cause: "eighteen snapshots of this machine are kept: a lock on the group of Azure Backup's snapshots stops the clean-up, or too many backups a day are made",
        cure: "have the lock taken from the group AzureBackupRG_<region>_<number>; the next backup cleans up",
        passes: false,
        source: LearnAgent,
    },
    BackupError {
        codes: &["ExtensionSnapshotFailedNoNetwork"],
        cause: "the backup extension inside the machine has no network, or cannot take its snapshot",
        cure: "see that the machine reaches Azure Storage (rules, proxy, DNS), then back up again",
        passes: false,
        source: LearnAgent,
    },
    BackupError {
        codes: &["ExtensionFailedSnapshotLimitReachedError"],
        cause: "a disk has as many snapshots as it may have",
        cure: "delete snapshots of its disks that nobody needs; move other products' snapshots to another time",
        passes: false,
        source: LearnFailures,
    },
    BackupError {
        codes: &["ExtensionFailedVssWriterInBadState"],
        cause: "Windows: a VSS writer is in a bad state, or the disks are too busy",
        cure: "run `vssadmin list writers`, restart the services of those that are not stable, or back up when the load is low",
        passes: false,
        source: LearnFailures,
    },
    BackupError {
        codes: &["UserErrorFsFreezeFailed"],
        cause: "Linux: a file system could not be frozen, or is mounted twice",
        cure: "check the file systems and remove double mounts, or skip the mount (MountsToSkip in the extension's vmbackup.conf)",
        passes: false,
        source: LearnFailures,
    },
    BackupError {
        codes: &["VMRestorePointInternalError"],
        cause: "the backup extension was kept from running, often by antivirus",
        cure: "exempt the extension's folders (…\\Microsoft.Azure.RecoveryServices.VMSnapshot) from antivirus, then back up again",
        passes: true,
        source: LearnFailures,
    },
    BackupError {
        codes: &["CopyingVHDsFromBackUpVaultTakingLongTime"],
        cause: "copying took too long: a passing fault of storage, or too little of its throughput",
        cure: "back up again; if it stays, spread the schedules",
        passes: true,
        source: LearnFailures,
    },
    BackupError {
        codes: &["BCMV2VMNotFound", "ResourceNotFound", "400094", "320001"],
        cause: "the machine is gone and its item still wants backups",
        cure: "decide on its points: stop protection and keep them, or make the machine again under the same name and group",
        passes: false,
        source: LearnFailures,
    },
    BackupError {
        codes: &["AzureVmOffline", "380008"],
        cause: "the machine does not run, so the extension could not be installed; a point is crash-consistent at best",
        cure: "start the machine and see that its agent is installed, if a better point is wanted",
        passes: true,
        source: LearnFailures,
    },
    BackupError {
        codes: &["UserErrorUnsupportedDiskSize"],
        cause: "a disk is larger than Azure Backup takes: 32 TB, 4 TB where it is encrypted by the guest",
        cure: "split the disk, or exclude it and protect it by other means",
        passes: false,
        source: LearnAgent,
    },
    BackupError {
        codes: &["UserErrorSkuNotAvailable"],
        cause: "restore: the machine's size cannot be had there",
        cure: "restore the disks and make a machine of another size from them",
        passes: false,
        source: LearnFailures,
    },
    BackupError {
        codes: &["UserErrorInstantRpNotFound"],
        cause: "restore: the point lay in a snapshot only, and that is gone",
        cure: "restore another point",
        passes: false,
        source: LearnFailures,
    },
    BackupError {
        codes: &["UserErrorRequestDisallowedByPolicy"],
        cause: "an Azure Policy forbids what the backup makes, often for want of a tag on its resource group",
        cure: "let the policy modify instead of deny, or make the group for snapshots beforehand, named as Azure Backup names it",
        passes: false,
        source: LearnFailures,
    },
    BackupError {
        codes: &["BackUpOperationFailed", "BackUpOperationFailedV2"],
        cause: "Azure Backup failed inside itself, or did not come through to the agent",
        cure: "back up again in some minutes; if it stays, look at agent and extension, then open a case with Microsoft",
        passes: true,
        source: LearnAgent,
    },
    BackupError {
        codes: &["CloudInternalError", "130001"],
        cause: "Azure Backup failed inside itself",
        cure: "back up again in some minutes; if it stays, open a case with Microsoft",
        passes: true,
        source: Reports,
    },
    BackupError {
        codes: &["BMSUserErrorContainerNameIncorrectFormat"],
        cause: "the container's name is not one of Azure Backup's",
        cure: "a fault of Lifeboat's: report it with the machine's id; protect the machine by hand meanwhile",
        passes: false,
        source: Reports,
    },
    BackupError {
        codes: &["BMSUserErrorInvalidPolicyInput"],
        cause: "a vault policy was written whose parts do not fit each other",
        cure: "compare its schedule and retention: the times must be equal, weekly rules must name the schedule's days",
        passes: false,
        source: Reports,
    },
    BackupError {
        codes: &["BMSUserErrorPolicyRetentionInvalid"],
        cause: "a vault policy was written that keeps points longer or shorter than Azure allows",
        cure: "daily points stay for 7 to 9999 days",
        passes: false,
        source: Reports,
    },
    BackupError {
        codes: &["BMSUserErrorPolicyObjectInUse"],
        cause: "a vault policy was to be deleted that items still have",
        cure: "move the items to another vault policy first",
        passes: false,
        source: Reports,
    },
    BackupError {
        codes: &["BMSUserErrorVaultDeletionNotAllowed"],
        cause: "a vault was to be deleted that still has items",
        cure: "leave it, unless its points are really to be lost",
        passes: false,
        source: Reports,
    },
    BackupError {
        codes: &["VirtualMachineAlreadyProtected"],
        cause: "a machine of this name and group is protected already, perhaps in another vault, perhaps a predecessor",
        cure: "find that item; a machine is in one vault only: stop it there if it is to be protected here",
        passes: false,
        source: Example,
    },
    BackupError {
        codes: &["UserErrorCoreCountSubscriptionQuotaReached"],
        cause: "restore: the subscription has no cores left there",
        cure: "have the quota raised, or restore the disks only",
        passes: false,
        source: Example,
    },
    BackupError {
        codes: &["UserErrorOperationDeniedOnImmutableItem"],
        cause: "an immutable vault forbids it; or suspending was asked of a vault that is not immutable",
        cure: "leave the points to run out by their vault policy",
        passes: false,
        source: Reports,
    },
];

/// What is known about a code, a word or a number; case aside.
pub fn find(code: &str) -> Option<&'static BackupError> {
    BACKUP_ERRORS.iter().find(|error| error.codes.iter().any(|own| own.eq_ignore_ascii_case(code.trim())))
}

/// What is known about a job's error: by its number, else by its title.
pub fn explain(error: &JobError) -> Explained<'_> {
    let by_number = error.code.and_then(|code| find(&code.to_string()));
    match by_number.or_else(|| find(error.title.as_deref()?)) {
        Some(known) => Explained::Known(known, error),
        None => Explained::Unknown(error),
    }
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; what to do: {}", self.codes[0], self.cause, self.cure)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LearnFailures => "Learn, backup failures of virtual machines",
            LearnAgent => "Learn, issues with agent or extension",
            Example => "bms.json, examples",
            Reports => "reports of its use; no text of Microsoft's is in hand",
        })
    }
}

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(known, _) => known.fmt(f),
            Self::Unknown(error) => raw(error, f),
        }
    }
}

/// An error as Azure said it; each part was bounded and cleaned when it was read.
fn raw(error: &JobError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let number = error.code.map(|code| code.to_string());
    let said = [number.as_deref(), error.title.as_deref(), error.text.as_deref()];
    let mut parts: Vec<&str> = said.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        parts.push("Azure gave no reason");
    }
    f.write_str(&parts.join(": "))?;
    match error.recommendations.is_empty() {
        true => Ok(()),
        false => write!(f, "; Azure advises: {}", error.recommendations.join("; ")),
    }
}

#[cfg(test)]
mod tests;
