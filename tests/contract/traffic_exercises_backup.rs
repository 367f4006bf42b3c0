//! Speaks every operation on vaults and Azure Backup once, in an order in which each finds what it needs: a vault with Azure's default
//! vault policy, and a machine that it does not protect yet.
//! It never judges an answer, as its parent does not.

use std::time::Duration;

use futures::future::FutureExt as _;
use lifeboat_azure::backup_jobs::{self, BACKUP_JOB, JobFilter};
use lifeboat_azure::operations::Operation;
use lifeboat_azure::vault_operations::OperationId;
use lifeboat_azure::{
    ResourceId, protectable_items, protected_items, protection, protection_status, vault_operations, vault_points,
    vault_policies, vaults,
};
use lifeboat_tests::rig::{EPOCH, GROUP, LOCATION, SUBSCRIPTION};

use super::{Bench, Exercise, Result, WHOLE_OPERATION, latest, machine};

/// The vault that the bench has.
pub const VAULT: &str = "rsv-weu-1";
/// The vault policy that every vault has.
const POLICY: &str = "DefaultPolicy";
/// Longer than any backup of the simulator runs.
const WHOLE_BACKUP: Duration = Duration::from_secs(6 * 3600);

/// Each operation and a call that speaks it.
pub const EXERCISES: &[(&Operation, Exercise)] = &[
    (&vaults::LIST, |on| async move { vaults::list(&on.arm, SUBSCRIPTION).await.map(drop) }.boxed()),
    (&vaults::GET, |on| async move { vaults::get(&on.arm, &vault()).await.map(drop) }.boxed()),
    (&vaults::LIST_USAGES, |on| async move { vaults::list_usages(&on.arm, &vault()).await.map(drop) }.boxed()),
    (&vault_policies::LIST, |on| async move { vault_policies::list(&on.arm, &vault()).await.map(drop) }.boxed()),
    (&vault_policies::GET, |on| async move { vault_policies::get(&on.arm, &vault(), POLICY).await.map(drop) }.boxed()),
    (&protectable_items::REFRESH, |on| refresh(on).boxed()),
    (&protectable_items::REFRESH_RESULT, |on| refresh(on).boxed()),
    (&protectable_items::LIST, |on| async move { protectable_items::list(&on.arm, &vault()).await.map(drop) }.boxed()),
    (&protection_status::STATUS, |on| {
        async move { protection_status::get(&on.arm, &machine(), LOCATION).await.map(drop) }.boxed()
    }),
    (&protection_status::PRE_CHECK, |on| {
        async move { protection_status::pre_check(&on.arm, &machine(), LOCATION, &vault()).await.map(drop) }.boxed()
    }),
    (&protection::ENABLE, |on| enable(on).boxed()),
    (&vault_operations::GET, |on| enable(on).boxed()),
    (&protection::BACK_UP_NOW, |on| back_up_now(on).boxed()),
    (&protected_items::LIST, |on| async move { protected_items::list(&on.arm, &vault()).await.map(drop) }.boxed()),
    (&protected_items::GET, |on| {
        async move { protected_items::get(&on.arm, &vault(), &machine()).await.map(drop) }.boxed()
    }),
    (&backup_jobs::LIST, |on| jobs(on).boxed()),
    (&backup_jobs::GET, |on| jobs(on).boxed()),
    (&vault_points::LIST, |on| points(on).boxed()),
];

fn vault() -> ResourceId {
    ResourceId::of_resource(SUBSCRIPTION, GROUP, "Microsoft.RecoveryServices/vaults", VAULT).expect("an id")
}

/// Asks at once, and after its end.
async fn refresh(on: Bench) -> Result {
    if let Some(id) = protectable_items::begin_refresh(&on.arm, &vault(), latest()).await? {
        protectable_items::refresh_state(&on.arm, &vault(), &id).await?;
        tokio::time::sleep(WHOLE_OPERATION).await;
        protectable_items::refresh_state(&on.arm, &vault(), &id).await?;
    }
    Ok(())
}

async fn enable(on: Bench) -> Result {
    let policy = vault().child("backupPolicies", POLICY).expect("an id");
    match protection::begin_enable(&on.arm, &vault(), &machine(), &policy, latest()).await? {
        protection::Enabled::Begun(Some(id)) => follow(&on, &id, WHOLE_OPERATION).await,
        _ => Ok(()),
    }
}

async fn back_up_now(on: Bench) -> Result {
    let keep_until = EPOCH.parse::<jiff::Timestamp>().expect("a time") + jiff::SignedDuration::from_hours(30 * 24);
    match protection::begin_backup(&on.arm, &vault(), &machine(), keep_until, latest()).await? {
        Some(id) => follow(&on, &id, WHOLE_BACKUP).await,
        None => Ok(()),
    }
}

/// Asks for the operation until it names its job, and for the job at once and after its end.
async fn follow(on: &Bench, id: &OperationId, whole: Duration) -> Result {
    vault_operations::get(&on.arm, &vault(), id).await?;
    tokio::time::sleep(WHOLE_OPERATION).await;
    if let Some(job) = vault_operations::get(&on.arm, &vault(), id).await?.job {
        backup_jobs::get(&on.arm, &vault(), &job).await?;
        tokio::time::sleep(whole).await;
        backup_jobs::get(&on.arm, &vault(), &job).await?;
    }
    Ok(())
}

async fn jobs(on: Bench) -> Result {
    let from: jiff::Timestamp = EPOCH.parse().expect("a time");
    let between = Some((from, from + jiff::SignedDuration::from_hours(48)));
    let filter = JobFilter { operation: Some(BACKUP_JOB), status: Some("Completed"), between };
    for filter in [JobFilter::default(), filter] {
        for job in backup_jobs::list(&on.arm, &vault(), &filter).await? {
            backup_jobs::get(&on.arm, &vault(), &job.name).await?;
        }
    }
    Ok(())
}

async fn points(on: Bench) -> Result {
    let from: jiff::Timestamp = EPOCH.parse().expect("a time");
    let between = (from, from + jiff::SignedDuration::from_hours(48));
    for between in [None, Some(between)] {
        vault_points::list(&on.arm, &vault(), &machine(), between).await?;
    }
    Ok(())
}
