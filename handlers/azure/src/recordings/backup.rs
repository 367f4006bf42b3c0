//! The client's requests to vaults and Azure Backup are the recorded ones: each is replayed through the call that would have
//! made it.
//!
//! It never copies the recordings. What the client does not send (stopping, deleting, disks left out) is counted apart.

use super::{requests::Replayed, spoken};
use crate::{
    ResourceId,
    arm::ArmClient,
    backup_jobs::{self, JobFilter},
    operations::Operation,
    proof::data::{Recorded, tapes},
    protectable_items, protected_items, protection, protection_status,
    transport::Latest,
    vault_operations, vault_points, vault_policies, vaults,
};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// How many of a hundred spoken requests must be the recorded ones.
const EQUAL_PERCENT: usize = 95;

fn latest() -> Latest {
    Latest::after(Duration::from_secs(10))
}

/// The vault in a path, or what stands in a body.
fn vault(recorded: &Recorded) -> ResourceId {
    let parts: Vec<&str> = recorded.bare_path().split('/').take(9).collect();
    parts.join("/").parse().unwrap()
}

/// The machine whose item a path is about.
fn machine(recorded: &Recorded) -> ResourceId {
    let container = recorded.bare_path().split('/').nth(12).unwrap().replace("%3B", ";");
    let [_, _, group, name] = container.split(';').collect::<Vec<_>>()[..] else { panic!("{container}") };
    let subscription = vault(recorded).subscription().to_owned();
    ResourceId::of_resource(&subscription, group, "Microsoft.Compute/virtualMachines", name).unwrap()
}

fn last(recorded: &Recorded) -> &str {
    recorded.bare_path().rsplit('/').next().unwrap()
}

fn id(value: &Value) -> ResourceId {
    value.as_str().unwrap().parse().unwrap()
}

/// Asks what was asked; false where the client has no such request. What comes of it is for the other tests.
async fn ask(arm: &ArmClient, operation: &'static Operation, recorded: &Recorded) -> bool {
    let properties = &recorded.request["properties"];
    let is = |other: &Operation| *operation == *other;
    match () {
        () if is(&vaults::GET) => drop(vaults::get(arm, &vault(recorded)).await),
        () if is(&vault_policies::GET) => drop(vault_policies::get(arm, &vault(recorded), last(recorded)).await),
        () if is(&vault_policies::LIST) => drop(vault_policies::list(arm, &vault(recorded)).await),
        () if is(&protectable_items::LIST) => drop(protectable_items::list(arm, &vault(recorded)).await),
        () if is(&protectable_items::REFRESH) => {
            let begun = protectable_items::begin_refresh(arm, &vault(recorded), latest()).await.unwrap();
            assert!(recorded.headers["location"].contains(&format!("/operationResults/{}?", begun.unwrap())));
        }
        () if is(&protectable_items::REFRESH_RESULT) => {
            let id = last(recorded).parse().unwrap();
            drop(protectable_items::refresh_state(arm, &vault(recorded), &id).await);
        }
        () if is(&protected_items::LIST) => drop(protected_items::list(arm, &vault(recorded)).await),
        () if is(&protected_items::GET) => {
            drop(protected_items::get(arm, &vault(recorded), &machine(recorded)).await);
        }
        () if is(&protection::ENABLE) => {
            let plain = properties.as_object().unwrap().len() == 3 && properties["policyId"] != "";
            if !plain {
                return false;
            }
            let (source, policy) = (id(&properties["sourceResourceId"]), id(&properties["policyId"]));
            let begun = protection::begin_enable(arm, &vault(recorded), &source, &policy, latest()).await.unwrap();
            assert!(matches!(begun, protection::Enabled::Begun(Some(_))));
        }
        () if is(&protection::BACK_UP_NOW) => {
            let until = properties["recoveryPointExpiryTimeInUTC"].as_str().unwrap().parse().unwrap();
            let begun = protection::begin_backup(arm, &vault(recorded), &machine(recorded), until, latest()).await;
            assert!(begun.unwrap().is_some());
        }
        () if is(&vault_operations::GET) => {
            let read = vault_operations::get(arm, &vault(recorded), &last(recorded).parse().unwrap()).await.unwrap();
            assert_eq!(read.job.as_deref(), recorded.response.pointer("/properties/jobId").and_then(Value::as_str));
        }
        () if is(&backup_jobs::GET) => drop(backup_jobs::get(arm, &vault(recorded), last(recorded)).await),
        () if is(&backup_jobs::LIST) => {
            drop(backup_jobs::list(arm, &vault(recorded), &JobFilter::default()).await);
        }
        () if is(&vault_points::LIST) => {
            drop(vault_points::list(arm, &vault(recorded), &machine(recorded), None).await);
        }
        () if is(&protection_status::STATUS) => {
            let location = recorded.bare_path().split('/').nth(6).unwrap();
            drop(protection_status::get(arm, &id(&recorded.request["resourceId"]), location).await);
        }
        () => return false,
    }
    true
}

#[tokio::test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn our_requests_to_vaults_are_those_of_the_recordings() {
    let (mut equal, mut differ, mut not_ours): (usize, BTreeMap<&str, usize>, BTreeMap<&str, usize>) =
        Default::default();
    for recorded in tapes().values().flatten() {
        let Some(operation) = spoken(recorded) else { continue };
        if !operation.action.starts_with("Microsoft.RecoveryServices/") {
            continue;
        }
        let (arm, scripted) = recorded.client();
        if !ask(&arm, operation, recorded).await {
            *not_ours.entry(operation.action).or_default() += 1;
        } else if recorded.is_same(&scripted.asked()[0]) {
            equal += 1;
        } else {
            *differ.entry(operation.action).or_default() += 1;
        }
    }
    let different: usize = differ.values().sum();
    println!("recordings: {equal} requests to vaults equal, {different} different {differ:?}, not ours {not_ours:?}");
    assert!(equal * 100 >= (equal + different) * EQUAL_PERCENT, "{differ:?}");
    if equal > 0 {
        // Lists are narrowed to machines, where some recorded ones are not; items to machines of the current kind.
        let expected = [
            ("Microsoft.RecoveryServices/Vaults/backupJobs/read", 4),
            ("Microsoft.RecoveryServices/Vaults/backupPolicies/read", 1),
            ("Microsoft.RecoveryServices/Vaults/backupProtectedItems/read", 4),
        ];
        assert_eq!(differ.into_iter().collect::<Vec<_>>(), expected);
    }
}
