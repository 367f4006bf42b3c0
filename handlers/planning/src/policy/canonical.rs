//! Conditions as bytes to be compared and hashed: one spelling for those that say the same.
//! It never looks at a machine.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Glob, Match, Os};

impl Match {
    /// One spelling for conditions that say the same by the order of their parts, by case, or by an `all` or `any` of one.
    ///
    /// Lengths stand before texts, so that no text can pass for another condition.
    pub fn canonical(&self) -> String {
        let pattern = |word: &str, glob: &Glob| text(word, &glob.pattern().to_lowercase());
        match self {
            Self::All(parts) => several("all", parts),
            Self::Any(parts) => several("any", parts),
            Self::Not(part) => format!("not[{}]", part.canonical()),
            // Azure takes keys without regard to case, and so do we.
            Self::Tag { key, value } => {
                format!("{} {}", text("tag", &key.to_lowercase()), text("value", value.pattern()))
            }
            Self::Name(glob) => pattern("name", glob),
            Self::ResourceGroup(glob) => pattern("resourceGroup", glob),
            Self::Subscription(id) => text("subscription", &id.to_lowercase()),
            Self::Location(location) => text("location", location.as_str()),
            Self::Os(Os::Windows) => text("os", "windows"),
            Self::Os(Os::Linux) => text("os", "linux"),
            Self::Size(glob) => pattern("size", glob),
            Self::NoConformingPointFor(time) => format!("noConformingPointFor:{}s", time.as_secs()),
        }
    }
}

fn several(word: &str, parts: &[Match]) -> String {
    if let [one] = parts {
        return one.canonical();
    }
    let mut parts: Vec<String> = parts.iter().map(Match::canonical).collect();
    parts.sort_unstable();
    parts.dedup();
    format!("{word}[{}]", parts.join(","))
}

fn text(word: &str, text: &str) -> String {
    format!("{word}:{}:{text}", text.len())
}

#[cfg(test)]
mod tests {
    use super::super::{Case, Location};
    use super::*;
    use alloc::boxed::Box;
    use alloc::vec;

    fn name(glob: &str) -> Match {
        Match::Name(Glob::new(glob, Case::Insensitive))
    }

    fn tag(key: &str, value: &str) -> Match {
        Match::Tag { key: key.into(), value: Glob::new(value, Case::Sensitive) }
    }

    #[test]
    fn conditions_that_say_the_same_are_spelt_the_same_and_others_are_not() {
        let (a, b) = (|| name("a"), || tag("env", "prod"));
        for (one, other, same) in [
            (name("A"), name("a"), true),
            (tag("ENV", "prod"), b(), true),
            (tag("env", "PROD"), b(), false),
            (Match::All(vec![a(), b()]), Match::All(vec![b(), a()]), true),
            (Match::All(vec![a(), b()]), Match::Any(vec![a(), b()]), false),
            (Match::Any(vec![a()]), Match::All(vec![a()]), true),
            (Match::Not(Box::new(a())), a(), false),
            (Match::Location(Location::new("West Europe")), Match::Location(Location::new("westeurope")), true),
            (Match::Os(Os::Linux), Match::Os(Os::Windows), false),
            (name("a,name:1:b"), Match::All(vec![a(), name("b")]), false),
            (tag("a", "value:1:b"), tag("a value:1:b", ""), false),
        ] {
            assert_eq!(one.canonical() == other.canonical(), same, "{one:?} {other:?}");
        }
        assert_eq!(Match::All(vec![b(), a()]).canonical(), "all[name:1:a,tag:3:env value:4:prod]");
    }
}
