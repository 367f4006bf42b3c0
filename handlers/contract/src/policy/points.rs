//! Reads `spec.points`: what Lifeboat makes itself, when, and how long it is kept.
//! It never judges whether a rule can be met; that is asked of the whole policy.

use jiff::tz::TimeZone;
use lifeboat_planning::policy::{AtLeast, DiskMatch, OnCreate, PointEntry, PointKind, WhenMachineDeleted};
use lifeboat_planning::retention::Keep;
use lifeboat_planning::schedule::{Cron, Schedule};
use std::collections::BTreeMap;

use super::cron::{self, CronProblem};
use super::document::if_there;
use super::form;
use super::matching;
use super::problem::{Advice, Fault, First};
use super::reader::{Complaint, Reader, is_text};
use super::tree::{Node, Value};

/// Reads the entries.
pub fn read(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Vec<PointEntry>> {
    let items = reader.list_of_at_most(node, path, form::POINTS_MAX)?;
    let read: Vec<_> = items.iter().enumerate().map(|(i, item)| entry(reader, item, &format!("{path}[{i}]"))).collect();
    let mut first_lines = BTreeMap::new();
    for (i, (item, entry)) in items.iter().zip(&read).enumerate() {
        let Some(entry) = entry else { continue };
        let (name, at) = (entry.name.clone(), item.place_of("name"));
        let Some(first_line) = first_lines.insert(name.clone(), at.line) else { continue };
        first_lines.insert(name.clone(), first_line);
        let fault = Fault::NameTaken { name, first: First::Line(first_line) };
        let complaint = Complaint::of(fault).expected("a name of its own for each entry").advice(Advice::Rename);
        reader.complain(at, &format!("{path}[{i}].name"), complaint);
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
    let schedule = if_there(&fields, "schedule", |n| schedule(reader, n, &at("schedule")));
    let on_create = if_there(&fields, "onCreate", |n| on_create(reader, n, &at("onCreate")));
    let exclude_disks = if_there(&fields, "excludeDisks", |n| exclude_disks(reader, n, &at("excludeDisks")));
    let keep = if_there(&fields, "keep", |n| keep(reader, n, &at("keep")));
    let when_deleted = if_there(&fields, "whenMachineDeleted", |n| when_deleted(reader, n, &at("whenMachineDeleted")));
    reader.need_one_of(node, path, &fields, form::POINT_NEEDS);
    Some(PointEntry {
        name: name?,
        kind: kind?,
        at_least: at_least?.unwrap_or_default(),
        schedule: schedule?,
        on_create: on_create?,
        exclude_disks: exclude_disks?,
        keep: keep?,
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

fn schedule(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Schedule> {
    let fields = reader.fields(node, path, form::SCHEDULE)?;
    let cron = fields.get("cron").and_then(|n| cron_text(reader, n, &format!("{path}.cron")));
    let zone = fields.get("timezone").and_then(|n| zone(reader, n, &format!("{path}.timezone")));
    Some(Schedule::new(cron?, zone?))
}

fn cron_text(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Cron> {
    let text = reader.text(node, path, cron::CRON_EXPECTED, cron::CRON_BYTES_MAX)?;
    let read = cron::parse_cron(text);
    read.map_err(|problem| no_schedule(reader, node, path, problem)).ok()
}

fn zone(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<TimeZone> {
    let text = reader.text(node, path, cron::ZONE_EXPECTED, form::ZONE_CHARS_MAX)?;
    let read = cron::parse_zone(text);
    read.map_err(|problem| no_schedule(reader, node, path, problem)).ok()
}

fn no_schedule(reader: &mut Reader<'_>, node: &Node, path: &str, problem: CronProblem) {
    let (expected, nearest) = (problem.expected(), problem.nearest().map(str::to_string));
    let complaint = Complaint::of(Fault::NoSchedule(problem)).expected(expected);
    reader.complain(node.at, path, Complaint { nearest, ..complaint });
}

fn keep(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Keep> {
    let fields = reader.fields(node, path, form::KEEP)?;
    let mut count = |name: &str| {
        let number = if_there(&fields, name, |n| reader.whole(n, &format!("{path}.{name}"), form::KEEP_COUNT))?;
        number.map_or(Some(0), |number| u32::try_from(number).ok())
    };
    let [last, hourly, daily, weekly] = ["last", "hourly", "daily", "weekly"].map(&mut count);
    let [monthly, yearly, min] = ["monthly", "yearly", "min"].map(&mut count);
    let within = if_there(&fields, "within", |n| reader.span(n, &format!("{path}.within"), form::KEEP_WITHIN));
    reader.need_one_of(node, path, &fields, form::KEEP_NEEDS);
    Some(Keep {
        last: last?,
        hourly: hourly?,
        daily: daily?,
        weekly: weekly?,
        monthly: monthly?,
        yearly: yearly?,
        within: within?,
        min: min?,
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
