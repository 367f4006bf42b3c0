//! Policy documents: strict YAML in, a policy to decide on out, or every problem found, each with its place. What recovery plans
//! have in common with them is here too, and the set of both that is in force together.
//! It never guesses: what is not understood, or not acted on in this release, is an error and never passed over.

pub mod cron;
pub(crate) mod document;
pub(crate) mod duration;
pub(crate) mod form;
mod judge;
pub(crate) mod matching;
mod misfit;
pub(crate) mod nearest;
mod points;
pub(crate) mod problem;
pub(crate) mod reader;
pub(crate) mod set;
pub(crate) mod tree;
mod unmet;
mod vault;

pub use form::{API_VERSION, BACKUP_POLICY, CONDITIONS_MAX, POINTS_MAX};
pub use misfit::{Covered, Misfit};
pub use problem::{Advice, Fault, First, Found, Problem, Weight};
pub use reader::PROBLEMS_MAX;
pub use set::{FILES_BYTES_MAX, FILES_MAX, POLICIES_MAX, RECOVERY_PLANS_MAX};
pub use tree::{DEPTH_MAX, DOCUMENT_BYTES_MAX, DOCUMENTS_MAX, NODES_MAX};
pub use unmet::{Rule, Share, Unmet};

use lifeboat_planning::policy::{BackupPolicy, Mode};
use lifeboat_planning::recovery::RecoveryPlan;
use sha2::{Digest, Sha256};

use reader::Complaint;

use crate::recovery;

/// A backup policy as read from a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupPolicyDocument {
    /// The policy itself.
    pub policy: BackupPolicy,
    /// Lower-case hexadecimal SHA-256 of the document's bytes: what decisions name.
    pub digest: String,
}

/// Reads the one backup policy of a file. `file` is the name that problems give; problems come in the order of the document.
///
/// An error never comes without a problem. As many problems as possible are collected in one pass; where the text is no YAML
/// at all, only the first place is known.
pub fn read_policy(text: &str, file: &str) -> Result<BackupPolicyDocument, Vec<Problem>> {
    let root = root_of(text, file)?;
    let policy = document::read(&root, file, &[form::BACKUP_POLICY])?;
    Ok(BackupPolicyDocument { policy, digest: digest(text) })
}

/// The tree of a text that is one document.
pub(crate) fn root_of(text: &str, file: &str) -> Result<tree::Node, Vec<Problem>> {
    tree::read(text).map_err(|no| {
        let mut reader = reader::Reader::new(file);
        reader.no_tree(*no);
        reader.into_problems()
    })
}

/// The documents of an estate that are in force together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Documents {
    /// The policies.
    pub policies: Vec<BackupPolicy>,
    /// The recovery plans.
    pub recovery_plans: Vec<RecoveryPlan>,
}

/// Reads all documents of an estate, in the order of the files, each given by the name that problems give and its text. A file
/// has one document or several.
///
/// It is all of them or none. An error never comes without a problem; problems come in the order of the files. No file at all
/// is no error: an estate may have no policy, and then everything is kept.
pub fn read_documents<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> Result<Documents, Vec<Problem>> {
    let set = set::read(files);
    if !set.problems.is_empty() {
        return Err(set.problems);
    }
    let policies = set.policies.into_iter().map(|placed| placed.document).collect();
    Ok(Documents { policies, recovery_plans: set.recovery_plans.into_iter().map(|placed| placed.document).collect() })
}

/// The policies of [`read_documents`]: whoever only wants these still reads all or none.
pub fn read_policies<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> Result<Vec<BackupPolicy>, Vec<Problem>> {
    read_documents(files).map(|documents| documents.policies)
}

/// What `check` finds in a set of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The policies that could be read.
    pub policies: Vec<CheckedPolicy>,
    /// The recovery plans that could be read.
    pub recovery_plans: Vec<CheckedRecoveryPlan>,
    /// Errors and warnings, in the order of the files and in each in the order of its text.
    pub problems: Vec<Problem>,
}

/// A policy that could be read, whatever else is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedPolicy {
    /// Its file, as it was given.
    pub file: String,
    /// The policy.
    pub policy: BackupPolicy,
    /// Its document.
    root: tree::Node,
}

/// A recovery plan that could be read, whatever else is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedRecoveryPlan {
    /// Its file, as it was given.
    pub file: String,
    /// The recovery plan.
    pub plan: RecoveryPlan,
    /// Its document.
    root: tree::Node,
}

impl Checked {
    /// True when there is no error; warnings do not count.
    pub fn holds(&self) -> bool {
        self.problems.iter().all(|problem| problem.weight() == Weight::Warning)
    }
}

impl CheckedPolicy {
    /// The word for its mode, as documents have it.
    pub fn mode(&self) -> &'static str {
        match self.policy.mode {
            Mode::Report => "report",
            Mode::Enforce => "enforce",
        }
    }

    /// A problem that the estate shows with one of its fields, at its place.
    pub fn misfit(&self, field: &str, misfit: Misfit, expected: Option<String>, advice: Option<Advice>) -> Problem {
        let complaint = Complaint { fault: Fault::Misfit(misfit), expected, nearest: None, advice };
        set::problem_at(&self.file, &self.root, field, complaint)
    }
}

impl CheckedRecoveryPlan {
    /// A problem that the estate shows with one of its fields, at its place.
    pub fn misfit(&self, field: &str, misfit: Misfit, expected: Option<String>) -> Problem {
        set::problem_at(&self.file, &self.root, field, Complaint { expected, ..Complaint::of(Fault::Misfit(misfit)) })
    }
}

/// Reads all documents of an estate and judges what they ask for, without asking Azure: what can never be met, or hardly.
///
/// Whoever puts documents in force asks this first. [`read_documents`] alone lets such ones pass: they harm nothing, and a
/// handler that refused them would also refuse those beside them.
pub fn check_policies<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> Checked {
    let set::Set { policies, recovery_plans, mut problems } = set::read(files);
    problems.extend(judge::judge(&policies));
    problems.extend(recovery::judge(&recovery_plans));
    let place_of = |file: &str| files.iter().position(|(name, _)| name.as_ref() == file);
    problems.sort_by_key(|problem| (place_of(&problem.file), problem.line, problem.column));
    let policy = |read: set::Placed<_>| CheckedPolicy { file: read.file, policy: read.document, root: read.root };
    let plan = |read: set::Placed<_>| CheckedRecoveryPlan { file: read.file, plan: read.document, root: read.root };
    Checked {
        policies: policies.into_iter().map(policy).collect(),
        recovery_plans: recovery_plans.into_iter().map(plan).collect(),
        problems,
    }
}

/// The digest of a document, whether it can be read or not.
pub fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
