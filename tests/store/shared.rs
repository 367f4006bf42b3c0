//! The records that several instances write at once: alarms, counters with their breakers, the switch, the catalogue.

use futures::future::join_all;
use jiff::Timestamp;
use lifeboat_azure::blobs::{Condition, Store};
use lifeboat_execution::alarms::{self, Cause, Machines, Raised};
use lifeboat_execution::catalogue::{self, Entry, Reading, SHARDS, shard_of};
use lifeboat_execution::counters::Kind;
use lifeboat_execution::outbox::Outbox;
use lifeboat_execution::stop::{self, Stop};
use lifeboat_execution::{breakers, counters};
use lifeboat_planning::allowance::Allowance;

use crate::target::Target;

/// How many write at once.
const WRITERS: usize = 8;
const POLICY: Option<&str> = Some("production");
const PERSON: &str = "7c0a3f0e-90a4-4a3f-8a7e-5f2f6c1d9b10";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).expect("a time")
}

async fn raise(store: &Store, machine: &str, now: Timestamp) {
    let machines = [machine.to_owned()];
    let what = "all attempts failed".to_owned();
    let raised = Raised { cause: Cause::AttemptsUsedUp, policy: POLICY, what, machines: Machines::Also(&machines) };
    alarms::raise(&Outbox::off(store.clone()), &raised, now).await;
}

#[tokio::test]
async fn an_alarm_is_one_record_whoever_raises_it_and_closes_with_its_last_machine() {
    let target = Target::new("alarms").await;
    let raises = (0..WRITERS).map(|n| {
        let store = target.another();
        async move { raise(&store, &format!("vm-{n}"), at(n as i64)).await }
    });
    join_all(raises).await;
    let store = &target.store;
    let outbox = Outbox::off(store.clone());
    let open = alarms::open(store).await.expect("an answer");
    let writers = WRITERS as u64;
    assert_eq!((open.len(), open[0].count, open[0].machines_total), (1, writers, writers), "{open:?}");
    for n in 0..WRITERS {
        alarms::clear(&outbox, Cause::AttemptsUsedUp, POLICY, &format!("VM-{n}"), at(100)).await.expect("an answer");
    }
    assert_eq!(alarms::open(store).await.expect("an answer"), vec![]);
    raise(store, "vm-1", at(200)).await;
    let open = alarms::open(store).await.expect("an answer");
    assert_eq!((open[0].since, open[0].count), (at(200), 1), "it opens anew");
    alarms::settle(&outbox, Cause::AttemptsUsedUp, POLICY, at(300)).await.expect("an answer");
    alarms::settle(&outbox, Cause::NoVault, POLICY, at(300)).await.expect("what is not open is not opened");
    assert_eq!(alarms::open(store).await.expect("an answer"), vec![]);
}

#[tokio::test]
async fn instances_that_count_at_once_never_get_more_than_the_limit_and_a_person_closes_the_breaker() {
    let target = Target::new("counters").await;
    let allowance = Allowance { turnover: 5, beyond: 20 };
    let requests = (0..WRITERS).map(|_| {
        let store = target.another();
        async move { breakers::reserve(&Outbox::off(store), "production", Kind::Expiry, 10, allowance, at(0)).await }
    });
    let answers = join_all(requests).await;
    let granted: u32 = answers.iter().filter_map(|answer| answer.as_ref().ok()).map(|answer| answer.granted).sum();
    assert_eq!(granted, 25, "{answers:?}");
    let opened = answers.iter().filter(|answer| answer.as_ref().is_ok_and(|answer| answer.opened_now)).count();
    assert_eq!(opened, 1, "one of them opens it");
    let store = &target.store;
    let outbox = Outbox::off(store.clone());
    let alarm = alarms::open(store).await.expect("an answer");
    assert_eq!((alarm.len(), alarm[0].cause), (1, Cause::BreakerOpen));
    let later = at(3 * 86_400);
    let still = breakers::reserve(&outbox, "production", Kind::Expiry, 50, allowance, later).await.expect("an answer");
    assert_eq!((still.granted, still.open.is_some()), (5, true), "turnover passes, and it stays open");
    let other = counters::reserve(store, "other", Kind::Expiry, 10, allowance, at(0)).await.expect("an answer");
    assert_eq!((other.granted, other.open), (10, None), "each policy has its own");
    assert_eq!(breakers::open(store).await.expect("an answer").len(), 1);
    assert!(breakers::close(&outbox, "production", Kind::Expiry, PERSON, later).await.expect("an answer"));
    assert!(!breakers::close(&outbox, "production", Kind::Expiry, PERSON, later).await.expect("an answer"));
    assert_eq!(breakers::open(store).await.expect("an answer"), vec![]);
    assert_eq!(alarms::open(store).await.expect("an answer"), vec![]);
}

#[tokio::test]
async fn a_counter_that_cannot_be_read_grants_nothing() {
    let target = Target::new("counters-spoilt").await;
    let store = &target.store;
    let outbox = Outbox::off(store.clone());
    let allowance = Allowance { turnover: 5, beyond: 20 };
    let name = counters::blob_name("production", Kind::Expiry);
    store.put(&name, "{".into(), Condition::Any).await.expect("it is spoilt");
    assert!(breakers::reserve(&outbox, "production", Kind::Expiry, 1, allowance, at(0)).await.is_err());
}

#[tokio::test]
async fn the_switch_stays_where_it_was_turned_first_and_counts_as_turned_when_it_cannot_be_read() {
    let target = Target::new("stop").await;
    let store = &target.store;
    assert!(!stop::is_stopped(store).await);
    let first = stop::stop(store, "disks are moved", at(0)).await.expect("it is turned");
    let second = stop::stop(store, "another reason", at(9)).await.expect("it is turned already");
    assert_eq!((&second, first.confirmed_from()), (&first, at(40)));
    assert!(stop::is_stopped(store).await);
    let resumed = Stop { resumed_at: Some(at(20)), resumed_by: Some(PERSON.to_owned()), ..first };
    let bytes = serde_json::to_vec(&resumed).expect("a record");
    store.put(stop::BLOB, bytes.into(), Condition::Any).await.expect("a person's record");
    assert!(!stop::is_stopped(store).await);
    store.put(stop::BLOB, "{".into(), Condition::Any).await.expect("it is spoilt");
    assert!(stop::is_stopped(store).await);
}

fn entry(n: usize, read_at: i64) -> Entry {
    Entry {
        vm_id: format!("vm-id-{n}"),
        machine: format!("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm-{n}"),
        collection: String::new(),
        read_at: at(read_at),
        look_at: at(read_at + 3_600),
        total: 0,
        points: Vec::new(),
    }
}

#[tokio::test]
async fn readings_noted_at_once_are_all_in_the_catalogue_and_a_late_one_changes_nothing() {
    let target = Target::new("catalogue").await;
    let notes = (0..WRITERS).map(|writer| {
        let store = target.another();
        let readings: Vec<Reading> = (0..40).map(|n| Reading::Seen(entry(n * WRITERS + writer, 10))).collect();
        async move { catalogue::note(&store, &readings).await }
    });
    for noted in join_all(notes).await {
        noted.expect("it is noted");
    }
    let store = &target.store;
    catalogue::note(store, &[Reading::Seen(entry(7, 5))]).await.expect("it is late");
    let gone = entry(8, 20);
    let gone = Reading::Gone { vm_id: gone.vm_id, machine: gone.machine, read_at: gone.read_at };
    catalogue::note(store, &[gone]).await.expect("it is noted");
    let present = catalogue::present(store).await.expect("a list");
    assert!(!present.is_empty() && present.len() <= SHARDS);
    let mut shards = Vec::new();
    for shard in present {
        shards.push(catalogue::read(store, shard).await.expect("an answer"));
    }
    let all: Vec<&Entry> = shards.iter().flat_map(|shard| shard.machines.values()).collect();
    assert_eq!(all.len(), 40 * WRITERS - 1);
    assert!(all.iter().all(|entry| entry.read_at == at(10)));
    let spoilt = shard_of("vm-id-7");
    store.put(&catalogue::blob_name(spoilt), "{".into(), Condition::Any).await.expect("it is spoilt");
    assert!(catalogue::read(store, spoilt).await.expect("an answer").machines.is_empty(), "a cache is filled again");
}
