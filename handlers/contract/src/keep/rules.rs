//! The rules of keeping: those of a policy's entry, or a short form of them, `last=3,daily=7,within=2d`.
//! It never reads a document; `policy` does, and judges it whole.

use std::fmt;

use jiff::tz::TimeZone;
use lifeboat_planning::policy::{AtLeast, PointEntry, PointKind, WhenMachineDeleted};
use lifeboat_planning::retention::Keep;

use crate::policy::{cron, duration};

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
    /// No zone of this name is known.
    Zone(String),
    /// A rule without a name that is known.
    Rule(String),
    /// A rule whose value is none.
    Value(String),
}

impl From<&PointEntry> for EntryRules {
    fn from(entry: &PointEntry) -> Self {
        Self {
            name: entry.name.clone(),
            kind: entry.kind,
            keep: entry.keep,
            zone: entry.schedule.as_ref().map_or(TimeZone::UTC, |schedule| schedule.zone().clone()),
            at_least: entry.at_least,
            when_gone: entry.when_machine_deleted,
        }
    }
}

/// Rules in their short form, for points of either kind.
///
/// # Errors
/// A rule that is not understood.
pub fn entries_of_rules(text: &str, zone: &TimeZone) -> Result<Vec<EntryRules>, RulesProblem> {
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
/// A name that policies do not take either.
pub fn zone(name: &str) -> Result<TimeZone, RulesProblem> {
    cron::parse_zone(name).map_err(|_| RulesProblem::Zone(name.to_owned()))
}

impl fmt::Display for RulesProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
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
    use crate::policy::read_policy;
    use jiff::SignedDuration;

    #[test]
    fn the_rules_of_an_entry_come_with_the_zone_of_its_schedule() {
        let text = include_str!("../../examples/everything.yaml");
        let policy = read_policy(text, "everything.yaml").unwrap().policy;
        let [daily, _] = [0, 1].map(|at| EntryRules::from(&policy.points[at]));
        let short = read_keep("last=3,daily=7,weekly=4,monthly=12,yearly=3,within=2d,min=1").unwrap();
        assert_eq!((daily.keep, daily.at_least), (Some(short), AtLeast::FileSystem));
        assert_eq!(daily.zone.iana_name(), Some("Europe/Berlin"));
        let without = PointEntry { schedule: None, keep: None, ..policy.points[0].clone() };
        let without = EntryRules::from(&without);
        assert_eq!((without.keep, without.zone), (None, TimeZone::UTC));
    }

    #[test]
    fn the_short_form_takes_every_rule_once_named() {
        let keep = read_keep("last=3, daily=7,within=2d,min=2").unwrap();
        let within = Some(SignedDuration::from_hours(48));
        assert_eq!(keep, Keep { last: 3, daily: 7, within, min: 2, ..Keep::default() });
        assert_eq!(read_keep("dayly=7"), Err(RulesProblem::Rule("dayly=7".into())));
        assert_eq!(read_keep("daily=many"), Err(RulesProblem::Value("daily=many".into())));
        assert_eq!(read_keep("within=2"), Err(RulesProblem::Value("within=2".into())));
        assert_eq!(zone("Europe/Berlyn").map(|_| ()), Err(RulesProblem::Zone("Europe/Berlyn".into())));
    }
}
