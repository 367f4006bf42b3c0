//! Reads a document's tree into a backup policy: what stands around `vault` and `points`, and what all documents have.
//! It never gives a policy while there is a problem.

use jiff::SignedDuration;
use lifeboat_planning::policy::{BackupPolicy, Limits, Match, Mode, PointEntry, VaultRule};

use super::form;
use super::problem::{Fault, Problem};
use super::reader::{Complaint, Fields, Reader};
use super::tree::{Node, Value};
use super::{matching, points, vault};

/// Reads a policy out of a tree, or every problem found in it; one at least. `kinds` are those that may stand there.
pub fn read(root: &Node, file: &str, kinds: &[&'static str]) -> Result<BackupPolicy, Vec<Problem>> {
    let mut reader = Reader::new(file);
    let policy = around(&mut reader, root, kinds).and_then(|(name, node)| policy(name, spec(&mut reader, node?)?));
    match policy {
        Some(policy) if reader.is_content() => Ok(policy),
        _ => Err(reader.into_problems()),
    }
}

fn policy(name: Option<String>, spec: Spec) -> Option<BackupPolicy> {
    let Spec { mode, priority, matches, rpo, vault, points, limits } = spec;
    Some(BackupPolicy { name: name?, mode, priority, matches, rpo, vault, points, limits })
}

/// Reads what stands around `spec` in every document: its name, and where `spec` is.
pub fn around<'n>(
    reader: &mut Reader<'_>,
    root: &'n Node,
    kinds: &[&'static str],
) -> Option<(Option<String>, Option<&'n Node>)> {
    if matches!(root.value, Value::Null) {
        reader.complain(root.at, "", Complaint::of(Fault::EmptyDocument));
        return None;
    }
    let fields = reader.fields(root, "", form::DOCUMENT)?;
    if let Some(version) = fields.get("apiVersion") {
        reader.choice(version, "apiVersion", &[form::API_VERSION], &[]);
    }
    if let Some(kind) = fields.get("kind") {
        reader.choice(kind, "kind", kinds, &[]);
    }
    let name = fields.get("metadata").and_then(|node| metadata(reader, node));
    Some((name, fields.get("spec").copied()))
}

fn metadata(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let fields = reader.fields(node, "metadata", form::METADATA)?;
    reader.name(fields.get("name")?, "metadata.name", form::POLICY_NAME_CHARS_MAX)
}

/// What `spec` asks for.
struct Spec {
    mode: Mode,
    priority: i32,
    matches: Match,
    rpo: Option<SignedDuration>,
    vault: Option<VaultRule>,
    points: Vec<PointEntry>,
    limits: Limits,
}

fn spec(reader: &mut Reader<'_>, node: &Node) -> Option<Spec> {
    let fields = reader.fields(node, "spec", form::SPEC)?;
    // Each is read before any is missed, so that each is checked.
    let mode = if_there(&fields, "mode", |n| {
        Some(match reader.choice(n, "spec.mode", form::MODES, &[])? {
            "enforce" => Mode::Enforce,
            _ => Mode::Report,
        })
    });
    let priority = if_there(&fields, "priority", |n| reader.whole(n, "spec.priority", form::PRIORITY));
    let matches = fields.get("match").and_then(|n| matching::read(reader, n, "spec.match", form::CONDITIONS));
    let rpo = if_there(&fields, "rpo", |n| reader.span(n, "spec.rpo", form::AGE));
    let vault = if_there(&fields, "vault", |n| vault::read(reader, n, "spec.vault"));
    let points = if_there(&fields, "points", |n| points::read(reader, n, "spec.points"));
    let limits = if_there(&fields, "limits", |n| limits(reader, n, "spec.limits"));
    reader.need_one_of(node, "spec", &fields, form::SPEC_NEEDS);
    Some(Spec {
        mode: mode?.unwrap_or_default(),
        priority: i32::try_from(priority?.unwrap_or(form::PRIORITY_DEFAULT)).ok()?,
        matches: matches?,
        rpo: rpo?,
        vault: vault?,
        points: points?.unwrap_or_default(),
        limits: limits?.unwrap_or_default(),
    })
}

fn limits(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Limits> {
    let fields = reader.fields(node, path, form::LIMITS)?;
    let mut limit = |name: &str, bounds: form::Whole, default: u32| {
        let number = if_there(&fields, name, |n| reader.whole(n, &format!("{path}.{name}"), bounds))?;
        number.map_or(Some(default), |number| u32::try_from(number).ok())
    };
    let usual = Limits::default();
    let expire = limit("expirePerDay", form::PER_DAY, usual.expire_per_day);
    let percent = limit("expirePercentPerDay", form::PERCENT, usual.expire_percent_per_day);
    let protections = limit("newProtectionsPerDay", form::PER_DAY, usual.new_protections_per_day);
    Some(Limits { expire_per_day: expire?, expire_percent_per_day: percent?, new_protections_per_day: protections? })
}

/// `Some(None)` where the field is not there, `None` where it is and cannot be read.
pub fn if_there<T>(fields: &Fields<'_>, name: &str, read: impl FnOnce(&Node) -> Option<T>) -> Option<Option<T>> {
    match fields.get(name) {
        None => Some(None),
        Some(node) => read(node).map(Some),
    }
}
