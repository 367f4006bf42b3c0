//! The golden table: what each policy keeps of the fixture, with every reason, beside its golden file.
//! What is not listed is due; the last line counts.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use lifeboat_contract::keep::{Kind, PointSeen, Verdict, due_oldest_first, verdicts};

use crate::fixture::{Case, Dates, NOW, ZONE, folder, time};

/// The verdicts as text: every point that stays, and how many go.
fn shown(case: &Case, points: &[PointSeen<'_>], verdicts: &[Verdict]) -> String {
    let mut text = format!("{}: {}\n", case.name, case.asked);
    for (point, verdict) in points.iter().zip(verdicts).filter(|(_, verdict)| verdict.kind != Kind::Expire) {
        let local = point.at.in_tz(ZONE).expect("a zone");
        let words: Vec<&str> = verdict.reasons.iter().map(|reason| reason.word()).collect();
        let time = local.strftime("%F %T %:z");
        writeln!(text, "{:<8} {time}  {}", verdict.kind.word(), words.join(" ")).expect("a text takes text");
    }
    let count = |kind| verdicts.iter().filter(|verdict| verdict.kind == kind).count();
    let (keep, blocked, foreign) = (count(Kind::Keep), count(Kind::Blocked), count(Kind::Foreign));
    let due = due_oldest_first(points, verdicts).len();
    writeln!(text, "{keep} keep, {blocked} blocked, {foreign} foreign, {due} expire").expect("a text takes text");
    text
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment asks a test to write its golden files; no setting of the product"
)]
#[test]
fn every_policy_of_the_table_keeps_what_its_golden_file_says() {
    let write = std::env::var("LIFEBOAT_GOLDEN").as_deref() == Ok("write");
    let (cases, dates) = (Case::all(), Dates::read());
    assert!(cases.len() >= 60, "{} policies", cases.len());
    let points = dates.seen();
    assert!(points.len() >= 100, "{} points", points.len());
    let mut differing = Vec::new();
    for case in &cases {
        let verdicts = verdicts(&case.question(time(NOW)), &points);
        assert_eq!(verdicts.len(), points.len(), "{}: a verdict for each point", case.name);
        let staying = verdicts.iter().filter(|verdict| verdict.kind != Kind::Expire).count();
        assert_eq!(staying + due_oldest_first(&points, &verdicts).len(), points.len(), "{}", case.name);
        let got = shown(case, &points, &verdicts);
        let golden = folder().join("golden").join(format!("{}.txt", case.name));
        if write {
            std::fs::write(&golden, &got).expect("a golden file");
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != got {
            differing.push(format!("--- {}\n{got}", case.name));
        }
    }
    assert!(differing.is_empty(), "golden files differ:\n{}", differing.join(""));
}

#[test]
fn every_golden_file_belongs_to_a_policy_of_the_table() {
    let named: BTreeSet<String> = Case::all().into_iter().map(|case| format!("{}.txt", case.name)).collect();
    let there: BTreeSet<String> = std::fs::read_dir(folder().join("golden"))
        .expect("the golden files")
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(there, named);
}

#[test]
fn a_later_look_without_new_points_changes_no_verdict() {
    let dates = Dates::read();
    let points = dates.seen();
    for case in Case::all().iter().filter(|case| !case.asks_the_clock()) {
        let then = verdicts(&case.question(time(NOW)), &points);
        for later in ["2025-01-15T12:00:01Z", "2025-02-15T12:00:00Z", "2026-01-15T12:00:00Z", "2039-12-31T00:00:00Z"] {
            assert_eq!(verdicts(&case.question(time(later)), &points), then, "{} at {later}", case.name);
        }
    }
}

#[test]
fn planning_again_after_what_was_due_is_gone_finds_nothing_due() {
    let dates = Dates::read();
    let points = dates.seen();
    for case in Case::all() {
        let question = case.question(time(NOW));
        let first = verdicts(&question, &points);
        let (left, then): (Vec<PointSeen<'_>>, Vec<Verdict>) =
            points.iter().zip(&first).filter(|(_, verdict)| verdict.kind != Kind::Expire).unzip();
        assert_eq!(verdicts(&question, &left), then, "{}", case.name);
    }
}
