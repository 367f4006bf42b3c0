//! The rules of keeping out of a policy document, or out of the short form `last=3,daily=7,within=2d`.
//! It never judges the rest of a document: `check` does.

use std::fmt;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use lifeboat_planning::policy::{AtLeast, PointKind, WhenMachineDeleted};
use lifeboat_planning::retention::Keep;
use serde::Deserialize;

use crate::policy::{DOCUMENT_BYTES_MAX, duration};

/// One entry of a policy, as far as keeping goes.
#[derive(Clone, Debug)]
pub struct EntryRules {
    /// The entry's name.
    pub name: String,
    /// What it makes.
    pub kind: PointKind,
    /// Its rules; `None` where it has none, and everything stays.
    pub keep: Option<Keep>,
    /// The zone that its periods are counted in: its schedule's, else UTC.
    pub zone: TimeZone,
    /// The consistency that it asks for.
    pub at_least: AtLeast,
    /// What becomes of its points when their machine is gone.
    pub when_gone: WhenMachineDeleted,
}

/// Why there are no rules to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulesProblem {
    /// The document is longer than any policy.
    TooLarge,
    /// The document is not understood; the reader's own words.
    Document(String),
    /// No zone of this name is known.
    Zone(String),
    /// A rule without a name that is known.
    Rule(String),
    /// A rule whose value is none.
    Value(String),
}

// This is the seam: until `policy::read_policy` gives an entry its `keep` and its schedule's zone, the few fields are read here.
#[derive(Deserialize)]
struct Document {
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    points: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    kind: EntryKind,
    keep: Option<Rules>,
    schedule: Option<Schedule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum EntryKind {
    RestorePoint,
    Snapshot,
}

#[derive(Deserialize)]
struct Schedule {
    timezone: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rules {
    last: u32,
    hourly: u32,
    daily: u32,
    weekly: u32,
    monthly: u32,
    yearly: u32,
    within: Option<String>,
    min: u32,
}

/// The entries of a policy document with their rules.
///
/// # Errors
/// A document, a rule or a zone that is not understood.
pub fn entries_of_policy(text: &str) -> Result<Vec<EntryRules>, RulesProblem> {
    if text.len() > DOCUMENT_BYTES_MAX {
        return Err(RulesProblem::TooLarge);
    }
    let document: Document = serde_saphyr::from_str(text).map_err(|error| RulesProblem::Document(error.to_string()))?;
    document.spec.points.into_iter().map(entry).collect()
}

fn entry(entry: Entry) -> Result<EntryRules, RulesProblem> {
    let named = entry.schedule.and_then(|schedule| schedule.timezone);
    Ok(EntryRules {
        name: entry.name,
        kind: match entry.kind {
            EntryKind::RestorePoint => PointKind::RestorePoint,
            EntryKind::Snapshot => PointKind::Snapshot,
        },
        keep: entry.keep.map(keep).transpose()?,
        zone: named.map_or(Ok(TimeZone::UTC), |name| zone(&name))?,
        at_least: AtLeast::Crash,
        when_gone: WhenMachineDeleted::KeepLast,
    })
}

/// Rules in their short form, for points of either kind.
///
/// # Errors
/// A rule that is not understood.
pub fn entry_of_rules(text: &str, zone: &TimeZone) -> Result<Vec<EntryRules>, RulesProblem> {
    let keep = read_keep(text)?;
    let entry = |kind| EntryRules {
        name: text.to_owned(),
        kind,
        keep: Some(keep),
        zone: zone.clone(),
        at_least: AtLeast::Crash,
        when_gone: WhenMachineDeleted::KeepLast,
    };
    Ok(vec![entry(PointKind::RestorePoint), entry(PointKind::Snapshot)])
}

fn keep(rules: Rules) -> Result<Keep, RulesProblem> {
    let Rules { last, hourly, daily, weekly, monthly, yearly, within, min } = rules;
    let within = within.map(|text| duration::parse(&text).ok_or(RulesProblem::Value(text))).transpose()?;
    Ok(Keep { last, hourly, daily, weekly, monthly, yearly, within, min })
}

/// Rules in their short form: `last=3,daily=7,within=2d,min=2`.
///
/// # Errors
/// A rule that there is not, or a value that is none.
pub fn read_keep(text: &str) -> Result<Keep, RulesProblem> {
    let mut keep = Keep::default();
    for rule in text.split(',').map(str::trim).filter(|rule| !rule.is_empty()) {
        let (name, value) = rule.split_once('=').ok_or_else(|| RulesProblem::Rule(rule.to_owned()))?;
        let field = match name {
            "within" => {
                keep.within = Some(duration::parse(value).ok_or_else(|| RulesProblem::Value(rule.to_owned()))?);
                continue;
            }
            "last" => &mut keep.last,
            "hourly" => &mut keep.hourly,
            "daily" => &mut keep.daily,
            "weekly" => &mut keep.weekly,
            "monthly" => &mut keep.monthly,
            "yearly" => &mut keep.yearly,
            "min" => &mut keep.min,
            _ => return Err(RulesProblem::Rule(rule.to_owned())),
        };
        *field = value.parse().map_err(|_| RulesProblem::Value(rule.to_owned()))?;
    }
    Ok(keep)
}

/// A zone by its IANA name, from the database that is part of the binary: the same on every machine.
///
/// # Errors
/// A name that is not known.
pub fn zone(name: &str) -> Result<TimeZone, RulesProblem> {
    TimeZoneDatabase::bundled().get(name).map_err(|_| RulesProblem::Zone(name.to_owned()))
}

impl fmt::Display for RulesProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "the policy is longer than {DOCUMENT_BYTES_MAX} bytes"),
            Self::Document(why) => write!(f, "the policy is not understood: {why}"),
            Self::Zone(name) => write!(f, "`{name}` is no time zone such as Europe/Berlin"),
            Self::Rule(rule) => write!(
                f,
                "`{rule}` is no rule: last, hourly, daily, weekly, monthly, yearly and min take a number, within {}",
                duration::EXPECTED
            ),
            Self::Value(value) => {
                write!(f, "`{value}`: a rule takes a whole number, `within` {}", duration::EXPECTED)
            }
        }
    }
}

impl std::error::Error for RulesProblem {}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn rules_are_read_from_a_policy_and_from_the_short_form() {
        let text = "spec:\n  points:\n    - name: daily\n      kind: restorePoint\n      \
                    schedule: { cron: \"0 2 * * *\", timezone: Europe/Berlin }\n      \
                    keep: { last: 3, daily: 7, within: 2d, min: 2 }\n    - { name: first, kind: snapshot }\n";
        let entries = entries_of_policy(text).unwrap();
        let wanted =
            Keep { last: 3, daily: 7, within: Some(SignedDuration::from_hours(48)), min: 2, ..Keep::default() };
        assert_eq!((entries[0].keep, entries[1].keep), (Some(wanted), None));
        assert_eq!(entries[0].zone.iana_name(), Some("Europe/Berlin"));
        assert_eq!(read_keep("last=3, daily=7,within=2d,min=2"), Ok(wanted));
    }

    #[test]
    fn what_is_no_rule_no_value_and_no_zone_is_told() {
        assert_eq!(read_keep("dayly=7"), Err(RulesProblem::Rule("dayly=7".into())));
        assert_eq!(read_keep("daily=many"), Err(RulesProblem::Value("daily=many".into())));
        assert_eq!(read_keep("within=2"), Err(RulesProblem::Value("within=2".into())));
        assert_eq!(zone("Europe/Berlyn").map(|_| ()), Err(RulesProblem::Zone("Europe/Berlyn".into())));
        assert!(matches!(entries_of_policy("spec: 3"), Err(RulesProblem::Document(_))));
    }
}
