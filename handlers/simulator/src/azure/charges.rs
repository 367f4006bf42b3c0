//! The table of budgets, and which of them each call draws on.
//! It never counts: that is done in `budgets`.

use super::budgets::{Charge, Left, Refill, Refusal, Rule};
use super::errors::ArmError;
use super::ids::stamp;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// Which Compute budgets a route draws on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spend {
    /// None: ARM answers by itself.
    Nothing,
    /// One machine read.
    MachineGet,
    /// Machines listed.
    MachineList,
    /// A machine created or replaced.
    MachinePut,
    /// A machine changed.
    MachineUpdate,
    /// A machine deleted.
    MachineDelete,
    /// A disk read.
    DiskGet,
    /// A disk or snapshot created or changed.
    DiskPut,
    /// A snapshot created.
    SnapshotPut,
    /// A disk or snapshot deleted. *Assumed* (`disk-budgets`): that snapshots draw on the disks' budget.
    DiskDelete,
    /// Disks or snapshots listed.
    DiskList,
    /// An operation of machines or points polled.
    Poll,
    /// An operation of disks or snapshots polled.
    DiskPoll,
    /// A collection written.
    CollectionPut,
    /// A collection's tags changed.
    CollectionUpdate,
    /// A collection or a point read.
    PointGet,
    /// Collections listed.
    PointList,
    /// A point made.
    PointPut,
    /// A point or a collection deleted.
    PointDelete,
    /// A vault created or changed.
    VaultWrite,
    /// A vault deleted.
    VaultDelete,
    /// Something of the backup service read.
    BackupGet,
    /// Backup jobs read.
    BackupJobs,
}

impl Spend {
    /// Whether it is a budget of Recovery Services.
    pub(crate) fn is_of_vaults(self) -> bool {
        matches!(self, Self::VaultWrite | Self::VaultDelete | Self::BackupGet | Self::BackupJobs)
    }
}

/// Whose budgets: the parts of a scope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whose<'a> {
    pub(crate) subscription: &'a str,
    /// Compute counts per region.
    pub(crate) region: &'a str,
    /// The resource, or the operation that is polled.
    pub(crate) resource: &'a str,
}

const fn per_second(name: &'static str, capacity: u32, calls: u32) -> Rule {
    Rule { name, capacity, refill: Refill::PerSecond(calls), evidence: "arm-buckets" }
}

/// A documented bucket of Compute.
const fn bucket(name: &'static str, capacity: u32, calls: u32) -> Rule {
    Rule { name, capacity, refill: Refill::PerMinute(calls), evidence: "compute-buckets" }
}

/// A budget whose size was recorded and whose window no source gives: *assumed* (`compute-window-assumed`) to refill a third of it a minute, as
/// all documented buckets of Compute do.
const fn third_a_minute(name: &'static str, capacity: u32) -> Rule {
    Rule { name, capacity, refill: Refill::PerMinute(capacity / 3), evidence: "compute-window-assumed" }
}

/// A budget of disks and snapshots: its name says its window, its size was recorded.
const fn three_minutes(name: &'static str, capacity: u32) -> Rule {
    Rule { name, capacity, refill: Refill::WindowSeconds(180), evidence: "disk-budgets" }
}

/// The same for half an hour.
const fn thirty_minutes(name: &'static str, capacity: u32) -> Rule {
    Rule { name, capacity, refill: Refill::WindowSeconds(1_800), evidence: "disk-budgets" }
}

/// Three an hour and machine (documented); that any sixty minutes count, not the hours of the clock, is *assumed* (`point-rate`).
const fn hourly(name: &'static str, capacity: u32) -> Rule {
    Rule { name, capacity, refill: Refill::SlidingSeconds(3600), evidence: "point-rate" }
}

/// A budget of Recovery Services: its size was recorded; its window is *assumed* (`vault-sim-budgets`) to be five minutes.
const fn five_minutes(name: &'static str, capacity: u32) -> Rule {
    Rule { name, capacity, refill: Refill::WindowSeconds(300), evidence: "vault-sim-budgets" }
}

pub(crate) static READS: Rule = per_second("subscription-reads", 250, 25);
pub(crate) static WRITES: Rule = per_second("subscription-writes", 200, 10);
pub(crate) static DELETES: Rule = per_second("subscription-deletes", 200, 10);
pub(crate) static GLOBAL_READS: Rule = per_second("subscription-global-reads", 3750, 375);
pub(crate) static GLOBAL_WRITES: Rule = per_second("subscription-global-writes", 3000, 150);
pub(crate) static GLOBAL_DELETES: Rule = per_second("subscription-global-deletes", 3000, 150);
pub(crate) static TENANT_READS: Rule = per_second("tenant-reads", 250, 25);
pub(crate) static GRAPH: Rule =
    Rule { name: "graph", capacity: 15, refill: Refill::WindowSeconds(5), evidence: "graph-quota" };

static LOW_GET_ALL: Rule = bucket("LowCostGetSubscriptionMaximum", 24_000, 8_000);
static LOW_GET_ONE: Rule = bucket("LowCostGetResource", 36, 12);
static HIGH_GET_ALL: Rule = bucket("HighCostGetSubscriptionMaximum", 900, 300);
static PUT_VM_ALL: Rule = bucket("PutVMSubscriptionMaximum", 1_500, 500);
static PUT_VM_ONE: Rule = bucket("PutVMResource", 12, 4);
static UPDATE_VM_ALL: Rule = bucket("UpdateVMSubscriptionMaximum", 1_500, 500);
static UPDATE_VM_ONE: Rule = bucket("UpdateVMResource", 12, 4);
static DELETE_VM_ALL: Rule = bucket("DeleteVMSubscriptionMaximum", 1_500, 500);
static DELETE_VM_ONE: Rule = bucket("DeleteVMResource", 12, 4);
static POLL_ONE: Rule = bucket("GetOperationResource", 45, 15);
static POLL_ALL: Rule = bucket("GetOperationSubscriptionMaximum", 15_000, 5_000);
static DISK_GET_SHORT: Rule = three_minutes("LowCostGet3Min", 15_000);
static DISK_GET_LONG: Rule = thirty_minutes("LowCostGet30Min", 120_000);
static DISK_LIST_SHORT: Rule = three_minutes("HighCostGet3Min", 240);
static DISK_LIST_LONG: Rule = thirty_minutes("HighCostGet30Min", 1_920);
static DISK_PUT_SHORT: Rule = three_minutes("CreateUpdateDisks3Min", 3_000);
static DISK_PUT_LONG: Rule = thirty_minutes("CreateUpdateDisks30Min", 25_000);
static DISK_DELETE_SHORT: Rule = three_minutes("DeleteDisks3Min", 3_000);
static DISK_DELETE_LONG: Rule = thirty_minutes("DeleteDisks30Min", 24_000);
static SNAPSHOT_PUT_SHORT: Rule = three_minutes("HighCostSnapshotCreateHydrate3Min", 1_000);
static SNAPSHOT_PUT_LONG: Rule = thirty_minutes("HighCostSnapshotCreateHydrate30Min", 8_000);
static DISK_POLL_SHORT: Rule = three_minutes("GetOperation3Min", 50_000);
static DISK_POLL_LONG: Rule = thirty_minutes("GetOperation30Min", 400_000);
static PUT_COLLECTION_ONE: Rule = third_a_minute("PutRestorePointCollectionResource", 15);
static PUT_COLLECTION_ALL: Rule = third_a_minute("PutRestorePointCollectionSubscriptionMaximum", 150);
static UPDATE_COLLECTION_ONE: Rule = third_a_minute("UpdateRestorePointCollectionResource", 15);
static UPDATE_COLLECTION_ALL: Rule = third_a_minute("UpdateRestorePointCollectionSubscriptionMaximum", 150);
static GET_POINT_ALL: Rule = third_a_minute("LowCostGetRestorePointSubscriptionMaximum", 600);
static LIST_POINT_ALL: Rule = third_a_minute("HighCostGetRestorePointSubscriptionMaximum", 150);
static PUT_POINT_ONE: Rule = third_a_minute("PutRestorePointResource", 6);
static PUT_POINT_ALL: Rule = third_a_minute("PutRestorePointSubscriptionMaximum", 150);
static DELETE_POINT_ALL: Rule = third_a_minute("DeleteRestorePointSubscriptionMaximum", 360);
static APPLICATION_POINT: Rule = hourly("CreateApplicationConsistentRestorePoint", 3);
static CRASH_POINT: Rule = hourly("CreateCrashConsistentRestorePoint", 3);
static VAULT_WRITE: Rule = five_minutes("VaultWrites", 300);
static VAULT_DELETE: Rule = five_minutes("VaultDeletes", 50);
static BACKUP_GET: Rule = five_minutes("BackupReads", 300);
static BACKUP_JOBS: Rule = five_minutes("BackupJobReads", 450);

/// All budgets.
pub(crate) static BUDGETS: [&Rule; 46] = [
    &READS,
    &WRITES,
    &DELETES,
    &GLOBAL_READS,
    &GLOBAL_WRITES,
    &GLOBAL_DELETES,
    &TENANT_READS,
    &GRAPH,
    &LOW_GET_ALL,
    &LOW_GET_ONE,
    &HIGH_GET_ALL,
    &PUT_VM_ALL,
    &PUT_VM_ONE,
    &UPDATE_VM_ALL,
    &UPDATE_VM_ONE,
    &DELETE_VM_ALL,
    &DELETE_VM_ONE,
    &POLL_ONE,
    &POLL_ALL,
    &DISK_GET_SHORT,
    &DISK_GET_LONG,
    &DISK_LIST_SHORT,
    &DISK_LIST_LONG,
    &DISK_PUT_SHORT,
    &DISK_PUT_LONG,
    &DISK_DELETE_SHORT,
    &DISK_DELETE_LONG,
    &SNAPSHOT_PUT_SHORT,
    &SNAPSHOT_PUT_LONG,
    &DISK_POLL_SHORT,
    &DISK_POLL_LONG,
    &PUT_COLLECTION_ONE,
    &PUT_COLLECTION_ALL,
    &UPDATE_COLLECTION_ONE,
    &UPDATE_COLLECTION_ALL,
    &GET_POINT_ALL,
    &LIST_POINT_ALL,
    &PUT_POINT_ONE,
    &PUT_POINT_ALL,
    &DELETE_POINT_ALL,
    &APPLICATION_POINT,
    &CRASH_POINT,
    &VAULT_WRITE,
    &VAULT_DELETE,
    &BACKUP_GET,
    &BACKUP_JOBS,
];

/// What a call draws on at ARM itself: the subscription's budget of this principal, and that of all principals.
pub(crate) fn arm_charges(method: &str, subscription: Option<&str>, principal: &str) -> Vec<Charge> {
    let Some(subscription) = subscription else {
        return vec![Charge::new(&TENANT_READS, principal)];
    };
    let (own, all) = match method {
        "GET" | "HEAD" => (&READS, &GLOBAL_READS),
        "DELETE" => (&DELETES, &GLOBAL_DELETES),
        _ => (&WRITES, &GLOBAL_WRITES),
    };
    vec![Charge::new(own, format!("{subscription} {principal}")), Charge::new(all, subscription)]
}

/// What a call draws on at Compute, in the order in which the recorded header names it.
pub(crate) fn compute_charges(spend: Spend, whose: Whose<'_>) -> Vec<Charge> {
    let one = |rule| Charge::new(rule, format!("{} {}", whose.region, whose.resource));
    let all = |rule| Charge::new(rule, format!("{} {}", whose.region, whose.subscription));
    match spend {
        Spend::Nothing => Vec::new(),
        Spend::MachineGet => vec![all(&LOW_GET_ALL), one(&LOW_GET_ONE)],
        Spend::MachineList => vec![all(&HIGH_GET_ALL)],
        Spend::MachinePut => vec![all(&PUT_VM_ALL), one(&PUT_VM_ONE)],
        Spend::MachineUpdate => vec![all(&UPDATE_VM_ALL), one(&UPDATE_VM_ONE)],
        Spend::MachineDelete => vec![all(&DELETE_VM_ALL), one(&DELETE_VM_ONE)],
        Spend::DiskGet => vec![all(&DISK_GET_SHORT), all(&DISK_GET_LONG)],
        Spend::DiskList => vec![all(&DISK_LIST_SHORT), all(&DISK_LIST_LONG)],
        Spend::DiskPut => vec![all(&DISK_PUT_SHORT), all(&DISK_PUT_LONG)],
        Spend::SnapshotPut => vec![all(&SNAPSHOT_PUT_SHORT), all(&SNAPSHOT_PUT_LONG)],
        Spend::DiskDelete => vec![all(&DISK_DELETE_SHORT), all(&DISK_DELETE_LONG)],
        Spend::DiskPoll => vec![all(&DISK_POLL_SHORT), all(&DISK_POLL_LONG)],
        Spend::Poll => vec![one(&POLL_ONE), all(&POLL_ALL)],
        Spend::CollectionPut => vec![one(&PUT_COLLECTION_ONE), all(&PUT_COLLECTION_ALL)],
        Spend::CollectionUpdate => vec![one(&UPDATE_COLLECTION_ONE), all(&UPDATE_COLLECTION_ALL)],
        Spend::PointGet => vec![all(&GET_POINT_ALL)],
        Spend::PointList => vec![all(&LIST_POINT_ALL)],
        // *Assumed* (`point-budget-scope`): "resource" of this budget is the collection.
        Spend::PointPut => vec![one(&PUT_POINT_ONE), all(&PUT_POINT_ALL)],
        Spend::PointDelete => vec![all(&DELETE_POINT_ALL)],
        Spend::VaultWrite => vec![all(&VAULT_WRITE)],
        Spend::VaultDelete => vec![all(&VAULT_DELETE)],
        Spend::BackupGet => vec![all(&BACKUP_GET)],
        Spend::BackupJobs => vec![all(&BACKUP_JOBS)],
    }
}

/// What one more restore point of a machine draws on.
pub(crate) fn point_charge(crash: bool, machine: &str) -> Charge {
    Charge::new(if crash { &CRASH_POINT } else { &APPLICATION_POINT }, machine)
}

/// The header `x-ms-ratelimit-remaining-resource`.
pub(crate) fn compute_header(left: &[Left]) -> String {
    let parts: Vec<String> =
        left.iter().map(|left| format!("Microsoft.Compute/{};{}", left.rule.name, left.calls)).collect();
    parts.join(",")
}

/// ARM's own refusal; the code is documented, the interval in the text is *assumed* (`arm-429-words`).
pub(crate) fn arm_refusal(refusal: Refusal, subscription: &str) -> ArmError {
    let kind = refusal.rule.name.rsplit('-').next().unwrap_or("request").trim_end_matches('s');
    let (capacity, seconds) = (refusal.rule.capacity, refusal.retry_after_seconds);
    let message = format!(
        "Number of {kind} requests for subscription '{subscription}' exceeded the limit of '{capacity}' for time \
         interval '00:00:01'. Please try again after '{seconds}' seconds."
    );
    ArmError::gateway(429, "SubscriptionRequestsThrottled", message).with_header("retry-after", seconds.to_string())
}

/// Compute's refusal (documented): the detail's message is JSON in a text.
pub(crate) fn compute_refusal(refusal: Refusal, now: Timestamp) -> ArmError {
    let rule = refusal.rule;
    let end = now.checked_add(SignedDuration::from_secs(refusal.retry_after_seconds.into())).unwrap_or(now);
    let inner = json!({
        "operationGroup": rule.name,
        "startTime": stamp(now),
        "endTime": stamp(end),
        "allowedRequestCount": rule.capacity,
        "measuredRequestCount": rule.capacity + 1,
    });
    let detail = json!({ "code": "TooManyRequests", "target": rule.name, "message": inner.to_string() });
    let message = "The server rejected the request because too many requests have been received for this subscription.";
    ArmError::new(429, "OperationNotAllowed", message)
        .with_details(vec![detail])
        .with_header("retry-after", refusal.retry_after_seconds.to_string())
}

/// The refusal of Recovery Services. *Assumed* (`vault-sim-budgets`): code and wording.
pub(crate) fn vault_refusal(refusal: Refusal) -> ArmError {
    let message = "The request was throttled: too many requests have been received for this subscription.";
    ArmError::new(429, "TooManyRequests", message).with_header("retry-after", refusal.retry_after_seconds.to_string())
}
