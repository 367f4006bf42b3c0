//! A plan against what then happens: it changes nothing, and the looks and the sweep after it do what it said.
//! It never asks the plan's own code what happened: the ledgers and the simulator tell.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use lifeboat_contract::plan::{PlanDocument, PlannedStep};
use lifeboat_execution::bundle::{Bundle, File};
use lifeboat_execution::ledger::Entry;
use lifeboat_execution::{ARM_URL, Asked, Build, ForeseeError, Onlooker, Settings};
use lifeboat_simulator::azure::{ItemSeed, ItemState, VaultSeed};
use lifeboat_tests::azure::Azure;
use lifeboat_tests::rig::{GROUP, LOCATION, SUBSCRIPTION};
use lifeboat_tests::tap::Service;
use lifeboat_tests::{Rig, looking, past};

use crate::virtual_time;

/// Points by schedule and protection in a vault, of which two machines a day may begin.
const POLICY: &str = "apiVersion: lifeboat/v1
kind: BackupPolicy
metadata: { name: production }
spec:
  mode: enforce
  match: { tag: { env: prod } }
  vault:
    placement: [ { location: westeurope, vaults: [rsv-weu], vaultPolicy: EnhancedPolicy } ]
  points:
    - { name: first, kind: restorePoint, schedule: { cron: '0 2 * * *', timezone: UTC }, keep: { last: 1 } }
";
/// Machines looked at, at most.
const AT_MOST: usize = 100;

async fn plan(rig: &Rig) -> PlanDocument {
    let onlooker = rig.onlooker();
    let asked = Asked { at_most: AT_MOST, ..Asked::default() };
    let (plan, changes) = looking::watched(rig, onlooker.foresee(&asked)).await;
    assert!(changes.is_empty(), "who only looks has changed something: {changes:?}");
    plan.expect("a plan")
}

fn keys(steps: &[PlannedStep]) -> Vec<(String, String)> {
    steps.iter().map(|step| (step.key.clone(), step.what.clone())).collect()
}

/// Effects with their keys, and refusals.
type Decided = (Vec<(String, String)>, Vec<String>);

/// What the first decision in the ledger of each machine was.
fn first_decisions(rig: &Rig) -> BTreeMap<String, Decided> {
    let of = |ledger: &lifeboat_tests::ledgers::Ledger| {
        let decision = ledger.bodies.iter().find_map(|body| match &body.entry {
            Entry::Decision(decision) => Some(decision.clone()),
            Entry::Outcome { .. } | Entry::Verified { .. } => None,
        })?;
        let effects = decision.effects.into_iter().map(|effect| (effect.key, effect.what)).collect();
        Some((ledger.machine().to_owned(), (effects, decision.refusals)))
    };
    rig.ledgers().iter().filter_map(of).collect()
}

/// An estate in which machines need different things, and some are refused something.
async fn estate(seed: u64) -> Rig {
    let rig = Rig::without_host(seed);
    rig.write_policy(POLICY);
    let arm = &rig.azure.arm;
    arm.add_vault(&VaultSeed::new(SUBSCRIPTION, GROUP, "rsv-weu", LOCATION));
    let created_at = rig.clock.now().checked_sub(SignedDuration::from_hours(240)).ok();
    for name in ["plain", "no-agent", "stopped", "with-points"] {
        let mut machine = Azure::seed(name);
        machine.created_at = created_at;
        machine.agent_ready = name != "no-agent";
        arm.add_machine(&machine);
    }
    let vault = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.RecoveryServices/vaults/rsv-weu"
    );
    let made = rig.clock.now().checked_sub(SignedDuration::from_hours(1)).expect("a time");
    let item = |machine: &str, state| ItemSeed {
        machine: Azure::id(machine),
        policy: "EnhancedPolicy".to_owned(),
        state,
        points: vec![made],
    };
    arm.seed_item(&vault, &item("stopped", ItemState::Stopped)).expect("an item");
    arm.seed_item(&vault, &item("with-points", ItemState::Protected)).expect("an item");
    let days = [30, 20, 10].map(|days| SignedDuration::from_hours(24 * days));
    let machine = rig.azure.machine("with-points").expect("it is there");
    arm.add_collection(&past::seed(&rig, &machine, &days)).expect("its machine is there");
    past::old_estate(&rig);
    // Resource Graph lags: a minute later it shows the collection.
    rig.run(Duration::from_secs(60)).await;
    rig
}

#[test]
fn a_plan_changes_nothing_and_the_next_looks_decide_what_it_said() {
    virtual_time::run(async {
        let mut rig = estate(11).await;
        let said = plan(&rig).await;
        assert_eq!(said.machines.len(), 4, "{:?}", said.machines);
        let machine = |name: &str| said.machines.iter().find(|one| one.machine.ends_with(name)).expect("in the plan");
        let refused: Vec<_> =
            machine("/stopped").refusals.iter().map(|one| (one.why.as_str(), one.needs_person)).collect();
        assert_eq!(refused, [("somebody stopped its protection", true)]);
        assert!(!said.holds(), "a person's turn");
        let instead =
            machine("/no-agent").effects.iter().find_map(|step| step.instead.clone()).expect("a substitution");
        assert_eq!(instead, "crash-consistent instead of application-consistent: the VM agent is not ready");
        rig.host_on().await;
        rig.sweep().await;
        let decided = first_decisions(&rig);
        for one in &said.machines {
            let (effects, refusals) = decided.get(&one.machine).expect("it was looked at");
            // Whichever is looked at first makes the group for all of them.
            let without_group = |effects: &[(String, String)]| -> Vec<(String, String)> {
                effects.iter().filter(|(_, what)| !what.starts_with("make resource group")).cloned().collect()
            };
            assert_eq!(without_group(&keys(&one.effects)), without_group(effects), "{}", one.machine);
            let whys: Vec<String> = one.refusals.iter().map(|refusal| refusal.why.clone()).collect();
            assert_eq!(&whys, refusals, "{}", one.machine);
        }
    });
}

#[test]
fn what_a_plan_says_of_expiry_is_what_the_next_sweep_deletes() {
    virtual_time::run(async {
        let mut rig = estate(12).await;
        let said = plan(&rig).await;
        let going: Vec<String> =
            said.expiry.points.iter().filter(|due| due.left.is_none()).map(|due| due.point.clone()).collect();
        assert_eq!((going.len(), said.expiry.withheld.clone()), (2, None), "{:?}", said.expiry);
        assert!(said.expiry.points.iter().all(|due| due.reasons == ["no rule keeps it"]), "{:?}", said.expiry);
        rig.host_on().await;
        let from = rig.wire.count();
        rig.expire().await;
        let deleted: Vec<String> = rig
            .wire
            .calls_from(from)
            .into_iter()
            .filter(|call| call.method == "DELETE" && call.path.contains("restorePoints/"))
            .filter_map(|call| Some(call.path.rsplit('/').next()?.to_owned()))
            .collect();
        assert_eq!(deleted, going, "oldest first, and nothing else");
    });
}

#[test]
fn without_a_store_the_policies_given_are_asked_of_the_machines_alone() {
    virtual_time::run(async {
        let rig = estate(13).await;
        let settings = Settings {
            deployment: String::new(),
            // As people write it.
            owned_regions: vec!["West Europe".to_owned()],
            subscriptions: vec![SUBSCRIPTION.to_owned()],
            build: Build { version: String::new(), id: String::new() },
        };
        let onlooker = Onlooker::connect(&rig.connections(), ARM_URL, None, settings).expect("an address");
        let nothing = Asked { at_most: AT_MOST, ..Asked::default() };
        assert!(matches!(onlooker.foresee(&nothing).await, Err(ForeseeError::NoPolicies)));
        let file = File { name: "p.yaml".to_owned(), text: POLICY.to_owned() };
        let policies = Some(Bundle::new(vec![file]));
        let from = rig.wire.count();
        let asked = Asked { policies, at_most: 3, ..Asked::default() };
        let (plan, changes) = looking::watched(&rig, onlooker.foresee(&asked)).await;
        let plan = plan.expect("a plan");
        assert!(changes.is_empty() && rig.wire.calls_from(from).iter().all(|call| call.service != Service::Blobs));
        assert_eq!((plan.machines.len(), plan.quiet.not_looked_at, plan.estate), (3, 1, None));
        let made =
            plan.machines.iter().flat_map(|one| &one.effects).any(|step| step.what.contains("make restore point lb-"));
        assert!(made && plan.expiry.points.is_empty(), "{:?}", plan.machines);
    });
}
