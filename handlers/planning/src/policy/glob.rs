//! Patterns over a whole text: `*` is any run of characters, `?` is one.
//! It never knows what the text is.

use alloc::string::{String, ToString};

/// A pattern over a whole text: `*` is any run of characters, `?` is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    pattern: String,
    case: Case,
    /// It has no wildcard: found once, because a sweep asks it of each machine.
    literal: bool,
}

/// Whether a comparison tells upper from lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// As Azure compares tag values.
    Sensitive,
    /// As Azure compares names, groups, sizes and ids.
    Insensitive,
}

impl Glob {
    /// A pattern; every text is one.
    pub fn new(pattern: &str, case: Case) -> Self {
        Self { pattern: pattern.to_string(), case, literal: !pattern.contains(['*', '?']) }
    }

    /// The pattern as written.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// True when the pattern has no wildcard.
    pub fn is_literal(&self) -> bool {
        self.literal
    }

    /// True when the text is the pattern letter by letter, wildcards not meaning anything.
    pub fn is_literally(&self, text: &str) -> bool {
        equal(&self.pattern, text, self.case)
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

pub(super) fn equal(a: &str, b: &str, case: Case) -> bool {
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
    if a == b || case == Case::Sensitive {
        return a == b;
    }
    // Almost all that is compared here is ASCII, and a sweep compares all of an estate.
    if a.is_ascii() && b.is_ascii() { a.eq_ignore_ascii_case(&b) } else { a.to_lowercase().eq(b.to_lowercase()) }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
