//! Alarms: what a record keeps, how often it says so, and what other systems are told.

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a time")
}

fn raised<'a>(machines: Machines<'a>) -> Raised<'a> {
    Raised { cause: Cause::RpoBreached, policy: Some("production"), what: "late".into(), machines }
}

#[test]
fn version_1_reads_as_it_was_written() {
    let golden = include_bytes!("../../golden/alarm-v1.json");
    let alarm: Alarm = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
    assert_eq!((alarm.cause, alarm.count, alarm.is_open()), (Cause::RpoBreached, 12, false));
    let written: serde_json::Value = serde_json::to_value(&alarm).expect("writes");
    assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
    assert_eq!(serde_json::to_value(Cause::ForeignEstate).expect("writes"), Cause::ForeignEstate.word());
}

#[test]
fn a_raise_opens_counts_and_names_a_bounded_number_of_machines() {
    let ids: Vec<String> = (0..30).map(|n| format!("vm-{n}")).collect();
    let first = raised(Machines::Also(&ids[..2])).on(None, at(1));
    assert_eq!((first.count, first.machines_total, first.since), (1, 2, at(1)));
    let second = raised(Machines::Also(&ids[1..])).on(Some(first.clone()), at(5));
    assert_eq!((second.count, second.machines_total, second.machines.len()), (2, 30, MACHINES_MAX));
    assert_eq!((second.since, second.last), (at(1), at(5)));
    let fewer = raised(Machines::All(&ids[..1])).on(Some(second.clone()), at(4));
    assert_eq!((fewer.machines_total, fewer.last, fewer.count), (1, at(5), 3));
    let left = first.clone().without("VM-0", at(7));
    assert_eq!((left.machines_total, left.is_open()), (1, true));
    assert_eq!(left.without("vm-1", at(8)).settled_at, Some(at(8)));
    let settled = Alarm { settled_at: Some(at(9)), ..second };
    let again = raised(Machines::Also(&ids[..1])).on(Some(settled), at(20));
    assert_eq!((again.count, again.since, again.machines_total, again.is_open()), (1, at(20), 1, true));
}
