//! The lines of scenarios about vaults and schedules: policies of their own files, vaults, items in any state, jobs that fail.
//! It never protects through the product, and never tells what is due by asking it.
//!
//! ```text
//! policy file NAME              policies/NAME.yaml is in force, alone
//! policy files NAME NAME …      these are, together
//! vault NAME [in LOCATION]      a vault with Azure's own vault policies
//! vault NAME full               it takes no more items
//! item VAULT MACHINE pending|protected|stopped|soft-deleted [POLICY]      as if somebody had made it
//! backups fail CODE [times N]   their snapshots do             backups work
//! vanish MACHINE                its item, behind everybody's back
//! items | jobs
//! ```

use jiff::SignedDuration;
use lifeboat_simulator::azure::{ItemSeed, ItemState, JobFailure, JobOperation, JobPart, VaultSeed};
use lifeboat_tests::Rig;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::rig::{GROUP, LOCATION, SUBSCRIPTION};

/// The number that comes with the code of a failed job.
const FAILED: i64 = 400_001;

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Vaults {
    PolicyFiles(Vec<String>),
    Vault { name: String, location: String },
    Full(String),
    Item { vault: String, machine: String, state: ItemState, policy: String },
    Fail { code: String, times: Option<u32> },
    Work,
    Vanish(String),
    Items,
    Jobs,
}

/// Reads a line; none when it is about something else.
pub fn read(words: &[&str]) -> Option<Result<Vaults, String>> {
    Some(match words {
        ["policy", "file", name] => Ok(Vaults::PolicyFiles(vec![(*name).to_owned()])),
        ["policy", "files", names @ ..] => {
            Ok(Vaults::PolicyFiles(names.iter().map(|name| (*name).to_owned()).collect()))
        }
        ["vault", name, "full"] => Ok(Vaults::Full((*name).to_owned())),
        ["vault", name] => Ok(Vaults::Vault { name: (*name).to_owned(), location: LOCATION.to_owned() }),
        ["vault", name, "in", location] => {
            Ok(Vaults::Vault { name: (*name).to_owned(), location: (*location).to_owned() })
        }
        ["item", vault, machine, state, policy @ ..] => item(vault, machine, state, policy),
        ["backups", "fail", code] => Ok(Vaults::Fail { code: (*code).to_owned(), times: None }),
        ["backups", "fail", code, "times", times] => times
            .parse()
            .map(|times| Vaults::Fail { code: (*code).to_owned(), times: Some(times) })
            .map_err(|_| format!("{times} is no number")),
        ["backups", "work"] => Ok(Vaults::Work),
        ["vanish", machine] => Ok(Vaults::Vanish((*machine).to_owned())),
        ["items"] => Ok(Vaults::Items),
        ["jobs"] => Ok(Vaults::Jobs),
        _ => return None,
    })
}

fn item(vault: &str, machine: &str, state: &str, policy: &[&str]) -> Result<Vaults, String> {
    let state = match state {
        "pending" => ItemState::Pending,
        "protected" => ItemState::Protected,
        "stopped" => ItemState::Stopped,
        "soft-deleted" => ItemState::SoftDeleted,
        other => return Err(format!("{other} is no state of an item")),
    };
    let policy = match policy {
        [] => "EnhancedPolicy".to_owned(),
        [policy] => (*policy).to_owned(),
        more => return Err(format!("{} is no vault policy", more.join(" "))),
    };
    Ok(Vaults::Item { vault: vault.to_owned(), machine: machine.to_owned(), state, policy })
}

/// Does what a line asks for; the lines to be shown.
pub fn act(rig: &Rig, line: &Vaults) -> Result<Vec<String>, String> {
    let arm = &rig.azure.arm;
    match line {
        Vaults::PolicyFiles(names) => {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/policies");
            let read = |name: &String| {
                let file = format!("{name}.yaml");
                let text = std::fs::read_to_string(folder.join(&file)).map_err(|error| format!("{file}: {error}"))?;
                Ok((file, text))
            };
            let documents: Vec<(String, String)> = names.iter().map(read).collect::<Result<_, String>>()?;
            let documents: Vec<_> = documents.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
            rig.write_policies(&documents);
        }
        Vaults::Vault { name, location } => {
            arm.add_vault(&VaultSeed::new(SUBSCRIPTION, GROUP, name, location));
        }
        Vaults::Full(name) if arm.set_vault_full(&vault_id(name), true) => {}
        Vaults::Full(name) => return Err(format!("there is no vault {name}")),
        Vaults::Item { vault, machine, state, policy } => {
            let made = rig.clock.now().checked_sub(SignedDuration::from_hours(1)).map_err(|error| error.to_string())?;
            let points = if *state == ItemState::Pending { Vec::new() } else { vec![made] };
            let seed = ItemSeed { machine: Azure::id(machine), policy: policy.clone(), state: *state, points };
            arm.seed_item(&vault_id(vault), &seed)?;
        }
        Vaults::Fail { code, times } => arm.order_job_failure(JobFailure {
            machine: None,
            operation: JobOperation::Backup,
            part: JobPart::Snapshot,
            code: FAILED,
            title: code.clone(),
            message: "It failed on order.".to_owned(),
            recommendations: Vec::new(),
            only_warns: false,
            times: *times,
        }),
        Vaults::Work => arm.clear_job_failures(),
        Vaults::Vanish(machine) => {
            let items = arm.vault_items();
            let item = items.iter().find(|item| item.machine.eq_ignore_ascii_case(&Azure::id(machine)));
            arm.remove_item(&item.ok_or_else(|| format!("{machine} has no item"))?.id)?;
        }
        Vaults::Items => return Ok(items(rig)),
        Vaults::Jobs => return Ok(jobs(rig)),
    }
    Ok(Vec::new())
}

fn vault_id(name: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.RecoveryServices/vaults/{name}")
}

fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

fn items(rig: &Rig) -> Vec<String> {
    let items = rig.azure.arm.vault_items().into_iter();
    let shown = items.map(|item| {
        let deleted = if item.soft_deleted { ", soft-deleted" } else { "" };
        let points = item.points;
        let (vault, machine) = (last(&item.vault), last(&item.machine));
        format!("  {vault}: {machine} {} by {}{deleted}, {points} points", item.protection, item.policy)
    });
    or_none(shown.collect(), "  no items")
}

fn jobs(rig: &Rig) -> Vec<String> {
    let jobs = rig.azure.arm.vault_jobs().into_iter();
    let shown = jobs.map(|job| {
        let errors = if job.errors.is_empty() { String::new() } else { format!(", {}", job.errors.join(", ")) };
        let since = |at: jiff::Timestamp| at.duration_since(rig.epoch).as_secs();
        let began = since(job.started);
        let took = job.ended.map_or(String::new(), |ended| format!(", {} s", since(ended) - began));
        let minutes = began / 60;
        format!(
            "  +{}:{:02} {} {:?} {}{took}{errors}",
            minutes / 60,
            minutes % 60,
            job.machine,
            job.operation,
            job.status
        )
    });
    or_none(shown.collect(), "  no jobs")
}

fn or_none(lines: Vec<String>, none: &str) -> Vec<String> {
    if lines.is_empty() { vec![none.to_owned()] } else { lines }
}
