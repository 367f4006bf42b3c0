//! The stored containers and blobs, and the counters that name ETags, leases and requests.
//! It never speaks HTTP and never checks a condition: it only keeps.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::conditions::Facts;
use super::errors::ErrorCode;
use super::lease::Lease;
use super::wire::guid;

/// Marks ids of requests, so that they differ from ids of leases.
const REQUEST_IDS: u32 = 0xb10b_0001;
/// Marks ids of leases that the service names.
const LEASE_IDS: u32 = 0xb10b_0002;
/// ETags start here, so that they look like the service's.
const FIRST_ETAG: u64 = 0x8DC_0000_0000_0000;

/// The two kinds of blobs that the stand-in stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlobKind {
    /// Written whole.
    Block,
    /// Grows by appended blocks.
    Append,
}

/// A stored blob.
#[derive(Clone, Debug)]
pub(super) struct Blob {
    pub(super) kind: BlobKind,
    pub(super) content: Vec<u8>,
    pub(super) appended_blocks: u32,
    pub(super) etag: String,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) content_type: String,
    /// Further content headers (`Cache-Control`, `Content-MD5`, …) by the name they are answered under.
    pub(super) content_headers: BTreeMap<&'static str, String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) lease: Lease,
}

/// A stored container.
#[derive(Clone, Debug)]
pub(super) struct Container {
    pub(super) etag: String,
    pub(super) modified: Timestamp,
    pub(super) blobs: BTreeMap<String, Blob>,
}

/// Everything the account holds.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) containers: BTreeMap<String, Container>,
    etags: u64,
    requests: u64,
    leases: u64,
}

impl BlobKind {
    /// The value of `x-ms-blob-type`.
    pub(super) fn name(self) -> &'static str {
        match self {
            BlobKind::Block => "BlockBlob",
            BlobKind::Append => "AppendBlob",
        }
    }
}

impl Blob {
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts { etag: &self.etag, modified: self.modified }
    }
}

impl Store {
    /// A new ETag; none is given twice.
    pub(super) fn new_etag(&mut self) -> String {
        self.etags += 1;
        format!("\"0x{:X}\"", FIRST_ETAG + self.etags)
    }

    /// A new request id.
    pub(super) fn new_request_id(&mut self) -> String {
        self.requests += 1;
        guid(REQUEST_IDS, self.requests)
    }

    /// A lease id for a client that proposed none.
    pub(super) fn new_lease_id(&mut self) -> String {
        self.leases += 1;
        guid(LEASE_IDS, self.leases)
    }

    /// Adds an empty container.
    pub(super) fn create_container(&mut self, name: &str, now: Timestamp) -> Result<&Container, ErrorCode> {
        if self.containers.contains_key(name) {
            return Err(ErrorCode::ContainerAlreadyExists);
        }
        let etag = self.new_etag();
        let container = Container { etag, modified: now, blobs: BTreeMap::new() };
        Ok(self.containers.entry(name.to_owned()).or_insert(container))
    }

    pub(super) fn container(&self, name: &str) -> Result<&Container, ErrorCode> {
        self.containers.get(name).ok_or(ErrorCode::ContainerNotFound)
    }

    pub(super) fn container_mut(&mut self, name: &str) -> Result<&mut Container, ErrorCode> {
        self.containers.get_mut(name).ok_or(ErrorCode::ContainerNotFound)
    }

    pub(super) fn blob(&self, container: &str, name: &str) -> Result<&Blob, ErrorCode> {
        self.container(container)?.blobs.get(name).ok_or(ErrorCode::BlobNotFound)
    }

    pub(super) fn blob_mut(&mut self, container: &str, name: &str) -> Result<&mut Blob, ErrorCode> {
        self.container_mut(container)?.blobs.get_mut(name).ok_or(ErrorCode::BlobNotFound)
    }
}
