//! `check --estate` over recovery plans: each thing that keeps one from being executed is told at the field that it is about, as an error, or
//! as a warning where it passes by itself. It never lets who checks change anything.

use std::time::Duration;

use lifeboat_contract::policy::{Weight, check_policies};
use lifeboat_execution::Onlooker;
use lifeboat_simulator::azure::{
    ArmFault, ArmFaultEffect, DiskSeed, EndpointLead, PublicAddressSeed, RegionTrouble, ReplicaSeed, VaultSeed,
};
use lifeboat_tests::azure::Azure;
use lifeboat_tests::failing_over::{DOCUMENT, ENDPOINTS, OTHER, OTHER_GROUP, Stage};
use lifeboat_tests::rig::{GROUP, LOCATION, SUBSCRIPTION};

/// What is done to the stage before, and to the document; what is told of it, and whether as an error.
struct Case {
    name: &'static str,
    world: fn(&Stage),
    text: (&'static str, &'static str),
    told: &'static [&'static str],
    errs: bool,
}

/// What is told, by field, weight and text; how many members there are.
async fn check(stage: &Stage, text: &str) -> (Vec<(String, Weight, String)>, Option<usize>) {
    check_by(stage, &stage.onlooker(), text).await
}

/// The same, by a person who sees it through other eyes.
pub async fn check_by(stage: &Stage, by: &Onlooker, text: &str) -> (Vec<(String, Weight, String)>, Option<usize>) {
    let files = [("shop.yaml", text)];
    let checked = check_policies(&files);
    assert!(checked.holds(), "{:?}", checked.problems);
    let before = stage.azure.arm.requests().len();
    let held = by.hold_against(&checked).await.expect("the machines are read");
    let sent: Vec<_> = stage.azure.arm.requests().split_off(before);
    let changes = |path: &str, method: &str| method != "GET" && !path.ends_with("/resources");
    assert!(!sent.iter().any(|it| changes(&it.path, &it.method)), "it only asks: {sent:?}");
    let said = held.problems.iter().map(|it| (it.field.clone(), it.weight(), it.to_string())).collect();
    (said, held.members.get("shop").copied().flatten())
}

/// What replicates a machine into the other region.
pub fn replicated(stage: &Stage, machine: String) -> ReplicaSeed {
    ReplicaSeed {
        machine,
        vault: stage.vault.clone(),
        recovery_location: OTHER.to_owned(),
        recovery_group: OTHER_GROUP.to_owned(),
        since: None,
        without_disks: Vec::new(),
        multi_vm_group: None,
    }
}

/// A machine that is replicated, as it is changed.
pub fn replicate(stage: &Stage, name: &str, change: &dyn Fn(&mut ReplicaSeed)) {
    let mut seed = Azure::seed(name);
    seed.disks.push(DiskSeed { name: format!("{name}-data"), size_gib: 64 });
    let mut replica = replicated(stage, stage.azure.arm.add_machine(&seed));
    change(&mut replica);
    stage.azure.arm.add_replica(&replica).expect("an item");
}

fn lead_to_the_old_side(stage: &Stage) {
    let address = PublicAddressSeed {
        subscription: SUBSCRIPTION.to_owned(),
        group: GROUP.to_owned(),
        name: "pip-weu".to_owned(),
        location: LOCATION.to_owned(),
        ip: "203.0.113.1".to_owned(),
        label: None,
        holder: None,
    };
    stage.azure.arm.add_public_address(&address);
    stage.azure.arm.lead(&stage.profile, ENDPOINTS.1, &EndpointLead::Resource(address.id())).expect("it is led there");
}

const SAME: (&str, &str) = ("", "");

/// Of each way in which a recovery plan does not fit what is there.
const CASES: [Case; 13] = [
    Case { name: "all is well", world: |_| {}, text: SAME, told: &[], errs: false },
    Case {
        name: "a member that nothing replicates",
        world: |stage| drop(stage.azure.arm.add_machine(&Azure::seed("db-4"))),
        text: SAME,
        told: &[
            "shop.yaml:9:30: spec.groups[0].members: not ready: db-4 is not replicated by any vault in scope; expected \
                 machines that Site Recovery replicates from westeurope to northeurope",
        ],
        errs: true,
    },
    Case {
        name: "a disk that is left out",
        world: |stage| replicate(stage, "db-5", &|it| it.without_disks = vec!["db-5-data".to_owned()]),
        text: SAME,
        told: &[
            "spec.groups[0].members: not ready: db-5: disk db-5-data is not replicated; expected all disks replicated",
        ],
        errs: true,
    },
    Case {
        name: "a multi-VM group",
        world: |stage| replicate(stage, "web-5", &|it| it.multi_vm_group = Some("all".to_owned())),
        text: SAME,
        told: &["spec.groups[1].members: not ready: web-5 is in a multi-VM group"],
        errs: true,
    },
    Case {
        name: "a vault in the region that may be lost",
        world: |stage| {
            let vault = stage.azure.arm.add_vault(&VaultSeed::new(SUBSCRIPTION, GROUP, "rsv-west", LOCATION));
            replicate(stage, "db-6", &|it| it.vault.clone_from(&vault));
        },
        text: SAME,
        told: &[
            "spec.from: not ready: the vault rsv-west lies in the region that may be lost; expected one that is not located in \
             westeurope",
            "spec.from: not ready: the vault's group",
        ],
        errs: true,
    },
    Case {
        name: "a machine in two groups",
        world: |_| {},
        text: ("name: 'web-*'", "name: '*-1'"),
        told: &[
            "spec.groups[1].members: not ready: db-1 is in group data and in group web; expected each machine in one group",
        ],
        errs: true,
    },
    Case {
        name: "a group without a machine",
        world: |_| {},
        text: ("name: 'web-*'", "name: 'www-*'"),
        told: &[
            "spec.groups[1].members: not ready: group web has no member; expected a machine in westeurope at least",
        ],
        errs: true,
    },
    Case {
        name: "a profile that is not there",
        world: |_| {},
        text: ("tm-shop", "tm-shops"),
        told: &[
            "spec.traffic[0].profile: not ready: profile tm-shops is not there; expected one profile of that name in scope",
        ],
        errs: true,
    },
    Case {
        name: "an endpoint that the profile lacks",
        world: |_| {},
        text: ("to: neu", "to: new"),
        told: &["spec.traffic[0].profile: not ready: profile tm-shop"],
        errs: true,
    },
    Case {
        name: "an endpoint that leads to the old side",
        world: lead_to_the_old_side,
        text: SAME,
        told: &["spec.traffic[0].to: not ready: endpoint neu of profile tm-shop leads to public address pip-weu"],
        errs: true,
    },
    Case {
        name: "profiles that cannot be read",
        world: |stage| {
            let refused = ArmFault::new(ArmFaultEffect::InternalServerError).on_path("trafficmanagerprofiles");
            stage.azure.arm.fault(refused.always());
        },
        text: SAME,
        told: &["spec.traffic[0].profile: not ready: profile tm-shop could not be read"],
        errs: false,
    },
    Case {
        name: "a region that does not answer",
        world: |stage| stage.azure.arm.set_region(LOCATION, Some(RegionTrouble::Down)),
        text: SAME,
        told: &["spec.from: not ready: nobody answers in the region that may be lost"],
        errs: false,
    },
    Case {
        name: "what passes by itself",
        world: |stage| {
            let stalled = stage.members().next().expect("a member");
            assert!(stage.azure.arm.stall_replication(&stalled.item, true));
        },
        text: SAME,
        told: &["spec.groups[0].members: not ready: db-1: its newest point is"],
        errs: false,
    },
];

#[tokio::test(start_paused = true)]
async fn what_keeps_a_recovery_plan_from_being_executed_is_told_at_its_field() {
    for (case, seed) in CASES.iter().zip(700..) {
        // No document has an answer for what is broken, so that these are not held against them.
        let stage = Stage::unwatched(seed);
        (case.world)(&stage);
        tokio::time::sleep(Duration::from_secs(1_200)).await;
        let (before, after) = case.text;
        assert!(DOCUMENT.contains(before), "{}", case.name);
        let text = if before.is_empty() { DOCUMENT.to_owned() } else { DOCUMENT.replacen(before, after, 1) };
        let (said, members) = check(&stage, &text).await;
        for told in case.told {
            let found = said.iter().any(|(_, _, text)| text.contains(told));
            assert!(found, "{}: {told}: {said:#?}", case.name);
        }
        assert_eq!(said.is_empty(), case.told.is_empty(), "{}: {said:#?}", case.name);
        let errs = said.iter().any(|(_, weight, _)| *weight == Weight::Error);
        assert_eq!(errs, case.errs, "{}: {said:#?}", case.name);
        assert!(members.is_some_and(|count| count >= 2), "{}: {members:?}", case.name);
        assert!(said.iter().all(|(_, _, text)| !text.contains("is not allowed in")), "rights are another's: {said:#?}");
    }
}
