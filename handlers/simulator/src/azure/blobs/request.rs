//! What a request to the blob service asks for: operation, container, blob, query and the headers that matter.
//! It never looks at stored blobs, and refuses what it does not know instead of ignoring it.

use std::collections::BTreeMap;

use http::{HeaderMap, Method, Uri};
use url::form_urlencoded;

use super::errors::ErrorCode;
use super::wire::percent_decode;

/// Longest blob name, in characters, from the naming rules of Blob Storage.
const BLOB_NAME_CHARACTERS: usize = 1024;
/// Shortest and longest container name, in characters, from the same rules.
const CONTAINER_NAME_CHARACTERS: std::ops::RangeInclusive<usize> = 3..=63;

/// The operations that the stand-in has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    CreateContainer,
    ContainerProperties,
    DeleteContainer,
    ListBlobs,
    PutBlob,
    AppendBlock,
    SetMetadata,
    GetBlob,
    BlobProperties,
    DeleteBlob,
    Lease,
}

/// A request, read but not yet carried out.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) operation: Operation,
    pub(super) container: String,
    pub(super) blob: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: HeaderMap,
}

/// A range of bytes as a client asks for it; `last` is inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ByteRange {
    pub(super) first: u64,
    pub(super) last: Option<u64>,
}

impl Operation {
    /// Whether it changes a blob's content or its existence.
    pub(super) fn writes_content(self) -> bool {
        match self {
            Operation::PutBlob | Operation::AppendBlock | Operation::SetMetadata | Operation::DeleteBlob => true,
            Operation::CreateContainer
            | Operation::ContainerProperties
            | Operation::DeleteContainer
            | Operation::ListBlobs
            | Operation::GetBlob
            | Operation::BlobProperties
            | Operation::Lease => false,
        }
    }
}

impl Call {
    /// Reads method, path and query. `account` is the first path segment to leave out, as the emulator's URLs have it.
    pub(super) fn read(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        account: Option<&str>,
    ) -> Result<Self, ErrorCode> {
        let (container, blob) = split_path(uri.path(), account)?;
        let query: BTreeMap<String, String> =
            form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        // Snapshots and versions are other blobs; to answer with the current one would be a lie.
        if query.contains_key("snapshot") || query.contains_key("versionid") {
            return Err(ErrorCode::NotImplemented);
        }
        let operation = if blob.is_empty() { on_container(method, &query)? } else { on_blob(method, &query)? };
        Ok(Self { operation, container, blob, query, headers: headers.clone() })
    }

    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
    }

    /// A header that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, ErrorCode> {
        self.header(name).ok_or(ErrorCode::MissingRequiredHeader)
    }

    /// A header with a number.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, ErrorCode> {
        match self.header(name) {
            Some(text) => text.parse().map(Some).map_err(|_| ErrorCode::InvalidHeaderValue),
            None => Ok(None),
        }
    }

    /// The range of a read; `x-ms-range` wins over `Range`.
    pub(super) fn range(&self) -> Result<Option<ByteRange>, ErrorCode> {
        match self.header("x-ms-range").or_else(|| self.header("range")) {
            Some(text) => ByteRange::read(text).map(Some).ok_or(ErrorCode::InvalidHeaderValue),
            None => Ok(None),
        }
    }

    /// The blob's own metadata, as `x-ms-meta-*` headers carry it.
    pub(super) fn metadata(&self) -> BTreeMap<String, String> {
        let own = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            let key = name.as_str().strip_prefix("x-ms-meta-")?;
            Some((key.to_owned(), value.to_str().ok()?.to_owned()))
        };
        self.headers.iter().filter_map(own).collect()
    }
}

impl ByteRange {
    /// Reads `bytes=0-499` or `bytes=500-`; Blob Storage knows no suffix ranges.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
        let first = first.parse().ok()?;
        let last = if last.is_empty() { None } else { Some(last.parse().ok()?) };
        last.is_none_or(|last| last >= first).then_some(Self { first, last })
    }
}

fn split_path(path: &str, account: Option<&str>) -> Result<(String, String), ErrorCode> {
    let mut rest = path.trim_start_matches('/');
    if let Some(account) = account {
        let (first, after) = rest.split_once('/').unwrap_or((rest, ""));
        if first == account {
            rest = after;
        }
    }
    let (container, blob) = rest.split_once('/').unwrap_or((rest, ""));
    let container = percent_decode(container).ok_or(ErrorCode::InvalidUri)?;
    let blob = percent_decode(blob).ok_or(ErrorCode::InvalidUri)?;
    if container.is_empty() {
        return Err(ErrorCode::NotImplemented);
    }
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let odd = container.starts_with('-') || container.ends_with('-') || container.contains("--");
    if !CONTAINER_NAME_CHARACTERS.contains(&container.len()) || !container.chars().all(letters) || odd {
        return Err(ErrorCode::InvalidResourceName);
    }
    if blob.chars().count() > BLOB_NAME_CHARACTERS {
        return Err(ErrorCode::InvalidResourceName);
    }
    Ok((container, blob))
}

fn on_container(method: &Method, query: &BTreeMap<String, String>) -> Result<Operation, ErrorCode> {
    if query.get("restype").map(String::as_str) != Some("container") {
        return Err(ErrorCode::NotImplemented);
    }
    match (method.as_str(), query.get("comp").map(String::as_str)) {
        ("PUT", None) => Ok(Operation::CreateContainer),
        ("GET" | "HEAD", None) => Ok(Operation::ContainerProperties),
        ("DELETE", None) => Ok(Operation::DeleteContainer),
        ("GET", Some("list")) => Ok(Operation::ListBlobs),
        (_, Some(_)) => Err(ErrorCode::NotImplemented),
        (_, None) => Err(ErrorCode::UnsupportedHttpVerb),
    }
}

fn on_blob(method: &Method, query: &BTreeMap<String, String>) -> Result<Operation, ErrorCode> {
    match (method.as_str(), query.get("comp").map(String::as_str)) {
        ("PUT", None) => Ok(Operation::PutBlob),
        ("PUT", Some("appendblock")) => Ok(Operation::AppendBlock),
        ("PUT", Some("metadata")) => Ok(Operation::SetMetadata),
        ("PUT", Some("lease")) => Ok(Operation::Lease),
        ("GET", None) => Ok(Operation::GetBlob),
        ("HEAD", None) => Ok(Operation::BlobProperties),
        ("DELETE", None) => Ok(Operation::DeleteBlob),
        (_, Some(_)) => Err(ErrorCode::NotImplemented),
        (_, None) => Err(ErrorCode::UnsupportedHttpVerb),
    }
}
