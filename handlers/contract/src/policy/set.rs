//! Reads all policies of an estate: several files, each with one document or several.
//! It never gives a part of them: where one cannot be read, none is in force.

use lifeboat_planning::policy::BackupPolicy;
use std::collections::BTreeMap;

use super::problem::{Advice, Fault, First, Problem};
use super::reader::{Complaint, Reader};
use super::tree::{self, Node, Place};
use super::{document, form};

/// Bound on the files of a set: who has more has more than one person can keep in mind.
pub const FILES_MAX: usize = 200;
/// Bound on the bytes of all files of a set: the policies of a large estate are below a tenth of it, and they are read on
/// every invocation.
pub const FILES_BYTES_MAX: usize = 1024 * 1024;
/// Bound on the policies of a set: each is asked of each machine of a sweep, a hundred thousand times.
pub const POLICIES_MAX: usize = 200;

/// A policy of a set, with where it comes from.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Its file.
    pub file: String,
    /// Its document.
    pub root: Node,
    /// The policy.
    pub policy: BackupPolicy,
}

impl Placed {
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

/// Reads a set: what could be read, and every problem found, in the order of the files.
pub fn read<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> (Vec<Placed>, Vec<Problem>) {
    if let Some(problem) = too_much(files) {
        return (Vec::new(), vec![problem]);
    }
    let (mut policies, mut problems) = (Vec::new(), Vec::new());
    for (name, text) in files {
        let file = name.as_ref();
        match tree::read_several(text.as_ref()) {
            Ok(roots) => {
                for root in roots {
                    match document::read(&root, file) {
                        Ok(policy) => policies.push(Placed { file: file.to_string(), root, policy }),
                        Err(found) => problems.extend(found),
                    }
                }
            }
            Err(no) => {
                let mut reader = Reader::new(file);
                reader.no_tree(*no);
                problems.extend(reader.into_problems());
            }
        }
    }
    if let Some(beyond) = policies.get(POLICIES_MAX) {
        let complaint = Complaint::of(Fault::TooManyPolicies(policies.len()));
        problems.push(beyond.problem("metadata.name", complaint.expected(format!("at most {POLICIES_MAX}"))));
    }
    problems.extend(names_taken(&policies));
    (policies, problems)
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

/// A policy's name is part of the names of its points: two with the same would take each other's points for their own.
fn names_taken(policies: &[Placed]) -> Vec<Problem> {
    let field = "metadata.name";
    let mut first: BTreeMap<&str, &Placed> = BTreeMap::new();
    let mut problems = Vec::new();
    for placed in policies {
        let name = placed.policy.name.as_str();
        let Some(before) = first.get(name) else {
            first.insert(name, placed);
            continue;
        };
        let fault = Fault::NameTaken { name: name.to_string(), first: before.first(field, &placed.file) };
        let complaint = Complaint::of(fault).expected(format!("a name of its own for each {}", form::BACKUP_POLICY));
        problems.push(placed.problem(field, complaint.advice(Advice::Rename)));
    }
    problems
}
