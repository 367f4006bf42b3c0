//! Sets of policies: what is read from several files and documents, what is judged, and that no text does any harm.
//! It never looks at messages word by word; the golden ones of malformed policies do.

use lifeboat_contract::policy::{
    FILES_BYTES_MAX, FILES_MAX, Fault, First, POLICIES_MAX, Problem, Rule, Unmet, Weight, check_policies,
    read_policies, read_policy,
};
use lifeboat_planning::policy::{Match, PointEntry, PointKind};
use proptest::prelude::*;

/// A policy document with these lines under `spec`.
fn document(name: &str, spec: &str) -> String {
    format!("apiVersion: lifeboat/v1\nkind: BackupPolicy\nmetadata: {{ name: {name} }}\nspec:\n{spec}")
}

const FIRST: &str = "  points: [ { name: first, kind: restorePoint, onCreate: { within: 24h } } ]\n";

fn simple(name: &str, priority: i64, condition: &str) -> String {
    document(name, &format!("  priority: {priority}\n  match: {condition}\n{FIRST}"))
}

/// A policy with one entry of this kind, schedule and rules.
fn kept(kind: &str, cron: &str, keep: &str) -> String {
    document(
        "p",
        &format!(
            "  match: {{ os: linux }}\n  points:\n    - {{ name: e, kind: {kind}, schedule: {{ cron: '{cron}', timezone: \
             Europe/Berlin }}, keep: {keep} }}\n"
        ),
    )
}

fn problems(text: &str) -> Vec<Problem> {
    check_policies(&[("p.yaml", text)]).problems
}

#[test]
fn several_documents_of_several_files_are_one_set_in_their_order() {
    let files = [
        ("a.yaml", format!("---\n{}---\n{}", simple("z", 1, "{ os: linux }"), simple("y", 2, "{ os: linux }"))),
        ("b.yaml", simple("x", 3, "{ os: linux }")),
    ];
    let names: Vec<String> = read_policies(&files).unwrap().into_iter().map(|policy| policy.name).collect();
    assert_eq!(names, ["z", "y", "x"]);
    assert!(read_policies::<&str, &str>(&[]).unwrap().is_empty());
}

#[test]
fn a_set_is_read_whole_or_not_at_all_and_every_problem_names_its_file_and_line() {
    let good = simple("good", 1, "{ os: linux }");
    let files = [
        ("a.yaml", good.clone()),
        ("b.yaml", good.replace("os: linux", "os: Linux")),
        ("c.yaml", format!("{good}---\n{}", good.replace("good", "again").replace("priority: 1", "priority: x"))),
        ("d.yaml", String::new()),
    ];
    let problems = read_policies(&files).unwrap_err();
    let places: Vec<_> = problems.iter().map(|p| (p.file.as_str(), p.line)).collect();
    assert_eq!(places, [("b.yaml", 6), ("c.yaml", 13), ("d.yaml", 1), ("c.yaml", 3)]);
    let taken = Fault::NameTaken { name: "good".into(), first: First::File("a.yaml".into(), 3) };
    assert_eq!(problems[3].fault, taken);
    let sorted: Vec<_> = check_policies(&files).problems.into_iter().map(|p| p.file).collect();
    assert!(sorted.is_sorted(), "{sorted:?}");
}

#[test]
fn a_set_has_bounds() {
    let one = |i: usize| (format!("{i}.yaml"), simple(&format!("p{i}"), 1, "{ os: linux }"));
    let many: Vec<_> = (0..=FILES_MAX).map(one).collect();
    let found = read_policies(&many).unwrap_err();
    assert!(matches!(found.as_slice(), [p] if p.fault == Fault::TooManyFiles(FILES_MAX + 1)), "{found:?}");
    let large: Vec<_> = (0..20).map(|i| (one(i).0, format!("{}# {}\n", one(i).1, "x".repeat(60_000)))).collect();
    let found = read_policies(&large).unwrap_err();
    assert!(matches!(&found[..], [p] if matches!(p.fault, Fault::FilesTooLarge { bytes } if bytes > FILES_BYTES_MAX)));
    let tiny = |i: usize| format!("---\n{}", simple(&format!("p{i}"), 1, "{ os: linux }"));
    let files: Vec<_> =
        (0..5).map(|f| (f.to_string(), (0..60).map(|i| tiny(f * 60 + i)).collect::<String>())).collect();
    let found = read_policies(&files).unwrap_err();
    assert!(matches!(&found[..], [p] if p.fault == Fault::TooManyPolicies(300)), "{POLICIES_MAX} {found:?}");
    let documents: String = (0..70).map(tiny).collect();
    let found = read_policies(&[("a", documents)]).unwrap_err();
    assert!(matches!(&found[..], [p] if p.fault == Fault::TooManyDocuments), "{found:?}");
}

#[test]
fn what_fits_is_never_said_not_to() {
    for (kind, cron, keep) in [
        ("restorePoint", "0 2 * * *", "{ last: 3, daily: 7, weekly: 4, monthly: 12, yearly: 3, within: 2d }"),
        ("restorePoint", "0 2 * * *", "{ daily: 500 }"),
        ("restorePoint", "0 2 * * *", "{ last: 500, daily: 500 }"),
        ("restorePoint", "0 2 * * *", "{ daily: 490, weekly: 70, monthly: 16 }"),
        ("snapshot", "0 * * * *", "{ within: 20d, hourly: 24, daily: 20 }"),
        ("snapshot", "0 * * * *", "{ hourly: 336, daily: 60, monthly: 24 }"),
        ("restorePoint", "0 2 * * mon-fri", "{ daily: 5, weekly: 4 }"),
        ("restorePoint", "0 2 * * sun", "{ weekly: 52, monthly: 12 }"),
        ("restorePoint", "0 2 1 * *", "{ monthly: 12, yearly: 10 }"),
        ("restorePoint", "0,20,40 * * * *", "{ last: 72 }"),
        ("snapshot", "*/5 8-10 * * *", "{ last: 30, hourly: 3 }"),
    ] {
        assert_eq!(problems(&kept(kind, cron, keep)), [], "{cron} {keep}");
    }
}

#[test]
fn more_points_than_azure_holds_are_told_with_their_sum() {
    let total = |text: &str| match &problems(text)[..] {
        [Problem { fault: Fault::Unmet(Unmet::TooManyPoints { shares, .. }), .. }] => {
            shares.iter().flat_map(|share| share.parts.clone()).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(total(&kept("restorePoint", "0 2 * * *", "{ daily: 501 }")), [(Rule::Daily, 501)]);
    assert_eq!(total(&kept("snapshot", "0 * * * *", "{ within: 21d }")), [(Rule::Within, 505)]);
    assert_eq!(total(&kept("snapshot", "0 * * * *", "{ hourly: 20, last: 510 }")), [(Rule::Last, 510)]);
    assert_eq!(total(&kept("snapshot", "0 0 * * *", "{ min: 501, last: 1 }")), [(Rule::Min, 501)]);
    // 480 days reach back at most 480 days and a little: 18 of the months at most have theirs among them.
    let parts = total(&kept("restorePoint", "0 2 * * *", "{ daily: 480, monthly: 60 }"));
    assert_eq!(parts, [(Rule::Daily, 480), (Rule::Monthly, 41)]);
}

#[test]
fn an_rpo_is_held_against_all_schedules_together() {
    let policy = |rpo: &str, crons: &[&str], vault: bool| {
        let vault =
            if vault { "  vault: { placement: [ { location: we, vaults: [ r ], vaultPolicy: p } ] }\n" } else { "" };
        let entries: String = crons
            .iter()
            .enumerate()
            .map(|(i, cron)| {
                format!(
                    "    - {{ name: e{i}, kind: restorePoint, schedule: {{ cron: '{cron}', timezone: Europe/Berlin }}, keep: {{ last: 9 }} }}\n"
                )
            })
            .collect();
        document("p", &format!("  match: {{ os: linux }}\n  rpo: {rpo}\n{vault}  points:\n{entries}"))
    };
    let weights = |rpo: &str, crons: &[&str], vault: bool| -> Vec<Weight> {
        problems(&policy(rpo, crons, vault)).iter().map(Problem::weight).collect()
    };
    assert_eq!(weights("24h", &["0 2 * * *"], false), []);
    assert_eq!(weights("23h", &["0 2 * * *"], false), [Weight::Error], "between all points");
    assert_eq!(weights("23h", &["0 2 * * *"], true), [Weight::Warning], "the vault may make up for it");
    assert_eq!(weights("24h", &["0 2 * * mon-fri"], false), [Weight::Warning], "between some points");
    assert_eq!(weights("24h", &["0 2 * * mon-fri", "0 2 * * sat,sun"], false), []);
    assert_eq!(weights("13h", &["0 2 * * *", "0 14 * * *"], false), [], "half a day apart on the clock on the wall");
    assert_eq!(weights("11h", &["0 2 * * *", "0 14 * * *"], false), [Weight::Error]);
    assert_eq!(weights("24h", &["0 2 * * *", "0 3 * * sun"], false), [], "a second schedule makes none worse");
}

#[test]
fn equal_priorities_are_an_error_only_for_the_very_same_machines() {
    let said = |one: (i64, &str), other: (i64, &str)| {
        let files = [("a.yaml", simple("a", one.0, one.1)), ("b.yaml", simple("b", other.0, other.1))];
        let checked = check_policies(&files);
        assert_eq!(checked.policies.len(), 2);
        let same = |p: &Problem| matches!(p.fault, Fault::Unmet(Unmet::SameMatch { .. })) && p.file == "b.yaml";
        assert!(checked.problems.iter().all(same), "{:?}", checked.problems);
        assert_eq!(checked.holds(), checked.problems.is_empty());
        assert!(read_policies(&files).is_ok(), "it harms nothing: the machines are left alone");
        checked.problems.len()
    };
    assert_eq!(said((1, "{ os: linux }"), (1, "{ os: linux }")), 1);
    assert_eq!(said((1, "{ os: linux }"), (2, "{ os: linux }")), 0);
    assert_eq!(said((1, "{ os: linux }"), (1, "{ os: windows }")), 0);
    assert_eq!(said((1, "{ os: linux }"), (1, "{ any: [ { os: linux } ] }")), 1);
    assert_eq!(said((1, "{ all: [ { name: A }, { os: linux } ] }"), (1, "{ all: [ { os: linux }, { name: a } ] }")), 1);
    assert_eq!(said((1, "{ all: [ { name: a }, { os: linux } ] }"), (1, "{ any: [ { os: linux }, { name: a } ] }")), 0);
    assert_eq!(said((1, "{ tag: { a: x } }"), (1, "{ tag: { A: x } }")), 1);
    assert_eq!(said((1, "{ tag: { a: x } }"), (1, "{ tag: { a: X } }")), 0);
    assert_eq!(said((1, "{ location: West Europe }"), (1, "{ location: westeurope }")), 1);
    assert_eq!(said((1, "{ name: 'a,b' }"), (1, "{ name: 'a\",\"b' }")), 0);
}

/// One entry as an inline mapping, from choices that people have.
fn entry() -> impl Strategy<Value = String> {
    let pick = |texts: &'static [&'static str]| proptest::sample::select(texts);
    (
        pick(&["a", "b"]),
        pick(&["restorePoint", "snapshot"]),
        pick(&["", ", consistency: { atLeast: crash }", ", consistency: { atLeast: fileSystem }"]),
        pick(&[
            "",
            ", schedule: { cron: '0 2 * * *', timezone: UTC }",
            ", schedule: { cron: '0 2 * * 0-6', timezone: UTC }",
            ", schedule: { cron: '0 2 * * *', timezone: Europe/Berlin }",
            ", schedule: { cron: '0 2 1 * *', timezone: UTC }",
            ", schedule: { cron: '0 2 1 * mon', timezone: UTC }",
        ]),
        pick(&["", ", onCreate: { within: 24h }", ", onCreate: { within: 1d }", ", onCreate: { within: 25h }"]),
        pick(&[
            "",
            ", excludeDisks: { tag: { a: 'b' } }",
            ", excludeDisks: { tag: { A: 'b' } }",
            ", excludeDisks: { tag: { a: 'B' } }",
            ", excludeDisks: { tag: { 'a:1:b': '' } }",
        ]),
        pick(&["", ", keep: { last: 1 }", ", keep: { last: 2, within: 1d }"]),
        pick(&["", ", whenMachineDeleted: keepLast"]),
    )
        .prop_map(|(name, kind, least, schedule, on_create, disks, keep, gone)| {
            format!("{{ name: {name}, kind: {kind}{least}{schedule}{on_create}{disks}{keep}{gone} }}")
        })
}

fn read_entry(text: &str) -> Option<PointEntry> {
    let document = document("p", &format!("  match: {{ os: linux }}\n  points: [ {text} ]\n"));
    read_policy(&document, "p").ok().map(|mut read| read.policy.points.remove(0))
}

/// What an entry asks to be made, without what is kept of it and without the case of a tag's key.
fn asked(entry: &PointEntry) -> String {
    let disks = entry.exclude_disks.as_ref().map(|disks| format!("{disks:?}").replace("key: \"A\"", "key: \"a\""));
    let schedule =
        entry.schedule.as_ref().map(|s| (format!("{:?}", s.cron()), s.zone().iana_name().map(str::to_string)));
    format!("{:?} {:?} {:?} {schedule:?} {:?} {disks:?}", entry.name, entry.kind, entry.at_least, entry.on_create)
}

/// YAML of the words that policies are made of, in places where they may not belong.
fn of_words() -> impl Strategy<Value = String> {
    let words = proptest::sample::select(
        &[
            "apiVersion",
            "kind",
            "metadata",
            "spec",
            "mode",
            "priority",
            "match",
            "all",
            "any",
            "not",
            "tag",
            "rpo",
            "vault",
            "placement",
            "vaults",
            "location",
            "points",
            "name",
            "schedule",
            "cron",
            "timezone",
            "keep",
            "last",
            "within",
            "min",
            "limits",
            "expirePerDay",
            "lifeboat/v1",
            "BackupPolicy",
            "restorePoint",
            "snapshot",
            "24h",
            "'0 2 * * *'",
            "Europe/Berlin",
            "100",
            "-1",
            "1.5",
            "0x10",
            "~",
            "''",
            "true",
            "no",
            "99999999999999999999",
        ][..],
    );
    words.prop_map(str::to_string).prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[ {} ]", items.join(", "))),
            proptest::collection::vec((inner.clone(), inner), 0..6).prop_map(|entries| {
                let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{ {} }}", entries.join(", "))
            }),
        ]
    })
}

fn is_harmless(text: &str) -> Result<(), TestCaseError> {
    let files = [("p.yaml", text)];
    let checked = check_policies(&files);
    match read_policies(&files) {
        Ok(policies) => prop_assert_eq!(policies.len(), checked.policies.len()),
        Err(problems) => prop_assert!(!problems.is_empty() && !checked.holds()),
    }
    for problem in checked.problems {
        prop_assert!(problem.line > 0 && problem.column > 0);
        prop_assert_eq!(problem.to_string().lines().count(), 1);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn two_entries_have_one_canonical_form_exactly_when_they_ask_for_the_same(one in entry(), other in entry()) {
        if let (Some(one), Some(other)) = (read_entry(&one), read_entry(&other)) {
            prop_assert_eq!(one.canonical() == other.canonical(), asked(&one) == asked(&other), "{:?} {:?}", one, other);
        }
    }

    #[test]
    fn any_text_is_harmless(text in ".{0,200}") {
        is_harmless(&text)?;
    }

    #[test]
    fn words_of_policies_in_any_order_are_harmless(text in of_words()) {
        is_harmless(&text)?;
    }

    #[test]
    fn words_of_policies_under_spec_are_harmless(
        vault in of_words(), points in of_words(), keep in of_words(), schedule in of_words(), condition in of_words(),
    ) {
        is_harmless(&document("p", &format!("  match: {condition}\n  vault: {vault}\n  points: {points}\n")))?;
        let entry = format!("{{ name: e, kind: snapshot, schedule: {schedule}, keep: {keep} }}");
        is_harmless(&document("p", &format!("  match: {{ os: linux }}\n  points: [ {entry} ]\n")))?;
    }
}

proptest! {
    // Each counts over 28 years.
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_schedule_and_any_rules_are_judged_without_harm(
        cron in "([0-9*]|[0-9]-[0-9]|\\*/[0-9]{1,2})( ([0-9*]|\\*/[0-9])){4}",
        keep in "(last|hourly|daily|weekly|monthly|yearly|min): [0-9]{1,4}(, (within: [0-9]{1,4}[hd]|last: [0-9]{1,4}))?",
        rpo in "[0-9]{1,3}[hd]",
    ) {
        let text = kept("restorePoint", &cron, &format!("{{ {keep} }}"));
        is_harmless(&text.replace("  points:", &format!("  rpo: {rpo}\n  points:")))?;
    }
}

#[test]
fn everything_that_the_form_has_is_read_into_its_place() {
    let read = read_policy(include_str!("../examples/everything.yaml"), "p").unwrap().policy;
    assert_eq!(read.priority, 200);
    let placement = &read.vault.as_ref().unwrap().placement[0];
    assert_eq!((placement.location.as_str(), placement.vault.as_str()), ("westeurope", "rsv-weu-1"));
    assert_eq!(placement.vault_policy.as_deref(), Some("EnhancedPolicy"));
    let limits = read.limits;
    let counts = (limits.expire_per_day, limits.expire_percent_per_day, limits.new_protections_per_day);
    assert_eq!(counts, (200, 10, 500));
    let Match::All(parts) = &read.matches else { panic!("{:?}", read.matches) };
    assert_eq!(parts.len(), 3);
    let [daily, hourly] = read.points.as_slice() else { panic!("{:?}", read.points) };
    assert_eq!((daily.kind, hourly.kind), (PointKind::RestorePoint, PointKind::Snapshot));
    assert!(daily.on_create.is_some() && hourly.on_create.is_none() && hourly.exclude_disks.is_some());
    let keep = daily.keep.unwrap();
    let rules = [keep.last, keep.hourly, keep.daily, keep.weekly, keep.monthly, keep.yearly, keep.min];
    assert_eq!(rules, [3, 0, 7, 4, 12, 3, 1]);
}
