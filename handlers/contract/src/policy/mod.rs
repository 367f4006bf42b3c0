//! Policy documents: strict YAML in, a policy to decide on out, or every problem found, each with its place.
//! It never guesses: what is not understood, or not acted on in this release, is an error and never passed over.

pub mod cron;
pub(crate) mod duration;
pub(crate) mod form;
mod matching;
mod nearest;
mod problem;
mod reader;
mod tree;

pub use form::{API_VERSION, BACKUP_POLICY};
pub use problem::{Advice, Fault, Found, Problem};
pub use reader::PROBLEMS_MAX;
pub use tree::{DEPTH_MAX, DOCUMENT_BYTES_MAX, NODES_MAX};

use lifeboat_planning::policy::BackupPolicy;
use sha2::{Digest, Sha256};

/// A backup policy as read from a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupPolicyDocument {
    /// The policy itself.
    pub policy: BackupPolicy,
    /// Lower-case hexadecimal SHA-256 of the document's bytes: what decisions name.
    pub digest: String,
}

/// Reads a backup policy. `file` is the name that problems give; problems come in the order of the document.
///
/// An error never comes without a problem. As many problems as possible are collected in one pass; where the text is no YAML
/// at all, only the first place is known.
pub fn read_policy(text: &str, file: &str) -> Result<BackupPolicyDocument, Vec<Problem>> {
    let policy = reader::read(text, file)?;
    Ok(BackupPolicyDocument { policy, digest: digest(text) })
}

/// The digest of a document, whether it can be read or not.
pub fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
