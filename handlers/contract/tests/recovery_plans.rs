//! Malformed recovery plans name line, column and field: each `tests/fixtures/recovery-plans/*.yaml` beside its golden `*.txt`; the
//! schema refuses the same, where a schema can; and what is written out reads back as what it was.
//! It never holds policies; those have their own.
//!
//! LIFEBOAT_GOLDEN=write writes the golden files and the schema again.

mod rendering;

use std::path::PathBuf;
use std::sync::LazyLock;

use lifeboat_contract::policy::{
    Fault, First, RECOVERY_PLANS_MAX, Weight, check_policies, read_documents, read_policies, read_policy,
};
use lifeboat_contract::recovery::{RecoveryFault, read_recovery_plan};
use lifeboat_contract::schema;
use lifeboat_planning::policy::{Match, matches};
use lifeboat_planning::recovery::{Action, By, Fence, Group, Measured, RecoveryPlan, Reported};
use proptest::prelude::*;
use serde_json::Value;

const EXAMPLE: &str = include_str!("../examples/recovery-plan.yaml");
const POLICY: &str = include_str!("../examples/backup-policy.yaml");
/// All that must be there, and nothing else.
const SHORT: &str = "\
apiVersion: lifeboat/v1
kind: RecoveryPlan
metadata: { name: shop }
spec:
  from: West Europe
  to: northeurope
  replication: siteRecovery
  groups: [ { name: all, members: { tag: { app: shop } } } ]
  declaration: { evidence: { reported: [ serviceHealth ], measured: [ probe ], for: 10m }, maxDataLoss: 15m }
";

/// Fewer than this, and somebody has lost some.
const BAD_DOCUMENTS_MIN: usize = 100;

/// What only the reader can say, each with its reason.
const READER_ALONE: &[&str] = &[
    "alerts-of-no-form",          // What a name or an id is.
    "alerts-twice",               // Names that differ in case alone.
    "alerts-uncounted",           // What another list has.
    "anchor",                     // How a value is written.
    "at-least-more-than-origins", // Counts of two lists, and a number beside them.
    "at-least-two-of-one-origin",
    "cooldown-too-short", // The bounds of a duration.
    "data-loss-finer-than-site-recovery",
    "data-loss-of-a-month",
    "endpoint-moved-there-and-back", // What other fields say.
    "endpoint-moved-twice",
    "evidence-for-too-long",
    "evidence-for-too-short",
    "from-is-to",
    "group-elsewhere", // What conditions say of each other.
    "group-not-in-from",
    "groups-for-the-same-machines",
    "groups-that-overlap-by-name",
    "groups-that-overlap-by-tag",
    "groups-within-each-other",
    "traffic-endpoint-of-a-type", // What stands in paths of Azure's.
    "traffic-profile-is-an-id",
    "traffic-to-the-same-endpoint",
    "two-groups-of-one-name",
    "url-inside", // What an address is.
    "url-of-azure-itself",
    "url-port",
    "url-without-dot",
    "verify-too-long",
    "wait-too-long",
];

fn schema_accepts(yaml: &str) -> bool {
    // As editors read YAML 1.2: `no` is a text.
    let options = serde_saphyr::options! { strict_booleans: true };
    let document: Value = serde_saphyr::from_str_with_options(yaml, options).unwrap_or(Value::Null);
    static VALIDATOR: LazyLock<jsonschema::Validator> =
        LazyLock::new(|| jsonschema::validator_for(&schema::recovery_plan()).expect("a valid schema"));
    VALIDATOR.is_valid(&document)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment asks a test to write its golden files; no setting of the product"
)]
fn writes_golden_files() -> bool {
    std::env::var("LIFEBOAT_GOLDEN").as_deref() == Ok("write")
}

/// The malformed documents, each with its path.
fn bad_documents() -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/recovery-plans"));
    let paths = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|ext| ext == "yaml")).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).expect("a text"))).collect()
}

#[test]
fn every_malformed_recovery_plan_gets_its_golden_messages() {
    let documents = bad_documents();
    assert!(documents.len() >= BAD_DOCUMENTS_MIN, "{} documents", documents.len());
    let mut differing = Vec::new();
    for (path, text) in documents {
        let name = path.file_name().unwrap().to_str().unwrap();
        let problems = check_policies(&[(name, &text)]).problems;
        assert!(!problems.is_empty() && problems.iter().all(|p| p.line > 0 && p.column > 0), "{name}");
        let got: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
        assert_eq!(got.lines().count(), problems.len(), "{name}: each problem is one line");
        let golden = path.with_extension("txt");
        if writes_golden_files() {
            std::fs::write(&golden, &got).unwrap();
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != got {
            differing.push(format!("--- {name}\n{got}"));
        }
    }
    assert!(differing.is_empty(), "golden messages differ:\n{}", differing.join(""));
}

#[test]
fn the_schema_refuses_what_the_reader_does_where_a_schema_can() {
    let mut alone = Vec::new();
    for (path, text) in bad_documents() {
        if schema_accepts(&text) {
            alone.push(path.file_stem().unwrap().to_str().unwrap().to_string());
        }
    }
    assert_eq!(alone, READER_ALONE);
}

#[test]
fn the_committed_schema_is_valid_and_the_one_that_the_code_gives() {
    let path = format!("{}/{}", env!("CARGO_MANIFEST_DIR"), schema::RECOVERY_PLAN_FILE);
    let now = schema::text(&schema::recovery_plan());
    if writes_golden_files() {
        std::fs::write(&path, &now).unwrap();
    }
    let again = "write it again with LIFEBOAT_GOLDEN=write cargo test -p lifeboat-contract --test recovery_plans";
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), now, "{again}");
    assert!(jsonschema::meta::is_valid(&schema::recovery_plan()));
}

#[test]
fn the_shipped_example_names_its_schema_and_both_take_it_without_a_warning() {
    let named = EXAMPLE.lines().next().unwrap().strip_prefix("# yaml-language-server: $schema=").unwrap();
    assert!(std::fs::exists(format!("{}/examples/{named}", env!("CARGO_MANIFEST_DIR"))).unwrap());
    assert!(schema_accepts(EXAMPLE) && schema_accepts(SHORT));
    let checked = check_policies(&[("recovery-plan.yaml", EXAMPLE), ("policy.yaml", POLICY)]);
    assert_eq!(checked.problems, []);
    assert_eq!((checked.policies.len(), checked.recovery_plans.len()), (1, 1));
}

#[test]
fn the_example_asks_for_what_it_says() {
    let plan = read_recovery_plan(EXAMPLE, "p").unwrap();
    assert_eq!((plan.from.as_str(), plan.to.as_str()), ("westeurope", "northeurope"));
    let [data, web] = plan.groups.as_slice() else { panic!("{plan:?}") };
    assert!(matches!(data.after.as_slice(), [Action::Wait(time)] if time.as_mins() == 2) && data.before.is_empty());
    assert!(matches!(web.before.as_slice(), [Action::Approve(question)] if question == "Are the databases whole?"));
    let [traffic] = plan.traffic.as_slice() else { panic!("{plan:?}") };
    assert_eq!((traffic.from.as_str(), traffic.to.as_str()), ("weu-endpoint", "neu-endpoint"));
    assert_eq!((traffic.verify.url.as_str(), traffic.verify.within.as_mins()), ("https://shop.example/healthz", 5));
    let evidence = &plan.declaration.evidence;
    assert_eq!(evidence.alerts, ["shop-availability".to_owned()].into());
    assert_eq!((evidence.reported.len(), evidence.measured.len(), evidence.at_least), (2, 2, 2));
    assert_eq!((evidence.window.as_mins(), plan.declaration.max_data_loss.as_mins()), (10, 15));
}

#[test]
fn what_is_not_said_is_the_careful_choice() {
    let plan = read_recovery_plan(SHORT, "p").unwrap();
    let declaration = &plan.declaration;
    assert_eq!((declaration.by, declaration.approvals, declaration.fence), (By::Approval, 1, Fence::Required));
    assert_eq!((declaration.cooldown.as_hours(), declaration.evidence.at_least), (6, 2));
    assert!(plan.traffic.is_empty() && plan.groups[0].before.is_empty());
    assert_eq!(declaration.evidence.reported, [Reported::ServiceHealth].into());
    assert_eq!(declaration.evidence.measured, [Measured::Probe].into());
}

#[test]
fn the_layout_of_a_document_is_not_in_the_digest_and_what_it_asks_for_is() {
    let digest = |text: &str| read_recovery_plan(text, "p").unwrap().digest();
    let plain = digest(SHORT);
    assert_eq!(plain.len(), 64);
    for same in [
        SHORT.replace("West Europe", "westeurope"),
        SHORT.replace("for: 10m", "for: 10m, atLeast: 2"),
        SHORT.replace("declaration: {", "declaration: { by: approval, cooldown: 360m, fence: required,"),
        format!("{SHORT}  readiness: {{ every: 30m }}\n"),
        SHORT.replace("app: shop", "APP: shop"),
    ] {
        assert_eq!(digest(&same), plain, "{same}");
    }
    for other in [
        SHORT.replace("app: shop", "app: Shop"),
        SHORT.replace("declaration: {", "declaration: { fence: bestEffort,"),
        SHORT.replace("for: 10m", "for: 11m"),
    ] {
        assert_ne!(digest(&other), plain, "{other}");
    }
}

#[test]
fn rules_need_one_origin_that_is_reported_and_one_that_is_measured() {
    let by = |by: &str, evidence: &str| {
        let text = SHORT.replace("reported: [ serviceHealth ], measured: [ probe ]", evidence);
        let text = text.replace("declaration: {", &format!("declaration: {{ by: {by},"));
        read_recovery_plan(&text, "p").map(|plan| plan.declaration.by).map_err(|mut problems| problems.remove(0).fault)
    };
    let (reported, measured) = ("reported: [ serviceHealth, resourceHealth ]", "measured: [ probe, metricAlert ]");
    assert_eq!(by("rules", "reported: [ resourceHealth ], measured: [ metricAlert ]"), Ok(By::Rules));
    assert_eq!(by("rules", reported), Err(Fault::RecoveryPlan(RecoveryFault::RulesWithoutMeasured)));
    assert_eq!(by("rules", measured), Err(Fault::RecoveryPlan(RecoveryFault::RulesWithoutReported)));
    for word in ["approval", "person"] {
        assert!(by(word, reported).is_ok() && by(word, measured).is_ok(), "a person looks at it");
        let one = Fault::RecoveryPlan(RecoveryFault::TooFewOrigins { asked: 2, listed: 1 });
        assert_eq!(by(word, "measured: [ probe ]"), Err(one), "never one source alone");
    }
}

#[test]
fn recovery_plans_and_policies_are_one_set_and_only_two_of_a_kind_may_not_share_a_name() {
    let policy = POLICY.replace("name: production", "name: shop");
    let files = [("a.yaml", format!("{policy}---\n{SHORT}")), ("b.yaml", SHORT.replace("name: shop", "name: other"))];
    let read = read_documents(&files).unwrap();
    assert_eq!((read.policies.len(), read.recovery_plans.len()), (1, 2));
    assert_eq!(read_policies(&files).unwrap(), read.policies);
    let files = [files[0].clone(), ("c.yaml", SHORT.to_string())];
    let problems = read_documents(&files).unwrap_err();
    let taken = Fault::NameTaken { name: "shop".into(), first: First::File("a.yaml".into(), 18) };
    assert!(
        matches!(problems.as_slice(), [p] if p.fault == taken && p.file == "c.yaml" && p.line == 3),
        "{problems:?}"
    );
    let broken = [files[0].clone(), ("d.yaml", EXAMPLE.replace("by: approval", "by: nobody"))];
    assert!(read_policies(&broken).is_err(), "all or none, whichever kind is broken");
}

#[test]
fn a_set_has_a_bound_on_its_recovery_plans() {
    let one = |i: usize| (format!("{i}.yaml"), SHORT.replace("name: shop", &format!("name: p{i}")));
    let files: Vec<_> = (0..=RECOVERY_PLANS_MAX).map(one).collect();
    let found = read_documents(&files).unwrap_err();
    assert!(matches!(&found[..], [p] if p.fault == Fault::TooManyRecoveryPlans(RECOVERY_PLANS_MAX + 1)), "{found:?}");
    assert_eq!(read_documents(&files[1..]).unwrap().recovery_plans.len(), RECOVERY_PLANS_MAX);
}

#[test]
fn a_place_for_one_kind_takes_no_other() {
    let problems = read_policy(EXAMPLE, "p.yaml").unwrap_err();
    assert!(problems[0].to_string().contains("kind: `RecoveryPlan` is not allowed here; expected BackupPolicy"));
    let problems = read_recovery_plan(POLICY, "p.yaml").unwrap_err();
    assert!(problems[0].to_string().contains("kind: `BackupPolicy` is not allowed here; expected RecoveryPlan"));
    let problems = read_recovery_plan(&format!("{SHORT}---\n{SHORT}"), "p.yaml").unwrap_err();
    assert!(matches!(problems.as_slice(), [p] if p.fault == Fault::SeveralDocuments), "{problems:?}");
}

#[test]
fn an_address_inside_is_a_warning_because_settings_may_allow_it_and_azures_own_an_error() {
    let at = |host: &str| {
        let checked = check_policies(&[("p", EXAMPLE.replace("shop.example", host))]);
        checked.problems.iter().map(|problem| (problem.weight(), checked.holds())).collect::<Vec<_>>()
    };
    assert_eq!(at("shop.example:8443"), []);
    assert_eq!(at("10.0.0.4"), [(Weight::Warning, true)]);
    assert_eq!(at("vm-web-1"), [(Weight::Warning, true)]);
    assert_eq!(at("169.254.169.254"), [(Weight::Error, false)]);
}

#[test]
fn what_is_agreed_and_not_built_yet_says_so_and_nothing_else() {
    for (from, to, name) in [
        ("replication: siteRecovery", "replication: snapshots", "snapshots"),
        ("readiness: { every: 30m }", "drill: { cron: '0 4 * * 0' }", "drill"),
        ("after: [ { wait: 2m } ]", "after: [ { hook: { command: warm-cache, timeout: 10m } } ]", "hook"),
        ("metadata: { name: shop }", "metadata: { name: shop, formerly: store }", "formerly"),
    ] {
        let text = EXAMPLE.replace(from, to);
        assert_ne!(text, EXAMPLE, "{from}");
        let problems = read_recovery_plan(&text, "p").unwrap_err();
        assert!(matches!(problems.as_slice(), [p] if p.fault == Fault::NotBuiltYet(name.into())), "{problems:?}");
    }
}

fn is_harmless(text: &str) -> Result<(), TestCaseError> {
    let files = [("p.yaml", text)];
    let checked = check_policies(&files);
    match (read_recovery_plan(text, "p.yaml"), read_documents(&files)) {
        (Ok(plan), read) => prop_assert_eq!(read.map(|read| read.recovery_plans), Ok(vec![plan])),
        (Err(problems), _) => prop_assert!(!problems.is_empty(), "an error without a problem: {:?}", text),
    }
    for problem in checked.problems {
        prop_assert!(problem.line > 0 && problem.column > 0);
        prop_assert_eq!(problem.to_string().lines().count(), 1);
    }
    Ok(())
}

/// YAML of the words that recovery plans are made of, in places where they may not belong.
fn of_words() -> impl Strategy<Value = String> {
    let words = "name members before after wait approve hook all any not tag location profile from to verify url within by approvals \
                 evidence reported measured atLeast for cooldown fence maxDataLoss every person approval rules serviceHealth \
                 resourceHealth probe metricAlert required bestEffort siteRecovery snapshots westeurope 30m 2m 15m 6h 1 2 3 -1 1.5 \
                 ~ '' true no 99999999999999999999 'https://a.example/' noConformingPointFor";
    let words: Vec<&str> = words.split_whitespace().collect();
    proptest::sample::select(words).prop_map(str::to_string).prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[ {} ]", items.join(", "))),
            proptest::collection::vec((inner.clone(), inner), 0..5).prop_map(|entries| {
                let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{ {} }}", entries.join(", "))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_out_reads_back_as_what_it_was(plan in rendering::recovery_plan()) {
        let text = rendering::yaml(&plan);
        let read = read_recovery_plan(&text, "p.yaml");
        prop_assert!(schema_accepts(&text), "the schema refuses {}", text);
        prop_assert_eq!(read.as_ref().map(RecoveryPlan::digest), Ok(plan.digest()));
        prop_assert_eq!(read, Ok(plan), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused_never_a_panic(text in ".{0,200}") {
        is_harmless(&text)?;
    }

    #[test]
    fn the_example_with_a_piece_changed_is_read_or_refused_never_a_panic(
        at in 0..EXAMPLE.len(), len in 0..40usize, put in "[a-z0-9:\\[\\]{}, \n&*!'\"-]{0,12}",
    ) {
        let (start, end) = (at, (at + len).min(EXAMPLE.len()));
        is_harmless(&format!("{}{put}{}", &EXAMPLE[..start], &EXAMPLE[end..]))?;
    }

    #[test]
    fn words_of_recovery_plans_under_spec_are_harmless(
        groups in of_words(), traffic in of_words(), declaration in of_words(), evidence in of_words(), action in of_words(),
    ) {
        let spec = |groups: &str, declaration: &str| {
            let head = SHORT.split("  groups").next().unwrap_or_default();
            format!("{head}  groups: {groups}\n  traffic: {traffic}\n  declaration: {declaration}\n")
        };
        is_harmless(&spec(&groups, &declaration))?;
        let group = format!("[ {{ name: a, members: {groups}, before: [ {action} ] }} ]");
        is_harmless(&spec(&group, &format!("{{ by: rules, evidence: {evidence}, maxDataLoss: 15m }}")))?;
    }

    #[test]
    fn groups_are_said_to_share_machines_only_where_no_machine_shows_otherwise(
        one in rendering::condition(), other in rendering::condition(), machines in rendering::machines(),
    ) {
        let mut plan = read_recovery_plan(SHORT, "p").unwrap();
        plan.groups[0].members = one.clone();
        plan.groups.push(Group { name: "b".into(), members: other.clone(), ..plan.groups[0].clone() });
        let among = |inner: &Match, outer: &Match| machines.iter().all(|m| !matches(inner, m) || matches(outer, m));
        for problem in check_policies(&[("p", rendering::yaml(&plan))]).problems {
            match problem.fault {
                Fault::RecoveryPlan(RecoveryFault::InTwoGroups { same: true, .. }) => {
                    prop_assert!(among(&one, &other) && among(&other, &one), "{:?} {:?}", one, other);
                }
                Fault::RecoveryPlan(RecoveryFault::InTwoGroups { same: false, .. }) => {
                    let mut parts = rendering::alternatives(&one).into_iter().map(|part| (part, &other));
                    let mut others = rendering::alternatives(&other).into_iter().map(|part| (part, &one));
                    let shown = parts.any(|(part, whole)| among(part, whole)) || others.any(|(part, whole)| among(part, whole));
                    prop_assert!(shown, "{:?} {:?}", one, other);
                }
                Fault::RecoveryPlan(RecoveryFault::MembersElsewhere { .. }) => {
                    let condition = if problem.field == "spec.groups[0].members" { &one } else { &other };
                    let mut here = machines.iter().filter(|machine| plan.from.is(&machine.location));
                    prop_assert!(!here.any(|machine| matches(condition, machine)), "{:?}", condition);
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
