//! The policy in force: read from the store at the place that a setting names, with the digest that decisions name.
//! It never falls back to a default: a document that cannot be read leaves everything as it is.

use lifeboat_azure::Error;
use lifeboat_azure::blobs::Store;
use lifeboat_planning::id::hex;
use lifeboat_planning::policy::BackupPolicy;
use sha2::{Digest, Sha256};

/// A policy and the digest of its document.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The policy.
    pub policy: BackupPolicy,
    /// SHA-256 of the document's bytes.
    pub digest: String,
}

/// Why there is no policy. Nothing is changed without one.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The store did not answer. Repeating is safe.
    #[error("the store did not answer for the policy {document}")]
    Store {
        /// Its place.
        document: String,
        /// What happened.
        source: Error,
    },
    /// Nothing is there. Repeating is pointless until somebody puts it there.
    #[error("there is no policy at {document} in the store")]
    Missing {
        /// Its place.
        document: String,
    },
    /// It has problems. Repeating is pointless until somebody mends it.
    #[error("the policy {document} cannot be read: {}", problems.join("; "))]
    Unreadable {
        /// Its place.
        document: String,
        /// One line each.
        problems: Vec<String>,
    },
}

/// Reads the policy in force.
pub async fn in_force(store: &Store, document: &str) -> Result<InForce, PolicyError> {
    let found =
        store.get(document).await.map_err(|source| PolicyError::Store { document: document.to_owned(), source })?;
    let (bytes, _) = found.ok_or_else(|| PolicyError::Missing { document: document.to_owned() })?;
    let unreadable = |problems| PolicyError::Unreadable { document: document.to_owned(), problems };
    let text = std::str::from_utf8(&bytes).map_err(|error| unreadable(vec![format!("it is not UTF-8: {error}")]))?;
    let read = lifeboat_contract::policy::read_policy(text, document)
        .map_err(|problems| unreadable(problems.iter().map(ToString::to_string).collect()))?;
    Ok(InForce { policy: read.policy, digest: hex(&Sha256::digest(&bytes)) })
}
