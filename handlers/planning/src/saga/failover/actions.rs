//! What comes before and after a group: waits, and words of a person, who may take another recovery point for what was failed over by then.
//! It never asks about what was not failed over yet: that takes the point that the order names.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::table::{ANOTHER_POINT, another_point, asked, running, step};
use super::{Action, Failover, Group, Member};
use crate::saga::table::{Does, Step};
use crate::saga::words::{Ask, Choice};

/// Where an action stands.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Before,
    After,
}

impl Side {
    const fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }

    fn of(self, group: &Group) -> &[Action] {
        match self {
            Self::Before => &group.before,
            Self::After => &group.after,
        }
    }

    /// How many groups were failed over by then, where this is the group of that number.
    const fn groups(self, number: usize) -> usize {
        match self {
            Self::Before => number,
            Self::After => number + 1,
        }
    }
}

/// What comes before or after a group: a wait, or a word. Where members were failed over by then, whoever is asked may take another recovery
/// point for them, and is asked again.
pub(super) fn steps(of: &Failover, number: usize, side: Side) -> Vec<Step<Failover>> {
    let group = &of.order.groups[number];
    let mut steps = Vec::new();
    for (at, action) in side.of(group).iter().enumerate() {
        let name = |what: &str| action_name(group, side, at, what);
        match action {
            Action::Wait(wait) => steps.push(step(&name("wait"), Does::Wait(*wait))),
            Action::Approve(words) if side.groups(number) == 0 => {
                steps.push(step(&name("word"), asked(Ask::Approve, words, &[Choice::GoOn, Choice::Undo])));
            }
            Action::Approve(words) => {
                let (word, another) = (name("word"), name(ANOTHER_POINT));
                let is_chosen = of.memory.another_at.contains(&word);
                let chosen = || failed_over(of, side.groups(number)).filter(|_| is_chosen);
                steps.push(step(&another, another_point(of, chosen())));
                steps.push(step(&name("running with it"), running(chosen().collect())));
                let choices = [Choice::GoOn, Choice::AnotherPoint, Choice::Undo, Choice::FailBack];
                let mut does = asked(Ask::Approve, words, &choices);
                if let Does::Ask(asked) = &mut does {
                    asked.another = Some(another);
                }
                steps.push(step(&word, does));
            }
        }
    }
    steps
}

fn action_name(group: &Group, side: Side, at: usize, what: &str) -> String {
    format!("group {}: {} {} {what}", group.name, side.word(), at + 1)
}

/// The members of the first so many groups that no person left out.
fn failed_over(of: &Failover, groups: usize) -> impl Iterator<Item = &Arc<Member>> {
    let members = of.order.groups.iter().take(groups).flat_map(|group| &group.members);
    members.filter(|it| !of.memory.of(&it.name).left_out)
}

/// The names of the members that were failed over before the word of an action; none where the step is no such word.
pub(super) fn failed_over_before(of: &Failover, step: &str) -> Option<Vec<String>> {
    let places = of.order.groups.iter().enumerate();
    let places = places.flat_map(|(number, group)| [Side::Before, Side::After].map(|side| (number, group, side)));
    let is_it =
        |group: &Group, side: Side| (0..side.of(group).len()).any(|at| action_name(group, side, at, "word") == step);
    let (number, _, side) = places.into_iter().find(|(_, group, side)| is_it(group, *side))?;
    Some(failed_over(of, side.groups(number)).map(|it| it.name.clone()).collect())
}
