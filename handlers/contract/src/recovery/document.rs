//! Reads a document's tree into a recovery plan: the regions, and what is put together from the files beside it.
//! It never gives a recovery plan while there is a problem.

use lifeboat_planning::policy::Location;
use lifeboat_planning::recovery::{Declaration, Group, RecoveryPlan, Replication, Traffic};

use super::fault::RecoveryFault;
use super::{declaration, form, groups, traffic};
use crate::policy::document::{around, if_there};
use crate::policy::matching;
use crate::policy::problem::{Fault, Problem};
use crate::policy::reader::{Complaint, Reader};
use crate::policy::tree::Node;

/// Reads a recovery plan out of a tree, or every problem found in it; one at least. `kinds` are those that may stand there.
pub fn read(root: &Node, file: &str, kinds: &[&'static str]) -> Result<RecoveryPlan, Vec<Problem>> {
    let mut reader = Reader::new(file);
    let plan = around(&mut reader, root, kinds).and_then(|(name, node)| plan(name, spec(&mut reader, node?)?));
    match plan {
        Some(plan) if reader.is_content() => Ok(plan),
        _ => Err(reader.into_problems()),
    }
}

/// What `spec` asks for.
struct Spec {
    from: Location,
    to: Location,
    replication: Replication,
    groups: Vec<Group>,
    traffic: Vec<Traffic>,
    declaration: Declaration,
}

fn plan(name: Option<String>, spec: Spec) -> Option<RecoveryPlan> {
    let Spec { from, to, replication, groups, traffic, declaration } = spec;
    Some(RecoveryPlan { name: name?, from, to, replication, groups, traffic, declaration })
}

fn spec(reader: &mut Reader<'_>, node: &Node) -> Option<Spec> {
    let fields = reader.fields(node, "spec", form::SPEC)?;
    // Each is read before any is missed, so that each is checked.
    let from = fields.get("from").and_then(|n| matching::location(reader, n, "spec.from"));
    let to = fields.get("to").and_then(|n| matching::location(reader, n, "spec.to"));
    if let (Some(from), Some(to), Some(node)) = (&from, &to, fields.get("to"))
        && from == to
    {
        let fault = Fault::RecoveryPlan(RecoveryFault::SameRegion(from.as_str().to_string()));
        reader.complain(node.at, "spec.to", Complaint::of(fault).expected("another region than `from`"));
    }
    let replication = fields.get("replication").and_then(|n| {
        let known = reader.choice(n, "spec.replication", form::REPLICATIONS, form::REPLICATIONS_LATER);
        known.map(|_| Replication::SiteRecovery)
    });
    let groups = fields.get("groups").and_then(|n| groups::read(reader, n, "spec.groups"));
    let traffic = if_there(&fields, "traffic", |n| traffic::read(reader, n, "spec.traffic"));
    let declaration = fields.get("declaration").and_then(|n| declaration::read(reader, n, "spec.declaration"));
    if let Some(node) = fields.get("readiness") {
        readiness(reader, node, "spec.readiness");
    }
    Some(Spec {
        from: from?,
        to: to?,
        replication: replication?,
        groups: groups?,
        traffic: traffic?.unwrap_or_default(),
        declaration: declaration?,
    })
}

/// Readiness is asked of all recovery plans in one rhythm; the field says so where somebody reads the document.
fn readiness(reader: &mut Reader<'_>, node: &Node, path: &str) {
    let Some(fields) = reader.fields(node, path, form::READINESS) else { return };
    let Some(every) = fields.get("every") else { return };
    let path = format!("{path}.every");
    let Some(time) = reader.span(every, &path, form::ANY_TIME) else { return };
    if crate::policy::duration::parse(form::READINESS_EVERY) != Some(time) {
        let fault = Fault::RecoveryPlan(RecoveryFault::OtherRhythm(every.text().unwrap_or_default().to_string()));
        let expected = format!("{}, the one rhythm of this release", form::READINESS_EVERY);
        reader.complain(every.at, &path, Complaint::of(fault).expected(expected));
    }
}
