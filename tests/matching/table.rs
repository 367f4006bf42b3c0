//! Reads the two tables and asks the product: its reader for the condition, its matcher for the machine.
//! It never decides anything; the tables say what is expected.

use jiff::SignedDuration;
use lifeboat_contract::policy::read_policies;
use lifeboat_planning::policy::{BackupPolicy, Choice, Conforming, MachineAttributes, Os, choose, matches};

const CONDITIONS: &str = include_str!("conditions.txt");
const CHOICES: &str = include_str!("choices.txt");
/// Fewer lines than this, and somebody has lost some.
const CASES_MIN: usize = 150;

#[test]
fn every_line_of_the_table_of_conditions_holds() {
    let mut count = 0;
    for (number, [expected, machine, condition, sentence]) in lines(CONDITIONS) {
        let policies = policies(&format!("p 100 {condition}"), number);
        let covered = match expected {
            "covers" => true,
            "leaves" => false,
            other => panic!("line {number}: {other}"),
        };
        assert_eq!(matches(&policies[0].matches, &self::machine(machine)), covered, "line {number}: {sentence}");
        count += 1;
    }
    assert!(count >= CASES_MIN, "{count} lines");
}

#[test]
fn every_line_of_the_table_of_choices_holds() {
    for (number, [expected, written, machine, sentence]) in lines(CHOICES) {
        let policies = policies(written, number);
        let said = match choose(&policies, &self::machine(machine)) {
            Choice::None => "none".to_string(),
            Choice::One(policy) => format!("follows {}", policy.name),
            Choice::Equal(policies) => {
                policies.iter().fold("equal".to_string(), |said, policy| format!("{said} {}", policy.name))
            }
        };
        assert_eq!(said, expected, "line {number}: {sentence}");
    }
}

/// The lines of a table, each with its number and its four columns.
fn lines(table: &'static str) -> impl Iterator<Item = (usize, [&'static str; 4])> {
    let numbered = table.lines().enumerate().map(|(index, line)| (index + 1, line));
    let told = numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    told.map(|(number, line)| {
        let columns: Vec<&str> = line.split(" | ").map(str::trim).collect();
        (number, columns.try_into().unwrap_or_else(|columns| panic!("line {number}: {columns:?}")))
    })
}

/// `name priority condition; …`, each as a document of its own.
fn policies(written: &str, line: usize) -> Vec<BackupPolicy> {
    if written == "-" {
        return Vec::new();
    }
    let documents: String = written
        .split("; ")
        .map(|policy| {
            let mut parts = policy.splitn(3, ' ');
            let mut part = || parts.next().unwrap_or_else(|| panic!("line {line}: {policy}"));
            let (name, priority, condition) = (part(), part(), part());
            format!(
                "---\napiVersion: lifeboat/v1\nkind: BackupPolicy\nmetadata: {{ name: {name} }}\nspec:\n  priority: {priority}\n  \
                 match: {condition}\n  points: [ {{ name: first, kind: restorePoint, onCreate: {{ within: 24h }} }} ]\n"
            )
        })
        .collect();
    read_policies(&[("table", documents)]).unwrap_or_else(|problems| panic!("line {line}: {}", problems[0]))
}

/// The plain machine with what differs.
fn machine(differs: &str) -> MachineAttributes {
    let mut machine = MachineAttributes {
        name: "vm-shop-01".into(),
        resource_group: "RG-Shop".into(),
        subscription: "aaaaaaaa-0000-0000-0000-000000000001".into(),
        location: "westeurope".into(),
        os: Some(Os::Linux),
        size: "Standard_D4s_v5".into(),
        ..MachineAttributes::default()
    };
    for one in differs.split("; ").filter(|one| *one != "-") {
        let (field, value) = one.split_once('=').unwrap_or_else(|| panic!("{one}"));
        let text = value.to_string();
        match field {
            "name" => machine.name = text,
            "group" => machine.resource_group = text,
            "subscription" => machine.subscription = text,
            "location" => machine.location = text,
            "size" => machine.size = text,
            "managed" => machine.managed_by = Some(text),
            "os" => {
                machine.os = match value {
                    "windows" => Some(Os::Windows),
                    "linux" => Some(Os::Linux),
                    _ => None,
                }
            }
            "conforming" => machine.conforming = conforming(value),
            field => {
                let key = field.strip_prefix("tag.").unwrap_or_else(|| panic!("{field}"));
                machine.tags.insert(key.to_string(), text);
            }
        }
    }
    machine
}

fn conforming(value: &str) -> Conforming {
    let minutes_each = match value.chars().last() {
        _ if value == "never" => return Conforming::Never,
        _ if value == "unknown" => return Conforming::Unknown,
        Some('m') => 1,
        Some('h') => 60,
        _ => 24 * 60,
    };
    let count: i64 = value[..value.len() - 1].parse().unwrap_or_else(|_| panic!("{value}"));
    Conforming::Age(SignedDuration::from_mins(count * minutes_each))
}
