//! Reads `spec.points`: what Lifeboat makes itself, when, and how long it is kept.
//! It never judges whether a rule can be met; that is asked of the whole policy.

use lifeboat_planning::policy::{AtLeast, DiskMatch, OnCreate, PointEntry, PointKind, WhenMachineDeleted};
use std::collections::BTreeMap;

use super::document::if_there;
use super::form;
use super::matching;
use super::problem::{Advice, Fault, First};
use super::reader::{Complaint, Reader, is_text};
use super::tree::{Node, Value};

/// Reads the entries.
pub fn read(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Vec<PointEntry>> {
    let items = reader.list(node, path)?;
    if let Some(beyond) = items.get(form::POINTS_MAX) {
        let expected = format!("at most {}", form::POINTS_MAX);
        reader.complain(beyond.at, path, Complaint::of(Fault::TooManyItems(items.len())).expected(expected));
        return None;
    }
    let read: Vec<_> = items.iter().enumerate().map(|(i, item)| entry(reader, item, &format!("{path}[{i}]"))).collect();
    let mut first_lines = BTreeMap::new();
    for (i, (item, entry)) in items.iter().zip(&read).enumerate() {
        let Some(entry) = entry else { continue };
        let name = entry.name.clone();
        let Some(first_line) = first_lines.insert(name.clone(), item.at.line) else { continue };
        first_lines.insert(name.clone(), first_line);
        let fault = Fault::NameTaken { name, first: First::Line(first_line) };
        let complaint = Complaint::of(fault).expected("a name of its own for each entry").advice(Advice::Rename);
        reader.complain(item.at, &format!("{path}[{i}].name"), complaint);
    }
    read.into_iter().collect()
}

fn entry(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<PointEntry> {
    let fields = reader.fields(node, path, form::POINT)?;
    let at = |name: &str| format!("{path}.{name}");
    let name = fields.get("name").and_then(|n| reader.name(n, &at("name"), form::ENTRY_NAME_CHARS_MAX));
    let kind = fields
        .get("kind")
        .and_then(|n| reader.choice(n, &at("kind"), form::POINT_KINDS, form::POINT_KINDS_LATER))
        .map(|kind| if kind == "snapshot" { PointKind::Snapshot } else { PointKind::RestorePoint });
    let at_least = if_there(&fields, "consistency", |n| consistency(reader, n, &at("consistency")));
    let on_create = if_there(&fields, "onCreate", |n| on_create(reader, n, &at("onCreate")));
    let exclude_disks = if_there(&fields, "excludeDisks", |n| exclude_disks(reader, n, &at("excludeDisks")));
    let when_deleted = if_there(&fields, "whenMachineDeleted", |n| when_deleted(reader, n, &at("whenMachineDeleted")));
    reader.need_one_of(node, path, &fields, form::POINT_NEEDS);
    Some(PointEntry {
        name: name?,
        kind: kind?,
        at_least: at_least?.unwrap_or_default(),
        on_create: on_create?,
        exclude_disks: exclude_disks?,
        when_machine_deleted: when_deleted?.unwrap_or_default(),
    })
}

fn consistency(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<AtLeast> {
    let fields = reader.fields(node, path, form::CONSISTENCY)?;
    let least = fields.get("atLeast")?;
    Some(match reader.choice(least, &format!("{path}.atLeast"), form::CONSISTENCIES, &[])? {
        "application" => AtLeast::Application,
        "fileSystem" => AtLeast::FileSystem,
        _ => AtLeast::Crash,
    })
}

fn on_create(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<OnCreate> {
    let fields = reader.fields(node, path, form::ON_CREATE)?;
    let within = reader.span(fields.get("within")?, &format!("{path}.within"), form::WITHIN)?;
    Some(OnCreate { within })
}

fn exclude_disks(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<DiskMatch> {
    let fields = reader.fields(node, path, form::EXCLUDE_DISKS)?;
    let (key, value) = matching::tag(reader, fields.get("tag")?, &format!("{path}.tag"))?;
    Some(DiskMatch::Tag { key, value })
}

fn when_deleted(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<WhenMachineDeleted> {
    // `expireAfter: 30d` is a mapping; of all that it could say, only that it is not built yet matters.
    if let Value::Map(entries) = &node.value
        && let Some((key, _)) = entries.iter().find(|(key, _)| is_text(key, "expireAfter"))
    {
        reader.not_built_yet(key.at, path, "expireAfter");
        return None;
    }
    reader.choice(node, path, form::WHEN_DELETED, form::WHEN_DELETED_LATER).map(|_| WhenMachineDeleted::KeepLast)
}
