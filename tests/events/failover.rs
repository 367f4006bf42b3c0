//! What a failover tells, from its beginning to its commit: a golden file says it, and a handler that is killed before and after each save,
//! announcement and answer tells the same under the same ids. It never kills at a call that it did not see in the run that is left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lifeboat_contract::events::{KINDS, schema};
use lifeboat_execution::saga::{self, Begun, Declared, DeclaredBy, Event};
use lifeboat_planning::saga::End;
use lifeboat_simulator::azure::TopicTrouble;
use lifeboat_tests::failing_over::{PERSON, Stage};
use lifeboat_tests::rig::CONTAINER;
use lifeboat_tests::tap::{Call, Fate, Service};
use serde_json::Value;

use crate::run;

const HOUR: Duration = Duration::from_secs(3_600);
/// Longer than an announcement may lead to nothing, and two sweeps.
const AFTERWARDS: Duration = Duration::from_secs(32 * 60);
/// Threads that runs are spread over: a small machine has two cores.
const THREADS: usize = 2;

/// One machine whose region is lost, failed over: it is asked about the fence, serves, and is committed.
fn stage() -> Stage {
    let stage = Stage::of(17, &[("web", vec!["web-1".to_owned()])], false);
    stage.tells_events();
    stage
}

async fn failed_over(stage: &Stage) {
    stage.until_committing().await;
    let committed =
        stage.until(|saga| matches!(saga.progress.lanes[0].at, lifeboat_planning::saga::At::Finished), HOUR);
    assert!(committed.await, "{}", stage.story());
    stage.sweep_outbox(AFTERWARDS).await;
}

/// What is told, a line each, in the order in which it was first accepted: the kind, and what tells it from others.
fn lines(stage: &Stage) -> Vec<String> {
    let (mut seen, mut lines) = (BTreeSet::new(), Vec::new());
    for one in stage.azure.topic.accepted() {
        if seen.insert(one.event["id"].to_string()) {
            lines.push(line(&one.event));
        }
    }
    lines
}

fn line(event: &Value) -> String {
    let kind = event["type"].as_str().unwrap_or_default().trim_start_matches("io.lifeboat.").trim_end_matches(".v1");
    let of = |name: &str| event["data"][name].as_str().map(|text| format!(" {text}")).unwrap_or_default();
    let numbers = ["rtoSeconds", "dataLossSeconds"].map(|name| match &event["data"][name] {
        Value::Null => String::new(),
        number => format!(" {name} {number}"),
    });
    format!("{kind}{}{}{}{}{}", of("by"), of("step"), of("state"), of("reason"), numbers.concat())
}

/// Whether something could be half told at it: it writes the record, or an announcement, or is part of publishing one.
fn tells(call: &Call) -> bool {
    let path = call.path.to_ascii_lowercase().replace("%2f", "/");
    let of_store = ["/sagas/", "/outbox/", "/told/"].iter().any(|folder| path.contains(folder));
    call.path.contains("/api/events") || call.service == Service::Blobs && of_store && call.writes()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment asks a test to write its golden file; no setting of the product"
)]
#[test]
fn a_failover_tells_its_steps_its_questions_and_when_the_workload_serves_each_fitting_its_schema() {
    run(async {
        let stage = stage();
        failed_over(&stage).await;
        for event in stage.accepted_events().into_values().flatten() {
            let kind = KINDS.iter().find(|kind| event["type"] == kind.event_type()).expect("a kind of ours");
            let validator = jsonschema::validator_for(&schema(kind)).expect("a schema");
            assert!(validator.is_valid(&event), "{event:#}");
        }
        let (path, now) =
            (concat!(env!("CARGO_MANIFEST_DIR"), "/events/failover.txt"), lines(&stage).join("\n") + "\n");
        if std::env::var("LIFEBOAT_GOLDEN").as_deref() == Ok("write") {
            std::fs::write(path, &now).expect("it is written");
        }
        let golden = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(golden, now, "write it again with LIFEBOAT_GOLDEN=write");
        let record = stage.record().expect("a record");
        assert!(!record.outbox.is_empty(), "they are in the write of the record");
        assert_eq!(announced(&stage), [""; 0]);
    });
}

#[test]
fn one_that_is_undone_tells_that_it_failed_and_why() {
    run(async {
        let stage = stage();
        stage.begin(stage.order()).await;
        stage.bring(Event::Woken).await;
        stage.bring(Event::Abort { by: PERSON.to_owned() }).await;
        stage.until_ended(End::Undone, HOUR).await;
        let told = lines(&stage);
        let failed: Vec<&String> = told.iter().filter(|line| line.starts_with("failover.failed")).collect();
        assert_eq!(failed.len(), 1, "{told:#?}");
        assert!(failed[0].contains("a person ordered it to be stopped"), "{failed:?}");
        assert!(told.iter().any(|line| line.contains("undoing")), "{told:#?}");
        assert!(!told.iter().any(|line| line.starts_with("failover.completed")), "{told:#?}");
    });
}

#[test]
fn it_is_told_on_whose_word_it_began_and_the_next_one_keeps_what_the_last_one_tells() {
    run(async {
        let stage = stage();
        stage.azure.topic.trouble(TopicTrouble::Unavailable, None);
        stage.begin(stage.order()).await;
        stage.bring(Event::Abort { by: PERSON.to_owned() }).await;
        stage.until_ended(End::Undone, HOUR).await;
        let kept = stage.record().expect("a record").outbox;
        let mut order = stage.order();
        order.id = "shop/2".to_owned();
        let by = Some(DeclaredBy::Approval);
        let (incident, digest) = (Some("i-2".to_owned()), Some("d-2".to_owned()));
        let declared = Declared { by, incident, digest, command: None, until: None };
        assert_eq!(saga::begin_declared(&stage.process(), order, &declared).await.unwrap(), Begun::Now);
        let next = stage.record().expect("a record").outbox;
        assert_eq!(next[..kept.len()], kept[..]);
        let data = &next[kept.len()]["data"];
        assert_eq!(
            (&data["by"], &data["incident"], &data["digest"]),
            (&"approval".into(), &"i-2".into(), &"d-2".into())
        );
        stage.azure.topic.clear_troubles();
        stage.sweep_outbox(AFTERWARDS).await;
        let started = lines(&stage).iter().filter(|line| line.starts_with("failover.started")).count();
        assert_eq!((started, stage.accepted_events().len()), (2, next.len()), "{:#?}", lines(&stage));
    });
}

#[test]
fn killed_before_and_after_each_save_announcement_and_answer_it_tells_all_of_it_and_nothing_else_under_an_id() {
    let whole = Mutex::new((Vec::new(), BTreeSet::new()));
    run(async {
        let stage = stage();
        failed_over(&stage).await;
        let ids = stage.accepted_events().into_keys().collect::<BTreeSet<String>>();
        *whole.lock().expect("nobody panics with it") = (stage.wire.calls(), ids);
    });
    let (calls, expected) = whole.into_inner().expect("nobody panics with it");
    let places: Vec<&Call> = calls.iter().filter(|call| tells(call)).collect();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for call in &places {
        let path = call.path.to_ascii_lowercase();
        let kind = ["sagas", "outbox", "told", "api/events"].into_iter().find(|word| path.contains(word));
        *kinds.entry(kind.unwrap_or("?")).or_default() += 1;
    }
    assert!(expected.len() > 15 && kinds.len() == 4, "{} events, {kinds:?}", expected.len());
    let kills: Vec<(usize, Fate)> =
        places.iter().flat_map(|call| [(call.number, Fate::DieBefore), (call.number, Fate::DieAfter)]).collect();
    let (next, faults) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(&(number, fate)) = kills.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let work = || run(killed(number, fate, &expected));
                    let why = match catch_unwind(AssertUnwindSafe(work)) {
                        Ok(Ok(())) => continue,
                        Ok(Err(why)) => why,
                        Err(panic) => panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic".to_owned()),
                    };
                    let call = &calls[number];
                    let fault = format!("call {number} ({} {}), {fate:?}: {why}", call.method, call.path);
                    faults.lock().expect("nobody panics with it").push(fault);
                }
            });
        }
    });
    let faults = faults.into_inner().expect("nobody panics with it");
    println!(
        "{} events; writes by what they write: {kinds:?}; {} kills, {} failed",
        expected.len(),
        kills.len(),
        faults.len()
    );
    assert!(faults.is_empty(), "{} of {} kills went wrong:\n{}", faults.len(), kills.len(), faults.join("\n"));
}

async fn killed(number: usize, fate: Fate, expected: &BTreeSet<String>) -> Result<(), String> {
    let stage = stage();
    stage.decide(Box::new(move |call| if call.number == number { fate } else { Fate::Live }));
    failed_over(&stage).await;
    let ensure = |holds: bool, what: String| if holds { Ok(()) } else { Err(what) };
    let told = stage.accepted_events();
    let bodies: Vec<&Vec<Value>> = told.values().filter(|bodies| bodies.len() > 1).collect();
    let ids: BTreeSet<String> = told.keys().cloned().collect();
    ensure(stage.wire.deaths() == 1, format!("{} deaths", stage.wire.deaths()))?;
    ensure(bodies.is_empty(), format!("two bodies under one id: {bodies:?}"))?;
    let missing = expected.difference(&ids).count();
    ensure(ids == *expected, format!("{missing} are not told; what is: {:#?}", lines(&stage)))?;
    let left = announced(&stage);
    ensure(left.is_empty(), format!("announcements are left: {left:?}"))
}

fn announced(stage: &Stage) -> Vec<String> {
    stage.blobs.names(CONTAINER).into_iter().filter(|name| name.starts_with("outbox/")).collect()
}
