//! What a look leaves over the one before, and the record's form.

use lifeboat_planning::recovery::readiness::{Note, Reason};

use super::*;

const GOLDEN: &[u8] = include_bytes!("../../../golden/readiness-v1.json");

fn golden() -> Record {
    crate::record::read_up_to(VERSION, "golden", GOLDEN).expect("reads")
}

fn at(minute: i64) -> Timestamp {
    "2026-11-22T12:00:00Z".parse::<Timestamp>().expect("a time") + jiff::SignedDuration::from_mins(minute)
}

/// A look that could read nothing of the region.
fn left(state: State, reasons: Vec<Reason>) -> Left {
    let golden = golden();
    Left {
        recovery_plan: golden.recovery_plan,
        regions: (golden.from, golden.to),
        digest: golden.digest,
        at: at(5),
        judged: Judged { state, reasons, notes: vec![Note::CapacityNotKnown] },
        copy: None,
        newest: BTreeMap::new(),
    }
}

#[test]
fn version_1_reads_as_it_was_written() {
    let record = golden();
    let written: serde_json::Value = serde_json::to_value(&record).expect("writes");
    assert_eq!(written, serde_json::from_slice::<serde_json::Value>(GOLDEN).expect("JSON"));
    assert_eq!(record.state.word(), written["state"]);
}

#[test]
fn a_look_that_could_not_read_all_leaves_the_copy_and_the_points_of_the_one_before() {
    let before = golden();
    let after = Record::after(Some(before.clone()), &left(State::Silent, vec![Reason::SourceSilent]));
    assert_eq!((&after.saved, &after.newest), (&before.saved, &before.newest));
    assert_eq!((after.looked_at, after.ready_at), (at(5), before.ready_at));
    assert_eq!(after.readiness(), Readiness::Ready { at: before.ready_at.expect("it was ready") });
    // Points that were read count, whatever else was not.
    let mut read = left(State::Silent, vec![Reason::SourceSilent]);
    let point = PointFacts { id: "/p".to_owned(), time: at(3), application: false };
    let item = before.saved.as_ref().expect("a copy").groups[0].members[0].of.item.clone();
    read.newest.insert("web-1".to_owned(), NewestPoints::of(&item, &[point], at(5)));
    let after = Record::after(Some(before), &read);
    assert_eq!(after.point_at(), Some(at(3)));
}

#[test]
fn of_a_recovery_plan_that_was_changed_nobody_has_seen_that_it_was_ready() {
    let mut changed = left(State::Silent, vec![Reason::SourceSilent]);
    changed.digest = "another".to_owned();
    let after = Record::after(Some(golden()), &changed);
    assert_eq!((after.ready_at, after.point_at()), (None, None));
    assert_eq!(after.readiness(), Readiness::NotReady { at: at(5) });
}

#[test]
fn a_look_that_found_all_well_is_the_last_time_it_was_ready() {
    let after = Record::after(None, &left(State::Ready, Vec::new()));
    assert_eq!((after.ready_at, after.readiness()), (Some(at(5)), Readiness::Ready { at: at(5) }));
    assert!(after.saved.is_none() && after.path().is_none(), "nothing was saved");
}

#[test]
fn points_of_another_item_are_no_points_of_a_member() {
    let mut record = golden();
    assert_eq!(record.point_at().map(|at| at.to_string()).as_deref(), Some("2026-11-22T11:01:00Z"));
    record.newest.get_mut("web-1").expect("its points").item = "/another".to_owned();
    assert_eq!(record.point_at(), None);
}

#[test]
fn the_newest_application_consistent_point_is_kept_however_many_are_newer() {
    let point = |minute: i64| PointFacts { id: format!("/{minute}"), time: at(minute), application: minute == 2 };
    let points: Vec<PointFacts> = (0..30).map(point).collect();
    let kept = NewestPoints::of("/i", &points, at(30));
    let minutes: Vec<&str> = kept.points.iter().map(|point| point.id.as_str()).collect();
    assert_eq!(minutes, ["/29", "/28", "/27", "/26", "/25", "/24", "/23", "/22", "/21", "/20", "/2"]);
}
