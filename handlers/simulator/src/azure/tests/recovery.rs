//! Site Recovery: set-up, initial replication, points and their age, failover, commit, reversal, and what goes wrong.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::calls::{Caller, SUBSCRIPTION, Told, seconds};
use crate::azure::{
    ARM_AUDIENCE, ArmFault, ArmFaultEffect, MachineSeed, RegionTrouble, ReplicaSeed, ReplicaView, VaultSeed,
};

const VERSION: &str = "api-version=2025-02-01";
const COMPUTE: &str = "api-version=2025-04-01";

/// A caller with a machine in West Europe, a vault in North Europe, and the machine's item in it.
struct Stage {
    caller: Caller,
    machine: String,
    item: String,
}

impl Stage {
    fn new() -> Self {
        let (caller, machine) = Caller::with_machine(|seed| MachineSeed { location: "westeurope".to_owned(), ..seed });
        let vault = caller.world.arm().add_vault(&VaultSeed::new(SUBSCRIPTION, "rescue", "safe", "northeurope"));
        let seed = ReplicaSeed {
            machine: machine.clone(),
            vault,
            recovery_location: "northeurope".to_owned(),
            recovery_group: "shop-north".to_owned(),
            since: None,
            without_disks: Vec::new(),
            multi_vm_group: None,
        };
        let item = caller.world.arm().add_replica(&seed).unwrap();
        Self { caller, machine, item }
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Told {
        let version = if path.contains("Microsoft.Compute") { COMPUTE } else { VERSION };
        let token = format!("Bearer {}", self.caller.world.token(&self.caller.object_id, ARM_AUDIENCE));
        self.caller.send_with(method, &format!("{path}?{version}"), body, &[("authorization", &token)]).await
    }

    async fn item(&self, id: &str) -> Value {
        self.send("GET", id, None).await.body["properties"].clone()
    }

    fn view(&self) -> ReplicaView {
        self.caller.world.arm().replicas().remove(0)
    }

    /// Sends it, waits, and answers how it ended.
    async fn act(&self, path: &str, body: Option<Value>, wait: u64) -> Value {
        let told = self.send("POST", path, body).await;
        assert_eq!(told.status, 202, "{path}: {told:?}");
        let name = told.header("azure-asyncoperation").split(['/', '?']).rev().nth(1).unwrap().to_owned();
        let vault = self.item.split("/replicationFabrics").next().unwrap();
        let status = format!("{vault}/replicationOperationStatus/{name}");
        assert_eq!(self.send("GET", &status, None).await.body["status"], "InProgress");
        seconds(wait).await;
        self.send("GET", &status, None).await.body
    }

    async fn fail_over(&self) -> Value {
        self.act(&format!("{}/unplannedFailover", self.item), Some(failover(Value::Null)), 140).await
    }
}

fn failover(point: Value) -> Value {
    json!({ "properties": {
        "failoverDirection": "PrimaryToRecovery",
        "sourceSiteOperations": "NotRequired",
        "providerSpecificDetails": { "instanceType": "A2A", "recoveryPointId": point },
    } })
}

fn target(name: &str) -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/shop-north/providers/Microsoft.Compute/virtualMachines/{name}"
    )
}

#[tokio::test(start_paused = true)]
async fn a_failed_over_machine_runs_in_the_other_region_and_the_old_one_is_left_alone() {
    let stage = Stage::new();
    let before = stage.item(&stage.item).await;
    assert_eq!(before["protectionState"], "Protected");
    assert_eq!(before["allowedOperations"], json!(["UnplannedFailover", "DisableProtection", "TestFailover"]));
    let ended = stage.fail_over().await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("Succeeded"), &Value::Null));
    let after = stage.item(&stage.item).await;
    assert_eq!(after["protectionState"], "UnplannedFailoverCommitPendingStatesBegin");
    assert_eq!(after["activeLocation"], "Recovery");
    let made = stage.send("GET", &target("web-1"), None).await;
    assert_eq!((made.status, &made.body["location"]), (200, &json!("northeurope")));
    let old = stage.send("GET", &stage.machine, None).await;
    assert_ne!(made.body["properties"]["vmId"], old.body["properties"]["vmId"]);
    let view = stage.send("GET", &format!("{}/instanceView", stage.machine), None).await.body;
    assert_eq!(view["statuses"][1]["code"], "PowerState/running", "nobody stopped it");
}

#[tokio::test(start_paused = true)]
async fn a_commit_takes_the_points_away_and_only_then_the_other_way_is_protected() {
    let stage = Stage::new();
    let reverse = |container: &str| {
        let vault = container.split("/replicationFabrics").next().unwrap();
        json!({ "properties": {
            "replicationProtectedItemName": "web-1",
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "policyId": format!("{vault}/replicationPolicies/a-day"),
                "recoveryContainerId": container,
                "recoveryResourceGroupId": format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/Shop"),
                "vmManagedDisks": [],
            },
        } })
    };
    stage.fail_over().await;
    assert!(!stage.view().points.is_empty(), "another point can still be chosen");
    let container = stage.item.split("/replicationProtectedItems").next().unwrap().to_owned();
    let switch = format!("{container}/switchprotection");
    assert_eq!(stage.send("POST", &switch, Some(reverse(&container))).await.code(), "OperationNotAllowed");
    stage.act(&format!("{}/failoverCommit", stage.item), None, 8).await;
    assert_eq!(stage.item(&stage.item).await["protectionState"], "UnplannedFailoverCommitted");
    assert!(stage.view().points.is_empty());
    let mut body = reverse(&container);
    let disk = stage.send("GET", &target("web-1"), None).await.body["properties"]["storageProfile"]["osDisk"]
        ["managedDisk"]["id"]
        .clone();
    let one = json!({
        "diskId": disk, "primaryStagingAzureStorageAccountId": "/x", "recoveryResourceGroupId":
            format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/Shop"),
    });
    body["properties"]["providerSpecificDetails"]["vmManagedDisks"] = json!([one]);
    let ended = stage.act(&switch, Some(body), 505).await;
    assert_eq!(ended["status"], "Succeeded");
    assert_eq!(stage.send("GET", &stage.machine, None).await.status, 404, "Site Recovery deleted the old machine");
    assert_eq!(stage.send("GET", &stage.item, None).await.status, 404);
    let other = stage.view().id;
    assert!(other.contains("/replicationFabrics/northeurope/") && other.ends_with("/web-1"), "{other}");
    let mut states = Vec::new();
    for _ in 0..60 {
        let state = stage.item(&other).await["protectionState"].as_str().unwrap().to_owned();
        if states.last() != Some(&state) {
            states.push(state);
        }
        seconds(60).await;
    }
    assert_eq!(states, ["InitialReplicationInProgress", "InitialReplicationRecoveryCompletionPending", "Protected"]);
    assert_eq!(stage.item(&other).await["activeLocation"], "Primary");
    // And back again, over the old disks.
    stage.act(&format!("{other}/unplannedFailover"), Some(failover(Value::Null)), 140).await;
    assert_eq!(stage.send("GET", &stage.machine, None).await.body["location"], "westeurope");
}

#[tokio::test(start_paused = true)]
async fn points_are_made_every_five_minutes_and_grow_old_when_replication_stalls_or_the_region_is_lost() {
    let stage = Stage::new();
    let rpo = || stage.view().rpo_seconds.unwrap();
    seconds(3_600).await;
    assert!(rpo() <= 300, "{}", rpo());
    stage.caller.world.arm().stall_replication(&stage.item, true);
    let newest = stage.view().points[0];
    seconds(2 * 3_600).await;
    assert_eq!(stage.view().points[0], newest);
    assert!((7_200..=7_500).contains(&rpo()), "{}", rpo());
    assert_eq!(stage.item(&stage.item).await["replicationHealth"], "Critical");
    stage.caller.world.arm().stall_replication(&stage.item, false);
    seconds(300).await;
    assert!(rpo() <= 300, "{}", rpo());
    stage.caller.world.arm().set_region("westeurope", Some(RegionTrouble::Slow { milliseconds: 1 }));
    seconds(3_600).await;
    assert!(rpo() <= 300, "a region that is slow for ARM replicates");
    stage.caller.world.arm().set_region("westeurope", Some(RegionTrouble::Down));
    seconds(3_600).await;
    assert!(rpo() >= 3_600, "{}", rpo());
}

#[tokio::test(start_paused = true)]
async fn points_are_thinned_out_and_listed_with_their_kind() {
    let stage = Stage::new();
    seconds(26 * 3_600).await;
    let points = stage.view().points;
    let age = |at: &Timestamp| points[0].duration_since(*at).as_mins();
    let gaps: Vec<i64> = points.windows(2).map(|pair| age(&pair[1]) - age(&pair[0])).collect();
    assert_eq!(gaps[..20], [5; 20], "{gaps:?}");
    assert_eq!(gaps[30..], vec![60; gaps.len() - 30], "one an hour after two hours: {gaps:?}");
    assert!(age(points.last().unwrap()) <= 1_440, "the policy keeps a day");
    let listed = stage.send("GET", &format!("{}/recoveryPoints", stage.item), None).await.body;
    let kinds: Vec<&str> = listed["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["properties"]["recoveryPointType"].as_str())
        .collect();
    assert!(kinds.contains(&"ApplicationConsistent") && kinds.contains(&"CrashConsistent"));
}

#[tokio::test(start_paused = true)]
async fn a_named_point_is_taken_another_one_can_be_chosen_until_the_commit_and_an_unknown_one_is_refused() {
    let stage = Stage::new();
    let listed = stage.send("GET", &format!("{}/recoveryPoints", stage.item), None).await.body;
    let id = |at: usize| listed["value"][at]["id"].clone();
    let path = format!("{}/unplannedFailover", stage.item);
    let told = stage.send("POST", &path, Some(failover(json!(format!("{}/recoveryPoints/none", stage.item))))).await;
    assert_eq!(told.code(), "RecoveryPointNotFound");
    stage.act(&path, Some(failover(id(3))), 140).await;
    assert_eq!(stage.item(&stage.item).await["failoverRecoveryPointId"], id(3));
    let first = stage.send("GET", &target("web-1"), None).await.body["properties"]["vmId"].clone();
    let change =
        json!({ "properties": { "recoveryPointId": id(5), "providerSpecificDetails": { "instanceType": "A2A" } } });
    stage.act(&format!("{}/applyRecoveryPoint", stage.item), Some(change.clone()), 160).await;
    assert_eq!(stage.item(&stage.item).await["failoverRecoveryPointId"], id(5));
    assert_ne!(stage.send("GET", &target("web-1"), None).await.body["properties"]["vmId"], first);
    stage.act(&format!("{}/failoverCommit", stage.item), None, 8).await;
    let late = stage.send("POST", &format!("{}/applyRecoveryPoint", stage.item), Some(change)).await;
    assert_eq!(late.code(), "OperationNotAllowed");
}

#[tokio::test(start_paused = true)]
async fn a_failover_that_fails_leaves_the_item_protected_and_its_job_tells_why() {
    let stage = Stage::new();
    let effect = ArmFaultEffect::OperationFails { after_seconds: 60, code: "150097".to_owned() };
    stage.caller.world.arm().fault(ArmFault::new(effect).on_path("/unplannedFailover"));
    let ended = stage.fail_over().await;
    assert_eq!((&ended["status"], &ended["error"]["code"]), (&json!("Failed"), &json!("150097")));
    assert_eq!(stage.item(&stage.item).await["protectionState"], "Protected");
    assert_eq!(stage.send("GET", &target("web-1"), None).await.status, 404);
    let vault = stage.item.split("/replicationFabrics").next().unwrap();
    let name = ended["name"].as_str().unwrap();
    let job = stage.send("GET", &format!("{vault}/replicationJobs/{name}"), None).await.body;
    assert_eq!(job["properties"]["state"], "Failed");
    assert_eq!(job["properties"]["errors"][0]["serviceErrorDetails"]["code"], "150097");
    let jobs = stage.send("GET", &format!("{vault}/replicationJobs"), None).await.body;
    assert_eq!(jobs["value"][0]["properties"]["scenarioName"], "UnplannedFailover");
    let again = stage.fail_over().await;
    assert_eq!(again["status"], "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_gets_a_tail_and_the_operation_a_warning() {
    let stage = Stage::new();
    stage.caller.world.add_machine(&MachineSeed::new(SUBSCRIPTION, "shop-north", "web-1", "northeurope"));
    let ended = stage.fail_over().await;
    assert_eq!((&ended["status"], &ended["error"]["code"]), (&json!("Succeeded"), &json!("28175")));
    let made = stage.view().target.unwrap();
    assert!(made.contains("/web-1-"), "{made}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_can_be_acknowledged_while_the_machine_runs_on() {
    let stage = Stage::new();
    let action = "Microsoft.Compute/virtualMachines/deallocate/action";
    stage.caller.world.arm().lie_about(action, "/web-1");
    let told = stage.send("POST", &format!("{}/deallocate", stage.machine), None).await;
    assert_eq!(told.status, 202);
    seconds(60).await;
    assert_eq!(stage.caller.poll(&told, "azure-asyncoperation").await.body["status"], "Succeeded");
    let view = stage.send("GET", &format!("{}/instanceView", stage.machine), None).await.body;
    assert_eq!(view["statuses"][1]["code"], "PowerState/running");
}

#[tokio::test(start_paused = true)]
async fn failover_needs_nothing_of_a_region_that_is_down_and_reversal_does() {
    let stage = Stage::new();
    stage.caller.world.arm().set_region("westeurope", Some(RegionTrouble::Down));
    assert_eq!(stage.fail_over().await["status"], "Succeeded");
    let ended = stage.act(&format!("{}/failoverCommit", stage.item), None, 8).await;
    assert_eq!(ended["status"], "Succeeded");
    let disk = stage.send("GET", &target("web-1"), None).await.body["properties"]["storageProfile"]["osDisk"]
        ["managedDisk"]["id"]
        .clone();
    let container = stage.item.split("/replicationProtectedItems").next().unwrap().to_owned();
    let vault = container.split("/replicationFabrics").next().unwrap();
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/Shop");
    let body = json!({ "properties": {
        "replicationProtectedItemName": "web-1",
        "providerSpecificDetails": {
            "instanceType": "A2A",
            "policyId": format!("{vault}/replicationPolicies/a-day"),
            "recoveryContainerId": container,
            "recoveryResourceGroupId": group,
            "vmManagedDisks": [{ "diskId": disk, "primaryStagingAzureStorageAccountId": "/x", "recoveryResourceGroupId": group }],
        },
    } });
    let ended = stage.act(&format!("{container}/switchprotection"), Some(body), 505).await;
    assert_eq!(ended["status"], "Failed");
    stage.caller.world.arm().set_region("westeurope", None);
    assert_eq!(stage.send("GET", &stage.machine, None).await.status, 200, "the old machine is still there");
    assert_eq!(stage.item(&stage.item).await["protectionState"], "UnplannedFailoverCommitted");
}

#[tokio::test(start_paused = true)]
async fn what_was_replicated_becomes_older_on_order() {
    let stage = Stage::new();
    let arm = stage.caller.world.arm();
    arm.set_region("westeurope", Some(RegionTrouble::Down));
    let before = stage.view();
    let by = jiff::SignedDuration::from_mins(7);
    arm.age_replication(by);
    let after = stage.view();
    let newest = |view: &ReplicaView| view.points.first().copied().unwrap();
    assert_eq!((newest(&after), after.state), (newest(&before).checked_sub(by).unwrap(), before.state));
    assert_eq!(after.rpo_seconds, before.rpo_seconds.map(|seconds| seconds + 7 * 60));
}
