//! Which machines a condition holds for. It never asks what a machine is: attributes come with the call.
//!
//! A machine that something else manages (a scale set, AKS, Databricks) is covered only where the policy names it:
//!
//! ```text
//!            name, literal     name with * or ?, tag, group, …     not
//! holds      Named             Covered                             Covered
//! all        the highest of its conditions, if all hold
//! any        the highest of those that hold
//! managed machine: matches when Named    other machine: when Named or Covered
//! ```

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use jiff::SignedDuration;

use super::glob::{Case, Glob, equal};

/// A condition on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Every one holds. Holds when empty; the reader refuses that.
    All(Vec<Match>),
    /// At least one holds. Fails when empty.
    Any(Vec<Match>),
    /// The inner one does not hold.
    Not(Box<Match>),
    /// A tag with this key (without regard to case) has a value like this (with regard to case).
    Tag {
        /// The tag's key.
        key: String,
        /// What its value looks like.
        value: Glob,
    },
    /// The machine's name, without regard to case.
    Name(Glob),
    /// Its resource group's name, without regard to case.
    ResourceGroup(Glob),
    /// Its subscription's id, without regard to case.
    Subscription(String),
    /// Its region, in any spelling: `West Europe` is `westeurope`.
    Location(Location),
    /// Its operating system.
    Os(Os),
    /// Its size (`Standard_D4s_v5`), without regard to case.
    Size(Glob),
    /// Its newest conforming point is at least so old, or it has none. Not known is neither.
    NoConformingPointFor(SignedDuration),
}

/// An operating system, as Azure tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Os {
    /// Windows.
    Windows,
    /// Linux.
    Linux,
}

/// What conditions look at. An attribute that is not known is empty or `None`, and no condition on it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineAttributes {
    /// The machine's name.
    pub name: String,
    /// Its resource group's name.
    pub resource_group: String,
    /// Its subscription's id.
    pub subscription: String,
    /// Its region, in any spelling.
    pub location: String,
    /// Its operating system.
    pub os: Option<Os>,
    /// Its size.
    pub size: String,
    /// Its tags, with their keys as Azure spells them.
    pub tags: BTreeMap<String, String>,
    /// What manages it, when something else does: `managedBy`, or the scale set that it is an instance of.
    pub managed_by: Option<String>,
    /// How old its newest conforming point is.
    pub conforming: Conforming,
}

/// How old the newest conforming point of a machine is, of whoever made it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conforming {
    /// Not read: no condition on it holds.
    #[default]
    Unknown,
    /// Everything was read, and there is none.
    Never,
    /// So old.
    Age(SignedDuration),
}

/// A region in its one spelling: lower-case and without blanks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location(String);

/// How far a condition reaches a machine, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// The condition does not hold.
    Outside,
    /// It holds.
    Covered,
    /// It holds, and the machine is named in it without a wildcard.
    Named,
}

/// True when a policy with this condition applies to the machine.
///
/// A machine that something else manages must be named: its manager replaces, scales and deletes it, so that a pattern which
/// happens to cover it is not an order to protect it.
pub fn matches(condition: &Match, machine: &MachineAttributes) -> bool {
    let least = match machine.managed_by {
        Some(_) => Reach::Named,
        None => Reach::Covered,
    };
    reach(condition, machine) >= least
}

/// True when a condition asks how old a machine's newest point is: whoever reads machines then has to find that out too.
pub fn asks_age(condition: &Match) -> bool {
    match condition {
        Match::All(inner) | Match::Any(inner) => inner.iter().any(asks_age),
        Match::Not(inner) => asks_age(inner),
        Match::NoConformingPointFor(_) => true,
        Match::Tag { .. }
        | Match::Name(_)
        | Match::ResourceGroup(_)
        | Match::Subscription(_)
        | Match::Location(_)
        | Match::Os(_)
        | Match::Size(_) => false,
    }
}

/// How far a condition reaches a machine, whoever manages it.
pub fn reach(condition: &Match, machine: &MachineAttributes) -> Reach {
    let covered = |holds: bool| if holds { Reach::Covered } else { Reach::Outside };
    match condition {
        // The first that does not hold settles it: a sweep asks this of each machine of an estate.
        Match::All(inner) => {
            let further = |all: Reach, one: &Match| match reach(one, machine) {
                Reach::Outside => None,
                one => Some(all.max(one)),
            };
            inner.iter().try_fold(Reach::Covered, further).unwrap_or(Reach::Outside)
        }
        Match::Any(inner) => inner.iter().map(|one| reach(one, machine)).max().unwrap_or(Reach::Outside),
        Match::Not(inner) => covered(reach(inner, machine) == Reach::Outside),
        Match::Tag { key, value } => {
            covered(machine.tags.iter().any(|(k, v)| equal(k, key, Case::Insensitive) && value.matches(v)))
        }
        Match::Name(_) if machine.name.is_empty() => Reach::Outside,
        Match::Name(glob) if glob.is_literal() && glob.matches(&machine.name) => Reach::Named,
        Match::Name(glob) => covered(glob.matches(&machine.name)),
        Match::ResourceGroup(glob) => {
            covered(!machine.resource_group.is_empty() && glob.matches(&machine.resource_group))
        }
        Match::Subscription(id) => covered(!id.is_empty() && equal(id, &machine.subscription, Case::Insensitive)),
        Match::Location(location) => covered(location.is(&machine.location)),
        Match::Os(os) => covered(machine.os == Some(*os)),
        Match::Size(glob) => covered(!machine.size.is_empty() && glob.matches(&machine.size)),
        Match::NoConformingPointFor(time) => covered(match machine.conforming {
            Conforming::Unknown => false,
            Conforming::Never => true,
            Conforming::Age(age) => age >= *time,
        }),
    }
}

impl Location {
    /// A region from any of its spellings.
    pub fn new(text: &str) -> Self {
        Self(text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect())
    }

    /// The region's one spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True when `text` is a spelling of this region; never for an empty one.
    pub fn is(&self, text: &str) -> bool {
        if text.is_ascii() {
            let letters = text.bytes().filter(|b| !char::from(*b).is_whitespace()).map(|b| b.to_ascii_lowercase());
            return !self.0.is_empty() && self.0.bytes().eq(letters);
        }
        !self.0.is_empty()
            && self.0.chars().eq(text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    fn machine() -> MachineAttributes {
        MachineAttributes {
            name: "vm-Shop-01".into(),
            resource_group: "RG-Shop".into(),
            subscription: "AB12".into(),
            location: "westeurope".into(),
            os: Some(Os::Linux),
            size: "Standard_D4s_v5".into(),
            tags: [("Env".to_string(), "Prod".to_string()), ("empty".to_string(), String::new())].into(),
            managed_by: None,
            conforming: Conforming::Unknown,
        }
    }

    fn tag(key: &str, value: &str) -> Match {
        Match::Tag { key: key.into(), value: Glob::new(value, Case::Sensitive) }
    }

    fn name(glob: &str) -> Match {
        Match::Name(Glob::new(glob, Case::Insensitive))
    }

    fn not(inner: Match) -> Match {
        Match::Not(Box::new(inner))
    }

    fn check(sentence: &str, condition: Match, expected: Reach) {
        assert_eq!(reach(&condition, &machine()), expected, "{sentence}");
        assert_eq!(matches(&condition, &machine()), expected > Reach::Outside, "{sentence}");
        let managed = MachineAttributes { managed_by: Some("/aks".into()), ..machine() };
        assert_eq!(matches(&condition, &managed), expected == Reach::Named, "managed: {sentence}");
    }

    #[test]
    fn conditions_hold_by_azures_own_rules_of_case() {
        use Reach::{Covered, Named, Outside};
        let insensitive = |text| Glob::new(text, Case::Insensitive);
        check("tag keys without regard to case", tag("ENV", "Prod"), Covered);
        check("tag values with regard to case", tag("env", "prod"), Outside);
        check("tag values by pattern", tag("env", "P*"), Covered);
        check("a tag without a value is there", tag("empty", "*"), Covered);
        check("an absent tag is not", tag("other", "*"), Outside);
        check("a name in full names the machine", name("VM-shop-01"), Named);
        check("a name by pattern covers it", name("vm-shop-??"), Covered);
        check("another name does not", name("vm-shop-02"), Outside);
        check("groups without regard to case", Match::ResourceGroup(insensitive("rg-*")), Covered);
        check("subscriptions without regard to case", Match::Subscription("ab12".into()), Covered);
        check("regions in any spelling", Match::Location(Location::new("West Europe")), Covered);
        check("another region", Match::Location(Location::new("northeurope")), Outside);
        check("operating system", Match::Os(Os::Linux), Covered);
        check("the other one", Match::Os(Os::Windows), Outside);
        check("sizes without regard to case", Match::Size(insensitive("standard_d*_v5")), Covered);
        check("not turns it round", not(tag("env", "prod")), Covered);
        check("not of what holds", not(name("vm-shop-01")), Outside);
        check("not never names", not(name("vm-other")), Covered);
        check("all: every one", Match::All(vec![tag("env", "Prod"), Match::Os(Os::Windows)]), Outside);
        check("all: named by one of them", Match::All(vec![tag("env", "Prod"), name("vm-shop-01")]), Named);
        check(
            "all: a name does not help where another fails",
            Match::All(vec![name("vm-shop-01"), tag("x", "*")]),
            Outside,
        );
        check("any: at least one", Match::Any(vec![tag("x", "*"), Match::Os(Os::Linux)]), Covered);
        check("any: the furthest", Match::Any(vec![tag("env", "*"), name("vm-shop-01")]), Named);
        check("any of nothing", Match::Any(vec![]), Outside);
        check("all of nothing", Match::All(vec![]), Covered);
    }

    #[test]
    fn what_is_not_known_of_a_machine_meets_no_condition() {
        let unknown = MachineAttributes::default();
        for condition in [
            Match::Name(Glob::new("*", Case::Insensitive)),
            Match::ResourceGroup(Glob::new("*", Case::Insensitive)),
            Match::Subscription(String::new()),
            Match::Location(Location::new("")),
            Match::Os(Os::Linux),
            Match::Size(Glob::new("*", Case::Insensitive)),
            tag("", "*"),
            Match::NoConformingPointFor(SignedDuration::ZERO),
        ] {
            assert!(!matches(&condition, &unknown), "{condition:?}");
        }
    }

    #[test]
    fn a_point_that_is_too_old_is_as_none() {
        let hours = SignedDuration::from_hours;
        for (conforming, holds) in [
            (Conforming::Never, true),
            (Conforming::Unknown, false),
            (Conforming::Age(hours(23)), false),
            (Conforming::Age(hours(24)), true),
        ] {
            let machine = MachineAttributes { conforming, ..machine() };
            assert_eq!(matches(&Match::NoConformingPointFor(hours(24)), &machine), holds, "{conforming:?}");
        }
    }
}
