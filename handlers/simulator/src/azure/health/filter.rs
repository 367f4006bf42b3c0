//! Filters in the small language of ARM's listings: comparisons by `eq`, joined by `and` and `or`.
//! It never ignores what it does not know: the whole filter is refused then.

use super::super::errors::{ArmError, invalid_content};

/// A filter: one of the inner lists must hold as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter(Vec<Vec<(String, String)>>);

impl Filter {
    /// Reads a filter over these names. A leading `properties/` does not count.
    pub(super) fn parse(text: &str, names: &[&str]) -> Result<Self, ArmError> {
        let clause = |clause: &str| {
            let (name, value) = clause.split_once(" eq ")?;
            let name = name.trim();
            let name = name.strip_prefix("properties/").unwrap_or(name);
            let known = names.iter().find(|known| known.eq_ignore_ascii_case(name))?;
            let value = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
            Some(((*known).to_owned(), value.to_owned()))
        };
        let all = |part: &str| part.split(" and ").map(clause).collect::<Option<Vec<_>>>();
        let read = text.split(" or ").map(all).collect::<Option<Vec<_>>>();
        read.map(Self).ok_or_else(|| invalid_content(&format!("The filter '{text}' is not supported")))
    }

    /// Whether it holds; the closure says whether a name has a value.
    pub(super) fn holds(&self, mut has: impl FnMut(&str, &str) -> bool) -> bool {
        self.0.iter().any(|all| all.iter().all(|(name, value)| has(name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_holds_as_its_words_say() {
        let filter = Filter::parse(
            "service eq 'A' and region eq 'x' or properties/status eq 'Active'",
            &["service", "region", "status"],
        )
        .unwrap();
        let holds = |facts: &[(&str, &str)]| filter.holds(|name, value| facts.contains(&(name, value)));
        assert!(holds(&[("service", "A"), ("region", "x")]));
        assert!(holds(&[("status", "Active")]));
        assert!(!holds(&[("service", "A")]));
    }

    #[test]
    fn a_filter_with_an_unknown_word_is_refused_as_a_whole() {
        for text in ["level eq 'x'", "service ne 'x'", "service eq x", "", "service eq 'a' and"] {
            assert!(Filter::parse(text, &["service"]).is_err(), "{text}");
        }
    }
}
