//! Reads of a recovery plan what a declaration needs: `metadata.name`, `spec.from`, `spec.to`, `spec.declaration`.
//! It never judges the rest of the document: the reader of recovery plans does, and this function is where it is put in place.

use std::collections::BTreeSet;

use lifeboat_planning::declaration::{By, Evidence, Fence, Rules, Watched};
use lifeboat_planning::signal::Origin;

use super::document::if_there;
use super::form::{self, API_VERSION, Field, RECOVERY_PLAN, Span, Standing, Whole};
use super::problem::{Fault, Problem};
use super::reader::{Complaint, Reader, join};
use super::tree::{self, Node, Value};

const DOCUMENT: &[Field] = &[required("apiVersion"), required("kind"), required("metadata"), required("spec")];
const METADATA: &[Field] = &[required("name"), optional("formerly")];
const SPEC: &[Field] = &[
    required("from"),
    required("to"),
    optional("declaration"),
    optional("replication"),
    optional("groups"),
    optional("traffic"),
    optional("readiness"),
    optional("drill"),
];
const DECLARATION: &[Field] = &[
    optional("by"),
    optional("approvals"),
    optional("evidence"),
    optional("cooldown"),
    optional("fence"),
    optional("maxDataLoss"),
];
const EVIDENCE: &[Field] = &[optional("reported"), optional("measured"), optional("atLeast"), optional("for")];

/// Values of `by`.
const BY: &[&str] = &["person", "approval", "rules"];
/// Values of `fence`.
const FENCES: &[&str] = &["required", "bestEffort"];
/// Values of `evidence.reported`.
const REPORTED: &[&str] = &["serviceHealth", "resourceHealth"];
/// Values of `evidence.measured`.
const MEASURED: &[&str] = &["probe", "metricAlert"];
/// Bounds of `approvals`.
const APPROVALS: Whole = Whole { least: 1, most: 2 };
/// Bounds of `evidence.atLeast`: one source never suffices, and there are four.
const AT_LEAST: Whole = Whole { least: 2, most: 4 };
/// Bounds of `evidence.for`: below five minutes a flap would do; who waits longer than a day decides by hand.
const FOR: Span = Span { least: "5m", most: "1d" };
/// Bounds of `cooldown`.
const COOLDOWN: Span = Span { least: "1h", most: "7d" };
/// Bounds of `maxDataLoss`: below a minute no replication keeps it.
const DATA_LOSS: Span = Span { least: "1m", most: "7d" };
/// The longest name of a region that is read.
const REGION_CHARS_MAX: usize = 64;

const fn required(name: &'static str) -> Field {
    Field { name, standing: Standing::Required }
}

const fn optional(name: &'static str) -> Field {
    Field { name, standing: Standing::Optional }
}

/// Reads what a declaration needs of a recovery plan's text. `file` is the name that problems give.
///
/// # Errors
/// Every problem of these fields, in the order of the document; never none.
pub fn rules_of(text: &str, file: &str) -> Result<Watched, Vec<Problem>> {
    let mut reader = Reader::new(file);
    let read = match tree::read(text) {
        Ok(root) => document(&mut reader, &root),
        Err(no) => {
            reader.no_tree(*no);
            None
        }
    };
    match read {
        Some(watched) if reader.is_content() => Ok(watched),
        _ => Err(reader.into_problems()),
    }
}

fn document(reader: &mut Reader<'_>, root: &Node) -> Option<Watched> {
    if matches!(root.value, Value::Null) {
        reader.complain(root.at, "", Complaint::of(Fault::EmptyDocument));
        return None;
    }
    let fields = reader.fields(root, "", DOCUMENT)?;
    if let Some(version) = fields.get("apiVersion") {
        reader.choice(version, "apiVersion", &[API_VERSION], &[]);
    }
    if let Some(kind) = fields.get("kind") {
        reader.choice(kind, "kind", &[RECOVERY_PLAN], &[]);
    }
    let name = fields.get("metadata").and_then(|node| {
        let fields = reader.fields(node, "metadata", METADATA)?;
        reader.name(fields.get("name")?, "metadata.name", form::POLICY_NAME_CHARS_MAX)
    });
    let spec = fields.get("spec").and_then(|node| spec(reader, node));
    let (plan, (from, to, rules)) = (name?, spec?);
    Some(Watched { plan, from, to, rules })
}

fn spec(reader: &mut Reader<'_>, node: &Node) -> Option<(String, String, Rules)> {
    let fields = reader.fields(node, "spec", SPEC)?;
    let mut region = |name: &str| {
        let node = fields.get(name)?;
        let path = join("spec", name);
        let text = reader.azure_name(node, &path, "a region such as westeurope", REGION_CHARS_MAX)?;
        Some(text.chars().filter(|c| *c != ' ').flat_map(char::to_lowercase).collect::<String>())
    };
    let (from, to) = (region("from"), region("to"));
    let rules = if_there(&fields, "declaration", |node| declaration(reader, node, "spec.declaration"));
    let (from, to, rules) = (from?, to?, rules?.unwrap_or_default());
    if from == to {
        let complaint = Complaint::of(Fault::WrongValue(to)).expected("another region than `from`");
        reader.complain(fields.get("to").map_or(node.at, |node| node.at), "spec.to", complaint);
        return None;
    }
    Some((from, to, rules))
}

fn declaration(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Rules> {
    let fields = reader.fields(node, path, DECLARATION)?;
    let at = |name: &str| join(path, name);
    let by = if_there(&fields, "by", |n| {
        Some(match reader.choice(n, &at("by"), BY, &[])? {
            "person" => By::Person,
            "rules" => By::Rules,
            _ => By::Approval,
        })
    });
    let approvals = if_there(&fields, "approvals", |n| reader.whole(n, &at("approvals"), APPROVALS));
    let evidence = if_there(&fields, "evidence", |n| evidence(reader, n, &at("evidence")));
    let cooldown = if_there(&fields, "cooldown", |n| reader.span(n, &at("cooldown"), COOLDOWN));
    let fence = if_there(&fields, "fence", |n| {
        Some(match reader.choice(n, &at("fence"), FENCES, &[])? {
            "bestEffort" => Fence::BestEffort,
            _ => Fence::Required,
        })
    });
    let loss = if_there(&fields, "maxDataLoss", |n| reader.span(n, &at("maxDataLoss"), DATA_LOSS));
    let usual = Rules::default();
    Some(Rules {
        by: by?.unwrap_or(usual.by),
        approvals: approvals?.and_then(|count| u8::try_from(count).ok()).unwrap_or(usual.approvals),
        evidence: evidence?.unwrap_or(usual.evidence),
        cooldown: cooldown?.unwrap_or(usual.cooldown),
        fence: fence?.unwrap_or(usual.fence),
        max_data_loss: loss?.unwrap_or(usual.max_data_loss),
    })
}

fn evidence(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Evidence> {
    let fields = reader.fields(node, path, EVIDENCE)?;
    let at = |name: &str| join(path, name);
    let reported = if_there(&fields, "reported", |n| origins(reader, n, &at("reported"), REPORTED));
    let measured = if_there(&fields, "measured", |n| origins(reader, n, &at("measured"), MEASURED));
    let at_least = if_there(&fields, "atLeast", |n| reader.whole(n, &at("atLeast"), AT_LEAST));
    let window = if_there(&fields, "for", |n| reader.span(n, &at("for"), FOR));
    let usual = Evidence::default();
    let read = Evidence {
        reported: reported?.unwrap_or(usual.reported),
        measured: measured?.unwrap_or(usual.measured),
        at_least: at_least?.and_then(|count| u32::try_from(count).ok()).unwrap_or(usual.at_least),
        r#for: window?.unwrap_or(usual.r#for),
    };
    let sources = read.reported.len() + read.measured.len();
    if (read.at_least as usize) > sources {
        let complaint = Complaint::of(Fault::OutOfBounds(read.at_least.to_string()));
        let place = fields.get("atLeast").map_or(node.at, |node| node.at);
        reader.complain(place, &at("atLeast"), complaint.expected(format!("at most {sources}: so many are listed")));
        return None;
    }
    Some(read)
}

fn origins(
    reader: &mut Reader<'_>,
    node: &Node,
    path: &str,
    words: &'static [&'static str],
) -> Option<BTreeSet<Origin>> {
    let mut found = BTreeSet::new();
    for (at, item) in reader.list(node, path)?.iter().enumerate() {
        let word = reader.choice(item, &format!("{path}[{at}]"), words, &[])?;
        found.extend(Origin::ALL.into_iter().find(|origin| origin.word() == word));
    }
    Some(found)
}
