//! Where Site Recovery and Traffic Manager do not answer as their documents say: they write null for what is not there, and some
//! words that the documents do not have.
//! It never excuses what no recording shows.

use std::sync::LazyLock;

use super::Deviation;

const SITE_RECOVERY: &str = "service.json";
const TRAFFIC_MANAGER: &str = "trafficmanager.json";
const A2A: &str = "siterecovery_A2A_scenarios.jsonl";
const VAULT: &str = "siterecovery_vault_scenarios.jsonl";
const ELSEWHERE: &str = "siterecovery_V2A_RCMInMage_scenarios.jsonl";
const TRAFFIC: &str = "network_traffic_manager.jsonl";
/// What is found where null stands for nothing.
const NULL: &str = "is not of type";

/// Fields of one operation's answer that one line of a tape proves.
struct Group {
    document: &'static str,
    operation: &'static str,
    expected: &'static str,
    proof: (&'static str, usize),
    within: &'static str,
    fields: &'static [&'static str],
}

/// All of them, one by one.
pub static DEVIATIONS: LazyLock<Vec<Deviation>> = LazyLock::new(|| {
    let each = |group: &Group| {
        let Group { document, operation, expected, proof: (tape, line), within, fields } = *group;
        let one = move |field: &&'static str| {
            let place: &'static str = format!("{within}{field}").leak();
            Deviation { document, operation, place, expected, tape, line }
        };
        fields.iter().map(one).collect::<Vec<_>>()
    };
    GROUPS.iter().flat_map(each).collect()
});

const GROUPS: &[Group] = &[
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationFabrics_List",
        expected: NULL,
        proof: (ELSEWHERE, 8),
        within: "answer/",
        fields: &["nextLink"],
    },
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationJobs_Get",
        expected: "is not one of",
        proof: (VAULT, 28),
        within: "answer/",
        fields: &["properties/tasks/*/customDetails/instanceType"],
    },
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationJobs_Get",
        expected: NULL,
        proof: (VAULT, 28),
        within: "answer/",
        fields: &["properties/tasks/*/groupTaskCustomDetails"],
    },
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationJobs_List",
        expected: NULL,
        proof: (VAULT, 27),
        within: "answer/",
        fields: &["nextLink", "value/*/properties/activityId", "value/*/properties/customDetails"],
    },
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationProtectedItems_Get",
        expected: "date-time",
        proof: (A2A, 52),
        within: "answer/properties/providerSpecificDetails/",
        fields: &["agentExpiryDate"],
    },
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationProtectedItems_Get",
        expected: NULL,
        proof: (A2A, 52),
        within: "answer/",
        fields: &[
            "properties/failoverRecoveryPointId",
            "properties/protectableItemId",
            "properties/switchProviderStateDescription",
        ],
    },
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationProtectedItems_Get",
        expected: NULL,
        proof: (A2A, 52),
        within: "answer/properties/providerSpecificDetails/",
        fields: &[
            "initialPrimaryExtendedLocation",
            "initialRecoveryExtendedLocation",
            "lastRpoCalculatedTime",
            "lifecycleId",
            "primaryAvailabilityZone",
            "primaryExtendedLocation",
            "protectedDisks",
            "recoveryAvailabilitySet",
            "recoveryAvailabilityZone",
            "recoveryBootDiagStorageAccountId",
            "recoveryCapacityReservationGroupId",
            "recoveryCloudService",
            "recoveryExtendedLocation",
            "recoveryFabricObjectId",
            "recoveryProximityPlacementGroupId",
            "recoveryVirtualMachineScaleSetId",
            "rpoInSeconds",
            "selectedRecoveryAzureNetworkId",
            "selectedTfoAzureNetworkId",
            "testFailoverRecoveryFabricObjectId",
            "unprotectedDisks",
        ],
    },
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationProtectedItems_Get",
        expected: NULL,
        proof: (A2A, 52),
        within: "answer/properties/providerSpecificDetails/protectedManagedDisks/*/",
        fields: &[
            "dekKeyVaultArmId",
            "kekKeyVaultArmId",
            "keyIdentifier",
            "monitoringJobType",
            "monitoringPercentageCompletion",
            "primaryDiskEncryptionSetId",
            "recoveryDiskEncryptionSetId",
            "recoveryOrignalTargetDiskId",
            "recoveryTargetDiskId",
            "secretIdentifier",
        ],
    },
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationProtectedItems_Get",
        expected: NULL,
        proof: (A2A, 55),
        within: "answer/",
        fields: &["properties/healthErrors/*/recoveryProviderErrorMessage"],
    },
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationProtectedItems_Get",
        expected: NULL,
        proof: (A2A, 55),
        within: "answer/properties/providerSpecificDetails/vmNics/*/",
        fields: &[
            "enableAcceleratedNetworkingOnTfo",
            "recoveryNetworkSecurityGroupId",
            "recoveryNicName",
            "recoveryNicResourceGroupName",
            "replicaNicId",
            "targetNicName",
            "tfoNetworkSecurityGroupId",
            "tfoRecoveryNicName",
            "tfoRecoveryNicResourceGroupName",
            "tfoVMNetworkId",
        ],
    },
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationProtectedItems_Get",
        expected: NULL,
        proof: (A2A, 55),
        within: "answer/properties/providerSpecificDetails/vmNics/*/ipConfigs/*/",
        fields: &[
            "recoveryLBBackendAddressPoolIds",
            "recoveryPublicIPAddressId",
            "tfoLBBackendAddressPoolIds",
            "tfoPublicIPAddressId",
            "tfoStaticIPAddress",
            "tfoSubnetName",
        ],
    },
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationProtectedItems_Get",
        expected: NULL,
        proof: (A2A, 74),
        within: "answer/properties/providerSpecificDetails/vmNics/*/",
        fields: &["vMNetworkName"],
    },
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationProtectedItems_Get",
        expected: NULL,
        proof: (A2A, 74),
        within: "answer/properties/providerSpecificDetails/vmNics/*/ipConfigs/*/",
        fields: &["name", "staticIPAddress", "subnetName"],
    },
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationProtectedItems_List",
        expected: NULL,
        proof: (VAULT, 10),
        within: "answer/",
        fields: &["nextLink"],
    },
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationProtectionContainerMappings_List",
        expected: NULL,
        proof: (VAULT, 12),
        within: "answer/",
        fields: &["nextLink"],
    },
    Group {
        document: SITE_RECOVERY,
        operation: "ReplicationProtectionContainers_List",
        expected: NULL,
        proof: (VAULT, 11),
        within: "answer/",
        fields: &["nextLink"],
    },
    Group {
        document: TRAFFIC_MANAGER,
        operation: "*",
        expected: NULL,
        proof: (TRAFFIC, 7),
        within: "answer/",
        fields: &["properties/endpointLocation", "properties/minChildEndpoints", "properties/targetResourceId"],
    },
    Group {
        document: TRAFFIC_MANAGER,
        operation: "*",
        expected: NULL,
        proof: (TRAFFIC, 5),
        within: "answer/value/*/",
        fields: &["properties/maxReturn"],
    },
    Group {
        document: TRAFFIC_MANAGER,
        operation: "Profiles_Get",
        expected: NULL,
        proof: (TRAFFIC, 3),
        within: "answer/",
        fields: &["properties/maxReturn"],
    },
    Group {
        document: TRAFFIC_MANAGER,
        operation: "Profiles_Get",
        expected: NULL,
        proof: (TRAFFIC, 10),
        within: "answer/",
        fields: &[
            "properties/endpoints/*/properties/endpointLocation",
            "properties/endpoints/*/properties/minChildEndpoints",
            "properties/endpoints/*/properties/targetResourceId",
        ],
    },
];
