//! What is believed about machines, usages and sizes.
//!
//! It never decides anything.

use super::{
    Entry,
    Grade::{Assumed, Documented, Recorded},
    entry,
};

/// The entries.
pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "vm-fields",
        Recorded,
        "`vmId`, `timeCreated`, disks, instance view with `PowerState/…` and the agent's statuses",
        "restore_point.jsonl, GET machine",
    ),
    entry(
        "vm-own",
        Recorded,
        "a machine's identities stand under `identity`, its extensions under `resources`, Site Recovery's own `SiteRecovery-…` among them; the machine that a failover makes has neither",
        "siterecovery_A2A_scenarios.jsonl 46 and 70; that extensions are not replicated: Learn, support matrix for Azure to Azure",
    ),
    entry(
        "vm-agent",
        Recorded,
        "the agent is ready when its first status is `ProvisioningState/succeeded`",
        "restore_point.jsonl, restore_point_collection.jsonl",
    ),
    entry(
        "vm-agent-absent",
        Assumed,
        "without an instance view or statuses of the agent nothing is known of it",
        "the safe reading: unknown is not ready",
    ),
    entry(
        "vm-managed-by",
        Documented,
        "`managedBy` and `virtualMachineScaleSet.id` name what owns a machine",
        "ComputeRP.json",
    ),
    entry(
        "vm-list",
        Documented,
        "`value[]` of machines without instance views; an entry may lack `vmId`",
        "ComputeRP.json, its examples",
    ),
    entry(
        "vm-instance-view",
        Documented,
        "statuses with `PowerState/…`, the agent's statuses and version",
        "ComputeRP.json",
    ),
    entry(
        "vm-put",
        Recorded,
        "200 with `Azure-AsyncOperation` for a machine that is there",
        "backup_disk_exclusion.jsonl",
    ),
    entry("vm-patch", Documented, "200 with the machine, and `Location` while it goes on", "ComputeRP.json"),
    entry(
        "vm-patch-tags",
        Assumed,
        "whether a PATCH adds tags or puts them in place of all others is not known",
        "no source shows; all tags are sent, so that both end the same but for a tag that shall go",
    ),
    entry(
        "vm-etag",
        Documented,
        "`If-Match` with the machine's etag makes a PATCH answer 412 when the machine was changed",
        "ComputeRP.json",
    ),
    entry("vm-delete", Documented, "200, 202 or 204; the disks stay unless they are marked", "ComputeRP.json"),
    entry(
        "vm-deallocate",
        Recorded,
        "202 with both headers; then `PowerState/deallocated`",
        "gallery_e2e.jsonl for the call; ComputeRP.json for the state",
    ),
    entry("vm-start", Documented, "200 or 202", "ComputeRP.json"),
    entry("vm-power-off", Recorded, "202 with both headers; the machine keeps its hardware", "vm_generalize.jsonl"),
    entry(
        "vm-act-again",
        Assumed,
        "starting what runs changes nothing; what a second order to stop answers is not known, so it is not repeated unless the first did nothing",
        "no source shows the answer of a second order; the order names a state",
    ),
    entry("usage-list", Documented, "`value[]` with `name.value`, `currentValue`, `limit`", "ComputeRP.json"),
    entry("sku-list", Documented, "`value[]` with `locationInfo[].zones` and `restrictions[]`; paged", "skus.json"),
    entry("sku-filter", Documented, "only `$filter=location eq '…'` is understood", "skus.json"),
];
