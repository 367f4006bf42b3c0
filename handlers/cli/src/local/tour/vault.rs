//! A machine that nobody protects is found by the sweep, protected in the vault that its policy names, and backed up.
//! It never believes the handler: item, jobs and points are asked of the simulated Azure.

use anyhow::Result;

use super::{Held, Look, Tour, counted, missed, name_of};
use crate::local::control::{ItemSeen, JobSeen};
use crate::local::estate::{UNPROTECTED, VAULT};

/// The vault policy that the policy names.
const VAULT_POLICY: &str = "EnhancedPolicy";

impl Tour<'_> {
    /// It is protected and backed up.
    pub(super) async fn vault(&mut self) -> Result<Held> {
        let expected = "the machine is in the vault by the vault policy, protected, with its first backup asked for once and completed";
        if let Some(item) = self.item().await? {
            return Ok(Err(missed("no vault protects it yet", words(Some(&item), &[]))));
        }
        self.steps.tell(&format!("{UNPROTECTED} is in no vault; somebody pushes a policy that names {VAULT} for it"));
        self.push(true);
        self.sweep("PolicySweep").await?;
        let mut told = String::new();
        let held = self
            .wait(async |tour| {
                let (item, jobs) = (tour.item().await?, tour.on.control.jobs(UNPROTECTED).await?);
                let seen = words(item.as_ref(), &jobs);
                if seen != told {
                    tour.steps.tell(&format!("{UNPROTECTED}: {seen}"));
                    told.clone_from(&seen);
                }
                Ok(if is_whole(item.as_ref(), &jobs) { Look::Yes(seen) } else { Look::NotYet(seen) })
            })
            .await?;
        // The vault's own schedule may have backed it up too: what was asked for is told by the requests.
        let asked = self.on.control.backups_asked().await?;
        Ok(match held {
            Ok(seen) if asked == 1 => Ok(format!("{seen}; one backup was asked for")),
            Ok(seen) => Err(missed(expected, format!("{seen}; {asked} backups were asked for"))),
            Err(seen) => Err(missed(expected, seen)),
        })
    }

    async fn item(&self) -> Result<Option<ItemSeen>> {
        let items = self.on.control.items().await?;
        Ok(items.into_iter().find(|item| name_of(&item.machine).eq_ignore_ascii_case(UNPROTECTED)))
    }
}

/// Whether it is protected as asked, and backed up once.
fn is_whole(item: Option<&ItemSeen>, jobs: &[JobSeen]) -> bool {
    let completed = |operation| jobs.iter().any(|job| job.operation == operation && job.status == "Completed");
    let as_asked = |item: &ItemSeen| {
        name_of(&item.vault) == VAULT
            && item.policy.eq_ignore_ascii_case(VAULT_POLICY)
            && item.protection == "Protected"
            && item.points > 0
    };
    item.is_some_and(as_asked) && completed("ConfigureBackup") && completed("Backup")
}

/// In one line for people.
fn words(item: Option<&ItemSeen>, jobs: &[JobSeen]) -> String {
    let item = item.map_or_else(
        || "in no vault".to_owned(),
        |item| {
            let points = counted(item.points, "recovery point", "recovery points");
            format!("in {} by {}, {}, {points}", name_of(&item.vault), item.policy, item.protection)
        },
    );
    let jobs: Vec<String> = jobs.iter().map(|job| format!("{} {}", job.operation, job.status)).collect();
    if jobs.is_empty() { item } else { format!("{item}; {}", jobs.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_protected_when_it_is_in_its_vault_by_its_policy_with_a_backup_completed() {
        let item = ItemSeen {
            machine: "/vm/dc-02".to_owned(),
            vault: format!("/vaults/{VAULT}"),
            policy: "enhancedpolicy".to_owned(),
            protection: "Protected".to_owned(),
            points: 1,
        };
        let job = |operation: &str, status: &str| JobSeen {
            machine: UNPROTECTED.to_owned(),
            operation: operation.to_owned(),
            status: status.to_owned(),
        };
        let jobs = [job("ConfigureBackup", "Completed"), job("Backup", "Completed")];
        assert!(is_whole(Some(&item), &jobs));
        assert!(!is_whole(None, &jobs));
        for other in [
            ItemSeen { vault: "/vaults/other".to_owned(), ..item.clone() },
            ItemSeen { policy: "DefaultPolicy".to_owned(), ..item.clone() },
            ItemSeen { protection: "IRPending".to_owned(), ..item.clone() },
            ItemSeen { points: 0, ..item.clone() },
        ] {
            assert!(!is_whole(Some(&other), &jobs), "{other:?}");
        }
        assert!(!is_whole(Some(&item), &[job("ConfigureBackup", "Completed"), job("Backup", "InProgress")]));
    }
}
