//! The store: a blob container with conditional writes, append blobs and leases, through azure_storage_blob.
//!
//! It never overwrites without being told under which condition, and never repeats a conditional write that may have been
//! done: the second one would fail on the first.
//!
//! The library's own bearer policy and its check for https are not used (they refuse a simulated store on this machine);
//! ours stand in the transport policy, and let tokens travel over TLS or to the loopback only.

mod lease;
mod wire;

pub use lease::Lease;

use crate::{
    access::{Access, Random, WallClock},
    error::{Error, ErrorKind},
    retry::{Attempts, Repeat},
    transport::{Latest, MAX_ANSWER_BYTES},
};
use azure_core::http::{
    ClientMethodOptions, ClientOptions, Context, Etag, NoFormat, RequestContent, RetryOptions, Transport, Url,
    pager::PagerOptions,
};
use azure_storage_blob::{
    BlobClient, BlobContainerClient, BlobContainerClientOptions,
    models::{
        AppendBlobClientAppendBlockOptions, AppendBlobClientCreateOptions, BlobClientDeleteOptions,
        BlobClientDownloadOptions, BlobContainerClientCreateOptions, BlobContainerClientListBlobsOptions,
        BlockBlobClientUploadOptions, HttpRange,
    },
};
use bytes::Bytes;
use futures::TryStreamExt as _;
use std::{fmt, num::NonZero, sync::Arc};

/// The largest blob that is put at once; what is kept are records and documents of some kilobytes.
pub const MAX_PUT_BYTES: usize = 4 * 1024 * 1024;
/// The largest block that is appended at once, the service's limit of older versions; a ledger line is some kilobytes.
pub const MAX_APPEND_BYTES: usize = 4 * 1024 * 1024;
/// How many pages of 5,000 names a listing reads.
const MAX_PAGES: usize = 40;
/// How often a tail is read again because the blob grew between two requests.
const MAX_TAIL_READS: usize = 3;
/// One request reads a blob up to what an answer may hold, so that nothing is read in parts.
const WHOLE: NonZero<usize> = NonZero::new(MAX_ANSWER_BYTES).expect("it is not zero");

/// The version of a blob's content. Equal tags, equal content.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag(String);

/// When a blob is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Whatever is there.
    Any,
    /// Only if nothing is there.
    IfAbsent,
    /// Only if it is still this version.
    IfMatch(ETag),
}

/// The end of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The last bytes, at most as many as were asked for.
    pub bytes: Bytes,
    /// How long the whole blob is: where the next append goes.
    pub length: u64,
    /// Its version.
    pub etag: ETag,
}

/// A blob container. Clones share the connection and the token.
#[derive(Clone)]
pub struct Store {
    container: Arc<BlobContainerClient>,
    random: Random,
    now: WallClock,
    latest: Option<Latest>,
}

impl Store {
    /// A store in a container, for example `https://acct.blob.core.windows.net/lifeboat`. Nothing is sent.
    pub fn new(container_url: Url, access: &Access) -> Result<Self, Error> {
        let transport = Transport::with_policy(Arc::new(wire::Wire::new(access)));
        let options = BlobContainerClientOptions {
            client_options: ClientOptions {
                retry: RetryOptions::none(),
                transport: Some(transport),
                ..ClientOptions::default()
            },
            ..BlobContainerClientOptions::default()
        };
        let container = BlobContainerClient::new(container_url, None, Some(options))
            .map_err(|error| Error::because(ErrorKind::Refused, "the store's address", error))?;
        let (random, now) = (access.random.clone(), Arc::clone(&access.now));
        Ok(Self { container: Arc::new(container), random, now, latest: None })
    }

    /// The same store, for requests that must not be sent after a moment.
    #[must_use]
    pub fn until(&self, latest: Latest) -> Self {
        Self { latest: Some(latest), ..self.clone() }
    }

    /// A blob's content and version; none if there is no such blob. A missing container is an error. A repeat is safe.
    pub async fn get(&self, name: &str) -> Result<Option<(Bytes, ETag)>, Error> {
        let found = self.read("blob get", name, None).await?;
        Ok(found.map(|part| (part.bytes, part.etag)))
    }

    /// The end of a blob; none if there is no such blob. A repeat is safe.
    pub async fn tail(&self, name: &str, max_bytes: usize) -> Result<Option<Tail>, Error> {
        const OPERATION: &str = "blob tail";
        let max = max_bytes.clamp(1, MAX_ANSWER_BYTES) as u64;
        for _ in 0..MAX_TAIL_READS {
            // Most blobs are shorter than what is asked for: then the first request is the last.
            let Some(head) = self.read(OPERATION, name, Some(HttpRange::new(0, max))).await? else { return Ok(None) };
            if head.length <= max {
                return Ok(Some(head));
            }
            let end = HttpRange::new(head.length - max, max);
            match self.read(OPERATION, name, Some(end)).await? {
                Some(tail) if tail.etag == head.etag => return Ok(Some(tail)),
                // It grew, or was replaced, between the two requests.
                _ => {}
            }
        }
        Err(Error::because(ErrorKind::Conflict, OPERATION, "the blob changed at each reading"))
    }

    /// A part of a blob from a position on, at most so many bytes; none if there is no such blob or it ends before. A repeat is safe.
    pub async fn part(&self, name: &str, from: u64, max_bytes: usize) -> Result<Option<Bytes>, Error> {
        let max = max_bytes.clamp(1, MAX_ANSWER_BYTES) as u64;
        match self.read("blob part", name, Some(HttpRange::new(from, max))).await {
            // Azurite answers a range beyond the end with an empty part; Azure refuses it.
            Ok(found) => Ok(found.map(|part| part.bytes).filter(|bytes| !bytes.is_empty())),
            Err(error) if error.code_is("InvalidRange") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deletes a blob; says whether it was there. A repeat is safe.
    pub async fn delete(&self, name: &str) -> Result<bool, Error> {
        let deleted = self.call("blob delete", Repeat::Safe, || {
            let blob = self.blob(name);
            let options = BlobClientDeleteOptions { method_options: self.method(), ..Default::default() };
            async move { blob.delete(Some(options)).await }
        });
        match deleted.await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::NotFound && !error.code_is("ContainerNotFound") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes a whole blob. `Conflict` when the condition does not hold. Repeat: with [`Condition::Any`] safe; otherwise read
    /// first when [`Error::maybe_done`].
    pub async fn put(&self, name: &str, bytes: Bytes, condition: Condition) -> Result<ETag, Error> {
        const OPERATION: &str = "blob put";
        if bytes.len() > MAX_PUT_BYTES {
            return Err(Error::new(ErrorKind::Limit, OPERATION));
        }
        let repeat = if condition == Condition::Any { Repeat::Safe } else { Repeat::IfNotDone };
        let written = self
            .call(OPERATION, repeat, || {
                let blob = self.blob(name).block_blob_client();
                let mut options = BlockBlobClientUploadOptions {
                    // What is put goes at once; the library would ask for the number of processors each time.
                    parallel: Some(NonZero::<usize>::MIN),
                    method_options: self.method(),
                    ..Default::default()
                };
                match &condition {
                    Condition::Any => {}
                    Condition::IfAbsent => options = options.if_not_exists(),
                    Condition::IfMatch(etag) => options.if_match = Some(Etag::from(etag.0.as_str())),
                }
                let content: RequestContent<Bytes, NoFormat> = bytes.clone().into();
                async move { blob.upload(content, Some(options)).await }
            })
            .await
            .map_err(as_conflict)?;
        etag(OPERATION, written.etag)
    }

    /// Appends at a position, which is the lock: `Conflict` when the blob's length is another. At 0 the blob is made first.
    /// Gives the new length. Repeat: read the tail first when [`Error::maybe_done`].
    pub async fn append(&self, name: &str, position: u64, bytes: Bytes) -> Result<u64, Error> {
        const OPERATION: &str = "blob append";
        if bytes.is_empty() || bytes.len() > MAX_APPEND_BYTES {
            return Err(Error::new(ErrorKind::Limit, OPERATION));
        }
        if position == 0 {
            self.create_append_blob(name).await?;
        }
        let length = bytes.len() as u64;
        self.call(OPERATION, Repeat::IfNotDone, || {
            let blob = self.blob(name).append_blob_client();
            let options = AppendBlobClientAppendBlockOptions {
                append_position: i64::try_from(position).ok(),
                method_options: self.method(),
                ..Default::default()
            };
            let content: RequestContent<Bytes, NoFormat> = bytes.clone().into();
            async move { blob.append_block(content, length, Some(options)).await }
        })
        .await
        .map_err(as_conflict)?;
        Ok(position + length)
    }

    /// The names that begin so, all of them or an error. A repeat is safe.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        const OPERATION: &str = "blob list";
        let mut names = Vec::new();
        let mut marker: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let page = self
                .call(OPERATION, Repeat::Safe, || {
                    let options = BlobContainerClientListBlobsOptions {
                        prefix: Some(prefix.to_owned()),
                        marker: marker.clone(),
                        method_options: PagerOptions { context: self.context(), ..PagerOptions::default() },
                        ..Default::default()
                    };
                    let pages = self.container.list_blobs(Some(options));
                    async move {
                        let first = pages?.into_pages().try_next().await?;
                        first.map(|page| page.into_model()).transpose()
                    }
                })
                .await?;
            let Some(page) = page else { return Ok(names) };
            names.extend(page.blob_items.into_iter().filter_map(|item| item.name));
            match page.next_marker.filter(|next| !next.is_empty()) {
                Some(next) => marker = Some(next),
                None => return Ok(names),
            }
        }
        Err(Error::new(ErrorKind::Limit, OPERATION))
    }

    /// Makes the container if it is not there. A repeat is safe.
    pub async fn ensure_container(&self) -> Result<(), Error> {
        let made = self.call("blob container create", Repeat::Safe, || {
            let container = Arc::clone(&self.container);
            let options = BlobContainerClientCreateOptions { method_options: self.method(), ..Default::default() };
            async move { container.create(Some(options)).await }
        });
        match made.await {
            Ok(_) => Ok(()),
            Err(error) if error.kind == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn create_append_blob(&self, name: &str) -> Result<(), Error> {
        let made = self.call("blob append create", Repeat::Safe, || {
            let blob = self.blob(name).append_blob_client();
            let options = AppendBlobClientCreateOptions { method_options: self.method(), ..Default::default() };
            async move { blob.create(Some(options.if_not_exists())).await }
        });
        match made.await {
            Ok(_) => Ok(()),
            // It is there: whether it is empty, the append itself finds out.
            Err(error) if matches!(error.kind, ErrorKind::AlreadyExists | ErrorKind::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Reads a blob or a part of it.
    async fn read(&self, operation: &'static str, name: &str, range: Option<HttpRange>) -> Result<Option<Tail>, Error> {
        let in_parts = range.is_some();
        let found = self.call(operation, Repeat::Safe, || {
            let blob = self.blob(name);
            let options = BlobClientDownloadOptions {
                range: range.clone(),
                parallel: Some(NonZero::<usize>::MIN),
                partition_size: Some(WHOLE),
                method_options: self.method(),
                ..Default::default()
            };
            async move {
                let found = blob.download(Some(options)).await?;
                let whole = found.headers.get_optional_str(&CONTENT_RANGE).and_then(whole_length);
                let whole = whole.or(found.properties.content_length);
                // The rest of a longer blob would come by further requests; it is refused before they are made.
                let too_long = !in_parts && whole.is_some_and(|whole| whole > MAX_ANSWER_BYTES as u64);
                let bytes = if too_long { None } else { Some(found.body.collect().await?) };
                Ok((bytes, whole, found.properties.etag))
            }
        });
        match found.await {
            Ok((Some(bytes), whole, version)) => {
                let length = whole.unwrap_or(bytes.len() as u64);
                Ok(Some(Tail { bytes, length, etag: etag(operation, version)? }))
            }
            Ok((None, ..)) => Err(Error::new(ErrorKind::Limit, operation)),
            Err(error) if error.kind == ErrorKind::NotFound && !error.code_is("ContainerNotFound") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes one call with its repeats.
    async fn call<T, F>(&self, operation: &'static str, repeat: Repeat, make: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = azure_core::Result<T>>,
    {
        let mut attempts = Attempts::new(repeat, self.latest);
        loop {
            match make().await {
                Ok(done) => return Ok(done),
                Err(error) => {
                    let error = wire::error(operation, error, (self.now)());
                    attempts.again(error, &self.random).await?;
                }
            }
        }
    }

    fn blob(&self, name: &str) -> BlobClient {
        self.container.blob_client(name)
    }

    fn method(&self) -> ClientMethodOptions<'static> {
        ClientMethodOptions { context: self.context() }
    }

    /// The latest moment travels in the library's context to our transport policy.
    fn context(&self) -> Context<'static> {
        self.latest.map_or_else(Context::new, |latest| Context::new().with_value(latest))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("container", &self.container.url().path()).finish_non_exhaustive()
    }
}

impl ETag {
    /// As the service wrote it, quotes included.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const CONTENT_RANGE: azure_core::http::headers::HeaderName =
    azure_core::http::headers::HeaderName::from_static("content-range");

/// The whole length in `bytes 0-99/1234`.
fn whole_length(content_range: &str) -> Option<u64> {
    content_range.rsplit_once('/')?.1.trim().parse().ok()
}

fn etag(operation: &'static str, etag: Option<Etag>) -> Result<ETag, Error> {
    etag.map(|etag| ETag(etag.into())).ok_or_else(|| Error::malformed(operation, "an answer without its ETag"))
}

/// A condition that does not hold is a conflict, however the service words it.
fn as_conflict(error: Error) -> Error {
    if error.kind == ErrorKind::AlreadyExists { error.with_kind(ErrorKind::Conflict) } else { error }
}

#[cfg(test)]
mod tests;
