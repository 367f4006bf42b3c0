//! Reads cases, plays each, and compares what was decided with what the table says.
//! It never decides what is right; the text files do.
//!
//! ```text
//! case <a sentence>
//! rule <number of the rule of practice: see rules.txt>
//! plan <field>=<value> …         only where it differs from the whole recovery plan below
//! suppose <name>=<value> …       times as hh:mm
//! hh:mm <what arrives>           or hh:mm..hh:mm, once every minute; see compose.rs
//! expect <phases in their order> the whole way; `Normal` alone where nothing moves
//! act <the last act that is not `nothing`>
//! unmet <conditions>             exactly these at the end
//! why <reasons>                  each of these was told of something that arrived
//! ```

use std::collections::BTreeSet;

use lifeboat_contract::declaration::{Act, Line, Phase, Played, Supposed, as_json, as_lines, replay};
use lifeboat_contract::recovery::read_recovery_plan;
use lifeboat_planning::declaration::NeededFor;
use lifeboat_planning::recovery::{By, RecoveryPlan};

use crate::compose::{self, at};

/// One row of the table.
#[derive(Debug, Default)]
struct Case {
    name: String,
    rule: u32,
    plan: Vec<(String, String)>,
    suppose: Vec<String>,
    lines: Vec<Line>,
    expect: Vec<String>,
    act: Option<String>,
    unmet: Option<BTreeSet<String>>,
    why: Vec<String>,
}

const FILES: &[(&str, &str)] = &[
    ("noise.txt", include_str!("noise.txt")),
    ("evidence.txt", include_str!("evidence.txt")),
    ("people.txt", include_str!("people.txt")),
];
const OFFICIAL: (&str, &str) = ("official.txt", include_str!("official.txt"));
const RULES: &str = include_str!("rules.txt");
/// What the issue asks for.
const CASES_MIN: usize = 80;

fn cases(file: &str, text: &str) -> Vec<Case> {
    let mut cases = Vec::<Case>::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("{file}:{}: {line}", number + 1);
        let line = line.trim();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if line.starts_with('#') {
            continue;
        }
        if word == "case" {
            cases.push(Case { name: rest.to_owned(), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().unwrap_or_else(|| panic!("{}: before the first case", place()));
        let words = || rest.split_whitespace().map(str::to_owned);
        match word {
            "rule" => case.rule = rest.parse().unwrap_or_else(|_| panic!("{}", place())),
            "plan" => case.plan.extend(words().map(|word| {
                let (name, value) = word.split_once('=').unwrap_or_else(|| panic!("{}", place()));
                (name.to_owned(), value.to_owned())
            })),
            "suppose" => case.suppose.extend(words().map(|word| {
                let (name, value) = word.split_once('=').unwrap_or_else(|| panic!("{}", place()));
                let is_time = value.len() == 5 && value.as_bytes()[2] == b':';
                if is_time { format!("{name}={}", at(value)) } else { word.clone() }
            })),
            "expect" => case.expect = words().collect(),
            "act" => case.act = Some(rest.to_owned()),
            "unmet" => case.unmet = Some(words().filter(|word| word != "nothing").collect()),
            "why" => case.why = words().collect(),
            moments => {
                for (at, number) in compose::moments(moments).into_iter().zip(1..) {
                    case.lines.push(compose::line(at, rest, number).unwrap_or_else(|why| panic!("{}: {why}", place())));
                }
            }
        }
    }
    cases
}

/// A whole recovery plan, but for its declaration.
const PLAN: &str = "\
apiVersion: lifeboat/v1
kind: RecoveryPlan
metadata: { name: shop }
spec:
  from: westeurope
  to: northeurope
  replication: siteRecovery
  groups: [ { name: all, members: { tag: { app: shop } } } ]
";
/// Fields of its declaration.
const DECLARATION: &[(&str, &str)] =
    &[("by", "approval"), ("approvals", "1"), ("cooldown", "6h"), ("fence", "required"), ("maxDataLoss", "15m")];
/// Fields of its declaration's evidence.
const EVIDENCE: &[(&str, &str)] = &[
    ("reported", "[serviceHealth, resourceHealth]"),
    ("measured", "[probe, metricAlert]"),
    ("atLeast", "2"),
    ("for", "10m"),
];

/// The recovery plan of a case: the one above, with what the case says otherwise.
fn plan(case: &Case) -> RecoveryPlan {
    let fields = |usual: &[(&str, &str)]| {
        let value = |name: &str| case.plan.iter().find(|(said, _)| said == name).map(|(_, value)| value.as_str());
        let field = |(name, usual): &(&str, &str)| format!("{name}: {}", value(name).unwrap_or(usual));
        usual.iter().map(field).collect::<Vec<_>>().join(", ")
    };
    for (name, _) in &case.plan {
        let known = DECLARATION.iter().chain(EVIDENCE).any(|(known, _)| known == name);
        assert!(known, "{}: no recovery plan has {name}", case.name);
    }
    let text = format!("{PLAN}  declaration: {{ {}, evidence: {{ {} }} }}\n", fields(DECLARATION), fields(EVIDENCE));
    read_recovery_plan(&text, "plan.yaml").unwrap_or_else(|problems| panic!("{}: {problems:?}", case.name))
}

fn played(case: &mut Case) -> (RecoveryPlan, Supposed, Played) {
    case.lines.sort_by_key(|line| line.at);
    let plan = plan(case);
    let mut supposed = Supposed::default();
    for word in &case.suppose {
        supposed.suppose(word).unwrap_or_else(|why| panic!("{}: {why}", case.name));
    }
    let played = replay(&plan, &supposed, &case.lines);
    (plan, supposed, played)
}

/// What is wrong with a case; empty when it holds.
fn judge(case: &mut Case) -> Vec<String> {
    let (plan, supposed, played) = played(case);
    let mut wrong = Vec::new();
    let mut way: Vec<String> =
        played.decisions.iter().filter(|d| d.from != d.to).map(|d| d.to.word().to_owned()).collect();
    if way.is_empty() {
        way.push(Phase::Normal.word().to_owned());
    }
    if way != case.expect {
        wrong.push(format!("went {way:?}, expected {:?}", case.expect));
    }
    let act = played.decisions.iter().rev().find(|d| d.act != Act::Nothing).map_or("nothing", |d| d.act.word());
    if case.act.as_deref().is_some_and(|expected| expected != act) {
        wrong.push(format!("ended with the act {act}, expected {:?}", case.act));
    }
    let last = played.last.as_ref().expect("a case has a line");
    let unmet: BTreeSet<String> =
        last.conditions.iter().filter(|one| !one.met).map(|one| one.name().word().to_owned()).collect();
    if case.unmet.as_ref().is_some_and(|expected| *expected != unmet) {
        wrong.push(format!("unmet at the end {unmet:?}, expected {:?}", case.unmet));
    }
    let told: BTreeSet<String> = played
        .heard
        .iter()
        .flat_map(|heard| {
            let late = heard.signals.iter().map(|(_, taken)| format!("{taken:?}"));
            let uncounted = heard.uncounted.iter().map(|one| format!("{:?}", one.why));
            late.chain(uncounted).chain(heard.raw.iter().map(|one| format!("{:?}", one.why))).collect::<Vec<_>>()
        })
        .collect();
    wrong.extend(case.why.iter().filter(|why| !told.contains(*why)).map(|why| format!("nothing was {why}: {told:?}")));
    wrong.extend(invariants(plan.declaration.by, &played));
    if !wrong.is_empty() {
        wrong.insert(0, format!("case «{}»", case.name));
        wrong.push(as_lines(&plan, &supposed, &played).join("\n"));
    }
    wrong
}

/// What holds in every case, whatever the table says of it.
fn invariants(by: By, played: &Played) -> Vec<String> {
    let mut wrong = Vec::new();
    for decision in &played.decisions {
        let all = |needed| decision.conditions.iter().filter(|one| one.needed_for == needed).all(|one| one.met);
        let by_rules = decision.act == Act::Start && decision.from != Phase::AwaitingApproval;
        if decision.to == Phase::Confirmed && !all(NeededFor::Confirming) {
            wrong.push(format!("confirmed at {} with a condition unmet", decision.at));
        }
        if by_rules && by == By::Rules && !(all(NeededFor::Confirming) && all(NeededFor::Rules)) {
            wrong.push(format!("begun by rules at {} with a condition unmet", decision.at));
        }
        if decision.conditions.len() < 9 {
            wrong.push(format!("only {} conditions were told at {}", decision.conditions.len(), decision.at));
        }
    }
    wrong
}

fn check(files: &[(&str, &str)]) -> usize {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (file, text) in files {
        for mut case in cases(file, text) {
            count += 1;
            assert!((1..=15).contains(&case.rule), "{file}: «{}» shows no rule of practice", case.name);
            assert!(!case.lines.is_empty() && !case.expect.is_empty(), "{file}: «{}» is not whole", case.name);
            wrong.extend(judge(&mut case));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    count
}

#[test]
fn every_history_decides_what_the_table_says() {
    let count = check(FILES);
    println!("{count} histories of our own hold");
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn every_history_of_official_payloads_decides_what_the_table_says() {
    if compose::folder().is_none() {
        return;
    }
    let count = check(&[OFFICIAL]);
    println!("{count} histories of official payloads hold");
}

#[test]
fn the_table_has_the_histories_that_it_must_have() {
    let all: Vec<(&str, &str)> = FILES.iter().copied().chain([OFFICIAL]).collect();
    let count_of = |text: &str| text.lines().filter(|line| line.starts_with("case ")).count();
    let count: usize = all.iter().map(|(_, text)| count_of(text)).sum();
    assert!(count >= CASES_MIN, "{count} histories");
    let mut names = BTreeSet::new();
    for line in all.iter().flat_map(|(_, text)| text.lines()).filter(|line| line.starts_with("case ")) {
        assert!(names.insert(line), "twice: {line}");
    }
    let shown: BTreeSet<&str> =
        all.iter().flat_map(|(_, text)| text.lines()).filter_map(|line| line.strip_prefix("rule ")).collect();
    for number in shown {
        assert!(RULES.lines().any(|line| line.starts_with(&format!("{number} "))), "rules.txt lacks {number}");
    }
}

#[test]
fn a_history_played_twice_tells_the_same_and_its_json_has_every_condition() {
    for (file, text) in FILES {
        for mut case in cases(file, text) {
            let (plan, supposed, first) = played(&mut case);
            let (_, _, second) = played(&mut case);
            let json = as_json(&plan, &supposed, &first);
            assert_eq!(json, as_json(&plan, &supposed, &second), "{}", case.name);
            let end = json["end"]["conditions"].as_array().expect("conditions");
            assert_eq!(end.len(), if plan.declaration.by == By::Rules { 13 } else { 9 }, "{}", case.name);
            assert_eq!(json["heard"].as_array().map(Vec::len), Some(case.lines.len()), "{}", case.name);
        }
    }
}
