//! The product's matcher and choice against the naive ones, on conditions and machines of few letters, so that many hit.
//! It never gives an expectation by hand.

use jiff::SignedDuration;
use lifeboat_planning::policy::{
    BackupPolicy, Case, Choice, Conforming, Glob, Limits, Location, MachineAttributes, Match, Mode, Os, choose, matches,
};
use proptest::prelude::*;

use super::naive::{self, Condition, Machine, Newest};

const REGIONS: &[&str] = &["WAB", "wab", "W ab", "wa b", "be", "B E"];
const SUBSCRIPTIONS: &[&str] = &["ab-1", "AB-1", "ab-2"];

fn pattern() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[aAbB1]{1,3}", 3 => "[aAbB1*?]{1,5}", 1 => "[äÄéЯя*?a]{1,4}", 1 => Just("*".to_string())]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![6 => "[aAbB1]{1,4}", 1 => "[äÄÉéЯяa*?]{1,3}", 1 => Just(String::new())]
}

fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        ("[aAb]", pattern()).prop_map(|(key, value)| Condition::Tag(key, value)),
        pattern().prop_map(Condition::Name),
        pattern().prop_map(Condition::Name),
        pattern().prop_map(Condition::Group),
        pattern().prop_map(Condition::Size),
        proptest::sample::select(SUBSCRIPTIONS).prop_map(|id| Condition::Subscription(id.to_string())),
        proptest::sample::select(REGIONS).prop_map(|region| Condition::Location(region.to_string())),
        any::<bool>().prop_map(Condition::Windows),
        (1..5i64).prop_map(Condition::NoPointFor),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Condition::All),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Condition::Any),
            inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

fn machine() -> impl Strategy<Value = Machine> {
    let newest = prop_oneof![Just(Newest::NotRead), Just(Newest::NotThere), (0..6i64).prop_map(Newest::Minutes)];
    // Azure has each key once, in whatever case.
    let tags = (proptest::option::of(("[aA]", text())), proptest::option::of(("[bB]", text())));
    let places = (
        proptest::sample::select([SUBSCRIPTIONS, &[""]].concat()),
        proptest::sample::select([REGIONS, &[""]].concat()),
        proptest::option::of(any::<bool>()),
    );
    (text(), text(), text(), places, tags, any::<bool>(), newest).prop_map(
        |(name, group, size, (subscription, location, windows), (one, other), managed, newest)| Machine {
            name,
            group,
            subscription: subscription.to_string(),
            location: location.to_string(),
            windows,
            size,
            tags: one.into_iter().chain(other).collect(),
            managed,
            newest,
        },
    )
}

/// The condition as the product has it.
fn asked(condition: &Condition) -> Match {
    let insensitive = |pattern: &str| Glob::new(pattern, Case::Insensitive);
    match condition {
        Condition::All(parts) => Match::All(parts.iter().map(asked).collect()),
        Condition::Any(parts) => Match::Any(parts.iter().map(asked).collect()),
        Condition::Not(part) => Match::Not(Box::new(asked(part))),
        Condition::Tag(key, value) => Match::Tag { key: key.clone(), value: Glob::new(value, Case::Sensitive) },
        Condition::Name(pattern) => Match::Name(insensitive(pattern)),
        Condition::Group(pattern) => Match::ResourceGroup(insensitive(pattern)),
        Condition::Size(pattern) => Match::Size(insensitive(pattern)),
        Condition::Subscription(id) => Match::Subscription(id.clone()),
        Condition::Location(region) => Match::Location(Location::new(region)),
        Condition::Windows(windows) => Match::Os(if *windows { Os::Windows } else { Os::Linux }),
        Condition::NoPointFor(minutes) => Match::NoConformingPointFor(SignedDuration::from_mins(*minutes)),
    }
}

/// The machine as the product has it.
fn seen(machine: &Machine) -> MachineAttributes {
    MachineAttributes {
        name: machine.name.clone(),
        resource_group: machine.group.clone(),
        subscription: machine.subscription.clone(),
        location: machine.location.clone(),
        os: machine.windows.map(|windows| if windows { Os::Windows } else { Os::Linux }),
        size: machine.size.clone(),
        tags: machine.tags.iter().cloned().collect(),
        managed_by: machine.managed.then(|| "something".to_string()),
        conforming: match machine.newest {
            Newest::NotRead => Conforming::Unknown,
            Newest::NotThere => Conforming::Never,
            Newest::Minutes(age) => Conforming::Age(SignedDuration::from_mins(age)),
        },
    }
}

/// The plainest statement of which policies are followed: the names of those with the highest priority, in order.
fn followed(policies: &[(i32, Condition)], machine: &Machine) -> Vec<String> {
    let for_it = |priority: i32| policies.iter().any(|(p, c)| *p == priority && naive::is_for(c, machine));
    let Some(highest) = (0..10).rev().find(|priority| for_it(*priority)) else { return Vec::new() };
    let mut names: Vec<String> = (0..policies.len())
        .filter(|i| policies[*i].0 == highest && naive::is_for(&policies[*i].1, machine))
        .map(name)
        .collect();
    names.sort();
    names
}

/// Names whose order is not that of the list.
fn name(index: usize) -> String {
    format!("p{}", (index * 7 + 3) % 10)
}

fn policy(index: usize, priority: i32, condition: &Condition) -> BackupPolicy {
    BackupPolicy {
        name: name(index),
        mode: Mode::Report,
        priority,
        matches: asked(condition),
        rpo: None,
        vault: None,
        points: Vec::new(),
        limits: Limits::default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn the_matcher_agrees_with_the_naive_one(condition in condition(), machine in machine()) {
        prop_assert_eq!(matches(&asked(&condition), &seen(&machine)), naive::is_for(&condition, &machine));
    }

    #[test]
    fn a_glob_agrees_with_the_table_of_the_naive_one(pattern in "[ab*?]{0,8}", text in "[abc*?]{0,10}") {
        prop_assert_eq!(Glob::new(&pattern, Case::Sensitive).matches(&text), naive::covers(&pattern, &text));
    }

    #[test]
    fn the_choice_agrees_with_the_naive_one(
        policies in proptest::collection::vec((0..4i32, condition()), 0..6), machine in machine(),
    ) {
        let asked: Vec<BackupPolicy> =
            policies.iter().enumerate().map(|(i, (priority, condition))| policy(i, *priority, condition)).collect();
        let names: Vec<String> = match choose(&asked, &seen(&machine)) {
            Choice::None => Vec::new(),
            Choice::One(policy) => vec![policy.name.clone()],
            Choice::Equal(policies) => {
                prop_assert!(policies.len() > 1);
                policies.into_iter().map(|policy| policy.name.clone()).collect()
            }
        };
        prop_assert_eq!(names, followed(&policies, &machine));
    }
}
