//! What is kept of the answers of Site Recovery and Traffic Manager, and how those are decoded that are more than a resource.
//!
//! It never decides what is right.

use super::Texts;
use crate::{failover, operations::Operation, transport::Answer};
use jiff::Timestamp;

pub const FABRIC: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/properties/customDetails/instanceType", "kind"),
    ("/properties/customDetails/location", "location"),
    ("/properties/health", "health"),
];
pub const CONTAINER: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/properties/fabricType", "kind"),
    ("/properties/pairingStatus", "pairing"),
    ("/properties/protectedItemCount", "items"),
];
pub const MAPPING: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/properties/policyId", "policy"),
    ("/properties/state", "state"),
    ("/properties/health", "health"),
];
pub const REPLICA_POINT: &[(&str, &str)] =
    &[("/id", "id"), ("/properties/recoveryPointTime", "time"), ("/properties/recoveryPointType", "consistency")];
pub const TARGET_SIZE: &[(&str, &str)] = &[("/properties/name", "name"), ("/properties/errors/*/message", "")];
pub const REPLICA: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/name", "name"),
    ("/properties/friendlyName", "friendly_name"),
    ("/properties/activeLocation", "active"),
    ("/properties/allowedOperations/*", ""),
    ("/properties/replicationHealth", "replication_health"),
    ("/properties/failoverHealth", "failover_health"),
    ("/properties/healthErrors/*/errorCode", "code"),
    ("/properties/healthErrors/*/errorLevel", "level"),
    ("/properties/healthErrors/*/errorCategory", "category"),
    ("/properties/healthErrors/*/errorMessage", "message"),
    ("/properties/policyId", "policy"),
    ("/properties/failoverRecoveryPointId", "failover_point"),
    ("/properties/lastSuccessfulFailoverTime", "last_failover"),
    ("/properties/providerSpecificDetails/instanceType", "way"),
    ("/properties/providerSpecificDetails/primaryFabricLocation", "primary_location"),
    ("/properties/providerSpecificDetails/recoveryFabricLocation", "recovery_location"),
    ("/properties/providerSpecificDetails/recoveryAzureVMSize", "recovery_size"),
    ("/properties/providerSpecificDetails/recoveryAzureVMName", "recovery_name"),
    ("/properties/providerSpecificDetails/vmNics/*/vMNetworkName", ""),
    ("/properties/providerSpecificDetails/rpoInSeconds", "rpo_seconds"),
    ("/properties/providerSpecificDetails/multiVmGroupId", "group"),
    ("/properties/providerSpecificDetails/multiVmGroupCreateOption", "group_option"),
];
pub const REPLICA_JOB: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/name", "name"),
    ("/properties/scenarioName", "scenario"),
    ("/properties/state", "state"),
    ("/properties/stateDescription", "description"),
    ("/properties/startTime", "started"),
    ("/properties/endTime", "ended"),
    ("/properties/targetObjectName", "object"),
    ("/properties/tasks/*/name", "name"),
    ("/properties/tasks/*/state", "state"),
    ("/properties/tasks/*/startTime", "started"),
    ("/properties/tasks/*/endTime", "ended"),
    ("/properties/errors/*/serviceErrorDetails/code", "code"),
    ("/properties/errors/*/serviceErrorDetails/message", "message"),
    ("/properties/errors/*/errorLevel", "level"),
];
pub const PROFILE: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/properties/profileStatus", "status"),
    ("/properties/trafficRoutingMethod", "routing"),
    ("/properties/dnsConfig/fqdn", "fqdn"),
    ("/properties/dnsConfig/ttl", "ttl_seconds"),
    ("/properties/monitorConfig/profileMonitorStatus", "monitor"),
    ("/properties/monitorConfig/intervalInSeconds", "interval_seconds"),
    ("/properties/monitorConfig/timeoutInSeconds", "timeout_seconds"),
    ("/properties/monitorConfig/toleratedNumberOfFailures", "tolerated"),
    ("/properties/endpoints/*/id", "id"),
    ("/properties/endpoints/*/properties/endpointStatus", "enabled"),
    ("/properties/endpoints/*/properties/endpointMonitorStatus", "monitor"),
    ("/properties/endpoints/*/properties/target", "target"),
    ("/properties/endpoints/*/properties/priority", "priority"),
];
pub const ENDPOINT: &[(&str, &str)] = &[
    ("/id", "id"),
    ("/properties/endpointStatus", "enabled"),
    ("/properties/endpointMonitorStatus", "monitor"),
    ("/properties/target", "target"),
    ("/properties/targetResourceId", "resource"),
    ("/properties/priority", "priority"),
    ("/properties/alwaysServe", "always_serve"),
];

pub fn ordered(operation: &'static Operation, answer: &Answer) -> Texts {
    Ok(vec![format!("{:?}", failover::read(operation, answer, Timestamp::MIN))])
}
