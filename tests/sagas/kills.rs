//! The executor killed before and after each save and each call of a whole failover, and taken further by a process that knows nothing:
//! it ends the same. And each kind of call throttled, failed and not answered once. Enumerated from one run without trouble, and counted.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lifeboat_planning::saga::{Ask, Choice, End};
use lifeboat_simulator::azure::{ArmFault, ArmFaultEffect};
use lifeboat_tests::failing_over::{ENDPOINTS, OTHER, Stage};
use lifeboat_tests::tap::{Call, Fate, Service};

use crate::failover::ledger_is_whole;

const HOUR: Duration = Duration::from_secs(3_600);
/// Threads that runs are spread over: a small machine has two cores.
const THREADS: usize = 2;
/// Of saves, one of so many where not all are asked for; each order to Azure is always one.
const SAVES_APART: usize = 9;
/// The same of calls that only read or renew, of each kind, where most are asked for: they differ in nothing but the time. With each of them
/// a place it is some 2,300 kills, which take six minutes of one core.
const SOME_READS_APART: usize = 12;
/// The same, where not all are asked for.
const FEW_READS_APART: usize = 90;

/// A whole failover of two groups, a machine each: the region is lost, cannot be fenced, comes back, and is protected the other way.
async fn whole(stage: &Stage) {
    stage.until_committing().await;
    stage.lose(false);
    stage.until_asked(Ask::ProtectBack, 3 * HOUR).await;
    stage.answer(Ask::ProtectBack, Choice::GoOn, None).await;
    stage.until_ended(End::Done, 6 * HOUR).await;
    for call in ["/unplannedFailover", "/failoverCommit", "/switchprotection"] {
        assert_eq!(stage.accepted(call), 2, "{call}\n{}", stage.story());
    }
    assert_eq!(stage.enabled(), [ENDPOINTS.1]);
    assert_eq!(stage.running(OTHER).len(), 2);
    ledger_is_whole(stage);
}

fn small(seed: u64) -> Stage {
    let one = |name: &str| vec![name.to_owned()];
    Stage::of(seed, &[("data", one("db-1")), ("web", one("web-1"))], false)
}

fn run(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(work);
}

/// What a call is, whichever process makes it at what time.
fn kind(call: &Call) -> String {
    let path = call.path.to_ascii_lowercase().replace("%2f", "/");
    let what = match call.service {
        Service::Blobs if path.contains("/ledger/") => "the ledger",
        Service::Blobs if path.contains("/sagas/done/") => "the record that is kept",
        Service::Blobs if path.contains("/sagas/") => "the record",
        Service::Blobs if path.contains("/leases/") => "the lease",
        Service::Blobs => "the store",
        Service::Identity => "a token",
        Service::Arm | Service::Bus => {
            path.rsplit('/').find(|part| !part.contains("db-1") && !part.contains("web-1")).unwrap_or_default()
        }
    };
    format!("{} {what}", call.method)
}

/// Whether something could be half done at it: it writes the record or the ledger, or orders something of Azure.
fn writes(call: &Call) -> bool {
    let lease = call.service == Service::Blobs && call.path.contains("leases");
    call.writes() && !lease
}

/// The places of a run at which a process is killed: each order to Azure, and of each kind of save and of reading the first, and some.
fn places(calls: &[Call], (saves_apart, reads_apart): (usize, usize)) -> BTreeMap<String, Vec<usize>> {
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for call in calls {
        let apart = match (writes(call), call.service) {
            (true, Service::Arm) => 1,
            (true, _) => saves_apart,
            (false, _) => reads_apart,
        };
        let count = seen.entry(kind(call)).or_default();
        if (*count).is_multiple_of(apart) {
            places.entry(kind(call)).or_default().push(call.number);
        }
        *count += 1;
    }
    places
}

/// One of so many saves, and of so many reads: `LIFEBOAT_KILLS=most` asks for every save, `LIFEBOAT_KILLS=all` for every read too.
#[expect(clippy::disallowed_methods, reason = "the environment says how much a test runs; no setting of the product")]
fn apart() -> (usize, usize) {
    match std::env::var("LIFEBOAT_KILLS").as_deref() {
        Ok("all") => (1, 1),
        Ok("most") => (1, SOME_READS_APART),
        _ => (SAVES_APART, FEW_READS_APART),
    }
}

/// Runs all of them; those that went wrong, with what they said.
fn all<I: Sync>(inputs: &[I], name: impl Fn(&I) -> String + Sync, work: impl Fn(&I) + Sync) -> Vec<String> {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(input) = inputs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(input))) {
                        let text = panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic".to_owned());
                        wrong.lock().expect("a list").push(format!("{}: {text}", name(input)));
                    }
                }
            });
        }
    });
    wrong.into_inner().expect("a list")
}

fn calls_of_a_run() -> Vec<Call> {
    let calls = Mutex::new(Vec::new());
    run(async {
        let stage = small(11);
        whole(&stage).await;
        *calls.lock().expect("a list") = stage.wire.calls_from(0);
    });
    calls.into_inner().expect("a list")
}

#[test]
fn killed_before_and_after_each_save_and_call_it_ends_the_same() {
    let calls = calls_of_a_run();
    let places = places(&calls, apart());
    let mut kills = Vec::new();
    for (kind, numbers) in &places {
        println!(
            "{kind}: killed before and after {} of {}",
            numbers.len(),
            calls.iter().filter(|call| self::kind(call) == *kind).count()
        );
        assert!(!numbers.is_empty());
        // After the answer there is nothing, where the lost region never gave one.
        let answered = |number: &&usize| calls[**number].status.is_some();
        kills.extend(numbers.iter().map(|number| (*number, Fate::DieBefore)));
        kills.extend(numbers.iter().filter(answered).map(|number| (*number, Fate::DieAfter)));
    }
    let (deaths, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let name = |(number, fate): &(usize, Fate)| format!("{fate:?} call {number}, {}", self::kind(&calls[*number]));
    let wrong = all(&kills, name, |(number, fate)| {
        run(async {
            let (number, fate, stage) = (*number, *fate, small(11));
            stage.decide(Box::new(move |call| if call.number == number { fate } else { Fate::Live }));
            whole(&stage).await;
            assert_eq!(stage.wire.deaths(), 1, "the call was never made");
            deaths.fetch_add(1, Ordering::Relaxed);
            taken.fetch_add(1, Ordering::Relaxed);
        });
    });
    println!(
        "{} kills, {} deaths, {} ended the same",
        kills.len(),
        deaths.load(Ordering::Relaxed),
        taken.load(Ordering::Relaxed)
    );
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), kills.len(), wrong.first().map_or("", String::as_str));
    assert_eq!(deaths.load(Ordering::Relaxed), kills.len(), "each kill killed one");
}

#[test]
fn throttled_failed_or_not_answered_once_at_each_kind_of_call_it_ends_the_same() {
    let calls = calls_of_a_run();
    let of_arm = |call: &&Call| call.service == Service::Arm;
    let kinds: BTreeSet<(String, String)> =
        calls.iter().filter(of_arm).map(|call| (call.method.clone(), kind(call))).collect();
    let mut effects = vec![
        ArmFaultEffect::TooManyRequests { retry_after_seconds: Some(7) },
        ArmFaultEffect::InternalServerError,
        ArmFaultEffect::ResetAfter,
    ];
    if apart().0 == 1 {
        effects.extend([ArmFaultEffect::ServiceUnavailable, ArmFaultEffect::ResetBefore, ArmFaultEffect::Hang]);
    }
    let mut troubles = Vec::new();
    for (method, kind) in &kinds {
        let part = kind.split(' ').next_back().unwrap_or_default().to_owned();
        troubles.extend(effects.iter().map(|effect| (method.clone(), part.clone(), effect.clone())));
    }
    println!("{} kinds of call, {} troubles", kinds.len(), troubles.len());
    assert!(!troubles.is_empty());
    let name = |(method, part, effect): &(String, String, ArmFaultEffect)| format!("{effect:?} at {method} {part}");
    let wrong = all(&troubles, name, |(method, part, effect)| {
        run(async {
            let stage = small(11);
            stage.azure.arm.fault(ArmFault::new(effect.clone()).on_method(method).on_path(part.clone()));
            whole(&stage).await;
            assert_eq!(stage.azure.arm.faults_left(), 0, "it was never met");
        });
    });
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        troubles.len(),
        wrong.join("\n---\n").chars().take(4_000).collect::<String>()
    );
}
