//! What a declaration needs of a recovery plan is read strictly, with the design's fields and defaults.
//! It never looks at the rest of the document.

use jiff::SignedDuration;
use lifeboat_contract::policy::rules_of;
use lifeboat_planning::declaration::{By, Fence, Rules};
use lifeboat_planning::signal::Origin;

const HEAD: &str = "apiVersion: lifeboat/v1\nkind: RecoveryPlan\nmetadata: { name: shop }\nspec:\n  from: westeurope\n  to: northeurope\n";

fn with(declaration: &str) -> String {
    format!("{HEAD}  declaration:\n    {declaration}\n")
}

#[test]
fn the_designs_document_is_read_with_its_values() {
    let text = format!(
        "{HEAD}  replication: siteRecovery\n  groups: [ {{ name: data }} ]\n  traffic: []\n  declaration:\n    by: rules\n    \
         approvals: 2\n    evidence: {{ reported: [serviceHealth], measured: [probe], atLeast: 2, for: 20m }}\n    cooldown: 3h\n    \
         fence: bestEffort\n    maxDataLoss: 30m\n  readiness: {{ every: 30m }}\n"
    );
    let watched = rules_of(&text, "p.yaml").expect("a recovery plan");
    assert_eq!(
        (watched.plan.as_str(), watched.from.as_str(), watched.to.as_str()),
        ("shop", "westeurope", "northeurope")
    );
    let rules = watched.rules;
    assert_eq!((rules.by, rules.approvals, rules.fence), (By::Rules, 2, Fence::BestEffort));
    assert_eq!((rules.cooldown, rules.max_data_loss), (SignedDuration::from_hours(3), SignedDuration::from_mins(30)));
    assert_eq!(rules.evidence.reported, [Origin::ServiceHealth].into());
    assert_eq!((rules.evidence.at_least, rules.evidence.r#for), (2, SignedDuration::from_mins(20)));
}

#[test]
fn without_a_declaration_the_defaults_hold() {
    assert_eq!(rules_of(HEAD, "p.yaml").expect("a recovery plan").rules, Rules::default());
    assert_eq!(rules_of(&with("by: approval"), "p.yaml").expect("a recovery plan").rules, Rules::default());
}

#[test]
fn what_is_wrong_is_told_at_its_place() {
    for (text, field) in [
        (HEAD.replace("RecoveryPlan", "BackupPolicy"), "kind"),
        (HEAD.replace("  to: northeurope\n", ""), "spec.to"),
        (HEAD.replace("northeurope", "West Europe"), "spec.to"),
        (HEAD.replace("name: shop", "name: Shop!"), "metadata.name"),
        (with("by: nobody"), "spec.declaration.by"),
        (with("approvals: 3"), "spec.declaration.approvals"),
        (with("evidence: { atLeast: 1 }"), "spec.declaration.evidence.atLeast"),
        (
            with("evidence: { reported: [serviceHealth], measured: [probe], atLeast: 3 }"),
            "spec.declaration.evidence.atLeast",
        ),
        (with("evidence: { reported: [probe] }"), "spec.declaration.evidence.reported[0]"),
        (with("evidence: { measured: [] }"), "spec.declaration.evidence.measured"),
        (with("evidence: { for: 1m }"), "spec.declaration.evidence.for"),
        (with("evidence: { four: 10m }"), "spec.declaration.evidence.four"),
        (with("cooldown: 5m"), "spec.declaration.cooldown"),
        (with("fence: none"), "spec.declaration.fence"),
        (with("maxDataLoss: 15"), "spec.declaration.maxDataLoss"),
        (String::new(), ""),
    ] {
        let problems = rules_of(&text, "p.yaml").expect_err(&text);
        let fields: Vec<&str> = problems.iter().map(|one| one.field.as_str()).collect();
        assert!(fields.contains(&field), "{text}: {fields:?}");
    }
    assert!(!rules_of("a: [", "p.yaml").expect_err("no YAML").is_empty());
}
