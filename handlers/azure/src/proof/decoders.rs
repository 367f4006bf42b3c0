//! One table of what the client reads of each operation's answer, by the very functions that it reads with.
//!
//! It never decides what is right: it decodes, and tells what of an answer it should have kept.

use crate::{
    backup_jobs, disks,
    error::Error,
    failover, graph, health, locks,
    long_running::{Accepted, Acted},
    machines, networks,
    operations::Operation,
    paging, permissions, protectable_items, protected_items, protection, protection_status, public_addresses,
    replicated_items, replication, replication_jobs, resource_groups, restore_points, skus, snapshots, subscriptions,
    tags, target_sizes, traffic_manager,
    transport::Answer,
    usages, vault_operations, vault_points, vault_policies, vaults,
};
use backup::{
    JOB, PRE_CHECK, PROTECTABLE_ITEM, PROTECTED_ITEM, PROTECTION_STATUS, TAGS, VAULT, VAULT_OPERATION, VAULT_POINT,
    VAULT_POLICY, VAULT_USAGE, enabled, tagged,
};
use jiff::Timestamp;
use recovery::{CONTAINER, ENDPOINT, FABRIC, MAPPING, PROFILE, REPLICA, REPLICA_JOB, REPLICA_POINT, TARGET_SIZE};
use serde_json::Value;
use std::fmt::Debug;

mod backup;
mod recovery;

/// How an answer is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The body is the resource.
    One,
    /// The body has a page of them.
    Page,
    /// The body has rows.
    Rows,
    /// There is nothing to read but status and headers.
    Nothing,
}

/// What is read of one operation's answer.
pub struct Decoder {
    pub operation: &'static Operation,
    pub layout: Layout,
    /// Decodes as the client does; gives each resource's text.
    pub decode: fn(&'static Operation, &Answer) -> Result<Vec<String>, Error>,
    /// What is kept of each resource: a JSON pointer (`*` for every entry of a list or a map), and the field that it goes to.
    pub kept: &'static [(&'static str, &'static str)],
}

fn one<T: Debug>(operation: &'static Operation, answer: &Answer, read: fn(&Value) -> Option<T>) -> Texts {
    let value = crate::arm::decode(operation.action, answer)?;
    let read = read(&value).ok_or_else(|| Error::malformed(operation.action, "without what identifies it"))?;
    Ok(vec![format!("{read:?}")])
}

fn page<T: Debug>(operation: &'static Operation, answer: &Answer, read: fn(&Value) -> Option<T>) -> Texts {
    let entries = paging::Page::read(operation.action, answer)?.each(operation.action, read)?;
    Ok(entries.iter().map(|entry| format!("{entry:?}")).collect())
}

fn acted(operation: &'static Operation, answer: &Answer) -> Texts {
    Ok(vec![format!("{:?}", Acted::read(operation, answer, Timestamp::MIN))])
}

/// A row of any query of ours; a row without an id is none of ours, and an answer about such rows is read for its paging.
fn rows(_: &'static Operation, answer: &Answer) -> Texts {
    let read = |row: graph::Row| Some(format!("{:?} {:?}", row.clone().machine(), row.collection()));
    let page = graph::Page::read(&answer.body, read)?;
    Ok(page.rows.iter().map(|row| format!("{row} next: {:?}", page.next)).collect())
}

type Texts = Result<Vec<String>, Error>;

const NOTHING: &[(&str, &str)] = &[];
const SUBSCRIPTION: &[(&str, &str)] =
    &[("/subscriptionId", "id"), ("/displayName", "name"), ("/state", "state"), ("/tenantId", "tenant_id")];
const REGION: &[(&str, &str)] = &[
    ("/name", "name"),
    ("/displayName", "display_name"),
    ("/metadata/regionType", "physical"),
    ("/metadata/geography", "geography"),
    ("/metadata/pairedRegion/*/name", ""),
    ("/availabilityZoneMappings/*/logicalZone", "logical"),
    ("/availabilityZoneMappings/*/physicalZone", "physical"),
];
const GROUP: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/location", "location"),
    ("/tags/*", ""),
    ("/properties/provisioningState", "provisioning_state"),
];
const NETWORK: &[(&str, &str)] = &[("/id", "id"), ("/location", "location")];
const ADDRESS: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/location", "location"),
    ("/properties/ipAddress", "ip"),
    ("/properties/dnsSettings/fqdn", "fqdn"),
    ("/properties/ipConfiguration/id", "holder"),
];
const LOCK: &[(&str, &str)] =
    &[("/id", "id"), ("/name", "name"), ("/properties/level", "level"), ("/properties/notes", "notes")];
const PERMISSION: &[(&str, &str)] =
    &[("/actions/*", ""), ("/notActions/*", ""), ("/dataActions/*", ""), ("/notDataActions/*", "")];
const MACHINE: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/location", "location"),
    ("/tags/*", ""),
    ("/zones/*", ""),
    ("/managedBy", "managed_by"),
    ("/resources/*/name", ""),
    ("/etag", "etag"),
    ("/properties/vmId", "vm_id"),
    ("/properties/timeCreated", "time_created"),
    ("/properties/provisioningState", "provisioning_state"),
    ("/properties/hardwareProfile/vmSize", "size"),
    ("/properties/securityProfile/securityType", "security_type"),
    ("/properties/virtualMachineScaleSet/id", "scale_set"),
    ("/properties/storageProfile/osDisk/osType", "os"),
    ("/properties/storageProfile/osDisk/name", "name"),
    ("/properties/storageProfile/osDisk/managedDisk/id", "id"),
    ("/properties/storageProfile/osDisk/managedDisk/storageAccountType", "storage"),
    ("/properties/storageProfile/osDisk/writeAcceleratorEnabled", "write_accelerator"),
    ("/properties/storageProfile/osDisk/diffDiskSettings/option", "ephemeral"),
    ("/properties/storageProfile/dataDisks/*/lun", "lun"),
    ("/properties/storageProfile/dataDisks/*/name", "name"),
    ("/properties/storageProfile/dataDisks/*/managedDisk/id", "id"),
    ("/properties/storageProfile/dataDisks/*/managedDisk/storageAccountType", "storage"),
    ("/properties/storageProfile/dataDisks/*/writeAcceleratorEnabled", "write_accelerator"),
    ("/properties/instanceView/vmAgent/statuses/0/code", "agent"),
];
const VIEW: &[(&str, &str)] = &[
    ("/vmAgent/statuses/0/code", "agent"),
    ("/vmAgent/vmAgentVersion", "agent_version"),
    ("/osName", "os_name"),
    ("/computerName", "computer_name"),
];
const USAGE: &[(&str, &str)] =
    &[("/name/value", "name"), ("/currentValue", "current"), ("/limit", "limit"), ("/unit", "unit")];
const SKU: &[(&str, &str)] = &[
    ("/resourceType", "resource_type"),
    ("/name", "name"),
    ("/tier", "tier"),
    ("/size", "size"),
    ("/family", "family"),
    ("/locations/*", ""),
    ("/locationInfo/*/location", ""),
    ("/locationInfo/*/zones/*", ""),
    ("/capabilities/*/name", ""),
    ("/capabilities/*/value", ""),
    ("/restrictions/*/type", "kind"),
    ("/restrictions/*/reasonCode", "reason"),
    ("/restrictions/*/restrictionInfo/locations/*", ""),
    ("/restrictions/*/restrictionInfo/zones/*", ""),
];
const DISK: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/location", "location"),
    ("/tags/*", ""),
    ("/zones/*", ""),
    ("/sku/name", "sku"),
    ("/managedBy", "managed_by"),
    ("/properties/provisioningState", "provisioning_state"),
    ("/properties/diskState", "state"),
    ("/properties/uniqueId", "unique_id"),
    ("/properties/diskSizeGB", "size_gb"),
    ("/properties/diskSizeBytes", "size_bytes"),
    ("/properties/timeCreated", "time_created"),
    ("/properties/creationData/sourceResourceId", "source"),
];
const SNAPSHOT: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/location", "location"),
    ("/tags/*", ""),
    ("/sku/name", "sku"),
    ("/properties/provisioningState", "provisioning_state"),
    ("/properties/creationData/sourceResourceId", "source"),
    ("/properties/creationData/sourceUniqueId", "source_unique_id"),
    ("/properties/incremental", "incremental"),
    ("/properties/incrementalSnapshotFamilyId", "family"),
    ("/properties/uniqueId", "unique_id"),
    ("/properties/timeCreated", "time_created"),
    ("/properties/diskSizeGB", "size_gb"),
    ("/properties/diskSizeBytes", "size_bytes"),
    ("/properties/diskState", "state"),
    ("/properties/completionPercent", "completion"),
    ("/properties/copyCompletionError/errorCode", "code"),
    ("/properties/copyCompletionError/errorMessage", "message"),
];
const COLLECTION: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/location", "location"),
    ("/tags/*", ""),
    ("/properties/source/id", "source"),
    ("/properties/provisioningState", "provisioning_state"),
    ("/properties/restorePoints/*/id", "id"),
    ("/properties/restorePoints/*/properties/provisioningState", "state"),
    ("/properties/restorePoints/*/properties/consistencyMode", "consistency"),
    ("/properties/restorePoints/*/properties/timeCreated", "time_created"),
    ("/properties/restorePoints/*/properties/sourceMetadata/vmId", "source_vm_id"),
];
const POINT: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/properties/provisioningState", "state"),
    ("/properties/consistencyMode", "consistency"),
    ("/properties/timeCreated", "time_created"),
    ("/properties/excludeDisks/*/id", ""),
    ("/properties/sourceMetadata/vmId", "source_vm_id"),
    ("/properties/sourceMetadata/storageProfile/osDisk/managedDisk/id", ""),
    ("/properties/sourceMetadata/storageProfile/dataDisks/*/managedDisk/id", ""),
    ("/properties/sourceMetadata/storageProfile/osDisk/diskRestorePoint/id", ""),
    ("/properties/sourceMetadata/storageProfile/dataDisks/*/diskRestorePoint/id", ""),
];
const STATUS: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/location", "location"),
    ("/properties/availabilityState", "state"),
    ("/properties/title", "title"),
    ("/properties/summary", "summary"),
    ("/properties/reasonType", "reason"),
    ("/properties/reasonChronicity", "chronicity"),
    ("/properties/context", "context"),
    ("/properties/healthEventCause", "cause"),
    ("/properties/occuredTime", "occurred"),
    ("/properties/reportedTime", "reported"),
    ("/properties/resolutionETA", "expected_end"),
];
const EVENT: &[(&str, &str)] = &[
    ("/name", "tracking_id"),
    ("/properties/eventType", "kind"),
    ("/properties/eventSource", "source"),
    ("/properties/status", "status"),
    ("/properties/title", "title"),
    ("/properties/level", "level"),
    ("/properties/impactStartTime", "started"),
    ("/properties/impactMitigationTime", "mitigated"),
    ("/properties/lastUpdateTime", "updated"),
    ("/properties/isHIR", "high_impact"),
    ("/properties/impact/*/impactedService", "service"),
    ("/properties/impact/*/impactedRegions/*/impactedRegion", "name"),
    ("/properties/impact/*/impactedRegions/*/status", "status"),
    ("/properties/impact/*/impactedRegions/*/lastUpdateTime", "updated"),
];
const ROW: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/name", "name"),
    ("/location", "location"),
    ("/resourceGroup", "resource_group"),
    ("/tags/*", ""),
];

macro_rules! decoder {
    ($operation:path, $layout:ident, $how:ident, $read:path, $kept:ident) => {
        Decoder {
            operation: &$operation,
            layout: Layout::$layout,
            decode: |operation, answer| $how(operation, answer, $read),
            kept: $kept,
        }
    };
    ($operation:path, $layout:ident, $how:path, $kept:ident) => {
        Decoder { operation: &$operation, layout: Layout::$layout, decode: $how, kept: $kept }
    };
}

/// One for each operation.
pub const DECODERS: &[Decoder] = &[
    decoder!(subscriptions::GET, One, one, subscriptions::read, SUBSCRIPTION),
    decoder!(subscriptions::LIST, Page, page, subscriptions::read, SUBSCRIPTION),
    decoder!(subscriptions::LOCATIONS, Page, page, subscriptions::read_region, REGION),
    decoder!(resource_groups::CREATE, One, one, resource_groups::read, GROUP),
    decoder!(resource_groups::GET, One, one, resource_groups::read, GROUP),
    decoder!(resource_groups::LIST, Page, page, resource_groups::read, GROUP),
    decoder!(locks::LIST_AT_RESOURCE, Page, page, locks::read, LOCK),
    decoder!(locks::LIST_AT_GROUP, Page, page, locks::read, LOCK),
    decoder!(locks::LIST_AT_SUBSCRIPTION, Page, page, locks::read, LOCK),
    decoder!(permissions::LIST_FOR_GROUP, Page, page, permissions::read, PERMISSION),
    decoder!(permissions::LIST_FOR_RESOURCE, Page, page, permissions::read, PERMISSION),
    decoder!(machines::GET, One, one, machines::read, MACHINE),
    decoder!(machines::LIST_IN_GROUP, Page, page, machines::listed, MACHINE),
    decoder!(machines::LIST, Page, page, machines::listed, MACHINE),
    decoder!(machines::INSTANCE_VIEW, One, one, machines::read_view, VIEW),
    decoder!(machines::SET_TAGS, One, one, machines::read, MACHINE),
    decoder!(machines::DEALLOCATE, Nothing, acted, NOTHING),
    decoder!(machines::START, Nothing, acted, NOTHING),
    decoder!(machines::POWER_OFF, Nothing, acted, NOTHING),
    decoder!(networks::GET, One, one, networks::read, NETWORK),
    decoder!(public_addresses::LIST, Page, page, public_addresses::read, ADDRESS),
    decoder!(public_addresses::GET, One, one, public_addresses::read, ADDRESS),
    decoder!(usages::LIST, Page, page, usages::read, USAGE),
    decoder!(skus::LIST, Page, page, skus::read, SKU),
    decoder!(disks::GET, One, one, disks::read, DISK),
    decoder!(disks::LIST_IN_GROUP, Page, page, disks::read, DISK),
    decoder!(disks::LIST, Page, page, disks::read, DISK),
    decoder!(snapshots::CREATE, One, one, snapshots::read, SNAPSHOT),
    decoder!(snapshots::GET, One, one, snapshots::read, SNAPSHOT),
    decoder!(snapshots::LIST_IN_GROUP, Page, page, snapshots::read, SNAPSHOT),
    decoder!(snapshots::LIST, Page, page, snapshots::read, SNAPSHOT),
    decoder!(snapshots::DELETE, Nothing, acted, NOTHING),
    decoder!(restore_points::CREATE_COLLECTION, One, one, restore_points::read_collection, COLLECTION),
    decoder!(restore_points::GET_COLLECTION, One, one, restore_points::read_collection, COLLECTION),
    decoder!(restore_points::LIST_COLLECTIONS, Page, page, restore_points::read_collection, COLLECTION),
    decoder!(restore_points::CREATE, One, one, restore_points::read_point, POINT),
    decoder!(restore_points::GET, One, one, restore_points::read_point, POINT),
    decoder!(restore_points::DELETE, Nothing, acted, NOTHING),
    decoder!(tags::GET, One, one, tags::read, TAGS),
    decoder!(tags::UPDATE, One, tagged, TAGS),
    decoder!(vaults::LIST, Page, page, vaults::read, VAULT),
    decoder!(vaults::GET, One, one, vaults::read, VAULT),
    decoder!(vaults::LIST_USAGES, Page, page, vaults::read_usage, VAULT_USAGE),
    decoder!(vault_policies::GET, One, one, vault_policies::read, VAULT_POLICY),
    decoder!(vault_policies::LIST, Page, page, vault_policies::read, VAULT_POLICY),
    decoder!(protectable_items::LIST, Page, page, protectable_items::read, PROTECTABLE_ITEM),
    decoder!(protectable_items::REFRESH, Nothing, acted, NOTHING),
    decoder!(protectable_items::REFRESH_RESULT, Nothing, acted, NOTHING),
    decoder!(protection_status::STATUS, One, one, protection_status::read, PROTECTION_STATUS),
    decoder!(protection_status::PRE_CHECK, One, one, protection_status::read_check, PRE_CHECK),
    decoder!(protected_items::LIST, Page, page, protected_items::read, PROTECTED_ITEM),
    decoder!(protected_items::GET, One, one, protected_items::read, PROTECTED_ITEM),
    decoder!(protection::ENABLE, One, enabled, PROTECTED_ITEM),
    decoder!(protection::BACK_UP_NOW, Nothing, acted, NOTHING),
    decoder!(vault_operations::GET, One, backup::operation, VAULT_OPERATION),
    decoder!(backup_jobs::LIST, Page, page, backup_jobs::read, JOB),
    decoder!(backup_jobs::GET, One, one, backup_jobs::read, JOB),
    decoder!(vault_points::LIST, Page, page, vault_points::read, VAULT_POINT),
    decoder!(replication::LIST_FABRICS, Page, page, replication::read_fabric, FABRIC),
    decoder!(replication::LIST_CONTAINERS, Page, page, replication::read_container, CONTAINER),
    decoder!(replication::LIST_MAPPINGS, Page, page, replication::read_mapping, MAPPING),
    decoder!(replication::LIST_POINTS, Page, page, replication::read_point, REPLICA_POINT),
    decoder!(target_sizes::LIST, Page, page, target_sizes::read, TARGET_SIZE),
    decoder!(replicated_items::LIST, Page, page, replicated_items::read, REPLICA),
    decoder!(replicated_items::GET, One, one, replicated_items::read, REPLICA),
    decoder!(failover::FAIL_OVER, Nothing, recovery::ordered, NOTHING),
    decoder!(failover::CHANGE_POINT, Nothing, recovery::ordered, NOTHING),
    decoder!(failover::COMMIT, Nothing, recovery::ordered, NOTHING),
    decoder!(failover::PROTECT_OTHER_WAY, Nothing, recovery::ordered, NOTHING),
    decoder!(replication_jobs::LIST, Page, page, replication_jobs::read, REPLICA_JOB),
    decoder!(replication_jobs::GET, One, one, replication_jobs::read, REPLICA_JOB),
    decoder!(traffic_manager::LIST, Page, page, traffic_manager::read, PROFILE),
    decoder!(traffic_manager::GET, One, one, traffic_manager::read, PROFILE),
    decoder!(traffic_manager::GET_ENDPOINT, One, one, traffic_manager::read_endpoint, ENDPOINT),
    decoder!(traffic_manager::SET_ENDPOINT, One, one, traffic_manager::read_endpoint, ENDPOINT),
    decoder!(health::CURRENT, One, one, health::read_status, STATUS),
    decoder!(health::LIST_STATUSES, Page, page, health::read_status, STATUS),
    decoder!(health::LIST_EVENTS, Page, page, health::read_event, EVENT),
    decoder!(graph::QUERY, Rows, rows, ROW),
];

/// The decoder of an operation.
pub fn of(operation: &'static Operation) -> &'static Decoder {
    DECODERS.iter().find(|decoder| *decoder.operation == *operation).expect("every operation has a decoder")
}

impl Decoder {
    /// Decodes, and reads where an operation that goes on is asked about.
    pub fn decode(&self, answer: &Answer) -> Texts {
        let _ = Accepted::read(answer, Timestamp::MIN);
        (self.decode)(self.operation, answer)
    }

    /// The resources in a body.
    pub fn resources<'a>(&self, body: &'a Value) -> Vec<&'a Value> {
        match self.layout {
            Layout::One => vec![body],
            Layout::Page => crate::json::list(body, "/value").iter().collect(),
            Layout::Rows => crate::json::list(body, "/data").iter().collect(),
            Layout::Nothing => Vec::new(),
        }
    }

    /// Whether a resource is one that we ask for: a row without an id is of a query that is none of ours.
    pub fn is_ours(&self, resource: &Value) -> bool {
        self.layout != Layout::Rows || crate::json::text(resource, "/id").is_some()
    }
}
