//! How Site Recovery writes a replicated machine. All shapes are recorded, but for those between failover and reversal.
//! It never tells more than the item's stage does in the recordings.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::ids::{guid_of, stamp_z};
use super::super::machines::Os;
use super::super::state::State;
use super::items::{Phase, Replica, ReplicaDisk, Stage};
use super::operations::seven;
use super::{KIND, above, last};

/// Bytes of a GiB.
const GIB_BYTES: u64 = 1 << 30;
/// What an item has that waits for nothing (recorded).
const NO_SCENARIO: (&str, &str) = ("None", "1753-01-01T01:01:01Z");
/// When a machine without points for so long is called critical, in minutes. *Assumed* (`sr-sim-health`).
const CRITICAL_MINUTES: i64 = 60;

/// How long the agent's certificate is good, in hours: three years (recorded).
const CERTIFICATE_HOURS: i64 = 3 * 365 * 24;

/// State, description, what may be done.
type Words = (&'static str, &'static str, &'static [&'static str]);

/// The network of a group's machines (as the recorded ones are called).
pub(super) fn network_of(group: &str) -> String {
    format!("{group}/providers/Microsoft.Network/virtualNetworks/{}-vnet", last(group))
}

impl Replica {
    /// *Assumed* (`sr-sim-failed-over`): all that is said between failover and reversal; for other sources of machines it is
    /// recorded. What runs leaves nothing else to do.
    fn words(&self) -> Words {
        let (state, description, allowed): Words = match self.phase {
            Phase::Replicating(Stage::Protected) => {
                ("Protected", "Protected", &["UnplannedFailover", "DisableProtection", "TestFailover"])
            }
            Phase::Replicating(Stage::Copied) => (
                "InitialReplicationRecoveryCompletionPending",
                "Waiting for first recovery point",
                &["DisableProtection"],
            ),
            Phase::Replicating(_) => {
                ("InitialReplicationInProgress", "Initial replication is in progress", &["DisableProtection"])
            }
            Phase::FailedOver(_) => (
                "UnplannedFailoverCommitPendingStatesBegin",
                "Failover completed",
                &["CompleteMigration", "Commit", "DisableProtection", "ChangePit"],
            ),
            Phase::Committed(_) => ("UnplannedFailoverCommitted", "Failover committed", &["DisableProtection"]),
        };
        (state, description, if self.running.is_some() { &[] } else { allowed })
    }

    /// As `GET` and lists answer.
    pub(super) fn json(&self, state: &State, now: Timestamp) -> Value {
        let recovery = &state.recovery;
        let (protection, description, allowed) = self.words();
        let vault = above(&self.id, 6);
        let failover = match &self.phase {
            Phase::FailedOver(failover) | Phase::Committed(failover) => Some(failover),
            Phase::Replicating(_) => None,
        };
        let protected = self.is_protected();
        let entity = guid_of(state.seed, "entity", &format!("{} {}", self.id, self.turn));
        let (scenario, job, started) = match &self.running {
            Some(running) => (running.scenario, running.operation.as_str(), seven(running.started)),
            None => (NO_SCENARIO.0, "None", NO_SCENARIO.1.to_owned()),
        };
        let mut properties = json!({
            "friendlyName": self.machine_name,
            "protectedItemType": "",
            "protectableItemId": null,
            "recoveryServicesProviderId": format!(
                "{}/replicationRecoveryServicesProviders/{}",
                self.fabric, guid_of(state.seed, "provider", &self.fabric)
            ),
            "primaryFabricFriendlyName": recovery.friendly(&self.fabric),
            "primaryFabricProvider": "AzureFabric",
            "recoveryFabricFriendlyName": recovery.friendly(&self.recovery_fabric),
            "recoveryFabricId": self.recovery_fabric,
            "primaryProtectionContainerFriendlyName": last(above(&self.id, 2)),
            "recoveryProtectionContainerFriendlyName": last(&self.recovery_container),
            "protectionState": protection,
            "protectionStateDescription": description,
            "activeLocation": if failover.is_some() { "Recovery" } else { "Primary" },
            "testFailoverState": "None",
            "testFailoverStateDescription": "None",
            "switchProviderState": "None",
            "switchProviderStateDescription": null,
            "allowedOperations": allowed,
            "replicationHealth": self.health(state.seed, now),
            "failoverHealth": if protected { "Warning" } else { "Normal" },
            "healthErrors": if protected { json!([self.never_tested(&entity)]) } else { json!([]) },
            "policyId": self.policy,
            "policyFriendlyName": last(&self.policy),
            "currentScenario": {
                "scenarioName": scenario,
                "jobId": format!("{vault}/replicationJobs/{job}"),
                "startTime": started,
            },
            "failoverRecoveryPointId": failover.map(|failover| self.point_id(&failover.point)),
            "providerSpecificDetails": self.details(state, now),
            "recoveryContainerId": self.recovery_container,
            "eventCorrelationId": guid_of(state.seed, "events of", &format!("{} {}", self.id, self.turn)),
        });
        if let Some(failover) = failover {
            properties["lastSuccessfulFailoverTime"] = json!(seven(failover.asked));
        }
        json!({
            "id": self.id,
            "name": last(&self.id),
            "type": format!("{KIND}/replicationFabrics/replicationProtectionContainers/replicationProtectedItems"),
            "properties": properties,
        })
    }

    /// How old its newest point is, in seconds.
    pub(super) fn rpo_seconds(&self, seed: u64, now: Timestamp) -> Option<i64> {
        let newest = self.newest(seed).filter(|_| self.is_protected())?;
        Some(now.duration_since(newest.at).as_secs().max(0))
    }

    fn health(&self, seed: u64, now: Timestamp) -> &'static str {
        let old = self.rpo_seconds(seed, now).is_some_and(|seconds| seconds > CRITICAL_MINUTES * 60);
        if old { "Critical" } else { "Normal" }
    }

    /// What a machine says that was never failed over as a test (recorded).
    fn never_tested(&self, entity: &str) -> Value {
        let machine = &self.machine_name;
        json!({
            "innerHealthErrors": [],
            "errorSource": "ReplicationUnitFailoverValidatorError",
            "errorType": "8010",
            "errorLevel": "Warning",
            "errorCategory": "TestFailover",
            "errorCode": "161011",
            "summaryMessage": "",
            "errorMessage": format!("No successful test failover has been done on the virtual machine '{machine}'."),
            "possibleCauses":
                "No successful test failover has been done on the virtual machine after it was replicated.",
            "recommendedAction": "Do a test failover on the virtual machine.",
            "creationTimeUtc": seven(self.protected_since.unwrap_or(self.began)),
            "recoveryProviderErrorMessage": null,
            "entityId": entity,
            "errorId": "6:8010",
            "customerResolvability": "NotAllowed",
        })
    }

    /// Whether it was ever protected in this life: only then is the rest known.
    fn is_known(&self) -> bool {
        self.protected_since.is_some()
    }

    fn details(&self, state: &State, now: Timestamp) -> Value {
        let guid = |family: &str| guid_of(state.seed, family, &self.id);
        let percent = self.percent(now);
        let copying = self.has_begun() && !self.is_known();
        let disks: Vec<Value> = self.disks.iter().map(|disk| self.disk(disk, percent, copying)).collect();
        let left_out: Vec<Value> = self
            .left_out
            .iter()
            .map(|lun| json!({ "diskLunId": lun, "diskAutoProtectionStatus": "Disabled" }))
            .collect();
        let mut details = json!({
            "instanceType": "A2A",
            "fabricObjectId": self.machine,
            "initialPrimaryZone": "",
            "initialPrimaryFabricLocation": self.first_locations.0,
            "initialRecoveryZone": "",
            "initialPrimaryExtendedLocation": null,
            "initialRecoveryExtendedLocation": null,
            "initialRecoveryFabricLocation": self.first_locations.1,
            "multiVmGroupId": guid("multi vm group"),
            "multiVmGroupName": self.multi_vm_group.clone().unwrap_or_else(|| guid("multi vm group name")),
            "multiVmGroupCreateOption": if self.multi_vm_group.is_some() { "UserSpecified" } else { "AutoCreated" },
            "managementId": guid_of(state.seed, "management", &format!("{} {}", self.id, self.turn)),
            "protectedDisks": null,
            "unprotectedDisks": if left_out.is_empty() { Value::Null } else { json!(left_out) },
            "protectedManagedDisks": disks,
            "recoveryBootDiagStorageAccountId": null,
            "primaryFabricLocation": self.locations.0,
            "recoveryFabricLocation": self.locations.1,
            "osType": if self.os == Os::Windows { "Windows" } else { "Linux" },
            "recoveryAzureVMSize": self.size,
            "recoveryAzureVMName": self.machine_name,
            "recoveryAzureResourceGroupId": self.recovery_group,
            "recoveryCloudService": null,
            "recoveryAvailabilitySet": null,
            "selectedTfoAzureNetworkId": null,
            "agentVersion": "9.52.6522.1",
            "agentExpiryDate": "9999-12-31T23:59:59.9999999",
            "isReplicationAgentUpdateRequired": false,
            "isReplicationAgentCertificateUpdateRequired": false,
            "testFailoverRecoveryFabricObjectId": null,
            "primaryAvailabilityZone": null,
            "recoveryAvailabilityZone": self.zone,
            "primaryExtendedLocation": null,
            "recoveryExtendedLocation": null,
            "vmEncryptionType": "NotEncrypted",
            "tfoAzureVMName": format!("{}-test", self.machine_name),
            "recoveryAzureGeneration": "V1",
            "recoveryProximityPlacementGroupId": null,
            "autoProtectionOfDataDisk": "Disabled",
            "recoveryVirtualMachineScaleSetId": null,
            "recoveryCapacityReservationGroupId": null,
        });
        self.tell_progress(state, now, &mut details);
        details
    }

    /// Whether the machine has told that it replicates.
    fn has_begun(&self) -> bool {
        !matches!(self.phase, Phase::Replicating(Stage::Begun))
    }

    /// What changes with the stage.
    fn tell_progress(&self, state: &State, now: Timestamp, details: &mut Value) {
        let (known, begun, percent) = (self.is_known(), self.has_begun(), self.percent(now));
        let rpo = self.rpo_seconds(state.seed, now);
        let tags = if known || self.reversed { self.tags.clone() } else { json!({}) };
        details["selectedRecoveryAzureNetworkId"] = json!(self.recovery_network.as_ref().filter(|_| known));
        details["vmNics"] = self.nics(state.seed);
        details["vmSyncedConfigDetails"] = json!({ "tags": tags, "inputEndpoints": [] });
        details["monitoringPercentageCompletion"] = json!(begun.then(|| percent.unwrap_or(0)));
        details["monitoringJobType"] = json!(begun.then_some("InitialReplication"));
        details["lastHeartbeat"] = json!(stamp_z(self.heard));
        details["recoveryFabricObjectId"] = json!(self.target);
        details["vmProtectionState"] = json!(if known { "Protected" } else { "UnprotectedStatesBegin" });
        details["vmProtectionStateDescription"] = json!(if known { "Protected" } else { "Enabling protection" });
        details["lifecycleId"] = json!(known.then(|| guid_of(state.seed, "lifecycle", &self.id)));
        details["rpoInSeconds"] = json!(rpo);
        details["lastRpoCalculatedTime"] = json!(rpo.map(|_| stamp_z(now)));
        if known {
            let end = self.began + SignedDuration::from_hours(CERTIFICATE_HOURS);
            details["agentCertificateExpiryDate"] = json!(end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        }
    }

    fn disk(&self, disk: &ReplicaDisk, percent: Option<i64>, copying: bool) -> Value {
        let known = self.is_known();
        json!({
            "diskId": disk.id.to_ascii_lowercase(),
            "recoveryResourceGroupId": disk.group,
            "recoveryTargetDiskId": null,
            "recoveryReplicaDiskId": format!(
                "{}/providers/Microsoft.Compute/disks/{}-ASRReplica", disk.group, disk.name
            ),
            // It is told while the old disk is gone over, and is empty then (recorded).
            "recoveryOrignalTargetDiskId": disk.original.as_ref().map(|id| if known { "" } else { id.as_str() }),
            "recoveryReplicaDiskAccountType": disk.sku,
            "recoveryTargetDiskAccountType": disk.sku,
            "recoveryDiskEncryptionSetId": null,
            "primaryDiskEncryptionSetId": null,
            "diskName": disk.name,
            "diskCapacityInBytes": u64::from(disk.size_gib) * GIB_BYTES,
            "primaryStagingAzureStorageAccountId": disk.staging,
            "diskType": if disk.is_os { "OperatingSystem" } else { "Data" },
            "resyncRequired": false,
            "monitoringPercentageCompletion": percent,
            "monitoringJobType": copying.then_some("InitialReplication"),
            "dataPendingInStagingStorageAccountInMB": 0.0,
            "dataPendingAtSourceAgentInMB": if copying || known { 1.25 } else { 0.0 },
            "diskState": if known { "Protected" } else { "InitialReplicationPending" },
            "allowedDiskLevelOperation": [],
            "isDiskEncrypted": false,
            "secretIdentifier": null,
            "dekKeyVaultArmId": null,
            "isDiskKeyEncrypted": false,
            "keyIdentifier": null,
            "kekKeyVaultArmId": null,
            "failoverDiskName": disk.name,
            "tfoDiskName": format!("{}-ASRtest", disk.name),
        })
    }

    /// The machine's network cards: known once it is protected; of one that goes back, those that were chosen before (recorded).
    fn nics(&self, seed: u64) -> Value {
        let known = self.is_known();
        let Some(nic) = self.nic.as_ref().filter(|_| known || self.reversed) else { return json!([]) };
        let own_group = above(&self.machine, 4);
        let guard = format!(
            "{}/providers/Microsoft.Network/networkSecurityGroups/{}NSG",
            self.recovery_group, self.machine_name
        );
        json!([{
            "nicId": guid_of(seed, "nic", &format!("{nic} {known}")),
            "replicaNicId": null,
            "sourceNicArmId": nic,
            "vMNetworkName": known.then(|| network_of(own_group)),
            "recoveryVMNetworkId": self.recovery_network.clone().unwrap_or_else(|| network_of(&self.recovery_group)),
            "ipConfigs": [{
                "name": known.then(|| format!("ipconfig{}", self.machine_name)),
                "isPrimary": true,
                "subnetName": known.then_some("default"),
                "staticIPAddress": known.then_some("10.0.0.4"),
                "ipAddressType": "Dynamic",
                "isSeletedForFailover": true,
                "recoverySubnetName": "default",
                "recoveryStaticIPAddress": "",
                "recoveryIPAddressType": "Dynamic",
                "recoveryPublicIPAddressId": null,
                "recoveryLBBackendAddressPoolIds": self.reversed.then(|| json!([])),
                "tfoSubnetName": null,
                "tfoStaticIPAddress": null,
                "tfoPublicIPAddressId": null,
                "tfoLBBackendAddressPoolIds": null,
            }],
            "selectionType": if known { "SelectedByUserOverride" } else { "NotSelected" },
            "recoveryNetworkSecurityGroupId": self.reversed.then_some(guard),
            "enableAcceleratedNetworkingOnRecovery": false,
            "tfoVMNetworkId": null,
            "tfoNetworkSecurityGroupId": null,
            "enableAcceleratedNetworkingOnTfo": null,
            "recoveryNicName": null,
            "recoveryNicResourceGroupName": null,
            "reuseExistingNic": false,
            "tfoRecoveryNicName": null,
            "tfoRecoveryNicResourceGroupName": null,
            "tfoReuseExistingNic": false,
            "targetNicName": null,
        }])
    }
}
