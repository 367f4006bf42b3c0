//! Malformed policies, and those that ask for what can never be met, name line, column and field: each `fixtures/policies/*.yaml` beside its golden `*.txt`.
//! It never holds the documents of the product: the shipped example is tested where it lives.
//!
//! LIFEBOAT_GOLDEN=write writes the golden files again.

use std::path::PathBuf;

use lifeboat_contract::policy::{DOCUMENT_BYTES_MAX, Fault, PROBLEMS_MAX, check_policies, read_policy};
use lifeboat_planning::policy::{Case, Glob, Match, Mode, matches};
use proptest::prelude::*;

const GOOD: &str = "\
apiVersion: lifeboat/v1
kind: BackupPolicy
metadata: { name: production }
spec:
  mode: enforce
  match:
    all: [ { tag: { env: prod } }, { not: { tag: { lifeboat: skip } } } ]
  points:
    - name: daily
      kind: restorePoint
      onCreate: { within: 24h }
";

/// Fewer than this, and somebody has lost some.
const BAD_DOCUMENTS_MIN: usize = 100;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/policies"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment asks a test to write its golden files; no setting of the product"
)]
#[test]
fn every_malformed_policy_gets_its_golden_messages() {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "yaml"))
        .collect();
    names.sort();
    assert!(names.len() >= BAD_DOCUMENTS_MIN, "{} documents", names.len());
    let write = std::env::var("LIFEBOAT_GOLDEN").as_deref() == Ok("write");
    let mut differing = Vec::new();
    for path in names {
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        let problems = check_policies(&[(&name, std::fs::read_to_string(&path).unwrap())]).problems;
        assert!(!problems.is_empty() && problems.iter().all(|p| p.line > 0 && p.column > 0), "{name}");
        let got: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
        assert_eq!(got.lines().count(), problems.len(), "{name}: each problem is one line");
        let golden = path.with_extension("txt");
        if write {
            std::fs::write(&golden, &got).unwrap();
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != got {
            differing.push(format!("--- {name}\n{got}"));
        }
    }
    assert!(differing.is_empty(), "golden messages differ:\n{}", differing.join(""));
}

#[test]
fn a_good_policy_is_read_as_written() {
    let read = read_policy(GOOD, "p.yaml").unwrap();
    assert_eq!((read.policy.name.as_str(), read.policy.mode), ("production", Mode::Enforce));
    let [entry] = read.policy.points.as_slice() else { panic!("{:?}", read.policy.points) };
    assert_eq!(entry.canonical(), "point/1\nname:5:daily\nkind:restorePoint\nonCreate.within:86400s\n");
    let machine = |tags: &[(&str, &str)]| lifeboat_planning::policy::MachineAttributes {
        name: "vm".into(),
        tags: tags.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())).collect(),
        ..Default::default()
    };
    assert!(matches(&read.policy.matches, &machine(&[("Env", "prod")])));
    assert!(!matches(&read.policy.matches, &machine(&[("env", "prod"), ("LIFEBOAT", "skip")])));
    assert!(!matches(&read.policy.matches, &machine(&[("env", "PROD")])));
    assert_eq!(read.digest.len(), 64);
}

#[test]
fn mode_is_report_until_told_otherwise() {
    let read = read_policy(&GOOD.replace("  mode: enforce\n", ""), "p.yaml").unwrap();
    assert_eq!(read.policy.mode, Mode::Report);
}

#[test]
fn every_condition_of_the_form_can_be_read() {
    for (text, holds) in [
        ("{ any: [ { os: linux } ] }", (|m| matches!(m, Match::Any(_))) as fn(&Match) -> bool),
        ("{ all: [ { os: linux } ] }", |m| matches!(m, Match::All(_))),
        ("{ not: { os: windows } }", |m| matches!(m, Match::Not(_))),
        ("{ tag: { a: '*' } }", |m| matches!(m, Match::Tag { .. })),
        ("{ name: 'vm-*' }", |m| matches!(m, Match::Name(_))),
        ("{ resourceGroup: rg }", |m| matches!(m, Match::ResourceGroup(_))),
        ("{ subscription: 00000000-0000-0000-0000-000000000001 }", |m| matches!(m, Match::Subscription(_))),
        ("{ location: West Europe }", |m| matches!(m, Match::Location(l) if l.as_str() == "westeurope")),
        ("{ os: windows }", |m| matches!(m, Match::Os(_))),
        ("{ size: Standard_D4s_v5 }", |m| matches!(m, Match::Size(_))),
        ("{ noConformingPointFor: 7d }", |m| matches!(m, Match::NoConformingPointFor(t) if t.as_hours() == 168)),
    ] {
        let document = GOOD.replace(
            "\n    all: [ { tag: { env: prod } }, { not: { tag: { lifeboat: skip } } } ]",
            &format!(" {text}"),
        );
        let read = read_policy(&document, "p.yaml").unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
        assert!(holds(&read.policy.matches), "{text}");
    }
}

#[test]
fn huge_documents_are_refused_unread_and_problems_are_bounded() {
    let huge = format!("{GOOD}# {}", "x".repeat(DOCUMENT_BYTES_MAX));
    let problems = read_policy(&huge, "p.yaml").unwrap_err();
    assert!(matches!(problems.as_slice(), [p] if matches!(p.fault, Fault::TooLarge { .. })));
    let many: String = (0..2_000).map(|i| format!("f{i}: 1\n")).collect();
    assert_eq!(read_policy(&many, "p.yaml").unwrap_err().len(), PROBLEMS_MAX);
    let values = format!("a: [{}]\n", "1,".repeat(20_000));
    let problems = read_policy(&values, "p.yaml").unwrap_err();
    assert!(matches!(problems.as_slice(), [p] if p.fault == Fault::TooManyValues), "{problems:?}");
    let deep = format!("a: {}1{}\n", "[".repeat(60), "]".repeat(60));
    let problems = read_policy(&deep, "p.yaml").unwrap_err();
    assert!(matches!(problems.as_slice(), [p] if p.fault == Fault::TooDeep), "{problems:?}");
    for opener in ["[", "{", "{a: ", "- ", "? ", "!!seq [", "&a [", "\"", "|\n "] {
        assert!(read_policy(&opener.repeat(20_000), "p.yaml").is_err(), "{opener}");
    }
}

#[test]
fn a_place_for_one_policy_takes_no_second() {
    let problems = read_policy(&format!("{GOOD}---\n{GOOD}"), "p.yaml").unwrap_err();
    assert!(matches!(problems.as_slice(), [p] if p.fault == Fault::SeveralDocuments && p.line == 13), "{problems:?}");
}

#[test]
fn a_document_cannot_forge_a_second_line_of_a_message() {
    let forged = GOOD.replace("enforce", r#""x\nall is well\u2028\e[31m""#);
    let problems = read_policy(&forged, "p\n.yaml").unwrap_err();
    let said = problems[0].to_string();
    assert!(said.lines().count() == 1 && !said.contains('\u{1b}') && !said.contains('\u{2028}'), "{said:?}");
}

/// The plainest statement of what a glob is.
fn naive(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => (0..=text.len()).any(|n| naive(rest, &text[n..])),
        (Some(('?', rest)), Some((_, left))) => naive(rest, left),
        (Some((p, rest)), Some((t, left))) => p == t && naive(rest, left),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_glob_agrees_with_the_plainest_one(pattern in "[ab*?]{0,8}", text in "[abc*?]{0,10}") {
        let chars = |s: &str| s.chars().collect::<Vec<_>>();
        let expected = naive(&chars(&pattern), &chars(&text));
        prop_assert_eq!(Glob::new(&pattern, Case::Sensitive).matches(&text), expected);
        prop_assert_eq!(Glob::new(&pattern, Case::Insensitive).matches(&text.to_uppercase()), expected);
    }
}

fn never_an_error_without_a_problem(text: &str) -> Result<(), TestCaseError> {
    if let Err(problems) = read_policy(text, "p.yaml") {
        prop_assert!(!problems.is_empty(), "an error without a problem: {:?}", text);
        for problem in problems.into_iter().chain(check_policies(&[("p.yaml", text)]).problems) {
            prop_assert!(problem.line > 0 && problem.column > 0);
            prop_assert_eq!(problem.to_string().lines().count(), 1);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_never_a_panic(text in ".{0,200}") {
        never_an_error_without_a_problem(&text)?;
    }

    #[test]
    fn any_yaml_like_text_is_read_or_refused_never_a_panic(text in "[a-c:\\-\\[\\]{}#&*!|>'\"%@`, \n\t?0-9.~]{0,200}") {
        never_an_error_without_a_problem(&text)?;
    }

    #[test]
    fn a_good_policy_with_a_piece_changed_is_read_or_refused_never_a_panic(at in 0..300usize, len in 0..40usize, put in "[a-z0-9:\\[\\]{}, \n&*!'\"-]{0,12}") {
        let (start, end) = (at.min(GOOD.len()), (at + len).min(GOOD.len()));
        never_an_error_without_a_problem(&format!("{}{put}{}", &GOOD[..start], &GOOD[end..]))?;
    }
}
