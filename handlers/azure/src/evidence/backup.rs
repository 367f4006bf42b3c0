//! What is believed about Recovery Services vaults and Azure Backup.
//!
//! It never decides anything.

use super::{
    Entry,
    Grade::{Assumed, Documented, Recorded},
    entry,
};

/// The entries.
pub(super) const ENTRIES: &[&[Entry]] = &[VAULTS, ITEMS, CHANGES, JOBS];

const VAULTS: &[Entry] = &[
    entry(
        "vault-get",
        Recorded,
        "a vault with redundancy, immutability (null where it was never set) and soft delete in its properties",
        "backup_scenario.jsonl, backup_archive.jsonl",
    ),
    entry(
        "vault-immutable",
        Documented,
        "an immutable vault refuses to stop protection with delete and to shorten retention; `Unlocked` can be turned off, `Locked` never",
        "Learn, immutable vaults; openapi.json for the words",
    ),
    entry(
        "vault-list",
        Documented,
        "`value[]` of the vaults of a subscription, with few of their properties",
        "openapi.json",
    ),
    entry(
        "vault-usages",
        Documented,
        "counts by name, `IaaSVMProtectedItemCount` the protected machines; their limit is -1, which is none",
        "openapi.json, ListUsages.json",
    ),
    entry(
        "backup-limits",
        Documented,
        "a vault takes 1,000 machines and 200 vault policies, a vault policy 1,000 machines",
        "Learn, support matrix of Azure Backup; the last is checked by Azure's command line, older pages say 100",
    ),
    entry(
        "vault-policy-get",
        Recorded,
        "schedule, retention, snapshot days, zone and `protectedItemsCount`",
        "backup_item.jsonl, backup_scenario.jsonl",
    ),
    entry(
        "vault-policy-kind",
        Recorded,
        "the enhanced policy says `policyType` `V2` and schedules by `SimpleSchedulePolicyV2`, the other leaves `policyType` out",
        "backup_scenario.jsonl",
    ),
    entry(
        "vault-policy-list",
        Recorded,
        "`value[]` of a vault's policies; `backupManagementType` is a filter",
        "backup_scenario.jsonl, without a filter; bms.json, BackupPolicies_List.json, for the filter",
    ),
    entry(
        "protectable-list",
        Recorded,
        "`value[]` of machines, each `NotProtected`; one that was protected is not in the list any more",
        "backup_archive.jsonl, backup_container.jsonl",
    ),
    entry(
        "protectable-after-refresh",
        Recorded,
        "a new machine is in the list only after `refreshContainers`",
        "backup_scenario.jsonl, backup_protection.jsonl; that enabling works without it is assumed, and not relied on",
    ),
    entry(
        "refresh-containers",
        Recorded,
        "202 with `Location` and `Azure-AsyncOperation`, both ending with the operation's id; the former is asked",
        "backup_archive.jsonl",
    ),
    entry(
        "refresh-result",
        Documented,
        "202 while it looks, then 204",
        "bms.json, RefreshContainers_OperationResults.json; recorded only as 202, in backup_archive.jsonl",
    ),
];

const ITEMS: &[Entry] = &[
    entry(
        "item-name",
        Recorded,
        "container and item are named by group and machine in lower case; a `;` in a path may be sent as it is",
        "backup_job.jsonl for the case; both spellings of `;` are in answers and requests of backup_archive.jsonl",
    ),
    entry("item-get", Recorded, "an item with state, health, times and policy", "backup_item.jsonl"),
    entry("item-list", Recorded, "`value[]` of a vault's items, the stopped ones among them", "backup_scenario.jsonl"),
    entry(
        "item-states",
        Recorded,
        "`IRPending` until the first backup has ended, `Protected`, `ProtectionStopped` with an empty `policyId`",
        "backup_protection.jsonl, backup_scenario.jsonl; the other states are in bms.json only",
    ),
    entry(
        "item-times",
        Recorded,
        "`lastBackupTime` is when the job began, 2001-01-01 where there was none; `lastRecoveryPoint` is the newest point's own moment",
        "backup_archive.jsonl, backup_job.jsonl",
    ),
    entry(
        "item-soft-deleted",
        Documented,
        "a deleted item stays listed as `ProtectionStopped` with `isScheduledForDeferredDelete` and `deferredDeleteTimeInUTC`",
        "bms.json for the fields; Learn, soft delete",
    ),
    entry(
        "item-deleted-time",
        Assumed,
        "`deferredDeleteTimeInUTC` in the past is when an item was deleted, one to come is when it is gone for good",
        "the words of bms.json fit both; it is only told to people",
    ),
    entry(
        "backup-status",
        Recorded,
        "`protectionStatus` of a machine over all vaults, with the vault and the policy's name",
        "backup_protection.jsonl",
    ),
    entry(
        "backup-status-early",
        Recorded,
        "it says `Protected` while the item is still `IRPending`",
        "backup_protection.jsonl",
    ),
    entry(
        "backup-pre-check",
        Documented,
        "`Succeeded`, or `Failed` with code, message and advice; a machine is known by name and group",
        "bms.json, ProtectionIntent_Validate.json",
    ),
    entry(
        "vault-point-list",
        Recorded,
        "`value[]` of points with their moment, type and tiers; `recoveryPointProperties` is missing in some",
        "backup_archive.jsonl, backup_rp.jsonl",
    ),
    entry(
        "vault-point-tiers",
        Recorded,
        "after the job a point is `Valid` as `InstantRP` and as `HardenedRP`",
        "backup_archive.jsonl; the other states and `ArchivedRP` are in bms.json only",
    ),
    entry(
        "vault-point-filter",
        Documented,
        "`startDate` and `endDate` narrow the list, written by twelve hours",
        "Learn, recovery points by the REST API",
    ),
    entry(
        "vault-point-deletes",
        Documented,
        "nothing deletes one point: it goes by its vault policy, or with its item",
        "bms.json has no such operation",
    ),
    entry(
        "vault-point-newest",
        Documented,
        "clean-up by the vault policy takes no item's last point, and none while protection is stopped or the item is deleted",
        "Learn, backup of machines and soft delete",
    ),
];

const CHANGES: &[Entry] = &[
    entry(
        "backup-enable",
        Recorded,
        "a PUT of the item with its source and vault policy answers 202 with both headers",
        "backup_archive.jsonl, backup_protection.jsonl",
    ),
    entry(
        "backup-enable-again",
        Documented,
        "a PUT that changes nothing answers 200 with the item",
        "bms.json, ConfigureProtection.json; recorded is only the 202 of a change",
    ),
    entry(
        "backup-enable-resumes",
        Recorded,
        "the same PUT resumes a stopped item",
        "backup_scenario.jsonl, lines 211 to 221",
    ),
    entry(
        "backup-enable-linked",
        Documented,
        "enabling wants `Microsoft.Compute/virtualMachines/write` on the machine besides the right on the item",
        "Learn, minimum roles for the backup of machines",
    ),
    entry(
        "backup-now",
        Recorded,
        "`IaasVMBackupRequest` with an expiry answers 202 with both headers; the point then expires at that moment",
        "backup_archive.jsonl",
    ),
    entry(
        "backup-now-one-at-a-time",
        Documented,
        "while a backup of the machine runs, another is refused with `UserErrorBackupOperationInProgress`",
        "Learn, issues with agent or extension; its status is in no source, so the code decides",
    ),
    entry(
        "backup-now-budget",
        Documented,
        "one scheduled and three further backups a day and machine",
        "Learn, support matrix of the backup of machines",
    ),
    entry(
        "backup-operation-id",
        Recorded,
        "the id at the end of the status URL is the one that `backupOperations` knows",
        "backup_archive.jsonl, backup_job.jsonl",
    ),
    entry(
        "backup-operation",
        Recorded,
        "`InProgress`, with `endTime` 0001-01-01, then `Succeeded`",
        "backup_archive.jsonl, backup_scenario.jsonl",
    ),
    entry(
        "backup-operation-job",
        Recorded,
        "a succeeded operation names its job in `properties.jobId`; the job ends later",
        "backup_archive.jsonl, backup_item.jsonl",
    ),
    entry("tags-get", Documented, "the tags of any resource under `properties.tags`", "resources.json"),
    entry(
        "tags-merge",
        Documented,
        "`Merge` adds tags and sets the values of those that are there; the others stay",
        "resources.json",
    ),
    entry(
        "tags-delete",
        Documented,
        "`Delete` takes away the tags with the names and values given; the others stay",
        "resources.json",
    ),
    entry("tags-limit", Documented, "a resource takes fifty tags", "resources.json"),
    entry(
        "tags-answer",
        Documented,
        "200 with all tags, or 202 with `Location`",
        "resources.json, PatchTagsResource.json",
    ),
];

const JOBS: &[Entry] = &[
    entry("job-list", Recorded, "`value[]` of jobs, the newest first, without their tasks", "backup_job.jsonl"),
    entry(
        "job-filter",
        Documented,
        "`status`, `operation`, `backupManagementType`, `startTime` and `endTime`, written by twelve hours",
        "bms.json, ListJobsWithAllSupportedFilters.json; recorded with `status` and `operation` in backup_job.jsonl",
    ),
    entry("job-get", Recorded, "a job with its tasks, each with status and times", "backup_archive.jsonl"),
    entry(
        "job-phases",
        Recorded,
        "a backup takes snapshots, then transfers; `actionsInfo` says `Cancellable` to the end",
        "backup_archive.jsonl, backup_job.jsonl",
    ),
    entry(
        "job-states",
        Recorded,
        "`InProgress`, `Completed`",
        "backup_job.jsonl; the other ends are from Learn, no failure is recorded",
    ),
    entry(
        "job-errors",
        Documented,
        "`errorDetails[]` with `errorCode`, `errorTitle`, `errorString` and `recommendations`",
        "bms.json; no failed job is recorded",
    ),
    entry(
        "backup-codes-documented",
        Documented,
        "the causes and cures of the codes of Azure Backup that Microsoft describes",
        "Learn, backup failures of virtual machines, and issues with agent or extension; bms.json, examples",
    ),
    entry(
        "backup-codes-reported",
        Assumed,
        "the meaning of `CloudInternalError`, `BMSUserErrorContainerNameIncorrectFormat`, `BMSUserErrorInvalidPolicyInput`, `BMSUserErrorPolicyRetentionInvalid`, `BMSUserErrorPolicyObjectInUse`, `BMSUserErrorVaultDeletionNotAllowed` and `UserErrorOperationDeniedOnImmutableItem`",
        "reports of their use; they only choose the words for a person, nothing is done by them",
    ),
];
