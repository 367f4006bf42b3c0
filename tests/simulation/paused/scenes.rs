//! What one instance is at when it is stopped: a scene for each kind of effect, and what the others do meanwhile.
//! It never prepares a scene by the instance that will be stopped.

use std::time::Duration;

use jiff::SignedDuration;
use lifeboat_contract::work::{Cause, ReconcileMessage};
use lifeboat_execution::{Api, Event, ExpirySweep, PolicySweep};
use lifeboat_simulator::azure::{
    ArmFault, ArmFaultEffect, EventEffect, EventOrder, ItemSeed, ItemState, RequestRecord, VaultSeed,
};
use lifeboat_tests::azure::Azure;
use lifeboat_tests::policy::document;
use lifeboat_tests::rig::{GROUP, LOCATION, SUBSCRIPTION};
use lifeboat_tests::{Rig, past};

/// The machine of each scene.
pub const MACHINE: &str = "web-1";
/// Ages of points of the past, in days: the rule keeps one.
const DAYS: [i64; 3] = [40, 30, 20];
/// How long a scene takes to come about, at most.
const COMES_ABOUT_WITHIN: Duration = Duration::from_secs(6 * 60 * 60);
/// Longer than a machine takes to be made and Resource Graph to show it.
const IS_SEEN: Duration = Duration::from_secs(60);
/// More than the wait before a second attempt.
const ATTEMPT_IS_DUE: Duration = Duration::from_secs(10 * 60);

/// What the stopped instance is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// A look at a new machine: group, collection, restore point.
    Creation,
    /// The same with a set of snapshots.
    Snapshots,
    /// A look at a machine whose first attempt at a point failed.
    SecondAttempt,
    /// A look at a machine of which the vault has not heard.
    Discovery,
    /// A look at a machine that is to be protected.
    Protection,
    /// A look at a machine that is protected and has no backup.
    FirstBackup,
    /// A sweep that deletes restore points.
    ExpiryOfPoints,
    /// A sweep that deletes a set of snapshots.
    ExpiryOfSnapshots,
    /// An order to hold a point.
    Hold,
    /// A sweep over an estate with a new machine.
    Sweep,
    /// A look at a machine that two policies match, which is alarming.
    Alarm,
}

/// All of them.
pub const SCENES: [Scene; 11] = [
    Scene::Creation,
    Scene::Snapshots,
    Scene::SecondAttempt,
    Scene::Discovery,
    Scene::Protection,
    Scene::FirstBackup,
    Scene::ExpiryOfPoints,
    Scene::ExpiryOfSnapshots,
    Scene::Hold,
    Scene::Sweep,
    Scene::Alarm,
];

impl Scene {
    /// The rig as it is before the instance that will be stopped begins; its host is off.
    pub async fn begin(self) -> Rig {
        let mut rig = Rig::without_host(1);
        rig.azure.events.order(EventOrder::machine_write(EventEffect::Drop).always());
        past::old_estate(&rig);
        rig.write_policy(&self.policy());
        match self {
            Self::Creation | Self::Snapshots | Self::Sweep => create(&rig),
            Self::Alarm => {
                let one = self.policy();
                let other = one.replace("name: production", "name: another");
                rig.write_policies(&[("another.yaml", &other), ("production.yaml", &one)]);
                create(&rig);
            }
            Self::SecondAttempt => second_attempt(&mut rig).await,
            Self::Discovery | Self::Protection | Self::FirstBackup => vault(&rig, self),
            Self::ExpiryOfPoints | Self::Hold => points_of_the_past(&rig),
            Self::ExpiryOfSnapshots => two_sets(&mut rig).await,
        }
        if !matches!(self, Self::SecondAttempt | Self::ExpiryOfSnapshots) {
            rig.run(IS_SEEN).await;
        }
        rig
    }

    /// Whether it deletes.
    pub fn deletes(self) -> bool {
        matches!(self, Self::ExpiryOfPoints | Self::ExpiryOfSnapshots)
    }

    fn policy(self) -> String {
        let first = document("enforce", "24h");
        match self {
            Self::Creation | Self::SecondAttempt | Self::Hold | Self::Sweep | Self::Alarm => first,
            Self::Snapshots => first.replace("kind: restorePoint", "kind: snapshot"),
            Self::ExpiryOfPoints => first + "      keep: { last: 1 }\n",
            Self::ExpiryOfSnapshots => {
                first.replace("kind: restorePoint", "kind: snapshot")
                    + "      schedule: { cron: \"0 11 22 11 *\", timezone: UTC }\n      keep: { last: 1 }\n"
            }
            Self::Discovery | Self::Protection | Self::FirstBackup => VAULT_POLICY.to_owned(),
        }
    }

    /// What wakes the instance.
    pub fn event(self, rig: &Rig) -> Event {
        match self {
            Self::Sweep => Event::PolicySweep(PolicySweep { past_due: false, last: None }),
            Self::ExpiryOfPoints | Self::ExpiryOfSnapshots => {
                Event::ExpirySweep(ExpirySweep { past_due: false, last: None })
            }
            Self::Hold => {
                let newest = rig.azure.points(MACHINE).pop().expect("a point");
                Event::Api(Api::Hold { point: newest.id, reason: "evidence".to_owned() })
            }
            Self::Creation
            | Self::Snapshots
            | Self::SecondAttempt
            | Self::Discovery
            | Self::Protection
            | Self::FirstBackup
            | Self::Alarm => {
                let cause = Cause::Written { event_id: "of-the-stopped".to_owned() };
                let message = ReconcileMessage::new(Azure::id(MACHINE), cause);
                Event::Reconcile(message.encode().expect("a message"))
            }
        }
    }

    /// What the others do, their host being on.
    pub async fn others(self, rig: &Rig) {
        match self {
            Self::ExpiryOfPoints | Self::ExpiryOfSnapshots => rig.expire().await,
            _ => rig.sweep().await,
        }
    }
}

const VAULT_POLICY: &str = "apiVersion: lifeboat/v1
kind: BackupPolicy
metadata: { name: vaulted }
spec:
  mode: enforce
  match: { tag: { env: prod } }
  vault:
    placement:
      - { location: westeurope, vaults: [rsv-weu], vaultPolicy: EnhancedPolicy }
";

fn create(rig: &Rig) {
    rig.azure.arm.create_machine(&Azure::seed(MACHINE)).expect("the machine is created");
}

fn old_machine(rig: &Rig) {
    let mut seed = Azure::seed(MACHINE);
    seed.created_at = rig.epoch.checked_sub(SignedDuration::from_hours(90 * 24)).ok();
    rig.azure.arm.add_machine(&seed);
}

fn points_of_the_past(rig: &Rig) {
    old_machine(rig);
    let machine = rig.azure.machine(MACHINE).expect("a machine");
    let ago = DAYS.map(|days| SignedDuration::from_hours(24 * days));
    rig.azure.arm.add_collection(&past::seed(rig, &machine, &ago)).expect("a collection");
}

fn vault(rig: &Rig, scene: Scene) {
    let arm = &rig.azure.arm;
    old_machine(rig);
    let vault = arm.add_vault(&VaultSeed::new(SUBSCRIPTION, GROUP, "rsv-weu", LOCATION));
    match scene {
        Scene::Protection => arm.discover_machines(SUBSCRIPTION, LOCATION),
        Scene::FirstBackup => {
            let (machine, policy) = (Azure::id(MACHINE), "EnhancedPolicy".to_owned());
            let seed = ItemSeed { machine, policy, state: ItemState::Pending, points: Vec::new() };
            arm.seed_item(&vault, &seed).expect("an item");
        }
        _ => {}
    }
}

async fn second_attempt(rig: &mut Rig) {
    let fails = ArmFaultEffect::OperationFails { after_seconds: 30, code: "VMRestorePointInternalError".to_owned() };
    rig.azure.arm.fault(ArmFault::new(fails).on_method("PUT").on_path("/restorePoints/"));
    create(rig);
    rig.host_on().await;
    rig.sweep().await;
    until(rig, "a failed point", |rig| rig.azure.points(MACHINE).iter().any(|point| point.state == "Failed")).await;
    rig.host_off(false).await;
    rig.run(ATTEMPT_IS_DUE).await;
}

/// A set on creation and one of the schedule, which asks for no more, of which the rule keeps the newer.
async fn two_sets(rig: &mut Rig) {
    create(rig);
    rig.host_on().await;
    rig.sweep().await;
    until(rig, "two sets", |rig| snapshots_asked_for(rig) >= 2).await;
    rig.run(Duration::from_secs(60)).await;
    rig.host_off(false).await;
}

/// Snapshots that Azure was asked for and accepted, by its own log.
fn snapshots_asked_for(rig: &Rig) -> usize {
    let is_one = |one: &RequestRecord| one.method == "PUT" && one.path.contains("/snapshots/");
    rig.azure.arm.requests().iter().filter(|one| is_one(one) && one.status.is_some_and(|status| status < 300)).count()
}

async fn until(rig: &Rig, what: &str, there: impl Fn(&Rig) -> bool) {
    const STEP: Duration = Duration::from_secs(10);
    let ends = tokio::time::Instant::now() + COMES_ABOUT_WITHIN;
    while !there(rig) {
        assert!(tokio::time::Instant::now() < ends, "{what} did not come about");
        rig.run(STEP).await;
    }
}
