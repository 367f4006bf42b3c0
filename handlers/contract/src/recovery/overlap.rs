//! What conditions say of each other by their text alone: whose machines are also another's, and which region none can be in.
//! It never guesses: where it says so, it is certain of every machine that nothing else manages; where not, the estate may still show it.

use lifeboat_planning::policy::{Case, Glob, Location, Match};

/// Bound on what is compared for one pair of conditions: those that people write take some hundreds, and a few lines of nested
/// ones could take billions. Beyond it nothing is certain.
const COMPARISONS_MAX: usize = 4_096;

/// How two conditions hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// They are for the very same machines.
    Same,
    /// Some machines are in both, if there are any of that kind.
    Some,
}

/// Whether any machine of one condition must be one of the other too.
///
/// Each alternative of an `any` is asked alone: whoever names machines one by one has as many.
pub fn overlap(one: &Match, other: &Match) -> Option<Overlap> {
    if one.canonical() == other.canonical() {
        return Some(Overlap::Same);
    }
    let mut left = COMPARISONS_MAX;
    let mut within =
        |inner: &Match, outer: &Match| alternatives(inner).iter().any(|part| implies(part, outer, &mut left));
    (within(one, other) || within(other, one)).then_some(Overlap::Some)
}

/// The alternatives of a condition: the condition itself where it has none. As deep as documents are.
fn alternatives(condition: &Match) -> Vec<&Match> {
    match condition {
        Match::Any(parts) => parts.iter().flat_map(alternatives).collect(),
        other => vec![other],
    }
}

/// True when every machine of the first is one of the second.
fn implies(inner: &Match, outer: &Match, left: &mut usize) -> bool {
    let Some(fewer) = left.checked_sub(1) else { return false };
    *left = fewer;
    match (inner, outer) {
        (inner, outer) if inner == outer => true,
        (Match::Any(parts), outer) => parts.iter().all(|part| implies(part, outer, left)),
        (inner, Match::All(parts)) => parts.iter().all(|part| implies(inner, part, left)),
        (Match::All(parts), outer) if parts.iter().any(|part| implies(part, outer, left)) => true,
        (inner, Match::Any(parts)) => parts.iter().any(|part| implies(inner, part, left)),
        (Match::Not(inner), Match::Not(outer)) => implies(outer, inner, left),
        (inner, Match::Not(outer)) => excludes(inner, outer),
        (Match::Tag { key, value }, Match::Tag { key: outer, value: covering }) => {
            same_text(key, outer) && covers(covering, value, Case::Sensitive)
        }
        (Match::Name(inner), Match::Name(outer))
        | (Match::ResourceGroup(inner), Match::ResourceGroup(outer))
        | (Match::Size(inner), Match::Size(outer)) => covers(outer, inner, Case::Insensitive),
        (Match::Subscription(inner), Match::Subscription(outer)) => same_text(inner, outer),
        // Every machine has these, and none that is empty.
        (_, Match::Name(glob) | Match::ResourceGroup(glob) | Match::Size(glob)) => glob.pattern() == "*",
        _ => false,
    }
}

/// True when no machine of the first is one of the second: it has one value where the second asks for another.
fn excludes(one: &Match, other: &Match) -> bool {
    match (one, other) {
        (Match::Tag { key, value }, Match::Tag { key: other, value: covering }) => {
            same_text(key, other) && value.is_literal() && !covering.matches(value.pattern())
        }
        (Match::Name(one), Match::Name(other))
        | (Match::ResourceGroup(one), Match::ResourceGroup(other))
        | (Match::Size(one), Match::Size(other)) => one.is_literal() && !other.matches(one.pattern()),
        (Match::Os(one), Match::Os(other)) => one != other,
        (Match::Location(one), Match::Location(other)) => one != other,
        (Match::Subscription(one), Match::Subscription(other)) => !same_text(one, other),
        _ => false,
    }
}

/// Azure takes keys of tags and ids without regard to case, so that a machine has one of a kind.
fn same_text(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// True when the outer pattern covers whatever the inner one does.
fn covers(outer: &Glob, inner: &Glob, case: Case) -> bool {
    let same = match case {
        Case::Sensitive => outer.pattern() == inner.pattern(),
        Case::Insensitive => outer.pattern().to_lowercase() == inner.pattern().to_lowercase(),
    };
    same || outer.pattern() == "*" || (inner.is_literal() && outer.matches(inner.pattern()))
}

/// True when no machine in this region can be one of the condition.
pub fn is_elsewhere(condition: &Match, region: &Location) -> bool {
    match condition {
        Match::All(parts) => parts.iter().any(|part| is_elsewhere(part, region)),
        Match::Any(parts) => parts.iter().all(|part| is_elsewhere(part, region)),
        Match::Not(part) => is_everywhere(part, region),
        Match::Location(location) => location != region,
        _ => false,
    }
}

/// True when every machine in this region is one of the condition.
fn is_everywhere(condition: &Match, region: &Location) -> bool {
    match condition {
        Match::All(parts) => parts.iter().all(|part| is_everywhere(part, region)),
        Match::Any(parts) => parts.iter().any(|part| is_everywhere(part, region)),
        Match::Not(part) => is_elsewhere(part, region),
        Match::Location(location) => location == region,
        Match::Name(glob) => glob.pattern() == "*",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(glob: &str) -> Match {
        Match::Name(Glob::new(glob, Case::Insensitive))
    }

    fn tag(value: &str) -> Match {
        Match::Tag { key: "tier".into(), value: Glob::new(value, Case::Sensitive) }
    }

    fn not(inner: Match) -> Match {
        Match::Not(Box::new(inner))
    }

    fn all(parts: &[Match]) -> Match {
        Match::All(parts.to_vec())
    }

    fn any(parts: &[Match]) -> Match {
        Match::Any(parts.to_vec())
    }

    #[test]
    fn conditions_overlap_where_it_is_certain_and_nowhere_else() {
        let (same, some) = (Some(Overlap::Same), Some(Overlap::Some));
        for (one, other, expected) in [
            (tag("db"), tag("db"), same),
            (tag("db"), any(&[tag("db")]), same),
            (tag("db"), tag("DB"), None),
            (tag("db"), tag("web"), None),
            (tag("db"), tag("*"), some),
            (tag("db"), tag("d?"), some),
            (tag("d*"), tag("*b"), None),
            (tag("db"), name("*"), some),
            (tag("db"), name("db-*"), None),
            (name("DB-1"), name("db-*"), some),
            (any(&[name("a"), name("b")]), any(&[name("B"), name("c")]), some),
            (any(&[name("a"), name("b")]), any(&[name("c"), name("d")]), None),
            (all(&[tag("db"), name("a*")]), tag("db"), some),
            (all(&[tag("db"), name("a*")]), all(&[tag("db"), name("b*")]), None),
            (all(&[tag("db"), name("a"), tag("*")]), all(&[name("A"), tag("db")]), some),
            (Match::Subscription("AB".into()), all(&[Match::Subscription("ab".into()), name("*")]), some),
            (tag("db"), not(tag("web")), some),
            (tag("db"), not(tag("d*")), None),
            (tag("*"), not(tag("web")), None),
            (name("a"), not(tag("web")), None),
            (not(tag("web")), not(tag("*")), some),
            (all(&[tag("db"), not(name("a"))]), name("a"), None),
            (any(&[any(&[name("a")]), tag("db")]), name("a"), some),
        ] {
            assert_eq!(overlap(&one, &other), expected, "{one:?} {other:?}");
            assert_eq!(overlap(&other, &one), expected, "{other:?} {one:?}");
        }
    }

    #[test]
    fn conditions_in_one_another_without_end_are_compared_without_harm() {
        let nest = |wrap: fn(&[Match]) -> Match, prefix: &str, inner: Match| {
            (0..40).fold(inner, |inner, i| wrap(&[inner, name(&format!("{prefix}-{i}*"))]))
        };
        assert_eq!(overlap(&nest(all, "a", tag("db")), &nest(any, "b", tag("web"))), None);
    }

    #[test]
    fn a_condition_is_elsewhere_where_its_regions_are() {
        let region = |text: &str| Match::Location(Location::new(text));
        for (condition, expected) in [
            (region("West Europe"), false),
            (region("northeurope"), true),
            (tag("db"), false),
            (all(&[tag("db"), region("northeurope")]), true),
            (any(&[tag("db"), region("northeurope")]), false),
            (any(&[region("uksouth"), region("northeurope")]), true),
            (not(region("westeurope")), true),
            (not(region("northeurope")), false),
            (not(any(&[region("westeurope"), tag("db")])), true),
            (not(not(region("northeurope"))), true),
            (not(name("*")), true),
        ] {
            assert_eq!(is_elsewhere(&condition, &Location::new("westeurope")), expected, "{condition:?}");
        }
    }
}
