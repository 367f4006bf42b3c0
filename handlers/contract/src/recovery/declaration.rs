//! Reads `spec.declaration`: when a region counts as lost, and by whose word.
//! It never lets one source of evidence suffice, and never rules that hear Azure alone.

use lifeboat_planning::recovery::{By, Declaration, Evidence, Fence, Measured, Reported};
use std::collections::BTreeMap;

use super::fault::RecoveryFault;
use super::{alerts, form};
use crate::policy::document::if_there;
use crate::policy::duration;
use crate::policy::problem::Fault;
use crate::policy::reader::{Complaint, Reader, one_of};
use crate::policy::tree::Node;

/// Reads the declaration.
pub fn read(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Declaration> {
    let fields = reader.fields(node, path, form::DECLARATION)?;
    let at = |name: &str| format!("{path}.{name}");
    // Each is read before any is missed, so that each is checked.
    let by = if_there(&fields, "by", |n| reader.choice(n, &at("by"), form::BY, &[]).map(by));
    let approvals = if_there(&fields, "approvals", |n| reader.whole(n, &at("approvals"), form::APPROVALS));
    let rules = matches!(by, Some(Some(By::Rules)));
    let evidence = fields.get("evidence").and_then(|n| evidence(reader, n, &at("evidence"), rules));
    let cooldown = if_there(&fields, "cooldown", |n| reader.span(n, &at("cooldown"), form::COOLDOWN));
    let fence = if_there(&fields, "fence", |n| reader.choice(n, &at("fence"), form::FENCES, &[]).map(fence));
    let loss = fields.get("maxDataLoss").and_then(|n| reader.span(n, &at("maxDataLoss"), form::MAX_DATA_LOSS));
    Some(Declaration {
        by: by?.unwrap_or_default(),
        approvals: u8::try_from(approvals?.unwrap_or(form::APPROVALS_DEFAULT)).ok()?,
        evidence: evidence?,
        cooldown: cooldown?.or_else(|| duration::parse(form::COOLDOWN_DEFAULT))?,
        fence: fence?.unwrap_or_default(),
        max_data_loss: loss?,
    })
}

fn by(word: &str) -> By {
    match word {
        "person" => By::Person,
        "rules" => By::Rules,
        _ => By::Approval,
    }
}

fn fence(word: &str) -> Fence {
    match word {
        "bestEffort" => Fence::BestEffort,
        _ => Fence::Required,
    }
}

fn evidence(reader: &mut Reader<'_>, node: &Node, path: &str, rules: bool) -> Option<Evidence> {
    let fields = reader.fields(node, path, form::EVIDENCE)?;
    let at = |name: &str| format!("{path}.{name}");
    let reported = if_there(&fields, "reported", |n| {
        origins(reader, n, &at("reported"), form::REPORTED, |word| match word {
            "resourceHealth" => Reported::ResourceHealth,
            _ => Reported::ServiceHealth,
        })
    });
    let measured = if_there(&fields, "measured", |n| {
        origins(reader, n, &at("measured"), form::MEASURED, |word| match word {
            "metricAlert" => Measured::MetricAlert,
            _ => Measured::Probe,
        })
    });
    let alerts = if_there(&fields, "alerts", |n| alerts::read(reader, n, &at("alerts")));
    let at_least = if_there(&fields, "atLeast", |n| reader.whole(n, &at("atLeast"), form::AT_LEAST));
    let window = fields.get("for").and_then(|n| reader.span(n, &at("for"), form::EVIDENCE_FOR));
    reader.need_one_of(node, path, &fields, form::EVIDENCE_NEEDS);
    let (reported, measured) = (reported?, measured?);
    if reported.is_none() && measured.is_none() {
        return None;
    }
    let at_least = u32::try_from(at_least?.unwrap_or(form::AT_LEAST.least)).ok()?;
    let (reported, measured) = (reported.unwrap_or_default(), measured.unwrap_or_default());
    if let Some(node) = fields.get("alerts").filter(|_| !measured.contains(&Measured::MetricAlert)) {
        let complaint = Complaint::of(Fault::RecoveryPlan(RecoveryFault::AlertsUncounted));
        reader.complain(node.at, &at("alerts"), complaint.expected("`metricAlert` in `measured`, or no `alerts`"));
    }
    let evidence = Evidence { reported, measured, alerts: alerts?.unwrap_or_default(), at_least, window: window? };
    for (fault, expected) in unsound(&evidence, rules) {
        let at_least = fields.get("atLeast").filter(|_| matches!(fault, RecoveryFault::TooFewOrigins { .. }));
        let (place, path) = at_least.map_or((node.at, path.to_string()), |field| (field.at, at("atLeast")));
        reader.complain(place, &path, Complaint::of(Fault::RecoveryPlan(fault)).expected(expected));
    }
    Some(evidence)
}

/// What no evidence can bring about, or what rules must not go by, each with what is expected instead.
fn unsound(evidence: &Evidence, rules: bool) -> Vec<(RecoveryFault, String)> {
    let (asked, listed) = (evidence.at_least, evidence.origins());
    let mut faults = Vec::new();
    if listed < asked as usize {
        let all = form::REPORTED.iter().chain(form::MEASURED).copied();
        let expected = format!("at least {asked} of {}", one_of(all).replace(" or ", " and "));
        faults.push((RecoveryFault::TooFewOrigins { asked, listed }, expected));
    }
    if rules && evidence.measured.is_empty() {
        faults.push((RecoveryFault::RulesWithoutMeasured, "an origin in `measured`, or by: approval".to_string()));
    }
    if rules && evidence.reported.is_empty() {
        faults.push((RecoveryFault::RulesWithoutReported, "an origin in `reported`, or by: approval".to_string()));
    }
    faults
}

/// A list of origins, each once: twice the same is one origin that looks like two.
fn origins<T: Ord>(
    reader: &mut Reader<'_>,
    node: &Node,
    path: &str,
    words: &[&'static str],
    of: impl Fn(&str) -> T,
) -> Option<std::collections::BTreeSet<T>> {
    let items = reader.list(node, path)?;
    let mut first_lines: BTreeMap<&str, u32> = BTreeMap::new();
    let mut read = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let path = format!("{path}[{i}]");
        let word = reader.choice(item, &path, words, &[]);
        if let Some(word) = word
            && let Some(first_line) = first_lines.insert(word, item.at.line)
        {
            first_lines.insert(word, first_line);
            let fault = Fault::RecoveryPlan(RecoveryFault::OriginTwice { origin: word.to_string(), first_line });
            reader.complain(item.at, &path, Complaint::of(fault).expected("each origin once"));
        }
        read.push(word.map(&of));
    }
    read.into_iter().collect()
}
