//! A backup policy as decided on, and which machines it covers.
//! It never reads a document (`contract` does) and never asks what a machine is: attributes come with the call.
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
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use jiff::SignedDuration;

/// A backup policy: which machines, and what they shall have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupPolicy {
    /// The document's `metadata.name`; part of every point's derived name.
    pub name: String,
    /// Whether effects are performed or only told.
    pub mode: Mode,
    /// The machines it covers.
    pub matches: Match,
    /// Lifeboat's own points; the reader gives exactly one for now.
    pub points: Vec<PointEntry>,
}

/// Whether a policy's effects are performed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Plan and tell, change nothing.
    #[default]
    Report,
    /// Plan and perform.
    Enforce,
}

/// One entry of `points`: what is made, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointEntry {
    /// The entry's name: unique in its policy, short, part of Azure names.
    pub name: String,
    /// What it makes.
    pub kind: PointKind,
    /// The point that a new machine gets.
    pub on_create: Option<OnCreate>,
}

/// What an entry makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointKind {
    /// A VM restore point: atomic over the machine's disks.
    RestorePoint,
}

/// A point for each machine that is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnCreate {
    /// How long before the last completed sweep a machine may have been created and still count as new.
    pub within: SignedDuration,
}

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
}

/// A region in its one spelling: lower-case and without blanks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location(String);

/// A pattern over a whole text: `*` is any run of characters, `?` is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    pattern: String,
    case: Case,
}

/// Whether a comparison tells upper from lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// As Azure compares tag values.
    Sensitive,
    /// As Azure compares names, groups, sizes and ids.
    Insensitive,
}

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

/// How far a condition reaches a machine, whoever manages it.
pub fn reach(condition: &Match, machine: &MachineAttributes) -> Reach {
    let covered = |holds: bool| if holds { Reach::Covered } else { Reach::Outside };
    match condition {
        Match::All(inner) => {
            inner.iter().map(|one| reach(one, machine)).fold(Reach::Covered, |all, one| match (all, one) {
                (Reach::Outside, _) | (_, Reach::Outside) => Reach::Outside,
                (all, one) => all.max(one),
            })
        }
        Match::Any(inner) => inner.iter().map(|one| reach(one, machine)).max().unwrap_or(Reach::Outside),
        Match::Not(inner) => covered(reach(inner, machine) == Reach::Outside),
        Match::Tag { key, value } => {
            covered(machine.tags.iter().any(|(k, v)| equal(k, key, Case::Insensitive) && value.matches(v)))
        }
        Match::Name(glob) if glob.is_literal() && glob.matches(&machine.name) => Reach::Named,
        Match::Name(glob) => covered(glob.matches(&machine.name)),
        Match::ResourceGroup(glob) => {
            covered(!machine.resource_group.is_empty() && glob.matches(&machine.resource_group))
        }
        Match::Subscription(id) => covered(!id.is_empty() && equal(id, &machine.subscription, Case::Insensitive)),
        Match::Location(location) => covered(location.is(&machine.location)),
        Match::Os(os) => covered(machine.os == Some(*os)),
        Match::Size(glob) => covered(!machine.size.is_empty() && glob.matches(&machine.size)),
    }
}

impl PointEntry {
    /// The entry as bytes to be hashed: the same for two entries exactly when they ask for the same.
    ///
    /// Lengths stand before texts, so that no name can pass for a field; a later field is added at the end, only where set, so
    /// that entries without it keep their digest.
    pub fn canonical(&self) -> String {
        let kind = match self.kind {
            PointKind::RestorePoint => "restorePoint",
        };
        let mut text = format!("point/1\nname:{}:{}\nkind:{kind}\n", self.name.len(), self.name);
        if let Some(on_create) = self.on_create {
            text.push_str(&format!("onCreate.within:{}s\n", on_create.within.as_secs()));
        }
        text
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
        !self.0.is_empty()
            && self.0.chars().eq(text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase))
    }
}

impl Glob {
    /// A pattern; every text is one.
    pub fn new(pattern: &str, case: Case) -> Self {
        Self { pattern: pattern.to_string(), case }
    }

    /// The pattern as written.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// True when the pattern has no wildcard.
    pub fn is_literal(&self) -> bool {
        !self.pattern.contains(['*', '?'])
    }

    /// True when the pattern covers the whole text.
    ///
    /// One mark to go back to is enough: when a later `*` is reached, whatever an earlier one swallowed no longer matters. So
    /// it takes at most pattern times text steps, and patterns are short.
    pub fn matches(&self, text: &str) -> bool {
        let (mut pattern, mut text) = (self.pattern.chars(), text.chars());
        let mut mark = None;
        loop {
            let (before_pattern, before_text) = (pattern.clone(), text.clone());
            match (pattern.next(), text.next()) {
                (None, None) => return true,
                (Some('*'), _) => {
                    text = before_text.clone();
                    mark = Some((pattern.clone(), before_text));
                    continue;
                }
                (Some('?'), Some(_)) => continue,
                (Some(p), Some(t)) if p != '?' && same(p, t, self.case) => continue,
                (_, None) => return only_stars(before_pattern),
                (_, Some(_)) => {}
            }
            // No match here: the last `*` takes one character more.
            let Some((after_star, from)) = &mut mark else { return false };
            if from.next().is_none() {
                return false;
            }
            pattern = after_star.clone();
            text = from.clone();
        }
    }
}

/// True when what is left of a pattern also covers nothing.
fn only_stars(mut rest: core::str::Chars<'_>) -> bool {
    rest.all(|c| c == '*')
}

fn equal(a: &str, b: &str, case: Case) -> bool {
    let (mut a, mut b) = (a.chars(), b.chars());
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if same(a, b, case) => {}
            _ => return false,
        }
    }
}

fn same(a: char, b: char, case: Case) -> bool {
    a == b || (case == Case::Insensitive && a.to_lowercase().eq(b.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
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
            Match::ResourceGroup(Glob::new("*", Case::Insensitive)),
            Match::Subscription(String::new()),
            Match::Location(Location::new("")),
            Match::Os(Os::Linux),
            Match::Size(Glob::new("*", Case::Insensitive)),
            tag("", "*"),
        ] {
            assert!(!matches(&condition, &unknown), "{condition:?}");
        }
    }

    #[test]
    fn a_glob_covers_the_whole_text() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "abc", true),
            ("?", "", false),
            ("?", "ä", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbbcd", false),
            ("*a*b", "xayab", true),
            ("a**b", "ab", true),
            ("a*?", "a", false),
            ("*?*", "x", true),
            ("*ab", "aab", true),
            ("A", "a", false),
            ("a?c", "a*c", true),
            ("*", "*", true),
            ("ab*", "a", false),
        ] {
            assert_eq!(Glob::new(pattern, Case::Sensitive).matches(text), expected, "{pattern:?} on {text:?}");
        }
        assert!(Glob::new("GRÜN-*", Case::Insensitive).matches("grün-1"));
    }

    #[test]
    fn a_hostile_pattern_still_ends() {
        let pattern = "*a".repeat(60) + "b";
        assert!(!Glob::new(&pattern, Case::Sensitive).matches(&"a".repeat(2_000)));
    }

    #[test]
    fn the_canonical_form_of_an_entry_is_fixed_and_tells_entries_apart() {
        let entry = |name: &str, hours: Option<i64>| PointEntry {
            name: name.into(),
            kind: PointKind::RestorePoint,
            on_create: hours.map(|h| OnCreate { within: SignedDuration::from_hours(h) }),
        };
        assert_eq!(
            entry("daily", Some(24)).canonical(),
            "point/1\nname:5:daily\nkind:restorePoint\nonCreate.within:86400s\n"
        );
        assert_ne!(entry("daily", None).canonical(), entry("daily", Some(24)).canonical());
        assert_ne!(entry("daily", Some(23)).canonical(), entry("daily", Some(24)).canonical());
        assert_ne!(entry("weekly", Some(24)).canonical(), entry("daily", Some(24)).canonical());
    }
}
