//! Leases on blobs: who holds one works alone, until it runs out.
//!
//! It never breaks another's lease, and a lease that cannot be renewed is not believed to be held.

use super::Store;
use crate::{
    error::{Error, ErrorKind},
    retry::Repeat,
};
use azure_core::http::RequestContent;
use azure_storage_blob::models::{
    BlobClientAcquireLeaseOptions, BlobClientReleaseLeaseOptions, BlobClientRenewLeaseOptions,
    BlockBlobClientUploadOptions,
};
use std::fmt;

/// The shortest and the longest lease that Blob Storage gives, in seconds.
const SECONDS: std::ops::RangeInclusive<u32> = 15..=60;

/// A lease that was taken.
#[derive(Clone, PartialEq, Eq)]
pub struct Lease {
    name: String,
    id: String,
}

impl Lease {
    /// The blob that it is on.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The id is what proves the holder.
        f.debug_struct("Lease").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Store {
    /// Takes the lease on a blob, which is made empty if it is not there. `Busy` when another holds it.
    ///
    /// A repeat is safe: it is one more lease, or the same one again.
    pub async fn lease(&self, name: &str, seconds: u32) -> Result<Lease, Error> {
        let lease = Lease { name: name.to_owned(), id: self.random.uuid().to_string() };
        match self.acquire(&lease, seconds).await {
            Ok(()) => return Ok(lease),
            Err(error) if error.kind == ErrorKind::NotFound && !error.code_is("ContainerNotFound") => {}
            Err(error) => return Err(error),
        }
        self.create_empty(name).await?;
        self.acquire(&lease, seconds).await?;
        Ok(lease)
    }

    /// Makes the lease last its seconds again. `Conflict` when it is no longer held. A repeat is safe.
    pub async fn renew(&self, lease: &Lease) -> Result<(), Error> {
        self.call("blob lease renew", Repeat::Safe, || {
            let (blob, id) = (self.blob(&lease.name), lease.id.clone());
            let options = BlobClientRenewLeaseOptions { method_options: self.method(), ..Default::default() };
            async move { blob.renew_lease(id, Some(options)).await }
        })
        .await
        .map(drop)
    }

    /// Gives the lease back. `Conflict` when it is no longer held, for example given back already.
    pub async fn release(&self, lease: &Lease) -> Result<(), Error> {
        self.call("blob lease release", Repeat::IfNotDone, || {
            let (blob, id) = (self.blob(&lease.name), lease.id.clone());
            let options = BlobClientReleaseLeaseOptions { method_options: self.method(), ..Default::default() };
            async move { blob.release_lease(id, Some(options)).await }
        })
        .await
        .map(drop)
    }

    /// Acquires under our own id, so that a second request after a lost answer is answered as the first.
    async fn acquire(&self, lease: &Lease, seconds: u32) -> Result<(), Error> {
        let seconds = seconds.clamp(*SECONDS.start(), *SECONDS.end()) as i32;
        self.call("blob lease acquire", Repeat::Safe, || {
            let blob = self.blob(&lease.name);
            let options = BlobClientAcquireLeaseOptions {
                proposed_lease_id: Some(lease.id.clone()),
                method_options: self.method(),
                ..Default::default()
            };
            async move { blob.acquire_lease(seconds, Some(options)).await }
        })
        .await
        .map(drop)
    }

    async fn create_empty(&self, name: &str) -> Result<(), Error> {
        let made = self.call("blob lease create", Repeat::Safe, || {
            let blob = self.blob(name).block_blob_client();
            let options = BlockBlobClientUploadOptions { method_options: self.method(), ..Default::default() };
            async move { blob.upload(RequestContent::from(Vec::new()), Some(options.if_not_exists())).await }
        });
        match made.await {
            Ok(_) => Ok(()),
            // Another made it, and may hold it: the lease itself tells.
            Err(error) if matches!(error.kind, ErrorKind::AlreadyExists | ErrorKind::Conflict | ErrorKind::Busy) => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
