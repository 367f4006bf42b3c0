//! Enabling and a backup now under hostile answers: what is repeated, what is refused, and what is taken from a status URL.
//!
//! It never opens a socket; waiting goes by tokio's clock.

use super::{Enabled, begin_backup, begin_enable};
use crate::{
    ArmClient, ResourceId,
    error::ErrorKind,
    long_running::OperationState,
    protectable_items,
    scripted::{Reply, Scripted},
    transport::Latest,
    vault_operations,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};

const VAULT: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v";
const MACHINE: &str = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/M";
const HOST: &str = "https://management.azure.com";

fn client(replies: impl IntoIterator<Item = Reply>) -> (ArmClient, Arc<Scripted>) {
    let scripted = Scripted::new(replies);
    (ArmClient::new(HOST.parse().unwrap(), &scripted.access()).unwrap(), scripted)
}

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn policy(vault: &str) -> ResourceId {
    id(&format!("{vault}/backupPolicies/p"))
}

fn latest() -> Latest {
    Latest::after(Duration::from_secs(10))
}

fn accepted(path: &str) -> Reply {
    Reply::text(202, "").with("azure-asyncoperation", &format!("{HOST}{path}"))
}

async fn back_up(arm: &ArmClient) -> Result<Option<String>, crate::Error> {
    let until = "2026-12-22T02:00:00Z".parse().unwrap();
    let begun = begin_backup(arm, &id(VAULT), &id(MACHINE), until, latest()).await?;
    Ok(begun.map(|id| id.to_string()))
}

#[tokio::test(start_paused = true)]
async fn enabling_names_the_item_by_the_machine_and_gives_the_operations_id() {
    let (arm, scripted) = client([accepted("/x/operationsStatus/o-1?api-version=1&s=secret")]);
    let begun = begin_enable(&arm, &id(VAULT), &id(MACHINE), &policy(VAULT), latest()).await.unwrap();
    assert_eq!(begun, Enabled::Begun(Some("o-1".parse().unwrap())));
    let asked = &scripted.asked()[0];
    let item = "backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;g;m/protectedItems/VM;iaasvmcontainerv2;g;m";
    assert_eq!((asked.method.as_str(), asked.url.path()), ("PUT", &*format!("{VAULT}/{item}")));
    let properties = json!({
        "protectedItemType": "Microsoft.Compute/virtualMachines", "sourceResourceId": MACHINE,
        "policyId": format!("{VAULT}/backupPolicies/p"),
    });
    assert_eq!(asked.json(), json!({ "properties": properties }));
}

#[tokio::test(start_paused = true)]
async fn enabling_is_repeated_and_a_backup_is_not_when_nobody_knows_whether_it_was_done() {
    let broken = || [Reply::Broken, accepted("/x/o-1"), accepted("/x/o-2")];
    let (arm, scripted) = client(broken());
    begin_enable(&arm, &id(VAULT), &id(MACHINE), &policy(VAULT), latest()).await.unwrap();
    assert_eq!(scripted.count(), 2);
    for unclear in [Reply::Broken, Reply::text(502, "<html>"), Reply::text(500, "")] {
        let (arm, scripted) = client([unclear]);
        assert!(back_up(&arm).await.unwrap_err().maybe_done());
        assert_eq!(scripted.count(), 1);
    }
    // A throttled one was certainly not done.
    let (arm, scripted) = client([Reply::text(429, "").with("retry-after", "1"), accepted("/x/o-1")]);
    assert_eq!(back_up(&arm).await.unwrap(), Some("o-1".to_owned()));
    assert_eq!(scripted.asked()[1].json()["properties"]["recoveryPointExpiryTimeInUTC"], "2026-12-22T02:00:00.000Z");
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_runs_already_is_busy_whatever_the_status() {
    for status in [400, 409] {
        for body in [
            json!({ "error": { "code": "UserErrorBackupOperationInProgress", "message": "m" } }),
            json!({ "code": "UserErrorBackupOperationInProgress", "message": "m" }),
            json!({ "error": { "code": "x", "details": [{ "code": "userErrorBackupOperationInProgress" }] } }),
        ] {
            let (arm, scripted) = client([Reply::json(status, &body)]);
            let error = back_up(&arm).await.unwrap_err();
            assert_eq!((error.kind, error.maybe_done(), scripted.count()), (ErrorKind::Busy, false, 1), "{body}");
        }
    }
    let (arm, _) = client([Reply::json(400, &json!({ "error": { "code": "UserErrorSomethingElse" } }))]);
    assert_eq!(back_up(&arm).await.unwrap_err().kind, ErrorKind::Refused);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_machine_no_vault_or_another_vaults_policy_is_refused_before_anything_is_sent() {
    let (arm, scripted) = client([]);
    let other = VAULT.replace("/v", "/other");
    for (vault, machine, policy) in [
        (VAULT, MACHINE, policy(&other)),
        (VAULT, MACHINE, id(VAULT)),
        (VAULT, VAULT, policy(VAULT)),
        (MACHINE, MACHINE, policy(VAULT)),
    ] {
        let error = begin_enable(&arm, &id(vault), &id(machine), &policy, latest()).await.unwrap_err();
        assert_eq!((error.kind, error.maybe_done()), (ErrorKind::Refused, false), "{vault} {machine} {policy}");
    }
    assert_eq!(scripted.count(), 0);
    // The vault's own policy, in any case.
    let (arm, _) = client([accepted("/x/o-1")]);
    begin_enable(&arm, &id(VAULT), &id(MACHINE), &policy(&VAULT.to_uppercase()), latest()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_status_url_that_ends_with_no_id_gives_none() {
    for path in ["", "/", "/x/", "/x/..", "/x/a%2Fb", "/x/ä", &format!("/x/{}", "a".repeat(65))] {
        let (arm, _) = client([accepted(path)]);
        assert_eq!(back_up(&arm).await.unwrap(), None, "{path}");
    }
    // Nothing but the headers tells where to ask.
    let (arm, _) = client([Reply::text(202, "")]);
    assert_eq!(back_up(&arm).await.unwrap(), None);
    let item = json!({ "id": format!("{VAULT}/protectedItems/i"), "properties": { "protectionState": "Protected" } });
    let (arm, _) = client([Reply::json(200, &item)]);
    let enabled = begin_enable(&arm, &id(VAULT), &id(MACHINE), &policy(VAULT), latest()).await.unwrap();
    assert!(matches!(enabled, Enabled::Already(_)));
    let (arm, _) = client([Reply::text(200, "{}")]);
    let error = begin_enable(&arm, &id(VAULT), &id(MACHINE), &policy(VAULT), latest()).await.unwrap_err();
    assert_eq!((error.kind, error.maybe_done()), (ErrorKind::Malformed, true));
}

#[tokio::test(start_paused = true)]
async fn an_operation_says_its_job_and_one_that_is_forgotten_says_nothing() {
    let running = OperationState::Running { retry_after: Some(Duration::from_secs(60)) };
    let failed = OperationState::Failed { code: Some("c".to_owned()), message: Some("m".to_owned()) };
    for (reply, state, job) in [
        (Reply::json(200, &json!({ "status": "InProgress" })).with("retry-after", "60"), running, None),
        (
            Reply::json(200, &json!({ "status": "Succeeded", "properties": { "jobId": "j" } })),
            OperationState::Succeeded,
            Some("j"),
        ),
        (
            Reply::json(200, &json!({ "status": "Succeeded", "properties": { "jobId": "" } })),
            OperationState::Succeeded,
            None,
        ),
        (Reply::json(200, &json!({ "status": "Failed", "error": { "code": "c", "message": "m" } })), failed, None),
        (Reply::json(200, &json!({})), OperationState::Unclear, None),
        (Reply::json(404, &json!({ "error": { "code": "x" } })), OperationState::Unclear, None),
    ] {
        let (arm, _) = client([reply]);
        let read = vault_operations::get(&arm, &id(VAULT), &"o-1".parse().unwrap()).await.unwrap();
        assert_eq!((read.state, read.job.as_deref()), (state, job));
    }
    for unreadable in [Reply::text(200, ""), Reply::text(200, "[]"), Reply::text(200, "<html>")] {
        let (arm, _) = client([unreadable]);
        let error = vault_operations::get(&arm, &id(VAULT), &"o-1".parse().unwrap()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Malformed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_runs_by_202_is_over_by_204_and_fails_by_a_refusal() {
    let both = accepted("/x/operationsStatus/o-1?s=1").with("location", &format!("{HOST}/x/operationResults/o-1?s=1"));
    let (arm, _) = client([both]);
    let begun = protectable_items::begin_refresh(&arm, &id(VAULT), latest()).await.unwrap().unwrap();
    for (reply, expected) in [
        (Reply::text(202, ""), OperationState::Running { retry_after: None }),
        (Reply::text(204, ""), OperationState::Succeeded),
        (Reply::text(404, ""), OperationState::Unclear),
        (
            Reply::json(400, &json!({ "error": { "code": "c" } })),
            OperationState::Failed { code: Some("c".to_owned()), message: None },
        ),
    ] {
        let (arm, scripted) = client([reply]);
        assert_eq!(protectable_items::refresh_state(&arm, &id(VAULT), &begun).await.unwrap(), expected);
        let path = format!("{VAULT}/backupFabrics/Azure/operationResults/o-1");
        assert_eq!(scripted.asked()[0].url.path(), path);
    }
}
