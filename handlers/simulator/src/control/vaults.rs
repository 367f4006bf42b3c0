//! Orders about vaults, vault policies, items and jobs, and about what vanishes.
//! It never answers what another part of the control API knows.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Refusal, done, known};
use crate::azure::{ItemSeed, ItemState, JobFailure, PolicySeed, VaultSeed};
use crate::world::World;

#[derive(Debug, Deserialize)]
struct NewPolicy {
    vault: String,
    #[serde(flatten)]
    seed: PolicySeed,
}

#[derive(Debug, Deserialize)]
struct NewItem {
    vault: String,
    #[serde(flatten)]
    seed: ItemSeed,
}

#[derive(Debug, Deserialize)]
struct Entered {
    id: String,
    state: ItemState,
    #[serde(default)]
    policy: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Full {
    id: String,
    full: bool,
}

/// Carries out an order.
pub(super) fn act(world: &World, method: &str, path: &str, asked: &Asked) -> Result<Value, Refusal> {
    let arm = world.arm();
    let made = |outcome: Result<String, String>| outcome.map(|id| json!({ "id": id })).map_err(Refusal::Bad);
    match (method, path) {
        ("GET", "/vault-items") => Ok(json!(arm.vault_items())),
        ("GET", "/vault-jobs") => Ok(json!(arm.vault_jobs())),
        ("GET", "/vault-points") => Ok(json!(arm.vault_points())),
        ("POST", "/vaults") => made(Ok(arm.add_vault(&asked.read::<VaultSeed>()?))),
        ("POST", "/vaults/full") => {
            let Full { id, full } = asked.read()?;
            known(arm.set_vault_full(&id, full), &id)
        }
        ("POST", "/vault-policies") => {
            let NewPolicy { vault, seed } = asked.read()?;
            made(arm.add_vault_policy(&vault, &seed))
        }
        ("POST", "/vault-items") => {
            let NewItem { vault, seed } = asked.read()?;
            made(arm.seed_item(&vault, &seed))
        }
        ("POST", "/vault-items/state") => {
            let Entered { id, state, policy } = asked.read()?;
            done(arm.set_item_state(&id, state, policy.as_deref()))
        }
        ("DELETE", "/vault-items") => done(arm.remove_item(asked.parameter("id")?)),
        ("POST", "/job-failures") => {
            arm.order_job_failure(asked.read::<JobFailure>()?);
            Ok(json!({}))
        }
        ("DELETE", "/job-failures") => {
            arm.clear_job_failures();
            Ok(json!({}))
        }
        ("DELETE", "/points") => {
            let id = asked.parameter("id")?;
            known(arm.remove_point(id), id)
        }
        ("DELETE", "/snapshots") => {
            let id = asked.parameter("id")?;
            known(arm.remove_snapshot(id), id)
        }
        _ => Err(Refusal::Unknown(format!("{method} {path}"))),
    }
}
