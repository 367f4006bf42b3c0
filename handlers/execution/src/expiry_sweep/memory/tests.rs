//! What expiry remembers: golden records, deletions by hand, and the waits between attempts. It reads no store.

use super::*;

fn name(day: u8) -> String {
    format!("lb-daily-202611{day:02}t0200z-1-1111111111111111-2222222222222222")
}

fn names(days: &[u8]) -> BTreeSet<String> {
    days.iter().map(|day| name(*day)).collect()
}

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + hours * 3600).expect("a time")
}

#[test]
fn version_1_of_what_is_remembered_reads_as_it_was_written() {
    let golden = include_bytes!("../../../golden/expiry-v1.json");
    let memory: Memory = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
    assert_eq!((memory.points.len(), memory.deletions.len()), (1, 1));
    let written: serde_json::Value = serde_json::to_value(&memory).expect("writes");
    assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
}

#[test]
fn version_1_of_the_course_reads_as_it_was_written() {
    let golden = include_bytes!("../../../golden/expiry-course-v1.json");
    let course: Course = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
    assert_eq!((course.number, course.counted["production"].made), (7, 30));
    let written: serde_json::Value = serde_json::to_value(&course).expect("writes");
    assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
}

#[test]
fn what_vanishes_and_was_not_ours_to_delete_was_deleted_by_hand_until_two_are_read() {
    let mut memory = Memory::default();
    memory.points_are(names(&[1, 2, 3]));
    memory.attempt(&name(1), vec![name(1)], "production", at(0));
    memory.points_are(names(&[2, 3]));
    memory.forgive();
    assert!(memory.deleted_by_hand.is_empty(), "that was ours");
    memory.points_are(names(&[3]));
    memory.forgive();
    assert_eq!(memory.deleted_by_hand.len(), 1);
    memory.points_are(names(&[3]));
    memory.forgive();
    assert_eq!(memory.deleted_by_hand.len(), 1, "not by itself");
    memory.points_are(names(&[3, 4]));
    memory.forgive();
    assert!(memory.deleted_by_hand.is_empty());
}

#[test]
fn of_a_store_that_was_adopted_each_rule_is_in_doubt_until_two_are_read() {
    let rule = PointName::parse(&name(1)).expect("a name of ours").rule;
    let mut memory = Memory::default();
    assert!(!memory.doubts(&rule), "the store has its memory");
    memory.read_since_adopted = Some(BTreeSet::new());
    memory.points_are(names(&[1]));
    memory.forgive();
    assert!(memory.doubts(&rule));
    memory.points_are(names(&[1, 2]));
    memory.forgive();
    assert!(!memory.doubts(&rule));
    memory.attempt(&name(1), vec![name(1)], "production", at(0));
    memory.points_are(names(&[2]));
    memory.forgive();
    assert!(!memory.doubts(&rule), "that was ours");
}

#[test]
fn one_that_was_ours_and_is_gone_is_no_deletion_by_hand_later() {
    let mut memory = Memory::default();
    memory.points_are(names(&[1, 2]));
    memory.attempt(&name(1), vec![name(1)], "production", at(0));
    assert!(memory.settle(&name(1)).is_some());
    memory.points_are(names(&[2]));
    assert!(memory.deleted_by_hand.is_empty());
}

#[test]
fn a_count_older_than_a_day_grants_no_turnover() {
    let counted = BTreeMap::from([("production".to_owned(), Count { made: 9, points: 30 })]);
    let course = Course { counted, counted_at: Some(Timestamp::UNIX_EPOCH), ..Course::default() };
    let after = |hours: i64| course.count("production", Timestamp::from_second(hours * 3_600).expect("a time"));
    assert_eq!(after(23), Count { made: 9, points: 30 });
    assert_eq!(after(24), Count { made: 0, points: 30 });
    let unknown = Course { counted_at: None, ..course.clone() };
    assert_eq!(
        unknown.count("production", Timestamp::UNIX_EPOCH).made,
        0,
        "what does not say when is no count of today"
    );
}

#[test]
fn what_went_is_in_no_share() {
    let of = |points| BTreeMap::from([("production".to_owned(), Count { made: 0, points })]);
    let mut course = Course { counted: of(30), counting: of(1), ..Course::default() };
    course.one_goes("production");
    course.one_goes("production");
    course.one_goes("another");
    assert_eq!(course.count("production", Timestamp::UNIX_EPOCH), Count { made: 0, points: 28 });
    assert_eq!(course.counting, of(0), "never below none");
    assert_eq!(course.count("another", Timestamp::UNIX_EPOCH), Count::default());
}

#[test]
fn attempts_are_counted_and_come_at_growing_distances_up_to_a_day() {
    let mut memory = Memory::default();
    let mut waits = Vec::new();
    for attempt in 1..=9 {
        memory.attempt("p", vec!["p".into()], "production", at(100 * attempt));
        let deletion = memory.deletion("p").expect("noted");
        assert_eq!((i64::from(deletion.attempts), deletion.since), (attempt, at(100)));
        assert_eq!(deletion.is_alarming(), attempt > 2);
        waits.push(deletion.again_at.duration_since(at(100 * attempt)).as_mins());
    }
    assert_eq!(waits, [55, 110, 220, 440, 880, 1440, 1440, 1440, 1440]);
    assert!(memory.waits("p", at(920)) && !memory.waits("p", at(930)) && !memory.waits("q", at(0)));
}
