//! What a failover of a hundred machines in four groups costs us: the sum of our invocations' time, with answers that take their time.
//! It never counts what the program itself computes: virtual time stands still meanwhile.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lifeboat_execution::readiness::until_it_serves;
use lifeboat_planning::saga::{Ask, Choice, Runbook, Way};
use lifeboat_simulator::azure::{ArmFault, ArmFaultEffect};
use lifeboat_tests::failing_over::{OTHER, Stage, lock};

const HOUR: Duration = Duration::from_secs(3_600);
/// How long ARM takes to answer, in milliseconds: as in the budget of the sweep.
pub const ANSWER_MS: u64 = 20;
/// The budget of design §16.
const BUDGET: Duration = Duration::from_secs(10);

/// What each step of the way to serving took, and the longest of them: the steps of that lane follow each other, so all of them are the
/// critical path.
fn critical_path(stage: &Stage) -> Vec<(String, SignedDuration)> {
    let (saga, now) = (stage.saga().expect("a saga"), stage.clock.now());
    let lanes = saga.runbook.lanes();
    let begun = |name: &String| saga.progress.steps.get(&(Way::Forward, name.clone())).map(|step| step.began_at);
    let steps: Vec<(String, Timestamp)> =
        lanes[0].steps.iter().filter_map(|step| Some((step.name.clone(), begun(&step.name)?))).collect();
    let ends = steps.iter().skip(1).map(|(_, at)| *at).chain([now]);
    steps.iter().zip(ends).map(|((name, at), end)| (name.clone(), end.duration_since(*at))).collect()
}

/// A hundred machines in four groups.
pub fn hundred(seed: u64) -> Stage {
    let names = |group: &str| (0..25).map(|at| format!("{group}-{at}")).collect::<Vec<_>>();
    let groups = ["a", "b", "c", "d"].map(|group| (group, names(group)));
    Stage::of(seed, &groups, false)
}

#[tokio::test(start_paused = true)]
async fn a_hundred_machines_in_four_groups_cost_our_invocations_ten_seconds_at_most() {
    let stage = hundred(31);
    stage.azure.arm.fault(ArmFault::new(ArmFaultEffect::Slow { milliseconds: ANSWER_MS }).always());
    let began = stage.clock.now();
    stage.begin(stage.order()).await;
    stage.until_asked(Ask::Commit, 2 * HOUR).await;
    let served = stage.clock.now();
    let until_served: Duration = lock(&stage.took).iter().sum();
    let path = critical_path(&stage);
    let whole: SignedDuration = path.iter().map(|(_, took)| *took).sum();
    println!("critical path, {whole:#}:");
    path.iter().for_each(|(step, took)| println!("  {took:#}  {step}"));
    assert!(path.len() > 8 && (served.duration_since(began) - whole).abs() < SignedDuration::from_mins(1), "{path:?}");
    let mut longest = lock(&stage.took).clone();
    longest.sort();
    println!("the longest: {:?}", &longest[longest.len().saturating_sub(12)..]);
    let (invocations, calls) = (lock(&stage.took).len(), stage.wire.count());
    stage.answer(Ask::Commit, Choice::GoOn, None).await;
    stage.until_asked(Ask::ProtectBack, 2 * HOUR).await;
    let all: Duration = lock(&stage.took).iter().sum();
    println!(
        "100 machines in 4 groups, {ANSWER_MS} ms an answer: served after {}; {invocations} invocations, {calls} calls, \
         {until_served:?} of ours until then and {all:?} with commit and saved disks (budget {BUDGET:?})",
        served.duration_since(began),
    );
    assert_eq!(stage.running(OTHER).len(), 100);
    assert_eq!(stage.accepted("/unplannedFailover"), 100);
    assert!(until_served <= BUDGET && all <= 2 * BUDGET, "{until_served:?}, {all:?} with what comes after");
    let told = until_it_serves(stage.order()).expect("a failover").usually;
    println!("told before: {told:#}");
    assert!((told - whole).abs() < whole / 3, "told {told:#}, and it took {whole:#}");
}

#[tokio::test(start_paused = true)]
async fn the_silence_of_a_lost_region_is_bounded_whatever_it_hosts() {
    let stage = hundred(32);
    stage.lose(true);
    stage.begin(stage.order()).await;
    stage.until_asked(Ask::FenceImpossible, HOUR).await;
    let fence: Duration = lock(&stage.took).iter().sum();
    stage.answer(Ask::FenceImpossible, Choice::GoOn, None).await;
    stage.until_asked(Ask::Commit, 2 * HOUR).await;
    let all: Duration = lock(&stage.took).iter().sum();
    println!("100 machines of a region that hangs: {fence:?} of our invocations at the fence, {all:?} in all");
    // Each of some twenty looks waits five seconds for all of them at once.
    assert!(fence <= Duration::from_secs(150) && all <= Duration::from_secs(600), "{fence:?}, {all:?}");
}
