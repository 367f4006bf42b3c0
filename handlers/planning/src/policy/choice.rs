//! Which of several policies a machine follows: of those that match, the one with the highest priority.
//! It never picks between equals: the machine is left alone, and that is said.

use alloc::vec::Vec;

use super::{BackupPolicy, MachineAttributes, matches};

/// The policy that a machine follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice<'a> {
    /// None matches.
    None,
    /// This one.
    One(&'a BackupPolicy),
    /// These have the same highest priority, in the order of their names: nothing is changed.
    Equal(Vec<&'a BackupPolicy>),
}

/// Chooses. The order of the policies makes no difference.
pub fn choose<'a>(policies: &'a [BackupPolicy], machine: &MachineAttributes) -> Choice<'a> {
    let mut best: Option<&BackupPolicy> = None;
    let mut equals: Vec<&BackupPolicy> = Vec::new();
    for policy in policies {
        // What has less priority than one that matches need not be held against the machine.
        if best.is_some_and(|best| policy.priority < best.priority) || !matches(&policy.matches, machine) {
            continue;
        }
        match best {
            Some(first) if policy.priority == first.priority => equals.push(policy),
            _ => {
                best = Some(policy);
                equals.clear();
            }
        }
    }
    match best {
        None => Choice::None,
        Some(one) if equals.is_empty() => Choice::One(one),
        Some(first) => {
            equals.push(first);
            equals.sort_by(|one, other| one.name.cmp(&other.name));
            Choice::Equal(equals)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Case, Glob, Limits, Match, Mode};

    fn policy(name: &str, priority: i32, machines: &str) -> BackupPolicy {
        BackupPolicy {
            name: name.into(),
            mode: Mode::Enforce,
            priority,
            matches: Match::Name(Glob::new(machines, Case::Insensitive)),
            rpo: None,
            vault: None,
            points: Vec::new(),
            limits: Limits::default(),
        }
    }

    #[test]
    fn the_highest_priority_of_those_that_match_is_followed_and_equals_are_left_alone() {
        let machine = |name: &str| MachineAttributes { name: name.into(), ..MachineAttributes::default() };
        let all = [policy("b", 100, "web-*"), policy("a", 100, "*-1"), policy("low", 0, "*"), policy("top", 200, "db")];
        let name = |machine_name: &str| match choose(&all, &machine(machine_name)) {
            Choice::One(policy) => alloc::vec![policy.name.clone()],
            Choice::Equal(policies) => policies.into_iter().map(|policy| policy.name.clone()).collect(),
            Choice::None => Vec::new(),
        };
        assert_eq!(name("web-2"), ["b"]);
        assert_eq!(name("web-1"), ["a", "b"]);
        assert_eq!(name("other"), ["low"]);
        assert_eq!(name("db"), ["top"]);
        assert!(choose(&all[..2], &machine("other")) == Choice::None);
    }
}
