//! A stand-in for Azure Blob Storage: containers, block and append blobs, leases, ETags, listing, faults on order.
//! It never draws lots (ids and ETags are counted), never reads another clock than the simulator's, and answers 501
//! where it lacks an operation instead of pretending.

mod answer;
#[cfg(test)]
mod client_tests;
mod conditions;
mod crc64;
mod errors;
mod faults;
mod lease;
mod listing;
mod operations;
mod passage;
mod request;
mod store;
#[cfg(test)]
mod tests;
pub(crate) mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use bytes::Bytes;
use jiff::Timestamp;

use crate::clock::Clock;

pub use self::faults::{BlobFault, BlobFaultEffect};
pub use self::lease::LeaseState;
pub use self::store::BlobKind;
pub use self::wire::ConnectionReset;

use self::lease::Lease;
use self::store::{Blob, Store};

/// Says whether a bearer token (without the word `Bearer`) is good; `None` means that none was sent.
pub type TokenCheck = Arc<dyn Fn(Option<&str>) -> bool + Send + Sync>;

/// A blob account. Clones show the same blobs.
#[derive(Clone)]
pub struct Blobs {
    clock: Clock,
    account: Option<String>,
    token_check: Option<TokenCheck>,
    store: Arc<Mutex<Store>>,
    faults: Arc<Mutex<Vec<BlobFault>>>,
}

/// What a test sees of one blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobSnapshot {
    /// Block or append.
    pub kind: BlobKind,
    /// All bytes.
    pub bytes: Bytes,
    /// The ETag with its quotes.
    pub etag: String,
    /// When it was first written.
    pub created: Timestamp,
    /// When it was last written.
    pub modified: Timestamp,
    /// How many blocks were appended.
    pub appended_blocks: u32,
    /// Its `x-ms-meta-*` headers.
    pub metadata: BTreeMap<String, String>,
    /// Whether it is leased now.
    pub lease: LeaseState,
    /// The id of the lease, also of an expired or broken one.
    pub lease_id: Option<String>,
}

impl Blobs {
    /// An empty account without a token check.
    pub fn new(clock: Clock) -> Self {
        Self { clock, account: None, token_check: None, store: Arc::default(), faults: Arc::default() }
    }

    /// Leaves out the first path segment when it is this account's name, as the emulator's URLs have it.
    pub fn with_account_path(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// Answers 401 to every request whose token does not pass.
    pub fn with_token_check(mut self, check: TokenCheck) -> Self {
        self.token_check = Some(check);
        self
    }

    /// The account as an HTTP service, for a listener or for calls inside the process.
    pub fn router(&self) -> Router {
        Router::new().fallback(passage::serve).with_state(self.clone())
    }

    /// Orders a fault. Of several that match a request the first ordered one strikes.
    pub fn fault(&self, fault: BlobFault) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    /// Takes back all faults that have not struck.
    pub fn clear_faults(&self) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many ordered faults can still strike.
    pub fn faults_left(&self) -> usize {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Makes sure that the container exists.
    pub fn create_container(&self, container: &str) {
        // That it exists already is what the caller wants.
        let _exists_already = self.store().create_container(container, self.clock.now()).is_err();
    }

    /// Stores a block blob past every condition, in a container that is made when it is missing.
    pub fn put(&self, container: &str, name: &str, bytes: impl Into<Bytes>) {
        self.create_container(container);
        let now = self.clock.now();
        let mut store = self.store();
        let blob = Blob {
            kind: BlobKind::Block,
            content: bytes.into().to_vec(),
            appended_blocks: 0,
            etag: store.new_etag(),
            created: now,
            modified: now,
            content_type: "application/octet-stream".to_owned(),
            content_headers: BTreeMap::new(),
            metadata: BTreeMap::new(),
            lease: Lease::None,
        };
        if let Ok(container) = store.container_mut(container) {
            container.blobs.insert(name.to_owned(), blob);
        }
    }

    /// Removes a blob past every condition and lease; says whether it was there.
    pub fn remove(&self, container: &str, name: &str) -> bool {
        self.store().container_mut(container).is_ok_and(|container| container.blobs.remove(name).is_some())
    }

    /// The names in a container, sorted.
    pub fn names(&self, container: &str) -> Vec<String> {
        self.store().container(container).map(|found| found.blobs.keys().cloned().collect()).unwrap_or_default()
    }

    /// The bytes of a blob.
    pub fn bytes(&self, container: &str, name: &str) -> Option<Bytes> {
        self.store().blob(container, name).ok().map(|blob| Bytes::from(blob.content.clone()))
    }

    /// One blob as it is now.
    pub fn blob(&self, container: &str, name: &str) -> Option<BlobSnapshot> {
        let now = self.clock.now();
        self.store().blob(container, name).ok().map(|blob| snapshot(blob, now))
    }

    /// Everything as it is now: containers, then blobs.
    pub fn snapshot(&self) -> BTreeMap<String, BTreeMap<String, BlobSnapshot>> {
        let now = self.clock.now();
        let store = self.store();
        let shown = |blobs: &BTreeMap<String, Blob>| {
            blobs.iter().map(|(name, blob)| (name.clone(), snapshot(blob, now))).collect()
        };
        store.containers.iter().map(|(name, container)| (name.clone(), shown(&container.blobs))).collect()
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blobs").field("account", &self.account).finish_non_exhaustive()
    }
}

fn snapshot(blob: &Blob, now: Timestamp) -> BlobSnapshot {
    let lease_id = match &blob.lease {
        Lease::None => None,
        Lease::Held { id, .. } | Lease::Broken { id, .. } => Some(id.clone()),
    };
    BlobSnapshot {
        kind: blob.kind,
        bytes: Bytes::from(blob.content.clone()),
        etag: blob.etag.clone(),
        created: blob.created,
        modified: blob.modified,
        appended_blocks: blob.appended_blocks,
        metadata: blob.metadata.clone(),
        lease: blob.lease.state(now),
        lease_id,
    }
}
