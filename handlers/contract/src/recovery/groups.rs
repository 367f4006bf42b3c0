//! Reads `spec.groups`: which machines fail over together, in which order, and what is done between.
//! It never knows which machines there are; the estate is asked elsewhere.

use lifeboat_planning::policy::Match;
use lifeboat_planning::recovery::{Action, Group};
use std::collections::BTreeMap;

use super::fault::RecoveryFault;
use super::form;
use crate::policy::document::if_there;
use crate::policy::form::CONDITIONS;
use crate::policy::matching;
use crate::policy::problem::{Advice, Fault, First};
use crate::policy::reader::{Complaint, Reader, is_text, one_of};
use crate::policy::tree::{Node, Place, Value};

/// Reads the groups.
pub fn read(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Vec<Group>> {
    let items = reader.list_of_at_most(node, path, form::GROUPS_MAX)?;
    let read: Vec<_> = items.iter().enumerate().map(|(i, item)| group(reader, item, &format!("{path}[{i}]"))).collect();
    let mut first_lines = BTreeMap::new();
    for (i, (item, group)) in items.iter().zip(&read).enumerate() {
        let Some(group) = group else { continue };
        let (name, at) = (group.name.clone(), item.place_of("name"));
        let Some(first_line) = first_lines.insert(name.clone(), at.line) else { continue };
        first_lines.insert(name.clone(), first_line);
        let fault = Fault::NameTaken { name, first: First::Line(first_line) };
        let complaint = Complaint::of(fault).expected("a name of its own for each group").advice(Advice::Rename);
        reader.complain(at, &format!("{path}[{i}].name"), complaint);
    }
    read.into_iter().collect()
}

fn group(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Group> {
    let fields = reader.fields(node, path, form::GROUP)?;
    let at = |name: &str| format!("{path}.{name}");
    let name = fields.get("name").and_then(|n| reader.name(n, &at("name"), form::GROUP_NAME_CHARS_MAX));
    let members = fields.get("members").and_then(|n| members(reader, n, &at("members")));
    let before = if_there(&fields, "before", |n| actions(reader, n, &at("before")));
    let after = if_there(&fields, "after", |n| actions(reader, n, &at("after")));
    Some(Group {
        name: name?,
        members: members?,
        before: before?.unwrap_or_default(),
        after: after?.unwrap_or_default(),
    })
}

fn members(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Match> {
    let age = place_of_age(node);
    // Where it is there it is told by itself, with the reason, and not as a field that there is not.
    let conditions = if age.is_some() { CONDITIONS } else { form::MEMBER_CONDITIONS };
    let members = matching::read(reader, node, path, conditions);
    let Some(at) = age else { return members };
    let expected = one_of(form::MEMBER_CONDITIONS.iter().map(|field| field.name));
    let fault = Fault::RecoveryPlan(RecoveryFault::AgeOfPoints);
    reader.complain(at, path, Complaint::of(fault).expected(expected));
    None
}

/// Where the first condition on the age of points stands. What a tag is called is no condition.
fn place_of_age(node: &Node) -> Option<Place> {
    match &node.value {
        Value::Map(entries) => entries.iter().find_map(|(key, value)| match key {
            key if is_text(key, form::NO_MEMBER_CONDITION) => Some(key.at),
            key if is_text(key, "tag") => None,
            _ => place_of_age(value),
        }),
        Value::List(items) => items.iter().find_map(place_of_age),
        _ => None,
    }
}

fn actions(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Vec<Action>> {
    let items = reader.list_of_at_most(node, path, form::ACTIONS_MAX)?;
    let read: Vec<_> =
        items.iter().enumerate().map(|(i, item)| action(reader, item, &format!("{path}[{i}]"))).collect();
    read.into_iter().collect()
}

fn action(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Action> {
    if let Value::Map(entries) = &node.value
        && entries.is_empty()
    {
        let fault = Fault::RecoveryPlan(RecoveryFault::EmptyAction);
        reader.complain(node.at, path, Complaint::of(fault).expected("wait or approve"));
        return None;
    }
    let entries = reader.entries(node, path, form::ACTION)?;
    if let Some((_, second, _)) = entries.get(1) {
        let fault = Fault::RecoveryPlan(RecoveryFault::SeveralActions(entries.len()));
        reader.complain(*second, path, Complaint::of(fault).expected("exactly one").advice(Advice::SplitItem));
    }
    // Each is read, so that each is checked.
    let read: Vec<_> = entries
        .iter()
        .map(|(name, _, value)| match *name {
            "wait" => reader.span(value, &format!("{path}.wait"), form::WAIT).map(Action::Wait),
            _ => question(reader, value, &format!("{path}.approve")).map(Action::Approve),
        })
        .collect();
    let single = read.len() == 1;
    read.into_iter().next().flatten().filter(|_| single)
}

/// A question in one line: it stands in messages, where a second one could pass for ours.
fn question(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<String> {
    let expected = format!("a question for a person, of 1 to {} characters in one line", form::QUESTION_CHARS_MAX);
    let text = reader.text(node, path, &expected, form::QUESTION_CHARS_MAX)?;
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if !text.trim().is_empty() && !text.contains(breaks) {
        return Some(text.to_string());
    }
    reader.complain(node.at, path, Complaint::of(Fault::WrongValue(text.to_string())).expected(expected));
    None
}
