//! The policies in force, and the recovery plans beside them: the bundle that the pointer names, or the last one that could be read, with
//! the digest that decisions name.
//! It never falls back to a default: with nothing to go by, everything is left as it is.
//!
//! ```text
//! policies/current.json ─► bundles/<digest>.json ─► policies      remembered in policies/good.json
//!                                └ cannot be read ─► policies/good.json ─► bundles/<its digest>.json
//! ```

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use lifeboat_azure::blobs::{Condition, ETag, Store};
use lifeboat_azure::{Error, ErrorKind};
use lifeboat_contract::policy::Documents;
use lifeboat_planning::policy::BackupPolicy;
use lifeboat_planning::recovery::RecoveryPlan;
use serde::{Deserialize, Serialize};

use crate::bundle::{Bundle, BundleError};
use crate::modes;
use crate::record::{RecordError, read_up_to};
use crate::swap::SwapError;

/// The pointer's blob.
pub const CURRENT: &str = "policies/current.json";
/// The blob that remembers the last bundle that could be read.
pub const GOOD: &str = "policies/good.json";
/// The version of [`Pointer`] that this release writes.
pub const VERSION: u32 = 1;

/// Which bundle is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pointer {
    /// Version of the record.
    pub version: u32,
    /// The bundle's digest.
    pub digest: String,
    /// The bundle that was in force before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// When it was moved here.
    pub at: Timestamp,
}

/// The policies that are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The policies; at least one.
    pub policies: Vec<BackupPolicy>,
    /// The recovery plans.
    pub recovery_plans: Vec<RecoveryPlan>,
    /// The digest of their bundle.
    pub digest: String,
    /// Why the bundle that should be in force is not.
    pub not_read: Option<NotRead>,
}

impl InForce {
    /// The documents of the bundle with this digest.
    pub fn of(documents: Documents, digest: String, not_read: Option<NotRead>) -> Self {
        let Documents { policies, recovery_plans } = documents;
        Self { policies, recovery_plans, digest, not_read }
    }

    /// Whether the same documents are in force, in the same modes.
    pub fn is_as(&self, other: &Self) -> bool {
        let modes = |of: &Self| of.policies.iter().map(|policy| policy.mode).collect::<Vec<_>>();
        self.digest == other.digest && modes(self) == modes(other)
    }
}

/// A newer bundle that cannot be read, so that an older one is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRead {
    /// Where it lies.
    pub document: String,
    /// What is wrong, one line each.
    pub problems: Vec<String>,
}

/// Why there is no policy. Nothing is changed without one.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The store did not answer. Repeating is safe.
    #[error("the store did not answer for {document}")]
    Store {
        /// Its place.
        document: String,
        /// What happened.
        source: Error,
    },
    /// No bundle was ever pushed. Repeating is pointless until somebody does.
    #[error("there is no policy in the store: {document} is missing")]
    Missing {
        /// The pointer's place.
        document: String,
    },
    /// It has problems, and no earlier one can be read. Repeating is pointless until somebody mends it.
    #[error("the policies at {document} cannot be read: {}", problems.join("; "))]
    Unreadable {
        /// Its place.
        document: String,
        /// One line each.
        problems: Vec<String>,
    },
}

/// Why a bundle was not pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The store did not answer or did not take it. Repeating is safe.
    #[error("the store did not take the policies")]
    Store(#[from] Error),
    /// The bundle is not one to go by.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The pointer that is there is a later release's.
    #[error(transparent)]
    Record(RecordError),
    /// Somebody else pushed at the same time.
    #[error("somebody else moved the pointer at the same time")]
    Raced,
}

/// What a push did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The bundle's digest.
    pub digest: String,
    /// What was in force before.
    pub previous: Option<String>,
    /// False when this bundle was in force already.
    pub moved: bool,
}

/// The policies read last: bundles are immutable, so that one that was read needs no second reading.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Option<Arc<InForce>>>);

impl Kept {
    fn of(&self, digest: &str) -> Option<Arc<InForce>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone().filter(|kept| kept.digest == digest && kept.not_read.is_none())
    }

    fn keep(&self, read: &Arc<InForce>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(read));
    }
}

/// Reads the policies in force, and remembers in the store that they could be read.
pub async fn in_force(store: &Store, kept: &Kept) -> Result<Arc<InForce>, PolicyError> {
    let (read, newly) = look(store, kept).await?;
    if let Some(pointer) = newly {
        remember(store, &pointer).await;
        kept.keep(&read);
    }
    ordered(store, read).await
}

/// In the modes that persons ordered. Where these cannot be read it is not known what may be done, so that nothing is followed.
async fn ordered(store: &Store, read: Arc<InForce>) -> Result<Arc<InForce>, PolicyError> {
    modes::apply(store, read).await.map_err(|error| match error {
        SwapError::Store(source) => PolicyError::Store { document: modes::BLOB.to_owned(), source },
        error => PolicyError::Unreadable { document: modes::BLOB.to_owned(), problems: vec![error.to_string()] },
    })
}

/// Reads the policies in force, and writes nothing.
pub async fn read(store: &Store) -> Result<Arc<InForce>, PolicyError> {
    ordered(store, look(store, &Kept::default()).await?.0).await
}

/// Reads the policies in force; with the pointer to them where they were read anew.
async fn look(store: &Store, kept: &Kept) -> Result<(Arc<InForce>, Option<Pointer>), PolicyError> {
    let missing = || PolicyError::Missing { document: CURRENT.to_owned() };
    let (bytes, _) = get(store, CURRENT).await?.ok_or_else(missing)?;
    let not_read = match read_up_to::<Pointer>(VERSION, CURRENT, &bytes) {
        Err(error) => NotRead { document: CURRENT.to_owned(), problems: BundleError::from(error).problems() },
        Ok(pointer) => {
            if let Some(kept) = kept.of(&pointer.digest) {
                return Ok((kept, None));
            }
            match of_bundle(store, &pointer.digest).await? {
                Ok(documents) => {
                    let read = InForce::of(documents, pointer.digest.clone(), None);
                    return Ok((Arc::new(read), Some(pointer)));
                }
                Err(not_read) => not_read,
            }
        }
    };
    tracing::error!("{} cannot be read: {}", not_read.document, not_read.problems.join("; "));
    match last_good(store).await? {
        Some((documents, digest)) => Ok((Arc::new(InForce::of(documents, digest, Some(not_read))), None)),
        None => Err(PolicyError::Unreadable { document: not_read.document, problems: not_read.problems }),
    }
}

/// Checks a bundle, uploads it and moves the pointer to it.
pub async fn push(store: &Store, bundle: &Bundle, now: Timestamp) -> Result<Pushed, PushError> {
    bundle.documents()?;
    let (bytes, digest) = bundle.to_bytes();
    match store.put(&Bundle::blob_name(&digest), bytes.clone().into(), Condition::IfAbsent).await {
        Ok(_) => {}
        Err(error) if is_conflict(&error) => uploaded(store, &digest, bytes).await?,
        Err(error) => return Err(error.into()),
    }
    let found = store.get(CURRENT).await?;
    let (previous, condition) = match found {
        None => (None, Condition::IfAbsent),
        Some((bytes, etag)) => match read_up_to::<Pointer>(VERSION, CURRENT, &bytes) {
            Ok(there) if there.digest == digest => {
                return Ok(Pushed { digest, previous: there.previous, moved: false });
            }
            Ok(there) => (Some(there.digest), Condition::IfMatch(etag)),
            Err(later @ RecordError::TooNew { .. }) => return Err(PushError::Record(later)),
            // Nobody can follow it, so that it is replaced.
            Err(RecordError::Malformed { .. }) => (None, Condition::IfMatch(etag)),
        },
    };
    let pointer = Pointer { version: VERSION, digest: digest.clone(), previous: previous.clone(), at: now };
    match store.put(CURRENT, pointer.to_bytes().into(), condition).await {
        Ok(_) => Ok(Pushed { digest, previous, moved: true }),
        Err(error) if is_conflict(&error) => Err(PushError::Raced),
        Err(error) => Err(error.into()),
    }
}

impl Pointer {
    /// The pointer as it is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        // A struct of texts and a time: writing it as JSON cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

fn is_conflict(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Conflict | ErrorKind::AlreadyExists)
}

/// A bundle is there under this name: it is this one, or what somebody spoilt, which is put right.
async fn uploaded(store: &Store, digest: &str, bytes: Vec<u8>) -> Result<(), PushError> {
    let name = Bundle::blob_name(digest);
    match store.get(&name).await? {
        Some((there, _)) if there == bytes => Ok(()),
        Some((_, etag)) => Ok(store.put(&name, bytes.into(), Condition::IfMatch(etag)).await.map(drop)?),
        None => Err(PushError::Raced),
    }
}

async fn get(store: &Store, name: &str) -> Result<Option<(bytes::Bytes, ETag)>, PolicyError> {
    store.get(name).await.map_err(|source| PolicyError::Store { document: name.to_owned(), source })
}

async fn of_bundle(store: &Store, digest: &str) -> Result<Result<Documents, NotRead>, PolicyError> {
    let document = Bundle::blob_name(digest);
    let Some((bytes, _)) = get(store, &document).await? else {
        return Ok(Err(NotRead { document, problems: vec!["it is not in the store".to_owned()] }));
    };
    let read = Bundle::documents_of(digest, &bytes);
    Ok(read.map_err(|error| NotRead { document, problems: error.problems() }))
}

/// The last bundle that could be read, if it still can be.
async fn last_good(store: &Store) -> Result<Option<(Documents, String)>, PolicyError> {
    let Some((bytes, _)) = get(store, GOOD).await? else { return Ok(None) };
    let Ok(good) = read_up_to::<Pointer>(VERSION, GOOD, &bytes) else { return Ok(None) };
    Ok(of_bundle(store, &good.digest).await?.ok().map(|documents| (documents, good.digest)))
}

/// Remembers a bundle that could be read. Where that fails the policies are in force all the same, and the next reading tries again.
async fn remember(store: &Store, pointer: &Pointer) {
    let written = match store.get(GOOD).await {
        Err(error) => Err(error),
        Ok(None) => store.put(GOOD, pointer.to_bytes().into(), Condition::IfAbsent).await.map(drop),
        Ok(Some((bytes, etag))) => match read_up_to::<Pointer>(VERSION, GOOD, &bytes) {
            // The same, or one that was pushed later: another process has seen more than this one.
            Ok(there) if there.digest == pointer.digest || there.at > pointer.at => Ok(()),
            _ => store.put(GOOD, pointer.to_bytes().into(), Condition::IfMatch(etag)).await.map(drop),
        },
    };
    match written {
        Ok(()) => {}
        Err(error) if is_conflict(&error) => {}
        Err(error) => tracing::warn!(error = %error, "the policies in force could not be remembered"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_of_the_pointer_reads_as_it_was_written() {
        let golden = include_bytes!("../golden/pointer-v1.json");
        let pointer: Pointer = read_up_to(VERSION, CURRENT, golden).expect("reads");
        assert_eq!(pointer.previous.as_deref().map(str::len), Some(64));
        let written: serde_json::Value = serde_json::from_slice(&pointer.to_bytes()).expect("JSON");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
    }
}
