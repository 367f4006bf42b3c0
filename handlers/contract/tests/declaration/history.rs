//! A history is read strictly: what is wrong is told with its line, and nothing is guessed.
//! It never plays one.

use lifeboat_contract::declaration::{LINES_MAX, LineFault, Supposed, read_history};
use proptest::prelude::*;

const GOOD: &str = r#"{"at":"2026-11-01T00:00:00Z","door":"probe","body":{}}"#;

#[test]
fn a_good_history_is_read_in_its_order_with_its_numbers() {
    let lines = read_history(&format!("{GOOD}\n\n{}\n", GOOD.replace("00:00Z", "00:01Z"))).expect("a history");
    assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 3]);
    assert!(lines[0].at < lines[1].at);
}

#[test]
fn each_bad_line_is_told_with_its_number_and_what_was_expected() {
    let text = [
        GOOD,
        "not JSON",
        "[1]",
        r#"{"door":"probe","body":{}}"#,
        r#"{"at":"2026-11-01T00:00:00Z","body":{}}"#,
        r#"{"at":"2026-11-01T00:00:00Z","door":"probe"}"#,
        r#"{"at":"yesterday","door":"probe","body":{}}"#,
        r#"{"at":"2026-11-01T00:00:00Z","door":"Probe","body":{}}"#,
        r#"{"at":"2026-11-01T00:00:00Z","door":"probe","body":{},"note":"x"}"#,
        r#"{"at":"2026-10-31T23:59:59Z","door":"probe","body":{}}"#,
        r#"{"at":"2027-01-01T00:00:00Z","door":"probe","body":{}}"#,
        r#"{"at":7,"door":"probe","body":{}}"#,
    ];
    let problems = read_history(&text.join("\n")).expect_err("problems");
    assert_eq!(problems.iter().map(|one| one.line).collect::<Vec<_>>(), (2..=12).collect::<Vec<_>>());
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for (words, said) in [
        ("line 2: it is not JSON", &said[0]),
        ("no object", &said[1]),
        ("`at` is missing", &said[2]),
        ("`door` is missing", &said[3]),
        ("`body` is missing", &said[4]),
        ("yesterday", &said[5]),
        ("RegionAlert, RegionHealthChanged, HealthPoll, probe", &said[6]),
        ("there is no `note`", &said[7]),
        ("before the line before it", &said[8]),
        ("at most 31 days", &said[9]),
        ("`at` is 7", &said[10]),
    ] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn an_empty_history_and_one_too_long_are_refused() {
    assert_eq!(read_history("\n \n").expect_err("empty")[0].fault, LineFault::Empty);
    let long = vec![GOOD; LINES_MAX + 2].join("\n");
    let problems = read_history(&long).expect_err("too long");
    assert_eq!((problems[0].line, &problems[0].fault), (LINES_MAX + 1, &LineFault::TooManyLines));
}

#[test]
fn what_is_supposed_is_understood_or_refused_with_its_word() {
    let mut supposed = Supposed::default();
    for word in ["ready=no", "newestPoint=none", "fence=impossible", "passes=dataLoss,window", "named=a rule"] {
        supposed.suppose(word).unwrap_or_else(|why| panic!("{why}"));
    }
    assert!(supposed.words().iter().any(|words| words == "fence: impossible"));
    for word in ["ready", "ready=perhaps", "color=red", "passes=courage", "approvedAt=soon", "standingApproval=1"] {
        let why = supposed.suppose(word).expect_err(word).to_string();
        assert!(why.contains(word.split('=').next().unwrap()), "{why}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_fail_otherwise_than_with_lines(text in "\\PC{0,200}") {
        match read_history(&text) {
            Ok(lines) => prop_assert!(!lines.is_empty()),
            Err(problems) => prop_assert!(!problems.is_empty() && problems.iter().all(|one| one.line >= 1)),
        }
    }
}
