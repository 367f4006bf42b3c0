//! Rests held to sentences: what is carried, what ends a rest, and how many are read anyway.

use lifeboat_planning::effect::Place;
use lifeboat_planning::id::MachineKey;

use super::*;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + hours * 3600).expect("a time")
}

fn subject(number: usize) -> Subject {
    let group = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute";
    let name = format!("lb-{number:016x}");
    Subject {
        collection: format!("{group}/restorePointCollections/{name}").parse().expect("an id"),
        place: Place { subscription: "s".into(), group: "g".into(), collection: name.clone() },
        machine: format!("{group}/virtualMachines/vm-{number}").parse().expect("an id"),
        vm_hash: format!("{number:016x}"),
        key: MachineKey::of_collection(&name).expect("a name of ours"),
        shows: String::new(),
    }
}

fn rest(read_at: i64) -> Rest {
    Rest { read_at: at(read_at), until: None, basis: "b".into(), counts: BTreeMap::new(), would: 0 }
}

fn known(count: usize, read_at: impl Fn(usize) -> i64) -> Rests {
    let mut rests = Rests::default();
    for number in 0..count {
        rests.note(&subject(number).collection, Some(rest(read_at(number))));
    }
    rests
}

/// The numbers of those that are to be read.
fn read(rests: &Rests, count: usize, basis: &str, now: Timestamp) -> Vec<usize> {
    let subjects = (0..count).map(|number| (subject(number), Some(basis.to_owned()))).collect();
    let asked = rests.ask(subjects, now);
    asked.iter().enumerate().filter(|(_, one)| one.rests.is_none()).map(|(number, _)| number).collect()
}

#[test]
fn version_1_reads_as_it_was_written() {
    let golden = include_bytes!("../../../golden/expiry-rests-v1.json");
    let shard: Shard = read_up_to(VERSION, "golden", golden).expect("reads");
    assert_eq!(shard.rests["00112233445566aa"].counts["production"].points, 30);
    let written: serde_json::Value = serde_json::to_value(&shard).expect("writes");
    assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
}

#[test]
fn a_rest_ends_with_its_basis_its_time_and_a_clock_that_went_back() {
    let timed = Rest { until: Some(at(5)), ..rest(0) };
    assert!(timed.holds(Some("b"), at(4)));
    assert!(!timed.holds(Some("b"), at(5)), "its time has come");
    assert!(!timed.holds(Some("c"), at(4)), "something changed");
    assert!(!timed.holds(None, at(4)), "the machine was not seen");
    assert!(!timed.holds(Some("b"), at(-1)), "it was read in the future");
}

#[test]
fn what_is_not_known_or_was_taken_out_is_read() {
    let mut rests = known(3, |_| 0);
    assert_eq!(read(&rests, 4, "b", at(1)), [3]);
    rests.note(&subject(1).collection, None);
    assert_eq!(read(&rests, 4, "b", at(1)), [1, 3]);
    assert_eq!(read(&rests, 4, "another", at(1)), [0, 1, 2, 3]);
}

#[test]
fn of_a_weeks_sweeps_each_reads_its_share_anyway_the_longest_unread_first() {
    let rests = known(360, |number| -i64::try_from(number).expect("few"));
    assert_eq!(read(&rests, 360, "b", at(0)), [358, 359]);
    let few = known(4, |_| 0);
    assert_eq!(read(&few, 4, "b", at(23)), [0usize; 0], "read within the day");
    assert_eq!(read(&few, 4, "b", at(24)).len(), 1);
}

#[test]
fn every_sweep_of_a_day_reads_one_of_a_small_estate_and_each_once() {
    let mut rests = known(24, |_| 0);
    let mut all = Vec::new();
    for hour in 24..48 {
        for number in read(&rests, 24, "b", at(hour)) {
            rests.note(&subject(number).collection, Some(rest(hour)));
            all.push(number);
        }
    }
    all.sort_unstable();
    assert_eq!(all, (0..24).collect::<Vec<_>>());
}

#[test]
fn carried_points_leave_the_turnover_when_they_are_a_day_old() {
    let counted = Counted { points: 7, made: vec![at(0).as_second(), at(10).as_second()] };
    for (now, made) in [(10, 2), (24, 2), (25, 1), (34, 1), (35, 0)] {
        let mut count = Count { made: 1, points: 1 };
        counted.add_to(&mut count, at(now));
        assert_eq!((count.made, count.points), (1 + made, 8), "after {now} hours");
    }
}
