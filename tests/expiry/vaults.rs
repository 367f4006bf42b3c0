//! What is said of a machine's points in vaults, against the simulated Azure Backup.
//! It never asks the product which points there are: the simulator knows.

use std::sync::Arc;

use azure_core::http::{HttpClient, Url};
use jiff::SignedDuration;
use lifeboat_azure::access::Random;
use lifeboat_azure::{Access, ArmClient};
use lifeboat_execution::vault_verdicts::{self, VaultVerdicts};
use lifeboat_simulator::azure::{Grant, ItemSeed, ItemState, VaultSeed};
use lifeboat_simulator::bus::QueueOptions;
use lifeboat_simulator::clock::Clock;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::identity::Identity;
use lifeboat_tests::rig::{EPOCH, GROUP, LOCATION, QUEUE, SUBSCRIPTION};

use crate::run;

/// An Azure with a machine, two vaults in its region, and somebody who may read everything, by their own sign-in.
struct Bench {
    azure: Azure,
    arm: ArmClient,
    clock: Clock,
    vault: String,
}

fn bench() -> Bench {
    let clock = Clock::starting_at(EPOCH.parse().expect("a time"));
    let azure = Azure::exercised(&clock, 1);
    azure.identity.change_grants(&azure.principal.object_id, |grants| *grants = vec![Grant::owner()]);
    let mut seed = Azure::seed("web-1");
    seed.created_at = clock.now().checked_sub(SignedDuration::from_hours(90 * 24)).ok();
    azure.arm.add_machine(&seed);
    let vault = azure.arm.add_vault(&VaultSeed::new(SUBSCRIPTION, GROUP, "rsv-1", LOCATION));
    azure.arm.add_vault(&VaultSeed::new(SUBSCRIPTION, GROUP, "rsv-2", LOCATION));
    let (blobs, bus) = azure.store_and_queue(QueueOptions::new(QUEUE));
    let transport: Arc<dyn HttpClient> = azure.transport(&blobs, &bus);
    let credential = Identity::new(Arc::clone(&transport), azure.identity_header());
    let own = clock.clone();
    let access = Access::new(transport, credential, Arc::new(move || own.now()), Random::seeded(1));
    let endpoint = Url::parse("https://management.azure.com").expect("a URL");
    let arm = ArmClient::new(endpoint, &access).expect("an endpoint");
    Bench { azure, arm, clock, vault }
}

impl Bench {
    /// Puts an item with points so many days old there; answers its id.
    fn item(&self, state: ItemState, days: &[i64]) -> String {
        let at = |days: &i64| self.clock.now().checked_sub(SignedDuration::from_hours(24 * days)).expect("a time");
        let points = days.iter().map(at).collect();
        let seed = ItemSeed { machine: Azure::id("web-1"), policy: "DefaultPolicy".to_owned(), state, points };
        self.azure.arm.seed_item(&self.vault, &seed).expect("an item")
    }

    async fn ask(&self) -> VaultVerdicts {
        let machine = Azure::id("web-1").parse().expect("an id");
        vault_verdicts::of_machine(&self.arm, &machine, self.clock.now()).await.expect("an answer")
    }

    /// The words about each point, oldest first.
    async fn words(&self) -> Vec<Vec<&'static str>> {
        let answer = self.ask().await;
        assert!(answer.unread.is_empty(), "{:?}", answer.unread);
        let mut verdicts: Vec<_> = answer.items.into_iter().flat_map(|item| item.verdicts).collect();
        verdicts.sort_by_key(|one| one.at);
        verdicts.iter().map(|one| one.reasons.iter().map(|reason| reason.word()).collect()).collect()
    }
}

#[test]
fn a_protected_machines_points_go_by_their_vault_policy_and_each_has_a_verdict() {
    run(async {
        let bench = bench();
        let item = bench.item(ItemState::Protected, &[20, 1]);
        let answer = bench.ask().await;
        assert_eq!(answer.items.len(), 1);
        assert!(answer.items[0].item.eq_ignore_ascii_case(&item) && answer.items[0].vault == bench.vault);
        let seen: Vec<_> = answer.items[0].verdicts.iter().map(|one| (one.name.clone(), one.at)).collect();
        let there: Vec<_> = bench.azure.arm.vault_points().into_iter().map(|one| (one.name, Some(one.time))).collect();
        assert_eq!(seen.len(), there.len());
        assert!(there.iter().all(|one| seen.contains(one)), "{seen:?} {there:?}");
        let said: Vec<String> = answer.items[0].verdicts[0].reasons.iter().map(ToString::to_string).collect();
        assert!(
            said.iter().any(|line| line.starts_with("vault policy DefaultPolicy keeps daily points for")),
            "{said:?}"
        );
        let own = ["goesAt", "byVaultPolicy"];
        for words in bench.words().await {
            assert!(words[0] == "notOurs" && own.iter().all(|word| words.contains(word)), "{words:?}");
            assert_eq!(words.last(), Some(&"deletedWithItem"));
        }
    });
}

#[test]
fn of_a_stopped_item_nothing_goes_and_of_a_deleted_one_all_of_it_and_when() {
    run(async {
        let bench = bench();
        let item = bench.item(ItemState::Stopped, &[20, 1]);
        for words in bench.words().await {
            assert_eq!(words, ["notOurs", "stopped", "deletedWithItem"]);
        }
        bench.azure.arm.set_item_state(&item, ItemState::SoftDeleted, None).expect("it is there");
        let answer = bench.ask().await;
        let ends = bench.clock.now().checked_add(SignedDuration::from_hours(14 * 24)).expect("a time");
        let said = answer.items[0].verdicts[0].reasons[1].to_string();
        let day = ends.strftime("%Y-%m-%dT%H:%M").to_string();
        assert!(said.contains(&day), "{said} has not {day}");
        bench.azure.arm.remove_item(&item).expect("it is there");
        assert_eq!(bench.ask().await, VaultVerdicts::default(), "no item, no point");
    });
}

#[test]
fn a_machine_that_is_gone_keeps_its_points_in_the_vault_and_they_are_told() {
    run(async {
        let bench = bench();
        bench.item(ItemState::Protected, &[20, 1]);
        bench.azure.arm.delete_machine(&Azure::id("web-1")).expect("it is there");
        tokio::time::sleep(std::time::Duration::from_secs(300)).await;
        assert_eq!(bench.words().await.len(), 2);
    });
}

#[test]
fn what_may_not_be_read_is_said_and_not_taken_for_none() {
    run(async {
        let bench = bench();
        bench.item(ItemState::Protected, &[1]);
        bench.azure.take_right("Microsoft.RecoveryServices/Vaults/backupProtectedItems/read");
        let answer = bench.ask().await;
        assert!(answer.items.is_empty());
        assert_eq!(answer.unread.len(), 2, "two vaults of its region: {:?}", answer.unread);
    });
}
