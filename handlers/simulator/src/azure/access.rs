//! Who may do what: actions with wildcards, granted over a scope and everything under it.
//! It never looks at tokens, and knows no role by name.

use serde::{Deserialize, Serialize};

/// Allowed actions over one scope, less those taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Where it holds, as `/subscriptions/…`; everything under it included. `/` is everywhere.
    pub scope: String,
    /// Actions with `*` for any text, as `Microsoft.Compute/*/read`.
    pub actions: Vec<String>,
    /// Actions that this grant does not give after all.
    #[serde(default, rename = "notActions")]
    pub not_actions: Vec<String>,
}

impl Grant {
    /// Everything, everywhere.
    pub fn owner() -> Self {
        Self { scope: "/".to_owned(), actions: vec!["*".to_owned()], not_actions: Vec::new() }
    }

    /// These actions over a subscription.
    pub fn over_subscription(subscription: &str, actions: &[&str]) -> Self {
        Self {
            scope: format!("/subscriptions/{subscription}"),
            actions: actions.iter().map(|&action| action.to_owned()).collect(),
            not_actions: Vec::new(),
        }
    }
}

/// Whether the grants allow an action over a scope.
pub(crate) fn allows(grants: &[Grant], action: &str, scope: &str) -> bool {
    grants.iter().any(|grant| {
        covers(&grant.scope, scope)
            && grant.actions.iter().any(|pattern| matches(pattern, action))
            && !grant.not_actions.iter().any(|pattern| matches(pattern, action))
    })
}

/// Whether the grants allow any read at all somewhere in a scope.
pub(crate) fn reads_something(grants: &[Grant], scope: &str) -> bool {
    let reads = |pattern: &String| pattern.ends_with('*') || pattern.to_ascii_lowercase().ends_with("/read");
    grants.iter().any(|grant| covers(&grant.scope, scope) && grant.actions.iter().any(reads))
}

/// Whether an action fits a pattern with `*`; case does not matter.
pub(crate) fn matches(pattern: &str, action: &str) -> bool {
    if !pattern.contains('*') {
        return pattern.eq_ignore_ascii_case(action);
    }
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| action.strip_prefix(first)) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let last = pieces.pop().unwrap_or("");
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

fn covers(granted: &str, scope: &str) -> bool {
    let granted = granted.trim_end_matches('/');
    let rest = scope
        .get(granted.len()..)
        .filter(|_| scope.as_bytes()[..granted.len()].eq_ignore_ascii_case(granted.as_bytes()));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wildcards_match_as_azure_roles_do() {
        let cases = [
            ("*", "Microsoft.Compute/virtualMachines/read", true),
            ("*/read", "Microsoft.Compute/virtualMachines/read", true),
            ("*/read", "Microsoft.Compute/virtualMachines/write", false),
            ("Microsoft.Compute/*/read", "microsoft.compute/restorePointCollections/restorePoints/READ", true),
            ("Microsoft.Compute/virtualMachines/read", "Microsoft.Compute/virtualMachines/readAll", false),
            ("Microsoft.Compute/virtualMachines/*", "Microsoft.Compute/virtualMachines", false),
        ];
        for (pattern, action, expected) in cases {
            assert_eq!(matches(pattern, action), expected, "{pattern} on {action}");
        }
    }

    #[test]
    fn a_grant_holds_under_its_scope_only_and_less_what_it_takes_away() {
        let mut grant = Grant::over_subscription("s1", &["Microsoft.Compute/*"]);
        let action = "Microsoft.Compute/virtualMachines/write";
        assert!(allows(std::slice::from_ref(&grant), action, "/subscriptions/S1/resourceGroups/g"));
        assert!(!allows(std::slice::from_ref(&grant), action, "/subscriptions/s11"));
        grant.not_actions.push("*/write".to_owned());
        assert!(!allows(&[grant], action, "/subscriptions/s1"));
        assert!(allows(&[Grant::owner()], action, "/subscriptions/s1"));
    }

    proptest! {
        #[test]
        fn no_pattern_makes_the_matcher_panic(pattern in "\\PC{0,40}", action in "\\PC{0,40}") {
            let _ = matches(&pattern, &action);
        }
    }
}
