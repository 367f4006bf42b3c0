//! Any recovery plan, and one written out as YAML by hand: nothing of it is the reader's or the schema's.
//! It never makes a recovery plan that contradicts itself.

use jiff::SignedDuration;
use lifeboat_planning::policy::{Case, Glob, Location, MachineAttributes, Match, Os};
use lifeboat_planning::recovery::{
    Action, By, Declaration, Evidence, Fence, Group, Measured, RecoveryPlan, Replication, Reported, Traffic, Verify,
};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

/// Any recovery plan that a document can ask for.
pub fn recovery_plan() -> impl Strategy<Value = RecoveryPlan> {
    let regions = select(&["westeurope", "northeurope", "uksouth"][..]);
    (name(), regions.clone(), regions, vec(group(), 1..4), vec(traffic(), 0..3), declaration())
        .prop_filter("from another region", |(_, from, to, ..)| from != to)
        .prop_map(|(name, from, to, mut groups, mut traffic, declaration)| {
            // Names of groups and endpoints are each other's in no two places.
            groups.iter_mut().enumerate().for_each(|(i, group)| group.name = format!("{}-{i}", group.name));
            traffic.iter_mut().enumerate().for_each(|(i, item)| item.profile = format!("{}-{i}", item.profile));
            let (from, to) = (Location::new(from), Location::new(to));
            RecoveryPlan { name, from, to, replication: Replication::SiteRecovery, groups, traffic, declaration }
        })
}

fn name() -> impl Strategy<Value = String> {
    "[a-z0-9]([a-z0-9-]{0,12}[a-z0-9])?"
}

fn minutes(least: i64, most: i64) -> impl Strategy<Value = SignedDuration> {
    (least..=most).prop_map(SignedDuration::from_mins)
}

fn group() -> impl Strategy<Value = Group> {
    let action = prop_oneof![
        minutes(1, 24 * 60).prop_map(Action::Wait),
        "[a-zäß?:#'\"\\\\{}\\[\\]&*!|>%@`, -]{0,30}\\?".prop_map(Action::Approve),
    ];
    (name(), condition(), vec(action.clone(), 0..3), vec(action, 0..3))
        .prop_map(|(name, members, before, after)| Group { name, members, before, after })
}

fn traffic() -> impl Strategy<Value = Traffic> {
    let url = "https?://[a-z]{1,8}\\.example(:[1-9][0-9]{0,3})?(/[a-z0-9?=%&.~-]{0,12})?";
    (name(), name(), url, minutes(1, 120)).prop_map(|(profile, endpoint, url, within)| Traffic {
        profile,
        from: format!("{endpoint}-from"),
        to: format!("{endpoint}-to"),
        verify: Verify { url, within },
    })
}

fn declaration() -> impl Strategy<Value = Declaration> {
    let reported = btree_set(select(&[Reported::ServiceHealth, Reported::ResourceHealth][..]), 0..3);
    let measured = btree_set(select(&[Measured::Probe, Measured::MetricAlert][..]), 0..3);
    let by = select(&[By::Person, By::Approval, By::Rules][..]);
    let fence = select(&[Fence::Required, Fence::BestEffort][..]);
    let times = (minutes(5, 24 * 60), minutes(60, 7 * 24 * 60), minutes(5, 7 * 24 * 60));
    let alerts = btree_set("[a-z]{1,6}(-[a-z]{1,6})?|/subscriptions/[a-z0-9]{1,4}/providers/[a-z./]{0,4}[a-z]", 0..3);
    (by, 1..=2u8, reported, (measured, alerts), 2..=4u32, fence, times)
        .prop_filter("enough origins", |(by, _, reported, (measured, _), at_least, ..)| {
            let both = !reported.is_empty() && !measured.is_empty();
            reported.len() + measured.len() >= *at_least as usize && (both || *by != By::Rules)
        })
        .prop_map(
            |(by, approvals, reported, (measured, mut alerts), at_least, fence, (window, cooldown, max_data_loss))| {
                alerts.retain(|alert| measured.contains(&Measured::MetricAlert) && !alert.contains("//"));
                let evidence = Evidence { reported, measured, alerts, at_least, window };
                Declaration { by, approvals, evidence, cooldown, fence, max_data_loss }
            },
        )
}

/// Any condition that `members` take, over few names, so that two of them meet.
pub fn condition() -> impl Strategy<Value = Match> {
    let pattern = || select(&["a", "A", "b", "a*", "*", "?"][..]);
    let insensitive = |text: &str| Glob::new(text, Case::Insensitive);
    let leaf = prop_oneof![
        (select(&["tier", "Tier", "app"][..]), pattern())
            .prop_map(|(key, value)| Match::Tag { key: key.into(), value: Glob::new(value, Case::Sensitive) }),
        pattern().prop_map(move |text| Match::Name(insensitive(text))),
        pattern().prop_map(move |text| Match::ResourceGroup(insensitive(text))),
        pattern().prop_map(move |text| Match::Size(insensitive(text))),
        select(&["westeurope", "uksouth"][..]).prop_map(|region| Match::Location(Location::new(region))),
        select(&[Os::Windows, Os::Linux][..]).prop_map(Match::Os),
        Just(Match::Subscription("00000000-0000-0000-0000-00000000000a".into())),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(Match::All),
            vec(inner.clone(), 1..4).prop_map(Match::Any),
            inner.prop_map(|inner| Match::Not(Box::new(inner))),
        ]
    })
}

/// Some machines of those names, which nothing else manages.
pub fn machines() -> impl Strategy<Value = Vec<MachineAttributes>> {
    let text = || select(&["a", "b", "ab"][..]).prop_map(str::to_string);
    let tags = proptest::collection::btree_map(select(&["tier", "app"][..]).prop_map(str::to_string), text(), 0..3);
    let region = select(&["westeurope", "uksouth"][..]);
    let machine = (text(), text(), text(), region, select(&[Os::Windows, Os::Linux][..]), tags);
    vec(
        machine.prop_map(|(name, resource_group, size, location, os, tags)| MachineAttributes {
            name,
            resource_group,
            subscription: "00000000-0000-0000-0000-00000000000a".into(),
            location: location.into(),
            os: Some(os),
            size,
            tags,
            ..MachineAttributes::default()
        }),
        1..20,
    )
}

/// The alternatives of an `any`, and of those in it; the condition itself where it has none.
pub fn alternatives(condition: &Match) -> Vec<&Match> {
    let (mut open, mut found) = (Vec::from([condition]), Vec::new());
    while let Some(next) = open.pop() {
        match next {
            Match::Any(parts) => open.extend(parts),
            other => found.push(other),
        }
    }
    found
}

/// The recovery plan as a document.
pub fn yaml(plan: &RecoveryPlan) -> String {
    let RecoveryPlan { name, from, to, replication: Replication::SiteRecovery, groups, traffic, declaration } = plan;
    let mut text =
        format!("apiVersion: lifeboat/v1\nkind: RecoveryPlan\nmetadata: {{ name: {} }}\nspec:\n", quoted(name));
    text += &format!("  from: {}\n  to: {}\n  replication: siteRecovery\n  groups:\n", from.as_str(), to.as_str());
    for Group { name, members, before, after } in groups {
        text += &format!("    - name: {}\n      members: {}\n", quoted(name), of(members));
        for (when, actions) in [("before", before), ("after", after)] {
            if !actions.is_empty() {
                text += &format!("      {when}:\n");
            }
            for action in actions {
                text += &match action {
                    Action::Wait(time) => format!("        - {{ wait: {} }}\n", time_of(*time)),
                    Action::Approve(question) => format!("        - {{ approve: {} }}\n", quoted(question)),
                };
            }
        }
    }
    if !traffic.is_empty() {
        text += "  traffic:\n";
    }
    for Traffic { profile, from, to, verify: Verify { url, within } } in traffic {
        let [profile, from, to, url] = [profile, from, to, url].map(|text| quoted(text));
        let verify = format!("{{ url: {url}, within: {} }}", time_of(*within));
        text += &format!("    - {{ profile: {profile}, from: {from}, to: {to}, verify: {verify} }}\n");
    }
    text + &of_declaration(declaration)
}

fn of_declaration(declaration: &Declaration) -> String {
    let Declaration { by, approvals, evidence, cooldown, fence, max_data_loss } = declaration;
    let Evidence { reported, measured, alerts, at_least, window } = evidence;
    let by = match by {
        By::Person => "person",
        By::Approval => "approval",
        By::Rules => "rules",
    };
    let fence = match fence {
        Fence::Required => "required",
        Fence::BestEffort => "bestEffort",
    };
    let reported = reported.iter().map(|origin| match origin {
        Reported::ServiceHealth => "serviceHealth",
        Reported::ResourceHealth => "resourceHealth",
    });
    let measured = measured.iter().map(|origin| match origin {
        Measured::Probe => "probe",
        Measured::MetricAlert => "metricAlert",
    });
    let list = |field: &str, words: Vec<&str>| match words.is_empty() {
        true => String::new(),
        false => format!("      {field}: [ {} ]\n", words.join(", ")),
    };
    format!(
        "  declaration:\n    by: {by}\n    approvals: {approvals}\n    evidence:\n{}{}{}      atLeast: {at_least}\n      for: {}\n    cooldown: \
         {}\n    fence: {fence}\n    maxDataLoss: {}\n",
        list("reported", reported.collect()),
        list("measured", measured.collect()),
        list(
            "alerts",
            alerts.iter().map(|alert| quoted(alert)).collect::<Vec<_>>().iter().map(String::as_str).collect()
        ),
        time_of(*window),
        time_of(*cooldown),
        time_of(*max_data_loss),
    )
}

fn of(condition: &Match) -> String {
    let several = |parts: &[Match]| parts.iter().map(of).collect::<Vec<_>>().join(", ");
    match condition {
        Match::All(parts) => format!("{{ all: [ {} ] }}", several(parts)),
        Match::Any(parts) => format!("{{ any: [ {} ] }}", several(parts)),
        Match::Not(part) => format!("{{ not: {} }}", of(part)),
        Match::Tag { key, value } => format!("{{ tag: {{ {}: {} }} }}", quoted(key), quoted(value.pattern())),
        Match::Name(glob) => format!("{{ name: {} }}", quoted(glob.pattern())),
        Match::ResourceGroup(glob) => format!("{{ resourceGroup: {} }}", quoted(glob.pattern())),
        Match::Size(glob) => format!("{{ size: {} }}", quoted(glob.pattern())),
        Match::Subscription(id) => format!("{{ subscription: {} }}", quoted(id)),
        Match::Location(location) => format!("{{ location: {} }}", location.as_str()),
        Match::Os(Os::Windows) => "{ os: windows }".into(),
        Match::Os(Os::Linux) => "{ os: linux }".into(),
        Match::NoConformingPointFor(time) => format!("{{ noConformingPointFor: {} }}", time_of(*time)),
    }
}

fn time_of(time: SignedDuration) -> String {
    format!("{}m", time.as_mins())
}

/// A text of JSON, which is one of YAML too.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}
