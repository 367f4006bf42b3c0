//! Vaults: the life of an item from `PUT` to purge, jobs in two parts, points and their tiers, refusals and limits.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::calls::{Caller, SUBSCRIPTION, Told, seconds};
use crate::azure::{
    ARM_AUDIENCE, ArmFault, ArmFaultEffect, ItemSeed, ItemState, JobFailure, JobOperation, JobPart, LockLevel,
    MachineSeed, Os, PolicySeed, VaultSeed,
};

const VERSION: &str = "api-version=2025-02-01";

/// A caller with a machine and a vault in its region.
struct Stage {
    caller: Caller,
    machine: String,
    vault: String,
}

impl Stage {
    fn new() -> Self {
        Self::with(|seed| seed, |vault| vault)
    }

    fn with(machine: impl FnOnce(MachineSeed) -> MachineSeed, vault: impl FnOnce(VaultSeed) -> VaultSeed) -> Self {
        let (caller, machine) = Caller::with_machine(machine);
        let seed = vault(VaultSeed::new(SUBSCRIPTION, "backup", "safe", "westeurope"));
        let vault = caller.world.arm().add_vault(&seed);
        Self { caller, machine, vault }
    }

    fn item(&self) -> String {
        let native = "iaasvmcontainerv2;Shop;web-1";
        let container = format!("{}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{native}", self.vault);
        format!("{container}/protectedItems/VM;{native}")
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Told {
        let mark = if path.contains('?') { '&' } else { '?' };
        // A fresh token each time: days pass here.
        let token = format!("Bearer {}", self.caller.world.token(&self.caller.object_id, ARM_AUDIENCE));
        let path = format!("{path}{mark}{VERSION}");
        self.caller.send_with(method, &path, body, &[("authorization", &token)]).await
    }

    async fn get(&self, path: &str) -> Value {
        let told = self.send("GET", path, None).await;
        assert_eq!(told.status, 200, "{path}: {told:?}");
        told.body
    }

    fn wish(&self, policy: &str) -> Value {
        json!({ "properties": {
            "protectedItemType": "Microsoft.Compute/virtualMachines",
            "sourceResourceId": self.machine,
            "policyId": format!("{}/backupPolicies/{policy}", self.vault),
        } })
    }

    async fn put(&self, body: Value) -> Told {
        self.send("PUT", &self.item(), Some(body)).await
    }

    async fn protect(&self) {
        let told = self.put(self.wish("DefaultPolicy")).await;
        assert_eq!(told.status, 202, "{told:?}");
        seconds(31).await;
    }

    async fn back_up(&self) -> Told {
        let body = json!({ "properties": { "objectType": "IaasVMBackupRequest" } });
        self.send("POST", &format!("{}/backup", self.item()), Some(body)).await
    }

    async fn item_body(&self) -> Value {
        self.get(&self.item()).await["properties"].clone()
    }

    async fn newest_job(&self) -> Value {
        let jobs = self.get(&format!("{}/backupJobs", self.vault)).await;
        let id = jobs["value"][0]["id"].as_str().unwrap().to_owned();
        self.get(&id).await["properties"].clone()
    }

    async fn points(&self) -> Vec<Value> {
        let told = self.get(&format!("{}/recoveryPoints", self.item())).await;
        told["value"].as_array().unwrap().clone()
    }
}

fn tiers(point: &Value) -> Vec<&str> {
    let all = point["properties"]["recoveryPointTierDetails"].as_array().unwrap();
    all.iter().map(|tier| tier["type"].as_str().unwrap()).collect()
}

fn tasks(job: &Value) -> Vec<&str> {
    let all = job["extendedInfo"]["tasksList"].as_array().unwrap();
    all.iter().map(|task| task["status"].as_str().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_item_is_set_up_by_a_job_and_protected_by_its_first_backup() {
    let stage = Stage::new();
    let told = stage.put(stage.wish("DefaultPolicy")).await;
    assert_eq!(told.status, 202);
    assert!(told.header("azure-asyncoperation").contains("/operationsStatus/"), "{told:?}");
    assert!(told.header("location").contains("/operationResults/"), "{told:?}");
    assert_eq!(stage.caller.poll(&told, "azure-asyncoperation").await.body["endTime"], "0001-01-01T00:00:00");
    seconds(6).await;
    let status = stage.caller.poll(&told, "azure-asyncoperation").await.body;
    assert_eq!((&status["status"], status["properties"]["jobId"].is_string()), (&json!("Succeeded"), true));
    assert_eq!(stage.newest_job().await["status"], "InProgress", "the operation ends before its job");
    assert_eq!(stage.send("GET", &stage.item(), None).await.status, 404);
    seconds(25).await;
    let item = stage.item_body().await;
    assert_eq!(
        (&item["protectionState"], &item["lastBackupTime"]),
        (&json!("IRPending"), &json!("2001-01-01T00:00:00Z"))
    );
    assert_eq!(stage.put(stage.wish("defaultpolicy")).await.status, 200, "nothing is to be done");

    assert_eq!(stage.back_up().await.status, 202);
    assert_eq!(stage.back_up().await.code(), "UserErrorBackupOperationInProgress");
    assert_eq!(tasks(&stage.newest_job().await), ["InProgress", "NotStarted"]);
    seconds(458).await;
    assert_eq!(tasks(&stage.newest_job().await), ["Completed", "NotStarted"], "the transfer is told late");
    assert_eq!(tiers(&stage.points().await[0]), ["InstantRP"]);
    seconds(200).await;
    assert_eq!(tasks(&stage.newest_job().await), ["Completed", "InProgress"]);
    assert_eq!(stage.item_body().await["protectionState"], "IRPending");
    seconds(2_000).await;
    let job = stage.newest_job().await;
    assert_eq!((&job["status"], &job["actionsInfo"]), (&json!("Completed"), &json!(["Cancellable"])));
    let item = stage.item_body().await;
    assert_eq!((&item["protectionState"], &item["lastBackupStatus"]), (&json!("Protected"), &json!("Completed")));
    let point = &stage.points().await[0];
    assert_eq!(tiers(point), ["InstantRP", "HardenedRP"]);
    assert_eq!(point["properties"]["recoveryPointType"], "FileSystemConsistent");
    seconds(2 * 86_400).await;
    let points = stage.points().await;
    assert_eq!(tiers(points.last().unwrap()), ["HardenedRP"], "the snapshot is kept two days");
}

#[tokio::test(start_paused = true)]
async fn a_vault_policy_backs_up_every_day_and_its_points_go_after_their_days_but_the_last() {
    let stage = Stage::new();
    let arm = stage.caller.world.arm();
    let seed = PolicySeed { name: "week".to_owned(), time: "02:00".to_owned(), days: 7, instant_days: 2 };
    arm.add_vault_policy(&stage.vault, &seed).unwrap();
    let old: Timestamp = "2026-11-20T02:00:00Z".parse().unwrap();
    let (machine, policy) = (stage.machine.clone(), "week".to_owned());
    let state = ItemState::Protected;
    arm.seed_item(&stage.vault, &ItemSeed { machine, policy, state, points: vec![old] }).unwrap();
    seconds(86_400).await;
    assert_eq!(arm.vault_points().len(), 2, "{:?}", arm.vault_jobs());
    seconds(9 * 86_400).await;
    let points = arm.vault_points();
    assert_eq!(points.len(), 7, "{points:?}");
    arm.delete_machine(&stage.machine).unwrap();
    seconds(30 * 86_400).await;
    assert_eq!(arm.vault_points().len(), 1, "the last one stays, and the item outlives its machine");
    let jobs = arm.vault_jobs();
    assert_eq!(jobs.last().unwrap().errors, ["BCMV2VMNotFound"]);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_item_keeps_its_points_and_a_deleted_one_is_kept_for_a_while() {
    let stage = Stage::new();
    let arm = stage.caller.world.arm();
    stage.protect().await;
    stage.back_up().await;
    seconds(2_500).await;
    let mut stop = stage.wish("");
    stop["properties"]["policyId"] = json!("");
    stop["properties"]["protectionState"] = json!("ProtectionStopped");
    assert_eq!(stage.put(stop.clone()).await.status, 202);
    seconds(10).await;
    let item = stage.item_body().await;
    assert_eq!((&item["protectionState"], &item["policyId"]), (&json!("ProtectionStopped"), &json!("")));
    assert_eq!(stage.back_up().await.code(), "UserErrorProtectionStopped");
    assert_eq!(stage.send("DELETE", &stage.item(), None).await.status, 202);
    seconds(120).await;
    let item = stage.item_body().await;
    assert_eq!(
        (&item["isScheduledForDeferredDelete"], &item["protectionState"]),
        (&json!(true), &json!("ProtectionStopped"))
    );
    assert!(item["deferredDeleteTimeRemaining"].as_str().unwrap().starts_with("13.23:"), "{item}");
    assert_eq!(stage.put(stage.wish("DefaultPolicy")).await.code(), "UserErrorItemSoftDeleted");
    let vault = stage.send("DELETE", &stage.vault, None).await;
    assert_eq!(vault.code(), "BMSUserErrorVaultDeletionNotAllowed");
    stop["properties"]["isRehydrate"] = json!(true);
    assert_eq!(stage.put(stop).await.status, 202);
    seconds(12).await;
    assert_eq!((arm.vault_items()[0].soft_deleted, arm.vault_points().len()), (false, 1));
    assert_eq!(stage.put(stage.wish("DefaultPolicy")).await.status, 202, "it is resumed");
    seconds(31).await;
    assert_eq!(stage.item_body().await["protectionState"], "Protected");
    stage.send("DELETE", &stage.item(), None).await;
    seconds(15 * 86_400).await;
    assert!(arm.vault_items().is_empty(), "its time is over");
    assert_eq!(stage.send("DELETE", &stage.vault, None).await.status, 202);
    seconds(20).await;
    assert_eq!(stage.send("GET", &stage.vault, None).await.code(), "ResourceNotFound");
}

#[tokio::test(start_paused = true)]
async fn a_machine_is_listed_as_protectable_only_after_a_discovery_and_until_it_is_protected() {
    let stage = Stage::new();
    let path = format!("{}/backupProtectableItems?$filter=backupManagementType%20eq%20'AzureIaasVM'", stage.vault);
    assert_eq!(stage.get(&path).await["value"], json!([]));
    let told = stage.send("POST", &format!("{}/backupFabrics/Azure/refreshContainers", stage.vault), None).await;
    assert_eq!(told.status, 202);
    assert!(told.header("azure-asyncoperation").contains("api-version=2019-05-13-preview"), "{told:?}");
    assert_eq!(stage.caller.poll(&told, "location").await.status, 202);
    seconds(6).await;
    assert_eq!(stage.caller.poll(&told, "location").await.status, 204);
    let listed = stage.get(&path).await;
    assert_eq!(listed["value"][0]["properties"]["friendlyName"], "web-1");
    stage.protect().await;
    assert_eq!(stage.get(&path).await["value"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_status_call_knows_an_item_before_its_first_backup_and_a_pre_check_refuses_by_name() {
    let stage = Stage::new();
    let region = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.RecoveryServices/locations/westeurope");
    let ask = async |what: &str| {
        let body =
            json!({ "resourceType": "VM", "resourceId": stage.machine, "vaultId": stage.vault, "properties": "" });
        stage.send("POST", &format!("{region}/{what}"), Some(body)).await.body
    };
    assert_eq!(ask("backupStatus").await["protectionStatus"], "NotProtected");
    assert_eq!(ask("backupPreValidateProtection").await["status"], "Succeeded");
    stage.protect().await;
    let told = ask("backupStatus").await;
    assert_eq!((&told["protectionStatus"], &told["vaultId"]), (&json!("Protected"), &json!(stage.vault)));
    let told = ask("backupPreValidateProtection").await;
    assert_eq!((&told["status"], &told["errorCode"]), (&json!("Failed"), &json!("VirtualMachineAlreadyProtected")));
}

#[tokio::test(start_paused = true)]
async fn an_ordered_failure_strikes_its_part_of_a_backup_and_no_other_job() {
    let stage = Stage::with(|seed| MachineSeed { os: Os::Windows, ..seed }, |vault| vault);
    let arm = stage.caller.world.arm();
    let order = |part: JobPart, only_warns: bool| JobFailure {
        machine: Some(stage.machine.clone()),
        operation: JobOperation::Backup,
        part,
        code: 400_001,
        title: "UserErrorGuestAgentStatusUnavailable".to_owned(),
        message: "The agent does not answer.".to_owned(),
        recommendations: vec!["Restart the agent.".to_owned()],
        only_warns,
        times: Some(1),
    };
    stage.protect().await;
    arm.order_job_failure(order(JobPart::Snapshot, false));
    stage.back_up().await;
    seconds(460).await;
    let job = stage.newest_job().await;
    assert_eq!((&job["status"], tasks(&job)), (&json!("Failed"), vec!["Failed", "NotStarted"]));
    assert_eq!(job["errorDetails"][0]["errorTitle"], "UserErrorGuestAgentStatusUnavailable");
    assert_eq!(stage.item_body().await["protectionState"], "IRPending");
    arm.order_job_failure(order(JobPart::Transfer, false));
    stage.back_up().await;
    seconds(2_500).await;
    assert_eq!(tasks(&stage.newest_job().await), ["Completed", "Failed"]);
    assert_eq!(tiers(&stage.points().await[0]), ["InstantRP"], "the snapshot is there, the copy is not");
    arm.order_job_failure(order(JobPart::Transfer, true));
    stage.back_up().await;
    seconds(2_500).await;
    assert_eq!(stage.newest_job().await["status"], "CompletedWithWarnings");
    assert_eq!(stage.points().await[0]["properties"]["recoveryPointType"], "AppConsistent");
    assert_eq!(stage.back_up().await.code(), "UserErrorOnDemandBackupLimitReached", "three a day");
}

#[tokio::test(start_paused = true)]
async fn a_machine_whose_agent_does_not_answer_gets_a_crash_consistent_point_and_a_warning() {
    let stage = Stage::with(|seed| MachineSeed { agent_ready: false, ..seed }, |vault| vault);
    stage.protect().await;
    stage.back_up().await;
    seconds(2_500).await;
    assert_eq!(stage.newest_job().await["status"], "CompletedWithWarnings");
    assert_eq!(stage.points().await[0]["properties"]["recoveryPointType"], "CrashConsistent");
}

#[tokio::test(start_paused = true)]
async fn what_a_limit_a_region_or_another_vault_forbids_is_not_set_up() {
    let stage = Stage::new();
    let arm = stage.caller.world.arm();
    let code = async |body: Value| stage.put(body).await.code().to_owned();
    assert_eq!(code(stage.wish("none")).await, "PolicyNotFound");
    assert_eq!(code(stage.wish("HourlyLogBackup")).await, "BMSUserErrorInvalidInput");
    assert!(arm.set_vault_full(&stage.vault, true));
    assert_eq!(code(stage.wish("DefaultPolicy")).await, "UserErrorVaultItemLimitReached");
    arm.set_vault_full(&stage.vault, false);
    let other = arm.add_vault(&VaultSeed::new(SUBSCRIPTION, "backup", "other", "westeurope"));
    let (machine, policy) = (stage.machine.clone(), "DefaultPolicy".to_owned());
    let item = arm.seed_item(&other, &ItemSeed { machine, policy, state: ItemState::Stopped, points: vec![] }).unwrap();
    assert_eq!(code(stage.wish("DefaultPolicy")).await, "VirtualMachineAlreadyProtected");
    arm.set_item_state(&item, ItemState::SoftDeleted, None).unwrap();
    assert_eq!(code(stage.wish("DefaultPolicy")).await, "", "a deleted item elsewhere is no obstacle");
    let far = Stage::with(|seed| seed, |vault| VaultSeed { location: "northeurope".to_owned(), ..vault });
    assert_eq!(far.put(far.wish("DefaultPolicy")).await.code(), "UserErrorVaultInOtherRegion");
    let wrong = stage.item().replace("VM;iaasvmcontainerv2;Shop;web-1", "VM;iaasvmcontainerv2;Shop;web-2");
    let told = stage.send("PUT", &wrong, Some(stage.wish("DefaultPolicy"))).await;
    assert_eq!(told.code(), "BMSUserErrorContainerNameIncorrectFormat");
}

#[tokio::test(start_paused = true)]
async fn a_vault_policy_is_refused_where_a_rule_is_broken_and_kept_while_it_is_used() {
    let stage = Stage::new();
    let path = |name: &str| format!("{}/backupPolicies/{name}", stage.vault);
    let usual = stage.get(&path("DefaultPolicy")).await["properties"].clone();
    assert_eq!(usual["protectedItemsCount"], 0);
    let write = async |body: &Value| stage.send("PUT", &path("own"), Some(json!({ "properties": body }))).await;
    assert_eq!(write(&usual).await.status, 200);
    let broken = [
        ("/instantRpRetentionRangeInDays", json!(9), "BMSUserErrorInvalidPolicyInput"),
        ("/schedulePolicy/scheduleRunTimes", json!(["2026-01-01T03:00:00Z"]), "BMSUserErrorInvalidPolicyInput"),
        ("/retentionPolicy/dailySchedule/retentionDuration/count", json!(3), "BMSUserErrorPolicyRetentionInvalid"),
        ("/schedulePolicy/scheduleRunFrequency", json!("Hourly"), "BMSUserErrorInvalidPolicyInput"),
    ];
    for (place, value, code) in broken {
        let mut body = usual.clone();
        *body.pointer_mut(place).unwrap() = value;
        assert_eq!(write(&body).await.code(), code, "{place}");
    }
    stage.protect().await;
    assert_eq!(stage.get(&path("DefaultPolicy")).await["properties"]["protectedItemsCount"], 1);
    assert_eq!(stage.send("DELETE", &path("DefaultPolicy"), None).await.code(), "BMSUserErrorPolicyObjectInUse");
    assert_eq!(stage.send("DELETE", &path("own"), None).await.status, 200);
    assert_eq!(stage.send("DELETE", &path("own"), None).await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn locks_faults_and_rights_hold_for_items_as_for_other_resources() {
    let stage = Stage::new();
    let arm = stage.caller.world.arm();
    arm.add_lock(&stage.vault, "keep", LockLevel::ReadOnly);
    assert_eq!(stage.put(stage.wish("DefaultPolicy")).await.code(), "ScopeLocked");
    arm.remove_lock(&stage.vault, "keep");
    let effect = ArmFaultEffect::AcknowledgedButDropped;
    arm.fault(ArmFault::new(effect).on_method("PUT").on_path("protectedItems"));
    let told = stage.put(stage.wish("DefaultPolicy")).await;
    assert_eq!(told.status, 202);
    seconds(40).await;
    assert_eq!(stage.caller.poll(&told, "azure-asyncoperation").await.body["status"], "Succeeded");
    assert!(arm.vault_items().is_empty() && arm.vault_jobs().is_empty(), "it was a lie");
    let effect = ArmFaultEffect::OperationFails { after_seconds: 2, code: "CloudInternalError".to_owned() };
    arm.fault(ArmFault::new(effect).on_method("PUT").on_path("protectedItems"));
    let told = stage.put(stage.wish("DefaultPolicy")).await;
    seconds(40).await;
    let status = stage.caller.poll(&told, "azure-asyncoperation").await.body;
    assert_eq!((&status["status"], &status["error"]["code"]), (&json!("Failed"), &json!("CloudInternalError")));
    assert!(arm.vault_items().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_the_backup_service_keeps_a_restore_point_waiting() {
    let stage = Stage::new();
    stage.protect().await;
    let collection = stage.caller.collection("points", &stage.machine).await;
    stage.back_up().await;
    let point = |name: &str| format!("{collection}/restorePoints/{name}?api-version=2025-04-01");
    let told = stage.caller.send("PUT", &point("early"), Some(json!({}))).await;
    assert_eq!(told.code(), "AnotherOperationInProgress");
    seconds(460).await;
    assert_eq!(stage.caller.send("PUT", &point("later"), Some(json!({}))).await.status, 201);
}
