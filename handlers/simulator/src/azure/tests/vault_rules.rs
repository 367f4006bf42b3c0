//! Vaults under everybody's rules: rights, budgets, seeds from bodies, both kinds of soft delete, groups that end.

use serde_json::{Value, json};

use super::calls::{Caller, SUBSCRIPTION, seconds};
use crate::azure::{
    ARM_AUDIENCE, Grant, ItemSeed, ItemState, JobFailure, JobOperation, JobPart, LockLevel, MachineSeed, PolicySeed,
    VaultSeed,
};

const VERSION: &str = "api-version=2025-02-01";

fn item_of(vault: &str) -> String {
    let native = "iaasvmcontainerv2;Shop;web-1";
    format!("{vault}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{native}/protectedItems/VM;{native}")
}

fn wish(vault: &str, machine: &str) -> Value {
    json!({ "properties": {
        "protectedItemType": "Microsoft.Compute/virtualMachines",
        "sourceResourceId": machine,
        "policyId": format!("{vault}/backupPolicies/DefaultPolicy"),
    } })
}

fn with_vault() -> (Caller, String, String) {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let vault = caller.world.arm().add_vault(&VaultSeed::new(SUBSCRIPTION, "backup", "safe", "westeurope"));
    (caller, machine, vault)
}

#[tokio::test(start_paused = true)]
async fn who_protects_a_machine_needs_rights_over_the_item_and_over_the_machine() {
    let (caller, machine, vault) = with_vault();
    let item = "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/write";
    let code = async |actions: &[&str]| {
        let grants = vec![Grant::over_subscription(SUBSCRIPTION, actions)];
        let who = caller.world.add_principal("keeper", grants);
        let token = format!("Bearer {}", caller.world.token(&who.object_id, ARM_AUDIENCE));
        let path = format!("{}?{VERSION}", item_of(&vault));
        let headers = [("authorization", token.as_str())];
        caller.send_with("PUT", &path, Some(wish(&vault, &machine)), &headers).await.code().to_owned()
    };
    assert_eq!(code(&["*/read"]).await, "AuthorizationFailed");
    assert_eq!(code(&["*/read", item]).await, "LinkedAuthorizationFailed");
    assert_eq!(code(&["*/read", item, "Microsoft.Compute/virtualMachines/write"]).await, "");
}

#[tokio::test(start_paused = true)]
async fn the_reads_of_a_vault_are_budgeted_and_come_back_after_a_while() {
    let (caller, _, vault) = with_vault();
    let ask = async || caller.send("GET", &format!("{vault}/backupJobs?{VERSION}"), None).await;
    let left =
        |told: &super::calls::Told| told.header("x-ms-ratelimit-remaining-subscription-resource-requests").to_owned();
    assert_eq!(left(&ask().await), "449");
    for _ in 0..449 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        ask().await;
    }
    let refused = ask().await;
    assert_eq!((refused.status, refused.code()), (429, "TooManyRequests"));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    seconds(wait + 1).await;
    assert_eq!(ask().await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_a_vault_answered_seeds_another_azure_that_answers_the_same() {
    let (caller, machine, vault) = with_vault();
    let arm = caller.world.arm();
    let seed = PolicySeed { name: "week".to_owned(), time: "02:00".to_owned(), days: 7, instant_days: 2 };
    let policy = arm.add_vault_policy(&vault, &seed).unwrap();
    let points = vec!["2026-11-22T02:00:00Z".parse().unwrap()];
    let own = ItemSeed { machine: machine.clone(), policy: "week".to_owned(), state: ItemState::Protected, points };
    let item = arm.seed_item(&vault, &own).unwrap();
    let point = format!("{item}/recoveryPoints/{}", arm.vault_points()[0].name);
    let read = async |caller: &Caller, id: &str| caller.send("GET", &format!("{id}?{VERSION}"), None).await.body;
    let other = Caller::new();
    let body = caller.get(&machine).await.body;
    other.world.arm().seed_resource(&body).unwrap();
    for id in [&vault, &policy, &item, &point] {
        let body = read(&caller, id).await;
        assert!(body["id"].is_string(), "{id}: {body}");
        other.world.arm().seed_resource(&body).unwrap();
    }
    for id in [&policy, &item, &point] {
        assert_eq!(read(&other, id).await, read(&caller, id).await, "{id}");
    }
    let (theirs, ours) = (read(&caller, &vault).await, read(&other, &vault).await);
    assert_eq!(theirs["properties"], ours["properties"]);
    let orphan = json!({ "id": item.replace("safe", "none"), "properties": {} });
    assert!(other.world.arm().seed_resource(&orphan).is_err(), "its vault is not there");
}

#[tokio::test(start_paused = true)]
async fn a_vault_whose_soft_delete_is_always_on_goes_with_its_deleted_items() {
    let (caller, machine, vault) = with_vault();
    let arm = caller.world.arm();
    let own = ItemSeed { machine, policy: "DefaultPolicy".to_owned(), state: ItemState::SoftDeleted, points: vec![] };
    arm.seed_item(&vault, &own).unwrap();
    let delete = async || caller.send("DELETE", &format!("{vault}?{VERSION}"), None).await;
    assert_eq!(delete().await.code(), "BMSUserErrorVaultDeletionNotAllowed");
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/backup?api-version=2025-04-01");
    let told = caller.send("DELETE", &group, None).await;
    seconds(60).await;
    assert_eq!(caller.poll(&told, "location").await.code(), "ResourceGroupDeletionBlocked");
    let config = format!("{vault}/backupconfig/vaultconfig?{VERSION}");
    let wanted = |state: &str| Some(json!({ "properties": { "softDeleteFeatureState": state } }));
    assert_eq!(caller.send("PATCH", &config, wanted("AlwaysON")).await.status, 200);
    assert_eq!(caller.send("PATCH", &config, wanted("Disabled")).await.status, 400, "it is for ever");
    arm.add_lock(&vault, "keep", LockLevel::CanNotDelete);
    assert_eq!(delete().await.code(), "ScopeLocked");
    arm.remove_lock(&vault, "keep");
    assert_eq!(delete().await.status, 202);
    seconds(30).await;
    assert!(arm.vault_items().is_empty());
}

#[tokio::test(start_paused = true)]
async fn protection_that_fails_to_be_set_up_leaves_no_item_and_can_be_tried_again() {
    let (caller, machine, vault) = with_vault();
    let arm = caller.world.arm();
    arm.order_job_failure(JobFailure {
        machine: None,
        operation: JobOperation::ConfigureBackup,
        part: JobPart::Whole,
        code: 400_002,
        title: "CloudInternalError".to_owned(),
        message: "An internal error.".to_owned(),
        recommendations: Vec::new(),
        only_warns: false,
        times: Some(1),
    });
    let put = async || {
        let path = format!("{}?{VERSION}", item_of(&vault));
        caller.send("PUT", &path, Some(wish(&vault, &machine))).await
    };
    assert_eq!(put().await.status, 202);
    assert_eq!(put().await.code(), "UserErrorBackupOperationInProgress", "it is being set up");
    seconds(31).await;
    assert!(arm.vault_items().is_empty());
    assert_eq!(
        (arm.vault_jobs()[0].status.as_str(), arm.vault_jobs()[0].errors[0].as_str()),
        ("Failed", "CloudInternalError")
    );
    assert_eq!(put().await.status, 202);
    seconds(31).await;
    assert_eq!(arm.vault_items()[0].protection, "IRPending");
    arm.remove_item(&arm.vault_items()[0].id).unwrap();
    assert_eq!(put().await.status, 202, "what was taken away is set up anew");
}

#[tokio::test(start_paused = true)]
async fn a_season_of_thirty_machines_leaves_no_more_plans_than_machines() {
    let (caller, _, vault) = with_vault();
    let arm = caller.world.arm();
    for number in 0..30 {
        let machine = arm.add_machine(&MachineSeed::new(SUBSCRIPTION, "Shop", &format!("m{number}"), "westeurope"));
        let own = ItemSeed { machine, policy: "DefaultPolicy".to_owned(), state: ItemState::Pending, points: vec![] };
        arm.seed_item(&vault, &own).unwrap();
    }
    seconds(100 * 86_400).await;
    assert_eq!(arm.vault_points().len(), 30 * 30);
    assert_eq!(arm.vault_jobs().len(), 30 * 100);
    let plans = arm.state().plans();
    assert!(plans <= 30 * 2, "a run and a look at the points each: {plans}");
}

#[tokio::test(start_paused = true)]
async fn resource_graph_lists_vaults_and_their_items_as_they_were_a_while_ago() {
    let (caller, machine, vault) = with_vault();
    let arm = caller.world.arm();
    let own = ItemSeed { machine, policy: "DefaultPolicy".to_owned(), state: ItemState::Pending, points: vec![] };
    let item = arm.seed_item(&vault, &own).unwrap();
    let ask = async || {
        let query = "RecoveryServicesResources | where type =~ \
                     'microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems' | project id, \
                     state = tostring(properties.protectionState), machine = tostring(properties.sourceResourceId)";
        let path = "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01";
        let body = json!({ "subscriptions": [SUBSCRIPTION], "query": query });
        caller.send("POST", path, Some(body)).await.body["data"].clone()
    };
    seconds(20).await;
    let rows = ask().await;
    assert_eq!((&rows[0]["id"], &rows[0]["state"]), (&json!(item), &json!("IRPending")));
    arm.set_item_state(&item, ItemState::Stopped, None).unwrap();
    assert_eq!(ask().await[0]["state"], "IRPending", "it lags");
    seconds(20).await;
    assert_eq!(ask().await[0]["state"], "ProtectionStopped");
    arm.remove_item(&item).unwrap();
    seconds(20).await;
    assert_eq!(ask().await, json!([]));
}
