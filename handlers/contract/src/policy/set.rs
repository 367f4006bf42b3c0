//! Reads all documents of an estate, policies and recovery plans: several files, each with one document or several.
//! It never gives a part of them: where one cannot be read, none is in force.

use lifeboat_planning::policy::BackupPolicy;
use lifeboat_planning::recovery::RecoveryPlan;
use std::collections::BTreeMap;

use super::nearest::nearest;
use super::problem::{Advice, Fault, First, Problem};
use super::reader::{Complaint, Reader};
use super::tree::{self, Node, Place};
use super::{document, form};
use crate::recovery;

/// Bound on the files of a set: who has more has more than one person can keep in mind.
pub const FILES_MAX: usize = 200;
/// Bound on the bytes of all files of a set: the policies of a large estate are below a tenth of it, and they are read on
/// every invocation.
pub const FILES_BYTES_MAX: usize = 1024 * 1024;
/// Bound on the policies of a set: each is asked of each machine of a sweep, a hundred thousand times.
pub const POLICIES_MAX: usize = 200;

/// Bound on the recovery plans of a set: each is asked every half an hour whether it could be executed now, and one evaluation of
/// a region goes through all of them.
pub const RECOVERY_PLANS_MAX: usize = 100;

/// Where a document's name stands.
const NAME: &str = "metadata.name";
/// The kinds of documents that a set has.
const KINDS: [&str; 2] = [form::BACKUP_POLICY, form::RECOVERY_PLAN];

/// A document of a set, with where it comes from.
#[derive(Clone, Debug)]
pub struct Placed<T> {
    /// Its file.
    pub file: String,
    /// Its tree.
    pub root: Node,
    /// What it says.
    pub document: T,
}

/// What was read of a set.
#[derive(Debug, Default)]
pub struct Set {
    /// The policies that could be read.
    pub policies: Vec<Placed<BackupPolicy>>,
    /// The recovery plans that could be read.
    pub recovery_plans: Vec<Placed<RecoveryPlan>>,
    /// Every problem found, in the order of the files.
    pub problems: Vec<Problem>,
}

impl<T> Placed<T> {
    /// A problem with one of its fields.
    pub fn problem(&self, field: &str, complaint: Complaint) -> Problem {
        problem_at(&self.file, &self.root, field, complaint)
    }

    /// Where its field is, as seen from a file.
    pub fn first(&self, field: &str, from_file: &str) -> First {
        let line = self.root.place_of(field).line;
        if self.file == from_file { First::Line(line) } else { First::File(self.file.clone(), line) }
    }
}

/// A problem with a field of a document.
pub fn problem_at(file: &str, root: &Node, field: &str, complaint: Complaint) -> Problem {
    let mut reader = Reader::new(file);
    reader.complain(root.place_of(field), field, complaint);
    // One was put in.
    reader.into_problems().swap_remove(0)
}

/// Reads a set: what could be read, and every problem found.
pub fn read<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> Set {
    let mut set = Set::default();
    if let Some(problem) = too_much(files) {
        set.problems.push(problem);
        return set;
    }
    for (name, text) in files {
        let file = name.as_ref();
        match tree::read_several(text.as_ref()) {
            Ok(roots) => roots.into_iter().for_each(|root| set.take(file, root)),
            Err(no) => {
                let mut reader = Reader::new(file);
                reader.no_tree(*no);
                set.problems.extend(reader.into_problems());
            }
        }
    }
    if let Some(beyond) = set.policies.get(POLICIES_MAX) {
        let complaint = Complaint::of(Fault::TooManyPolicies(set.policies.len()));
        set.problems.push(beyond.problem(NAME, complaint.expected(format!("at most {POLICIES_MAX}"))));
    }
    if let Some(beyond) = set.recovery_plans.get(RECOVERY_PLANS_MAX) {
        let complaint = Complaint::of(Fault::TooManyRecoveryPlans(set.recovery_plans.len()));
        set.problems.push(beyond.problem(NAME, complaint.expected(format!("at most {RECOVERY_PLANS_MAX}"))));
    }
    let taken = names_taken(&set.policies, form::BACKUP_POLICY, |policy| &policy.name);
    set.problems.extend(taken);
    let taken = names_taken(&set.recovery_plans, form::RECOVERY_PLAN, |plan| &plan.name);
    set.problems.extend(taken);
    set
}

impl Set {
    /// Reads one document by the form of its kind.
    fn take(&mut self, file: &str, root: Node) {
        let file = file.to_string();
        if is_recovery_plan(&root) {
            match recovery::read_root(&root, &file, &KINDS) {
                Ok(document) => self.recovery_plans.push(Placed { file, root, document }),
                Err(found) => self.problems.extend(found),
            }
        } else {
            match document::read(&root, &file, &KINDS) {
                Ok(document) => self.policies.push(Placed { file, root, document }),
                Err(found) => self.problems.extend(found),
            }
        }
    }
}

/// Whether a document is to be read as a recovery plan. Where its kind is none, which is told, the nearest counts, and then what
/// stands in `spec`: of a document read by another form, every field would be a problem.
fn is_recovery_plan(root: &Node) -> bool {
    if let Some(kind) = root.field("kind").and_then(Node::text).and_then(|kind| nearest(kind, KINDS)) {
        return kind == form::RECOVERY_PLAN;
    }
    let spec = root.field("spec");
    let known = |of: &[form::Field]| {
        of.iter().filter(|field| spec.is_some_and(|spec| spec.field(field.name).is_some())).count()
    };
    known(recovery::form::SPEC) > known(form::SPEC)
}

/// Why a set is not read at all.
fn too_much<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> Option<Problem> {
    let bytes: usize = files.iter().map(|(_, text)| text.as_ref().len()).sum();
    let mut total = 0;
    let (index, fault, most) = if files.len() > FILES_MAX {
        (FILES_MAX, Fault::TooManyFiles(files.len()), FILES_MAX)
    } else if bytes > FILES_BYTES_MAX {
        let over = files.iter().position(|(_, text)| {
            total += text.as_ref().len();
            total > FILES_BYTES_MAX
        });
        (over?, Fault::FilesTooLarge { bytes }, FILES_BYTES_MAX)
    } else {
        return None;
    };
    let mut reader = Reader::new(files.get(index)?.0.as_ref());
    let start = Place { line: 1, column: 1 };
    reader.complain(start, "", Complaint::of(fault).expected(format!("at most {most}")));
    reader.into_problems().pop()
}

/// A policy's name is part of the names of its points, and a recovery plan's of what is recorded of it: two of a kind with the
/// same would take each other's for their own. A policy and a recovery plan may share one.
fn names_taken<T>(placed: &[Placed<T>], kind: &str, name_of: impl Fn(&T) -> &String) -> Vec<Problem> {
    let mut first: BTreeMap<&str, &Placed<T>> = BTreeMap::new();
    let mut problems = Vec::new();
    for placed in placed {
        let name = name_of(&placed.document).as_str();
        let Some(before) = first.get(name) else {
            first.insert(name, placed);
            continue;
        };
        let fault = Fault::NameTaken { name: name.to_string(), first: before.first(NAME, &placed.file) };
        let complaint = Complaint::of(fault).expected(format!("a name of its own for each {kind}"));
        problems.push(placed.problem(NAME, complaint.advice(Advice::Rename)));
    }
    problems
}
